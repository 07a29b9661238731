//! Paying through a bank: payees, files, what the bank says in its own formats, and what is set aside.

use claims::claim::{Claim, Payee};
use claims::identifiers::BankAccount;
use claims::ids::{ClaimId, DisbursementId, PaymentId};
use claims::life_cycle::Status;
use service::access::{EnterAccounts, ManageFunds, ReadFunds, SubmitClaims};
use service::disburse::{
    BankReport, Gather, InstructionFormat, Payment, PaymentResult, Reconciliation, Resolution, Said,
};
use service::funds::Check;
use service::holds::Held;
use service::once::Key;
use service::payees::EnteredAccount;
use service::ports::{Clock, shanghai_date};
use service::{Actor, Refusal, Settings};
use testkit::{Sale, Setup, TestApp, YANHU, permit, yuan};

use super::{PROGRAMME, assert_books, reasons, whole, with_money};

const OLD_ACCOUNT: &str = "6222021234567890128";
const NEW_ACCOUNT: &str = "6217001234567890999";

async fn approved(app: &TestApp, claims: Vec<Claim>) -> Vec<ClaimId> {
    let claims = app.submit_batch(claims).await;
    for claim in &claims {
        app.approve(claim.id).await;
    }
    claims.into_iter().map(|claim| claim.id).collect()
}

/// Claims of 600 yuan that the merchant fronted.
async fn of_merchant(app: &TestApp, count: usize) -> Vec<ClaimId> {
    approved(app, app.many(count, &Sale::air_conditioner()).await).await
}

/// Claims of 600 yuan, each paid to its applicant.
async fn of_applicants(app: &TestApp, count: usize) -> Vec<ClaimId> {
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

fn account(name: &str, number: &str) -> EnteredAccount {
    EnteredAccount {
        name: name.into(),
        bank_account: number.into(),
        bank_name: "中国农业银行运城分行".into(),
        bank_code: Some("103181000019".into()),
    }
}

async fn file(app: &TestApp, id: DisbursementId, format: InstructionFormat) -> Result<String, Refusal> {
    let maker = permit::<ManageFunds>(&app.cast.maker);
    match app.service.instruction(&maker, id, format, 1).await {
        Ok(instruction) => Ok(String::from_utf8(instruction.file.bytes).unwrap()),
        Err(error) => Err(error.refusal().unwrap().clone()),
    }
}

/// A day's notification: what was booked and what came back, by payment and reason.
fn camt054(booked: &[&Payment], returned: &[(&Payment, &str)]) -> BankReport {
    let id = |payment: &Payment| payment.id.uuid.simple().to_string();
    let entry = |payment: &Payment, side: &str, more: &str| {
        format!(
            "<Ntry><Amt Ccy=\"CNY\">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
             <BookgDt><Dt>2026-06-02</Dt></BookgDt><NtryDtls><TxDtls><Refs><EndToEndId>{id}</EndToEndId></Refs>\
             <Amt Ccy=\"CNY\">{amount}</Amt>{more}</TxDtls></NtryDtls></Ntry>",
            amount = payment.amount,
            id = id(payment),
        )
    };
    let booked = booked.iter().map(|payment| entry(payment, "DBIT", ""));
    let returned = returned.iter().map(|(payment, code)| {
        let why = format!("<RtrInf><Rsn><Cd>{code}</Cd></Rsn></RtrInf>");
        entry(payment, "CRDT", &why)
    });
    let entries: String = booked.chain(returned).collect();
    let text = format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.054.001.08\"><BkToCstmrDbtCdtNtfctn><GrpHdr>\
         <MsgId>N</MsgId><CreDtTm>2026-06-03T08:00:00+08:00</CreDtTm></GrpHdr><Ntfctn><Id>1</Id>{entries}</Ntfctn>\
         </BkToCstmrDbtCdtNtfctn></Document>"
    );
    BankReport::xml(text.into_bytes())
}

/// An answer to a file as a whole: refused.
fn refused_file(id: DisbursementId) -> BankReport {
    let file = format!("{}001", id.uuid.simple());
    let text = format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt><GrpHdr><MsgId>S</MsgId>\
         <CreDtTm>2026-06-02T10:00:00+08:00</CreDtTm></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>{file}</OrgnlMsgId>\
         <OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>AM05</Cd></Rsn></StsRsnInf>\
         </OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>"
    );
    BankReport::xml(text.into_bytes())
}

async fn report(app: &TestApp, report: BankReport) -> Vec<Result<String, Refusal>> {
    let maker = permit::<ManageFunds>(&app.cast.maker);
    let yanhu = claims::JurisdictionCode::parse(YANHU).unwrap();
    let results = app
        .service
        .record_report(&maker, yanhu, None, report)
        .await
        .unwrap();
    results
        .into_iter()
        .map(|result| result.map(|payment| payment.outcome))
        .collect()
}

async fn reconciled(app: &TestApp, id: DisbursementId) -> Reconciliation {
    let reader = permit::<ReadFunds>(&app.cast.auditor);
    let one = app.service.reconcile_disbursement(&reader, id).await.unwrap();
    let today = shanghai_date(app.clock.now());
    let day = app
        .service
        .reconcile(&reader, YANHU, (today, today))
        .await
        .unwrap();
    assert!(day.contains(&one), "the day has it, too");
    let parts = [one.paid, one.failed, one.returned, one.open];
    let sum = |value: fn(&service::disburse::Count) -> i64| parts.iter().map(value).sum::<i64>();
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

    // One result settles all that a payment pays.
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

    // What the county pays from is not on file: no file, and it says whose account is missing.
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

    // The bank could not pay; the account is put right, and counts in the next payment and not in what was sent.
    app.results(second, &[(&again[0], Some("账户已销户"))])
        .await
        .unwrap();
    let seller = permit::<SubmitClaims>(&app.cast.retailer);
    let corrected = account("", NEW_ACCOUNT);
    app.service
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
        .enter_account(&own, &retailer, account("华联家电", OLD_ACCOUNT))
        .await
        .unwrap();
    assert_eq!(
        (entered.status.as_str(), entered.ends_with.as_str()),
        ("pending", "0128")
    );
    let other = app
        .service
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
        .enter_account(&maker, &retailer, account("华联家电", NEW_ACCOUNT))
        .await
        .unwrap();
    let check = async |actor: &Actor, revision| {
        let treasury = permit::<ManageFunds>(actor);
        app.service
            .check_account(&treasury, &retailer, revision, Check::Approve, None)
            .await
    };
    let alone = check(&app.cast.maker, second.revision).await.unwrap_err();
    assert_eq!(alone.refusal(), Some(&Refusal::FourEyes));
    assert_eq!(
        check(&app.cast.checker, second.revision).await.unwrap().status,
        "approved"
    );
    assert_eq!(
        check(&app.cast.checker, entered.revision).await.unwrap().status,
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
    assert_eq!(app.release(small).await.unwrap().status, "released");

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
        .release_disbursement(&permit(&third), large, None, None)
        .await
        .unwrap()
        .value;
    assert_eq!(released.status, "released");
    assert!(released.digest.unwrap().starts_with("sha256:"));
    app.results(large, &[(&payments[0], None)]).await.unwrap();
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gathering_stops_where_it_is_told_to_and_overtakes_nobody() {
    let app = with_money(6_000).await;
    let claims = of_merchant(&app, 3).await;
    let make = async |gather: Gather, name: &str| {
        let maker = permit::<ManageFunds>(&app.cast.maker);
        app.service
            .make_disbursement(&maker, YANHU, PROGRAMME, gather, key(name))
            .await
            .map(|made| made.value.claims)
    };
    let nobody = Gather {
        merchant: app.cast.other_retailer.merchant.clone(),
        ..Gather::default()
    };
    let nothing = make(nobody, "a").await.unwrap_err();
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
        let id = hold.value.id.parse().unwrap();
        let why = Some("核查无误".to_owned());
        app.service.lift_hold(&treasury, id, why.clone()).await.unwrap();
        let twice = app.service.lift_hold(&treasury, id, why).await.unwrap_err();
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
async fn a_bank_s_reports_count_once_in_any_order() {
    let app = with_money(1_800).await;
    let claims = of_applicants(&app, 3).await;
    let (id, payments) = app.instruct(YANHU, PROGRAMME).await;
    let [first, second, third] = [&payments[0], &payments[1], &payments[2]];

    // The return is told before the payment that it returns.
    let returned = report(&app, camt054(&[], &[(second, "AC04")])).await;
    assert_eq!(returned, [Ok("returned".to_owned())]);
    assert_books(&app, [0, 0, 600, 1_200, 0, 0]).await;
    let day = || camt054(&[first, second], &[(second, "AC04")]);
    let told = report(&app, day()).await;
    let outcomes = ["paid", "returned", "returned"].map(|it| Ok(it.to_owned()));
    assert_eq!(told, outcomes);
    assert_eq!(report(&app, day()).await, outcomes);
    assert_books(&app, [0, 0, 600, 600, 600, 0]).await;

    // Days later the first comes back, too: it is owed again, and paid again by another payment.
    let back = report(&app, camt054(&[], &[(first, "AC06")])).await;
    assert_eq!(back, [Ok("returned".to_owned())]);
    assert_eq!(app.state(claims[0]).await.status, Status::PaymentFailed);
    report(&app, camt054(&[third], &[])).await.pop().unwrap().unwrap();
    let stands = reconciled(&app, id).await;
    assert_eq!(
        (
            stands.paid.payments,
            stands.returned.payments,
            stands.open.payments
        ),
        (1, 2, 0)
    );
    app.pay_out(YANHU, PROGRAMME).await;
    assert_books(&app, [0, 0, 0, 0, 1_800, 0]).await;
    let moves = [
        "reserve",
        "approve",
        "instruct",
        "pay",
        "return_payment",
        "instruct",
        "pay",
    ];
    assert_eq!(reasons(&app, claims[0]).await, moves);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_refused_whole_fails_every_payment_in_it() {
    let app = with_money(1_200).await;
    of_applicants(&app, 2).await;
    let (id, _) = app.instruct(YANHU, PROGRAMME).await;
    let failed = report(&app, refused_file(id)).await;
    assert_eq!(failed, vec![Ok("failed".to_owned()); 2]);
    assert_books(&app, [0, 0, 1_200, 0, 0, 0]).await;
    assert_eq!(report(&app, refused_file(id)).await, failed);
    assert_eq!(reconciled(&app, id).await.failed.amount, whole(1_200));
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fits_nothing_waits_for_another_person() {
    let app = with_money(1_200).await;
    let claims = of_applicants(&app, 2).await;
    let (id, payments) = app.instruct(YANHU, PROGRAMME).await;
    app.results(id, &[(&payments[0], Some("账号不存在")), (&payments[1], None)])
        .await
        .unwrap();
    // The bank paid after all; it pays what nobody asked for; and it paid another sum.
    let late = app.results(id, &[(&payments[0], None)]).await.unwrap();
    assert_eq!(late[0].as_ref().unwrap_err(), &Refusal::ResultContradicts);
    let stranger = Payment {
        id: PaymentId::new(payments[0].id.jurisdiction, uuid::Uuid::from_u128(7)),
        ..payments[0].clone()
    };
    let other_sum = Payment {
        amount: whole(601),
        ..payments[1].clone()
    };
    let told = report(&app, camt054(&[&stranger, &other_sum], &[])).await;
    assert_eq!(
        told,
        [Err(Refusal::NotFound("payment")), Err(Refusal::AmountDiffers)]
    );
    assert_books(&app, [0, 0, 600, 0, 600, 0]).await;
    let reader = permit::<ReadFunds>(&app.cast.auditor);
    let waiting = async || {
        let page = app
            .service
            .bank_exceptions(&reader, Some(YANHU.into()), None, 50)
            .await;
        page.unwrap().items
    };
    let exceptions = waiting().await;
    let kinds = exceptions
        .iter()
        .map(|it| it.exception.as_str())
        .collect::<Vec<_>>();
    assert_eq!(kinds, ["contradicts", "unknown_payment", "amount_differs"]);

    let resolve = async |actor: &Actor, place: usize, resolution| {
        let treasury = permit::<ManageFunds>(actor);
        let why = Some("经与银行核对".to_owned());
        app.service
            .resolve_exception(&treasury, exceptions[place].id, resolution, why)
            .await
    };
    let apply = Resolution::Apply { payment: None };
    let alone = resolve(&app.cast.maker, 0, apply).await.unwrap_err();
    assert_eq!(alone.refusal(), Some(&Refusal::FourEyes));
    let unnamed = resolve(&app.cast.checker, 1, apply).await.unwrap_err();
    assert!(
        matches!(unnamed.refusal(), Some(Refusal::Invalid(_))),
        "{unnamed}"
    );
    let other_sum = resolve(&app.cast.checker, 2, apply).await.unwrap_err();
    assert_eq!(other_sum.refusal(), Some(&Refusal::AmountDiffers));
    assert_eq!(
        resolve(&app.cast.checker, 0, apply).await.unwrap().standing,
        "applied"
    );
    for place in [1, 2] {
        let dismissed = resolve(&app.cast.maker, place, Resolution::Dismiss)
            .await
            .unwrap();
        assert_eq!(dismissed.standing, "dismissed");
    }
    let twice = resolve(&app.cast.checker, 0, apply).await.unwrap_err();
    assert!(
        matches!(twice.refusal(), Some(Refusal::Settled { .. })),
        "{twice}"
    );
    assert_eq!(waiting().await, []);
    assert_books(&app, [0, 0, 0, 0, 1_200, 0]).await;
    assert_eq!(app.state(claims[0]).await.status, Status::Paid);
    let nothing = app.make_disbursement(YANHU, PROGRAMME).await.unwrap_err();
    assert_eq!(nothing.refusal(), Some(&Refusal::NothingPayable));
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_success_is_not_applied_once_another_payment_has_the_claim() {
    let app = with_money(600).await;
    of_applicants(&app, 1).await;
    let (first, payments) = app.instruct(YANHU, PROGRAMME).await;
    app.results(first, &[(&payments[0], Some("系统超时"))])
        .await
        .unwrap();
    let (second, again) = app.instruct(YANHU, PROGRAMME).await;
    let late = app.results(first, &[(&payments[0], None)]).await.unwrap();
    assert_eq!(late[0].as_ref().unwrap_err(), &Refusal::ResultContradicts);
    let reader = permit::<ReadFunds>(&app.cast.auditor);
    let page = app
        .service
        .bank_exceptions(&reader, None, None, 50)
        .await
        .unwrap();
    let treasury = permit::<ManageFunds>(&app.cast.checker);
    let why = Some("银行确认已付".to_owned());
    let apply = Resolution::Apply { payment: None };
    let refused = app
        .service
        .resolve_exception(&treasury, page.items[0].id, apply, why)
        .await
        .unwrap_err();
    assert!(
        matches!(refused.refusal(), Some(Refusal::OutOfTurn { .. })),
        "{refused}"
    );
    app.results(second, &[(&again[0], None)]).await.unwrap();
    assert_books(&app, [0, 0, 0, 0, 600, 0]).await;
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_comes_back_for_returned_goods_is_not_asked_for_twice() {
    let app = with_money(600).await;
    let claim = of_applicants(&app, 1).await[0];
    let (id, payments) = app.instruct(YANHU, PROGRAMME).await;
    app.results(id, &[(&payments[0], None)]).await.unwrap();
    app.return_goods(claim).await.unwrap();
    assert_books(&app, [0, 0, 0, 0, 0, 600]).await;
    let back = PaymentResult {
        said: Said::Returned {
            reason: "账户已销户".into(),
        },
        ..PaymentResult::of(payments[0].id, None)
    };
    let treasury = permit::<ManageFunds>(&app.cast.maker);
    let results = app
        .service
        .record_results(&treasury, id, vec![back])
        .await
        .unwrap();
    assert_eq!(results[0].as_ref().unwrap().outcome, "returned");
    assert_eq!(app.state(claim).await.status, Status::ClawedBack);
    assert_books(&app, [600, 0, 0, 0, 0, 0]).await;
    app.audit().await;
}
