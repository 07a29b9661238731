//! Leaves of the log, one of every kind and form that a year's log has: encoded again from their
//! fields to the same bytes and hash. `crates/ledger/tests/vectors/log-v1.json` has leaves that
//! another implementation made.

use std::collections::BTreeMap;

use chrono::DateTime;
use ledger::log::{Decision, Event, Hash, Leaf, Posted};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{bundles, frozen};

const FILE: &str = "leaves/v1.jsonl";

fn number(line: &Value, name: &str) -> i64 {
    line[name].as_i64().unwrap_or_else(|| panic!("{name} of {line}"))
}

fn text<'a>(line: &'a Value, name: &str) -> &'a str {
    line[name].as_str().unwrap_or_else(|| panic!("{name} of {line}"))
}

fn bytes<const N: usize>(line: &Value, name: &str) -> [u8; N] {
    hex::decode(text(line, name)).unwrap().try_into().unwrap()
}

fn optional_id(line: &Value, name: &str) -> Option<[u8; 16]> {
    (!line[name].is_null()).then(|| bytes(line, name))
}

/// The bytes of the leaf that a line of the corpus describes.
fn encoded(line: &Value) -> Vec<u8> {
    let jurisdiction = text(line, "jurisdiction");
    let keys;
    let leaf = match text(line, "kind") {
        "transfer" => Leaf::Transfer(Posted {
            jurisdiction,
            height: number(line, "height"),
            programme: text(line, "programme"),
            reason: text(line, "reason"),
            amount: number(line, "amount"),
            claim: optional_id(line, "claim"),
            document: optional_id(line, "document"),
            posted_at: number(line, "posted_at"),
            actor: text(line, "actor"),
        }),
        "decision" => {
            keys = hex::decode(text(line, "keys")).unwrap();
            Leaf::Decision(Decision {
                jurisdiction,
                claim: bytes(line, "claim"),
                revision: number(line, "revision"),
                outcome: text(line, "outcome"),
                receipt: bytes(line, "receipt"),
                keys: &keys,
                decided_at: number(line, "decided_at"),
            })
        }
        "event" => Leaf::Event(Event {
            jurisdiction,
            id: bytes(line, "id"),
            subject: text(line, "subject"),
            verb: text(line, "verb"),
            actor: text(line, "actor"),
            person: text(line, "person"),
            at: number(line, "at"),
            revision: line["revision"].as_i64(),
            from: line["from"].as_str(),
            to: line["to"].as_str(),
            reason: line["reason"].as_str(),
            request: line["request"].as_str(),
            detail: line["detail"].as_str(),
        }),
        other => panic!("a leaf of kind {other}"),
    };
    leaf.encode()
}

/// The hashed form of a line of a bundle's log: times in microseconds, ids without hyphens, and the
/// digest of a receipt.
fn fields(jurisdiction: &str, line: &str) -> Value {
    let receipt = line.split_once(",\"receipt\":");
    let receipt = receipt.and_then(|(_, rest)| rest.rsplit_once(",\"keys\":"));
    let mut fields: Value = serde_json::from_str(line).unwrap();
    let object = fields.as_object_mut().unwrap();
    object.remove("leaf");
    object.insert("jurisdiction".into(), json!(jurisdiction));
    for name in ["at", "posted_at", "decided_at"] {
        if let Some(at) = object.get_mut(name) {
            let instant = DateTime::parse_from_rfc3339(at.as_str().unwrap()).unwrap();
            *at = json!(instant.timestamp_micros());
        }
    }
    for name in ["id", "claim", "document"] {
        if let Some(Value::String(id)) = object.get_mut(name) {
            *id = id.replace('-', "");
        }
    }
    if let Some((receipt, _)) = receipt {
        object.insert("receipt".into(), json!(hex::encode(Sha256::digest(receipt))));
        let keys = object["keys"].as_array().unwrap().iter();
        let keys = keys.map(|key| key.as_str().unwrap()).collect::<String>();
        object.insert("keys".into(), json!(keys));
    }
    fields
}

/// The form of a leaf: its kind, the values of its closed fields, and which optional fields it has.
fn form(fields: &Value) -> String {
    let closed = ["kind", "reason", "outcome", "verb", "from", "to"];
    let of_transfer = fields["kind"] == "transfer";
    let closed = closed.iter().filter(|name| of_transfer || **name != "reason");
    let values = closed.map(|name| fields[*name].as_str().unwrap_or("-"));
    let present = fields.as_object().unwrap().iter();
    let present = present.filter(|(_, value)| !value.is_null() && **value != json!(""));
    let present = present.map(|(name, _)| name.as_str());
    values.chain(present).collect::<Vec<_>>().join(" ")
}

fn written() -> String {
    let mut forms = BTreeMap::new();
    for (jurisdiction, log) in bundles::logs() {
        for line in log.lines() {
            let mut fields = fields(&jurisdiction, line);
            let form = form(&fields);
            let bytes = encoded(&fields);
            fields["hash"] = json!(hex::encode(Hash::of_leaf(&bytes).0));
            fields["bytes"] = json!(hex::encode(bytes));
            forms.entry(form).or_insert(fields);
        }
    }
    forms.into_values().map(|line| format!("{line}\n")).collect()
}

#[test]
fn leaves_are_written_as_they_were() {
    if frozen::wanted(FILE) {
        frozen::add(FILE, written().as_bytes());
    }
    let lines = frozen::text(FILE);
    assert!(lines.lines().count() > 50);
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let leaf = encoded(&line);
        assert_eq!(hex::encode(&leaf), text(&line, "bytes"));
        assert_eq!(hex::encode(Hash::of_leaf(&leaf).0), text(&line, "hash"));
    }
}
