//! Exactly once for what is created by hand: the first answer to an idempotency key is kept with the request's hash, in
//! the transaction that did the work, and given again.

use chrono::{DateTime, Utc};
use claims::JurisdictionCode;
use claims::ids::{
    AdvanceId, AppropriationId, ClaimId, DisbursementId, DraftId, HoldId, PaymentId, SampleId, WaiverId,
    WebhookId,
};
use claims::life_cycle::Status;
use claims::payments::{AdvanceStatus, DisbursementStatus};
use claims::proposal::ProposalStatus;
use ledger::{Fen, Source};
use serde_json::{Map, Value};
use store::operation::IdempotencyRow;
use store::{Conn, Tx};
use uuid::Uuid;

use super::access::Actor;
use super::error::{Refusal, ServiceError};

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

/// An answer that is kept under a key, as `{"kind": "appropriation.1", "answer": {…}}`. Declared by [`stored_answer!`],
/// apart from the type that the service works with: what stands in the database is changed by a new kind only.
pub(crate) trait StoredAnswer: Sized {
    /// Its name and version.
    const KIND: &'static str;
    fn store(&self) -> Result<Map<String, Value>, ServiceError>;
    fn restore(answer: Map<String, Value>) -> Option<Self>;
}

/// Declares which members of a type are kept under a key, all of which there are, and as which kind.
macro_rules! stored_answer {
    ($kind:literal => $ty:ty { $($field:ident),+ $(,)? }) => {
        impl $crate::operation::StoredAnswer for $ty {
            const KIND: &'static str = $kind;

            fn store(&self) -> Result<serde_json::Map<String, serde_json::Value>, $crate::operation::ServiceError> {
                let mut answer = serde_json::Map::new();
                $(answer.insert(stringify!($field).into(), $crate::operation::Kept::keep(&self.$field)?);)+
                Ok(answer)
            }

            fn restore(mut answer: serde_json::Map<String, serde_json::Value>) -> Option<Self> {
                Some(Self {
                    $($field: $crate::operation::Kept::give_back(answer.remove(stringify!($field))?)?,)+
                })
            }
        }
    };
}
pub(crate) use stored_answer;

/// A member of a [`StoredAnswer`].
pub(crate) trait Kept: Sized {
    fn keep(&self) -> Result<Value, ServiceError>;
    fn give_back(value: Value) -> Option<Self>;
}

macro_rules! kept_by_serde {
    ($($ty:ty),+) => { $(
        impl Kept for $ty {
            fn keep(&self) -> Result<Value, ServiceError> {
                Ok(serde_json::to_value(self)?)
            }
            fn give_back(value: Value) -> Option<Self> {
                serde_json::from_value(value).ok()
            }
        }
    )+ };
}
kept_by_serde!(String, bool, i32, i64, DateTime<Utc>, Uuid);

/// Types that are kept as their text.
macro_rules! kept_as_text {
    ($($ty:ty: $parse:expr),+ $(,)?) => { $(
        impl Kept for $ty {
            fn keep(&self) -> Result<Value, ServiceError> {
                Ok(Value::String(self.to_string()))
            }
            fn give_back(value: Value) -> Option<Self> {
                $parse(value.as_str()?)
            }
        }
    )+ };
}

kept_as_text! {
    JurisdictionCode: |text| JurisdictionCode::parse(text).ok(),
    AdvanceId: |text| AdvanceId::parse(text).ok(),
    AppropriationId: |text| AppropriationId::parse(text).ok(),
    ClaimId: |text| ClaimId::parse(text).ok(),
    DisbursementId: |text| DisbursementId::parse(text).ok(),
    DraftId: |text| DraftId::parse(text).ok(),
    HoldId: |text| HoldId::parse(text).ok(),
    PaymentId: |text| PaymentId::parse(text).ok(),
    SampleId: |text| SampleId::parse(text).ok(),
    WaiverId: |text| WaiverId::parse(text).ok(),
    WebhookId: |text| WebhookId::parse(text).ok(),
    AdvanceStatus: AdvanceStatus::parse,
    DisbursementStatus: DisbursementStatus::parse,
    ProposalStatus: ProposalStatus::parse,
    Source: Source::parse,
    Status: Status::parse,
}

/// Fen, a whole number.
impl Kept for Fen {
    fn keep(&self) -> Result<Value, ServiceError> {
        self.get().keep()
    }
    fn give_back(value: Value) -> Option<Self> {
        Fen::new(i64::give_back(value)?).ok()
    }
}

impl<T: Kept> Kept for Option<T> {
    fn keep(&self) -> Result<Value, ServiceError> {
        self.as_ref().map_or(Ok(Value::Null), Kept::keep)
    }
    fn give_back(value: Value) -> Option<Self> {
        if value.is_null() {
            Some(None)
        } else {
            T::give_back(value).map(Some)
        }
    }
}

/// The first answer, if the key was used before. Refuses a key that came with another request, or for another operation.
pub(crate) async fn first_answer<T: StoredAnswer>(
    conn: &mut Conn,
    actor: &Actor,
    key: &Key,
) -> Result<Option<Replayable<T>>, ServiceError> {
    let keys = std::slice::from_ref(&key.key);
    let Some(row) = conn
        .idempotency_keys(&actor.client, keys)
        .await?
        .into_iter()
        .next()
    else {
        return Ok(None);
    };
    let answer = row.answer.filter(|_| row.request == key.request);
    let answer = answer.ok_or(Refusal::IdempotencyKeyReused)?;
    let mut answer: Map<String, Value> = serde_json::from_str(&answer)?;
    if answer.get("kind").and_then(Value::as_str) != Some(T::KIND) {
        return Err(Refusal::IdempotencyKeyReused.into());
    }
    let value = match answer.remove("answer") {
        Some(Value::Object(answer)) => T::restore(answer),
        Some(_) | None => None,
    };
    Ok(Some(Replayable {
        value: value.ok_or_else(|| ServiceError::bug("a kept answer cannot be read"))?,
        replayed: true,
    }))
}

/// Keeps the first answer of an operation.
pub(super) async fn keep<T: StoredAnswer>(
    tx: &mut Tx,
    actor: &Actor,
    (key, operation): (&Key, &str),
    answer: &T,
    now: DateTime<Utc>,
) -> Result<(), ServiceError> {
    let answer = serde_json::json!({ "kind": T::KIND, "answer": answer.store()? });
    let row = IdempotencyRow {
        client: actor.client.clone(),
        key: key.key.clone(),
        request: key.request.to_vec(),
        operation: operation.to_owned(),
        claim_jurisdiction: None,
        claim: None,
        answer: Some(answer.to_string()),
        created_at: now,
    };
    IdempotencyRow::insert(tx, &[row]).await?;
    Ok(())
}
