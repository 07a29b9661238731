//! `huanxin programme replay`: recorded claims under a draft or another version, from the database
//! of the configuration.
//!
//! Progress goes to standard error, the report to standard output, as a table or as JSON. Nothing
//! is written.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use service::programmes::replay::{Document, GivenCap, Question, Report, Told};
use service::{Actor, Service, ServiceError};
use tokio::sync::mpsc;

use crate::commands::say;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Table,
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// A draft's document.
    #[arg(required_unless_present = "programme")]
    file: Option<PathBuf>,
    /// A programme instead of a draft; needs --version.
    #[arg(long, conflicts_with = "file", requires = "version")]
    programme: Option<String>,
    /// Which of its versions in force.
    #[arg(long, requires = "programme")]
    version: Option<u32>,
    /// First day of arrival, Asia/Shanghai.
    #[arg(long)]
    from: Option<NaiveDate>,
    /// Last day of arrival.
    #[arg(long)]
    to: Option<NaiveDate>,
    /// Only this county, or the counties of this city; may be repeated.
    #[arg(long = "county")]
    counties: Vec<String>,
    /// A ceiling in place of the present one: 140802:fund=1000000.00,
    /// 140802:category:refrigerator=…; may be repeated.
    #[arg(long = "cap", value_parser = cap)]
    caps: Vec<GivenCap>,
    /// Writes each claim with another outcome to this file, a line of JSON each.
    #[arg(long)]
    claims: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "table")]
    format: Form,
}

fn cap(text: &str) -> Result<GivenCap, String> {
    let parts = text.split_once('=').and_then(|(key, ceiling)| {
        let (jurisdiction, scope) = key.split_once(':')?;
        Some((jurisdiction, scope, ceiling.parse().ok()?))
    });
    let (jurisdiction, scope, ceiling) = parts.ok_or("write it <jurisdiction>:<scope>=<yuan>")?;
    Ok(GivenCap {
        jurisdiction: jurisdiction.to_owned(),
        scope: scope.to_owned(),
        ceiling,
    })
}

pub(crate) async fn replay(service: &Service, args: ReplayArgs) -> anyhow::Result<()> {
    let document = match (&args.file, args.programme, args.version) {
        (Some(file), ..) => {
            Document::Draft(std::fs::read_to_string(file).with_context(|| file.display().to_string())?)
        }
        (None, Some(programme), Some(version)) => Document::Version { programme, version },
        _ => return Err(anyhow!("name a file, or --programme with --version")),
    };
    let question = Question {
        document,
        from: args.from,
        to: args.to,
        counties: args.counties,
        caps: args.caps,
        list: args.claims.is_some(),
    };
    let asked = service
        .programmes()
        .ask_replay(&Actor::system().permit()?, question)
        .await
        .map_err(named)?;
    let (sender, receiver) = mpsc::channel(256);
    let listening = tokio::task::spawn_blocking(move || listen(receiver, args.claims));
    let report = service
        .programmes()
        .replay(&asked, &sender)
        .await
        .map_err(named)?;
    drop(sender);
    listening.await??;
    match args.format {
        Form::Json => say(&report.text()?),
        Form::Table => say(table(&report).trim_end()),
    }
}

/// A refusal with every field that is wrong.
fn named(error: ServiceError) -> anyhow::Error {
    match error.refusal() {
        Some(service::Refusal::Invalid(errors)) => {
            let lines = errors.iter().map(|it| format!("{}: {}", it.pointer, it.en));
            anyhow!("{}", lines.collect::<Vec<_>>().join("\n"))
        }
        _ => error.into(),
    }
}

fn listen(mut receiver: mpsc::Receiver<Told>, list: Option<PathBuf>) -> anyhow::Result<()> {
    let list = list.map(|path| std::fs::File::create(&path).with_context(|| path.display().to_string()));
    let mut list = list.transpose()?.map(std::io::BufWriter::new);
    let begun = std::time::Instant::now();
    while let Some(progress) = receiver.blocking_recv() {
        match progress {
            Told::Progress { claims, day } => {
                let day = day.map_or_else(String::new, |day| format!(", up to {day}"));
                let seconds = begun.elapsed().as_secs();
                writeln!(std::io::stderr(), "{claims} claims in {seconds} s{day}")?;
            }
            Told::Claim(line) => {
                if let Some(list) = &mut list {
                    writeln!(list, "{line}")?;
                }
            }
        }
    }
    if let Some(mut list) = list {
        list.flush()?;
    }
    Ok(())
}

/// The report for a terminal.
fn table(report: &Report) -> String {
    let mut text = String::new();
    let mut line = |row: String| {
        text.push_str(&row);
        text.push('\n');
    };
    let it = &report.summary;
    line(format!(
        "{} version {}: {} claims, {} flip, {} repriced, {} open",
        report.programme, report.document.version, it.claims, it.flips, it.repriced, it.open
    ));
    line(format!(
        "granted: was {}, would be {}, difference {}",
        it.granted.was, it.granted.would_be, it.granted.difference
    ));
    for passage in &report.passages {
        line(format!(
            "\n{} -> {}: {} claims, {} -> {}",
            passage.was, passage.would_be, passage.claims, passage.granted.was, passage.granted.would_be
        ));
        for rule in &passage.rules {
            let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "-".into());
            line(format!(
                "    {:>9}  {} {} -> {}  ({})",
                rule.claims,
                rule.rule,
                side(&rule.was),
                side(&rule.would_be),
                rule.clause
            ));
        }
        for claim in &passage.examples {
            line(format!("    {claim}"));
        }
    }
    line(format!(
        "\n{:<10} {:<24} {:>16} {:>16} {:>16}",
        "county", "category", "was", "would be", "difference"
    ));
    for place in &report.places {
        line(format!(
            "{:<10} {:<24} {:>16} {:>16} {:>16}",
            place.jurisdiction,
            place.category,
            place.granted.was,
            place.granted.would_be,
            place.granted.difference
        ));
    }
    line(format!(
        "\n{:<10} {:<32} {:>16} {:>12} {:>12}",
        "county", "limit", "ceiling", "ran out", "would"
    ));
    for limit in &report.limits {
        let day = |day: Option<NaiveDate>| day.map_or_else(|| "-".to_owned(), |day| day.to_string());
        line(format!(
            "{:<10} {:<32} {:>16} {:>12} {:>12}",
            limit.jurisdiction,
            limit.scope,
            limit.ceiling,
            day(limit.was.ran_out),
            day(limit.would_be.ran_out)
        ));
    }
    for fact in &report.lacking {
        line(format!(
            "\nnobody had asked for {} ({}): {} claims are open",
            fact.fact, fact.en, fact.claims
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ceiling_is_written_in_one_argument() {
        let it = cap("140802:category:refrigerator=12.50").unwrap();
        assert_eq!(
            (it.jurisdiction.as_str(), it.scope.as_str()),
            ("140802", "category:refrigerator")
        );
        assert_eq!(it.ceiling.to_string(), "12.50");
        assert!(cap("140802=1").is_err() && cap("140802:fund=much").is_err());
    }
}
