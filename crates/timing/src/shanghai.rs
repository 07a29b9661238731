//! The clock of Asia/Shanghai: UTC and eight hours, without daylight saving since 1991.
//!
//! Days, months and years of the service, of banks and of officials are those of this clock.
//! PostgreSQL reckons with the same zone by its name.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc};

/// The offset of the clock from UTC.
pub const OFFSET: FixedOffset = match FixedOffset::east_opt(8 * 60 * 60) {
    Some(offset) => offset,
    None => panic!("eight hours are an offset"),
};

/// The date at an instant.
#[must_use]
pub fn date(instant: DateTime<Utc>) -> NaiveDate {
    local(instant).date()
}

/// Date and time of day at an instant. In the last eight hours of the calendar, those of UTC.
#[must_use]
pub fn local(instant: DateTime<Utc>) -> NaiveDateTime {
    let utc = instant.naive_utc();
    utc.checked_add_offset(OFFSET).unwrap_or(utc)
}

/// The instant at which a day begins. For the first day of the calendar, its beginning in UTC.
#[must_use]
pub fn midnight(date: NaiveDate) -> DateTime<Utc> {
    let midnight = date.and_time(NaiveTime::MIN);
    midnight.checked_sub_offset(OFFSET).unwrap_or(midnight).and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_begins_at_four_in_the_afternoon_of_utc() {
        let day = "2026-06-15".parse().unwrap();
        assert_eq!(midnight(day), instant("2026-06-14T16:00:00Z"));
        assert_eq!(date(midnight(day)), day);
        assert_eq!(
            date(instant("2026-06-14T15:59:59.999999Z")),
            day.pred_opt().unwrap()
        );
        assert_eq!(
            local(instant("2026-06-14T16:30:00Z")).to_string(),
            "2026-06-15 00:30:00"
        );
    }

    #[test]
    fn the_ends_of_the_calendar_do_not_panic() {
        assert_eq!(
            date(DateTime::<Utc>::MAX_UTC),
            DateTime::<Utc>::MAX_UTC.date_naive()
        );
        assert_eq!(midnight(NaiveDate::MIN).date_naive(), NaiveDate::MIN);
    }
}
