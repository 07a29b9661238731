//! The frozen forms: leaves, roots, checkpoints and cosignatures, made by another implementation.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use ledger::log::{
    Checkpoint, Decision, Event, Growing, Hash, Leaf, LogKey, NoteError, Posted, PublicKey, Witness,
    WitnessKey,
};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/log-v1.json")).unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

fn bytes<const N: usize>(value: &Value) -> [u8; N] {
    hex::decode(value.as_str().unwrap()).unwrap().try_into().unwrap()
}

fn encoded(leaf: &Value) -> Vec<u8> {
    let number = |name: &str| leaf[name].as_i64().unwrap();
    let optional = |name: &str| leaf[name].as_str();
    let id = |name: &str| (!leaf[name].is_null()).then(|| bytes(&leaf[name]));
    let keys = hex::decode(leaf["keys"].as_str().unwrap_or_default()).unwrap();
    let jurisdiction = text(leaf, "jurisdiction");
    let leaf = match text(leaf, "kind") {
        "transfer" => Leaf::Transfer(Posted {
            jurisdiction,
            height: number("height"),
            programme: text(leaf, "programme"),
            reason: text(leaf, "reason"),
            amount: number("amount"),
            claim: id("claim"),
            document: id("document"),
            posted_at: number("posted_at"),
            actor: text(leaf, "actor"),
        }),
        "decision" => Leaf::Decision(Decision {
            jurisdiction,
            claim: bytes(&leaf["claim"]),
            revision: number("revision"),
            outcome: text(leaf, "outcome"),
            receipt: bytes(&leaf["receipt"]),
            keys: &keys,
            decided_at: number("decided_at"),
        }),
        _ => Leaf::Event(Event {
            jurisdiction,
            id: bytes(&leaf["id"]),
            subject: text(leaf, "subject"),
            verb: text(leaf, "verb"),
            actor: text(leaf, "actor"),
            person: text(leaf, "person"),
            at: number("at"),
            revision: leaf["revision"].as_i64(),
            from: optional("from"),
            to: optional("to"),
            reason: optional("reason"),
            request: optional("request"),
            detail: optional("detail"),
        }),
    };
    leaf.encode()
}

#[test]
fn leaves_are_written_as_they_always_were() {
    let vectors = vectors();
    let mut tree = Growing::default();
    for one in vectors["leaves"].as_array().unwrap() {
        let leaf = encoded(&one["leaf"]);
        assert_eq!(hex::encode(&leaf), text(one, "bytes"));
        let hash = Hash::of_leaf(&leaf);
        assert_eq!(hex::encode(hash.0), text(one, "hash"));
        tree.push(hash, |_, _| ());
    }
    assert_eq!(hex::encode(tree.root().0), text(&vectors, "root"));
}

#[test]
fn no_two_leaves_are_written_alike() {
    let vectors = vectors();
    let leaves = vectors["leaves"].as_array().unwrap();
    let written: BTreeMap<String, &Value> = leaves
        .iter()
        .map(|one| (text(one, "bytes").to_owned(), one))
        .collect();
    assert_eq!(written.len(), leaves.len());
    // The contents of one field cannot move into the next.
    let mut leaf = leaves[4]["leaf"].clone();
    let before = encoded(&leaf);
    leaf["actor"] = "bureau-14082".into();
    leaf["person"] = "1王五".into();
    assert_ne!(encoded(&leaf), before);
}

#[test]
fn checkpoints_are_signed_as_others_sign_them() {
    let vectors = vectors();
    let it = &vectors["checkpoint"];
    let key = LogKey::new(text(it, "name"), &bytes(&it["secret"])).unwrap();
    assert_eq!(key.public().to_string(), text(it, "public"));
    assert_eq!(PublicKey::parse(text(it, "public")).unwrap(), key.public());
    assert_eq!(key.public().of_county("140821"), text(it, "of_county"));
    let checkpoint = Checkpoint {
        origin: key.public().origin("140821"),
        size: it["size"].as_u64().unwrap(),
        root: Hash(bytes(&vectors["root"])),
        made_at: text(it, "made_at").to_owned(),
    };
    let note = key.sign(&checkpoint).unwrap();
    assert_eq!(note, text(it, "note"));
    assert_eq!(key.public().open("140821", &note).unwrap(), checkpoint);
    assert_eq!(key.public().open("140822", &note), Err(NoteError::OtherLog));
    let other = LogKey::new(text(it, "name"), &[7; 32]).unwrap().public();
    assert_eq!(other.open("140821", &note), Err(NoteError::Unsigned));
    for place in 0..note.len() {
        let mut changed = note.clone().into_bytes();
        changed[place] ^= 1;
        if let Ok(changed) = String::from_utf8(changed) {
            key.public().open("140821", &changed).unwrap_err();
        }
    }
}

#[test]
fn witnesses_vouch_as_others_do() {
    let vectors = vectors();
    let note = text(&vectors["checkpoint"], "note");
    let it = &vectors["witness"];
    let at = it["at"].as_u64().unwrap();
    let key = WitnessKey::new(text(it, "name"), &bytes(&it["secret"])).unwrap();
    let (witness, line) = (key.public(), key.cosign(note, at).unwrap());
    assert_eq!(line.trim_end(), text(it, "line"));
    assert_eq!(witness.to_string(), text(it, "key"));
    let witness = Witness::parse(text(it, "key")).unwrap();
    assert_eq!(witness.vouches(note), Err(NoteError::Unsigned));
    let cosigned = format!("{note}{line}");
    let cosignature = witness.vouches(&cosigned).unwrap();
    assert_eq!(
        (cosignature.at, cosignature.line.as_str()),
        (at, text(it, "line"))
    );
    let later = cosigned.replacen("2025-11-25T04:00:02", "2025-11-25T04:00:03", 1);
    assert_eq!(witness.vouches(&later), Err(NoteError::Wrong));
}
