//! Ids of version 7 begin with the time at which they were made, so that a span of time is a span of ids.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The ids between which lies what was made in a span of time, both excluded. A clock that was set back gives ids that are
/// somewhat late, so a day is added on either side.
pub fn between(from: Option<DateTime<Utc>>, before: Option<DateTime<Utc>>) -> (Uuid, Uuid) {
    let day = chrono::Duration::days(1);
    let from = from.and_then(|from| from.checked_sub_signed(day));
    let before = before.and_then(|before| before.checked_add_signed(day));
    (
        from.map_or(Uuid::nil(), first_id),
        before.map_or(Uuid::max(), first_id),
    )
}

/// The lowest id that can be made at this instant (RFC 9562, version 7).
fn first_id(instant: DateTime<Utc>) -> Uuid {
    let millis = u128::from(u64::try_from(instant.timestamp_millis()).unwrap_or(0));
    Uuid::from_u128(millis << 80)
}
