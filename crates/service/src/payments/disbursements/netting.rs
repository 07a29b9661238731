//! Netting (抵扣): what a merchant owes a fund is set against what that fund pays it, oldest first.
//!
//! A disbursement sets open dues against the merchant's payment when it is made (`pending`), and the bank is told the rest. Once
//! the payment is paid, its claims are paid whole and the dues netted, in one transaction; if it fails or is cancelled, the
//! dues are open again and the next disbursement nets anew. A payment of which nothing is left to send is in no file and is
//! paid when its disbursement is released.
//!
//! A bank that returns a payment returns what it sent. What was netted was set off and stays so: the netted part falls to
//! the payment's claims in their order, a claim that it covers whole stays paid, one that it covers in part is owed the
//! rest ([`store::Conn::set_off`]), and nobody owes the netted part again. So no return asks a fund for money that it gave out since,
//! and no clawback that ended is opened again.
//!
//! Other funds of the county are left alone: their money has other sources and caps.

use std::collections::{BTreeSet, HashMap};

use claims::clawback::Settled;
use claims::ids::ClaimId;
use claims::life_cycle::{Status, Verb};
use ledger::Fen;
use store::Tx;
use store::claims::ClaimRow;
use store::claims::clawbacks::{ClawbackRow, NettingRow};
use store::payments::{LineRow, PaymentRow};
use uuid::Uuid;

use crate::claims::clawbacks::{settle, sums, write};
use crate::claims::transition::{Move, Mover, Part};
use crate::funds::limits::Books;
use crate::operation::convert::{code, distinct, fen};
use crate::operation::{Refusal, ServiceError};
use crate::payments::Payments;

/// Dues that one disbursement looks at. Those beyond are netted by the next.
const MOST_DUES: i64 = 10_000;

/// What becomes of the dues that a payment is netted against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::payments) enum Netting {
    /// The payment was made.
    Stands,
    /// The payment was made after all: what was given back is set against it again, if it is still open.
    StandsAgain,
    GivenBack,
}

impl Netting {
    /// By the payment's outcome before and after.
    pub(in crate::payments) fn of(before: &str, after: &str) -> Option<Self> {
        match (before, after) {
            ("open", "paid" | "returned") => Some(Self::Stands),
            ("open", "failed" | "cancelled") => Some(Self::GivenBack),
            ("failed", "paid") => Some(Self::StandsAgain),
            _ => None,
        }
    }
}

impl Payments {
    /// Sets what merchants owe this fund against their payments that are being made.
    pub(in crate::payments) async fn net(
        &self,
        tx: &mut Tx,
        fund: (&str, &str),
        payments: &mut [PaymentRow],
        lines: &mut [LineRow],
    ) -> Result<Vec<NettingRow>, ServiceError> {
        let merchants = payments.iter().filter_map(|payment| payment.merchant.clone());
        let merchants = distinct(merchants.collect());
        if merchants.is_empty() {
            return Ok(Vec::new());
        }
        let dues = tx
            .open_clawbacks((code(fund.0)?, fund.1), &merchants, MOST_DUES)
            .await?;
        let (mut nettings, mut touched) = (Vec::new(), Vec::new());
        for mut due in dues {
            let payment = payments.iter_mut().find(|it| it.merchant == due.merchant);
            let Some(payment) = payment else { continue };
            let mut after = sums(&due);
            let left = payment.amount.saturating_sub(payment.netted);
            let part = after.set_against(fen(left)?);
            if part.is_zero() {
                continue;
            }
            write(&mut due, &after);
            payment.netted = payment.netted.saturating_add(part.get());
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

    /// Settles or gives back what these payments of a county are netted against. The books must be locked.
    pub(in crate::payments) async fn settle_nettings(
        &self,
        tx: &mut Tx,
        books: &Books,
        payments: &[(PaymentRow, Netting)],
        mover: Mover<'_>,
    ) -> Result<(), ServiceError> {
        for (payment, netting) in payments.iter().filter(|(payment, _)| payment.netted > 0) {
            let jurisdiction = code(&payment.jurisdiction)?;
            let nettings = tx.nettings_of(jurisdiction, &[payment.id]).await?;
            let ids = nettings.iter().map(|it| it.claim).collect::<Vec<_>>();
            let keys = ids.iter().map(|id| ClaimId::new(jurisdiction, *id));
            let claims = tx.lock_claims(&keys.collect::<Vec<_>>()).await?;
            let mut claims = by_id(claims);
            let clawbacks = tx.lock_clawbacks(jurisdiction, &ids).await?;
            let mut clawbacks: HashMap<Uuid, ClawbackRow> =
                clawbacks.into_iter().map(|row| (row.claim, row)).collect();
            let mut moves = Vec::new();
            for one in &nettings {
                let due = clawbacks
                    .get_mut(&one.claim)
                    .ok_or_else(|| ServiceError::bug("a payment is netted against nothing"))?;
                let part = one.amount;
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
                let (verb, part) = settle(due, Settled::Netted, part, mover.now)?;
                let row = claims
                    .remove(&one.claim)
                    .ok_or_else(|| ServiceError::bug("a clawback is of no claim"))?;
                moves.push(Move {
                    row,
                    verb,
                    reason: Some(NETTED.to_owned()),
                    document: Some(payment.disbursement),
                    part: Some(part),
                });
            }
            tx.save_clawbacks(&clawbacks.into_values().collect::<Vec<_>>())
                .await?;
            self.claims.carry_out(tx, books, moves, mover).await?;
        }
        Ok(())
    }

    /// What of each of these claims of a fund is payable: all but what netting paid in a payment whose rest came back.
    pub(in crate::payments) async fn payable_amounts(
        &self,
        tx: &mut Tx,
        rows: &[ClaimRow],
    ) -> Result<HashMap<Uuid, i64>, ServiceError> {
        let mut amounts: HashMap<Uuid, i64> = rows
            .iter()
            .map(|row| (row.id, row.amount.map_or(0, Fen::get)))
            .collect();
        let Some(first) = rows.first() else {
            return Ok(amounts);
        };
        let ids = rows.iter().map(|row| row.id).collect::<Vec<_>>();
        for (claim, set_off) in tx.set_off(first.jurisdiction, &ids).await? {
            if let Some(amount) = amounts.get_mut(&claim) {
                *amount = amount.saturating_sub(set_off.get());
            }
        }
        Ok(amounts)
    }
}

/// Why a clawback's claim moved, in its events.
const NETTED: &str = "从应付款项中抵扣";

/// Tells the lines of each payment, in the order of their claims, what of it is netted.
fn spread(payments: &[PaymentRow], lines: &mut [LineRow]) {
    let netted = payments.iter().map(|payment| (payment.id, payment.netted));
    let mut left: HashMap<Uuid, i64> = netted.collect();
    lines.sort_by_key(|line| line.claim);
    for line in lines {
        if let Some(left) = left.get_mut(&line.payment) {
            line.netted = line.amount.min(*left);
            *left = left.saturating_sub(line.netted);
        }
    }
}

pub(in crate::payments) fn by_id(rows: Vec<ClaimRow>) -> HashMap<Uuid, ClaimRow> {
    rows.into_iter().map(|row| (row.id, row)).collect()
}

/// Payments that a bank has nothing to do with, because nothing of them is left to send.
pub(in crate::payments) fn wholly_netted(payments: &[PaymentRow]) -> BTreeSet<Uuid> {
    let whole = payments.iter().filter(|it| it.netted == it.amount);
    whole.map(|payment| payment.id).collect()
}

/// How a claim moves whose payment came back, or none if netting paid it whole: that part did not come back.
pub(in crate::payments) fn returned(
    row: &ClaimRow,
    line: &LineRow,
    clawback: Option<&mut ClawbackRow>,
    mover: Mover<'_>,
) -> Result<Option<(Verb, Part)>, ServiceError> {
    let back = line.amount.saturating_sub(line.netted);
    if back == 0 {
        return Ok(None);
    }
    // What was due back from the payee has come back from the bank.
    if let (Status::ClawbackDue, Some(clawback)) = (row.status, clawback) {
        return settle(clawback, Settled::Repaid, fen(back)?, mover.now).map(Some);
    }
    Ok(Some((Verb::ReturnPayment, whole(back)?)))
}

/// Whether what the bank returns of a line finds the claim's money where it can come back to: paid, or open in its clawback.
pub(in crate::payments) fn can_come_back(
    row: &ClaimRow,
    line: &LineRow,
    clawback: Option<&ClawbackRow>,
) -> bool {
    let back = line.amount.saturating_sub(line.netted);
    match (row.status, clawback) {
        (Status::ClawedBack, _) => back == 0,
        (Status::ClawbackDue, Some(clawback)) => back <= sums(clawback).open().get(),
        _ => true,
    }
}

/// All that a payment moves of a claim.
pub(in crate::payments) fn whole(amount: i64) -> Result<Part, ServiceError> {
    Ok(Part {
        amount: fen(amount)?,
        counts: true,
    })
}
