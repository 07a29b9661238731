//! Clients: the credentials that ask for tokens.

use chrono::{DateTime, Utc};
use claims::clients::{ClientStatus, Role};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::columns::Value;
use crate::schema::clients;
use crate::{Conn, StoreError, Tx};

/// A credential. `secret_hash` is a PHC string of argon2id.
/// Primary key: `id`.
#[derive(Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = clients, check_for_backend(diesel::pg::Pg), treat_none_as_null = true)]
pub struct ClientRow {
    pub id: String,
    pub secret_hash: String,
    #[diesel(serialize_as = Value<Role>)]
    pub role: Role,
    pub person: String,
    pub merchant: Option<String>,
    pub jurisdictions: Vec<String>,
    #[diesel(serialize_as = Value<ClientStatus>)]
    pub status: ClientStatus,
    pub created_at: DateTime<Utc>,
}

impl std::fmt::Debug for ClientRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientRow")
            .field("id", &self.id)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl Conn {
    pub async fn client(&mut self, id: &str) -> Result<Option<ClientRow>, StoreError> {
        Ok(clients::table
            .find(id)
            .select(ClientRow::as_select())
            .first(self.pg())
            .await
            .optional()?)
    }
}

impl Tx {
    pub async fn save_client(&mut self, row: &ClientRow) -> Result<(), StoreError> {
        diesel::insert_into(clients::table)
            .values(row.clone())
            .on_conflict(clients::id)
            .do_update()
            .set(row.clone())
            .execute(self.pg())
            .await?;
        Ok(())
    }
}
