//! CSV and JSON lines.

use std::fmt::{self, Write as _};
use std::marker::PhantomData;

use chrono::{DateTime, SecondsFormat, Utc};
use policy::Lang;
use serde::Serializer;
use serde::ser::SerializeMap;

use super::pages::File;
use super::table::{Cell, Row, Words};
use crate::ServiceError;
use crate::ports::shanghai;

/// Bytes that a row takes, roughly: room is made once a page.
const ROW_BYTES: usize = 220;

/// CSV: comma and quotes as in RFC 4180, LF, UTF-8 with BOM. A file that goes on behind another has neither BOM nor heading.
pub(super) struct Csv<R, const N: usize> {
    lang: Lang,
    begun: bool,
    clock: Clock,
    text: String,
    rows: PhantomData<fn(R)>,
}

impl<R: Row<N>, const N: usize> Csv<R, N> {
    pub(super) fn new(lang: Lang, goes_on: bool) -> Self {
        Self {
            lang,
            begun: goes_on,
            clock: Clock::default(),
            text: String::new(),
            rows: PhantomData,
        }
    }
}

impl<R: Row<N>, const N: usize> File<R> for Csv<R, N> {
    fn is_slow(&self) -> bool {
        false
    }

    fn write(&mut self, rows: &[R], _last: bool) -> Result<Vec<u8>, ServiceError> {
        let mut chunk = Vec::with_capacity(rows.len().saturating_add(1).saturating_mul(ROW_BYTES));
        let begun = std::mem::replace(&mut self.begun, true);
        if !begun {
            chunk.extend_from_slice("\u{feff}".as_bytes());
        }
        let mut csv = csv::WriterBuilder::new()
            .has_headers(false)
            .from_writer(&mut chunk);
        if !begun {
            let heading = R::COLUMNS.map(|column| column.heading(self.lang));
            csv.write_record(heading).map_err(ServiceError::bug)?;
        }
        let words = Words::of(self.lang);
        for row in rows {
            for cell in row.cells(words)? {
                self.text.clear();
                let field = match cell {
                    Cell::Text(text) => text,
                    // A tab before it keeps spreadsheets from carrying it out.
                    Cell::Written(text) if text.starts_with(['=', '+', '-', '@']) => {
                        put(&mut self.text, format_args!("\t{text}"))?;
                        &self.text
                    }
                    Cell::Written(text) => text,
                    Cell::Instant(at) => {
                        self.clock.local(&mut self.text, at)?;
                        &self.text
                    }
                    other => {
                        plain(&mut self.text, other)?;
                        &self.text
                    }
                };
                csv.write_field(field).map_err(ServiceError::bug)?;
            }
            csv.write_record(None::<&[u8]>).map_err(ServiceError::bug)?;
        }
        csv.flush().map_err(ServiceError::bug)?;
        drop(csv);
        Ok(chunk)
    }
}

/// JSON lines. They are for machines: names of accounts and reasons never change with a language here.
pub(super) struct JsonLines<R, const N: usize> {
    text: String,
    rows: PhantomData<fn(R)>,
}

impl<R: Row<N>, const N: usize> JsonLines<R, N> {
    pub(super) fn new() -> Self {
        Self {
            text: String::new(),
            rows: PhantomData,
        }
    }
}

impl<R: Row<N>, const N: usize> File<R> for JsonLines<R, N> {
    fn is_slow(&self) -> bool {
        false
    }

    fn write(&mut self, rows: &[R], _last: bool) -> Result<Vec<u8>, ServiceError> {
        let mut chunk = Vec::with_capacity(rows.len().saturating_mul(ROW_BYTES).saturating_mul(2));
        for row in rows {
            let mut line = serde_json::Serializer::new(&mut chunk);
            let mut line = line.serialize_map(Some(N)).map_err(ServiceError::bug)?;
            for (column, cell) in R::COLUMNS.iter().zip(row.cells(Words::Machine)?) {
                self.text.clear();
                let entry = match cell {
                    Cell::Nothing => line.serialize_entry(column.en, &None::<()>),
                    Cell::Whole(number) => line.serialize_entry(column.en, &number),
                    Cell::Text(text) | Cell::Written(text) => line.serialize_entry(column.en, text),
                    Cell::Instant(at) => {
                        line.serialize_entry(column.en, &at.to_rfc3339_opts(SecondsFormat::Micros, true))
                    }
                    other => {
                        plain(&mut self.text, other)?;
                        line.serialize_entry(column.en, &self.text)
                    }
                };
                entry.map_err(ServiceError::bug)?;
            }
            line.end().map_err(ServiceError::bug)?;
            chunk.push(b'\n');
        }
        Ok(chunk)
    }
}

/// A cell as text, instants in UTC.
pub(super) fn plain(out: &mut String, cell: Cell<'_>) -> Result<(), ServiceError> {
    match cell {
        Cell::Text(text) | Cell::Written(text) => put(out, format_args!("{text}")),
        Cell::Id(kind, jurisdiction, id) => put(out, format_args!("{kind}_{jurisdiction}_{}", id.simple())),
        Cell::Whole(number) => put(out, format_args!("{number}")),
        Cell::Money(amount) => put(out, format_args!("{amount}")),
        Cell::Day(day) => put(out, format_args!("{day}")),
        Cell::Instant(at) => put(
            out,
            format_args!("{}", at.to_rfc3339_opts(SecondsFormat::Micros, true)),
        ),
        Cell::Nothing => Ok(()),
    }
}

/// Text between tags. What XML cannot say at all becomes a replacement character.
pub(super) fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\t' | '\n' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
}

/// Writes local time with its offset, so that a spreadsheet's reader needs no conversion. Rows come in order of time and
/// many a second: the text of the second is kept.
#[derive(Default)]
struct Clock {
    second: Option<i64>,
    text: String,
}

impl Clock {
    fn local(&mut self, out: &mut String, at: DateTime<Utc>) -> Result<(), ServiceError> {
        if self.second != Some(at.timestamp()) {
            self.text.clear();
            put(
                &mut self.text,
                format_args!("{}", shanghai(at).format("%Y-%m-%dT%H:%M:%S")),
            )?;
            self.second = Some(at.timestamp());
        }
        put(
            out,
            format_args!("{}.{:06}+08:00", self.text, at.timestamp_subsec_micros()),
        )
    }
}

fn put(out: &mut String, what: fmt::Arguments<'_>) -> Result<(), ServiceError> {
    out.write_fmt(what).map_err(ServiceError::bug)
}
