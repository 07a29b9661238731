use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::document::Verdict;
use crate::facts::Value;

/// What one rule says of one claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    pub id: String,
    pub outcome: RuleResult,
    /// The facts read, by path. Categories are the programme's own: an alias has been resolved.
    pub facts: BTreeMap<String, Value>,
    /// Paths of facts that were read and are not known. Empty unless the outcome is unknown.
    pub missing: Vec<String>,
}

impl RuleOutcome {
    /// The result of a rule that the service itself decides (`unique-…`, `quota`, `cap`).
    pub fn system(id: &str, passed: bool) -> Self {
        RuleOutcome {
            id: id.to_owned(),
            outcome: if passed {
                RuleResult::Pass
            } else {
                RuleResult::Fail
            },
            facts: BTreeMap::new(),
            missing: Vec::new(),
        }
    }
}

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
