//! The claims of the load: one for each number, with natural keys of its own, and valid by every
//! rule.
//!
//! A claim is an air conditioner of the demo's registers, sold by one of the demo's merchants. Its
//! person, entitlement, invoice and serial number follow from its number, so that the entitlements
//! can be put on file before the load begins and processes agree by ranges of numbers alone. Text
//! is written into a reused buffer, without a JSON library.

use std::io::Write;

/// Programme of every claim.
pub(crate) const PROGRAMME: &str = "appliance-2026";
/// The model that is sold.
pub(crate) const CATEGORY: &str = "air_conditioner";
/// 15 per cent of 3,899 yuan, in fen.
pub(crate) const SUBSIDY_FEN: i64 = 58_485;
/// The county that has half of all claims, or all of them.
pub(crate) const LARGE_COUNTY: &str = "140802";

/// The jurisdiction whose caps count all counties together.
pub(crate) const CITY: &str = "140800";

/// The other counties and the zone.
const OTHERS: [&str; 13] = [
    "140821",
    "140822",
    "140823",
    "140824",
    "140825",
    "140826",
    "140827",
    "140828",
    "140829",
    "140830",
    "140881",
    "140882",
    "140802404",
];

/// Where claims are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spread {
    /// Over all fourteen counties, half of them in the largest.
    Counties,
    /// All in the largest.
    One,
}

impl Spread {
    pub(crate) fn county(self, number: u64) -> &'static str {
        if self == Self::One || number.is_multiple_of(2) {
            return LARGE_COUNTY;
        }
        let at = (number / 2) as usize % OTHERS.len();
        OTHERS.get(at).copied().unwrap_or(LARGE_COUNTY)
    }
}

/// All fourteen.
pub(crate) fn counties() -> impl Iterator<Item = &'static str> {
    std::iter::once(LARGE_COUNTY).chain(OTHERS)
}

/// The caps over a claim in a county: jurisdiction and scope of each.
pub(crate) fn caps(county: &str) -> [(&str, String); 3] {
    [
        (county, "whole".to_owned()),
        (county, format!("category:{CATEGORY}")),
        (CITY, "whole".to_owned()),
    ]
}

/// A person's identity number with its check digit (GB 11643): 20 areas, 50 years, the first 28
/// days of each month, 1,000 a day, so that 336 million are different.
pub(crate) fn identity_number(number: u64) -> [u8; 18] {
    let (day, area) = (number / 1_000 % 16_800, number / 16_800_000 % 20);
    let (year, month, day) = (1950 + day / 336, day % 336 / 28 + 1, day % 28 + 1);
    let mut text = [b'0'; 18];
    let written = write!(
        text.as_mut_slice(),
        "{:06}{year:04}{month:02}{day:02}{:03}",
        140_801 + area,
        number % 1_000
    );
    debug_assert!(written.is_ok());
    const WEIGHTS: [u64; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let digits = text.iter().map(|digit| u64::from(digit.wrapping_sub(b'0')));
    let sum: u64 = digits.zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    if let (Some(last), Some(check)) = (text.last_mut(), b"10X98765432".get((sum % 11) as usize)) {
        *last = *check;
    }
    text
}

/// The code of the entitlement that a claim uses up.
pub(crate) fn entitlement(number: u64) -> String {
    format!("QYB{number:012}")
}

/// The merchant's reference of the claim.
pub(crate) fn merchant_reference(number: u64) -> String {
    format!("B-{number:012}")
}

/// Appends the claim's body.
pub(crate) fn write_body(into: &mut Vec<u8>, number: u64, spread: Spread) {
    let county = spread.county(number);
    let identity = identity_number(number);
    let identity = std::str::from_utf8(&identity).unwrap_or_default();
    // Writing to memory does not fail.
    let _ = write!(
        into,
        concat!(
            r#"{{"programme":"appliance-2026","jurisdiction":"{county}","merchant_reference":"B-{number:012}","#,
            r#""channel":"in_store","applicant":{{"name":"王建国","identity_number":"{identity}","phone":"138{phone:08}"}},"#,
            r#""purchase":{{"invoice":{{"number":"26142{number:015}","date":"2026-06-01","total":"3899.00","#,
            r#""buyer_name":"王建国","goods_name":"空调"}},"list_price":"3899.00","final_price":"3899.00","paid":"3314.15","#,
            r#""payer_name":"王建国","consignee_name":"王建国","delivery_address":"山西省运城市盐湖区解放北路100号","#,
            r#""delivered_on":"2026-06-01"}},"item":{{"kind":"appliance","category":"air_conditioner","brand":"格力","#,
            r#""model":"KFR-35GW/NhAa1BAj","serial_number":"SN{number:012}","gtin":"6901234567892","#,
            r#""efficiency_label":"20241001-471100-92391729144470001"}},"old_item":{{"kind":"appliance","#,
            r#""category":"air_conditioner","collector":"91140802MA24QER27F","collected_on":"2026-06-01"}},"#,
            r#""entitlement":"QYB{number:012}","payee":{{"kind":"merchant"}}}}"#
        ),
        county = county,
        number = number,
        identity = identity,
        phone = number % 100_000_000,
    );
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use claims::identifiers::{EntitlementCode, Gtin13, IdentityNumber, InvoiceNumber};

    use super::*;

    #[test]
    fn every_number_is_well_formed_and_another_person() {
        let mut seen = BTreeSet::new();
        for number in (0..400_000_000).step_by(39_983) {
            let identity = identity_number(number);
            let identity = std::str::from_utf8(&identity).unwrap();
            IdentityNumber::parse(identity).unwrap();
            EntitlementCode::parse(&entitlement(number)).unwrap();
            InvoiceNumber::parse(&format!("26142{number:015}")).unwrap();
            if number < 336_000_000 {
                assert!(seen.insert(identity.to_owned()), "{number}");
            }
        }
        Gtin13::parse("6901234567892").unwrap();
    }

    #[test]
    fn a_body_is_json_of_the_usual_size() {
        let mut body = Vec::new();
        write_body(&mut body, 7, Spread::Counties);
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(value["entitlement"], entitlement(7).as_str());
        assert!((900..1_400).contains(&body.len()), "{}", body.len());
    }

    #[test]
    fn half_of_all_are_in_the_largest_county() {
        let large = (0..1_000).filter(|number| Spread::Counties.county(*number) == LARGE_COUNTY);
        assert_eq!(large.count(), 500);
        let all = (0..1_000)
            .map(|number| Spread::Counties.county(number))
            .collect::<BTreeSet<_>>();
        assert_eq!(all, counties().collect());
    }
}
