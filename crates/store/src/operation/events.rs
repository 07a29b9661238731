//! Audit events: the history of a subject, and who looked at personal data.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::batch::{Bind, Sql, batch_insert};
use crate::schema::events;
use crate::{Conn, StoreError};

batch_insert! {
    /// Who did what to which subject (a prefixed id), when, from which status to which, and why.
    /// Primary key: `jurisdiction`, `subject`, `id`.
    #[derive(Queryable, Selectable, QueryableByName)]
    #[diesel(table_name = events, check_for_backend(diesel::pg::Pg))]
    pub struct EventRow in "events" {
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

impl Conn {
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
