//! Merchants' webhooks: where they listen, what they are told, and what became of each attempt.

use chrono::{DateTime, Utc};
use claims::life_cycle::Status;
use claims::webhooks::{DeliveryStatus, DisabledReason, EndpointStatus, MessageKind};
use claims::{JurisdictionCode, WebhookId};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Bytea, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::batch::{Bind, Sql, batch_insert, keyed_row};
use crate::columns::{County, Value, Word};
use crate::schema::{webhook_attempts, webhook_endpoints};
use crate::{Conn, StoreError, Tx};

keyed_row! {
    /// A merchant's endpoint. `statuses` are those of claims that it is sent (empty: all), `slot` is its place among the
    /// merchant's, and `failures` came in a row since `failing_since`.
    #[derive(Queryable, Selectable, QueryableByName)]
    #[diesel(table_name = webhook_endpoints, check_for_backend(diesel::pg::Pg))]
    pub struct WebhookRow in "webhook_endpoints" by (jurisdiction: JurisdictionCode => County, id: Uuid => SqlUuid) {
        merchant: String => Text,
        slot: Option<i32> => Nullable<Integer>,
        status: EndpointStatus => Word,
        statuses: Vec<Status> => Array<Word>,
        key_id: String => Text,
        sealed: Vec<u8> => Bytea,
        old_until: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        made_at: DateTime<Utc> => Timestamptz,
        failures: i32 => Integer,
        failing_since: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        disabled_at: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        disabled_why: Option<DisabledReason> => Nullable<Word>,
        next_at: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        busy_until: DateTime<Utc> => Timestamptz,
    }
}

impl WebhookRow {
    pub fn id(&self) -> WebhookId {
        WebhookId::new(self.jurisdiction, self.id)
    }
}

batch_insert! {
    /// A message: an event of a claim, or a test. `tries` counts since it was last begun.
    /// Primary key: `jurisdiction`, `endpoint`, `id`.
    #[derive(Queryable, Selectable, QueryableByName)]
    #[diesel(table_name = crate::schema::webhook_deliveries, check_for_backend(diesel::pg::Pg))]
    pub struct DeliveryRow in "webhook_deliveries" {
        jurisdiction: JurisdictionCode => County,
        endpoint: Uuid => SqlUuid,
        id: Uuid => SqlUuid,
        kind: MessageKind => Word,
        subject: String => Text,
        verb: String => Text,
        from_status: Option<String> => Nullable<Text>,
        to_status: Option<String> => Nullable<Text>,
        at: DateTime<Utc> => Timestamptz,
        status: DeliveryStatus => Word,
        attempts: i32 => Integer,
        tries: i32 => Integer,
        due_at: DateTime<Utc> => Timestamptz,
        made_at: DateTime<Utc> => Timestamptz,
    } on conflict " ON CONFLICT DO NOTHING"
}

batch_insert! {
    /// What became of one attempt.
    /// Primary key: `jurisdiction`, `endpoint`, `delivery`, `attempt`.
    #[derive(Queryable, Selectable, QueryableByName)]
    #[diesel(table_name = webhook_attempts, check_for_backend(diesel::pg::Pg))]
    pub struct AttemptRow in "webhook_attempts" {
        jurisdiction: JurisdictionCode => County,
        endpoint: Uuid => SqlUuid,
        delivery: Uuid => SqlUuid,
        attempt: i32 => Integer,
        at: DateTime<Utc> => Timestamptz,
        http_status: Option<i32> => Nullable<Integer>,
        error: Option<String> => Nullable<Text>,
        took_ms: i32 => Integer,
    } on conflict " ON CONFLICT DO NOTHING"
}

/// Messages that are due, and endpoints that are enabled and disabled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, QueryableByName)]
pub struct WebhookTally {
    #[diesel(sql_type = BigInt)]
    pub due: i64,
    #[diesel(sql_type = BigInt)]
    pub failing: i64,
}

impl Conn {
    /// A merchant's endpoints, oldest first.
    pub async fn webhooks_of(&mut self, merchant: &str) -> Result<Vec<WebhookRow>, StoreError> {
        Ok(Sql("SELECT * FROM webhook_endpoints WHERE merchant = $1 AND status <> 'deleted' ORDER BY jurisdiction, id")
            .bind::<Text, _>(merchant.to_owned())
            .load(self.pg())
            .await?)
    }

    pub async fn webhook(&mut self, id: WebhookId) -> Result<Option<WebhookRow>, StoreError> {
        Ok(webhook_endpoints::table
            .find((Value(id.jurisdiction), id.uuid))
            .select(WebhookRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    /// Whether anybody listens at all: while nobody does, events are not even looked at.
    pub async fn has_webhooks(&mut self) -> Result<bool, StoreError> {
        Ok(diesel::select(diesel::dsl::exists(
            webhook_endpoints::table.select(webhook_endpoints::id),
        ))
        .get_result(self.pg())
        .await?)
    }

    /// The merchants of these claims, by county and claim.
    pub async fn merchants_of(
        &mut self,
        claims: &[(String, Uuid)],
    ) -> Result<Vec<(String, Uuid, String)>, StoreError> {
        #[derive(QueryableByName)]
        struct Of {
            #[diesel(sql_type = Text)]
            jurisdiction: String,
            #[diesel(sql_type = SqlUuid)]
            id: Uuid,
            #[diesel(sql_type = Text)]
            merchant: String,
        }
        let (jurisdictions, ids): (Vec<_>, Vec<_>) = claims.iter().cloned().unzip();
        let rows: Vec<Of> = Sql(
            "SELECT c.jurisdiction, c.id, c.merchant FROM UNNEST($1, $2) AS k (jurisdiction, id) \
             JOIN claims c ON c.jurisdiction = k.jurisdiction AND c.id = k.id",
        )
        .bind::<Array<Text>, _>(jurisdictions)
        .bind::<Array<SqlUuid>, _>(ids)
        .load(self.pg())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.jurisdiction, row.id, row.merchant))
            .collect())
    }

    /// The message of an endpoint that has been due for longest.
    pub async fn due_delivery(
        &mut self,
        endpoint: WebhookId,
        now: DateTime<Utc>,
    ) -> Result<Option<DeliveryRow>, StoreError> {
        Ok(Sql(
            "SELECT * FROM webhook_deliveries WHERE jurisdiction = $1 AND endpoint = $2 AND status = 'due' \
             AND due_at <= $3 ORDER BY due_at, id LIMIT 1",
        )
        .bind::<County, _>(endpoint.jurisdiction)
        .bind::<SqlUuid, _>(endpoint.uuid)
        .bind::<Timestamptz, _>(now)
        .get_result(self.pg())
        .await
        .optional()?)
    }

    /// Whether a test is on its way to an endpoint.
    pub async fn has_due_test(&mut self, endpoint: WebhookId) -> Result<bool, StoreError> {
        #[derive(QueryableByName)]
        struct Has {
            #[diesel(sql_type = Bool)]
            has: bool,
        }
        let has: Has = Sql(
            "SELECT EXISTS (SELECT FROM webhook_deliveries WHERE jurisdiction = $1 AND endpoint = $2 \
             AND status = 'due' AND kind = 'test') AS has",
        )
        .bind::<County, _>(endpoint.jurisdiction)
        .bind::<SqlUuid, _>(endpoint.uuid)
        .get_result(self.pg())
        .await?;
        Ok(has.has)
    }

    /// When the next message of an endpoint is due.
    pub async fn next_delivery_at(
        &mut self,
        endpoint: WebhookId,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        #[derive(QueryableByName)]
        struct Due {
            #[diesel(sql_type = Timestamptz)]
            due_at: DateTime<Utc>,
        }
        let due: Option<Due> = Sql("SELECT due_at FROM webhook_deliveries WHERE jurisdiction = $1 \
             AND endpoint = $2 AND status = 'due' ORDER BY due_at LIMIT 1")
        .bind::<County, _>(endpoint.jurisdiction)
        .bind::<SqlUuid, _>(endpoint.uuid)
        .get_result(self.pg())
        .await
        .optional()?;
        Ok(due.map(|due| due.due_at))
    }

    /// An endpoint's messages, newest first, of one status if it is given.
    pub async fn deliveries(
        &mut self,
        endpoint: WebhookId,
        status: Option<DeliveryStatus>,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<DeliveryRow>, StoreError> {
        Ok(Sql(
            "SELECT * FROM webhook_deliveries WHERE jurisdiction = $1 AND endpoint = $2 AND id < $3 \
             AND ($4 IS NULL OR status = $4) ORDER BY id DESC LIMIT $5",
        )
        .bind::<County, _>(endpoint.jurisdiction)
        .bind::<SqlUuid, _>(endpoint.uuid)
        .bind::<SqlUuid, _>(before.unwrap_or(Uuid::max()))
        .bind::<Nullable<Word>, _>(status)
        .bind::<BigInt, _>(limit)
        .load(self.pg())
        .await?)
    }

    /// The last attempts at each of these messages, newest first, at most so many each.
    pub async fn attempts(
        &mut self,
        endpoint: WebhookId,
        deliveries: &[Uuid],
        each: i64,
    ) -> Result<Vec<AttemptRow>, StoreError> {
        Ok(Sql("SELECT a.* FROM UNNEST($3) AS d (id) CROSS JOIN LATERAL (SELECT * FROM webhook_attempts a \
             WHERE a.jurisdiction = $1 AND a.endpoint = $2 AND a.delivery = d.id ORDER BY a.attempt DESC LIMIT $4) AS a")
        .bind::<County, _>(endpoint.jurisdiction)
        .bind::<SqlUuid, _>(endpoint.uuid)
        .bind::<Array<SqlUuid>, _>(deliveries.to_vec())
        .bind::<BigInt, _>(each)
        .load(self.pg())
        .await?)
    }

    /// What waits to be told to merchants, and endpoints that do not take it.
    pub async fn webhook_tally(&mut self) -> Result<WebhookTally, StoreError> {
        Ok(Sql("SELECT d.due, e.failing FROM (SELECT count(*) AS due FROM webhook_deliveries WHERE status = 'due') AS d, \
             (SELECT count(*) AS failing FROM webhook_endpoints WHERE status = 'enabled' AND next_at IS NOT NULL \
             AND failures > 0) AS e")
        .get_result(self.pg())
        .await?)
    }

    /// Some endpoints whose address and secrets are sealed under another key than this one.
    pub async fn webhooks_not_under(
        &mut self,
        key_id: &str,
        limit: i64,
    ) -> Result<Vec<WebhookRow>, StoreError> {
        Ok(webhook_endpoints::table
            .filter(webhook_endpoints::key_id.ne(key_id))
            .filter(webhook_endpoints::slot.is_not_null())
            .order((webhook_endpoints::jurisdiction, webhook_endpoints::id))
            .limit(limit)
            .select(WebhookRow::as_select())
            .load(self.pg())
            .await?)
    }
}

impl Tx {
    pub async fn add_webhook(&mut self, row: &WebhookRow) -> Result<(), StoreError> {
        row.insert_on(self.pg()).await
    }

    pub async fn lock_webhook(&mut self, id: WebhookId) -> Result<Option<WebhookRow>, StoreError> {
        Ok(webhook_endpoints::table
            .find((Value(id.jurisdiction), id.uuid))
            .for_no_key_update()
            .select(WebhookRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    /// The endpoints of these merchants that take messages, locked in order.
    pub async fn lock_webhooks_of(&mut self, merchants: &[String]) -> Result<Vec<WebhookRow>, StoreError> {
        Ok(Sql(
            "SELECT * FROM webhook_endpoints WHERE merchant = ANY($1) AND status IN ('enabled', 'paused') \
             ORDER BY jurisdiction, id FOR NO KEY UPDATE",
        )
        .bind::<Array<Text>, _>(merchants.to_vec())
        .load(self.pg())
        .await?)
    }

    pub async fn save_webhook(&mut self, row: &WebhookRow) -> Result<(), StoreError> {
        row.update_on(self.pg()).await
    }

    /// These endpoints have something to be told from an instant on.
    pub async fn wake_webhooks(
        &mut self,
        endpoints: &[WebhookId],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (jurisdictions, ids): (Vec<_>, Vec<_>) =
            endpoints.iter().map(|it| (it.jurisdiction, it.uuid)).unzip();
        // One that fails keeps its pause.
        Sql(
            "UPDATE webhook_endpoints e SET next_at = CASE WHEN e.failures > 0 THEN coalesce(e.next_at, $3) \
             ELSE least(e.next_at, $3) END FROM UNNEST($1, $2) AS k (jurisdiction, id) \
             WHERE e.jurisdiction = k.jurisdiction AND e.id = k.id",
        )
        .bind::<Array<County>, _>(jurisdictions)
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<Timestamptz, _>(at)
        .execute(self.pg())
        .await?;
        Ok(())
    }

    /// Takes endpoints that have something due until an instant, those first that have waited for longest; those another worker
    /// has are passed over.
    pub async fn lease_webhooks(
        &mut self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<WebhookRow>, StoreError> {
        Ok(Sql("UPDATE webhook_endpoints e SET busy_until = $2 FROM (SELECT jurisdiction, id FROM webhook_endpoints \
             WHERE status = 'enabled' AND next_at IS NOT NULL AND next_at <= $1 AND busy_until <= $1 \
             ORDER BY next_at LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED) AS d \
             WHERE e.jurisdiction = d.jurisdiction AND e.id = d.id RETURNING e.*")
        .bind::<Timestamptz, _>(now)
        .bind::<Timestamptz, _>(until)
        .bind::<BigInt, _>(limit)
        .load(self.pg())
        .await?)
    }

    /// What an attempt made of a message, if nobody else attempted it meanwhile; whether that is so.
    pub async fn attempted(&mut self, row: &DeliveryRow, attempt: &AttemptRow) -> Result<bool, StoreError> {
        let changed = Sql(
            "UPDATE webhook_deliveries SET status = $4, attempts = $5, tries = $6, due_at = $7 \
             WHERE jurisdiction = $1 AND endpoint = $2 AND id = $3 AND status = 'due' AND attempts = $5 - 1",
        )
        .bind::<County, _>(row.jurisdiction)
        .bind::<SqlUuid, _>(row.endpoint)
        .bind::<SqlUuid, _>(row.id)
        .bind::<Word, _>(row.status)
        .bind::<Integer, _>(row.attempts)
        .bind::<Integer, _>(row.tries)
        .bind::<Timestamptz, _>(row.due_at)
        .execute(self.pg())
        .await?;
        if changed == 0 {
            return Ok(false);
        }
        AttemptRow::insert(self, std::slice::from_ref(attempt)).await?;
        Ok(true)
    }

    /// Begins a message anew, whatever became of it; whether there is one.
    pub async fn replay_delivery(
        &mut self,
        endpoint: WebhookId,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let changed = Sql(
            "UPDATE webhook_deliveries SET status = 'due', tries = 0, due_at = $4 \
             WHERE jurisdiction = $1 AND endpoint = $2 AND id = $3",
        )
        .bind::<County, _>(endpoint.jurisdiction)
        .bind::<SqlUuid, _>(endpoint.uuid)
        .bind::<SqlUuid, _>(id)
        .bind::<Timestamptz, _>(now)
        .execute(self.pg())
        .await?;
        Ok(changed == 1)
    }

    /// Begins those anew that were given up, from this id on, a bounded number; says how many.
    pub async fn replay_failed(
        &mut self,
        endpoint: WebhookId,
        (from, since): (Uuid, DateTime<Utc>),
        now: DateTime<Utc>,
        limit: i64,
    ) -> Result<usize, StoreError> {
        let changed = Sql("UPDATE webhook_deliveries d SET status = 'due', tries = 0, due_at = $5 FROM \
             (SELECT id FROM webhook_deliveries WHERE jurisdiction = $1 AND endpoint = $2 AND status = 'failed' \
             AND id >= $3 AND at >= $4 ORDER BY id LIMIT $6 FOR NO KEY UPDATE) AS f \
             WHERE d.jurisdiction = $1 AND d.endpoint = $2 AND d.id = f.id")
        .bind::<County, _>(endpoint.jurisdiction)
        .bind::<SqlUuid, _>(endpoint.uuid)
        .bind::<SqlUuid, _>(from)
        .bind::<Timestamptz, _>(since)
        .bind::<Timestamptz, _>(now)
        .bind::<BigInt, _>(limit)
        .execute(self.pg())
        .await?;
        Ok(changed)
    }

    /// Forgets messages older than an instant, a bounded number at a time, and deleted endpoints of which nothing is left.
    pub async fn forget_deliveries(
        &mut self,
        before: DateTime<Utc>,
        limit: i64,
    ) -> Result<usize, StoreError> {
        let forgotten = Sql(
            "DELETE FROM webhook_deliveries d USING (SELECT jurisdiction, endpoint, id \
             FROM webhook_deliveries WHERE made_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED) o \
             WHERE d.jurisdiction = o.jurisdiction AND d.endpoint = o.endpoint AND d.id = o.id",
        )
        .bind::<Timestamptz, _>(before)
        .bind::<BigInt, _>(limit)
        .execute(self.pg())
        .await?;
        Sql("DELETE FROM webhook_endpoints e WHERE e.status = 'deleted' AND NOT EXISTS (SELECT FROM webhook_deliveries d \
             WHERE d.jurisdiction = e.jurisdiction AND d.endpoint = e.id)")
        .execute(self.pg())
        .await?;
        Ok(forgotten)
    }
}
