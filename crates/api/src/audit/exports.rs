//! Ledgers and claims as files.

use crate::audit::export_query::{ClaimsExportQuery, LedgerExportOf, LedgerExportQuery};
use crate::http::answer::{Answer, paged};
use crate::http::authenticated::Authenticated;
use crate::http::contract::{Binary, Text};
use crate::http::extract::{Path, Query};
use crate::http::problem::Problem;
use crate::http::queries::{LedgerPath, YesNo};
use crate::http::state::ApiState;
use crate::http::wire::Word;
use actix_web::HttpResponse;
use actix_web::http::header::{self, ContentEncoding};
use actix_web::middleware::Compress;
use api_macros::operation;
use futures::TryStreamExt;
use policy::Lang;
use service::audit::export::{AccountingExport, Chunks, ClaimsExport, Format, LedgerExport, Reveal};
use service::operation::access::{ReadLedger, RevealClaims};

/// 导出流水 · Export a ledger
///
/// The transfers of a period, streamed; with a city's code, those of all its counties, by county and height. CSV (UTF-8 with BOM, comma,
/// quotes as in RFC 4180, LF), JSON lines, XLSX or Parquet. `gbt24589` is the accounting data of GB/T 24589.1 of one county: chart of
/// accounts, balances and vouchers. Compressed with gzip or zstd if the client takes it.
#[operation(
    get "/v1/ledgers/{jurisdiction}/export",
    tag = Ledgers,
    answer(
        "The transfers.",
        "text/csv" = Text,
        "application/x-ndjson" = Text,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" = Binary,
        "application/vnd.apache.parquet" = Binary,
        "application/xml" = Text,
        "application/json" = Text
    ),
    wrap = Compress::default()
)]
pub(crate) async fn export_ledger(
    api: ApiState,
    caller: Authenticated<ReadLedger>,
    path: Path<LedgerPath>,
    query: Query<LedgerExportQuery>,
) -> Answer {
    let jurisdiction = path.0.jurisdiction;
    match query.0 {
        LedgerExportOf::Table {
            format,
            from,
            to,
            programme,
            headings,
            after,
        } => {
            let chosen = LedgerExport {
                programme: programme.map(|it| it.as_str().to_owned()),
                from,
                to,
                after: after.map(|(county, height)| (county.as_str().to_owned(), height)),
            };
            let said = said(format, headings, caller.lang);
            let chunks = api.service.audit().export_ledger(
                &caller.permit,
                jurisdiction.as_str(),
                &chosen,
                format,
                said,
            );
            table(&format!("ledger-{jurisdiction}"), format, paged(chunks)?)
        }
        LedgerExportOf::Accounting {
            from,
            to,
            syntax,
            encoding,
        } => {
            let ending = syntax.word();
            let chosen = AccountingExport {
                from,
                to,
                syntax,
                encoding,
            };
            let chunks = api
                .service
                .audit()
                .export_accounting(&caller.permit, jurisdiction.as_str(), chosen)
                .await;
            let name = format!("gbt24589-{jurisdiction}-{from}-{to}.{ending}");
            let media_type = format!("application/{ending}; charset={}", encoding.name());
            sent(&name, &media_type, false, paged(chunks)?)
        }
    }
}

/// 导出申请 · Export claims
///
/// The claims that arrived in a period, one a line, streamed; with a city's code, those of all its counties, by county and arrival. CSV,
/// JSON lines, XLSX or Parquet, as the ledger's. Personal data is masked; `reveal=true` shows it to whoever has the right `reveal-claims`, with
/// a reason, and leaves an audit event in each county that says who, which claims, how many and why.
#[operation(
    get "/v1/ledgers/{jurisdiction}/claims/export",
    tag = Ledgers,
    answer(
        "The claims.",
        "text/csv" = Text,
        "application/x-ndjson" = Text,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" = Binary,
        "application/vnd.apache.parquet" = Binary
    ),
    wrap = Compress::default()
)]
pub(crate) async fn export_claims(
    api: ApiState,
    caller: Authenticated<ReadLedger>,
    path: Path<LedgerPath>,
    query: Query<ClaimsExportQuery>,
) -> Answer {
    let (jurisdiction, Query(query)) = (path.0.jurisdiction, query);
    let reveal = match query.reveal {
        YesNo::True => Some(Reveal {
            permit: caller.permit.actor().permit::<RevealClaims>()?,
            reason: query.reason,
        }),
        YesNo::False => None,
    };
    let chosen = ClaimsExport {
        programme: query.programme.map(|it| it.as_str().to_owned()),
        from: query.from,
        to: query.to,
        after: query.after,
    };
    let (format, said) = (query.format, said(query.format, query.headings, caller.lang));
    let chunks = api
        .service
        .audit()
        .export_claims(
            &caller.permit,
            jurisdiction.as_str(),
            &chosen,
            reveal,
            format,
            said,
        )
        .await;
    table(&format!("claims-{jurisdiction}"), query.format, paged(chunks)?)
}

/// A workbook is for people, and speaks as they do. A CSV is for programs as well: its words change only if that is asked for.
fn said(format: Format, headings: Option<Lang>, accepted: Lang) -> Lang {
    match (headings, format) {
        (Some(headings), _) => headings,
        (None, Format::Xlsx) => accepted,
        (None, _) => Lang::En,
    }
}

fn table(name: &str, format: Format, chunks: Chunks) -> Answer {
    let (media_type, packed) = match format {
        Format::Csv => ("text/csv; charset=utf-8", false),
        Format::JsonLines => ("application/x-ndjson", false),
        Format::Xlsx => (
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            true,
        ),
        Format::Parquet => ("application/vnd.apache.parquet", true),
    };
    sent(&format!("{name}.{}", format.word()), media_type, packed, chunks)
}

fn sent(name: &str, media_type: &str, packed: bool, chunks: Chunks) -> Answer {
    let mut answer = HttpResponse::Ok();
    answer.content_type(media_type).insert_header((
        header::CONTENT_DISPOSITION,
        format!("attachment; filename=\"{name}\""),
    ));
    if packed {
        // Compressed in itself: once more would take time and save nothing.
        answer.insert_header(ContentEncoding::Identity);
    }
    // The status is on its way: a fault breaks the connection off, so that a cut file cannot be
    // taken for a whole one.
    Ok(answer.streaming(chunks.map_err(Problem::from)))
}
