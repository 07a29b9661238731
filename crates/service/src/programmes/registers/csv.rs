//! CSV (RFC 4180) with a header, by the incremental parser under the csv crate: bytes go in as they come.

use claims::registers::{Columns, Register};
use csv_core::{ReadRecordResult, Reader};

use super::MAX_LINE;
use super::line::{Line, not_utf8, pointer, put, too_long, unknown_column};
use super::rows::may_be_blank;
use crate::operation::FieldError;

/// More columns than any register has.
const MAX_COLUMNS: usize = 32;

/// The record being gathered.
pub(super) struct Csv {
    register: Register,
    header: Option<Vec<String>>,
    reader: Reader,
    text: Vec<u8>,
    text_len: usize,
    /// Where each cell ends in `text`.
    ends: [usize; MAX_COLUMNS],
    cells: usize,
    too_long: bool,
    /// Whether a record has begun.
    inside: bool,
    /// The line on which it began, and the line that is being read, from 1.
    began: u64,
    line: u64,
}

/// A record's cells, or why it cannot be read.
type Record = Result<Vec<String>, FieldError>;

impl Csv {
    pub(super) fn new(register: Register) -> Self {
        Self {
            register,
            header: None,
            reader: Reader::new(),
            text: vec![0; MAX_LINE],
            text_len: 0,
            ends: [0; MAX_COLUMNS],
            cells: 0,
            too_long: false,
            inside: false,
            began: 1,
            line: 1,
        }
    }

    pub(super) fn next(&mut self, input: &mut &[u8]) -> Result<Option<Line>, Vec<FieldError>> {
        loop {
            if !self.inside {
                self.skip_blank_lines(input);
            }
            // An empty input would tell the reader that the file has ended.
            if input.is_empty() {
                return Ok(None);
            }
            self.inside = true;
            if let Some(record) = self.read(input)
                && let Some(line) = self.line(record)?
            {
                return Ok(Some(line));
            }
        }
    }

    pub(super) fn finish(&mut self) -> Result<Option<Line>, Vec<FieldError>> {
        while self.inside {
            if let Some(record) = self.read(&mut [].as_slice())
                && let Some(line) = self.line(record)?
            {
                return Ok(Some(line));
            }
        }
        match self.header {
            Some(_) => Ok(None),
            None => Err(vec![FieldError::new(
                "",
                "csv.no-header",
                "文件为空：第一行应为列名",
                "the file is empty; its first line holds the names of the columns",
            )]),
        }
    }

    fn skip_blank_lines(&mut self, input: &mut &[u8]) {
        while let Some((b'\r' | b'\n', rest)) = input.split_first() {
            self.count_lines(input.get(..1).unwrap_or_default());
            *input = rest;
        }
        self.began = self.line;
    }

    fn count_lines(&mut self, read: &[u8]) {
        let ends = read.iter().filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(u64::try_from(ends).unwrap_or_default());
    }

    /// Feeds the reader once; gives a record when it is whole. What does not fit is dropped while the reader goes on to the
    /// record's end.
    fn read(&mut self, input: &mut &[u8]) -> Option<Record> {
        let text = self.text.get_mut(self.text_len..).unwrap_or_default();
        let ends = self.ends.get_mut(self.cells..).unwrap_or_default();
        let (result, read, written, cells) = self.reader.read_record(input, text, ends);
        let (taken, rest) = input.split_at_checked(read).unwrap_or((input, &[]));
        self.count_lines(taken);
        *input = rest;
        self.text_len = self.text_len.saturating_add(written);
        self.cells = self.cells.saturating_add(cells);
        match result {
            ReadRecordResult::InputEmpty => None,
            ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                self.too_long = true;
                self.text_len = 0;
                self.cells = 0;
                None
            }
            ReadRecordResult::Record => Some(self.record()),
            ReadRecordResult::End => {
                self.inside = false;
                None
            }
        }
    }

    fn record(&mut self) -> Record {
        let cells = if self.too_long {
            Err(too_long())
        } else {
            self.cells_as_text()
        };
        self.text_len = 0;
        self.cells = 0;
        self.too_long = false;
        self.inside = false;
        cells
    }

    fn cells_as_text(&self) -> Record {
        let ends = self.ends.get(..self.cells).unwrap_or_default();
        let mut start = 0;
        let mut cells = Vec::with_capacity(ends.len());
        for end in ends {
            let cell = self.text.get(start..*end).unwrap_or_default();
            cells.push(std::str::from_utf8(cell).map_err(|_| not_utf8())?.to_owned());
            start = *end;
        }
        Ok(cells)
    }

    /// The first record is the header, which is not a line of the register.
    fn line(&mut self, record: Record) -> Result<Option<Line>, Vec<FieldError>> {
        let Some(header) = &self.header else {
            self.header = Some(header(self.register, record.map_err(|error| vec![error])?)?);
            return Ok(None);
        };
        let columns = record
            .map_err(|error| vec![error])
            .and_then(|cells| columns(header, cells));
        Ok(Some(Line {
            number: self.began,
            columns,
        }))
    }
}

fn columns(header: &[String], cells: Vec<String>) -> Result<Columns, Vec<FieldError>> {
    if cells.len() != header.len() {
        let (found, expected) = (cells.len(), header.len());
        return Err(vec![FieldError::new(
            "",
            "line.cells",
            format!("有{found}列，表头有{expected}列"),
            format!("has {found} cells, and the header {expected}"),
        )]);
    }
    let (mut columns, mut errors) = (Columns::new(), Vec::new());
    for (column, text) in header.iter().zip(cells) {
        put(&mut columns, &mut errors, column, text);
    }
    if errors.is_empty() {
        Ok(columns)
    } else {
        Err(errors)
    }
}

/// The names of the columns, if they are the register's: every one it needs, once, and no other.
fn header(register: Register, cells: Vec<String>) -> Result<Vec<String>, Vec<FieldError>> {
    let names = cells
        .into_iter()
        .map(|cell| cell.trim().to_owned())
        .collect::<Vec<_>>();
    let mut errors = Vec::new();
    for (place, name) in names.iter().enumerate() {
        if !register.columns().contains(&name.as_str()) {
            errors.push(unknown_column(name));
        } else if names.iter().take(place).any(|earlier| earlier == name) {
            errors.push(FieldError::new(
                pointer(name),
                "column.repeated",
                "此列重复出现",
                "the column stands twice",
            ));
        }
    }
    let needed = register
        .columns()
        .iter()
        .filter(|name| !may_be_blank(register).contains(name));
    for name in needed.filter(|name| !names.iter().any(|given| given == *name)) {
        errors.push(FieldError::new(
            pointer(name),
            "column.missing",
            "表头缺少此列",
            "the header lacks the column",
        ));
    }
    if errors.is_empty() { Ok(names) } else { Err(errors) }
}
