//! Funds: what they hold, what is given to them, and their caps. Money and caps change in pairs:
//! one person enters, another confirms.

pub mod caps;
pub mod closings;
pub mod holds;
pub mod ledgers;
pub mod public;
pub mod sources;
pub mod views;

use actix_web::{get, post};
use claims::identifiers::ProgrammeId;
use claims::{AppropriationId, JurisdictionCode};
use ledger::Fen;
use service::access::{ManageFunds, ReadFunds};
use service::funds::{NewAppropriation, Source};
use service::once::Key;
use wire_derive::WireBody;

use crate::funds::views::{AppropriationView, FundView};
use crate::http::answer::{Answer, created, ok, paged};
use crate::http::authenticated::{Authenticated, roles};
use crate::http::bodies::Check;
use crate::http::extract::documented::{AppropriationPath, FundPath, IdempotencyHeader};
use crate::http::extract::{Body, IdempotencyKey, Part, PathId, PathText, Query};
use crate::http::field_limits::DOCUMENT;
use crate::http::problem::Problem;
use crate::http::queries::{JurisdictionQuery, PageQuery};
use crate::http::state::ApiState;
use crate::http::views::PageView;
use crate::http::wire::{Positive, Words, words};

/// The fund that a path names.
fn fund(path: &PathText) -> Result<(String, String), Problem> {
    let programme = path.parse(Part::Programme, "fund", |text| ProgrammeId::parse(text).ok())?;
    let jurisdiction = path.parse(Part::Jurisdiction, "fund", |text| {
        JurisdictionCode::parse(text).ok()
    })?;
    Ok((programme.as_str().to_owned(), jurisdiction.as_str().to_owned()))
}

/// 资金列表 · List funds
///
/// Each with its accounts, its waitlist and its caps.
#[utoipa::path(
    tag = "funds",
    params(JurisdictionQuery),
    responses((status = 200, description = "A page of funds.", body = PageView<FundView>)),
    extensions(("x-roles" = json!(roles::<ReadFunds>()))),
)]
#[get("/v1/funds")]
pub(crate) async fn list_funds(
    api: ApiState,
    caller: Authenticated<ReadFunds>,
    query: Query<JurisdictionQuery>,
) -> Answer {
    let Query(JurisdictionQuery { jurisdiction, page }) = query;
    let jurisdiction = jurisdiction.map(|it| it.as_str().to_owned());
    let funds = api
        .service
        .funds(&caller.permit, jurisdiction, page.cursor.as_deref(), page.limit)
        .await;
    ok(&PageView::of(paged(funds)?, FundView::from))
}

/// 拨入资金 · Appropriate money
///
/// Pending until another person of treasury approves it.
#[utoipa::path(
    tag = "funds",
    params(FundPath, IdempotencyHeader),
    request_body(content = Appropriate, description = "The money and the document that gives it."),
    responses((status = 201, description = "Entered, pending.", body = AppropriationView,
        headers(("Location" = String, description = "Where to find it.")))),
    extensions(("x-roles" = json!(roles::<ManageFunds>()))),
)]
#[post("/v1/funds/{programme}/{jurisdiction}/appropriations")]
pub(crate) async fn appropriate(
    api: ApiState,
    caller: Authenticated<ManageFunds>,
    path: PathText,
    key: IdempotencyKey,
    body: Body<Appropriate>,
) -> Answer {
    let (programme, jurisdiction) = fund(&path)?;
    let location = format!("/v1/funds/{programme}/{jurisdiction}/appropriations");
    let Appropriate {
        source,
        amount,
        document,
    } = body.value;
    let new = NewAppropriation {
        programme,
        jurisdiction,
        source,
        amount,
        document,
    };
    let (permit, key) = (
        caller.permit,
        Key {
            key: key.0,
            request: body.hash,
        },
    );
    let made = api
        .write(|it| async move { it.appropriate(&permit, new, key).await })
        .await?;
    created(
        &location,
        None,
        made.replayed,
        &AppropriationView::from(made.value),
    )
}

/// 拨款列表 · List appropriations
///
/// Newest first.
#[utoipa::path(
    tag = "funds",
    params(FundPath),
    responses((status = 200, description = "A page of appropriations.", body = PageView<AppropriationView>)),
    extensions(("x-roles" = json!(roles::<ReadFunds>()))),
)]
#[get("/v1/funds/{programme}/{jurisdiction}/appropriations")]
pub(crate) async fn list_appropriations(
    api: ApiState,
    caller: Authenticated<ReadFunds>,
    path: PathText,
    page: Query<PageQuery>,
) -> Answer {
    let ((programme, jurisdiction), Query(page)) = (fund(&path)?, page);
    let cursor = page.cursor.as_deref();
    let list = api
        .service
        .appropriations(&caller.permit, &programme, &jurisdiction, cursor, page.limit)
        .await;
    ok(&PageView::of(paged(list)?, AppropriationView::from))
}

/// 复核拨款 · Check an appropriation
///
/// By another person than the one who entered it.
#[utoipa::path(
    tag = "funds",
    params(AppropriationPath),
    request_body(content = Check, description = "The verdict."),
    responses((status = 200, description = "Approved or refused.", body = AppropriationView)),
    extensions(("x-roles" = json!(roles::<ManageFunds>()))),
)]
#[post("/v1/appropriations/{id}/decision")]
pub(crate) async fn check_appropriation(
    api: ApiState,
    caller: Authenticated<ManageFunds>,
    id: PathId<AppropriationId>,
    body: Body<Check>,
) -> Answer {
    let (permit, Check { verdict, reason }) = (caller.permit, body.value);
    let checked = api
        .write(|it| async move { it.check_appropriation(&permit, id.0, verdict, reason).await })
        .await?;
    ok(&AppropriationView::from(checked))
}

words! {
    /// Who gave the money.
    Source as "FundSource" { Central = "central", Province = "province", City = "city", County = "county" }
}

/// Money given to a fund by an official document.
#[derive(Debug, WireBody)]
pub struct Appropriate {
    pub source: Source,
    #[wire(Positive)]
    pub amount: Fen,
    /// Number of the document that gives it.
    #[wire(Words(DOCUMENT), example = "晋财建〔2026〕12号")]
    pub document: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::http::fields::read;
    use crate::http::wire::Object;

    use super::*;

    #[test]
    fn nothing_is_appropriated_by_zero() {
        let body = json!({"source": "city", "amount": "0.00", "document": "晋财建〔2026〕12号"});
        assert_eq!(
            read(&body, "", Appropriate::read).unwrap_err()[0].code,
            "money.zero"
        );
    }
}
