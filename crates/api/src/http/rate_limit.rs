//! Rate limit for `POST /oauth/token`, per IP address. Argon2 makes it the one expensive operation
//! that is open to anybody.

use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use service::Refusal;

use crate::http::problem::Problem;

/// Addresses remembered before those that have been quiet are forgotten.
const REMEMBERED: usize = 10_000;

pub(crate) struct TokenRateLimit(DefaultKeyedRateLimiter<IpAddr>);

impl TokenRateLimit {
    /// Sustained each minute, and at once.
    pub(crate) fn new(per_minute: u32, at_once: u32) -> Self {
        let positive = |count| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_minute(positive(per_minute));
        Self(RateLimiter::keyed(quota.allow_burst(positive(at_once))))
    }

    /// Argon2 takes milliseconds of a whole core by design, so that guessing secrets would also
    /// starve the service.
    pub(crate) fn check(&self, address: Option<IpAddr>) -> Result<(), Problem> {
        let Some(address) = address else { return Ok(()) };
        if self.0.len() > REMEMBERED {
            self.0.retain_recent();
        }
        self.0
            .check_key(&address)
            .map_err(|_| Refusal::Throttled { retry_after_s: 1 }.into())
    }
}
