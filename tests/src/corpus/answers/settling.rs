//! Results of payments in every report format of a bank, and reports that are set aside.

use serde_json::{Value, json};
use testkit::YANHU;

use super::super::scene::Scene;
use super::PROGRAMME;

fn text<'a>(payment: &'a Value, name: &str) -> &'a str {
    payment[name].as_str().unwrap()
}

/// The end-to-end id of a payment.
pub(super) fn end_to_end(payment: &Value) -> &str {
    text(payment, "id").rsplit('_').next().unwrap()
}

/// An answer to one payment of a file.
fn pain002(payment: &str, status: &str, amount: &str) -> String {
    format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt><GrpHdr><MsgId>S</MsgId>\
         <CreDtTm>2026-07-02T10:00:00+08:00</CreDtTm></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>x</OrgnlMsgId>\
         <OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId></OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>x</OrgnlPmtInfId>\
         <TxInfAndSts><OrgnlEndToEndId>{payment}</OrgnlEndToEndId><TxSts>{status}</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn>\
         </StsRsnInf><OrgnlTxRef><Amt><InstdAmt Ccy=\"CNY\">{amount}</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts>\
         </OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    )
}

/// A day's notification of what was booked (`DBIT`) and came back (`CRDT`).
pub(super) fn camt054(entries: &[(&str, &str, &str)]) -> String {
    let entries = entries.iter().map(|(payment, amount, side)| {
        let why = match *side {
            "CRDT" => "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>",
            _ => "",
        };
        format!(
            "<Ntry><Amt Ccy=\"CNY\">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
             <BookgDt><Dt>2026-07-02</Dt></BookgDt><NtryDtls><TxDtls><Refs><EndToEndId>{payment}</EndToEndId></Refs>\
             <Amt Ccy=\"CNY\">{amount}</Amt>{why}</TxDtls></NtryDtls></Ntry>"
        )
    });
    format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.054.001.08\"><BkToCstmrDbtCdtNtfctn><GrpHdr>\
         <MsgId>N</MsgId><CreDtTm>2026-07-03T08:00:00+08:00</CreDtTm></GrpHdr><Ntfctn><Id>1</Id>{}</Ntfctn>\
         </BkToCstmrDbtCdtNtfctn></Document>",
        entries.collect::<String>()
    )
}

/// An instruction as a table with its columns of results filled in.
fn filled(table: &str, outcome: &str) -> String {
    let text = table.trim_start_matches('\u{feff}');
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let heads = reader.headers().unwrap().clone();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&heads).unwrap();
    for row in reader.records() {
        let row = row.unwrap();
        let cells = heads.iter().zip(&row).map(|(head, cell)| match head {
            _ if &row[0] == "合计" => cell,
            "处理结果" => outcome,
            "入账日期" => "2026-07-02",
            "银行流水号" => "B-1",
            _ => cell,
        });
        writer.write_record(cells).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

pub(super) async fn results(scene: &mut Scene) {
    scene.page("results.snap");
    let maker = scene.app.cast.maker.clone();
    let latest = scene
        .fetch(&maker, "/v1/disbursements?limit=1")
        .await
        .expect(200)
        .json();
    let disbursement = text(&latest["items"][0], "id").to_owned();
    let path = format!("/v1/disbursements/{disbursement}");
    let payments = scene.payments(&disbursement).await;
    let results = format!("{path}/results");
    let one = |payment: &Value, outcome: &str| json!({"payment": payment["id"], "outcome": outcome, "reason": "账号不存在"});
    let items = json!({"items": [
        {"payment": payments[0]["id"], "outcome": "paid"},
        one(&payments[1], "failed"),
        {"payment": "pay_140802_018f2f6e7d3a7c8e9b0a1122334455ff", "outcome": "paid"},
    ]});
    let unknown = json!({"items": [one(&payments[2], "returned")]});
    scene
        .post_without_key("A return is not entered by a person", &maker, &results, &unknown)
        .await;
    scene.post_without_key("Results", &maker, &results, &items).await;
    scene
        .post_without_key("The same again", &maker, &results, &items)
        .await;
    let contrary = json!({"items": [one(&payments[0], "failed")]});
    scene
        .post_without_key("Another result", &maker, &results, &contrary)
        .await;
    let wrong = json!({"items": [{"payment": "x", "outcome": "lost"}, {}]});
    scene
        .post_without_key("Wrong in every member", &maker, &results, &wrong)
        .await;
    scene
        .get("Its payments", &maker, &format!("{path}/payments"))
        .await;
    let payment = format!("/v1/payments/{}", text(&payments[1], "id"));
    scene.get("A payment", &maker, &payment).await;
    scene
        .get("Its claims", &maker, &format!("{payment}/claims"))
        .await;
    scene
        .get("Its reconciliation", &maker, &format!("{path}/reconciliation"))
        .await;
    let claims = scene
        .fetch(&maker, &format!("{payment}/claims"))
        .await
        .expect(200)
        .json();
    let claim = text(&claims["items"][0], "claim").to_owned();
    let auditor = scene.app.cast.auditor.clone();
    scene
        .get(
            "A claim that could not be paid",
            &auditor,
            &format!("/v1/claims/{claim}"),
        )
        .await;
    let withdrawal = format!("/v1/claims/{claim}/withdrawal");
    let shop = scene.app.cast.retailer.clone();
    scene
        .post(
            "It is withdrawn",
            &shop,
            &withdrawal,
            &json!({"reason": "不再申领"}),
        )
        .await;

    // A returned payment is sent again, and the bank's answer is a table.
    scene.payable_to_applicant().await;
    let (again, _) = scene.release(PROGRAMME).await;
    let path = format!("/v1/disbursements/{again}");
    let table = scene
        .fetch(&maker, &format!("{path}/instruction?format=csv"))
        .await;
    let table = filled(&table.expect(200).text(), "成功");
    let results = format!("{path}/results");
    scene
        .text(
            "A table of results",
            &maker,
            ("POST", &results),
            "text/csv",
            &table,
        )
        .await;
    scene
        .text("No table", &maker, ("POST", &results), "text/csv", "a,b\n1,2\n")
        .await;
}

pub(super) async fn reports(scene: &mut Scene) {
    scene.page("reports.snap");
    let cast = scene.app.cast.clone();
    let (maker, checker) = (&cast.maker, &cast.checker);
    for _ in 0..4 {
        scene.payable_to_applicant().await;
    }
    let body = json!({"jurisdiction": YANHU, "programme": PROGRAMME});
    let made = scene
        .post_unrecorded(maker, "/v1/disbursements", &body)
        .await
        .expect(201)
        .json();
    let disbursement = text(&made, "id").to_owned();
    let payments = scene.payments(&disbursement).await;
    let xml = "application/xml";
    let path = format!("/v1/bank-reports?jurisdiction={YANHU}");
    let post = ("POST", path.as_str());
    let paid = pain002(end_to_end(&payments[0]), "ACSC", "600.00");
    scene
        .text("Paid before it was released", maker, post, xml, &paid)
        .await;
    let release = format!("/v1/disbursements/{disbursement}/release");
    scene
        .post_unrecorded(checker, &release, &json!({}))
        .await
        .expect(200);
    scene.text("Paid", maker, post, xml, &paid).await;
    super::inside::submit_to_bank(&scene.app).await;
    let submissions = format!("/v1/disbursements/{disbursement}/submissions");
    scene.get("Its files were taken", maker, &submissions).await;
    let pending = pain002(end_to_end(&payments[1]), "PDNG", "600.00");
    scene.text("On its way", maker, post, xml, &pending).await;
    let failed = pain002(end_to_end(&payments[1]), "RJCT", "600.00");
    scene.text("Failed", maker, post, xml, &failed).await;
    let odd = pain002(end_to_end(&payments[2]), "ODD", "600.00");
    scene
        .text("A status that there is not", maker, post, xml, &odd)
        .await;
    let other = pain002(end_to_end(&payments[2]), "ACSC", "600.01");
    scene.text("Another amount", maker, post, xml, &other).await;
    let stranger = "018f2f6e7d3a7c8e9b0a1122334455ff";
    let day = camt054(&[
        (end_to_end(&payments[2]), "600.00", "DBIT"),
        (end_to_end(&payments[3]), "600.00", "DBIT"),
        (end_to_end(&payments[3]), "600.00", "CRDT"),
        (end_to_end(&payments[1]), "600.00", "DBIT"),
        (stranger, "1.00", "DBIT"),
    ]);
    scene.text("A day's notification", maker, post, xml, &day).await;
    scene.text("The same again", maker, post, xml, &day).await;
    scene
        .text("Nothing that can be read", maker, post, xml, "<Document/>")
        .await;
    scene.text("Not XML", maker, post, xml, "none").await;
    scene
        .text("A table without columns", maker, post, "text/csv", "a\n1\n")
        .await;
    scene.get("Reports", &cast.auditor, "/v1/bank-reports").await;
    scene
        .get(
            "Unreadable ones",
            &cast.auditor,
            "/v1/bank-reports?unreadable=true",
        )
        .await;
    exceptions(scene).await;
    let path = format!("/v1/disbursements/{disbursement}");
    scene
        .get("Its payments", maker, &format!("{path}/payments"))
        .await;
    scene
        .get("Its reconciliation", maker, &format!("{path}/reconciliation"))
        .await;
    let span = "/v1/reconciliations?jurisdiction=140802&from=2026-06-01&to=2026-07-31";
    scene.get("Reconciliations", &cast.auditor, span).await;
    let empty = "/v1/reconciliations?jurisdiction=140802&from=2026-06-02&to=2026-06-01";
    scene.get("No span", &cast.auditor, empty).await;
}

/// Exceptions: listed, applied and dismissed.
async fn exceptions(scene: &mut Scene) {
    let cast = scene.app.cast.clone();
    let list = "/v1/bank-exceptions?jurisdiction=140802";
    let seen = scene
        .get("Exceptions", &cast.auditor, list)
        .await
        .expect(200)
        .json();
    let items = seen["items"].as_array().unwrap().clone();
    for (number, item) in items.iter().enumerate() {
        let path = format!("/v1/bank-exceptions/{}/resolution", text(item, "id"));
        let apply = json!({"resolution": "apply", "reason": "经与银行核对"});
        let dismiss = json!({"resolution": "dismiss", "reason": "经与银行核对"});
        if number == 0 {
            scene
                .post_without_key("By the same person", &cast.maker, &path, &apply)
                .await;
            scene
                .post_without_key(
                    "Without a reason",
                    &cast.checker,
                    &path,
                    &json!({"resolution": "apply"}),
                )
                .await;
        }
        let applied = scene
            .post_without_key("Applied", &cast.checker, &path, &apply)
            .await;
        if applied.status != 200 {
            scene
                .post_without_key("Dismissed", &cast.checker, &path, &dismiss)
                .await;
        }
        if number == 0 {
            scene
                .post_without_key("Resolved before", &cast.checker, &path, &dismiss)
                .await;
        }
    }
    scene.get("No exceptions", &cast.auditor, list).await;
}
