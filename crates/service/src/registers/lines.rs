//! A register's file, taken apart as its bytes arrive.

use claims::registers::{Columns, Register};

use super::csv::Csv;
use super::ndjson::Ndjson;
use super::{MAX_LINE, RegisterFormat};
use crate::FieldError;

/// One row of the file: the line it begins on, and its columns or why it has none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) columns: Result<Columns, Vec<FieldError>>,
}

/// Takes bytes in pieces of any length and gives rows as they become whole. Holds one row at most.
pub(super) struct Lines {
    /// The first three bytes, until it is known whether they are a byte order mark.
    head: Vec<u8>,
    started: bool,
    format: Format,
}

enum Format {
    Csv(Box<Csv>),
    Ndjson(Ndjson),
}

const BYTE_ORDER_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

impl Lines {
    pub(super) fn new(register: Register, format: RegisterFormat) -> Self {
        let format = match format {
            RegisterFormat::Csv => Format::Csv(Box::new(Csv::new(register))),
            RegisterFormat::Ndjson => Format::Ndjson(Ndjson::default()),
        };
        Self {
            head: Vec::with_capacity(BYTE_ORDER_MARK.len()),
            started: false,
            format,
        }
    }

    /// The next row, taking its bytes off the input; `None` when the input is used up. An error refuses the whole file.
    pub(super) fn next(&mut self, input: &mut &[u8]) -> Result<Option<Line>, Vec<FieldError>> {
        while !self.started {
            let Some((first, rest)) = input.split_first() else {
                return Ok(None);
            };
            self.head.push(*first);
            *input = rest;
            if self.head.len() == BYTE_ORDER_MARK.len() {
                self.start();
            }
        }
        if let Some(line) = self.next_in_head()? {
            return Ok(Some(line));
        }
        self.format.next(input)
    }

    /// What is left when the file has ended; to be called until there is nothing left.
    pub(super) fn finish(&mut self) -> Result<Option<Line>, Vec<FieldError>> {
        self.start();
        if let Some(line) = self.next_in_head()? {
            return Ok(Some(line));
        }
        self.format.finish()
    }

    fn start(&mut self) {
        self.started = true;
        if self.head == BYTE_ORDER_MARK {
            self.head.clear();
        }
    }

    fn next_in_head(&mut self) -> Result<Option<Line>, Vec<FieldError>> {
        let head = std::mem::take(&mut self.head);
        let mut rest = head.as_slice();
        let line = self.format.next(&mut rest)?;
        self.head = rest.to_vec();
        Ok(line)
    }
}

impl Format {
    fn next(&mut self, input: &mut &[u8]) -> Result<Option<Line>, Vec<FieldError>> {
        match self {
            Self::Csv(csv) => csv.next(input),
            Self::Ndjson(ndjson) => Ok(ndjson.next(input)),
        }
    }

    fn finish(&mut self) -> Result<Option<Line>, Vec<FieldError>> {
        match self {
            Self::Csv(csv) => csv.finish(),
            Self::Ndjson(ndjson) => Ok(ndjson.finish()),
        }
    }
}

/// Puts a cell into its column. Control characters other than white space are in nobody's name, and PostgreSQL refuses NUL.
pub(super) fn put(columns: &mut Columns, errors: &mut Vec<FieldError>, column: &str, text: String) {
    let pointer = || pointer(column);
    if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        errors.push(FieldError::new(
            pointer(),
            "column.control",
            "含有控制字符",
            "holds a control character",
        ));
    } else if columns.insert(column.to_owned(), text).is_some() {
        errors.push(FieldError::new(
            pointer(),
            "column.repeated",
            "此列重复出现",
            "the column stands twice",
        ));
    }
}

/// A pointer to a column, if its name looks like one: a file without its header would show values as names.
pub(super) fn pointer(column: &str) -> String {
    if looks_like_a_column(column) {
        format!("/{column}")
    } else {
        String::new()
    }
}

fn looks_like_a_column(name: &str) -> bool {
    (1..=40).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

pub(super) fn unknown_column(name: &str) -> FieldError {
    FieldError::new(
        pointer(name),
        "column.unknown",
        "名录没有此列",
        "the register has no such column",
    )
}

pub(super) fn too_long() -> FieldError {
    let kib = MAX_LINE / 1024;
    FieldError::new(
        "",
        "line.too-long",
        format!("一行超过 {kib} KiB 或列数过多；请检查是否有引号没有成对"),
        format!(
            "the line is longer than {kib} KiB or has too many columns; look for a quote that is never closed"
        ),
    )
}

pub(super) fn not_utf8() -> FieldError {
    FieldError::new(
        "",
        "line.encoding",
        "不是 UTF-8 编码，请另存为 UTF-8",
        "is not UTF-8; save the file as UTF-8",
    )
}
