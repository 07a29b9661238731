//! What can go wrong below the use cases, in the three ways a use case tells apart: try again, a constraint proved the
//! decision wrong (a race was lost, or a bug), or give up.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};

use crate::columns;

/// An operating fault of the database, or a constraint that refused a write.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// A deadlock, a lock timeout or a serialization failure: the same unit of work may succeed at once.
    #[error("contention: {0}")]
    Contention(String),
    /// The connection was lost, or the database is stopping. Whether a commit under way took effect is unknown.
    #[error("database unavailable: {0}")]
    Unavailable(String),
    /// No connection could be had. Nothing was done.
    #[error("database unavailable: {0}")]
    Unreachable(String),
    /// A named constraint refused the write. The name is part of the schema's contract.
    #[error("constraint {0} refused the write")]
    Violated(String),
    /// A row that a statement had to change was not as the caller had read it.
    #[error("{0} was changed by another transaction")]
    Stale(&'static str),
    /// A stored value that this version cannot read.
    #[error("stored {what} cannot be read")]
    Unreadable { what: &'static str },
    /// The schema is older or newer than the program.
    #[error("schema: {0}")]
    Schema(String),
    /// Anything else: a bug. The text names no value of a claim.
    #[error("database refused a statement: {0}")]
    Other(String),
}

impl StoreError {
    /// Whether running the whole unit of work again may help.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Contention(_) | Self::Unavailable(_) | Self::Unreachable(_)
        )
    }

    /// The name of the constraint that refused, if one did.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Violated(name) => Some(name),
            _ => None,
        }
    }
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::DatabaseError(kind, info) => from_database(kind, info.as_ref()),
            DieselError::BrokenTransactionManager | DieselError::AlreadyInTransaction => {
                Self::Unavailable("the connection was left in an unknown state".into())
            }
            DieselError::DeserializationError(error) => Self::Unreadable {
                what: columns::unreadable(error.as_ref()).unwrap_or("row"),
            },
            other => Self::Other(other.to_string()),
        }
    }
}

/// diesel knows eight SQLSTATEs; the rest arrive as `Unknown` with PostgreSQL's text, which is stable for C locales.
/// A distributed PostgreSQL loses the constraint's name and adds a shard's number to it in the message: look there too.
/// Only PostgreSQL's primary message is kept: its detail quotes the row's values.
fn from_database(kind: DatabaseErrorKind, info: &(dyn DatabaseErrorInformation + Send + Sync)) -> StoreError {
    let message = info.message();
    match kind {
        DatabaseErrorKind::SerializationFailure => StoreError::Contention("serialization".into()),
        DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
            StoreError::Unavailable("connection lost".into())
        }
        DatabaseErrorKind::UniqueViolation
        | DatabaseErrorKind::ForeignKeyViolation
        | DatabaseErrorKind::NotNullViolation
        | DatabaseErrorKind::CheckViolation
        | DatabaseErrorKind::RestrictViolation
        | DatabaseErrorKind::ExclusionViolation => {
            let name = info
                .constraint_name()
                .map(str::to_owned)
                .or_else(|| quoted(message));
            StoreError::Violated(without_shard(&name.unwrap_or_else(|| "unnamed".into())))
        }
        _ if [
            "deadlock detected",
            "lock timeout",
            "could not obtain lock",
            "could not serialize",
        ]
        .iter()
        .any(|text| message.contains(text)) =>
        {
            StoreError::Contention(message.to_owned())
        }
        _ if [
            "connection",
            "terminating",
            "starting up",
            "shutting down",
            "recovery mode",
            "statement timeout",
            "too many clients",
        ]
        .iter()
        .any(|text| message.contains(text)) =>
        {
            StoreError::Unavailable(message.to_owned())
        }
        _ => StoreError::Other(message.to_owned()),
    }
}

fn quoted(message: &str) -> Option<String> {
    message.rsplit('"').nth(1).map(str::to_owned)
}

fn without_shard(name: &str) -> String {
    match name.rsplit_once('_') {
        Some((stem, shard)) if shard.len() >= 6 && shard.bytes().all(|b| b.is_ascii_digit()) => {
            stem.to_owned()
        }
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_suffix_is_not_part_of_the_name() {
        assert_eq!(
            without_shard("funds_available_not_negative_102008"),
            "funds_available_not_negative"
        );
        assert_eq!(
            without_shard("funds_available_not_negative"),
            "funds_available_not_negative"
        );
        assert_eq!(
            quoted(r#"new row for relation "funds_102" violates check constraint "funds_balanced_102008""#)
                .as_deref(),
            Some("funds_balanced_102008")
        );
    }
}
