//! Bundles of ledgers, and the check of one without trusting whoever made it.
//!
//! [`Writer`] puts parts together in the one form there is; [`verify`] reads such a file once, from front to back, and holds
//! everything in it against everything else and against a public key: bytes, the tree, balances, decisions, the life of every
//! claim, four eyes, uniqueness, caps, payouts, samples. It stops at the first thing that does not hold and says where.
//!
//! `docs/transparency.md` describes the form for those who write their own verifier.
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
