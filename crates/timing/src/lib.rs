//! Time as every crate computes it: the clock of Asia/Shanghai, and the pauses between attempts.
//!
//! The crate is pure. Instants and random numbers come in as arguments, so that the pure crates may
//! use it and tests depend on neither a clock nor chance. No operation panics.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod backoff;
pub mod shanghai;

pub use backoff::{Backoff, Jitter};
