//! The life of a claim, arrow by arrow, with the balances of the accounts after it.

mod advances;
mod bank;
mod batch;
mod caps;
mod clawback;
mod closing;
mod correction;
mod endings;
pub(crate) mod payees;
mod payout;
mod review;
mod sources;
mod statements;
mod waitlist;

use claims::ids::ClaimId;
use ledger::{Balances, Fen};
use service::funds::LedgerQuery;
use service::operation::access::ReadLedger;
use testkit::{Sale, TestApp, YANHU, permit, yuan};

/// The fund of most scenes.
const PROGRAMME: &str = "appliance-2026";

/// A fund of Yanhu with this much money, in whole yuan.
async fn with_money(money: i64) -> TestApp {
    let app = TestApp::new().await;
    app.appropriate(YANHU, PROGRAMME, whole(money)).await;
    app
}

fn whole(money: i64) -> Fen {
    Fen::new(money * 100).unwrap()
}

/// Whole yuan available, reserved, payable, in payment, disbursed and recoverable in Yanhu's fund.
async fn assert_books(app: &TestApp, expected: [i64; 6]) {
    let [available, reserved, payable, in_payment, disbursed, recoverable] = expected.map(whole);
    let appropriated = whole(expected.iter().sum());
    let expected = Balances {
        appropriated,
        available,
        reserved,
        payable,
        in_payment,
        disbursed,
        recoverable,
        ..Balances::default()
    };
    assert_eq!(app.balances(YANHU, PROGRAMME).await, expected);
}

/// Reasons of a claim's transfers, in order.
async fn reasons(app: &TestApp, claim: ClaimId) -> Vec<&'static str> {
    let query = LedgerQuery {
        claim: Some(claim),
        ..LedgerQuery::default()
    };
    let permit = permit::<ReadLedger>(&app.cast.auditor);
    let page = app
        .service
        .funds()
        .transfers(&permit, claim.jurisdiction.as_str(), &query, None, 200)
        .await
        .unwrap();
    page.items.iter().map(|line| line.reason.as_str()).collect()
}

/// Verbs on a claim, in order.
async fn verbs(app: &TestApp, claim: ClaimId) -> Vec<String> {
    let page = app
        .service
        .claims()
        .claim_events(&permit(&app.cast.auditor), claim, None, 200)
        .await
        .unwrap();
    page.items.into_iter().map(|event| event.verb).collect()
}

/// A sale whose subsidy is ten times this many yuan and fifteen: at 15 %, in whole yuan.
fn subsidised_with(subsidy: i64) -> Sale {
    let price = Fen::new(subsidy * 10_000 / 15).unwrap();
    Sale {
        price,
        subsidy: whole(subsidy),
        ..Sale::air_conditioner()
    }
}

#[test]
fn a_sale_subsidised_with_600_yuan_is_one_of_4000() {
    assert_eq!(subsidised_with(600).price, yuan("4000.00"));
}
