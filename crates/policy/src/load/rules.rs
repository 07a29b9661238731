//! Rules: those derived from evidence and prices, those written out, and the texts of those that
//! the service decides.

use std::collections::BTreeSet;

use toml::Spanned;

use super::Loader;
use crate::document::{EvidenceTable, Kind, RuleTable, SubsidyTable, SystemTable};
use crate::expression::{Compiled, Wanted};
use crate::lang::Text;
use crate::programme::{Rule, RuleText, Severity, Test};

/// The rule that a subsidy can be computed. Every programme has it.
const SUBSIDY: &str = "subsidy";

impl Loader<'_> {
    pub(super) fn rules(
        &mut self,
        subsidy: &SubsidyTable,
        evidence: Vec<EvidenceTable>,
        tables: Vec<RuleTable>,
        ids: &mut BTreeSet<String>,
    ) -> Vec<Rule> {
        let mut rules = Vec::new();
        for table in evidence {
            self.unique(&table.id, ids);
            if !table.id.get_ref().starts_with("evidence-") {
                self.report
                    .at(table.id.span().start, "an evidence's id starts with `evidence-`");
            }
            rules.extend(self.evidence(table));
        }
        for table in tables {
            self.unique(&table.id, ids);
            rules.extend(self.rule(table));
        }
        self.clause(&subsidy.clause);
        self.text(&subsidy.message);
        if ids.insert(SUBSIDY.to_owned()) {
            let text = text_of(
                SUBSIDY,
                &subsidy.clause,
                Severity::Correctable,
                &subsidy.message,
                None,
            );
            rules.push(Rule::new(text, None, Test::Priced));
        }
        rules
    }

    fn evidence(&mut self, table: EvidenceTable) -> Option<Rule> {
        self.clause(&table.clause);
        self.text(&table.message);
        let when = self.guard(table.when.as_ref());
        if table.facts.get_ref().is_empty() {
            self.report.at(table.facts.span().start, "name at least one fact");
        }
        let mut facts = Vec::new();
        for path in table.facts.get_ref() {
            let fact = self.fact(path)?;
            if fact.computed {
                self.report.at(
                    path.span().start,
                    format!("`{}` is computed, not sent", fact.path),
                );
            }
            facts.push(fact);
        }
        let text = text_of(
            table.id.get_ref(),
            &table.clause,
            Severity::Correctable,
            &table.message,
            table.fix,
        );
        Some(Rule::new(text, when?, Test::Given(facts)))
    }

    fn rule(&mut self, table: RuleTable) -> Option<Rule> {
        self.clause(&table.clause);
        self.text(&table.message);
        let when = self.guard(table.when.as_ref());
        let require = self.expression(&table.require, Wanted::Bool);
        let severity = match (table.is_final, table.correctable, table.review) {
            (true, false, false) => Severity::Final,
            (false, true, false) => Severity::Correctable,
            (false, false, true) => Severity::Review,
            _ => {
                let message =
                    "a rule is exactly one of `final = true`, `correctable = true` and `review = true`";
                self.report.at(table.id.span().start, message);
                return None;
            }
        };
        let text = text_of(
            table.id.get_ref(),
            &table.clause,
            severity,
            &table.message,
            table.fix,
        );
        Some(Rule::new(text, when?, Test::Require(require?)))
    }

    /// `None` where a guard was given and refused.
    fn guard(&mut self, when: Option<&Spanned<String>>) -> Option<Option<Compiled>> {
        match when {
            None => Some(None),
            Some(when) => self.expression(when, Wanted::Bool).map(Some),
        }
    }

    pub(super) fn system(
        &mut self,
        kind: Kind,
        has_quota: bool,
        tables: Vec<SystemTable>,
        ids: &mut BTreeSet<String>,
    ) -> Vec<RuleText> {
        let wanted = system_ids(kind, has_quota);
        let mut texts = Vec::new();
        let place = tables.last().map_or(0, |table| table.id.span().start);
        for table in tables {
            let id = table.id.get_ref();
            self.unique(&table.id, ids);
            self.clause(&table.clause);
            self.text(&table.message);
            if !wanted.contains(&id.as_str()) {
                let message = format!(
                    "the service decides no rule `{id}` here; it decides {}",
                    wanted.join(", ")
                );
                self.report.at(table.id.span().start, message);
            }
            let severity = match (id.as_str(), table.is_final, table.correctable) {
                ("cap", false, false) => Severity::Waitlist,
                ("cap", ..) => {
                    self.report.at(
                        table.id.span().start,
                        "a claim that exceeds a cap waits: give no severity",
                    );
                    Severity::Waitlist
                }
                (_, true, false) => Severity::Final,
                (_, false, true) => Severity::Correctable,
                _ => {
                    let message = "a rule is exactly one of `final = true` and `correctable = true`";
                    self.report.at(table.id.span().start, message);
                    Severity::Final
                }
            };
            texts.push(text_of(id, &table.clause, severity, &table.message, table.fix));
        }
        for id in wanted {
            if !texts.iter().any(|text| *text.id == *id) {
                self.report
                    .at(place, format!("missing `[[system]]` with id `{id}`"));
            }
        }
        texts
    }

    fn unique(&mut self, id: &Spanned<String>, ids: &mut BTreeSet<String>) {
        self.identifier(id);
        if id.get_ref() == SUBSIDY || !ids.insert(id.get_ref().clone()) {
            self.report
                .at(id.span().start, format!("duplicate rule id `{}`", id.get_ref()));
        }
    }
}

/// The rules that the service decides for a kind of programme, because they depend on other claims.
fn system_ids(kind: Kind, has_quota: bool) -> Vec<&'static str> {
    let mut ids = vec!["unique-invoice"];
    match kind {
        Kind::Appliance => ids.push("unique-serial-number"),
        Kind::Digital => ids.extend(["unique-serial-number", "unique-imei"]),
        Kind::Vehicle => ids.extend([
            "unique-vin",
            "unique-scrap-certificate",
            "unique-transfer-invoice",
        ]),
    }
    ids.push("unique-entitlement");
    if has_quota {
        ids.push("quota");
    }
    ids.push("cap");
    ids
}

fn text_of(
    id: &str,
    clause: &Spanned<String>,
    severity: Severity,
    message: &Spanned<Text>,
    fix: Option<Text>,
) -> RuleText {
    RuleText {
        id: id.into(),
        clause: clause.get_ref().clone(),
        severity,
        message: message.get_ref().clone(),
        fix,
    }
}
