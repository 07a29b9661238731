//! Who calls: tokens, and the log of looks at personal data.
//!
//! A token is issued for a client's credentials and is the only way in;
//! [`crate::http::authenticated`] checks it on every other request. Every look at personal data
//! leaves an entry, which [`access_log`] lists and no operation removes.

pub mod access_log;
pub mod tokens;

use crate::http::contract::{Operation, operations};

/// Every operation of the wing.
pub(crate) const OPERATIONS: &[Operation] = operations![
    tokens::issue_token,
    tokens::get_jwks,
    access_log::list_personal_reads,
];
