//! Where the money of funds and payments comes from, as it is answered.

use api_macros::operation;

use ledger::{BySource, Fen};
use serde::Serialize;
use service::funds::SourceBalance;
use service::operation::access::ReadFunds;
use utoipa::ToSchema;

use crate::funds::FundPath;
use crate::http::answer::{Answer, Json, ok};
use crate::http::authenticated::Authenticated;
use crate::http::extract::Path;
use crate::http::money::Money;
use crate::http::state::ApiState;

/// A sum by source (资金来源): 中央, 省级, 市级, 县级.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SourceParts)]
pub struct PartsView {
    pub central: Money,
    pub province: Money,
    pub city: Money,
    pub county: Money,
}

impl From<&BySource<Fen>> for PartsView {
    fn from(parts: &BySource<Fen>) -> PartsView {
        PartsView {
            central: parts.central.into(),
            province: parts.province.into(),
            city: parts.city.into(),
            county: parts.county.into(),
        }
    }
}

/// What a source gave to a fund: `appropriated` = `in_payment` + `spent` + `lapsed` + `left`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = SourceBalance)]
pub struct SourceBalanceView {
    /// `central`, `province`, `city` or `county`.
    #[schema(max_length = 10, example = "central")]
    pub source: String,
    /// All that documents granted, with what has lapsed since.
    pub appropriated: Money,
    pub in_payment: Money,
    /// Paid, less what came back.
    pub spent: Money,
    /// Not used by the end of the year (年终失效).
    pub lapsed: Money,
    pub left: Money,
}

impl From<SourceBalance> for SourceBalanceView {
    fn from(it: SourceBalance) -> SourceBalanceView {
        SourceBalanceView {
            source: it.source.as_str().to_owned(),
            appropriated: it.appropriated.into(),
            in_payment: it.in_payment.into(),
            spent: it.spent.into(),
            lapsed: it.lapsed.into(),
            left: it.left.into(),
        }
    }
}

/// The four sources of a fund.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FundSources {
    #[schema(min_items = 4, max_items = 4)]
    pub items: Vec<SourceBalanceView>,
}

/// 资金来源 · See what each source gave
///
/// Central, province, city and county, each with what is in payment, spent, lapsed and left.
#[operation(
    get "/v1/funds/{programme}/{jurisdiction}/sources",
    tag = Funds,
    answer = "The four sources."
)]
pub(crate) async fn list_sources(
    api: ApiState,
    caller: Authenticated<ReadFunds>,
    path: Path<FundPath>,
) -> Answer<Json<FundSources>> {
    let (programme, jurisdiction) = path.0.names();
    let sources = api
        .service
        .funds()
        .fund_sources(&caller.permit, &programme, &jurisdiction)
        .await?;
    ok(&FundSources {
        items: sources.into_iter().map(SourceBalanceView::from).collect(),
    })
}
