//! Intake over HTTP, interleaved with its comparisons: pgbench making one call a claim, and
//! cala-ledger posting.

use super::Scope;
use super::peers::{Cala, Peer};
use crate::claim::Spread;
use crate::measure::{self, Measured};
use crate::pgbench::{self, Sample};
use crate::report::{Asked, Report, Samples};
use crate::straight;
use crate::world::World;

/// Rates of one round each, in order.
#[derive(Debug, Default)]
struct Rates {
    http: Samples,
    http_one: Samples,
    pgbench: Samples,
    pgbench_one: Samples,
    straight: Samples,
    cala: Samples,
    cala_batched: Samples,
    p99: Samples,
    p99_64: Samples,
    rss: Samples,
    bytes: Samples,
}

pub(super) async fn rows(world: &World, scope: &Scope, report: &mut Report) -> anyhow::Result<()> {
    let (lone, sample) = lone(world, scope).await?;
    report.raw("intake, 1 connection", &lone);
    report.row(
        "a lone claim, idle service, p50 ms",
        lone_text(&lone),
        lone.p50_ms.into(),
        Asked::AtMost,
        (3.0, 1.5),
    );
    let sixteen = run(world, report, Spread::Counties, 16, scope.seconds).await?;

    let short = (scope.seconds / 2.0).max(1.0);
    let clients = pgbench::best_clients(world, &sample, Spread::Counties, short).await?;
    let clients_one = pgbench::best_clients(world, &sample, Spread::One, short).await?;
    let cala = Cala::build().await;
    let mut rates = Rates::default();
    for round in 1..=scope.rounds {
        eprintln!("round {round} of {}", scope.rounds);
        let seconds = scope.seconds;
        let all = run(world, report, Spread::Counties, 256, seconds).await?;
        rates.http.add(all.rate);
        rates.p99.add(all.p99_ms);
        rates.rss.add(all.rss_peak);
        rates.bytes.add(all.bytes_per_claim);
        rates
            .pgbench
            .add(pgbench::run(world, &sample, Spread::Counties, clients, seconds).await?);
        rates.straight.add(straight::run(world, &sample, seconds).await?);
        rates
            .http_one
            .add(run(world, report, Spread::One, 256, seconds).await?.rate);
        rates
            .pgbench_one
            .add(pgbench::run(world, &sample, Spread::One, clients_one, seconds).await?);
        rates
            .p99_64
            .add(run(world, report, Spread::Counties, 64, seconds).await?.p99_ms);
        if let Peer::Built(cala) = &cala {
            // Six measurements in one.
            let (single, batched) = cala.run(world, (seconds / 3.0).max(1.0)).await?;
            rates.cala.add(single);
            rates.cala_batched.add(batched);
        }
    }
    judge(report, &rates, (clients, clients_one), sixteen.rate);
    match cala {
        Peer::Built(_) => {
            let text = |peer: &Samples| format!("{}/s : cala-ledger {}/s", rates.http.text(), peer.text());
            let single = rates.http.over(&rates.cala);
            report.row(
                "intake : cala-ledger, single",
                text(&rates.cala),
                single,
                Asked::AtLeast,
                (20.0, 40.0),
            );
            let batched = rates.http.over(&rates.cala_batched);
            report.row(
                "intake : cala-ledger, by 50",
                text(&rates.cala_batched),
                batched,
                Asked::AtLeast,
                (5.0, 10.0),
            );
        }
        Peer::Missing(why) => {
            report.skipped("intake : cala-ledger, single", &why, Asked::AtLeast, (20.0, 40.0));
            report.skipped("intake : cala-ledger, by 50", &why, Asked::AtLeast, (5.0, 10.0));
        }
    }
    Ok(())
}

fn judge(report: &mut Report, rates: &Rates, clients: (usize, usize), sixteen: f64) {
    report.raw("rates, a round each", &serde_json::json!({
        "http": rates.http, "pgbench": rates.pgbench, "http, one county": rates.http_one,
        "pgbench, one county": rates.pgbench_one, "straight batches": rates.straight, "cala-ledger": rates.cala, "cala-ledger by 50": rates.cala_batched,
        "http, 16 connections": sixteen,
    }));
    let text = |ours: &Samples, theirs: &Samples, clients| {
        format!("{}/s : pgbench -c {clients} {}/s", ours.text(), theirs.text())
    };
    let measured = text(&rates.http, &rates.pgbench, clients.0);
    let ratio = rates.http.over(&rates.pgbench);
    report.row(
        "intake, 256 connections : one call a claim",
        measured,
        ratio,
        Asked::AtLeast,
        (2.0, 3.6),
    );
    let measured = text(&rates.http_one, &rates.pgbench_one, clients.1);
    let ratio = rates.http_one.over(&rates.pgbench_one);
    report.row(
        "the same, all in one county",
        measured,
        ratio,
        Asked::AtLeast,
        (3.0, 6.0),
    );
    let measured = format!("{}/s : {}/s", rates.http.text(), rates.straight.text());
    let ratio = rates.http.over(&rates.straight);
    report.row(
        "intake over HTTP : batches straight at the database",
        measured,
        ratio,
        Asked::AtLeast,
        (0.5, 0.7),
    );
    let text = |what: &str| format!("at full load, {what}");
    report.row(
        "p99 ms at 64 connections",
        text("outside checkpoints"),
        rates.p99_64.clone(),
        Asked::AtMost,
        (10.0, 5.0),
    );
    report.row(
        "p99 ms at 256 connections",
        text("outside checkpoints"),
        rates.p99.clone(),
        Asked::AtMost,
        (25.0, 15.0),
    );
    report.row(
        "memory of the service, MiB",
        text("256 connections, peak"),
        rates.rss.clone(),
        Asked::AtMost,
        (150.0, 80.0),
    );
    let kilobytes = Samples(rates.bytes.0.iter().map(|bytes| bytes / 1_024.0).collect());
    report.row(
        "KB stored per claim, with indexes",
        "after intake, no VACUUM".into(),
        kilobytes,
        Asked::AtMost,
        (4.0, 2.0),
    );
}

fn lone_text(lone: &Measured) -> String {
    format!(
        "p90 {:.2}, p99 {:.2}, {:.0}/s",
        lone.p90_ms, lone.p99_ms, lone.rate
    )
}

/// One connection, and from its database a sample of a claim's bytes.
async fn lone(world: &World, scope: &Scope) -> anyhow::Result<(Measured, Sample)> {
    let database = world.copy().await?;
    let measured =
        measure::intake_into(world, &database, Spread::Counties, 1, scope.seconds, 0, true).await?;
    eprintln!("    1 connection  {}", measured.line());
    let sample = Sample::take(&database).await?;
    world.cluster.drop(database.name()).await?;
    Ok((measured, sample))
}

async fn run(
    world: &World,
    report: &mut Report,
    spread: Spread,
    connections: usize,
    seconds: f64,
) -> anyhow::Result<Measured> {
    let measured = measure::intake(world, spread, connections, seconds).await?;
    eprintln!("  {connections:>3} connections, {spread:?} {}", measured.line());
    report.raw(
        &format!("intake, {connections} connections, {spread:?}"),
        &measured,
    );
    Ok(measured)
}
