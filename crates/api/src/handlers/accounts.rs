//! Accounts: where merchants and applicants are paid, and what counties pay from.

use actix_web::{HttpResponse, get, post, put};
use claims::ClaimId;
use claims::identifiers::{CreditCode, JurisdictionCode};
use service::access::{EnterAccounts, ManageFunds, ReadAccounts, SubmitClaims};

use crate::http::answer::{Answer, ok};
use crate::http::authenticated::{Signed, roles};
use crate::http::extract::documented::{ClaimPath, HolderPath};
use crate::http::extract::{Body, Part, PathId, PathText};
use crate::http::problem::Problem;
use crate::http::state::ApiState;
use crate::wire::payments::{
    AccountView, CheckAccount, CorrectPayee, CorrectPayeeRead, EnterAccount, EnterAccountRead,
};

/// A merchant's credit code, or a county's code.
fn holder(path: &PathText) -> Result<String, Problem> {
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
#[utoipa::path(
    tag = "accounts",
    params(HolderPath),
    request_body(content = EnterAccount, description = "The account. It is sealed at rest and never shown whole."),
    responses((status = 200, description = "Pending.", body = AccountView)),
    extensions(("x-roles" = json!(roles::<EnterAccounts>()))),
)]
#[put("/v1/accounts/{holder}")]
pub(crate) async fn enter_account(
    api: ApiState,
    signed: Signed<EnterAccounts>,
    path: PathText,
    body: Body<EnterAccountRead>,
) -> Answer {
    let (permit, holder, entered) = (signed.permit, holder(&path)?, body.value.0);
    let account = api
        .write(|it| async move { it.enter_account(&permit, &holder, entered).await })
        .await?;
    ok(&AccountView::from(account))
}

/// 查询账户 · Get an account
///
/// As it was entered last, by its last four characters.
#[utoipa::path(
    tag = "accounts",
    params(HolderPath),
    responses((status = 200, description = "The account.", body = AccountView)),
    extensions(("x-roles" = json!(roles::<ReadAccounts>()))),
)]
#[get("/v1/accounts/{holder}")]
pub(crate) async fn get_account(api: ApiState, signed: Signed<ReadAccounts>, path: PathText) -> Answer {
    let account = api.service.account(&signed.permit, &holder(&path)?).await?;
    ok(&AccountView::from(account))
}

/// 复核账户 · Check an account
///
/// By another person than entered it.
#[utoipa::path(
    tag = "accounts",
    params(HolderPath),
    request_body(content = CheckAccount, description = "The verdict, on the revision that was looked at."),
    responses((status = 200, description = "Approved or refused.", body = AccountView)),
    extensions(("x-roles" = json!(roles::<ManageFunds>()))),
)]
#[post("/v1/accounts/{holder}/decision")]
pub(crate) async fn check_account(
    api: ApiState,
    signed: Signed<ManageFunds>,
    path: PathText,
    body: Body<CheckAccount>,
) -> Answer {
    let (permit, holder) = (signed.permit, holder(&path)?);
    let CheckAccount {
        revision,
        verdict,
        reason,
    } = body.value;
    let account = api
        .write(|it| async move {
            it.check_account(&permit, &holder, revision, verdict.into(), reason)
                .await
        })
        .await?;
    ok(&AccountView::from(account))
}

/// 更正收款账户 · Correct a payee
///
/// Of a claim whose subsidy goes to the applicant, once it is approved or its payment failed: the next payment goes there. The name stays the
/// applicant's.
#[utoipa::path(
    tag = "claims",
    params(ClaimPath),
    request_body(content = CorrectPayee, description = "The account."),
    responses((status = 204, description = "Noted.")),
    extensions(("x-roles" = json!(roles::<SubmitClaims>()))),
)]
#[put("/v1/claims/{id}/payee")]
pub(crate) async fn correct_payee(
    api: ApiState,
    signed: Signed<SubmitClaims>,
    id: PathId<ClaimId>,
    body: Body<CorrectPayeeRead>,
) -> Answer {
    let (permit, entered) = (signed.permit, body.value.0);
    api.write(|it| async move { it.correct_payee(&permit, id.0, entered).await })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
