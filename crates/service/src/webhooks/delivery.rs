//! Telling merchants, by any number of workers, so that none waits for another.
//!
//! A worker leases endpoints, not messages: one message at a time is on its way to an endpoint, in the order in which they are due, and each
//! attempt is recorded before the next begins. So a crash repeats one message at most. Up to sixteen endpoints are told at once. One that fails
//! gives its place up at the first failure and is left alone for a while, longer with each further one, so that dead merchants
//! cost an attempt now and then; one that took nothing for three days, or answers 410, is disabled.

use std::time::Duration as Waited;

use chrono::{DateTime, Duration, Utc};
use claims::ids::WebhookId;
use claims::webhooks::{DeliveryStatus, DisabledReason, EndpointStatus, MessageKind};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use secrecy::SecretString;
use serde::Serialize;
use store::webhooks::{AttemptRow, DeliveryRow, WebhookRow};
use store::{Done, Tx};
use tokio::time::Instant;

use super::Webhooks;
use super::{Sealed, kind, note};
use crate::operation::time::requested_pause;
use crate::operation::{Finished, Op, ServiceError};
use crate::ports::{self, Delivered, WebhookFailure, WebhookMessage, WebhookTarget, webhook_schedule};

/// Endpoints that one worker tells at once.
const AT_ONCE: usize = 16;
/// Longer than `BUDGET` and an attempt.
const LEASE: Duration = Duration::minutes(3);
/// How long an endpoint keeps its place while others wait, and the most messages it is told meanwhile.
const BUDGET: Waited = Waited::from_secs(30);
const RUN: usize = 50;
/// Between two looks for endpoints that became due meanwhile.
const LOOK: Waited = Waited::from_secs(1);
/// After this long a round takes no more, so that what else has to be done is done.
const ROUND: Waited = Waited::from_secs(60);
/// The longest that an endpoint is left alone after failures.
const LONGEST_PAUSE: Duration = Duration::hours(1);
/// An endpoint that took nothing for so long is disabled.
const PATIENCE: Duration = Duration::days(3);
/// Characters that are kept of why an attempt failed.
const ERROR: usize = 200;

/// What one round told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Told {
    pub delivered: usize,
    /// Attempts that failed.
    pub failed: usize,
    pub forgotten: usize,
}

/// What a merchant reads.
#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a str,
    timestamp: DateTime<Utc>,
    data: Data<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Data<'a> {
    Claim {
        id: String,
        claim: &'a str,
        verb: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        from_status: Option<&'a str>,
        to_status: Option<&'a str>,
        at: DateTime<Utc>,
    },
    Test {
        webhook: String,
    },
}

impl Webhooks {
    /// Tells merchants whatever is due, and forgets messages that are old.
    pub async fn tell_merchants(&self, port: &dyn ports::Webhooks) -> Result<Told, ServiceError> {
        let mut told = Told {
            forgotten: self.forget_messages().await?,
            ..Told::default()
        };
        let began = Instant::now();
        let mut running = FuturesUnordered::new();
        loop {
            let free = AT_ONCE.saturating_sub(running.len());
            if free > 0 && began.elapsed() < ROUND {
                for endpoint in self.op.transaction(|tx| self.lease_webhooks(tx, free)).await? {
                    running.push(self.tell(port, endpoint));
                }
            }
            if running.is_empty() {
                return Ok(told);
            }
            tokio::select! {
                Some(done) = running.next() => match done {
                    Ok((delivered, failed)) => {
                        told.delivered = told.delivered.saturating_add(delivered);
                        told.failed = told.failed.saturating_add(failed);
                    }
                    // Its lease ends by itself.
                    Err(error) => tracing::warn!(%error, "messages to a merchant put off"),
                },
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    async fn forget_messages(&self) -> Result<usize, ServiceError> {
        let days = Duration::days(i64::from(self.settings.webhook_days));
        let now = self.op.now();
        let before = now.checked_sub_signed(days).unwrap_or(now);
        self.op
            .transaction(async |mut tx| {
                let forgotten = tx.forget_deliveries(before, 10_000).await?;
                Ok(tx.done(forgotten))
            })
            .await
    }

    async fn lease_webhooks(&self, mut tx: Tx, free: usize) -> Result<Done<Vec<WebhookRow>>, ServiceError> {
        let now = self.op.now();
        let until = now.checked_add_signed(LEASE).unwrap_or(now);
        let rows = tx
            .lease_webhooks(now, until, i64::try_from(free).unwrap_or(1))
            .await?;
        Ok(tx.done(rows))
    }

    /// Tells an endpoint what is due, one message after another, until one fails or others have waited for long enough.
    async fn tell(
        &self,
        port: &dyn ports::Webhooks,
        endpoint: WebhookRow,
    ) -> Result<(usize, usize), ServiceError> {
        let sealed = self.open_webhook(&endpoint)?;
        let began = Instant::now();
        let (mut delivered, mut failed) = (0_usize, 0_usize);
        for _ in 0..RUN {
            let now = self.op.now();
            let mut conn = self.op.read().await?;
            let due = conn.due_delivery(endpoint.id(), now).await?;
            drop(conn);
            let Some(delivery) = due else { break };
            let target = target(&endpoint, &sealed, now);
            let message = message(&delivery, now)?;
            let attempt = Instant::now();
            let said = port.deliver(&target, &message).await;
            let took = attempt.elapsed();
            match &said {
                Ok(_) => delivered = delivered.saturating_add(1),
                Err(_) => failed = failed.saturating_add(1),
            }
            let outcome = if said.is_ok() {
                DeliveryStatus::Delivered
            } else {
                DeliveryStatus::Failed
            };
            metrics::counter!("huanxin_webhook_attempts_total", "outcome" => outcome.as_str()).increment(1);
            let unit = |op| self.record_attempt(op, &endpoint, &delivery, &said, took);
            let on = self.op.by_system().run(unit).await?;
            if !on || began.elapsed() > BUDGET {
                break;
            }
        }
        self.op.transaction(|tx| self.give_back(tx, &endpoint)).await?;
        Ok((delivered, failed))
    }

    /// Records an attempt; whether the endpoint is told more now.
    async fn record_attempt(
        &self,
        mut op: Op<'_>,
        leased: &WebhookRow,
        delivery: &DeliveryRow,
        said: &Result<Delivered, WebhookFailure>,
        took: Waited,
    ) -> Result<Finished<bool>, ServiceError> {
        let now = op.now;
        let Some(mut row) = op.tx.lock_webhook(leased.id()).await? else {
            return Ok(op.unrecorded(false));
        };
        let mut after = delivery.clone();
        after.attempts = after.attempts.saturating_add(1);
        after.tries = after.tries.saturating_add(1);
        let attempt = AttemptRow {
            jurisdiction: delivery.jurisdiction,
            endpoint: delivery.endpoint,
            delivery: delivery.id,
            attempt: after.attempts,
            at: now,
            http_status: http_status(said),
            error: said
                .as_ref()
                .err()
                .map(|it| it.to_string().chars().take(ERROR).collect()),
            took_ms: i32::try_from(took.as_millis()).unwrap_or(i32::MAX),
        };
        let on = settle(&mut row, &mut after, said, now);
        if !op.tx.attempted(&after, &attempt).await? {
            // Replayed, deleted, or sent by another worker meanwhile.
            return Ok(op.unrecorded(false));
        }
        let ours = row.busy_until == leased.busy_until;
        let finished = if leased.status != row.status && row.disabled_at == Some(now) {
            tracing::warn!(webhook = %row.id, why = row.disabled_why.map(DisabledReason::as_str), "a webhook was disabled");
            let why = row.disabled_why.map(|it| it.to_string());
            let recorded = note(&mut op, &row, "disable_webhook", why).await?;
            op.tx.save_webhook(&row).await?;
            op.done(recorded, on && ours)
        } else {
            op.tx.save_webhook(&row).await?;
            op.unrecorded(on && ours)
        };
        Ok(finished)
    }

    /// Gives an endpoint back, due again when its next message is, or its pause ends.
    async fn give_back(&self, mut tx: Tx, leased: &WebhookRow) -> Result<Done<()>, ServiceError> {
        let now = self.op.now();
        let row = tx.lock_webhook(leased.id()).await?;
        let Some(mut row) = row.filter(|row| row.busy_until == leased.busy_until) else {
            return Ok(tx.done(()));
        };
        let due = tx.next_delivery_at(row.id()).await?;
        // After a failure `next_at` is the end of the pause.
        let pause = row.next_at.filter(|_| row.failures > 0);
        row.next_at = due.map(|due| due.max(pause.unwrap_or(due)));
        row.busy_until = now;
        tx.save_webhook(&row).await?;
        Ok(tx.done(()))
    }
}

/// What an attempt makes of its message and its endpoint; whether the endpoint is told more now.
fn settle(
    row: &mut WebhookRow,
    delivery: &mut DeliveryRow,
    said: &Result<Delivered, WebhookFailure>,
    now: DateTime<Utc>,
) -> bool {
    let failure = match said {
        Ok(_) => {
            delivery.status = DeliveryStatus::Delivered;
            (row.failures, row.failing_since) = (0, None);
            return row.status == EndpointStatus::Enabled;
        }
        Err(failure) => failure,
    };
    if let WebhookFailure::Unsendable(why) = failure {
        tracing::error!(why, "a message to a merchant cannot be sent");
        delivery.status = DeliveryStatus::Failed;
        return row.status == EndpointStatus::Enabled;
    }
    let wish = match failure {
        WebhookFailure::Answered { retry_after, .. } => requested_pause(*retry_after),
        _ => Duration::zero(),
    };
    let pause = |failed: i32| {
        let failed = u32::try_from(failed).unwrap_or(u32::MAX);
        webhook_schedule(failed, rand::random()).and_then(|it| Duration::from_std(it).ok())
    };
    let gone = *failure == WebhookFailure::Gone;
    match pause(delivery.tries).filter(|_| !gone) {
        Some(pause) => delivery.due_at = now.checked_add_signed(pause.max(wish)).unwrap_or(now),
        None => delivery.status = DeliveryStatus::Failed,
    }
    row.failures = row.failures.saturating_add(1);
    let since = *row.failing_since.get_or_insert(now);
    let pause = pause(row.failures)
        .unwrap_or(LONGEST_PAUSE)
        .min(LONGEST_PAUSE)
        .max(wish);
    row.next_at = now.checked_add_signed(pause);
    let tired = now.signed_duration_since(since) >= PATIENCE;
    if row.status == EndpointStatus::Enabled && (gone || tired) {
        row.status = EndpointStatus::Disabled;
        row.disabled_at = Some(now);
        row.disabled_why = Some(if gone {
            DisabledReason::Gone
        } else {
            DisabledReason::Failing
        });
    }
    false
}

fn http_status(said: &Result<Delivered, WebhookFailure>) -> Option<i32> {
    match said {
        Ok(delivered) => Some(i32::from(delivered.status)),
        Err(WebhookFailure::Gone) => Some(410),
        Err(WebhookFailure::Answered { status, .. }) => Some(i32::from(*status)),
        Err(_) => None,
    }
}

fn target(row: &WebhookRow, sealed: &Sealed, now: DateTime<Utc>) -> WebhookTarget {
    let both = row.old_until.is_some_and(|until| now < until);
    let secrets = sealed.secrets.iter().take(if both { 2 } else { 1 });
    WebhookTarget {
        url: sealed.url.clone(),
        secrets: secrets.map(|it| SecretString::from(it.clone())).collect(),
    }
}

fn message(row: &DeliveryRow, now: DateTime<Utc>) -> Result<WebhookMessage, ServiceError> {
    let kind = kind(row);
    let data = match row.kind {
        MessageKind::Claim => Data::Claim {
            id: row.id.to_string(),
            claim: &row.subject,
            verb: &row.verb,
            from_status: row.from_status.as_deref(),
            to_status: row.to_status.as_deref(),
            at: row.at,
        },
        MessageKind::Test => Data::Test {
            webhook: WebhookId::new(row.jurisdiction, row.endpoint).to_string(),
        },
    };
    let body = Body {
        r#type: &kind,
        timestamp: row.at,
        data,
    };
    Ok(WebhookMessage {
        id: row.id.to_string(),
        timestamp: now,
        body: serde_json::to_vec(&body)?.into(),
    })
}
