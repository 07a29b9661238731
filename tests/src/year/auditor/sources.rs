//! Sources of payments: the parts of payments and the approved grants, summed anew, with returns
//! shared in proportion.

use std::collections::BTreeMap;

use claims::ids::{ClaimId, DisbursementId, PaymentId};
use ledger::Source;

use super::ledger::{Fold, Line};
use crate::year::mirror::Mirror;

/// By source, in the order of [`Source::ALL`].
pub(super) type Parts = [i64; 4];

/// The part of each payment that is out, as the ledger's lines come.
pub(super) struct Spending<'a> {
    mirror: &'a Mirror,
    /// The payment of a disbursement that a claim is in.
    lines: BTreeMap<(DisbursementId, ClaimId), PaymentId>,
    /// By payment.
    out: BTreeMap<PaymentId, Parts>,
    /// The part that each payment paid of a claim and that is not returned.
    paid: BTreeMap<ClaimId, BTreeMap<PaymentId, i64>>,
}

impl<'a> Spending<'a> {
    pub(super) fn new(mirror: &'a Mirror, parts: &BTreeMap<PaymentId, Parts>) -> Self {
        let mut lines = BTreeMap::new();
        for (id, payment) in &mirror.payments {
            for line in &payment.lines {
                lines.insert((payment.disbursement, line.claim), *id);
            }
        }
        Self {
            mirror,
            lines,
            out: parts.clone(),
            paid: BTreeMap::new(),
        }
    }

    /// Follows a county's log. Sums returned at once are returned in the order of their claims.
    pub(super) fn follow(&mut self, fold: &Fold) {
        let alike = |one: &Line, other: &Line| {
            one.posted_at == other.posted_at && one.reason == other.reason && one.reason != "pay"
        };
        for run in fold.lines.chunk_by(alike) {
            let mut run = run.iter().collect::<Vec<_>>();
            run.sort_by(|one, other| one.claim.cmp(&other.claim));
            for line in run {
                self.take(line);
            }
        }
    }

    fn take(&mut self, line: &Line) {
        let Some(claim) = line.claim.as_ref().and_then(|id| ClaimId::parse(id).ok()) else {
            return self.take_ahead(line);
        };
        match &*line.reason {
            "pay" => {
                let document = line.document.as_ref().expect("a payment's disbursement");
                let document = DisbursementId::parse(document).expect("an id");
                let payment = self.lines[&(document, claim)];
                *self.paid.entry(claim).or_default().entry(payment).or_default() += line.amount;
            }
            "return_payment" | "claw_back" => self.give_back(claim, line.amount),
            _ => {}
        }
    }

    /// A returned part of an advance is taken out of its payment.
    fn take_ahead(&mut self, line: &Line) {
        if !["return_advance", "set_off", "repay_advance"].contains(&&*line.reason) {
            return;
        }
        let document = line.document.as_ref().expect("an advance's disbursement");
        let document = DisbursementId::parse(document).expect("an id");
        let payment = self.mirror.disbursements[&document].payments[0];
        self.take_out(payment, line.amount);
    }

    fn take_out(&mut self, payment: PaymentId, amount: i64) {
        let out = self.out.get_mut(&payment).expect("a payment");
        let shares = in_proportion(amount, *out);
        for (part, share) in out.iter_mut().zip(shares) {
            *part -= share;
        }
    }

    /// Out of the last payment of the claim, and if that paid only a rest, out of the one before.
    fn give_back(&mut self, claim: ClaimId, mut amount: i64) {
        let mut taken = Vec::new();
        for (payment, left) in self.paid.entry(claim).or_default().iter_mut().rev() {
            let part = amount.min(*left);
            amount -= part;
            *left -= part;
            taken.push((*payment, part));
        }
        for (payment, part) in taken.into_iter().filter(|(_, part)| *part > 0) {
            self.take_out(payment, part);
        }
        assert_eq!(amount, 0, "more came back of {claim} than was paid");
    }

    /// The sums of a fund's payments that are under way and that are spent.
    pub(super) fn of(&self, county: &str, programme: &str) -> (Parts, Parts) {
        let (mut under_way, mut spent) = (Parts::default(), Parts::default());
        for (id, payment) in &self.mirror.payments {
            let fund = self.mirror.disbursements[&payment.disbursement].fund;
            if fund.county != county || fund.programme != programme {
                continue;
            }
            let sum = match payment.outcome {
                "open" => &mut under_way,
                "paid" | "returned" => &mut spent,
                _ => continue,
            };
            for (sum, part) in sum.iter_mut().zip(self.out[id]) {
                *sum += part;
            }
        }
        (under_way, spent)
    }
}

/// Shares by the largest remainder; of equals the first source comes first.
fn in_proportion(amount: i64, parts: Parts) -> Parts {
    let all = i128::from(parts.iter().sum::<i64>());
    let exact = parts.map(|part| i128::from(amount) * i128::from(part));
    let mut shares = exact.map(|exact| i64::try_from(exact / all).unwrap());
    let mut order = (0..Source::ALL.len()).collect::<Vec<_>>();
    order.sort_by_key(|place| std::cmp::Reverse(exact[*place] % all));
    let rest = amount - shares.iter().sum::<i64>();
    for place in order.into_iter().take(usize::try_from(rest).unwrap()) {
        shares[place] += 1;
    }
    shares
}
