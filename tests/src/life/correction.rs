//! A correction keeps the claim's place and its reservation, until its deadline.

use chrono::Duration;
use claims::claim::Claim;
use claims::life_cycle::{Status, Verb};
use service::Refusal;
use service::claims::ReviewVerdict;
use service::operation::access::SubmitClaims;
use testkit::{Sale, TestApp, YANHU, permit, yuan};

use super::{PROGRAMME, assert_books, reasons, subsidised_with, verbs, whole, with_money};

/// A claim without the amount that the consumer paid, and its complete form.
async fn incomplete(app: &TestApp, sale: &Sale) -> (Claim, Claim) {
    let whole = app.sale(sale).await;
    let mut lacking = whole.clone();
    lacking.purchase.paid = None;
    (lacking, whole)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reservation_survives_although_others_exhaust_the_money() {
    let app = with_money(1_200).await;
    let (lacking, corrected) = incomplete(&app, &Sale::air_conditioner()).await;
    let first = app.submit(lacking).await;
    assert_eq!(
        (first.status, first.amount),
        (Status::NeedsCorrection, Some(whole(600)))
    );
    assert!(first.correct_by.is_some());
    assert_books(&app, [600, 600, 0, 0, 0, 0]).await;
    let others = app
        .submit_batch(app.many(3, &Sale::air_conditioner()).await)
        .await;
    let statuses = others.iter().map(|claim| claim.status).collect::<Vec<_>>();
    assert_eq!(
        statuses,
        [Status::UnderReview, Status::Waitlisted, Status::Waitlisted]
    );

    let corrected = app.correct(first.id, corrected).await.unwrap();
    assert_eq!(
        (corrected.id, corrected.status, corrected.revision),
        (first.id, Status::UnderReview, 2)
    );
    assert_eq!(corrected.correct_by, None);
    assert_books(&app, [0, 1_200, 0, 0, 0, 0]).await;
    assert_eq!(reasons(&app, first.id).await, ["reserve"]);
    assert_eq!(verbs(&app, first.id).await, ["submit", "correct"]);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reviewer_sends_a_claim_back_and_gets_it_again() {
    let app = with_money(600).await;
    let claim = app.sale(&Sale::air_conditioner()).await;
    let state = app.submit(claim.clone()).await;
    let returned = app.review(state.id, ReviewVerdict::Return).await.unwrap();
    assert_eq!(returned.status, Status::NeedsCorrection);
    assert_eq!(
        returned.correct_by,
        Some(returned.changed_at + Duration::days(15))
    );
    assert_books(&app, [0, 600, 0, 0, 0, 0]).await;
    let again = app.correct(state.id, claim).await.unwrap();
    assert_eq!((again.status, again.revision), (Status::UnderReview, 3));
    assert_books(&app, [0, 600, 0, 0, 0, 0]).await;
    app.approve(state.id).await;
    assert_books(&app, [0, 0, 600, 0, 0, 0]).await;
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_smaller_amount_frees_goes_to_who_waits() {
    let app = with_money(1_200).await;
    let (lacking, _) = incomplete(&app, &Sale::air_conditioner().at("8000.00", "1200.00")).await;
    let big = app.submit(lacking.clone()).await;
    assert_books(&app, [0, 1_200, 0, 0, 0, 0]).await;
    let waiting = app.submit(app.sale(&Sale::air_conditioner()).await).await;
    assert_eq!(waiting.status, Status::Waitlisted);

    let mut smaller = lacking;
    smaller.purchase.final_price = yuan("4000.00");
    smaller.purchase.invoice.total = yuan("4000.00");
    smaller.purchase.paid = Some(yuan("3400.00"));
    let corrected = app.correct(big.id, smaller).await.unwrap();
    assert_eq!(
        (corrected.status, corrected.amount),
        (Status::UnderReview, Some(whole(600)))
    );
    assert_eq!(app.state(waiting.id).await.status, Status::UnderReview);
    assert_books(&app, [0, 1_200, 0, 0, 0, 0]).await;
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_larger_amount_that_does_not_fit_waits_in_its_old_place() {
    let app = with_money(1_200).await;
    let (lacking, _) = incomplete(&app, &Sale::air_conditioner()).await;
    let first = app.submit(lacking.clone()).await;
    let other = app.submit(app.sale(&subsidised_with(600)).await).await;
    let behind = app.submit(app.sale(&subsidised_with(600)).await).await;
    assert_eq!(
        (other.status, behind.status),
        (Status::UnderReview, Status::Waitlisted)
    );
    let mut larger = lacking;
    let sale = app.sale(&Sale::air_conditioner().at("8000.00", "1200.00")).await;
    larger.purchase = claims::claim::Purchase {
        invoice: claims::claim::Invoice {
            number: larger.purchase.invoice.number.clone(),
            ..sale.purchase.invoice
        },
        ..sale.purchase
    };
    larger.item = sale.item;
    let corrected = app.correct(first.id, larger).await.unwrap();
    assert_eq!(
        (corrected.status, corrected.amount),
        (Status::Waitlisted, Some(whole(1_200)))
    );
    app.audit().await;
    // Its money returns before that of later claims.
    app.appropriate(YANHU, PROGRAMME, whole(600)).await;
    assert_eq!(app.state(first.id).await.status, Status::UnderReview);
    assert_eq!(app.state(behind.id).await.status, Status::Waitlisted);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_that_lacks_something_again_keeps_the_first_deadline() {
    let app = with_money(600).await;
    let (lacking, corrected) = incomplete(&app, &Sale::air_conditioner()).await;
    let first = app.submit(lacking.clone()).await;
    app.clock.advance(Duration::days(10));
    let again = app.correct(first.id, lacking).await.unwrap();
    assert_eq!(
        (again.status, again.correct_by),
        (Status::NeedsCorrection, first.correct_by)
    );
    assert_books(&app, [0, 600, 0, 0, 0, 0]).await;
    app.clock.set(first.correct_by.unwrap());
    assert_eq!(
        app.correct(first.id, corrected).await.unwrap().status,
        Status::UnderReview
    );
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_deadline_the_claim_is_rejected_and_holds_nothing() {
    let app = with_money(600).await;
    let (lacking, corrected) = incomplete(&app, &Sale::air_conditioner()).await;
    let claim = app.submit(lacking).await;
    let waiting = app.submit(app.sale(&Sale::air_conditioner()).await).await;
    assert_eq!(waiting.status, Status::Waitlisted);

    app.clock
        .set(claim.correct_by.unwrap() + Duration::microseconds(1));
    let late = app.correct(claim.id, corrected.clone()).await.unwrap_err();
    assert!(
        matches!(
            late.refusal(),
            Some(Refusal::Settled {
                what: "correction",
                ..
            })
        ),
        "{late}"
    );
    let round = app
        .service
        .worker()
        .work(None, Some(claim.created_at))
        .await
        .unwrap();
    assert_eq!(round.expired, 1);
    assert_eq!(app.state(claim.id).await.status, Status::Rejected);
    assert_eq!(app.state(waiting.id).await.status, Status::UnderReview);
    assert_books(&app, [0, 600, 0, 0, 0, 0]).await;
    let idle = app
        .service
        .worker()
        .work(None, Some(claim.created_at))
        .await
        .unwrap();
    assert_eq!((idle.expired, idle.promoted), (0, 0));

    // Invoice, serial number, quota and entitlement are free: the same sale may be claimed again.
    app.appropriate(YANHU, PROGRAMME, whole(600)).await;
    assert_eq!(app.submit(corrected).await.status, Status::UnderReview);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_expire_a_claim_once() {
    let app = with_money(6_000).await;
    let mut claims = Vec::new();
    for _ in 0..10 {
        claims.push(
            app.submit(incomplete(&app, &Sale::air_conditioner()).await.0)
                .await,
        );
    }
    app.clock.advance(Duration::days(16));
    let workers = futures::future::join_all((0..4).map(|_| app.service.worker().work(None, None))).await;
    let expired: usize = workers.into_iter().map(|round| round.unwrap().expired).sum();
    assert_eq!(expired, 10);
    assert_books(&app, [6_000, 0, 0, 0, 0, 0]).await;
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_its_owner_corrects_a_claim_and_only_when_asked() {
    let app = with_money(6_000).await;
    let (lacking, corrected) = incomplete(&app, &Sale::air_conditioner()).await;
    let claim = app.submit(lacking).await;
    let stranger = permit::<SubmitClaims>(&app.cast.other_retailer);
    let refused = app
        .service
        .claims()
        .correct(&stranger, claim.id, None, corrected.clone(), None)
        .await
        .unwrap_err();
    assert_eq!(refused.refusal(), Some(&Refusal::NotFound("claim")));
    let stale = app
        .service
        .claims()
        .correct(
            &permit(&app.cast.retailer),
            claim.id,
            Some(9),
            corrected.clone(),
            None,
        )
        .await;
    assert_eq!(stale.unwrap_err().refusal(), Some(&Refusal::Stale { current: 1 }));
    let mut elsewhere = corrected.clone();
    elsewhere.jurisdiction = testkit::LINYI.parse().unwrap();
    let moved = app.correct(claim.id, elsewhere).await.unwrap_err();
    assert!(matches!(moved.refusal(), Some(Refusal::Invalid(_))), "{moved}");

    app.correct(claim.id, corrected.clone()).await.unwrap();
    let again = app.correct(claim.id, corrected).await.unwrap_err();
    assert_eq!(
        again.refusal(),
        Some(&Refusal::OutOfTurn {
            status: Status::UnderReview,
            verb: Verb::Correct
        })
    );
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_takes_the_new_keys_and_frees_the_old() {
    let app = with_money(6_000).await;
    let taken = app.sale(&Sale::air_conditioner()).await;
    app.submit(taken.clone()).await;
    let (lacking, corrected) = incomplete(&app, &Sale::air_conditioner()).await;
    let claim = app.submit(lacking.clone()).await;
    let mut renamed = corrected.clone();
    renamed.purchase.invoice.number = app.sale(&Sale::air_conditioner()).await.purchase.invoice.number;
    assert_eq!(
        app.correct(claim.id, renamed).await.unwrap().status,
        Status::UnderReview
    );
    // The invoice number given first is free again.
    let mut other = app.sale(&Sale::air_conditioner()).await;
    other.purchase.invoice.number = corrected.purchase.invoice.number.clone();
    assert_eq!(app.submit(other).await.status, Status::UnderReview);

    let (lacking, mut stolen) = incomplete(&app, &Sale::air_conditioner()).await;
    let claim = app.submit(lacking).await;
    stolen.purchase.invoice.number = taken.purchase.invoice.number;
    let rejected = app.correct(claim.id, stolen).await.unwrap();
    assert_eq!(rejected.status, Status::Rejected);
    assert_eq!(reasons(&app, claim.id).await, ["reserve", "release"]);
    app.audit().await;
}
