//! Grows a database to a number of claims by a short way: some are submitted, and SQL multiplies
//! them with all their rows. The result is as the service would have left it, and the auditor finds
//! no fault in it.

use std::time::{Duration, Instant};

use crate::claim::Spread;
use crate::database::Database;
use crate::load::Work;
use crate::measure::{Load, load};
use crate::world::World;

/// Claims that are submitted to be multiplied.
const SEEDS: u64 = 1_000;

/// Copies at once: bounds the sort of one statement and the rows that one transaction leaves to
/// vacuum.
const WAVE: u64 = 100;

/// Which tables each of two sessions fills, of about the same weight.
const SHARES: [&str; 2] = [
    "claims,events,idempotency_keys,quotas",
    "decisions,claim_documents,unique_keys,transfers",
];

/// The state of a grown database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grown {
    pub(crate) claims: u64,
    /// The number of the next claim to be submitted.
    pub(crate) next: u64,
}

/// Grows a fresh copy of the template to `claims`, the submitted ones included, or until the time
/// is up.
pub(crate) async fn grow(
    world: &World,
    database: &Database<'_>,
    claims: u64,
    within: Duration,
) -> anyhow::Result<Grown> {
    let started = Instant::now();
    let served = world.binary.serve(&database.url()).await?;
    let seeds = SEEDS.min(claims);
    let how = Load {
        work: Work::submit(Spread::Counties),
        connections: 32,
        // Ends at the last number.
        seconds: 60.0,
        windows: 1,
        numbers: (0, seeds),
    };
    load(world, &served, how, &world.file("seeds"), |_| ()).await?;
    served.stop().await?;
    let (wanted, mut made, mut wave) = ((claims / seeds).saturating_sub(1), 0, 0_u64);
    while made < wanted && started.elapsed() < within {
        let copies = (wanted - made).min(WAVE);
        let variables = [
            ("seeds", seeds.to_string()),
            ("copies", copies.to_string()),
            ("wave", wave.to_string()),
        ];
        let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
        database
            .ask(include_str!("sql/grow_begin.sql"), &variables)
            .await?;
        let share = |tables| async move {
            database
                .ask(include_str!("sql/grow_rows.sql"), &[("tables", tables)])
                .await
        };
        let [first, second] = SHARES;
        tokio::try_join!(share(first), share(second))?;
        database.ask(include_str!("sql/grow_end.sql"), &[]).await?;
        made += copies;
        wave += 1;
    }
    if made > 0 {
        let log = [testkit::LEAVES, include_str!("sql/grow_log.sql")].concat();
        database.ask(&log, &[]).await?;
    }
    let claims = seeds * (made + 1);
    if claims > 2 * SEEDS {
        database.ask("VACUUM (ANALYZE);\nCHECKPOINT;\n", &[]).await?;
    }
    eprintln!(
        "  grown to {claims} claims in {:.1} s",
        started.elapsed().as_secs_f64()
    );
    Ok(Grown { claims, next: seeds })
}
