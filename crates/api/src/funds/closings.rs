//! Closings of a county's ledger as they are answered.

use crate::funds::sources::SourceBalanceView;
use crate::http::answer::{Answer, Json, ok, paged};
use crate::http::authenticated::Authenticated;
use crate::http::contract::Text;
use crate::http::extract::{Path, Query};
use crate::http::money::Money;
use crate::http::queries::{LedgerPath, PageQuery};
use crate::http::state::ApiState;
use crate::http::views::PageView;
use crate::http::wire::{Pattern, request_words};
use crate::http::words::AccountWord;
use actix_web::HttpResponse;
use actix_web::http::header;
use api_macros::operation;
use chrono::{DateTime, Utc};
use claims::identifiers::JurisdictionCode;
use ledger::{Fen, Source};
use policy::Lang;
use serde::Serialize;
use service::funds::closing::{ClosedAccount, ClosedBooks, ClosedFund, ClosedSource, Closing, Period};
use service::operation::access::ReadLedger;
use utoipa::ToSchema;
use wire_derive::{WirePath, WireQuery};

/// A closed month or year (结账). It takes no more transfers, and is not opened again.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Closing)]
pub struct ClosingView {
    #[schema(max_length = 9, example = "140802")]
    pub jurisdiction: String,
    /// A month or a year in Asia/Shanghai.
    #[schema(max_length = 7, example = "2026-11")]
    pub period: String,
    /// Transfers from here on belong to later periods.
    pub until: DateTime<Utc>,
    /// Height of the log at its end: transfers up to it are in this closing or in one before.
    #[schema(minimum = 0)]
    pub height: i64,
    /// How many transfers the period has.
    #[schema(minimum = 0)]
    pub transfers: i64,
    /// Who closed it.
    #[schema(max_length = 100, example = "system")]
    pub closed_by: String,
    pub closed_at: DateTime<Utc>,
}

impl From<Closing> for ClosingView {
    fn from(it: Closing) -> ClosingView {
        ClosingView {
            jurisdiction: it.jurisdiction,
            period: it.period.to_string(),
            until: it.until,
            height: it.height,
            transfers: it.transfers,
            closed_by: it.actor,
            closed_at: it.made_at,
        }
    }
}

/// A closing with what each fund carries on.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ClosedBooks)]
pub struct ClosedBooksView {
    pub closing: ClosingView,
    /// Funds that ever moved.
    #[schema(max_items = 10000)]
    pub funds: Vec<ClosedFundView>,
}

/// A fund over a closed period.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ClosedFund)]
pub struct ClosedFundView {
    #[schema(max_length = 64, example = "appliance-2026")]
    pub programme: String,
    #[schema(max_items = 20)]
    pub accounts: Vec<ClosedAccountView>,
    /// The four sources; none before the fund's first money.
    #[schema(max_items = 4)]
    pub sources: Vec<ClosedSourceView>,
    /// Of a year; null for a month.
    pub carried: Option<CarriedView>,
}

/// An account over a closed period (期初, 借方, 贷方, 期末): `closing` = `opening` + `debits` - `credits`; of `appropriated`, which is
/// the other way round, `opening` - `debits` + `credits`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ClosedAccount)]
pub struct ClosedAccountView {
    pub account: AccountWord,
    /// `closing` of the period before.
    pub opening: Money,
    pub debits: Money,
    pub credits: Money,
    pub closing: Money,
}

/// What a source had in all, before the period and at its end.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ClosedSource)]
pub struct ClosedSourceView {
    pub opening: SourceBalanceView,
    pub closing: SourceBalanceView,
}

/// What a fund carries into the next year (结转): what its sources had left at the end of this one.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Carried)]
pub struct CarriedView {
    /// Central money.
    pub central: Money,
    /// Money of province, city and county.
    pub local: Money,
    /// What of central money lapsed for this year in the next one, before this one was closed (年终失效).
    pub lapsed_after: Money,
}

impl From<ClosedBooks> for ClosedBooksView {
    fn from(it: ClosedBooks) -> ClosedBooksView {
        let is_year = matches!(it.closing.period, Period::Year(_));
        let fund = |fund: ClosedFund| ClosedFundView {
            carried: is_year.then(|| carried(&fund.sources)),
            programme: fund.programme,
            accounts: fund.accounts.iter().map(ClosedAccountView::from).collect(),
            sources: fund.sources.into_iter().map(ClosedSourceView::from).collect(),
        };
        ClosedBooksView {
            funds: it.funds.into_iter().map(fund).collect(),
            closing: it.closing.into(),
        }
    }
}

fn carried(sources: &[ClosedSource]) -> CarriedView {
    let sum = |of: &dyn Fn(&&ClosedSource) -> bool, value: fn(&ClosedSource) -> Fen| {
        let sums = sources.iter().filter(of).map(value);
        Money::from(sums.fold(Fen::ZERO, Fen::saturating_add))
    };
    let central = |it: &&ClosedSource| it.closing.source == Source::Central;
    CarriedView {
        central: sum(&central, |it| it.closing.left),
        local: sum(&|it| !central(it), |it| it.closing.left),
        lapsed_after: sum(&|_| true, |it| it.lapsed_after),
    }
}

impl From<&ClosedAccount> for ClosedAccountView {
    fn from(it: &ClosedAccount) -> ClosedAccountView {
        ClosedAccountView {
            account: it.account.into(),
            opening: it.opening.into(),
            debits: it.debits.into(),
            credits: it.credits.into(),
            closing: it.closing.into(),
        }
    }
}

impl From<ClosedSource> for ClosedSourceView {
    fn from(it: ClosedSource) -> ClosedSourceView {
        ClosedSourceView {
            opening: it.opening.into(),
            closing: it.closing.into(),
        }
    }
}

/// 结账列表 · List closings
///
/// Closed months and years of the county, newest first. A closed period takes no more transfers.
#[operation(
    get "/v1/ledgers/{jurisdiction}/closings",
    tag = Ledgers,
    answer = "A page of closings."
)]
pub(crate) async fn list_closings(
    api: ApiState,
    caller: Authenticated<ReadLedger>,
    path: Path<LedgerPath>,
    page: Query<PageQuery>,
) -> Answer<Json<PageView<ClosingView>>> {
    let (jurisdiction, Query(page)) = (path.0.jurisdiction, page);
    let cursor = page.cursor.as_deref();
    let list = api
        .service
        .funds()
        .closings(&caller.permit, jurisdiction.as_str(), cursor, page.limit)
        .await;
    ok(&PageView::of(paged(list)?, ClosingView::from))
}

/// 结账表 · Get a closing
///
/// For each fund what every account and source began with, what moved, and what is carried on. As a table: CSV (UTF-8 with BOM, comma, quotes as
/// in RFC 4180, LF), a line for each account, and for each thing that a source has.
#[operation(
    get "/v1/ledgers/{jurisdiction}/closings/{period}",
    tag = Ledgers,
    answer("The closing.", "application/json" = ClosedBooksView, "text/csv" = Text)
)]
pub(crate) async fn get_closing(
    api: ApiState,
    caller: Authenticated<ReadLedger>,
    path: Path<ClosingPath>,
    query: Query<ClosingQuery>,
) -> Answer {
    let Path(ClosingPath { jurisdiction, period }) = path;
    let books = api
        .service
        .funds()
        .closing(&caller.permit, jurisdiction.as_str(), period)
        .await?;
    match query.0.format {
        ClosingFormat::Json => Ok(ok(&ClosedBooksView::from(books))?.into()),
        ClosingFormat::Csv => {
            let name = format!("attachment; filename=\"closing-{jurisdiction}-{period}.csv\"");
            Ok(HttpResponse::Ok()
                .content_type("text/csv; charset=utf-8")
                .insert_header((header::CONTENT_DISPOSITION, name))
                .body(books.csv(query.0.headings)))
        }
    }
}

/// A closed month or year of a county.
#[derive(Debug, WirePath)]
#[wire(what = "closing")]
pub(crate) struct ClosingPath {
    #[wire(what = "ledger")]
    jurisdiction: JurisdictionCode,
    /// A month or a year in Asia/Shanghai.
    #[wire(PERIOD, example = "2026-11")]
    period: Period,
}

const PERIOD: Pattern<Period> = Pattern {
    longest: 7,
    pattern: "^2[0-9]{3}(-(0[1-9]|1[0-2]))?$",
    parse: Period::parse,
    zh: "须为月份或年份，例如 2026-11",
    en: "it is a month or a year, such as 2026-11",
};

request_words! {
    /// Format of a closing.
    pub enum ClosingFormat { Json = "json", Csv = "csv" }
}

/// How a closing is written.
#[derive(Debug, Clone, Copy, WireQuery)]
pub struct ClosingQuery {
    /// `json` if it is left out.
    #[wire(default = ClosingFormat::Json)]
    pub format: ClosingFormat,
    /// Language of the table's headings and names; `en` if it is left out.
    #[wire(name = "lang", default = Lang::En)]
    pub headings: Lang,
}
