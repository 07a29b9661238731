//! Every operation with no token, with each wrong role, from a wrong county, and with the right one.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use service::{Actor, Role};
use testkit::{HttpApp, LINYI, Sale, YANHU, on_the_wire, yuan};

use Role::{Admin, Approver, Auditor, Dealer, Platform, Retailer, Reviewer, Treasury};

/// Open to everybody, and why. This list only shrinks.
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

const MERCHANTS: &[Role] = &[Retailer, Platform, Dealer];
const EVERYBODY: &[Role] = &[
    Retailer, Platform, Dealer, Reviewer, Approver, Treasury, Auditor, Admin,
];
const OFFICERS: &[Role] = &[Reviewer, Approver, Treasury, Auditor, Admin];
const LEDGERS: &[Role] = &[Treasury, Auditor];

/// What somebody from another county is told.
#[derive(Clone, Copy, PartialEq)]
enum Elsewhere {
    /// 403 other-jurisdiction.
    Refused,
    /// It is not a county's business, or a list shows what one may see.
    Served,
}
use Elsewhere::{Refused, Served};

struct Row {
    operation: &'static str,
    roles: &'static [Role],
    elsewhere: Elsewhere,
    path: String,
    body: Option<Value>,
}

/// What the table's paths name, all of Yanhu.
struct Things {
    claim: String,
    disbursement: String,
    appropriation: String,
    cap_change: String,
    /// The retailer's credit code.
    merchant: String,
    sent: Value,
}

async fn things(app: &HttpApp) -> Things {
    app.appropriate(YANHU, "appliance-2026", yuan("6000.00")).await;
    let first = app.submit(app.sale(&Sale::air_conditioner()).await).await;
    app.approve(first.id).await;
    let disbursement = app
        .make_disbursement(YANHU, "appliance-2026")
        .await
        .unwrap()
        .to_string();
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
    let sent = on_the_wire(&app.sale(&Sale::air_conditioner()).await);
    Things {
        claim,
        disbursement,
        appropriation,
        cap_change,
        merchant: app.cast.retailer.merchant.clone().unwrap(),
        sent,
    }
}

fn table(it: &Things) -> Vec<Row> {
    let row = |operation: &'static str, roles, elsewhere, path: &str, body| Row {
        operation,
        roles,
        elsewhere,
        path: path.into(),
        body,
    };
    let (claim, dsb) = (
        format!("/v1/claims/{}", it.claim),
        format!("/v1/disbursements/{}", it.disbursement),
    );
    let account = format!("/v1/accounts/{}", it.merchant);
    let fund = "/v1/funds/appliance-2026/140802";
    let why = || Some(json!({"reason": "why"}));
    let no = || Some(json!({"verdict": "reject", "reason": "why"}));
    let money = json!({"source": "city", "amount": "1.00", "document": "运财〔2026〕4号"});
    let caps = json!({"caps": [{"scope": "whole", "ceiling": "9000.00"}], "document": "运财〔2026〕5号"});
    let approvals = json!({"items": [{"claim": it.claim, "etag": "\"99\"", "verdict": "approve"}]});
    let payment = it.disbursement.replace("dsb_", "pay_");
    let results = json!({"items": [{"payment": payment, "outcome": "paid"}]});
    let payout = json!({"jurisdiction": YANHU, "programme": "appliance-2026"});
    vec![
        row("GET /v1/claims", EVERYBODY, Served, "/v1/claims", None),
        row("GET /v1/claims/{id}", EVERYBODY, Refused, &claim, None),
        row(
            "GET /v1/claims/{id}/events",
            EVERYBODY,
            Refused,
            &format!("{claim}/events"),
            None,
        ),
        row(
            "GET /v1/claims/{id}/receipt",
            EVERYBODY,
            Refused,
            &format!("{claim}/receipt"),
            None,
        ),
        row(
            "GET /v1/disbursements",
            OFFICERS,
            Served,
            "/v1/disbursements",
            None,
        ),
        row("GET /v1/disbursements/{id}", OFFICERS, Refused, &dsb, None),
        row(
            "GET /v1/disbursements/{id}/payments",
            OFFICERS,
            Refused,
            &format!("{dsb}/payments"),
            None,
        ),
        row(
            "GET /v1/disbursements/{id}/instruction",
            &[Treasury],
            Refused,
            &format!("{dsb}/instruction?format=csv"),
            None,
        ),
        row(
            "GET /v1/disbursements/{id}/reconciliation",
            OFFICERS,
            Refused,
            &format!("{dsb}/reconciliation"),
            None,
        ),
        row(
            "GET /v1/reconciliations",
            OFFICERS,
            Refused,
            "/v1/reconciliations?jurisdiction=140802&from=2026-06-01&to=2026-06-30",
            None,
        ),
        row(
            "GET /v1/payments/{id}",
            OFFICERS,
            Refused,
            &format!("/v1/payments/{payment}"),
            None,
        ),
        row(
            "GET /v1/payments/{id}/claims",
            OFFICERS,
            Refused,
            &format!("/v1/payments/{payment}/claims"),
            None,
        ),
        row(
            "POST /v1/bank-reports",
            &[Treasury],
            Refused,
            "/v1/bank-reports?jurisdiction=140802",
            Some(json!("not a table")),
        ),
        row(
            "GET /v1/bank-exceptions",
            OFFICERS,
            Served,
            "/v1/bank-exceptions",
            None,
        ),
        row(
            "POST /v1/bank-exceptions/{id}/resolution",
            &[Treasury],
            Refused,
            &format!(
                "/v1/bank-exceptions/{}/resolution",
                it.disbursement.replace("dsb_", "bke_")
            ),
            Some(json!({"resolution": "dismiss", "reason": "why"})),
        ),
        row("GET /v1/holds", OFFICERS, Served, "/v1/holds", None),
        row(
            "POST /v1/holds",
            &[Treasury],
            Refused,
            "/v1/holds",
            Some(json!({"jurisdiction": YANHU, "programme": "digital-2026", "reason": "why"})),
        ),
        row(
            "POST /v1/holds/{id}/lifting",
            &[Treasury],
            Refused,
            &format!("/v1/holds/{}/lifting", it.disbursement.replace("dsb_", "hld_")),
            why(),
        ),
        row(
            "PUT /v1/accounts/{holder}",
            &[Retailer, Platform, Dealer, Treasury],
            Refused,
            &account,
            Some(json!({"name": "n", "bank_account": "6222021234567890128", "bank_name": "b"})),
        ),
        row(
            "GET /v1/accounts/{holder}",
            &[Retailer, Platform, Dealer, Treasury, Auditor],
            Refused,
            &account,
            None,
        ),
        row(
            "POST /v1/accounts/{holder}/decision",
            &[Treasury],
            Refused,
            &format!("{account}/decision"),
            Some(json!({"revision": 1, "verdict": "approve"})),
        ),
        row(
            "PUT /v1/claims/{id}/payee",
            MERCHANTS,
            Served,
            &format!("{claim}/payee"),
            Some(json!({"bank_account": "6222021234567890128", "bank_name": "b"})),
        ),
        row("GET /v1/funds", OFFICERS, Served, "/v1/funds", None),
        row(
            "GET /v1/funds/{programme}/{jurisdiction}/appropriations",
            OFFICERS,
            Refused,
            &format!("{fund}/appropriations"),
            None,
        ),
        row(
            "GET /v1/funds/{programme}/{jurisdiction}/cap-changes",
            OFFICERS,
            Refused,
            &format!("{fund}/cap-changes"),
            None,
        ),
        row(
            "GET /v1/ledgers/{jurisdiction}/balances",
            LEDGERS,
            Refused,
            "/v1/ledgers/140802/balances",
            None,
        ),
        row(
            "GET /v1/ledgers/{jurisdiction}/transfers",
            LEDGERS,
            Refused,
            "/v1/ledgers/140802/transfers",
            None,
        ),
        row(
            "GET /v1/ledgers/{jurisdiction}/export",
            LEDGERS,
            Refused,
            "/v1/ledgers/140802/export?format=csv",
            None,
        ),
        row("GET /v1/programmes", EVERYBODY, Served, "/v1/programmes", None),
        row(
            "GET /v1/programmes/{id}",
            EVERYBODY,
            Served,
            "/v1/programmes/appliance-2026",
            None,
        ),
        row(
            "GET /v1/registers/{register}/{key}",
            &[Admin],
            Served,
            "/v1/registers/merchants/91140802MA0H1P4A1X",
            None,
        ),
        row(
            "PUT /v1/registers/{register}",
            &[Admin],
            Served,
            "/v1/registers/merchants",
            None,
        ),
        row(
            "POST /v1/claims/check",
            MERCHANTS,
            Refused,
            "/v1/claims/check",
            Some(it.sent.clone()),
        ),
        row("POST /v1/claims/bulk", MERCHANTS, Served, "/v1/claims/bulk", None),
        row(
            "POST /v1/claims",
            MERCHANTS,
            Refused,
            "/v1/claims",
            Some(it.sent.clone()),
        ),
        row(
            "POST /v1/claims/{id}/correction",
            MERCHANTS,
            Served,
            &format!("{claim}/correction"),
            Some(it.sent.clone()),
        ),
        row(
            "POST /v1/claims/{id}/reveal",
            &[Reviewer, Approver, Auditor],
            Refused,
            &format!("{claim}/reveal"),
            why(),
        ),
        row(
            "POST /v1/claims/{id}/clawback",
            &[Treasury],
            Refused,
            &format!("{claim}/clawback"),
            why(),
        ),
        row(
            "POST /v1/claims/{id}/approval",
            &[Approver],
            Refused,
            &format!("{claim}/approval"),
            no(),
        ),
        row(
            "POST /v1/approvals",
            &[Approver],
            Served,
            "/v1/approvals",
            Some(approvals),
        ),
        row(
            "POST /v1/claims/{id}/review",
            &[Reviewer],
            Refused,
            &format!("{claim}/review"),
            no(),
        ),
        row(
            "POST /v1/claims/{id}/return",
            MERCHANTS,
            Served,
            &format!("{claim}/return"),
            why(),
        ),
        row(
            "POST /v1/claims/{id}/withdrawal",
            MERCHANTS,
            Served,
            &format!("{claim}/withdrawal"),
            why(),
        ),
        row(
            "POST /v1/disbursements",
            &[Treasury],
            Refused,
            "/v1/disbursements",
            Some(payout),
        ),
        row(
            "POST /v1/disbursements/{id}/results",
            &[Treasury],
            Refused,
            &format!("{dsb}/results"),
            Some(results),
        ),
        row(
            "POST /v1/disbursements/{id}/release",
            &[Treasury],
            Refused,
            &format!("{dsb}/release"),
            Some(json!({})),
        ),
        row(
            "POST /v1/disbursements/{id}/cancellation",
            &[Treasury],
            Refused,
            &format!("{dsb}/cancellation"),
            why(),
        ),
        row(
            "POST /v1/funds/{programme}/{jurisdiction}/appropriations",
            &[Treasury],
            Refused,
            &format!("{fund}/appropriations"),
            Some(money),
        ),
        row(
            "PUT /v1/funds/{programme}/{jurisdiction}/caps",
            &[Treasury],
            Refused,
            &format!("{fund}/caps"),
            Some(caps),
        ),
        row(
            "POST /v1/appropriations/{id}/decision",
            &[Treasury],
            Refused,
            &format!("/v1/appropriations/{}/decision", it.appropriation),
            Some(json!({"verdict": "approve"})),
        ),
        row(
            "POST /v1/cap-changes/{id}/decision",
            &[Treasury],
            Refused,
            &format!("/v1/cap-changes/{}/decision", it.cap_change),
            Some(json!({"verdict": "approve"})),
        ),
    ]
}

/// Somebody of a role who acts in these counties only.
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
        row.operation,
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
        disbursement: String::new(),
        appropriation: String::new(),
        cap_change: String::new(),
        merchant: String::new(),
        sent: Value::Null,
    };
    let listed = table(&nothing).into_iter().map(|row| row.operation.to_owned());
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
    // Those that change what others look at come last in the table.
    for row in table(&things) {
        let operation = row.operation;
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
                let told = (reply.status, reply.code());
                assert_eq!(told, (403, Some("forbidden".into())), "{operation} as {role:?}");
                continue;
            }
            let reply = ask(&app, &row, Some(elsewhere)).await;
            // A merchant sees what is its own wherever it is, and nothing else.
            let own = role.is_merchant() && (row.path.contains("clm_") || row.path.contains("/accounts/"));
            if row.elsewhere == Refused && !own {
                let told = (reply.status, reply.code());
                assert_eq!(
                    told,
                    (403, Some("other-jurisdiction".into())),
                    "{operation} as {role:?} from elsewhere"
                );
            }
            let reply = ask(&app, &row, Some(here)).await;
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
        (of_role(&app, Retailer, "here", &[]), 2),
        (of_role(&app, Platform, "here", &[]), 0),
        (of_role(&app, Reviewer, "here", &[YANHU]), 2),
        (of_role(&app, Reviewer, "elsewhere", &[LINYI]), 0),
        (of_role(&app, Auditor, "city", &[]), 2),
    ] {
        app.register(&actor).await;
        let page = app.get(&actor, "/v1/claims").await.expect(200).json();
        assert_eq!(page["items"].as_array().unwrap().len(), sees, "{}", actor.client);
    }
    // A disabled client is out when its cache has aged.
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
    // A token ends with its time.
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
