//! Advances to merchants (预拨): made by one person, released by another, set against claims, repaid.

use api_macros::operation;

use crate::http::answer::{Answer, Created, Json, created, ok, paged};
use crate::http::authenticated::Authenticated;
use crate::http::extract::{Body, IdempotencyKey, PathId, Query};
use crate::http::field_limits::{DOCUMENT, REASON};
use crate::http::money::Money;
use crate::http::queries::PageQuery;
use crate::http::state::ApiState;
use crate::http::views::PageView;
use crate::http::wire::{Positive, Words};
use chrono::{DateTime, Utc};
use claims::AdvanceId;
use claims::identifiers::{CreditCode, JurisdictionCode, ProgrammeId};
use ledger::Fen;
use serde::Serialize;
use service::operation::Key;
use service::operation::access::{ManageFunds, ReadFunds};
use service::payments::{Advance, NewAdvance, Repayment};
use utoipa::ToSchema;
use wire_derive::{WireBody, WireQuery};

/// 预拨 · Make an advance
///
/// Ahead of a merchant's claims, with the disbursement that pays it. Another person releases that; what the bank says of its payment
/// says whether the merchant has it. From then on claims are set against it, oldest advance first, and the rest is paid.
#[operation(
    post "/v1/advances",
    tag = Payments,
    body = "To whom, how much, and the document that allows it.",
    answer = "Made; its disbursement waits to be released."
)]
pub(crate) async fn make_advance(
    api: ApiState,
    caller: Authenticated<ManageFunds>,
    key: IdempotencyKey,
    body: Body<AdvanceForm>,
) -> Answer<Created<AdvanceView>> {
    let key = Key {
        key: key.0,
        request: body.hash,
    };
    let (permit, form) = (caller.permit, body.value);
    let new = NewAdvance {
        jurisdiction: form.jurisdiction.as_str().to_owned(),
        programme: form.programme.as_str().to_owned(),
        merchant: form.merchant.as_str().to_owned(),
        amount: form.amount,
        document: form.document,
    };
    let made = api
        .write(|it| async move { it.payments().make_advance(&permit, new, key).await })
        .await?;
    let location = format!("/v1/advances/{}", made.value.id);
    created(&location, made.replayed, &AdvanceView::from(made.value))
}

/// 预拨列表 · List advances
///
/// Newest first.
#[operation(get "/v1/advances", tag = Payments, answer = "A page of advances.")]
pub(crate) async fn list_advances(
    api: ApiState,
    caller: Authenticated<ReadFunds>,
    query: Query<AdvancesQuery>,
) -> Answer<Json<PageView<AdvanceView>>> {
    let Query(AdvancesQuery {
        jurisdiction,
        merchant,
        page,
    }) = query;
    let list = api
        .service
        .payments()
        .advances(
            &caller.permit,
            jurisdiction.map(|it| it.as_str().to_owned()),
            merchant.as_ref().map(|it| it.as_str()),
            page.cursor.as_deref(),
            page.limit,
        )
        .await;
    ok(&PageView::of(paged(list)?, AdvanceView::from))
}

/// 预拨详情 · Get an advance
#[operation(get "/v1/advances/{id}", tag = Payments, answer = "The advance as it stands.")]
pub(crate) async fn get_advance(
    api: ApiState,
    caller: Authenticated<ReadFunds>,
    id: PathId<AdvanceId>,
) -> Answer<Json<AdvanceView>> {
    let advance = api.service.payments().advance(&caller.permit, id.0).await?;
    ok(&AdvanceView::from(advance))
}

/// 归还预拨 · Record a repayment of an advance
///
/// All that is open of it, or a part; the reason names the bank's document. What is pending in a payment cannot be repaid until the
/// bank has said what became of the payment.
#[operation(
    post "/v1/advances/{id}/repayments",
    tag = Payments,
    body = "The bank's document, and how much; all that is open if no amount is given.",
    answer = "Recorded.",
    location = "Where to find the advance."
)]
pub(crate) async fn repay_advance(
    api: ApiState,
    caller: Authenticated<ManageFunds>,
    id: PathId<AdvanceId>,
    key: IdempotencyKey,
    body: Body<AdvanceRepaymentForm>,
) -> Answer<Created<AdvanceView>> {
    let key = Key {
        key: key.0,
        request: body.hash,
    };
    let location = format!("/v1/advances/{}", id.0);
    let (permit, repayment) = (caller.permit, body.value);
    let repaid = api
        .write(|it| async move { it.payments().repay_advance(&permit, id.0, repayment, key).await })
        .await?;
    created(&location, repaid.replayed, &AdvanceView::from(repaid.value))
}

/// What is to be advanced to a merchant.
#[derive(Debug, WireBody)]
#[wire(name = "NewAdvance")]
pub struct AdvanceForm {
    pub jurisdiction: JurisdictionCode,
    #[wire(example = "appliance-2026")]
    pub programme: ProgrammeId,
    /// Credit code.
    #[wire(example = "91140802MA2NH6NA3Q")]
    pub merchant: CreditCode,
    /// At most what the fund has available.
    #[wire(Positive)]
    pub amount: Fen,
    /// Number of the document that allows it.
    #[wire(Words(DOCUMENT), example = "运商预〔2026〕5号")]
    pub document: String,
}

/// What a merchant gives back of an advance.
#[derive(Debug, WireBody)]
#[wire(name = "AdvanceRepayment", into = Repayment)]
pub struct AdvanceRepaymentForm {
    /// The bank's document.
    #[wire(name = "reason", Words(REASON), example = "回单20261220-0011")]
    pub document: String,
    /// At most what is open; all of that if it is left out.
    #[wire(Positive)]
    pub amount: Option<Fen>,
}

/// Which advances.
#[derive(Debug, Clone, WireQuery)]
pub struct AdvancesQuery {
    pub jurisdiction: Option<JurisdictionCode>,
    /// Credit code.
    pub merchant: Option<CreditCode>,
    #[wire(flatten)]
    pub page: PageQuery,
}

/// An advance (预拨). Once it is paid, `amount` = `set_off` + `repaid` + `pending` + `open`, to the fen.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Advance)]
pub struct AdvanceView {
    #[schema(pattern = "^adv_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub id: String,
    #[schema(max_length = 9)]
    pub jurisdiction: String,
    #[schema(max_length = 64)]
    pub programme: String,
    #[schema(max_length = 18)]
    pub merchant: String,
    /// The disbursement that pays it. Another person than its maker releases that.
    #[schema(max_length = 46)]
    pub disbursement: String,
    #[schema(max_length = 46)]
    pub payment: String,
    /// `made`, `paid` (claims are set against it), `used` (to the end), `failed`, `returned` or `cancelled`.
    #[schema(max_length = 10, example = "paid")]
    pub status: String,
    #[schema(value_type = Money)]
    pub amount: String,
    /// Set against claims that were paid (抵扣).
    #[schema(value_type = Money)]
    pub set_off: String,
    /// Given back by the merchant.
    #[schema(value_type = Money)]
    pub repaid: String,
    /// Set against payments whose outcome is not known.
    #[schema(value_type = Money)]
    pub pending: String,
    #[schema(value_type = Money)]
    pub open: String,
    #[schema(max_length = 100)]
    pub document: String,
    pub made_at: DateTime<Utc>,
    pub paid_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
}

impl From<Advance> for AdvanceView {
    fn from(it: Advance) -> AdvanceView {
        AdvanceView {
            id: it.id,
            jurisdiction: it.jurisdiction,
            programme: it.programme,
            merchant: it.merchant,
            disbursement: it.disbursement,
            payment: it.payment,
            status: it.status,
            amount: it.amount,
            set_off: it.set_off,
            repaid: it.repaid,
            pending: it.pending,
            open: it.open,
            document: it.document,
            made_at: it.made_at,
            paid_at: it.paid_at,
            closed_at: it.closed_at,
        }
    }
}
