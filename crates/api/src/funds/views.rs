//! Funds and disbursements as they are answered.

use chrono::{DateTime, Utc};
use ledger::{Account, Balances};
use serde::Serialize;
use service::funds::{Appropriation, Fund};
use utoipa::ToSchema;

use crate::http::money::Money;

/// What stands in each account of a fund. `appropriated` equals the sum of the other seven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Balances)]
pub struct BalancesView {
    pub appropriated: Money,
    pub available: Money,
    pub reserved: Money,
    pub payable: Money,
    pub in_payment: Money,
    pub disbursed: Money,
    pub recoverable: Money,
    /// With merchants ahead of their claims (预拨).
    pub advanced: Money,
}

impl From<&Balances> for BalancesView {
    fn from(balances: &Balances) -> BalancesView {
        let of = |account| Money::from(balances.get(account));
        BalancesView {
            appropriated: of(Account::Appropriated),
            available: of(Account::Available),
            reserved: of(Account::Reserved),
            payable: of(Account::Payable),
            in_payment: of(Account::InPayment),
            disbursed: of(Account::Disbursed),
            recoverable: of(Account::Recoverable),
            advanced: of(Account::Advanced),
        }
    }
}

/// A fund: its accounts, who waits for money, and the caps over it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Fund)]
pub struct FundView {
    #[schema(max_length = 9, example = "140802")]
    pub jurisdiction: String,
    #[schema(max_length = 64, example = "appliance-2026")]
    pub programme: String,
    pub balances: BalancesView,
    /// Claims on the waitlist.
    #[schema(minimum = 0)]
    pub waiting: i64,
    #[schema(max_items = 100)]
    pub caps: Vec<CapView>,
}

/// A cap and how much of it is used.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Cap)]
pub struct CapView {
    /// `whole`, `category:<category>` or `month:<yyyy-mm>`.
    #[schema(max_length = 49)]
    pub scope: String,
    pub ceiling: Money,
    pub committed: Money,
    #[schema(minimum = 0)]
    pub waiting: i64,
}

impl From<Fund> for FundView {
    fn from(fund: Fund) -> FundView {
        let cap = |cap: &service::funds::Cap| CapView {
            scope: cap.scope.clone(),
            ceiling: cap.ceiling.into(),
            committed: cap.committed.into(),
            waiting: cap.waiting,
        };
        FundView {
            balances: BalancesView::from(&fund.balances),
            waiting: fund.waiting,
            caps: fund.caps.iter().map(cap).collect(),
            jurisdiction: fund.jurisdiction,
            programme: fund.programme,
        }
    }
}

/// Money granted to a fund: `pending` until a second person approved it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Appropriation)]
pub struct AppropriationView {
    #[schema(pattern = "^apr_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub id: String,
    #[schema(max_length = 64)]
    pub programme: String,
    #[schema(max_length = 9)]
    pub jurisdiction: String,
    /// `central`, `province`, `city` or `county`.
    #[schema(max_length = 10, example = "central")]
    pub source: String,
    pub amount: Money,
    #[schema(max_length = 100)]
    pub document: String,
    /// `pending`, `approved` or `refused`.
    #[schema(max_length = 10, example = "pending")]
    pub status: String,
    pub made_at: DateTime<Utc>,
    pub checked_at: Option<DateTime<Utc>>,
    /// Why it was refused.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

impl From<Appropriation> for AppropriationView {
    fn from(it: Appropriation) -> AppropriationView {
        AppropriationView {
            id: it.id.to_string(),
            programme: it.programme,
            jurisdiction: it.jurisdiction.to_string(),
            source: it.source.to_string(),
            amount: Money(it.amount.to_string()),
            document: it.document,
            status: it.status.to_string(),
            made_at: it.made_at,
            checked_at: it.checked_at,
            reason: it.reason,
        }
    }
}
