//! Many claims in one call, each with its own result.
//!
//! The batch runs in a task of its own, a thousand lines to a transaction, and its results are
//! answered as they come. Each line's idempotency key is the call's key with the line's
//! `merchant_reference`: sending the batch again, whole or corrected, gives the first answer to
//! every line that was recorded and records the others.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use api_macros::operation;
use bytes::Bytes;
use futures::stream;
use policy::Lang;
use serde::Serialize;
use serde_json::Value;
use service::claims::{Command, Mode, Submitted};
use service::operation::access::SubmitClaims;
use service::{FieldError, MAX_BATCH, Permit, Refusal, Service, ServiceError};
use tokio::sync::mpsc;
use utoipa::ToSchema;
use wire_derive::WireQuery;

use crate::claims::bulk_lines::Lines;
use crate::claims::form::read_claim;
use crate::claims::view::ClaimView;
use crate::http::answer::{Answer, ok};
use crate::http::authenticated::Authenticated;
use crate::http::contract::Text;
use crate::http::extract::{BatchKey, Query, canonical_hash, media_type, raw_body};
use crate::http::middleware::Context;
use crate::http::problem::{Problem, ProblemView};
use crate::http::state::ApiState;
use crate::http::wire::request_words;

/// 批量提交 · Submit many claims
///
/// NDJSON with a claim a line, or CSV whose columns are the claim's fields by path (`purchase.invoice.number`). At most 10,000
/// lines and 16 MiB. In mode `continue` every good line is recorded and the answer is streamed; with
/// `Accept: application/x-ndjson` it comes as lines, the last of them `{"summary": …}`. In mode `atomic` (at most 1,000 lines)
/// all are recorded or none. A line's key is the call's key with its `merchant_reference`.
#[operation(
    post "/v1/claims/bulk",
    tag = Claims,
    body("The claims, one a line.", "application/x-ndjson" = Text, "text/csv" = Text),
    answer(
        "A result for each line, in order.",
        "application/json" = BulkResult,
        "application/x-ndjson" = BulkLine
    )
)]
pub(crate) async fn submit_claims(
    api: ApiState,
    caller: Authenticated<SubmitClaims>,
    key: BatchKey,
    query: Query<BulkQuery>,
    request: HttpRequest,
    payload: web::Payload,
) -> Answer {
    let media_type = media_type(&request, &["application/x-ndjson", "text/csv"])?;
    let body = raw_body(&request, payload.into_inner(), api.limits.bulk_body).await?;
    let lines = web::block(move || match media_type {
        "text/csv" => Lines::table(&body),
        _ => Lines::json(body),
    });
    let lines = lines
        .await
        .map_err(|error| Problem::Internal(error.to_string()))??;
    let batch = Batch {
        permit: caller.permit,
        key: key.0,
        lang: caller.lang,
        request_id: Context::of(&request).request_id,
        path: request.path().to_owned(),
    };
    match query.0.mode {
        BulkMode::Atomic => atomic(&api, batch, lines).await,
        BulkMode::Continue => Ok(continued(&api, batch, lines, as_lines(&request))),
    }
}

request_words! {
    /// What becomes of a batch when a line is refused: the others are recorded, or nothing is.
    pub enum BulkMode { Continue = "continue", Atomic = "atomic" }
}

/// How a batch is taken.
#[derive(Debug, Clone, Copy, WireQuery)]
pub struct BulkQuery {
    /// `continue` if it is left out; `atomic` takes at most 1,000 lines.
    #[wire(default = BulkMode::Continue)]
    pub mode: BulkMode,
}

fn as_lines(request: &HttpRequest) -> bool {
    let accept = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("application/x-ndjson"))
}

struct Batch {
    permit: Permit<SubmitClaims>,
    key: String,
    lang: Lang,
    request_id: String,
    path: String,
}

impl Batch {
    /// The command of a line. CPU-bound: a thousand of them take a tenth of a second.
    fn command(&self, value: &Value) -> Result<Command, Problem> {
        let claim = read_claim(value).map_err(Refusal::Invalid)?;
        let key = format!("{}:{}", self.key, claim.merchant_reference);
        Ok(Command {
            key,
            request: canonical_hash(&self.path, value)?,
            claim,
        })
    }

    fn line(&self, line: u64, result: Result<Submitted, Problem>) -> BulkLine {
        match result {
            Ok(submitted) => BulkLine {
                line,
                status: if submitted.replayed { 200 } else { 201 },
                replayed: submitted.replayed,
                claim: Some(ClaimView::of(&submitted.claim, self.lang)),
                problem: None,
            },
            Err(problem) => {
                let problem = problem.view(self.lang, &self.request_id);
                BulkLine {
                    line,
                    status: problem.status,
                    replayed: false,
                    claim: None,
                    problem: Some(problem),
                }
            }
        }
    }

    /// The results of some lines. A fault before any of them was recorded is the result of each.
    async fn submit(&self, service: &Service, parsed: Vec<(u64, Result<Command, Problem>)>) -> Vec<BulkLine> {
        let mut commands = Vec::with_capacity(parsed.len());
        let mut refused = Vec::with_capacity(parsed.len());
        for (line, command) in parsed {
            refused.push((line, command.map(|command| commands.push(command)).err()));
        }
        let outcome = if commands.is_empty() {
            Ok(Vec::new())
        } else {
            service
                .claims()
                .submit(&self.permit, commands, Mode::Continue)
                .await
        };
        let mut outcome = match outcome {
            Ok(results) => Ok(results.into_iter()),
            Err(error) => Err(error),
        };
        let lines = refused.into_iter().map(|(line, problem)| {
            let result = match (problem, &mut outcome) {
                (Some(problem), _) => Err(problem),
                (None, Ok(results)) => match results.next().flatten() {
                    Some(result) => result.map_err(Problem::from),
                    None => Err(Problem::Internal("a line has no result".into())),
                },
                (None, Err(error)) => Err(Problem::from(error.clone())),
            };
            self.line(line, result)
        });
        lines.collect()
    }
}

/// Answers as results come. Whoever goes away stops the batch between two transactions, never within one.
fn continued(api: &ApiState, batch: Batch, lines: Lines, as_lines: bool) -> HttpResponse {
    let (sender, receiver) = mpsc::channel::<Bytes>(2);
    let task = api.start(move |service| async move {
        let mut summary = BulkSummary::default();
        let (batch, lines) = (std::sync::Arc::new(batch), std::sync::Arc::new(lines));
        for start in (0..lines.len()).step_by(MAX_BATCH) {
            let range = start..start.saturating_add(MAX_BATCH).min(lines.len());
            let (shared, source) = (std::sync::Arc::clone(&batch), std::sync::Arc::clone(&lines));
            let parsed = tokio::task::spawn_blocking(move || {
                let values = source.values(range).into_iter();
                values
                    .map(|(line, value)| (line, value.and_then(|value| shared.command(&value))))
                    .collect()
            });
            let parsed = parsed
                .await
                .map_err(|error| ServiceError::Bug(error.to_string()))?;
            let results = batch.submit(&service, parsed).await;
            let text = written(&results, &mut summary, as_lines, start == 0);
            if sender.send(Bytes::from(text)).await.is_err() {
                return Ok(());
            }
        }
        let summary = serde_json::to_string(&summary).unwrap_or_default();
        let end = if as_lines {
            format!("{{\"summary\":{summary}}}\n")
        } else {
            format!("],\"summary\":{summary}}}")
        };
        let _ = sender.send(Bytes::from(end)).await;
        Ok(())
    });
    // The stream drives nothing: the task is on its way whether the answer is read or not.
    let body = stream::unfold((receiver, Some(task)), |(mut receiver, task)| async move {
        if let Some(chunk) = receiver.recv().await {
            return Some((Ok::<_, Problem>(chunk), (receiver, task)));
        }
        match task?.await {
            Ok(()) => None,
            Err(problem) => Some((Err(problem), (receiver, None))),
        }
    });
    let media_type = if as_lines {
        "application/x-ndjson"
    } else {
        "application/json"
    };
    HttpResponse::Ok().content_type(media_type).streaming(body)
}

/// The results as bytes, and counted.
fn written(results: &[BulkLine], summary: &mut BulkSummary, as_lines: bool, first: bool) -> String {
    let mut text = String::new();
    if first && !as_lines {
        text.push_str("{\"items\":[");
    }
    for (i, result) in results.iter().enumerate() {
        summary.count(result);
        let opens = first && i == 0;
        if !(as_lines || opens) {
            text.push(',');
        }
        text.push_str(&serde_json::to_string(result).unwrap_or_default());
        if as_lines {
            text.push('\n');
        }
    }
    text
}

impl BulkSummary {
    fn count(&mut self, result: &BulkLine) {
        self.lines = self.lines.saturating_add(1);
        let slot = match (&result.claim, result.replayed) {
            (None, _) => &mut self.refused,
            (Some(_), true) => &mut self.replayed,
            (Some(_), false) => &mut self.recorded,
        };
        *slot = slot.saturating_add(1);
    }
}

/// All or nothing: one transaction, so at most as many lines as one takes.
async fn atomic(api: &ApiState, batch: Batch, lines: Lines) -> Answer {
    if lines.len() > MAX_BATCH {
        return Err(Refusal::TooMany {
            what: "lines",
            limit: MAX_BATCH,
        }
        .into());
    }
    let parsing = web::block(move || {
        let values = lines.values(0..lines.len()).into_iter();
        let parsed: Vec<_> = values
            .map(|(line, value)| (line, value.and_then(|value| batch.command(&value))))
            .collect();
        (batch, parsed)
    });
    let (batch, parsed) = parsing
        .await
        .map_err(|error| Problem::Internal(error.to_string()))?;
    let (mut numbers, mut commands, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    for (line, command) in parsed {
        match command {
            Ok(command) => {
                numbers.push(line);
                commands.push(command);
            }
            Err(problem) => errors.extend(of_line(line, &problem)),
        }
    }
    if !errors.is_empty() {
        return Err(Problem::BulkRefused(errors));
    }
    let permit = batch.permit.clone();
    let results = api
        .write(|it| async move { it.claims().submit(&permit, commands, Mode::Atomic).await })
        .await?;
    let (mut items, mut summary) = (Vec::with_capacity(results.len()), BulkSummary::default());
    for (line, result) in numbers.into_iter().zip(results) {
        match result {
            Some(Ok(submitted)) => items.push(batch.line(line, Ok(submitted))),
            Some(Err(error)) => errors.extend(of_line(line, &Problem::from(error))),
            None => {}
        }
    }
    if !errors.is_empty() {
        return Err(Problem::BulkRefused(errors));
    }
    items.iter().for_each(|item| summary.count(item));
    Ok(ok(&BulkResult { items, summary })?.into())
}

/// A line's problem as errors of the batch: each pointer starts with the line.
fn of_line(line: u64, problem: &Problem) -> Vec<FieldError> {
    let fields = problem.errors();
    if fields.is_empty() {
        let text = |lang| problem.view(lang, "").detail;
        return vec![FieldError::new(
            format!("/{line}"),
            problem.kind().code(),
            text(Lang::Zh),
            text(Lang::En),
        )];
    }
    let error = |error: &FieldError| FieldError {
        pointer: format!("/{line}{}", error.pointer),
        ..error.clone()
    };
    fields.iter().map(error).collect()
}

/// What became of one line of a batch.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BulkLine {
    /// Number of the line in the body, from 1; a CSV's header is line 1.
    #[schema(minimum = 1)]
    pub line: u64,
    /// 201 recorded, 200 recorded before with the same key, otherwise the problem's.
    #[schema(minimum = 200, maximum = 599, example = 201)]
    pub status: u16,
    /// Whether this is the first answer again.
    pub replayed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<crate::claims::view::ClaimView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<ProblemView>,
}

/// A batch's lines and their count. A body that ends before `summary` was cut off: send the batch again with the same key.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BulkResult {
    #[schema(max_items = 10000)]
    pub items: Vec<BulkLine>,
    pub summary: BulkSummary,
}

/// How many lines became what.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
pub struct BulkSummary {
    #[schema(minimum = 0)]
    pub lines: u64,
    #[schema(minimum = 0)]
    pub recorded: u64,
    #[schema(minimum = 0)]
    pub replayed: u64,
    #[schema(minimum = 0)]
    pub refused: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(line: u64, replayed: bool) -> BulkLine {
        BulkLine {
            line,
            status: 422,
            replayed,
            claim: None,
            problem: None,
        }
    }

    #[test]
    fn the_stream_is_one_json_document() {
        let mut summary = BulkSummary::default();
        let mut text = written(&[line(1, false), line(2, false)], &mut summary, false, true);
        text.push_str(&written(&[line(3, false)], &mut summary, false, false));
        text.push_str("]}");
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["items"].as_array().unwrap().len(), 3);
        assert_eq!((summary.lines, summary.refused), (3, 3));
    }

    #[test]
    fn errors_of_a_batch_point_into_their_line() {
        let problem = Problem::Refused(Refusal::field("/item/gtin", "gtin.length", "长", "long"));
        assert_eq!(of_line(7, &problem)[0].pointer, "/7/item/gtin");
        let other = Problem::Refused(Refusal::OtherJurisdiction);
        assert_eq!(
            (
                of_line(7, &other)[0].pointer.as_str(),
                of_line(7, &other)[0].code.as_str()
            ),
            ("/7", "other-jurisdiction")
        );
    }
}
