//! Disbursements: made by one person of treasury, released by another, settled by the bank's results.

use actix_web::http::header;
use actix_web::{HttpResponse, get, post};
use claims::DisbursementId;
use service::access::{ManageFunds, ReadFunds};
use service::disburse;
use service::once::Key;

use crate::http::answer::{Answer, again, created, ok, paged, tagged};
use crate::http::authenticated::{Signed, roles};
use crate::http::bodies::{MakeDisbursement, MakeDisbursementRead, Nothing, ReasonGiven};
use crate::http::extract::documented::{
    DisbursementPath, IdempotencyHeader, IfMatchHeader, OptionalIdempotencyHeader,
};
use crate::http::extract::{Body, IdempotencyKey, IfMatch, OptionalKey, PathId, Query};
use crate::http::queries::{
    FundParams, FundQuery, InstructionFormat, InstructionParams, InstructionQuery, PageParams, PageQuery,
};
use crate::http::state::ApiState;
use crate::http::views::PageView;
use crate::wire::finance::DisbursementView;
use crate::wire::payments::PaymentView;

/// 生成支付批次 · Make a disbursement
///
/// Gathers the payable claims of a fund, oldest first, into one payment a payee: a merchant's hundred claims are one transfer.
#[utoipa::path(
    tag = "disbursements",
    params(IdempotencyHeader),
    request_body(content = MakeDisbursement, description = "The fund."),
    responses((status = 201, description = "Made; another person releases it.", body = DisbursementView,
        headers(("Location" = String, description = "Address of the disbursement."), ("ETag" = String, description = "Its revision.")))),
    extensions(("x-roles" = json!(roles::<ManageFunds>()))),
)]
#[post("/v1/disbursements")]
pub(crate) async fn make_disbursement(
    api: ApiState,
    signed: Signed<ManageFunds>,
    key: IdempotencyKey,
    body: Body<MakeDisbursementRead>,
) -> Answer {
    let (permit, key) = (
        signed.permit,
        Key {
            key: key.0,
            request: body.hash,
        },
    );
    let MakeDisbursementRead {
        jurisdiction,
        programme,
        gather,
    } = body.value;
    let made = api
        .write(|it| async move {
            it.make_disbursement(&permit, jurisdiction.as_str(), programme.as_str(), gather, key)
                .await
        })
        .await?;
    let view = DisbursementView::from(made.value);
    created(
        &format!("/v1/disbursements/{}", view.id),
        Some(&view.etag),
        made.replayed,
        &view,
    )
}

/// 支付批次列表 · List disbursements
///
/// Newest first.
#[utoipa::path(
    tag = "disbursements",
    params(FundParams, PageParams),
    responses((status = 200, description = "A page of disbursements.", body = PageView<DisbursementView>)),
    extensions(("x-roles" = json!(roles::<ReadFunds>()))),
)]
#[get("/v1/disbursements")]
pub(crate) async fn list_disbursements(
    api: ApiState,
    signed: Signed<ReadFunds>,
    query: Query<FundQuery>,
) -> Answer {
    let Query(FundQuery {
        jurisdiction,
        programme,
        page,
    }) = query;
    let jurisdiction = jurisdiction.map(|it| it.as_str().to_owned());
    let programme = programme.as_ref().map(|it| it.as_str());
    let cursor = page.cursor.as_deref();
    let list = api
        .service
        .disbursements(&signed.permit, jurisdiction, programme, cursor, page.limit)
        .await;
    ok(&PageView::of(paged(list)?, DisbursementView::from))
}

/// 查询支付批次 · Get a disbursement
#[utoipa::path(
    tag = "disbursements",
    params(DisbursementPath),
    responses((status = 200, description = "The disbursement as it stands.", body = DisbursementView,
        headers(("ETag" = String, description = "Its revision.")))),
    extensions(("x-roles" = json!(roles::<ReadFunds>()))),
)]
#[get("/v1/disbursements/{id}")]
pub(crate) async fn get_disbursement(
    api: ApiState,
    signed: Signed<ReadFunds>,
    id: PathId<DisbursementId>,
) -> Answer {
    let view = DisbursementView::from(api.service.disbursement(&signed.permit, id.0).await?);
    tagged(&view.etag, &view)
}

/// 支付明细 · List a disbursement's payments
#[utoipa::path(
    tag = "disbursements",
    params(DisbursementPath, PageParams),
    responses((status = 200, description = "A page of payments.", body = PageView<PaymentView>)),
    extensions(("x-roles" = json!(roles::<ReadFunds>()))),
)]
#[get("/v1/disbursements/{id}/payments")]
pub(crate) async fn list_payments(
    api: ApiState,
    signed: Signed<ReadFunds>,
    id: PathId<DisbursementId>,
    page: Query<PageQuery>,
) -> Answer {
    let Query(page) = page;
    let list = api
        .service
        .payments(&signed.permit, id.0, page.cursor.as_deref(), page.limit)
        .await;
    ok(&PageView::of(paged(list)?, PaymentView::from))
}

/// 放行支付批次 · Release a disbursement
///
/// By another person than its maker; above an amount by a third, after a second countersigned it with this same call. Only then is there an
/// instruction for the bank.
#[utoipa::path(
    tag = "disbursements",
    params(DisbursementPath, IfMatchHeader, OptionalIdempotencyHeader),
    request_body(content = Nothing, description = "Nothing."),
    responses((status = 200, description = "Released, or countersigned.", body = DisbursementView,
        headers(("ETag" = String, description = "Its new revision.")))),
    extensions(("x-roles" = json!(roles::<ManageFunds>()))),
)]
#[post("/v1/disbursements/{id}/release")]
pub(crate) async fn release_disbursement(
    api: ApiState,
    signed: Signed<ManageFunds>,
    id: PathId<DisbursementId>,
    seen: IfMatch,
    key: OptionalKey,
    body: Body<Nothing>,
) -> Answer {
    let (permit, key) = (signed.permit, key.of(body.hash));
    let released = api
        .write(|it| async move { it.release_disbursement(&permit, id.0, seen.0, key).await })
        .await?;
    let view = DisbursementView::from(released.value);
    again(&view.etag, released.replayed, &view)
}

/// 取消支付批次 · Cancel a disbursement
///
/// Before it is released: its claims are payable again.
#[utoipa::path(
    tag = "disbursements",
    params(DisbursementPath),
    request_body(content = ReasonGiven, description = "Why."),
    responses((status = 200, description = "Cancelled.", body = DisbursementView,
        headers(("ETag" = String, description = "Its new revision.")))),
    extensions(("x-roles" = json!(roles::<ManageFunds>()))),
)]
#[post("/v1/disbursements/{id}/cancellation")]
pub(crate) async fn cancel_disbursement(
    api: ApiState,
    signed: Signed<ManageFunds>,
    id: PathId<DisbursementId>,
    body: Body<ReasonGiven>,
) -> Answer {
    let (permit, why) = (signed.permit, Some(body.value.reason));
    let cancelled = api
        .write(|it| async move { it.cancel_disbursement(&permit, id.0, why).await })
        .await?;
    let view = DisbursementView::from(cancelled);
    tagged(&view.etag, &view)
}

/// 支付指令 · Get the instruction for the bank
///
/// Of a released disbursement: `pain.001.001.09`, or a table (CSV, UTF-8 with BOM). The same whenever it is asked for. It names accounts: handing it out is an
/// audit event. Headers say how many files there are, and what this one holds.
#[utoipa::path(
    tag = "disbursements",
    params(DisbursementPath, InstructionParams),
    responses((status = 200, description = "A file of the instruction.",
        content((String = "text/csv"), (String = "application/xml")),
        headers(("X-Parts" = String, description = "How many files the instruction has."),
            ("X-Payments" = String, description = "Payments in this file."),
            ("X-Control-Sum" = String, description = "Their sum, yuan."),
            ("X-Content-SHA256" = String, description = "SHA-256 of the file, hex.")))),
    extensions(("x-roles" = json!(roles::<ManageFunds>()))),
)]
#[get("/v1/disbursements/{id}/instruction")]
pub(crate) async fn get_instruction(
    api: ApiState,
    signed: Signed<ManageFunds>,
    id: PathId<DisbursementId>,
    query: Query<InstructionQuery>,
) -> Answer {
    let Query(InstructionQuery { format, part }) = query;
    let format = match format {
        InstructionFormat::Csv => disburse::InstructionFormat::Csv,
        InstructionFormat::Pain001 => disburse::InstructionFormat::Pain001,
    };
    let permit = signed.permit;
    let file = api
        .write(|it| async move { it.instruction(&permit, id.0, format, part).await })
        .await?;
    let name = format!("attachment; filename=\"{}\"", file.name());
    Ok(HttpResponse::Ok()
        .content_type(file.format.media_type())
        .insert_header((header::CONTENT_DISPOSITION, name))
        .insert_header(("x-parts", file.parts.to_string()))
        .insert_header(("x-payments", file.count.to_string()))
        .insert_header(("x-control-sum", file.sum.to_string()))
        .insert_header(("x-content-sha256", file.sha256.to_string()))
        .body(file.bytes))
}
