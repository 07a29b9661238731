//! Ceilings over what may be committed: set in pairs, nested, never below what is committed.

use claims::life_cycle::Status;
use service::operation::Check;
use service::operation::access::ManageFunds;
use service::{Actor, Refusal};
use testkit::{LINYI, Sale, TestApp, YANHU, YUNCHENG, permit};

use super::{PROGRAMME, whole, with_money};

#[tokio::test(flavor = "multi_thread")]
async fn a_cap_below_what_is_committed_is_refused_and_changes_nothing() {
    let app = with_money(10_000).await;
    app.caps(YANHU, PROGRAMME, &[("whole", whole(5_000))]).await;
    app.submit_batch(app.many(3, &Sale::air_conditioner()).await)
        .await;
    for scope in ["whole", "category:air_conditioner", "month:2026-06"] {
        let refused = app
            .try_caps(YANHU, PROGRAMME, &[(scope, whole(1_799))])
            .await
            .unwrap_err();
        let expected = Refusal::CapBelowCommitted {
            scope: scope.into(),
            committed: whole(1_800),
        };
        assert_eq!(refused.refusal(), Some(&expected));
        // The city's caps count this county's claims as well.
        let refused = app
            .try_caps(YUNCHENG, PROGRAMME, &[(scope, whole(1_799))])
            .await
            .unwrap_err();
        assert_eq!(refused.refusal(), Some(&expected));
    }
    let caps = app.fund(YANHU, PROGRAMME).await.caps;
    assert_eq!(
        caps.iter()
            .map(|cap| (cap.scope.as_str(), cap.ceiling))
            .collect::<Vec<_>>(),
        [("whole", whole(5_000))]
    );
    app.caps(
        YANHU,
        PROGRAMME,
        &[("whole", whole(1_800)), ("month:2026-07", whole(0))],
    )
    .await;
    assert_eq!(
        app.submit(app.sale(&Sale::air_conditioner()).await).await.status,
        Status::Waitlisted
    );
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn caps_are_proposed_by_one_and_approved_by_another() {
    let app = with_money(10_000).await;
    let maker = permit::<ManageFunds>(&app.cast.maker);
    let propose = async |caps: Vec<(String, ledger::Fen)>| {
        app.service
            .funds()
            .propose_caps(&maker, PROGRAMME, YANHU, caps, "运财〔2026〕2号")
            .await
    };
    let made = propose(vec![("whole".into(), whole(600))]).await.unwrap();
    let id = made.id;
    assert!(app.fund(YANHU, PROGRAMME).await.caps.is_empty());
    let second_credential = Actor {
        client: "treasury-9".into(),
        ..app.cast.maker.clone()
    };
    let alone = permit::<ManageFunds>(&second_credential);
    let refused = app
        .service
        .funds()
        .check_caps(&alone, id, Check::Approve, None)
        .await
        .unwrap_err();
    assert_eq!(refused.refusal(), Some(&Refusal::FourEyes));
    let checker = permit::<ManageFunds>(&app.cast.checker);
    let silent = app
        .service
        .funds()
        .check_caps(&checker, id, Check::Refuse, None)
        .await
        .unwrap_err();
    assert_eq!(silent.refusal(), Some(&Refusal::ReasonRequired));
    let approvals = futures::future::join_all(
        (0..5).map(|_| app.service.funds().check_caps(&checker, id, Check::Approve, None)),
    )
    .await;
    assert_eq!(approvals.iter().filter(|approval| approval.is_ok()).count(), 1);
    assert_eq!(app.fund(YANHU, PROGRAMME).await.caps.len(), 1);

    for (caps, code) in [
        (vec![("county", 1)], "cap.scope"),
        (vec![("month:2026-13", 1)], "cap.scope"),
        (vec![("whole", 1), ("whole", 2)], "cap.repeated"),
    ] {
        let caps = caps
            .into_iter()
            .map(|(scope, money)| (scope.to_owned(), whole(money)))
            .collect();
        let refused = propose(caps).await.unwrap_err();
        let Some(Refusal::Invalid(errors)) = refused.refusal() else {
            panic!("{refused}")
        };
        assert_eq!(errors[0].code, code);
    }
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cap_on_the_way_has_to_have_room() {
    let app = TestApp::new().await;
    for county in [YANHU, LINYI] {
        app.appropriate(county, PROGRAMME, whole(100_000)).await;
    }
    app.caps(
        YUNCHENG,
        PROGRAMME,
        &[
            ("whole", whole(3_000)),
            ("category:air_conditioner", whole(1_800)),
        ],
    )
    .await;
    app.caps(
        YANHU,
        PROGRAMME,
        &[("whole", whole(1_200)), ("month:2026-06", whole(6_000))],
    )
    .await;
    let television = Sale::appliance(PROGRAMME, "television", "4000.00", "600.00", "2026-06-01");
    let sales = [
        (Sale::air_conditioner(), None),
        (Sale::air_conditioner(), None),
        // The county's own cap.
        (Sale::air_conditioner(), Some("140802/whole")),
        (Sale::air_conditioner().in_county(LINYI), None),
        // The city's cap on air conditioners.
        (
            Sale::air_conditioner().in_county(LINYI),
            Some("140800/category:air_conditioner"),
        ),
        (television.clone().in_county(LINYI), None),
        (television.clone().in_county(LINYI), None),
        // The city's cap on everything.
        (television.in_county(LINYI), Some("140800/whole")),
    ];
    for (sale, waits_for) in sales {
        let claim = app.submit(app.sale(&sale).await).await;
        assert_eq!(claim.waits_for.as_deref(), waits_for, "{sale:?}");
    }
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cap_counts_a_claim_until_it_holds_nothing() {
    let app = with_money(100_000).await;
    app.caps(
        YANHU,
        PROGRAMME,
        &[
            ("whole", whole(600)),
            ("category:air_conditioner", whole(600)),
            ("month:2026-06", whole(600)),
        ],
    )
    .await;
    let committed = async || {
        let caps = app.fund(YANHU, PROGRAMME).await.caps;
        caps.iter().map(|cap| cap.committed).collect::<Vec<_>>()
    };
    let claim = app.submit(app.sale(&Sale::air_conditioner()).await).await;
    app.approve(claim.id).await;
    app.clock.set("2026-07-15T02:00:00Z".parse().unwrap());
    app.pay_out(YANHU, PROGRAMME).await;
    app.return_goods(claim.id).await.unwrap();
    assert_eq!(committed().await, [whole(600); 3]);
    app.service
        .claims()
        .claw_back(&permit(&app.cast.maker), claim.id, None, Some("回单".into()))
        .await
        .unwrap();
    // In the month of its commitment, too.
    assert_eq!(committed().await, [whole(0); 3]);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_waits_for_a_lifted_cap_waits_for_the_fund() {
    let app = with_money(600).await;
    app.caps(YANHU, PROGRAMME, &[("whole", whole(0))]).await;
    // More claims than one part serves: serving ends with the part in which the money is used up.
    app.submit_batch(app.many(502, &Sale::air_conditioner()).await)
        .await;
    let waits = async || {
        let waits = "SELECT waits_for, count(*) FROM claims WHERE waits_for IS NOT NULL GROUP BY waits_for";
        app.db.rows(waits).await
    };
    assert_eq!(waits().await, ["140802/whole|502"]);
    app.caps(YANHU, PROGRAMME, &[]).await;
    assert_eq!(waits().await, ["140802/|501"]);
    assert_eq!(app.fund(YANHU, PROGRAMME).await.waiting, 501);
    app.audit().await;
}
