//! Pages, results of many, registers, programmes, events, tokens.

use chrono::{DateTime, Utc};
use serde::Serialize;
use service::Page;
use utoipa::ToSchema;

use crate::http::problem::ProblemView;

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
