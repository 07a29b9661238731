//! The transparency log of a county's ledger: leaves in a frozen encoding, the Merkle tree over them, signed checkpoints.
//!
//! Every transfer, every decision and every act of a person is a [`Leaf`]; leaves are numbered from zero in the county's
//! order, and their tree is that of RFC 6962. A [`Checkpoint`] says how many leaves there are and what their root is, signed
//! with Ed25519 in the form of C2SP's tlog-checkpoint, so that whoever keeps one notices any later change of what it covers.
//!
//! The encoding of a leaf and the form of a checkpoint are frozen: the vectors under `tests/vectors` are what other
//! implementations are held against. A new encoding is a new version beside the old one.

mod checkpoint;
mod leaf;
mod tree;

pub use checkpoint::{Checkpoint, Cosignature, KeyError, LogKey, NoteError, PublicKey, Witness, WitnessKey};
pub use leaf::{Decision, Event, Leaf, Posted};
pub use tree::{
    Growing, Hash, Node, Parts, ProofError, Tree, check_consistency, check_inclusion, consistency, inclusion,
    root,
};
