//! Every change is detected: in the file, and in the database without the service.

use std::io::{Cursor, Read};

use ledger::log::LogKey;
use proof::{Manifest, Writer};
use sha2::{Digest, Sha256};
use testkit::{TestApp, YANHU, yuan};

use super::{PROGRAMME, a_month, bundle, log_key, verified};

async fn made() -> (TestApp, Vec<u8>) {
    let app = TestApp::new().await;
    app.appropriate(YANHU, PROGRAMME, yuan("60000.00")).await;
    a_month(&app).await;
    let (_, file) = bundle(&app, None).await;
    verified(&file).unwrap();
    (app, file)
}

/// The parts of a bundle.
pub(super) fn parts(file: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(Cursor::new(file));
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (entry.path().unwrap().display().to_string(), content)
    });
    entries.collect()
}

/// The parts put together again, by a forger who has the key and can sign anything.
pub(super) fn signed_again(log: &LogKey, mut parts: Vec<(String, Vec<u8>)>) -> Vec<u8> {
    let mut manifest: Manifest = serde_json::from_slice(&parts[0].1).unwrap();
    for (part, (name, content)) in manifest.parts.iter_mut().zip(&parts[2..]) {
        assert_eq!(&part.name, name);
        part.bytes = content.len() as u64;
        part.sha256 = hex::encode(Sha256::digest(content));
    }
    parts[0].1 = serde_json::to_vec(&manifest).unwrap();
    let note = log.sign(&ledger::log::Checkpoint {
        origin: log.public().origin(proof::SIGNED_AS),
        size: parts[0].1.len() as u64,
        root: ledger::log::Hash(Sha256::digest(&parts[0].1).into()),
        made_at: manifest.made_at.clone(),
    });
    parts[1].1 = note.unwrap().into_bytes();
    let mut file = Writer::new(Vec::new());
    for (name, content) in &parts {
        file.part(name, content.len() as u64, content.as_slice()).unwrap();
    }
    file.finish().unwrap()
}

fn lines(content: &[u8]) -> Vec<Vec<u8>> {
    content
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_byte_of_a_bundle_can_be_changed() {
    let (_app, file) = made().await;
    let names: Vec<String> = parts(&file).into_iter().map(|part| part.0).collect();
    // A hundred of the headers, the manifest and its signature, and two hundred anywhere.
    let step = file.len() / 200;
    let places = (0..6_000).step_by(59).chain((0..file.len()).step_by(step));
    for place in places {
        let mut changed = file.clone();
        changed[place] ^= 1 << (place % 8);
        let fault = verified(&changed).expect_err("a changed byte is found");
        let named = names.iter().any(|name| fault.place.contains(name.as_str())) || fault.place == "the end";
        assert!(named, "byte {place}: {fault}");
    }
    for cut in (0..file.len()).step_by(file.len() / 20) {
        verified(&file[..cut]).expect_err("a cut bundle is found");
    }
    let mut longer = file.clone();
    longer.push(0);
    verified(&longer).expect_err("nothing may follow");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_of_the_key_cannot_change_what_was_signed_before() {
    let (_app, file) = made().await;
    let whole = parts(&file);
    // Signing it again changes nothing by itself.
    verified(&signed_again(&log_key(), whole.clone())).unwrap();
    for (number, (name, content)) in whole.iter().enumerate().skip(2) {
        if !name.starts_with(YANHU) {
            continue;
        }
        let with = |content: Vec<u8>| {
            let mut parts = whole.clone();
            parts[number].1 = content;
            verified(&signed_again(&log_key(), parts))
        };
        let found = |what: &str, content: Vec<u8>| {
            let fault = with(content).expect_err(&format!("{name}: {what}"));
            assert!(fault.place.contains(YANHU), "{name}, {what}: {fault}");
        };
        let rows = lines(content);
        if name.ends_with(".jsonl") {
            for row in (0..rows.len()).step_by(1 + rows.len() / 10) {
                let without = [&rows[..row], &rows[row + 1..]].concat().concat();
                found("a row dropped", without);
                let twice = [&rows[..=row], &rows[row..]].concat().concat();
                found("a row inserted", twice);
                if row + 1 < rows.len() {
                    let mut swapped = rows.clone();
                    swapped.swap(row, row + 1);
                    if name.ends_with("log.jsonl") || name.ends_with("claims.jsonl") {
                        found("rows swapped", swapped.concat());
                    }
                }
            }
            // One digit anywhere: an amount, a position, an id, an instant. The bank's name for a
            // payment and the sum that a claim asked for are bound by the manifest alone.
            if name.ends_with("disbursements.jsonl") || name.ends_with("claims.jsonl") {
                continue;
            }
            let digits: Vec<usize> = (0..content.len())
                .filter(|place| content[*place].is_ascii_digit())
                .collect();
            for &place in digits.iter().step_by(1 + digits.len() / 20) {
                let mut changed = content.clone();
                changed[place] = b'0' + (changed[place] - b'0' + 1) % 10;
                found("a digit changed", changed);
            }
        } else {
            for place in (0..content.len()).step_by(1 + content.len() / 30) {
                let mut changed = content.clone();
                changed[place] ^= 2;
                found("a byte changed", changed);
            }
        }
    }
    // A part left out, or in another position.
    for number in 2..whole.len() {
        let mut without = whole.clone();
        without.remove(number);
        let mut file = Writer::new(Vec::new());
        for (name, content) in &without {
            file.part(name, content.len() as u64, content.as_slice()).unwrap();
        }
        verified(&file.finish().unwrap()).expect_err("a missing part is found");
    }
}

/// Changes of a superuser without the service, each on a fresh copy, and where each is detected.
const BEHIND: &[(&str, &str)] = &[
    (
        "UPDATE transfers SET amount = amount + 1 WHERE height = 3",
        "log.jsonl",
    ),
    (
        "UPDATE transfers SET posted_at = posted_at + interval '1 second' WHERE height = 3",
        "log.jsonl",
    ),
    (
        "UPDATE transfers SET actor = 'somebody' WHERE height = 3",
        "log.jsonl",
    ),
    ("DELETE FROM transfers WHERE height = 5", "log.jsonl"),
    (
        "UPDATE transfers t SET height = -t.height WHERE height IN (4, 5); \
         UPDATE transfers SET height = CASE height WHEN -4 THEN 5 ELSE 4 END WHERE height < 0",
        "log.jsonl",
    ),
    (
        "INSERT INTO transfers SELECT jurisdiction, height + 1000, programme, reason, debit, credit, amount, claim, document, \
         posted_at, actor, leaf FROM transfers WHERE height = 3",
        "log.jsonl",
    ),
    (
        "UPDATE decisions SET outcome = 'ineligible' WHERE leaf = (SELECT min(leaf) FROM decisions)",
        "log.jsonl",
    ),
    (
        "UPDATE decisions SET keys = '' WHERE leaf = (SELECT min(leaf) FROM decisions)",
        "log.jsonl",
    ),
    (
        "UPDATE decisions d SET receipt = o.receipt FROM decisions o WHERE d.leaf = (SELECT min(leaf) FROM decisions) \
         AND o.leaf = (SELECT max(leaf) FROM decisions)",
        "log.jsonl",
    ),
    (
        "DELETE FROM decisions WHERE leaf = (SELECT max(leaf) FROM decisions)",
        "log.jsonl",
    ),
    (
        "UPDATE events SET person = 'somebody' WHERE verb = 'approve'",
        "log.jsonl",
    ),
    (
        "UPDATE events SET detail = replace(detail, '60000', '70000') WHERE verb = 'appropriate'",
        "log.jsonl",
    ),
    ("DELETE FROM events WHERE verb = 'recommend'", "log.jsonl"),
    (
        "UPDATE events SET detail = replace(detail, '\"population\":8', '\"population\":9') WHERE verb = 'draw_sample'",
        "log.jsonl",
    ),
    (
        "UPDATE events SET detail = replace(detail, '\"size\":3', '\"size\":4') WHERE verb = 'commit_sample'",
        "log.jsonl",
    ),
    (
        "UPDATE funds SET available = available + 100, reserved = reserved - 100 WHERE reserved > 100",
        "funds.jsonl",
    ),
    (
        "UPDATE caps SET ceiling = ceiling + 1 WHERE scope = 'whole' AND jurisdiction = '140802'",
        "caps.jsonl",
    ),
    (
        "UPDATE caps SET committed = committed - 1 WHERE scope = 'whole' AND jurisdiction = '140802'",
        "caps.jsonl",
    ),
    (
        "UPDATE caps SET committed = committed - 1 WHERE jurisdiction = '140800'",
        "caps.jsonl",
    ),
    (
        "DELETE FROM caps WHERE scope = 'category:air_conditioner'",
        "caps.jsonl",
    ),
    (
        "UPDATE appropriations SET amount = amount + 1 WHERE jurisdiction = '140802'",
        "appropriations.jsonl",
    ),
    (
        "UPDATE appropriations SET checker = 'somebody' WHERE jurisdiction = '140802'",
        "appropriations.jsonl",
    ),
    (
        "UPDATE disbursements SET total = total + 1",
        "disbursements.jsonl",
    ),
    (
        "UPDATE payments SET amount = amount + 1, central = central + 1",
        "disbursements.jsonl",
    ),
    (
        "UPDATE claims SET status = 'paid' WHERE status = 'clawback_due'",
        "claims.jsonl",
    ),
    (
        "UPDATE claims SET revision = revision + 1 WHERE status = 'paid'",
        "claims.jsonl",
    ),
    ("DELETE FROM claims WHERE status = 'withdrawn'", "claims.jsonl"),
    ("DELETE FROM unique_keys WHERE kind = 'invoice'", "claims.jsonl"),
    (
        "UPDATE log_leaves SET hashes = overlay(hashes PLACING '\\x00' FROM 33 FOR 1) WHERE octet_length(hashes) > 64",
        "leaves",
    ),
    (
        "UPDATE checkpoints SET note = replace(note, 'huanxin.example', 'huanxin.another')",
        "checkpoint",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn no_row_can_be_changed_behind_our_back() {
    let (app, _) = made().await;
    let cluster = app.db.cluster();
    for (number, (statement, place)) in BEHIND.iter().enumerate() {
        // Restored from the copy made before it.
        let tables = "transfers, decisions, events, funds, caps, appropriations, disbursements, payments, claims, unique_keys, \
            log_leaves, checkpoints";
        let each = |text: &str| {
            let statements = tables.split(',').map(|table| text.replace("{}", table.trim()));
            statements.collect::<Vec<_>>().join("; ")
        };
        let keep = each("CREATE TABLE kept_{} AS TABLE {}");
        let back = each("DELETE FROM {}; INSERT INTO {} SELECT * FROM kept_{}; DROP TABLE kept_{}");
        // No trigger, no constraint: with the rights of a superuser.
        let free = each(
            "DO $$ DECLARE c record; BEGIN FOR c IN SELECT conname FROM pg_constraint \
             WHERE conrelid = '{}'::regclass AND contype = 'c' LOOP \
             EXECUTE format('ALTER TABLE {} DROP CONSTRAINT %I', c.conname); END LOOP; END $$",
        );
        let change = format!("SET session_replication_role = replica; {keep}; {free}; {statement}");
        cluster.sql(app.db.name(), &change).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut file = Vec::new();
        let fault = match app
            .service
            .audit()
            .write_bundle(&[], None, folder.path(), &mut file)
            .await
        {
            Ok(_) => verified(&file).expect_err(statement),
            // A file that cannot even be read is detected by every reader.
            Err(error) => panic!("{number}: {statement}: {error}"),
        };
        assert!(fault.place.contains(place), "{number}: {statement}: {fault}");
        let undo = format!("SET session_replication_role = replica; {back}");
        cluster.sql(app.db.name(), &undo).await.unwrap();
    }
    verified(&bundle(&app, None).await.1).unwrap();
}
