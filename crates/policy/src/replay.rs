//! Compares a recorded decision with another document: its facts are decided again under that
//! document.
//!
//! A receipt holds every fact that was present, whether a rule read it or not. So if the other
//! document reads a fact that the receipt lacks, there are two cases. Either the recording version
//! asked for the fact and the claim lacked it, which is a finding about the claim; or that version
//! did not ask for it: then the comparison names it in [`Comparison::lacking`], and the outcome
//! under the other document stays open.
//!
//! One fact of a sale depends on the rules: a merchant deducts at the till the subsidy that they
//! grant. Where the amount paid and the recorded subsidy add up to the invoice's total, another
//! subsidy would have been deducted instead, and the comparison does so ([`Comparison::till`]);
//! otherwise a draft with another rate would fail every claim for its old one.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::decision::{Decision, Outcome, RuleOutcome, RuleResult};
use crate::document::Verdict;
use crate::facts::Facts;
use crate::programme::{Programme, Quota, Severity};
use crate::receipt::Mismatch;
use crate::schema::{self, Fact, PAYEE_KIND, PURCHASE_INVOICE_TOTAL, PURCHASE_PAID, computed};

/// The rule that the service decides from a person's quota.
pub const QUOTA: &str = "quota";
/// The rule that the service decides from the money available.
pub const CAP: &str = "cap";

/// A decision read from its receipt, without deciding it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub version: u32,
    pub facts: Facts,
    pub outcome: Outcome,
    /// The subsidy in yuan; `None` if it could not be computed.
    pub amount: Option<Decimal>,
    /// Every rule in order, the service's last.
    pub rules: Vec<(String, RuleResult)>,
    /// The slot that the claim counted against, and how many subsidies the person had in it before.
    pub quota: Option<(String, u32)>,
}

/// A rule with another outcome under the other document; `None` on the side that has no such rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleChange {
    pub rule: Arc<str>,
    pub was: Option<RuleResult>,
    pub would_be: Option<RuleResult>,
}

/// A recorded decision beside the other document's decision of its facts. Money and quota are not
/// included: they depend on the claims before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The recorded outcome without the cap: a claim that waited for money was eligible.
    pub was: Outcome,
    pub was_amount: Option<Decimal>,
    /// The outcome under the other document, with uniqueness as it was recorded.
    pub would_be: Outcome,
    /// The outcome for a person whose quota is used up.
    pub over_quota: Outcome,
    pub amount: Option<Decimal>,
    /// The other document's own code for the item's category; `None` if it has none.
    pub category: Option<String>,
    /// The quota that the claim would count against.
    pub quota: Option<Quota>,
    /// Used in that slot before the claim, as recorded; `None` if the receipt counted another slot.
    pub used: Option<u32>,
    /// The recorded outcome of the quota rule.
    pub was_quota: Option<RuleResult>,
    /// Whether the amount paid was recomputed from the other document's subsidy.
    pub till: bool,
    /// Rules with another outcome, without quota and cap.
    pub changed: Vec<RuleChange>,
    /// Facts that decide the outcome and that the recording version did not ask for: the outcome is
    /// open.
    pub lacking: Vec<String>,
}

impl Recorded {
    /// Reads a receipt. [`crate::receipt::read`] checks it.
    ///
    /// # Errors
    /// If the text is not a receipt, or has a fact that is not in the schema of this program.
    pub fn read(receipt_json: &str) -> Result<Recorded, Mismatch> {
        let text: Text<'_> =
            serde_json::from_str(receipt_json).map_err(|error| Mismatch::Malformed(error.to_string()))?;
        let malformed = |what: &str| Mismatch::Malformed(what.to_owned());
        let amount = text.subsidy.map(|subsidy| subsidy.amount.parse::<Decimal>());
        let mut quota = None;
        let mut rules = Vec::with_capacity(text.rules.len());
        for rule in text.rules {
            let result =
                RuleResult::parse(&rule.outcome).ok_or_else(|| malformed("a rule has no outcome"))?;
            if rule.id == QUOTA {
                let used = rule.facts.used.as_deref().and_then(|used| used.parse().ok());
                quota = rule.facts.slot.zip(used);
            }
            rules.push((rule.id.into_owned(), result));
        }
        Ok(Recorded {
            version: text.version,
            facts: Facts::from_json(&text.facts)?,
            outcome: Outcome::parse(&text.outcome).ok_or_else(|| malformed("it has no outcome"))?,
            amount: amount
                .transpose()
                .map_err(|_| malformed("its subsidy is no number"))?,
            rules,
            quota,
        })
    }
}

impl Programme {
    /// Every fact that some rule, tier or date of the document reads; a computed fact is replaced
    /// by those that it is computed from.
    pub fn asks_for(&self) -> BTreeSet<&'static str> {
        let mut asked: BTreeSet<&'static str> = self.governing_dates.iter().map(|fact| fact.path).collect();
        let mut read = |fact: &'static Fact| asked.extend(self.sources(fact));
        for rule in &self.rules {
            rule.when
                .iter()
                .flat_map(|when| when.reads())
                .copied()
                .for_each(&mut read);
            rule.test.reads().into_iter().for_each(&mut read);
        }
        for tier in &self.tiers {
            tier.when
                .iter()
                .flat_map(|when| when.reads())
                .copied()
                .for_each(&mut read);
            tier.base.reads().iter().copied().for_each(&mut read);
        }
        asked
    }

    /// The facts that a computed fact is computed from; any other fact itself.
    fn sources(&self, fact: &'static Fact) -> Vec<&'static str> {
        let path = fact.path;
        if path == computed::GATE_PRICE.path() {
            self.price_gate.iter().map(|gate| gate.field.path).collect()
        } else if path == computed::GOODS_NAME_FITS.path() {
            vec![schema::ITEM_CATEGORY.path(), schema::PURCHASE_GOODS_NAME.path()]
        } else if path == computed::GOVERNING_DATE.path() {
            self.governing_dates.iter().map(|fact| fact.path).collect()
        } else if fact.computed {
            // The programme's own, or the subsidy, whose tiers are read separately.
            Vec::new()
        } else {
            vec![path]
        }
    }

    /// Compares a recorded decision with this document. `asked` are the facts that the recording
    /// version asks for.
    pub fn compare(&self, recorded: &Recorded, asked: &BTreeSet<&'static str>) -> Comparison {
        let (facts, decision, till) = self.decide_as_sold(recorded);
        let facts = &*facts;
        let of_service = |id: &str| id.starts_with("unique-") || id == QUOTA || id == CAP;
        let unique = recorded.rules.iter().filter(|(id, _)| id.starts_with("unique-"));
        let mut system: Vec<RuleOutcome> = unique
            .map(|(id, result)| RuleOutcome::system(id, *result == RuleResult::Pass))
            .collect();
        let would_be = self.outcome(&decision, &system);
        system.push(RuleOutcome::system(QUOTA, false));
        let over_quota = self.outcome(&decision, &system);
        let quota = self.quota(facts);
        let used = quota.as_ref().zip(recorded.quota.as_ref());
        let used = used.filter(|(ours, theirs)| ours.slot == theirs.0);
        let mut changed = Vec::new();
        for rule in &decision.rules {
            let was = recorded.rules.iter().find(|(id, _)| **id == *rule.id);
            let was = was.map(|(_, result)| *result);
            if was != Some(rule.outcome) {
                changed.push(RuleChange {
                    rule: Arc::clone(&rule.id),
                    was,
                    would_be: Some(rule.outcome),
                });
            }
        }
        for (id, result) in recorded.rules.iter().filter(|(id, _)| !of_service(id)) {
            if !decision.rules.iter().any(|rule| *rule.id == **id) {
                changed.push(RuleChange {
                    rule: id.as_str().into(),
                    was: Some(*result),
                    would_be: None,
                });
            }
        }
        let lacking = if decision.verdict == Verdict::NeedsCorrection && would_be != Outcome::Ineligible {
            self.lacking(&decision.rules, facts, asked)
        } else {
            Vec::new()
        };
        let was_quota = recorded.rules.iter().find(|(id, _)| id == QUOTA);
        Comparison {
            was: match recorded.outcome {
                Outcome::Waitlisted => Outcome::Eligible,
                other => other,
            },
            was_amount: recorded.amount,
            would_be,
            over_quota,
            amount: decision.price.map(|price| price.amount),
            category: facts
                .text(schema::ITEM_CATEGORY)
                .and_then(|given| self.canonical_category(given))
                .map(str::to_owned),
            used: used.map(|(_, theirs)| theirs.1),
            quota,
            was_quota: was_quota.map(|(_, result)| *result),
            till,
            changed,
            lacking,
        }
    }

    /// Decides the recorded facts with the amount paid recomputed: see the module. Where the price
    /// itself depends on the amount paid, that amount stays.
    fn decide_as_sold<'r>(&self, recorded: &'r Recorded) -> (Cow<'r, Facts>, Decision, bool) {
        let facts = &recorded.facts;
        let decision = self.decide(facts);
        let as_sold = || {
            let amount = decision.price.as_ref()?.amount;
            // Where no subsidy was deducted before, the buyer paid the full amount.
            let (was, paid) = (recorded.amount.unwrap_or_default(), facts.decimal(PURCHASE_PAID)?);
            let total = facts.decimal(PURCHASE_INVOICE_TOTAL)?;
            let by_merchant = facts.text(PAYEE_KIND) == Some("merchant");
            if amount == was || !by_merchant || paid.checked_add(was) != Some(total) {
                return None;
            }
            let mut facts = facts.clone();
            facts.put(PURCHASE_PAID, total.checked_sub(amount)?);
            let again = self.decide(&facts);
            (again.price == decision.price).then_some((facts, again))
        };
        match as_sold() {
            Some((facts, again)) => (Cow::Owned(facts), again, true),
            None => (Cow::Borrowed(facts), decision, false),
        }
    }

    /// The missing facts that the recording version did not ask for.
    fn lacking(&self, rules: &[RuleOutcome], facts: &Facts, asked: &BTreeSet<&'static str>) -> Vec<String> {
        let open = rules.iter().filter(|rule| {
            rule.outcome == RuleResult::Unknown && self.severity(&rule.id) != Some(Severity::Review)
        });
        let missing = open.flat_map(|rule| &rule.missing);
        let sources = missing
            .filter_map(|path| schema::find(path))
            .flat_map(|fact| self.sources(fact));
        let lacking: BTreeSet<&'static str> = sources
            .filter(|path| facts.get(path).is_none() && !asked.contains(path))
            .collect();
        lacking.into_iter().map(str::to_owned).collect()
    }
}

#[derive(Deserialize)]
struct Text<'r> {
    version: u32,
    facts: Json,
    #[serde(borrow)]
    outcome: Cow<'r, str>,
    #[serde(borrow)]
    rules: Vec<RuleText<'r>>,
    #[serde(borrow)]
    subsidy: Option<SubsidyText<'r>>,
}

#[derive(Deserialize)]
struct RuleText<'r> {
    #[serde(borrow)]
    id: Cow<'r, str>,
    #[serde(borrow)]
    outcome: Cow<'r, str>,
    facts: QuotaText,
}

#[derive(Deserialize)]
struct SubsidyText<'r> {
    #[serde(borrow)]
    amount: Cow<'r, str>,
}

/// Of the facts that a rule read, those of the quota. The others stand in the receipt's own facts,
/// and are many.
#[derive(Default, Deserialize)]
#[serde(default)]
struct QuotaText {
    #[serde(rename = "quota.slot")]
    slot: Option<String>,
    #[serde(rename = "quota.used")]
    used: Option<String>,
}

#[cfg(test)]
mod tests;
