//! `#[derive(WireBody)]`, `#[derive(WireQuery)]` and `#[derive(WirePath)]`: one declaration of what
//! a request has.
//!
//! The declaration is a struct whose fields are domain types. From it come the reader, which
//! reports every fault at once with its JSON pointer and repeats no value, and the schema of the
//! OpenAPI document. Both take the bounds from the same expression, so that the document cannot
//! promise what the reader refuses. The traits that the derives implement, and the shapes that
//! fields may have, stand in `api::http::wire`; this crate is for `api` alone.
//!
//! ```text
//! /// Money given to a fund by an official document.
//! #[derive(WireBody)]
//! #[wire(name = "Appropriate")]
//! struct Appropriate {
//!     source: Source,              // a type with a form of its own
//!     #[wire(Positive)]            // a shape: how the field is read, and its schema
//!     amount: Fen,
//!     #[wire(Words(DOCUMENT), example = "晋财建〔2026〕12号")]
//!     document: String,
//!     #[wire(Words(REASON))]
//!     reason: Option<String>,      // may be left out
//! }
//! ```
//!
//! On a field:
//!
//! * a shape, if the type has none of its own or another one is wanted;
//! * `example = …` and `name = "…"`, if it is not the field's;
//! * `what = "…"`: what a part of a path names, if it is not what the whole path names;
//! * `items = 1..=1000`: how many a `Vec` has;
//! * `default` or `default = …`: what it is when it is left out;
//! * `flatten` or `flatten = Form`: the fields of another declaration stand among these.
//!
//! On a type:
//!
//! * `name = "…"`: its name in the document;
//! * `what = "…"`: what a path names, for the answer that there is none;
//! * `long`: a long body; `may_be_empty`: an empty body is `{}`;
//! * `check(a, b)`: a function `check(&A, &B, &Fields) -> Option<()>` judges two fields by each
//!   other. It is called when these are well-formed, whatever is wrong with the others, so that one
//!   answer has all faults;
//! * `into = Type`: a struct with the same fields is built in its stead; with `value = Type` if
//!   that is a variant;
//! * `refine = Type`: a method `refine(self, &Fields) -> Option<Type>`, called when every field is
//!   well-formed. If it refuses something, its fields stand in a group of their own (`flatten`);
//! * `tag = "…"` with `value = Type`: on an enum whose variants hold the forms.

mod attributes;
mod body;
mod fields;
mod tagged;

use proc_macro::TokenStream;
use syn::{Data, DeriveInput, parse_macro_input};

/// A JSON object of a request: `Object`, `Field`, `Wire` and utoipa's `ToSchema`.
#[proc_macro_derive(WireBody, attributes(wire))]
pub fn wire_body(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let output = match &input.data {
        Data::Enum(data) => tagged::derive(&input, data),
        _ => body::derive(&input, body::Kind::Body),
    };
    output.unwrap_or_else(syn::Error::into_compile_error).into()
}

/// The parameters of a query: `Object` and `Params`.
#[proc_macro_derive(WireQuery, attributes(wire))]
pub fn wire_query(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let output = body::derive(&input, body::Kind::Query);
    output.unwrap_or_else(syn::Error::into_compile_error).into()
}

/// The parts of a path: `Object` and `PathParts`.
#[proc_macro_derive(WirePath, attributes(wire))]
pub fn wire_path(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let output = body::derive(&input, body::Kind::Path);
    output.unwrap_or_else(syn::Error::into_compile_error).into()
}
