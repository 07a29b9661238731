//! Appropriations: one person proposes them, another approves or refuses them.

use chrono::{DateTime, Utc};
use claims::proposal::ProposalStatus;
use claims::{AppropriationId, JurisdictionCode};
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use ledger::{Fen, Source};
use uuid::Uuid;

use crate::batch::keyed_row;
use crate::columns::{County, Money, Value, Word};
use crate::schema::appropriations;
use crate::{Conn, StoreError, Tx};

keyed_row! {
    /// Money that a source gives to a fund, with its document.
    #[derive(Queryable, Selectable)]
    #[diesel(table_name = appropriations, check_for_backend(diesel::pg::Pg))]
    pub struct AppropriationRow in "appropriations" by (jurisdiction: JurisdictionCode => County, id: Uuid => SqlUuid) {
        programme: String => Text,
        source: Source => Word,
        amount: Fen => Money,
        document: String => Text,
        status: ProposalStatus => Word,
        maker: String => Text,
        made_at: DateTime<Utc> => Timestamptz,
        checker: Option<String> => Nullable<Text>,
        checked_at: Option<DateTime<Utc>> => Nullable<Timestamptz>,
        reason: Option<String> => Nullable<Text>,
    }
}

impl AppropriationRow {
    pub fn id(&self) -> AppropriationId {
        AppropriationId::new(self.jurisdiction, self.id)
    }
}

impl Conn {
    pub async fn appropriation(
        &mut self,
        id: AppropriationId,
    ) -> Result<Option<AppropriationRow>, StoreError> {
        Ok(appropriations::table
            .find((Value(id.jurisdiction), id.uuid))
            .select(AppropriationRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    /// A fund's appropriations, newest first.
    pub async fn appropriations(
        &mut self,
        jurisdiction: JurisdictionCode,
        programme: &str,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<AppropriationRow>, StoreError> {
        Ok(appropriations::table
            .filter(appropriations::jurisdiction.eq(Value(jurisdiction)))
            .filter(appropriations::programme.eq(programme))
            .filter(appropriations::id.lt(before.unwrap_or(Uuid::max())))
            .order(appropriations::id.desc())
            .limit(limit)
            .select(AppropriationRow::as_select())
            .load(self.pg())
            .await?)
    }
}

impl Tx {
    pub async fn add_appropriation(&mut self, row: &AppropriationRow) -> Result<(), StoreError> {
        row.insert_on(self.pg()).await
    }

    pub async fn lock_appropriation(
        &mut self,
        id: AppropriationId,
    ) -> Result<Option<AppropriationRow>, StoreError> {
        Ok(appropriations::table
            .find((Value(id.jurisdiction), id.uuid))
            .for_update()
            .select(AppropriationRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    pub async fn save_appropriation(&mut self, row: &AppropriationRow) -> Result<(), StoreError> {
        row.update_on(self.pg()).await
    }
}
