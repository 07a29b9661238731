//! The rows of the table, each with what it needs.

mod approvals;
mod bundle;
mod export;
mod growth;
mod intake;
mod peers;
mod reads;
mod replay;
mod soak;
mod startup;

use std::collections::BTreeSet;
use std::time::Duration;

use clap::ValueEnum;

use crate::procfs;
use crate::report::Report;
use crate::world::World;

pub(crate) use soak::soak;

/// Parts of the whole, in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Part {
    /// Intake over HTTP, against pgbench and cala-ledger.
    Intake,
    /// Approvals in bulk.
    Approvals,
    /// With many claims stored: intake, lists, the export, start-up.
    Growth,
    /// The check of a bundle for auditors.
    Bundle,
}

/// The extent of the measurement.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) parts: BTreeSet<Part>,
    pub(crate) seconds: f64,
    pub(crate) rounds: usize,
    /// Claims stored in the rows with many.
    pub(crate) many: u64,
    /// Transfers of the bundle that is checked.
    pub(crate) bundle: u64,
    /// How long loading them may take.
    pub(crate) growing: Duration,
}

/// Measures all of it.
pub(crate) async fn all(world: &World, scope: &Scope, report: &mut Report) -> anyhow::Result<()> {
    report.conditions = procfs::machine();
    report
        .conditions
        .push(("huanxin".into(), world.binary.path().display().to_string()));
    report
        .conditions
        .push(("postgresql".into(), world.cluster.version().await?));
    report.conditions.extend(world.cluster.settings().await?);
    let how = format!(
        "{} s a measurement, {} rounds, interleaved; median (least-most)",
        scope.seconds, scope.rounds
    );
    report.conditions.push(("measured".into(), how));
    if scope.parts.contains(&Part::Intake) {
        intake::rows(world, scope, report).await?;
    }
    if scope.parts.contains(&Part::Approvals) {
        approvals::rows(world, scope, report).await?;
    }
    if scope.parts.contains(&Part::Growth) {
        growth::rows(world, scope, report).await?;
    }
    if scope.parts.contains(&Part::Bundle) {
        bundle::rows(scope.bundle, scope.rounds, report)?;
    }
    Ok(())
}
