//! A new key for personal data: everything is sealed again under it, and nothing needs the old one.

use service::operation::access::{ManageFunds, RevealClaims, SubmitClaims};
use service::payments::InstructionFormat;
use testkit::{Setup, TestApp, World, YANHU, permit};

use super::bank::{Bank, Fault, PROGRAMME, setup, with_bank};
use super::webhooks::{is_signed, register, round};
use super::{Act, Server};
use crate::life::payees::{account, of_applicants};

const NEW_ACCOUNT: &str = "6217000330002345677";

/// Another start of the service, with these keys.
async fn with_keys(app: &mut TestApp, keys: &[(&'static str, u8)]) {
    let setup = Setup {
        data_keys: keys.to_vec(),
        now: service::ports::Clock::now(&*app.world.clock),
        ..setup(2_000)
    };
    app.world = World::open(app.db.url(), &setup).await;
}

/// How many sealed texts there are in every table, by key.
async fn sealed(app: &TestApp) -> String {
    let tables = app
        .db
        .row(
            "SELECT string_agg(format('SELECT %I AS k FROM %I WHERE %I IS NOT NULL', column_name, table_name, column_name), ' UNION ALL ')
             FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
             WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND column_name LIKE '%key_id'",
        )
        .await;
    app.db
        .row(&format!(
            "SELECT string_agg(k || ' ' || n, ', ' ORDER BY k) FROM (SELECT k, count(*) AS n FROM ({tables}) AS every GROUP BY k) AS counted"
        ))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_new_key_nothing_needs_the_old_one() {
    let mut app = with_bank(1_200, 2_000).await;
    let bank = Bank::of(&app).await;
    let merchant = Server::start(|_| Act::status(200)).await;
    let retailer = app.cast.retailer.clone();
    app.account_on_file(retailer.merchant.as_ref().unwrap(), "14050167890800000456")
        .await;
    let (hook, first_secret) = register(&app, &retailer, &merchant.url(), &[]).await;
    let rotated = app
        .service
        .webhooks()
        .rotate_webhook_secret(&permit(&retailer), hook)
        .await;
    let second_secret = rotated.unwrap().1;

    // An account that was corrected after the bank could not pay, and a file that the bank has not
    // accepted yet.
    let claims = of_applicants(&app, 2).await;
    let (first, payments) = app.instruct(YANHU, PROGRAMME).await;
    app.results(first, &[(&payments[0], Some("账户已销户")), (&payments[1], None)])
        .await
        .unwrap();
    let owner = permit::<SubmitClaims>(&retailer);
    let failed = app.paid_claims(payments[0].id).await[0];
    app.service
        .payments()
        .correct_payee(&owner, failed, account("", NEW_ACCOUNT))
        .await
        .unwrap();
    let (second, _) = app.instruct(YANHU, PROGRAMME).await;
    bank.fail(&[Fault::Unavailable; 3]);
    bank.submit(&app).await;
    assert_eq!(bank.taken(), 0);
    let before = sealed(&app).await;
    assert!(before.starts_with("test ") && !before.contains(','), "{before}");

    with_keys(&mut app, &[("new", 9), ("test", 1)]).await;
    let all: usize = before.trim_start_matches("test ").parse().unwrap();
    assert_eq!(app.service.worker().rekey().await.unwrap(), all);
    assert_eq!(app.service.worker().rekey().await.unwrap(), 0);
    assert_eq!(sealed(&app).await, format!("new {all}"));

    with_keys(&mut app, &[("new", 9)]).await;
    let auditor = permit::<RevealClaims>(&app.cast.auditor);
    for claim in claims {
        let shown = app
            .service
            .claims()
            .reveal(&auditor, claim, Some("抽查".into()))
            .await;
        assert!(shown.unwrap()["applicant"]["name"].is_string());
    }
    let treasury = permit::<ManageFunds>(&app.cast.maker);
    let file = app
        .service
        .payments()
        .instruction(&treasury, second, InstructionFormat::Pain001, 1)
        .await
        .unwrap();
    assert!(String::from_utf8(file.bytes).unwrap().contains(NEW_ACCOUNT));
    app.clock.advance(chrono::Duration::hours(2));
    let bank = Bank::of(&app).await;
    bank.submit(&app).await;
    assert_eq!(bank.taken(), 1);
    app.service
        .webhooks()
        .test_webhook(&permit(&retailer), hook)
        .await
        .unwrap();
    round(&app).await;
    let requests = merchant.asked();
    let last = requests.last().unwrap();
    assert!(is_signed(last, &first_secret) && is_signed(last, &second_secret));
    app.audit().await;
}
