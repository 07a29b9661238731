//! Claims as files: masked, or in clear with a reason and an event.

use std::collections::BTreeSet;

use futures::TryStreamExt;
use policy::Lang;
use serde_json::Value;
use service::audit::export::{ClaimsExport, Format, Reveal};
use service::operation::access::{ReadLedger, RevealClaims};
use testkit::{CarSale, HttpApp, LINYI, Person, Sale, YANHU, on_the_wire, permit, yuan};

use super::{busy, export, lines};

const REVEAL: &str = "reveal=true&reason=%E4%B8%93%E9%A1%B9%E5%AE%A1%E8%AE%A1";

async fn events(app: &HttpApp) -> Vec<(String, String, String, String)> {
    let rows = app
        .db
        .rows("SELECT jurisdiction || '|' || subject || '|' || actor || '|' || reason FROM events WHERE verb = 'export_claims' ORDER BY id")
        .await;
    let event = |row: &String| {
        let parts = row.splitn(4, '|').map(str::to_owned).collect::<Vec<_>>();
        (
            parts[0].clone(),
            parts[1].clone(),
            parts[2].clone(),
            parts[3].clone(),
        )
    };
    rows.iter().map(event).collect()
}

/// A person who bought an appliance, and a person who is paid at an account.
async fn sold(app: &HttpApp) -> Vec<Value> {
    app.appropriate(YANHU, "vehicle-scrap-2026", yuan("100000.00"))
        .await;
    let appliance = app.sale(&Sale::air_conditioner().by(&Person::new())).await;
    let car = CarSale::electric("vehicle-scrap-2026", "100000.00", "2026-06-01").by(&Person::new());
    let car = app.car(&car).await;
    let sent = vec![on_the_wire(&appliance), on_the_wire(&car)];
    app.submit(appliance).await;
    app.submit(car).await;
    sent
}

fn personal(claim: &Value) -> Vec<String> {
    let paths = [
        "/applicant/name",
        "/applicant/identity_number",
        "/applicant/phone",
        "/payee/bank_account",
    ];
    let found = paths
        .iter()
        .filter_map(|path| claim.pointer(path)?.as_str().map(str::to_owned));
    found.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_masked_unless_somebody_who_may_says_why() {
    let app = busy().await;
    let sent = sold(&app).await;
    let masked = export(&app, "140802/claims/export?format=jsonl").await.text();
    let ledger = export(&app, "140800/export?format=jsonl").await.text();
    let secrets = sent.iter().flat_map(personal).collect::<Vec<_>>();
    assert_eq!(secrets.len(), 7);
    for secret in &secrets {
        assert!(!masked.contains(secret) && !ledger.contains(secret));
    }
    // As the API masks them.
    for line in masked
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
    {
        let id = line["id"].as_str().unwrap();
        let answer = app
            .get(&app.cast.auditor, &format!("/v1/claims/{id}"))
            .await
            .json();
        let claim = &answer["claim"];
        assert_eq!(line["applicant_name"], claim["applicant"]["name"]);
        assert_eq!(line["identity_number"], claim["applicant"]["identity_number"]);
        assert_eq!(line["phone"], claim["applicant"]["phone"]);
        assert_eq!(line["bank_account"], claim["payee"]["bank_account"]);
        assert_eq!(line["payee"], claim["payee"]["kind"]);
        assert_eq!(line["status"], answer["status"]);
        assert_eq!(line["amount"], answer["subsidy"]["amount"]);
        assert_eq!(line["merchant_reference"], claim["merchant_reference"]);
    }
    assert!(events(&app).await.is_empty());

    let path =
        format!("/v1/ledgers/140802/claims/export?format=jsonl&from=2026-05-01&to=2026-12-31&{REVEAL}");
    let clear = app.get(&app.cast.auditor, &path).await.expect(200).text();
    for secret in &secrets {
        assert!(clear.contains(secret));
    }
    assert_eq!(clear.lines().count(), masked.lines().count());
    let count = clear.lines().count();
    let recorded = events(&app).await;
    assert_eq!(
        recorded,
        [(
            YANHU.to_owned(),
            format!("ledger:{YANHU}"),
            app.cast.auditor.client.clone(),
            format!("{count} claims, *, 2026-05-01/2026-12-31: 专项审计"),
        )]
    );

    // Treasury reads ledgers and may not reveal; no client may without a reason. Neither leaves an
    // event, for nothing was shown.
    let reply = app.get(&app.cast.maker, &path).await;
    assert_eq!((reply.status, reply.code().as_deref()), (403, Some("forbidden")));
    let reply = app
        .get(
            &app.cast.auditor,
            "/v1/ledgers/140802/claims/export?format=csv&reveal=true",
        )
        .await;
    assert_eq!(
        (reply.status, reply.code().as_deref()),
        (422, Some("reason-required"))
    );
    let of_maker = app
        .get(&app.cast.maker, "/v1/ledgers/140802/claims/export?format=csv")
        .await;
    assert_eq!(lines(&of_maker.expect(200)).len(), count);
    assert_eq!(events(&app).await.len(), 1);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_city_leaves_an_event_in_each_county() {
    let app = busy().await;
    let reply = export(&app, &format!("140800/claims/export?format=csv&{REVEAL}")).await;
    let ids = lines(&reply)
        .into_iter()
        .map(|line| line[0].clone())
        .collect::<Vec<_>>();
    assert_eq!(ids.len(), 8);
    assert!(ids.is_sorted());
    let recorded = events(&app).await;
    let counties = recorded.iter().map(|it| it.0.clone()).collect::<BTreeSet<_>>();
    assert_eq!((recorded.len(), counties.len()), (14, 14));
    let of = |county: &str| recorded.iter().find(|it| it.0 == county).unwrap().3.clone();
    assert_eq!(of(YANHU), "7 claims, *, /: 专项审计");
    assert_eq!(of(LINYI), "1 claims, *, /: 专项审计");
    assert_eq!(of("140824"), "0 claims, *, /: 专项审计");
}

#[tokio::test(flavor = "multi_thread")]
async fn pieces_days_and_programmes() {
    let app = busy().await;
    app.clock.advance(chrono::Duration::days(40));
    sold(&app).await;
    let whole = export(&app, "140800/claims/export?format=csv").await.text();
    let kept = whole
        .match_indices('\n')
        .map(|(at, _)| at + 1)
        .skip(1)
        .collect::<Vec<_>>();
    assert_eq!(kept.len(), 10);
    for end in kept {
        let last = whole[..end].lines().last().unwrap().split(',').next().unwrap();
        let rest = export(&app, &format!("140800/claims/export?format=csv&after={last}")).await;
        assert_eq!(format!("{}{}", &whole[..end], rest.text()), whole);
    }
    let cars = export(
        &app,
        "140800/claims/export?format=csv&programme=vehicle-scrap-2026",
    )
    .await;
    assert_eq!(lines(&cars).len(), 1);
    let arrived = &lines(&cars)[0][8][..10];
    let late = export(&app, &format!("140800/claims/export?format=csv&from={arrived}")).await;
    let first = &whole.lines().nth(1).unwrap().split(',').nth(8).unwrap()[..10];
    let early = export(&app, &format!("140800/claims/export?format=csv&to={first}")).await;
    assert_eq!((lines(&late).len(), lines(&early).len()), (2, 8));
    export(
        &app,
        &format!("140802/claims/export?format=jsonl&to=2999-12-31&{REVEAL}"),
    )
    .await;
    assert!(events(&app).await[0].3.starts_with("9 claims"));
    let reads = app.get(&app.cast.auditor, "/v1/ledgers/140802/reads").await;
    let look = &reads.expect(200).json()["items"][0];
    assert_eq!(
        (&look["verb"], &look["subject"]),
        (&"export_claims".into(), &"ledger:140802".into())
    );

    // Claims that arrive after the read was recorded are not shown.
    let reveal = Reveal {
        permit: permit::<RevealClaims>(&app.cast.auditor),
        reason: Some("专项审计".into()),
    };
    let query = ClaimsExport::default();
    let auditor = permit::<ReadLedger>(&app.cast.auditor);
    let file = app
        .service
        .audit()
        .export_claims(
            &auditor,
            "140800",
            &query,
            Some(reveal),
            Format::JsonLines,
            Lang::En,
        )
        .await
        .unwrap();
    app.clock.advance(chrono::Duration::seconds(1));
    let late = app
        .submit(app.sale(&Sale::air_conditioner().in_county(LINYI)).await)
        .await
        .id;
    let text = String::from_utf8(file.try_collect::<Vec<_>>().await.unwrap().concat()).unwrap();
    assert_eq!(text.lines().count(), 10);
    assert!(!text.contains(&late.to_string()));
}
