//! JSON lines.

use std::fmt;

use claims::registers::Columns;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::MAX_LINE;
use super::line::{Line, not_utf8, pointer, put, too_long};
use crate::operation::FieldError;

/// The line being gathered.
#[derive(Default)]
pub(super) struct Ndjson {
    text: Vec<u8>,
    too_long: bool,
    /// Lines that have ended.
    ended: u64,
}

impl Ndjson {
    pub(super) fn next(&mut self, input: &mut &[u8]) -> Option<Line> {
        while !input.is_empty() {
            let end = input.iter().position(|byte| *byte == b'\n');
            let (piece, rest) = input.split_at_checked(end.unwrap_or(input.len()))?;
            if self.text.len().saturating_add(piece.len()) > MAX_LINE {
                self.too_long = true;
                self.text.clear();
            }
            if !self.too_long {
                self.text.extend_from_slice(piece);
            }
            *input = rest.get(1..).unwrap_or_default();
            if end.is_some()
                && let Some(line) = self.end()
            {
                return Some(line);
            }
        }
        None
    }

    pub(super) fn finish(&mut self) -> Option<Line> {
        self.end()
    }

    /// The gathered line, unless it is blank.
    fn end(&mut self) -> Option<Line> {
        self.ended = self.ended.saturating_add(1);
        let number = self.ended;
        if std::mem::take(&mut self.too_long) {
            self.text.clear();
            return Some(Line {
                number,
                columns: Err(vec![too_long()]),
            });
        }
        let columns = match self.text.trim_ascii() {
            b"" => None,
            text => Some(parse(text)),
        };
        self.text.clear();
        columns.map(|columns| Line { number, columns })
    }
}

fn parse(text: &[u8]) -> Result<Columns, Vec<FieldError>> {
    let text = std::str::from_utf8(text).map_err(|_| vec![not_utf8()])?;
    // serde's text quotes what it stumbled over: only the place is told.
    let row = serde_json::from_str::<Row>(text).map_err(|error| {
        let column = error.column();
        vec![FieldError::new(
            "",
            "line.json",
            format!("第{column}个字节处不是一个 JSON 对象应有的内容"),
            format!("is not a JSON object at byte {column}"),
        )]
    })?;
    if row.errors.is_empty() {
        Ok(row.columns)
    } else {
        Err(row.errors)
    }
}

/// An object of text and numbers. `null` is the same as an absent column.
#[derive(Default)]
struct Row {
    columns: Columns,
    errors: Vec<FieldError>,
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Cell {
    Text(String),
    Number(serde_json::Number),
    Null(()),
    Other(IgnoredAny),
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Row;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
                let mut row = Row::default();
                while let Some(column) = map.next_key::<String>()? {
                    let text = match map.next_value()? {
                        Cell::Text(text) => text,
                        Cell::Number(number) => number.to_string(),
                        Cell::Null(()) => continue,
                        Cell::Other(_) => {
                            row.errors.push(FieldError::new(
                                pointer(&column),
                                "column.type",
                                "应为文本或整数",
                                "must be text or a whole number",
                            ));
                            continue;
                        }
                    };
                    put(&mut row.columns, &mut row.errors, &column, text);
                }
                Ok(row)
            }
        }
        deserializer.deserialize_map(Object)
    }
}
