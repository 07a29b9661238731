//! What a bank reports of payments: in any order, in parts, again and again.
//!
//! Each result is known by a fingerprint, so that a repeat changes nothing whenever it comes. A
//! result that fits its payment moves the money of the payment's claims; one that names no payment,
//! another amount, or the opposite of what is known is set aside as an exception, moves nothing,
//! and waits for a person. Nothing that a bank reported is dropped.

use std::collections::{BTreeSet, HashMap};

use claims::JurisdictionCode;
use claims::ids::{DisbursementId, PaymentId};
use claims::payments::{
    BankStatus, DisbursementStatus, EntryException, EntryFormat, EntryStanding, PaymentOutcome,
};
use ledger::Fen;
use store::Tx;
use store::payments::BankEntryRow;
use uuid::Uuid;

use super::matching::{Match, PaymentResult, fingerprint, matched, refusal};
use crate::operation::access::ManageFunds;
use crate::operation::{Op, Permit, Recorded, Refusal, ServiceError};
use crate::payments::Payments;
use crate::payments::disbursements::settle::{Locked, settle};
use crate::payments::disbursements::{Payment, open, shown_payment};

/// Results of payments, each with its own outcome.
pub type Results = Vec<Result<Payment, Refusal>>;

/// Whose payments results are about: a county's, or those of one of its disbursements.
#[derive(Debug, Clone, Copy)]
pub(in crate::payments) struct Scope {
    pub(in crate::payments) county: JurisdictionCode,
    pub(in crate::payments) within: Option<DisbursementId>,
}

/// What is known of results by their fingerprints.
struct Known {
    /// Those that are recorded here, with the exception that they are.
    entries: HashMap<Vec<u8>, Option<EntryException>>,
    /// A person may have said that a result is about another payment than the bank named.
    applied: HashMap<Vec<u8>, Uuid>,
}

impl Known {
    fn of(rows: Vec<BankEntryRow>) -> Self {
        let applied = rows
            .iter()
            .filter(|row| row.standing == EntryStanding::Applied)
            .filter_map(|row| Some((row.fingerprint.clone(), row.payment?)))
            .collect();
        let entries = rows.into_iter().map(|row| {
            // One that was handed over to another county was applied there, and is none of this
            // one's payments.
            let here = row.standing == EntryStanding::Applied && row.payment.is_some();
            (row.fingerprint, row.exception.filter(|_| !here))
        });
        let entries = entries.collect();
        Self { entries, applied }
    }
}

impl Payments {
    /// Records what the bank reports of payments of a disbursement, each with its own result. A
    /// repeat changes nothing.
    pub async fn record_results(
        &self,
        permit: &Permit<ManageFunds>,
        id: DisbursementId,
        results: Vec<PaymentResult>,
    ) -> Result<Results, ServiceError> {
        let within = Some(id);
        self.record_all(permit, id.jurisdiction, within, EntryFormat::Json, &results)
            .await
    }

    /// Records results that came in one form, as one operation.
    pub(in crate::payments) async fn record_all(
        &self,
        permit: &Permit<ManageFunds>,
        county: JurisdictionCode,
        within: Option<DisbursementId>,
        format: EntryFormat,
        results: &[PaymentResult],
    ) -> Result<Results, ServiceError> {
        let operation = self.op.of(permit).within(county.as_str())?;
        let limit = self.settings.disbursement_limit;
        if results.len() > limit {
            return Err(Refusal::TooMany {
                what: "results",
                limit,
            }
            .into());
        }
        let scope = Scope { county, within };
        let unit = async |mut op: Op<'_>| {
            let (answers, recorded) = self.record_in(&mut op, scope, format, results).await?;
            Ok(op.done(recorded, answers))
        };
        operation.run(unit).await
    }

    /// Records results as part of an operation.
    pub(in crate::payments) async fn record_in(
        &self,
        op: &mut Op<'_>,
        scope: Scope,
        format: EntryFormat,
        results: &[PaymentResult],
    ) -> Result<(Results, Recorded), ServiceError> {
        let county = scope.county;
        let named = results.iter().filter_map(|result| result.payment.as_ref().ok());
        let named = named.filter(|payment| payment.jurisdiction == county);
        let ids = named.map(|payment| payment.uuid).collect::<BTreeSet<_>>();
        let ids = ids.into_iter().collect::<Vec<_>>();
        let mut locked = self.lock_payments(&mut op.tx, county, &ids).await?;
        if let Some(id) = scope.within {
            // Behind the books, as everywhere: one who took it the other way round would wait for
            // the other.
            let statuses = [DisbursementStatus::Released, DisbursementStatus::Settled];
            open(&mut op.tx, id, None, &statuses).await?;
        }
        let prints = results.iter().map(|result| fingerprint(county.as_str(), result));
        let prints = prints.collect::<Vec<_>>();
        let mut known = Known::of(op.tx.known_entries(county, &prints).await?);
        let (mut entries, mut settled, mut answers) = (Vec::new(), BTreeSet::new(), Vec::new());
        for (result, print) in results.iter().zip(prints) {
            let payment = locked.find(scope, result);
            let payment = known.applied.get(&print).copied().or(payment);
            let is = match (known.entries.get(&print), payment) {
                (Some(Some(exception)), _) => Match::Exception(*exception),
                (Some(None) | None, None) => Match::Exception(EntryException::UnknownPayment),
                (Some(None), Some(_)) => Match::Duplicate,
                (None, Some(id)) => locked.matched(id, result),
            };
            if let (Match::New(outcome), Some(id)) = (is, payment)
                && let Some(row) = locked.payments.get_mut(&id)
            {
                settle(row, outcome, result.reason.clone(), op.now);
                settled.insert(id);
            }
            let exception = match is {
                Match::Exception(exception) => Some(exception),
                Match::New(_) | Match::Duplicate => None,
            };
            if known.entries.insert(print.clone(), exception).is_none() {
                let mut entry = entry(op, county, result, (print, format));
                entry.payment = payment;
                entry.disbursement = payment.and_then(|id| Some(locked.payments.get(&id)?.disbursement));
                if exception.is_some() {
                    (entry.exception, entry.standing) = (exception, EntryStanding::Exception);
                }
                entries.push(entry);
            }
            answers.push((exception, payment));
        }
        BankEntryRow::insert(&mut op.tx, &entries).await?;
        let recorded = self.move_money(op, &mut locked, &settled).await?;
        let mut shown = Vec::with_capacity(answers.len());
        for answer in answers {
            shown.push(match answer {
                (Some(exception), _) => Err(refusal(exception)),
                (None, payment) => stands(&mut op.tx, &locked, county, payment).await?,
            });
        }
        Ok((shown, recorded))
    }

    /// Applies a result to a payment in spite of what is known of it; a person decided that it is
    /// right.
    pub(in crate::payments) async fn force(
        &self,
        op: &mut Op<'_>,
        locked: &mut Locked,
        payment: Uuid,
        result: &PaymentResult,
    ) -> Result<(), ServiceError> {
        use PaymentOutcome::{Cancelled, Failed, Open, Paid, Returned};
        let missing = || Refusal::NotFound("payment");
        let row = locked.payments.get(&payment).ok_or_else(missing)?;
        let outcome = match (row.outcome, result.status) {
            (Failed | Returned, BankStatus::Paid) => {
                self.pay_after_all(op, locked, payment).await?;
                Paid
            }
            (Paid, BankStatus::Failed) => Returned,
            (Open | Cancelled, _)
            | (Paid, BankStatus::Paid | BankStatus::Returned | BankStatus::Unclear)
            | (Failed | Returned, BankStatus::Failed | BankStatus::Returned | BankStatus::Unclear) => {
                match matched(row, result) {
                    Match::New(outcome) => outcome,
                    Match::Duplicate => return Ok(()),
                    Match::Exception(exception) => return Err(refusal(exception).into()),
                }
            }
        };
        let row = locked.payments.get_mut(&payment).ok_or_else(missing)?;
        settle(row, outcome, result.reason.clone(), op.now);
        self.move_money(op, locked, &BTreeSet::from([payment]))
            .await
            .map(drop)
    }

    /// The bank paid after all. The payment's claims go through payment once more, unless another
    /// payment has them by now.
    async fn pay_after_all(
        &self,
        op: &mut Op<'_>,
        locked: &mut Locked,
        payment: Uuid,
    ) -> Result<(), ServiceError> {
        let row = locked.payments.get(&payment);
        let row = row.ok_or(Refusal::NotFound("payment"))?.clone();
        let of = locked.disbursements.get(&row.disbursement);
        let programme = of.ok_or(Refusal::NotFound("disbursement"))?.programme.clone();
        let (claims, amounts) = locked.owed(payment);
        // Of a claim that another payment netted in part meanwhile, another sum is payable by now.
        if self.payable_amounts(&mut op.tx, &claims).await? != amounts {
            return Err(Refusal::ResultContradicts.into());
        }
        let claims = self
            .instruct(op, &locked.books, (claims, &amounts), row.disbursement)
            .await?;
        let (again, version) = match locked.advances.get(&payment) {
            Some(advance) => {
                self.instruct_advance_again(op, advance).await?;
                (row.amount, None)
            }
            None => (
                amounts.values().copied().fold(Fen::ZERO, Fen::saturating_add),
                claims.first().map(|row| row.programme_version),
            ),
        };
        let again = self
            .funds
            .take_again(&mut op.tx, &row, (&programme, version), again, op.now)
            .await?;
        locked.payments.insert(payment, again);
        locked.claims.extend(claims.into_iter().map(|row| (row.id, row)));
        Ok(())
    }
}

/// A result as it is recorded, before it is matched.
fn entry(
    op: &Op<'_>,
    county: JurisdictionCode,
    result: &PaymentResult,
    (fingerprint, format): (Vec<u8>, EntryFormat),
) -> BankEntryRow {
    BankEntryRow {
        jurisdiction: county,
        id: op.id(),
        fingerprint,
        disbursement: None,
        payment: None,
        reference: match &result.payment {
            Ok(id) => id.to_string(),
            Err(reference) => reference.clone(),
        },
        verdict: result.status,
        amount: result.amount,
        code: result.code.clone(),
        reason: result.reason.clone(),
        booked_on: result.booked_on,
        format,
        received_at: op.now,
        receiver: op.actor.person.clone(),
        standing: EntryStanding::Matched,
        exception: None,
        resolver: None,
        resolved_at: None,
        resolution: None,
    }
}

impl Locked {
    /// The payment that a result is about, if it is one of the county and the disbursement that
    /// were asked for.
    fn find(&self, scope: Scope, result: &PaymentResult) -> Option<Uuid> {
        let id = result.payment.as_ref().ok()?;
        let payment = self.payments.get(&id.uuid)?;
        let is_within = scope.within.is_none_or(|it| it.uuid == payment.disbursement);
        (id.jurisdiction == scope.county && is_within).then_some(id.uuid)
    }

    fn matched(&self, id: Uuid, result: &PaymentResult) -> Match {
        let Some(payment) = self.payments.get(&id) else {
            return Match::Exception(EntryException::UnknownPayment);
        };
        let of = self.disbursements.get(&payment.disbursement);
        if of.is_none_or(|row| row.released_at.is_none()) {
            return Match::Exception(EntryException::NotReleased);
        }
        let is = matched(payment, result);
        // Money that was paid comes back whole: a claim of it that was repaid meanwhile cannot be
        // paid back again.
        if is == Match::New(PaymentOutcome::Returned) && self.is_stuck(id) {
            return Match::Exception(EntryException::Contradicts);
        }
        is
    }
}

/// A payment as it stands, locked or not.
async fn stands(
    tx: &mut Tx,
    locked: &Locked,
    county: JurisdictionCode,
    id: Option<Uuid>,
) -> Result<Result<Payment, Refusal>, ServiceError> {
    let row = match id.map(|id| (id, locked.payments.get(&id))) {
        Some((_, Some(row))) => Some(row.clone()),
        Some((id, None)) => tx.payment(PaymentId::new(county, id)).await?,
        None => None,
    };
    Ok(row
        .map(|row| shown_payment(&row))
        .ok_or(Refusal::NotFound("payment")))
}
