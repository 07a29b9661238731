//! The effect of many stored claims: intake with ten thousand and with a million or more, in turns;
//! then, with the many, reads, the export and start-up.

use anyhow::Context;

use super::{Scope, export, reads, replay, startup};
use crate::books;
use crate::claim::Spread;
use crate::grow::grow;
use crate::measure;
use crate::pgbench::{self, CLIENTS, Sample};
use crate::report::{Asked, Report, Samples};
use crate::world::World;

const FEW: u64 = 10_000;

pub(super) async fn rows(world: &World, scope: &Scope, report: &mut Report) -> anyhow::Result<()> {
    let many = world.copy().await?;
    let grown = grow(world, &many, scope.many, scope.growing).await?;
    let mut next = grown.next;
    let sample = Sample::take(&many).await?;
    let (mut with_few, mut with_many) = (Samples::default(), Samples::default());
    let (mut single, mut through) = (Samples::default(), Samples::default());
    for _ in 0..scope.rounds {
        let few = world.copy().await?;
        let first = grow(world, &few, FEW, scope.growing).await?.next;
        let measured =
            measure::intake_into(world, &few, Spread::Counties, 256, scope.seconds, first, true).await?;
        eprintln!("  {FEW} stored {}", measured.line());
        world.cluster.drop(few.name()).await?;
        with_few.add(measured.rate);
        let needed = (measured.rate * (scope.seconds + 2.0) * 1.5) as u64;
        world.entitle_until(&many, next + needed).await?;
        let measured =
            measure::intake_into(world, &many, Spread::Counties, 256, scope.seconds, next, false).await?;
        eprintln!("  {} stored {}", grown.claims, measured.line());
        next += measured.sent;
        with_many.add(measured.rate);
        let how = (Spread::Counties, CLIENTS, scope.seconds);
        single.add(pgbench::run_in(world, &many, &sample, how).await?);
        world.entitle_until(&many, next + needed).await?;
        let measured = measure::through_checkpoint(world, &many, 256, scope.seconds, next).await?;
        eprintln!("  {} stored, a checkpoint {}", grown.claims, measured.line());
        next += measured.sent;
        through.add(measured.p99_ms);
    }
    report.raw("intake with few and with many stored", &[&with_few, &with_many]);
    report.raw("one call a claim with many stored", &single);
    let text = format!(
        "{}/s : pgbench -c {CLIENTS} {}/s with {} stored; for ten minutes: bench soak",
        with_many.text(),
        single.text(),
        grown.claims
    );
    report.row(
        "intake with many stored : one call a claim",
        text,
        with_many.over(&single),
        Asked::AtLeast,
        (1.5, 3.0),
    );
    report.row(
        "p99 ms at 256 connections, with a checkpoint",
        "begun a second in, at full speed".into(),
        through,
        Asked::AtMost,
        (250.0, 100.0),
    );
    let short = if grown.claims < 5_000_000 {
        ", the ask is at 5 million"
    } else {
        ""
    };
    let text = format!("{} : {}/s{short}", with_many.text(), with_few.text());
    let what = format!(
        "rate with {} million stored : 10 thousand",
        scope.many as f64 / 1e6
    );
    report.row(
        &what,
        text,
        with_many.over(&with_few),
        Asked::AtLeast,
        (0.75, 0.95),
    );
    books::audit(&many).await.context("of the grown database")?;

    let served = world.binary.serve(&many.url()).await?;
    reads::rows(world, &served, scope.seconds, report).await?;
    export::rows(world, &many, &served, scope.rounds, report).await?;
    served.stop().await?;
    startup::rows(world, &many, report).await?;
    replay::rows(world, &many, report).await?;
    world.cluster.drop(many.name()).await
}
