//! Disbursements: payable claims gathered by one person of treasury, released by another, settled by what the bank says.
//!
//! | module | step |
//! |---|---|
//! | `make` | gathers claims, oldest first, into one payment a payee, and takes a disbursement back before it is released |
//! | `release` | the second pair of eyes, the third above an amount; from then on it is frozen |
//! | `set_off` | what a merchant was advanced is set against its payment first; an advance is a disbursement of its own |
//! | `netting` | what merchants owe the fund is set against what is left of their payments |
//! | `reconcile` | sent = paid + failed + returned + open |
//!
//! Making a disbursement moves its claims' money from payable to in payment, so that no other gathers them; that a claim is
//! open or paid in one at most is `disbursement_lines_one_open_or_paid`. A failed payment makes its claims payable again, and
//! the next disbursement gathers them.

mod make;
pub(super) mod netting;
mod reconcile;
mod release;
pub(super) mod set_off;

use chrono::{DateTime, NaiveDate, Utc};
use claims::ids::{AdvanceId, ClaimId, DisbursementId, PaymentId};
use ledger::{BySource, Fen};
use serde::{Deserialize, Serialize};
use store::Tx;
use store::payments::PaymentRow;
use store::payments::disbursements::DisbursementRow;

pub use make::Gather;
pub use reconcile::{Count, Reconciliation};

use crate::claims::transition::Mover;
use crate::funds::sources::parts_of;
use crate::operation::access::ReadFunds;
use crate::operation::checks::check_revision;
use crate::operation::convert::{code, fen};
use crate::operation::{Page, Permit, Refusal, ServiceError, events, paging};
use crate::payments::Payments;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disbursement {
    pub id: String,
    pub jurisdiction: String,
    pub programme: String,
    /// made, countersigned, released, settled or cancelled.
    pub status: String,
    pub revision: i32,
    pub claims: i32,
    /// One a payee.
    #[serde(default)]
    pub payments: i32,
    /// Yuan, two decimals.
    pub total: String,
    /// Whether its amount asks for a third person.
    #[serde(default)]
    pub needs_three: bool,
    pub made_at: DateTime<Utc>,
    pub released_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    /// `sha256:…` of what was released.
    #[serde(default)]
    pub digest: Option<String>,
}

/// One payment of a disbursement: all its claims of one payee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub id: PaymentId,
    pub disbursement: DisbursementId,
    /// merchant or applicant.
    pub payee: String,
    pub merchant: Option<String>,
    pub claims: i32,
    pub amount: Fen,
    /// What of it each source pays.
    pub parts: BySource<Fen>,
    /// What of the amount is set against advances and clawbacks; the bank is told the rest.
    pub netted: Fen,
    /// What it pays in the place of claims.
    pub advance: Option<AdvanceId>,
    /// open, paid, failed, returned or cancelled.
    pub outcome: String,
    pub reason: Option<String>,
    pub settled_at: Option<DateTime<Utc>>,
}

/// One claim of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidClaim {
    pub claim: ClaimId,
    pub amount: Fen,
}

/// What became of a payment, in the words of a bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Paid,
    Failed {
        reason: String,
    },
    /// Paid, and given back.
    Returned {
        reason: String,
    },
    /// A status that nobody here knows.
    Unclear,
}

/// What a bank says of one payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentResult {
    /// The payment, or a mark of what was named instead: in a file that may be anything, even an account.
    pub payment: Result<PaymentId, String>,
    pub said: Said,
    pub amount: Option<Fen>,
    pub code: Option<String>,
    pub booked_on: Option<NaiveDate>,
    /// What a file's reader knows the same news by.
    pub fingerprint: Option<Vec<u8>>,
}

impl PaymentResult {
    /// Without a bank's details.
    pub fn of(payment: PaymentId, failure: Option<String>) -> Self {
        Self {
            payment: Ok(payment),
            said: failure.map_or(Said::Paid, |reason| Said::Failed { reason }),
            amount: None,
            code: None,
            booked_on: None,
            fingerprint: None,
        }
    }
}

impl Payments {
    pub async fn disbursement(
        &self,
        permit: &Permit<ReadFunds>,
        id: DisbursementId,
    ) -> Result<Disbursement, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        let mut conn = self.op.read().await?;
        let row = conn.disbursement(id.jurisdiction.as_str(), id.uuid).await?;
        shown(&row.ok_or(Refusal::NotFound("disbursement"))?)
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
        let counties = paging::counties(permit, jurisdiction)?;
        let before = paging::read(cursor)?;
        let mut conn = self.op.read().await?;
        let rows = conn
            .disbursements(&counties, programme, before, paging::fetch(limit))
            .await?;
        paging::page(rows, limit, |row| row.id)?.try_map(|row| shown(&row))
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
        let rows = conn
            .payments(id.jurisdiction.as_str(), id.uuid, after, paging::fetch(limit))
            .await?;
        paging::page(rows, limit, |row| row.id)?.try_map(|row| shown_payment(&row))
    }

    pub async fn payment(&self, permit: &Permit<ReadFunds>, id: PaymentId) -> Result<Payment, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        let mut conn = self.op.read().await?;
        let row = conn.payment(id.jurisdiction.as_str(), id.uuid).await?;
        shown_payment(&row.ok_or(Refusal::NotFound("payment"))?)
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
        let jurisdiction = id.jurisdiction.as_str();
        conn.payment(jurisdiction, id.uuid)
            .await?
            .ok_or(Refusal::NotFound("payment"))?;
        let rows = conn
            .payment_lines(jurisdiction, id.uuid, after, paging::fetch(limit))
            .await?;
        paging::page(rows, limit, |row| row.claim)?.try_map(|row| {
            Ok(PaidClaim {
                claim: ClaimId::new(id.jurisdiction, row.claim),
                amount: fen(row.amount)?,
            })
        })
    }

    /// Writes what was done to a disbursement.
    pub(super) async fn note(
        &self,
        tx: &mut Tx,
        row: &DisbursementRow,
        verb: &str,
        why: Option<String>,
        mover: Mover<'_>,
    ) -> Result<(), ServiceError> {
        let subject = DisbursementId::new(code(&row.jurisdiction)?, row.id).to_string();
        let mut event = events::event(
            self.op.id(mover.now),
            &row.jurisdiction,
            &subject,
            verb,
            mover.actor,
            mover.now,
        );
        (event.revision, event.to_status, event.reason) = (Some(row.revision), Some(row.status.clone()), why);
        // A released one is frozen: its digest is that of the instruction, by which the bank's files are found again.
        event.detail = events::signed(&serde_json::json!({
            "claims": row.claims,
            "digest": row.digest.as_ref().map(hex::encode),
            "payments": row.payments,
            "persons": if row.needs_three { 3 } else { 2 },
            "programme": row.programme,
            "total": fen(row.total)?.to_string(),
        }));
        tx.record_events(&[event]).await?;
        Ok(())
    }
}

/// The disbursement, locked, in one of these statuses and at the revision the caller saw.
pub(super) async fn open(
    tx: &mut Tx,
    id: DisbursementId,
    if_match: Option<i32>,
    statuses: &[&str],
) -> Result<DisbursementRow, ServiceError> {
    let row = tx.lock_disbursement(id.jurisdiction.as_str(), id.uuid).await?;
    let row = row.ok_or(Refusal::NotFound("disbursement"))?;
    check_revision(row.revision, if_match)?;
    if statuses.contains(&row.status.as_str()) {
        return Ok(row);
    }
    Err(Refusal::Settled {
        what: "disbursement",
        status: row.status,
    }
    .into())
}

fn shown(row: &DisbursementRow) -> Result<Disbursement, ServiceError> {
    Ok(Disbursement {
        id: DisbursementId::new(code(&row.jurisdiction)?, row.id).to_string(),
        jurisdiction: row.jurisdiction.clone(),
        programme: row.programme.clone(),
        status: row.status.clone(),
        revision: row.revision,
        claims: row.claims,
        payments: row.payments,
        total: fen(row.total)?.to_string(),
        needs_three: row.needs_three,
        made_at: row.made_at,
        released_at: row.released_at,
        closed_at: row.closed_at,
        digest: row
            .digest
            .as_ref()
            .map(|digest| format!("sha256:{}", hex::encode(digest))),
    })
}

pub(super) fn shown_payment(row: &PaymentRow) -> Result<Payment, ServiceError> {
    let jurisdiction = code(&row.jurisdiction)?;
    Ok(Payment {
        id: PaymentId::new(jurisdiction, row.id),
        disbursement: DisbursementId::new(jurisdiction, row.disbursement),
        payee: row.payee.clone(),
        merchant: row.merchant.clone(),
        claims: row.claims,
        amount: fen(row.amount)?,
        parts: parts_of(row)?,
        netted: fen(row.netted)?,
        advance: row.advance.map(|id| AdvanceId::new(jurisdiction, id)),
        outcome: row.outcome.clone(),
        reason: row.reason.clone(),
        settled_at: row.settled_at,
    })
}
