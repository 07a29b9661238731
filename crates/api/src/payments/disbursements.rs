//! Disbursements: made by one person of treasury, released by another, settled by the bank's
//! results.

use actix_web::HttpResponse;
use actix_web::http::header;
use api_macros::operation;
use chrono::{DateTime, NaiveDate, Utc};
use claims::DisbursementId;
use claims::identifiers::{CreditCode, JurisdictionCode, ProgrammeId};
use ledger::Fen;
use serde::Serialize;
use service::operation::Key;
use service::operation::access::{ManageFunds, ReadFunds};
use service::payments::{Disbursement, Gather, InstructionFormat};
use timing::shanghai;
use utoipa::ToSchema;
use wire_derive::{WireBody, WireQuery};

use crate::http::answer::{Answer, CreatedTagged, Json, Tagged, again, created_tagged, ok, paged, tagged};
use crate::http::authenticated::Authenticated;
use crate::http::bodies::{Nothing, ReasonGiven};
use crate::http::contract::Text;
use crate::http::extract::{Body, IdempotencyKey, IfMatch, OptionalKey, PathId, Query, etag_of};
use crate::http::field_limits::GATHERED;
use crate::http::money::Money;
use crate::http::queries::PageQuery;
use crate::http::state::ApiState;
use crate::http::views::PageView;
use crate::http::wire::{Whole, request_words};
use crate::payments::PaymentView;

/// 生成支付批次 · Make a disbursement
///
/// Gathers the payable claims of a fund, oldest first, into one payment a payee: a merchant's hundred claims are one transfer.
#[operation(
    post "/v1/disbursements",
    tag = Disbursements,
    body = "The fund.",
    answer = "Made; another person releases it.",
    location = "Address of the disbursement."
)]
pub(crate) async fn make_disbursement(
    api: ApiState,
    caller: Authenticated<ManageFunds>,
    key: IdempotencyKey,
    body: Body<MakeDisbursement>,
) -> Answer<CreatedTagged<DisbursementView>> {
    let (permit, key) = (
        caller.permit,
        Key {
            key: key.0,
            request: body.hash,
        },
    );
    let MakeDisbursement {
        jurisdiction,
        programme,
        merchant,
        payable_before,
        most_claims,
        most_amount,
    } = body.value;
    let gather = Gather {
        merchant: merchant.map(|it| it.as_str().to_owned()),
        since_before: payable_before.map(shanghai::midnight),
        most_claims,
        most_amount,
    };
    let made = api
        .write(|it| async move {
            it.payments()
                .make_disbursement(&permit, jurisdiction.as_str(), programme.as_str(), gather, key)
                .await
        })
        .await?;
    let view = DisbursementView::from(made.value);
    created_tagged(
        &format!("/v1/disbursements/{}", view.id),
        &view.etag,
        made.replayed,
        &view,
    )
}

/// 支付批次列表 · List disbursements
///
/// Newest first.
#[operation(get "/v1/disbursements", tag = Disbursements, answer = "A page of disbursements.")]
pub(crate) async fn list_disbursements(
    api: ApiState,
    caller: Authenticated<ReadFunds>,
    query: Query<FundQuery>,
) -> Answer<Json<PageView<DisbursementView>>> {
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
        .payments()
        .disbursements(&caller.permit, jurisdiction, programme, cursor, page.limit)
        .await;
    ok(&PageView::of(paged(list)?, DisbursementView::from))
}

/// 查询支付批次 · Get a disbursement
#[operation(
    get "/v1/disbursements/{id}",
    tag = Disbursements,
    answer = "The disbursement as it stands."
)]
pub(crate) async fn get_disbursement(
    api: ApiState,
    caller: Authenticated<ReadFunds>,
    id: PathId<DisbursementId>,
) -> Answer<Tagged<DisbursementView>> {
    let view = DisbursementView::from(api.service.payments().disbursement(&caller.permit, id.0).await?);
    tagged(&view.etag, &view)
}

/// 支付明细 · List a disbursement's payments
#[operation(
    get "/v1/disbursements/{id}/payments",
    tag = Disbursements,
    answer = "A page of payments."
)]
pub(crate) async fn list_payments(
    api: ApiState,
    caller: Authenticated<ReadFunds>,
    id: PathId<DisbursementId>,
    page: Query<PageQuery>,
) -> Answer<Json<PageView<PaymentView>>> {
    let Query(page) = page;
    let list = api
        .service
        .payments()
        .payments(&caller.permit, id.0, page.cursor.as_deref(), page.limit)
        .await;
    ok(&PageView::of(paged(list)?, PaymentView::from))
}

/// 放行支付批次 · Release a disbursement
///
/// By another person than its maker; above an amount by a third, after a second countersigned it with this same call. Only then is there an
/// instruction for the bank.
#[operation(
    post "/v1/disbursements/{id}/release",
    tag = Disbursements,
    body = "Nothing.",
    answer = "Released, or countersigned."
)]
pub(crate) async fn release_disbursement(
    api: ApiState,
    caller: Authenticated<ManageFunds>,
    id: PathId<DisbursementId>,
    seen: IfMatch,
    key: OptionalKey,
    body: Body<Nothing>,
) -> Answer<Tagged<DisbursementView>> {
    let (permit, key) = (caller.permit, key.of(body.hash));
    let released = api
        .write(|it| async move {
            it.payments()
                .release_disbursement(&permit, id.0, seen.0, key)
                .await
        })
        .await?;
    let view = DisbursementView::from(released.value);
    again(&view.etag, released.replayed, &view)
}

/// 取消支付批次 · Cancel a disbursement
///
/// Before it is released: its claims are payable again.
#[operation(
    post "/v1/disbursements/{id}/cancellation",
    tag = Disbursements,
    body = "Why.",
    answer = "Cancelled."
)]
pub(crate) async fn cancel_disbursement(
    api: ApiState,
    caller: Authenticated<ManageFunds>,
    id: PathId<DisbursementId>,
    body: Body<ReasonGiven>,
) -> Answer<Tagged<DisbursementView>> {
    let (permit, why) = (caller.permit, Some(body.value.reason));
    let cancelled = api
        .write(|it| async move { it.payments().cancel_disbursement(&permit, id.0, why).await })
        .await?;
    let view = DisbursementView::from(cancelled);
    tagged(&view.etag, &view)
}

/// 支付指令 · Get the instruction for the bank
///
/// Of a released disbursement: `pain.001.001.09`, or a table (CSV, UTF-8 with BOM). The same whenever it is asked for. It names accounts: handing it out is an
/// audit event. Headers say how many files there are, and what this one holds.
#[operation(
    get "/v1/disbursements/{id}/instruction",
    tag = Disbursements,
    answer("A file of the instruction.", "text/csv" = Text, "application/xml" = Text),
    headers(
        "X-Parts" = "How many files the instruction has.",
        "X-Payments" = "Payments in this file.",
        "X-Control-Sum" = "Their sum, yuan.",
        "X-Content-SHA256" = "SHA-256 of the file, hex."
    ),
    problems(409)
)]
pub(crate) async fn get_instruction(
    api: ApiState,
    caller: Authenticated<ManageFunds>,
    id: PathId<DisbursementId>,
    query: Query<InstructionQuery>,
) -> Answer {
    let Query(InstructionQuery { format, part }) = query;
    let permit = caller.permit;
    let file = api
        .write(|it| async move { it.payments().instruction(&permit, id.0, format, part).await })
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

request_words! {
    /// Format of an instruction to the bank.
    InstructionFormat as "InstructionFormat" { Csv = "csv", Pain001 = "pain.001" }
}

/// The fund whose payable claims are to be paid.
#[derive(Debug, WireBody)]
pub struct MakeDisbursement {
    pub jurisdiction: JurisdictionCode,
    #[wire(example = "appliance-2026")]
    pub programme: ProgrammeId,
    /// Credit code: only claims that are paid to this merchant, or that it made for an applicant.
    pub merchant: Option<CreditCode>,
    /// Only what has been payable since before this day, Asia/Shanghai.
    #[wire(example = "2026-06-01")]
    pub payable_before: Option<NaiveDate>,
    #[wire(Whole::new(1..=GATHERED))]
    pub most_claims: Option<usize>,
    /// Gathering ends with the first claim that does not fit: nobody is overtaken.
    pub most_amount: Option<Fen>,
}

/// A list of one fund's records, or of all that the caller may see.
#[derive(Debug, Clone, WireQuery)]
pub struct FundQuery {
    pub jurisdiction: Option<JurisdictionCode>,
    pub programme: Option<ProgrammeId>,
    #[wire(flatten)]
    pub page: PageQuery,
}

/// Format of an instruction.
#[derive(Debug, Clone, Copy, WireQuery)]
pub struct InstructionQuery {
    /// `csv` if it is left out.
    #[wire(default = InstructionFormat::Csv)]
    pub format: InstructionFormat,
    /// Which file, if the bank's limit of entries makes it more than one; the first if it is left out.
    #[wire(Whole::new(1..=999), default = 1)]
    pub part: usize,
}

/// Payable claims of a fund, gathered to be paid.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Disbursement)]
pub struct DisbursementView {
    #[schema(pattern = "^dsb_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub id: String,
    #[schema(max_length = 9)]
    pub jurisdiction: String,
    #[schema(max_length = 64)]
    pub programme: String,
    /// `made`, `countersigned`, `released`, `settled` or `cancelled`.
    #[schema(max_length = 14, example = "made")]
    pub status: String,
    /// What goes into `If-Match`.
    #[schema(max_length = 12, example = "\"1\"")]
    pub etag: String,
    /// How many claims it pays; none if it pays an advance.
    #[schema(minimum = 0)]
    pub claims: i32,
    /// In how many payments: one a payee.
    #[schema(minimum = 0)]
    pub payments: i32,
    pub total: Money,
    /// Its amount asks for a third person: the second countersigns, the third releases.
    pub needs_three: bool,
    pub made_at: DateTime<Utc>,
    pub released_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    /// `sha256:…` of what was released; it never changes.
    #[schema(max_length = 71)]
    pub digest: Option<String>,
}

impl From<Disbursement> for DisbursementView {
    fn from(it: Disbursement) -> DisbursementView {
        DisbursementView {
            etag: etag_of(it.revision),
            id: it.id,
            jurisdiction: it.jurisdiction,
            programme: it.programme,
            status: it.status,
            claims: it.claims,
            payments: it.payments,
            total: Money(it.total),
            needs_three: it.needs_three,
            made_at: it.made_at,
            released_at: it.released_at,
            closed_at: it.closed_at,
            digest: it.digest,
        }
    }
}
