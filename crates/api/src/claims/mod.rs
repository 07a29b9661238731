//! Claims: submit, check, read, correct, withdraw, return.
//!
//! A claim is read by the forms in [`form`] and answered by the views in [`view`]. [`bulk`] takes
//! many in one call, [`review`] has the verdicts of reviewers and approvers, [`clawbacks`] what is
//! due back of a paid claim.

pub mod bulk;
pub mod bulk_lines;
pub mod clawbacks;
pub mod form;
pub mod review;
pub mod view;

use crate::claims::form::SubmitClaim;
use crate::claims::view::{CheckView, ClaimSummary, ClaimView, EventView};
use crate::http::answer::{
    Answer, CreatedTagged, Json, Tagged, again, created_tagged, ok, ok_as, paged, tagged, untagged,
};
use crate::http::authenticated::Authenticated;
use crate::http::bodies::{ReasonGiven, ReasonIfAny};
use crate::http::contract::{Object, Operation, operations};
use crate::http::extract::{Body, IdempotencyKey, IfMatch, OptionalKey, PathId, Query};
use crate::http::problem::Problem;
use crate::http::queries::PageQuery;
use crate::http::state::ApiState;
use crate::http::views::PageView;
use crate::http::wire::{Day, request_words};
use actix_web::HttpResponse;
use api_macros::operation;
use chrono::{DateTime, NaiveDate, Utc};
use claims::ClaimId;
use claims::identifiers::{CreditCode, JurisdictionCode, ProgrammeId};
use claims::life_cycle::Status;
use policy::Lang;
use service::Replayable;
use service::claims::{ClaimQuery, ClaimState, Command, Mode};
use service::operation::access::{ReadClaims, RevealClaims, SubmitClaims};
use wire_derive::WireQuery;

/// Every operation of the wing.
pub(crate) const OPERATIONS: &[Operation] = operations![
    submit_claim,
    check_claim,
    bulk::submit_claims,
    list_claims,
    get_claim,
    correct_claim,
    withdraw_claim,
    return_goods,
    clawbacks::demand_clawback,
    clawbacks::claw_back_claim,
    clawbacks::get_clawback,
    clawbacks::waive_clawback,
    clawbacks::check_waiver,
    list_claim_events,
    get_receipt,
    reveal_claim,
    review::review_claim,
    review::approve_claim,
    review::approve_claims,
];

/// 提交申领 · Submit a claim
///
/// Decided and recorded before the answer. A claim that the rules refuse is recorded too: 201 with status `rejected`.
#[operation(
    post "/v1/claims",
    tag = Claims,
    body = "The claim, as the sale closed.",
    answer = "Recorded, with its decision.",
    location = "Address of the claim."
)]
pub(crate) async fn submit_claim(
    api: ApiState,
    caller: Authenticated<SubmitClaims>,
    key: IdempotencyKey,
    body: Body<SubmitClaim>,
) -> Answer<CreatedTagged<ClaimView>> {
    let command = Command {
        key: key.0,
        request: body.hash,
        claim: body.value,
    };
    let permit = caller.permit;
    let results = api
        .write(|it| async move { it.claims().submit(&permit, vec![command], Mode::Continue).await })
        .await?;
    let missing = || Problem::Internal("a command has no result".into());
    let submitted = results.into_iter().next().flatten().ok_or_else(missing)??;
    let view = ClaimView::of(&submitted.claim, caller.lang);
    created_tagged(
        &format!("/v1/claims/{}", view.id),
        &view.etag,
        submitted.replayed,
        &view,
    )
}

/// 试算 · Check a claim
///
/// The decision it would get now. Nothing is recorded, reserved or promised.
#[operation(
    post "/v1/claims/check",
    tag = Claims,
    body = "The claim.",
    answer = "What it would get."
)]
pub(crate) async fn check_claim(
    api: ApiState,
    caller: Authenticated<SubmitClaims>,
    body: Body<SubmitClaim>,
) -> Answer<Json<CheckView>> {
    let decision = api.service.claims().check(&caller.permit, body.value).await?;
    ok(&CheckView::of(&decision, caller.lang))
}

/// 查询申领 · Get a claim
///
/// With its decision and what was sent, personal data masked, now or as of an instant. Another merchant's claim does not exist, nor
/// one that had not arrived by then.
#[operation(
    get "/v1/claims/{id}",
    tag = Claims,
    answer = "The claim as it stands, or stood.",
    etag = "Its revision now, for If-Match; none as of an instant."
)]
pub(crate) async fn get_claim(
    api: ApiState,
    caller: Authenticated<ReadClaims>,
    id: PathId<ClaimId>,
    query: Query<ClaimAsOf>,
) -> Answer<Tagged<ClaimView>> {
    let as_of = query.0.as_of;
    let detail = match as_of {
        Some(instant) => {
            api.service
                .claims()
                .claim_as_of(&caller.permit, id.0, instant)
                .await?
        }
        None => api.service.claims().claim(&caller.permit, id.0).await?,
    };
    let mut view = ClaimView::of(&detail.state, caller.lang);
    view.claim = Some(detail.masked);
    if as_of.is_some() {
        return untagged(&view);
    }
    tagged(&view.etag, &view)
}

/// 申领列表 · List claims
///
/// A merchant sees its own, an officer those of its counties; now or as of an instant.
#[operation(get "/v1/claims", tag = Claims, answer = "A page of claims.")]
pub(crate) async fn list_claims(
    api: ApiState,
    caller: Authenticated<ReadClaims>,
    query: Query<ClaimsQuery>,
) -> Answer<Json<PageView<ClaimSummary>>> {
    let Query(query) = query;
    let filter = ClaimQuery {
        jurisdiction: query.jurisdiction.map(|it| it.as_str().to_owned()),
        programme: query.programme.map(|it| it.as_str().to_owned()),
        status: query.status,
        merchant: query.merchant.map(|it| it.as_str().to_owned()),
        from: query.from,
        to: query.to,
        oldest_first: query.order == ListOrder::Queue,
    };
    let (service, permit) = (&api.service, &caller.permit);
    let (cursor, limit) = (query.page.cursor.as_deref(), query.page.limit);
    let page = match query.as_of {
        Some(instant) => {
            service
                .claims()
                .claims_as_of(permit, &filter, instant, cursor, limit)
                .await
        }
        None => service.claims().claims(permit, &filter, cursor, limit).await,
    };
    ok(&PageView::of(paged(page)?, |state| ClaimSummary::from(&state)))
}

/// 补正 · Correct a claim
///
/// The whole claim again, corrected. It keeps its place in the queue and its reservation.
#[operation(
    post "/v1/claims/{id}/correction",
    tag = Claims,
    body = "The claim, corrected.",
    answer = "Decided again."
)]
pub(crate) async fn correct_claim(
    api: ApiState,
    caller: Authenticated<SubmitClaims>,
    id: PathId<ClaimId>,
    seen: IfMatch,
    key: OptionalKey,
    body: Body<SubmitClaim>,
) -> Answer<Tagged<ClaimView>> {
    let (permit, key) = (caller.permit, key.of(body.hash));
    let moved = api
        .write(|it| async move { it.claims().correct(&permit, id.0, seen.0, body.value, key).await })
        .await?;
    stands(&moved, caller.lang)
}

/// 撤回 · Withdraw a claim
///
/// Before payment. Its reservation, uniqueness keys, quota and entitlement are free again.
#[operation(
    post "/v1/claims/{id}/withdrawal",
    tag = Claims,
    body = "Why, if there is anything to say.",
    answer = "Withdrawn."
)]
pub(crate) async fn withdraw_claim(
    api: ApiState,
    caller: Authenticated<SubmitClaims>,
    id: PathId<ClaimId>,
    seen: IfMatch,
    key: OptionalKey,
    body: Body<ReasonIfAny>,
) -> Answer<Tagged<ClaimView>> {
    let (permit, key, why) = (caller.permit, key.of(body.hash), body.value.reason);
    let moved = api
        .write(|it| async move { it.claims().withdraw(&permit, id.0, seen.0, why, key).await })
        .await?;
    stands(&moved, caller.lang)
}

/// 退货 · Report returned goods
///
/// Before payment it ends the claim as a withdrawal does; after payment the subsidy is due back.
#[operation(
    post "/v1/claims/{id}/return",
    tag = Claims,
    body = "Why, if there is anything to say.",
    answer = "Returned, or due back."
)]
pub(crate) async fn return_goods(
    api: ApiState,
    caller: Authenticated<SubmitClaims>,
    id: PathId<ClaimId>,
    seen: IfMatch,
    key: OptionalKey,
    body: Body<ReasonIfAny>,
) -> Answer<Tagged<ClaimView>> {
    let (permit, key, why) = (caller.permit, key.of(body.hash), body.value.reason);
    let moved = api
        .write(|it| async move { it.claims().return_goods(&permit, id.0, seen.0, why, key).await })
        .await?;
    stands(&moved, caller.lang)
}

/// 办理记录 · List a claim's events
///
/// What was done to it, oldest first: by whom, when, why, and what they had before them.
#[operation(get "/v1/claims/{id}/events", tag = Claims, answer = "A page of events.")]
pub(crate) async fn list_claim_events(
    api: ApiState,
    caller: Authenticated<ReadClaims>,
    id: PathId<ClaimId>,
    page: Query<PageQuery>,
) -> Answer<Json<PageView<EventView>>> {
    let Query(page) = page;
    let events = api
        .service
        .claims()
        .claim_events(&caller.permit, id.0, page.cursor.as_deref(), page.limit)
        .await;
    ok(&PageView::of(paged(events)?, EventView::from))
}

/// 决定凭据 · Get a claim's receipt
///
/// Of the decision that stands: canonical JSON (RFC 8785), byte for byte as it was hashed. `sha256sum` of the body is
/// `decision.receipt`, and `huanxin verify --receipt` decides it again. It holds no personal data.
#[operation(
    get "/v1/claims/{id}/receipt",
    tag = Claims,
    answer("The receipt.", "application/json" = Object)
)]
pub(crate) async fn get_receipt(
    api: ApiState,
    caller: Authenticated<ReadClaims>,
    id: PathId<ClaimId>,
) -> Answer {
    let receipt = api.service.claims().receipt(&caller.permit, id.0).await?;
    Ok(HttpResponse::Ok().content_type("application/json").body(receipt))
}

/// 查看原文 · Reveal a claim
///
/// The claim as it was sent, personal data included. Who looked, and why, stays on record.
#[operation(
    post "/v1/claims/{id}/reveal",
    tag = Claims,
    body = "Why.",
    answer = "The claim as it was sent."
)]
pub(crate) async fn reveal_claim(
    api: ApiState,
    caller: Authenticated<RevealClaims>,
    id: PathId<ClaimId>,
    body: Body<ReasonGiven>,
) -> Answer<Json<SubmitClaim>> {
    let (permit, why) = (caller.permit, Some(body.value.reason));
    let claim = api
        .write(|it| async move { it.claims().reveal(&permit, id.0, why).await })
        .await?;
    ok_as(&claim)
}

/// The claim as of an instant.
#[derive(Debug, Clone, Copy, WireQuery)]
pub struct ClaimAsOf {
    /// The claim as it stood at this instant; as it stands now if it is left out.
    pub as_of: Option<DateTime<Utc>>,
}

/// Which claims.
#[derive(Debug, Clone, WireQuery)]
pub struct ClaimsQuery {
    pub jurisdiction: Option<JurisdictionCode>,
    pub programme: Option<ProgrammeId>,
    pub status: Option<Status>,
    /// Credit code.
    pub merchant: Option<CreditCode>,
    /// First day of arrival, Asia/Shanghai.
    #[wire(Day)]
    pub from: Option<NaiveDate>,
    /// Last day of arrival, Asia/Shanghai.
    #[wire(Day)]
    pub to: Option<NaiveDate>,
    #[wire(default = ListOrder::Newest)]
    pub order: ListOrder,
    /// The claims as they stood at this instant, those that had arrived by then; as they stand now if it is left out. With a status that few
    /// claims had, a page may be shorter than its limit and have a next one.
    pub as_of: Option<DateTime<Utc>>,
    #[wire(flatten)]
    pub page: PageQuery,
}

request_words! {
    /// `newest` first, or `queue`: the order of arrival, in which reviewers work.
    pub enum ListOrder { Newest = "newest", Queue = "queue" }
    /// Where a claim stands.
    Status as "ClaimStatus";
}

/// A claim as it stands after a step.
pub(crate) fn stands(moved: &Replayable<ClaimState>, lang: Lang) -> Answer<Tagged<ClaimView>> {
    let view = ClaimView::of(&moved.value, lang);
    again(&view.etag, moved.replayed, &view)
}
