//! Changes of caps: one person proposes them, another approves or refuses them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::cap_changes;
use crate::{Conn, StoreError, Tx};

/// A proposal that replaces all caps of a jurisdiction and programme; `caps` is JSON.
/// Primary key: `jurisdiction`, `id`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = cap_changes, check_for_backend(diesel::pg::Pg), treat_none_as_null = true)]
pub struct CapChangeRow {
    pub jurisdiction: String,
    pub id: Uuid,
    pub programme: String,
    pub caps: String,
    pub document: String,
    pub status: String,
    pub maker: String,
    pub made_at: DateTime<Utc>,
    pub checker: Option<String>,
    pub checked_at: Option<DateTime<Utc>>,
    pub reason: Option<String>,
}

impl Conn {
    pub async fn cap_change(
        &mut self,
        jurisdiction: &str,
        id: Uuid,
    ) -> Result<Option<CapChangeRow>, StoreError> {
        Ok(cap_changes::table
            .find((jurisdiction, id))
            .select(CapChangeRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    pub async fn cap_changes(
        &mut self,
        jurisdiction: &str,
        programme: &str,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<CapChangeRow>, StoreError> {
        Ok(cap_changes::table
            .filter(cap_changes::jurisdiction.eq(jurisdiction))
            .filter(cap_changes::programme.eq(programme))
            .filter(cap_changes::id.lt(before.unwrap_or(Uuid::max())))
            .order(cap_changes::id.desc())
            .limit(limit)
            .select(CapChangeRow::as_select())
            .load(self.pg())
            .await?)
    }
}

impl Tx {
    pub async fn add_cap_change(&mut self, row: &CapChangeRow) -> Result<(), StoreError> {
        diesel::insert_into(cap_changes::table)
            .values(row)
            .execute(self.pg())
            .await?;
        Ok(())
    }

    pub async fn lock_cap_change(
        &mut self,
        jurisdiction: &str,
        id: Uuid,
    ) -> Result<Option<CapChangeRow>, StoreError> {
        Ok(cap_changes::table
            .find((jurisdiction, id))
            .for_update()
            .select(CapChangeRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    pub async fn save_cap_change(&mut self, row: &CapChangeRow) -> Result<(), StoreError> {
        diesel::update(cap_changes::table.find((&row.jurisdiction, row.id)))
            .set(row)
            .execute(self.pg())
            .await?;
        Ok(())
    }
}
