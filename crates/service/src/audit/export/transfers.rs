//! The transfers of one county, or of several one after another, as lines.

use std::collections::VecDeque;
use std::sync::Arc;

use store::funds::{TransferFilter, TransferLine};

use super::pages::{PAGE, Source};
use super::table::{Cell, Column, Kind, Row, Words};
use crate::audit::Audit;
use crate::funds::document_prefix;
use crate::operation::ServiceError;

/// A transfer and whose it is.
pub(super) struct Transfer {
    pub(super) jurisdiction: Arc<str>,
    pub(super) row: TransferLine,
}

const COLUMNS: [Column; 11] = [
    Column::new("序号", "height", Kind::Whole),
    Column::new("过账时间", "posted_at", Kind::Instant),
    Column::new("辖区", "jurisdiction", Kind::Text),
    Column::new("项目", "programme", Kind::Text),
    Column::new("事由", "reason", Kind::Text),
    Column::new("借方", "debit", Kind::Text),
    Column::new("贷方", "credit", Kind::Text),
    Column::new("金额（元）", "amount", Kind::Money),
    Column::optional("申请编号", "claim", Kind::Text),
    Column::optional("单据编号", "document", Kind::Text),
    Column::new("经办", "actor", Kind::Text),
];

impl Row<11> for Transfer {
    const TITLE: (&'static str, &'static str) = ("流水", "Transfers");
    const COLUMNS: [Column; 11] = COLUMNS;
    /// Jurisdiction, programme, reason, debit and credit.
    const SUMMED_BY: &'static [usize] = &[2, 3, 4, 5, 6];

    fn cells(&self, words: Words) -> Result<[Cell<'_>; 11], ServiceError> {
        let Self { jurisdiction, row } = self;
        let reason = row.reason;
        let (debit, credit) = reason.accounts();
        let id = |kind, id| Cell::Id(kind, jurisdiction, id);
        Ok([
            Cell::Whole(row.height),
            Cell::Instant(row.posted_at),
            Cell::Text(jurisdiction),
            Cell::Text(&row.programme),
            Cell::Text(words.pick(reason.as_str(), reason.title_zh())),
            Cell::Text(words.pick(debit.as_str(), debit.title_zh())),
            Cell::Text(words.pick(credit.as_str(), credit.title_zh())),
            Cell::Money(row.amount),
            row.claim.map_or(Cell::Nothing, |claim| id("clm", claim)),
            row.document
                .map_or(Cell::Nothing, |document| id(document_prefix(reason), document)),
            Cell::Text(&row.actor),
        ])
    }
}

/// Transfers by county and height.
pub(super) struct Transfers {
    audit: Audit,
    /// Of the county that is read.
    filter: TransferFilter,
    /// The counties after it.
    counties: VecDeque<String>,
    /// What was posted above this height is not there yet.
    up_to: Option<i64>,
}

impl Transfers {
    /// What the filter says of the first county's log; the others are read from their beginnings.
    pub(super) fn new(audit: &Audit, filter: TransferFilter, counties: VecDeque<String>) -> Self {
        Self {
            audit: audit.clone(),
            filter,
            counties,
            up_to: None,
        }
    }

    pub(super) fn up_to(self, height: i64) -> Self {
        Self {
            up_to: Some(height),
            ..self
        }
    }
}

impl Source for Transfers {
    type Row = Transfer;

    async fn page(mut self) -> Result<(Vec<Transfer>, Option<Self>), ServiceError> {
        let limit = i64::try_from(PAGE)?;
        let mut rows = {
            let mut conn = self.audit.op.read().await?;
            conn.transfer_lines(&self.filter, limit).await?
        };
        let mut last = rows.last().map(|row| row.height).filter(|_| rows.len() >= PAGE);
        if let Some(height) = self.up_to {
            rows.retain(|row| row.height <= height);
            last = last.filter(|last| *last < height);
        }
        let jurisdiction = Arc::from(self.filter.jurisdiction.as_str());
        let more = if let Some(last) = last {
            self.filter.after = last;
            true
        } else if let Some(county) = self.counties.pop_front() {
            (self.filter.jurisdiction, self.filter.after) = (county, 0);
            true
        } else {
            false
        };
        let rows = rows.into_iter().map(|row| Transfer {
            jurisdiction: Arc::clone(&jurisdiction),
            row,
        });
        Ok((rows.collect(), more.then_some(self)))
    }
}
