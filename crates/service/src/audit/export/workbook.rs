//! A table as a workbook ([`spreadsheet::xlsx`]), written as its rows come: sheet after sheet, last
//! the one with the sums.
//!
//! What a spreadsheet adds up is a formula with its result: it recomputes them when it opens the
//! book, and what does not compute shows the exact sums.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use policy::Lang;
use spreadsheet::xlsx::{Book, Cells, Error, MAX_ROWS, Place, Sheet, Style, column_name};

use super::pages::File;
use super::sink::Sink;
use super::table::{Cell, Column, Kind, Row, Words};
use crate::operation::ServiceError;
use timing::shanghai;

/// Sheets of a book: as many as a formula over all of them can name.
const SHEETS: usize = 64;

pub(super) struct Workbook<R, const N: usize> {
    /// None once it is finished.
    book: Option<Book<Sink>>,
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
            self.begin_sheet()?;
        }
        for row in rows {
            self.row(row)?;
        }
        if last {
            self.end_sheet()?;
            self.summary()?;
            self.book.take().ok_or_else(gone)?.finish()?;
        } else {
            self.book()?.flush()?;
        }
        Ok(self.sink.take())
    }
}

impl<R: Row<N>, const N: usize> Workbook<R, N> {
    pub(super) fn new(lang: Lang) -> Result<Self, ServiceError> {
        // One row is the heading's and one the totals'.
        Self::with_rows(lang, MAX_ROWS.saturating_sub(2))
    }

    pub(super) fn with_rows(lang: Lang, most_rows: u32) -> Result<Self, ServiceError> {
        let sink = Sink::default();
        Ok(Self {
            book: Some(Book::new(sink.clone(), None)?),
            sink,
            lang,
            sheets: Vec::new(),
            most_rows,
            sheet: [0; N],
            all: Sums::default(),
            parts: R::SUMMED_BY.iter().map(|_| BTreeMap::new()).collect(),
            rows: PhantomData,
        })
    }

    fn book(&mut self) -> Result<&mut Book<Sink>, ServiceError> {
        self.book.as_mut().ok_or_else(gone)
    }

    fn begin_sheet(&mut self) -> Result<(), ServiceError> {
        if self.sheets.len() >= SHEETS {
            return Err(ServiceError::bug("the workbook would have too many sheets"));
        }
        let (name, lang) = (self.sheet_name(self.sheets.len()), self.lang);
        self.sheets.push(0);
        self.sheet = [0; N];
        let book = self.book()?;
        book.add_sheet(Sheet {
            name: &name,
            place: Place::Last,
            widths: &R::COLUMNS.map(width),
            freeze_heading: true,
        })?;
        let mut heading = book.row()?;
        for column in &R::COLUMNS {
            heading.text(Style::Bold, column.heading(lang))?;
        }
        Ok(())
    }

    fn row(&mut self, row: &R) -> Result<(), ServiceError> {
        if self.sheets.last().copied().unwrap_or_default() >= self.most_rows {
            self.end_sheet()?;
            self.begin_sheet()?;
        }
        let cells = row.cells(Words::of(self.lang))?;
        let mut out = self.book()?.row()?;
        for cell in cells {
            put(&mut out, cell)?;
        }
        if let Some(rows) = self.sheets.last_mut() {
            *rows = rows.saturating_add(1);
        }
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
        Ok(())
    }

    /// The totals of a sheet that has rows.
    fn end_sheet(&mut self) -> Result<(), ServiceError> {
        let rows = self.sheets.last().copied().unwrap_or_default();
        if rows == 0 {
            return Ok(());
        }
        let (last, sums, total) = (rows.saturating_add(1), self.sheet, self.said("合计", "Total"));
        let mut out = self.book()?.row()?;
        out.text(Style::Bold, total)?;
        for (i, _) in money::<R, N>() {
            let column = column_name(i);
            let sum = Yuan(sums.get(i).copied().unwrap_or_default());
            out.skip_to(i);
            out.formula(Style::BoldMoney, &format!("SUM({column}2:{column}{last})"), sum)?;
        }
        Ok(())
    }

    /// The first sheet that is shown: what all others come to, and by what.
    fn summary(&mut self) -> Result<(), ServiceError> {
        let name = self.said("汇总", "Summary");
        self.book()?.add_sheet(Sheet {
            name,
            place: Place::First,
            widths: &[22; 8],
            freeze_heading: false,
        })?;
        let all = (
            self.said("合计", "Total").to_owned(),
            std::mem::take(&mut self.all),
        );
        self.sums(None, self.said("全部", "All"), &[all])?;
        for (by, parts) in R::SUMMED_BY.iter().zip(std::mem::take(&mut self.parts)) {
            let heading = R::COLUMNS.get(*by).ok_or_else(gone)?.heading(self.lang);
            let parts = parts.into_iter().collect::<Vec<_>>();
            self.book()?.blank_row()?;
            self.sums(Some(&column_name(*by)), heading, &parts)?;
        }
        Ok(())
    }

    /// A heading and a line for each part: how many rows, and the sum of each column of money.
    fn sums(
        &mut self,
        by: Option<&str>,
        heading: &str,
        parts: &[(String, Sums<N>)],
    ) -> Result<(), ServiceError> {
        let (lang, rows) = (self.lang, self.said("行数", "rows"));
        let mut out = self.book()?.row()?;
        out.text(Style::Bold, heading)?;
        out.text(Style::Bold, rows)?;
        for (_, column) in money::<R, N>() {
            out.text(Style::Bold, column.heading(lang))?;
        }
        for (name, sums) in parts {
            let at = self.book()?.rows().saturating_add(1);
            let counted = self.over_sheets(|range| match by {
                None => format!("COUNTA({})", range("A")),
                Some(by) => format!("COUNTIF({},$A{at})", range(by)),
            });
            let summed = money::<R, N>().map(|(i, _)| {
                let formula = self.over_sheets(|range| match by {
                    None => format!("SUM({})", range(&column_name(i))),
                    Some(by) => format!("SUMIF({},$A{at},{})", range(by), range(&column_name(i))),
                });
                (formula, Yuan(sums.fen.get(i).copied().unwrap_or_default()))
            });
            let summed = summed.collect::<Vec<_>>();
            let mut out = self.book()?.row()?;
            out.text(Style::Plain, name)?;
            out.formula(Style::Count, &counted, sums.rows)?;
            for (formula, sum) in summed {
                out.formula(Style::Money, &formula, sum)?;
            }
        }
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

    fn said(&self, zh: &'static str, en: &'static str) -> &'static str {
        match self.lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }
}

fn put(out: &mut Cells<'_>, cell: Cell<'_>) -> Result<(), Error> {
    match cell {
        Cell::Nothing => {
            out.skip();
            Ok(())
        }
        Cell::Text(text) | Cell::Written(text) => out.text(Style::Plain, text),
        Cell::Id(..) => out.text(Style::Plain, &cell.to_string()),
        Cell::Whole(number) => out.number(Style::Whole, number),
        Cell::Money(amount) => out.number(Style::Money, amount),
        Cell::Day(day) => out.day(day),
        Cell::Instant(at) => out.instant(shanghai::local(at)),
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

fn width(column: Column) -> u8 {
    match column.kind {
        Kind::Text => 18,
        Kind::Whole | Kind::Day => 12,
        Kind::Money => 16,
        Kind::Instant => 24,
    }
}

/// Fen, said in yuan.
struct Yuan(i128);

impl std::fmt::Display for Yuan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:02}", self.0.div_euclid(100), self.0.rem_euclid(100))
    }
}
