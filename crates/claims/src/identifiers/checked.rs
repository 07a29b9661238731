//! Identifiers with a check digit: GB 32100, GB 11643, ISO 3779, EAN-13 and Luhn.

use chrono::NaiveDate;

use super::{DatePart, IdentifierError, IdentifierKind, identifier, length, mask, only};
use crate::text::model_key;

identifier!(
    /// Unified social credit code of a firm (GB 32100).
    public CreditCode
);
identifier!(
    /// Resident identity number (GB 11643).
    personal IdentityNumber
);
identifier!(
    /// Vehicle identification number (GB 16735, ISO 3779). Parsing tests length and alphabet; the
    /// check digit is a matter for the rules.
    personal Vin
);
identifier!(
    /// The "69 code" on a product's package: EAN-13.
    public Gtin13
);
identifier!(
    /// Device identity of a phone.
    personal Imei
);

const CREDIT_ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
const CREDIT_WEIGHTS: [u32; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
const IDENTITY_WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const IDENTITY_CHECKS: &str = "10X98765432";
const VIN_WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
const VIN_CHECKS: &str = "0123456789X";
const DIGITS: &str = "0123456789";

/// Sum of the values times their weights. At most 17 products of two numbers below 100: it cannot
/// overflow.
fn weighted(values: impl Iterator<Item = u32>, weights: impl IntoIterator<Item = u32>) -> u32 {
    values
        .zip(weights)
        .map(|(value, weight)| value.saturating_mul(weight))
        .fold(0, u32::saturating_add)
}

/// The character of `alphabet` that stands for `value`; every caller reduces `value` below the
/// alphabet's length.
fn symbol(alphabet: &str, value: u32) -> char {
    usize::try_from(value)
        .ok()
        .and_then(|i| alphabet.chars().nth(i))
        .unwrap_or('?')
}

fn digits(text: &str) -> impl Iterator<Item = u32> {
    text.chars().filter_map(|c| c.to_digit(10))
}

/// Refuses `text` unless its last character is `expected`.
fn ends_with(text: &str, kind: IdentifierKind, expected: char) -> Result<(), IdentifierError> {
    if text.ends_with(expected) {
        Ok(())
    } else {
        Err(IdentifierError::CheckDigit {
            kind,
            position: text.chars().count(),
            expected,
        })
    }
}

impl CreditCode {
    pub fn parse(text: &str) -> Result<CreditCode, IdentifierError> {
        let kind = IdentifierKind::CreditCode;
        let text = model_key(text);
        length(&text, kind, |n| n == 18)?;
        only(&text, kind, |c| CREDIT_ALPHABET.contains(c))?;
        let values = text
            .chars()
            .filter_map(|c| CREDIT_ALPHABET.find(c))
            .filter_map(|i| u32::try_from(i).ok());
        let sum = weighted(values, CREDIT_WEIGHTS) % 31;
        ends_with(
            &text,
            kind,
            symbol(CREDIT_ALPHABET, 31_u32.saturating_sub(sum) % 31),
        )?;
        Ok(CreditCode(text))
    }
}

impl IdentityNumber {
    /// The date of birth is checked before the check digit: a wrong date locates the slip more
    /// closely. The area code is not tested, since it is the one of first issue and may have been
    /// abolished.
    pub fn parse(text: &str) -> Result<IdentityNumber, IdentifierError> {
        let kind = IdentifierKind::IdentityNumber;
        let text = model_key(text);
        length(&text, kind, |n| n == 18)?;
        let body: String = text.chars().take(17).collect();
        only(&body, kind, |c| c.is_ascii_digit())?;
        only(&text, kind, |c| c.is_ascii_digit() || c == 'X')?;
        birth_date(&text).map_err(|part| IdentifierError::Date {
            kind,
            part,
            first: 7,
            last: 14,
        })?;
        ends_with(
            &text,
            kind,
            symbol(IDENTITY_CHECKS, weighted(digits(&body), IDENTITY_WEIGHTS) % 11),
        )?;
        Ok(IdentityNumber(text))
    }

    pub fn birth_date(&self) -> NaiveDate {
        birth_date(&self.0).unwrap_or_default()
    }

    /// Such as `1408**********1234`.
    pub fn masked(&self) -> String {
        mask(&self.0, 4, 4)
    }
}

fn birth_date(number: &str) -> Result<NaiveDate, DatePart> {
    let part = |from: usize, count: usize, part: DatePart| {
        let text: String = number.chars().skip(from).take(count).collect();
        text.parse::<u32>().map_err(|_| part)
    };
    let year = i32::try_from(part(6, 4, DatePart::Year)?).map_err(|_| DatePart::Year)?;
    let (month, day) = (part(10, 2, DatePart::Month)?, part(12, 2, DatePart::Day)?);
    if !(1900..=2099).contains(&year) {
        Err(DatePart::Year)
    } else if !(1..=12).contains(&month) {
        Err(DatePart::Month)
    } else {
        NaiveDate::from_ymd_opt(year, month, day).ok_or(DatePart::Day)
    }
}

impl Vin {
    pub fn parse(text: &str) -> Result<Vin, IdentifierError> {
        let kind = IdentifierKind::Vin;
        let text = model_key(text);
        length(&text, kind, |n| n == 17)?;
        only(&text, kind, |c| vin_value(c).is_some())?;
        Ok(Vin(text))
    }

    /// The expected ninth character, if the other sixteen are right: `0` to `9` or `X`.
    pub fn expected_check_digit(&self) -> char {
        symbol(
            VIN_CHECKS,
            weighted(self.0.chars().filter_map(vin_value), VIN_WEIGHTS) % 11,
        )
    }

    pub fn check_digit_matches(&self) -> bool {
        self.0.chars().nth(8) == Some(self.expected_check_digit())
    }

    /// The maker's three characters and the last four.
    pub fn masked(&self) -> String {
        mask(&self.0, 3, 4)
    }
}

fn vin_value(c: char) -> Option<u32> {
    match c {
        '0'..='9' => c.to_digit(10),
        'A' | 'J' => Some(1),
        'B' | 'K' | 'S' => Some(2),
        'C' | 'L' | 'T' => Some(3),
        'D' | 'M' | 'U' => Some(4),
        'E' | 'N' | 'V' => Some(5),
        'F' | 'W' => Some(6),
        'G' | 'P' | 'X' => Some(7),
        'H' | 'Y' => Some(8),
        'R' | 'Z' => Some(9),
        _ => None,
    }
}

impl Gtin13 {
    pub fn parse(text: &str) -> Result<Gtin13, IdentifierError> {
        let kind = IdentifierKind::Gtin13;
        let text = model_key(text);
        length(&text, kind, |n| n == 13)?;
        only(&text, kind, |c| c.is_ascii_digit())?;
        let sum = weighted(digits(&text).take(12), [1, 3].into_iter().cycle()) % 10;
        ends_with(&text, kind, symbol(DIGITS, 10_u32.saturating_sub(sum) % 10))?;
        Ok(Gtin13(text))
    }
}

impl Imei {
    pub fn parse(text: &str) -> Result<Imei, IdentifierError> {
        let kind = IdentifierKind::Imei;
        let text: String = model_key(text).chars().filter(|c| *c != '-').collect();
        length(&text, kind, |n| n == 15)?;
        only(&text, kind, |c| c.is_ascii_digit())?;
        let luhn = digits(&text)
            .take(14)
            .enumerate()
            .map(|(i, digit)| match (i % 2, digit) {
                (0, _) => digit,
                (_, 0..=4) => digit.saturating_mul(2),
                _ => digit.saturating_mul(2).saturating_sub(9),
            });
        let sum = luhn.fold(0, u32::saturating_add) % 10;
        ends_with(&text, kind, symbol(DIGITS, 10_u32.saturating_sub(sum) % 10))?;
        Ok(Imei(text))
    }

    /// The type allocation code and the last two digits.
    pub fn masked(&self) -> String {
        mask(&self.0, 8, 2)
    }
}
