//! What keeps claims out of payment: a programme, a merchant, a claim, or what several of these have in common.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::holds;
use crate::{Conn, StoreError, Tx};

/// What is held, by whom and why, and whether it was lifted. Primary key: `jurisdiction`, `id`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = holds, check_for_backend(diesel::pg::Pg), treat_none_as_null = true)]
pub struct HoldRow {
    pub jurisdiction: String,
    pub id: Uuid,
    pub programme: Option<String>,
    pub merchant: Option<String>,
    pub claim: Option<Uuid>,
    pub reason: String,
    pub placer: String,
    pub placed_at: DateTime<Utc>,
    pub lifter: Option<String>,
    pub lifted_at: Option<DateTime<Utc>>,
    pub lift_reason: Option<String>,
}

impl Conn {
    /// Holds of these counties (empty: all), newest first; lifted ones, too, if asked for.
    pub async fn holds(
        &mut self,
        jurisdictions: &[String],
        lifted: bool,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<HoldRow>, StoreError> {
        let mut query = holds::table
            .filter(holds::id.lt(before.unwrap_or(Uuid::max())))
            .order(holds::id.desc())
            .limit(limit)
            .select(HoldRow::as_select())
            .into_boxed();
        if !lifted {
            query = query.filter(holds::lifter.is_null());
        }
        if !jurisdictions.is_empty() {
            query = query.filter(holds::jurisdiction.eq_any(jurisdictions.to_vec()));
        }
        Ok(query.load(self.pg()).await?)
    }
}

impl Tx {
    pub async fn place_hold(&mut self, row: &HoldRow) -> Result<(), StoreError> {
        diesel::insert_into(holds::table)
            .values(row)
            .execute(self.pg())
            .await?;
        Ok(())
    }

    pub async fn lock_hold(&mut self, jurisdiction: &str, id: Uuid) -> Result<Option<HoldRow>, StoreError> {
        Ok(holds::table
            .find((jurisdiction, id))
            .for_update()
            .select(HoldRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    pub async fn save_hold(&mut self, row: &HoldRow) -> Result<(), StoreError> {
        diesel::update(holds::table.find((&row.jurisdiction, row.id)))
            .set(row)
            .execute(self.pg())
            .await?;
        Ok(())
    }
}
