//! Payments of disbursements, one a payee, with their claims as lines; and what banks reported of them.
//!
//! A payment's amount is the sum of its lines and of its sources' parts, by constraint; its outcome, its lines' and the
//! sources' move in one unit of work ([`Tx::settle_payments`]) under the lock of the county's ledger. A bank's entry is kept under
//! the fingerprint of what it says, so that a report read twice counts once; what fits no open payment waits as an exception.
//! Disbursements, with their files on the way to the bank, advances, sealed accounts and merchants' statements stand in a module each.
//!
//! Statements take any number of payments of one county; lists are pages.

pub mod accounts;
pub mod advances;
pub mod disbursements;
pub mod statements;
pub mod submissions;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::batch::{Bind, Sql, batch_insert};
use crate::schema::{bank_entries, disbursement_lines, payments};
use crate::{Conn, StoreError, Tx};

batch_insert! {
    /// One transfer of a bank to one payee; fen. `payee` is merchant or applicant, `account` the revision of the merchant's
    /// account; `netted` is what of the amount is set against advances and clawbacks and not sent. `outcome` is open, paid, failed,
    /// returned or cancelled. The amount is the sum of the sources' parts. `advance` is what it pays in the place of claims.
    /// Primary key: `jurisdiction`, `id`.
    #[derive(Queryable, Selectable, QueryableByName)]
    #[diesel(table_name = payments, check_for_backend(diesel::pg::Pg))]
    pub struct PaymentRow in "payments" {
        jurisdiction: String => Text,
        id: Uuid => SqlUuid,
        disbursement: Uuid => SqlUuid,
        payee: String => Text,
        merchant: Option<String> => Nullable<Text>,
        person: Option<Vec<u8>> => Nullable<Bytea>,
        account: Option<i32> => Nullable<Integer>,
        claims: i32 => Integer,
        amount: i64 => BigInt,
        outcome: String => Text,
        reason: Option<String> => Nullable<Text>,
        settled_at: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        central: i64 => BigInt,
        province: i64 => BigInt,
        city: i64 => BigInt,
        county: i64 => BigInt,
        netted: i64 => BigInt,
        advance: Option<Uuid> => Nullable<SqlUuid>,
    }
}

batch_insert! {
    /// One claim in a payment, with the payment's outcome; `amount` is what of the claim was payable, `netted` its part of the
    /// payment's, `recovered` what of the amount came back since, from the bank or the payee.
    /// Primary key: `jurisdiction`, `disbursement`, `claim`.
    #[derive(Queryable, Selectable, QueryableByName)]
    #[diesel(table_name = disbursement_lines, check_for_backend(diesel::pg::Pg))]
    pub struct LineRow in "disbursement_lines" {
        jurisdiction: String => Text,
        disbursement: Uuid => SqlUuid,
        claim: Uuid => SqlUuid,
        payment: Uuid => SqlUuid,
        amount: i64 => BigInt,
        outcome: String => Text,
        netted: i64 => BigInt,
        recovered: i64 => BigInt,
    }
}

batch_insert! {
    /// What a bank said once of one payment. `reference` is what it named; `standing` is matched, exception, applied or dismissed.
    /// Primary key: `jurisdiction`, `id`.
    #[derive(Queryable, Selectable, QueryableByName)]
    #[diesel(table_name = bank_entries, check_for_backend(diesel::pg::Pg))]
    pub struct BankEntryRow in "bank_entries" {
        jurisdiction: String => Text,
        id: Uuid => SqlUuid,
        fingerprint: Vec<u8> => Bytea,
        disbursement: Option<Uuid> => Nullable<SqlUuid>,
        payment: Option<Uuid> => Nullable<SqlUuid>,
        reference: String => Text,
        verdict: String => Text,
        amount: Option<i64> => Nullable<BigInt>,
        code: Option<String> => Nullable<Text>,
        reason: Option<String> => Nullable<Text>,
        booked_on: Option<NaiveDate> => Nullable<Date>,
        format: String => Text,
        received_at: DateTime<Utc> => Timestamptz,
        receiver: String => Text,
        standing: String => Text,
        exception: Option<String> => Nullable<Text>,
        resolver: Option<String> => Nullable<Text>,
        resolved_at: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        resolution: Option<String> => Nullable<Text>,
    }
}

/// How the payments of a disbursement stand, summed: what of them is sent to the bank, less what is netted; fen.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct OutcomeSum {
    #[diesel(sql_type = Text)]
    pub jurisdiction: String,
    #[diesel(sql_type = SqlUuid)]
    pub disbursement: Uuid,
    #[diesel(sql_type = Text)]
    pub programme: String,
    #[diesel(sql_type = Timestamptz)]
    pub released_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub outcome: String,
    #[diesel(sql_type = BigInt)]
    pub payments: i64,
    #[diesel(sql_type = BigInt)]
    pub amount: i64,
}

impl Conn {
    pub async fn payment(&mut self, jurisdiction: &str, id: Uuid) -> Result<Option<PaymentRow>, StoreError> {
        Ok(payments::table
            .find((jurisdiction, id))
            .select(PaymentRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    /// The disbursements of these payments, in order, each with its programme.
    pub async fn disbursements_of(
        &mut self,
        jurisdiction: &str,
        payments: &[Uuid],
    ) -> Result<Vec<(Uuid, String)>, StoreError> {
        #[derive(QueryableByName)]
        struct Of {
            #[diesel(sql_type = SqlUuid)]
            id: Uuid,
            #[diesel(sql_type = Text)]
            programme: String,
        }
        let rows: Vec<Of> = Sql(
            "SELECT DISTINCT d.id, d.programme FROM payments p JOIN disbursements d \
             ON d.jurisdiction = p.jurisdiction AND d.id = p.disbursement \
             WHERE p.jurisdiction = $1 AND p.id = ANY($2) ORDER BY d.id",
        )
        .bind::<Text, _>(jurisdiction.to_owned())
        .bind::<Array<SqlUuid>, _>(payments.to_vec())
        .load(self.pg())
        .await?;
        Ok(rows.into_iter().map(|row| (row.id, row.programme)).collect())
    }

    /// A page of a disbursement's payments by id.
    pub async fn payments(
        &mut self,
        jurisdiction: &str,
        disbursement: Uuid,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<PaymentRow>, StoreError> {
        Ok(payments::table
            .filter(payments::jurisdiction.eq(jurisdiction))
            .filter(payments::disbursement.eq(disbursement))
            .filter(payments::id.gt(after.unwrap_or(Uuid::nil())))
            .order(payments::id)
            .limit(limit)
            .select(PaymentRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// A page of a payment's claims.
    pub async fn payment_lines(
        &mut self,
        jurisdiction: &str,
        payment: Uuid,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<LineRow>, StoreError> {
        Ok(disbursement_lines::table
            .filter(disbursement_lines::jurisdiction.eq(jurisdiction))
            .filter(disbursement_lines::payment.eq(payment))
            .filter(disbursement_lines::claim.gt(after.unwrap_or(Uuid::nil())))
            .order(disbursement_lines::claim)
            .limit(limit)
            .select(LineRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// All lines of a disbursement, by claim; they are bounded by the limit it was made with.
    pub async fn lines(
        &mut self,
        jurisdiction: &str,
        disbursement: Uuid,
    ) -> Result<Vec<LineRow>, StoreError> {
        Ok(disbursement_lines::table
            .filter(disbursement_lines::jurisdiction.eq(jurisdiction))
            .filter(disbursement_lines::disbursement.eq(disbursement))
            .order(disbursement_lines::claim)
            .select(LineRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// What banks said with these fingerprints, of those that are known.
    pub async fn known_entries(
        &mut self,
        jurisdiction: &str,
        fingerprints: &[Vec<u8>],
    ) -> Result<Vec<BankEntryRow>, StoreError> {
        Ok(bank_entries::table
            .filter(bank_entries::jurisdiction.eq(jurisdiction))
            .filter(bank_entries::fingerprint.eq_any(fingerprints.to_vec()))
            .select(BankEntryRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// What waits for a person in these counties (empty: all), oldest first.
    pub async fn bank_exceptions(
        &mut self,
        jurisdictions: &[String],
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<BankEntryRow>, StoreError> {
        let mut query = bank_entries::table
            .filter(bank_entries::standing.eq("exception"))
            .filter(bank_entries::id.gt(after.unwrap_or(Uuid::nil())))
            .order(bank_entries::id)
            .limit(limit)
            .select(BankEntryRow::as_select())
            .into_boxed();
        if !jurisdictions.is_empty() {
            query = query.filter(bank_entries::jurisdiction.eq_any(jurisdictions.to_vec()));
        }
        Ok(query.load(self.pg()).await?)
    }

    /// How the payments stand of what a county let go in a span of time, or of one disbursement, by outcome.
    pub async fn outcome_sums(
        &mut self,
        jurisdiction: &str,
        disbursement: Option<Uuid>,
        (from, before): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Vec<OutcomeSum>, StoreError> {
        Ok(Sql(
            "SELECT d.jurisdiction, d.id AS disbursement, d.programme, d.released_at, p.outcome, \
             count(*) FILTER (WHERE p.netted < p.amount) AS payments, sum(p.amount - p.netted)::bigint AS amount \
             FROM disbursements d JOIN payments p ON p.jurisdiction = d.jurisdiction AND p.disbursement = d.id \
             WHERE d.jurisdiction = $1 AND d.released_at >= $2 AND d.released_at < $3 AND ($4 IS NULL OR d.id = $4) \
             GROUP BY d.jurisdiction, d.id, d.programme, d.released_at, p.outcome ORDER BY d.released_at, d.id, p.outcome",
        )
        .bind::<Text, _>(jurisdiction.to_owned())
        .bind::<Timestamptz, _>(from)
        .bind::<Timestamptz, _>(before)
        .bind::<Nullable<SqlUuid>, _>(disbursement)
        .load(self.pg())
        .await?)
    }
}

impl Tx {
    /// These payments of a county, locked in order; those that are not there are left out.
    pub async fn lock_payments(
        &mut self,
        jurisdiction: &str,
        ids: &[Uuid],
    ) -> Result<Vec<PaymentRow>, StoreError> {
        Ok(payments::table
            .filter(payments::jurisdiction.eq(jurisdiction))
            .filter(payments::id.eq_any(ids.to_vec()))
            .order(payments::id)
            .for_update()
            .select(PaymentRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// The claims of these payments.
    pub async fn lines_of(&mut self, jurisdiction: &str, ids: &[Uuid]) -> Result<Vec<LineRow>, StoreError> {
        Ok(disbursement_lines::table
            .filter(disbursement_lines::jurisdiction.eq(jurisdiction))
            .filter(disbursement_lines::payment.eq_any(ids.to_vec()))
            .order(disbursement_lines::claim)
            .select(LineRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// Writes the outcomes of payments, and of their claims' lines with them; the sources' parts move accordingly.
    pub async fn settle_payments(&mut self, rows: &[PaymentRow]) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let jurisdictions = rows.iter().map(|r| r.jurisdiction.clone()).collect::<Vec<_>>();
        let ids = rows.iter().map(|r| r.id).collect::<Vec<_>>();
        let outcomes = rows.iter().map(|r| r.outcome.clone()).collect::<Vec<_>>();
        let settled_at = rows.iter().filter_map(|r| r.settled_at).max();
        self.settle_sources(&jurisdictions, &ids, &outcomes, settled_at)
            .await?;
        let changed = Sql(
            "UPDATE payments p SET outcome = u.outcome, reason = u.reason, settled_at = u.settled_at \
             FROM UNNEST($1, $2, $3, $4, $5) AS u (jurisdiction, id, outcome, reason, settled_at) \
             WHERE p.jurisdiction = u.jurisdiction AND p.id = u.id",
        )
        .bind::<Array<Text>, _>(jurisdictions.clone())
        .bind::<Array<SqlUuid>, _>(ids.clone())
        .bind::<Array<Text>, _>(outcomes.clone())
        .bind::<Array<Nullable<Text>>, _>(rows.iter().map(|r| r.reason.clone()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Timestamptz>>, _>(rows.iter().map(|r| r.settled_at).collect::<Vec<_>>())
        .execute(self.pg())
        .await?;
        Sql(
            "UPDATE disbursement_lines l SET outcome = u.outcome FROM UNNEST($1, $2, $3) \
             AS u (jurisdiction, payment, outcome) WHERE l.jurisdiction = u.jurisdiction AND l.payment = u.payment",
        )
        .bind::<Array<Text>, _>(jurisdictions)
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<Array<Text>, _>(outcomes)
        .execute(self.pg())
        .await?;
        if changed == rows.len() {
            Ok(())
        } else {
            Err(StoreError::Stale("payment"))
        }
    }

    /// Writes other parts to a payment that is paid after all; nothing of it has come back then.
    pub async fn save_parts(&mut self, row: &PaymentRow) -> Result<(), StoreError> {
        let changed = diesel::update(payments::table.find((&row.jurisdiction, row.id)))
            .set((
                payments::central.eq(row.central),
                payments::province.eq(row.province),
                payments::city.eq(row.city),
                payments::county.eq(row.county),
                payments::recovered_central.eq(0),
                payments::recovered_province.eq(0),
                payments::recovered_city.eq(0),
                payments::recovered_county.eq(0),
            ))
            .execute(self.pg())
            .await?;
        if changed != 1 {
            return Err(StoreError::Stale("payment"));
        }
        diesel::update(disbursement_lines::table)
            .filter(disbursement_lines::jurisdiction.eq(&row.jurisdiction))
            .filter(disbursement_lines::payment.eq(row.id))
            .set(disbursement_lines::recovered.eq(0))
            .execute(self.pg())
            .await?;
        Ok(())
    }

    /// Whether a disbursement has a payment that is still open.
    pub async fn has_open_payments(
        &mut self,
        jurisdiction: &str,
        disbursement: Uuid,
    ) -> Result<bool, StoreError> {
        Ok(diesel::select(diesel::dsl::exists(
            payments::table
                .filter(payments::jurisdiction.eq(jurisdiction))
                .filter(payments::disbursement.eq(disbursement))
                .filter(payments::outcome.eq("open")),
        ))
        .get_result(self.pg())
        .await?)
    }

    pub async fn lock_bank_entry(
        &mut self,
        jurisdiction: &str,
        id: Uuid,
    ) -> Result<Option<BankEntryRow>, StoreError> {
        Ok(bank_entries::table
            .find((jurisdiction, id))
            .for_update()
            .select(BankEntryRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    /// Records how a person resolved an exception.
    pub async fn resolve_bank_entry(&mut self, row: &BankEntryRow) -> Result<(), StoreError> {
        diesel::update(bank_entries::table.find((&row.jurisdiction, row.id)))
            .set((
                bank_entries::standing.eq(&row.standing),
                bank_entries::payment.eq(row.payment),
                bank_entries::disbursement.eq(row.disbursement),
                bank_entries::resolver.eq(&row.resolver),
                bank_entries::resolved_at.eq(row.resolved_at),
                bank_entries::resolution.eq(&row.resolution),
            ))
            .execute(self.pg())
            .await?;
        Ok(())
    }
}
