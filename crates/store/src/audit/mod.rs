//! What proves the ledger, and what auditors are given of it.
//!
//! The log has a leaf for each decision, event and transfer of a county, in the order in which they were committed: leaves are
//! appended in the transaction that makes what they stand for, on top of the county's locked head ([`log`]). A checkpoint
//! signs the log up to a size; a bundle, a sample and an export read what a checkpoint covers.
//!
//! Appending costs one row of hashes a county and unit of work, and one update of its head, however many leaves there are.
//! Bundles and exports run as long as the ledger is large, in pages or row by row, so that memory is bounded by the page.

pub mod bundle;
pub mod exports;
pub mod log;
pub mod samples;
