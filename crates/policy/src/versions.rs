//! Versions of one programme. A version decides governing dates from its `effective_from` until the
//! day before the next version's; so two versions overlap exactly when neither begins clearly after
//! the other.

use chrono::NaiveDate;
use words::words;

use crate::programme::Programme;

words! {
    /// Whether a version of a programme decides claims.
    pub enum VersionStatus {
        Draft = "draft",
        Active = "active",
    }
}

/// Two documents that would both decide the same claim.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "versions {first} and {second} of `{id}` overlap: both are effective from {from} or their order is reversed"
)]
pub struct Overlap {
    pub id: String,
    pub first: u32,
    pub second: u32,
    /// The later of the two days from which they are effective.
    pub from: NaiveDate,
}

/// Checks that among versions of the same programme exactly one decides each date.
///
/// # Errors
/// Two different documents of one id have the same version, the same `effective_from`, or a later
/// version that is effective earlier. The same document twice is no overlap.
pub fn check_overlap(programmes: &[&Programme]) -> Result<(), Overlap> {
    for (index, first) in programmes.iter().enumerate() {
        for second in programmes.iter().skip(index.saturating_add(1)) {
            if first.id() != second.id() || first.hash() == second.hash() {
                continue;
            }
            if first.version().cmp(&second.version()) != first.effective_from().cmp(&second.effective_from())
                || first.version() == second.version()
            {
                return Err(Overlap {
                    id: first.id().to_owned(),
                    first: first.version(),
                    second: second.version(),
                    from: first.effective_from().max(second.effective_from()),
                });
            }
        }
    }
    Ok(())
}

/// The version that decides a governing date: the latest that is effective by then. Before the
/// first version's day it is the first, whose rules then fail because the window has not opened.
pub fn in_force<'p>(versions: &[&'p Programme], date: NaiveDate) -> Option<&'p Programme> {
    let effective = versions.iter().filter(|it| it.effective_from() <= date);
    effective
        .max_by_key(|it| it.effective_from())
        .or_else(|| versions.iter().min_by_key(|it| it.effective_from()))
        .copied()
}
