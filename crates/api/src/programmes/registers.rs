//! Registers: loaded in one stream of any length, looked up by key.

use actix_web::{HttpRequest, web};
use api_macros::operation;
use bytes::Bytes;
use claims::registers::Register;
use futures::{Stream, StreamExt};
use policy::Lang;
use serde::Serialize;
use service::operation::access::KeepRegisters;
use service::programmes::registers::{LoadReport, RegisterFormat};
use tokio::sync::mpsc;
use utoipa::ToSchema;
use wire_derive::WirePath;

use crate::http::answer::{Answer, Json, ok, ok_as};
use crate::http::authenticated::Authenticated;
use crate::http::contract::{AnyFields, Text};
use crate::http::extract::{Path, media_type};
use crate::http::field_limits::KEY;
use crate::http::problem::FieldErrorView;
use crate::http::state::ApiState;
use crate::http::wire::{self, request_words};

/// Chunks on their way from the connection to the use case; beyond them the client waits.
const IN_FLIGHT: usize = 16;

/// 加载登记库 · Load a register
///
/// Adds and replaces entries by key; every line has its own result. Streamed: a million lines take no more memory than one
/// set of them. CSV has a header of column names; NDJSON has one object a line.
#[operation(
    put "/v1/registers/{register}",
    tag = Registers,
    body("The lines; each at most 64 KiB.", "application/x-ndjson" = Text, "text/csv" = Text),
    answer = "How many lines were taken, and which were not."
)]
pub(crate) async fn load_register(
    api: ApiState,
    caller: Authenticated<KeepRegisters>,
    path: Path<RegisterPath>,
    request: HttpRequest,
    payload: web::Payload,
) -> Answer<Json<LoadReportView>> {
    let register = path.0.register;
    let format = match media_type(&request, &["application/x-ndjson", "text/csv"])? {
        "text/csv" => RegisterFormat::Csv,
        _ => RegisterFormat::Ndjson,
    };
    let (sender, receiver) = mpsc::channel(IN_FLIGHT);
    let permit = caller.permit;
    let load = api.write(|it| async move {
        it.programmes()
            .load_register(&permit, register, format, body(receiver))
            .await
    });
    let (report, ()) = futures::join!(load, forward(payload, sender));
    ok(&LoadReportView::of(&report?, caller.lang))
}

/// 查询登记条目 · Get a register's entry
///
/// Personal columns are kept as hashes only and are not shown.
#[operation(get "/v1/registers/{register}/{key}", tag = Registers, answer = "The entry's columns.")]
pub(crate) async fn get_register_entry(
    api: ApiState,
    caller: Authenticated<KeepRegisters>,
    path: Path<EntryPath>,
) -> Answer<Json<AnyFields>> {
    let Path(EntryPath { register, key }) = path;
    ok_as(
        &api.service
            .programmes()
            .register_entry(&caller.permit, register, &key)
            .await?,
    )
}

request_words! {
    /// A register.
    Register as "Register";
}

/// A register.
#[derive(Debug, WirePath)]
#[wire(what = "register")]
pub(crate) struct RegisterPath {
    #[wire(example = "efficiency-labels")]
    register: Register,
}

/// An entry of a register.
#[derive(Debug, WirePath)]
#[wire(what = "register entry")]
pub(crate) struct EntryPath {
    #[wire(example = "efficiency-labels", what = "register")]
    register: Register,
    /// The register's key; of a filed price `<merchant>:<model>`.
    #[wire(wire::Text(1..=KEY))]
    key: String,
}

enum Piece {
    Chunk(Bytes),
    End,
}

/// The connection was lost before the body's end.
#[derive(Debug)]
struct BrokenOff;

/// From the connection, which lives on one worker, to the use case, which does not.
async fn forward(mut payload: web::Payload, sender: mpsc::Sender<Piece>) {
    while let Some(chunk) = payload.next().await {
        let Ok(chunk) = chunk else { return };
        if sender.send(Piece::Chunk(chunk)).await.is_err() {
            // The use case has refused the file: what is still on its way is read and dropped, or
            // the client would see a reset in the place of the answer.
            while let Some(Ok(_)) = payload.next().await {}
            return;
        }
    }
    let _ = sender.send(Piece::End).await;
}

/// A sender that is gone without [`Piece::End`] means that the client is: the last line may be cut and is not to be trusted.
fn body(receiver: mpsc::Receiver<Piece>) -> impl Stream<Item = Result<Bytes, BrokenOff>> + Send {
    futures::stream::unfold(Some(receiver), |receiver| async move {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Piece::Chunk(chunk)) => Some((Ok(chunk), Some(receiver))),
            Some(Piece::End) => None,
            None => Some((Err(BrokenOff), None)),
        }
    })
}

/// What became of a register's file.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = LoadReport)]
pub struct LoadReportView {
    #[schema(max_length = 40)]
    pub register: String,
    #[schema(minimum = 0)]
    pub lines: u64,
    #[schema(minimum = 0)]
    pub accepted: u64,
    #[schema(minimum = 0)]
    pub refused: u64,
    /// The first thousand refused lines.
    #[schema(max_items = 1000)]
    pub errors: Vec<LineErrorView>,
    /// Whether there were more.
    pub errors_truncated: bool,
}

/// A refused line.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = LineError)]
pub struct LineErrorView {
    #[schema(minimum = 1)]
    pub line: u64,
    #[schema(max_items = 20)]
    pub errors: Vec<FieldErrorView>,
}

impl LoadReportView {
    pub fn of(report: &LoadReport, lang: Lang) -> LoadReportView {
        let line = |line: &service::programmes::registers::LineError| LineErrorView {
            line: line.line,
            errors: line
                .errors
                .iter()
                .map(|error| FieldErrorView::of(error, lang))
                .collect(),
        };
        LoadReportView {
            register: report.register.as_str().to_owned(),
            lines: report.lines,
            accepted: report.accepted,
            refused: report.refused,
            errors: report.errors.iter().map(line).collect(),
            errors_truncated: report.errors_truncated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(parts: Vec<Piece>) -> Vec<Result<Bytes, ()>> {
        let (sender, receiver) = mpsc::channel(8);
        for part in parts {
            assert!(sender.send(part).await.is_ok());
        }
        drop(sender);
        body(receiver).map(|part| part.map_err(|_| ())).collect().await
    }

    #[actix_web::test]
    async fn a_body_that_is_cut_off_is_not_taken_for_a_whole_one() {
        let chunk = || Piece::Chunk(Bytes::from_static(b"a,b\n"));
        assert_eq!(
            read(vec![chunk(), Piece::End]).await,
            [Ok(Bytes::from_static(b"a,b\n"))]
        );
        assert_eq!(
            read(vec![chunk()]).await,
            [Ok(Bytes::from_static(b"a,b\n")), Err(())]
        );
    }
}
