//! Chores of the repository: `tidy`, `figures`, `openapi`, `licences`.

mod figures;
mod licences;
mod openapi;
mod source;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

const CONFIGURATION: &str = "docs/configuration.md";

/// Chores of the repository.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Check the rules that no compiler checks.
    Tidy,
    /// Measure the state of the code: rooms, import circles, hidden calls, statuses as text.
    Figures {
        /// List the place of each thing that is counted.
        #[arg(long)]
        sites: bool,
    },
    /// Write what is generated from the code: api-spec/openapi.json, api-spec/problems.md and the
    /// table of settings in docs/configuration.md.
    Openapi {
        /// Write nothing; fail if the files differ from those generated from the code.
        #[arg(long)]
        check: bool,
    },
    /// Check licences, bans and sources of all dependencies.
    Licences,
}

fn main() -> ExitCode {
    let outcome = root().and_then(|root| match Arguments::parse().chore {
        Chore::Tidy => tidy::run(&root),
        Chore::Figures { sites } => figures::run(&root, sites),
        Chore::Openapi { check } => {
            let configuration = std::fs::read_to_string(root.join(CONFIGURATION))
                .with_context(|| format!("{CONFIGURATION} cannot be read"))?;
            let generated = [
                ("api-spec/openapi.json", api::openapi_json()),
                ("api-spec/problems.md", api::problems_markdown()),
                (
                    CONFIGURATION,
                    server::config::page::written(&configuration)
                        .with_context(|| format!("{CONFIGURATION} has not the marks of its table"))?,
                ),
            ];
            openapi::run(&root, &generated, check)
        }
        Chore::Licences => licences::run(&root),
    });
    match outcome {
        Ok(summary) => {
            say(&summary);
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// The repository: from here upwards, the first directory with a lock file.
fn root() -> anyhow::Result<PathBuf> {
    let here = std::env::current_dir()?;
    let root = here
        .ancestors()
        .find(|directory| directory.join("Cargo.lock").is_file());
    Ok(root.context("this is not inside the repository")?.to_owned())
}

#[expect(clippy::print_stdout, reason = "what a chore found is its output")]
fn say(text: &str) {
    println!("{}", text.trim_end());
}
