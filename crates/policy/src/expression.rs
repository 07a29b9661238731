//! Expressions of rules: checked once when a document is loaded, so that evaluation cannot fail.
//!
//! * The language is a part of zen-expression: comparisons, `in`, `and`, `or`, `not`, `+`, `-`,
//!   `contains`, `startsWith` and date literals `d('2013-06-30')`. Operations that could read a
//!   clock (`d()`), draw a random number or overflow are refused, so that an expression is a
//!   function of its facts.
//! * Types are checked strictly against the table of facts; text compared with a fact of closed
//!   choice must be one of its choices.
//! * Dates are compared as days, never as instants in some time zone.
//! * zen-expression parses and checks; [`term`](term) evaluates the checked expression, from the
//!   facts as they are.
//! * `and`, `or` and `not` are three-valued: a result that does not depend on a missing fact is
//!   decided without it.

mod term;

use std::collections::BTreeSet;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use zen_expression::functions::{FunctionKind, InternalFunction};
use zen_expression::intellisense::diagnostic::Severity;
use zen_expression::intellisense::{AstMetadata, IntelliSense, ReadDependency};
use zen_expression::lexer::{ArithmeticOperator, ComparisonOperator, LogicalOperator, Operator};
use zen_expression::parser::Node;
use zen_expression::variable::VariableType;

use self::term::{Seen, Term};
use crate::facts::Facts;
use crate::schema::{self, FACTS, Fact, FactType};

/// An expression longer than this is not a rule but a programme.
pub(crate) const MAX_LENGTH: usize = 4_000;

/// A fault of an expression, and its byte.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) offset: usize,
    pub(crate) message: String,
}

/// A literal that an expression compares with, kept to find tiers that can never be reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Literal {
    Text(String),
    Number(Decimal),
    Date(NaiveDate),
}

/// The type that an expression must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Bool,
    Number,
}

#[derive(Clone, Debug)]
enum Tree {
    And(Box<Tree>, Box<Tree>),
    Or(Box<Tree>, Box<Tree>),
    Not(Box<Tree>),
    Leaf { reads: Vec<&'static Fact>, term: Term },
}

/// A checked and compiled expression.
#[derive(Clone, Debug)]
pub(crate) struct Compiled {
    tree: Tree,
    /// In the order of their paths.
    reads: Vec<&'static Fact>,
    literals: BTreeSet<Literal>,
}

impl Compiled {
    /// Checks and compiles.
    ///
    /// # Errors
    /// Every fault found: syntax, an unknown fact, a type error, text that is not among a fact's
    /// choices, a date that does not exist, or an operation that rules may not use. The list is not
    /// empty.
    pub(crate) fn new(source: &str, wanted: Wanted, categories: &[String]) -> Result<Self, Vec<Fault>> {
        if source.len() > MAX_LENGTH {
            let message = format!("an expression has at most {MAX_LENGTH} bytes");
            return Err(vec![Fault { offset: 0, message }]);
        }
        let mut intellisense = IntelliSense::new().with_strict(true);
        let analysis = intellisense.analyze(source, &types(categories));
        let mut faults: Vec<Fault> = analysis
            .diagnostics
            .iter()
            .filter(|found| found.severity != Severity::Hint)
            .map(|found| Fault {
                offset: offset(found.span.0),
                message: found.message.clone(),
            })
            .collect();
        let reads = resolve(&analysis.reads, &mut faults);
        let right_type = match wanted {
            Wanted::Bool => VariableType::Bool,
            Wanted::Number => VariableType::Number,
        };
        if faults.is_empty() && analysis.return_type != right_type {
            let message = format!("must be a `{right_type}`, but is a `{}`", analysis.return_type);
            faults.push(Fault { offset: 0, message });
        }
        if !faults.is_empty() {
            return Err(faults);
        }

        let walked = intellisense.with_ast(source, false, |root, spans| {
            let mut reader = Reader {
                spans,
                categories,
                faults: Vec::new(),
                literals: BTreeSet::new(),
            };
            reader.check(root);
            let tree = reader.faults.is_empty().then(|| reader.tree(root)).flatten();
            (tree, reader.literals, reader.faults)
        });
        match walked {
            Some((Some(tree), literals, _)) => Ok(Compiled {
                tree,
                reads,
                literals,
            }),
            Some((None, _, faults)) if !faults.is_empty() => Err(faults),
            _ => Err(vec![Fault {
                offset: 0,
                message: "cannot be compiled".to_owned(),
            }]),
        }
    }

    /// The facts that the expression may read.
    pub(crate) fn reads(&self) -> &[&'static Fact] {
        &self.reads
    }

    pub(crate) fn literals(&self) -> &BTreeSet<Literal> {
        &self.literals
    }

    /// Yes, no, or `None` where the answer depends on a fact that is missing.
    pub(crate) fn holds(&self, facts: &Facts) -> Option<bool> {
        self.tree.holds(facts)
    }

    /// The number, or `None` where a fact it needs is missing.
    pub(crate) fn number(&self, facts: &Facts) -> Option<Decimal> {
        self.tree.evaluate(facts)?.number()
    }
}

impl Tree {
    fn holds(&self, facts: &Facts) -> Option<bool> {
        match self {
            Tree::And(left, right) => match left.holds(facts) {
                Some(false) => Some(false),
                left => match (left, right.holds(facts)) {
                    (_, Some(false)) => Some(false),
                    (Some(true), Some(true)) => Some(true),
                    _ => None,
                },
            },
            Tree::Or(left, right) => match left.holds(facts) {
                Some(true) => Some(true),
                left => match (left, right.holds(facts)) {
                    (_, Some(true)) => Some(true),
                    (Some(false), Some(false)) => Some(false),
                    _ => None,
                },
            },
            Tree::Not(inner) => inner.holds(facts).map(|holds| !holds),
            Tree::Leaf { .. } => self.evaluate(facts)?.answer(),
        }
    }

    fn evaluate<'a>(&'a self, facts: &'a Facts) -> Option<Seen<'a>> {
        let Tree::Leaf { reads, term } = self else {
            return None;
        };
        if !reads.iter().all(|fact| facts.knows(fact)) {
            return None;
        }
        term.value(facts)
    }
}

fn offset(position: u32) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

/// The schema as the type checker takes it. Categories are the document's own.
fn types(categories: &[String]) -> VariableType {
    let root = VariableType::empty_object();
    for fact in FACTS {
        let kind = match fact.kind {
            FactType::Money | FactType::Number => VariableType::Number,
            FactType::Date => VariableType::Date,
            FactType::Bool => VariableType::Bool,
            FactType::Choice(words) => one_of(words.iter().copied()),
            FactType::Text if is_category(fact.path) => one_of(categories.iter().map(String::as_str)),
            FactType::Text => VariableType::String,
        };
        insert(&root, fact.path, kind);
    }
    root
}

fn insert(root: &VariableType, path: &str, kind: VariableType) {
    let (VariableType::Object(groups), Some((group, name))) = (root, path.split_once('.')) else {
        return;
    };
    let mut groups = groups.borrow_mut();
    let members = groups
        .entry(group.into())
        .or_insert_with(VariableType::empty_object);
    if let VariableType::Object(members) = members {
        members.borrow_mut().insert(name.into(), kind);
    }
}

fn one_of<'w>(words: impl Iterator<Item = &'w str>) -> VariableType {
    VariableType::Enum(None, words.map(Into::into).collect())
}

/// Facts whose choices are the categories of the document.
pub(crate) fn is_category(path: &str) -> bool {
    matches!(
        path,
        "item.category" | "label.category" | "entitlement.category" | "old.category"
    )
}

/// The facts that are read, in the order of their paths.
fn resolve(reads: &[ReadDependency], faults: &mut Vec<Fault>) -> Vec<&'static Fact> {
    let mut facts = Vec::new();
    for read in reads {
        match read {
            ReadDependency::Direct {
                path,
                span,
                via_index: false,
            } => {
                let path = path.join(".");
                match schema::find(&path) {
                    Some(fact) => facts.push(fact),
                    None => {
                        faults.push(Fault {
                            offset: offset(span.0),
                            message: format!("unknown fact `{path}`"),
                        });
                    }
                }
            }
            ReadDependency::Direct { span, .. }
            | ReadDependency::Iteration { span, .. }
            | ReadDependency::Unresolved { span, .. } => {
                faults.push(Fault {
                    offset: offset(span.0),
                    message: "a fact is read by its path".to_owned(),
                });
            }
        }
    }
    schema::in_order(&mut facts);
    facts
}

/// Walks the syntax tree: refuses operations that rules may not use, collects literals, and splits
/// `and`, `or` and `not`.
struct Reader<'a> {
    spans: &'a AstMetadata,
    categories: &'a [String],
    faults: Vec<Fault>,
    literals: BTreeSet<Literal>,
}

impl Reader<'_> {
    fn span(&self, node: &Node<'_>) -> (usize, usize) {
        let span = self
            .spans
            .get(&std::ptr::from_ref(node).addr())
            .map(|found| found.span);
        let (start, end) = span.unwrap_or_default();
        (offset(start), offset(end))
    }

    fn refuse(&mut self, node: &Node<'_>, message: impl Into<String>) {
        let (offset, _) = self.span(node);
        self.faults.push(Fault {
            offset,
            message: message.into(),
        });
    }

    fn check(&mut self, node: &Node<'_>) {
        match node {
            Node::Bool(_) | Node::Identifier(_) => {}
            Node::Number(number) => {
                self.literals.insert(Literal::Number(*number));
            }
            Node::String(text) => {
                self.literals.insert(Literal::Text((*text).to_owned()));
            }
            Node::Array(items) => items.iter().for_each(|item| self.check(item)),
            Node::Parenthesized(inner) => self.check(inner),
            Node::Member {
                node: inner,
                property: Node::String(_),
            } => self.check(inner),
            Node::Unary { node: inner, .. } => self.check(inner),
            Node::Binary {
                left,
                operator,
                right,
            } => self.check_binary(node, left, operator, right),
            Node::FunctionCall { kind, arguments } => self.check_call(node, kind, arguments),
            _ => self.refuse(node, "rules are comparisons joined by `and`, `or` and `not`"),
        }
    }

    fn check_binary(&mut self, node: &Node<'_>, left: &Node<'_>, operator: &Operator, right: &Node<'_>) {
        match operator {
            Operator::Comparison(comparison) => {
                if matches!(comparison, ComparisonOperator::In | ComparisonOperator::NotIn)
                    && !matches!(right, Node::Array(_))
                {
                    self.refuse(right, "`in` takes a list in brackets");
                }
                self.check_choice(left, right);
                self.check_choice(right, left);
            }
            Operator::Logical(LogicalOperator::And | LogicalOperator::Or)
            | Operator::Arithmetic(ArithmeticOperator::Add | ArithmeticOperator::Subtract) => {}
            other => self.refuse(node, format!("rules do not use `{other}`")),
        }
        self.check(left);
        self.check(right);
    }

    /// Text compared with a fact of closed choice is one of its choices.
    fn check_choice(&mut self, fact: &Node<'_>, words: &Node<'_>) {
        let Node::Member {
            node: Node::Identifier(group),
            property: Node::String(name),
        } = fact
        else {
            return;
        };
        let path = format!("{group}.{name}");
        let allowed: Vec<&str> = match schema::find(&path).map(|fact| fact.kind) {
            Some(FactType::Choice(words)) => words.to_vec(),
            Some(FactType::Text) if is_category(&path) => {
                self.categories.iter().map(String::as_str).collect()
            }
            _ => return,
        };
        let given: &[&Node<'_>] = match words {
            Node::Array(items) => items,
            other => &[other],
        };
        for node in given {
            if let Node::String(word) = node
                && !allowed.contains(word)
            {
                let message = format!(
                    "`{word}` is not a value of `{path}`; its values are {}",
                    allowed.join(", ")
                );
                self.refuse(node, message);
            }
        }
    }

    fn check_call(&mut self, node: &Node<'_>, kind: &FunctionKind, arguments: &[&Node<'_>]) {
        match (kind, arguments) {
            (FunctionKind::Internal(InternalFunction::Date), [Node::String(text)]) => {
                match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
                    Ok(date) if date.to_string() == *text => {
                        self.literals.insert(Literal::Date(date));
                    }
                    _ => self.refuse(node, format!("`{text}` is not a date; write d('2013-06-30')")),
                }
            }
            (
                FunctionKind::Internal(InternalFunction::Contains | InternalFunction::StartsWith),
                arguments,
            ) => {
                arguments.iter().for_each(|argument| self.check(argument));
            }
            (kind, _) => self.refuse(node, format!("rules do not use `{kind}` like this")),
        }
    }

    /// Splits at `and`, `or` and `not`, and compiles the parts between them.
    fn tree(&mut self, node: &Node<'_>) -> Option<Tree> {
        match node {
            Node::Parenthesized(inner) => self.tree(inner),
            Node::Unary {
                node: inner,
                operator: Operator::Logical(LogicalOperator::Not),
            } => Some(Tree::Not(Box::new(self.tree(inner)?))),
            Node::Binary {
                left,
                operator: Operator::Logical(LogicalOperator::And),
                right,
            } => Some(Tree::And(Box::new(self.tree(left)?), Box::new(self.tree(right)?))),
            Node::Binary {
                left,
                operator: Operator::Logical(LogicalOperator::Or),
                right,
            } => Some(Tree::Or(Box::new(self.tree(left)?), Box::new(self.tree(right)?))),
            leaf => self.leaf(leaf),
        }
    }

    fn leaf(&mut self, node: &Node<'_>) -> Option<Tree> {
        match Term::new(node) {
            Ok(term) => {
                let mut reads = Vec::new();
                term.reads(&mut reads);
                schema::in_order(&mut reads);
                Some(Tree::Leaf { reads, term })
            }
            Err((node, message)) => {
                self.refuse(node, message);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
