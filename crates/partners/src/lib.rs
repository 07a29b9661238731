//! Adapters for the ports of `service` that call partners over the network or by files. The only
//! crate that depends on reqwest.
//!
//! Every call to a partner is bounded in time, in attempts and in what it reads. It goes to the
//! address an operator configured and nowhere else, or, for merchants' webhooks, to public
//! addresses only. It fails with an error of [`service::ports`] that may be logged: the text states
//! the fault and never the path, query or credentials of an address, a key, what was sent, or what
//! a partner answered.
//!
//! [`HttpEventSink`] delivers events, see [`events`]. [`HttpBank`] and [`FileDrop`] are two ways to
//! one port, the bank: see [`bank`] and [`drop`]. [`HttpWebhooks`] delivers webhook messages to
//! merchants, see [`webhooks`].

pub mod bank;
mod circuit;
pub mod drop;
mod endpoint;
pub mod events;
mod loopback;
mod outcome;
pub mod own_api;
mod retry;
mod signature;
#[cfg(test)]
mod test_server;
#[cfg(test)]
mod test_tls;
mod timeouts;
pub mod webhooks;

pub use bank::{HttpBank, HttpBankConfig, Identity};
pub use circuit::CircuitState;
pub use drop::{FileDrop, NoDrop};
pub use events::{EventSinkConfig, HttpEventSink};
pub use loopback::{is_loopback, is_loopback_host};
pub use timeouts::Timeouts;
pub use webhooks::{HttpWebhooks, Reach, WebhooksConfig};

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
    #[error("a client certificate or root certificates are of no use for an endpoint that is not https")]
    CertificateWithoutTls,
    #[error(
        "the client certificate and its key are not PEM: a chain, its own certificate first, and one key"
    )]
    ClientCertificate,
    #[error("the root certificates are not PEM, or none is among them")]
    RootCertificates,
    /// Nearly always: the machine has no root certificates, or a client certificate has another
    /// key.
    #[error("no HTTP client: {0}")]
    Client(String),
}
