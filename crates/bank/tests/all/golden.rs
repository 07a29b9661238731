//! Files that were written once and reviewed: the bytes that a bank accepts do not change by
//! accident.
//!
//! A file that differs is written anew to the folder that the message names; after review it is
//! copied over.

use std::fmt::Write as _;
use std::path::PathBuf;

use bank::{Format, GroupVerdict, Place, Report, ReportFormat, Verdict, read};

use crate::county_bank::{Fate, Order, camt054, filled_in, pain002};
use crate::fixtures::{example, split};

fn same(name: &str, bytes: &[u8]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if std::fs::read(&path).is_ok_and(|golden| golden == bytes) {
        return;
    }
    let new = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&new, bytes).unwrap();
    panic!(
        "tests/golden/{name} is not what is written; the new one is {}",
        new.display()
    );
}

/// A report as lines that a reviewer can read.
fn shown(report: &Report) -> String {
    let mut out = format!(
        "{} {}\n",
        report.format.as_str(),
        report.id.as_ref().map_or("-", |id| id.as_str())
    );
    let line = |out: &mut String, place: Place, id: &str, amount: Option<ledger::Fen>, verdict: &str| {
        let amount = amount.map_or("-".to_owned(), |amount| amount.to_string());
        writeln!(out, "{place} {id} {amount} {verdict}").unwrap();
    };
    for group in &report.groups {
        let id = group.original.as_ref().map_or("-", |id| id.as_str());
        let verdict = match &group.verdict {
            GroupVerdict::Partly => "partly".to_owned(),
            GroupVerdict::Whole(verdict) => format!("whole {}", label(verdict)),
        };
        line(&mut out, group.place, id, group.sum, &verdict);
    }
    for item in &report.items {
        let id = item.end_to_end_id.as_ref().map_or("-", |id| id.as_str());
        line(&mut out, item.place, id, item.amount, &label(&item.verdict));
    }
    out
}

fn label(verdict: &Verdict) -> String {
    let failed = |failure: &bank::Failure| {
        let text = failure.text.as_ref().map_or("", |text| text.expose());
        format!("{} {} {text}", failure.reason.code(), failure.reason.title_zh())
    };
    let day = |day: &Option<chrono::NaiveDate>| day.map_or("-".to_owned(), |day| day.to_string());
    let label = match verdict {
        Verdict::Accepted => "accepted".to_owned(),
        Verdict::Pending => "pending".to_owned(),
        Verdict::Paid {
            booked,
            bank_reference,
        } => {
            format!(
                "paid {} {}",
                day(booked),
                bank_reference.as_ref().map_or("-", |it| it.as_str())
            )
        }
        Verdict::Failed(failure) => format!("failed {}", failed(failure)),
        Verdict::Returned { failure, booked, .. } => format!("returned {} {}", day(booked), failed(failure)),
        Verdict::Unclear { status } => format!("unclear {}", status.as_str()),
    };
    label.trim_end().to_owned()
}

#[test]
fn what_is_sent() {
    for format in Format::ALL {
        for file in split(&example(), format, 2) {
            same(&file.name(), &file.bytes);
        }
    }
}

#[test]
fn what_comes_back() {
    let fates = [Fate::Paid, Fate::Failed("BE01"), Fate::Returned("AC04")];
    let xml = &split(&example(), Format::Pain001, 3)[0];
    let order = Order::from_pain001(&xml.bytes);
    let table = &split(&example(), Format::Csv, 3)[0];
    for (name, format, text) in [
        (
            "pain.002.001.03",
            ReportFormat::Pain002,
            pain002(&order, &fates, "03"),
        ),
        (
            "pain.002.001.10",
            ReportFormat::Pain002,
            pain002(&order, &fates, "10"),
        ),
        ("camt.054.001.08", ReportFormat::Camt054, camt054(&order, &fates)),
        ("results", ReportFormat::Csv, filled_in(&table.bytes, &fates)),
    ] {
        let ending = if format == ReportFormat::Csv { "csv" } else { "xml" };
        same(&format!("{name}.{ending}"), text.as_bytes());
        let report = read(format, text.as_bytes()).unwrap();
        same(&format!("{name}.txt"), shown(&report).as_bytes());
    }
}
