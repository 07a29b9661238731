//! Withdrawals and returns: from every status in which they are possible, with the holdings that
//! become free.

use claims::claim::Claim;
use claims::ids::ClaimId;
use claims::life_cycle::{Status, Verb};
use service::claims::{ClaimState, ReviewVerdict};
use service::operation::access::SubmitClaims;
use service::{Refusal, ServiceError};
use testkit::{CarSale, Person, Sale, TestApp, YANHU, permit};

use super::{PROGRAMME, assert_books, reasons, whole, with_money};

/// Takes a new claim to each status from which it can end before it is paid.
async fn bring_to(app: &TestApp, status: Status, claim: Claim) -> ClaimId {
    let id = app.submit(claim).await.id;
    match status {
        Status::UnderReview => {}
        Status::NeedsCorrection => {
            app.review(id, ReviewVerdict::Return).await.unwrap();
        }
        Status::Recommended => {
            app.recommend(id).await;
        }
        Status::Approved => {
            app.approve(id).await;
        }
        Status::PaymentFailed => {
            app.approve(id).await;
            let (disbursement, payments) = app.instruct(YANHU, PROGRAMME).await;
            app.results(disbursement, &[(&payments[0], Some("账号不存在"))])
                .await
                .unwrap();
        }
        other => panic!("no way to {other}"),
    }
    assert_eq!(app.state(id).await.status, status);
    id
}

const BEFORE_PAYMENT: [Status; 5] = [
    Status::UnderReview,
    Status::NeedsCorrection,
    Status::Recommended,
    Status::Approved,
    Status::PaymentFailed,
];

async fn ends_and_starts_again<F>(ended: Status, end: F)
where
    F: AsyncFn(&TestApp, ClaimId) -> Result<ClaimState, ServiceError>,
{
    let app = with_money(600).await;
    let claim = app.sale(&Sale::air_conditioner()).await;
    for status in BEFORE_PAYMENT {
        // The same invoice, serial number, person and entitlement each time: all were released.
        let id = bring_to(&app, status, claim.clone()).await;
        assert_eq!(end(&app, id).await.unwrap().status, ended);
        assert_books(&app, [600, 0, 0, 0, 0, 0]).await;
        let free = if matches!(status, Status::Approved | Status::PaymentFailed) {
            "release_payable"
        } else {
            "release"
        };
        assert_eq!(reasons(&app, id).await.last(), Some(&free));
        let twice = end(&app, id).await.unwrap_err();
        assert!(
            matches!(twice.refusal(), Some(Refusal::OutOfTurn { .. })),
            "{twice}"
        );
        app.audit().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_claim_leaves_nothing_behind() {
    ends_and_starts_again(Status::Withdrawn, async |app, id| app.withdraw(id).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn returned_goods_leave_nothing_behind_before_payment() {
    ends_and_starts_again(Status::Returned, async |app, id| app.return_goods(id).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waitlisted_claim_may_leave_too() {
    let app = with_money(100).await;
    for ended in [Status::Withdrawn, Status::Returned] {
        let claim = app.submit(app.sale(&Sale::air_conditioner()).await).await;
        assert_eq!(claim.status, Status::Waitlisted);
        let state = match ended {
            Status::Withdrawn => app.withdraw(claim.id).await.unwrap(),
            _ => app.return_goods(claim.id).await.unwrap(),
        };
        assert_eq!((state.status, state.waits_for), (ended, None));
        assert_eq!(app.fund(YANHU, PROGRAMME).await.waiting, 0);
    }
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_in_payment_neither_leaves_nor_returns() {
    let app = with_money(600).await;
    let id = app.submit(app.sale(&Sale::air_conditioner()).await).await.id;
    app.approve(id).await;
    let (disbursement, payments) = app.instruct(YANHU, PROGRAMME).await;
    let refused = app.withdraw(id).await.unwrap_err();
    assert_eq!(
        refused.refusal(),
        Some(&Refusal::OutOfTurn {
            status: Status::InPayment,
            verb: Verb::Withdraw
        })
    );
    let refused = app.return_goods(id).await.unwrap_err();
    assert_eq!(
        refused.refusal(),
        Some(&Refusal::OutOfTurn {
            status: Status::InPayment,
            verb: Verb::Return
        })
    );
    app.results(disbursement, &[(&payments[0], None)]).await.unwrap();
    let refused = app.withdraw(id).await.unwrap_err();
    assert_eq!(
        refused.refusal(),
        Some(&Refusal::OutOfTurn {
            status: Status::Paid,
            verb: Verb::Withdraw
        })
    );
    assert_books(&app, [0, 0, 0, 0, 600, 0]).await;
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_payment_everything_stays_taken_until_the_money_is_back() {
    let app = with_money(600).await;
    let claim = app.sale(&Sale::air_conditioner()).await;
    let id = app.submit(claim.clone()).await.id;
    app.approve(id).await;
    app.pay_out(YANHU, PROGRAMME).await;
    assert_eq!(app.submit(claim.clone()).await.status, Status::Rejected);
    app.return_goods(id).await.unwrap();
    assert_eq!(app.submit(claim.clone()).await.status, Status::Rejected);
    assert_books(&app, [0, 0, 0, 0, 0, 600]).await;
    let treasury = permit(&app.cast.maker);
    let silent = app
        .service
        .claims()
        .claw_back(&treasury, id, None, None)
        .await
        .unwrap_err();
    assert_eq!(silent.refusal(), Some(&Refusal::ReasonRequired));
    app.service
        .claims()
        .claw_back(&treasury, id, None, Some("回单".into()))
        .await
        .unwrap();
    let twice = app
        .service
        .claims()
        .claw_back(&treasury, id, None, Some("回单".into()))
        .await
        .unwrap_err();
    assert_eq!(
        twice.refusal(),
        Some(&Refusal::OutOfTurn {
            status: Status::ClawedBack,
            verb: Verb::ClawBack
        })
    );
    assert_eq!(app.submit(claim).await.status, Status::UnderReview);
    assert_books(&app, [0, 600, 0, 0, 0, 0]).await;
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clawed_back_money_goes_to_who_waits() {
    let app = with_money(600).await;
    let id = app.submit(app.sale(&Sale::air_conditioner()).await).await.id;
    app.approve(id).await;
    app.pay_out(YANHU, PROGRAMME).await;
    let waiting = app.submit(app.sale(&Sale::air_conditioner()).await).await;
    app.return_goods(id).await.unwrap();
    assert_eq!(app.state(waiting.id).await.status, Status::Waitlisted);
    app.service
        .claims()
        .claw_back(&permit(&app.cast.maker), id, None, Some("回单".into()))
        .await
        .unwrap();
    assert_eq!(app.state(waiting.id).await.status, Status::UnderReview);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_is_free_again_across_programmes() {
    let app = TestApp::new().await;
    for programme in ["vehicle-scrap-2026", "vehicle-replacement-2026"] {
        app.appropriate(YANHU, programme, whole(100_000)).await;
    }
    let person = Person::new();
    let scrapped = app
        .car(&CarSale::electric("vehicle-scrap-2026", "100000.00", "2026-06-01").by(&person))
        .await;
    let replaced = app
        .car(&CarSale::electric("vehicle-replacement-2026", "100000.00", "2026-06-01").by(&person))
        .await;
    let first = app.submit(scrapped).await;
    assert_eq!(first.status, Status::UnderReview);
    assert_eq!(app.submit(replaced.clone()).await.status, Status::Rejected);
    app.withdraw(first.id).await.unwrap();
    assert_eq!(app.submit(replaced).await.status, Status::UnderReview);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_merchant_s_claim_does_not_exist() {
    let app = with_money(600).await;
    let claim = app.submit(app.sale(&Sale::air_conditioner()).await).await;
    let stranger = permit::<SubmitClaims>(&app.cast.platform);
    let why = || Some("why".to_owned());
    let refused = [
        app.service
            .claims()
            .withdraw(&stranger, claim.id, None, why(), None)
            .await,
        app.service
            .claims()
            .return_goods(&stranger, claim.id, None, why(), None)
            .await,
    ];
    for refused in refused {
        assert_eq!(refused.unwrap_err().refusal(), Some(&Refusal::NotFound("claim")));
    }
    let looked = app
        .service
        .claims()
        .claim(&permit(&app.cast.platform), claim.id)
        .await
        .unwrap_err();
    assert_eq!(looked.refusal(), Some(&Refusal::NotFound("claim")));
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_meanwhile_is_not_withdrawn() {
    let app = with_money(600).await;
    let claim = app.submit(app.sale(&Sale::air_conditioner()).await).await;
    app.recommend(claim.id).await;
    let owner = permit::<SubmitClaims>(&app.cast.retailer);
    let stale = app
        .service
        .claims()
        .withdraw(&owner, claim.id, Some(1), Some("why".into()), None)
        .await
        .unwrap_err();
    assert_eq!(stale.refusal(), Some(&Refusal::Stale { current: 2 }));
    // The owner need not give a reason.
    let withdrawn = app
        .service
        .claims()
        .withdraw(&owner, claim.id, Some(2), None, None)
        .await
        .unwrap();
    assert_eq!(withdrawn.value.status, Status::Withdrawn);
    app.audit().await;
}
