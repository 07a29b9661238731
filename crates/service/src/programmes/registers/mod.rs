//! Registers: loaded by the authority that keeps them, read one entry at a time.
//!
//! A load streams: memory is bounded by one line and one set of rows, whatever the length of the file. Each set is a
//! transaction of its own, because a register is a collection of independent facts and loading a file again changes nothing:
//! a load that breaks off half-way is mended by sending the file once more. A wrong line is refused by itself, with what is
//! wrong in each column and never with the value. Personal columns are hashed before they are kept.

mod csv;
mod line;
mod lines;
mod ndjson;
pub(crate) mod rows;
#[cfg(test)]
mod tests;

use std::pin::pin;

use bytes::Bytes;
use claims::identifiers::{CertificateNumber, CreditCode, EfficiencyRecord, EntitlementCode};
use claims::registers::{ColumnError, ColumnFault, Register, RegisterRow};
use claims::text::model_key;
use futures::{Stream, StreamExt};
use policy::Lang;
use serde_json::{Value, json};
use store::programmes::registers::{FiledPriceRow, RegisterKeys};

use crate::operation::access::KeepRegisters;
use crate::operation::{FieldError, Op, Permit, Refusal, ServiceError};
use crate::programmes::Programmes;
use line::Line;
use lines::Lines;
use rows::Rows;

/// How a register's file is written. Both are UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegisterFormat {
    /// With a header of column names, in any order.
    Csv,
    /// One JSON object a line; values are text or whole numbers.
    Ndjson,
}

/// The longest line, in bytes.
pub const MAX_LINE: usize = 64 * 1024;
/// Refused lines that a report tells of; beyond it they are only counted.
pub const MAX_LINE_ERRORS: usize = 1_000;
/// Errors told of one line.
const MAX_ERRORS_A_LINE: usize = 20;
/// Rows in one transaction.
const SET: usize = 1_000;
/// Filed prices shown of one model.
const HISTORY: i64 = 200;

/// What became of a load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadReport {
    pub register: Register,
    /// Lines read, without the header and blank ones.
    pub lines: u64,
    pub accepted: u64,
    pub refused: u64,
    /// The first [`MAX_LINE_ERRORS`] refused lines.
    pub errors: Vec<LineError>,
    pub errors_truncated: bool,
}

/// A refused line, by the number of the line in the file on which it begins, from 1; a CSV header is line 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineError {
    pub line: u64,
    pub errors: Vec<FieldError>,
}

impl Programmes {
    /// Files every good line of a register's file in place of what was on file under its key, and reports the others. Of two
    /// lines with one key the later counts. The whole file is refused, and nothing changed, only if its header is wrong.
    pub async fn load_register<S, E>(
        &self,
        permit: &Permit<KeepRegisters>,
        register: Register,
        format: RegisterFormat,
        body: S,
    ) -> Result<LoadReport, ServiceError>
    where
        S: Stream<Item = Result<Bytes, E>>,
    {
        let mut load = Load::new(self, permit, register);
        let mut lines = Lines::new(register, format);
        let mut body = pin!(body);
        while let Some(bytes) = body.next().await {
            let bytes = bytes.map_err(|_| broken_off())?;
            let mut rest: &[u8] = &bytes;
            while let Some(line) = lines.next(&mut rest).map_err(Refusal::Invalid)? {
                load.take(line).await?;
            }
        }
        while let Some(line) = lines.finish().map_err(Refusal::Invalid)? {
            load.take(line).await?;
        }
        load.finish().await
    }

    /// An entry by its key, as JSON of the register's columns; personal columns say `on file`. A filed price is asked for by
    /// `<merchant>:<model>` or `<merchant>/<model>`, and answered with the prices filed so far, the newest first.
    pub async fn register_entry(
        &self,
        _permit: &Permit<KeepRegisters>,
        register: Register,
        key: &str,
    ) -> Result<Value, ServiceError> {
        let unknown = Refusal::NotFound("register entry");
        if register == Register::FiledPrices {
            let (merchant, model) = key.split_once([':', '/']).ok_or(unknown.clone())?;
            return self.price_history(merchant, model).await;
        }
        let keys = keys_of(register, key).ok_or(unknown.clone())?;
        let found = self.op.read().await?.registers(&keys).await?;
        Ok(rows::shown(found).ok_or(unknown)?)
    }

    async fn price_history(&self, merchant: &str, model: &str) -> Result<Value, ServiceError> {
        let unknown = Refusal::NotFound("register entry");
        let merchant = CreditCode::parse(merchant).map_err(|_| unknown.clone())?;
        let model = stored_model(model).ok_or(unknown.clone())?;
        let mut conn = self.op.read().await?;
        let prices = conn
            .filed_price_history(merchant.as_str(), &model, HISTORY)
            .await?;
        if prices.is_empty() {
            return Err(unknown.into());
        }
        let price = |row: FiledPriceRow| {
            let price = ledger::Fen::new(row.price)?;
            Ok(json!({"price": price.to_string(), "filed_on": row.filed_on}))
        };
        let prices = prices
            .into_iter()
            .map(price)
            .collect::<Result<Vec<_>, ServiceError>>()?;
        Ok(json!({"merchant": merchant.as_str(), "model": model, "prices": prices}))
    }
}

/// A load under way.
struct Load<'a> {
    programmes: &'a Programmes,
    permit: &'a Permit<KeepRegisters>,
    /// The event is written with the first set, so that no change is without it.
    is_recorded: bool,
    rows: Rows,
    report: LoadReport,
}

impl<'a> Load<'a> {
    fn new(programmes: &'a Programmes, permit: &'a Permit<KeepRegisters>, register: Register) -> Self {
        Self {
            permit,
            is_recorded: false,
            programmes,
            rows: Rows::default(),
            report: LoadReport {
                register,
                lines: 0,
                accepted: 0,
                refused: 0,
                errors: Vec::new(),
                errors_truncated: false,
            },
        }
    }

    async fn take(&mut self, line: Line) -> Result<(), ServiceError> {
        self.report.lines = self.report.lines.saturating_add(1);
        let row = line.columns.and_then(|columns| {
            let row = RegisterRow::parse(self.report.register, &columns).map_err(field_errors)?;
            let entry = row.into_entry(|domain, text| self.programmes.vault.digest(domain, text));
            self.rows.push(entry).map_err(|error| vec![error])
        });
        if let Err(errors) = row {
            self.refuse(line.number, errors);
        }
        if self.rows.len() >= SET {
            self.save().await?;
        }
        Ok(())
    }

    fn refuse(&mut self, line: u64, mut errors: Vec<FieldError>) {
        self.report.refused = self.report.refused.saturating_add(1);
        if self.report.errors.len() < MAX_LINE_ERRORS {
            errors.truncate(MAX_ERRORS_A_LINE);
            self.report.errors.push(LineError { line, errors });
        } else {
            self.report.errors_truncated = true;
        }
    }

    async fn save(&mut self) -> Result<(), ServiceError> {
        let rows = std::mem::take(&mut self.rows);
        let (rows, is_recorded) = (&rows, self.is_recorded);
        let city = self.programmes.catalogue.city()?;
        let unit = async |mut op: Op<'_>| {
            rows.clone().save(&mut op.tx).await?;
            if is_recorded {
                return Ok(op.unrecorded(()));
            }
            let subject = format!("register:{}", self.report.register);
            let event = op.event(&city, &subject, "load_register");
            let recorded = op.record_inside(&[event]).await?;
            Ok(op.done(recorded, ()))
        };
        self.programmes.op.of(self.permit).everywhere().run(unit).await?;
        self.is_recorded = true;
        let saved = u64::try_from(rows.len())?;
        self.report.accepted = self.report.accepted.saturating_add(saved);
        Ok(())
    }

    async fn finish(mut self) -> Result<LoadReport, ServiceError> {
        if !self.is_recorded || self.rows.len() > 0 {
            self.save().await?;
        }
        let LoadReport {
            register,
            lines,
            accepted,
            refused,
            ..
        } = &self.report;
        tracing::info!(%register, lines, accepted, refused, "register loaded");
        Ok(self.report)
    }
}

/// The key as the register spells it; `None` if it cannot be one of its keys.
fn keys_of(register: Register, key: &str) -> Option<RegisterKeys> {
    let firm = || {
        CreditCode::parse(key)
            .ok()
            .map(|code| vec![code.as_str().to_owned()])
    };
    let mut keys = RegisterKeys::default();
    match register {
        Register::EfficiencyLabels => {
            keys.efficiency_labels = vec![EfficiencyRecord::parse(key).ok()?.as_str().to_owned()];
        }
        Register::ScrapCertificates => {
            keys.scrap_certificates = vec![CertificateNumber::parse(key).ok()?.as_str().to_owned()];
        }
        Register::VehicleModels => keys.vehicle_models = vec![stored_model(key)?],
        Register::FiledPrices => return None,
        Register::Entitlements => {
            keys.entitlements = vec![EntitlementCode::parse(key).ok()?.as_str().to_owned()];
        }
        Register::Merchants => keys.merchants = firm()?,
        Register::Dismantlers => keys.dismantlers = firm()?,
        Register::Collectors => keys.collectors = firm()?,
    }
    Some(keys)
}

/// A model as the registers spell it; `None` for what PostgreSQL cannot hold as text, and no register holds.
pub(crate) fn stored_model(text: &str) -> Option<String> {
    (!text.contains('\0'))
        .then(|| model_key(text))
        .filter(|model| !model.is_empty())
}

fn field_errors(errors: Vec<ColumnError>) -> Vec<FieldError> {
    let field = |error: ColumnError| match error.fault {
        ColumnFault::Unknown => line::unknown_column(&error.column),
        _ => FieldError::new(
            format!("/{}", error.column),
            error.code(),
            error.message(Lang::Zh),
            error.message(Lang::En),
        ),
    };
    errors.into_iter().map(field).collect()
}

fn broken_off() -> Refusal {
    Refusal::field(
        "",
        "body.broken-off",
        "传输中断：此前各行可能已入库；请重新发送整个文件，重复的行不会产生影响",
        "the body broke off; lines before that may be on file: send the whole file again, lines sent twice do no harm",
    )
}
