//! Advances to merchants (预拨): a county pays ahead of a merchant's claims, in pairs, and what they
//! come to is set against it first.
//!
//! An advance is a disbursement of its own, with one payment and no claims: the person who makes it
//! does not release it, and above an amount a third signs; it goes to the bank in a file, and is
//! settled by what the bank reports, as any other. `disbursements::set_off` sets claims against
//! advances and settles their payments. What is left of an advance can be repaid. All of it happens
//! under the lock of the county's ledger.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use claims::JurisdictionCode;
use claims::ids::{AdvanceId, DisbursementId, PaymentId};
use claims::payments::{AdvanceStatus, PayeeKind, PaymentOutcome};
use claims::registers::MerchantStatus;
use ledger::{Fen, NotLeft, Reason};
use store::Tx;
use store::payments::PaymentRow;
use store::payments::advances::AdvanceRow;

use super::Payments;
use super::disbursements::set_off::{sums, write};
use super::disbursements::totals;
use crate::funds::limits;
use crate::operation::access::{ManageFunds, ReadFunds};
use crate::operation::convert::{code, codes, fen};
use crate::operation::{Key, Op, Page, Permit, Refusal, Replayable, ServiceError, paging, stored_answer};

/// What is to be advanced, and the document that allows it.
#[derive(Debug, Clone)]
pub struct NewAdvance {
    pub jurisdiction: String,
    pub programme: String,
    /// A credit code.
    pub merchant: String,
    pub amount: Fen,
    pub document: String,
}

/// What a merchant gives back of an advance.
#[derive(Debug, Clone)]
pub struct Repayment {
    /// All that is open if nothing is said.
    pub amount: Option<Fen>,
    /// Number of the bank's document.
    pub document: String,
}

/// An advance as it stands: what was paid is set off, repaid, pending or open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    pub id: AdvanceId,
    pub jurisdiction: JurisdictionCode,
    pub programme: String,
    pub merchant: String,
    pub disbursement: DisbursementId,
    pub payment: PaymentId,
    pub status: AdvanceStatus,
    pub amount: Fen,
    pub set_off: Fen,
    pub repaid: Fen,
    pub pending: Fen,
    pub open: Fen,
    pub document: String,
    pub made_at: DateTime<Utc>,
    pub paid_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
}

stored_answer! { "advance.1" => Advance {
    id, jurisdiction, programme, merchant, disbursement, payment, status, amount, set_off, repaid, pending, open,
    document, made_at, paid_at, closed_at,
} }

impl Payments {
    /// Makes an advance, and the disbursement that pays it; another person releases that.
    pub async fn make_advance(
        &self,
        permit: &Permit<ManageFunds>,
        new: NewAdvance,
        key: Key,
    ) -> Result<Replayable<Advance>, ServiceError> {
        let operation = self.op.of(permit).within(&new.jurisdiction)?;
        let unit = async |mut op: Op<'_>| {
            let fund = (new.jurisdiction.clone(), new.programme.clone());
            limits::lock(&mut op.tx, &self.catalogue.current(), [fund.clone()]).await?;
            let found = op.tx.fund(&fund.0, &fund.1).await?;
            let available = fen(found.ok_or(Refusal::NotFound("fund"))?.available)?;
            let county = code(&fund.0)?;
            self.may_have(&mut op.tx, (county, &fund.1), &new.merchant)
                .await?;
            if new.amount > available {
                return Err(more_than(available, "advance.more-than-available").into());
            }
            let row = AdvanceRow {
                jurisdiction: county,
                id: op.id(),
                programme: fund.1,
                merchant: new.merchant.clone(),
                disbursement: op.id(),
                payment: op.id(),
                amount: new.amount,
                document: new.document.clone(),
                set_off: Fen::ZERO,
                repaid: Fen::ZERO,
                pending: Fen::ZERO,
                status: AdvanceStatus::Made,
                maker: op.actor.person.clone(),
                made_at: op.now,
                paid_at: None,
                closed_at: None,
            };
            self.disburse_advance(&mut op, &row).await?;
            self.post_advances(&mut op, &[(&row, new.amount)], Reason::InstructAdvance)
                .await?;
            let document = Some(new.document.clone());
            let recorded = self
                .note_advances(&mut op, &[&row], "make_advance", document)
                .await?;
            Ok(op.done(recorded, advance(&row)))
        };
        operation.once("make_advance", &key).run(unit).await
    }

    /// Makes the disbursement that pays an advance.
    async fn disburse_advance(&self, op: &mut Op<'_>, advance: &AdvanceRow) -> Result<(), ServiceError> {
        let programme = advance.programme.as_str();
        let accounts = op
            .tx
            .bank_accounts(std::slice::from_ref(&advance.merchant))
            .await?;
        let account = accounts.first().map(|account| account.revision);
        let mut payments = [payment_of(advance, account)];
        let versions = HashMap::from([(advance.payment, self.funds.latest_version(programme)?)]);
        let fund = (advance.jurisdiction.as_str(), programme);
        self.funds
            .take_from_sources(&mut op.tx, fund, &mut payments, &versions, op.now)
            .await?;
        let row = self.new_disbursement(op, advance.disbursement(), programme, totals(&payments, 0)?);
        op.tx.add_disbursement(&row).await?;
        AdvanceRow::insert(&mut op.tx, std::slice::from_ref(advance)).await?;
        PaymentRow::insert(&mut op.tx, &payments).await?;
        self.note(op, &row, "make_disbursement", None).await.map(drop)
    }

    /// Only a merchant that is admitted, and whose money nothing holds back, is paid ahead of its
    /// claims.
    async fn may_have(
        &self,
        tx: &mut Tx,
        fund: (JurisdictionCode, &str),
        merchant: &str,
    ) -> Result<(), ServiceError> {
        let known = tx.merchant(merchant).await?;
        if known.is_none_or(|row| row.status != MerchantStatus::Admitted.as_str()) {
            return Err(Refusal::field(
                "/merchant",
                "advance.not-admitted",
                "该商户未入围或已被暂停、取消资格，不得预拨",
                "it is the credit code of a merchant that is admitted to the programmes",
            )
            .into());
        }
        if tx.is_held(fund, merchant).await? {
            return Err(Refusal::field(
                "/merchant",
                "advance.held",
                "该商户或项目处于暂停支付，解除后方可预拨",
                "its money is held: lift the hold (GET /v1/holds) first",
            )
            .into());
        }
        Ok(())
    }

    /// Records that a merchant repaid an advance, or part of what is open of it.
    pub async fn repay_advance(
        &self,
        permit: &Permit<ManageFunds>,
        id: AdvanceId,
        repayment: Repayment,
        key: Key,
    ) -> Result<Replayable<Advance>, ServiceError> {
        let operation = self.op.of(permit).within(id.jurisdiction.as_str())?;
        let unit = async |mut op: Op<'_>| {
            let seen = op.tx.advance(id.jurisdiction, id.uuid).await?;
            let seen = seen.ok_or(Refusal::NotFound("advance"))?;
            let fund = (seen.jurisdiction.to_string(), seen.programme);
            limits::lock(&mut op.tx, &self.catalogue.current(), [fund]).await?;
            let row = op.tx.lock_advances(id.jurisdiction, &[id.uuid]).await?;
            let mut row = row.into_iter().next().ok_or(Refusal::NotFound("advance"))?;
            if row.status != AdvanceStatus::Paid {
                return Err(Refusal::Settled {
                    what: "advance",
                    status: row.status.to_string(),
                }
                .into());
            }
            let mut after = sums(&row);
            let part = repayment.amount.unwrap_or_else(|| after.open());
            after
                .repay(part)
                .map_err(|NotLeft { held }| more_than(held, "advance.more-than-open"))?;
            write(&mut row, &after, op.now);
            op.tx.save_advances(std::slice::from_ref(&row)).await?;
            self.come_back(&mut op, &[(&row, part)], Reason::RepayAdvance)
                .await?;
            let document = Some(repayment.document.clone());
            let recorded = self
                .note_advances(&mut op, &[&row], Reason::RepayAdvance.as_str(), document)
                .await?;
            Ok(op.done(recorded, advance(&row)))
        };
        operation
            .once(Reason::RepayAdvance.as_str(), &key)
            .run(unit)
            .await
    }

    pub async fn advance(&self, permit: &Permit<ReadFunds>, id: AdvanceId) -> Result<Advance, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        let mut conn = self.op.read().await?;
        let row = conn.advance(id.jurisdiction, id.uuid).await?;
        Ok(advance(&row.ok_or(Refusal::NotFound("advance"))?))
    }

    /// Advances, newest first; those of one merchant if one is named.
    pub async fn advances(
        &self,
        permit: &Permit<ReadFunds>,
        jurisdiction: Option<String>,
        merchant: Option<&str>,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Advance>, ServiceError> {
        let counties = codes(&paging::counties(permit, jurisdiction)?)?;
        let before = paging::read(cursor)?;
        let mut conn = self.op.read().await?;
        let rows = conn
            .advances(&counties, merchant, before, paging::fetch(limit))
            .await?;
        paging::page(rows, limit, |row| row.id)?.try_map(|row| Ok(advance(&row)))
    }
}

/// The payment of an advance.
fn payment_of(row: &AdvanceRow, account: Option<i32>) -> PaymentRow {
    PaymentRow {
        jurisdiction: row.jurisdiction,
        id: row.payment,
        disbursement: row.disbursement,
        payee: PayeeKind::Merchant,
        merchant: Some(row.merchant.clone()),
        person: None,
        account,
        claims: 0,
        amount: row.amount,
        outcome: PaymentOutcome::Open,
        reason: None,
        settled_at: None,
        central: Fen::ZERO,
        province: Fen::ZERO,
        city: Fen::ZERO,
        county: Fen::ZERO,
        netted: Fen::ZERO,
        advance: Some(row.id),
    }
}

fn more_than(most: Fen, code: &str) -> Refusal {
    Refusal::field(
        "/amount",
        code,
        format!("金额须大于零，且不超过{most}元"),
        format!("it is more than nothing and at most {most}"),
    )
}

fn advance(row: &AdvanceRow) -> Advance {
    let sums = sums(row);
    let open = match row.status {
        AdvanceStatus::Paid => sums.open(),
        AdvanceStatus::Made
        | AdvanceStatus::Used
        | AdvanceStatus::Failed
        | AdvanceStatus::Returned
        | AdvanceStatus::Cancelled => Fen::ZERO,
    };
    Advance {
        id: row.id(),
        jurisdiction: row.jurisdiction,
        programme: row.programme.clone(),
        merchant: row.merchant.clone(),
        disbursement: row.disbursement(),
        payment: row.payment(),
        status: row.status,
        amount: row.amount,
        set_off: row.set_off,
        repaid: row.repaid,
        pending: row.pending,
        open,
        document: row.document.clone(),
        made_at: row.made_at,
        paid_at: row.paid_at,
        closed_at: row.closed_at,
    }
}
