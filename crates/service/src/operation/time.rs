//! Local time of the city, and instants to come.

use chrono::{DateTime, Duration, NaiveDate, Utc};

/// The date in Asia/Shanghai, which has had no daylight saving since 1991.
pub fn shanghai_date(instant: DateTime<Utc>) -> NaiveDate {
    shanghai(instant).date()
}

/// Local time in Asia/Shanghai.
pub fn shanghai(instant: DateTime<Utc>) -> chrono::NaiveDateTime {
    instant
        .naive_utc()
        .checked_add_signed(Duration::hours(8))
        .unwrap_or(instant.naive_utc())
}

/// The instant at which a day begins in Asia/Shanghai.
pub fn shanghai_midnight(date: NaiveDate) -> DateTime<Utc> {
    let midnight = date.and_time(chrono::NaiveTime::MIN).and_utc();
    midnight
        .checked_sub_signed(Duration::hours(8))
        .unwrap_or(midnight)
}

/// How long a partner asks to be left alone, within a day.
pub(crate) fn requested_pause(retry_after: Option<std::time::Duration>) -> Duration {
    let requested = retry_after.and_then(|it| Duration::from_std(it).ok());
    requested.unwrap_or_else(Duration::zero).min(Duration::days(1))
}

/// An instant after `now`; `now` itself where the calendar ends.
pub(crate) fn later(now: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    now.checked_add_signed(by).unwrap_or(now)
}
