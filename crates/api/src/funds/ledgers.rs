//! A county's ledger.

use api_macros::operation;

use chrono::{DateTime, NaiveDate, Utc};
use claims::ClaimId;
use claims::identifiers::ProgrammeId;
use serde::Serialize;
use service::funds::{LedgerLine, LedgerQuery};
use service::operation::access::ReadLedger;
use utoipa::ToSchema;
use wire_derive::WireQuery;

use crate::funds::views::BalancesView;
use crate::http::answer::{Answer, Json, ok, paged};
use crate::http::authenticated::Authenticated;
use crate::http::extract::{Path, Query};
use crate::http::money::Money;
use crate::http::queries::{LedgerPath, PageQuery};
use crate::http::state::ApiState;
use crate::http::views::PageView;
use crate::http::wire::Day;
use crate::http::words::AccountWord;

/// 余额 · Get balances
///
/// Of every fund in the county, now or as of an instant.
#[operation(
    get "/v1/ledgers/{jurisdiction}/balances",
    tag = Ledgers,
    answer = "The accounts of each fund."
)]
pub(crate) async fn get_balances(
    api: ApiState,
    caller: Authenticated<ReadLedger>,
    path: Path<LedgerPath>,
    query: Query<BalancesQuery>,
) -> Answer<Json<CountyBalances>> {
    let (jurisdiction, as_of) = (path.0.jurisdiction, query.0.as_of);
    let funds = api
        .service
        .funds()
        .balances(&caller.permit, jurisdiction.as_str(), as_of)
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
#[operation(
    get "/v1/ledgers/{jurisdiction}/transfers",
    tag = Ledgers,
    answer = "A page of transfers."
)]
pub(crate) async fn list_transfers(
    api: ApiState,
    caller: Authenticated<ReadLedger>,
    path: Path<LedgerPath>,
    query: Query<TransfersQuery>,
) -> Answer<Json<PageView<TransferView>>> {
    let (jurisdiction, Query(query)) = (path.0.jurisdiction, query);
    let filter = LedgerQuery {
        programme: query.programme.map(|it| it.as_str().to_owned()),
        claim: query.claim,
        from: query.from,
        to: query.to,
    };
    let cursor = query.page.cursor.as_deref();
    let page = api
        .service
        .funds()
        .transfers(
            &caller.permit,
            jurisdiction.as_str(),
            &filter,
            cursor,
            query.page.limit,
        )
        .await;
    ok(&PageView::of(paged(page)?, TransferView::from))
}

/// Every fund's accounts in a county.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CountyBalances {
    #[schema(max_length = 9, example = "140802")]
    pub jurisdiction: String,
    /// The instant that was asked for; null for now.
    pub as_of: Option<DateTime<Utc>>,
    #[schema(max_items = 10000)]
    pub items: Vec<FundBalances>,
}

/// One fund's accounts.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FundBalances {
    #[schema(max_length = 64, example = "appliance-2026")]
    pub programme: String,
    pub balances: BalancesView,
}

/// A transfer in a county's log. It was added and is never changed.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Transfer)]
pub struct TransferView {
    /// Its place in the log, from 1, without gaps.
    #[schema(minimum = 1)]
    pub height: i64,
    pub posted_at: DateTime<Utc>,
    #[schema(max_length = 64)]
    pub programme: String,
    /// Fixes the two accounts.
    #[schema(max_length = 40, example = "reserve")]
    pub reason: String,
    pub debit: AccountWord,
    pub credit: AccountWord,
    pub amount: Money,
    #[schema(max_length = 46)]
    pub claim: Option<String>,
    /// The appropriation or disbursement that it belongs to.
    #[schema(max_length = 46)]
    pub document: Option<String>,
    /// The credential that did it.
    #[schema(max_length = 100)]
    pub actor: String,
}

impl From<LedgerLine> for TransferView {
    fn from(line: LedgerLine) -> TransferView {
        TransferView {
            height: line.height,
            posted_at: line.posted_at,
            programme: line.programme,
            reason: line.reason.as_str().to_owned(),
            debit: line.debit.into(),
            credit: line.credit.into(),
            amount: line.amount.into(),
            claim: line.claim.map(|claim| claim.to_string()),
            document: line.document,
            actor: line.actor,
        }
    }
}

/// Balances as of an instant.
#[derive(Debug, Clone, Copy, WireQuery)]
pub struct BalancesQuery {
    /// The balances at this instant; now if it is left out.
    pub as_of: Option<DateTime<Utc>>,
}

/// Which transfers.
#[derive(Debug, Clone, WireQuery)]
pub struct TransfersQuery {
    pub programme: Option<ProgrammeId>,
    /// One claim's transfers.
    pub claim: Option<ClaimId>,
    /// First day, Asia/Shanghai.
    #[wire(Day)]
    pub from: Option<NaiveDate>,
    /// Last day, Asia/Shanghai.
    #[wire(Day)]
    pub to: Option<NaiveDate>,
    #[wire(flatten)]
    pub page: PageQuery,
}
