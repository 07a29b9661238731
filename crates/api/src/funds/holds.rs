//! Holds: what keeps claims out of payment.

use api_macros::operation;

use chrono::{DateTime, Utc};
use claims::identifiers::{CreditCode, JurisdictionCode, ProgrammeId};
use claims::{ClaimId, HoldId};
use serde::{Deserialize, Serialize};
use service::funds::Hold;
use service::operation::Key;
use service::operation::access::{ManageFunds, ReadFunds};
use utoipa::{IntoParams, ToSchema};

use crate::http::answer::{Answer, Created, Json, created, ok, paged};
use crate::http::authenticated::Authenticated;
use crate::http::bodies::{ReasonGiven, reason};
use crate::http::extract::{Body, IdempotencyKey, Params, PathId, Query, Wire};
use crate::http::fields::Fields;
use crate::http::queries::{PageQuery, YesNo, page};
use crate::http::state::ApiState;
use crate::http::views::PageView;

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
    body: Body<PlaceHoldRead>,
) -> Answer<Created<HoldView>> {
    let key = Key {
        key: key.0,
        request: body.hash,
    };
    let PlaceHoldRead {
        jurisdiction,
        held,
        reason,
    } = body.value;
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
            lifted,
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
    pub held: service::funds::Held,
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
            held: service::funds::Held {
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

/// Holds.
#[derive(Debug, Clone)]
pub struct HoldsQuery {
    pub jurisdiction: Option<JurisdictionCode>,
    pub lifted: bool,
    pub page: PageQuery,
}

/// For the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HoldsParams {
    #[param(pattern = "^[1-9][0-9]{5}([0-9]{3})?$", max_length = 9, example = "140802")]
    pub jurisdiction: Option<String>,
    /// `true`: those that were lifted, too.
    #[param(inline)]
    pub lifted: Option<YesNo>,
}

impl Params for HoldsQuery {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let jurisdiction = f.optional("jurisdiction", |s| s.parse(JurisdictionCode::parse));
        let lifted = f.optional("lifted", YesNo::read);
        let page = page(f);
        Some(HoldsQuery {
            jurisdiction: jurisdiction?,
            lifted: lifted? == Some(YesNo::True),
            page: page?,
        })
    }
}
