//! The command line.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use crate::claim::Spread;
use crate::report::Report;
use crate::rows::{Part, Scope};
use crate::world::{Making, World};
use crate::{kill, load, measure, rows, straight, world};

/// How long loading many claims may take, without the hashes of their leaves: the short form as a
/// whole takes a quarter of an hour.
const SHORT_GROWING: Duration = Duration::from_secs(100);
const LONG_GROWING: Duration = Duration::from_secs(3_600);

/// Measures the service as a whole and prints one table.
#[derive(Debug, Parser)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    common: Common,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// The binary to measure; default: `huanxin` beside this program.
    #[arg(long, global = true, env = "HUANXIN_BIN")]
    binary: Option<PathBuf>,
    /// Where PostgreSQL's files are put and kept; default: a temporary directory.
    #[arg(long, global = true)]
    data_dir: Option<PathBuf>,
    /// Stop before cleaning up, with the database and its address printed, until Ctrl-C.
    #[arg(long, global = true)]
    keep: bool,
    /// How long one measurement takes.
    #[arg(long, global = true, env = "BENCH_SECONDS", default_value_t = 3.0)]
    seconds: f64,
    /// Level of the service's log: `info`, the default of production, is a line a request.
    #[arg(long, global = true, default_value = "info")]
    log: String,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Claims over HTTP: rate, latencies, CPU and memory.
    Intake {
        /// One or several, separated by commas.
        #[arg(long, value_delimiter = ',', default_value = "256")]
        connections: Vec<usize>,
        /// All claims in one county; default: over all fourteen.
        #[arg(long)]
        one_county: bool,
        /// How often each is measured.
        #[arg(long, default_value_t = 1)]
        rounds: usize,
    },
    /// Every row of the table (the default).
    All {
        /// Only these, separated by commas.
        #[arg(long, value_delimiter = ',', value_enum)]
        only: Vec<Part>,
        /// How often each compared pair is measured in turns.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// Measure with five million claims stored instead of one; takes far more than ten minutes.
        #[arg(long)]
        long: bool,
        /// Claims stored in the rows with many; overrides --long.
        #[arg(long)]
        many: Option<u64>,
    },
    /// Full load for minutes, in windows of ten seconds.
    Soak {
        #[arg(long, default_value_t = 10.0)]
        minutes: f64,
        /// Claims stored before it begins.
        #[arg(long, default_value_t = 1_000_000)]
        stored: u64,
        #[arg(long, default_value_t = 256)]
        connections: usize,
    },
    /// Kill PostgreSQL under full load, again and again, and check that no acknowledged claim is
    /// lost or recorded twice.
    Kill {
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        times: u32,
        #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=4_096))]
        connections: u32,
    },
    /// The load generator's process.
    #[command(hide = true)]
    Load,
    /// The load generator's process that retries.
    #[command(hide = true)]
    Till,
    /// The process that drives batches straight at the database.
    #[command(hide = true)]
    Straight,
}

/// Runs the command.
pub(crate) fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Some(Command::Load) => return load::serve_plan(),
        Some(Command::Till) => return load::serve_till(),
        Some(Command::Straight) => return straight::serve_plan(),
        _ => {}
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        // Dropping the work ends every process it started and removes temporary files.
        tokio::select! {
            outcome = work(&cli) => outcome,
            _ = interrupt.recv() => bail!("interrupted"),
            _ = terminate.recv() => bail!("terminated"),
        }
    })
}

async fn work(cli: &Cli) -> anyhow::Result<()> {
    let common = &cli.common;
    if !(0.2..=3_600.0).contains(&common.seconds) {
        bail!("--seconds is between 0.2 and 3600");
    }
    let making = Making {
        binary: world::binary(common.binary.as_deref())?,
        data: common.data_dir.clone(),
        log: common.log.clone(),
        claims: match &cli.command {
            Some(Command::Kill { times, connections }) => kill::claims(*times, *connections),
            _ => ((common.seconds + 1.5) * 50_000.0) as u64,
        },
    };
    let mut world = World::make(&making).await?;
    let outcome = match &cli.command {
        Some(Command::Intake {
            connections,
            one_county,
            rounds,
        }) => {
            let spread = if *one_county {
                Spread::One
            } else {
                Spread::Counties
            };
            intake(&world, common, spread, connections, *rounds).await
        }
        Some(Command::Soak {
            minutes,
            stored,
            connections,
        }) => rows::soak(&world, *minutes, *stored, *connections).await,
        Some(Command::All {
            only,
            rounds,
            long,
            many,
        }) => {
            let many = many.unwrap_or(if *long { 5_000_000 } else { 1_000_000 });
            let growing = if *long { LONG_GROWING } else { SHORT_GROWING };
            all(&world, common, only, (*rounds, many, growing)).await
        }
        Some(Command::Kill { times, connections }) => kill::kill(&mut world, *times, *connections).await,
        Some(Command::Load | Command::Till | Command::Straight) | None => {
            all(&world, common, &[], (3, 1_000_000, SHORT_GROWING)).await
        }
    };
    finish(world, common, outcome)
        .await
        .with_context(|| format!("with {}", making.binary.display()))
}

async fn all(
    world: &World,
    common: &Common,
    only: &[Part],
    (rounds, many, growing): (usize, u64, Duration),
) -> anyhow::Result<()> {
    let parts = if only.is_empty() {
        Part::value_variants()
    } else {
        only
    };
    let scope = Scope {
        parts: parts.iter().copied().collect(),
        seconds: common.seconds,
        rounds: rounds.max(1),
        many,
        bundle: many.min(1_000_000),
        growing,
    };
    let started = Instant::now();
    let mut report = Report::default();
    // Measurements made before an error are printed as well.
    let outcome = rows::all(world, &scope, &mut report).await;
    report
        .conditions
        .push(("took".into(), format!("{:.0} s", started.elapsed().as_secs_f64())));
    report.print();
    report.write(&world::target()?.join("bench.json"))?;
    outcome
}

async fn intake(
    world: &World,
    common: &Common,
    spread: Spread,
    connections: &[usize],
    rounds: usize,
) -> anyhow::Result<()> {
    for (name, value) in world.cluster.settings().await? {
        eprint!("{name}={value} ");
    }
    eprintln!();
    for _ in 0..rounds {
        for connections in connections {
            let measured = measure::intake(world, spread, *connections, common.seconds).await?;
            println!("{connections:>4} connections {}", measured.line());
        }
    }
    Ok(())
}

async fn finish(world: World, common: &Common, outcome: anyhow::Result<()>) -> anyhow::Result<()> {
    if common.keep {
        if let Err(error) = &outcome {
            eprintln!("bench: {error:#}");
        }
        eprintln!(
            "kept until Ctrl-C: psql -h {} -U huanxin -l",
            world.cluster.private().socket_dir().display()
        );
        tokio::time::sleep(Duration::from_secs(24 * 3_600)).await;
    }
    world.cluster.stop().await;
    outcome
}
