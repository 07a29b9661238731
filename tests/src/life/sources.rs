//! The sources of a payment: shared to the fen over any payments, others paying for a source
//! without money, and returns to their source.

use claims::claim::Payee;
use claims::identifiers::BankAccount;
use claims::ids::ClaimId;
use claims::life_cycle::Status;
use claims::payments::BankStatus;
use ledger::{BySource, Fen, Source};
use service::operation::access::{ManageFunds, ReadFunds};
use service::payments::{Payment, PaymentResult, Resolution};
use service::ports::Clock;
use testkit::{Sale, TestApp, YANHU, permit};

use super::payees::{of_applicants, of_merchant};
use super::{PROGRAMME, assert_books, whole};

/// A fund of Yanhu with money of these sources, in whole yuan.
async fn with_sources(grants: &[(Source, i64)]) -> TestApp {
    let app = TestApp::new().await;
    for (source, money) in grants {
        app.appropriate_of(*source, YANHU, PROGRAMME, whole(*money)).await;
    }
    app
}

/// A sum of each source, in fen.
async fn fen_of(app: &TestApp, value: fn(&service::funds::SourceBalance) -> Fen) -> [i64; 4] {
    let sources = app.sources(YANHU, PROGRAMME).await;
    let of = |source| sources.iter().find(|it| it.source == source).map(value);
    Source::ALL.map(|source| of(source).unwrap().get())
}

async fn assert_spent(app: &TestApp, yuan: [i64; 4]) {
    assert_eq!(fen_of(app, |it| it.spent).await, yuan.map(|it| it * 100));
}

async fn assert_in_payment(app: &TestApp, yuan: [i64; 4]) {
    assert_eq!(fen_of(app, |it| it.in_payment).await, yuan.map(|it| it * 100));
}

fn parts(payment: &Payment) -> [i64; 4] {
    Source::ALL.map(|source| payment.parts.get(source).get())
}

fn yuan_of(payment: &Payment) -> [i64; 4] {
    parts(payment).map(|fen| fen / 100)
}

/// Approved claims of odd sums, each of a buyer of its own.
async fn of_odd_sums(app: &TestApp, prices: &[i64]) -> Vec<ClaimId> {
    let mut claims = Vec::new();
    for price in prices {
        let sale = Sale {
            price: Fen::new(*price).unwrap(),
            // 15 %, half up to the fen.
            subsidy: Fen::new((price * 15 + 50) / 100).unwrap(),
            ..Sale::air_conditioner()
        };
        let mut claim = app.sale(&sale).await;
        claim.payee = Payee::Applicant {
            bank_account: BankAccount::parse("6222021234567890128").unwrap(),
            bank_name: "中国工商银行运城盐湖支行".into(),
        };
        claim.purchase.paid = Some(claim.purchase.invoice.total);
        claims.push(claim);
    }
    let claims = app.submit_batch(claims).await;
    for claim in &claims {
        app.approve(claim.id).await;
    }
    claims.into_iter().map(|claim| claim.id).collect()
}

fn returned(payment: &Payment) -> PaymentResult {
    PaymentResult {
        status: BankStatus::Returned,
        reason: Some("账户已销户".into()),
        ..PaymentResult::of(payment.id, None)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_prefix_of_payments_is_shared_nine_to_one() {
    let app = with_sources(&[(Source::Central, 90_000), (Source::County, 10_000)]).await;
    let (mut paid, mut given) = (0, BySource::<i64>::default());
    for round in 0..4_i64 {
        let prices: Vec<i64> = (0..5).map(|n| 100_001 + 37 * (5 * round + n)).collect();
        of_odd_sums(&app, &prices).await;
        let (id, payments) = app.instruct(YANHU, PROGRAMME).await;
        for payment in &payments {
            assert_eq!(parts(payment).iter().sum::<i64>(), payment.amount.get());
            paid += payment.amount.get();
            for source in Source::ALL {
                *given.get_mut(source) += payment.parts.get(source).get();
            }
            let [central, county] = [given.central * 10 - paid * 9, given.county * 10 - paid];
            assert!(central.abs() <= 5 && county.abs() <= 5, "half a fen off at most");
        }
        assert_eq!(payments.len(), 5);
        let results = payments.iter().map(|payment| (payment, None)).collect::<Vec<_>>();
        app.results(id, &results).await.unwrap();
        app.audit().await;
    }
    let spent = fen_of(&app, |it| it.spent).await;
    assert_eq!(spent, [given.central, 0, 0, given.county]);
    assert_eq!(fen_of(&app, |it| it.in_payment).await, [0; 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_quota_is_local() {
    let grants = [
        (Source::Central, 1_000),
        (Source::City, 300),
        (Source::County, 1_100),
    ];
    let app = with_sources(&grants).await;
    of_applicants(&app, 4).await;
    let (_, payments) = app.instruct(YANHU, PROGRAMME).await;
    let shared = payments.iter().map(yuan_of).collect::<Vec<_>>();
    let expected = [
        [540, 0, 0, 60],
        // Central gives what it has; the programme's local source is the county.
        [460, 0, 0, 140],
        [0, 0, 0, 600],
        // The county is short, too: any local source that still has money pays.
        [0, 0, 300, 300],
    ];
    assert_eq!(shared, expected);
    assert_eq!(fen_of(&app, |it| it.left).await, [0; 4]);
    app.audit().await;

    // Central does not owe what it could not give: new money is shared as before.
    app.appropriate_of(Source::Central, YANHU, PROGRAMME, whole(900))
        .await;
    app.appropriate_of(Source::County, YANHU, PROGRAMME, whole(900))
        .await;
    of_applicants(&app, 1).await;
    let (_, payments) = app.instruct(YANHU, PROGRAMME).await;
    assert_eq!(yuan_of(&payments[0]), [540, 0, 0, 60]);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_never_refused_while_the_fund_has_the_money() {
    for source in Source::ALL {
        let app = with_sources(&[(source, 1_200)]).await;
        of_merchant(&app, 2).await;
        app.pay_out(YANHU, PROGRAMME).await;
        let all = Source::ALL.map(|it| if it == source { 1_200 } else { 0 });
        assert_spent(&app, all).await;
        app.audit().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_paid_goes_back_to_where_it_came_from() {
    let app = with_sources(&[(Source::Central, 1_000), (Source::County, 2_000)]).await;
    of_applicants(&app, 3).await;
    let made = app.make_disbursement(YANHU, PROGRAMME).await.unwrap();
    assert_in_payment(&app, [1_000, 0, 0, 800]).await;
    app.audit().await;
    let checker = permit::<ManageFunds>(&app.cast.checker);
    let why = Some("名单有误".to_owned());
    app.service
        .payments()
        .cancel_disbursement(&checker, made, why)
        .await
        .unwrap();
    assert_in_payment(&app, [0; 4]).await;
    app.audit().await;

    let (id, payments) = app.instruct(YANHU, PROGRAMME).await;
    let results = [(&payments[0], None), (&payments[1], Some("账号不存在"))];
    app.results(id, &results).await.unwrap();
    assert_spent(&app, [540, 0, 0, 60]).await;
    assert_in_payment(&app, [0, 0, 0, 600]).await;
    app.audit().await;

    // Returned after it was paid, and before any result was reported.
    let back = vec![returned(&payments[0]), returned(&payments[2])];
    let treasury = permit::<ManageFunds>(&app.cast.maker);
    for result in app
        .service
        .payments()
        .record_results(&treasury, id, back)
        .await
        .unwrap()
    {
        assert_eq!(result.unwrap().outcome.as_str(), "returned");
    }
    assert_spent(&app, [0; 4]).await;
    assert_in_payment(&app, [0; 4]).await;
    assert_books(&app, [1_200, 0, 1_800, 0, 0, 0]).await;
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_was_paid_after_all_is_shared_anew() {
    let app = with_sources(&[(Source::Central, 600), (Source::County, 1_200)]).await;
    of_applicants(&app, 1).await;
    let (first, payments) = app.instruct(YANHU, PROGRAMME).await;
    assert_eq!(yuan_of(&payments[0]), [540, 0, 0, 60]);
    app.results(first, &[(&payments[0], Some("系统超时"))])
        .await
        .unwrap();
    // Meanwhile another disbursement had the claim, and was cancelled.
    let other = app.make_disbursement(YANHU, PROGRAMME).await.unwrap();
    let checker = permit::<ManageFunds>(&app.cast.checker);
    let why = Some("等银行核实".to_owned());
    app.service
        .payments()
        .cancel_disbursement(&checker, other, why)
        .await
        .unwrap();
    let late = app.results(first, &[(&payments[0], None)]).await.unwrap();
    assert!(late[0].is_err());
    let reader = permit::<ReadFunds>(&app.cast.auditor);
    let page = app
        .service
        .payments()
        .bank_exceptions(&reader, None, None, 50)
        .await
        .unwrap();
    let apply = Resolution::Apply { payment: None };
    let why = Some("银行确认已付".to_owned());
    app.service
        .payments()
        .resolve_exception(&checker, page.items[0].id, apply, why)
        .await
        .unwrap();
    assert_spent(&app, [540, 0, 0, 60]).await;
    assert_in_payment(&app, [0; 4]).await;
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_payees_repay_goes_back_to_where_it_came_from() {
    let app = with_sources(&[
        (Source::Central, 1_000),
        (Source::City, 1),
        (Source::County, 2_000),
    ])
    .await;
    let claims = of_merchant(&app, 3).await;
    let before = fen_of(&app, |it| it.left).await;
    let (id, payments) = app.instruct(YANHU, PROGRAMME).await;
    assert_eq!(yuan_of(&payments[0]), [1_000, 0, 0, 800]);
    app.results(id, &[(&payments[0], None)]).await.unwrap();
    let treasury = permit::<ManageFunds>(&app.cast.maker);
    // A third of 1,000 and of 800 yuan, rounded; and all of it when all is returned.
    let spent = [[66_667, 0, 0, 53_333], [33_333, 0, 0, 26_667], [0; 4]];
    for (claim, spent) in claims.iter().zip(spent) {
        app.return_goods(*claim).await.unwrap();
        let paper = Some("银行回单0001".to_owned());
        app.service
            .claims()
            .claw_back(&treasury, *claim, None, paper)
            .await
            .unwrap();
        assert_eq!(fen_of(&app, |it| it.spent).await, spent);
        assert_eq!(app.state(*claim).await.status, Status::ClawedBack);
        app.audit().await;
    }
    assert_eq!(fen_of(&app, |it| it.left).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn unused_central_money_lapses_once() {
    let app = with_sources(&[(Source::Central, 2_000), (Source::County, 1_000)]).await;
    of_applicants(&app, 1).await;
    app.pay_out(YANHU, PROGRAMME).await;
    let promised = of_applicants(&app, 1).await[0];
    app.clock.set("2026-12-31T15:59:59Z".parse().unwrap());
    assert_eq!(app.service.worker().work(None, None).await.unwrap().lapsed, 0);

    // Midnight in Shanghai. 1,460 yuan of central's are not spent, 540 of them may yet be needed
    // for open commitments; the fund has 1,800.
    app.clock.set("2026-12-31T16:00:00Z".parse().unwrap());
    let workers = futures::future::join_all((0..4).map(|_| app.service.worker().work(None, None))).await;
    let lapsed = workers.into_iter().map(|round| round.unwrap().lapsed);
    assert_eq!(lapsed.sum::<usize>(), 1);
    assert_eq!(fen_of(&app, |it| it.lapsed).await, [146_000, 0, 0, 0]);
    assert_eq!(fen_of(&app, |it| it.left).await, [0, 0, 0, 94_000]);
    assert_books(&app, [340, 0, 600, 0, 600, 0]).await;
    app.audit().await;

    // The county pays its commitments; central's grants of the new year do not lapse before its
    // end.
    app.appropriate(YANHU, PROGRAMME, whole(100)).await;
    assert_eq!(app.service.worker().work(None, None).await.unwrap().lapsed, 0);
    let (id, payments) = app.instruct(YANHU, PROGRAMME).await;
    assert_eq!(yuan_of(&payments[0]), [100, 0, 0, 500]);
    app.results(id, &[(&payments[0], None)]).await.unwrap();
    assert_eq!(app.state(promised).await.status, Status::Paid);
    app.audit().await;
    let events = app
        .db
        .rows("SELECT subject FROM events WHERE verb = 'lapse' AND actor = 'system'")
        .await;
    assert_eq!(events, ["fund:140802/appliance-2026"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_comes_back_in_january_lapses_then() {
    let app = with_sources(&[(Source::Central, 600)]).await;
    let claim = of_applicants(&app, 1).await[0];
    app.clock.set("2027-01-05T02:00:00Z".parse().unwrap());
    let yesterday = "2027-01-04T02:00:00Z".parse().unwrap();
    assert_eq!(
        app.service
            .worker()
            .work(None, Some(yesterday))
            .await
            .unwrap()
            .lapsed,
        0
    );
    app.withdraw(claim).await.unwrap();
    let today = app.clock.now();
    assert_eq!(
        app.service.worker().work(None, Some(today)).await.unwrap().lapsed,
        0,
        "once a day"
    );
    assert_eq!(
        app.service
            .worker()
            .work(None, Some(yesterday))
            .await
            .unwrap()
            .lapsed,
        1
    );
    assert_books(&app, [0; 6]).await;
    app.audit().await;
}
