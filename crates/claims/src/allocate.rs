//! Allocates keys, quotas and money to a batch, as if its claims came one after another.
//!
//! The caller loads, under lock, the [`State`] that a batch touches, and writes back what changed;
//! between the two this module decides alone. A demand takes all it needs or nothing: a taken key
//! or a full quota leaves the rest untouched, and money is reserved in every limit it counts
//! against or in none.
//!
//! No claim overtakes another: a limit with waiting claims is closed to newcomers even if their
//! smaller sum would fit, and [`serve`] lets a claim that still does not fit close the limits it
//! lacks to all behind it. A waiting claim is counted at one limit, the first that it lacks in lock
//! order. That is enough: a fund sorts before the caps of its own county, and a claim that counts
//! against one of those counts against the fund too.
//!
//! Bound: each demand is examined once; the work is linear in keys and limits.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use ledger::Fen;

use crate::digest::Digest;
use crate::identifiers::ProgrammeId;
use crate::jurisdictions::JurisdictionCode;
use crate::keys::UniqueKind;

/// The scope of a limit, within its jurisdiction and programme. The order is the order of locking.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The fund itself: its ceiling is the money available.
    Fund,
    /// All claims of the jurisdiction; of the whole city, when the jurisdiction is the city's.
    County,
    Category(String),
    /// A calendar month, so that money is spent evenly.
    Month {
        year: i32,
        month: u32,
    },
}

/// Names a fund or a cap. Ordered by jurisdiction, programme and scope, which is the order in which
/// rows are locked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LimitKey {
    pub jurisdiction: JurisdictionCode,
    pub programme: ProgrammeId,
    pub scope: Scope,
}

/// A ceiling, the sum committed under it, and the number of claims that wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// `None` for a cap that was lifted.
    pub limit: Option<Fen>,
    pub committed: Fen,
    pub waiting: u64,
}

impl Limit {
    /// A fund with `available` left to reserve.
    pub fn fund(available: Fen, waiting: u64) -> Limit {
        Limit {
            limit: Some(available),
            committed: Fen::ZERO,
            waiting,
        }
    }

    pub fn cap(limit: Option<Fen>, committed: Fen, waiting: u64) -> Limit {
        Limit {
            limit,
            committed,
            waiting,
        }
    }

    /// What may still be committed; zero if the ceiling was overrun.
    pub fn left(&self) -> Fen {
        self.limit.unwrap_or(Fen::MAX).saturating_sub(self.committed)
    }

    fn admits(&self, money: Fen) -> bool {
        money <= self.left()
    }

    fn commit(&mut self, money: Fen) {
        self.committed = self.committed.saturating_add(money);
    }
}

/// A person's quota in one slot: a programme, year and category as the programme counts them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuotaKey {
    pub person: Digest,
    pub slot: String,
}

/// Everything that a batch competes for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    pub taken: HashSet<(UniqueKind, Digest)>,
    /// Items used so far; an absent slot has none.
    pub quotas: HashMap<QuotaKey, u32>,
    /// A limit that a demand refers to and that is absent here has nothing to give.
    pub limits: BTreeMap<LimitKey, Limit>,
}

/// The keys, quota and money that one claim asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    pub keys: Vec<(UniqueKind, Digest)>,
    /// The slot, and how many items a person may have in it.
    pub quota: Option<(QuotaKey, u32)>,
    /// `None` if the claim cannot be priced.
    pub money: Option<Fen>,
    /// The fund and every existing cap that the money counts against, in any order.
    pub funds: Vec<LimitKey>,
    /// A corrected claim keeps its place: claims that wait came after it and do not block it.
    pub priority: bool,
    /// A demand that is not eligible takes nothing.
    pub eligible: bool,
}

/// The result for a person's quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaOutcome {
    pub used_before: u32,
    pub limit: u32,
    pub ok: bool,
}

/// The result for the money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CapOutcome {
    Granted,
    /// The first limit, in lock order, that lacked the money; the rest of it, and how many claims
    /// waited there before.
    Exhausted {
        key: LimitKey,
        left: Fen,
        waiting: u64,
    },
}

/// The allocation of one claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocation {
    /// Kinds of its keys that another claim holds, each once.
    pub taken: Vec<UniqueKind>,
    pub quota: Option<QuotaOutcome>,
    /// `None` when no money was asked for.
    pub cap: Option<CapOutcome>,
    /// The claim holds its keys and its place in the quota.
    pub holds: bool,
    /// The claim's money is reserved. A grant of zero reserves nothing.
    pub reserved: bool,
}

/// Serves demands in order, changing `state` as each is served; the answer has one allocation for
/// each demand, in order.
pub fn allocate(state: &mut State, demands: &[Demand]) -> Vec<Allocation> {
    demands.iter().map(|demand| allocate_one(state, demand)).collect()
}

fn allocate_one(state: &mut State, demand: &Demand) -> Allocation {
    let nothing = Allocation {
        taken: Vec::new(),
        quota: None,
        cap: None,
        holds: false,
        reserved: false,
    };
    if !demand.eligible {
        return nothing;
    }
    let taken: BTreeSet<UniqueKind> = demand
        .keys
        .iter()
        .filter(|key| state.taken.contains(key))
        .map(|(kind, _)| *kind)
        .collect();
    let quota = demand.quota.as_ref().map(|(key, limit)| {
        let used_before = state.quotas.get(key).copied().unwrap_or(0);
        QuotaOutcome {
            used_before,
            limit: *limit,
            ok: used_before < *limit,
        }
    });
    if !taken.is_empty() || quota.is_some_and(|quota| !quota.ok) {
        return Allocation {
            taken: taken.into_iter().collect(),
            quota,
            ..nothing
        };
    }
    state.taken.extend(demand.keys.iter().copied());
    if let Some((key, _)) = &demand.quota {
        let used = state.quotas.entry(key.clone()).or_insert(0);
        *used = used.saturating_add(1);
    }
    let cap = demand.money.map(|money| reserve(state, demand, money));
    let reserved = cap == Some(CapOutcome::Granted) && demand.money.is_some_and(|money| !money.is_zero());
    Allocation {
        quota,
        cap,
        holds: true,
        reserved,
        ..nothing
    }
}

fn reserve(state: &mut State, demand: &Demand, money: Fen) -> CapOutcome {
    let keys: BTreeSet<&LimitKey> = demand.funds.iter().collect();
    let lacking = keys.iter().find_map(|key| {
        let limit = limit(state, key);
        let blocked = limit.waiting > 0 && !demand.priority;
        (blocked || !limit.admits(money)).then(|| ((*key).clone(), limit))
    });
    match lacking {
        Some((key, limit)) => {
            await_limit(state, &key);
            CapOutcome::Exhausted {
                key,
                left: limit.left(),
                waiting: limit.waiting,
            }
        }
        None => {
            commit(state, keys, money);
            CapOutcome::Granted
        }
    }
}

fn limit(state: &State, key: &LimitKey) -> Limit {
    state
        .limits
        .get(key)
        .copied()
        .unwrap_or(Limit::fund(Fen::ZERO, 0))
}

fn await_limit(state: &mut State, key: &LimitKey) {
    let limit = state
        .limits
        .entry(key.clone())
        .or_insert(Limit::fund(Fen::ZERO, 0));
    limit.waiting = limit.waiting.saturating_add(1);
}

fn commit<'a>(state: &mut State, keys: impl IntoIterator<Item = &'a LimitKey>, money: Fen) {
    for key in keys {
        if let Some(limit) = state.limits.get_mut(key) {
            limit.commit(money);
        }
    }
}

/// A claim on the waitlist. It already holds its keys and its quota.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub money: Fen,
    /// As in [`Demand::funds`].
    pub funds: Vec<LimitKey>,
    /// The limit at which it is counted as waiting: the key of the [`CapOutcome::Exhausted`] that
    /// put it there, or of the [`Served::Waits`] since.
    pub waits_for: LimitKey,
}

/// The result for a waiting claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Served {
    /// The money is committed in every limit; the claim no longer counts as waiting.
    Granted,
    /// The claim still waits, now at this limit.
    Waits { key: LimitKey, left: Fen },
}

/// Serves the waitlist in order of arrival, as far as the money goes. A claim that does not fit
/// closes every limit it lacks to those behind it; claims that need other money only go on.
/// `waiting` must list, in order, every claim that is counted in the limits' `waiting`, or a first
/// part of them. A long waitlist is served in parts: `closed` carries from one part to the next the
/// limits that are closed to those behind, and starts empty.
pub fn serve(state: &mut State, closed: &mut BTreeSet<LimitKey>, waiting: &[Waiting]) -> Vec<Served> {
    waiting
        .iter()
        .map(|claim| serve_one(state, closed, claim))
        .collect()
}

fn serve_one(state: &mut State, closed: &mut BTreeSet<LimitKey>, claim: &Waiting) -> Served {
    let keys: BTreeSet<&LimitKey> = claim.funds.iter().collect();
    let lacking: Vec<&LimitKey> = keys
        .iter()
        .copied()
        .filter(|key| !limit(state, key).admits(claim.money))
        .collect();
    let first = keys
        .iter()
        .copied()
        .find(|key| closed.contains(*key) || lacking.contains(key))
        .cloned();
    closed.extend(lacking.into_iter().cloned());
    leave(state, &claim.waits_for);
    match first {
        Some(key) => {
            let left = limit(state, &key).left();
            await_limit(state, &key);
            Served::Waits { key, left }
        }
        None => {
            commit(state, keys, claim.money);
            Served::Granted
        }
    }
}

fn leave(state: &mut State, key: &LimitKey) {
    if let Some(limit) = state.limits.get_mut(key) {
        limit.waiting = limit.waiting.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests;
