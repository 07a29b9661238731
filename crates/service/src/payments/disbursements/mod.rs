//! Disbursements: payable claims gathered by one person of treasury, released by another, settled
//! by what the bank reports.
//!
//! | module | step |
//! |---|---|
//! | `make` | gathers claims, oldest first, into one payment a payee, and takes a disbursement back before it is released |
//! | `set_off` | what a merchant was advanced is set against its payment first; an advance is a disbursement of its own |
//! | `netting` | what merchants owe the fund is set against what is left of their payments |
//! | `settle` | moves the money of payments once their outcome is known, and closes disbursements with nothing open |
//! | `reconcile` | sent = paid + failed + returned + open |
//!
//! Making a disbursement moves its claims' money from payable to in payment, so that no other
//! gathers them; that a claim is open or paid in one at most is
//! `disbursement_lines_one_open_or_paid`. A failed payment makes its claims payable again, and the
//! next disbursement gathers them. Nothing here knows the bank: `release` and `bank` stand above.

mod make;
pub(super) mod netting;
mod reconcile;
pub(super) mod set_off;
pub(super) mod settle;

use chrono::{DateTime, Utc};
use claims::JurisdictionCode;
use claims::ids::{AdvanceId, ClaimId, DisbursementId, PaymentId};
use claims::payments::{DisbursementStatus, PayeeKind, PaymentOutcome};
use ledger::{BySource, Fen};
use store::Tx;
use store::payments::PaymentRow;
use store::payments::disbursements::DisbursementRow;

pub use make::Gather;
pub(super) use make::totals;
pub use reconcile::{Count, Reconciliation};

use crate::funds::sources::parts_of;
use crate::operation::access::ReadFunds;
use crate::operation::checks::check_revision;
use crate::operation::convert::codes;
use crate::operation::{Op, Page, Permit, Recorded, Refusal, ServiceError, events, paging, stored_answer};
use crate::payments::Payments;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disbursement {
    pub id: DisbursementId,
    pub jurisdiction: JurisdictionCode,
    pub programme: String,
    pub status: DisbursementStatus,
    pub revision: i32,
    pub claims: i32,
    /// One a payee.
    pub payments: i32,
    pub total: Fen,
    /// Whether its amount asks for a third person.
    pub needs_three: bool,
    pub made_at: DateTime<Utc>,
    pub released_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    /// `sha256:…` of what was released.
    pub digest: Option<String>,
}

stored_answer! { "disbursement.1" => Disbursement {
    id, jurisdiction, programme, status, revision, claims, payments, total, needs_three, made_at, released_at,
    closed_at, digest,
} }

/// One payment of a disbursement: all its claims of one payee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub id: PaymentId,
    pub disbursement: DisbursementId,
    pub payee: PayeeKind,
    pub merchant: Option<String>,
    pub claims: i32,
    pub amount: Fen,
    /// What of it each source pays.
    pub parts: BySource<Fen>,
    /// What of the amount is set against advances and clawbacks; the bank pays the rest.
    pub netted: Fen,
    /// What it pays in the place of claims.
    pub advance: Option<AdvanceId>,
    pub outcome: PaymentOutcome,
    pub reason: Option<String>,
    pub settled_at: Option<DateTime<Utc>>,
}

/// One claim of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidClaim {
    pub claim: ClaimId,
    pub amount: Fen,
}

impl Payments {
    pub async fn disbursement(
        &self,
        permit: &Permit<ReadFunds>,
        id: DisbursementId,
    ) -> Result<Disbursement, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        let mut conn = self.op.read().await?;
        let row = conn.disbursement(id).await?;
        Ok(shown(&row.ok_or(Refusal::NotFound("disbursement"))?))
    }

    /// Disbursements, newest first.
    pub async fn disbursements(
        &self,
        permit: &Permit<ReadFunds>,
        jurisdiction: Option<String>,
        programme: Option<&str>,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Disbursement>, ServiceError> {
        let counties = codes(&paging::counties(permit, jurisdiction)?)?;
        let before = paging::read(cursor)?;
        let mut conn = self.op.read().await?;
        let rows = conn
            .disbursements(&counties, programme, before, paging::fetch(limit))
            .await?;
        paging::page(rows, limit, |row| row.id)?.try_map(|row| Ok(shown(&row)))
    }

    /// A disbursement's payments, in the order of their oldest claims.
    pub async fn payments(
        &self,
        permit: &Permit<ReadFunds>,
        id: DisbursementId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Payment>, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        let after = paging::read(cursor)?;
        let mut conn = self.op.read().await?;
        let rows = conn.payments(id, after, paging::fetch(limit)).await?;
        paging::page(rows, limit, |row| row.id)?.try_map(|row| Ok(shown_payment(&row)))
    }

    pub async fn payment(&self, permit: &Permit<ReadFunds>, id: PaymentId) -> Result<Payment, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        let mut conn = self.op.read().await?;
        let row = conn.payment(id).await?;
        Ok(shown_payment(&row.ok_or(Refusal::NotFound("payment"))?))
    }

    /// The claims that a payment pays.
    pub async fn payment_claims(
        &self,
        permit: &Permit<ReadFunds>,
        id: PaymentId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<PaidClaim>, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        let after = paging::read(cursor)?;
        let mut conn = self.op.read().await?;
        conn.payment(id).await?.ok_or(Refusal::NotFound("payment"))?;
        let rows = conn.payment_lines(id, after, paging::fetch(limit)).await?;
        paging::page(rows, limit, |row| row.claim)?.try_map(|row| {
            Ok(PaidClaim {
                claim: row.claim(),
                amount: row.amount,
            })
        })
    }

    /// Records what was done to a disbursement.
    pub(super) async fn note(
        &self,
        op: &mut Op<'_>,
        row: &DisbursementRow,
        verb: &str,
        why: Option<String>,
    ) -> Result<Recorded, ServiceError> {
        let mut event = op.event(row.jurisdiction.as_str(), &row.id().to_string(), verb);
        (event.revision, event.to_status, event.reason) =
            (Some(row.revision), Some(row.status.to_string()), why);
        // A released one is frozen: its digest is that of the instruction, by which the bank's
        // files are found again.
        event.detail = events::signed(&serde_json::json!({
            "claims": row.claims,
            "digest": row.digest.as_ref().map(hex::encode),
            "payments": row.payments,
            "persons": if row.needs_three { 3 } else { 2 },
            "programme": row.programme,
            "total": row.total.to_string(),
        }));
        op.record(&[event]).await
    }
}

/// The disbursement, locked, in one of these statuses and at the revision the caller saw.
pub(super) async fn open(
    tx: &mut Tx,
    id: DisbursementId,
    if_match: Option<i32>,
    statuses: &[DisbursementStatus],
) -> Result<DisbursementRow, ServiceError> {
    let row = tx.lock_disbursement(id).await?;
    let row = row.ok_or(Refusal::NotFound("disbursement"))?;
    check_revision(row.revision, if_match)?;
    if statuses.contains(&row.status) {
        return Ok(row);
    }
    Err(Refusal::Settled {
        what: "disbursement",
        status: row.status.to_string(),
    }
    .into())
}

pub(super) fn shown(row: &DisbursementRow) -> Disbursement {
    let digest = row.digest.as_ref();
    Disbursement {
        id: row.id(),
        jurisdiction: row.jurisdiction,
        programme: row.programme.clone(),
        status: row.status,
        revision: row.revision,
        claims: row.claims,
        payments: row.payments,
        total: row.total,
        needs_three: row.needs_three,
        made_at: row.made_at,
        released_at: row.released_at,
        closed_at: row.closed_at,
        digest: digest.map(|digest| format!("sha256:{}", hex::encode(digest))),
    }
}

pub(super) fn shown_payment(row: &PaymentRow) -> Payment {
    Payment {
        id: row.id(),
        disbursement: row.disbursement(),
        payee: row.payee,
        merchant: row.merchant.clone(),
        claims: row.claims,
        amount: row.amount,
        parts: parts_of(row),
        netted: row.netted,
        advance: row.advance(),
        outcome: row.outcome,
        reason: row.reason.clone(),
        settled_at: row.settled_at,
    }
}
