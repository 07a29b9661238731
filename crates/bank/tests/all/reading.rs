//! Forms of reports that banks write, beyond those of the simulated bank.

use bank::{Fault, GroupVerdict, Place, Report, ReportFormat, Verdict, read};
use chrono::NaiveDate;

const ID: &str = "018f2f6e7d3a7c8ea000000000000001";
const FILE: &str = "018f2f6e7d3a7c8e9b0a1122334455ff001";

fn pain002(inside: &str) -> Report {
    let text = format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt>{inside}\
         </CstmrPmtStsRpt></Document>"
    );
    read(ReportFormat::Pain002, text.as_bytes()).unwrap()
}

fn transaction(inside: &str) -> Report {
    pain002(&format!(
        "<OrgnlGrpInfAndSts><OrgnlMsgId>{FILE}</OrgnlMsgId></OrgnlGrpInfAndSts>\
         <OrgnlPmtInfAndSts><TxInfAndSts>{inside}</TxInfAndSts></OrgnlPmtInfAndSts>"
    ))
}

fn camt054(version: &str, entry: &str) -> Report {
    let text = format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.054.001.{version}\"><BkToCstmrDbtCdtNtfctn>\
         <Ntfctn><Ntry>{entry}</Ntry></Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
    );
    read(ReportFormat::Camt054, text.as_bytes()).unwrap()
}

fn only(report: Report) -> bank::Item {
    let [item] = <[_; 1]>::try_from(report.items).unwrap();
    assert_eq!(report.groups, []);
    item
}

fn kind(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted => "accepted",
        Verdict::Pending => "pending",
        Verdict::Paid { .. } => "paid",
        Verdict::Failed(_) => "failed",
        Verdict::Returned { .. } => "returned",
        Verdict::Unclear { .. } => "unclear",
    }
}

fn day(month: u32, day: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(2026, month, day)
}

#[test]
fn every_status_has_its_verdict() {
    for (status, verdict) in [
        ("ACCC", "paid"),
        ("ACSC", "paid"),
        ("ACCP", "accepted"),
        ("ACSP", "accepted"),
        ("ACTC", "accepted"),
        ("ACWC", "accepted"),
        ("ACWP", "accepted"),
        ("PDNG", "pending"),
        ("RCVD", "pending"),
        ("RJCT", "failed"),
        ("CANC", "failed"),
        ("BLCK", "unclear"),
        ("XXXX", "unclear"),
    ] {
        let item = only(transaction(&format!("<TxSts>{status}</TxSts>")));
        assert_eq!(kind(&item.verdict), verdict, "{status}");
    }
    assert_eq!(only(transaction("")).verdict, Verdict::Pending);
    let reason = "<StsRsnInf><Rsn><Cd>AC01</Cd></Rsn></StsRsnInf>";
    assert_eq!(kind(&only(transaction(reason)).verdict), "unclear");
}

#[test]
fn a_file_is_refused_as_a_whole() {
    let reason =
        "<StsRsnInf><Rsn><Cd>AM10</Cd></Rsn><AddtlInf>合计</AddtlInf><AddtlInf>不符</AddtlInf></StsRsnInf>";
    let report = pain002(&format!(
        "<OrgnlGrpInfAndSts><OrgnlMsgId>{FILE}</OrgnlMsgId><OrgnlNbOfTxs>3</OrgnlNbOfTxs>\
         <OrgnlCtrlSum>2875.85</OrgnlCtrlSum><GrpSts>RJCT</GrpSts>{reason}</OrgnlGrpInfAndSts>\
         <OrgnlPmtInfAndSts><OrgnlPmtInfId>{FILE}</OrgnlPmtInfId><PmtInfSts>RJCT</PmtInfSts></OrgnlPmtInfAndSts>"
    ));
    assert_eq!(report.items, []);
    let [message, information] = report.groups.as_slice() else {
        panic!("two groups")
    };
    let GroupVerdict::Whole(Verdict::Failed(failure)) = &message.verdict else {
        panic!("{message:?}")
    };
    assert_eq!(
        (message.count, message.sum.unwrap().to_string()),
        (Some(3), "2875.85".to_owned())
    );
    let file = message.original.as_ref().unwrap().file_id().unwrap();
    assert_eq!((file.message.to_string().as_str(), file.part()), (&FILE[..32], 1));
    assert_eq!(
        (failure.reason.code(), failure.text.as_ref().unwrap().expose()),
        ("AM10", "合计 不符")
    );
    let GroupVerdict::Whole(Verdict::Failed(failure)) = &information.verdict else {
        panic!("{information:?}")
    };
    assert_eq!((failure.reason.code(), &failure.text), ("", &None));
    assert_eq!(information.original, message.original);
}

#[test]
fn ids_are_looked_for_where_banks_put_them() {
    let id = |inside: &str| {
        let item = only(transaction(inside));
        item.end_to_end_id.map(|id| id.as_str().to_owned())
    };
    let (instruction, end_to_end) = (
        format!("<OrgnlInstrId>{ID}</OrgnlInstrId>"),
        format!("<OrgnlEndToEndId>{ID}</OrgnlEndToEndId>"),
    );
    assert_eq!(id(&end_to_end).as_deref(), Some(ID));
    assert_eq!(id(&instruction).as_deref(), Some(ID));
    let not_provided = "<OrgnlEndToEndId>NOTPROVIDED</OrgnlEndToEndId>";
    assert_eq!(id(&format!("{instruction}{not_provided}")).as_deref(), Some(ID));
    assert_eq!(id(not_provided).as_deref(), Some("NOTPROVIDED"));
    assert_eq!(id("<OrgnlInstrId>42</OrgnlInstrId>"), None);
    assert_eq!(id(""), None);
}

#[test]
fn reasons_are_read_as_banks_write_them() {
    let failure = |reasons: &str| match only(transaction(&format!("<TxSts>RJCT</TxSts>{reasons}"))).verdict {
        Verdict::Failed(failure) => {
            let text = failure.text.map(|text| text.expose().to_owned());
            (failure.reason.code().to_owned(), text.unwrap_or_default())
        }
        other => panic!("{other:?}"),
    };
    for (reasons, code, text) in [
        ("", "", ""),
        ("<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>", "AC04", ""),
        (
            "<StsRsnInf><Rsn><Prtry>ac04</Prtry></Rsn></StsRsnInf>",
            "AC04",
            "",
        ),
        (
            "<StsRsnInf><Rsn><Prtry>E-1042</Prtry></Rsn></StsRsnInf>",
            "E-1042",
            "",
        ),
        (
            "<StsRsnInf><Rsn><Prtry>户名不符</Prtry></Rsn></StsRsnInf>",
            "",
            "户名不符",
        ),
        (
            "<StsRsnInf><Orgtr><Nm>AC06</Nm></Orgtr><Rsn><Cd>BE01</Cd></Rsn><AddtlInf>a\n <!-- x -->b&#x4e00;&amp;\
             <![CDATA[<c>]]></AddtlInf></StsRsnInf><StsRsnInf><Rsn><Cd>AC01</Cd></Rsn></StsRsnInf>",
            "BE01",
            "a b一&<c> AC01",
        ),
    ] {
        assert_eq!(failure(reasons), (code.to_owned(), text.to_owned()), "{reasons}");
    }
}

#[test]
fn namespaces_are_resolved() {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><!-- c --><p:Document xmlns:p=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.12\" \
         xmlns:q=\"urn:other\"><p:CstmrPmtStsRpt><q:OrgnlPmtInfAndSts><q:TxInfAndSts/></q:OrgnlPmtInfAndSts>\
         <p:OrgnlPmtInfAndSts><p:TxInfAndSts><q:OrgnlEndToEndId>x</q:OrgnlEndToEndId>\
         <p:OrgnlEndToEndId>{ID}</p:OrgnlEndToEndId><q:TxSts>RJCT</q:TxSts></p:TxInfAndSts></p:OrgnlPmtInfAndSts>\
         </p:CstmrPmtStsRpt></p:Document>\n"
    );
    let item = only(read(ReportFormat::Pain002, text.as_bytes()).unwrap());
    assert_eq!(
        (item.end_to_end_id.unwrap().as_str(), item.verdict),
        (ID, Verdict::Pending)
    );
}

const BOOKED: &str =
    "<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-06-02</Dt></BookgDt><AcctSvcrRef>E-1</AcctSvcrRef>";

#[test]
fn a_batch_booked_in_one_sum_is_said_of_the_file() {
    let report = camt054(
        "08",
        &format!(
            "<Amt Ccy=\"CNY\">2875.85</Amt><CdtDbtInd>DBIT</CdtDbtInd>{BOOKED}<NtryDtls><Btch>\
             <PmtInfId>{FILE}</PmtInfId><NbOfTxs>3</NbOfTxs></Btch></NtryDtls>"
        ),
    );
    let [group] = report.groups.as_slice() else {
        panic!("one group")
    };
    assert_eq!(report.items, []);
    assert_eq!(
        (group.count, group.sum.unwrap().to_string()),
        (Some(3), "2875.85".to_owned())
    );
    assert_eq!(group.original.as_ref().unwrap().as_str(), FILE);
    let GroupVerdict::Whole(Verdict::Paid {
        booked,
        bank_reference,
    }) = &group.verdict
    else {
        panic!("{group:?}")
    };
    assert_eq!(
        (*booked, bank_reference.as_ref().unwrap().as_str()),
        (day(6, 2), "E-1")
    );
}

#[test]
fn every_entry_has_its_verdict() {
    let ours = format!("<Refs><EndToEndId>{ID}</EndToEndId></Refs>");
    let theirs = "<Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>";
    let returned = format!("{ours}<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>");
    for (side, status, reversal, details, verdict) in [
        ("DBIT", "BOOK", "", ours.as_str(), "paid"),
        ("DBIT", "BOOK", "", theirs, "paid"),
        ("DBIT", "PDNG", "", &ours, "pending"),
        ("DBIT", "INFO", "", &ours, "pending"),
        ("DBIT", "XXXX", "", &ours, "unclear"),
        ("DBIT", "BOOK", "true", &ours, "unclear"),
        ("DBIT", "BOOK", "", &returned, "unclear"),
        ("CRDT", "BOOK", "", &returned, "returned"),
        ("CRDT", "BOOK", "1", theirs, "returned"),
        ("CRDT", "BOOK", "false", &ours, "returned"),
        ("CRDT", "BOOK", "", theirs, "unclear"),
        ("CRDT", "PDNG", "", &returned, "pending"),
    ] {
        let reversal = if reversal.is_empty() {
            String::new()
        } else {
            format!("<RvslInd>{reversal}</RvslInd>")
        };
        let item = only(camt054(
            "08",
            &format!(
                "<Amt Ccy=\"CNY\">1.00</Amt><CdtDbtInd>{side}</CdtDbtInd>{reversal}<Sts><Cd>{status}</Cd></Sts>\
                 <NtryDtls><TxDtls>{details}</TxDtls></NtryDtls>"
            ),
        ));
        assert_eq!(
            kind(&item.verdict),
            verdict,
            "{side} {status} {reversal} {details}"
        );
        assert_eq!(item.end_to_end_id.is_some(), details.contains(ID));
        assert_eq!(item.amount.unwrap().to_string(), "1.00");
    }
}

#[test]
fn an_entry_without_details_is_an_item() {
    let item = only(camt054(
        "08",
        &format!("<Amt Ccy=\"CNY\">0.50</Amt><CdtDbtInd>DBIT</CdtDbtInd>{BOOKED}"),
    ));
    assert_eq!(
        (item.end_to_end_id, item.amount.unwrap().to_string()),
        (None, "0.50".to_owned())
    );
    assert_eq!(kind(&item.verdict), "paid");
}

#[test]
fn early_versions_are_read() {
    let item = only(camt054(
        "02",
        &format!(
            "<Amt Ccy=\"CNY\">9.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>\
             <BookgDt><DtTm>2026-06-05T23:30:00+08:00</DtTm></BookgDt><NtryDtls>\
             <Btch><MsgId>{FILE}</MsgId></Btch><TxDtls><Refs><InstrId>{ID}</InstrId></Refs>\
             <AmtDtls><InstdAmt><Amt Ccy=\"CNY\">9</Amt></InstdAmt><TxAmt><Amt Ccy=\"CNY\">8.5</Amt></TxAmt></AmtDtls>\
             <RtrInf><Rsn><Cd>AC06</Cd></Rsn><AddtlInf>冻结</AddtlInf></RtrInf></TxDtls></NtryDtls>"
        ),
    ));
    assert_eq!(item.end_to_end_id.as_ref().unwrap().as_str(), ID);
    assert_eq!(item.original.as_ref().unwrap().as_str(), FILE);
    assert_eq!(item.amount.unwrap().to_string(), "8.50");
    let Verdict::Returned { failure, booked, .. } = item.verdict else {
        panic!("{item:?}")
    };
    assert_eq!((failure.reason.code(), booked), ("AC06", day(6, 5)));
}

fn table(text: &str) -> Result<Report, bank::ReadError> {
    read(ReportFormat::Csv, text.as_bytes())
}

#[test]
fn tables_are_read_as_officers_save_them() {
    let report = table(
        "Result,Booked,AMOUNT,remark,End-to-End ID,Reason\r\n\
         paid,2026/6/2,\"¥1,500.00\",x,'018f2f6e7d3a7c8ea000000000000001 ,\r\n\
         ,,,,,\r\n\
         失败,,20,,1.8F+31,账号与户名不符\r\n\
         退票,20260603,8.5\r\n\
         挂起,,1,,,\r\n",
    )
    .unwrap();
    let kinds: Vec<_> = report.items.iter().map(|item| kind(&item.verdict)).collect();
    assert_eq!(kinds, ["paid", "failed", "returned", "unclear"]);
    let ids: Vec<_> = report
        .items
        .iter()
        .map(|item| item.end_to_end_id.as_ref().map_or("", |id| id.as_str()))
        .collect();
    assert_eq!(ids, [ID, "1.8F+31", "", ""]);
    let lines: Vec<_> = report.items.iter().map(|item| item.place.line).collect();
    assert_eq!(lines, [2, 4, 5, 6]);
    let amounts: Vec<_> = report
        .items
        .iter()
        .map(|item| item.amount.unwrap().to_string())
        .collect();
    assert_eq!(amounts, ["1500.00", "20.00", "8.50", "1.00"]);
    let Verdict::Failed(failure) = &report.items[1].verdict else {
        panic!("{report:?}")
    };
    assert_eq!(
        (failure.reason.code(), failure.text.as_ref().unwrap().expose()),
        ("BE01", "账号与户名不符")
    );
}

#[test]
fn a_control_row_has_to_agree() {
    let with = |rows: &str| {
        table(&format!(
            "序号,支付流水号,金额(元),处理结果\n1,a,1.00,成功\n2,b,2.00,成功\n{rows}"
        ))
    };
    for good in ["", "合计,,3.00,\n", "合计,,,\n", "总计,,\"3.0\",\n,,,\n"] {
        assert_eq!(with(good).unwrap().items.len(), 2, "{good}");
    }
    let error = |rows| {
        let error = with(rows).unwrap_err();
        (error.fault, error.place.line, error.place.column)
    };
    assert_eq!(error("合计,,3.01,\n"), (Fault::Control, 4, 3));
    assert_eq!(error("合计,,x,\n"), (Fault::Amount, 4, 3));
    assert_eq!(error("合计,,3.00,\n3,c,1.00,成功\n"), (Fault::AfterControl, 5, 1));

    let ours = |count| {
        table(&format!(
            "批次号,序号,支付流水号,金额,处理结果\nm,1,a,1.00,成功\n合计,{count},,1.00,\n"
        ))
    };
    assert_eq!(ours("1").unwrap().items.len(), 1);
    assert_eq!(ours("2").unwrap_err().place, Place { line: 3, column: 2 });
}

#[test]
fn tables_that_are_wrong_say_where() {
    let head = "支付流水号,金额,币种,处理结果,入账日期\n";
    for (rows, fault, line, column) in [
        ("a,1.00,CNY,成功,2026-06-31\n", Fault::Date, 2, 5),
        ("a,1.001,CNY,成功,\n", Fault::Amount, 2, 2),
        ("a,,CNY,成功,\n", Fault::Amount, 2, 2),
        ("a,-1.00,CNY,成功,\n", Fault::Amount, 2, 2),
        ("a,1.00,USD,成功,\n", Fault::Currency, 2, 3),
        ("a,1.00,CNY,成功,,x\n", Fault::Ragged, 2, 6),
        (
            "a,1.00,CNY,成功,\nb,\"1.00,CNY,成功,\nc,1.00,CNY,成功,\n",
            Fault::Malformed,
            3,
            2,
        ),
    ] {
        let error = table(&format!("{head}{rows}")).unwrap_err();
        assert_eq!(
            (error.fault, error.place),
            (fault, Place { line, column }),
            "{rows}"
        );
    }
    for (heads, fault) in [
        ("", Fault::Missing("支付流水号")),
        ("金额,处理结果\n", Fault::Missing("支付流水号")),
        ("支付流水号,处理结果\n", Fault::Missing("金额（元）")),
        ("支付流水号,金额\n", Fault::Missing("处理结果")),
        (
            "支付流水号,金额,处理结果,Payment ID\n",
            Fault::Twice("支付流水号"),
        ),
    ] {
        assert_eq!(table(heads).unwrap_err().fault, fault, "{heads}");
    }
}
