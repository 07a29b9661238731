use std::io::Write;
use std::sync::{Arc, Mutex};

use super::*;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn capture(filter: &str, format: LogFormat) -> (Lines, tracing::subscriber::DefaultGuard) {
    let lines = Lines::default();
    let log = Log {
        filter: filter.to_owned(),
        format,
    };
    let guard = tracing::subscriber::set_default(subscriber(&log, lines.clone()).unwrap());
    (lines, guard)
}

const PRIVATE: &str = "140802199001011234";

#[test]
fn a_line_is_one_object_with_its_fields_and_all_spans_around_it() {
    let (lines, guard) = capture("info", LogFormat::Json);
    tracing::info_span!("request", request_id = "r-1", route = "/v1/claims/{id}").in_scope(|| {
        tracing::info_span!("submit").in_scope(|| tracing::info!(claims = 3, "committed"));
    });
    drop(guard);
    let line: serde_json::Value = serde_json::from_str(lines.text().trim()).unwrap();
    assert_eq!(
        (&line["level"], &line["message"], &line["claims"]),
        (&"INFO".into(), &"committed".into(), &3.into())
    );
    assert_eq!(line["spans"][0]["request_id"], "r-1");
    assert_eq!(line["spans"][0]["route"], "/v1/claims/{id}");
    assert_eq!(line["spans"][1]["name"], "submit");
    assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn a_secret_shows_nothing() {
    let (lines, guard) = capture("trace", LogFormat::Json);
    let secret = secrecy::SecretString::from(PRIVATE);
    tracing::info!(?secret, "configured");
    drop(guard);
    assert!(
        lines.text().contains("REDACTED") && !lines.text().contains(PRIVATE),
        "{}",
        lines.text()
    );
}

#[test]
fn the_filter_decides_and_a_wrong_one_is_an_error() {
    let (lines, guard) = capture("warn,server=debug", LogFormat::Text);
    tracing::debug!("ours");
    tracing::info!(target: "elsewhere", "theirs");
    drop(guard);
    assert!(
        lines.text().contains("ours") && !lines.text().contains("theirs"),
        "{}",
        lines.text()
    );
    let log = Log {
        filter: "server=loud".to_owned(),
        format: LogFormat::Json,
    };
    assert!(matches!(
        subscriber(&log, io::sink),
        Err(TelemetryError::Filter(_))
    ));
}

#[test]
fn metrics_are_installed_once_and_rendered_with_buckets() {
    let metrics = Metrics::install().unwrap();
    metrics::histogram!("telemetry_test_seconds").record(std::time::Duration::from_millis(3));
    metrics::counter!("telemetry_test_total").increment(2);
    let again = Metrics::install().unwrap().renderer();
    let text = again();
    assert!(
        text.contains("telemetry_test_seconds_bucket{le=\"0.005\"} 1"),
        "{text}"
    );
    assert!(text.contains("telemetry_test_total 2"), "{text}");
    assert_eq!(metrics.render(), text);
}

#[test]
fn a_panic_is_logged_by_its_place_and_not_by_its_message() {
    let (lines, guard) = capture("error", LogFormat::Json);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(log_panic));
    let caught = std::panic::catch_unwind(|| panic!("cut inside {PRIVATE}"));
    std::panic::set_hook(before);
    drop(guard);
    assert!(caught.is_err());
    assert!(lines.text().contains("telemetry/tests.rs"), "{}", lines.text());
    assert!(!lines.text().contains(PRIVATE), "{}", lines.text());
}
