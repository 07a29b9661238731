//! Money on its way out of a fund, to the bank and back.
//!
//! | module | holds |
//! |---|---|
//! | `accounts` | where payees are paid, and what a county pays from |
//! | `disbursements` | payable claims gathered into payments, set against what is owed, and settled |
//! | `advances` | money paid to merchants ahead of their claims, and repaid |
//! | `bank` | files for the bank, its reports, and what its results do to payments |
//! | `release` | another person lets a disbursement go, and its files to the bank |
//! | `statements` | what a county and a merchant owe each other over a period |
//!
//! Each uses only those above it.
//!
//! A claim is open or paid in one disbursement at most. A released disbursement is frozen by its
//! digest, and sent = paid + failed + returned + open at any instant. A disbursement has at most
//! `limits.disbursement_claims` claims.

mod accounts;
mod advances;
mod bank;
mod disbursements;
mod release;
pub mod statements;

use std::sync::Arc;

use crate::Settings;
use crate::at_rest::Vault;
use crate::catalogue::Catalogues;
use crate::claims::Claims;
use crate::funds::Funds;
use crate::operation::Runner;

pub use accounts::{EnteredAccount, ShownAccount};
pub use advances::{Advance, NewAdvance, Repayment};
pub use bank::{
    BankException, BankReport, FetchedReport, InstructionFile, InstructionFormat, PaymentResult, PollRound,
    ReportFormat, Resolution, Results, Submission, SubmissionResolution, Submissions,
};
pub use disbursements::{Count, Disbursement, Gather, PaidClaim, Payment, Reconciliation};

/// Money on its way out of a fund, to the bank and back.
#[derive(Debug, Clone)]
pub struct Payments {
    op: Arc<Runner>,
    catalogue: Arc<Catalogues>,
    vault: Arc<Vault>,
    settings: Arc<Settings>,
    funds: Funds,
    claims: Arc<Claims>,
}

impl Payments {
    pub(crate) fn new(funds: &Funds, claims: &Arc<Claims>, settings: &Arc<Settings>) -> Self {
        Self {
            op: Arc::clone(&funds.op),
            catalogue: Arc::clone(&funds.catalogue),
            vault: Arc::clone(&claims.vault),
            settings: Arc::clone(settings),
            funds: funds.clone(),
            claims: Arc::clone(claims),
        }
    }
}
