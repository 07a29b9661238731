//! Full load for minutes, on a table beyond a million claims: rate, latencies, memory and
//! checkpoints in windows of ten seconds.

use std::time::Duration;

use anyhow::Context;
use tokio::sync::mpsc;

use crate::books;
use crate::claim::Spread;
use crate::database::Database;
use crate::grow::grow;
use crate::load::Work;
use crate::measure::{self, Load, Measured, load};
use crate::pgbench::{self, CLIENTS, Sample};
use crate::report::Samples;
use crate::world::World;

const WINDOW_SECONDS: f64 = 10.0;

/// Runs it and prints a line a window, then the slope.
pub(crate) async fn soak(world: &World, minutes: f64, stored: u64, connections: usize) -> anyhow::Result<()> {
    let database = world.copy().await?;
    let next = grow(world, &database, stored, Duration::from_secs(3_600))
        .await?
        .next;
    let first =
        measure::intake_into(world, &database, Spread::Counties, connections, 3.0, next, false).await?;
    let windows = ((minutes * 60.0 / WINDOW_SECONDS).round() as usize).max(1);
    let next = next + first.sent;
    let needed = (first.rate * 2.0 * (windows as f64 * WINDOW_SECONDS + 2.0)) as u64;
    eprintln!(
        "  {:.0}/s to begin with; {needed} entitlements go on file",
        first.rate
    );
    world.entitle_until(&database, next + needed).await?;
    let sample = Sample::take(&database).await?;
    let mut single = Samples::default();
    single.add(yardstick(world, &database, &sample).await?);
    database.checkpoint().await?;
    let served = world.binary.serve(&database.url()).await?;
    let how = Load {
        work: Work::Submit,
        connections,
        seconds: windows as f64 * WINDOW_SECONDS,
        windows,
        numbers: (next, next + needed),
    };
    let ids = world.file("acknowledged");
    let (sender, mut receiver) = mpsc::unbounded_channel::<Measured>();
    let loading = async {
        let seen = load(world, &served, how, &ids, |window| {
            let _ = sender.send(window.clone());
        });
        let seen = seen.await;
        drop(sender);
        seen
    };
    let watching = async {
        let mut log = Checkpoints::read(&database).await?;
        let mut quiet = Samples::default();
        let mut busy = Samples::default();
        let mut at = 0.0;
        while let Some(window) = receiver.recv().await {
            at += window.seconds;
            let now = Checkpoints::read(&database).await?;
            let checkpoint = log.running || now.running || now.begun != log.begun;
            if checkpoint {
                busy.add(window.p99_ms)
            } else {
                quiet.add(window.p99_ms)
            }
            let wal = (now.wal - log.wal) / 1e6 / window.seconds;
            println!(
                "{at:>5.0} s {} | WAL {wal:.0} MB/s {}",
                window.line(),
                if checkpoint { "checkpoint" } else { "" }
            );
            log = now;
        }
        anyhow::Ok((quiet, busy))
    };
    let (seen, watched) = tokio::join!(loading, watching);
    let (seen, (quiet, busy)) = (seen?, watched?);
    served.stop().await?;
    single.add(yardstick(world, &database, &sample).await?);
    summary(&seen, &quiet, &busy);
    let rates = Samples(seen.iter().map(|window| window.rate).collect());
    println!(
        "one call a claim (pgbench -c {CLIENTS}), before and after on the same table: {}/s; ratio {:.2} (asked 1.5, stretch 3.0)",
        single.text(),
        rates.median() / single.median()
    );
    books::check(&database, &ids).await?;
    books::audit(&database).await.context("after the soak")?;
    println!("the books are right");
    world.cluster.drop(database.name()).await
}

/// One call a claim on the table as it stands.
async fn yardstick(world: &World, database: &Database<'_>, sample: &Sample) -> anyhow::Result<f64> {
    let how = (Spread::Counties, CLIENTS, WINDOW_SECONDS);
    pgbench::run_in(world, database, sample, how).await
}

/// PostgreSQL's statistics of its checkpoints.
#[derive(Debug, Clone, Copy)]
struct Checkpoints {
    begun: f64,
    /// Bytes of WAL so far.
    wal: f64,
    running: bool,
}

impl Checkpoints {
    async fn read(database: &crate::database::Database<'_>) -> anyhow::Result<Self> {
        let answer = database.ask(include_str!("../sql/checkpoints.sql"), &[]).await?;
        let numbers = answer
            .trim()
            .split('|')
            .map(str::parse)
            .collect::<Result<Vec<f64>, _>>()?;
        let [begun, running, wal] = numbers[..] else {
            anyhow::bail!("no answer on checkpoints: {answer}");
        };
        Ok(Self {
            begun,
            wal,
            running: running > 0.0,
        })
    }
}

fn summary(seen: &[Measured], quiet: &Samples, busy: &Samples) {
    let rates = Samples(seen.iter().map(|window| window.rate).collect());
    println!(
        "rate/s {}; p99 ms outside checkpoints {}, with one {}",
        rates.text(),
        quiet.text(),
        busy.text()
    );
    let points = |value: fn(&Measured) -> f64| {
        let at = |(place, window): (usize, &Measured)| (place as f64 * WINDOW_SECONDS / 60.0, value(window));
        // The first minute fills caches and pools.
        slope(&seen.iter().enumerate().skip(6).map(at).collect::<Vec<_>>())
    };
    println!(
        "slope a minute, after the first: rate {:+.1}/s, resident memory {:+.3} MiB",
        points(|window| window.rate),
        points(|window| window.rss_end)
    );
}

/// The slope of the least-squares line.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |sum, point| {
        (sum.0 + point.0 / count, sum.1 + point.1 / count)
    });
    let (above, below) = points.iter().fold((0.0, 0.0), |sum, point| {
        (
            sum.0 + (point.0 - x) * (point.1 - y),
            sum.1 + (point.0 - x).powi(2),
        )
    });
    if below > 0.0 { above / below } else { 0.0 }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_line_has_its_slope() {
        let points = [(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)];
        assert!((super::slope(&points) - 2.0).abs() < 1e-9);
        assert!(super::slope(&points[..1]).abs() < 1e-9);
    }
}
