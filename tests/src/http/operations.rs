//! Who may do what: every operation with its roles, a path of Yanhu's, and what somebody from another county is told.
//!
//! This is longer than 600 lines because each operation has a row.

use serde_json::{Value, json};
use service::Role;
use testkit::YANHU;

use Role::{Admin, Approver, Auditor, Dealer, Platform, Retailer, Reviewer, Treasury};

pub(super) const MERCHANTS: &[Role] = &[Retailer, Platform, Dealer];
pub(super) const EVERYBODY: &[Role] = &[
    Retailer, Platform, Dealer, Reviewer, Approver, Treasury, Auditor, Admin,
];
pub(super) const OFFICERS: &[Role] = &[Reviewer, Approver, Treasury, Auditor, Admin];
pub(super) const LEDGERS: &[Role] = &[Treasury, Auditor];
const REPLAYS: &[Role] = &[Treasury, Auditor, Admin];
const STATEMENTS: &[Role] = &[Retailer, Platform, Dealer, Treasury, Auditor];

/// What somebody from another county is told.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Elsewhere {
    /// 403 other-jurisdiction.
    Refused,
    /// It is not a county's business, or a list shows what one may see.
    Served,
    /// The whole city's business: 403 other-jurisdiction for whoever acts in some counties only, here too.
    City,
}
use Elsewhere::{City, Refused, Served};

pub(super) struct Row {
    pub(super) operation: &'static str,
    pub(super) roles: &'static [Role],
    pub(super) elsewhere: Elsewhere,
    pub(super) path: String,
    pub(super) body: Option<Value>,
}

/// What the table's paths name, all of Yanhu.
pub(super) struct Things {
    pub(super) claim: String,
    /// One of the retailer's that is clawed back.
    pub(super) due: String,
    pub(super) disbursement: String,
    pub(super) appropriation: String,
    pub(super) cap_change: String,
    /// The retailer's credit code.
    pub(super) merchant: String,
    /// Where the retailer listens.
    pub(super) webhook: String,
    pub(super) sent: Value,
}

pub(super) fn table(it: &Things) -> Vec<Row> {
    let advance = format!("/v1/advances/{}", it.disbursement.replace("dsb_", "adv_"));
    let draft = it.disbursement.replace("dsb_", "prd_");
    let draft = format!("/v1/programme-drafts/{draft}");
    let sample = format!("/v1/samples/{}", it.disbursement.replace("dsb_", "smp_"));
    let span = format!("jurisdiction={YANHU}&from=2026-06-01&to=2026-06-30");
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
    let webhook = format!("/v1/webhooks/{}", it.webhook);
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
            "GET /v1/claims/{id}/proof",
            EVERYBODY,
            Refused,
            &format!("{claim}/proof"),
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
            "GET /v1/disbursements/{id}/submissions",
            OFFICERS,
            Refused,
            &format!("{dsb}/submissions"),
            None,
        ),
        row(
            "POST /v1/disbursements/{id}/submissions/{part}/resolution",
            &[Treasury],
            Refused,
            &format!("{dsb}/submissions/1/resolution"),
            Some(json!({"resolution": "by_hand", "reason": "why"})),
        ),
        row("GET /v1/bank-reports", OFFICERS, Served, "/v1/bank-reports", None),
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
        row("GET /v1/advances", OFFICERS, Served, "/v1/advances", None),
        row(
            "POST /v1/advances",
            &[Treasury],
            Refused,
            "/v1/advances",
            Some(
                json!({"jurisdiction": YANHU, "programme": "appliance-2026", "merchant": it.merchant,
                "amount": "1.00", "document": "运商预〔2026〕5号"}),
            ),
        ),
        row("GET /v1/advances/{id}", OFFICERS, Refused, &advance, None),
        row(
            "POST /v1/advances/{id}/repayments",
            &[Treasury],
            Refused,
            &format!("{advance}/repayments"),
            why(),
        ),
        row(
            "GET /v1/statements/{merchant}",
            STATEMENTS,
            Refused,
            &format!("/v1/statements/{}?{span}", it.merchant),
            None,
        ),
        row(
            "GET /v1/statements/{merchant}/file",
            STATEMENTS,
            Refused,
            &format!("/v1/statements/{}/file?{span}", it.merchant),
            None,
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
        row("GET /v1/webhooks", MERCHANTS, Served, "/v1/webhooks", None),
        row(
            "POST /v1/webhooks",
            MERCHANTS,
            Served,
            "/v1/webhooks",
            Some(json!({"url": "https://shop.example.cn/huanxin"})),
        ),
        row("GET /v1/webhooks/{id}", MERCHANTS, Served, &webhook, None),
        row(
            "PUT /v1/webhooks/{id}/status",
            MERCHANTS,
            Served,
            &format!("{webhook}/status"),
            Some(json!({"status": "enabled"})),
        ),
        row(
            "POST /v1/webhooks/{id}/secret",
            MERCHANTS,
            Served,
            &format!("{webhook}/secret"),
            None,
        ),
        row(
            "POST /v1/webhooks/{id}/test",
            MERCHANTS,
            Served,
            &format!("{webhook}/test"),
            None,
        ),
        row(
            "GET /v1/webhooks/{id}/deliveries",
            MERCHANTS,
            Served,
            &format!("{webhook}/deliveries"),
            None,
        ),
        row(
            "GET /v1/webhooks/{id}/events",
            MERCHANTS,
            Served,
            &format!("{webhook}/events"),
            None,
        ),
        row(
            "POST /v1/webhooks/{id}/replay",
            MERCHANTS,
            Served,
            &format!("{webhook}/replay"),
            Some(json!({"failed_since": "2026-06-01T00:00:00Z"})),
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
            "GET /v1/funds/{programme}/{jurisdiction}/sources",
            OFFICERS,
            Refused,
            &format!("{fund}/sources"),
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
        row(
            "GET /v1/ledgers/{jurisdiction}/claims/export",
            LEDGERS,
            Refused,
            "/v1/ledgers/140802/claims/export?format=csv",
            None,
        ),
        row(
            "GET /v1/ledgers/{jurisdiction}/closings",
            LEDGERS,
            Refused,
            "/v1/ledgers/140802/closings",
            None,
        ),
        row(
            "GET /v1/ledgers/{jurisdiction}/closings/{period}",
            LEDGERS,
            Refused,
            "/v1/ledgers/140802/closings/2026-05",
            None,
        ),
        row(
            "GET /v1/ledgers/{jurisdiction}/samples",
            LEDGERS,
            Refused,
            "/v1/ledgers/140802/samples",
            None,
        ),
        row(
            "POST /v1/ledgers/{jurisdiction}/samples",
            &[Auditor],
            Refused,
            "/v1/ledgers/140802/samples",
            Some(
                json!({"from": "2026-01-01T00:00:00Z", "to": "2026-06-01T00:00:00Z", "size": 1, "commitment": "5a".repeat(32)}),
            ),
        ),
        row("GET /v1/samples/{id}", LEDGERS, Refused, &sample, None),
        row(
            "POST /v1/samples/{id}/draw",
            &[Auditor],
            Refused,
            &format!("{sample}/draw"),
            Some(json!({"seed": "5a".repeat(32)})),
        ),
        row(
            "GET /v1/ledgers/{jurisdiction}/checkpoint",
            OFFICERS,
            Refused,
            "/v1/ledgers/140802/checkpoint",
            None,
        ),
        row(
            "GET /v1/ledgers/{jurisdiction}/checkpoints",
            OFFICERS,
            Refused,
            "/v1/ledgers/140802/checkpoints",
            None,
        ),
        row(
            "POST /v1/ledgers/{jurisdiction}/checkpoint",
            OFFICERS,
            Refused,
            "/v1/ledgers/140802/checkpoint",
            None,
        ),
        row(
            "POST /v1/ledgers/{jurisdiction}/checkpoint/cosignatures",
            OFFICERS,
            Refused,
            "/v1/ledgers/140802/checkpoint/cosignatures",
            Some(json!("huanxin")),
        ),
        row(
            "GET /v1/ledgers/{jurisdiction}/proofs/inclusion",
            LEDGERS,
            Refused,
            "/v1/ledgers/140802/proofs/inclusion?leaf=0",
            None,
        ),
        row(
            "GET /v1/ledgers/{jurisdiction}/proofs/consistency",
            LEDGERS,
            Refused,
            "/v1/ledgers/140802/proofs/consistency?from=1",
            None,
        ),
        row(
            "GET /v1/ledgers/{jurisdiction}/reads",
            &[Auditor],
            Refused,
            "/v1/ledgers/140802/reads",
            None,
        ),
        row(
            "POST /v1/programmes/simulate",
            REPLAYS,
            Refused,
            "/v1/programmes/simulate",
            Some(json!({"programme": "appliance-2026", "version": 1, "counties": [YANHU]})),
        ),
        row(
            "GET /v1/programme-drafts",
            REPLAYS,
            Served,
            "/v1/programme-drafts",
            None,
        ),
        row("GET /v1/programme-drafts/{id}", REPLAYS, Served, &draft, None),
        row(
            "GET /v1/programme-drafts/{id}/report",
            REPLAYS,
            City,
            &format!("{draft}/report"),
            None,
        ),
        row(
            "POST /v1/programme-drafts",
            &[Admin],
            City,
            "/v1/programme-drafts",
            Some(json!({"document": "id = 1"})),
        ),
        row(
            "POST /v1/programme-drafts/{id}/decision",
            &[Admin],
            City,
            &format!("{draft}/decision"),
            Some(json!({"verdict": "approve"})),
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
            "POST /v1/claims/{id}/clawback-demand",
            &[Approver, Treasury],
            Refused,
            &format!("{claim}/clawback-demand"),
            Some(json!({"reason": "fraud"})),
        ),
        row(
            "GET /v1/claims/{id}/clawback",
            EVERYBODY,
            Refused,
            &format!("/v1/claims/{}/clawback", it.due),
            None,
        ),
        row(
            "POST /v1/claims/{id}/clawback-waivers",
            &[Treasury],
            Refused,
            &format!("{claim}/clawback-waivers"),
            Some(json!({"document": "运财〔2026〕6号", "reason": "why"})),
        ),
        row(
            "POST /v1/clawback-waivers/{id}/decision",
            &[Treasury],
            Refused,
            &format!(
                "/v1/clawback-waivers/{}/decision",
                it.disbursement.replace("dsb_", "wvr_")
            ),
            Some(json!({"verdict": "approve"})),
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
        row("DELETE /v1/webhooks/{id}", MERCHANTS, Served, &webhook, None),
    ]
}
