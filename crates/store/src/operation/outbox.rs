//! The outbox: events that are still to be told to the outside, queued in the transaction that records them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::batch::{Bind, Sql};
use crate::operation::EventRow;
use crate::schema::outbox;
use crate::{Conn, StoreError, Tx};

/// Events of one county that were recorded together and are still to be told, by subject and id. `attempts` is 0 until somebody has
/// looked for merchants that are told of them, and 1 until the first attempt to tell the receiver of events.
/// Primary key: `jurisdiction`, `id`.
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

impl Conn {
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

impl Tx {
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
}
