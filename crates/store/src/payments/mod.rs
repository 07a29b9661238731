//! Payments of disbursements, one a payee, with their claims as lines; and what banks reported of
//! them.
//!
//! A payment's amount is the sum of its lines and of its sources' parts, by constraint; its
//! outcome, its lines' and the sources' move in one unit of work ([`Tx::settle_payments`]) under
//! the lock of the county's ledger. A bank's entry is kept under the fingerprint of what it says,
//! so that a report read twice counts once; what fits no open payment waits as an exception.
//! Disbursements, with their files on the way to the bank, advances, sealed accounts and merchants'
//! statements stand in a module each.
//!
//! Statements take any number of payments of one county; lists are pages.

pub mod accounts;
pub mod advances;
pub mod disbursements;
pub mod statements;
pub mod submissions;

use chrono::{DateTime, NaiveDate, Utc};
use claims::payments::{BankStatus, EntryException, EntryFormat, EntryStanding, PayeeKind, PaymentOutcome};
use claims::{AdvanceId, BankEntryId, ClaimId, DisbursementId, JurisdictionCode, PaymentId};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use ledger::Fen;
use uuid::Uuid;

use crate::batch::{Bind, Sql, batch_insert};
use crate::columns::{County, Money, Value, Word};
use crate::schema::{bank_entries, disbursement_lines, payments};
use crate::{Conn, StoreError, Tx};

batch_insert! {
    /// One transfer of a bank to one payee. `account` is the revision of the merchant's account;
    /// `netted` is what of the amount is set against advances and clawbacks and not sent. The
    /// amount is the sum of the sources' parts. `advance` is what the payment pays in the place of
    /// claims.
    /// Primary key: `jurisdiction`, `id`.
    #[derive(Queryable, Selectable, QueryableByName)]
    #[diesel(table_name = payments, check_for_backend(diesel::pg::Pg))]
    pub struct PaymentRow in "payments" {
        jurisdiction: JurisdictionCode => County,
        id: Uuid => SqlUuid,
        disbursement: Uuid => SqlUuid,
        payee: PayeeKind => Word,
        merchant: Option<String> => Nullable<Text>,
        person: Option<Vec<u8>> => Nullable<Bytea>,
        account: Option<i32> => Nullable<Integer>,
        claims: i32 => Integer,
        amount: Fen => Money,
        outcome: PaymentOutcome => Word,
        reason: Option<String> => Nullable<Text>,
        settled_at: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        central: Fen => Money,
        province: Fen => Money,
        city: Fen => Money,
        county: Fen => Money,
        netted: Fen => Money,
        advance: Option<Uuid> => Nullable<SqlUuid>,
    }
}

batch_insert! {
    /// One claim in a payment, with the payment's outcome; `amount` is what of the claim was
    /// payable, `netted` its part of the payment's, `recovered` what of the amount came back since,
    /// from the bank or the payee.
    /// Primary key: `jurisdiction`, `disbursement`, `claim`.
    #[derive(Queryable, Selectable, QueryableByName)]
    #[diesel(table_name = disbursement_lines, check_for_backend(diesel::pg::Pg))]
    pub struct LineRow in "disbursement_lines" {
        jurisdiction: JurisdictionCode => County,
        disbursement: Uuid => SqlUuid,
        claim: Uuid => SqlUuid,
        payment: Uuid => SqlUuid,
        amount: Fen => Money,
        outcome: PaymentOutcome => Word,
        netted: Fen => Money,
        recovered: Fen => Money,
    }
}

batch_insert! {
    /// What a bank reported once of one payment. `reference` is what the bank named.
    /// Primary key: `jurisdiction`, `id`.
    #[derive(Queryable, Selectable, QueryableByName)]
    #[diesel(table_name = bank_entries, check_for_backend(diesel::pg::Pg))]
    pub struct BankEntryRow in "bank_entries" {
        jurisdiction: JurisdictionCode => County,
        id: Uuid => SqlUuid,
        fingerprint: Vec<u8> => Bytea,
        disbursement: Option<Uuid> => Nullable<SqlUuid>,
        payment: Option<Uuid> => Nullable<SqlUuid>,
        reference: String => Text,
        verdict: BankStatus => Word,
        amount: Option<Fen> => Nullable<Money>,
        code: Option<String> => Nullable<Text>,
        reason: Option<String> => Nullable<Text>,
        booked_on: Option<NaiveDate> => Nullable<Date>,
        format: EntryFormat => Word,
        received_at: DateTime<Utc> => Timestamptz,
        receiver: String => Text,
        standing: EntryStanding => Word,
        exception: Option<EntryException> => Nullable<Word>,
        resolver: Option<String> => Nullable<Text>,
        resolved_at: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        resolution: Option<String> => Nullable<Text>,
    }
}

/// How the payments of a disbursement stand, summed: what of them is sent to the bank, less what is
/// netted; fen.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct OutcomeSum {
    #[diesel(sql_type = County)]
    pub jurisdiction: JurisdictionCode,
    #[diesel(sql_type = SqlUuid)]
    pub disbursement: Uuid,
    #[diesel(sql_type = Text)]
    pub programme: String,
    #[diesel(sql_type = Timestamptz)]
    pub released_at: DateTime<Utc>,
    #[diesel(sql_type = Word)]
    pub outcome: PaymentOutcome,
    #[diesel(sql_type = BigInt)]
    pub payments: i64,
    #[diesel(sql_type = Money)]
    pub amount: Fen,
}

impl PaymentRow {
    pub fn id(&self) -> PaymentId {
        PaymentId::new(self.jurisdiction, self.id)
    }

    pub fn disbursement(&self) -> DisbursementId {
        DisbursementId::new(self.jurisdiction, self.disbursement)
    }

    pub fn advance(&self) -> Option<AdvanceId> {
        self.advance.map(|id| AdvanceId::new(self.jurisdiction, id))
    }

    /// What the bank is to pay.
    pub fn sent(&self) -> Fen {
        self.amount.saturating_sub(self.netted)
    }
}

impl LineRow {
    pub fn claim(&self) -> ClaimId {
        ClaimId::new(self.jurisdiction, self.claim)
    }

    /// What of the claim the bank is to pay.
    pub fn sent(&self) -> Fen {
        self.amount.saturating_sub(self.netted)
    }
}

impl BankEntryRow {
    pub fn id(&self) -> BankEntryId {
        BankEntryId::new(self.jurisdiction, self.id)
    }
}

impl Conn {
    pub async fn payment(&mut self, id: PaymentId) -> Result<Option<PaymentRow>, StoreError> {
        Ok(payments::table
            .find((Value(id.jurisdiction), id.uuid))
            .select(PaymentRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    /// The disbursements of these payments, in order, each with its programme.
    pub async fn disbursements_of(
        &mut self,
        jurisdiction: JurisdictionCode,
        payments: &[Uuid],
    ) -> Result<Vec<(DisbursementId, String)>, StoreError> {
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
        .bind::<County, _>(jurisdiction)
        .bind::<Array<SqlUuid>, _>(payments.to_vec())
        .load(self.pg())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| (DisbursementId::new(jurisdiction, row.id), row.programme))
            .collect())
    }

    /// A page of a disbursement's payments by id.
    pub async fn payments(
        &mut self,
        of: DisbursementId,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<PaymentRow>, StoreError> {
        Ok(payments::table
            .filter(payments::jurisdiction.eq(Value(of.jurisdiction)))
            .filter(payments::disbursement.eq(of.uuid))
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
        of: PaymentId,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<LineRow>, StoreError> {
        Ok(disbursement_lines::table
            .filter(disbursement_lines::jurisdiction.eq(Value(of.jurisdiction)))
            .filter(disbursement_lines::payment.eq(of.uuid))
            .filter(disbursement_lines::claim.gt(after.unwrap_or(Uuid::nil())))
            .order(disbursement_lines::claim)
            .limit(limit)
            .select(LineRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// All lines of a disbursement, by claim; they are bounded by the limit it was made with.
    pub async fn lines(&mut self, of: DisbursementId) -> Result<Vec<LineRow>, StoreError> {
        Ok(disbursement_lines::table
            .filter(disbursement_lines::jurisdiction.eq(Value(of.jurisdiction)))
            .filter(disbursement_lines::disbursement.eq(of.uuid))
            .order(disbursement_lines::claim)
            .select(LineRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// What banks said with these fingerprints, of those that are known.
    pub async fn known_entries(
        &mut self,
        jurisdiction: JurisdictionCode,
        fingerprints: &[Vec<u8>],
    ) -> Result<Vec<BankEntryRow>, StoreError> {
        Ok(bank_entries::table
            .filter(bank_entries::jurisdiction.eq(Value(jurisdiction)))
            .filter(bank_entries::fingerprint.eq_any(fingerprints.to_vec()))
            .select(BankEntryRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// What waits for a person in these counties (empty: all), oldest first.
    pub async fn bank_exceptions(
        &mut self,
        jurisdictions: &[JurisdictionCode],
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<BankEntryRow>, StoreError> {
        let mut query = bank_entries::table
            .filter(bank_entries::standing.eq(Value(EntryStanding::Exception)))
            .filter(bank_entries::id.gt(after.unwrap_or(Uuid::nil())))
            .order(bank_entries::id)
            .limit(limit)
            .select(BankEntryRow::as_select())
            .into_boxed();
        if !jurisdictions.is_empty() {
            let counties = jurisdictions.iter().copied().map(Value).collect::<Vec<_>>();
            query = query.filter(bank_entries::jurisdiction.eq_any(counties));
        }
        Ok(query.load(self.pg()).await?)
    }

    /// How the payments stand of what a county let go in a span of time, or of one disbursement, by
    /// outcome.
    pub async fn outcome_sums(
        &mut self,
        jurisdiction: JurisdictionCode,
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
        .bind::<County, _>(jurisdiction)
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
        jurisdiction: JurisdictionCode,
        ids: &[Uuid],
    ) -> Result<Vec<PaymentRow>, StoreError> {
        Ok(payments::table
            .filter(payments::jurisdiction.eq(Value(jurisdiction)))
            .filter(payments::id.eq_any(ids.to_vec()))
            .order(payments::id)
            .for_update()
            .select(PaymentRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// The claims of these payments.
    pub async fn lines_of(
        &mut self,
        jurisdiction: JurisdictionCode,
        ids: &[Uuid],
    ) -> Result<Vec<LineRow>, StoreError> {
        Ok(disbursement_lines::table
            .filter(disbursement_lines::jurisdiction.eq(Value(jurisdiction)))
            .filter(disbursement_lines::payment.eq_any(ids.to_vec()))
            .order(disbursement_lines::claim)
            .select(LineRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// Writes the outcomes of payments, and of their claims' lines with them; the sources' parts
    /// move accordingly.
    pub async fn settle_payments(&mut self, rows: &[PaymentRow]) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let jurisdictions = rows.iter().map(|r| r.jurisdiction).collect::<Vec<_>>();
        let ids = rows.iter().map(|r| r.id).collect::<Vec<_>>();
        let outcomes = rows.iter().map(|r| r.outcome).collect::<Vec<_>>();
        let settled_at = rows.iter().filter_map(|r| r.settled_at).max();
        self.settle_sources(&jurisdictions, &ids, &outcomes, settled_at)
            .await?;
        let changed = Sql(
            "UPDATE payments p SET outcome = u.outcome, reason = u.reason, settled_at = u.settled_at \
             FROM UNNEST($1, $2, $3, $4, $5) AS u (jurisdiction, id, outcome, reason, settled_at) \
             WHERE p.jurisdiction = u.jurisdiction AND p.id = u.id",
        )
        .bind::<Array<County>, _>(jurisdictions.clone())
        .bind::<Array<SqlUuid>, _>(ids.clone())
        .bind::<Array<Word>, _>(outcomes.clone())
        .bind::<Array<Nullable<Text>>, _>(rows.iter().map(|r| r.reason.clone()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Timestamptz>>, _>(rows.iter().map(|r| r.settled_at).collect::<Vec<_>>())
        .execute(self.pg())
        .await?;
        Sql(
            "UPDATE disbursement_lines l SET outcome = u.outcome FROM UNNEST($1, $2, $3) \
             AS u (jurisdiction, payment, outcome) WHERE l.jurisdiction = u.jurisdiction AND l.payment = u.payment",
        )
        .bind::<Array<County>, _>(jurisdictions)
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<Array<Word>, _>(outcomes)
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
        let changed = diesel::update(payments::table.find((Value(row.jurisdiction), row.id)))
            .set((
                payments::central.eq(Value(row.central)),
                payments::province.eq(Value(row.province)),
                payments::city.eq(Value(row.city)),
                payments::county.eq(Value(row.county)),
                payments::recovered_central.eq(Value(Fen::ZERO)),
                payments::recovered_province.eq(Value(Fen::ZERO)),
                payments::recovered_city.eq(Value(Fen::ZERO)),
                payments::recovered_county.eq(Value(Fen::ZERO)),
            ))
            .execute(self.pg())
            .await?;
        if changed != 1 {
            return Err(StoreError::Stale("payment"));
        }
        diesel::update(disbursement_lines::table)
            .filter(disbursement_lines::jurisdiction.eq(Value(row.jurisdiction)))
            .filter(disbursement_lines::payment.eq(row.id))
            .set(disbursement_lines::recovered.eq(Value(Fen::ZERO)))
            .execute(self.pg())
            .await?;
        Ok(())
    }

    /// Whether a disbursement has a payment that is still open.
    pub async fn has_open_payments(&mut self, of: DisbursementId) -> Result<bool, StoreError> {
        Ok(diesel::select(diesel::dsl::exists(
            payments::table
                .filter(payments::jurisdiction.eq(Value(of.jurisdiction)))
                .filter(payments::disbursement.eq(of.uuid))
                .filter(payments::outcome.eq(Value(PaymentOutcome::Open))),
        ))
        .get_result(self.pg())
        .await?)
    }

    pub async fn lock_bank_entry(&mut self, id: BankEntryId) -> Result<Option<BankEntryRow>, StoreError> {
        Ok(bank_entries::table
            .find((Value(id.jurisdiction), id.uuid))
            .for_update()
            .select(BankEntryRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    /// Records how a person resolved an exception.
    pub async fn resolve_bank_entry(&mut self, row: &BankEntryRow) -> Result<(), StoreError> {
        diesel::update(bank_entries::table.find((Value(row.jurisdiction), row.id)))
            .set((
                bank_entries::standing.eq(Value(row.standing)),
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
