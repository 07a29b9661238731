//! The bank: the files that it is given, and what it reports.
//!
//! | module | step |
//! |---|---|
//! | `instruction` | what the bank is to pay, as a file |
//! | `submissions` | the file's way to the bank, where it goes by itself |
//! | `report_polling` | the bank's reports, where they are fetched from it |
//! | `report_import` | which results a bank's file says of which payments |
//! | `matching` | what a result is to a payment as it stands |
//! | `settlement` | results, in any order and as often as they come; what fits nothing is set aside |
//! | `exceptions` | a person resolves what was set aside |
//!
//! A file goes to the bank with the same bytes and key until the bank has taken it. A result is
//! known by its fingerprint, so that a repeat changes nothing whenever it comes, and a result
//! that fits no payment is set aside for a person to resolve. A file is leased for 15 minutes, the
//! bank's reports for 30.

mod exceptions;
pub(super) mod instruction;
mod matching;
mod report_import;
mod report_polling;
mod settlement;
mod submissions;

pub use exceptions::{BankException, Resolution};
pub use instruction::{InstructionFile, InstructionFormat};
pub use matching::PaymentResult;
pub use report_import::{BankReport, ReportFormat};
pub use report_polling::{FetchedReport, PollRound};
pub use settlement::Results;
pub use submissions::{Submission, SubmissionResolution, Submissions};
