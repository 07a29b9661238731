use futures::future::join_all;
use service::ports::ManualClock;
use sha2::{Digest, Sha256};

use super::*;
use crate::test_server::{Act, TestServer, answer};

const SECRETS: [&str; 3] = ["t0ken-in-the-path", "王小明", "6222020200112233445"];
const KEY: &str = "dsb_140802_0191";

pub(super) fn clock() -> Arc<ManualClock> {
    let now = DateTime::parse_from_rfc3339("2026-11-23T08:00:00Z").unwrap();
    Arc::new(ManualClock::at(now.to_utc()))
}

pub(super) fn bank_at(url: &str) -> HttpBank {
    let config = HttpBankConfig {
        url: format!("{url}/{}", SECRETS[0]),
        identity: None,
        root_certificates: None,
        timeouts: Timeouts {
            connect: Duration::from_secs(2),
            attempt: Duration::from_secs(5),
            call: Duration::from_secs(20),
        },
    };
    HttpBank::new(&config, clock()).unwrap()
}

pub(super) fn bank_of(server: &TestServer) -> HttpBank {
    bank_at(&format!("http://{}", server.address()))
}

pub(super) fn orders() -> BankFile {
    let bytes = format!("{},{},150000\n", SECRETS[1], SECRETS[2]);
    BankFile::new(FileName::parse("HX-140802.csv").unwrap(), "text/csv", bytes).unwrap()
}

fn receipt_of(file: &BankFile) -> String {
    serde_json::json!({ "reference": "B-1", "sha256": hex::encode(file.sha256()) }).to_string()
}

pub(super) fn taken() -> Act {
    answer(201, "application/json", &receipt_of(&orders()))
}

fn problem(code: u16) -> Act {
    answer(
        code,
        "application/problem+json",
        &format!("{{\"detail\":\"{}\"}}", SECRETS[1]),
    )
}

pub(super) fn page(code: u16) -> Act {
    answer(code, "text/html", SECRETS[1])
}

/// The error may be logged: no path of the address, nothing of the file or of the answer.
pub(super) fn assert_quiet(error: &BankError) {
    let text = format!("{error} {error:?}");
    for secret in SECRETS.into_iter().chain([KEY, "http:"]) {
        assert!(!text.contains(secret), "{text}");
    }
}

pub(super) fn why(error: &BankError) -> &str {
    match error {
        BankError::Refused { why } | BankError::Unknown { why, .. } | BankError::Unavailable { why, .. } => {
            why
        }
    }
}

async fn submitted_to(acts: impl IntoIterator<Item = Act>) -> (Result<Submitted, BankError>, TestServer) {
    let server = TestServer::start(acts).await;
    let outcome = bank_of(&server).submit(&orders(), KEY).await;
    if let Err(error) = &outcome {
        assert_quiet(error);
    }
    (outcome, server)
}

#[tokio::test]
async fn orders_go_out_with_their_key_and_digest() {
    let (outcome, server) = submitted_to([taken()]).await;
    let reference = Some("B-1".to_owned());
    assert_eq!(outcome.unwrap(), Submitted { reference });

    let received = server.received();
    assert_eq!(received.len(), 1);
    let request = &received[0];
    assert_eq!(
        request.line(),
        "PUT /t0ken-in-the-path/files/HX-140802.csv HTTP/1.1"
    );
    assert_eq!(request.body, *orders().bytes());
    assert_eq!(request.header("idempotency-key"), Some(KEY));
    assert_eq!(request.header("content-type"), Some("text/csv"));
    let digest = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        Sha256::digest(&request.body),
    );
    assert_eq!(
        request.header("content-digest").unwrap(),
        format!("sha-256=:{digest}:")
    );
}

#[tokio::test]
async fn what_broke_off_is_sent_again_with_the_same_key() {
    let half_a_receipt = Act::Say("HTTP/1.1 201 X\r\ncontent-length: 200\r\n\r\n{\"reference\"".into());
    let doubtful = [
        page(500),
        problem(503),
        problem(409),
        Act::Reset,
        half_a_receipt,
        page(200),
    ];
    for (outcome, server) in join_all(doubtful.map(|act| submitted_to([act, taken()]))).await {
        assert!(outcome.is_ok(), "{outcome:?}");
        let received = server.received();
        assert_eq!(received.len(), 2);
        assert_eq!(received[0].body, received[1].body);
        assert_eq!(
            received[0].header("idempotency-key"),
            received[1].header("idempotency-key")
        );
    }
}

#[tokio::test]
async fn what_may_have_arrived_is_unknown() {
    let other = BankFile::new(orders().name().clone(), "text/csv", "other").unwrap();
    let other_file = answer(201, "application/json", &receipt_of(&other));
    let cases = [
        (page(500), "it answered 500 (attempt 3)"),
        (page(502), "it answered 502 (attempt 3)"),
        (problem(503), "it answered 503 (attempt 3)"),
        (problem(409), "it answered 409 (attempt 3)"),
        (
            page(200),
            "it answered 200 without a receipt of this file (attempt 3)",
        ),
        (
            other_file,
            "it answered 201 without a receipt of this file (attempt 3)",
        ),
    ];
    let (acts, expected): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    let outcomes = join_all(acts.into_iter().map(|act| submitted_to([act]))).await;
    for ((outcome, server), expected) in outcomes.into_iter().zip(expected) {
        let error = outcome.unwrap_err();
        assert!(matches!(error, BankError::Unknown { .. }), "{error:?}");
        assert_eq!(why(&error), expected);
        assert_eq!(server.received().len(), 3);
    }
    let nonsense = ["", "nonsense\r\n\r\n"].map(|text| Act::Say(text.into()));
    let acts = nonsense.into_iter().chain([Act::Reset, Act::ResetUnread]);
    for (outcome, _) in join_all(acts.map(|act| submitted_to([act]))).await {
        let error = outcome.unwrap_err();
        assert!(matches!(error, BankError::Unknown { .. }), "{error:?}");
        assert!(why(&error).starts_with("no answer: "), "{error:?}");
    }
}

#[tokio::test]
async fn a_doubt_stays_when_the_next_attempt_finds_no_connection() {
    let later = [page(404), problem(429), page(302)];
    for (outcome, _) in join_all(later.map(|act| submitted_to([Act::Reset, act]))).await {
        let error = outcome.unwrap_err();
        assert!(matches!(error, BankError::Unknown { .. }), "{error:?}");
    }
    let (outcome, _) = submitted_to([Act::Reset, problem(422)]).await;
    assert!(matches!(outcome, Err(BankError::Refused { .. })), "{outcome:?}");
}

#[tokio::test]
async fn only_the_gateway_refuses_for_good() {
    for code in [400, 413, 415, 422] {
        let (outcome, server) = submitted_to([problem(code)]).await;
        let why = format!("it answered {code}");
        assert_eq!(outcome.unwrap_err(), BankError::Refused { why });
        assert_eq!(server.received().len(), 1);
    }
    // A proxy's answer is not the bank's, and an answer about our credentials is not one about the
    // file.
    for act in [page(400), page(422), problem(401), problem(403), problem(404)] {
        let (outcome, server) = submitted_to([act]).await;
        let error = outcome.unwrap_err();
        assert!(matches!(error, BankError::Unavailable { .. }), "{error:?}");
        assert_eq!(server.received().len(), 1);
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = TestServer::start([taken()]).await;
    for code in [301, 302, 307, 308] {
        let location = format!("http://{}/", elsewhere.address());
        let redirect = Act::Say(format!(
            "HTTP/1.1 {code} X\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        ));
        let (outcome, server) = submitted_to([redirect]).await;
        let error = outcome.unwrap_err();
        assert!(matches!(error, BankError::Unavailable { .. }), "{error:?}");
        assert_eq!(server.received().len(), 1);
    }
    assert_eq!(elsewhere.received().len(), 0);
}

#[tokio::test]
async fn a_short_retry_after_is_waited_for_and_a_long_one_handed_on() {
    let patience = |seconds: u64| {
        Act::Say(format!(
            "HTTP/1.1 429 X\r\nretry-after: {seconds}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        ))
    };
    let began = Instant::now();
    let (outcome, server) = submitted_to([patience(1), taken()]).await;
    assert!(outcome.is_ok() && began.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.received().len(), 2);

    let (outcome, server) = submitted_to([patience(3_600)]).await;
    let retry_after = Some(Duration::from_secs(3_600));
    let why = "it answered 429".to_owned();
    assert_eq!(outcome.unwrap_err(), BankError::Unavailable { why, retry_after });
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn a_bank_that_keeps_silent_leaves_a_doubt() {
    let server = TestServer::start([Act::Silence]).await;
    let mut bank = bank_of(&server);
    bank.timeouts.attempt = Duration::from_millis(100);
    let error = bank.submit(&orders(), KEY).await.unwrap_err();
    let why = "no answer in time (attempt 3)".to_owned();
    let retry_after = None;
    assert_eq!(error, BankError::Unknown { why, retry_after });

    // The whole call has an end too, and no attempt begins after it.
    bank.timeouts = Timeouts {
        attempt: Duration::from_secs(60),
        call: Duration::from_millis(200),
        ..bank.timeouts
    };
    let error = bank.submit(&orders(), KEY).await.unwrap_err();
    assert_eq!(why_of_silence(&error), "no answer in time");
}

fn why_of_silence(error: &BankError) -> &str {
    assert!(matches!(error, BankError::Unknown { .. }), "{error:?}");
    why(error)
}

#[tokio::test]
async fn a_receipt_without_end_is_none() {
    let head = "HTTP/1.1 200 X\r\ncontent-type: application/json\r\n\r\n";
    let (outcome, server) = submitted_to([Act::SayWithoutEnd(head.into()), taken()]).await;
    assert!(outcome.is_ok(), "{outcome:?}");
    // What is left beyond the bound are the buffers of the two sockets.
    assert!(server.written() < 32 << 20, "{}", server.written());

    // A server that hangs in the middle costs its attempt.
    let server = TestServer::start([Act::SayAndHang(format!("{head}{{")), taken()]).await;
    let mut bank = bank_of(&server);
    bank.timeouts.attempt = Duration::from_secs(2);
    assert!(bank.submit(&orders(), KEY).await.is_ok());
    assert_eq!(server.received().len(), 2);
}

#[tokio::test]
async fn a_refused_connection_is_certain() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = bank_at(&format!("http://{address}"))
        .submit(&orders(), KEY)
        .await
        .unwrap_err();
    assert!(matches!(error, BankError::Unavailable { .. }), "{error:?}");
    assert!(why(&error).starts_with("no connection: ") && why(&error).ends_with("(attempt 3)"));
    assert_quiet(&error);
}

#[tokio::test]
async fn a_key_that_cannot_be_sent_is_not() {
    let server = TestServer::start([taken()]).await;
    for key in ["", "a b", "a\r\nx: y", "钥", &"k".repeat(256)] {
        let outcome = bank_of(&server).submit(&orders(), key).await;
        assert!(matches!(outcome, Err(BankError::Refused { .. })), "{key:?}");
    }
    assert_eq!(server.received().len(), 0);
}

#[tokio::test]
async fn a_failing_bank_is_left_alone_and_then_asked_once() {
    let server = TestServer::start([
        page(500),
        page(500),
        page(500),
        page(500),
        page(500),
        page(500),
        taken(),
    ])
    .await;
    let bank = bank_of(&server);
    assert_eq!(bank.circuit(), CircuitState::Closed);
    bank.submit(&orders(), KEY).await.unwrap_err();
    // The fifth failure opens the circuit in the middle of a call, which ends with the error it
    // has.
    let error = bank.submit(&orders(), KEY).await.unwrap_err();
    assert_eq!(why_of_silence(&error), "it answered 500 (attempt 2)");
    assert_eq!(bank.circuit(), CircuitState::Open);

    let error = bank.submit(&orders(), KEY).await.unwrap_err();
    let BankError::Unavailable { retry_after, .. } = &error else {
        panic!("{error:?}");
    };
    assert!(
        retry_after.is_some_and(|pause| pause <= PATIENCE.pause),
        "{error:?}"
    );
    assert!(bank.results(None).await.is_err());
    assert_eq!(server.received().len(), 5);

    elapse(PATIENCE.pause).await;
    let error = bank.submit(&orders(), KEY).await.unwrap_err();
    assert_eq!(why_of_silence(&error), "it answered 500");
    assert_eq!((server.received().len(), bank.circuit()), (6, CircuitState::Open));

    elapse(PATIENCE.pause).await;
    bank.submit(&orders(), KEY).await.unwrap();
    assert_eq!(
        (server.received().len(), bank.circuit()),
        (7, CircuitState::Closed)
    );
}

/// Lets time pass at once, between calls: with a paused clock the runtime would advance it while a
/// socket is waited for.
async fn elapse(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn refusals_do_not_open_the_circuit() {
    let server = TestServer::start([problem(422)]).await;
    let bank = bank_of(&server);
    for _ in 0..10 {
        assert!(matches!(
            bank.submit(&orders(), KEY).await,
            Err(BankError::Refused { .. })
        ));
    }
    assert_eq!(bank.circuit(), CircuitState::Closed);
}

#[tokio::test]
async fn a_call_that_is_given_up_does_not_keep_the_circuit_half_open() {
    let failures = vec![page(500); 5];
    let server = TestServer::start(failures.into_iter().chain([Act::Silence, taken()])).await;
    let bank = bank_of(&server);
    for _ in 0..2 {
        bank.submit(&orders(), KEY).await.unwrap_err();
    }
    elapse(PATIENCE.pause).await;
    let (file, impatient) = (orders(), Duration::from_millis(200));
    let outcome = tokio::time::timeout(impatient, bank.submit(&file, KEY)).await;
    assert!(outcome.is_err());
    bank.submit(&orders(), KEY).await.unwrap();
    assert_eq!(bank.circuit(), CircuitState::Closed);
}

#[test]
fn what_cannot_work_is_refused() {
    let with = |url: &str, change: fn(&mut HttpBankConfig)| {
        let mut config = HttpBankConfig {
            url: url.to_owned(),
            identity: None,
            root_certificates: None,
            timeouts: Timeouts::BANK,
        };
        change(&mut config);
        HttpBank::new(&config, clock()).err()
    };
    let (here, there) = ("http://127.0.0.1:1", "https://bank.example.cn");
    assert_eq!(with(here, |_| {}), None);
    assert_eq!(
        with("http://bank.example.cn", |_| {}),
        Some(ConfigError::PlainHttp)
    );
    let no_time = |config: &mut HttpBankConfig| config.timeouts.attempt = Duration::ZERO;
    assert_eq!(with(here, no_time), Some(ConfigError::NoTime));
    let roots = |config: &mut HttpBankConfig| config.root_certificates = Some("no PEM".into());
    assert_eq!(with(there, roots), Some(ConfigError::RootCertificates));
    let identity = |config: &mut HttpBankConfig| {
        config.identity = Some(Identity {
            certificate: "no PEM".into(),
            key: "no PEM".into(),
        });
    };
    assert_eq!(with(there, identity), Some(ConfigError::ClientCertificate));
}

#[test]
fn debug_tells_no_secret() {
    let config = HttpBankConfig {
        url: format!("http://127.0.0.1:9/{}", SECRETS[0]),
        identity: Some(Identity {
            certificate: "certificate".into(),
            key: "k3y".into(),
        }),
        root_certificates: None,
        timeouts: Timeouts::BANK,
    };
    let text = format!(
        "{config:?} {:?} {:?}",
        config.identity,
        bank_at("http://127.0.0.1:9")
    );
    assert!(text.contains("http://127.0.0.1:9"), "{text}");
    assert!(!text.contains(SECRETS[0]) && !text.contains("k3y"), "{text}");
}
