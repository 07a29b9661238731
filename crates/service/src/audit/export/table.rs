//! What a file has in its lines, whatever its format: columns, and a cell for each.

use std::fmt;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use ledger::Fen;
use policy::Lang;
use uuid::Uuid;

use crate::operation::ServiceError;

/// A column. JSON and Parquet name it in English, whoever asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) zh: &'static str,
    pub(super) en: &'static str,
    pub(super) kind: Kind,
    /// Whether a line may have nothing in it.
    pub(super) optional: bool,
}

impl Column {
    pub(super) const fn new(zh: &'static str, en: &'static str, kind: Kind) -> Self {
        Self {
            zh,
            en,
            kind,
            optional: false,
        }
    }

    pub(super) const fn optional(zh: &'static str, en: &'static str, kind: Kind) -> Self {
        Self {
            zh,
            en,
            kind,
            optional: true,
        }
    }

    pub(super) fn heading(&self, lang: Lang) -> &'static str {
        match lang {
            Lang::Zh => self.zh,
            Lang::En => self.en,
        }
    }
}

/// What the cells of a column hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Whole,
    Money,
    Instant,
    Day,
}

/// What one line has in one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    /// A word or a code of ours.
    Text(&'a str),
    /// What somebody outside wrote: it may begin like a formula.
    Written(&'a str),
    /// `<kind>_<jurisdiction>_<32 digits>`.
    Id(&'static str, &'a str, Uuid),
    Whole(i64),
    Money(Fen),
    Instant(DateTime<Utc>),
    Day(NaiveDate),
    Nothing,
}

/// As text: money in yuan with two decimals, instants in UTC.
impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Written(text) => f.write_str(text),
            Self::Id(kind, jurisdiction, id) => write!(f, "{kind}_{jurisdiction}_{}", id.simple()),
            Self::Whole(number) => write!(f, "{number}"),
            Self::Money(amount) => write!(f, "{amount}"),
            Self::Instant(at) => f.write_str(&at.to_rfc3339_opts(SecondsFormat::Micros, true)),
            Self::Day(day) => write!(f, "{day}"),
            Self::Nothing => Ok(()),
        }
    }
}

/// Whether words of ours are said as machines know them or in Chinese.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    Machine,
    Chinese,
}

impl Words {
    pub(super) fn of(lang: Lang) -> Self {
        match lang {
            Lang::Zh => Self::Chinese,
            Lang::En => Self::Machine,
        }
    }

    pub(super) fn pick(self, machine: &'static str, chinese: &'static str) -> &'static str {
        match self {
            Self::Machine => machine,
            Self::Chinese => chinese,
        }
    }
}

/// A line of `N` columns.
pub(super) trait Row<const N: usize>: Send + Sync + 'static {
    /// What the table is called, in Chinese and in English.
    const TITLE: (&'static str, &'static str);
    const COLUMNS: [Column; N];
    /// Columns with few different words, by which a workbook sums up.
    const SUMMED_BY: &'static [usize];

    fn cells(&self, words: Words) -> Result<[Cell<'_>; N], ServiceError>;
}
