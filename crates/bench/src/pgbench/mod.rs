//! The yardstick: the same rows, written by PostgreSQL's own load generator with one prepared call
//! per claim.
//!
//! Easier than the service's work: no HTTP, no token, no look-up in a register, no rule, no
//! sealing, and no hash except of the leaves. The function, which stands in the bench only, writes
//! every row of a claim in one round trip, with receipts and sealed documents taken from a claim
//! that the service recorded.

use anyhow::{Context, bail, ensure};

use crate::books;
use crate::claim::Spread;
use crate::database::Database;
use crate::straight::Decision;
use crate::world::World;

/// Clients in rows that do not search for the best number: the bests found on two cores are 8 and
/// 16.
pub(crate) const CLIENTS: usize = 8;

/// The bytes of a claim's decision, taken from one that the service made.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    variables: Vec<String>,
    decision: Decision,
}

impl Sample {
    /// From any claim of a database that the service wrote to.
    pub(crate) async fn take(database: &Database<'_>) -> anyhow::Result<Self> {
        let row = database.ask(include_str!("../sql/sample.sql"), &[]).await?;
        let fields = row.trim().split('|').collect::<Vec<_>>();
        let [packing, receipt, digest, key_id, sealed] = fields[..] else {
            bail!("no claim to take a sample of");
        };
        let variables = vec![
            format!("packing={packing}"),
            format!("receipt=\\x{receipt}"),
            format!("digest=\\x{digest}"),
            format!("key_id={key_id}"),
            format!("sealed=\\x{sealed}"),
        ];
        let decision = Decision {
            packing: packing.parse()?,
            receipt: hex::decode(receipt)?,
            digest: hex::decode(digest)?,
            key_id: key_id.to_owned(),
            sealed: hex::decode(sealed)?,
        };
        Ok(Self { variables, decision })
    }
}

impl Sample {
    pub(crate) const fn decision(&self) -> &Decision {
        &self.decision
    }
}

/// Claims a second with this many clients, in a fresh copy of the template, whose books are audited
/// afterwards.
pub(crate) async fn run(
    world: &World,
    sample: &Sample,
    spread: Spread,
    clients: usize,
    seconds: f64,
) -> anyhow::Result<f64> {
    let database = world.copy().await?;
    let rate = run_in(world, &database, sample, (spread, clients, seconds)).await?;
    books::audit(&database).await?;
    world.cluster.drop(database.name()).await?;
    Ok(rate)
}

/// The same in a database that has claims already, which stay.
pub(crate) async fn run_in(
    world: &World,
    database: &Database<'_>,
    sample: &Sample,
    (spread, clients, seconds): (Spread, usize, f64),
) -> anyhow::Result<f64> {
    database.ask(include_str!("function.sql"), &[]).await?;
    database.checkpoint().await?;
    let before = database.number(include_str!("../sql/claims.sql"), &[]).await?;
    let script = world.file("claim.pgbench");
    std::fs::write(
        &script,
        match spread {
            Spread::Counties => include_str!("spread.sql"),
            Spread::One => include_str!("one_county.sql"),
        },
    )?;
    let mut pgbench = database.client("pgbench");
    pgbench.args(["-n", "-M", "prepared", "-j", "2", "-c", &clients.to_string()]);
    pgbench.args(["-T", &(seconds.ceil() as u64).to_string()]);
    for variable in &sample.variables {
        pgbench.args(["-D", variable]);
    }
    pgbench.arg("-f").arg(&script);
    let output = pgbench.output().await.context("pgbench cannot be run")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success(),
        "pgbench: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let after = |label: &str| {
        let line = printed.lines().find_map(|line| line.strip_prefix(label));
        line.and_then(|rest| rest.split([' ', '/']).next()?.parse::<f64>().ok())
    };
    let rate = after("tps = ").with_context(|| format!("pgbench prints no rate: {printed}"))?;
    let done = after("number of transactions actually processed: ").unwrap_or(0.0);
    let claims = database.number(include_str!("../sql/claims.sql"), &[]).await?;
    ensure!(
        done <= claims - before,
        "pgbench committed {done} claims and {} are there",
        claims - before
    );
    Ok(rate)
}

/// The best of a few numbers of clients, each tried shortly.
pub(crate) async fn best_clients(
    world: &World,
    sample: &Sample,
    spread: Spread,
    seconds: f64,
) -> anyhow::Result<usize> {
    let mut best = (0.0, 0);
    for clients in [8, 16, 32] {
        let rate = run(world, sample, spread, clients, seconds).await?;
        eprintln!("  pgbench {clients:>2} clients, {spread:?}: {rate:.0}/s");
        if rate > best.0 {
            best = (rate, clients);
        }
    }
    Ok(best.1)
}
