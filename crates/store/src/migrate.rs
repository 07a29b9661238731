//! Embedded migrations. They run in a subcommand, one process at a time (an advisory lock), never while
//! serving; `serve` only asks whether any is missing.
//!
//! A database is taken as it is or refused before anything in it changes: [`Versions::missing`] names
//! what has to run, and refuses versions that this program does not have.

use std::collections::BTreeSet;

use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{
    AsyncConnection, AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::{Conn, StoreError};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// Held while migrating. Any constant does, as long as it is used for nothing else.
const LOCK: &str = "SELECT pg_advisory_lock(7382910461)";

/// The fifteen versions that the baseline of 2026-11-30 replaced, before the first deployment. The
/// baseline makes the same schema, but a database of theirs may stand at any of them.
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

/// Says what to do, since the operator can do it: nothing that the database holds is lost.
const FORMER_REFUSED: &str = "this database was made by a version of huanxin from before its first release, with \
    migrations of 2026-11-23 to 2026-11-25 that no longer exist. It cannot be upgraded, and nothing in it was changed. \
    Keep what it proves: write its bundle with `huanxin export` and the exports you need with the program that made the \
    database. Then start anew: create an empty database, name it in DATABASE_URL and run `huanxin migrate`";

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
        run_on -> Timestamp,
    }
}

/// Runs every migration that is missing and names them. Needs a multi-threaded tokio runtime that is not
/// actix's.
///
/// # Errors
/// [`StoreError::Schema`] when the database has a version that this program does not know, or one from
/// before the baseline; nothing in the database has changed then.
pub async fn migrate(url: &str) -> Result<Vec<String>, StoreError> {
    with_harness(url, |harness| {
        harness.run_pending_migrations(MIGRATIONS).map(names)
    })
    .await
}

/// Undoes every migration, newest first. For tests and for a pilot's fresh start; a county's ledger goes
/// with it.
///
/// # Errors
/// As [`migrate`].
pub async fn revert_all(url: &str) -> Result<Vec<String>, StoreError> {
    with_harness(url, |harness| {
        harness.revert_all_migrations(MIGRATIONS).map(names)
    })
    .await
}

fn names(versions: Vec<diesel::migration::MigrationVersion<'_>>) -> Vec<String> {
    versions.iter().map(ToString::to_string).collect()
}

async fn with_harness<F>(url: &str, run: F) -> Result<Vec<String>, StoreError>
where
    F: FnOnce(&mut AsyncMigrationHarness<AsyncPgConnection>) -> diesel::migration::Result<Vec<String>>
        + Send
        + 'static,
{
    let mut conn = AsyncPgConnection::establish(url)
        .await
        .map_err(|_| StoreError::Unavailable("no connection could be opened".into()))?;
    conn.batch_execute(LOCK).await?;
    Versions::read(&conn).await?.missing()?;
    // The harness drives the connection's futures on this thread: it must be one that may block.
    tokio::task::spawn_blocking(move || {
        let mut harness = AsyncMigrationHarness::new(conn);
        run(&mut harness).map_err(|e| StoreError::Schema(e.to_string()))
    })
    .await
    .map_err(|_| StoreError::Schema("the migration was stopped".into()))?
}

/// The versions that a database recorded as run. A database that was never migrated has none.
#[derive(Debug)]
struct Versions(BTreeSet<String>);

impl Versions {
    async fn read(mut conn: &AsyncPgConnection) -> Result<Self, StoreError> {
        use diesel::dsl::sql;
        use diesel::sql_types::Bool;

        let there = sql::<Bool>("to_regclass('__diesel_schema_migrations') IS NOT NULL");
        if !diesel::select(there).get_result::<bool>(&mut conn).await? {
            return Ok(Self(BTreeSet::new()));
        }
        let run: Vec<String> = __diesel_schema_migrations::table
            .select(__diesel_schema_migrations::version)
            .load(&mut conn)
            .await?;
        Ok(Self(run.into_iter().collect()))
    }

    /// What this program has and the database lacks, in the order in which it has to run.
    fn missing(&self) -> Result<Vec<String>, StoreError> {
        if FORMER.iter().any(|version| self.0.contains(*version)) {
            return Err(StoreError::Schema(FORMER_REFUSED.into()));
        }
        let known = known()?;
        if let Some(newer) = self.0.iter().find(|version| !known.contains(version)) {
            return Err(StoreError::Schema(format!(
                "the database has migration {newer}, which this program does not know"
            )));
        }
        Ok(known
            .into_iter()
            .filter(|version| !self.0.contains(version))
            .collect())
    }
}

/// The versions that this program has, oldest first.
fn known() -> Result<Vec<String>, StoreError> {
    let mut known = MigrationSource::<Pg>::migrations(&MIGRATIONS)
        .map_err(|e| StoreError::Schema(e.to_string()))?
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect::<Vec<_>>();
    known.sort();
    Ok(known)
}

impl Conn {
    /// Migrations that this program has and the database lacks: all of them if it was never migrated.
    ///
    /// # Errors
    /// [`StoreError::Schema`] as for [`migrate`].
    pub async fn missing_migrations(&mut self) -> Result<Vec<String>, StoreError> {
        Versions::read(self.pg()).await?.missing()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(recorded: &[&str]) -> Result<Vec<String>, String> {
        let recorded = recorded.iter().map(|version| (*version).to_owned());
        Versions(recorded.collect())
            .missing()
            .map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_database_lacks_everything_and_a_complete_one_nothing() {
        let known = known().unwrap();
        assert_eq!(missing(&[]).unwrap(), known);
        let all = known.iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(missing(&all).unwrap(), Vec::<String>::new());
        let (last, others) = all.split_last().unwrap();
        assert_eq!(missing(others).unwrap(), [*last]);
    }

    #[test]
    fn any_former_version_is_refused_with_what_to_do() {
        for version in FORMER {
            let refused = missing(&[version]).unwrap_err();
            assert!(refused.contains("huanxin export"), "{refused}");
            assert!(refused.contains("create an empty database"), "{refused}");
        }
        assert!(known().unwrap().iter().all(|it| !FORMER.contains(&it.as_str())));
    }

    #[test]
    fn a_version_of_a_newer_program_is_refused_by_name() {
        let refused = missing(&["20991231000099"]).unwrap_err();
        assert!(refused.contains("20991231000099"), "{refused}");
    }
}
