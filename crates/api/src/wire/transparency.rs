//! The transparency log as it is answered.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use ledger::log::Hash;
use serde::Serialize;
use service::transparency::{ClaimProof, Consistency, Inclusion, Signed};
use utoipa::{IntoParams, ToSchema};

use crate::http::extract::Params;
use crate::http::fields::Fields;

/// The largest number of a leaf, and size of a log, that is asked for.
const LEAVES: u32 = u32::MAX;

/// Which checkpoint.
#[derive(Debug, Clone, Copy)]
pub struct CheckpointQuery {
    pub size: Option<u32>,
}

/// For the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CheckpointParams {
    /// The one of this many leaves; the youngest if it is left out.
    #[param(minimum = 0, maximum = 4294967295_u64)]
    pub size: Option<u32>,
}

impl Params for CheckpointQuery {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        f.optional("size", |s| s.whole(0, LEAVES))
            .map(|size| CheckpointQuery { size })
    }
}

/// Which leaf, in which tree.
#[derive(Debug, Clone, Copy)]
pub struct InclusionQuery {
    pub leaf: u32,
    pub size: Option<u32>,
}

/// For the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InclusionParams {
    /// The leaf's number, from 0.
    #[param(minimum = 0, maximum = 4294967295_u64)]
    pub leaf: u32,
    /// Leaves of the tree; those of the youngest checkpoint if it is left out.
    #[param(minimum = 1, maximum = 4294967295_u64)]
    pub size: Option<u32>,
}

impl Params for InclusionQuery {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let leaf = f.required("leaf", |s| s.whole(0, LEAVES));
        let size = f.optional("size", |s| s.whole(1, LEAVES));
        Some(InclusionQuery {
            leaf: leaf?,
            size: size?,
        })
    }
}

/// Which two trees.
#[derive(Debug, Clone, Copy)]
pub struct ConsistencyQuery {
    pub from: u32,
    pub to: Option<u32>,
}

/// For the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ConsistencyParams {
    /// Leaves of the earlier tree.
    #[param(minimum = 1, maximum = 4294967295_u64)]
    pub from: u32,
    /// Leaves of the later tree; those of the youngest checkpoint if it is left out.
    #[param(minimum = 1, maximum = 4294967295_u64)]
    pub to: Option<u32>,
}

impl Params for ConsistencyQuery {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let from = f.required("from", |s| s.whole(1, LEAVES));
        let to = f.optional("to", |s| s.whole(1, LEAVES));
        Some(ConsistencyQuery { from: from?, to: to? })
    }
}

/// A signed checkpoint of a county's log.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Checkpoint)]
pub struct CheckpointView {
    /// How many leaves it covers.
    #[schema(minimum = 0)]
    pub size: u64,
    /// Root of the tree, base64.
    #[schema(max_length = 44)]
    pub root: String,
    pub made_at: DateTime<Utc>,
    /// The signed note (C2SP tlog-checkpoint), with the lines of those who vouch for it.
    #[schema(max_length = 20000)]
    pub note: String,
}

impl From<Signed> for CheckpointView {
    fn from(it: Signed) -> Self {
        CheckpointView {
            size: it.size,
            root: it.root.to_string(),
            made_at: it.made_at,
            note: it.note,
        }
    }
}

/// That a leaf stands in the tree (RFC 6962, 2.1.1). Hashes are SHA-256 in base64.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = InclusionProof)]
pub struct InclusionView {
    #[schema(minimum = 0)]
    pub leaf_index: u64,
    /// SHA-256 of a zero byte and the leaf.
    #[schema(max_length = 44)]
    pub leaf_hash: String,
    #[schema(minimum = 1)]
    pub tree_size: u64,
    #[schema(max_length = 44)]
    pub root: String,
    /// From the leaf's sibling to the root's child.
    #[schema(max_items = 64)]
    pub hashes: Vec<String>,
}

impl From<Inclusion> for InclusionView {
    fn from(it: Inclusion) -> Self {
        InclusionView {
            leaf_index: it.leaf,
            leaf_hash: it.leaf_hash.to_string(),
            tree_size: it.size,
            root: it.root.to_string(),
            hashes: texts(&it.hashes),
        }
    }
}

/// That one tree begins with another (RFC 6962, 2.1.2). Hashes are SHA-256 in base64.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ConsistencyProof)]
pub struct ConsistencyView {
    #[schema(minimum = 1)]
    pub from: u64,
    #[schema(max_length = 44)]
    pub from_root: String,
    #[schema(minimum = 1)]
    pub to: u64,
    #[schema(max_length = 44)]
    pub to_root: String,
    #[schema(max_items = 64)]
    pub hashes: Vec<String>,
}

impl From<Consistency> for ConsistencyView {
    fn from(it: Consistency) -> Self {
        ConsistencyView {
            from: it.from,
            from_root: it.from_root.to_string(),
            to: it.to,
            to_root: it.to_root.to_string(),
            hashes: texts(&it.hashes),
        }
    }
}

/// That what was decided on a claim stands in its county's log.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ClaimProof)]
pub struct ClaimProofView {
    /// The leaf's bytes, base64; docs/transparency.md says what they are.
    #[schema(max_length = 2000)]
    pub leaf: String,
    /// The receipt, byte for byte as the leaf's hash of it says.
    #[schema(max_length = 100000)]
    pub receipt: String,
    pub inclusion: InclusionView,
    pub checkpoint: CheckpointView,
    /// The key that the checkpoint is signed with, as a verifier key of a signed note. Compare it with the one you were given.
    #[schema(max_length = 400)]
    pub key: String,
}

impl From<ClaimProof> for ClaimProofView {
    fn from(it: ClaimProof) -> Self {
        ClaimProofView {
            leaf: STANDARD.encode(&it.leaf),
            receipt: it.receipt,
            inclusion: it.inclusion.into(),
            checkpoint: it.checkpoint.into(),
            key: it.key,
        }
    }
}

fn texts(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(Hash::to_string).collect()
}
