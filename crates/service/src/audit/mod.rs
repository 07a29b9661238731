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

pub use samples::{Draw, Sample, Sampling};
pub use transparency::{ClaimProof, Consistency, Inclusion, LogSettings, Signed};
