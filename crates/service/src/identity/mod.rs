//! Who calls: clients, their secrets and tokens, and the record of who looked at personal data.
//!
//! A token names its client and lives for 15 minutes; role and counties are read from the database
//! and cached for 5 seconds, so that a disabled client is out at once for all practical purposes. A
//! client may make `limits.requests_per_second` calls.

mod access_log;
mod tokens;

pub use access_log::{PersonalRead, ReadsQuery};
pub(crate) use tokens::{ClientCache, Throttle, TokenCache};
pub use tokens::{NewClient, SigningKeys, Token};
