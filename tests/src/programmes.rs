//! Every shipped programme: its worked examples, and claims through the whole service at and around
//! each cap.

use claims::claim::Claim;
use claims::life_cycle::Status;
use policy::Programme;
use testkit::{CarSale, Person, Sale, TestApp, YANHU, yuan};

#[test]
fn every_worked_example_comes_out_as_written() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../seeds/programmes");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let programme = Programme::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(
            path.file_stem().and_then(|stem| stem.to_str()),
            Some(programme.id())
        );
        let results = programme.run_examples();
        assert!(
            results.len() >= 5,
            "{} has {} examples",
            programme.id(),
            results.len()
        );
        for result in results {
            assert!(
                result.differences.is_empty(),
                "{}: {}: {:?}",
                programme.id(),
                result.name,
                result.differences
            );
        }
        for text in programme.texts() {
            assert!(
                !text.clause.is_empty(),
                "{}: {} cites nothing",
                programme.id(),
                text.id
            );
        }
        count += 1;
    }
    assert_eq!(count, 11);
}

/// Submits claims, each for this subsidy, and re-executes every decision.
async fn assert_amounts(app: &TestApp, programme: &str, claims: Vec<(Claim, String)>) {
    app.appropriate(YANHU, programme, yuan("10000000.00")).await;
    for (claim, subsidy) in claims {
        let price = claim.purchase.final_price;
        let state = app.submit(claim).await;
        let decision = state.decision.as_ref().unwrap();
        let failed = decision
            .rules()
            .filter(|rule| rule.outcome != policy::RuleResult::Pass);
        let failed = failed
            .map(|rule| (&rule.id, rule.outcome, &rule.missing))
            .collect::<Vec<_>>();
        assert_eq!(
            state.status,
            Status::UnderReview,
            "{programme} at {price}: {failed:?}"
        );
        assert_eq!(state.amount, Some(yuan(&subsidy)), "{programme} at {price}");
    }
}

async fn assert_goods(programme: &str, category: &str, on: &str, grade: Option<u8>, prices: &[(&str, &str)]) {
    let app = TestApp::new().await;
    let sales = prices.iter().map(|(price, subsidy)| Sale {
        grade,
        ..Sale::appliance(programme, category, price, subsidy, on)
    });
    let claims = app.sales(&sales.collect::<Vec<_>>()).await;
    let claims = claims
        .into_iter()
        .zip(prices)
        .map(|(claim, (_, subsidy))| (claim, (*subsidy).to_owned()));
    assert_amounts(&app, programme, claims.collect()).await;
    finish(&app).await;
}

async fn assert_cars(programme: &str, on: &str, electric: &[(&str, &str)], petrol: &[(&str, &str)]) {
    let app = TestApp::new().await;
    let mut claims = Vec::new();
    for (price, subsidy) in electric {
        claims.push((
            app.car(&CarSale::electric(programme, price, on)).await,
            (*subsidy).to_owned(),
        ));
    }
    for (price, subsidy) in petrol {
        claims.push((
            app.car(&CarSale::petrol(programme, price, on)).await,
            (*subsidy).to_owned(),
        ));
    }
    assert_amounts(&app, programme, claims).await;
    finish(&app).await;
}

async fn finish(app: &TestApp) {
    let again = app.service.worker().re_execute(YANHU).await.unwrap();
    assert!(
        again.decisions > 0 && again.mismatches.is_empty(),
        "{:?}",
        again.mismatches
    );
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn appliances_of_2024() {
    let grade_1 = [
        ("4000.00", "800.00"),
        ("9999.97", "1999.99"),
        ("9999.98", "2000.00"),
        ("10000.00", "2000.00"),
        ("30000.00", "2000.00"),
    ];
    assert_goods("appliance-2024", "refrigerator", "2024-11-15", Some(1), &grade_1).await;
    let grade_2 = [
        ("4000.00", "600.00"),
        ("13333.29", "1999.99"),
        ("13333.30", "2000.00"),
        ("13333.33", "2000.00"),
    ];
    assert_goods(
        "appliance-2024",
        "air_conditioner",
        "2024-11-15",
        Some(2),
        &grade_2,
    )
    .await;
    assert_goods(
        "appliance-2024",
        "heater",
        "2024-11-15",
        None,
        &[("2000.00", "300.00"), ("13333.34", "2000.00")],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn appliances_of_2025() {
    let grade_1 = [
        ("4000.00", "800.00"),
        ("9999.97", "1999.99"),
        ("10000.00", "2000.00"),
        ("10000.01", "2000.00"),
    ];
    assert_goods("appliance-2025", "dishwasher", "2025-06-01", Some(1), &grade_1).await;
    let grade_2 = [
        ("4000.00", "600.00"),
        ("13333.29", "1999.99"),
        ("13333.33", "2000.00"),
        ("13333.34", "2000.00"),
    ];
    assert_goods(
        "appliance-2025",
        "air_conditioner",
        "2025-06-01",
        Some(2),
        &grade_2,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn appliances_of_2026() {
    let grade_1 = [
        ("4000.00", "600.00"),
        ("1.10", "0.17"),
        ("9999.96", "1499.99"),
        ("9999.97", "1500.00"),
        ("10000.00", "1500.00"),
        ("10000.01", "1500.00"),
    ];
    assert_goods("appliance-2026", "computer", "2026-06-01", Some(1), &grade_1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn digital_goods() {
    let prices = [
        ("3000.00", "450.00"),
        ("3333.29", "499.99"),
        ("3333.33", "500.00"),
        ("3333.34", "500.00"),
        ("5999.00", "500.00"),
        ("6000.00", "500.00"),
    ];
    assert_goods("digital-2025", "phone", "2025-06-01", None, &prices).await;
    assert_goods("digital-2026", "smart_glasses", "2026-06-01", None, &prices).await;
    let app = TestApp::new().await;
    app.appropriate(YANHU, "digital-2026", yuan("10000.00")).await;
    let dear = Sale::digital("digital-2026", "phone", "6000.01", "500.00", "2026-06-01");
    assert_eq!(app.submit(app.sale(&dear).await).await.status, Status::Rejected);
    finish(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scrapped_cars_of_2024_and_2025() {
    let prices = |electric, petrol| {
        (
            [("80000.00", electric), ("300000.00", electric)],
            [("80000.00", petrol)],
        )
    };
    let (electric, petrol) = prices("10000.00", "7000.00");
    assert_cars("vehicle-scrap-2024a", "2024-06-01", &electric, &petrol).await;
    let (electric, petrol) = prices("20000.00", "15000.00");
    assert_cars("vehicle-scrap-2024b", "2024-08-01", &electric, &petrol).await;
    assert_cars("vehicle-scrap-2025", "2025-06-01", &electric, &petrol).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scrapped_cars_of_2026() {
    let electric = [
        ("100000.00", "12000.00"),
        ("166666.62", "19999.99"),
        ("166666.63", "20000.00"),
        ("166666.67", "20000.00"),
        ("300000.00", "20000.00"),
    ];
    let petrol = [
        ("100000.00", "10000.00"),
        ("149999.94", "14999.99"),
        ("150000.00", "15000.00"),
        ("150000.01", "15000.00"),
    ];
    assert_cars("vehicle-scrap-2026", "2026-06-01", &electric, &petrol).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replaced_cars() {
    assert_cars(
        "vehicle-replacement-2025",
        "2025-06-01",
        &[("100000.00", "15000.00")],
        &[("100000.00", "13000.00")],
    )
    .await;
    let electric = [
        ("100000.00", "8000.00"),
        ("187499.93", "14999.99"),
        ("187500.00", "15000.00"),
        ("187500.01", "15000.00"),
    ];
    let petrol = [
        ("100000.00", "6000.00"),
        ("216666.58", "12999.99"),
        ("216666.67", "13000.00"),
        ("300000.00", "13000.00"),
    ];
    assert_cars("vehicle-replacement-2026", "2026-06-01", &electric, &petrol).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_gets_one_car_a_year_and_an_electric_one_for_an_electric_one() {
    let app = TestApp::new().await;
    let programme = "vehicle-scrap-2026";
    app.appropriate(YANHU, programme, yuan("1000000.00")).await;
    let person = Person::new();
    let sale = CarSale::electric(programme, "100000.00", "2026-06-01").by(&person);
    assert_eq!(app.submit(app.car(&sale).await).await.status, Status::UnderReview);
    assert_eq!(app.submit(app.car(&sale).await).await.status, Status::Rejected);
    let backwards = CarSale {
        old_energy: claims::claim::Energy::NewEnergy,
        first_registered_on: "2018-05-01".parse().unwrap(),
        ..CarSale::petrol(programme, "100000.00", "2026-06-01")
    };
    assert_eq!(
        app.submit(app.car(&backwards).await).await.status,
        Status::Rejected
    );
    finish(&app).await;
}
