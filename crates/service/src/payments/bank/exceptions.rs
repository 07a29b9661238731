//! What a bank reported that fits no payment, and the person who decides what it means.

use chrono::{DateTime, NaiveDate, Utc};
use claims::ids::{BankEntryId, DisbursementId, PaymentId};
use claims::payments::{BankStatus, EntryException, EntryFormat, EntryStanding};
use ledger::Fen;
use store::payments::BankEntryRow;

use super::matching::PaymentResult;
use crate::operation::access::{ManageFunds, ReadFunds};
use crate::operation::checks::reason;
use crate::operation::convert::codes;
use crate::operation::{Op, Page, Permit, Recorded, Refusal, ServiceError, paging};
use crate::payments::Payments;

/// A result that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankException {
    pub id: BankEntryId,
    /// Why the result was set aside; none only of one that was matched at once.
    pub exception: Option<EntryException>,
    /// What the bank named: an id of ours, or a mark of what is none.
    pub reference: String,
    pub payment: Option<PaymentId>,
    pub disbursement: Option<DisbursementId>,
    pub verdict: BankStatus,
    pub amount: Option<Fen>,
    pub code: Option<String>,
    pub reason: Option<String>,
    pub booked_on: Option<NaiveDate>,
    pub format: EntryFormat,
    pub received_at: DateTime<Utc>,
    pub standing: EntryStanding,
    pub resolved_at: Option<DateTime<Utc>>,
    pub resolution: Option<String>,
}

/// What is done with a result that was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// It is right, of the payment that it names or of this one.
    Apply { payment: Option<PaymentId> },
    /// It is of no consequence.
    Dismiss,
}

impl Payments {
    /// What waits for a person, oldest first.
    pub async fn bank_exceptions(
        &self,
        permit: &Permit<ReadFunds>,
        jurisdiction: Option<String>,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<BankException>, ServiceError> {
        let counties = codes(&paging::counties(permit, jurisdiction)?)?;
        let after = paging::read(cursor)?;
        let mut conn = self.op.read().await?;
        let rows = conn
            .bank_exceptions(&counties, after, paging::fetch(limit))
            .await?;
        paging::page(rows, limit, |row| row.id)?.try_map(|row| Ok(shown(&row)))
    }

    /// A person's decision on an exception, with the reason. Another person than the one who
    /// brought it in applies it, because that moves money. The answer to one that is handed over to
    /// the county of its payment is that county's.
    pub async fn resolve_exception(
        &self,
        permit: &Permit<ManageFunds>,
        id: BankEntryId,
        resolution: Resolution,
        why: Option<String>,
    ) -> Result<BankException, ServiceError> {
        let operation = self.op.of(permit).within(id.jurisdiction.as_str())?;
        let why = reason(why, true)?;
        let unit = async |mut op: Op<'_>| {
            let row = op.tx.lock_bank_entry(id).await?;
            let mut row = row.ok_or(Refusal::NotFound("bank exception"))?;
            if row.standing != EntryStanding::Exception {
                return Err(Refusal::Settled {
                    what: "bank exception",
                    status: row.standing.to_string(),
                }
                .into());
            }
            row.resolver = Some(op.actor.person.clone());
            (row.resolved_at, row.resolution) = (Some(op.now), why.clone());
            let mut handed_over = None;
            match resolution {
                Resolution::Dismiss => row.standing = EntryStanding::Dismissed,
                Resolution::Apply { payment } => {
                    if row.receiver == op.actor.person {
                        return Err(Refusal::FourEyes.into());
                    }
                    row.standing = EntryStanding::Applied;
                    match payment.filter(|it| it.jurisdiction != id.jurisdiction) {
                        Some(payment) => {
                            permit.within(payment.jurisdiction.as_str())?;
                            handed_over = Some(self.hand_over(&mut op, &row, payment).await?);
                        }
                        None => self.apply(&mut op, &mut row, payment).await?,
                    }
                }
            }
            op.tx.resolve_bank_entry(&row).await?;
            let recorded = note_resolved(&mut op, &row).await?;
            Ok(op.done(recorded, shown(handed_over.as_ref().unwrap_or(&row))))
        };
        operation.run(unit).await
    }

    /// A result that names no payment was filed with another county, or with the city. The county
    /// whose payment it is about gets it under the same number, with all that follows from it.
    async fn hand_over(
        &self,
        op: &mut Op<'_>,
        row: &BankEntryRow,
        payment: PaymentId,
    ) -> Result<BankEntryRow, ServiceError> {
        let mut theirs = BankEntryRow {
            jurisdiction: payment.jurisdiction,
            ..row.clone()
        };
        self.apply(op, &mut theirs, Some(payment)).await?;
        BankEntryRow::insert(&mut op.tx, std::slice::from_ref(&theirs)).await?;
        note_resolved(op, &theirs).await.map(drop)?;
        Ok(theirs)
    }

    async fn apply(
        &self,
        op: &mut Op<'_>,
        row: &mut BankEntryRow,
        payment: Option<PaymentId>,
    ) -> Result<(), ServiceError> {
        let payment = payment.map(|id| id.uuid).or(row.payment);
        let payment = payment.ok_or_else(payment_missing)?;
        if row.verdict == BankStatus::Unclear {
            return Err(Refusal::StatusUnclear.into());
        }
        let result = PaymentResult {
            payment: Ok(PaymentId::new(row.jurisdiction, payment)),
            status: row.verdict,
            reason: row.reason.clone(),
            amount: row.amount,
            code: row.code.clone(),
            booked_on: row.booked_on,
            fingerprint: None,
        };
        let mut locked = self
            .lock_payments(&mut op.tx, row.jurisdiction, &[payment])
            .await?;
        self.force(op, &mut locked, payment, &result).await?;
        row.payment = Some(payment);
        row.disbursement = locked.payments.get(&payment).map(|it| it.disbursement);
        Ok(())
    }
}

/// Records what a person decided on an exception.
async fn note_resolved(op: &mut Op<'_>, row: &BankEntryRow) -> Result<Recorded, ServiceError> {
    let mut event = op.event(
        row.jurisdiction.as_str(),
        &row.id().to_string(),
        "resolve_exception",
    );
    event.from_status = Some(EntryStanding::Exception.to_string());
    event.to_status = Some(row.standing.to_string());
    event.reason.clone_from(&row.resolution);
    op.record(&[event]).await
}

fn payment_missing() -> Refusal {
    Refusal::field(
        "/payment",
        "missing",
        "银行所称编号无对应支付，须指明属于哪一笔支付",
        "the bank named no payment of ours: say which payment it is about",
    )
}

fn shown(row: &BankEntryRow) -> BankException {
    BankException {
        id: row.id(),
        exception: row.exception,
        reference: row.reference.clone(),
        payment: row.payment.map(|id| PaymentId::new(row.jurisdiction, id)),
        disbursement: row
            .disbursement
            .map(|id| DisbursementId::new(row.jurisdiction, id)),
        verdict: row.verdict,
        amount: row.amount,
        code: row.code.clone(),
        reason: row.reason.clone(),
        booked_on: row.booked_on,
        format: row.format,
        received_at: row.received_at,
        standing: row.standing,
        resolved_at: row.resolved_at,
        resolution: row.resolution.clone(),
    }
}
