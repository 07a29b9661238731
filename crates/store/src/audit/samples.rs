//! Samples of approved claims: commitments to a seed, and what was drawn with it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::batch::{Bind, Sql};
use crate::schema::{events, samples};
use crate::{Conn, StoreError, Tx};

/// What an auditor committed to, with the leaf that has it, and what was drawn from how many. Once it is drawn, all that begins with
/// `seed` is there.
/// Primary key: `jurisdiction`, `id`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = samples, check_for_backend(diesel::pg::Pg))]
pub struct SampleRow {
    pub jurisdiction: String,
    pub id: Uuid,
    pub programme: Option<String>,
    pub since: DateTime<Utc>,
    pub until: DateTime<Utc>,
    pub size: i32,
    pub commitment: Vec<u8>,
    pub leaf: i64,
    pub leaf_hash: Vec<u8>,
    pub committer: String,
    pub committed_at: DateTime<Utc>,
    pub seed: Option<Vec<u8>>,
    pub population: Option<i64>,
    pub drawn_leaf: Option<i64>,
    pub drawer: Option<String>,
    pub drawn_at: Option<DateTime<Utc>>,
}

/// The same with the claims, which may be a thousand.
/// Primary key: `jurisdiction`, `id`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = samples, check_for_backend(diesel::pg::Pg))]
pub struct WholeSampleRow {
    #[diesel(embed)]
    pub sample: SampleRow,
    pub claims: Option<Vec<Uuid>>,
}

/// An approval of a county in a period, and where the next ones are to be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub struct Approved {
    #[diesel(sql_type = SqlUuid)]
    pub claim: Uuid,
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    #[diesel(sql_type = SqlUuid)]
    pub event: Uuid,
}

impl Conn {
    pub async fn sample(
        &mut self,
        jurisdiction: &str,
        id: Uuid,
    ) -> Result<Option<WholeSampleRow>, StoreError> {
        Ok(samples::table
            .find((jurisdiction, id))
            .select(WholeSampleRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    /// A county's samples, newest first.
    pub async fn samples(
        &mut self,
        jurisdiction: &str,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<SampleRow>, StoreError> {
        Ok(samples::table
            .filter(samples::jurisdiction.eq(jurisdiction))
            .filter(samples::id.lt(before.unwrap_or(Uuid::max())))
            .order(samples::id.desc())
            .limit(limit)
            .select(SampleRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// Whether a commitment was made in this county before.
    pub async fn is_committed(&mut self, jurisdiction: &str, commitment: &[u8]) -> Result<bool, StoreError> {
        let found = samples::table
            .filter(samples::jurisdiction.eq(jurisdiction))
            .filter(samples::commitment.eq(commitment));
        Ok(diesel::select(diesel::dsl::exists(found))
            .get_result(self.pg())
            .await?)
    }

    /// The place in the log of one event.
    pub async fn leaf_of(
        &mut self,
        jurisdiction: &str,
        subject: &str,
        event: Uuid,
    ) -> Result<Option<i64>, StoreError> {
        let leaf: Option<Option<i64>> = events::table
            .find((jurisdiction, subject, event))
            .select(events::leaf)
            .first(self.pg())
            .await
            .optional()?;
        Ok(leaf.flatten())
    }

    /// Claims that were approved in `[since, until)`, of one programme or of all, in order of time, behind one that is known.
    pub async fn approved(
        &mut self,
        row: &SampleRow,
        after: Option<Approved>,
        limit: i64,
    ) -> Result<Vec<Approved>, StoreError> {
        // The verb stands in the text, so that a generic plan can use the index that has nothing else.
        Ok(Sql(
            "SELECT right(e.subject, 32)::uuid AS claim, e.at, e.id AS event FROM events e \
             WHERE e.verb = 'approve' AND e.jurisdiction = $1 AND (e.at, e.id) > ($2, $3) AND e.at < $4 \
             AND ($5 IS NULL OR EXISTS (SELECT FROM claims c WHERE c.jurisdiction = e.jurisdiction \
             AND c.id = right(e.subject, 32)::uuid AND c.programme = $5)) ORDER BY e.at, e.id LIMIT $6",
        )
        .bind::<Text, _>(row.jurisdiction.clone())
        // No event has the nil id, so the period's first instant is in it.
        .bind::<Timestamptz, _>(after.map_or(row.since, |it| it.at))
        .bind::<SqlUuid, _>(after.map_or(Uuid::nil(), |it| it.event))
        .bind::<Timestamptz, _>(row.until)
        .bind::<Nullable<Text>, _>(row.programme.clone())
        .bind::<BigInt, _>(limit)
        .load(self.pg())
        .await?)
    }
}

impl Tx {
    pub async fn commit_sample(&mut self, row: &SampleRow) -> Result<(), StoreError> {
        diesel::insert_into(samples::table)
            .values(row)
            .execute(self.pg())
            .await?;
        Ok(())
    }

    /// Adds the draw. Nothing else of a sample ever changes.
    pub async fn draw_sample(&mut self, row: &WholeSampleRow) -> Result<(), StoreError> {
        let WholeSampleRow { sample, claims } = row;
        diesel::update(samples::table.find((&sample.jurisdiction, sample.id)))
            .set((
                samples::seed.eq(&sample.seed),
                samples::population.eq(sample.population),
                samples::claims.eq(claims),
                samples::drawn_leaf.eq(sample.drawn_leaf),
                samples::drawer.eq(&sample.drawer),
                samples::drawn_at.eq(sample.drawn_at),
            ))
            .execute(self.pg())
            .await?;
        Ok(())
    }
}
