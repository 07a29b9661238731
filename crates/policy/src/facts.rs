//! Facts: the data of one claim that rules read, as dates, money, text and yes-or-no answers.
//!
//! A fact has a path of two parts (`purchase.invoice_date`) that stands in [`crate::schema`], and a
//! value of the type given there. A missing fact is absent; there is no null. Facts hold no
//! personal data: the caller compares names, numbers and plates, and only the result becomes a
//! fact. So a receipt may be shown to everyone who may see the decision.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::schema::{self, Fact, FactType};

/// Sums are of yuan; no real sum is beyond this, and below it no sum of an expression's length can
/// overflow.
const LARGEST: Decimal = Decimal::from_parts(2_764_472_320, 232_830, 0, false, 0);

/// The value of a fact. Money is yuan; a plain number is a count or a grade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Decimal(Decimal),
    Date(NaiveDate),
    Text(String),
    Bool(bool),
}

/// As a receipt writes it: decimals plainly, dates in ISO 8601, `true` or `false`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Decimal(number) => write!(f, "{number}"),
            Value::Date(date) => write!(f, "{date}"),
            Value::Text(text) => f.write_str(text),
            Value::Bool(answer) => write!(f, "{answer}"),
        }
    }
}

impl From<Decimal> for Value {
    fn from(number: Decimal) -> Self {
        Value::Decimal(number)
    }
}

impl From<NaiveDate> for Value {
    fn from(date: NaiveDate) -> Self {
        Value::Date(date)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl From<bool> for Value {
    fn from(answer: bool) -> Self {
        Value::Bool(answer)
    }
}

/// The path of a fact together with the Rust type of its value: a fact that does not exist, or a
/// value of another type, does not compile. The keys are the constants of [`crate::schema`].
pub struct Key<T> {
    path: &'static str,
    place: usize,
    value: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    pub(crate) const fn new(path: &'static str, place: usize) -> Self {
        Key {
            path,
            place,
            value: PhantomData,
        }
    }

    pub const fn path(self) -> &'static str {
        self.path
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path)
    }
}

/// Why a fact was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FactError {
    #[error("there is no fact `{0}`")]
    Unknown(String),
    #[error("`{0}` is computed by the programme and is not given")]
    Computed(String),
    #[error("`{path}` is {expected}")]
    Type { path: String, expected: &'static str },
    #[error("facts are a JSON object of path to value")]
    NotAnObject,
}

/// The facts of one claim: path to value, in the order of the paths.
#[derive(Clone, PartialEq, Eq)]
pub struct Facts {
    /// One slot for every fact of the schema: rules look facts up many times.
    values: Vec<Option<Value>>,
}

impl Default for Facts {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Facts {
    pub fn new() -> Self {
        Facts {
            values: vec![None; schema::FACTS.len()],
        }
    }

    pub fn put<T: Into<Value>>(&mut self, key: Key<T>, value: impl Into<T>) -> &mut Self {
        let kind = schema::IN_ORDER
            .get(key.place)
            .map_or(FactType::Number, |fact| fact.kind);
        self.put_at(key.place, settle(kind, value.into().into()));
        self
    }

    fn put_at(&mut self, place: usize, value: Value) {
        if let Some(known) = self.values.get_mut(place) {
            *known = Some(value);
        }
    }

    /// Adds the value if there is one; a missing value stays absent.
    pub fn put_opt<T: Into<Value>>(&mut self, key: Key<T>, value: Option<impl Into<T>>) -> &mut Self {
        if let Some(value) = value {
            self.put(key, value);
        }
        self
    }

    /// Adds a value whose path is given at run time.
    ///
    /// # Errors
    /// The path is not in the schema, is computed by the programme, or the value is of another
    /// type.
    pub fn set(&mut self, path: &str, value: Value) -> Result<&mut Self, FactError> {
        let fact = schema::find(path).ok_or_else(|| FactError::Unknown(path.to_owned()))?;
        if fact.computed {
            return Err(FactError::Computed(path.to_owned()));
        }
        if !fact.kind.admits(&value) {
            return Err(FactError::Type {
                path: path.to_owned(),
                expected: fact.kind.describe(),
            });
        }
        self.put_at(fact.place, settle(fact.kind, value));
        Ok(self)
    }

    /// Replaces a value by another of the same type.
    pub(crate) fn replace(&mut self, fact: &'static Fact, value: Value) {
        self.put_at(fact.place, value);
    }

    pub(crate) fn is_false(&self, fact: &Fact) -> bool {
        self.value(fact) == Some(&Value::Bool(false))
    }

    pub fn remove(&mut self, path: &str) -> Option<Value> {
        self.values.get_mut(schema::find(path)?.place)?.take()
    }

    pub fn get(&self, path: &str) -> Option<&Value> {
        self.value(schema::find(path)?)
    }

    /// Whether the fact is there and within bounds.
    pub(crate) fn knows(&self, fact: &Fact) -> bool {
        self.value(fact).is_some_and(|value| match value {
            Value::Decimal(number) => number.abs() <= LARGEST,
            _ => true,
        })
    }

    pub(crate) fn value(&self, fact: &Fact) -> Option<&Value> {
        self.values.get(fact.place)?.as_ref()
    }

    fn at<T>(&self, key: Key<T>) -> Option<&Value> {
        self.values.get(key.place)?.as_ref()
    }

    pub fn date<T>(&self, key: Key<T>) -> Option<NaiveDate> {
        self.at(key)?.as_date()
    }

    pub fn text<T>(&self, key: Key<T>) -> Option<&str> {
        match self.at(key)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn decimal<T>(&self, key: Key<T>) -> Option<Decimal> {
        self.at(key)?.as_decimal()
    }

    pub fn len(&self) -> usize {
        self.iter().count()
    }

    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> + Clone {
        self.known().map(|(fact, value)| (fact.path, value))
    }

    pub(crate) fn known(&self) -> impl Iterator<Item = (&'static Fact, &Value)> + Clone {
        let places = schema::IN_ORDER.iter().zip(&self.values);
        places.filter_map(|(fact, value)| Some((*fact, value.as_ref()?)))
    }

    /// Path to value: decimals and dates as strings, so that no reader passes money through a
    /// float.
    pub fn to_json(&self) -> serde_json::Value {
        self.iter()
            .map(|(path, value)| (path.to_owned(), value.to_json()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    /// Reads what [`Facts::to_json`] wrote, with the types of the schema.
    ///
    /// # Errors
    /// Not an object, a path that is not in the schema, or a value of another type.
    pub fn from_json(json: &serde_json::Value) -> Result<Self, FactError> {
        let entries = json.as_object().ok_or(FactError::NotAnObject)?;
        let mut facts = Facts::new();
        for (path, value) in entries {
            let fact = schema::find(path).ok_or_else(|| FactError::Unknown(path.clone()))?;
            let wrong = || FactError::Type {
                path: path.clone(),
                expected: fact.kind.describe(),
            };
            let given = match value {
                serde_json::Value::Bool(answer) => Given::Bool(*answer),
                serde_json::Value::String(text) => Given::Text(text.into()),
                _ => return Err(wrong()),
            };
            facts.set(path, fact.kind.read(&given).ok_or_else(wrong)?)?;
        }
        Ok(facts)
    }

    /// As [`Facts::from_json`] of the JSON in the text, without building a tree; `None` leaves the
    /// fault to that function.
    pub(crate) fn from_text(json: &str) -> Option<Self> {
        serde_json::from_str::<Members>(json)
            .ok()
            .map(|members| members.0)
    }
}

/// A value as written: decimals and dates are text.
pub(crate) enum Given<'j> {
    Bool(bool),
    Text(Cow<'j, str>),
}

impl<'de: 'j, 'j> Deserialize<'de> for Given<'j> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Given<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, true or false")
            }

            fn visit_bool<E>(self, answer: bool) -> Result<Self::Value, E> {
                Ok(Given::Bool(answer))
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Given::Text(text.into()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Given::Text(text.to_owned().into()))
            }
        }

        deserializer.deserialize_any(Read)
    }
}

/// The members of an object, as facts.
struct Members(Facts);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("facts by path")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Members, A::Error> {
                let mut facts = Facts::new();
                // The members are in order already, except in a JSON that another program wrote.
                let mut behind = schema::IN_ORDER.iter();
                while let Some((Text(path), given)) = members.next_entry::<Text<'de>, Given<'de>>()? {
                    let fact = behind.find(|fact| fact.path == path).copied();
                    let fact = fact.or_else(|| schema::find(&path)).filter(|fact| !fact.computed);
                    let fact = fact.ok_or_else(|| A::Error::custom("no such fact"))?;
                    let value = fact.kind.read(&given);
                    let value = value.ok_or_else(|| A::Error::custom("of another type"))?;
                    facts.put_at(fact.place, settle(fact.kind, value));
                }
                Ok(Members(facts))
            }
        }

        deserializer.deserialize_map(Read)
    }
}

/// Text that is borrowed unchanged where nothing is escaped.
#[derive(Deserialize)]
struct Text<'j>(#[serde(borrow)] Cow<'j, str>);

impl Value {
    pub(crate) fn as_date(&self) -> Option<NaiveDate> {
        match self {
            Value::Date(date) => Some(*date),
            _ => None,
        }
    }

    pub(crate) fn as_decimal(&self) -> Option<Decimal> {
        match self {
            Value::Decimal(number) => Some(*number),
            _ => None,
        }
    }

    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Value::Bool(answer) => (*answer).into(),
            other => other.to_string().into(),
        }
    }
}

/// One spelling for one number: money has at least two decimals, a count no trailing zeros.
/// Otherwise the receipts of the same claim could differ by a trailing zero.
fn settle(kind: FactType, value: Value) -> Value {
    let Value::Decimal(number) = value else {
        return value;
    };
    let mut number = number.normalize();
    if number.scale() < 2 && kind == FactType::Money {
        number.rescale(2);
    }
    Value::Decimal(number)
}
