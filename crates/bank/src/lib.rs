//! Payment instructions to a bank, and the reports it returns.
//!
//! An [`Instruction`] is checked when it is made: once one exists, every file of it is one that a
//! bank's schema accepts. [`files`] writes it, as ISO 20022 `pain.001.001.09` or as CSV for a bank
//! that has an officer upload a table, in parts no longer than the bank accepts; the same
//! instruction gives the same bytes. [`read`] turns a bank's report (`pain.002`, `camt.054`, the
//! same CSV with its result columns filled in) into one [`Report`], whatever the format:
//! reconciliation sees verdicts and [`FailureReason`]s, not formats.
//!
//! The crate is pure: time and ids come in as arguments, and it neither opens a file nor sends one.
//! It never guesses what a bank meant: a status without a defined meaning is [`Verdict::Unclear`]
//! and left to a person. Of claims and payments it has ids and amounts only, so that the caller
//! decides whether a verdict fits the instruction.
//!
//! Bounds: [`MAX_PAYMENTS`], [`MAX_FILES`] and the lengths of the ISO types when writing;
//! [`Limits`] when reading, where a DTD or an entity is refused as well. Names, accounts and a
//! bank's free text are [`Secret`]: no `Debug` output and no error shows one.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod digest;
mod file;
mod ids;
mod instruction;
mod read;
mod reason;
mod report;
mod secret;
mod text;
mod timestamp;
mod write;

pub use digest::Digest;
pub use file::{File, FileError, Format, MAX_FILES, files};
pub use ids::{EndToEndId, FileId, IdError, MessageId, Quoted};
pub use instruction::{
    Detail, Field, Instruction, InstructionError, MAX_PAYMENTS, Party, Payment, SHOWN_DETAILS,
};
pub use read::{Fault, Limits, Place, ReadError, ReportFormat, read, read_within};
pub use reason::{FailureReason, ReasonCode};
pub use report::{Failure, Group, GroupVerdict, Item, Report, Verdict};
pub use secret::Secret;
pub use text::TextFault;
