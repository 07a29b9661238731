//! The small tables that every county reads: jurisdictions and programmes.

use chrono::{DateTime, NaiveDate, Utc};
use claims::jurisdictions::JurisdictionKind;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use policy::VersionStatus;
use uuid::Uuid;

use crate::columns::Value;
use crate::schema::{jurisdictions, ledgers, programmes};
use crate::{Conn, StoreError, Tx};

/// A jurisdiction: the city, or one of its counties and development zones. Primary key: `code`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = jurisdictions, check_for_backend(diesel::pg::Pg), treat_none_as_null = true)]
pub struct JurisdictionRow {
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    #[diesel(serialize_as = Value<JurisdictionKind>)]
    pub kind: JurisdictionKind,
    pub parent: Option<String>,
}

/// A version of a programme: the document as it was loaded and its SHA-256.
/// Primary key: `id`, `version`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = programmes, check_for_backend(diesel::pg::Pg))]
pub struct ProgrammeRow {
    pub id: String,
    pub version: i32,
    pub hash: String,
    pub source: String,
    pub effective_from: NaiveDate,
    #[diesel(serialize_as = Value<VersionStatus>)]
    pub status: VersionStatus,
    pub created_at: DateTime<Utc>,
    pub activated_at: Option<DateTime<Utc>>,
    /// The draft that it was, with the city it stands under; none for a programme's first version.
    pub draft_jurisdiction: Option<String>,
    pub draft: Option<Uuid>,
}

impl Conn {
    pub async fn jurisdictions(&mut self) -> Result<Vec<JurisdictionRow>, StoreError> {
        Ok(jurisdictions::table
            .order(jurisdictions::code)
            .select(JurisdictionRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// Every active version of every programme, oldest first.
    pub async fn active_programmes(&mut self) -> Result<Vec<ProgrammeRow>, StoreError> {
        Ok(programmes::table
            .filter(programmes::status.eq(Value(VersionStatus::Active)))
            .order((programmes::id, programmes::version))
            .select(ProgrammeRow::as_select())
            .load(self.pg())
            .await?)
    }

    pub async fn programme_versions(&mut self, id: &str) -> Result<Vec<ProgrammeRow>, StoreError> {
        Ok(programmes::table
            .filter(programmes::id.eq(id))
            .order(programmes::version)
            .select(ProgrammeRow::as_select())
            .load(self.pg())
            .await?)
    }
}

impl Tx {
    /// Adds jurisdictions, cities before their counties, each with an empty ledger; known ones take the new names.
    pub async fn save_jurisdictions(&mut self, rows: &[JurisdictionRow]) -> Result<(), StoreError> {
        for row in rows {
            diesel::insert_into(jurisdictions::table)
                .values(row.clone())
                .on_conflict(jurisdictions::code)
                .do_update()
                .set(row.clone())
                .execute(self.pg())
                .await?;
            diesel::insert_into(ledgers::table)
                .values(ledgers::jurisdiction.eq(&row.code))
                .on_conflict_do_nothing()
                .execute(self.pg())
                .await?;
        }
        Ok(())
    }

    pub async fn add_programme(&mut self, row: &ProgrammeRow) -> Result<(), StoreError> {
        diesel::insert_into(programmes::table)
            .values(row.clone())
            .execute(self.pg())
            .await?;
        Ok(())
    }
}
