//! Payments, what banks say of them, and how it all adds up.

use actix_web::{FromRequest, HttpRequest, get, post, web};
use claims::{BankEntryId, DisbursementId, JurisdictionCode, PaymentId};
use policy::Lang;
use service::access::{ManageFunds, Permit, ReadFunds};
use service::disburse::{self, BankReport};

use crate::http::answer::{Answer, ok, paged, results};
use crate::http::authenticated::{Signed, roles};
use crate::http::bodies::{RecordResults, RecordResultsRead};
use crate::http::extract::documented::{BankEntryPath, DisbursementPath, PaymentPath};
use crate::http::extract::{Body, PathId, Query, media_type, raw_body};
use crate::http::middleware::Context;
use crate::http::queries::{
    CountyParams, CountyQuery, DaysParams, DaysQuery, JurisdictionParams, JurisdictionQuery, PageParams,
    PageQuery,
};
use crate::http::state::ApiState;
use crate::http::views::{ItemResultView, PageView, ResultsView};
use crate::wire::payments::{
    BankExceptionView, PaidClaimView, PaymentView, ReconciliationView, Reconciliations, ResolveException,
    ResolveExceptionRead,
};

/// 支付 · Get a payment
#[utoipa::path(
    tag = "payments",
    params(PaymentPath),
    responses((status = 200, description = "The payment.", body = PaymentView)),
    extensions(("x-roles" = json!(roles::<ReadFunds>()))),
)]
#[get("/v1/payments/{id}")]
pub(crate) async fn get_payment(api: ApiState, signed: Signed<ReadFunds>, id: PathId<PaymentId>) -> Answer {
    let payment = api.service.payment(&signed.permit, id.0).await?;
    ok(&PaymentView::from(payment))
}

/// 支付所含申领 · List a payment's claims
#[utoipa::path(
    tag = "payments",
    params(PaymentPath, PageParams),
    responses((status = 200, description = "A page of claims.", body = PageView<PaidClaimView>)),
    extensions(("x-roles" = json!(roles::<ReadFunds>()))),
)]
#[get("/v1/payments/{id}/claims")]
pub(crate) async fn list_payment_claims(
    api: ApiState,
    signed: Signed<ReadFunds>,
    id: PathId<PaymentId>,
    page: Query<PageQuery>,
) -> Answer {
    let Query(page) = page;
    let list = api
        .service
        .payment_claims(&signed.permit, id.0, page.cursor.as_deref(), page.limit)
        .await;
    ok(&PageView::of(paged(list)?, PaidClaimView::from))
}

/// 登记支付结果 · Record payment results
///
/// As JSON, or as the bank's file: `pain.002` or `camt.054` (XML), or the instruction's table with its result columns filled
/// in (CSV, UTF-8 or GB 18030). In parts or whole, in any order; a repeat changes nothing. What names no payment of the disbursement, another amount, or
/// the opposite of what is known is refused for itself alone and set aside as a bank exception.
#[utoipa::path(
    tag = "disbursements",
    params(DisbursementPath),
    request_body(description = "What the bank says.",
        content((RecordResults = "application/json"), (String = "application/xml"), (String = "text/csv"))),
    responses((status = 200, description = "A result for each, in order.", body = ResultsView<ItemResultView<PaymentView>>)),
    extensions(("x-roles" = json!(roles::<ManageFunds>()))),
)]
#[post("/v1/disbursements/{id}/results")]
pub(crate) async fn record_results(
    api: ApiState,
    signed: Signed<ManageFunds>,
    id: PathId<DisbursementId>,
    request: HttpRequest,
    payload: web::Payload,
) -> Answer {
    const TYPES: &[&str] = &["application/json", "application/xml", "text/csv"];
    if media_type(&request, TYPES)? != "application/json" {
        let scope = (id.0.jurisdiction, Some(id.0));
        return report(&api, signed.permit, signed.lang, scope, &request, payload).await;
    }
    let body = Body::<RecordResultsRead>::from_request(&request, &mut payload.into_inner()).await?;
    let said = body.value.0.into_iter();
    let said = said
        .map(|it| disburse::PaymentResult::of(it.payment, it.failed))
        .collect();
    let permit = signed.permit;
    let outcome = api
        .write(|it| async move { it.record_results(&permit, id.0, said).await })
        .await?;
    let request_id = &Context::of(&request).request_id;
    results(outcome, signed.lang, request_id, PaymentView::from)
}

/// 登记银行回单 · Record a bank's report
///
/// Of a county, whatever disbursements it is about: a day's `camt.054`, for example. Otherwise as the results of a disbursement.
#[utoipa::path(
    tag = "payments",
    params(CountyParams),
    request_body(description = "The bank's file.", content((String = "application/xml"), (String = "text/csv"))),
    responses((status = 200, description = "A result for each, in order.", body = ResultsView<ItemResultView<PaymentView>>)),
    extensions(("x-roles" = json!(roles::<ManageFunds>()))),
)]
#[post("/v1/bank-reports")]
pub(crate) async fn record_bank_report(
    api: ApiState,
    signed: Signed<ManageFunds>,
    query: Query<CountyQuery>,
    request: HttpRequest,
    payload: web::Payload,
) -> Answer {
    let scope = (query.0.jurisdiction, None);
    report(&api, signed.permit, signed.lang, scope, &request, payload).await
}

async fn report(
    api: &ApiState,
    permit: Permit<ManageFunds>,
    lang: Lang,
    (jurisdiction, disbursement): (JurisdictionCode, Option<DisbursementId>),
    request: &HttpRequest,
    payload: web::Payload,
) -> Answer {
    let kind = media_type(request, &["application/xml", "text/csv"])?;
    let limit = api.limits.bank_report;
    let bytes = raw_body(request, payload.into_inner(), limit).await?.to_vec();
    let report = match kind {
        "text/csv" => BankReport::table(bytes),
        _ => BankReport::xml(bytes),
    };
    let outcome = api
        .write(|it| async move {
            it.record_report(&permit, jurisdiction, disbursement, report)
                .await
        })
        .await?;
    let request_id = &Context::of(request).request_id;
    results(outcome, lang, request_id, PaymentView::from)
}

/// 银行回单异常 · List bank exceptions
///
/// What banks said that fits no payment or contradicts what is known, and that nobody has resolved; oldest first.
#[utoipa::path(
    tag = "payments",
    params(JurisdictionParams, PageParams),
    responses((status = 200, description = "A page of exceptions.", body = PageView<BankExceptionView>)),
    extensions(("x-roles" = json!(roles::<ReadFunds>()))),
)]
#[get("/v1/bank-exceptions")]
pub(crate) async fn list_bank_exceptions(
    api: ApiState,
    signed: Signed<ReadFunds>,
    query: Query<JurisdictionQuery>,
) -> Answer {
    let Query(JurisdictionQuery { jurisdiction, page }) = query;
    let jurisdiction = jurisdiction.map(|it| it.as_str().to_owned());
    let list = api
        .service
        .bank_exceptions(&signed.permit, jurisdiction, page.cursor.as_deref(), page.limit)
        .await;
    ok(&PageView::of(paged(list)?, BankExceptionView::from))
}

/// 处理银行回单异常 · Resolve a bank exception
///
/// Applied, by another person than brought it in, it moves the money as the bank said; dismissed, it moves nothing. Either is kept with its reason.
#[utoipa::path(
    tag = "payments",
    params(BankEntryPath),
    request_body(content = ResolveException, description = "What it means."),
    responses((status = 200, description = "Resolved.", body = BankExceptionView)),
    extensions(("x-roles" = json!(roles::<ManageFunds>()))),
)]
#[post("/v1/bank-exceptions/{id}/resolution")]
pub(crate) async fn resolve_bank_exception(
    api: ApiState,
    signed: Signed<ManageFunds>,
    id: PathId<BankEntryId>,
    body: Body<ResolveExceptionRead>,
) -> Answer {
    let ResolveExceptionRead { resolution, reason } = body.value;
    let permit = signed.permit;
    let resolved = api
        .write(|it| async move {
            it.resolve_exception(&permit, id.0, resolution, Some(reason))
                .await
        })
        .await?;
    ok(&BankExceptionView::from(resolved))
}

/// 支付批次对账 · Reconcile a disbursement
#[utoipa::path(
    tag = "disbursements",
    params(DisbursementPath),
    responses((status = 200, description = "How it stands now.", body = ReconciliationView)),
    extensions(("x-roles" = json!(roles::<ReadFunds>()))),
)]
#[get("/v1/disbursements/{id}/reconciliation")]
pub(crate) async fn reconcile_disbursement(
    api: ApiState,
    signed: Signed<ReadFunds>,
    id: PathId<DisbursementId>,
) -> Answer {
    let stands = api.service.reconcile_disbursement(&signed.permit, id.0).await?;
    ok(&ReconciliationView::from(stands))
}

/// 对账表 · Reconcile a county's days
///
/// Every disbursement that was released on these days, as it stands now.
#[utoipa::path(
    tag = "payments",
    params(DaysParams),
    responses((status = 200, description = "Sent, paid, failed, returned and open.", body = Reconciliations)),
    extensions(("x-roles" = json!(roles::<ReadFunds>()))),
)]
#[get("/v1/reconciliations")]
pub(crate) async fn reconcile(api: ApiState, signed: Signed<ReadFunds>, query: Query<DaysQuery>) -> Answer {
    let Query(DaysQuery {
        jurisdiction,
        from,
        to,
    }) = query;
    let stands = api
        .service
        .reconcile(&signed.permit, jurisdiction.as_str(), (from, to))
        .await;
    let items = paged(stands)?.into_iter().map(ReconciliationView::from).collect();
    ok(&Reconciliations { items })
}
