//! Disbursements: two persons, one payment for each payee, results that repeat, contradict and
//! fail.

use claims::claim::Payee;
use claims::identifiers::BankAccount;
use claims::ids::{ClaimId, PaymentId};
use claims::life_cycle::Status;
use service::operation::access::ManageFunds;
use service::payments::{InstructionFormat, PaymentResult};
use service::{Actor, Refusal};
use testkit::{Sale, TestApp, YANHU, permit};
use uuid::Uuid;

use super::{PROGRAMME, assert_books, reasons, with_money};

/// This many approved claims of 600 yuan, each paid to its applicant: as many payments.
async fn approved(app: &TestApp, count: usize) -> Vec<ClaimId> {
    let mut claims = app.many(count, &Sale::air_conditioner()).await;
    for claim in &mut claims {
        claim.payee = to_applicant();
        // In that case the subsidy is not deducted at the till.
        claim.purchase.paid = Some(claim.purchase.invoice.total);
    }
    let claims = app.submit_batch(claims).await;
    for claim in &claims {
        app.approve(claim.id).await;
    }
    claims.into_iter().map(|claim| claim.id).collect()
}

fn to_applicant() -> Payee {
    Payee::Applicant {
        bank_account: BankAccount::parse("6222021234567890128").unwrap(),
        bank_name: "中国工商银行运城盐湖支行".into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_maker_of_a_disbursement_does_not_release_it() {
    let app = with_money(1_200).await;
    let claims = approved(&app, 2).await;
    let id = app.make_disbursement(YANHU, PROGRAMME).await.unwrap();
    assert_books(&app, [0, 0, 0, 1_200, 0, 0]).await;
    let second_credential = Actor {
        client: "treasury-9".into(),
        ..app.cast.maker.clone()
    };
    for actor in [&app.cast.maker, &second_credential] {
        let alone = permit::<ManageFunds>(actor);
        let refused = app
            .service
            .payments()
            .release_disbursement(&alone, id, None, None)
            .await
            .unwrap_err();
        assert_eq!(refused.refusal(), Some(&Refusal::FourEyes));
    }
    let checker = permit::<ManageFunds>(&app.cast.checker);
    let stale = app
        .service
        .payments()
        .release_disbursement(&checker, id, Some(7), None)
        .await
        .unwrap_err();
    assert_eq!(stale.refusal(), Some(&Refusal::Stale { current: 1 }));
    // Nothing is paid, and no instruction handed out, before a second person releases it.
    let payments = app.payments(id).await;
    let early = app.results(id, &[(&payments[0], None)]).await.unwrap_err();
    assert!(
        matches!(early.refusal(), Some(Refusal::Settled { .. })),
        "{early}"
    );
    assert!(
        app.service
            .payments()
            .instruction(&checker, id, InstructionFormat::Csv, 1)
            .await
            .is_err()
    );
    let released = app.release(id).await.unwrap();
    assert_eq!(
        (released.status.as_str(), released.claims, released.total),
        ("released", 2, super::whole(1_200))
    );
    let twice = app.release(id).await.unwrap_err();
    assert!(
        matches!(twice.refusal(), Some(Refusal::Settled { .. })),
        "{twice}"
    );
    let late = app
        .service
        .payments()
        .cancel_disbursement(&checker, id, Some("why".into()))
        .await
        .unwrap_err();
    assert!(matches!(late.refusal(), Some(Refusal::Settled { .. })), "{late}");
    assert_eq!((payments.len(), claims.len()), (2, 2));
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_disbursement_makes_its_claims_payable_again() {
    let app = with_money(1_200).await;
    let claims = approved(&app, 2).await;
    let id = app.make_disbursement(YANHU, PROGRAMME).await.unwrap();
    let checker = permit::<ManageFunds>(&app.cast.checker);
    let silent = app
        .service
        .payments()
        .cancel_disbursement(&checker, id, None)
        .await
        .unwrap_err();
    assert_eq!(silent.refusal(), Some(&Refusal::ReasonRequired));
    let cancelled = app
        .service
        .payments()
        .cancel_disbursement(&checker, id, Some("名单有误".into()))
        .await
        .unwrap();
    assert_eq!(cancelled.status.as_str(), "cancelled");
    assert_books(&app, [0, 0, 1_200, 0, 0, 0]).await;
    assert_eq!(app.state(claims[0]).await.disbursement, None);
    let twice = app
        .service
        .payments()
        .cancel_disbursement(&checker, id, Some("why".into()))
        .await
        .unwrap_err();
    assert!(
        matches!(twice.refusal(), Some(Refusal::Settled { .. })),
        "{twice}"
    );
    app.withdraw(claims[0]).await.unwrap();
    app.pay_out(YANHU, PROGRAMME).await;
    assert_books(&app, [600, 0, 0, 0, 600, 0]).await;
    let moves = [
        "reserve",
        "approve",
        "instruct",
        "cancel_instruction",
        "instruct",
        "pay",
    ];
    assert_eq!(reasons(&app, claims[1]).await, moves);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_payment_is_gathered_again() {
    let app = with_money(1_200).await;
    let claims = approved(&app, 2).await;
    let (first, payments) = app.instruct(YANHU, PROGRAMME).await;
    let results = app
        .results(first, &[(&payments[0], Some("账号不存在")), (&payments[1], None)])
        .await
        .unwrap();
    let outcomes = results
        .iter()
        .map(|result| result.as_ref().unwrap().outcome.as_str())
        .collect::<Vec<_>>();
    assert_eq!(outcomes, ["failed", "paid"]);
    assert_books(&app, [0, 0, 600, 0, 600, 0]).await;
    assert_eq!(app.state(claims[0]).await.status, Status::PaymentFailed);
    let settled = app
        .service
        .payments()
        .disbursement(&permit(&app.cast.auditor), first)
        .await
        .unwrap();
    assert_eq!(settled.status.as_str(), "settled");

    let (second, again) = app.instruct(YANHU, PROGRAMME).await;
    assert_ne!(first, second);
    assert_eq!(again.len(), 1);
    assert_eq!(app.paid_claims(again[0].id).await, [claims[0]]);
    assert_ne!(again[0].id, payments[0].id);
    // The first payment's late result does not settle the second payment.
    let late = app.results(first, &[(&payments[0], None)]).await.unwrap();
    assert_eq!(late[0].as_ref().unwrap_err(), &Refusal::ResultContradicts);
    app.results(second, &[(&again[0], None)]).await.unwrap();
    assert_books(&app, [0, 0, 0, 0, 1_200, 0]).await;
    let moves = [
        "reserve",
        "approve",
        "instruct",
        "fail_payment",
        "instruct",
        "pay",
    ];
    assert_eq!(reasons(&app, claims[0]).await, moves);
    let nothing = app.make_disbursement(YANHU, PROGRAMME).await.unwrap_err();
    assert_eq!(nothing.refusal(), Some(&Refusal::NothingPayable));
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn results_may_come_in_parts_and_repeat_but_not_contradict() {
    let app = with_money(1_800).await;
    approved(&app, 3).await;
    let (id, payments) = app.instruct(YANHU, PROGRAMME).await;
    let status = async || {
        app.service
            .payments()
            .disbursement(&permit(&app.cast.auditor), id)
            .await
            .unwrap()
            .status
    };
    app.results(id, &[(&payments[0], None)]).await.unwrap();
    assert_eq!(status().await.as_str(), "released");
    assert_books(&app, [0, 0, 0, 1_200, 600, 0]).await;

    // All in one report: a repeat, a contradiction, an unknown payment, and one payment twice with
    // two results.
    let stranger = PaymentId::new(payments[0].id.jurisdiction, Uuid::from_u128(7));
    let report = vec![
        PaymentResult::of(payments[0].id, None),
        PaymentResult::of(payments[0].id, Some("退票".into())),
        PaymentResult::of(stranger, None),
        PaymentResult::of(payments[1].id, Some("账户冻结".into())),
        PaymentResult::of(payments[1].id, Some("账户冻结".into())),
        PaymentResult::of(payments[1].id, None),
    ];
    let results = app
        .service
        .payments()
        .record_results(&permit(&app.cast.checker), id, report)
        .await
        .unwrap();
    let outcomes = results
        .iter()
        .map(|result| result.as_ref().map(|it| it.outcome.as_str()))
        .collect::<Vec<_>>();
    let contradicts = Err(&Refusal::ResultContradicts);
    let unknown = Err(&Refusal::NotFound("payment"));
    assert_eq!(
        outcomes,
        [
            Ok("paid"),
            contradicts,
            unknown,
            Ok("failed"),
            Ok("failed"),
            contradicts
        ]
    );
    assert_books(&app, [0, 0, 600, 600, 600, 0]).await;
    app.results(id, &[(&payments[2], None)]).await.unwrap();
    assert_eq!(status().await.as_str(), "settled");
    assert_books(&app, [0, 0, 600, 0, 1_200, 0]).await;
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_entered_by_one_and_approved_by_another() {
    let app = TestApp::new().await;
    let id = app.propose_money(YANHU, PROGRAMME, super::whole(600)).await;
    assert_books(&app, [0, 0, 0, 0, 0, 0]).await;
    let second_credential = Actor {
        client: "treasury-9".into(),
        ..app.cast.maker.clone()
    };
    let alone = permit::<ManageFunds>(&second_credential);
    let refused = app
        .service
        .funds()
        .check_appropriation(&alone, id, service::operation::Check::Approve, None)
        .await
        .unwrap_err();
    assert_eq!(refused.refusal(), Some(&Refusal::FourEyes));
    let checker = permit::<ManageFunds>(&app.cast.checker);
    let silent = app
        .service
        .funds()
        .check_appropriation(&checker, id, service::operation::Check::Refuse, None)
        .await
        .unwrap_err();
    assert_eq!(silent.refusal(), Some(&Refusal::ReasonRequired));
    let why = Some("文号不符".to_owned());
    let no = app
        .service
        .funds()
        .check_appropriation(&checker, id, service::operation::Check::Refuse, why)
        .await
        .unwrap();
    assert_eq!(no.status.as_str(), "refused");
    let late = app
        .service
        .funds()
        .check_appropriation(&checker, id, service::operation::Check::Approve, None)
        .await
        .unwrap_err();
    assert!(matches!(late.refusal(), Some(Refusal::Settled { .. })), "{late}");
    assert_books(&app, [0, 0, 0, 0, 0, 0]).await;
    app.audit().await;
}
