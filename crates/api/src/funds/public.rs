//! What each fund has left, for anybody.

use actix_web::HttpRequest;
use api_macros::operation;
use chrono::{DateTime, Utc};
use policy::Lang;
use serde::Serialize;
use service::funds::PublicFund;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::http::answer::{Answer, Conditional, conditional};
use crate::http::middleware::Context;
use crate::http::money::Money;
use crate::http::problem::Problem;
use crate::http::state::ApiState;

/// 资金公示 · See what each fund has left
///
/// For anybody. Cacheable for half a minute.
#[operation(
    get "/v1/public/funds",
    tag = Public,
    answer = "Every county's funds.",
    etag = "Changes when a fund does.",
    open
)]
pub(crate) async fn list_public_funds(
    api: ApiState,
    request: HttpRequest,
) -> Answer<Conditional<PublicFunds>> {
    let lang = Context::of(&request).lang;
    let funds = api.service.funds().public_funds().await?;
    let items: Vec<_> = funds
        .into_iter()
        .map(|fund| PublicFundView::of(fund, lang))
        .collect();
    let text = serde_json::to_vec(&items).map_err(|error| Problem::Internal(error.to_string()))?;
    let etag = format!("\"{}\"", hex::encode(Sha256::digest(&text)));
    conditional(&request, &etag, "public, max-age=30", || {
        let as_of = api.service.clock().now();
        let funds = PublicFunds { as_of, items };
        serde_json::to_string(&funds).map_err(|error| Problem::Internal(error.to_string()))
    })
}

/// What each county's funds have left. No personal data, no claim.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PublicFunds {
    pub as_of: DateTime<Utc>,
    #[schema(max_items = 10000)]
    pub items: Vec<PublicFundView>,
}

/// What one fund has left.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PublicFund)]
pub struct PublicFundView {
    #[schema(max_length = 9)]
    pub jurisdiction: String,
    /// In the caller's language.
    #[schema(max_length = 100, example = "盐湖区")]
    pub name: String,
    #[schema(max_length = 64)]
    pub programme: String,
    /// In the caller's language.
    #[schema(max_length = 200)]
    pub title: String,
    pub appropriated: Money,
    /// What claims have a hold on.
    pub committed: Money,
    pub left: Money,
    /// Claims on the waitlist.
    #[schema(minimum = 0)]
    pub waiting: i64,
}

impl PublicFundView {
    pub fn of(fund: PublicFund, lang: Lang) -> PublicFundView {
        let (name, title) = match lang {
            Lang::Zh => (fund.name_zh, fund.title_zh),
            Lang::En => (fund.name_en, fund.title_en),
        };
        PublicFundView {
            jurisdiction: fund.jurisdiction,
            name,
            programme: fund.programme,
            title,
            appropriated: fund.appropriated.into(),
            committed: fund.committed.into(),
            left: fund.left.into(),
            waiting: fund.waiting,
        }
    }
}
