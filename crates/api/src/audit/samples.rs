//! Sampling for inspection, with a seed that was committed to beforehand.

use api_macros::operation;

use chrono::{DateTime, Utc};
use claims::SampleId;
use claims::identifiers::ProgrammeId;
use serde::Serialize;
use service::audit::{Draw, Sample, Sampling};
use service::operation::Key;
use service::operation::access::{DrawSamples, ReadLedger};
use utoipa::ToSchema;
use wire_derive::WireBody;

use crate::http::answer::{Answer, Created, Json, created, ok, paged};
use crate::http::authenticated::Authenticated;
use crate::http::extract::{Body, IdempotencyKey, Path, PathId, Query};
use crate::http::field_limits::SAMPLE;
use crate::http::queries::{LedgerPath, PageQuery};
use crate::http::state::ApiState;
use crate::http::views::PageView;
use crate::http::wire::{Pattern, Whole};

/// 抽查承诺 · Commit to a sample
///
/// Take 32 random bytes as a seed, keep them to yourself, and send their SHA-256. It becomes a leaf of the county's log, whose hash goes into
/// every score: neither side can choose what will be drawn.
#[operation(
    post "/v1/ledgers/{jurisdiction}/samples",
    tag = Ledgers,
    body = "What is sampled, and the commitment.",
    answer = "It stands in the log.",
    location = "Address of the sample."
)]
pub(crate) async fn commit_sample(
    api: ApiState,
    caller: Authenticated<DrawSamples>,
    path: Path<LedgerPath>,
    key: IdempotencyKey,
    body: Body<CommitSample>,
) -> Answer<Created<SampleView>> {
    let jurisdiction = path.0.jurisdiction;
    let key = Key {
        key: key.0,
        request: body.hash,
    };
    let permit = caller.permit;
    let CommitSample {
        programme,
        from,
        to,
        size,
        commitment,
    } = body.value;
    let asked = Sampling {
        programme: programme.map(|it| it.as_str().to_owned()),
        from,
        to,
        size,
        commitment,
    };
    let made = api
        .write(|it| async move { it.audit().commit_sample(&permit, jurisdiction, asked, key).await })
        .await?;
    let location = format!("/v1/samples/{}", made.value.id);
    created(&location, made.replayed, &SampleView::from(made.value))
}

/// 抽查列表 · List samples
///
/// Of the county, newest first: those that were committed to and not drawn, too.
#[operation(get "/v1/ledgers/{jurisdiction}/samples", tag = Ledgers, answer = "A page of samples.")]
pub(crate) async fn list_samples(
    api: ApiState,
    caller: Authenticated<ReadLedger>,
    path: Path<LedgerPath>,
    page: Query<PageQuery>,
) -> Answer<Json<PageView<SampleView>>> {
    let (jurisdiction, Query(page)) = (path.0.jurisdiction, page);
    let cursor = page.cursor.as_deref();
    let list = api
        .service
        .audit()
        .samples(&caller.permit, jurisdiction.as_str(), cursor, page.limit)
        .await;
    ok(&PageView::of(paged(list)?, SampleView::from))
}

/// 查询抽查 · Get a sample
///
/// With the claims that were drawn, in the order of their scores.
#[operation(get "/v1/samples/{id}", tag = Ledgers, answer = "The sample.")]
pub(crate) async fn get_sample(
    api: ApiState,
    caller: Authenticated<ReadLedger>,
    id: PathId<SampleId>,
) -> Answer<Json<SampleView>> {
    ok(&SampleView::from(
        api.service.audit().sample(&caller.permit, id.0).await?,
    ))
}

/// 抽取 · Draw a sample
///
/// Once its period is over, with the seed that was committed to. The claims with the smallest SHA-256 of seed, leaf hash and id are drawn; anyone
/// can do it again. Asked again, the answer is the same.
#[operation(
    post "/v1/samples/{id}/draw",
    tag = Ledgers,
    body = "The seed.",
    answer = "It is drawn."
)]
pub(crate) async fn draw_sample(
    api: ApiState,
    caller: Authenticated<DrawSamples>,
    id: PathId<SampleId>,
    body: Body<DrawSample>,
) -> Answer<Json<SampleView>> {
    let (permit, seed) = (caller.permit, body.value.seed);
    let drawn = api
        .write(|it| async move { it.audit().draw_sample(&permit, id.0, seed).await })
        .await?;
    ok(&SampleView::from(drawn))
}

/// What is sampled, and the commitment to a seed.
#[derive(Debug, WireBody)]
pub struct CommitSample {
    /// Of all programmes if it is left out.
    #[wire(example = "appliance-2026")]
    pub programme: Option<ProgrammeId>,
    /// Claims that were approved from this instant on.
    pub from: DateTime<Utc>,
    /// Before this one. It may be yet to come: the draw is made after it.
    pub to: DateTime<Utc>,
    /// How many claims are drawn at most.
    #[wire(Whole::new(1..=SAMPLE), example = 25)]
    pub size: u32,
    /// SHA-256 of the seed's 32 bytes.
    #[wire(DIGEST)]
    pub commitment: [u8; 32],
}

/// The seed, which is public from here on.
#[derive(Debug, WireBody)]
pub struct DrawSample {
    /// Its 32 bytes.
    #[wire(DIGEST)]
    pub seed: [u8; 32],
}

/// 32 bytes in lower-case hexadecimal.
const DIGEST: Pattern<[u8; 32]> = Pattern {
    longest: 64,
    pattern: "^[0-9a-f]{64}$",
    parse: |text| {
        let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        let bytes = hex::decode(text).ok().filter(|_| lower)?;
        bytes.try_into().ok()
    },
    zh: "须为 32 字节的小写十六进制（64 位）",
    en: "it is 32 bytes in lower-case hexadecimal, 64 digits",
};

/// A sample of approved claims (抽查).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Sample)]
pub struct SampleView {
    #[schema(pattern = "^smp_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub id: String,
    #[schema(max_length = 9, example = "140802")]
    pub jurisdiction: String,
    #[schema(max_length = 64, example = "appliance-2026")]
    pub programme: Option<String>,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    #[schema(minimum = 1, maximum = 1000)]
    pub size: u32,
    #[schema(pattern = "^[0-9a-f]{64}$", max_length = 64)]
    pub commitment: String,
    /// Place in the county's log of the event that has the commitment.
    #[schema(minimum = 0)]
    pub leaf: i64,
    /// The leaf's hash (base64), which every score is made with.
    #[schema(max_length = 44)]
    pub leaf_hash: String,
    /// Who committed to it.
    #[schema(max_length = 100)]
    pub committed_by: String,
    pub committed_at: DateTime<Utc>,
    /// None before it is drawn.
    pub draw: Option<SampleDraw>,
}

/// What was drawn.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SampleDraw {
    #[schema(pattern = "^[0-9a-f]{64}$", max_length = 64)]
    pub seed: String,
    /// How many claims it was drawn from.
    #[schema(minimum = 0)]
    pub population: i64,
    /// In the order of their scores; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 1000)]
    pub claims: Option<Vec<String>>,
    /// Place in the county's log of the event that has the draw.
    #[schema(minimum = 0)]
    pub leaf: i64,
    #[schema(max_length = 100)]
    pub drawn_by: String,
    pub drawn_at: DateTime<Utc>,
}

impl From<Draw> for SampleDraw {
    fn from(it: Draw) -> SampleDraw {
        SampleDraw {
            seed: it.seed,
            population: it.population,
            claims: it.claims,
            leaf: it.leaf,
            drawn_by: it.drawn_by,
            drawn_at: it.drawn_at,
        }
    }
}

impl From<Sample> for SampleView {
    fn from(it: Sample) -> SampleView {
        SampleView {
            id: it.id.to_string(),
            jurisdiction: it.jurisdiction.to_string(),
            programme: it.programme,
            from: it.from,
            to: it.to,
            size: it.size,
            commitment: it.commitment,
            leaf: it.leaf,
            leaf_hash: it.leaf_hash,
            committed_by: it.committed_by,
            committed_at: it.committed_at,
            draw: it.draw.map(SampleDraw::from),
        }
    }
}
