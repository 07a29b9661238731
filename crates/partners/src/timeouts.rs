//! How long a call waits for a partner.

use std::time::Duration;

use crate::ConfigError;

/// Bounds of a call in time. The shortest that applies wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection: name, TCP and TLS.
    pub connect: Duration,
    /// For one attempt, from its beginning to the end of its answer.
    pub attempt: Duration,
    /// For all attempts and the pauses between them. Of events at most
    /// [`crate::events::LONGEST_CALL`].
    pub call: Duration,
}

impl Timeouts {
    /// For a bank: files of some megabytes over lines that are not fast.
    pub const BANK: Self = Self {
        connect: Duration::from_secs(5),
        attempt: Duration::from_secs(60),
        call: Duration::from_secs(150),
    };

    /// # Errors
    /// [`ConfigError::NoTime`].
    pub(crate) fn check(self) -> Result<Self, ConfigError> {
        if [self.connect, self.attempt, self.call]
            .iter()
            .any(Duration::is_zero)
        {
            return Err(ConfigError::NoTime);
        }
        Ok(self)
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            attempt: Duration::from_secs(15),
            call: Duration::from_secs(30),
        }
    }
}
