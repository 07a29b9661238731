//! Webhooks: a merchant says where it listens, and is told what becomes of its claims.
//!
//! | module | step |
//! |---|---|
//! | this | registering, pausing, deleting, the secret, the log, replays: by the merchant, of its own only |
//! | `fan_out` | from an event of a claim to a message for each endpoint of its merchant |
//! | `delivery` | one attempt after another, until it is delivered or given up |
//!
//! A message says what the city's own event sink is told: ids, verbs, statuses, times. It is delivered at least once, mostly in order; its id
//! is the same at every attempt. Address and secrets are sealed at rest.
//!
//! | bound | value |
//! |---|---|
//! | endpoints of a merchant | 10 |
//! | attempts at a message | 10 in 75 hours, see [`crate::ports::webhook_schedule`] |
//! | messages kept | `limits.webhook_days`, 30 by default |
//! | replayed in one call | 1,000 |

mod delivery;
mod fan_out;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Duration, Utc};
use claims::ids::WebhookId;
use claims::life_cycle::Status;
use rand::Rng;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use store::operation::EventRow;
use store::webhooks::{AttemptRow, DeliveryRow, WebhookRow};
use store::{Done, Tx};
use uuid::Uuid;

pub use delivery::Told;

use crate::Service;
use crate::claims::Event;
use crate::operation::access::KeepWebhooks;
use crate::operation::convert::code;
use crate::operation::{Actor, Key, Page, Permit, Refusal, Replayable, ServiceError, events, paging};

/// Endpoints of a merchant; the schema has as many slots.
pub const ENDPOINTS: usize = 10;
/// Messages that one call begins anew.
pub const REPLAYED: usize = 1_000;
/// Attempts that are shown of a message, the last ones.
pub const ATTEMPTS: usize = 20;
/// How long the secret before still signs.
const BOTH_SIGN: Duration = Duration::hours(24);

/// Where a merchant listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    pub id: String,
    pub url: String,
    /// Statuses of claims that it is told of; empty: all.
    pub statuses: Vec<String>,
    /// enabled, paused or disabled.
    pub status: String,
    pub made_at: DateTime<Utc>,
    /// Attempts in a row that failed, and since when.
    pub failures: i32,
    pub failing_since: Option<DateTime<Utc>>,
    pub disabled_at: Option<DateTime<Utc>>,
    /// gone or failing.
    pub disabled_why: Option<String>,
    /// Until when messages carry a signature of the secret before, too.
    pub old_secret_until: Option<DateTime<Utc>>,
}

/// A message and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: Uuid,
    /// `claim.<status>` or test.
    pub kind: String,
    pub claim: Option<String>,
    /// due, delivered or failed.
    pub status: String,
    pub at: DateTime<Utc>,
    pub next_at: Option<DateTime<Utc>>,
    pub attempts: i32,
    /// The last ones, newest first.
    pub log: Vec<Attempt>,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub at: DateTime<Utc>,
    pub http_status: Option<i32>,
    /// Why it failed: nothing of the address beyond its origin, nothing that was answered.
    pub error: Option<String>,
    pub took_ms: i32,
}

/// What is told again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    /// One message, whatever became of it.
    Message(Uuid),
    /// What was given up of what happened since.
    FailedSince(DateTime<Utc>),
}

/// As it is sealed: the newest secret first.
#[derive(Serialize, Deserialize)]
struct Sealed {
    url: String,
    secrets: Vec<String>,
}

impl Service {
    /// Registers where a merchant listens. The secret is shown this once: a repeat of the call does without it.
    pub async fn register_webhook(
        &self,
        permit: &Permit<KeepWebhooks>,
        url: &str,
        statuses: Vec<Status>,
        key: Key,
    ) -> Result<(Replayable<Webhook>, Option<SecretString>), ServiceError> {
        let port = self.webhooks_port().ok_or(Refusal::WebhooksOff)?;
        port.check_url(url).map_err(|refused| {
            Refusal::field(
                "/url",
                "url-refused",
                "该地址不能使用：须为公网 https 地址，端口为 443 或 1024 以上，不含用户名",
                refused.to_string(),
            )
        })?;
        let merchant = merchant(permit)?;
        let mut conn = self.store().read().await?;
        let place = conn.merchant(merchant).await?;
        let place = place.ok_or(Refusal::NotFound("merchant"))?.jurisdiction;
        drop(conn);
        let secret = new_secret();
        let sealed = Sealed {
            url: url.to_owned(),
            secrets: vec![secret.clone()],
        };
        let statuses = statuses
            .iter()
            .map(|it| it.as_str().to_owned())
            .collect::<Vec<_>>();
        let made = self
            .store()
            .write(|tx| self.register_in(tx, permit.actor(), &place, (&sealed, &statuses), &key))
            .await?;
        let secret = (!made.replayed).then(|| SecretString::from(secret));
        Ok((made, secret))
    }

    async fn register_in(
        &self,
        mut tx: Tx,
        actor: &Actor,
        place: &str,
        (sealed, statuses): (&Sealed, &[String]),
        key: &Key,
    ) -> Result<Done<Replayable<Webhook>>, ServiceError> {
        if let Some(first) = self.answered(&mut tx, actor, key).await? {
            return Ok(tx.done(first));
        }
        let merchant = actor.merchant.clone().unwrap_or_default();
        let taken = tx.webhooks_of(&merchant).await?;
        let free = (1..=i32::try_from(ENDPOINTS).unwrap_or(1))
            .find(|slot| !taken.iter().any(|it| it.slot == Some(*slot)));
        let slot = free.filter(|_| taken.len() < ENDPOINTS);
        let slot = slot.ok_or(Refusal::LimitReached {
            what: "webhooks",
            limit: ENDPOINTS,
        })?;
        let now = self.clock().now();
        let mut row = WebhookRow {
            jurisdiction: place.to_owned(),
            id: self.ids().next(now),
            merchant,
            slot: Some(slot),
            status: "enabled".into(),
            statuses: statuses.to_vec(),
            key_id: String::new(),
            sealed: Vec::new(),
            old_until: None,
            made_at: now,
            failures: 0,
            failing_since: None,
            disabled_at: None,
            disabled_why: None,
            next_at: None,
            busy_until: now,
        };
        self.seal_webhook(&mut row, sealed)?;
        tx.add_webhook(&row).await?;
        self.note_webhook(&mut tx, &row, "register_webhook", None, actor)
            .await?;
        let value = shown(&row, sealed)?;
        self.keep_answer(&mut tx, actor, key, "register_webhook", &value)
            .await?;
        Ok(tx.done(Replayable {
            value,
            replayed: false,
        }))
    }

    /// The merchant's endpoints, oldest first: ten at most.
    pub async fn webhooks(&self, permit: &Permit<KeepWebhooks>) -> Result<Vec<Webhook>, ServiceError> {
        let mut conn = self.store().read().await?;
        let rows = conn.webhooks_of(merchant(permit)?).await?;
        rows.iter()
            .map(|row| shown(row, &self.open_webhook(row)?))
            .collect()
    }

    pub async fn webhook(
        &self,
        permit: &Permit<KeepWebhooks>,
        id: WebhookId,
    ) -> Result<Webhook, ServiceError> {
        let mut conn = self.store().read().await?;
        let row = own(permit, conn.webhook(id.jurisdiction.as_str(), id.uuid).await?)?;
        shown(&row, &self.open_webhook(&row)?)
    }

    /// Another secret, shown this once. The one before signs too for a day, so that the merchant can change over.
    pub async fn rotate_webhook_secret(
        &self,
        permit: &Permit<KeepWebhooks>,
        id: WebhookId,
    ) -> Result<(Webhook, SecretString), ServiceError> {
        let secret = new_secret();
        let webhook = self
            .change_webhook(permit, id, "rotate_webhook_secret", |row, sealed, now| {
                sealed.secrets.insert(0, secret.clone());
                sealed.secrets.truncate(2);
                row.old_until = Some(now.checked_add_signed(BOTH_SIGN).unwrap_or(now));
                Ok(())
            })
            .await?;
        Ok((webhook, SecretString::from(secret)))
    }

    /// Pauses an endpoint, whose messages wait then; or has it told again, also after it was disabled.
    pub async fn set_webhook(
        &self,
        permit: &Permit<KeepWebhooks>,
        id: WebhookId,
        enabled: bool,
    ) -> Result<Webhook, ServiceError> {
        let verb = if enabled {
            "enable_webhook"
        } else {
            "pause_webhook"
        };
        self.change_webhook(permit, id, verb, |row, _, now| {
            row.status = if enabled { "enabled" } else { "paused" }.into();
            (row.disabled_at, row.disabled_why) = (None, None);
            (row.failures, row.failing_since) = (0, None);
            // Looked at soon: whether anything is due is seen then.
            row.next_at = Some(now);
            Ok(())
        })
        .await
    }

    /// Nothing more is told; a repeat changes nothing. Address and secrets are gone. The slot is free.
    pub async fn delete_webhook(
        &self,
        permit: &Permit<KeepWebhooks>,
        id: WebhookId,
    ) -> Result<(), ServiceError> {
        self.store()
            .write(async |mut tx| -> Result<_, ServiceError> {
                let row = tx.lock_webhook(id.jurisdiction.as_str(), id.uuid).await?;
                let merchant = merchant(permit)?;
                let row = row.filter(|row| row.merchant == merchant);
                let mut row = row.ok_or(Refusal::NotFound("webhook"))?;
                if row.status == "deleted" {
                    return Ok(tx.done(()));
                }
                (row.status, row.slot) = ("deleted".into(), None);
                (row.disabled_at, row.disabled_why) = (None, None);
                (row.sealed, row.next_at, row.old_until) = (Vec::new(), None, None);
                tx.save_webhook(&row).await?;
                self.note_webhook(&mut tx, &row, "delete_webhook", None, permit.actor())
                    .await?;
                Ok(tx.done(()))
            })
            .await
    }

    /// A message that says nothing but that it is a test. One at a time.
    pub async fn test_webhook(
        &self,
        permit: &Permit<KeepWebhooks>,
        id: WebhookId,
    ) -> Result<Uuid, ServiceError> {
        self.store()
            .write(async |mut tx| -> Result<_, ServiceError> {
                let row = tx.lock_webhook(id.jurisdiction.as_str(), id.uuid).await?;
                let mut row = own(permit, row)?;
                if row.status != "enabled" {
                    let status = row.status;
                    return Err(Refusal::Settled {
                        what: "webhook",
                        status,
                    }
                    .into());
                }
                if tx.has_due_test(&row.jurisdiction, row.id).await? {
                    return Err(Refusal::LimitReached {
                        what: "test messages that are due",
                        limit: 1,
                    }
                    .into());
                }
                let now = self.clock().now();
                let message = DeliveryRow {
                    jurisdiction: row.jurisdiction.clone(),
                    endpoint: row.id,
                    id: self.ids().next(now),
                    kind: "test".into(),
                    subject: id.to_string(),
                    verb: "test".into(),
                    from_status: None,
                    to_status: None,
                    at: now,
                    status: "due".into(),
                    attempts: 0,
                    tries: 0,
                    due_at: now,
                    made_at: now,
                };
                DeliveryRow::insert(&mut tx, std::slice::from_ref(&message)).await?;
                row.next_at = Some(now);
                tx.save_webhook(&row).await?;
                Ok(tx.done(message.id))
            })
            .await
    }

    /// What an endpoint was told, newest first, with its attempts.
    pub async fn webhook_deliveries(
        &self,
        permit: &Permit<KeepWebhooks>,
        id: WebhookId,
        status: Option<&str>,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Delivery>, ServiceError> {
        let before = paging::read(cursor)?;
        let mut conn = self.store().read().await?;
        let row = own(permit, conn.webhook(id.jurisdiction.as_str(), id.uuid).await?)?;
        let rows = conn
            .deliveries(&row.jurisdiction, row.id, status, before, paging::fetch(limit))
            .await?;
        let page = paging::page(rows, limit, |row| row.id)?;
        let ids = page.items.iter().map(|row| row.id).collect::<Vec<_>>();
        let each = i64::try_from(ATTEMPTS).unwrap_or(i64::MAX);
        let log = conn.attempts(&row.jurisdiction, row.id, &ids, each).await?;
        let paused = row.status != "enabled";
        page.try_map(|row| Ok(shown_delivery(&row, &log, paused)))
    }

    /// Begins messages anew; says how many.
    pub async fn replay_webhook(
        &self,
        permit: &Permit<KeepWebhooks>,
        id: WebhookId,
        replay: Replay,
    ) -> Result<usize, ServiceError> {
        self.store()
            .write(async |mut tx| -> Result<_, ServiceError> {
                let row = tx.lock_webhook(id.jurisdiction.as_str(), id.uuid).await?;
                let mut row = own(permit, row)?;
                let now = self.clock().now();
                let (place, limit) = (
                    row.jurisdiction.clone(),
                    i64::try_from(REPLAYED).unwrap_or(i64::MAX),
                );
                let begun = match replay {
                    Replay::Message(message) => {
                        let there = tx.replay_delivery(&place, row.id, message, now).await?;
                        there.then_some(1).ok_or(Refusal::NotFound("message"))?
                    }
                    Replay::FailedSince(since) => {
                        let from = first_id_at(since);
                        tx.replay_failed(&place, row.id, (from, since), now, limit)
                            .await?
                    }
                };
                row.next_at = Some(now);
                tx.save_webhook(&row).await?;
                let why = Some(format!("{begun}"));
                self.note_webhook(&mut tx, &row, "replay_webhook", why, permit.actor())
                    .await?;
                Ok(tx.done(begun))
            })
            .await
    }

    /// What was done to an endpoint, oldest first: by the merchant, and by the service that disabled it.
    pub async fn webhook_events(
        &self,
        permit: &Permit<KeepWebhooks>,
        id: WebhookId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Event>, ServiceError> {
        let after = paging::read(cursor)?;
        let mut conn = self.store().read().await?;
        let row = own(permit, conn.webhook(id.jurisdiction.as_str(), id.uuid).await?)?;
        let rows = conn
            .events(&row.jurisdiction, &id.to_string(), after, paging::fetch(limit))
            .await?;
        paging::page(rows, limit, |row| row.id)?.try_map(|row| Ok(shown_event(row)))
    }

    async fn change_webhook(
        &self,
        permit: &Permit<KeepWebhooks>,
        id: WebhookId,
        verb: &str,
        change: impl Fn(&mut WebhookRow, &mut Sealed, DateTime<Utc>) -> Result<(), ServiceError>,
    ) -> Result<Webhook, ServiceError> {
        self.store()
            .write(async |mut tx| -> Result<_, ServiceError> {
                let row = tx.lock_webhook(id.jurisdiction.as_str(), id.uuid).await?;
                let mut row = own(permit, row)?;
                let mut sealed = self.open_webhook(&row)?;
                change(&mut row, &mut sealed, self.clock().now())?;
                self.seal_webhook(&mut row, &sealed)?;
                tx.save_webhook(&row).await?;
                self.note_webhook(&mut tx, &row, verb, None, permit.actor())
                    .await?;
                let webhook = shown(&row, &sealed)?;
                Ok(tx.done(webhook))
            })
            .await
    }

    async fn note_webhook(
        &self,
        tx: &mut Tx,
        row: &WebhookRow,
        verb: &str,
        why: Option<String>,
        actor: &Actor,
    ) -> Result<(), ServiceError> {
        let subject = WebhookId::new(code(&row.jurisdiction)?, row.id).to_string();
        let now = self.clock().now();
        let mut event = events::event(self, &row.jurisdiction, &subject, verb, actor, now);
        (event.to_status, event.reason) = (Some(row.status.clone()), why);
        tx.record_events(&[event]).await?;
        Ok(())
    }

    fn seal_webhook(&self, row: &mut WebhookRow, sealed: &Sealed) -> Result<(), ServiceError> {
        let text = serde_json::to_vec(sealed).map_err(ServiceError::bug)?;
        row.sealed = self.vault().seal(&place(row), &text).map_err(ServiceError::bug)?;
        row.key_id = self.vault().key_id().to_owned();
        Ok(())
    }

    fn open_webhook(&self, row: &WebhookRow) -> Result<Sealed, ServiceError> {
        let text = self
            .vault()
            .open(&row.key_id, &place(row), &row.sealed)
            .map_err(ServiceError::bug)?;
        // An error of serde_json may quote what it reads.
        serde_json::from_slice(&text).map_err(|_| ServiceError::bug("unreadable webhook"))
    }

    /// Seals again what is sealed under another key than the one that seals now; says how many.
    pub(crate) async fn rekey_webhooks(&self, mut tx: Tx) -> Result<Done<usize>, ServiceError> {
        const SOME: i64 = 500;
        let rows = tx.webhooks_not_under(self.vault().key_id(), SOME).await?;
        let done = rows.len();
        for seen in rows {
            let row = tx.lock_webhook(&seen.jurisdiction, seen.id).await?;
            let Some(mut row) = row.filter(|row| row.slot.is_some()) else {
                continue;
            };
            let sealed = self.open_webhook(&row)?;
            self.seal_webhook(&mut row, &sealed)?;
            tx.save_webhook(&row).await?;
        }
        Ok(tx.done(done))
    }

    /// What waits to be told to merchants, for the metrics.
    pub async fn webhook_tally(&self) -> Result<store::webhooks::WebhookTally, ServiceError> {
        Ok(self.store().read().await?.webhook_tally().await?)
    }
}

fn merchant(permit: &Permit<KeepWebhooks>) -> Result<&str, ServiceError> {
    let merchant = permit.actor().merchant.as_deref();
    merchant.ok_or_else(|| ServiceError::bug("a merchant's client names none"))
}

/// Another merchant's endpoint does not exist.
fn own(permit: &Permit<KeepWebhooks>, row: Option<WebhookRow>) -> Result<WebhookRow, Refusal> {
    let merchant = permit.actor().merchant.as_deref();
    row.filter(|row| Some(row.merchant.as_str()) == merchant && row.status != "deleted")
        .ok_or(Refusal::NotFound("webhook"))
}

fn place(row: &WebhookRow) -> String {
    format!("webhook/{}/{}", row.jurisdiction, row.id.simple())
}

/// As Standard Webhooks write it.
fn new_secret() -> String {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    format!("whsec_{}", STANDARD.encode(bytes))
}

/// No id of version 7 that was made since sorts before it.
fn first_id_at(at: DateTime<Utc>) -> Uuid {
    let millis = u128::try_from(at.timestamp_millis()).unwrap_or_default();
    Uuid::from_u128(millis.checked_shl(80).unwrap_or_default())
}

fn shown(row: &WebhookRow, sealed: &Sealed) -> Result<Webhook, ServiceError> {
    Ok(Webhook {
        id: WebhookId::new(code(&row.jurisdiction)?, row.id).to_string(),
        url: sealed.url.clone(),
        statuses: row.statuses.clone(),
        status: row.status.clone(),
        made_at: row.made_at,
        failures: row.failures,
        failing_since: row.failing_since,
        disabled_at: row.disabled_at,
        disabled_why: row.disabled_why.clone(),
        old_secret_until: row.old_until,
    })
}

fn shown_delivery(row: &DeliveryRow, log: &[AttemptRow], paused: bool) -> Delivery {
    let attempts = log.iter().filter(|it| it.delivery == row.id);
    let log = attempts.map(|it| Attempt {
        at: it.at,
        http_status: it.http_status,
        error: it.error.clone(),
        took_ms: it.took_ms,
    });
    Delivery {
        id: row.id,
        kind: kind(row),
        claim: (row.kind == "claim").then(|| row.subject.clone()),
        status: row.status.clone(),
        at: row.at,
        next_at: (row.status == "due" && !paused).then_some(row.due_at),
        attempts: row.attempts,
        log: log.collect(),
    }
}

fn shown_event(row: EventRow) -> Event {
    Event {
        id: row.id,
        verb: row.verb,
        at: row.at,
        actor: row.actor,
        person: String::new(),
        seen: None,
        revision: row.revision,
        from_status: row.from_status,
        to_status: row.to_status,
        reason: row.reason,
    }
}

/// `claim.paid`, and so on.
fn kind(row: &DeliveryRow) -> String {
    match &row.to_status {
        Some(status) if row.kind == "claim" => format!("claim.{status}"),
        _ => row.kind.clone(),
    }
}
