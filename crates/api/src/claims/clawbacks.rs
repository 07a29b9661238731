//! Clawbacks (追缴): demanded once a claim, repaid in parts, netted against payments, waived in
//! pairs.

use api_macros::operation;

use chrono::{DateTime, Utc};
use claims::clawback::ClawbackReason;
use claims::{ClaimId, WaiverId};
use ledger::Fen;
use policy::Lang;
use serde::Serialize;
use service::claims::{ClawbackState, Demand, NewWaiver, Waiver};
use service::operation::Key;
use service::operation::access::{DemandClawback, ManageFunds, ReadClaims};
use utoipa::ToSchema;
use wire_derive::WireBody;

use crate::claims::stands;
use crate::claims::view::ClaimView;
use crate::http::answer::{Answer, Created, Json, Tagged, created, ok, tagged};
use crate::http::authenticated::Authenticated;
use crate::http::bodies::Check;
use crate::http::extract::{Body, IdempotencyKey, IfMatch, OptionalKey, PathId};
use crate::http::field_limits::{DOCUMENT, REASON};
use crate::http::money::Money;
use crate::http::state::ApiState;
use crate::http::wire::{Positive, Words, request_words};
use crate::http::words::ClawbackReasonWord;

/// 追缴决定 · Demand a subsidy back
///
/// Of a paid claim, whole or in part, once. It is netted against the merchant's next payments of the same fund, oldest first,
/// or repaid.
#[operation(
    post "/v1/claims/{id}/clawback-demand",
    tag = Claims,
    body = "Why, and how much; all of it if no amount is given.",
    answer = "Due back."
)]
pub(crate) async fn demand_clawback(
    api: ApiState,
    caller: Authenticated<DemandClawback>,
    id: PathId<ClaimId>,
    seen: IfMatch,
    key: OptionalKey,
    body: Body<DemandForm>,
) -> Answer<Tagged<ClaimView>> {
    let (permit, key, demand) = (caller.permit, key.of(body.hash), body.value);
    let moved = api
        .write(|it| async move {
            it.claims()
                .demand_clawback(&permit, id.0, seen.0, demand, key)
                .await
        })
        .await?;
    stands(&moved, caller.lang)
}

/// 追回入账 · Record a clawback
///
/// What is due back was repaid, all that is open or a part of it; the reason names the bank's document. A part that is
/// pending in a payment cannot be repaid until the bank has said what became of the payment.
#[operation(
    post "/v1/claims/{id}/clawback",
    tag = Claims,
    body = "The bank's document, and how much; all that is open if no amount is given.",
    answer = "Clawed back, or part of it."
)]
pub(crate) async fn claw_back_claim(
    api: ApiState,
    caller: Authenticated<ManageFunds>,
    id: PathId<ClaimId>,
    seen: IfMatch,
    body: Body<RepaymentForm>,
) -> Answer<Tagged<ClaimView>> {
    let (permit, RepaymentForm { document, amount }) = (caller.permit, body.value);
    let state = api
        .write(|it| async move {
            it.claims()
                .claw_back_part(&permit, id.0, seen.0, amount, Some(document))
                .await
        })
        .await?;
    let view = ClaimView::of(&state, caller.lang);
    tagged(&view.etag, &view)
}

/// 追缴情况 · Get a claim's clawback
///
/// What is due, why, and what of it is repaid, netted, pending, waived and open.
#[operation(get "/v1/claims/{id}/clawback", tag = Claims, answer = "The clawback as it stands.")]
pub(crate) async fn get_clawback(
    api: ApiState,
    caller: Authenticated<ReadClaims>,
    id: PathId<ClaimId>,
) -> Answer<Json<ClawbackView>> {
    let clawback = api.service.claims().clawback(&caller.permit, id.0).await?;
    ok(&ClawbackView::of(clawback, caller.lang))
}

/// 豁免追缴 · Propose a waiver
///
/// Of all that is open of a clawback, or a part. Pending until another person of treasury approves it.
#[operation(
    post "/v1/claims/{id}/clawback-waivers",
    tag = Claims,
    body = "The document that allows it, and why.",
    answer = "Proposed, pending."
)]
pub(crate) async fn waive_clawback(
    api: ApiState,
    caller: Authenticated<ManageFunds>,
    id: PathId<ClaimId>,
    key: IdempotencyKey,
    body: Body<WaiverForm>,
) -> Answer<Created<WaiverView>> {
    let location = format!("/v1/claims/{}/clawback", id.0);
    let key = Key {
        key: key.0,
        request: body.hash,
    };
    let (permit, new) = (caller.permit, body.value);
    let made = api
        .write(|it| async move { it.claims().waive_clawback(&permit, id.0, new, key).await })
        .await?;
    created(&location, made.replayed, &WaiverView::from(made.value))
}

/// 复核豁免 · Check a waiver
///
/// By another person than the one who proposed it. Approved, its sum is no longer due and stays paid.
#[operation(
    post "/v1/clawback-waivers/{id}/decision",
    tag = Claims,
    body = "The verdict.",
    answer = "Approved or refused."
)]
pub(crate) async fn check_waiver(
    api: ApiState,
    caller: Authenticated<ManageFunds>,
    id: PathId<WaiverId>,
    body: Body<Check>,
) -> Answer<Json<WaiverView>> {
    let (permit, Check { verdict, reason }) = (caller.permit, body.value);
    let checked = api
        .write(|it| async move { it.claims().check_waiver(&permit, id.0, verdict, reason).await })
        .await?;
    ok(&WaiverView::from(checked))
}

request_words! {
    /// Why a subsidy is demanded back: 退货, 发票红冲, 骗补, 报废未闭环.
    ClawbackReason as "DemandReason";
}

/// What of a paid subsidy is due back.
#[derive(Debug, WireBody)]
#[wire(name = "ClawbackDemand", into = Demand)]
pub struct DemandForm {
    pub reason: ClawbackReason,
    /// At most what was paid; all of it if it is left out.
    #[wire(Positive)]
    pub amount: Option<Fen>,
    /// Number of the document that found it.
    #[wire(Words(DOCUMENT), example = "运商追〔2026〕3号")]
    pub document: Option<String>,
}

/// What was repaid.
#[derive(Debug, WireBody)]
#[wire(name = "ClawbackRepayment")]
pub struct RepaymentForm {
    /// The bank's document.
    #[wire(name = "reason", Words(REASON), example = "回单20260615-0007")]
    pub document: String,
    /// At most what is open; all of that if it is left out.
    #[wire(Positive)]
    pub amount: Option<Fen>,
}

/// What is to be waived.
#[derive(Debug, WireBody)]
#[wire(name = "NewClawbackWaiver", into = NewWaiver)]
pub struct WaiverForm {
    /// At most what is open; all of that if it is left out.
    #[wire(Positive)]
    pub amount: Option<Fen>,
    /// Number of the document that allows it.
    #[wire(Words(DOCUMENT), example = "运财〔2026〕18号")]
    pub document: String,
    #[wire(Words(REASON), example = "企业已注销，无可执行财产")]
    pub reason: String,
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
            id: it.id.to_string(),
            claim: it.claim.to_string(),
            amount: it.amount.into(),
            document: it.document,
            reason: it.reason,
            status: it.status.to_string(),
            made_at: it.made_at,
            checked_at: it.checked_at,
            refusal: it.refusal,
        }
    }
}
