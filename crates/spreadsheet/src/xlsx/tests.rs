use std::io::{Cursor, Read};

use calamine::{Data, Reader, Xlsx};
use chrono::NaiveDate;

use super::*;

const SHEET: Sheet<'_> = Sheet {
    name: "明细",
    place: Place::Last,
    widths: &[24, 12],
    freeze_heading: true,
};

/// A book of one sheet, whose first row has what `fill` writes.
fn one_row(fill: impl FnOnce(&mut Cells<'_>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut book = Book::new(&mut bytes, None).unwrap();
    book.add_sheet(SHEET).unwrap();
    fill(&mut book.row().unwrap());
    book.finish().unwrap();
    bytes
}

fn open(bytes: Vec<u8>) -> Xlsx<Cursor<Vec<u8>>> {
    calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap()
}

/// A part of the archive, as text.
fn part(bytes: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut text = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn text_is_read_back_and_never_run() {
    let texts = [
        "王建国",
        "=SUM(A1)",
        "+86",
        "-1",
        "@A1",
        "＝1",
        "＋1",
        "－1",
        "＠1",
        "\t=1",
        "a \"b\", <c> & d",
        "two\nlines",
        " spaces ",
        "_x0041_",
        "_x005F_x0041_",
        "_x004_ _xyz",
        "_x_x0041_",
        "_x000d_",
    ];
    let bytes = one_row(|cells| {
        texts
            .iter()
            .for_each(|text| cells.text(Style::Plain, text).unwrap())
    });
    let mut book = open(bytes);
    let read = book.worksheet_range("明细").unwrap();
    let row = read.rows().next().unwrap();
    assert_eq!(row, texts.map(|text| Data::String(text.to_owned())));
    let formulas = book.worksheet_formula("明细").unwrap();
    assert!(formulas.used_cells().next().is_none());
}

#[test]
fn numbers_days_and_instants_are_typed() {
    let day = NaiveDate::from_ymd_opt(2026, 5, 2).unwrap();
    let bytes = one_row(|cells| {
        cells.number(Style::Money, "-12.00").unwrap();
        cells.number(Style::Whole, 1_780_000_000_000_i64).unwrap();
        cells.skip();
        cells.day(day).unwrap();
        cells
            .instant(day.and_hms_milli_opt(12, 0, 0, 500).unwrap())
            .unwrap();
        cells.skip_to(6);
        cells.formula(Style::BoldMoney, "SUM(A1:B1)", "1.50").unwrap();
    });
    let xml = part(&bytes, "xl/worksheets/sheet1.xml");
    assert!(
        xml.contains(r#"<c r="A1" s="2"><v>-12.00</v></c><c r="B1" s="5"><v>1780000000000</v></c>"#),
        "{xml}"
    );
    assert!(xml.contains(r#"<c r="D1" s="4"><v>46144</v></c><c r="E1" s="3"><v>46144.500005787037</v></c>"#));
    assert!(
        xml.ends_with(r#"<c r="G1" s="6"><f>SUM(A1:B1)</f><v>1.50</v></c></row></sheetData></worksheet>"#)
    );
    let mut book = open(bytes);
    let read = book.worksheet_range("明细").unwrap();
    assert_eq!(read[(0, 0)], Data::Float(-12.0));
    assert_eq!(read[(0, 2)], Data::Empty);
    assert!(matches!(read[(0, 3)], Data::DateTime(at) if at.as_f64() == 46_144.0));
}

#[test]
fn sheets_are_shown_in_their_places() {
    let mut bytes = Vec::new();
    let mut book = Book::new(&mut bytes, None).unwrap();
    for (name, place) in [
        ("二", Place::Last),
        ("三", Place::Last),
        ("一 & \"0\"", Place::First),
    ] {
        book.add_sheet(Sheet { name, place, ..SHEET }).unwrap();
        book.row().unwrap().text(Style::Bold, name).unwrap();
        book.blank_row().unwrap();
        book.row().unwrap().text(Style::Plain, "below").unwrap();
        assert_eq!(book.rows(), 3);
    }
    book.finish().unwrap();
    let mut book = open(bytes);
    assert_eq!(book.sheet_names(), ["一 & \"0\"", "二", "三"]);
    for name in book.sheet_names() {
        let read = book.worksheet_range(&name).unwrap();
        assert_eq!(read[(0, 0)], Data::String(name));
        assert_eq!(read[(2, 0)], Data::String("below".into()));
    }
}

#[test]
fn a_book_says_what_it_is_and_is_the_same_bytes_again() {
    let made = || {
        let mut bytes = Vec::new();
        let properties = Properties {
            title: "清算单 <A & B>",
            created: "2026-05-01T16:00:00.5Z".parse().unwrap(),
        };
        let mut book = Book::new(&mut bytes, Some(properties)).unwrap();
        book.add_sheet(SHEET).unwrap();
        book.finish().unwrap();
        bytes
    };
    let bytes = made();
    assert_eq!(bytes, made());
    let core = part(&bytes, "docProps/core.xml");
    assert!(
        core.contains("<dc:title>清算单 &lt;A &amp; B&gt;</dc:title>"),
        "{core}"
    );
    assert!(core.contains(">2026-05-01T16:00:00Z</dcterms:created>"), "{core}");
    assert!(part(&bytes, "_rels/.rels").contains("docProps/core.xml"));
    assert!(part(&bytes, "[Content_Types].xml").contains("/docProps/core.xml"));
    let sheet = part(&bytes, "xl/worksheets/sheet1.xml");
    assert!(sheet.contains("state=\"frozen\"") && sheet.contains("<col min=\"2\" max=\"2\" width=\"12\""));
}

#[test]
fn what_is_no_workbook_is_refused() {
    let mut book = Book::new(io::sink(), None).unwrap();
    assert!(matches!(book.row(), Err(Error::NoSheet)));
    assert!(matches!(book.finish(), Err(Error::NoSheet)));
    let mut book = Book::new(io::sink(), None).unwrap();
    book.add_sheet(SHEET).unwrap();
    for _ in 0..MAX_ROWS {
        book.blank_row().unwrap();
    }
    assert!(matches!(book.row(), Err(Error::SheetFull)));
}

#[test]
fn columns_are_named_as_spreadsheets_name_them() {
    for (index, name) in [
        (0, "A"),
        (25, "Z"),
        (26, "AA"),
        (51, "AZ"),
        (701, "ZZ"),
        (702, "AAA"),
    ] {
        assert_eq!(column_name(index), name);
    }
}
