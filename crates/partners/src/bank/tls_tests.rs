//! Mutual TLS with certificates made for the test: which clients are accepted, and which error a
//! refusal becomes.

use rcgen::KeyPair;

use super::tests::{clock, orders, taken};
use super::*;
use crate::test_server::TestServer;
use crate::test_tls::{self, Authority, authority, issued};

fn identity(authority: &Authority) -> Identity {
    let (certificate, key) = issued(authority, "huanxin.example.cn");
    Identity {
        certificate: certificate.pem(),
        key: key.serialize_pem().into(),
    }
}

/// A gateway with a certificate of `own`, which accepts clients certified by `clients`.
async fn gateway(own: &Authority, name: &str, clients: &Authority) -> TestServer {
    TestServer::start_tls(test_tls::server(own, name, Some(clients)), [taken()]).await
}

fn client(server: &TestServer, identity: Option<Identity>, roots: &Authority) -> HttpBank {
    let config = HttpBankConfig {
        url: format!("https://{}", server.address()),
        identity,
        root_certificates: Some(roots.pem()),
        timeouts: Timeouts {
            connect: Duration::from_secs(5),
            attempt: Duration::from_secs(5),
            call: Duration::from_secs(20),
        },
    };
    HttpBank::new(&config, clock()).unwrap()
}

async fn refused_before_anything_was_read(bank: HttpBank, server: &TestServer) -> String {
    let error = bank.submit(&orders(), "key").await.unwrap_err();
    assert_eq!(server.received().len(), 0);
    let BankError::Unavailable { why, .. } = error else {
        panic!("nothing arrived, and it says: {error:?}");
    };
    why
}

#[tokio::test]
async fn the_right_certificate_is_let_in() {
    let (bank, ours) = (authority("bank"), authority("ours"));
    let server = gateway(&bank, "127.0.0.1", &ours).await;
    client(&server, Some(identity(&ours)), &bank)
        .submit(&orders(), "key")
        .await
        .unwrap();
    assert_eq!(server.received()[0].body, *orders().bytes());
}

#[tokio::test]
async fn no_certificate_is_let_in_by_none() {
    let (bank, ours) = (authority("bank"), authority("ours"));
    let server = gateway(&bank, "127.0.0.1", &ours).await;
    let why = refused_before_anything_was_read(client(&server, None, &bank), &server).await;
    assert!(why.starts_with("our certificate was not accepted: "), "{why}");
}

#[tokio::test]
async fn a_certificate_of_somebody_else_is_not_let_in() {
    let (bank, ours) = (authority("bank"), authority("ours"));
    let server = gateway(&bank, "127.0.0.1", &ours).await;
    // A gateway with a foreign certificate for the right name fails otherwise than one for another
    // name.
    for others in [authority("others"), authority("ours")] {
        let stranger = client(&server, Some(identity(&others)), &bank);
        let why = refused_before_anything_was_read(stranger, &server).await;
        assert!(why.starts_with("our certificate was not accepted: "), "{why}");
    }
}

#[tokio::test]
async fn a_gateway_without_a_trusted_certificate_receives_nothing() {
    let (bank, ours, others) = (authority("bank"), authority("ours"), authority("others"));
    let server = gateway(&bank, "127.0.0.1", &ours).await;
    let why =
        refused_before_anything_was_read(client(&server, Some(identity(&ours)), &others), &server).await;
    assert!(why.starts_with("no connection: "), "{why}");

    let elsewhere = gateway(&bank, "bank.example.cn", &ours).await;
    let why =
        refused_before_anything_was_read(client(&elsewhere, Some(identity(&ours)), &bank), &elsewhere).await;
    assert!(why.starts_with("no connection: "), "{why}");
}

#[test]
fn certificates_that_cannot_be_used_are_refused_at_once() {
    let ours = authority("ours");
    let with = |url: &str, identity: Identity| {
        let config = HttpBankConfig {
            url: url.to_owned(),
            identity: Some(identity),
            root_certificates: Some(ours.pem()),
            timeouts: Timeouts::BANK,
        };
        HttpBank::new(&config, clock()).err()
    };
    let (there, here) = ("https://bank.example.cn", "http://127.0.0.1");
    assert_eq!(with(there, identity(&ours)), None);
    assert_eq!(
        with(here, identity(&ours)),
        Some(ConfigError::CertificateWithoutTls)
    );

    let another_key = Identity {
        key: KeyPair::generate().unwrap().serialize_pem().into(),
        ..identity(&ours)
    };
    let error = with(there, another_key);
    assert!(matches!(error, Some(ConfigError::Client(_))), "{error:?}");

    let no_key = Identity {
        key: "".into(),
        ..identity(&ours)
    };
    assert_eq!(with(there, no_key), Some(ConfigError::ClientCertificate));
}
