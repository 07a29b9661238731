use super::*;
use crate::schema::{
    ITEM_KIND, OLD_FIRST_REGISTERED_ON, PURCHASE_FINAL_PRICE, PURCHASE_GOODS_NAME, PURCHASE_INVOICE_DATE,
};

fn categories() -> Vec<String> {
    vec!["refrigerator".to_owned(), "television".to_owned()]
}

fn sample() -> Facts {
    let mut facts = Facts::new();
    facts
        .put(
            OLD_FIRST_REGISTERED_ON,
            NaiveDate::from_ymd_opt(2013, 6, 30).unwrap(),
        )
        .put(PURCHASE_FINAL_PRICE, Decimal::new(459_900, 2))
        .put(PURCHASE_GOODS_NAME, "空调 一台")
        .put(ITEM_KIND, "appliance");
    facts
}

#[track_caller]
fn check(source: &str, expected: Option<bool>) {
    let compiled = Compiled::new(source, Wanted::Bool, &categories()).unwrap();
    let facts = sample();
    assert_eq!(
        compiled.holds(&mut Environment::new(facts.clone())),
        expected,
        "{source}"
    );
}

#[track_caller]
fn refuse(source: &str, offset: usize, message: &str) {
    let faults = Compiled::new(source, Wanted::Bool, &categories()).unwrap_err();
    assert!(
        faults
            .iter()
            .any(|fault| fault.offset == offset && fault.message.contains(message)),
        "{source}: {faults:?}"
    );
}

#[test]
fn dates_compare_exactly() {
    check("old.first_registered_on <= d('2013-06-30')", Some(true));
    check("old.first_registered_on < d('2013-06-30')", Some(false));
    check("old.first_registered_on >= d('2013-07-01')", Some(false));
    check(
        "d('2012-12-31') < old.first_registered_on and old.first_registered_on < d('2014-01-01')",
        Some(true),
    );
    check("old.first_registered_on == d('2013-06-30')", Some(true));
}

#[test]
fn money_compares_exactly() {
    check("purchase.final_price == 4599", Some(true));
    check("purchase.final_price < 4599.01", Some(true));
    check("purchase.final_price - 0.01 == 4598.99", Some(true));
}

#[test]
fn three_valued() {
    check("purchase.invoice_date >= d('2026-01-01')", None);
    check(
        "item.kind == 'appliance' or purchase.invoice_date >= d('2026-01-01')",
        Some(true),
    );
    check(
        "purchase.invoice_date >= d('2026-01-01') or item.kind == 'appliance'",
        Some(true),
    );
    check(
        "item.kind == 'vehicle' and purchase.invoice_date >= d('2026-01-01')",
        Some(false),
    );
    check(
        "purchase.invoice_date >= d('2026-01-01') and item.kind == 'vehicle'",
        Some(false),
    );
    check(
        "purchase.invoice_date >= d('2026-01-01') and item.kind == 'appliance'",
        None,
    );
    check("not (item.kind == 'vehicle' and old.given)", Some(true));
    check("not old.given", None);
}

#[test]
fn words_and_lists() {
    check("item.kind in ['digital', 'appliance']", Some(true));
    check("item.kind not in ['digital', 'vehicle']", Some(true));
    check("contains(purchase.goods_name, '空调')", Some(true));
    check("not contains(purchase.goods_name, '空调')", Some(false));
}

#[test]
fn unknown_facts_and_types_are_found_where_they_stand() {
    refuse("label.grade == 1 and label.gradee == 1", 21, "gradee");
    refuse("labels.grade == 1", 0, "unknown fact `labels.grade`");
    refuse(
        "purchase.invoice_date <= purchase.final_price",
        0,
        "cannot be applied",
    );
    refuse("label.grade == 'one'", 0, "always");
    refuse("old.first_registered_on <= 20130630", 0, "cannot be applied");
    refuse("purchase.final_price", 0, "must be a `bool`");
    refuse("item.kind == 'applianze'", 0, "applianze");
    refuse("item.kind in ['appliance', 'applianze']", 27, "applianze");
    refuse("item.category in ['refrigerator', 'fridge']", 34, "fridge");
    refuse("item.category", 0, "must be a `bool`");
    refuse("label.grade = 1", 0, "");
    refuse("label.grade == ", 14, "end");
}

#[test]
fn what_is_not_a_function_of_the_facts_is_refused() {
    refuse("purchase.invoice_date <= d()", 25, "like this");
    refuse("purchase.invoice_date <= d('2026-02-30')", 25, "not a date");
    refuse("purchase.invoice_date <= d('2026-2-3')", 25, "not a date");
    refuse("rand(10) > 5", 0, "like this");
    refuse("purchase.final_price * 2 > 5", 0, "do not use");
    refuse("purchase.final_price / 0 > 5", 0, "do not use");
    refuse("purchase.invoice_date.year() > 5", 0, "rules are");
}

#[test]
fn numbers_out_of_all_bounds_are_unknown_and_any_date_compares() {
    let mut facts = Facts::new();
    facts
        .put(PURCHASE_FINAL_PRICE, Decimal::MAX)
        .put(PURCHASE_INVOICE_DATE, NaiveDate::MAX);
    let mut environment = Environment::new(facts.clone());
    for (source, expected) in [
        ("purchase.final_price + purchase.final_price > 1", None),
        ("purchase.invoice_date > d('2026-01-01')", Some(true)),
    ] {
        let compiled = Compiled::new(source, Wanted::Bool, &categories()).unwrap();
        assert_eq!(compiled.holds(&mut environment), expected, "{source}");
    }
}
