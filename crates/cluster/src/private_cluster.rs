//! The cluster's life: made, started, used, stopped, and killed on purpose.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use timing::Backoff;
use tokio::process::Command;

use crate::ROLE;
use crate::account::RunAs;
use crate::error::ClusterError;
use crate::installations::{Installation, Installations};
use crate::place::Place;
use crate::postmaster::{self, Postmaster};

/// Pause between two attempts while a passing obstacle lasts: a template in use, leftovers of a
/// crash.
const BACKOFF: Backoff = Backoff::doubling(Duration::from_millis(20), Duration::from_millis(250));

/// How long `CREATE DATABASE` waits for the last connection to its template to end.
const TEMPLATE_FREE: Duration = Duration::from_secs(10);

/// Whether the data outlive the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// In `DIR/postgres`, to be found again at the next start.
    In(PathBuf),
    /// Removed when the cluster stops, also when this process is killed.
    Nothing,
}

/// How a cluster is made and run.
#[derive(Debug, Clone)]
pub struct Options {
    pub keep: Keep,
    /// fsync and full-page writes. Without them a commit survives the death of PostgreSQL but not
    /// that of the machine, which is enough for a test.
    pub durable: bool,
    /// Upper bound of simultaneous connections, 3 of them for superusers, such as the only role.
    pub max_connections: u16,
    /// Further lines of `postgresql.conf`, name and value; these override the defaults of this
    /// crate.
    pub settings: Vec<(String, String)>,
    /// How long a start is retried, and how long recovery from a crash may take.
    pub start_within: Duration,
}

impl Options {
    /// Durable, kept in `directory`.
    #[must_use]
    pub fn kept(directory: impl Into<PathBuf>) -> Self {
        Self {
            keep: Keep::In(directory.into()),
            durable: true,
            max_connections: 100,
            settings: Vec::new(),
            start_within: Duration::from_secs(60),
        }
    }

    /// For tests: without durability, removed at the end, with connections for many databases at
    /// once.
    #[must_use]
    pub fn temporary() -> Self {
        Self {
            keep: Keep::Nothing,
            durable: false,
            max_connections: 300,
            ..Self::kept(PathBuf::new())
        }
    }

    /// The signal to stop. A temporary server is not started again and need not write anything.
    const fn stop_signal(&self) -> Signal {
        match self.keep {
            Keep::In(_) => Signal::SIGINT,
            Keep::Nothing => Signal::SIGQUIT,
        }
    }
}

/// A private PostgreSQL, which runs unless [`kill`](Self::kill) or [`stop`](Self::stop) was called
/// last.
///
/// Dropping it shuts the server down and waits for that, blocking the thread for up to some
/// seconds; in async code prefer [`stop`](Self::stop). Methods that change the server's state take
/// `&mut self`, so that a cluster shared by tests cannot be killed under them.
#[derive(Debug)]
pub struct PrivateCluster {
    installation: Installation,
    options: Options,
    // Before `place`: fields drop in order, and the server must be gone before its directory and
    // lock are.
    postmaster: Option<Postmaster>,
    place: Place,
}

impl PrivateCluster {
    /// Finds or makes the cluster and waits until it accepts connections.
    ///
    /// # Errors
    /// Every [`ClusterError`]; nothing is left running.
    pub async fn start(installed: &Installations, options: Options) -> Result<Self, ClusterError> {
        let run_as = RunAs::choose()?;
        let place = match &options.keep {
            Keep::In(directory) => Place::kept(directory, run_as).await?,
            Keep::Nothing => Place::temporary(run_as).await?,
        };
        let installation = which(installed, &place.data())?.clone();
        let mut cluster = Self {
            installation,
            options,
            postmaster: None,
            place,
        };
        if cluster.place.data().exists() {
            postmaster::stop_orphan(&cluster.place.data()).await;
        } else {
            cluster.initialise().await?;
        }
        cluster.launch().await?;
        Ok(cluster)
    }

    /// The connection string of one of its databases, for libpq and tokio-postgres alike.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let directory = self.socket_dir().to_string_lossy();
        format!(
            "postgres://{ROLE}@{}/{database}",
            directory.replace('%', "%25").replace('/', "%2F")
        )
    }

    /// The directory of the Unix socket: `psql -h DIR -U huanxin`.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        self.place.run()
    }

    /// The cluster's directory, which may differ from the requested one; the module explains when.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.place.root()
    }

    /// PostgreSQL's log.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.place.log()
    }

    /// The version it runs.
    #[must_use]
    pub const fn installation(&self) -> &Installation {
        &self.installation
    }

    /// The postmaster's process id while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.postmaster.as_ref().map(Postmaster::id)
    }

    /// Creates a database as a copy of `template`, or empty, and returns its [`url`](Self::url).
    /// Waits some seconds for connections to the template to end.
    ///
    /// # Errors
    /// [`ClusterError::DatabaseName`]; [`ClusterError::Program`] with PostgreSQL's message, such as
    /// that it exists.
    pub async fn create_database(&self, name: &str, template: Option<&str>) -> Result<String, ClusterError> {
        let name = checked(name)?;
        // template0: objects that another program put into template1 do not belong in the copy.
        let template = checked(template.unwrap_or("template0"))?;
        // Copying files asks for a checkpoint, which costs nothing without fsync, and is then six
        // times as fast as copying through the log.
        let strategy = if self.options.durable {
            "WAL_LOG"
        } else {
            "FILE_COPY"
        };
        let statement = format!("CREATE DATABASE \"{name}\" TEMPLATE \"{template}\" STRATEGY {strategy}");
        let give_up = Instant::now() + TEMPLATE_FREE;
        let mut failed = 0_u32;
        loop {
            match self.sql("postgres", &statement).await {
                Ok(_) => return Ok(self.url(name)),
                Err(ClusterError::Program { message, .. })
                    if message.contains("being accessed by other users") && Instant::now() < give_up =>
                {
                    pause_after(&mut failed).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Creates an empty database unless there is one of that name; returns its [`url`](Self::url).
    ///
    /// # Errors
    /// As [`create_database`](Self::create_database).
    pub async fn ensure_database(&self, name: &str) -> Result<String, ClusterError> {
        let exists = format!("SELECT 1 FROM pg_database WHERE datname = '{}'", checked(name)?);
        if self.sql("postgres", &exists).await?.trim() == "1" {
            return Ok(self.url(name));
        }
        self.create_database(name, None).await
    }

    /// Drops a database and ends all connections to it; a database that does not exist is no error.
    ///
    /// # Errors
    /// As [`create_database`](Self::create_database).
    pub async fn drop_database(&self, name: &str) -> Result<(), ClusterError> {
        let statement = format!("DROP DATABASE IF EXISTS \"{}\" WITH (FORCE)", checked(name)?);
        self.sql("postgres", &statement).await.map(drop)
    }

    /// Ends every connection to a database: clients see what they see when the network fails.
    ///
    /// # Errors
    /// As [`create_database`](Self::create_database).
    pub async fn disconnect(&self, name: &str) -> Result<(), ClusterError> {
        let statement = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}' AND pid <> pg_backend_pid()",
            checked(name)?
        );
        self.sql("postgres", &statement).await.map(drop)
    }

    /// Runs SQL through `psql`, outside of every pool; returns its rows, one a line, columns
    /// separated by `|`.
    ///
    /// # Errors
    /// [`ClusterError::Program`] with PostgreSQL's message; the first error ends it.
    pub async fn sql(&self, database: &str, statement: &str) -> Result<String, ClusterError> {
        // Runs as this process's account: `peer` authentication maps it and not the account of the
        // server.
        let mut psql = Command::from(RunAs::Ourselves.command(self.installation.psql()));
        psql.args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            ROLE,
            "-d",
            database,
        ]);
        psql.arg("-h").arg(self.socket_dir()).args(["-c", statement]);
        psql.env("PGCLIENTENCODING", "UTF8").kill_on_drop(true);
        let output = run("psql", psql).await?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Fast shutdown: connections are ended, everything is written, and it has exited when this
    /// returns. A server that takes more than a minute is stopped at once, and the next start
    /// recovers. A temporary cluster's data stay until it is dropped.
    pub async fn stop(&mut self) {
        let Some(mut postmaster) = self.postmaster.take() else {
            return;
        };
        postmaster.signal(Signal::SIGINT);
        if !postmaster.ends(Duration::from_secs(60)).await {
            tracing::warn!("PostgreSQL did not stop within a minute and is stopped at once");
            postmaster.signal(Signal::SIGQUIT);
            postmaster.ends(Duration::from_secs(10)).await;
        }
    }

    /// Stops it, if it runs, and starts it on the same data and socket.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn restart(&mut self) -> Result<(), ClusterError> {
        self.stop().await;
        self.launch().await
    }

    /// SIGKILL to the server and to every backend, as a crash would end it;
    /// [`restart`](Self::restart) recovers.
    pub fn kill(&mut self) {
        if let Some(mut postmaster) = self.postmaster.take() {
            postmaster.kill_all();
        }
    }

    /// Keeps the server running: when it dies it is started again, until `stopped` completes; then
    /// it is shut down.
    ///
    /// # Errors
    /// As [`start`](Self::start), when it died and could not be started again.
    pub async fn supervise(mut self, stopped: impl Future<Output = ()>) -> Result<(), ClusterError> {
        tokio::pin!(stopped);
        loop {
            tokio::select! {
                () = &mut stopped => {
                    self.stop().await;
                    return Ok(());
                }
                () = tokio::time::sleep(Duration::from_millis(200)) => {}
            }
            if let Some(outcome) = self.postmaster.as_mut().and_then(Postmaster::exited) {
                tracing::error!(outcome, "PostgreSQL died and is started again");
                self.launch().await?;
            }
        }
    }

    async fn initialise(&self) -> Result<(), ClusterError> {
        let new = self.place.root().join("data.new");
        let mut outcome = Ok(());
        // Not every system has C.UTF-8; C sorts the same way and differs only in what it takes for
        // a letter.
        for locale in ["C.UTF-8", "C"] {
            // Left by an interrupted attempt.
            match std::fs::remove_dir_all(&new) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(ClusterError::io("cannot remove", &new)(error));
                }
                _ => {}
            }
            let mut initdb = Command::from(self.place.run_as().command(self.installation.program("initdb")));
            initdb.arg("-D").arg(&new).args([
                "-E",
                "UTF8",
                "--locale",
                locale,
                "-U",
                ROLE,
                "--data-checksums",
            ]);
            initdb.args(["--auth-local=peer", "--auth-host=reject"]);
            if !self.options.durable {
                initdb.arg("--no-sync");
            }
            outcome = run("initdb", initdb).await.map(drop);
            match &outcome {
                Err(ClusterError::Program { message, .. }) if message.contains("locale") => {}
                _ => break,
            }
        }
        outcome?;
        std::fs::rename(&new, self.place.data()).map_err(ClusterError::io("cannot rename", &new))
    }

    /// Starts the server and waits until it is ready, trying again while leftovers of a crash are
    /// in its way.
    async fn launch(&mut self) -> Result<(), ClusterError> {
        // The watcher of a server that just exited ends before the next server gets its own.
        drop(self.postmaster.take());
        let give_up = Instant::now() + self.options.start_within;
        let mut failed = 0_u32;
        loop {
            let log = self.place.log();
            let before = std::fs::metadata(&log).map_or(0, |log| log.len());
            match self.attempt(give_up).await? {
                Ok(postmaster) => {
                    self.postmaster = Some(postmaster);
                    return Ok(());
                }
                Err(reason) => {
                    let tail = postmaster::tail(&log, before);
                    let passing = ["shared memory", "lock file", "could not bind"];
                    if Instant::now() >= give_up || !passing.iter().any(|sign| tail.contains(sign)) {
                        return Err(ClusterError::DidNotStart { reason, log, tail });
                    }
                    pause_after(&mut failed).await;
                }
            }
        }
    }

    async fn attempt(&self, give_up: Instant) -> Result<Result<Postmaster, String>, ClusterError> {
        let program = self.installation.program("postgres");
        let mut command = self.place.run_as().command(&program);
        let log = self.place.open_log()?;
        let output = log
            .try_clone()
            .map_err(ClusterError::io("cannot open", &self.place.log()))?;
        command
            .arg("-D")
            .arg(self.place.data())
            .stdout(output)
            .stderr(log);
        for (name, value) in self.settings() {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        let (signal, leftovers) = (self.options.stop_signal(), self.place.leftovers());
        let mut postmaster = Postmaster::spawn(
            command,
            self.place.run_as(),
            &self.place.data(),
            signal,
            &leftovers,
        )
        .map_err(ClusterError::io("cannot run", &program))?;
        loop {
            if let Some(outcome) = postmaster.exited() {
                return Ok(Err(outcome));
            }
            if postmaster.is_ready() {
                return Ok(Ok(postmaster));
            }
            if Instant::now() >= give_up {
                let waited = self.options.start_within.as_secs();
                return Ok(Err(format!("it accepted no connection within {waited} s")));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn settings(&self) -> Vec<(String, String)> {
        let on_or_off = if self.options.durable { "on" } else { "off" };
        let root = self.place.root().display();
        let ours = [
            ("listen_addresses", String::new()),
            ("unix_socket_directories", self.place.run().display().to_string()),
            ("unix_socket_permissions", "0700".to_owned()),
            ("hba_file", format!("{root}/pg_hba.conf")),
            ("ident_file", format!("{root}/pg_ident.conf")),
            ("max_connections", self.options.max_connections.to_string()),
            ("fsync", on_or_off.to_owned()),
            ("full_page_writes", on_or_off.to_owned()),
            ("timezone", "UTC".to_owned()),
            ("log_timezone", "UTC".to_owned()),
            ("log_line_prefix", "%m [%p] %d ".to_owned()),
            // A statement's parameters are personal data.
            ("log_parameter_max_length", "0".to_owned()),
            ("log_parameter_max_length_on_error", "0".to_owned()),
            // The service's statements are short: compiling them costs more than running them.
            ("jit", "off".to_owned()),
        ];
        let ours = ours.into_iter().map(|(name, value)| (name.to_owned(), value));
        ours.chain(self.options.settings.iter().cloned()).collect()
    }
}

impl Drop for PrivateCluster {
    fn drop(&mut self) {
        if let Some(mut postmaster) = self.postmaster.take() {
            postmaster.signal(self.options.stop_signal());
            postmaster.ends_blocking(Duration::from_secs(30));
        }
        for path in self.place.leftovers() {
            if let Err(error) = std::fs::remove_dir_all(&path) {
                tracing::warn!(path = %path.display(), %error, "cannot remove a temporary directory");
            }
        }
    }
}

/// Counts an attempt that failed and waits before the next.
async fn pause_after(failed: &mut u32) {
    *failed = failed.saturating_add(1);
    tokio::time::sleep(BACKOFF.pause(*failed, 0).unwrap_or_default()).await;
}

/// The version that made `data`, or the preferred one for new data.
fn which<'a>(installed: &'a Installations, data: &Path) -> Result<&'a Installation, ClusterError> {
    let file = data.join("PG_VERSION");
    let version = match std::fs::read_to_string(&file) {
        Ok(version) => version,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(installed.preferred()),
        Err(error) => return Err(ClusterError::io("cannot read", &file)(error)),
    };
    let made_by = version.trim().parse().unwrap_or(0);
    installed.of_major(made_by).ok_or_else(|| {
        let found: Vec<String> = installed.iter().map(|one| one.major().to_string()).collect();
        ClusterError::OtherMajor {
            data: data.to_owned(),
            made_by,
            found: found.join(", "),
        }
    })
}

/// A name that needs no quotes in SQL.
fn checked(name: &str) -> Result<&str, ClusterError> {
    let plain = name.len() <= 63
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain {
        Ok(name)
    } else {
        Err(ClusterError::DatabaseName(name.to_owned()))
    }
}

async fn run(name: &str, mut command: Command) -> Result<Output, ClusterError> {
    let failed = |outcome: String, message: String| ClusterError::Program {
        program: name.to_owned(),
        outcome,
        message,
    };
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = command
        .output()
        .await
        .map_err(|error| failed("could not be run".to_owned(), error.to_string()))?;
    if output.status.success() {
        return Ok(output);
    }
    Err(failed(
        output.status.to_string(),
        String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_database_names_pass() {
        for name in ["huanxin", "test_17", "a"] {
            assert!(checked(name).is_ok(), "{name}");
        }
        for name in [
            "",
            "1a",
            "_a",
            "A",
            "a-b",
            "a b",
            "a\"; drop",
            "数据",
            &"a".repeat(64),
        ] {
            assert!(checked(name).is_err(), "{name}");
        }
    }
}
