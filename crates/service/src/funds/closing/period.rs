//! What a closing covers: a calendar month or year in Asia/Shanghai.

use std::fmt;

use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};

use timing::shanghai;

/// A month (`2026-11`) or a year (`2026`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// Its first day.
    Month(NaiveDate),
    /// Its first day.
    Year(NaiveDate),
}

impl Period {
    /// The inverse of `to_string`; years 2000 to 2999.
    pub fn parse(text: &str) -> Option<Period> {
        let whole = |digits: &str| {
            let digits = Some(digits).filter(|it| it.bytes().all(|byte| byte.is_ascii_digit()));
            digits.and_then(|it| it.parse::<u32>().ok())
        };
        let first = |year: &str, month| {
            let year = whole(year).filter(|_| year.len() == 4);
            let year = year.and_then(|year| i32::try_from(year).ok());
            NaiveDate::from_ymd_opt(year.filter(|year| (2000..=2999).contains(year))?, month, 1)
        };
        match text.split_once('-') {
            None => first(text, 1).map(Period::Year),
            Some((year, month)) if month.len() == 2 => first(year, whole(month)?).map(Period::Month),
            Some(_) => None,
        }
    }

    /// The month in which an instant lies.
    pub fn month_of(instant: DateTime<Utc>) -> Option<Period> {
        shanghai::date(instant).with_day(1).map(Period::Month)
    }

    /// The year in which an instant lies.
    pub fn year_of(instant: DateTime<Utc>) -> Option<Period> {
        shanghai::date(instant).with_ordinal(1).map(Period::Year)
    }

    /// The period of the same kind just before.
    pub fn before(self) -> Option<Period> {
        match self {
            Period::Month(first) => first.checked_sub_months(Months::new(1)).map(Period::Month),
            Period::Year(first) => first.checked_sub_months(Months::new(12)).map(Period::Year),
        }
    }

    /// The first day after it.
    pub fn ends_before(self) -> Option<NaiveDate> {
        match self {
            Period::Month(first) => first.checked_add_months(Months::new(1)),
            Period::Year(first) => first.checked_add_months(Months::new(12)),
        }
    }

    /// The instant at which it is over.
    pub fn until(self) -> Option<DateTime<Utc>> {
        self.ends_before().map(shanghai::midnight)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Period::Month(first) => write!(f, "{:04}-{:02}", first.year(), first.month()),
            Period::Year(first) => write!(f, "{:04}", first.year()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_spelled_one_way() {
        for text in ["2026", "2026-01", "2026-12", "2000", "2999-12"] {
            assert_eq!(Period::parse(text).unwrap().to_string(), text);
        }
        for wrong in [
            "", "26", "20261", "2026-1", "2026-00", "2026-13", "2026-111", "+026", "2026-+1", "1999",
            "3000-01", "2026-",
        ] {
            assert_eq!(Period::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn it_ends_at_midnight_in_shanghai() {
        let until = |text| Period::parse(text).unwrap().until().unwrap().to_string();
        assert_eq!(until("2026-11"), "2026-11-30 16:00:00 UTC");
        assert_eq!(until("2026-12"), "2026-12-31 16:00:00 UTC");
        assert_eq!(until("2026"), until("2026-12"));
        let last: DateTime<Utc> = "2026-11-30T15:59:59Z".parse().unwrap();
        assert_eq!(Period::month_of(last).unwrap().to_string(), "2026-11");
        let next: DateTime<Utc> = "2026-12-31T16:00:00Z".parse().unwrap();
        assert_eq!(Period::month_of(next).unwrap().to_string(), "2027-01");
        assert_eq!(Period::year_of(next).unwrap().to_string(), "2027");
        let before = |text| Period::parse(text).unwrap().before().unwrap().to_string();
        assert_eq!(
            (before("2027-01"), before("2027")),
            ("2026-12".into(), "2026".into())
        );
    }
}
