//! Reading a bank's reports: what they say of payments of ours, as the results that are recorded.

use std::collections::BTreeSet;

use bank::{Group, GroupVerdict, Item, Verdict};
use chrono::NaiveDate;
use claims::JurisdictionCode;
use claims::ids::{DisbursementId, PaymentId};
use claims::payments::{BankStatus, EntryFormat};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::matching::PaymentResult;
use super::settlement::Results;
use crate::operation::access::ManageFunds;
use crate::operation::{Permit, Refusal, ServiceError};
use crate::payments::Payments;

pub use bank::ReportFormat;

/// A bank's report as it came.
#[derive(Debug, Clone)]
pub struct BankReport {
    pub format: ReportFormat,
    pub bytes: Vec<u8>,
}

impl BankReport {
    /// The instruction's own table with its result columns filled in.
    pub fn table(bytes: Vec<u8>) -> Self {
        Self {
            format: ReportFormat::Csv,
            bytes,
        }
    }

    /// `camt.054` if it says so where a document says what it is, otherwise `pain.002`, whose
    /// reader says what is wrong.
    pub fn xml(bytes: Vec<u8>) -> Self {
        const HEAD: usize = 4_096;
        let head = bytes.get(..HEAD).unwrap_or(&bytes);
        let format = match String::from_utf8_lossy(head).contains("camt.054") {
            true => ReportFormat::Camt054,
            false => ReportFormat::Pain002,
        };
        Self { format, bytes }
    }
}

impl Payments {
    /// Reads a bank's report on payments of a county, whatever disbursements they are of, and
    /// records what it says. Items that say nothing yet (accepted, pending) are left out of the
    /// answer.
    pub async fn record_report(
        &self,
        permit: &Permit<ManageFunds>,
        jurisdiction: JurisdictionCode,
        disbursement: Option<DisbursementId>,
        report: BankReport,
    ) -> Result<Results, ServiceError> {
        permit.within(jurisdiction.as_str())?;
        let read = understood(&report)?;
        let (items, groups) = (read.items.iter(), read.groups.iter());
        let results = self.said_of(jurisdiction, items, groups).await?;
        self.record_all(
            permit,
            jurisdiction,
            disbursement,
            entry_format(report.format),
            &results,
        )
        .await
    }

    /// What items and groups of a report say of payments of a county.
    pub(in crate::payments) async fn said_of<'a>(
        &self,
        jurisdiction: JurisdictionCode,
        items: impl Iterator<Item = &'a Item>,
        groups: impl Iterator<Item = &'a Group>,
    ) -> Result<Vec<PaymentResult>, ServiceError> {
        let mut results: Vec<PaymentResult> = items.filter_map(|item| of_item(jurisdiction, item)).collect();
        for group in groups {
            let named = results.iter().filter_map(|result| result.payment.as_ref().ok());
            let named = named.map(|payment| payment.uuid).collect();
            results.extend(self.of_group(jurisdiction, group, &named).await?);
        }
        Ok(results)
    }

    /// What a status of a whole file says of each payment in it that has no status of its own.
    async fn of_group(
        &self,
        jurisdiction: JurisdictionCode,
        group: &Group,
        named: &BTreeSet<Uuid>,
    ) -> Result<Vec<PaymentResult>, ServiceError> {
        let (GroupVerdict::Whole(verdict), Some(original)) = (&group.verdict, &group.original) else {
            return Ok(Vec::new());
        };
        let Some(news) = News::of(verdict) else {
            return Ok(Vec::new());
        };
        let unknown = |reference: &str| PaymentResult {
            amount: group.sum,
            fingerprint: Some(group.fingerprint.as_bytes().to_vec()),
            ..news.about(Err(shortened(reference)))
        };
        let Ok(file) = bank::FileId::parse(original.as_str()) else {
            return Ok(vec![unknown(original.as_str())]);
        };
        let disbursement = DisbursementId::new(jurisdiction, Uuid::from_u128(file.message.get()));
        let mut conn = self.op.read().await?;
        let row = conn.disbursement(disbursement).await?;
        let per_file = row
            .and_then(|row| row.per_file)
            .and_then(|it| usize::try_from(it).ok());
        let Some(per_file) = per_file else {
            return Ok(vec![unknown(original.as_str())]);
        };
        let payments = conn.payments(disbursement, None, i64::MAX).await?;
        let before = usize::from(file.part())
            .saturating_sub(1)
            .saturating_mul(per_file);
        let sent = payments.into_iter().filter(|payment| !payment.sent().is_zero());
        let of_file = sent.skip(before).take(per_file);
        let unnamed = of_file.filter(|payment| !named.contains(&payment.id));
        Ok(unnamed.map(|payment| news.about(Ok(payment.id()))).collect())
    }
}

/// A report that is read whole, or where it cannot be.
pub(in crate::payments) fn understood(report: &BankReport) -> Result<bank::Report, Refusal> {
    bank::read(report.format, &report.bytes).map_err(|error| Refusal::ReportUnreadable {
        code: error.fault.code().to_owned(),
        line: error.place.line,
        column: error.place.column,
        zh: error.fault.message_zh(),
        en: error.fault.to_string(),
    })
}

/// In which form results came that a report says.
pub(in crate::payments) fn entry_format(format: ReportFormat) -> EntryFormat {
    match format {
        ReportFormat::Csv => EntryFormat::Csv,
        ReportFormat::Pain002 => EntryFormat::Pain002,
        ReportFormat::Camt054 => EntryFormat::Camt054,
    }
}

fn of_item(jurisdiction: JurisdictionCode, item: &Item) -> Option<PaymentResult> {
    let news = News::of(&item.verdict)?;
    let reference = item.end_to_end_id.as_ref().map_or("", |id| id.as_str());
    let payment = bank::EndToEndId::parse(reference)
        .map(|id| PaymentId::new(jurisdiction, Uuid::from_u128(id.get())))
        .map_err(|_| shortened(reference));
    Some(PaymentResult {
        amount: item.amount,
        fingerprint: Some(item.fingerprint.as_bytes().to_vec()),
        ..news.about(payment)
    })
}

/// A verdict that is news. Of a failure our own title of its code is kept and not the bank's text,
/// which may name people.
struct News {
    status: BankStatus,
    reason: Option<String>,
    code: Option<String>,
    booked_on: Option<NaiveDate>,
}

impl News {
    fn of(verdict: &Verdict) -> Option<Self> {
        let (status, failure, booked_on) = match verdict {
            Verdict::Accepted | Verdict::Pending => return None,
            Verdict::Paid { booked, .. } => (BankStatus::Paid, None, *booked),
            Verdict::Failed(failure) => (BankStatus::Failed, Some(failure), None),
            Verdict::Returned { failure, booked, .. } => (BankStatus::Returned, Some(failure), *booked),
            Verdict::Unclear { .. } => (BankStatus::Unclear, None, None),
        };
        Some(Self {
            status,
            reason: failure.map(|it| it.reason.title_zh().to_owned()),
            code: failure.map(|it| it.reason.code().to_owned()),
            booked_on,
        })
    }

    /// The same of a payment, without amount and fingerprint.
    fn about(&self, payment: Result<PaymentId, String>) -> PaymentResult {
        PaymentResult {
            payment,
            status: self.status,
            reason: self.reason.clone(),
            amount: None,
            code: self.code.clone(),
            booked_on: self.booked_on,
            fingerprint: None,
        }
    }
}

/// A reference that is none of ours may be anything, an account even: what is kept of it tells two
/// apart and no more.
fn shortened(reference: &str) -> String {
    let digest = hex::encode(Sha256::digest(reference));
    format!("#{}", digest.get(..16).unwrap_or_default())
}
