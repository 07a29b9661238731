//! A county's transfers: those about to be posted, those that stand, and the head of the ledger that takes the next.
//!
//! The heights and places in the log are given out by `audit::log`, which stands above this module; here stands what a
//! posting does to a fund's accounts.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use ledger::{Account, Fen, Reason};
use uuid::Uuid;

use crate::batch::{Bind, Sql, batch_insert};
use crate::columns::{Money, Word};
use crate::schema::{ledgers, transfers};
use crate::{Conn, StoreError};

batch_insert! {
    /// A transfer as it stands in a county's log.
    /// Primary key: `jurisdiction`, `height`.
    #[derive(Queryable, Selectable, QueryableByName)]
    #[diesel(table_name = transfers, check_for_backend(diesel::pg::Pg))]
    pub struct TransferRow in "transfers" {
        jurisdiction: String => Text,
        height: i64 => BigInt,
        programme: String => Text,
        reason: Reason => Word,
        debit: Account => Word,
        credit: Account => Word,
        amount: Fen => Money,
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

/// A transfer as an export has it.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = transfers, check_for_backend(diesel::pg::Pg))]
pub struct TransferLine {
    pub height: i64,
    pub programme: String,
    pub reason: Reason,
    pub amount: Fen,
    pub claim: Option<Uuid>,
    pub document: Option<Uuid>,
    pub posted_at: DateTime<Utc>,
    pub actor: String,
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

/// The height of a county's ledger, the number of leaves in its log, the time of its last transfer and the end of
/// its last closed period: nothing is posted before either.
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

    pub(super) async fn lock(
        mut pg: &AsyncPgConnection,
        counties: &[String],
    ) -> Result<Vec<Self>, StoreError> {
        Ok(Sql(
            "SELECT jurisdiction, height, last_posted_at, closed_until, leaves FROM ledgers \
             WHERE jurisdiction = ANY($1) ORDER BY jurisdiction FOR UPDATE",
        )
        .bind::<Array<Text>, _>(counties.to_vec())
        .load(&mut pg)
        .await?)
    }
}

impl Conn {
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
    ) -> Result<Vec<(String, Reason, i64)>, StoreError> {
        #[derive(QueryableByName)]
        struct Moved {
            #[diesel(sql_type = Text)]
            programme: String,
            #[diesel(sql_type = Word)]
            reason: Reason,
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

/// Moves the accounts of funds by what their transfers sum to.
pub(crate) async fn move_accounts(
    mut pg: &AsyncPgConnection,
    postings: &[Posting],
) -> Result<(), StoreError> {
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

fn place(account: ledger::Account) -> usize {
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
