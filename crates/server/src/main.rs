//! `huanxin`: one binary, its subcommands in `server::commands`.

use std::process::ExitCode;

use clap::Parser;
use server::commands::{Cli, run};
use server::config::Environment;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli, &Environment::of_process()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write;
            // A broken pipe at this point leaves no reader for an error either.
            let _ = writeln!(std::io::stderr(), "huanxin: {error:#}");
            ExitCode::FAILURE
        }
    }
}
