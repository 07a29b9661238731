//! The bank's reports, page by page.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;
use sha2::{Digest, Sha256};
use wiremock::matchers::{method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::tests::{assert_quiet, bank_at, bank_of, page, why};
use super::*;
use crate::test_server::{Act, TestServer};

const PATH: &str = "/t0ken-in-the-path/results";

fn listed(cursor: &str, name: &str, bytes: &str) -> serde_json::Value {
    serde_json::json!({
        "cursor": cursor, "name": name, "media_type": "text/csv", "size": bytes.len(),
        "sha256": hex::encode(Sha256::digest(bytes)),
    })
}

async fn listing(server: &MockServer, files: &[serde_json::Value]) {
    Mock::given(method("GET"))
        .and(path(PATH))
        .respond_with(ResponseTemplate::new(200).set_body_json(serde_json::json!({ "files": files })))
        .mount(server)
        .await;
}

async fn holding(server: &MockServer, name: &str, bytes: &str) {
    Mock::given(method("GET"))
        .and(path(format!("{PATH}/{name}")))
        .respond_with(ResponseTemplate::new(200).set_body_string(bytes))
        .mount(server)
        .await;
}

fn names(page: &ResultsPage) -> Vec<&str> {
    page.files.iter().map(|file| file.name().as_str()).collect()
}

#[tokio::test]
async fn reports_are_read_page_by_page() {
    let server = MockServer::start().await;
    let first = [listed("c1", "a.csv", "1,paid"), listed("c2", "b.csv", "2,failed")];
    Mock::given(path(PATH))
        .and(query_param("limit", "4"))
        .and(query_param_is_missing("since"))
        .respond_with(ResponseTemplate::new(200).set_body_json(serde_json::json!({ "files": first })))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(path(PATH))
        .and(query_param("since", "c2"))
        .respond_with(ResponseTemplate::new(200).set_body_json(serde_json::json!({ "files": [] })))
        .expect(1)
        .mount(&server)
        .await;
    holding(&server, "a.csv", "1,paid").await;
    holding(&server, "b.csv", "2,failed").await;

    let bank = bank_at(&server.uri());
    let page = bank.results(None).await.unwrap();
    assert_eq!(names(&page), ["a.csv", "b.csv"]);
    assert_eq!(page.files[1].bytes(), "2,failed");
    assert_eq!(page.files[1].media_type(), "text/csv");
    assert_eq!(page.next.as_deref(), Some("c2"));
    bank.acknowledge(page.files[0].name(), page.files[0].sha256())
        .await
        .unwrap();
    // At the end the cursor stays.
    let page = bank.results(page.next.as_deref()).await.unwrap();
    assert_eq!((page.files.len(), page.next.as_deref()), (0, Some("c2")));
}

#[tokio::test]
async fn a_report_that_fails_holds_back_none_before_it() {
    let server = MockServer::start().await;
    listing(
        &server,
        &[
            listed("c1", "a.csv", "1"),
            listed("c2", "b.csv", "22"),
            listed("c3", "c.csv", "3"),
        ],
    )
    .await;
    holding(&server, "a.csv", "1").await;
    holding(&server, "b.csv", "2x").await;
    holding(&server, "c.csv", "3").await;
    let page = bank_at(&server.uri()).results(None).await.unwrap();
    assert_eq!(names(&page), ["a.csv"]);
    assert_eq!(page.next.as_deref(), Some("c1"));
}

#[tokio::test]
async fn what_is_not_what_was_listed_is_no_report() {
    let good = listed("c1", "a.csv", "1,paid");
    let with = |field: &str, value: serde_json::Value| {
        let mut listed = good.clone();
        listed[field] = value;
        listed
    };
    let cases = [
        (
            with("sha256", "00".repeat(32).into()),
            "a report is not what was listed (attempt 3)",
        ),
        // A body longer than announced is not read to its end.
        (
            with("size", 3.into()),
            "a report is not what was listed (attempt 3)",
        ),
        (
            with("name", "../a.csv".into()),
            "it lists a report that cannot be taken",
        ),
        (
            with("size", (LARGEST_BANK_FILE + 1).into()),
            "it lists a report that cannot be taken",
        ),
        (
            with("cursor", "".into()),
            "it lists a report that cannot be taken",
        ),
        (
            with("sha256", "beef".into()),
            "it lists a report that cannot be taken",
        ),
        (
            with("size", (-1).into()),
            "its list of reports cannot be read (attempt 3)",
        ),
    ];
    let read = async |(file, expected): (serde_json::Value, &str)| {
        let server = MockServer::start().await;
        listing(&server, &[file]).await;
        holding(&server, "a.csv", "1,paid").await;
        let error = bank_at(&server.uri()).results(None).await.unwrap_err();
        assert!(matches!(error, BankError::Unavailable { .. }), "{error:?}");
        assert_eq!(why(&error), expected);
    };
    join_all(cases.into_iter().map(read)).await;
}

#[tokio::test]
async fn a_page_has_its_bounds() {
    let server = MockServer::start().await;
    let many = (0..10).map(|n| listed(&format!("c{n}"), "a.csv", "1"));
    listing(&server, &many.collect::<Vec<_>>()).await;
    holding(&server, "a.csv", "1").await;
    let page = bank_at(&server.uri()).results(None).await.unwrap();
    assert_eq!(
        (page.files.len(), page.next.as_deref()),
        (RESULTS_PAGE, Some("c3"))
    );

    let server = MockServer::start().await;
    let mut large = listed("c2", "b.csv", "2");
    large["size"] = LARGEST_BANK_FILE.into();
    listing(&server, &[listed("c1", "a.csv", "1"), large]).await;
    holding(&server, "a.csv", "1").await;
    Mock::given(path(format!("{PATH}/b.csv")))
        .respond_with(ResponseTemplate::new(200))
        .expect(0)
        .mount(&server)
        .await;
    let page = bank_at(&server.uri()).results(None).await.unwrap();
    assert_eq!(names(&page), ["a.csv"]);
}

#[tokio::test]
async fn questions_are_asked_again_and_leave_no_doubt() {
    let server = MockServer::start().await;
    let asked = AtomicUsize::new(0);
    let reply = move |_: &Request| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => ResponseTemplate::new(500),
        _ => ResponseTemplate::new(200).set_body_json(serde_json::json!({ "files": [] })),
    };
    Mock::given(path(PATH)).respond_with(reply).mount(&server).await;
    assert_eq!(bank_at(&server.uri()).results(None).await.unwrap().files, []);

    for act in [page(500), Act::Reset] {
        let server = TestServer::start([act]).await;
        let error = bank_of(&server).results(None).await.unwrap_err();
        assert!(matches!(error, BankError::Unavailable { .. }), "{error:?}");
        assert_quiet(&error);
    }
}
