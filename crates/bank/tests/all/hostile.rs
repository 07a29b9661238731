//! Input that is broken, or meant to break something.

use bank::{Fault, Format, Limits, Place, ReadError, ReportFormat, read, read_within};
use proptest::prelude::*;

use crate::county_bank::{Fate, Order, camt054, filled_in, pain002};
use crate::fixtures::{example, many, split};

const HEAD: &str = "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\">";

fn fault(text: &str) -> (Fault, u64, u64) {
    let ReadError { place, fault } = read(ReportFormat::Pain002, text.as_bytes()).unwrap_err();
    (fault, place.line, place.column)
}

fn good() -> [(ReportFormat, String); 3] {
    let fates = [Fate::Paid, Fate::Failed("BE01"), Fate::Returned("AC04")];
    let order = Order::from_pain001(&split(&example(), Format::Pain001, 3)[0].bytes);
    let table = &split(&example(), Format::Csv, 3)[0].bytes;
    [
        (ReportFormat::Pain002, pain002(&order, &fates, "10")),
        (ReportFormat::Camt054, camt054(&order, &fates)),
        (ReportFormat::Csv, filled_in(table, &fates)),
    ]
}

#[test]
fn definitions_and_entities_are_refused() {
    let laughs = "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;\">]>";
    assert_eq!(
        fault(&format!("{laughs}\n{HEAD}&lol2;</Document>")),
        (Fault::Doctype, 1, 1)
    );
    let external = "<?xml version=\"1.0\"?>\n<!DOCTYPE a SYSTEM \"file:///etc/passwd\">";
    assert_eq!(
        fault(&format!("{external}{HEAD}</Document>")),
        (Fault::Doctype, 2, 1)
    );
    assert_eq!(
        fault(&format!(
            "{HEAD}\n<CstmrPmtStsRpt>&name;</CstmrPmtStsRpt></Document>"
        )),
        (Fault::Entity, 2, 17)
    );
    assert_eq!(
        fault(&format!("{HEAD}&#0;</Document>")),
        (Fault::Malformed, 1, 66)
    );
}

#[test]
fn only_the_message_that_was_asked_for_is_read() {
    let namespace = Fault::Namespace("pain.002");
    for text in [
        "",
        "   ",
        "{}",
        "<Document/>",
        "<Document xmlns=\"urn:other\"/>",
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\"/>",
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.\"/>",
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10.1\"/>",
        "<Doc xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"/>",
    ] {
        let (fault, line, _) = fault(text);
        let expected = if text == "{}" { Fault::Malformed } else { namespace };
        assert_eq!((fault, line), (expected, 1), "{text}");
    }
    assert_eq!(
        fault(&format!("{HEAD}</Document>")),
        (Fault::Missing("CstmrPmtStsRpt"), 1, 1)
    );
    for (format, text) in good() {
        for other in ReportFormat::ALL {
            assert_eq!(read(other, text.as_bytes()).is_ok(), format == other);
        }
    }
}

#[test]
fn what_is_not_well_formed_is_refused() {
    let inside = |text: &str| fault(&format!("{HEAD}\n<CstmrPmtStsRpt>\n{text}"));
    let end = "</CstmrPmtStsRpt></Document>";
    assert_eq!(inside("<a></b>"), (Fault::Malformed, 3, 4));
    assert_eq!(inside("<a"), (Fault::Truncated, 3, 1));
    assert_eq!(inside("<a>"), (Fault::Truncated, 3, 4));
    assert_eq!(inside(&format!("{end}{end}")).0, Fault::Malformed);
    assert_eq!(inside(&format!("{end}x")), (Fault::Malformed, 3, 29));
    assert_eq!(inside(&format!("{end}<a/>")), (Fault::Malformed, 3, 29));
    assert_eq!(inside(&format!("<x:a/>{end}")), (Fault::Malformed, 3, 1));
    assert_eq!(
        inside(&format!("<a b=\"1\" b=\"2\"/>{end}")),
        (Fault::Malformed, 3, 1)
    );
    assert_eq!(
        inside(&format!("<GrpHdr><MsgId>\u{1}</MsgId></GrpHdr>{end}")),
        (Fault::Malformed, 3, 16)
    );
    let declared = format!("<?xml version=\"1.0\" encoding=\"GBK\"?>{HEAD}<CstmrPmtStsRpt>{end}");
    assert_eq!(fault(&declared), (Fault::Encoding, 1, 1));
    let mut bytes = format!("{HEAD}\n<CstmrPmtStsRpt>王").into_bytes();
    bytes.push(0xff);
    let error = read(ReportFormat::Pain002, &bytes).unwrap_err();
    assert_eq!(
        (error.fault, error.place),
        (Fault::Encoding, Place { line: 2, column: 18 })
    );
}

#[test]
fn values_are_checked_where_they_stand() {
    let transaction = |amount: &str| {
        fault(&format!(
            "{HEAD}<CstmrPmtStsRpt><OrgnlPmtInfAndSts><TxInfAndSts>\n<OrgnlTxRef><Amt>{amount}</Amt></OrgnlTxRef>\
             </TxInfAndSts></OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
        ))
    };
    assert_eq!(
        transaction("<InstdAmt Ccy=\"USD\">1.00</InstdAmt>"),
        (Fault::Currency, 2, 18)
    );
    assert_eq!(transaction("<InstdAmt>1.00</InstdAmt>"), (Fault::Currency, 2, 18));
    assert_eq!(
        transaction("<InstdAmt Ccy=\"CNY\">1.001</InstdAmt>"),
        (Fault::Amount, 2, 18)
    );
    assert_eq!(
        transaction("<InstdAmt Ccy=\"CNY\">-1</InstdAmt>"),
        (Fault::Amount, 2, 18)
    );
    let entry = |entry: &str| {
        let text = format!(
            "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.054.001.08\"><BkToCstmrDbtCdtNtfctn><Ntfctn>\n\
             <Ntry>{entry}</Ntry></Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
        );
        read(ReportFormat::Camt054, text.as_bytes()).unwrap_err().fault
    };
    let (amount, side, status) = (
        "<Amt Ccy=\"CNY\">1</Amt>",
        "<CdtDbtInd>DBIT</CdtDbtInd>",
        "<Sts>BOOK</Sts>",
    );
    assert_eq!(entry(&format!("{side}{status}")), Fault::Missing("Amt"));
    assert_eq!(entry(&format!("{amount}{status}")), Fault::Missing("CdtDbtInd"));
    assert_eq!(entry(&format!("{amount}{side}")), Fault::Missing("Sts"));
    assert_eq!(entry("<CdtDbtInd>DEBT</CdtDbtInd>"), Fault::Word);
    assert_eq!(entry("<RvslInd>no</RvslInd>"), Fault::Word);
    assert_eq!(entry("<BookgDt><Dt>2026-02-30</Dt></BookgDt>"), Fault::Date);
    assert_eq!(
        entry("<NtryDtls><Btch><NbOfTxs>x</NbOfTxs></Btch></NtryDtls>"),
        Fault::Count
    );
}

#[test]
fn limits_hold() {
    let limits = |bytes, items, depth| Limits { bytes, items, depth };
    for (format, text) in good() {
        let with = |limits: &Limits| read_within(format, text.as_bytes(), limits);
        let report = with(&limits(text.len(), 4, 16)).unwrap();
        let stated = report.items.len() + report.groups.len();
        assert!((3..=4).contains(&stated));
        let error = |limits: &Limits| with(limits).unwrap_err().fault;
        assert_eq!(
            error(&limits(text.len() - 1, 4, 16)),
            Fault::TooLong(text.len() - 1)
        );
        assert_eq!(
            error(&limits(text.len(), stated - 1, 16)),
            Fault::TooMany(stated - 1)
        );
        if format != ReportFormat::Csv {
            assert_eq!(error(&limits(text.len(), 4, 5)), Fault::TooDeep(5));
        }
    }
    let deep = format!("{HEAD}{}", "<a>".repeat(100_000));
    assert_eq!(fault(&deep).0, Fault::TooDeep(32));
    let id = |id: &str| {
        format!("{HEAD}<CstmrPmtStsRpt><GrpHdr><MsgId>{id}</MsgId></GrpHdr></CstmrPmtStsRpt></Document>")
    };
    assert_eq!(fault(&id(&"中".repeat(1_025))).0, Fault::ValueTooLong(1_024));
    assert_eq!(
        fault(&id(&"&#20013;".repeat(4_097))).0,
        Fault::ValueTooLong(1_024)
    );
    let longest = id(&"中".repeat(1_024));
    assert!(read(ReportFormat::Pain002, longest.as_bytes()).is_ok());
    let row = format!("支付流水号,金额,处理结果\n{},1.00,成功\n", "1".repeat(4_097));
    assert_eq!(
        read(ReportFormat::Csv, row.as_bytes()).unwrap_err().fault,
        Fault::ValueTooLong(4_096)
    );
}

/// One value out of very many pieces, and one line of very many items: either would take minutes in
/// quadratic time.
#[test]
fn very_many_pieces_are_read_in_one_pass() {
    let spaces = format!(
        "{HEAD}<CstmrPmtStsRpt><GrpHdr><MsgId>{}x</MsgId></GrpHdr></CstmrPmtStsRpt></Document>",
        "&#32;".repeat(200_000)
    );
    assert!(read(ReportFormat::Pain002, spaces.as_bytes()).is_ok());
    let order = Order::from_pain001(&split(&many(4_000), Format::Pain001, 4_000)[0].bytes);
    let one_line = pain002(&order, &vec![Fate::Paid; 4_000], "10").replace('\n', "");
    let report = read(ReportFormat::Pain002, one_line.as_bytes()).unwrap();
    assert_eq!(report.items.len(), 4_000);
    assert!(report.items[3_999].place.column > 900_000);
}

/// Personal values wherever a bank may put them.
#[test]
fn neither_errors_nor_reports_show_what_stands_in_a_file() {
    let marks = ["张三丰", "6222020511009999999"];
    let mut seen = 0;
    let mut check = |format, text: &str| {
        let printed = match read(format, text.as_bytes()) {
            Ok(report) => format!("{report:?}"),
            Err(error) => {
                let fault = error.fault;
                format!("{error} {error:?} {} {}", fault.message_zh(), fault.code())
            }
        };
        seen += 1;
        assert!(marks.iter().all(|mark| !printed.contains(mark)), "{printed}");
    };
    for (format, text) in good() {
        for mark in marks {
            // In the place of each value, each name and each attribute in turn.
            let separators = ['>', '<', '"', '/', ',', ' ', '\n'];
            for (at, _) in text.match_indices(separators) {
                let (before, after) = text.split_at(at + 1);
                check(format, &format!("{before}{mark}{after}"));
                let rest = after.find(separators).map_or("", |end| &after[end..]);
                check(format, &format!("{before}{mark}{rest}"));
            }
        }
    }
    assert!(seen > 1_000);
}

#[test]
fn a_message_cut_short_is_never_read() {
    for (format, text) in good() {
        if format == ReportFormat::Csv {
            continue;
        }
        let end = text.rfind('>').unwrap();
        for (at, _) in text.char_indices().take_while(|(at, _)| *at <= end) {
            assert!(read(format, &text.as_bytes()[..at]).is_err(), "{at}");
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        for format in ReportFormat::ALL {
            let _ = read(format, &bytes);
        }
    }

    #[test]
    fn broken_reports_never_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_usize), 1..8),
        which in 0..3_usize,
    ) {
        let (format, text) = &good()[which];
        let mut bytes = text.clone().into_bytes();
        for (at, byte, length) in changes {
            let at = at.index(bytes.len());
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, [byte]);
        }
        let _ = read(*format, &bytes);
    }

    #[test]
    fn shuffled_markup_never_panics(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                "<CstmrPmtStsRpt>", "</CstmrPmtStsRpt>", "<OrgnlPmtInfAndSts>", "<TxInfAndSts>", "</TxInfAndSts>", "<TxSts>",
                "</TxSts>", "<TxSts/>", "RJCT", "<StsRsnInf>", "<Rsn>", "<Cd>", "</Cd>", "AC01", "<a:b>", "<!--", "-->",
                "<![CDATA[", "]]>", "&amp;", "&#65;", "&", "<", ">", "<?x?>", " ", "王", "</Document>",
            ]),
            0..40,
        ),
    ) {
        let _ = read(ReportFormat::Pain002, format!("{HEAD}{}", pieces.concat()).as_bytes());
    }
}
