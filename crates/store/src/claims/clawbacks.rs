//! What is due back of paid claims, what payments are netted against it, and waivers.

use chrono::{DateTime, Utc};
use claims::clawback::ClawbackReason;
use claims::payments::PaymentOutcome;
use claims::proposal::ProposalStatus;
use claims::{ClaimId, JurisdictionCode, WaiverId};
use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use ledger::Fen;
use uuid::Uuid;

use crate::batch::{Bind, Sql, batch_insert};
use crate::columns::{County, Money, Value, Word};
use crate::operation::proposal_row;
use crate::schema::{clawback_nettings, clawback_waivers, clawbacks, disbursement_lines, payments};
use crate::{Conn, StoreError, Tx};

batch_insert! {
    /// What is due back of a claim. `merchant` owes it, or, if there is none, the applicant who was
    /// paid.
    /// Primary key: `jurisdiction`, `claim`.
    #[derive(Queryable, Selectable)]
    #[diesel(table_name = clawbacks, check_for_backend(diesel::pg::Pg))]
    pub struct ClawbackRow in "clawbacks" {
        jurisdiction: JurisdictionCode => County,
        claim: Uuid => SqlUuid,
        programme: String => Text,
        merchant: Option<String> => Nullable<Text>,
        reason: ClawbackReason => Word,
        clause: String => Text,
        document: Option<String> => Nullable<Text>,
        paid: Fen => Money,
        due: Fen => Money,
        repaid: Fen => Money,
        netted: Fen => Money,
        pending: Fen => Money,
        waived: Fen => Money,
        made_by: String => Text,
        made_at: DateTime<Utc> => Timestamptz,
        closed_at: Option<DateTime<Utc>> => Nullable<Timestamptz>,
    }
}

batch_insert! {
    /// How much of a payment is set against a claim's clawback.
    /// Primary key: `jurisdiction`, `payment`, `claim`.
    #[derive(Queryable, Selectable, QueryableByName)]
    #[diesel(table_name = clawback_nettings, check_for_backend(diesel::pg::Pg))]
    pub struct NettingRow in "clawback_nettings" {
        jurisdiction: JurisdictionCode => County,
        payment: Uuid => SqlUuid,
        claim: Uuid => SqlUuid,
        amount: Fen => Money,
    }
}

proposal_row! {
    /// A waiver of part of a clawback, by its document and for a reason. Its column `refusal` is
    /// the reason of the signatures: it is kept only for what was refused.
    pub struct WaiverRow in clawback_waivers = "clawback_waivers"
        by (jurisdiction: JurisdictionCode => County, id: Uuid => SqlUuid)
    {
        claim: Uuid => SqlUuid,
        amount: Fen => Money,
        document: String => Text,
        reason: String => Text,
    }
    signed ProposalStatus: (status, maker, made_at, checker, checked_at, refusal)
}

impl WaiverRow {
    pub fn id(&self) -> WaiverId {
        WaiverId::new(self.jurisdiction, self.id)
    }
}

impl Conn {
    pub async fn clawback(&mut self, claim: ClaimId) -> Result<Option<ClawbackRow>, StoreError> {
        Ok(clawbacks::table
            .find((Value(claim.jurisdiction), claim.uuid))
            .select(ClawbackRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    /// What these payments of a county are netted against, by payment and claim.
    pub async fn nettings_of(
        &mut self,
        jurisdiction: JurisdictionCode,
        payments: &[Uuid],
    ) -> Result<Vec<NettingRow>, StoreError> {
        Ok(clawback_nettings::table
            .filter(clawback_nettings::jurisdiction.eq(Value(jurisdiction)))
            .filter(clawback_nettings::payment.eq_any(payments.to_vec()))
            .order((clawback_nettings::payment, clawback_nettings::claim))
            .select(NettingRow::as_select())
            .load(self.pg())
            .await?)
    }

    pub async fn waiver(&mut self, id: WaiverId) -> Result<Option<WaiverRow>, StoreError> {
        Ok(clawback_waivers::table
            .find((Value(id.jurisdiction), id.uuid))
            .select(WaiverRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    /// The waivers of a claim's clawback, oldest first.
    pub async fn waivers(&mut self, claim: ClaimId) -> Result<Vec<WaiverRow>, StoreError> {
        Ok(clawback_waivers::table
            .filter(clawback_waivers::jurisdiction.eq(Value(claim.jurisdiction)))
            .filter(clawback_waivers::claim.eq(claim.uuid))
            .order(clawback_waivers::id)
            .select(WaiverRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// The merchant that a claim was paid to last; none if its applicant was.
    pub async fn merchant_paid(&mut self, claim: ClaimId) -> Result<Option<String>, StoreError> {
        let merchant: Option<Option<String>> = disbursement_lines::table
            .inner_join(
                payments::table.on(payments::jurisdiction
                    .eq(disbursement_lines::jurisdiction)
                    .and(payments::id.eq(disbursement_lines::payment))),
            )
            .filter(disbursement_lines::jurisdiction.eq(Value(claim.jurisdiction)))
            .filter(disbursement_lines::claim.eq(claim.uuid))
            .filter(
                disbursement_lines::outcome
                    .eq_any([PaymentOutcome::Paid, PaymentOutcome::Returned].map(Value)),
            )
            .order(payments::id.desc())
            .select(payments::merchant)
            .first(self.pg())
            .await
            .optional()?;
        Ok(merchant.flatten())
    }

    /// What of these claims was paid by netting in payments whose rest the bank returned: it is not
    /// owed again.
    pub async fn set_off(
        &mut self,
        jurisdiction: JurisdictionCode,
        claims: &[Uuid],
    ) -> Result<Vec<(Uuid, Fen)>, StoreError> {
        #[derive(QueryableByName)]
        struct SetOff {
            #[diesel(sql_type = SqlUuid)]
            claim: Uuid,
            #[diesel(sql_type = Money)]
            amount: Fen,
        }
        let rows: Vec<SetOff> = Sql("SELECT claim, sum(netted)::bigint AS amount FROM disbursement_lines \
             WHERE jurisdiction = $1 AND claim = ANY($2) AND outcome = 'returned' AND netted > 0 GROUP BY claim")
        .bind::<County, _>(jurisdiction)
        .bind::<Array<SqlUuid>, _>(claims.to_vec())
        .load(self.pg())
        .await?;
        Ok(rows.into_iter().map(|row| (row.claim, row.amount)).collect())
    }
}

impl Tx {
    pub async fn add_clawback(&mut self, row: &ClawbackRow) -> Result<(), StoreError> {
        ClawbackRow::insert(self, std::slice::from_ref(row))
            .await
            .map(drop)
    }

    /// The clawbacks of these claims of a county, locked in order; a claim that has none is left
    /// out.
    pub async fn lock_clawbacks(
        &mut self,
        jurisdiction: JurisdictionCode,
        claims: &[Uuid],
    ) -> Result<Vec<ClawbackRow>, StoreError> {
        Ok(clawbacks::table
            .filter(clawbacks::jurisdiction.eq(Value(jurisdiction)))
            .filter(clawbacks::claim.eq_any(claims.to_vec()))
            .order(clawbacks::claim)
            .for_update()
            .select(ClawbackRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// What these merchants owe a fund, oldest first, at most `limit` of them. The county's ledger
    /// must be locked.
    pub async fn open_clawbacks(
        &mut self,
        (jurisdiction, programme): (JurisdictionCode, &str),
        merchants: &[String],
        limit: i64,
    ) -> Result<Vec<ClawbackRow>, StoreError> {
        Ok(clawbacks::table
            .filter(clawbacks::jurisdiction.eq(Value(jurisdiction)))
            .filter(clawbacks::programme.eq(programme))
            .filter(clawbacks::merchant.eq_any(merchants.to_vec()))
            .filter(clawbacks::closed_at.is_null())
            .order((clawbacks::made_at, clawbacks::claim))
            .limit(limit)
            .for_update()
            .select(ClawbackRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// Writes what has come back of clawbacks, and what is pending or waived.
    pub async fn save_clawbacks(&mut self, rows: &[ClawbackRow]) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let fen = |value: fn(&ClawbackRow) -> Fen| rows.iter().map(value).collect::<Vec<_>>();
        let changed = Sql(
            "UPDATE clawbacks k SET repaid = u.repaid, netted = u.netted, pending = u.pending, waived = u.waived, \
             closed_at = u.closed_at FROM UNNEST($1, $2, $3, $4, $5, $6, $7) \
             AS u (jurisdiction, claim, repaid, netted, pending, waived, closed_at) \
             WHERE k.jurisdiction = u.jurisdiction AND k.claim = u.claim",
        )
        .bind::<Array<County>, _>(rows.iter().map(|row| row.jurisdiction).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.claim).collect::<Vec<_>>())
        .bind::<Array<Money>, _>(fen(|row| row.repaid))
        .bind::<Array<Money>, _>(fen(|row| row.netted))
        .bind::<Array<Money>, _>(fen(|row| row.pending))
        .bind::<Array<Money>, _>(fen(|row| row.waived))
        .bind::<Array<Nullable<Timestamptz>>, _>(rows.iter().map(|row| row.closed_at).collect::<Vec<_>>())
        .execute(self.pg())
        .await?;
        if changed == rows.len() {
            Ok(())
        } else {
            Err(StoreError::Stale("clawback"))
        }
    }

    pub async fn add_waiver(&mut self, row: &WaiverRow) -> Result<(), StoreError> {
        row.insert_on(self.pg()).await
    }

    pub async fn lock_waiver(&mut self, id: WaiverId) -> Result<Option<WaiverRow>, StoreError> {
        Ok(clawback_waivers::table
            .find((Value(id.jurisdiction), id.uuid))
            .for_update()
            .select(WaiverRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    pub async fn save_waiver(&mut self, row: &WaiverRow) -> Result<(), StoreError> {
        row.update_on(self.pg()).await
    }
}
