//! A bank's report, whatever the format.

use chrono::NaiveDate;
use ledger::Fen;

use crate::digest::{Digest, Parts};
use crate::ids::Quoted;
use crate::read::{Place, ReportFormat};
use crate::reason::FailureReason;
use crate::secret::Secret;

/// A file of a bank after reading (银行回执).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub format: ReportFormat,
    /// SHA-256 of the bytes, by which a file that is sent again is recognised.
    pub sha256: Digest,
    /// The bank's own id of the report. A table has none.
    pub id: Option<Quoted>,
    /// Statuses of whole files of this service.
    pub groups: Vec<Group>,
    /// Statuses of single payments, in the file's order. An id may stand here more than once.
    pub items: Vec<Item>,
}

/// The status of one payment, or one entry on the account.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item {
    /// As the bank wrote it. `None` when it wrote none: an entry without an instruction, such as a
    /// fee.
    pub end_to_end_id: Option<Quoted>,
    /// The message id of the instruction's file, where the bank repeats it.
    pub original: Option<Quoted>,
    /// The amount, where the bank repeats it. It is the bank's: a return may be of less than was
    /// paid, and the caller compares it with the instruction.
    pub amount: Option<Fen>,
    pub verdict: Verdict,
    /// Where the item begins in the file.
    pub place: Place,
    /// A hash of everything but the place: the same status, in whatever file and format, has the
    /// same fingerprint. Two entries without an id, a reference and a date have the same one.
    pub fingerprint: Digest,
}

/// The status of a whole file of this service.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// The file's message id, or the id of its one payment information, which is the same.
    pub original: Option<Quoted>,
    /// The count and sum that the bank read, where it reports them.
    pub count: Option<u32>,
    pub sum: Option<Fen>,
    pub verdict: GroupVerdict,
    pub place: Place,
    /// As in [`Item::fingerprint`].
    pub fingerprint: Digest,
}

/// The status of a file as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupVerdict {
    /// Holds for each payment of the file that has no item of its own. `Failed`: the bank refuses
    /// the file (整批拒绝).
    Whole(Verdict),
    /// Some payments were accepted and some not (部分接受); the items say which.
    Partly,
}

/// The status of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The bank accepts the payment and has not carried it out yet (已受理).
    Accepted,
    /// No result yet (处理中).
    Pending,
    /// The payment was carried out (支付成功).
    Paid {
        /// The day it was booked. `pain.002` rarely holds it, a table sometimes.
        booked: Option<NaiveDate>,
        bank_reference: Option<Quoted>,
    },
    /// The payment was not carried out (支付失败).
    Failed(Failure),
    /// The payment was carried out and the money was returned (退汇).
    Returned {
        failure: Failure,
        /// The day the money was returned.
        booked: Option<NaiveDate>,
        bank_reference: Option<Quoted>,
    },
    /// A status without a defined meaning. A person has to look.
    Unclear { status: Quoted },
}

/// The reason of the failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub reason: FailureReason,
    /// The bank's free text, in one line of up to 500 characters. It may name the payee.
    pub text: Option<Secret>,
}

impl Failure {
    /// Characters of the bank's text that are kept.
    pub(crate) const LONGEST: usize = 500;

    pub(crate) fn new(reason: FailureReason, text: &str) -> Failure {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text: String = match text.char_indices().nth(Failure::LONGEST) {
            Some(_) => text
                .chars()
                .take(Failure::LONGEST.saturating_sub(1))
                .chain(['…'])
                .collect(),
            None => text,
        };
        Failure {
            reason,
            text: (!text.is_empty()).then(|| Secret::new(text)),
        }
    }
}

/// An item or a group before it has a fingerprint.
pub(crate) struct Reported {
    pub(crate) original: Option<Quoted>,
    pub(crate) amount: Option<Fen>,
    pub(crate) place: Place,
}

impl Item {
    pub(crate) fn new(end_to_end_id: Option<Quoted>, verdict: Verdict, reported: Reported) -> Item {
        let mut parts = Parts::new("huanxin bank item 1");
        parts.add_option(end_to_end_id.as_ref().map(|id| id.as_str().as_bytes()));
        reported.hash(&mut parts);
        verdict.hash(&mut parts);
        Item {
            end_to_end_id,
            original: reported.original,
            amount: reported.amount,
            verdict,
            place: reported.place,
            fingerprint: parts.finish(),
        }
    }
}

impl Group {
    pub(crate) fn new(count: Option<u32>, verdict: GroupVerdict, reported: Reported) -> Group {
        let mut parts = Parts::new("huanxin bank group 1");
        parts.add_option(count.map(u32::to_be_bytes).as_ref().map(<[u8; 4]>::as_slice));
        reported.hash(&mut parts);
        match &verdict {
            GroupVerdict::Whole(verdict) => verdict.hash(&mut parts),
            GroupVerdict::Partly => parts.add(b"partly"),
        }
        Group {
            original: reported.original,
            count,
            sum: reported.amount,
            verdict,
            place: reported.place,
            fingerprint: parts.finish(),
        }
    }
}

impl Reported {
    fn hash(&self, parts: &mut Parts) {
        parts.add_option(self.original.as_ref().map(|id| id.as_str().as_bytes()));
        let amount = self.amount.map(|amount| amount.get().to_be_bytes());
        parts.add_option(amount.as_ref().map(<[u8; 8]>::as_slice));
    }
}

impl Verdict {
    fn hash(&self, parts: &mut Parts) {
        let booking = |parts: &mut Parts, booked: &Option<NaiveDate>, reference: &Option<Quoted>| {
            parts.add_option(booked.map(|day| day.to_string()).as_deref().map(str::as_bytes));
            parts.add_option(reference.as_ref().map(|it| it.as_str().as_bytes()));
        };
        match self {
            Verdict::Accepted => parts.add(b"accepted"),
            Verdict::Pending => parts.add(b"pending"),
            Verdict::Paid {
                booked,
                bank_reference,
            } => {
                parts.add(b"paid");
                booking(parts, booked, bank_reference);
            }
            Verdict::Failed(failure) => {
                parts.add(b"failed");
                failure.hash(parts);
            }
            Verdict::Returned {
                failure,
                booked,
                bank_reference,
            } => {
                parts.add(b"returned");
                failure.hash(parts);
                booking(parts, booked, bank_reference);
            }
            Verdict::Unclear { status } => {
                parts.add(b"unclear");
                parts.add(status.as_str().as_bytes());
            }
        }
    }
}

impl Failure {
    fn hash(&self, parts: &mut Parts) {
        parts.add(self.reason.code().as_bytes());
        parts.add_option(self.text.as_ref().map(|text| text.expose().as_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_one_line_of_bounded_length() {
        let text = |text: &str| Failure::new(FailureReason::Unstated, text).text;
        assert_eq!(text(" \n "), None);
        assert_eq!(text(" 户名\n 不符 ").unwrap().expose(), "户名 不符");
        let most = "字".repeat(500);
        assert_eq!(text(&most).unwrap().expose(), most);
        let cut = text(&"字".repeat(501)).unwrap();
        assert_eq!(cut.expose().chars().count(), 500);
        assert!(cut.expose().ends_with('…'));
    }

    #[test]
    fn fingerprints_tell_news_apart_and_places_not() {
        let id = |text: &str| Some(Quoted::new(text.to_owned()));
        let item = |end_to_end: &str, amount, verdict, line| {
            let reported = Reported {
                original: id("m"),
                amount,
                place: Place { line, column: 1 },
            };
            Item::new(id(end_to_end), verdict, reported).fingerprint
        };
        let paid = |day| Verdict::Paid {
            booked: NaiveDate::from_ymd_opt(2026, 6, day),
            bank_reference: None,
        };
        let amount = Fen::new(1).ok();
        let first = item("a", amount, paid(1), 1);
        assert_eq!(first, item("a", amount, paid(1), 2));
        let failed = Verdict::Failed(Failure::new(FailureReason::Unstated, ""));
        for other in [
            item("b", amount, paid(1), 1),
            item("a", None, paid(1), 1),
            item("a", amount, paid(2), 1),
            item("a", amount, Verdict::Pending, 1),
            item("a", amount, failed, 1),
        ] {
            assert_ne!(first, other);
        }
    }
}
