//! A query for an instant returns what was answered then; and reads of personal data are on record.

use chrono::{DateTime, Duration, Utc};
use claims::life_cycle::Status;
use serde_json::{Value, json};
use service::claims::{ApprovalVerdict, ReviewVerdict};
use testkit::{HttpApp, Sale, YANHU, YUNCHENG, yuan};

const PROGRAMME: &str = "appliance-2026";

/// Answers with the instants at which they were given.
#[derive(Default)]
struct Diary(Vec<(DateTime<Utc>, String, Value)>);

impl Diary {
    /// Records the present answers, and lets an hour pass.
    async fn note(&mut self, app: &HttpApp, paths: &[String]) {
        for path in paths {
            let reply = app.get(&app.cast.auditor, path).await.expect(200);
            self.0.push((app.clock_now(), path.clone(), reply.json()));
        }
        app.clock.advance(Duration::hours(1));
    }

    /// Queries all recorded instants again.
    async fn holds(&self, app: &HttpApp) {
        for (at, path, answer) in &self.0 {
            let at = at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
            let again = app
                .get(
                    &app.cast.auditor,
                    &format!("{path}{}as_of={at}", if path.contains('?') { '&' } else { '?' }),
                )
                .await
                .expect(200);
            let mut again = again.json();
            if let Some(as_of) = again.get_mut("as_of") {
                *as_of = Value::Null;
            }
            assert_eq!(&again, answer, "{path} as of {at}");
        }
    }
}

trait Now {
    fn clock_now(&self) -> DateTime<Utc>;
}

impl Now for HttpApp {
    fn clock_now(&self) -> DateTime<Utc> {
        self.service.clock().now()
    }
}

fn path(id: claims::ClaimId) -> String {
    format!("/v1/claims/{id}")
}

fn balances() -> String {
    format!("/v1/ledgers/{YANHU}/balances")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_as_of_an_instant_is_what_was_answered_then() {
    let app = HttpApp::new().await;
    app.appropriate(YANHU, PROGRAMME, yuan("10000.00")).await;
    let mut diary = Diary::default();
    let right = app.sale(&Sale::air_conditioner()).await;
    let mut wrong = right.clone();
    wrong.purchase.invoice.goods_name = Some("实木餐桌".into());
    wrong.merchant_reference = claims::identifiers::MerchantReference::parse("B-WRONG").unwrap();
    let early = app.clock_now() - Duration::seconds(1);
    let id = app.submit(wrong.clone()).await.id;
    let list = format!("/v1/claims?jurisdiction={YANHU}");
    let paths = [
        path(id),
        balances(),
        list.clone(),
        format!("{list}&status=under_review"),
        format!("{list}&status=approved"),
    ];
    diary.note(&app, &paths).await;
    // Incomplete twice, then complete, returned by the reviewer, complete again, recommended, sent
    // back, recommended, approved.
    let mut dearer = wrong.clone();
    dearer.purchase.paid = Some(yuan("3000.00"));
    app.correct(id, dearer).await.unwrap();
    diary.note(&app, &paths).await;
    app.correct(id, right.clone()).await.unwrap();
    diary.note(&app, &paths).await;
    app.review(id, ReviewVerdict::Return).await.unwrap();
    diary.note(&app, &paths).await;
    app.correct(id, right).await.unwrap();
    diary.note(&app, &paths).await;
    app.recommend(id).await;
    diary.note(&app, &paths).await;
    app.decide(id, ApprovalVerdict::Return).await.unwrap();
    diary.note(&app, &paths).await;
    app.approve(id).await;
    diary.note(&app, &paths).await;
    let first = app.make_disbursement(YANHU, PROGRAMME).await.unwrap();
    diary.note(&app, &paths).await;
    let cancel = json!({"reason": "重新生成"});
    app.post(
        &app.cast.maker,
        &format!("/v1/disbursements/{first}/cancellation"),
        &cancel,
    )
    .await
    .expect(200);
    diary.note(&app, &paths).await;
    app.pay_out(YANHU, PROGRAMME).await;
    diary.note(&app, &paths).await;
    app.return_goods(id).await.unwrap();
    diary.note(&app, &paths).await;
    assert_eq!(app.state(id).await.status, Status::ClawbackDue);
    diary.holds(&app).await;

    let early = early.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    app.get(&app.cast.auditor, &format!("{}?as_of={early}", path(id)))
        .await
        .expect(404);
    let none = app
        .get(&app.cast.auditor, &format!("{list}&as_of={early}"))
        .await
        .expect(200);
    assert_eq!(none.json()["items"], json!([]));
    let reply = app
        .get(&app.cast.auditor, &format!("{}?as_of=yesterday", path(id)))
        .await;
    assert_eq!(reply.code().as_deref(), Some("invalid-parameter"));
    // Another merchant's claim does not exist at any time.
    let now = app
        .clock_now()
        .to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    app.get(&app.cast.other_retailer, &format!("{}?as_of={now}", path(id)))
        .await
        .expect(404);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_as_of_an_instant_goes_on_from_page_to_page() {
    let app = HttpApp::new().await;
    app.appropriate(YANHU, PROGRAMME, yuan("10000.00")).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(app.submit(app.sale(&Sale::air_conditioner()).await).await.id);
        app.clock.advance(Duration::hours(1));
    }
    app.recommend(ids[1]).await;
    let then = app
        .clock_now()
        .to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    app.clock.advance(Duration::hours(1));
    // Later changes do not show at that instant.
    for id in [ids[0], ids[3]] {
        app.recommend(id).await;
    }
    app.submit(app.sale(&Sale::air_conditioner()).await).await;

    let all = format!("/v1/claims?order=queue&limit=2&as_of={then}");
    for (path, expected) in [
        (all.clone(), ids.clone()),
        (
            format!("{all}&status=under_review"),
            vec![ids[0], ids[2], ids[3], ids[4]],
        ),
        (
            format!("{all}&programme={PROGRAMME}&status=recommended"),
            vec![ids[1]],
        ),
    ] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = app
                .get(&app.cast.auditor, &format!("{path}{cursor}"))
                .await
                .expect(200)
                .json();
            let items = page["items"].as_array().unwrap();
            seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
            assert!(items.len() <= 2);
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
        assert_eq!(seen, expected, "{path}");
    }
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_claim_waited_for_the_limit_that_was_answered_then() {
    let app = HttpApp::new().await;
    app.appropriate(YANHU, PROGRAMME, yuan("600.00")).await;
    app.submit(app.sale(&Sale::air_conditioner()).await).await;
    app.caps(YUNCHENG, PROGRAMME, &[("whole", yuan("600.00"))]).await;
    let mut diary = Diary::default();
    let id = app.submit(app.sale(&Sale::air_conditioner()).await).await.id;
    let paths = [path(id)];
    diary.note(&app, &paths).await;
    // The cap is lifted, and the claim waits for the fund; a new cap, and it waits for that; money,
    // and it is served.
    app.caps(YUNCHENG, PROGRAMME, &[]).await;
    diary.note(&app, &paths).await;
    app.caps(
        YUNCHENG,
        PROGRAMME,
        &[("category:air_conditioner", yuan("600.00"))],
    )
    .await;
    diary.note(&app, &paths).await;
    app.appropriate(YANHU, PROGRAMME, yuan("600.00")).await;
    diary.note(&app, &paths).await;
    app.caps(YUNCHENG, PROGRAMME, &[]).await;
    diary.note(&app, &paths).await;
    assert_eq!(app.state(id).await.status, Status::UnderReview);
    let waited = diary
        .0
        .iter()
        .map(|(_, _, answer)| answer["waits_for"].to_string());
    let waited = waited.collect::<std::collections::BTreeSet<_>>().len();
    assert!(waited >= 3, "it waited for {waited} limits");
    diary.holds(&app).await;
    // Every revision has its event.
    let events = app
        .get(&app.cast.auditor, &format!("{}/events", path(id)))
        .await
        .expect(200)
        .json();
    let revisions = events["items"].as_array().unwrap().iter();
    let revisions = revisions
        .map(|it| it["revision"].as_i64().unwrap())
        .collect::<Vec<_>>();
    assert_eq!(
        revisions,
        (1..=i64::from(app.state(id).await.revision)).collect::<Vec<_>>()
    );
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_says_who_and_what_they_saw() {
    let app = HttpApp::new().await;
    app.appropriate(YANHU, PROGRAMME, yuan("10000.00")).await;
    let right = app.sale(&Sale::air_conditioner()).await;
    let mut wrong = right.clone();
    wrong.purchase.invoice.goods_name = Some("实木餐桌".into());
    let first = app.submit(wrong).await;
    let id = first.id;
    let second = app.correct(id, right).await.unwrap();
    app.recommend(id).await;
    app.post(
        &app.cast.auditor,
        &format!("{}/reveal", path(id)),
        &json!({"reason": "抽查"}),
    )
    .await
    .expect(200);
    app.decide(id, ApprovalVerdict::Approve).await.unwrap();
    let receipt = |state: &service::claims::ClaimState| state.decision.as_ref().unwrap().receipt.clone();
    let (first, second) = (receipt(&first), receipt(&second));
    let events = app
        .get(&app.cast.auditor, &format!("{}/events", path(id)))
        .await
        .expect(200)
        .json();
    let items = events["items"].as_array().unwrap();
    let answered = items.iter().map(|it| {
        (
            it["verb"].as_str().unwrap(),
            it["person"].as_str().unwrap(),
            it["seen"].clone(),
        )
    });
    let seen = |revision: i32, receipt: &Option<String>| json!({"revision": revision, "receipt": receipt});
    assert_eq!(
        answered.collect::<Vec<_>>(),
        [
            ("submit", "retailer-1", Value::Null),
            ("correct", "retailer-1", seen(1, &first)),
            ("recommend", "李审", seen(2, &second)),
            ("reveal", "吴计", seen(3, &second)),
            ("approve", "赵准", seen(3, &second)),
        ]
    );
    let own = app
        .get(&app.cast.retailer, &format!("{}/events", path(id)))
        .await
        .expect(200)
        .json();
    assert!(
        own["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|it| it["person"].is_null() && it["actor"].is_null())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looked_at_personal_data_is_on_record() {
    let app = HttpApp::new().await;
    app.appropriate(YANHU, PROGRAMME, yuan("10000.00")).await;
    let first = app.submit(app.sale(&Sale::air_conditioner()).await).await.id;
    let second = app.submit(app.sale(&Sale::air_conditioner()).await).await.id;
    for (actor, id, why) in [
        (&app.cast.reviewer, first, "核对姓名"),
        (&app.cast.auditor, first, "抽查"),
        (&app.cast.reviewer, second, "核对地址"),
    ] {
        let body = json!({"reason": why});
        app.post(actor, &format!("{}/reveal", path(id)), &body)
            .await
            .expect(200);
        app.clock.advance(Duration::days(1));
    }
    let reads = format!("/v1/ledgers/{YANHU}/reads");
    let ask = async |query: &str| {
        let reply = app
            .get(&app.cast.auditor, &format!("{reads}{query}"))
            .await
            .expect(200)
            .json();
        let items = reply["items"].as_array().unwrap().clone();
        let reasons = items
            .iter()
            .map(|it| it["reason"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>();
        (reasons, reply)
    };
    let (all, reply) = ask("").await;
    assert_eq!(all, ["核对地址", "抽查", "核对姓名"]);
    let look = &reply["items"][1];
    assert_eq!(
        (&look["person"], &look["verb"]),
        (&json!("吴计"), &json!("reveal"))
    );
    assert_eq!(
        (&look["subject"], &look["revision"]),
        (&json!(first.to_string()), &json!(1))
    );
    assert_eq!(
        ask("?person=%E6%9D%8E%E5%AE%A1").await.0,
        ["核对地址", "核对姓名"]
    );
    assert_eq!(ask(&format!("?subject={first}")).await.0, ["抽查", "核对姓名"]);
    assert_eq!(ask("?from=2026-06-16&to=2026-06-16").await.0, ["抽查"]);
    let (page, reply) = ask("?limit=2").await;
    assert_eq!(page, ["核对地址", "抽查"]);
    let cursor = reply["next_cursor"].as_str().unwrap();
    assert_eq!(ask(&format!("?cursor={cursor}")).await.0, ["核对姓名"]);
    for wrong in ["?subject=x", "?from=June", "?person="] {
        app.get(&app.cast.auditor, &format!("{reads}{wrong}"))
            .await
            .expect(400);
    }
    app.get(&app.cast.reviewer, &reads).await.expect(403);
}
