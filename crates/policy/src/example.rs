//! Worked examples: the results that a document states for itself, and the check that they come
//! out.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use crate::decision::{Decision, RuleResult};
use crate::document::Verdict;
use crate::facts::Facts;
use crate::programme::Programme;

/// A worked example of a document: facts, and the decision that they must lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    pub name: String,
    pub facts: Facts,
    pub verdict: Verdict,
    /// Exactly the rules that fail.
    pub fails: BTreeSet<String>,
    /// Exactly the rules that are unknown.
    pub unknown: BTreeSet<String>,
    /// The subsidy in yuan; not checked where the document states none.
    pub amount: Option<Decimal>,
}

/// Whether a worked example came out as the document states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExampleResult {
    pub name: String,
    /// One line for each difference; empty if there is none.
    pub differences: Vec<String>,
}

impl ExampleResult {
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

impl Programme {
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }

    /// Decides every worked example of the document and compares.
    pub fn run_examples(&self) -> Vec<ExampleResult> {
        let run = |example: &Example| ExampleResult {
            name: example.name.clone(),
            differences: example.differences(&self.decide(&example.facts)),
        };
        self.examples.iter().map(run).collect()
    }
}

impl Example {
    fn differences(&self, decision: &Decision) -> Vec<String> {
        let mut differences = Vec::new();
        if decision.verdict != self.verdict {
            let (expected, found) = (self.verdict.as_str(), decision.verdict.as_str());
            differences.push(format!("verdict: expected {expected}, found {found}"));
        }
        let with = |result| -> BTreeSet<String> {
            let rules = decision.rules.iter().filter(|rule| rule.outcome == result);
            rules.map(|rule| (*rule.id).to_owned()).collect()
        };
        for (what, expected, found) in [
            ("fails", &self.fails, with(RuleResult::Fail)),
            ("unknown", &self.unknown, with(RuleResult::Unknown)),
        ] {
            if *expected != found {
                differences.push(format!(
                    "{what}: expected {}, found {}",
                    list(expected),
                    list(&found)
                ));
            }
        }
        let found = decision.price.as_ref().map(|price| price.amount);
        if let Some(expected) = self.amount
            && found != Some(expected)
        {
            let found = found.map_or_else(|| "none".to_owned(), |amount| amount.to_string());
            differences.push(format!("amount: expected {expected}, found {found}"));
        }
        differences
    }
}

fn list(ids: &BTreeSet<String>) -> String {
    if ids.is_empty() {
        return "none".to_owned();
    }
    ids.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
