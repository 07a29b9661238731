//! Samples for inspection: a seed gives the same draw to everyone, once, after its period and with
//! no other seed.

use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::process::{Command, Stdio};

use chrono::{DateTime, Duration, Utc};
use claims::sampling::commitment;
use claims::{JurisdictionCode, SampleId};
use futures::FutureExt;
use ledger::log::Hash;
use serde_json::{Value, json};
use service::audit::Sampling;
use service::operation::access::DrawSamples;
use sha2::{Digest, Sha256};
use testkit::{HttpApp, LINYI, Sale, TestApp, World, YANHU, new_key, permit, yuan};

const PROGRAMME: &str = "appliance-2026";
const SEED: [u8; 32] = *b"known to nobody but the auditor.";

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

fn samples() -> String {
    format!("/v1/ledgers/{YANHU}/samples")
}

/// Approved claims of a county, in the order in which they were approved.
async fn approved(world: &World, many: usize) -> Vec<String> {
    let sold = world
        .submit_batch(world.many(many, &Sale::air_conditioner()).await)
        .await;
    for claim in &sold {
        world.approve(claim.id).await;
    }
    sold.iter().map(|claim| claim.id.to_string()).collect()
}

/// The draw as `docs/auditing.md` describes it, made here without code of the service.
fn by_hand(leaf: &str, size: usize, claims: &[String]) -> Vec<String> {
    let leaf = Hash::parse(leaf).unwrap().0;
    let mut scored: Vec<_> = claims
        .iter()
        .map(|claim| {
            let id = hex::decode(claim.rsplit('_').next().unwrap()).unwrap();
            (Sha256::digest([&SEED[..], &leaf, &id].concat()), claim.clone())
        })
        .collect();
    scored.sort();
    scored.into_iter().take(size).map(|(_, claim)| claim).collect()
}

/// The same draw by the program in the documentation.
fn by_the_document(leaf: &str, size: usize, claims: &[String]) -> Vec<String> {
    let document = include_str!("../../docs/auditing.md");
    let program = document.split("```python\n").nth(1).unwrap();
    let program = program.split("```").next().unwrap();
    let mut python = Command::new("python3")
        .args(["-c", program, &hex::encode(SEED), leaf, &size.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 runs");
    let mut input = python.stdin.take().unwrap();
    input.write_all(claims.join("\n").as_bytes()).unwrap();
    drop(input);
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines().map(str::to_owned).collect()
}

fn names(claims: &Value) -> Vec<String> {
    let names = claims.as_array().unwrap().iter();
    names.map(|it| it.as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_is_what_anyone_draws() {
    let app = HttpApp::new().await;
    let auditor = &app.cast.auditor;
    for county in [YANHU, LINYI] {
        app.appropriate(county, PROGRAMME, yuan("60000.00")).await;
    }
    let early = approved(&app, 2).await;
    app.clock.advance(Duration::hours(1));
    let from = app.service.clock().now();
    let to = from + Duration::hours(2);
    // The first instant is in the period.
    let mut population = approved(&app, 6).await;
    let asked = json!({"programme": PROGRAMME, "from": text(from), "to": text(to), "size": 4, "commitment": hex::encode(commitment(&SEED))});
    let reply = app.post(auditor, &samples(), &asked).await.expect(201);
    let made = reply.json();
    let path = format!("/v1/samples/{}", made["id"].as_str().unwrap());
    assert_eq!(reply.header("location"), Some(path.as_str()));
    assert_eq!(made["draw"], Value::Null);
    // Approved after the commitment and in the period; recommended only; in another county; at the
    // last instant, which is outside of it.
    app.clock.advance(Duration::hours(1));
    population.extend(approved(&app, 2).await);
    let open = app.submit(app.sale(&Sale::air_conditioner()).await).await;
    app.recommend(open.id).await;
    let elsewhere = app
        .submit(app.sale(&Sale::air_conditioner().in_county(LINYI)).await)
        .await;
    app.approve(elsewhere.id).await;

    let draw = format!("{path}/draw");
    let seed = json!({"seed": hex::encode(SEED)});
    let refused = app.post(auditor, &draw, &seed).await.expect(409);
    assert_eq!(refused.code().as_deref(), Some("period-open"));
    app.clock.advance(Duration::hours(1));
    assert_eq!(app.service.clock().now(), to);
    let late = approved(&app, 1).await;
    let refused = app
        .post(auditor, &draw, &json!({"seed": "00".repeat(32)}))
        .await
        .expect(422)
        .json();
    assert_eq!(refused["errors"][0]["pointer"], "/seed");
    assert_eq!(refused["errors"][0]["code"], "sample.other-seed");
    for other in [&app.cast.maker, &app.cast.approver, &app.cast.reviewer] {
        assert_eq!(
            app.post(other, &draw, &seed).await.code().as_deref(),
            Some("forbidden")
        );
    }

    let drawn = app.post(auditor, &draw, &seed).await.expect(200).json();
    let leaf = drawn["leaf_hash"].as_str().unwrap();
    let claims = names(&drawn["draw"]["claims"]);
    assert_eq!(drawn["draw"]["population"], 8);
    assert_eq!(claims, by_hand(leaf, 4, &population));
    assert_eq!(claims, by_the_document(leaf, 4, &population));
    assert!(!claims.iter().any(|it| early.contains(it) || late.contains(it)));
    // The hash is that of the leaf in the log.
    app.post(auditor, &format!("/v1/ledgers/{YANHU}/checkpoint"), &json!({}))
        .await
        .expect(200);
    let proof = format!("/v1/ledgers/{YANHU}/proofs/inclusion?leaf={}", drawn["leaf"]);
    let proof = app.get(auditor, &proof).await.expect(200).json();
    assert_eq!(proof["leaf_hash"], leaf);

    // Again, and read.
    app.clock.advance(Duration::hours(1));
    assert_eq!(app.post(auditor, &draw, &seed).await.expect(200).json(), drawn);
    app.post(auditor, &draw, &json!({"seed": "00".repeat(32)}))
        .await
        .expect(422);
    assert_eq!(app.get(&app.cast.maker, &path).await.expect(200).json(), drawn);
    let list = app.get(auditor, &samples()).await.expect(200).json();
    assert_eq!(list["items"][0]["draw"]["population"], 8);
    assert_eq!(list["items"][0]["draw"]["claims"], Value::Null);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sampled_is_refused_by_name() {
    let app = HttpApp::new().await;
    let auditor = &app.cast.auditor;
    let (from, to) = ("2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z");
    let asked = |from: &str, to: &str, size: u32, programme: &str| json!({"programme": programme, "from": from, "to": to, "size": size, "commitment": hex::encode(commitment(&SEED))});
    for (body, pointer, code) in [
        (asked(to, from, 5, PROGRAMME), "/to", "period.empty"),
        (asked(from, from, 5, PROGRAMME), "/to", "period.empty"),
        (asked(from, to, 0, PROGRAMME), "/size", "range"),
        (asked(from, to, 1_001, PROGRAMME), "/size", "range"),
        (asked(from, to, 5, "none-2026"), "/programme", "programme.unknown"),
        (asked("yesterday", to, 5, PROGRAMME), "/from", "instant"),
    ] {
        let refused = app.post(auditor, &samples(), &body).await.expect(422).json();
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
        assert_eq!(refused["errors"][0]["code"], code, "{refused}");
    }
    for wrong in ["", "5a", &"5A".repeat(32), &"5g".repeat(32), &"5a".repeat(33)] {
        let mut body = asked(from, to, 5, PROGRAMME);
        body["commitment"] = json!(wrong);
        let refused = app.post(auditor, &samples(), &body).await.expect(422).json();
        assert_eq!(refused["errors"][0]["pointer"], "/commitment", "{refused}");
    }
    let body = asked(from, to, 5, PROGRAMME);
    // A city has no approvals of its own.
    app.post(auditor, "/v1/ledgers/140800/samples", &body)
        .await
        .expect(404);
    let unknown = "/v1/samples/smp_140802_018f2f6e7d3a7c8e9b0a1122334455ff";
    app.get(auditor, unknown).await.expect(404);
    app.post(
        auditor,
        &format!("{unknown}/draw"),
        &json!({"seed": hex::encode(SEED)}),
    )
    .await
    .expect(404);
    // A retry is the same; another sample with the same seed is not.
    let key = [("idempotency-key", "sample-1")];
    let first = app
        .call(auditor, "POST", &samples(), Some(&body), &key)
        .await
        .expect(201);
    let again = app
        .call(auditor, "POST", &samples(), Some(&body), &key)
        .await
        .expect(201);
    assert_eq!(first.json(), again.json());
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let refused = app.post(auditor, &samples(), &body).await.expect(422).json();
    assert_eq!(refused["errors"][0]["code"], "sample.commitment-used");
    // Nothing was approved: the sample is empty.
    let draw = format!("/v1/samples/{}/draw", first.json()["id"].as_str().unwrap());
    let drawn = app
        .post(auditor, &draw, &json!({"seed": hex::encode(SEED)}))
        .await
        .expect(200)
        .json();
    assert_eq!(drawn["draw"]["population"], 0);
    assert_eq!(drawn["draw"]["claims"], json!([]));
    app.audit().await;
}

/// Commits to the seed over all claims approved so far.
async fn committed(app: &TestApp, size: u32) -> SampleId {
    let now = app.service.clock().now();
    let asked = Sampling {
        programme: None,
        from: now - Duration::days(30),
        to: now + Duration::seconds(1),
        size,
        commitment: commitment(&SEED),
    };
    let county = JurisdictionCode::parse(YANHU).unwrap();
    let auditor = permit::<DrawSamples>(&app.cast.auditor);
    let made = app
        .service
        .audit()
        .commit_sample(&auditor, county, asked, new_key())
        .await;
    app.clock.advance(Duration::seconds(1));
    made.unwrap().value.id
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_draws_draw_once() {
    let app = TestApp::new().await;
    app.appropriate(YANHU, PROGRAMME, yuan("60000.00")).await;
    approved(&app, 5).await;
    let id = committed(&app, 3).await;
    let auditor = permit::<DrawSamples>(&app.cast.auditor);
    let draws = (0..12).map(|_| {
        let (service, auditor) = (app.service.clone(), auditor.clone());
        tokio::spawn(async move { service.audit().draw_sample(&auditor, id, SEED).await.unwrap() })
    });
    let draws = futures::future::try_join_all(draws).await.unwrap();
    assert!(draws.iter().all(|it| *it == draws[0]));
    let events = "SELECT count(*) FROM events WHERE verb = 'draw_sample'";
    assert_eq!(app.db.row(events).await, "1");
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_in_the_database_is_not_changed_unnoticed() {
    let app = TestApp::new().await;
    app.appropriate(YANHU, PROGRAMME, yuan("60000.00")).await;
    approved(&app, 6).await;
    let id = committed(&app, 3).await;
    let (cluster, name) = (app.db.cluster(), app.db.name());
    let drawn = format!(
        "UPDATE samples SET population = 6, drawer = 'x', drawn_leaf = leaf + 1, seed = '\\x{}', claims = array_fill(id, ARRAY[3])",
        hex::encode(SEED)
    );
    let cases = |drawn: &str| {
        [
            ("UPDATE samples SET size = 2".to_owned(), "drawn once"),
            ("DELETE FROM samples".to_owned(), "drawn once"),
            (
                format!("{drawn}, drawn_at = until - interval '1 microsecond'"),
                "samples_drawn_after_period",
            ),
            (format!("{drawn}, drawn_at = NULL"), "samples_drawn_whole"),
            (
                format!("{drawn}, drawn_at = until").replace(&hex::encode(SEED), &"00".repeat(32)),
                "samples_seed_is_committed",
            ),
            (
                format!("{drawn}, drawn_at = until").replace("ARRAY[3]", "ARRAY[2]"),
                "samples_drawn_as_many",
            ),
        ]
    };
    for (statement, constraint) in cases(&drawn) {
        let refused = cluster.sql(name, &statement).await.unwrap_err().to_string();
        assert!(refused.contains(constraint), "{statement}: {refused}");
    }
    let auditor = permit::<DrawSamples>(&app.cast.auditor);
    app.service.audit().draw_sample(&auditor, id, SEED).await.unwrap();
    app.audit().await;
    let refused = cluster.sql(name, &format!("{drawn}, drawn_at = until")).await;
    assert!(refused.unwrap_err().to_string().contains("drawn once"));
    // Changed in the database without the service, and restored.
    for (change, found) in [
        (
            "claims = (SELECT array_agg(c ORDER BY c DESC) FROM (SELECT id AS c FROM claims LIMIT 3) AS x)",
            "what its",
        ),
        ("until = until - interval '1 minute'", "what its events say"),
        ("population = 7", "what its seed draws"),
        ("leaf_hash = sha256('x')", "the leaf that was appended"),
        ("committer = 'somebody'", "what its events say"),
    ] {
        let statement = format!(
            "SET session_replication_role = replica; CREATE TABLE kept AS TABLE samples; UPDATE samples SET {change}"
        );
        cluster.sql(name, &statement).await.unwrap();
        let panic = AssertUnwindSafe(app.audit()).catch_unwind().await;
        let panic = panic.expect_err(change);
        let said = panic.downcast_ref::<String>().unwrap();
        assert!(said.contains(found), "{change}: {said}");
        let back = "SET session_replication_role = replica; DELETE FROM samples; INSERT INTO samples SELECT * FROM kept; DROP TABLE kept";
        cluster.sql(name, back).await.unwrap();
    }
    app.audit().await;
}
