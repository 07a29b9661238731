//! Identifiers that are well formed and unique in a process.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{Days, NaiveDate};

const CREDIT_ALPHABET: &[u8] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
const VIN_ALPHABET: &[u8] = b"0123456789ABCDEFGHJKLMNPRSTUVWXYZ";

tokio::task_local! {
    /// The counter of a test that has its own.
    static OWN: AtomicU64;
}

/// A number that no call before returned.
pub fn next() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let take = |count: &AtomicU64| count.fetch_add(1, Ordering::Relaxed);
    OWN.try_with(take).unwrap_or_else(|_| take(&NEXT))
}

/// Runs a test whose numbers begin at one, so that they are the same in every run, with any tests
/// beside it. Its database must be its own, and tasks that it spawns draw from the common counter.
pub async fn from_one<F: Future>(test: F) -> F::Output {
    OWN.scope(AtomicU64::new(1), test).await
}

fn weighted(values: impl Iterator<Item = u64>, weights: &[u64]) -> u64 {
    values.zip(weights).map(|(value, weight)| value * weight).sum()
}

fn digit(byte: u8) -> u64 {
    u64::from(byte - b'0')
}

/// `length` digits of `number` in the base of `alphabet`.
fn spelled(mut number: u64, alphabet: &[u8], length: usize) -> String {
    let base = alphabet.len() as u64;
    let mut text = vec![alphabet[0]; length];
    for place in text.iter_mut().rev() {
        *place = alphabet[(number % base) as usize];
        number /= base;
    }
    String::from_utf8(text).unwrap()
}

/// GB 11643.
pub fn identity_number() -> String {
    let n = next();
    let birth = NaiveDate::from_ymd_opt(1950, 1, 1).unwrap() + Days::new(n / 1_000 % 18_000);
    let body = format!("140802{}{:03}", birth.format("%Y%m%d"), n % 1_000);
    let sum = weighted(
        body.bytes().map(digit),
        &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2],
    );
    format!("{body}{}", b"10X98765432"[(sum % 11) as usize] as char)
}

/// GB 32100.
pub fn credit_code() -> String {
    checked_credit_code(&format!("91140802MA{}X", spelled(next(), CREDIT_ALPHABET, 7)))
}

/// The code with its correct check character.
pub(crate) fn checked_credit_code(code: &str) -> String {
    let body = &code[..17];
    let place = |c| CREDIT_ALPHABET.iter().position(|it| *it == c).unwrap() as u64;
    let weights = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
    let check = (31 - weighted(body.bytes().map(place), &weights) % 31) % 31;
    format!("{body}{}", CREDIT_ALPHABET[check as usize] as char)
}

/// ISO 3779, with a check digit that matches.
pub fn vin() -> String {
    let value = |c: u8| match c {
        b'0'..=b'9' => digit(c),
        b'A'..=b'H' => u64::from(c - b'A') + 1,
        b'J'..=b'N' => u64::from(c - b'J') + 1,
        b'P' => 7,
        b'R' => 9,
        _ => u64::from(c - b'S') + 2,
    };
    let mut text = format!("LSV{}", spelled(next(), VIN_ALPHABET, 14)).into_bytes();
    // The number's leading digits are zeros: its place of the check digit is free.
    text[8] = b'0';
    let sum = weighted(
        text.iter().copied().map(value),
        &[8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2],
    ) % 11;
    text[8] = b"0123456789X"[sum as usize];
    String::from_utf8(text).unwrap()
}

/// Luhn.
pub fn imei() -> String {
    let body = format!("86{:012}", next());
    let sum: u64 = body
        .bytes()
        .map(digit)
        .enumerate()
        .map(|(i, d)| match (i % 2, d) {
            (0, d) => d,
            (_, d) if d > 4 => 2 * d - 9,
            (_, d) => 2 * d,
        })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

/// EAN-13.
pub fn gtin() -> String {
    let body = format!("690{:09}", next());
    let sum: u64 = body
        .bytes()
        .map(digit)
        .enumerate()
        .map(|(i, d)| if i % 2 == 1 { 3 * d } else { d })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

/// An e-invoice of Shanxi of a year.
pub fn invoice_number(year: i32) -> String {
    format!("{:02}142{:015}", year % 100, next())
}

/// Opaque text such as a serial number.
pub fn tag(prefix: &str) -> String {
    format!("{prefix}{:010}", next())
}

pub fn phone() -> String {
    format!("138{:08}", next() % 100_000_000)
}

pub fn plate() -> String {
    format!("晋M{}", spelled(next(), VIN_ALPHABET, 5))
}

#[cfg(test)]
mod tests {
    use claims::identifiers::{
        CreditCode, Gtin13, IdentityNumber, Imei, InvoiceNumber, Phone, PlateNumber, Vin,
    };

    #[test]
    fn every_number_is_well_formed() {
        for _ in 0..500 {
            IdentityNumber::parse(&super::identity_number()).unwrap();
            CreditCode::parse(&super::credit_code()).unwrap();
            assert!(Vin::parse(&super::vin()).unwrap().check_digit_matches());
            Imei::parse(&super::imei()).unwrap();
            Gtin13::parse(&super::gtin()).unwrap();
            InvoiceNumber::parse(&super::invoice_number(2026)).unwrap();
            Phone::parse(&super::phone()).unwrap();
            PlateNumber::parse(&super::plate()).unwrap();
        }
    }
}
