//! Closed lists of words: one list for the reader and the document.

use utoipa::openapi::ObjectBuilder;

use crate::http::wire::AnySchema;
use crate::http::wire::members::{said, string};

/// A type whose values are words.
pub(crate) trait Word: Copy {
    /// The words, in the order of the document.
    const WORDS: &'static [&'static str];

    fn word(self) -> &'static str;

    /// The inverse of `word`.
    fn of_word(text: &str) -> Option<Self>;
}

/// The schema of a list of words. The description comes by lines, as doc comments do.
pub(crate) fn word_schema(words: &[&'static str], description: &[&str]) -> AnySchema {
    let lines: Vec<_> = description.iter().map(|line| line.trim()).collect();
    ObjectBuilder::new()
        .schema_type(string())
        .description(said(&lines.join("\n")))
        .enum_values(Some(words.iter().copied()))
        .into()
}

/// Gives words to types. A doc comment is the description in the document.
///
/// ```text
/// pub enum Name { Value = "word" }               declares the type, by `words::words!`
/// domain::Type as "Name";                        a type that `words::words!` declares
/// domain::Type as "Name" { Value = "word" }      another type; each value needs a word
/// ```
macro_rules! request_words {
    () => {};
    (
        $(#[doc = $doc:literal])* $vis:vis enum $name:ident { $($variant:ident = $word:literal),+ $(,)? }
        $($rest:tt)*
    ) => {
        ::words::words! { $(#[doc = $doc])* $vis enum $name { $($variant = $word),+ } }
        $crate::http::wire::request_words!(@own $name);
        $crate::http::wire::request_words!(@field $name, stringify!($name), [$($doc),*]);
        $crate::http::wire::request_words! { $($rest)* }
    };
    ($(#[doc = $doc:literal])* $type:ty as $name:literal { $($variant:ident = $word:literal),+ $(,)? } $($rest:tt)*) => {
        $crate::http::wire::request_words!(@words $type { $($variant = $word),+ });
        $crate::http::wire::request_words!(@field $type, $name, [$($doc),*]);
        $crate::http::wire::request_words! { $($rest)* }
    };
    ($(#[doc = $doc:literal])* $type:ty as $name:literal; $($rest:tt)*) => {
        $crate::http::wire::request_words!(@own $type);
        $crate::http::wire::request_words!(@field $type, $name, [$($doc),*]);
        $crate::http::wire::request_words! { $($rest)* }
    };
    (@own $type:ty) => {
        impl $crate::http::wire::Word for $type {
            const WORDS: &'static [&'static str] = <$type>::WORDS;

            fn word(self) -> &'static str {
                self.as_str()
            }

            fn of_word(text: &str) -> Option<Self> {
                <$type>::parse(text)
            }
        }
    };
    (@words $type:ty { $($variant:ident = $word:literal),+ }) => {
        impl $crate::http::wire::Word for $type {
            const WORDS: &'static [&'static str] = &[$($word),+];

            fn word(self) -> &'static str {
                match self { $(<$type>::$variant => $word),+ }
            }

            fn of_word(text: &str) -> Option<Self> {
                match text { $($word => Some(<$type>::$variant),)+ _ => None }
            }
        }
    };
    (@field $type:ty, $name:expr, [$($doc:literal),*]) => {
        impl $crate::http::wire::Field for $type {
            type Value = $type;
            const NAME: Option<&'static str> = Some($name);

            fn read(slot: &$crate::http::fields::Slot<'_>) -> Option<$type> {
                slot.word(
                    <$type as $crate::http::wire::Word>::WORDS,
                    <$type as $crate::http::wire::Word>::of_word,
                )
            }

            fn schema() -> $crate::http::wire::AnySchema {
                $crate::http::wire::word_schema(<$type as $crate::http::wire::Word>::WORDS, &[$($doc),*])
            }
        }
    };
}
pub(crate) use request_words;
