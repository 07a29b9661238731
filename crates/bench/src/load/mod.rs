//! The load generator: a process of its own (`bench load`), so that its memory and its processor
//! time are separate from the service's.
//!
//! One thread, one task a connection, each with one request at a time. A [`Plan`] comes as JSON on
//! standard input; the results go out as a [`Seen`], one line of JSON for each window. The id of
//! every acknowledged claim is written to a file, to be looked up in the database afterwards.

mod ids;
mod request;
mod run;
mod till;
mod tokens;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

use crate::claim::Spread;
use crate::histogram::Histogram;
use crate::http::Client;

pub(crate) use request::write_claim;
pub(crate) use run::serve_plan;
pub(crate) use till::{ENDS_WITHIN, Progress, Till, serve as serve_till};

/// The kind of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Work {
    /// `POST /v1/claims`, over all counties.
    Submit,
    /// `POST /v1/claims`, all in one county.
    SubmitInOneCounty,
    /// `GET /v1/claims/{id}` of the ids in the file.
    Get,
    /// `GET /v1/claims?limit=50` from the ids in the file, one page after another.
    List,
}

impl Work {
    pub(crate) const fn submit(spread: Spread) -> Self {
        match spread {
            Spread::Counties => Self::Submit,
            Spread::One => Self::SubmitInOneCounty,
        }
    }

    const fn spread(self) -> Option<Spread> {
        match self {
            Self::Submit => Some(Spread::Counties),
            Self::SubmitInOneCounty => Some(Spread::One),
            Self::Get | Self::List => None,
        }
    }
}

/// The plan of the load generator.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) work: Work,
    pub(crate) address: SocketAddr,
    /// Each connection takes one client, in turn.
    pub(crate) clients: Vec<Credentials>,
    pub(crate) connections: usize,
    /// Not counted.
    pub(crate) warm_up_ms: u64,
    pub(crate) window_ms: u64,
    pub(crate) windows: usize,
    /// The numbers of the claims to send: the first, and the end (exclusive). The load stops early
    /// when they are used up.
    pub(crate) numbers: (u64, u64),
    /// The file that ids are written to when claims are submitted, or read from.
    pub(crate) ids: PathBuf,
}

/// A client, as the pipe carries it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Credentials {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl From<&Client> for Credentials {
    fn from(client: &Client) -> Self {
        Self {
            id: client.id.clone(),
            secret: client.secret.clone(),
        }
    }
}

/// The results of one window.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) seconds: f64,
    /// Good answers.
    pub(crate) latencies: Histogram,
    /// Bad answers, and the first of them.
    pub(crate) failed: u64,
    pub(crate) failure: Option<String>,
    /// CPU seconds of the load generator.
    pub(crate) cpu: f64,
    /// All numbers are used up.
    pub(crate) ran_dry: bool,
    /// The first number that was not sent, counted from the plan's first.
    pub(crate) sent: u64,
    /// Answers that were read whole and checked.
    pub(crate) checked: u64,
}

impl Seen {
    pub(crate) fn rate(&self) -> f64 {
        if self.seconds > 0.0 {
            self.latencies.total() as f64 / self.seconds
        } else {
            0.0
        }
    }
}

/// Runs the load generator to its end, and calls `begins` at the start of a window and `seen` at
/// its end.
pub(crate) async fn run(
    plan: &Plan,
    mut begins: impl FnMut(),
    mut seen: impl FnMut(Seen),
) -> anyhow::Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("load")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().context("the load generator cannot be run")?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    stdin.write_all(&serde_json::to_vec(plan)?).await?;
    stdin.shutdown().await?;
    drop(stdin);
    let mut lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
    while let Some(line) = lines.next_line().await? {
        match line.as_str() {
            "begins" => begins(),
            line => seen(serde_json::from_str(line)?),
        }
    }
    let status = child.wait().await?;
    if !status.success() {
        bail!("the load generator ended: {status}");
    }
    Ok(())
}
