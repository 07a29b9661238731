//! Payments settle: the money of their claims moves, once their outcome is known, and a
//! disbursement with nothing open is closed.
//!
//! [`Payments::lock_payments`] locks payments with all that hangs on them, [`settle`] writes
//! outcomes into what is locked, and [`Payments::move_money`] carries out what follows: of the
//! claims, of advances, and of what the payments are set against.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use claims::JurisdictionCode;
use claims::life_cycle::{Status, Verb};
use claims::payments::{DisbursementStatus, PaymentOutcome};
use ledger::Fen;
use store::Tx;
use store::claims::ClaimRow;
use store::claims::clawbacks::ClawbackRow;
use store::payments::advances::AdvanceRow;
use store::payments::disbursements::DisbursementRow;
use store::payments::{LineRow, PaymentRow};
use uuid::Uuid;

use super::netting::{Netting, can_come_back, returned, whole};
use super::set_off::{advances_of, is_used};
use crate::claims::transition::Move;
use crate::funds::limits::{self, Books};
use crate::operation::convert::by_id;
use crate::operation::{Op, Recorded, ServiceError};
use crate::payments::Payments;

/// Payments with their disbursements and claims, locked.
pub(in crate::payments) struct Locked {
    pub(in crate::payments) books: Books,
    pub(in crate::payments) disbursements: BTreeMap<Uuid, DisbursementRow>,
    pub(in crate::payments) payments: BTreeMap<Uuid, PaymentRow>,
    pub(in crate::payments) claims: HashMap<Uuid, ClaimRow>,
    /// Those that payments pay in the place of claims, by payment.
    pub(in crate::payments) advances: HashMap<Uuid, AdvanceRow>,
    lines: HashMap<Uuid, Vec<LineRow>>,
    /// The payments' outcomes when they were locked.
    before: HashMap<Uuid, PaymentOutcome>,
    /// What is due back of the claims.
    clawbacks: HashMap<Uuid, ClawbackRow>,
}

impl Payments {
    /// Locks payments with all that hangs on them: first the books of their funds, then themselves,
    /// then their claims.
    pub(in crate::payments) async fn lock_payments(
        &self,
        tx: &mut Tx,
        jurisdiction: JurisdictionCode,
        ids: &[Uuid],
    ) -> Result<Locked, ServiceError> {
        let seen = tx.disbursements_of(jurisdiction, ids).await?;
        let funds = seen
            .iter()
            .map(|(_, programme)| (jurisdiction.to_string(), programme.clone()));
        let books = limits::lock(tx, &self.catalogue.current(), funds).await?;
        let mut disbursements = BTreeMap::new();
        for (id, _) in seen {
            if let Some(row) = tx.lock_disbursement(id).await? {
                disbursements.insert(row.id, row);
            }
        }
        let payments = tx.lock_payments(jurisdiction, ids).await?;
        let mut lines = HashMap::<Uuid, Vec<LineRow>>::new();
        let mut keys = Vec::new();
        for line in tx.lines_of(jurisdiction, ids).await? {
            keys.push(line.claim());
            lines.entry(line.payment).or_default().push(line);
        }
        let claims = tx.lock_claims(&keys).await?;
        let due = keys.into_iter().map(|claim| claim.uuid).collect::<Vec<_>>();
        let clawbacks = tx.lock_clawbacks(jurisdiction, &due).await?;
        Ok(Locked {
            advances: advances_of(tx, jurisdiction, payments.iter()).await?,
            books,
            disbursements,
            before: payments.iter().map(|row| (row.id, row.outcome)).collect(),
            payments: payments.into_iter().map(|row| (row.id, row)).collect(),
            clawbacks: by_id(clawbacks, |row| row.claim),
            lines,
            claims: by_id(claims, |row| row.id),
        })
    }

    /// Moves the money of payments that settled, and closes disbursements with nothing open.
    pub(in crate::payments) async fn move_money(
        &self,
        op: &mut Op<'_>,
        locked: &mut Locked,
        settled: &BTreeSet<Uuid>,
    ) -> Result<Recorded, ServiceError> {
        let rows = settled.iter().filter_map(|id| locked.payments.get(id));
        op.tx.settle_payments(&rows.cloned().collect::<Vec<_>>()).await?;
        // What came back before it was reported paid was paid all the same: what was netted stays
        // so, and what comes back has a source.
        let bounced = locked.take_bounced(settled);
        let (paid, _) = self.claims.move_claims(op, &locked.books, bounced).await?;
        locked.claims.extend(paid.into_iter().map(|row| (row.id, row)));
        let moves = locked.take_moves(settled, op.now)?;
        let (_, mut recorded) = self.claims.move_claims(op, &locked.books, moves).await?;
        let clawbacks = locked.clawbacks.values().cloned().collect::<Vec<_>>();
        op.tx.save_clawbacks(&clawbacks).await?;
        let advanced = locked.advanced(settled);
        self.settle_advances(op, &mut locked.advances, &advanced).await?;
        let nettings = locked.nettings(settled);
        self.settle_set_offs(op, &nettings).await?;
        self.settle_nettings(op, &locked.books, &nettings).await?;
        for row in locked.disbursements.values_mut() {
            let is_released = row.status == DisbursementStatus::Released;
            if !is_released || op.tx.has_open_payments(row.id()).await? {
                continue;
            }
            (row.status, row.closed_at) = (DisbursementStatus::Settled, Some(op.now));
            row.revision = row.revision.saturating_add(1);
            op.tx.save_disbursement(row).await?;
            recorded = self.note(op, row, "settle_disbursement", None).await?;
        }
        Ok(recorded)
    }
}

/// Writes the outcome of a payment, whose money [`Payments::move_money`] moves.
pub(in crate::payments) fn settle(
    payment: &mut PaymentRow,
    outcome: PaymentOutcome,
    reason: Option<String>,
    now: DateTime<Utc>,
) {
    (payment.outcome, payment.reason, payment.settled_at) = (outcome, reason, Some(now));
}

impl Locked {
    /// The settled payments that pay advances, with their outcomes before.
    fn advanced(&self, settled: &BTreeSet<Uuid>) -> Vec<(PaymentRow, PaymentOutcome)> {
        let payments = settled.iter().filter_map(|id| self.payments.get(id));
        let payments = payments.filter(|payment| payment.advance.is_some());
        payments
            .filter_map(|payment| Some((payment.clone(), *self.before.get(&payment.id)?)))
            .collect()
    }

    /// Whether the bank cannot have returned a payment, because of what became of its money since.
    pub(in crate::payments) fn is_stuck(&self, payment: Uuid) -> bool {
        if self.advances.get(&payment).is_some_and(is_used) {
            return true;
        }
        let lines = self.lines.get(&payment).into_iter().flatten();
        let mut claims = lines.filter_map(|line| Some((self.claims.get(&line.claim)?, line)));
        claims.any(|(row, line)| !can_come_back(row, line, self.clawbacks.get(&row.id)))
    }

    /// The claims that a failed or returned payment leaves owed, and how much of each.
    pub(in crate::payments) fn owed(&self, payment: Uuid) -> (Vec<ClaimRow>, HashMap<Uuid, Fen>) {
        let before = self.before.get(&payment).copied();
        let lines = self.lines.get(&payment).into_iter().flatten();
        let owed = lines.filter_map(|line| {
            let row = self.claims.get(&line.claim)?;
            let amount = owed_of(before, line);
            (!amount.is_zero()).then(|| (row.clone(), (row.id, amount)))
        });
        owed.unzip()
    }

    /// Pays the claims of payments that came back before they were reported paid.
    fn take_bounced(&mut self, settled: &BTreeSet<Uuid>) -> Vec<Move> {
        let mut moves = Vec::new();
        for payment in settled.iter().filter_map(|id| self.payments.get(id)) {
            let was_open = self.before.get(&payment.id) == Some(&PaymentOutcome::Open);
            if payment.outcome != PaymentOutcome::Returned || !was_open {
                continue;
            }
            for line in self.lines.get(&payment.id).into_iter().flatten() {
                moves.extend(self.claims.remove(&line.claim).map(|row| Move {
                    row,
                    verb: Verb::Pay,
                    reason: None,
                    document: Some(payment.disbursement),
                    part: Some(whole(line.amount)),
                }));
            }
        }
        moves
    }

    /// What becomes of what settled payments are netted against.
    fn nettings(&self, settled: &BTreeSet<Uuid>) -> Vec<(PaymentRow, Netting)> {
        let nettings = settled.iter().filter_map(|id| {
            let payment = self.payments.get(id)?;
            let netting = Netting::of(*self.before.get(id)?, payment.outcome)?;
            Some((payment.clone(), netting))
        });
        nettings.collect()
    }

    /// What becomes of the claims of settled payments.
    fn take_moves(
        &mut self,
        settled: &BTreeSet<Uuid>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Move>, ServiceError> {
        let mut moves = Vec::new();
        for payment in settled.iter().filter_map(|id| self.payments.get(id)) {
            let before = self.before.get(&payment.id).copied();
            for line in self.lines.get(&payment.id).into_iter().flatten() {
                let row = self
                    .claims
                    .remove(&line.claim)
                    .ok_or_else(|| ServiceError::bug("a claim is in two payments that settle at once"))?;
                let clawback = self.clawbacks.get_mut(&row.id);
                let moved = match payment.outcome {
                    PaymentOutcome::Paid => Some(owed_of(before, line))
                        .filter(|owed| !owed.is_zero())
                        .map(|owed| (Verb::Pay, whole(owed))),
                    PaymentOutcome::Failed | PaymentOutcome::Returned if was_paid(&row) => {
                        returned(&row, line, clawback, now)?
                    }
                    PaymentOutcome::Open
                    | PaymentOutcome::Failed
                    | PaymentOutcome::Returned
                    | PaymentOutcome::Cancelled => Some((Verb::FailPayment, whole(line.amount))),
                };
                let Some((verb, part)) = moved else { continue };
                moves.push(Move {
                    row,
                    verb,
                    reason: payment.reason.clone(),
                    document: Some(payment.disbursement),
                    part: Some(part),
                });
            }
        }
        Ok(moves)
    }
}

/// What netting paid stays paid when the bank returns the rest.
fn owed_of(before: Option<PaymentOutcome>, line: &LineRow) -> Fen {
    if before == Some(PaymentOutcome::Returned) {
        line.sent()
    } else {
        line.amount
    }
}

fn was_paid(row: &ClaimRow) -> bool {
    matches!(
        row.status,
        Status::Paid | Status::ClawbackDue | Status::ClawedBack
    )
}
