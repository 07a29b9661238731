//! Programmes in force, proposed versions, the registers that rules read, and recorded claims for a replay.
//!
//! A version of a programme is one immutable row with the document and its SHA-256 ([`reference`]); it comes from a draft that one
//! person proposed and another activated ([`drafts`]), by constraint. Registers are loaded in sets, later rows in the place of
//! earlier ones, and are read for a whole batch of claims in one round trip ([`registers`]). A replay reads claims with
//! their receipts in pages and writes nothing ([`replay`]).

pub mod drafts;
pub mod reference;
pub mod registers;
pub mod replay;
