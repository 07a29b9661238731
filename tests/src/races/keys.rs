//! The same request many times at once, and two persons who work on the same claim.

use claims::ids::AppropriationId;
use claims::life_cycle::Status;
use service::claims::{ApprovalVerdict, ReviewVerdict};
use service::funds::{NewAppropriation, Source};
use service::operation::Check;
use service::operation::access::{ApproveClaims, ManageFunds, ReviewClaims, SubmitClaims};
use service::payments::Gather;
use service::{Refusal, ServiceError};
use testkit::{Sale, TestApp, YANHU, keyed, new_key, permit, yuan};

const PROGRAMME: &str = "appliance-2026";

#[tokio::test(flavor = "multi_thread")]
async fn one_key_fifty_times_at_once_is_one_claim() {
    let app = TestApp::new().await;
    app.appropriate(YANHU, PROGRAMME, yuan("1000000.00")).await;
    let claim = app.sale(&Sale::air_conditioner()).await;
    let tasks = (0..50).map(|_| {
        let (world, claim) = (app.world.clone(), claim.clone());
        tokio::spawn(async move { world.submit_keyed("the-key", claim).await })
    });
    let answers = futures::future::try_join_all(tasks.collect::<Vec<_>>())
        .await
        .unwrap();
    let answers = answers.into_iter().map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(answers.iter().filter(|answer| answer.replayed).count(), 49);
    for answer in &answers {
        assert_eq!(answer.claim.id, answers[0].claim.id);
        assert_eq!(
            (answer.claim.status, answer.claim.revision),
            (Status::UnderReview, 1)
        );
        assert_eq!(answer.claim.amount, Some(yuan("600.00")));
        assert_eq!(
            answer.claim.decision.as_ref().unwrap().receipt,
            answers[0].claim.decision.as_ref().unwrap().receipt
        );
    }
    let other = app.sale(&Sale::air_conditioner()).await;
    let refused = app.submit_keyed("the-key", other).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(&Refusal::IdempotencyKeyReused));
    assert_eq!(app.db.row("SELECT count(*) FROM claims").await, "1");
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_with_two_requests_at_once_serves_one() {
    let app = TestApp::new().await;
    app.appropriate(YANHU, PROGRAMME, yuan("1000000.00")).await;
    let claims = app.many(20, &Sale::air_conditioner()).await;
    let tasks = claims.into_iter().map(|claim| {
        let world = app.world.clone();
        tokio::spawn(async move { world.submit_keyed("the-key", claim).await })
    });
    let answers = futures::future::try_join_all(tasks.collect::<Vec<_>>())
        .await
        .unwrap();
    let (served, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((served.len(), refused.len()), (1, 19));
    for refusal in refused {
        assert_eq!(
            refusal.unwrap_err().refusal(),
            Some(&Refusal::IdempotencyKeyReused)
        );
    }
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_twice_in_one_batch_is_one_claim() {
    let app = TestApp::new().await;
    app.appropriate(YANHU, PROGRAMME, yuan("1000000.00")).await;
    let [one, other] = app.many(2, &Sale::air_conditioner()).await.try_into().unwrap();
    let batch = vec![
        keyed("k", one.clone()),
        keyed("k", one.clone()),
        keyed("k", other),
        keyed("l", one),
    ];
    let answers = app.submit_as(&app.cast.retailer, batch.clone()).await.unwrap();
    let first = answers[0].as_ref().unwrap();
    assert!(!first.replayed);
    let second = answers[1].as_ref().unwrap();
    assert!(second.replayed && second.claim.id == first.claim.id);
    assert_eq!(answers[2].as_ref().unwrap_err(), &Refusal::IdempotencyKeyReused);
    // Another key: another claim, for an invoice that is taken.
    assert_eq!(answers[3].as_ref().unwrap().claim.status, Status::Rejected);

    let again = app.submit_as(&app.cast.retailer, batch).await.unwrap();
    for (before, now) in answers.iter().zip(&again) {
        match (before, now) {
            (Ok(before), Ok(now)) => assert!(now.replayed && now.claim.id == before.claim.id),
            (before, now) => assert_eq!(before.as_ref().unwrap_err(), now.as_ref().unwrap_err()),
        }
    }
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_racing_approvals_one_counts() {
    let app = TestApp::new().await;
    app.appropriate(YANHU, PROGRAMME, yuan("1000000.00")).await;
    for claim in app
        .submit_batch(app.many(10, &Sale::air_conditioner()).await)
        .await
    {
        let revision = app.recommend(claim.id).await.revision;
        let approve = async |actor| {
            let permit = permit::<ApproveClaims>(actor);
            app.service
                .claims()
                .approve(&permit, claim.id, revision, ApprovalVerdict::Approve, None, None)
                .await
        };
        let (one, other) = tokio::join!(approve(&app.cast.approver), approve(&app.cast.other_approver));
        let (done, refused) = if one.is_ok() { (one, other) } else { (other, one) };
        assert_eq!(done.unwrap().value.status, Status::Approved);
        assert_eq!(
            refused.unwrap_err().refusal(),
            Some(&Refusal::Stale {
                current: revision + 1
            })
        );
    }
    let balances = app.balances(YANHU, PROGRAMME).await;
    assert_eq!(
        (balances.reserved, balances.payable),
        (yuan("0.00"), yuan("6000.00"))
    );
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_racing_disbursements_gather_each_claim_once() {
    let app = TestApp::new().await;
    app.appropriate(YANHU, PROGRAMME, yuan("1000000.00")).await;
    for claim in app
        .submit_batch(app.many(10, &Sale::air_conditioner()).await)
        .await
    {
        app.approve(claim.id).await;
    }
    let make = async |actor| {
        let permit = permit::<ManageFunds>(actor);
        app.service
            .payments()
            .make_disbursement(&permit, YANHU, PROGRAMME, Gather::default(), new_key())
            .await
    };
    let (one, other) = tokio::join!(make(&app.cast.maker), make(&app.cast.checker));
    let (made, refused) = if one.is_ok() { (one, other) } else { (other, one) };
    let made = made.unwrap().value;
    assert_eq!((made.claims, made.total), (10, yuan("6000.00")));
    assert_eq!(refused.unwrap_err().refusal(), Some(&Refusal::NothingPayable));
    assert_eq!(app.balances(YANHU, PROGRAMME).await.in_payment, yuan("6000.00"));
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_is_one_disbursement_however_often_it_comes() {
    let app = TestApp::new().await;
    app.appropriate(YANHU, PROGRAMME, yuan("1000000.00")).await;
    for claim in app
        .submit_batch(app.many(3, &Sale::air_conditioner()).await)
        .await
    {
        app.approve(claim.id).await;
    }
    let (key, maker) = (new_key(), permit::<ManageFunds>(&app.cast.maker));
    let made = (0..20).map(|_| {
        app.service
            .payments()
            .make_disbursement(&maker, YANHU, PROGRAMME, Gather::default(), key.clone())
    });
    let made = futures::future::join_all(made).await;
    let made = made
        .into_iter()
        .map(|answer| answer.map_err(|error| error.to_string()))
        .collect::<Result<Vec<_>, _>>();
    let made = made.unwrap();
    assert_eq!(made.iter().filter(|answer| !answer.replayed).count(), 1);
    assert!(made.iter().all(|answer| answer.value == made[0].value));
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_is_one_appropriation_however_often_it_comes() {
    let app = TestApp::new().await;
    let (key, maker) = (new_key(), permit::<ManageFunds>(&app.cast.maker));
    let new = NewAppropriation {
        programme: PROGRAMME.into(),
        jurisdiction: YANHU.into(),
        source: Source::City,
        amount: yuan("1000.00"),
        document: "运财〔2026〕7号".into(),
    };
    let made = (0..20).map(|_| app.service.funds().appropriate(&maker, new.clone(), key.clone()));
    let made = futures::future::join_all(made).await;
    let made = made
        .into_iter()
        .map(|answer| answer.map_err(|error| error.to_string()))
        .collect::<Result<Vec<_>, _>>();
    let made = made.unwrap();
    assert_eq!(made.iter().filter(|answer| !answer.replayed).count(), 1);
    assert!(made.iter().all(|answer| answer.value == made[0].value));
    let again = app
        .service
        .funds()
        .appropriate(&maker, new, new_key())
        .await
        .unwrap_err();
    assert_eq!(again.refusal(), Some(&Refusal::DocumentUsed));
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_is_one_move_however_often_it_comes() {
    let app = TestApp::new().await;
    app.appropriate(YANHU, PROGRAMME, yuan("1000000.00")).await;
    let claim = app.submit(app.sale(&Sale::air_conditioner()).await).await;
    let (key, reviewer) = (new_key(), permit::<ReviewClaims>(&app.cast.reviewer));
    let verdicts = (0..10).map(|_| {
        app.service.claims().review(
            &reviewer,
            claim.id,
            1,
            ReviewVerdict::Recommend,
            None,
            Some(key.clone()),
        )
    });
    let verdicts = futures::future::join_all(verdicts)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect::<Vec<_>>();
    assert_eq!(verdicts.iter().filter(|verdict| !verdict.replayed).count(), 1);
    assert!(
        verdicts
            .iter()
            .all(|verdict| (verdict.value.status, verdict.value.revision) == (Status::Recommended, 2))
    );

    let (key, owner) = (new_key(), permit::<SubmitClaims>(&app.cast.retailer));
    let why = || Some("顾客改变主意".to_owned());
    let withdrawals = (0..10).map(|_| {
        app.service
            .claims()
            .withdraw(&owner, claim.id, Some(2), why(), Some(key.clone()))
    });
    let withdrawals = futures::future::join_all(withdrawals)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect::<Vec<_>>();
    assert_eq!(
        withdrawals
            .iter()
            .filter(|withdrawal| !withdrawal.replayed)
            .count(),
        1
    );
    assert!(
        withdrawals
            .iter()
            .all(|withdrawal| withdrawal.value.status == Status::Withdrawn)
    );
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_appropriation_approved_twice_at_once_is_money_once() {
    let app = TestApp::new().await;
    let id: AppropriationId = app.propose_money(YANHU, PROGRAMME, yuan("1000.00")).await;
    let checker = permit::<ManageFunds>(&app.cast.checker);
    let approvals = (0..10).map(|_| {
        app.service
            .funds()
            .check_appropriation(&checker, id, Check::Approve, None)
    });
    let approvals = futures::future::join_all(approvals).await;
    assert_eq!(approvals.iter().filter(|answer| answer.is_ok()).count(), 1);
    for refused in approvals.into_iter().filter_map(Result::err) {
        assert!(
            matches!(refused, ServiceError::Refused(Refusal::Settled { .. })),
            "{refused}"
        );
    }
    assert_eq!(app.balances(YANHU, PROGRAMME).await.appropriated, yuan("1000.00"));
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_reported_twice_at_once_is_paid_once() {
    let app = TestApp::new().await;
    app.appropriate(YANHU, PROGRAMME, yuan("1000000.00")).await;
    for claim in app
        .submit_batch(app.many(5, &Sale::air_conditioner()).await)
        .await
    {
        app.approve(claim.id).await;
    }
    let (id, payments) = app.instruct(YANHU, PROGRAMME).await;
    let paid = payments.iter().map(|payment| (payment, None)).collect::<Vec<_>>();
    let reports = futures::future::join_all((0..8).map(|_| app.results(id, &paid))).await;
    for report in reports {
        assert!(
            report
                .unwrap()
                .iter()
                .all(|result| result.as_ref().unwrap().outcome.as_str() == "paid")
        );
    }
    assert_eq!(app.balances(YANHU, PROGRAMME).await.disbursed, yuan("3000.00"));
    app.audit().await;
}
