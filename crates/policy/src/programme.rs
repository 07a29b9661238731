//! A programme: a document that was parsed, checked and compiled, and cannot change.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use words::words;

use crate::decision::{Decision, Outcome, RuleOutcome, RuleResult};
use crate::diagnostic::Diagnostic;
use crate::document::{Caps, Instrument, Kind, Note, Pick, Review, Rounding, Verdict};
use crate::example::Example;
use crate::expression::Compiled;
use crate::facts::Facts;
use crate::lang::{Lang, Text};
use crate::schema::{self, Fact};

words! {
    /// The effect of a failed rule on the claim.
    pub enum Severity {
        /// The claim is ineligible.
        Final = "final",
        /// The claim needs correction.
        Correctable = "correctable",
        /// A reviewer sees the failure; the decision does not change.
        Review = "review",
        /// The claim waits for money. Only `cap`.
        Waitlist = "waitlist",
    }
}

/// The text of a rule and its source. The message states the requirement, so that it is right
/// whether the rule passed or failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleText {
    pub id: Arc<str>,
    pub clause: String,
    pub severity: Severity,
    pub message: Text,
    /// How to correct a failure, where the document states it.
    pub fix: Option<Text>,
}

/// When a rule passes.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    Require(Compiled),
    /// These facts are present, and not false.
    Given(Vec<&'static Fact>),
    /// A subsidy could be computed.
    Priced,
}

#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) text: RuleText,
    pub(crate) when: Option<Compiled>,
    pub(crate) test: Test,
    /// The facts read where the rule does not apply, and those read where it does; in the order of
    /// their paths.
    pub(crate) guarded: Arc<[&'static Fact]>,
    pub(crate) reads: Arc<[&'static Fact]>,
}

impl Rule {
    pub(crate) fn new(text: RuleText, when: Option<Compiled>, test: Test) -> Self {
        let mut reads: Vec<&'static Fact> = when.iter().flat_map(Compiled::reads).copied().collect();
        let guarded = reads.as_slice().into();
        reads.extend(test.reads());
        schema::in_order(&mut reads);
        Rule {
            text,
            when,
            test,
            guarded,
            reads: reads.into(),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Share {
    Rate(Decimal),
    Fixed(Decimal),
}

#[derive(Clone, Debug)]
pub(crate) struct Tier {
    pub(crate) when: Option<Compiled>,
    pub(crate) base: Compiled,
    pub(crate) share: Share,
    pub(crate) cap: Option<Decimal>,
}

/// A category of goods of the programme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    pub code: String,
    pub title: Text,
    /// The goods name on the invoice contains one of these,
    pub names: Vec<String>,
    /// and none of these.
    pub not_names: Vec<String>,
    /// Other codes that count as this category.
    pub aliases: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct QuotaRule {
    pub(crate) group: String,
    pub(crate) per_category: bool,
    pub(crate) limit: u32,
    pub(crate) limits: BTreeMap<String, u32>,
}

/// How many subsidies one person may have in one slot. Claims of all programmes with the same slot
/// count together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Quota {
    /// `group:category:year`, or `group:year` where categories count together.
    pub slot: String,
    pub limit: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct PriceGate {
    pub(crate) field: &'static Fact,
    pub(crate) at_most: Decimal,
}

/// First and last day, both inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub from: NaiveDate,
    pub until: NaiveDate,
}

impl Window {
    pub fn contains(&self, date: NaiveDate) -> bool {
        (self.from..=self.until).contains(&date)
    }
}

/// Shares of the cost: `central` and `local` add up to 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Funding {
    pub central: Decimal,
    pub local: Decimal,
    pub(crate) shares: FundingShares,
    pub(crate) counties: BTreeMap<String, FundingShares>,
}

impl Funding {
    /// The split in a county: its own, or that of all others.
    pub fn shares(&self, county: &str) -> FundingShares {
        self.counties.get(county).copied().unwrap_or(self.shares)
    }
}

/// The share of each source in 10,000ths. They sum to 10,000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FundingShares {
    pub central: u16,
    pub province: u16,
    pub city: u16,
    pub county: u16,
}

/// One version of a programme. `Send` and `Sync`; decide with it from as many threads as you like.
#[derive(Clone, Debug)]
pub struct Programme {
    pub(crate) source: String,
    pub(crate) hash: String,
    pub(crate) id: String,
    pub(crate) version: u32,
    pub(crate) kind: Kind,
    pub(crate) title: Text,
    pub(crate) effective_from: NaiveDate,
    pub(crate) filing_closes_on: NaiveDate,
    pub(crate) correction_days: u32,
    pub(crate) window: Window,
    pub(crate) governing_pick: Pick,
    pub(crate) governing_dates: Vec<&'static Fact>,
    pub(crate) instruments: Vec<Instrument>,
    pub(crate) notes: Vec<Note>,
    pub(crate) categories: Vec<Category>,
    pub(crate) quota: Option<QuotaRule>,
    pub(crate) price_gate: Option<PriceGate>,
    pub(crate) rounding: Rounding,
    pub(crate) tiers: Vec<Tier>,
    pub(crate) funding: Funding,
    pub(crate) caps: Caps,
    pub(crate) review: Review,
    pub(crate) rules: Vec<Rule>,
    pub(crate) system: Vec<RuleText>,
    pub(crate) examples: Vec<Example>,
}

impl Programme {
    /// Parses, checks and compiles a document.
    ///
    /// # Errors
    /// Every fault, in the order of the text; the list is not empty.
    pub fn parse(source: &str) -> Result<Programme, Vec<Diagnostic>> {
        crate::load::load(source)
    }

    /// The document, byte for byte.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// SHA-256 of the document's bytes, in lower-case hexadecimal.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn version(&self) -> u32 {
        self.version
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn title(&self, lang: Lang) -> &str {
        self.title.get(lang)
    }

    /// The first governing date that this version decides.
    pub fn effective_from(&self) -> NaiveDate {
        self.effective_from
    }

    pub fn filing_closes_on(&self) -> NaiveDate {
        self.filing_closes_on
    }

    /// How many days a claim that needs correction keeps its place.
    pub fn correction_days(&self) -> u32 {
        self.correction_days
    }

    pub fn window(&self) -> Window {
        self.window
    }

    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    pub fn categories(&self) -> &[Category] {
        &self.categories
    }

    pub fn funding(&self) -> &Funding {
        &self.funding
    }

    pub fn caps(&self) -> &Caps {
        &self.caps
    }

    pub fn review(&self) -> &Review {
        &self.review
    }

    /// The programme's own code for a category given, resolving aliases; `None` for a code that is
    /// not the programme's.
    pub fn canonical_category<'a>(&'a self, given: &str) -> Option<&'a str> {
        self.category(given).map(|category| category.code.as_str())
    }

    pub(crate) fn category(&self, given: &str) -> Option<&Category> {
        self.categories
            .iter()
            .find(|it| it.code == given || it.aliases.iter().any(|alias| alias == given))
    }

    /// The date that decides which version and which quota year apply: the earliest or latest of
    /// those present on the claim's documents. `None` if none is.
    pub fn governing_date(&self, facts: &Facts) -> Option<NaiveDate> {
        let dates = self
            .governing_dates
            .iter()
            .filter_map(|fact| facts.value(fact)?.as_date());
        match self.governing_pick {
            Pick::Earliest => dates.min(),
            Pick::Latest => dates.max(),
        }
    }

    /// The quota that the claim counts against. `None` if the programme has none, or if the
    /// category or date is missing; then a rule prevents payment as well.
    pub fn quota(&self, facts: &Facts) -> Option<Quota> {
        let rule = self.quota.as_ref()?;
        let category = self.canonical_category(facts.text(schema::ITEM_CATEGORY)?)?;
        let year = self.governing_date(facts)?.year();
        let limit = rule.limits.get(category).copied().unwrap_or(rule.limit);
        let group = &rule.group;
        let slot = if rule.per_category {
            format!("{group}:{category}:{year}")
        } else {
            format!("{group}:{year}")
        };
        Some(Quota { slot, limit })
    }

    /// Texts of every rule in the order in which they are decided, then of those that the service
    /// decides.
    pub fn texts(&self) -> impl Iterator<Item = &RuleText> {
        self.rules.iter().map(|rule| &rule.text).chain(&self.system)
    }

    /// The text of any rule, also of one that the service decides.
    pub fn text(&self, id: &str) -> Option<&RuleText> {
        self.texts().find(|text| *text.id == *id)
    }

    /// The text of a rule that the service decides: `unique-…`, `quota`, `cap`.
    pub fn system_rule(&self, id: &str) -> Option<&RuleText> {
        self.system.iter().find(|text| *text.id == *id)
    }

    /// What the rule requires, in one sentence.
    pub fn title_of_rule(&self, id: &str, lang: Lang) -> Option<&str> {
        self.text(id).map(|text| text.message.get(lang))
    }

    pub fn clause(&self, id: &str) -> Option<&str> {
        self.text(id).map(|text| text.clause.as_str())
    }

    pub fn message(&self, id: &str, lang: Lang) -> Option<&str> {
        self.title_of_rule(id, lang)
    }

    pub fn severity(&self, id: &str) -> Option<Severity> {
        self.text(id).map(|text| text.severity)
    }

    /// How to correct an outcome that is not a pass; `None` where the rule passed or there is
    /// nothing to do.
    pub fn fix(&self, outcome: &RuleOutcome, lang: Lang) -> Option<String> {
        if outcome.outcome == RuleResult::Pass {
            return None;
        }
        let text = self.text(&outcome.id)?;
        match outcome.outcome {
            RuleResult::Pass => None,
            RuleResult::Unknown if !outcome.missing.is_empty() => {
                let mut hints: Vec<String> = Vec::new();
                if let Some(fix) = &text.fix {
                    hints.push(fix.get(lang).to_owned());
                }
                for fact in outcome.missing.iter().filter_map(|path| schema::find(path)) {
                    let hint = match lang {
                        Lang::Zh => format!("缺少{}：{}", fact.title(lang), fact.supply(lang)),
                        Lang::En => format!("missing: {}; {}", fact.title(lang), fact.supply(lang)),
                    };
                    if !fact.computed && !hints.contains(&hint) {
                        hints.push(hint);
                    }
                }
                let separator = match lang {
                    Lang::Zh => "；",
                    Lang::En => ". ",
                };
                (!hints.is_empty()).then(|| hints.join(separator))
            }
            RuleResult::Fail | RuleResult::Unknown => text.fix.as_ref().map(|fix| fix.get(lang).to_owned()),
        }
    }

    /// The decision's outcome including the rules that the service decides. A `cap` that fails
    /// waits for money; any other that fails has the effect of its severity.
    pub fn outcome(&self, decision: &Decision, system: &[RuleOutcome]) -> Outcome {
        let failed = |severity| {
            system.iter().any(|rule| {
                // A rule without a text in the document has the strictest severity.
                let own = self
                    .system_rule(&rule.id)
                    .map_or(Severity::Final, |text| text.severity);
                rule.outcome != RuleResult::Pass && own == severity
            })
        };
        if decision.verdict == Verdict::Ineligible || failed(Severity::Final) {
            Outcome::Ineligible
        } else if decision.verdict == Verdict::NeedsCorrection || failed(Severity::Correctable) {
            Outcome::NeedsCorrection
        } else if failed(Severity::Waitlist) {
            Outcome::Waitlisted
        } else {
            Outcome::Eligible
        }
    }
}
