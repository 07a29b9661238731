//! The clients of the demo, and how a request is sent and printed as the `curl` that repeats it.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, anyhow};
use partners::own_api::{Answer, Ask, OwnApi};
use serde_json::Value;

use super::cast::Cast;
use crate::commands::say;

/// A client of the service and a token for each of the cast.
pub(super) struct Stage<'a> {
    pub(super) api: OwnApi,
    pub(super) cast: &'a Cast,
    pub(super) dir: &'a Path,
    pub(super) tokens: HashMap<String, String>,
}

/// A request of the story.
pub(super) struct Line<'a> {
    client: &'a str,
    path: String,
    key: Option<String>,
    etag: Option<String>,
    body: Option<Value>,
    /// The file of the body, for the printed line; short bodies are printed whole.
    file: Option<String>,
}

impl<'a> Line<'a> {
    pub(super) fn new(client: &'a str, path: impl Into<String>) -> Self {
        Self {
            client,
            path: path.into(),
            key: None,
            etag: None,
            body: None,
            file: None,
        }
    }

    pub(super) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    pub(super) fn key(mut self, key: String) -> Self {
        self.key = Some(key);
        self
    }

    pub(super) fn etag(mut self, etag: Option<String>) -> Self {
        self.etag = etag;
        self
    }

    pub(super) fn file(mut self, file: String) -> Self {
        self.file = Some(file);
        self
    }

    fn curl(&self) -> String {
        let mut curl = format!("curl -sS -H \"Authorization: Bearer $(token {})\"", self.client);
        if let Some(key) = &self.key {
            curl.push_str(&format!(" -H 'Idempotency-Key: {key}'"));
        }
        if let Some(etag) = &self.etag {
            curl.push_str(&format!(" -H 'If-Match: {etag}'"));
        }
        match (&self.file, &self.body) {
            (Some(file), _) => curl.push_str(&format!(
                " -H 'Content-Type: application/json' --data-binary @{file}"
            )),
            (None, Some(body)) => curl.push_str(&format!(" -H 'Content-Type: application/json' -d '{body}'")),
            (None, None) => {}
        }
        format!("{curl} \"$BASE{}\"", self.path)
    }
}

impl Stage<'_> {
    pub(super) async fn token(&mut self, client: &str) -> anyhow::Result<String> {
        if let Some(token) = self.tokens.get(client) {
            return Ok(token.clone());
        }
        let known = self.cast.client(client)?;
        let answer = self.api.token(&known.client_id, &known.client_secret).await?;
        let token =
            text(&answer.json(), "/access_token").with_context(|| format!("no token for {client}"))?;
        self.tokens.insert(client.to_owned(), token.clone());
        Ok(token)
    }

    pub(super) async fn etag(&mut self, client: &str, id: &str) -> anyhow::Result<Option<String>> {
        let token = self.token(client).await?;
        let ask = Ask {
            token: Some(&token),
            ..Ask::default()
        };
        Ok(self.api.get(&format!("/v1/claims/{id}"), ask).await?.etag)
    }

    pub(super) async fn get(&mut self, title: &str, line: Line<'_>) -> anyhow::Result<Answer> {
        say(&format!("{title}\n   $ {}", line.curl()))?;
        let token = self.token(line.client).await?;
        let answer = self
            .api
            .get(
                &line.path,
                Ask {
                    token: Some(&token),
                    ..Ask::default()
                },
            )
            .await?;
        if answer.is_success() {
            Ok(answer)
        } else {
            Err(failed(title, &answer))
        }
    }

    pub(super) async fn put(&mut self, title: &str, line: Line<'_>) -> anyhow::Result<Answer> {
        let body = line
            .body
            .as_ref()
            .map(|body| ("application/json", body.to_string()));
        let curl = line.curl().replacen("curl -sS", "curl -sS -X PUT", 1);
        say(&format!("{title}\n   $ {curl}"))?;
        let token = self.token(line.client).await?;
        let ask = Ask {
            token: Some(&token),
            body,
            ..Ask::default()
        };
        let answer = self.api.put(&line.path, ask).await?;
        if answer.is_success() {
            Ok(answer)
        } else {
            Err(failed(title, &answer))
        }
    }

    pub(super) async fn post(&mut self, title: &str, line: Line<'_>) -> anyhow::Result<Answer> {
        say(&format!("{title}\n   $ {}", line.curl()))?;
        let token = self.token(line.client).await?;
        let ask = Ask {
            token: Some(&token),
            idempotency_key: line.key.as_deref(),
            if_match: line.etag.as_deref(),
            body: line
                .body
                .as_ref()
                .map(|body| ("application/json", body.to_string())),
        };
        let answer = self.api.post(&line.path, ask).await?;
        if answer.is_success() {
            Ok(answer)
        } else {
            Err(failed(title, &answer))
        }
    }
}

pub(super) fn text(value: &Value, pointer: &str) -> anyhow::Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .ok_or_else(|| anyhow!("the answer has no {pointer}: {value}"))
}

pub(super) fn failed(step: &str, answer: &Answer) -> anyhow::Error {
    anyhow!("{}: {} {}", step.trim(), answer.status, answer.text)
}
