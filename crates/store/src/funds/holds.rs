//! What keeps claims out of payment: a programme, a merchant, a claim, or what several of these have in common.

use chrono::{DateTime, Utc};
use claims::{HoldId, JurisdictionCode};
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::batch::keyed_row;
use crate::columns::{County, Value};
use crate::schema::holds;
use crate::{Conn, StoreError, Tx};

keyed_row! {
    /// What is held, by which person and why, and whether it was lifted.
    #[derive(Queryable, Selectable)]
    #[diesel(table_name = holds, check_for_backend(diesel::pg::Pg))]
    pub struct HoldRow in "holds" by (jurisdiction: JurisdictionCode => County, id: Uuid => SqlUuid) {
        programme: Option<String> => Nullable<Text>,
        merchant: Option<String> => Nullable<Text>,
        claim: Option<Uuid> => Nullable<SqlUuid>,
        reason: String => Text,
        placer: String => Text,
        placed_at: DateTime<Utc> => Timestamptz,
        lifter: Option<String> => Nullable<Text>,
        lifted_at: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        lift_reason: Option<String> => Nullable<Text>,
    }
}

impl Conn {
    /// Holds of these counties (empty: all), newest first; lifted ones, too, if asked for.
    pub async fn holds(
        &mut self,
        jurisdictions: &[JurisdictionCode],
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
            query = query.filter(
                holds::jurisdiction.eq_any(jurisdictions.iter().copied().map(Value).collect::<Vec<_>>()),
            );
        }
        Ok(query.load(self.pg()).await?)
    }
}

impl Tx {
    pub async fn place_hold(&mut self, row: &HoldRow) -> Result<(), StoreError> {
        row.insert_on(self.pg()).await
    }

    pub async fn lock_hold(&mut self, id: HoldId) -> Result<Option<HoldRow>, StoreError> {
        Ok(holds::table
            .find((Value(id.jurisdiction), id.uuid))
            .for_update()
            .select(HoldRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    pub async fn save_hold(&mut self, row: &HoldRow) -> Result<(), StoreError> {
        row.update_on(self.pg()).await
    }
}
