//! Versions of programmes that one person proposed and another decides on.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::{ledgers, programme_drafts};
use crate::{Conn, StoreError, Tx};

/// A proposed version: the document's SHA-256 in hexadecimal, and what a replay of recorded claims says of it in short, with the
/// SHA-256 of the report's bytes. `status` is pending, activated or refused; `summary` is JSON.
/// Primary key: `jurisdiction`, `id`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = programme_drafts, check_for_backend(diesel::pg::Pg))]
pub struct DraftRow {
    pub jurisdiction: String,
    pub id: Uuid,
    pub programme: String,
    pub version: i32,
    pub hash: String,
    pub effective_from: NaiveDate,
    pub report_digest: Vec<u8>,
    pub summary: String,
    pub status: String,
    pub maker: String,
    pub made_at: DateTime<Utc>,
    pub checker: Option<String>,
    pub checked_at: Option<DateTime<Utc>>,
    pub reason: Option<String>,
}

/// The same with the document and the report, which are long.
/// Primary key: `jurisdiction`, `id`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = programme_drafts, check_for_backend(diesel::pg::Pg))]
pub struct WholeDraftRow {
    #[diesel(embed)]
    pub draft: DraftRow,
    pub source: String,
    pub report: String,
}

impl Conn {
    pub async fn draft(&mut self, jurisdiction: &str, id: Uuid) -> Result<Option<WholeDraftRow>, StoreError> {
        Ok(programme_drafts::table
            .find((jurisdiction, id))
            .select(WholeDraftRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    /// Drafts of a city, or of one of its programmes, newest first.
    pub async fn drafts(
        &mut self,
        jurisdiction: &str,
        programme: Option<&str>,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<DraftRow>, StoreError> {
        let mut query = programme_drafts::table
            .filter(programme_drafts::jurisdiction.eq(jurisdiction))
            .filter(programme_drafts::id.lt(before.unwrap_or(Uuid::max())))
            .order(programme_drafts::id.desc())
            .limit(limit)
            .select(DraftRow::as_select())
            .into_boxed();
        if let Some(programme) = programme {
            query = query.filter(programme_drafts::programme.eq(programme.to_owned()));
        }
        Ok(query.load(self.pg()).await?)
    }
}

impl Tx {
    /// Whoever changes which versions are in force stands in the queue of the city's ledger.
    pub async fn lock_programmes(&mut self, city: &str) -> Result<(), StoreError> {
        ledgers::table
            .find(city)
            .select(ledgers::jurisdiction)
            .for_update()
            .first::<String>(self.pg())
            .await?;
        Ok(())
    }

    pub async fn add_draft(&mut self, row: &WholeDraftRow) -> Result<(), StoreError> {
        diesel::insert_into(programme_drafts::table)
            .values(row)
            .execute(self.pg())
            .await?;
        Ok(())
    }

    pub async fn lock_draft(
        &mut self,
        jurisdiction: &str,
        id: Uuid,
    ) -> Result<Option<WholeDraftRow>, StoreError> {
        Ok(programme_drafts::table
            .find((jurisdiction, id))
            .for_update()
            .select(WholeDraftRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    /// Writes the word of the second person. Nothing else of a draft ever changes.
    pub async fn decide_draft(&mut self, row: &DraftRow) -> Result<(), StoreError> {
        diesel::update(programme_drafts::table.find((&row.jurisdiction, row.id)))
            .set((
                programme_drafts::status.eq(&row.status),
                programme_drafts::checker.eq(&row.checker),
                programme_drafts::checked_at.eq(row.checked_at),
                programme_drafts::reason.eq(&row.reason),
            ))
            .execute(self.pg())
            .await?;
        Ok(())
    }
}
