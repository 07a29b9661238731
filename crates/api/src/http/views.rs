//! Pages, results of many, registers, programmes, events, tokens.

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
