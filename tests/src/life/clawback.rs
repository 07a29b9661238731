//! Subsidies that are due back: demanded, repaid in parts, netted against payments, waived in
//! pairs.

use claims::clawback::{Clawback, ClawbackReason};
use claims::ids::ClaimId;
use claims::life_cycle::Status;
use claims::payments::BankStatus;
use claims::proposal::ProposalStatus;
use ledger::Fen;
use service::claims::{ClaimState, Demand, NewWaiver};
use service::operation::Check;
use service::operation::access::{DemandClawback, ManageFunds, ReadClaims};
use service::payments::{Payment, PaymentResult};
use service::{Refusal, ServiceError};
use testkit::{Sale, TestApp, YANHU, new_key, permit, yuan};

use super::payees::{of_merchant, reconciled};
use super::{PROGRAMME, assert_books, reasons, whole, with_money};

async fn demand(
    app: &TestApp,
    claim: ClaimId,
    reason: ClawbackReason,
    amount: Option<Fen>,
) -> Result<ClaimState, ServiceError> {
    let approver = permit::<DemandClawback>(&app.cast.approver);
    let demand = Demand {
        reason,
        amount,
        document: Some("运商追〔2026〕3号".into()),
    };
    let moved = app
        .service
        .claims()
        .demand_clawback(&approver, claim, None, demand, None)
        .await?;
    Ok(moved.value)
}

async fn repay(app: &TestApp, claim: ClaimId, amount: Option<Fen>) -> Result<ClaimState, ServiceError> {
    let treasury = permit::<ManageFunds>(&app.cast.maker);
    app.service
        .claims()
        .claw_back_part(&treasury, claim, None, amount, Some("回单".into()))
        .await
}

async fn sums(app: &TestApp, claim: ClaimId) -> Clawback {
    let auditor = permit::<ReadClaims>(&app.cast.auditor);
    app.service.claims().clawback(&auditor, claim).await.unwrap().sums
}

/// Repaid, netted, pending, waived and open, in whole yuan.
async fn assert_sums(app: &TestApp, claim: ClaimId, expected: [i64; 5]) {
    let it = sums(app, claim).await;
    let parts = [it.repaid, it.netted, it.pending, it.waived, it.open()];
    assert_eq!(parts, expected.map(whole));
}

/// This many claims of 600 yuan, paid to the merchant.
async fn paid(app: &TestApp, count: usize) -> Vec<ClaimId> {
    let claims = of_merchant(app, count).await;
    app.pay_out(YANHU, PROGRAMME).await;
    claims
}

async fn returned(app: &TestApp, payment: &Payment) -> Result<Payment, Refusal> {
    let back = PaymentResult {
        status: BankStatus::Returned,
        reason: Some("账户已销户".into()),
        ..PaymentResult::of(payment.id, None)
    };
    let treasury = permit::<ManageFunds>(&app.cast.maker);
    let results = app
        .service
        .payments()
        .record_results(&treasury, payment.disbursement, vec![back])
        .await;
    results.unwrap().remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_is_repaid_to_the_fen_and_leaves_the_caps() {
    let app = with_money(600).await;
    app.caps(YANHU, PROGRAMME, &[("whole", whole(600))]).await;
    let claim = paid(&app, 1).await[0];
    let more = demand(&app, claim, ClawbackReason::Fraud, Some(yuan("600.01"))).await;
    assert!(matches!(more.unwrap_err().refusal(), Some(Refusal::Invalid(_))));
    demand(&app, claim, ClawbackReason::GoodsReturned, Some(whole(300)))
        .await
        .unwrap();
    assert_books(&app, [0, 0, 0, 0, 300, 300]).await;
    repay(&app, claim, Some(yuan("99.99"))).await.unwrap();
    app.audit().await;
    let more = repay(&app, claim, Some(yuan("200.02"))).await;
    assert!(matches!(more.unwrap_err().refusal(), Some(Refusal::Invalid(_))));
    let ended = repay(&app, claim, Some(yuan("200.01"))).await.unwrap();
    assert_eq!(ended.status, Status::ClawedBack);
    assert_books(&app, [300, 0, 0, 0, 300, 0]).await;
    assert_eq!(app.fund(YANHU, PROGRAMME).await.caps[0].committed, whole(300));
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fraud_keeps_what_the_claim_held_and_a_return_frees_it() {
    let app = with_money(1_800).await;
    for (reason, again) in [
        (ClawbackReason::Fraud, Status::Rejected),
        (ClawbackReason::ScrapNotClosed, Status::Rejected),
        (ClawbackReason::InvoiceReversed, Status::UnderReview),
    ] {
        let sale = app.sale(&Sale::air_conditioner()).await;
        let id = app.submit(sale.clone()).await.id;
        app.approve(id).await;
        app.pay_out(YANHU, PROGRAMME).await;
        demand(&app, id, reason, None).await.unwrap();
        assert_eq!(repay(&app, id, None).await.unwrap().status, Status::ClawedBack);
        assert_eq!(app.submit(sale).await.status, again, "{reason}");
        app.audit().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dues_are_netted_oldest_first_over_two_disbursements() {
    let app = with_money(3_000).await;
    let owing = paid(&app, 2).await;
    demand(&app, owing[1], ClawbackReason::Fraud, None).await.unwrap();
    app.clock.advance(chrono::Duration::days(1));
    app.return_goods(owing[0]).await.unwrap();
    let next = of_merchant(&app, 1).await[0];
    let (first, payments) = app.instruct(YANHU, PROGRAMME).await;
    // Nothing is left to send: it was paid by its release.
    assert_eq!(
        (payments[0].netted, payments[0].outcome.as_str()),
        (whole(600), "paid")
    );
    assert_eq!(reconciled(&app, first).await.sent.payments, 0);
    assert_sums(&app, owing[1], [0, 600, 0, 0, 0]).await;
    assert_sums(&app, owing[0], [0, 0, 0, 0, 600]).await;
    assert_eq!(app.state(next).await.status, Status::Paid);
    app.audit().await;

    of_merchant(&app, 2).await;
    let (second, payments) = app.instruct(YANHU, PROGRAMME).await;
    assert_sums(&app, owing[0], [0, 0, 600, 0, 0]).await;
    assert_eq!(reconciled(&app, second).await.sent.amount, whole(600));
    let racing = repay(&app, owing[0], None).await;
    assert!(matches!(racing.unwrap_err().refusal(), Some(Refusal::Invalid(_))));
    app.results(second, &[(&payments[0], None)]).await.unwrap();
    assert_eq!(app.state(owing[0]).await.status, Status::ClawedBack);
    assert_eq!(reasons(&app, owing[0]).await.last(), Some(&"claw_back"));
    assert_books(&app, [1_200, 0, 0, 0, 1_800, 0]).await;
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_or_is_cancelled_is_netted_anew() {
    let app = with_money(1_800).await;
    let owing = paid(&app, 1).await[0];
    demand(&app, owing, ClawbackReason::GoodsReturned, Some(whole(200)))
        .await
        .unwrap();
    of_merchant(&app, 1).await;
    let made = app.make_disbursement(YANHU, PROGRAMME).await.unwrap();
    assert_sums(&app, owing, [0, 0, 200, 0, 0]).await;
    let checker = permit::<ManageFunds>(&app.cast.checker);
    let why = Some("名单有误".to_owned());
    app.service
        .payments()
        .cancel_disbursement(&checker, made, why)
        .await
        .unwrap();
    assert_sums(&app, owing, [0, 0, 0, 0, 200]).await;
    app.audit().await;
    let (id, payments) = app.instruct(YANHU, PROGRAMME).await;
    app.results(id, &[(&payments[0], Some("账号不存在"))])
        .await
        .unwrap();
    assert_sums(&app, owing, [0, 0, 0, 0, 200]).await;
    app.audit().await;
    app.pay_out(YANHU, PROGRAMME).await;
    assert_sums(&app, owing, [0, 200, 0, 0, 0]).await;
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_of_a_netted_payment_is_what_was_sent() {
    let app = with_money(2_400).await;
    let owing = paid(&app, 2).await;
    demand(&app, owing[0], ClawbackReason::GoodsReturned, None)
        .await
        .unwrap();
    demand(&app, owing[1], ClawbackReason::GoodsReturned, Some(whole(200)))
        .await
        .unwrap();
    let claims = of_merchant(&app, 2).await;
    let (_, payments) = app.instruct(YANHU, PROGRAMME).await;
    // Its return is reported before its payment.
    assert_eq!(
        returned(&app, &payments[0]).await.unwrap().outcome.as_str(),
        "returned"
    );
    // 800 of 1,200 were set off: one claim stays paid, of the other 400 are owed.
    assert_eq!(app.state(claims[0]).await.status, Status::Paid);
    assert_eq!(app.state(claims[1]).await.status, Status::PaymentFailed);
    assert_sums(&app, owing[1], [0, 200, 0, 0, 0]).await;
    assert_books(&app, [800, 0, 400, 0, 1_200, 0]).await;
    app.audit().await;
    let early = app.return_goods(claims[1]).await.unwrap_err();
    assert!(
        matches!(early.refusal(), Some(Refusal::OutOfTurn { .. })),
        "{early}"
    );
    let (id, again) = app.instruct(YANHU, PROGRAMME).await;
    assert_eq!(again[0].amount, whole(400));
    app.results(id, &[(&again[0], None)]).await.unwrap();
    assert_books(&app, [800, 0, 0, 0, 1_600, 0]).await;
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiver_takes_two_persons_and_stays_paid() {
    let app = with_money(600).await;
    let claim = paid(&app, 1).await[0];
    app.return_goods(claim).await.unwrap();
    repay(&app, claim, Some(whole(100))).await.unwrap();
    let maker = permit::<ManageFunds>(&app.cast.maker);
    let new = NewWaiver {
        amount: None,
        document: "运财〔2026〕18号".into(),
        reason: "企业已注销".into(),
    };
    let made = app
        .service
        .claims()
        .waive_clawback(&maker, claim, new, new_key())
        .await
        .unwrap();
    let id = made.value.id;
    assert_eq!(made.value.amount.to_string(), "500.00");
    let alone = app
        .service
        .claims()
        .check_waiver(&maker, id, Check::Approve, None)
        .await
        .unwrap_err();
    assert_eq!(alone.refusal(), Some(&Refusal::FourEyes));
    app.audit().await;
    let checker = permit::<ManageFunds>(&app.cast.checker);
    let checked = app
        .service
        .claims()
        .check_waiver(&checker, id, Check::Approve, None)
        .await
        .unwrap();
    assert_eq!(checked.status, ProposalStatus::Approved);
    assert_eq!(app.state(claim).await.status, Status::ClawedBack);
    assert_sums(&app, claim, [100, 0, 0, 500, 0]).await;
    assert_books(&app, [100, 0, 0, 0, 500, 0]).await;
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_demands_claw_back_once() {
    let app = with_money(1_200).await;
    let claim = paid(&app, 1).await[0];
    let (one, other, third) = tokio::join!(
        app.return_goods(claim),
        app.return_goods(claim),
        demand(&app, claim, ClawbackReason::GoodsReturned, None)
    );
    let won = [one, other, third].into_iter().filter(Result::is_ok).count();
    assert_eq!(won, 1);
    assert_books(&app, [600, 0, 0, 0, 0, 600]).await;
    app.audit().await;
    // A repayment races with a disbursement that would net the same due.
    of_merchant(&app, 1).await;
    let (repaid, made) = tokio::join!(repay(&app, claim, None), app.make_disbursement(YANHU, PROGRAMME));
    app.release(made.unwrap()).await.unwrap();
    let it = sums(&app, claim).await;
    let settled = it.repaid.saturating_add(it.netted);
    assert_eq!((settled, repaid.is_ok()), (whole(600), it.netted.is_zero()));
    app.audit().await;
}
