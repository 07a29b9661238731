//! Errors of a private cluster, at its start and in use.

use std::io;
use std::path::{Path, PathBuf};

use crate::OLDEST_MAJOR;

/// Why a private PostgreSQL cannot start or do what was asked. A message states what to do, where
/// there is something to do.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    #[error(
        "no PostgreSQL {OLDEST_MAJOR} or later was found in {}; install it with the system's package manager \
         (`make demo` does) or set HUANXIN_PG_BIN to the directory that holds initdb and postgres",
        searched.join(", ")
    )]
    NotInstalled { searched: Vec<String> },

    #[error("HUANXIN_PG_BIN names {}, which {reason}", path.display())]
    UnusableInstallation { path: PathBuf, reason: String },

    #[error(
        "{} was made by PostgreSQL {made_by}, which is not installed (found: {found}); install it or choose another \
         directory",
        data.display()
    )]
    OtherMajor {
        data: PathBuf,
        made_by: u32,
        found: String,
    },

    #[error(
        "PostgreSQL refuses to run as root and there is neither an account `postgres` nor `nobody` to run it as; \
         start huanxin as an ordinary user"
    )]
    NoAccount,

    #[error("the account `{account}`, which PostgreSQL runs as, cannot write in {}", directory.display())]
    Unreachable { directory: PathBuf, account: String },

    #[error("{} is in use by another huanxin that is still running", directory.display())]
    InUse { directory: PathBuf },

    #[error("{action} {}: {source}", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },

    #[error("{program} failed ({outcome}): {message}")]
    Program {
        program: String,
        outcome: String,
        message: String,
    },

    #[error("PostgreSQL did not start: {reason}; the end of {}:\n{tail}", log.display())]
    DidNotStart {
        reason: String,
        log: PathBuf,
        tail: String,
    },

    #[error("`{0}` is not a database name: up to 63 of a-z, 0-9 and _, beginning with a letter")]
    DatabaseName(String),
}

impl ClusterError {
    /// For `map_err` on errors of the file system.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
