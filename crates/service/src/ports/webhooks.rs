//! Merchants' webhooks: one attempt at telling a merchant something, and when the next one is due.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use timing::{Backoff, Jitter};

use super::Answering;

/// The most bytes of a message's body. Standard Webhooks ask for small ones; whoever needs more fetches it.
pub const LARGEST_WEBHOOK: usize = 64 * 1024;

/// What tells merchants. Their addresses are their own choice: an adapter calls none that is not public.
pub trait Webhooks: Send + Sync + fmt::Debug {
    /// Whether an address may be registered. Its form only, so that it needs no network: what its name stands for is looked
    /// up at each delivery, because it may change.
    ///
    /// # Errors
    /// What is wrong with it. The text does not quote it.
    fn check_url(&self, url: &str) -> Result<(), UrlRefused>;

    /// One attempt, signed after Standard Webhooks. The caller decides on the next, see [`webhook_schedule`].
    ///
    /// # Errors
    /// Whatever is not a 2xx. After any of them the merchant may have the message all the same.
    fn deliver<'a>(
        &'a self,
        to: &'a WebhookTarget,
        message: &'a WebhookMessage,
    ) -> Answering<'a, Result<Delivered, WebhookFailure>>;
}

/// Where a merchant listens.
pub struct WebhookTarget {
    /// May hold a token in its path or query: never shown.
    pub url: String,
    /// `whsec_` and base64. One, or two while the merchant changes them: the message carries a signature of each.
    pub secrets: Vec<SecretString>,
}

impl fmt::Debug for WebhookTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookTarget")
            .field("secrets", &self.secrets.len())
            .finish_non_exhaustive()
    }
}

/// What is told.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookMessage {
    /// The same at every attempt, so that the merchant knows a repetition: 1 to 100 ASCII letters, digits, `_` and `-`.
    pub id: String,
    /// Of this attempt: receivers refuse what is some minutes off.
    pub timestamp: DateTime<Utc>,
    /// JSON, at most [`LARGEST_WEBHOOK`] bytes.
    pub body: Bytes,
}

impl fmt::Debug for WebhookMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookMessage")
            .field("id", &self.id)
            .field("timestamp", &self.timestamp)
            .field("len", &self.body.len())
            .finish()
    }
}

/// The merchant has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// Any 2xx.
    pub status: u16,
    pub took: Duration,
}

/// Why a message was not delivered. The texts may be logged and shown to the merchant: they hold nothing of the address
/// beyond its origin, nothing that it answered, and no address of IP.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookFailure {
    /// 410: the merchant wants nothing more at this address.
    #[error("it answered 410: the endpoint is gone")]
    Gone,
    /// Another status; redirects are not followed and are answers like others.
    #[error("it answered {status}")]
    Answered {
        status: u16,
        /// What it asked for, by 429 and 503 mostly. Not bounded.
        retry_after: Option<Duration>,
    },
    /// Nothing was sent: the address may not be called, or its name stands for one that may not be.
    #[error(transparent)]
    UrlRefused(#[from] UrlRefused),
    /// No connection: its name is not known, nobody listens, its certificate is not valid.
    #[error("no connection: {why}")]
    NoConnection { why: String },
    /// It was sent, and no answer came, or none in time.
    #[error("no answer: {why}")]
    NoAnswer { why: String },
    /// The message or a secret is not of the form it must have: a bug of the caller. Nothing was sent.
    #[error("the message cannot be sent: {0}")]
    Unsendable(&'static str),
}

/// Why an address may not be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlRefused {
    #[error("it is not an absolute address of at most 2,048 characters")]
    Form,
    #[error("it is not https")]
    NotHttps,
    #[error("it carries a user name or password; the signature is what authenticates a message")]
    Credentials,
    #[error("its port is neither 443 nor one from 1024 up")]
    Port,
    #[error("its host is not a full public name")]
    Name,
    #[error("its host is, or stands for, an address that is not public")]
    NotPublic,
}

/// Before each further attempt, as Standard Webhooks suggest: from now to after three days.
const BACKOFF: Backoff = Backoff::listed(&[
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(14),
    Duration::from_hours(20),
    Duration::from_hours(24),
])
.jitter(Jitter::AddedFifth);

/// How long to wait after `failed` attempts have failed; none at first, and `None` when it is time to give up, after the
/// tenth, about 75 hours after the first.
///
/// `random` makes the pause up to a fifth longer, so that what failed together is not tried together.
pub fn webhook_schedule(failed: u32, random: u32) -> Option<Duration> {
    BACKOFF.pause(failed, random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_go_on_for_three_days_and_end() {
        let pauses = (0..)
            .map_while(|failed| webhook_schedule(failed, 0))
            .collect::<Vec<_>>();
        assert_eq!(pauses.len(), 10);
        assert_eq!(pauses[0], Duration::ZERO);
        assert!(pauses.is_sorted());
        let hours = pauses.iter().sum::<Duration>().as_secs() / 3_600;
        assert_eq!(hours, 75);
        assert_eq!(webhook_schedule(10, 0), None);
        assert_eq!(webhook_schedule(u32::MAX, u32::MAX), None);
    }

    #[test]
    fn jitter_adds_a_fifth_at_most() {
        for failed in 1..10 {
            let (least, most) = (
                webhook_schedule(failed, 0).unwrap(),
                webhook_schedule(failed, u32::MAX).unwrap(),
            );
            assert_eq!(most, least * 6 / 5, "{failed}");
            let between = webhook_schedule(failed, u32::MAX / 2).unwrap();
            assert!(least < between && between < most, "{failed}");
        }
    }

    #[test]
    fn neither_address_nor_body_is_shown() {
        let target = WebhookTarget {
            url: "https://shop.example.cn/t0ken".into(),
            secrets: vec!["whsec_c2VjcmV0".into()],
        };
        let message = WebhookMessage {
            id: "msg_1".into(),
            timestamp: DateTime::UNIX_EPOCH,
            body: Bytes::from_static(b"t0ken"),
        };
        let shown = format!("{target:?} {message:?}");
        assert!(
            shown.contains("msg_1") && !shown.contains("t0ken") && !shown.contains("whsec_"),
            "{shown}"
        );
    }
}
