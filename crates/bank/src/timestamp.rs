//! Instants as XML Schema writes them, by the clock of Shanghai.

use chrono::{DateTime, Datelike, FixedOffset, Timelike, Utc};
use timing::shanghai;

/// The instant to the second. `None` where a year would not have the four digits that XML Schema
/// writes.
pub(crate) fn timestamp(instant: DateTime<Utc>) -> Option<DateTime<FixedOffset>> {
    // Before the conversion, which panics at the ends of the calendar.
    if !(1..=9998).contains(&instant.year()) {
        return None;
    }
    // Also removes a leap second, which XML Schema does not have.
    instant.with_timezone(&shanghai::OFFSET).with_nanosecond(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_do_not_panic() {
        assert_eq!(timestamp(DateTime::<Utc>::MIN_UTC), None);
        assert_eq!(timestamp(DateTime::<Utc>::MAX_UTC), None);
        let leap = DateTime::parse_from_rfc3339("2016-12-31T23:59:60.5Z").unwrap();
        assert_eq!(
            timestamp(leap.with_timezone(&Utc)).unwrap().to_rfc3339(),
            "2017-01-01T07:59:59+08:00"
        );
    }
}
