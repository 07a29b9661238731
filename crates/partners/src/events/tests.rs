use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use service::ports::ManualClock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::*;

const KEY: [u8; 32] = *b"\x01\x9a\x3c\x77\xe0\x12\x5d\x88\xfa\x04\x6b\xc1\x2e\x90\x53\xd7\x1f\xa8\x62\x0b\xb4\xee\x39\x75\xc6\x08\x4d\x91\xda\x27\x5e\x83";
const TOKEN: &str = "t0ken-in-the-path";

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(at("2026-11-23T08:00:00Z")))
}

fn events() -> Vec<ToldEvent> {
    let event = |n: u128, at: DateTime<Utc>, verb: &str, from: Option<&str>, to: &str| ToldEvent {
        id: Uuid::from_u128(n),
        jurisdiction: "140800".into(),
        subject: "clm_140800_0".into(),
        verb: verb.into(),
        at,
        from_status: from.map(Into::into),
        to_status: Some(to.into()),
    };
    vec![
        event(
            2,
            at("2026-11-23T07:59:59.25Z"),
            "recommend",
            Some("under_review"),
            "recommended",
        ),
        event(1, at("2026-11-23T07:59:58Z"), "submit", None, "under_review"),
    ]
}

fn sink_at(endpoint: String, clock: Arc<ManualClock>) -> HttpEventSink {
    let secret = format!("whsec_{}", STANDARD.encode(KEY)).into();
    let timeouts = Timeouts {
        connect: Duration::from_secs(1),
        attempt: Duration::from_millis(1_500),
        call: Duration::from_secs(10),
    };
    HttpEventSink::new(
        &EventSinkConfig {
            endpoint,
            secret,
            timeouts,
        },
        clock,
    )
    .unwrap()
}

fn sink(server: &MockServer, clock: Arc<ManualClock>) -> HttpEventSink {
    sink_at(format!("{}/{TOKEN}", server.uri()), clock)
}

async fn answering(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path(format!("/{TOKEN}")))
        .respond_with(answer)
        .mount(&server)
        .await;
    server
}

async fn received(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.unwrap()
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers.get(name).unwrap().to_str().unwrap()
}

/// Verifies as a receiver does, with nothing of ours; returns the id and the timestamp.
fn verified(request: &Request) -> (String, i64) {
    let (id, timestamp) = (
        header(request, "webhook-id"),
        header(request, "webhook-timestamp"),
    );
    let signature = header(request, "webhook-signature").strip_prefix("v1,").unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&KEY).unwrap();
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(&request.body);
    mac.verify_slice(&STANDARD.decode(signature).unwrap()).unwrap();
    (id.to_owned(), timestamp.parse().unwrap())
}

fn assert_quiet(error: &PartnerError) {
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(
            !text.contains(TOKEN) && !text.contains("whsec_") && !text.contains("http"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_batch_is_one_signed_request() {
    let server = answering(ResponseTemplate::new(204)).await;
    sink(&server, clock()).tell(&events()).await.unwrap();

    let requests = received(&server).await;
    assert_eq!(requests.len(), 1);
    assert_eq!(header(&requests[0], "content-type"), "application/json");
    let (id, timestamp) = verified(&requests[0]);
    assert!(id.starts_with("msg_") && !id.contains('.'), "{id}");
    assert_eq!(timestamp, at("2026-11-23T08:00:00Z").timestamp());
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&requests[0].body).unwrap(),
        serde_json::json!({
            "type": "huanxin.events",
            "timestamp": "2026-11-23T07:59:59.250Z",
            "data": { "events": [
                {
                    "id": "00000000-0000-0000-0000-000000000002", "jurisdiction": "140800",
                    "subject": "clm_140800_0", "verb": "recommend", "at": "2026-11-23T07:59:59.250Z",
                    "from_status": "under_review", "to_status": "recommended",
                },
                {
                    "id": "00000000-0000-0000-0000-000000000001", "jurisdiction": "140800",
                    "subject": "clm_140800_0", "verb": "submit", "at": "2026-11-23T07:59:58Z",
                    "from_status": null, "to_status": "under_review",
                },
            ] },
        })
    );
}

#[tokio::test]
async fn the_id_is_the_batch_s_own() {
    let server = answering(ResponseTemplate::new(200)).await;
    let sink = sink(&server, clock());
    sink.tell(&events()).await.unwrap();
    sink.tell(&events()).await.unwrap();
    sink.tell(&events()[..1]).await.unwrap();
    let ids: Vec<_> = received(&server)
        .await
        .iter()
        .map(|request| verified(request).0)
        .collect();
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
}

#[tokio::test]
async fn no_events_are_no_request() {
    let server = answering(ResponseTemplate::new(200)).await;
    sink(&server, clock()).tell(&[]).await.unwrap();
    assert_eq!(received(&server).await.len(), 0);
}

#[tokio::test]
async fn a_500_is_followed_by_another_attempt_signed_anew() {
    let server = MockServer::start().await;
    let clock = clock();
    let (ticking, asked) = (Arc::clone(&clock), AtomicUsize::new(0));
    let answer = move |_: &Request| {
        ticking.advance(chrono::Duration::seconds(10));
        ResponseTemplate::new(if asked.fetch_add(1, Ordering::SeqCst) == 0 {
            500
        } else {
            200
        })
    };
    Mock::given(method("POST"))
        .respond_with(answer)
        .mount(&server)
        .await;
    sink(&server, clock).tell(&events()).await.unwrap();

    let signed: Vec<_> = received(&server).await.iter().map(verified).collect();
    assert_eq!(signed.len(), 2);
    assert_eq!(signed[0].0, signed[1].0);
    assert_eq!(signed[1].1 - signed[0].1, 10);
}

#[tokio::test]
async fn attempts_end() {
    let server = answering(ResponseTemplate::new(503)).await;
    let error = sink(&server, clock()).tell(&events()).await.unwrap_err();
    assert_eq!(error.0, "it answered 503 (attempt 3)");
    assert_eq!(received(&server).await.len(), 3);
}

#[tokio::test]
async fn a_refusal_is_not_repeated() {
    for code in [400, 401, 404, 410] {
        let server = answering(ResponseTemplate::new(code).set_body_string(TOKEN)).await;
        let error = sink(&server, clock()).tell(&events()).await.unwrap_err();
        assert_eq!(error.0, format!("it answered {code}"));
        assert_eq!(received(&server).await.len(), 1);
    }
}

#[tokio::test]
async fn retry_after_is_waited_for() {
    let server = MockServer::start().await;
    let asked = AtomicUsize::new(0);
    let answer = move |_: &Request| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => ResponseTemplate::new(429).insert_header("retry-after", "1"),
        _ => ResponseTemplate::new(200),
    };
    Mock::given(method("POST"))
        .respond_with(answer)
        .mount(&server)
        .await;
    let began = Instant::now();
    sink(&server, clock()).tell(&events()).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(received(&server).await.len(), 2);
}

#[tokio::test]
async fn a_long_retry_after_ends_the_call() {
    for value in ["3600", "Mon, 23 Nov 2026 09:00:00 GMT"] {
        let server = answering(ResponseTemplate::new(429).insert_header("retry-after", value)).await;
        let error = sink(&server, clock()).tell(&events()).await.unwrap_err();
        assert_eq!(error.0, "it answered 429");
        assert_eq!(received(&server).await.len(), 1);
    }
}

#[tokio::test]
async fn a_pause_that_outlasts_the_call_is_not_begun() {
    let server = answering(ResponseTemplate::new(503).insert_header("retry-after", "4")).await;
    let mut sink = sink(&server, clock());
    sink.timeouts.call = Duration::from_secs(2);
    let began = Instant::now();
    assert_eq!(sink.tell(&events()).await.unwrap_err().0, "it answered 503");
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_silent_receiver_is_left_and_not_asked_twice() {
    let server = answering(ResponseTemplate::new(200).set_delay(Duration::from_secs(20))).await;
    for (attempt, call) in [(200, 10_000), (10_000, 200)] {
        let mut sink = sink(&server, clock());
        sink.timeouts.attempt = Duration::from_millis(attempt);
        sink.timeouts.call = Duration::from_millis(call);
        let began = Instant::now();
        let error = sink.tell(&events()).await.unwrap_err();
        assert_eq!(error.0, "no answer in time");
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn a_refused_connection_is_tried_again_and_reported_without_the_address() {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let sink = sink_at(format!("http://{address}/{TOKEN}?key={TOKEN}"), clock());
    let error = sink.tell(&events()).await.unwrap_err();
    assert!(
        error.0.starts_with("no connection: ") && error.0.ends_with("(attempt 3)"),
        "{error}"
    );
    assert_quiet(&error);
}

#[tokio::test]
async fn a_connection_that_breaks_is_reported_without_the_address() {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 1024]).await;
    });
    let error = sink_at(format!("http://{address}/{TOKEN}"), clock())
        .tell(&events())
        .await
        .unwrap_err();
    assert!(error.0.starts_with("no answer: "), "{error}");
    assert_quiet(&error);
    server.await.unwrap();
}

#[tokio::test]
async fn redirects_are_not_followed() {
    for code in [301, 302, 307, 308] {
        let server = answering(ResponseTemplate::new(code).insert_header("location", "/elsewhere")).await;
        Mock::given(path("/elsewhere"))
            .respond_with(ResponseTemplate::new(200))
            .expect(0)
            .mount(&server)
            .await;
        let error = sink(&server, clock()).tell(&events()).await.unwrap_err();
        assert_eq!(
            error.0,
            format!("it answered {code}, and redirects are not followed")
        );
        assert_eq!(received(&server).await.len(), 1);
    }
}

#[tokio::test]
async fn a_huge_answer_is_an_answer() {
    let server = answering(ResponseTemplate::new(200).set_body_bytes(vec![b'x'; 32 << 20])).await;
    sink(&server, clock()).tell(&events()).await.unwrap();
    assert_eq!(received(&server).await.len(), 1);
}

#[tokio::test]
async fn an_endless_answer_is_not_read() {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut written = 0_usize;
        while stream.write_all(&[b'x'; 64 * 1024]).await.is_ok() {
            written += 64 * 1024;
        }
        written
    });
    sink_at(format!("http://{address}/"), clock())
        .tell(&events())
        .await
        .unwrap();
    // What is left beyond the bound are the buffers of the two sockets.
    assert!(server.await.unwrap() < 32 << 20);
}

#[tokio::test]
async fn localhost_is_this_machine() {
    let server = answering(ResponseTemplate::new(200)).await;
    let endpoint = format!("http://localhost:{}/{TOKEN}", server.address().port());
    sink_at(endpoint, clock()).tell(&events()).await.unwrap();
    assert_eq!(received(&server).await.len(), 1);
}

#[test]
fn what_cannot_work_is_refused() {
    let with = |endpoint: &str, secret: &str, timeouts: Timeouts| {
        let config = EventSinkConfig {
            endpoint: endpoint.into(),
            secret: secret.into(),
            timeouts,
        };
        HttpEventSink::new(&config, clock()).unwrap_err()
    };
    let (here, usual) = ("http://127.0.0.1/", Timeouts::default());
    let secret = format!("whsec_{}", STANDARD.encode(KEY));
    assert_eq!(
        with("http://exchange.example.cn/", &secret, usual),
        ConfigError::PlainHttp
    );
    assert_eq!(with("exchange.example.cn", &secret, usual), ConfigError::Endpoint);
    assert_eq!(with(here, "secret", usual), ConfigError::Secret);
    let none = Timeouts {
        connect: Duration::ZERO,
        ..usual
    };
    assert_eq!(with(here, &secret, none), ConfigError::NoTime);
    let long = Duration::from_secs(46);
    assert_eq!(
        with(here, &secret, Timeouts { call: long, ..usual }),
        ConfigError::TooLong(long)
    );
}

#[test]
fn debug_tells_no_secret() {
    let config = EventSinkConfig {
        endpoint: format!("http://127.0.0.1:9/{TOKEN}"),
        secret: format!("whsec_{}", STANDARD.encode(KEY)).into(),
        timeouts: Timeouts::default(),
    };
    let sink = HttpEventSink::new(&config, clock()).unwrap();
    for text in [format!("{config:?}"), format!("{sink:?}")] {
        assert!(
            text.contains("http://127.0.0.1:9") && !text.contains(TOKEN) && !text.contains("whsec_"),
            "{text}"
        );
    }
}
