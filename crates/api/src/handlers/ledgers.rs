//! A county's ledger.

use actix_web::http::header;
use actix_web::{HttpResponse, get};
use service::access::{ReadLedger, ReadTrail};
use service::books::LedgerQuery;
use service::closing::Period;

use crate::http::answer::{Answer, ok, paged};
use crate::http::authenticated::{Signed, roles};
use crate::http::extract::documented::{ClosingPath, JurisdictionPath};
use crate::http::extract::{Part, PathText, Query};
use crate::http::queries::{
    AsOfParams, AsOfQuery, ClosingFormat, ClosingParams, ClosingQuery, PageParams, PageQuery,
    TransfersParams, TransfersQuery,
};
use crate::http::state::ApiState;
use crate::http::views::PageView;
use crate::wire::closings::{ClosedBooksView, ClosingView};
use crate::wire::drafts::{ReadsOf, ReadsParams};
use crate::wire::finance::BalancesView;
use crate::wire::ledger_view::{CountyBalances, FundBalances, PersonalReadView, TransferView};

/// 余额 · Get balances
///
/// Of every fund in the county, now or as of an instant.
#[utoipa::path(
    tag = "ledgers",
    params(JurisdictionPath, AsOfParams),
    responses((status = 200, description = "The accounts of each fund.", body = CountyBalances)),
    extensions(("x-roles" = json!(roles::<ReadLedger>()))),
)]
#[get("/v1/ledgers/{jurisdiction}/balances")]
pub(crate) async fn get_balances(
    api: ApiState,
    signed: Signed<ReadLedger>,
    path: PathText,
    query: Query<AsOfQuery>,
) -> Answer {
    let (jurisdiction, as_of) = (path.county()?, query.0.as_of);
    let funds = api
        .service
        .balances(&signed.permit, jurisdiction.as_str(), as_of)
        .await?;
    let fund = |(programme, balances)| FundBalances {
        programme,
        balances: BalancesView::from(&balances),
    };
    ok(&CountyBalances {
        jurisdiction: jurisdiction.as_str().to_owned(),
        as_of,
        items: funds.into_iter().map(fund).collect(),
    })
}

/// 流水 · List transfers
///
/// In the order of the county's log.
#[utoipa::path(
    tag = "ledgers",
    params(JurisdictionPath, TransfersParams, PageParams),
    responses((status = 200, description = "A page of transfers.", body = PageView<TransferView>)),
    extensions(("x-roles" = json!(roles::<ReadLedger>()))),
)]
#[get("/v1/ledgers/{jurisdiction}/transfers")]
pub(crate) async fn list_transfers(
    api: ApiState,
    signed: Signed<ReadLedger>,
    path: PathText,
    query: Query<TransfersQuery>,
) -> Answer {
    let (jurisdiction, Query(query)) = (path.county()?, query);
    let filter = LedgerQuery {
        programme: query.programme.map(|it| it.as_str().to_owned()),
        claim: query.claim,
        from: query.from,
        to: query.to,
    };
    let cursor = query.page.cursor.as_deref();
    let page = api
        .service
        .transfers(
            &signed.permit,
            jurisdiction.as_str(),
            &filter,
            cursor,
            query.page.limit,
        )
        .await;
    ok(&PageView::of(paged(page)?, TransferView::from))
}

/// 查看留痕 · List looks at personal data
///
/// Who looked at personal data of the county, when, at what and why; newest first.
#[utoipa::path(
    tag = "ledgers",
    params(JurisdictionPath, ReadsParams, PageParams),
    responses((status = 200, description = "A page of looks.", body = PageView<PersonalReadView>)),
    extensions(("x-roles" = json!(roles::<ReadTrail>()))),
)]
#[get("/v1/ledgers/{jurisdiction}/reads")]
pub(crate) async fn list_personal_reads(
    api: ApiState,
    signed: Signed<ReadTrail>,
    path: PathText,
    query: Query<ReadsOf>,
) -> Answer {
    let (jurisdiction, Query(ReadsOf { reads, page })) = (path.county()?, query);
    let cursor = page.cursor.as_deref();
    let list = api
        .service
        .personal_reads(&signed.permit, jurisdiction.as_str(), &reads, cursor, page.limit)
        .await;
    ok(&PageView::of(paged(list)?, PersonalReadView::from))
}

/// 结账列表 · List closings
///
/// Closed months and years of the county, newest first. A closed period takes no more transfers.
#[utoipa::path(
    tag = "ledgers",
    params(JurisdictionPath, PageParams),
    responses((status = 200, description = "A page of closings.", body = PageView<ClosingView>)),
    extensions(("x-roles" = json!(roles::<ReadLedger>()))),
)]
#[get("/v1/ledgers/{jurisdiction}/closings")]
pub(crate) async fn list_closings(
    api: ApiState,
    signed: Signed<ReadLedger>,
    path: PathText,
    page: Query<PageQuery>,
) -> Answer {
    let (jurisdiction, Query(page)) = (path.county()?, page);
    let cursor = page.cursor.as_deref();
    let list = api
        .service
        .closings(&signed.permit, jurisdiction.as_str(), cursor, page.limit)
        .await;
    ok(&PageView::of(paged(list)?, ClosingView::from))
}

/// 结账表 · Get a closing
///
/// For each fund what every account and source began with, what moved, and what is carried on. As a table: CSV (UTF-8 with BOM, comma, quotes as
/// in RFC 4180, LF), a line for each account, and for each thing that a source has.
#[utoipa::path(
    tag = "ledgers",
    params(ClosingPath, ClosingParams),
    responses((status = 200, description = "The closing.",
        content((ClosedBooksView = "application/json"), (String = "text/csv")))),
    extensions(("x-roles" = json!(roles::<ReadLedger>()))),
)]
#[get("/v1/ledgers/{jurisdiction}/closings/{period}")]
pub(crate) async fn get_closing(
    api: ApiState,
    signed: Signed<ReadLedger>,
    path: PathText,
    query: Query<ClosingQuery>,
) -> Answer {
    let jurisdiction = path.county()?;
    let period = path.parse(Part::Period, "closing", Period::parse)?;
    let books = api
        .service
        .closing(&signed.permit, jurisdiction.as_str(), period)
        .await?;
    match query.0.format {
        ClosingFormat::Json => ok(&ClosedBooksView::from(books)),
        ClosingFormat::Csv => {
            let name = format!("attachment; filename=\"closing-{jurisdiction}-{period}.csv\"");
            Ok(HttpResponse::Ok()
                .content_type("text/csv; charset=utf-8")
                .insert_header((header::CONTENT_DISPOSITION, name))
                .body(books.csv(query.0.headings.into())?))
        }
    }
}
