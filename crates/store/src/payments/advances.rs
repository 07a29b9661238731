//! Advances to merchants, and the payments that are set against them. All of it moves under the lock of the county's ledger.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::batch::{Bind, Sql, batch_insert};
use crate::schema::{advance_set_offs, advances};
use crate::{Conn, StoreError, Tx};

/// An advance; fen. `status` is made, paid (and open), used (set off or repaid to the end), failed, returned or cancelled; `pending`
/// is set against payments that are open.
/// Primary key: `jurisdiction`, `id`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = advances, check_for_backend(diesel::pg::Pg))]
pub struct AdvanceRow {
    pub jurisdiction: String,
    pub id: Uuid,
    pub programme: String,
    pub merchant: String,
    pub disbursement: Uuid,
    pub payment: Uuid,
    pub amount: i64,
    pub document: String,
    pub set_off: i64,
    pub repaid: i64,
    pub pending: i64,
    pub status: String,
    pub maker: String,
    pub made_at: DateTime<Utc>,
    pub paid_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
}

batch_insert! {
    /// How much of a payment is set against an advance.
    /// Primary key: `jurisdiction`, `payment`, `advance`.
    #[derive(Queryable, Selectable, QueryableByName)]
    #[diesel(table_name = advance_set_offs, check_for_backend(diesel::pg::Pg))]
    pub struct SetOffRow in "advance_set_offs" {
        jurisdiction: String => Text,
        payment: Uuid => SqlUuid,
        advance: Uuid => SqlUuid,
        amount: i64 => BigInt,
    }
}

impl Conn {
    pub async fn advance(&mut self, jurisdiction: &str, id: Uuid) -> Result<Option<AdvanceRow>, StoreError> {
        Ok(advances::table
            .find((jurisdiction, id))
            .select(AdvanceRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    /// Advances of these counties (empty: all), of one merchant if one is named, newest first.
    pub async fn advances(
        &mut self,
        jurisdictions: &[String],
        merchant: Option<&str>,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<AdvanceRow>, StoreError> {
        let mut query = advances::table
            .filter(advances::id.lt(before.unwrap_or(Uuid::max())))
            .order(advances::id.desc())
            .limit(limit)
            .select(AdvanceRow::as_select())
            .into_boxed();
        if !jurisdictions.is_empty() {
            query = query.filter(advances::jurisdiction.eq_any(jurisdictions.to_vec()));
        }
        if let Some(merchant) = merchant {
            query = query.filter(advances::merchant.eq(merchant.to_owned()));
        }
        Ok(query.load(self.pg()).await?)
    }

    /// What these payments of a county are set against, by payment and advance.
    pub async fn set_offs_of(
        &mut self,
        jurisdiction: &str,
        payments: &[Uuid],
    ) -> Result<Vec<SetOffRow>, StoreError> {
        Ok(advance_set_offs::table
            .filter(advance_set_offs::jurisdiction.eq(jurisdiction))
            .filter(advance_set_offs::payment.eq_any(payments.to_vec()))
            .order((advance_set_offs::payment, advance_set_offs::advance))
            .select(SetOffRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// Whether a hold that names no claim keeps this merchant's money of a fund back.
    pub async fn is_held(
        &mut self,
        (jurisdiction, programme): (&str, &str),
        merchant: &str,
    ) -> Result<bool, StoreError> {
        #[derive(QueryableByName)]
        struct Held {
            #[diesel(sql_type = Bool)]
            held: bool,
        }
        let held: Held = Sql(
            "SELECT EXISTS (SELECT FROM holds WHERE jurisdiction = $1 AND lifter IS NULL AND claim IS NULL \
             AND (programme IS NULL OR programme = $2) AND (merchant IS NULL OR merchant = $3)) AS held",
        )
        .bind::<Text, _>(jurisdiction.to_owned())
        .bind::<Text, _>(programme.to_owned())
        .bind::<Text, _>(merchant.to_owned())
        .get_result(self.pg())
        .await?;
        Ok(held.held)
    }
}

impl Tx {
    pub async fn add_advance(&mut self, row: &AdvanceRow) -> Result<(), StoreError> {
        diesel::insert_into(advances::table)
            .values(row)
            .execute(self.pg())
            .await?;
        Ok(())
    }

    /// These advances of a county, locked in order.
    pub async fn lock_advances(
        &mut self,
        jurisdiction: &str,
        ids: &[Uuid],
    ) -> Result<Vec<AdvanceRow>, StoreError> {
        Ok(advances::table
            .filter(advances::jurisdiction.eq(jurisdiction))
            .filter(advances::id.eq_any(ids.to_vec()))
            .order(advances::id)
            .for_update()
            .select(AdvanceRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// What these merchants have of a fund ahead of their claims, oldest first, at most `limit` of them.
    pub async fn open_advances(
        &mut self,
        (jurisdiction, programme): (&str, &str),
        merchants: &[String],
        limit: i64,
    ) -> Result<Vec<AdvanceRow>, StoreError> {
        Ok(advances::table
            .filter(advances::jurisdiction.eq(jurisdiction))
            .filter(advances::programme.eq(programme))
            .filter(advances::merchant.eq_any(merchants.to_vec()))
            .filter(advances::status.eq("paid"))
            .order(advances::id)
            .limit(limit)
            .for_update()
            .select(AdvanceRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// Writes what became of advances.
    pub async fn save_advances(&mut self, rows: &[AdvanceRow]) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let fen = |value: fn(&AdvanceRow) -> i64| rows.iter().map(value).collect::<Vec<_>>();
        let changed = Sql(
            "UPDATE advances a SET set_off = u.set_off, repaid = u.repaid, pending = u.pending, status = u.status, \
             paid_at = u.paid_at, closed_at = u.closed_at FROM UNNEST($1, $2, $3, $4, $5, $6, $7, $8) \
             AS u (jurisdiction, id, set_off, repaid, pending, status, paid_at, closed_at) \
             WHERE a.jurisdiction = u.jurisdiction AND a.id = u.id",
        )
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.jurisdiction.clone()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.id).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(fen(|row| row.set_off))
        .bind::<Array<BigInt>, _>(fen(|row| row.repaid))
        .bind::<Array<BigInt>, _>(fen(|row| row.pending))
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.status.clone()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Timestamptz>>, _>(rows.iter().map(|row| row.paid_at).collect::<Vec<_>>())
        .bind::<Array<Nullable<Timestamptz>>, _>(rows.iter().map(|row| row.closed_at).collect::<Vec<_>>())
        .execute(self.pg())
        .await?;
        if changed == rows.len() {
            Ok(())
        } else {
            Err(StoreError::Stale("advance"))
        }
    }
}
