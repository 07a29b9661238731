//! Clawbacks (追缴): demanded once a claim, repaid in parts, netted against payments, waived in pairs.

use actix_web::{get, post};
use claims::{ClaimId, WaiverId};
use service::access::{DemandClawback, ManageFunds, ReadClaims};
use service::once::Key;

use crate::handlers::claims::stands;
use crate::http::answer::{Answer, created, ok, tagged};
use crate::http::authenticated::{Signed, roles};
use crate::http::bodies::Check;
use crate::http::extract::documented::{
    ClaimPath, IdempotencyHeader, IfMatchHeader, OptionalIdempotencyHeader, WaiverPath,
};
use crate::http::extract::{Body, IdempotencyKey, IfMatch, OptionalKey, PathId};
use crate::http::state::ApiState;
use crate::wire::claim_view::ClaimView;
use crate::wire::clawbacks::{
    ClawbackView, DemandForm, DemandRead, RepaymentForm, RepaymentRead, WaiverForm, WaiverRead, WaiverView,
};

/// 追缴决定 · Demand a subsidy back
///
/// Of a paid claim, whole or in part, once. It is netted against the merchant's next payments of the same fund, oldest first,
/// or repaid.
#[utoipa::path(
    tag = "claims",
    params(ClaimPath, IfMatchHeader, OptionalIdempotencyHeader),
    request_body(content = DemandForm, description = "Why, and how much; all of it if no amount is given."),
    responses((status = 200, description = "Due back.", body = ClaimView,
        headers(("ETag" = String, description = "Its new revision.")))),
    extensions(("x-roles" = json!(roles::<DemandClawback>()))),
)]
#[post("/v1/claims/{id}/clawback-demand")]
pub(crate) async fn demand_clawback(
    api: ApiState,
    signed: Signed<DemandClawback>,
    id: PathId<ClaimId>,
    seen: IfMatch,
    key: OptionalKey,
    body: Body<DemandRead>,
) -> Answer {
    let (permit, key, demand) = (signed.permit, key.of(body.hash), body.value.0);
    let moved = api
        .write(|it| async move { it.demand_clawback(&permit, id.0, seen.0, demand, key).await })
        .await?;
    stands(&moved, signed.lang)
}

/// 追回入账 · Record a clawback
///
/// What is due back was repaid, all that is open or a part of it; the reason names the bank's document. A part that is
/// pending in a payment cannot be repaid until the bank has said what became of the payment.
#[utoipa::path(
    tag = "claims",
    params(ClaimPath, IfMatchHeader),
    request_body(content = RepaymentForm, description = "The bank's document, and how much; all that is open if no amount is given."),
    responses((status = 200, description = "Clawed back, or part of it.", body = ClaimView,
        headers(("ETag" = String, description = "Its new revision.")))),
    extensions(("x-roles" = json!(roles::<ManageFunds>()))),
)]
#[post("/v1/claims/{id}/clawback")]
pub(crate) async fn claw_back_claim(
    api: ApiState,
    signed: Signed<ManageFunds>,
    id: PathId<ClaimId>,
    seen: IfMatch,
    body: Body<RepaymentRead>,
) -> Answer {
    let (permit, RepaymentRead { amount, document }) = (signed.permit, body.value);
    let state = api
        .write(|it| async move {
            it.claw_back_part(&permit, id.0, seen.0, amount, Some(document))
                .await
        })
        .await?;
    let view = ClaimView::of(&state, signed.lang);
    tagged(&view.etag, &view)
}

/// 追缴情况 · Get a claim's clawback
///
/// What is due, why, and what of it is repaid, netted, pending, waived and open.
#[utoipa::path(
    tag = "claims",
    params(ClaimPath),
    responses((status = 200, description = "The clawback as it stands.", body = ClawbackView)),
    extensions(("x-roles" = json!(roles::<ReadClaims>()))),
)]
#[get("/v1/claims/{id}/clawback")]
pub(crate) async fn get_clawback(api: ApiState, signed: Signed<ReadClaims>, id: PathId<ClaimId>) -> Answer {
    let clawback = api.service.clawback(&signed.permit, id.0).await?;
    ok(&ClawbackView::of(clawback, signed.lang))
}

/// 豁免追缴 · Propose a waiver
///
/// Of all that is open of a clawback, or a part. Pending until another person of treasury approves it.
#[utoipa::path(
    tag = "claims",
    params(ClaimPath, IdempotencyHeader),
    request_body(content = WaiverForm, description = "The document that allows it, and why."),
    responses((status = 201, description = "Proposed, pending.", body = WaiverView,
        headers(("Location" = String, description = "Where to find it.")))),
    extensions(("x-roles" = json!(roles::<ManageFunds>()))),
)]
#[post("/v1/claims/{id}/clawback-waivers")]
pub(crate) async fn waive_clawback(
    api: ApiState,
    signed: Signed<ManageFunds>,
    id: PathId<ClaimId>,
    key: IdempotencyKey,
    body: Body<WaiverRead>,
) -> Answer {
    let location = format!("/v1/claims/{}/clawback", id.0);
    let key = Key {
        key: key.0,
        request: body.hash,
    };
    let (permit, new) = (signed.permit, body.value.0);
    let made = api
        .write(|it| async move { it.waive_clawback(&permit, id.0, new, key).await })
        .await?;
    created(&location, None, made.replayed, &WaiverView::from(made.value))
}

/// 复核豁免 · Check a waiver
///
/// By another person than the one who proposed it. Approved, its sum is no longer due and stays paid.
#[utoipa::path(
    tag = "claims",
    params(WaiverPath),
    request_body(content = Check, description = "The verdict."),
    responses((status = 200, description = "Approved or refused.", body = WaiverView)),
    extensions(("x-roles" = json!(roles::<ManageFunds>()))),
)]
#[post("/v1/clawback-waivers/{id}/decision")]
pub(crate) async fn check_waiver(
    api: ApiState,
    signed: Signed<ManageFunds>,
    id: PathId<WaiverId>,
    body: Body<Check>,
) -> Answer {
    let (permit, Check { verdict, reason }) = (signed.permit, body.value);
    let checked = api
        .write(|it| async move { it.check_waiver(&permit, id.0, verdict.into(), reason).await })
        .await?;
    ok(&WaiverView::from(checked))
}
