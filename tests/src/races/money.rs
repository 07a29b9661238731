//! Two hundred claims and money for fifty: of the fund, of a cap of a category, of a month, of the
//! whole city.

use claims::life_cycle::Status;
use testkit::{LINYI, Sale, TestApp, YANHU, YUNCHENG, yuan};

use super::{alternating, assert_tally, with_status};

const PROGRAMME: &str = "appliance-2026";
/// Two hundred air conditioners at 600 yuan of subsidy each.
const CLAIMS: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn a_fund_that_fits_fifty_reserves_for_fifty() {
    let app = TestApp::new().await;
    // Fifty and almost one more.
    app.appropriate(YANHU, PROGRAMME, yuan("30599.99")).await;
    let claims = app.many(CLAIMS, &Sale::air_conditioner()).await;
    let claims = app.race(claims).await;
    assert_tally(&claims, &[("under_review", 50), ("waitlisted", 150)]);
    for waiting in with_status(&claims, Status::Waitlisted) {
        assert_eq!(waiting.waits_for.as_deref(), Some("140802/"));
    }
    let fund = app.fund(YANHU, PROGRAMME).await;
    assert_eq!(fund.balances.appropriated, yuan("30599.99"));
    assert_eq!(fund.balances.available, yuan("599.99"));
    assert_eq!(fund.balances.reserved, yuan("30000.00"));
    assert_eq!(fund.waiting, 150);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cap_on_a_category_leaves_the_others_alone() {
    let app = TestApp::new().await;
    app.appropriate(YANHU, PROGRAMME, yuan("1000000.00")).await;
    app.caps(
        YANHU,
        PROGRAMME,
        &[("category:air_conditioner", yuan("30000.00"))],
    )
    .await;
    let capped = app.many(100, &Sale::air_conditioner()).await;
    let free = Sale::appliance(PROGRAMME, "refrigerator", "4000.00", "600.00", "2026-06-01");
    let free = app.many(100, &free).await;
    let claims = app.race(alternating(capped, free)).await;
    assert_tally(&claims, &[("under_review", 150), ("waitlisted", 50)]);
    for waiting in with_status(&claims, Status::Waitlisted) {
        assert_eq!(waiting.category, "air_conditioner");
        assert_eq!(
            waiting.waits_for.as_deref(),
            Some("140802/category:air_conditioner")
        );
    }
    let fund = app.fund(YANHU, PROGRAMME).await;
    assert_eq!(fund.balances.reserved, yuan("90000.00"));
    assert_eq!(
        (fund.caps[0].committed, fund.caps[0].waiting),
        (yuan("30000.00"), 50)
    );
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cap_on_a_month_holds() {
    let app = TestApp::new().await;
    app.appropriate(YANHU, PROGRAMME, yuan("1000000.00")).await;
    app.caps(
        YANHU,
        PROGRAMME,
        &[
            ("month:2026-06", yuan("30000.00")),
            ("month:2026-07", yuan("600.00")),
        ],
    )
    .await;
    let claims = app.many(CLAIMS, &Sale::air_conditioner()).await;
    let claims = app.race(claims).await;
    assert_tally(&claims, &[("under_review", 50), ("waitlisted", 150)]);
    let fund = app.fund(YANHU, PROGRAMME).await;
    assert_eq!(fund.balances.reserved, yuan("30000.00"));
    assert_eq!(fund.waiting, 0);
    let waiting = fund
        .caps
        .iter()
        .map(|cap| (cap.scope.as_str(), cap.committed, cap.waiting))
        .collect::<Vec<_>>();
    assert_eq!(
        waiting,
        [
            ("month:2026-06", yuan("30000.00"), 150),
            ("month:2026-07", yuan("0.00"), 0)
        ]
    );
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cap_of_the_city_holds_across_two_counties() {
    let app = TestApp::new().await;
    for county in [YANHU, LINYI] {
        app.appropriate(county, PROGRAMME, yuan("1000000.00")).await;
    }
    app.caps(YUNCHENG, PROGRAMME, &[("whole", yuan("30000.00"))])
        .await;
    let one = app.many(CLAIMS / 2, &Sale::air_conditioner()).await;
    let other = app
        .many(CLAIMS / 2, &Sale::air_conditioner().in_county(LINYI))
        .await;
    let claims = app.race(alternating(one, other)).await;
    assert_tally(&claims, &[("under_review", 50), ("waitlisted", 150)]);
    for waiting in with_status(&claims, Status::Waitlisted) {
        assert_eq!(waiting.waits_for.as_deref(), Some("140800/whole"));
    }
    let mut reserved = yuan("0.00");
    for county in [YANHU, LINYI] {
        reserved = reserved
            .checked_add(app.balances(county, PROGRAMME).await.reserved)
            .unwrap();
    }
    assert_eq!(reserved, yuan("30000.00"));
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_of_two_counties_in_opposite_orders_do_not_lock_each_other_out() {
    let app = TestApp::new().await;
    for county in [YANHU, LINYI] {
        app.appropriate(county, PROGRAMME, yuan("30000.00")).await;
    }
    let one = app.many(CLAIMS / 2, &Sale::air_conditioner()).await;
    let other = app
        .many(CLAIMS / 2, &Sale::air_conditioner().in_county(LINYI))
        .await;
    let mut batches = Vec::new();
    for (index, pair) in alternating(one, other).chunks(10).enumerate() {
        let mut batch = pair.to_vec();
        if index % 2 == 1 {
            batch.reverse();
        }
        let world = app.world.clone();
        batches.push(tokio::spawn(async move { world.submit_batch(batch).await }));
    }
    let claims = futures::future::try_join_all(batches).await.unwrap().concat();
    assert_tally(&claims, &[("under_review", 100), ("waitlisted", 100)]);
    app.audit().await;
}
