//! What one person makes and another decides on: the maker's part waits until a second person approves or refuses it.
//!
//! An appropriation, a change of caps, an account, a waiver and a version of a programme are all signed here, and no
//! person signs twice.

use claims::proposal::{DraftStatus, ProposalStatus};
use store::operation::{EventRow, Signatures};

use super::checks::reason;
use super::error::Refusal;
use super::run::Op;

/// The second person's verdict on what another made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    Approve,
    Refuse,
}

/// How a kind of proposal stands.
pub(crate) trait Standing: Copy + Eq {
    const PENDING: Self;
    fn after(check: Check) -> Self;
    fn word(self) -> &'static str;
}

impl Standing for ProposalStatus {
    const PENDING: Self = Self::Pending;
    fn after(check: Check) -> Self {
        match check {
            Check::Approve => Self::Approved,
            Check::Refuse => Self::Refused,
        }
    }
    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Standing for DraftStatus {
    const PENDING: Self = Self::Pending;
    fn after(check: Check) -> Self {
        match check {
            Check::Approve => Self::Activated,
            Check::Refuse => Self::Refused,
        }
    }
    fn word(self) -> &'static str {
        self.as_str()
    }
}

/// A verdict with its reason, without which nothing is refused.
#[derive(Debug, Clone)]
pub(crate) struct Decision {
    pub(crate) check: Check,
    reason: Option<String>,
}

impl Decision {
    pub(crate) fn new(check: Check, why: Option<String>) -> Result<Self, Refusal> {
        let reason = reason(why, check == Check::Refuse)?;
        Ok(Self { check, reason })
    }

    pub(crate) fn is_approval(&self) -> bool {
        self.check == Check::Approve
    }

    /// Signs a proposal for the second person. Refuses one that was decided, and its maker.
    pub(crate) fn sign<S: Standing>(
        &self,
        op: &Op<'_>,
        what: &'static str,
        signatures: &mut Signatures<S>,
    ) -> Result<(), Refusal> {
        if signatures.status != S::PENDING {
            return Err(Refusal::Settled {
                what,
                status: signatures.status.word().to_owned(),
            });
        }
        if signatures.maker == op.actor.person {
            return Err(Refusal::FourEyes);
        }
        signatures.status = S::after(self.check);
        (signatures.checker, signatures.checked_at) = (Some(op.actor.person.clone()), Some(op.now));
        signatures.reason.clone_from(&self.reason);
        Ok(())
    }

    /// An event of the verdict.
    pub(crate) fn event<S: Standing>(
        &self,
        op: &Op<'_>,
        county: &str,
        subject: &str,
        verb: &str,
    ) -> EventRow {
        let mut event = op.event(county, subject, verb);
        event.from_status = Some(S::PENDING.word().to_owned());
        event.to_status = Some(S::after(self.check).word().to_owned());
        event.reason.clone_from(&self.reason);
        event
    }
}

impl Op<'_> {
    /// The maker's signature under a proposal.
    pub(crate) fn signed<S: Standing>(&self) -> Signatures<S> {
        Signatures {
            status: S::PENDING,
            maker: self.actor.person.clone(),
            made_at: self.now,
            checker: None,
            checked_at: None,
            reason: None,
        }
    }
}
