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
    BankException, BankReport, HeardReport, Hearing, InstructionFile, InstructionFormat, ReportFormat,
    Resolution, Results, Submission, SubmissionResolution, Submissions,
};
pub use disbursements::{
    Count, Disbursement, Gather, PaidClaim, Payment, PaymentResult, Reconciliation, Said,
};

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
