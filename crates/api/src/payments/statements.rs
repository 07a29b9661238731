//! Settlement statements (清算单): what a county and a merchant owe each other.

use actix_web::HttpResponse;
use actix_web::http::header;
use api_macros::operation;
use chrono::{DateTime, NaiveDate, Utc};
use claims::identifiers::{CreditCode, JurisdictionCode, ProgrammeId};
use rust_decimal::Decimal;
use serde::Serialize;
use service::operation::access::ReadStatements;
use service::payments::statements::{
    AdvancesAccount, ClaimsAccount, ClawbacksAccount, LaidOut, Statement, StatementFormat, StatementLine,
    StatementQuery as Asked,
};
use utoipa::ToSchema;
use wire_derive::{WirePath, WireQuery};

use crate::http::answer::{Answer, Json, ok, paged};
use crate::http::authenticated::Authenticated;
use crate::http::contract::Text;
use crate::http::extract::{Path, Query};
use crate::http::money::Money;
use crate::http::queries::PageQuery;
use crate::http::state::ApiState;
use crate::http::wire::{Day, Pattern, request_words};

/// A merchant.
#[derive(Debug, WirePath)]
#[wire(what = "merchant")]
pub(crate) struct MerchantPath {
    /// Credit code.
    #[wire(MERCHANT, example = "91140802MA2NH6NA3Q")]
    merchant: CreditCode,
}

const MERCHANT: Pattern<CreditCode> = Pattern {
    longest: 18,
    pattern: "^[0-9A-Z]{18}$",
    parse: |text| CreditCode::parse(text).ok(),
    zh: "须为统一社会信用代码",
    en: "it is a credit code",
};

fn asked(path: &MerchantPath, span: SpanQuery) -> Asked {
    Asked {
        jurisdiction: span.jurisdiction.as_str().to_owned(),
        merchant: path.merchant.as_str().to_owned(),
        programme: span.programme.map(|it| it.as_str().to_owned()),
        from: span.from,
        to: span.to,
    }
}

/// 清算单 · Get a settlement statement
///
/// What a county and a merchant owed each other over a period, from the ledger's transfers, with its claims by page. A merchant
/// gets its own.
#[operation(
    get "/v1/statements/{merchant}",
    tag = Payments,
    answer = "The statement, and a page of its claims."
)]
pub(crate) async fn get_statement(
    api: ApiState,
    caller: Authenticated<ReadStatements>,
    path: Path<MerchantPath>,
    query: Query<StatementQuery>,
) -> Answer<Json<StatementView>> {
    let Query(StatementQuery { span, page }) = query;
    let asked = asked(&path.0, span);
    let made = api
        .service
        .payments()
        .statement(&caller.permit, asked, page.cursor.as_deref(), page.limit)
        .await;
    let (statement, lines) = paged(made)?;
    ok(&StatementView::of(statement, lines))
}

/// 清算单文件 · Get a settlement statement as a file
///
/// The same with all its claims, at most 50,000: a workbook (XLSX) with a sheet of accounts and one of claims, or CSV (UTF-8 with BOM,
/// comma, quotes as in RFC 4180, LF).
#[operation(
    get "/v1/statements/{merchant}/file",
    tag = Payments,
    answer(
        "The file.",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" = Text,
        "text/csv" = Text
    )
)]
pub(crate) async fn get_statement_file(
    api: ApiState,
    caller: Authenticated<ReadStatements>,
    path: Path<MerchantPath>,
    query: Query<StatementFileQuery>,
) -> Answer {
    let Query(StatementFileQuery { span, format }) = query;
    let asked = asked(&path.0, span);
    let file = api
        .service
        .payments()
        .statement_file(&caller.permit, asked, format)
        .await?;
    let name = format!("attachment; filename=\"{}\"", file.name);
    Ok(HttpResponse::Ok()
        .content_type(file.media_type)
        .insert_header((header::CONTENT_DISPOSITION, name))
        .body(file.bytes))
}

request_words! {
    /// Format of a statement's file.
    StatementFormat as "StatementFileFormat" { Csv = "csv", Xlsx = "xlsx" }
}

/// Which days, with which county.
#[derive(Debug, Clone, WireQuery)]
pub struct SpanQuery {
    pub jurisdiction: JurisdictionCode,
    /// All if it is left out.
    #[wire(example = "appliance-2026")]
    pub programme: Option<ProgrammeId>,
    /// First day, Asia/Shanghai.
    #[wire(Day)]
    pub from: NaiveDate,
    /// Last day, Asia/Shanghai; at most 366 days in all.
    #[wire(Day)]
    pub to: NaiveDate,
}

/// A statement, and which of its claims.
#[derive(Debug, Clone, WireQuery)]
pub struct StatementQuery {
    #[wire(flatten)]
    pub span: SpanQuery,
    #[wire(flatten)]
    pub page: PageQuery,
}

/// A statement as a file.
#[derive(Debug, Clone, WireQuery)]
pub struct StatementFileQuery {
    #[wire(flatten)]
    pub span: SpanQuery,
    /// `xlsx` if it is left out.
    #[wire(default = StatementFormat::Xlsx)]
    pub format: StatementFormat,
}

/// What the county owes for approved claims: `opening` + `approved` - `withdrawn` - `paid` + `returned` = `closing`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = StatementClaims)]
pub struct ClaimsAccountView {
    pub opening: Money,
    pub approved: Money,
    pub withdrawn: Money,
    /// `transferred` + `set_off` + `netted`.
    pub paid: Money,
    /// Sent by the bank.
    pub transferred: Money,
    /// Set against advances (抵扣预拨).
    pub set_off: Money,
    /// Set against clawbacks (抵扣追缴).
    pub netted: Money,
    /// Paid, and given back by the bank.
    pub returned: Money,
    pub closing: Money,
    /// Under review at the end: reserved, not owed yet.
    pub reserved: Money,
}

impl From<&ClaimsAccount> for ClaimsAccountView {
    fn from(it: &ClaimsAccount) -> ClaimsAccountView {
        ClaimsAccountView {
            opening: it.opening.into(),
            approved: it.approved.into(),
            withdrawn: it.withdrawn.into(),
            paid: it.paid.into(),
            transferred: it.transferred.into(),
            set_off: it.set_off.into(),
            netted: it.netted.into(),
            returned: it.returned.into(),
            closing: it.closing.into(),
            reserved: it.reserved.into(),
        }
    }
}

/// What the merchant has ahead (预拨): `opening` + `advanced` - `returned` - `set_off` - `repaid` = `closing`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = StatementAdvances)]
pub struct AdvancesAccountView {
    pub opening: Money,
    pub advanced: Money,
    pub returned: Money,
    pub set_off: Money,
    pub repaid: Money,
    pub closing: Money,
}

impl From<&AdvancesAccount> for AdvancesAccountView {
    fn from(it: &AdvancesAccount) -> AdvancesAccountView {
        AdvancesAccountView {
            opening: it.opening.into(),
            advanced: it.advanced.into(),
            returned: it.returned.into(),
            set_off: it.set_off.into(),
            repaid: it.repaid.into(),
            closing: it.closing.into(),
        }
    }
}

/// What the merchant owes back (追缴): `opening` + `demanded` - `repaid` - `netted` - `waived` = `closing`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = StatementClawbacks)]
pub struct ClawbacksAccountView {
    pub opening: Money,
    pub demanded: Money,
    pub repaid: Money,
    pub netted: Money,
    pub waived: Money,
    pub closing: Money,
}

impl From<&ClawbacksAccount> for ClawbacksAccountView {
    fn from(it: &ClawbacksAccount) -> ClawbacksAccountView {
        ClawbacksAccountView {
            opening: it.opening.into(),
            demanded: it.demanded.into(),
            repaid: it.repaid.into(),
            netted: it.netted.into(),
            waived: it.waived.into(),
            closing: it.closing.into(),
        }
    }
}

/// How long money that the merchant laid out (垫资) was out, from the day its claim arrived.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = LaidOut)]
pub struct LaidOutView {
    #[schema(minimum = 0)]
    pub claims: i64,
    pub amount: Money,
    /// Days, weighted by amount, three decimals.
    #[schema(value_type = Option<String>, pattern = "^[0-9]+\\.[0-9]{3}$", max_length = 20, example = "12.500")]
    pub mean_days: Option<Decimal>,
    /// When the oldest of these claims arrived, Asia/Shanghai.
    pub oldest: Option<NaiveDate>,
}

impl From<&LaidOut> for LaidOutView {
    fn from(it: &LaidOut) -> LaidOutView {
        LaidOutView {
            claims: it.claims,
            amount: it.amount.into(),
            mean_days: it.mean_millidays.map(|days| Decimal::new(days, 3)),
            oldest: it.oldest,
        }
    }
}

/// A claim that something happened to in the period, or of which something is open at its end. Sums stand as at the end.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = StatementLine)]
pub struct StatementLineView {
    #[schema(pattern = "^clm_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub claim: String,
    #[schema(max_length = 64)]
    pub programme: String,
    #[schema(max_length = 64)]
    pub merchant_reference: String,
    pub created_on: NaiveDate,
    pub approved_on: Option<NaiveDate>,
    pub paid_on: Option<NaiveDate>,
    /// Under review.
    pub reserved: Money,
    /// Approved, in all.
    pub earned: Money,
    pub paid: Money,
    pub owed: Money,
    /// To be paid back.
    pub due: Money,
    /// Paid back, or netted.
    pub back: Money,
    /// From arrival to payment, or to the end of the period.
    #[schema(minimum = 0)]
    pub days_out: i64,
}

impl From<StatementLine> for StatementLineView {
    fn from(it: StatementLine) -> StatementLineView {
        StatementLineView {
            claim: it.claim.to_string(),
            programme: it.programme,
            merchant_reference: it.merchant_reference,
            created_on: it.created_on,
            approved_on: it.approved_on,
            paid_on: it.paid_on,
            reserved: it.reserved.into(),
            earned: it.earned.into(),
            paid: it.paid.into(),
            owed: it.owed.into(),
            due: it.due.into(),
            back: it.back.into(),
            days_out: it.days_out,
        }
    }
}

/// A settlement statement (清算单).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Statement)]
pub struct StatementView {
    #[schema(max_length = 9)]
    pub jurisdiction: String,
    #[schema(max_length = 18)]
    pub merchant: String,
    #[schema(max_length = 140)]
    pub name: Option<String>,
    #[schema(max_length = 64)]
    pub programme: Option<String>,
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub made_at: DateTime<Utc>,
    pub claims: ClaimsAccountView,
    pub advances: AdvancesAccountView,
    pub clawbacks: ClawbacksAccountView,
    /// Of claims that are open at the end, up to then.
    pub open: LaidOutView,
    /// Of claims that were paid in the period, up to their payment.
    pub paid: LaidOutView,
    #[schema(max_items = 200)]
    pub items: Vec<StatementLineView>,
    #[schema(max_length = 400)]
    pub next_cursor: Option<String>,
}

impl StatementView {
    pub fn of(it: Statement, lines: service::Page<StatementLine>) -> StatementView {
        StatementView {
            jurisdiction: it.query.jurisdiction,
            merchant: it.query.merchant,
            name: it.name,
            programme: it.query.programme,
            from: it.query.from,
            to: it.query.to,
            made_at: it.made_at,
            claims: (&it.claims).into(),
            advances: (&it.advances).into(),
            clawbacks: (&it.clawbacks).into(),
            open: (&it.open).into(),
            paid: (&it.paid).into(),
            items: lines.items.into_iter().map(StatementLineView::from).collect(),
            next_cursor: lines.next_cursor,
        }
    }
}
