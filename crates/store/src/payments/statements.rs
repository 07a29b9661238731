//! What moved between a county and a merchant: the fold of its claims' and advances' transfers up
//! to an instant.

use chrono::{DateTime, Utc};
use claims::JurisdictionCode;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use ledger::{Fen, Reason};
use uuid::Uuid;

use crate::batch::{Bind, Sql};
use crate::columns::{County, Money, Word};
use crate::schema::ledgers;
use crate::{Conn, StoreError};

/// A merchant's dealings with a county: `from` is included, `before` is not. What was posted above
/// `height` is not there yet, so that several statements tell of one moment.
#[derive(Debug, Clone)]
pub struct StatementFilter {
    pub jurisdiction: JurisdictionCode,
    pub merchant: String,
    pub programme: Option<String>,
    pub from: DateTime<Utc>,
    pub before: DateTime<Utc>,
    pub height: i64,
}

/// What moved for one reason, before the period or in it; fen. `netted` tells what came back by
/// netting from what was repaid.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct MovedRow {
    #[diesel(sql_type = Word)]
    pub reason: Reason,
    #[diesel(sql_type = Bool)]
    pub within: bool,
    #[diesel(sql_type = Bool)]
    pub netted: bool,
    #[diesel(sql_type = Money)]
    pub amount: Fen,
}

/// A claim as it stood at the end of the period; fen. `reserved` waits for approval, `owed` for
/// payment, `due` is to come back.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct StatementLineRow {
    #[diesel(sql_type = SqlUuid)]
    pub claim: Uuid,
    #[diesel(sql_type = Text)]
    pub programme: String,
    #[diesel(sql_type = Text)]
    pub merchant_reference: String,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub approved_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub paid_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Money)]
    pub reserved: Fen,
    #[diesel(sql_type = Money)]
    pub earned: Fen,
    #[diesel(sql_type = Money)]
    pub paid: Fen,
    #[diesel(sql_type = Money)]
    pub returned: Fen,
    #[diesel(sql_type = Money)]
    pub due: Fen,
    #[diesel(sql_type = Money)]
    pub back: Fen,
}

/// How long money that a merchant laid out was, or has been, out: thousandths of a day, weighted by
/// amount, none if there is no amount. `open` at the end of the period, `paid` in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub struct LaidOutRow {
    #[diesel(sql_type = BigInt)]
    pub open_claims: i64,
    #[diesel(sql_type = Money)]
    pub open_amount: Fen,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub open_millidays: Option<i64>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub open_since: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    pub paid_claims: i64,
    #[diesel(sql_type = Money)]
    pub paid_amount: Fen,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub paid_millidays: Option<i64>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub paid_since: Option<DateTime<Utc>>,
}

/// A statement over the claims that pay a merchant, each with the fold of its transfers up to the
/// end: `$1` county, `$2` merchant, `$3` programme or null, `$4` and `$5` the period, `$6` the
/// height.
macro_rules! over_claims {
    ($($head:literal)+; $($tail:literal)*) => {
        Sql(concat!(
            $($head,)+
            " FROM (SELECT c.id AS claim, c.programme, c.merchant_reference, c.created_at, \
             max(t.posted_at) FILTER (WHERE t.reason = 'approve') AS approved_at, \
             max(t.posted_at) FILTER (WHERE t.reason = 'pay') AS paid_at, \
             sum(CASE t.reason WHEN 'reserve' THEN t.amount WHEN 'release' THEN -t.amount WHEN 'approve' THEN -t.amount \
             ELSE 0 END)::bigint AS reserved, \
             sum(CASE t.reason WHEN 'approve' THEN t.amount WHEN 'release_payable' THEN -t.amount ELSE 0 END)::bigint AS earned, \
             sum(CASE t.reason WHEN 'pay' THEN t.amount ELSE 0 END)::bigint AS paid, \
             sum(CASE t.reason WHEN 'return_payment' THEN t.amount ELSE 0 END)::bigint AS returned, \
             sum(CASE t.reason WHEN 'claw_back_due' THEN t.amount WHEN 'claw_back' THEN -t.amount WHEN 'waive' THEN -t.amount \
             ELSE 0 END)::bigint AS due, \
             sum(CASE t.reason WHEN 'claw_back' THEN t.amount ELSE 0 END)::bigint AS back, \
             bool_or(t.posted_at >= $4 AND t.reason IN ('approve', 'release_payable', 'pay', 'return_payment', 'claw_back_due', \
             'claw_back', 'waive')) AS touched, bool_or(t.posted_at >= $4 AND t.reason = 'pay') AS paid_within \
             FROM claims c JOIN transfers t ON t.jurisdiction = c.jurisdiction AND t.claim = c.id \
             WHERE c.merchant = $2 AND c.jurisdiction = $1 AND c.to_merchant AND ($3 IS NULL OR c.programme = $3) \
             AND t.posted_at < $5 AND t.height <= $6 GROUP BY c.jurisdiction, c.id) AS k",
            $($tail,)*
        ))
    };
}

impl Conn {
    /// What moved between the county and the merchant, summed by reason, before the period and in
    /// it.
    pub async fn statement_moves(&mut self, filter: &StatementFilter) -> Result<Vec<MovedRow>, StoreError> {
        Ok(Sql(
            "SELECT m.reason, m.within, m.netted, sum(m.amount)::bigint AS amount FROM (\
             SELECT t.reason, t.posted_at >= $4 AS within, t.amount, t.reason = 'claw_back' AND t.document IS NOT NULL AND EXISTS \
             (SELECT FROM clawback_nettings n JOIN payments p ON p.jurisdiction = n.jurisdiction AND p.id = n.payment \
             WHERE n.jurisdiction = t.jurisdiction AND n.claim = t.claim AND p.disbursement = t.document) AS netted \
             FROM claims c JOIN transfers t ON t.jurisdiction = c.jurisdiction AND t.claim = c.id \
             WHERE c.merchant = $2 AND c.jurisdiction = $1 AND c.to_merchant AND ($3 IS NULL OR c.programme = $3) AND t.posted_at < $5 \
             AND t.height <= $6 UNION ALL \
             SELECT t.reason, t.posted_at >= $4, t.amount, false FROM advances a \
             JOIN transfers t ON t.jurisdiction = a.jurisdiction AND t.document = a.disbursement AND t.claim IS NULL \
             WHERE a.merchant = $2 AND a.jurisdiction = $1 AND ($3 IS NULL OR a.programme = $3) AND t.posted_at < $5 AND t.height <= $6) AS m \
             GROUP BY m.reason, m.within, m.netted ORDER BY m.reason, m.within, m.netted",
        )
        .bind::<County, _>(filter.jurisdiction)
        .bind::<Text, _>(filter.merchant.clone())
        .bind::<Nullable<Text>, _>(filter.programme.clone())
        .bind::<Timestamptz, _>(filter.from)
        .bind::<Timestamptz, _>(filter.before)
        .bind::<BigInt, _>(filter.height)
        .load(self.pg())
        .await?)
    }

    /// The claims that something happened to in the period, or of which something is open at its
    /// end, by id.
    pub async fn statement_lines(
        &mut self,
        filter: &StatementFilter,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<StatementLineRow>, StoreError> {
        let lines = over_claims!(
            "SELECT k.*";
            " WHERE (k.touched OR k.reserved > 0 OR k.earned <> k.paid - k.returned OR k.due > 0) \
             AND ($7 IS NULL OR k.claim > $7) ORDER BY k.claim LIMIT $8"
        );
        Ok(lines
            .bind::<County, _>(filter.jurisdiction)
            .bind::<Text, _>(filter.merchant.clone())
            .bind::<Nullable<Text>, _>(filter.programme.clone())
            .bind::<Timestamptz, _>(filter.from)
            .bind::<Timestamptz, _>(filter.before)
            .bind::<BigInt, _>(filter.height)
            .bind::<Nullable<SqlUuid>, _>(after)
            .bind::<BigInt, _>(limit)
            .load(self.pg())
            .await?)
    }

    /// How long the merchant's money was out: of the claims that are open at the end, up to then;
    /// and of those that were paid in the period, up to their payment.
    pub async fn laid_out(&mut self, filter: &StatementFilter) -> Result<LaidOutRow, StoreError> {
        let laid_out = over_claims!(
            "SELECT count(*) FILTER (WHERE k.open > 0) AS open_claims, \
             coalesce(sum(k.open), 0)::bigint AS open_amount, \
             round(sum(k.open * extract(epoch FROM $5 - k.created_at)) / nullif(sum(k.open), 0) / 86.4)::bigint \
             AS open_millidays, min(k.created_at) FILTER (WHERE k.open > 0) AS open_since, \
             count(*) FILTER (WHERE k.paid_within) AS paid_claims, \
             coalesce(sum(k.paid) FILTER (WHERE k.paid_within), 0)::bigint AS paid_amount, \
             round(sum(k.paid * extract(epoch FROM k.paid_at - k.created_at)) FILTER (WHERE k.paid_within) \
             / nullif(sum(k.paid) FILTER (WHERE k.paid_within), 0) / 86.4)::bigint AS paid_millidays, \
             min(k.created_at) FILTER (WHERE k.paid_within) AS paid_since \
             FROM (SELECT k.*, k.reserved + k.earned - k.paid + k.returned AS open";
            ") AS k"
        );
        Ok(laid_out
            .bind::<County, _>(filter.jurisdiction)
            .bind::<Text, _>(filter.merchant.clone())
            .bind::<Nullable<Text>, _>(filter.programme.clone())
            .bind::<Timestamptz, _>(filter.from)
            .bind::<Timestamptz, _>(filter.before)
            .bind::<BigInt, _>(filter.height)
            .get_result(self.pg())
            .await?)
    }

    /// The height of a county's log.
    pub async fn height(&mut self, jurisdiction: &str) -> Result<i64, StoreError> {
        let height = ledgers::table
            .find(jurisdiction)
            .select(ledgers::height)
            .first(self.pg())
            .await
            .optional()?;
        Ok(height.unwrap_or(0))
    }
}
