//! Replays, drafts of programmes, and the trail of who looked at personal data: what is asked and
//! answered.

use chrono::{DateTime, NaiveDate, Utc};
use claims::identifiers::{JurisdictionCode, ProgrammeId};
use ledger::Fen;
use serde::Serialize;
use service::programmes::replay::{Document, GivenCap, Question, Summary};
use service::programmes::{Draft, DraftDetail};
use utoipa::ToSchema;
use wire_derive::{WireBody, WireQuery};

use crate::funds::caps::is_scope;
use crate::http::field_limits::{CAPS, COUNTIES, PROGRAMME, VERSIONS};
use crate::http::fields::{Fields, Slot};
use crate::http::queries::PageQuery;
use crate::http::wire::{AnySchema, Day, Field, Pattern, Text, Whole, described, form};

/// What is replayed over which claims. Either a `document`, or a `version` of a `programme`.
#[derive(Debug, WireBody)]
#[wire(long, refine = Question)]
pub struct Simulate {
    #[wire(flatten = ReplayedDocument)]
    pub document: Document,
    #[wire(flatten)]
    pub over: ReplayedClaims,
    /// Whether each claim that comes out otherwise is listed, a line each.
    #[wire(default)]
    pub claims: bool,
}

/// A document that is not in force, or one that is or was.
#[derive(Debug, WireBody)]
#[wire(refine = Document)]
pub struct ReplayedDocument {
    /// The text of a programme's document (TOML).
    #[wire(Text(1..=PROGRAMME))]
    pub document: Option<String>,
    #[wire(example = "appliance-2026")]
    pub programme: Option<ProgrammeId>,
    #[wire(Whole::new(1..=VERSIONS))]
    pub version: Option<u32>,
}

impl ReplayedDocument {
    fn refine(self, f: &Fields<'_>) -> Option<Document> {
        match (self.document, self.programme, self.version) {
            (Some(source), None, None) => Some(Document::Draft(source)),
            (None, Some(programme), Some(version)) => Some(Document::Version {
                programme: programme.as_str().to_owned(),
                version,
            }),
            _ => {
                f.error(
                    "document",
                    "one-of",
                    "须给出 document，或给出 programme 和 version，二者择一",
                    "it is either `document`, or `programme` with `version`",
                );
                None
            }
        }
    }
}

/// Over which claims, with which ceilings.
#[derive(Debug, WireBody)]
pub struct ReplayedClaims {
    /// First day of arrival, Asia/Shanghai; from the first claim on if it is left out.
    #[wire(Day, example = "2026-05-01")]
    pub from: Option<NaiveDate>,
    /// Last day of arrival, Asia/Shanghai.
    #[wire(Day, example = "2026-05-01")]
    pub to: Option<NaiveDate>,
    /// Counties, or a city for all of its counties; all that the caller may see if it is left out.
    #[wire(items = 1..=COUNTIES, form::<PlaceCode>(), default)]
    pub counties: Vec<JurisdictionCode>,
    /// Ceilings in place of those that stand.
    #[wire(items = 0..=CAPS, default)]
    pub caps: Vec<CapGiven>,
}

impl ReplayedClaims {
    fn question(self, document: Document, list: bool) -> Question {
        let cap = |cap: CapGiven| GivenCap {
            jurisdiction: cap.jurisdiction.as_str().to_owned(),
            scope: cap.scope,
            ceiling: cap.ceiling,
        };
        Question {
            document,
            from: self.from,
            to: self.to,
            counties: self.counties.iter().map(|it| it.as_str().to_owned()).collect(),
            caps: self.caps.into_iter().map(cap).collect(),
            list,
        }
    }
}

impl Simulate {
    fn refine(self, _: &Fields<'_>) -> Option<Question> {
        Some(self.over.question(self.document, self.claims))
    }
}

/// Code of a county or city.
#[derive(Debug)]
pub enum PlaceCode {}

impl Field for PlaceCode {
    type Value = JurisdictionCode;
    const NAME: Option<&'static str> = Some("PlaceCode");

    fn read(slot: &Slot<'_>) -> Option<JurisdictionCode> {
        JurisdictionCode::read(slot)
    }

    fn schema() -> AnySchema {
        described(JurisdictionCode::schema(), "Code of a county or city.")
    }
}

/// A ceiling to replay with.
#[derive(Debug, WireBody)]
pub struct CapGiven {
    pub jurisdiction: JurisdictionCode,
    /// `fund` (all the money of a county's fund), `whole`, `category:<category>` or `month:<yyyy-mm>`.
    #[wire(SCOPE, example = "fund")]
    pub scope: String,
    pub ceiling: Fen,
}

const SCOPE: Pattern = Pattern {
    longest: 49,
    pattern: "^(fund|whole|category:[a-z_]{1,40}|month:[0-9]{4}-(0[1-9]|1[0-2]))$",
    parse: |text| (text == "fund" || is_scope(text)).then(|| text.to_owned()),
    zh: "须为 fund、whole、category:<品类> 或 month:<yyyy-mm>",
    en: "it is fund, whole, category:<category> or month:<yyyy-mm>",
};

/// A new version of a programme. A replay of recorded claims is kept with it; the days and counties are those of the replay.
#[derive(Debug, WireBody)]
#[wire(long, refine = Question)]
pub struct ProposeProgramme {
    /// The text of the document (TOML).
    #[wire(Text(1..=PROGRAMME))]
    pub document: String,
    #[wire(flatten)]
    pub over: ReplayedClaims,
}

impl ProposeProgramme {
    fn refine(self, _: &Fields<'_>) -> Option<Question> {
        Some(self.over.question(Document::Draft(self.document), false))
    }
}

/// Drafts of one programme, or of all.
#[derive(Debug, Clone, WireQuery)]
pub struct DraftsQuery {
    pub programme: Option<ProgrammeId>,
    #[wire(flatten)]
    pub page: PageQuery,
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
