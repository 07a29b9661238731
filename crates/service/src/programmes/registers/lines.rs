//! A register's file, taken apart as its bytes arrive.

use claims::registers::Register;

use super::RegisterFormat;
use super::csv::Csv;
use super::line::Line;
use super::ndjson::Ndjson;
use crate::operation::FieldError;

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
