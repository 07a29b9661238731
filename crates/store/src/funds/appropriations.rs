//! Appropriations: one person proposes them, another approves or refuses them.

use claims::proposal::ProposalStatus;
use claims::{AppropriationId, JurisdictionCode};
use diesel::prelude::*;
use diesel::sql_types::{Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use ledger::{Fen, Source};
use uuid::Uuid;

use crate::columns::{County, Money, Value, Word};
use crate::operation::proposal_row;
use crate::schema::appropriations;
use crate::{Conn, StoreError, Tx};

proposal_row! {
    /// Money that a source gives to a fund, with its document.
    pub struct AppropriationRow in appropriations = "appropriations"
        by (jurisdiction: JurisdictionCode => County, id: Uuid => SqlUuid)
    {
        programme: String => Text,
        source: Source => Word,
        amount: Fen => Money,
        document: String => Text,
    }
    signed ProposalStatus: (status, maker, made_at, checker, checked_at, reason)
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
