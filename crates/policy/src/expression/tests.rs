use chrono::Datelike;
use proptest::prelude::*;
use zen_expression::Variable;
use zen_expression::variable::VariableMap;

use super::*;
use crate::facts::Value;
use crate::schema::{
    ITEM_KIND, OLD_FIRST_REGISTERED_ON, OLD_GIVEN, PURCHASE_FINAL_PRICE, PURCHASE_GOODS_NAME,
    PURCHASE_INVOICE_DATE, PURCHASE_PAID,
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
    assert_eq!(compiled.holds(&facts), expected, "{source}");
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
    for (source, expected) in [
        ("purchase.final_price + purchase.final_price > 1", None),
        ("purchase.invoice_date > d('2026-01-01')", Some(true)),
    ] {
        let compiled = Compiled::new(source, Wanted::Bool, &categories()).unwrap();
        assert_eq!(compiled.holds(&facts), expected, "{source}");
    }
}

/// Evaluates with zen-expression itself, dates as numbers of days.
fn by_zen(source: &str, facts: &Facts) -> Option<bool> {
    let day = |date: NaiveDate| date.num_days_from_ce();
    let mut counted = source.to_owned();
    while let Some((before, rest)) = counted.split_once("d('") {
        let (date, after) = rest.split_once("')").unwrap();
        counted = format!("{before}{}{after}", day(date.parse().unwrap()));
    }
    let mut groups: Vec<(&str, VariableMap)> = Vec::new();
    for (path, value) in facts.iter() {
        let (group, name) = path.split_once('.').unwrap();
        let value = match value {
            Value::Decimal(number) => Variable::Number(*number),
            Value::Date(date) => Variable::Number(day(*date).into()),
            Value::Text(text) => Variable::String(text.as_str().into()),
            Value::Bool(answer) => Variable::Bool(*answer),
        };
        if groups.last().is_none_or(|(last, _)| *last != group) {
            groups.push((group, VariableMap::new()));
        }
        groups.last_mut().unwrap().1.insert(Variable::key(name), value);
    }
    let mut root = VariableMap::new();
    for (group, members) in groups {
        root.insert(Variable::key(group), Variable::from_object(members));
    }
    let code = zen_expression::compile_expression(&counted).unwrap();
    code.evaluate(Variable::from_object(root)).unwrap().as_bool()
}

fn day() -> impl Strategy<Value = NaiveDate> {
    (2012..2015_i32, 1..=12_u32, 1..=28_u32)
        .prop_map(|(year, month, day)| NaiveDate::from_ymd_opt(year, month, day).unwrap())
}

/// A comparison of every form that a rule may take.
fn comparison() -> impl Strategy<Value = String> {
    let how = || proptest::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let like = || proptest::sample::select(vec!["==", "!="]);
    let word = || proptest::sample::select(vec!["appliance", "digital", "vehicle"]);
    let number = || (-200..200_i32).prop_map(|cents| Decimal::new(cents.into(), 1).to_string());
    prop_oneof![
        (how(), number()).prop_map(|(how, number)| format!("purchase.final_price {how} {number}")),
        (how(), number())
            .prop_map(|(how, number)| format!("purchase.final_price + purchase.paid {how} {number}")),
        (how(), number())
            .prop_map(|(how, number)| format!("{number} {how} purchase.final_price - (purchase.paid - 1)")),
        (how(), day()).prop_map(|(how, day)| format!("old.first_registered_on {how} d('{day}')")),
        how().prop_map(|how| format!("old.first_registered_on {how} purchase.invoice_date")),
        (like(), word()).prop_map(|(how, word)| format!("item.kind {how} '{word}'")),
        (proptest::bool::ANY, word(), word()).prop_map(|(is, one, other)| format!(
            "item.kind {} ['{one}', '{other}']",
            if is { "in" } else { "not in" }
        )),
        "[a-c]{1,2}".prop_map(|part| format!("contains(purchase.goods_name, '{part}')")),
        "[a-c]{1,2}".prop_map(|part| format!("startsWith(purchase.goods_name, '{part}')")),
        Just("old.given".to_owned()),
        like().prop_map(|how| format!("old.given {how} true")),
    ]
}

proptest! {
    #[test]
    fn what_is_known_is_what_zen_expression_says(
        comparisons in proptest::collection::vec((comparison(), proptest::bool::ANY, proptest::bool::ANY), 1..5),
        registered in day(), invoiced in day(),
        price in -200..200_i64, paid in -200..200_i64,
        name in "[a-c]{0,4}", kind in proptest::sample::select(vec!["appliance", "digital", "vehicle"]), given: bool,
    ) {
        let mut facts = Facts::new();
        facts
            .put(OLD_FIRST_REGISTERED_ON, registered)
            .put(PURCHASE_INVOICE_DATE, invoiced)
            .put(PURCHASE_FINAL_PRICE, Decimal::new(price, 1))
            .put(PURCHASE_PAID, Decimal::new(paid, 1))
            .put(PURCHASE_GOODS_NAME, name)
            .put(ITEM_KIND, kind)
            .put(OLD_GIVEN, given);
        let mut source = String::new();
        for (comparison, and, not) in comparisons {
            if !source.is_empty() {
                source.push_str(if and { " and " } else { " or " });
            }
            source.push_str(&if not { format!("not ({comparison})") } else { comparison });
        }
        let compiled = Compiled::new(&source, Wanted::Bool, &categories());
        let compiled = compiled.map_err(|faults| TestCaseError::fail(format!("{source}: {faults:?}")))?;
        prop_assert_eq!(compiled.holds(&facts), by_zen(&source, &facts), "{}", source);
    }
}

#[test]
fn only_like_is_compared_with_like() {
    refuse("purchase.goods_name + 'x' == 'ax'", 0, "like with like");
    refuse("(old.given and old.given) == true", 1, "joined by");
    refuse("contains(['appliance'], item.kind)", 9, "joined by");
}
