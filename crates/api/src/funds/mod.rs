//! Funds: what they hold, what is given to them, and their caps. Money and caps change in pairs:
//! one person enters, another confirms.

pub mod caps;
pub mod closings;
pub mod holds;
pub mod ledgers;
pub mod public;
pub mod sources;
pub mod views;

use api_macros::operation;

use crate::funds::views::{AppropriationView, FundView};
use crate::http::answer::{Answer, Created, Json, created, ok, paged};
use crate::http::authenticated::Authenticated;
use crate::http::bodies::Check;
use crate::http::contract::{Operation, operations};
use crate::http::extract::{Body, IdempotencyKey, Path, PathId, Query};
use crate::http::field_limits::DOCUMENT;
use crate::http::queries::{JurisdictionQuery, PageQuery};
use crate::http::state::ApiState;
use crate::http::views::PageView;
use crate::http::wire::{Positive, Words, request_words};
use claims::identifiers::ProgrammeId;
use claims::{AppropriationId, JurisdictionCode};
use ledger::Fen;
use service::funds::{NewAppropriation, Source};
use service::operation::Key;
use service::operation::access::{ManageFunds, ReadFunds};
use wire_derive::{WireBody, WirePath};

/// Every operation of the wing.
pub(crate) const OPERATIONS: &[Operation] = operations![
    list_funds,
    appropriate,
    list_appropriations,
    sources::list_sources,
    check_appropriation,
    caps::propose_caps,
    caps::list_cap_changes,
    caps::check_caps,
    public::list_public_funds,
    holds::place_hold,
    holds::list_holds,
    holds::lift_hold,
    ledgers::get_balances,
    ledgers::list_transfers,
    closings::list_closings,
    closings::get_closing,
];

/// A fund.
#[derive(Debug, WirePath)]
#[wire(what = "fund")]
pub(crate) struct FundPath {
    #[wire(example = "appliance-2026")]
    programme: ProgrammeId,
    jurisdiction: JurisdictionCode,
}

impl FundPath {
    /// Programme and county.
    fn names(&self) -> (String, String) {
        (
            self.programme.as_str().to_owned(),
            self.jurisdiction.as_str().to_owned(),
        )
    }
}

/// 资金列表 · List funds
///
/// Each with its accounts, its waitlist and its caps.
#[operation(get "/v1/funds", tag = Funds, answer = "A page of funds.")]
pub(crate) async fn list_funds(
    api: ApiState,
    caller: Authenticated<ReadFunds>,
    query: Query<JurisdictionQuery>,
) -> Answer<Json<PageView<FundView>>> {
    let Query(JurisdictionQuery { jurisdiction, page }) = query;
    let jurisdiction = jurisdiction.map(|it| it.as_str().to_owned());
    let funds = api
        .service
        .funds()
        .funds(&caller.permit, jurisdiction, page.cursor.as_deref(), page.limit)
        .await;
    ok(&PageView::of(paged(funds)?, FundView::from))
}

/// 拨入资金 · Appropriate money
///
/// Pending until another person of treasury approves it.
#[operation(
    post "/v1/funds/{programme}/{jurisdiction}/appropriations",
    tag = Funds,
    body = "The money and the document that gives it.",
    answer = "Entered, pending."
)]
pub(crate) async fn appropriate(
    api: ApiState,
    caller: Authenticated<ManageFunds>,
    path: Path<FundPath>,
    key: IdempotencyKey,
    body: Body<Appropriate>,
) -> Answer<Created<AppropriationView>> {
    let (programme, jurisdiction) = path.0.names();
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
        .write(|it| async move { it.funds().appropriate(&permit, new, key).await })
        .await?;
    created(&location, made.replayed, &AppropriationView::from(made.value))
}

/// 拨款列表 · List appropriations
///
/// Newest first.
#[operation(
    get "/v1/funds/{programme}/{jurisdiction}/appropriations",
    tag = Funds,
    answer = "A page of appropriations."
)]
pub(crate) async fn list_appropriations(
    api: ApiState,
    caller: Authenticated<ReadFunds>,
    path: Path<FundPath>,
    page: Query<PageQuery>,
) -> Answer<Json<PageView<AppropriationView>>> {
    let ((programme, jurisdiction), Query(page)) = (path.0.names(), page);
    let cursor = page.cursor.as_deref();
    let list = api
        .service
        .funds()
        .appropriations(&caller.permit, &programme, &jurisdiction, cursor, page.limit)
        .await;
    ok(&PageView::of(paged(list)?, AppropriationView::from))
}

/// 复核拨款 · Check an appropriation
///
/// By another person than the one who entered it.
#[operation(
    post "/v1/appropriations/{id}/decision",
    tag = Funds,
    body = "The verdict.",
    answer = "Approved or refused."
)]
pub(crate) async fn check_appropriation(
    api: ApiState,
    caller: Authenticated<ManageFunds>,
    id: PathId<AppropriationId>,
    body: Body<Check>,
) -> Answer<Json<AppropriationView>> {
    let (permit, Check { verdict, reason }) = (caller.permit, body.value);
    let checked = api
        .write(|it| async move {
            it.funds()
                .check_appropriation(&permit, id.0, verdict, reason)
                .await
        })
        .await?;
    ok(&AppropriationView::from(checked))
}

request_words! {
    /// Who gave the money.
    Source as "FundSource";
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
