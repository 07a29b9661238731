//! The table of facts: every path that a rule may read, its type, its meaning and how a claimant
//! supplies it.
//!
//! Rules are type-checked against this table when a document is loaded, so that a document cannot
//! refer to a fact that no adapter gathers. A row marked computed is made by the programme itself
//! while it decides; the others come from the claim and the registers.

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::facts::{Given, Value};
use crate::lang::Lang;

/// The type of a fact. `Choice` is text with a closed list of values, so that a typing error in a
/// rule is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactType {
    /// Yuan, exact, at least two decimals when written.
    Money,
    Number,
    Date,
    Text,
    Choice(&'static [&'static str]),
    Bool,
}

impl FactType {
    pub(crate) fn describe(self) -> &'static str {
        match self {
            FactType::Money => "money, as a decimal string",
            FactType::Number => "a number",
            FactType::Date => "a date, YYYY-MM-DD",
            FactType::Text | FactType::Choice(_) => "text",
            FactType::Bool => "true or false",
        }
    }

    pub(crate) fn admits(self, value: &Value) -> bool {
        matches!(
            (self, value),
            (FactType::Money | FactType::Number, Value::Decimal(_))
                | (FactType::Date, Value::Date(_))
                | (FactType::Text | FactType::Choice(_), Value::Text(_))
                | (FactType::Bool, Value::Bool(_))
        )
    }

    /// Parses a value as receipts and documents write it.
    pub(crate) fn read(self, given: &Given<'_>) -> Option<Value> {
        match (self, given) {
            (FactType::Bool, Given::Bool(answer)) => Some(Value::Bool(*answer)),
            (FactType::Date, Given::Text(text)) => date(text).map(Value::Date),
            (FactType::Text | FactType::Choice(_), Given::Text(text)) => {
                Some(Value::Text((**text).to_owned()))
            }
            (FactType::Money | FactType::Number, Given::Text(text)) => {
                Decimal::from_str_exact(text).ok().map(Value::Decimal)
            }
            _ => None,
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Fact {
    pub path: &'static str,
    /// The path as the beginning of a JSON object's member.
    pub(crate) member: &'static str,
    /// How many paths precede this one in their order, which is the order of a receipt.
    pub(crate) place: usize,
    pub kind: FactType,
    /// Made by the programme while it decides; never given.
    pub computed: bool,
    pub zh: &'static str,
    pub en: &'static str,
    pub supply_zh: &'static str,
    pub supply_en: &'static str,
}

impl Fact {
    /// The meaning: a noun phrase.
    pub fn title(&self, lang: Lang) -> &'static str {
        match lang {
            Lang::Zh => self.zh,
            Lang::En => self.en,
        }
    }

    /// How a claimant supplies the fact.
    pub fn supply(&self, lang: Lang) -> &'static str {
        match lang {
            Lang::Zh => self.supply_zh,
            Lang::En => self.supply_en,
        }
    }
}

/// The values of a car's energy, as a claim and the registers write them.
pub const ENERGIES: &[&str] = &["new_energy", "petrol", "diesel", "other"];
/// The kinds of items.
pub const ITEM_KINDS: &[&str] = &["appliance", "digital", "vehicle"];
const OLD_KINDS: &[&str] = &["appliance", "vehicle"];
const CHANNELS: &[&str] = &["in_store", "online"];
const PAYEES: &[&str] = &["merchant", "applicant"];
const STANDINGS: &[&str] = &["admitted", "suspended", "removed"];
const MERCHANT_KINDS: &[&str] = &["retailer", "platform", "dealer"];

macro_rules! value_type {
    (Money) => {
        Decimal
    };
    (Number) => {
        Decimal
    };
    (Date) => {
        NaiveDate
    };
    (Text) => {
        String
    };
    (Choice) => {
        String
    };
    (Bool) => {
        bool
    };
}

macro_rules! fact_type {
    (Choice, $words:expr) => {
        FactType::Choice($words)
    };
    ($kind:ident) => {
        FactType::$kind
    };
}

macro_rules! facts {
    ($(
        $name:ident: $kind:ident $(($words:expr))? $path:literal, $zh:literal, $en:literal,
        $supply_zh:literal, $supply_en:literal;
    )* @computed $(
        $cname:ident: $ckind:ident $(($cwords:expr))? $cpath:literal, $czh:literal, $cen:literal;
    )*) => {
        $( #[doc = $en] pub const $name: Key<value_type!($kind)> = Key::new($path, before($path, PATHS)); )*

        /// Keys of the facts that only the programme makes.
        pub(crate) mod computed {
            use super::*;
            $( #[doc = $cen] pub(crate) const $cname: Key<value_type!($ckind)> = Key::new($cpath, before($cpath, PATHS)); )*
        }

        const PATHS: &[&str] = &[$( $path, )* $( $cpath, )*];

        /// Every fact, in the order in which an officer would look for it.
        pub const FACTS: &[Fact] = &[
            $( Fact {
                path: $path, member: concat!("\"", $path, "\":"), place: before($path, PATHS), kind: fact_type!($kind $(, $words)?), computed: false,
                zh: $zh, en: $en, supply_zh: $supply_zh, supply_en: $supply_en,
            }, )*
            $( Fact {
                path: $cpath, member: concat!("\"", $cpath, "\":"), place: before($cpath, PATHS), kind: fact_type!($ckind $(, $cwords)?), computed: true,
                zh: $czh, en: $cen, supply_zh: "", supply_en: "",
            }, )*
        ];
    };
}

mod table;

pub(crate) use table::computed;
pub use table::*;

static BY_PATH: LazyLock<HashMap<&'static str, &'static Fact>> =
    LazyLock::new(|| FACTS.iter().map(|fact| (fact.path, fact)).collect());

/// Every fact, by its place in the table.
pub(crate) static IN_ORDER: LazyLock<Vec<&'static Fact>> = LazyLock::new(|| {
    let mut facts: Vec<&'static Fact> = FACTS.iter().collect();
    facts.sort_by_key(|fact| fact.place);
    facts
});

/// `2026-05-01`, and the other forms that `chrono` accepts for a date.
fn date(text: &str) -> Option<NaiveDate> {
    let digits = |range| {
        let digits: &[u8] = text.as_bytes().get(range)?;
        digits.iter().try_fold(0_u32, |number, byte| {
            let digit = char::from(*byte).to_digit(10)?;
            number.checked_mul(10)?.checked_add(digit)
        })
    };
    let written = || {
        let formed = matches!(text.as_bytes(), [_, _, _, _, b'-', _, _, b'-', _, _]);
        let year = formed.then(|| digits(0..4)).flatten()?;
        NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, digits(5..7)?, digits(8..10)?)
    };
    written().or_else(|| text.parse().ok())
}

/// Puts facts into the order of their paths, each once.
pub(crate) fn in_order(facts: &mut Vec<&'static Fact>) {
    facts.sort_unstable_by_key(|fact| fact.place);
    facts.dedup_by_key(|fact| fact.place);
}

/// How many of the paths precede this one.
const fn before(path: &str, mut paths: &[&str]) -> usize {
    let mut before: usize = 0;
    while let [first, rest @ ..] = paths {
        if less(first.as_bytes(), path.as_bytes()) {
            before = before.saturating_add(1);
        }
        paths = rest;
    }
    before
}

const fn less(mut one: &[u8], mut other: &[u8]) -> bool {
    loop {
        match (one, other) {
            ([a, ..], [b, ..]) if *a != *b => return *a < *b,
            ([_, one_rest @ ..], [_, other_rest @ ..]) => {
                one = one_rest;
                other = other_rest;
            }
            ([], [_, ..]) => return true,
            _ => return false,
        }
    }
}

/// The row of a path, if there is one.
pub fn find(path: &str) -> Option<&'static Fact> {
    BY_PATH.get(path).copied()
}
