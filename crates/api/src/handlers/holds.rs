//! Holds: what keeps claims out of payment.

use actix_web::{get, post};
use claims::HoldId;
use service::access::{ManageFunds, ReadFunds};
use service::once::Key;

use crate::http::answer::{Answer, created, ok, paged};
use crate::http::authenticated::{Signed, roles};
use crate::http::bodies::ReasonGiven;
use crate::http::extract::documented::{HoldPath, IdempotencyHeader};
use crate::http::extract::{Body, IdempotencyKey, PathId, Query};
use crate::http::queries::{HoldsParams, HoldsQuery, PageParams};
use crate::http::state::ApiState;
use crate::http::views::PageView;
use crate::wire::payments::{HoldView, PlaceHold, PlaceHoldRead};

/// 暂停支付 · Place a hold
///
/// On a merchant, a programme, a claim, or what several of these have in common. Held claims are not gathered, and a disbursement that has
/// some is not released.
#[utoipa::path(
    tag = "payments",
    params(IdempotencyHeader),
    request_body(content = PlaceHold, description = "What is held, and why."),
    responses((status = 201, description = "It stands.", body = HoldView,
        headers(("Location" = String, description = "Address of the list that has it.")))),
    extensions(("x-roles" = json!(roles::<ManageFunds>()))),
)]
#[post("/v1/holds")]
pub(crate) async fn place_hold(
    api: ApiState,
    signed: Signed<ManageFunds>,
    key: IdempotencyKey,
    body: Body<PlaceHoldRead>,
) -> Answer {
    let key = Key {
        key: key.0,
        request: body.hash,
    };
    let PlaceHoldRead {
        jurisdiction,
        held,
        reason,
    } = body.value;
    let permit = signed.permit;
    let placed = api
        .write(|it| async move {
            it.place_hold(&permit, jurisdiction, held, Some(reason), key)
                .await
        })
        .await?;
    let location = format!("/v1/holds?jurisdiction={jurisdiction}");
    created(&location, None, placed.replayed, &HoldView::from(placed.value))
}

/// 暂停支付列表 · List holds
///
/// Those that stand, newest first; with `lifted` those that were lifted, too.
#[utoipa::path(
    tag = "payments",
    params(HoldsParams, PageParams),
    responses((status = 200, description = "A page of holds.", body = PageView<HoldView>)),
    extensions(("x-roles" = json!(roles::<ReadFunds>()))),
)]
#[get("/v1/holds")]
pub(crate) async fn list_holds(api: ApiState, signed: Signed<ReadFunds>, query: Query<HoldsQuery>) -> Answer {
    let Query(HoldsQuery {
        jurisdiction,
        lifted,
        page,
    }) = query;
    let jurisdiction = jurisdiction.map(|it| it.as_str().to_owned());
    let list = api
        .service
        .holds(
            &signed.permit,
            jurisdiction,
            lifted,
            page.cursor.as_deref(),
            page.limit,
        )
        .await;
    ok(&PageView::of(paged(list)?, HoldView::from))
}

/// 解除暂停 · Lift a hold
#[utoipa::path(
    tag = "payments",
    params(HoldPath),
    request_body(content = ReasonGiven, description = "Why."),
    responses((status = 200, description = "Lifted.", body = HoldView)),
    extensions(("x-roles" = json!(roles::<ManageFunds>()))),
)]
#[post("/v1/holds/{id}/lifting")]
pub(crate) async fn lift_hold(
    api: ApiState,
    signed: Signed<ManageFunds>,
    id: PathId<HoldId>,
    body: Body<ReasonGiven>,
) -> Answer {
    let (permit, why) = (signed.permit, Some(body.value.reason));
    let lifted = api
        .write(|it| async move { it.lift_hold(&permit, id.0, why).await })
        .await?;
    ok(&HoldView::from(lifted))
}
