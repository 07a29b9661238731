//! Bodies of requests other than a claim, each with its reader.

use claims::identifiers::{CreditCode, JurisdictionCode, ProgrammeId};
use claims::{ClaimId, PaymentId};
use ledger::Fen;
use serde::{Deserialize, Serialize};
use service::disburse::Gather;
use service::ports::shanghai_midnight;
use utoipa::ToSchema;

use crate::http::extract::{Wire, revision_of};
use crate::http::field_limits;
use crate::http::fields::{Fields, Slot};
use crate::http::money::Money;
use crate::http::state::Limits;

/// A word of a closed list in a request.
macro_rules! request_words {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
            pub enum $name { $(#[serde(rename = $word)] $variant),+ }

            impl $name {
                pub const WORDS: &'static [&'static str] = &[$($word),+];

                pub fn as_str(self) -> &'static str {
                    match self { $($name::$variant => $word),+ }
                }

                pub(crate) fn read(slot: &$crate::http::fields::Slot<'_>) -> Option<Self> {
                    slot.word(Self::WORDS, |text| match text { $($word => Some($name::$variant),)+ _ => None })
                }
            }
        )*
    };
}

pub(crate) use request_words;

request_words! {
    /// What a reviewer says.
    ReviewVerdict { Recommend = "recommend", Return = "return", Reject = "reject" }
    /// What an approver says.
    ApprovalVerdict { Approve = "approve", Return = "return", Reject = "reject" }
    /// What the second person of treasury says.
    CheckVerdict { Approve = "approve", Refuse = "refuse" }
    /// Who gave the money.
    FundSource { Central = "central", Province = "province", City = "city", County = "county" }
    /// What the bank says of a payment.
    PaymentOutcome { Paid = "paid", Failed = "failed" }
}

pub(crate) fn reason(slot: &Slot<'_>) -> Option<String> {
    slot.words(field_limits::REASON)
}

/// Why; it is kept with the event.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonGiven {
    #[schema(min_length = 1, max_length = 500, example = "消费者退货")]
    pub reason: String,
}

impl Wire for ReasonGiven {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        f.required("reason", reason).map(|reason| ReasonGiven { reason })
    }
}

/// Why, if there is anything to say; an empty body does as well. What is said is kept with the event.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonIfAny {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 500, example = "消费者退货")]
    pub reason: Option<String>,
}

impl Wire for ReasonIfAny {
    const MAY_BE_EMPTY: bool = true;

    fn read(f: &mut Fields<'_>) -> Option<Self> {
        f.optional("reason", reason).map(|reason| ReasonIfAny { reason })
    }
}

/// Nothing is asked; an empty body does as well.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

impl Wire for Nothing {
    const MAY_BE_EMPTY: bool = true;

    fn read(_: &mut Fields<'_>) -> Option<Self> {
        Some(Nothing {})
    }
}

/// A reviewer's verdict. A reason is required unless it recommends.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Review {
    pub verdict: ReviewVerdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 500, example = "材料齐全")]
    pub reason: Option<String>,
}

impl Wire for Review {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let verdict = f.required("verdict", ReviewVerdict::read);
        let reason = f.optional("reason", reason);
        Some(Review {
            verdict: verdict?,
            reason: reason?,
        })
    }
}

/// An approver's verdict. A reason is required unless it approves.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    pub verdict: ApprovalVerdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 500, example = "同意")]
    pub reason: Option<String>,
}

impl Wire for Approval {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let verdict = f.required("verdict", ApprovalVerdict::read);
        let reason = f.optional("reason", reason);
        Some(Approval {
            verdict: verdict?,
            reason: reason?,
        })
    }
}

/// Verdicts on many claims; each has a result of its own.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approvals {
    #[schema(min_items = 1, max_items = 1000)]
    pub items: Vec<ApprovalItem>,
}

/// A verdict on one claim as the approver saw it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalItem {
    #[schema(pattern = "^clm_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub claim: String,
    /// The ETag that the approver saw.
    #[schema(pattern = "^\"[0-9]{1,10}\"$", max_length = 12, example = "\"2\"")]
    pub etag: String,
    pub verdict: ApprovalVerdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

/// [`Approvals`] as read.
#[derive(Debug)]
pub struct ApprovalsRead(pub Vec<ApprovalRead>);

#[derive(Debug)]
pub struct ApprovalRead {
    pub claim: ClaimId,
    pub revision: i32,
    pub verdict: ApprovalVerdict,
    pub reason: Option<String>,
}

impl Wire for ApprovalsRead {
    fn limit(limits: &Limits) -> usize {
        limits.long_body
    }

    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let items = f.required("items", |s| {
            s.list(1, field_limits::APPROVALS, |s| s.object(approval))
        });
        items.map(ApprovalsRead)
    }
}

fn approval(f: &mut Fields<'_>) -> Option<ApprovalRead> {
    let claim = f.required("claim", |s| s.id::<ClaimId>());
    let revision = f.required("etag", |s| {
        let revision = revision_of(s.text(12)?);
        revision.or_else(|| s.wrong("form", "须为 ETag，例如 \"2\"", "it is an ETag, such as \"2\""))
    });
    let verdict = f.required("verdict", ApprovalVerdict::read);
    let reason = f.optional("reason", reason);
    Some(ApprovalRead {
        claim: claim?,
        revision: revision?,
        verdict: verdict?,
        reason: reason?,
    })
}

/// Money given to a fund by an official document.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Appropriate {
    pub source: FundSource,
    pub amount: Money,
    /// Number of the document that gives it.
    #[schema(min_length = 1, max_length = 100, example = "晋财建〔2026〕12号")]
    pub document: String,
}

#[derive(Debug)]
pub struct AppropriateRead {
    pub source: FundSource,
    pub amount: Fen,
    pub document: String,
}

impl Wire for AppropriateRead {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let source = f.required("source", FundSource::read);
        let amount = f.required("amount", |s| s.positive_money());
        let document = f.required("document", |s| s.words(field_limits::DOCUMENT));
        Some(AppropriateRead {
            source: source?,
            amount: amount?,
            document: document?,
        })
    }
}

/// What the second person says of what the first entered. A reason is required to refuse.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    pub verdict: CheckVerdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

impl Wire for Check {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let verdict = f.required("verdict", CheckVerdict::read);
        let reason = f.optional("reason", reason);
        Some(Check {
            verdict: verdict?,
            reason: reason?,
        })
    }
}

impl From<CheckVerdict> for service::funds::Check {
    fn from(verdict: CheckVerdict) -> service::funds::Check {
        match verdict {
            CheckVerdict::Approve => service::funds::Check::Approve,
            CheckVerdict::Refuse => service::funds::Check::Refuse,
        }
    }
}

/// The caps that a fund is to have; a second person confirms them.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposeCaps {
    #[schema(max_items = 100)]
    pub caps: Vec<CapForm>,
    /// Number of the document that sets them.
    #[schema(min_length = 1, max_length = 100)]
    pub document: String,
}

/// One cap.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CapToSet)]
pub struct CapForm {
    /// `whole`, `category:<category>` or `month:<yyyy-mm>`.
    #[schema(
        pattern = "^(whole|category:[a-z_]{1,40}|month:[0-9]{4}-(0[1-9]|1[0-2]))$",
        max_length = 49,
        example = "category:air_conditioner"
    )]
    pub scope: String,
    pub ceiling: Money,
}

#[derive(Debug)]
pub struct ProposeCapsRead {
    pub caps: Vec<(String, Fen)>,
    pub document: String,
}

impl Wire for ProposeCapsRead {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let caps = f.required("caps", |s| s.list(0, field_limits::CAPS, |s| s.object(cap)));
        let document = f.required("document", |s| s.words(field_limits::DOCUMENT));
        Some(ProposeCapsRead {
            caps: caps?,
            document: document?,
        })
    }
}

fn cap(f: &mut Fields<'_>) -> Option<(String, Fen)> {
    let scope = f.required("scope", |s| {
        let zh = "须为 whole、category:<品类> 或 month:<yyyy-mm>";
        s.pattern(
            64,
            is_scope,
            zh,
            "it is whole, category:<category> or month:<yyyy-mm>",
        )
    });
    let ceiling = f.required("ceiling", |s| s.money());
    Some((scope?, ceiling?))
}

pub(crate) fn is_scope(text: &str) -> bool {
    match text.split_once(':') {
        None => text == "whole",
        Some(("category", category)) => {
            (1..=40).contains(&category.len()) && category.bytes().all(|b| matches!(b, b'a'..=b'z' | b'_'))
        }
        Some(("month", month)) => {
            month.len() == 7 && format!("{month}-01").parse::<chrono::NaiveDate>().is_ok()
        }
        Some(_) => false,
    }
}

/// The fund whose payable claims are to be paid.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeDisbursement {
    #[schema(pattern = "^[1-9][0-9]{5}([0-9]{3})?$", max_length = 9, example = "140802")]
    pub jurisdiction: String,
    #[schema(pattern = "^[a-z0-9-]{1,64}$", max_length = 64, example = "appliance-2026")]
    pub programme: String,
    /// Credit code: only claims that are paid to this merchant, or that it made for an applicant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 18, max_length = 64)]
    pub merchant: Option<String>,
    /// Only what has been payable since before this day, Asia/Shanghai.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Date, max_length = 10, example = "2026-06-01")]
    pub payable_before: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100000)]
    pub most_claims: Option<u32>,
    /// Gathering ends with the first claim that does not fit: nobody is overtaken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_amount: Option<Money>,
}

#[derive(Debug)]
pub struct MakeDisbursementRead {
    pub jurisdiction: JurisdictionCode,
    pub programme: ProgrammeId,
    pub gather: Gather,
}

impl Wire for MakeDisbursementRead {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let jurisdiction = f.required("jurisdiction", |s| s.parse(JurisdictionCode::parse));
        let programme = f.required("programme", |s| s.parse(ProgrammeId::parse));
        let merchant = f.optional("merchant", |s| s.parse(CreditCode::parse));
        let payable_before = f.optional("payable_before", |s| s.date());
        let most_claims = f.optional("most_claims", |s| s.whole(1, field_limits::GATHERED));
        let most_amount = f.optional("most_amount", |s| s.money());
        Some(MakeDisbursementRead {
            jurisdiction: jurisdiction?,
            programme: programme?,
            gather: Gather {
                merchant: merchant?.map(|it| it.as_str().to_owned()),
                since_before: payable_before?.map(shanghai_midnight),
                most_claims: most_claims?.and_then(|it| usize::try_from(it).ok()),
                most_amount: most_amount?,
            },
        })
    }
}

/// What the bank says of a disbursement's payments.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordResults {
    #[schema(min_items = 1, max_items = 1000)]
    pub items: Vec<PaymentResult>,
}

/// What the bank says of one payment. A failure has a reason.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentResult {
    #[schema(pattern = "^pay_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub payment: String,
    pub outcome: PaymentOutcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 500, example = "账号与户名不符")]
    pub reason: Option<String>,
}

#[derive(Debug)]
pub struct RecordResultsRead(pub Vec<PaymentResultRead>);

#[derive(Debug)]
pub struct PaymentResultRead {
    pub payment: PaymentId,
    /// The bank's reason, if the payment failed.
    pub failed: Option<String>,
}

impl Wire for RecordResultsRead {
    fn limit(limits: &Limits) -> usize {
        limits.long_body
    }

    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let items = f.required("items", |s| {
            s.list(1, field_limits::RESULTS, |s| s.object(result))
        });
        items.map(RecordResultsRead)
    }
}

fn result(f: &mut Fields<'_>) -> Option<PaymentResultRead> {
    let payment = f.required("payment", |s| s.id::<PaymentId>());
    let outcome = f.required("outcome", PaymentOutcome::read);
    let reason = f.optional("reason", reason);
    let (payment, outcome, reason) = (payment?, outcome?, reason?);
    match (outcome, reason) {
        (PaymentOutcome::Paid, None) => Some(PaymentResultRead {
            payment,
            failed: None,
        }),
        (PaymentOutcome::Failed, Some(reason)) => Some(PaymentResultRead {
            payment,
            failed: Some(reason),
        }),
        (PaymentOutcome::Paid, Some(_)) => {
            f.error(
                "reason",
                "not-for-paid",
                "支付成功不填理由",
                "a payment that was made has no reason",
            );
            None
        }
        (PaymentOutcome::Failed, None) => {
            f.error("reason", "missing", "支付失败须填理由", "a failure has a reason");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::fields::read;

    #[test]
    fn scopes() {
        for scope in ["whole", "category:air_conditioner", "month:2026-05"] {
            assert!(is_scope(scope), "{scope}");
        }
        for scope in [
            "",
            "fund",
            "category:",
            "category:A",
            "month:2026-13",
            "month:26-05",
            "whole:",
            "month:2026-5",
        ] {
            assert!(!is_scope(scope), "{scope}");
        }
    }

    #[test]
    fn a_failure_has_a_reason_and_a_success_has_none() {
        let payment = format!("pay_140802_{:032x}", 1);
        let one = |item: serde_json::Value| {
            read(&json!({"items": [item]}), "", RecordResultsRead::read)
                .map_err(|errors| errors[0].pointer.clone())
        };
        assert!(one(json!({"payment": payment, "outcome": "paid"})).is_ok());
        assert!(one(json!({"payment": payment, "outcome": "failed", "reason": "户名不符"})).is_ok());
        assert_eq!(
            one(json!({"payment": payment, "outcome": "failed"})).unwrap_err(),
            "/items/0/reason"
        );
        assert_eq!(
            one(json!({"payment": "x", "outcome": "paid"})).unwrap_err(),
            "/items/0/payment"
        );
    }

    #[test]
    fn nothing_is_appropriated_by_zero() {
        let body = json!({"source": "city", "amount": "0.00", "document": "晋财建〔2026〕12号"});
        assert_eq!(
            read(&body, "", AppropriateRead::read).unwrap_err()[0].code,
            "money.zero"
        );
    }
}
