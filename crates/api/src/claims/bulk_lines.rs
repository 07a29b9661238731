//! The lines of a batch: NDJSON, or CSV whose columns are the claim's fields by dotted path
//! (`purchase.invoice.number`).
//!
//! Lines are told apart at once, so that a batch that is too long is refused before anything is
//! recorded, and parsed later, one thousand at a time, so that what is held in memory is the body
//! and little more.

use std::ops::Range;

use bytes::Bytes;
use csv::StringRecord;
use serde_json::{Map, Value};
use service::{FieldError, Refusal};

use crate::http::field_limits;
use crate::http::problem::Problem;

/// A batch whose lines are counted and not yet parsed.
#[derive(Debug)]
pub(crate) enum Lines {
    Json {
        body: Bytes,
        lines: Vec<(u64, Range<usize>)>,
    },
    Table {
        columns: Vec<Vec<String>>,
        rows: Vec<(u64, StringRecord)>,
    },
}

impl Lines {
    /// One JSON object a line; blank lines are passed over.
    pub(crate) fn json(body: Bytes) -> Result<Lines, Problem> {
        let mut lines = Vec::new();
        let mut start = 0_usize;
        for (number, line) in (1_u64..).zip(body.split(|byte| *byte == b'\n')) {
            let end = start.saturating_add(line.len());
            if !line.iter().all(u8::is_ascii_whitespace) {
                lines.push((number, start..end));
            }
            start = end.saturating_add(1);
        }
        Lines::Json { body, lines }.bounded()
    }

    /// A header of dotted paths, then a row for each claim; an empty cell is a field left out.
    pub(crate) fn table(body: &Bytes) -> Result<Lines, Problem> {
        let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(text);
        let header = reader.headers().map_err(|error| malformed(&error))?.clone();
        let columns = header
            .iter()
            .map(|name| name.trim().split('.').map(str::to_owned).collect());
        let columns: Vec<Vec<String>> = columns.collect();
        check_columns(&columns)?;
        let mut rows = Vec::new();
        let mut place = Place {
            text,
            line: 1,
            offset: 0,
        };
        for record in reader.into_records() {
            let record = record.map_err(|error| malformed(&error))?;
            rows.push((
                place.line_at(record.position().map_or(0, csv::Position::byte)),
                record,
            ));
            if rows.len() > field_limits::BULK_LINES {
                break;
            }
        }
        Lines::Table { columns, rows }.bounded()
    }

    fn bounded(self) -> Result<Lines, Problem> {
        match self.len() {
            0 => Err(Problem::MalformedBody(FieldError::new(
                "",
                "bulk.empty",
                "没有任何一行",
                "there is no line",
            ))),
            1..=field_limits::BULK_LINES => Ok(self),
            _ => Err(Refusal::TooMany {
                what: "lines",
                limit: field_limits::BULK_LINES,
            }
            .into()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Lines::Json { lines, .. } => lines.len(),
            Lines::Table { rows, .. } => rows.len(),
        }
    }

    /// The lines of a range, each with its number in the body.
    pub(crate) fn values(&self, range: Range<usize>) -> Vec<(u64, Result<Value, Problem>)> {
        match self {
            Lines::Json { body, lines } => {
                let lines = lines.get(range).unwrap_or_default().iter();
                lines
                    .map(|(number, at)| (*number, object(body.get(at.clone()).unwrap_or_default())))
                    .collect()
            }
            Lines::Table { columns, rows } => {
                let rows = rows.get(range).unwrap_or_default().iter();
                rows.map(|(number, row)| (*number, Ok(nested(columns, row))))
                    .collect()
            }
        }
    }
}

/// Counts lines up to a record. csv's own count stands before the line feed of a CR LF, and is one short.
struct Place<'a> {
    text: &'a [u8],
    line: u64,
    offset: usize,
}

impl Place<'_> {
    /// The line of a record that starts at this byte or after the line ends there. Records come in order.
    fn line_at(&mut self, byte: u64) -> u64 {
        let start = usize::try_from(byte).unwrap_or(usize::MAX);
        while let Some(next) = self
            .text
            .get(self.offset)
            .filter(|next| self.offset < start || matches!(next, b'\r' | b'\n'))
        {
            self.line = self.line.saturating_add(u64::from(*next == b'\n'));
            self.offset = self.offset.saturating_add(1);
        }
        self.line
    }
}

/// The place within the line is given; the line's number stands beside it.
fn object(line: &[u8]) -> Result<Value, Problem> {
    crate::http::extract::parse_json(line)
}

fn malformed(error: &csv::Error) -> Problem {
    let line = error.position().map_or(1, csv::Position::line);
    Problem::MalformedBody(FieldError::new(
        format!("/{line}"),
        "csv.malformed",
        format!("第 {line} 行不是合法的 CSV（UTF-8，列数与表头一致）"),
        format!("line {line} is not CSV (UTF-8, as many cells as the header)"),
    ))
}

/// Refuses a header in which a field stands twice, or is both a value and an object.
fn check_columns(columns: &[Vec<String>]) -> Result<(), Problem> {
    let empty = |column: &Vec<String>| {
        column.iter().any(|part| part.is_empty() || part.len() > 64) || column.len() > 6
    };
    let clashes = |(i, column): (usize, &Vec<String>)| {
        columns
            .iter()
            .take(i)
            .any(|earlier| earlier.starts_with(column) || column.starts_with(earlier))
    };
    if columns.len() > 100 || columns.iter().any(empty) || columns.iter().enumerate().any(clashes) {
        return Err(Problem::MalformedBody(FieldError::new(
            "/1",
            "csv.header",
            "表头须为不重复的字段路径，例如 purchase.invoice.number",
            "the header names fields by path, such as purchase.invoice.number, each once",
        )));
    }
    Ok(())
}

fn nested(columns: &[Vec<String>], row: &StringRecord) -> Value {
    let mut object = Map::new();
    for (path, cell) in columns
        .iter()
        .zip(row)
        .filter(|(_, cell)| !cell.trim().is_empty())
    {
        put(&mut object, path, cell);
    }
    Value::Object(object)
}

fn put(object: &mut Map<String, Value>, path: &[String], cell: &str) {
    match path {
        [] => {}
        [name] => {
            object.insert(name.clone(), Value::String(cell.to_owned()));
        }
        [name, rest @ ..] => {
            let inner = object
                .entry(name.clone())
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                put(inner, rest, cell);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table(text: &str) -> Result<Vec<(u64, Value)>, Problem> {
        let lines = Lines::table(&Bytes::from(text.to_owned()))?;
        Ok(lines
            .values(0..lines.len())
            .into_iter()
            .map(|(line, value)| (line, value.unwrap()))
            .collect())
    }

    #[test]
    fn json_lines_keep_their_numbers() {
        let lines = Lines::json(Bytes::from_static(b"{\"a\":1}\n\n  {\"b\":2}\r\nnot json\n")).unwrap();
        let values = lines.values(0..lines.len());
        assert_eq!(
            values.iter().map(|(line, _)| *line).collect::<Vec<_>>(),
            [1, 3, 4]
        );
        assert_eq!(values[1].1.as_ref().unwrap(), &json!({"b": 2}));
        assert!(matches!(values[2].1, Err(Problem::MalformedJson { line: 1, .. })));
    }

    #[test]
    fn columns_are_paths_and_empty_cells_nothing() {
        let rows =
            table("\u{feff}item.kind,item.brand,entitlement\nappliance,\"海尔,\n二\",\nvehicle,,QY1\n")
                .unwrap();
        assert_eq!(
            rows[0],
            (2, json!({"item": {"kind": "appliance", "brand": "海尔,\n二"}}))
        );
        assert_eq!(
            rows[1],
            (4, json!({"item": {"kind": "vehicle"}, "entitlement": "QY1"}))
        );
    }

    #[test]
    fn lines_are_counted_whatever_ends_them() {
        let numbers = |text| {
            table(text)
                .unwrap()
                .iter()
                .map(|(line, _)| *line)
                .collect::<Vec<_>>()
        };
        assert_eq!(numbers("a,b\r\n1,2\r\n3,4\r\n"), [2, 3]);
        assert_eq!(numbers("a,b\n1,\"x\ny\"\n\n3,4"), [2, 5]);
    }

    #[test]
    fn headers_that_make_no_sense() {
        for header in ["a,a", "a,a.b", "a..b", ",a"] {
            let problem = table(&format!("{header}\n1,2\n")).unwrap_err();
            assert_eq!(problem.errors()[0].code, "csv.header", "{header}");
        }
        assert_eq!(table("a,b\n1\n").unwrap_err().errors()[0].code, "csv.malformed");
        assert_eq!(table("a,b\n").unwrap_err().errors()[0].code, "bulk.empty");
    }

    #[test]
    fn a_batch_has_a_limit() {
        let body = "{}\n".repeat(field_limits::BULK_LINES + 1);
        assert!(matches!(
            Lines::json(Bytes::from(body)),
            Err(Problem::Refused(Refusal::TooMany { .. }))
        ));
    }
}
