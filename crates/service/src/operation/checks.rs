//! What a caller states with a change, checked before anything is locked or written.

use super::error::Refusal;

/// Refuses a change of something that moved since the caller looked.
pub(crate) fn check_revision(current: i32, if_match: Option<i32>) -> Result<(), Refusal> {
    match if_match {
        Some(revision) if revision != current => Err(Refusal::Stale { current }),
        _ => Ok(()),
    }
}

/// A reason that says something, of at most 500 characters; required where something is refused.
pub(crate) fn reason(text: Option<String>, required: bool) -> Result<Option<String>, Refusal> {
    let text = text
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty());
    if required && text.is_none() {
        return Err(Refusal::ReasonRequired);
    }
    Ok(text)
}
