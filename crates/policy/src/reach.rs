//! Finds tiers that can never be reached.
//!
//! Guards compare facts with literals, so the cases that they can distinguish are finite: for each
//! fact, the literals, their neighbours, and another value. All combinations are tried in order of
//! the tiers; a tier that wins none is dead.

use rust_decimal::Decimal;

use crate::expression::{Compiled, Literal};
use crate::facts::{Facts, Value};
use crate::programme::Tier;
use crate::schema::{Fact, FactType};

/// Beyond this many combinations the search is skipped, and no tier is called dead.
const MAX_COMBINATIONS: usize = 100_000;

/// The tiers that no facts reach, by index.
pub(crate) fn unreachable(tiers: &[Tier]) -> Vec<usize> {
    let guards = || tiers.iter().filter_map(|tier| tier.when.as_ref());
    let mut axes: Vec<(&'static Fact, Vec<Value>)> = Vec::new();
    for fact in guards().flat_map(Compiled::reads) {
        if axes.iter().all(|(known, _)| known.place != fact.place) {
            axes.push((fact, samples(fact, guards())));
        }
    }
    let combinations = axes
        .iter()
        .try_fold(1_usize, |product, (_, values)| product.checked_mul(values.len()));
    let Some(combinations) = combinations.filter(|count| *count <= MAX_COMBINATIONS) else {
        return Vec::new();
    };
    let mut dead: Vec<usize> = (0..tiers.len()).collect();
    for combination in 0..combinations {
        if dead.is_empty() {
            break;
        }
        let facts = combine(&axes, combination);
        let winner = tiers.iter().position(|tier| {
            tier.when
                .as_ref()
                .is_none_or(|when| when.holds(&facts) == Some(true))
        });
        dead.retain(|tier| Some(*tier) != winner);
    }
    dead
}

/// The combination of this number: its digits, in the mixed radix of the axes, pick the values.
fn combine(axes: &[(&'static Fact, Vec<Value>)], mut number: usize) -> Facts {
    let mut facts = Facts::new();
    for (fact, values) in axes {
        let index = number.checked_rem(values.len()).unwrap_or(0);
        number = number.checked_div(values.len()).unwrap_or(0);
        if let Some(value) = values.get(index) {
            facts.replace(fact, value.clone());
        }
    }
    facts
}

fn samples<'c>(fact: &Fact, guards: impl Iterator<Item = &'c Compiled>) -> Vec<Value> {
    let kind = fact.kind;
    if kind == FactType::Bool {
        return vec![Value::Bool(true), Value::Bool(false)];
    }
    let mut values = Vec::new();
    let literals = guards
        .filter(|guard| guard.reads().iter().any(|read| read.place == fact.place))
        .flat_map(Compiled::literals);
    for literal in literals {
        match (kind, literal) {
            (FactType::Text | FactType::Choice(_), Literal::Text(text)) => {
                values.push(Value::Text(text.clone()))
            }
            (FactType::Money | FactType::Number, Literal::Number(number)) => {
                let step = if kind == FactType::Money {
                    Decimal::new(1, 2)
                } else {
                    Decimal::ONE
                };
                values.push(Value::Decimal(*number));
                values.extend(number.checked_sub(step).map(Value::Decimal));
                values.extend(number.checked_add(step).map(Value::Decimal));
            }
            (FactType::Date, Literal::Date(date)) => {
                values.push(Value::Date(*date));
                values.extend(date.pred_opt().map(Value::Date));
                values.extend(date.succ_opt().map(Value::Date));
            }
            _ => {}
        }
    }
    if matches!(kind, FactType::Text | FactType::Choice(_)) {
        let mut other = "other".to_owned();
        while values.contains(&Value::Text(other.clone())) {
            other.push('_');
        }
        values.push(Value::Text(other));
    }
    let mut distinct: Vec<Value> = Vec::new();
    for value in values {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}
