//! What keeps the service running and understood: health, metrics, the OpenAPI document and its
//! pages, problems.

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse};
use api_macros::operation;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_swagger_ui::{Config, SwaggerUi};
use wire_derive::WirePath;

use crate::http::answer::{Answer, Conditional, Json, conditional, ok};
use crate::http::contract::{AnyFields, Text};
use crate::http::extract::Path;
use crate::http::middleware::Context;
use crate::http::problem::{Kind, Problem};
use crate::http::state::ApiState;
use crate::http::wire::Pattern;

/// 存活 · Whether the process is up
#[operation(get "/healthz", tag = Operations, answer = "It is up.", open)]
pub(crate) async fn healthz() -> Answer<Json<Health>> {
    ok(&Health { status: "ok" })
}

/// 就绪 · Whether the service can do its work
///
/// The database answers and has every migration; otherwise 503.
#[operation(get "/readyz", tag = Operations, answer = "It is ready.", open)]
pub(crate) async fn readyz(api: ApiState) -> Answer<Json<Health>> {
    api.service
        .worker()
        .ready()
        .await
        .map_err(|reason| Problem::Unavailable(reason.to_string()))?;
    ok(&Health { status: "ready" })
}

/// 指标 · Get the metrics
///
/// In the text format of Prometheus.
#[operation(get "/metrics", tag = Operations, answer("The metrics.", "text/plain" = Text), open)]
pub(crate) async fn metrics(api: ApiState) -> Answer {
    Ok(HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body((api.metrics)()))
}

/// 接口文档 · Get this document
#[operation(
    get "/openapi.json",
    tag = Operations,
    answer = "OpenAPI 3.1.",
    etag = "Changes with the document.",
    open
)]
pub(crate) async fn openapi_document(api: ApiState, request: HttpRequest) -> Answer<Conditional<AnyFields>> {
    let published = &api.published;
    conditional(&request, &published.etag, "no-cache", || {
        Ok(published.openapi.clone())
    })
}

/// A code of a problem.
#[derive(Debug, WirePath)]
#[wire(what = "problem")]
pub(crate) struct ProblemPath {
    #[wire(CODE, example = "invalid")]
    code: Kind,
}

const CODE: Pattern<Kind> = Pattern {
    longest: 40,
    pattern: "^[a-z-]{1,40}$",
    parse: Kind::of_code,
    zh: "没有这一错误代码",
    en: "there is no such problem",
};

/// A kind of problem, explained.
#[derive(Debug, serde::Serialize, ToSchema)]
pub(crate) struct ProblemPage {
    #[schema(max_length = 40, example = "stale")]
    code: &'static str,
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// In the caller's language.
    #[schema(max_length = 200)]
    title: &'static str,
    /// What the caller does.
    #[schema(max_length = 400)]
    caller: &'static str,
    /// What the operator does.
    #[schema(max_length = 400)]
    operator: &'static str,
}

/// 错误说明 · Explain a problem
///
/// Where the `type` of every problem leads.
#[operation(
    get "/problems/{code}",
    tag = Operations,
    answer = "What it means and what to do.",
    open
)]
pub(crate) async fn explain_problem(
    request: HttpRequest,
    path: Path<ProblemPath>,
) -> Answer<Json<ProblemPage>> {
    let kind = path.0.code;
    let lang = Context::of(&request).lang;
    ok(&ProblemPage {
        code: kind.code(),
        status: kind.status().as_u16(),
        title: kind.title(lang),
        caller: kind.hint(lang),
        operator: kind.operator(),
    })
}

/// Swagger UI, from this binary: no other host is asked for anything.
pub(crate) fn docs() -> SwaggerUi {
    SwaggerUi::new("/docs/{_:.*}").config(Config::from("/openapi.json"))
}

/// What no operation answers: `/docs` without its slash, another method than GET there, or an unknown path.
pub(crate) async fn fallback(request: HttpRequest) -> Answer {
    let get = request.method() == Method::GET;
    match request.path() {
        "/docs" if get => Ok(HttpResponse::PermanentRedirect()
            .insert_header((header::LOCATION, "/docs/"))
            .finish()),
        path if !get && (path == "/docs" || path.starts_with("/docs/")) => {
            Err(Problem::MethodNotAllowed(vec!["GET".into(), "HEAD".into()]))
        }
        _ => Err(Problem::NoSuchPath),
    }
}

/// That the service is up.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Health {
    #[schema(max_length = 5, example = "ok")]
    pub status: &'static str,
}
