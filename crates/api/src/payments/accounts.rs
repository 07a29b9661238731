//! Accounts: where merchants and applicants are paid, and what counties pay from.

use api_macros::operation;

use chrono::{DateTime, Utc};
use claims::ClaimId;
use claims::identifiers::{CreditCode, JurisdictionCode};
use serde::Serialize;
use service::operation::access::{EnterAccounts, ManageFunds, ReadAccounts, SubmitClaims};
use service::payments::{EnteredAccount, ShownAccount};
use utoipa::ToSchema;
use wire_derive::{WireBody, WirePath};

use crate::http::answer::{Answer, Json, NoContent, ok};
use crate::http::authenticated::Authenticated;
use crate::http::extract::{Body, Path, PathId};
use crate::http::field_limits::{BANK_ACCOUNT, IDENTIFIER, PARTY_NAME, REASON};
use crate::http::fields::{Fields, Slot};
use crate::http::state::ApiState;
use crate::http::wire::{AnySchema, Pattern, Shape, Whole, Words};

/// Whose account it is.
#[derive(Debug, WirePath)]
#[wire(what = "account")]
pub(crate) struct HolderPath {
    /// A merchant's credit code, or a county's code.
    #[wire(HOLDER, example = "91140802MA2NH6NA3Q")]
    holder: String,
}

const HOLDER: Pattern = Pattern {
    longest: 18,
    pattern: "^[0-9A-Z]{6,18}$",
    parse: |text| {
        let county = JurisdictionCode::parse(text).map(|it| it.as_str().to_owned());
        let holder = county.or_else(|_| CreditCode::parse(text).map(|it| it.as_str().to_owned()));
        holder.ok()
    },
    zh: "须为统一社会信用代码或行政区划代码",
    en: "it is a credit code or the code of a county",
};

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
    path: Path<HolderPath>,
    body: Body<EnterAccount>,
) -> Answer<Json<AccountView>> {
    let (permit, holder, entered) = (caller.permit, path.0.holder, body.value);
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
    path: Path<HolderPath>,
) -> Answer<Json<AccountView>> {
    let account = api
        .service
        .payments()
        .account(&caller.permit, &path.0.holder)
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
    path: Path<HolderPath>,
    body: Body<CheckAccount>,
) -> Answer<Json<AccountView>> {
    let (permit, holder) = (caller.permit, path.0.holder);
    let CheckAccount {
        revision,
        verdict,
        reason,
    } = body.value;
    let account = api
        .write(|it| async move {
            it.payments()
                .check_account(&permit, &holder, revision, verdict, reason)
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
    body: Body<CorrectPayee>,
) -> Answer<NoContent> {
    let (permit, entered) = (caller.permit, body.value);
    api.write(|it| async move { it.payments().correct_payee(&permit, id.0, entered).await })
        .await?;
    Ok(NoContent)
}

/// Where a merchant is paid, or what a county pays from.
#[derive(Debug, WireBody)]
#[wire(into = EnteredAccount)]
pub struct EnterAccount {
    /// Name of the account's holder (户名).
    #[wire(Words(PARTY_NAME), example = "运城市华联家电有限公司")]
    pub name: String,
    /// 账号: letters, digits and hyphens.
    #[wire(Decided(Words(BANK_ACCOUNT)), example = "1405011234567890123")]
    pub bank_account: String,
    /// 开户行.
    #[wire(Words(PARTY_NAME), example = "中国工商银行运城盐湖支行")]
    pub bank_name: String,
    /// 行号 in CNAPS.
    #[wire(Decided(BANK_CODE), example = "102181000017")]
    pub bank_code: Option<String>,
}

/// An applicant's account, put right. The name stays the applicant's.
#[derive(Debug, WireBody)]
#[wire(refine = EnteredAccount)]
pub struct CorrectPayee {
    #[wire(Decided(Words(BANK_ACCOUNT)))]
    pub bank_account: String,
    #[wire(Words(PARTY_NAME))]
    pub bank_name: String,
    #[wire(Decided(BANK_CODE))]
    pub bank_code: Option<String>,
}

impl CorrectPayee {
    fn refine(self, _: &Fields<'_>) -> Option<EnteredAccount> {
        Some(EnteredAccount {
            name: String::new(),
            bank_account: self.bank_account,
            bank_name: self.bank_name,
            bank_code: self.bank_code,
        })
    }
}

const BANK_CODE: Pattern = Pattern {
    longest: 12,
    pattern: "^[0-9]{12}$",
    parse: |text| Some(text.to_owned()),
    zh: "",
    en: "",
};

/// What a bank takes is decided by the use case, after separators are dropped. Until then it is words as long as an
/// identifier; the document has the form that is kept.
struct Decided<S>(S);

impl<S: Shape<Value = String>> Shape for Decided<S> {
    type Value = String;

    fn read(&self, slot: &Slot<'_>) -> Option<String> {
        slot.words(IDENTIFIER)
    }

    fn schema(&self) -> AnySchema {
        self.0.schema()
    }
}

/// The second person's word on an account.
#[derive(Debug, WireBody)]
pub struct CheckAccount {
    /// The revision that was looked at.
    #[wire(Whole::new(1..=1_000_000))]
    pub revision: i32,
    pub verdict: service::operation::Check,
    #[wire(Words(REASON))]
    pub reason: Option<String>,
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
            status: it.status,
            made_at: it.made_at,
            checked_at: it.checked_at,
            reason: it.reason,
        }
    }
}
