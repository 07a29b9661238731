//! The export of the largest county's ledger over HTTP, against PostgreSQL's own COPY of the same
//! rows, interleaved.

use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, ensure};
use tokio::io::AsyncReadExt;

use crate::claim::LARGE_COUNTY;
use crate::database::Database;
use crate::http::{Api, Connection, request};
use crate::report::{Asked, Report, Samples};
use crate::service::Served;
use crate::world::World;

pub(super) async fn rows(
    world: &World,
    database: &Database<'_>,
    served: &Served,
    rounds: usize,
    report: &mut Report,
) -> anyhow::Result<()> {
    let transfers = database
        .number(
            include_str!("../sql/largest_ledger.sql"),
            &[("county", LARGE_COUNTY)],
        )
        .await?;
    let (token, _) = Api::open(served.address()).await?.token(&world.auditor).await?;
    let path = format!("/v1/ledgers/{LARGE_COUNTY}/export?format=csv");
    let ask = request("GET", &path, &format!("authorization: Bearer {token}\r\n"), b"");
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    let (mut our_speed, mut their_speed) = (Samples::default(), Samples::default());
    for _ in 0..rounds {
        let mut connection = Connection::open(served.address()).await?;
        let started = Instant::now();
        let streamed = connection.stream(&ask).await?;
        let seconds = started.elapsed().as_secs_f64();
        ensure!(streamed.status == 200, "the export answers {}", streamed.status);
        // The heading is a line, too.
        ensure!(
            streamed.lines as f64 - 1.0 == transfers,
            "{} lines of {transfers} transfers",
            streamed.lines
        );
        ours.add(transfers / seconds);
        our_speed.add(streamed.bytes as f64 / seconds / 1e6);

        let started = Instant::now();
        let bytes = copy(database).await?;
        let seconds = started.elapsed().as_secs_f64();
        theirs.add(transfers / seconds);
        their_speed.add(bytes as f64 / seconds / 1e6);
    }
    report.raw("export, rows a second", &[&ours, &theirs]);
    let text = format!(
        "{} rows: {} : {} MB/s",
        transfers,
        our_speed.text(),
        their_speed.text()
    );
    report.row(
        "ledger export : raw COPY, by rows/s",
        text,
        ours.over(&theirs),
        Asked::AtLeast,
        (0.7, 0.9),
    );
    Ok(())
}

/// `COPY … TO STDOUT` of the county's transfers; bytes.
async fn copy(database: &Database<'_>) -> anyhow::Result<usize> {
    let mut psql = database.client("psql");
    psql.args([
        "-X",
        "-q",
        "-v",
        "ON_ERROR_STOP=1",
        "-c",
        include_str!("../sql/copy_ledger.sql"),
    ]);
    let mut child = psql.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut out = child.stdout.take().context("no standard output")?;
    let (mut buffer, mut bytes) = (vec![0_u8; 256 * 1024], 0);
    loop {
        match out.read(&mut buffer).await? {
            0 => break,
            read => bytes += read,
        }
    }
    ensure!(child.wait().await?.success(), "COPY failed");
    Ok(bytes)
}
