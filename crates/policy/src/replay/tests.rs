use super::*;
use crate::facts::Value;
use crate::receipt::receipt;

const SOURCE: &str = include_str!("../../../../seeds/programmes/appliance-2026.toml");

fn programme(edits: &[(&str, &str)]) -> Programme {
    let mut source = SOURCE.to_owned();
    for (from, to) in edits {
        assert!(source.contains(from), "the document no longer has {from}");
        source = source.replace(from, to);
    }
    Programme::parse(&source).unwrap()
}

/// What the document's examples have in common: an eligible claim.
fn facts() -> Facts {
    let example = programme(&[]);
    example.examples[0].facts.clone()
}

fn recorded(facts: &Facts) -> Recorded {
    let first = programme(&[]);
    let decision = first.decide(facts);
    let mut quota = RuleOutcome::system(QUOTA, true);
    quota
        .facts
        .insert("quota.slot", Value::Text("appliance:air_conditioner:2026".into()));
    quota.facts.insert("quota.used", Value::Text("0".into()));
    quota.facts.insert("quota.limit", Value::Text("1".into()));
    let system = [
        RuleOutcome::system("unique-invoice", true),
        quota,
        RuleOutcome::system(CAP, true),
    ];
    Recorded::read(&receipt(&first, facts, &decision, &system).json).unwrap()
}

fn compare(edits: &[(&str, &str)], facts: &Facts) -> Comparison {
    programme(edits).compare(&recorded(facts), &programme(&[]).asks_for())
}

#[test]
fn a_receipt_tells_what_was_decided() {
    let facts = facts();
    let it = recorded(&facts);
    assert_eq!((it.version, it.outcome), (1, Outcome::Eligible));
    assert_eq!(it.amount, Some("600.00".parse().unwrap()));
    assert_eq!(it.quota, Some(("appliance:air_conditioner:2026".into(), 0)));
    assert_eq!(it.facts, facts);
    assert!(Recorded::read("{}").is_err() && Recorded::read("no receipt").is_err());
}

#[test]
fn the_document_that_decided_changes_nothing() {
    let it = compare(&[], &facts());
    assert_eq!((it.was, it.would_be), (Outcome::Eligible, Outcome::Eligible));
    assert_eq!((it.was_amount, it.used), (it.amount, Some(0)));
    assert!(it.changed.is_empty() && it.lacking.is_empty(), "{it:?}");
    assert_eq!(it.over_quota, Outcome::Ineligible);
}

#[test]
fn another_rate_is_another_price_and_was_taken_off_at_the_till() {
    let rate = ("rate = \"0.15\"", "rate = \"0.10\"");
    let it = compare(&[rate], &facts());
    assert_eq!(it.amount, Some("400.00".parse().unwrap()));
    assert_eq!(it.would_be, Outcome::Eligible);
    assert!(it.till && it.changed.is_empty(), "{it:?}");
    // A sum that did not match before does not match now.
    let mut odd = facts();
    odd.set("purchase.paid", Value::Decimal("3400.01".parse().unwrap()))
        .unwrap();
    let it = compare(&[rate], &odd);
    assert_eq!(
        (it.was, it.would_be),
        (Outcome::NeedsCorrection, Outcome::NeedsCorrection)
    );
    assert!(!it.till);
    // A merchant deducts nothing either where the applicant is paid.
    let mut applicant = facts();
    applicant
        .set("payee.kind", Value::Text("applicant".into()))
        .unwrap();
    applicant
        .set("purchase.paid", Value::Decimal("4000.00".parse().unwrap()))
        .unwrap();
    let it = compare(&[rate], &applicant);
    assert_eq!((it.would_be, it.till), (Outcome::Eligible, false));
}

#[test]
fn a_stricter_rule_fails_with_its_name() {
    let it = compare(
        &[("require = \"label.grade == 1\"", "require = \"label.grade < 1\"")],
        &facts(),
    );
    assert_eq!(it.would_be, Outcome::Ineligible);
    let changed = it.changed.iter().map(|it| (&*it.rule, it.was, it.would_be));
    assert_eq!(
        changed.collect::<Vec<_>>(),
        [("efficiency-grade", Some(RuleResult::Pass), Some(RuleResult::Fail))]
    );
}

#[test]
fn rules_that_come_and_go_are_named_on_their_side() {
    let it = compare(&[("\"efficiency-grade\"", "\"grade\"")], &facts());
    let changed = it.changed.iter().map(|it| (&*it.rule, it.was, it.would_be));
    assert_eq!(
        changed.collect::<Vec<_>>(),
        [
            ("grade", None, Some(RuleResult::Pass)),
            ("efficiency-grade", Some(RuleResult::Pass), None),
        ]
    );
    assert_eq!(it.would_be, Outcome::Eligible);
}

#[test]
fn a_fact_that_was_not_asked_for_leaves_it_open_and_one_that_was_missing_does_not() {
    let collected = (
        "[[rule]]\nid = \"category\"",
        "[[rule]]\nid = \"collected\"\nclause = \"商办流通函〔2025〕469号\"\n\
         require = \"old.collected_on <= purchase.invoice_date\"\ncorrectable = true\n\
         message = { zh = \"先回收\", en = \"Collected first\" }\n\n[[rule]]\nid = \"category\"",
    );
    let it = compare(&[collected], &facts());
    assert_eq!(it.lacking, ["old.collected_on"]);
    let mut unlabelled = facts();
    unlabelled.remove("label.grade");
    let it = compare(&[], &unlabelled);
    assert_eq!(
        (it.was, it.would_be),
        (Outcome::NeedsCorrection, Outcome::NeedsCorrection)
    );
    assert!(it.lacking.is_empty(), "{it:?}");
}

#[test]
fn another_slot_was_never_counted() {
    let it = compare(&[("group = \"appliance\"", "group = \"household\"")], &facts());
    assert_eq!(it.used, None);
    assert_eq!(it.quota.unwrap().slot, "household:air_conditioner:2026");
}
