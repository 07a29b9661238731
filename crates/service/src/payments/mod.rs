//! Money on its way out of a fund, to the bank and back.
//!
//! | module | holds |
//! |---|---|
//! | `disbursements` | payable claims gathered, released by another person, and set against what is owed |
//! | `bank` | files for the bank, its reports, and what its words do to payments |
//! | `accounts` | where payees are paid, and what a county pays from |
//! | `advances` | money paid to merchants ahead of their claims, and repaid |
//! | `statements` | what a county and a merchant owe each other over a period |
//!
//! A claim is open or paid in one disbursement at most. A released disbursement is frozen by its
//! digest, and sent = paid + failed + returned + open at any instant. A disbursement has at most
//! `limits.disbursement_claims` claims.

mod accounts;
mod advances;
mod bank;
mod disbursements;
pub mod statements;

pub use accounts::{EnteredAccount, ShownAccount};
pub use advances::{Advance, NewAdvance, Repayment};
pub use bank::{
    BankException, BankReport, HeardReport, Hearing, InstructionFile, InstructionFormat, ReportFormat,
    Resolution, Results, Submission, SubmissionResolution, Submissions,
};
pub use disbursements::{
    Count, Disbursement, Gather, PaidClaim, Payment, PaymentResult, Reconciliation, Said,
};
