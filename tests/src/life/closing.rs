//! Closing of months and years: in order, once, from the transfers, and for good.

use ledger::{Account, Fen, Source};
use service::funds::closing::{ClosedBooks, ClosedFund, Period};
use service::operation::access::ReadLedger;
use service::ports::Clock;
use service::{Refusal, ServiceError, Settings};
use testkit::{HttpApp, LINYI, Sale, Setup, TestApp, World, YANHU, permit};

use super::advances::advanced;
use super::payees::of_applicants;
use super::{PROGRAMME, whole, with_money};

/// Midnight of the first of July in Shanghai, and five days later, when June is closed.
const JULY: &str = "2026-06-30T16:00:00Z";
const JUNE_IS_DUE: &str = "2026-07-05T16:00:00Z";

fn set(world: &World, instant: &str) {
    world.clock.set(instant.parse().unwrap());
}

/// A round of a worker that has just started.
async fn closed(world: &World) -> usize {
    world.service.worker().work(None, None).await.unwrap().closed
}

async fn closing(world: &World, county: &str, period: &str) -> Result<ClosedBooks, ServiceError> {
    let auditor = permit::<ReadLedger>(&world.cast.auditor);
    let period = Period::parse(period).unwrap();
    world.service.funds().closing(&auditor, county, period).await
}

async fn fund(world: &World, period: &str) -> ClosedFund {
    let books = closing(world, YANHU, period).await.unwrap();
    let mut funds = books.funds.into_iter();
    let fund = funds.find(|fund| fund.programme == PROGRAMME);
    fund.expect("the fund moved")
}

/// Opening, debits, credits and closing of an account, in whole yuan.
fn moved(fund: &ClosedFund, account: Account) -> [i64; 4] {
    let line = fund.accounts.iter().find(|line| line.account == account).unwrap();
    [line.opening, line.debits, line.credits, line.closing].map(|fen| fen.get() / 100)
}

/// The sums of central and county that were appropriated, in payment, spent, lapsed and left at the
/// end, in whole yuan.
fn at_the_end(fund: &ClosedFund) -> [[i64; 5]; 2] {
    [Source::Central, Source::County].map(|source| {
        let it = fund
            .sources
            .iter()
            .find(|it| it.closing.source == source)
            .unwrap()
            .closing;
        [it.appropriated, it.in_payment, it.spent, it.lapsed, it.left].map(|fen| fen.get() / 100)
    })
}

/// Every closing of Yanhu with its height and how many transfers it has, oldest first.
async fn all(world: &World) -> Vec<(String, i64, i64)> {
    let auditor = permit::<ReadLedger>(&world.cast.auditor);
    let (mut all, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = world
            .service
            .funds()
            .closings(&auditor, YANHU, cursor.as_deref(), 3);
        let page = page.await.unwrap();
        all.extend(
            page.items
                .iter()
                .map(|it| (it.period.to_string(), it.height, it.transfers)),
        );
        cursor = page.next_cursor;
        if cursor.is_none() {
            all.reverse();
            return all;
        }
    }
}

fn month(period: &str, height: i64, transfers: i64) -> (String, i64, i64) {
    (period.to_owned(), height, transfers)
}

#[tokio::test(flavor = "multi_thread")]
async fn months_are_closed_in_order_and_empty_ones_among_them() {
    let app = with_money(6_000).await;
    let claim = app.submit(app.sale(&Sale::air_conditioner()).await).await;
    set(&app, "2026-07-05T15:59:59Z");
    assert_eq!(closed(&app).await, 0, "the five days are not over");
    set(&app, JUNE_IS_DUE);
    assert_eq!(closed(&app).await, 1);
    assert_eq!(closed(&app).await, 0, "once");
    assert_eq!(all(&app).await, [month("2026-06", 2, 2)]);
    let june = fund(&app, "2026-06").await;
    assert_eq!(moved(&june, Account::Appropriated), [0, 0, 6_000, 6_000]);
    assert_eq!(moved(&june, Account::Available), [0, 6_000, 600, 5_400]);
    assert_eq!(moved(&june, Account::Reserved), [0, 600, 0, 600]);

    app.withdraw(claim.id).await.unwrap();
    set(&app, "2026-10-20T02:00:00Z");
    assert_eq!(closed(&app).await, 3, "periods that were not closed in time");
    let months = [
        month("2026-06", 2, 2),
        month("2026-07", 3, 1),
        month("2026-08", 3, 0),
        month("2026-09", 3, 0),
    ];
    assert_eq!(all(&app).await, months);
    assert_eq!(
        moved(&fund(&app, "2026-07").await, Account::Available),
        [5_400, 600, 0, 6_000]
    );
    assert_eq!(
        moved(&fund(&app, "2026-09").await, Account::Available),
        [6_000, 0, 0, 6_000]
    );
    assert_eq!(
        at_the_end(&fund(&app, "2026-09").await)[0],
        [6_000, 0, 0, 0, 6_000]
    );
    for (county, period) in [
        (YANHU, "2026-10"),
        (YANHU, "2026"),
        (YANHU, "2026-05"),
        (LINYI, "2026-06"),
    ] {
        let error = closing(&app, county, period).await.unwrap_err();
        assert_eq!(error.refusal(), Some(&Refusal::NotFound("closing")));
    }
    app.audit().await;
    let events =
        "SELECT reason FROM events WHERE verb = 'close' AND subject = 'ledger:140802' ORDER BY id LIMIT 1";
    assert_eq!(app.db.rows(events).await, ["2026-06 结账"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_in_a_closed_month_is_put_right_in_the_open_one() {
    let app = with_money(6_000).await;
    let claims = of_applicants(&app, 2).await;
    app.pay_out(YANHU, PROGRAMME).await;
    set(&app, JUNE_IS_DUE);
    assert_eq!(closed(&app).await, 1);
    let june = closing(&app, YANHU, "2026-06").await.unwrap();

    app.return_goods(claims[0]).await.unwrap();
    let treasury = permit(&app.cast.maker);
    let paper = || Some("银行回单0001".to_owned());
    app.service
        .claims()
        .claw_back(&treasury, claims[0], None, paper())
        .await
        .unwrap();
    set(&app, "2026-08-05T16:00:00Z");
    assert_eq!(closed(&app).await, 1);
    assert_eq!(closing(&app, YANHU, "2026-06").await.unwrap(), june);
    let july = fund(&app, "2026-07").await;
    assert_eq!(moved(&july, Account::Disbursed), [1_200, 0, 600, 600]);
    assert_eq!(moved(&july, Account::Recoverable), [0, 600, 600, 0]);
    assert_eq!(moved(&july, Account::Available), [4_800, 600, 0, 5_400]);
    assert_eq!(
        at_the_end(&fund(&app, "2026-06").await)[0],
        [6_000, 0, 1_200, 0, 4_800]
    );
    assert_eq!(at_the_end(&july)[0], [6_000, 0, 600, 0, 5_400]);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moves_before_a_late_closing_is_not_of_the_month() {
    let app = with_money(6_000).await;
    of_applicants(&app, 1).await;
    // In payment at the end of June, paid in July before June is closed.
    let (id, payments) = app.instruct(YANHU, PROGRAMME).await;
    set(&app, JULY);
    app.results(id, &[(&payments[0], None)]).await.unwrap();
    app.appropriate_of(Source::County, YANHU, PROGRAMME, whole(100))
        .await;
    set(&app, JUNE_IS_DUE);
    assert_eq!(closed(&app).await, 1);
    let june = fund(&app, "2026-06").await;
    assert_eq!(moved(&june, Account::InPayment), [0, 600, 0, 600]);
    assert_eq!(moved(&june, Account::Disbursed), [0; 4]);
    assert_eq!(at_the_end(&june), [[6_000, 600, 0, 0, 5_400], [0; 5]]);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_is_closed_after_what_lapsed_and_carries_on() {
    let app = TestApp::new().await;
    app.appropriate_of(Source::Central, YANHU, PROGRAMME, whole(2_000))
        .await;
    app.appropriate_of(Source::County, YANHU, PROGRAMME, whole(1_000))
        .await;
    of_applicants(&app, 1).await;
    app.pay_out(YANHU, PROGRAMME).await;
    let promised = of_applicants(&app, 1).await[0];
    set(&app, "2026-12-31T16:00:00Z");
    let round = app.service.worker().work(None, None).await.unwrap();
    assert_eq!((round.lapsed, round.closed), (1, 6), "June to November");
    set(&app, "2027-01-05T16:00:00Z");
    assert_eq!(closed(&app).await, 2, "December and the year");

    let year = fund(&app, "2026").await;
    assert_eq!(moved(&year, Account::Appropriated), [0, 0, 3_000, 3_000]);
    assert_eq!(moved(&year, Account::Available), [0, 3_000, 1_200, 1_800]);
    assert_eq!(moved(&year, Account::Disbursed), [0, 600, 0, 600]);
    assert_eq!(moved(&year, Account::Payable), [0, 1_200, 600, 600]);
    // The lapse of the year is posted in January: the year's balances are those of its last
    // midnight.
    assert_eq!(
        at_the_end(&year),
        [[2_000, 0, 540, 0, 1_460], [1_000, 0, 60, 0, 940]]
    );
    let after = |fund: &ClosedFund| fund.sources.iter().map(|it| it.lapsed_after.get()).sum::<i64>();
    assert_eq!(after(&year), 146_000);
    assert_eq!(after(&fund(&app, "2026-12").await), 0);
    let transfers = app
        .db
        .row("SELECT count(*) FROM transfers WHERE reason <> 'lapse'")
        .await;
    let books = closing(&app, YANHU, "2026").await.unwrap();
    assert_eq!(books.closing.transfers.to_string(), transfers);

    // Later transfers belong to the new year, and the old closing stays.
    app.withdraw(promised).await.unwrap();
    set(&app, "2028-01-05T16:00:00Z");
    assert_eq!(closed(&app).await, 13);
    assert_eq!(closing(&app, YANHU, "2026").await.unwrap(), books);
    let next = fund(&app, "2027").await;
    let carried = next.sources.iter().map(|it| it.opening);
    assert!(carried.eq(year.sources.iter().map(|it| it.closing)));
    assert_eq!(moved(&next, Account::Appropriated)[0], 3_000);
    assert_eq!(at_the_end(&next)[0][3..], [1_460, 0]);
    assert_eq!(
        fund(&app, "2027-01").await.sources[0].closing.lapsed.get(),
        146_000
    );
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_closers_close_once() {
    let app = with_money(6_000).await;
    app.appropriate(LINYI, PROGRAMME, whole(600)).await;
    app.submit(app.sale(&Sale::air_conditioner()).await).await;
    let workers = futures::future::join_all((0..4).map(|_| async {
        let setup = Setup {
            pool_size: 4,
            now: "2027-01-06T02:00:00Z".parse().unwrap(),
            ..Setup::default()
        };
        World::open(app.db.url(), &setup).await
    }));
    let workers = workers.await;
    let rounds = futures::future::join_all(workers.iter().map(closed)).await;
    // June to December and the year, in two counties.
    assert_eq!(rounds.into_iter().sum::<usize>(), 16);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lagging_clock_posts_after_what_is_closed() {
    let app = with_money(60_000).await;
    let early = of_applicants(&app, 1).await[0];
    let closer = World::open(app.db.url(), &Setup::default()).await;
    set(&closer, JUNE_IS_DUE);
    // Its clock still shows June, and it goes on recording claims while June is closed.
    set(&app, "2026-06-30T15:59:59Z");
    let claims = app.many(60, &Sale::air_conditioner()).await;
    let (race, rounds) = tokio::join!(app.race(claims), closed(&closer));
    assert_eq!((race.len(), rounds), (60, 1));
    app.audit().await;
    let june = closing(&app, YANHU, "2026-06").await.unwrap().closing;
    let before = app
        .db
        .row("SELECT count(*) FROM transfers WHERE posted_at < '2026-06-30T16:00:00Z'")
        .await;
    assert_eq!(before, june.transfers.to_string());

    // All its later transfers are of July: its first instant.
    let last = app.db.row("SELECT max(height) FROM transfers").await;
    app.submit(app.sale(&Sale::air_conditioner()).await).await;
    let (id, payments) = app.instruct(YANHU, PROGRAMME).await;
    app.results(id, &[(&payments[0], None)]).await.unwrap();
    app.return_goods(early).await.unwrap();
    app.appropriate_of(Source::County, YANHU, PROGRAMME, whole(100))
        .await;
    let instants =
        format!("SELECT DISTINCT posted_at = '2026-06-30T16:00:00Z' FROM transfers WHERE height > {last}");
    assert_eq!(app.db.rows(&instants).await, ["t"]);
    app.audit().await;
    set(&closer, "2026-08-05T16:00:00Z");
    assert_eq!(closed(&closer).await, 1);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_add_up_is_not_closed() {
    let app = with_money(6_000).await;
    app.submit(app.sale(&Sale::air_conditioner()).await).await;
    app.appropriate(LINYI, PROGRAMME, whole(600)).await;
    set(&app, JUNE_IS_DUE);
    for (wrong, right) in [
        (
            "available = available - 1, reserved = reserved + 1",
            "available = available + 1, reserved = reserved - 1",
        ),
        (
            "appropriated = appropriated + 1, available = available + 1",
            "appropriated = appropriated - 1, available = available - 1",
        ),
    ] {
        app.db
            .rows(&format!(
                "UPDATE funds SET {wrong} WHERE jurisdiction = '140802' AND appropriated > 0"
            ))
            .await;
        assert_eq!(
            app.service.worker().work(None, None).await.unwrap().closed,
            usize::from(wrong.starts_with("available"))
        );
        assert!(all(&app).await.is_empty());
        app.db
            .rows(&format!(
                "UPDATE funds SET {right} WHERE jurisdiction = '140802' AND appropriated > 0"
            ))
            .await;
    }
    assert!(
        closing(&app, LINYI, "2026-06").await.is_ok(),
        "another county is not kept from it"
    );
    app.db
        .rows("UPDATE fund_sources SET spent = 1 WHERE jurisdiction = '140802' AND source = 'central'")
        .await;
    assert_eq!(closed(&app).await, 0);
    assert_eq!(app.db.row("SELECT count(closed_until) FROM ledgers").await, "1");
    app.db
        .rows("UPDATE fund_sources SET spent = 0 WHERE jurisdiction = '140802' AND source = 'central'")
        .await;
    assert_eq!(closed(&app).await, 1);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_long_a_month_stays_open_is_set() {
    let settings = Settings {
        closing_after_days: 0,
        ..Settings::default()
    };
    let setup = Setup {
        settings,
        ..Setup::default()
    };
    let app = TestApp::with(setup).await;
    app.appropriate(YANHU, PROGRAMME, whole(600)).await;
    set(&app, "2026-06-30T15:59:59Z");
    assert_eq!(closed(&app).await, 0);
    set(&app, JULY);
    assert_eq!(closed(&app).await, 1);
    assert_eq!(app.clock.now().to_string(), "2026-06-30 16:00:00 UTC");
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_recomputes_a_closing_from_the_export() {
    let app = HttpApp::new().await;
    app.appropriate(YANHU, PROGRAMME, whole(6_000)).await;
    of_applicants(&app, 2).await;
    app.pay_out(YANHU, PROGRAMME).await;
    set(&app, "2026-07-02T02:00:00Z");
    app.submit(app.sale(&Sale::air_conditioner()).await).await;
    set(&app, "2026-08-06T02:00:00Z");
    assert_eq!(closed(&app).await, 2);

    let auditor = &app.cast.auditor;
    let csv = app
        .get(auditor, "/v1/ledgers/140802/closings/2026-07?format=csv")
        .await
        .expect(200);
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(
        csv.header("content-disposition"),
        Some("attachment; filename=\"closing-140802-2026-07.csv\"")
    );
    let export = app
        .get(auditor, "/v1/ledgers/140802/export?format=csv&to=2026-07-31")
        .await;
    let sum = |account: &str, place: usize, of: &dyn Fn(&str) -> bool| {
        let text = export.text();
        let lines = text
            .lines()
            .skip(1)
            .map(|line| line.split(',').collect::<Vec<_>>());
        let lines = lines.filter(|line| line[place] == account && of(line[1]));
        lines
            .map(|line| line[7].parse::<Fen>().unwrap().get())
            .sum::<i64>()
    };
    let (june, july) = (
        |at: &str| at.starts_with("2026-06"),
        |at: &str| at.starts_with("2026-07"),
    );
    let text = csv.text();
    let lines = text
        .lines()
        .map(|line| line.split(',').collect::<Vec<_>>())
        .collect::<Vec<_>>();
    assert_eq!(
        lines[0][1..],
        [
            "period",
            "programme",
            "source",
            "account",
            "opening",
            "debits",
            "credits",
            "closing"
        ]
    );
    let of_accounts = lines[1..]
        .iter()
        .filter(|line| line[3].is_empty())
        .collect::<Vec<_>>();
    assert_eq!(of_accounts.len(), Account::ALL.len());
    for line in of_accounts {
        let [opening, debits, credits, closing] =
            [5, 6, 7, 8].map(|place| line[place].parse::<Fen>().unwrap().get());
        let sign = if line[4] == "appropriated" { -1 } else { 1 };
        assert_eq!(
            opening,
            sign * (sum(line[4], 5, &june) - sum(line[4], 6, &june)),
            "{line:?}"
        );
        assert_eq!(
            (debits, credits),
            (sum(line[4], 5, &july), sum(line[4], 6, &july)),
            "{line:?}"
        );
        assert_eq!(closing, opening + sign * (debits - credits), "{line:?}");
    }
    assert!(
        lines
            .iter()
            .any(|line| line[3..] == ["central", "left", "4800.00", "", "", "4800.00"])
    );
    let zh = app
        .get(auditor, "/v1/ledgers/140802/closings/2026-07?format=csv&lang=zh")
        .await;
    assert!(
        zh.text()
            .contains("140802,2026-07,appliance-2026,,可用,4800.00,0.00,600.00,4200.00\n")
    );

    let json = app
        .get(auditor, "/v1/ledgers/140802/closings/2026-07")
        .await
        .expect(200)
        .json();
    assert_eq!(json["closing"]["until"], "2026-07-31T16:00:00Z");
    assert_eq!(json["closing"]["closed_by"], "system");
    assert_eq!(json["funds"][0]["accounts"][1]["closing"], "4200.00");
    assert_eq!(json["funds"][0]["sources"][0]["closing"]["spent"], "1200.00");
    assert_eq!(json["funds"][0]["carried"], serde_json::Value::Null);
    let list = app
        .get(auditor, "/v1/ledgers/140802/closings?limit=1")
        .await
        .expect(200)
        .json();
    assert_eq!(list["items"][0]["period"], "2026-07");
    for missing in ["2026-08", "2026-7", "2026", "x"] {
        let reply = app
            .get(auditor, &format!("/v1/ledgers/140802/closings/{missing}"))
            .await;
        assert_eq!(
            (reply.status, reply.code()),
            (404, Some("not-found".into())),
            "{missing}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_merchants_have_ahead_is_carried_on() {
    let app = with_money(1_000).await;
    advanced(&app, 400).await;
    set(&app, JUNE_IS_DUE);
    assert_eq!(closed(&app).await, 1);
    let june = fund(&app, "2026-06").await;
    assert_eq!(moved(&june, Account::Advanced), [0, 400, 0, 400]);
    assert_eq!(moved(&june, Account::Available), [0, 1_000, 400, 600]);
    app.audit().await;
}
