//! cala-ledger from the registry, in a program of its own with its own lock file: it needs other
//! versions of this workspace's dependencies.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::process::Command;

use crate::world::World;

/// Another program to compare with, or the reason why there is none.
#[derive(Debug)]
pub(super) enum Peer<T> {
    Built(T),
    Missing(String),
}

/// The program that posts to cala-ledger.
#[derive(Debug)]
pub(super) struct Cala(PathBuf);

impl Cala {
    /// Builds it, which takes minutes the first time; without the registry there is none.
    pub(super) async fn build() -> Peer<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let target = here.join("../../target/cala");
        let mut cargo = Command::new("cargo");
        cargo.args(["build", "--quiet", "--release", "--locked", "--manifest-path"]);
        cargo
            .arg(here.join("cala/Cargo.toml"))
            .arg("--target-dir")
            .arg(&target);
        cargo.stdin(Stdio::null()).kill_on_drop(true);
        eprintln!("  building cala-ledger, which takes minutes the first time and does not count");
        match cargo.output().await {
            Ok(output) if output.status.success() => Peer::Built(Self(target.join("release/cala-bench"))),
            Ok(output) => {
                let message = String::from_utf8_lossy(&output.stderr).into_owned();
                eprintln!("{message}");
                Peer::Missing("cala-ledger does not build here".to_owned())
            }
            Err(error) => Peer::Missing(format!("no cargo: {error}")),
        }
    }

    /// Posts a second in a fresh database: one a transaction, and fifty. The program tries several
    /// numbers of tasks for each, keeps the best, and checks caps and sums afterwards.
    pub(super) async fn run(&self, world: &World, seconds: f64) -> anyhow::Result<(f64, f64)> {
        let name = "bench_cala";
        world.cluster.drop(name).await?;
        let database = world.cluster.create(name, None).await?;
        database.checkpoint().await?;
        let mut command = Command::new(&self.0);
        command.args([
            "--url",
            &database.url(),
            "--seconds",
            &(seconds.ceil() as u64).to_string(),
        ]);
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
        ensure!(
            output.status.success(),
            "cala-bench: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        let value: Value = serde_json::from_slice(&output.stdout)?;
        let rate = |name: &str| value.get(name).and_then(Value::as_f64).context("no rate");
        let rates = (rate("single_per_second")?, rate("batched_per_second")?);
        eprintln!("  cala-ledger: {:.0}/s, by fifty {:.0}/s", rates.0, rates.1);
        world.cluster.drop(name).await?;
        Ok(rates)
    }
}
