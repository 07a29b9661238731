//! Replays, drafts of programmes, and the trail of who looked at personal data: what is asked and answered.

use chrono::{DateTime, NaiveDate, Utc};
use claims::identifiers::{JurisdictionCode, ProgrammeId};
use serde::{Deserialize, Serialize};
use service::programmes::replay::{Document, GivenCap, Question, Summary};
use service::programmes::{Draft, DraftDetail};
use utoipa::{IntoParams, ToSchema};

use crate::funds::caps::is_scope;
use crate::http::extract::{Params, Wire};
use crate::http::field_limits;
use crate::http::fields::{Fields, Slot};
use crate::http::money::Money;
use crate::http::queries::{PageQuery, day, page};
use crate::http::state::Limits;

/// What is replayed over which claims. Either a `document`, or a `version` of a `programme`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Simulate {
    /// The text of a programme's document (TOML).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 262144)]
    pub document: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[a-z0-9-]{1,64}$", max_length = 64, example = "appliance-2026")]
    pub programme: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000000)]
    pub version: Option<u32>,
    /// First day of arrival, Asia/Shanghai; from the first claim on if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date, max_length = 10, example = "2026-05-01")]
    pub from: Option<NaiveDate>,
    /// Last day of arrival, Asia/Shanghai.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date, max_length = 10, example = "2026-05-01")]
    pub to: Option<NaiveDate>,
    /// Counties, or a city for all of its counties; all that the caller may see if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1, max_items = 200)]
    pub counties: Option<Vec<PlaceCode>>,
    /// Ceilings in place of those that stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 100)]
    pub caps: Option<Vec<CapGiven>>,
    /// Whether each claim that comes out otherwise is listed, a line each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<bool>,
}

/// Code of a county or city.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(pattern = "^[1-9][0-9]{5}([0-9]{3})?$", max_length = 9, example = "140802")]
pub struct PlaceCode(pub String);

/// A ceiling to replay with.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CapGiven {
    #[schema(pattern = "^[1-9][0-9]{5}([0-9]{3})?$", max_length = 9, example = "140802")]
    pub jurisdiction: String,
    /// `fund` (all the money of a county's fund), `whole`, `category:<category>` or `month:<yyyy-mm>`.
    #[schema(
        pattern = "^(fund|whole|category:[a-z_]{1,40}|month:[0-9]{4}-(0[1-9]|1[0-2]))$",
        max_length = 49,
        example = "fund"
    )]
    pub scope: String,
    pub ceiling: Money,
}

/// A new version of a programme. A replay of recorded claims is kept with it; the days and counties are those of the replay.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposeProgramme {
    /// The text of the document (TOML).
    #[schema(min_length = 1, max_length = 262144)]
    pub document: String,
    /// First day of arrival, Asia/Shanghai; from the first claim on if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date, max_length = 10, example = "2026-05-01")]
    pub from: Option<NaiveDate>,
    /// Last day of arrival, Asia/Shanghai.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date, max_length = 10, example = "2026-05-01")]
    pub to: Option<NaiveDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1, max_items = 200)]
    pub counties: Option<Vec<PlaceCode>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 100)]
    pub caps: Option<Vec<CapGiven>>,
}

/// [`Simulate`], read.
#[derive(Debug)]
pub struct SimulateRead(pub Question);

/// [`ProposeProgramme`], read.
#[derive(Debug)]
pub struct ProposeRead(pub Question);

impl Wire for SimulateRead {
    fn limit(limits: &Limits) -> usize {
        limits.long_body
    }

    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let document = f.optional("document", document);
        let programme = f.optional("programme", |s| s.parse(ProgrammeId::parse));
        let version = f.optional("version", |s| s.whole(1, 1_000_000));
        let over = over(f);
        let list = f.optional("claims", |s| s.flag());
        let document = match (document?, programme?, version?) {
            (Some(source), None, None) => Document::Draft(source),
            (None, Some(programme), Some(version)) => Document::Version {
                programme: programme.as_str().to_owned(),
                version,
            },
            _ => {
                f.error(
                    "document",
                    "one-of",
                    "须给出 document，或给出 programme 和 version，二者择一",
                    "it is either `document`, or `programme` with `version`",
                );
                return None;
            }
        };
        Some(SimulateRead(Question {
            document,
            list: list?.unwrap_or(false),
            ..over?
        }))
    }
}

impl Wire for ProposeRead {
    fn limit(limits: &Limits) -> usize {
        limits.long_body
    }

    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let document = f.required("document", document);
        let over = over(f);
        Some(ProposeRead(Question {
            document: Document::Draft(document?),
            ..over?
        }))
    }
}

fn document(slot: &Slot<'_>) -> Option<String> {
    slot.text(field_limits::PROGRAMME).map(str::to_owned)
}

/// Over which claims, with which ceilings.
fn over(f: &mut Fields<'_>) -> Option<Question> {
    let (from, to) = (f.optional("from", day), f.optional("to", day));
    let county = |s: &Slot<'_>| {
        s.parse(JurisdictionCode::parse)
            .map(|code| code.as_str().to_owned())
    };
    let counties = f.optional("counties", |s| s.list(1, field_limits::COUNTIES, county));
    let caps = f.optional("caps", |s| s.list(0, field_limits::CAPS, |s| s.object(cap)));
    Some(Question {
        document: Document::Draft(String::new()),
        from: from?,
        to: to?,
        counties: counties?.unwrap_or_default(),
        caps: caps?.unwrap_or_default(),
        list: false,
    })
}

fn cap(f: &mut Fields<'_>) -> Option<GivenCap> {
    let jurisdiction = f.required("jurisdiction", |s| s.parse(JurisdictionCode::parse));
    let scope = f.required("scope", |s| {
        s.pattern(
            64,
            |text| text == "fund" || is_scope(text),
            "须为 fund、whole、category:<品类> 或 month:<yyyy-mm>",
            "it is fund, whole, category:<category> or month:<yyyy-mm>",
        )
    });
    let ceiling = f.required("ceiling", |s| s.money());
    Some(GivenCap {
        jurisdiction: jurisdiction?.as_str().to_owned(),
        scope: scope?,
        ceiling: ceiling?,
    })
}

/// A version of a programme that was proposed.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ProgrammeDraft)]
pub struct DraftView {
    #[schema(pattern = "^prd_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub id: String,
    #[schema(max_length = 64, example = "appliance-2026")]
    pub programme: String,
    #[schema(minimum = 1)]
    pub version: u32,
    /// SHA-256 of the document.
    #[schema(max_length = 64)]
    pub hash: String,
    pub effective_from: NaiveDate,
    /// `pending`, `activated` or `refused`.
    #[schema(max_length = 10, example = "pending")]
    pub status: String,
    /// Who proposed it.
    #[schema(max_length = 100)]
    pub maker: String,
    pub made_at: DateTime<Utc>,
    /// Who activated or refused it.
    #[schema(max_length = 100)]
    pub checker: Option<String>,
    pub checked_at: Option<DateTime<Utc>>,
    #[schema(max_length = 500)]
    pub reason: Option<String>,
    /// SHA-256 of the report, whose bytes are at `/report`.
    #[schema(pattern = "^sha256:[0-9a-f]{64}$", max_length = 71)]
    pub report_digest: String,
    pub summary: ReplaySummary,
    /// The document itself (TOML); absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 262144)]
    pub source: Option<String>,
}

/// A replay in short.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReplaySummary {
    #[schema(minimum = 0)]
    pub claims: u64,
    /// With another outcome; open ones left out.
    #[schema(minimum = 0)]
    pub flips: u64,
    /// With the same outcome and another subsidy.
    #[schema(minimum = 0)]
    pub repriced: u64,
    /// What they would be hangs on facts that nobody had asked for.
    #[schema(minimum = 0)]
    pub open: u64,
    pub granted: ReplayedMoney,
}

/// Yuan granted on both sides.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReplayedMoney {
    #[schema(max_length = 20, example = "600.00")]
    pub was: String,
    #[schema(max_length = 20, example = "400.00")]
    pub would_be: String,
    #[schema(max_length = 20, example = "-200.00")]
    pub difference: String,
}

impl From<Summary> for ReplaySummary {
    fn from(it: Summary) -> ReplaySummary {
        ReplaySummary {
            claims: it.claims,
            flips: it.flips,
            repriced: it.repriced,
            open: it.open,
            granted: ReplayedMoney {
                was: it.granted.was,
                would_be: it.granted.would_be,
                difference: it.granted.difference,
            },
        }
    }
}

impl From<Draft> for DraftView {
    fn from(it: Draft) -> DraftView {
        DraftView {
            id: it.id.to_string(),
            programme: it.programme,
            version: it.version,
            hash: it.hash,
            effective_from: it.effective_from,
            status: it.status.to_string(),
            maker: it.maker,
            made_at: it.made_at,
            checker: it.checker,
            checked_at: it.checked_at,
            reason: it.reason,
            report_digest: it.report_digest,
            summary: it.summary.into(),
            source: None,
        }
    }
}

impl From<DraftDetail> for DraftView {
    fn from(it: DraftDetail) -> DraftView {
        DraftView {
            source: Some(it.source),
            ..DraftView::from(it.draft)
        }
    }
}

/// Drafts of one programme, or of all.
#[derive(Debug, Clone)]
pub struct DraftsQuery {
    pub programme: Option<ProgrammeId>,
    pub page: PageQuery,
}

/// For the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DraftsParams {
    #[param(pattern = "^[a-z0-9-]{1,64}$", max_length = 64)]
    pub programme: Option<String>,
}

impl Params for DraftsQuery {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let programme = f.optional("programme", |s| s.parse(ProgrammeId::parse));
        let page = page(f);
        Some(DraftsQuery {
            programme: programme?,
            page: page?,
        })
    }
}
