//! Webhooks (通知): a merchant says where it listens, and looks at what it was told.

use api_macros::operation;

use chrono::{DateTime, Utc};
use claims::WebhookId;
use claims::life_cycle::Status;
use claims::webhooks::DeliveryStatus;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use service::Page;
use service::operation::Key;
use service::operation::access::KeepWebhooks;
use service::webhooks::{Attempt, Delivery, Replay, Webhook};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;
use wire_derive::{WireBody, WireQuery};

use crate::claims::view::EventView;
use crate::http::answer::{Answer, Created, Json, NoContent, created, ok, paged};
use crate::http::authenticated::Authenticated;
use crate::http::bodies::Nothing;
use crate::http::contract::{Operation, operations};
use crate::http::extract::{Body, IdempotencyKey, PathId, Query};
use crate::http::field_limits::{EVENT, EVENTS, URL};
use crate::http::fields::{Fields, Slot};
use crate::http::queries::{NoParams, PageQuery};
use crate::http::state::ApiState;
use crate::http::views::PageView;
use crate::http::wire::{AnySchema, Field, Text, form, request_words};

/// Every operation of the wing.
pub(crate) const OPERATIONS: &[Operation] = operations![
    register_webhook,
    list_webhooks,
    get_webhook,
    switch_webhook,
    rotate_webhook_secret,
    test_webhook,
    list_webhook_deliveries,
    list_webhook_events,
    replay_webhook,
    delete_webhook,
];

/// 登记通知地址 · Register a webhook
///
/// Where the merchant is told what becomes of its claims, after Standard Webhooks. The secret is shown this once.
#[operation(
    post "/v1/webhooks",
    tag = Webhooks,
    body = "The address, and which events.",
    answer = "Registered."
)]
pub(crate) async fn register_webhook(
    api: ApiState,
    caller: Authenticated<KeepWebhooks>,
    key: IdempotencyKey,
    body: Body<WebhookForm>,
) -> Answer<Created<WebhookSecretView>> {
    let key = Key {
        key: key.0,
        request: body.hash,
    };
    let (permit, WebhookForm { url, events }) = (caller.permit, body.value);
    let (made, secret) = api
        .write(|it| async move { it.webhooks().register_webhook(&permit, &url, events, key).await })
        .await?;
    let location = format!("/v1/webhooks/{}", made.value.id);
    let view = WebhookSecretView::of(made.value, secret.as_ref());
    created(&location, made.replayed, &view)
}

/// 通知地址列表 · List webhooks
///
/// Ten at most, oldest first.
#[operation(get "/v1/webhooks", tag = Webhooks, answer = "All of the merchant's.")]
pub(crate) async fn list_webhooks(
    api: ApiState,
    caller: Authenticated<KeepWebhooks>,
    _: Query<NoParams>,
) -> Answer<Json<PageView<WebhookView>>> {
    let items = api.service.webhooks().webhooks(&caller.permit).await?;
    let page = Page {
        items,
        next_cursor: None,
    };
    ok(&PageView::of(page, WebhookView::from))
}

/// 查询通知地址 · Get a webhook
#[operation(get "/v1/webhooks/{id}", tag = Webhooks, answer = "The webhook as it stands.")]
pub(crate) async fn get_webhook(
    api: ApiState,
    caller: Authenticated<KeepWebhooks>,
    id: PathId<WebhookId>,
) -> Answer<Json<WebhookView>> {
    ok(&WebhookView::from(
        api.service.webhooks().webhook(&caller.permit, id.0).await?,
    ))
}

/// 停用或恢复通知 · Pause or enable a webhook
///
/// While it is paused its messages wait. One that was disabled is enabled again by this, too.
#[operation(
    put "/v1/webhooks/{id}/status",
    tag = Webhooks,
    body = "Which.",
    answer = "As it stands."
)]
pub(crate) async fn switch_webhook(
    api: ApiState,
    caller: Authenticated<KeepWebhooks>,
    id: PathId<WebhookId>,
    body: Body<SwitchWebhook>,
) -> Answer<Json<WebhookView>> {
    let (permit, enabled) = (caller.permit, body.value.status == WebhookSwitch::Enabled);
    let webhook = api
        .write(|it| async move { it.webhooks().set_webhook(&permit, id.0, enabled).await })
        .await?;
    ok(&WebhookView::from(webhook))
}

/// 更换密钥 · Rotate a webhook's secret
///
/// The new one is shown this once. For a day messages carry a signature of the old one, too.
#[operation(
    post "/v1/webhooks/{id}/secret",
    tag = Webhooks,
    body = "Nothing.",
    answer = "With its new secret."
)]
pub(crate) async fn rotate_webhook_secret(
    api: ApiState,
    caller: Authenticated<KeepWebhooks>,
    id: PathId<WebhookId>,
    _: Body<Nothing>,
) -> Answer<Json<WebhookSecretView>> {
    let permit = caller.permit;
    let (webhook, secret) = api
        .write(|it| async move { it.webhooks().rotate_webhook_secret(&permit, id.0).await })
        .await?;
    ok(&WebhookSecretView::of(webhook, Some(&secret)))
}

/// 发送测试通知 · Send a test
///
/// A message of the type `test`; one at a time.
#[operation(
    post "/v1/webhooks/{id}/test",
    tag = Webhooks,
    body = "Nothing.",
    answer = "On its way; see the deliveries."
)]
pub(crate) async fn test_webhook(
    api: ApiState,
    caller: Authenticated<KeepWebhooks>,
    id: PathId<WebhookId>,
    _: Body<Nothing>,
) -> Answer<Json<MessageView>> {
    let permit = caller.permit;
    let message = api
        .write(|it| async move { it.webhooks().test_webhook(&permit, id.0).await })
        .await?;
    ok(&MessageView {
        message: message.to_string(),
    })
}

/// 通知记录 · List a webhook's deliveries
///
/// Newest first, each with its attempts; kept for 30 days unless the operator says otherwise.
#[operation(get "/v1/webhooks/{id}/deliveries", tag = Webhooks, answer = "A page of messages.")]
pub(crate) async fn list_webhook_deliveries(
    api: ApiState,
    caller: Authenticated<KeepWebhooks>,
    id: PathId<WebhookId>,
    query: Query<DeliveriesQuery>,
) -> Answer<Json<PageView<DeliveryView>>> {
    let Query(DeliveriesQuery { status, page }) = query;
    let list = api
        .service
        .webhooks()
        .webhook_deliveries(&caller.permit, id.0, status, page.cursor.as_deref(), page.limit)
        .await;
    ok(&PageView::of(paged(list)?, DeliveryView::from))
}

/// 通知地址变更记录 · List a webhook's events
///
/// What was done to it, oldest first: by the merchant, and by the service that disabled it.
#[operation(get "/v1/webhooks/{id}/events", tag = Webhooks, answer = "A page of events.")]
pub(crate) async fn list_webhook_events(
    api: ApiState,
    caller: Authenticated<KeepWebhooks>,
    id: PathId<WebhookId>,
    page: Query<PageQuery>,
) -> Answer<Json<PageView<EventView>>> {
    let Query(page) = page;
    let events = api
        .service
        .webhooks()
        .webhook_events(&caller.permit, id.0, page.cursor.as_deref(), page.limit)
        .await;
    ok(&PageView::of(paged(events)?, EventView::from))
}

/// 重发通知 · Replay messages
///
/// One, or those that were given up since an instant.
#[operation(
    post "/v1/webhooks/{id}/replay",
    tag = Webhooks,
    body = "Which.",
    answer = "How many are on their way again."
)]
pub(crate) async fn replay_webhook(
    api: ApiState,
    caller: Authenticated<KeepWebhooks>,
    id: PathId<WebhookId>,
    body: Body<ReplayForm>,
) -> Answer<Json<ReplayedView>> {
    let (permit, replay) = (caller.permit, body.value);
    let replayed = api
        .write(|it| async move { it.webhooks().replay_webhook(&permit, id.0, replay).await })
        .await?;
    ok(&ReplayedView { replayed })
}

/// 删除通知地址 · Delete a webhook
///
/// Nothing more is told, not even what is due.
#[operation(delete "/v1/webhooks/{id}", tag = Webhooks, answer = "Gone.")]
pub(crate) async fn delete_webhook(
    api: ApiState,
    caller: Authenticated<KeepWebhooks>,
    id: PathId<WebhookId>,
) -> Answer<NoContent> {
    let permit = caller.permit;
    api.write(|it| async move { it.webhooks().delete_webhook(&permit, id.0).await })
        .await?;
    Ok(NoContent)
}

const CLAIM: &str = "claim.";

request_words! {
    /// Whether an endpoint is told, or its messages wait.
    pub enum WebhookSwitch { Enabled = "enabled", Paused = "paused" }
    /// Where a message stands.
    DeliveryStatus as "DeliveryStatus";
}

/// Where the merchant listens.
#[derive(Debug, WireBody)]
#[wire(name = "NewWebhook")]
pub struct WebhookForm {
    /// `https`, at a public address, port 443 or one from 1024 up, without user name.
    #[wire(Text(1..=URL), example = "https://shop.example.cn/huanxin")]
    pub url: String,
    /// Which events are told: `claim.` and the status that the claim came to; all if it is left out.
    #[wire(items = 0..=EVENTS, form::<EventType>(), default, example = ["claim.paid", "claim.payment_failed"])]
    pub events: Vec<Status>,
}

/// `claim.` and a status of claims.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(value_type = String, pattern = "^claim\\.[a-z_]{1,30}$", max_length = 40, example = "claim.paid")]
pub struct EventType(pub String);

impl Field for EventType {
    type Value = Status;
    const NAME: Option<&'static str> = Some("EventType");

    fn read(slot: &Slot<'_>) -> Option<Status> {
        let text = slot.text(EVENT)?;
        let status = text.strip_prefix(CLAIM).and_then(Status::parse);
        status.or_else(|| {
            slot.wrong(
                "unknown-word",
                "须为 claim. 加申领状态，例如 claim.paid",
                "it is `claim.` and a status of claims, such as claim.paid",
            )
        })
    }

    fn schema() -> AnySchema {
        <EventType as PartialSchema>::schema()
    }
}

/// Whether an endpoint is told.
#[derive(Debug, WireBody)]
pub struct SwitchWebhook {
    pub status: WebhookSwitch,
}

/// What is told again: one message, or what was given up of what happened since.
#[derive(Debug, WireBody)]
#[wire(name = "ReplayWebhook", refine = Replay)]
pub struct ReplayForm {
    /// Id of a message, whatever became of it.
    pub message: Option<Uuid>,
    pub failed_since: Option<DateTime<Utc>>,
}

impl ReplayForm {
    fn refine(self, f: &Fields<'_>) -> Option<Replay> {
        match (self.message, self.failed_since) {
            (Some(message), None) => Some(Replay::Message(message)),
            (None, Some(since)) => Some(Replay::FailedSince(since)),
            (None, None) | (Some(_), Some(_)) => {
                f.error(
                    "message",
                    "one-of",
                    "message 与 failed_since 须且只能填一项",
                    "give either message or failed_since",
                );
                None
            }
        }
    }
}

/// Which messages.
#[derive(Debug, Clone, WireQuery)]
pub struct DeliveriesQuery {
    pub status: Option<DeliveryStatus>,
    #[wire(flatten)]
    pub page: PageQuery,
}

/// An endpoint.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Webhook)]
pub struct WebhookView {
    #[schema(pattern = "^whk_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub id: String,
    #[schema(max_length = 2048)]
    pub url: String,
    /// Empty: all.
    #[schema(max_items = 20)]
    pub events: Vec<EventType>,
    /// `enabled`, `paused`, or `disabled`: it answered 410, or took nothing for three days.
    #[schema(max_length = 10, example = "enabled")]
    pub status: String,
    pub made_at: DateTime<Utc>,
    /// Attempts in a row that failed.
    #[schema(minimum = 0)]
    pub failures: i32,
    pub failing_since: Option<DateTime<Utc>>,
    pub disabled_at: Option<DateTime<Utc>>,
    /// `gone` or `failing`.
    #[schema(max_length = 10)]
    pub disabled_why: Option<String>,
    /// Until when messages carry a signature of the secret before, too.
    pub old_secret_until: Option<DateTime<Utc>>,
}

impl From<Webhook> for WebhookView {
    fn from(it: Webhook) -> WebhookView {
        let events = it
            .statuses
            .iter()
            .map(|status| EventType(format!("{CLAIM}{status}")));
        WebhookView {
            events: events.collect(),
            id: it.id.to_string(),
            url: it.url,
            status: it.status.to_string(),
            made_at: it.made_at,
            failures: it.failures,
            failing_since: it.failing_since,
            disabled_at: it.disabled_at,
            disabled_why: it.disabled_why.map(|it| it.to_string()),
            old_secret_until: it.old_secret_until,
        }
    }
}

/// An endpoint with its new secret, which is never shown again.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = WebhookWithSecret)]
pub struct WebhookSecretView {
    #[serde(flatten)]
    pub webhook: WebhookView,
    /// Signs messages after Standard Webhooks. Absent when a call is repeated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 60, example = "whsec_…")]
    pub secret: Option<String>,
}

impl std::fmt::Debug for WebhookSecretView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("WebhookSecretView")
            .field(&self.webhook.id)
            .finish()
    }
}

impl WebhookSecretView {
    pub fn of(webhook: Webhook, secret: Option<&SecretString>) -> WebhookSecretView {
        WebhookSecretView {
            webhook: webhook.into(),
            secret: secret.map(|secret| secret.expose_secret().to_owned()),
        }
    }
}

/// A message on its way.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MessageView {
    /// The `webhook-id` of its attempts.
    #[schema(max_length = 36, format = Uuid)]
    pub message: String,
}

/// How many messages are told again.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct ReplayedView {
    /// At most 1,000 in one call: call again while it is as many.
    #[schema(minimum = 0, maximum = 1000)]
    pub replayed: usize,
}

/// A message and what became of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
pub struct DeliveryView {
    /// The `webhook-id` of its attempts.
    #[schema(max_length = 36, format = Uuid)]
    pub message: String,
    /// `claim.paid` and so on, or `test`.
    #[schema(max_length = 40, example = "claim.paid")]
    pub event: String,
    #[schema(max_length = 46)]
    pub claim: Option<String>,
    /// `due`, `delivered`, or `failed`: given up.
    #[schema(max_length = 10)]
    pub status: String,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// When it is attempted next.
    pub next_attempt_at: Option<DateTime<Utc>>,
    #[schema(minimum = 0)]
    pub attempts: i32,
    /// The last attempts, newest first.
    #[schema(max_items = 20)]
    pub log: Vec<AttemptView>,
}

/// One attempt.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WebhookAttempt)]
pub struct AttemptView {
    pub at: DateTime<Utc>,
    /// What was answered, if anything was.
    #[schema(minimum = 100, maximum = 999)]
    pub http_status: Option<i32>,
    /// Why it failed.
    #[schema(max_length = 200)]
    pub error: Option<String>,
    #[schema(minimum = 0)]
    pub took_ms: i32,
}

impl From<Delivery> for DeliveryView {
    fn from(it: Delivery) -> DeliveryView {
        DeliveryView {
            message: it.id.to_string(),
            event: it.kind,
            claim: it.claim,
            status: it.status.to_string(),
            at: it.at,
            next_attempt_at: it.next_at,
            attempts: it.attempts,
            log: it.log.into_iter().map(AttemptView::from).collect(),
        }
    }
}

impl From<Attempt> for AttemptView {
    fn from(it: Attempt) -> AttemptView {
        AttemptView {
            at: it.at,
            http_status: it.http_status,
            error: it.error,
            took_ms: it.took_ms,
        }
    }
}
