//! Closings of a county's ledger: months folded from its transfers, years from their months.
//!
//! A month is folded in one pass over the transfers since the month before, by height. The pass goes on to the end of the log, so
//! that the same statement tells whether the fold comes to what the funds have now; a difference is returned, and whoever asked drops the
//! transaction. All of it under the ledger's lock ([`Tx::lock_ledger`]), where nothing moves.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use ledger::{Account, Fen, Source};

use crate::batch::{Bind, Sql};
use crate::schema::{closing_balances, closing_sources, closings};
use crate::{Conn, StoreError, Tx};

/// A closed month or year. `since` is the end of the one before, none for a county's first; `height` that of the last transfer before `until`;
/// `transfers` how many the period has.
/// Primary key: `jurisdiction`, `period`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = closings, check_for_backend(diesel::pg::Pg))]
pub struct ClosingRow {
    pub jurisdiction: String,
    pub period: String,
    pub kind: String,
    pub since: Option<DateTime<Utc>>,
    pub until: DateTime<Utc>,
    pub height: i64,
    pub transfers: i64,
    pub actor: String,
    pub made_at: DateTime<Utc>,
}

/// An account of a fund over a closed period, in fen.
/// Primary key: `jurisdiction`, `period`, `programme`, `account`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = closing_balances, check_for_backend(diesel::pg::Pg))]
pub struct ClosingBalanceRow {
    pub programme: String,
    pub account: Account,
    pub opening: Fen,
    pub debits: Fen,
    pub credits: Fen,
    pub closing: Fen,
}

/// A source of a fund before and at the end of a closed period, in fen.
/// Primary key: `jurisdiction`, `period`, `programme`, `source`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = closing_sources, check_for_backend(diesel::pg::Pg))]
pub struct ClosingSourceRow {
    pub programme: String,
    pub source: Source,
    pub opening_appropriated: i64,
    pub opening_in_payment: i64,
    pub opening_spent: i64,
    pub opening_lapsed: i64,
    pub appropriated: i64,
    pub in_payment: i64,
    pub spent: i64,
    pub lapsed: i64,
    pub lapsed_after: i64,
}

/// How far a county's ledger is closed: when its first transfer was posted, and where its last closed month and year end.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct ClosedUntil {
    #[diesel(sql_type = Text)]
    pub jurisdiction: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub first_posted_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub month: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub year: Option<DateTime<Utc>>,
}

/// A period about to be closed. `before` and `since` name the one before it of its kind, if there is one.
#[derive(Debug, Clone)]
pub struct NewClosing {
    pub jurisdiction: String,
    pub period: String,
    pub before: Option<String>,
    pub since: Option<DateTime<Utc>>,
    pub until: DateTime<Utc>,
    pub actor: String,
    pub made_at: DateTime<Utc>,
}

/// Something whose fold is not what stands; fen.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Difference {
    #[diesel(sql_type = Text)]
    pub programme: String,
    /// An account, or a source and what of it.
    #[diesel(sql_type = Text)]
    pub what: String,
    #[diesel(sql_type = BigInt)]
    pub folded: i64,
    #[diesel(sql_type = BigInt)]
    pub stands: i64,
}

impl Conn {
    /// How far ledgers are closed: of one county, or of all.
    pub async fn closed_until(&mut self, jurisdiction: Option<&str>) -> Result<Vec<ClosedUntil>, StoreError> {
        Ok(Sql(
            "SELECT l.jurisdiction, t.posted_at AS first_posted_at, l.closed_until AS month, \
             (SELECT max(c.until) FROM closings c WHERE c.jurisdiction = l.jurisdiction AND c.kind = 'year') AS year \
             FROM ledgers l LEFT JOIN transfers t ON t.jurisdiction = l.jurisdiction AND t.height = 1 \
             WHERE $1 IS NULL OR l.jurisdiction = $1 ORDER BY l.jurisdiction",
        )
        .bind::<Nullable<Text>, _>(jurisdiction.map(str::to_owned))
        .load(self.pg())
        .await?)
    }

    /// A county's closings, newest first, a year before its December; those after the given end and kind.
    pub async fn closings(
        &mut self,
        jurisdiction: &str,
        after: Option<(DateTime<Utc>, String)>,
        limit: i64,
    ) -> Result<Vec<ClosingRow>, StoreError> {
        let mut query = closings::table
            .filter(closings::jurisdiction.eq(jurisdiction))
            .order((closings::until.desc(), closings::kind.desc()))
            .limit(limit)
            .select(ClosingRow::as_select())
            .into_boxed();
        if let Some((until, kind)) = after {
            query = query.filter(
                closings::until
                    .lt(until)
                    .or(closings::until.eq(until).and(closings::kind.lt(kind))),
            );
        }
        Ok(query.load(self.pg()).await?)
    }

    pub async fn closing(
        &mut self,
        jurisdiction: &str,
        period: &str,
    ) -> Result<Option<ClosingRow>, StoreError> {
        Ok(closings::table
            .find((jurisdiction, period))
            .select(ClosingRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    /// The accounts of a closing, by fund.
    pub async fn closing_balances(
        &mut self,
        jurisdiction: &str,
        period: &str,
    ) -> Result<Vec<ClosingBalanceRow>, StoreError> {
        Ok(closing_balances::table
            .filter(closing_balances::jurisdiction.eq(jurisdiction))
            .filter(closing_balances::period.eq(period))
            .order((closing_balances::programme, closing_balances::account))
            .select(ClosingBalanceRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// The sources of a closing, by fund.
    pub async fn closing_sources(
        &mut self,
        jurisdiction: &str,
        period: &str,
    ) -> Result<Vec<ClosingSourceRow>, StoreError> {
        Ok(closing_sources::table
            .filter(closing_sources::jurisdiction.eq(jurisdiction))
            .filter(closing_sources::period.eq(period))
            .order((closing_sources::programme, closing_sources::source))
            .select(ClosingSourceRow::as_select())
            .load(self.pg())
            .await?)
    }
}

impl Tx {
    /// Waits for whoever moves the county's money, keeps everybody else out, and says how far the ledger is closed.
    pub async fn lock_ledger(&mut self, jurisdiction: &str) -> Result<Option<ClosedUntil>, StoreError> {
        Sql("SELECT FROM ledgers WHERE jurisdiction = $1 FOR UPDATE")
            .bind::<Text, _>(jurisdiction.to_owned())
            .execute(self.pg())
            .await?;
        Ok(self.closed_until(Some(jurisdiction)).await?.pop())
    }

    /// Closes a month: from here on nothing is posted before its end. Returns what does not add up; then the transaction must not
    /// be committed.
    pub async fn close_month(&mut self, new: &NewClosing) -> Result<Vec<Difference>, StoreError> {
        let mut differences = self.fold(MONTH_BALANCES, new).await?;
        differences.extend(self.fold(MONTH_SOURCES, new).await?);
        Sql("UPDATE ledgers SET closed_until = $2 WHERE jurisdiction = $1")
            .bind::<Text, _>(new.jurisdiction.clone())
            .bind::<Timestamptz, _>(new.until)
            .execute(self.pg())
            .await?;
        Ok(differences)
    }

    /// Closes a year whose months are closed. Returns what does not add up, as for a month.
    pub async fn close_year(&mut self, new: &NewClosing) -> Result<Vec<Difference>, StoreError> {
        self.fold(YEAR, new).await
    }

    async fn fold(
        &mut self,
        statement: &'static str,
        new: &NewClosing,
    ) -> Result<Vec<Difference>, StoreError> {
        Ok(Sql(statement)
            .bind::<Text, _>(new.jurisdiction.clone())
            .bind::<Text, _>(new.period.clone())
            .bind::<Nullable<Text>, _>(new.before.clone())
            .bind::<Nullable<Timestamptz>, _>(new.since)
            .bind::<Timestamptz, _>(new.until)
            .bind::<Text, _>(new.actor.clone())
            .bind::<Timestamptz, _>(new.made_at)
            .load(self.pg())
            .await?)
    }
}

// $1 county, $2 period, $3 the period before it, $4 the end of that, $5 the end of the period, $6 by whom, $7 when. What is summed is
// brought into one list of lines, so that nothing has to be joined: what stands before the period, what moved within, what moved
// later, and what stands now.

const MONTH_BALANCES: &str = "WITH tail AS MATERIALIZED (\
     SELECT programme, debit, credit, posted_at < $5 AS within, sum(amount) AS amount, count(*) AS transfers, \
     max(height) AS height FROM transfers WHERE jurisdiction = $1 AND height > coalesce(\
     (SELECT height FROM closings WHERE jurisdiction = $1 AND period = $3), 0) GROUP BY 1, 2, 3, 4), \
     lines (programme, account, opening, debits, credits, later, stands) AS (\
     SELECT programme, account, closing, 0, 0, 0, 0 FROM closing_balances WHERE jurisdiction = $1 AND period = $3 \
     UNION ALL SELECT programme, debit, 0, CASE WHEN within THEN amount ELSE 0 END, 0, \
     CASE WHEN within THEN 0 ELSE amount END, 0 FROM tail \
     UNION ALL SELECT programme, credit, 0, 0, CASE WHEN within THEN amount ELSE 0 END, \
     CASE WHEN within THEN 0 ELSE - amount END, 0 FROM tail \
     UNION ALL SELECT f.programme, a.account, 0, 0, 0, 0, a.fen FROM funds f CROSS JOIN LATERAL (VALUES \
     ('appropriated', f.appropriated), ('available', f.available), ('reserved', f.reserved), ('payable', f.payable), \
     ('in_payment', f.in_payment), ('disbursed', f.disbursed), ('recoverable', f.recoverable), \
     ('advanced', f.advanced)) AS a (account, fen) \
     WHERE f.jurisdiction = $1), \
     sums AS (SELECT programme, account, sum(opening) AS opening, sum(debits) AS debits, sum(credits) AS credits, \
     sum(debits - credits) * CASE account WHEN 'appropriated' THEN -1 ELSE 1 END AS within, \
     sum(later) * CASE account WHEN 'appropriated' THEN -1 ELSE 1 END AS later, sum(stands) AS stands \
     FROM lines GROUP BY programme, account), \
     moved AS (SELECT programme FROM sums GROUP BY programme HAVING sum(opening + debits + credits) > 0), \
     closed AS (INSERT INTO closings (jurisdiction, period, kind, since, until, height, transfers, actor, made_at) \
     SELECT $1, $2, 'month', $4, $5, coalesce(max(height) FILTER (WHERE within), \
     (SELECT height FROM closings WHERE jurisdiction = $1 AND period = $3), 0), \
     coalesce(sum(transfers) FILTER (WHERE within), 0), $6, $7 FROM tail), \
     kept AS (INSERT INTO closing_balances (jurisdiction, period, programme, account, opening, debits, credits, closing) \
     SELECT $1, $2, programme, account, opening, debits, credits, opening + within FROM sums \
     WHERE programme IN (SELECT programme FROM moved)) \
     SELECT programme, account AS what, (opening + within + later)::bigint AS folded, stands::bigint AS stands \
     FROM sums WHERE opening + within + later <> stands ORDER BY programme, account";

const MONTH_SOURCES: &str = "WITH moves AS MATERIALIZED (\
     SELECT programme, source, posted_at < $5 AS within, sum(appropriated) AS appropriated, sum(in_payment) AS in_payment, \
     sum(spent) AS spent, sum(lapsed) AS lapsed FROM source_moves \
     WHERE jurisdiction = $1 AND posted_at >= coalesce($4, '-infinity') GROUP BY 1, 2, 3), \
     lines (programme, source, item, opening, within, later, stands) AS (\
     SELECT s.programme, s.source, v.item, v.fen, 0, 0, 0 FROM closing_sources s CROSS JOIN LATERAL (VALUES \
     ('appropriated', s.appropriated), ('in_payment', s.in_payment), ('spent', s.spent), ('lapsed', s.lapsed)) AS v (item, fen) \
     WHERE s.jurisdiction = $1 AND s.period = $3 \
     UNION ALL SELECT m.programme, m.source, v.item, 0, CASE WHEN m.within THEN v.fen ELSE 0 END, \
     CASE WHEN m.within THEN 0 ELSE v.fen END, 0 FROM moves m CROSS JOIN LATERAL (VALUES \
     ('appropriated', m.appropriated), ('in_payment', m.in_payment), ('spent', m.spent), ('lapsed', m.lapsed)) AS v (item, fen) \
     UNION ALL SELECT s.programme, s.source, v.item, 0, 0, 0, v.fen FROM fund_sources s CROSS JOIN LATERAL (VALUES \
     ('appropriated', s.appropriated), ('in_payment', s.in_payment), ('spent', s.spent), ('lapsed', s.lapsed)) AS v (item, fen) \
     WHERE s.jurisdiction = $1), \
     sums AS (SELECT programme, source, item, sum(opening) AS opening, sum(opening + within) AS closing, \
     sum(opening + within + later) AS folded, sum(stands) AS stands FROM lines GROUP BY programme, source, item), \
     moved AS (SELECT programme FROM sums GROUP BY programme HAVING sum(opening + closing) > 0), \
     kept AS (INSERT INTO closing_sources (jurisdiction, period, programme, source, opening_appropriated, opening_in_payment, \
     opening_spent, opening_lapsed, appropriated, in_payment, spent, lapsed, lapsed_after) \
     SELECT $1, $2, programme, source, sum(opening) FILTER (WHERE item = 'appropriated'), \
     sum(opening) FILTER (WHERE item = 'in_payment'), sum(opening) FILTER (WHERE item = 'spent'), \
     sum(opening) FILTER (WHERE item = 'lapsed'), sum(closing) FILTER (WHERE item = 'appropriated'), \
     sum(closing) FILTER (WHERE item = 'in_payment'), sum(closing) FILTER (WHERE item = 'spent'), \
     sum(closing) FILTER (WHERE item = 'lapsed'), 0 FROM sums WHERE programme IN (SELECT programme FROM moved) \
     GROUP BY programme, source) \
     SELECT programme, source || ' ' || item AS what, folded::bigint AS folded, stands::bigint AS stands \
     FROM sums WHERE folded <> stands ORDER BY programme, source, item";

/// The first month's opening, the sum of the months, December's closing; and whether that begins where the year before ended.
const YEAR: &str = "WITH months AS MATERIALIZED (\
     SELECT period, height, transfers, period = min(period) OVER () AS first, period = max(period) OVER () AS last FROM closings \
     WHERE jurisdiction = $1 AND kind = 'month' AND left(period, 4) = $2), \
     sums AS (SELECT b.programme, b.account, coalesce(sum(b.opening) FILTER (WHERE m.first), 0) AS opening, \
     sum(b.debits) AS debits, sum(b.credits) AS credits, coalesce(sum(b.closing) FILTER (WHERE m.last), 0) AS closing \
     FROM months m JOIN closing_balances b ON b.jurisdiction = $1 AND b.period = m.period GROUP BY b.programme, b.account), \
     sources AS (SELECT s.programme, s.source, sum(s.opening_appropriated) FILTER (WHERE m.first) AS opening_appropriated, \
     sum(s.opening_in_payment) FILTER (WHERE m.first) AS opening_in_payment, \
     sum(s.opening_spent) FILTER (WHERE m.first) AS opening_spent, \
     sum(s.opening_lapsed) FILTER (WHERE m.first) AS opening_lapsed, \
     sum(s.appropriated) FILTER (WHERE m.last) AS appropriated, sum(s.in_payment) FILTER (WHERE m.last) AS in_payment, \
     sum(s.spent) FILTER (WHERE m.last) AS spent, sum(s.lapsed) FILTER (WHERE m.last) AS lapsed \
     FROM months m JOIN closing_sources s ON s.jurisdiction = $1 AND s.period = m.period GROUP BY s.programme, s.source), \
     closed AS (INSERT INTO closings (jurisdiction, period, kind, since, until, height, transfers, actor, made_at) \
     SELECT $1, $2, 'year', $4, $5, max(height), sum(transfers), $6, $7 FROM months), \
     kept AS (INSERT INTO closing_balances (jurisdiction, period, programme, account, opening, debits, credits, closing) \
     SELECT $1, $2, programme, account, opening, debits, credits, closing FROM sums), \
     split AS (INSERT INTO closing_sources (jurisdiction, period, programme, source, opening_appropriated, opening_in_payment, \
     opening_spent, opening_lapsed, appropriated, in_payment, spent, lapsed, lapsed_after) \
     SELECT $1, $2, programme, source, coalesce(opening_appropriated, 0), coalesce(opening_in_payment, 0), \
     coalesce(opening_spent, 0), coalesce(opening_lapsed, 0), coalesce(appropriated, 0), coalesce(in_payment, 0), \
     coalesce(spent, 0), coalesce(lapsed, 0), \
     (SELECT coalesce(sum(v.lapsed), 0) FROM source_moves v WHERE v.jurisdiction = $1 AND v.posted_at >= $5 \
     AND v.posted_at < $5 + interval '1 year' AND v.programme = s.programme AND v.source = s.source) FROM sources s), \
     chained (programme, account, opening, before) AS (SELECT programme, account, opening, 0 FROM sums \
     UNION ALL SELECT programme, account, 0, closing FROM closing_balances WHERE jurisdiction = $1 AND period = $3) \
     SELECT programme, account AS what, sum(opening)::bigint AS folded, sum(before)::bigint AS stands FROM chained \
     GROUP BY programme, account HAVING sum(opening) <> sum(before) ORDER BY programme, account";
