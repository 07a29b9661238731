//! Funds, caps, and the transfers that move money between a fund's accounts.
//!
//! # Locking
//!
//! Locks are taken in one order: the county's ledger, its funds, then caps, each by key (the city's code sorts before its
//! counties'). Whoever moves money calls [`Tx::lock_limits`] first, so every unit of work that touches a county's money
//! stands in one queue per county, and two that touch several counties queue in the same order. What is held is bounded
//! by the counties of one batch; what runs under it is the handful of set-based statements of one use case.
//!
//! No balance is assigned anywhere: [`Tx::post`] adds transfers and moves the accounts by their sums, and the constraints
//! `funds_available_not_negative`, `caps_within_ceiling` and `funds_balanced` prove each result.

pub mod appropriations;
pub mod cap_changes;
pub mod closings;
pub mod holds;
pub mod sources;
pub mod transfers;

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

pub use transfers::{Head, Posting, TransferFilter, TransferLine, TransferRow};

use crate::batch::{Bind, Sql};
use crate::schema::{caps, funds};
use crate::{Conn, StoreError, Tx};

/// A fund's accounts, in fen, and how many claims wait for its money.
/// Primary key: `jurisdiction`, `programme`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, QueryableByName)]
#[diesel(table_name = funds, check_for_backend(diesel::pg::Pg))]
pub struct FundRow {
    pub jurisdiction: String,
    pub programme: String,
    pub appropriated: i64,
    pub available: i64,
    pub reserved: i64,
    pub payable: i64,
    pub in_payment: i64,
    pub disbursed: i64,
    pub recoverable: i64,
    pub advanced: i64,
    pub waiting: i64,
}

/// A ceiling on what a fund, or a slice of it, may commit, and what it has committed; fen.
/// Primary key: `jurisdiction`, `programme`, `scope`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = caps, check_for_backend(diesel::pg::Pg))]
pub struct CapRow {
    pub jurisdiction: String,
    pub programme: String,
    pub scope: String,
    pub ceiling: i64,
    pub committed: i64,
    pub waiting: i64,
}

/// A change of a cap's or fund's counters. The fund itself has the empty scope and ignores `committed`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LimitChange {
    pub committed: i64,
    pub waiting: i64,
}

/// The limits of a batch, locked.
#[derive(Debug, Clone, Default)]
pub struct LockedLimits {
    pub heads: Vec<Head>,
    pub funds: Vec<FundRow>,
    pub caps: Vec<CapRow>,
}

impl Conn {
    pub async fn fund(&mut self, jurisdiction: &str, programme: &str) -> Result<Option<FundRow>, StoreError> {
        let row = funds::table
            .find((jurisdiction, programme))
            .select(FundRow::as_select())
            .first(self.pg())
            .await
            .optional()?;
        Ok(row)
    }

    /// Funds by county and programme after the given key; an empty list of counties means all.
    pub async fn funds(
        &mut self,
        jurisdictions: &[String],
        after: Option<(String, String)>,
        limit: i64,
    ) -> Result<Vec<FundRow>, StoreError> {
        let mut query = funds::table
            .select(FundRow::as_select())
            .order((funds::jurisdiction, funds::programme))
            .limit(limit)
            .into_boxed();
        if !jurisdictions.is_empty() {
            query = query.filter(funds::jurisdiction.eq_any(jurisdictions.to_vec()));
        }
        if let Some((jurisdiction, programme)) = after {
            query = query.filter(
                funds::jurisdiction
                    .gt(jurisdiction.clone())
                    .or(funds::jurisdiction
                        .eq(jurisdiction)
                        .and(funds::programme.gt(programme))),
            );
        }
        Ok(query.load(self.pg()).await?)
    }

    /// The caps of these counties (with the city's, if its code is among them) in these programmes.
    pub async fn caps(
        &mut self,
        jurisdictions: &[String],
        programmes: &[String],
    ) -> Result<Vec<CapRow>, StoreError> {
        let rows = caps::table
            .filter(caps::jurisdiction.eq_any(jurisdictions.to_vec()))
            .filter(caps::programme.eq_any(programmes.to_vec()))
            .order((caps::jurisdiction, caps::programme, caps::scope))
            .select(CapRow::as_select())
            .load(self.pg())
            .await?;
        Ok(rows)
    }
}

impl Tx {
    /// Opens funds of a programme in these counties; those that are open stay as they are.
    pub async fn open_funds(&mut self, programme: &str, jurisdictions: &[String]) -> Result<(), StoreError> {
        Sql(
            "INSERT INTO funds (jurisdiction, programme) SELECT j, $1 FROM UNNEST($2) AS j \
             ON CONFLICT ON CONSTRAINT funds_pkey DO NOTHING",
        )
        .bind::<Text, _>(programme.to_owned())
        .bind::<Array<Text>, _>(jurisdictions.to_vec())
        .execute(self.pg())
        .await?;
        Ok(())
    }

    /// Locks the ledgers of these counties, their funds in these programmes and every cap over them, in the one order.
    /// `city` names the codes whose caps count several counties.
    pub async fn lock_limits(
        &mut self,
        counties: &[String],
        city: &[String],
        programmes: &[String],
    ) -> Result<LockedLimits, StoreError> {
        LockedLimits::lock(self.pg(), counties, city, programmes).await
    }
}

impl LockedLimits {
    /// [`Tx::lock_limits`] in one round trip: statements run in the order in which they are sent.
    pub(crate) async fn lock(
        pg: &AsyncPgConnection,
        counties: &[String],
        city: &[String],
        programmes: &[String],
    ) -> Result<Self, StoreError> {
        let (mut first, mut second) = (pg, pg);
        let funds = Sql(
            "SELECT * FROM funds WHERE jurisdiction = ANY($1) AND programme = ANY($2) \
             ORDER BY jurisdiction, programme FOR UPDATE",
        )
        .bind::<Array<Text>, _>(counties.to_vec())
        .bind::<Array<Text>, _>(programmes.to_vec());
        let caps = Sql(
            "SELECT * FROM caps WHERE jurisdiction = ANY($1) AND programme = ANY($2) \
             ORDER BY jurisdiction, programme, scope FOR UPDATE",
        )
        .bind::<Array<Text>, _>([city, counties].concat())
        .bind::<Array<Text>, _>(programmes.to_vec());
        let (heads, funds, caps) = futures::join!(
            Head::lock(pg, counties),
            funds.load(&mut first),
            caps.load(&mut second)
        );
        Ok(Self {
            heads: heads?,
            funds: funds?,
            caps: caps?,
        })
    }
}

/// [`Tx::change_limits`] as one of several statements that are on their way at once.
pub(crate) async fn change_limits(
    mut pg: &AsyncPgConnection,
    changes: &BTreeMap<(String, String, String), LimitChange>,
) -> Result<(), StoreError> {
    let changes = changes
        .iter()
        .filter(|(_, change)| **change != LimitChange::default());
    let (funds, caps): (Vec<_>, Vec<_>) = changes.partition(|((_, _, scope), _)| scope.is_empty());
    let waiting = funds
        .iter()
        .filter(|(_, change)| change.waiting != 0)
        .collect::<Vec<_>>();
    if !waiting.is_empty() {
        Sql("UPDATE funds f SET waiting = f.waiting + u.n FROM UNNEST($1, $2, $3) AS u (jurisdiction, programme, n) \
             WHERE f.jurisdiction = u.jurisdiction AND f.programme = u.programme")
        .bind::<Array<Text>, _>(waiting.iter().map(|(k, _)| k.0.clone()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(waiting.iter().map(|(k, _)| k.1.clone()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(waiting.iter().map(|(_, c)| c.waiting).collect::<Vec<_>>())
        .execute(&mut pg)
        .await?;
    }
    if !caps.is_empty() {
        Sql(
            "UPDATE caps c SET committed = c.committed + u.committed, waiting = c.waiting + u.waiting \
             FROM UNNEST($1, $2, $3, $4, $5) AS u (jurisdiction, programme, scope, committed, waiting) \
             WHERE c.jurisdiction = u.jurisdiction AND c.programme = u.programme AND c.scope = u.scope",
        )
        .bind::<Array<Text>, _>(caps.iter().map(|(k, _)| k.0.clone()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(caps.iter().map(|(k, _)| k.1.clone()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(caps.iter().map(|(k, _)| k.2.clone()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(caps.iter().map(|(_, c)| c.committed).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(caps.iter().map(|(_, c)| c.waiting).collect::<Vec<_>>())
        .execute(&mut pg)
        .await?;
    }
    Ok(())
}

impl Tx {
    /// Changes what caps have committed and how many wait for them, and how many wait for funds (empty scope).
    pub async fn change_limits(
        &mut self,
        changes: &BTreeMap<(String, String, String), LimitChange>,
    ) -> Result<(), StoreError> {
        change_limits(self.pg(), changes).await
    }

    /// What the claims of a programme in these counties have committed, by category and month of reservation: what a new
    /// cap starts from. The counties' ledgers must be locked.
    pub async fn committed_by_slice(
        &mut self,
        counties: &[String],
        programme: &str,
    ) -> Result<Vec<(String, String, i64)>, StoreError> {
        #[derive(QueryableByName)]
        struct Slice {
            #[diesel(sql_type = Text)]
            category: String,
            #[diesel(sql_type = Text)]
            month: String,
            #[diesel(sql_type = BigInt)]
            amount: i64,
        }
        let rows: Vec<Slice> = Sql("SELECT c.category, c.committed_month AS month, \
             sum(c.amount - coalesce(k.repaid + k.netted, 0))::bigint AS amount \
             FROM claims c LEFT JOIN clawbacks k ON k.jurisdiction = c.jurisdiction AND k.claim = c.id \
             WHERE c.jurisdiction = ANY($1) AND c.programme = $2 AND c.committed GROUP BY c.category, c.committed_month")
        .bind::<Array<Text>, _>(counties.to_vec())
        .bind::<Text, _>(programme.to_owned())
        .load(self.pg())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.category, row.month, row.amount))
            .collect())
    }

    /// Replaces the caps of one jurisdiction and programme.
    pub async fn replace_caps(
        &mut self,
        jurisdiction: &str,
        programme: &str,
        rows: &[CapRow],
    ) -> Result<(), StoreError> {
        diesel::delete(
            caps::table
                .filter(caps::jurisdiction.eq(jurisdiction))
                .filter(caps::programme.eq(programme)),
        )
        .execute(self.pg())
        .await?;
        for row in rows {
            diesel::insert_into(caps::table)
                .values(row)
                .execute(self.pg())
                .await?;
        }
        Ok(())
    }
}

impl Conn {
    /// Funds for whose money, or whose caps' room, claims wait.
    pub async fn funds_with_waitlist(&mut self) -> Result<Vec<(String, String)>, StoreError> {
        use crate::schema::claims;
        let funds: Vec<(::claims::JurisdictionCode, String)> = claims::table
            .filter(claims::waits_for.is_not_null())
            .select((claims::jurisdiction, claims::programme))
            .distinct()
            .load(self.pg())
            .await?;
        let funds = funds.into_iter();
        Ok(funds
            .map(|(county, programme)| (county.to_string(), programme))
            .collect())
    }
}
