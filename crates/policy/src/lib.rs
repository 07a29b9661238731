//! Programme documents: parsed, compiled, checked, decided, priced and explained.
//!
//! Pure: no clock, no randomness, no I/O. A decision is a function of the document and the facts,
//! and the same two give the same decision years later: that makes a receipt worth keeping.
//!
//! ```text
//! document ─ Programme::parse ─► Programme ─ decide(&Facts) ─► Decision ─ receipt ─► JSON, SHA-256
//!              └► diagnostics with line and column                            └► re_execute
//! ```
//!
//! Guarantees:
//! * a document that loads refers to existing facts only, has no type error, no dead tier, and
//!   cites a clause for every rule;
//! * deciding never panics, evaluates every rule, and does not depend on the order of facts;
//! * an eligible decision has a price, in whole fen, at most its cap and at most its base;
//! * facts hold no personal data, so neither do decisions and receipts.
#![deny(clippy::arithmetic_side_effects)]

mod decide;
mod decision;
mod diagnostic;
mod document;
mod example;
mod expression;
mod facts;
mod lang;
mod load;
mod programme;
mod reach;
pub mod receipt;
pub mod replay;
pub mod schema;
mod summary;
mod versions;

pub use decision::{Decision, FactsRead, Outcome, Price, RuleOutcome, RuleResult};
pub use diagnostic::Diagnostic;
pub use document::{
    CapScope, Caps, Confidence, Instrument, Kind, Note, Review, ReviewMode, Rounding, Verdict,
};
pub use example::{Example, ExampleResult};
pub use facts::{FactError, Facts, Key, Value};
pub use lang::{Lang, Text};
pub use programme::{Category, Funding, FundingShares, Programme, Quota, RuleText, Severity, Window};
pub use versions::{Overlap, VersionStatus, check_overlap, in_force};
