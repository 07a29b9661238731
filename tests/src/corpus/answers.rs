//! One year of a county over HTTP, with every answer recorded in `tests/data/answers/`, one file
//! for each part of the contract.
//!
//! The clock is set by hand and generated numbers begin at one, so the same program gives the same
//! text. Each request is sent in Chinese and, if that changes nothing, in English. The same year
//! produces the bundles ([`super::bundles`]), the exports ([`super::files`]) and the sealed rows of
//! the database.

mod audit;
mod claims;
mod clawbacks;
mod faults;
mod funds;
mod payments;
mod programmes;
mod service;
mod settling;
mod webhooks;
mod year_end;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testkit::{Sale, YANHU, numbers, on_the_wire, yuan};

use super::scene::{Scene, id};
use super::{bundles, files, frozen, inside};

const PROGRAMME: &str = "appliance-2026";

/// Operations without an answer in the corpus, and the reason. This list only shrinks.
const EXEMPT: [(&str, &str); 1] = [(
    "GET /openapi.json",
    "`api-spec/openapi.json` is that answer, and a test of the contract compares it",
)];

impl Scene {
    /// The claim of a sale as JSON, with its papers on file.
    async fn claim_of(&self, sale: &Sale) -> Value {
        on_the_wire(&self.app.sale(sale).await)
    }

    /// Submits the claim of a sale without recording the answer.
    async fn submit_sale(&self, sale: &Sale) -> String {
        self.submit_claim(&self.claim_of(sale).await).await
    }

    async fn submit_claim(&self, claim: &Value) -> String {
        let reply = self
            .post_unrecorded(&self.app.cast.retailer, "/v1/claims", claim)
            .await;
        id(&reply.expect(201))
    }

    /// A claim of 600 yuan that is approved: its merchant is paid.
    async fn payable(&self) -> String {
        let claim = self.submit_sale(&Sale::air_conditioner()).await;
        self.approve(&claim).await;
        claim
    }

    /// A claim of 600 yuan that is approved: its applicant is paid.
    async fn payable_to_applicant(&self) -> String {
        let mut claim = self.claim_of(&Sale::air_conditioner()).await;
        claim["payee"] = json!({"kind": "applicant", "bank_name": "中国工商银行运城盐湖支行",
            "bank_account": format!("6222{:015}", numbers::next())});
        claim["purchase"]["paid"] = claim["purchase"]["invoice"]["total"].clone();
        let claim = self.submit_claim(&claim).await;
        self.approve(&claim).await;
        claim
    }

    /// A disbursement of what is payable in a fund, released; its id and its payments.
    async fn release(&self, programme: &str) -> (String, Vec<Value>) {
        let cast = &self.app.cast;
        let body = json!({"jurisdiction": YANHU, "programme": programme});
        let made = id(&self
            .post_unrecorded(&cast.maker, "/v1/disbursements", &body)
            .await
            .expect(201));
        let path = format!("/v1/disbursements/{made}/release");
        self.post_unrecorded(&cast.checker, &path, &json!({}))
            .await
            .expect(200);
        let payments = self.payments(&made).await;
        (made, payments)
    }

    async fn payments(&self, disbursement: &str) -> Vec<Value> {
        let path = format!("/v1/disbursements/{disbursement}/payments?limit=200");
        let page = self.fetch(&self.app.cast.maker, &path).await.expect(200);
        page.json()["items"].as_array().unwrap().clone()
    }

    /// Records a result of payments without recording the answer. `returned` comes as a
    /// notification of the bank, because a person cannot enter it.
    async fn bank_result(&self, disbursement: &str, outcome: &str, payments: &[Value]) {
        let maker = &self.app.cast.maker;
        if outcome == "returned" {
            let sent = |payment: &Value| {
                let netted = payment["netted"].as_str().unwrap_or("0.00");
                let amount = yuan(payment["amount"].as_str().unwrap());
                amount.checked_sub(yuan(netted)).unwrap().to_string()
            };
            let sums = payments.iter().map(sent).collect::<Vec<_>>();
            let entries = payments.iter().zip(&sums);
            let entries = entries.map(|(payment, sum)| (settling::end_to_end(payment), sum.as_str(), "CRDT"));
            let day = settling::camt054(&entries.collect::<Vec<_>>());
            let bearer = self.bearer(maker).await;
            let headers = [
                ("authorization", bearer.as_str()),
                ("content-type", "application/xml"),
            ];
            let path = format!("/v1/bank-reports?jurisdiction={YANHU}");
            let reply = self
                .app
                .send("POST", &path, &headers, day.as_bytes())
                .await
                .expect(200);
            assert!(reply.json()["items"][0].get("problem").is_none(), "{reply:?}");
            return;
        }
        let items = payments.iter().map(|payment| match outcome {
            "paid" => json!({"payment": payment["id"], "outcome": outcome}),
            _ => json!({"payment": payment["id"], "outcome": outcome, "reason": "账户已销户"}),
        });
        let path = format!("/v1/disbursements/{disbursement}/results");
        let body = json!({"items": items.collect::<Vec<_>>()});
        self.post_unrecorded(maker, &path, &body).await.expect(200);
    }

    /// Pays everything payable in a fund.
    async fn pay_out(&self, programme: &str) {
        let (made, payments) = self.release(programme).await;
        self.bank_result(&made, "paid", &payments).await;
    }

    fn set(&self, instant: &str) {
        self.app.clock.set(instant.parse().unwrap());
    }
}

/// Plays the year. Returns the recorded text by file, and the operations that no request covered.
async fn play() -> (Vec<(String, String)>, Vec<String>) {
    let mut scene = Scene::new(inside::app().await);
    // Keys are forgotten while the year goes on.
    let mut kept = Vec::new();
    service::entry_points(&mut scene).await;
    service::registers(&mut scene).await;
    funds::appropriations(&mut scene).await;
    kept.extend(inside::kept_answers(&scene.app).await);
    funds::caps(&mut scene).await;
    claims::submitted(&mut scene).await;
    claims::bulk(&mut scene).await;
    claims::reviewed(&mut scene).await;
    claims::ended(&mut scene).await;
    kept.extend(inside::kept_answers(&scene.app).await);
    payments::accounts(&mut scene).await;
    payments::disbursed(&mut scene).await;
    kept.extend(inside::kept_answers(&scene.app).await);
    settling::results(&mut scene).await;
    settling::reports(&mut scene).await;
    payments::advances(&mut scene).await;
    kept.extend(inside::kept_answers(&scene.app).await);
    payments::holds(&mut scene).await;
    kept.extend(inside::kept_answers(&scene.app).await);
    clawbacks::demanded(&mut scene).await;
    kept.extend(inside::kept_answers(&scene.app).await);
    clawbacks::netted(&mut scene).await;
    kept.extend(inside::kept_answers(&scene.app).await);
    programmes::versions(&mut scene).await;
    kept.extend(inside::kept_answers(&scene.app).await);
    webhooks::endpoints(&mut scene).await;
    audit::log(&mut scene).await;
    audit::samples(&mut scene).await;
    kept.extend(inside::kept_answers(&scene.app).await);
    year_end::closed(&mut scene).await;
    scene.app.audit().await;
    let year = bundles::add_year(&scene.app).await;
    year_end::lists(&mut scene).await;
    files::exported(&mut scene).await;
    scene.page("at-rest.snap");
    for (what, text) in inside::at_rest(&scene.app).await {
        scene.write(&format!("{what}\n{text}"));
    }
    scene.page("kept-answers.snap");
    let mut written = BTreeSet::new();
    for answer in kept.iter().filter(|answer| written.insert(*answer)) {
        scene.write(answer);
    }
    year_end::month_after(&mut scene).await;
    bundles::add_next(&scene.app, year).await;
    faults::without_database(&mut scene).await;
    let (mut pages, unasked) = scene.end();
    let mut throttled = Scene::new(inside::throttled().await);
    faults::throttled(&mut throttled).await;
    pages.extend(throttled.end().0);
    let pages = pages.into_iter().map(|(name, text)| (name.to_owned(), text));
    let unasked = unasked
        .into_iter()
        .map(|(method, path)| format!("{method} {path}"));
    (pages.collect(), unasked.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_is_answered_as_it_was() {
    let (pages, unasked) = Box::pin(numbers::from_one(play())).await;
    let differences = pages
        .iter()
        .filter_map(|(name, text)| frozen::same(&format!("answers/{name}"), text).err());
    let differences = differences.collect::<Vec<_>>();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    let exempt = |operation: &String| !EXEMPT.iter().any(|it| it.0 == *operation);
    let unasked = unasked.into_iter().filter(exempt).collect::<Vec<_>>();
    assert!(unasked.is_empty(), "no answer of {unasked:?}");
    let kept = std::fs::read_dir(frozen::path("answers")).unwrap();
    let kept = kept.map(|file| file.unwrap().file_name().into_string().unwrap());
    let gone = kept.filter(|name| !pages.iter().any(|page| page.0 == *name));
    assert_eq!(
        gone.collect::<Vec<_>>(),
        Vec::<String>::new(),
        "files that nothing writes"
    );
}
