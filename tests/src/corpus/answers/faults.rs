//! Faults of the service itself, and rate limits.

use serde_json::json;

use super::super::inside;
use super::super::scene::{Ask, Scene};

/// A damaged document, and a database that refuses connections.
pub(super) async fn without_database(scene: &mut Scene) {
    scene.page("faults.snap");
    let cast = scene.app.cast.clone();
    let list = scene
        .fetch(&cast.auditor, "/v1/claims?limit=1")
        .await
        .expect(200)
        .json();
    let claim = format!("/v1/claims/{}", list["items"][0]["id"].as_str().unwrap());
    inside::spoil(&scene.app).await;
    scene
        .get("A document that was altered", &cast.auditor, &claim)
        .await;
    let bearer = scene.bearer(&cast.auditor).await;
    inside::close(&scene.app).await;
    for (what, path) in [("The database is away", "/v1/claims"), ("Not ready", "/readyz")] {
        let ask = Ask {
            actor: None,
            method: "GET",
            path,
            headers: &[("authorization", &bearer)],
            body: b"",
        };
        scene.ask(what, ask).await;
    }
}

/// A service without webhooks, and with a rate limit of one request a second.
pub(super) async fn throttled(scene: &mut Scene) {
    scene.page("throttled.snap");
    let cast = scene.app.cast.clone();
    let hook = json!({"url": "https://shop.example.cn/huanxin"});
    let made = scene.post_unrecorded(&cast.retailer, "/v1/webhooks", &hook).await;
    scene.write(&format!(
        "## Webhooks are off\nPOST /v1/webhooks\n< en {}\n{}\n",
        made.status,
        made.text()
    ));
    let bearer = scene.bearer(&cast.auditor).await;
    let mut last = None;
    for _ in 0..20 {
        let headers = [("authorization", bearer.as_str()), ("accept-language", "en")];
        let reply = scene.app.send("GET", "/v1/claims", &headers, b"").await;
        if reply.status == 429 {
            last = Some(reply);
            break;
        }
    }
    let reply = last.expect("too many requests");
    let after = reply.header("retry-after").unwrap().to_owned();
    scene.write(&format!(
        "## Too often\nGET /v1/claims\n< en {}\nretry-after: {after}\n{}\n",
        reply.status,
        reply.text()
    ));
}
