//! What surrounds every request: its id and language, its bounds, its measures, and the form of its
//! errors.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest};
use futures::FutureExt;
use policy::Lang;
use tracing_actix_web::RequestId;

use crate::http::lang;
use crate::http::problem::Problem;
use crate::http::state::ApiState;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What is known of a request before it is handled.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) lang: Lang,
    /// Whether it asks for a page of `/docs`, which has scripts and styles of its own.
    docs: bool,
    pub(crate) request_id: String,
}

impl Context {
    /// The context that [`handle`] put there.
    pub(crate) fn of(request: &HttpRequest) -> Context {
        let known = request.extensions().get::<Context>().cloned();
        known.unwrap_or(Context {
            lang: Lang::Zh,
            docs: false,
            request_id: String::new(),
        })
    }
}

/// The middleware. It is the only place that turns a [`Problem`] into bytes.
pub(crate) async fn handle(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let started = Instant::now();
    let context = Context {
        lang: lang::negotiate(text(request.headers(), &header::ACCEPT_LANGUAGE)),
        docs: request.path().starts_with("/docs/"),
        request_id: request_id(&request),
    };
    request.extensions_mut().insert(context.clone());
    // RFC 9110, 9.3.2: HEAD is GET without the body, which the encoder leaves out since it has seen
    // the real method.
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    let (method, pattern) = (request.method().clone(), request.match_pattern());
    let limit = request
        .app_data::<ApiState>()
        .map_or(usize::MAX, |state| state.limits.uri);
    if request
        .uri()
        .path_and_query()
        .is_some_and(|it| it.as_str().len() > limit)
    {
        let mut response = request.into_response(Problem::UriTooLong { limit }.respond_logged(&context));
        finish(response.headers_mut(), &context);
        return Ok(response);
    }
    // A bug in one handler must not close the connection of a client that pipelines others.
    let outcome = AssertUnwindSafe(next.call(request)).catch_unwind().await;
    let outcome = outcome.unwrap_or_else(|_| Err(Problem::Internal("a handler panicked".into()).into()));
    match outcome {
        Ok(response) => {
            let mut response = rendered(response.map_into_boxed_body(), &context);
            finish(response.headers_mut(), &context);
            measure(&method, pattern.as_deref(), response.status(), started);
            Ok(response)
        }
        Err(error) => {
            let mut answer = problem_of(&error).respond_logged(&context);
            finish(answer.headers_mut(), &context);
            measure(&method, pattern.as_deref(), answer.status(), started);
            Err(actix_web::error::InternalError::from_response("answered", answer).into())
        }
    }
}

/// An answer whose handler failed, or that a library gave with a bare status, as a problem.
fn rendered(response: ServiceResponse<BoxBody>, context: &Context) -> ServiceResponse<BoxBody> {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || is_problem(response.headers()) {
        return response;
    }
    let answer = match response.response().error() {
        Some(error) => problem_of(error).respond_logged(context),
        None => Problem::Bare(status).respond_logged(context),
    };
    response.into_response(answer)
}

fn is_problem(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|it| it.as_bytes().starts_with(b"application/problem+json"))
}

/// `/readyz` and the like answer an error with a body of their own only as a problem; anything else
/// is a library's.
fn problem_of(error: &actix_web::Error) -> std::borrow::Cow<'_, Problem> {
    match error.as_error::<Problem>() {
        Some(problem) => std::borrow::Cow::Borrowed(problem),
        None => std::borrow::Cow::Owned(Problem::Bare(error.as_response_error().status_code())),
    }
}

impl Problem {
    /// The answer; what only the operator may know goes to the log.
    fn respond_logged(&self, context: &Context) -> actix_web::HttpResponse {
        match self {
            Problem::Internal(_) => tracing::error!(request_id = context.request_id, "{self}"),
            Problem::Unavailable(_) => tracing::warn!(request_id = context.request_id, "{self}"),
            _ => {}
        }
        self.respond(context.lang, &context.request_id)
    }
}

/// Swagger UI brings its own scripts and styles; nothing comes from elsewhere.
const DOCS_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
);

/// Headers of every answer.
fn finish(headers: &mut HeaderMap, context: &Context) {
    if let Ok(id) = HeaderValue::from_str(&context.request_id) {
        headers.insert(X_REQUEST_ID, id);
    }
    if context.docs {
        headers.insert(header::CONTENT_SECURITY_POLICY, DOCS_POLICY);
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=3600"),
        );
    }
    let mut default = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    default(header::CACHE_CONTROL, "no-store");
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(header::REFERRER_POLICY, "no-referrer");
    default(header::X_FRAME_OPTIONS, "DENY");
    default(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    );
    default(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    headers.append(header::VARY, HeaderValue::from_static("accept-language"));
}

/// By pattern and status: ids in labels would make a series of every claim.
fn measure(method: &Method, pattern: Option<&str>, status: StatusCode, started: Instant) {
    let labels = [
        ("method", known_method(method).to_owned()),
        ("route", pattern.unwrap_or("unmatched").to_owned()),
        ("status", status.as_u16().to_string()),
    ];
    metrics::counter!("huanxin_http_requests_total", &labels).increment(1);
    metrics::histogram!("huanxin_http_request_duration_seconds", &labels).record(started.elapsed());
}

/// A method is free text: only those that are served become labels.
fn known_method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        _ => "other",
    }
}

/// The caller's id if it is sane, otherwise a new one.
pub(crate) fn request_id(request: &ServiceRequest) -> String {
    let sane = |id: &&str| (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    if let Some(id) = text(request.headers(), &X_REQUEST_ID).filter(sane) {
        return id.to_owned();
    }
    let id = request.extensions().get::<RequestId>().copied();
    id.map(|id| id.to_string()).unwrap_or_default()
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
