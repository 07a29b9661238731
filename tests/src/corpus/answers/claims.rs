//! Claims: submitted, shown, corrected, reviewed, and ended before any payment.

use serde_json::{Value, json};
use testkit::{CarSale, LINYI, Sale, numbers, on_the_wire, yuan};

use super::super::inside::Actor;
use super::super::scene::{Ask, Scene, id};

/// A claim without the amount paid, which needs correction.
fn lacking(claim: &Value) -> Value {
    let mut claim = claim.clone();
    claim["purchase"].as_object_mut().unwrap().remove("paid");
    claim
}

fn digital() -> Sale {
    Sale::digital("digital-2026", "phone", "3999.00", "500.00", "2026-06-01")
}

fn of_grade_2() -> Sale {
    Sale {
        grade: Some(2),
        ..Sale::air_conditioner()
    }
}

pub(super) async fn submitted(scene: &mut Scene) {
    scene.page("claims.snap");
    let cast = scene.app.cast.clone();
    let (shop, claims) = (&cast.retailer, "/v1/claims");
    let sent = scene.claim_of(&Sale::air_conditioner()).await;
    scene
        .post_without_key("A dry run", shop, "/v1/claims/check", &sent)
        .await;
    scene
        .post_without_key("A dry run of less", shop, "/v1/claims/check", &lacking(&sent))
        .await;
    let made = scene.post("Eligible", shop, claims, &sent).await;
    let claim = id(&made);
    scene
        .post_without_key("A dry run of the same", shop, "/v1/claims/check", &sent)
        .await;
    scene
        .post("The same again under another key", shop, claims, &sent)
        .await;
    let twice = scene.claim_of(&Sale::air_conditioner()).await;
    let mut twice_with_its_invoice = twice.clone();
    twice_with_its_invoice["purchase"]["invoice"]["number"] = sent["purchase"]["invoice"]["number"].clone();
    scene
        .post(
            "Ineligible: its invoice was used",
            shop,
            claims,
            &twice_with_its_invoice,
        )
        .await;
    let worse = scene.claim_of(&of_grade_2()).await;
    scene.post("Ineligible: of grade 2", shop, claims, &worse).await;
    let phone = scene.claim_of(&digital()).await;
    scene.post("A phone", shop, claims, &phone).await;
    let mut phone = scene.claim_of(&digital()).await;
    let imeis = json!([phone["item"]["imei"], numbers::imei()]);
    phone["item"]["imei"] = imeis;
    scene.post("A phone of two cards", shop, claims, &phone).await;
    for (what, sale) in [
        (
            "A car for a scrapped one",
            CarSale::petrol("vehicle-scrap-2026", "120000.00", "2026-06-01"),
        ),
        (
            "An electric car for a scrapped one",
            CarSale::electric("vehicle-scrap-2026", "150000.00", "2026-06-01"),
        ),
        (
            "A car for one sold on",
            CarSale::electric("vehicle-replacement-2026", "180000.00", "2026-06-01"),
        ),
    ] {
        let car = on_the_wire(&scene.app.car(&sale).await);
        scene.post(what, &cast.dealer, claims, &car).await;
    }
    let incomplete = lacking(&scene.claim_of(&Sale::air_conditioner()).await);
    scene.post("To be corrected", shop, claims, &incomplete).await;
    wrong(scene, &sent).await;
    for (what, actor) in [("to its merchant", shop), ("to a reviewer", &cast.reviewer)] {
        let path = format!("/v1/claims/{claim}");
        scene
            .get(&format!("A claim as it is shown {what}"), actor, &path)
            .await;
    }
    for (what, path) in [
        ("Its receipt", format!("/v1/claims/{claim}/receipt")),
        ("Its events", format!("/v1/claims/{claim}/events")),
        (
            "As it stood",
            format!("/v1/claims/{claim}?as_of=2026-06-15T02:00:00Z"),
        ),
        (
            "Before it was",
            format!("/v1/claims/{claim}?as_of=2026-06-14T02:00:00Z"),
        ),
        ("No proof yet", format!("/v1/claims/{claim}/proof")),
        (
            "No such claim",
            "/v1/claims/clm_140802_018f2f6e7d3a7c8e9b0a1122334455ff".to_owned(),
        ),
        ("No id", "/v1/claims/7".to_owned()),
        ("A list", "/v1/claims?limit=2".to_owned()),
        (
            "The queue",
            "/v1/claims?order=queue&status=under_review&limit=2".to_owned(),
        ),
        (
            "Of a programme",
            "/v1/claims?programme=digital-2026&jurisdiction=140802&from=2026-06-01&to=2026-06-30".to_owned(),
        ),
        (
            "As they stood",
            "/v1/claims?as_of=2026-06-15T02:00:00Z&limit=2".to_owned(),
        ),
        (
            "A wrong filter",
            "/v1/claims?status=lost&limit=many&from=yesterday".to_owned(),
        ),
    ] {
        scene.get(what, &cast.auditor, &path).await;
    }
    let other = format!("/v1/claims/{claim}");
    scene
        .get("Another merchant's claim", &cast.other_retailer, &other)
        .await;
}

/// A request with a claim and these headers only.
fn posted<'a>(actor: &'a Actor, headers: &'a [(&'a str, &'a str)], body: &'a [u8]) -> Ask<'a> {
    Ask {
        actor: Some(actor),
        method: "POST",
        path: "/v1/claims",
        headers,
        body,
    }
}

/// Claims that are refused.
async fn wrong(scene: &mut Scene, sent: &Value) {
    let shop = scene.app.cast.retailer.clone();
    let bytes = sent.to_string();
    let json_kind = ("content-type", "application/json");
    let key = ("idempotency-key", "the-key");
    scene
        .ask("Under a key", posted(&shop, &[json_kind, key], bytes.as_bytes()))
        .await;
    let mut other = sent.clone();
    other["merchant_reference"] = json!("B-OTHER");
    let other = other.to_string();
    for (what, headers, body) in [
        (
            "The key with another claim",
            &[json_kind, key][..],
            other.as_bytes(),
        ),
        ("No key", &[json_kind], bytes.as_bytes()),
        (
            "A key that is none",
            &[json_kind, ("idempotency-key", "a b")],
            bytes.as_bytes(),
        ),
        (
            "Cut off",
            &[json_kind, ("idempotency-key", "k1")],
            b"{\"programme\":",
        ),
        (
            "Not JSON",
            &[("content-type", "text/plain"), ("idempotency-key", "k2")],
            bytes.as_bytes(),
        ),
        ("Empty", &[json_kind, ("idempotency-key", "k3")], b"{}"),
    ] {
        scene.ask(what, posted(&shop, headers, body)).await;
    }
    let large = vec![b' '; 70_000];
    scene
        .ask(
            "Too large",
            posted(&shop, &[json_kind, ("idempotency-key", "k4")], &large),
        )
        .await;
    let mut faulty = sent.clone();
    for (pointer, value) in [
        ("/applicant/identity_number", json!("14080219850314331X")),
        ("/applicant/phone", json!("1380000")),
        ("/applicant/name", json!("")),
        ("/purchase/final_price", json!("12.345")),
        ("/purchase/invoice/number", json!("x")),
        ("/purchase/invoice/date", json!("2026-02-30")),
        ("/purchase/invoice/total", json!(4000)),
        ("/item/gtin", json!("6901234567890")),
        ("/item/kind", json!("appliance")),
        ("/channel", json!("by_post")),
        ("/programme", json!("no-such-2026")),
        ("/jurisdiction", json!("110101")),
        ("/payee/kind", json!("nobody")),
    ] {
        *faulty.pointer_mut(pointer).unwrap() = value;
    }
    faulty["more"] = json!(true);
    scene
        .post("Wrong in many members", &shop, "/v1/claims", &faulty)
        .await;
    let mut nowhere = sent.clone();
    nowhere["programme"] = json!("no-such-2026");
    scene
        .post("No such programme", &shop, "/v1/claims", &nowhere)
        .await;
    let mut city = sent.clone();
    city["jurisdiction"] = json!("140800");
    scene.post("Not a county", &shop, "/v1/claims", &city).await;
}

pub(super) async fn bulk(scene: &mut Scene) {
    scene.page("bulk.snap");
    let shop = scene.app.cast.retailer.clone();
    let good = scene
        .claim_of(&Sale::air_conditioner().in_county(LINYI).at("2000.00", "300.00"))
        .await;
    let refused = scene.claim_of(&of_grade_2().in_county(LINYI)).await;
    let mut wrong = good.clone();
    wrong["applicant"]["phone"] = json!("1");
    let lines = format!("{good}\n\n{wrong}\n{refused}\nnothing\n");
    let kind = "application/x-ndjson";
    let path = "/v1/claims/bulk?mode=continue";
    scene
        .text("Line by line", &shop, ("POST", path), kind, &lines)
        .await;
    let path = "/v1/claims/bulk?mode=atomic";
    scene
        .text("All or none: none", &shop, ("POST", path), kind, &lines)
        .await;
    let phones = [digital(), digital()];
    let mut lines = String::new();
    for sale in &phones {
        lines.push_str(&format!("{}\n", scene.claim_of(sale).await));
    }
    scene
        .text("All or none: all", &shop, ("POST", path), kind, &lines)
        .await;
    let many = "{}\n".repeat(1_001);
    scene.text("Too many", &shop, ("POST", path), kind, &many).await;
    scene.text("None", &shop, ("POST", path), kind, "\n").await;
    let claim = scene.claim_of(&digital()).await;
    let (mut heads, mut cells) = (Vec::new(), Vec::new());
    flat(&claim, "", &mut |head, cell| {
        heads.push(head);
        cells.push(cell);
    });
    let mut bad = cells.clone();
    bad[0] = "x".into();
    let table = format!("{}\n{}\n{}\n", heads.join(","), cells.join(","), bad.join(","));
    let path = "/v1/claims/bulk";
    scene
        .text("A table", &shop, ("POST", path), "text/csv", &table)
        .await;
    let twice = "programme,programme\n1,2\n";
    scene
        .text("A column twice", &shop, ("POST", path), "text/csv", twice)
        .await;
    let mode = "/v1/claims/bulk?mode=later";
    scene
        .text("No such mode", &shop, ("POST", mode), "text/csv", &table)
        .await;
}

/// A claim's members by dotted path.
fn flat(value: &Value, path: &str, cell: &mut impl FnMut(String, String)) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let dot = if path.is_empty() { "" } else { "." };
                flat(value, &format!("{path}{dot}{name}"), cell);
            }
        }
        Value::String(text) => cell(path.to_owned(), text.clone()),
        other => cell(path.to_owned(), other.to_string()),
    }
}

pub(super) async fn reviewed(scene: &mut Scene) {
    scene.page("review.snap");
    let cast = scene.app.cast.clone();
    let (reviewer, approver) = (&cast.reviewer, &cast.approver);
    let verdict = |verdict: &str| json!({"verdict": verdict, "reason": "材料"});
    let sent = scene.claim_of(&Sale::air_conditioner()).await;
    let claim = scene.submit_claim(&sent).await;
    let early = verdict("approve");
    scene
        .post_on("Not recommended yet", approver, &claim, "approval", &early)
        .await;
    let path = format!("/v1/claims/{claim}/review");
    scene
        .post_without_key("Not said on what", reviewer, &path, &verdict("recommend"))
        .await;
    let silent = json!({"verdict": "reject"});
    scene
        .post_on("Refused without a reason", reviewer, &claim, "review", &silent)
        .await;
    scene
        .post_on("Sent back", reviewer, &claim, "review", &verdict("return"))
        .await;
    let path = format!("/v1/claims/{claim}/correction");
    scene
        .post(
            "Corrected, and lacking again",
            &cast.retailer,
            &path,
            &lacking(&sent),
        )
        .await;
    scene.post("Corrected", &cast.retailer, &path, &sent).await;
    scene
        .post_without_key("Corrected out of turn", &cast.retailer, &path, &sent)
        .await;
    scene
        .post_on("Recommended", reviewer, &claim, "review", &verdict("recommend"))
        .await;
    let stale = Ask {
        actor: Some(approver),
        method: "POST",
        path: &format!("/v1/claims/{claim}/approval"),
        headers: &[("content-type", "application/json"), ("if-match", "\"1\"")],
        body: b"{\"verdict\":\"approve\"}",
    };
    scene.ask("On a revision that is past", stale).await;
    scene
        .post_on(
            "Back to the reviewer",
            approver,
            &claim,
            "approval",
            &verdict("return"),
        )
        .await;
    scene
        .post_on(
            "Recommended again",
            reviewer,
            &claim,
            "review",
            &verdict("recommend"),
        )
        .await;
    scene
        .post_on("Approved", approver, &claim, "approval", &verdict("approve"))
        .await;
    scene
        .get(
            "Its events",
            &cast.auditor,
            &format!("/v1/claims/{claim}/events?limit=5"),
        )
        .await;
    let two = [
        scene.submit_sale(&Sale::air_conditioner()).await,
        scene.submit_sale(&Sale::air_conditioner()).await,
    ];
    scene
        .post_on(
            "Rejected by the reviewer",
            reviewer,
            &two[0],
            "review",
            &verdict("reject"),
        )
        .await;
    scene
        .post_on("Recommended", reviewer, &two[1], "review", &verdict("recommend"))
        .await;
    scene
        .post_on(
            "Rejected by the approver",
            approver,
            &two[1],
            "approval",
            &verdict("reject"),
        )
        .await;
    several(scene).await;
    let reveal = format!("/v1/claims/{claim}/reveal");
    scene
        .post_without_key(
            "Personal data shown",
            &cast.auditor,
            &reveal,
            &json!({"reason": "专项审计"}),
        )
        .await;
    scene
        .post_without_key(
            "Not without a reason",
            &cast.auditor,
            &reveal,
            &json!({"reason": ""}),
        )
        .await;
    scene
        .post_without_key(
            "Not to a merchant",
            &cast.retailer,
            &reveal,
            &json!({"reason": "x"}),
        )
        .await;
}

/// Approvals of several claims at once.
async fn several(scene: &mut Scene) {
    let cast = scene.app.cast.clone();
    let mut items = Vec::new();
    for _ in 0..2 {
        let claim = scene.submit_sale(&Sale::air_conditioner()).await;
        let recommend = json!({"verdict": "recommend"});
        scene
            .post_unrecorded_on(&cast.reviewer, (&claim, 1), "review", &recommend)
            .await
            .expect(200);
        items.push(json!({"claim": claim, "etag": "\"2\"", "verdict": "approve"}));
    }
    let open = scene.submit_sale(&Sale::air_conditioner()).await;
    items.push(json!({"claim": open, "etag": "\"1\"", "verdict": "approve"}));
    items.push(json!({"claim": open, "etag": "\"9\"", "verdict": "return", "reason": "x"}));
    let missing = "clm_140802_018f2f6e7d3a7c8e9b0a1122334455ff";
    items.push(json!({"claim": missing, "etag": "\"1\"", "verdict": "reject", "reason": "x"}));
    let body = json!({"items": items});
    scene
        .post_without_key("Several at once", &cast.approver, "/v1/approvals", &body)
        .await;
    let wrong = json!({"items": [{"claim": "x", "etag": "1", "verdict": "maybe"}]});
    scene
        .post_without_key(
            "Nothing that can be read",
            &cast.approver,
            "/v1/approvals",
            &wrong,
        )
        .await;
    scene
        .post_without_key("None", &cast.approver, "/v1/approvals", &json!({"items": []}))
        .await;
}

pub(super) async fn ended(scene: &mut Scene) {
    scene.page("endings.snap");
    let cast = scene.app.cast.clone();
    let shop = &cast.retailer;
    // Linyi has 900 yuan, of which 300 are reserved.
    let sale = Sale::air_conditioner().in_county(LINYI);
    let first = scene.claim_of(&sale).await;
    let first = id(&scene.post("The last money", shop, "/v1/claims", &first).await);
    let waits = scene.claim_of(&sale).await;
    let waits = id(&scene.post("Waits", shop, "/v1/claims", &waits).await);
    let behind = scene.claim_of(&sale).await;
    let behind = id(&scene.post("Waits behind it", shop, "/v1/claims", &behind).await);
    let why = json!({"reason": "顾客改变主意"});
    let withdrawal = |claim: &str| format!("/v1/claims/{claim}/withdrawal");
    scene.post("Withdrawn", shop, &withdrawal(&first), &why).await;
    scene
        .get("The next claim moved up", shop, &format!("/v1/claims/{waits}"))
        .await;
    scene
        .post_without_key("Withdrawn before", shop, &withdrawal(&first), &why)
        .await;
    let path = format!("/v1/claims/{behind}/return");
    scene.post("Returned while it waits", shop, &path, &why).await;
    let approved = scene.payable().await;
    scene
        .post(
            "Withdrawn after approval",
            shop,
            &withdrawal(&approved),
            &json!({}),
        )
        .await;
    let approved = scene.payable().await;
    let path = format!("/v1/claims/{approved}/return");
    scene
        .post("Returned after approval", shop, &path, &json!({}))
        .await;
    let other = format!("/v1/claims/{waits}/withdrawal");
    scene
        .post_without_key("Another merchant's", &cast.other_retailer, &other, &why)
        .await;
    waits_for_another_limit(scene).await;
    // The claim that the first scene left incomplete is never corrected.
    let incomplete = lacking(&scene.claim_of(&Sale::air_conditioner()).await);
    let expires = scene.submit_claim(&incomplete).await;
    scene.set("2026-07-01T02:00:00Z");
    super::inside::work(&scene.app).await;
    scene
        .get("Not corrected in time", shop, &format!("/v1/claims/{expires}"))
        .await;
    let path = format!("/v1/claims/{expires}/correction");
    scene
        .post_without_key("Corrected too late", shop, &path, &incomplete)
        .await;
    scene
        .get("Its events", shop, &format!("/v1/claims/{expires}/events"))
        .await;
}

/// The first in line waits for a cap, then for money, then for nothing.
async fn waits_for_another_limit(scene: &mut Scene) {
    const COUNTY: &str = "140822";
    let shop = scene.app.cast.retailer.clone();
    let programme = super::PROGRAMME;
    scene.app.appropriate(COUNTY, programme, yuan("500.00")).await;
    scene
        .app
        .caps(COUNTY, programme, &[("whole", yuan("300.00"))])
        .await;
    let sale = Sale::air_conditioner().in_county(COUNTY);
    let sent = scene.claim_of(&sale).await;
    let made = scene
        .post("Too much for cap and fund", &shop, "/v1/claims", &sent)
        .await;
    let path = format!("/v1/claims/{}", id(&made));
    scene.app.appropriate(COUNTY, programme, yuan("200.00")).await;
    scene.get("With more money", &shop, &path).await;
    scene
        .app
        .caps(COUNTY, programme, &[("whole", yuan("700.00"))])
        .await;
    scene.get("With a higher cap", &shop, &path).await;
    scene.get("Its events", &shop, &format!("{path}/events")).await;
}
