//! A simulated bank with no other input than the bytes it gets: it reads an order, checks it as
//! banks do, and answers.

use std::fmt::Write as _;

use ledger::Fen;
use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::Event;

use crate::fixtures::total;

/// The simulated result of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Accepted,
    Pending,
    Paid,
    Failed(&'static str),
    Returned(&'static str),
}

pub(crate) fn fate() -> impl Strategy<Value = Fate> {
    let code = proptest::sample::select(vec!["AC01", "AC04", "AC06", "BE01", "RC04", "MS03", "E-1042"]);
    prop_oneof![
        Just(Fate::Accepted),
        Just(Fate::Pending),
        Just(Fate::Paid),
        code.clone().prop_map(Fate::Failed),
        code.prop_map(Fate::Returned),
    ]
}

/// A file as the bank parses it.
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) payments: Vec<(String, Fen)>,
    pub(crate) sum: Fen,
}

impl Order {
    /// Checked by the file's own count and sums, as every bank does.
    fn checked(id: String, payments: Vec<(String, Fen)>, counts: &[String], sums: &[String]) -> Order {
        let sum = total(payments.iter().map(|(_, amount)| *amount));
        assert!(counts.iter().all(|count| *count == payments.len().to_string()));
        assert!(sums.iter().all(|it| *it == sum.to_string()));
        Order { id, payments, sum }
    }

    pub(crate) fn from_pain001(bytes: &[u8]) -> Order {
        let texts = |name: &str| texts(bytes, name);
        let (ids, amounts) = (texts("EndToEndId"), texts("InstdAmt"));
        assert_eq!(ids, texts("InstrId"));
        assert_eq!(texts("MsgId"), texts("PmtInfId"));
        let amounts = amounts.iter().map(|amount| amount.parse().unwrap());
        let payments: Vec<(String, Fen)> = ids.into_iter().zip(amounts).collect();
        // The claims of a payment add up to its amount.
        let remitted = texts("RmtdAmt").into_iter().map(|amount| amount.parse().unwrap());
        assert_eq!(total(remitted), total(payments.iter().map(|(_, amount)| *amount)));
        let (counts, sums) = (texts("NbOfTxs"), texts("CtrlSum"));
        assert_eq!((counts.len(), sums.len()), (2, 2));
        Order::checked(texts("MsgId").remove(0), payments, &counts, &sums)
    }

    pub(crate) fn from_csv(bytes: &[u8]) -> Order {
        let rows = rows(bytes);
        let (headings, rest) = rows.split_first().unwrap();
        let (control, rows) = rest.split_last().unwrap();
        let column = |name: &str| headings.iter().position(|heading| heading == name).unwrap();
        let (batch, number, id, amount) = (
            column("批次号"),
            column("序号"),
            column("支付流水号"),
            column("金额（元）"),
        );
        let payments = rows
            .iter()
            .map(|row| (row[id].trim().to_owned(), row[amount].parse().unwrap()))
            .collect();
        assert_eq!(control[batch], "合计");
        Order::checked(
            rows[0][batch].trim().to_owned(),
            payments,
            &control[number..=number],
            &control[amount..=amount],
        )
    }
}

/// The texts of all elements of a name.
fn texts(document: &[u8], name: &str) -> Vec<String> {
    let mut reader = Reader::from_reader(document);
    let mut found = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) if start.name().into_inner() == name => {
                let text = reader.read_text(start.name()).unwrap();
                found.push(unescape(&text).unwrap().into_owned());
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

fn rows(bytes: &[u8]) -> Vec<Vec<String>> {
    let text = std::str::from_utf8(bytes)
        .unwrap()
        .strip_prefix('\u{feff}')
        .unwrap();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    let row = |record: csv::StringRecord| record.iter().map(str::to_owned).collect();
    reader.records().map(|record| row(record.unwrap())).collect()
}

/// The namespace is that of the version, such as `10`; what is written is the same in all of them.
pub(crate) fn pain002(order: &Order, fates: &[Fate], version: &str) -> String {
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}\"><CstmrPmtStsRpt>\n\
         <GrpHdr><MsgId>STS-1</MsgId><CreDtTm>2026-06-02T10:00:00+08:00</CreDtTm></GrpHdr>\n\
         <OrgnlGrpInfAndSts><OrgnlMsgId>{0}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>\
         <OrgnlNbOfTxs>{1}</OrgnlNbOfTxs><OrgnlCtrlSum>{2}</OrgnlCtrlSum><GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>\n\
         <OrgnlPmtInfAndSts><OrgnlPmtInfId>{0}</OrgnlPmtInfId>\n",
        order.id,
        order.payments.len(),
        order.sum
    );
    for ((id, amount), fate) in order.payments.iter().zip(fates) {
        let (status, reason) = match fate {
            Fate::Accepted => ("ACSP", None),
            Fate::Pending => ("PDNG", None),
            Fate::Paid | Fate::Returned(_) => ("ACSC", None),
            Fate::Failed(code) => ("RJCT", Some(code)),
        };
        let choice = |code: &str| if code.len() == 4 { "Cd" } else { "Prtry" };
        let reason = reason.map_or(String::new(), |code| {
            format!(
                "<StsRsnInf><Rsn><{0}>{code}</{0}></Rsn></StsRsnInf>",
                choice(code)
            )
        });
        writeln!(
            out,
            "<TxInfAndSts><OrgnlInstrId>{id}</OrgnlInstrId><OrgnlEndToEndId>{id}</OrgnlEndToEndId>\
             <TxSts>{status}</TxSts>{reason}\
             <OrgnlTxRef><Amt><InstdAmt Ccy=\"CNY\">{amount}</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts>"
        )
        .unwrap();
    }
    out.push_str("</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>\n");
    out
}

/// The booked entries: the batch as one debit, and each return as a credit.
pub(crate) fn camt054(order: &Order, fates: &[Fate]) -> String {
    let booked = "<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-06-02</Dt></BookgDt>";
    let code =
        "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>DMCT</SubFmlyCd></Fmly></Domn></BkTxCd>";
    let details = |id: &str, amount: Fen, returned: &str| {
        format!(
            "<TxDtls><Refs><MsgId>{}</MsgId><AcctSvcrRef>B-{}</AcctSvcrRef><EndToEndId>{id}</EndToEndId></Refs>\
             <Amt Ccy=\"CNY\">{amount}</Amt>{returned}</TxDtls>\n",
            order.id,
            &id[24..]
        )
    };
    let went = |fate: &Fate| matches!(fate, Fate::Paid | Fate::Returned(_));
    let paid: Vec<_> = order
        .payments
        .iter()
        .zip(fates)
        .filter(|(_, fate)| went(fate))
        .collect();
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.054.001.08\"><BkToCstmrDbtCdtNtfctn>\n\
         <GrpHdr><MsgId>NTF-1</MsgId><CreDtTm>2026-06-03T08:00:00+08:00</CreDtTm></GrpHdr>\n\
         <Ntfctn><Id>1</Id><Acct><Id><Othr><Id>14050167890800000123</Id></Othr></Id></Acct>\n"
        .to_owned();
    if !paid.is_empty() {
        let sum = total(paid.iter().map(|((_, amount), _)| *amount));
        writeln!(
            out,
            "<Ntry><Amt Ccy=\"CNY\">{sum}</Amt><CdtDbtInd>DBIT</CdtDbtInd>{booked}{code}<NtryDtls>"
        )
        .unwrap();
        for ((id, amount), _) in &paid {
            out.push_str(&details(id, *amount, ""));
        }
        out.push_str("</NtryDtls></Ntry>\n");
    }
    for ((id, amount), fate) in &paid {
        if let Fate::Returned(reason) = fate {
            let choice = if reason.len() == 4 { "Cd" } else { "Prtry" };
            let returned = format!("<RtrInf><Rsn><{choice}>{reason}</{choice}></Rsn></RtrInf>");
            let details = details(id, *amount, &returned);
            writeln!(
                out,
                "<Ntry><Amt Ccy=\"CNY\">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>{booked}{code}\
                 <NtryDtls>{details}</NtryDtls></Ntry>"
            )
            .unwrap();
        }
    }
    out.push_str("</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>\n");
    out
}

/// The CSV of this crate with its result columns filled in, as a spreadsheet saves it.
pub(crate) fn filled_in(table: &[u8], fates: &[Fate]) -> String {
    let mut rows = rows(table);
    let columns = rows[0].len();
    let last = rows.len() - 1;
    for (row, fate) in rows[1..last].iter_mut().zip(fates) {
        let (result, code) = match fate {
            Fate::Accepted => ("已受理", ""),
            Fate::Pending => ("", ""),
            Fate::Paid => ("成功", ""),
            Fate::Failed(code) => ("失败", *code),
            Fate::Returned(code) => ("退汇", *code),
        };
        if matches!(fate, Fate::Paid | Fate::Returned(_)) {
            row[columns - 4] = "2026/6/2".to_owned();
            row[columns - 3] = "B-1".to_owned();
        }
        row[columns - 5] = result.to_owned();
        row[columns - 2] = code.to_owned();
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    rows.iter().for_each(|row| writer.write_record(row).unwrap());
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}
