//! Identifiers without an owner: right in form and check digit, new at every run, so that a demo
//! claim does not repeat one of the last run.

use anyhow::anyhow;
use claims::identifiers::{Gtin13, IdentityNumber, Imei, Vin};
use rand::RngExt;

fn digits(count: usize) -> String {
    let mut rng = rand::rng();
    (0..count)
        .map(|_| char::from(b'0'.saturating_add(rng.random_range(0..10))))
        .collect()
}

/// Letters and digits without those that are easily mistaken.
pub(super) fn tag(count: usize) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPRSTUVWXYZ23456789";
    let mut rng = rand::rng();
    (0..count)
        .filter_map(|_| LETTERS.get(rng.random_range(0..LETTERS.len())))
        .map(|byte| char::from(*byte))
        .collect()
}

/// The first of the candidates that the parser accepts.
fn first_valid(
    candidates: impl IntoIterator<Item = String>,
    valid: impl Fn(&str) -> bool,
) -> anyhow::Result<String> {
    candidates
        .into_iter()
        .find(|candidate| valid(candidate))
        .ok_or_else(|| anyhow!("no check digit fits"))
}

pub(super) fn identity_number() -> anyhow::Result<String> {
    let body = format!("14080219850314{}", digits(3));
    first_valid(
        "0123456789X".chars().map(|check| format!("{body}{check}")),
        |text| IdentityNumber::parse(text).is_ok(),
    )
}

pub(super) fn vin() -> anyhow::Result<String> {
    let (head, tail) = (format!("LSV{}", tag(5)), format!("{}{}", tag(2), digits(6)));
    let matches = |text: &str| Vin::parse(text).is_ok_and(|vin| vin.check_digit_matches());
    first_valid(
        "0123456789X".chars().map(|check| format!("{head}{check}{tail}")),
        matches,
    )
}

pub(super) fn imei() -> anyhow::Result<String> {
    let body = format!("86{}", digits(12));
    first_valid((0..10).map(|check| format!("{body}{check}")), |text| {
        Imei::parse(text).is_ok()
    })
}

pub(super) fn gtin() -> anyhow::Result<String> {
    let body = format!("690{}", digits(9));
    first_valid((0..10).map(|check| format!("{body}{check}")), |text| {
        Gtin13::parse(text).is_ok()
    })
}

/// A fully digital invoice of Shanxi, 2026.
pub(super) fn invoice_number() -> String {
    format!("26142{}", digits(15))
}

pub(super) fn phone() -> String {
    format!("138{}", digits(8))
}

pub(super) fn bank_account() -> String {
    format!("6222{}", digits(15))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_valid() {
        for _ in 0..50 {
            assert!(IdentityNumber::parse(&identity_number().unwrap()).is_ok());
            assert!(Vin::parse(&vin().unwrap()).unwrap().check_digit_matches());
            assert!(Imei::parse(&imei().unwrap()).is_ok());
            assert!(Gtin13::parse(&gtin().unwrap()).is_ok());
            assert!(claims::identifiers::InvoiceNumber::parse(&invoice_number()).is_ok());
        }
    }
}
