//! Where events go.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Answering;

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
    fn tell<'a>(&'a self, events: &'a [ToldEvent]) -> Answering<'a, Result<(), PartnerError>>;
}
