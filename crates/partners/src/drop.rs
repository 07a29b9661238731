//! The bank by folders: what counties and their banks agree on where there is no gateway. Some
//! program of the bank's takes files away and lays reports down, over SFTP or a share.
//!
//! ```text
//! <root>/outgoing/NAME, NAME.sha256    orders, whole from the start; the bank's program takes them
//! <root>/incoming/NAME, NAME.sha256    reports; read when the digest is that of the bytes
//! <root>/taken/…                       reports that are recorded
//! <root>/sent/NAME.sha256              all orders handed over, and those being handed over
//! ```
//!
//! The bank may take a file away at once, so that its absence from `outgoing` does not prove that
//! it was never there. `sent` does, across crashes at any point, by three steps that are each whole
//! or not there:
//!
//! 1. `sent/NAME.part` holds the bytes, on disk;
//! 2. `sent/NAME.sha256` binds the name to these bytes, for good;
//! 3. `sent/NAME.part` is renamed to `outgoing/NAME`, beside which `NAME.sha256` is already.
//!
//! If step 2 is there and the part is not, step 3 was done: the file is never laid down again. If
//! both are there, step 3 is still to be done. If step 2 is not there, nothing was done. All four
//! folders are therefore on one file system. Keep `sent`: emptying it allows a second payment.
//!
//! Instances on any number of machines take turns by a lock on `sent/lock`; the file system must
//! support those.
//!
//! Checksum files are those of `sha256sum`. A report and its checksum may come in either order. An
//! entry that is incomplete, a link, too large or has no file's name stays where it is, and is
//! counted in the log when the count changes.

mod disk;
mod folders;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use service::ports::{Answering, Bank, BankError, BankFile, FileName, ResultsPage, Submitted};
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::Instant;

use folders::{Folders, LeftLying};

/// How long to wait for another instance's turn to end.
const TURN: Duration = Duration::from_secs(10);

/// Pause between two looks at the lock.
const LOOK: Duration = Duration::from_millis(50);

/// Why a folder cannot be a drop. The texts name the part, not the path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoDrop {
    #[error("{0} is not a folder")]
    NotAFolder(&'static str),
    #[error("{0} is writable by all accounts: a report laid down there decides what counts as paid")]
    OpenToAll(&'static str),
    #[error("{0} is on another file system than the rest, where nothing can be renamed to")]
    Elsewhere(&'static str),
    #[error("{0} cannot be used: {1}")]
    Unusable(&'static str, io::ErrorKind),
}

/// The bank by folders. Holds no state of the drop: any number of instances may work on one.
pub struct FileDrop {
    folders: Arc<Folders>,
    left_lying: Mutex<LeftLying>,
}

impl FileDrop {
    /// Opens a drop in a folder that exists. The four folders within it are made if they are
    /// missing, for the owner and its group; make them beforehand if the bank's program needs other
    /// rights.
    ///
    /// # Errors
    /// If a folder is not one, is open to all, or cannot be used.
    pub fn open(root: &Path) -> Result<Self, NoDrop> {
        Ok(Self {
            folders: Arc::new(Folders::open(root)?),
            left_lying: Mutex::default(),
        })
    }

    async fn hand_over(&self, file: &BankFile) -> Result<Submitted, BankError> {
        let file = file.clone();
        let lost = BankError::Unknown {
            why: BROKE_OFF.to_owned(),
            retry_after: None,
        };
        self.in_turn(move |folders| folders.hand_over(&file), lost)
            .await?;
        Ok(Submitted { reference: None })
    }

    async fn read(&self, since: Option<&str>) -> Result<ResultsPage, BankError> {
        let (folders, since) = (Arc::clone(&self.folders), since.map(str::to_owned));
        let whole = since.is_none();
        let (page, left_lying) = spawn_blocking(move || folders.reports(since.as_deref()))
            .await
            .map_err(broke_off)??;
        // Only a look at everything can be compared with the one before.
        if whole && page.next.is_none() {
            self.log_change(left_lying);
        }
        Ok(page)
    }

    async fn take(&self, name: &FileName, sha256: &[u8; 32]) -> Result<(), BankError> {
        let (name, sha256) = (name.clone(), *sha256);
        let lost = folders::unavailable(BROKE_OFF);
        self.in_turn(move |folders| folders.take(&name, &sha256), lost)
            .await
    }

    /// Runs the work while no other instance runs its own. Returns `lost` when the work breaks off
    /// in the middle.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folders) -> Result<T, BankError> + Send + 'static,
        lost: BankError,
    ) -> Result<T, BankError> {
        let began = Instant::now();
        loop {
            let folders = Arc::clone(&self.folders);
            // Looks at the lock and does not block: a thread that blocks on a lock cannot be
            // cancelled.
            let turn = spawn_blocking(move || folders.turn())
                .await
                .map_err(broke_off)??;
            if let Some(turn) = turn {
                let folders = Arc::clone(&self.folders);
                // Goes on if its caller is cancelled, and keeps its turn to the end.
                let done = spawn_blocking(move || {
                    let _turn = turn;
                    work(&folders)
                });
                return done.await.unwrap_or(Err(lost));
            }
            if began.elapsed() >= TURN {
                return Err(folders::unavailable(
                    "another instance is at work there for too long",
                ));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Logs each change once, not with each round.
    fn log_change(&self, now: LeftLying) {
        let mut before = self.left_lying.lock().unwrap_or_else(PoisonError::into_inner);
        if *before == now {
            return;
        }
        *before = now;
        let LeftLying {
            unfinished,
            no_files,
            too_large,
            unreadable,
        } = now;
        tracing::warn!(
            unfinished,
            no_files,
            too_large,
            unreadable,
            "bank reports left in the drop folder"
        );
    }
}

impl Bank for FileDrop {
    /// The name already makes a submission idempotent; the key adds nothing to it.
    fn submit<'a>(&'a self, file: &'a BankFile, _: &'a str) -> Answering<'a, Result<Submitted, BankError>> {
        Box::pin(self.hand_over(file))
    }

    fn results<'a>(&'a self, since: Option<&'a str>) -> Answering<'a, Result<ResultsPage, BankError>> {
        Box::pin(self.read(since))
    }

    fn acknowledge<'a>(
        &'a self,
        name: &'a FileName,
        sha256: &'a [u8; 32],
    ) -> Answering<'a, Result<(), BankError>> {
        Box::pin(self.take(name, sha256))
    }
}

impl fmt::Debug for FileDrop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileDrop").finish_non_exhaustive()
    }
}

/// A panic, or a runtime that ends.
const BROKE_OFF: &str = "the work on the folders broke off";

fn broke_off(_: JoinError) -> BankError {
    folders::unavailable(BROKE_OFF)
}

#[cfg(test)]
mod tests;
