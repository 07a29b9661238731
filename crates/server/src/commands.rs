//! The subcommands of `huanxin`.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::{Args, Parser, Subcommand};
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Database, Environment, keys};
use crate::telemetry::{self, Metrics};
use crate::{auditing, demo, health, seed, wiring};

/// 换新: trade-in subsidy claims, decided, reserved, approved and paid.
#[derive(Debug, Parser)]
#[command(name = "huanxin", version, about, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Configuration file (TOML); the environment wins over it. See docs/configuration.md.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API.
    Serve,
    /// Do the work that falls due: expiries, waitlists, events to deliver. Any number of instances.
    Work,
    /// Bring the database's schema up to date.
    Migrate,
    /// Load jurisdictions and programmes; with --demo, demo registers too.
    Seed {
        #[arg(long)]
        demo: bool,
    },
    /// Start a private PostgreSQL, run the main job on demo claims, then serve.
    Demo(demo::Options),
    /// Programme documents.
    Programme {
        #[command(subcommand)]
        command: ProgrammeCommand,
    },
    /// Check a bundle with nothing but the log's public key; or, without one, decide every recorded
    /// decision again and compare.
    Verify(VerifyArgs),
    /// Write a bundle for auditors: a county's ledger, or all, with its proofs.
    Export(auditing::ExportArgs),
    /// Print the public key of the transparency log, for auditors.
    LogKey(auditing::LogKeyArgs),
    /// Cosign a checkpoint: check it against the one that was kept, and print it with a line of
    /// one's own.
    Witness(auditing::WitnessArgs),
    /// Fresh keys for the configuration.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Register an API client; prints its secret once.
    Client(crate::clients::ClientArgs),
    /// Ask the service on this machine whether it is ready.
    Health,
    /// Print the OpenAPI document.
    Openapi,
    /// Seal all personal data again under the newest key.
    Rekey,
}

#[derive(Debug, Subcommand)]
enum ProgrammeCommand {
    /// Report what is wrong with a document, with line and column.
    Check { file: PathBuf },
    /// Run the worked examples that stand in a document.
    Test { file: PathBuf },
    /// Replay recorded claims under a draft, or under another version in force.
    #[command(disable_version_flag = true)]
    Replay(crate::replay::ReplayArgs),
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Print one fresh key of each kind as environment lines.
    Generate,
}

#[derive(Debug, Args)]
struct VerifyArgs {
    /// A bundle. Needs neither configuration nor database.
    #[arg(requires = "key", conflicts_with_all = ["jurisdiction", "receipt", "programme"])]
    bundle: Option<PathBuf>,
    /// The log's public key, as `huanxin log-key` prints it.
    #[arg(long)]
    key: Option<String>,
    /// The key of a witness whose cosignatures of checkpoints are to be checked; may be given
    /// several times.
    #[arg(long)]
    witness: Vec<String>,
    /// Only this county.
    #[arg(long)]
    jurisdiction: Option<String>,
    /// A receipt in a file instead of those in the database; needs --programme.
    #[arg(long, requires = "programme")]
    receipt: Option<PathBuf>,
    /// The programme document that made the receipt.
    #[arg(long)]
    programme: Option<PathBuf>,
}

/// Runs a command to its end.
pub async fn run(cli: Cli, environment: &Environment) -> anyhow::Result<()> {
    let file = cli.config.as_deref();
    match cli.command {
        Command::Serve => serve(environment, file).await,
        Command::Work => {
            let config = load(environment, file)?;
            telemetry::init(&config.log)?;
            let service = wiring::service(&config).await?;
            let stop = wiring::stop_on_signal()?;
            let fresh = tokio::spawn(wiring::keep_fresh(service.clone(), stop.clone()));
            wiring::work(service, wiring::outside(&config)?, stop).await;
            Ok(fresh.await?)
        }
        Command::Migrate => {
            let database = Database::load(environment, file)?;
            let run = store::migrate(database.url.expose_secret()).await?;
            say(&format!("{} migrations run", run.len()))
        }
        Command::Seed { demo } => {
            let service = wiring::service(&load(environment, file)?).await?;
            seed::reference(&service).await?;
            if demo {
                let permit = service::Actor::system().permit()?;
                seed::registers(&service, &permit).await?;
            }
            say("seeded")
        }
        Command::Demo(options) => demo::run(environment, options).await,
        Command::Programme {
            command: ProgrammeCommand::Replay(args),
        } => {
            let service = wiring::service(&load(environment, file)?).await?;
            crate::replay::replay(&service, args).await
        }
        Command::Programme {
            command: ProgrammeCommand::Check { file },
        } => check(&file),
        Command::Programme {
            command: ProgrammeCommand::Test { file },
        } => test(&file),
        Command::Verify(args) => match (&args.bundle, &args.key) {
            (Some(bundle), Some(key)) => auditing::verify(bundle, key, &args.witness),
            _ => verify(environment, file, args).await,
        },
        Command::Export(args) => auditing::export(environment, file, args).await,
        Command::LogKey(args) => auditing::log_key(&load(environment, file)?, &args),
        Command::Witness(args) => auditing::witness(&args),
        Command::Keys {
            command: KeysCommand::Generate,
        } => say(keys::generate()?.trim_end()),
        Command::Client(args) => {
            let service = wiring::service(&load(environment, file)?).await?;
            say(&crate::clients::register(&service, args).await?)
        }
        Command::Health => Ok(health::check(Config::listen_address(environment, file)?).await?),
        Command::Openapi => say(api::openapi_json().trim_end()),
        Command::Rekey => {
            let service = wiring::service(&load(environment, file)?).await?;
            say(&format!(
                "{} documents sealed again",
                service.worker().rekey().await?
            ))
        }
    }
}

pub(crate) fn load(environment: &Environment, file: Option<&Path>) -> anyhow::Result<Config> {
    Ok(Config::load(environment, file)?)
}

async fn serve(environment: &Environment, file: Option<&Path>) -> anyhow::Result<()> {
    let config = load(environment, file)?;
    telemetry::init(&config.log)?;
    let metrics = if config.metrics {
        Some(Metrics::install()?)
    } else {
        None
    };
    let stop = wiring::stop_on_signal()?;
    let service = wiring::service(&config).await?;
    let fresh = tokio::spawn(wiring::keep_fresh(service.clone(), stop.clone()));
    tracing::info!(listen = %config.listen, "serving");
    wiring::serve_http(service, &config, metrics.as_ref(), stop.clone()).await?;
    stop.cancel();
    fresh.await?;
    Ok(())
}

fn check(file: &Path) -> anyhow::Result<()> {
    let programme = read_programme(file)?;
    let rules = programme.texts().count();
    say(&format!(
        "{} version {}: {rules} rules, sha256:{}",
        programme.id(),
        programme.version(),
        programme.hash()
    ))
}

fn test(file: &Path) -> anyhow::Result<()> {
    let programme = read_programme(file)?;
    let results = programme.run_examples();
    let failed = results.iter().filter(|result| !result.passed()).count();
    for result in &results {
        say(&format!(
            "{} {}",
            if result.passed() { "ok    " } else { "FAILED" },
            result.name
        ))?;
        for difference in &result.differences {
            say(&format!("       {difference}"))?;
        }
    }
    say(&format!(
        "{} passed, {failed} failed",
        results.len().saturating_sub(failed)
    ))?;
    if failed > 0 {
        Err(anyhow!("{failed} worked examples have another result"))
    } else {
        Ok(())
    }
}

fn read_programme(file: &Path) -> anyhow::Result<policy::Programme> {
    let source = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    policy::Programme::parse(&source).map_err(|diagnostics| {
        let lines = diagnostics
            .iter()
            .map(|d| format!("{}:{}:{}: {}", file.display(), d.line, d.column, d.message));
        anyhow!("{}", lines.collect::<Vec<_>>().join("\n"))
    })
}

async fn verify(environment: &Environment, file: Option<&Path>, args: VerifyArgs) -> anyhow::Result<()> {
    if let (Some(receipt), Some(programme)) = (&args.receipt, &args.programme) {
        let text = std::fs::read_to_string(receipt).with_context(|| receipt.display().to_string())?;
        let text = text.trim_end_matches('\n');
        policy::receipt::re_execute(&read_programme(programme)?, text)?;
        return say(&format!(
            "the receipt holds: {}",
            policy::receipt::digest(text.as_bytes())
        ));
    }
    let service = wiring::service(&load(environment, file)?).await?;
    let catalogue = service.catalogue();
    let counties = match args.jurisdiction {
        Some(county) if catalogue.current().jurisdiction(&county).is_none() => {
            return Err(anyhow!("no jurisdiction {county}"));
        }
        Some(county) => vec![county],
        None => catalogue
            .current()
            .jurisdictions()
            .map(|it| it.code.clone())
            .collect(),
    };
    let (mut decisions, mut mismatches) = (0_usize, Vec::new());
    for county in counties {
        let done = service.worker().re_execute(&county).await?;
        decisions = decisions.saturating_add(done.decisions);
        mismatches.extend(done.mismatches);
    }
    for mismatch in &mismatches {
        say(mismatch)?;
    }
    say(&format!(
        "{decisions} decisions decided again, {} came out otherwise",
        mismatches.len()
    ))?;
    if mismatches.is_empty() {
        Ok(())
    } else {
        Err(anyhow!("receipts do not hold"))
    }
}

/// Standard output carries the result of the command only.
pub(crate) fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

/// Stopped by a signal, or by its caller.
pub(crate) type Stop = CancellationToken;
