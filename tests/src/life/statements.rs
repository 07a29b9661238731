//! Settlement statements: what a county and a merchant owe each other, to the fen, over any period.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use chrono::{Duration, NaiveDate};
use service::operation::access::ReadStatements;

use service::payments::statements::{Statement, StatementFormat, StatementQuery};
use service::ports::Clock;
use service::{Actor, Refusal};
use testkit::{Sale, TestApp, YANHU, permit, yuan};
use timing::shanghai;

use super::advances::advanced;
use super::payees::{of_applicants, of_merchant};
use super::{PROGRAMME, whole, with_money};

fn query(app: &TestApp, (from, to): (NaiveDate, NaiveDate)) -> StatementQuery {
    StatementQuery {
        jurisdiction: YANHU.into(),
        merchant: app.cast.retailer.merchant.clone().unwrap(),
        programme: None,
        from,
        to,
    }
}

fn today(app: &TestApp) -> NaiveDate {
    shanghai::date(app.clock.now())
}

async fn statement(app: &TestApp, days: (NaiveDate, NaiveDate)) -> Statement {
    let retailer = permit::<ReadStatements>(&app.cast.retailer);
    let made = app
        .service
        .payments()
        .statement(&retailer, query(app, days), None, 1)
        .await;
    let (made, _) = made.unwrap();
    let (claims, advances, clawbacks) = (&made.claims, &made.advances, &made.clawbacks);
    let fen = |it: ledger::Fen| it.get();
    assert_eq!(
        fen(claims.opening) + fen(claims.approved) - fen(claims.withdrawn) - fen(claims.paid)
            + fen(claims.returned),
        fen(claims.closing)
    );
    assert_eq!(
        fen(claims.transferred) + fen(claims.set_off) + fen(claims.netted),
        fen(claims.paid)
    );
    assert_eq!(
        fen(advances.opening) + fen(advances.advanced)
            - fen(advances.returned)
            - fen(advances.set_off)
            - fen(advances.repaid),
        fen(advances.closing)
    );
    assert_eq!(
        fen(clawbacks.opening) + fen(clawbacks.demanded)
            - fen(clawbacks.repaid)
            - fen(clawbacks.netted)
            - fen(clawbacks.waived),
        fen(clawbacks.closing)
    );
    made
}

/// A month of everything: an advance of 500, three claims of 600 paid (one netted later), one open,
/// one under review, one paid to its applicant, one withdrawn before payment.
async fn a_month() -> (TestApp, NaiveDate) {
    let app = with_money(10_000).await;
    let first = today(&app);
    advanced(&app, 500).await;
    let claims = of_merchant(&app, 2).await;
    of_applicants(&app, 1).await;
    app.clock.advance(Duration::days(10));
    app.pay_out(YANHU, PROGRAMME).await;
    app.clock.advance(Duration::days(5));
    app.return_goods(claims[0]).await.unwrap();
    let withdrawn = of_merchant(&app, 1).await[0];
    app.withdraw(withdrawn).await.unwrap();
    of_merchant(&app, 1).await;
    app.clock.advance(Duration::days(2));
    app.pay_out(YANHU, PROGRAMME).await;
    of_merchant(&app, 1).await;
    let sale = app.sale(&Sale::air_conditioner()).await;
    app.submit(sale).await;
    app.clock.advance(Duration::days(3));
    (app, first)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_advanced_earned_paid_clawed_back_and_open() {
    let (app, first) = a_month().await;
    let all = statement(&app, (first, today(&app))).await;
    let it = all.claims;
    assert_eq!(
        (it.opening, it.approved, it.withdrawn),
        (whole(0), whole(3_000), whole(600))
    );
    // 1,200 with 500 set off; then 600 netted in full against the returned goods.
    assert_eq!((it.paid, it.transferred), (whole(1_800), whole(700)));
    assert_eq!((it.set_off, it.netted), (whole(500), whole(600)));
    assert_eq!((it.closing, it.reserved), (whole(600), whole(600)));
    assert_eq!(
        (all.advances.advanced, all.advances.closing),
        (whole(500), whole(0))
    );
    assert_eq!(
        (all.clawbacks.demanded, all.clawbacks.netted),
        (whole(600), whole(600))
    );
    assert_eq!(all.clawbacks.closing, whole(0));
    // Two were out for ten days and one for two; two are out for three days and the rest of the
    // last.
    assert_eq!((all.paid.claims, all.paid.amount), (3, whole(1_800)));
    assert_eq!(all.paid.mean_millidays, Some(7_333));
    assert_eq!((all.open.claims, all.open.amount), (2, whole(1_200)));
    assert!((3_000..4_000).contains(&all.open.mean_millidays.unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_period_ends_where_the_next_begins() {
    let (app, first) = a_month().await;
    let last = today(&app);
    let whole_period = statement(&app, (first, last)).await;
    for days in 0..(last - first).num_days() {
        let middle = first + Duration::days(days);
        let before = statement(&app, (first, middle)).await;
        let after = statement(&app, (middle + Duration::days(1), last)).await;
        assert_eq!(before.claims.closing, after.claims.opening);
        assert_eq!(before.advances.closing, after.advances.opening);
        assert_eq!(before.clawbacks.closing, after.clawbacks.opening);
        let sum = before.claims.paid.get() + after.claims.paid.get();
        assert_eq!(sum, whole_period.claims.paid.get());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn its_claims_add_up_to_it() {
    let (app, first) = a_month().await;
    let asked = query(&app, (first, today(&app)));
    let treasury = permit::<ReadStatements>(&app.cast.maker);
    let (mut lines, mut cursor) = (Vec::new(), None::<String>);
    let made = loop {
        let (made, page) = app
            .service
            .payments()
            .statement(&treasury, asked.clone(), cursor.as_deref(), 2)
            .await
            .unwrap();
        lines.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            break made;
        }
    };
    let sum =
        |of: fn(&service::payments::statements::StatementLine) -> i64| lines.iter().map(of).sum::<i64>();
    assert_eq!(lines.len(), 6, "the applicant's is not among them");
    assert_eq!(sum(|it| it.paid.get()), made.claims.paid.get());
    assert_eq!(sum(|it| it.owed.get()), made.claims.closing.get());
    assert_eq!(sum(|it| it.reserved.get()), made.claims.reserved.get());
    assert_eq!(sum(|it| it.back.get()), made.clawbacks.netted.get());
    let days = lines.iter().map(|it| it.days_out).collect::<Vec<_>>();
    assert_eq!(days[..2], [10, 10]);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_say_the_same() {
    let (app, first) = a_month().await;
    let asked = query(&app, (first, today(&app)));
    let retailer = permit::<ReadStatements>(&app.cast.retailer);
    let csv = app
        .service
        .payments()
        .statement_file(&retailer, asked.clone(), StatementFormat::Csv)
        .await
        .unwrap();
    let text = String::from_utf8(csv.bytes).unwrap();
    for line in [
        "本期已付（元）,1800.00",
        "　其中抵扣预拨（元）,500.00",
        "期末未付（元）,600.00",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let xlsx = app
        .service
        .payments()
        .statement_file(&retailer, asked.clone(), StatementFormat::Xlsx)
        .await
        .unwrap();
    let again = app
        .service
        .payments()
        .statement_file(&retailer, asked, StatementFormat::Xlsx)
        .await
        .unwrap();
    assert_eq!(xlsx, again, "the same statement is the same bytes");
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(xlsx.bytes)).unwrap();
    let accounts = book.worksheet_range("清算单").unwrap();
    let paid = accounts
        .rows()
        .find(|row| row[0] == Data::String("本期已付（元）".into()))
        .unwrap();
    assert_eq!(paid[1], Data::Float(1_800.0));
    let claims = book.worksheet_range("明细").unwrap();
    assert_eq!(claims.rows().count(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_sees_its_own_and_a_county_its_merchants() {
    let app = with_money(600).await;
    let day = today(&app);
    let ask = async |actor: &Actor, days: (NaiveDate, NaiveDate)| {
        let permit = permit::<ReadStatements>(actor);
        let made = app
            .service
            .payments()
            .statement(&permit, query(&app, days), None, 1)
            .await;
        made.map(|(made, _)| made)
    };
    assert!(ask(&app.cast.retailer, (day, day)).await.is_ok());
    assert!(ask(&app.cast.auditor, (day, day)).await.is_ok());
    let other = ask(&app.cast.other_retailer, (day, day)).await.unwrap_err();
    assert_eq!(other.refusal(), Some(&Refusal::NotFound("merchant")));
    let backwards = ask(&app.cast.maker, (day, day - Duration::days(1))).await;
    assert!(matches!(
        backwards.unwrap_err().refusal(),
        Some(Refusal::Invalid(_))
    ));
    let empty = ask(&app.cast.retailer, (day, day)).await.unwrap();
    assert_eq!(
        (empty.claims.paid, empty.open.mean_millidays),
        (yuan("0.00"), None)
    );
}
