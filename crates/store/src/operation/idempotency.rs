//! The first answers to idempotency keys.
//!
//! The primary key decides a race between two requests with one key: the second waits for the first's transaction.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::batch::{Bind, Sql, batch_insert};
use crate::schema::idempotency_keys;
use crate::{Conn, StoreError, Tx};

batch_insert! {
    /// The first answer to a key: a claim, whose decision rebuilds the answer, or the answer itself as JSON.
    /// Primary key: `client`, `key`.
    #[derive(Queryable, Selectable, QueryableByName)]
    #[diesel(table_name = idempotency_keys, check_for_backend(diesel::pg::Pg))]
    pub struct IdempotencyRow in "idempotency_keys" {
        client: String => Text,
        key: String => Text,
        request: Vec<u8> => Bytea,
        operation: String => Text,
        claim_jurisdiction: Option<String> => Nullable<Text>,
        claim: Option<Uuid> => Nullable<SqlUuid>,
        answer: Option<String> => Nullable<Text>,
        created_at: DateTime<Utc> => Timestamptz,
    }
}

impl IdempotencyRow {
    /// Remembers keys, waiting for another transaction that holds one of them, and returns those that were new, with their
    /// clients.
    pub(crate) async fn remember(
        mut pg: &AsyncPgConnection,
        rows: &[Self],
    ) -> Result<Vec<(String, String)>, StoreError> {
        #[derive(QueryableByName)]
        struct New {
            #[diesel(sql_type = Text)]
            client: String,
            #[diesel(sql_type = Text)]
            key: String,
        }
        let mut rows = rows.iter().collect::<Vec<_>>();
        rows.sort_by(|a, b| (&a.client, &a.key).cmp(&(&b.client, &b.key)));
        let new: Vec<New> = Sql("INSERT INTO idempotency_keys \
             (client, key, request, operation, claim_jurisdiction, claim, answer, created_at) \
             SELECT * FROM UNNEST($1, $2, $3, $4, $5, $6, $7, $8) \
             ON CONFLICT ON CONSTRAINT idempotency_keys_pkey DO NOTHING RETURNING client, key")
        .bind::<Array<Text>, _>(rows.iter().map(|r| r.client.clone()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|r| r.key.clone()).collect::<Vec<_>>())
        .bind::<Array<Bytea>, _>(rows.iter().map(|r| r.request.clone()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|r| r.operation.clone()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(
            rows.iter()
                .map(|r| r.claim_jurisdiction.clone())
                .collect::<Vec<_>>(),
        )
        .bind::<Array<Nullable<SqlUuid>>, _>(rows.iter().map(|r| r.claim).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(rows.iter().map(|r| r.answer.clone()).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(rows.iter().map(|r| r.created_at).collect::<Vec<_>>())
        .load(&mut pg)
        .await?;
        Ok(new.into_iter().map(|row| (row.client, row.key)).collect())
    }

    /// What is remembered of these keys, each with its client.
    pub(crate) async fn known(
        mut pg: &AsyncPgConnection,
        keys: &[(String, String)],
    ) -> Result<Vec<Self>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let (clients, keys): (Vec<_>, Vec<_>) = keys.iter().cloned().unzip();
        Ok(Sql(
            "SELECT i.* FROM idempotency_keys i JOIN UNNEST($1, $2) AS k (client, key) \
             ON i.client = k.client AND i.key = k.key",
        )
        .bind::<Array<Text>, _>(clients)
        .bind::<Array<Text>, _>(keys)
        .load(&mut pg)
        .await?)
    }
}

impl Conn {
    /// What is remembered of these keys, each with its client.
    pub async fn used_keys(&mut self, keys: &[(String, String)]) -> Result<Vec<IdempotencyRow>, StoreError> {
        IdempotencyRow::known(self.pg(), keys).await
    }

    /// What is remembered of these keys of a client.
    pub async fn idempotency_keys(
        &mut self,
        client: &str,
        keys: &[String],
    ) -> Result<Vec<IdempotencyRow>, StoreError> {
        let rows = idempotency_keys::table
            .filter(idempotency_keys::client.eq(client))
            .filter(idempotency_keys::key.eq_any(keys))
            .select(IdempotencyRow::as_select())
            .load(self.pg())
            .await?;
        Ok(rows)
    }
}

impl Tx {
    /// Forgets first answers older than an instant, a bounded number at a time.
    pub async fn forget_idempotency_keys(
        &mut self,
        before: DateTime<Utc>,
        limit: i64,
    ) -> Result<usize, StoreError> {
        let forgotten = Sql(
            "DELETE FROM idempotency_keys i USING (SELECT client, key FROM idempotency_keys \
             WHERE created_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED) o \
             WHERE i.client = o.client AND i.key = o.key",
        )
        .bind::<Timestamptz, _>(before)
        .bind::<BigInt, _>(limit)
        .execute(self.pg())
        .await?;
        Ok(forgotten)
    }
}
