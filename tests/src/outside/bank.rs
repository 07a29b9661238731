//! The bank's gateway: released files are submitted without a person, once, through any fault; and
//! reports are recorded.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration as Waited;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::Duration;
use claims::ids::DisbursementId;
use claims::life_cycle::Status;
use claims::payments::{EntryException, SubmissionProblem};
use partners::{HttpBank, HttpBankConfig, Timeouts};
use serde_json::json;
use service::operation::access::{ManageFunds, ReadFunds};
use service::payments::{
    InstructionFormat, Payment, PollRound, Submission, SubmissionResolution, Submissions,
};
use service::{Refusal, Settings};
use sha2::{Digest, Sha256};
use testkit::{LINYI, Sale, Setup, TestApp, YANHU, permit, yuan};

use super::{Act, Asked, Server};
use crate::life::payees::{of_applicants, of_merchant};

pub(super) const PROGRAMME: &str = "appliance-2026";
const POLL: Duration = Duration::minutes(1);

/// A bank's gateway by its contract, and the faults of its next requests, in order.
#[derive(Default)]
struct Gateway {
    faults: VecDeque<Fault>,
    /// Bytes by key: the files it accepted.
    taken: BTreeMap<String, Vec<u8>>,
    /// Every request for orders: name, key, bytes.
    handed: Vec<(String, String, Vec<u8>)>,
    reports: Vec<(String, &'static str, Vec<u8>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Unavailable,
    Reset,
    /// Accepted, and the answer lost.
    TakenAndReset,
    TakenAndSilent,
    Refused,
}

impl Gateway {
    fn act(&mut self, asked: &Asked) -> Act {
        match asked.path.split_once("/files/") {
            Some((_, name)) if asked.method == "PUT" => self.orders(name, asked),
            _ if asked.path.starts_with("/results/") => self.report(asked),
            _ => self.list(asked),
        }
    }

    fn orders(&mut self, name: &str, asked: &Asked) -> Act {
        let key = asked.header("idempotency-key").unwrap().to_owned();
        let digest = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(&asked.body)));
        assert_eq!(asked.header("content-digest"), Some(digest.as_str()));
        self.handed
            .push((name.to_owned(), key.clone(), asked.body.clone()));
        let fault = self.faults.pop_front();
        match fault {
            Some(Fault::Unavailable) => return Act::status(429),
            Some(Fault::Reset) => return Act::Reset,
            Some(Fault::Refused) => {
                return Act::Answer(422, "application/problem+json", b"{\"title\":\"no\"}".to_vec());
            }
            _ => {}
        }
        let first = self.taken.entry(key).or_insert_with(|| asked.body.clone());
        if *first != asked.body {
            return Act::Answer(422, "application/problem+json", b"{}".to_vec());
        }
        match fault {
            Some(Fault::TakenAndReset) => Act::Reset,
            Some(Fault::TakenAndSilent) => Act::Silence,
            _ => {
                let sha256 = hex::encode(Sha256::digest(&asked.body));
                let receipt = json!({"reference": format!("ABC-{name}"), "sha256": sha256});
                Act::Answer(200, "application/json", receipt.to_string().into_bytes())
            }
        }
    }

    fn list(&self, asked: &Asked) -> Act {
        let since = asked
            .path
            .split_once("since=c")
            .map(|(_, it)| it.parse::<usize>().unwrap());
        let from = since.map_or(0, |it| it + 1);
        let files = self.reports.iter().enumerate().skip(from).take(4);
        let files = files.map(|(place, (name, kind, bytes))| {
            json!({"cursor": format!("c{place}"), "name": name, "media_type": kind, "size": bytes.len(),
                "sha256": hex::encode(Sha256::digest(bytes))})
        });
        let answer = json!({"files": files.collect::<Vec<_>>()});
        Act::Answer(200, "application/json", answer.to_string().into_bytes())
    }

    fn report(&self, asked: &Asked) -> Act {
        let name = asked.path.trim_start_matches("/results/");
        let found = self.reports.iter().find(|it| it.0 == name).unwrap();
        Act::Answer(200, found.1, found.2.clone())
    }
}

pub(super) struct Bank {
    gateway: Arc<Mutex<Gateway>>,
    server: Server,
    adapter: HttpBank,
}

impl Bank {
    pub(super) async fn of(app: &TestApp) -> Self {
        let gateway = Arc::new(Mutex::new(Gateway::default()));
        let it = gateway.clone();
        let server = Server::start(move |asked| it.lock().unwrap().act(asked)).await;
        let adapter = adapter(&server, app);
        Self {
            gateway,
            server,
            adapter,
        }
    }

    /// Another process, without memory of the first.
    pub(super) fn restarted(&mut self, app: &TestApp) {
        self.adapter = adapter(&self.server, app);
    }

    pub(super) fn fail(&self, faults: &[Fault]) {
        self.gateway.lock().unwrap().faults.extend(faults);
    }

    pub(super) fn handed(&self) -> Vec<(String, String, Vec<u8>)> {
        self.gateway.lock().unwrap().handed.clone()
    }

    pub(super) fn taken(&self) -> usize {
        self.gateway.lock().unwrap().taken.len()
    }

    fn reports(&self, reports: &[(&str, &'static str, Vec<u8>)]) {
        let reports = reports
            .iter()
            .map(|(name, kind, bytes)| ((*name).to_owned(), *kind, bytes.clone()));
        self.gateway.lock().unwrap().reports.extend(reports);
    }

    pub(super) async fn submit(&self, app: &TestApp) -> Submissions {
        app.service
            .payments()
            .submit_to_bank(&self.adapter)
            .await
            .unwrap()
    }

    async fn poll(&self, app: &TestApp) -> PollRound {
        app.service
            .payments()
            .poll_bank(&self.adapter, "gateway", POLL)
            .await
            .unwrap()
    }
}

fn adapter(server: &Server, app: &TestApp) -> HttpBank {
    let config = HttpBankConfig {
        url: server.url(),
        identity: None,
        root_certificates: None,
        timeouts: Timeouts {
            connect: Waited::from_secs(5),
            attempt: Waited::from_secs(5),
            call: Waited::from_secs(10),
        },
    };
    HttpBank::new(&config, app.clock.clone()).unwrap()
}

pub(super) fn setup(per_file: usize) -> Setup {
    Setup {
        settings: Settings {
            bank_format: Some(InstructionFormat::Pain001),
            bank_file_payments: per_file,
            ..Settings::default()
        },
        ..Setup::default()
    }
}

/// A fund with money, a bank that accepts files over the gateway, this many payments a file, and
/// accounts on file.
pub(super) async fn with_bank(money: i64, per_file: usize) -> TestApp {
    let app = TestApp::with(setup(per_file)).await;
    app.appropriate(YANHU, PROGRAMME, ledger::Fen::new(money * 100).unwrap())
        .await;
    app.account_on_file(YANHU, "14050167890800000123").await;
    app
}

pub(super) async fn submissions(app: &TestApp, id: DisbursementId) -> Vec<Submission> {
    let reader = permit::<ReadFunds>(&app.cast.auditor);
    app.service
        .payments()
        .submissions(&reader, id, None, 200)
        .await
        .unwrap()
        .items
}

fn statuses(submissions: &[Submission]) -> Vec<(&str, bool)> {
    submissions
        .iter()
        .map(|it| (it.status.as_str(), it.in_doubt))
        .collect()
}

/// A notification of payments, and of one that this service did not make.
pub(super) fn booked(payments: &[&Payment], others: &[(&str, &str)]) -> Vec<u8> {
    let ours = payments
        .iter()
        .map(|it| (it.id.uuid.simple().to_string(), it.amount.to_string()));
    let others = others
        .iter()
        .map(|(id, amount)| ((*id).to_owned(), (*amount).to_owned()));
    let entries = ours.chain(others).map(|(id, amount)| {
        format!(
            "<Ntry><Amt Ccy=\"CNY\">{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-06-16</Dt></BookgDt>\
             <NtryDtls><TxDtls><Refs><EndToEndId>{id}</EndToEndId></Refs><Amt Ccy=\"CNY\">{amount}</Amt></TxDtls></NtryDtls></Ntry>"
        )
    });
    format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.054.001.08\"><BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>N</MsgId>\
         <CreDtTm>2026-06-16T08:00:00+08:00</CreDtTm></GrpHdr><Ntfctn><Id>1</Id>{}</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>",
        entries.collect::<String>()
    )
    .into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_and_key_until_the_bank_says_so() {
    let app = with_bank(1_200, 2_000).await;
    let mut bank = Bank::of(&app).await;
    of_applicants(&app, 2).await;
    let (id, _) = app.instruct(YANHU, PROGRAMME).await;
    // Three attempts of a call each: nothing accepted; accepted or not; accepted, and the answer
    // lost.
    bank.fail(&[Fault::Unavailable; 3]);
    bank.fail(&[Fault::Reset; 3]);
    bank.fail(&[Fault::TakenAndReset; 3]);
    assert_eq!(bank.submit(&app).await.delayed, 1);
    let [first] = &submissions(&app, id).await[..] else {
        panic!()
    };
    assert_eq!(
        (first.status.as_str(), first.in_doubt, first.problem),
        ("queued", false, Some(SubmissionProblem::Unavailable))
    );
    // Not before it is due.
    assert_eq!(bank.submit(&app).await, Submissions::default());
    for _ in 0..2 {
        app.clock.advance(Duration::hours(2));
        bank.restarted(&app);
        assert_eq!(bank.submit(&app).await.delayed, 1);
        let [doubted] = &submissions(&app, id).await[..] else {
            panic!()
        };
        assert_eq!(
            (doubted.in_doubt, doubted.problem.map(SubmissionProblem::as_str)),
            (true, Some("unknown"))
        );
    }
    // No person may carry it there while the bank may have it.
    let maker = permit::<ManageFunds>(&app.cast.maker);
    let by_hand = app
        .service
        .payments()
        .resolve_submission(&maker, id, 1, SubmissionResolution::ByHand, Some("急".into()))
        .await;
    assert_eq!(by_hand.unwrap_err().refusal(), Some(&Refusal::BankMayHaveIt));

    app.clock.advance(Duration::hours(2));
    bank.restarted(&app);
    let said = bank.submit(&app).await;
    let [taken] = &submissions(&app, id).await[..] else {
        panic!()
    };
    assert_eq!(said.taken, 1, "{said:?}: {taken:?}");
    assert_eq!(
        (taken.status.as_str(), taken.in_doubt, taken.attempts),
        ("taken", false, 4)
    );
    assert_eq!(taken.reference, Some(format!("ABC-{}", taken.name)));
    let handed = bank.handed();
    assert_eq!(handed.len(), 10);
    assert_eq!(
        handed.iter().collect::<BTreeSet<_>>().len(),
        1,
        "other bytes or another key"
    );
    assert_eq!(
        hex::encode(Sha256::digest(&handed[0].2)),
        taken.sha256.clone().unwrap()
    );
    assert_eq!(bank.taken(), 1);
    // Accounts went out four times, and each time is on record.
    let seen = "SELECT count(*) FROM events WHERE verb = 'submit_instruction' AND reason IS NOT NULL";
    assert_eq!(app.db.row(seen).await, "4");
    assert_eq!(
        app.db
            .row("SELECT count(*) FROM bank_submissions WHERE sealed IS NOT NULL")
            .await,
        "0"
    );
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_submission_and_record_repeats_it_and_pays_once() {
    let app = with_bank(600, 2_000).await;
    let bank = Bank::of(&app).await;
    of_applicants(&app, 1).await;
    let (id, _) = app.instruct(YANHU, PROGRAMME).await;
    bank.fail(&[Fault::TakenAndSilent]);
    {
        let submitting = app.service.payments().submit_to_bank(&bank.adapter);
        tokio::select! {
            _ = submitting => panic!("the bank is silent"),
            () = bank.server.came() => {}
        }
    }
    assert_eq!(statuses(&submissions(&app, id).await), [("queued", true)]);
    // The next worker waits for the lease.
    assert_eq!(bank.submit(&app).await, Submissions::default());
    app.clock.advance(Duration::minutes(16));
    assert_eq!(bank.submit(&app).await.taken, 1);
    let handed = bank.handed();
    assert_eq!((handed.len(), bank.taken()), (2, 1));
    assert_eq!(handed[0], handed[1]);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_race_hand_over_each_file_once() {
    let app = with_bank(6_000, 1).await;
    let bank = Bank::of(&app).await;
    of_applicants(&app, 8).await;
    let (id, _) = app.instruct(YANHU, PROGRAMME).await;
    let rounds = (0..4).map(|_| app.service.payments().submit_to_bank(&bank.adapter));
    let taken = futures::future::try_join_all(rounds).await.unwrap();
    assert_eq!(taken.iter().map(|it| it.taken).sum::<usize>(), 8);
    let handed = bank.handed();
    let names = handed.iter().map(|it| &it.0).collect::<BTreeSet<_>>();
    assert_eq!((handed.len(), names.len()), (8, 8));
    let all = submissions(&app, id).await;
    assert!(
        all.iter()
            .all(|it| it.status.as_str() == "taken" && it.attempts == 1),
        "{all:?}"
    );
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_bank_refuses_waits_for_a_person() {
    let app = with_bank(1_200, 1).await;
    let bank = Bank::of(&app).await;
    of_applicants(&app, 2).await;
    let (id, payments) = app.instruct(YANHU, PROGRAMME).await;
    bank.fail(&[Fault::Refused, Fault::Refused]);
    assert_eq!(bank.submit(&app).await.refused, 2);
    let refused = submissions(&app, id).await;
    assert_eq!(statuses(&refused), [("refused", false), ("refused", false)]);
    assert!(refused[0].why.as_ref().is_some_and(|why| !why.is_empty()));
    app.clock.advance(Duration::days(1));
    assert_eq!(bank.submit(&app).await, Submissions::default());

    let maker = permit::<ManageFunds>(&app.cast.maker);
    let resolve = async |part, resolution, why: Option<&str>| {
        app.service
            .payments()
            .resolve_submission(&maker, id, part, resolution, why.map(str::to_owned))
            .await
    };
    let mute = resolve(1, SubmissionResolution::SubmitAgain, None).await;
    assert_eq!(mute.unwrap_err().refusal(), Some(&Refusal::ReasonRequired));
    let again = resolve(1, SubmissionResolution::SubmitAgain, Some("银行已开通"))
        .await
        .unwrap();
    assert_eq!((again.version, again.status.as_str()), (2, "queued"));
    assert_ne!(again.name, refused[0].name);
    // The other file's payment is recorded as failed: the next disbursement pays it, and this file
    // never.
    app.results(id, &[(&payments[1], Some("银行拒收文件"))])
        .await
        .unwrap();
    let late = resolve(2, SubmissionResolution::SubmitAgain, Some("再报")).await;
    let settled = Refusal::Settled {
        what: "submission",
        status: "settled".into(),
    };
    assert_eq!(late.unwrap_err().refusal(), Some(&settled));
    assert_eq!(bank.submit(&app).await.taken, 1);
    let all = submissions(&app, id).await;
    assert_eq!(
        statuses(&all),
        [("replaced", false), ("taken", false), ("refused", false)]
    );
    let handed = bank.handed();
    assert_eq!(handed[2].0, again.name);
    assert_eq!(handed[2].2, handed[0].2, "the same orders under a new name");
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_settled_or_taken_over_is_not_submitted() {
    let app = with_bank(1_200, 1).await;
    let bank = Bank::of(&app).await;
    of_applicants(&app, 2).await;
    let (id, payments) = app.instruct(YANHU, PROGRAMME).await;
    app.results(id, &[(&payments[0], Some("付款前撤回"))])
        .await
        .unwrap();
    let maker = permit::<ManageFunds>(&app.cast.maker);
    app.service
        .payments()
        .resolve_submission(
            &maker,
            id,
            2,
            SubmissionResolution::ByHand,
            Some("网银提交".into()),
        )
        .await
        .unwrap();
    assert_eq!(bank.submit(&app).await, Submissions::default());
    assert!(bank.handed().is_empty());
    assert_eq!(
        statuses(&submissions(&app, id).await),
        [("settled", false), ("by_hand", false)]
    );
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_lacks_an_account_is_released_to_the_bank() {
    let app = with_bank(1_200, 2_000).await;
    let retailer = app.cast.retailer.merchant.clone().unwrap();
    of_merchant(&app, 2).await;
    let id = app.make_disbursement(YANHU, PROGRAMME).await.unwrap();
    let refused = app.release(id).await.unwrap_err();
    assert_eq!(
        refused.refusal(),
        Some(&Refusal::AccountMissing(vec![retailer.clone()]))
    );
    app.service
        .payments()
        .cancel_disbursement(&permit(&app.cast.maker), id, Some("缺账户".into()))
        .await
        .unwrap();
    app.account_on_file(&retailer, "6222021234567890128").await;
    let (id, _) = app.instruct(YANHU, PROGRAMME).await;
    assert_eq!(submissions(&app, id).await.len(), 1);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_s_reports_are_recorded_once_and_garbled_ones_block_no_other() {
    let app = with_bank(1_800, 2_000).await;
    let bank = Bank::of(&app).await;
    let claims = of_applicants(&app, 3).await;
    let (_, payments) = app.instruct(YANHU, PROGRAMME).await;
    let stranger = uuid::Uuid::from_u128(7).simple().to_string();
    let xml = "application/xml";
    bank.reports(&[
        ("1.xml", xml, booked(&[&payments[0]], &[(&stranger, "5.00")])),
        ("2.xml", xml, b"<Document>garbled".to_vec()),
        ("3.xml", xml, booked(&[&payments[1]], &[])),
        ("4.xml", xml, booked(&[&payments[0], &payments[1]], &[])),
        ("5.xml", xml, booked(&[&payments[2]], &[])),
    ]);
    // Two at once: one has the lease, and a repeat would change nothing anyway.
    let (one, other) = tokio::join!(bank.poll(&app), bank.poll(&app));
    let sum = |of: fn(&PollRound) -> usize| of(&one) + of(&other);
    assert_eq!(
        (
            sum(|it| it.recorded),
            sum(|it| it.unreadable),
            sum(|it| it.exceptions)
        ),
        (4, 1, 1)
    );
    for claim in claims {
        assert_eq!(app.state(claim).await.status, Status::Paid);
    }
    let reader = permit::<ReadFunds>(&app.cast.auditor);
    let set_aside = app
        .service
        .payments()
        .fetched_reports(&reader, true, None, 200)
        .await
        .unwrap()
        .items;
    assert_eq!(set_aside.len(), 1);
    assert_eq!(set_aside[0].name, "2.xml");
    assert!(set_aside[0].fault.as_ref().is_some_and(|(_, line, _)| *line == 1));
    let exceptions = app
        .service
        .payments()
        .bank_exceptions(&reader, None, None, 200)
        .await
        .unwrap()
        .items;
    assert_eq!(exceptions.len(), 1);
    assert_eq!(
        (exceptions[0].exception, exceptions[0].id.jurisdiction.as_str()),
        (Some(EntryException::UnknownPayment), YANHU)
    );
    // Not before it is due, and from its cursor.
    assert_eq!(bank.poll(&app).await, PollRound::default());
    let asked = bank.server.asked().len();
    app.clock.advance(POLL);
    assert_eq!(bank.poll(&app).await, PollRound::default());
    assert_eq!(bank.server.asked().len(), asked + 1);
    assert!(bank.server.asked().last().unwrap().path.ends_with("since=c4"));
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_report_may_be_about_several_counties() {
    let app = with_bank(600, 2_000).await;
    let bank = Bank::of(&app).await;
    app.appropriate(LINYI, PROGRAMME, yuan("600.00")).await;
    app.account_on_file(LINYI, "14050167890800000456").await;
    app.account_on_file(
        &app.cast.retailer.merchant.clone().unwrap(),
        "6222021234567890128",
    )
    .await;
    of_merchant(&app, 1).await;
    let mut there = app.sale(&Sale::air_conditioner()).await;
    there.jurisdiction = claims::JurisdictionCode::parse(LINYI).unwrap();
    let there = app.submit(there).await;
    app.approve(there.id).await;
    let (_, here) = app.instruct(YANHU, PROGRAMME).await;
    let (_, away) = app.instruct(LINYI, PROGRAMME).await;
    bank.reports(&[("day.xml", "application/xml", booked(&[&away[0], &here[0]], &[]))]);
    let done = bank.poll(&app).await;
    assert_eq!((done.recorded, done.exceptions), (1, 0));
    assert_eq!(app.state(there.id).await.status, Status::Paid);
    assert_eq!(app.balances(YANHU, PROGRAMME).await.disbursed, yuan("600.00"));
    app.audit().await;
}
