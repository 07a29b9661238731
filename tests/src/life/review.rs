//! Review and approval by two persons.

use claims::claim::Claim;
use claims::ids::ClaimId;
use claims::jurisdictions::JurisdictionCode;
use claims::life_cycle::{Status, Verb};
use service::claims::{Approval, ApprovalVerdict, ReviewVerdict};
use service::operation::access::{ApproveClaims, ReviewClaims};
use service::{Actor, Refusal, Role};
use testkit::{LINYI, Sale, TestApp, YANHU, permit, yuan};
use uuid::Uuid;

use super::{PROGRAMME, assert_books, reasons, verbs, with_money};

async fn air_conditioner(app: &TestApp) -> Claim {
    app.sale(&Sale::air_conditioner()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_straight_way_through_payment_and_back() {
    let app = with_money(10_000).await;
    let claim = app.submit(air_conditioner(&app).await).await;
    assert_eq!(
        (claim.status, claim.revision, claim.amount),
        (Status::UnderReview, 1, Some(yuan("600.00")))
    );
    assert_books(&app, [9_400, 600, 0, 0, 0, 0]).await;
    assert_eq!(app.recommend(claim.id).await.status, Status::Recommended);
    assert_books(&app, [9_400, 600, 0, 0, 0, 0]).await;
    let approved = app.decide(claim.id, ApprovalVerdict::Approve).await.unwrap();
    assert_eq!((approved.status, approved.revision), (Status::Approved, 3));
    assert_books(&app, [9_400, 0, 600, 0, 0, 0]).await;
    let (disbursement, payments) = app.instruct(YANHU, PROGRAMME).await;
    assert_eq!(app.state(claim.id).await.status, Status::InPayment);
    assert_eq!(app.state(claim.id).await.disbursement, Some(disbursement));
    assert_books(&app, [9_400, 0, 0, 600, 0, 0]).await;
    app.results(disbursement, &[(&payments[0], None)]).await.unwrap();
    assert_eq!(app.state(claim.id).await.status, Status::Paid);
    assert_books(&app, [9_400, 0, 0, 0, 600, 0]).await;
    assert_eq!(
        app.return_goods(claim.id).await.unwrap().status,
        Status::ClawbackDue
    );
    assert_books(&app, [9_400, 0, 0, 0, 0, 600]).await;
    let back = app
        .service
        .claims()
        .claw_back(&permit(&app.cast.maker), claim.id, None, Some("回单 1".into()))
        .await
        .unwrap();
    assert_eq!(back.status, Status::ClawedBack);
    assert_books(&app, [10_000, 0, 0, 0, 0, 0]).await;

    let moves = [
        "reserve",
        "approve",
        "instruct",
        "pay",
        "claw_back_due",
        "claw_back",
    ];
    assert_eq!(reasons(&app, claim.id).await, moves);
    assert_eq!(
        verbs(&app, claim.id).await,
        [
            "submit",
            "recommend",
            "approve",
            "instruct",
            "pay",
            "return",
            "claw_back"
        ]
    );
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reviewer_or_an_approver_may_say_no() {
    let app = with_money(10_000).await;
    let refused = app.submit(air_conditioner(&app).await).await;
    assert_eq!(
        app.review(refused.id, ReviewVerdict::Reject)
            .await
            .unwrap()
            .status,
        Status::Rejected
    );
    assert_books(&app, [10_000, 0, 0, 0, 0, 0]).await;
    assert_eq!(reasons(&app, refused.id).await, ["reserve", "release"]);

    let doubted = app.submit(air_conditioner(&app).await).await;
    app.recommend(doubted.id).await;
    assert_eq!(
        app.decide(doubted.id, ApprovalVerdict::Return)
            .await
            .unwrap()
            .status,
        Status::UnderReview
    );
    assert_books(&app, [9_400, 600, 0, 0, 0, 0]).await;
    app.recommend(doubted.id).await;
    assert_eq!(
        app.decide(doubted.id, ApprovalVerdict::Reject)
            .await
            .unwrap()
            .status,
        Status::Rejected
    );
    assert_books(&app, [10_000, 0, 0, 0, 0, 0]).await;
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reviewer_does_not_approve_with_another_credential_either() {
    let app = with_money(10_000).await;
    let claim = app.submit(air_conditioner(&app).await).await;
    let revision = app.recommend(claim.id).await.revision;
    let second_credential = Actor {
        client: "approver-9".into(),
        role: Role::Approver,
        ..app.cast.reviewer.clone()
    };
    let alone = permit::<ApproveClaims>(&second_credential);
    let refused = app
        .service
        .claims()
        .approve(&alone, claim.id, revision, ApprovalVerdict::Approve, None, None)
        .await;
    assert_eq!(refused.unwrap_err().refusal(), Some(&Refusal::FourEyes));
    // A claim that the approver returned and another person reviewed may be approved by its first
    // reviewer.
    app.decide(claim.id, ApprovalVerdict::Return).await.unwrap();
    let other_reviewer = Actor {
        client: "reviewer-2".into(),
        person: "冯审".into(),
        ..app.cast.reviewer.clone()
    };
    let other_reviewer = permit::<ReviewClaims>(&other_reviewer);
    let recommended = app
        .service
        .claims()
        .review(
            &other_reviewer,
            claim.id,
            revision + 1,
            ReviewVerdict::Recommend,
            None,
            None,
        )
        .await
        .unwrap();
    let approved = app
        .service
        .claims()
        .approve(
            &alone,
            claim.id,
            recommended.value.revision,
            ApprovalVerdict::Approve,
            None,
            None,
        )
        .await
        .unwrap();
    assert_eq!(approved.value.status, Status::Approved);
    // Even if the service did not check it, the database would refuse it.
    let id = claim.id.uuid;
    let forged = format!("UPDATE claims SET reviewed_by = approved_by WHERE id = '{id}'");
    let error = app.db.cluster().sql(app.db.name(), &forged).await.unwrap_err();
    assert!(error.to_string().contains("claims_four_eyes"), "{error}");
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_under_ones_hands_is_not_approved() {
    let app = with_money(10_000).await;
    let claim = app.submit(air_conditioner(&app).await).await;
    let seen = app.recommend(claim.id).await.revision;
    app.decide(claim.id, ApprovalVerdict::Return).await.unwrap();
    let now = app.recommend(claim.id).await.revision;
    let permit = permit::<ApproveClaims>(&app.cast.approver);
    let stale = app
        .service
        .claims()
        .approve(&permit, claim.id, seen, ApprovalVerdict::Approve, None, None)
        .await
        .unwrap_err();
    assert_eq!(stale.refusal(), Some(&Refusal::Stale { current: now }));
    assert_books(&app, [9_400, 600, 0, 0, 0, 0]).await;
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn verdicts_out_of_turn_are_refused() {
    let app = with_money(10_000).await;
    let claim = app.submit(air_conditioner(&app).await).await;
    let early = app.decide(claim.id, ApprovalVerdict::Approve).await.unwrap_err();
    let expected = Refusal::OutOfTurn {
        status: Status::UnderReview,
        verb: Verb::Approve,
    };
    assert_eq!(early.refusal(), Some(&expected));
    app.approve(claim.id).await;
    let late = app.review(claim.id, ReviewVerdict::Recommend).await.unwrap_err();
    let expected = Refusal::OutOfTurn {
        status: Status::Approved,
        verb: Verb::Recommend,
    };
    assert_eq!(late.refusal(), Some(&expected));
    let twice = app.decide(claim.id, ApprovalVerdict::Approve).await.unwrap_err();
    assert_eq!(
        twice.refusal(),
        Some(&Refusal::OutOfTurn {
            status: Status::Approved,
            verb: Verb::Approve
        })
    );
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_gives_its_reason() {
    let app = with_money(10_000).await;
    let claim = app.submit(air_conditioner(&app).await).await;
    let reviewer = permit::<ReviewClaims>(&app.cast.reviewer);
    for verdict in [ReviewVerdict::Return, ReviewVerdict::Reject] {
        for silence in [None, Some("  ".to_owned())] {
            let refused = app
                .service
                .claims()
                .review(&reviewer, claim.id, 1, verdict, silence, None)
                .await
                .unwrap_err();
            assert_eq!(refused.refusal(), Some(&Refusal::ReasonRequired));
        }
    }
    let revision = app.recommend(claim.id).await.revision;
    let approver = permit::<ApproveClaims>(&app.cast.approver);
    for verdict in [ApprovalVerdict::Return, ApprovalVerdict::Reject] {
        let refused = app
            .service
            .claims()
            .approve(&approver, claim.id, revision, verdict, None, None)
            .await
            .unwrap_err();
        assert_eq!(refused.refusal(), Some(&Refusal::ReasonRequired));
    }
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_approvals_each_have_their_own_result() {
    let app = with_money(10_000).await;
    let mut claims = app
        .submit_batch(app.many(4, &Sale::air_conditioner()).await)
        .await;
    for claim in &mut claims {
        *claim = app.recommend(claim.id).await;
    }
    let elsewhere = JurisdictionCode::parse(LINYI).unwrap();
    let approve = |claim: ClaimId, if_match| Approval {
        claim,
        if_match,
        verdict: ApprovalVerdict::Approve,
        reason: None,
    };
    let reject = Approval {
        verdict: ApprovalVerdict::Reject,
        ..approve(claims[3].id, 2)
    };
    let approvals = vec![
        approve(claims[0].id, 2),
        approve(claims[1].id, 1),
        approve(ClaimId::new(claims[0].id.jurisdiction, Uuid::from_u128(7)), 1),
        approve(ClaimId::new(elsewhere, claims[2].id.uuid), 2),
        approve(claims[0].id, 2),
        reject,
        approve(claims[2].id, 2),
    ];
    let own_county = Actor {
        jurisdictions: vec![YANHU.into()],
        ..app.cast.approver.clone()
    };
    let results = app
        .service
        .claims()
        .approve_many(&permit(&own_county), approvals)
        .await
        .unwrap();
    let results = results
        .iter()
        .map(|result| result.as_ref().map(|claim| claim.status))
        .collect::<Vec<_>>();
    assert_eq!(
        results,
        [
            Ok(Status::Approved),
            Err(&Refusal::Stale { current: 2 }),
            Err(&Refusal::NotFound("claim")),
            Err(&Refusal::OtherJurisdiction),
            Err(&Refusal::Stale { current: 3 }),
            Err(&Refusal::ReasonRequired),
            Ok(Status::Approved),
        ]
    );
    assert_books(&app, [7_600, 1_200, 1_200, 0, 0, 0]).await;
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_are_approved_at_once_and_no_more() {
    let app = with_money(1_000_000).await;
    let approve = |claim: ClaimId, if_match| Approval {
        claim,
        if_match,
        verdict: ApprovalVerdict::Approve,
        reason: None,
    };
    let claims = app
        .submit_batch(app.many(1_000, &Sale::air_conditioner()).await)
        .await;
    // The reviewer's work does not matter here.
    app.db
        .rows("UPDATE claims SET status = 'recommended', reviewed_by = '李审', revision = 2")
        .await;
    app.db.rows("INSERT INTO events SELECT jurisdiction, uuid_in(md5(id::text)::cstring), \
        'clm_' || jurisdiction || '_' || replace(id::text, '-', ''), 'recommend', 'reviewer-1', '李审', changed_at, 2, \
        'under_review', 'recommended', NULL, NULL, NULL, NULL FROM claims").await;
    let mut approvals = claims
        .iter()
        .map(|claim| approve(claim.id, 2))
        .collect::<Vec<_>>();
    let results = app
        .service
        .claims()
        .approve_many(&permit(&app.cast.approver), approvals.clone())
        .await
        .unwrap();
    assert!(
        results
            .iter()
            .all(|result| result.as_ref().unwrap().status == Status::Approved)
    );
    assert_books(&app, [400_000, 0, 600_000, 0, 0, 0]).await;
    approvals.push(approvals[0].clone());
    let refused = app
        .service
        .claims()
        .approve_many(&permit(&app.cast.approver), approvals)
        .await
        .unwrap_err();
    assert_eq!(
        refused.refusal(),
        Some(&Refusal::TooMany {
            what: "approvals",
            limit: 1_000
        })
    );
}
