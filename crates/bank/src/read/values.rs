//! Values as banks write them.

use chrono::NaiveDate;
use ledger::Fen;

/// Yuan in digits with any number of decimals, of which those beyond the second are zero: `1500`,
/// `1500.5`, `1500.00000`. Never rounded.
pub(super) fn amount(text: &str) -> Option<Fen> {
    let (yuan, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(yuan) || !digits(decimals) {
        return None;
    }
    let (fen, beyond) = match decimals.split_at_checked(2) {
        Some((fen, beyond)) => (fen.to_owned(), beyond),
        None => (format!("{decimals}0"), ""),
    };
    if beyond.bytes().any(|b| b != b'0') {
        return None;
    }
    let yuan = match yuan.trim_start_matches('0') {
        "" => "0",
        yuan => yuan,
    };
    format!("{yuan}.{fen}").parse().ok()
}

/// As a spreadsheet shows it: `¥1,500.00`.
pub(super) fn shown_amount(text: &str) -> Option<Fen> {
    let text = text.strip_prefix(['¥', '￥']).unwrap_or(text);
    let text = text.strip_suffix('元').unwrap_or(text);
    let (yuan, decimals) = match text.split_once('.') {
        Some((yuan, decimals)) => (yuan, Some(decimals)),
        None => (text, None),
    };
    // Groups of three, so that a comma in the place of a point is not read as a thousandfold.
    let grouped = yuan.contains(',');
    let well = yuan.split(',').enumerate().all(|(at, group)| {
        if at == 0 {
            (1..=3).contains(&group.len())
        } else {
            group.len() == 3
        }
    });
    if grouped && !well {
        return None;
    }
    let yuan = yuan.replace(',', "");
    match decimals {
        Some(decimals) => amount(&format!("{yuan}.{decimals}")),
        None => amount(&yuan),
    }
}

/// `xs:date` or `xs:dateTime`: the day that is written, in whatever time zone the bank writes.
pub(super) fn iso_date(text: &str) -> Option<NaiveDate> {
    let (day, rest) = text.split_at_checked(10)?;
    let ends = rest.is_empty() || rest.starts_with(['T', 'Z', '+', '-']);
    let four = day.bytes().take(4).all(|b| b.is_ascii_digit());
    (ends && four).then(|| date(day, '-', '-', "")).flatten()
}

/// As tables have it: `2026-06-01`, `2026/6/1`, `2026.6.1`, `20260601`, `2026年6月1日`, with or
/// without a time.
pub(super) fn shown_date(text: &str) -> Option<NaiveDate> {
    let day = text.split([' ', 'T']).next()?;
    if day.len() == 8 && day.bytes().all(|b| b.is_ascii_digit()) {
        let (year, rest) = day.split_at_checked(4)?;
        let (month, day) = rest.split_at_checked(2)?;
        return NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    }
    date(day, '-', '-', "")
        .or_else(|| date(day, '/', '/', ""))
        .or_else(|| date(day, '.', '.', ""))
        .or_else(|| date(day, '年', '月', "日"))
}

fn date(text: &str, first: char, second: char, end: &str) -> Option<NaiveDate> {
    let text = text.strip_suffix(end)?;
    let (year, rest) = text.split_once(first)?;
    let (month, day) = rest.split_once(second)?;
    let digits = |part: &str, range: std::ops::RangeInclusive<usize>| {
        range.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    };
    if !digits(year, 4..=4) || !digits(month, 1..=2) || !digits(day, 1..=2) {
        return None;
    }
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts() {
        for (text, fen) in [
            ("0", 0),
            ("1500", 150_000),
            ("1500.5", 150_050),
            ("1500.05", 150_005),
            ("1500.00000", 150_000),
            ("0001500.00", 150_000),
            ("9999999999999.99", Fen::MAX.get()),
        ] {
            assert_eq!(amount(text), Fen::new(fen).ok(), "{text}");
        }
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1.001",
            "1e3",
            "1,500",
            "１",
            "99999999999999",
        ] {
            assert_eq!(amount(text), None, "{text}");
        }
    }

    #[test]
    fn shown_amounts() {
        for (text, fen) in [
            ("1,500.00", 150_000),
            ("¥1,234,567.8", 123_456_780),
            ("￥12", 1_200),
            ("1500元", 150_000),
        ] {
            assert_eq!(shown_amount(text), Fen::new(fen).ok(), "{text}");
        }
        for text in [
            "1,5", "1,5000", ",500", "15,00.00", "1,500,", "1500,00", "0001,500", "(1,500)",
        ] {
            assert_eq!(shown_amount(text), None, "{text}");
        }
    }

    #[test]
    fn dates() {
        let day = NaiveDate::from_ymd_opt(2026, 6, 1);
        for text in [
            "2026-06-01",
            "2026-06-01T23:59:59+08:00",
            "2026-06-01+08:00",
            "2026-06-01Z",
        ] {
            assert_eq!(iso_date(text), day, "{text}");
        }
        for text in [
            "2026/6/1",
            "2026-6-1",
            "2026.06.01",
            "20260601",
            "2026年6月1日",
            "2026-06-01 10:00:00",
        ] {
            assert_eq!(shown_date(text), day, "{text}");
        }
        for text in [
            "",
            "2026-02-30",
            "2026-13-01",
            "26-06-01",
            "+026-06-01",
            "06/01/2026",
            "46174",
            "2026年6月1",
        ] {
            assert_eq!(iso_date(text), None, "{text}");
            assert_eq!(shown_date(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_sum_is_read_as_it_is_written(fen in 0..=Fen::MAX.get()) {
            let sum = Fen::new(fen).unwrap();
            prop_assert_eq!(amount(&sum.to_string()), Some(sum));
            prop_assert_eq!(shown_amount(&sum.to_string()), Some(sum));
        }

        #[test]
        fn never_panics(text in ".*") {
            let _ = (amount(&text), shown_amount(&text), iso_date(&text), shown_date(&text));
        }
    }
}
