//! Replays of recorded claims under drafts, and versions activated in pairs, over HTTP.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use service::Actor;
use sha2::{Digest, Sha256};
use testkit::{HttpApp, LINYI, Sale, TestDb, YANHU, YUNCHENG, yuan};

const PROGRAMME: &str = "appliance-2026";

/// The document in force as a later version with these changes.
fn draft(edits: &[(&str, &str)]) -> String {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../seeds/programmes/appliance-2026.toml"
    );
    let mut source = std::fs::read_to_string(path).unwrap();
    let head = [
        ("version = 1\n", "version = 2\n"),
        ("effective_from = 2026-01-01", "effective_from = 2026-07-01"),
    ];
    for (from, to) in head.iter().chain(edits) {
        assert!(source.contains(from), "the document no longer has {from}");
        source = source.replacen(from, to, 1);
    }
    source
}

const LOWER_RATE: (&str, &str) = ("rate = \"0.15\"", "rate = \"0.10\"");

/// An expensive one is not subsidised any more.
fn price_limit() -> (&'static str, &'static str) {
    (
        "[[rule]]\nid = \"category\"",
        "[[rule]]\nid = \"price-limit\"\nclause = \"发改环资〔2025〕1745号\"\nrequire = \"purchase.final_price <= 3000\"\nfinal = true\n\
         message = { zh = \"价格不高于3000元\", en = \"The price is at most 3,000\" }\n\n[[rule]]\nid = \"category\"",
    )
}

/// The lines of an answer by their only member.
fn lines(body: &str) -> Vec<(String, Value)> {
    let line = |line| {
        let value: Value = serde_json::from_str(line).unwrap();
        let first = ["progress", "claim", "report", "draft", "problem"]
            .into_iter()
            .find(|name| value.get(name).is_some());
        let name = first.unwrap_or_else(|| panic!("{line}"));
        (name.to_owned(), value[name].clone())
    };
    body.lines().map(line).collect()
}

async fn simulate(app: &HttpApp, body: &Value) -> (Value, Vec<Value>) {
    let reply = app.post(&app.cast.auditor, "/v1/programmes/simulate", body).await;
    let lines = lines(&reply.expect(200).text());
    assert_eq!(lines[0].0, "progress");
    let (last, report) = lines.last().unwrap().clone();
    assert_eq!(last, "report", "{report}");
    let claims = lines.into_iter().filter(|(name, _)| name == "claim");
    (report, claims.map(|(_, claim)| claim).collect())
}

/// Four air conditioners on four days from 15 June on, the last one in Linyi and for less.
async fn four_days() -> HttpApp {
    let app = HttpApp::new().await;
    for county in [YANHU, LINYI] {
        app.appropriate(county, PROGRAMME, yuan("100000.00")).await;
    }
    for day in 15..19 {
        app.clock.set(format!("2026-06-{day}T02:00:00Z").parse().unwrap());
        let sale = match day {
            18 => Sale::air_conditioner().in_county(LINYI).at("2000.00", "300.00"),
            _ => Sale::air_conditioner(),
        };
        app.submit(app.sale(&sale).await).await;
    }
    app
}

/// Every table's rows, counted and hashed.
async fn everything(db: &TestDb) -> BTreeMap<String, String> {
    let tables = db
        .rows("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1")
        .await;
    let mut rows = BTreeMap::new();
    for table in tables {
        let hash = format!(
            "SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {table} t"
        );
        rows.insert(table, db.row(&hash).await);
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn another_rate_prices_every_claim_again_and_writes_nothing() {
    let app = four_days().await;
    let before = everything(&app.db).await;
    let (report, claims) = simulate(&app, &json!({"document": draft(&[LOWER_RATE]), "claims": true})).await;
    assert_eq!(
        (
            &report["claims"],
            &report["flips"],
            &report["repriced"],
            &report["open"]
        ),
        (&json!(4), &json!(0), &json!(4), &json!(0))
    );
    let money =
        |was, would_be, difference| json!({"was": was, "would_be": would_be, "difference": difference});
    assert_eq!(report["granted"], money("2100.00", "1400.00", "-700.00"));
    let places = report["places"].as_array().unwrap().iter();
    let places = places.map(|it| {
        (
            it["jurisdiction"].clone(),
            it["category"].clone(),
            it["difference"].clone(),
        )
    });
    let place = |county: &str, difference: &str| (json!(county), json!("air_conditioner"), json!(difference));
    assert_eq!(
        places.collect::<Vec<_>>(),
        [place(YANHU, "-600.00"), place(LINYI, "-100.00")]
    );
    assert_eq!(report["assumed"]["paid_follows_subsidy"], 4);
    assert_eq!(report["decided_by"], json!([1]));
    assert_eq!(claims.len(), 4);
    assert_eq!(claims[3]["granted"], money("300.00", "200.00", "-100.00"));
    assert_eq!(claims[3]["was"], "eligible");

    // The recording version shows no difference from itself.
    let own = json!({"programme": PROGRAMME, "version": 1, "claims": true});
    let (report, claims) = simulate(&app, &own).await;
    assert_eq!(
        (&report["claims"], &report["flips"], &report["repriced"]),
        (&json!(4), &json!(0), &json!(0))
    );
    assert!(claims.is_empty() && report["document"]["active"] == true);
    assert_eq!(everything(&app.db).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stricter_rule_refuses_with_its_clause_and_an_unasked_fact_leaves_it_open() {
    let app = four_days().await;
    let (report, claims) = simulate(
        &app,
        &json!({"document": draft(&[price_limit()]), "claims": true}),
    )
    .await;
    let passage = report["passages"].as_array().unwrap().iter();
    let flipped = passage.clone().find(|it| it["would_be"] == "ineligible").unwrap();
    assert_eq!(
        (&flipped["was"], &flipped["claims"]),
        (&json!("eligible"), &json!(3))
    );
    assert_eq!(
        flipped["rules"],
        json!([{"rule": "price-limit", "clause": "发改环资〔2025〕1745号", "zh": "价格不高于3000元", "en": "The price is at most 3,000",
            "was": null, "would_be": "fail", "claims": 3}])
    );
    assert_eq!(flipped["examples"].as_array().unwrap().len(), 3);
    assert_eq!(report["granted"]["difference"], "-1800.00");
    let ids = claims.iter().map(|it| &it["claim"]).collect::<Vec<_>>();
    assert_eq!(
        ids,
        flipped["examples"].as_array().unwrap().iter().collect::<Vec<_>>()
    );

    // A day, and a county.
    let narrow = json!({"document": draft(&[price_limit()]), "from": "2026-06-16", "to": "2026-06-18", "counties": [LINYI]});
    let (report, _) = simulate(&app, &narrow).await;
    assert_eq!((&report["claims"], &report["flips"]), (&json!(1), &json!(0)));
    assert_eq!(report["counties"], json!([LINYI]));

    // Energy of an old car: an appliance has none, and its version does not ask for it.
    let unasked = (
        "[[rule]]\nid = \"category\"",
        "[[rule]]\nid = \"energy\"\nclause = \"发改环资〔2025〕1745号\"\nrequire = \"old.energy == 'petrol'\"\nfinal = true\n\
         message = { zh = \"旧车\", en = \"An old car\" }\n\n[[rule]]\nid = \"category\"",
    );
    let (report, _) = simulate(&app, &json!({"document": draft(&[unasked])})).await;
    assert_eq!((&report["open"], &report["flips"]), (&json!(4), &json!(0)));
    assert_eq!(report["lacking"][0]["fact"], "old.energy");
    assert_eq!(report["granted"]["would_be"], "0.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_run_out_on_the_day_computed_by_hand() {
    let app = four_days().await;
    // Yanhu claims 600 on the 15th, 16th and 17th, of which 1300 pay two; at 400 each they pay
    // three. All counties together take 1300 in the category: the third 600 on the 17th exceeds
    // that, too; at the lower rate 400 three times leave 100, and Linyi's 200 on the 18th do not
    // fit.
    let cap = |place: &str, scope: &str, ceiling: &str| json!({"jurisdiction": place, "scope": scope, "ceiling": ceiling});
    let caps = json!([
        cap(YANHU, "fund", "1300.00"),
        cap(YUNCHENG, "category:air_conditioner", "1300.00"),
        cap(YUNCHENG, "month:2026-06", "9000.00")
    ]);
    let (report, _) = simulate(&app, &json!({"document": draft(&[LOWER_RATE]), "caps": caps})).await;
    let limits = report["limits"].as_array().unwrap();
    let limit = |place: &str, scope: &str| {
        let found = limits
            .iter()
            .find(|it| it["jurisdiction"] == place && it["scope"] == scope);
        let it = found.unwrap_or_else(|| panic!("{place} {scope}: {report}"));
        (it["was"]["ran_out"].clone(), it["would_be"]["ran_out"].clone())
    };
    assert_eq!(limit(YANHU, "fund"), (json!("2026-06-17"), Value::Null));
    assert_eq!(
        limit(YUNCHENG, "category:air_conditioner"),
        (json!("2026-06-17"), json!("2026-06-18"))
    );
    assert_eq!(limit(YUNCHENG, "month:2026-06"), (Value::Null, Value::Null));
    assert_eq!(limit(LINYI, "fund"), (Value::Null, Value::Null));
    // Claims that arrived before the period hold what they hold.
    let caps = json!([cap(YANHU, "fund", "1800.00"), cap(YANHU, "whole", "1700.00")]);
    let later = json!({"programme": PROGRAMME, "version": 1, "from": "2026-06-16", "caps": caps});
    let (report, _) = simulate(&app, &later).await;
    let whole = report["limits"].as_array().unwrap().iter();
    let whole = whole.clone().find(|it| it["scope"] == "whole").unwrap();
    assert_eq!(
        (&whole["before"], &whole["was"]["ran_out"]),
        (&json!("600.00"), &json!("2026-06-17"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_makes_no_sense_is_refused_before_anything_is_read() {
    let app = HttpApp::new().await;
    let cap = |place: &str, scope: &str| json!([{"jurisdiction": place, "scope": scope, "ceiling": "1.00"}]);
    let good = draft(&[]);
    for (body, pointer, code) in [
        (json!({"document": "id = 1"}), "/document", "programme.invalid"),
        (
            json!({"document": good, "programme": PROGRAMME, "version": 1}),
            "/document",
            "one-of",
        ),
        (json!({}), "/document", "one-of"),
        (
            json!({"document": good, "from": "2026-06-02", "to": "2026-06-01"}),
            "/to",
            "period.reversed",
        ),
        (
            json!({"document": good, "counties": [YANHU, "999999"]}),
            "/counties/1",
            "jurisdiction.unknown",
        ),
        (
            json!({"document": good, "counties": [YANHU], "caps": cap(YUNCHENG, "whole")}),
            "/caps/0/jurisdiction",
            "cap.jurisdiction",
        ),
        (
            json!({"document": good, "caps": cap(YUNCHENG, "fund")}),
            "/caps/0/scope",
            "cap.scope",
        ),
    ] {
        let reply = app
            .post(&app.cast.auditor, "/v1/programmes/simulate", &body)
            .await
            .expect(422)
            .json();
        let errors = reply["errors"].as_array().unwrap();
        assert!(
            errors
                .iter()
                .any(|it| it["pointer"] == pointer && it["code"] == code),
            "{pointer} {code}: {reply}"
        );
    }
    let unknown = json!({"programme": PROGRAMME, "version": 9});
    app.post(&app.cast.auditor, "/v1/programmes/simulate", &unknown)
        .await
        .expect(404);
}

/// A second person who may manage programmes.
async fn second_admin(app: &HttpApp) -> Actor {
    let admin = Actor {
        client: "admin-2".into(),
        person: "冯管".into(),
        ..app.cast.admin.clone()
    };
    app.register(&admin).await;
    admin
}

async fn propose(app: &HttpApp, document: &str, key: &str) -> testkit::Reply {
    let body = json!({"document": document});
    let key = [("idempotency-key", key)];
    app.call(&app.cast.admin, "POST", "/v1/programme-drafts", Some(&body), &key)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_activated_in_pairs_with_its_report() {
    let app = four_days().await;
    let other = second_admin(&app).await;
    let document = draft(&[LOWER_RATE]);
    let made = propose(&app, &document, "first").await.expect(200);
    let (last, made) = lines(&made.text()).pop().unwrap();
    assert_eq!(
        (last.as_str(), &made["status"]),
        ("draft", &json!("pending")),
        "{made}"
    );
    assert_eq!(made["summary"]["granted"]["difference"], "-700.00");
    let again = propose(&app, &document, "first").await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(lines(&again.text()).pop().unwrap().1, made);
    assert_eq!(
        propose(&app, &draft(&[]), "first").await.code().as_deref(),
        Some("idempotency-key-reused")
    );

    let path = format!("/v1/programme-drafts/{}", made["id"].as_str().unwrap());
    let report = app
        .get(&app.cast.auditor, &format!("{path}/report"))
        .await
        .expect(200);
    assert_eq!(
        made["report_digest"],
        format!("sha256:{}", hex::encode(Sha256::digest(&report.body)))
    );
    assert_eq!(report.json()["claims"], 4);
    let seen = app.get(&app.cast.auditor, &path).await.expect(200).json();
    assert_eq!(
        (&seen["source"], &seen["maker"]),
        (&json!(document), &json!(app.cast.admin.person))
    );

    let decision = format!("{path}/decision");
    let approve = json!({"verdict": "approve"});
    let same_person = Actor {
        client: "admin-9".into(),
        ..app.cast.admin.clone()
    };
    app.register(&same_person).await;
    for alone in [&app.cast.admin, &same_person] {
        let refused = app.post(alone, &decision, &approve).await.expect(409);
        assert_eq!(refused.code().as_deref(), Some("four-eyes"));
    }
    let silent = app.post(&other, &decision, &json!({"verdict": "refuse"})).await;
    assert_eq!(silent.code().as_deref(), Some("reason-required"));
    assert_eq!(app.service.catalogue().current().versions(PROGRAMME).len(), 1);
    let activated = app.post(&other, &decision, &approve).await.expect(200).json();
    assert_eq!(
        (&activated["status"], &activated["checker"]),
        (&json!("activated"), &json!("冯管"))
    );
    let settled = app.post(&other, &decision, &approve).await.expect(409);
    assert_eq!(settled.code().as_deref(), Some("settled"));

    let programme = app
        .get(&app.cast.auditor, &format!("/v1/programmes/{PROGRAMME}"))
        .await
        .expect(200)
        .json();
    assert_eq!(programme["versions"], json!([1, 2]));
    app.clock.set("2026-07-02T02:00:00Z".parse().unwrap());
    let sale = Sale {
        on: "2026-07-02".parse().unwrap(),
        ..Sale::air_conditioner().at("4000.00", "400.00")
    };
    let state = app.submit(app.sale(&sale).await).await;
    assert_eq!((state.programme_version, state.amount), (2, Some(yuan("400.00"))));

    let events = app
        .db
        .rows("SELECT verb, person FROM events WHERE verb LIKE '%programme' OR verb = 'check_draft' ORDER BY id DESC LIMIT 3")
        .await;
    assert_eq!(
        events,
        [
            "check_draft|冯管",
            "activate_programme|冯管",
            "propose_programme|郑管"
        ]
    );
    let known = propose(&app, &document, "second").await.expect(422).json();
    assert_eq!(known["errors"][0]["code"], "programme.active");
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_or_alone_never_comes_into_force() {
    let app = four_days().await;
    let other = second_admin(&app).await;
    let made = propose(&app, &draft(&[LOWER_RATE]), "first").await.expect(200);
    let id = lines(&made.text()).pop().unwrap().1["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let refuse = json!({"verdict": "refuse", "reason": "征求意见后再定"});
    let decision = format!("/v1/programme-drafts/{id}/decision");
    let refused = app.post(&other, &decision, &refuse).await.expect(200).json();
    assert_eq!(
        (&refused["status"], &refused["reason"]),
        (&json!("refused"), &json!("征求意见后再定"))
    );
    let list = app
        .get(
            &app.cast.auditor,
            &format!("/v1/programme-drafts?programme={PROGRAMME}"),
        )
        .await
        .expect(200)
        .json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    // Of two drafts for the same days one comes into force.
    let mut ids = Vec::new();
    for (key, edits) in [("second", vec![]), ("third", vec![LOWER_RATE])] {
        let made = propose(&app, &draft(&edits), key).await.expect(200);
        ids.push(
            lines(&made.text()).pop().unwrap().1["id"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    let approve = json!({"verdict": "approve"});
    let decisions = ids
        .iter()
        .map(|id| format!("/v1/programme-drafts/{id}/decision"))
        .collect::<Vec<_>>();
    let answers =
        futures::future::join_all(decisions.iter().map(|path| app.post(&other, path, &approve))).await;
    let mut outcomes = answers
        .iter()
        .map(|it| (it.status, it.code()))
        .collect::<Vec<_>>();
    outcomes.sort();
    assert_eq!(outcomes, [(200, None), (422, Some("invalid".to_owned()))]);
    // A county's admin may not decide on the whole city's programmes.
    let elsewhere = Actor {
        client: "admin-7".into(),
        person: "县管".into(),
        jurisdictions: vec![YANHU.into()],
        ..app.cast.admin.clone()
    };
    app.register(&elsewhere).await;
    let body = json!({"document": draft(&[("version = 2", "version = 3")])});
    assert_eq!(
        app.post(&elsewhere, "/v1/programme-drafts", &body)
            .await
            .code()
            .as_deref(),
        Some("other-jurisdiction")
    );
    // The database refuses a version signed by one person as well.
    let version = "(jsonb_populate_record(p, '{\"version\": 7, \"hash\": \"0000000000000000000000000000000000000000000000000000000000000000\"}')).*";
    for (statement, constraint) in [
        (format!("INSERT INTO programmes SELECT {version} FROM programmes p WHERE id = 'digital-2026'"), "from a draft that a second person activated"),
        ("UPDATE programme_drafts SET status = 'activated', checker = maker, checked_at = made_at WHERE status = 'pending'".into(), "programme_drafts_four_eyes"),
        ("UPDATE programme_drafts SET reason = 'x' WHERE status = 'refused'".into(), "decided once"),
        ("UPDATE programme_drafts SET source = 'x' WHERE status = 'pending'".into(), "decided once"),
        ("DELETE FROM programme_drafts".into(), "decided once"),
    ] {
        let refused = app.db.cluster().sql(app.db.name(), &statement).await.unwrap_err().to_string();
        assert!(refused.contains(constraint), "{statement}: {refused}");
    }
    let third = draft(&[
        ("version = 2", "version = 3"),
        ("effective_from = 2026-07-01", "effective_from = 2026-08-01"),
    ]);
    let alone = app
        .service
        .catalogue()
        .seed_programme(&Actor::system(), &third)
        .await;
    assert_eq!(alone.unwrap_err().refusal(), Some(&service::Refusal::FourEyes));
    app.audit().await;
}
