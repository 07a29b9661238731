//! Decides a claim: every rule is evaluated, also after one that fails, and the subsidy is priced
//! in exact decimals.
//!
//! Deciding is total. A fact that is missing, or beyond all bounds, makes the rules that read it
//! unknown; nothing panics.

use std::sync::Arc;

use rust_decimal::{Decimal, RoundingStrategy};

use crate::decision::FactsRead;
use crate::decision::{Decision, Price, RuleOutcome, RuleResult};
use crate::document::{Rounding, Verdict};
use crate::expression::is_category;
use crate::facts::{Facts, Value};
use crate::programme::{Category, Programme, Rule, Severity, Share, Test, Tier};
use crate::schema::computed::{
    GATE_LIMIT, GATE_PRICE, GOODS_NAME_FITS, GOVERNING_DATE, PROGRAMME_CLOSES_ON, PROGRAMME_FILING_CLOSES_ON,
    PROGRAMME_ID, PROGRAMME_OPENS_ON, SUBSIDY_AMOUNT,
};
use crate::schema::{self, Fact, ITEM_CATEGORY, PURCHASE_GOODS_NAME};

/// Whether a subsidy could be computed.
enum Pricing {
    Priced(Price),
    /// No tier fits the claim, or there is nothing to take a share of.
    Nothing,
    /// It depends on facts that are missing.
    Unknown(Vec<&'static Fact>),
}

impl Programme {
    /// Decides a claim from its facts.
    pub fn decide(&self, facts: &Facts) -> Decision {
        let mut facts = self.complete(facts);
        let pricing = self.price(&facts);
        if let Pricing::Priced(price) = &pricing {
            facts.put(SUBSIDY_AMOUNT, price.amount);
        }
        let facts = Arc::new(facts);
        let rules: Vec<RuleOutcome> = self
            .rules
            .iter()
            .map(|rule| rule.decide(&facts, &pricing))
            .collect();
        let verdict = self.verdict(&rules);
        let price = match pricing {
            Pricing::Priced(price) => Some(price),
            Pricing::Nothing | Pricing::Unknown(_) => None,
        };
        Decision {
            rules,
            verdict,
            price,
        }
    }

    /// The facts that rules read: those given, categories under the programme's own codes, and
    /// those computed from them.
    fn complete(&self, given: &Facts) -> Facts {
        let mut facts = given.clone();
        for (fact, value) in given.known().filter(|(fact, _)| is_category(fact.path)) {
            if let Value::Text(text) = value
                && let Some(code) = self.canonical_category(text)
                && code != text
            {
                facts.replace(fact, Value::Text(code.to_owned()));
            }
        }
        facts
            .put(PROGRAMME_ID, self.id.as_str())
            .put(PROGRAMME_OPENS_ON, self.window.from)
            .put(PROGRAMME_CLOSES_ON, self.window.until)
            .put(PROGRAMME_FILING_CLOSES_ON, self.filing_closes_on)
            .put_opt(GOVERNING_DATE, self.governing_date(given));
        if let Some(gate) = &self.price_gate {
            facts
                .put(GATE_LIMIT, gate.at_most)
                .put_opt(GATE_PRICE, given.value(gate.field).and_then(Value::as_decimal));
        }
        let category = facts.text(ITEM_CATEGORY).and_then(|code| self.category(code));
        let fits = category
            .zip(given.text(PURCHASE_GOODS_NAME))
            .map(|(it, name)| it.fits(name));
        facts.put_opt(GOODS_NAME_FITS, fits);
        facts
    }

    /// The first tier whose guard holds prices the claim. A guard that cannot be decided stops the
    /// search: a later tier might pay what an earlier one forbids.
    fn price(&self, facts: &Facts) -> Pricing {
        for tier in &self.tiers {
            match tier.when.as_ref().map_or(Some(true), |when| when.holds(facts)) {
                Some(true) => return tier.price(self.rounding, facts),
                Some(false) => {}
                None => {
                    let reads = tier.when.iter().flat_map(|when| when.reads());
                    return Pricing::Unknown(reads.copied().filter(|fact| !facts.knows(fact)).collect());
                }
            }
        }
        Pricing::Nothing
    }

    fn verdict(&self, outcomes: &[RuleOutcome]) -> Verdict {
        let mut verdict = Verdict::Eligible;
        for (rule, outcome) in self.rules.iter().zip(outcomes) {
            match (rule.text.severity, outcome.outcome) {
                (_, RuleResult::Pass) | (Severity::Review, _) => {}
                (Severity::Final, RuleResult::Fail) => return Verdict::Ineligible,
                (Severity::Final, RuleResult::Unknown)
                | (Severity::Correctable | Severity::Waitlist, RuleResult::Fail | RuleResult::Unknown) => {
                    verdict = Verdict::NeedsCorrection;
                }
            }
        }
        verdict
    }
}

impl Rule {
    fn decide(&self, facts: &Arc<Facts>, pricing: &Pricing) -> RuleOutcome {
        let mut reads = &self.guarded;
        let with_price;
        let applies = self.when.as_ref().map_or(Some(true), |when| when.holds(facts));
        let passes = match applies {
            Some(false) => Some(true),
            None => None,
            Some(true) => {
                reads = &self.reads;
                if let (Test::Priced, Pricing::Unknown(missing)) = (&self.test, pricing) {
                    let mut all = [reads, missing.as_slice()].concat();
                    schema::in_order(&mut all);
                    with_price = Arc::from(all);
                    reads = &with_price;
                }
                self.test.passes(facts, pricing)
            }
        };
        let outcome = match passes {
            Some(true) => RuleResult::Pass,
            Some(false) => RuleResult::Fail,
            None => RuleResult::Unknown,
        };
        let mut missing: Vec<String> = Vec::new();
        if outcome == RuleResult::Unknown {
            let absent =
                |fact: &&&'static Fact| !facts.knows(fact) || facts.is_false(fact) && self.test.is_evidence();
            missing.extend(reads.iter().filter(absent).map(|fact| fact.path.to_owned()));
        }
        RuleOutcome {
            id: Arc::clone(&self.text.id),
            outcome,
            facts: FactsRead::new(facts, reads),
            missing,
        }
    }
}

impl Test {
    pub(crate) fn reads(&self) -> Vec<&'static Fact> {
        match self {
            Test::Require(require) => require.reads().to_vec(),
            Test::Given(facts) => facts.clone(),
            Test::Priced => schema::find(SUBSIDY_AMOUNT.path()).into_iter().collect(),
        }
    }

    fn is_evidence(&self) -> bool {
        matches!(self, Test::Given(_))
    }

    fn passes(&self, facts: &Facts, pricing: &Pricing) -> Option<bool> {
        match self {
            Test::Require(require) => require.holds(facts),
            Test::Given(given) => given
                .iter()
                .all(|fact| facts.knows(fact) && !facts.is_false(fact))
                .then_some(true),
            Test::Priced => match pricing {
                Pricing::Priced(_) => Some(true),
                Pricing::Nothing => Some(false),
                Pricing::Unknown(_) => None,
            },
        }
    }
}

impl Tier {
    fn price(&self, rounding: Rounding, facts: &Facts) -> Pricing {
        let Some(base) = self.base.number(facts) else {
            let reads = self.base.reads().iter().copied();
            return Pricing::Unknown(reads.filter(|fact| !facts.knows(fact)).collect());
        };
        let (rate, uncapped) = match self.share {
            Share::Fixed(amount) => (None, Some(amount)),
            Share::Rate(rate) => (
                Some(rate),
                base.checked_mul(rate).map(|share| rounding.to_fen(share)),
            ),
        };
        match uncapped {
            Some(uncapped) if base > Decimal::ZERO => {
                // A fixed sum never exceeds the price of the goods.
                let limit = self.cap.map_or(base, |cap| cap.min(base));
                let amount = uncapped.min(Rounding::Down.to_fen(limit));
                Pricing::Priced(Price {
                    base,
                    rate,
                    uncapped,
                    amount,
                })
            }
            _ => Pricing::Nothing,
        }
    }
}

impl Rounding {
    /// Yuan to whole fen, written with two decimals.
    fn to_fen(self, yuan: Decimal) -> Decimal {
        let strategy = match self {
            Rounding::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
            Rounding::Down => RoundingStrategy::ToZero,
        };
        let mut fen = yuan.round_dp_with_strategy(2, strategy);
        fen.rescale(2);
        fen
    }
}

impl Category {
    /// Whether goods of this name on an invoice may be of this category. A till system that prints
    /// the code matches too.
    fn fits(&self, goods_name: &str) -> bool {
        if goods_name == self.code || self.aliases.iter().any(|alias| alias == goods_name) {
            return true;
        }
        let name = goods_name.to_lowercase();
        let contains = |word: &String| name.contains(&word.to_lowercase());
        self.names.iter().any(contains) && !self.not_names.iter().any(contains)
    }
}
