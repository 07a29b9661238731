use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::DateTime;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use sha2::Sha256;

use super::resolve::{Looking, Lookup};
use super::*;
use crate::test_server::{Act, Received, TestServer, answer};
use crate::test_tls::{self, authority};

const KEYS: [[u8; 32]; 2] = [
    *b"an old key of thirty-two bytes..",
    *b"a new key of thirty-two bytes...",
];
const TOKEN: &str = "t0ken-in-the-path";

fn secret(key: &[u8]) -> SecretString {
    format!("whsec_{}", STANDARD.encode(key)).into()
}

fn target(url: String) -> WebhookTarget {
    let secrets = vec![secret(&KEYS[0])];
    WebhookTarget { url, secrets }
}

fn message() -> WebhookMessage {
    WebhookMessage {
        id: "msg_140802_0191".into(),
        timestamp: DateTime::parse_from_rfc3339("2026-11-23T08:00:00Z")
            .unwrap()
            .to_utc(),
        body: Bytes::from_static(br#"{"type":"claim.paid","data":{"claim":"clm_140802_1"}}"#),
    }
}

const HERE: WebhooksConfig = WebhooksConfig {
    reach: Reach::AlsoThisMachine,
    connect: Duration::from_secs(5),
    attempt: Duration::from_secs(10),
};

fn webhooks() -> HttpWebhooks {
    HttpWebhooks::new(HERE).unwrap()
}

async fn delivered_to(act: Act) -> (Result<Delivered, WebhookFailure>, TestServer) {
    let server = TestServer::start([act]).await;
    let to = target(format!("http://{}/{TOKEN}", server.address()));
    let outcome = webhooks().deliver(&to, &message()).await;
    if let Err(error) = &outcome {
        assert_quiet(error);
    }
    (outcome, server)
}

fn assert_quiet(error: &WebhookFailure) {
    let text = format!("{error} {error:?}");
    assert!(
        !text.contains(TOKEN) && !text.contains("whsec_") && !text.contains("http"),
        "{text}"
    );
}

fn ok() -> Act {
    answer(200, "text/plain", TOKEN)
}

/// Verifies as a receiver does, with nothing of ours.
fn verify(received: &Received, key: &[u8]) -> bool {
    let header = |name| received.header(name).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(format!("{}.{}.", header("webhook-id"), header("webhook-timestamp")).as_bytes());
    mac.update(&received.body);
    header("webhook-signature").split(' ').any(|signature| {
        let signature = STANDARD.decode(signature.strip_prefix("v1,").unwrap()).unwrap();
        mac.clone().verify_slice(&signature).is_ok()
    })
}

#[tokio::test]
async fn a_message_is_one_signed_request() {
    let (outcome, server) = delivered_to(ok()).await;
    assert_eq!(outcome.unwrap().status, 200);
    let received = server.received();
    assert_eq!(received.len(), 1);
    let request = &received[0];
    assert_eq!(request.line(), format!("POST /{TOKEN} HTTP/1.1"));
    assert_eq!(request.body, message().body);
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("webhook-id"), Some("msg_140802_0191"));
    assert_eq!(request.header("webhook-timestamp"), Some("1795420800"));
    assert!(verify(request, &KEYS[0]) && !verify(request, &KEYS[1]));
}

#[tokio::test]
async fn while_a_secret_changes_either_verifies() {
    let server = TestServer::start([ok()]).await;
    let to = WebhookTarget {
        secrets: KEYS.map(|key| secret(&key)).into(),
        ..target(format!("http://{}/", server.address()))
    };
    webhooks().deliver(&to, &message()).await.unwrap();
    let received = server.received();
    assert!(verify(&received[0], &KEYS[0]) && verify(&received[0], &KEYS[1]));
    assert_eq!(
        received[0]
            .header("webhook-signature")
            .unwrap()
            .split(' ')
            .count(),
        2
    );
}

#[tokio::test]
async fn every_2xx_delivers_and_nothing_else_does() {
    for code in [200, 201, 202, 204, 299] {
        let (outcome, _) = delivered_to(answer(code, "text/plain", "")).await;
        assert_eq!(outcome.unwrap().status, code);
    }
    for status in [301, 302, 307, 400, 401, 404, 429, 500, 503] {
        let (outcome, server) = delivered_to(answer(status, "text/plain", TOKEN)).await;
        let retry_after = None;
        assert_eq!(
            outcome.unwrap_err(),
            WebhookFailure::Answered { status, retry_after }
        );
        // One attempt: the caller decides on the next.
        assert_eq!(server.received().len(), 1);
    }
    let (outcome, _) = delivered_to(answer(410, "text/plain", "")).await;
    assert_eq!(outcome.unwrap_err(), WebhookFailure::Gone);
}

#[tokio::test]
async fn patience_that_is_asked_for_is_handed_on() {
    // A minute after the attempt.
    let date = "Mon, 23 Nov 2026 08:01:00 GMT";
    for (value, seconds) in [("120", 120), (date, 60)] {
        let act = format!("HTTP/1.1 429 X\r\nretry-after: {value}\r\ncontent-length: 0\r\n\r\n");
        let (outcome, _) = delivered_to(Act::Say(act)).await;
        let retry_after = Some(Duration::from_secs(seconds));
        let status = 429;
        assert_eq!(
            outcome.unwrap_err(),
            WebhookFailure::Answered { status, retry_after }
        );
    }
}

#[tokio::test]
async fn redirects_are_answers() {
    let elsewhere = TestServer::start([ok()]).await;
    for code in [301, 302, 303, 307, 308] {
        let location = format!("http://{}/", elsewhere.address());
        let act = format!("HTTP/1.1 {code} X\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let (outcome, _) = delivered_to(Act::Say(act)).await;
        assert!(matches!(outcome, Err(WebhookFailure::Answered { status, .. }) if status == code));
    }
    assert_eq!(elsewhere.received().len(), 0);
}

#[tokio::test]
async fn what_breaks_off_is_no_answer() {
    for act in [
        Act::Reset,
        Act::Say(String::new()),
        Act::Say("HTTP/1.1 2".into()),
        Act::Say("x\r\n\r\n".into()),
    ] {
        let (outcome, _) = delivered_to(act).await;
        assert!(
            matches!(outcome, Err(WebhookFailure::NoAnswer { .. })),
            "{outcome:?}"
        );
    }
}

#[tokio::test]
async fn a_merchant_who_keeps_silent_is_left() {
    let half_a_head = Act::SayAndHang("HTTP/1.1 200 OK\r\nx-y: ".into());
    for act in [Act::Silence, half_a_head] {
        let server = TestServer::start([act]).await;
        let attempt = Duration::from_millis(200);
        let impatient = HttpWebhooks::new(WebhooksConfig { attempt, ..HERE }).unwrap();
        let to = target(format!("http://{}/{TOKEN}", server.address()));
        let why = "no answer in time".to_owned();
        let error = impatient.deliver(&to, &message()).await.unwrap_err();
        assert_eq!(error, WebhookFailure::NoAnswer { why });
    }
}

#[tokio::test]
async fn the_status_counts_whatever_becomes_of_the_body() {
    let head = "HTTP/1.1 200 OK\r\n";
    let acts = [
        Act::SayWithoutEnd(format!("{head}\r\n")),
        Act::SayAndHang(format!("{head}content-length: 10\r\n\r\n1")),
        Act::Say(format!("{head}content-length: 10\r\n\r\n1")),
        Act::Say(format!("{head}transfer-encoding: chunked\r\n\r\nnonsense")),
    ];
    for act in acts {
        let (outcome, server) = delivered_to(act).await;
        assert_eq!(outcome.unwrap().status, 200);
        // What is left beyond the bound are the buffers of the two sockets.
        assert!(server.written() < 32 << 20, "{}", server.written());
    }
}

#[tokio::test]
async fn a_head_without_end_is_not_read() {
    let (outcome, server) = delivered_to(Act::SayWithoutEnd("HTTP/1.1 200 OK\r\nx-y: ".into())).await;
    assert!(
        matches!(outcome, Err(WebhookFailure::NoAnswer { .. })),
        "{outcome:?}"
    );
    assert!(server.written() < 32 << 20, "{}", server.written());
}

#[tokio::test]
async fn a_refused_connection_is_no_connection() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let to = target(format!("http://{address}/{TOKEN}"));
    let error = webhooks().deliver(&to, &message()).await.unwrap_err();
    assert!(matches!(error, WebhookFailure::NoConnection { .. }), "{error:?}");
    assert_quiet(&error);
}

#[tokio::test]
async fn what_cannot_be_signed_is_not_sent() {
    let server = TestServer::start([ok()]).await;
    let url = format!("http://{}/", server.address());
    let messages = ["", "a.b", "a b", "a\r\nx: y", "名", &"a".repeat(101)].map(|id| WebhookMessage {
        id: id.into(),
        ..message()
    });
    let large = WebhookMessage {
        body: vec![b'x'; LARGEST_WEBHOOK + 1].into(),
        ..message()
    };
    for message in messages.into_iter().chain([large]) {
        let error = webhooks()
            .deliver(&target(url.clone()), &message)
            .await
            .unwrap_err();
        assert!(
            matches!(error, WebhookFailure::Unsendable(_)),
            "{message:?}: {error:?}"
        );
    }
    let three = [KEYS[0], KEYS[1], [7; 32]].map(|key| secret(&key));
    for secrets in [
        vec![],
        vec!["whsec_".into()],
        vec![secret(&KEYS[0]), "other".into()],
        three.into(),
    ] {
        let to = WebhookTarget {
            url: url.clone(),
            secrets,
        };
        let error = webhooks().deliver(&to, &message()).await.unwrap_err();
        assert!(
            matches!(error, WebhookFailure::Unsendable(_)),
            "{to:?}: {error:?}"
        );
    }
    assert_eq!(server.received().len(), 0);
}

#[tokio::test]
async fn this_machine_is_not_called_unless_it_was_asked_for() {
    let server = TestServer::start([ok()]).await;
    let public = HttpWebhooks::new(WebhooksConfig::default()).unwrap();
    let port = server.address().port();
    for (host, refused) in [
        ("http://127.0.0.1", UrlRefused::NotHttps),
        ("https://127.0.0.1", UrlRefused::NotPublic),
        ("https://[::ffff:127.0.0.1]", UrlRefused::NotPublic),
        ("https://localhost", UrlRefused::Name),
    ] {
        let url = format!("{host}:{port}/");
        assert_eq!(public.check_url(&url), Err(refused));
        let error = public.deliver(&target(url), &message()).await.unwrap_err();
        assert_eq!(error, WebhookFailure::UrlRefused(refused));
    }
    assert_eq!(public.check_url("https://shop.example.cn/"), Ok(()));
    assert_eq!(server.received().len(), 0);

    // `localhost` is this machine, even if the resolver answers otherwise.
    let to = target(format!("http://localhost:{port}/"));
    let (lookup, _) = resolving([&["10.0.0.1"][..]]);
    let here = asking(HERE, lookup);
    here.deliver(&to, &message()).await.unwrap();
    assert_eq!(server.received().len(), 1);
}

/// A resolver with one answer for the first question, one for the second and so on; and a count of
/// the questions.
fn resolving<const N: usize>(answers: [&[&str]; N]) -> (Lookup, Arc<AtomicUsize>) {
    let parsed = |answer: &[&str]| {
        answer
            .iter()
            .map(|it| it.parse().unwrap())
            .collect::<Vec<IpAddr>>()
    };
    let (answers, asked) = (answers.map(parsed), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&asked);
    let lookup = move |_| -> Looking {
        let nth = counter.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(Ok(answers[nth.min(N - 1)].clone())))
    };
    (Arc::new(lookup), asked)
}

fn asking(config: WebhooksConfig, lookup: Lookup) -> HttpWebhooks {
    let names = Checked {
        lookup,
        is_public: public::is_public,
        reach: config.reach,
    };
    HttpWebhooks::with(config, names, |builder| builder).unwrap()
}

#[tokio::test]
async fn a_name_is_called_only_if_all_it_stands_for_is_public() {
    let not_public = [
        &["127.0.0.1"][..],
        &["10.0.0.1"],
        &["169.254.169.254"],
        &["::1"],
        &["::ffff:10.0.0.1"],
        &["fd00::1"],
        &["64:ff9b::a00:1"],
        // A private address among public ones, at either end.
        &["1.1.1.1", "192.168.0.1"],
        &["192.168.0.1", "1.1.1.1"],
        &["1.1.1.1", "2606:4700:4700::1111", "fe80::1"],
    ];
    for reach in [Reach::Public, Reach::AlsoThisMachine] {
        for addresses in not_public {
            let (lookup, asked) = resolving([addresses]);
            let webhooks = asking(WebhooksConfig { reach, ..HERE }, lookup);
            let to = target(format!("https://shop.example.cn:8443/{TOKEN}"));
            let error = webhooks.deliver(&to, &message()).await.unwrap_err();
            assert_eq!(
                error,
                WebhookFailure::UrlRefused(UrlRefused::NotPublic),
                "{addresses:?}"
            );
            assert_eq!(asked.load(Ordering::SeqCst), 1);
        }
    }
}

#[tokio::test]
async fn a_name_without_an_address_is_no_connection() {
    let failing: Lookup =
        Arc::new(|_| Box::pin(std::future::ready(Err(std::io::Error::other("no such name")))));
    for lookup in [resolving([&[][..]]).0, failing] {
        let webhooks = asking(HERE, lookup);
        let to = target(format!("https://shop.example.cn/{TOKEN}"));
        let error = webhooks.deliver(&to, &message()).await.unwrap_err();
        assert!(matches!(error, WebhookFailure::NoConnection { .. }), "{error:?}");
        assert_quiet(&error);
    }
}

/// Over TLS, to a name that only this resolver has, at addresses of which one is taken for public.
fn calling_by_name(lookup: Lookup, vouched: &test_tls::Authority) -> HttpWebhooks {
    let names = Checked {
        lookup,
        is_public: |address| address == IpAddr::from([127, 0, 0, 1]),
        reach: Reach::Public,
    };
    let root = reqwest::Certificate::from_pem(vouched.pem().as_bytes()).unwrap();
    let config = WebhooksConfig {
        reach: Reach::Public,
        ..HERE
    };
    HttpWebhooks::with(config, names, |builder| builder.tls_certs_only([root])).unwrap()
}

/// DNS rebinding: a name that resolves to another address each time. The connection goes to the
/// addresses that were checked, and every attempt checks anew.
#[tokio::test]
async fn what_was_looked_at_is_what_is_called() {
    let public = authority("public");
    let tls = test_tls::server(&public, "shop.example.cn", None);
    let server = TestServer::start_tls(tls, [ok()]).await;
    let (lookup, asked) = resolving([&["127.0.0.1"][..], &["127.0.0.2"], &["127.0.0.1"]]);
    let webhooks = calling_by_name(lookup, &public);
    let to = target(format!("https://shop.example.cn:{}/", server.address().port()));

    webhooks.deliver(&to, &message()).await.unwrap();
    assert_eq!((asked.load(Ordering::SeqCst), server.received().len()), (1, 1));
    let error = webhooks.deliver(&to, &message()).await.unwrap_err();
    assert_eq!(error, WebhookFailure::UrlRefused(UrlRefused::NotPublic));
    webhooks.deliver(&to, &message()).await.unwrap();
    assert_eq!((asked.load(Ordering::SeqCst), server.received().len()), (3, 2));
    assert!(verify(&server.received()[1], &KEYS[0]));
}

#[tokio::test]
async fn a_merchant_without_a_trusted_certificate_receives_nothing() {
    let (public, other) = (authority("public"), authority("other"));
    for (by, name) in [(&other, "shop.example.cn"), (&public, "other.example.cn")] {
        let server = TestServer::start_tls(test_tls::server(by, name, None), [ok()]).await;
        let webhooks = calling_by_name(resolving([&["127.0.0.1"][..]]).0, &public);
        let to = target(format!(
            "https://shop.example.cn:{}/{TOKEN}",
            server.address().port()
        ));
        let error = webhooks.deliver(&to, &message()).await.unwrap_err();
        assert!(matches!(error, WebhookFailure::NoConnection { .. }), "{error:?}");
        assert_quiet(&error);
        assert_eq!(server.received().len(), 0);
    }
}

#[test]
fn no_time_is_refused() {
    for config in [
        WebhooksConfig {
            connect: Duration::ZERO,
            ..HERE
        },
        WebhooksConfig {
            attempt: Duration::ZERO,
            ..HERE
        },
    ] {
        assert_eq!(HttpWebhooks::new(config).err(), Some(ConfigError::NoTime));
    }
}
