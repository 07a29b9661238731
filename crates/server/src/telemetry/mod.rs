//! Output for operators: log lines on standard error and metrics for Prometheus.
//!
//! Neither holds personal data or a secret. This is not done by a filter, which misses what its
//! author did not think of, but by what is written at all: personal types and secrets show nothing
//! under `Debug` and `Display`, a request is logged by its route and not by its path, query,
//! headers or body (`api`'s span), a panic by its place and not by its message. `docs/LOGGING.md`
//! lists every line.

mod recorder;

use std::io;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::time::SystemTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

pub use recorder::{Metrics, MetricsError};

use crate::config::{Log, LogFormat};

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("the log filter is not valid: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    #[error("logging is set up already: {0}")]
    Twice(#[from] TryInitError),
}

/// Sets up logging to standard error, also of panics: standard output carries the results of
/// commands.
///
/// # Errors
/// If the filter is invalid, or logging was set up in this process before.
pub fn init(log: &Log) -> Result<(), TelemetryError> {
    subscriber(log, io::stderr)?.try_init()?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// The lines as [`init`] would write them, to any writer: for tests that search them for what must
/// not be there.
///
/// # Errors
/// If the filter is invalid.
pub fn subscriber<W>(log: &Log, writer: W) -> Result<Box<dyn Subscriber + Send + Sync>, TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filtered = tracing_subscriber::registry().with(EnvFilter::try_new(&log.filter)?);
    let lines = tracing_subscriber::fmt::layer()
        .with_timer(SystemTime)
        .with_writer(writer);
    Ok(match log.format {
        // The request id stands on the outermost span, so that a line carries all of them.
        LogFormat::Json => Box::new(
            filtered.with(
                lines
                    .json()
                    .flatten_event(true)
                    .with_current_span(false)
                    .with_span_list(true),
            ),
        ),
        LogFormat::Text => Box::new(filtered.with(lines.with_ansi(false).compact())),
    })
}

/// Logs where a panic happened, and not its message, which may quote any string, such as a name
/// that was cut inside a character.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or_default();
    let backtrace = std::backtrace::Backtrace::force_capture();
    tracing::error!(place, thread, %backtrace, "panic: this is a bug");
}

#[cfg(test)]
mod tests;
