//! The Merkle tree of RFC 6962 over a county's leaves, stored so that a proof reads few nodes.
//!
//! Of the tree's inner nodes only those at every eighth level are kept, one for 256 leaves, one for
//! 65,536, and so on. Any other node is at most 128 kept ones below it, hashed; a proof in a tree
//! of a million leaves reads some hundreds of hashes. A question states its reads in advance:
//! [`Parts`] are listed, fetched in one go, and then the same question is answered from them.

use std::array::TryFromSliceError;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use tlog_tiles::tlog::{self, HashReader};

/// Levels between kept nodes.
const STEP: u8 = 8;

/// SHA-256 of a leaf or a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, std::hash::Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Root of a tree without leaves.
    pub const EMPTY: Hash = Hash(tlog::EMPTY_HASH.0);

    /// The hash of a leaf's bytes.
    pub fn of_leaf(bytes: &[u8]) -> Hash {
        Hash(tlog::record_hash(bytes).0)
    }

    /// From base64, as in a checkpoint.
    pub fn parse(base64: &str) -> Option<Hash> {
        tlog::Hash::parse_hash(base64).ok().map(|hash| Hash(hash.0))
    }

    fn of_nodes(left: Hash, right: Hash) -> Hash {
        Hash(tlog::node_hash(tlog::Hash(left.0), tlog::Hash(right.0)).0)
    }
}

impl TryFrom<&[u8]> for Hash {
    type Error = TryFromSliceError;

    fn try_from(bytes: &[u8]) -> Result<Hash, TryFromSliceError> {
        bytes.try_into().map(Hash)
    }
}

impl AsRef<[u8]> for Hash {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Base64, as in a checkpoint.
impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&tlog::Hash(self.0), f)
    }
}

/// A kept node: the root of the leaves `[number << level, (number + 1) << level)`. Leaves are level
/// 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node {
    pub level: u8,
    pub number: u64,
}

/// The kept nodes that a question needs, as runs `[from, to)` by level.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts(BTreeMap<u8, BTreeSet<(u64, u64)>>);

impl Parts {
    /// Level, first and one past the last.
    pub fn runs(&self) -> impl Iterator<Item = (u8, u64, u64)> {
        self.0
            .iter()
            .flat_map(|(level, runs)| runs.iter().map(|(from, to)| (*level, *from, *to)))
    }

    fn add(&mut self, level: u8, from: u64, to: u64) {
        self.0.entry(level).or_default().insert((from, to));
    }
}

/// Why a proof cannot be given, or does not verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    #[error("the tree has no such leaf or is not that large")]
    OutOfRange,
    #[error("a node of the tree is missing")]
    Missing,
    #[error("the proof does not hold")]
    Wrong,
}

/// The nodes that a question reads, before and after they are fetched.
enum Reader<'a> {
    Asking(RefCell<Parts>),
    Reading(&'a BTreeMap<Node, Hash>),
}

impl Reader<'_> {
    fn node(nodes: &BTreeMap<Node, Hash>, level: u8, number: u64) -> Option<Hash> {
        let kept = level.checked_rem(STEP)?;
        if kept == 0 {
            return nodes.get(&Node { level, number }).copied();
        }
        let below = level.checked_sub(kept)?;
        let mut hashes = (number.checked_shl(kept.into())?
            ..number.checked_add(1)?.checked_shl(kept.into())?)
            .map(|number| nodes.get(&Node { level: below, number }).copied())
            .collect::<Option<Vec<Hash>>>()?;
        while hashes.len() > 1 {
            hashes = pairs(&hashes);
        }
        hashes.first().copied()
    }
}

/// The level above: each pair's node.
fn pairs(hashes: &[Hash]) -> Vec<Hash> {
    let pairs = hashes.chunks_exact(2);
    pairs
        .filter_map(|pair| match pair {
            [left, right] => Some(Hash::of_nodes(*left, *right)),
            _ => None,
        })
        .collect()
}

impl HashReader for Reader<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
        indexes
            .iter()
            .map(|index| {
                let (level, number) = tlog::split_stored_hash_index(*index);
                match self {
                    Reader::Asking(parts) => {
                        let kept = level.checked_rem(STEP).unwrap_or(0);
                        let from = number.checked_shl(kept.into()).unwrap_or(u64::MAX);
                        let to = from.saturating_add(1_u64.checked_shl(kept.into()).unwrap_or(1));
                        parts.borrow_mut().add(level.saturating_sub(kept), from, to);
                        Ok(tlog::Hash::default())
                    }
                    Reader::Reading(nodes) => Reader::node(nodes, level, number)
                        .map(|hash| tlog::Hash(hash.0))
                        .ok_or(tlog::Error::IndexesNotInTree),
                }
            })
            .collect()
    }
}

fn ask<T>(question: impl FnOnce(&Reader<'_>) -> Result<T, tlog::Error>) -> Result<Parts, ProofError> {
    let reader = Reader::Asking(RefCell::default());
    question(&reader).map_err(|_| ProofError::OutOfRange)?;
    match reader {
        Reader::Asking(parts) => Ok(parts.into_inner()),
        Reader::Reading(_) => Err(ProofError::Missing),
    }
}

fn hashes(proof: Vec<tlog::Hash>) -> Vec<Hash> {
    proof.into_iter().map(|hash| Hash(hash.0)).collect()
}

/// A question about the tree: the nodes it needs, and its answer from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tree {
    Root { size: u64 },
    Inclusion { size: u64, leaf: u64 },
    Consistency { size: u64, earlier: u64 },
}

impl Tree {
    /// The kept nodes to fetch.
    ///
    /// # Errors
    /// [`ProofError::OutOfRange`]
    pub fn parts(self) -> Result<Parts, ProofError> {
        match self {
            Tree::Root { size } => ask(|reader| tlog::tree_hash(size, reader)),
            Tree::Inclusion { size, leaf } => ask(|reader| tlog::prove_record(size, leaf, reader)),
            Tree::Consistency { size, earlier } => ask(|reader| tlog::prove_tree(size, earlier, reader)),
        }
    }
}

/// The root of the first `size` leaves.
///
/// # Errors
/// [`ProofError::Missing`]
pub fn root(size: u64, nodes: &BTreeMap<Node, Hash>) -> Result<Hash, ProofError> {
    let hash = tlog::tree_hash(size, &Reader::Reading(nodes)).map_err(|_| ProofError::Missing)?;
    Ok(Hash(hash.0))
}

/// The proof that the tree of `size` leaves has this leaf (RFC 6962, 2.1.1).
///
/// # Errors
/// [`ProofError::OutOfRange`], [`ProofError::Missing`]
pub fn inclusion(size: u64, leaf: u64, nodes: &BTreeMap<Node, Hash>) -> Result<Vec<Hash>, ProofError> {
    if leaf >= size {
        return Err(ProofError::OutOfRange);
    }
    let proof = tlog::prove_record(size, leaf, &Reader::Reading(nodes)).map_err(|_| ProofError::Missing)?;
    Ok(hashes(proof))
}

/// The proof that the tree of `size` leaves begins with that of `earlier` (RFC 6962, 2.1.2).
///
/// # Errors
/// [`ProofError::OutOfRange`], [`ProofError::Missing`]
pub fn consistency(size: u64, earlier: u64, nodes: &BTreeMap<Node, Hash>) -> Result<Vec<Hash>, ProofError> {
    if earlier == 0 || earlier > size {
        return Err(ProofError::OutOfRange);
    }
    let proof = tlog::prove_tree(size, earlier, &Reader::Reading(nodes)).map_err(|_| ProofError::Missing)?;
    Ok(hashes(proof))
}

fn foreign(proof: &[Hash]) -> Vec<tlog::Hash> {
    proof.iter().map(|hash| tlog::Hash(hash.0)).collect()
}

/// Whether the tree of `size` leaves with this root has this leaf.
///
/// # Errors
/// [`ProofError::Wrong`]
pub fn check_inclusion(
    size: u64,
    root: Hash,
    leaf: u64,
    hash: Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if leaf >= size {
        return Err(ProofError::OutOfRange);
    }
    tlog::check_record(
        &foreign(proof),
        size,
        tlog::Hash(root.0),
        leaf,
        tlog::Hash(hash.0),
    )
    .map_err(|_| ProofError::Wrong)
}

/// Whether the tree of `size` leaves with this root begins with the earlier one.
///
/// # Errors
/// [`ProofError::Wrong`]
pub fn check_consistency(
    size: u64,
    root: Hash,
    earlier: u64,
    earlier_root: Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if earlier == 0 {
        // Every tree begins with the empty one.
        return if earlier_root == Hash::EMPTY && proof.is_empty() {
            Ok(())
        } else {
            Err(ProofError::Wrong)
        };
    }
    tlog::check_tree(
        &foreign(proof),
        size,
        tlog::Hash(root.0),
        earlier,
        tlog::Hash(earlier_root.0),
    )
    .map_err(|_| ProofError::Wrong)
}

/// The tree as it grows leaf by leaf: its peaks, the roots of its complete subtrees from the left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Growing {
    size: u64,
    peaks: Vec<(u8, Hash)>,
}

impl Growing {
    /// The tree of `size` leaves, to continue. `nodes` are the parts of [`Tree::Root`].
    ///
    /// # Errors
    /// [`ProofError::Missing`]
    pub fn resume(size: u64, nodes: &BTreeMap<Node, Hash>) -> Result<Growing, ProofError> {
        let indexes = tlog::sub_tree_index(0, size, Vec::new());
        let peaks = indexes.into_iter().map(|index| {
            let (level, number) = tlog::split_stored_hash_index(index);
            Some((level, Reader::node(nodes, level, number)?))
        });
        let peaks = peaks.collect::<Option<Vec<_>>>().ok_or(ProofError::Missing)?;
        Ok(Growing { size, peaks })
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf; calls the function with every kept node above the leaves that it completes.
    pub fn push(&mut self, leaf: Hash, mut complete: impl FnMut(Node, Hash)) {
        let (mut level, mut hash) = (0_u8, leaf);
        let mut number = self.size;
        while let Some((_, left)) = self.peaks.pop_if(|peak| peak.0 == level) {
            hash = Hash::of_nodes(left, hash);
            level = level.saturating_add(1);
            number >>= 1;
            if level.checked_rem(STEP) == Some(0) {
                complete(Node { level, number }, hash);
            }
        }
        self.peaks.push((level, hash));
        self.size = self.size.saturating_add(1);
    }

    /// The root of the leaves so far.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev().map(|peak| peak.1);
        let Some(last) = peaks.next() else {
            return Hash::EMPTY;
        };
        peaks.fold(last, |right, left| Hash::of_nodes(left, right))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn leaf(number: u64) -> Hash {
        Hash::of_leaf(&number.to_be_bytes())
    }

    /// The tree as RFC 6962 writes it down.
    fn by_the_book(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Hash::EMPTY,
            [one] => *one,
            many => {
                let (left, right) = many.split_at(many.len().next_power_of_two() / 2);
                Hash::of_nodes(by_the_book(left), by_the_book(right))
            }
        }
    }

    fn grown(size: u64) -> (Growing, BTreeMap<Node, Hash>) {
        let (mut tree, mut nodes) = (Growing::default(), BTreeMap::new());
        for number in 0..size {
            nodes.insert(Node { level: 0, number }, leaf(number));
            tree.push(leaf(number), |node, hash| {
                nodes.insert(node, hash);
            });
        }
        (tree, nodes)
    }

    fn only(parts: &Parts, nodes: &BTreeMap<Node, Hash>) -> BTreeMap<Node, Hash> {
        parts
            .runs()
            .flat_map(|(level, from, to)| (from..to).map(move |number| Node { level, number }))
            .map(|node| (node, nodes[&node]))
            .collect()
    }

    #[test]
    fn roots_are_those_of_the_standard() {
        for size in (0..600).chain([65_535, 65_536, 65_537, 70_001]) {
            let (tree, nodes) = grown(size);
            let leaves: Vec<Hash> = (0..size).map(leaf).collect();
            assert_eq!(tree.root(), by_the_book(&leaves), "{size}");
            let parts = only(&Tree::Root { size }.parts().unwrap(), &nodes);
            assert_eq!(root(size, &parts).unwrap(), tree.root());
            assert_eq!(Growing::resume(size, &parts).unwrap(), tree);
        }
    }

    #[test]
    fn a_proof_reads_little() {
        let size = 70_001;
        let read = |tree: Tree| tree.parts().unwrap().runs().map(|run| run.2 - run.1).sum::<u64>();
        assert!(read(Tree::Inclusion { size, leaf: 12_345 }) < 800);
        assert!(
            read(Tree::Consistency {
                size,
                earlier: 12_345
            }) < 800
        );
    }

    /// The tests of certificate transparency's own implementations.
    #[test]
    fn eight_leaves_have_the_root_that_everybody_finds() {
        let leaves = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let mut tree = Growing::default();
        for leaf in leaves {
            tree.push(Hash::of_leaf(&hex::decode(leaf).unwrap()), |_, _| ());
        }
        assert_eq!(
            hex::encode(tree.root().0),
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
        );
    }

    proptest! {
        #[test]
        fn what_is_there_is_proved_and_nothing_else(size in 1..3_000_u64, one in any::<u64>(), other in any::<u64>(), flip in any::<usize>()) {
            let (tree, nodes) = grown(size);
            let (one, earlier) = (one % size, other % size + 1);
            let parts = only(&Tree::Inclusion { size, leaf: one }.parts().unwrap(), &nodes);
            let mut proof = inclusion(size, one, &parts).unwrap();
            prop_assert_eq!(check_inclusion(size, tree.root(), one, leaf(one), &proof), Ok(()));
            prop_assert_eq!(check_inclusion(size, tree.root(), one, leaf(one + size), &proof), Err(ProofError::Wrong));
            if !proof.is_empty() {
                let place = flip % proof.len();
                proof[place].0[flip % 32] ^= 1;
                prop_assert_eq!(check_inclusion(size, tree.root(), one, leaf(one), &proof), Err(ProofError::Wrong));
            }
            let parts = only(&Tree::Consistency { size, earlier }.parts().unwrap(), &nodes);
            let proof = consistency(size, earlier, &parts).unwrap();
            let before = grown(earlier).0.root();
            prop_assert_eq!(check_consistency(size, tree.root(), earlier, before, &proof), Ok(()));
            prop_assert_eq!(check_consistency(size, tree.root(), earlier, leaf(1), &proof), Err(ProofError::Wrong));
        }
    }
}
