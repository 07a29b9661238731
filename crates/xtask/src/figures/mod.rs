//! The state of the code in figures: obstacles to a reader, counted.
//!
//! | figure | counted |
//! |---|---|
//! | rooms | files and folders directly below `src` |
//! | import circles | groups of files of a crate that import each other, directly or through others |
//! | hidden calls | pairs of files of different rooms, of which one calls a method of the other's on `self` and imports nothing of it |
//! | words as text | literals in `service` and `store` that are a value of a closed list, outside its declaration |
//! | bugs | uses of `ServiceError::bug` |
//! | open matches | matches over a closed list that end in `_ =>` |
//!
//! Code for tests is not counted.

mod calls;
mod circles;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context;

use crate::source::{self, Closed, Crate};
pub(crate) use words::open_in;

/// The layers that have rooms for the same nouns.
const LAYERS: [&str; 3] = ["service", "store", "api"];

/// A figure, and the places that it counts.
struct Figure {
    name: &'static str,
    value: String,
    sites: Vec<String>,
}

impl Figure {
    fn counted(name: &'static str, sites: Vec<String>) -> Self {
        Self {
            name,
            value: sites.len().to_string(),
            sites,
        }
    }
}

/// Measures the repository. With `sites`, lists the places of each figure below the table.
///
/// # Errors
/// If a file cannot be read or parsed; the error names it.
pub(crate) fn run(root: &Path, sites: bool) -> anyhow::Result<String> {
    let crates = source::crates(root)?;
    let figures = measure(root, &crates)?;
    let mut out = String::from("| figure | value |\n|---|---|\n");
    for figure in &figures {
        writeln!(out, "| {} | {} |", figure.name, figure.value)?;
    }
    if sites {
        for figure in figures.iter().filter(|figure| !figure.sites.is_empty()) {
            writeln!(out, "\n{}:\n  {}", figure.name, figure.sites.join("\n  "))?;
        }
    }
    Ok(out)
}

fn measure(root: &Path, crates: &BTreeMap<String, Crate>) -> anyhow::Result<Vec<Figure>> {
    let layers = LAYERS.map(|name| crates.get(name));
    let [service, store, api] = layers;
    let (service, store, api) = (
        service.context("there is no crate service")?,
        store.context("there is no crate store")?,
        api.context("there is no crate api")?,
    );
    let closed = Closed::of(crates.values());
    let rooms = [service, store, api].map(|one| one.rooms().to_string());
    let code = service.lines().saturating_add(api.lines());
    let readme = fs::read_to_string(root.join("README.md")).context("README.md cannot be read")?;
    let text = [service, store]
        .into_iter()
        .flat_map(|one| words::as_text(one, &closed));
    let open = crates.values().flat_map(|one| words::open_in(one, &closed));
    let plain = |name, value: String| Figure {
        name,
        value,
        sites: Vec::new(),
    };
    Ok(vec![
        plain("rooms in service, store, api", rooms.join(", ")),
        Figure::counted("import circles", crates.values().flat_map(circles::of).collect()),
        Figure::counted("hidden calls through `self.`", calls::hidden(service)),
        Figure::counted("words as text below claims", text.collect()),
        Figure::counted(
            "`ServiceError::bug`",
            crates.values().flat_map(calls::bugs).collect(),
        ),
        Figure::counted("`_ =>` over closed lists", open.collect()),
        plain("lines of service and api", code.to_string()),
        plain("lines of README.md", readme.lines().count().to_string()),
    ])
}
