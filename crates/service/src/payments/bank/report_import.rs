//! Reading a bank's reports: what they say of payments of ours, in the words that results are recorded in.

use std::collections::BTreeSet;

use bank::{Group, GroupVerdict, Item, Verdict};
use claims::JurisdictionCode;
use claims::ids::{DisbursementId, PaymentId};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::settlement::Results;
use crate::operation::access::ManageFunds;
use crate::operation::{Permit, Refusal, ServiceError};
use crate::payments::Payments;
use crate::payments::disbursements::{PaymentResult, Said};

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

    /// `camt.054` if it says so where a document says what it is, otherwise `pain.002`, whose reader says what is wrong.
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
    /// Reads a bank's report on payments of a county, whatever disbursements they are of, and records what it says. Items that
    /// say nothing yet (accepted, pending) are left out of the answer.
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
        self.bounded(results.len())?;
        let format = report.format.as_str();
        self.op
            .transaction(|tx| self.results_in(tx, permit, jurisdiction, disbursement, format, &results))
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

    /// What a word on a whole file says of each payment in it that has no word of its own.
    async fn of_group(
        &self,
        jurisdiction: JurisdictionCode,
        group: &Group,
        named: &BTreeSet<Uuid>,
    ) -> Result<Vec<PaymentResult>, ServiceError> {
        let (GroupVerdict::Whole(verdict), Some(original)) = (&group.verdict, &group.original) else {
            return Ok(Vec::new());
        };
        let Some((said, code, booked_on)) = said(verdict) else {
            return Ok(Vec::new());
        };
        let unknown = |reference: &str| PaymentResult {
            payment: Err(shortened(reference)),
            said: said.clone(),
            amount: group.sum,
            code: code.clone(),
            booked_on,
            fingerprint: Some(group.fingerprint.as_bytes().to_vec()),
        };
        let Ok(file) = bank::FileId::parse(original.as_str()) else {
            return Ok(vec![unknown(original.as_str())]);
        };
        let disbursement = Uuid::from_u128(file.message.get());
        let mut conn = self.op.read().await?;
        let row = conn.disbursement(jurisdiction.as_str(), disbursement).await?;
        let per_file = row
            .and_then(|row| row.per_file)
            .and_then(|it| usize::try_from(it).ok());
        let Some(per_file) = per_file else {
            return Ok(vec![unknown(original.as_str())]);
        };
        let payments = conn
            .payments(jurisdiction.as_str(), disbursement, None, i64::MAX)
            .await?;
        let before = usize::from(file.part())
            .saturating_sub(1)
            .saturating_mul(per_file);
        let sent = payments
            .into_iter()
            .filter(|payment| payment.netted < payment.amount);
        let of_file = sent.skip(before).take(per_file);
        let unnamed = of_file.filter(|payment| !named.contains(&payment.id));
        Ok(unnamed
            .map(|payment| PaymentResult {
                payment: Ok(PaymentId::new(jurisdiction, payment.id)),
                said: said.clone(),
                amount: None,
                code: code.clone(),
                booked_on,
                fingerprint: None,
            })
            .collect())
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

fn of_item(jurisdiction: JurisdictionCode, item: &Item) -> Option<PaymentResult> {
    let (said, code, booked_on) = said(&item.verdict)?;
    let reference = item.end_to_end_id.as_ref().map_or("", |id| id.as_str());
    let payment = bank::EndToEndId::parse(reference)
        .map(|id| PaymentId::new(jurisdiction, Uuid::from_u128(id.get())))
        .map_err(|_| shortened(reference));
    Some(PaymentResult {
        payment,
        said,
        amount: item.amount,
        code,
        booked_on,
        fingerprint: Some(item.fingerprint.as_bytes().to_vec()),
    })
}

/// A verdict that is news. Of a failure our own title of its code is kept and not the bank's words, which may name people.
fn said(verdict: &Verdict) -> Option<(Said, Option<String>, Option<chrono::NaiveDate>)> {
    let title = |failure: &bank::Failure| failure.reason.title_zh().to_owned();
    let code = |failure: &bank::Failure| Some(failure.reason.code().to_owned());
    match verdict {
        Verdict::Accepted | Verdict::Pending => None,
        Verdict::Paid { booked, .. } => Some((Said::Paid, None, *booked)),
        Verdict::Failed(failure) => {
            let reason = title(failure);
            Some((Said::Failed { reason }, code(failure), None))
        }
        Verdict::Returned { failure, booked, .. } => {
            let reason = title(failure);
            Some((Said::Returned { reason }, code(failure), *booked))
        }
        Verdict::Unclear { .. } => Some((Said::Unclear, None, None)),
    }
}

/// A reference that is none of ours may be anything, an account even: what is kept of it tells two apart and no more.
fn shortened(reference: &str) -> String {
    let digest = hex::encode(Sha256::digest(reference));
    format!("#{}", digest.get(..16).unwrap_or_default())
}
