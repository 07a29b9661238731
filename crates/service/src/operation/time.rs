//! Instants to come.

use chrono::{DateTime, Duration, Utc};

/// How long a partner asks to be left alone, within a day.
pub(crate) fn requested_pause(retry_after: Option<std::time::Duration>) -> Duration {
    let requested = retry_after.and_then(|it| Duration::from_std(it).ok());
    requested.unwrap_or_else(Duration::zero).min(Duration::days(1))
}

/// An instant after `now`; `now` itself where the calendar ends.
pub(crate) fn later(now: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    now.checked_add_signed(by).unwrap_or(now)
}
