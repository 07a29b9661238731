//! Claims as they stand now, what was sent, what was decided, and what a claim holds or owes.
//!
//! A claim has one row that is rewritten and one row a revision, its decision, that never changes.
//! Both, with the claim's unique keys, quota and money, are written by one unit of work under the
//! lock of the county's ledger ([`group_commit`]); a claim that holds a key or a place in a quota
//! holds it by a primary key or a CHECK, whatever else is asked for at the same moment
//! ([`holdings`]). What is due back of a paid claim stands in [`clawbacks`].
//!
//! A batch takes four round trips for any number of its claims; lists are pages in the order of
//! arrival, and a list by status is the merge of its programmes' queues, so that none reads more
//! than the page.

pub mod clawbacks;
pub mod group_commit;
pub mod holdings;

use ::claims::life_cycle::Status;
use ::claims::{ClaimId, Digest, JurisdictionCode};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Bool, Bytea, Date, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use ledger::Fen;
use ledger::log::Hash;
use ledger::log::{Decision, Leaf};
use policy::Outcome;
use uuid::Uuid;

use crate::batch::{Bind, Sql, batch_insert};
use crate::columns::{self, County, Money, Value, Word};
use crate::schema::{claims, decisions};
use crate::{Conn, StoreError, Tx};

batch_insert! {
    /// A claim as it stands. `committed` says that its amount counts in fund and caps, since
    /// `committed_month` (`yyyy-mm`); `waits_for` names the limit that a waitlisted claim lacks;
    /// `decided` is the revision whose decision stands; `to_merchant` that its merchant is paid.
    /// Primary key: `jurisdiction`, `id`.
    #[derive(Queryable, Selectable, QueryableByName)]
    #[diesel(table_name = claims, check_for_backend(diesel::pg::Pg))]
    pub struct ClaimRow in "claims" {
        jurisdiction: JurisdictionCode => County,
        id: Uuid => SqlUuid,
        programme: String => Text,
        programme_version: i32 => Integer,
        status: Status => Word,
        revision: i32 => Integer,
        merchant: String => Text,
        merchant_reference: String => Text,
        client: String => Text,
        category: String => Text,
        governing_date: Option<NaiveDate> => Nullable<Date>,
        created_at: DateTime<Utc> => Timestamptz,
        changed_at: DateTime<Utc> => Timestamptz,
        decided: i32 => Integer,
        amount: Option<Fen> => Nullable<Money>,
        holds: bool => Bool,
        committed: bool => Bool,
        committed_month: Option<String> => Nullable<Text>,
        person: Digest => columns::Digest,
        quota_slot: Option<String> => Nullable<Text>,
        waits_for: Option<String> => Nullable<Text>,
        correct_by: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        reviewed_by: Option<String> => Nullable<Text>,
        approved_by: Option<String> => Nullable<Text>,
        disbursement: Option<Uuid> => Nullable<SqlUuid>,
        to_merchant: bool => Bool,
    }
}

batch_insert! {
    /// What was sent with a revision, sealed under `key_id`, and what was decided on it: the
    /// receipt with the SHA-256 of its canonical JSON. Both texts are packed as `packing` says.
    /// Primary key: `jurisdiction`, `claim`, `revision`.
    #[derive(Queryable, Selectable, QueryableByName)]
    #[diesel(table_name = decisions, check_for_backend(diesel::pg::Pg))]
    pub struct DecisionRow in "decisions" {
        jurisdiction: JurisdictionCode => County,
        claim: Uuid => SqlUuid,
        revision: i32 => Integer,
        outcome: Outcome => Word,
        receipt: Vec<u8> => Bytea,
        digest: Hash => columns::Digest,
        decided_at: DateTime<Utc> => Timestamptz,
        packing: i16 => SmallInt,
        key_id: String => Text,
        sealed: Vec<u8> => Bytea,
        /// Its place in the county's log, given out when it is written.
        leaf: i64 => BigInt,
        /// What the claim holds: see [`ledger::log::Decision`].
        keys: Vec<u8> => Bytea,
    }
}

impl ClaimRow {
    pub fn id(&self) -> ClaimId {
        ClaimId::new(self.jurisdiction, self.id)
    }
}

impl DecisionRow {
    pub fn claim(&self) -> ClaimId {
        ClaimId::new(self.jurisdiction, self.claim)
    }
}

/// Which claims a list is about. A list of one merchant's claims is read in the order of its own
/// index, any other as the merge of its queues (county, programme, status), each read in order: so
/// a list that names a programme or a status names some of both.
#[derive(Debug, Clone, Default)]
pub struct ClaimFilter {
    /// The counties; empty means all, for a merchant's list only.
    pub jurisdictions: Vec<String>,
    pub merchant: Option<String>,
    /// Empty means any.
    pub programmes: Vec<String>,
    /// Empty means any.
    pub statuses: Vec<Status>,
    pub created_from: Option<DateTime<Utc>>,
    pub created_before: Option<DateTime<Utc>>,
    /// The last row of the page before.
    pub after: Option<Uuid>,
    /// Otherwise from the newest claim to the oldest.
    pub oldest_first: bool,
}

impl ClaimFilter {
    /// The ids between which the claims lie, both excluded.
    pub(crate) fn bounds(&self) -> (Uuid, Uuid) {
        let (mut low, mut high) = crate::ids::between(self.created_from, self.created_before);
        if let Some(after) = self.after {
            if self.oldest_first {
                low = low.max(after);
            } else {
                high = high.min(after);
            }
        }
        (low, high)
    }
}

/// Every list takes the same nine values, whether it has use for them or not.
macro_rules! list {
    ($name:ident = $from:literal $keys:literal $order:literal) => {
        const $name: Sql = Sql(concat!(
            "SELECT c.* FROM ",
            $from,
            "(SELECT * FROM claims WHERE ",
            $keys,
            " AND id > $4 AND id < $5 AND created_at >= $6 AND ($7::timestamptz IS NULL OR created_at < $7) \
             ORDER BY id ",
            $order,
            " LIMIT $8) AS c WHERE $1::text[] IS NOT NULL AND $2::text[] IS NOT NULL AND $3::text[] IS NOT NULL \
             AND ($9::text IS NULL OR c.merchant = $9) ORDER BY c.id ",
            $order,
            " LIMIT $8"
        ));
    };
}
list!(MERCHANT_OLDEST = "" "merchant = $9 AND (cardinality($1) = 0 OR jurisdiction = ANY($1)) AND (cardinality($2) = 0 OR programme = ANY($2)) AND (cardinality($3) = 0 OR status = ANY($3))" "");
list!(MERCHANT_NEWEST = "" "merchant = $9 AND (cardinality($1) = 0 OR jurisdiction = ANY($1)) AND (cardinality($2) = 0 OR programme = ANY($2)) AND (cardinality($3) = 0 OR status = ANY($3))" "DESC");
list!(COUNTY_OLDEST = "UNNEST($1) AS j CROSS JOIN LATERAL " "jurisdiction = j" "");
list!(COUNTY_NEWEST = "UNNEST($1) AS j CROSS JOIN LATERAL " "jurisdiction = j" "DESC");
list!(QUEUE_OLDEST = "UNNEST($1) AS j CROSS JOIN UNNEST($2) AS p CROSS JOIN UNNEST($3) AS s CROSS JOIN LATERAL " "jurisdiction = j AND programme = p AND status = s" "");
list!(QUEUE_NEWEST = "UNNEST($1) AS j CROSS JOIN UNNEST($2) AS p CROSS JOIN UNNEST($3) AS s CROSS JOIN LATERAL " "jurisdiction = j AND programme = p AND status = s" "DESC");

impl DecisionRow {
    /// Its leaf in the county's log.
    pub fn leaf(&self) -> Leaf<'_> {
        Leaf::Decision(Decision {
            jurisdiction: self.jurisdiction.as_str(),
            claim: self.claim.into_bytes(),
            revision: self.revision.into(),
            outcome: self.outcome.as_str(),
            receipt: self.digest.0,
            keys: &self.keys,
            decided_at: self.decided_at.timestamp_micros(),
        })
    }
}

impl Conn {
    pub async fn claim(&mut self, id: ClaimId) -> Result<Option<ClaimRow>, StoreError> {
        let row = claims::table
            .find((Value(id.jurisdiction), id.uuid))
            .select(ClaimRow::as_select())
            .first(self.pg())
            .await
            .optional()?;
        Ok(row)
    }

    /// The claims with these ids, whichever exist, in any order.
    pub async fn claims_by_id(&mut self, ids: &[ClaimId]) -> Result<Vec<ClaimRow>, StoreError> {
        let (jurisdictions, ids) = keys(ids);
        let rows = Sql(
            "SELECT c.* FROM claims c JOIN UNNEST($1, $2) AS k (jurisdiction, id) \
             ON c.jurisdiction = k.jurisdiction AND c.id = k.id",
        )
        .bind::<Array<County>, _>(jurisdictions)
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
        let (low, high) = filter.bounds();
        let list = match (&filter.merchant, filter.oldest_first) {
            (Some(_), true) => MERCHANT_OLDEST,
            (Some(_), false) => MERCHANT_NEWEST,
            (None, oldest) if filter.programmes.is_empty() => {
                if oldest {
                    COUNTY_OLDEST
                } else {
                    COUNTY_NEWEST
                }
            }
            (None, true) => QUEUE_OLDEST,
            (None, false) => QUEUE_NEWEST,
        };
        let rows = list
            .bind::<Array<Text>, _>(filter.jurisdictions.clone())
            .bind::<Array<Text>, _>(filter.programmes.clone())
            .bind::<Array<Word>, _>(filter.statuses.clone())
            .bind::<SqlUuid, _>(low)
            .bind::<SqlUuid, _>(high)
            .bind::<Timestamptz, _>(filter.created_from.unwrap_or(DateTime::UNIX_EPOCH))
            .bind::<Nullable<Timestamptz>, _>(filter.created_before)
            .bind::<BigInt, _>(limit)
            .bind::<Nullable<Text>, _>(filter.merchant.clone())
            .load(self.pg())
            .await?;
        Ok(rows)
    }

    /// The decisions made on what was last sent for each of these claims.
    pub async fn latest_decisions(&mut self, ids: &[ClaimId]) -> Result<Vec<DecisionRow>, StoreError> {
        let (jurisdictions, ids) = keys(ids);
        let rows = Sql(
            "SELECT d.* FROM UNNEST($1, $2) AS k (jurisdiction, claim) CROSS JOIN LATERAL (SELECT * FROM decisions d \
             WHERE d.jurisdiction = k.jurisdiction AND d.claim = k.claim ORDER BY d.revision DESC LIMIT 1) AS d",
        )
        .bind::<Array<County>, _>(jurisdictions)
        .bind::<Array<SqlUuid>, _>(ids)
        .load(self.pg())
        .await?;
        Ok(rows)
    }

    pub async fn decision(
        &mut self,
        claim: ClaimId,
        revision: i32,
    ) -> Result<Option<DecisionRow>, StoreError> {
        let row = decisions::table
            .find((Value(claim.jurisdiction), claim.uuid, revision))
            .select(DecisionRow::as_select())
            .first(self.pg())
            .await
            .optional()?;
        Ok(row)
    }

    /// The decisions of these revisions, whichever exist, in any order.
    pub async fn decisions(&mut self, revisions: &[(ClaimId, i32)]) -> Result<Vec<DecisionRow>, StoreError> {
        let (ids, revisions): (Vec<_>, Vec<_>) = revisions.iter().copied().unzip();
        let (jurisdictions, ids) = keys(&ids);
        let rows = Sql(
            "SELECT d.* FROM decisions d JOIN UNNEST($1, $2, $3) AS k (jurisdiction, claim, revision) \
             ON d.jurisdiction = k.jurisdiction AND d.claim = k.claim AND d.revision = k.revision",
        )
        .bind::<Array<County>, _>(jurisdictions)
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<Array<Integer>, _>(revisions)
        .load(self.pg())
        .await?;
        Ok(rows)
    }

    /// The revisions at which a claim was decided, in order, each with the SHA-256 of its receipt.
    pub async fn decision_digests(&mut self, claim: ClaimId) -> Result<Vec<(i32, Hash)>, StoreError> {
        Ok(decisions::table
            .filter(decisions::jurisdiction.eq(Value(claim.jurisdiction)))
            .filter(decisions::claim.eq(claim.uuid))
            .order(decisions::revision)
            .limit(10_000)
            .select((decisions::revision, decisions::digest))
            .load(self.pg())
            .await?)
    }

    /// Decisions of a county in order, to walk all of them: at most `limit` after the given place.
    pub async fn decisions_after(
        &mut self,
        jurisdiction: JurisdictionCode,
        after: Option<(Uuid, i32)>,
        limit: i64,
    ) -> Result<Vec<DecisionRow>, StoreError> {
        let (claim, revision) = after.unwrap_or((Uuid::nil(), 0));
        let rows = decisions::table
            .filter(decisions::jurisdiction.eq(Value(jurisdiction)))
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
    /// Funds in which a deadline for a correction has passed, those of the `limit` that passed
    /// first.
    pub async fn funds_with_overdue_corrections(
        &mut self,
        now: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<(String, String)>, StoreError> {
        #[derive(QueryableByName)]
        struct Fund {
            #[diesel(sql_type = Text)]
            jurisdiction: String,
            #[diesel(sql_type = Text)]
            programme: String,
        }
        let funds: Vec<Fund> = Sql(
            "SELECT DISTINCT o.jurisdiction, o.programme FROM (SELECT jurisdiction, programme \
             FROM claims WHERE correct_by < $1 ORDER BY correct_by LIMIT $2) AS o",
        )
        .bind::<Timestamptz, _>(now)
        .bind::<BigInt, _>(limit)
        .load(self.pg())
        .await?;
        Ok(funds
            .into_iter()
            .map(|fund| (fund.jurisdiction, fund.programme))
            .collect())
    }
}

/// Which payable claims of a fund are gathered.
#[derive(Debug, Clone, Copy)]
pub struct Payable<'a> {
    pub jurisdiction: &'a str,
    pub programme: &'a str,
    pub merchant: Option<&'a str>,
    /// Payable since before this instant.
    pub since_before: Option<DateTime<Utc>>,
    pub limit: i64,
}

impl Tx {
    /// Locks claims in the order of their keys and returns them as they now stand.
    pub async fn lock_claims(&mut self, ids: &[ClaimId]) -> Result<Vec<ClaimRow>, StoreError> {
        let (jurisdictions, ids) = keys(ids);
        let rows = Sql("SELECT c.* FROM claims c JOIN UNNEST($1, $2) AS k (jurisdiction, id) \
             ON c.jurisdiction = k.jurisdiction AND c.id = k.id ORDER BY c.jurisdiction, c.id FOR UPDATE OF c")
        .bind::<Array<County>, _>(jurisdictions)
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

    /// Lets claims that wait for these limits (`<jurisdiction>/<scope>`), which are gone, wait for
    /// the fund of their county, and returns them. The counties' ledgers must be locked.
    pub async fn wait_for_funds(
        &mut self,
        counties: &[String],
        programme: &str,
        gone: &[String],
    ) -> Result<Vec<ClaimRow>, StoreError> {
        let rows = Sql(
            "UPDATE claims SET waits_for = jurisdiction || '/', revision = revision + 1 \
             WHERE jurisdiction = ANY($1) AND programme = $2 AND waits_for IS NOT NULL AND waits_for = ANY($3) \
             RETURNING *",
        )
        .bind::<Array<Text>, _>(counties.to_vec())
        .bind::<Text, _>(programme.to_owned())
        .bind::<Array<Text>, _>(gone.to_vec())
        .load(self.pg())
        .await?;
        Ok(rows)
    }

    /// Claims of a fund whose deadline for a correction has passed; those that another transaction
    /// holds are passed over.
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

    /// Payable claims of a fund, oldest first, locked; those that another gathers at this moment,
    /// or that a hold keeps out, are passed over.
    pub async fn payable_claims(&mut self, asked: &Payable<'_>) -> Result<Vec<ClaimRow>, StoreError> {
        let rows = Sql("SELECT c.* FROM claims c WHERE c.jurisdiction = $1 AND c.programme = $2 \
             AND c.status IN ('approved', 'payment_failed') AND ($3 IS NULL OR c.merchant = $3) \
             AND ($4 IS NULL OR c.changed_at < $4) \
             AND NOT EXISTS (SELECT FROM holds h WHERE h.jurisdiction = c.jurisdiction AND h.lifter IS NULL \
                 AND (h.programme IS NULL OR h.programme = c.programme) \
                 AND (h.merchant IS NULL OR h.merchant = c.merchant) AND (h.claim IS NULL OR h.claim = c.id)) \
             ORDER BY c.id LIMIT $5 FOR UPDATE OF c SKIP LOCKED")
        .bind::<Text, _>(asked.jurisdiction.to_owned())
        .bind::<Text, _>(asked.programme.to_owned())
        .bind::<Nullable<Text>, _>(asked.merchant.map(str::to_owned))
        .bind::<Nullable<Timestamptz>, _>(asked.since_before)
        .bind::<BigInt, _>(asked.limit)
        .load(self.pg())
        .await?;
        Ok(rows)
    }

    /// How many claims of a disbursement a hold keeps out by now.
    pub async fn held_claims(&mut self, jurisdiction: &str, disbursement: Uuid) -> Result<i64, StoreError> {
        #[derive(QueryableByName)]
        struct Held {
            #[diesel(sql_type = BigInt)]
            claims: i64,
        }
        let held: Held = Sql(
            "SELECT count(*) AS claims FROM claims c WHERE c.jurisdiction = $1 AND c.disbursement = $2 \
             AND EXISTS (SELECT FROM holds h WHERE h.jurisdiction = c.jurisdiction AND h.lifter IS NULL \
                 AND (h.programme IS NULL OR h.programme = c.programme) \
                 AND (h.merchant IS NULL OR h.merchant = c.merchant) AND (h.claim IS NULL OR h.claim = c.id))",
        )
        .bind::<Text, _>(jurisdiction.to_owned())
        .bind::<SqlUuid, _>(disbursement)
        .get_result(self.pg())
        .await?;
        Ok(held.claims)
    }

    /// Writes claims back. Each row carries its new revision, one above what was read: a claim that
    /// moved meanwhile is [`StoreError::Stale`], and nothing is written.
    pub async fn save_claims(&mut self, rows: &[ClaimRow]) -> Result<(), StoreError> {
        save_claims(self.pg(), rows).await
    }

    /// Seals again what was sent, each under its row's key.
    pub async fn reseal(&mut self, rows: &[DecisionRow]) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        Sql("UPDATE decisions d SET key_id = u.key_id, sealed = u.sealed \
             FROM UNNEST($1, $2, $3, $4, $5) AS u (jurisdiction, claim, revision, key_id, sealed) \
             WHERE d.jurisdiction = u.jurisdiction AND d.claim = u.claim AND d.revision = u.revision")
        .bind::<Array<County>, _>(rows.iter().map(|row| row.jurisdiction).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.claim).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(rows.iter().map(|row| row.revision).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.key_id.clone()).collect::<Vec<_>>())
        .bind::<Array<Bytea>, _>(rows.iter().map(|row| row.sealed.clone()).collect::<Vec<_>>())
        .execute(self.pg())
        .await?;
        Ok(())
    }
}

/// The ids as two columns.
fn keys(ids: &[ClaimId]) -> (Vec<JurisdictionCode>, Vec<Uuid>) {
    ids.iter().map(|id| (id.jurisdiction, id.uuid)).unzip()
}

/// [`Tx::save_claims`] as one of several statements that are on their way at once.
pub(crate) async fn save_claims(mut pg: &AsyncPgConnection, rows: &[ClaimRow]) -> Result<(), StoreError> {
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
         approved_by = u.approved_by, disbursement = u.disbursement, merchant_reference = u.merchant_reference, \
         to_merchant = u.to_merchant \
         FROM UNNEST($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, \
         $21, $22) AS u (jurisdiction, id, programme_version, status, revision, category, governing_date, changed_at, \
         decided, amount, holds, committed, committed_month, person, quota_slot, waits_for, correct_by, \
         reviewed_by, approved_by, disbursement, merchant_reference, to_merchant) \
         WHERE c.jurisdiction = u.jurisdiction AND c.id = u.id AND c.revision = u.revision - 1")
    .bind::<Array<County>, _>(column!(jurisdiction))
    .bind::<Array<SqlUuid>, _>(column!(id))
    .bind::<Array<Integer>, _>(column!(programme_version))
    .bind::<Array<Word>, _>(column!(status))
    .bind::<Array<Integer>, _>(column!(revision))
    .bind::<Array<Text>, _>(column!(category))
    .bind::<Array<Nullable<Date>>, _>(column!(governing_date))
    .bind::<Array<Timestamptz>, _>(column!(changed_at))
    .bind::<Array<Integer>, _>(column!(decided))
    .bind::<Array<Nullable<Money>>, _>(column!(amount))
    .bind::<Array<Bool>, _>(column!(holds))
    .bind::<Array<Bool>, _>(column!(committed))
    .bind::<Array<Nullable<Text>>, _>(column!(committed_month))
    .bind::<Array<columns::Digest>, _>(column!(person))
    .bind::<Array<Nullable<Text>>, _>(column!(quota_slot))
    .bind::<Array<Nullable<Text>>, _>(column!(waits_for))
    .bind::<Array<Nullable<Timestamptz>>, _>(column!(correct_by))
    .bind::<Array<Nullable<Text>>, _>(column!(reviewed_by))
    .bind::<Array<Nullable<Text>>, _>(column!(approved_by))
    .bind::<Array<Nullable<SqlUuid>>, _>(column!(disbursement))
    .bind::<Array<Text>, _>(column!(merchant_reference))
    .bind::<Array<Bool>, _>(column!(to_merchant))
    .execute(&mut pg)
    .await?;
    if changed == rows.len() {
        Ok(())
    } else {
        Err(StoreError::Stale("claim"))
    }
}
