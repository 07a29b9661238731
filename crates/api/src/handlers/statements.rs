//! Settlement statements (清算单): what a county and a merchant owe each other.

use actix_web::http::header;
use actix_web::{HttpResponse, get};
use claims::identifiers::CreditCode;
use service::access::ReadStatements;
use service::statements::{StatementFormat, StatementQuery as Asked};

use crate::http::answer::{Answer, ok, paged};
use crate::http::authenticated::{Signed, roles};
use crate::http::extract::documented::MerchantPath;
use crate::http::extract::{Part, PathText, Query};
use crate::http::problem::Problem;
use crate::http::queries::PageParams;
use crate::http::state::ApiState;
use crate::wire::statements::{
    SpanParams, SpanQuery, StatementFileFormat, StatementFileParams, StatementFileQuery, StatementQuery,
    StatementView,
};

fn asked(path: &PathText, span: SpanQuery) -> Result<Asked, Problem> {
    let merchant = path.parse(Part::Merchant, "merchant", |text| CreditCode::parse(text).ok())?;
    Ok(Asked {
        jurisdiction: span.jurisdiction.as_str().to_owned(),
        merchant: merchant.as_str().to_owned(),
        programme: span.programme.map(|it| it.as_str().to_owned()),
        from: span.from,
        to: span.to,
    })
}

/// 清算单 · Get a settlement statement
///
/// What a county and a merchant owed each other over a period, from the ledger's transfers, with its claims by page. A merchant
/// gets its own.
#[utoipa::path(
    tag = "payments",
    params(MerchantPath, SpanParams, PageParams),
    responses((status = 200, description = "The statement, and a page of its claims.", body = StatementView)),
    extensions(("x-roles" = json!(roles::<ReadStatements>()))),
)]
#[get("/v1/statements/{merchant}")]
pub(crate) async fn get_statement(
    api: ApiState,
    signed: Signed<ReadStatements>,
    path: PathText,
    query: Query<StatementQuery>,
) -> Answer {
    let Query(StatementQuery { span, page }) = query;
    let asked = asked(&path, span)?;
    let made = api
        .service
        .statement(&signed.permit, asked, page.cursor.as_deref(), page.limit)
        .await;
    let (statement, lines) = paged(made)?;
    ok(&StatementView::of(statement, lines))
}

/// 清算单文件 · Get a settlement statement as a file
///
/// The same with all its claims, at most 50,000: a workbook (XLSX) with a sheet of accounts and one of claims, or CSV (UTF-8 with BOM,
/// comma, quotes as in RFC 4180, LF).
#[utoipa::path(
    tag = "payments",
    params(MerchantPath, SpanParams, StatementFileParams),
    responses((status = 200, description = "The file.",
        content((String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), (String = "text/csv")))),
    extensions(("x-roles" = json!(roles::<ReadStatements>()))),
)]
#[get("/v1/statements/{merchant}/file")]
pub(crate) async fn get_statement_file(
    api: ApiState,
    signed: Signed<ReadStatements>,
    path: PathText,
    query: Query<StatementFileQuery>,
) -> Answer {
    let Query(StatementFileQuery { span, format }) = query;
    let format = match format {
        StatementFileFormat::Csv => StatementFormat::Csv,
        StatementFileFormat::Xlsx => StatementFormat::Xlsx,
    };
    let asked = asked(&path, span)?;
    let file = api.service.statement_file(&signed.permit, asked, format).await?;
    let name = format!("attachment; filename=\"{}\"", file.name);
    Ok(HttpResponse::Ok()
        .content_type(file.media_type)
        .insert_header((header::CONTENT_DISPOSITION, name))
        .body(file.bytes))
}
