//! Disbursements. Their payments stand in [`crate::payments`].

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::disbursements;
use crate::{Conn, StoreError, Tx};

/// A payout of a fund's payable claims. `status` is made, countersigned, released, settled or cancelled; `total` in fen.
/// `account` is the revision of the county's own, `per_file` how many payments a file has, `digest` of what was released.
/// Primary key: `jurisdiction`, `id`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = disbursements, check_for_backend(diesel::pg::Pg), treat_none_as_null = true)]
pub struct DisbursementRow {
    pub jurisdiction: String,
    pub id: Uuid,
    pub programme: String,
    pub status: String,
    pub revision: i32,
    pub claims: i32,
    pub total: i64,
    pub maker: String,
    pub made_at: DateTime<Utc>,
    pub releaser: Option<String>,
    pub released_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    pub payments: i32,
    pub needs_three: bool,
    pub countersigner: Option<String>,
    pub countersigned_at: Option<DateTime<Utc>>,
    pub account: Option<i32>,
    pub per_file: Option<i32>,
    pub digest: Option<Vec<u8>>,
}

impl Conn {
    pub async fn disbursement(
        &mut self,
        jurisdiction: &str,
        id: Uuid,
    ) -> Result<Option<DisbursementRow>, StoreError> {
        Ok(disbursements::table
            .find((jurisdiction, id))
            .select(DisbursementRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    /// Disbursements of these counties (empty: all), newest first.
    pub async fn disbursements(
        &mut self,
        jurisdictions: &[String],
        programme: Option<&str>,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<DisbursementRow>, StoreError> {
        let mut query = disbursements::table
            .filter(disbursements::id.lt(before.unwrap_or(Uuid::max())))
            .order(disbursements::id.desc())
            .limit(limit)
            .select(DisbursementRow::as_select())
            .into_boxed();
        if !jurisdictions.is_empty() {
            query = query.filter(disbursements::jurisdiction.eq_any(jurisdictions.to_vec()));
        }
        if let Some(programme) = programme {
            query = query.filter(disbursements::programme.eq(programme.to_owned()));
        }
        Ok(query.load(self.pg()).await?)
    }
}

impl Tx {
    pub async fn add_disbursement(&mut self, row: &DisbursementRow) -> Result<(), StoreError> {
        diesel::insert_into(disbursements::table)
            .values(row)
            .execute(self.pg())
            .await?;
        Ok(())
    }

    pub async fn lock_disbursement(
        &mut self,
        jurisdiction: &str,
        id: Uuid,
    ) -> Result<Option<DisbursementRow>, StoreError> {
        Ok(disbursements::table
            .find((jurisdiction, id))
            .for_update()
            .select(DisbursementRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    pub async fn save_disbursement(&mut self, row: &DisbursementRow) -> Result<(), StoreError> {
        diesel::update(disbursements::table.find((&row.jurisdiction, row.id)))
            .set(row)
            .execute(self.pg())
            .await?;
        Ok(())
    }
}
