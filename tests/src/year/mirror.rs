//! The callers' record: plain maps of requests and answers, in fen, and nothing of the service.
//!
//! The mirror predicts every answer about money (which claims are gathered, what is netted, how a
//! report of the bank is processed) from the documented rules, and compares it with the answer. In
//! the end its sums are one of the accounts that the auditor compares.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use claims::clawback::ClawbackReason;
use claims::ids::{AdvanceId, ClaimId, DisbursementId, HoldId, PaymentId};
use claims::life_cycle::Status;
use ledger::Source;
use service::claims::ClaimState;

use super::world::Fund;

/// A claim in the record of its merchant and its county.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) fund: Fund,
    pub(super) merchant: String,
    /// The merchant advanced the subsidy to the customer; otherwise the applicant is paid.
    pub(super) fronted: bool,
    /// Fen; `None` while it cannot be priced.
    pub(super) amount: i64,
    pub(super) status: Status,
    pub(super) revision: i32,
    pub(super) made_at: DateTime<Utc>,
    pub(super) changed_at: DateTime<Utc>,
    pub(super) correct_by: Option<DateTime<Utc>>,
    /// Paid by netting in payments whose rest the bank returned: not owed again.
    pub(super) set_off: i64,
    /// All that was ever paid of it less the bank's returns.
    pub(super) paid: i64,
}

/// The sum due back of a claim.
#[derive(Debug, Clone)]
pub(super) struct Due {
    pub(super) reason: ClawbackReason,
    pub(super) made_at: DateTime<Utc>,
    pub(super) due: i64,
    pub(super) repaid: i64,
    pub(super) netted: i64,
    pub(super) pending: i64,
    pub(super) waived: i64,
    /// The part of the repaid sum that the bank returned.
    pub(super) by_bank: i64,
}

impl Due {
    pub(super) fn open(&self) -> i64 {
        self.due - self.repaid - self.netted - self.pending - self.waived
    }

    fn is_closed(&self) -> bool {
        self.pending == 0 && self.open() == 0
    }
}

/// An advance to a merchant.
#[derive(Debug, Clone)]
pub(super) struct Advance {
    pub(super) fund: Fund,
    pub(super) merchant: String,
    pub(super) disbursement: DisbursementId,
    pub(super) amount: i64,
    pub(super) set_off: i64,
    pub(super) repaid: i64,
    pub(super) pending: i64,
    /// The merchant has it, or the rest of it.
    pub(super) paid: bool,
}

impl Advance {
    pub(super) fn out(&self) -> i64 {
        if self.paid {
            self.amount - self.set_off - self.repaid
        } else {
            0
        }
    }

    pub(super) fn open(&self) -> i64 {
        self.out() - self.pending
    }

    fn is_used(&self) -> bool {
        self.set_off + self.repaid + self.pending > 0
    }
}

#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) claim: ClaimId,
    pub(super) amount: i64,
    pub(super) netted: i64,
}

/// One payment of a disbursement.
#[derive(Debug, Clone)]
pub(super) struct Payment {
    pub(super) disbursement: DisbursementId,
    pub(super) merchant: Option<String>,
    pub(super) lines: Vec<Line>,
    pub(super) amount: i64,
    pub(super) netted: i64,
    pub(super) nettings: Vec<(ClaimId, i64)>,
    pub(super) set_offs: Vec<(AdvanceId, i64)>,
    /// The sums that it pays in the place of claims.
    pub(super) advance: Option<AdvanceId>,
    /// open, paid, failed, returned or cancelled.
    pub(super) outcome: &'static str,
}

impl Payment {
    /// The order to the bank.
    pub(super) fn sent(&self) -> i64 {
        self.amount - self.netted
    }
}

#[derive(Debug, Clone)]
pub(super) struct Disbursement {
    pub(super) fund: Fund,
    /// made, countersigned, released or cancelled.
    pub(super) status: &'static str,
    pub(super) payments: Vec<PaymentId>,
}

#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub(super) fund: Fund,
    pub(super) source: Source,
    pub(super) amount: i64,
    pub(super) at: DateTime<Utc>,
}

/// A hold, which keeps claims out of payment.
#[derive(Debug, Clone)]
pub(super) struct Hold {
    pub(super) county: &'static str,
    pub(super) programme: Option<&'static str>,
    pub(super) merchant: Option<String>,
    pub(super) claim: Option<ClaimId>,
}

#[derive(Debug, Default)]
pub(super) struct Mirror {
    pub(super) claims: BTreeMap<ClaimId, Claim>,
    by_status: BTreeMap<(&'static str, Fund), BTreeSet<ClaimId>>,
    pub(super) dues: BTreeMap<ClaimId, Due>,
    pub(super) advances: BTreeMap<AdvanceId, Advance>,
    pub(super) payments: BTreeMap<PaymentId, Payment>,
    pub(super) disbursements: BTreeMap<DisbursementId, Disbursement>,
    pub(super) grants: Vec<Grant>,
    pub(super) holds: BTreeMap<HoldId, Hold>,
    /// Reports of the bank so far, with the exception that each is, if it is one.
    pub(super) reported: BTreeMap<String, Option<&'static str>>,
    /// Claims promoted from the waitlist.
    pub(super) promoted: usize,
    /// The holder of an account.
    pub(super) accounts: BTreeMap<String, String>,
}

impl Mirror {
    /// A claim was recorded.
    pub(super) fn submitted(&mut self, state: &ClaimState, fronted: bool) {
        let fund = Fund::named(state.jurisdiction(), &state.programme);
        let claim = Claim {
            fund,
            merchant: state.merchant.clone(),
            fronted,
            amount: fen_of(state),
            status: state.status,
            revision: state.revision,
            made_at: state.created_at,
            changed_at: state.changed_at,
            correct_by: state.correct_by,
            set_off: 0,
            paid: 0,
        };
        self.index(state.id, None, &claim);
        let before = self.claims.insert(state.id, claim);
        assert!(before.is_none(), "{} was recorded twice", state.id);
    }

    fn index(&mut self, id: ClaimId, before: Option<Status>, claim: &Claim) {
        if let Some(before) = before {
            self.by_status
                .entry((before.as_str(), claim.fund))
                .or_default()
                .remove(&id);
        }
        self.by_status
            .entry((claim.status.as_str(), claim.fund))
            .or_default()
            .insert(id);
    }

    /// A claim's status was answered after a step.
    pub(super) fn moved(&mut self, state: &ClaimState) {
        let mut claim = self.claim(state.id).clone();
        let before = std::mem::replace(&mut claim.status, state.status);
        claim.amount = fen_of(state);
        (claim.revision, claim.changed_at) = (state.revision, state.changed_at);
        claim.correct_by = state.correct_by;
        self.index(state.id, Some(before), &claim);
        self.claims.insert(state.id, claim);
    }

    /// A claim was read: it is as recorded, unless it was promoted from the waitlist.
    pub(super) fn seen(&mut self, state: &ClaimState) {
        let claim = self.claim(state.id);
        let promoted = claim.status == Status::Waitlisted && state.status == Status::UnderReview;
        assert!(
            promoted || claim.status == state.status,
            "{} is {:?} and should be {:?}",
            state.id,
            state.status,
            claim.status
        );
        assert_eq!(claim.amount, fen_of(state), "the amount of {}", state.id);
        self.promoted += usize::from(promoted);
        self.moved(state);
    }

    pub(super) fn claim(&self, id: ClaimId) -> &Claim {
        self.claims.get(&id).expect("a claim that was recorded")
    }

    fn set(&mut self, id: ClaimId, status: Status, at: DateTime<Utc>) {
        let mut claim = self.claim(id).clone();
        let before = std::mem::replace(&mut claim.status, status);
        claim.changed_at = at;
        claim.correct_by = None;
        self.index(id, Some(before), &claim);
        self.claims.insert(id, claim);
    }

    fn change(&mut self, id: ClaimId, change: impl FnOnce(&mut Claim)) {
        change(self.claims.get_mut(&id).expect("a claim that was recorded"));
    }

    /// Claims of a fund in a status, oldest first.
    pub(super) fn standing(&self, status: Status, fund: Fund) -> Vec<ClaimId> {
        let all = self.by_status.get(&(status.as_str(), fund));
        all.into_iter().flatten().copied().collect()
    }

    /// Claims in a status in all funds.
    pub(super) fn all_standing(&self, status: Status) -> Vec<ClaimId> {
        let funds = Fund::all().into_iter();
        funds.flat_map(|fund| self.standing(status, fund)).collect()
    }

    /// The effect of time alone on a claim: a correction that did not come.
    pub(super) fn expire(&mut self, now: DateTime<Utc>) -> usize {
        let waiting = self.all_standing(Status::NeedsCorrection);
        let overdue = waiting
            .into_iter()
            .filter(|id| self.claim(*id).correct_by.is_some_and(|by| by < now));
        let overdue = overdue.collect::<Vec<_>>();
        for id in &overdue {
            self.set(*id, Status::Rejected, now);
        }
        overdue.len()
    }

    fn is_held(&self, id: ClaimId, claim: &Claim) -> bool {
        self.holds.values().any(|hold| {
            hold.county == claim.fund.county
                && hold.programme.is_none_or(|it| it == claim.fund.programme)
                && hold.merchant.as_ref().is_none_or(|it| *it == claim.merchant)
                && hold.claim.is_none_or(|it| it == id)
        })
    }

    /// Whether a hold that names no claim keeps a merchant's money of a fund back.
    pub(super) fn holds_back(&self, fund: Fund, merchant: &str) -> bool {
        self.holds.values().any(|hold| {
            hold.county == fund.county
                && hold.claim.is_none()
                && hold.programme.is_none_or(|it| it == fund.programme)
                && hold.merchant.as_ref().is_none_or(|it| it == merchant)
        })
    }

    /// Whether a disbursement pays an advance that a hold keeps back.
    pub(super) fn holds_back_advance(&self, disbursement: DisbursementId) -> bool {
        let row = &self.disbursements[&disbursement];
        row.payments.iter().any(|id| {
            let payment = &self.payments[id];
            let merchant = payment.merchant.as_ref().filter(|_| payment.advance.is_some());
            merchant.is_some_and(|merchant| self.holds_back(row.fund, merchant))
        })
    }

    /// How many claims of a disbursement a hold keeps out.
    pub(super) fn held_in(&self, disbursement: DisbursementId) -> usize {
        let payments = &self.disbursements[&disbursement].payments;
        let lines = payments.iter().flat_map(|id| &self.payments[id].lines);
        let held = lines.filter(|line| self.is_held(line.claim, self.claim(line.claim)));
        held.count()
    }

    /// Payable claims of a fund that no hold keeps out, oldest first, with the sum owed of each.
    pub(super) fn payable(&self, fund: Fund) -> Vec<(ClaimId, i64)> {
        let mut ids = self.standing(Status::Approved, fund);
        ids.extend(self.standing(Status::PaymentFailed, fund));
        ids.sort();
        let owed = ids.into_iter().filter_map(|id| {
            let claim = self.claim(id);
            (!self.is_held(id, claim)).then_some((id, claim.amount - claim.set_off))
        });
        owed.collect()
    }

    /// Claims enter payment: one payment for each merchant, one for each applicant, in the order of
    /// their oldest claims. Advances of the fund are set against merchants' payments, and then what
    /// they owe it, oldest first.
    pub(super) fn predict(
        &self,
        disbursement: DisbursementId,
        fund: Fund,
        claims: &[(ClaimId, i64)],
    ) -> Vec<Payment> {
        let mut payments = Vec::<Payment>::new();
        for (id, amount) in claims {
            let claim = self.claim(*id);
            let merchant = claim.fronted.then(|| claim.merchant.clone());
            let line = Line {
                claim: *id,
                amount: *amount,
                netted: 0,
            };
            let known = payments
                .iter_mut()
                .find(|it| it.merchant.is_some() && it.merchant == merchant);
            match known {
                Some(payment) => {
                    payment.amount += amount;
                    payment.lines.push(line);
                }
                None => payments.push(Payment {
                    disbursement,
                    merchant,
                    lines: vec![line],
                    amount: *amount,
                    netted: 0,
                    nettings: Vec::new(),
                    set_offs: Vec::new(),
                    advance: None,
                    outcome: "open",
                }),
            }
        }
        for (id, advance) in self.advances.iter().filter(|(_, it)| it.fund == fund) {
            let payment = payments
                .iter_mut()
                .find(|it| it.merchant.as_ref() == Some(&advance.merchant));
            let Some(payment) = payment else { continue };
            let part = advance.open().min(payment.amount - payment.netted);
            if part > 0 {
                payment.netted += part;
                payment.set_offs.push((*id, part));
            }
        }
        let mut dues = self
            .dues
            .iter()
            .filter(|(id, due)| due.open() > 0 && self.claim(**id).fund == fund);
        let mut dues = dues.by_ref().collect::<Vec<_>>();
        dues.sort_by_key(|(id, due)| (due.made_at, **id));
        for (id, due) in dues {
            let owing = self.claim(*id);
            let payment = payments
                .iter_mut()
                .find(|it| owing.fronted && it.merchant.as_ref() == Some(&owing.merchant));
            let Some(payment) = payment else { continue };
            let part = due.open().min(payment.amount - payment.netted);
            if part > 0 {
                payment.netted += part;
                payment.nettings.push((*id, part));
            }
        }
        for payment in &mut payments {
            let mut left = payment.netted;
            for line in &mut payment.lines {
                line.netted = line.amount.min(left);
                left -= line.netted;
            }
        }
        payments
    }

    /// A disbursement was made of these payments.
    pub(super) fn made(
        &mut self,
        id: DisbursementId,
        fund: Fund,
        payments: Vec<(PaymentId, Payment)>,
        at: DateTime<Utc>,
    ) {
        let ids = payments.iter().map(|(id, _)| *id).collect();
        let made = Disbursement {
            fund,
            status: "made",
            payments: ids,
        };
        self.disbursements.insert(id, made);
        for (id, payment) in payments {
            for line in &payment.lines {
                self.set(line.claim, Status::InPayment, at);
            }
            for (owing, part) in &payment.nettings {
                self.dues.get_mut(owing).unwrap().pending += part;
            }
            for (advance, part) in &payment.set_offs {
                self.advances.get_mut(advance).unwrap().pending += part;
            }
            self.payments.insert(id, payment);
        }
    }

    /// A payment got an outcome.
    pub(super) fn settle(&mut self, id: PaymentId, outcome: &'static str, at: DateTime<Utc>) {
        let payment = self.payments[&id].clone();
        let before = payment.outcome;
        match (before, outcome) {
            ("open", "cancelled" | "failed") => {
                let status = match outcome {
                    "cancelled" => Status::Approved,
                    _ => Status::PaymentFailed,
                };
                for line in &payment.lines {
                    self.set(line.claim, status, at);
                }
                for (owing, part) in &payment.nettings {
                    self.dues.get_mut(owing).unwrap().pending -= part;
                }
                for (advance, part) in &payment.set_offs {
                    self.advances.get_mut(advance).unwrap().pending -= part;
                }
            }
            ("open", "paid" | "returned") | ("failed", "paid") => {
                for line in &payment.lines {
                    self.set(line.claim, Status::Paid, at);
                    self.change(line.claim, |claim| claim.paid += line.amount);
                }
                if outcome == "returned" {
                    self.give_back(&payment, at);
                }
                for (owing, part) in &payment.nettings {
                    let due = self.dues.get_mut(owing).unwrap();
                    // The set-off that its failure reversed is made again.
                    due.pending -= if before == "open" { *part } else { 0 };
                    due.netted += part;
                    self.close_if_settled(*owing, at);
                }
                for (advance, part) in &payment.set_offs {
                    let advance = self.advances.get_mut(advance).unwrap();
                    advance.pending -= if before == "open" { *part } else { 0 };
                    advance.set_off += part;
                }
            }
            ("paid", "returned") => self.give_back(&payment, at),
            other => panic!("a payment went from {} to {}", other.0, other.1),
        }
        if let Some(advance) = payment.advance {
            self.advances.get_mut(&advance).unwrap().paid = outcome == "paid";
        }
        self.payments.get_mut(&id).unwrap().outcome = outcome;
    }

    /// The bank returns what it sent; netted sums stay paid.
    fn give_back(&mut self, payment: &Payment, at: DateTime<Utc>) {
        for line in &payment.lines {
            let back = line.amount - line.netted;
            if back == 0 {
                continue;
            }
            if self.claim(line.claim).status == Status::ClawbackDue {
                let due = self.dues.get_mut(&line.claim).unwrap();
                due.repaid += back;
                due.by_bank += back;
                self.close_if_settled(line.claim, at);
            } else {
                self.set(line.claim, Status::PaymentFailed, at);
                self.change(line.claim, |claim| {
                    claim.set_off += line.netted;
                    claim.paid -= back;
                });
            }
        }
    }

    fn close_if_settled(&mut self, id: ClaimId, at: DateTime<Utc>) {
        if self.dues[&id].is_closed() {
            self.set(id, Status::ClawedBack, at);
        }
    }

    /// A paid claim is due back.
    pub(super) fn demanded(&mut self, state: &ClaimState, reason: ClawbackReason, due: i64) {
        assert_eq!(state.status, Status::ClawbackDue);
        self.moved(state);
        let due = Due {
            reason,
            made_at: state.changed_at,
            due,
            repaid: 0,
            netted: 0,
            pending: 0,
            waived: 0,
            by_bank: 0,
        };
        let before = self.dues.insert(state.id, due);
        assert!(before.is_none(), "{} was demanded back twice", state.id);
    }

    /// A part of what is due was repaid, or waived.
    pub(super) fn repaid(&mut self, id: ClaimId, part: i64, at: DateTime<Utc>) {
        self.dues.get_mut(&id).unwrap().repaid += part;
        self.close_if_settled(id, at);
    }

    pub(super) fn waived(&mut self, id: ClaimId, part: i64, at: DateTime<Utc>) {
        self.dues.get_mut(&id).unwrap().waived += part;
        self.close_if_settled(id, at);
    }

    /// Whether the money of a payment that the bank returns can go back to its claims.
    pub(super) fn can_come_back(&self, payment: &Payment) -> bool {
        if payment.advance.is_some_and(|id| self.advances[&id].is_used()) {
            return false;
        }
        payment.lines.iter().all(|line| {
            let back = line.amount - line.netted;
            match self.claim(line.claim).status {
                Status::ClawedBack => back == 0,
                Status::ClawbackDue => back <= self.dues[&line.claim].open(),
                _ => true,
            }
        })
    }

    /// Whether the claims of a failed payment can be paid by it after all.
    pub(super) fn can_be_paid_after_all(&self, payment: &Payment) -> bool {
        let claims = payment.lines.iter().all(|line| {
            let claim = self.claim(line.claim);
            matches!(claim.status, Status::Approved | Status::PaymentFailed)
                && claim.amount - claim.set_off == line.amount
        });
        let dues = payment.nettings.iter();
        let mut dues = dues.map(|(id, part)| self.dues[id].open() >= *part);
        let advances = payment.set_offs.iter();
        let mut advances = advances.map(|(id, part)| self.advances[id].open() >= *part);
        claims && dues.all(|open| open) && advances.all(|open| open)
    }
}

/// The subsidy in fen.
pub(super) fn fen_of(state: &ClaimState) -> i64 {
    state.amount.map_or(0, |amount| amount.get())
}
