//! CSV and JSON lines.

use std::fmt::Write as _;
use std::io::Write as _;
use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use policy::Lang;
use serde::Serializer;
use serde::ser::SerializeMap;
use spreadsheet::csv::{BYTE_ORDER_MARK, Mark, field};

use super::pages::File;
use super::table::{Cell, Row, Words};
use crate::operation::ServiceError;
use timing::shanghai;

/// Bytes that a row takes, roughly: room is made once a page.
const ROW_BYTES: usize = 220;

/// CSV: comma and quotes as in RFC 4180, LF, UTF-8 with BOM. A file that goes on behind another has neither BOM nor heading.
pub(super) struct Csv<R, const N: usize> {
    lang: Lang,
    begun: bool,
    clock: Clock,
    rows: PhantomData<fn(R)>,
}

impl<R: Row<N>, const N: usize> Csv<R, N> {
    pub(super) fn new(lang: Lang, goes_on: bool) -> Self {
        Self {
            lang,
            begun: goes_on,
            clock: Clock::default(),
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
        if !std::mem::replace(&mut self.begun, true) {
            chunk.extend_from_slice(BYTE_ORDER_MARK.as_bytes());
            let heading = R::COLUMNS.map(|column| Cell::Text(column.heading(self.lang)));
            self.record(&mut chunk, heading)?;
        }
        for row in rows {
            self.record(&mut chunk, row.cells(Words::of(self.lang))?)?;
        }
        Ok(chunk)
    }
}

impl<R, const N: usize> Csv<R, N> {
    /// Only words are looked at for what has to be quoted: nothing else can have it.
    fn record(&mut self, out: &mut Vec<u8>, cells: [Cell<'_>; N]) -> Result<(), ServiceError> {
        for (i, cell) in cells.into_iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            match cell {
                Cell::Text(text) => field(out, text),
                Cell::Written(text) => field(out, &Mark::Tab.defuse(text)),
                Cell::Id(kind, jurisdiction, id) => {
                    let mut digits = [0; uuid::fmt::Simple::LENGTH];
                    id.simple().encode_lower(&mut digits);
                    for part in [kind.as_bytes(), b"_", jurisdiction.as_bytes(), b"_", &digits] {
                        out.extend_from_slice(part);
                    }
                }
                Cell::Instant(at) => self.clock.local(out, at),
                Cell::Money(amount) => {
                    let fen = amount.get().unsigned_abs();
                    decimal(out, fen / 100, 1);
                    out.push(b'.');
                    decimal(out, fen % 100, 2);
                }
                other => write!(out, "{other}")?,
            }
        }
        out.push(b'\n');
        Ok(())
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
            let mut line = line.serialize_map(Some(N))?;
            for (column, cell) in R::COLUMNS.iter().zip(row.cells(Words::Machine)?) {
                self.text.clear();
                let entry = match cell {
                    Cell::Nothing => line.serialize_entry(column.en, &None::<()>),
                    Cell::Whole(number) => line.serialize_entry(column.en, &number),
                    Cell::Text(text) | Cell::Written(text) => line.serialize_entry(column.en, text),
                    other => {
                        write!(self.text, "{other}")?;
                        line.serialize_entry(column.en, &self.text)
                    }
                };
                entry?;
            }
            line.end()?;
            chunk.push(b'\n');
        }
        Ok(chunk)
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
    fn local(&mut self, out: &mut Vec<u8>, at: DateTime<Utc>) {
        if self.second != Some(at.timestamp()) {
            self.text = shanghai::local(at).format("%Y-%m-%dT%H:%M:%S").to_string();
            self.second = Some(at.timestamp());
        }
        out.extend_from_slice(self.text.as_bytes());
        out.push(b'.');
        decimal(out, at.timestamp_subsec_micros().into(), 6);
        out.extend_from_slice(b"+08:00");
    }
}

/// A number with at least so many digits. A format would take as long as the rest of the line.
fn decimal(out: &mut Vec<u8>, mut number: u64, least: usize) {
    let mut digits = [b'0'; 20];
    let mut unused = digits.len();
    let most = digits.len().saturating_sub(least);
    for digit in digits.iter_mut().rev() {
        if number == 0 && unused <= most {
            break;
        }
        *digit = b'0'.saturating_add(u8::try_from(number % 10).unwrap_or_default());
        number /= 10;
        unused = unused.saturating_sub(1);
    }
    out.extend_from_slice(digits.get(unused..).unwrap_or_default());
}
