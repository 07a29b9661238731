//! A part between `and`, `or` and `not`: a comparison, or a fact or a sum by itself.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use zen_expression::functions::{FunctionKind, InternalFunction};
use zen_expression::lexer::{ArithmeticOperator, ComparisonOperator, Operator};
use zen_expression::parser::Node;

use crate::facts::{Facts, Value};
use crate::schema::{self, Fact, FactType};

/// An expression that is evaluated as a whole: it has a value if all facts that it reads are
/// present.
#[derive(Clone, Debug)]
pub(super) enum Term {
    Fact(&'static Fact),
    Literal(Value),
    Sum(Box<Term>, Box<Term>),
    Difference(Box<Term>, Box<Term>),
    Compare(Box<Term>, How, Box<Term>),
    /// Whether a value is one of a list, or with `false` none of it.
    OneOf(Box<Term>, Vec<Term>, bool),
    Contains(Box<Term>, Box<Term>),
    StartsWith(Box<Term>, Box<Term>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A value during evaluation.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) enum Seen<'a> {
    Bool(bool),
    Number(Decimal),
    Date(NaiveDate),
    Text(&'a str),
}

/// The type of a value; only values of one type are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bool,
    Number,
    Date,
    Text,
}

impl<'a> Seen<'a> {
    fn of(value: &'a Value) -> Self {
        match value {
            Value::Bool(answer) => Seen::Bool(*answer),
            Value::Decimal(number) => Seen::Number(*number),
            Value::Date(date) => Seen::Date(*date),
            Value::Text(text) => Seen::Text(text),
        }
    }

    pub(super) fn number(self) -> Option<Decimal> {
        match self {
            Seen::Number(number) => Some(number),
            _ => None,
        }
    }

    pub(super) fn answer(self) -> Option<bool> {
        match self {
            Seen::Bool(answer) => Some(answer),
            _ => None,
        }
    }
}

impl Term {
    /// Builds the evaluated form. Types were checked before; comparisons between types that the
    /// type checker allows are refused here.
    ///
    /// # Errors
    /// An operation that rules do not use, and its node.
    pub(super) fn new<'n>(node: &'n Node<'n>) -> Result<Term, (&'n Node<'n>, &'static str)> {
        let boxed = |node| Term::new(node).map(Box::new);
        let term = match node {
            Node::Parenthesized(inner) => return Term::new(inner),
            Node::Bool(answer) => Term::Literal(Value::Bool(*answer)),
            Node::Number(number) => Term::Literal(Value::Decimal(*number)),
            Node::String(text) => Term::Literal(Value::Text((*text).to_owned())),
            Node::Unary {
                node: Node::Number(number),
                operator: Operator::Arithmetic(ArithmeticOperator::Subtract),
            } => {
                let mut negative = *number;
                negative.set_sign_negative(!number.is_sign_negative());
                Term::Literal(Value::Decimal(negative))
            }
            Node::Member {
                node: Node::Identifier(group),
                property: Node::String(name),
            } => match schema::find(&format!("{group}.{name}")) {
                Some(fact) => Term::Fact(fact),
                None => return Err((node, "no such fact")),
            },
            Node::Binary {
                left,
                operator: Operator::Arithmetic(ArithmeticOperator::Add),
                right,
            } => Term::Sum(boxed(left)?, boxed(right)?),
            Node::Binary {
                left,
                operator: Operator::Arithmetic(ArithmeticOperator::Subtract),
                right,
            } => Term::Difference(boxed(left)?, boxed(right)?),
            Node::Binary {
                left,
                operator: Operator::Comparison(comparison),
                right,
            } => {
                let how = match comparison {
                    ComparisonOperator::Equal => How::Equal,
                    ComparisonOperator::NotEqual => How::NotEqual,
                    ComparisonOperator::LessThan => How::Less,
                    ComparisonOperator::LessThanOrEqual => How::LessOrEqual,
                    ComparisonOperator::GreaterThan => How::Greater,
                    ComparisonOperator::GreaterThanOrEqual => How::GreaterOrEqual,
                    ComparisonOperator::In | ComparisonOperator::NotIn => {
                        let Node::Array(items) = right else {
                            return Err((right, "`in` takes a list in brackets"));
                        };
                        let list = items.iter().map(|item| Term::new(item));
                        let is_in = *comparison == ComparisonOperator::In;
                        return Term::OneOf(boxed(left)?, list.collect::<Result<_, _>>()?, is_in)
                            .of_like(node);
                    }
                };
                Term::Compare(boxed(left)?, how, boxed(right)?)
            }
            Node::FunctionCall {
                kind: FunctionKind::Internal(function),
                arguments,
            } => match (function, *arguments) {
                (InternalFunction::Date, [Node::String(text)]) => match text.parse() {
                    Ok(date) => Term::Literal(Value::Date(date)),
                    Err(_) => return Err((node, "not a date")),
                },
                (InternalFunction::Contains, [text, part]) => Term::Contains(boxed(text)?, boxed(part)?),
                (InternalFunction::StartsWith, [text, part]) => Term::StartsWith(boxed(text)?, boxed(part)?),
                _ => return Err((node, "rules do not use this function like this")),
            },
            _ => return Err((node, "rules are comparisons joined by `and`, `or` and `not`")),
        };
        term.of_like(node)
    }

    /// The term, if both sides have one type.
    fn of_like<'n>(self, node: &'n Node<'n>) -> Result<Term, (&'n Node<'n>, &'static str)> {
        let both = |one: &Term, other: &Term, kind| one.kind() == kind && other.kind() == kind;
        let alike = match &self {
            Term::Fact(_) | Term::Literal(_) => true,
            Term::Sum(left, right) | Term::Difference(left, right) => both(left, right, Kind::Number),
            Term::Compare(left, How::Equal | How::NotEqual, right) => left.kind() == right.kind(),
            Term::Compare(left, _, right) => both(left, right, Kind::Number) || both(left, right, Kind::Date),
            Term::OneOf(of, list, _) => list.iter().all(|item| item.kind() == of.kind()),
            Term::Contains(text, part) | Term::StartsWith(text, part) => both(text, part, Kind::Text),
        };
        if alike {
            Ok(self)
        } else {
            Err((node, "rules compare like with like"))
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Term::Fact(fact) => match fact.kind {
                FactType::Money | FactType::Number => Kind::Number,
                FactType::Date => Kind::Date,
                FactType::Text | FactType::Choice(_) => Kind::Text,
                FactType::Bool => Kind::Bool,
            },
            Term::Literal(value) => match value {
                Value::Decimal(_) => Kind::Number,
                Value::Date(_) => Kind::Date,
                Value::Text(_) => Kind::Text,
                Value::Bool(_) => Kind::Bool,
            },
            Term::Sum(..) | Term::Difference(..) => Kind::Number,
            Term::Compare(..) | Term::OneOf(..) | Term::Contains(..) | Term::StartsWith(..) => Kind::Bool,
        }
    }

    /// The facts that it reads.
    pub(super) fn reads(&self, reads: &mut Vec<&'static Fact>) {
        match self {
            Term::Fact(fact) => reads.push(fact),
            Term::Literal(_) => {}
            Term::Sum(one, other)
            | Term::Difference(one, other)
            | Term::Compare(one, _, other)
            | Term::Contains(one, other)
            | Term::StartsWith(one, other) => {
                one.reads(reads);
                other.reads(reads);
            }
            Term::OneOf(of, list, _) => {
                of.reads(reads);
                list.iter().for_each(|item| item.reads(reads));
            }
        }
    }

    /// The value; `None` if a fact that it needs is missing, or a sum is beyond all bounds.
    pub(super) fn value<'a>(&'a self, facts: &'a Facts) -> Option<Seen<'a>> {
        Some(match self {
            Term::Fact(fact) => Seen::of(facts.value(fact)?),
            Term::Literal(value) => Seen::of(value),
            Term::Sum(left, right) => {
                let (left, right) = (left.value(facts)?.number()?, right.value(facts)?.number()?);
                Seen::Number(left.checked_add(right)?)
            }
            Term::Difference(left, right) => {
                let (left, right) = (left.value(facts)?.number()?, right.value(facts)?.number()?);
                Seen::Number(left.checked_sub(right)?)
            }
            Term::Compare(left, how, right) => {
                let (left, right) = (left.value(facts)?, right.value(facts)?);
                Seen::Bool(match how {
                    How::Equal => left == right,
                    How::NotEqual => left != right,
                    How::Less => left < right,
                    How::LessOrEqual => left <= right,
                    How::Greater => left > right,
                    How::GreaterOrEqual => left >= right,
                })
            }
            Term::OneOf(of, list, is_in) => {
                let of = of.value(facts)?;
                let mut found = false;
                for item in list {
                    found |= item.value(facts)? == of;
                }
                Seen::Bool(found == *is_in)
            }
            Term::Contains(text, part) => match (text.value(facts)?, part.value(facts)?) {
                (Seen::Text(text), Seen::Text(part)) => Seen::Bool(text.contains(part)),
                _ => return None,
            },
            Term::StartsWith(text, part) => match (text.value(facts)?, part.value(facts)?) {
                (Seen::Text(text), Seen::Text(part)) => Seen::Bool(text.starts_with(part)),
                _ => return None,
            },
        })
    }
}
