//! A county's ledger as it is answered.

use chrono::{DateTime, Utc};
use serde::Serialize;
use service::books::LedgerLine;
use utoipa::ToSchema;

use crate::http::money::Money;
use crate::http::words::AccountWord;
use crate::wire::finance::BalancesView;

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
