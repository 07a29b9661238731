//! A county's ledger and its claims as files, or those of all counties of a city one after another.
//!
//! Whatever the format, rows come and go page by page ([`pages`]): memory is bounded, and nothing is kept beside it. A table is
//! described once ([`table`]) and written as CSV, JSON lines, XLSX or Parquet; [`accounting`] is the form of GB/T 24589.1.
//!
//! The log is only added to. So CSV and JSON lines that broke off go on behind their last whole line, and the pieces put
//! together are the whole.

mod accounting;
mod claims;
mod pages;
mod parquet;
mod sink;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod transfers;
mod workbook;

use std::collections::VecDeque;
use std::pin::Pin;

use bytes::Bytes;
use chrono::NaiveDate;
use futures::Stream;
use policy::Lang;

use crate::audit::Audit;
use crate::funds::{LedgerQuery, filter};
use crate::operation::access::ReadLedger;
use crate::operation::{Permit, Refusal, ServiceError};
use pages::{File, stream};
use table::Row;
use transfers::Transfers;

pub use accounting::{AccountingExport, Encoding, Syntax};
pub use claims::{ClaimsExport, Reveal};

/// A file as it is sent.
pub type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, ServiceError>> + Send>>;

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma and quotes as in RFC 4180, LF, UTF-8 with BOM, so that spreadsheets read the Chinese right.
    Csv,
    JsonLines,
    Xlsx,
    Parquet,
}

/// Which transfers; dates are days in Asia/Shanghai, both included.
#[derive(Debug, Clone, Default)]
pub struct LedgerExport {
    pub programme: Option<String>,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    /// County and height of the last whole line of a file that broke off, which this one goes on behind.
    pub after: Option<(String, i64)>,
}

impl Audit {
    /// The transfers of a county, or of all counties of a city, by county and height.
    pub fn export_ledger(
        &self,
        permit: &Permit<ReadLedger>,
        jurisdiction: &str,
        query: &LedgerExport,
        format: Format,
        lang: Lang,
    ) -> Result<Chunks, ServiceError> {
        let mut counties = VecDeque::from(self.counties(permit, jurisdiction)?);
        let mut height = 0;
        if let Some((county, last)) = &query.after {
            if !counties.contains(county) {
                return Err(no_such_place().into());
            }
            counties.retain(|it| it >= county);
            height = *last;
        }
        let first = counties.pop_front().ok_or(Refusal::NotFound("ledger"))?;
        let chosen = LedgerQuery {
            programme: query.programme.clone(),
            claim: None,
            from: query.from,
            to: query.to,
        };
        let transfers = Transfers::new(self, filter(&first, &chosen, height), counties);
        let file = file(format, lang, query.after.is_some())?;
        Ok(Box::pin(stream(transfers, file)))
    }

    /// The county, or the counties of the city, by code. The caller must be allowed into each.
    fn counties(&self, permit: &Permit<ReadLedger>, jurisdiction: &str) -> Result<Vec<String>, Refusal> {
        let catalogue = self.catalogue.current();
        catalogue
            .jurisdiction(jurisdiction)
            .ok_or(Refusal::NotFound("ledger"))?;
        let counties = catalogue.counties_of(jurisdiction);
        counties.iter().try_for_each(|county| permit.within(county))?;
        Ok(counties)
    }
}

fn no_such_place() -> Refusal {
    Refusal::field(
        "/after",
        "another-ledger",
        "不在所导出的辖区内",
        "it is of a county that is not exported here",
    )
}

fn file<R: Row<N>, const N: usize>(
    format: Format,
    lang: Lang,
    goes_on: bool,
) -> Result<Box<dyn File<R>>, ServiceError> {
    Ok(match format {
        Format::Csv => Box::new(text::Csv::new(lang, goes_on)),
        Format::JsonLines => Box::new(text::JsonLines::new()),
        Format::Xlsx => Box::new(workbook::Workbook::new(lang)?),
        Format::Parquet => Box::new(parquet::Parquet::new()?),
    })
}
