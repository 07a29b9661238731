//! The bank's gateway over HTTPS.
//!
//! ```text
//! PUT <url>/files/NAME                       orders; the same file with the same key is taken once
//! idempotency-key: <key>
//! content-type: application/xml
//! content-digest: sha-256=:<base64>:         RFC 9530; the gateway refuses other bytes with 400
//!
//! 200, 201, 202  {"reference":"…","sha256":"<hex of what was taken>"}
//!
//! GET <url>/results?limit=4[&since=CURSOR]   reports, oldest first, after the one of this cursor
//! 200            {"files":[{"cursor":"…","name":"…","media_type":"…","size":1234,
//!                 "sha256":"<hex>"}]}
//!
//! GET <url>/results/NAME
//! 200            the bytes
//! ```
//!
//! What an answer to PUT means, and what follows within the call (at most three attempts, with
//! growing random pauses):
//!
//! | answer | outcome | again |
//! |---|---|---|
//! | 2xx with a receipt of these bytes | taken | |
//! | 400, 413, 415, 422 with `application/problem+json` | [`BankError::Refused`]: by the media type the answer is the gateway's and not a proxy's | no |
//! | 429 | [`BankError::Unavailable`] | yes, after Retry-After |
//! | other 3xx and 4xx | [`BankError::Unavailable`]: nothing was taken, and an operator has to find the cause | no |
//! | 409 (the first request with this key is still worked on), 408, 5xx, 2xx without a receipt, none | [`BankError::Unknown`] | yes, with the same key |
//! | no connection, our certificate not accepted | [`BankError::Unavailable`] | yes |
//!
//! A call in which any attempt was ambiguous ends as unknown, unless a later attempt brings a
//! receipt or a refusal: by the contract of the idempotency key those cover the first attempt too.
//! After five failed attempts in a row, of any calls, no instance of this client calls the bank for
//! 30 s ([`HttpBank::circuit`]).

mod contract;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder, Response};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use service::ports::{
    Answering, Bank, BankError, BankFile, Clock, FileName, LARGEST_BANK_FILE, RESULTS_PAGE, ResultsPage,
    Submitted,
};

use tokio::time::Instant;

use crate::circuit::{Circuit, CircuitState, Patience};
use crate::endpoint::{Endpoint, Tls};
use crate::outcome::{self, Silence};
use crate::{ConfigError, Timeouts, retry};
use contract::{Answer, Report, Setback};

/// When the circuit opens, and for how long.
const PATIENCE: Patience = Patience {
    failures: 5,
    pause: Duration::from_secs(30),
};

/// The most bytes of a receipt or of a list of reports.
const LARGEST_NOTE: usize = 64 * 1024;

/// Address of the gateway, and the certificates by which the gateway and this client authenticate
/// each other.
pub struct HttpBankConfig {
    /// An `https` address, or `http` on this machine; paths are added to it.
    pub url: String,
    /// Certificate and key of this client, if the gateway asks for them (mutual TLS).
    pub identity: Option<Identity>,
    /// PEM of the only authorities that may certify the gateway; without it those that the machine
    /// trusts.
    pub root_certificates: Option<String>,
    /// [`Timeouts::BANK`] suits most banks. A page of reports takes up to five calls.
    pub timeouts: Timeouts,
}

impl fmt::Debug for HttpBankConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpBankConfig")
            .field("url", &Endpoint::parse(&self.url))
            .field("identity", &self.identity.is_some())
            .field("root_certificates", &self.root_certificates.is_some())
            .field("timeouts", &self.timeouts)
            .finish()
    }
}

/// A client certificate with its key.
pub struct Identity {
    /// PEM: the certificate, then the chain up to an authority that the bank trusts.
    pub certificate: String,
    /// PEM: PKCS#8, PKCS#1 or SEC1.
    pub key: SecretString,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(***)")
    }
}

/// The gateway. Keeps its connections and its circuit; make one and share it.
pub struct HttpBank {
    endpoint: Endpoint,
    timeouts: Timeouts,
    client: Client,
    circuit: Circuit,
    clock: Arc<dyn Clock>,
}

impl HttpBank {
    /// The clock reads the dates of Retry-After.
    ///
    /// # Errors
    /// An address that may not be called, certificates that cannot be used, timeouts that cannot
    /// work, or a machine without root certificates. Nothing is sent.
    pub fn new(config: &HttpBankConfig, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        let timeouts = config.timeouts.check()?;
        let endpoint = Endpoint::parse(&config.url)?;
        let client = endpoint.client(timeouts.connect, tls(config)?)?;
        Ok(Self {
            endpoint,
            timeouts,
            client,
            circuit: Circuit::new(PATIENCE),
            clock,
        })
    }

    /// Whether calls reach the bank at present, for metrics.
    pub fn circuit(&self) -> CircuitState {
        self.circuit.state()
    }

    async fn put(&self, file: &BankFile, key: &str) -> Result<Submitted, BankError> {
        if !(1..=255).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            let why = "its key is not 1 to 255 visible ASCII characters".to_owned();
            return Err(BankError::Refused { why });
        }
        let url = self.endpoint.join(&["files", file.name().as_str()]);
        let request = || {
            self.client
                .put(url.clone())
                .header("idempotency-key", key)
                .header(CONTENT_TYPE, file.media_type())
                .header(ACCEPT, "application/json, application/problem+json")
                .header("content-digest", contract::content_digest(file.sha256()))
                .body(file.bytes().clone())
        };
        self.call(request, LARGEST_NOTE, |tried| contract::receipt(tried, file))
            .await
    }

    async fn page(&self, since: Option<&str>) -> Result<ResultsPage, BankError> {
        let mut files = Vec::new();
        let mut next = since.map(str::to_owned);
        let mut room = LARGEST_BANK_FILE;
        for report in self.list(since).await?.into_iter().take(RESULTS_PAGE) {
            let fetched = match report.size {
                // Reports that do not fit this page are the first of the next.
                size if size > room && !files.is_empty() => break,
                _ => self.fetch(&report).await,
            };
            match fetched {
                Ok(file) => {
                    room = room.saturating_sub(file.bytes().len());
                    files.push(file);
                    next = Some(report.cursor);
                }
                Err(error) if files.is_empty() => return Err(error),
                // Reports before a faulty one are handed out first; the next page then fails with
                // the fault.
                Err(_) => break,
            }
        }
        Ok(ResultsPage { files, next })
    }

    async fn list(&self, since: Option<&str>) -> Result<Vec<Report>, BankError> {
        let url = self.endpoint.join(&["results"]);
        let request = || {
            let request = self.client.get(url.clone()).query(&[("limit", RESULTS_PAGE)]);
            let request = match since {
                Some(since) => request.query(&[("since", since)]),
                None => request,
            };
            request.header(ACCEPT, "application/json, application/problem+json")
        };
        self.call(request, LARGEST_NOTE, contract::reports).await
    }

    async fn fetch(&self, report: &Report) -> Result<BankFile, BankError> {
        let name = contract::name(report)?;
        let url = self.endpoint.join(&["results", name.as_str()]);
        let request = || self.client.get(url.clone()).header(ACCEPT, "*/*");
        self.call(request, report.size, |tried| {
            contract::report(tried, report, &name)
        })
        .await
    }

    /// Repeats the request until its outcome is certain or the time of the call is over.
    async fn call<T>(
        &self,
        request: impl Fn() -> RequestBuilder,
        most: usize,
        judge: impl Fn(Result<Answer, Silence>) -> Result<T, Setback>,
    ) -> Result<T, BankError> {
        let began = Instant::now();
        let mut attempt = 1;
        let mut earlier: Option<BankError> = None;
        loop {
            let entry = match self.circuit.enter(Instant::now()) {
                Ok(entry) => entry,
                Err(pause) => return Err(earlier.unwrap_or_else(|| left_alone(pause))),
            };
            let left = self.timeouts.call.saturating_sub(began.elapsed());
            let setback = match judge(self.attempt(request(), left, most).await) {
                Ok(answer) => {
                    entry.succeeded();
                    return Ok(answer);
                }
                Err(setback) => setback,
            };
            if setback.fault {
                entry.failed(Instant::now());
            } else {
                entry.succeeded();
            }
            let again = setback.again;
            let error = setback.since(earlier.take(), attempt);
            let left = self.timeouts.call.saturating_sub(began.elapsed());
            let pause = retry::pause(attempt, retry_after(&error)).filter(|pause| again && *pause < left);
            let Some(pause) = pause else {
                return Err(error);
            };
            tracing::debug!(attempt, %error, "bank call failed and is retried");
            earlier = Some(error);
            tokio::time::sleep(pause).await;
            attempt = attempt.saturating_add(1);
        }
    }

    /// One attempt, in no more than the time that is left.
    async fn attempt(&self, request: RequestBuilder, left: Duration, most: usize) -> Result<Answer, Silence> {
        let response = request
            .timeout(self.timeouts.attempt.min(left))
            .send()
            .await
            .map_err(Silence::of)?;
        Ok(read(response, most, self.clock.now()).await)
    }
}

impl Bank for HttpBank {
    fn submit<'a>(&'a self, file: &'a BankFile, key: &'a str) -> Answering<'a, Result<Submitted, BankError>> {
        Box::pin(self.put(file, key))
    }

    fn results<'a>(&'a self, since: Option<&'a str>) -> Answering<'a, Result<ResultsPage, BankError>> {
        Box::pin(self.page(since))
    }

    /// Nothing to do: the cursor keeps the place.
    fn acknowledge<'a>(&'a self, _: &'a FileName, _: &'a [u8; 32]) -> Answering<'a, Result<(), BankError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

impl fmt::Debug for HttpBank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpBank")
            .field("endpoint", &self.endpoint)
            .field("timeouts", &self.timeouts)
            .field("circuit", &self.circuit())
            .finish_non_exhaustive()
    }
}

fn tls(config: &HttpBankConfig) -> Result<Option<Tls>, ConfigError> {
    if config.identity.is_none() && config.root_certificates.is_none() {
        return Ok(None);
    }
    let identity = config.identity.as_ref().map(|identity| {
        let key = identity.key.expose_secret();
        let pem = Zeroizing::new(format!("{}\n{key}", identity.certificate));
        // Drops the texts of the library's errors, which quote nothing of use and might quote an
        // address.
        reqwest::Identity::from_pem(pem.as_bytes()).map_err(|_| ConfigError::ClientCertificate)
    });
    let roots = config.root_certificates.as_ref().map(|pem| {
        reqwest::Certificate::from_pem_bundle(pem.as_bytes())
            .ok()
            // An empty list of authorities would be an endpoint that no server can prove to be.
            .filter(|roots| !roots.is_empty())
            .ok_or(ConfigError::RootCertificates)
    });
    Ok(Some(Tls {
        identity: identity.transpose()?,
        roots: roots.transpose()?,
    }))
}

/// Status, the headers that matter here, and the body of a success, which must come whole.
async fn read(mut response: Response, most: usize, now: DateTime<Utc>) -> Answer {
    let (status, headers) = (response.status(), response.headers());
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    let problem = essence.is_some_and(|kind| kind.eq_ignore_ascii_case("application/problem+json"));
    let retry_after = outcome::asked(headers, now);
    let body = if status.is_success() {
        body(&mut response, most).await
    } else {
        outcome::drain(response).await;
        None
    };
    Answer {
        status,
        problem,
        retry_after,
        body,
    }
}

/// The whole body; `None` if it is too long, too slow or breaks off.
async fn body(response: &mut Response, most: usize) -> Option<Bytes> {
    let mut whole = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if chunk.len() > most.saturating_sub(whole.len()) {
            return None;
        }
        whole.extend_from_slice(&chunk);
    }
    Some(whole.into())
}

fn left_alone(pause: Duration) -> BankError {
    BankError::Unavailable {
        why: "it failed several times in a row and is left alone for now".to_owned(),
        retry_after: Some(pause),
    }
}

fn retry_after(error: &BankError) -> Option<Duration> {
    match error {
        BankError::Refused { .. } => None,
        BankError::Unknown { retry_after, .. } | BankError::Unavailable { retry_after, .. } => *retry_after,
    }
}

#[cfg(test)]
mod results_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;
