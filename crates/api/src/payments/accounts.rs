//! Accounts: where merchants and applicants are paid, and what counties pay from.

use api_macros::operation;

use chrono::{DateTime, Utc};
use claims::ClaimId;
use claims::identifiers::{CreditCode, JurisdictionCode};
use serde::{Deserialize, Serialize};
use service::operation::access::{EnterAccounts, ManageFunds, ReadAccounts, SubmitClaims};
use service::payments::{EnteredAccount, ShownAccount};
use utoipa::ToSchema;

use crate::http::answer::{Answer, Json, NoContent, ok};
use crate::http::authenticated::Authenticated;
use crate::http::bodies::{CheckVerdict, reason};
use crate::http::extract::documented::HolderPath;
use crate::http::extract::{Body, Part, PathId, PathText, Wire};
use crate::http::field_limits;
use crate::http::fields::Fields;
use crate::http::problem::Problem;
use crate::http::state::ApiState;

/// A merchant's credit code, or a county's code.
fn holder<P>(path: &PathText<P>) -> Result<String, Problem> {
    path.parse(Part::Holder, "account", |text| {
        let county = JurisdictionCode::parse(text).map(|it| it.as_str().to_owned());
        county
            .or_else(|_| CreditCode::parse(text).map(|it| it.as_str().to_owned()))
            .ok()
    })
}

/// 登记账户 · Enter an account
///
/// Where a merchant is paid, entered by itself or by treasury; or what a county pays from, entered by treasury. It counts once another person
/// of treasury approved it; until then the one before counts.
#[operation(
    put "/v1/accounts/{holder}",
    tag = Accounts,
    body = "The account. It is sealed at rest and never shown whole.",
    answer = "Pending."
)]
pub(crate) async fn enter_account(
    api: ApiState,
    caller: Authenticated<EnterAccounts>,
    path: PathText<HolderPath>,
    body: Body<EnterAccountRead>,
) -> Answer<Json<AccountView>> {
    let (permit, holder, entered) = (caller.permit, holder(&path)?, body.value.0);
    let account = api
        .write(|it| async move { it.payments().enter_account(&permit, &holder, entered).await })
        .await?;
    ok(&AccountView::from(account))
}

/// 查询账户 · Get an account
///
/// As it was entered last, by its last four characters.
#[operation(get "/v1/accounts/{holder}", tag = Accounts, answer = "The account.")]
pub(crate) async fn get_account(
    api: ApiState,
    caller: Authenticated<ReadAccounts>,
    path: PathText<HolderPath>,
) -> Answer<Json<AccountView>> {
    let account = api
        .service
        .payments()
        .account(&caller.permit, &holder(&path)?)
        .await?;
    ok(&AccountView::from(account))
}

/// 复核账户 · Check an account
///
/// By another person than entered it.
#[operation(
    post "/v1/accounts/{holder}/decision",
    tag = Accounts,
    body = "The verdict, on the revision that was looked at.",
    answer = "Approved or refused."
)]
pub(crate) async fn check_account(
    api: ApiState,
    caller: Authenticated<ManageFunds>,
    path: PathText<HolderPath>,
    body: Body<CheckAccount>,
) -> Answer<Json<AccountView>> {
    let (permit, holder) = (caller.permit, holder(&path)?);
    let CheckAccount {
        revision,
        verdict,
        reason,
    } = body.value;
    let account = api
        .write(|it| async move {
            it.payments()
                .check_account(&permit, &holder, revision, verdict.into(), reason)
                .await
        })
        .await?;
    ok(&AccountView::from(account))
}

/// 更正收款账户 · Correct a payee
///
/// Of a claim whose subsidy goes to the applicant, once it is approved or its payment failed: the next payment goes there. The name stays the
/// applicant's.
#[operation(put "/v1/claims/{id}/payee", tag = Claims, body = "The account.", answer = "Noted.")]
pub(crate) async fn correct_payee(
    api: ApiState,
    caller: Authenticated<SubmitClaims>,
    id: PathId<ClaimId>,
    body: Body<CorrectPayeeRead>,
) -> Answer<NoContent> {
    let (permit, entered) = (caller.permit, body.value.0);
    api.write(|it| async move { it.payments().correct_payee(&permit, id.0, entered).await })
        .await?;
    Ok(NoContent)
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
#[schema(as = BankAccount)]
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
            status: it.status.to_string(),
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
