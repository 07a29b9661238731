//! Adapters for the ports of `service` that lead out of the house. The only crate that knows reqwest.
//!
//! Every call to a partner is bounded in time, in attempts and in what it reads; goes to the address an operator
//! configured and nowhere else; and fails with a [`service::ports::PartnerError`] that may be logged: it says what went
//! wrong and never the path, query or credentials of an address, a key, or what a partner answered.
//!
//! [`HttpEventSink`] tells events; see [`events`] for what it promises.

mod endpoint;
pub mod events;
mod outcome;
pub mod own_api;
mod retry;
mod signature;

pub use events::{EventSinkConfig, HttpEventSink, Timeouts};

use std::time::Duration;

/// Why an adapter cannot be made. None of the texts quotes an address or a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("the endpoint is not an absolute http or https address")]
    Endpoint,
    #[error("the endpoint is plain http and not on this machine; use https")]
    PlainHttp,
    #[error("the endpoint carries a user name or password; the signature is what authenticates a message")]
    Credentials,
    #[error("the secret is not whsec_ followed by base64")]
    Secret,
    #[error("the secret has {0} bytes; Standard Webhooks ask for {min} to {max}", min = signature::SHORTEST, max = signature::LONGEST)]
    SecretLength(usize),
    #[error("a timeout of zero lets no call succeed")]
    NoTime,
    #[error("a call of {} s could outlive the lease of its events; the most is {} s", .0.as_secs(), events::LONGEST_CALL.as_secs())]
    TooLong(Duration),
    /// Nearly always: the machine has no root certificates.
    #[error("no HTTP client: {0}")]
    Client(String),
}
