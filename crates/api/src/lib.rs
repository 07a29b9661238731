//! The HTTP layer: from bytes to a parsed command, from a result to bytes, and nothing in between.
//!
//! ```text
//! bytes ─ middleware ─ Authenticated<R> ─ IdempotencyKey · IfMatch · PathId · Query ─ Body ─► handler ─► service ─► view
//!            └── id, language, bounds, measures, and the form of every error (Problem)
//! ```
//!
//! What holds:
//! * a handler cannot be reached without the right that its type names ([`http::authenticated`]);
//! * every error is an [`http::problem::Problem`], with code, hint and the request's id, in the
//!   caller's language;
//! * no answer and no log line repeats a value that was sent; bodies are never logged, and paths
//!   only as patterns;
//! * everything that is read has a limit, and the limit stands in the OpenAPI document, which comes
//!   from the same routes;
//! * a write runs to its end whatever becomes of the connection ([`ApiState::write`]).

pub mod audit;
pub mod claims;
pub mod funds;
pub mod http;
pub mod identity;
pub mod openapi;
pub mod operation;
pub mod payments;
pub mod programmes;
mod routes;
pub mod webhooks;

use std::sync::{Arc, LazyLock};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::{App, Error, web};
use service::Service;
use tracing_actix_web::TracingLogger;

use crate::http::published::Published;

pub use http::problem::problems_markdown;
pub use http::state::{ApiState, Limits, MetricsText};
pub use openapi::{openapi_json, operations};

/// The contract of this build.
static PUBLISHED: LazyLock<Arc<Published>> = LazyLock::new(|| Arc::new(Published::new(openapi_json())));

impl ApiState {
    /// Call it on the main runtime: writes run there, so that neither a client's reset nor a stopping worker cuts one short.
    pub fn new(service: Service, metrics: MetricsText, limits: Limits) -> ApiState {
        ApiState::of(service, metrics, limits, Arc::clone(&PUBLISHED))
    }
}

/// The application, for `HttpServer::new(move || api::app(&state))` and for tests in the same process.
pub fn app(
    state: &ApiState,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    App::new()
        .app_data(state.clone())
        .configure(routes::routes)
        .service(operation::probes::docs())
        .default_service(web::to(operation::probes::fallback))
        .wrap(from_fn(http::middleware::handle))
        .wrap(TracingLogger::<http::span::RequestSpan>::new())
}
