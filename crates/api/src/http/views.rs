//! Pages, results of many, registers, programmes, events, tokens.

use chrono::{DateTime, Utc};
use policy::Lang;
use serde::Serialize;
use service::Page;
use service::registers::LoadReport;
use utoipa::ToSchema;

use crate::http::problem::{FieldErrorView, ProblemView};

/// A page of a list. `next_cursor` is null on the last one.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Page)]
pub struct PageView<T: ToSchema> {
    #[schema(max_items = 200)]
    pub items: Vec<T>,
    #[schema(max_length = 400)]
    pub next_cursor: Option<String>,
}

impl<T: ToSchema> PageView<T> {
    pub fn of<S>(page: Page<S>, view: impl Fn(S) -> T) -> PageView<T> {
        PageView {
            items: page.items.into_iter().map(view).collect(),
            next_cursor: page.next_cursor,
        }
    }
}

/// A result for each item, in the order in which they were sent.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Results)]
pub struct ResultsView<T: ToSchema> {
    #[schema(max_items = 1000)]
    pub items: Vec<T>,
}

/// What became of one item.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ItemResult)]
pub struct ItemResultView<T: ToSchema> {
    /// The status that a call of its own would have had.
    #[schema(minimum = 200, maximum = 599, example = 200)]
    pub status: u16,
    /// The record as it stands now; absent if it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<T>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<ProblemView>,
}

/// What became of one line of a batch.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BulkLine {
    /// Number of the line in the body, from 1; a CSV's header is line 1.
    #[schema(minimum = 1)]
    pub line: u64,
    /// 201 recorded, 200 recorded before with the same key, otherwise the problem's.
    #[schema(minimum = 200, maximum = 599, example = 201)]
    pub status: u16,
    /// Whether this is the first answer again.
    pub replayed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<crate::wire::claim_view::ClaimView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<ProblemView>,
}

/// A batch's lines and their count. A body that ends before `summary` was cut off: send the batch again with the same key.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BulkResult {
    #[schema(max_items = 10000)]
    pub items: Vec<BulkLine>,
    pub summary: BulkSummary,
}

/// How many lines became what.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
pub struct BulkSummary {
    #[schema(minimum = 0)]
    pub lines: u64,
    #[schema(minimum = 0)]
    pub recorded: u64,
    #[schema(minimum = 0)]
    pub replayed: u64,
    #[schema(minimum = 0)]
    pub refused: u64,
}

/// What became of a register's file.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = LoadReport)]
pub struct LoadReportView {
    #[schema(max_length = 40)]
    pub register: String,
    #[schema(minimum = 0)]
    pub lines: u64,
    #[schema(minimum = 0)]
    pub accepted: u64,
    #[schema(minimum = 0)]
    pub refused: u64,
    /// The first thousand refused lines.
    #[schema(max_items = 1000)]
    pub errors: Vec<LineErrorView>,
    /// Whether there were more.
    pub errors_truncated: bool,
}

/// A refused line.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = LineError)]
pub struct LineErrorView {
    #[schema(minimum = 1)]
    pub line: u64,
    #[schema(max_items = 20)]
    pub errors: Vec<FieldErrorView>,
}

impl LoadReportView {
    pub fn of(report: &LoadReport, lang: Lang) -> LoadReportView {
        let line = |line: &service::registers::LineError| LineErrorView {
            line: line.line,
            errors: line
                .errors
                .iter()
                .map(|error| FieldErrorView::of(error, lang))
                .collect(),
        };
        LoadReportView {
            register: report.register.as_str().to_owned(),
            lines: report.lines,
            accepted: report.accepted,
            refused: report.refused,
            errors: report.errors.iter().map(line).collect(),
            errors_truncated: report.errors_truncated,
        }
    }
}

/// A token (RFC 6749, 5.1).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Token)]
pub struct TokenView {
    #[schema(max_length = 4096)]
    pub access_token: String,
    #[schema(max_length = 6, example = "Bearer")]
    pub token_type: &'static str,
    /// Seconds.
    #[schema(minimum = 1, example = 900)]
    pub expires_in: i64,
}

/// What was done to a record, and by whom.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventView {
    #[schema(max_length = 36, format = Uuid)]
    pub id: String,
    /// The use case: `submit`, `recommend`, `approve`, …
    #[schema(max_length = 64)]
    pub verb: String,
    pub at: DateTime<Utc>,
    /// The credential that did it; null for a merchant, which need not know which clerk it was.
    #[schema(max_length = 100)]
    pub actor: Option<String>,
    /// The person behind it; null for a merchant.
    #[schema(max_length = 100)]
    pub person: Option<String>,
    /// The revision that it made, or looked at.
    #[schema(minimum = 1)]
    pub revision: Option<i32>,
    #[schema(max_length = 40)]
    pub from_status: Option<String>,
    #[schema(max_length = 40)]
    pub to_status: Option<String>,
    #[schema(max_length = 500)]
    pub reason: Option<String>,
    /// What whoever did it had before them; null where there was nothing yet.
    pub seen: Option<SeenView>,
}

/// A claim as somebody saw it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Seen)]
pub struct SeenView {
    #[schema(minimum = 1)]
    pub revision: i32,
    /// SHA-256 of the receipt of the decision that stood.
    #[schema(pattern = "^sha256:[0-9a-f]{64}$", max_length = 71)]
    pub receipt: String,
}

impl From<service::reading::Event> for EventView {
    fn from(event: service::reading::Event) -> EventView {
        EventView {
            id: event.id.to_string(),
            verb: event.verb,
            at: event.at,
            actor: Some(event.actor).filter(|actor| !actor.is_empty()),
            person: Some(event.person).filter(|person| !person.is_empty()),
            revision: event.revision,
            from_status: event.from_status,
            to_status: event.to_status,
            reason: event.reason,
            seen: event.seen.map(|seen| SeenView {
                revision: seen.revision,
                receipt: seen.receipt,
            }),
        }
    }
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

/// That the service is up.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Health {
    #[schema(max_length = 5, example = "ok")]
    pub status: &'static str,
}
