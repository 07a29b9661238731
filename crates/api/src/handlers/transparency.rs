//! The transparency log: checkpoints, those who vouch for them, and proofs.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use claims::ClaimId;
use ledger::log::NoteError;
use service::Refusal;
use service::access::{ReadClaims, ReadLedger, WitnessLog};
use service::transparency::Signed;

use crate::http::answer::{Answer, ok, paged};
use crate::http::authenticated::{Signed as SignedIn, roles};
use crate::http::extract::documented::{ClaimPath, JurisdictionPath};
use crate::http::extract::{PathId, PathText, Query, raw_body};
use crate::http::field_limits;
use crate::http::queries::{PageParams, PageQuery};
use crate::http::state::ApiState;
use crate::http::views::PageView;
use crate::wire::transparency::{
    CheckpointParams, CheckpointQuery, CheckpointView, ClaimProofView, ConsistencyParams, ConsistencyQuery,
    ConsistencyView, InclusionParams, InclusionQuery, InclusionView,
};

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
#[utoipa::path(
    tag = "transparency",
    params(JurisdictionPath, CheckpointParams),
    responses((status = 200, description = "The signed note.", content((String = "text/plain")))),
    extensions(("x-roles" = json!(roles::<WitnessLog>()))),
)]
#[get("/v1/ledgers/{jurisdiction}/checkpoint")]
pub(crate) async fn get_checkpoint(
    api: ApiState,
    signed: SignedIn<WitnessLog>,
    path: PathText,
    query: Query<CheckpointQuery>,
) -> Answer {
    let size = query.0.size.map(u64::from);
    note(
        api.service
            .checkpoint(&signed.permit, path.county()?.as_str(), size)
            .await?,
    )
}

/// 检查点列表 · List checkpoints
///
/// Youngest first.
#[utoipa::path(
    tag = "transparency",
    params(JurisdictionPath, PageParams),
    responses((status = 200, description = "A page of checkpoints.", body = PageView<CheckpointView>)),
    extensions(("x-roles" = json!(roles::<WitnessLog>()))),
)]
#[get("/v1/ledgers/{jurisdiction}/checkpoints")]
pub(crate) async fn list_checkpoints(
    api: ApiState,
    signed: SignedIn<WitnessLog>,
    path: PathText,
    page: Query<PageQuery>,
) -> Answer {
    let (jurisdiction, Query(page)) = (path.county()?, page);
    let cursor = page.cursor.as_deref();
    let list = api
        .service
        .checkpoints(&signed.permit, jurisdiction.as_str(), cursor, page.limit)
        .await;
    ok(&PageView::of(paged(list)?, CheckpointView::from))
}

/// 生成检查点 · Make a checkpoint
///
/// Of the log as it stands; if it has not grown, the last one. `huanxin work` makes them by itself every few minutes.
#[utoipa::path(
    tag = "transparency",
    params(JurisdictionPath),
    responses((status = 200, description = "The signed note.", content((String = "text/plain")))),
    extensions(("x-roles" = json!(roles::<WitnessLog>()))),
)]
#[post("/v1/ledgers/{jurisdiction}/checkpoint")]
pub(crate) async fn make_checkpoint(api: ApiState, signed: SignedIn<WitnessLog>, path: PathText) -> Answer {
    let (permit, jurisdiction) = (signed.permit, path.county()?);
    note(
        api.write(|it| async move { it.make_checkpoint(&permit, jurisdiction.as_str()).await })
            .await?,
    )
}

/// 见证 · Vouch for a checkpoint
///
/// The checkpoint as it was fetched, with the witness's line under it (C2SP tlog-cosignature, version 1). The keys of witnesses are the operator's to
/// set; each one's first word on a checkpoint is kept and shown with it from then on.
#[utoipa::path(
    tag = "transparency",
    params(JurisdictionPath),
    request_body(description = "The signed note with one line more.", content((String = "text/plain"))),
    responses((status = 200, description = "The note with all lines that are kept.", content((String = "text/plain")))),
    extensions(("x-roles" = json!(roles::<WitnessLog>()))),
)]
#[post("/v1/ledgers/{jurisdiction}/checkpoint/cosignatures")]
pub(crate) async fn cosign_checkpoint(
    api: ApiState,
    signed: SignedIn<WitnessLog>,
    path: PathText,
    request: HttpRequest,
    payload: web::Payload,
) -> Answer {
    let (permit, jurisdiction) = (signed.permit, path.county()?);
    let body = raw_body(&request, payload.into_inner(), field_limits::NOTE).await?;
    let text = String::from_utf8(body.to_vec()).map_err(|_| Refusal::Cosignature(NoteError::Malformed))?;
    note(
        api.write(|it| async move { it.cosign(&permit, jurisdiction.as_str(), &text).await })
            .await?,
    )
}

/// 包含证明 · Prove that a leaf is in the log
#[utoipa::path(
    tag = "transparency",
    params(JurisdictionPath, InclusionParams),
    responses((status = 200, description = "The proof.", body = InclusionView)),
    extensions(("x-roles" = json!(roles::<ReadLedger>()))),
)]
#[get("/v1/ledgers/{jurisdiction}/proofs/inclusion")]
pub(crate) async fn prove_inclusion(
    api: ApiState,
    signed: SignedIn<ReadLedger>,
    path: PathText,
    query: Query<InclusionQuery>,
) -> Answer {
    let (jurisdiction, Query(it)) = (path.county()?, query);
    let (leaf, size) = (it.leaf.into(), it.size.map(u64::from));
    let proof = api
        .service
        .prove_inclusion(&signed.permit, jurisdiction.as_str(), leaf, size)
        .await?;
    ok(&InclusionView::from(proof))
}

/// 一致性证明 · Prove that the log has only grown
#[utoipa::path(
    tag = "transparency",
    params(JurisdictionPath, ConsistencyParams),
    responses((status = 200, description = "The proof.", body = ConsistencyView)),
    extensions(("x-roles" = json!(roles::<ReadLedger>()))),
)]
#[get("/v1/ledgers/{jurisdiction}/proofs/consistency")]
pub(crate) async fn prove_consistency(
    api: ApiState,
    signed: SignedIn<ReadLedger>,
    path: PathText,
    query: Query<ConsistencyQuery>,
) -> Answer {
    let (jurisdiction, Query(it)) = (path.county()?, query);
    let (from, to) = (it.from.into(), it.to.map(u64::from));
    let proof = api
        .service
        .prove_consistency(&signed.permit, jurisdiction.as_str(), from, to)
        .await?;
    ok(&ConsistencyView::from(proof))
}

/// 决定的证明 · Prove a claim's decision
///
/// That the decision which stands is in its county's log: the leaf, its place in the tree, and the signed checkpoint that covers it. Before a
/// checkpoint covers it: 409 `not-covered`.
#[utoipa::path(
    tag = "claims",
    params(ClaimPath),
    responses((status = 200, description = "The proof.", body = ClaimProofView)),
    extensions(("x-roles" = json!(roles::<ReadClaims>()))),
)]
#[get("/v1/claims/{id}/proof")]
pub(crate) async fn prove_claim(api: ApiState, signed: SignedIn<ReadClaims>, id: PathId<ClaimId>) -> Answer {
    ok(&ClaimProofView::from(
        api.service.prove_claim(&signed.permit, id.0).await?,
    ))
}
