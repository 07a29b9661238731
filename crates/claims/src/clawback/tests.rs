use proptest::prelude::*;

use super::*;
use crate::life_cycle::{Standing, Status, step};

fn fen(fen: i64) -> Fen {
    Fen::new(fen).unwrap()
}

#[test]
fn never_more_than_was_paid_and_never_nothing() {
    let paid = fen(60_000);
    for part in [Fen::ZERO, fen(60_001)] {
        let refused = Clawback::demand(ClawbackReason::Fraud, paid, Some(part));
        assert_eq!(refused, Err(NotOpen { open: paid }));
    }
    assert_eq!(
        Clawback::demand(ClawbackReason::Fraud, paid, None).unwrap().due,
        paid
    );
}

#[test]
fn what_becomes_of_holdings() {
    for (reason, part, waived, verb) in [
        (ClawbackReason::GoodsReturned, None, 0, Verb::ClawBack),
        (ClawbackReason::InvoiceReversed, None, 0, Verb::ClawBack),
        (ClawbackReason::Fraud, None, 0, Verb::ClawBackBarred),
        (ClawbackReason::ScrapNotClosed, None, 0, Verb::ClawBackBarred),
        // A part of its money stays out.
        (
            ClawbackReason::GoodsReturned,
            Some(59_999),
            0,
            Verb::ClawBackBarred,
        ),
        (ClawbackReason::GoodsReturned, None, 1, Verb::ClawBackBarred),
    ] {
        let mut it = Clawback::demand(reason, fen(60_000), part.map(fen)).unwrap();
        if waived > 0 {
            assert_eq!(it.settle(Settled::Waived, fen(waived)), Ok(Verb::WaivePart));
        }
        assert_eq!(it.settle(Settled::Repaid, it.open()), Ok(verb), "{reason}");
    }
}

#[test]
fn what_is_pending_is_not_asked_for_twice() {
    let mut it = Clawback::demand(ClawbackReason::GoodsReturned, fen(600), None).unwrap();
    assert_eq!(it.set_against(fen(400)), fen(400));
    assert_eq!(
        it.settle(Settled::Repaid, fen(201)),
        Err(NotOpen { open: fen(200) })
    );
    // The open part is repaid in full, and yet the clawback does not end before the payment does.
    assert_eq!(it.settle(Settled::Repaid, fen(200)), Ok(Verb::RepayPart));
    assert_eq!(it.settle(Settled::Netted, fen(400)), Ok(Verb::ClawBack));
}

#[test]
fn codes_round_trip() {
    for reason in ClawbackReason::ALL {
        assert_eq!(ClawbackReason::parse(reason.as_str()), Some(reason));
        assert!(reason.clause().contains('号'));
    }
}

#[derive(Debug, Clone, Copy)]
enum Part {
    Settle(Settled, i64),
    SetAgainst(i64),
    GiveBack,
}

fn part() -> impl Strategy<Value = Part> {
    let settled = prop::sample::select(vec![Settled::Repaid, Settled::Netted, Settled::Waived]);
    prop_oneof![
        3 => (settled, 0..300_i64).prop_map(|(settled, fen)| Part::Settle(settled, fen)),
        2 => (0..300_i64).prop_map(Part::SetAgainst),
        1 => Just(Part::GiveBack),
    ]
}

proptest! {
    #[test]
    fn no_order_of_parts_asks_for_more_than_is_due(
        reason in prop::sample::select(&ClawbackReason::ALL),
        due in 1..=600_i64,
        parts in prop::collection::vec(part(), 0..40),
    ) {
        let mut it = Clawback::demand(reason, fen(600), Some(fen(due))).unwrap();
        let mut standing = Standing { status: Status::ClawbackDue, reserved: false };
        for part in parts {
            match part {
                Part::SetAgainst(most) => {
                    it.set_against(fen(most));
                }
                Part::GiveBack => it.give_back(it.pending),
                Part::Settle(settled, part) => {
                    let before = it;
                    match it.settle(settled, fen(part)) {
                        // Every verb it names is legal, and the last one is terminal.
                        Ok(verb) => standing = step(standing, verb).unwrap().standing(),
                        Err(_) => prop_assert_eq!(it, before),
                    }
                }
            }
            let parts = [it.repaid, it.netted, it.pending, it.waived, it.open()];
            prop_assert_eq!(parts.into_iter().map(Fen::get).sum::<i64>(), due);
            prop_assert_eq!(it.is_closed(), standing.status.is_terminal());
        }
    }
}
