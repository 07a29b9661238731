//! The cells of a row.

use std::fmt::{Display, Write as _};

use chrono::{NaiveDate, NaiveDateTime, Timelike};

use super::{Error, Style};
use crate::xml::escape;

/// Writes the cells of one row, from its first column on.
#[derive(Debug)]
pub struct Cells<'b> {
    xml: &'b mut String,
    row: u32,
    column: usize,
}

impl<'b> Cells<'b> {
    pub(super) fn new(xml: &'b mut String, row: u32) -> Self {
        Self { xml, row, column: 0 }
    }

    /// Leaves a cell out.
    pub fn skip(&mut self) {
        self.column = self.column.saturating_add(1);
    }

    /// Leaves out the cells before the column with this index.
    pub fn skip_to(&mut self, column: usize) {
        self.column = self.column.max(column);
    }

    /// # Errors
    /// As [`number`](Self::number).
    pub fn text(&mut self, style: Style, text: &str) -> Result<(), Error> {
        self.open(style)?;
        self.xml.push_str(" t=\"inlineStr\"><is><t");
        if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
            self.xml.push_str(" xml:space=\"preserve\"");
        }
        self.xml.push('>');
        verbatim(self.xml, text);
        self.xml.push_str("</t></is></c>");
        Ok(())
    }

    /// A number, which has to display as digits with at most a sign and a point.
    ///
    /// # Errors
    /// [`Error::Format`] where the number cannot be displayed.
    pub fn number(&mut self, style: Style, number: impl Display) -> Result<(), Error> {
        self.open(style)?;
        write!(self.xml, "><v>{number}</v></c>")?;
        Ok(())
    }

    /// # Errors
    /// As [`number`](Self::number).
    pub fn day(&mut self, day: NaiveDate) -> Result<(), Error> {
        self.number(Style::Day, serial(day))
    }

    /// A time of day in the reader's zone: spreadsheets have no zones.
    ///
    /// # Errors
    /// As [`number`](Self::number).
    pub fn instant(&mut self, local: NaiveDateTime) -> Result<(), Error> {
        let (day, part) = (serial(local.date()), part_of_day(local));
        self.number(Style::Instant, format_args!("{day}.{part:012}"))
    }

    /// A formula and its result: a spreadsheet computes it again, and what does not compute shows
    /// the result.
    ///
    /// # Errors
    /// As [`number`](Self::number).
    pub fn formula(&mut self, style: Style, formula: &str, result: impl Display) -> Result<(), Error> {
        self.open(style)?;
        self.xml.push_str("><f>");
        escape(self.xml, formula);
        write!(self.xml, "</f><v>{result}</v></c>")?;
        Ok(())
    }

    /// Begins the tag of a cell, and goes on to the next column.
    fn open(&mut self, style: Style) -> Result<(), Error> {
        self.xml.push_str("<c r=\"");
        push_column(self.xml, self.column);
        write!(self.xml, "{}\" s=\"{}\"", self.row, style.index())?;
        self.skip();
        Ok(())
    }
}

/// The name of the column with this index in formulas: A, …, Z, AA, ….
pub fn column_name(index: usize) -> String {
    let mut name = String::new();
    push_column(&mut name, index);
    name
}

fn push_column(out: &mut String, index: usize) {
    if let Some(before) = (index / 26).checked_sub(1) {
        push_column(out, before);
    }
    let letter = u8::try_from(index % 26).unwrap_or_default();
    out.push(char::from(b'A'.saturating_add(letter)));
}

/// Text that a spreadsheet shows unchanged. `_x` with four hexadecimal digits and `_` would stand
/// for a character (ST_Xstring of ECMA-376), so its first underscore is written in that way itself.
fn verbatim(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("_x") {
        escape(out, before);
        out.push_str(if names_character(after) { "_x005F_x" } else { "_x" });
        rest = after;
    }
    escape(out, rest);
}

/// Whether the text after `_x` makes it the code of a character.
fn names_character(after: &str) -> bool {
    let name = after.as_bytes().split_first_chunk::<4>();
    name.is_some_and(|(digits, rest)| digits.iter().all(u8::is_ascii_hexdigit) && rest.starts_with(b"_"))
}

/// Days since day zero of spreadsheets.
fn serial(day: NaiveDate) -> i64 {
    let first = NaiveDate::from_ymd_opt(1899, 12, 30).unwrap_or_default();
    day.signed_duration_since(first).num_days()
}

/// The fraction of the day that has passed, in twelve decimals.
fn part_of_day(at: NaiveDateTime) -> u128 {
    let (seconds, nanos) = (at.num_seconds_from_midnight(), at.nanosecond());
    let micros = u128::from(seconds)
        .saturating_mul(1_000_000)
        .saturating_add(u128::from(nanos / 1_000));
    micros.saturating_mul(1_000_000_000_000) / 86_400_000_000
}
