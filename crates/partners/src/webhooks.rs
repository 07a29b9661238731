//! Merchants' webhooks: one attempt, signed after Standard Webhooks, to an address that a merchant
//! chose.
//!
//! ```text
//! POST <url>
//! content-type: application/json
//! webhook-id: <the same at every attempt>
//! webhook-timestamp: <seconds since 1970>   of the attempt
//! webhook-signature: v1,<base64> v1,<base64>     one for each secret
//! ```
//!
//! A merchant who chooses the address could choose one of ours: a database, a cloud's metadata, a
//! router. So only https is used, to port 443 or one from 1024 up, and only to public addresses. A
//! name is resolved once for each attempt, by [`resolve`]; if any of its addresses is not public
//! none is called; and the connection goes to the addresses that were checked, so that a name that
//! resolves differently a moment later gains nothing. No connection outlives its attempt, no proxy
//! is used, and no redirect followed. Addresses that are public and yet ours (the balancer before
//! this service) have to be closed to it by the network.
//!
//! An attempt is bounded by [`WebhooksConfig`], its message by [`LARGEST_WEBHOOK`]; of the answer
//! the status counts, and of its body 64 KiB are read for a second, so that the merchant's server
//! is not cut off, and thrown away.

mod public;
mod resolve;
mod target;

use std::error::Error;
use std::fmt;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, ClientBuilder, Response, StatusCode, redirect};
use service::ports::{
    Answering, Delivered, LARGEST_WEBHOOK, UrlRefused, WebhookFailure, WebhookMessage, WebhookTarget,
    Webhooks,
};
use tokio::time::Instant;

use crate::ConfigError;
use crate::outcome::{self, Silence};
use crate::signature::SigningKey;
use resolve::{Checked, NotPublic};

/// The most secrets of one merchant: one, and another while it is changed.
const MOST_SECRETS: usize = 2;

/// The longest id of a message.
const LONGEST_ID: usize = 100;

/// Which addresses merchants may register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Public addresses over https.
    Public,
    /// Also this machine, by `localhost` or its loopback addresses, over http too: for a demo and
    /// for tests. Where others register endpoints this setting exposes every local service to them.
    AlsoThisMachine,
}

/// Bounds of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebhooksConfig {
    pub reach: Reach,
    /// For a connection: name, TCP and TLS.
    pub connect: Duration,
    /// For the attempt, from its beginning to the status of its answer.
    pub attempt: Duration,
}

impl Default for WebhooksConfig {
    fn default() -> Self {
        Self {
            reach: Reach::Public,
            connect: Duration::from_secs(5),
            // Standard Webhooks suggest 15 to 30 s.
            attempt: Duration::from_secs(15),
        }
    }
}

/// Delivers webhook messages. Holds no connection; make one and share it.
pub struct HttpWebhooks {
    config: WebhooksConfig,
    client: Client,
}

impl HttpWebhooks {
    /// # Errors
    /// Timeouts of zero, or a machine without root certificates.
    pub fn new(config: WebhooksConfig) -> Result<Self, ConfigError> {
        let names = Checked {
            lookup: resolve::by_the_system(),
            is_public: public::is_public,
            reach: config.reach,
        };
        Self::with(config, names, |builder| builder)
    }

    fn with(
        config: WebhooksConfig,
        names: Checked,
        also: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Self, ConfigError> {
        if config.connect.is_zero() || config.attempt.is_zero() {
            return Err(ConfigError::NoTime);
        }
        let builder = Client::builder()
            .user_agent(concat!("huanxin/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(config.connect)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .https_only(config.reach == Reach::Public)
            // A resolved name is not cached between attempts.
            .pool_max_idle_per_host(0)
            .dns_resolver(names);
        let client = also(builder)
            .build()
            .map_err(|error| ConfigError::Client(outcome::root_cause(error)))?;
        Ok(Self { config, client })
    }

    async fn attempt(
        &self,
        to: &WebhookTarget,
        message: &WebhookMessage,
    ) -> Result<Delivered, WebhookFailure> {
        let url = target::parse(&to.url, self.config.reach)?;
        check(message)?;
        let timestamp = message.timestamp.timestamp();
        let signatures = signatures(to, message)?;
        let began = Instant::now();
        let response = self
            .client
            .post(url)
            .timeout(self.config.attempt)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "*/*")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signatures)
            .body(message.body.clone())
            .send()
            .await
            .map_err(failure)?;
        let took = began.elapsed();
        let verdict = judge(&response, message, took);
        outcome::drain(response).await;
        verdict
    }
}

impl Webhooks for HttpWebhooks {
    fn check_url(&self, url: &str) -> Result<(), UrlRefused> {
        target::parse(url, self.config.reach).map(drop)
    }

    fn deliver<'a>(
        &'a self,
        to: &'a WebhookTarget,
        message: &'a WebhookMessage,
    ) -> Answering<'a, Result<Delivered, WebhookFailure>> {
        Box::pin(self.attempt(to, message))
    }
}

impl fmt::Debug for HttpWebhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpWebhooks")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// What is signed is `id.timestamp.body`: a full stop in the id would let another message carry the
/// same signature.
fn check(message: &WebhookMessage) -> Result<(), WebhookFailure> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !(1..=LONGEST_ID).contains(&message.id.len()) || !message.id.bytes().all(allowed) {
        return Err(WebhookFailure::Unsendable(
            "its id is not 1 to 100 letters, digits, _ and -",
        ));
    }
    if message.body.len() > LARGEST_WEBHOOK {
        return Err(WebhookFailure::Unsendable("its body is larger than 64 KiB"));
    }
    Ok(())
}

/// The value of `webhook-signature`: receivers look for one that they can verify.
fn signatures(to: &WebhookTarget, message: &WebhookMessage) -> Result<String, WebhookFailure> {
    if !(1..=MOST_SECRETS).contains(&to.secrets.len()) {
        return Err(WebhookFailure::Unsendable("it has neither one secret nor two"));
    }
    let keys = to.secrets.iter().map(SigningKey::parse);
    let keys = keys.collect::<Result<Vec<_>, _>>().map_err(|_| {
        WebhookFailure::Unsendable("a secret is not whsec_ followed by 24 to 64 bytes in base64")
    })?;
    let timestamp = message.timestamp.timestamp();
    let sign = |key: &SigningKey| key.sign(&message.id, timestamp, &message.body);
    Ok(keys.iter().map(sign).collect::<Vec<_>>().join(" "))
}

fn judge(response: &Response, message: &WebhookMessage, took: Duration) -> Result<Delivered, WebhookFailure> {
    let status = response.status();
    if status.is_success() {
        return Ok(Delivered {
            status: status.as_u16(),
            took,
        });
    }
    if status == StatusCode::GONE {
        return Err(WebhookFailure::Gone);
    }
    Err(WebhookFailure::Answered {
        status: status.as_u16(),
        // The attempt's own time is near enough for a date.
        retry_after: outcome::asked(response.headers(), message.timestamp),
    })
}

fn failure(error: reqwest::Error) -> WebhookFailure {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(error) = cause {
        if error.is::<NotPublic>() {
            return WebhookFailure::UrlRefused(UrlRefused::NotPublic);
        }
        cause = error.source();
    }
    match Silence::of(error) {
        Silence::NoConnection(why) => WebhookFailure::NoConnection { why },
        Silence::NoAnswer(why) => WebhookFailure::NoAnswer { why },
    }
}

#[cfg(test)]
mod tests;
