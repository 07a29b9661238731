//! What decides claims beside the claims themselves: versions of programmes, and the registers that
//! they ask.
//!
//! | module | holds |
//! |---|---|
//! | `drafts` | a version of a programme, proposed by one person and put in force by another |
//! | `replay` | recorded claims under another document, read in pages and decided on several threads |
//! | `registers` | streaming loads of the registers, and rows read back for a look-up |
//!
//! A version in force is immutable. A replay writes nothing, and two run at once. A load
//! holds one line of at most 64 KiB and one set of 1,000 rows, whatever the length of its file.

mod drafts;
pub mod registers;
pub mod replay;

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::at_rest::Vault;
use crate::catalogue::Catalogues;
use crate::operation::Runner;

pub use drafts::{Draft, DraftDetail, Proposal};

/// What decides: drafts of programmes, registers, and replays of recorded claims.
#[derive(Debug, Clone)]
pub struct Programmes {
    op: Arc<Runner>,
    catalogue: Arc<Catalogues>,
    vault: Arc<Vault>,
    /// A turn for each replay that may run.
    replays: Arc<Semaphore>,
}

impl Programmes {
    pub(crate) fn new(op: &Arc<Runner>, catalogue: &Arc<Catalogues>, vault: &Arc<Vault>) -> Self {
        Self {
            op: Arc::clone(op),
            catalogue: Arc::clone(catalogue),
            vault: Arc::clone(vault),
            replays: Arc::new(Semaphore::new(replay::AT_ONCE)),
        }
    }
}
