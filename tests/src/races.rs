//! Races for scarce things: each is given out exactly, in any order of arrival.

mod keys;
mod money;
mod persons;

use claims::claim::Claim;
use claims::life_cycle::Status;
use service::claims::ClaimState;
use testkit::tally;

/// Asserts how many claims have each status.
fn assert_tally(claims: &[ClaimState], expected: &[(&'static str, usize)]) {
    assert_eq!(tally(claims), expected.iter().copied().collect());
}

fn with_status(claims: &[ClaimState], status: Status) -> impl Iterator<Item = &ClaimState> {
    claims.iter().filter(move |claim| claim.status == status)
}

/// Turns of two kinds of claims.
fn alternating(first: Vec<Claim>, second: Vec<Claim>) -> Vec<Claim> {
    first.into_iter().zip(second).flat_map(|(a, b)| [a, b]).collect()
}
