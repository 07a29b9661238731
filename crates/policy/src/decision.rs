use std::borrow::Cow;
use std::sync::Arc;

use rust_decimal::Decimal;
use words::words;

use crate::document::Verdict;
use crate::facts::{Facts, Value};
use crate::schema::Fact;

words! {
    /// What one rule says of one claim.
    pub enum RuleResult {
        Pass = "pass",
        Fail = "fail",
        /// The rule depends on a fact that is missing.
        Unknown = "unknown",
    }
}

/// A rule's result, and what it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleOutcome {
    pub id: Arc<str>,
    pub outcome: RuleResult,
    /// Categories are the programme's own: an alias has been resolved.
    pub facts: FactsRead,
    /// Paths of facts that were read and are not known. Empty unless the outcome is unknown.
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
    /// By a rule of the document: those of the claim, which all its rules share, that are known of these.
    OfClaim(Arc<Facts>, Arc<[&'static Fact]>),
    /// By a rule of the service's: what it found elsewhere.
    Found(Vec<(Cow<'static, str>, Value)>),
}

impl Default for FactsRead {
    fn default() -> Self {
        FactsRead(Read::Found(Vec::new()))
    }
}

impl FactsRead {
    /// Those of `reads`, in the order of their paths, that are known.
    pub(crate) fn new(facts: &Arc<Facts>, reads: &Arc<[&'static Fact]>) -> Self {
        FactsRead(Read::OfClaim(Arc::clone(facts), Arc::clone(reads)))
    }

    /// Puts what the service found in its place; a fact of the same path is replaced.
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

    /// Those of the claim, if it is a rule of the document that read them.
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
    /// What is paid: never more than the cap, nor than the base.
    pub amount: Decimal,
}

/// What the programme says of a claim: every rule, in the document's order, and the price if it can be computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub rules: Vec<RuleOutcome>,
    pub verdict: Verdict,
    /// Always there when the verdict is eligible.
    pub price: Option<Price>,
}

words! {
    /// How a claim's decision ends once uniqueness, quota and caps are counted in.
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
