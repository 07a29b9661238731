//! What lets others check the service: the transparency log, samples for inspection, and exports.
//!
//! Nothing here moves money or decides a claim. What is answered can be verified without the
//! service: a proof by its hashes, a sample by its seed, an export by the checkpoint that covers
//! it. Exports are streamed, so that their size is bounded by the caller's patience and not by
//! memory.

pub mod export_query;
pub mod exports;
pub mod samples;
pub mod transparency;

use crate::http::contract::{Operation, operations};

/// Every operation of the wing.
pub(crate) const OPERATIONS: &[Operation] = operations![
    transparency::prove_claim,
    exports::export_ledger,
    exports::export_claims,
    samples::commit_sample,
    samples::list_samples,
    samples::get_sample,
    samples::draw_sample,
    transparency::get_checkpoint,
    transparency::list_checkpoints,
    transparency::make_checkpoint,
    transparency::cosign_checkpoint,
    transparency::prove_inclusion,
    transparency::prove_consistency,
];
