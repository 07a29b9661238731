//! Bundles of ledgers, and the check of a bundle without trust in its maker.
//!
//! [`Writer`] puts parts together in the only form that is valid; [`verify`] reads such a file
//! once, from front to back, and compares everything in it with everything else and with a public
//! key: bytes, the tree, balances, decisions, the life of every claim, four eyes, uniqueness, caps,
//! payouts, samples. It stops at the first fault and reports its place.
//!
//! `docs/transparency.md` describes the form for authors of other verifiers.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod archive;
mod line;
mod manifest;
mod verify;

pub use archive::{FormError, Writer};
pub use line::{
    AppropriationLine, CapLine, ClaimLine, DecisionLine, DisbursementLine, EventLine, FundLine, Instant,
    PaymentLine, TransferLine, keys_as_text,
};
pub use manifest::{ConsistencyPart, CountyManifest, FORMAT, Manifest, PartManifest, Previous, SIGNED_AS};
pub use verify::{CountyReport, Fault, Report, manifest, verify};
