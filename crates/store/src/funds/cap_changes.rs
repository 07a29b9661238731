//! Changes of caps: one person proposes them, another approves or refuses them.

use claims::proposal::ProposalStatus;
use claims::{CapChangeId, JurisdictionCode};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::prelude::*;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::{Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use ledger::Fen;
use uuid::Uuid;

use crate::columns::{County, Value};
use crate::operation::proposal_row;
use crate::schema::cap_changes;
use crate::{Conn, StoreError, Tx};

/// Ceilings by scope, in the order they were proposed in. Kept as JSON: `[["whole", 70000000]]`, in fen.
#[derive(Debug, Clone, PartialEq, Eq, FromSqlRow, AsExpression)]
#[diesel(sql_type = Text)]
pub struct ProposedCaps(pub Vec<(String, Fen)>);

impl FromSql<Text, Pg> for ProposedCaps {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let caps: Vec<(String, i64)> = serde_json::from_slice(value.as_bytes())?;
        let caps = caps
            .into_iter()
            .map(|(scope, ceiling)| Ok((scope, Fen::new(ceiling)?)));
        Ok(Self(caps.collect::<deserialize::Result<_>>()?))
    }
}

impl ToSql<Text, Pg> for ProposedCaps {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let caps: Vec<(&str, i64)> = self
            .0
            .iter()
            .map(|(scope, it)| (scope.as_str(), it.get()))
            .collect();
        serde_json::to_writer(out, &caps)?;
        Ok(serialize::IsNull::No)
    }
}

proposal_row! {
    /// A proposal that replaces all caps of a jurisdiction and programme.
    pub struct CapChangeRow in cap_changes = "cap_changes"
        by (jurisdiction: JurisdictionCode => County, id: Uuid => SqlUuid)
    {
        programme: String => Text,
        caps: ProposedCaps => Text,
        document: String => Text,
    }
    signed ProposalStatus: (status, maker, made_at, checker, checked_at, reason)
}

impl Conn {
    pub async fn cap_change(&mut self, id: CapChangeId) -> Result<Option<CapChangeRow>, StoreError> {
        Ok(cap_changes::table
            .find((Value(id.jurisdiction), id.uuid))
            .select(CapChangeRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    pub async fn cap_changes(
        &mut self,
        jurisdiction: JurisdictionCode,
        programme: &str,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<CapChangeRow>, StoreError> {
        Ok(cap_changes::table
            .filter(cap_changes::jurisdiction.eq(Value(jurisdiction)))
            .filter(cap_changes::programme.eq(programme))
            .filter(cap_changes::id.lt(before.unwrap_or(Uuid::max())))
            .order(cap_changes::id.desc())
            .limit(limit)
            .select(CapChangeRow::as_select())
            .load(self.pg())
            .await?)
    }
}

impl Tx {
    pub async fn add_cap_change(&mut self, row: &CapChangeRow) -> Result<(), StoreError> {
        row.insert_on(self.pg()).await
    }

    pub async fn lock_cap_change(&mut self, id: CapChangeId) -> Result<Option<CapChangeRow>, StoreError> {
        Ok(cap_changes::table
            .find((Value(id.jurisdiction), id.uuid))
            .for_update()
            .select(CapChangeRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }

    pub async fn save_cap_change(&mut self, row: &CapChangeRow) -> Result<(), StoreError> {
        row.update_on(self.pg()).await
    }
}
