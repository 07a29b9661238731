//! Forms with bounds of their own.

use std::marker::PhantomData;
use std::ops::RangeInclusive;

use chrono::{Datelike, NaiveDate};
use claims::identifiers::IdentifierError;
use ledger::Fen;
use utoipa::openapi::schema::{ArrayBuilder, SchemaType, Type};
use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat};

use crate::http::field_limits;
use crate::http::fields::Slot;
use crate::http::wire::members::string;
use crate::http::wire::{AnySchema, Components, Field, Shape};

/// Ties a shape to the type of its field.
pub(crate) fn shaped<T, S: Shape<Value = T>>(shape: S) -> S {
    shape
}

/// The form that a type has wherever it stands.
pub(crate) struct Of<T>(PhantomData<T>);

impl<T> Of<T> {
    pub(crate) fn new() -> Of<T> {
        Of(PhantomData)
    }
}

/// A form that is declared for another type.
pub(crate) fn form<T: Field>() -> Of<T> {
    Of::new()
}

impl<T: Field> Shape for Of<T> {
    type Value = T::Value;

    fn read(&self, slot: &Slot<'_>) -> Option<T::Value> {
        T::read(slot)
    }

    fn schema(&self) -> AnySchema {
        T::schema()
    }

    fn name(&self) -> Option<&'static str> {
        T::NAME
    }

    fn components(&self, found: &mut Components) {
        T::components(found);
    }
}

/// Words for people, at most so many characters: folded to one width, not empty.
pub(crate) struct Words(pub(crate) usize);

impl Shape for Words {
    type Value = String;

    fn read(&self, slot: &Slot<'_>) -> Option<String> {
        slot.words(self.0)
    }

    fn schema(&self) -> AnySchema {
        let text = ObjectBuilder::new().schema_type(string());
        text.min_length(Some(1)).max_length(Some(self.0)).into()
    }
}

/// Text of so many characters, as sent.
pub(crate) struct Text(pub(crate) RangeInclusive<usize>);

impl Shape for Text {
    type Value = String;

    fn read(&self, slot: &Slot<'_>) -> Option<String> {
        let text = slot.text(*self.0.end())?;
        if text.chars().count() < *self.0.start() {
            return slot.wrong("empty", "不能为空", "it may not be empty");
        }
        Some(text.to_owned())
    }

    fn schema(&self) -> AnySchema {
        let least = Some(*self.0.start()).filter(|least| *least > 0);
        let text = ObjectBuilder::new().schema_type(string());
        text.min_length(least).max_length(Some(*self.0.end())).into()
    }
}

/// Text of a pattern, and what it is read as.
pub(crate) struct Pattern<T = String> {
    pub(crate) longest: usize,
    /// As the document has it.
    pub(crate) pattern: &'static str,
    /// As the reader has it.
    pub(crate) parse: fn(&str) -> Option<T>,
    pub(crate) zh: &'static str,
    pub(crate) en: &'static str,
}

/// A category of goods.
pub(crate) const CATEGORY: Pattern = Pattern {
    longest: field_limits::CATEGORY,
    pattern: "^[a-z0-9_]{1,40}$",
    parse: |text| {
        let known = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        let fits = !text.is_empty() && text.bytes().all(known);
        fits.then(|| text.to_owned())
    },
    zh: "品类由小写字母、数字和下划线组成",
    en: "a category is lower-case letters, digits and underscores",
};

impl<T> Shape for Pattern<T> {
    type Value = T;

    fn read(&self, slot: &Slot<'_>) -> Option<T> {
        (self.parse)(slot.text(self.longest)?).or_else(|| slot.wrong("form", self.zh, self.en))
    }

    fn schema(&self) -> AnySchema {
        let text = ObjectBuilder::new().schema_type(string());
        text.pattern(Some(self.pattern))
            .max_length(Some(self.longest))
            .into()
    }
}

/// An identifier with a grammar of its own, which may be longer than most.
pub(crate) struct Parsed<T> {
    pub(crate) lengths: RangeInclusive<usize>,
    pub(crate) parse: fn(&str) -> Result<T, IdentifierError>,
}

impl<T> Shape for Parsed<T> {
    type Value = T;

    fn read(&self, slot: &Slot<'_>) -> Option<T> {
        slot.parse_within(*self.lengths.end(), self.parse)
    }

    fn schema(&self) -> AnySchema {
        Text(self.lengths.clone()).schema()
    }
}

/// A whole number within bounds.
pub(crate) struct Whole<T> {
    bounds: RangeInclusive<u32>,
    of: PhantomData<T>,
}

impl<T> Whole<T> {
    pub(crate) fn new(bounds: RangeInclusive<u32>) -> Whole<T> {
        Whole {
            bounds,
            of: PhantomData,
        }
    }
}

impl<T: TryFrom<u32>> Shape for Whole<T> {
    type Value = T;

    fn read(&self, slot: &Slot<'_>) -> Option<T> {
        let number = slot.whole(*self.bounds.start(), *self.bounds.end())?;
        T::try_from(number).ok()
    }

    fn schema(&self) -> AnySchema {
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::Integer))
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
            .minimum(Some(*self.bounds.start()))
            .maximum(Some(*self.bounds.end()))
            .into()
    }
}

/// More money than nothing.
pub(crate) struct Positive;

impl Shape for Positive {
    type Value = Fen;

    fn read(&self, slot: &Slot<'_>) -> Option<Fen> {
        slot.positive_money()
    }

    fn schema(&self) -> AnySchema {
        Fen::schema()
    }

    fn name(&self) -> Option<&'static str> {
        Fen::NAME
    }
}

/// A day of the years 2000 to 2999.
pub(crate) struct Day;

impl Shape for Day {
    type Value = NaiveDate;

    fn read(&self, slot: &Slot<'_>) -> Option<NaiveDate> {
        let date = slot.date()?;
        if (2000..=2999).contains(&date.year()) {
            Some(date)
        } else {
            slot.wrong(
                "date",
                "须在 2000 年至 2999 年之间",
                "it is of the years 2000 to 2999",
            )
        }
    }

    fn schema(&self) -> AnySchema {
        NaiveDate::schema()
    }
}

/// A list of so many items.
pub(crate) struct List<S> {
    bounds: RangeInclusive<usize>,
    item: S,
}

impl<S: Shape> List<S> {
    pub(crate) fn new(bounds: RangeInclusive<usize>, item: S) -> List<S> {
        List { bounds, item }
    }
}

impl<S: Shape> Shape for List<S> {
    type Value = Vec<S::Value>;

    fn read(&self, slot: &Slot<'_>) -> Option<Vec<S::Value>> {
        slot.list(*self.bounds.start(), *self.bounds.end(), |item| {
            self.item.read(item)
        })
    }

    fn schema(&self) -> AnySchema {
        let least = Some(*self.bounds.start()).filter(|least| *least > 0);
        let list = ArrayBuilder::new()
            .items(self.item.reference())
            .min_items(least)
            .max_items(Some(*self.bounds.end()));
        RefOr::T(Schema::Array(list.build()))
    }

    fn components(&self, found: &mut Components) {
        self.item.components(found);
        if let Some(name) = self.item.name() {
            found.push((name.to_owned(), self.item.schema()));
        }
    }
}
