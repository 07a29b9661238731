//! Every kind of problem is produced by a request, in both languages, in the form of RFC 9457.

use std::collections::BTreeMap;

use api::http::problem::Kind;
use serde_json::{Value, json};
use service::Settings;
use testkit::{HttpApp, LINYI, Reply, Sale, Setup, TestDb, YANHU, on_the_wire, yuan};

/// Sends requests that end in problems and records which came.
struct Collector<'a> {
    app: &'a HttpApp,
    seen: BTreeMap<String, u16>,
}

impl Collector<'_> {
    fn see(&mut self, reply: &Reply) {
        let code = reply.code().unwrap_or_else(|| panic!("no problem: {reply:?}"));
        let body = reply.json();
        assert_eq!(body["status"].as_u64(), Some(reply.status.into()), "{body}");
        for member in ["type", "title", "detail", "code"] {
            assert!(
                body[member].as_str().is_some_and(|text| !text.is_empty()),
                "{code} lacks {member}"
            );
        }
        assert!(
            reply.header("x-request-id").is_some(),
            "{code} lacks its request's id"
        );
        self.seen.insert(code, reply.status);
    }

    /// Sends with a token, and expects this problem.
    async fn raw(&mut self, code: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) {
        let bearer = format!("Bearer {}", self.app.token(&self.app.cast.retailer).await);
        let headers = [&[("authorization", bearer.as_str())], headers].concat();
        self.expect(code, self.app.send(method, path, &headers, body).await);
    }

    fn expect(&mut self, code: &str, reply: Reply) {
        assert_eq!(
            reply.code().as_deref(),
            Some(code),
            "{}",
            String::from_utf8_lossy(&reply.body)
        );
        self.see(&reply);
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");
const KEY: (&str, &str) = ("idempotency-key", "the-key");

/// Malformed requests.
async fn wrong_in_form(it: &mut Collector<'_>, sent: &Value) {
    let body = sent.to_string();
    let body = body.as_bytes();
    it.raw(
        "malformed-json",
        "POST",
        "/v1/claims",
        &[JSON, KEY],
        b"{\"programme\":",
    )
    .await;
    let csv = ("content-type", "text/csv");
    it.raw(
        "malformed-body",
        "POST",
        "/v1/claims/bulk",
        &[csv, KEY],
        b"programme,programme\n1,2\n",
    )
    .await;
    it.raw("invalid-parameter", "GET", "/v1/claims?limit=many", &[], b"")
        .await;
    it.raw("idempotency-key-required", "POST", "/v1/claims", &[JSON], body)
        .await;
    it.raw("no-such-path", "GET", "/v1/nothing", &[], b"").await;
    it.raw("method-not-allowed", "PUT", "/v1/claims", &[JSON], b"{}")
        .await;
    it.raw(
        "unsupported-media-type",
        "POST",
        "/v1/claims",
        &[("content-type", "text/plain"), KEY],
        body,
    )
    .await;
    it.raw(
        "body-too-large",
        "POST",
        "/v1/claims",
        &[JSON, KEY],
        &vec![b' '; 70_000],
    )
    .await;
    it.raw(
        "uri-too-long",
        "GET",
        &format!("/v1/claims?cursor={}", "x".repeat(5_000)),
        &[],
        b"",
    )
    .await;
    it.raw(
        "not-found",
        "GET",
        "/v1/claims/clm_140802_018f2f6e7d3a7c8e9b0a1122334455ff",
        &[],
        b"",
    )
    .await;
    let mut wrong = sent.clone();
    wrong["applicant"]["identity_number"] = json!("14080219850314331X");
    it.raw(
        "invalid",
        "POST",
        "/v1/claims",
        &[JSON, KEY],
        wrong.to_string().as_bytes(),
    )
    .await;
    let lines = ("content-type", "application/x-ndjson");
    it.raw(
        "bulk-refused",
        "POST",
        "/v1/claims/bulk?mode=atomic",
        &[lines, KEY],
        wrong.to_string().as_bytes(),
    )
    .await;
    let many = "{}\n".repeat(1_001);
    it.raw(
        "too-many",
        "POST",
        "/v1/claims/bulk?mode=atomic",
        &[lines, ("idempotency-key", "b")],
        many.as_bytes(),
    )
    .await;
}

/// Callers without the right.
async fn wrong_callers(it: &mut Collector<'_>) {
    let app = it.app;
    it.expect("unauthenticated", app.send("GET", "/v1/claims", &[], b"").await);
    it.expect("forbidden", app.get(&app.cast.retailer, "/v1/funds").await);
    let elsewhere = service::Actor {
        client: "auditor-e".into(),
        jurisdictions: vec![LINYI.into()],
        ..app.cast.auditor.clone()
    };
    app.register(&elsewhere).await;
    it.expect(
        "other-jurisdiction",
        app.get(&elsewhere, "/v1/ledgers/140802/balances").await,
    );
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let wrong = b"grant_type=client_credentials&client_id=retailer-1&client_secret=guess";
    it.expect(
        "invalid-client",
        app.send("POST", "/oauth/token", &form, wrong).await,
    );
    let other = b"grant_type=password&client_id=retailer-1&client_secret=guess";
    it.expect(
        "unsupported-grant-type",
        app.send("POST", "/oauth/token", &form, other).await,
    );
}

/// Requests out of turn.
async fn out_of_turn(it: &mut Collector<'_>, sent: &Value) {
    let app = it.app;
    let cast = app.cast.clone();
    let post = async |actor, path: &str, body: &Value| app.post(actor, path, body).await;
    let created = app
        .call(&cast.retailer, "POST", "/v1/claims", Some(sent), &[KEY])
        .await
        .expect(201)
        .json();
    let id = created["id"].as_str().unwrap();
    let mut other = sent.clone();
    other["merchant_reference"] = json!("B-OTHER");
    it.expect(
        "idempotency-key-reused",
        app.call(&cast.retailer, "POST", "/v1/claims", Some(&other), &[KEY])
            .await,
    );
    let seed = [7; 32];
    let commitment = hex::encode(claims::sampling::commitment(&seed));
    let sample = json!({"from": "2026-01-01T00:00:00Z", "to": "2999-01-01T00:00:00Z", "size": 1, "commitment": commitment});
    let sample = post(&cast.auditor, "/v1/ledgers/140802/samples", &sample)
        .await
        .expect(201);
    let draw = format!("/v1/samples/{}/draw", sample.json()["id"].as_str().unwrap());
    let seed = json!({"seed": hex::encode(seed)});
    it.expect("period-open", post(&cast.auditor, &draw, &seed).await);
    let review = format!("/v1/claims/{id}/review");
    it.expect(
        "if-match-required",
        post(&cast.reviewer, &review, &json!({"verdict": "recommend"})).await,
    );
    it.expect(
        "reason-required",
        app.post_on(&cast.reviewer, id, "review", &json!({"verdict": "reject"}))
            .await,
    );
    it.expect(
        "out-of-turn",
        app.post_on(&cast.approver, id, "approval", &json!({"verdict": "approve"}))
            .await,
    );
    app.post_on(&cast.reviewer, id, "review", &json!({"verdict": "recommend"}))
        .await
        .expect(200);
    let stale = [("if-match", "\"1\"")];
    let approve = json!({"verdict": "approve"});
    it.expect(
        "stale",
        app.call(
            &cast.approver,
            "POST",
            &format!("/v1/claims/{id}/approval"),
            Some(&approve),
            &stale,
        )
        .await,
    );
    let payout = json!({"jurisdiction": YANHU, "programme": "appliance-2026"});
    it.expect(
        "nothing-payable",
        post(&cast.maker, "/v1/disbursements", &payout).await,
    );
    app.post_on(&cast.approver, id, "approval", &approve)
        .await
        .expect(200);
    let made = post(&cast.maker, "/v1/disbursements", &payout)
        .await
        .expect(201)
        .json();
    let disbursement = format!("/v1/disbursements/{}", made["id"].as_str().unwrap());
    it.expect(
        "four-eyes",
        post(&cast.maker, &format!("{disbursement}/release"), &json!({})).await,
    );
    let hold = json!({"jurisdiction": YANHU, "programme": "appliance-2026", "reason": "核查中"});
    let hold = post(&cast.maker, "/v1/holds", &hold).await.expect(201).json();
    it.expect(
        "held",
        post(&cast.checker, &format!("{disbursement}/release"), &json!({})).await,
    );
    let lifting = format!("/v1/holds/{}/lifting", hold["id"].as_str().unwrap());
    post(&cast.maker, &lifting, &json!({"reason": "核查无误"}))
        .await
        .expect(200);
    bank(it, &disbursement).await;
    it.expect(
        "account-missing",
        app.get(&cast.maker, &format!("{disbursement}/instruction")).await,
    );
    it.expect(
        "settled",
        post(&cast.checker, &format!("{disbursement}/release"), &json!({})).await,
    );
    let payments = app
        .get(&cast.maker, &format!("{disbursement}/payments"))
        .await
        .expect(200)
        .json();
    let payment = &payments["items"][0]["id"];
    let results = format!("{disbursement}/results");
    post(
        &cast.maker,
        &results,
        &json!({"items": [{"payment": payment, "outcome": "paid"}]}),
    )
    .await
    .expect(200);
    let no = json!({"items": [{"payment": payment, "outcome": "failed", "reason": "退票"}]});
    let lines = post(&cast.maker, &results, &no).await.expect(200).json();
    // One of many: its problem stands in its line.
    assert_eq!(
        lines["items"][0]["problem"]["code"], "result-contradicts",
        "{lines}"
    );
    it.seen.insert("result-contradicts".into(), 409);

    let money = json!({"source": "city", "amount": "1.00", "document": "运财〔2026〕9号"});
    let path = "/v1/funds/appliance-2026/140802/appropriations";
    post(&cast.maker, path, &money).await.expect(201);
    it.expect("document-used", post(&cast.maker, path, &money).await);
    let caps = json!({"caps": [{"scope": "whole", "ceiling": "599.99"}], "document": "运财〔2026〕10号"});
    let made = app
        .call(
            &cast.maker,
            "PUT",
            "/v1/funds/appliance-2026/140802/caps",
            Some(&caps),
            &[],
        )
        .await
        .expect(200)
        .json();
    let decision = format!("/v1/cap-changes/{}/decision", made["id"].as_str().unwrap());
    it.expect(
        "cap-below-committed",
        post(&cast.checker, &decision, &approve).await,
    );
}

/// Results for a disbursement that is not released yet, and reports that cannot be read.
async fn bank(it: &mut Collector<'_>, disbursement: &str) {
    let (app, maker) = (it.app, &it.app.cast.maker);
    let payments = app
        .get(maker, &format!("{disbursement}/payments"))
        .await
        .expect(200)
        .json();
    let payment = payments["items"][0]["id"]
        .as_str()
        .unwrap()
        .rsplit('_')
        .next()
        .unwrap()
        .to_owned();
    let bearer = format!("Bearer {}", app.token(maker).await);
    let send = async |text: &str| {
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/xml"),
        ];
        let path = "/v1/bank-reports?jurisdiction=140802";
        app.send("POST", path, &headers, text.as_bytes()).await
    };
    it.expect("report-unreadable", send("<Document/>").await);
    let said = |status: &str, amount: &str| {
        format!(
            "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt><GrpHdr><MsgId>S</MsgId>\
             <CreDtTm>2026-06-02T10:00:00+08:00</CreDtTm></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>x</OrgnlMsgId>\
             <OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId></OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>x</OrgnlPmtInfId>\
             <TxInfAndSts><OrgnlEndToEndId>{payment}</OrgnlEndToEndId><TxSts>{status}</TxSts><OrgnlTxRef><Amt>\
             <InstdAmt Ccy=\"CNY\">{amount}</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts></OrgnlPmtInfAndSts>\
             </CstmrPmtStsRpt></Document>"
        )
    };
    let one = async |text: String| {
        let lines = send(&text).await.expect(200).json();
        let problem = &lines["items"][0]["problem"];
        let status = u16::try_from(problem["status"].as_u64().unwrap()).unwrap();
        (problem["code"].as_str().unwrap().to_owned(), status)
    };
    // Each of many: its problem stands in its line.
    it.seen.extend([one(said("ACSC", "600.00")).await]);
    let release = format!("{disbursement}/release");
    let other = app.cast.checker.clone();
    app.post(&other, &release, &json!({})).await.expect(200);
    it.seen.extend([
        one(said("ACSC", "600.01")).await,
        one(said("ODD", "600.00")).await,
    ]);
}

/// A file that the bank may have, and a second test message while one is on its way.
async fn outside(it: &mut Collector<'_>) {
    let app = it.app;
    let doubt = "INSERT INTO bank_submissions (jurisdiction, disbursement, part, version, name, format, status, attempts, in_doubt, \
        due_at, queued_at, submitted_at, sha256, key_id, sealed) SELECT jurisdiction, id, 1, 1, 'x.csv', 'csv', 'queued', 1, true, \
        made_at, made_at, made_at, sha256('x'), 'test', 'x' FROM disbursements RETURNING replace(disbursement::text, '-', '')";
    let id = app.db.row(doubt).await;
    let path = format!("/v1/disbursements/dsb_140802_{id}/submissions/1/resolution");
    let body = json!({"resolution": "by_hand", "reason": "急"});
    it.expect(
        "settled",
        app.post(
            &app.cast.maker,
            &path,
            &json!({"resolution": "submit_again", "reason": "急"}),
        )
        .await,
    );
    it.expect("bank-may-have-it", app.post(&app.cast.maker, &path, &body).await);
    let hook = json!({"url": "https://shop.example.cn/huanxin"});
    let made = app
        .post(&app.cast.retailer, "/v1/webhooks", &hook)
        .await
        .expect(201)
        .json();
    let test = format!("/v1/webhooks/{}/test", made["id"].as_str().unwrap());
    app.post(&app.cast.retailer, &test, &json!({})).await.expect(200);
    it.expect(
        "limit-reached",
        app.post(&app.cast.retailer, &test, &json!({})).await,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_problem_is_produced() {
    let app = HttpApp::new().await;
    app.appropriate(YANHU, "appliance-2026", yuan("6000.00")).await;
    let sent = on_the_wire(&app.sale(&Sale::air_conditioner()).await);
    let mut it = Collector {
        app: &app,
        seen: BTreeMap::new(),
    };
    wrong_in_form(&mut it, &sent).await;
    wrong_callers(&mut it).await;
    out_of_turn(&mut it, &sent).await;
    outside(&mut it).await;
    let inclusion = "/v1/ledgers/140802/proofs/inclusion?leaf=0";
    it.expect("not-covered", app.get(&app.cast.auditor, inclusion).await);
    let vouch = "/v1/ledgers/140802/checkpoint/cosignatures";
    it.expect(
        "cosignature",
        app.post(&app.cast.auditor, vouch, &json!({})).await,
    );
    app.audit().await;

    // Problems that only a fault produces: a document altered without the service, and a database
    // that is away.
    app.db.rows("UPDATE decisions SET sealed = '\\x00'").await;
    let id = app
        .db
        .row("SELECT 'clm_140802_' || replace(id::text, '-', '') FROM claims")
        .await;
    let broken = app.get(&app.cast.auditor, &format!("/v1/claims/{id}")).await;
    assert!(
        !broken.text().contains("vault") && !broken.text().contains("sealed"),
        "{broken:?}"
    );
    it.expect("internal", broken);
    let bearer = format!("Bearer {}", app.token(&app.cast.auditor).await);
    app.get(&app.cast.auditor, "/v1/claims").await.expect(200);
    close(&app.db).await;
    let away = app
        .send("GET", "/v1/claims", &[("authorization", &bearer)], b"")
        .await;
    assert!(away.header("retry-after").is_some(), "{away:?}");
    it.expect("unavailable", away);
    let not_ready = app.send("GET", "/readyz", &[], b"").await;
    assert_eq!(not_ready.status, 503);
    let seen = std::mem::take(&mut it.seen);
    drop(it);

    let hasty = HttpApp::with(Setup {
        settings: Settings {
            requests_per_second: 1,
            ..Settings::default()
        },
        webhooks: false,
        ..Setup::default()
    })
    .await;
    let bearer = format!("Bearer {}", hasty.token(&hasty.cast.auditor).await);
    let mut it = Collector { app: &hasty, seen };
    let hook = json!({"url": "https://shop.example.cn/huanxin"});
    it.expect(
        "webhooks-off",
        hasty.post(&hasty.cast.retailer, "/v1/webhooks", &hook).await,
    );
    for _ in 0..20 {
        let reply = hasty
            .send("GET", "/v1/claims", &[("authorization", &bearer)], b"")
            .await;
        if reply.status == 429 {
            assert!(reply.header("retry-after").is_some());
            it.expect("throttled", reply);
            break;
        }
    }
    let all = Kind::ALL
        .iter()
        .map(|kind| (kind.code().to_owned(), kind.status().as_u16()))
        .collect::<BTreeMap<_, _>>();
    assert_eq!(it.seen, all);
}

/// No connection is left, and none can be opened.
async fn close(db: &TestDb) {
    db.cluster()
        .sql(
            "postgres",
            &format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", db.name()),
        )
        .await
        .unwrap();
    db.disconnect().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_problem_speaks_the_caller_s_language_and_its_code_does_not() {
    let app = HttpApp::new().await;
    let ask = async |language: &str| {
        app.send("GET", "/v1/claims", &[("accept-language", language)], b"")
            .await
    };
    let (zh, en, silent) = (
        ask("zh-CN").await,
        ask("en").await,
        app.send("GET", "/v1/claims", &[], b"").await,
    );
    assert_eq!(zh.code(), en.code());
    assert_ne!(zh.json()["title"], en.json()["title"]);
    assert_eq!(silent.json()["title"], zh.json()["title"]);
    assert!(en.json()["title"].as_str().unwrap().is_ascii());
    assert_eq!(zh.header("content-language"), Some("zh-CN"));
}
