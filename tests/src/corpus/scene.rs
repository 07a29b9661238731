//! A recorded conversation with the service over HTTP.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use testkit::{HttpApp, Reply, numbers};

use super::inside::{self, Actor};
use super::names::Names;
use super::pretty::pretty;

/// Headers that differ in every run, or do not depend on the service.
const VOLATILE_HEADERS: [&str; 6] = [
    "connection",
    "content-length",
    "date",
    "transfer-encoding",
    "x-content-sha256",
    "x-request-id",
];

/// Headers that every answer has. They are recorded only if one of them is missing.
const STANDARD_HEADERS: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'none'; frame-ancestors 'none'",
    ),
    ("referrer-policy", "no-referrer"),
    ("strict-transport-security", "max-age=31536000"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
];

pub(super) struct Scene {
    pub(super) app: HttpApp,
    pub(super) names: Names,
    pages: BTreeMap<&'static str, String>,
    page: &'static str,
    operations: Vec<(String, String)>,
    asked: BTreeSet<(String, String)>,
    /// Tokens by client, with the instant of their issue. They are dropped when the clock moves.
    tokens: Mutex<(DateTime<Utc>, BTreeMap<String, String>)>,
}

/// A request.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) actor: Option<&'a Actor>,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: &'a [u8],
}

impl Scene {
    pub(super) fn new(app: HttpApp) -> Self {
        Self {
            app,
            names: Names::default(),
            pages: BTreeMap::new(),
            page: "",
            operations: inside::operations(),
            asked: BTreeSet::new(),
            tokens: Mutex::default(),
        }
    }

    /// Records what follows in another file.
    pub(super) fn page(&mut self, page: &'static str) {
        self.page = page;
    }

    /// The recorded text by file, and the operations of the contract that no request covered.
    pub(super) fn end(self) -> (BTreeMap<&'static str, String>, Vec<(String, String)>) {
        let unasked = self.operations.into_iter().filter(|it| !self.asked.contains(it));
        let mut pages = self.pages;
        for text in pages.values_mut() {
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        (pages, unasked.collect())
    }

    pub(super) fn write(&mut self, text: &str) {
        let named = self.names.of(text);
        let page = self.pages.entry(self.page).or_default();
        page.push_str(&named);
        page.push('\n');
    }

    /// Notes the operation of a request: the matching path with the fewest parameters.
    pub(super) fn note(&mut self, method: &str, path: &str) {
        let path = path.split('?').next().unwrap_or_default();
        let segments = path.split('/').collect::<Vec<_>>();
        let fits = |template: &str| {
            let template = template.split('/').collect::<Vec<_>>();
            template.len() == segments.len()
                && template
                    .iter()
                    .zip(&segments)
                    .all(|(it, segment)| it.starts_with('{') || it == segment)
        };
        let of = self.operations.iter().filter(|it| it.0 == method && fits(&it.1));
        self.asked
            .extend(of.min_by_key(|it| it.1.matches('{').count()).cloned());
    }

    pub(super) async fn bearer(&self, actor: &Actor) -> String {
        let now = inside::now(&self.app);
        {
            let mut tokens = self.tokens.lock().unwrap();
            if tokens.0 != now {
                *tokens = (now, BTreeMap::new());
            }
            if let Some(bearer) = tokens.1.get(&actor.client) {
                return bearer.clone();
            }
        }
        let bearer = format!("Bearer {}", self.app.token(actor).await);
        let mut tokens = self.tokens.lock().unwrap();
        tokens.1.insert(actor.client.clone(), bearer.clone());
        bearer
    }

    async fn send(&self, ask: Ask<'_>, language: &str) -> Reply {
        let bearer = match ask.actor {
            Some(actor) => self.bearer(actor).await,
            None => String::new(),
        };
        let mut headers = vec![("accept-language", language)];
        if ask.actor.is_some() {
            headers.push(("authorization", &bearer));
        }
        headers.extend(ask.headers);
        self.app.send(ask.method, ask.path, &headers, ask.body).await
    }

    /// Sends a request in Chinese, and again in English if that changes nothing: it only reads, was
    /// refused, or has a key.
    pub(super) async fn ask(&mut self, what: &str, ask: Ask<'_>) -> Reply {
        self.note(ask.method, ask.path);
        let actor = ask.actor.map_or("no client", |actor| &actor.client);
        self.write(&format!(
            "## {what}\n{} {} as {actor}",
            ask.method,
            shortened(ask.path)
        ));
        for (name, value) in ask.headers {
            self.write(&format!("> {name}: {value}"));
        }
        if !ask.body.is_empty() {
            let body = String::from_utf8_lossy(ask.body);
            self.write(&format!("> {}", shortened(body.trim_end())));
        }
        let reply = self.send(ask, "zh-CN").await;
        self.answer("zh-CN", &reply);
        let keyed = ask.headers.iter().any(|(name, _)| *name == "idempotency-key");
        if ask.method == "GET" || reply.status >= 400 || keyed {
            let again = self.send(ask, "en").await;
            if again.body == reply.body && again.headers.get("etag") == reply.headers.get("etag") && !keyed {
                self.write("< en the same\n");
            } else {
                self.answer("en", &again);
            }
        }
        reply
    }

    fn answer(&mut self, language: &str, reply: &Reply) {
        let mut text = format!("< {language} {}\n", reply.status);
        let (mut headers, mut standard) = (reply.headers.clone(), 0);
        headers.retain(|name, value| {
            let always = STANDARD_HEADERS.contains(&(name.as_str(), value.as_str()));
            standard += usize::from(always);
            !always && !VOLATILE_HEADERS.contains(&name.as_str())
        });
        if standard != STANDARD_HEADERS.len() {
            headers.insert(
                "standard headers".into(),
                format!("{standard} of {}", STANDARD_HEADERS.len()),
            );
        }
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\n"));
        }
        let kind = reply.header("content-type").unwrap_or_default();
        let body = String::from_utf8_lossy(&reply.body);
        if kind.ends_with("json") && !kind.contains("ndjson") {
            text.push_str(&pretty(&body));
        } else {
            text.push_str(&body);
        }
        text.push('\n');
        self.write(&text);
    }

    pub(super) async fn get(&mut self, what: &str, actor: &Actor, path: &str) -> Reply {
        let ask = Ask {
            actor: Some(actor),
            method: "GET",
            path,
            headers: &[],
            body: b"",
        };
        self.ask(what, ask).await
    }

    async fn with_json(
        &mut self,
        what: &str,
        actor: &Actor,
        (method, path): (&str, &str),
        body: &Value,
        more: &[(&str, &str)],
    ) -> Reply {
        let body = body.to_string();
        let headers = [&[("content-type", "application/json")], more].concat();
        let ask = Ask {
            actor: Some(actor),
            method,
            path,
            headers: &headers,
            body: body.as_bytes(),
        };
        self.ask(what, ask).await
    }

    /// Posts with a key, so that the second answer is replayed.
    pub(super) async fn post(&mut self, what: &str, actor: &Actor, path: &str, body: &Value) -> Reply {
        let key = numbers::tag("key-");
        let key = [("idempotency-key", key.as_str())];
        self.with_json(what, actor, ("POST", path), body, &key).await
    }

    /// Posts without a key.
    pub(super) async fn post_without_key(
        &mut self,
        what: &str,
        actor: &Actor,
        path: &str,
        body: &Value,
    ) -> Reply {
        self.with_json(what, actor, ("POST", path), body, &[]).await
    }

    pub(super) async fn put(&mut self, what: &str, actor: &Actor, path: &str, body: &Value) -> Reply {
        self.with_json(what, actor, ("PUT", path), body, &[]).await
    }

    /// Posts on the current revision of a claim, with a key.
    pub(super) async fn post_on(
        &mut self,
        what: &str,
        actor: &Actor,
        claim: &str,
        verb: &str,
        body: &Value,
    ) -> Reply {
        let seen = self
            .fetch(actor, &format!("/v1/claims/{claim}"))
            .await
            .expect(200);
        let (etag, key) = (seen.header("etag").unwrap().to_owned(), numbers::tag("key-"));
        let more = [("if-match", etag.as_str()), ("idempotency-key", key.as_str())];
        let path = format!("/v1/claims/{claim}/{verb}");
        self.with_json(what, actor, ("POST", &path), body, &more).await
    }

    /// Sends a body of another media type than JSON.
    pub(super) async fn text(
        &mut self,
        what: &str,
        actor: &Actor,
        (method, path): (&str, &str),
        kind: &str,
        text: &str,
    ) -> Reply {
        let key = numbers::tag("key-");
        let ask = Ask {
            actor: Some(actor),
            method,
            path,
            headers: &[("content-type", kind), ("idempotency-key", &key)],
            body: text.as_bytes(),
        };
        self.ask(what, ask).await
    }

    /// Gets a path without recording the answer.
    pub(super) async fn fetch(&self, actor: &Actor, path: &str) -> Reply {
        let ask = Ask {
            actor: Some(actor),
            method: "GET",
            path,
            headers: &[],
            body: b"",
        };
        self.send(ask, "en").await
    }

    /// Posts with a key, without recording the answer.
    pub(super) async fn post_unrecorded(&self, actor: &Actor, path: &str, body: &Value) -> Reply {
        let (key, body) = (numbers::tag("key-"), body.to_string());
        let ask = Ask {
            actor: Some(actor),
            method: "POST",
            path,
            headers: &[("content-type", "application/json"), ("idempotency-key", &key)],
            body: body.as_bytes(),
        };
        self.send(ask, "en").await
    }

    /// Posts on this revision of a claim, without recording the answer.
    pub(super) async fn post_unrecorded_on(
        &self,
        actor: &Actor,
        (claim, revision): (&str, u8),
        verb: &str,
        body: &Value,
    ) -> Reply {
        let (etag, body) = (format!("\"{revision}\""), body.to_string());
        let ask = Ask {
            actor: Some(actor),
            method: "POST",
            path: &format!("/v1/claims/{claim}/{verb}"),
            headers: &[("content-type", "application/json"), ("if-match", &etag)],
            body: body.as_bytes(),
        };
        self.send(ask, "en").await
    }

    /// Recommends and approves a claim of revision 1, without recording the answers.
    pub(super) async fn approve(&self, claim: &str) {
        let cast = &self.app.cast;
        let recommend = json!({"verdict": "recommend"});
        let reply = self
            .post_unrecorded_on(&cast.reviewer, (claim, 1), "review", &recommend)
            .await;
        reply.expect(200);
        let approve = json!({"verdict": "approve"});
        let reply = self
            .post_unrecorded_on(&cast.approver, (claim, 2), "approval", &approve)
            .await;
        reply.expect(200);
    }
}

/// The `id` of what an answer shows.
pub(super) fn id(reply: &Reply) -> String {
    let body = reply.json();
    let id = body["id"].as_str();
    id.unwrap_or_else(|| panic!("no id: {body}")).to_owned()
}

/// A long text without its middle.
fn shortened(text: &str) -> String {
    if text.len() < 4_000 {
        return text.to_owned();
    }
    let head = text.chars().take(60).collect::<String>();
    format!("{head}… {} bytes", text.len())
}
