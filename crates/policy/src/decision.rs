use std::borrow::Cow;
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::document::Verdict;
use crate::facts::{Facts, Value};
use crate::schema::Fact;

/// What one rule says of one claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleResult {
    Pass,
    Fail,
    /// The rule depends on a fact that is missing.
    Unknown,
}

impl RuleResult {
    pub fn as_str(self) -> &'static str {
        match self {
            RuleResult::Pass => "pass",
            RuleResult::Fail => "fail",
            RuleResult::Unknown => "unknown",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [RuleResult::Pass, RuleResult::Fail, RuleResult::Unknown]
            .into_iter()
            .find(|it| it.as_str() == text)
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
#[derive(Clone, Debug, Default)]
pub struct FactsRead {
    /// Of a rule of the document: facts of the claim, which all its rules share.
    claims: Option<(Arc<Facts>, Arc<[&'static Fact]>)>,
    /// Of a rule of the service's: what it found elsewhere.
    own: Vec<(Cow<'static, str>, Value)>,
}

impl FactsRead {
    /// Those of `paths`, in their order, that are known.
    pub(crate) fn of(facts: &Arc<Facts>, paths: Arc<[&'static Fact]>) -> Self {
        FactsRead {
            claims: Some((Arc::clone(facts), paths)),
            own: Vec::new(),
        }
    }

    /// Puts what the service found in its place; a fact of the same path is replaced.
    pub fn insert(&mut self, path: impl Into<Cow<'static, str>>, value: Value) {
        let path = path.into();
        match self.own.binary_search_by(|(known, _)| known.cmp(&path)) {
            Ok(place) => {
                if let Some(known) = self.own.get_mut(place) {
                    known.1 = value;
                }
            }
            Err(place) => self.own.insert(place, (path, value)),
        }
    }

    pub fn get(&self, path: &str) -> Option<&Value> {
        self.iter()
            .find_map(|(known, value)| (known == path).then_some(value))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> + Clone {
        let claims = self.claims.iter().flat_map(|(facts, paths)| {
            let known = |fact: &&'static Fact| Some((fact.path, facts.value(fact)?));
            paths.iter().filter_map(known)
        });
        claims.chain(self.own.iter().map(|(path, value)| (path.as_ref(), value)))
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

/// How a claim's decision ends once uniqueness, quota and caps are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    Eligible,
    NeedsCorrection,
    Ineligible,
    /// Eligible, but a cap is exhausted.
    Waitlisted,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Eligible => "eligible",
            Outcome::NeedsCorrection => "needs_correction",
            Outcome::Ineligible => "ineligible",
            Outcome::Waitlisted => "waitlisted",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [
            Outcome::Eligible,
            Outcome::NeedsCorrection,
            Outcome::Ineligible,
            Outcome::Waitlisted,
        ]
        .into_iter()
        .find(|it| it.as_str() == text)
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
