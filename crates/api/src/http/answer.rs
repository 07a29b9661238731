//! The forms that answers take.

use std::marker::PhantomData;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, Responder};
use policy::Lang;
use serde::Serialize;
use service::{Refusal, ServiceError};
use utoipa::ToSchema;

use crate::http::contract::{Contract, Media, Method, Outcome};
use crate::http::problem::Problem;
use crate::http::views::{ItemResultView, ResultsView};

/// What a handler answers: by its type the status, the headers and the schema of the body that the OpenAPI document has.
/// Without a type it is bytes, whose media types the operation states.
pub(crate) type Answer<T = HttpResponse> = Result<T, Problem>;

/// 200 with a body.
pub(crate) type Json<T> = Reply<Plain, T>;

/// 200 with a body and, as a rule, its ETag.
pub(crate) type Tagged<T> = Reply<WithTag, T>;

/// 201 with the address of what was created.
pub(crate) type Created<T> = Reply<New, T>;

/// 201 with the address of what was created and its ETag.
pub(crate) type CreatedTagged<T> = Reply<NewWithTag, T>;

/// 200 with an ETag, or 304 for a caller who has the body already.
pub(crate) type Conditional<T> = Reply<Cacheable, T>;

/// An answer in a form `F`, whose body has the schema of `T`.
#[derive(Debug)]
pub(crate) struct Reply<F, T> {
    response: HttpResponse,
    of: PhantomData<fn() -> (F, T)>,
}

/// 204.
#[derive(Debug)]
pub(crate) struct NoContent;

/// What the answers of a form have beside their body.
pub(crate) trait Form {
    const STATUS: StatusCode = StatusCode::OK;
    const LOCATION: bool = false;
    const ETAG: bool = false;
    /// Whether it may be 304 instead.
    const CONDITIONAL: bool = false;
}

#[derive(Debug)]
pub(crate) enum Plain {}

#[derive(Debug)]
pub(crate) enum WithTag {}

#[derive(Debug)]
pub(crate) enum New {}

#[derive(Debug)]
pub(crate) enum NewWithTag {}

#[derive(Debug)]
pub(crate) enum Cacheable {}

impl Form for Plain {}

impl Form for WithTag {
    const ETAG: bool = true;
}

impl Form for New {
    const STATUS: StatusCode = StatusCode::CREATED;
    const LOCATION: bool = true;
}

impl Form for NewWithTag {
    const STATUS: StatusCode = StatusCode::CREATED;
    const LOCATION: bool = true;
    const ETAG: bool = true;
}

impl Form for Cacheable {
    const ETAG: bool = true;
    const CONDITIONAL: bool = true;
}

impl<F: Form, T> Reply<F, T> {
    fn of(mut response: HttpResponseBuilder, body: &impl Serialize) -> Answer<Self> {
        let text = serde_json::to_string(body).map_err(|error| Problem::Internal(error.to_string()))?;
        response.status(F::STATUS).content_type("application/json");
        Ok(Reply::from(response.body(text)))
    }

    /// With one more header.
    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.response.headers_mut().insert(name, value);
        self
    }
}

impl<F, T> From<HttpResponse> for Reply<F, T> {
    fn from(response: HttpResponse) -> Self {
        Reply {
            response,
            of: PhantomData,
        }
    }
}

/// For an operation that answers bytes in another form as well.
impl<F, T> From<Reply<F, T>> for HttpResponse {
    fn from(reply: Reply<F, T>) -> Self {
        reply.response
    }
}

impl<F, T> Responder for Reply<F, T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.response
    }
}

impl<F: Form, T: Media> Outcome for Reply<F, T> {
    const TYPED: bool = true;
    const LOCATION: bool = F::LOCATION;
    const ETAG: bool = F::ETAG;

    fn describe(contract: &mut Contract<'_>) {
        let operation = contract.operation();
        let updates = F::STATUS == StatusCode::OK && operation.method != Method::Get;
        let etag = if updates {
            "Its new revision."
        } else {
            "Its revision."
        };
        let location = operation.location.unwrap_or("Where to find it.");
        let etag = operation.etag.unwrap_or(etag);
        let mut headers = Vec::new();
        headers.extend(F::LOCATION.then_some(("Location", location)));
        headers.extend(F::ETAG.then_some(("ETag", etag)));
        contract.answer(F::STATUS.as_u16(), &[("application/json", T::schema)], &headers);
        if F::CONDITIONAL {
            contract.unmodified();
        }
    }
}

impl Responder for NoContent {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::NoContent().finish()
    }
}

impl Outcome for NoContent {
    const TYPED: bool = true;

    fn describe(contract: &mut Contract<'_>) {
        contract.answer(StatusCode::NO_CONTENT.as_u16(), &[], &[]);
    }
}

pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

const TRUE: HeaderValue = HeaderValue::from_static("true");

/// 200 with a body.
pub(crate) fn ok<T: Serialize>(body: &T) -> Answer<Json<T>> {
    Reply::of(HttpResponse::Ok(), body)
}

/// 200 with a body that is put together already and has the schema of `T`.
pub(crate) fn ok_as<T>(body: &serde_json::Value) -> Answer<Json<T>> {
    Reply::of(HttpResponse::Ok(), body)
}

/// 200 with a body and its ETag.
pub(crate) fn tagged<T: Serialize>(etag: &str, body: &T) -> Answer<Tagged<T>> {
    let mut response = HttpResponse::Ok();
    response.insert_header((header::ETAG, etag));
    Reply::of(response, body)
}

/// 200 with a body that has no ETag, since it is of the past.
pub(crate) fn untagged<T: Serialize>(body: &T) -> Answer<Tagged<T>> {
    Reply::of(HttpResponse::Ok(), body)
}

/// 200 for what was done now, or before under the same key.
pub(crate) fn again<T: Serialize>(etag: &str, replayed: bool, body: &T) -> Answer<Tagged<T>> {
    let answer = tagged(etag, body)?;
    Ok(if replayed {
        answer.with(REPLAYED, TRUE)
    } else {
        answer
    })
}

/// 201 with the address of what was created; a repeat of an earlier request says so.
pub(crate) fn created<T: Serialize>(location: &str, replayed: bool, body: &T) -> Answer<Created<T>> {
    Reply::of(new(location, replayed), body)
}

/// As [`created`], with the ETag of what was created.
pub(crate) fn created_tagged<T: Serialize>(
    location: &str,
    etag: &str,
    replayed: bool,
    body: &T,
) -> Answer<CreatedTagged<T>> {
    let mut response = new(location, replayed);
    response.insert_header((header::ETAG, etag));
    Reply::of(response, body)
}

fn new(location: &str, replayed: bool) -> HttpResponseBuilder {
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, location));
    if replayed {
        response.insert_header((REPLAYED, TRUE));
    }
    response
}

/// JSON that anybody may keep, asked for again by its ETag, a hash of its text: 200, or 304 without a body.
pub(crate) fn conditional<T>(
    request: &HttpRequest,
    etag: &str,
    cache_control: &'static str,
    text: impl FnOnce() -> Result<String, Problem>,
) -> Answer<Conditional<T>> {
    let known = request.headers().get(header::IF_NONE_MATCH);
    let known = known.and_then(|value| value.to_str().ok());
    let unchanged = known.is_some_and(|known| known.split(',').any(|tag| tag.trim() == etag));
    let mut response = if unchanged {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response.insert_header((header::ETAG, etag));
    response.insert_header((header::CACHE_CONTROL, cache_control));
    Ok(Reply::from(if unchanged {
        response.finish()
    } else {
        response.content_type("application/json").body(text()?)
    }))
}

/// A result for each of many.
pub(crate) fn results<S, T: Serialize + ToSchema>(
    results: Vec<Result<S, Refusal>>,
    lang: Lang,
    request_id: &str,
    view: impl Fn(S) -> T,
) -> Answer<Json<ResultsView<ItemResultView<T>>>> {
    let item = |result| match result {
        Ok(record) => ItemResultView {
            status: 200,
            item: Some(view(record)),
            problem: None,
        },
        Err(refusal) => {
            let problem = Problem::Refused(refusal).view(lang, request_id);
            ItemResultView {
                status: problem.status,
                item: None,
                problem: Some(problem),
            }
        }
    };
    ok(&ResultsView {
        items: results.into_iter().map(item).collect(),
    })
}

/// A list's page. A cursor that cannot be read is a wrong parameter, which the use case can only
/// call a wrong field.
pub(crate) fn paged<T>(page: Result<T, ServiceError>) -> Result<T, Problem> {
    page.map_err(|error| match Problem::from(error) {
        Problem::Refused(Refusal::Invalid(mut errors)) => {
            errors
                .iter_mut()
                .for_each(|error| error.pointer.insert_str(0, "/query"));
            Problem::InvalidParameter(errors)
        }
        other => other,
    })
}
