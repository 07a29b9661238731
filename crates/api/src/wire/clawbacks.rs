//! Clawbacks and their waivers: as they are asked for and answered.

use chrono::{DateTime, Utc};
use claims::clawback::ClawbackReason;
use ledger::Fen;
use policy::Lang;
use serde::{Deserialize, Serialize};
use service::clawback::{ClawbackState, Demand, NewWaiver, Waiver};
use utoipa::ToSchema;

use crate::http::bodies::{reason, request_words};
use crate::http::extract::Wire;
use crate::http::field_limits;
use crate::http::fields::Fields;
use crate::http::money::Money;
use crate::http::words::ClawbackReasonWord;

request_words! {
    /// Why a subsidy is demanded back: 退货, 发票红冲, 骗补, 报废未闭环.
    DemandReason {
        GoodsReturned = "goods_returned",
        InvoiceReversed = "invoice_reversed",
        Fraud = "fraud",
        ScrapNotClosed = "scrap_not_closed",
    }
}

impl From<DemandReason> for ClawbackReason {
    fn from(word: DemandReason) -> ClawbackReason {
        match word {
            DemandReason::GoodsReturned => ClawbackReason::GoodsReturned,
            DemandReason::InvoiceReversed => ClawbackReason::InvoiceReversed,
            DemandReason::Fraud => ClawbackReason::Fraud,
            DemandReason::ScrapNotClosed => ClawbackReason::ScrapNotClosed,
        }
    }
}

/// What of a paid subsidy is due back.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClawbackDemand)]
pub struct DemandForm {
    pub reason: DemandReason,
    /// At most what was paid; all of it if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// Number of the document that found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 100, example = "运商追〔2026〕3号")]
    pub document: Option<String>,
}

#[derive(Debug)]
pub struct DemandRead(pub Demand);

impl Wire for DemandRead {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let reason = f.required("reason", DemandReason::read);
        let amount = f.optional("amount", |s| s.positive_money());
        let document = f.optional("document", |s| s.words(field_limits::DOCUMENT));
        Some(DemandRead(Demand {
            reason: reason?.into(),
            amount: amount?,
            document: document?,
        }))
    }
}

/// What was repaid.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClawbackRepayment)]
pub struct RepaymentForm {
    /// The bank's document.
    #[schema(min_length = 1, max_length = 500, example = "回单20260615-0007")]
    pub reason: String,
    /// At most what is open; all of that if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
}

#[derive(Debug)]
pub struct RepaymentRead {
    pub document: String,
    pub amount: Option<Fen>,
}

impl Wire for RepaymentRead {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let document = f.required("reason", reason);
        let amount = f.optional("amount", |s| s.positive_money());
        Some(RepaymentRead {
            document: document?,
            amount: amount?,
        })
    }
}

/// What is to be waived.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewClawbackWaiver)]
pub struct WaiverForm {
    /// At most what is open; all of that if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// Number of the document that allows it.
    #[schema(min_length = 1, max_length = 100, example = "运财〔2026〕18号")]
    pub document: String,
    #[schema(min_length = 1, max_length = 500, example = "企业已注销，无可执行财产")]
    pub reason: String,
}

#[derive(Debug)]
pub struct WaiverRead(pub NewWaiver);

impl Wire for WaiverRead {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let amount = f.optional("amount", |s| s.positive_money());
        let document = f.required("document", |s| s.words(field_limits::DOCUMENT));
        let reason = f.required("reason", reason);
        Some(WaiverRead(NewWaiver {
            amount: amount?,
            document: document?,
            reason: reason?,
        }))
    }
}

/// What is due back of a claim: `due` = `repaid` + `netted` + `pending` + `waived` + `open`, to the fen.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Clawback)]
pub struct ClawbackView {
    #[schema(pattern = "^clm_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub claim: String,
    pub reason: ClawbackReasonWord,
    /// The reason in words.
    #[schema(max_length = 40, example = "退货")]
    pub title: String,
    /// The instrument and what it says.
    #[schema(max_length = 500)]
    pub clause: String,
    /// Number of the document that found it.
    #[schema(max_length = 100)]
    pub document: Option<String>,
    /// The merchant that owes it. Of an applicant nothing is shown.
    #[schema(max_length = 18)]
    pub merchant: Option<String>,
    /// The claim's whole subsidy.
    pub paid: Money,
    pub due: Money,
    pub repaid: Money,
    /// Set off against payments that were made (抵扣).
    pub netted: Money,
    /// Set against payments whose outcome is not known.
    pub pending: Money,
    /// Waived (豁免); it stays paid.
    pub waived: Money,
    pub open: Money,
    pub made_at: DateTime<Utc>,
    pub closed_at: Option<DateTime<Utc>>,
    #[schema(max_items = 1000)]
    pub waivers: Vec<WaiverView>,
}

impl ClawbackView {
    pub fn of(it: ClawbackState, lang: Lang) -> ClawbackView {
        ClawbackView {
            claim: it.claim.to_string(),
            reason: it.sums.reason.into(),
            title: it.sums.reason.title(lang).to_owned(),
            clause: it.clause,
            document: it.document,
            merchant: it.merchant,
            paid: it.sums.paid.into(),
            due: it.sums.due.into(),
            repaid: it.sums.repaid.into(),
            netted: it.sums.netted.into(),
            pending: it.sums.pending.into(),
            waived: it.sums.waived.into(),
            open: it.sums.open().into(),
            made_at: it.made_at,
            closed_at: it.closed_at,
            waivers: it.waivers.into_iter().map(WaiverView::from).collect(),
        }
    }
}

/// A waiver: `pending` until a second person approved it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ClawbackWaiver)]
pub struct WaiverView {
    #[schema(pattern = "^wvr_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub id: String,
    #[schema(max_length = 46)]
    pub claim: String,
    pub amount: Money,
    #[schema(max_length = 100)]
    pub document: String,
    #[schema(max_length = 500)]
    pub reason: String,
    /// `pending`, `approved` or `refused`.
    #[schema(max_length = 10, example = "pending")]
    pub status: String,
    pub made_at: DateTime<Utc>,
    pub checked_at: Option<DateTime<Utc>>,
    /// Why it was refused.
    #[schema(max_length = 500)]
    pub refusal: Option<String>,
}

impl From<Waiver> for WaiverView {
    fn from(it: Waiver) -> WaiverView {
        WaiverView {
            id: it.id,
            claim: it.claim,
            amount: Money(it.amount),
            document: it.document,
            reason: it.reason,
            status: it.status,
            made_at: it.made_at,
            checked_at: it.checked_at,
            refusal: it.refusal,
        }
    }
}
