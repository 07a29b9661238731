//! Between the plain columns of rows and the domain's types. What is in a row was checked when it
//! was written, so a value that cannot be read is a bug, never a refusal.

use std::collections::HashMap;

use claims::jurisdictions::JurisdictionCode;
use ledger::Fen;

use super::error::ServiceError;

/// The county of a row.
pub(crate) fn code(jurisdiction: &str) -> Result<JurisdictionCode, ServiceError> {
    JurisdictionCode::parse(jurisdiction).map_err(|_| ServiceError::bug("unreadable county"))
}

/// The counties of rows.
pub(crate) fn codes(jurisdictions: &[String]) -> Result<Vec<JurisdictionCode>, ServiceError> {
    jurisdictions.iter().map(|it| code(it)).collect()
}

/// The amount of a row.
pub(crate) fn fen(amount: i64) -> Result<Fen, ServiceError> {
    Fen::new(amount).map_err(ServiceError::bug)
}

/// Sorted, each once.
pub(crate) fn distinct(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts.dedup();
    texts
}

/// Claims by id, for joining what two statements returned.
pub(crate) fn by_id<T>(rows: Vec<T>, id: impl Fn(&T) -> uuid::Uuid) -> HashMap<uuid::Uuid, T> {
    rows.into_iter().map(|row| (id(&row), row)).collect()
}
