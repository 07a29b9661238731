//! Two pairs of eyes: review and approval.

use crate::claims::stands;
use crate::claims::view::{ClaimSummary, ClaimView};
use crate::http::answer::{Answer, Json, Tagged, results};
use crate::http::authenticated::Authenticated;
use crate::http::extract::{Body, OptionalKey, PathId, REVISION, SeenRevision};
use crate::http::field_limits::{APPROVALS, REASON};
use crate::http::middleware::Context;
use crate::http::state::ApiState;
use crate::http::views::{ItemResultView, ResultsView};
use crate::http::wire::{Pattern, Words, request_words};
use actix_web::HttpRequest;
use api_macros::operation;
use claims::ClaimId;
use service::claims as review;
use service::operation::access::{ApproveClaims, ReviewClaims};
use wire_derive::WireBody;

/// 审核 · Review a claim
///
/// Recommend it for approval, return it for correction, or reject it.
#[operation(
    post "/v1/claims/{id}/review",
    tag = Review,
    body = "The verdict.",
    answer = "Reviewed."
)]
pub(crate) async fn review_claim(
    api: ApiState,
    caller: Authenticated<ReviewClaims>,
    id: PathId<ClaimId>,
    seen: SeenRevision,
    key: OptionalKey,
    body: Body<Review>,
) -> Answer<Tagged<ClaimView>> {
    let (permit, seen, key) = (caller.permit, seen.required()?, key.of(body.hash));
    let Review { verdict, reason } = body.value;
    let moved = api
        .write(|it| async move {
            it.claims()
                .review(&permit, id.0, seen, verdict, reason, key)
                .await
        })
        .await?;
    stands(&moved, caller.lang)
}

/// 批准 · Approve a claim
///
/// By another person than the reviewer: approve it, return it to review, or reject it.
#[operation(
    post "/v1/claims/{id}/approval",
    tag = Review,
    body = "The verdict.",
    answer = "Approved, returned or rejected."
)]
pub(crate) async fn approve_claim(
    api: ApiState,
    caller: Authenticated<ApproveClaims>,
    id: PathId<ClaimId>,
    seen: SeenRevision,
    key: OptionalKey,
    body: Body<Approval>,
) -> Answer<Tagged<ClaimView>> {
    let (permit, seen, key) = (caller.permit, seen.required()?, key.of(body.hash));
    let Approval { verdict, reason } = body.value;
    let moved = api
        .write(|it| async move {
            it.claims()
                .approve(&permit, id.0, seen, verdict, reason, key)
                .await
        })
        .await?;
    stands(&moved, caller.lang)
}

/// 批量批准 · Approve many claims
///
/// Up to a thousand, each with its own result: one that is stale or out of turn does not hold up the others.
#[operation(
    post "/v1/approvals",
    tag = Review,
    body = "The verdicts.",
    answer = "A result for each, in order."
)]
pub(crate) async fn approve_claims(
    api: ApiState,
    caller: Authenticated<ApproveClaims>,
    body: Body<Approvals>,
    request: HttpRequest,
) -> Answer<Json<ResultsView<ItemResultView<ClaimSummary>>>> {
    let approvals = body.value.items.into_iter().map(|item| review::Approval {
        claim: item.claim,
        if_match: item.etag,
        verdict: item.verdict,
        reason: item.reason,
    });
    let (permit, approvals) = (caller.permit, approvals.collect());
    let outcome = api
        .write(|it| async move { it.claims().approve_many(&permit, approvals).await })
        .await?;
    let id = Context::of(&request).request_id;
    results(outcome, caller.lang, &id, |state| ClaimSummary::from(&state))
}

request_words! {
    /// What a reviewer says.
    review::ReviewVerdict as "ReviewVerdict" { Recommend = "recommend", Return = "return", Reject = "reject" }
    /// What an approver says.
    review::ApprovalVerdict as "ApprovalVerdict" { Approve = "approve", Return = "return", Reject = "reject" }
}

/// A reviewer's verdict. A reason is required unless it recommends.
#[derive(Debug, WireBody)]
pub struct Review {
    pub verdict: review::ReviewVerdict,
    #[wire(Words(REASON), example = "材料齐全")]
    pub reason: Option<String>,
}

/// An approver's verdict. A reason is required unless it approves.
#[derive(Debug, WireBody)]
pub struct Approval {
    pub verdict: review::ApprovalVerdict,
    #[wire(Words(REASON), example = "同意")]
    pub reason: Option<String>,
}

/// Verdicts on many claims; each has a result of its own.
#[derive(Debug, WireBody)]
#[wire(long)]
pub struct Approvals {
    #[wire(items = 1..=APPROVALS)]
    pub items: Vec<ApprovalItem>,
}

/// A verdict on one claim as the approver saw it.
#[derive(Debug, WireBody)]
pub struct ApprovalItem {
    pub claim: ClaimId,
    /// The ETag that the approver saw.
    #[wire(ITEM_REVISION, example = "\"2\"")]
    pub etag: i32,
    pub verdict: review::ApprovalVerdict,
    #[wire(Words(REASON))]
    pub reason: Option<String>,
}

/// The ETag of an item of a body, which has an example of its own.
const ITEM_REVISION: Pattern<i32> = Pattern {
    zh: "须为 ETag，例如 \"2\"",
    en: "it is an ETag, such as \"2\"",
    ..REVISION
};
