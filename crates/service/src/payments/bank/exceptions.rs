//! What a bank said that fits nothing, and the person who decides what it means.

use chrono::{DateTime, NaiveDate, Utc};
use claims::ids::{BankEntryId, DisbursementId, PaymentId};
use ledger::Fen;
use store::payments::BankEntryRow;
use store::{Done, Tx};

use crate::claims::transition::Mover;
use crate::operation::access::{ManageFunds, ReadFunds};
use crate::operation::checks::reason;
use crate::operation::convert::{code, fen};
use crate::operation::{Page, Permit, Refusal, ServiceError, events, paging};
use crate::payments::Payments;
use crate::payments::disbursements::{PaymentResult, Said};

/// A word of a bank that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankException {
    pub id: BankEntryId,
    /// unknown_payment, not_released, amount_differs, contradicts or unclear.
    pub exception: String,
    /// What the bank named: an id of ours, or a mark of what is none.
    pub reference: String,
    pub payment: Option<PaymentId>,
    pub disbursement: Option<DisbursementId>,
    /// paid, failed, returned or unclear.
    pub verdict: String,
    pub amount: Option<Fen>,
    pub code: Option<String>,
    pub reason: Option<String>,
    pub booked_on: Option<NaiveDate>,
    pub format: String,
    pub received_at: DateTime<Utc>,
    /// exception, applied or dismissed.
    pub standing: String,
    pub resolved_at: Option<DateTime<Utc>>,
    pub resolution: Option<String>,
}

/// What is done with a word that was set aside.
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
        let counties = paging::counties(permit, jurisdiction)?;
        let after = paging::read(cursor)?;
        let mut conn = self.op.read().await?;
        let rows = conn
            .bank_exceptions(&counties, after, paging::fetch(limit))
            .await?;
        paging::page(rows, limit, |row| row.id)?.try_map(|row| shown(&row))
    }

    /// A person's word on an exception, with the reason. Another than whoever brought it in applies it, because that moves money. The
    /// answer to one that is handed over to the county of its payment is that county's.
    pub async fn resolve_exception(
        &self,
        permit: &Permit<ManageFunds>,
        id: BankEntryId,
        resolution: Resolution,
        why: Option<String>,
    ) -> Result<BankException, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        let why = reason(why, true)?;
        self.op
            .transaction(|tx| self.resolve_in(tx, permit, id, resolution, why.clone()))
            .await
    }

    async fn resolve_in(
        &self,
        mut tx: Tx,
        permit: &Permit<ManageFunds>,
        id: BankEntryId,
        resolution: Resolution,
        why: Option<String>,
    ) -> Result<Done<BankException>, ServiceError> {
        let mover = Mover {
            actor: permit.actor(),
            now: self.op.now(),
        };
        let jurisdiction = id.jurisdiction.as_str();
        let row = tx.lock_bank_entry(jurisdiction, id.uuid).await?;
        let mut row = row.ok_or(Refusal::NotFound("bank exception"))?;
        if row.standing != "exception" {
            return Err(Refusal::Settled {
                what: "bank exception",
                status: row.standing,
            }
            .into());
        }
        (row.resolver, row.resolved_at, row.resolution) =
            (Some(mover.actor.person.clone()), Some(mover.now), why);
        let handed_over = match resolution {
            Resolution::Dismiss => {
                row.standing = "dismissed".into();
                None
            }
            Resolution::Apply { payment } => {
                if row.receiver == mover.actor.person {
                    return Err(Refusal::FourEyes.into());
                }
                row.standing = "applied".into();
                match payment.filter(|it| it.jurisdiction != id.jurisdiction) {
                    Some(payment) => {
                        permit.within(payment.jurisdiction.as_str())?;
                        Some(self.hand_over(&mut tx, &row, payment, mover).await?)
                    }
                    None => {
                        self.apply(&mut tx, &mut row, payment, mover).await?;
                        None
                    }
                }
            }
        };
        tx.resolve_bank_entry(&row).await?;
        self.note_resolved(&mut tx, &row, mover).await?;
        Ok(tx.done(shown(handed_over.as_ref().unwrap_or(&row))?))
    }

    /// Where it could not be told whose a word was, it was filed with another county or the city. The county whose payment it is about
    /// gets it under the same number, with all that follows from it.
    async fn hand_over(
        &self,
        tx: &mut Tx,
        row: &BankEntryRow,
        payment: PaymentId,
        mover: Mover<'_>,
    ) -> Result<BankEntryRow, ServiceError> {
        let mut theirs = BankEntryRow {
            jurisdiction: payment.jurisdiction.as_str().to_owned(),
            ..row.clone()
        };
        self.apply(tx, &mut theirs, Some(payment), mover).await?;
        BankEntryRow::insert(tx, std::slice::from_ref(&theirs)).await?;
        self.note_resolved(tx, &theirs, mover).await?;
        Ok(theirs)
    }

    async fn note_resolved(
        &self,
        tx: &mut Tx,
        row: &BankEntryRow,
        mover: Mover<'_>,
    ) -> Result<(), ServiceError> {
        let id = BankEntryId::new(code(&row.jurisdiction)?, row.id);
        let mut event = events::event(
            self.op.id(mover.now),
            &row.jurisdiction,
            &id.to_string(),
            "resolve_exception",
            mover.actor,
            mover.now,
        );
        (event.from_status, event.to_status) = (Some("exception".into()), Some(row.standing.clone()));
        event.reason.clone_from(&row.resolution);
        tx.record_events(&[event]).await?;
        Ok(())
    }

    async fn apply(
        &self,
        tx: &mut Tx,
        row: &mut BankEntryRow,
        payment: Option<PaymentId>,
        mover: Mover<'_>,
    ) -> Result<(), ServiceError> {
        let payment = payment
            .map(|id| id.uuid)
            .or(row.payment)
            .ok_or_else(payment_missing)?;
        let reason = row.reason.clone().unwrap_or_default();
        let said = match row.verdict.as_str() {
            "paid" => Said::Paid,
            "failed" => Said::Failed { reason },
            "returned" => Said::Returned { reason },
            _ => return Err(Refusal::StatusUnclear.into()),
        };
        let result = PaymentResult {
            payment: Ok(PaymentId::new(code(&row.jurisdiction)?, payment)),
            said,
            amount: row.amount.map(fen).transpose()?,
            code: row.code.clone(),
            booked_on: row.booked_on,
            fingerprint: None,
        };
        let mut locked = self.lock_payments(tx, &row.jurisdiction, &[payment]).await?;
        self.force(tx, &mut locked, payment, &result, mover).await?;
        row.payment = Some(payment);
        row.disbursement = locked.payments.get(&payment).map(|it| it.disbursement);
        Ok(())
    }
}

fn payment_missing() -> Refusal {
    Refusal::field(
        "/payment",
        "missing",
        "银行所称编号无对应支付，须指明属于哪一笔支付",
        "the bank named no payment of ours: say which payment it is about",
    )
}

fn shown(row: &BankEntryRow) -> Result<BankException, ServiceError> {
    let jurisdiction = code(&row.jurisdiction)?;
    Ok(BankException {
        id: BankEntryId::new(jurisdiction, row.id),
        exception: row.exception.clone().unwrap_or_default(),
        reference: row.reference.clone(),
        payment: row.payment.map(|id| PaymentId::new(jurisdiction, id)),
        disbursement: row.disbursement.map(|id| DisbursementId::new(jurisdiction, id)),
        verdict: row.verdict.clone(),
        amount: row.amount.map(fen).transpose()?,
        code: row.code.clone(),
        reason: row.reason.clone(),
        booked_on: row.booked_on,
        format: row.format.clone(),
        received_at: row.received_at,
        standing: row.standing.clone(),
        resolved_at: row.resolved_at,
        resolution: row.resolution.clone(),
    })
}
