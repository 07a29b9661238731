//! What one person or one device may have once: quotas, serial numbers.

use testkit::{LINYI, Person, Sale, TestApp, YANHU, yuan};

use super::{alternating, assert_tally};

#[tokio::test(flavor = "multi_thread")]
async fn one_person_gets_one_air_conditioner_a_year() {
    let app = TestApp::new().await;
    for county in [YANHU, LINYI] {
        app.appropriate(county, "appliance-2026", yuan("1000000.00"))
            .await;
    }
    let person = Person::new();
    let sale = Sale::air_conditioner().by(&person);
    let claims = alternating(
        app.many(100, &sale).await,
        app.many(100, &sale.in_county(LINYI)).await,
    );
    let claims = app.race(claims).await;
    assert_tally(&claims, &[("under_review", 1), ("rejected", 199)]);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_gets_three_air_conditioners_in_2025() {
    let app = TestApp::new().await;
    app.appropriate(YANHU, "appliance-2025", yuan("1000000.00")).await;
    let sale = Sale::appliance(
        "appliance-2025",
        "air_conditioner",
        "4000.00",
        "800.00",
        "2025-06-01",
    );
    let claims = app.many(200, &sale.by(&Person::new())).await;
    let claims = app.race(claims).await;
    assert_tally(&claims, &[("under_review", 3), ("rejected", 197)]);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_serial_number_is_subsidised_once_in_all_counties() {
    let app = TestApp::new().await;
    for county in [YANHU, LINYI] {
        app.appropriate(county, "appliance-2026", yuan("1000000.00"))
            .await;
    }
    let sale = Sale {
        serial_number: Some("SN-THE-ONE".into()),
        ..Sale::air_conditioner()
    };
    let claims = alternating(
        app.many(50, &sale).await,
        app.many(50, &sale.clone().in_county(LINYI)).await,
    );
    let claims = app.race(claims).await;
    assert_tally(&claims, &[("under_review", 1), ("rejected", 99)]);
    let failed = |claim: &service::claims::ClaimState| {
        let rules = claim.decision.as_ref().unwrap().rules();
        rules
            .filter(|rule| rule.outcome == policy::RuleResult::Fail)
            .map(|rule| (*rule.id).to_owned())
            .collect::<Vec<_>>()
    };
    for claim in claims
        .iter()
        .filter(|claim| claim.status == claims::life_cycle::Status::Rejected)
    {
        assert_eq!(failed(claim), ["unique-serial-number"]);
    }
    app.audit().await;
}
