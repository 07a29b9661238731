//! All log lines of a stretch of time, at every level, for tests that search them for what must
//! never be logged.

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

static RECORDINGS: AtomicUsize = AtomicUsize::new(0);
static TEXT: Mutex<String> = Mutex::new(String::new());

/// Records the log of the whole process until it is read.
#[derive(Debug)]
pub struct Recording(());

impl Recording {
    /// Starts the record, with every level and every span's beginning and end.
    pub fn start() -> Self {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            let subscriber = tracing_subscriber::fmt()
                .json()
                .with_max_level(tracing::Level::TRACE)
                .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
                .with_writer(Tape)
                .finish();
            tracing::subscriber::set_global_default(subscriber).expect("no other subscriber");
        });
        RECORDINGS.fetch_add(1, Ordering::SeqCst);
        Self(())
    }

    /// The lines so far, of this test and of those beside it.
    pub fn text(&self) -> String {
        TEXT.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        RECORDINGS.fetch_sub(1, Ordering::SeqCst);
    }
}

#[derive(Debug, Clone, Copy)]
struct Tape;

impl Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if RECORDINGS.load(Ordering::SeqCst) > 0 {
            TEXT.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push_str(&String::from_utf8_lossy(bytes));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Tape {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        *self
    }
}
