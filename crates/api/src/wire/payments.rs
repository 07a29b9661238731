//! Payments, what banks say of them, holds and accounts: as they are asked for and answered.

use chrono::{DateTime, NaiveDate, Utc};
use claims::identifiers::{CreditCode, JurisdictionCode, ProgrammeId};
use claims::{ClaimId, PaymentId};
use serde::{Deserialize, Serialize};
use service::disburse::{BankException, Count, PaidClaim, Payment, Reconciliation};
use service::holds::Hold;
use service::payees::{EnteredAccount, ShownAccount};
use utoipa::ToSchema;

use crate::http::bodies::{CheckVerdict, reason, request_words};
use crate::http::extract::Wire;
use crate::http::field_limits;
use crate::http::fields::Fields;
use crate::http::money::Money;
use crate::wire::sources::PartsView;

request_words! {
    /// What a person decides on what a bank said.
    ResolutionWord { Apply = "apply", Dismiss = "dismiss" }
}

/// One payment to one payee, for all its claims in the disbursement.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Payment)]
pub struct PaymentView {
    #[schema(pattern = "^pay_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub id: String,
    #[schema(max_length = 46)]
    pub disbursement: String,
    /// `merchant` or `applicant`.
    #[schema(max_length = 10, example = "merchant")]
    pub payee: String,
    /// The merchant's credit code. Of an applicant nothing is shown.
    #[schema(max_length = 18)]
    pub merchant: Option<String>,
    /// How many claims it pays.
    #[schema(minimum = 0)]
    pub claims: i32,
    /// The advance that it pays in the place of claims.
    #[schema(max_length = 46)]
    pub advance: Option<String>,
    pub amount: Money,
    /// What of the amount each source pays.
    pub parts: PartsView,
    /// What of it is set against advances and clawbacks (抵扣); the bank sends the rest.
    pub netted: Money,
    /// `open`, `paid`, `failed`, `returned` or `cancelled`.
    #[schema(max_length = 10, example = "open")]
    pub outcome: String,
    /// Why it failed or came back.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
    pub settled_at: Option<DateTime<Utc>>,
}

impl From<Payment> for PaymentView {
    fn from(it: Payment) -> PaymentView {
        PaymentView {
            id: it.id.to_string(),
            disbursement: it.disbursement.to_string(),
            payee: it.payee,
            merchant: it.merchant,
            claims: it.claims,
            advance: it.advance.map(|id| id.to_string()),
            amount: it.amount.into(),
            parts: PartsView::from(&it.parts),
            netted: it.netted.into(),
            outcome: it.outcome,
            reason: it.reason,
            settled_at: it.settled_at,
        }
    }
}

/// A claim of a payment.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PaidClaim)]
pub struct PaidClaimView {
    #[schema(max_length = 46)]
    pub claim: String,
    pub amount: Money,
}

impl From<PaidClaim> for PaidClaimView {
    fn from(it: PaidClaim) -> PaidClaimView {
        PaidClaimView {
            claim: it.claim.to_string(),
            amount: it.amount.into(),
        }
    }
}

/// How many payments, and how much.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PaymentCount)]
pub struct CountView {
    #[schema(minimum = 0)]
    pub payments: i64,
    pub amount: Money,
}

impl From<Count> for CountView {
    fn from(it: Count) -> CountView {
        CountView {
            payments: it.payments,
            amount: it.amount.into(),
        }
    }
}

/// A released disbursement: `sent` = `paid` + `failed` + `returned` + `open`, to the fen.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Reconciliation)]
pub struct ReconciliationView {
    #[schema(max_length = 46)]
    pub disbursement: String,
    #[schema(max_length = 64)]
    pub programme: String,
    /// In Asia/Shanghai.
    pub released_on: NaiveDate,
    pub sent: CountView,
    pub paid: CountView,
    pub failed: CountView,
    /// Paid, and given back by the bank.
    pub returned: CountView,
    pub open: CountView,
}

impl From<Reconciliation> for ReconciliationView {
    fn from(it: Reconciliation) -> ReconciliationView {
        ReconciliationView {
            disbursement: it.disbursement.to_string(),
            programme: it.programme,
            released_on: it.released_on,
            sent: it.sent.into(),
            paid: it.paid.into(),
            failed: it.failed.into(),
            returned: it.returned.into(),
            open: it.open.into(),
        }
    }
}

/// What a county released on some days.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Reconciliations {
    #[schema(max_items = 100000)]
    pub items: Vec<ReconciliationView>,
}

/// A word of a bank that fits no payment, or contradicts what is known.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = BankException)]
pub struct BankExceptionView {
    #[schema(pattern = "^bke_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub id: String,
    /// `unknown_payment`, `not_released`, `amount_differs`, `contradicts` or `unclear`.
    #[schema(max_length = 20, example = "contradicts")]
    pub exception: String,
    /// The payment that the bank named, or a mark of what it named instead.
    #[schema(max_length = 46)]
    pub reference: String,
    #[schema(max_length = 46)]
    pub payment: Option<String>,
    #[schema(max_length = 46)]
    pub disbursement: Option<String>,
    /// `paid`, `failed`, `returned` or `unclear`.
    #[schema(max_length = 10, example = "paid")]
    pub verdict: String,
    pub amount: Option<Money>,
    /// The bank's code.
    #[schema(max_length = 35, example = "AC04")]
    pub code: Option<String>,
    #[schema(max_length = 500)]
    pub reason: Option<String>,
    pub booked_on: Option<NaiveDate>,
    /// `json`, `csv`, `pain.002` or `camt.054`.
    #[schema(max_length = 10)]
    pub format: String,
    pub received_at: DateTime<Utc>,
    /// `exception`, `applied` or `dismissed`.
    #[schema(max_length = 10, example = "exception")]
    pub standing: String,
    pub resolved_at: Option<DateTime<Utc>>,
    /// Why.
    #[schema(max_length = 500)]
    pub resolution: Option<String>,
}

impl From<BankException> for BankExceptionView {
    fn from(it: BankException) -> BankExceptionView {
        BankExceptionView {
            id: it.id.to_string(),
            exception: it.exception,
            reference: it.reference,
            payment: it.payment.map(|id| id.to_string()),
            disbursement: it.disbursement.map(|id| id.to_string()),
            verdict: it.verdict,
            amount: it.amount.map(Money::from),
            code: it.code,
            reason: it.reason,
            booked_on: it.booked_on,
            format: it.format,
            received_at: it.received_at,
            standing: it.standing,
            resolved_at: it.resolved_at,
            resolution: it.resolution,
        }
    }
}

/// What is done with a word of a bank that was set aside.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveException {
    pub resolution: ResolutionWord,
    /// The payment that it is about, if the bank did not name it. Only with `apply`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^pay_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub payment: Option<String>,
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
}

/// [`ResolveException`] as read.
#[derive(Debug)]
pub struct ResolveExceptionRead {
    pub resolution: service::disburse::Resolution,
    pub reason: String,
}

impl Wire for ResolveExceptionRead {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let word = f.required("resolution", ResolutionWord::read);
        let payment = f.optional("payment", |s| s.id::<PaymentId>());
        let reason = f.required("reason", reason);
        let resolution = match (word?, payment?) {
            (ResolutionWord::Apply, payment) => service::disburse::Resolution::Apply { payment },
            (ResolutionWord::Dismiss, None) => service::disburse::Resolution::Dismiss,
            (ResolutionWord::Dismiss, Some(_)) => {
                f.error(
                    "payment",
                    "not-for-dismissed",
                    "不予采信时不填支付编号",
                    "what is dismissed is about no payment",
                );
                return None;
            }
        };
        Some(ResolveExceptionRead {
            resolution,
            reason: reason?,
        })
    }
}

/// What is kept out of payment, and why. At least one of programme, merchant and claim; all that are given have to match.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceHold {
    #[schema(pattern = "^[1-9][0-9]{5}([0-9]{3})?$", max_length = 9, example = "140802")]
    pub jurisdiction: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[a-z0-9-]{1,64}$", max_length = 64)]
    pub programme: Option<String>,
    /// Credit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 18, max_length = 64)]
    pub merchant: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^clm_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub claim: Option<String>,
    #[schema(min_length = 1, max_length = 500, example = "涉嫌虚开发票，核查中")]
    pub reason: String,
}

/// [`PlaceHold`] as read.
#[derive(Debug)]
pub struct PlaceHoldRead {
    pub jurisdiction: JurisdictionCode,
    pub held: service::holds::Held,
    pub reason: String,
}

impl Wire for PlaceHoldRead {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let jurisdiction = f.required("jurisdiction", |s| s.parse(JurisdictionCode::parse));
        let programme = f.optional("programme", |s| s.parse(ProgrammeId::parse));
        let merchant = f.optional("merchant", |s| s.parse(CreditCode::parse));
        let claim = f.optional("claim", |s| s.id::<ClaimId>());
        let reason = f.required("reason", reason);
        Some(PlaceHoldRead {
            jurisdiction: jurisdiction?,
            held: service::holds::Held {
                programme: programme?.map(|it| it.as_str().to_owned()),
                merchant: merchant?.map(|it| it.as_str().to_owned()),
                claim: claim?,
            },
            reason: reason?,
        })
    }
}

/// What is kept out of payment.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Hold)]
pub struct HoldView {
    #[schema(pattern = "^hld_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub id: String,
    #[schema(max_length = 64)]
    pub programme: Option<String>,
    #[schema(max_length = 18)]
    pub merchant: Option<String>,
    #[schema(max_length = 46)]
    pub claim: Option<String>,
    #[schema(max_length = 500)]
    pub reason: String,
    pub placed_at: DateTime<Utc>,
    pub lifted_at: Option<DateTime<Utc>>,
    #[schema(max_length = 500)]
    pub lift_reason: Option<String>,
}

impl From<Hold> for HoldView {
    fn from(it: Hold) -> HoldView {
        HoldView {
            id: it.id,
            programme: it.programme,
            merchant: it.merchant,
            claim: it.claim,
            reason: it.reason,
            placed_at: it.placed_at,
            lifted_at: it.lifted_at,
            lift_reason: it.lift_reason,
        }
    }
}

/// Where a merchant is paid, or what a county pays from.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterAccount {
    /// Name of the account's holder (户名).
    #[schema(min_length = 1, max_length = 140, example = "运城市华联家电有限公司")]
    pub name: String,
    /// 账号: letters, digits and hyphens.
    #[schema(min_length = 1, max_length = 34, example = "1405011234567890123")]
    pub bank_account: String,
    /// 开户行.
    #[schema(min_length = 1, max_length = 140, example = "中国工商银行运城盐湖支行")]
    pub bank_name: String,
    /// 行号 in CNAPS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[0-9]{12}$", max_length = 12, example = "102181000017")]
    pub bank_code: Option<String>,
}

/// [`EnterAccount`] as read. What a bank takes is decided by the use case.
#[derive(Debug)]
pub struct EnterAccountRead(pub EnteredAccount);

impl Wire for EnterAccountRead {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let name = f.required("name", |s| s.words(field_limits::PARTY_NAME));
        let rest = account(f);
        Some(EnterAccountRead(EnteredAccount { name: name?, ..rest? }))
    }
}

fn account(f: &mut Fields<'_>) -> Option<EnteredAccount> {
    let bank_account = f.required("bank_account", |s| s.words(field_limits::IDENTIFIER));
    let bank_name = f.required("bank_name", |s| s.words(field_limits::PARTY_NAME));
    let bank_code = f.optional("bank_code", |s| s.words(field_limits::IDENTIFIER));
    Some(EnteredAccount {
        name: String::new(),
        bank_account: bank_account?,
        bank_name: bank_name?,
        bank_code: bank_code?,
    })
}

/// An applicant's account, put right. The name stays the applicant's.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrectPayee {
    #[schema(min_length = 1, max_length = 34)]
    pub bank_account: String,
    #[schema(min_length = 1, max_length = 140)]
    pub bank_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[0-9]{12}$", max_length = 12)]
    pub bank_code: Option<String>,
}

/// [`CorrectPayee`] as read.
#[derive(Debug)]
pub struct CorrectPayeeRead(pub EnteredAccount);

impl Wire for CorrectPayeeRead {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        account(f).map(CorrectPayeeRead)
    }
}

/// An account by its last four characters.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Account)]
pub struct AccountView {
    /// A credit code, or a county's code.
    #[schema(max_length = 18)]
    pub holder: String,
    /// Goes into the decision.
    #[schema(minimum = 1)]
    pub revision: i32,
    #[schema(max_length = 140)]
    pub bank_name: String,
    #[schema(max_length = 12)]
    pub bank_code: Option<String>,
    #[schema(max_length = 4, example = "0123")]
    pub ends_with: String,
    /// `pending`, `approved` or `refused`. Until it is approved the one before counts.
    #[schema(max_length = 10, example = "pending")]
    pub status: String,
    pub made_at: DateTime<Utc>,
    pub checked_at: Option<DateTime<Utc>>,
    /// Why it was refused.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

impl From<ShownAccount> for AccountView {
    fn from(it: ShownAccount) -> AccountView {
        AccountView {
            holder: it.holder,
            revision: it.revision,
            bank_name: it.bank_name,
            bank_code: it.bank_code,
            ends_with: it.ends_with,
            status: it.status,
            made_at: it.made_at,
            checked_at: it.checked_at,
            reason: it.reason,
        }
    }
}

/// The second person's word on an account.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckAccount {
    /// The revision that was looked at.
    #[schema(minimum = 1, maximum = 1000000)]
    pub revision: i32,
    pub verdict: CheckVerdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

impl Wire for CheckAccount {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let revision = f.required("revision", |s| s.whole(1, 1_000_000));
        let verdict = f.required("verdict", CheckVerdict::read);
        let reason = f.optional("reason", reason);
        Some(CheckAccount {
            revision: i32::try_from(revision?).ok()?,
            verdict: verdict?,
            reason: reason?,
        })
    }
}
