//! Appropriations and cap changes, made and checked by two persons; disbursements and their lines.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::batch::{Bind, Sql, batch_insert};
use crate::schema::{appropriations, cap_changes, disbursement_lines, disbursements};
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

/// A proposal that replaces all caps of a jurisdiction and programme; `caps` is JSON.
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

/// A payout of a fund's payable claims. `status` is made, released, settled or cancelled; `total` in fen.
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
}

batch_insert! {
    /// One claim in a disbursement. `outcome` is open, paid, failed or cancelled.
    #[derive(Queryable, Selectable)]
    #[diesel(table_name = disbursement_lines, check_for_backend(diesel::pg::Pg))]
    LineRow => "disbursement_lines" {
        jurisdiction: String => Text,
        disbursement: Uuid => SqlUuid,
        claim: Uuid => SqlUuid,
        payment: Uuid => SqlUuid,
        amount: i64 => BigInt,
        outcome: String => Text,
        reason: Option<String> => Nullable<Text>,
        settled_at: Option<DateTime<Utc>> => Nullable<Timestamptz>,
    }
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

    /// A page of a disbursement's lines by claim.
    pub async fn lines(
        &mut self,
        jurisdiction: &str,
        disbursement: Uuid,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<LineRow>, StoreError> {
        Ok(disbursement_lines::table
            .filter(disbursement_lines::jurisdiction.eq(jurisdiction))
            .filter(disbursement_lines::disbursement.eq(disbursement))
            .filter(disbursement_lines::claim.gt(after.unwrap_or(Uuid::nil())))
            .order(disbursement_lines::claim)
            .limit(limit)
            .select(LineRow::as_select())
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

    pub async fn add_disbursement(
        &mut self,
        row: &DisbursementRow,
        lines: &[LineRow],
    ) -> Result<(), StoreError> {
        diesel::insert_into(disbursements::table)
            .values(row)
            .execute(self.pg())
            .await?;
        LineRow::insert(self, lines).await?;
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

    /// Closes open lines with their outcomes. A line that is no longer open is [`StoreError::Stale`].
    pub async fn settle_lines(&mut self, rows: &[LineRow]) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let changed = Sql(
            "UPDATE disbursement_lines l SET outcome = u.outcome, reason = u.reason, \
             settled_at = u.settled_at FROM UNNEST($1, $2, $3, $4, $5, $6) \
             AS u (jurisdiction, disbursement, claim, outcome, reason, settled_at) \
             WHERE l.jurisdiction = u.jurisdiction AND l.disbursement = u.disbursement AND l.claim = u.claim \
             AND l.outcome = 'open'",
        )
        .bind::<Array<Text>, _>(rows.iter().map(|r| r.jurisdiction.clone()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|r| r.disbursement).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|r| r.claim).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|r| r.outcome.clone()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(rows.iter().map(|r| r.reason.clone()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Timestamptz>>, _>(rows.iter().map(|r| r.settled_at).collect::<Vec<_>>())
        .execute(self.pg())
        .await?;
        if changed == rows.len() {
            Ok(())
        } else {
            Err(StoreError::Stale("payment"))
        }
    }

    /// All lines of a disbursement; they are bounded by the limit it was made with.
    pub async fn all_lines(
        &mut self,
        jurisdiction: &str,
        disbursement: Uuid,
    ) -> Result<Vec<LineRow>, StoreError> {
        self.lines(jurisdiction, disbursement, None, i64::MAX).await
    }
}
