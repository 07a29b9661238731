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

pub use drafts::{Draft, DraftDetail, Proposal};
