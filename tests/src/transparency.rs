//! The log that proves the ledger: every decision and transfer a leaf, checkpoints that outsiders
//! keep, proofs that they check by themselves.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ledger::log::{Checkpoint, Hash, LogKey, PublicKey, check_consistency, check_inclusion};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use testkit::{HttpApp, Reply, Sale, Setup, YANHU, witness};

const LOG: &str = "/v1/ledgers/140802";

fn key() -> PublicKey {
    LogKey::new("huanxin.example/yuncheng", &[4; 32])
        .unwrap()
        .public()
}

/// A checkpoint of an answer, with its signature checked.
fn opened(note: &Reply) -> Checkpoint {
    key().open(YANHU, &note.text()).expect("a checkpoint of ours")
}

fn hash(value: &Value) -> Hash {
    Hash(
        STANDARD
            .decode(value.as_str().unwrap())
            .unwrap()
            .try_into()
            .unwrap(),
    )
}

fn hashes(proof: &Value) -> Vec<Hash> {
    proof["hashes"].as_array().unwrap().iter().map(hash).collect()
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

async fn sold(app: &HttpApp) -> Value {
    let claim = app.sale(&Sale::air_conditioner()).await;
    app.post_claim(&claim).await.expect(201).json()
}

async fn signed(app: &HttpApp) -> Reply {
    app.post(&app.cast.auditor, &format!("{LOG}/checkpoint"), &json!({}))
        .await
        .expect(200)
}

#[tokio::test]
async fn a_claim_is_proved_to_its_sender_after_a_checkpoint_covers_it() {
    let app = HttpApp::new().await;
    let claim = sold(&app).await;
    let id = claim["id"].as_str().unwrap();
    let leaf = number(&claim["decision"]["leaf_index"]);
    let path = format!("/v1/claims/{id}/proof");
    let early = app.get(&app.cast.retailer, &path).await.expect(409);
    assert_eq!(early.code().as_deref(), Some("not-covered"));

    let note = signed(&app).await;
    let proof = app.get(&app.cast.retailer, &path).await.expect(200).json();

    // All with the public key only, as an outsider would.
    let checkpoint = key()
        .open(YANHU, proof["checkpoint"]["note"].as_str().unwrap())
        .unwrap();
    assert_eq!(checkpoint, opened(&note));
    assert_eq!(proof["key"], key().of_county(YANHU));
    let inclusion = &proof["inclusion"];
    assert_eq!(number(&inclusion["leaf_index"]), leaf);
    let bytes = STANDARD.decode(proof["leaf"].as_str().unwrap()).unwrap();
    let proved = |bytes: &[u8]| {
        check_inclusion(
            checkpoint.size,
            checkpoint.root,
            leaf,
            Hash::of_leaf(bytes),
            &hashes(inclusion),
        )
    };
    proved(&bytes).unwrap();
    // The leaf has the receipt's digest, and the receipt is that of the answer.
    let digest = Sha256::digest(proof["receipt"].as_str().unwrap());
    assert!(bytes.windows(32).any(|window| window == digest.as_slice()));
    assert_eq!(
        claim["decision"]["receipt"],
        format!("sha256:{}", hex::encode(digest))
    );
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        proved(&changed).unwrap_err();
    }
    // A claim of another merchant is not found.
    app.get(&app.cast.other_retailer, &path).await.expect(404);
}

#[tokio::test]
async fn a_log_only_grows_and_anybody_who_kept_a_checkpoint_can_see_it() {
    let app = HttpApp::new().await;
    let mut kept = Vec::new();
    for claims in [1, 3, 40, 200] {
        let sales = app.many(claims, &Sale::air_conditioner()).await;
        app.submit_batch(sales).await;
        kept.push(opened(&signed(&app).await));
    }
    let youngest = kept.last().unwrap().clone();
    // Nothing happened since: the same checkpoint.
    assert_eq!(opened(&signed(&app).await), youngest);
    for earlier in &kept {
        let path = format!("{LOG}/proofs/consistency?from={}", earlier.size);
        let proof = app.get(&app.cast.auditor, &path).await.expect(200).json();
        assert_eq!(hash(&proof["from_root"]), earlier.root);
        assert_eq!(hash(&proof["to_root"]), youngest.root);
        let (to, from) = (number(&proof["to"]), number(&proof["from"]));
        check_consistency(to, youngest.root, from, earlier.root, &hashes(&proof)).unwrap();
        let again = app
            .get(
                &app.cast.maker,
                &format!("{LOG}/checkpoint?size={}", earlier.size),
            )
            .await;
        assert_eq!(&opened(&again.expect(200)), earlier);
    }
    for leaf in (0..youngest.size).step_by(37).chain([youngest.size - 1]) {
        let path = format!("{LOG}/proofs/inclusion?leaf={leaf}");
        let proof = app.get(&app.cast.auditor, &path).await.expect(200).json();
        let own = hash(&proof["leaf_hash"]);
        check_inclusion(youngest.size, youngest.root, leaf, own, &hashes(&proof)).unwrap();
    }
    let list = app
        .get(&app.cast.reviewer, &format!("{LOG}/checkpoints?limit=2"))
        .await
        .expect(200)
        .json();
    let sizes: Vec<u64> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| number(&it["size"]))
        .collect();
    assert_eq!(sizes, [kept[3].size, kept[2].size]);
    for beyond in [
        format!("{LOG}/proofs/inclusion?leaf={}", youngest.size),
        format!("{LOG}/proofs/inclusion?leaf=0&size={}", youngest.size + 1),
        format!("{LOG}/proofs/consistency?from={}", youngest.size + 1),
        format!("{LOG}/proofs/consistency?from=5&to=4"),
    ] {
        let reply = app.get(&app.cast.auditor, &beyond).await.expect(409);
        assert_eq!(reply.code().as_deref(), Some("not-covered"), "{beyond}");
    }
}

#[tokio::test]
async fn an_office_cosigns_a_checkpoint_and_no_other_in_its_name() {
    let app = HttpApp::new().await;
    sold(&app).await;
    let note = signed(&app).await.text();
    let path = format!("{LOG}/checkpoint/cosignatures");
    let vouch = async |body: String| {
        let bearer = format!("Bearer {}", app.token(&app.cast.auditor).await);
        let headers = [("authorization", bearer.as_str()), ("content-type", "text/plain")];
        app.send("POST", &path, &headers, body.as_bytes()).await
    };
    let line = witness().cosign(&note, 1_780_000_000).unwrap();
    let reply = vouch(format!("{note}{line}")).await.expect(200);
    assert_eq!(reply.text(), format!("{note}{line}"));
    // It is shown from then on, and its first cosignature stays.
    let later = witness().cosign(&note, 1_790_000_000).unwrap();
    vouch(format!("{note}{later}")).await.expect(200);
    let shown = app.get(&app.cast.maker, &format!("{LOG}/checkpoint")).await;
    let shown = shown.expect(200).text();
    assert_eq!(shown, format!("{note}{line}"));
    assert_eq!(witness().public().vouches(&shown).unwrap().at, 1_780_000_000);

    let stranger = ledger::log::WitnessKey::new("audit.example/yuncheng", &[6; 32]).unwrap();
    let stranger = stranger.cosign(&note, 1).unwrap();
    let other = note.replacen("huanxin.example", "huanxin.evil", 1);
    let longer = line.replace("audit", "adit");
    for wrong in [
        note.clone(),
        format!("{note}{stranger}"),
        format!("{note}{longer}"),
        format!("{other}{line}"),
        "not a note".to_owned(),
        String::new(),
    ] {
        let reply = vouch(wrong.clone()).await.expect(409);
        assert_eq!(reply.code().as_deref(), Some("cosignature"), "{wrong}");
    }
    let bearer = format!("Bearer {}", app.token(&app.cast.auditor).await);
    let headers = [("authorization", bearer.as_str()), ("content-type", "text/plain")];
    app.send("POST", &path, &headers, &vec![b'x'; 20_000])
        .await
        .expect(413);
}

#[tokio::test]
async fn logs_that_have_grown_are_signed_now_and_then() {
    let app = HttpApp::with(Setup::default()).await;
    sold(&app).await;
    let work = async || app.service.worker().work(None, None).await.unwrap().signed;
    // The county's, and the city's, where programmes and caps were set.
    assert!(work().await >= 1);
    sold(&app).await;
    assert_eq!(work().await, 0, "the last one is young");
    app.clock.advance(chrono::Duration::minutes(10));
    assert_eq!(work().await, 1);
    assert_eq!(work().await, 0, "nothing happened");
    let note = app
        .get(&app.cast.auditor, &format!("{LOG}/checkpoint"))
        .await
        .expect(200);
    let leaves: u64 = app
        .db
        .row("SELECT leaves FROM ledgers WHERE jurisdiction = '140802'")
        .await
        .parse()
        .unwrap();
    assert_eq!(opened(&note).size, leaves);
}

#[tokio::test]
async fn claims_that_race_stand_in_the_log_one_after_another() {
    let app = HttpApp::new().await;
    let sales = app.many(60, &Sale::air_conditioner()).await;
    let replies = futures::future::join_all(sales.iter().map(|claim| app.post_claim(claim))).await;
    let mut places: Vec<u64> = replies
        .into_iter()
        .map(|reply| number(&reply.expect(201).json()["decision"]["leaf_index"]))
        .collect();
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), 60);
    let (one, other) = futures::join!(signed(&app), signed(&app));
    assert_eq!(opened(&one), opened(&other));
}

#[tokio::test]
async fn the_log_takes_no_change() {
    let app = HttpApp::new().await;
    sold(&app).await;
    signed(&app).await;
    for table in ["log_leaves", "log_nodes", "checkpoints", "cosignatures"] {
        for statement in [
            format!("UPDATE {table} SET jurisdiction = jurisdiction"),
            format!("DELETE FROM {table}"),
        ] {
            let refused = app.db.cluster().sql(app.db.name(), &statement).await;
            assert!(
                refused.unwrap_err().to_string().contains("never changed"),
                "{statement}"
            );
        }
    }
}
