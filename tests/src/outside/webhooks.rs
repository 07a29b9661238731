//! Merchants' webhooks: signed, once each, again later, and no delivery waits for a dead endpoint.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::Duration;
use claims::ids::WebhookId;
use claims::life_cycle::Status;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use service::operation::access::KeepWebhooks;
use service::webhooks::{Delivery, Replay, Told};
use service::{Actor, Refusal};
use sha2::Sha256;
use testkit::{HttpApp, Sale, Setup, TestApp, YANHU, new_key, permit, webhooks, yuan};

use super::{Act, Asked, Server};

async fn with_money() -> TestApp {
    let app = TestApp::new().await;
    app.appropriate(YANHU, "appliance-2026", yuan("60000.00")).await;
    app
}

pub(super) async fn register(
    app: &TestApp,
    actor: &Actor,
    url: &str,
    statuses: &[Status],
) -> (WebhookId, SecretString) {
    let made = app
        .service
        .webhooks()
        .register_webhook(&permit(actor), url, statuses.to_vec(), new_key())
        .await;
    let (made, secret) = made.unwrap();
    (made.value.id, secret.unwrap())
}

/// The worker's constant rounds.
pub(super) async fn round(app: &TestApp) -> Told {
    app.service.worker().work(None, None).await.unwrap();
    app.service.webhooks().tell_merchants(&*webhooks()).await.unwrap()
}

async fn log(app: &TestApp, actor: &Actor, id: WebhookId) -> Vec<Delivery> {
    let page = app
        .service
        .webhooks()
        .webhook_deliveries(&permit(actor), id, None, None, 200)
        .await;
    page.unwrap().items
}

/// Whether one of a message's signatures is of this secret.
pub(super) fn is_signed(asked: &Asked, secret: &SecretString) -> bool {
    let key = STANDARD
        .decode(secret.expose_secret().strip_prefix("whsec_").unwrap())
        .unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let (id, at) = (
        asked.header("webhook-id").unwrap(),
        asked.header("webhook-timestamp").unwrap(),
    );
    mac.update(format!("{id}.{at}.").as_bytes());
    mac.update(&asked.body);
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    asked
        .header("webhook-signature")
        .unwrap()
        .split(' ')
        .any(|it| it == expected)
}

fn ids(server: &Server) -> Vec<String> {
    let asked = server.asked();
    asked
        .iter()
        .map(|it| it.header("webhook-id").unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_gets_messages_of_its_own_claims_and_nothing_personal() {
    let app = with_money().await;
    let server = Server::start(|_| Act::status(204)).await;
    let other_merchant = Server::start(|_| Act::status(204)).await;
    let retailer = app.cast.retailer.clone();
    let (all, secret) = register(&app, &retailer, &server.url(), &[]).await;
    let (some, _) = register(
        &app,
        &retailer,
        &format!("{}/some", server.url()),
        &[Status::Approved],
    )
    .await;
    register(&app, &app.cast.other_retailer, &other_merchant.url(), &[]).await;
    let claim = app.sale(&Sale::air_conditioner()).await;
    let (name, number) = (
        claim.applicant.name.expose().to_owned(),
        claim.purchase.invoice.number.clone(),
    );
    let claim = app.submit(claim).await;
    app.approve(claim.id).await;
    let done = round(&app).await;
    assert_eq!((done.delivered, done.failed), (4, 0));
    assert!(other_merchant.asked().is_empty());

    let asked = server.asked();
    let events = |path: &str| {
        let of = asked.iter().filter(|it| it.path == path);
        let bodies = of.map(|it| serde_json::from_slice::<Value>(&it.body).unwrap());
        bodies
            .map(|it| it["type"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        events("/"),
        ["claim.under_review", "claim.recommended", "claim.approved"]
    );
    assert_eq!(events("/some"), ["claim.approved"]);
    let first = asked.iter().find(|it| it.path == "/").unwrap();
    assert!(is_signed(first, &secret));
    let body: Value = serde_json::from_slice(&first.body).unwrap();
    assert_eq!(body["data"]["claim"], claim.id.to_string());
    assert_eq!(body["data"]["verb"], "submit");
    for asked in &asked {
        let text = String::from_utf8_lossy(&asked.body).into_owned();
        assert!(
            !text.contains(&name) && !text.contains(&number.to_string()),
            "{text}"
        );
    }
    let log = log(&app, &retailer, all).await;
    assert_eq!(log.len(), 3);
    assert!(
        log.iter()
            .all(|it| it.status.as_str() == "delivered" && it.log[0].http_status == Some(204))
    );
    let page = app
        .service
        .webhooks()
        .webhook_deliveries(&permit(&app.cast.other_retailer), some, None, None, 10)
        .await;
    assert_eq!(page.unwrap_err().refusal(), Some(&Refusal::NotFound("webhook")));
    assert_eq!(app.service.worker().outbox_depth().await.unwrap(), 0);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_comes_again_later_with_the_same_id() {
    let app = with_money().await;
    let status = Arc::new(AtomicU16::new(500));
    let it = status.clone();
    let server = Server::start(move |_| match it.load(Ordering::SeqCst) {
        0 => Act::Reset,
        status => Act::status(status),
    })
    .await;
    let retailer = app.cast.retailer.clone();
    let (id, _) = register(&app, &retailer, &server.url(), &[]).await;
    app.submit(app.sale(&Sale::air_conditioner()).await).await;
    assert_eq!(round(&app).await.failed, 1);
    assert_eq!(round(&app).await, Told::default(), "before its time");
    status.store(0, Ordering::SeqCst);
    app.clock.advance(Duration::seconds(7));
    assert_eq!(round(&app).await.failed, 1);
    status.store(200, Ordering::SeqCst);
    app.clock.advance(Duration::minutes(7));
    assert_eq!(round(&app).await.delivered, 1);
    let sent = ids(&server);
    assert_eq!((sent.len(), sent.iter().collect::<BTreeSet<_>>().len()), (3, 1));
    let log = log(&app, &retailer, id).await;
    let answers = log[0].log.iter().map(|it| it.http_status).collect::<Vec<_>>();
    assert_eq!(answers, [Some(200), None, Some(500)]);
    assert!(
        log[0].log[1]
            .error
            .as_ref()
            .is_some_and(|it| !it.contains("127.0.0.1"))
    );
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_endpoint_delays_no_other_and_is_disabled_in_the_end() {
    let app = with_money().await;
    let healthy = Server::start(|_| Act::status(200)).await;
    let dead = Server::start(|_| Act::Silence).await;
    let gone = Server::start(|_| Act::status(410)).await;
    let retailer = app.cast.retailer.clone();
    let (dead_id, _) = register(&app, &retailer, &dead.url(), &[]).await;
    register(&app, &retailer, &healthy.url(), &[]).await;
    let (gone_id, _) = register(&app, &retailer, &gone.url(), &[]).await;
    app.submit_batch(app.many(5, &Sale::air_conditioner()).await)
        .await;
    let done = round(&app).await;
    assert_eq!((done.delivered, done.failed), (5, 2));
    assert_eq!(
        (healthy.asked().len(), dead.asked().len(), gone.asked().len()),
        (5, 1, 1)
    );
    let seen = app
        .service
        .webhooks()
        .webhook(&permit(&retailer), gone_id)
        .await
        .unwrap();
    assert_eq!(
        (seen.status.as_str(), seen.disabled_why.map(|it| it.as_str())),
        ("disabled", Some("gone"))
    );
    // Messages for the dead endpoint are kept meanwhile, and it is tried from time to time.
    for _ in 0..4 {
        app.clock.advance(Duration::hours(25));
        round(&app).await;
    }
    assert!(dead.asked().len() <= 6, "{} attempts", dead.asked().len());
    let seen = app
        .service
        .webhooks()
        .webhook(&permit(&retailer), dead_id)
        .await
        .unwrap();
    assert_eq!(
        (seen.status.as_str(), seen.disabled_why.map(|it| it.as_str())),
        ("disabled", Some("failing"))
    );
    let events = app
        .service
        .webhooks()
        .webhook_events(&permit(&retailer), dead_id, None, 10)
        .await
        .unwrap();
    let verbs = events.items.iter().map(|it| it.verb.as_str()).collect::<Vec<_>>();
    assert_eq!(verbs, ["register_webhook", "disable_webhook"]);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_race_tell_each_message_once() {
    let app = with_money().await;
    let server = Server::start(|_| Act::status(200)).await;
    let retailer = app.cast.retailer.clone();
    for path in ["a", "b", "c"] {
        register(&app, &retailer, &format!("{}/{path}", server.url()), &[]).await;
    }
    app.submit_batch(app.many(20, &Sale::air_conditioner()).await)
        .await;
    let workers = (0..4).map(|_| round(&app));
    let rounds = futures::future::join_all(workers).await;
    let rest = round(&app).await;
    let delivered = rounds.iter().map(|it| it.delivered).sum::<usize>() + rest.delivered;
    let asked = server.asked();
    let each = asked
        .iter()
        .map(|it| (it.path.clone(), it.header("webhook-id").unwrap().to_owned()));
    assert_eq!(
        (delivered, asked.len(), each.collect::<BTreeSet<_>>().len()),
        (60, 60, 60)
    );
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_the_answer_tells_one_message_again() {
    let app = with_money().await;
    let silent = Arc::new(Mutex::new(true));
    let it = silent.clone();
    let server = Server::start(move |_| match *it.lock().unwrap() {
        true => Act::Silence,
        false => Act::status(200),
    })
    .await;
    let retailer = app.cast.retailer.clone();
    register(&app, &retailer, &server.url(), &[]).await;
    app.submit(app.sale(&Sale::air_conditioner()).await).await;
    app.service.worker().work(None, None).await.unwrap();
    {
        let port = webhooks();
        let delivery = app.service.webhooks().tell_merchants(&*port);
        tokio::select! {
            _ = delivery => panic!("the merchant is silent"),
            () = server.came() => {}
        }
    }
    *silent.lock().unwrap() = false;
    assert_eq!(round(&app).await, Told::default(), "leased");
    app.clock.advance(Duration::minutes(4));
    assert_eq!(round(&app).await.delivered, 1);
    let sent = ids(&server);
    assert_eq!(sent[0], sent[1]);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn for_a_day_both_secrets_sign() {
    let app = with_money().await;
    let server = Server::start(|_| Act::status(200)).await;
    let retailer = app.cast.retailer.clone();
    let (id, old) = register(&app, &retailer, &server.url(), &[]).await;
    let (seen, new) = app
        .service
        .webhooks()
        .rotate_webhook_secret(&permit(&retailer), id)
        .await
        .unwrap();
    assert!(seen.old_secret_until.is_some());
    app.service
        .webhooks()
        .test_webhook(&permit(&retailer), id)
        .await
        .unwrap();
    let twice = app
        .service
        .webhooks()
        .test_webhook(&permit(&retailer), id)
        .await
        .unwrap_err();
    assert!(matches!(
        twice.refusal(),
        Some(Refusal::LimitReached { limit: 1, .. })
    ));
    round(&app).await;
    app.clock.advance(Duration::hours(25));
    app.service
        .webhooks()
        .test_webhook(&permit(&retailer), id)
        .await
        .unwrap();
    round(&app).await;
    let asked = server.asked();
    assert!(is_signed(&asked[0], &old) && is_signed(&asked[0], &new));
    assert!(!is_signed(&asked[1], &old) && is_signed(&asked[1], &new));
    let sealed = app
        .db
        .row("SELECT count(*) FROM idempotency_keys WHERE answer LIKE '%whsec_%'")
        .await;
    assert_eq!(sealed, "0", "a secret at rest in plain");
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_given_up_are_sent_again_on_request() {
    let app = with_money().await;
    let status = Arc::new(AtomicU16::new(500));
    let it = status.clone();
    let server = Server::start(move |asked| match asked.path.as_str() {
        "/" if !String::from_utf8_lossy(&asked.body).contains("\"test\"") => {
            Act::status(it.load(Ordering::SeqCst))
        }
        _ => Act::status(200),
    })
    .await;
    let retailer = app.cast.retailer.clone();
    let keeper = permit::<KeepWebhooks>(&retailer);
    let (id, _) = register(&app, &retailer, &server.url(), &[]).await;
    let began = app.service.clock().now();
    app.submit(app.sale(&Sale::air_conditioner()).await).await;
    // Test messages succeed, so that the endpoint stays enabled; the message is given up after its
    // tenth attempt.
    for _ in 0..12 {
        round(&app).await;
        app.service.webhooks().test_webhook(&keeper, id).await.unwrap();
        assert_eq!(round(&app).await.delivered, 1);
        app.clock.advance(Duration::hours(30));
    }
    let given_up = log(&app, &retailer, id)
        .await
        .into_iter()
        .find(|it| it.claim.is_some())
        .unwrap();
    assert_eq!(
        (given_up.status.as_str(), given_up.attempts, given_up.next_at),
        ("failed", 10, None)
    );
    status.store(200, Ordering::SeqCst);
    let later = began + Duration::hours(1);
    assert_eq!(
        app.service
            .webhooks()
            .replay_webhook(&keeper, id, Replay::FailedSince(later))
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        app.service
            .webhooks()
            .replay_webhook(&keeper, id, Replay::FailedSince(began))
            .await
            .unwrap(),
        1
    );
    assert_eq!(round(&app).await.delivered, 1);
    assert_eq!(
        app.service
            .webhooks()
            .replay_webhook(&keeper, id, Replay::Message(given_up.id))
            .await
            .unwrap(),
        1
    );
    assert_eq!(round(&app).await.delivered, 1);
    let message = log(&app, &retailer, id)
        .await
        .into_iter()
        .find(|it| it.id == given_up.id)
        .unwrap();
    assert_eq!((message.status.as_str(), message.attempts), ("delivered", 12));
    // After thirty days none of it is left.
    app.clock.advance(Duration::days(31));
    assert!(round(&app).await.forgotten > 0);
    assert!(log(&app, &retailer, id).await.is_empty());
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http_each_merchant_keeps_its_own() {
    let app = HttpApp::new().await;
    let (own, other) = (app.cast.retailer.clone(), app.cast.other_retailer.clone());
    let server = Server::start(|_| Act::status(200)).await;
    let form = json!({"url": server.url(), "events": ["claim.paid"]});
    let key = [("idempotency-key", "hook-1")];
    let made = app
        .call(&own, "POST", "/v1/webhooks", Some(&form), &key)
        .await
        .expect(201)
        .json();
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    let again = app
        .call(&own, "POST", "/v1/webhooks", Some(&form), &key)
        .await
        .expect(201);
    assert_eq!(again.json()["id"], made["id"]);
    assert!(again.json().get("secret").is_none() && again.header("idempotency-replayed").is_some());
    let path = format!("/v1/webhooks/{}", made["id"].as_str().unwrap());
    for (method, suffix, body) in [
        ("GET", "", None),
        ("GET", "/deliveries", None),
        ("GET", "/events", None),
        ("PUT", "/status", Some(json!({"status": "paused"}))),
        ("POST", "/secret", None),
        ("POST", "/test", None),
        (
            "POST",
            "/replay",
            Some(json!({"failed_since": "2026-06-01T00:00:00Z"})),
        ),
        ("DELETE", "", None),
    ] {
        let reply = app
            .call(&other, method, &format!("{path}{suffix}"), body.as_ref(), &[])
            .await;
        assert_eq!(
            (reply.status, reply.code().as_deref()),
            (404, Some("not-found")),
            "{method} {suffix}"
        );
    }
    assert_eq!(
        app.get(&other, "/v1/webhooks").await.expect(200).json()["items"],
        json!([])
    );
    for url in [
        "http://shop.example.cn/",
        "https://10.0.0.1/",
        "https://user@shop.example.cn/",
        "nonsense",
    ] {
        let refused = app
            .post(&own, "/v1/webhooks", &json!({"url": url}))
            .await
            .expect(422)
            .json();
        assert_eq!(refused["errors"][0]["pointer"], "/url");
        assert!(url == "nonsense" || !refused.to_string().contains(url));
    }
    for _ in 0..9 {
        app.post(&own, "/v1/webhooks", &json!({"url": server.url()}))
            .await
            .expect(201);
    }
    let full = app.post(&own, "/v1/webhooks", &form).await;
    assert_eq!(
        (full.status, full.code().as_deref()),
        (409, Some("limit-reached"))
    );
    app.call(&own, "DELETE", &path, None, &[]).await.expect(204);
    app.get(&own, &path).await.expect(404);
    app.post(&own, "/v1/webhooks", &form).await.expect(201);
    let off = HttpApp::with(Setup {
        webhooks: false,
        ..Setup::default()
    })
    .await;
    let refused = off.post(&off.cast.retailer, "/v1/webhooks", &form).await;
    assert_eq!(refused.code().as_deref(), Some("webhooks-off"));
}
