//! What `huanxin work` does in the background, on any number of instances: rows claimed with SKIP LOCKED, every step
//! idempotent, nothing kept in memory.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};

use store::operation::{EventRow, OutboxRow};
use store::{Done, Tx};
use uuid::Uuid;

use crate::Settings;
use crate::at_rest::Vault;
use crate::audit::Audit;
use crate::catalogue::Catalogues;
use crate::claims::Claims;
use crate::funds::Funds;
use crate::funds::limits::month_of;
use crate::operation::convert::code;
use crate::operation::{Runner, ServiceError};
use crate::payments::Payments;
use crate::ports::{EventSink, ToldEvent};
use crate::webhooks::Webhooks;
use timing::shanghai;

/// Rows of the outbox looked at in one statement; each holds the events of one county and one unit of work.
const ROWS: usize = 200;
/// Events told in one call, unless a single row holds more.
const TELL: usize = 200;
/// Half the first lease, in seconds: longer than a receiver may take.
const LEASE_S: i64 = 30;

/// What one round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    pub expired: usize,
    pub promoted: usize,
    /// Funds whose unused central money went back.
    pub lapsed: usize,
    /// Months and years of counties that were closed.
    pub closed: usize,
    /// Messages made for merchants.
    pub messages: usize,
    pub told: usize,
    pub forgotten: usize,
    /// Logs of which a checkpoint was made.
    pub signed: usize,
}

/// What time demands, in rounds.
#[derive(Debug)]
pub struct Worker {
    op: Arc<Runner>,
    catalogue: Arc<Catalogues>,
    vault: Arc<Vault>,
    settings: Arc<Settings>,
    funds: Funds,
    claims: Arc<Claims>,
    audit: Audit,
    payments: Payments,
    webhooks: Webhooks,
}

impl Worker {
    pub(crate) fn new(
        funds: &Funds,
        claims: &Arc<Claims>,
        audit: &Audit,
        payments: &Payments,
        webhooks: &Webhooks,
        settings: &Arc<Settings>,
    ) -> Self {
        Self {
            op: Arc::clone(&funds.op),
            catalogue: Arc::clone(&funds.catalogue),
            vault: Arc::clone(&claims.vault),
            settings: Arc::clone(settings),
            funds: funds.clone(),
            claims: Arc::clone(claims),
            audit: audit.clone(),
            payments: payments.clone(),
            webhooks: webhooks.clone(),
        }
    }
}

impl Worker {
    /// One round of everything that is due. `last` is when the round before began: a new month since then opens new slices
    /// of the caps, and a new day looks for central money that lapsed and for months and years to be closed.
    pub async fn work(
        &self,
        sink: Option<&dyn EventSink>,
        last: Option<DateTime<Utc>>,
    ) -> Result<Round, ServiceError> {
        let now = self.op.now();
        if last.is_none_or(|last| month_of(last) != month_of(now)) {
            self.claims.call_all_waitlists().await?;
        }
        let expired = self.claims.expire_corrections().await?;
        let promoted = self.claims.serve_waitlists().await?;
        // After the waitlists: who waits for the money of a year comes before its end. A year is closed after it lapsed.
        let (lapsed, closed) = match last {
            Some(last) if shanghai::date(last) == shanghai::date(now) => (0, 0),
            _ => (self.funds.lapse_central().await?, self.funds.close_due().await?),
        };
        let signed = self.audit.sign_logs().await?;
        // Before anybody is told: what is told is gone from the outbox.
        let messages = self.webhooks.make_messages().await?;
        let told = match sink {
            Some(sink) => self.tell_events(sink).await?,
            None => self.drop_events().await?,
        };
        let days = Duration::days(i64::from(self.settings.idempotency_days));
        let before = now.checked_sub_signed(days).unwrap_or(now);
        let forgotten = self
            .op
            .transaction(async |mut tx| {
                let forgotten = tx.forget_idempotency_keys(before, 10_000).await?;
                Ok(tx.done(forgotten))
            })
            .await?;
        Ok(Round {
            expired,
            promoted,
            lapsed,
            closed,
            messages,
            told,
            forgotten,
            signed,
        })
    }

    /// Tells the outside what happened, at least once each. What the receiver does not take is told again, later and later,
    /// up to a day apart. Rows are leased, not locked, while the receiver is asked: no transaction waits for a stranger.
    async fn tell_events(&self, sink: &dyn EventSink) -> Result<usize, ServiceError> {
        let mut told = 0_usize;
        loop {
            let leased = self.op.transaction(|tx| self.lease_outbox(tx)).await?;
            if leased.is_empty() {
                return Ok(told);
            }
            let events = self.op.read().await?.events_of(&leased).await?;
            let events = events.into_iter().map(told_event).collect::<Vec<_>>();
            if let Err(error) = sink.tell(&events).await {
                // Their lease is their pause: they are told again when it ends.
                tracing::warn!(%error, events = events.len(), "events put off");
                return Ok(told);
            }
            self.op
                .transaction(async |mut tx| {
                    tx.told(&leased).await?;
                    Ok(tx.done(()))
                })
                .await?;
            told = told.saturating_add(events.len());
        }
    }

    /// Leases what is told in one call and no more, so that a lease outlasts its call.
    async fn lease_outbox(&self, mut tx: Tx) -> Result<Done<Vec<OutboxRow>>, ServiceError> {
        let now = self.op.now();
        let mut due = tx.due_outbox(now, rows(ROWS)).await?;
        due.truncate(told_together(&due));
        for row in &mut due {
            row.attempts = row.attempts.saturating_add(1);
            // The first of them was making messages of it.
            let doublings = u32::try_from(row.attempts)
                .unwrap_or(u32::MAX)
                .saturating_sub(1)
                .min(11);
            let pause = Duration::seconds(LEASE_S.saturating_mul(1_i64 << doublings)).min(Duration::days(1));
            row.due_at = now.checked_add_signed(pause).unwrap_or(now);
        }
        tx.tell_later(&due).await?;
        Ok(tx.done(due))
    }

    /// Nobody listens: the events stay in the audit trail, the queue is emptied.
    async fn drop_events(&self) -> Result<usize, ServiceError> {
        let mut dropped = 0_usize;
        loop {
            let (gone, events) = self
                .op
                .transaction(async |mut tx| {
                    let due = tx.due_outbox(self.op.now(), rows(ROWS)).await?;
                    tx.told(&due).await?;
                    Ok(tx.done((due.len(), due.iter().map(|row| row.events.len()).sum::<usize>())))
                })
                .await?;
            dropped = dropped.saturating_add(events);
            if gone < ROWS {
                return Ok(dropped);
            }
        }
    }

    /// Seals again what was sealed under an older key, a bounded number in each transaction; says how many.
    pub async fn rekey(&self) -> Result<usize, ServiceError> {
        let mut sealed = 0_usize;
        for jurisdiction in self.catalogue.current().jurisdictions() {
            let mut after = None;
            loop {
                let (count, last) = self
                    .op
                    .transaction(|tx| self.rekey_some(tx, &jurisdiction.code, after))
                    .await?;
                sealed = sealed.saturating_add(count);
                match last {
                    Some(last) => after = Some(last),
                    None => break,
                }
            }
        }
        loop {
            let accounts = self.op.transaction(|tx| self.payments.rekey_accounts(tx)).await?;
            let files = self
                .op
                .transaction(|tx| self.payments.rekey_submissions(tx))
                .await?;
            let webhooks = self.op.transaction(|tx| self.webhooks.rekey_webhooks(tx)).await?;
            let count = accounts.saturating_add(files).saturating_add(webhooks);
            if count == 0 {
                return Ok(sealed);
            }
            sealed = sealed.saturating_add(count);
        }
    }

    async fn rekey_some(
        &self,
        mut tx: Tx,
        jurisdiction: &str,
        after: Option<(Uuid, i32)>,
    ) -> Result<Done<(usize, Option<(Uuid, i32)>)>, ServiceError> {
        let mut rows = tx.decisions_after(code(jurisdiction)?, after, 500).await?;
        let last = rows.last().map(|row| (row.claim, row.revision));
        rows.retain(|row| row.key_id != self.vault.key_id());
        for row in &mut rows {
            let place = crate::claims::view::document_place(row.claim(), row.revision);
            let text = self.vault.open(&row.key_id, &place, &row.sealed)?;
            row.sealed = self.vault.seal(&place, &text)?;
            row.key_id = self.vault.key_id().to_owned();
        }
        tx.reseal(&rows).await?;
        Ok(tx.done((rows.len(), last)))
    }

    /// Decides every recorded decision of a county again from its receipt, and names those that come out otherwise.
    pub async fn re_execute(&self, jurisdiction: &str) -> Result<ReExecution, ServiceError> {
        let catalogue = self.catalogue.current();
        let mut done = ReExecution::default();
        let mut after = None;
        loop {
            let rows = self
                .op
                .read()
                .await?
                .decisions_after(code(jurisdiction)?, after, 500)
                .await?;
            let Some(last) = rows.last() else { return Ok(done) };
            after = Some((last.claim, last.revision));
            for row in &rows {
                done.decisions = done.decisions.saturating_add(1);
                if let Err(why) = check_receipt(&catalogue, row) {
                    done.mismatches.push(format!(
                        "clm_{}_{} revision {}: {why}",
                        row.jurisdiction,
                        row.claim.simple(),
                        row.revision
                    ));
                }
            }
        }
    }

    /// Events still to be told, for the metrics.
    pub async fn outbox_depth(&self) -> Result<i64, ServiceError> {
        Ok(self.op.read().await?.outbox_depth().await?)
    }

    /// Whether the service can do its work: the database answers and has every migration.
    pub async fn ready(&self) -> Result<(), NotReady> {
        let mut conn = self
            .op
            .read()
            .await
            .map_err(|error| NotReady(error.to_string()))?;
        match conn.missing_migrations().await {
            Ok(missing) if missing.is_empty() => Ok(()),
            Ok(missing) => Err(NotReady(format!(
                "{} migrations are missing: run huanxin migrate",
                missing.len()
            ))),
            Err(error) => Err(NotReady(error.to_string())),
        }
    }
}

/// Why the service is not ready.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotReady(pub String);

/// How many decisions were decided again, and which came out otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReExecution {
    pub decisions: usize,
    pub mismatches: Vec<String>,
}

fn check_receipt(
    catalogue: &crate::catalogue::Catalogue,
    row: &store::claims::DecisionRow,
) -> Result<(), String> {
    let text = crate::claims::view::receipt(row).map_err(|error| error.to_string())?;
    let opened = policy::receipt::open(&text).map_err(|error| error.to_string())?;
    let programme = catalogue
        .version(opened.programme(), opened.version())
        .ok_or("unknown programme version")?;
    if policy::receipt::digest(text.as_bytes()) != format!("sha256:{}", hex::encode(row.digest.0)) {
        return Err("the digest is not the receipt's".into());
    }
    let read = opened.read(programme);
    read.map(drop).map_err(|mismatch| mismatch.to_string())
}

/// How many rows, at least one, are told in one call.
fn told_together(due: &[OutboxRow]) -> usize {
    let mut events = 0_usize;
    let fits = due.iter().take_while(|row| {
        events = events.saturating_add(row.events.len());
        events <= TELL
    });
    fits.count().max(1)
}

fn rows(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn told_event(event: EventRow) -> ToldEvent {
    ToldEvent {
        id: event.id,
        jurisdiction: event.jurisdiction,
        subject: event.subject,
        verb: event.verb,
        at: event.at,
        from_status: event.from_status,
        to_status: event.to_status,
    }
}
