//! Files on their way to the bank, and its reports: where their reading stands, and which came.

use chrono::{DateTime, Utc};
use claims::payments::{ReportStatus, SubmissionProblem, SubmissionStatus};
use claims::{DisbursementId, JurisdictionCode};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Bytea, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::batch::{Bind, Sql, batch_insert, keyed_row};
use crate::columns::{County, Value, Word};
use crate::schema::{bank_reports, bank_streams, bank_submissions};
use crate::{Conn, StoreError, Tx};

keyed_row! {
    /// A file of a released disbursement for the bank. `version` counts its names. `in_doubt`: the
    /// bank may have it. `sealed` holds the packed bytes while they may be needed again.
    #[derive(Queryable, Selectable, QueryableByName)]
    #[diesel(table_name = bank_submissions, check_for_backend(diesel::pg::Pg))]
    pub struct SubmissionRow in "bank_submissions"
        by (
            jurisdiction: JurisdictionCode => County,
            disbursement: Uuid => SqlUuid,
            part: i32 => Integer,
            version: i32 => Integer
        )
    {
        name: String => Text,
        format: String => Text,
        status: SubmissionStatus => Word,
        attempts: i32 => Integer,
        in_doubt: bool => Bool,
        problem: Option<SubmissionProblem> => Nullable<Word>,
        why: Option<String> => Nullable<Text>,
        due_at: DateTime<Utc> => Timestamptz,
        queued_at: DateTime<Utc> => Timestamptz,
        submitted_at: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        closed_at: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        sha256: Option<Vec<u8>> => Nullable<Bytea>,
        key_id: Option<String> => Nullable<Text>,
        sealed: Option<Vec<u8>> => Nullable<Bytea>,
        reference: Option<String> => Nullable<Text>,
        resolver: Option<String> => Nullable<Text>,
        resolution: Option<String> => Nullable<Text>,
    }
}

impl SubmissionRow {
    pub fn disbursement(&self) -> DisbursementId {
        DisbursementId::new(self.jurisdiction, self.disbursement)
    }
}

/// Where the reading of a bank's reports stands; `due_at` is when it is asked next.
/// Primary key: `bank`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, QueryableByName)]
#[diesel(table_name = bank_streams, check_for_backend(diesel::pg::Pg))]
pub struct StreamRow {
    pub bank: String,
    pub cursor: Option<String>,
    pub due_at: DateTime<Utc>,
    pub heard_at: Option<DateTime<Utc>>,
    pub failures: i32,
}

batch_insert! {
    /// A report that a bank handed out. What is unreadable has a `fault` and its place.
    /// Primary key: `bank`, `name`, `sha256`.
    #[derive(Queryable, Selectable)]
    #[diesel(table_name = bank_reports, check_for_backend(diesel::pg::Pg))]
    pub struct BankReportRow in "bank_reports" {
        bank: String => Text,
        name: String => Text,
        sha256: Vec<u8> => Bytea,
        id: Uuid => SqlUuid,
        bytes: i32 => Integer,
        status: ReportStatus => Word,
        results: i32 => Integer,
        exceptions: i32 => Integer,
        fault: Option<String> => Nullable<Text>,
        fault_line: Option<i64> => Nullable<BigInt>,
        fault_column: Option<i64> => Nullable<BigInt>,
        received_at: DateTime<Utc> => Timestamptz,
    }
    on conflict " ON CONFLICT DO NOTHING"
}

/// How many files wait for the bank, how many of these the bank may have already, and how many
/// refused ones are not resolved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, QueryableByName)]
pub struct SubmissionTally {
    #[diesel(sql_type = BigInt)]
    pub queued: i64,
    #[diesel(sql_type = BigInt)]
    pub in_doubt: i64,
    #[diesel(sql_type = BigInt)]
    pub refused: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub oldest: Option<DateTime<Utc>>,
}

impl Conn {
    /// A disbursement's files for the bank, by part and version.
    pub async fn submissions(
        &mut self,
        disbursement: DisbursementId,
        after: Option<(i32, i32)>,
        limit: i64,
    ) -> Result<Vec<SubmissionRow>, StoreError> {
        let (part, version) = after.unwrap_or_default();
        Ok(Sql(
            "SELECT * FROM bank_submissions WHERE jurisdiction = $1 AND disbursement = $2 \
             AND (part, version) > ($3, $4) ORDER BY part, version LIMIT $5",
        )
        .bind::<County, _>(disbursement.jurisdiction)
        .bind::<SqlUuid, _>(disbursement.uuid)
        .bind::<Integer, _>(part)
        .bind::<Integer, _>(version)
        .bind::<BigInt, _>(limit)
        .load(self.pg())
        .await?)
    }

    /// What stands open between us and the bank, for the metrics.
    pub async fn submission_tally(&mut self) -> Result<SubmissionTally, StoreError> {
        Ok(Sql("SELECT q.queued, q.in_doubt, q.oldest, r.refused FROM \
             (SELECT count(*) AS queued, count(*) FILTER (WHERE in_doubt) AS in_doubt, min(queued_at) AS oldest \
             FROM bank_submissions WHERE status = 'queued') AS q, \
             (SELECT count(*) AS refused FROM bank_submissions WHERE status = 'refused') AS r")
        .get_result(self.pg())
        .await?)
    }

    /// When each bank last answered.
    pub async fn bank_streams(&mut self) -> Result<Vec<StreamRow>, StoreError> {
        Ok(bank_streams::table
            .order(bank_streams::bank)
            .select(StreamRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// Reports that came, newest first; only those that could not be read, if asked for.
    pub async fn bank_reports(
        &mut self,
        unreadable: bool,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<BankReportRow>, StoreError> {
        let mut query = bank_reports::table
            .filter(bank_reports::id.lt(before.unwrap_or(Uuid::max())))
            .order(bank_reports::id.desc())
            .limit(limit)
            .select(BankReportRow::as_select())
            .into_boxed();
        if unreadable {
            query = query.filter(bank_reports::status.eq(Value(ReportStatus::Unreadable)));
        }
        Ok(query.load(self.pg()).await?)
    }

    /// Whether a report with this name and these bytes came before.
    pub async fn knows_bank_report(
        &mut self,
        bank: &str,
        name: &str,
        sha256: &[u8],
    ) -> Result<bool, StoreError> {
        Ok(diesel::select(diesel::dsl::exists(bank_reports::table.find((
            bank,
            name,
            sha256.to_vec(),
        ))))
        .get_result(self.pg())
        .await?)
    }

    /// The counties of these payments: a bank's files name payments without their counties.
    pub async fn counties_of_payments(
        &mut self,
        counties: &[String],
        ids: &[Uuid],
    ) -> Result<Vec<(JurisdictionCode, Uuid)>, StoreError> {
        Ok(Sql(
            "SELECT p.jurisdiction, p.id FROM UNNEST($1) AS c (jurisdiction) CROSS JOIN UNNEST($2) AS u (id) \
             JOIN payments p ON p.jurisdiction = c.jurisdiction AND p.id = u.id",
        )
        .bind::<Array<Text>, _>(counties.to_vec())
        .bind::<Array<SqlUuid>, _>(ids.to_vec())
        .load::<Place>(self.pg())
        .await?
        .into_iter()
        .map(Place::pair)
        .collect())
    }

    /// The same of disbursements.
    pub async fn counties_of_disbursements(
        &mut self,
        counties: &[String],
        ids: &[Uuid],
    ) -> Result<Vec<(JurisdictionCode, Uuid)>, StoreError> {
        Ok(Sql(
            "SELECT d.jurisdiction, d.id FROM UNNEST($1) AS c (jurisdiction) CROSS JOIN UNNEST($2) AS u (id) \
             JOIN disbursements d ON d.jurisdiction = c.jurisdiction AND d.id = u.id",
        )
        .bind::<Array<Text>, _>(counties.to_vec())
        .bind::<Array<SqlUuid>, _>(ids.to_vec())
        .load::<Place>(self.pg())
        .await?
        .into_iter()
        .map(Place::pair)
        .collect())
    }

    /// Some files that are sealed under another key than this one.
    pub async fn submissions_not_under(
        &mut self,
        key_id: &str,
        limit: i64,
    ) -> Result<Vec<SubmissionRow>, StoreError> {
        Ok(Sql("SELECT * FROM bank_submissions WHERE status = 'queued' AND key_id <> $1 ORDER BY due_at LIMIT $2")
            .bind::<Text, _>(key_id.to_owned())
            .bind::<BigInt, _>(limit)
            .load(self.pg())
            .await?)
    }
}

#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = County)]
    jurisdiction: JurisdictionCode,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

impl Place {
    fn pair(self) -> (JurisdictionCode, Uuid) {
        (self.jurisdiction, self.id)
    }
}

impl Tx {
    /// The file that has been due for longest, locked; those another worker holds are passed over.
    pub async fn due_submission(&mut self, now: DateTime<Utc>) -> Result<Option<SubmissionRow>, StoreError> {
        Ok(Sql(
            "SELECT * FROM bank_submissions WHERE status = 'queued' AND due_at <= $1 \
             ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED",
        )
        .bind::<Timestamptz, _>(now)
        .get_result(self.pg())
        .await
        .optional()?)
    }

    /// The newest version of a part, locked.
    pub async fn lock_submission(
        &mut self,
        disbursement: DisbursementId,
        part: i32,
    ) -> Result<Option<SubmissionRow>, StoreError> {
        Ok(bank_submissions::table
            .filter(bank_submissions::jurisdiction.eq(Value(disbursement.jurisdiction)))
            .filter(bank_submissions::disbursement.eq(disbursement.uuid))
            .filter(bank_submissions::part.eq(part))
            .order(bank_submissions::version.desc())
            .for_update()
            .select(SubmissionRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    pub async fn add_submission(&mut self, row: &SubmissionRow) -> Result<(), StoreError> {
        row.insert_on(self.pg()).await
    }

    pub async fn save_submission(&mut self, row: &SubmissionRow) -> Result<(), StoreError> {
        row.update_on(self.pg()).await
    }

    /// Makes the row of a bank that was never asked.
    pub async fn open_bank_stream(&mut self, bank: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        Sql("INSERT INTO bank_streams (bank, due_at) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind::<Text, _>(bank.to_owned())
            .bind::<Timestamptz, _>(now)
            .execute(self.pg())
            .await?;
        Ok(())
    }

    /// Takes a bank's stream until an instant, if it is due and no other worker has it.
    pub async fn lease_bank_stream(
        &mut self,
        bank: &str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<StreamRow>, StoreError> {
        Ok(Sql("UPDATE bank_streams s SET due_at = $3 FROM (SELECT bank FROM bank_streams \
             WHERE bank = $1 AND due_at <= $2 FOR UPDATE SKIP LOCKED) AS d WHERE s.bank = d.bank RETURNING s.*")
        .bind::<Text, _>(bank.to_owned())
        .bind::<Timestamptz, _>(now)
        .bind::<Timestamptz, _>(until)
        .get_result(self.pg())
        .await
        .optional()?)
    }

    /// The bank answered: the place of the next page, unless another worker moved it since, and
    /// when the bank is asked again.
    pub async fn advance_bank_stream(
        &mut self,
        before: &StreamRow,
        next: Option<&str>,
        (now, due_at): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<(), StoreError> {
        Sql(
            "UPDATE bank_streams SET cursor = $3, heard_at = $4, due_at = $5, failures = 0 \
             WHERE bank = $1 AND cursor IS NOT DISTINCT FROM $2",
        )
        .bind::<Text, _>(before.bank.clone())
        .bind::<Nullable<Text>, _>(before.cursor.clone())
        .bind::<Nullable<Text>, _>(next.map(str::to_owned))
        .bind::<Timestamptz, _>(now)
        .bind::<Timestamptz, _>(due_at)
        .execute(self.pg())
        .await?;
        Ok(())
    }

    /// The bank did not answer: when it is asked again.
    pub async fn delay_bank_stream(
        &mut self,
        bank: &str,
        failures: i32,
        due_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        diesel::update(bank_streams::table.find(bank))
            .set((
                bank_streams::failures.eq(failures),
                bank_streams::due_at.eq(due_at),
            ))
            .execute(self.pg())
            .await?;
        Ok(())
    }
}
