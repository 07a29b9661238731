//! After every run: checks the books in the database, without going through the service.
//!
//! The auditor of the tests recomputes balances, caps, heights, keys, quotas and statuses. Beside
//! it, every acknowledged id is looked up: it is there exactly once, under review, with one reserve
//! transfer of its amount; and no other claim is there, except those whose answer was in flight
//! when the run ended.

use std::panic::AssertUnwindSafe;
use std::path::Path;

use anyhow::{Context, anyhow, bail, ensure};
use futures::FutureExt;

use crate::database::Database;

/// Looks up the ids in `acknowledged`, and the money of every claim.
pub(crate) async fn check(database: &Database<'_>, acknowledged: &Path) -> anyhow::Result<()> {
    let mut ids = std::fs::read(acknowledged)?;
    ids.extend_from_slice(b"\\.\n");
    ids.extend_from_slice(include_bytes!("sql/acknowledged.sql"));
    let script = include_str!("sql/acknowledged_copy.sql");
    let answer = database.feed(script, &[], &ids).await?;
    let numbers = answer
        .trim()
        .split('|')
        .map(str::parse)
        .collect::<Result<Vec<u64>, _>>();
    let numbers = numbers.with_context(|| answer.clone())?;
    let [claims, acknowledged, twice, lost, unreserved, doubly] = numbers[..] else {
        bail!("the check of ids has no answer: {answer}");
    };
    if twice + lost + unreserved + doubly > 0 {
        bail!(
            "of {acknowledged} acknowledged claims {twice} were acknowledged twice and {lost} are not there; of {claims} \
             claims {unreserved} have no reserve transfer of their amount and {doubly} have several"
        );
    }
    Ok(())
}

/// Compares the claims sent while PostgreSQL was killed with the database, and reports every
/// difference.
pub(crate) async fn check_sent(database: &Database<'_>, sent: &[u8]) -> anyhow::Result<()> {
    let rows = [sent, b"\\.\n", include_bytes!("sql/sent.sql")].concat();
    let answer = database
        .feed(include_str!("sql/sent_copy.sql"), &[], &rows)
        .await?;
    ensure!(answer.trim().is_empty(), "not as it was acknowledged:\n{answer}");
    Ok(())
}

/// Runs the auditor, which is made for tests and panics with its findings.
pub(crate) async fn audit(database: &Database<'_>) -> anyhow::Result<()> {
    let auditing = testkit::audit(database.cluster().private(), database.name());
    AssertUnwindSafe(auditing).catch_unwind().await.map_err(|panic| {
        let findings = panic.downcast_ref::<String>().cloned().unwrap_or_default();
        anyhow!("the books are wrong: {findings}")
    })
}
