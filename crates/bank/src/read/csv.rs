//! The CSV of this crate, with the bank's results in it.
//!
//! Columns are found by their headings, in Chinese or English and in any order; unknown columns are
//! skipped. Required are the end-to-end id, the amount and the result. A control row (`合计`) is not
//! required, because banks make tables of their own, but where there is one it has to agree.

use std::borrow::Cow;

use encoding_rs::GB18030;
use ledger::Fen;
use spreadsheet::csv::opens_formula;

use crate::ids::Quoted;
use crate::instruction::sum;
use crate::read::{Fault, Found, Marker, Place, ReadError, START, values};
use crate::reason::FailureReason;
use crate::report::{Failure, Item, Reported, Verdict};

/// Characters of a cell.
const LONGEST: usize = 4_096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Batch,
    Number,
    Id,
    Amount,
    Currency,
    Result,
    Booked,
    Reference,
    Code,
    Words,
}

use Column::{Amount, Batch, Booked, Code, Currency, Id, Number, Reference, Result as Outcome, Words};

/// The headings of each column, this crate's first: in Chinese, in English, and as banks vary them.
/// Brackets and case do not count.
const HEADINGS: [(Column, &[&str]); 10] = [
    (Batch, &["批次号", "batch", "batch id", "message id"]),
    (Number, &["序号", "no.", "number"]),
    (Id, &["支付流水号", "end-to-end id", "payment id"]),
    (Amount, &["金额（元）", "amount", "金额", "付款金额", "交易金额"]),
    (Currency, &["币种", "currency"]),
    (Outcome, &["处理结果", "result", "交易结果", "处理状态", "status"]),
    (Booked, &["入账日期", "booked", "交易日期", "booked date"]),
    (Reference, &["银行流水号", "bank reference", "交易流水号"]),
    (Code, &["原因代码", "reason code", "错误代码"]),
    (Words, &["原因说明", "reason", "失败原因", "错误信息"]),
];

const TOTALS: [&str; 3] = ["合计", "总计", "total"];

pub(super) fn read(bytes: &[u8], found: &mut Found) -> Result<(), ReadError> {
    let text = decode(bytes)?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    let mut table: Option<Table> = None;
    let mut at = Marker::START;
    loop {
        at = next_row(&text, at, reader.position().byte());
        let more = reader
            .read_record(&mut record)
            .map_err(|_| Fault::Malformed.at(at.place))?;
        if !more {
            break;
        }
        let row = Row::new(&record, at.place.line)?;
        match &mut table {
            None => table = Some(Table::new(&row)?),
            // Spreadsheets leave rows of commas behind.
            Some(_) if row.cells.iter().all(|cell| cell.is_empty()) => {}
            Some(table) => table.row(&row, found)?,
        }
    }
    match table {
        Some(_) => Ok(()),
        None => Err(Fault::Missing("支付流水号").at(START)),
    }
}

/// Where the next row begins. The line count of the library's reader is one short where lines end
/// with CRLF, and it stops before rows that are empty.
fn next_row(text: &str, at: Marker, offset: u64) -> Marker {
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    let rest = text.as_bytes().get(offset..).unwrap_or_default();
    let ends = rest
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .count();
    at.forward(text, offset.saturating_add(ends))
}

/// UTF-8, with or without its mark, or GB 18030.
fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, ReadError> {
    let unmarked = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(unmarked) {
        return Ok(Cow::Borrowed(text));
    }
    let unmarked = bytes.strip_prefix(b"\x84\x31\x95\x33").unwrap_or(bytes);
    GB18030
        .decode_without_bom_handling_and_without_replacement(unmarked)
        .ok_or(Fault::Encoding.at(START))
}

/// Cells without what spreadsheets add to them.
struct Row<'r> {
    cells: Vec<&'r str>,
    line: u64,
}

impl<'r> Row<'r> {
    fn new(record: &'r csv::StringRecord, line: u64) -> Result<Row<'r>, ReadError> {
        let mut cells = Vec::with_capacity(record.len());
        for (column, cell) in (1_u64..).zip(record) {
            let place = Place { line, column };
            // A quote that is not closed swallows rows.
            if cell.trim_end().contains(['\n', '\r', '\0']) {
                return Err(Fault::Malformed.at(place));
            }
            if cell.chars().nth(LONGEST).is_some() {
                return Err(Fault::ValueTooLong(LONGEST).at(place));
            }
            cells.push(clean(cell));
        }
        Ok(Row { cells, line })
    }

    fn place(&self, column: usize) -> Place {
        Place {
            line: self.line,
            column: u64::try_from(column).unwrap_or(u64::MAX).saturating_add(1),
        }
    }
}

/// Without space, and without the apostrophe that keeps a spreadsheet from taking text for a
/// formula.
fn clean(cell: &str) -> &str {
    let cell = cell.trim();
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(|c: char| opens_formula(c) || c.is_ascii_alphanumeric()) => rest,
        _ => cell,
    }
}

/// The columns, control row and items read so far.
struct Table {
    /// By column of the table.
    columns: Vec<Option<Column>>,
    amounts: Vec<Fen>,
    ended: bool,
}

impl Table {
    fn new(headings: &Row<'_>) -> Result<Table, ReadError> {
        let mut columns = Vec::with_capacity(headings.cells.len());
        for (at, heading) in headings.cells.iter().enumerate() {
            let folded = fold(heading);
            let known = HEADINGS
                .iter()
                .find(|(_, names)| names.iter().any(|name| fold(name) == folded));
            let column = known.map(|(column, _)| *column);
            if let Some((column, names)) = known
                && columns.contains(&Some(*column))
            {
                return Err(Fault::Twice(names.first().unwrap_or(&"")).at(headings.place(at)));
            }
            columns.push(column);
        }
        for (column, names) in &HEADINGS {
            if matches!(column, Id | Amount | Outcome) && !columns.contains(&Some(*column)) {
                return Err(Fault::Missing(names.first().unwrap_or(&"")).at(headings.place(0)));
            }
        }
        Ok(Table {
            columns,
            amounts: Vec::new(),
            ended: false,
        })
    }

    fn row(&mut self, row: &Row<'_>, found: &mut Found) -> Result<(), ReadError> {
        let beyond = row.cells.iter().skip(self.columns.len());
        if beyond.into_iter().any(|cell| !cell.is_empty()) {
            return Err(Fault::Ragged.at(row.place(self.columns.len())));
        }
        if self.ended {
            return Err(Fault::AfterControl.at(row.place(0)));
        }
        let first = row.cells.iter().find(|cell| !cell.is_empty());
        if first.is_some_and(|cell| TOTALS.contains(&cell.to_lowercase().as_str())) {
            self.ended = true;
            return self.control(row);
        }
        let item = self.item(row)?;
        self.amounts.extend(item.amount);
        found.item(item)
    }

    /// The cell of a column, if it is there and not empty, and its place.
    fn cell<'r>(&self, row: &Row<'r>, column: Column) -> (Option<&'r str>, Place) {
        let at = self.columns.iter().position(|it| *it == Some(column));
        let cell = at.and_then(|at| row.cells.get(at).copied());
        (cell.filter(|cell| !cell.is_empty()), row.place(at.unwrap_or(0)))
    }

    fn quoted(&self, row: &Row<'_>, column: Column) -> Option<Quoted> {
        let (cell, _) = self.cell(row, column);
        cell.map(|cell| Quoted::new(cell.to_owned()))
    }

    fn item(&self, row: &Row<'_>) -> Result<Item, ReadError> {
        if let (Some(currency), place) = self.cell(row, Currency)
            && !["CNY", "RMB", "人民币", "人民币元"].contains(&currency)
        {
            return Err(Fault::Currency.at(place));
        }
        let (amount, place) = self.cell(row, Amount);
        let amount = amount
            .and_then(values::shown_amount)
            .ok_or(Fault::Amount.at(place))?;
        let reported = Reported {
            original: self.quoted(row, Batch),
            amount: Some(amount),
            place: row.place(0),
        };
        Ok(Item::new(self.quoted(row, Id), self.verdict(row)?, reported))
    }

    fn verdict(&self, row: &Row<'_>) -> Result<Verdict, ReadError> {
        let booked = match self.cell(row, Booked) {
            (Some(day), place) => Some(values::shown_date(day).ok_or(Fault::Date.at(place))?),
            (None, _) => None,
        };
        let bank_reference = self.quoted(row, Reference);
        let (result, _) = self.cell(row, Outcome);
        Ok(match result.unwrap_or_default().to_lowercase().as_str() {
            "" | "处理中" | "待处理" | "pending" => Verdict::Pending,
            "已受理" | "受理" | "受理成功" | "accepted" => Verdict::Accepted,
            "成功" | "支付成功" | "交易成功" | "已入账" | "入账成功" | "paid" | "success" => {
                Verdict::Paid {
                    booked,
                    bank_reference,
                }
            }
            "失败" | "支付失败" | "交易失败" | "拒绝" | "failed" | "rejected" => {
                Verdict::Failed(self.failure(row))
            }
            "退票" | "退汇" | "已退汇" | "退回" | "已退回" | "returned" => Verdict::Returned {
                failure: self.failure(row),
                booked,
                bank_reference,
            },
            _ => Verdict::Unclear {
                status: Quoted::new(result.unwrap_or_default().to_owned()),
            },
        })
    }

    fn failure(&self, row: &Row<'_>) -> Failure {
        let code = self.cell(row, Code).0.unwrap_or_default();
        let text = self.cell(row, Words).0.unwrap_or_default();
        match FailureReason::from_code(code) {
            FailureReason::Unstated => {
                let text = format!("{code} {text}");
                Failure::new(FailureReason::from_text(&text), &text)
            }
            reason => Failure::new(reason, text),
        }
    }

    /// The count and the sum of the control row, each where it is given.
    fn control(&self, row: &Row<'_>) -> Result<(), ReadError> {
        let (count, place) = self.cell(row, Number);
        // Where the number is the first column, its cell holds `合计`.
        let count = count.filter(|count| !TOTALS.contains(&count.to_lowercase().as_str()));
        if count.is_some_and(|count| count != self.amounts.len().to_string()) {
            return Err(Fault::Control.at(place));
        }
        let (total, place) = self.cell(row, Amount);
        if let Some(total) = total {
            let total = values::shown_amount(total).ok_or(Fault::Amount.at(place))?;
            if sum(self.amounts.iter().copied()) != Ok(total) {
                return Err(Fault::Control.at(place));
            }
        }
        Ok(())
    }
}

/// Normalises a heading: case, spaces and the width of brackets do not count.
fn fold(heading: &str) -> String {
    heading
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| match c {
            '（' => '(',
            '）' => ')',
            c => c.to_ascii_lowercase(),
        })
        .collect()
}
