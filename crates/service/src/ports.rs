//! What the use cases need from outside the database: time, ids, the receiver of events, the bank, and merchants' webhooks.

mod bank;
mod webhooks;

use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

pub use bank::{
    Bank, BankError, BankFile, FileName, LARGEST_BANK_FILE, NotABankFile, RESULTS_PAGE, ResultsPage,
    Submitted,
};
pub use webhooks::{
    Delivered, LARGEST_WEBHOOK, UrlRefused, WebhookFailure, WebhookMessage, WebhookTarget, Webhooks,
    webhook_schedule,
};

/// What a port answers with: a trait of async functions cannot be an object, and which adapter is used is configured.
pub type Answering<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The time. A test sets it by hand.
pub trait Clock: Send + Sync + std::fmt::Debug {
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads the machine's clock"
    )]
    fn now(&self) -> DateTime<Utc> {
        // Microseconds, as PostgreSQL keeps them: what is answered equals what is read back.
        let now = Utc::now();
        DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock(Mutex<DateTime<Utc>>);

impl ManualClock {
    pub fn at(now: DateTime<Utc>) -> Self {
        Self(Mutex::new(now))
    }

    pub fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *now = now.checked_add_signed(by).unwrap_or(*now);
    }

    pub fn set(&self, to: DateTime<Utc>) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = to;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Ids of version 7: they sort by arrival, within a millisecond too.
#[derive(Debug)]
pub struct Ids {
    context: Mutex<uuid::ContextV7>,
}

impl Default for Ids {
    fn default() -> Self {
        Self {
            context: Mutex::new(uuid::ContextV7::new()),
        }
    }
}

impl Ids {
    /// The next id at this time, after every id given before.
    pub fn next(&self, now: DateTime<Utc>) -> Uuid {
        let context = self
            .context
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        Uuid::new_v7(uuid::Timestamp::from_unix(
            &*context,
            seconds,
            now.timestamp_subsec_nanos(),
        ))
    }
}

/// An event as it is told to the outside: no personal data, ids and statuses only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldEvent {
    pub id: Uuid,
    pub jurisdiction: String,
    pub subject: String,
    pub verb: String,
    pub at: DateTime<Utc>,
    pub from_status: Option<String>,
    pub to_status: Option<String>,
}

/// Why events were not taken; they are told again later.
#[derive(Debug, thiserror::Error)]
#[error("the receiver of events did not take them: {0}")]
pub struct PartnerError(pub String);

/// Where events go: the city's data exchange, or whoever listens. At least once, in batches, in any order.
pub trait EventSink: Send + Sync + std::fmt::Debug {
    fn tell<'a>(
        &'a self,
        events: &'a [ToldEvent],
    ) -> Pin<Box<dyn Future<Output = Result<(), PartnerError>> + Send + 'a>>;
}

// old paths, until api is moved
#[doc(hidden)]
pub use crate::operation::time::{shanghai, shanghai_date, shanghai_midnight};
