//! Appropriations: one person proposes them, another approves or refuses them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::appropriations;
use crate::{Conn, StoreError, Tx};

/// Money a source gives to a fund, with its document; fen. `status` is pending, approved or refused.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = appropriations, check_for_backend(diesel::pg::Pg), treat_none_as_null = true)]
pub struct AppropriationRow {
    pub jurisdiction: String,
    pub id: Uuid,
    pub programme: String,
    pub source: String,
    pub amount: i64,
    pub document: String,
    pub status: String,
    pub maker: String,
    pub made_at: DateTime<Utc>,
    pub checker: Option<String>,
    pub checked_at: Option<DateTime<Utc>>,
    pub reason: Option<String>,
}

impl Conn {
    pub async fn appropriation(
        &mut self,
        jurisdiction: &str,
        id: Uuid,
    ) -> Result<Option<AppropriationRow>, StoreError> {
        Ok(appropriations::table
            .find((jurisdiction, id))
            .select(AppropriationRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    /// A fund's appropriations, newest first.
    pub async fn appropriations(
        &mut self,
        jurisdiction: &str,
        programme: &str,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<AppropriationRow>, StoreError> {
        Ok(appropriations::table
            .filter(appropriations::jurisdiction.eq(jurisdiction))
            .filter(appropriations::programme.eq(programme))
            .filter(appropriations::id.lt(before.unwrap_or(Uuid::max())))
            .order(appropriations::id.desc())
            .limit(limit)
            .select(AppropriationRow::as_select())
            .load(self.pg())
            .await?)
    }
}

impl Tx {
    pub async fn add_appropriation(&mut self, row: &AppropriationRow) -> Result<(), StoreError> {
        diesel::insert_into(appropriations::table)
            .values(row)
            .execute(self.pg())
            .await?;
        Ok(())
    }

    pub async fn lock_appropriation(
        &mut self,
        jurisdiction: &str,
        id: Uuid,
    ) -> Result<Option<AppropriationRow>, StoreError> {
        Ok(appropriations::table
            .find((jurisdiction, id))
            .for_update()
            .select(AppropriationRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    pub async fn save_appropriation(&mut self, row: &AppropriationRow) -> Result<(), StoreError> {
        diesel::update(appropriations::table.find((&row.jurisdiction, row.id)))
            .set(row)
            .execute(self.pg())
            .await?;
        Ok(())
    }
}
