//! The waitlist: claims are served in order when money returns, and none is overtaken.

use claims::life_cycle::Status;
use service::claims::ClaimState;
use testkit::{LINYI, Sale, TestApp, YANHU, YUNCHENG, yuan};

use super::{PROGRAMME, assert_books, reasons, subsidised_with, whole, with_money};

/// Submits sales with these subsidies, one after another.
async fn submit(app: &TestApp, subsidies: &[i64]) -> Vec<ClaimState> {
    let sales = subsidies
        .iter()
        .map(|subsidy| subsidised_with(*subsidy))
        .collect::<Vec<_>>();
    let mut states = Vec::new();
    for claim in app.sales(&sales).await {
        states.push(app.submit(claim).await);
    }
    states
}

async fn assert_statuses(app: &TestApp, claims: &[ClaimState], expected: &[Status]) {
    let mut statuses = Vec::new();
    for claim in claims {
        statuses.push(app.state(claim.id).await.status);
    }
    assert_eq!(statuses, expected);
}

use Status::{Rejected, UnderReview, Waitlisted, Withdrawn};

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_lets_the_first_in_line_move_up() {
    let app = with_money(600).await;
    let claims = submit(&app, &[600, 600, 600]).await;
    assert_statuses(&app, &claims, &[UnderReview, Waitlisted, Waitlisted]).await;
    app.withdraw(claims[0].id).await.unwrap();
    assert_statuses(&app, &claims, &[Withdrawn, UnderReview, Waitlisted]).await;
    assert_books(&app, [0, 600, 0, 0, 0, 0]).await;
    assert_eq!(reasons(&app, claims[1].id).await, ["reserve"]);
    let promoted = app.state(claims[1].id).await;
    assert_eq!((promoted.revision, promoted.waits_for), (2, None));
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_by_the_reviewer_does_so_too() {
    let app = with_money(600).await;
    let claims = submit(&app, &[600, 600]).await;
    app.review(claims[0].id, service::claims::ReviewVerdict::Reject)
        .await
        .unwrap();
    assert_statuses(&app, &claims, &[Rejected, UnderReview]).await;
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn appropriated_money_goes_down_the_line() {
    let app = with_money(600).await;
    let claims = submit(&app, &[600, 900, 600, 600]).await;
    app.appropriate(YANHU, PROGRAMME, whole(1_600)).await;
    assert_statuses(
        &app,
        &claims,
        &[UnderReview, UnderReview, UnderReview, Waitlisted],
    )
    .await;
    assert_books(&app, [100, 2_100, 0, 0, 0, 0]).await;
    assert_eq!(app.fund(YANHU, PROGRAMME).await.waiting, 1);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_claim_does_not_overtake_a_large_one() {
    let app = with_money(1_000).await;
    let claims = submit(&app, &[300, 900, 300, 300]).await;
    assert_statuses(&app, &claims, &[UnderReview, Waitlisted, Waitlisted, Waitlisted]).await;
    assert_books(&app, [700, 300, 0, 0, 0, 0]).await;
    // Money that does not suffice for the first in line serves no claim behind it.
    app.appropriate(YANHU, PROGRAMME, whole(100)).await;
    assert_statuses(&app, &claims, &[UnderReview, Waitlisted, Waitlisted, Waitlisted]).await;
    app.appropriate(YANHU, PROGRAMME, whole(100)).await;
    assert_statuses(&app, &claims, &[UnderReview, UnderReview, Waitlisted, Waitlisted]).await;
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_first_in_line_leaves_those_behind_it_move_up() {
    let app = with_money(1_000).await;
    let claims = submit(&app, &[300, 900, 300, 300]).await;
    app.withdraw(claims[1].id).await.unwrap();
    assert_statuses(&app, &claims, &[UnderReview, Withdrawn, UnderReview, UnderReview]).await;
    assert_books(&app, [100, 900, 0, 0, 0, 0]).await;
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_month_opens_its_slice() {
    let app = with_money(100_000).await;
    app.caps(
        YANHU,
        PROGRAMME,
        &[("month:2026-06", whole(600)), ("month:2026-07", whole(1_200))],
    )
    .await;
    let claims = submit(&app, &[600, 600, 600, 600]).await;
    assert_statuses(&app, &claims, &[UnderReview, Waitlisted, Waitlisted, Waitlisted]).await;
    let june = claims[0].created_at;
    // The month turns in Asia/Shanghai.
    app.clock.set("2026-06-30T15:59:59Z".parse().unwrap());
    assert_eq!(
        app.service
            .worker()
            .work(None, Some(june))
            .await
            .unwrap()
            .promoted,
        0
    );
    app.clock.set("2026-06-30T16:00:00Z".parse().unwrap());
    assert_eq!(
        app.service
            .worker()
            .work(None, Some(june))
            .await
            .unwrap()
            .promoted,
        2
    );
    assert_statuses(
        &app,
        &claims,
        &[UnderReview, UnderReview, UnderReview, Waitlisted],
    )
    .await;
    let committed = app
        .fund(YANHU, PROGRAMME)
        .await
        .caps
        .iter()
        .map(|cap| cap.committed)
        .collect::<Vec<_>>();
    assert_eq!(committed, [whole(600), whole(1_200)]);
    // Money that June's claims release in July counts in June: it serves no claim of July.
    app.withdraw(claims[0].id).await.unwrap();
    assert_eq!(app.state(claims[3].id).await.status, Waitlisted);
    app.withdraw(claims[1].id).await.unwrap();
    assert_eq!(app.state(claims[3].id).await.status, UnderReview);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_city_s_cap_is_one_line_through_all_counties() {
    let app = with_money(100_000).await;
    app.appropriate(LINYI, PROGRAMME, whole(100_000)).await;
    app.caps(YUNCHENG, PROGRAMME, &[("whole", whole(600))]).await;
    let mut claims = Vec::new();
    for county in [YANHU, LINYI, YANHU, LINYI] {
        claims.push(
            app.submit(app.sale(&Sale::air_conditioner().in_county(county)).await)
                .await,
        );
    }
    assert_statuses(&app, &claims, &[UnderReview, Waitlisted, Waitlisted, Waitlisted]).await;
    for (leaves, moves_up) in [(0, 1), (1, 2), (2, 3)] {
        app.withdraw(claims[leaves].id).await.unwrap();
        assert_eq!(app.state(claims[moves_up].id).await.status, UnderReview);
    }
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_higher_cap_or_none_lets_in_who_waited_for_it() {
    let app = with_money(1_800).await;
    app.caps(
        YANHU,
        PROGRAMME,
        &[("whole", whole(600)), ("category:air_conditioner", whole(600))],
    )
    .await;
    let claims = submit(&app, &[600, 600, 600, 600]).await;
    assert_statuses(&app, &claims, &[UnderReview, Waitlisted, Waitlisted, Waitlisted]).await;
    // The other cap still lacks the money.
    app.caps(
        YANHU,
        PROGRAMME,
        &[
            ("whole", whole(6_000)),
            ("category:air_conditioner", whole(1_200)),
        ],
    )
    .await;
    assert_statuses(&app, &claims, &[UnderReview, UnderReview, Waitlisted, Waitlisted]).await;
    app.audit().await;
    app.caps(YANHU, PROGRAMME, &[]).await;
    assert_statuses(
        &app,
        &claims,
        &[UnderReview, UnderReview, UnderReview, Waitlisted],
    )
    .await;
    // The last one now lacks the fund's money.
    assert_eq!(
        app.state(claims[3].id).await.waits_for.as_deref(),
        Some("140802/")
    );
    app.audit().await;
    app.caps(YANHU, PROGRAMME, &[("whole", whole(1_800))]).await;
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_a_category_does_not_hold_up_another() {
    let app = with_money(100_000).await;
    app.caps(YANHU, PROGRAMME, &[("category:air_conditioner", whole(600))])
        .await;
    let claims = submit(&app, &[600, 600]).await;
    assert_statuses(&app, &claims, &[UnderReview, Waitlisted]).await;
    let other = Sale::appliance(PROGRAMME, "television", "4000.00", "600.00", "2026-06-01");
    assert_eq!(app.submit(app.sale(&other).await).await.status, UnderReview);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unanswered_call_is_answered_by_the_worker() {
    let app = with_money(600).await;
    let claims = submit(&app, &[600, 600]).await;
    // As if the process died between the commit that freed the money and the promotion.
    let refuse = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$; \
        CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW WHEN (NEW.verb = 'promote') EXECUTE FUNCTION refuse()";
    app.db.rows(refuse).await;
    app.withdraw(claims[0].id).await.unwrap();
    assert_statuses(&app, &claims, &[Withdrawn, Waitlisted]).await;
    assert_eq!(app.db.row("SELECT count(*) FROM waitlist_calls").await, "1");
    app.db.rows("DROP TRIGGER refuse ON events").await;
    app.service
        .worker()
        .work(None, Some(claims[0].created_at))
        .await
        .unwrap();
    assert_statuses(&app, &claims, &[Withdrawn, UnderReview]).await;
    assert_eq!(app.db.row("SELECT count(*) FROM waitlist_calls").await, "0");
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawals_at_once_promote_as_many_and_no_more() {
    let app = with_money(12_000).await;
    let sales = vec![Sale::air_conditioner(); 40];
    let claims = app.submit_batch(app.sales(&sales).await).await;
    assert_eq!(
        claims.iter().filter(|claim| claim.status == UnderReview).count(),
        20
    );
    let leave = claims.iter().take(20).map(|claim| app.withdraw(claim.id));
    for left in futures::future::join_all(leave).await {
        assert_eq!(left.unwrap().status, Withdrawn);
    }
    let expected = [vec![Withdrawn; 20], vec![UnderReview; 20]].concat();
    assert_statuses(&app, &claims, &expected).await;
    assert_eq!(app.balances(YANHU, PROGRAMME).await.reserved, yuan("12000.00"));
    app.audit().await;
}
