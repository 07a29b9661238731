//! Audit events, the outbox that tells them to the outside, the first answers to idempotency keys, and waitlist calls.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::batch::{Bind, Sql, batch_insert};
use crate::schema::{events, idempotency_keys, outbox, waitlist_calls};
use crate::{Conn, StoreError, Tx};

batch_insert! {
    /// Who did what to which subject (a prefixed id), when, from which status to which, and why.
    #[derive(Queryable, Selectable, QueryableByName)]
    #[diesel(table_name = events, check_for_backend(diesel::pg::Pg))]
    EventRow => "events" {
        jurisdiction: String => Text,
        id: Uuid => SqlUuid,
        subject: String => Text,
        verb: String => Text,
        actor: String => Text,
        person: String => Text,
        at: DateTime<Utc> => Timestamptz,
        revision: Option<i32> => Nullable<Integer>,
        from_status: Option<String> => Nullable<Text>,
        to_status: Option<String> => Nullable<Text>,
        reason: Option<String> => Nullable<Text>,
        request: Option<String> => Nullable<Text>,
    }
}

batch_insert! {
    /// An event still to be told.
    #[derive(Queryable, Selectable)]
    #[diesel(table_name = outbox, check_for_backend(diesel::pg::Pg))]
    OutboxRow => "outbox" {
        jurisdiction: String => Text,
        event: Uuid => SqlUuid,
        attempts: i32 => Integer,
        due_at: DateTime<Utc> => Timestamptz,
    }
}

batch_insert! {
    /// The first answer to a key: a claim, whose decision rebuilds the answer, or the answer itself as JSON.
    #[derive(Queryable, Selectable, QueryableByName)]
    #[diesel(table_name = idempotency_keys, check_for_backend(diesel::pg::Pg))]
    IdempotencyRow => "idempotency_keys" {
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

batch_insert! {
    /// Money came back to a fund: somebody may move up.
    #[derive(Queryable, Selectable, QueryableByName)]
    #[diesel(table_name = waitlist_calls, check_for_backend(diesel::pg::Pg))]
    WaitlistCallRow => "waitlist_calls" {
        jurisdiction: String => Text,
        id: Uuid => SqlUuid,
        programme: String => Text,
        due_at: DateTime<Utc> => Timestamptz,
    }
}

impl Conn {
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

    /// The history of a subject, oldest first.
    pub async fn events(
        &mut self,
        jurisdiction: &str,
        subject: &str,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<EventRow>, StoreError> {
        let rows = events::table
            .filter(events::jurisdiction.eq(jurisdiction))
            .filter(events::subject.eq(subject))
            .filter(events::id.gt(after.unwrap_or(Uuid::nil())))
            .order(events::id)
            .limit(limit)
            .select(EventRow::as_select())
            .load(self.pg())
            .await?;
        Ok(rows)
    }

    /// Funds whose waitlist was called, oldest call first.
    pub async fn called_waitlists(
        &mut self,
        now: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<WaitlistCallRow>, StoreError> {
        Ok(waitlist_calls::table
            .filter(waitlist_calls::due_at.le(now))
            .order(waitlist_calls::due_at)
            .limit(limit)
            .select(WaitlistCallRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// How many events wait to be told, and the age of the oldest's due time.
    pub async fn outbox_depth(&mut self) -> Result<i64, StoreError> {
        Ok(outbox::table.count().get_result(self.pg()).await?)
    }
}

impl Tx {
    /// Remembers keys, waiting for another transaction that holds one of them, and returns those that were new.
    pub async fn remember_keys(
        &mut self,
        rows: &[IdempotencyRow],
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
        .load(self.pg())
        .await?;
        Ok(new.into_iter().map(|row| (row.client, row.key)).collect())
    }

    /// Drops the calls to one fund's waitlist that are due, because it is being served now.
    pub async fn answer_waitlist_calls(
        &mut self,
        jurisdiction: &str,
        programme: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        diesel::delete(
            waitlist_calls::table
                .filter(waitlist_calls::jurisdiction.eq(jurisdiction))
                .filter(waitlist_calls::programme.eq(programme))
                .filter(waitlist_calls::due_at.le(now)),
        )
        .execute(self.pg())
        .await?;
        Ok(())
    }

    /// Events due to be told, locked; those another worker holds are passed over.
    pub async fn due_events(
        &mut self,
        now: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<(OutboxRow, EventRow)>, StoreError> {
        let rows = outbox::table
            .inner_join(
                events::table.on(events::jurisdiction
                    .eq(outbox::jurisdiction)
                    .and(events::id.eq(outbox::event))),
            )
            .filter(outbox::due_at.le(now))
            .order(outbox::due_at)
            .limit(limit)
            .for_update()
            .skip_locked()
            .select((OutboxRow::as_select(), EventRow::as_select()))
            .load(self.pg())
            .await?;
        Ok(rows)
    }

    pub async fn told(&mut self, rows: &[OutboxRow]) -> Result<(), StoreError> {
        Sql(
            "DELETE FROM outbox o USING UNNEST($1, $2) AS t (jurisdiction, event) \
             WHERE o.jurisdiction = t.jurisdiction AND o.event = t.event",
        )
        .bind::<Array<Text>, _>(rows.iter().map(|r| r.jurisdiction.clone()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|r| r.event).collect::<Vec<_>>())
        .execute(self.pg())
        .await?;
        Ok(())
    }

    /// Puts events off to a later try.
    pub async fn tell_later(&mut self, rows: &[OutboxRow]) -> Result<(), StoreError> {
        Sql("UPDATE outbox o SET attempts = t.attempts, due_at = t.due_at \
             FROM UNNEST($1, $2, $3, $4) AS t (jurisdiction, event, attempts, due_at) \
             WHERE o.jurisdiction = t.jurisdiction AND o.event = t.event")
        .bind::<Array<Text>, _>(rows.iter().map(|r| r.jurisdiction.clone()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|r| r.event).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(rows.iter().map(|r| r.attempts).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(rows.iter().map(|r| r.due_at).collect::<Vec<_>>())
        .execute(self.pg())
        .await?;
        Ok(())
    }

    /// Forgets first answers older than an instant, a bounded number at a time.
    pub async fn forget_idempotency_keys(
        &mut self,
        before: DateTime<Utc>,
        limit: i64,
    ) -> Result<usize, StoreError> {
        let forgotten = Sql(
            "DELETE FROM idempotency_keys i USING (SELECT client, key FROM idempotency_keys \
             WHERE created_at < $1 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED) o \
             WHERE i.client = o.client AND i.key = o.key",
        )
        .bind::<Timestamptz, _>(before)
        .bind::<BigInt, _>(limit)
        .execute(self.pg())
        .await?;
        Ok(forgotten)
    }
}
