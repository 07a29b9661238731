//! One run of the load against one running service: rate, latencies, and the processor time of each
//! process.

use anyhow::{bail, ensure};
use serde::Serialize;

use crate::claim::Spread;
use crate::database::Database;
use crate::load::{self, Plan, Seen, Work};
use crate::procfs;
use crate::service::Served;
use crate::world::World;

/// Load that is not measured yet.
const WARM_UP: std::time::Duration = std::time::Duration::from_secs(1);

/// The parameters of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) work: Work,
    pub(crate) connections: usize,
    pub(crate) seconds: f64,
    pub(crate) windows: usize,
    pub(crate) numbers: (u64, u64),
}

/// The results of a run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Measured {
    pub(crate) rate: f64,
    pub(crate) requests: u64,
    pub(crate) p50_ms: f64,
    pub(crate) p90_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
    pub(crate) seconds: f64,
    /// CPU seconds.
    pub(crate) service_cpu: f64,
    pub(crate) postgres_cpu: f64,
    pub(crate) load_cpu: f64,
    /// MiB.
    pub(crate) rss_start: f64,
    pub(crate) rss_peak: f64,
    pub(crate) rss_end: f64,
    /// Stored per claim with all its rows and indexes; 0 if it was not measured.
    pub(crate) bytes_per_claim: f64,
    /// Numbers of claims that the run used.
    pub(crate) sent: u64,
    pub(crate) ran_dry: bool,
}

/// CPU seconds of service and PostgreSQL so far.
fn used(served: &Served, postgres: u32) -> (f64, f64) {
    (procfs::cpu(served.pid()), procfs::family_cpu(postgres))
}

/// Runs the load; calls `window` at the end of every window.
pub(crate) async fn load(
    world: &World,
    served: &Served,
    how: Load,
    ids: &std::path::Path,
    mut window: impl FnMut(&Measured),
) -> anyhow::Result<Vec<Measured>> {
    let clients = match how.work {
        Work::Submit | Work::SubmitInOneCounty => world.merchants.iter().map(Into::into).collect(),
        Work::Get | Work::List => vec![(&world.auditor).into()],
    };
    let plan = Plan {
        work: how.work,
        address: served.address(),
        clients,
        connections: how.connections,
        warm_up_ms: WARM_UP.as_millis() as u64,
        window_ms: (how.seconds * 1_000.0 / how.windows as f64) as u64,
        windows: how.windows,
        numbers: how.numbers,
        ids: ids.to_owned(),
    };
    let postgres = world.cluster.pid();
    let before = std::cell::Cell::new((0.0, 0.0));
    let mut all = Vec::new();
    let mut failure = None;
    let begins = || before.set(used(served, postgres));
    let ends = |seen: Seen| {
        let (now, was) = (used(served, postgres), before.get());
        before.set(now);
        if seen.failed > 0 {
            failure.get_or_insert(format!(
                "{} requests failed: {}",
                seen.failed,
                seen.failure.clone().unwrap_or_default()
            ));
        }
        let measured = Measured {
            rate: seen.rate(),
            requests: seen.latencies.total(),
            p50_ms: seen.latencies.quantile_ms(0.5),
            p90_ms: seen.latencies.quantile_ms(0.9),
            p99_ms: seen.latencies.quantile_ms(0.99),
            max_ms: seen.latencies.max_ms(),
            seconds: seen.seconds,
            service_cpu: now.0 - was.0,
            postgres_cpu: now.1 - was.1,
            load_cpu: seen.cpu,
            rss_start: served.rss_at_start,
            rss_peak: procfs::peak_rss_mb(served.pid()),
            rss_end: procfs::rss_mb(served.pid()),
            bytes_per_claim: 0.0,
            sent: seen.sent,
            ran_dry: seen.ran_dry,
        };
        window(&measured);
        all.push(measured);
    };
    load::run(&plan, begins, ends).await?;
    if let Some(failure) = failure {
        bail!(failure);
    }
    ensure!(!all.is_empty(), "the load generator saw nothing");
    Ok(all)
}

/// Bytes of everything but the registers, and claims.
async fn stored(database: &Database<'_>) -> anyhow::Result<(f64, f64)> {
    let bytes = database.number(include_str!("sql/bytes.sql"), &[]).await?;
    Ok((bytes, database.number(include_str!("sql/claims.sql"), &[]).await?))
}

/// Intake into a fresh copy of the template, its books checked afterwards.
pub(crate) async fn intake(
    world: &World,
    spread: Spread,
    connections: usize,
    seconds: f64,
) -> anyhow::Result<Measured> {
    let database = world.copy().await?;
    let measured = intake_into(world, &database, spread, connections, seconds, 0, true).await?;
    world.cluster.drop(database.name()).await?;
    Ok(measured)
}

/// Intake into a database, from claim `first` on; afterwards looks up the acknowledged claims, and
/// audits all books if asked for.
pub(crate) async fn intake_into(
    world: &World,
    database: &Database<'_>,
    spread: Spread,
    connections: usize,
    seconds: f64,
    first: u64,
    audited: bool,
) -> anyhow::Result<Measured> {
    let served = world.binary.serve(&database.url()).await?;
    database.checkpoint().await?;
    let (bytes, claims) = stored(database).await?;
    let ids = world.file("acknowledged");
    let how = Load {
        work: Work::submit(spread),
        connections,
        seconds,
        windows: 1,
        numbers: (first, first.max(world.entitled_in(database.name()))),
    };
    let mut all = load(world, &served, how, &ids, |_| ()).await?;
    served.stop().await?;
    let (more_bytes, more_claims) = stored(database).await?;
    if audited {
        crate::books::audit(database).await?;
    }
    crate::books::check(database, &ids).await?;
    let mut measured = all.remove(0);
    measured.bytes_per_claim = (more_bytes - bytes) / (more_claims - claims).max(1.0);
    if measured.ran_dry {
        eprintln!("  (entitlements ran out before the time did: --claims asks for more)");
    }
    Ok(measured)
}

/// Intake from claim `first` on while PostgreSQL makes a checkpoint. A requested checkpoint writes
/// at full speed: a harder test than the scheduled ones, which are spread over time.
pub(crate) async fn through_checkpoint(
    world: &World,
    database: &Database<'_>,
    connections: usize,
    seconds: f64,
    first: u64,
) -> anyhow::Result<Measured> {
    let served = world.binary.serve(&database.url()).await?;
    let ids = world.file("acknowledged");
    let how = Load {
        work: Work::Submit,
        connections,
        seconds,
        windows: 1,
        numbers: (first, first.max(world.entitled_in(database.name()))),
    };
    let checkpoint = async {
        tokio::time::sleep(WARM_UP + std::time::Duration::from_secs(1)).await;
        database.checkpoint().await
    };
    let (seen, done) = tokio::join!(load(world, &served, how, &ids, |_| ()), checkpoint);
    let mut seen = seen?;
    done?;
    served.stop().await?;
    crate::books::check(database, &ids).await?;
    Ok(seen.remove(0))
}

impl Measured {
    /// The text for a person.
    pub(crate) fn line(&self) -> String {
        let each = |cpu: f64| cpu * 1e6 / (self.requests as f64).max(1.0);
        format!(
            "{:>8.0}/s  p50 {:>7.2}  p90 {:>7.2}  p99 {:>7.2}  max {:>8.2} ms | CPU s (us each): service {:.2} ({:.0}), \
             postgres {:.2} ({:.0}), load {:.2} ({:.0}) of {:.1} s | RSS MiB {:.0} -> peak {:.0}, end {:.0} | {:.0} B/claim",
            self.rate,
            self.p50_ms,
            self.p90_ms,
            self.p99_ms,
            self.max_ms,
            self.service_cpu,
            each(self.service_cpu),
            self.postgres_cpu,
            each(self.postgres_cpu),
            self.load_cpu,
            each(self.load_cpu),
            self.seconds,
            self.rss_start,
            self.rss_peak,
            self.rss_end,
            self.bytes_per_claim,
        )
    }
}
