//! The real binary, run as an operator runs it: `migrate`, `seed`, `client`, then `serve` as a
//! process of its own.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use tokio::process::{Child, Command};

use crate::http::{Client, Connection, request};
use crate::procfs;

/// How long a start or a stop may take.
const WITHIN: Duration = Duration::from_secs(60);

/// Ends the process of its first argument when the pipe at its standard input closes, which it does
/// at any end of the bench.
const WATCHER: &str = r#"read -r _; kill -KILL "$1" 2>/dev/null"#;

/// `huanxin` with its keys.
#[derive(Debug, Clone)]
pub(crate) struct Binary {
    path: PathBuf,
    environment: Vec<(String, String)>,
    log: PathBuf,
}

impl Binary {
    /// The binary with fresh keys of its own. Its log goes to `log`, at the level of production.
    pub(crate) async fn with_fresh_keys(path: &Path, log: &Path, level: &str) -> anyhow::Result<Self> {
        let mut binary = Self {
            path: path.to_owned(),
            environment: Vec::new(),
            log: log.to_owned(),
        };
        let keys = binary.run("postgres://none", &["keys", "generate"]).await?;
        let pairs = keys.lines().filter_map(|line| line.split_once('='));
        // The secret of events is valid only with an address.
        let pairs = pairs.filter(|(name, _)| !name.contains("EVENTS"));
        binary.environment = pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let more = [("HUANXIN_REQUESTS_PER_SECOND", "1000000"), ("HUANXIN_LOG", level)];
        binary
            .environment
            .extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
        Ok(binary)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        let mut found = self.environment.iter().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value.as_str())
    }

    fn command(&self, database: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("DATABASE_URL", database);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Runs a command to its end; returns its output.
    pub(crate) async fn run(&self, database: &str, arguments: &[&str]) -> anyhow::Result<String> {
        self.run_within(database, arguments, WITHIN).await
    }

    /// As [`run`](Self::run), for a command that may take longer.
    pub(crate) async fn run_within(
        &self,
        database: &str,
        arguments: &[&str],
        within: Duration,
    ) -> anyhow::Result<String> {
        let output = self.command(database, arguments).output();
        let output = tokio::time::timeout(within, output)
            .await
            .context("huanxin takes too long")?;
        let output = output.with_context(|| format!("{} cannot be run", self.path.display()))?;
        if !output.status.success() {
            bail!(
                "huanxin {}: {}",
                arguments.join(" "),
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Registers a client.
    pub(crate) async fn client(
        &self,
        database: &str,
        id: &str,
        arguments: &[&str],
    ) -> anyhow::Result<Client> {
        let arguments = [&["client", id], arguments].concat();
        let secret = self.run(database, &arguments).await?.trim().to_owned();
        Ok(Client {
            id: id.to_owned(),
            secret,
        })
    }

    /// Starts serving and waits until `/readyz` answers 200.
    pub(crate) async fn serve(&self, database: &str) -> anyhow::Result<Served> {
        // A port that was free a moment ago; no other process of this machine asks for one
        // meanwhile.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)?;
        let mut command = self.command(database, &["serve"]);
        command.env("HUANXIN_LISTEN", address.to_string());
        command.stdout(Stdio::null()).stderr(log);
        let started = Instant::now();
        let child = command.spawn().context("huanxin serve")?;
        let pid = child.id().context("huanxin serve has no id")?;
        let watcher = Command::new("/bin/sh")
            .args(["-c", WATCHER, "bench-watcher", &pid.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let mut served = Served {
            child,
            pid,
            address,
            ready_after: Duration::ZERO,
            rss_at_start: 0.0,
            _watcher: watcher,
        };
        served.ready(started).await.with_context(|| {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            log.lines().rev().take(5).collect::<Vec<_>>().join("\n")
        })?;
        served.ready_after = started.elapsed();
        served.rss_at_start = procfs::rss_mb(pid);
        Ok(served)
    }
}

/// A running `huanxin serve`.
#[derive(Debug)]
pub(crate) struct Served {
    child: Child,
    pid: u32,
    address: SocketAddr,
    /// From its start to the first answer of `/readyz`.
    pub(crate) ready_after: Duration,
    /// Resident memory then, in MiB.
    pub(crate) rss_at_start: f64,
    _watcher: Child,
}

impl Served {
    pub(crate) const fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until it ends by itself, which it should not; returns its status.
    pub(crate) async fn ended(&mut self) -> anyhow::Error {
        match self.child.wait().await {
            Ok(status) => anyhow!("huanxin serve ended: {status}"),
            Err(error) => error.into(),
        }
    }

    /// No event marks the moment when a port begins to listen, so it is tried every millisecond.
    async fn ready(&mut self, started: Instant) -> anyhow::Result<()> {
        let ask = request("GET", "/readyz", "", b"");
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("huanxin serve ended: {status}");
            }
            if let Ok(mut connection) = Connection::open(self.address).await
                && connection.exchange(&ask).await.is_ok_and(|status| status == 200)
            {
                return Ok(());
            }
            if started.elapsed() > WITHIN {
                bail!("huanxin serve is not ready within {} s", WITHIN.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Ends it as an operator would, and waits for the end.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.pid)?);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM)?;
        if tokio::time::timeout(WITHIN, self.child.wait()).await.is_err() {
            self.child.kill().await?;
        }
        Ok(())
    }
}
