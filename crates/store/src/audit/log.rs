//! The transparency log: leaves are appended in the transaction that makes them, under the lock of the county's ledger.
//!
//! [`Appending`] gives out numbers on top of locked heads and writes one row of hashes a county, however many leaves there are,
//! and the county's new head. Inner nodes are written when a checkpoint is made, so that nobody waits for them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use ledger::log::{Event, Hash, Leaf, Node, Parts, Posted};
use uuid::Uuid;

use crate::batch::{Bind, Sql, batch_insert};
use crate::funds::transfers::{self, Head, Posting, TransferRow};
use crate::operation::{EventRow, outbox};
use crate::schema::{checkpoints, cosignatures, ledgers, log_leaves, log_nodes};
use crate::{Conn, StoreError, Tx};

batch_insert! {
    /// Hashes of leaves that were appended together, 32 bytes each.
    /// Primary key: `jurisdiction`, `first`.
    pub struct LeavesRow in "log_leaves" {
        jurisdiction: String => Text,
        first: i64 => BigInt,
        hashes: Vec<u8> => Bytea,
    }
}

batch_insert! {
    /// The root of a complete subtree of 2^level leaves.
    /// Primary key: `jurisdiction`, `level`, `number`.
    pub struct NodeRow in "log_nodes" {
        jurisdiction: String => Text,
        level: i16 => diesel::sql_types::SmallInt,
        number: i64 => BigInt,
        hash: Vec<u8> => Bytea,
    } on conflict " ON CONFLICT ON CONSTRAINT log_nodes_pkey DO NOTHING"
}

/// A signed checkpoint of a county's log.
/// Primary key: `jurisdiction`, `size`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = checkpoints, check_for_backend(diesel::pg::Pg))]
pub struct CheckpointRow {
    pub jurisdiction: String,
    pub size: i64,
    pub root: Vec<u8>,
    pub note: String,
    pub made_at: DateTime<Utc>,
}

/// A witness's word on a checkpoint.
/// Primary key: `jurisdiction`, `size`, `witness`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = cosignatures, check_for_backend(diesel::pg::Pg))]
pub struct CosignatureRow {
    pub jurisdiction: String,
    pub size: i64,
    pub witness: String,
    pub line: String,
    pub signed_at: DateTime<Utc>,
    pub received_at: DateTime<Utc>,
}

impl EventRow {
    pub fn leaf(&self) -> Leaf<'_> {
        Leaf::Event(Event {
            jurisdiction: &self.jurisdiction,
            id: self.id.into_bytes(),
            subject: &self.subject,
            verb: &self.verb,
            actor: &self.actor,
            person: &self.person,
            at: self.at.timestamp_micros(),
            revision: self.revision.map(i64::from),
            from: self.from_status.as_deref(),
            to: self.to_status.as_deref(),
            reason: self.reason.as_deref(),
            request: self.request.as_deref(),
            detail: self.detail.as_deref(),
        })
    }
}

impl TransferRow {
    pub fn leaf(&self) -> Leaf<'_> {
        Leaf::Transfer(Posted {
            jurisdiction: &self.jurisdiction,
            height: self.height,
            programme: &self.programme,
            reason: self.reason.as_str(),
            amount: self.amount.get(),
            claim: self.claim.map(Uuid::into_bytes),
            document: self.document.map(Uuid::into_bytes),
            posted_at: self.posted_at.timestamp_micros(),
            actor: &self.actor,
        })
    }
}

/// Leaves about to be appended to counties' logs.
pub(crate) struct Appending<'h> {
    tops: BTreeMap<&'h str, Top>,
    bytes: Vec<u8>,
}

/// Where a county's log and its transfers stand.
struct Top {
    first: i64,
    leaves: i64,
    height: i64,
    posts_at: DateTime<Utc>,
    last_posted_at: Option<DateTime<Utc>>,
    hashes: Vec<u8>,
}

impl<'h> Appending<'h> {
    pub(crate) fn on(heads: &'h [Head], now: DateTime<Utc>) -> Self {
        let tops = heads.iter().map(|head| {
            let top = Top {
                first: head.leaves,
                leaves: head.leaves,
                height: head.height,
                posts_at: head.posts_at(now),
                last_posted_at: head.last_posted_at,
                hashes: Vec::new(),
            };
            (head.jurisdiction.as_str(), top)
        });
        Self {
            tops: tops.collect(),
            bytes: Vec::new(),
        }
    }

    fn top(&mut self, jurisdiction: &str) -> Result<&mut Top, StoreError> {
        self.tops.get_mut(jurisdiction).ok_or(StoreError::Stale("ledger"))
    }

    pub(crate) fn add(&mut self, jurisdiction: &str, leaf: &Leaf<'_>) -> Result<i64, StoreError> {
        leaf.encode_into(&mut self.bytes);
        let hash = Hash::of_leaf(&self.bytes);
        let top = self.top(jurisdiction)?;
        let number = top.leaves;
        top.leaves = number.saturating_add(1);
        top.hashes.extend_from_slice(&hash.0);
        Ok(number)
    }

    pub(crate) fn events(&mut self, rows: &mut [EventRow]) -> Result<(), StoreError> {
        for row in rows {
            row.leaf = Some(self.add(&row.jurisdiction, &row.leaf())?);
        }
        Ok(())
    }

    /// Transfers in the order given, each with its height.
    pub(crate) fn transfers(&mut self, postings: &[Posting]) -> Result<Vec<TransferRow>, StoreError> {
        let mut rows = Vec::with_capacity(postings.len());
        for posting in postings {
            let top = self.top(&posting.jurisdiction)?;
            top.height = top.height.saturating_add(1);
            top.last_posted_at = Some(top.posts_at);
            let mut row = TransferRow {
                jurisdiction: posting.jurisdiction.clone(),
                height: top.height,
                programme: posting.programme.clone(),
                reason: posting.transfer.reason,
                debit: posting.transfer.debit(),
                credit: posting.transfer.credit(),
                amount: posting.transfer.amount,
                claim: posting.claim,
                document: posting.document,
                posted_at: top.posts_at,
                actor: posting.actor.clone(),
                leaf: 0,
            };
            row.leaf = self.add(&row.jurisdiction, &row.leaf())?;
            rows.push(row);
        }
        Ok(rows)
    }

    /// Writes the hashes and the counties' new heads.
    pub(crate) async fn write(mut self, mut pg: &AsyncPgConnection) -> Result<(), StoreError> {
        self.tops.retain(|_, top| top.leaves != top.first);
        if self.tops.is_empty() {
            return Ok(());
        }
        let raise = Sql(
            "UPDATE ledgers l SET height = u.height, last_posted_at = u.posted_at, leaves = u.leaves \
             FROM UNNEST($1, $2, $3, $4, $5) AS u (jurisdiction, was, leaves, height, posted_at) \
             WHERE l.jurisdiction = u.jurisdiction AND l.leaves = u.was",
        )
        .bind::<Array<Text>, _>(self.tops.keys().map(|j| (*j).to_owned()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(self.tops.values().map(|top| top.first).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(self.tops.values().map(|top| top.leaves).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(self.tops.values().map(|top| top.height).collect::<Vec<_>>())
        .bind::<Array<diesel::sql_types::Nullable<Timestamptz>>, _>(
            self.tops
                .values()
                .map(|top| top.last_posted_at)
                .collect::<Vec<_>>(),
        );
        let counties = self.tops.len();
        let rows = self.tops.iter_mut().map(|(jurisdiction, top)| LeavesRow {
            jurisdiction: (*jurisdiction).to_owned(),
            first: top.first,
            hashes: std::mem::take(&mut top.hashes),
        });
        let rows: Vec<LeavesRow> = rows.collect();
        let (written, raised) = futures::join!(LeavesRow::insert_on(pg, &rows), raise.execute(&mut pg));
        written?;
        if raised? == counties {
            Ok(())
        } else {
            Err(StoreError::Stale("ledger"))
        }
    }
}

impl Conn {
    /// How many leaves a county's log has.
    pub async fn log_size(&mut self, jurisdiction: &str) -> Result<Option<i64>, StoreError> {
        Ok(ledgers::table
            .find(jurisdiction)
            .select(ledgers::leaves)
            .first(self.pg())
            .await
            .optional()?)
    }

    /// The youngest checkpoint, or the one of this size.
    pub async fn checkpoint(
        &mut self,
        jurisdiction: &str,
        size: Option<i64>,
    ) -> Result<Option<CheckpointRow>, StoreError> {
        let mut query = checkpoints::table
            .filter(checkpoints::jurisdiction.eq(jurisdiction))
            .order(checkpoints::size.desc())
            .select(CheckpointRow::as_select())
            .into_boxed();
        if let Some(size) = size {
            query = query.filter(checkpoints::size.eq(size));
        }
        Ok(query.first(self.pg()).await.optional()?)
    }

    /// Checkpoints of a county, youngest first, smaller than a size.
    pub async fn checkpoints(
        &mut self,
        jurisdiction: &str,
        below: Option<i64>,
        limit: i64,
    ) -> Result<Vec<CheckpointRow>, StoreError> {
        Ok(checkpoints::table
            .filter(checkpoints::jurisdiction.eq(jurisdiction))
            .filter(checkpoints::size.lt(below.unwrap_or(i64::MAX)))
            .order(checkpoints::size.desc())
            .limit(limit)
            .select(CheckpointRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// What witnesses said of a checkpoint, by their names.
    pub async fn cosignatures(
        &mut self,
        jurisdiction: &str,
        size: i64,
    ) -> Result<Vec<CosignatureRow>, StoreError> {
        Ok(cosignatures::table
            .filter(cosignatures::jurisdiction.eq(jurisdiction))
            .filter(cosignatures::size.eq(size))
            .order(cosignatures::witness)
            .select(CosignatureRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// Counties whose logs have grown since a last checkpoint that was made by an instant, or have none.
    pub async fn logs_to_sign(
        &mut self,
        made_by: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        #[derive(QueryableByName)]
        struct Grown {
            #[diesel(sql_type = Text)]
            jurisdiction: String,
        }
        let rows: Vec<Grown> = Sql(
            "SELECT l.jurisdiction FROM ledgers l LEFT JOIN LATERAL (SELECT c.size, c.made_at FROM checkpoints c \
             WHERE c.jurisdiction = l.jurisdiction ORDER BY c.size DESC LIMIT 1) AS c ON true \
             WHERE l.leaves > coalesce(c.size, 0) AND coalesce(c.made_at, $1) <= $1 ORDER BY l.jurisdiction LIMIT $2",
        )
        .bind::<Timestamptz, _>(made_by)
        .bind::<BigInt, _>(limit)
        .load(self.pg())
        .await?;
        Ok(rows.into_iter().map(|row| row.jurisdiction).collect())
    }

    /// Hashes of leaves `[from, to)`, whichever are there, in order.
    pub async fn leaf_hashes(
        &mut self,
        jurisdiction: &str,
        from: i64,
        to: i64,
    ) -> Result<Vec<Hash>, StoreError> {
        #[derive(QueryableByName)]
        #[diesel(table_name = log_leaves, check_for_backend(diesel::pg::Pg))]
        struct Run {
            first: i64,
            hashes: Vec<u8>,
        }
        let rows: Vec<Run> = Sql(
            "SELECT first, hashes FROM log_leaves WHERE jurisdiction = $1 AND first < $3 AND first >= coalesce((SELECT max(first) \
             FROM log_leaves WHERE jurisdiction = $1 AND first <= $2), 0) ORDER BY first",
        )
        .bind::<Text, _>(jurisdiction.to_owned())
        .bind::<BigInt, _>(from)
        .bind::<BigInt, _>(to)
        .load(self.pg())
        .await?;
        let numbered = rows
            .iter()
            .flat_map(|run| (run.first..).zip(run.hashes.as_chunks::<32>().0));
        Ok(numbered
            .filter(|(number, _)| (from..to).contains(number))
            .map(|(_, hash)| Hash(*hash))
            .collect())
    }

    /// The kept nodes of a log that a question needs.
    pub async fn log_nodes(
        &mut self,
        jurisdiction: &str,
        parts: &Parts,
    ) -> Result<BTreeMap<Node, Hash>, StoreError> {
        let mut nodes = BTreeMap::new();
        for (level, from, to) in parts.runs() {
            let (first, last) = (signed(from), signed(to));
            let hashes = if level == 0 {
                self.leaf_hashes(jurisdiction, first, last).await?
            } else {
                let rows: Vec<Vec<u8>> = log_nodes::table
                    .filter(log_nodes::jurisdiction.eq(jurisdiction))
                    .filter(log_nodes::level.eq(i16::from(level)))
                    .filter(log_nodes::number.ge(first))
                    .filter(log_nodes::number.lt(last))
                    .order(log_nodes::number)
                    .select(log_nodes::hash)
                    .load(self.pg())
                    .await?;
                rows.iter()
                    .map(|hash| Hash(hash.as_slice().try_into().unwrap_or_default()))
                    .collect()
            };
            nodes.extend(
                (from..to)
                    .zip(hashes)
                    .map(|(number, hash)| (Node { level, number }, hash)),
            );
        }
        Ok(nodes)
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Tx {
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
        let posted = log.transfers(postings)?;
        let (recorded, inserted, moved, logged) = futures::join!(
            outbox::record_events(pg, &events),
            TransferRow::insert_on(pg, &posted),
            transfers::move_accounts(pg, postings),
            log.write(pg),
        );
        recorded?;
        inserted?;
        moved?;
        logged
    }

    /// Appends events to their counties' logs and queues them for the outside.
    pub async fn record_events(&mut self, events: &[EventRow]) -> Result<(), StoreError> {
        let Some(now) = events.iter().map(|event| event.at).max() else {
            return Ok(());
        };
        self.append(events, &[], now).await
    }

    /// Appends events to their counties' logs without telling anybody outside.
    pub async fn log_events(&mut self, events: &[EventRow]) -> Result<(), StoreError> {
        let Some(now) = events.iter().map(|event| event.at).max() else {
            return Ok(());
        };
        let pg = &*self.pg();
        let heads = Head::lock_of(pg, events.iter().map(|event| &event.jurisdiction)).await?;
        let mut log = Appending::on(&heads, now);
        let mut events = events.to_vec();
        log.events(&mut events)?;
        let (recorded, logged) = futures::join!(EventRow::insert_on(pg, &events), log.write(pg));
        recorded?;
        logged
    }

    /// Keeps a checkpoint; one of the same size stays as it is.
    pub async fn add_checkpoint(&mut self, row: &CheckpointRow) -> Result<(), StoreError> {
        diesel::insert_into(checkpoints::table)
            .values(row)
            .on_conflict_do_nothing()
            .execute(self.pg())
            .await?;
        Ok(())
    }

    /// Keeps a witness's word on a checkpoint; its first one stays.
    pub async fn add_cosignature(&mut self, row: &CosignatureRow) -> Result<(), StoreError> {
        diesel::insert_into(cosignatures::table)
            .values(row)
            .on_conflict_do_nothing()
            .execute(self.pg())
            .await?;
        Ok(())
    }
}
