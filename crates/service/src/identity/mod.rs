//! Who calls: clients, their secrets and tokens, and the record of who looked at personal data.
//!
//! A token names its client and lives for 15 minutes; role and counties are read from the database
//! and cached for 5 seconds, so that a disabled client is out at once for all practical purposes. A
//! client may make `limits.requests_per_second` calls.

mod access_log;
mod tokens;

use std::sync::Arc;

use crate::catalogue::Catalogues;
use crate::operation::Runner;

pub use access_log::{PersonalRead, ReadsQuery};
pub(crate) use tokens::{ClientCache, Throttle, TokenCache};
pub use tokens::{NewClient, SigningKeys, Token};

/// Clients and their tokens, and the record of who looked at personal data.
#[derive(Debug)]
pub struct Identity {
    op: Arc<Runner>,
    catalogue: Arc<Catalogues>,
    signing: SigningKeys,
    throttle: Throttle,
    clients: ClientCache,
    tokens: TokenCache,
}

impl Identity {
    pub(crate) fn new(
        op: &Arc<Runner>,
        catalogue: &Arc<Catalogues>,
        signing: SigningKeys,
        requests_per_second: u32,
    ) -> Self {
        Self {
            op: Arc::clone(op),
            catalogue: Arc::clone(catalogue),
            signing,
            throttle: Throttle::new(requests_per_second),
            clients: ClientCache::default(),
            tokens: TokenCache::default(),
        }
    }
}
