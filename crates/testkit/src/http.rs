//! The service over HTTP on a loopback port, and a client small enough to be trusted: one request a
//! connection.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::ops::Deref;
use std::sync::Arc;

use claims::claim::Claim;
use secrecy::SecretString;
use serde_json::Value;
use service::{Actor, NewClient};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::numbers;
use crate::world::{Setup, TestApp};

/// The secret of every client of the tests.
pub const SECRET: &str = "a secret of forty characters, for tests.";

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    /// Names of headers in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Reply {
    /// The body, which must be JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The code of a problem; `None` for any other answer.
    pub fn code(&self) -> Option<String> {
        let problem = self
            .header("content-type")?
            .starts_with("application/problem+json");
        problem.then(|| {
            self.json()["code"]
                .as_str()
                .expect("a problem has a code")
                .to_owned()
        })
    }

    /// The answer itself, if it has this status; panics otherwise.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }
}

/// A [`TestApp`] that listens.
#[derive(Debug)]
pub struct HttpApp {
    app: TestApp,
    address: SocketAddr,
    server: actix_web::dev::ServerHandle,
}

impl Deref for HttpApp {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.app
    }
}

impl Drop for HttpApp {
    fn drop(&mut self) {
        // The stop is requested now; a caller that would wait for its end is gone.
        drop(self.server.stop(false));
    }
}

impl HttpApp {
    pub async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    /// Serves, with every member of the cast as a client.
    pub async fn with(setup: Setup) -> Self {
        let app = TestApp::with(setup).await;
        let state = api::ApiState::new(app.service.clone(), Arc::new(String::new), api::Limits::default());
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = actix_web::HttpServer::new(move || api::app(&state))
            .workers(2)
            .disable_signals();
        let server = server.listen(listener).expect("it listens").run();
        let handle = server.handle();
        tokio::spawn(server);
        let served = Self {
            app,
            address,
            server: handle,
        };
        let cast = served.cast.clone();
        for actor in [
            &cast.retailer,
            &cast.other_retailer,
            &cast.platform,
            &cast.dealer,
            &cast.reviewer,
            &cast.approver,
            &cast.other_approver,
            &cast.maker,
            &cast.checker,
            &cast.auditor,
            &cast.admin,
        ] {
            served.register(actor).await;
        }
        served
    }

    /// Registers a client with [`SECRET`].
    pub async fn register(&self, actor: &Actor) {
        let client = NewClient {
            id: actor.client.clone(),
            secret: SecretString::from(SECRET),
            role: actor.role,
            person: actor.person.clone(),
            merchant: actor.merchant.clone(),
            jurisdictions: actor.jurisdictions.clone(),
        };
        self.service
            .identity()
            .register_client(&Actor::system(), client)
            .await
            .expect("the client is registered");
    }

    /// A bearer token.
    pub async fn token(&self, actor: &Actor) -> String {
        let token = self
            .service
            .identity()
            .issue_token(&actor.client, &SecretString::from(SECRET))
            .await;
        token.expect("the credentials are good").access_token
    }

    /// A request with these bytes, and no header but those given.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n",
            self.address
        );
        if !body.is_empty() || method != "GET" {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut stream = TcpStream::connect(self.address).await.expect("it listens");
        // A server that has refused already need not read the rest.
        let _ = stream.write_all(&[head.as_bytes(), body].concat()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        parse(&answer)
    }

    /// A JSON request of a client; a request that creates gets a key of its own.
    pub async fn call(
        &self,
        actor: &Actor,
        method: &str,
        path: &str,
        body: Option<&Value>,
        more: &[(&str, &str)],
    ) -> Reply {
        let bearer = format!("Bearer {}", self.token(actor).await);
        let key = numbers::tag("key-");
        let mut headers = vec![("authorization", bearer.as_str()), ("accept-language", "en")];
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        if method == "POST" && !more.iter().any(|(name, _)| *name == "idempotency-key") {
            headers.push(("idempotency-key", &key));
        }
        headers.extend(more);
        let body = body.map(Value::to_string).unwrap_or_default();
        self.send(method, path, &headers, body.as_bytes()).await
    }

    pub async fn get(&self, actor: &Actor, path: &str) -> Reply {
        self.call(actor, "GET", path, None, &[]).await
    }

    pub async fn post(&self, actor: &Actor, path: &str, body: &Value) -> Reply {
        self.call(actor, "POST", path, Some(body), &[]).await
    }

    /// As [`post`](Self::post), on the current revision.
    pub async fn post_on(&self, actor: &Actor, claim: &str, what: &str, body: &Value) -> Reply {
        let seen = self.get(actor, &format!("/v1/claims/{claim}")).await.expect(200);
        let etag = seen.header("etag").expect("a claim has an ETag").to_owned();
        self.call(
            actor,
            "POST",
            &format!("/v1/claims/{claim}/{what}"),
            Some(body),
            &[("if-match", &etag)],
        )
        .await
    }

    /// Submits a claim as its seller.
    pub async fn post_claim(&self, claim: &Claim) -> Reply {
        self.post(&self.seller(claim), "/v1/claims", &on_the_wire(claim))
            .await
    }
}

/// The claim as a merchant sends it.
pub fn on_the_wire(claim: &Claim) -> Value {
    service::at_rest::document::revealed(claim)
}

fn parse(answer: &[u8]) -> Reply {
    let split = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap_or_else(|| {
            panic!("no HTTP: {}", String::from_utf8_lossy(answer));
        });
    let (head, body) = (String::from_utf8_lossy(&answer[..split]), &answer[split + 4..]);
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|status| status.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect::<BTreeMap<_, _>>();
    let chunked = headers
        .get("transfer-encoding")
        .is_some_and(|coding| coding == "chunked");
    let body = if chunked { unchunked(body) } else { body.to_vec() };
    Reply {
        status: status.expect("a status"),
        headers,
        body,
    }
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
        let length =
            usize::from_str_radix(&String::from_utf8_lossy(&rest[..end]), 16).expect("a chunk's length");
        if length == 0 {
            return body;
        }
        let start = end + 2;
        body.extend_from_slice(rest.get(start..start + length).expect("a whole chunk"));
        rest = rest.get(start + length + 2..).unwrap_or_default();
    }
    panic!("the body broke off")
}
