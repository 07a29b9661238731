//! What a claim holds besides money: unique keys across all counties and years, and its person's
//! quota.

use claims::keys::UniqueKind;
use claims::{Digest, JurisdictionCode};
use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::batch::{Bind, Sql, batch_insert};
use crate::columns::{self, County, Value, Word};
use crate::schema::{quotas, unique_keys};
use crate::{Conn, StoreError, Tx};

batch_insert! {
    /// A key and its only holder. `digest` is the keyed hash of kind and value.
    /// Primary key: `digest`.
    #[derive(Queryable, Selectable)]
    #[diesel(table_name = unique_keys, check_for_backend(diesel::pg::Pg))]
    pub struct UniqueKeyRow in "unique_keys" {
        digest: Digest => columns::Digest,
        kind: UniqueKind => Word,
        jurisdiction: JurisdictionCode => County,
        claim: Uuid => SqlUuid,
    }
}

/// How often a person was subsidised in a slot, and how often at most.
/// Primary key: `person`, `slot`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = quotas, check_for_backend(diesel::pg::Pg))]
pub struct QuotaRow {
    pub person: Digest,
    pub slot: String,
    pub used: i32,
    pub ceiling: i32,
}

impl UniqueKeyRow {
    /// The holders of these keys now; keys that are free are absent.
    pub(crate) async fn holders(
        mut pg: &AsyncPgConnection,
        digests: &[Digest],
    ) -> Result<Vec<Self>, StoreError> {
        let rows = unique_keys::table
            .filter(unique_keys::digest.eq_any(digests.iter().copied().map(Value)))
            .select(Self::as_select())
            .load(&mut pg)
            .await?;
        Ok(rows)
    }

    /// Takes keys, in the order of their digests so that two batches cannot wait for each other. A
    /// key that was taken since it was read violates `unique_keys_pkey`.
    pub(crate) async fn take(pg: &AsyncPgConnection, mut rows: Vec<Self>) -> Result<(), StoreError> {
        rows.sort_by_key(|row| row.digest);
        Self::insert_on(pg, &rows).await?;
        Ok(())
    }

    /// Gives up every key in the list that one of these claims holds.
    pub(crate) async fn release(
        mut pg: &AsyncPgConnection,
        digests: &[Digest],
        claims: &[Uuid],
    ) -> Result<(), StoreError> {
        if digests.is_empty() {
            return Ok(());
        }
        Sql("DELETE FROM unique_keys WHERE digest = ANY($1) AND claim = ANY($2)")
            .bind::<Array<columns::Digest>, _>(digests.to_vec())
            .bind::<Array<SqlUuid>, _>(claims.to_vec())
            .execute(&mut pg)
            .await?;
        Ok(())
    }
}

impl QuotaRow {
    /// The quotas of these persons, in all slots they ever used.
    pub(crate) async fn of_persons(
        mut pg: &AsyncPgConnection,
        persons: &[Digest],
    ) -> Result<Vec<Self>, StoreError> {
        let rows = quotas::table
            .filter(quotas::person.eq_any(persons.iter().copied().map(Value)))
            .select(Self::as_select())
            .load(&mut pg)
            .await?;
        Ok(rows)
    }

    /// Changes quotas by `used` (which may be negative), in the order of their keys. One that would
    /// pass its ceiling violates `quotas_within_ceiling`.
    pub(crate) async fn change(mut pg: &AsyncPgConnection, mut changes: Vec<Self>) -> Result<(), StoreError> {
        changes.retain(|change| change.used != 0);
        if changes.is_empty() {
            return Ok(());
        }
        changes.sort_by(|a, b| (&a.person, &a.slot).cmp(&(&b.person, &b.slot)));
        let (taken, given): (Vec<_>, Vec<_>) = changes.into_iter().partition(|change| change.used > 0);
        if !taken.is_empty() {
            Sql(
                "INSERT INTO quotas AS q (person, slot, used, ceiling) SELECT * FROM UNNEST($1, $2, $3, $4) \
                 ON CONFLICT ON CONSTRAINT quotas_pkey \
                 DO UPDATE SET used = q.used + excluded.used, ceiling = excluded.ceiling",
            )
            .bind::<Array<columns::Digest>, _>(taken.iter().map(|q| q.person).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(taken.iter().map(|q| q.slot.clone()).collect::<Vec<_>>())
            .bind::<Array<Integer>, _>(taken.iter().map(|q| q.used).collect::<Vec<_>>())
            .bind::<Array<Integer>, _>(taken.iter().map(|q| q.ceiling).collect::<Vec<_>>())
            .execute(&mut pg)
            .await?;
        }
        if !given.is_empty() {
            let changed = Sql("UPDATE quotas q SET used = q.used + u.used FROM UNNEST($1, $2, $3) AS u (person, slot, used) \
                 WHERE q.person = u.person AND q.slot = u.slot")
            .bind::<Array<columns::Digest>, _>(given.iter().map(|q| q.person).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(given.iter().map(|q| q.slot.clone()).collect::<Vec<_>>())
            .bind::<Array<Integer>, _>(given.iter().map(|q| q.used).collect::<Vec<_>>())
            .execute(&mut pg)
            .await?;
            if changed != given.len() {
                return Err(StoreError::Stale("quota"));
            }
        }
        Ok(())
    }
}

impl Conn {
    /// The holders of these keys now; keys that are free are absent.
    pub async fn holders(&mut self, digests: &[Digest]) -> Result<Vec<UniqueKeyRow>, StoreError> {
        UniqueKeyRow::holders(self.pg(), digests).await
    }

    /// The quotas of these persons, in all slots they ever used.
    pub async fn quotas(&mut self, persons: &[Digest]) -> Result<Vec<QuotaRow>, StoreError> {
        QuotaRow::of_persons(self.pg(), persons).await
    }
}

impl Tx {
    /// Gives up every key in the list that one of these claims holds.
    pub async fn release_keys(&mut self, digests: &[Digest], claims: &[Uuid]) -> Result<(), StoreError> {
        UniqueKeyRow::release(self.pg(), digests, claims).await
    }

    /// Changes quotas by `used` (which may be negative). One that would pass its ceiling violates
    /// `quotas_within_ceiling`.
    pub async fn use_quotas(&mut self, changes: Vec<QuotaRow>) -> Result<(), StoreError> {
        QuotaRow::change(self.pg(), changes).await
    }
}
