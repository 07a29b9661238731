//! Audit events, the outbox that tells them to the outside, the first answers to idempotency keys, and waitlist calls.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
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
        /// Its place in the county's log, given out when it is written; none if it concerns nobody outside.
        leaf: Option<i64> => Nullable<BigInt>,
        /// What was signed, as canonical JSON.
        detail: Option<String> => Nullable<Text>,
    }
}

/// Events of one county that were recorded together and are still to be told, by subject and id. `attempts` is 0 until somebody has
/// looked for merchants that are told of them, and 1 until the first attempt to tell the receiver of events.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = outbox, check_for_backend(diesel::pg::Pg))]
pub struct OutboxRow {
    pub jurisdiction: String,
    pub id: Uuid,
    pub subjects: Vec<String>,
    pub events: Vec<Uuid>,
    pub attempts: i32,
    pub due_at: DateTime<Utc>,
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

    /// Events of these subjects (each with its county) up to an instant, each subject's oldest first.
    pub async fn events_until(
        &mut self,
        subjects: &[(String, String)],
        until: DateTime<Utc>,
    ) -> Result<Vec<EventRow>, StoreError> {
        let (jurisdictions, subjects): (Vec<_>, Vec<_>) = subjects.iter().cloned().unzip();
        let rows = Sql(
            "SELECT e.* FROM UNNEST($1, $2) AS k (jurisdiction, subject) CROSS JOIN LATERAL (SELECT * FROM events e \
             WHERE e.jurisdiction = k.jurisdiction AND e.subject = k.subject AND e.at <= $3 ORDER BY e.id LIMIT $4) AS e \
             ORDER BY e.id",
        )
        .bind::<Array<Text>, _>(jurisdictions)
        .bind::<Array<Text>, _>(subjects)
        .bind::<Timestamptz, _>(until)
        .bind::<BigInt, _>(MOST_EVENTS)
        .load(self.pg())
        .await?;
        Ok(rows)
    }

    /// A county's looks at personal data, newest first.
    pub async fn reads(&mut self, filter: &ReadsFilter, limit: i64) -> Result<Vec<EventRow>, StoreError> {
        let (low, high) = crate::ids::between(filter.from, filter.until);
        // The verbs stand in the text, so that a generic plan can use the indexes that have nothing else.
        let text = match (&filter.subject, &filter.person) {
            (Some(_), _) => READS_OF_SUBJECT,
            (None, Some(_)) => READS_OF_PERSON,
            (None, None) => READS,
        };
        Ok(text
            .bind::<Text, _>(filter.jurisdiction.clone())
            .bind::<SqlUuid, _>(low)
            .bind::<SqlUuid, _>(filter.before.map_or(high, |before| before.min(high)))
            .bind::<Timestamptz, _>(filter.from.unwrap_or(DateTime::UNIX_EPOCH))
            .bind::<Nullable<Timestamptz>, _>(filter.until)
            .bind::<Nullable<Text>, _>(filter.person.clone())
            .bind::<Nullable<Text>, _>(filter.subject.clone())
            .bind::<BigInt, _>(limit)
            .load(self.pg())
            .await?)
    }

    /// The events of rows of the outbox, in the rows' order.
    pub async fn events_of(&mut self, rows: &[OutboxRow]) -> Result<Vec<EventRow>, StoreError> {
        let places = |row: &OutboxRow| std::iter::repeat_n(row.jurisdiction.clone(), row.events.len());
        Ok(Sql("SELECT e.* FROM UNNEST($1, $2, $3) WITH ORDINALITY AS k (jurisdiction, subject, id, n) \
             JOIN events e ON e.jurisdiction = k.jurisdiction AND e.subject = k.subject AND e.id = k.id ORDER BY k.n")
        .bind::<Array<Text>, _>(rows.iter().flat_map(places).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().flat_map(|row| row.subjects.clone()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(rows.iter().flat_map(|row| row.events.clone()).collect::<Vec<_>>())
        .load(self.pg())
        .await?)
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

    /// How many events wait to be told.
    pub async fn outbox_depth(&mut self) -> Result<i64, StoreError> {
        #[derive(QueryableByName)]
        struct Depth {
            #[diesel(sql_type = BigInt)]
            events: i64,
        }
        let depth: Depth = Sql("SELECT coalesce(sum(cardinality(events)), 0)::bigint AS events FROM outbox")
            .get_result(self.pg())
            .await?;
        Ok(depth.events)
    }
}

/// Which looks at personal data.
#[derive(Debug, Clone, Default)]
pub struct ReadsFilter {
    pub jurisdiction: String,
    pub person: Option<String>,
    pub subject: Option<String>,
    pub from: Option<DateTime<Utc>>,
    /// Excluded.
    pub until: Option<DateTime<Utc>>,
    /// The last row of the page before.
    pub before: Option<Uuid>,
}

macro_rules! reads {
    ($name:ident = $which:literal) => {
        const $name: Sql = Sql(concat!(
            "SELECT * FROM events WHERE jurisdiction = $1 AND id > $2 AND id < $3 AND at >= $4 \
             AND ($5::timestamptz IS NULL OR at < $5) AND verb IN ('reveal', 'hand_out_instruction', 'export_claims') \
             AND ($6::text IS NULL OR person = $6) AND ($7::text IS NULL OR subject = $7) ",
            $which,
            " ORDER BY id DESC LIMIT $8"
        ));
    };
}
reads!(READS = "");
reads!(READS_OF_PERSON = "AND person = $6");
reads!(READS_OF_SUBJECT = "AND subject = $7");

/// A claim has some dozens at most; what is beyond this is not looked at.
const MOST_EVENTS: i64 = 10_000;

/// The most events of one row of the outbox: what one call to their receiver takes at most.
const TOLD_TOGETHER: usize = 200;

/// Writes events and, for those the outside is told of, one row a county (two above [`TOLD_TOGETHER`] events, and so on).
pub(crate) async fn record_events(pg: &AsyncPgConnection, events: &[EventRow]) -> Result<(), StoreError> {
    let mut counties = BTreeMap::<&str, Vec<&EventRow>>::new();
    for event in events {
        counties.entry(&event.jurisdiction).or_default().push(event);
    }
    let rows = counties.values().flat_map(|events| events.chunks(TOLD_TOGETHER));
    // An array of arrays is a rectangle in SQL, so each row's places in the set are sent instead.
    let (mut ids, mut places, mut dues) = (Vec::new(), Vec::new(), Vec::new());
    let (mut of, mut subjects, mut told_ids) = (Vec::new(), Vec::new(), Vec::new());
    for (place, row) in rows.enumerate() {
        let place = i32::try_from(place).unwrap_or(i32::MAX);
        let Some(first) = row.first() else { continue };
        ids.push(first.id);
        places.push((place, first.jurisdiction.as_str()));
        dues.push(first.at);
        for event in row {
            of.push(place);
            subjects.push(event.subject.as_str());
            told_ids.push(event.id);
        }
    }
    let queue = Sql("INSERT INTO outbox (jurisdiction, id, subjects, events, attempts, due_at) \
         SELECT r.jurisdiction, r.id, e.subjects, e.events, 0, r.due_at \
         FROM UNNEST($1, $2, $3, $4) AS r (jurisdiction, id, place, due_at) JOIN (SELECT place, \
         array_agg(subject ORDER BY n) AS subjects, array_agg(event ORDER BY n) AS events \
         FROM UNNEST($5, $6, $7) WITH ORDINALITY AS u (place, subject, event, n) GROUP BY place) AS e USING (place)")
    .bind::<Array<Text>, _>(places.iter().map(|it| it.1).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Integer>, _>(places.iter().map(|it| it.0).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(dues)
    .bind::<Array<Integer>, _>(of)
    .bind::<Array<Text>, _>(subjects)
    .bind::<Array<SqlUuid>, _>(told_ids);
    let queue = async {
        if places.is_empty() {
            return Ok(0);
        }
        let mut pg = pg;
        queue.execute(&mut pg).await
    };
    let (recorded, queued) = futures::join!(EventRow::insert_on(pg, events), queue);
    recorded?;
    queued?;
    Ok(())
}

impl Tx {
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

    /// Rows of the outbox that nobody has looked at, locked; those another worker holds are passed over.
    pub async fn new_outbox(&mut self, now: DateTime<Utc>, limit: i64) -> Result<Vec<OutboxRow>, StoreError> {
        let rows = outbox::table
            .filter(outbox::due_at.le(now))
            .filter(outbox::attempts.eq(0))
            .order(outbox::due_at)
            .limit(limit)
            .for_update()
            .skip_locked()
            .select(OutboxRow::as_select())
            .load(self.pg())
            .await?;
        Ok(rows)
    }

    /// Marks rows of the outbox as looked at: they may be told now.
    pub async fn looked_at(&mut self, rows: &[OutboxRow]) -> Result<(), StoreError> {
        Sql(
            "UPDATE outbox o SET attempts = 1 FROM UNNEST($1, $2) AS t (jurisdiction, id) \
             WHERE o.jurisdiction = t.jurisdiction AND o.id = t.id",
        )
        .bind::<Array<Text>, _>(rows.iter().map(|r| r.jurisdiction.clone()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|r| r.id).collect::<Vec<_>>())
        .execute(self.pg())
        .await?;
        Ok(())
    }

    /// Rows of the outbox that were looked at and are due, locked; those another worker holds are passed over.
    pub async fn due_outbox(&mut self, now: DateTime<Utc>, limit: i64) -> Result<Vec<OutboxRow>, StoreError> {
        let rows = outbox::table
            .filter(outbox::due_at.le(now))
            .filter(outbox::attempts.gt(0))
            .order(outbox::due_at)
            .limit(limit)
            .for_update()
            .skip_locked()
            .select(OutboxRow::as_select())
            .load(self.pg())
            .await?;
        Ok(rows)
    }

    /// Takes rows off the outbox, their events told.
    pub async fn told(&mut self, rows: &[OutboxRow]) -> Result<(), StoreError> {
        Sql(
            "DELETE FROM outbox o USING UNNEST($1, $2) AS t (jurisdiction, id) \
             WHERE o.jurisdiction = t.jurisdiction AND o.id = t.id",
        )
        .bind::<Array<Text>, _>(rows.iter().map(|r| r.jurisdiction.clone()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|r| r.id).collect::<Vec<_>>())
        .execute(self.pg())
        .await?;
        Ok(())
    }

    /// Puts rows of the outbox off to a later try.
    pub async fn tell_later(&mut self, rows: &[OutboxRow]) -> Result<(), StoreError> {
        Sql("UPDATE outbox o SET attempts = t.attempts, due_at = t.due_at \
             FROM UNNEST($1, $2, $3, $4) AS t (jurisdiction, id, attempts, due_at) \
             WHERE o.jurisdiction = t.jurisdiction AND o.id = t.id")
        .bind::<Array<Text>, _>(rows.iter().map(|r| r.jurisdiction.clone()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|r| r.id).collect::<Vec<_>>())
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
