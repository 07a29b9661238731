//! Payments: gathered, released, sent to banks, and settled by what banks say of them.
//!
//! [`disbursements`] gather payable claims and are released by a second person; [`submissions`] are
//! their files on the way to a bank; [`bank_reports`] bring back what became of each payment.
//! [`accounts`] says where money goes, [`advances`] what merchants have ahead, [`statements`] what
//! a county and a merchant owe each other.

pub mod accounts;
pub mod advances;
pub mod bank_reports;
pub mod disbursements;
pub mod statements;
pub mod submissions;

use api_macros::operation;

use crate::funds::sources::PartsView;
use crate::http::answer::{Answer, Json, ok, paged};
use crate::http::authenticated::Authenticated;
use crate::http::contract::{Operation, operations};
use crate::http::extract::{PathId, Query};
use crate::http::money::Money;
use crate::http::queries::PageQuery;
use crate::http::state::ApiState;
use crate::http::views::PageView;
use crate::http::wire::Day;
use chrono::{DateTime, NaiveDate, Utc};
use claims::identifiers::JurisdictionCode;
use claims::{DisbursementId, PaymentId};
use serde::Serialize;
use service::operation::access::ReadFunds;
use service::payments::{Count, PaidClaim, Payment, Reconciliation};
use utoipa::ToSchema;
use wire_derive::WireQuery;

/// Every operation of the wing.
pub(crate) const OPERATIONS: &[Operation] = operations![
    disbursements::make_disbursement,
    disbursements::list_disbursements,
    disbursements::get_disbursement,
    disbursements::list_payments,
    disbursements::release_disbursement,
    disbursements::cancel_disbursement,
    disbursements::get_instruction,
    submissions::list_submissions,
    submissions::resolve_submission,
    bank_reports::list_bank_reports,
    bank_reports::record_results,
    bank_reports::record_bank_report,
    bank_reports::list_bank_exceptions,
    bank_reports::resolve_bank_exception,
    advances::make_advance,
    advances::list_advances,
    advances::get_advance,
    advances::repay_advance,
    statements::get_statement,
    statements::get_statement_file,
    accounts::enter_account,
    accounts::get_account,
    accounts::check_account,
    accounts::correct_payee,
    get_payment,
    list_payment_claims,
    reconcile_disbursement,
    reconcile,
];

/// 支付 · Get a payment
#[operation(get "/v1/payments/{id}", tag = Payments, answer = "The payment.")]
pub(crate) async fn get_payment(
    api: ApiState,
    caller: Authenticated<ReadFunds>,
    id: PathId<PaymentId>,
) -> Answer<Json<PaymentView>> {
    let payment = api.service.payments().payment(&caller.permit, id.0).await?;
    ok(&PaymentView::from(payment))
}

/// 支付所含申领 · List a payment's claims
#[operation(get "/v1/payments/{id}/claims", tag = Payments, answer = "A page of claims.")]
pub(crate) async fn list_payment_claims(
    api: ApiState,
    caller: Authenticated<ReadFunds>,
    id: PathId<PaymentId>,
    page: Query<PageQuery>,
) -> Answer<Json<PageView<PaidClaimView>>> {
    let Query(page) = page;
    let list = api
        .service
        .payments()
        .payment_claims(&caller.permit, id.0, page.cursor.as_deref(), page.limit)
        .await;
    ok(&PageView::of(paged(list)?, PaidClaimView::from))
}

/// 支付批次对账 · Reconcile a disbursement
#[operation(
    get "/v1/disbursements/{id}/reconciliation",
    tag = Disbursements,
    answer = "How it stands now."
)]
pub(crate) async fn reconcile_disbursement(
    api: ApiState,
    caller: Authenticated<ReadFunds>,
    id: PathId<DisbursementId>,
) -> Answer<Json<ReconciliationView>> {
    let stands = api
        .service
        .payments()
        .reconcile_disbursement(&caller.permit, id.0)
        .await?;
    ok(&ReconciliationView::from(stands))
}

/// 对账表 · Reconcile a county's days
///
/// Every disbursement that was released on these days, as it stands now.
#[operation(
    get "/v1/reconciliations",
    tag = Payments,
    answer = "Sent, paid, failed, returned and open."
)]
pub(crate) async fn reconcile(
    api: ApiState,
    caller: Authenticated<ReadFunds>,
    query: Query<DaysQuery>,
) -> Answer<Json<Reconciliations>> {
    let Query(DaysQuery {
        jurisdiction,
        from,
        to,
    }) = query;
    let stands = api
        .service
        .payments()
        .reconcile(&caller.permit, jurisdiction.as_str(), (from, to))
        .await;
    let items = paged(stands)?.into_iter().map(ReconciliationView::from).collect();
    ok(&Reconciliations { items })
}

/// One payment to one payee, for all its claims in the disbursement.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Payment)]
pub struct PaymentView {
    #[schema(pattern = "^pay_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub id: String,
    #[schema(max_length = 46)]
    pub disbursement: String,
    /// `merchant` or `applicant`.
    #[schema(max_length = 10, example = "merchant")]
    pub payee: String,
    /// The merchant's credit code. Of an applicant nothing is shown.
    #[schema(max_length = 18)]
    pub merchant: Option<String>,
    /// How many claims it pays.
    #[schema(minimum = 0)]
    pub claims: i32,
    /// The advance that it pays in the place of claims.
    #[schema(max_length = 46)]
    pub advance: Option<String>,
    pub amount: Money,
    /// What of the amount each source pays.
    pub parts: PartsView,
    /// What of it is set against advances and clawbacks (抵扣); the bank sends the rest.
    pub netted: Money,
    /// `open`, `paid`, `failed`, `returned` or `cancelled`.
    #[schema(max_length = 10, example = "open")]
    pub outcome: String,
    /// Why it failed or came back.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
    pub settled_at: Option<DateTime<Utc>>,
}

impl From<Payment> for PaymentView {
    fn from(it: Payment) -> PaymentView {
        PaymentView {
            id: it.id.to_string(),
            disbursement: it.disbursement.to_string(),
            payee: it.payee,
            merchant: it.merchant,
            claims: it.claims,
            advance: it.advance.map(|id| id.to_string()),
            amount: it.amount.into(),
            parts: PartsView::from(&it.parts),
            netted: it.netted.into(),
            outcome: it.outcome,
            reason: it.reason,
            settled_at: it.settled_at,
        }
    }
}

/// A claim of a payment.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PaidClaim)]
pub struct PaidClaimView {
    #[schema(max_length = 46)]
    pub claim: String,
    pub amount: Money,
}

impl From<PaidClaim> for PaidClaimView {
    fn from(it: PaidClaim) -> PaidClaimView {
        PaidClaimView {
            claim: it.claim.to_string(),
            amount: it.amount.into(),
        }
    }
}

/// How many payments, and how much.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PaymentCount)]
pub struct CountView {
    #[schema(minimum = 0)]
    pub payments: i64,
    pub amount: Money,
}

impl From<Count> for CountView {
    fn from(it: Count) -> CountView {
        CountView {
            payments: it.payments,
            amount: it.amount.into(),
        }
    }
}

/// A released disbursement: `sent` = `paid` + `failed` + `returned` + `open`, to the fen.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Reconciliation)]
pub struct ReconciliationView {
    #[schema(max_length = 46)]
    pub disbursement: String,
    #[schema(max_length = 64)]
    pub programme: String,
    /// In Asia/Shanghai.
    pub released_on: NaiveDate,
    pub sent: CountView,
    pub paid: CountView,
    pub failed: CountView,
    /// Paid, and given back by the bank.
    pub returned: CountView,
    pub open: CountView,
}

impl From<Reconciliation> for ReconciliationView {
    fn from(it: Reconciliation) -> ReconciliationView {
        ReconciliationView {
            disbursement: it.disbursement.to_string(),
            programme: it.programme,
            released_on: it.released_on,
            sent: it.sent.into(),
            paid: it.paid.into(),
            failed: it.failed.into(),
            returned: it.returned.into(),
            open: it.open.into(),
        }
    }
}

/// What a county released on some days.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Reconciliations {
    #[schema(max_items = 100000)]
    pub items: Vec<ReconciliationView>,
}

/// Days of one county.
#[derive(Debug, Clone, WireQuery)]
pub struct DaysQuery {
    pub jurisdiction: JurisdictionCode,
    /// First day, Asia/Shanghai.
    #[wire(Day)]
    pub from: NaiveDate,
    /// Last day, Asia/Shanghai; at most 366 days in all.
    #[wire(Day)]
    pub to: NaiveDate,
}
