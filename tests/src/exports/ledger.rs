//! The ledger as CSV, JSON lines and XLSX, whole and in pieces.

use std::io::{Cursor, Read};

use calamine::{Data, Reader, Xlsx};
use ledger::Fen;
use serde_json::Value;
use service::{Actor, Role};
use testkit::{HttpApp, LINYI, YANHU, yuan};

use super::{busy, export, lines};

fn sum<'a>(amounts: impl Iterator<Item = &'a str>) -> Fen {
    amounts.map(yuan).fold(Fen::ZERO, Fen::saturating_add)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_says_the_same() {
    let app = busy().await;
    let csv = export(&app, "140802/export?format=csv").await;
    let lines = lines(&csv);
    let total = sum(lines.iter().map(|line| line[7].as_str()));
    let jsonl = export(&app, "140802/export?format=jsonl").await;
    let objects = jsonl
        .text()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .collect::<Vec<_>>();
    assert_eq!(objects.len(), lines.len());
    for (line, object) in lines.iter().zip(&objects) {
        assert_eq!(line[0], object["height"].to_string());
        assert_eq!(line[4], object["reason"].as_str().unwrap());
        assert_eq!(line[7], object["amount"].as_str().unwrap());
    }
    let xlsx = export(&app, "140802/export?format=xlsx&lang=en").await;
    assert!(
        xlsx.header("content-disposition")
            .unwrap()
            .contains("ledger-140802.xlsx")
    );
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(xlsx.body)).unwrap();
    let sheet = book.worksheet_range("Transfers 1").unwrap();
    assert_eq!(sheet.height(), lines.len() + 2);
    for (line, row) in lines.iter().zip(sheet.rows().skip(1)) {
        assert_eq!(line[0], row[0].to_string());
        assert_eq!(line[3..7], [3, 4, 5, 6].map(|i| row[i].to_string()));
        let Data::Float(amount) = row[7] else {
            panic!("{:?}", row[7])
        };
        assert_eq!(line[7], format!("{amount:.2}"));
        assert_eq!(line[8..], [8, 9, 10].map(|i| row[i].to_string()));
    }
    let summary = book.worksheet_range("Summary").unwrap();
    let all = summary.rows().nth(1).unwrap();
    assert_eq!(all[1].to_string(), lines.len().to_string());
    let Data::Float(amount) = all[2] else {
        panic!("{:?}", all[2])
    };
    assert_eq!(yuan(&format!("{amount:.2}")), total);
    // A workbook has its reader's language unless set otherwise; a CSV only if asked for.
    let bearer = format!("Bearer {}", app.token(&app.cast.auditor).await);
    for (language, first) in [("zh-CN", "汇总"), ("en", "Summary")] {
        let headers = [("authorization", bearer.as_str()), ("accept-language", language)];
        let path = "/v1/ledgers/140802/export?format=";
        let reply = app.send("GET", &format!("{path}xlsx"), &headers, b"").await;
        let book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(reply.body)).unwrap();
        assert_eq!(book.sheet_names()[0], first);
        let same = app.send("GET", &format!("{path}csv"), &headers, b"").await;
        assert_eq!(same.body, csv.body);
    }
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pieces_put_together_are_the_whole() {
    let app = busy().await;
    for place in ["140802", "140800"] {
        for format in ["csv", "jsonl"] {
            let path = format!("{place}/export?format={format}");
            let whole = export(&app, &path).await.body;
            assert!(whole.len() > 1_000);
            for cut in [whole.len() / 3, whole.len() / 2, whole.len() - 2, whole.len()] {
                // A broken-off file is cut after its last whole line, and the next request goes on
                // after that line.
                let kept = whole[..cut].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
                let text = std::str::from_utf8(&whole[..kept]).unwrap();
                let last = text.lines().last().unwrap();
                let after = if format == "csv" {
                    let fields = last.split(',').collect::<Vec<_>>();
                    format!("{}:{}", fields[2], fields[0])
                } else {
                    let object: Value = serde_json::from_str(last).unwrap();
                    format!(
                        "{}:{}",
                        object["jurisdiction"].as_str().unwrap(),
                        object["height"]
                    )
                };
                let rest = export(&app, &format!("{path}&after={after}")).await.body;
                assert_eq!([&whole[..kept], &rest].concat(), whole, "{path} at {cut}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_city_is_its_counties_one_after_another() {
    let app = busy().await;
    let city = export(&app, "140800/export?format=csv").await;
    let mut all = lines(&export(&app, &format!("{YANHU}/export?format=csv")).await);
    all.extend(lines(&export(&app, &format!("{LINYI}/export?format=csv")).await));
    assert_eq!(lines(&city), all);
    // One county's own auditor has no right to the others.
    let auditor = Actor {
        client: "auditor-yanhu".into(),
        person: "auditor-yanhu".into(),
        role: Role::Auditor,
        jurisdictions: vec![YANHU.into()],
        merchant: None,
        request: None,
    };
    app.register(&auditor).await;
    for what in ["export?format=csv", "claims/export?format=csv"] {
        let reply = app.get(&auditor, &format!("/v1/ledgers/140800/{what}")).await;
        assert_eq!(
            (reply.status, reply.code().as_deref()),
            (403, Some("other-jurisdiction"))
        );
        app.get(&auditor, &format!("/v1/ledgers/{YANHU}/{what}"))
            .await
            .expect(200);
        let reply = app
            .get(&app.cast.auditor, &format!("/v1/ledgers/999999/{what}"))
            .await;
        assert_eq!(reply.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn days_and_programmes_cut_it() {
    let app = busy().await;
    app.clock.advance(chrono::Duration::days(40));
    app.appropriate(YANHU, "digital-2026", yuan("1.00")).await;
    let whole = lines(&export(&app, "140802/export?format=csv").await);
    let day = |line: &[String]| line[1][..10].to_owned();
    let (first, last) = (day(&whole[0]), day(whole.last().unwrap()));
    assert_ne!(first, last);
    let before = lines(&export(&app, &format!("140802/export?format=csv&to={first}")).await);
    let after = lines(&export(&app, &format!("140802/export?format=csv&from={last}")).await);
    assert_eq!((before.len() + 1, after.len()), (whole.len(), 1));
    let one = lines(&export(&app, "140802/export?format=csv&programme=digital-2026").await);
    assert_eq!(one, after);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_compressed_if_that_is_asked_for() {
    let app = busy().await;
    let plain = export(&app, "140800/export?format=csv").await;
    assert_eq!(plain.header("content-encoding"), None);
    for coding in ["gzip", "zstd"] {
        let reply = asked(&app, "140800/export?format=csv", coding).await;
        assert_eq!(reply.header("content-encoding"), Some(coding));
        assert!(reply.body.len() < plain.body.len() / 2, "{coding}");
        let mut opened = Vec::new();
        match coding {
            "gzip" => {
                let mut reader = flate2::read::GzDecoder::new(reply.body.as_slice());
                reader.read_to_end(&mut opened).unwrap();
            }
            _ => opened = zstd::stream::decode_all(reply.body.as_slice()).unwrap(),
        }
        assert_eq!(opened, plain.body);
        // Formats with compression of their own are sent as they are.
        for format in ["xlsx", "parquet"] {
            let path = format!("140802/export?format={format}&lang=zh");
            let whole = export(&app, &path).await;
            assert_eq!(asked(&app, &path, coding).await.body, whole.body);
        }
    }
}

async fn asked(app: &HttpApp, query: &str, coding: &str) -> testkit::Reply {
    let path = format!("/v1/ledgers/{query}");
    let accept = [("accept-encoding", coding)];
    let reply = app.call(&app.cast.auditor, "GET", &path, None, &accept).await;
    reply.expect(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_meaning_is_refused() {
    let app = busy().await;
    for (query, parameter, code) in [
        ("140802/export?format=pdf", "format", "unknown-word"),
        ("140802/export", "format", "missing"),
        (
            "140802/export?format=xlsx&after=140802:3",
            "after",
            "not-with-format",
        ),
        ("140802/export?format=csv&after=3", "after", "form"),
        (
            "140802/export?format=csv&after=140821:3",
            "after",
            "another-ledger",
        ),
        ("140802/export?format=csv&after=140802:-3", "after", "form"),
        (
            "140802/export?format=csv&encoding=gb18030",
            "encoding",
            "not-with-format",
        ),
        ("140802/export?format=gbt24589", "from", "missing"),
        (
            "140802/export?format=gbt24589&from=2026-05-01&to=2026-04-30",
            "to",
            "out-of-range",
        ),
        (
            "140802/export?format=gbt24589&from=2026-05-01&to=2027-05-02",
            "to",
            "out-of-range",
        ),
        (
            "140802/export?format=gbt24589&from=2026-05-01&to=2026-05-02&lang=zh",
            "lang",
            "not-with-format",
        ),
        ("140802/claims/export?format=gbt24589", "format", "unknown-word"),
        (
            "140802/claims/export?format=parquet&after=clm_140802_00000000000000000000000000000007",
            "after",
            "not-with-format",
        ),
        (
            "140802/claims/export?format=csv&after=clm_140821_00000000000000000000000000000007",
            "after",
            "another-ledger",
        ),
    ] {
        let reply = app.get(&app.cast.auditor, &format!("/v1/ledgers/{query}")).await;
        assert_eq!(reply.status, 400, "{query}");
        let problem = reply.json();
        let errors = problem["errors"].as_array().unwrap();
        let names_the_field = errors
            .iter()
            .any(|it| it["pointer"] == format!("/query/{parameter}") && it["code"] == code);
        assert!(names_the_field, "{query}: {problem}");
    }
    let reply = app
        .get(
            &app.cast.auditor,
            "/v1/ledgers/140800/export?format=gbt24589&from=2026-05-01&to=2026-05-31",
        )
        .await;
    assert_eq!(reply.status, 404, "books are a county's");
}
