//! Funds and disbursements as they are answered.

use chrono::{DateTime, Utc};
use ledger::{Account, Balances};
use policy::Lang;
use serde::Serialize;
use service::caps::CapChange;
use service::disburse::Disbursement;
use service::funds::{Appropriation, Fund};
use service::public::PublicFund;
use utoipa::ToSchema;

use crate::http::extract::etag_of;
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
            id: it.id,
            programme: it.programme,
            jurisdiction: it.jurisdiction,
            source: it.source,
            amount: Money(it.amount),
            document: it.document,
            status: it.status,
            made_at: it.made_at,
            checked_at: it.checked_at,
            reason: it.reason,
        }
    }
}

/// All caps of a fund, replaced: `pending` until a second person approved it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CapChange)]
pub struct CapChangeView {
    #[schema(pattern = "^cap_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub id: String,
    #[schema(max_length = 64)]
    pub programme: String,
    #[schema(max_length = 9)]
    pub jurisdiction: String,
    #[schema(max_items = 100)]
    pub caps: Vec<CapSet>,
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

/// One cap of a change.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CapSet {
    #[schema(max_length = 49, example = "whole")]
    pub scope: String,
    pub ceiling: Money,
}

impl From<CapChange> for CapChangeView {
    fn from(it: CapChange) -> CapChangeView {
        let caps = it.caps.into_iter().map(|cap| CapSet {
            scope: cap.scope,
            ceiling: Money(cap.ceiling),
        });
        CapChangeView {
            id: it.id,
            programme: it.programme,
            jurisdiction: it.jurisdiction,
            caps: caps.collect(),
            document: it.document,
            status: it.status,
            made_at: it.made_at,
            checked_at: it.checked_at,
            reason: it.reason,
        }
    }
}

/// Payable claims of a fund, gathered to be paid.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Disbursement)]
pub struct DisbursementView {
    #[schema(pattern = "^dsb_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub id: String,
    #[schema(max_length = 9)]
    pub jurisdiction: String,
    #[schema(max_length = 64)]
    pub programme: String,
    /// `made`, `countersigned`, `released`, `settled` or `cancelled`.
    #[schema(max_length = 14, example = "made")]
    pub status: String,
    /// What goes into `If-Match`.
    #[schema(max_length = 12, example = "\"1\"")]
    pub etag: String,
    /// How many claims it pays; none if it pays an advance.
    #[schema(minimum = 0)]
    pub claims: i32,
    /// In how many payments: one a payee.
    #[schema(minimum = 0)]
    pub payments: i32,
    pub total: Money,
    /// Its amount asks for a third person: the second countersigns, the third releases.
    pub needs_three: bool,
    pub made_at: DateTime<Utc>,
    pub released_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    /// `sha256:…` of what was released; it never changes.
    #[schema(max_length = 71)]
    pub digest: Option<String>,
}

impl From<Disbursement> for DisbursementView {
    fn from(it: Disbursement) -> DisbursementView {
        DisbursementView {
            etag: etag_of(it.revision),
            id: it.id,
            jurisdiction: it.jurisdiction,
            programme: it.programme,
            status: it.status,
            claims: it.claims,
            payments: it.payments,
            total: Money(it.total),
            needs_three: it.needs_three,
            made_at: it.made_at,
            released_at: it.released_at,
            closed_at: it.closed_at,
            digest: it.digest,
        }
    }
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
