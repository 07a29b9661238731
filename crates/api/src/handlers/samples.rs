//! Sampling for inspection, with a seed that was committed to beforehand.

use actix_web::{get, post};
use claims::SampleId;
use service::access::{DrawSamples, ReadLedger};
use service::once::Key;

use crate::http::answer::{Answer, created, ok, paged};
use crate::http::authenticated::{Signed, roles};
use crate::http::extract::documented::{IdempotencyHeader, JurisdictionPath, SamplePath};
use crate::http::extract::{Body, IdempotencyKey, PathId, PathText, Query};
use crate::http::queries::{PageParams, PageQuery};
use crate::http::state::ApiState;
use crate::http::views::PageView;
use crate::wire::samples::{CommitSample, CommitSampleRead, DrawSample, DrawSampleRead, SampleView};

/// 抽查承诺 · Commit to a sample
///
/// Take 32 random bytes as a seed, keep them to yourself, and send their SHA-256. It becomes a leaf of the county's log, whose hash goes into
/// every score: neither side can choose what will be drawn.
#[utoipa::path(
    tag = "ledgers",
    params(JurisdictionPath, IdempotencyHeader),
    request_body(content = CommitSample, description = "What is sampled, and the commitment."),
    responses((status = 201, description = "It stands in the log.", body = SampleView,
        headers(("Location" = String, description = "Address of the sample.")))),
    extensions(("x-roles" = json!(roles::<DrawSamples>()))),
)]
#[post("/v1/ledgers/{jurisdiction}/samples")]
pub(crate) async fn commit_sample(
    api: ApiState,
    signed: Signed<DrawSamples>,
    path: PathText,
    key: IdempotencyKey,
    body: Body<CommitSampleRead>,
) -> Answer {
    let jurisdiction = path.county()?;
    let key = Key {
        key: key.0,
        request: body.hash,
    };
    let (permit, asked) = (signed.permit, body.value.0);
    let made = api
        .write(|it| async move { it.commit_sample(&permit, jurisdiction, asked, key).await })
        .await?;
    let location = format!("/v1/samples/{}", made.value.id);
    created(&location, None, made.replayed, &SampleView::from(made.value))
}

/// 抽查列表 · List samples
///
/// Of the county, newest first: those that were committed to and not drawn, too.
#[utoipa::path(
    tag = "ledgers",
    params(JurisdictionPath, PageParams),
    responses((status = 200, description = "A page of samples.", body = PageView<SampleView>)),
    extensions(("x-roles" = json!(roles::<ReadLedger>()))),
)]
#[get("/v1/ledgers/{jurisdiction}/samples")]
pub(crate) async fn list_samples(
    api: ApiState,
    signed: Signed<ReadLedger>,
    path: PathText,
    page: Query<PageQuery>,
) -> Answer {
    let (jurisdiction, Query(page)) = (path.county()?, page);
    let cursor = page.cursor.as_deref();
    let list = api
        .service
        .samples(&signed.permit, jurisdiction.as_str(), cursor, page.limit)
        .await;
    ok(&PageView::of(paged(list)?, SampleView::from))
}

/// 查询抽查 · Get a sample
///
/// With the claims that were drawn, in the order of their scores.
#[utoipa::path(
    tag = "ledgers",
    params(SamplePath),
    responses((status = 200, description = "The sample.", body = SampleView)),
    extensions(("x-roles" = json!(roles::<ReadLedger>()))),
)]
#[get("/v1/samples/{id}")]
pub(crate) async fn get_sample(api: ApiState, signed: Signed<ReadLedger>, id: PathId<SampleId>) -> Answer {
    ok(&SampleView::from(api.service.sample(&signed.permit, id.0).await?))
}

/// 抽取 · Draw a sample
///
/// Once its period is over, with the seed that was committed to. The claims with the smallest SHA-256 of seed, leaf hash and id are drawn; anyone
/// can do it again. Asked again, the answer is the same.
#[utoipa::path(
    tag = "ledgers",
    params(SamplePath),
    request_body(content = DrawSample, description = "The seed."),
    responses((status = 200, description = "It is drawn.", body = SampleView)),
    extensions(("x-roles" = json!(roles::<DrawSamples>()))),
)]
#[post("/v1/samples/{id}/draw")]
pub(crate) async fn draw_sample(
    api: ApiState,
    signed: Signed<DrawSamples>,
    id: PathId<SampleId>,
    body: Body<DrawSampleRead>,
) -> Answer {
    let (permit, seed) = (signed.permit, body.value.seed);
    let drawn = api
        .write(|it| async move { it.draw_sample(&permit, id.0, seed).await })
        .await?;
    ok(&SampleView::from(drawn))
}
