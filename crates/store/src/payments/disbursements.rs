//! Disbursements. Their payments stand in [`crate::payments`].

use chrono::{DateTime, Utc};
use claims::payments::DisbursementStatus;
use claims::{DisbursementId, JurisdictionCode};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Bytea, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use ledger::Fen;
use uuid::Uuid;

use crate::batch::keyed_row;
use crate::columns::{County, Money, Value, Word};
use crate::schema::disbursements;
use crate::{Conn, StoreError, Tx};

keyed_row! {
    /// A payout of a fund's payable claims. `account` is the revision of the county's own,
    /// `per_file` how many payments a file has, `digest` of what was released.
    #[derive(Queryable, Selectable)]
    #[diesel(table_name = disbursements, check_for_backend(diesel::pg::Pg))]
    pub struct DisbursementRow in "disbursements"
        by (jurisdiction: JurisdictionCode => County, id: Uuid => SqlUuid)
    {
        programme: String => Text,
        status: DisbursementStatus => Word,
        revision: i32 => Integer,
        claims: i32 => Integer,
        total: Fen => Money,
        maker: String => Text,
        made_at: DateTime<Utc> => Timestamptz,
        releaser: Option<String> => Nullable<Text>,
        released_at: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        closed_at: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        payments: i32 => Integer,
        needs_three: bool => Bool,
        countersigner: Option<String> => Nullable<Text>,
        countersigned_at: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        account: Option<i32> => Nullable<Integer>,
        per_file: Option<i32> => Nullable<Integer>,
        digest: Option<Vec<u8>> => Nullable<Bytea>,
    }
}

impl DisbursementRow {
    pub fn id(&self) -> DisbursementId {
        DisbursementId::new(self.jurisdiction, self.id)
    }
}

impl Conn {
    pub async fn disbursement(&mut self, id: DisbursementId) -> Result<Option<DisbursementRow>, StoreError> {
        Ok(disbursements::table
            .find((Value(id.jurisdiction), id.uuid))
            .select(DisbursementRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    /// Disbursements of these counties (empty: all), newest first.
    pub async fn disbursements(
        &mut self,
        jurisdictions: &[JurisdictionCode],
        programme: Option<&str>,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<DisbursementRow>, StoreError> {
        let mut query = disbursements::table
            .filter(disbursements::id.lt(before.unwrap_or(Uuid::max())))
            .order(disbursements::id.desc())
            .limit(limit)
            .select(DisbursementRow::as_select())
            .into_boxed();
        if !jurisdictions.is_empty() {
            query =
                query.filter(disbursements::jurisdiction.eq_any(jurisdictions.iter().cloned().map(Value)));
        }
        if let Some(programme) = programme {
            query = query.filter(disbursements::programme.eq(programme.to_owned()));
        }
        Ok(query.load(self.pg()).await?)
    }
}

impl Tx {
    pub async fn add_disbursement(&mut self, row: &DisbursementRow) -> Result<(), StoreError> {
        row.insert_on(self.pg()).await
    }

    pub async fn lock_disbursement(
        &mut self,
        id: DisbursementId,
    ) -> Result<Option<DisbursementRow>, StoreError> {
        Ok(disbursements::table
            .find((Value(id.jurisdiction), id.uuid))
            .for_update()
            .select(DisbursementRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    pub async fn save_disbursement(&mut self, row: &DisbursementRow) -> Result<(), StoreError> {
        row.update_on(self.pg()).await
    }
}
