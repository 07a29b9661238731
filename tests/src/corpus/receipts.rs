//! Receipts of every programme and outcome: read, decided again from their facts, and written again
//! to the same bytes.
//!
//! A file holds a programme's worked examples together with findings of the service: keys free or
//! taken, a quota left or used up, money left or not. The documents are those of
//! `seeds/programmes/`; a published version is never removed from there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use policy::receipt::{Mismatch, digest, open, receipt};
use policy::{Outcome, Programme, RuleOutcome, Value};

use super::frozen;

fn programmes() -> Vec<Programme> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../seeds/programmes");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files = files.collect::<Vec<_>>();
    files.sort();
    let parsed = files.iter().map(|file| {
        let source = fs::read_to_string(file).unwrap();
        Programme::parse(&source).unwrap()
    });
    parsed.collect()
}

fn file(programme: &Programme) -> String {
    format!("receipts/{}@{}.jsonl.zst", programme.id(), programme.version())
}

fn found(id: &str, passed: bool, facts: &[(&str, &str)]) -> RuleOutcome {
    let mut rule = RuleOutcome::system(id, passed);
    for (path, value) in facts {
        rule.facts
            .insert((*path).to_owned(), Value::Text((*value).to_owned()));
    }
    rule
}

fn key(id: &str, taken: bool) -> RuleOutcome {
    let mut rule = RuleOutcome::system(id, !taken);
    rule.facts.insert(format!("{id}.taken"), Value::Bool(taken));
    rule
}

/// Rules of uniqueness; each programme has some of them.
const KEYS: [&str; 6] = [
    "unique-invoice",
    "unique-serial-number",
    "unique-imei",
    "unique-vin",
    "unique-scrap-certificate",
    "unique-transfer-invoice",
];

/// The keys of a programme, at most one of them taken.
fn keys(programme: &Programme, taken: Option<&str>) -> Vec<RuleOutcome> {
    let known = KEYS.iter().filter(|id| programme.system_rule(id).is_some());
    known.map(|id| key(id, taken == Some(*id))).collect()
}

/// Findings of the service about a claim that the rules admit.
fn findings(programme: &Programme) -> Vec<Vec<RuleOutcome>> {
    let quota = |used| {
        let facts = [
            ("quota.slot", "air_conditioner"),
            ("quota.used", used),
            ("quota.limit", "3"),
        ];
        let rule = found("quota", used != "3", &facts);
        programme.system_rule("quota").map(|_| rule)
    };
    let cap = |limit, left, waiting| {
        let facts = [("cap.limit", limit), ("cap.left", left), ("cap.waiting", waiting)];
        found("cap", false, &facts)
    };
    let free = |quota: Option<RuleOutcome>, cap: Option<RuleOutcome>| {
        let rules = keys(programme, None).into_iter().chain(quota);
        rules.chain(cap).collect::<Vec<_>>()
    };
    let mut findings = vec![
        Vec::new(),
        free(quota("0"), Some(found("cap", true, &[]))),
        free(quota("2"), Some(cap("140802/fund", "599.99", "0"))),
        free(
            quota("2"),
            Some(cap("140800/category:air_conditioner", "0.00", "17")),
        ),
        free(quota("3"), None),
    ];
    findings.extend(KEYS.map(|id| keys(programme, Some(id))));
    findings
}

/// Every example of a programme, with each finding.
fn written(programme: &Programme) -> String {
    let mut lines = BTreeSet::new();
    for example in programme.examples() {
        let decision = programme.decide(&example.facts);
        let plain = receipt(programme, &example.facts, &decision, &[]);
        let admitted = plain.outcome == Outcome::Eligible;
        let findings = if admitted && lines.len() < 60 {
            findings(programme)
        } else {
            vec![keys(programme, None)]
        };
        for system in findings {
            lines.insert(receipt(programme, &example.facts, &decision, &system).json);
        }
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

#[test]
fn receipts_are_decided_and_written_as_they_were() {
    for programme in programmes() {
        let name = file(&programme);
        if frozen::wanted(&name) {
            let packed = zstd::encode_all(written(&programme).as_bytes(), 19).unwrap();
            frozen::add(&name, &packed);
        }
        let text = zstd::decode_all(frozen::read(&name).as_slice()).unwrap();
        let mut outcomes = BTreeSet::new();
        for line in String::from_utf8(text).unwrap().lines() {
            let opened = open(line).unwrap();
            assert_eq!(
                (opened.programme(), opened.version()),
                (programme.id(), programme.version())
            );
            let reading = opened
                .read(&programme)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            let again = receipt(&programme, &reading.facts, &reading.decision, &reading.system);
            assert_eq!(
                (again.json.as_str(), again.outcome),
                (line, reading.outcome),
                "{name}"
            );
            assert_eq!(again.digest, digest(line.as_bytes()));
            outcomes.insert(reading.outcome.as_str());
        }
        let all = ["eligible", "ineligible", "needs_correction", "waitlisted"];
        assert_eq!(outcomes, BTreeSet::from(all), "{name}");
    }
}

#[test]
fn a_receipt_of_another_document_or_amount_does_not_hold() {
    let programmes = programmes();
    let (one, other) = (&programmes[0], &programmes[1]);
    let text = zstd::decode_all(frozen::read(&file(one)).as_slice()).unwrap();
    let text = String::from_utf8(text).unwrap();
    let line = text
        .lines()
        .find(|it| it.contains("\"outcome\":\"eligible\""))
        .unwrap();
    let read = open(line).unwrap().read(other);
    assert!(matches!(read, Err(Mismatch::OtherProgramme { .. })), "{read:?}");
    let (before, rest) = line.split_once("\"subsidy\":{\"amount\":\"").unwrap();
    let dearer = format!("{before}\"subsidy\":{{\"amount\":\"9{rest}");
    let read = open(&dearer).unwrap().read(one);
    assert!(matches!(read, Err(Mismatch::Differs { .. })), "{read:?}");
}
