//! The statements of a batch of claims, in two round trips: what it competes for, and what it
//! writes.
//!
//! Statements of one connection run in the order in which they are sent, so they are sent without
//! waiting for one another's answers. Of several that fail, the first is the fault and the others
//! are its echo: results are looked at in order.

use std::collections::BTreeMap;

use ::claims::Digest;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::audit::log::Appending;
use crate::claims::holdings::{QuotaRow, UniqueKeyRow};
use crate::claims::{ClaimRow, DecisionRow};
use crate::funds::transfers::{self, Head, Posting, TransferRow};
use crate::funds::{LimitChange, LockedLimits};
use crate::operation::{EventRow, IdempotencyRow, outbox};
use crate::{StoreError, Tx, claims, funds};

/// What a batch names: its idempotency keys, whose books it opens, and what its claims ask for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub keys: Vec<IdempotencyRow>,
    pub counties: Vec<String>,
    /// The codes whose caps count several counties.
    pub city: Vec<String>,
    pub programmes: Vec<String>,
    pub digests: Vec<Digest>,
    pub persons: Vec<Digest>,
}

/// What the books say, under the locks of their counties.
#[derive(Debug, Clone, Default)]
pub struct Opened {
    /// Client and key of those in [`Asked::keys`] that are new and remembered from now on.
    pub new_keys: Vec<(String, String)>,
    pub limits: LockedLimits,
    /// Keys that are held.
    pub holders: Vec<UniqueKeyRow>,
    /// The quotas of these persons, in all slots they ever used.
    pub quotas: Vec<QuotaRow>,
}

/// Everything that a batch of decided claims writes.
#[derive(Debug, Clone, Default)]
pub struct Record {
    pub new: Vec<ClaimRow>,
    /// Claims that stand already, each with its next revision.
    pub changed: Vec<ClaimRow>,
    pub decisions: Vec<DecisionRow>,
    pub events: Vec<EventRow>,
    pub taken: Vec<UniqueKeyRow>,
    /// Digests of keys that claims in `changed` give up.
    pub released: Vec<Digest>,
    pub quotas: Vec<QuotaRow>,
    pub postings: Vec<Posting>,
    pub limits: BTreeMap<(String, String, String), LimitChange>,
}

impl Tx {
    /// Remembers idempotency keys, waiting for any transaction that uses one of them, locks the
    /// books, and reads the holders of what is asked for. The locking doctrine stands in
    /// [`crate::funds`].
    pub async fn open_books(&mut self, asked: &Asked) -> Result<Opened, StoreError> {
        let pg = &*self.pg();
        let (new_keys, limits, holders, quotas) = futures::join!(
            IdempotencyRow::remember(pg, &asked.keys),
            LockedLimits::lock(pg, &asked.counties, &asked.city, &asked.programmes),
            UniqueKeyRow::holders(pg, &asked.digests),
            QuotaRow::of_persons(pg, &asked.persons),
        );
        Ok(Opened {
            new_keys: new_keys?,
            limits: limits?,
            holders: holders?,
            quotas: quotas?,
        })
    }

    /// Writes a batch on top of the locked heads of its counties. Keys and quotas come first, where
    /// a lost race shows; the counties' rows come last. Returns the places of the decisions in
    /// their counties' logs.
    pub async fn record(
        &mut self,
        heads: &[Head],
        mut record: Record,
        now: DateTime<Utc>,
    ) -> Result<Vec<i64>, StoreError> {
        let mut log = Appending::on(heads, now);
        for row in &mut record.decisions {
            row.leaf = log.add(row.jurisdiction.as_str(), &row.leaf())?;
        }
        log.events(&mut record.events)?;
        let posted = log.transfers(&record.postings)?;
        let changed: Vec<Uuid> = record.changed.iter().map(|row| row.id).collect();
        let pg = &*self.pg();
        let (released, taken, quotas, new, saved, decisions, events, inserted, moved, logged, limits) = futures::join!(
            UniqueKeyRow::release(pg, &record.released, &changed),
            UniqueKeyRow::take(pg, record.taken),
            QuotaRow::change(pg, record.quotas),
            ClaimRow::insert_on(pg, &record.new),
            claims::save_claims(pg, &record.changed),
            DecisionRow::insert_on(pg, &record.decisions),
            outbox::record_events(pg, &record.events),
            TransferRow::insert_on(pg, &posted),
            transfers::move_accounts(pg, &record.postings),
            log.write(pg),
            funds::change_limits(pg, &record.limits),
        );
        released?;
        taken?;
        quotas?;
        new?;
        saved?;
        decisions?;
        events?;
        inserted?;
        moved?;
        logged?;
        limits?;
        Ok(record.decisions.iter().map(|row| row.leaf).collect())
    }
}
