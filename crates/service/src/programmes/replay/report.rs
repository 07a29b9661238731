//! What a replay found, as JSON that does not depend on a language. Money is yuan with two decimals.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use claims::allocate::Scope;
use claims::replay::{LimitUse, Passage, Replay, Replayed, Use, WouldBe};
use ledger::Fen;
use policy::replay::RuleChange;
use policy::{Lang, Outcome, Programme, RuleResult, schema};
use serde::{Deserialize, Serialize};

use super::Asked;
use crate::funds::limits::scope_text;
use crate::operation::ServiceError;

/// What a replay found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub programme: String,
    pub document: ReplayedDocument,
    /// The versions that had decided the claims.
    pub decided_by: Vec<u32>,
    /// Days of arrival, both included; null: without end.
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    pub counties: Vec<String>,
    pub made_at: DateTime<Utc>,
    #[serde(flatten)]
    pub summary: Summary,
    /// From each outcome to each other.
    pub passages: Vec<PassageReport>,
    pub places: Vec<PlaceReport>,
    pub limits: Vec<LimitReport>,
    /// Facts that nobody had asked for and that outcomes hang on.
    pub lacking: Vec<LackingReport>,
    pub assumed: Assumed,
}

/// The document that was replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayedDocument {
    pub version: u32,
    /// SHA-256 in hexadecimal.
    pub hash: String,
    /// Whether it is in force already.
    pub active: bool,
}

/// A replay in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub claims: u64,
    /// With another outcome, open ones left out.
    pub flips: u64,
    /// With the same outcome and another subsidy.
    pub repriced: u64,
    /// What they would be hangs on facts that nobody had asked for.
    pub open: u64,
    pub granted: Difference,
}

/// Money on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    pub was: String,
    pub would_be: String,
    pub difference: String,
}

/// Claims that went from one outcome to another, or stayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassageReport {
    pub was: String,
    /// `open`: it hangs on facts that nobody had asked for.
    pub would_be: String,
    pub claims: u64,
    pub granted: Difference,
    pub rules: Vec<RuleReport>,
    /// The first of them that come out otherwise.
    pub examples: Vec<String>,
}

/// A rule that came out otherwise; null on the side that has no such rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleReport {
    pub rule: String,
    pub clause: String,
    pub zh: String,
    pub en: String,
    pub was: Option<String>,
    pub would_be: Option<String>,
    /// Of the passage's claims; of a single claim 1.
    pub claims: u64,
}

/// Subsidies of a county and category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceReport {
    pub jurisdiction: String,
    /// `other`: one that the document does not know.
    pub category: String,
    pub claims_was: u64,
    pub claims_would_be: u64,
    #[serde(flatten)]
    pub granted: Difference,
}

/// A limit and the day on which it ran out on either side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitReport {
    pub jurisdiction: String,
    /// `fund`, `whole`, `category:<category>` or `month:<yyyy-mm>`.
    pub scope: String,
    pub ceiling: String,
    /// Held by claims before the period.
    pub before: String,
    pub was: UseReport,
    pub would_be: UseReport,
}

/// A limit on one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UseReport {
    pub committed: String,
    /// The day of the first claim that it turned away; null: it sufficed.
    pub ran_out: Option<NaiveDate>,
    pub turned_away: u64,
}

/// A fact that nobody had asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LackingReport {
    pub fact: String,
    pub zh: String,
    pub en: String,
    pub claims: u64,
}

/// How often something was assumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assumed {
    /// That the till would have taken off the other subsidy.
    pub paid_follows_subsidy: u64,
    /// That nobody had anything in a slot before which the receipts do not count.
    pub slot_was_empty: u64,
}

impl Report {
    /// As it is kept and hashed.
    ///
    /// # Errors
    /// Never: it has no maps with keys other than text.
    pub fn text(&self) -> Result<String, ServiceError> {
        Ok(serde_json::to_string(self)?)
    }
}

impl Difference {
    fn of(was: Fen, would_be: Fen) -> Self {
        let difference = if would_be < was {
            format!("-{}", was.saturating_sub(would_be))
        } else {
            would_be.saturating_sub(was).to_string()
        };
        Difference {
            was: was.to_string(),
            would_be: would_be.to_string(),
            difference,
        }
    }
}

pub(super) fn report(
    asked: &Asked,
    replay: &Replay,
    versions: &[Arc<Programme>],
    decided_by: &BTreeSet<u32>,
    now: DateTime<Utc>,
) -> Result<Report, ServiceError> {
    let (tally, programme) = (replay.tally(), &asked.programme);
    let passages = tally.passages.iter();
    let passages = passages
        .map(|(way, passage)| passage_report(*way, passage, programme, versions))
        .collect::<Vec<_>>();
    let places = tally
        .places
        .iter()
        .map(|((county, category), granted)| PlaceReport {
            jurisdiction: county.to_string(),
            category: category.clone(),
            claims_was: granted.claims_was,
            claims_would_be: granted.claims_would_be,
            granted: Difference::of(granted.was, granted.would_be),
        });
    let lacking = tally.lacking.iter().map(|(path, claims)| LackingReport {
        fact: path.clone(),
        zh: schema::find(path).map_or("", |fact| fact.zh).to_owned(),
        en: schema::find(path).map_or("", |fact| fact.en).to_owned(),
        claims: *claims,
    });
    Ok(Report {
        programme: programme.id().to_owned(),
        document: ReplayedDocument {
            version: programme.version(),
            hash: programme.hash().to_owned(),
            active: asked.active,
        },
        decided_by: decided_by.iter().copied().collect(),
        from: asked.from,
        to: asked.to,
        counties: asked.counties.clone(),
        made_at: now,
        summary: summary(replay),
        passages,
        places: places.collect(),
        limits: replay.limits().iter().map(limit_report).collect(),
        lacking: lacking.collect(),
        assumed: Assumed {
            paid_follows_subsidy: tally.till,
            slot_was_empty: tally.uncounted_slots,
        },
    })
}

fn summary(replay: &Replay) -> Summary {
    let tally = replay.tally();
    let (mut flips, mut open, mut was, mut would_be) = (0_u64, 0_u64, Fen::ZERO, Fen::ZERO);
    for ((from, to), passage) in &tally.passages {
        match to {
            WouldBe::Open => open = open.saturating_add(passage.claims),
            WouldBe::Decided(to) if to != from => flips = flips.saturating_add(passage.claims),
            WouldBe::Decided(_) => {}
        }
        was = was.saturating_add(passage.was);
        would_be = would_be.saturating_add(passage.would_be);
    }
    Summary {
        claims: tally.claims,
        flips,
        repriced: tally.repriced,
        open,
        granted: Difference::of(was, would_be),
    }
}

fn passage_report(
    (was, would_be): (Outcome, WouldBe),
    passage: &Passage,
    programme: &Programme,
    versions: &[Arc<Programme>],
) -> PassageReport {
    let rules = passage.rules.iter();
    PassageReport {
        was: was.as_str().to_owned(),
        would_be: word(would_be).to_owned(),
        claims: passage.claims,
        granted: Difference::of(passage.was, passage.would_be),
        rules: rules
            .map(|(change, claims)| rule_report(change, *claims, programme, versions))
            .collect(),
        examples: passage.examples.iter().map(ToString::to_string).collect(),
    }
}

/// With the clause and words of the document that was replayed; of a rule that it does not have, those of the newest version.
fn rule_report(
    change: &RuleChange,
    claims: u64,
    programme: &Programme,
    versions: &[Arc<Programme>],
) -> RuleReport {
    let before = versions.iter().rev().find_map(|it| it.text(&change.rule));
    let text = programme.text(&change.rule).or(before);
    let words = |lang| text.map_or_else(String::new, |text| text.message.get(lang).to_owned());
    let result = |result: Option<RuleResult>| result.map(|it| it.as_str().to_owned());
    RuleReport {
        rule: (*change.rule).to_owned(),
        clause: text.map_or_else(String::new, |text| text.clause.clone()),
        zh: words(Lang::Zh),
        en: words(Lang::En),
        was: result(change.was),
        would_be: result(change.would_be),
        claims,
    }
}

fn limit_report(limit: &LimitUse) -> LimitReport {
    let side = |side: &Use| UseReport {
        committed: side.committed.to_string(),
        ran_out: side.ran_out,
        turned_away: side.turned_away,
    };
    LimitReport {
        jurisdiction: limit.key.jurisdiction.to_string(),
        scope: match &limit.key.scope {
            Scope::Fund => "fund".to_owned(),
            scope => scope_text(scope),
        },
        ceiling: limit.ceiling.to_string(),
        before: limit.before.to_string(),
        was: side(&limit.was),
        would_be: side(&limit.would_be),
    }
}

/// A claim that comes out otherwise.
#[derive(Serialize)]
struct ClaimLine {
    claim: String,
    was: &'static str,
    would_be: &'static str,
    granted: Difference,
    rules: Vec<RuleReport>,
}

pub(super) fn claim_line(
    one: &Replayed,
    programme: &Programme,
    versions: &[Arc<Programme>],
) -> Result<String, ServiceError> {
    let rules = one.changed.iter();
    let line = ClaimLine {
        claim: one.id.to_string(),
        was: one.was.as_str(),
        would_be: word(one.would_be),
        granted: Difference::of(one.granted_was, one.granted_would_be),
        rules: rules
            .map(|change| rule_report(change, 1, programme, versions))
            .collect(),
    };
    Ok(serde_json::to_string(&line)?)
}

fn word(would_be: WouldBe) -> &'static str {
    match would_be {
        WouldBe::Decided(outcome) => outcome.as_str(),
        WouldBe::Open => "open",
    }
}
