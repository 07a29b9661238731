//! The bank by folders, end to end: released, laid down, reported, paid.

use chrono::Duration;
use claims::life_cycle::Status;
use partners::FileDrop;
use sha2::{Digest, Sha256};
use testkit::YANHU;

use super::bank::{PROGRAMME, booked, submissions, with_bank};
use crate::life::payees::of_applicants;

#[tokio::test(flavor = "multi_thread")]
async fn from_release_to_paid_without_a_person() {
    let app = with_bank(1_200, 2_000).await;
    let folder = tempfile::tempdir().unwrap();
    let drop = FileDrop::open(folder.path()).unwrap();
    let claims = of_applicants(&app, 2).await;
    let (id, payments) = app.instruct(YANHU, PROGRAMME).await;
    assert_eq!(
        app.service.payments().submit_to_bank(&drop).await.unwrap().taken,
        1
    );
    let [taken] = &submissions(&app, id).await[..] else {
        panic!()
    };
    let orders = std::fs::read(folder.path().join("outgoing").join(&taken.name)).unwrap();
    assert_eq!(Some(hex::encode(Sha256::digest(&orders))), taken.sha256);
    assert!(
        String::from_utf8(orders)
            .unwrap()
            .contains("<CtrlSum>1200.00</CtrlSum>")
    );

    let incoming = folder.path().join("incoming");
    let report = |name: &str, bytes: &[u8]| {
        std::fs::write(incoming.join(name), bytes).unwrap();
        let sum = format!("{}  {name}\n", hex::encode(Sha256::digest(bytes)));
        std::fs::write(incoming.join(format!("{name}.sha256")), sum).unwrap();
    };
    report("a.xml", b"not a report");
    report("b.xml", &booked(&[&payments[0], &payments[1]], &[]));
    let poll = Duration::minutes(1);
    let done = app
        .service
        .payments()
        .poll_bank(&drop, "folders", poll)
        .await
        .unwrap();
    assert_eq!((done.recorded, done.unreadable), (1, 1));
    for claim in claims {
        assert_eq!(app.state(claim).await.status, Status::Paid);
    }
    // Both are out of the way, the garbled one too; laid down once more it is recognised.
    assert!(!incoming.join("a.xml").exists() && folder.path().join("taken/b.xml").exists());
    report("b.xml", &booked(&[&payments[0], &payments[1]], &[]));
    app.clock.advance(poll);
    let again = app
        .service
        .payments()
        .poll_bank(&drop, "folders", poll)
        .await
        .unwrap();
    assert_eq!((again.recorded, again.unreadable), (0, 0));
    app.audit().await;
}
