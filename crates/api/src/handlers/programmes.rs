//! Programmes: the rules in force, for anyone signed in.

use actix_web::get;
use claims::identifiers::ProgrammeId;
use service::access::ReadProgrammes;

use crate::http::answer::{Answer, ok};
use crate::http::authenticated::{Signed, roles};
use crate::http::extract::documented::ProgrammePath;
use crate::http::extract::{Part, PathText, Query};
use crate::http::queries::{NoParams, VersionParams, VersionQuery};
use crate::http::state::ApiState;
use crate::http::views::{PageView, ProgrammeDetail, ProgrammeView};

/// 补贴项目列表 · List programmes
///
/// The newest version of each. They are few and come in one page.
#[utoipa::path(
    tag = "programmes",
    responses((status = 200, description = "Every programme.", body = PageView<ProgrammeView>)),
    extensions(("x-roles" = json!(roles::<ReadProgrammes>()))),
)]
#[get("/v1/programmes")]
pub(crate) async fn list_programmes(
    api: ApiState,
    signed: Signed<ReadProgrammes>,
    _: Query<NoParams>,
) -> Answer {
    let programmes = api.service.programmes(&signed.permit);
    let items = programmes
        .iter()
        .map(|it| ProgrammeView::of(it, signed.lang))
        .collect();
    ok(&PageView {
        items,
        next_cursor: None,
    })
}

/// 查询补贴项目 · Get a programme
///
/// Rules with their clauses, tiers, quotas and categories, and the document itself.
#[utoipa::path(
    tag = "programmes",
    params(ProgrammePath, VersionParams),
    responses((status = 200, description = "One version, whole.", body = ProgrammeDetail)),
    extensions(("x-roles" = json!(roles::<ReadProgrammes>()))),
)]
#[get("/v1/programmes/{id}")]
pub(crate) async fn get_programme(
    api: ApiState,
    signed: Signed<ReadProgrammes>,
    path: PathText,
    query: Query<VersionQuery>,
) -> Answer {
    let id = path.parse(Part::Id, "programme", |text| ProgrammeId::parse(text).ok())?;
    let found = api
        .service
        .programme(&signed.permit, id.as_str(), query.0.version)?;
    ok(&ProgrammeDetail {
        versions: found.versions,
        programme: found.programme.summary(signed.lang),
        source: found.programme.source().to_owned(),
    })
}
