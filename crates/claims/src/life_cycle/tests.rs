use ledger::{Account, Balances, Fen, Reason, Transfer};
use proptest::prelude::*;

use super::*;
use crate::clawback::{Clawback, ClawbackReason, Settled};

/// Every arrow of the table, one a line, as committed beside this file. `any`: the same whether
/// money is reserved or not.
fn rendered() -> String {
    let mut lines = vec!["status reserved verb -> status reserved transfer holdings".to_owned()];
    for status in Status::ALL {
        for verb in Verb::ALL {
            let [no, yes] = [false, true].map(|reserved| step(Standing { status, reserved }, verb).ok());
            let cases = if no == yes {
                vec![("any", no)]
            } else {
                vec![("no", no), ("yes", yes)]
            };
            for (reserved, step) in cases {
                let Some(step) = step else { continue };
                lines.push(format!(
                    "{status} {reserved} {verb} -> {} {} {} {}",
                    step.to,
                    if step.reserved { "yes" } else { "no" },
                    step.transfer.map_or("-", Reason::as_str),
                    match step.holdings {
                        Holdings::Keep => "keep",
                        Holdings::Release => "release",
                    },
                ));
            }
        }
    }
    lines.join("\n") + "\n"
}

#[test]
fn the_table_is_as_committed() {
    assert_eq!(rendered(), include_str!("transitions.txt"), "\n{}", rendered());
}

#[test]
fn terminal_means_terminal() {
    for status in Status::ALL {
        let moves = |reserved| {
            Verb::ALL
                .iter()
                .any(|&verb| step(Standing { status, reserved }, verb).is_ok())
        };
        assert_eq!(status.is_terminal(), !moves(false) && !moves(true), "{status}");
    }
}

#[test]
fn codes_round_trip() {
    assert!(Status::ALL.iter().all(|s| Status::parse(s.as_str()) == Some(*s)));
    assert!(Verb::ALL.iter().all(|v| Verb::parse(v.as_str()) == Some(*v)));
}

/// The next verb on one of the claims.
#[derive(Debug, Clone, Copy)]
enum Event {
    Decide {
        claim: usize,
        ruling: Ruling,
        amount: Fen,
    },
    Do {
        claim: usize,
        verb: Verb,
    },
}

const CLAIMS: usize = 4;

fn event() -> impl Strategy<Value = Event> {
    let ruling = prop_oneof![
        4 => Just(Ruling::UnderReview),
        1 => Just(Ruling::Waitlisted),
        2 => any::<bool>().prop_map(|reserve| Ruling::NeedsCorrection { reserve }),
        1 => Just(Ruling::Rejected),
    ];
    let amount = (1..400_i64).prop_map(|fen| Fen::new(fen).unwrap());
    prop_oneof![
        1 => (0..CLAIMS, ruling, amount)
            .prop_map(|(claim, ruling, amount)| Event::Decide { claim, ruling, amount }),
        4 => (0..CLAIMS, prop::sample::select(&Verb::ALL)).prop_map(|(claim, verb)| Event::Do { claim, verb }),
    ]
}

#[derive(Debug, Clone, Default)]
struct Recorded {
    standing: Option<Standing>,
    amount: Fen,
    paid: u32,
    /// Whether it holds its keys and quota.
    holds: bool,
    clawback: Option<Clawback>,
    transfers: Vec<Transfer>,
}

/// A county with one fund, which only `step` and `rule` move.
struct County {
    balances: Balances,
    claims: Vec<Recorded>,
}

impl County {
    fn new(appropriated: i64) -> County {
        let given = Transfer::new(Reason::Appropriate, Fen::new(appropriated).unwrap()).unwrap();
        County {
            balances: Balances::fold(&[given]).unwrap(),
            claims: vec![Recorded::default(); CLAIMS],
        }
    }

    /// The money for a transfer of the table is always there: a shortfall is a fault of the table.
    fn post(&mut self, claim: usize, reason: Reason) {
        self.post_part(claim, reason, self.claims[claim].amount);
    }

    fn post_part(&mut self, claim: usize, reason: Reason, part: Fen) {
        let transfer = Transfer::new(reason, part).unwrap();
        self.balances = self.balances.apply(&transfer).unwrap();
        self.claims[claim].transfers.push(transfer);
    }

    fn decide(&mut self, claim: usize, ruling: Ruling, amount: Fen) {
        let before = self.claims[claim].standing;
        let room = match before {
            Some(standing) if standing.reserved => self
                .balances
                .available
                .checked_add(self.claims[claim].amount)
                .unwrap(),
            _ => self.balances.available,
        };
        let ruling = match ruling {
            Ruling::UnderReview if room < amount => Ruling::Waitlisted,
            Ruling::NeedsCorrection { .. } if room < amount => Ruling::NeedsCorrection { reserve: false },
            ruling => ruling,
        };
        let Ok(ruled) = rule(before, ruling) else { return };
        if ruled.release {
            self.post(claim, Reason::Release);
        }
        if ruled.reserve || !ruled.reserved {
            self.claims[claim].amount = amount;
        }
        if ruled.reserve {
            self.post(claim, Reason::Reserve);
        }
        self.claims[claim].holds = ruled.holdings == Holdings::Keep;
        self.claims[claim].standing = Some(ruled.standing());
    }

    fn act(&mut self, claim: usize, verb: Verb) {
        let Some(standing) = self.claims[claim].standing else {
            return;
        };
        let Ok(step) = step(standing, verb) else { return };
        if step.transfer == Some(Reason::Reserve) && self.balances.available < self.claims[claim].amount {
            return;
        }
        let Some(part) = self.claw_back(claim, verb) else {
            return;
        };
        if let Some(reason) = step.transfer {
            self.post_part(claim, reason, part);
        }
        match verb {
            Verb::Pay => self.claims[claim].paid += 1,
            Verb::ReturnPayment => self.claims[claim].paid -= 1,
            _ => {}
        }
        if step.holdings == Holdings::Release {
            assert!(self.claims[claim].holds, "released twice");
            self.claims[claim].holds = false;
        }
        self.claims[claim].standing = Some(step.standing());
    }

    /// The transfer of a verb. For a clawback a part, and none if its sums lead to another verb.
    fn claw_back(&mut self, claim: usize, verb: Verb) -> Option<Fen> {
        let claim = &mut self.claims[claim];
        let (settled, last) = match verb {
            Verb::Return | Verb::Demand if claim.paid == 1 => {
                let half = Fen::new((claim.amount.get() / 2).max(1)).unwrap();
                let (reason, part) = if verb == Verb::Demand {
                    (ClawbackReason::Fraud, Some(half))
                } else {
                    (ClawbackReason::GoodsReturned, None)
                };
                let demanded = Clawback::demand(reason, claim.amount, part).unwrap();
                claim.clawback = Some(demanded);
                return Some(demanded.due);
            }
            Verb::RepayPart => (Settled::Repaid, false),
            Verb::ClawBack | Verb::ClawBackBarred => (Settled::Repaid, true),
            Verb::WaivePart => (Settled::Waived, false),
            Verb::Waive => (Settled::Waived, true),
            _ => return Some(claim.amount),
        };
        let mut after = claim.clawback.unwrap();
        let part = if last { after.open() } else { Fen::new(1).unwrap() };
        if after.settle(settled, part) != Ok(verb) {
            return None;
        }
        claim.clawback = Some(after);
        Some(part)
    }

    /// Of every clawback.
    fn clawbacks(&self, part: impl Fn(Clawback) -> Fen) -> Fen {
        let parts = self.claims.iter().filter_map(|claim| claim.clawback).map(part);
        parts.fold(Fen::ZERO, Fen::saturating_add)
    }

    fn sum(&self, wanted: impl Fn(Standing) -> bool) -> Fen {
        let sums = self
            .claims
            .iter()
            .filter(|c| c.standing.is_some_and(&wanted))
            .map(|c| c.amount);
        sums.fold(Fen::ZERO, Fen::saturating_add)
    }

    fn audit(&self) {
        assert!(self.balances.is_balanced());
        let status = |status| move |s: Standing| s.status == status;
        assert_eq!(self.balances.reserved, self.sum(|s| s.reserved));
        assert_eq!(
            self.balances.payable,
            self.sum(|s| matches!(s.status, Status::Approved | Status::PaymentFailed))
        );
        assert_eq!(self.balances.in_payment, self.sum(status(Status::InPayment)));
        let kept = self.clawbacks(|it| it.out().saturating_sub(it.open()));
        assert_eq!(
            self.balances.disbursed,
            self.sum(status(Status::Paid)).saturating_add(kept)
        );
        assert_eq!(self.balances.recoverable, self.clawbacks(|it| it.open()));
        for claim in &self.claims {
            assert!(claim.paid <= 1, "paid twice");
            let Some(standing) = claim.standing else { continue };
            let barred = claim.clawback.is_some_and(|it| it.is_closed() && !it.is_free());
            assert_eq!(
                claim.holds,
                !standing.status.is_terminal() || barred,
                "{standing:?}"
            );
            if standing.status.is_terminal() {
                assert!(!standing.reserved, "{standing:?}");
                let out = claim.clawback.map_or(Fen::ZERO, |it| it.out());
                assert!(out.is_zero() || claim.holds, "money is out and nothing holds it");
                assert_eq!(
                    moved_to(&claim.transfers, Account::Available).saturating_add(out),
                    moved_from(&claim.transfers)
                );
            }
        }
    }
}

/// The sum that the claim's transfers brought into an account, and the sum they took out of the
/// available one.
fn moved_to(transfers: &[Transfer], account: Account) -> Fen {
    let sums = transfers
        .iter()
        .filter(|t| t.debit() == account)
        .map(|t| t.amount);
    sums.fold(Fen::ZERO, Fen::saturating_add)
}

fn moved_from(transfers: &[Transfer]) -> Fen {
    let sums = transfers
        .iter()
        .filter(|t| t.credit() == Account::Available)
        .map(|t| t.amount);
    sums.fold(Fen::ZERO, Fen::saturating_add)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_walk_pays_twice_overspends_or_leaves_a_reservation(
        appropriated in 1..1_000_i64,
        events in prop::collection::vec(event(), 0..120),
    ) {
        let mut county = County::new(appropriated);
        for event in events {
            match event {
                Event::Decide { claim, ruling, amount } => county.decide(claim, ruling, amount),
                Event::Do { claim, verb } => county.act(claim, verb),
            }
            county.audit();
        }
        // From every state, every claim can be brought to an end, and the fund is available again
        // except for what was left out.
        for claim in 0..CLAIMS {
            for verb in [
                Verb::CancelInstruction,
                Verb::Withdraw,
                Verb::Return,
                Verb::ClawBack,
                Verb::ClawBackBarred,
            ] {
                county.act(claim, verb);
                county.audit();
            }
            prop_assert!(county.claims[claim].standing.is_none_or(|s| s.status.is_terminal()));
        }
        let out = county.clawbacks(|it| it.out());
        prop_assert_eq!(county.balances.available.saturating_add(out), county.balances.appropriated);
    }
}
