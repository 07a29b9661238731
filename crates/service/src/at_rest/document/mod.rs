//! A claim as text: sealed at rest, shown masked, shown in full.
//!
//! At rest a claim is `{"v":1,"claim":{…}}`. The form of a version is frozen: what was sealed years ago must be read, so a
//! change of the claim is a new version beside the old one, never an edit of it. Field order is part of the form. Reading
//! parses every identifier again: a document that this version would not have taken is an error, not a claim.
//!
//! Masking and revealing share the shape of the wire's claim, so that a field cannot be shown in one and forgotten in the
//! other.

mod form;
mod region;
#[cfg(test)]
mod tests;

use claims::claim::Claim;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::operation::ServiceError;
use form::{Form, Personal};

/// The version that is written.
const VERSION: u32 = 1;

/// A document at rest that cannot be read. Says where, and never quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    #[error("document has version {0}, which this program does not know")]
    Version(u32),
    #[error("document is malformed at line {line}, column {column}")]
    Malformed { line: usize, column: usize },
    /// A value that is no longer, or never was, one of its kind.
    #[error("document's {0} cannot be parsed")]
    Field(&'static str),
}

impl From<serde_json::Error> for DocumentError {
    /// serde's text quotes the value it stumbled over: only the place is kept.
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed {
            line: error.line(),
            column: error.column(),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed<'a> {
    v: u32,
    claim: Form<'a>,
}

/// The claim as it is sealed at rest: UTF-8 JSON on one line.
pub fn write(claim: &Claim) -> Vec<u8> {
    written(serde_json::to_vec(&Sealed {
        v: VERSION,
        claim: Form::of(claim, Personal::Plain),
    }))
}

/// The claim that [`write`] wrote, in this version or an earlier one.
pub fn read(text: &[u8]) -> Result<Claim, DocumentError> {
    #[derive(Deserialize)]
    struct Version {
        v: u32,
    }
    match serde_json::from_slice::<Version>(text)?.v {
        VERSION => serde_json::from_slice::<Sealed<'static>>(text)?.claim.parse(),
        unknown => Err(DocumentError::Version(unknown)),
    }
}

/// The claim in the wire's shape with its personal data masked: `王**`, `1408**********1234`, `138****1234`, the last
/// characters of a car, a plate, a phone and an account, the address down to the county.
pub fn masked(claim: &Claim) -> Value {
    on_the_wire(&Form::of(claim, Personal::Masked))
}

/// The claim in the wire's shape, as it was parsed. Whoever shows it records an audit event.
pub fn revealed(claim: &Claim) -> Value {
    on_the_wire(&Form::of(claim, Personal::Plain))
}

/// What a claim says of its person, for a line of a table.
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) identity_number: String,
    pub(crate) phone: String,
    /// As the invoice has it.
    pub(crate) buyer_name: Option<String>,
    /// Number and bank, if the applicant is paid.
    pub(crate) account: Option<(String, String)>,
}

/// The claim's person, masked as [`masked`] does or as [`revealed`] shows it.
pub(crate) fn person(claim: &Claim, reveal: bool) -> Person {
    let personal = if reveal { Personal::Plain } else { Personal::Masked };
    Form::of(claim, personal).person()
}

/// One IMEI stands alone on the wire, several in a list.
fn on_the_wire(form: &Form<'_>) -> Value {
    let mut claim = written(serde_json::to_value(form));
    if let Some(imei) = claim.pointer_mut("/item/imei")
        && let Some([one]) = imei.as_array().map(Vec::as_slice)
    {
        *imei = one.clone();
    }
    claim
}

/// JSON refuses maps with keys that are not text, and a form has none. An empty document in its place would lose a claim.
fn written<T>(result: serde_json::Result<T>) -> T {
    match result {
        Ok(text) => text,
        Err(_) => unreachable!("a form holds nothing that JSON cannot"),
    }
}

impl From<DocumentError> for ServiceError {
    /// What the service sealed itself, it must be able to read.
    fn from(error: DocumentError) -> Self {
        Self::bug(error)
    }
}
