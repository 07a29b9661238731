//! Webhook endpoints of merchants. No receiver listens: messages are made and stay due.

use serde_json::json;

use super::super::inside;
use super::super::scene::{Ask, Scene, id};

pub(super) async fn endpoints(scene: &mut Scene) {
    scene.page("webhooks.snap");
    let cast = scene.app.cast.clone();
    let shop = &cast.retailer;
    let hooks = "/v1/webhooks";
    let hook = json!({"url": "https://shop.example.cn/huanxin", "events": ["claim.approved", "claim.paid"]});
    let made = scene.post("Registered", shop, hooks, &hook).await;
    let path = format!("{hooks}/{}", id(&made));
    let all = json!({"url": "https://shop.example.cn/all"});
    let all = id(&scene.post("For every event", shop, hooks, &all).await);
    scene
        .post(
            "No address",
            shop,
            hooks,
            &json!({"url": "ftp://x", "events": ["claim.lost"]}),
        )
        .await;
    scene
        .post(
            "A private address",
            shop,
            hooks,
            &json!({"url": "http://10.0.0.1/x"}),
        )
        .await;
    scene.get("All of one's own", shop, hooks).await;
    scene.get("One", shop, &path).await;
    scene.get("Another merchant's", &cast.platform, &path).await;
    scene
        .post_without_key("A new secret", shop, &format!("{path}/secret"), &json!({}))
        .await;
    scene
        .post_without_key("A test", shop, &format!("{path}/test"), &json!({}))
        .await;
    scene
        .post_without_key("A second test", shop, &format!("{path}/test"), &json!({}))
        .await;
    scene.payable().await;
    inside::work(&scene.app).await;
    let deliveries = format!("{path}/deliveries");
    scene.get("Deliveries", shop, &deliveries).await;
    scene
        .get("Due ones", shop, &format!("{deliveries}?status=due&limit=1"))
        .await;
    scene
        .get("Failed ones", shop, &format!("{deliveries}?status=failed"))
        .await;
    scene.get("Events", shop, &format!("{path}/events")).await;
    scene
        .get("A page of events", shop, &format!("{hooks}/{all}/events?limit=2"))
        .await;
    let replay = format!("{path}/replay");
    scene
        .post_without_key(
            "Failed ones again",
            shop,
            &replay,
            &json!({"failed_since": "2026-08-01T00:00:00Z"}),
        )
        .await;
    let due = scene.fetch(shop, &deliveries).await.expect(200).json();
    scene
        .post_without_key(
            "One again",
            shop,
            &replay,
            &json!({"message": due["items"][0]["message"]}),
        )
        .await;
    scene.post_without_key("Neither", shop, &replay, &json!({})).await;
    let status = format!("{path}/status");
    scene
        .put("Paused", shop, &status, &json!({"status": "paused"}))
        .await;
    scene
        .put("Enabled", shop, &status, &json!({"status": "enabled"}))
        .await;
    scene
        .put("Neither", shop, &status, &json!({"status": "asleep"}))
        .await;
    for what in ["Deleted", "Deleted before"] {
        let ask = Ask {
            actor: Some(shop),
            method: "DELETE",
            path: &path,
            headers: &[],
            body: b"",
        };
        scene.ask(what, ask).await;
    }
}
