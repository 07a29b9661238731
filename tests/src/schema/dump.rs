//! `migrations/schema.sql`: the schema as the migrations make it, in one file to read and to
//! compare. It cannot drift from them, because it is compared with a database that has run them
//! all.

use testkit::TestDb;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

const HEADER: &str = "\
-- The schema that the migrations make, as pg_dump states it: longer than 600 lines because nothing is left out.
-- Written by a test (schema::dump) and compared by it; do not edit. The reasons stand in the migrations.
";

/// The dump without what depends on versions and sessions of PostgreSQL, with one empty line
/// between statements.
fn normalised(dump: &str) -> String {
    let mut text = HEADER.to_owned();
    let mut gap = true;
    let session = |line: &str| line.starts_with("SET ") || line.starts_with("SELECT pg_catalog.set_config");
    for line in dump
        .lines()
        .filter(|line| !line.starts_with("--") && !session(line))
    {
        if line.is_empty() {
            gap = true;
            continue;
        }
        if std::mem::take(&mut gap) {
            text.push('\n');
        }
        text.push_str(line);
        text.push('\n');
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_file_is_what_the_migrations_make() {
    let db = TestDb::new().await;
    let made = normalised(&db.schema());
    let written = std::fs::read_to_string(format!("{ROOT}/migrations/schema.sql")).unwrap_or_default();
    if made == written {
        return;
    }
    let fresh = format!("{ROOT}/target/schema.sql");
    std::fs::create_dir_all(format!("{ROOT}/target")).unwrap();
    std::fs::write(&fresh, &made).unwrap();
    let at = made
        .lines()
        .zip(written.lines())
        .take_while(|(made, written)| made == written)
        .count();
    panic!(
        "migrations/schema.sql differs from what the migrations make, first in line {}: read the difference, and if a new \
         migration is meant to make it, cp target/schema.sql migrations/schema.sql",
        at + 1
    );
}
