//! What a body, a query or a path is made of. Each part says in one place how it is read and what
//! the document says of it.
//!
//! * [`Field`]: a type that has one form wherever it stands, such as a county's code or a sum of
//!   money.
//! * [`Shape`]: a form with bounds of its own, such as words of at most 500 characters.
//! * [`Object`]: the fields of a body, the parameters of a query or the parts of a path.
//!   `#[derive(WireBody)]`, `#[derive(WireQuery)]` and `#[derive(WirePath)]` write it from a
//!   struct; the crate `wire-derive` says how.
//!
//! The reader and the schema take a bound from the same value. So the document cannot promise what
//! the reader refuses, nor hide what it takes.

mod members;
mod shapes;
mod types;
mod words;

use utoipa::openapi::{Ref, RefOr, Schema};

use crate::http::fields::{Fields, Slot};

pub(crate) use self::words::{Word, request_words, word_schema};
pub(crate) use members::{Members, described, one_of};
pub(crate) use shapes::{
    CATEGORY, Day, List, Of, Parsed, Pattern, Positive, Text, Whole, Words, form, shaped,
};

pub(crate) type AnySchema = RefOr<Schema>;

/// Schemas by name.
pub(crate) type Components = Vec<(String, AnySchema)>;

/// A type that has one form wherever it stands.
pub(crate) trait Field {
    /// What is read: the type itself, unless the type only declares a form of another one.
    type Value;

    /// Its name among the schemas of the document; none if it is written out where it stands.
    const NAME: Option<&'static str> = None;

    fn read(slot: &Slot<'_>) -> Option<Self::Value>;

    /// Its schema, written out.
    fn schema() -> AnySchema;

    /// The schemas that its own one refers to.
    fn components(_: &mut Components) {}
}

/// A kind of record that an id names.
pub trait Named {
    const WHAT: &'static str;
}

/// How a field is read, and what the document says of it.
pub(crate) trait Shape {
    type Value;

    fn read(&self, slot: &Slot<'_>) -> Option<Self::Value>;

    /// Its schema, written out.
    fn schema(&self) -> AnySchema;

    /// The name of its schema, if it has one.
    fn name(&self) -> Option<&'static str> {
        None
    }

    /// The schemas that its own one refers to.
    fn components(&self, _: &mut Components) {}

    /// Its schema as it stands in another one.
    fn reference(&self) -> AnySchema {
        match self.name() {
            Some(name) => Ref::from_schema_name(name).into(),
            None => self.schema(),
        }
    }
}

/// The fields of an object.
pub(crate) trait Object {
    /// What is read.
    type Value;

    /// The value, or `None` after every fault was reported.
    fn read(fields: &mut Fields<'_>) -> Option<Self::Value>;

    fn describe(members: &mut Members);
}

/// Reads a field that must be there.
pub(crate) fn required<S: Shape>(fields: &mut Fields<'_>, name: &'static str, shape: S) -> Option<S::Value> {
    fields.required(name, |slot| shape.read(slot))
}

/// Reads a field that may be absent: `Some(None)`.
pub(crate) fn optional<S: Shape>(
    fields: &mut Fields<'_>,
    name: &'static str,
    shape: S,
) -> Option<Option<S::Value>> {
    fields.optional(name, |slot| shape.read(slot))
}

#[cfg(test)]
mod tests;
