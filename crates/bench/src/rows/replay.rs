//! A draft over all stored claims: a lower rate, so that the outcome of every granted claim
//! differs.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::database::Database;
use crate::report::{Asked, Report, Samples};
use crate::world::World;

const DOCUMENT: &str = include_str!("../../../../seeds/programmes/appliance-2026.toml");
const EDITS: [(&str, &str); 3] = [
    ("version = 1\n", "version = 2\n"),
    ("effective_from = 2026-01-01", "effective_from = 2026-07-01"),
    ("rate = \"0.15\"", "rate = \"0.10\""),
];

/// "Minutes" for a million.
const WITHIN: Duration = Duration::from_secs(600);

pub(super) async fn rows(world: &World, database: &Database<'_>, report: &mut Report) -> anyhow::Result<()> {
    let mut draft = DOCUMENT.to_owned();
    for (from, to) in EDITS {
        ensure!(draft.contains(from), "the document no longer has {from}");
        draft = draft.replacen(from, to, 1);
    }
    let file = world.file("draft.toml");
    std::fs::write(&file, draft)?;
    let file = file.to_str().context("the temporary directory has an odd name")?;
    let started = Instant::now();
    let arguments = ["programme", "replay", file, "--format", "json"];
    let printed = world
        .binary
        .run_within(&database.url(), &arguments, WITHIN)
        .await?;
    let seconds = started.elapsed().as_secs_f64();
    let answer: serde_json::Value = serde_json::from_str(&printed)?;
    let number = |name: &str| {
        answer
            .get(name)
            .and_then(serde_json::Value::as_f64)
            .with_context(|| format!("the report has no {name}"))
    };
    let (claims, repriced) = (number("claims")?, number("repriced")? + number("flips")?);
    let stored = database.number(include_str!("../sql/claims.sql"), &[]).await?;
    ensure!(claims == stored, "{claims} claims of {stored} were replayed");
    ensure!(
        repriced > 0.9 * claims,
        "a lower rate changes only {repriced} of {claims}"
    );
    let mut minutes = Samples::default();
    minutes.add(seconds / 60.0 * 1e6 / claims);
    report.row(
        "replay of a draft, minutes a million claims",
        format!("{claims} claims in {seconds:.0} s, {:.0}/s", claims / seconds),
        minutes,
        Asked::AtMost,
        (5.0, 1.0),
    );
    Ok(())
}
