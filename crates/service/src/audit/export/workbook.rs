//! XLSX (ECMA-376), written as it comes: first what does not depend on the rows, then sheet after sheet, last the book that names them.
//!
//! A library would keep the cells in memory or in files beside the service until the last one is there. This writes each page of
//! rows through the archive's compressor, so that memory is a page and the first bytes go out at once. What a spreadsheet adds up
//! is a formula with its result: it recomputes them when it opens the book, and what does not compute shows the exact sums.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::marker::PhantomData;

use chrono::{NaiveDate, NaiveDateTime, Timelike};
use policy::Lang;
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, StreamWriter, ZipWriter};

use super::pages::File;
use super::sink::Sink;
use super::table::{Cell, Column, Kind, Row, Words};
use super::text::escape;
use crate::operation::ServiceError;
use crate::operation::time::shanghai;

/// Rows that a spreadsheet has on a sheet; one is the heading's and one the totals'.
const SHEET_ROWS: u32 = 1_048_576;

/// Sheets of a book: as many as a formula over all of them can name.
const SHEETS: usize = 64;

/// Names of styles, as `STYLES` has them.
mod style {
    pub(super) const BOLD: u8 = 1;
    pub(super) const MONEY: u8 = 2;
    pub(super) const INSTANT: u8 = 3;
    pub(super) const DAY: u8 = 4;
    pub(super) const WHOLE: u8 = 5;
    pub(super) const BOLD_MONEY: u8 = 6;
    pub(super) const COUNT: u8 = 7;
}

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";

/// Sheets are what every part is that is not named, so that this can be said before they are.
const CONTENT_TYPES: &str = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>"#;

const RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;

const STYLES: &str = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd\ hh:mm:ss.000"/><numFmt numFmtId="165" formatCode="yyyy\-mm\-dd"/></numFmts><fonts count="2"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font><font><b/><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="8"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/><xf numFmtId="4" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="1" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="4" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/><xf numFmtId="3" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>"#;

const SHEET: &str = r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">"#;

/// The heading stays where it is when the rows are scrolled.
const FROZEN: &str = r#"<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>"#;

pub(super) struct Workbook<R, const N: usize> {
    zip: Option<ZipWriter<StreamWriter<Sink>>>,
    sink: Sink,
    lang: Lang,
    /// Rows of data on each sheet; the last one is being written.
    sheets: Vec<u32>,
    most_rows: u32,
    /// What the columns of this sheet come to, in fen.
    sheet: [i128; N],
    all: Sums<N>,
    /// For each column of [`Row::SUMMED_BY`], by what stands in it.
    parts: Vec<BTreeMap<String, Sums<N>>>,
    xml: String,
    rows: PhantomData<fn(R)>,
}

/// How many rows, and what their columns come to.
struct Sums<const N: usize> {
    rows: u64,
    fen: [i128; N],
}

impl<const N: usize> Default for Sums<N> {
    fn default() -> Self {
        Self { rows: 0, fen: [0; N] }
    }
}

impl<const N: usize> Sums<N> {
    fn add(&mut self, cells: &[Cell<'_>; N]) {
        self.rows = self.rows.saturating_add(1);
        add(&mut self.fen, cells);
    }
}

fn add<const N: usize>(sums: &mut [i128; N], cells: &[Cell<'_>; N]) {
    for (sum, cell) in sums.iter_mut().zip(cells) {
        if let Cell::Money(amount) = cell {
            *sum = sum.saturating_add(i128::from(amount.get()));
        }
    }
}

impl<R: Row<N>, const N: usize> File<R> for Workbook<R, N> {
    fn is_slow(&self) -> bool {
        true
    }

    fn write(&mut self, rows: &[R], last: bool) -> Result<Vec<u8>, ServiceError> {
        if self.sheets.is_empty() {
            self.begin()?;
        }
        for row in rows {
            self.row(row)?;
        }
        if last {
            self.end_sheet()?;
            self.summary()?;
            self.book()?;
            let zip = self.zip.take().ok_or_else(gone)?;
            zip.finish().map_err(ServiceError::bug)?;
        } else {
            self.hand_on()?;
        }
        Ok(self.sink.take())
    }
}

impl<R: Row<N>, const N: usize> Workbook<R, N> {
    pub(super) fn new(lang: Lang) -> Self {
        Self::with_rows(lang, SHEET_ROWS.saturating_sub(2))
    }

    pub(super) fn with_rows(lang: Lang, most_rows: u32) -> Self {
        let sink = Sink::default();
        Self {
            zip: Some(ZipWriter::new_stream(sink.clone())),
            sink,
            lang,
            sheets: Vec::new(),
            most_rows,
            sheet: [0; N],
            all: Sums::default(),
            parts: R::SUMMED_BY.iter().map(|_| BTreeMap::new()).collect(),
            xml: String::new(),
            rows: PhantomData,
        }
    }

    fn begin(&mut self) -> Result<(), ServiceError> {
        self.part("[Content_Types].xml", CONTENT_TYPES)?;
        self.part("_rels/.rels", RELATIONS)?;
        self.part("xl/styles.xml", STYLES)?;
        self.begin_sheet()
    }

    fn begin_sheet(&mut self) -> Result<(), ServiceError> {
        if self.sheets.len() >= SHEETS {
            return Err(ServiceError::bug("the workbook would have too many sheets"));
        }
        self.sheets.push(0);
        self.sheet = [0; N];
        self.start(&format!("xl/worksheets/sheet{}.xml", self.sheets.len()))?;
        self.xml.push_str(SHEET);
        self.xml.push_str(FROZEN);
        self.xml.push_str("<cols>");
        for (i, column) in (1_u32..).zip(R::COLUMNS) {
            let width = width(&column);
            self.say(format_args!(
                "<col min=\"{i}\" max=\"{i}\" width=\"{width}\" customWidth=\"1\"/>"
            ))?;
        }
        self.xml.push_str("</cols><sheetData><row r=\"1\">");
        for (i, column) in R::COLUMNS.iter().enumerate() {
            self.text(letter(i), 1, style::BOLD, column.heading(self.lang))?;
        }
        self.xml.push_str("</row>");
        Ok(())
    }

    fn row(&mut self, row: &R) -> Result<(), ServiceError> {
        if self.sheets.last().copied().unwrap_or_default() >= self.most_rows {
            self.end_sheet()?;
            self.begin_sheet()?;
        }
        let at = self.data_row()?;
        let cells = row.cells(Words::of(self.lang))?;
        self.say(format_args!("<row r=\"{at}\">"))?;
        for (i, cell) in cells.iter().enumerate() {
            self.cell(letter(i), at, *cell)?;
        }
        self.xml.push_str("</row>");
        add(&mut self.sheet, &cells);
        self.all.add(&cells);
        for (by, parts) in R::SUMMED_BY.iter().zip(&mut self.parts) {
            let Some(Cell::Text(key)) = cells.get(*by) else {
                continue;
            };
            match parts.get_mut(*key) {
                Some(sums) => sums.add(&cells),
                None => parts.entry((*key).to_owned()).or_default().add(&cells),
            }
        }
        if self.xml.len() > 1 << 20 {
            self.hand_on()?;
        }
        Ok(())
    }

    /// Where the next row goes: below the heading and those that are there.
    fn data_row(&mut self) -> Result<u32, ServiceError> {
        let rows = self.sheets.last_mut().ok_or_else(gone)?;
        *rows = rows.saturating_add(1);
        Ok(rows.saturating_add(1))
    }

    fn cell(&mut self, column: &str, row: u32, cell: Cell<'_>) -> Result<(), ServiceError> {
        match cell {
            Cell::Nothing => Ok(()),
            Cell::Text(text) | Cell::Written(text) => self.text(column, row, 0, text),
            Cell::Id(..) => self.text(column, row, 0, &cell.to_string()),
            Cell::Whole(number) => self.number(column, row, style::WHOLE, format_args!("{number}")),
            Cell::Money(amount) => self.number(column, row, style::MONEY, format_args!("{amount}")),
            Cell::Day(day) => self.number(column, row, style::DAY, format_args!("{}", serial(day))),
            Cell::Instant(at) => {
                let local = shanghai(at);
                let (day, part) = (serial(local.date()), part_of_day(local));
                self.number(column, row, style::INSTANT, format_args!("{day}.{part:012}"))
            }
        }
    }

    fn text(&mut self, column: &str, row: u32, style: u8, text: &str) -> Result<(), ServiceError> {
        self.say(format_args!(
            "<c r=\"{column}{row}\" s=\"{style}\" t=\"inlineStr\"><is><t"
        ))?;
        if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
            self.xml.push_str(" xml:space=\"preserve\"");
        }
        self.xml.push('>');
        escape(&mut self.xml, text);
        self.xml.push_str("</t></is></c>");
        Ok(())
    }

    fn number(
        &mut self,
        column: &str,
        row: u32,
        style: u8,
        number: std::fmt::Arguments<'_>,
    ) -> Result<(), ServiceError> {
        self.say(format_args!(
            "<c r=\"{column}{row}\" s=\"{style}\"><v>{number}</v></c>"
        ))
    }

    fn formula(
        &mut self,
        column: &str,
        row: u32,
        style: u8,
        formula: &str,
        result: std::fmt::Arguments<'_>,
    ) -> Result<(), ServiceError> {
        self.say(format_args!("<c r=\"{column}{row}\" s=\"{style}\"><f>"))?;
        escape(&mut self.xml, formula);
        self.say(format_args!("</f><v>{result}</v></c>"))
    }

    fn end_sheet(&mut self) -> Result<(), ServiceError> {
        let rows = self.sheets.last().copied().unwrap_or_default();
        if rows > 0 {
            let (last, at) = (rows.saturating_add(1), rows.saturating_add(2));
            self.say(format_args!("<row r=\"{at}\">"))?;
            self.text("A", at, style::BOLD, self.said("合计", "Total"))?;
            for (i, _) in money::<R, N>() {
                let column = letter(i);
                let sum = self.sheet.get(i).copied().unwrap_or_default();
                let formula = format!("SUM({column}2:{column}{last})");
                self.formula(
                    column,
                    at,
                    style::BOLD_MONEY,
                    &formula,
                    format_args!("{}", Yuan(sum)),
                )?;
            }
            self.xml.push_str("</row>");
        }
        self.xml.push_str("</sheetData></worksheet>");
        self.hand_on()
    }

    /// The first sheet that is shown: what all others come to, and by what.
    fn summary(&mut self) -> Result<(), ServiceError> {
        self.start("xl/worksheets/summary.xml")?;
        self.xml.push_str(SHEET);
        self.xml
            .push_str("<cols><col min=\"1\" max=\"8\" width=\"22\" customWidth=\"1\"/></cols><sheetData>");
        let mut at = 1_u32;
        let all = std::mem::take(&mut self.all);
        self.sums(
            &mut at,
            None,
            self.said("全部", "All"),
            &[(self.said("合计", "Total").to_owned(), all)],
        )?;
        for (by, parts) in R::SUMMED_BY.iter().zip(std::mem::take(&mut self.parts)) {
            let heading = R::COLUMNS.get(*by).ok_or_else(gone)?.heading(self.lang);
            at = at.saturating_add(1);
            let parts = parts.into_iter().collect::<Vec<_>>();
            self.sums(&mut at, Some(letter(*by)), heading, &parts)?;
        }
        self.xml.push_str("</sheetData></worksheet>");
        self.hand_on()
    }

    /// A heading and a line for each part: how many rows, and the sum of each column of money.
    fn sums(
        &mut self,
        at: &mut u32,
        by: Option<&str>,
        heading: &str,
        parts: &[(String, Sums<N>)],
    ) -> Result<(), ServiceError> {
        self.say(format_args!("<row r=\"{at}\">"))?;
        self.text("A", *at, style::BOLD, heading)?;
        self.text("B", *at, style::BOLD, self.said("行数", "rows"))?;
        for (to, (_, column)) in (2_usize..).zip(money::<R, N>()) {
            self.text(letter(to), *at, style::BOLD, column.heading(self.lang))?;
        }
        self.xml.push_str("</row>");
        for (name, sums) in parts {
            *at = at.saturating_add(1);
            self.say(format_args!("<row r=\"{at}\">"))?;
            self.text("A", *at, 0, name)?;
            let counted = self.over_sheets(|range| match by {
                None => format!("COUNTA({})", range("A")),
                Some(by) => format!("COUNTIF({},$A{at})", range(by)),
            });
            self.formula("B", *at, style::COUNT, &counted, format_args!("{}", sums.rows))?;
            for (to, (i, _)) in (2_usize..).zip(money::<R, N>()) {
                let summed = self.over_sheets(|range| match by {
                    None => format!("SUM({})", range(letter(i))),
                    Some(by) => format!("SUMIF({},$A{at},{})", range(by), range(letter(i))),
                });
                let sum = Yuan(sums.fen.get(i).copied().unwrap_or_default());
                self.formula(letter(to), *at, style::MONEY, &summed, format_args!("{sum}"))?;
            }
            self.xml.push_str("</row>");
        }
        *at = at.saturating_add(1);
        Ok(())
    }

    /// A term for each sheet, added up. A term is given the ranges of its columns.
    fn over_sheets(&self, term: impl Fn(&dyn Fn(&str) -> String) -> String) -> String {
        let terms = self.sheets.iter().enumerate().map(|(i, rows)| {
            let (sheet, last) = (self.sheet_name(i), (*rows).max(1).saturating_add(1));
            term(&|column| format!("'{sheet}'!${column}$2:${column}${last}"))
        });
        terms.collect::<Vec<_>>().join("+")
    }

    fn sheet_name(&self, i: usize) -> String {
        let (zh, en) = R::TITLE;
        format!("{} {}", self.said(zh, en), i.saturating_add(1))
    }

    fn book(&mut self) -> Result<(), ServiceError> {
        let mut book = String::from(
            r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>"#,
        );
        let mut relations = String::from(
            r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">"#,
        );
        let mut relate = |id: usize, kind: &str, target: &str| {
            write!(
                relations,
                "<Relationship Id=\"rId{id}\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}\" Target=\"{target}\"/>"
            )
        };
        let mut named = |id: usize, name: &str| {
            write!(book, "<sheet name=\"{name}\" sheetId=\"{id}\" r:id=\"rId{id}\"/>")
        };
        relate(1, "worksheet", "worksheets/summary.xml").map_err(ServiceError::bug)?;
        named(1, self.said("汇总", "Summary")).map_err(ServiceError::bug)?;
        for i in 0..self.sheets.len() {
            let (id, part) = (i.saturating_add(2), i.saturating_add(1));
            relate(id, "worksheet", &format!("worksheets/sheet{part}.xml")).map_err(ServiceError::bug)?;
            named(id, &self.sheet_name(i)).map_err(ServiceError::bug)?;
        }
        relate(self.sheets.len().saturating_add(2), "styles", "styles.xml").map_err(ServiceError::bug)?;
        book.push_str("</sheets><calcPr fullCalcOnLoad=\"1\"/></workbook>");
        relations.push_str("</Relationships>");
        self.part("xl/workbook.xml", &book)?;
        self.part("xl/_rels/workbook.xml.rels", &relations)
    }

    fn said(&self, zh: &'static str, en: &'static str) -> &'static str {
        match self.lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    fn part(&mut self, name: &str, content: &str) -> Result<(), ServiceError> {
        self.start(name)?;
        self.xml.push_str(content);
        self.hand_on()
    }

    fn start(&mut self, name: &str) -> Result<(), ServiceError> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        let zip = self.zip.as_mut().ok_or_else(gone)?;
        zip.start_file(name, options).map_err(ServiceError::bug)?;
        self.xml.push_str(HEAD);
        Ok(())
    }

    fn say(&mut self, what: std::fmt::Arguments<'_>) -> Result<(), ServiceError> {
        self.xml.write_fmt(what).map_err(ServiceError::bug)
    }

    /// Gives what was said to the archive's compressor.
    fn hand_on(&mut self) -> Result<(), ServiceError> {
        let zip = self.zip.as_mut().ok_or_else(gone)?;
        zip.write_all(self.xml.as_bytes()).map_err(ServiceError::bug)?;
        self.xml.clear();
        Ok(())
    }
}

fn gone() -> ServiceError {
    ServiceError::bug("the workbook is not open")
}

/// The columns of money and their places.
fn money<R: Row<N>, const N: usize>() -> impl Iterator<Item = (usize, Column)> {
    R::COLUMNS
        .into_iter()
        .enumerate()
        .filter(|(_, column)| column.kind == Kind::Money)
}

/// A column's name. There are no tables of more than 26 columns.
fn letter(i: usize) -> &'static str {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ".get(i..=i).unwrap_or("Z")
}

fn width(column: &Column) -> u8 {
    match column.kind {
        Kind::Text => 18,
        Kind::Whole | Kind::Day => 12,
        Kind::Money => 16,
        Kind::Instant => 24,
    }
}

/// Days since the day that spreadsheets count from.
fn serial(day: NaiveDate) -> i64 {
    let first = NaiveDate::from_ymd_opt(1899, 12, 30).unwrap_or_default();
    day.signed_duration_since(first).num_days()
}

/// How much of the day has passed, in twelve decimals.
fn part_of_day(at: NaiveDateTime) -> u128 {
    let (seconds, nanos) = (at.num_seconds_from_midnight(), at.nanosecond());
    let micros = u128::from(seconds)
        .saturating_mul(1_000_000)
        .saturating_add(u128::from(nanos / 1_000));
    micros.saturating_mul(1_000_000_000_000) / 86_400_000_000
}

/// Fen, said in yuan.
struct Yuan(i128);

impl std::fmt::Display for Yuan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:02}", self.0.div_euclid(100), self.0.rem_euclid(100))
    }
}
