//! What a bank's word is to a payment as it stands: a table without a database.

use sha2::{Digest, Sha256};
use store::payments::PaymentRow;

use crate::operation::Refusal;
use crate::payments::disbursements::{PaymentResult, Said};

/// What a word is to a payment as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::payments) enum Judgement {
    /// The payment comes to this.
    Fresh(&'static str),
    /// It is known, or says nothing new.
    Same,
    Exception(Exception),
}

/// Why a word is set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::payments) enum Exception {
    UnknownPayment,
    NotReleased,
    AmountDiffers,
    Contradicts,
    Unclear,
}

impl Exception {
    pub(in crate::payments) fn as_str(self) -> &'static str {
        match self {
            Self::UnknownPayment => "unknown_payment",
            Self::NotReleased => "not_released",
            Self::AmountDiffers => "amount_differs",
            Self::Contradicts => "contradicts",
            Self::Unclear => "unclear",
        }
    }

    pub(in crate::payments) fn refusal(self) -> Refusal {
        match self {
            Self::UnknownPayment => Refusal::NotFound("payment"),
            Self::NotReleased => Refusal::NotReleased,
            Self::AmountDiffers => Refusal::AmountDiffers,
            Self::Contradicts => Refusal::ResultContradicts,
            Self::Unclear => Refusal::StatusUnclear,
        }
    }

    pub(in crate::payments) fn parse(text: &str) -> Self {
        match text {
            "unknown_payment" => Self::UnknownPayment,
            "not_released" => Self::NotReleased,
            "amount_differs" => Self::AmountDiffers,
            "unclear" => Self::Unclear,
            _ => Self::Contradicts,
        }
    }
}

/// The table: what a word is to a payment, by the payment's outcome. `returned` after nothing at all is the return of a
/// payment whose success was never told; the word of success may follow and says nothing new then.
pub(in crate::payments) fn judge(payment: &PaymentRow, result: &PaymentResult) -> Judgement {
    let sent = payment.amount.saturating_sub(payment.netted);
    if result.amount.is_some_and(|amount| amount.get() != sent) {
        return Judgement::Exception(Exception::AmountDiffers);
    }
    match (payment.outcome.as_str(), &result.said) {
        (_, Said::Unclear) => Judgement::Exception(Exception::Unclear),
        ("open", Said::Paid) => Judgement::Fresh("paid"),
        ("open", Said::Failed { .. }) => Judgement::Fresh("failed"),
        ("open" | "paid", Said::Returned { .. }) => Judgement::Fresh("returned"),
        ("paid" | "returned", Said::Paid)
        | ("failed", Said::Failed { .. } | Said::Returned { .. })
        | ("returned", Said::Returned { .. }) => Judgement::Same,
        _ => Judgement::Exception(Exception::Contradicts),
    }
}

/// Verdict and reason as they are recorded.
pub(in crate::payments) fn words(said: &Said) -> (&'static str, Option<&str>) {
    match said {
        Said::Paid => ("paid", None),
        Said::Failed { reason } => ("failed", Some(reason)),
        Said::Returned { reason } => ("returned", Some(reason)),
        Said::Unclear => ("unclear", None),
    }
}

/// What the same news is known by, whichever way and however often it comes.
pub(in crate::payments) fn fingerprint(jurisdiction: &str, result: &PaymentResult) -> Vec<u8> {
    if let Some(fingerprint) = &result.fingerprint {
        return fingerprint.clone();
    }
    let (verdict, reason) = words(&result.said);
    let payment = match &result.payment {
        Ok(id) => id.to_string(),
        Err(reference) => reference.clone(),
    };
    let parts = [
        "huanxin result 1",
        jurisdiction,
        &payment,
        verdict,
        reason.unwrap_or_default(),
    ];
    Sha256::digest(parts.join("\u{1f}")).to_vec()
}
