//! Claims as they stand now, what was sent, and what was decided.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Bool, Bytea, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::batch::{Bind, Sql, batch_insert};
use crate::schema::{claim_documents, claims, decisions};
use crate::{Conn, StoreError, Tx};

batch_insert! {
    /// A claim as it stands. Amounts are fen; `committed` says that its amount counts in fund and caps, since `committed_month` (`yyyy-mm`); `waits_for` names the
    /// limit a waitlisted claim lacks; `decided` is the revision whose decision stands.
    #[derive(Queryable, Selectable, QueryableByName)]
    #[diesel(table_name = claims, check_for_backend(diesel::pg::Pg))]
    ClaimRow => "claims" {
        jurisdiction: String => Text,
        id: Uuid => SqlUuid,
        programme: String => Text,
        programme_version: i32 => Integer,
        status: String => Text,
        revision: i32 => Integer,
        merchant: String => Text,
        merchant_reference: String => Text,
        client: String => Text,
        category: String => Text,
        governing_date: Option<NaiveDate> => Nullable<Date>,
        created_at: DateTime<Utc> => Timestamptz,
        changed_at: DateTime<Utc> => Timestamptz,
        decided: i32 => Integer,
        amount: Option<i64> => Nullable<BigInt>,
        holds: bool => Bool,
        committed: bool => Bool,
        committed_month: Option<String> => Nullable<Text>,
        person: Vec<u8> => Bytea,
        quota_slot: Option<String> => Nullable<Text>,
        waits_for: Option<String> => Nullable<Text>,
        correct_by: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        reviewed_by: Option<String> => Nullable<Text>,
        approved_by: Option<String> => Nullable<Text>,
        disbursement: Option<Uuid> => Nullable<SqlUuid>,
    }
}

batch_insert! {
    /// What was sent, sealed under `key_id`.
    #[derive(Queryable, Selectable)]
    #[diesel(table_name = claim_documents, check_for_backend(diesel::pg::Pg))]
    DocumentRow => "claim_documents" {
        jurisdiction: String => Text,
        claim: Uuid => SqlUuid,
        revision: i32 => Integer,
        key_id: String => Text,
        sealed: Vec<u8> => Bytea,
    }
}

batch_insert! {
    /// A decision and its receipt (canonical JSON) with the receipt's SHA-256.
    #[derive(Queryable, Selectable)]
    #[diesel(table_name = decisions, check_for_backend(diesel::pg::Pg))]
    DecisionRow => "decisions" {
        jurisdiction: String => Text,
        claim: Uuid => SqlUuid,
        revision: i32 => Integer,
        outcome: String => Text,
        receipt: String => Text,
        digest: Vec<u8> => Bytea,
        decided_at: DateTime<Utc> => Timestamptz,
    }
}

/// Which claims a list is about. `None` means any.
#[derive(Debug, Clone, Default)]
pub struct ClaimFilter {
    /// The counties the reader may see; empty means all.
    pub jurisdictions: Vec<String>,
    pub merchant: Option<String>,
    pub programme: Option<String>,
    pub status: Option<String>,
    pub created_from: Option<DateTime<Utc>>,
    pub created_before: Option<DateTime<Utc>>,
    /// The last row of the page before: lists go from the newest claim to the oldest.
    pub before: Option<Uuid>,
    pub oldest_first: bool,
}

impl Conn {
    pub async fn claim(&mut self, jurisdiction: &str, id: Uuid) -> Result<Option<ClaimRow>, StoreError> {
        let row = claims::table
            .find((jurisdiction, id))
            .select(ClaimRow::as_select())
            .first(self.pg())
            .await
            .optional()?;
        Ok(row)
    }

    /// The claims with these ids, whichever exist, in any order.
    pub async fn claims_by_id(&mut self, keys: &[(String, Uuid)]) -> Result<Vec<ClaimRow>, StoreError> {
        let (jurisdictions, ids): (Vec<_>, Vec<_>) = keys.iter().cloned().unzip();
        let rows = Sql(
            "SELECT c.* FROM claims c JOIN UNNEST($1, $2) AS k (jurisdiction, id) \
             ON c.jurisdiction = k.jurisdiction AND c.id = k.id",
        )
        .bind::<Array<Text>, _>(jurisdictions)
        .bind::<Array<SqlUuid>, _>(ids)
        .load(self.pg())
        .await?;
        Ok(rows)
    }

    /// At most `limit` claims of a filter, by arrival.
    pub async fn list_claims(
        &mut self,
        filter: &ClaimFilter,
        limit: i64,
    ) -> Result<Vec<ClaimRow>, StoreError> {
        let mut query = claims::table
            .select(ClaimRow::as_select())
            .limit(limit)
            .into_boxed();
        query = match filter.jurisdictions.as_slice() {
            [] => query,
            [one] => query.filter(claims::jurisdiction.eq(one)),
            many => query.filter(claims::jurisdiction.eq_any(many)),
        };
        if let Some(merchant) = &filter.merchant {
            query = query.filter(claims::merchant.eq(merchant));
        }
        if let Some(programme) = &filter.programme {
            query = query.filter(claims::programme.eq(programme));
        }
        if let Some(status) = &filter.status {
            query = query.filter(claims::status.eq(status));
        }
        if let Some(from) = filter.created_from {
            query = query.filter(claims::created_at.ge(from));
        }
        if let Some(before) = filter.created_before {
            query = query.filter(claims::created_at.lt(before));
        }
        query = if filter.oldest_first {
            if let Some(after) = filter.before {
                query = query.filter(claims::id.gt(after));
            }
            query.order(claims::id.asc())
        } else {
            if let Some(before) = filter.before {
                query = query.filter(claims::id.lt(before));
            }
            query.order(claims::id.desc())
        };
        Ok(query.load(self.pg()).await?)
    }

    pub async fn document(
        &mut self,
        jurisdiction: &str,
        claim: Uuid,
        revision: i32,
    ) -> Result<Option<DocumentRow>, StoreError> {
        let row = claim_documents::table
            .find((jurisdiction, claim, revision))
            .select(DocumentRow::as_select())
            .first(self.pg())
            .await
            .optional()?;
        Ok(row)
    }

    /// What was last sent for each of these claims.
    pub async fn latest_documents(
        &mut self,
        keys: &[(String, Uuid)],
    ) -> Result<Vec<DocumentRow>, StoreError> {
        let (jurisdictions, ids): (Vec<_>, Vec<_>) = keys.iter().cloned().unzip();
        let rows: Vec<DocumentRow> = claim_documents::table
            .filter(claim_documents::jurisdiction.eq_any(jurisdictions))
            .filter(claim_documents::claim.eq_any(ids))
            .distinct_on((claim_documents::jurisdiction, claim_documents::claim))
            .order((
                claim_documents::jurisdiction,
                claim_documents::claim,
                claim_documents::revision.desc(),
            ))
            .select(DocumentRow::as_select())
            .load(self.pg())
            .await?;
        Ok(rows)
    }

    /// Documents sealed under another key than `key_id`, to seal them again.
    pub async fn documents_under_other_keys(
        &mut self,
        key_id: &str,
        limit: i64,
    ) -> Result<Vec<DocumentRow>, StoreError> {
        let rows = claim_documents::table
            .filter(claim_documents::key_id.ne(key_id))
            .limit(limit)
            .select(DocumentRow::as_select())
            .load(self.pg())
            .await?;
        Ok(rows)
    }

    pub async fn decision(
        &mut self,
        jurisdiction: &str,
        claim: Uuid,
        revision: i32,
    ) -> Result<Option<DecisionRow>, StoreError> {
        let row = decisions::table
            .find((jurisdiction, claim, revision))
            .select(DecisionRow::as_select())
            .first(self.pg())
            .await
            .optional()?;
        Ok(row)
    }

    pub async fn decisions(&mut self, keys: &[(String, Uuid, i32)]) -> Result<Vec<DecisionRow>, StoreError> {
        let rows: Vec<DecisionRow> = decisions::table
            .filter(decisions::jurisdiction.eq_any(keys.iter().map(|k| k.0.clone()).collect::<Vec<_>>()))
            .filter(decisions::claim.eq_any(keys.iter().map(|k| k.1).collect::<Vec<_>>()))
            .select(DecisionRow::as_select())
            .load(self.pg())
            .await?;
        let wanted: std::collections::HashSet<_> = keys.iter().cloned().collect();
        Ok(rows
            .into_iter()
            .filter(|row| wanted.contains(&(row.jurisdiction.clone(), row.claim, row.revision)))
            .collect())
    }

    /// Decisions of a county in order, for re-execution: at most `limit` after the given place.
    pub async fn decisions_after(
        &mut self,
        jurisdiction: &str,
        after: Option<(Uuid, i32)>,
        limit: i64,
    ) -> Result<Vec<DecisionRow>, StoreError> {
        let (claim, revision) = after.unwrap_or((Uuid::nil(), 0));
        let rows = decisions::table
            .filter(decisions::jurisdiction.eq(jurisdiction))
            .filter(
                decisions::claim
                    .gt(claim)
                    .or(decisions::claim.eq(claim).and(decisions::revision.gt(revision))),
            )
            .order((decisions::claim, decisions::revision))
            .limit(limit)
            .select(DecisionRow::as_select())
            .load(self.pg())
            .await?;
        Ok(rows)
    }
}

impl Conn {
    /// Funds in which a deadline for a correction has passed.
    pub async fn funds_with_overdue_corrections(
        &mut self,
        now: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<(String, String)>, StoreError> {
        Ok(claims::table
            .filter(claims::correct_by.lt(now))
            .select((claims::jurisdiction, claims::programme))
            .distinct()
            .limit(limit)
            .load(self.pg())
            .await?)
    }
}

impl Tx {
    /// Locks claims in the order of their keys and returns them as they now stand.
    pub async fn lock_claims(&mut self, keys: &[(String, Uuid)]) -> Result<Vec<ClaimRow>, StoreError> {
        let (jurisdictions, ids): (Vec<_>, Vec<_>) = keys.iter().cloned().unzip();
        let rows = Sql("SELECT c.* FROM claims c JOIN UNNEST($1, $2) AS k (jurisdiction, id) \
             ON c.jurisdiction = k.jurisdiction AND c.id = k.id ORDER BY c.jurisdiction, c.id FOR UPDATE OF c")
        .bind::<Array<Text>, _>(jurisdictions)
        .bind::<Array<SqlUuid>, _>(ids)
        .load(self.pg())
        .await?;
        Ok(rows)
    }

    /// The next part of a fund's waitlist in order of arrival. The fund must be locked.
    pub async fn waitlist(
        &mut self,
        jurisdictions: &[String],
        programme: &str,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<ClaimRow>, StoreError> {
        let rows = Sql(
            "SELECT * FROM claims WHERE jurisdiction = ANY($1) AND programme = $2 AND status = 'waitlisted' \
             AND id > $3 ORDER BY id LIMIT $4 FOR UPDATE",
        )
        .bind::<Array<Text>, _>(jurisdictions.to_vec())
        .bind::<Text, _>(programme.to_owned())
        .bind::<SqlUuid, _>(after)
        .bind::<BigInt, _>(limit)
        .load(self.pg())
        .await?;
        Ok(rows)
    }

    /// Claims of a fund whose deadline for a correction has passed; those that another transaction holds are passed over.
    pub async fn overdue_corrections(
        &mut self,
        jurisdiction: &str,
        programme: &str,
        now: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<ClaimRow>, StoreError> {
        let rows = Sql(
            "SELECT * FROM claims WHERE correct_by < $1 AND status = 'needs_correction' \
             AND jurisdiction = $2 AND programme = $3 ORDER BY correct_by LIMIT $4 FOR UPDATE SKIP LOCKED",
        )
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(jurisdiction.to_owned())
        .bind::<Text, _>(programme.to_owned())
        .bind::<BigInt, _>(limit)
        .load(self.pg())
        .await?;
        Ok(rows)
    }

    /// Claims of a fund that may be paid, oldest first, locked; those in another transaction's hands are passed over.
    pub async fn payable_claims(
        &mut self,
        jurisdiction: &str,
        programme: &str,
        limit: i64,
    ) -> Result<Vec<ClaimRow>, StoreError> {
        let rows = Sql("SELECT * FROM claims WHERE jurisdiction = $1 AND programme = $2 \
             AND status IN ('approved', 'payment_failed') ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED")
        .bind::<Text, _>(jurisdiction.to_owned())
        .bind::<Text, _>(programme.to_owned())
        .bind::<BigInt, _>(limit)
        .load(self.pg())
        .await?;
        Ok(rows)
    }

    /// Writes claims back. Each row carries its new revision, one above what was read: a claim that moved meanwhile is
    /// [`StoreError::Stale`], and nothing is written.
    pub async fn save_claims(&mut self, rows: &[ClaimRow]) -> Result<(), StoreError> {
        macro_rules! column {
            ($field:ident) => {
                rows.iter()
                    .map(|row| row.$field.clone())
                    .collect::<Vec<_>>()
            };
        }
        if rows.is_empty() {
            return Ok(());
        }
        let changed = Sql("UPDATE claims c SET programme_version = u.programme_version, status = u.status, \
             revision = u.revision, category = u.category, governing_date = u.governing_date, \
             changed_at = u.changed_at, decided = u.decided, amount = u.amount, holds = u.holds, \
             committed = u.committed, committed_month = u.committed_month, person = u.person, quota_slot = u.quota_slot, \
             waits_for = u.waits_for, correct_by = u.correct_by, reviewed_by = u.reviewed_by, \
             approved_by = u.approved_by, disbursement = u.disbursement, merchant_reference = u.merchant_reference \
             FROM UNNEST($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, \
             $21) AS u (jurisdiction, id, programme_version, status, revision, category, governing_date, changed_at, \
             decided, amount, holds, committed, committed_month, person, quota_slot, waits_for, correct_by, \
             reviewed_by, approved_by, disbursement, merchant_reference) \
             WHERE c.jurisdiction = u.jurisdiction AND c.id = u.id AND c.revision = u.revision - 1")
        .bind::<Array<Text>, _>(column!(jurisdiction))
        .bind::<Array<SqlUuid>, _>(column!(id))
        .bind::<Array<Integer>, _>(column!(programme_version))
        .bind::<Array<Text>, _>(column!(status))
        .bind::<Array<Integer>, _>(column!(revision))
        .bind::<Array<Text>, _>(column!(category))
        .bind::<Array<Nullable<Date>>, _>(column!(governing_date))
        .bind::<Array<Timestamptz>, _>(column!(changed_at))
        .bind::<Array<Integer>, _>(column!(decided))
        .bind::<Array<Nullable<BigInt>>, _>(column!(amount))
        .bind::<Array<Bool>, _>(column!(holds))
        .bind::<Array<Bool>, _>(column!(committed))
        .bind::<Array<Nullable<Text>>, _>(column!(committed_month))
        .bind::<Array<Bytea>, _>(column!(person))
        .bind::<Array<Nullable<Text>>, _>(column!(quota_slot))
        .bind::<Array<Nullable<Text>>, _>(column!(waits_for))
        .bind::<Array<Nullable<Timestamptz>>, _>(column!(correct_by))
        .bind::<Array<Nullable<Text>>, _>(column!(reviewed_by))
        .bind::<Array<Nullable<Text>>, _>(column!(approved_by))
        .bind::<Array<Nullable<SqlUuid>>, _>(column!(disbursement))
        .bind::<Array<Text>, _>(column!(merchant_reference))
        .execute(self.pg())
        .await?;
        if changed == rows.len() {
            Ok(())
        } else {
            Err(StoreError::Stale("claim"))
        }
    }

    /// Seals documents again, each under its row's key.
    pub async fn reseal_documents(&mut self, rows: &[DocumentRow]) -> Result<(), StoreError> {
        for row in rows {
            diesel::update(claim_documents::table.find((&row.jurisdiction, row.claim, row.revision)))
                .set((
                    claim_documents::key_id.eq(&row.key_id),
                    claim_documents::sealed.eq(&row.sealed),
                ))
                .execute(self.pg())
                .await?;
        }
        Ok(())
    }
}
