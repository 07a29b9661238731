//! Programmes: the rules in force, for anyone signed in.
//!
//! [`drafts`] replays recorded claims over a new version and has it activated by a second person;
//! [`registers`] loads what the rules look up.

pub mod draft_views;
pub mod drafts;
pub mod registers;

use api_macros::operation;

use claims::identifiers::ProgrammeId;
use policy::Lang;
use serde::Serialize;
use service::operation::access::ReadProgrammes;
use utoipa::ToSchema;
use wire_derive::{WirePath, WireQuery};

use crate::http::answer::{Answer, Json, ok};
use crate::http::authenticated::Authenticated;
use crate::http::contract::{Operation, operations};
use crate::http::extract::{Path, Query};
use crate::http::field_limits::VERSIONS;
use crate::http::queries::NoParams;
use crate::http::state::ApiState;
use crate::http::views::PageView;
use crate::http::wire::Whole;

/// Every operation of the wing.
pub(crate) const OPERATIONS: &[Operation] = operations![
    list_programmes,
    drafts::simulate_programme,
    get_programme,
    drafts::propose_programme,
    drafts::list_drafts,
    drafts::get_draft,
    drafts::get_draft_report,
    drafts::check_draft,
    registers::load_register,
    registers::get_register_entry,
];

/// A programme.
#[derive(Debug, WirePath)]
#[wire(what = "programme")]
pub(crate) struct ProgrammePath {
    #[wire(example = "appliance-2026")]
    id: ProgrammeId,
}

/// 补贴项目列表 · List programmes
///
/// The newest version of each. They are few and come in one page.
#[operation(get "/v1/programmes", tag = Programmes, answer = "Every programme.")]
pub(crate) async fn list_programmes(
    api: ApiState,
    caller: Authenticated<ReadProgrammes>,
    _: Query<NoParams>,
) -> Answer<Json<PageView<ProgrammeView>>> {
    let programmes = api.service.catalogue().programmes(&caller.permit);
    let items = programmes
        .iter()
        .map(|it| ProgrammeView::of(it, caller.lang))
        .collect();
    ok(&PageView {
        items,
        next_cursor: None,
    })
}

/// 查询补贴项目 · Get a programme
///
/// Rules with their clauses, tiers, quotas and categories, and the document itself.
#[operation(get "/v1/programmes/{id}", tag = Programmes, answer = "One version, whole.")]
pub(crate) async fn get_programme(
    api: ApiState,
    caller: Authenticated<ReadProgrammes>,
    path: Path<ProgrammePath>,
    query: Query<VersionQuery>,
) -> Answer<Json<ProgrammeDetail>> {
    let found = api
        .service
        .catalogue()
        .programme(&caller.permit, path.0.id.as_str(), query.0.version)?;
    ok(&ProgrammeDetail {
        versions: found.versions,
        programme: found.programme.summary(caller.lang),
        source: found.programme.source().to_owned(),
    })
}

/// A programme in short.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ProgrammeSummary)]
pub struct ProgrammeView {
    #[schema(max_length = 64, example = "appliance-2026")]
    pub id: String,
    /// The newest version.
    #[schema(minimum = 1)]
    pub version: u32,
    /// Every version, oldest first.
    #[schema(max_items = 1000)]
    pub versions: Vec<u32>,
    /// In the caller's language.
    #[schema(max_length = 200)]
    pub title: String,
    /// SHA-256 of the document.
    #[schema(max_length = 64)]
    pub hash: String,
    /// First and last governing date.
    pub window: WindowView,
    pub filing_closes_on: chrono::NaiveDate,
}

impl ProgrammeView {
    pub fn of(version: &service::ProgrammeVersion, lang: Lang) -> ProgrammeView {
        let programme = &version.programme;
        let window = programme.window();
        ProgrammeView {
            id: programme.id().to_owned(),
            version: programme.version(),
            versions: version.versions.clone(),
            title: programme.title(lang).to_owned(),
            hash: programme.hash().to_owned(),
            window: WindowView {
                from: window.from,
                until: window.until,
            },
            filing_closes_on: programme.filing_closes_on(),
        }
    }
}

/// First and last day, both inside.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = Window)]
pub struct WindowView {
    pub from: chrono::NaiveDate,
    pub until: chrono::NaiveDate,
}

/// One version of a programme, whole.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProgrammeDetail {
    /// Every version, oldest first.
    #[schema(max_items = 1000)]
    pub versions: Vec<u32>,
    /// Rules with clauses, tiers, quotas, categories, instruments, in the caller's language.
    #[schema(value_type = Object)]
    pub programme: serde_json::Value,
    /// The document itself (TOML).
    #[schema(max_length = 1048576)]
    pub source: String,
}

/// A version of a programme.
#[derive(Debug, Clone, Copy, WireQuery)]
pub struct VersionQuery {
    /// The newest if it is left out.
    #[wire(Whole::new(1..=VERSIONS))]
    pub version: Option<u32>,
}
