//! Accounts: of merchants, of counties, and of applicants when they were put right. Sealed, as
//! everything personal.

use chrono::{DateTime, Utc};
use claims::proposal::ProposalStatus;
use claims::{ClaimId, JurisdictionCode};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bytea, Integer, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::batch::{Bind, Sql, batch_insert};
use crate::columns::{County, Value};
use crate::operation::proposal_row;
use crate::schema::{bank_accounts, payee_corrections};
use crate::{Conn, StoreError, Tx};

proposal_row! {
    /// An account of a merchant or a county.
    pub struct BankAccountRow in bank_accounts = "bank_accounts"
        by (holder: String => Text, revision: i32 => Integer)
    {
        key_id: String => Text,
        sealed: Vec<u8> => Bytea,
    }
    signed ProposalStatus: (status, maker, made_at, checker, checked_at, reason)
}

batch_insert! {
    /// An applicant's account put right.
    /// Primary key: `jurisdiction`, `claim`, `revision`.
    #[derive(Queryable, Selectable, QueryableByName)]
    #[diesel(table_name = payee_corrections, check_for_backend(diesel::pg::Pg))]
    pub struct PayeeCorrectionRow in "payee_corrections" {
        jurisdiction: JurisdictionCode => County,
        claim: Uuid => SqlUuid,
        revision: i32 => Integer,
        key_id: String => Text,
        sealed: Vec<u8> => Bytea,
        maker: String => Text,
        made_at: DateTime<Utc> => Timestamptz,
    }
}

impl PayeeCorrectionRow {
    pub fn claim_id(&self) -> ClaimId {
        ClaimId::new(self.jurisdiction, self.claim)
    }
}

impl Conn {
    /// An account as it was entered last, whatever became of it.
    pub async fn last_bank_account(&mut self, holder: &str) -> Result<Option<BankAccountRow>, StoreError> {
        Ok(bank_accounts::table
            .filter(bank_accounts::holder.eq(holder))
            .order(bank_accounts::revision.desc())
            .select(BankAccountRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    /// The accounts that count now of these holders: for each the last one approved.
    pub async fn bank_accounts(&mut self, holders: &[String]) -> Result<Vec<BankAccountRow>, StoreError> {
        Ok(Sql(
            "SELECT a.* FROM UNNEST($1) AS m (holder) CROSS JOIN LATERAL (SELECT * FROM bank_accounts a \
             WHERE a.holder = m.holder AND a.status = 'approved' ORDER BY a.revision DESC LIMIT 1) AS a",
        )
        .bind::<Array<Text>, _>(holders.to_vec())
        .load(self.pg())
        .await?)
    }

    /// Given revisions of accounts.
    pub async fn bank_account_revisions(
        &mut self,
        keys: &[(String, i32)],
    ) -> Result<Vec<BankAccountRow>, StoreError> {
        let (holders, revisions): (Vec<_>, Vec<_>) = keys.iter().cloned().unzip();
        Ok(Sql(
            "SELECT a.* FROM bank_accounts a JOIN UNNEST($1, $2) AS k (holder, revision) \
             ON a.holder = k.holder AND a.revision = k.revision",
        )
        .bind::<Array<Text>, _>(holders)
        .bind::<Array<Integer>, _>(revisions)
        .load(self.pg())
        .await?)
    }

    /// The last correction of each of these claims' payees.
    pub async fn payee_corrections(
        &mut self,
        claims: &[ClaimId],
    ) -> Result<Vec<PayeeCorrectionRow>, StoreError> {
        let (jurisdictions, claims): (Vec<_>, Vec<_>) =
            claims.iter().map(|it| (it.jurisdiction, it.uuid)).unzip();
        Ok(Sql(
            "SELECT c.* FROM UNNEST($1, $2) AS k (jurisdiction, claim) CROSS JOIN LATERAL \
             (SELECT * FROM payee_corrections c WHERE c.jurisdiction = k.jurisdiction AND c.claim = k.claim \
             ORDER BY c.revision DESC LIMIT 1) AS c",
        )
        .bind::<Array<County>, _>(jurisdictions)
        .bind::<Array<SqlUuid>, _>(claims)
        .load(self.pg())
        .await?)
    }

    /// Given revisions of corrections.
    pub async fn payee_correction_revisions(
        &mut self,
        jurisdiction: JurisdictionCode,
        keys: &[(Uuid, i32)],
    ) -> Result<Vec<PayeeCorrectionRow>, StoreError> {
        let (claims, revisions): (Vec<_>, Vec<_>) = keys.iter().copied().unzip();
        Ok(Sql(
            "SELECT c.* FROM payee_corrections c JOIN UNNEST($2, $3) AS k (claim, revision) \
             ON c.claim = k.claim AND c.revision = k.revision WHERE c.jurisdiction = $1",
        )
        .bind::<County, _>(jurisdiction)
        .bind::<Array<SqlUuid>, _>(claims)
        .bind::<Array<Integer>, _>(revisions)
        .load(self.pg())
        .await?)
    }

    /// Some accounts that are sealed under another key than this one.
    pub async fn bank_accounts_not_under(
        &mut self,
        key_id: &str,
        limit: i64,
    ) -> Result<Vec<BankAccountRow>, StoreError> {
        Ok(bank_accounts::table
            .filter(bank_accounts::key_id.ne(key_id))
            .order((bank_accounts::holder, bank_accounts::revision))
            .limit(limit)
            .select(BankAccountRow::as_select())
            .load(self.pg())
            .await?)
    }

    /// The same of applicants' corrected accounts.
    pub async fn payee_corrections_not_under(
        &mut self,
        key_id: &str,
        limit: i64,
    ) -> Result<Vec<PayeeCorrectionRow>, StoreError> {
        Ok(payee_corrections::table
            .filter(payee_corrections::key_id.ne(key_id))
            .order((
                payee_corrections::jurisdiction,
                payee_corrections::claim,
                payee_corrections::revision,
            ))
            .limit(limit)
            .select(PayeeCorrectionRow::as_select())
            .load(self.pg())
            .await?)
    }
}

impl Tx {
    pub async fn add_bank_account(&mut self, row: &BankAccountRow) -> Result<(), StoreError> {
        row.insert_on(self.pg()).await
    }

    pub async fn lock_bank_account(
        &mut self,
        holder: &str,
        revision: i32,
    ) -> Result<Option<BankAccountRow>, StoreError> {
        Ok(bank_accounts::table
            .find((holder, revision))
            .for_update()
            .select(BankAccountRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    /// Writes the second person's signature.
    pub async fn save_bank_account(&mut self, row: &BankAccountRow) -> Result<(), StoreError> {
        row.update_on(self.pg()).await
    }

    /// Seals an account again.
    pub async fn reseal_bank_account(&mut self, row: &BankAccountRow) -> Result<(), StoreError> {
        diesel::update(bank_accounts::table.find((&row.holder, row.revision)))
            .set((
                bank_accounts::key_id.eq(&row.key_id),
                bank_accounts::sealed.eq(&row.sealed),
            ))
            .execute(self.pg())
            .await?;
        Ok(())
    }

    /// Seals an applicant's corrected account again.
    pub async fn reseal_payee_correction(&mut self, row: &PayeeCorrectionRow) -> Result<(), StoreError> {
        diesel::update(payee_corrections::table.find((Value(row.jurisdiction), row.claim, row.revision)))
            .set((
                payee_corrections::key_id.eq(&row.key_id),
                payee_corrections::sealed.eq(&row.sealed),
            ))
            .execute(self.pg())
            .await?;
        Ok(())
    }
}
