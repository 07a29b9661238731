//! Files that leave the service: exports of ledgers and claims in every format, and statements.
//! Text is compared as it is; of workbooks and Parquet files the cells are compared, so that their
//! writer may change.

use std::io::Cursor;

use bytes::Bytes;
use calamine::{Data, Reader, Xlsx};
use parquet::file::reader::{FileReader, SerializedFileReader};
use testkit::{LINYI, Reply, YANHU};

use super::scene::Scene;

/// A workbook's cells: a line each row, with the kind of each cell.
fn workbook(reply: &Reply) -> String {
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(reply.body.clone())).unwrap();
    let mut text = String::new();
    for name in book.sheet_names() {
        let sheet = book.worksheet_range(&name).unwrap();
        text.push_str(&format!("# {name}\n"));
        for row in sheet.rows() {
            let cells = row.iter().map(|cell| match cell {
                Data::Empty => String::new(),
                Data::String(text) => format!("'{text}"),
                Data::DateTime(at) => format!("@{}", at.as_f64()),
                other => other.to_string(),
            });
            text.push_str(&cells.collect::<Vec<_>>().join(" | "));
            text.push('\n');
        }
    }
    text
}

/// A Parquet file's columns, then its rows.
fn columns(reply: &Reply) -> String {
    let reader = SerializedFileReader::new(Bytes::from(reply.body.clone())).unwrap();
    let schema = reader.metadata().file_metadata().schema_descr();
    let mut text = String::new();
    for column in schema.columns() {
        text.push_str(&format!(
            "# {} {} {:?}\n",
            column.name(),
            column.physical_type(),
            column.logical_type_ref()
        ));
    }
    for row in reader.get_row_iter(None).unwrap() {
        text.push_str(&format!("{}\n", row.unwrap()));
    }
    text
}

async fn file(scene: &mut Scene, path: &str) {
    let auditor = scene.app.cast.auditor.clone();
    scene.note("GET", path);
    let reply = scene.fetch(&auditor, path).await;
    scene.write(&format!("## GET {path}\n{}", reply.status));
    for name in ["content-type", "content-disposition"] {
        scene.write(&format!("{name}: {}", reply.header(name).unwrap_or("none")));
    }
    let kind = reply.header("content-type").unwrap_or_default();
    let text = if kind.contains("spreadsheetml") {
        workbook(&reply)
    } else if kind.contains("parquet") {
        columns(&reply)
    } else if kind.contains("GB18030") {
        encoding_rs::GB18030.decode(&reply.body).0.into_owned()
    } else {
        reply.text()
    };
    scene.write(&text);
}

pub(super) async fn exported(scene: &mut Scene) {
    const REVEAL: &str = "reveal=true&reason=%E4%B8%93%E9%A1%B9%E5%AE%A1%E8%AE%A1";
    scene.page("files-ledger.snap");
    for query in [
        "format=csv",
        "format=csv&lang=zh&from=2026-08-01&to=2026-08-31",
        "format=jsonl&programme=digital-2026",
        "format=jsonl&from=2027-01-01&to=2027-01-31",
        "format=xlsx&lang=zh&from=2026-08-01&to=2026-12-31",
        "format=xlsx&lang=en&programme=digital-2026",
        "format=parquet&from=2026-08-01&to=2026-12-31",
        "format=gbt24589&from=2026-06-01&to=2026-06-30&programme=digital-2026",
        "format=gbt24589&from=2026-07-01&to=2026-07-31",
        "format=gbt24589&syntax=json&from=2026-08-01&to=2026-08-31",
        "format=gbt24589&encoding=gb18030&from=2027-01-01&to=2027-01-31",
        "format=pdf",
    ] {
        file(scene, &format!("/v1/ledgers/{YANHU}/export?{query}")).await;
    }
    file(
        scene,
        "/v1/ledgers/140800/export?format=csv&from=2026-06-15&to=2026-06-15",
    )
    .await;
    scene.page("files-claims.snap");
    for query in [
        "format=csv".to_owned(),
        "format=csv&lang=zh&programme=digital-2026".to_owned(),
        "format=jsonl&programme=vehicle-scrap-2026".to_owned(),
        "format=xlsx&lang=zh&programme=digital-2026".to_owned(),
        "format=xlsx&lang=en&from=2026-08-01&to=2027-01-31".to_owned(),
        "format=parquet&programme=digital-2026".to_owned(),
        format!("format=csv&programme=vehicle-replacement-2026&{REVEAL}"),
        "format=csv&reveal=true".to_owned(),
    ] {
        file(scene, &format!("/v1/ledgers/{YANHU}/claims/export?{query}")).await;
    }
    file(scene, &format!("/v1/ledgers/{LINYI}/claims/export?format=csv")).await;
    scene.page("files-statement.snap");
    let merchant = scene.app.cast.retailer.merchant.clone().unwrap();
    let statement =
        format!("/v1/statements/{merchant}/file?jurisdiction={YANHU}&from=2026-06-01&to=2026-12-31");
    for format in ["", "&format=csv", "&format=xlsx", "&format=pdf"] {
        file(scene, &format!("{statement}{format}")).await;
    }
}
