//! Texts as they lie in the database: what was submitted and what was decided, for years.
//!
//! | module | holds |
//! |---|---|
//! | `document` | a claim as text, in a form that is frozen with its version; masked, or in full |
//! | `packing` | that text compressed against a dictionary that is frozen with its number |
//! | `vault` | that text sealed to its place, and keyed hashes of personal data |
//!
//! Whatever was written once is read to the byte for as long as it is kept: a form, a dictionary
//! and a key have a number in the row, and those that are no longer written are still read. A
//! packed text has at most 1 MiB.

pub mod document;
pub mod packing;
mod vault;

pub use vault::{Vault, VaultError};
