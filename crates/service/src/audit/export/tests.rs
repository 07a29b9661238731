use std::io::Cursor;
use std::sync::Arc;

use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::RowAccessor;
use calamine::{Data, Reader, Xlsx};
use store::funds::TransferLine;

use super::pages::File;
use super::transfers::Transfer;
use super::*;

fn row(height: i64, reason: &str, at: &str) -> Transfer {
    Transfer {
        jurisdiction: Arc::from("140802"),
        row: TransferLine {
            height,
            programme: "appliance-2026".into(),
            reason: ledger::Reason::parse(reason).unwrap(),
            amount: ledger::Fen::new(68_985).unwrap(),
            claim: (reason != "appropriate").then(|| uuid::Uuid::from_u128(7)),
            document: None,
            posted_at: at.parse().unwrap(),
            actor: "a \"till\", <two> & three".into(),
        },
    }
}

fn written(mut file: Box<dyn File<Transfer>>, pages: &[&[Transfer]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (i, rows) in pages.iter().enumerate() {
        bytes.extend(file.write(rows, i + 1 == pages.len()).unwrap());
    }
    bytes
}

fn made(format: Format, lang: Lang) -> Box<dyn File<Transfer>> {
    file(format, lang, false).unwrap()
}

#[test]
fn a_file_has_one_heading_and_local_time() {
    let rows = [
        row(1, "reserve", "2026-05-01T15:59:59.999999Z"),
        row(2, "reserve", "2026-05-01T16:00:00Z"),
    ];
    let bytes = written(made(Format::Csv, Lang::Zh), &[&rows[..1], &rows[1..]]);
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        "\u{feff}序号,过账时间,辖区,项目,事由,借方,贷方,金额（元）,申请编号,单据编号,经办\n\
         1,2026-05-01T23:59:59.999999+08:00,140802,appliance-2026,预留,已预留,可用,689.85,clm_140802_00000000000000000000000000000007,,\"a \"\"till\"\", <two> & three\"\n\
         2,2026-05-02T00:00:00.000000+08:00,140802,appliance-2026,预留,已预留,可用,689.85,clm_140802_00000000000000000000000000000007,,\"a \"\"till\"\", <two> & three\"\n"
    );
}

#[test]
fn what_goes_on_has_no_heading() {
    let rows = [
        row(1, "reserve", "2026-05-01T15:59:59Z"),
        row(2, "reserve", "2026-05-01T16:00:00Z"),
    ];
    for format in [Format::Csv, Format::JsonLines] {
        let whole = written(made(format, Lang::En), &[&rows]);
        let first = written(made(format, Lang::En), &[&rows[..1]]);
        let rest = written(file(format, Lang::En, true).unwrap(), &[&rows[1..]]);
        assert_eq!([first, rest].concat(), whole);
    }
}

#[test]
fn json_lines_say_the_same_in_any_language() {
    let rows = [row(1, "reserve", "2026-05-01T15:59:59.5Z")];
    let zh = written(made(Format::JsonLines, Lang::Zh), &[&rows]);
    let en = written(made(Format::JsonLines, Lang::En), &[&rows]);
    assert_eq!(zh, en);
    assert_eq!(
        String::from_utf8(zh).unwrap(),
        "{\"height\":1,\"posted_at\":\"2026-05-01T15:59:59.500000Z\",\"jurisdiction\":\"140802\",\"programme\":\"appliance-2026\",\
         \"reason\":\"reserve\",\"debit\":\"reserved\",\"credit\":\"available\",\"amount\":\"689.85\",\
         \"claim\":\"clm_140802_00000000000000000000000000000007\",\"document\":null,\"actor\":\"a \\\"till\\\", <two> & three\"}\n"
    );
}

#[test]
fn parquet_has_decimals_and_instants() {
    let rows = [
        row(1, "appropriate", "2026-05-01T15:59:59.999999Z"),
        row(2, "reserve", "2026-05-01T16:00:00Z"),
    ];
    let bytes = written(made(Format::Parquet, Lang::Zh), &[&rows[..1], &rows[1..]]);
    let reader = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), 2);
    let rows = reader
        .get_row_iter(None)
        .unwrap()
        .map(Result::unwrap)
        .collect::<Vec<_>>();
    assert_eq!(rows[0].get_long(0).unwrap(), 1);
    assert_eq!(rows[0].get_timestamp_micros(1).unwrap(), 1_777_651_199_999_999);
    assert_eq!(rows[1].get_string(4).unwrap(), "reserve");
    let amount = rows[1].get_decimal(7).unwrap();
    assert_eq!(
        (amount.scale(), amount.data()),
        (2, 68_985_i64.to_be_bytes().as_slice())
    );
    assert!(rows[0].get_string(8).is_err());
    assert!(rows[1].get_string(8).unwrap().starts_with("clm_140802_"));
}

#[test]
fn a_file_of_nothing_is_a_file() {
    for format in [Format::Csv, Format::JsonLines, Format::Xlsx, Format::Parquet] {
        let bytes = written(made(format, Lang::Zh), &[&[]]);
        assert_eq!(bytes.is_empty(), format == Format::JsonLines, "{format:?}");
    }
    let bytes = written(made(Format::Xlsx, Lang::En), &[&[]]);
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    assert_eq!(book.sheet_names(), ["Summary", "Transfers 1"]);
    assert_eq!(book.worksheet_range("Transfers 1").unwrap().height(), 1);
}

/// The rows of a sheet as texts.
fn sheet(book: &mut Xlsx<Cursor<Vec<u8>>>, name: &str) -> Vec<Vec<String>> {
    let range = book.worksheet_range(name).unwrap();
    let rows = range.rows().map(|row| row.iter().map(Data::to_string).collect());
    rows.collect()
}

#[test]
fn a_workbook_is_split_where_a_sheet_is_full_and_adds_up() {
    let rows = (1..=5)
        .map(|height| {
            row(
                height,
                if height == 1 { "appropriate" } else { "reserve" },
                "2026-05-01T16:00:00.123456Z",
            )
        })
        .collect::<Vec<_>>();
    let small = Box::new(workbook::Workbook::with_rows(Lang::Zh, 2).unwrap());
    let bytes = written(small, &[&rows[..3], &rows[3..]]);
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    assert_eq!(book.sheet_names(), ["汇总", "流水 1", "流水 2", "流水 3"]);
    let first = sheet(&mut book, "流水 1");
    assert_eq!(first[0][..3], ["序号", "过账时间", "辖区"]);
    assert_eq!(first[2][0], "2");
    assert_eq!(first[2][4..8], ["预留", "已预留", "可用", "689.85"]);
    assert_eq!(first[2][10], "a \"till\", <two> & three");
    assert_eq!((first[3][0].as_str(), first[3][7].as_str()), ("合计", "1379.7"));
    assert_eq!(first.len(), 4);
    assert_eq!(sheet(&mut book, "流水 3").len(), 3);
    let Data::DateTime(at) = book.worksheet_range("流水 1").unwrap()[(1, 1)] else {
        panic!("no instant")
    };
    // Midnight in Shanghai and a bit.
    assert!(
        (at.as_f64() - 46_144.000_001_428_9).abs() < 1e-10,
        "{}",
        at.as_f64()
    );
    let summary = sheet(&mut book, "汇总");
    assert_eq!(summary[0][..3], ["全部", "行数", "金额（元）"]);
    assert_eq!(summary[1][..3], ["合计", "5", "3449.25"]);
    let line = |name: &str| summary.iter().find(|line| line[0] == name).unwrap()[1..3].to_vec();
    assert_eq!(line("预留"), ["4", "2759.4"]);
    assert_eq!(line("已预留"), ["4", "2759.4"]);
    assert_eq!(line("已拨入"), ["1", "689.85"]);
    let formulas = book.worksheet_formula("汇总").unwrap();
    assert_eq!(
        formulas.get_value((1, 2)).unwrap(),
        "SUM('流水 1'!$H$2:$H$3)+SUM('流水 2'!$H$2:$H$3)+SUM('流水 3'!$H$2:$H$2)"
    );
}

#[test]
fn a_line_says_money_and_words_as_they_are() {
    for fen in [0, 1, 10, 99, 100, 105, 68_985, ledger::Fen::MAX.get()] {
        let mut one = row(fen + 1, "reserve", "2026-05-01T15:59:59.000001Z");
        one.row.amount = ledger::Fen::new(fen).unwrap();
        one.row.actor = "two\nlines, \"quoted\"".into();
        let bytes = written(file(Format::Csv, Lang::En, true).unwrap(), &[&[one]]);
        let mut read = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(bytes.as_slice());
        let line = read.records().next().unwrap().unwrap();
        assert_eq!(line[0], (fen + 1).to_string());
        assert_eq!(line[1], *"2026-05-01T23:59:59.000001+08:00");
        assert_eq!(line[7], ledger::Fen::new(fen).unwrap().to_string());
        assert_eq!(line[10], *"two\nlines, \"quoted\"");
    }
}
