//! Versions of programmes that one person proposed and another decides on.

use chrono::NaiveDate;
use claims::proposal::DraftStatus;
use claims::{DraftId, JurisdictionCode};
use diesel::prelude::*;
use diesel::sql_types::{Bytea, Date, Integer, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::batch::insert_statement;
use crate::columns::{County, Value, Word};
use crate::operation::proposal_row;
use crate::schema::{ledgers, programme_drafts};
use crate::{Conn, StoreError, Tx};

proposal_row! {
    /// A proposed version: the document's SHA-256 in hexadecimal, and what a replay of recorded claims says of it in short
    /// (`summary`, JSON), with the SHA-256 of the report's bytes.
    pub struct DraftRow in programme_drafts = "programme_drafts"
        by (jurisdiction: JurisdictionCode => County, id: Uuid => SqlUuid)
    {
        programme: String => Text,
        version: i32 => Integer,
        hash: String => Text,
        effective_from: NaiveDate => Date,
        report_digest: Vec<u8> => Bytea,
        summary: String => Text,
    }
    in part, signed DraftStatus: (status, maker, made_at, checker, checked_at, reason)
}

/// The same with the document and the report, which are long.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = programme_drafts, check_for_backend(diesel::pg::Pg))]
pub struct WholeDraftRow {
    #[diesel(embed)]
    pub draft: DraftRow,
    pub source: String,
    pub report: String,
}

insert_statement! {
    WholeDraftRow in "programme_drafts" (
        jurisdiction = draft.jurisdiction: County,
        id = draft.id: SqlUuid,
        programme = draft.programme: Text,
        version = draft.version: Integer,
        hash = draft.hash: Text,
        effective_from = draft.effective_from: Date,
        report_digest = draft.report_digest: Bytea,
        summary = draft.summary: Text,
        source = source: Text,
        report = report: Text,
        status = draft.signatures.status: Word,
        maker = draft.signatures.maker: Text,
        made_at = draft.signatures.made_at: Timestamptz
    )
}

impl Conn {
    pub async fn draft(&mut self, id: DraftId) -> Result<Option<WholeDraftRow>, StoreError> {
        Ok(programme_drafts::table
            .find((Value(id.jurisdiction), id.uuid))
            .select(WholeDraftRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    /// Drafts of a city, or of one of its programmes, newest first.
    pub async fn drafts(
        &mut self,
        jurisdiction: JurisdictionCode,
        programme: Option<&str>,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<DraftRow>, StoreError> {
        let mut query = programme_drafts::table
            .filter(programme_drafts::jurisdiction.eq(Value(jurisdiction)))
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
        row.insert_on(self.pg()).await
    }

    pub async fn lock_draft(&mut self, id: DraftId) -> Result<Option<WholeDraftRow>, StoreError> {
        Ok(programme_drafts::table
            .find((Value(id.jurisdiction), id.uuid))
            .for_update()
            .select(WholeDraftRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    /// Writes the second person's verdict.
    pub async fn decide_draft(&mut self, row: &DraftRow) -> Result<(), StoreError> {
        row.update_on(self.pg()).await
    }
}
