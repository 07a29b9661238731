//! `bench`: the speed of the service on this machine, in one table. README.md lists the
//! comparisons.

#![allow(
    clippy::float_arithmetic,
    clippy::as_conversions,
    reason = "it measures rates and times, and holds no money"
)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing what was measured is what it is for"
)]

mod books;
mod claim;
mod cli;
mod database;
mod grow;
mod histogram;
mod http;
mod kill;
mod load;
mod measure;
mod pgbench;
mod procfs;
mod report;
mod rows;
mod service;
mod straight;
mod world;

use std::process::ExitCode;

use clap::Parser;
use cli::Cli;

fn main() -> ExitCode {
    match cli::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}
