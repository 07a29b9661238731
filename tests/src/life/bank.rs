//! A bank's reports in its own formats, and the entries that are set aside.

use claims::ids::{BankEntryId, DisbursementId, PaymentId};
use claims::life_cycle::Status;
use claims::payments::BankStatus;
use service::operation::access::{ManageFunds, ReadFunds};
use service::payments::{BankReport, Payment, PaymentResult, Resolution};
use service::{Actor, Refusal};
use testkit::{TestApp, YANHU, permit};

use super::payees::{of_applicants, reconciled};
use super::{PROGRAMME, assert_books, reasons, whole, with_money};

/// A day's notification: bookings and returns, by payment and reason.
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

async fn report(app: &TestApp, report: BankReport) -> Vec<Result<&'static str, Refusal>> {
    let maker = permit::<ManageFunds>(&app.cast.maker);
    let yanhu = claims::JurisdictionCode::parse(YANHU).unwrap();
    let results = app
        .service
        .payments()
        .record_report(&maker, yanhu, None, report)
        .await
        .unwrap();
    results
        .into_iter()
        .map(|result| result.map(|payment| payment.outcome.as_str()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_s_reports_count_once_in_any_order() {
    let app = with_money(1_800).await;
    let claims = of_applicants(&app, 3).await;
    let (id, payments) = app.instruct(YANHU, PROGRAMME).await;
    let [first, second, third] = [&payments[0], &payments[1], &payments[2]];

    // The return is reported before the payment that it returns.
    let returned = report(&app, camt054(&[], &[(second, "AC04")])).await;
    assert_eq!(returned, [Ok("returned")]);
    assert_books(&app, [0, 0, 600, 1_200, 0, 0]).await;
    let day = || camt054(&[first, second], &[(second, "AC04")]);
    let answers = report(&app, day()).await;
    let outcomes = ["paid", "returned", "returned"].map(Ok);
    assert_eq!(answers, outcomes);
    assert_eq!(report(&app, day()).await, outcomes);
    assert_books(&app, [0, 0, 600, 600, 600, 0]).await;

    // Days later the first is returned, too: it is owed again, and paid again by another payment.
    let back = report(&app, camt054(&[], &[(first, "AC06")])).await;
    assert_eq!(back, [Ok("returned")]);
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
    assert_eq!(failed, vec![Ok("failed"); 2]);
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
    // The bank paid after all; it paid without an instruction; and it paid another sum.
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
    let answers = report(&app, camt054(&[&stranger, &other_sum], &[])).await;
    assert_eq!(
        answers,
        [Err(Refusal::NotFound("payment")), Err(Refusal::AmountDiffers)]
    );
    assert_books(&app, [0, 0, 600, 0, 600, 0]).await;
    let reader = permit::<ReadFunds>(&app.cast.auditor);
    let waiting = async || {
        let page = app
            .service
            .payments()
            .bank_exceptions(&reader, Some(YANHU.into()), None, 50)
            .await;
        page.unwrap().items
    };
    let exceptions = waiting().await;
    let kinds = exceptions
        .iter()
        .filter_map(|it| Some(it.exception?.as_str()))
        .collect::<Vec<_>>();
    assert_eq!(kinds, ["contradicts", "unknown_payment", "amount_differs"]);

    let resolve = async |actor: &Actor, place: usize, resolution| {
        let treasury = permit::<ManageFunds>(actor);
        let why = Some("经与银行核对".to_owned());
        app.service
            .payments()
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
        resolve(&app.cast.checker, 0, apply)
            .await
            .unwrap()
            .standing
            .as_str(),
        "applied"
    );
    for place in [1, 2] {
        let dismissed = resolve(&app.cast.maker, place, Resolution::Dismiss)
            .await
            .unwrap();
        assert_eq!(dismissed.standing.as_str(), "dismissed");
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
async fn what_a_person_applied_to_another_payment_may_be_said_again() {
    let app = with_money(600).await;
    of_applicants(&app, 1).await;
    let (_, payments) = app.instruct(YANHU, PROGRAMME).await;
    let misnamed = Payment {
        id: PaymentId::new(payments[0].id.jurisdiction, uuid::Uuid::from_u128(7)),
        ..payments[0].clone()
    };
    let say = async || report(&app, camt054(&[&misnamed], &[])).await;
    assert_eq!(say().await, [Err(Refusal::NotFound("payment"))]);
    let reader = permit::<ReadFunds>(&app.cast.auditor);
    let page = app
        .service
        .payments()
        .bank_exceptions(&reader, None, None, 50)
        .await;
    let treasury = permit::<ManageFunds>(&app.cast.checker);
    let apply = Resolution::Apply {
        payment: Some(payments[0].id),
    };
    let why = Some("银行更正流水号".to_owned());
    app.service
        .payments()
        .resolve_exception(&treasury, page.unwrap().items[0].id, apply, why)
        .await
        .unwrap();
    assert_eq!(say().await, [Ok("paid")]);
    assert_books(&app, [0, 0, 0, 0, 600, 0]).await;
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exception_filed_with_the_city_is_applied_in_the_payment_s_county() {
    let app = with_money(600).await;
    of_applicants(&app, 1).await;
    let (_, payments) = app.instruct(YANHU, PROGRAMME).await;
    let misnamed = Payment {
        id: PaymentId::new(payments[0].id.jurisdiction, uuid::Uuid::from_u128(7)),
        ..payments[0].clone()
    };
    let city = claims::JurisdictionCode::parse("140800").unwrap();
    let maker = permit::<ManageFunds>(&app.cast.maker);
    let say = async || {
        let said = app
            .service
            .payments()
            .record_report(&maker, city, None, camt054(&[&misnamed], &[]))
            .await
            .unwrap();
        said.into_iter()
            .map(|result| result.map(|payment| payment.outcome.as_str()))
            .collect::<Vec<_>>()
    };
    assert_eq!(say().await, [Err(Refusal::NotFound("payment"))]);
    let reader = permit::<ReadFunds>(&app.cast.auditor);
    let waiting = async || {
        let page = app
            .service
            .payments()
            .bank_exceptions(&reader, None, None, 50)
            .await;
        page.unwrap().items
    };
    let exception = waiting().await.remove(0);
    assert_eq!(exception.id.jurisdiction, city);
    let apply = async |actor: &Actor| {
        let resolution = Resolution::Apply {
            payment: Some(payments[0].id),
        };
        let why = Some("银行更正流水号".to_owned());
        app.service
            .payments()
            .resolve_exception(&permit(actor), exception.id, resolution, why)
            .await
    };
    // A person without a right in that county moves none of its money, and neither does the person
    // who brought the report in.
    let elsewhere = Actor {
        jurisdictions: vec!["140800".into()],
        ..app.cast.checker.clone()
    };
    assert_eq!(
        apply(&elsewhere).await.unwrap_err().refusal(),
        Some(&Refusal::OtherJurisdiction)
    );
    assert_eq!(
        apply(&app.cast.maker).await.unwrap_err().refusal(),
        Some(&Refusal::FourEyes)
    );
    assert_books(&app, [0, 0, 0, 600, 0, 0]).await;

    let applied = apply(&app.cast.checker).await.unwrap();
    assert_eq!(
        (applied.payment, applied.standing.as_str()),
        (Some(payments[0].id), "applied")
    );
    assert_eq!(
        applied.id,
        BankEntryId::new(payments[0].id.jurisdiction, exception.id.uuid)
    );
    assert_books(&app, [0, 0, 0, 0, 600, 0]).await;
    // Reported again, it moves nothing and raises no new exception; nor is it resolved twice.
    assert_eq!(say().await, [Err(Refusal::NotFound("payment"))]);
    assert_eq!(waiting().await, []);
    assert!(matches!(
        apply(&app.cast.checker).await.unwrap_err().refusal(),
        Some(Refusal::Settled { .. })
    ));
    assert_books(&app, [0, 0, 0, 0, 600, 0]).await;
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
        .payments()
        .bank_exceptions(&reader, None, None, 50)
        .await
        .unwrap();
    let treasury = permit::<ManageFunds>(&app.cast.checker);
    let why = Some("银行确认已付".to_owned());
    let apply = Resolution::Apply { payment: None };
    let refused = app
        .service
        .payments()
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
        status: BankStatus::Returned,
        reason: Some("账户已销户".into()),
        ..PaymentResult::of(payments[0].id, None)
    };
    let treasury = permit::<ManageFunds>(&app.cast.maker);
    let results = app
        .service
        .payments()
        .record_results(&treasury, id, vec![back])
        .await
        .unwrap();
    assert_eq!(results[0].as_ref().unwrap().outcome.as_str(), "returned");
    assert_eq!(app.state(claim).await.status, Status::ClawedBack);
    assert_books(&app, [600, 0, 0, 0, 0, 0]).await;
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_comes_eight_times_at_once_is_set_aside_once() {
    let app = with_money(600).await;
    of_applicants(&app, 1).await;
    let (_, payments) = app.instruct(YANHU, PROGRAMME).await;
    // An unknown payment waits for no lock of ours.
    let stranger = Payment {
        id: PaymentId::new(payments[0].id.jurisdiction, uuid::Uuid::from_u128(7)),
        ..payments[0].clone()
    };
    let answers = futures::future::join_all((0..8).map(|_| report(&app, camt054(&[&stranger], &[])))).await;
    assert_eq!(answers, vec![vec![Err(Refusal::NotFound("payment"))]; 8]);
    let reader = permit::<ReadFunds>(&app.cast.auditor);
    let waiting = app
        .service
        .payments()
        .bank_exceptions(&reader, None, None, 50)
        .await
        .unwrap();
    assert_eq!(waiting.items.len(), 1);
    app.audit().await;
}
