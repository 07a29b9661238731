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
