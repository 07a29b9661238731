//! The bank by itself: files on their way there, and reports that were fetched.

use api_macros::operation;

use chrono::{DateTime, Utc};
use claims::DisbursementId;
use serde::Serialize;
use service::operation::access::{ManageFunds, ReadFunds};
use service::payments::{Submission, SubmissionResolution};
use utoipa::ToSchema;
use wire_derive::{WireBody, WirePath};

use crate::http::answer::{Answer, Json, ok, paged};
use crate::http::authenticated::Authenticated;
use crate::http::extract::{Body, Path, PathId, Query};
use crate::http::field_limits::{PARTS, REASON};
use crate::http::queries::PageQuery;
use crate::http::state::ApiState;
use crate::http::views::PageView;
use crate::http::wire::{Whole, Words, request_words};

/// 报送银行情况 · List a disbursement's submissions
///
/// Its files on their way to the bank, where they go by themselves; none otherwise.
#[operation(
    get "/v1/disbursements/{id}/submissions",
    tag = Disbursements,
    answer = "A page of files."
)]
pub(crate) async fn list_submissions(
    api: ApiState,
    caller: Authenticated<ReadFunds>,
    id: PathId<DisbursementId>,
    page: Query<PageQuery>,
) -> Answer<Json<PageView<SubmissionView>>> {
    let Query(page) = page;
    let list = api
        .service
        .payments()
        .submissions(&caller.permit, id.0, page.cursor.as_deref(), page.limit)
        .await;
    ok(&PageView::of(paged(list)?, SubmissionView::from))
}

/// 处理未报送成功的文件 · Resolve a submission
///
/// Of a file that the bank refused: the same orders again under a new name. Or a person takes the file to the bank, also while it is queued,
/// unless the bank may have it.
#[operation(
    post "/v1/disbursements/{id}/submissions/{part}/resolution",
    tag = Disbursements,
    body = "What is done, and why.",
    answer = "As it stands."
)]
pub(crate) async fn resolve_submission(
    api: ApiState,
    caller: Authenticated<ManageFunds>,
    path: Path<SubmissionPath>,
    body: Body<ResolveSubmission>,
) -> Answer<Json<SubmissionView>> {
    let Path(SubmissionPath { id, part }) = path;
    let (permit, ResolveSubmission { resolution, reason }) = (caller.permit, body.value);
    let submission = api
        .write(|it| async move {
            it.payments()
                .resolve_submission(&permit, id, part, resolution, Some(reason))
                .await
        })
        .await?;
    ok(&SubmissionView::from(submission))
}

/// A file of a disbursement's instruction.
#[derive(Debug, WirePath)]
#[wire(what = "submission")]
pub(crate) struct SubmissionPath {
    #[wire(what = "disbursement")]
    id: DisbursementId,
    /// Which file, from 1.
    #[wire(Whole::new(1..=PARTS))]
    part: i32,
}

request_words! {
    /// What is done about a file: the same orders under a new name, or a person takes it to the bank.
    SubmissionResolution as "SubmissionResolutionWord" { SubmitAgain = "submit_again", ByHand = "by_hand" }
}

/// What is done about a file that the bank refused, or cannot have yet.
#[derive(Debug, WireBody)]
pub struct ResolveSubmission {
    pub resolution: SubmissionResolution,
    #[wire(Words(REASON), example = "银行已开通代发业务")]
    pub reason: String,
}

/// A file of the instruction on its way to the bank.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Submission)]
pub struct SubmissionView {
    /// Which file of the instruction, from 1.
    #[schema(minimum = 1, maximum = 999)]
    pub part: i32,
    /// Goes up when the same orders are submitted again under a new name.
    #[schema(minimum = 1)]
    pub version: i32,
    #[schema(max_length = 100)]
    pub name: String,
    /// `queued`; `taken` by the bank; `refused` by it, which waits for a person; `settled`: what became of a payment in it was known before;
    /// `by_hand`; `replaced` by the next version.
    #[schema(max_length = 10, example = "taken")]
    pub status: String,
    #[schema(minimum = 0)]
    pub attempts: i32,
    /// The bank may have it: it is submitted with the same key until the bank says, and nobody else may take it there.
    pub in_doubt: bool,
    /// What stood in the way last: `account_missing`, `unavailable`, `unknown` or `refused`.
    #[schema(max_length = 20)]
    pub problem: Option<String>,
    #[schema(max_length = 300)]
    pub why: Option<String>,
    pub queued_at: DateTime<Utc>,
    /// The last attempt.
    pub submitted_at: Option<DateTime<Utc>>,
    pub next_attempt_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    /// Of the bytes, hex.
    #[schema(max_length = 64)]
    pub sha256: Option<String>,
    /// What the bank calls it.
    #[schema(max_length = 100)]
    pub reference: Option<String>,
    /// The reason that a person gave.
    #[schema(max_length = 500)]
    pub resolution: Option<String>,
}

impl From<Submission> for SubmissionView {
    fn from(it: Submission) -> SubmissionView {
        SubmissionView {
            part: it.part,
            version: it.version,
            name: it.name,
            status: it.status,
            attempts: it.attempts,
            in_doubt: it.in_doubt,
            problem: it.problem,
            why: it.why,
            queued_at: it.queued_at,
            submitted_at: it.submitted_at,
            next_attempt_at: it.next_at,
            closed_at: it.closed_at,
            sha256: it.sha256,
            reference: it.reference,
            resolution: it.resolution,
        }
    }
}
