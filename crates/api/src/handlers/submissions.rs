//! The bank by itself: files on their way there, and reports that were fetched.

use actix_web::{get, post};
use claims::DisbursementId;
use service::access::{ManageFunds, ReadFunds};

use crate::http::answer::{Answer, ok, paged};
use crate::http::authenticated::{Signed, roles};
use crate::http::extract::documented::{DisbursementPath, SubmissionPath};
use crate::http::extract::{Body, Part, PathId, PathText, Query};
use crate::http::queries::{PageParams, PageQuery};
use crate::http::state::ApiState;
use crate::http::views::PageView;
use crate::wire::submissions::{
    HeardReportView, ReportsParams, ReportsQuery, ResolveSubmission, SubmissionView,
};

/// 报送银行情况 · List a disbursement's submissions
///
/// Its files on their way to the bank, where they go by themselves; none otherwise.
#[utoipa::path(
    tag = "disbursements",
    params(DisbursementPath, PageParams),
    responses((status = 200, description = "A page of files.", body = PageView<SubmissionView>)),
    extensions(("x-roles" = json!(roles::<ReadFunds>()))),
)]
#[get("/v1/disbursements/{id}/submissions")]
pub(crate) async fn list_submissions(
    api: ApiState,
    signed: Signed<ReadFunds>,
    id: PathId<DisbursementId>,
    page: Query<PageQuery>,
) -> Answer {
    let Query(page) = page;
    let list = api
        .service
        .submissions(&signed.permit, id.0, page.cursor.as_deref(), page.limit)
        .await;
    ok(&PageView::of(paged(list)?, SubmissionView::from))
}

/// 处理未报送成功的文件 · Resolve a submission
///
/// Of a file that the bank refused: the same orders again under a new name. Or a person takes the file to the bank, also while it is queued,
/// unless the bank may have it.
#[utoipa::path(
    tag = "disbursements",
    params(SubmissionPath),
    request_body(content = ResolveSubmission, description = "What is done, and why."),
    responses((status = 200, description = "As it stands.", body = SubmissionView)),
    extensions(("x-roles" = json!(roles::<ManageFunds>()))),
)]
#[post("/v1/disbursements/{id}/submissions/{part}/resolution")]
pub(crate) async fn resolve_submission(
    api: ApiState,
    signed: Signed<ManageFunds>,
    id: PathId<DisbursementId>,
    path: PathText,
    body: Body<ResolveSubmission>,
) -> Answer {
    let part = path.parse(Part::Part, "submission", |text| {
        text.parse().ok().filter(|part| (1..=999).contains(part))
    })?;
    let (permit, ResolveSubmission { resolution, reason }) = (signed.permit, body.value);
    let submission = api
        .write(|it| async move {
            it.resolve_submission(&permit, id.0, part, resolution.into(), Some(reason))
                .await
        })
        .await?;
    ok(&SubmissionView::from(submission))
}

/// 自动接收的银行回单 · List reports fetched from the bank
///
/// Newest first. One that could not be read was set aside; put it right and bring it in by `POST /v1/bank-reports`.
#[utoipa::path(
    tag = "payments",
    params(ReportsParams, PageParams),
    responses((status = 200, description = "A page of reports.", body = PageView<HeardReportView>)),
    extensions(("x-roles" = json!(roles::<ReadFunds>()))),
)]
#[get("/v1/bank-reports")]
pub(crate) async fn list_bank_reports(
    api: ApiState,
    signed: Signed<ReadFunds>,
    query: Query<ReportsQuery>,
) -> Answer {
    let Query(ReportsQuery { unreadable, page }) = query;
    let list = api
        .service
        .heard_reports(&signed.permit, unreadable, page.cursor.as_deref(), page.limit)
        .await;
    ok(&PageView::of(paged(list)?, HeardReportView::from))
}
