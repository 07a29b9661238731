//! A database at migrations which no longer exist is refused with a message that states what to do,
//! and stays as it is.

use server::config::{Config, Environment, keys};
use testkit::TestDb;

/// The fifteen versions from before the baseline, as a database records them.
const FORMER: [&str; 15] = [
    "20261123000001",
    "20261123000002",
    "20261123000003",
    "20261123000004",
    "20261123000005",
    "20261124000006",
    "20261125000007",
    "20261125000008",
    "20261125000009",
    "20261125000010",
    "20261125000011",
    "20261125000012",
    "20261125000013",
    "20261125000014",
    "20261125000015",
];

/// A database that recorded these versions, with a county and its ledger in it.
async fn recorded(versions: &[&str]) -> TestDb {
    let db = TestDb::empty().await;
    for statement in [
        "CREATE TABLE __diesel_schema_migrations (version varchar(50) PRIMARY KEY, \
         run_on timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP)",
        "CREATE TABLE jurisdictions (code text PRIMARY KEY)",
        "CREATE TABLE ledgers (jurisdiction text PRIMARY KEY REFERENCES jurisdictions, height bigint NOT NULL)",
        "INSERT INTO jurisdictions VALUES ('140802')",
        "INSERT INTO ledgers VALUES ('140802', 17)",
    ] {
        db.rows(statement).await;
    }
    for version in versions {
        db.rows(&format!(
            "INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}')"
        ))
        .await;
    }
    db
}

/// Everything of such a database that could have changed.
async fn contents(db: &TestDb) -> (String, Vec<String>, Vec<String>) {
    let versions = db
        .rows("SELECT version, run_on FROM __diesel_schema_migrations ORDER BY version")
        .await;
    let rows = db
        .rows("SELECT code, height FROM jurisdictions JOIN ledgers ON jurisdiction = code")
        .await;
    (db.schema(), versions, rows)
}

/// The message of every command that needs the whole database; `serve` and `work` are among them.
async fn served(db: &TestDb) -> String {
    let keys = keys::generate().unwrap();
    let mut pairs = keys
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect::<Vec<_>>();
    pairs.push(("DATABASE_URL", db.url()));
    let config = Config::load(&Environment::from_pairs(pairs), None).unwrap();
    match server::wiring::service(&config).await {
        Ok(_) => "served".to_owned(),
        Err(error) => format!("{error:#}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_the_former_versions_is_refused_and_left_as_it_is() {
    for versions in [&FORMER[..], &FORMER[..5], &FORMER[..1]] {
        let db = recorded(versions).await;
        let before = contents(&db).await;
        let answers = [
            store::migrate(db.url()).await.unwrap_err().to_string(),
            store::revert_all(db.url()).await.unwrap_err().to_string(),
            served(&db).await,
        ];
        for answer in &answers {
            for part in [
                "before its first release",
                "nothing in it was changed",
                "`huanxin export`",
                "create an empty database",
                "run `huanxin migrate`",
            ] {
                assert!(answer.contains(part), "no {part:?} in {answer:?}");
            }
        }
        assert_eq!(contents(&db).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_program_is_refused_by_both_commands() {
    let db = recorded(&["20991231000099"]).await;
    let before = contents(&db).await;
    for answer in [
        store::migrate(db.url()).await.unwrap_err().to_string(),
        served(&db).await,
    ] {
        assert!(answer.contains("20991231000099"), "{answer}");
    }
    assert_eq!(contents(&db).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_never_migrated_says_so() {
    let db = TestDb::empty().await;
    let answer = served(&db).await;
    assert!(answer.contains("run `huanxin migrate` first"), "{answer}");
    assert!(!answer.contains("does not exist"), "{answer}");
}
