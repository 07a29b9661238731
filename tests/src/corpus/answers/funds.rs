//! Appropriations and caps, each signed by two persons.

use serde_json::json;
use testkit::{LINYI, YANHU, YUNCHENG};

use super::super::scene::{Scene, id};
use super::PROGRAMME;

pub(super) async fn appropriations(scene: &mut Scene) {
    scene.page("funds.snap");
    let cast = scene.app.cast.clone();
    let path = format!("/v1/funds/{PROGRAMME}/{YANHU}/appropriations");
    let mut first = String::new();
    for (source, amount, document) in [
        ("central", "20000.00", "晋财建〔2026〕1号"),
        ("province", "3000.00", "晋财建〔2026〕2号"),
        ("city", "2000.00", "运财〔2026〕3号"),
        ("county", "1000.00", "盐财〔2026〕4号"),
    ] {
        let body = json!({"source": source, "amount": amount, "document": document});
        let made = scene.post("Money is entered", &cast.maker, &path, &body).await;
        let decision = format!("/v1/appropriations/{}/decision", id(&made));
        let approve = json!({"verdict": "approve"});
        scene
            .post_without_key("Its maker may not approve it", &cast.maker, &decision, &approve)
            .await;
        scene
            .post_without_key("A second person approves", &cast.checker, &decision, &approve)
            .await;
        first = decision;
    }
    let again = json!({"source": "county", "amount": "1000.00", "document": "盐财〔2026〕4号"});
    scene
        .post("The document was used", &cast.maker, &path, &again)
        .await;
    let other = json!({"source": "county", "amount": "1.00", "document": "盐财〔2026〕5号"});
    let made = scene.post("Money is entered", &cast.maker, &path, &other).await;
    let decision = format!("/v1/appropriations/{}/decision", id(&made));
    let silent = json!({"verdict": "refuse"});
    scene
        .post_without_key("Refused without a reason", &cast.checker, &decision, &silent)
        .await;
    let refuse = json!({"verdict": "refuse", "reason": "文号有误"});
    scene
        .post_without_key("Refused", &cast.checker, &decision, &refuse)
        .await;
    scene
        .post_without_key("Decided before", &cast.checker, &first, &refuse)
        .await;
    let wrong = json!({"source": "moon", "amount": "1", "document": "", "more": 1});
    scene
        .post("Wrong in every member", &cast.maker, &path, &wrong)
        .await;
    let nothing = "/v1/funds/no-such-2026/140802/appropriations";
    scene
        .post("No such programme", &cast.maker, nothing, &other)
        .await;
    scene.get("Appropriations", &cast.auditor, &path).await;
    scene
        .get(
            "Appropriations, a page",
            &cast.auditor,
            &format!("{path}?limit=2"),
        )
        .await;
    let sources = format!("/v1/funds/{PROGRAMME}/{YANHU}/sources");
    scene.get("Money by source", &cast.auditor, &sources).await;
    for (county, programme, amount) in [
        (LINYI, PROGRAMME, "900.00"),
        (YANHU, "digital-2026", "5000.00"),
        (YANHU, "vehicle-scrap-2026", "90000.00"),
        (YANHU, "vehicle-replacement-2026", "90000.00"),
    ] {
        scene
            .app
            .appropriate(county, programme, testkit::yuan(amount))
            .await;
    }
}

pub(super) async fn caps(scene: &mut Scene) {
    let cast = scene.app.cast.clone();
    let path = format!("/v1/funds/{PROGRAMME}/{YANHU}/caps");
    let approve = json!({"verdict": "approve"});
    let caps = json!({"document": "运财〔2026〕10号", "caps": [
        {"scope": "whole", "ceiling": "26000.00"},
        {"scope": "category:air_conditioner", "ceiling": "25000.00"},
        {"scope": "month:2026-06", "ceiling": "24000.00"},
    ]});
    let made = scene.put("Caps are proposed", &cast.maker, &path, &caps).await;
    let decision = format!("/v1/cap-changes/{}/decision", id(&made));
    scene
        .post_without_key("Their maker may not approve", &cast.maker, &decision, &approve)
        .await;
    scene
        .post_without_key("Caps are approved", &cast.checker, &decision, &approve)
        .await;
    scene
        .post_without_key("Decided before", &cast.checker, &decision, &approve)
        .await;
    let fewer = json!({"document": "运财〔2026〕11号", "caps": [{"scope": "whole", "ceiling": "1.00"}]});
    let made = scene.put("Caps are proposed", &cast.maker, &path, &fewer).await;
    let decision = format!("/v1/cap-changes/{}/decision", id(&made));
    let refuse = json!({"verdict": "refuse", "reason": "过低"});
    scene
        .post_without_key("Caps are refused", &cast.checker, &decision, &refuse)
        .await;
    let wrong = json!({"document": "x", "caps": [{"scope": "planet", "ceiling": "-1"}, {"scope": "whole"}]});
    scene.put("Caps that are none", &cast.maker, &path, &wrong).await;
    let city = format!("/v1/funds/{PROGRAMME}/{YUNCHENG}/caps");
    let caps = json!({"document": "运财〔2026〕12号", "caps": [{"scope": "whole", "ceiling": "90000.00"}]});
    let made = scene.put("The city's caps", &cast.maker, &city, &caps).await;
    let decision = format!("/v1/cap-changes/{}/decision", id(&made));
    scene
        .post_without_key("They are approved", &cast.checker, &decision, &approve)
        .await;
    let changes = format!("/v1/funds/{PROGRAMME}/{YANHU}/cap-changes");
    scene.get("Changes of caps", &cast.auditor, &changes).await;
    scene.get("Funds", &cast.auditor, "/v1/funds").await;
    scene
        .get(
            "Funds of a county",
            &cast.maker,
            &format!("/v1/funds?jurisdiction={LINYI}"),
        )
        .await;
}
