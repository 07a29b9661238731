//! The log: checkpoints, cosignatures, proofs, samples, and reads of personal data.

use serde_json::json;
use testkit::witness;

use super::super::scene::{Scene, id};
use super::PROGRAMME;

const LOG: &str = "/v1/ledgers/140802";

pub(super) async fn log(scene: &mut Scene) {
    scene.page("log.snap");
    let cast = scene.app.cast.clone();
    let auditor = &cast.auditor;
    scene
        .get(
            "A log that there is not",
            auditor,
            "/v1/ledgers/110101/checkpoint",
        )
        .await;
    // The worker signed once in the year so far: it is due again only later.
    scene
        .get("The newest checkpoint", auditor, &format!("{LOG}/checkpoint"))
        .await;
    let claim = scene.payable().await;
    let proof = format!("/v1/claims/{claim}/proof");
    scene.get("Not covered yet", &cast.retailer, &proof).await;
    let signed = scene
        .post_without_key("A checkpoint", auditor, &format!("{LOG}/checkpoint"), &json!({}))
        .await;
    let note = signed.text();
    scene.get("A claim's proof", &cast.retailer, &proof).await;
    let line = witness().cosign(&note, 1_780_000_000).unwrap();
    let path = format!("{LOG}/checkpoint/cosignatures");
    let post = ("POST", path.as_str());
    scene
        .text("Cosigned", auditor, post, "text/plain", &format!("{note}{line}"))
        .await;
    scene
        .text("Without a cosignature", auditor, post, "text/plain", &note)
        .await;
    scene.text("Not a note", auditor, post, "text/plain", "no").await;
    let size = note.lines().nth(1).unwrap().to_owned();
    for (what, path) in [
        ("Checkpoints", format!("{LOG}/checkpoints")),
        ("A page of them", format!("{LOG}/checkpoints?limit=1")),
        ("One by its size", format!("{LOG}/checkpoint?size={size}")),
        ("None of that size", format!("{LOG}/checkpoint?size=1")),
        ("A leaf is in it", format!("{LOG}/proofs/inclusion?leaf=5")),
        ("Beyond it", format!("{LOG}/proofs/inclusion?leaf=100000")),
        (
            "It goes on from before",
            format!("{LOG}/proofs/consistency?from=9"),
        ),
        ("Backwards", format!("{LOG}/proofs/consistency?from=5&to=4")),
        ("No leaf", format!("{LOG}/proofs/inclusion")),
        ("Reads of personal data", format!("{LOG}/reads")),
        (
            "Of a person",
            format!("{LOG}/reads?person=%E5%90%B4%E8%AE%A1&limit=1"),
        ),
    ] {
        scene.get(what, auditor, &path).await;
    }
}

/// A sample of a population of one: a larger draw depends on ids, which differ in every run.
pub(super) async fn samples(scene: &mut Scene) {
    scene.page("samples.snap");
    let cast = scene.app.cast.clone();
    let auditor = &cast.auditor;
    scene.set("2026-08-05T02:00:00Z");
    scene.payable().await;
    let seed = [7; 32];
    let commitment = hex::encode(claims::sampling::commitment(&seed));
    let period = |to: &str| json!({"programme": PROGRAMME, "from": "2026-08-05T00:00:00Z", "to": to, "size": 1, "commitment": commitment});
    let samples = format!("{LOG}/samples");
    let made = scene
        .post(
            "A sample is committed to",
            auditor,
            &samples,
            &period("2026-08-06T00:00:00Z"),
        )
        .await;
    let path = format!("/v1/samples/{}", id(&made));
    let draw = format!("{path}/draw");
    let seed = json!({"seed": hex::encode(seed)});
    scene
        .post_without_key("Its period is open", auditor, &draw, &seed)
        .await;
    scene.set("2026-08-06T02:00:00Z");
    scene
        .post_without_key("Another seed", auditor, &draw, &json!({"seed": "00".repeat(32)}))
        .await;
    scene.post_without_key("Drawn", auditor, &draw, &seed).await;
    scene
        .post_without_key("Drawn before", auditor, &draw, &seed)
        .await;
    scene.get("The sample", auditor, &path).await;
    scene.get("Samples", &cast.maker, &samples).await;
    let wrong = json!({"from": "x", "to": "y", "size": 0, "commitment": "z"});
    scene
        .post("Wrong in every member", auditor, &samples, &wrong)
        .await;
}
