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

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Duration, Utc};
use claims::ids::WebhookId;
use claims::life_cycle::Status;
use claims::webhooks::{DeliveryStatus, DisabledReason, EndpointStatus, MessageKind};
use rand::Rng;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use store::operation::EventRow;
use store::webhooks::{AttemptRow, DeliveryRow, WebhookRow};
use store::{Done, Tx};
use uuid::Uuid;

pub use delivery::Told;

use crate::Settings;
use crate::at_rest::Vault;
use crate::claims::Event;
use crate::operation::access::KeepWebhooks;
use crate::operation::convert::code;
use crate::operation::time::later;
use crate::operation::{
    Key, Op, Page, Permit, Recorded, Refusal, Replayable, Runner, ServiceError, paging, stored_answer,
};
use crate::ports;

/// Endpoints of a merchant; the schema has as many slots.
pub const ENDPOINTS: usize = 10;
/// Messages that one call begins anew.
pub const REPLAYED: usize = 1_000;
/// Attempts that are shown of a message, the last ones.
pub const ATTEMPTS: usize = 20;
/// How long the secret before still signs.
const BOTH_SIGN: Duration = Duration::hours(24);

/// Merchants' endpoints, and what they are sent.
#[derive(Debug, Clone)]
pub struct Webhooks {
    op: Arc<Runner>,
    vault: Arc<Vault>,
    settings: Arc<Settings>,
    /// What sends; none: merchants cannot register endpoints.
    port: Option<Arc<dyn ports::Webhooks>>,
}

impl Webhooks {
    pub(crate) fn new(
        op: &Arc<Runner>,
        vault: &Arc<Vault>,
        settings: &Arc<Settings>,
        port: Option<Arc<dyn ports::Webhooks>>,
    ) -> Self {
        Self {
            op: Arc::clone(op),
            vault: Arc::clone(vault),
            settings: Arc::clone(settings),
            port,
        }
    }
}

/// Where a merchant listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    pub url: String,
    /// Statuses of claims that it is told of; empty: all.
    pub statuses: Vec<Status>,
    pub status: EndpointStatus,
    pub made_at: DateTime<Utc>,
    /// Attempts in a row that failed, and since when.
    pub failures: i32,
    pub failing_since: Option<DateTime<Utc>>,
    pub disabled_at: Option<DateTime<Utc>>,
    pub disabled_why: Option<DisabledReason>,
    /// Until when messages carry a signature of the secret before, too.
    pub old_secret_until: Option<DateTime<Utc>>,
}

/// What is kept under the key of a registration. The address stays sealed: a repeat says it again.
#[derive(Debug)]
struct Registered {
    id: WebhookId,
    made_at: DateTime<Utc>,
}

stored_answer! { "webhook.1" => Registered { id, made_at } }

/// A message and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: Uuid,
    /// `claim.<status>` or test.
    pub kind: String,
    pub claim: Option<String>,
    pub status: DeliveryStatus,
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

impl Webhooks {
    /// Registers where a merchant listens. The secret is shown this once: a repeat of the call does without it.
    pub async fn register_webhook(
        &self,
        permit: &Permit<KeepWebhooks>,
        url: &str,
        statuses: Vec<Status>,
        key: Key,
    ) -> Result<(Replayable<Webhook>, Option<SecretString>), ServiceError> {
        let port = self.port.as_deref().ok_or(Refusal::WebhooksOff)?;
        port.check_url(url).map_err(|refused| {
            Refusal::field(
                "/url",
                "url-refused",
                "该地址不能使用：须为公网 https 地址，端口为 443 或 1024 以上，不含用户名",
                refused.to_string(),
            )
        })?;
        let merchant = merchant(permit)?;
        let mut conn = self.op.read().await?;
        let place = conn.merchant(merchant).await?;
        let place = place.ok_or(Refusal::NotFound("merchant"))?.jurisdiction;
        drop(conn);
        let secret = new_secret();
        let sealed = Sealed {
            url: url.to_owned(),
            secrets: vec![secret.clone()],
        };
        let unit = async |mut op: Op<'_>| {
            let taken = op.tx.webhooks_of(merchant).await?;
            let slots = 1..=i32::try_from(ENDPOINTS).unwrap_or(1);
            let free = slots
                .into_iter()
                .find(|slot| !taken.iter().any(|it| it.slot == Some(*slot)));
            let slot = free.filter(|_| taken.len() < ENDPOINTS);
            let slot = slot.ok_or(Refusal::LimitReached {
                what: "webhooks",
                limit: ENDPOINTS,
            })?;
            let mut row = WebhookRow {
                jurisdiction: code(&place)?,
                id: op.id(),
                merchant: merchant.to_owned(),
                slot: Some(slot),
                status: EndpointStatus::Enabled,
                statuses: statuses.clone(),
                key_id: String::new(),
                sealed: Vec::new(),
                old_until: None,
                made_at: op.now,
                failures: 0,
                failing_since: None,
                disabled_at: None,
                disabled_why: None,
                next_at: None,
                busy_until: op.now,
            };
            self.seal_webhook(&mut row, &sealed)?;
            op.tx.add_webhook(&row).await?;
            let recorded = note(&mut op, &row, "register_webhook", None).await?;
            let (id, made_at) = (row.id(), row.made_at);
            Ok(op.done(recorded, Registered { id, made_at }))
        };
        let operation = self.op.of(permit).everywhere();
        let registered = operation.once("register_webhook", &key).run(unit).await?;
        let secret = (!registered.replayed).then(|| SecretString::from(secret));
        let Registered { id, made_at } = registered.value;
        let value = Webhook {
            id,
            url: sealed.url,
            statuses,
            status: EndpointStatus::Enabled,
            made_at,
            failures: 0,
            failing_since: None,
            disabled_at: None,
            disabled_why: None,
            old_secret_until: None,
        };
        let made = Replayable {
            value,
            replayed: registered.replayed,
        };
        Ok((made, secret))
    }

    /// The merchant's endpoints, oldest first: ten at most.
    pub async fn webhooks(&self, permit: &Permit<KeepWebhooks>) -> Result<Vec<Webhook>, ServiceError> {
        let mut conn = self.op.read().await?;
        let rows = conn.webhooks_of(merchant(permit)?).await?;
        rows.iter()
            .map(|row| Ok(shown(row, &self.open_webhook(row)?)))
            .collect()
    }

    pub async fn webhook(
        &self,
        permit: &Permit<KeepWebhooks>,
        id: WebhookId,
    ) -> Result<Webhook, ServiceError> {
        let mut conn = self.op.read().await?;
        let row = own(permit, conn.webhook(id).await?)?;
        Ok(shown(&row, &self.open_webhook(&row)?))
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
                row.old_until = Some(later(now, BOTH_SIGN));
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
            row.status = if enabled {
                EndpointStatus::Enabled
            } else {
                EndpointStatus::Paused
            };
            (row.disabled_at, row.disabled_why) = (None, None);
            (row.failures, row.failing_since) = (0, None);
            // Looked at soon: whether anything is due is seen then.
            row.next_at = Some(now);
        })
        .await
    }

    /// Nothing more is told; a repeat changes nothing. Address and secrets are gone. The slot is free.
    pub async fn delete_webhook(
        &self,
        permit: &Permit<KeepWebhooks>,
        id: WebhookId,
    ) -> Result<(), ServiceError> {
        let merchant = merchant(permit)?;
        let unit = async |mut op: Op<'_>| {
            let row = op.tx.lock_webhook(id).await?;
            let row = row.filter(|row| row.merchant == merchant);
            let mut row = row.ok_or(Refusal::NotFound("webhook"))?;
            if row.status == EndpointStatus::Deleted {
                return Ok(op.unrecorded(()));
            }
            (row.status, row.slot) = (EndpointStatus::Deleted, None);
            (row.disabled_at, row.disabled_why) = (None, None);
            (row.sealed, row.next_at, row.old_until) = (Vec::new(), None, None);
            op.tx.save_webhook(&row).await?;
            let recorded = note(&mut op, &row, "delete_webhook", None).await?;
            Ok(op.done(recorded, ()))
        };
        self.op.of(permit).everywhere().run(unit).await
    }

    /// A message that says nothing but that it is a test. One at a time.
    pub async fn test_webhook(
        &self,
        permit: &Permit<KeepWebhooks>,
        id: WebhookId,
    ) -> Result<Uuid, ServiceError> {
        let unit = async |mut op: Op<'_>| {
            let row = op.tx.lock_webhook(id).await?;
            let mut row = own(permit, row)?;
            if row.status != EndpointStatus::Enabled {
                return Err(Refusal::Settled {
                    what: "webhook",
                    status: row.status.to_string(),
                }
                .into());
            }
            if op.tx.has_due_test(id).await? {
                return Err(Refusal::LimitReached {
                    what: "test messages that are due",
                    limit: 1,
                }
                .into());
            }
            let message = DeliveryRow {
                jurisdiction: row.jurisdiction,
                endpoint: row.id,
                id: op.id(),
                kind: MessageKind::Test,
                subject: id.to_string(),
                verb: "test".into(),
                from_status: None,
                to_status: None,
                at: op.now,
                status: DeliveryStatus::Due,
                attempts: 0,
                tries: 0,
                due_at: op.now,
                made_at: op.now,
            };
            DeliveryRow::insert(&mut op.tx, std::slice::from_ref(&message)).await?;
            row.next_at = Some(op.now);
            op.tx.save_webhook(&row).await?;
            Ok(op.unrecorded(message.id))
        };
        self.op.of(permit).everywhere().run(unit).await
    }

    /// What an endpoint was told, newest first, with its attempts.
    pub async fn webhook_deliveries(
        &self,
        permit: &Permit<KeepWebhooks>,
        id: WebhookId,
        status: Option<DeliveryStatus>,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Delivery>, ServiceError> {
        let before = paging::read(cursor)?;
        let mut conn = self.op.read().await?;
        let row = own(permit, conn.webhook(id).await?)?;
        let rows = conn.deliveries(id, status, before, paging::fetch(limit)).await?;
        let page = paging::page(rows, limit, |row| row.id)?;
        let ids = page.items.iter().map(|row| row.id).collect::<Vec<_>>();
        let each = i64::try_from(ATTEMPTS).unwrap_or(i64::MAX);
        let log = conn.attempts(id, &ids, each).await?;
        let paused = row.status != EndpointStatus::Enabled;
        page.try_map(|row| Ok(shown_delivery(&row, &log, paused)))
    }

    /// Begins messages anew; says how many.
    pub async fn replay_webhook(
        &self,
        permit: &Permit<KeepWebhooks>,
        id: WebhookId,
        replay: Replay,
    ) -> Result<usize, ServiceError> {
        let unit = async |mut op: Op<'_>| {
            let row = op.tx.lock_webhook(id).await?;
            let mut row = own(permit, row)?;
            let begun = match replay {
                Replay::Message(message) => {
                    let there = op.tx.replay_delivery(id, message, op.now).await?;
                    there.then_some(1).ok_or(Refusal::NotFound("message"))?
                }
                Replay::FailedSince(since) => {
                    let (from, most) = (first_id_at(since), i64::try_from(REPLAYED).unwrap_or(i64::MAX));
                    op.tx.replay_failed(id, (from, since), op.now, most).await?
                }
            };
            row.next_at = Some(op.now);
            op.tx.save_webhook(&row).await?;
            let recorded = note(&mut op, &row, "replay_webhook", Some(begun.to_string())).await?;
            Ok(op.done(recorded, begun))
        };
        self.op.of(permit).everywhere().run(unit).await
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
        let mut conn = self.op.read().await?;
        let row = own(permit, conn.webhook(id).await?)?;
        let rows = conn
            .events(
                row.jurisdiction.as_str(),
                &id.to_string(),
                after,
                paging::fetch(limit),
            )
            .await?;
        paging::page(rows, limit, |row| row.id)?.try_map(|row| Ok(shown_event(row)))
    }

    async fn change_webhook(
        &self,
        permit: &Permit<KeepWebhooks>,
        id: WebhookId,
        verb: &str,
        change: impl Fn(&mut WebhookRow, &mut Sealed, DateTime<Utc>),
    ) -> Result<Webhook, ServiceError> {
        let unit = async |mut op: Op<'_>| {
            let row = op.tx.lock_webhook(id).await?;
            let mut row = own(permit, row)?;
            let mut sealed = self.open_webhook(&row)?;
            change(&mut row, &mut sealed, op.now);
            self.seal_webhook(&mut row, &sealed)?;
            op.tx.save_webhook(&row).await?;
            let recorded = note(&mut op, &row, verb, None).await?;
            Ok(op.done(recorded, shown(&row, &sealed)))
        };
        self.op.of(permit).everywhere().run(unit).await
    }

    fn seal_webhook(&self, row: &mut WebhookRow, sealed: &Sealed) -> Result<(), ServiceError> {
        let text = serde_json::to_vec(sealed)?;
        row.sealed = self.vault.seal(&place(row), &text)?;
        row.key_id = self.vault.key_id().to_owned();
        Ok(())
    }

    fn open_webhook(&self, row: &WebhookRow) -> Result<Sealed, ServiceError> {
        let text = self.vault.open(&row.key_id, &place(row), &row.sealed)?;
        // An error of serde_json may quote what it reads.
        serde_json::from_slice(&text).map_err(|_| ServiceError::bug("unreadable webhook"))
    }

    /// Seals again what is sealed under another key than the one that seals now; says how many.
    pub(crate) async fn rekey_webhooks(&self, mut tx: Tx) -> Result<Done<usize>, ServiceError> {
        const SOME: i64 = 500;
        let rows = tx.webhooks_not_under(self.vault.key_id(), SOME).await?;
        let done = rows.len();
        for seen in rows {
            let row = tx.lock_webhook(seen.id()).await?;
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
        Ok(self.op.read().await?.webhook_tally().await?)
    }
}

fn merchant(permit: &Permit<KeepWebhooks>) -> Result<&str, ServiceError> {
    let merchant = permit.actor().merchant.as_deref();
    merchant.ok_or_else(|| ServiceError::bug("a merchant's client names none"))
}

/// Records what was done to an endpoint.
async fn note(
    op: &mut Op<'_>,
    row: &WebhookRow,
    verb: &str,
    why: Option<String>,
) -> Result<Recorded, ServiceError> {
    let mut event = op.event(row.jurisdiction.as_str(), &row.id().to_string(), verb);
    (event.to_status, event.reason) = (Some(row.status.to_string()), why);
    op.record(&[event]).await
}

/// Another merchant's endpoint does not exist.
fn own(permit: &Permit<KeepWebhooks>, row: Option<WebhookRow>) -> Result<WebhookRow, Refusal> {
    let merchant = permit.actor().merchant.as_deref();
    row.filter(|row| Some(row.merchant.as_str()) == merchant && row.status != EndpointStatus::Deleted)
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

fn shown(row: &WebhookRow, sealed: &Sealed) -> Webhook {
    Webhook {
        id: row.id(),
        url: sealed.url.clone(),
        statuses: row.statuses.clone(),
        status: row.status,
        made_at: row.made_at,
        failures: row.failures,
        failing_since: row.failing_since,
        disabled_at: row.disabled_at,
        disabled_why: row.disabled_why,
        old_secret_until: row.old_until,
    }
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
        claim: (row.kind == MessageKind::Claim).then(|| row.subject.clone()),
        status: row.status,
        at: row.at,
        next_at: (row.status == DeliveryStatus::Due && !paused).then_some(row.due_at),
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
    match (row.kind, &row.to_status) {
        (MessageKind::Claim, Some(status)) => format!("claim.{status}"),
        (kind, _) => kind.to_string(),
    }
}
