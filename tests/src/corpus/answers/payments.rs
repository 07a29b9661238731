//! Accounts, disbursements and their files, advances, and holds.

use serde_json::{Value, json};
use testkit::YANHU;

use super::super::scene::{Scene, id};
use super::PROGRAMME;

pub(super) async fn accounts(scene: &mut Scene) {
    scene.page("accounts.snap");
    let cast = scene.app.cast.clone();
    let merchant = cast.retailer.merchant.clone().unwrap();
    let account = json!({"name": "盐湖区惠民家电有限公司", "bank_account": "14001234567890123456",
        "bank_name": "中国建设银行运城分行", "bank_code": "105181000012"});
    let approve = |revision: i32| json!({"revision": revision, "verdict": "approve"});
    for (holder, actor, more) in [
        (merchant.as_str(), &cast.retailer, true),
        (YANHU, &cast.maker, false),
    ] {
        let path = format!("/v1/accounts/{holder}");
        let decision = format!("{path}/decision");
        scene.get("No account yet", actor, &path).await;
        scene.put("An account is entered", actor, &path, &account).await;
        scene
            .post_without_key("Another revision", &cast.checker, &decision, &approve(7))
            .await;
        scene
            .post_without_key("Approved", &cast.checker, &decision, &approve(1))
            .await;
        scene
            .post_without_key("Decided before", &cast.checker, &decision, &approve(1))
            .await;
        scene.get("As it stands", actor, &path).await;
        if more {
            scene.put("Entered anew", actor, &path, &account).await;
            let refuse = json!({"revision": 2, "verdict": "refuse", "reason": "户名不符"});
            scene
                .post_without_key("Refused", &cast.checker, &decision, &refuse)
                .await;
            scene.get("The first stands", &cast.auditor, &path).await;
        }
    }
    let path = format!("/v1/accounts/{merchant}");
    let wrong = json!({"name": "", "bank_account": "12", "bank_name": "", "bank_code": "x", "more": 1});
    scene
        .put("Wrong in every member", &cast.retailer, &path, &wrong)
        .await;
    scene
        .put("Another merchant's", &cast.platform, &path, &account)
        .await;
    scene
        .get(
            "No account on file",
            &cast.maker,
            "/v1/accounts/91140802MA00000101",
        )
        .await;
}

pub(super) async fn disbursed(scene: &mut Scene) {
    scene.page("disbursements.snap");
    let cast = scene.app.cast.clone();
    let (maker, checker) = (&cast.maker, &cast.checker);
    for _ in 0..2 {
        scene.payable_to_applicant().await;
    }
    let claim = scene.payable_to_applicant().await;
    let payee = format!("/v1/claims/{claim}/payee");
    let account = json!({"bank_account": "6217001234567890999", "bank_name": "中国建设银行"});
    scene
        .put(
            "Another account of the applicant's",
            &cast.retailer,
            &payee,
            &account,
        )
        .await;
    scene
        .put(
            "An account that is none",
            &cast.retailer,
            &payee,
            &json!({"bank_account": "1"}),
        )
        .await;
    let body = json!({"jurisdiction": YANHU, "programme": PROGRAMME, "most_claims": 1});
    let made = scene.post("One claim", maker, "/v1/disbursements", &body).await;
    let path = format!("/v1/disbursements/{}", id(&made));
    let why = json!({"reason": "名单有误"});
    scene
        .post_without_key("Taken back", checker, &format!("{path}/cancellation"), &why)
        .await;
    scene
        .post_without_key(
            "Taken back before",
            checker,
            &format!("{path}/cancellation"),
            &why,
        )
        .await;
    let body = json!({"jurisdiction": YANHU, "programme": PROGRAMME, "payable_before": "2026-12-31", "most_amount": "90000.00"});
    let made = scene
        .post("Everything payable", maker, "/v1/disbursements", &body)
        .await;
    let path = format!("/v1/disbursements/{}", id(&made));
    let release = format!("{path}/release");
    scene
        .post("Its maker may not release it", maker, &release, &json!({}))
        .await;
    scene
        .get(
            "Not released yet",
            maker,
            &format!("{path}/instruction?format=csv"),
        )
        .await;
    let hold = json!({"jurisdiction": YANHU, "programme": PROGRAMME, "reason": "核查中"});
    let hold = id(&scene.post_unrecorded(maker, "/v1/holds", &hold).await.expect(201));
    scene.post("Held", checker, &release, &json!({})).await;
    let lifting = format!("/v1/holds/{hold}/lifting");
    scene
        .post_unrecorded(maker, &lifting, &json!({"reason": "核查无误"}))
        .await
        .expect(200);
    scene.post("Released", checker, &release, &json!({})).await;
    scene
        .post_without_key("Released before", checker, &release, &json!({}))
        .await;
    scene
        .post("Nothing is payable", maker, "/v1/disbursements", &body)
        .await;
    let wrong = json!({"jurisdiction": "1", "programme": "", "most_claims": 0, "most_amount": "-1"});
    scene
        .post("Wrong in every member", maker, "/v1/disbursements", &wrong)
        .await;
    for (what, more) in [
        ("A disbursement", ""),
        ("Its payments", "/payments"),
        ("A page of them", "/payments?limit=2"),
        ("Its reconciliation", "/reconciliation"),
        ("Its submissions", "/submissions"),
        ("Its instruction as a table", "/instruction?format=csv"),
        (
            "Its instruction as a message",
            "/instruction?format=pain001&part=1",
        ),
        ("Its second part", "/instruction?format=pain001&part=2"),
        ("A part that there is not", "/instruction?format=pain001&part=9"),
        ("No such form", "/instruction?format=mt103"),
    ] {
        scene.get(what, maker, &format!("{path}{more}")).await;
    }
    scene
        .get(
            "Disbursements",
            &cast.auditor,
            "/v1/disbursements?jurisdiction=140802",
        )
        .await;
    scene
        .get(
            "Of none",
            &cast.auditor,
            "/v1/disbursements?programme=digital-2026",
        )
        .await;
    for (part, resolution) in [
        (1, "submit_again"),
        (1, "by_hand"),
        (2, "by_hand"),
        (9, "by_hand"),
    ] {
        let path = format!("{path}/submissions/{part}/resolution");
        let body = json!({"resolution": resolution, "reason": "银企直连中断"});
        scene
            .post_without_key("A file is settled by a person", maker, &path, &body)
            .await;
    }
    scene
        .get("Its submissions", maker, &format!("{path}/submissions"))
        .await;
}

pub(super) async fn advances(scene: &mut Scene) {
    scene.page("advances.snap");
    let cast = scene.app.cast.clone();
    let maker = &cast.maker;
    let merchant = cast.retailer.merchant.clone().unwrap();
    let advance = |amount: &str| json!({"jurisdiction": YANHU, "programme": PROGRAMME, "merchant": merchant, "amount": amount, "document": "运商预〔2026〕5号"});
    let made = async |scene: &mut Scene, amount: &str| -> Value {
        let made = scene
            .post("An advance", maker, "/v1/advances", &advance(amount))
            .await;
        made.expect(201).json()
    };
    let released = async |scene: &mut Scene, advance: &Value| -> (String, Vec<Value>) {
        let disbursement = advance["disbursement"].as_str().unwrap().to_owned();
        let path = format!("/v1/disbursements/{disbursement}/release");
        scene
            .post_unrecorded(&cast.checker, &path, &json!({}))
            .await
            .expect(200);
        let payments = scene.payments(&disbursement).await;
        (disbursement, payments)
    };
    let taken_back = made(scene, "10.00").await;
    let path = format!(
        "/v1/disbursements/{}/cancellation",
        taken_back["disbursement"].as_str().unwrap()
    );
    scene
        .post_without_key("Taken back", &cast.checker, &path, &json!({"reason": "有误"}))
        .await;
    for outcome in ["failed", "returned"] {
        let one = made(scene, "20.00").await;
        let (disbursement, payments) = released(scene, &one).await;
        scene.bank_result(&disbursement, outcome, &payments).await;
        let path = format!("/v1/advances/{}", one["id"].as_str().unwrap());
        scene.get("It did not arrive", maker, &path).await;
    }
    let one = made(scene, "3000.00").await;
    let (disbursement, payments) = released(scene, &one).await;
    scene.bank_result(&disbursement, "paid", &payments).await;
    let path = format!("/v1/advances/{}", one["id"].as_str().unwrap());
    scene.get("Paid", maker, &path).await;
    scene.payable().await;
    let (made, payments) = scene.release(PROGRAMME).await;
    let path_of_it = format!("/v1/disbursements/{made}");
    scene.get("A claim set against it", maker, &path_of_it).await;
    scene
        .get("Its payments", maker, &format!("{path_of_it}/payments"))
        .await;
    scene
        .get(
            "A payment",
            maker,
            &format!("/v1/payments/{}", payments[0]["id"].as_str().unwrap()),
        )
        .await;
    let repayments = format!("{path}/repayments");
    let part = json!({"amount": "150.00", "reason": "回单20261220-0011"});
    scene.post("A part comes back", maker, &repayments, &part).await;
    scene
        .post(
            "More than there is",
            maker,
            &repayments,
            &json!({"amount": "9999.00", "reason": "x"}),
        )
        .await;
    scene
        .post(
            "The rest comes back",
            maker,
            &repayments,
            &json!({"reason": "回单20261220-0012"}),
        )
        .await;
    scene
        .post("Nothing is left", maker, &repayments, &json!({"reason": "x"}))
        .await;
    scene.get("As it ended", maker, &path).await;
    scene
        .post(
            "More than the fund has",
            maker,
            "/v1/advances",
            &advance("9000000.00"),
        )
        .await;
    scene
        .post(
            "Wrong in every member",
            maker,
            "/v1/advances",
            &json!({"amount": "0"}),
        )
        .await;
    scene.get("Advances", &cast.auditor, "/v1/advances").await;
    let of_merchant = format!("/v1/advances?merchant={merchant}&limit=1");
    scene
        .get("A page of a merchant's", &cast.auditor, &of_merchant)
        .await;
}

pub(super) async fn holds(scene: &mut Scene) {
    scene.page("holds.snap");
    let cast = scene.app.cast.clone();
    let maker = &cast.maker;
    let claim = scene.payable().await;
    let mut lifting = String::new();
    for of in [
        json!({"claim": claim}),
        json!({"merchant": cast.retailer.merchant}),
        json!({"programme": "digital-2026"}),
        json!({}),
    ] {
        let mut body = json!({"jurisdiction": YANHU, "reason": "核查中"});
        body.as_object_mut()
            .unwrap()
            .extend(of.as_object().unwrap().clone());
        let placed = scene.post("A hold", maker, "/v1/holds", &body).await;
        if placed.status == 201 {
            lifting = format!("/v1/holds/{}/lifting", id(&placed));
            if body.get("claim").is_none() {
                let why = json!({"reason": "核查无误"});
                scene
                    .post_unrecorded(&cast.checker, &lifting, &why)
                    .await
                    .expect(200);
            }
        }
    }
    let body = json!({"jurisdiction": YANHU, "programme": PROGRAMME});
    scene.post("All is held", maker, "/v1/disbursements", &body).await;
    scene.get("Holds", &cast.auditor, "/v1/holds").await;
    scene
        .get(
            "Lifted ones",
            &cast.auditor,
            "/v1/holds?jurisdiction=140802&lifted=true",
        )
        .await;
    scene
        .post_without_key("Lifted before", maker, &lifting, &json!({"reason": "x"}))
        .await;
    let held = scene
        .fetch(maker, "/v1/holds?lifted=false")
        .await
        .expect(200)
        .json();
    let held = held["items"][0]["id"].as_str().unwrap().to_owned();
    let lifting = format!("/v1/holds/{held}/lifting");
    scene
        .post_without_key("Lifted without a reason", maker, &lifting, &json!({"reason": ""}))
        .await;
    scene
        .post_without_key("Lifted", maker, &lifting, &json!({"reason": "核查无误"}))
        .await;
    scene.pay_out(PROGRAMME).await;
}
