//! The forms that answers take.

use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use policy::Lang;
use serde::Serialize;
use service::{Refusal, ServiceError};
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::http::views::{ItemResultView, ResultsView};

pub(crate) type Answer = Result<HttpResponse, Problem>;

pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// 200 with a body.
pub(crate) fn ok(body: &impl Serialize) -> Answer {
    json(HttpResponse::Ok(), body)
}

/// 200 with a body and its ETag.
pub(crate) fn tagged(etag: &str, body: &impl Serialize) -> Answer {
    let mut response = HttpResponse::Ok();
    response.insert_header((header::ETAG, etag));
    json(response, body)
}

/// 200 for what was done now, or before under the same key.
pub(crate) fn again(etag: &str, replayed: bool, body: &impl Serialize) -> Answer {
    let mut answer = tagged(etag, body)?;
    if replayed {
        answer
            .headers_mut()
            .insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(answer)
}

/// 201 with the address of what was created; a repeat of an earlier request says so.
pub(crate) fn created(location: &str, etag: Option<&str>, replayed: bool, body: &impl Serialize) -> Answer {
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, location));
    if let Some(etag) = etag {
        response.insert_header((header::ETAG, etag));
    }
    if replayed {
        response.insert_header((REPLAYED, HeaderValue::from_static("true")));
    }
    json(response, body)
}

fn json(mut response: actix_web::HttpResponseBuilder, body: &impl Serialize) -> Answer {
    let text = serde_json::to_string(body).map_err(|error| Problem::Internal(error.to_string()))?;
    Ok(response.content_type("application/json").body(text))
}

/// A result for each of many.
pub(crate) fn results<S, T: Serialize + ToSchema>(
    results: Vec<Result<S, Refusal>>,
    lang: Lang,
    request_id: &str,
    view: impl Fn(S) -> T,
) -> Answer {
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
