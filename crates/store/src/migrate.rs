//! Embedded migrations. They run in a subcommand, one process at a time (an advisory lock), never while serving;
//! `serve` only asks whether any is missing.

use diesel_async::{
    AsyncConnection, AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::{Conn, StoreError};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// Held by whoever migrates; any constant does, as long as nobody else uses it.
const LOCK: &str = "SELECT pg_advisory_lock(7382910461)";

/// Runs every migration that is missing and names them. Needs a multi-threaded tokio runtime that is not actix's.
pub async fn migrate(url: &str) -> Result<Vec<String>, StoreError> {
    with_harness(url, |harness| {
        harness.run_pending_migrations(MIGRATIONS).map(names)
    })
    .await
}

/// Undoes every migration, newest first. For tests and for a pilot's fresh start; a county's ledger goes with it.
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
    // The harness drives the connection's futures on this thread: it must be one that may block.
    tokio::task::spawn_blocking(move || {
        let mut harness = AsyncMigrationHarness::new(conn);
        run(&mut harness).map_err(|e| StoreError::Schema(e.to_string()))
    })
    .await
    .map_err(|_| StoreError::Schema("the migration was stopped".into()))?
}

impl Conn {
    /// Migrations this program knows and the database lacks; an error if the database has one this program does not know.
    pub async fn missing_migrations(&mut self) -> Result<Vec<String>, StoreError> {
        use diesel::migration::MigrationSource;
        diesel::table! { __diesel_schema_migrations (version) { version -> Text, run_on -> Timestamp, } }
        use diesel::QueryDsl;

        let known = MigrationSource::<diesel::pg::Pg>::migrations(&MIGRATIONS)
            .map_err(|e| StoreError::Schema(e.to_string()))?
            .iter()
            .map(|m| m.name().version().to_string())
            .collect::<Vec<_>>();
        let run: Vec<String> = __diesel_schema_migrations::table
            .select(__diesel_schema_migrations::version)
            .load(self.pg())
            .await?;
        if let Some(newer) = run.iter().find(|version| !known.contains(version)) {
            return Err(StoreError::Schema(format!(
                "the database has migration {newer}, which this program does not know"
            )));
        }
        Ok(known
            .into_iter()
            .filter(|version| !run.contains(version))
            .collect())
    }
}
