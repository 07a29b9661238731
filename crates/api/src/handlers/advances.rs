//! Advances to merchants (预拨): made by one person, released by another, set against claims, repaid.

use actix_web::{get, post};
use claims::AdvanceId;
use service::access::{ManageFunds, ReadFunds};
use service::once::Key;

use crate::http::answer::{Answer, created, ok, paged};
use crate::http::authenticated::{Signed, roles};
use crate::http::extract::documented::{AdvancePath, IdempotencyHeader};
use crate::http::extract::{Body, IdempotencyKey, PathId, Query};
use crate::http::queries::PageParams;
use crate::http::state::ApiState;
use crate::http::views::PageView;
use crate::wire::advances::{
    AdvanceForm, AdvanceRead, AdvanceRepaymentForm, AdvanceRepaymentRead, AdvanceView, AdvancesParams,
    AdvancesQuery,
};

/// 预拨 · Make an advance
///
/// Ahead of a merchant's claims, with the disbursement that pays it. Another person releases that; what the bank says of its payment
/// says whether the merchant has it. From then on claims are set against it, oldest advance first, and the rest is paid.
#[utoipa::path(
    tag = "payments",
    params(IdempotencyHeader),
    request_body(content = AdvanceForm, description = "To whom, how much, and the document that allows it."),
    responses((status = 201, description = "Made; its disbursement waits to be released.", body = AdvanceView,
        headers(("Location" = String, description = "Where to find it.")))),
    extensions(("x-roles" = json!(roles::<ManageFunds>()))),
)]
#[post("/v1/advances")]
pub(crate) async fn make_advance(
    api: ApiState,
    signed: Signed<ManageFunds>,
    key: IdempotencyKey,
    body: Body<AdvanceRead>,
) -> Answer {
    let key = Key {
        key: key.0,
        request: body.hash,
    };
    let (permit, new) = (signed.permit, body.value.0);
    let made = api
        .write(|it| async move { it.make_advance(&permit, new, key).await })
        .await?;
    let location = format!("/v1/advances/{}", made.value.id);
    created(&location, None, made.replayed, &AdvanceView::from(made.value))
}

/// 预拨列表 · List advances
///
/// Newest first.
#[utoipa::path(
    tag = "payments",
    params(AdvancesParams, PageParams),
    responses((status = 200, description = "A page of advances.", body = PageView<AdvanceView>)),
    extensions(("x-roles" = json!(roles::<ReadFunds>()))),
)]
#[get("/v1/advances")]
pub(crate) async fn list_advances(
    api: ApiState,
    signed: Signed<ReadFunds>,
    query: Query<AdvancesQuery>,
) -> Answer {
    let Query(AdvancesQuery {
        jurisdiction,
        merchant,
        page,
    }) = query;
    let list = api
        .service
        .advances(
            &signed.permit,
            jurisdiction.map(|it| it.as_str().to_owned()),
            merchant.as_ref().map(|it| it.as_str()),
            page.cursor.as_deref(),
            page.limit,
        )
        .await;
    ok(&PageView::of(paged(list)?, AdvanceView::from))
}

/// 预拨详情 · Get an advance
#[utoipa::path(
    tag = "payments",
    params(AdvancePath),
    responses((status = 200, description = "The advance as it stands.", body = AdvanceView)),
    extensions(("x-roles" = json!(roles::<ReadFunds>()))),
)]
#[get("/v1/advances/{id}")]
pub(crate) async fn get_advance(api: ApiState, signed: Signed<ReadFunds>, id: PathId<AdvanceId>) -> Answer {
    let advance = api.service.advance(&signed.permit, id.0).await?;
    ok(&AdvanceView::from(advance))
}

/// 归还预拨 · Record a repayment of an advance
///
/// All that is open of it, or a part; the reason names the bank's document. What is pending in a payment cannot be repaid until the
/// bank has said what became of the payment.
#[utoipa::path(
    tag = "payments",
    params(AdvancePath, IdempotencyHeader),
    request_body(content = AdvanceRepaymentForm, description = "The bank's document, and how much; all that is open if no amount is given."),
    responses((status = 201, description = "Recorded.", body = AdvanceView,
        headers(("Location" = String, description = "Where to find the advance.")))),
    extensions(("x-roles" = json!(roles::<ManageFunds>()))),
)]
#[post("/v1/advances/{id}/repayments")]
pub(crate) async fn repay_advance(
    api: ApiState,
    signed: Signed<ManageFunds>,
    id: PathId<AdvanceId>,
    key: IdempotencyKey,
    body: Body<AdvanceRepaymentRead>,
) -> Answer {
    let key = Key {
        key: key.0,
        request: body.hash,
    };
    let location = format!("/v1/advances/{}", id.0);
    let (permit, repayment) = (signed.permit, body.value.0);
    let repaid = api
        .write(|it| async move { it.repay_advance(&permit, id.0, repayment, key).await })
        .await?;
    created(&location, None, repaid.replayed, &AdvanceView::from(repaid.value))
}
