//! What each source of a fund has left, and the parts of payments. All of it moves under the lock of the fund's ledger, and every
//! move is kept beside it with the time at which its transfers are posted (`source_moves`), so that a source's balance can be told as of any
//! instant.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use ledger::{Fen, Source};
use uuid::Uuid;

use crate::batch::{Bind, Sql};
use crate::columns::{Money, Word};
use crate::schema::{fund_sources, payments};
use crate::{Conn, StoreError, Tx};

/// A source of a fund, in fen; `carry` in ten-thousandths of a fen.
/// Primary key: `jurisdiction`, `programme`, `source`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = fund_sources, check_for_backend(diesel::pg::Pg))]
pub struct SourceRow {
    pub jurisdiction: String,
    pub programme: String,
    pub source: String,
    pub appropriated: i64,
    pub in_payment: i64,
    pub spent: i64,
    pub lapsed: i64,
    pub carry: i64,
}

/// What payments take from a source, and what the source carries to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub source: &'static str,
    pub in_payment: i64,
    pub spent: i64,
    pub carry: i64,
}

/// A payment that paid a claim: what of the claim has not come back (`line`), and what of the payment's parts has not; fen.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct PaidParts {
    #[diesel(sql_type = SqlUuid)]
    pub claim: Uuid,
    #[diesel(sql_type = Text)]
    pub jurisdiction: String,
    #[diesel(sql_type = SqlUuid)]
    pub payment: Uuid,
    #[diesel(sql_type = Text)]
    pub programme: String,
    #[diesel(sql_type = BigInt)]
    pub line: i64,
    #[diesel(sql_type = BigInt)]
    pub central: i64,
    #[diesel(sql_type = BigInt)]
    pub province: i64,
    #[diesel(sql_type = BigInt)]
    pub city: i64,
    #[diesel(sql_type = BigInt)]
    pub county: i64,
}

/// Central money of a fund that nobody used in time; fen.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Unused {
    #[diesel(sql_type = Text)]
    pub jurisdiction: String,
    #[diesel(sql_type = Text)]
    pub programme: String,
    #[diesel(sql_type = BigInt)]
    pub amount: i64,
}

/// A statement that moves sources and keeps each move, and says how many sources it moved. The first text changes `fund_sources` and returns
/// county, programme, source and what was added to appropriated, in payment, spent and lapsed; the second is the unit of work's time.
/// Time in a county's log never goes backwards, so the move is posted when its transfers are, whichever of the two comes first.
macro_rules! kept {
    ($change:literal, $now:literal) => {
        Sql(concat!(
            "WITH moved (jurisdiction, programme, source, appropriated, in_payment, spent, lapsed) AS (",
            $change,
            "), kept AS (INSERT INTO source_moves \
             (jurisdiction, programme, source, appropriated, in_payment, spent, lapsed, posted_at) \
             SELECT m.*, greatest(",
            $now,
            ", l.last_posted_at, l.closed_until) FROM moved m JOIN ledgers l ON l.jurisdiction = m.jurisdiction \
             WHERE m.appropriated <> 0 OR m.in_payment <> 0 OR m.spent <> 0 OR m.lapsed <> 0) \
             SELECT count(*) AS moved FROM moved"
        ))
    };
}

/// How many sources a statement moved.
#[derive(QueryableByName)]
struct Moved {
    #[diesel(sql_type = BigInt)]
    moved: i64,
}

impl Conn {
    /// The sources of a fund; none before its first money.
    pub async fn fund_sources(
        &mut self,
        jurisdiction: &str,
        programme: &str,
    ) -> Result<Vec<SourceRow>, StoreError> {
        Ok(fund_sources::table
            .filter(fund_sources::jurisdiction.eq(jurisdiction))
            .filter(fund_sources::programme.eq(programme))
            .select(SourceRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// What of the parts of these payments of a county has not come back: central, province, city, county.
    pub async fn outstanding_parts(
        &mut self,
        jurisdiction: &str,
        ids: &[Uuid],
    ) -> Result<Vec<(Uuid, [i64; 4])>, StoreError> {
        let rows = payments::table
            .filter(payments::jurisdiction.eq(jurisdiction))
            .filter(payments::id.eq_any(ids.to_vec()))
            .select((
                payments::id,
                payments::central - payments::recovered_central,
                payments::province - payments::recovered_province,
                payments::city - payments::recovered_city,
                payments::county - payments::recovered_county,
            ))
            .load::<(Uuid, i64, i64, i64, i64)>(self.pg())
            .await?;
        let parts = rows
            .into_iter()
            .map(|(id, central, province, city, county)| (id, [central, province, city, county]));
        Ok(parts.collect())
    }

    /// Central money of these programmes, granted before an instant, that is neither used nor committed: of one county, or of
    /// all. What was used is taken from the oldest grants first, and no more is unused than the fund has available.
    pub async fn unused_central(
        &mut self,
        programmes: &[String],
        granted_before: DateTime<Utc>,
        jurisdiction: Option<&str>,
    ) -> Result<Vec<Unused>, StoreError> {
        Ok(Sql(
            "SELECT u.* FROM (SELECT s.jurisdiction, s.programme, \
             least((SELECT coalesce(sum(a.amount), 0) FROM appropriations a WHERE a.jurisdiction = s.jurisdiction \
             AND a.programme = s.programme AND a.source = 'central' AND a.status = 'approved' AND a.checked_at < $2) \
             - s.in_payment - s.spent - s.lapsed, f.available)::bigint AS amount \
             FROM fund_sources s JOIN funds f ON f.jurisdiction = s.jurisdiction AND f.programme = s.programme \
             WHERE s.source = 'central' AND s.programme = ANY($1) AND ($3 IS NULL OR s.jurisdiction = $3)) AS u \
             WHERE u.amount > 0 ORDER BY u.jurisdiction, u.programme",
        )
        .bind::<Array<Text>, _>(programmes.to_vec())
        .bind::<Timestamptz, _>(granted_before)
        .bind::<Nullable<Text>, _>(jurisdiction.map(str::to_owned))
        .load(self.pg())
        .await?)
    }
}

impl Tx {
    /// Adds granted money to a source; the first makes all four.
    pub async fn grant(
        &mut self,
        (jurisdiction, programme): (&str, &str),
        source: Source,
        amount: Fen,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let granted: Moved = kept!(
            "INSERT INTO fund_sources (jurisdiction, programme, source, appropriated) \
             SELECT $1, $2, s, CASE WHEN s = $3 THEN $4 ELSE 0 END \
             FROM UNNEST(ARRAY['central', 'province', 'city', 'county']) AS s \
             ON CONFLICT ON CONSTRAINT fund_sources_pkey \
             DO UPDATE SET appropriated = fund_sources.appropriated + EXCLUDED.appropriated \
             RETURNING jurisdiction, programme, source, CASE WHEN source = $3 THEN $4 ELSE 0 END, 0, 0, 0",
            "$5"
        )
        .bind::<Text, _>(jurisdiction.to_owned())
        .bind::<Text, _>(programme.to_owned())
        .bind::<Word, _>(source)
        .bind::<Money, _>(amount)
        .bind::<Timestamptz, _>(now)
        .get_result(self.pg())
        .await?;
        counted(&granted, 4, "source of a fund")
    }

    /// Takes parts from what the sources have left.
    pub async fn take_from_sources(
        &mut self,
        (jurisdiction, programme): (&str, &str),
        taken: &[Taken],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let changed: Moved = kept!(
            "UPDATE fund_sources s SET in_payment = s.in_payment + u.in_payment, spent = s.spent + u.spent, carry = u.carry \
             FROM UNNEST($3, $4, $5, $6) AS u (source, in_payment, spent, carry) \
             WHERE s.jurisdiction = $1 AND s.programme = $2 AND s.source = u.source \
             RETURNING s.jurisdiction, s.programme, s.source, 0, u.in_payment, u.spent, 0",
            "$7"
        )
        .bind::<Text, _>(jurisdiction.to_owned())
        .bind::<Text, _>(programme.to_owned())
        .bind::<Array<Text>, _>(taken.iter().map(|it| it.source.to_owned()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(taken.iter().map(|it| it.in_payment).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(taken.iter().map(|it| it.spent).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(taken.iter().map(|it| it.carry).collect::<Vec<_>>())
        .bind::<Timestamptz, _>(now)
        .get_result(self.pg())
        .await?;
        counted(&changed, taken.len(), "source of a fund")
    }

    /// Moves the parts of open payments by what the payments come to: paid, they are spent, even if the bank returns them at once
    /// (then [`Tx::recover`] follows); otherwise they go back to where they came from. Called while the payments still
    /// have the outcome they had.
    pub(crate) async fn settle_sources(
        &mut self,
        jurisdictions: &[String],
        ids: &[Uuid],
        outcomes: &[String],
        now: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let _: Moved = kept!(
            "UPDATE fund_sources s SET in_payment = s.in_payment - m.settled, spent = s.spent + m.spent FROM (\
             SELECT d.jurisdiction, d.programme, v.source, sum(v.part)::bigint AS settled, \
             sum(CASE WHEN u.outcome IN ('paid', 'returned') THEN v.part ELSE 0 END)::bigint AS spent \
             FROM UNNEST($1, $2, $3) AS u (jurisdiction, id, outcome) \
             JOIN payments p ON p.jurisdiction = u.jurisdiction AND p.id = u.id AND p.outcome = 'open' \
             JOIN disbursements d ON d.jurisdiction = p.jurisdiction AND d.id = p.disbursement \
             CROSS JOIN LATERAL (VALUES ('central', p.central), ('province', p.province), ('city', p.city), \
             ('county', p.county)) AS v (source, part) GROUP BY d.jurisdiction, d.programme, v.source) AS m \
             WHERE s.jurisdiction = m.jurisdiction AND s.programme = m.programme AND s.source = m.source \
             RETURNING s.jurisdiction, s.programme, s.source, 0, - m.settled, m.spent, 0",
            "$4"
        )
        .bind::<Array<Text>, _>(jurisdictions.to_vec())
        .bind::<Array<SqlUuid>, _>(ids.to_vec())
        .bind::<Array<Text>, _>(outcomes.to_vec())
        .bind::<Nullable<Timestamptz>, _>(now)
        .get_result(self.pg())
        .await?;
        Ok(())
    }

    /// The payments that paid these claims, as far as it has not come back; of each claim the last first. Two may have paid a claim:
    /// one by netting, whose rest the bank returned, and one the rest.
    pub async fn paid_parts(
        &mut self,
        jurisdictions: &[String],
        claims: &[Uuid],
    ) -> Result<Vec<PaidParts>, StoreError> {
        Ok(Sql(
            "SELECT l.claim, p.jurisdiction, p.id AS payment, d.programme, l.amount - l.recovered AS line, \
             p.central - p.recovered_central AS central, p.province - p.recovered_province AS province, \
             p.city - p.recovered_city AS city, p.county - p.recovered_county AS county \
             FROM UNNEST($1, $2) AS u (jurisdiction, claim) JOIN disbursement_lines l ON l.jurisdiction = u.jurisdiction \
             AND l.claim = u.claim AND l.outcome IN ('paid', 'returned') AND l.recovered < l.amount \
             JOIN payments p ON p.jurisdiction = l.jurisdiction AND p.id = l.payment \
             JOIN disbursements d ON d.jurisdiction = p.jurisdiction AND d.id = p.disbursement \
             ORDER BY l.claim, p.id DESC",
        )
        .bind::<Array<Text>, _>(jurisdictions.to_vec())
        .bind::<Array<SqlUuid>, _>(claims.to_vec())
        .load(self.pg())
        .await?)
    }

    /// Gives parts of paid payments, one row a claim and payment, back to where they came from.
    pub async fn recover(&mut self, back: &[PaidParts], now: DateTime<Utc>) -> Result<(), StoreError> {
        let changed = Sql(
            "UPDATE disbursement_lines l SET recovered = l.recovered + u.line FROM UNNEST($1, $2, $3, $4) \
             AS u (jurisdiction, payment, claim, line) \
             WHERE l.jurisdiction = u.jurisdiction AND l.payment = u.payment AND l.claim = u.claim",
        )
        .bind::<Array<Text>, _>(back.iter().map(|it| it.jurisdiction.clone()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(back.iter().map(|it| it.payment).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(back.iter().map(|it| it.claim).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(back.iter().map(|it| it.line).collect::<Vec<_>>())
        .execute(self.pg())
        .await?;
        all(changed, back.len(), "line of a payment")?;
        self.recover_parts(back, now).await
    }

    /// The same of payments that pay no claim.
    pub async fn recover_parts(&mut self, back: &[PaidParts], now: DateTime<Utc>) -> Result<(), StoreError> {
        let jurisdictions = back.iter().map(|it| it.jurisdiction.clone()).collect::<Vec<_>>();
        let payments = back.iter().map(|it| it.payment).collect::<Vec<_>>();
        let column = |value: fn(&PaidParts) -> i64| back.iter().map(value).collect::<Vec<_>>();
        Sql(
            "UPDATE payments p SET recovered_central = p.recovered_central + m.central, \
             recovered_province = p.recovered_province + m.province, recovered_city = p.recovered_city + m.city, \
             recovered_county = p.recovered_county + m.county FROM (SELECT u.jurisdiction, u.id, sum(u.central)::bigint AS central, \
             sum(u.province)::bigint AS province, sum(u.city)::bigint AS city, sum(u.county)::bigint AS county \
             FROM UNNEST($1, $2, $3, $4, $5, $6) AS u (jurisdiction, id, central, province, city, county) \
             GROUP BY u.jurisdiction, u.id) AS m WHERE p.jurisdiction = m.jurisdiction AND p.id = m.id",
        )
        .bind::<Array<Text>, _>(jurisdictions.clone())
        .bind::<Array<SqlUuid>, _>(payments)
        .bind::<Array<BigInt>, _>(column(|it| it.central))
        .bind::<Array<BigInt>, _>(column(|it| it.province))
        .bind::<Array<BigInt>, _>(column(|it| it.city))
        .bind::<Array<BigInt>, _>(column(|it| it.county))
        .execute(self.pg())
        .await?;
        let _: Moved = kept!(
            "UPDATE fund_sources s SET spent = s.spent - m.back FROM (\
             SELECT u.jurisdiction, u.programme, v.source, sum(v.back)::bigint AS back \
             FROM UNNEST($1, $2, $3, $4, $5, $6) AS u (jurisdiction, programme, central, province, city, county) \
             CROSS JOIN LATERAL (VALUES ('central', u.central), ('province', u.province), ('city', u.city), \
             ('county', u.county)) AS v (source, back) GROUP BY u.jurisdiction, u.programme, v.source) AS m \
             WHERE s.jurisdiction = m.jurisdiction AND s.programme = m.programme AND s.source = m.source \
             RETURNING s.jurisdiction, s.programme, s.source, 0, 0, - m.back, 0",
            "$7"
        )
        .bind::<Array<Text>, _>(jurisdictions)
        .bind::<Array<Text>, _>(back.iter().map(|it| it.programme.clone()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(column(|it| it.central))
        .bind::<Array<BigInt>, _>(column(|it| it.province))
        .bind::<Array<BigInt>, _>(column(|it| it.city))
        .bind::<Array<BigInt>, _>(column(|it| it.county))
        .bind::<Timestamptz, _>(now)
        .get_result(self.pg())
        .await?;
        Ok(())
    }

    /// Writes that central money of a fund lapsed; its transfer is posted beside it.
    pub async fn lapse(
        &mut self,
        (jurisdiction, programme): (&str, &str),
        amount: i64,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let lapsed: Moved = kept!(
            "UPDATE fund_sources s SET lapsed = s.lapsed + $3 \
             WHERE s.jurisdiction = $1 AND s.programme = $2 AND s.source = 'central' \
             RETURNING s.jurisdiction, s.programme, s.source, 0, 0, 0, $3",
            "$4"
        )
        .bind::<Text, _>(jurisdiction.to_owned())
        .bind::<Text, _>(programme.to_owned())
        .bind::<BigInt, _>(amount)
        .bind::<Timestamptz, _>(now)
        .get_result(self.pg())
        .await?;
        counted(&lapsed, 1, "source of a fund")
    }
}

fn counted(moved: &Moved, rows: usize, what: &'static str) -> Result<(), StoreError> {
    all(usize::try_from(moved.moved).unwrap_or(usize::MAX), rows, what)
}

fn all(changed: usize, rows: usize, what: &'static str) -> Result<(), StoreError> {
    if changed == rows {
        Ok(())
    } else {
        Err(StoreError::Stale(what))
    }
}
