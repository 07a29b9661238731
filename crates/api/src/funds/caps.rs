//! Caps of a fund: proposed by one person of treasury, confirmed by another.

use api_macros::operation;

use chrono::{DateTime, Utc};
use claims::CapChangeId;
use ledger::Fen;
use serde::Serialize;
use service::funds::CapChange;
use service::operation::access::{ManageFunds, ReadFunds};
use utoipa::ToSchema;
use wire_derive::WireBody;

use crate::funds::FundPath;
use crate::http::answer::{Answer, Json, ok, paged};
use crate::http::authenticated::Authenticated;
use crate::http::bodies::Check;
use crate::http::extract::{Body, Path, PathId, Query};
use crate::http::field_limits::{CAPS, DOCUMENT};
use crate::http::money::Money;
use crate::http::queries::PageQuery;
use crate::http::state::ApiState;
use crate::http::views::PageView;
use crate::http::wire::{Pattern, Words};

/// 设定上限 · Propose caps
///
/// All caps of a fund, replaced. Pending until another person of treasury approves it; never below what is committed.
#[operation(
    put "/v1/funds/{programme}/{jurisdiction}/caps",
    tag = Funds,
    body = "The caps and the document that sets them.",
    answer = "Proposed, pending."
)]
pub(crate) async fn propose_caps(
    api: ApiState,
    caller: Authenticated<ManageFunds>,
    path: Path<FundPath>,
    body: Body<ProposeCaps>,
) -> Answer<Json<CapChangeView>> {
    let (permit, (programme, jurisdiction)) = (caller.permit, path.0.names());
    let ProposeCaps { caps, document } = body.value;
    let caps = caps.into_iter().map(|cap| (cap.scope, cap.ceiling)).collect();
    let proposed = api
        .write(|it| async move {
            it.funds()
                .propose_caps(&permit, &programme, &jurisdiction, caps, &document)
                .await
        })
        .await?;
    ok(&CapChangeView::from(proposed))
}

/// 上限变更列表 · List cap changes
///
/// Newest first.
#[operation(
    get "/v1/funds/{programme}/{jurisdiction}/cap-changes",
    tag = Funds,
    answer = "A page of cap changes."
)]
pub(crate) async fn list_cap_changes(
    api: ApiState,
    caller: Authenticated<ReadFunds>,
    path: Path<FundPath>,
    page: Query<PageQuery>,
) -> Answer<Json<PageView<CapChangeView>>> {
    let ((programme, jurisdiction), Query(page)) = (path.0.names(), page);
    let cursor = page.cursor.as_deref();
    let list = api
        .service
        .funds()
        .cap_changes(&caller.permit, &programme, &jurisdiction, cursor, page.limit)
        .await;
    ok(&PageView::of(paged(list)?, CapChangeView::from))
}

/// 复核上限 · Check caps
///
/// By another person than the one who proposed them.
#[operation(
    post "/v1/cap-changes/{id}/decision",
    tag = Funds,
    body = "The verdict.",
    answer = "Approved or refused."
)]
pub(crate) async fn check_caps(
    api: ApiState,
    caller: Authenticated<ManageFunds>,
    id: PathId<CapChangeId>,
    body: Body<Check>,
) -> Answer<Json<CapChangeView>> {
    let (permit, Check { verdict, reason }) = (caller.permit, body.value);
    let checked = api
        .write(|it| async move { it.funds().check_caps(&permit, id.0, verdict, reason).await })
        .await?;
    ok(&CapChangeView::from(checked))
}

/// The caps that a fund is to have; a second person confirms them.
#[derive(Debug, WireBody)]
pub struct ProposeCaps {
    #[wire(items = 0..=CAPS)]
    pub caps: Vec<CapForm>,
    /// Number of the document that sets them.
    #[wire(Words(DOCUMENT))]
    pub document: String,
}

/// One cap.
#[derive(Debug, WireBody)]
#[wire(name = "CapToSet")]
pub struct CapForm {
    /// `whole`, `category:<category>` or `month:<yyyy-mm>`.
    #[wire(SCOPE, example = "category:air_conditioner")]
    pub scope: String,
    pub ceiling: Fen,
}

/// What a cap limits.
const SCOPE: Pattern = Pattern {
    longest: 49,
    pattern: "^(whole|category:[a-z_]{1,40}|month:[0-9]{4}-(0[1-9]|1[0-2]))$",
    parse: |text| is_scope(text).then(|| text.to_owned()),
    zh: "须为 whole、category:<品类> 或 month:<yyyy-mm>",
    en: "it is whole, category:<category> or month:<yyyy-mm>",
};

pub(crate) fn is_scope(text: &str) -> bool {
    match text.split_once(':') {
        None => text == "whole",
        Some(("category", category)) => {
            (1..=40).contains(&category.len()) && category.bytes().all(|b| matches!(b, b'a'..=b'z' | b'_'))
        }
        Some(("month", month)) => {
            month.len() == 7 && format!("{month}-01").parse::<chrono::NaiveDate>().is_ok()
        }
        Some(_) => false,
    }
}

/// All caps of a fund, replaced: `pending` until a second person approved it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CapChange)]
pub struct CapChangeView {
    #[schema(pattern = "^cap_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub id: String,
    #[schema(max_length = 64)]
    pub programme: String,
    #[schema(max_length = 9)]
    pub jurisdiction: String,
    #[schema(max_items = 100)]
    pub caps: Vec<CapSet>,
    #[schema(max_length = 100)]
    pub document: String,
    /// `pending`, `approved` or `refused`.
    #[schema(max_length = 10, example = "pending")]
    pub status: String,
    pub made_at: DateTime<Utc>,
    pub checked_at: Option<DateTime<Utc>>,
    /// Why it was refused.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

/// One cap of a change.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CapSet {
    #[schema(max_length = 49, example = "whole")]
    pub scope: String,
    pub ceiling: Money,
}

impl From<CapChange> for CapChangeView {
    fn from(it: CapChange) -> CapChangeView {
        let caps = it.caps.into_iter().map(|cap| CapSet {
            scope: cap.scope,
            ceiling: Money(cap.ceiling.to_string()),
        });
        CapChangeView {
            id: it.id.to_string(),
            programme: it.programme,
            jurisdiction: it.jurisdiction.to_string(),
            caps: caps.collect(),
            document: it.document,
            status: it.status.to_string(),
            made_at: it.made_at,
            checked_at: it.checked_at,
            reason: it.reason,
        }
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn scopes() {
        for scope in ["whole", "category:air_conditioner", "month:2026-05"] {
            assert!(is_scope(scope), "{scope}");
        }
        for scope in [
            "",
            "fund",
            "category:",
            "category:A",
            "month:2026-13",
            "month:26-05",
            "whole:",
            "month:2026-5",
        ] {
            assert!(!is_scope(scope), "{scope}");
        }
    }
}
