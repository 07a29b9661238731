//! Who looked at personal data (查看留痕): claims that were revealed or exported in clear, and instructions to the bank, with the accounts
//! of payees, that were handed out. Each stands on record since the moment it was asked for.

use chrono::{DateTime, NaiveDate, Utc};
use store::operation::{EventRow, ReadsFilter};
use uuid::Uuid;

use super::Identity;
use crate::operation::access::ReadTrail;
use crate::operation::{Page, Permit, Refusal, ServiceError, paging};
use timing::shanghai;

/// Which looks; dates are days in Asia/Shanghai, both included.
#[derive(Debug, Clone, Default)]
pub struct ReadsQuery {
    pub person: Option<String>,
    /// The claim or disbursement that was looked at.
    pub subject: Option<String>,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
}

/// Somebody looked at personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalRead {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub person: String,
    /// The credential.
    pub actor: String,
    /// `reveal`, `hand_out_instruction` or `export_claims`.
    pub verb: String,
    pub subject: String,
    /// Of the subject, as it was seen.
    pub revision: Option<i32>,
    /// Why; of an instruction the name of the file.
    pub reason: Option<String>,
    pub request: Option<String>,
}

impl Identity {
    /// Looks at a county's personal data, newest first.
    pub async fn personal_reads(
        &self,
        permit: &Permit<ReadTrail>,
        jurisdiction: &str,
        query: &ReadsQuery,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<PersonalRead>, ServiceError> {
        let county = self.catalogue.current().county(jurisdiction).is_some();
        if !county {
            return Err(Refusal::NotFound("ledger").into());
        }
        permit.within(jurisdiction)?;
        let filter = ReadsFilter {
            jurisdiction: jurisdiction.to_owned(),
            person: query.person.clone(),
            subject: query.subject.clone(),
            from: query.from.map(shanghai::midnight),
            until: query.to.and_then(|day| day.succ_opt()).map(shanghai::midnight),
            before: paging::read(cursor)?,
        };
        let mut conn = self.op.read().await?;
        let rows = conn.reads(&filter, paging::fetch(limit)).await?;
        paging::page(rows, limit, |row| row.id)?.try_map(|row| Ok(read(row)))
    }
}

fn read(row: EventRow) -> PersonalRead {
    PersonalRead {
        id: row.id,
        at: row.at,
        person: row.person,
        actor: row.actor,
        verb: row.verb,
        subject: row.subject,
        revision: row.revision,
        reason: row.reason,
        request: row.request,
    }
}
