//! Advances to merchants, and the payments that are set against them. All of it moves under the
//! lock of the county's ledger.

use chrono::{DateTime, Utc};
use claims::payments::AdvanceStatus;
use claims::{AdvanceId, DisbursementId, JurisdictionCode, PaymentId};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use ledger::Fen;
use uuid::Uuid;

use crate::batch::{Bind, Sql, batch_insert};
use crate::columns::{County, Money, Value, Word};
use crate::schema::{advance_set_offs, advances};
use crate::{Conn, StoreError, Tx};

batch_insert! {
    /// An advance. `pending` is set against payments that are open.
    /// Primary key: `jurisdiction`, `id`.
    #[derive(Queryable, Selectable)]
    #[diesel(table_name = advances, check_for_backend(diesel::pg::Pg))]
    pub struct AdvanceRow in "advances" {
        jurisdiction: JurisdictionCode => County,
        id: Uuid => SqlUuid,
        programme: String => Text,
        merchant: String => Text,
        disbursement: Uuid => SqlUuid,
        payment: Uuid => SqlUuid,
        amount: Fen => Money,
        document: String => Text,
        set_off: Fen => Money,
        repaid: Fen => Money,
        pending: Fen => Money,
        status: AdvanceStatus => Word,
        maker: String => Text,
        made_at: DateTime<Utc> => Timestamptz,
        paid_at: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        closed_at: Option<DateTime<Utc>> => Nullable<Timestamptz>,
    }
}

batch_insert! {
    /// How much of a payment is set against an advance.
    /// Primary key: `jurisdiction`, `payment`, `advance`.
    #[derive(Queryable, Selectable, QueryableByName)]
    #[diesel(table_name = advance_set_offs, check_for_backend(diesel::pg::Pg))]
    pub struct SetOffRow in "advance_set_offs" {
        jurisdiction: JurisdictionCode => County,
        payment: Uuid => SqlUuid,
        advance: Uuid => SqlUuid,
        amount: Fen => Money,
    }
}

impl AdvanceRow {
    pub fn id(&self) -> AdvanceId {
        AdvanceId::new(self.jurisdiction, self.id)
    }

    pub fn disbursement(&self) -> DisbursementId {
        DisbursementId::new(self.jurisdiction, self.disbursement)
    }

    pub fn payment(&self) -> PaymentId {
        PaymentId::new(self.jurisdiction, self.payment)
    }
}

impl Conn {
    pub async fn advance(
        &mut self,
        jurisdiction: JurisdictionCode,
        id: Uuid,
    ) -> Result<Option<AdvanceRow>, StoreError> {
        Ok(advances::table
            .find((Value(jurisdiction), id))
            .select(AdvanceRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    /// Advances of these counties (empty: all), of one merchant if one is named, newest first.
    pub async fn advances(
        &mut self,
        jurisdictions: &[JurisdictionCode],
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
            let counties = jurisdictions.iter().copied().map(Value).collect::<Vec<_>>();
            query = query.filter(advances::jurisdiction.eq_any(counties));
        }
        if let Some(merchant) = merchant {
            query = query.filter(advances::merchant.eq(merchant.to_owned()));
        }
        Ok(query.load(self.pg()).await?)
    }

    /// What these payments of a county are set against, by payment and advance.
    pub async fn set_offs_of(
        &mut self,
        jurisdiction: JurisdictionCode,
        payments: &[Uuid],
    ) -> Result<Vec<SetOffRow>, StoreError> {
        Ok(advance_set_offs::table
            .filter(advance_set_offs::jurisdiction.eq(Value(jurisdiction)))
            .filter(advance_set_offs::payment.eq_any(payments.to_vec()))
            .order((advance_set_offs::payment, advance_set_offs::advance))
            .select(SetOffRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// Whether a hold that names no claim keeps this merchant's money of a fund back.
    pub async fn is_held(
        &mut self,
        (jurisdiction, programme): (JurisdictionCode, &str),
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
        .bind::<County, _>(jurisdiction)
        .bind::<Text, _>(programme.to_owned())
        .bind::<Text, _>(merchant.to_owned())
        .get_result(self.pg())
        .await?;
        Ok(held.held)
    }
}

impl Tx {
    /// These advances of a county, locked in order.
    pub async fn lock_advances(
        &mut self,
        jurisdiction: JurisdictionCode,
        ids: &[Uuid],
    ) -> Result<Vec<AdvanceRow>, StoreError> {
        Ok(advances::table
            .filter(advances::jurisdiction.eq(Value(jurisdiction)))
            .filter(advances::id.eq_any(ids.to_vec()))
            .order(advances::id)
            .for_update()
            .select(AdvanceRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// What these merchants have of a fund ahead of their claims, oldest first, at most `limit` of
    /// them.
    pub async fn open_advances(
        &mut self,
        (jurisdiction, programme): (JurisdictionCode, &str),
        merchants: &[String],
        limit: i64,
    ) -> Result<Vec<AdvanceRow>, StoreError> {
        Ok(advances::table
            .filter(advances::jurisdiction.eq(Value(jurisdiction)))
            .filter(advances::programme.eq(programme))
            .filter(advances::merchant.eq_any(merchants.to_vec()))
            .filter(advances::status.eq(Value(AdvanceStatus::Paid)))
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
        let sums = |value: fn(&AdvanceRow) -> Fen| rows.iter().map(value).collect::<Vec<_>>();
        let changed = Sql(
            "UPDATE advances a SET set_off = u.set_off, repaid = u.repaid, pending = u.pending, status = u.status, \
             paid_at = u.paid_at, closed_at = u.closed_at FROM UNNEST($1, $2, $3, $4, $5, $6, $7, $8) \
             AS u (jurisdiction, id, set_off, repaid, pending, status, paid_at, closed_at) \
             WHERE a.jurisdiction = u.jurisdiction AND a.id = u.id",
        )
        .bind::<Array<County>, _>(rows.iter().map(|row| row.jurisdiction).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.id).collect::<Vec<_>>())
        .bind::<Array<Money>, _>(sums(|row| row.set_off))
        .bind::<Array<Money>, _>(sums(|row| row.repaid))
        .bind::<Array<Money>, _>(sums(|row| row.pending))
        .bind::<Array<Word>, _>(rows.iter().map(|row| row.status).collect::<Vec<_>>())
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
