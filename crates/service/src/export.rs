//! A county's ledger as a file, streamed: the next rows are read while these are written and sent.
//!
//! Memory is two chunks of rows, however long the file and however slow its reader. A chunk is a statement of its own, so
//! that a slow reader holds no snapshot open and no connection.

use std::fmt::{self, Write as _};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::Stream;
use ledger::{Fen, Reason};
use policy::Lang;
use serde::Serialize;
use store::StoreError;
use store::funds::{TransferFilter, TransferLine};
use tokio::task::JoinHandle;

use crate::access::{Permit, ReadLedger};
use crate::books::{LedgerQuery, document_prefix, filter};
use crate::limits::fen;
use crate::ports::shanghai;
use crate::{Service, ServiceError};

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma and quotes as in RFC 4180, LF, UTF-8 with BOM, so that spreadsheets read the Chinese right.
    Csv,
    JsonLines,
}

/// Rows of a chunk.
const CHUNK: i64 = 10_000;

/// Bytes that a row takes, roughly: room is made once a chunk.
const ROW_BYTES: usize = 220;

const COLUMNS: [(&str, &str); 11] = [
    ("序号", "height"),
    ("过账时间", "posted_at"),
    ("辖区", "jurisdiction"),
    ("项目", "programme"),
    ("事由", "reason"),
    ("借方", "debit"),
    ("贷方", "credit"),
    ("金额（元）", "amount"),
    ("申请编号", "claim"),
    ("单据编号", "document"),
    ("经办", "actor"),
];

impl Service {
    /// A county's transfers of a period as a stream of file chunks, in constant memory.
    pub fn export_ledger(
        &self,
        permit: &Permit<ReadLedger>,
        jurisdiction: &str,
        query: &LedgerQuery,
        format: Format,
        lang: Lang,
    ) -> Result<impl Stream<Item = Result<Bytes, ServiceError>> + Send + use<>, ServiceError> {
        self.county(permit, jurisdiction)?;
        let filter = filter(jurisdiction, query, 0);
        let pages = Pages {
            service: self.clone(),
            next: None,
            filter,
        };
        let file = File {
            format,
            lang,
            begun: false,
            jurisdiction: jurisdiction.to_owned(),
            clock: Clock::default(),
        };
        Ok(futures::stream::try_unfold(Some((pages, file)), async |state| {
            let Some((mut pages, mut file)) = state else {
                return Ok(None);
            };
            let (rows, last) = pages.take().await?;
            let chunk = file.write(&rows)?;
            Ok(Some((chunk, (!last).then_some((pages, file)))))
        }))
    }
}

/// Transfers page by page, the next one on its way while this one is used.
struct Pages {
    service: Service,
    filter: TransferFilter,
    next: Option<JoinHandle<Result<Vec<TransferLine>, StoreError>>>,
}

impl Pages {
    /// The next rows, and whether they are the last.
    async fn take(&mut self) -> Result<(Vec<TransferLine>, bool), ServiceError> {
        let next = self.next.take().unwrap_or_else(|| self.fetch());
        let rows = next.await.map_err(ServiceError::bug)??;
        let full = i64::try_from(rows.len()).is_ok_and(|rows| rows >= CHUNK);
        if let (true, Some(row)) = (full, rows.last()) {
            self.filter.after = row.height;
            self.next = Some(self.fetch());
        }
        Ok((rows, !full))
    }

    fn fetch(&self) -> JoinHandle<Result<Vec<TransferLine>, StoreError>> {
        let (store, filter) = (self.service.store().clone(), self.filter.clone());
        tokio::spawn(async move { store.read().await?.transfer_lines(&filter, CHUNK).await })
    }
}

/// Writes rows as they stand in the file.
struct File {
    format: Format,
    lang: Lang,
    jurisdiction: String,
    begun: bool,
    clock: Clock,
}

/// A transfer as the file has it. Fields in the order of the columns.
#[derive(Serialize)]
struct Line<'a> {
    height: i64,
    posted_at: &'a str,
    jurisdiction: &'a str,
    programme: &'a str,
    reason: &'a str,
    debit: &'a str,
    credit: &'a str,
    amount: &'a str,
    claim: Option<&'a str>,
    document: Option<&'a str>,
    actor: &'a str,
}

/// Texts of one row, written over by the next.
#[derive(Default)]
struct Texts {
    posted_at: String,
    amount: String,
    claim: String,
    document: String,
}

impl File {
    fn write(&mut self, rows: &[TransferLine]) -> Result<Bytes, ServiceError> {
        let mut chunk = Vec::with_capacity(rows.len().saturating_add(1).saturating_mul(ROW_BYTES));
        let mut texts = Texts::default();
        if self.format == Format::JsonLines {
            for row in rows {
                serde_json::to_writer(&mut chunk, &self.line(row, &mut texts)?).map_err(ServiceError::bug)?;
                chunk.push(b'\n');
            }
            return Ok(Bytes::from(chunk));
        }
        if !self.begun {
            chunk.extend_from_slice("\u{feff}".as_bytes());
        }
        let mut csv = csv::WriterBuilder::new()
            .has_headers(false)
            .from_writer(&mut chunk);
        if !std::mem::replace(&mut self.begun, true) {
            let heading = COLUMNS.map(|(zh, en)| match self.lang {
                Lang::Zh => zh,
                Lang::En => en,
            });
            csv.write_record(heading).map_err(ServiceError::bug)?;
        }
        let mut height = String::new();
        for row in rows {
            let line = self.line(row, &mut texts)?;
            put(&mut height, format_args!("{}", line.height))?;
            csv.write_record([
                &height,
                line.posted_at,
                line.jurisdiction,
                line.programme,
                line.reason,
                line.debit,
                line.credit,
                line.amount,
                line.claim.unwrap_or_default(),
                line.document.unwrap_or_default(),
                line.actor,
            ])
            .map_err(ServiceError::bug)?;
        }
        csv.flush().map_err(ServiceError::bug)?;
        drop(csv);
        Ok(Bytes::from(chunk))
    }

    fn line<'a>(&'a mut self, row: &'a TransferLine, texts: &'a mut Texts) -> Result<Line<'a>, ServiceError> {
        let reason = Reason::parse(&row.reason).ok_or_else(|| ServiceError::bug("unknown reason"))?;
        let (debit, credit) = reason.accounts();
        match self.format {
            Format::Csv => self.clock.local(&mut texts.posted_at, row.posted_at)?,
            Format::JsonLines => {
                let posted_at = row.posted_at;
                let text = posted_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
                texts.posted_at = text;
            }
        }
        let amount: Fen = fen(row.amount)?;
        put(&mut texts.amount, format_args!("{amount}"))?;
        if let Some(claim) = row.claim {
            let claim = claim.simple();
            put(
                &mut texts.claim,
                format_args!("clm_{}_{claim}", self.jurisdiction),
            )?;
        }
        if let Some(document) = row.document {
            let (prefix, document) = (document_prefix(reason), document.simple());
            put(
                &mut texts.document,
                format_args!("{prefix}_{}_{document}", self.jurisdiction),
            )?;
        }
        // JSON is for machines: names of accounts and reasons never change with a language there.
        let zh = self.format == Format::Csv && self.lang == Lang::Zh;
        Ok(Line {
            height: row.height,
            posted_at: &texts.posted_at,
            jurisdiction: &self.jurisdiction,
            programme: &row.programme,
            reason: if zh { reason.title_zh() } else { reason.as_str() },
            debit: if zh { debit.title_zh() } else { debit.as_str() },
            credit: if zh { credit.title_zh() } else { credit.as_str() },
            amount: &texts.amount,
            claim: row.claim.is_some().then_some(&*texts.claim),
            document: row.document.is_some().then_some(&*texts.document),
            actor: &row.actor,
        })
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
    fn local(&mut self, out: &mut String, at: DateTime<Utc>) -> Result<(), ServiceError> {
        if self.second != Some(at.timestamp()) {
            put(
                &mut self.text,
                format_args!("{}", shanghai(at).format("%Y-%m-%dT%H:%M:%S")),
            )?;
            self.second = Some(at.timestamp());
        }
        put(
            out,
            format_args!("{}.{:06}+08:00", self.text, at.timestamp_subsec_micros()),
        )
    }
}

fn put(text: &mut String, what: fmt::Arguments<'_>) -> Result<(), ServiceError> {
    text.clear();
    text.write_fmt(what).map_err(ServiceError::bug)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(height: i64, reason: &str, at: &str) -> TransferLine {
        TransferLine {
            height,
            programme: "appliance-2026".into(),
            reason: reason.into(),
            amount: 68_985,
            claim: Some(uuid::Uuid::from_u128(7)),
            document: None,
            posted_at: at.parse().unwrap(),
            actor: "a \"till\", two".into(),
        }
    }

    fn file(format: Format, lang: Lang) -> File {
        File {
            format,
            lang,
            jurisdiction: "140802".into(),
            begun: false,
            clock: Clock::default(),
        }
    }

    #[test]
    fn a_file_has_one_heading_and_local_time() {
        let mut file = file(Format::Csv, Lang::Zh);
        let rows = [
            row(1, "reserve", "2026-05-01T15:59:59.999999Z"),
            row(2, "reserve", "2026-05-01T16:00:00Z"),
        ];
        let first = file.write(&rows[..1]).unwrap();
        let second = file.write(&rows[1..]).unwrap();
        let text = String::from_utf8([first, second].concat()).unwrap();
        assert_eq!(
            text,
            "\u{feff}序号,过账时间,辖区,项目,事由,借方,贷方,金额（元）,申请编号,单据编号,经办\n\
             1,2026-05-01T23:59:59.999999+08:00,140802,appliance-2026,预留,已预留,可用,689.85,clm_140802_00000000000000000000000000000007,,\"a \"\"till\"\", two\"\n\
             2,2026-05-02T00:00:00.000000+08:00,140802,appliance-2026,预留,已预留,可用,689.85,clm_140802_00000000000000000000000000000007,,\"a \"\"till\"\", two\"\n"
        );
    }

    #[test]
    fn json_lines_say_the_same_in_any_language() {
        let rows = [row(1, "reserve", "2026-05-01T15:59:59.5Z")];
        let zh = file(Format::JsonLines, Lang::Zh).write(&rows).unwrap();
        let en = file(Format::JsonLines, Lang::En).write(&rows).unwrap();
        assert_eq!(zh, en);
        let line: serde_json::Value = serde_json::from_slice(&zh).unwrap();
        assert_eq!(line["posted_at"], "2026-05-01T15:59:59.500000Z");
        assert_eq!(line["amount"], "689.85");
        assert_eq!(line["document"], serde_json::Value::Null);
    }
}
