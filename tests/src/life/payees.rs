//! Payees, their accounts and files, and what is held back: one transfer a payee.

use claims::claim::{Claim, Payee};
use claims::identifiers::BankAccount;
use claims::ids::{ClaimId, DisbursementId};
use claims::life_cycle::Status;
use service::funds::Held;
use service::operation::access::{EnterAccounts, ManageFunds, ReadFunds, SubmitClaims};

use service::operation::{Check, Key};
use service::payments::{EnteredAccount, Gather, InstructionFormat, Reconciliation};
use service::ports::Clock;
use service::{Actor, Refusal, Settings};
use testkit::{Sale, Setup, TestApp, YANHU, permit, yuan};
use timing::shanghai;

use super::{PROGRAMME, assert_books, whole, with_money};

const OLD_ACCOUNT: &str = "6222021234567890128";
const NEW_ACCOUNT: &str = "6217001234567890999";

async fn approved(app: &TestApp, claims: Vec<Claim>) -> Vec<ClaimId> {
    let claims = app.submit_batch(claims).await;
    for claim in &claims {
        app.approve(claim.id).await;
    }
    claims.into_iter().map(|claim| claim.id).collect()
}

/// Claims of 600 yuan that the merchant advanced to its customers.
pub(crate) async fn of_merchant(app: &TestApp, count: usize) -> Vec<ClaimId> {
    approved(app, app.many(count, &Sale::air_conditioner()).await).await
}

/// Claims of 600 yuan, each paid to its applicant.
pub(crate) async fn of_applicants(app: &TestApp, count: usize) -> Vec<ClaimId> {
    let mut claims = app.many(count, &Sale::air_conditioner()).await;
    for claim in &mut claims {
        claim.payee = Payee::Applicant {
            bank_account: BankAccount::parse(OLD_ACCOUNT).unwrap(),
            bank_name: "中国工商银行运城盐湖支行".into(),
        };
        claim.purchase.paid = Some(claim.purchase.invoice.total);
    }
    approved(app, claims).await
}

fn key(text: &str) -> Key {
    Key {
        key: text.to_owned(),
        request: [0; 32],
    }
}

pub(crate) fn account(name: &str, number: &str) -> EnteredAccount {
    EnteredAccount {
        name: name.into(),
        bank_account: number.into(),
        bank_name: "中国农业银行运城分行".into(),
        bank_code: Some("103181000019".into()),
    }
}

async fn file(app: &TestApp, id: DisbursementId, format: InstructionFormat) -> Result<String, Refusal> {
    let maker = permit::<ManageFunds>(&app.cast.maker);
    match app.service.payments().instruction(&maker, id, format, 1).await {
        Ok(instruction) => Ok(String::from_utf8(instruction.bytes).unwrap()),
        Err(error) => Err(error.refusal().unwrap().clone()),
    }
}

pub(super) async fn reconciled(app: &TestApp, id: DisbursementId) -> Reconciliation {
    let reader = permit::<ReadFunds>(&app.cast.auditor);
    let one = app
        .service
        .payments()
        .reconcile_disbursement(&reader, id)
        .await
        .unwrap();
    let today = shanghai::date(app.clock.now());
    let day = app
        .service
        .payments()
        .reconcile(&reader, YANHU, (today, today))
        .await
        .unwrap();
    assert!(day.contains(&one), "the day has it, too");
    let parts = [one.paid, one.failed, one.returned, one.open];
    let sum = |value: fn(&service::payments::Count) -> i64| parts.iter().map(value).sum::<i64>();
    assert_eq!(one.sent.payments, sum(|count| count.payments));
    assert_eq!(one.sent.amount.get(), sum(|count| count.amount.get()));
    one
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_s_claims_are_one_transfer_and_a_buyer_s_is_one() {
    let app = with_money(3_000).await;
    let fronted = of_merchant(&app, 3).await;
    let bought = of_applicants(&app, 2).await;
    let (id, payments) = app.instruct(YANHU, PROGRAMME).await;
    let shape = payments
        .iter()
        .map(|payment| (payment.payee.as_str(), payment.claims, payment.amount))
        .collect::<Vec<_>>();
    assert_eq!(
        shape,
        [
            ("merchant", 3, whole(1_800)),
            ("applicant", 1, whole(600)),
            ("applicant", 1, whole(600))
        ]
    );
    assert_eq!(app.paid_claims(payments[0].id).await, fronted);
    assert_eq!(app.paid_claims(payments[1].id).await, bought[..1]);

    // One result settles all claims of a payment.
    app.results(id, &[(&payments[0], None)]).await.unwrap();
    assert_books(&app, [0, 0, 0, 1_200, 1_800, 0]).await;
    for claim in fronted {
        assert_eq!(app.state(claim).await.status, Status::Paid);
    }
    let stands = reconciled(&app, id).await;
    assert_eq!((stands.sent.payments, stands.open.amount), (3, whole(1_200)));
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_is_the_same_whenever_it_is_asked_for() {
    let app = with_money(2_400).await;
    let retailer = app.cast.retailer.merchant.clone().unwrap();
    app.account_on_file(&retailer, OLD_ACCOUNT).await;
    of_merchant(&app, 2).await;
    let buyer = of_applicants(&app, 1).await[0];
    let (id, payments) = app.instruct(YANHU, PROGRAMME).await;

    // The county's own account is not on file: no file, and the refusal has the holder of the
    // missing account.
    let missing = file(&app, id, InstructionFormat::Pain001).await.unwrap_err();
    assert_eq!(missing, Refusal::AccountMissing(vec![YANHU.into()]));
    app.results(id, &[(&payments[1], Some("账户已销户"))])
        .await
        .unwrap();
    app.account_on_file(YANHU, "14050167890800000123").await;
    // The revision is frozen with the release.
    assert_eq!(
        file(&app, id, InstructionFormat::Csv).await.unwrap_err(),
        Refusal::AccountMissing(vec![YANHU.into()])
    );
    let (second, again) = app.instruct(YANHU, PROGRAMME).await;
    assert_eq!(app.paid_claims(again[0].id).await, [buyer]);
    let first_time = file(&app, second, InstructionFormat::Pain001).await.unwrap();
    assert!(first_time.contains(OLD_ACCOUNT) && first_time.contains("<CtrlSum>600.00</CtrlSum>"));
    assert!(first_time.contains(&again[0].id.uuid.simple().to_string()));
    let table = file(&app, second, InstructionFormat::Csv).await.unwrap();
    assert!(table.contains("合计") && table.contains(&buyer.to_string()));

    // The bank could not pay; the account is corrected, and counts in the next payment and not in
    // the one that was sent.
    app.results(second, &[(&again[0], Some("账户已销户"))])
        .await
        .unwrap();
    let seller = permit::<SubmitClaims>(&app.cast.retailer);
    let corrected = account("", NEW_ACCOUNT);
    app.service
        .payments()
        .correct_payee(&seller, buyer, corrected)
        .await
        .unwrap();
    assert_eq!(
        file(&app, second, InstructionFormat::Pain001).await.unwrap(),
        first_time
    );
    let (third, _) = app.instruct(YANHU, PROGRAMME).await;
    let corrected = file(&app, third, InstructionFormat::Pain001).await.unwrap();
    assert!(corrected.contains(NEW_ACCOUNT) && !corrected.contains(OLD_ACCOUNT));
    let stranger = permit::<SubmitClaims>(&app.cast.other_retailer);
    let refused = app
        .service
        .payments()
        .correct_payee(&stranger, buyer, account("", OLD_ACCOUNT))
        .await;
    assert_eq!(refused.unwrap_err().refusal(), Some(&Refusal::NotFound("claim")));
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_takes_two_persons_and_is_never_shown_whole() {
    let app = TestApp::new().await;
    let retailer = app.cast.retailer.merchant.clone().unwrap();
    let own = permit::<EnterAccounts>(&app.cast.retailer);
    let entered = app
        .service
        .payments()
        .enter_account(&own, &retailer, account("华联家电", OLD_ACCOUNT))
        .await
        .unwrap();
    assert_eq!(
        (entered.status.as_str(), entered.ends_with.as_str()),
        ("pending", "0128")
    );
    let other = app
        .service
        .payments()
        .enter_account(
            &permit::<EnterAccounts>(&app.cast.other_retailer),
            &retailer,
            account("x", OLD_ACCOUNT),
        )
        .await
        .unwrap_err();
    assert_eq!(other.refusal(), Some(&Refusal::NotFound("account")));
    let wrong = app
        .service
        .payments()
        .enter_account(&own, &retailer, account("华联家电", "not an account"))
        .await
        .unwrap_err();
    assert!(
        matches!(wrong.refusal(), Some(Refusal::Invalid(errors)) if errors[0].pointer == "/bank_account"),
        "{wrong}"
    );
    assert!(!format!("{wrong:?} {entered:?}").contains(OLD_ACCOUNT));
    let maker = permit::<EnterAccounts>(&app.cast.maker);
    let second = app
        .service
        .payments()
        .enter_account(&maker, &retailer, account("华联家电", NEW_ACCOUNT))
        .await
        .unwrap();
    let check = async |actor: &Actor, revision| {
        let treasury = permit::<ManageFunds>(actor);
        app.service
            .payments()
            .check_account(&treasury, &retailer, revision, Check::Approve, None)
            .await
    };
    let alone = check(&app.cast.maker, second.revision).await.unwrap_err();
    assert_eq!(alone.refusal(), Some(&Refusal::FourEyes));
    assert_eq!(
        check(&app.cast.checker, second.revision)
            .await
            .unwrap()
            .status
            .as_str(),
        "approved"
    );
    assert_eq!(
        check(&app.cast.checker, entered.revision)
            .await
            .unwrap()
            .status
            .as_str(),
        "approved"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_sum_takes_three_persons() {
    let app = TestApp::with(Setup {
        settings: Settings {
            third_person_from: Some(whole(1_200)),
            ..Settings::default()
        },
        ..Setup::default()
    })
    .await;
    app.appropriate(YANHU, PROGRAMME, whole(1_800)).await;
    of_merchant(&app, 1).await;
    let small = app.make_disbursement(YANHU, PROGRAMME).await.unwrap();
    assert_eq!(app.release(small).await.unwrap().status.as_str(), "released");

    of_merchant(&app, 2).await;
    let large = app.make_disbursement(YANHU, PROGRAMME).await.unwrap();
    let countersigned = app.release(large).await.unwrap();
    assert_eq!(
        (
            countersigned.status.as_str(),
            countersigned.needs_three,
            countersigned.digest
        ),
        ("countersigned", true, None)
    );
    for actor in [&app.cast.maker, &app.cast.checker] {
        let again = app
            .service
            .payments()
            .release_disbursement(&permit(actor), large, None, None)
            .await
            .unwrap_err();
        assert_eq!(again.refusal(), Some(&Refusal::FourEyes));
    }
    let payments = app.payments(large).await;
    assert!(app.results(large, &[(&payments[0], None)]).await.is_err());
    let third = Actor {
        client: "treasury-3".into(),
        person: "treasury-3".into(),
        ..app.cast.checker.clone()
    };
    let released = app
        .service
        .payments()
        .release_disbursement(&permit(&third), large, None, None)
        .await
        .unwrap()
        .value;
    assert_eq!(released.status.as_str(), "released");
    assert!(released.digest.unwrap().starts_with("sha256:"));
    app.results(large, &[(&payments[0], None)]).await.unwrap();
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gathering_stops_at_its_limits_and_overtakes_no_claim() {
    let app = with_money(6_000).await;
    let claims = of_merchant(&app, 3).await;
    let make = async |gather: Gather, name: &str| {
        let maker = permit::<ManageFunds>(&app.cast.maker);
        app.service
            .payments()
            .make_disbursement(&maker, YANHU, PROGRAMME, gather, key(name))
            .await
            .map(|made| made.value.claims)
    };
    let no_claim = Gather {
        merchant: app.cast.other_retailer.merchant.clone(),
        ..Gather::default()
    };
    let nothing = make(no_claim, "a").await.unwrap_err();
    assert_eq!(nothing.refusal(), Some(&Refusal::NothingPayable));
    let too_young = Gather {
        since_before: Some(app.clock.now() - chrono::Duration::days(1)),
        ..Gather::default()
    };
    assert_eq!(
        make(too_young, "b").await.unwrap_err().refusal(),
        Some(&Refusal::NothingPayable)
    );
    let a_little = Gather {
        most_amount: Some(yuan("1799.99")),
        ..Gather::default()
    };
    assert_eq!(make(a_little, "c").await.unwrap(), 2);
    let one = Gather {
        most_claims: Some(1),
        ..Gather::default()
    };
    assert_eq!(make(one, "d").await.unwrap(), 1);
    assert_eq!(app.state(claims[2]).await.status, Status::InPayment);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_neither_gathered_nor_released() {
    let app = with_money(3_000).await;
    let claims = of_merchant(&app, 2).await;
    let yanhu = claims::JurisdictionCode::parse(YANHU).unwrap();
    let treasury = permit::<ManageFunds>(&app.cast.maker);
    let place = async |held: Held, name: &str| {
        let why = Some("涉嫌一票多报，核查中".to_owned());
        app.service
            .funds()
            .place_hold(&treasury, yanhu, held, why, key(name))
            .await
    };
    let nothing = place(Held::default(), "n").await.unwrap_err();
    assert!(
        matches!(nothing.refusal(), Some(Refusal::Invalid(_))),
        "{nothing}"
    );
    let one = Held {
        claim: Some(claims[0]),
        ..Held::default()
    };
    let hold = place(one.clone(), "one").await.unwrap();
    assert!(place(one, "one").await.unwrap().replayed);
    let id = app.make_disbursement(YANHU, PROGRAMME).await.unwrap();
    assert_eq!(app.state(claims[0]).await.status, Status::Approved);
    assert_eq!(app.state(claims[1]).await.status, Status::InPayment);

    // Held after it was gathered: not released either, until the hold is lifted.
    let merchant = Held {
        merchant: app.cast.retailer.merchant.clone(),
        programme: Some(PROGRAMME.into()),
        ..Held::default()
    };
    let wide = place(merchant, "wide").await.unwrap();
    let refused = app.release(id).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(&Refusal::Held { claims: 1 }));
    for hold in [wide, hold] {
        let id = hold.value.id;
        let why = Some("核查无误".to_owned());
        app.service
            .funds()
            .lift_hold(&treasury, id, why.clone())
            .await
            .unwrap();
        let twice = app
            .service
            .funds()
            .lift_hold(&treasury, id, why)
            .await
            .unwrap_err();
        assert!(
            matches!(twice.refusal(), Some(Refusal::Settled { .. })),
            "{twice}"
        );
    }
    app.release(id).await.unwrap();
    app.make_disbursement(YANHU, PROGRAMME).await.unwrap();
    assert_eq!(app.state(claims[0]).await.status, Status::InPayment);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_entered_at_once_are_revisions_of_their_own() {
    let app = TestApp::new().await;
    let retailer = app.cast.retailer.merchant.clone().unwrap();
    let own = permit::<EnterAccounts>(&app.cast.retailer);
    let enter = || {
        app.service
            .payments()
            .enter_account(&own, &retailer, account("华联家电", OLD_ACCOUNT))
    };
    let entered = futures::future::join_all((0..5).map(|_| enter())).await;
    let revisions = entered.into_iter().map(|it| it.unwrap().revision);
    let revisions = revisions.collect::<std::collections::BTreeSet<_>>();
    assert_eq!(revisions, (1..=5).collect());
}
