//! Holds: what keeps claims out of payment.

use api_macros::operation;

use crate::http::answer::{Answer, Created, Json, created, ok, paged};
use crate::http::authenticated::Authenticated;
use crate::http::bodies::ReasonGiven;
use crate::http::extract::{Body, IdempotencyKey, PathId, Query};
use crate::http::field_limits::REASON;
use crate::http::queries::{PageQuery, YesNo};
use crate::http::state::ApiState;
use crate::http::views::PageView;
use crate::http::wire::Words;
use chrono::{DateTime, Utc};
use claims::identifiers::{CreditCode, JurisdictionCode, ProgrammeId};
use claims::{ClaimId, HoldId};
use serde::Serialize;
use service::funds::{Held, Hold};
use service::operation::Key;
use service::operation::access::{ManageFunds, ReadFunds};
use utoipa::ToSchema;
use wire_derive::{WireBody, WireQuery};

/// 暂停支付 · Place a hold
///
/// On a merchant, a programme, a claim, or what several of these have in common. Held claims are not gathered, and a disbursement that has
/// some is not released.
#[operation(
    post "/v1/holds",
    tag = Payments,
    body = "What is held, and why.",
    answer = "It stands.",
    location = "Address of the list that has it."
)]
pub(crate) async fn place_hold(
    api: ApiState,
    caller: Authenticated<ManageFunds>,
    key: IdempotencyKey,
    body: Body<PlaceHold>,
) -> Answer<Created<HoldView>> {
    let key = Key {
        key: key.0,
        request: body.hash,
    };
    let PlaceHold {
        jurisdiction,
        programme,
        merchant,
        claim,
        reason,
    } = body.value;
    let held = Held {
        programme: programme.map(|it| it.as_str().to_owned()),
        merchant: merchant.map(|it| it.as_str().to_owned()),
        claim,
    };
    let permit = caller.permit;
    let placed = api
        .write(|it| async move {
            it.funds()
                .place_hold(&permit, jurisdiction, held, Some(reason), key)
                .await
        })
        .await?;
    let location = format!("/v1/holds?jurisdiction={jurisdiction}");
    created(&location, placed.replayed, &HoldView::from(placed.value))
}

/// 暂停支付列表 · List holds
///
/// Those that stand, newest first; with `lifted` those that were lifted, too.
#[operation(get "/v1/holds", tag = Payments, answer = "A page of holds.")]
pub(crate) async fn list_holds(
    api: ApiState,
    caller: Authenticated<ReadFunds>,
    query: Query<HoldsQuery>,
) -> Answer<Json<PageView<HoldView>>> {
    let Query(HoldsQuery {
        jurisdiction,
        lifted,
        page,
    }) = query;
    let jurisdiction = jurisdiction.map(|it| it.as_str().to_owned());
    let list = api
        .service
        .funds()
        .holds(
            &caller.permit,
            jurisdiction,
            lifted == YesNo::True,
            page.cursor.as_deref(),
            page.limit,
        )
        .await;
    ok(&PageView::of(paged(list)?, HoldView::from))
}

/// 解除暂停 · Lift a hold
#[operation(post "/v1/holds/{id}/lifting", tag = Payments, body = "Why.", answer = "Lifted.")]
pub(crate) async fn lift_hold(
    api: ApiState,
    caller: Authenticated<ManageFunds>,
    id: PathId<HoldId>,
    body: Body<ReasonGiven>,
) -> Answer<Json<HoldView>> {
    let (permit, why) = (caller.permit, Some(body.value.reason));
    let lifted = api
        .write(|it| async move { it.funds().lift_hold(&permit, id.0, why).await })
        .await?;
    ok(&HoldView::from(lifted))
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
            id: it.id.to_string(),
            programme: it.programme,
            merchant: it.merchant,
            claim: it.claim.map(|claim| claim.to_string()),
            reason: it.reason,
            placed_at: it.placed_at,
            lifted_at: it.lifted_at,
            lift_reason: it.lift_reason,
        }
    }
}

/// What is kept out of payment, and why. At least one of programme, merchant and claim; all that are given have to match.
#[derive(Debug, WireBody)]
pub struct PlaceHold {
    pub jurisdiction: JurisdictionCode,
    pub programme: Option<ProgrammeId>,
    /// Credit code.
    pub merchant: Option<CreditCode>,
    pub claim: Option<ClaimId>,
    #[wire(Words(REASON), example = "涉嫌虚开发票，核查中")]
    pub reason: String,
}

/// Holds.
#[derive(Debug, Clone, WireQuery)]
pub struct HoldsQuery {
    pub jurisdiction: Option<JurisdictionCode>,
    /// `true`: those that were lifted, too.
    #[wire(default = YesNo::False)]
    pub lifted: YesNo,
    #[wire(flatten)]
    pub page: PageQuery,
}
