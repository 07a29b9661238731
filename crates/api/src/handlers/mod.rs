//! One file for each noun.

pub(crate) mod accounts;
pub(crate) mod advances;
pub(crate) mod disbursements;
pub(crate) mod payments;
pub(crate) mod statements;
pub(crate) mod submissions;
pub(crate) mod webhooks;
