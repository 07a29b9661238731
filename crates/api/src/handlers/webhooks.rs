//! Webhooks (通知): a merchant says where it listens, and looks at what it was told.

use actix_web::{HttpResponse, delete, get, post, put};
use claims::WebhookId;
use service::Page;
use service::access::KeepWebhooks;
use service::once::Key;

use crate::http::answer::{Answer, created, ok, paged};
use crate::http::authenticated::{Signed, roles};
use crate::http::bodies::Nothing;
use crate::http::extract::documented::{IdempotencyHeader, WebhookPath};
use crate::http::extract::{Body, IdempotencyKey, PathId, Query};
use crate::http::queries::{NoParams, PageParams, PageQuery};
use crate::http::state::ApiState;
use crate::http::views::{EventView, PageView};
use crate::wire::webhooks::{
    DeliveriesParams, DeliveriesQuery, DeliveryView, MessageView, ReplayForm, ReplayRead, ReplayedView,
    SwitchWebhook, WebhookForm, WebhookRead, WebhookSecretView, WebhookSwitch, WebhookView,
};

/// 登记通知地址 · Register a webhook
///
/// Where the merchant is told what becomes of its claims, after Standard Webhooks. The secret is shown this once.
#[utoipa::path(
    tag = "webhooks",
    params(IdempotencyHeader),
    request_body(content = WebhookForm, description = "The address, and which events."),
    responses((status = 201, description = "Registered.", body = WebhookSecretView,
        headers(("Location" = String, description = "Where to find it.")))),
    extensions(("x-roles" = json!(roles::<KeepWebhooks>()))),
)]
#[post("/v1/webhooks")]
pub(crate) async fn register_webhook(
    api: ApiState,
    signed: Signed<KeepWebhooks>,
    key: IdempotencyKey,
    body: Body<WebhookRead>,
) -> Answer {
    let key = Key {
        key: key.0,
        request: body.hash,
    };
    let (permit, WebhookRead { url, statuses }) = (signed.permit, body.value);
    let (made, secret) = api
        .write(|it| async move { it.register_webhook(&permit, &url, statuses, key).await })
        .await?;
    let location = format!("/v1/webhooks/{}", made.value.id);
    let view = WebhookSecretView::of(made.value, secret.as_ref());
    created(&location, None, made.replayed, &view)
}

/// 通知地址列表 · List webhooks
///
/// Ten at most, oldest first.
#[utoipa::path(
    tag = "webhooks",
    responses((status = 200, description = "All of the merchant's.", body = PageView<WebhookView>)),
    extensions(("x-roles" = json!(roles::<KeepWebhooks>()))),
)]
#[get("/v1/webhooks")]
pub(crate) async fn list_webhooks(api: ApiState, signed: Signed<KeepWebhooks>, _: Query<NoParams>) -> Answer {
    let items = api.service.webhooks(&signed.permit).await?;
    let page = Page {
        items,
        next_cursor: None,
    };
    ok(&PageView::of(page, WebhookView::from))
}

/// 查询通知地址 · Get a webhook
#[utoipa::path(
    tag = "webhooks",
    params(WebhookPath),
    responses((status = 200, description = "The webhook as it stands.", body = WebhookView)),
    extensions(("x-roles" = json!(roles::<KeepWebhooks>()))),
)]
#[get("/v1/webhooks/{id}")]
pub(crate) async fn get_webhook(
    api: ApiState,
    signed: Signed<KeepWebhooks>,
    id: PathId<WebhookId>,
) -> Answer {
    ok(&WebhookView::from(
        api.service.webhook(&signed.permit, id.0).await?,
    ))
}

/// 停用或恢复通知 · Pause or enable a webhook
///
/// While it is paused its messages wait. One that was disabled is enabled again by this, too.
#[utoipa::path(
    tag = "webhooks",
    params(WebhookPath),
    request_body(content = SwitchWebhook, description = "Which."),
    responses((status = 200, description = "As it stands.", body = WebhookView)),
    extensions(("x-roles" = json!(roles::<KeepWebhooks>()))),
)]
#[put("/v1/webhooks/{id}/status")]
pub(crate) async fn switch_webhook(
    api: ApiState,
    signed: Signed<KeepWebhooks>,
    id: PathId<WebhookId>,
    body: Body<SwitchWebhook>,
) -> Answer {
    let (permit, enabled) = (signed.permit, body.value.status == WebhookSwitch::Enabled);
    let webhook = api
        .write(|it| async move { it.set_webhook(&permit, id.0, enabled).await })
        .await?;
    ok(&WebhookView::from(webhook))
}

/// 更换密钥 · Rotate a webhook's secret
///
/// The new one is shown this once. For a day messages carry a signature of the old one, too.
#[utoipa::path(
    tag = "webhooks",
    params(WebhookPath),
    request_body(content = Nothing, description = "Nothing."),
    responses((status = 200, description = "With its new secret.", body = WebhookSecretView)),
    extensions(("x-roles" = json!(roles::<KeepWebhooks>()))),
)]
#[post("/v1/webhooks/{id}/secret")]
pub(crate) async fn rotate_webhook_secret(
    api: ApiState,
    signed: Signed<KeepWebhooks>,
    id: PathId<WebhookId>,
    _: Body<Nothing>,
) -> Answer {
    let permit = signed.permit;
    let (webhook, secret) = api
        .write(|it| async move { it.rotate_webhook_secret(&permit, id.0).await })
        .await?;
    ok(&WebhookSecretView::of(webhook, Some(&secret)))
}

/// 发送测试通知 · Send a test
///
/// A message of the type `test`; one at a time.
#[utoipa::path(
    tag = "webhooks",
    params(WebhookPath),
    request_body(content = Nothing, description = "Nothing."),
    responses((status = 200, description = "On its way; see the deliveries.", body = MessageView)),
    extensions(("x-roles" = json!(roles::<KeepWebhooks>()))),
)]
#[post("/v1/webhooks/{id}/test")]
pub(crate) async fn test_webhook(
    api: ApiState,
    signed: Signed<KeepWebhooks>,
    id: PathId<WebhookId>,
    _: Body<Nothing>,
) -> Answer {
    let permit = signed.permit;
    let message = api
        .write(|it| async move { it.test_webhook(&permit, id.0).await })
        .await?;
    ok(&MessageView {
        message: message.to_string(),
    })
}

/// 通知记录 · List a webhook's deliveries
///
/// Newest first, each with its attempts; kept for 30 days unless the operator says otherwise.
#[utoipa::path(
    tag = "webhooks",
    params(WebhookPath, DeliveriesParams, PageParams),
    responses((status = 200, description = "A page of messages.", body = PageView<DeliveryView>)),
    extensions(("x-roles" = json!(roles::<KeepWebhooks>()))),
)]
#[get("/v1/webhooks/{id}/deliveries")]
pub(crate) async fn list_webhook_deliveries(
    api: ApiState,
    signed: Signed<KeepWebhooks>,
    id: PathId<WebhookId>,
    query: Query<DeliveriesQuery>,
) -> Answer {
    let Query(DeliveriesQuery { status, page }) = query;
    let status = status.map(|it| it.as_str());
    let list = api
        .service
        .webhook_deliveries(&signed.permit, id.0, status, page.cursor.as_deref(), page.limit)
        .await;
    ok(&PageView::of(paged(list)?, DeliveryView::from))
}

/// 通知地址变更记录 · List a webhook's events
///
/// What was done to it, oldest first: by the merchant, and by the service that disabled it.
#[utoipa::path(
    tag = "webhooks",
    params(WebhookPath, PageParams),
    responses((status = 200, description = "A page of events.", body = PageView<EventView>)),
    extensions(("x-roles" = json!(roles::<KeepWebhooks>()))),
)]
#[get("/v1/webhooks/{id}/events")]
pub(crate) async fn list_webhook_events(
    api: ApiState,
    signed: Signed<KeepWebhooks>,
    id: PathId<WebhookId>,
    page: Query<PageQuery>,
) -> Answer {
    let Query(page) = page;
    let events = api
        .service
        .webhook_events(&signed.permit, id.0, page.cursor.as_deref(), page.limit)
        .await;
    ok(&PageView::of(paged(events)?, EventView::from))
}

/// 重发通知 · Replay messages
///
/// One, or those that were given up since an instant.
#[utoipa::path(
    tag = "webhooks",
    params(WebhookPath),
    request_body(content = ReplayForm, description = "Which."),
    responses((status = 200, description = "How many are on their way again.", body = ReplayedView)),
    extensions(("x-roles" = json!(roles::<KeepWebhooks>()))),
)]
#[post("/v1/webhooks/{id}/replay")]
pub(crate) async fn replay_webhook(
    api: ApiState,
    signed: Signed<KeepWebhooks>,
    id: PathId<WebhookId>,
    body: Body<ReplayRead>,
) -> Answer {
    let (permit, replay) = (signed.permit, body.value.0);
    let replayed = api
        .write(|it| async move { it.replay_webhook(&permit, id.0, replay).await })
        .await?;
    ok(&ReplayedView { replayed })
}

/// 删除通知地址 · Delete a webhook
///
/// Nothing more is told, not even what is due.
#[utoipa::path(
    tag = "webhooks",
    params(WebhookPath),
    responses((status = 204, description = "Gone.")),
    extensions(("x-roles" = json!(roles::<KeepWebhooks>()))),
)]
#[delete("/v1/webhooks/{id}")]
pub(crate) async fn delete_webhook(
    api: ApiState,
    signed: Signed<KeepWebhooks>,
    id: PathId<WebhookId>,
) -> Answer {
    let permit = signed.permit;
    api.write(|it| async move { it.delete_webhook(&permit, id.0).await })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
