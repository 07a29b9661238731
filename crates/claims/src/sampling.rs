//! Sampling of approved claims for inspection (抽查): a draw that no party can steer and anyone can
//! repeat.
//!
//! The auditor commits to a secret seed. The commitment becomes a leaf of the county's log, and the
//! service assigns the leaf's id and time afterwards. A claim's score depends on seed and leaf, so
//! neither side can choose it:
//!
//! ```text
//! commitment = SHA-256(seed)                   seed: 32 bytes; claim: the 16 bytes of its UUID
//! score      = SHA-256(seed || hash of the commitment's leaf || claim)
//! sample     = the claims with the smallest scores, as big-endian numbers, in their order
//! ```

use std::collections::BinaryHeap;

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The most claims that one sample has.
pub const MOST: u32 = 1_000;

/// An auditor's commitment to a seed, published before the seed is used.
pub fn commitment(seed: &[u8; 32]) -> [u8; 32] {
    Sha256::digest(seed).into()
}

/// A draw under way: claims are added one by one, in any order, each once. Memory is bounded by the
/// size of the sample.
#[derive(Debug, Clone)]
pub struct Draw {
    /// After the seed and the leaf, which are the same for every claim.
    begun: Sha256,
    size: usize,
    population: u64,
    /// The largest score on top, which the next smaller score replaces.
    best: BinaryHeap<([u8; 32], Uuid)>,
}

/// The result of a draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// Size of the population.
    pub population: u64,
    /// In the order of their scores; all of the population if it is not larger than the sample.
    pub claims: Vec<Uuid>,
}

impl Draw {
    /// `leaf` is the hash of the leaf that has the commitment.
    pub fn new(seed: &[u8; 32], leaf: &[u8; 32], size: u32) -> Draw {
        Draw {
            begun: Sha256::new().chain_update(seed).chain_update(leaf),
            size: usize::try_from(size).unwrap_or(usize::MAX),
            population: 0,
            best: BinaryHeap::new(),
        }
    }

    pub fn score(&self, claim: Uuid) -> [u8; 32] {
        self.begun
            .clone()
            .chain_update(claim.as_bytes())
            .finalize()
            .into()
    }

    /// A claim of the population.
    pub fn consider(&mut self, claim: Uuid) {
        self.population = self.population.saturating_add(1);
        self.best.push((self.score(claim), claim));
        if self.best.len() > self.size {
            self.best.pop();
        }
    }

    pub fn finish(self) -> Drawn {
        let claims = self.best.into_sorted_vec();
        Drawn {
            population: self.population,
            claims: claims.into_iter().map(|(_, claim)| claim).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SEED: [u8; 32] = *b"0123456789abcdef0123456789abcdef";
    const LEAF: [u8; 32] = [0xA5; 32];

    fn drawn(size: u32, claims: impl IntoIterator<Item = Uuid>) -> Drawn {
        let mut draw = Draw::new(&SEED, &LEAF, size);
        claims.into_iter().for_each(|claim| draw.consider(claim));
        draw.finish()
    }

    /// Computed by another implementation (Python's hashlib).
    #[test]
    fn scores_are_what_they_always_were() {
        let claim = Uuid::from_u128(0x018f_2f6e_7d3a_7c8e_9b0a_1122_3344_55ff);
        assert_eq!(
            hex::encode(commitment(&SEED)),
            "3eb1bd439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9"
        );
        assert_eq!(
            hex::encode(Draw::new(&SEED, &LEAF, 1).score(claim)),
            "f97d583c6dcec6c90599c64e36573b9dc0b39223872d09c4c50bd1dcff2d8b01"
        );
        let claims = (1..=10).map(Uuid::from_u128);
        let numbers = drawn(4, claims).claims.into_iter().map(|claim| claim.as_u128());
        assert_eq!(numbers.collect::<Vec<_>>(), [3, 7, 9, 8]);
    }

    #[test]
    fn a_small_population_is_drawn_whole() {
        let claims = (1..=3).map(Uuid::from_u128);
        let mut all = drawn(5, claims.clone());
        assert_eq!((all.population, all.claims.len()), (3, 3));
        all.claims.sort();
        assert!(all.claims.into_iter().eq(claims));
        assert_eq!(
            drawn(5, []),
            Drawn {
                population: 0,
                claims: Vec::new()
            }
        );
    }

    proptest! {
        /// Sorting all scores gives the same sample, in any order of the claims.
        #[test]
        fn it_is_the_smallest_scores_in_order(
            claims in proptest::collection::hash_set(any::<u128>(), 0..200),
            size in 1_u32..60,
        ) {
            let claims = claims.into_iter().map(Uuid::from_u128).collect::<Vec<_>>();
            let draw = Draw::new(&SEED, &LEAF, size);
            let mut sorted = claims.clone();
            sorted.sort_by_key(|claim| draw.score(*claim));
            sorted.truncate(usize::try_from(size).unwrap());
            let got = drawn(size, claims.iter().rev().copied());
            prop_assert_eq!(&got.claims, &sorted);
            prop_assert_eq!(got.population, u64::try_from(claims.len()).unwrap());
        }

        /// A larger sample begins with the smaller sample.
        #[test]
        fn a_larger_sample_goes_on_with_the_smaller(claims in proptest::collection::hash_set(any::<u128>(), 0..100)) {
            let claims = claims.into_iter().map(Uuid::from_u128).collect::<Vec<_>>();
            let (small, large) = (drawn(10, claims.clone()), drawn(20, claims));
            prop_assert!(large.claims.starts_with(&small.claims));
        }
    }
}
