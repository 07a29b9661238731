//! `camt.054`, BankToCustomerDebitCreditNotification: the entries that the bank booked on the
//! account.
//!
//! A debit that is booked is a payment; a credit is the return of one if it has `RtrInf`,
//! `RvslInd`, or an end-to-end id of this service, which no other payment bears. An entry may hold
//! many transactions, and a batch that is booked in one sum may hold none: then its status is that
//! of the whole file. Other entries (fees, incoming money) are reported as [`Verdict::Unclear`], or
//! as paid without an id, and nothing is left out.

use chrono::NaiveDate;
use ledger::Fen;

use crate::ids::Quoted;
use crate::read::pain002::Reasons;
use crate::read::xml::{Cursor, Tag};
use crate::read::{Fault, Found, Limits, Place, ReadError};
use crate::report::{Failure, Group, GroupVerdict, Item, Reported, Verdict};

const NOT_PROVIDED: &str = "NOTPROVIDED";

pub(super) fn read(bytes: &[u8], limits: &Limits, found: &mut Found) -> Result<(), ReadError> {
    let mut seen = false;
    Cursor::read(bytes, "camt.054", limits, |cursor, root| {
        cursor.children(|cursor, tag| match tag.name.as_str() {
            "BkToCstmrDbtCdtNtfctn" if !seen => {
                seen = true;
                notification(cursor, found)
            }
            _ => Ok(()),
        })?;
        if seen {
            Ok(())
        } else {
            Err(Fault::Missing("BkToCstmrDbtCdtNtfctn").at(root.place))
        }
    })
}

fn notification(cursor: &mut Cursor<'_>, found: &mut Found) -> Result<(), ReadError> {
    cursor.children(|cursor, tag| match tag.name.as_str() {
        "GrpHdr" => cursor.children(|cursor, tag| {
            if tag.name == "MsgId" {
                found.id = cursor.quoted()?;
            }
            Ok(())
        }),
        "Ntfctn" => cursor.children(|cursor, tag| match tag.name.as_str() {
            "Ntry" => entry(cursor, tag, found),
            _ => Ok(()),
        }),
        _ => Ok(()),
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Debit,
    Credit,
}

impl Side {
    fn read(cursor: &mut Cursor<'_>, tag: &Tag) -> Result<Side, ReadError> {
        match cursor.value()?.as_str() {
            "DBIT" => Ok(Side::Debit),
            "CRDT" => Ok(Side::Credit),
            _ => Err(Fault::Word.at(tag.place)),
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Side::Debit => "DBIT",
            Side::Credit => "CRDT",
        }
    }
}

/// `Ntry`.
struct Entry {
    amount: Fen,
    side: Side,
    reversal: bool,
    status: String,
    booked: Option<NaiveDate>,
    reference: Option<Quoted>,
}

/// `Ntry/NtryDtls/Btch`.
#[derive(Default)]
struct Batch {
    original: Option<Quoted>,
    count: Option<u32>,
    sum: Option<Fen>,
}

/// `Ntry/NtryDtls/TxDtls`.
struct Transaction {
    original: Option<Quoted>,
    end_to_end: Option<Quoted>,
    reference: Option<Quoted>,
    amount: Option<Fen>,
    side: Option<Side>,
    returned: Option<Reasons>,
    place: Place,
}

impl Transaction {
    fn at(place: Place) -> Transaction {
        Transaction {
            original: None,
            end_to_end: None,
            reference: None,
            amount: None,
            side: None,
            returned: None,
            place,
        }
    }
}

fn entry(cursor: &mut Cursor<'_>, tag: &Tag, found: &mut Found) -> Result<(), ReadError> {
    let (mut amount, mut side, mut status) = (None, None, None);
    let (mut reversal, mut booked, mut reference) = (false, None, None);
    let (mut batch, mut transactions) = (None, Vec::new());
    // An entry's transactions are kept until it ends: they count before they are items.
    let room = found.most.saturating_sub(found.items.len());
    cursor.children(|cursor, tag| {
        match tag.name.as_str() {
            "Amt" => amount = Some(cursor.amount(tag)?),
            "CdtDbtInd" => side = Some(Side::read(cursor, tag)?),
            "RvslInd" => {
                reversal = match cursor.value()?.as_str() {
                    "true" | "1" => true,
                    "false" | "0" => false,
                    _ => return Err(Fault::Word.at(tag.place)),
                }
            }
            "Sts" => status = Some(cursor.code()?),
            "BookgDt" => booked = Some(cursor.date(tag)?),
            "AcctSvcrRef" => reference = cursor.quoted()?,
            "NtryDtls" => cursor.children(|cursor, tag| match tag.name.as_str() {
                "Btch" => {
                    batch = Some(self::batch(cursor)?);
                    Ok(())
                }
                "TxDtls" if transactions.len() >= room => Err(Fault::TooMany(found.most).at(tag.place)),
                "TxDtls" => {
                    transactions.push(transaction(cursor, tag)?);
                    Ok(())
                }
                _ => Ok(()),
            })?,
            _ => {}
        }
        Ok(())
    })?;
    let missing = |what| Fault::Missing(what).at(tag.place);
    let entry = Entry {
        amount: amount.ok_or_else(|| missing("Amt"))?,
        side: side.ok_or_else(|| missing("CdtDbtInd"))?,
        reversal,
        status: status.ok_or_else(|| missing("Sts"))?,
        booked,
        reference,
    };
    add(entry, batch, transactions, tag.place, found)
}

fn add(
    entry: Entry,
    batch: Option<Batch>,
    mut transactions: Vec<Transaction>,
    place: Place,
    found: &mut Found,
) -> Result<(), ReadError> {
    match (batch, transactions.as_mut_slice()) {
        (Some(batch), []) if batch.original.is_some() => {
            let verdict = entry.verdict(Transaction::at(place));
            let reported = Reported {
                original: batch.original,
                amount: batch.sum.or(Some(entry.amount)),
                place,
            };
            return found.group(Group::new(batch.count, GroupVerdict::Whole(verdict), reported));
        }
        // An entry without details counts as its own only transaction.
        (_, []) => transactions.push(Transaction::at(place)),
        (Some(batch), several) => {
            for transaction in several {
                if transaction.original.is_none() {
                    transaction.original.clone_from(&batch.original);
                }
            }
        }
        (None, _) => {}
    }
    let alone = transactions.len() == 1;
    for mut transaction in transactions {
        let amount = transaction.amount.or(alone.then_some(entry.amount));
        let reported = Reported {
            original: transaction.original.take(),
            amount,
            place: transaction.place,
        };
        let id = transaction.end_to_end.clone();
        found.item(Item::new(id, entry.verdict(transaction), reported))?;
    }
    Ok(())
}

impl Entry {
    fn verdict(&self, transaction: Transaction) -> Verdict {
        let side = transaction.side.unwrap_or(self.side);
        let reference = transaction.reference.or_else(|| self.reference.clone());
        let ours = transaction
            .end_to_end
            .as_ref()
            .is_some_and(|id| id.end_to_end_id().is_some());
        match self.status.as_str() {
            "BOOK" => {}
            // No money has moved yet.
            "PDNG" | "FUTR" | "INFO" => return Verdict::Pending,
            other => {
                return Verdict::Unclear {
                    status: Quoted::new(other.to_owned()),
                };
            }
        }
        match (side, self.reversal, transaction.returned) {
            (Side::Debit, false, None) => Verdict::Paid {
                booked: self.booked,
                bank_reference: reference,
            },
            (Side::Credit, _, Some(reasons)) => self.returned(reasons.failure(), reference),
            (Side::Credit, true, None) => self.returned(Reasons::default().failure(), reference),
            (Side::Credit, false, None) if ours => self.returned(Reasons::default().failure(), reference),
            // Money from others; a return or reversal of such money, which takes the money away
            // again.
            (side, _, _) => Verdict::Unclear {
                status: Quoted::new(side.as_str().to_owned()),
            },
        }
    }

    fn returned(&self, failure: Failure, bank_reference: Option<Quoted>) -> Verdict {
        Verdict::Returned {
            failure,
            booked: self.booked,
            bank_reference,
        }
    }
}

fn batch(cursor: &mut Cursor<'_>) -> Result<Batch, ReadError> {
    let mut batch = Batch::default();
    cursor.children(|cursor, tag| {
        match tag.name.as_str() {
            "MsgId" => batch.original = cursor.quoted()?,
            "PmtInfId" if batch.original.is_none() => batch.original = cursor.quoted()?,
            "NbOfTxs" => batch.count = Some(cursor.count(tag)?),
            "TtlAmt" => batch.sum = Some(cursor.amount(tag)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(batch)
}

fn transaction(cursor: &mut Cursor<'_>, tag: &Tag) -> Result<Transaction, ReadError> {
    let mut read = Transaction::at(tag.place);
    let (mut instruction, mut transacted) = (None, None);
    cursor.children(|cursor, tag| {
        match tag.name.as_str() {
            "Refs" => cursor.children(|cursor, tag| {
                match tag.name.as_str() {
                    "MsgId" => read.original = cursor.quoted()?,
                    "PmtInfId" if read.original.is_none() => read.original = cursor.quoted()?,
                    "InstrId" => instruction = cursor.quoted()?,
                    "EndToEndId" => read.end_to_end = cursor.quoted()?,
                    "AcctSvcrRef" => read.reference = cursor.quoted()?,
                    _ => {}
                }
                Ok(())
            })?,
            "Amt" => read.amount = Some(cursor.amount(tag)?),
            "CdtDbtInd" => read.side = Some(Side::read(cursor, tag)?),
            // Where versions before the fourth have the amount.
            "AmtDtls" => cursor.children(|cursor, tag| match tag.name.as_str() {
                "TxAmt" => cursor.children(|cursor, tag| {
                    if tag.name == "Amt" {
                        transacted = Some(cursor.amount(tag)?);
                    }
                    Ok(())
                }),
                _ => Ok(()),
            })?,
            "RtrInf" => {
                let mut reasons = Reasons::default();
                reasons.read(cursor)?;
                read.returned = Some(reasons);
            }
            _ => {}
        }
        Ok(())
    })?;
    read.amount = read.amount.or(transacted);
    let ours = |id: &Quoted| id.end_to_end_id().is_some();
    read.end_to_end = match read.end_to_end.take() {
        Some(id) if ours(&id) => Some(id),
        other => instruction
            .filter(ours)
            .or(other.filter(|id| id.as_str() != NOT_PROVIDED)),
    };
    Ok(read)
}
