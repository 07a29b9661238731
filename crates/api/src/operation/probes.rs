//! What keeps the service running and understood: health, metrics, the OpenAPI document and its
//! pages, problems.

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, get};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::http::answer::{Answer, ok};
use crate::http::extract::documented::ProblemPath;
use crate::http::extract::{Part, PathText};
use crate::http::middleware::Context;
use crate::http::problem::{Kind, Problem};
use crate::http::state::ApiState;

/// 存活 · Whether the process is up
#[utoipa::path(
    tag = "operations",
    responses((status = 200, description = "It is up.", body = Health)),
    security(()),
)]
#[get("/healthz")]
pub(crate) async fn healthz() -> Answer {
    ok(&Health { status: "ok" })
}

/// 就绪 · Whether the service can do its work
///
/// The database answers and has every migration; otherwise 503.
#[utoipa::path(
    tag = "operations",
    responses((status = 200, description = "It is ready.", body = Health)),
    security(()),
)]
#[get("/readyz")]
pub(crate) async fn readyz(api: ApiState) -> Answer {
    api.service
        .ready()
        .await
        .map_err(|reason| Problem::Unavailable(reason.to_string()))?;
    ok(&Health { status: "ready" })
}

/// 指标 · Get the metrics
///
/// In the text format of Prometheus.
#[utoipa::path(
    tag = "operations",
    responses((status = 200, description = "The metrics.", body = String, content_type = "text/plain")),
    security(()),
)]
#[get("/metrics")]
pub(crate) async fn metrics(api: ApiState) -> Answer {
    Ok(HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body((api.metrics)()))
}

/// 接口文档 · Get this document
#[utoipa::path(
    tag = "operations",
    responses((status = 200, description = "OpenAPI 3.1.", body = std::collections::HashMap<String, serde_json::Value>,
        headers(("ETag" = String, description = "Changes with the document."))),
        (status = 304, description = "Nothing changed since the ETag in If-None-Match.")),
    security(()),
)]
#[get("/openapi.json")]
pub(crate) async fn openapi_document(api: ApiState, request: HttpRequest) -> Answer {
    let published = &api.published;
    let known = request
        .headers()
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    let unchanged = known.is_some_and(|known| known.split(',').any(|tag| tag.trim() == published.etag));
    let mut answer = if unchanged {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    answer.insert_header((header::ETAG, published.etag.as_str()));
    answer.insert_header((header::CACHE_CONTROL, "no-cache"));
    Ok(if unchanged {
        answer.finish()
    } else {
        answer
            .content_type("application/json")
            .body(published.openapi.clone())
    })
}

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
#[utoipa::path(
    tag = "operations",
    params(ProblemPath),
    responses((status = 200, description = "What it means and what to do.", body = ProblemPage)),
    security(()),
)]
#[get("/problems/{code}")]
pub(crate) async fn explain_problem(request: HttpRequest, path: PathText) -> Answer {
    let kind = path.parse(Part::Code, "problem", Kind::of_code)?;
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

/// What no operation answers: `/docs` without its slash, an unknown path, or a known path with a method it does not take.
pub(crate) async fn fallback(api: ApiState, request: HttpRequest) -> Answer {
    if request.path() == "/docs" && request.method() == Method::GET {
        return Ok(HttpResponse::PermanentRedirect()
            .insert_header((header::LOCATION, "/docs/"))
            .finish());
    }
    let mut methods = api.published.allowed(request.path());
    if methods.is_empty() {
        return Err(Problem::NoSuchPath);
    }
    if methods.iter().any(|method| method == "GET") {
        methods.push("HEAD".into());
    }
    methods.sort();
    Err(Problem::MethodNotAllowed(methods))
}

/// That the service is up.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Health {
    #[schema(max_length = 5, example = "ok")]
    pub status: &'static str,
}
