//! No personal datum and no secret stands in the log, at any level, after any request.

use serde_json::{Value, json};
use testkit::{CarSale, HttpApp, Recording, SECRET, Sale, YANHU, on_the_wire, yuan};

/// The personal values of a submitted claim.
fn personal(claim: &Value) -> Vec<String> {
    let paths = [
        "/applicant/identity_number",
        "/applicant/phone",
        "/item/vin",
        "/item/imei",
        "/old_item/vin",
        "/old_item/plate",
        "/payee/bank_account",
    ];
    let found = paths
        .iter()
        .filter_map(|path| claim.pointer(path)?.as_str().map(str::to_owned));
    found.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_personal_is_logged_in_the_life_of_a_claim() {
    let recording = Recording::start();
    let app = HttpApp::new().await;
    for programme in ["appliance-2026", "digital-2026", "vehicle-scrap-2026"] {
        app.appropriate(YANHU, programme, yuan("100000.00")).await;
    }
    let name = "欧阳不可记";
    let person = || testkit::Person {
        name: name.into(),
        ..testkit::Person::new()
    };
    let claims = [
        app.sale(&Sale::air_conditioner().by(&person())).await,
        app.sale(&Sale::digital("digital-2026", "phone", "3000.00", "450.00", "2026-06-01").by(&person()))
            .await,
        app.car(&CarSale::electric("vehicle-scrap-2026", "100000.00", "2026-06-01").by(&person()))
            .await,
    ];
    let mut secrets = vec![name.to_owned(), SECRET.to_owned(), "解放北路".to_owned()];
    let form = format!(
        "grant_type=client_credentials&client_id=retailer-1&client_secret={}",
        SECRET.replace(' ', "+")
    );
    let urlencoded = [("content-type", "application/x-www-form-urlencoded")];
    let token = app
        .send("POST", "/oauth/token", &urlencoded, form.as_bytes())
        .await
        .expect(200)
        .json();
    secrets.push(token["access_token"].as_str().unwrap().to_owned());
    for claim in &claims {
        let sent = on_the_wire(claim);
        let own = personal(&sent);
        assert!(own.len() >= 2, "{own:?}");
        let reply = app.post_claim(claim).await.expect(201);
        let id = reply.json()["id"].as_str().unwrap().to_owned();
        for value in own.iter().chain([&name.to_owned()]) {
            assert!(!reply.text().contains(value), "an answer shows {value}");
        }
        app.post_on(
            &app.cast.reviewer,
            &id,
            "review",
            &json!({"verdict": "recommend"}),
        )
        .await
        .expect(200);
        app.post_on(
            &app.cast.approver,
            &id,
            "approval",
            &json!({"verdict": "approve"}),
        )
        .await
        .expect(200);
        let shown = app
            .get(&app.cast.auditor, &format!("/v1/claims/{id}"))
            .await
            .expect(200)
            .text();
        for value in own.iter().chain([&name.to_owned()]) {
            assert!(!shown.contains(value), "an unmasked {value}");
        }
        let looked = app
            .post(
                &app.cast.auditor,
                &format!("/v1/claims/{id}/reveal"),
                &json!({"reason": "抽查"}),
            )
            .await;
        assert!(looked.expect(200).text().contains(&own[0]));
        // Wrong in one field; the others are personal all the same.
        let mut wrong = sent.clone();
        wrong["applicant"]["identity_number"] = json!(own[0].replace(|c: char| c.is_ascii_digit(), "7"));
        wrong["applicant"]["telephone"] = json!(own[1]);
        let seller = app.seller(claim);
        let refused = app.post(&seller, "/v1/claims", &wrong).await.expect(422).text();
        for value in &own {
            assert!(!refused.contains(value), "a refusal repeats {value}");
        }
        let broken = format!("{sent}{{\"{}", own[0]);
        let bearer = format!("Bearer {}", app.token(&seller).await);
        let headers = [
            ("authorization", bearer.as_str()),
            ("idempotency-key", "k"),
            ("content-type", "application/json"),
        ];
        app.send("POST", "/v1/claims", &headers, broken.as_bytes())
            .await
            .expect(400);
        app.send(
            "GET",
            &format!("/v1/claims?merchant={}", own[0]),
            &headers[..1],
            b"",
        )
        .await;
        app.send("GET", &format!("/v1/claims/{}", own[0]), &headers[..1], b"")
            .await
            .expect(404);
        secrets.extend(own);
    }
    let merchants = [&app.cast.retailer, &app.cast.platform, &app.cast.dealer];
    let merchants = merchants.into_iter().filter_map(|actor| actor.merchant.clone());
    let holders = merchants.chain([YANHU.to_owned()]).collect::<Vec<_>>();
    for (place, holder) in holders.iter().enumerate() {
        let number = format!("14050167890811{place:06}");
        app.account_on_file(holder, &number).await;
        secrets.push(number);
    }
    for programme in ["appliance-2026", "digital-2026", "vehicle-scrap-2026"] {
        let (id, payments) = app.instruct(YANHU, programme).await;
        let path = format!("/v1/disbursements/{id}/instruction?format=csv");
        app.get(&app.cast.maker, &path).await.expect(200);
        app.results(id, &[(&payments[0], Some("户名不符"))])
            .await
            .unwrap();
    }
    let log = recording.text();
    assert!(log.contains("/v1/claims"), "nothing was logged at all");
    for secret in secrets {
        let at = log
            .find(&secret)
            .map(|at| log[..at].rfind('\n').map_or(0, |line| line + 1));
        let line = at.map(|at| log[at..].lines().next().unwrap_or_default());
        assert!(line.is_none(), "{secret} stands in the log: {line:?}");
    }
    app.audit().await;
}
