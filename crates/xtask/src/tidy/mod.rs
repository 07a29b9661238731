//! The rules of the repository that no compiler and no linter checks, over every file that git
//! knows or would add.

mod house;
mod rules;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail, ensure};

/// A file that is text, by its path from the root.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A violation: a line, or 0 for the file as a whole, and the fault.
pub(crate) struct Finding {
    pub(crate) line: usize,
    pub(crate) message: String,
}

/// Checks the repository.
///
/// # Errors
/// A list of all violations, `path:line: fault`.
pub(crate) fn run(root: &Path) -> anyhow::Result<String> {
    let paths = paths(root)?;
    let mut found = Vec::new();
    let mut read = 0_usize;
    for path in &paths {
        let bytes = fs::read(root.join(path)).with_context(|| format!("{path} cannot be read"))?;
        match String::from_utf8(bytes) {
            Ok(text) => {
                read = read.saturating_add(1);
                let file = File {
                    path: path.clone(),
                    text,
                };
                let broken = rules::check(&file).into_iter().chain(house::wide_comments(&file));
                for Finding { line, message } in broken {
                    found.push(format!("{path}:{line}: {message}"));
                }
            }
            Err(_) if rules::is_binary(path) => {}
            Err(_) => found.push(format!("{path}:0: is not UTF-8 text")),
        }
    }
    found.extend(rules::layout(&paths));
    found.extend(house::check(root, &paths)?);
    found.extend(broken_links(root, &paths));
    if !found.is_empty() {
        found.sort();
        bail!("{}\ntidy: {} finding(s)", found.join("\n"), found.len());
    }
    Ok(format!("tidy: {read} files, no finding"))
}

/// Tracked files and new ones that are not ignored.
fn paths(root: &Path) -> anyhow::Result<BTreeSet<String>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("git cannot be run")?;
    ensure!(
        output.status.success(),
        "git ls-files: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let names = String::from_utf8(output.stdout).context("a path is not UTF-8")?;
    // A file that was deleted and not yet committed is listed and missing.
    let there = |name: &&str| !name.is_empty() && root.join(name).is_file();
    Ok(names.split('\0').filter(there).map(str::to_owned).collect())
}

/// Links of Markdown pages that lead to no file.
fn broken_links(root: &Path, paths: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    for path in paths.iter().filter(|path| path.ends_with(".md")) {
        let Ok(text) = fs::read_to_string(root.join(path)) else {
            continue;
        };
        let folder = Path::new(path).parent().unwrap_or_else(|| Path::new(""));
        for (line, target) in rules::links(&text) {
            if !root.join(folder).join(target).exists() {
                found.push(format!("{path}:{line}: links to {target}, which does not exist"));
            }
        }
    }
    found
}
