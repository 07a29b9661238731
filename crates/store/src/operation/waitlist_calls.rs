//! Calls of waitlists: funds to which money came back, until their waitlists are served.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::batch::batch_insert;
use crate::schema::waitlist_calls;
use crate::{Conn, StoreError, Tx};

batch_insert! {
    /// Money came back to a fund: somebody may move up.
    /// Primary key: `jurisdiction`, `id`.
    #[derive(Queryable, Selectable, QueryableByName)]
    #[diesel(table_name = waitlist_calls, check_for_backend(diesel::pg::Pg))]
    pub struct WaitlistCallRow in "waitlist_calls" {
        jurisdiction: String => Text,
        id: Uuid => SqlUuid,
        programme: String => Text,
        due_at: DateTime<Utc> => Timestamptz,
    }
}

impl Conn {
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
}
