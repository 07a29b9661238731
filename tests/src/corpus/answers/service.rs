//! Tokens, health, the contract's pages, and the registers.

use serde_json::json;

use super::super::inside::Actor;
use super::super::scene::{Ask, Scene};

fn open<'a>(path: &'a str) -> Ask<'a> {
    Ask {
        actor: None,
        method: "GET",
        path,
        headers: &[],
        body: b"",
    }
}

pub(super) async fn entry_points(scene: &mut Scene) {
    scene.page("service.snap");
    for (what, path) in [
        ("The process lives", "/healthz"),
        ("It can serve", "/readyz"),
        ("Metrics", "/metrics"),
        ("Keys of the tokens", "/.well-known/jwks.json"),
        ("A problem explained", "/problems/four-eyes"),
        ("Another problem explained", "/problems/invalid"),
        ("A problem that there is not", "/problems/no-such-thing"),
        ("A path that there is not", "/v1/nothing"),
        ("No token", "/v1/claims"),
    ] {
        scene.ask(what, open(path)).await;
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let good = format!(
        "grant_type=client_credentials&client_id=retailer-1&client_secret={}",
        testkit::SECRET.replace(' ', "+")
    );
    for (what, body) in [
        ("A token", good.as_str()),
        (
            "A wrong secret",
            "grant_type=client_credentials&client_id=retailer-1&client_secret=guess",
        ),
        ("Another grant", "grant_type=password&client_id=a&client_secret=b"),
        ("No grant", "client_id=a"),
    ] {
        let ask = Ask {
            method: "POST",
            headers: &form,
            body: body.as_bytes(),
            ..open("/oauth/token")
        };
        scene.ask(what, ask).await;
    }
    let bad = Ask {
        headers: &[("authorization", "Bearer x.y.z")],
        ..open("/v1/claims")
    };
    scene.ask("A token that is none", bad).await;
    let cast = scene.app.cast.clone();
    scene
        .get("A role without the right", &cast.retailer, "/v1/funds")
        .await;
    let elsewhere = Actor {
        client: "auditor-elsewhere".into(),
        jurisdictions: vec![testkit::LINYI.into()],
        ..cast.auditor.clone()
    };
    scene.app.register(&elsewhere).await;
    scene
        .get(
            "Another county's ledger",
            &elsewhere,
            "/v1/ledgers/140802/balances",
        )
        .await;
    let put = Ask {
        actor: Some(&cast.retailer),
        method: "PUT",
        ..open("/v1/claims")
    };
    scene.ask("A method that is not served", put).await;
    let long = format!("/v1/claims?cursor={}", "x".repeat(5_000));
    let long = Ask {
        actor: Some(&cast.retailer),
        ..open(&long)
    };
    scene.ask("A path that is too long", long).await;
}

pub(super) async fn registers(scene: &mut Scene) {
    scene.page("registers.snap");
    let admin = scene.app.cast.admin.clone();
    let merchant = scene.app.cast.retailer.merchant.clone().unwrap();
    let rows = [
        (
            "merchants",
            json!({"credit_code": "91140802MA00000105", "name": "新店", "kind": "retailer", "jurisdiction": "140802", "status": "admitted"}),
        ),
        (
            "merchants",
            json!({"credit_code": merchant, "name": "retailer-1", "kind": "retailer", "jurisdiction": "140802", "status": "admitted"}),
        ),
        (
            "efficiency-labels",
            json!({"record": "2024-9", "category": "refrigerator", "brand": "美的", "model": "BCD-1", "grade": "2", "standard": "GB 12021.2-2015", "filed_on": "2024-01-01"}),
        ),
        (
            "scrap-certificates",
            json!({"number": "1408SC1", "issued_on": "2026-06-01", "owner_identity_number": "140802198503143315",
            "vin": "LSV000000000000E1", "plate": "晋MA0001", "energy": "diesel", "vehicle_type": "small_passenger",
            "first_registered_on": "2012-01-01", "dismantler": merchant}),
        ),
        (
            "vehicle-models",
            json!({"model": "V-1", "energy": "new_energy", "vehicle_type": "small_passenger", "displacement_ml": "0", "listed_from": "2020-01-01", "listed_until": "2030-12-31"}),
        ),
        (
            "filed-prices",
            json!({"merchant": merchant, "model": "M-1", "price": "3999.00", "filed_on": "2026-01-02"}),
        ),
        (
            "entitlements",
            json!({"code": "QY1", "programme": "appliance-2026", "applicant_identity_number": "140802198503143315", "category": "television", "issued_on": "2026-01-01", "expires_on": "2026-12-31"}),
        ),
        (
            "dismantlers",
            json!({"credit_code": merchant, "name": "拆解", "jurisdiction": "140802", "licensed_until": "2030-12-31"}),
        ),
        (
            "collectors",
            json!({"credit_code": merchant, "name": "回收", "jurisdiction": "140802", "licensed_until": "2030-12-31"}),
        ),
    ];
    for (register, row) in rows {
        let path = format!("/v1/registers/{register}");
        let lines = format!("{row}\n{row}\n{{\"credit_code\":1}}\n");
        let kind = "application/x-ndjson";
        scene
            .text("Rows of a register", &admin, ("PUT", &path), kind, &lines)
            .await;
    }
    let table =
        "credit_code,name,kind,jurisdiction,status\n91140802MA00000105,x,retailer,140802,admitted\n,,,,\n";
    let path = "/v1/registers/merchants";
    scene
        .text("A table of a register", &admin, ("PUT", path), "text/csv", table)
        .await;
    scene
        .text(
            "A table without columns",
            &admin,
            ("PUT", path),
            "text/csv",
            "a,b\n1,2\n",
        )
        .await;
    scene
        .text(
            "No such register",
            &admin,
            ("PUT", "/v1/registers/cats"),
            "text/csv",
            "a\n",
        )
        .await;
    for key in [
        "merchants/91140802MA0H1P4A1X".to_owned(),
        format!("merchants/{merchant}"),
        format!("collectors/{merchant}"),
        format!("dismantlers/{merchant}"),
        format!("filed-prices/{merchant}:M-1:2026-01-02"),
        "efficiency-labels/2024-9".to_owned(),
        "scrap-certificates/1408SC1".to_owned(),
        "vehicle-models/V-1".to_owned(),
        "entitlements/QY1".to_owned(),
    ] {
        let path = format!("/v1/registers/{key}");
        scene.get("A row of a register", &admin, &path).await;
    }
}
