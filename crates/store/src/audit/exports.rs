//! What an export says before its rows: how many claims it has, and what moved in each of its periods.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;

use ledger::{Fen, Reason};

use crate::batch::{Bind, Sql};
use crate::claims::ClaimFilter;
use crate::columns::{Money, Word};
use crate::{Conn, StoreError};

/// What moved in a fund for one reason; fen. Period 0 is all that was before the first.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct PeriodMoves {
    #[diesel(sql_type = Text)]
    pub programme: String,
    #[diesel(sql_type = Word)]
    pub reason: Reason,
    #[diesel(sql_type = Integer)]
    pub period: i32,
    #[diesel(sql_type = Money)]
    pub amount: Fen,
}

impl Conn {
    /// How many claims of these counties a list by arrival has, of its programmes or of all.
    pub async fn count_claims(&mut self, filter: &ClaimFilter) -> Result<i64, StoreError> {
        #[derive(QueryableByName)]
        struct Count {
            #[diesel(sql_type = BigInt)]
            claims: i64,
        }
        let (low, high) = filter.bounds();
        let count: Count = Sql("SELECT count(*) AS claims FROM claims WHERE jurisdiction = ANY($1) AND id > $2 AND id < $3 \
             AND created_at >= $4 AND ($5::timestamptz IS NULL OR created_at < $5) AND (cardinality($6) = 0 OR programme = ANY($6))")
        .bind::<Array<Text>, _>(filter.jurisdictions.clone())
        .bind::<SqlUuid, _>(low)
        .bind::<SqlUuid, _>(high)
        .bind::<Timestamptz, _>(filter.created_from.unwrap_or(DateTime::UNIX_EPOCH))
        .bind::<Nullable<Timestamptz>, _>(filter.created_before)
        .bind::<Array<Text>, _>(filter.programmes.clone())
        .get_result(self.pg())
        .await?;
        Ok(count.claims)
    }

    /// What moved in a county's funds before the last instant and up to a height, by programme, reason and period. A period goes
    /// from its start to the next one's; starts are in order.
    pub async fn moved_by_period(
        &mut self,
        jurisdiction: &str,
        height: i64,
        starts: &[DateTime<Utc>],
        before: DateTime<Utc>,
    ) -> Result<Vec<PeriodMoves>, StoreError> {
        Ok(Sql(
            "SELECT programme, reason, width_bucket(posted_at, $4) AS period, sum(amount)::bigint AS amount FROM transfers \
             WHERE jurisdiction = $1 AND height <= $2 AND posted_at < $3 GROUP BY programme, reason, period \
             ORDER BY programme, reason, period",
        )
        .bind::<Text, _>(jurisdiction.to_owned())
        .bind::<BigInt, _>(height)
        .bind::<Timestamptz, _>(before)
        .bind::<Array<Timestamptz>, _>(starts.to_vec())
        .load(self.pg())
        .await?)
    }
}
