//! The transparency log: checkpoints, those who vouch for them, and proofs.

use crate::http::answer::{Answer, Json, ok, paged};
use crate::http::authenticated::Authenticated;
use crate::http::contract::Text;
use crate::http::extract::{Path, PathId, Query, raw_body};
use crate::http::field_limits;
use crate::http::queries::{LedgerPath, PageQuery};
use crate::http::state::ApiState;
use crate::http::views::PageView;
use crate::http::wire::Whole;
use actix_web::{HttpRequest, HttpResponse, web};
use api_macros::operation;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use claims::ClaimId;
use ledger::log::{Hash, NoteError};
use serde::Serialize;
use service::Refusal;
use service::audit::{ClaimProof, Consistency, Inclusion, Signed};
use service::operation::access::{ReadClaims, ReadLedger, WitnessLog};
use utoipa::ToSchema;
use wire_derive::WireQuery;

/// The note itself, as tools that know signed notes want it.
fn note(signed: Signed) -> Answer {
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body(signed.note))
}

/// 检查点 · Get a checkpoint
///
/// How many leaves the county's log has and what the root of their tree is, as a signed note (C2SP tlog-checkpoint, Ed25519) with the lines of
/// those who vouch for it. Whoever keeps one notices any later change of what it covers.
#[operation(
    get "/v1/ledgers/{jurisdiction}/checkpoint",
    tag = Transparency,
    answer("The signed note.", "text/plain" = Text)
)]
pub(crate) async fn get_checkpoint(
    api: ApiState,
    caller: Authenticated<WitnessLog>,
    path: Path<LedgerPath>,
    query: Query<CheckpointQuery>,
) -> Answer {
    let size = query.0.size.map(u64::from);
    note(
        api.service
            .audit()
            .checkpoint(&caller.permit, path.0.jurisdiction.as_str(), size)
            .await?,
    )
}

/// 检查点列表 · List checkpoints
///
/// Youngest first.
#[operation(
    get "/v1/ledgers/{jurisdiction}/checkpoints",
    tag = Transparency,
    answer = "A page of checkpoints."
)]
pub(crate) async fn list_checkpoints(
    api: ApiState,
    caller: Authenticated<WitnessLog>,
    path: Path<LedgerPath>,
    page: Query<PageQuery>,
) -> Answer<Json<PageView<CheckpointView>>> {
    let (jurisdiction, Query(page)) = (path.0.jurisdiction, page);
    let cursor = page.cursor.as_deref();
    let list = api
        .service
        .audit()
        .checkpoints(&caller.permit, jurisdiction.as_str(), cursor, page.limit)
        .await;
    ok(&PageView::of(paged(list)?, CheckpointView::from))
}

/// 生成检查点 · Make a checkpoint
///
/// Of the log as it stands; if it has not grown, the last one. `huanxin work` makes them by itself every few minutes.
#[operation(
    post "/v1/ledgers/{jurisdiction}/checkpoint",
    tag = Transparency,
    answer("The signed note.", "text/plain" = Text)
)]
pub(crate) async fn make_checkpoint(
    api: ApiState,
    caller: Authenticated<WitnessLog>,
    path: Path<LedgerPath>,
) -> Answer {
    let (permit, jurisdiction) = (caller.permit, path.0.jurisdiction);
    note(
        api.write(|it| async move { it.audit().make_checkpoint(&permit, jurisdiction.as_str()).await })
            .await?,
    )
}

/// 见证 · Vouch for a checkpoint
///
/// The checkpoint as it was fetched, with the witness's line under it (C2SP tlog-cosignature, version 1). The keys of witnesses are the operator's to
/// set; each one's first word on a checkpoint is kept and shown with it from then on.
#[operation(
    post "/v1/ledgers/{jurisdiction}/checkpoint/cosignatures",
    tag = Transparency,
    body("The signed note with one line more.", "text/plain" = Text),
    answer("The note with all lines that are kept.", "text/plain" = Text)
)]
pub(crate) async fn cosign_checkpoint(
    api: ApiState,
    caller: Authenticated<WitnessLog>,
    path: Path<LedgerPath>,
    request: HttpRequest,
    payload: web::Payload,
) -> Answer {
    let (permit, jurisdiction) = (caller.permit, path.0.jurisdiction);
    let body = raw_body(&request, payload.into_inner(), field_limits::NOTE).await?;
    let text = String::from_utf8(body.to_vec()).map_err(|_| Refusal::Cosignature(NoteError::Malformed))?;
    note(
        api.write(|it| async move { it.audit().cosign(&permit, jurisdiction.as_str(), &text).await })
            .await?,
    )
}

/// 包含证明 · Prove that a leaf is in the log
#[operation(
    get "/v1/ledgers/{jurisdiction}/proofs/inclusion",
    tag = Transparency,
    answer = "The proof."
)]
pub(crate) async fn prove_inclusion(
    api: ApiState,
    caller: Authenticated<ReadLedger>,
    path: Path<LedgerPath>,
    query: Query<InclusionQuery>,
) -> Answer<Json<InclusionView>> {
    let (jurisdiction, Query(it)) = (path.0.jurisdiction, query);
    let (leaf, size) = (it.leaf.into(), it.size.map(u64::from));
    let proof = api
        .service
        .audit()
        .prove_inclusion(&caller.permit, jurisdiction.as_str(), leaf, size)
        .await?;
    ok(&InclusionView::from(proof))
}

/// 一致性证明 · Prove that the log has only grown
#[operation(
    get "/v1/ledgers/{jurisdiction}/proofs/consistency",
    tag = Transparency,
    answer = "The proof."
)]
pub(crate) async fn prove_consistency(
    api: ApiState,
    caller: Authenticated<ReadLedger>,
    path: Path<LedgerPath>,
    query: Query<ConsistencyQuery>,
) -> Answer<Json<ConsistencyView>> {
    let (jurisdiction, Query(it)) = (path.0.jurisdiction, query);
    let (from, to) = (it.from.into(), it.to.map(u64::from));
    let proof = api
        .service
        .audit()
        .prove_consistency(&caller.permit, jurisdiction.as_str(), from, to)
        .await?;
    ok(&ConsistencyView::from(proof))
}

/// 决定的证明 · Prove a claim's decision
///
/// That the decision which stands is in its county's log: the leaf, its place in the tree, and the signed checkpoint that covers it. Before a
/// checkpoint covers it: 409 `not-covered`.
#[operation(get "/v1/claims/{id}/proof", tag = Claims, answer = "The proof.")]
pub(crate) async fn prove_claim(
    api: ApiState,
    caller: Authenticated<ReadClaims>,
    id: PathId<ClaimId>,
) -> Answer<Json<ClaimProofView>> {
    ok(&ClaimProofView::from(
        api.service.audit().prove_claim(&caller.permit, id.0).await?,
    ))
}

/// The largest number of a leaf, and size of a log, that is asked for.
const LEAVES: u32 = u32::MAX;

/// Which checkpoint.
#[derive(Debug, Clone, Copy, WireQuery)]
pub struct CheckpointQuery {
    /// The one of this many leaves; the youngest if it is left out.
    #[wire(Whole::new(0..=LEAVES))]
    pub size: Option<u32>,
}

/// Which leaf, in which tree.
#[derive(Debug, Clone, Copy, WireQuery)]
pub struct InclusionQuery {
    /// The leaf's number, from 0.
    #[wire(Whole::new(0..=LEAVES))]
    pub leaf: u32,
    /// Leaves of the tree; those of the youngest checkpoint if it is left out.
    #[wire(Whole::new(1..=LEAVES))]
    pub size: Option<u32>,
}

/// Which two trees.
#[derive(Debug, Clone, Copy, WireQuery)]
pub struct ConsistencyQuery {
    /// Leaves of the earlier tree.
    #[wire(Whole::new(1..=LEAVES))]
    pub from: u32,
    /// Leaves of the later tree; those of the youngest checkpoint if it is left out.
    #[wire(Whole::new(1..=LEAVES))]
    pub to: Option<u32>,
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
