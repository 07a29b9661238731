//! Netting (抵扣): what a merchant owes a fund is set against what that fund pays it, oldest first.
//!
//! A disbursement sets open dues against the merchant's payment when it is made (`pending`), and
//! the bank pays the rest. Once the payment is paid, its claims are paid whole and the dues netted,
//! in one transaction; if it fails or is cancelled, the dues are open again and the next
//! disbursement nets anew. A payment of which nothing is left to send is in no file and is paid
//! when its disbursement is released.
//!
//! A bank that returns a payment returns what was sent. What was netted was set off and stays so:
//! the netted part falls to the payment's claims in their order, a claim that it covers whole stays
//! paid, one that it covers in part is owed the rest ([`store::Conn::set_off`]), and the netted
//! part is not owed again. So no return asks a fund for money that it gave out since, and no
//! clawback that ended is opened again.
//!
//! Other funds of the county are left alone: their money has other sources and caps.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use claims::JurisdictionCode;
use claims::clawback::Settled;
use claims::ids::ClaimId;
use claims::life_cycle::{Status, Verb};
use claims::payments::PaymentOutcome;
use ledger::Fen;
use store::Tx;
use store::claims::ClaimRow;
use store::claims::clawbacks::{ClawbackRow, NettingRow};
use store::payments::{LineRow, PaymentRow};
use uuid::Uuid;

use crate::claims::clawbacks::{settle, sums, write};
use crate::claims::transition::{Move, Part};
use crate::funds::limits::Books;
use crate::operation::convert::{by_id, distinct};
use crate::operation::{Op, Refusal, ServiceError};
use crate::payments::Payments;

/// Dues that one disbursement looks at. Those beyond are netted by the next.
const MOST_DUES: i64 = 10_000;

/// What becomes of the dues that a payment is netted against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::payments) enum Netting {
    /// The payment was made.
    Stands,
    /// The payment was made after all: what was given back is set against it again, if it is still
    /// open.
    StandsAgain,
    GivenBack,
}

impl Netting {
    /// By the payment's outcome before and after.
    pub(in crate::payments) fn of(before: PaymentOutcome, after: PaymentOutcome) -> Option<Self> {
        use PaymentOutcome::{Cancelled, Failed, Open, Paid, Returned};
        match (before, after) {
            (Open, Paid | Returned) => Some(Self::Stands),
            (Open, Failed | Cancelled) => Some(Self::GivenBack),
            (Failed, Paid) => Some(Self::StandsAgain),
            (Open, Open)
            | (Failed, Open | Failed | Returned | Cancelled)
            | (Paid | Returned | Cancelled, Open | Paid | Failed | Returned | Cancelled) => None,
        }
    }
}

impl Payments {
    /// Sets what merchants owe this fund against their payments that are being made.
    pub(in crate::payments) async fn net(
        &self,
        tx: &mut Tx,
        fund: (JurisdictionCode, &str),
        payments: &mut [PaymentRow],
        lines: &mut [LineRow],
    ) -> Result<Vec<NettingRow>, ServiceError> {
        let merchants = payments.iter().filter_map(|payment| payment.merchant.clone());
        let merchants = distinct(merchants.collect());
        if merchants.is_empty() {
            return Ok(Vec::new());
        }
        let dues = tx.open_clawbacks(fund, &merchants, MOST_DUES).await?;
        let (mut nettings, mut touched) = (Vec::new(), Vec::new());
        for mut due in dues {
            let payment = payments.iter_mut().find(|it| it.merchant == due.merchant);
            let Some(payment) = payment else { continue };
            let mut after = sums(&due);
            let part = after.set_against(payment.sent());
            if part.is_zero() {
                continue;
            }
            write(&mut due, &after);
            payment.netted = payment.netted.saturating_add(part);
            nettings.push(NettingRow {
                jurisdiction: due.jurisdiction,
                payment: payment.id,
                claim: due.claim,
                amount: part,
            });
            touched.push(due);
        }
        tx.save_clawbacks(&touched).await?;
        spread(payments, lines);
        Ok(nettings)
    }

    /// Settles or gives back what these payments of a county are netted against. The books must be
    /// locked.
    pub(in crate::payments) async fn settle_nettings(
        &self,
        op: &mut Op<'_>,
        books: &Books,
        payments: &[(PaymentRow, Netting)],
    ) -> Result<(), ServiceError> {
        for (payment, netting) in payments.iter().filter(|(payment, _)| !payment.netted.is_zero()) {
            let jurisdiction = payment.jurisdiction;
            let nettings = op.tx.nettings_of(jurisdiction, &[payment.id]).await?;
            let ids = nettings.iter().map(|it| it.claim).collect::<Vec<_>>();
            let keys = ids.iter().map(|id| ClaimId::new(jurisdiction, *id));
            let claims = op.tx.lock_claims(&keys.collect::<Vec<_>>()).await?;
            let mut claims = by_id(claims, |row| row.id);
            // In the order of the nettings, each of which has its clawback by foreign key.
            let mut clawbacks = op.tx.lock_clawbacks(jurisdiction, &ids).await?;
            let part_of: HashMap<Uuid, Fen> = nettings.iter().map(|it| (it.claim, it.amount)).collect();
            let mut moves = Vec::new();
            for due in &mut clawbacks {
                let part = part_of.get(&due.claim).copied().unwrap_or_default();
                let mut after = sums(due);
                match netting {
                    Netting::Stands => {}
                    Netting::StandsAgain if after.open() < part => {
                        return Err(Refusal::ResultContradicts.into());
                    }
                    Netting::StandsAgain => {
                        after.set_against(part);
                        write(due, &after);
                    }
                    Netting::GivenBack => {
                        after.give_back(part);
                        write(due, &after);
                        continue;
                    }
                }
                let (verb, part) = settle(due, Settled::Netted, part, op.now)?;
                let row = claims.remove(&due.claim);
                moves.push(Move {
                    row: row.ok_or_else(|| ServiceError::bug("a clawback is of no claim"))?,
                    verb,
                    reason: Some(NETTED.to_owned()),
                    document: Some(payment.disbursement),
                    part: Some(part),
                });
            }
            op.tx.save_clawbacks(&clawbacks).await?;
            self.claims.move_claims(op, books, moves).await.map(drop)?;
        }
        Ok(())
    }

    /// What of each of these claims of a fund is payable: all but what netting paid in a payment
    /// whose rest came back.
    pub(in crate::payments) async fn payable_amounts(
        &self,
        tx: &mut Tx,
        rows: &[ClaimRow],
    ) -> Result<HashMap<Uuid, Fen>, ServiceError> {
        let amounts = rows.iter().map(|row| (row.id, row.amount.unwrap_or_default()));
        let mut amounts = amounts.collect::<HashMap<_, _>>();
        let Some(first) = rows.first() else {
            return Ok(amounts);
        };
        let ids = rows.iter().map(|row| row.id).collect::<Vec<_>>();
        for (claim, set_off) in tx.set_off(first.jurisdiction, &ids).await? {
            if let Some(amount) = amounts.get_mut(&claim) {
                *amount = amount.saturating_sub(set_off);
            }
        }
        Ok(amounts)
    }
}

/// Why a clawback's claim moved, in its events.
const NETTED: &str = "从应付款项中抵扣";

/// Spreads what of each payment is netted over its lines, in the order of their claims.
fn spread(payments: &[PaymentRow], lines: &mut [LineRow]) {
    let netted = payments.iter().map(|payment| (payment.id, payment.netted));
    let mut left: HashMap<Uuid, Fen> = netted.collect();
    lines.sort_by_key(|line| line.claim);
    for line in lines {
        if let Some(left) = left.get_mut(&line.payment) {
            line.netted = line.amount.min(*left);
            *left = left.saturating_sub(line.netted);
        }
    }
}

/// Payments that a bank has nothing to do with, because nothing of them is left to send.
pub(in crate::payments) fn wholly_netted(payments: &[PaymentRow]) -> BTreeSet<Uuid> {
    let whole = payments.iter().filter(|it| it.netted == it.amount);
    whole.map(|payment| payment.id).collect()
}

/// How a claim moves whose payment came back, or none if netting paid it whole: that part did not
/// come back.
pub(in crate::payments) fn returned(
    row: &ClaimRow,
    line: &LineRow,
    clawback: Option<&mut ClawbackRow>,
    now: DateTime<Utc>,
) -> Result<Option<(Verb, Part)>, ServiceError> {
    let back = line.sent();
    if back.is_zero() {
        return Ok(None);
    }
    // What was due back from the payee has come back from the bank.
    if let (Status::ClawbackDue, Some(clawback)) = (row.status, clawback) {
        return settle(clawback, Settled::Repaid, back, now).map(Some);
    }
    Ok(Some((Verb::ReturnPayment, whole(back))))
}

/// Whether what the bank returns of a line finds the claim's money where it can come back to: paid,
/// or open in its clawback.
pub(in crate::payments) fn can_come_back(
    row: &ClaimRow,
    line: &LineRow,
    clawback: Option<&ClawbackRow>,
) -> bool {
    let (back, status) = (line.sent(), row.status);
    if status == Status::ClawedBack {
        return back.is_zero();
    }
    match clawback {
        Some(clawback) if status == Status::ClawbackDue => back <= sums(clawback).open(),
        Some(_) | None => true,
    }
}

/// All that a payment moves of a claim.
pub(in crate::payments) fn whole(amount: Fen) -> Part {
    Part { amount, counts: true }
}
