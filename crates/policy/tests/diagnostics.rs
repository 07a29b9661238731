//! A faulty document is refused, with the line and column of each fault.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used)]

use std::path::PathBuf;

use policy::{Diagnostic, Programme, check_overlap, in_force};

fn document() -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../seeds/programmes/appliance-2026.toml");
    std::fs::read_to_string(path).unwrap()
}

/// Replaces `from` by `to` once and expects a diagnostic at the `|` of `to`, which is left out of
/// the document.
#[track_caller]
fn refuse(from: &str, to: &str, message: &str) {
    let source = document();
    assert!(source.contains(from), "`{from}` is not in the document");
    let start = source.find(from).unwrap();
    let mark = start + to.find('|').expect("mark the place with |");
    let changed = source.replacen(from, &to.replace('|', ""), 1);
    let before = &changed[..mark];
    let line = before.lines().count().max(1) + usize::from(before.ends_with('\n'));
    let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
    let faults: Vec<Diagnostic> = Programme::parse(&changed).expect_err("should be refused");
    assert!(
        faults
            .iter()
            .any(|it| (it.line, it.column) == (line, column) && it.message.contains(message)),
        "expected {line}:{column}: {message}, found {faults:#?}"
    );
}

#[test]
fn expressions() {
    refuse("\"label.grade == 1\"", "\"|label.grad == 1\"", "grad");
    refuse(
        "\"label.grade == 1\"",
        "\"|labels.grade == 1\"",
        "unknown fact `labels.grade`",
    );
    refuse("\"label.grade == 1\"", "\"|label.grade == 'one'\"", "always");
    refuse(
        "\"label.grade == 1\"",
        "\"label.grade == 1 and |item.kind == 'car'\"",
        "car",
    );
    refuse("\"label.grade == 1\"", "\"|label.grade\"", "must be a `bool`");
    refuse(
        "\"label.grade == 1\"",
        "\"purchase.invoice_date <= |d('2026-02-30')\"",
        "not a date",
    );
    refuse(
        "\"label.grade == 1\"",
        "\"\"\"\n  |labels.grade == 1\"\"\"",
        "unknown fact",
    );
    refuse(
        "base = \"purchase.final_price\"",
        "base = \"|purchase.invoice_date\"",
        "must be a `number`",
    );
}

#[test]
fn shape() {
    refuse(
        "correction_days = 15",
        "|correction_day = 15",
        "unknown field `correction_day`",
    );
    refuse("correction_days = 15", "correction_days = |0", "1 to 365");
    refuse(
        "effective_from = 2026-01-01",
        "effective_from = |2026-01-01T00:00:00",
        "is not a date",
    );
    refuse("version = 1", "version = |'1'", "invalid type");
}

#[test]
fn dates_that_do_not_exist() {
    let changed = document().replacen("from = 2026-01-01\nuntil", "from = 2026-02-30\nuntil", 1);
    let faults = Programme::parse(&changed).unwrap_err();
    let line = 1 + changed[..changed.find("2026-02-30").unwrap()]
        .matches('\n')
        .count();
    assert_eq!(faults[0].line, line, "{faults:?}");
}

#[test]
fn rules() {
    refuse(
        "id = \"efficiency-grade\"",
        "id = |\"category\"",
        "duplicate rule id `category`",
    );
    refuse("id = \"efficiency-grade\"", "id = |\"Grade\"", "a-z");
    refuse(
        "require = \"label.grade == 1\"\nfinal = true",
        "require = \"label.grade == 1\"\n|finale = true",
        "unknown field",
    );
    refuse("id = \"quota\"", "id = |\"quotas\"", "decides no rule `quotas`");
    refuse(
        "clause = \"山西省家电和数码产品公告（2026年1月9日）\"\nrequire",
        "clause = |\" \"\nrequire",
        "cite",
    );
    refuse(
        "message = { zh = \"能效或水效须为1级\"",
        "message = |{ zh = \"\"",
        "zh and en",
    );
}

#[test]
fn a_missing_clause_or_message_or_severity() {
    for (field, expected) in [
        ("clause", "missing field `clause`"),
        ("message", "missing field `message`"),
        ("final", "exactly one of"),
    ] {
        let source = document();
        let start = source.find("id = \"efficiency-grade\"").unwrap();
        let (before, rule) = source.split_at(start);
        let line = rule.lines().find(|line| line.starts_with(field)).unwrap();
        let changed = format!("{before}{}", rule.replacen(&format!("{line}\n"), "", 1));
        let faults = Programme::parse(&changed).unwrap_err();
        let at = 1 + before.matches('\n').count();
        assert!(
            faults
                .iter()
                .any(|it| it.message.contains(expected) && (at - 1..=at).contains(&it.line)),
            "{field}: {faults:?}"
        );
    }
}

#[test]
fn tiers() {
    let tier = "\n[[subsidy.tier]]\nbase = \"purchase.final_price\"\nrate = \"0.10\"\n";
    let all = "[[subsidy.tier]]\nwhen = \"item.category in ['refrigerator', 'washing_machine', 'television', 'air_conditioner', 'water_heater', 'computer']\"";
    refuse(
        all,
        &format!("{tier}\n[[subsidy.tier]]\nwhen = |\"item.category == 'computer'\""),
        "unreachable tier",
    );
    refuse(
        all,
        "[[subsidy.tier]]\nwhen = |\"label.grade == 1 and label.grade > 1\"",
        "unreachable tier",
    );
    refuse("rate = \"0.15\"", "rate = |\"1.5\"", "at most 1");
    refuse("cap = \"1500.00\"", "cap = |\"1500.001\"", "not an amount");
    refuse(
        "central = \"0.90\"\nlocal = \"0.10\"",
        "central = \"0.90\"\nlocal = |\"0.20\"",
        "add up to 1",
    );
}

#[test]
fn examples_are_checked_too() {
    refuse(
        "fails = [\"efficiency-grade\"]",
        "fails = [|\"efficiency\"]",
        "unknown rule `efficiency`",
    );
    refuse(
        "\"label.grade\" = 2",
        "|\"label.grades\" = 2",
        "unknown fact `label.grades`",
    );
    refuse("\"label.grade\" = 2", "\"label.grade\" = |true", "is a number");
    refuse("\"label.grade\" = 2", "|\"subsidy.amount\" = '2.00'", "computed");
}

#[test]
fn not_toml_at_all() {
    let faults = Programme::parse("id = ").unwrap_err();
    assert_eq!((faults[0].line, faults.len()), (1, 1));
    assert!(Programme::parse("").is_err());
    assert!(Programme::parse(&"#".repeat(2 << 20)).is_err());
}

#[test]
fn versions() {
    let first = Programme::parse(&document()).unwrap();
    let second = |version: u32, from: &str| {
        let source = document()
            .replacen("version = 1", &format!("version = {version}"), 1)
            .replacen(
                "effective_from = 2026-01-01",
                &format!("effective_from = {from}"),
                1,
            );
        Programme::parse(&source).unwrap()
    };
    let later = second(2, "2026-07-01");
    assert!(check_overlap(&[&first, &later]).is_ok());
    assert!(check_overlap(&[&first, &first]).is_ok());
    assert!(check_overlap(&[&first, &second(2, "2026-01-01")]).is_err());
    assert!(check_overlap(&[&first, &second(1, "2026-07-01")]).is_err());
    assert!(check_overlap(&[&later, &second(3, "2026-06-30")]).is_err());
    let day = |text: &str| text.parse().unwrap();
    let both = [&later, &first];
    assert_eq!(in_force(&both, day("2026-06-30")).unwrap().version(), 1);
    assert_eq!(in_force(&both, day("2026-07-01")).unwrap().version(), 2);
    assert_eq!(in_force(&both, day("2025-12-31")).unwrap().version(), 1);
}

#[test]
fn shares() {
    let local = "local = \"0.10\"";
    refuse(local, "local = |\"0.20\"", "add up to 1");
    refuse(local, "local = |\"0.10001\"", "at most four decimals");
    refuse(
        local,
        "local = \"0.10\"\nprovince = \"0.06\"\ncity = |\"0.05\"",
        "no more than the local share",
    );
    refuse(
        local,
        "local = \"0.10\"\ncounties.140802.province = |\"0.11\"",
        "no more than the local share",
    );
    refuse(
        local,
        "local = \"0.10\"\ncounties.140802.|town = \"0.01\"",
        "unknown field",
    );
}

#[test]
fn a_county_may_have_its_own_split() {
    let own = "local = \"0.10\"\nprovince = \"0.05\"\n[funding.counties.140802]\nprovince = \"0.03\"\ncity = \"0.0201\"";
    let programme = Programme::parse(&document().replacen("local = \"0.10\"", own, 1)).unwrap();
    let parts = |county| {
        let shares = programme.funding().shares(county);
        [shares.central, shares.province, shares.city, shares.county]
    };
    assert_eq!(parts("140802"), [9_000, 300, 201, 499]);
    assert_eq!(parts("140881"), [9_000, 500, 0, 500]);
}
