//! Loads a document: checks everything beyond its shape, and reports every fault with its line and
//! column before the document decides anything.

mod examples;
mod parts;
mod rules;

use std::collections::BTreeSet;
use std::ops::Range;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};
use toml::Spanned;
use toml::value::Datetime;

use crate::diagnostic::{Diagnostic, Reporter};
use crate::document::{Document, GoverningTable};
use crate::expression::{Compiled, Wanted};
use crate::lang::Text;
use crate::programme::{Programme, Window};
use crate::reach;
use crate::schema::{self, Fact};

/// A document longer than this is refused unread.
const MAX_BYTES: usize = 1 << 20;

pub(crate) fn load(source: &str) -> Result<Programme, Vec<Diagnostic>> {
    let mut loader = Loader {
        report: Reporter::new(source),
        categories: Vec::new(),
    };
    if source.len() > MAX_BYTES {
        loader
            .report
            .at(0, format!("a document has at most {MAX_BYTES} bytes"));
        return Err(loader.report.finish());
    }
    let document: Document = match toml::from_str(source) {
        Ok(document) => document,
        Err(error) => {
            loader
                .report
                .at(error.span().map_or(0, |span| span.start), error.message().trim());
            return Err(loader.report.finish());
        }
    };
    match loader.programme(source, document) {
        Some(programme) if loader.report.is_clean() => Ok(programme),
        _ => Err(loader.report.finish()),
    }
}

struct Loader<'s> {
    report: Reporter<'s>,
    /// Codes of the document's own categories, which category facts may be compared with.
    categories: Vec<String>,
}

impl Loader<'_> {
    /// `None` only after a fault was reported.
    fn programme(&mut self, source: &str, document: Document) -> Option<Programme> {
        let id = document.id.get_ref().clone();
        self.head(&document);
        let window = self.window(&document.window.from, &document.window.until);
        let effective_from = self.date(&document.effective_from);
        let filing_closes_on = self.date(&document.filing_closes_on);
        if window
            .zip(filing_closes_on)
            .is_some_and(|(window, filing)| filing < window.from)
        {
            self.report.at(
                document.filing_closes_on.span().start,
                "filing closes before the window opens",
            );
        }
        if window
            .zip(effective_from)
            .is_some_and(|(window, effective)| effective > window.until)
        {
            self.report.at(
                document.effective_from.span().start,
                "effective only after the window has closed",
            );
        }
        let categories = self.categories(document.categories);
        let governing_dates = self.governing(&document.governing);
        let quota = document.quota.map(|table| self.quota(table));
        let price_gate = document.price_gate.and_then(|table| self.price_gate(&table));
        let funding = self.funding(&document.funding);
        let tiers = self.tiers(&document.subsidy);
        let mut ids = BTreeSet::new();
        let rules = self.rules(&document.subsidy, document.evidence, document.rules, &mut ids);
        let system = self.system(document.kind, quota.is_some(), document.system, &mut ids);
        let examples = self.examples(&document.example_facts, document.examples, &rules);
        if !self.report.is_clean() {
            return None;
        }
        let tiers: Vec<_> = tiers.into_iter().map(|(_, tier)| tier).collect();
        Some(Programme {
            source: source.to_owned(),
            hash: hex::encode(Sha256::digest(source.as_bytes())),
            id,
            version: document.version.into_inner(),
            kind: document.kind,
            title: document.title.into_inner(),
            effective_from: effective_from?,
            filing_closes_on: filing_closes_on?,
            correction_days: document.correction_days.into_inner(),
            window: window?,
            governing_pick: document.governing.date,
            governing_dates,
            instruments: document.instruments,
            notes: document.notes,
            categories,
            quota,
            price_gate,
            rounding: document.subsidy.rounding,
            tiers,
            funding: funding?,
            caps: document.caps,
            review: document.review,
            rules,
            system,
            examples,
        })
    }

    fn head(&mut self, document: &Document) {
        self.identifier(&document.id);
        self.text(&document.title);
        if *document.version.get_ref() == 0 {
            self.report
                .at(document.version.span().start, "versions count from 1");
        }
        if !(1..=365).contains(document.correction_days.get_ref()) {
            self.report.at(
                document.correction_days.span().start,
                "correction_days is from 1 to 365",
            );
        }
        if document.instruments.is_empty() {
            self.report.at(
                document.id.span().start,
                "a programme cites at least one `[[instrument]]`",
            );
        }
    }

    fn window(&mut self, from: &Spanned<Datetime>, until: &Spanned<Datetime>) -> Option<Window> {
        let start = self.date(from);
        let end = self.date(until);
        let window = Window {
            from: start?,
            until: end?,
        };
        if window.until < window.from {
            self.report
                .at(until.span().start, "the window closes before it opens");
        }
        Some(window)
    }

    fn governing(&mut self, table: &GoverningTable) -> Vec<&'static Fact> {
        if table.of.get_ref().is_empty() {
            self.report.at(table.of.span().start, "name at least one date");
        }
        let mut facts = Vec::new();
        for path in table.of.get_ref() {
            if let Some(fact) = self.fact(path) {
                if fact.kind != schema::FactType::Date || fact.computed {
                    self.report.at(
                        path.span().start,
                        format!("`{}` is not the date of a paper", fact.path),
                    );
                }
                facts.push(fact);
            }
        }
        facts
    }

    /// A date without a time.
    fn date(&mut self, value: &Spanned<Datetime>) -> Option<NaiveDate> {
        let date = match value.get_ref() {
            Datetime {
                date: Some(date),
                time: None,
                offset: None,
            } => NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day)),
            _ => None,
        };
        if date.is_none() {
            self.report
                .at(value.span().start, format!("`{}` is not a date", value.get_ref()));
        }
        date
    }

    /// Decimal text, not below zero.
    fn decimal(&mut self, value: &Spanned<String>) -> Option<Decimal> {
        let number = Decimal::from_str_exact(value.get_ref())
            .ok()
            .filter(|number| !number.is_sign_negative());
        if number.is_none() {
            self.report.at(
                value.span().start,
                format!("`{}` is not a decimal number", value.get_ref()),
            );
        }
        number
    }

    /// Yuan with at most two decimals.
    fn money(&mut self, value: &Spanned<String>) -> Option<Decimal> {
        let mut money = self.decimal(value)?;
        if money.normalize().scale() > 2 || money > Decimal::from(1_000_000_000_000_i64) {
            self.report.at(
                value.span().start,
                format!("`{}` is not an amount in yuan", value.get_ref()),
            );
            return None;
        }
        money.rescale(2);
        Some(money)
    }

    fn fact(&mut self, path: &Spanned<String>) -> Option<&'static Fact> {
        let fact = schema::find(path.get_ref());
        if fact.is_none() {
            self.report
                .at(path.span().start, format!("unknown fact `{}`", path.get_ref()));
        }
        fact
    }

    fn expression(&mut self, source: &Spanned<String>, wanted: Wanted) -> Option<Compiled> {
        match Compiled::new(source.get_ref(), wanted, &self.categories) {
            Ok(compiled) => Some(compiled),
            Err(faults) => {
                for fault in faults {
                    let place = self.report.inside(source.span(), fault.offset);
                    self.report.at(place, fault.message);
                }
                None
            }
        }
    }

    fn identifier(&mut self, id: &Spanned<String>) {
        let text = id.get_ref();
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.is_empty() || text.len() > 64 || !text.chars().all(fits) {
            self.report
                .at(id.span().start, "an id is 1 to 64 of a-z, 0-9 and -");
        }
    }

    fn text(&mut self, text: &Spanned<Text>) {
        if text.get_ref().is_blank() {
            self.report.at(text.span().start, "give the text in zh and en");
        }
    }

    fn clause(&mut self, clause: &Spanned<String>) {
        if clause.get_ref().trim().is_empty() {
            self.report
                .at(clause.span().start, "cite the instrument's clause");
        }
    }

    fn dead_tiers(&mut self, tiers: &[(Range<usize>, crate::programme::Tier)]) {
        let compiled: Vec<_> = tiers.iter().map(|(_, tier)| tier.clone()).collect();
        for index in reach::unreachable(&compiled) {
            if let Some((span, _)) = tiers.get(index) {
                self.report.at(
                    span.start,
                    "unreachable tier: an earlier one always comes first, or its guard never holds",
                );
            }
        }
    }
}
