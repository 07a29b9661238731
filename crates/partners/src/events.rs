//! Delivery of events by HTTP: one POST a batch, signed after Standard Webhooks.
//!
//! ```text
//! POST <endpoint>
//! content-type: application/json
//! webhook-id: msg_<digest of the body>      the same for the same batch, however often it is sent
//! webhook-timestamp: <seconds since 1970>   of the attempt
//! webhook-signature: v1,<base64 of HMAC-SHA-256 over id.timestamp.body>
//!
//! {"type":"huanxin.events","timestamp":"…","data":{"events":[
//!  {"id":"…","jurisdiction":"…","subject":"clm_…","verb":"approve","at":"…","from_status":"recommended","to_status":"approved"}]}}
//! ```
//!
//! Delivery is at least once: a 2xx answer takes the whole batch, anything else leaves the whole
//! batch to be sent again. A receiver drops an event whose id it has; `webhook-id` lets it drop a
//! repeated batch without reading it, but a batch sent again later may be cut differently and then
//! has another id. `timestamp` is the latest event's.
//!
//! The caller leases the events meanwhile, and the lease bounds a call: its attempts and pauses
//! together take no longer than `Timeouts::call`, which is less than the shortest lease, so that
//! two workers do not send the same events at once.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use reqwest::Client;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use secrecy::SecretString;
use serde::Serialize;
use service::ports::{Clock, EventSink, PartnerError, ToldEvent};
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use uuid::Uuid;

use crate::endpoint::Endpoint;
use crate::outcome::{self, Failure};
use crate::signature::SigningKey;
use crate::{ConfigError, Timeouts, retry};

/// The longest that a call may be configured to take: the shortest lease is 60 s.
pub const LONGEST_CALL: Duration = Duration::from_secs(45);

/// The receiver of events, and how long a call waits for it.
pub struct EventSinkConfig {
    /// An `https` address, or `http` on this machine. May hold a token: never shown beyond its
    /// origin.
    pub endpoint: String,
    /// `whsec_` and 24 to 64 random bytes in base64, shared with the receiver.
    pub secret: SecretString,
    pub timeouts: Timeouts,
}

impl fmt::Debug for EventSinkConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSinkConfig")
            .field("endpoint", &Endpoint::parse(&self.endpoint))
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

/// Delivers events to one endpoint. Keeps its connections; make one and share it.
pub struct HttpEventSink {
    endpoint: Endpoint,
    key: SigningKey,
    timeouts: Timeouts,
    client: Client,
    clock: Arc<dyn Clock>,
}

impl HttpEventSink {
    /// The clock dates the attempts; receivers refuse a date that is some minutes off.
    ///
    /// # Errors
    /// If the endpoint may not be called, the secret is malformed, the timeouts cannot work, or the
    /// machine has no root certificates. Nothing is sent.
    pub fn new(config: &EventSinkConfig, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        let timeouts = config.timeouts.check()?;
        if timeouts.call > LONGEST_CALL {
            return Err(ConfigError::TooLong(timeouts.call));
        }
        let endpoint = Endpoint::parse(&config.endpoint)?;
        let key = SigningKey::parse(&config.secret)?;
        let client = endpoint.client(timeouts.connect, None)?;
        Ok(Self {
            endpoint,
            key,
            timeouts,
            client,
            clock,
        })
    }

    async fn deliver(&self, events: &[ToldEvent]) -> Result<(), PartnerError> {
        let Some(message) = Message::of(events)? else {
            return Ok(());
        };
        let began = Instant::now();
        let mut attempt = 1;
        loop {
            let left = self.timeouts.call.saturating_sub(began.elapsed());
            let (why, retry_after) = match self.post(&message, left).await {
                Ok(()) => return Ok(()),
                Err(Failure::Lasting { why }) => return Err(given_up(&why, attempt)),
                Err(Failure::Passing { why, retry_after }) => (why, retry_after),
            };
            let left = self.timeouts.call.saturating_sub(began.elapsed());
            let pause = retry::pause(attempt, retry_after).filter(|pause| *pause < left);
            let Some(pause) = pause else {
                return Err(given_up(&why, attempt));
            };
            tracing::debug!(attempt, %why, "event delivery failed and is retried");
            tokio::time::sleep(pause).await;
            attempt = attempt.saturating_add(1);
        }
    }

    /// One attempt, in no more than the time that is left.
    async fn post(&self, message: &Message, left: Duration) -> Result<(), Failure> {
        let timestamp = self.clock.now().timestamp();
        let response = self
            .client
            .post(self.endpoint.url())
            .timeout(self.timeouts.attempt.min(left))
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "*/*")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", timestamp)
            .header(
                "webhook-signature",
                self.key.sign(&message.id, timestamp, &message.body),
            )
            .body(message.body.clone())
            .send()
            .await
            .map_err(outcome::no_answer)?;
        let verdict = outcome::judge(response.status(), response.headers(), self.clock.now());
        outcome::drain(response).await;
        verdict
    }
}

impl EventSink for HttpEventSink {
    fn tell<'a>(
        &'a self,
        events: &'a [ToldEvent],
    ) -> Pin<Box<dyn Future<Output = Result<(), PartnerError>> + Send + 'a>> {
        Box::pin(self.deliver(events))
    }
}

impl fmt::Debug for HttpEventSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpEventSink")
            .field("endpoint", &self.endpoint)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

fn given_up(why: &str, attempts: u32) -> PartnerError {
    match attempts {
        1 => PartnerError(why.to_owned()),
        _ => PartnerError(format!("{why} (attempt {attempts})")),
    }
}

/// A batch as it is sent: the bytes that are signed are the bytes that go out.
struct Message {
    id: String,
    body: Vec<u8>,
}

impl Message {
    /// `None` for no events.
    fn of(events: &[ToldEvent]) -> Result<Option<Self>, PartnerError> {
        let Some(timestamp) = events.iter().map(|event| event.at).max() else {
            return Ok(None);
        };
        let events = events.iter().map(EventBody::of).collect();
        let body = Body {
            kind: "huanxin.events",
            timestamp,
            data: Data { events },
        };
        let body = serde_json::to_vec(&body).map_err(|error| PartnerError(error.to_string()))?;
        // Derived from the content and not random: a batch sent twice, even by two instances, has
        // one id. The alphabet has no full stop.
        let id = format!("msg_{}", URL_SAFE_NO_PAD.encode(Sha256::digest(&body)));
        Ok(Some(Self { id, body }))
    }
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: DateTime<Utc>,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    events: Vec<EventBody<'a>>,
}

/// An event on the wire, field by field: a field added to the port goes out only when it is added
/// here.
#[derive(Serialize)]
struct EventBody<'a> {
    id: Uuid,
    jurisdiction: &'a str,
    subject: &'a str,
    verb: &'a str,
    at: DateTime<Utc>,
    from_status: Option<&'a str>,
    to_status: Option<&'a str>,
}

impl<'a> EventBody<'a> {
    fn of(event: &'a ToldEvent) -> Self {
        Self {
            id: event.id,
            jurisdiction: &event.jurisdiction,
            subject: &event.subject,
            verb: &event.verb,
            at: event.at,
            from_status: event.from_status.as_deref(),
            to_status: event.to_status.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests;
