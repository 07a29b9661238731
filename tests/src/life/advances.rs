//! Advances to merchants: made in pairs, set against claims before anything is paid, repaid, and
//! never more than was advanced.

use claims::clawback::ClawbackReason;
use claims::ids::{ClaimId, DisbursementId};
use claims::life_cycle::Status;
use claims::payments::{BankStatus, PaymentOutcome};
use ledger::Fen;
use service::claims::Demand;
use service::funds::Held;
use service::operation::access::{DemandClawback, ManageFunds, ReadFunds};
use service::payments::{
    Advance, InstructionFormat, NewAdvance, Payment, PaymentResult, Repayment, Resolution,
};
use service::{Refusal, ServiceError};
use testkit::{TestApp, YANHU, new_key, permit, yuan};

use super::payees::{of_applicants, of_merchant, reconciled};
use super::{PROGRAMME, whole, with_money};

fn to(app: &TestApp, amount: Fen) -> NewAdvance {
    NewAdvance {
        jurisdiction: YANHU.into(),
        programme: PROGRAMME.into(),
        merchant: app.cast.retailer.merchant.clone().unwrap(),
        amount,
        document: "运商预〔2026〕5号".into(),
    }
}

async fn make(app: &TestApp, amount: Fen) -> Result<Advance, ServiceError> {
    let maker = permit::<ManageFunds>(&app.cast.maker);
    let made = app
        .service
        .payments()
        .make_advance(&maker, to(app, amount), new_key())
        .await?;
    Ok(made.value)
}

async fn get(app: &TestApp, advance: &Advance) -> Advance {
    let reader = permit::<ReadFunds>(&app.cast.auditor);
    app.service.payments().advance(&reader, advance.id).await.unwrap()
}

fn disbursement(advance: &Advance) -> DisbursementId {
    advance.disbursement
}

/// Releases an advance's disbursement, and returns the bank's orders.
async fn released(app: &TestApp, advance: &Advance) -> Payment {
    app.release(disbursement(advance)).await.unwrap();
    app.payments(disbursement(advance)).await.remove(0)
}

/// An advance that the merchant has.
pub(super) async fn advanced(app: &TestApp, money: i64) -> Advance {
    let advance = make(app, whole(money)).await.unwrap();
    let payment = released(app, &advance).await;
    app.results(disbursement(&advance), &[(&payment, None)])
        .await
        .unwrap();
    get(app, &advance).await
}

async fn repay(app: &TestApp, advance: &Advance, amount: Option<Fen>) -> Result<Advance, ServiceError> {
    let treasury = permit::<ManageFunds>(&app.cast.maker);
    let repayment = Repayment {
        amount,
        document: "回单20261220-0011".into(),
    };
    let repaid = app
        .service
        .payments()
        .repay_advance(&treasury, advance.id, repayment, new_key())
        .await?;
    Ok(repaid.value)
}

async fn bounced(app: &TestApp, payment: &Payment) -> Result<Payment, Refusal> {
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

/// Whole yuan available, payable, in payment, disbursed and advanced.
async fn assert_money(app: &TestApp, expected: [i64; 5]) {
    let it = app.balances(YANHU, PROGRAMME).await;
    let stands = [it.available, it.payable, it.in_payment, it.disbursed, it.advanced];
    assert_eq!(stands, expected.map(whole));
    app.audit().await;
}

/// Whole yuan set off, repaid, pending and open.
async fn assert_advance(app: &TestApp, advance: &Advance, status: &str, expected: [i64; 4]) {
    let it = get(app, advance).await;
    let stands = [it.set_off, it.repaid, it.pending, it.open];
    assert_eq!((it.status.as_str(), stands), (status, expected.map(whole)));
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_are_set_against_an_advance_first_and_the_rest_is_paid() {
    let app = with_money(3_000).await;
    let advance = advanced(&app, 1_000).await;
    assert_money(&app, [2_000, 0, 0, 0, 1_000]).await;
    let claims = of_merchant(&app, 2).await;
    let (id, payments) = app.instruct(YANHU, PROGRAMME).await;
    assert_eq!(
        (payments[0].amount, payments[0].netted),
        (whole(1_200), whole(1_000))
    );
    assert_advance(&app, &advance, "paid", [0, 0, 1_000, 0]).await;
    assert_eq!(reconciled(&app, id).await.sent.amount, whole(200));
    assert_money(&app, [800, 0, 1_200, 0, 1_000]).await;
    app.results(id, &[(&payments[0], None)]).await.unwrap();
    for claim in claims {
        assert_eq!(app.state(claim).await.status, Status::Paid);
    }
    assert_advance(&app, &advance, "used", [1_000, 0, 0, 0]).await;
    assert_money(&app, [1_800, 0, 0, 1_200, 0]).await;
    // The advance is used up: the next claims are paid.
    of_merchant(&app, 1).await;
    let (_, payments) = app.instruct(YANHU, PROGRAMME).await;
    assert_eq!(payments[0].netted, Fen::ZERO);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_advance_covers_whole_is_paid_by_its_release() {
    let app = with_money(3_000).await;
    let advance = advanced(&app, 1_000).await;
    let claim = of_merchant(&app, 1).await[0];
    of_applicants(&app, 1).await;
    let (_, payments) = app.instruct(YANHU, PROGRAMME).await;
    assert_eq!(app.state(claim).await.status, Status::Paid);
    let outcomes = payments.iter().map(|payment| payment.outcome.as_str());
    assert_eq!(outcomes.collect::<Vec<_>>(), ["paid", "open"]);
    assert_advance(&app, &advance, "paid", [600, 0, 0, 400]).await;
    assert_money(&app, [1_400, 0, 600, 600, 400]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_advance_takes_two_persons_an_admitted_merchant_and_money() {
    let app = with_money(1_000).await;
    let more = make(&app, yuan("1000.01")).await.unwrap_err();
    assert!(matches!(more.refusal(), Some(Refusal::Invalid(_))), "{more}");
    let maker = permit::<ManageFunds>(&app.cast.maker);
    let stranger = NewAdvance {
        merchant: testkit::numbers::credit_code(),
        ..to(&app, whole(1))
    };
    let unknown = app
        .service
        .payments()
        .make_advance(&maker, stranger, new_key())
        .await;
    assert!(matches!(
        unknown.unwrap_err().refusal(),
        Some(Refusal::Invalid(_))
    ));

    let key = new_key();
    let first = app
        .service
        .payments()
        .make_advance(&maker, to(&app, whole(600)), key.clone())
        .await;
    let first = first.unwrap().value;
    let again = app
        .service
        .payments()
        .make_advance(&maker, to(&app, whole(600)), key)
        .await;
    let again = again.unwrap();
    assert_eq!((again.replayed, &again.value), (true, &first));
    let alone = app
        .service
        .payments()
        .release_disbursement(&maker, disbursement(&first), None, None)
        .await
        .unwrap_err();
    assert_eq!(alone.refusal(), Some(&Refusal::FourEyes));
    // An unpaid advance cannot be used yet.
    assert!(repay(&app, &first, None).await.is_err());
    assert_money(&app, [400, 0, 600, 0, 0]).await;

    let held = Held {
        merchant: app.cast.retailer.merchant.clone(),
        ..Held::default()
    };
    let county = claims::JurisdictionCode::parse(YANHU).unwrap();
    let why = Some("核查中".to_owned());
    app.service
        .funds()
        .place_hold(&maker, county, held, why.clone(), new_key())
        .await
        .unwrap();
    let stopped = app.release(disbursement(&first)).await.unwrap_err();
    assert_eq!(stopped.refusal(), Some(&Refusal::AdvanceHeld));
    assert!(make(&app, whole(1)).await.is_err());
    let checker = permit::<ManageFunds>(&app.cast.checker);
    app.service
        .payments()
        .cancel_disbursement(&checker, disbursement(&first), why)
        .await
        .unwrap();
    assert_advance(&app, &first, "cancelled", [0, 0, 0, 0]).await;
    assert_money(&app, [1_000, 0, 0, 0, 0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_advance_that_the_bank_did_not_pay_or_gave_back_is_the_county_s() {
    let app = with_money(1_000).await;
    let failed = make(&app, whole(600)).await.unwrap();
    let payment = released(&app, &failed).await;
    app.results(disbursement(&failed), &[(&payment, Some("账号不存在"))])
        .await
        .unwrap();
    assert_advance(&app, &failed, "failed", [0, 0, 0, 0]).await;
    assert_money(&app, [1_000, 0, 0, 0, 0]).await;

    let back = advanced(&app, 700).await;
    let payment = app.payments(disbursement(&back)).await.remove(0);
    assert_eq!(
        bounced(&app, &payment).await.unwrap().outcome.as_str(),
        "returned"
    );
    assert_advance(&app, &back, "returned", [0, 0, 0, 0]).await;
    assert_money(&app, [1_000, 0, 0, 0, 0]).await;

    // The bank reports the end first: the advance was paid, and returned.
    let early = make(&app, whole(800)).await.unwrap();
    let payment = released(&app, &early).await;
    assert_eq!(
        bounced(&app, &payment).await.unwrap().outcome.as_str(),
        "returned"
    );
    assert_money(&app, [1_000, 0, 0, 0, 0]).await;

    // Claims are set against it: a return is no longer possible.
    let used = advanced(&app, 400).await;
    of_merchant(&app, 1).await;
    app.make_disbursement(YANHU, PROGRAMME).await.unwrap();
    let payment = app.payments(disbursement(&used)).await.remove(0);
    assert_eq!(bounced(&app, &payment).await, Err(Refusal::ResultContradicts));
    assert_money(&app, [0, 0, 600, 0, 400]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_advance_that_was_paid_after_all_is_the_merchant_s_again() {
    let app = with_money(1_000).await;
    let advance = make(&app, whole(600)).await.unwrap();
    let payment = released(&app, &advance).await;
    let id = disbursement(&advance);
    app.results(id, &[(&payment, Some("账号不存在"))]).await.unwrap();
    let late = app.results(id, &[(&payment, None)]).await.unwrap();
    assert_eq!(late[0], Err(Refusal::ResultContradicts));
    let reader = permit::<ReadFunds>(&app.cast.auditor);
    let waiting = app
        .service
        .payments()
        .bank_exceptions(&reader, Some(YANHU.into()), None, 50)
        .await
        .unwrap();
    let checker = permit::<ManageFunds>(&app.cast.checker);
    let why = Some("银行确认已付".to_owned());
    let apply = Resolution::Apply { payment: None };
    app.service
        .payments()
        .resolve_exception(&checker, waiting.items[0].id, apply, why)
        .await
        .unwrap();
    assert_advance(&app, &advance, "paid", [0, 0, 0, 600]).await;
    assert_money(&app, [400, 0, 0, 0, 600]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_open_again_and_advances_come_before_clawbacks() {
    let app = with_money(3_000).await;
    let owing = of_merchant(&app, 1).await[0];
    app.pay_out(YANHU, PROGRAMME).await;
    let demand = Demand {
        reason: ClawbackReason::GoodsReturned,
        amount: None,
        document: None,
    };
    let approver = permit::<DemandClawback>(&app.cast.approver);
    app.service
        .claims()
        .demand_clawback(&approver, owing, None, demand, None)
        .await
        .unwrap();
    let advance = advanced(&app, 1_000).await;
    let claims = of_merchant(&app, 2).await;
    let (id, payments) = app.instruct(YANHU, PROGRAMME).await;
    // 1,200 are payable: 1,000 are set against the advance and 200 of 600 against the clawback, so
    // that nothing is sent.
    assert_eq!(
        (payments[0].netted, payments[0].outcome.as_str()),
        (whole(1_200), "paid")
    );
    assert_eq!(reconciled(&app, id).await.sent.payments, 0);
    assert_advance(&app, &advance, "used", [1_000, 0, 0, 0]).await;
    assert_eq!(app.state(claims[0]).await.status, Status::Paid);
    app.audit().await;

    let next = advanced(&app, 100).await;
    of_merchant(&app, 1).await;
    let (id, payments) = app.instruct(YANHU, PROGRAMME).await;
    assert_eq!(payments[0].netted, whole(500));
    app.results(id, &[(&payments[0], Some("户名不符"))])
        .await
        .unwrap();
    assert_advance(&app, &next, "paid", [0, 0, 0, 100]).await;
    app.audit().await;
    app.pay_out(YANHU, PROGRAMME).await;
    assert_advance(&app, &next, "used", [100, 0, 0, 0]).await;
    assert_eq!(app.state(owing).await.status, Status::ClawedBack);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_bank_returns_of_a_payment_does_not_open_its_advance_again() {
    let app = with_money(3_000).await;
    let advance = advanced(&app, 800).await;
    let claims = of_merchant(&app, 2).await;
    let (id, payments) = app.instruct(YANHU, PROGRAMME).await;
    app.results(id, &[(&payments[0], None)]).await.unwrap();
    bounced(&app, &payments[0]).await.unwrap();
    // 600 and 200 were set off; of the second claim 400 are owed again.
    assert_eq!(app.state(claims[0]).await.status, Status::Paid);
    assert_eq!(app.state(claims[1]).await.status, Status::PaymentFailed);
    assert_advance(&app, &advance, "used", [800, 0, 0, 0]).await;
    assert_money(&app, [1_800, 400, 0, 800, 0]).await;
    app.pay_out(YANHU, PROGRAMME).await;
    assert_money(&app, [1_800, 0, 0, 1_200, 0]).await;
    // A claim that two payments paid is returned in full, each part to its source.
    app.return_goods(claims[1]).await.unwrap();
    let treasury = permit::<ManageFunds>(&app.cast.maker);
    let document = Some("回单".to_owned());
    app.service
        .claims()
        .claw_back(&treasury, claims[1], None, document)
        .await
        .unwrap();
    assert_money(&app, [2_400, 0, 0, 600, 0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_repays_what_is_open_and_no_more() {
    let app = with_money(2_000).await;
    let advance = advanced(&app, 1_000).await;
    of_merchant(&app, 1).await;
    let made = app.make_disbursement(YANHU, PROGRAMME).await.unwrap();
    let more = repay(&app, &advance, Some(yuan("400.01"))).await.unwrap_err();
    assert!(matches!(more.refusal(), Some(Refusal::Invalid(_))), "{more}");
    let part = repay(&app, &advance, Some(yuan("150.01"))).await.unwrap();
    assert_eq!((part.status.as_str(), part.open), ("paid", yuan("249.99")));
    app.audit().await;
    app.release(made).await.unwrap();
    let rest = repay(&app, &advance, None).await.unwrap();
    assert_eq!((rest.status.as_str(), rest.repaid), ("used", yuan("400.00")));
    assert!(repay(&app, &advance, None).await.is_err());
    assert_money(&app, [1_400, 0, 0, 600, 0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_disbursements_use_an_advance_once() {
    let app = with_money(6_000).await;
    let advance = advanced(&app, 1_000).await;
    of_merchant(&app, 2).await;
    let (one, other, repaid, back) = tokio::join!(
        app.make_disbursement(YANHU, PROGRAMME),
        app.make_disbursement(YANHU, PROGRAMME),
        repay(&app, &advance, Some(whole(700))),
        repay(&app, &advance, Some(whole(700))),
    );
    let made = [one, other]
        .into_iter()
        .filter_map(Result::ok)
        .collect::<Vec<_>>();
    assert_eq!(made.len(), 1, "one gathers all");
    assert!([repaid, back].into_iter().filter(Result::is_ok).count() <= 1);
    app.audit().await;
    app.release(made[0]).await.unwrap();
    for payment in app.payments(made[0]).await {
        if payment.outcome == PaymentOutcome::Open {
            app.results(made[0], &[(&payment, None)]).await.unwrap();
        }
    }
    let it = get(&app, &advance).await;
    let sums = [it.set_off, it.repaid, it.pending, it.open].map(Fen::get);
    assert_eq!(sums.iter().sum::<i64>(), whole(1_000).get());
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bank_s_file_names_the_advance() {
    let app = with_money(1_000).await;
    let retailer = app.cast.retailer.merchant.clone().unwrap();
    app.account_on_file(&retailer, "6222021234567890128").await;
    app.account_on_file(YANHU, "1405011234567890123").await;
    let advance = make(&app, whole(600)).await.unwrap();
    released(&app, &advance).await;
    let maker = permit::<ManageFunds>(&app.cast.maker);
    let file = app
        .service
        .payments()
        .instruction(&maker, disbursement(&advance), InstructionFormat::Pain001, 1)
        .await
        .unwrap();
    let text = String::from_utf8(file.bytes).unwrap();
    for part in [&advance.id.to_string(), "600.00", "预拨"] {
        assert!(text.contains(part), "{part}");
    }
    let claims: Vec<ClaimId> = app
        .paid_claims(app.payments(disbursement(&advance)).await[0].id)
        .await;
    assert_eq!(claims, []);
}
