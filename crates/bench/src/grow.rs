//! A database with as many claims as are asked for, by a short way: some are submitted, and SQL multiplies them with all
//! their rows. What comes out is as the service would have left it, and the auditor finds nothing wrong with it.

use std::time::Instant;

use crate::claim::Spread;
use crate::database::Database;
use crate::load::Work;
use crate::measure::{Load, load};
use crate::world::World;

/// Claims that are submitted to be multiplied.
const SEEDS: u64 = 1_000;

/// Copies at once: what one statement sorts and what one transaction leaves to be vacuumed stays bounded.
const WAVE: u64 = 1_000;

/// Grows a fresh copy of the template to `claims`, the submitted ones included; the number of the next claim is returned.
pub(crate) async fn grow(world: &World, database: &Database<'_>, claims: u64) -> anyhow::Result<u64> {
    let started = Instant::now();
    let served = world.binary.serve(&database.url()).await?;
    let seeds = SEEDS.min(claims);
    let how = Load {
        work: Work::submit(Spread::Counties),
        connections: 32,
        // It ends when the numbers do.
        seconds: 30.0,
        windows: 1,
        numbers: (0, seeds),
    };
    load(world, &served, how, &world.file("seeds"), |_| ()).await?;
    served.stop().await?;
    let (mut copies, mut wave) = ((claims / seeds).saturating_sub(1), 0);
    while copies > 0 {
        let now = copies.min(WAVE);
        let variables = [
            ("seeds", seeds.to_string()),
            ("copies", now.to_string()),
            ("wave", wave.to_string()),
        ];
        let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
        database.ask(include_str!("sql/grow.sql"), &variables).await?;
        copies -= now;
        wave += 1;
    }
    if claims > 2 * SEEDS {
        database.ask("VACUUM (ANALYZE);\nCHECKPOINT;\n", &[]).await?;
    }
    eprintln!(
        "  grown to {claims} claims in {:.1} s",
        started.elapsed().as_secs_f64()
    );
    Ok(seeds)
}
