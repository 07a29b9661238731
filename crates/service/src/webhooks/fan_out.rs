//! From events to messages. `huanxin work` takes what units of work left in the outbox, before anybody is told of it, and writes a message for
//! each endpoint that wants it: in one transaction with the mark that it did, so once. Nobody waits for a merchant here, nor for the city's
//! own receiver of events.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use claims::ids::{ClaimId, WebhookId};
use claims::life_cycle::Status;
use claims::webhooks::{DeliveryStatus, MessageKind};
use store::operation::{EventRow, OutboxRow};
use store::webhooks::{DeliveryRow, WebhookRow};
use store::{Done, Tx};
use uuid::Uuid;

use super::Webhooks;
use crate::operation::ServiceError;

/// Rows of the outbox in one transaction; each has 200 events at most.
const ROWS: i64 = 20;

impl Webhooks {
    /// Makes messages of all events that nobody has looked at; says how many messages.
    pub(crate) async fn make_messages(&self) -> Result<usize, ServiceError> {
        let mut made = 0_usize;
        loop {
            let (rows, messages) = self.op.transaction(|tx| self.make_some(tx)).await?;
            made = made.saturating_add(messages);
            if rows == 0 {
                return Ok(made);
            }
        }
    }

    async fn make_some(&self, mut tx: Tx) -> Result<Done<(usize, usize)>, ServiceError> {
        let now = self.op.now();
        let rows = tx.new_outbox(now, ROWS).await?;
        let mut messages = Vec::new();
        if !rows.is_empty() && tx.has_webhooks().await? {
            messages = self.messages(&mut tx, &rows, now).await?;
            DeliveryRow::insert(&mut tx, &messages).await?;
            let mut woken = messages
                .iter()
                .map(|it| WebhookId::new(it.jurisdiction, it.endpoint))
                .collect::<Vec<_>>();
            woken.sort();
            woken.dedup();
            tx.wake_webhooks(&woken, now).await?;
        }
        tx.looked_at(&rows).await?;
        Ok(tx.done((rows.len(), messages.len())))
    }

    async fn messages(
        &self,
        tx: &mut Tx,
        rows: &[OutboxRow],
        now: DateTime<Utc>,
    ) -> Result<Vec<DeliveryRow>, ServiceError> {
        let events = tx.events_of(rows).await?;
        let of_claims = events
            .into_iter()
            .filter_map(|event| Some((of_claim(&event)?, event)));
        let events: Vec<(ClaimId, EventRow)> = of_claims.collect();
        let mut claims = events
            .iter()
            .map(|(id, _)| (id.jurisdiction.as_str().to_owned(), id.uuid))
            .collect::<Vec<_>>();
        claims.sort();
        claims.dedup();
        let found = tx.merchants_of(&claims).await?;
        let mut merchants = found.iter().map(|it| it.2.clone()).collect::<Vec<_>>();
        merchants.sort();
        merchants.dedup();
        let mut listening = HashMap::<String, Vec<WebhookRow>>::new();
        for row in tx.lock_webhooks_of(&merchants).await? {
            listening.entry(row.merchant.clone()).or_default().push(row);
        }
        let merchants: HashMap<Uuid, String> = found.into_iter().map(|(_, id, it)| (id, it)).collect();
        let mut messages = Vec::new();
        for (id, event) in &events {
            let endpoints = merchants.get(&id.uuid).and_then(|it| listening.get(it));
            let wanted = endpoints.into_iter().flatten().filter(|it| wants(it, event));
            messages.extend(wanted.map(|endpoint| message(endpoint, event, now)));
        }
        Ok(messages)
    }
}

/// The claim that an event is about, if it says where the claim stands.
fn of_claim(event: &EventRow) -> Option<ClaimId> {
    event.to_status.as_ref()?;
    ClaimId::parse(&event.subject).ok()
}

fn wants(endpoint: &WebhookRow, event: &EventRow) -> bool {
    let status = event.to_status.as_deref().and_then(Status::parse);
    // Events from before its registration are not sent.
    event.at >= endpoint.made_at
        && (endpoint.statuses.is_empty() || status.is_some_and(|it| endpoint.statuses.contains(&it)))
}

fn message(endpoint: &WebhookRow, event: &EventRow, now: DateTime<Utc>) -> DeliveryRow {
    DeliveryRow {
        jurisdiction: endpoint.jurisdiction,
        endpoint: endpoint.id,
        id: event.id,
        kind: MessageKind::Claim,
        subject: event.subject.clone(),
        verb: event.verb.clone(),
        from_status: event.from_status.clone(),
        to_status: event.to_status.clone(),
        at: event.at,
        status: DeliveryStatus::Due,
        attempts: 0,
        tries: 0,
        due_at: now,
        made_at: now,
    }
}
