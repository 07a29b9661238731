//! Two pairs of eyes: review and approval.

use actix_web::{HttpRequest, post};
use claims::ClaimId;
use service::access::{ApproveClaims, ReviewClaims};
use service::review;

use crate::handlers::claims::stands;
use crate::http::answer::{Answer, results};
use crate::http::authenticated::{Signed, roles};
use crate::http::bodies::{Approval, ApprovalVerdict, Approvals, ApprovalsRead, Review, ReviewVerdict};
use crate::http::extract::documented::{ClaimPath, IfMatchRequired, OptionalIdempotencyHeader};
use crate::http::extract::{Body, IfMatch, OptionalKey, PathId};
use crate::http::middleware::Context;
use crate::http::state::ApiState;
use crate::http::views::{ItemResultView, ResultsView};
use crate::wire::claim_view::{ClaimSummary, ClaimView};

impl From<ReviewVerdict> for review::ReviewVerdict {
    fn from(verdict: ReviewVerdict) -> Self {
        match verdict {
            ReviewVerdict::Recommend => Self::Recommend,
            ReviewVerdict::Return => Self::Return,
            ReviewVerdict::Reject => Self::Reject,
        }
    }
}

impl From<ApprovalVerdict> for review::ApprovalVerdict {
    fn from(verdict: ApprovalVerdict) -> Self {
        match verdict {
            ApprovalVerdict::Approve => Self::Approve,
            ApprovalVerdict::Return => Self::Return,
            ApprovalVerdict::Reject => Self::Reject,
        }
    }
}

/// 审核 · Review a claim
///
/// Recommend it for approval, return it for correction, or reject it.
#[utoipa::path(
    tag = "review",
    params(ClaimPath, IfMatchRequired, OptionalIdempotencyHeader),
    request_body(content = Review, description = "The verdict."),
    responses((status = 200, description = "Reviewed.", body = ClaimView,
        headers(("ETag" = String, description = "Its new revision.")))),
    extensions(("x-roles" = json!(roles::<ReviewClaims>()))),
)]
#[post("/v1/claims/{id}/review")]
pub(crate) async fn review_claim(
    api: ApiState,
    signed: Signed<ReviewClaims>,
    id: PathId<ClaimId>,
    seen: IfMatch,
    key: OptionalKey,
    body: Body<Review>,
) -> Answer {
    let (permit, seen, key) = (signed.permit, seen.required()?, key.of(body.hash));
    let Review { verdict, reason } = body.value;
    let moved = api
        .write(|it| async move { it.review(&permit, id.0, seen, verdict.into(), reason, key).await })
        .await?;
    stands(&moved, signed.lang)
}

/// 批准 · Approve a claim
///
/// By another person than the reviewer: approve it, return it to review, or reject it.
#[utoipa::path(
    tag = "review",
    params(ClaimPath, IfMatchRequired, OptionalIdempotencyHeader),
    request_body(content = Approval, description = "The verdict."),
    responses((status = 200, description = "Approved, returned or rejected.", body = ClaimView,
        headers(("ETag" = String, description = "Its new revision.")))),
    extensions(("x-roles" = json!(roles::<ApproveClaims>()))),
)]
#[post("/v1/claims/{id}/approval")]
pub(crate) async fn approve_claim(
    api: ApiState,
    signed: Signed<ApproveClaims>,
    id: PathId<ClaimId>,
    seen: IfMatch,
    key: OptionalKey,
    body: Body<Approval>,
) -> Answer {
    let (permit, seen, key) = (signed.permit, seen.required()?, key.of(body.hash));
    let Approval { verdict, reason } = body.value;
    let moved = api
        .write(|it| async move { it.approve(&permit, id.0, seen, verdict.into(), reason, key).await })
        .await?;
    stands(&moved, signed.lang)
}

/// 批量批准 · Approve many claims
///
/// Up to a thousand, each with its own result: one that is stale or out of turn does not hold up the others.
#[utoipa::path(
    tag = "review",
    request_body(content = Approvals, description = "The verdicts."),
    responses((status = 200, description = "A result for each, in order.", body = ResultsView<ItemResultView<ClaimSummary>>)),
    extensions(("x-roles" = json!(roles::<ApproveClaims>()))),
)]
#[post("/v1/approvals")]
pub(crate) async fn approve_claims(
    api: ApiState,
    signed: Signed<ApproveClaims>,
    body: Body<ApprovalsRead>,
    request: HttpRequest,
) -> Answer {
    let approvals = body.value.0.into_iter().map(|item| review::Approval {
        claim: item.claim,
        if_match: item.revision,
        verdict: item.verdict.into(),
        reason: item.reason,
    });
    let (permit, approvals) = (signed.permit, approvals.collect());
    let outcome = api
        .write(|it| async move { it.approve_many(&permit, approvals).await })
        .await?;
    let id = Context::of(&request).request_id;
    results(outcome, signed.lang, &id, |state| ClaimSummary::from(&state))
}
