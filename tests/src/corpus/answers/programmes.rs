//! Programmes, drafts of their next version, and replays of recorded claims under them.

use serde_json::json;
use testkit::YANHU;

use super::super::scene::{Scene, id};
use super::PROGRAMME;

/// The document in force as its next version, with a lower rate.
fn next_version() -> String {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../seeds/programmes/appliance-2026.toml"
    );
    let mut source = std::fs::read_to_string(path).unwrap();
    for (from, to) in [
        ("version = 1\n", "version = 2\n"),
        ("effective_from = 2026-01-01", "effective_from = 2026-08-01"),
        ("rate = \"0.15\"", "rate = \"0.10\""),
    ] {
        assert!(source.contains(from), "the document no longer has {from}");
        source = source.replacen(from, to, 1);
    }
    source
}

pub(super) async fn versions(scene: &mut Scene) {
    scene.page("programmes.snap");
    let cast = scene.app.cast.clone();
    scene.get("Programmes", &cast.retailer, "/v1/programmes").await;
    for path in [
        "/v1/programmes/appliance-2026",
        "/v1/programmes/vehicle-scrap-2026?version=1",
        "/v1/programmes/appliance-2026?version=9",
        "/v1/programmes/no-such-2026",
    ] {
        scene.get("A programme", &cast.retailer, path).await;
    }
    let simulate = "/v1/programmes/simulate";
    let own = json!({"programme": PROGRAMME, "version": 1, "counties": [YANHU], "from": "2026-06-01", "to": "2026-06-30"});
    scene
        .post_without_key("What decided differs in nothing", &cast.auditor, simulate, &own)
        .await;
    let draft = json!({"document": next_version(), "claims": true, "caps": [
        {"jurisdiction": YANHU, "scope": "fund", "ceiling": "5000.00"},
        {"jurisdiction": "140800", "scope": "category:air_conditioner", "ceiling": "9000.00"},
    ]});
    scene
        .post_without_key("A lower rate", &cast.auditor, simulate, &draft)
        .await;
    scene
        .post_without_key(
            "No document",
            &cast.auditor,
            simulate,
            &json!({"document": "id = 1"}),
        )
        .await;
    scene
        .post_without_key("Nothing to replay", &cast.auditor, simulate, &json!({}))
        .await;
    let drafts = "/v1/programme-drafts";
    let proposed = json!({"document": next_version()});
    scene
        .post("A version is proposed", &cast.admin, drafts, &proposed)
        .await;
    let list = scene.get("Drafts", &cast.auditor, drafts).await.expect(200);
    let path = format!("{drafts}/{}", list.json()["items"][0]["id"].as_str().unwrap());
    scene.get("A draft", &cast.auditor, &path).await;
    scene
        .get("Its report", &cast.auditor, &format!("{path}/report"))
        .await;
    let decision = format!("{path}/decision");
    let approve = json!({"verdict": "approve"});
    scene
        .post_without_key("By the same person", &cast.admin, &decision, &approve)
        .await;
    let other = super::super::inside::Actor {
        client: "admin-2".into(),
        person: "冯管".into(),
        ..cast.admin.clone()
    };
    scene.app.register(&other).await;
    let refuse = json!({"verdict": "refuse", "reason": "暂缓"});
    scene
        .post_without_key("Refused", &other, &decision, &refuse)
        .await;
    scene.post("Proposed again", &cast.admin, drafts, &proposed).await;
    let list = scene.fetch(&cast.auditor, drafts).await.expect(200).json();
    let pending = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["status"] == "pending");
    let pending = pending.expect("a draft that waits")["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let decision = format!("{drafts}/{pending}/decision");
    scene
        .post_without_key("Approved", &other, &decision, &approve)
        .await;
    scene
        .post_without_key("Decided before", &other, &decision, &approve)
        .await;
    scene
        .post("A version that is there", &cast.admin, drafts, &proposed)
        .await;
    scene
        .get(
            "Drafts of a programme",
            &cast.auditor,
            &format!("{drafts}?programme={PROGRAMME}"),
        )
        .await;
    scene
        .get(
            "Both versions",
            &cast.retailer,
            "/v1/programmes/appliance-2026?version=2",
        )
        .await;
    // The new version decides from its day on.
    scene.set("2026-08-03T02:00:00Z");
    let sale = testkit::Sale {
        on: testkit::day("2026-08-02"),
        ..testkit::Sale::air_conditioner().at("4000.00", "400.00")
    };
    let sent = scene.claim_of(&sale).await;
    let made = scene
        .post("A claim under it", &cast.retailer, "/v1/claims", &sent)
        .await;
    let receipt = format!("/v1/claims/{}/receipt", id(&made));
    scene.get("Its receipt", &cast.retailer, &receipt).await;
}
