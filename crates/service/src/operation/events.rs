//! The audit trail: an event for whatever was done.

use chrono::{DateTime, Utc};
use store::operation::EventRow;
use store::{StoreError, Tx};
use uuid::Uuid;

use super::access::Actor;

/// An event of now. Events of claims add statuses and revision.
pub(crate) fn event(
    id: Uuid,
    jurisdiction: &str,
    subject: &str,
    verb: &str,
    actor: &Actor,
    now: DateTime<Utc>,
) -> EventRow {
    EventRow {
        jurisdiction: jurisdiction.to_owned(),
        id,
        subject: subject.to_owned(),
        verb: verb.to_owned(),
        actor: actor.client.clone(),
        person: actor.person.clone(),
        at: now,
        revision: None,
        from_status: None,
        to_status: None,
        reason: None,
        request: actor.request.clone(),
        leaf: None,
        detail: None,
    }
}

/// What was signed, as the log keeps it: members in the order of their names, money in yuan as text.
pub(crate) fn signed(what: &serde_json::Value) -> Option<String> {
    Some(what.to_string())
}

/// Writes events that concern nobody outside, such as a look at personal data.
pub(crate) async fn record_inside(tx: &mut Tx, events: &[EventRow]) -> Result<(), StoreError> {
    EventRow::insert(tx, events).await?;
    Ok(())
}
