//! `pain.002`, CustomerPaymentStatusReport: the bank's status of an instruction.
//!
//! Versions from 03 on are the same as far as they are read here: `OrgnlGrpInfAndSts` about the
//! file, `OrgnlPmtInfAndSts` about its payment information, `TxInfAndSts` about each payment.

use chrono::NaiveDate;

use crate::ids::Quoted;
use crate::read::xml::{Cursor, Tag};
use crate::read::{Fault, Found, Limits, ReadError};
use crate::reason::FailureReason;
use crate::report::{Failure, Group, GroupVerdict, Item, Reported, Verdict};

pub(super) fn read(bytes: &[u8], limits: &Limits, found: &mut Found) -> Result<(), ReadError> {
    let mut seen = false;
    Cursor::read(bytes, "pain.002", limits, |cursor, root| {
        cursor.children(|cursor, tag| match tag.name.as_str() {
            "CstmrPmtStsRpt" if !seen => {
                seen = true;
                report(cursor, found)
            }
            _ => Ok(()),
        })?;
        if seen {
            Ok(())
        } else {
            Err(Fault::Missing("CstmrPmtStsRpt").at(root.place))
        }
    })
}

fn report(cursor: &mut Cursor<'_>, found: &mut Found) -> Result<(), ReadError> {
    let mut original = None;
    cursor.children(|cursor, tag| match tag.name.as_str() {
        "GrpHdr" => cursor.children(|cursor, tag| {
            if tag.name == "MsgId" {
                found.id = cursor.quoted()?;
            }
            Ok(())
        }),
        "OrgnlGrpInfAndSts" => {
            let about = About::read(cursor, "OrgnlMsgId", "GrpSts", |_, _| Ok(()))?;
            original.clone_from(&about.original);
            about.add(tag, found)
        }
        "OrgnlPmtInfAndSts" => {
            let about = About::read(cursor, "OrgnlPmtInfId", "PmtInfSts", |cursor, tag| {
                transaction(cursor, tag, original.as_ref(), found)
            })?;
            about.add(tag, found)
        }
        _ => Ok(()),
    })
}

/// The status of a file, or of its payment information.
#[derive(Default)]
struct About {
    original: Option<Quoted>,
    count: Option<u32>,
    sum: Option<ledger::Fen>,
    status: Option<String>,
    reasons: Reasons,
}

impl About {
    /// `id` and `status` are the names of the elements that hold them; `each` is called for the
    /// transactions.
    fn read<'x>(
        cursor: &mut Cursor<'x>,
        id: &str,
        status: &str,
        mut each: impl FnMut(&mut Cursor<'x>, &Tag) -> Result<(), ReadError>,
    ) -> Result<About, ReadError> {
        let mut about = About::default();
        cursor.children(|cursor, tag| {
            match tag.name.as_str() {
                name if name == id => about.original = cursor.quoted()?,
                name if name == status => about.status = Some(cursor.code()?),
                "OrgnlNbOfTxs" => about.count = Some(cursor.count(tag)?),
                "OrgnlCtrlSum" => about.sum = Some(cursor.sum(tag)?),
                "StsRsnInf" => about.reasons.read(cursor)?,
                "TxInfAndSts" => each(cursor, tag)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(about)
    }

    /// A missing status means pending.
    fn add(self, tag: &Tag, found: &mut Found) -> Result<(), ReadError> {
        let Some(status) = self.status else {
            return Ok(());
        };
        let verdict = match status.as_str() {
            "PART" => GroupVerdict::Partly,
            _ => GroupVerdict::Whole(verdict(status, self.reasons, None, None)),
        };
        let reported = Reported {
            original: self.original,
            amount: self.sum,
            place: tag.place,
        };
        found.group(Group::new(self.count, verdict, reported))
    }
}

fn transaction(
    cursor: &mut Cursor<'_>,
    tag: &Tag,
    original: Option<&Quoted>,
    found: &mut Found,
) -> Result<(), ReadError> {
    let (mut instruction, mut end_to_end, mut status) = (None, None, None);
    let (mut reference, mut amount, mut settled) = (None, None, None);
    let mut reasons = Reasons::default();
    cursor.children(|cursor, tag| {
        match tag.name.as_str() {
            "OrgnlInstrId" => instruction = cursor.quoted()?,
            "OrgnlEndToEndId" => end_to_end = cursor.quoted()?,
            "TxSts" => status = Some(cursor.code()?),
            "StsRsnInf" => reasons.read(cursor)?,
            "AcctSvcrRef" => reference = cursor.quoted()?,
            "OrgnlTxRef" => cursor.children(|cursor, tag| {
                match tag.name.as_str() {
                    "Amt" => cursor.children(|cursor, tag| {
                        if tag.name == "InstdAmt" {
                            amount = Some(cursor.amount(tag)?);
                        }
                        Ok(())
                    })?,
                    "IntrBkSttlmDt" => settled = Some(cursor.date(tag)?),
                    _ => {}
                }
                Ok(())
            })?,
            _ => {}
        }
        Ok(())
    })?;
    // Both are ids of this service and equal; some banks repeat one of them only.
    let ours = |id: &Quoted| id.end_to_end_id().is_some();
    let id = match end_to_end {
        Some(id) if ours(&id) => Some(id),
        other => instruction.filter(ours).or(other),
    };
    let verdict = match status {
        Some(status) => verdict(status, reasons, settled, reference),
        None if reasons.is_empty() => Verdict::Pending,
        // A reason for a status that is missing.
        None => Verdict::Unclear {
            status: Quoted::new(reasons.failure().reason.code().to_owned()),
        },
    };
    let reported = Reported {
        original: original.cloned(),
        amount,
        place: tag.place,
    };
    found.item(Item::new(id, verdict, reported))
}

/// ExternalPaymentTransactionStatus1Code and ExternalPaymentGroupStatus1Code, which agree where
/// both have a code.
fn verdict(
    status: String,
    reasons: Reasons,
    settled: Option<NaiveDate>,
    bank_reference: Option<Quoted>,
) -> Verdict {
    match status.as_str() {
        "ACCC" | "ACSC" | "CPUC" => Verdict::Paid {
            booked: settled,
            bank_reference,
        },
        "ACCP" | "ACFC" | "ACPD" | "ACSP" | "ACTC" | "ACWC" | "ACWP" => Verdict::Accepted,
        "ACFW" | "PATC" | "PDNG" | "RCVD" | "RVNC" => Verdict::Pending,
        "CANC" | "RJCT" => Verdict::Failed(reasons.failure()),
        _ => Verdict::Unclear {
            status: Quoted::new(status),
        },
    }
}

/// `StsRsnInf`, which may be repeated, and `RtrInf`, which is written alike.
#[derive(Default)]
pub(super) struct Reasons {
    code: Option<FailureReason>,
    text: String,
}

impl Reasons {
    pub(super) fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<(), ReadError> {
        cursor.children(|cursor, tag| {
            match tag.name.as_str() {
                "Rsn" => {
                    let code = cursor.code()?;
                    match FailureReason::from_code(&code) {
                        // Text in the place of a code.
                        FailureReason::Unstated => self.add(&code),
                        // The first is the reason; the others are appended to its text.
                        reason if self.code.is_none() => self.code = Some(reason),
                        reason => self.add(reason.code()),
                    }
                }
                "AddtlInf" | "AddtlStsRsnInf" => {
                    let text = cursor.value()?;
                    self.add(&text);
                }
                _ => {}
            }
            Ok(())
        })
    }

    /// A little more than is kept of it, so that a cut is visible.
    fn add(&mut self, text: &str) {
        if self.text.len() <= Failure::LONGEST.saturating_mul(8) {
            self.text.push(' ');
            self.text.push_str(text);
        }
    }

    fn is_empty(&self) -> bool {
        self.code.is_none() && self.text.is_empty()
    }

    pub(super) fn failure(self) -> Failure {
        Failure::new(self.code.unwrap_or(FailureReason::Unstated), &self.text)
    }
}
