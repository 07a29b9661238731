use serde_json::{Value, json};

use super::*;
use crate::claims::form::{ItemForm, OldItemForm, PayeeForm, SubmitClaim};

fn appliance() -> Value {
    json!({
        "programme": "appliance-2026", "jurisdiction": "140802", "merchant_reference": "YH-1", "channel": "in_store",
        "applicant": {"name": "王建国", "identity_number": "11010519491231002X", "phone": "13800000000"},
        "purchase": {
            "invoice": {"number": "26142000000012345678", "date": "2026-05-01", "total": "4599.00"},
            "final_price": "4599.00", "delivered_on": "2026-05-03"
        },
        "item": {"kind": "appliance", "category": "air_conditioner", "brand": "海尔", "model": "KFR-35GW"},
        "old_item": {"kind": "appliance", "category": "air_conditioner", "collected_on": "2026-05-03"},
        "payee": {"kind": "merchant"}
    })
}

fn with(mut claim: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    claim
        .pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap()
        .insert(name.to_owned(), value);
    claim
}

fn errors(claim: &Value) -> Vec<(String, String)> {
    let errors = read_claim(claim).err().unwrap_or_default();
    errors
        .into_iter()
        .map(|error| (error.pointer, error.code))
        .collect()
}

#[test]
fn a_claim_is_read() {
    let sent = appliance();
    let claim = read_claim(&sent).unwrap();
    assert_eq!(claim.item.category(), "air_conditioner");
    assert_eq!(claim.purchase.final_price.to_string(), "4599.00");
}

#[test]
fn all_errors_come_in_one_answer() {
    let mut claim = with(
        appliance(),
        "/applicant/identity_number",
        json!("110105194912310021"),
    );
    claim = with(claim, "/purchase/invoice/date", json!("2026-02-30"));
    claim = with(claim, "/item/gtin", json!("6901234567890"));
    claim = with(claim, "/old_item/colour", json!("white"));
    claim = with(claim, "/channel", json!("by_post"));
    let found = errors(&claim);
    let pointers: Vec<&str> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(
        pointers,
        [
            "/channel",
            "/applicant/identity_number",
            "/purchase/invoice/date",
            "/item/gtin",
            "/old_item/colour"
        ]
    );
    assert_eq!(found[1].1, "identity-number.check-digit");
}

#[test]
fn no_error_repeats_what_was_sent() {
    let claim = with(
        appliance(),
        "/applicant/identity_number",
        json!("140802198503149999"),
    );
    let errors = read_claim(&claim).unwrap_err();
    assert!(!format!("{errors:?}").contains("140802198503149999"));
}

#[test]
fn a_phone_has_one_imei_or_two() {
    let phone = json!({"kind": "digital", "category": "phone", "brand": "华为", "model": "P"});
    let sent = |imei: Value| with(with(appliance(), "/item", phone.clone()), "/item/imei", imei);
    let count = |claim: &Value| match read_claim(claim).unwrap().item {
        Item::Digital { imeis, .. } => imeis.len(),
        _ => unreachable!(),
    };
    assert_eq!(count(&sent(json!("490154203237518"))), 1);
    assert_eq!(count(&sent(json!(["490154203237518", "356938035643809"]))), 2);
    assert_eq!(errors(&sent(json!(["490154203237519"])))[0].0, "/item/imei/0");
    assert_eq!(
        errors(&with(appliance(), "/item/imei", json!("490154203237518")))[0].1,
        "unknown-field"
    );
}

#[test]
fn every_field_of_the_form_is_read_and_no_other() {
    fn check(schema: &Value, base: Value, at: &str) {
        for name in schema["properties"].as_object().unwrap().keys() {
            // A number is of no field's type: a field that is read complains, one that is not is
            // unknown.
            let found = errors(&with(base.clone(), &format!("{at}/{name}"), json!([[]])));
            assert!(
                !found.iter().any(|(_, code)| code == "unknown-field"),
                "{at}/{name} is not read"
            );
        }
        let found = errors(&with(base, &format!("{at}/nothing"), json!("x")));
        assert!(
            found.contains(&(format!("{at}/nothing"), "unknown-field".into())),
            "{at} takes anything"
        );
    }
    let object =
        |schema: utoipa::openapi::RefOr<utoipa::openapi::Schema>| serde_json::to_value(schema).unwrap();
    check(&object(SubmitClaim::schema()), appliance(), "");
    check(
        &object(crate::claims::form::ApplicantForm::schema()),
        appliance(),
        "/applicant",
    );
    check(
        &object(crate::claims::form::PurchaseForm::schema()),
        appliance(),
        "/purchase",
    );
    check(
        &object(crate::claims::form::InvoiceForm::schema()),
        appliance(),
        "/purchase/invoice",
    );
    for (schema, at) in [
        (object(ItemForm::schema()), "/item"),
        (object(OldItemForm::schema()), "/old_item"),
        (object(PayeeForm::schema()), "/payee"),
    ] {
        for variant in schema["oneOf"].as_array().unwrap() {
            let kind = &variant["properties"]["kind"]["enum"][0];
            check_kind(variant, kind, at);
        }
    }

    fn check_kind(variant: &Value, kind: &Value, at: &str) {
        let base = with(appliance(), at, json!({"kind": kind}));
        for name in variant["properties"]
            .as_object()
            .unwrap()
            .keys()
            .filter(|name| *name != "kind")
        {
            let found = errors(&with(base.clone(), &format!("{at}/{name}"), json!([[]])));
            assert!(
                !found.iter().any(|(_, code)| code == "unknown-field"),
                "{at} {kind} {name} is not read"
            );
        }
    }
    assert_eq!(<SubmitClaim as utoipa::ToSchema>::name(), "SubmitClaim");
}
