//! Replays recorded claims in order of arrival under another document: which outcomes change, the
//! cost, and the day on which each limit runs out.
//!
//! Both sides are replayed with the same money: the ceilings that are given, less the sums held by
//! claims before the period. So a difference is due to the document and not to the day on which
//! money came, and the recording document shows no difference from itself. Assumptions on both
//! sides:
//! * a ceiling stands from the first day, and money that is given out does not come back;
//! * no claim is served from a waitlist: once a limit turned a claim away, those behind it wait, as
//!   newcomers do ([`crate::allocate`]);
//! * a claim that needs correction keeps its money, as it does on submission.
//!
//! A person's quota is the count in the receipt before the claim, corrected by what the other
//! document gave or refused the person in that slot so far: only persons with a different result
//! are kept in memory. A slot that the receipt did not count starts empty, and every person in it
//! is kept. A claim that was withdrawn or refused later counts, on the other document's side, as if
//! it had stayed. Unique keys are as recorded.
//!
//! Bound of the memory: kinds of outcomes, rules, limits, counties and categories, and those
//! persons.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use ledger::{Fen, MoneyError};
use policy::replay::{CAP, Comparison, QUOTA, RuleChange};
use policy::{Outcome, RuleResult};

use crate::allocate::{CapOutcome, Demand, Limit, LimitKey, QuotaKey, Scope, State, allocate};
use crate::digest::Digest;
use crate::identifiers::ProgrammeId;
use crate::ids::ClaimId;
use crate::jurisdictions::JurisdictionCode;

/// How many claims are listed for each change from one outcome to another.
pub const EXAMPLES: usize = 10;

/// The outcome under the other document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WouldBe {
    Decided(Outcome),
    /// Open: it depends on a fact that the recording version did not ask for.
    Open,
}

/// One recorded claim, in order of arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    pub id: ClaimId,
    /// Of arrival, in Asia/Shanghai.
    pub day: NaiveDate,
    pub person: Digest,
    /// As recorded.
    pub category: String,
    pub comparison: Comparison,
}

/// The result for one claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    pub id: ClaimId,
    pub was: Outcome,
    pub would_be: WouldBe,
    /// The sums granted on both sides: zero unless eligible.
    pub granted_was: Fen,
    pub granted_would_be: Fen,
    /// Rules with another outcome.
    pub changed: Vec<RuleChange>,
}

impl Replayed {
    /// Whether the outcome differs.
    pub fn flips(&self) -> bool {
        self.would_be != WouldBe::Decided(self.was)
    }

    /// Whether outcome, subsidy or rules differ.
    pub fn differs(&self) -> bool {
        self.flips() || self.granted_was != self.granted_would_be
    }
}

/// Claims that went from one outcome to another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passage {
    pub claims: u64,
    pub was: Fen,
    pub would_be: Fen,
    /// For each rule, how many of these claims have another outcome of it. Empty where the claim's
    /// outcome is the same.
    pub rules: BTreeMap<RuleChange, u64>,
    /// The first ones.
    pub examples: Vec<ClaimId>,
}

/// Subsidies granted in one place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Granted {
    pub claims_was: u64,
    pub claims_would_be: u64,
    pub was: Fen,
    pub would_be: Fen,
}

/// A limit on one side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Use {
    pub committed: Fen,
    /// The day of the first claim that it turned away; `None` if it sufficed.
    pub ran_out: Option<NaiveDate>,
    /// Claims that it turned away, or that waited behind one.
    pub turned_away: u64,
}

/// The report of a replay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    pub claims: u64,
    pub passages: BTreeMap<(Outcome, WouldBe), Passage>,
    /// Claims with the same outcome and another subsidy.
    pub repriced: u64,
    /// Claims whose amount paid was recomputed from the other subsidy.
    pub till: u64,
    pub places: BTreeMap<(JurisdictionCode, String), Granted>,
    /// Open claims by the fact that they depend on.
    pub lacking: BTreeMap<String, u64>,
    /// Claims that counted against a slot which their receipt did not count.
    pub uncounted_slots: u64,
}

/// A limit before the first claim, and its course on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitUse {
    pub key: LimitKey,
    pub ceiling: Fen,
    /// Held by claims before the period.
    pub before: Fen,
    pub was: Use,
    pub would_be: Use,
}

/// The money of one side.
#[derive(Debug, Clone, Default)]
struct Side {
    state: State,
    used: BTreeMap<LimitKey, Use>,
}

/// A replay in progress.
#[derive(Debug, Clone)]
pub struct Replay {
    programme: ProgrammeId,
    /// The city above each county.
    cities: BTreeMap<JurisdictionCode, JurisdictionCode>,
    /// Ceiling of each limit, and the sum held by claims before the period.
    start: BTreeMap<LimitKey, (Fen, Fen)>,
    was: Side,
    would_be: Side,
    /// How many more subsidies than recorded the other document gave a person in a slot; for a slot
    /// that receipts did not count, how many in all.
    quotas: HashMap<QuotaKey, i64>,
    tally: Tally,
}

/// A claim's demand for money.
struct Asks<'a> {
    county: JurisdictionCode,
    category: &'a str,
    day: NaiveDate,
    /// By the rules, uniqueness and quota.
    outcome: Outcome,
    money: Option<Fen>,
}

impl Replay {
    /// `limits` has the ceiling of each limit, funds among them, and the sum held by claims before
    /// the period.
    pub fn new(
        programme: ProgrammeId,
        cities: BTreeMap<JurisdictionCode, JurisdictionCode>,
        limits: BTreeMap<LimitKey, (Fen, Fen)>,
    ) -> Replay {
        let mut side = Side::default();
        for (key, (ceiling, before)) in &limits {
            side.state
                .limits
                .insert(key.clone(), Limit::cap(Some(*ceiling), *before, 0));
        }
        Replay {
            programme,
            cities,
            start: limits,
            was: side.clone(),
            would_be: side,
            quotas: HashMap::new(),
            tally: Tally::default(),
        }
    }

    /// The next claim by arrival.
    ///
    /// # Errors
    /// A recorded subsidy is no sum of money.
    pub fn take(&mut self, arrival: Arrival) -> Result<Replayed, MoneyError> {
        let Arrival {
            id,
            day,
            person,
            category,
            comparison: it,
        } = arrival;
        let fen = |amount: Option<rust_decimal::Decimal>| {
            let fen = amount.map(Fen::from_decimal).transpose()?;
            Ok::<_, MoneyError>(fen.filter(|fen| !fen.is_zero()))
        };
        let county = id.jurisdiction;
        let was = Asks {
            county,
            category: &category,
            day,
            outcome: it.was,
            money: fen(it.was_amount)?,
        };
        let (was_outcome, granted_was) = self.was.serve(&self.programme, &self.cities, &was);
        let mut changed = it.changed.clone();
        let (would_be, granted_would_be) = if it.lacking.is_empty() {
            let asks = Asks {
                county,
                category: it.category.as_deref().unwrap_or(OTHER),
                day,
                outcome: self.count(person, &it, &mut changed),
                money: fen(it.amount)?,
            };
            let (outcome, granted) = self.would_be.serve(&self.programme, &self.cities, &asks);
            (WouldBe::Decided(outcome), granted)
        } else {
            (WouldBe::Open, Fen::ZERO)
        };
        // Only a claim that may receive money counts against the limits.
        let cap = |it| match it {
            WouldBe::Decided(Outcome::Waitlisted) => Some(RuleResult::Fail),
            WouldBe::Decided(Outcome::Eligible) => Some(RuleResult::Pass),
            WouldBe::Decided(Outcome::NeedsCorrection | Outcome::Ineligible) | WouldBe::Open => None,
        };
        let (was_cap, would_cap) = (cap(WouldBe::Decided(was_outcome)), cap(would_be));
        if was_cap != would_cap && [was_cap, would_cap].contains(&Some(RuleResult::Fail)) {
            changed.push(RuleChange {
                rule: CAP.into(),
                was: was_cap,
                would_be: would_cap,
            });
        }
        let replayed = Replayed {
            id,
            was: was_outcome,
            would_be,
            granted_was,
            granted_would_be,
            changed,
        };
        self.report(&replayed, &category, &it);
        Ok(replayed)
    }

    /// Counts the claim against its person's quota, and returns its outcome.
    fn count(&mut self, person: Digest, it: &Comparison, changed: &mut Vec<RuleChange>) -> Outcome {
        let Some(quota) = &it.quota else {
            if it.was_quota.is_some() {
                changed.push(RuleChange {
                    rule: QUOTA.into(),
                    was: it.was_quota,
                    would_be: None,
                });
            }
            return it.would_be;
        };
        if it.used.is_none() {
            self.tally.uncounted_slots = self.tally.uncounted_slots.saturating_add(1);
        }
        let key = QuotaKey {
            person,
            slot: quota.slot.clone(),
        };
        let more = self.quotas.get(&key).copied().unwrap_or(0);
        let used = i64::from(it.used.unwrap_or(0)).saturating_add(more);
        let fits = used < i64::from(quota.limit);
        let outcome = if fits { it.would_be } else { it.over_quota };
        let result = if fits { RuleResult::Pass } else { RuleResult::Fail };
        if it.was_quota != Some(result) {
            changed.push(RuleChange {
                rule: QUOTA.into(),
                was: it.was_quota,
                would_be: Some(result),
            });
        }
        let held = it.used.is_some() && it.was != Outcome::Ineligible;
        let holds = outcome != Outcome::Ineligible;
        let more = more
            .saturating_add(i64::from(holds))
            .saturating_sub(i64::from(held));
        if more == 0 {
            self.quotas.remove(&key);
        } else {
            self.quotas.insert(key, more);
        }
        outcome
    }

    fn report(&mut self, one: &Replayed, category: &str, it: &Comparison) {
        let tally = &mut self.tally;
        let add = |count: &mut u64| *count = count.saturating_add(1);
        add(&mut tally.claims);
        let passage = tally.passages.entry((one.was, one.would_be)).or_default();
        add(&mut passage.claims);
        passage.was = passage.was.saturating_add(one.granted_was);
        passage.would_be = passage.would_be.saturating_add(one.granted_would_be);
        if one.flips() {
            for change in &one.changed {
                add(passage.rules.entry(change.clone()).or_default());
            }
        } else if one.differs() {
            add(&mut tally.repriced);
        }
        if one.differs() && passage.examples.len() < EXAMPLES {
            passage.examples.push(one.id);
        }
        if it.till {
            add(&mut tally.till);
        }
        for fact in &it.lacking {
            add(tally.lacking.entry(fact.clone()).or_default());
        }
        let county = one.id.jurisdiction;
        if !one.granted_was.is_zero() {
            let place = tally.places.entry((county, category.to_owned())).or_default();
            add(&mut place.claims_was);
            place.was = place.was.saturating_add(one.granted_was);
        }
        if !one.granted_would_be.is_zero() {
            let category = it.category.as_deref().unwrap_or(OTHER);
            let place = tally.places.entry((county, category.to_owned())).or_default();
            add(&mut place.claims_would_be);
            place.would_be = place.would_be.saturating_add(one.granted_would_be);
        }
    }

    /// Progress in claims.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Number of persons with a different result, who are kept in memory.
    pub fn persons(&self) -> usize {
        self.quotas.len()
    }

    /// Every limit, in order.
    pub fn limits(&self) -> Vec<LimitUse> {
        let used = |side: &Side, key| side.used.get(key).copied().unwrap_or_default();
        let limits = self.start.iter().map(|(key, (ceiling, before))| LimitUse {
            key: key.clone(),
            ceiling: *ceiling,
            before: *before,
            was: used(&self.was, key),
            would_be: used(&self.would_be, key),
        });
        limits.collect()
    }
}

/// A category without a code in the other document.
const OTHER: &str = "other";

impl Side {
    /// Grants a claim its money, if there is enough, and returns outcome and sum.
    fn serve(
        &mut self,
        programme: &ProgrammeId,
        cities: &BTreeMap<JurisdictionCode, JurisdictionCode>,
        asks: &Asks<'_>,
    ) -> (Outcome, Fen) {
        let Some(money) = asks.money.filter(|_| asks.outcome != Outcome::Ineligible) else {
            return (asks.outcome, Fen::ZERO);
        };
        let touched = self.touched(programme, cities, asks);
        for key in &touched {
            self.look(key, money, asks.day);
        }
        let demand = Demand {
            keys: Vec::new(),
            quota: None,
            money: Some(money),
            funds: touched.clone(),
            priority: false,
            eligible: true,
        };
        let allocations = allocate(&mut self.state, std::slice::from_ref(&demand));
        let cap = allocations.into_iter().next().and_then(|it| it.cap);
        let Some(CapOutcome::Exhausted { key, .. }) = cap else {
            for key in touched {
                let used = self.used.entry(key).or_default();
                used.committed = used.committed.saturating_add(money);
            }
            let granted = if asks.outcome == Outcome::Eligible {
                money
            } else {
                Fen::ZERO
            };
            return (asks.outcome, granted);
        };
        if asks.outcome == Outcome::Eligible {
            return (Outcome::Waitlisted, Fen::ZERO);
        }
        // The claim needs correction first, and does not block others until then.
        if let Some(limit) = self.state.limits.get_mut(&key) {
            limit.waiting = limit.waiting.saturating_sub(1);
        }
        (asks.outcome, Fen::ZERO)
    }

    /// The fund and every existing cap that the claim counts against.
    fn touched(
        &self,
        programme: &ProgrammeId,
        cities: &BTreeMap<JurisdictionCode, JurisdictionCode>,
        asks: &Asks<'_>,
    ) -> Vec<LimitKey> {
        use chrono::Datelike;
        let key = |jurisdiction, scope| LimitKey {
            jurisdiction,
            programme: programme.clone(),
            scope,
        };
        let places = cities.get(&asks.county).into_iter().chain([&asks.county]);
        let caps = places.flat_map(|place| {
            [
                Scope::County,
                Scope::Category(asks.category.to_owned()),
                Scope::Month {
                    year: asks.day.year(),
                    month: asks.day.month(),
                },
            ]
            .map(|scope| key(*place, scope))
        });
        let caps = caps.filter(|key| self.state.limits.contains_key(key));
        std::iter::once(key(asks.county, Scope::Fund))
            .chain(caps)
            .collect()
    }

    /// Notes whether a limit lacks the money.
    fn look(&mut self, key: &LimitKey, money: Fen, day: NaiveDate) {
        let limit = self.state.limits.get(key);
        let lacks = limit.is_none_or(|limit| limit.waiting > 0 || limit.left() < money);
        if lacks {
            let used = self.used.entry(key.clone()).or_default();
            used.ran_out = used.ran_out.or(Some(day));
            used.turned_away = used.turned_away.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests;
