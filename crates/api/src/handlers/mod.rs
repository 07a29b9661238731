//! One file for each noun.

pub(crate) mod accounts;
pub(crate) mod advances;
pub(crate) mod disbursements;
pub(crate) mod exports;
pub(crate) mod payments;
pub(crate) mod samples;
pub(crate) mod statements;
pub(crate) mod submissions;
pub(crate) mod transparency;
pub(crate) mod webhooks;
