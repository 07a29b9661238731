//! What an operation is: its route, and its part of the OpenAPI document, from one statement.
//!
//! A handler with `#[operation(…)]` has an [`Operation`] beside it. The attribute holds the method,
//! the path, the tag and the texts; everything else is said by the types of the handler's arguments
//! ([`Argument`]) and of its result ([`Outcome`]), each in the file that has the type. So the
//! document cannot say of a right, a parameter, a body or an answer what the handler does not do:
//! there is no second place that says it.
//!
//! Each wing has one list of its operations, made with [`operations!`]. The router and the document
//! read the same lists.

mod document;

use actix_web::{HttpRequest, HttpResponse, Route, web};
use utoipa::ToSchema;

pub(crate) use document::{Contract, Schemas, document, without_null};

/// An operation of the API. `#[operation]` writes it; nothing else does.
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    /// The handler's name.
    pub(crate) id: &'static str,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) tag: Tag,
    /// In Chinese and English.
    pub(crate) summary: &'static str,
    /// May be empty.
    pub(crate) description: &'static str,
    pub(crate) body: Option<Content>,
    pub(crate) answer: Content,
    /// Text of the header `Location`, if it is not the usual one.
    pub(crate) location: Option<&'static str>,
    /// Text of the header `ETag`, if it is not the usual one.
    pub(crate) etag: Option<&'static str>,
    /// Further headers of the answer, with their texts.
    pub(crate) headers: &'static [(&'static str, &'static str)],
    /// Statuses of problems that do not follow from the signature.
    pub(crate) problems: &'static [u16],
    pub(crate) route: fn() -> Route,
    /// Lets the types of the handler's signature say what they add to the contract.
    pub(crate) describe: fn(&mut Contract<'_>),
}

/// What a body or an answer is.
#[derive(Clone, Copy)]
pub(crate) struct Content {
    pub(crate) text: &'static str,
    /// The schema of each media type, where no type of the signature has it.
    pub(crate) media: &'static [(&'static str, Schema)],
}

/// Writes a schema's reference, and what it refers to.
pub(crate) type Schema = fn(&mut Schemas) -> serde_json::Value;

/// The operations of a wing.
macro_rules! operations {
    ($($operation:ty),* $(,)?) => {
        &[$(<$operation>::OPERATION),*]
    };
}
pub(crate) use operations;

/// A method that the API serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Put,
    Delete,
}

impl Method {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
        }
    }

    pub(crate) fn route(self) -> Route {
        match self {
            Method::Get => web::get(),
            Method::Post => web::post(),
            Method::Put => web::put(),
            Method::Delete => web::delete(),
        }
    }
}

macro_rules! tags {
    ($($name:ident $word:literal $text:literal;)*) => {
        /// A chapter of the document.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Tag { $($name),* }

        impl Tag {
            /// In the document's order.
            pub(crate) const ALL: &[Tag] = &[$(Tag::$name),*];

            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Tag::$name => $word),* }
            }

            pub(crate) fn text(self) -> &'static str {
                match self { $(Tag::$name => $text),* }
            }
        }
    };
}

tags! {
    Access "access" "令牌 · Tokens";
    Claims "claims" "申领 · Claims";
    Review "review" "审核与批准 · Review and approval";
    Funds "funds" "资金与上限 · Funds and caps";
    Disbursements "disbursements" "拨付 · Disbursements";
    Payments "payments" "支付 · Payments, holds, advances and statements";
    Accounts "accounts" "账户 · Accounts of payees and counties";
    Webhooks "webhooks" "通知 · Webhooks of merchants";
    Ledgers "ledgers" "账簿 · Ledgers";
    Transparency "transparency" "透明日志 · Transparency log";
    Programmes "programmes" "补贴项目 · Programmes";
    Registers "registers" "登记库 · Registers";
    Public "public" "公示 · For anybody";
    Operations "operations" "运行 · Operations";
}

/// A type of a handler's argument: what it reads from a request, said to the document.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what it reads from a request",
    label = "not an argument of an operation",
    note = "implement `Argument` beside its `FromRequest`"
)]
pub(crate) trait Argument {
    /// 1 for the argument that authenticates the caller and asks for a right.
    const RIGHTS: usize = 0;
    /// 1 for an argument that reads the body.
    const BODIES: usize = 0;

    fn describe(contract: &mut Contract<'_>);
}

/// What the service gives to a handler, and what a handler reads itself, says nothing.
macro_rules! silent {
    ($($argument:ty),*) => {
        $(impl Argument for $argument {
            fn describe(_: &mut Contract<'_>) {}
        })*
    };
}
silent!(crate::http::state::ApiState, HttpRequest, web::Payload);

/// A type of a handler's result: which answer it is when all went well.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what it answers",
    label = "not a result of an operation",
    note = "a handler returns an `Answer<…>`"
)]
pub(crate) trait Outcome {
    /// Whether the type has the body's schema. If not, the attribute has it.
    const TYPED: bool;
    /// Whether the answer has these headers.
    const LOCATION: bool = false;
    const ETAG: bool = false;

    fn describe(contract: &mut Contract<'_>);
}

impl<T: Outcome> Outcome for Result<T, crate::http::problem::Problem> {
    const TYPED: bool = T::TYPED;
    const LOCATION: bool = T::LOCATION;
    const ETAG: bool = T::ETAG;

    fn describe(contract: &mut Contract<'_>) {
        T::describe(contract);
    }
}

/// An answer of bytes; its media types stand in the attribute.
impl Outcome for HttpResponse {
    const TYPED: bool = false;

    fn describe(contract: &mut Contract<'_>) {
        let media = contract.operation().answer.media;
        contract.answer(200, media, &[]);
    }
}

/// What a body may be: a type with a schema of its own, or one of the forms below.
pub(crate) trait Media {
    fn schema(schemas: &mut Schemas) -> serde_json::Value;
}

impl<T: ToSchema> Media for T {
    fn schema(schemas: &mut Schemas) -> serde_json::Value {
        schemas.refer::<T>()
    }
}

macro_rules! forms {
    ($($(#[$doc:meta])* $name:ident $schema:tt)*) => {
        $(
            $(#[$doc])*
            pub(crate) enum $name {}

            impl Media for $name {
                fn schema(_: &mut Schemas) -> serde_json::Value {
                    serde_json::json!($schema)
                }
            }
        )*
    };
}

forms! {
    /// Text of another grammar than JSON.
    Text { "type": "string" }
    /// Bytes.
    Binary { "type": "array", "items": { "type": "integer", "format": "int32", "minimum": 0 } }
    /// A JSON object that another page describes.
    Object { "type": "object" }
    /// A JSON object whose fields have any name.
    AnyFields { "type": "object", "propertyNames": { "type": "string" }, "additionalProperties": {} }
}
