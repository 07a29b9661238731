//! PostgreSQL's first process: start, watch, signals, and the search for one whose parent was
//! killed.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::account::RunAs;

/// How often a process's end is checked.
const POLL: Duration = Duration::from_millis(20);

/// Shuts the server down when the pipe at its standard input closes, which it does at any death of
/// the parent, and then removes temporary directories. It signals only while the data directory
/// still names that very process. Arguments: process id, signal, `postmaster.pid`, directories to
/// remove.
const WATCHER: &str = r#"
pid=$1 signal=$2 file=$3; shift 3
read -r _
if [ "$(head -n 1 "$file" 2>/dev/null)" = "$pid" ]; then kill -s "$signal" "$pid" 2>/dev/null; fi
tries=0
while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 300 ]; do sleep 0.1; tries=$((tries + 1)); done
[ "$#" -eq 0 ] || rm -rf -- "$@"
"#;

/// A running `postgres` and the process that watches over it.
///
/// `std`'s children and not tokio's: those are reaped by the runtime that started them, and a
/// cluster shared by many tests outlives each test's runtime.
#[derive(Debug)]
pub(crate) struct Postmaster {
    child: Child,
    watcher: Option<Child>,
    pid: Pid,
    data: PathBuf,
}

impl Postmaster {
    /// Starts `command`, which becomes a postmaster on `data`. When this process dies, the watcher
    /// sends `signal` to it and then removes `leftovers`.
    pub(crate) fn spawn(
        mut command: std::process::Command,
        run_as: &RunAs,
        data: &Path,
        signal: Signal,
        leftovers: &[PathBuf],
    ) -> io::Result<Self> {
        use std::os::unix::process::CommandExt;
        // In a process group of its own, so that a Ctrl-C at the terminal reaches this process
        // alone: the server stops after the requests that need it.
        let child = command.process_group(0).spawn()?;
        let pid = i32::try_from(child.id())
            .map(Pid::from_raw)
            .map_err(io::Error::other)?;
        let mut postmaster = Self {
            child,
            watcher: None,
            pid,
            data: data.to_owned(),
        };
        let watcher = run_as
            .command("/bin/sh")
            .args([
                "-c",
                WATCHER,
                "huanxin-watcher",
                &pid.to_string(),
                signal.as_str().trim_start_matches("SIG"),
            ])
            .arg(data.join("postmaster.pid"))
            .args(leftovers)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        match watcher {
            Ok(watcher) => postmaster.watcher = Some(watcher),
            Err(error) => {
                postmaster.signal(Signal::SIGQUIT);
                postmaster.child.wait()?;
                return Err(error);
            }
        }
        Ok(postmaster)
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether the server accepts connections, by the eighth line of `postmaster.pid`.
    pub(crate) fn is_ready(&self) -> bool {
        let Ok(text) = fs::read_to_string(self.data.join("postmaster.pid")) else {
            return false;
        };
        let mut lines = text.lines();
        lines.next().and_then(|line| line.trim().parse().ok()) == Some(self.pid.as_raw())
            && lines.nth(6).is_some_and(|status| status.trim() == "ready")
    }

    /// The exit status, if the server ended.
    pub(crate) fn exited(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(status.to_string()),
            Err(error) => Some(error.to_string()),
        }
    }

    pub(crate) fn signal(&mut self, signal: Signal) {
        // Not yet reaped, so that the process id is still its own. If the server has exited by
        // itself, the signal reaches no process.
        if self.exited().is_none() {
            let _gone = kill(self.pid, signal);
        }
    }

    /// Waits for its end; false when `within` passed first.
    pub(crate) async fn ends(&mut self, within: Duration) -> bool {
        let give_up = Instant::now() + within;
        while self.exited().is_none() {
            if Instant::now() >= give_up {
                return false;
            }
            tokio::time::sleep(POLL).await;
        }
        true
    }

    /// As [`ends`](Self::ends), for code that cannot await.
    pub(crate) fn ends_blocking(&mut self, within: Duration) -> bool {
        let give_up = Instant::now() + within;
        while self.exited().is_none() {
            if Instant::now() >= give_up {
                return false;
            }
            std::thread::sleep(POLL);
        }
        true
    }

    /// SIGKILL to it and to all its backends: what a power failure looks like to the clients.
    pub(crate) fn kill_all(&mut self) {
        if self.exited().is_none() {
            // Stopped first, so that it forks no backend between the listing and the killing.
            let _gone = kill(self.pid, Signal::SIGSTOP);
            let backends = children(self.pid);
            for pid in std::iter::once(self.pid).chain(backends) {
                let _gone = kill(pid, Signal::SIGKILL);
            }
            self.ends_blocking(Duration::from_secs(10));
        }
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        if !self.ends_blocking(Duration::ZERO) {
            self.signal(Signal::SIGQUIT);
            if !self.ends_blocking(Duration::from_secs(5)) {
                self.kill_all();
            }
        }
        if let Some(mut watcher) = self.watcher.take() {
            // Ended before its pipe closes, so that the watcher does not act.
            let _gone = watcher.kill();
            let _reaped = watcher.wait();
        }
    }
}

/// Stops the server that a predecessor left on `data`, if one did, and removes a `postmaster.pid`
/// whose number now belongs to another process, which would make PostgreSQL refuse to start.
///
/// Only for the holder of the place's lock: then no living process owns that server.
pub(crate) async fn stop_orphan(data: &Path) {
    let file = data.join("postmaster.pid");
    let Some(pid) = fs::read_to_string(&file)
        .ok()
        .and_then(|text| text.lines().next()?.trim().parse().ok())
        .filter(|pid: &i32| *pid > 1)
        .map(Pid::from_raw)
    else {
        return;
    };
    if !is_alive(pid) {
        return;
    }
    if !is_postmaster_of(pid, data) {
        // PostgreSQL still notices backends of a killed postmaster: it looks for their shared
        // memory by the data directory's inode.
        let _gone = fs::remove_file(&file);
        return;
    }
    tracing::warn!(
        pid = pid.as_raw(),
        "stopping the PostgreSQL that an earlier run left behind"
    );
    for (signal, patience) in [(Signal::SIGINT, 20), (Signal::SIGQUIT, 5), (Signal::SIGKILL, 5)] {
        let backends = if signal == Signal::SIGKILL {
            children(pid)
        } else {
            Vec::new()
        };
        for process in std::iter::once(pid).chain(backends) {
            let _gone = kill(process, signal);
        }
        let give_up = Instant::now() + Duration::from_secs(patience);
        while Instant::now() < give_up {
            if !is_postmaster_of(pid, data) {
                return;
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

fn is_alive(pid: Pid) -> bool {
    !matches!(kill(pid, None), Err(nix::errno::Errno::ESRCH))
}

/// Whether the process's command line names `data`. A zombie has none.
fn is_postmaster_of(pid: Pid, data: &Path) -> bool {
    let data = data.to_string_lossy();
    fs::read(format!("/proc/{pid}/cmdline"))
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .ok()
        .or_else(|| ps(&["-o", "command=", "-p", &pid.to_string()]))
        .is_some_and(|line| line.contains("postgres") && line.contains(&*data))
}

/// The processes whose parent is `parent`. Backends are leaders of sessions of their own, so that
/// no process group holds them all.
fn children(parent: Pid) -> Vec<Pid> {
    let Ok(processes) = fs::read_dir("/proc") else {
        let listing = ps(&["-A", "-o", "pid=,ppid="]).unwrap_or_default();
        return listing
            .lines()
            .filter_map(|line| {
                let (pid, of) = line.trim().split_once(char::is_whitespace)?;
                (of.trim().parse().ok() == Some(parent.as_raw())).then_some(Pid::from_raw(pid.parse().ok()?))
            })
            .collect();
    };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            // "pid (name) state parent …", where the name may hold spaces and brackets.
            fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
                stat.rsplit(')')
                    .next()
                    .and_then(|rest| rest.split_whitespace().nth(1)?.parse().ok())
                    == Some(parent.as_raw())
            })
        })
        .map(Pid::from_raw)
        .collect()
}

/// For systems without /proc.
fn ps(arguments: &[&str]) -> Option<String> {
    let output = std::process::Command::new("ps").args(arguments).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The text written to `log` since it was `from` bytes long, at most its last 20 lines.
pub(crate) fn tail(log: &Path, from: u64) -> String {
    const LINES: usize = 20;
    /// More bytes than 20 lines of a server's log have.
    const BYTES: u64 = 64 * 1024;
    let read = || -> io::Result<String> {
        let mut file = fs::File::open(log)?;
        let start = from.max(file.metadata()?.len().saturating_sub(BYTES));
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(BYTES).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = read().unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.len().saturating_sub(LINES);
    lines.get(last..).unwrap_or_default().join("\n")
}
