//! Closings of months and of the year, statements, and the lists at the end of the year.

use serde_json::json;
use testkit::{Sale, YANHU, day};

use super::super::inside;
use super::super::scene::Scene;

/// 6 January, 00:00 in Shanghai: the year is closed, and unused central money lapses.
const YEAR_IS_DUE: &str = "2027-01-05T16:00:00Z";

pub(super) async fn closed(scene: &mut Scene) {
    scene.page("closings.snap");
    let cast = scene.app.cast.clone();
    let closings = format!("/v1/ledgers/{YANHU}/closings");
    scene.set(YEAR_IS_DUE);
    inside::work(&scene.app).await;
    scene.get("Closings", &cast.auditor, &closings).await;
    scene
        .get("A page of them", &cast.auditor, &format!("{closings}?limit=2"))
        .await;
    for (what, of) in [
        ("A month", "2026-06"),
        ("A year", "2026"),
        ("A month as a table", "2026-07?format=csv&lang=en"),
        ("A year as a table", "2026?format=csv&lang=zh"),
        ("An open month", "2027-01"),
        ("No month", "2026-13"),
    ] {
        scene.get(what, &cast.auditor, &format!("{closings}/{of}")).await;
    }
    // Claims for what was bought in the year still come; nothing is left of central's money.
    let sale = Sale {
        on: day("2026-12-20"),
        ..Sale::air_conditioner().at("4000.00", "400.00")
    };
    let late = scene.claim_of(&sale).await;
    scene
        .post("A claim in January", &cast.retailer, "/v1/claims", &late)
        .await;
    let signing = format!("/v1/ledgers/{YANHU}/checkpoint");
    scene
        .post_unrecorded(&cast.auditor, &signing, &json!({}))
        .await
        .expect(200);
}

pub(super) async fn lists(scene: &mut Scene) {
    scene.page("lists.snap");
    let cast = scene.app.cast.clone();
    let auditor = &cast.auditor;
    for (what, path) in [
        ("Balances", format!("/v1/ledgers/{YANHU}/balances")),
        (
            "Balances as they stood",
            format!("/v1/ledgers/{YANHU}/balances?as_of=2026-06-30T16:00:00Z"),
        ),
        ("Transfers", format!("/v1/ledgers/{YANHU}/transfers?limit=5")),
        (
            "Transfers of a month",
            format!("/v1/ledgers/{YANHU}/transfers?from=2026-08-01&to=2026-08-31&programme=appliance-2026"),
        ),
        ("Claims", format!("/v1/claims?jurisdiction={YANHU}&limit=100")),
        (
            "Claims as they stood",
            format!("/v1/claims?jurisdiction={YANHU}&as_of=2026-06-30T16:00:00Z&limit=100"),
        ),
        ("Funds", "/v1/funds?limit=100".to_owned()),
        (
            "Money by source",
            format!("/v1/funds/appliance-2026/{YANHU}/sources"),
        ),
        ("Disbursements", "/v1/disbursements?limit=100".to_owned()),
        ("A limit that is too high", "/v1/claims?limit=100000".to_owned()),
    ] {
        scene.get(what, auditor, &path).await;
    }
    scene
        .get("Public funds", &cast.retailer, "/v1/public/funds")
        .await;
    let merchant = cast.retailer.merchant.clone().unwrap();
    let statement = format!("/v1/statements/{merchant}");
    let span = format!("jurisdiction={YANHU}&from=2026-06-01&to=2026-12-31");
    scene
        .get("A statement", &cast.retailer, &format!("{statement}?{span}"))
        .await;
    let page = format!("{statement}?{span}&programme=appliance-2026&limit=2");
    scene.get("A page of it", &cast.maker, &page).await;
    scene
        .get(
            "Another merchant's",
            &cast.platform,
            &format!("{statement}?{span}"),
        )
        .await;
    scene
        .get(
            "No span",
            &cast.retailer,
            &format!("{statement}?jurisdiction={YANHU}"),
        )
        .await;
}

/// The time between the two bundles.
pub(super) async fn month_after(scene: &mut Scene) {
    let cast = scene.app.cast.clone();
    scene.set("2027-02-10T02:00:00Z");
    let path = "/v1/funds/appliance-2026/140802/appropriations";
    let money = json!({"source": "county", "amount": "700.00", "document": "盐财〔2027〕1号"});
    scene.post_unrecorded(&cast.maker, path, &money).await.expect(201);
    inside::work(&scene.app).await;
    let signing = format!("/v1/ledgers/{YANHU}/checkpoint");
    let note = scene
        .post_unrecorded(&cast.auditor, &signing, &json!({}))
        .await
        .expect(200)
        .text();
    let line = testkit::witness().cosign(&note, 1_801_000_000).unwrap();
    let bearer = scene.bearer(&cast.auditor).await;
    let headers = [("authorization", bearer.as_str()), ("content-type", "text/plain")];
    let path = format!("{signing}/cosignatures");
    let body = format!("{note}{line}");
    scene
        .app
        .send("POST", &path, &headers, body.as_bytes())
        .await
        .expect(200);
}
