//! Bundles of a county's year and of the month after it: they verify with the public key in the
//! same folder, and their log has a line of every kind.

use std::collections::BTreeSet;
use std::io::{Cursor, Read};

use claims::life_cycle::Verb;
use ledger::Reason;
use ledger::log::{PublicKey, Witness};
use proof::{Manifest, Report};
use serde_json::{Value, json};
use testkit::World;

use super::{frozen, inside};

const BUNDLES: [&str; 2] = ["bundles/year.tar.zst", "bundles/next.tar.zst"];
const KEYS: &str = "bundles/keys.txt";

fn unpacked(name: &str) -> Vec<u8> {
    zstd::decode_all(frozen::read(name).as_slice()).unwrap()
}

/// The log's public key and the witness's, as `huanxin verify` takes them.
fn keys() -> (PublicKey, Witness) {
    let text = frozen::text(KEYS);
    let (key, witness) = text.trim().split_once('\n').unwrap();
    (PublicKey::parse(key).unwrap(), Witness::parse(witness).unwrap())
}

/// Adds the bundle of the year if it is missing. Returns its manifest, from which the next one
/// continues.
pub(super) async fn add_year(world: &World) -> Option<Manifest> {
    let [year, _] = BUNDLES;
    if !frozen::wanted(year) {
        return None;
    }
    let key = world.service.audit().log_key();
    let witness = testkit::witness().public();
    frozen::add(KEYS, format!("{key}\n{witness}\n").as_bytes());
    let (manifest, file) = inside::bundle(world, None).await;
    frozen::add(year, &zstd::encode_all(file.as_slice(), 19).unwrap());
    Some(manifest)
}

/// Adds the bundle that continues from the year's.
pub(super) async fn add_next(world: &World, before: Option<Manifest>) {
    let [_, next] = BUNDLES;
    if let Some(before) = before.filter(|_| frozen::wanted(next)) {
        let (_, file) = inside::bundle(world, Some(&before)).await;
        frozen::add(next, &zstd::encode_all(file.as_slice(), 19).unwrap());
    }
}

/// Each county's log in the newer bundle.
pub(super) fn logs() -> Vec<(String, String)> {
    let bundle = unpacked(BUNDLES[1]);
    let mut archive = tar::Archive::new(Cursor::new(bundle));
    let mut logs = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        if let Some(county) = path.strip_suffix("/log.jsonl") {
            let mut log = String::new();
            entry.read_to_string(&mut log).unwrap();
            logs.push((county.to_owned(), log));
        }
    }
    logs
}

/// The figures of a report, under names that do not follow the code.
fn figures(report: &Report) -> Value {
    let counties = report.counties.iter().map(|it| {
        json!({
            "jurisdiction": it.jurisdiction, "leaves": it.leaves, "transfers": it.transfers, "decisions": it.decisions,
            "events": it.events, "claims": it.claims, "funds": it.funds, "caps": it.caps,
            "appropriations": it.appropriations, "disbursements": it.disbursements, "disbursed": it.disbursed,
            "samples": it.samples, "pairs": it.pairs, "witnesses": it.witnesses, "continues": it.continues,
        })
    });
    json!({
        "made_at": report.made_at, "bytes": report.bytes, "programmes": report.programmes, "keys": report.keys,
        "city_caps": report.city_caps, "counties": counties.collect::<Vec<_>>(),
    })
}

#[test]
fn bundles_verify_with_the_same_figures() {
    let (key, witness) = keys();
    for name in BUNDLES {
        let bundle = unpacked(name);
        let report = proof::verify(Cursor::new(&bundle), &key, std::slice::from_ref(&witness))
            .unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let report = format!("{:#}\n", figures(&report));
        let figures = name.replace(".tar.zst", ".json");
        if frozen::wanted(&figures) {
            frozen::add(&figures, report.as_bytes());
        }
        assert_eq!(report, frozen::text(&figures), "{name}");
        assert!(proof::manifest(Cursor::new(&bundle), &key).is_ok());
    }
}

#[test]
fn the_second_verifier_agrees() {
    let (holds, output) = crate::bundles::by_another_program(&unpacked(BUNDLES[1]));
    assert!(holds, "{output}");
}

#[test]
fn no_byte_of_a_bundle_may_change() {
    let (key, witness) = keys();
    let bundle = unpacked(BUNDLES[1]);
    for place in (0..bundle.len()).step_by(bundle.len() / 12) {
        let mut changed = bundle.clone();
        changed[place] ^= 1;
        let read = proof::verify(Cursor::new(changed), &key, std::slice::from_ref(&witness));
        assert!(read.is_err(), "byte {place}");
    }
}

#[test]
fn the_log_has_a_line_of_every_kind() {
    let mut kinds = BTreeSet::new();
    for (_, log) in logs() {
        for line in log.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let name = match line["kind"].as_str().unwrap() {
                "transfer" => &line["reason"],
                "decision" => &line["outcome"],
                _ => &line["verb"],
            };
            kinds.insert(format!(
                "{} {}",
                line["kind"].as_str().unwrap(),
                name.as_str().unwrap()
            ));
        }
    }
    let reasons = Reason::ALL.iter().map(|it| format!("transfer {}", it.as_str()));
    let outcomes = ["eligible", "ineligible", "needs_correction", "waitlisted"];
    let outcomes = outcomes.iter().map(|it| format!("decision {it}"));
    let verbs = Verb::ALL.iter().map(|it| format!("event {it}"));
    let others = frozen::text("bundles/events.txt");
    let others = others.lines().map(|verb| format!("event {verb}"));
    let expected = reasons.chain(outcomes).chain(verbs).chain(others);
    let missing = expected.filter(|kind| !kinds.contains(kind)).collect::<Vec<_>>();
    assert!(missing.is_empty(), "no line of {missing:?}");
}
