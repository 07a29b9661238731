//! Recorded claims with the receipts of the decisions that stand, in order of arrival, for a replay. Nothing is written.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bytea, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::batch::{Bind, Sql};
use crate::{Conn, StoreError};

/// Which claims are replayed.
#[derive(Debug, Clone)]
pub struct ReplayFilter {
    pub jurisdiction: String,
    pub programme: String,
    /// Of arrival; `until` is excluded.
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
}

/// A claim of the county. The receipt, packed, is there if the claim is one of the filter's.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct RecordedRow {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub category: String,
    #[diesel(sql_type = Bytea)]
    pub person: Vec<u8>,
    #[diesel(sql_type = Nullable<SmallInt>)]
    pub packing: Option<i16>,
    #[diesel(sql_type = Nullable<Bytea>)]
    pub receipt: Option<Vec<u8>>,
}

/// Money of a fund that claims hold, by category and month.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct HeldRow {
    #[diesel(sql_type = Text)]
    pub jurisdiction: String,
    #[diesel(sql_type = Text)]
    pub category: String,
    /// `yyyy-mm`.
    #[diesel(sql_type = Text)]
    pub month: String,
    #[diesel(sql_type = BigInt)]
    pub amount: i64,
}

impl Conn {
    /// The next claims of a county by arrival, whatever their programme: at most `limit` are looked at, so that a statement's
    /// work does not depend on how many are the filter's.
    pub async fn recorded_after(
        &mut self,
        filter: &ReplayFilter,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<RecordedRow>, StoreError> {
        Ok(Sql(
            "SELECT c.id, c.created_at, c.category, c.person, d.packing, d.receipt FROM (SELECT * FROM claims \
             WHERE jurisdiction = $1 AND id > $2 ORDER BY id LIMIT $3) AS c LEFT JOIN decisions d \
             ON d.jurisdiction = $1 AND d.claim = c.id AND d.revision = c.decided AND c.programme = $4 \
             AND ($5::timestamptz IS NULL OR c.created_at >= $5) AND ($6::timestamptz IS NULL OR c.created_at < $6) \
             ORDER BY c.id",
        )
        .bind::<Text, _>(filter.jurisdiction.clone())
        .bind::<SqlUuid, _>(after)
        .bind::<BigInt, _>(limit)
        .bind::<Text, _>(filter.programme.clone())
        .bind::<Nullable<Timestamptz>, _>(filter.from)
        .bind::<Nullable<Timestamptz>, _>(filter.until)
        .load(self.pg())
        .await?)
    }

    /// What claims of a county in a programme that arrived before an instant hold of its funds; what came back of a clawback is held no
    /// more.
    pub async fn held_before(
        &mut self,
        jurisdiction: &str,
        programme: &str,
        before: DateTime<Utc>,
    ) -> Result<Vec<HeldRow>, StoreError> {
        Ok(Sql(
            "SELECT c.jurisdiction, c.category, c.committed_month AS month, \
             sum(c.amount - coalesce(k.repaid + k.netted, 0))::bigint AS amount \
             FROM claims c LEFT JOIN clawbacks k ON k.jurisdiction = c.jurisdiction AND k.claim = c.id \
             WHERE c.jurisdiction = $1 AND c.programme = $2 AND c.committed AND c.created_at < $3 AND c.id < $4 \
             GROUP BY c.jurisdiction, c.category, c.committed_month ORDER BY c.category, c.committed_month",
        )
        .bind::<Text, _>(jurisdiction.to_owned())
        .bind::<Text, _>(programme.to_owned())
        .bind::<Timestamptz, _>(before)
        .bind::<SqlUuid, _>(crate::ids::between(None, Some(before)).1)
        .load(self.pg())
        .await?)
    }
}
