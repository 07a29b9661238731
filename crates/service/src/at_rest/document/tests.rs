use claims::claim::{Claim, Item};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{DocumentError, masked, read, revealed, write};

/// One claim of every kind as version 1 wrote it. A change that breaks these lines breaks every document at rest.
const VERSION_1: &str = include_str!("v1.jsonl");

fn example(line: usize) -> Claim {
    read(VERSION_1.lines().nth(line).unwrap().as_bytes()).unwrap()
}

#[test]
fn version_1_is_frozen() {
    for line in VERSION_1.lines() {
        let claim = read(line.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(write(&claim)).unwrap(), line);
    }
    let kinds = VERSION_1
        .lines()
        .map(|line| read(line.as_bytes()).unwrap().item.kind())
        .collect::<Vec<_>>();
    assert_eq!(kinds, ["appliance", "digital", "vehicle", "vehicle"]);
}

#[test]
fn revealed_is_the_claim_as_the_wire_has_it() {
    for line in VERSION_1.lines() {
        let document: Value = serde_json::from_str(line).unwrap();
        assert_eq!(revealed(&read(line.as_bytes()).unwrap()), document["claim"]);
    }
    let mut phone = example(1);
    let Item::Digital { imeis, .. } = &mut phone.item else {
        panic!("not digital")
    };
    imeis.truncate(1);
    assert_eq!(revealed(&phone)["item"]["imei"], json!("861318609139096"));
}

#[test]
fn masked_shows_no_personal_data() {
    let appliance = masked(&example(0));
    assert_eq!(
        appliance["applicant"],
        json!({"name": "王**", "identity_number": "1408**********3315", "phone": "138****1234"})
    );
    assert_eq!(appliance["purchase"]["invoice"]["buyer_name"], "王**");
    assert_eq!(appliance["purchase"]["payer_name"], "王**");
    assert_eq!(appliance["purchase"]["consignee_name"], "王**");
    assert_eq!(appliance["purchase"]["delivery_address"], "山西省运城市盐湖区***");
    assert_eq!(appliance["purchase"]["invoice"]["number"], "26142000000012345678");
    assert_eq!(appliance["item"], revealed(&example(0))["item"]);

    for line in 0..4 {
        let (plain, shown) = (revealed(&example(line)), masked(&example(line)).to_string());
        let personal = [
            "/applicant/name",
            "/applicant/identity_number",
            "/applicant/phone",
            "/purchase/delivery_address",
            "/item/vin",
            "/item/imei/0",
            "/item/imei/1",
            "/old_item/vin",
            "/old_item/plate",
            "/old_item/owner_identity_number",
            "/payee/bank_account",
        ];
        for pointer in personal {
            if let Some(value) = plain.pointer(pointer).and_then(Value::as_str) {
                assert!(!shown.contains(value), "{pointer} of example {line} is shown");
            }
        }
    }
    let car = masked(&example(2));
    assert!(car["old_item"]["vin"].as_str().unwrap().ends_with("TAM9"));
    assert!(car["payee"]["bank_account"].as_str().unwrap().ends_with("0123"));
    assert_eq!(car["payee"]["bank_name"], "中国工商银行运城分行");
}

#[test]
fn what_cannot_be_read_is_named_and_not_quoted() {
    let good = VERSION_1.lines().next().unwrap();
    let broken = |from: &str, to: &str| {
        assert!(good.contains(from));
        read(good.replace(from, to).as_bytes()).unwrap_err()
    };
    assert_eq!(broken(r#"{"v":1"#, r#"{"v":2"#), DocumentError::Version(2));
    assert_eq!(
        broken("140802198503143315", "140802198503143316"),
        DocumentError::Field("applicant.identity_number")
    );
    assert_eq!(broken("in_store", "by_post"), DocumentError::Field("channel"));
    assert_eq!(
        broken(r#""4599.00","buyer"#, r#""4599","buyer"#),
        DocumentError::Field("purchase.invoice.total")
    );
    for (from, to) in [
        ("2026-05-01", "2026-05-32"),
        (r#""payee":{"#, r#""payee":{"iban":"x","#),
        (r#""programme""#, r#""program""#),
        (r#""kind":"merchant""#, r#""kind":"王建国""#),
    ] {
        let error = broken(from, to);
        assert!(matches!(error, DocumentError::Malformed { .. }), "{error}");
        assert!(!error.to_string().contains("王建国"));
    }
    assert!(matches!(read(b"\xff"), Err(DocumentError::Malformed { .. })));
    let with_imei = good.replace(r#""gtin""#, r#""imei":["861318609139096"],"gtin""#);
    assert_eq!(read(with_imei.as_bytes()), Err(DocumentError::Field("item.imei")));
}

proptest! {
    /// Free text and options in any mixture survive, for every kind of item.
    #[test]
    fn round_trips(
        line in 0_usize..4,
        model in "\\PC{1,40}",
        bank in "\\PC{1,40}",
        goods_name in proptest::option::of("\\PC{1,40}"),
        name in "[a-zA-Z\u{4e00}-\u{9fa5}]{1,20}(·[\u{4e00}-\u{9fa5}]{1,20})?",
        total in 0_i64..=1_000_000_000_000_000,
        bare in any::<bool>(),
    ) {
        let mut claim = example(line);
        claim.purchase.invoice.goods_name = goods_name;
        claim.purchase.invoice.total = ledger::Fen::new(total).unwrap();
        claim.applicant.name = claims::identifiers::PersonName::parse(&name).unwrap();
        if bare {
            claim.old_item = None;
            claim.entitlement = None;
            claim.purchase.delivery_address = None;
            claim.purchase.paid = None;
        }
        match &mut claim.item {
            Item::Appliance(goods) | Item::Digital { goods, .. } => goods.model = model,
            Item::Vehicle(vehicle) => vehicle.model = model,
        }
        if let claims::claim::Payee::Applicant { bank_name, .. } = &mut claim.payee {
            *bank_name = bank;
        }
        prop_assert_eq!(read(&write(&claim)).unwrap(), claim);
    }

    #[test]
    fn reading_never_panics(text in ".*") {
        let _ = read(text.as_bytes());
    }
}
