//! What a bank's status is to a payment as it stands: a table without a database.

use chrono::NaiveDate;
use claims::ids::PaymentId;
use claims::payments::{BankStatus, EntryException, PaymentOutcome};
use ledger::Fen;
use sha2::{Digest, Sha256};
use store::payments::PaymentRow;

use crate::operation::Refusal;

/// What a bank reports of one payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentResult {
    /// The payment, or a mark of what was named instead: in a file that may be anything, even an
    /// account.
    pub payment: Result<PaymentId, String>,
    pub status: BankStatus,
    /// Why the payment failed or was returned.
    pub reason: Option<String>,
    pub amount: Option<Fen>,
    pub code: Option<String>,
    pub booked_on: Option<NaiveDate>,
    /// The fingerprint that the reader of a file gives to the entry.
    pub fingerprint: Option<Vec<u8>>,
}

impl PaymentResult {
    /// Without a bank's details.
    pub fn of(payment: PaymentId, failure: Option<String>) -> Self {
        Self {
            payment: Ok(payment),
            status: match failure {
                Some(_) => BankStatus::Failed,
                None => BankStatus::Paid,
            },
            reason: failure,
            amount: None,
            code: None,
            booked_on: None,
            fingerprint: None,
        }
    }
}

/// What a result is to a payment as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::payments) enum Match {
    /// The payment has this outcome now.
    New(PaymentOutcome),
    /// The result is known, or says nothing new.
    Duplicate,
    /// The result fits no payment as it stands.
    Exception(EntryException),
}

/// What is answered to a result that is set aside.
pub(in crate::payments) fn refusal(exception: EntryException) -> Refusal {
    match exception {
        EntryException::UnknownPayment => Refusal::NotFound("payment"),
        EntryException::NotReleased => Refusal::NotReleased,
        EntryException::AmountDiffers => Refusal::AmountDiffers,
        EntryException::Contradicts => Refusal::ResultContradicts,
        EntryException::Unclear => Refusal::StatusUnclear,
    }
}

/// The table: what a result is to a payment, by the payment's outcome. `Returned` of a payment that
/// is open is the return of one whose success was not reported yet; the report of success may
/// follow and says nothing new then.
pub(in crate::payments) fn matched(payment: &PaymentRow, result: &PaymentResult) -> Match {
    use PaymentOutcome::{Cancelled, Failed, Open, Paid, Returned};
    if result.amount.is_some_and(|amount| amount != payment.sent()) {
        return Match::Exception(EntryException::AmountDiffers);
    }
    match (payment.outcome, result.status) {
        (Open | Paid | Failed | Returned | Cancelled, BankStatus::Unclear) => {
            Match::Exception(EntryException::Unclear)
        }
        (Open, BankStatus::Paid) => Match::New(Paid),
        (Open, BankStatus::Failed) => Match::New(Failed),
        (Open | Paid, BankStatus::Returned) => Match::New(Returned),
        (Paid | Returned, BankStatus::Paid)
        | (Failed, BankStatus::Failed | BankStatus::Returned)
        | (Returned, BankStatus::Returned) => Match::Duplicate,
        (Paid | Returned, BankStatus::Failed)
        | (Failed, BankStatus::Paid)
        | (Cancelled, BankStatus::Paid | BankStatus::Failed | BankStatus::Returned) => {
            Match::Exception(EntryException::Contradicts)
        }
    }
}

/// By what the same report is known, whichever way and however often it comes.
pub(in crate::payments) fn fingerprint(jurisdiction: &str, result: &PaymentResult) -> Vec<u8> {
    if let Some(fingerprint) = &result.fingerprint {
        return fingerprint.clone();
    }
    let payment = match &result.payment {
        Ok(id) => id.to_string(),
        Err(reference) => reference.clone(),
    };
    let parts = [
        "huanxin result 1",
        jurisdiction,
        &payment,
        result.status.as_str(),
        result.reason.as_deref().unwrap_or_default(),
    ];
    Sha256::digest(parts.join("\u{1f}")).to_vec()
}
