//! Funds: what they hold, what is given to them, and their caps. Money and caps change in pairs: one person enters, another
//! confirms.

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, post, put};
use claims::identifiers::ProgrammeId;
use claims::{AppropriationId, CapChangeId, JurisdictionCode};
use service::access::{ManageFunds, ReadFunds};
use service::funds::{NewAppropriation, Source};
use service::once::Key;
use sha2::{Digest, Sha256};

use crate::http::answer::{Answer, created, ok, paged};
use crate::http::authenticated::{Signed, roles};
use crate::http::bodies::{Appropriate, AppropriateRead, Check, FundSource, ProposeCaps, ProposeCapsRead};
use crate::http::extract::documented::{AppropriationPath, CapChangePath, FundPath, IdempotencyHeader};
use crate::http::extract::{Body, IdempotencyKey, Part, PathId, PathText, Query};
use crate::http::middleware::Context;
use crate::http::problem::Problem;
use crate::http::queries::{JurisdictionParams, JurisdictionQuery, PageParams, PageQuery};
use crate::http::state::ApiState;
use crate::http::views::PageView;
use crate::wire::finance::{AppropriationView, CapChangeView, FundView, PublicFundView, PublicFunds};
use crate::wire::sources::{FundSources, SourceBalanceView};

impl From<FundSource> for Source {
    fn from(source: FundSource) -> Source {
        match source {
            FundSource::Central => Source::Central,
            FundSource::Province => Source::Province,
            FundSource::City => Source::City,
            FundSource::County => Source::County,
        }
    }
}

/// The fund that a path names.
fn fund(path: &PathText) -> Result<(String, String), Problem> {
    let programme = path.parse(Part::Programme, "fund", |text| ProgrammeId::parse(text).ok())?;
    let jurisdiction = path.parse(Part::Jurisdiction, "fund", |text| {
        JurisdictionCode::parse(text).ok()
    })?;
    Ok((programme.as_str().to_owned(), jurisdiction.as_str().to_owned()))
}

/// 资金列表 · List funds
///
/// Each with its accounts, its waitlist and its caps.
#[utoipa::path(
    tag = "funds",
    params(JurisdictionParams, PageParams),
    responses((status = 200, description = "A page of funds.", body = PageView<FundView>)),
    extensions(("x-roles" = json!(roles::<ReadFunds>()))),
)]
#[get("/v1/funds")]
pub(crate) async fn list_funds(
    api: ApiState,
    signed: Signed<ReadFunds>,
    query: Query<JurisdictionQuery>,
) -> Answer {
    let Query(JurisdictionQuery { jurisdiction, page }) = query;
    let jurisdiction = jurisdiction.map(|it| it.as_str().to_owned());
    let funds = api
        .service
        .funds(&signed.permit, jurisdiction, page.cursor.as_deref(), page.limit)
        .await;
    ok(&PageView::of(paged(funds)?, FundView::from))
}

/// 拨入资金 · Appropriate money
///
/// Pending until another person of treasury approves it.
#[utoipa::path(
    tag = "funds",
    params(FundPath, IdempotencyHeader),
    request_body(content = Appropriate, description = "The money and the document that gives it."),
    responses((status = 201, description = "Entered, pending.", body = AppropriationView,
        headers(("Location" = String, description = "Where to find it.")))),
    extensions(("x-roles" = json!(roles::<ManageFunds>()))),
)]
#[post("/v1/funds/{programme}/{jurisdiction}/appropriations")]
pub(crate) async fn appropriate(
    api: ApiState,
    signed: Signed<ManageFunds>,
    path: PathText,
    key: IdempotencyKey,
    body: Body<AppropriateRead>,
) -> Answer {
    let (programme, jurisdiction) = fund(&path)?;
    let location = format!("/v1/funds/{programme}/{jurisdiction}/appropriations");
    let AppropriateRead {
        source,
        amount,
        document,
    } = body.value;
    let new = NewAppropriation {
        programme,
        jurisdiction,
        source: source.into(),
        amount,
        document,
    };
    let (permit, key) = (
        signed.permit,
        Key {
            key: key.0,
            request: body.hash,
        },
    );
    let made = api
        .write(|it| async move { it.appropriate(&permit, new, key).await })
        .await?;
    created(
        &location,
        None,
        made.replayed,
        &AppropriationView::from(made.value),
    )
}

/// 拨款列表 · List appropriations
///
/// Newest first.
#[utoipa::path(
    tag = "funds",
    params(FundPath, PageParams),
    responses((status = 200, description = "A page of appropriations.", body = PageView<AppropriationView>)),
    extensions(("x-roles" = json!(roles::<ReadFunds>()))),
)]
#[get("/v1/funds/{programme}/{jurisdiction}/appropriations")]
pub(crate) async fn list_appropriations(
    api: ApiState,
    signed: Signed<ReadFunds>,
    path: PathText,
    page: Query<PageQuery>,
) -> Answer {
    let ((programme, jurisdiction), Query(page)) = (fund(&path)?, page);
    let cursor = page.cursor.as_deref();
    let list = api
        .service
        .appropriations(&signed.permit, &programme, &jurisdiction, cursor, page.limit)
        .await;
    ok(&PageView::of(paged(list)?, AppropriationView::from))
}

/// 资金来源 · See what each source gave
///
/// Central, province, city and county, each with what is in payment, spent, lapsed and left.
#[utoipa::path(
    tag = "funds",
    params(FundPath),
    responses((status = 200, description = "The four sources.", body = FundSources)),
    extensions(("x-roles" = json!(roles::<ReadFunds>()))),
)]
#[get("/v1/funds/{programme}/{jurisdiction}/sources")]
pub(crate) async fn list_sources(api: ApiState, signed: Signed<ReadFunds>, path: PathText) -> Answer {
    let (programme, jurisdiction) = fund(&path)?;
    let sources = api
        .service
        .fund_sources(&signed.permit, &programme, &jurisdiction)
        .await?;
    ok(&FundSources {
        items: sources.into_iter().map(SourceBalanceView::from).collect(),
    })
}

/// 复核拨款 · Check an appropriation
///
/// By another person than the one who entered it.
#[utoipa::path(
    tag = "funds",
    params(AppropriationPath),
    request_body(content = Check, description = "The verdict."),
    responses((status = 200, description = "Approved or refused.", body = AppropriationView)),
    extensions(("x-roles" = json!(roles::<ManageFunds>()))),
)]
#[post("/v1/appropriations/{id}/decision")]
pub(crate) async fn check_appropriation(
    api: ApiState,
    signed: Signed<ManageFunds>,
    id: PathId<AppropriationId>,
    body: Body<Check>,
) -> Answer {
    let (permit, Check { verdict, reason }) = (signed.permit, body.value);
    let checked = api
        .write(|it| async move {
            it.check_appropriation(&permit, id.0, verdict.into(), reason)
                .await
        })
        .await?;
    ok(&AppropriationView::from(checked))
}

/// 设定上限 · Propose caps
///
/// All caps of a fund, replaced. Pending until another person of treasury approves it; never below what is committed.
#[utoipa::path(
    tag = "funds",
    params(FundPath),
    request_body(content = ProposeCaps, description = "The caps and the document that sets them."),
    responses((status = 200, description = "Proposed, pending.", body = CapChangeView)),
    extensions(("x-roles" = json!(roles::<ManageFunds>()))),
)]
#[put("/v1/funds/{programme}/{jurisdiction}/caps")]
pub(crate) async fn propose_caps(
    api: ApiState,
    signed: Signed<ManageFunds>,
    path: PathText,
    body: Body<ProposeCapsRead>,
) -> Answer {
    let (permit, (programme, jurisdiction)) = (signed.permit, fund(&path)?);
    let ProposeCapsRead { caps, document } = body.value;
    let proposed = api
        .write(|it| async move {
            it.propose_caps(&permit, &programme, &jurisdiction, caps, &document)
                .await
        })
        .await?;
    ok(&CapChangeView::from(proposed))
}

/// 上限变更列表 · List cap changes
///
/// Newest first.
#[utoipa::path(
    tag = "funds",
    params(FundPath, PageParams),
    responses((status = 200, description = "A page of cap changes.", body = PageView<CapChangeView>)),
    extensions(("x-roles" = json!(roles::<ReadFunds>()))),
)]
#[get("/v1/funds/{programme}/{jurisdiction}/cap-changes")]
pub(crate) async fn list_cap_changes(
    api: ApiState,
    signed: Signed<ReadFunds>,
    path: PathText,
    page: Query<PageQuery>,
) -> Answer {
    let ((programme, jurisdiction), Query(page)) = (fund(&path)?, page);
    let cursor = page.cursor.as_deref();
    let list = api
        .service
        .cap_changes(&signed.permit, &programme, &jurisdiction, cursor, page.limit)
        .await;
    ok(&PageView::of(paged(list)?, CapChangeView::from))
}

/// 复核上限 · Check caps
///
/// By another person than the one who proposed them.
#[utoipa::path(
    tag = "funds",
    params(CapChangePath),
    request_body(content = Check, description = "The verdict."),
    responses((status = 200, description = "Approved or refused.", body = CapChangeView)),
    extensions(("x-roles" = json!(roles::<ManageFunds>()))),
)]
#[post("/v1/cap-changes/{id}/decision")]
pub(crate) async fn check_caps(
    api: ApiState,
    signed: Signed<ManageFunds>,
    id: PathId<CapChangeId>,
    body: Body<Check>,
) -> Answer {
    let (permit, Check { verdict, reason }) = (signed.permit, body.value);
    let checked = api
        .write(|it| async move { it.check_caps(&permit, id.0, verdict.into(), reason).await })
        .await?;
    ok(&CapChangeView::from(checked))
}

/// 资金公示 · See what each fund has left
///
/// For anybody. Cacheable for half a minute.
#[utoipa::path(
    tag = "public",
    responses(
        (status = 200, description = "Every county's funds.", body = PublicFunds,
            headers(("ETag" = String, description = "Changes when a fund does."))),
        (status = 304, description = "Nothing changed since the ETag in If-None-Match."),
    ),
    security(()),
)]
#[get("/v1/public/funds")]
pub(crate) async fn list_public_funds(api: ApiState, request: HttpRequest) -> Answer {
    let lang = Context::of(&request).lang;
    let funds = api.service.public_funds().await?;
    let items: Vec<_> = funds
        .into_iter()
        .map(|fund| PublicFundView::of(fund, lang))
        .collect();
    let text = serde_json::to_vec(&items).map_err(|error| Problem::Internal(error.to_string()))?;
    let etag = format!("\"{}\"", hex::encode(Sha256::digest(&text)));
    let known = request
        .headers()
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    let unchanged = known.is_some_and(|known| known.split(',').any(|tag| tag.trim() == etag));
    let mut answer = if unchanged {
        HttpResponse::NotModified().finish()
    } else {
        ok(&PublicFunds {
            as_of: api.service.clock().now(),
            items,
        })?
    };
    let headers = answer.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=30"),
    );
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    Ok(answer)
}
