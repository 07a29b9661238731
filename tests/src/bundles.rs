//! Bundles: an auditor takes one home, checks it with nothing but a public key, and detects any
//! change in it.

mod mutations;
mod tampering;

use std::io::Cursor;

use ledger::log::{LogKey, PublicKey};
use proof::{Fault, Manifest, Report};
use service::audit::Sampling;
use service::operation::access::DrawSamples;
use testkit::{LINYI, Sale, TestApp, World, YANHU, yuan};

const PROGRAMME: &str = "appliance-2026";

/// The key that signs the tests' log.
fn log_key() -> LogKey {
    LogKey::new("huanxin.example/yuncheng", &[4; 32]).unwrap()
}

fn key() -> PublicKey {
    log_key().public()
}

/// Everything, as `huanxin export` writes it.
pub(crate) async fn bundle(world: &World, before: Option<&Manifest>) -> (Manifest, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let mut file = Vec::new();
    let manifest = world
        .service
        .audit()
        .write_bundle(&[], before, folder.path(), &mut file)
        .await
        .unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    (manifest, file)
}

pub(crate) fn verified(bundle: &[u8]) -> Result<Report, Fault> {
    proof::verify(Cursor::new(bundle), &key(), &[testkit::witness().public()])
}

/// The output of the second verifier, which shares no line with `huanxin verify`.
pub(crate) fn by_another_program(bundle: &[u8]) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bundle.tar");
    std::fs::write(&path, bundle).unwrap();
    let output = std::process::Command::new("python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/verify_bundle.py"))
        .arg(&path)
        .args(["--key", &key().to_string()])
        .output()
        .expect("python3 runs");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

/// Claims in every state that a month leaves them in.
async fn a_month(app: &TestApp) {
    app.caps(
        YANHU,
        PROGRAMME,
        &[
            ("whole", yuan("30000.00")),
            ("category:air_conditioner", yuan("20000.00")),
        ],
    )
    .await;
    app.caps("140800", PROGRAMME, &[("whole", yuan("90000.00"))])
        .await;
    let claims = app
        .submit_batch(app.many(14, &Sale::air_conditioner()).await)
        .await;
    for claim in &claims[8..10] {
        app.recommend(claim.id).await;
    }
    for claim in &claims[..8] {
        app.approve(claim.id).await;
    }
    let (payout, payments) = app.instruct(YANHU, PROGRAMME).await;
    let results: Vec<_> = payments.iter().map(|payment| (payment, None)).collect();
    app.results(payout, &results).await.unwrap();
    app.return_goods(claims[0].id).await.unwrap();
    app.withdraw(claims[13].id).await.unwrap();
    a_sample(app).await;
    app.appropriate(LINYI, PROGRAMME, yuan("5000.00")).await;
}

/// Three of the claims approved so far.
async fn a_sample(app: &TestApp) {
    let now = app.service.clock().now();
    let seed = [9; 32];
    let asked = Sampling {
        programme: Some(PROGRAMME.into()),
        from: now - chrono::Duration::days(300),
        to: now + chrono::Duration::seconds(1),
        size: 3,
        commitment: claims::sampling::commitment(&seed),
    };
    let auditor = testkit::permit::<DrawSamples>(&app.cast.auditor);
    let county = claims::JurisdictionCode::parse(YANHU).unwrap();
    let made = app
        .service
        .audit()
        .commit_sample(&auditor, county, asked, testkit::new_key())
        .await
        .unwrap();
    app.clock.advance(chrono::Duration::seconds(1));
    let id = made.value.id;
    let drawn = app
        .service
        .audit()
        .draw_sample(&auditor, id, seed)
        .await
        .unwrap()
        .draw
        .unwrap();
    assert_eq!((drawn.population, drawn.claims.unwrap().len()), (8, 3));
}

#[tokio::test]
async fn a_bundle_holds_and_the_next_goes_on_from_it() {
    let app = TestApp::new().await;
    app.appropriate(YANHU, PROGRAMME, yuan("60000.00")).await;
    a_month(&app).await;
    let (first, file) = bundle(&app, None).await;
    let report = verified(&file).unwrap();
    let yanhu = report
        .counties
        .iter()
        .find(|it| it.jurisdiction == YANHU)
        .unwrap();
    let count = async |table: &str| {
        let rows = format!("SELECT count(*) FROM {table} WHERE jurisdiction = '{YANHU}'");
        app.db.row(&rows).await.parse::<u64>().unwrap()
    };
    assert_eq!(yanhu.transfers, count("transfers").await);
    assert_eq!(yanhu.decisions, count("decisions").await);
    assert_eq!(yanhu.claims, 14);
    assert_eq!((yanhu.caps, report.city_caps), (2, 1));
    assert!(yanhu.pairs >= 10);
    assert_eq!(yanhu.samples, 1);
    assert!(!yanhu.continues);
    // The same ledger makes the same bundle, byte for byte.
    assert_eq!(bundle(&app, None).await.1, file);

    a_second_month(&app).await;
    let (_, next) = bundle(&app, Some(&first)).await;
    let report = verified(&next).unwrap();
    assert!(report.counties.iter().all(|it| it.continues));
    for bundle in [&file, &next] {
        let (holds, said) = by_another_program(bundle);
        assert!(holds, "{said}");
    }
    let mut changed = next.clone();
    let place = changed.len() / 2;
    changed[place] ^= 1;
    assert!(!by_another_program(&changed).0);
    app.audit().await;
}

async fn a_second_month(app: &TestApp) {
    app.clock.advance(chrono::Duration::days(30));
    let claim = app.submit(app.sale(&Sale::air_conditioner()).await).await;
    app.approve(claim.id).await;
}
