//! Exactly once for what is created by hand: the first answer to an idempotency key is kept with the request's hash, in the
//! transaction that did the work, and given again.

use serde::Serialize;
use serde::de::DeserializeOwned;
use store::Tx;
use store::operation::IdempotencyRow;

use super::access::Actor;
use super::error::{Refusal, ServiceError};
use crate::Service;

/// An idempotency key and the SHA-256 of the request it came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub key: String,
    pub request: [u8; 32],
}

/// What a caller gets who may be asking again: the first answer, and whether it is a repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayable<T> {
    pub value: T,
    pub replayed: bool,
}

impl Service {
    /// The first answer, if the key was used before. Refuses a key that came with another request.
    pub(crate) async fn answered<T: DeserializeOwned>(
        &self,
        conn: &mut store::Conn,
        actor: &Actor,
        key: &Key,
    ) -> Result<Option<Replayable<T>>, ServiceError> {
        let rows = conn
            .idempotency_keys(&actor.client, std::slice::from_ref(&key.key))
            .await?;
        let Some(row) = rows.into_iter().next() else {
            return Ok(None);
        };
        let answer = row
            .answer
            .filter(|_| row.request == key.request)
            .ok_or(Refusal::IdempotencyKeyReused)?;
        let value = serde_json::from_str(&answer).map_err(ServiceError::bug)?;
        Ok(Some(Replayable {
            value,
            replayed: true,
        }))
    }

    /// Keeps the first answer. Two requests that race with one key: the loser's transaction fails and, run again, finds
    /// the winner's answer.
    pub(crate) async fn keep_answer<T: Serialize>(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        key: &Key,
        operation: &str,
        answer: &T,
    ) -> Result<(), ServiceError> {
        let row = IdempotencyRow {
            client: actor.client.clone(),
            key: key.key.clone(),
            request: key.request.to_vec(),
            operation: operation.to_owned(),
            claim_jurisdiction: None,
            claim: None,
            answer: Some(serde_json::to_string(answer).map_err(ServiceError::bug)?),
            created_at: self.clock().now(),
        };
        IdempotencyRow::insert(tx, &[row]).await?;
        Ok(())
    }
}
