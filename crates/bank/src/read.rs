//! Reads a bank's reports, which are input from outside: bounded in every direction before they are
//! parsed.

mod camt054;
mod csv;
mod pain002;
mod values;
mod xml;

use std::fmt;

use words::words;

use crate::digest::Digest;
use crate::report::{Group, Item, Report};

words! {
    /// The formats of a bank's reports.
    pub enum ReportFormat {
        /// ISO 20022 `pain.002.001.NN`, CustomerPaymentStatusReport, of any version.
        Pain002 = "pain.002",
        /// ISO 20022 `camt.054.001.NN`, BankToCustomerDebitCreditNotification, of any version.
        Camt054 = "camt.054",
        /// The CSV of this crate with its result columns filled in.
        Csv = "csv",
    }
}

/// Bounds of what is read of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of the file.
    pub bytes: usize,
    /// Items and groups together.
    pub items: usize,
    /// Elements within each other; the standard's messages need fewer than 20.
    pub depth: usize,
}

impl Limits {
    /// 32 MiB hold an answer to [`MAX_PAYMENTS`](crate::MAX_PAYMENTS) payments unless it repeats
    /// each in full.
    pub const DEFAULT: Limits = Limits {
        bytes: 32 * 1024 * 1024,
        items: 100_000,
        depth: 32,
    };
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::DEFAULT
    }
}

/// A place in a file, from 1. The column counts characters of an XML document and cells of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub line: u64,
    pub column: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Why a file cannot be read: the place and the fault. The text at that place is never repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {fault}")]
pub struct ReadError {
    pub place: Place,
    pub fault: Fault,
}

/// The faults of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    #[error("the file is longer than {0} bytes")]
    TooLong(usize),
    #[error("the file says more than {0} things")]
    TooMany(usize),
    #[error("elements are nested more than {0} deep")]
    TooDeep(usize),
    #[error("a value is longer than {0} characters")]
    ValueTooLong(usize),
    #[error("the text is neither UTF-8 nor, in a table, GB 18030")]
    Encoding,
    #[error("a document type definition is not read")]
    Doctype,
    #[error("an entity is not read")]
    Entity,
    #[error("the XML or the table is not well formed")]
    Malformed,
    #[error("the document ends before its elements do")]
    Truncated,
    #[error("the document is not a {0} message of ISO 20022")]
    Namespace(&'static str),
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} stands here twice")]
    Twice(&'static str),
    #[error("this is not an amount in yuan")]
    Amount,
    #[error("the currency is not CNY")]
    Currency,
    #[error("this is not a date")]
    Date,
    #[error("this is not a count")]
    Count,
    #[error("this is not one of the words that may stand here")]
    Word,
    #[error("a row has more cells than there are headings")]
    Ragged,
    #[error("the control row does not agree with the rows")]
    Control,
    #[error("a row follows the control row")]
    AfterControl,
}

impl Fault {
    /// Stable code for machines, such as `report.currency`.
    pub fn code(self) -> &'static str {
        match self {
            Fault::TooLong(_) => "report.too-long",
            Fault::TooMany(_) => "report.too-many",
            Fault::TooDeep(_) => "report.too-deep",
            Fault::ValueTooLong(_) => "report.value-too-long",
            Fault::Encoding => "report.encoding",
            Fault::Doctype => "report.doctype",
            Fault::Entity => "report.entity",
            Fault::Malformed => "report.malformed",
            Fault::Truncated => "report.truncated",
            Fault::Namespace(_) => "report.namespace",
            Fault::Missing(_) => "report.missing",
            Fault::Twice(_) => "report.twice",
            Fault::Amount => "report.amount",
            Fault::Currency => "report.currency",
            Fault::Date => "report.date",
            Fault::Count => "report.count",
            Fault::Word => "report.word",
            Fault::Ragged => "report.ragged",
            Fault::Control => "report.control",
            Fault::AfterControl => "report.after-control",
        }
    }

    /// The same as `Display`, in Chinese.
    pub fn message_zh(self) -> String {
        match self {
            Fault::TooLong(most) => format!("文件超过{most}字节"),
            Fault::TooMany(most) => format!("文件超过{most}条记录"),
            Fault::TooDeep(most) => format!("元素嵌套超过{most}层"),
            Fault::ValueTooLong(most) => format!("内容超过{most}个字符"),
            Fault::Encoding => "文件编码须为UTF-8（表格也可为GB 18030）".to_owned(),
            Fault::Doctype => "文件不得包含文档类型定义（DTD）".to_owned(),
            Fault::Entity => "文件不得包含实体引用".to_owned(),
            Fault::Malformed => "XML或表格格式不正确".to_owned(),
            Fault::Truncated => "文件不完整".to_owned(),
            Fault::Namespace(family) => format!("文件不是ISO 20022 {family}报文"),
            Fault::Missing(what) => format!("缺少{what}"),
            Fault::Twice(what) => format!("{what}重复"),
            Fault::Amount => "金额格式不正确".to_owned(),
            Fault::Currency => "币种不是人民币（CNY）".to_owned(),
            Fault::Date => "日期格式不正确".to_owned(),
            Fault::Count => "笔数格式不正确".to_owned(),
            Fault::Word => "此处内容不是规定用语".to_owned(),
            Fault::Ragged => "该行单元格多于表头".to_owned(),
            Fault::Control => "合计行与明细不符".to_owned(),
            Fault::AfterControl => "合计行之后仍有记录".to_owned(),
        }
    }

    fn at(self, place: Place) -> ReadError {
        ReadError { place, fault: self }
    }
}

const START: Place = Place { line: 1, column: 1 };

/// An offset and its place, moved forward with the reading, so that finding places costs one pass
/// in all.
#[derive(Clone, Copy)]
struct Marker {
    offset: usize,
    place: Place,
}

impl Marker {
    const START: Marker = Marker {
        offset: 0,
        place: START,
    };

    fn forward(self, source: &str, offset: usize) -> Marker {
        let from = if offset < self.offset { Marker::START } else { self };
        let passed = source.as_bytes().get(from.offset..offset).unwrap_or_default();
        let mut place = from.place;
        for byte in passed {
            match byte {
                b'\n' => {
                    place = Place {
                        line: place.line.saturating_add(1),
                        column: 1,
                    };
                }
                // Skips continuation bytes of UTF-8.
                0x80..=0xbf => {}
                _ => place.column = place.column.saturating_add(1),
            }
        }
        Marker { offset, place }
    }
}

/// Reads a bank's file within [`Limits::DEFAULT`].
pub fn read(format: ReportFormat, bytes: &[u8]) -> Result<Report, ReadError> {
    read_within(format, bytes, &Limits::DEFAULT)
}

/// Reads a bank's file, as a whole or not at all: half a report would pass for one that lacks
/// payments.
pub fn read_within(format: ReportFormat, bytes: &[u8], limits: &Limits) -> Result<Report, ReadError> {
    if bytes.len() > limits.bytes {
        return Err(Fault::TooLong(limits.bytes).at(START));
    }
    let mut found = Found {
        most: limits.items,
        id: None,
        groups: Vec::new(),
        items: Vec::new(),
    };
    match format {
        ReportFormat::Pain002 => pain002::read(bytes, limits, &mut found)?,
        ReportFormat::Camt054 => camt054::read(bytes, limits, &mut found)?,
        ReportFormat::Csv => csv::read(bytes, &mut found)?,
    }
    Ok(Report {
        format,
        sha256: Digest::of(bytes),
        id: found.id,
        groups: found.groups,
        items: found.items,
    })
}

/// What has been read so far.
struct Found {
    most: usize,
    id: Option<crate::ids::Quoted>,
    groups: Vec<Group>,
    items: Vec<Item>,
}

impl Found {
    fn item(&mut self, item: Item) -> Result<(), ReadError> {
        self.room(item.place)?;
        self.items.push(item);
        Ok(())
    }

    fn group(&mut self, group: Group) -> Result<(), ReadError> {
        self.room(group.place)?;
        self.groups.push(group);
        Ok(())
    }

    fn room(&self, place: Place) -> Result<(), ReadError> {
        if self.items.len().saturating_add(self.groups.len()) < self.most {
            Ok(())
        } else {
            Err(Fault::TooMany(self.most).at(place))
        }
    }
}
