//! `#[operation]`: one attribute states an operation of the API.
//!
//! ```text
//! /// 复核拨款 · Check an appropriation
//! ///
//! /// By another person than the one who entered it.
//! #[operation(
//!     post "/v1/appropriations/{id}/decision",
//!     tag = Funds,
//!     body = "The verdict.",
//!     answer = "Approved or refused."
//! )]
//! pub(crate) async fn check_appropriation(
//!     api: ApiState,
//!     caller: Authenticated<ManageFunds>,
//!     id: PathId<AppropriationId>,
//!     body: Body<Check>,
//! ) -> Answer<Json<AppropriationView>> { … }
//! ```
//!
//! The attribute holds what no type can say: method, path, tag and the texts. The rest follows from the signature, so
//! that it is stated once: the operation's id is the function's name, its right and roles are the parameter of
//! `Authenticated`, and parameters, body, answer and the problems that an operation can answer come from the types of
//! its arguments and its result (`Argument` and `Outcome` in `api::http::contract`).
//!
//! The function stays as it is written. Beside it comes a type of the same name with one constant, `OPERATION`, that
//! `operations!` collects: the router and the OpenAPI document are both made from that list. An operation that no list
//! names is dead code, which the compiler reports.
//!
//! | in the attribute | meaning |
//! |---|---|
//! | `get`, `post`, `put`, `delete` with the path | first; parameters in braces |
//! | `tag = Funds` | a variant of `Tag` |
//! | `body = "…"` | what the body is, when an argument reads it |
//! | `body("…", "text/csv" = Text, …)` | the same when the handler reads the body itself: a schema for each media type |
//! | `answer = "…"` | what the answer is, when the result's type has its schema |
//! | `answer("…", "text/csv" = Text, …)` | the same for an answer of bytes |
//! | `location = "…"`, `etag = "…"` | texts for these headers in place of the usual ones |
//! | `headers("X-Parts" = "…", …)` | further headers of the answer |
//! | `problems(409, …)` | statuses of problems that do not follow from the signature |
//! | `wrap = Compress::default()` | a middleware around this operation |
//! | `open` | there is no right: anybody may call |
//!
//! Checked when it is compiled: an operation takes exactly one `Authenticated<Right>` or is `open`; a body has its text
//! and a text its body; an answer has exactly one schema; the summary has both languages.

mod attribute;
mod doc;
mod expand;

use proc_macro::TokenStream;

/// Makes a handler an operation of the API. The module's documentation has the arguments.
#[proc_macro_attribute]
pub fn operation(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand::operation(attribute.into(), item.into()).into()
}
