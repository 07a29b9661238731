//! Claims for a trade-in subsidy: their form, their facts and their life cycle.
//!
//! A [`claim::Claim`] is parsed: once one exists, its identifiers are well formed. [`facts::facts`]
//! derives from it and the [`registers`] the facts that a programme decides on. [`keys`] defines
//! what may be claimed only once, [`allocate`] gives keys, quotas and money to a batch as if its
//! claims came one after another, and [`life_cycle`] defines which verbs a claim allows afterwards
//! and which transfer each step makes.
//!
//! The crate is pure: time, ids and digests come in as arguments, so that nothing here can fail for
//! an outside reason. It holds the only definitions of these rules; the database enforces them
//! again by its constraints.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

pub mod allocate;
pub mod claim;
pub mod clawback;
pub mod clients;
pub mod digest;
pub mod facts;
pub mod identifiers;
pub mod ids;
pub mod jurisdictions;
pub mod keys;
pub mod life_cycle;
pub mod payments;
pub mod proposal;
pub mod registers;
pub mod replay;
pub mod sampling;
pub mod text;
pub mod webhooks;

#[cfg(test)]
mod fixtures;

pub use digest::{Digest, Domain};
pub use ids::{
    AdvanceId, AppropriationId, BankEntryId, CapChangeId, ClaimId, DisbursementId, DraftId, HoldId, IdError,
    PaymentId, SampleId, WaiverId, WebhookId,
};
pub use jurisdictions::JurisdictionCode;
