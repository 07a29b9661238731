//! Beijing time, which banks and officials write.

use chrono::{DateTime, Datelike, FixedOffset, Timelike, Utc};

const BEIJING: FixedOffset = match FixedOffset::east_opt(8 * 60 * 60) {
    Some(offset) => offset,
    None => panic!("eight hours are an offset"),
};

/// The instant in Beijing time, to the second. `None` where a year would not have the four digits that XML Schema writes.
pub(crate) fn beijing(instant: DateTime<Utc>) -> Option<DateTime<FixedOffset>> {
    // Before the conversion, which panics at the ends of the calendar.
    if !(1..=9998).contains(&instant.year()) {
        return None;
    }
    // Also takes away a leap second, which XML Schema does not know.
    instant.with_timezone(&BEIJING).with_nanosecond(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_do_not_panic() {
        assert_eq!(beijing(DateTime::<Utc>::MIN_UTC), None);
        assert_eq!(beijing(DateTime::<Utc>::MAX_UTC), None);
        let leap = DateTime::parse_from_rfc3339("2016-12-31T23:59:60.5Z").unwrap();
        assert_eq!(
            beijing(leap.with_timezone(&Utc)).unwrap().to_rfc3339(),
            "2017-01-01T07:59:59+08:00"
        );
    }
}
