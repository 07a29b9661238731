//! What banks say of payments: results, reports, and the exceptions that a person resolves.

use crate::http::answer::{Answer, Json, ok, paged, results};
use crate::http::authenticated::Authenticated;
use crate::http::contract::Text;
use crate::http::extract::{Body, PathId, Query, media_type, raw_body};
use crate::http::field_limits::{REASON, RESULTS};
use crate::http::fields::Fields;
use crate::http::middleware::Context;
use crate::http::money::Money;
use crate::http::queries::{JurisdictionQuery, PageQuery, YesNo};
use crate::http::state::ApiState;
use crate::http::views::{ItemResultView, PageView, ResultsView};
use crate::http::wire::{Words, request_words};
use crate::payments::PaymentView;
use actix_web::{FromRequest, HttpRequest, web};
use api_macros::operation;
use chrono::{DateTime, NaiveDate, Utc};
use claims::{BankEntryId, DisbursementId, JurisdictionCode, PaymentId};
use policy::Lang;
use serde::Serialize;
use service::operation::access::{ManageFunds, Permit, ReadFunds};
use service::payments::{self, BankException, BankReport, HeardReport, Resolution};
use utoipa::ToSchema;
use wire_derive::{WireBody, WireQuery};

/// 登记支付结果 · Record payment results
///
/// As JSON, or as the bank's file: `pain.002` or `camt.054` (XML), or the instruction's table with its result columns filled
/// in (CSV, UTF-8 or GB 18030). In parts or whole, in any order; a repeat changes nothing. What names no payment of the disbursement, another amount, or
/// the opposite of what is known is refused for itself alone and set aside as a bank exception.
#[operation(
    post "/v1/disbursements/{id}/results",
    tag = Disbursements,
    body(
        "What the bank says.",
        "application/json" = RecordResults,
        "application/xml" = Text,
        "text/csv" = Text
    ),
    answer = "A result for each, in order."
)]
pub(crate) async fn record_results(
    api: ApiState,
    caller: Authenticated<ManageFunds>,
    id: PathId<DisbursementId>,
    request: HttpRequest,
    payload: web::Payload,
) -> Answer<Json<ResultsView<ItemResultView<PaymentView>>>> {
    const TYPES: &[&str] = &["application/json", "application/xml", "text/csv"];
    if media_type(&request, TYPES)? != "application/json" {
        let scope = (id.0.jurisdiction, Some(id.0));
        return report(&api, caller.permit, caller.lang, scope, &request, payload).await;
    }
    let body = Body::<RecordResults>::from_request(&request, &mut payload.into_inner()).await?;
    let said = body.value.items.into_iter();
    let said = said
        .map(|it| payments::PaymentResult::of(it.payment, it.reason))
        .collect();
    let permit = caller.permit;
    let outcome = api
        .write(|it| async move { it.payments().record_results(&permit, id.0, said).await })
        .await?;
    let request_id = &Context::of(&request).request_id;
    results(outcome, caller.lang, request_id, PaymentView::from)
}

/// 登记银行回单 · Record a bank's report
///
/// Of a county, whatever disbursements it is about: a day's `camt.054`, for example. Otherwise as the results of a disbursement.
#[operation(
    post "/v1/bank-reports",
    tag = Payments,
    body("The bank's file.", "application/xml" = Text, "text/csv" = Text),
    answer = "A result for each, in order."
)]
pub(crate) async fn record_bank_report(
    api: ApiState,
    caller: Authenticated<ManageFunds>,
    query: Query<CountyQuery>,
    request: HttpRequest,
    payload: web::Payload,
) -> Answer<Json<ResultsView<ItemResultView<PaymentView>>>> {
    let scope = (query.0.jurisdiction, None);
    report(&api, caller.permit, caller.lang, scope, &request, payload).await
}

async fn report(
    api: &ApiState,
    permit: Permit<ManageFunds>,
    lang: Lang,
    (jurisdiction, disbursement): (JurisdictionCode, Option<DisbursementId>),
    request: &HttpRequest,
    payload: web::Payload,
) -> Answer<Json<ResultsView<ItemResultView<PaymentView>>>> {
    let kind = media_type(request, &["application/xml", "text/csv"])?;
    let limit = api.limits.bank_report;
    let bytes = raw_body(request, payload.into_inner(), limit).await?.to_vec();
    let report = match kind {
        "text/csv" => BankReport::table(bytes),
        _ => BankReport::xml(bytes),
    };
    let outcome = api
        .write(|it| async move {
            it.payments()
                .record_report(&permit, jurisdiction, disbursement, report)
                .await
        })
        .await?;
    let request_id = &Context::of(request).request_id;
    results(outcome, lang, request_id, PaymentView::from)
}

/// 银行回单异常 · List bank exceptions
///
/// What banks said that fits no payment or contradicts what is known, and that nobody has resolved; oldest first.
#[operation(get "/v1/bank-exceptions", tag = Payments, answer = "A page of exceptions.")]
pub(crate) async fn list_bank_exceptions(
    api: ApiState,
    caller: Authenticated<ReadFunds>,
    query: Query<JurisdictionQuery>,
) -> Answer<Json<PageView<BankExceptionView>>> {
    let Query(JurisdictionQuery { jurisdiction, page }) = query;
    let jurisdiction = jurisdiction.map(|it| it.as_str().to_owned());
    let list = api
        .service
        .payments()
        .bank_exceptions(&caller.permit, jurisdiction, page.cursor.as_deref(), page.limit)
        .await;
    ok(&PageView::of(paged(list)?, BankExceptionView::from))
}

/// 处理银行回单异常 · Resolve a bank exception
///
/// Applied, by another person than brought it in, it moves the money as the bank said; dismissed, it moves nothing. Either is kept with its reason.
#[operation(
    post "/v1/bank-exceptions/{id}/resolution",
    tag = Payments,
    body = "What it means.",
    answer = "Resolved."
)]
pub(crate) async fn resolve_bank_exception(
    api: ApiState,
    caller: Authenticated<ManageFunds>,
    id: PathId<BankEntryId>,
    body: Body<ResolveException>,
) -> Answer<Json<BankExceptionView>> {
    let ResolveException { resolution, reason } = body.value;
    let permit = caller.permit;
    let resolved = api
        .write(|it| async move {
            it.payments()
                .resolve_exception(&permit, id.0, resolution, Some(reason))
                .await
        })
        .await?;
    ok(&BankExceptionView::from(resolved))
}

/// 自动接收的银行回单 · List reports fetched from the bank
///
/// Newest first. One that could not be read was set aside; put it right and bring it in by `POST /v1/bank-reports`.
#[operation(get "/v1/bank-reports", tag = Payments, answer = "A page of reports.")]
pub(crate) async fn list_bank_reports(
    api: ApiState,
    caller: Authenticated<ReadFunds>,
    query: Query<ReportsQuery>,
) -> Answer<Json<PageView<HeardReportView>>> {
    let Query(ReportsQuery { unreadable, page }) = query;
    let list = api
        .service
        .payments()
        .heard_reports(
            &caller.permit,
            unreadable == YesNo::True,
            page.cursor.as_deref(),
            page.limit,
        )
        .await;
    ok(&PageView::of(paged(list)?, HeardReportView::from))
}

/// A report that was fetched from the bank.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = BankReport)]
pub struct HeardReportView {
    #[schema(max_length = 100)]
    pub name: String,
    /// Of the bytes, hex.
    #[schema(max_length = 64)]
    pub sha256: String,
    #[schema(minimum = 0)]
    pub bytes: i32,
    /// `recorded`, or `unreadable`: set aside, nothing of it was recorded.
    #[schema(max_length = 10)]
    pub status: String,
    /// How much it said of payments.
    #[schema(minimum = 0)]
    pub results: i32,
    /// How much of that was set aside as bank exceptions.
    #[schema(minimum = 0)]
    pub exceptions: i32,
    pub fault: Option<ReportFaultView>,
    pub received_at: DateTime<Utc>,
}

/// Why a report cannot be read, and where.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReportFault)]
pub struct ReportFaultView {
    #[schema(max_length = 100)]
    pub code: String,
    #[schema(minimum = 0)]
    pub line: i64,
    #[schema(minimum = 0)]
    pub column: i64,
}

impl From<HeardReport> for HeardReportView {
    fn from(it: HeardReport) -> HeardReportView {
        HeardReportView {
            name: it.name,
            sha256: it.sha256,
            bytes: it.bytes,
            status: it.status,
            results: it.results,
            exceptions: it.exceptions,
            fault: it
                .fault
                .map(|(code, line, column)| ReportFaultView { code, line, column }),
            received_at: it.received_at,
        }
    }
}

request_words! {
    /// What the bank says of a payment.
    pub enum PaymentOutcome { Paid = "paid", Failed = "failed" }
    /// What a person decides on what a bank said.
    pub enum ResolutionWord { Apply = "apply", Dismiss = "dismiss" }
}

/// What the bank says of a disbursement's payments.
#[derive(Debug, WireBody)]
#[wire(long)]
pub struct RecordResults {
    #[wire(items = 1..=RESULTS)]
    pub items: Vec<PaymentResult>,
}

/// What the bank says of one payment. A failure has a reason.
#[derive(Debug, WireBody)]
#[wire(check(outcome, reason))]
pub struct PaymentResult {
    pub payment: PaymentId,
    pub outcome: PaymentOutcome,
    #[wire(Words(REASON), example = "账号与户名不符")]
    pub reason: Option<String>,
}

impl PaymentResult {
    /// A payment failed if and only if there is a reason.
    fn check(outcome: &PaymentOutcome, reason: &Option<String>, f: &Fields<'_>) -> Option<()> {
        match (outcome, reason) {
            (PaymentOutcome::Paid, None) | (PaymentOutcome::Failed, Some(_)) => Some(()),
            (PaymentOutcome::Paid, Some(_)) => {
                f.error(
                    "reason",
                    "not-for-paid",
                    "支付成功不填理由",
                    "a payment that was made has no reason",
                );
                None
            }
            (PaymentOutcome::Failed, None) => {
                f.error("reason", "missing", "支付失败须填理由", "a failure has a reason");
                None
            }
        }
    }
}

/// One county.
#[derive(Debug, Clone, WireQuery)]
pub struct CountyQuery {
    pub jurisdiction: JurisdictionCode,
}

/// What is done with a word of a bank that was set aside.
#[derive(Debug, WireBody)]
pub struct ResolveException {
    #[wire(flatten = ResolutionGiven)]
    pub resolution: Resolution,
    #[wire(Words(REASON))]
    pub reason: String,
}

/// Whether it is applied, and to which payment.
#[derive(Debug, WireBody)]
#[wire(refine = Resolution)]
pub struct ResolutionGiven {
    pub resolution: ResolutionWord,
    /// The payment that it is about, if the bank did not name it. Only with `apply`.
    pub payment: Option<PaymentId>,
}

impl ResolutionGiven {
    fn refine(self, f: &Fields<'_>) -> Option<Resolution> {
        match (self.resolution, self.payment) {
            (ResolutionWord::Apply, payment) => Some(Resolution::Apply { payment }),
            (ResolutionWord::Dismiss, None) => Some(Resolution::Dismiss),
            (ResolutionWord::Dismiss, Some(_)) => {
                f.error(
                    "payment",
                    "not-for-dismissed",
                    "不予采信时不填支付编号",
                    "what is dismissed is about no payment",
                );
                None
            }
        }
    }
}

/// Which reports.
#[derive(Debug, Clone, WireQuery)]
pub struct ReportsQuery {
    /// `true`: only those that could not be read.
    #[wire(default = YesNo::False)]
    pub unreadable: YesNo,
    #[wire(flatten)]
    pub page: PageQuery,
}

/// A word of a bank that fits no payment, or contradicts what is known.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = BankException)]
pub struct BankExceptionView {
    #[schema(pattern = "^bke_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub id: String,
    /// `unknown_payment`, `not_released`, `amount_differs`, `contradicts` or `unclear`.
    #[schema(max_length = 20, example = "contradicts")]
    pub exception: String,
    /// The payment that the bank named, or a mark of what it named instead.
    #[schema(max_length = 46)]
    pub reference: String,
    #[schema(max_length = 46)]
    pub payment: Option<String>,
    #[schema(max_length = 46)]
    pub disbursement: Option<String>,
    /// `paid`, `failed`, `returned` or `unclear`.
    #[schema(max_length = 10, example = "paid")]
    pub verdict: String,
    pub amount: Option<Money>,
    /// The bank's code.
    #[schema(max_length = 35, example = "AC04")]
    pub code: Option<String>,
    #[schema(max_length = 500)]
    pub reason: Option<String>,
    pub booked_on: Option<NaiveDate>,
    /// `json`, `csv`, `pain.002` or `camt.054`.
    #[schema(max_length = 10)]
    pub format: String,
    pub received_at: DateTime<Utc>,
    /// `exception`, `applied` or `dismissed`.
    #[schema(max_length = 10, example = "exception")]
    pub standing: String,
    pub resolved_at: Option<DateTime<Utc>>,
    /// Why.
    #[schema(max_length = 500)]
    pub resolution: Option<String>,
}

impl From<BankException> for BankExceptionView {
    fn from(it: BankException) -> BankExceptionView {
        BankExceptionView {
            id: it.id.to_string(),
            exception: it.exception,
            reference: it.reference,
            payment: it.payment.map(|id| id.to_string()),
            disbursement: it.disbursement.map(|id| id.to_string()),
            verdict: it.verdict,
            amount: it.amount.map(Money::from),
            code: it.code,
            reason: it.reason,
            booked_on: it.booked_on,
            format: it.format,
            received_at: it.received_at,
            standing: it.standing,
            resolved_at: it.resolved_at,
            resolution: it.resolution,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::http::fields::read;
    use crate::http::wire::Object;

    use super::*;

    #[test]
    fn a_failure_has_a_reason_and_a_success_has_none() {
        let payment = format!("pay_140802_{:032x}", 1);
        let one = |item: serde_json::Value| {
            read(&json!({"items": [item]}), "", RecordResults::read)
                .map_err(|errors| errors[0].pointer.clone())
        };
        assert!(one(json!({"payment": payment, "outcome": "paid"})).is_ok());
        assert!(one(json!({"payment": payment, "outcome": "failed", "reason": "户名不符"})).is_ok());
        assert_eq!(
            one(json!({"payment": payment, "outcome": "failed"})).unwrap_err(),
            "/items/0/reason"
        );
        assert_eq!(
            one(json!({"payment": "x", "outcome": "paid"})).unwrap_err(),
            "/items/0/payment"
        );
    }
}
