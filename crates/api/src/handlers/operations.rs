//! What keeps the service running and understood: health, metrics, the OpenAPI document and its pages, problems.

use std::sync::OnceLock;

use actix_web::dev::ResourceDef;
use actix_web::http::Method;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::answer::{Answer, ok};
use crate::extract::{Part, PathText};
use crate::frame::Context;
use crate::openapi::{openapi_json, operations, params::ProblemPath};
use crate::problem::{Kind, Problem};
use crate::state::ApiState;
use crate::wire::views::Health;

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
pub(crate) async fn openapi_document(request: HttpRequest) -> Answer {
    static DOCUMENT: OnceLock<(String, String)> = OnceLock::new();
    let (text, etag) = DOCUMENT.get_or_init(|| {
        let text = openapi_json();
        let etag = format!("\"{}\"", hex::encode(Sha256::digest(text.as_bytes())));
        (text, etag)
    });
    let known = request
        .headers()
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    let unchanged = known.is_some_and(|known| known.split(',').any(|tag| tag.trim() == etag));
    let mut answer = if unchanged {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    answer.insert_header((header::ETAG, etag.as_str()));
    answer.insert_header((header::CACHE_CONTROL, "no-cache"));
    Ok(if unchanged {
        answer.finish()
    } else {
        answer.content_type("application/json").body(text.as_str())
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
pub(crate) async fn fallback(request: HttpRequest) -> Answer {
    if request.path() == "/docs" && request.method() == Method::GET {
        return Ok(HttpResponse::PermanentRedirect()
            .insert_header((header::LOCATION, "/docs/"))
            .finish());
    }
    let mut methods = allowed(request.path());
    if methods.is_empty() {
        return Err(Problem::NoSuchPath);
    }
    if methods.iter().any(|method| method == "GET") {
        methods.push("HEAD".into());
    }
    methods.sort();
    Err(Problem::MethodNotAllowed(methods))
}

/// The methods of a path, from the same document that the routes come from.
fn allowed(path: &str) -> Vec<String> {
    static ROUTES: OnceLock<Vec<(ResourceDef, Vec<String>)>> = OnceLock::new();
    let routes = ROUTES.get_or_init(|| {
        let route = |(pattern, methods): (String, Vec<String>)| (ResourceDef::new(pattern), methods);
        let pages = [
            ("/docs".to_owned(), vec!["GET".to_owned()]),
            ("/docs/{_:.*}".to_owned(), vec!["GET".to_owned()]),
        ];
        operations().into_iter().chain(pages).map(route).collect()
    });
    // A path that is written out, such as `/v1/claims/check`, is not also an id.
    let written = routes.iter().find(|(pattern, _)| pattern.pattern() == Some(path));
    let matching = routes.iter().filter(|(pattern, _)| pattern.is_match(path));
    let mut methods: Vec<String> = match written {
        Some((_, methods)) => methods.clone(),
        None => matching.flat_map(|(_, methods)| methods.clone()).collect(),
    };
    methods.sort();
    methods.dedup();
    methods
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_come_from_the_document() {
        assert_eq!(allowed("/v1/disbursements"), ["GET", "POST"]);
        assert_eq!(allowed("/v1/claims/check"), ["POST"]);
        assert_eq!(allowed("/v1/claims/clm_1/review"), ["POST"]);
        assert!(allowed("/v1/nothing").is_empty());
    }
}
