//! What every request shares: the service, its limits, and the tasks that writes run in.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use actix_web::FromRequest;
use futures::future::BoxFuture;
use service::{Service, ServiceError};
use tokio::runtime::Handle;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tracing::Instrument;

use crate::http::problem::Problem;
use crate::http::published::Published;
use crate::http::rate_limit::TokenRateLimit;

/// Bounds on what is read, in bytes. They stand in the OpenAPI document too.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A JSON body.
    pub body: usize,
    /// A JSON body of many items: approvals, results.
    pub long_body: usize,
    /// A file of a bank.
    pub bank_report: usize,
    /// A bulk body.
    pub bulk_body: usize,
    /// Path and query together.
    pub uri: usize,
    /// Requests for a token, for each address: sustained each minute, and at once.
    pub tokens_per_minute: u32,
    pub tokens_at_once: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 64 * 1024,
            long_body: 512 * 1024,
            bank_report: 32 * 1024 * 1024,
            bulk_body: 16 * 1024 * 1024,
            uri: 4096,
            tokens_per_minute: 600,
            tokens_at_once: 200,
        }
    }
}

/// The text of `/metrics`.
pub type MetricsText = Arc<dyn Fn() -> String + Send + Sync>;

/// Everything the HTTP layer is given. Cheap to clone; one for the whole process.
#[derive(Clone)]
pub struct ApiState {
    pub service: Service,
    pub metrics: MetricsText,
    pub limits: Limits,
    writes: Writes,
    pub(crate) token_rate_limit: Arc<TokenRateLimit>,
    pub(crate) published: Arc<Published>,
}

impl fmt::Debug for ApiState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiState")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl ApiState {
    /// Of a contract that is ready; [`ApiState::new`] takes that of this build.
    pub(crate) fn of(
        service: Service,
        metrics: MetricsText,
        limits: Limits,
        published: Arc<Published>,
    ) -> Self {
        let writes = Writes {
            handle: Handle::current(),
            tracker: TaskTracker::new(),
        };
        let token_rate_limit = TokenRateLimit::new(limits.tokens_per_minute, limits.tokens_at_once);
        let token_rate_limit = Arc::new(token_rate_limit);
        Self {
            service,
            metrics,
            limits,
            writes,
            token_rate_limit,
            published,
        }
    }

    /// Runs a write to its end, whatever becomes of the request: actix drops a handler's future
    /// when its client goes away, and a use case that is dropped half-way would be rolled back
    /// although its answer may be on the way.
    pub async fn write<T, F>(&self, work: impl FnOnce(Service) -> F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, ServiceError>> + Send + 'static,
    {
        self.start(work).await
    }

    /// Starts a write now; its result may be awaited later, or not at all.
    pub(crate) fn start<T, F>(
        &self,
        work: impl FnOnce(Service) -> F,
    ) -> BoxFuture<'static, Result<T, Problem>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, ServiceError>> + Send + 'static,
    {
        let future = work(self.service.clone()).instrument(tracing::Span::current());
        let task = self.writes.tracker.spawn_on(future, &self.writes.handle);
        Box::pin(async move {
            match task.await {
                Ok(result) => result.map_err(Problem::from),
                Err(error) => Err(Problem::Internal(format!("a write did not end: {error}"))),
            }
        })
    }

    /// Long work that changes nothing, off the workers that serve others: it ends when nobody waits
    /// for it any more.
    pub(crate) fn aside<T, F>(
        &self,
        work: impl FnOnce(Service) -> F,
    ) -> BoxFuture<'static, Result<T, Problem>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, ServiceError>> + Send + 'static,
    {
        let future = work(self.service.clone()).instrument(tracing::Span::current());
        let task = AbortOnDropHandle::new(self.writes.handle.spawn(future));
        Box::pin(async move {
            match task.await {
                Ok(result) => result.map_err(Problem::from),
                Err(error) => Err(Problem::Internal(format!("long work did not end: {error}"))),
            }
        })
    }

    /// Waits for the writes under way; for a graceful stop, after the server has stopped.
    pub async fn writes_ended(&self) {
        self.writes.tracker.close();
        self.writes.tracker.wait().await;
    }
}

#[derive(Clone)]
struct Writes {
    handle: Handle,
    tracker: TaskTracker,
}

impl FromRequest for ApiState {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &actix_web::HttpRequest, _: &mut actix_web::dev::Payload) -> Self::Future {
        std::future::ready(shared(request).cloned())
    }
}

pub(crate) fn shared(request: &actix_web::HttpRequest) -> Result<&ApiState, Problem> {
    let missing = || Problem::Internal("the application was built without its state".into());
    request.app_data::<ApiState>().ok_or_else(missing)
}
