//! The outcome of one attempt, in texts that may be logged.

use std::error::Error;
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};

use chrono::{DateTime, Utc};

use crate::retry;

/// How much of an answer's body is read.
const MOST_READ: usize = 64 * 1024;

/// How long it is read for.
const READING: Duration = Duration::from_secs(1);

/// The longest text of a cause.
const LONGEST_CAUSE: usize = 200;

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Another attempt in the same call may succeed.
    Passing {
        why: String,
        retry_after: Option<Duration>,
    },
    /// Another attempt now would end the same way, or might deliver twice what is perhaps being
    /// worked on.
    Lasting { why: String },
}

/// Judges an answer by its status and headers. Any 2xx is success.
pub(crate) fn judge(status: StatusCode, headers: &HeaderMap, now: DateTime<Utc>) -> Result<(), Failure> {
    if status.is_success() {
        return Ok(());
    }
    let code = status.as_u16();
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return Err(Failure::Passing {
            why: format!("it answered {code}"),
            retry_after: asked(headers, now),
        });
    }
    let why = if status.is_redirection() {
        format!("it answered {code}, and redirects are not followed")
    } else {
        format!("it answered {code}")
    };
    Err(Failure::Lasting { why })
}

/// The pause that Retry-After asks for.
pub(crate) fn asked(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let asked = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    asked.and_then(|value| retry::retry_after(value, now))
}

/// Reads the body so that the connection can be used again. Nothing is kept; a body that is too
/// long, too slow or broken costs the connection and changes nothing about the answer, which its
/// status already gave.
pub(crate) async fn drain(mut response: Response) {
    let read = async {
        let mut left = MOST_READ;
        while let Ok(Some(chunk)) = response.chunk().await {
            match left.checked_sub(chunk.len()) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    // Running out of time does not change the outcome either.
    let _ = tokio::time::timeout(READING, read).await;
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Nothing was sent.
    NoConnection(String),
    /// Something was sent: it may have arrived, whole or in part.
    NoAnswer(String),
}

impl Silence {
    pub(crate) fn of(error: reqwest::Error) -> Self {
        if error.is_connect() {
            let what = if error.is_dns() {
                "its name was not resolved"
            } else if error.is_timeout() {
                "no connection in time"
            } else {
                "no connection"
            };
            return Self::NoConnection(format!("{what}: {}", root_cause(error)));
        }
        if is_certificate_refused(&error) {
            return Self::NoConnection(format!("our certificate was not accepted: {}", root_cause(error)));
        }
        Self::NoAnswer(if error.is_timeout() {
            "no answer in time".to_owned()
        } else {
            format!("no answer: {}", root_cause(error))
        })
    }
}

/// The fault, where there is no answer.
pub(crate) fn no_answer(error: reqwest::Error) -> Failure {
    match Silence::of(error) {
        Silence::NoConnection(why) => Failure::Passing {
            why,
            retry_after: None,
        },
        Silence::NoAnswer(why) => Failure::Lasting { why },
    }
}

/// Whether the other side broke off over our certificate. In TLS 1.3 a client has sent its request
/// before the refusal arrives; but the server, whose handshake never ended, has not read it.
fn is_certificate_refused(error: &reqwest::Error) -> bool {
    use rustls::AlertDescription as Alert;
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        // `source` of an io::Error skips the error that it wraps.
        let wrapped = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        let tls = match wrapped {
            Some(wrapped) => wrapped.downcast_ref::<rustls::Error>(),
            None => error.downcast_ref(),
        };
        if let Some(rustls::Error::AlertReceived(alert)) = tls {
            return matches!(
                alert,
                Alert::CertificateRequired
                    | Alert::NoCertificate
                    | Alert::BadCertificate
                    | Alert::UnsupportedCertificate
                    | Alert::CertificateRevoked
                    | Alert::CertificateExpired
                    | Alert::CertificateUnknown
                    | Alert::UnknownCA
                    | Alert::AccessDenied
                    // An alert of the handshake, never of later traffic: the certificate's
                    // signature is not its authority's.
                    | Alert::DecryptError
            );
        }
        cause = error.source();
    }
    false
}

/// The innermost error, which comes from the system or the TLS library and names a host at most.
/// The outer ones quote the whole address.
pub(crate) fn root_cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string().chars().take(LONGEST_CAUSE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_sorted() {
        let now = DateTime::<Utc>::UNIX_EPOCH;
        let headers = HeaderMap::from_iter([(RETRY_AFTER, "7".parse().unwrap())]);
        let passing = |code: u16| {
            let seven = Some(Duration::from_secs(7));
            Err(Failure::Passing {
                why: format!("it answered {code}"),
                retry_after: seven,
            })
        };
        let lasting = |why: &str| Err(Failure::Lasting { why: why.to_owned() });
        let cases = [
            (200, Ok(())),
            (204, Ok(())),
            (302, lasting("it answered 302, and redirects are not followed")),
            (400, lasting("it answered 400")),
            (410, lasting("it answered 410")),
            (429, passing(429)),
            (500, passing(500)),
            (503, passing(503)),
        ];
        for (code, expected) in cases {
            let status = StatusCode::from_u16(code).unwrap();
            assert_eq!(judge(status, &headers, now), expected, "{code}");
        }
    }
}
