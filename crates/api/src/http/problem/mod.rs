//! What went wrong, as HTTP says it: RFC 9457 `application/problem+json`.
//!
//! [`Problem`] is the only way from an error to an answer. Extractors and handlers return it, the
//! frame around every request renders it in the caller's language with the request's id, and
//! whatever actix or a library answers on its own account is replaced by the problem of its status.
//! So no error leaves without code, hint and id, and none says more than it should: the text of an
//! internal error goes to the log, never to the caller, and no text repeats a value that was sent.

mod kind;
mod markdown;
mod render;

use std::fmt;

use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use service::{FieldError, Refusal, ServiceError};

pub use kind::Kind;
pub use markdown::problems_markdown;
pub use render::{FieldErrorView, ProblemView};

/// Everything that an operation may answer instead of its result.
#[derive(Debug, Clone)]
pub enum Problem {
    /// A use case refused.
    Refused(Refusal),
    /// Line and column count from 1. The reader's own message may quote the body and is dropped.
    MalformedJson {
        line: usize,
        column: usize,
    },
    /// The body is cut off, not UTF-8, or its header line is wrong.
    MalformedBody(FieldError),
    InvalidParameter(Vec<FieldError>),
    IdempotencyKeyRequired,
    UnsupportedGrantType,
    NoSuchPath,
    /// The methods that the path does take.
    MethodNotAllowed(Vec<String>),
    BodyTooLarge {
        limit: usize,
    },
    UriTooLong {
        limit: usize,
    },
    /// The media types that the operation takes.
    UnsupportedMediaType(&'static [&'static str]),
    /// An atomic batch; each pointer starts with its line.
    BulkRefused(Vec<FieldError>),
    IfMatchRequired,
    /// A bug. The text is for the log.
    Internal(String),
    /// The text is for the log.
    Unavailable(String),
    /// Answered by the framework or a library with a bare status.
    Bare(StatusCode),
}

/// Seconds after which it is worth trying again when the database is away.
const UNAVAILABLE_RETRY_S: u64 = 2;

impl Problem {
    pub fn kind(&self) -> Kind {
        match self {
            Problem::Refused(refusal) => kind_of(refusal),
            Problem::MalformedJson { .. } => Kind::MalformedJson,
            Problem::MalformedBody(_) => Kind::MalformedBody,
            Problem::InvalidParameter(_) => Kind::InvalidParameter,
            Problem::IdempotencyKeyRequired => Kind::IdempotencyKeyRequired,
            Problem::UnsupportedGrantType => Kind::UnsupportedGrantType,
            Problem::NoSuchPath => Kind::NoSuchPath,
            Problem::MethodNotAllowed(_) => Kind::MethodNotAllowed,
            Problem::BodyTooLarge { .. } => Kind::BodyTooLarge,
            Problem::UriTooLong { .. } => Kind::UriTooLong,
            Problem::UnsupportedMediaType(_) => Kind::UnsupportedMediaType,
            Problem::BulkRefused(_) => Kind::BulkRefused,
            Problem::IfMatchRequired => Kind::IfMatchRequired,
            Problem::Internal(_) => Kind::Internal,
            Problem::Unavailable(_) => Kind::Unavailable,
            Problem::Bare(status) => Kind::of_status(*status),
        }
    }

    /// The fields that are wrong.
    pub fn errors(&self) -> &[FieldError] {
        match self {
            Problem::Refused(Refusal::Invalid(errors))
            | Problem::InvalidParameter(errors)
            | Problem::BulkRefused(errors) => errors,
            Problem::MalformedBody(error) => std::slice::from_ref(error),
            _ => &[],
        }
    }

    /// Seconds for `Retry-After`.
    pub fn retry_after_s(&self) -> Option<u64> {
        match self {
            Problem::Refused(Refusal::Throttled { retry_after_s }) => Some(*retry_after_s),
            Problem::Unavailable(_) => Some(UNAVAILABLE_RETRY_S),
            Problem::Bare(StatusCode::SERVICE_UNAVAILABLE) => Some(UNAVAILABLE_RETRY_S),
            _ => None,
        }
    }

    /// One wrong query parameter.
    pub fn query(name: &str, code: &str, zh: &str, en: &str) -> Problem {
        Problem::InvalidParameter(vec![FieldError::new(format!("/query/{name}"), code, zh, en)])
    }

    /// One wrong header.
    pub fn header(name: &str, code: &str, zh: &str, en: &str) -> Problem {
        Problem::InvalidParameter(vec![FieldError::new(format!("/header/{name}"), code, zh, en)])
    }

    pub fn not_found(what: &'static str) -> Problem {
        Problem::Refused(Refusal::NotFound(what))
    }
}

fn kind_of(refusal: &Refusal) -> Kind {
    match refusal {
        Refusal::BadCredentials => Kind::InvalidClient,
        Refusal::BadToken => Kind::Unauthenticated,
        Refusal::Forbidden { .. } => Kind::Forbidden,
        Refusal::OtherJurisdiction => Kind::OtherJurisdiction,
        Refusal::NotFound(_) => Kind::NotFound,
        Refusal::Invalid(_) => Kind::Invalid,
        Refusal::IdempotencyKeyReused => Kind::IdempotencyKeyReused,
        Refusal::OutOfTurn { .. } => Kind::OutOfTurn,
        Refusal::Settled { .. } => Kind::Settled,
        Refusal::FourEyes => Kind::FourEyes,
        Refusal::Stale { .. } => Kind::Stale,
        Refusal::ReasonRequired => Kind::ReasonRequired,
        Refusal::CapBelowCommitted { .. } => Kind::CapBelowCommitted,
        Refusal::DocumentUsed => Kind::DocumentUsed,
        Refusal::NothingPayable => Kind::NothingPayable,
        Refusal::Held { .. } | Refusal::AdvanceHeld => Kind::Held,
        Refusal::AccountMissing(_) => Kind::AccountMissing,
        Refusal::ResultContradicts => Kind::ResultContradicts,
        Refusal::AmountDiffers => Kind::AmountDiffers,
        Refusal::NotReleased => Kind::NotReleased,
        Refusal::StatusUnclear => Kind::StatusUnclear,
        Refusal::ReportUnreadable { .. } => Kind::ReportUnreadable,
        Refusal::BankMayHaveIt => Kind::BankMayHaveIt,
        Refusal::LimitReached { .. } => Kind::LimitReached,
        Refusal::WebhooksOff => Kind::WebhooksOff,
        Refusal::NotCovered => Kind::NotCovered,
        Refusal::PeriodOpen { .. } => Kind::PeriodOpen,
        Refusal::Cosignature(_) => Kind::Cosignature,
        Refusal::TooMany { .. } => Kind::TooMany,
        Refusal::Throttled { .. } => Kind::Throttled,
    }
}

/// For the log: the kind, and the text of what only the operator may see.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Internal(text) | Problem::Unavailable(text) => {
                write!(f, "{}: {text}", self.kind().code())
            }
            _ => f.write_str(self.kind().code()),
        }
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.kind().status()
    }

    /// The status alone: the frame, which knows the language and the request's id, writes the rest.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        Problem::Refused(refusal)
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Problem {
        match error {
            ServiceError::Refused(refusal) => Problem::Refused(refusal),
            ServiceError::Store(error) if error.is_transient() => Problem::Unavailable(error.to_string()),
            ServiceError::Busy => Problem::Unavailable(error.to_string()),
            ServiceError::Store(error) => Problem::Internal(error.to_string()),
            ServiceError::Bug(what) => Problem::Internal(what),
        }
    }
}

impl From<PayloadError> for Problem {
    fn from(error: PayloadError) -> Problem {
        match error {
            PayloadError::Overflow => Problem::Bare(StatusCode::PAYLOAD_TOO_LARGE),
            _ => Problem::MalformedBody(FieldError::new(
                "",
                "body.incomplete",
                "请求体未完整收到",
                "the body did not arrive whole",
            )),
        }
    }
}

#[cfg(test)]
mod tests;
