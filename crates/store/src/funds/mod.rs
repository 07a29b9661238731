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

pub mod closings;
pub mod holds;
pub mod sources;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::batch::{Bind, Sql, batch_insert};
use crate::journal::EventRow;
use crate::log::Appending;
use crate::schema::{caps, funds, ledgers, transfers};
use crate::{Conn, StoreError, Tx, journal};

/// A fund's accounts, in fen, and how many claims wait for its money.
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

batch_insert! {
    /// A transfer as it stands in a county's log.
    #[derive(Queryable, Selectable, QueryableByName)]
    #[diesel(table_name = transfers, check_for_backend(diesel::pg::Pg))]
    TransferRow => "transfers" {
        jurisdiction: String => Text,
        height: i64 => BigInt,
        programme: String => Text,
        reason: String => Text,
        debit: String => Text,
        credit: String => Text,
        amount: i64 => BigInt,
        claim: Option<Uuid> => Nullable<SqlUuid>,
        document: Option<Uuid> => Nullable<SqlUuid>,
        posted_at: DateTime<Utc> => Timestamptz,
        actor: String => Text,
        /// Its place among all leaves of the county's log.
        leaf: i64 => BigInt,
    }
}

/// A transfer about to be posted.
#[derive(Debug, Clone)]
pub struct Posting {
    pub jurisdiction: String,
    pub programme: String,
    pub transfer: ledger::Transfer,
    pub claim: Option<Uuid>,
    /// The appropriation or disbursement it belongs to.
    pub document: Option<Uuid>,
    pub actor: String,
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

/// A transfer as an export has it.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = transfers, check_for_backend(diesel::pg::Pg))]
pub struct TransferLine {
    pub height: i64,
    pub programme: String,
    pub reason: String,
    pub amount: i64,
    pub claim: Option<Uuid>,
    pub document: Option<Uuid>,
    pub posted_at: DateTime<Utc>,
    pub actor: String,
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

    /// A page of a county's transfers by height.
    pub async fn transfers(
        &mut self,
        filter: &TransferFilter,
        limit: i64,
    ) -> Result<Vec<TransferRow>, StoreError> {
        let query = chosen(filter, limit).select(TransferRow::as_select());
        Ok(query.load(self.pg()).await?)
    }

    /// Transfers that put these claims into a payout, by height.
    pub async fn instructions(&mut self, claims: &[(String, Uuid)]) -> Result<Vec<TransferRow>, StoreError> {
        let (jurisdictions, ids): (Vec<_>, Vec<_>) = claims.iter().cloned().unzip();
        let rows = Sql(
            "SELECT t.* FROM transfers t JOIN UNNEST($1, $2) AS k (jurisdiction, claim) \
             ON t.jurisdiction = k.jurisdiction AND t.claim = k.claim WHERE t.reason = 'instruct' ORDER BY t.height",
        )
        .bind::<Array<Text>, _>(jurisdictions)
        .bind::<Array<SqlUuid>, _>(ids)
        .load(self.pg())
        .await?;
        Ok(rows)
    }

    /// The same with what an export needs: its county is known, and the accounts follow from the reason.
    pub async fn transfer_lines(
        &mut self,
        filter: &TransferFilter,
        limit: i64,
    ) -> Result<Vec<TransferLine>, StoreError> {
        let query = chosen(filter, limit).select(TransferLine::as_select());
        Ok(query.load(self.pg()).await?)
    }

    /// What moved in each fund of a county up to an instant, summed by programme and reason: the fold of its transfers.
    pub async fn moved_until(
        &mut self,
        jurisdiction: &str,
        until: DateTime<Utc>,
    ) -> Result<Vec<(String, String, i64)>, StoreError> {
        #[derive(QueryableByName)]
        struct Moved {
            #[diesel(sql_type = Text)]
            programme: String,
            #[diesel(sql_type = Text)]
            reason: String,
            #[diesel(sql_type = BigInt)]
            amount: i64,
        }
        let rows: Vec<Moved> = Sql("SELECT programme, reason, sum(amount)::bigint AS amount FROM transfers \
             WHERE jurisdiction = $1 AND posted_at <= $2 GROUP BY programme, reason ORDER BY programme, reason")
        .bind::<Text, _>(jurisdiction.to_owned())
        .bind::<Timestamptz, _>(until)
        .load(self.pg())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.programme, row.reason, row.amount))
            .collect())
    }
}

fn chosen(filter: &TransferFilter, limit: i64) -> transfers::BoxedQuery<'_, diesel::pg::Pg> {
    let mut query = transfers::table
        .filter(transfers::jurisdiction.eq(&filter.jurisdiction))
        .filter(transfers::height.gt(filter.after))
        .order(transfers::height)
        .limit(limit)
        .into_boxed();
    if let Some(programme) = &filter.programme {
        query = query.filter(transfers::programme.eq(programme));
    }
    if let Some(claim) = filter.claim {
        query = query.filter(transfers::claim.eq(claim));
    }
    if let Some(from) = filter.from {
        query = query.filter(transfers::posted_at.ge(from));
    }
    if let Some(before) = filter.before {
        query = query.filter(transfers::posted_at.lt(before));
    }
    query
}

/// Which of a county's transfers. `from` is included, `before` is not.
#[derive(Debug, Clone, Default)]
pub struct TransferFilter {
    pub jurisdiction: String,
    pub after: i64,
    pub programme: Option<String>,
    pub claim: Option<Uuid>,
    pub from: Option<DateTime<Utc>>,
    pub before: Option<DateTime<Utc>>,
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

    /// Posts transfers in the order given: each gets its place in its county's log, and the funds' accounts move by their
    /// sums. Time in a county's log never goes backwards, nor into a closed period, so a balance as of an instant is one thing.
    pub async fn post(&mut self, postings: &[Posting], now: DateTime<Utc>) -> Result<(), StoreError> {
        self.append(&[], postings, now).await
    }

    /// Appends events, then transfers, to their counties' logs: [`Tx::record_events`] and [`Tx::post`] in one.
    pub async fn append(
        &mut self,
        events: &[EventRow],
        postings: &[Posting],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        if events.is_empty() && postings.is_empty() {
            return Ok(());
        }
        let counties = postings.iter().map(|posting| &posting.jurisdiction);
        let counties = counties.chain(events.iter().map(|event| &event.jurisdiction));
        let pg = &*self.pg();
        let heads = Head::lock_of(pg, counties).await?;
        let mut log = Appending::on(&heads, now);
        let mut events = events.to_vec();
        log.events(&mut events)?;
        let transfers = log.transfers(postings)?;
        let (recorded, posted, moved, logged) = futures::join!(
            journal::record_events(pg, &events),
            TransferRow::insert_on(pg, &transfers),
            move_accounts(pg, postings),
            log.write(pg),
        );
        recorded?;
        posted?;
        moved?;
        logged
    }
}

/// The height of a county's ledger, the number of leaves in its log, the time of its last transfer, and the end of its last closed period: nothing is posted before either.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
#[diesel(table_name = ledgers, check_for_backend(diesel::pg::Pg))]
pub struct Head {
    pub jurisdiction: String,
    pub height: i64,
    pub last_posted_at: Option<DateTime<Utc>>,
    pub closed_until: Option<DateTime<Utc>>,
    pub leaves: i64,
}

impl Head {
    /// When a transfer is posted that is made now: a clock that lags behind the log, or behind a closing, does not count.
    pub(crate) fn posts_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.last_posted_at
            .max(self.closed_until)
            .map_or(now, |earliest| earliest.max(now))
    }

    /// Those of these counties, in order.
    pub(crate) async fn lock_of(
        pg: &AsyncPgConnection,
        counties: impl Iterator<Item = &String>,
    ) -> Result<Vec<Self>, StoreError> {
        let counties = counties.collect::<BTreeSet<_>>();
        Self::lock(pg, &counties.into_iter().cloned().collect::<Vec<_>>()).await
    }

    async fn lock(mut pg: &AsyncPgConnection, counties: &[String]) -> Result<Vec<Self>, StoreError> {
        Ok(Sql(
            "SELECT jurisdiction, height, last_posted_at, closed_until, leaves FROM ledgers \
             WHERE jurisdiction = ANY($1) ORDER BY jurisdiction FOR UPDATE",
        )
        .bind::<Array<Text>, _>(counties.to_vec())
        .load(&mut pg)
        .await?)
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

/// Moves the accounts of funds by what their transfers sum to.
pub(crate) async fn move_accounts(
    mut pg: &AsyncPgConnection,
    postings: &[Posting],
) -> Result<(), StoreError> {
    use ledger::Account;
    if postings.is_empty() {
        return Ok(());
    }
    let mut moves = BTreeMap::<(&str, &str), [i64; 8]>::new();
    for posting in postings {
        let sums = moves
            .entry((&posting.jurisdiction, &posting.programme))
            .or_default();
        let amount = posting.transfer.amount.get();
        // Appropriated is the one account whose credits add to it.
        for (account, sign) in [(posting.transfer.debit(), 1), (posting.transfer.credit(), -1)] {
            let sign = if account == Account::Appropriated {
                -sign
            } else {
                sign
            };
            if let Some(sum) = sums.get_mut(place(account)) {
                *sum = sum.saturating_add(amount.saturating_mul(sign));
            }
        }
    }
    let column = |index: usize| {
        moves
            .values()
            .map(|sums| sums.get(index).copied().unwrap_or(0))
            .collect::<Vec<i64>>()
    };
    let changed = Sql(
        "UPDATE funds f SET appropriated = f.appropriated + u.a, available = f.available + u.b, \
         reserved = f.reserved + u.c, payable = f.payable + u.d, in_payment = f.in_payment + u.e, \
         disbursed = f.disbursed + u.f, recoverable = f.recoverable + u.g, advanced = f.advanced + u.h \
         FROM UNNEST($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) AS u (jurisdiction, programme, a, b, c, d, e, f, g, h) \
         WHERE f.jurisdiction = u.jurisdiction AND f.programme = u.programme",
    )
    .bind::<Array<Text>, _>(moves.keys().map(|k| k.0.to_owned()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(moves.keys().map(|k| k.1.to_owned()).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(column(0))
    .bind::<Array<BigInt>, _>(column(1))
    .bind::<Array<BigInt>, _>(column(2))
    .bind::<Array<BigInt>, _>(column(3))
    .bind::<Array<BigInt>, _>(column(4))
    .bind::<Array<BigInt>, _>(column(5))
    .bind::<Array<BigInt>, _>(column(6))
    .bind::<Array<BigInt>, _>(column(7))
    .execute(&mut pg)
    .await?;
    if changed == moves.len() {
        Ok(())
    } else {
        Err(StoreError::Stale("fund"))
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

fn place(account: ledger::Account) -> usize {
    use ledger::Account;
    match account {
        Account::Appropriated => 0,
        Account::Available => 1,
        Account::Reserved => 2,
        Account::Payable => 3,
        Account::InPayment => 4,
        Account::Disbursed => 5,
        Account::Recoverable => 6,
        Account::Advanced => 7,
    }
}

impl Conn {
    /// Funds for whose money, or whose caps' room, claims wait.
    pub async fn funds_with_waitlist(&mut self) -> Result<Vec<(String, String)>, StoreError> {
        use crate::schema::claims;
        Ok(claims::table
            .filter(claims::waits_for.is_not_null())
            .select((claims::jurisdiction, claims::programme))
            .distinct()
            .load(self.pg())
            .await?)
    }
}
