//! The bank's reports, where they are fetched from it: recorded as if a person had brought them, by any number of workers.
//!
//! One worker at a time asks a bank, by the lease in its row. Each report is recorded in one transaction (several, if it says more than
//! one takes), together with the note that it came and, behind the last of a page, the place where the next page begins; only then is it
//! acknowledged. Whatever breaks off comes again, and a repeat changes nothing: a report is known by its name and bytes, a word in it by its
//! fingerprint.
//!
//! A bank's file names payments without their counties, so these are looked up. A word on no payment of ours is an exception of the county
//! that the rest of the report is about, or of the city.
//!
//! A report that cannot be read is set aside, visibly, and those behind it go on. One that is read and cannot be recorded is a bug; it stops
//! the reading, with a log line at every try, because what it says about money must not be passed over.

use std::collections::{BTreeMap, HashMap};

use bank::{EndToEndId, FileId, Item};
use chrono::{DateTime, Duration, Utc};
use claims::JurisdictionCode;
use store::payments::submissions::{BankReportRow, StreamRow};
use store::{Done, Tx};
use timing::Backoff;
use uuid::Uuid;

use super::report_import::{BankReport, understood};
use crate::catalogue::JurisdictionKind;
use crate::claims::transition::Mover;
use crate::operation::access::ReadFunds;
use crate::operation::convert::code;
use crate::operation::time::{later, requested_pause};
use crate::operation::{Actor, Page, Permit, Refusal, ServiceError, paging};
use crate::payments::Payments;
use crate::payments::disbursements::PaymentResult;
use crate::ports::{Bank, BankError, BankFile};

/// Longer than a page of reports may take: five calls of `partners::Timeouts`.
const LEASE: Duration = Duration::minutes(30);
/// Pages that one round reads: more wait for the next.
const ROUND: usize = 16;

/// What one round heard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hearing {
    pub recorded: usize,
    pub unreadable: usize,
    /// Words of them that wait for a person.
    pub exceptions: usize,
}

/// A report that was fetched from the bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeardReport {
    pub name: String,
    /// Hex.
    pub sha256: String,
    pub bytes: i32,
    /// recorded or unreadable.
    pub status: String,
    /// What it said of payments, and how much of it waits for a person.
    pub results: i32,
    pub exceptions: i32,
    /// Why it cannot be read, with line and column.
    pub fault: Option<(String, i64, i64)>,
    pub received_at: DateTime<Utc>,
}

/// What a report says, by county, no more of it together than one transaction takes.
type Unit = Vec<(JurisdictionCode, Vec<PaymentResult>)>;

/// What is written down behind a report.
struct Note<'a> {
    row: BankReportRow,
    stream: &'a StreamRow,
    /// Behind the last report of a page: where the next begins.
    next: Option<Option<&'a str>>,
}

impl Payments {
    /// Asks a bank for its reports if it is time to, and records what it says. `name` stands for the bank, and its cursor, for good.
    pub async fn hear_from_bank(
        &self,
        bank: &dyn Bank,
        name: &str,
        every: Duration,
    ) -> Result<Hearing, ServiceError> {
        let mut heard = Hearing::default();
        for _ in 0..ROUND {
            let Some(stream) = self.op.transaction(|tx| self.take_stream(tx, name)).await? else {
                break;
            };
            let page = match bank.results(stream.cursor.as_deref()).await {
                Ok(page) => page,
                Err(error) => {
                    metrics::counter!("huanxin_bank_reports_total", "outcome" => "not_heard").increment(1);
                    tracing::warn!(%error, failures = stream.failures.saturating_add(1), "bank reports could not be fetched");
                    self.delay_stream(&stream, every, wish(&error)).await?;
                    break;
                }
            };
            let ended = page.files.is_empty() && (page.next.is_none() || page.next == stream.cursor);
            let next = page.next.as_deref();
            for (place, file) in page.files.iter().enumerate() {
                let last = place.saturating_add(1) == page.files.len();
                if let Err(error) = self.hear(&stream, file, last.then_some(next), &mut heard).await {
                    self.delay_stream(&stream, every, None).await?;
                    return Err(error);
                }
                if let Err(error) = bank.acknowledge(file.name(), file.sha256()).await {
                    // It comes again and is known then.
                    tracing::warn!(%error, "a report was not acknowledged");
                }
            }
            if page.files.is_empty() {
                let now = self.op.now();
                let due_at = if ended { later(now, every) } else { now };
                self.op
                    .transaction(async |mut tx| {
                        tx.advance_bank_stream(&stream, next, (now, due_at)).await?;
                        Ok(tx.done(()))
                    })
                    .await?;
            }
            if ended {
                break;
            }
        }
        Ok(heard)
    }

    async fn take_stream(&self, mut tx: Tx, name: &str) -> Result<Done<Option<StreamRow>>, ServiceError> {
        let now = self.op.now();
        tx.open_bank_stream(name, now).await?;
        let stream = tx.lease_bank_stream(name, now, later(now, LEASE)).await?;
        Ok(tx.done(stream))
    }

    async fn delay_stream(
        &self,
        stream: &StreamRow,
        every: Duration,
        wish: Option<std::time::Duration>,
    ) -> Result<(), ServiceError> {
        let failures = stream.failures.saturating_add(1);
        let longest = std::time::Duration::from_hours(1);
        let first = every.to_std().unwrap_or(longest).saturating_mul(2);
        let pause = Backoff::doubling(first, longest).pause(u32::try_from(failures).unwrap_or(1), 0);
        let pause = Duration::from_std(pause.unwrap_or(longest)).unwrap_or(every);
        let pause = pause.max(requested_pause(wish));
        let due_at = later(self.op.now(), pause);
        self.op
            .transaction(async |mut tx| {
                tx.delay_bank_stream(&stream.bank, failures, due_at).await?;
                Ok(tx.done(()))
            })
            .await
    }

    async fn hear(
        &self,
        stream: &StreamRow,
        file: &BankFile,
        next: Option<Option<&str>>,
        heard: &mut Hearing,
    ) -> Result<(), ServiceError> {
        let now = self.op.now();
        let mut note = Note {
            row: BankReportRow {
                bank: stream.bank.clone(),
                name: file.name().as_str().to_owned(),
                sha256: file.sha256().to_vec(),
                id: self.op.id(now),
                bytes: i32::try_from(file.bytes().len()).unwrap_or(i32::MAX),
                status: "recorded".into(),
                results: 0,
                exceptions: 0,
                fault: None,
                fault_line: None,
                fault_column: None,
                received_at: now,
            },
            stream,
            next,
        };
        let mut conn = self.op.read().await?;
        let known = conn
            .knows_bank_report(&note.row.bank, &note.row.name, &note.row.sha256)
            .await?;
        drop(conn);
        let report = as_report(file);
        let format = report.format.as_str();
        let units = match understood(&report) {
            _ if known => Vec::new(),
            Ok(read) => self.by_county(&read).await?,
            Err(Refusal::ReportUnreadable {
                code, line, column, ..
            }) => {
                let place = |number: u64| Some(i64::try_from(number).unwrap_or(i64::MAX));
                note.row.status = "unreadable".into();
                (note.row.fault_line, note.row.fault_column) = (place(line), place(column));
                note.row.fault = Some(code);
                Vec::new()
            }
            Err(other) => return Err(other.into()),
        };
        for (place, unit) in units.iter().enumerate() {
            if place.saturating_add(1) < units.len() {
                let told = self
                    .op
                    .transaction(|tx| self.record_unit(tx, unit, format, None))
                    .await
                    .inspect_err(|error| failed(error, &note.row.name))?;
                note.add(told);
            }
        }
        let (empty, done) = (Unit::new(), note.row.clone());
        let last = units.last().unwrap_or(&empty);
        let told = self
            .op
            .transaction(|tx| self.record_unit(tx, last, format, Some(&note)))
            .await
            .inspect_err(|error| failed(error, &done.name))?;
        if known {
            return Ok(());
        }
        note.add(told);
        metrics::counter!("huanxin_bank_reports_total", "outcome" => note.row.status.clone()).increment(1);
        if note.row.status == "unreadable" {
            heard.unreadable = heard.unreadable.saturating_add(1);
            tracing::warn!(
                report = note.row.name,
                fault = note.row.fault,
                line = note.row.fault_line,
                "a report of the bank was set aside"
            );
        } else {
            heard.recorded = heard.recorded.saturating_add(1);
            heard.exceptions = heard.exceptions.saturating_add(count(note.row.exceptions));
        }
        Ok(())
    }

    /// Records a unit and, behind a report's last, the note that it came.
    async fn record_unit(
        &self,
        mut tx: Tx,
        unit: &Unit,
        format: &str,
        note: Option<&Note<'_>>,
    ) -> Result<Done<(i32, i32)>, ServiceError> {
        let (bank, now) = (Actor::bank(), self.op.now());
        let mover = Mover { actor: &bank, now };
        let (mut results, mut exceptions) = (0_i32, 0_i32);
        // In the order of the counties, as locks are taken.
        for (county, said) in unit {
            for answer in self
                .results_on(&mut tx, mover, (*county, None), format, said)
                .await?
            {
                results = results.saturating_add(1);
                exceptions = exceptions.saturating_add(i32::from(answer.is_err()));
            }
        }
        if let Some(note) = note {
            let mut row = note.row.clone();
            row.results = row.results.saturating_add(results);
            row.exceptions = row.exceptions.saturating_add(exceptions);
            tx.add_bank_report(&row).await?;
            if let Some(next) = note.next {
                tx.advance_bank_stream(note.stream, next, (now, now)).await?;
            }
        }
        Ok(tx.done((results, exceptions)))
    }

    /// What a report says, by county.
    async fn by_county(&self, read: &bank::Report) -> Result<Vec<Unit>, ServiceError> {
        let catalogue = self.catalogue.current();
        let counties = catalogue
            .jurisdictions()
            .map(|it| it.code.clone())
            .collect::<Vec<_>>();
        let payment = |item: &Item| {
            let id = item.end_to_end_id.as_ref()?;
            Some(Uuid::from_u128(EndToEndId::parse(id.as_str()).ok()?.get()))
        };
        let file = |group: &bank::Group| {
            let id = FileId::parse(group.original.as_ref()?.as_str()).ok()?;
            Some(Uuid::from_u128(id.message.get()))
        };
        let payments = read.items.iter().filter_map(payment).collect::<Vec<_>>();
        let files = read.groups.iter().filter_map(file).collect::<Vec<_>>();
        let mut conn = self.op.read().await?;
        let mut found = HashMap::<Uuid, JurisdictionCode>::new();
        for ids in payments.chunks(crate::operation::MAX_BATCH) {
            for (county, id) in conn.counties_of_payments(&counties, ids).await? {
                found.insert(id, code(&county)?);
            }
        }
        for (county, id) in conn.counties_of_disbursements(&counties, &files).await? {
            found.insert(id, code(&county)?);
        }
        drop(conn);
        let city = catalogue
            .jurisdictions()
            .find(|it| it.kind == JurisdictionKind::City)
            .ok_or_else(|| ServiceError::bug("there is no city"))?;
        let rest = match found.values().min() {
            Some(county) => *county,
            None => code(&city.code)?,
        };
        let of = |id: Option<Uuid>| id.and_then(|id| found.get(&id)).copied().unwrap_or(rest);
        let mut by_county = BTreeMap::<JurisdictionCode, (Vec<&Item>, Vec<&bank::Group>)>::new();
        for item in &read.items {
            by_county.entry(of(payment(item))).or_default().0.push(item);
        }
        for group in &read.groups {
            by_county.entry(of(file(group))).or_default().1.push(group);
        }
        let (mut units, mut room) = (vec![Unit::new()], self.settings.disbursement_limit);
        for (county, (items, groups)) in by_county {
            let said = self
                .said_of(county, items.into_iter(), groups.into_iter())
                .await?;
            for some in said.chunks(self.settings.disbursement_limit.max(1)) {
                if some.len() > room {
                    units.push(Unit::new());
                    room = self.settings.disbursement_limit;
                }
                room = room.saturating_sub(some.len());
                if let Some(unit) = units.last_mut() {
                    unit.push((county, some.to_vec()));
                }
            }
        }
        Ok(units)
    }

    /// Reports that were fetched from the bank, newest first; only those that could not be read, if asked for.
    pub async fn heard_reports(
        &self,
        _: &Permit<ReadFunds>,
        unreadable: bool,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<HeardReport>, ServiceError> {
        let before = paging::read(cursor)?;
        let mut conn = self.op.read().await?;
        let rows = conn
            .bank_reports(unreadable, before, paging::fetch(limit))
            .await?;
        paging::page(rows, limit, |row| row.id)?.try_map(|row| Ok(shown(row)))
    }

    /// When each bank was last heard, for the metrics.
    pub async fn bank_streams(&self) -> Result<Vec<StreamRow>, ServiceError> {
        Ok(self.op.read().await?.bank_streams().await?)
    }
}

/// How long the bank asked to be left alone.
fn wish(error: &BankError) -> Option<std::time::Duration> {
    match error {
        BankError::Refused { .. } => None,
        BankError::Unknown { retry_after, .. } | BankError::Unavailable { retry_after, .. } => *retry_after,
    }
}

impl Note<'_> {
    fn add(&mut self, (results, exceptions): (i32, i32)) {
        self.row.results = self.row.results.saturating_add(results);
        self.row.exceptions = self.row.exceptions.saturating_add(exceptions);
    }
}

fn failed(error: &ServiceError, report: &str) {
    metrics::counter!("huanxin_bank_reports_total", "outcome" => "not_recorded").increment(1);
    tracing::error!(%error, report, "a report of the bank could not be recorded; those behind it wait");
}

/// By its media type, or by its name where the bank is a folder.
fn as_report(file: &BankFile) -> BankReport {
    let bytes = file.bytes().to_vec();
    let table = file.media_type().starts_with("text/csv")
        || file.name().as_str().to_ascii_lowercase().ends_with(".csv");
    if table {
        BankReport::table(bytes)
    } else {
        BankReport::xml(bytes)
    }
}

fn count(number: i32) -> usize {
    usize::try_from(number).unwrap_or_default()
}

fn shown(row: BankReportRow) -> HeardReport {
    let place = |number: Option<i64>| number.unwrap_or_default();
    let (line, column) = (place(row.fault_line), place(row.fault_column));
    HeardReport {
        sha256: hex::encode(&row.sha256),
        name: row.name,
        bytes: row.bytes,
        status: row.status,
        results: row.results,
        exceptions: row.exceptions,
        fault: row.fault.map(|fault| (fault, line, column)),
        received_at: row.received_at,
    }
}
