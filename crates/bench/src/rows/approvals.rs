//! Approvals in bulk: a thousand verdicts a request, claims of all counties mixed in order of
//! arrival.

use std::time::Instant;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::Scope;
use crate::grow::grow;
use crate::http::Api;
use crate::report::{Asked, Report, Samples};
use crate::world::World;
use crate::{books, procfs};

/// Requests of a round: enough to measure, and a city's approvals in a good month.
const REQUESTS: usize = 40;
const CLAIMS: usize = 1_000;

pub(super) async fn rows(world: &World, scope: &Scope, report: &mut Report) -> anyhow::Result<()> {
    let (mut rates, mut median_ms) = (Samples::default(), Samples::default());
    for _ in 0..scope.rounds.min(2) {
        let database = world.copy().await?;
        grow(world, &database, (REQUESTS * CLAIMS) as u64, scope.growing).await?;
        let listed = database.ask(include_str!("../sql/recommend.sql"), &[]).await?;
        database.checkpoint().await?;
        let claims = listed
            .lines()
            .filter_map(|line| line.split_once('|'))
            .collect::<Vec<_>>();
        let served = world.binary.serve(&database.url()).await?;
        let mut api = Api::open(served.address()).await?;
        let (token, _) = api.token(&world.approver).await?;
        let mut times = Samples::default();
        let (started, cpu) = (Instant::now(), procfs::family_cpu(world.cluster.pid()));
        for thousand in claims.chunks(CLAIMS) {
            let items = thousand.iter().map(|(claim, revision)| {
                json!({"claim": claim, "etag": format!("\"{revision}\""), "verdict": "approve"})
            });
            let body = json!({"items": items.collect::<Vec<_>>()});
            let sent = Instant::now();
            let answer = api.post("/v1/approvals", &token, &body).await?;
            times.add(sent.elapsed().as_secs_f64() * 1_000.0);
            let items = answer
                .get("items")
                .and_then(Value::as_array)
                .context("no results")?;
            let good = items
                .iter()
                .filter(|item| item.get("status").and_then(Value::as_u64) == Some(200));
            ensure!(
                good.count() == thousand.len(),
                "not all were approved: {:?}",
                items.first()
            );
        }
        let seconds = started.elapsed().as_secs_f64();
        let rate = claims.len() as f64 / seconds;
        let cpu = procfs::family_cpu(world.cluster.pid()) - cpu;
        eprintln!(
            "  approvals {rate:.0}/s, {:.1} ms a thousand; CPU s: postgres {cpu:.2}, service {:.2} of {seconds:.1}",
            times.median(),
            procfs::cpu(served.pid())
        );
        rates.add(rate);
        median_ms.add(times.median());
        served.stop().await?;
        books::audit(&database).await?;
        world.cluster.drop(database.name()).await?;
    }
    report.raw("approvals", &rates);
    let text = format!("one connection, {:.0} ms a thousand", median_ms.median());
    report.row(
        "approvals a second, a thousand at a time",
        text,
        rates,
        Asked::AtLeast,
        (10_000.0, 30_000.0),
    );
    Ok(())
}
