//! The files under `api-spec/` are those generated from the code, and those served.

use testkit::HttpApp;

fn committed(name: &str) -> String {
    std::fs::read_to_string(format!("{}/../api-spec/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_committed_contract_is_the_served_one() {
    let app = HttpApp::new().await;
    let served = app
        .send("GET", "/openapi.json", &[], b"")
        .await
        .expect(200)
        .json();
    let written: serde_json::Value = serde_json::from_str(&committed("openapi.json")).unwrap();
    assert!(
        served == written,
        "api-spec/openapi.json is not what is served: `make openapi`"
    );
    assert_eq!(committed("openapi.json"), api::openapi_json(), "`make openapi`");
    assert_eq!(
        committed("problems.md"),
        api::problems_markdown(),
        "`make openapi`"
    );
    assert_eq!(
        written["openapi"].as_str().map(|version| &version[..3]),
        Some("3.1")
    );
}
