//! Exactly once for what is created by hand: the first answer to an idempotency key is kept with the request's hash, in the
//! transaction that did the work, and given again.

use chrono::{DateTime, Utc};
use claims::ids::ClaimId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::Tx;
use store::claims::ClaimRow;
use store::journal::IdempotencyRow;
use uuid::Uuid;

use crate::state::ClaimState;
use crate::{Actor, Refusal, Replayable, Service, ServiceError};

/// An idempotency key and the SHA-256 of the request it came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub key: String,
    pub request: [u8; 32],
}

/// How a move left a claim: enough to give the first answer again, whatever came later.
#[derive(Serialize, Deserialize)]
struct Moved {
    claim: String,
    status: String,
    revision: i32,
    decided: i32,
    changed_at: DateTime<Utc>,
    amount: Option<i64>,
    correct_by: Option<DateTime<Utc>>,
    waits_for: Option<String>,
    disbursement: Option<Uuid>,
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

    /// The claim as a move with this key first left it, if the key was used before.
    pub(crate) async fn moved_before(
        &self,
        conn: &mut store::Conn,
        actor: &Actor,
        key: Option<&Key>,
    ) -> Result<Option<ClaimState>, ServiceError> {
        let Some(key) = key else { return Ok(None) };
        let Some(first) = self.answered::<Moved>(conn, actor, key).await? else {
            return Ok(None);
        };
        let first = first.value;
        let id = ClaimId::parse(&first.claim).map_err(ServiceError::bug)?;
        let row = conn.claim(id.jurisdiction.as_str(), id.uuid).await?;
        let mut row = row.ok_or_else(|| ServiceError::bug("a remembered claim is gone"))?;
        row.status = first.status;
        (row.revision, row.decided) = (first.revision, first.decided);
        row.changed_at = first.changed_at;
        (row.amount, row.correct_by) = (first.amount, first.correct_by);
        (row.waits_for, row.disbursement) = (first.waits_for, first.disbursement);
        Ok(Some(self.detail(conn, &row).await?))
    }

    /// Keeps how a move left a claim, if it came with a key.
    pub(crate) async fn keep_move(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        key: Option<&Key>,
        operation: &str,
        row: &ClaimRow,
    ) -> Result<(), ServiceError> {
        let Some(key) = key else { return Ok(()) };
        let moved = Moved {
            claim: crate::recording::claim_subject(row)?,
            status: row.status.clone(),
            revision: row.revision,
            decided: row.decided,
            changed_at: row.changed_at,
            amount: row.amount,
            correct_by: row.correct_by,
            waits_for: row.waits_for.clone(),
            disbursement: row.disbursement,
        };
        self.keep_answer(tx, actor, key, operation, &moved).await
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
