//! From the start of the process to the first answer of `/readyz`, on a database with many claims.

use crate::database::Database;
use crate::report::{Asked, Report, Samples};
use crate::world::World;

const STARTS: usize = 5;

pub(super) async fn rows(world: &World, database: &Database<'_>, report: &mut Report) -> anyhow::Result<()> {
    let mut seconds = Samples::default();
    for _ in 0..STARTS {
        let served = world.binary.serve(&database.url()).await?;
        seconds.add(served.ready_after.as_secs_f64());
        served.stop().await?;
    }
    report.raw("start-up, s", &seconds);
    report.row(
        "start to first answer, s",
        format!("{STARTS} starts"),
        seconds,
        Asked::AtMost,
        (1.0, 0.3),
    );
    Ok(())
}
