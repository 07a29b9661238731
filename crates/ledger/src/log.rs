//! The transparency log of a county's ledger: leaves in a frozen encoding, the Merkle tree over
//! them, signed checkpoints.
//!
//! Every transfer, every decision and every act of a person is a [`Leaf`]; leaves are numbered from
//! zero in the county's order, and their tree is that of RFC 6962. A [`Checkpoint`] states the
//! number of leaves and their root, signed with Ed25519 in the form of C2SP's tlog-checkpoint, so
//! that a keeper of one detects any later change of what it covers.
//!
//! The encoding of a leaf and the form of a checkpoint are frozen: other implementations are
//! checked against the vectors under `tests/vectors`. A new encoding is a new version beside the
//! old one.

mod checkpoint;
mod leaf;
mod tree;

pub use checkpoint::{Checkpoint, Cosignature, KeyError, LogKey, NoteError, PublicKey, Witness, WitnessKey};
pub use leaf::{Decision, Event, Leaf, Posted};
pub use tree::{
    Growing, Hash, Node, Parts, ProofError, Tree, check_consistency, check_inclusion, consistency, inclusion,
    root,
};
