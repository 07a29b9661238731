//! What one person makes and another decides on: the maker's part waits until a second person approves or refuses it.

use super::error::Refusal;

/// The checker's word on what another person made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    Approve,
    Refuse,
}

impl Check {
    pub(crate) fn status(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Refuse => "refused",
        }
    }
}

/// What was made is open to a check by another person.
pub(crate) fn pending(what: &'static str, status: &str, maker: &str, checker: &str) -> Result<(), Refusal> {
    if status != "pending" {
        return Err(Refusal::Settled {
            what,
            status: status.to_owned(),
        });
    }
    if maker == checker {
        Err(Refusal::FourEyes)
    } else {
        Ok(())
    }
}
