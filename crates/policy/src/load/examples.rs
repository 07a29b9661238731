//! Worked examples: the facts of each are the document's common ones with the example's changes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use toml::Spanned;
use toml::value::Datetime;

use super::Loader;
use crate::document::ExampleTable;
use crate::example::Example;
use crate::facts::{Facts, Value};
use crate::programme::Rule;
use crate::schema::FactType;

type FactTable = BTreeMap<Spanned<String>, Spanned<toml::Value>>;

impl Loader<'_> {
    pub(super) fn examples(
        &mut self,
        common: &FactTable,
        tables: Vec<ExampleTable>,
        rules: &[Rule],
    ) -> Vec<Example> {
        let mut base = Facts::new();
        self.put_all(common, &mut base);
        let mut examples: Vec<Example> = Vec::new();
        for table in tables {
            let mut facts = base.clone();
            self.put_all(&table.facts, &mut facts);
            for path in &table.without {
                if self.fact(path).is_some() && facts.remove(path.get_ref()).is_none() {
                    self.report.at(
                        path.span().start,
                        format!("`{}` is not there to be left out", path.get_ref()),
                    );
                }
            }
            let name = table.name.get_ref().clone();
            if examples.iter().any(|example| example.name == name) {
                self.report
                    .at(table.name.span().start, format!("duplicate example `{name}`"));
            }
            examples.push(Example {
                name,
                facts,
                verdict: table.verdict,
                fails: self.rule_ids(&table.fails, rules),
                unknown: self.rule_ids(&table.unknown, rules),
                amount: table.amount.as_ref().and_then(|amount| self.money(amount)),
            });
        }
        examples
    }

    fn put_all(&mut self, table: &FactTable, facts: &mut Facts) {
        for (path, value) in table {
            let Some(fact) = self.fact(path) else { continue };
            match read(fact.kind, value.get_ref()) {
                Some(value) => {
                    if let Err(error) = facts.set(fact.path, value) {
                        self.report.at(path.span().start, error.to_string());
                    }
                }
                None => self.report.at(
                    value.span().start,
                    format!("`{}` is {}", fact.path, fact.kind.describe()),
                ),
            }
        }
    }

    fn rule_ids(&mut self, ids: &[Spanned<String>], rules: &[Rule]) -> BTreeSet<String> {
        for id in ids {
            if !rules.iter().any(|rule| *rule.text.id == **id.get_ref()) {
                self.report
                    .at(id.span().start, format!("unknown rule `{}`", id.get_ref()));
            }
        }
        ids.iter().map(|id| id.get_ref().clone()).collect()
    }
}

/// A fact's value as a document writes it: dates as TOML dates, money as decimal text, counts as
/// integers.
fn read(kind: FactType, value: &toml::Value) -> Option<Value> {
    match (kind, value) {
        (FactType::Bool, toml::Value::Boolean(answer)) => Some(Value::Bool(*answer)),
        (FactType::Text | FactType::Choice(_), toml::Value::String(text)) => Some(Value::Text(text.clone())),
        (FactType::Number, toml::Value::Integer(number)) => Some(Value::Decimal(Decimal::from(*number))),
        (FactType::Money | FactType::Number, toml::Value::String(text)) => {
            Decimal::from_str_exact(text).ok().map(Value::Decimal)
        }
        (
            FactType::Date,
            toml::Value::Datetime(Datetime {
                date: Some(date),
                time: None,
                offset: None,
            }),
        ) => NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day))
            .map(Value::Date),
        _ => None,
    }
}
