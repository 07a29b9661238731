//! One file for each noun.

pub(crate) mod accounts;
pub(crate) mod advances;
pub(crate) mod bulk;
pub(crate) mod bulk_lines;
pub(crate) mod claims;
pub(crate) mod clawbacks;
pub(crate) mod disbursements;
pub(crate) mod drafts;
pub(crate) mod exports;
pub(crate) mod funds;
pub(crate) mod holds;
pub(crate) mod ledgers;
pub(crate) mod operations;
pub(crate) mod payments;
pub(crate) mod programmes;
pub(crate) mod registers;
pub(crate) mod review;
pub(crate) mod samples;
pub(crate) mod statements;
pub(crate) mod submissions;
pub(crate) mod tokens;
pub(crate) mod transparency;
pub(crate) mod webhooks;
