//! Lists, and the single claims that the last intake submitted, under load from a database with
//! many claims.

use serde_json::Value;

use crate::claim::counties;
use crate::http::Api;
use crate::load::Work;
use crate::measure::{Load, load};
use crate::report::{Asked, Report};
use crate::service::Served;
use crate::world::World;

/// Pages of each county's queue that are asked for, from its beginning on.
const PAGES: usize = 20;
const CONNECTIONS: usize = 64;

pub(super) async fn rows(
    world: &World,
    served: &Served,
    seconds: f64,
    report: &mut Report,
) -> anyhow::Result<()> {
    let file = world.file("targets");
    let mut rates = Vec::new();
    for (what, work) in [("list", Work::List), ("get", Work::Get)] {
        let targets = match work {
            Work::List => pages(world, served).await?,
            // Only submitted claims: the sealed document of one claim does not open for its copies.
            _ => std::fs::read_to_string(world.file("acknowledged"))?,
        };
        std::fs::write(&file, targets)?;
        let how = Load {
            work,
            connections: CONNECTIONS,
            seconds,
            windows: 1,
            numbers: (0, 0),
        };
        let measured = load(world, served, how, &file, |_| ()).await?.remove(0);
        eprintln!("  {what} {}", measured.line());
        report.raw(what, &measured);
        rates.push(measured);
    }
    // Neither has a requirement in the table; the prototype's figures stand in its place.
    if let [list, get] = &rates[..] {
        let text = |it: &crate::measure::Measured| {
            format!(
                "{CONNECTIONS} connections, p50 {:.1}, p99 {:.1} ms",
                it.p50_ms, it.p99_ms
            )
        };
        report.row(
            "lists of 50 a second (no ask; prototype 8,100)",
            text(list),
            list.rate.into(),
            Asked::AtLeast,
            (2_000.0, 8_100.0),
        );
        report.row(
            "single claims a second (no ask)",
            text(get),
            get.rate.into(),
            Asked::AtLeast,
            (2_000.0, 8_100.0),
        );
    }
    Ok(())
}

/// Addresses of the pages, found by following each county's cursors.
async fn pages(world: &World, served: &Served) -> anyhow::Result<String> {
    let mut api = Api::open(served.address()).await?;
    let (token, _) = api.token(&world.auditor).await?;
    let mut all = Vec::new();
    for county in counties() {
        let base = format!("/v1/claims?jurisdiction={county}&status=under_review&order=queue&limit=50");
        let mut path = base.clone();
        for _ in 0..PAGES {
            let page = api.get(&path, &token).await?;
            all.push(std::mem::take(&mut path));
            match page.get("next_cursor").and_then(Value::as_str) {
                Some(cursor) => path = format!("{base}&cursor={cursor}"),
                None => break,
            }
        }
    }
    Ok(all.join("\n"))
}
