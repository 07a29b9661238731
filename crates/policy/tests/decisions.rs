//! Properties: totality, bounds of the amount, rounding, and receipts that come out again.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::LazyLock;

use chrono::NaiveDate;
use policy::receipt::{self, Mismatch, receipt};
use policy::schema::{self, FACTS, FactType};
use policy::{Facts, Lang, Outcome, Programme, RuleOutcome, RuleResult, Value, Verdict};
use proptest::prelude::*;
use rust_decimal::Decimal;

static PROGRAMMES: LazyLock<Vec<Programme>> = LazyLock::new(|| {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../seeds/programmes");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let documents = paths
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    documents
        .map(|path| Programme::parse(&std::fs::read_to_string(path).unwrap()).unwrap())
        .collect()
});

fn programme(id: &str) -> &'static Programme {
    PROGRAMMES.iter().find(|programme| programme.id() == id).unwrap()
}

/// Facts of the document's first example, which is eligible.
fn eligible(id: &str) -> Facts {
    let example = programme(id).examples().first().unwrap();
    assert_eq!(example.verdict, Verdict::Eligible);
    example.facts.clone()
}

fn yuan(text: &str) -> Decimal {
    Decimal::from_str(text).unwrap()
}

fn value_of(kind: FactType) -> BoxedStrategy<Value> {
    let text = "[a-z_]{0,12}".prop_map(Value::Text);
    match kind {
        FactType::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        FactType::Money | FactType::Number => prop_oneof![
            (any::<i64>(), 0_u32..6).prop_map(|(units, scale)| Value::Decimal(Decimal::new(units, scale))),
            (0_i64..3_000).prop_map(|units| Value::Decimal(Decimal::from(units))),
            Just(Value::Decimal(Decimal::MAX)),
            Just(Value::Decimal(Decimal::MIN)),
        ]
        .boxed(),
        FactType::Date => prop_oneof![
            (15_000_i32..21_000).prop_map(|day| Value::Date(NaiveDate::from_epoch_days(day).unwrap())),
            Just(Value::Date(NaiveDate::MAX)),
            Just(Value::Date(NaiveDate::MIN)),
        ]
        .boxed(),
        FactType::Choice(words) => prop_oneof![
            proptest::sample::select(words).prop_map(|it| Value::Text(it.to_owned())),
            text
        ]
        .boxed(),
        FactType::Text => {
            let known = [
                "vehicle",
                "phone",
                "refrigerator",
                "freezer",
                "computer",
                "printer",
                "small_passenger",
                "轿车",
                "电冰箱",
            ];
            prop_oneof![
                proptest::sample::select(known.to_vec()).prop_map(|it| Value::Text(it.to_owned())),
                text
            ]
            .boxed()
        }
    }
}

/// Any facts: each may be missing, absurd, or right.
fn any_facts() -> impl Strategy<Value = Facts> {
    let each: Vec<_> = FACTS
        .iter()
        .filter(|fact| !fact.computed)
        .map(|fact| prop::option::weighted(0.9, value_of(fact.kind)))
        .collect();
    each.prop_map(|values| {
        let mut facts = Facts::new();
        for (fact, value) in FACTS.iter().filter(|fact| !fact.computed).zip(values) {
            if let Some(value) = value {
                facts.set(fact.path, value).unwrap();
            }
        }
        facts
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn deciding_is_total_and_its_receipt_comes_out_again(facts in any_facts(), index in 0_usize..11) {
        let programme = &PROGRAMMES[index];
        let decision = programme.decide(&facts);
        let system = programme.texts().filter(|it| programme.system_rule(&it.id).is_some()).count();
        prop_assert_eq!(decision.rules.len() + system, programme.texts().count());
        if decision.verdict == Verdict::Eligible {
            prop_assert!(decision.price.is_some());
        }
        if let Some(price) = &decision.price {
            prop_assert!(price.amount <= price.base && price.amount <= price.uncapped);
            prop_assert!(price.amount >= Decimal::ZERO && price.amount.scale() == 2);
        }
        for rule in &decision.rules {
            prop_assert_eq!(rule.outcome == RuleResult::Unknown, !rule.missing.is_empty(), "{}", rule.id);
            for lang in [Lang::Zh, Lang::En] {
                programme.fix(rule, lang);
            }
        }
        let receipt = receipt(programme, &facts, &decision, &[]);
        prop_assert_eq!(receipt::re_execute(programme, &receipt.json), Ok(()));
        prop_assert_eq!(Facts::from_json(&facts.to_json()), Ok(facts));
    }

    /// 15 % capped at 1,500, in whole fen, by integer arithmetic that shares nothing with the
    /// crate.
    #[test]
    fn shares_round_half_up_to_the_fen(fen in 1_i64..3_000_000) {
        let price = Decimal::new(fen, 2);
        let mut facts = eligible("appliance-2026");
        for key in [schema::PURCHASE_FINAL_PRICE, schema::PURCHASE_INVOICE_TOTAL, schema::FILED_PRICE] {
            facts.put(key, price);
        }
        let expected = ((fen * 15 + 50) / 100).min(150_000);
        facts.put(schema::PURCHASE_PAID, Decimal::new(fen - expected, 2));
        let decision = programme("appliance-2026").decide(&facts);
        prop_assert_eq!(decision.price.unwrap().amount, Decimal::new(expected, 2));
        prop_assert_eq!(decision.verdict, Verdict::Eligible);
    }

    #[test]
    fn no_tier_pays_more_than_its_cap(fen in 1_i64..100_000_000, index in 0_usize..11) {
        let programme = &PROGRAMMES[index];
        let caps = [("appliance-2026", "1500.00"), ("appliance-2025", "2000.00"), ("appliance-2024", "2000.00"),
            ("digital-2025", "500.00"), ("digital-2026", "500.00"), ("vehicle-replacement-2025", "15000.00"),
            ("vehicle-replacement-2026", "15000.00"), ("vehicle-scrap-2024a", "10000.00"), ("vehicle-scrap-2024b", "20000.00"),
            ("vehicle-scrap-2025", "20000.00"), ("vehicle-scrap-2026", "20000.00")];
        let cap = caps.iter().find(|(id, _)| *id == programme.id()).unwrap().1;
        let mut facts = eligible(programme.id());
        facts.put(schema::PURCHASE_FINAL_PRICE, Decimal::new(fen, 2)).put(schema::PURCHASE_INVOICE_TOTAL, Decimal::new(fen, 2));
        let amount = programme.decide(&facts).price.unwrap().amount;
        prop_assert!(amount <= yuan(cap) && amount <= Decimal::new(fen, 2));
    }
}

#[test]
fn a_receipt_is_stable_and_tells_what_was_changed() {
    let programme = programme("digital-2026");
    let facts = eligible("digital-2026");
    let decision = programme.decide(&facts);
    let system = [
        RuleOutcome::system("unique-imei", true),
        RuleOutcome::system("cap", false),
    ];
    let first = receipt(programme, &facts, &decision, &system);
    assert_eq!(first, receipt(programme, &facts, &decision, &system));
    assert_eq!(first.outcome, Outcome::Waitlisted);
    assert_eq!(first.digest, receipt::digest(first.json.as_bytes()));
    assert_eq!(receipt::re_execute(programme, &first.json), Ok(()));
    assert!(
        first
            .json
            .contains(r#""subsidy":{"amount":"450.00","base":"3000.00","rate":"0.15","uncapped":"450.00"}"#)
    );

    let reading = receipt::read(programme, &first.json).unwrap();
    assert_eq!(
        (reading.facts, reading.decision, reading.outcome),
        (facts, decision, Outcome::Waitlisted)
    );
    assert_eq!(reading.system, system);
    let version = receipt::open(&first.json).unwrap().version();
    assert_eq!(version, 1);

    let changed = first.json.replace(r#""amount":"450.00""#, r#""amount":"451.00""#);
    assert!(
        matches!(receipt::re_execute(programme, &changed), Err(Mismatch::Differs { part, .. }) if part == "subsidy")
    );
    let changed = first.json.replace(r#""waitlisted""#, r#""eligible""#);
    assert!(
        matches!(receipt::re_execute(programme, &changed), Err(Mismatch::Differs { part, .. }) if part == "outcome")
    );
    let changed = first
        .json
        .replace(r#""filed.price":"3000.00""#, r#""filed.price":"2000.00""#);
    assert!(matches!(
        receipt::re_execute(programme, &changed),
        Err(Mismatch::Differs { .. })
    ));
    let spaced = first.json.replacen(':', ": ", 1);
    assert_eq!(
        receipt::re_execute(programme, &spaced),
        Err(Mismatch::NotCanonical)
    );
    let other = PROGRAMMES.iter().find(|it| it.id() == "digital-2025").unwrap();
    assert!(matches!(
        receipt::re_execute(other, &first.json),
        Err(Mismatch::OtherProgramme { .. })
    ));
}

#[test]
fn outcomes_count_what_the_service_decides() {
    let programme = programme("appliance-2026");
    let decision = programme.decide(&eligible("appliance-2026"));
    let outcome = |failed: &[&str]| {
        let system: Vec<_> = failed.iter().map(|id| RuleOutcome::system(id, false)).collect();
        programme.outcome(&decision, &system)
    };
    assert_eq!(outcome(&[]), Outcome::Eligible);
    assert_eq!(outcome(&["cap"]), Outcome::Waitlisted);
    assert_eq!(outcome(&["quota"]), Outcome::Ineligible);
    assert_eq!(outcome(&["cap", "unique-serial-number"]), Outcome::Ineligible);
    assert_eq!(outcome(&["no-such-rule"]), Outcome::Ineligible);
}

#[test]
fn quotas_share_slots_as_the_rules_say() {
    let slot = |id: &str| {
        programme(id)
            .quota(&eligible(id))
            .map(|quota| (quota.slot, quota.limit))
    };
    assert_eq!(slot("vehicle-scrap-2026"), slot("vehicle-replacement-2026"));
    assert_eq!(slot("vehicle-scrap-2026"), Some(("vehicle:2026".to_owned(), 1)));
    assert_eq!(slot("vehicle-scrap-2025"), None);
    assert_eq!(
        slot("appliance-2026"),
        Some(("appliance:air_conditioner:2026".to_owned(), 1))
    );
    let mut facts = eligible("appliance-2025");
    facts.put(schema::ITEM_CATEGORY, "air_conditioner");
    let quota = programme("appliance-2025").quota(&facts).unwrap();
    assert_eq!(
        (quota.slot.as_str(), quota.limit),
        ("appliance:air_conditioner:2025", 3)
    );
    let mut facts = eligible("appliance-2026");
    facts.put(schema::ITEM_CATEGORY, "freezer");
    assert_eq!(
        programme("appliance-2026").quota(&facts).unwrap().slot,
        "appliance:refrigerator:2026"
    );
}

#[test]
fn a_missing_fact_says_what_to_send() {
    let programme = programme("vehicle-scrap-2026");
    let mut facts = eligible("vehicle-scrap-2026");
    facts.remove("papers.deregistration_date");
    let decision = programme.decide(&facts);
    assert_eq!(decision.verdict, Verdict::NeedsCorrection);
    let rule = decision
        .rules
        .iter()
        .find(|rule| *rule.id == *"evidence-deregistration")
        .unwrap();
    assert_eq!(rule.missing, ["papers.deregistration_date"]);
    assert!(
        programme
            .fix(rule, Lang::En)
            .unwrap()
            .contains("give old_item.deregistration")
    );
    assert!(programme.fix(rule, Lang::Zh).unwrap().contains("机动车注销证明"));
    assert_eq!(
        programme.governing_date(&facts),
        facts.date(schema::PURCHASE_INVOICE_DATE)
    );
}

#[test]
fn facts_refuse_what_the_schema_does_not_know() {
    let mut facts = Facts::new();
    assert!(facts.set("purchase.invoice_dat", Value::Bool(true)).is_err());
    assert!(facts.set("purchase.invoice_date", Value::Bool(true)).is_err());
    assert!(facts.set("subsidy.amount", Value::Decimal(Decimal::ONE)).is_err());
    facts
        .put(schema::PURCHASE_PAID, yuan("12.5"))
        .put(schema::LABEL_GRADE, yuan("1.00"));
    assert_eq!(
        facts.to_json().to_string(),
        r#"{"label.grade":"1","purchase.paid":"12.50"}"#
    );
}
