//! A workload of random clients over HTTP, and an auditor with nothing but their answers.
//!
//! The generator records its answers: each claim's serial number, subsidy and status. The auditor
//! folds the transfers of each county's log into balances of its own and compares everything else
//! with them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ledger::{Account, Balances, Fen, Reason, Transfer};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use service::Actor;
use testkit::{HttpApp, LINYI, Person, Reply, Sale, YANHU, YUNCHENG, on_the_wire, yuan};

const PROGRAMME: &str = "appliance-2026";
const COUNTIES: [&str; 2] = [YANHU, LINYI];
const STEPS: usize = 160;

struct Workload<'a> {
    app: &'a HttpApp,
    random: StdRng,
    persons: Vec<Person>,
    /// Serial numbers by claim.
    claims: BTreeMap<String, String>,
    disbursements: Vec<(String, &'static str)>,
}

impl Workload<'_> {
    fn claim(&mut self) -> Option<String> {
        let ids = self.claims.keys().cloned().collect::<Vec<_>>();
        ids.choose(&mut self.random).cloned()
    }

    async fn step(&mut self) {
        let cast = self.app.cast.clone();
        let county = *COUNTIES.choose(&mut self.random).unwrap();
        let reply = match self.random.random_range(0..20) {
            0..=5 => self.submit(county).await,
            6..=9 => self.verdict(&cast.reviewer, "review", "recommend").await,
            10..=13 => self.verdict(&cast.approver, "approval", "approve").await,
            14 => self.end("withdrawal").await,
            15 => self.end("return").await,
            16 => self.disburse(county).await,
            17 | 18 => self.settle().await,
            _ => self.end_by_treasury().await,
        };
        if let Some(reply) = reply {
            assert!(reply.status < 500, "{reply:?}");
        }
    }

    async fn submit(&mut self, county: &'static str) -> Option<Reply> {
        let person = self.persons.choose(&mut self.random).unwrap().clone();
        let serial_number = format!("SN-{}", self.random.random_range(0..60));
        let (price, subsidy) = *[
            ("4000.00", "600.00"),
            ("2000.00", "300.00"),
            ("9000.00", "1350.00"),
        ]
        .choose(&mut self.random)
        .unwrap();
        let category = *["air_conditioner", "television", "refrigerator"]
            .choose(&mut self.random)
            .unwrap();
        let sale = Sale {
            serial_number: Some(serial_number.clone()),
            ..Sale::appliance(PROGRAMME, category, price, subsidy, "2026-06-01")
                .in_county(county)
                .by(&person)
        };
        let claim = self.app.sale(&sale).await;
        let key = testkit::numbers::tag("key-");
        let send = async || {
            let headers = [("idempotency-key", key.as_str())];
            self.app
                .call(
                    &self.app.cast.retailer,
                    "POST",
                    "/v1/claims",
                    Some(&on_the_wire(&claim)),
                    &headers,
                )
                .await
        };
        // Sometimes an answer is lost, and the client asks again.
        let (reply, again) = tokio::join!(send(), send());
        let (reply, again) = (reply.expect(201), again.expect(201));
        assert_eq!(reply.json()["id"], again.json()["id"]);
        let replays = [&reply, &again]
            .iter()
            .filter(|it| it.header("idempotency-replayed") == Some("true"))
            .count();
        assert_eq!(replays, 1, "one claim and one repeat");
        self.claims
            .insert(reply.json()["id"].as_str().unwrap().to_owned(), serial_number);
        Some(reply)
    }

    async fn verdict(&mut self, actor: &Actor, what: &str, good: &str) -> Option<Reply> {
        let verdict = if self.random.random_range(0..8) == 0 {
            "return"
        } else {
            good
        };
        let claim = self.claim()?;
        Some(
            self.app
                .post_on(
                    actor,
                    &claim,
                    what,
                    &json!({"verdict": verdict, "reason": "材料"}),
                )
                .await,
        )
    }

    async fn end(&mut self, what: &str) -> Option<Reply> {
        let claim = self.claim()?;
        let body = json!({"reason": "顾客退货"});
        Some(
            self.app
                .post(
                    &self.app.cast.retailer,
                    &format!("/v1/claims/{claim}/{what}"),
                    &body,
                )
                .await,
        )
    }

    async fn end_by_treasury(&mut self) -> Option<Reply> {
        let claim = self.claim()?;
        Some(
            self.app
                .post(
                    &self.app.cast.maker,
                    &format!("/v1/claims/{claim}/clawback"),
                    &json!({"reason": "回单"}),
                )
                .await,
        )
    }

    async fn disburse(&mut self, county: &'static str) -> Option<Reply> {
        let body = json!({"jurisdiction": county, "programme": PROGRAMME});
        let made = self
            .app
            .post(&self.app.cast.maker, "/v1/disbursements", &body)
            .await;
        if made.status == 201 {
            let id = made.json()["id"].as_str().unwrap().to_owned();
            let path = format!("/v1/disbursements/{id}/release");
            self.app
                .post(&self.app.cast.maker, &path, &json!({}))
                .await
                .expect(409);
            self.app
                .post(&self.app.cast.checker, &path, &json!({}))
                .await
                .expect(200);
            self.disbursements.push((id, county));
        }
        Some(made)
    }

    async fn settle(&mut self) -> Option<Reply> {
        let (id, _) = self.disbursements.choose(&mut self.random)?.clone();
        let page = self
            .app
            .get(
                &self.app.cast.maker,
                &format!("/v1/disbursements/{id}/payments?limit=200"),
            )
            .await
            .expect(200);
        let mut items = Vec::new();
        for payment in page.json()["items"].as_array().unwrap() {
            items.push(match self.random.random_range(0..4) {
                0 => json!({"payment": payment["id"], "outcome": "failed", "reason": "退票"}),
                _ => json!({"payment": payment["id"], "outcome": "paid"}),
            });
        }
        Some(
            self.app
                .post(
                    &self.app.cast.checker,
                    &format!("/v1/disbursements/{id}/results"),
                    &json!({"items": items}),
                )
                .await,
        )
    }
}

/// All items of a list, page by page.
async fn all(app: &HttpApp, actor: &Actor, path: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = app
            .get(actor, &format!("{path}&limit=50{cursor}"))
            .await
            .expect(200)
            .json();
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

fn money(value: &Value) -> Fen {
    value.as_str().unwrap().parse().unwrap()
}

/// The auditor's findings of one county, from the answers alone.
async fn audit_county(app: &HttpApp, county: &str, known: &BTreeMap<String, String>) -> Fen {
    let auditor = &app.cast.auditor;
    let lines = all(
        app,
        auditor,
        &format!("/v1/ledgers/{county}/transfers?programme={PROGRAMME}"),
    )
    .await;
    let mut folded = Balances::default();
    let mut of_claim = HashMap::<String, BTreeMap<Account, i64>>::new();
    let mut paid = BTreeSet::new();
    for (place, line) in lines.iter().enumerate() {
        assert_eq!(
            line["height"].as_i64(),
            i64::try_from(place + 1).ok(),
            "the log has no gaps"
        );
        let reason = Reason::parse(line["reason"].as_str().unwrap()).unwrap();
        let transfer = Transfer::new(reason, money(&line["amount"])).unwrap();
        assert_eq!(line["debit"].as_str(), Some(transfer.debit().as_str()));
        assert_eq!(line["credit"].as_str(), Some(transfer.credit().as_str()));
        folded = folded
            .apply(&transfer)
            .expect("no account is overdrawn at any height");
        if let Some(claim) = line["claim"].as_str() {
            let accounts = of_claim.entry(claim.to_owned()).or_default();
            *accounts.entry(transfer.debit()).or_default() += transfer.amount.get();
            *accounts.entry(transfer.credit()).or_default() -= transfer.amount.get();
            assert!(
                reason != Reason::Pay || paid.insert(claim.to_owned()),
                "{claim} was paid twice"
            );
        }
    }
    let answered = app
        .get(auditor, &format!("/v1/ledgers/{county}/balances"))
        .await
        .expect(200)
        .json();
    let answered = answered["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|fund| fund["programme"] == PROGRAMME)
        .unwrap()
        .clone();
    for account in Account::ALL {
        assert_eq!(
            money(&answered["balances"][account.as_str()]),
            folded.get(account),
            "{county} {account}"
        );
    }
    let csv = app
        .get(
            auditor,
            &format!("/v1/ledgers/{county}/export?format=csv&programme={PROGRAMME}"),
        )
        .await
        .expect(200);
    assert_eq!(csv.text().lines().count(), lines.len() + 1);

    let claims = all(
        app,
        auditor,
        &format!("/v1/claims?jurisdiction={county}&programme={PROGRAMME}"),
    )
    .await;
    let mut holders = BTreeSet::new();
    for claim in &claims {
        let (id, status) = (claim["id"].as_str().unwrap(), claim["status"].as_str().unwrap());
        let account = match status {
            "under_review" | "recommended" => Some(Account::Reserved),
            "needs_correction" => of_claim.get(id).map(|_| Account::Reserved),
            "approved" | "payment_failed" => Some(Account::Payable),
            "in_payment" => Some(Account::InPayment),
            "paid" => Some(Account::Disbursed),
            // Netting may have recovered part of it.
            "clawback_due" => {
                let due = of_claim[id][&Account::Recoverable];
                assert!((1..=money(&claim["amount"]).get()).contains(&due), "{id}");
                holders.insert(known[id].clone());
                continue;
            }
            _ => None,
        };
        let left = of_claim
            .get(id)
            .into_iter()
            .flatten()
            .filter(|(_, fen)| **fen != 0)
            .collect::<BTreeMap<_, _>>();
        match account {
            None => assert!(left.is_empty(), "{id} is {status} and has {left:?}"),
            Some(account) => {
                let amount = money(&claim["amount"]).get();
                assert_eq!(
                    left,
                    BTreeMap::from([(&Account::Available, &-amount), (&account, &amount)]),
                    "{id} is {status}"
                );
            }
        }
        if !matches!(status, "rejected" | "withdrawn" | "returned" | "clawed_back") {
            assert!(
                holders.insert(known[id].clone()),
                "{} is subsidised twice",
                known[id]
            );
        }
    }
    let fund = app
        .get(auditor, &format!("/v1/funds?jurisdiction={county}&limit=200"))
        .await
        .expect(200)
        .json();
    let fund = fund["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|fund| fund["programme"] == PROGRAMME)
        .unwrap()
        .clone();
    for cap in fund["caps"].as_array().unwrap() {
        let category = cap["scope"]
            .as_str()
            .unwrap()
            .strip_prefix("category:")
            .unwrap()
            .to_owned();
        let counted = claims.iter().filter(|claim| claim["category"] == *category);
        let counted = counted.filter(|claim| {
            of_claim
                .get(claim["id"].as_str().unwrap())
                .is_some_and(|it| it.values().any(|fen| *fen != 0))
        });
        let counted = counted
            .map(|claim| money(&claim["amount"]))
            .fold(Fen::ZERO, Fen::saturating_add);
        assert_eq!(money(&cap["committed"]), counted);
        assert!(counted <= money(&cap["ceiling"]));
    }
    folded.committed()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_auditor_agrees_with_a_day_s_work() {
    let seed = std::env::var_os("HX_SEED")
        .and_then(|seed| seed.to_str()?.parse().ok())
        .unwrap_or_else(|| rand::rng().random::<u32>());
    println!("HX_SEED={seed}");
    let app = HttpApp::new().await;
    for county in COUNTIES {
        app.appropriate(county, PROGRAMME, yuan("12000.00")).await;
        app.caps(
            county,
            PROGRAMME,
            &[("category:air_conditioner", yuan("4000.00"))],
        )
        .await;
    }
    app.caps(YUNCHENG, PROGRAMME, &[("whole", yuan("20000.00"))])
        .await;
    let mut workload = Workload {
        app: &app,
        random: StdRng::seed_from_u64(seed.into()),
        persons: (0..25).map(|_| Person::new()).collect(),
        claims: BTreeMap::new(),
        disbursements: Vec::new(),
    };
    for _ in 0..STEPS {
        workload.step().await;
    }
    let known = workload.claims;
    let mut committed = Fen::ZERO;
    for county in COUNTIES {
        committed = committed.saturating_add(audit_county(&app, county, &known).await);
    }
    assert!(committed <= yuan("20000.00"), "the city's cap");
    app.audit().await;
}
