//! A client of Huanxin's own API, as a shop's engineer would write one: for the demo, which does
//! the main job over HTTP.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::Value;

/// Longer than any answer takes; the demo's whole run is shorter.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Status and body of an answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub etag: Option<String>,
    pub text: String,
}

impl Answer {
    /// The body as JSON; `null` if it is something else.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub fn is_success(&self) -> bool {
        StatusCode::from_u16(self.status).is_ok_and(|status| status.is_success())
    }
}

/// Method, path and body of a request.
#[derive(Debug, Default)]
pub struct Ask<'a> {
    pub token: Option<&'a str>,
    pub idempotency_key: Option<&'a str>,
    pub if_match: Option<&'a str>,
    /// Content type and body.
    pub body: Option<(&'a str, String)>,
}

/// The service could not be reached.
#[derive(Debug, thiserror::Error)]
#[error("{method} {path}: {source}")]
pub struct OwnApiError {
    method: &'static str,
    path: String,
    source: reqwest::Error,
}

/// A client of one service.
#[derive(Debug, Clone)]
pub struct OwnApi {
    base: String,
    http: reqwest::Client,
}

impl OwnApi {
    pub fn new(base: &str) -> Result<Self, OwnApiError> {
        let fault = |source| OwnApiError {
            method: "GET",
            path: String::new(),
            source,
        };
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .no_proxy()
            .build()
            .map_err(fault)?;
        Ok(Self {
            base: base.trim_end_matches('/').to_owned(),
            http,
        })
    }

    /// A bearer token for a client (client credentials).
    pub async fn token(&self, client: &str, secret: &str) -> Result<Answer, OwnApiError> {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("client_secret", secret),
        ];
        let request = self.http.post(format!("{}/oauth/token", self.base)).form(&form);
        self.send(request, "POST", "/oauth/token").await
    }

    pub async fn get(&self, path: &str, ask: Ask<'_>) -> Result<Answer, OwnApiError> {
        self.call(Method::GET, "GET", path, ask).await
    }

    pub async fn post(&self, path: &str, ask: Ask<'_>) -> Result<Answer, OwnApiError> {
        self.call(Method::POST, "POST", path, ask).await
    }

    pub async fn put(&self, path: &str, ask: Ask<'_>) -> Result<Answer, OwnApiError> {
        self.call(Method::PUT, "PUT", path, ask).await
    }

    async fn call(
        &self,
        method: Method,
        name: &'static str,
        path: &str,
        ask: Ask<'_>,
    ) -> Result<Answer, OwnApiError> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = ask.token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = ask.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        if let Some(etag) = ask.if_match {
            request = request.header("if-match", etag);
        }
        if let Some((content_type, body)) = ask.body {
            request = request.header("content-type", content_type).body(body);
        }
        self.send(request, name, path).await
    }

    async fn send(
        &self,
        request: reqwest::RequestBuilder,
        method: &'static str,
        path: &str,
    ) -> Result<Answer, OwnApiError> {
        // The path only: an error of reqwest quotes the whole address.
        let fault = |source| OwnApiError {
            method,
            path: path.to_owned(),
            source,
        };
        let response = request.send().await.map_err(fault)?;
        let status = response.status().as_u16();
        let etag = response
            .headers()
            .get("etag")
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let text = response.text().await.map_err(fault)?;
        Ok(Answer { status, etag, text })
    }
}
