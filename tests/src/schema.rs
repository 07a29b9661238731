//! Rules of the schema, checked in the catalogue of a migrated database: the keys that scale out,
//! names, indexes, and that every migration can be undone.

mod dump;
mod former;
mod versions;

use std::collections::{BTreeMap, BTreeSet};

use testkit::TestDb;

/// Read by every county: copied to every node of a distributed PostgreSQL.
const REFERENCE: [&str; 4] = ["jurisdictions", "clients", "programmes", "programme_drafts"];
/// The authorities' registers, keyed by the numbers on documents.
const REGISTERS: [&str; 8] = [
    "efficiency_labels",
    "scrap_certificates",
    "vehicle_models",
    "filed_prices",
    "entitlements",
    "merchants",
    "dismantlers",
    "collectors",
];
/// Keyed by a value that is unique in all counties: sharded by that value.
const BY_VALUE: [&str; 6] = [
    "unique_keys",
    "quotas",
    "idempotency_keys",
    "bank_accounts",
    "bank_streams",
    "bank_reports",
];

fn is_a_county_s(table: &str) -> bool {
    !REFERENCE.contains(&table) && !REGISTERS.contains(&table) && !BY_VALUE.contains(&table)
}

/// Rows split into their columns.
async fn ask(db: &TestDb, question: &str) -> Vec<Vec<String>> {
    let split = |row: String| row.split('|').map(str::to_owned).collect();
    db.rows(question).await.into_iter().map(split).collect()
}

const TABLES: &str = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' \
    AND relname NOT LIKE '\\_\\_diesel%' ORDER BY relname";

#[tokio::test(flavor = "multi_thread")]
async fn every_table_is_keyed_to_scale_out() {
    let db = TestDb::new().await;
    let tables = db.rows(TABLES).await;
    for named in REFERENCE.iter().chain(&REGISTERS).chain(&BY_VALUE) {
        assert!(
            tables.iter().any(|table| table == named),
            "there is no table {named}"
        );
    }
    // Unique indexes, those of primary keys among them, with their columns in order.
    let indexes = ask(
        &db,
        "SELECT t.relname, i.relname, x.indisprimary, (SELECT string_agg(a.attname, ',' ORDER BY k.place) \
         FROM unnest(x.indkey::int[]) WITH ORDINALITY k (attnum, place) \
         JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum) \
         FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid \
         WHERE x.indisunique AND t.relnamespace = 'public'::regnamespace AND t.relname NOT LIKE '\\_\\_diesel%'",
    )
    .await;
    let primary = indexes
        .iter()
        .filter(|index| index[2] == "t")
        .map(|index| index[0].as_str())
        .collect::<BTreeSet<_>>();
    for table in &tables {
        assert!(primary.contains(table.as_str()), "{table} has no primary key");
    }
    for index in indexes.iter().filter(|index| is_a_county_s(&index[0])) {
        assert!(
            index[3].split(',').next() == Some("jurisdiction"),
            "{} of {} is not led by the county",
            index[1],
            index[0]
        );
    }
    let references = ask(
        &db,
        "SELECT t.relname, c.conname, f.relname, (SELECT string_agg(a.attname, ',' ORDER BY k.place) \
         FROM unnest(c.conkey) WITH ORDINALITY k (attnum, place) \
         JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum), c.condeferrable \
         FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class f ON f.oid = c.confrelid \
         WHERE c.contype = 'f' AND t.relnamespace = 'public'::regnamespace",
    )
    .await;
    assert!(!references.is_empty());
    for reference in &references {
        let [table, name, target, columns, deferrable] = &reference[..] else {
            panic!("{reference:?}")
        };
        let to_all = REFERENCE.contains(&target.as_str());
        let within = is_a_county_s(target) && columns.split(',').next() == Some("jurisdiction");
        assert!(
            to_all || (is_a_county_s(table) && within),
            "{name} of {table} leaves the county"
        );
        assert_eq!(deferrable, "f", "{name} is checked late");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_has_its_row_in_the_readme() {
    let db = TestDb::new().await;
    let readme = include_str!("../../migrations/README.md");
    let (_, by_table) = readme.split_once("## Table by table").unwrap();
    let rows = by_table.lines().filter_map(|line| line.strip_prefix("| `"));
    let named = rows.flat_map(|row| row.split(" |").next().unwrap().split("`, `"));
    let named = named
        .map(|name| name.trim_end_matches('`').to_owned())
        .collect::<BTreeSet<_>>();
    let tables = db.rows(TABLES).await.into_iter().collect::<BTreeSet<_>>();
    assert_eq!(named, tables);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_constraint_has_a_name_of_its_own() {
    let db = TestDb::new().await;
    let constraints = ask(
        &db,
        "SELECT t.relname, c.conname, c.contype FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid \
         WHERE t.relnamespace = 'public'::regnamespace AND t.relname NOT LIKE '\\_\\_diesel%' AND c.contype <> 't'",
    )
    .await;
    let mut seen = BTreeSet::new();
    for constraint in &constraints {
        let [table, name, kind] = &constraint[..] else {
            panic!("{constraint:?}")
        };
        assert!(
            name.starts_with(&format!("{table}_")),
            "{name} does not say that it is of {table}"
        );
        assert!(seen.insert(name), "{name} stands twice");
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let generated =
            stem.ends_with("_check") || (stem != name && (stem.ends_with("key") || stem.ends_with("_excl")));
        assert!(!generated, "{name} of {table} was named by PostgreSQL");
        assert!(
            "pufc".contains(kind.as_str()),
            "{name} is a constraint of kind {kind}"
        );
    }
    assert!(constraints.len() > 80, "only {} constraints", constraints.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_foreign_key_has_an_index() {
    let db = TestDb::new().await;
    let bare = "SELECT c.conname FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid WHERE c.contype = 'f' \
        AND t.relnamespace = 'public'::regnamespace AND NOT EXISTS (SELECT 1 FROM pg_index x WHERE x.indrelid = c.conrelid \
        AND (x.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey)";
    assert_eq!(db.rows(bare).await, Vec::<String>::new());
}

/// Tables of the store's `schema` with their columns as diesel spells them.
fn written_tables() -> BTreeMap<String, BTreeSet<String>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/store/src/schema");
    let files = std::fs::read_dir(folder).unwrap();
    let text = files
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .collect::<String>();
    let mut tables = BTreeMap::<String, BTreeSet<String>>::new();
    let mut table = String::new();
    for line in text.lines().map(str::trim) {
        if line.ends_with(") {") {
            let (name, key) = line.trim_end_matches(" {").split_once(' ').unwrap();
            table = name.to_owned();
            tables
                .entry(table.clone())
                .or_default()
                .insert(format!("key {key}"));
        } else if let Some((column, kind)) = line.trim_end_matches(',').split_once(" -> ") {
            let kind = stored_as(kind);
            tables.get_mut(&table).unwrap().insert(format!("{column} {kind}"));
        }
    }
    tables
}

/// What PostgreSQL stores for a column: the store's own types are some of its types with another
/// name.
fn stored_as(kind: &str) -> String {
    let own = [
        ("County", "Text"),
        ("Word", "Text"),
        ("Money", "Int8"),
        ("Digest", "Bytea"),
    ];
    own.into_iter()
        .fold(kind.to_owned(), |kind, (own, stored)| kind.replace(own, stored))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tables_are_those_the_program_knows() {
    let db = TestDb::new().await;
    let columns = ask(
        &db,
        "SELECT t.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull FROM pg_attribute a \
         JOIN pg_class t ON t.oid = a.attrelid WHERE t.relnamespace = 'public'::regnamespace AND t.relkind = 'r' \
         AND a.attnum > 0 AND NOT a.attisdropped AND t.relname NOT LIKE '\\_\\_diesel%'",
    )
    .await;
    let keys = ask(
        &db,
        "SELECT t.relname, (SELECT string_agg(a.attname, ', ' ORDER BY k.place) \
         FROM unnest(c.conkey) WITH ORDINALITY k (attnum, place) \
         JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum) FROM pg_constraint c \
         JOIN pg_class t ON t.oid = c.conrelid WHERE c.contype = 'p' AND t.relname NOT LIKE '\\_\\_diesel%' \
         AND t.relnamespace = 'public'::regnamespace",
    )
    .await;
    let mut tables = BTreeMap::<String, BTreeSet<String>>::new();
    for key in keys {
        tables
            .entry(key[0].clone())
            .or_default()
            .insert(format!("key ({})", key[1]));
    }
    for column in columns {
        let kind = match column[2].as_str() {
            "text" => "Text",
            "bigint" => "Int8",
            "integer" => "Int4",
            "smallint" => "Int2",
            "uuid" => "Uuid",
            "boolean" => "Bool",
            "bytea" => "Bytea",
            "date" => "Date",
            "timestamp with time zone" => "Timestamptz",
            "text[]" => "Array<Text>",
            "uuid[]" => "Array<Uuid>",
            other => panic!("{}.{} is {other}", column[0], column[1]),
        };
        let kind = if column[3] == "t" {
            kind.to_owned()
        } else {
            format!("Nullable<{kind}>")
        };
        tables
            .entry(column[0].clone())
            .or_default()
            .insert(format!("{} {kind}", column[1]));
    }
    assert_eq!(written_tables(), tables);
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_go_up_down_and_up_again() {
    let db = TestDb::empty().await;
    let up = store::migrate(db.url()).await.unwrap();
    let first = db.schema();
    assert!(first.contains("CREATE TABLE public.claims"));
    assert_eq!(store::migrate(db.url()).await.unwrap(), Vec::<String>::new());
    let down = store::revert_all(db.url()).await.unwrap();
    assert_eq!(up.len(), down.len());
    assert_eq!(db.rows(TABLES).await, Vec::<String>::new());
    let left = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname NOT LIKE 'diesel%'";
    assert_eq!(db.rows(left).await, Vec::<String>::new());
    store::migrate(db.url()).await.unwrap();
    assert_eq!(db.schema(), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_added_is_never_changed() {
    let app = testkit::TestApp::new().await;
    app.appropriate(testkit::YANHU, "appliance-2026", testkit::yuan("600.00"))
        .await;
    app.submit(app.sale(&testkit::Sale::air_conditioner()).await)
        .await;
    app.clock.set("2026-07-06T02:00:00Z".parse().unwrap());
    assert_eq!(app.service.worker().work(None, None).await.unwrap().closed, 1);
    for (statement, constraint) in [
        ("UPDATE transfers SET amount = amount + 1", "transfers"),
        ("DELETE FROM transfers", "transfers"),
        ("UPDATE events SET reason = 'x'", "events"),
        ("DELETE FROM events", "events"),
        ("UPDATE programmes SET source = 'x'", "programme"),
        ("DELETE FROM programmes", "programme"),
        ("UPDATE funds SET available = available + 1", "funds_balanced"),
        (
            "UPDATE funds SET available = available - 60000, reserved = reserved + 60000",
            "funds_available_not_negative",
        ),
        ("DELETE FROM funds", "funds are never deleted"),
        ("DELETE FROM claims", "claims are never deleted"),
        (
            "INSERT INTO transfers SELECT jurisdiction, height + 1, 'none-2026', reason, debit, credit, amount, claim, \
             document, posted_at, actor, leaf FROM transfers ORDER BY height DESC LIMIT 1",
            "names no fund",
        ),
        (
            "INSERT INTO claims SELECT (jsonb_populate_record(c, '{\"id\": \"01a20f12-3acb-7249-96fd-c54a6fa2bd77\", \
             \"programme_version\": 99}')).* FROM claims c LIMIT 1",
            "names no version",
        ),
        (
            "INSERT INTO transfers SELECT jurisdiction, height + 1, programme, reason, debit, credit, amount, claim, \
             document, '2026-06-30T15:59:59Z', actor, leaf FROM transfers ORDER BY height DESC LIMIT 1",
            "would stand in a closed period",
        ),
        (
            "INSERT INTO source_moves (jurisdiction, programme, source, appropriated, in_payment, spent, lapsed, posted_at) \
             SELECT jurisdiction, programme, source, 1, 0, 0, 0, posted_at FROM source_moves LIMIT 1",
            "would stand in a closed period",
        ),
        (
            "UPDATE ledgers SET closed_until = NULL",
            "a closed period is not opened again",
        ),
        (
            "UPDATE ledgers SET closed_until = closed_until - interval '1 month'",
            "a closed period is not opened again",
        ),
        (
            "INSERT INTO closings SELECT jurisdiction, '2026-07', kind, since, until + interval '31 days', height, \
             transfers, actor, made_at + interval '60 days' FROM closings",
            "closings_since",
        ),
        ("UPDATE closings SET height = 1", "closings are added"),
        ("DELETE FROM closings", "closings are added"),
        (
            "UPDATE closing_balances SET closing = 1",
            "closing_balances are added",
        ),
        ("DELETE FROM closing_sources", "closing_sources are added"),
        ("UPDATE source_moves SET spent = 1", "source_moves are added"),
        ("UPDATE claims SET holds = false", "claims_committed_has_amount"),
        (
            "UPDATE claims SET status = 'approved'",
            "claims_payment_follows_approval",
        ),
    ] {
        let refused = app
            .db
            .cluster()
            .sql(app.db.name(), statement)
            .await
            .unwrap_err()
            .to_string();
        assert!(refused.contains(constraint), "{statement}: {refused}");
    }
    app.audit().await;
}
