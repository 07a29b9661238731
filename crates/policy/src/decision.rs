use std::borrow::Cow;
use std::sync::Arc;

use rust_decimal::Decimal;
use words::words;

use crate::document::Verdict;
use crate::facts::{Facts, Value};
use crate::schema::Fact;

words! {
    /// The outcome of one rule for one claim.
    pub enum RuleResult {
        Pass = "pass",
        Fail = "fail",
        /// The rule depends on a fact that is missing.
        Unknown = "unknown",
    }
}

/// A rule's result, and the facts that it read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleOutcome {
    pub id: Arc<str>,
    pub outcome: RuleResult,
    /// Categories are the programme's own: aliases are resolved.
    pub facts: FactsRead,
    /// Paths of facts that were read and are missing. Empty unless the outcome is unknown.
    pub missing: Vec<String>,
}

impl RuleOutcome {
    /// The result of a rule that the service itself decides (`unique-…`, `quota`, `cap`).
    pub fn system(id: &str, passed: bool) -> Self {
        RuleOutcome {
            id: id.into(),
            outcome: if passed {
                RuleResult::Pass
            } else {
                RuleResult::Fail
            },
            facts: FactsRead::default(),
            missing: Vec::new(),
        }
    }
}

/// The facts that a rule read, in the order of their paths.
#[derive(Clone, Debug)]
pub struct FactsRead(Read);

#[derive(Clone, Debug)]
enum Read {
    /// For a rule of the document: the claim's facts, which all its rules share, at the paths that
    /// are present.
    OfClaim(Arc<Facts>, Arc<[&'static Fact]>),
    /// For a rule of the service: the facts that the service found.
    Found(Vec<(Cow<'static, str>, Value)>),
}

impl Default for FactsRead {
    fn default() -> Self {
        FactsRead(Read::Found(Vec::new()))
    }
}

impl FactsRead {
    /// The facts of `reads` that are present, in the order of their paths.
    pub(crate) fn new(facts: &Arc<Facts>, reads: &Arc<[&'static Fact]>) -> Self {
        FactsRead(Read::OfClaim(Arc::clone(facts), Arc::clone(reads)))
    }

    /// Adds a fact that the service found; a fact of the same path is replaced.
    pub fn insert(&mut self, path: impl Into<Cow<'static, str>>, value: Value) {
        let of_claim = self.of_claim().map(|facts| {
            facts
                .map(|(fact, value)| (fact.path.into(), value.clone()))
                .collect()
        });
        if let Some(of_claim) = of_claim {
            self.0 = Read::Found(of_claim);
        }
        let Read::Found(found) = &mut self.0 else {
            return;
        };
        let path = path.into();
        match found.binary_search_by(|(known, _)| known.cmp(&path)) {
            Ok(place) => {
                if let Some(known) = found.get_mut(place) {
                    known.1 = value;
                }
            }
            Err(place) => found.insert(place, (path, value)),
        }
    }

    pub fn get(&self, path: &str) -> Option<&Value> {
        self.iter()
            .find_map(|(known, value)| (known == path).then_some(value))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> + Clone {
        let of_claim = self.of_claim().into_iter().flatten();
        let found = self.found().iter().map(|(path, value)| (path.as_ref(), value));
        of_claim.map(|(fact, value)| (fact.path, value)).chain(found)
    }

    /// The claim's facts, if a rule of the document read them.
    pub(crate) fn of_claim(&self) -> Option<impl Iterator<Item = (&'static Fact, &Value)> + Clone> {
        match &self.0 {
            Read::OfClaim(facts, reads) => {
                let known = |fact: &&'static Fact| Some((*fact, facts.value(fact)?));
                Some(reads.iter().filter_map(known))
            }
            Read::Found(_) => None,
        }
    }

    pub(crate) fn found(&self) -> &[(Cow<'static, str>, Value)] {
        match &self.0 {
            Read::OfClaim(..) => &[],
            Read::Found(found) => found,
        }
    }
}

impl PartialEq for FactsRead {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for FactsRead {}

/// A subsidy, in yuan and whole fen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// The price that the subsidy is a share of.
    pub base: Decimal,
    /// The share; none where the subsidy is a fixed sum.
    pub rate: Option<Decimal>,
    /// Before the cap: the share of the base, rounded, or the fixed sum.
    pub uncapped: Decimal,
    /// The amount to pay: never more than the cap, nor than the base.
    pub amount: Decimal,
}

/// The result for a claim: every rule, in the document's order, and the price if it can be
/// computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub rules: Vec<RuleOutcome>,
    pub verdict: Verdict,
    /// Always present when the verdict is eligible.
    pub price: Option<Price>,
}

words! {
    /// The outcome of a claim's decision including uniqueness, quota and caps.
    pub enum Outcome {
        Eligible = "eligible",
        NeedsCorrection = "needs_correction",
        Ineligible = "ineligible",
        /// Eligible, but a cap is exhausted.
        Waitlisted = "waitlisted",
    }
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Eligible => Outcome::Eligible,
            Verdict::NeedsCorrection => Outcome::NeedsCorrection,
            Verdict::Ineligible => Outcome::Ineligible,
        }
    }
}
