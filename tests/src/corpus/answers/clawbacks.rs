//! Clawbacks: demanded, repaid, waived, and netted against payments.

use serde_json::{Value, json};

use super::super::scene::{Scene, id};
use super::PROGRAMME;

pub(super) async fn demanded(scene: &mut Scene) {
    scene.page("clawbacks.snap");
    let cast = scene.app.cast.clone();
    let (maker, checker) = (&cast.maker, &cast.checker);
    let mut claims = Vec::new();
    for _ in 0..5 {
        claims.push(scene.payable().await);
    }
    scene.pay_out(PROGRAMME).await;
    let on = |claim: &str, what: &str| format!("/v1/claims/{claim}/{what}");
    scene
        .get("Nothing is due", &cast.auditor, &on(&claims[0], "clawback"))
        .await;
    let reasons = ["goods_returned", "invoice_reversed", "fraud", "scrap_not_closed"];
    for (claim, reason) in claims.iter().zip(reasons) {
        let demand = json!({"reason": reason, "amount": "400.00", "document": "运商追〔2026〕3号"});
        let path = on(claim, "clawback-demand");
        scene
            .post("A part is demanded back", &cast.approver, &path, &demand)
            .await;
    }
    let path = on(&claims[4], "return");
    scene
        .post(
            "The goods came back",
            &cast.retailer,
            &path,
            &json!({"reason": "七天无理由退货"}),
        )
        .await;
    let more = json!({"reason": "fraud", "amount": "600.01"});
    let path = on(&claims[0], "clawback-demand");
    scene.post("Demanded before", &cast.approver, &path, &more).await;
    scene
        .post("For no reason", &cast.approver, &path, &json!({"reason": "whim"}))
        .await;
    let part = json!({"amount": "99.99", "reason": "回单1"});
    let rest = json!({"reason": "回单2"});
    for claim in &claims[..3] {
        scene
            .post_without_key("A part comes back", maker, &on(claim, "clawback"), &part)
            .await;
        scene
            .post_without_key(
                "More than is open",
                maker,
                &on(claim, "clawback"),
                &json!({"amount": "400.00", "reason": "x"}),
            )
            .await;
        scene
            .post_without_key("The rest comes back", maker, &on(claim, "clawback"), &rest)
            .await;
        scene
            .get("As it ended", &cast.retailer, &on(claim, "clawback"))
            .await;
    }
    let waivers = on(&claims[3], "clawback-waivers");
    let waiver =
        |amount: Value| json!({"amount": amount, "document": "运财〔2026〕18号", "reason": "企业已注销"});
    let made = scene
        .post("A waiver of a part", maker, &waivers, &waiver(json!("100.00")))
        .await;
    let decision = format!("/v1/clawback-waivers/{}/decision", id(&made));
    let approve = json!({"verdict": "approve"});
    scene
        .post_without_key("By the same person", maker, &decision, &approve)
        .await;
    scene
        .post_without_key("Approved", checker, &decision, &approve)
        .await;
    scene
        .post_without_key("Decided before", checker, &decision, &approve)
        .await;
    let made = scene
        .post("Another waiver", maker, &waivers, &waiver(json!("1.00")))
        .await;
    let decision = format!("/v1/clawback-waivers/{}/decision", id(&made));
    let refuse = json!({"verdict": "refuse", "reason": "依据不足"});
    scene
        .post_without_key("Refused", checker, &decision, &refuse)
        .await;
    let all = json!({"document": "运财〔2026〕19号", "reason": "企业已注销"});
    let made = scene.post("A waiver of the rest", maker, &waivers, &all).await;
    let decision = format!("/v1/clawback-waivers/{}/decision", id(&made));
    scene
        .post_without_key("Approved", checker, &decision, &approve)
        .await;
    scene
        .get("As it ended", &cast.auditor, &on(&claims[3], "clawback"))
        .await;
    scene
        .get("Its events", &cast.auditor, &on(&claims[3], "events"))
        .await;
    scene
        .post("Nothing is due", maker, &waivers, &waiver(json!("1.00")))
        .await;
}

/// The last demand is netted against a payment, and a payment so netted comes back.
pub(super) async fn netted(scene: &mut Scene) {
    let cast = scene.app.cast.clone();
    scene.payable().await;
    scene.payable().await;
    let (made, payments) = scene.release(PROGRAMME).await;
    let path = format!("/v1/disbursements/{made}");
    scene.get("A due netted against claims", &cast.maker, &path).await;
    scene
        .get("Its payments", &cast.maker, &format!("{path}/payments"))
        .await;
    scene
        .get(
            "Its instruction",
            &cast.maker,
            &format!("{path}/instruction?format=csv"),
        )
        .await;
    scene.bank_result(&made, "paid", &payments).await;
    scene.bank_result(&made, "returned", &payments).await;
    scene
        .get(
            "What was sent came back",
            &cast.maker,
            &format!("{path}/payments"),
        )
        .await;
    let payment = payments[0]["id"].as_str().unwrap().to_owned();
    scene
        .get(
            "Its claims",
            &cast.maker,
            &format!("/v1/payments/{payment}/claims"),
        )
        .await;
    scene.pay_out(PROGRAMME).await;
}
