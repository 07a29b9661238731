//! Two pairs of eyes: review and approval.

use actix_web::HttpRequest;
use api_macros::operation;
use claims::ClaimId;
use serde::{Deserialize, Serialize};
use service::claims as review;
use service::operation::access::{ApproveClaims, ReviewClaims};
use utoipa::ToSchema;

use crate::claims::stands;
use crate::claims::view::{ClaimSummary, ClaimView};
use crate::http::answer::{Answer, Json, Tagged, results};
use crate::http::authenticated::Authenticated;
use crate::http::bodies::{reason, request_words};
use crate::http::extract::{Body, OptionalKey, PathId, SeenRevision, Wire, revision_of};
use crate::http::field_limits;
use crate::http::fields::Fields;
use crate::http::middleware::Context;
use crate::http::state::{ApiState, Limits};
use crate::http::views::{ItemResultView, ResultsView};

request_words! {
    /// What a reviewer says.
    ReviewVerdict { Recommend = "recommend", Return = "return", Reject = "reject" }
    /// What an approver says.
    ApprovalVerdict { Approve = "approve", Return = "return", Reject = "reject" }
}

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
                .review(&permit, id.0, seen, verdict.into(), reason, key)
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
                .approve(&permit, id.0, seen, verdict.into(), reason, key)
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
    body: Body<ApprovalsRead>,
    request: HttpRequest,
) -> Answer<Json<ResultsView<ItemResultView<ClaimSummary>>>> {
    let approvals = body.value.0.into_iter().map(|item| review::Approval {
        claim: item.claim,
        if_match: item.revision,
        verdict: item.verdict.into(),
        reason: item.reason,
    });
    let (permit, approvals) = (caller.permit, approvals.collect());
    let outcome = api
        .write(|it| async move { it.claims().approve_many(&permit, approvals).await })
        .await?;
    let id = Context::of(&request).request_id;
    results(outcome, caller.lang, &id, |state| ClaimSummary::from(&state))
}

/// A reviewer's verdict. A reason is required unless it recommends.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Review {
    pub verdict: ReviewVerdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 500, example = "材料齐全")]
    pub reason: Option<String>,
}

impl Wire for Review {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let verdict = f.required("verdict", ReviewVerdict::read);
        let reason = f.optional("reason", reason);
        Some(Review {
            verdict: verdict?,
            reason: reason?,
        })
    }
}

/// An approver's verdict. A reason is required unless it approves.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    pub verdict: ApprovalVerdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 500, example = "同意")]
    pub reason: Option<String>,
}

impl Wire for Approval {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let verdict = f.required("verdict", ApprovalVerdict::read);
        let reason = f.optional("reason", reason);
        Some(Approval {
            verdict: verdict?,
            reason: reason?,
        })
    }
}

/// Verdicts on many claims; each has a result of its own.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approvals {
    #[schema(min_items = 1, max_items = 1000)]
    pub items: Vec<ApprovalItem>,
}

/// A verdict on one claim as the approver saw it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalItem {
    #[schema(pattern = "^clm_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub claim: String,
    /// The ETag that the approver saw.
    #[schema(pattern = "^\"[0-9]{1,10}\"$", max_length = 12, example = "\"2\"")]
    pub etag: String,
    pub verdict: ApprovalVerdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

/// [`Approvals`] as read.
#[derive(Debug)]
pub struct ApprovalsRead(pub Vec<ApprovalRead>);

#[derive(Debug)]
pub struct ApprovalRead {
    pub claim: ClaimId,
    pub revision: i32,
    pub verdict: ApprovalVerdict,
    pub reason: Option<String>,
}

impl Wire for ApprovalsRead {
    fn limit(limits: &Limits) -> usize {
        limits.long_body
    }

    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let items = f.required("items", |s| {
            s.list(1, field_limits::APPROVALS, |s| s.object(approval))
        });
        items.map(ApprovalsRead)
    }
}

fn approval(f: &mut Fields<'_>) -> Option<ApprovalRead> {
    let claim = f.required("claim", |s| s.id::<ClaimId>());
    let revision = f.required("etag", |s| {
        let revision = revision_of(s.text(12)?);
        revision.or_else(|| s.wrong("form", "须为 ETag，例如 \"2\"", "it is an ETag, such as \"2\""))
    });
    let verdict = f.required("verdict", ApprovalVerdict::read);
    let reason = f.optional("reason", reason);
    Some(ApprovalRead {
        claim: claim?,
        revision: revision?,
        verdict: verdict?,
        reason: reason?,
    })
}
