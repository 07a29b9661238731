use policy::Quota;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const COUNTY: &str = "140802";
const CITY: &str = "140800";

fn place(code: &str) -> JurisdictionCode {
    JurisdictionCode::parse(code).unwrap()
}

fn key(code: &str, scope: Scope) -> LimitKey {
    LimitKey {
        jurisdiction: place(code),
        programme: ProgrammeId::parse("appliance-2026").unwrap(),
        scope,
    }
}

fn yuan(text: &str) -> Fen {
    text.parse().unwrap()
}

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 6, day).unwrap()
}

fn replay(limits: &[(&str, Scope, &str)]) -> Replay {
    let limits = limits
        .iter()
        .map(|(code, scope, ceiling)| (key(code, scope.clone()), (yuan(ceiling), Fen::ZERO)));
    Replay::new(
        ProgrammeId::parse("appliance-2026").unwrap(),
        [(place(COUNTY), place(CITY))].into(),
        limits.collect(),
    )
}

/// Eligible on both sides for these sums.
fn arrival(number: u128, on: u32, was: &str, would_be: &str) -> Arrival {
    let amount = |text: &str| Some(text.parse().unwrap());
    Arrival {
        id: ClaimId::new(place(COUNTY), Uuid::from_u128(number)),
        day: day(on),
        person: Digest::new([1; 16]),
        category: "refrigerator".into(),
        comparison: Comparison {
            was: Outcome::Eligible,
            was_amount: amount(was),
            would_be: Outcome::Eligible,
            over_quota: Outcome::Ineligible,
            amount: amount(would_be),
            category: Some("refrigerator".into()),
            quota: None,
            used: None,
            was_quota: None,
            till: false,
            changed: Vec::new(),
            lacking: Vec::new(),
        },
    }
}

fn with_quota(mut arrival: Arrival, limit: u32, used: Option<u32>, was: Option<RuleResult>) -> Arrival {
    arrival.comparison.quota = Some(Quota {
        slot: "appliance:refrigerator:2026".into(),
        limit,
    });
    (arrival.comparison.used, arrival.comparison.was_quota) = (used, was);
    if was == Some(RuleResult::Fail) {
        arrival.comparison.was = Outcome::Ineligible;
    }
    arrival
}

#[test]
fn limits_run_out_on_the_day_of_the_first_claim_they_turn_away() {
    let mut it = replay(&[
        (COUNTY, Scope::Fund, "1000.00"),
        (CITY, Scope::Category("refrigerator".into()), "700.00"),
    ]);
    // 300 and 300 fit; the third does not fit the city's 700, nor the smaller one behind it.
    for (number, on, money) in [
        (1, 1, "300.00"),
        (2, 2, "300.00"),
        (3, 4, "300.00"),
        (4, 5, "50.00"),
    ] {
        it.take(arrival(number, on, "200.00", money)).unwrap();
    }
    let limits = it.limits();
    assert_eq!(
        limits
            .iter()
            .map(|limit| (
                limit.key.jurisdiction.to_string(),
                limit.would_be,
                limit.was.ran_out
            ))
            .collect::<Vec<_>>(),
        [
            (
                CITY.to_owned(),
                Use {
                    committed: yuan("600.00"),
                    ran_out: Some(day(4)),
                    turned_away: 2
                },
                Some(day(5)),
            ),
            (
                COUNTY.to_owned(),
                Use {
                    committed: yuan("600.00"),
                    ran_out: None,
                    turned_away: 0
                },
                None
            ),
        ]
    );
    let passage = &it.tally().passages[&(Outcome::Eligible, WouldBe::Decided(Outcome::Waitlisted))];
    assert_eq!(
        (passage.claims, passage.was, passage.would_be),
        (1, yuan("200.00"), Fen::ZERO)
    );
    assert_eq!(
        passage.rules.keys().map(|it| &*it.rule).collect::<Vec<_>>(),
        [CAP]
    );
    let both = Outcome::Waitlisted;
    assert_eq!(it.tally().passages[&(both, WouldBe::Decided(both))].claims, 1);
    let granted = it.tally().places[&(place(COUNTY), "refrigerator".to_owned())];
    assert_eq!((granted.was, granted.would_be), (yuan("600.00"), yuan("600.00")));
}

#[test]
fn no_fund_no_money() {
    let mut it = replay(&[]);
    let one = it.take(arrival(1, 1, "1.00", "1.00")).unwrap();
    assert_eq!(one.was, Outcome::Waitlisted);
    assert!(!one.differs());
}

#[test]
fn a_wider_quota_lets_in_whom_the_receipts_refused_and_a_narrower_one_refuses() {
    let limits = [(COUNTY, Scope::Fund, "9000.00")];
    let pass = Some(RuleResult::Pass);
    let fail = Some(RuleResult::Fail);
    // Recorded with a limit of 1: the second claim was refused, and so was the third.
    let recorded = |limit| {
        [(1, Some(0), pass), (2, Some(1), fail), (3, Some(1), fail)]
            .map(move |(number, used, was)| with_quota(arrival(number, 1, "1.00", "1.00"), limit, used, was))
    };
    let outcomes = |limit| {
        let mut it = replay(&limits);
        let outcomes = recorded(limit).map(|arrival| it.take(arrival).unwrap().would_be);
        (
            outcomes.map(|it| it == WouldBe::Decided(Outcome::Eligible)),
            it.persons(),
        )
    };
    assert_eq!(outcomes(1), ([true, false, false], 0));
    assert_eq!(outcomes(2), ([true, true, false], 1));
    assert_eq!(outcomes(3), ([true, true, true], 1));
    assert_eq!(outcomes(0), ([false, false, false], 1));
}

#[test]
fn a_slot_that_receipts_did_not_count_starts_empty() {
    let mut it = replay(&[(COUNTY, Scope::Fund, "9000.00")]);
    let first = with_quota(arrival(1, 1, "1.00", "1.00"), 1, None, None);
    let second = with_quota(arrival(2, 1, "1.00", "1.00"), 1, None, None);
    assert!(!it.take(first).unwrap().flips());
    let second = it.take(second).unwrap();
    assert_eq!(second.would_be, WouldBe::Decided(Outcome::Ineligible));
    assert_eq!(second.changed.len(), 1);
    assert_eq!(it.tally().uncounted_slots, 2);
}

#[test]
fn what_is_open_takes_nothing_and_is_named() {
    let mut it = replay(&[(COUNTY, Scope::Fund, "9000.00")]);
    let mut open = arrival(1, 1, "1.00", "1.00");
    open.comparison.lacking = vec!["old.collected_on".into()];
    let one = it.take(open).unwrap();
    assert_eq!((one.would_be, one.granted_would_be), (WouldBe::Open, Fen::ZERO));
    assert_eq!(it.tally().lacking["old.collected_on"], 1);
    assert_eq!(it.limits()[0].would_be.committed, Fen::ZERO);
}

proptest! {
    /// The document that decided, replayed, changes nothing, with any money.
    #[test]
    fn the_same_document_differs_in_nothing(
        ceilings in (0_i64..3_000, 0_i64..3_000),
        claims in proptest::collection::vec((1_i64..900, 0_usize..3, 1_u32..28), 0..40),
    ) {
        let outcomes = [Outcome::Eligible, Outcome::NeedsCorrection, Outcome::Ineligible];
        let limits = [(Scope::Fund, ceilings.0), (Scope::County, ceilings.1)]
            .map(|(scope, ceiling)| (key(COUNTY, scope), (Fen::new(ceiling).unwrap(), Fen::ZERO)));
        let programme = ProgrammeId::parse("appliance-2026").unwrap();
        let mut it = Replay::new(programme, BTreeMap::new(), limits.into());
        for (number, (money, outcome, on)) in claims.iter().enumerate() {
            let money = Fen::new(*money).unwrap().to_string();
            let mut arrival = arrival(u128::try_from(number).unwrap(), *on, &money, &money);
            (arrival.comparison.was, arrival.comparison.would_be) = (outcomes[*outcome], outcomes[*outcome]);
            let replayed = it.take(arrival).unwrap();
            prop_assert!(!replayed.differs() && replayed.changed.is_empty());
        }
        for limit in it.limits() {
            prop_assert_eq!(limit.was, limit.would_be);
            prop_assert!(limit.was.committed <= limit.ceiling);
        }
    }
}
