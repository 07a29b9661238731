//! What lets others check the city's work without its help: a log that cannot be rewritten, samples
//! that cannot be chosen, and everything as files.
//!
//! | module | holds |
//! |---|---|
//! | `transparency` | the signed checkpoints of a county's log, and proofs against them |
//! | `bundle` | a county or the city as an archive that is checked without this service |
//! | `samples` | claims drawn for inspection by a seed that the log fixed beforehand |
//! | `export` | ledgers and claims as files: CSV, JSON lines, XLSX, Parquet, accounting data |
//!
//! Nothing here moves money. A checkpoint covers leaves as they were appended, and not rows that
//! can be changed. A file is written page by page: its rows are never held at once.

mod bundle;
pub mod export;
mod samples;
mod transparency;

use std::sync::Arc;

use crate::catalogue::Catalogues;
use crate::claims::Claims;
use crate::funds::Funds;
use crate::operation::Runner;

pub use samples::{Draw, Sample, Sampling};
pub use transparency::{ClaimProof, Consistency, Inclusion, LogSettings, Signed};

/// What proves the ledger, and what is taken out of it.
#[derive(Debug, Clone)]
pub struct Audit {
    op: Arc<Runner>,
    catalogue: Arc<Catalogues>,
    log: Arc<LogSettings>,
    funds: Funds,
    claims: Arc<Claims>,
}

impl Audit {
    pub(crate) fn new(funds: &Funds, claims: &Arc<Claims>, log: LogSettings) -> Self {
        Self {
            op: Arc::clone(&funds.op),
            catalogue: Arc::clone(&funds.catalogue),
            log: Arc::new(log),
            funds: funds.clone(),
            claims: Arc::clone(claims),
        }
    }
}
