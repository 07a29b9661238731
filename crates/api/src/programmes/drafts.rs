//! Replays of recorded claims, and new versions of programmes in pairs.
//!
//! Both replay for minutes, so both answer in JSON lines as they go: `progress`, then claims if
//! they were asked for, then the last line. A body that ends without `report`, `draft` or `problem`
//! was cut off.

use actix_web::{HttpRequest, HttpResponse};
use api_macros::operation;
use bytes::Bytes;
use claims::DraftId;
use futures::future::BoxFuture;
use futures::{StreamExt, stream};
use policy::Lang;
use serde_json::{Value, json};
use service::operation::Key;
use service::operation::access::{ManageProgrammes, ReplayProgrammes};
use service::programmes::replay::Told;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::http::answer::{Answer, Json, REPLAYED, ok, paged};
use crate::http::authenticated::Authenticated;
use crate::http::bodies::Check;
use crate::http::contract::{Object, Text};
use crate::http::extract::{Body, IdempotencyKey, PathId, Query};
use crate::http::middleware::Context;
use crate::http::problem::Problem;
use crate::http::state::ApiState;
use crate::http::views::PageView;
use crate::programmes::draft_views::{DraftView, DraftsQuery, ProposeProgramme, Simulate};

/// 试算重放 · Replay a programme
///
/// A draft, or a version in force, over recorded claims: who would come out otherwise and why, yuan by county and category, the day
/// on which each limit would run out. Nothing is written. JSON lines: `{"progress": …}`, `{"claim": …}` for each that comes out
/// otherwise if `claims` is true, then `{"report": …, "digest": …}`, or `{"problem": …}`.
#[operation(
    post "/v1/programmes/simulate",
    tag = Programmes,
    body = "The document and the claims.",
    answer("Progress and the report, a line each.", "application/x-ndjson" = Text)
)]
pub(crate) async fn simulate_programme(
    api: ApiState,
    caller: Authenticated<ReplayProgrammes>,
    body: Body<Simulate>,
    request: HttpRequest,
) -> Answer {
    let asked = api
        .service
        .programmes()
        .ask_replay(&caller.permit, body.value)
        .await?;
    let (sender, receiver) = mpsc::channel(LINES);
    // Whoever goes away stops it.
    let task = api.aside(move |it| async move {
        let report = it.programmes().replay(&asked, &sender).await?;
        let text = report.text()?;
        let digest = format!("sha256:{}", hex::encode(Sha256::digest(&text)));
        Ok(format!("{{\"report\":{text},\"digest\":\"{digest}\"}}\n"))
    });
    Ok(lines(receiver, task, caller.lang, &request))
}

/// 拟定新版本 · Propose a programme
///
/// A new version, with a replay of recorded claims that is kept with it; another person activates it. JSON lines as of a replay, the
/// last one `{"draft": …}`, or `{"problem": …}`.
#[operation(
    post "/v1/programme-drafts",
    tag = Programmes,
    body = "The document and the claims to replay.",
    answer("Progress and the draft, a line each.", "application/x-ndjson" = Text)
)]
pub(crate) async fn propose_programme(
    api: ApiState,
    caller: Authenticated<ManageProgrammes>,
    key: IdempotencyKey,
    body: Body<ProposeProgramme>,
    request: HttpRequest,
) -> Answer {
    let (permit, lang) = (caller.permit, caller.lang);
    let key = Key {
        key: key.0,
        request: body.hash,
    };
    if let Some(first) = api.service.programmes().proposed_before(&permit, &key).await? {
        let line = drafted(&DraftView::from(first.value));
        return Ok(HttpResponse::Ok()
            .content_type(MEDIA_TYPE)
            .insert_header((REPLAYED, "true"))
            .body(line));
    }
    let proposal = api.service.programmes().ask_proposal(&permit, body.value).await?;
    let (sender, receiver) = mpsc::channel(LINES);
    // A write: it goes on whether the answer is read or not.
    let task = api.start(move |it| async move {
        let made = it
            .programmes()
            .propose_programme(&permit, proposal, key, &sender)
            .await?;
        Ok(drafted(&DraftView::from(made.value)))
    });
    Ok(lines(receiver, task, lang, &request))
}

/// 拟定版本列表 · List drafts of programmes
///
/// Newest first.
#[operation(get "/v1/programme-drafts", tag = Programmes, answer = "A page of drafts.")]
pub(crate) async fn list_drafts(
    api: ApiState,
    caller: Authenticated<ReplayProgrammes>,
    query: Query<DraftsQuery>,
) -> Answer<Json<PageView<DraftView>>> {
    let Query(DraftsQuery { programme, page }) = query;
    let programme = programme.as_ref().map(|it| it.as_str());
    let cursor = page.cursor.as_deref();
    let list = api
        .service
        .programmes()
        .drafts(&caller.permit, programme, cursor, page.limit)
        .await;
    ok(&PageView::of(paged(list)?, DraftView::from))
}

/// 查询拟定版本 · Get a draft of a programme
///
/// With its document, and the report in short.
#[operation(get "/v1/programme-drafts/{id}", tag = Programmes, answer = "The draft.")]
pub(crate) async fn get_draft(
    api: ApiState,
    caller: Authenticated<ReplayProgrammes>,
    id: PathId<DraftId>,
) -> Answer<Json<DraftView>> {
    ok(&DraftView::from(
        api.service.programmes().draft(&caller.permit, id.0).await?,
    ))
}

/// 重放报告 · Get a draft's report
///
/// What the replay of recorded claims said when the draft was proposed, byte for byte: `sha256sum` of the body is `report_digest`. It has the
/// money of every county, so it is for those of the whole city.
#[operation(
    get "/v1/programme-drafts/{id}/report",
    tag = Programmes,
    answer("The report.", "application/json" = Object)
)]
pub(crate) async fn get_draft_report(
    api: ApiState,
    caller: Authenticated<ReplayProgrammes>,
    id: PathId<DraftId>,
) -> Answer {
    let report = api
        .service
        .programmes()
        .draft_report(&caller.permit, id.0)
        .await?;
    Ok(HttpResponse::Ok().content_type("application/json").body(report))
}

/// 复核新版本 · Check a draft of a programme
///
/// By another person than the one who proposed it. Activated, the version is in force at once; on other instances of the service within ten seconds.
#[operation(
    post "/v1/programme-drafts/{id}/decision",
    tag = Programmes,
    body = "The verdict.",
    answer = "Activated or refused."
)]
pub(crate) async fn check_draft(
    api: ApiState,
    caller: Authenticated<ManageProgrammes>,
    id: PathId<DraftId>,
    body: Body<Check>,
) -> Answer<Json<DraftView>> {
    let (permit, Check { verdict, reason }) = (caller.permit, body.value);
    let checked = api
        .write(|it| async move { it.programmes().check_draft(&permit, id.0, verdict, reason).await })
        .await?;
    ok(&DraftView::from(checked))
}

const MEDIA_TYPE: &str = "application/x-ndjson";

/// Lines that wait for a slow reader.
const LINES: usize = 256;

fn drafted(draft: &DraftView) -> String {
    line(&json!({ "draft": draft }))
}

fn line(value: &Value) -> String {
    format!("{value}\n")
}

fn told(told: Told) -> String {
    match told {
        Told::Progress { claims, day } => line(&json!({ "progress": { "claims": claims, "day": day } })),
        Told::Claim(text) => format!("{{\"claim\":{text}}}\n"),
    }
}

/// What is told on the way as lines, then the last one. The status is on its way by then: what went wrong is a line too.
fn lines(
    receiver: mpsc::Receiver<Told>,
    last: BoxFuture<'static, Result<String, Problem>>,
    lang: Lang,
    request: &HttpRequest,
) -> HttpResponse {
    let request_id = Context::of(request).request_id;
    // The sender goes with the task: once nothing more is told, the task is at its end.
    let lines = stream::unfold(receiver, |mut receiver| async move {
        let one = receiver.recv().await?;
        Some((Bytes::from(told(one)), receiver))
    });
    let last = stream::once(async move {
        let line = last
            .await
            .unwrap_or_else(|problem| line(&json!({ "problem": problem.view(lang, &request_id) })));
        Bytes::from(line)
    });
    let body = lines.chain(last).map(Ok::<_, Problem>);
    HttpResponse::Ok().content_type(MEDIA_TYPE).streaming(body)
}
