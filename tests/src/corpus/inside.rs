//! All imports of the corpus from behind the HTTP interface and beside the pure crates. When these
//! items move, this file follows and the rest of the corpus stays.

use chrono::{DateTime, Utc};
use claims::claim::Claim;
use secrecy::SecretBox;
use serde_json::Value;
use service::payments::InstructionFormat;
use service::ports::{Answering, Bank, BankError, BankFile, FileName, ResultsPage, Submitted};
use service::{Settings, Vault};
use testkit::{HttpApp, Setup, TestApp, World};

pub(super) use service::Actor;
pub(super) use service::at_rest::document::masked;
pub(super) use service::at_rest::packing::PACKING;

/// Paths and methods of the contract.
pub(super) fn operations() -> Vec<(String, String)> {
    let paths = api::operations().into_iter();
    paths
        .flat_map(|(path, methods)| methods.into_iter().map(move |method| (method, path.clone())))
        .collect()
}

/// The service of the recorded year: it queues files for a bank, two payments each.
pub(super) async fn app() -> HttpApp {
    HttpApp::with(Setup {
        settings: Settings {
            bank_format: Some(InstructionFormat::Pain001),
            bank_file_payments: 2,
            ..Settings::default()
        },
        ..Setup::default()
    })
    .await
}

/// A service with a rate limit of one request a second, and without webhooks.
pub(super) async fn throttled() -> HttpApp {
    HttpApp::with(Setup {
        settings: Settings {
            requests_per_second: 1,
            ..Settings::default()
        },
        webhooks: false,
        ..Setup::default()
    })
    .await
}

pub(super) fn now(world: &World) -> DateTime<Utc> {
    world.service.clock().now()
}

/// One round of a worker that has just started.
pub(super) async fn work(world: &World) {
    world.service.worker().work(None, None).await.unwrap();
}

/// A bank that accepts every file and reports nothing.
#[derive(Debug)]
struct SilentBank;

impl Bank for SilentBank {
    fn submit<'a>(&'a self, file: &'a BankFile, _: &'a str) -> Answering<'a, Result<Submitted, BankError>> {
        let reference = Some(format!("ABC-{}", file.bytes().len()));
        Box::pin(std::future::ready(Ok(Submitted { reference })))
    }

    fn results<'a>(&'a self, _: Option<&'a str>) -> Answering<'a, Result<ResultsPage, BankError>> {
        let page = ResultsPage {
            files: Vec::new(),
            next: None,
        };
        Box::pin(std::future::ready(Ok(page)))
    }

    fn acknowledge<'a>(&'a self, _: &'a FileName, _: &'a [u8; 32]) -> Answering<'a, Result<(), BankError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Submits every queued file to the bank.
pub(super) async fn submit_to_bank(world: &World) {
    world
        .service
        .payments()
        .submit_to_bank(&SilentBank)
        .await
        .unwrap();
}

/// A bundle of all ledgers, as `huanxin export` writes it, that continues from `before`.
pub(super) async fn bundle(world: &World, before: Option<&proof::Manifest>) -> (proof::Manifest, Vec<u8>) {
    crate::bundles::bundle(world, before).await
}

/// The keys of `testkit`'s service.
pub(super) fn vault() -> Vault {
    let key = |byte| SecretBox::new(Box::new([byte; 32]));
    Vault::new(&[("test".into(), key(1))], &key(2)).unwrap()
}

pub(super) fn pack(text: &[u8]) -> Vec<u8> {
    service::at_rest::packing::pack(text).unwrap()
}

pub(super) fn unpack(packing: i16, packed: Vec<u8>) -> Vec<u8> {
    service::at_rest::packing::unpack(packing, packed).unwrap()
}

pub(super) fn write_document(claim: &Claim) -> String {
    String::from_utf8(service::at_rest::document::write(claim)).unwrap()
}

pub(super) fn read_document(text: &str) -> Claim {
    service::at_rest::document::read(text.as_bytes()).unwrap()
}

pub(super) fn revealed(claim: &Claim) -> Value {
    service::at_rest::document::revealed(claim)
}

/// Every sealed text of the database, opened, with a heading: claims, accounts, corrected payees
/// and webhook endpoints, in order of writing.
pub(super) async fn at_rest(app: &TestApp) -> Vec<(String, String)> {
    const CLAIMS: &str = "SELECT 'claim ' || claim || ' ' || revision || '|' || key_id || '|' || jurisdiction || '/' || claim || '/' || \
        revision || '|' || packing || '|' || encode(sealed, 'hex') FROM decisions ORDER BY jurisdiction, leaf";
    const ACCOUNTS: &str = "SELECT 'account ' || holder || ' ' || revision || '|' || key_id || '|account/' || holder || '/' || \
        revision || '|0|' || encode(sealed, 'hex') FROM bank_accounts ORDER BY made_at, holder, revision";
    const WEBHOOKS: &str = "SELECT 'webhook ' || id || '|' || key_id || '|webhook/' || jurisdiction || '/' || \
        replace(id::text, '-', '') || '|0|' || encode(sealed, 'hex') FROM webhook_endpoints WHERE sealed <> '' ORDER BY id";
    const PAYEES: &str = "SELECT 'payee ' || claim || ' ' || revision || '|' || key_id || '|payee/' || jurisdiction || '/' || \
        replace(claim::text, '-', '') || '/' || revision || '|0|' || encode(sealed, 'hex') FROM payee_corrections ORDER BY claim, revision";
    let mut rows = Vec::new();
    for statement in [CLAIMS, ACCOUNTS, PAYEES, WEBHOOKS] {
        rows.extend(app.db.rows(statement).await);
    }
    let vault = vault();
    let opened = |row: String| {
        let parts = row.split('|').collect::<Vec<_>>();
        let [what, key, place, packing, sealed] = parts[..] else {
            panic!("{row}")
        };
        let packed = vault.open(key, place, &hex::decode(sealed).unwrap()).unwrap();
        let text = unpack(packing.parse().unwrap(), packed);
        (what.to_owned(), String::from_utf8(text).unwrap())
    };
    rows.into_iter().map(opened).collect()
}

/// What is kept under the keys of operations, in order of writing: the operation, and the answer
/// with its kind.
pub(super) async fn kept_answers(app: &TestApp) -> Vec<String> {
    let statement = "SELECT operation || ' ' || answer FROM idempotency_keys WHERE answer IS NOT NULL \
        ORDER BY created_at, operation, coalesce(answer::jsonb -> 'answer' ->> 'id', answer::jsonb -> 'answer' ->> 'claim'), \
        answer::jsonb -> 'answer' ->> 'revision'";
    app.db.rows(statement).await
}

/// Damages every sealed document.
pub(super) async fn spoil(app: &TestApp) {
    app.db.rows("UPDATE decisions SET sealed = '\\x00'").await;
}

/// Refuses every connection to the database.
pub(super) async fn close(app: &TestApp) {
    let statement = format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", app.db.name());
    app.db.cluster().sql("postgres", &statement).await.unwrap();
    app.db.disconnect().await;
}
