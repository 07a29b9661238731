//! The speed of checking a bundle: one of a million transfers.

use std::io::{BufReader, BufWriter, Seek};
use std::time::Instant;

use anyhow::{Context, ensure};

use crate::report::{Asked, Report, Samples};

/// Reserved, approved, instructed and paid.
const TRANSFERS_OF_A_CLAIM: u64 = 4;

pub(super) fn rows(transfers: u64, rounds: usize, report: &mut Report) -> anyhow::Result<()> {
    let mut file = tempfile::tempfile()?;
    let claims = transfers / TRANSFERS_OF_A_CLAIM;
    let key = testkit::write_bundle(claims, &mut BufWriter::with_capacity(1 << 20, &mut file)).public();
    let (mut speed, mut asked) = (Samples::default(), Samples::default());
    for _ in 0..rounds {
        file.rewind()?;
        let started = Instant::now();
        let held = proof::verify(BufReader::with_capacity(1 << 20, &file), &key, &[]);
        let seconds = started.elapsed().as_secs_f64();
        let held = held.context("the bundle does not hold")?;
        ensure!(held.counties.iter().map(|it| it.transfers).sum::<u64>() >= claims * TRANSFERS_OF_A_CLAIM);
        speed.add(transfers as f64 / seconds);
        asked.add(100_000.0);
    }
    report.raw("bundle, transfers a second", &[&speed]);
    let text = format!("{transfers} transfers: {} a second", speed.text());
    report.row(
        "check of a bundle : 100,000 transfers/s",
        text,
        speed.over(&asked),
        Asked::AtLeast,
        (1.0, 2.0),
    );
    Ok(())
}
