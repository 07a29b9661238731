//! The PostgreSQL of every measurement: private, and as durable as in production.
//!
//! fsync, synchronous commit, full-page writes and checksums are on; the settings below are an
//! operator's choice for a machine this small, and they are printed with every result. All SQL
//! stands in `src/sql` and goes through `psql`, so that this crate needs no driver and shares
//! nothing with the service.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use cluster::{Installations, Keep, Options, PrivateCluster, Search};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Settings beyond the defaults, besides durability.
const SETTINGS: [(&str, &str); 9] = [
    ("shared_buffers", "2GB"),
    ("max_wal_size", "8GB"),
    ("wal_compression", "lz4"),
    ("wal_buffers", "64MB"),
    ("checkpoint_timeout", "15min"),
    ("checkpoint_completion_target", "0.9"),
    ("effective_cache_size", "8GB"),
    ("random_page_cost", "1.1"),
    ("synchronous_commit", "on"),
];

/// Settings printed with the results, as the server reports them.
const SHOWN: &str = "fsync,synchronous_commit,full_page_writes,data_checksums,wal_sync_method,shared_buffers,max_wal_size,\
                     wal_compression,wal_buffers,checkpoint_timeout,checkpoint_completion_target,max_connections,autovacuum";

/// The cluster.
#[derive(Debug)]
pub(crate) struct Cluster {
    private: PrivateCluster,
}

impl Cluster {
    /// Starts it: in `directory` and kept, or in a temporary one.
    pub(crate) async fn start(directory: Option<&Path>) -> anyhow::Result<Self> {
        let installed = Installations::find(&Search::of_process()).await?;
        let options = Options {
            keep: directory.map_or(Keep::Nothing, |directory| Keep::In(directory.to_owned())),
            durable: true,
            max_connections: 100,
            settings: SETTINGS
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            start_within: Duration::from_secs(120),
        };
        Ok(Self {
            private: PrivateCluster::start(&installed, options).await?,
        })
    }

    /// The cluster, for the auditor.
    pub(crate) const fn private(&self) -> &PrivateCluster {
        &self.private
    }

    /// The first process, whose children are all the others.
    pub(crate) fn pid(&self) -> u32 {
        self.private.id().unwrap_or(0)
    }

    /// A program that came with this PostgreSQL, such as `pgbench`.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.private.installation().bin().join(name)
    }

    pub(crate) async fn create(&self, name: &str, template: Option<&str>) -> anyhow::Result<Database<'_>> {
        self.private.create_database(name, template).await?;
        Ok(self.database(name))
    }

    pub(crate) async fn drop(&self, name: &str) -> anyhow::Result<()> {
        Ok(self.private.drop_database(name).await?)
    }

    pub(crate) fn database(&self, name: &str) -> Database<'_> {
        Database {
            cluster: self,
            name: name.to_owned(),
        }
    }

    /// Name and value of the settings that matter for speed.
    pub(crate) async fn settings(&self) -> anyhow::Result<Vec<(String, String)>> {
        let database = self.database("postgres");
        let text = database
            .ask(include_str!("sql/settings.sql"), &[("names", SHOWN)])
            .await?;
        let pairs = text.lines().filter_map(|line| line.split_once('|'));
        Ok(pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect())
    }

    pub(crate) async fn version(&self) -> anyhow::Result<String> {
        let output = self
            .database("postgres")
            .ask("SHOW server_version;\n", &[])
            .await?;
        Ok(output.trim().to_owned())
    }

    /// SIGKILL to all of its processes.
    pub(crate) fn kill(&mut self) {
        self.private.kill();
    }

    /// Starts it again on the same files and the same socket; recovered and ready when this
    /// returns.
    pub(crate) async fn restart(&mut self) -> anyhow::Result<()> {
        Ok(self.private.restart().await?)
    }

    /// Shuts it down.
    pub(crate) async fn stop(mut self) {
        self.private.stop().await;
    }
}

/// One database of it.
#[derive(Debug, Clone)]
pub(crate) struct Database<'a> {
    cluster: &'a Cluster,
    name: String,
}

impl<'a> Database<'a> {
    pub(crate) const fn cluster(&self) -> &'a Cluster {
        self.cluster
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn url(&self) -> String {
        self.cluster.private.url(&self.name)
    }

    /// A client program of PostgreSQL, connected to this database.
    pub(crate) fn client(&self, program: &str) -> Command {
        let mut command = Command::new(self.cluster.program(program));
        command
            .env_clear()
            .env("PGCLIENTENCODING", "UTF8")
            .env("PGUSER", "huanxin");
        command
            .env("PGHOST", self.cluster.private.socket_dir())
            .env("PGDATABASE", &self.name);
        command.kill_on_drop(true);
        command
    }

    /// Runs a script, in which `:name` and `:'name'` stand for the variables; its rows, columns
    /// separated by `|`.
    pub(crate) async fn ask(&self, script: &str, variables: &[(&str, &str)]) -> anyhow::Result<String> {
        self.feed(script, variables, &[]).await
    }

    /// As [`ask`](Self::ask), with one number as the answer.
    pub(crate) async fn number(&self, script: &str, variables: &[(&str, &str)]) -> anyhow::Result<f64> {
        let text = self.ask(script, variables).await?;
        text.trim()
            .parse()
            .with_context(|| format!("not a number: {text}"))
    }

    /// As [`ask`](Self::ask); the script ends with `COPY … FROM STDIN`, and the rows follow it.
    pub(crate) async fn feed(
        &self,
        script: &str,
        variables: &[(&str, &str)],
        rows: &[u8],
    ) -> anyhow::Result<String> {
        let mut psql = self.client("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]);
        for (name, value) in variables {
            psql.arg("-v").arg(format!("{name}={value}"));
        }
        psql.args(["-f", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = psql.spawn().context("psql cannot be run")?;
        let mut stdin = child.stdin.take().context("no standard input")?;
        let (script, rows) = (script.as_bytes(), rows);
        let write = async move {
            stdin.write_all(script).await?;
            stdin.write_all(rows).await?;
            stdin.shutdown().await
        };
        let (written, output) = tokio::join!(write, child.wait_with_output());
        let output = output?;
        if !output.status.success() {
            bail!(
                "{}: {}",
                self.name,
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        written?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Writes a checkpoint, so that no measurement pays for writes before it.
    pub(crate) async fn checkpoint(&self) -> anyhow::Result<()> {
        self.ask("CHECKPOINT;\n", &[]).await.map(drop)
    }
}
