//! Every operation with no token, with each wrong role, from a wrong county, and with the right
//! one.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use service::{Actor, Role};
use testkit::{HttpApp, LINYI, Sale, YANHU, on_the_wire, yuan};

use Role::{Auditor, Dealer, Platform, Retailer, Reviewer};

use super::operations::{
    EVERYBODY,
    Elsewhere::{City, Served},
    Row, Things, table,
};

/// Open to everyone, with the reason. This list only shrinks.
const OPEN: [(&str, &str); 9] = [
    ("POST /oauth/token", "this is where one signs in"),
    ("GET /.well-known/jwks.json", "public keys are public"),
    ("GET /healthz", "asked by the machine that watches"),
    ("GET /readyz", "asked by the machine that watches"),
    ("GET /metrics", "asked by the machine that watches"),
    ("GET /openapi.json", "the contract"),
    ("GET /problems/{code}", "the contract"),
    ("GET /v1/public/funds", "for citizens and press"),
    ("GET /docs", "the contract, for readers"),
];

async fn things(app: &HttpApp) -> Things {
    app.appropriate(YANHU, "appliance-2026", yuan("6000.00")).await;
    let due = app.submit(app.sale(&Sale::air_conditioner()).await).await.id;
    app.approve(due).await;
    app.pay_out(YANHU, "appliance-2026").await;
    let first = app.submit(app.sale(&Sale::air_conditioner()).await).await;
    app.approve(first.id).await;
    let disbursement = app
        .make_disbursement(YANHU, "appliance-2026")
        .await
        .unwrap()
        .to_string();
    // Not before: it would be netted.
    app.return_goods(due).await.unwrap();
    let claim = app
        .submit(app.sale(&Sale::air_conditioner()).await)
        .await
        .id
        .to_string();
    let appropriation = app
        .propose_money(YANHU, "appliance-2026", yuan("1.00"))
        .await
        .to_string();
    let caps = json!({"caps": [{"scope": "whole", "ceiling": "6000.00"}], "document": "运财〔2026〕3号"});
    let made = app
        .call(
            &app.cast.maker,
            "PUT",
            "/v1/funds/appliance-2026/140802/caps",
            Some(&caps),
            &[],
        )
        .await;
    let cap_change = made.expect(200).json()["id"].as_str().unwrap().to_owned();
    let webhook = app
        .post(
            &app.cast.retailer,
            "/v1/webhooks",
            &json!({"url": "https://shop.example.cn/huanxin"}),
        )
        .await;
    let webhook = webhook.expect(201).json()["id"].as_str().unwrap().to_owned();
    let sent = on_the_wire(&app.sale(&Sale::air_conditioner()).await);
    Things {
        claim,
        due: due.to_string(),
        disbursement,
        appropriation,
        cap_change,
        merchant: app.cast.retailer.merchant.clone().unwrap(),
        webhook,
        sent,
    }
}

/// A client with a role in these counties only.
fn of_role(app: &HttpApp, role: Role, place: &str, jurisdictions: &[&str]) -> Actor {
    let merchant = match role {
        Retailer => app.cast.retailer.merchant.clone(),
        Platform => app.cast.platform.merchant.clone(),
        Dealer => app.cast.dealer.merchant.clone(),
        _ => None,
    };
    Actor {
        client: format!("{}-{place}", role.as_str()),
        person: format!("{}-{place}", role.as_str()),
        role,
        jurisdictions: jurisdictions.iter().map(|code| (*code).to_owned()).collect(),
        merchant,
        request: None,
    }
}

async fn ask(app: &HttpApp, row: &Row, token: Option<&str>) -> testkit::Reply {
    let method = row.operation.split(' ').next().unwrap();
    let bearer = token.map(|token| format!("Bearer {token}"));
    let key = testkit::numbers::tag("key-");
    let mut headers = vec![("accept-language", "en"), ("if-match", "\"1\"")];
    if method == "POST" {
        headers.push(("idempotency-key", &key));
    }
    let lines = matches!(
        row.operation.as_str(),
        "POST /v1/claims/bulk" | "PUT /v1/registers/{register}"
    );
    let body = row.body.as_ref().map(Value::to_string).unwrap_or_default();
    if row.operation == "POST /v1/bank-reports" {
        headers.push(("content-type", "text/csv"));
    } else if lines {
        headers.push(("content-type", "application/x-ndjson"));
    } else if row.body.is_some() {
        headers.push(("content-type", "application/json"));
    }
    if let Some(bearer) = &bearer {
        headers.push(("authorization", bearer));
    }
    app.send(method, &row.path, &headers, body.as_bytes()).await
}

#[test]
fn every_operation_stands_in_the_table() {
    let nothing = Things {
        claim: String::new(),
        due: String::new(),
        disbursement: String::new(),
        appropriation: String::new(),
        cap_change: String::new(),
        merchant: String::new(),
        webhook: String::new(),
        sent: Value::Null,
    };
    let listed = table(&nothing).into_iter().map(|row| row.operation);
    let listed = listed
        .chain(OPEN.iter().map(|(operation, _)| (*operation).to_owned()))
        .collect::<BTreeSet<_>>();
    let served = api::operations()
        .into_iter()
        .flat_map(|(path, methods)| methods.into_iter().map(move |method| format!("{method} {path}")));
    let served = served.collect::<BTreeSet<_>>();
    let missing = served.difference(&listed).collect::<Vec<_>>();
    assert!(
        missing.is_empty(),
        "not in the table of who may do what: {missing:?}"
    );
    let gone = listed
        .difference(&served)
        .filter(|operation| *operation != "GET /docs")
        .collect::<Vec<_>>();
    assert!(gone.is_empty(), "in the table and not served: {gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_do_what() {
    let app = HttpApp::new().await;
    let things = things(&app).await;
    let mut tokens = Vec::new();
    for role in EVERYBODY {
        let (here, elsewhere) = (
            of_role(&app, *role, "here", &[YANHU]),
            of_role(&app, *role, "elsewhere", &[LINYI]),
        );
        app.register(&here).await;
        app.register(&elsewhere).await;
        tokens.push((*role, app.token(&here).await, app.token(&elsewhere).await));
    }
    // Rows that change what others read come last in the table.
    for row in table(&things) {
        let operation = &row.operation;
        for bad in [None, Some(""), Some("x.y.z")] {
            let reply = ask(&app, &row, bad).await;
            assert_eq!(
                (reply.status, reply.code().as_deref()),
                (401, Some("unauthenticated")),
                "{operation}"
            );
        }
        for (role, here, elsewhere) in &tokens {
            if !row.roles.contains(role) {
                let reply = ask(&app, &row, Some(here)).await;
                let answer = (reply.status, reply.code());
                assert_eq!(answer, (403, Some("forbidden".into())), "{operation} as {role:?}");
                continue;
            }
            let reply = ask(&app, &row, Some(elsewhere)).await;
            // A merchant sees its own claims in every county, and nothing else.
            let own = role.is_merchant()
                && ["clm_", "/accounts/", "whk_"]
                    .iter()
                    .any(|own| row.path.contains(own));
            if row.elsewhere != Served && !own {
                let answer = (reply.status, reply.code());
                assert_eq!(
                    answer,
                    (403, Some("other-jurisdiction".into())),
                    "{operation} as {role:?} from elsewhere"
                );
            }
            let reply = ask(&app, &row, Some(here)).await;
            if row.elsewhere == City {
                let answer = (reply.status, reply.code());
                assert_eq!(
                    answer,
                    (403, Some("other-jurisdiction".into())),
                    "{operation} as {role:?} of a county"
                );
                continue;
            }
            let stranger = own && *role != Retailer;
            assert!(
                !matches!(reply.status, 401 | 403) && reply.status < 500,
                "{operation} as {role:?}: {reply:?}"
            );
            assert_eq!(
                reply.status == 404 && own,
                stranger,
                "{operation} as {role:?}: {reply:?}"
            );
        }
    }
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_show_ones_own_only() {
    let app = HttpApp::new().await;
    let things = things(&app).await;
    for (actor, sees) in [
        (of_role(&app, Retailer, "here", &[]), 3),
        (of_role(&app, Platform, "here", &[]), 0),
        (of_role(&app, Reviewer, "here", &[YANHU]), 3),
        (of_role(&app, Reviewer, "elsewhere", &[LINYI]), 0),
        (of_role(&app, Auditor, "city", &[]), 3),
    ] {
        app.register(&actor).await;
        let page = app.get(&actor, "/v1/claims").await.expect(200).json();
        assert_eq!(page["items"].as_array().unwrap().len(), sees, "{}", actor.client);
    }
    // A disabled client is refused after its cache entry has expired.
    let reviewer = of_role(&app, Reviewer, "here", &[YANHU]);
    let bearer = format!("Bearer {}", app.token(&reviewer).await);
    app.db
        .rows("UPDATE clients SET status = 'disabled' WHERE id = 'reviewer-here'")
        .await;
    app.clock.advance(chrono::Duration::seconds(6));
    let path = format!("/v1/claims/{}", things.claim);
    assert_eq!(
        app.send("GET", &path, &[("authorization", &bearer)], b"")
            .await
            .status,
        401
    );
    // A token is refused after it expires.
    let auditor = of_role(&app, Auditor, "city", &[]);
    let bearer = format!("Bearer {}", app.token(&auditor).await);
    assert_eq!(
        app.send("GET", &path, &[("authorization", &bearer)], b"")
            .await
            .status,
        200
    );
    app.clock.advance(chrono::Duration::seconds(900));
    assert_eq!(
        app.send("GET", &path, &[("authorization", &bearer)], b"")
            .await
            .status,
        401
    );
}
