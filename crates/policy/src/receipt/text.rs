//! The parts of a receipt as text.
//!
//! JSON whose objects are in the order of their keys and that has no numbers but small integers is
//! canonical already (RFC 8785), since `serde_json` escapes as the standard does; [`super::read`]
//! compares a receipt with a canonicalizer's output where its text does not come out again. A
//! claim's receipt writes some hundred values, so they are written without a format each.

use std::borrow::Cow;

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;

use crate::decision::{Price, RuleOutcome};
use crate::facts::Value;
use crate::schema::Fact;

/// Facts by path, in the order of their paths.
pub(super) fn facts<'f>(out: &mut String, facts: impl Iterator<Item = (&'static Fact, &'f Value)>) {
    out.push('{');
    let mut first = true;
    for (known, value) in facts {
        if !first {
            out.push(',');
        }
        first = false;
        out.push_str(known.member);
        fact(out, value);
    }
    out.push('}');
}

/// Facts that the service found, by name.
fn found(out: &mut String, facts: &[(Cow<'static, str>, Value)]) {
    out.push('{');
    for (index, (name, value)) in facts.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        quoted(out, name);
        out.push(':');
        fact(out, value);
    }
    out.push('}');
}

/// Rules, comma-separated.
pub(super) fn rules(out: &mut String, rules: &[RuleOutcome]) {
    let mut before = "{\"facts\":";
    for rule in rules {
        out.push_str(before);
        match rule.facts.of_claim() {
            Some(known) => facts(out, known),
            None => found(out, rule.facts.found()),
        }
        out.push_str(",\"id\":");
        quoted(out, &rule.id);
        out.push_str(",\"outcome\":\"");
        out.push_str(rule.outcome.as_str());
        out.push_str("\"}");
        before = ",{\"facts\":";
    }
}

pub(super) fn subsidy(out: &mut String, price: Option<&Price>) {
    let Some(price) = price else {
        out.push_str("null");
        return;
    };
    let mut member = |name: &str, number: Option<Decimal>| {
        out.push_str(name);
        match number {
            None => out.push_str("null"),
            Some(number) => {
                out.push('"');
                decimal(out, number);
                out.push('"');
            }
        }
    };
    member("{\"amount\":", Some(price.amount));
    member(",\"base\":", Some(price.base));
    member(",\"rate\":", price.rate);
    member(",\"uncapped\":", Some(price.uncapped));
    out.push('}');
}

/// A JSON string.
pub(super) fn quoted(out: &mut String, text: &str) {
    if text
        .bytes()
        .any(|byte| byte < b' ' || byte == b'"' || byte == b'\\')
    {
        out.push_str(&serde_json::to_string(text).unwrap_or_default());
    } else {
        out.push('"');
        out.push_str(text);
        out.push('"');
    }
}

/// As [`Value::to_json`].
fn fact(out: &mut String, value: &Value) {
    match value {
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Text(text) => quoted(out, text),
        Value::Decimal(number) => {
            out.push('"');
            decimal(out, *number);
            out.push('"');
        }
        Value::Date(day) => {
            out.push('"');
            date(out, *day);
            out.push('"');
        }
    }
}

/// As its `Display`.
fn decimal(out: &mut String, number: Decimal) {
    if number.is_sign_negative() {
        out.push('-');
    }
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(number.mantissa().unsigned_abs());
    let decimals = usize::try_from(number.scale()).unwrap_or(0);
    if decimals == 0 {
        out.push_str(digits);
        return;
    }
    let (whole, rest) = match digits.len().checked_sub(decimals) {
        Some(point) => digits.split_at(point),
        None => ("", digits),
    };
    out.push_str(if whole.is_empty() { "0" } else { whole });
    out.push('.');
    for _ in rest.len()..decimals {
        out.push('0');
    }
    out.push_str(rest);
}

/// As its `Display`: ISO 8601.
fn date(out: &mut String, day: NaiveDate) {
    let Some(year) = u32::try_from(day.year()).ok().filter(|year| *year <= 9_999) else {
        out.push_str(&day.to_string());
        return;
    };
    digits(out, year, 1_000);
    out.push('-');
    digits(out, day.month(), 10);
    out.push('-');
    digits(out, day.day(), 10);
}

/// As many digits as the unit has.
fn digits(out: &mut String, number: u32, mut unit: u32) {
    while let Some(digit) = number.checked_div(unit) {
        out.push(char::from_digit(digit.checked_rem(10).unwrap_or(0), 10).unwrap_or('0'));
        unit = unit.checked_div(10).unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(value: &Value) -> String {
        let mut text = String::new();
        fact(&mut text, value);
        text
    }

    proptest! {
        #[test]
        fn a_value_is_written_as_json_has_it(mantissa: i128, scale in 0..=28_u32, days in -1_000_000..4_000_000_i32, text: String) {
            let number = Decimal::from_i128_with_scale(mantissa >> 32, scale);
            let small = Decimal::from_i128_with_scale(mantissa >> 100, scale);
            let day = NaiveDate::from_num_days_from_ce_opt(days).unwrap();
            for value in [Value::Decimal(number), Value::Decimal(small), Value::Date(day), Value::Text(text)] {
                prop_assert_eq!(written(&value), value.to_json().to_string());
            }
        }
    }

    #[test]
    fn nought_has_its_decimals_and_its_sign() {
        for number in ["0", "0.00", "-0.00", "-0.05", "0.5", "12.30"] {
            let value = Value::Decimal(number.parse().unwrap());
            assert_eq!(written(&value), value.to_json().to_string());
        }
    }
}
