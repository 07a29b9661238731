//! Reading a county's ledger: balances now and as of any instant, transfers by page, and the export.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use claims::ids::ClaimId;
use futures::Stream;
use ledger::{Account, Balances, Fen, Reason, Transfer};
use policy::Lang;
use store::funds::{TransferFilter, TransferRow};

use crate::access::{Permit, ReadLedger};
use crate::funds::{balances, code};
use crate::limits::fen;
use crate::ports::{shanghai, shanghai_midnight};
use crate::{Page, Refusal, Service, ServiceError, paging};

/// A transfer as it stands in a county's log.
#[derive(Debug, Clone)]
pub struct LedgerLine {
    /// Its place in the log, from 1, without gaps.
    pub height: i64,
    pub programme: String,
    pub reason: Reason,
    pub debit: Account,
    pub credit: Account,
    pub amount: Fen,
    pub claim: Option<ClaimId>,
    /// The appropriation or disbursement it belongs to.
    pub document: Option<String>,
    pub posted_at: DateTime<Utc>,
    pub actor: String,
}

/// Which transfers; dates are days in Asia/Shanghai, both included.
#[derive(Debug, Clone, Default)]
pub struct LedgerQuery {
    pub programme: Option<String>,
    pub claim: Option<ClaimId>,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
}

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// Comma and quotes as in RFC 4180, LF, UTF-8 with BOM, so that spreadsheets read the Chinese right.
    Csv,
    JsonLines,
}

/// Rows an export holds in memory at a time.
const CHUNK: i64 = 5_000;

impl Service {
    /// Every fund's accounts in a county, now or as of an instant: as of an instant they are the fold of the transfers.
    pub async fn balances(
        &self,
        permit: &Permit<ReadLedger>,
        jurisdiction: &str,
        as_of: Option<DateTime<Utc>>,
    ) -> Result<Vec<(String, Balances)>, ServiceError> {
        self.county(permit, jurisdiction)?;
        let mut conn = self.store().read().await?;
        let funds = conn.funds(&[jurisdiction.to_owned()], None, 10_000).await?;
        let Some(instant) = as_of else {
            return funds
                .iter()
                .map(|row| Ok((row.programme.clone(), balances(row)?)))
                .collect();
        };
        let mut folded: BTreeMap<String, VecDeque<Transfer>> = funds
            .into_iter()
            .map(|row| (row.programme, VecDeque::new()))
            .collect();
        for (programme, reason, amount) in conn.moved_until(jurisdiction, instant).await? {
            let reason = Reason::parse(&reason).ok_or_else(|| ServiceError::bug("unknown reason"))?;
            let transfer = Transfer::new(reason, fen(amount)?).map_err(ServiceError::bug)?;
            folded.entry(programme).or_default().push_back(transfer);
        }
        folded
            .into_iter()
            .map(|(programme, sums)| Ok((programme, fold_sums(sums)?)))
            .collect()
    }

    /// A county's transfers in the order of its log.
    pub async fn transfers(
        &self,
        permit: &Permit<ReadLedger>,
        jurisdiction: &str,
        query: &LedgerQuery,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<LedgerLine>, ServiceError> {
        self.county(permit, jurisdiction)?;
        let after = paging::read(cursor)?.unwrap_or(0);
        let filter = filter(jurisdiction, query, after);
        let rows = self
            .store()
            .read()
            .await?
            .transfers(&filter, paging::fetch(limit))
            .await?;
        paging::page(rows, limit, |row| row.height)?.try_map(|row| line(&row))
    }

    /// A county's transfers of a period as a stream of file chunks, in constant memory.
    pub fn export_ledger(
        &self,
        permit: &Permit<ReadLedger>,
        jurisdiction: &str,
        query: &LedgerQuery,
        format: ExportFormat,
        lang: Lang,
    ) -> Result<impl Stream<Item = Result<Bytes, ServiceError>> + Send + use<>, ServiceError> {
        self.county(permit, jurisdiction)?;
        let head = match format {
            ExportFormat::Csv => heading(lang)?,
            ExportFormat::JsonLines => Vec::new(),
        };
        let start = (self.clone(), filter(jurisdiction, query, 0), Some(head));
        Ok(futures::stream::try_unfold(
            start,
            move |(service, mut filter, head)| async move {
                if filter.after == i64::MAX {
                    return Ok(None);
                }
                let rows = service.store().read().await?.transfers(&filter, CHUNK).await?;
                let last = i64::try_from(rows.len()).is_ok_and(|rows| rows < CHUNK);
                filter.after = rows.last().filter(|_| !last).map_or(i64::MAX, |row| row.height);
                let mut chunk = head.unwrap_or_default();
                write_rows(&mut chunk, &rows, format, lang)?;
                Ok(Some((Bytes::from(chunk), (service, filter, None))))
            },
        ))
    }

    fn county(&self, permit: &Permit<ReadLedger>, jurisdiction: &str) -> Result<(), Refusal> {
        self.catalogue()
            .county(jurisdiction)
            .ok_or(Refusal::NotFound("ledger"))?;
        permit.within(jurisdiction)
    }
}

fn filter(jurisdiction: &str, query: &LedgerQuery, after: i64) -> TransferFilter {
    TransferFilter {
        jurisdiction: jurisdiction.to_owned(),
        after,
        programme: query.programme.clone(),
        claim: query.claim.map(|claim| claim.uuid),
        from: query.from.map(shanghai_midnight),
        before: query.to.and_then(|day| day.succ_opt()).map(shanghai_midnight),
    }
}

/// Sums by reason are in no order of time: apply each as soon as the money it takes is there.
fn fold_sums(mut sums: VecDeque<Transfer>) -> Result<Balances, ServiceError> {
    let mut balances = Balances::default();
    let mut put_off = 0_usize;
    while let Some(sum) = sums.pop_front() {
        match balances.apply(&sum) {
            Ok(next) => (balances, put_off) = (next, 0),
            Err(shortfall) if put_off > sums.len() => return Err(ServiceError::bug(shortfall)),
            Err(_) => {
                put_off = put_off.saturating_add(1);
                sums.push_back(sum);
            }
        }
    }
    Ok(balances)
}

fn line(row: &TransferRow) -> Result<LedgerLine, ServiceError> {
    let jurisdiction = code(&row.jurisdiction)?;
    let reason = Reason::parse(&row.reason).ok_or_else(|| ServiceError::bug("unknown reason"))?;
    let (debit, credit) = reason.accounts();
    let prefix = if reason == Reason::Appropriate {
        "apr"
    } else {
        "dsb"
    };
    Ok(LedgerLine {
        height: row.height,
        programme: row.programme.clone(),
        reason,
        debit,
        credit,
        amount: fen(row.amount)?,
        claim: row.claim.map(|claim| ClaimId::new(jurisdiction, claim)),
        document: row
            .document
            .map(|id| format!("{prefix}_{}_{}", row.jurisdiction, id.simple())),
        posted_at: row.posted_at,
        actor: row.actor.clone(),
    })
}

fn heading(lang: Lang) -> Result<Vec<u8>, ServiceError> {
    let columns = match lang {
        Lang::Zh => [
            "序号",
            "过账时间",
            "辖区",
            "项目",
            "事由",
            "借方",
            "贷方",
            "金额（元）",
            "申请编号",
            "单据编号",
            "经办",
        ],
        Lang::En => [
            "height",
            "posted_at",
            "jurisdiction",
            "programme",
            "reason",
            "debit",
            "credit",
            "amount",
            "claim",
            "document",
            "actor",
        ],
    };
    let mut csv = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
    csv.write_record(columns).map_err(ServiceError::bug)?;
    csv.into_inner().map_err(ServiceError::bug)
}

fn write_rows(
    chunk: &mut Vec<u8>,
    rows: &[TransferRow],
    format: ExportFormat,
    lang: Lang,
) -> Result<(), ServiceError> {
    if format == ExportFormat::JsonLines {
        for row in rows {
            serde_json::to_writer(&mut *chunk, &json_line(row)?).map_err(ServiceError::bug)?;
            chunk.push(b'\n');
        }
        return Ok(());
    }
    let mut csv = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(&mut *chunk);
    for row in rows {
        let line = line(row)?;
        let (reason, debit, credit) = match lang {
            Lang::Zh => (
                line.reason.title_zh(),
                line.debit.title_zh(),
                line.credit.title_zh(),
            ),
            Lang::En => (line.reason.as_str(), line.debit.as_str(), line.credit.as_str()),
        };
        // Local time with its offset, so that a spreadsheet's reader needs no conversion.
        let posted_at = shanghai(line.posted_at)
            .format("%Y-%m-%dT%H:%M:%S%.6f+08:00")
            .to_string();
        let claim = line.claim.map(|claim| claim.to_string()).unwrap_or_default();
        csv.write_record([
            line.height.to_string().as_str(),
            &posted_at,
            &row.jurisdiction,
            &line.programme,
            reason,
            debit,
            credit,
            &line.amount.to_string(),
            &claim,
            line.document.as_deref().unwrap_or_default(),
            &line.actor,
        ])
        .map_err(ServiceError::bug)?;
    }
    csv.flush().map_err(ServiceError::bug)
}

fn json_line(row: &TransferRow) -> Result<serde_json::Value, ServiceError> {
    let line = line(row)?;
    Ok(serde_json::json!({
        "height": line.height,
        "posted_at": line.posted_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        "jurisdiction": row.jurisdiction,
        "programme": line.programme,
        "reason": line.reason.as_str(),
        "debit": line.debit.as_str(),
        "credit": line.credit.as_str(),
        "amount": line.amount.to_string(),
        "claim": line.claim.map(|claim| claim.to_string()),
        "document": line.document,
        "actor": line.actor,
    }))
}
