//! The layout of the code, kept crate by crate: a crate that follows a rule gets a line in its
//! list, and is held to the rule from then on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{File, Finding};
use crate::figures;
use crate::source::{self, Closed, Crate};

/// The modules allowed directly below `src`: a wing for each noun, and the modules that all of them
/// use.
const ROOMS: [(&str, &[&str]); 3] = [
    (
        "service",
        &[
            "lib",
            "claims",
            "funds",
            "payments",
            "audit",
            "programmes",
            "catalogue",
            "webhooks",
            "identity",
            "at_rest",
            "operation",
            "ports",
            "worker",
        ],
    ),
    (
        "store",
        &[
            "lib",
            "claims",
            "funds",
            "payments",
            "audit",
            "programmes",
            "webhooks",
            "identity",
            "operation",
            "batch",
            "columns",
            "error",
            "ids",
            "migrate",
            "schema",
            "store",
        ],
    ),
    (
        "api",
        &[
            "lib",
            "claims",
            "funds",
            "payments",
            "audit",
            "programmes",
            "catalogue",
            "webhooks",
            "identity",
            "operation",
            "http",
            "openapi",
            "routes",
        ],
    ),
];

/// Crates that have no rooms but those of [`ROOMS`].
const ROOMS_KEPT: &[&str] = &["api", "service", "store"];

/// Crates in which no match over a closed list ends in `_ =>`.
const MATCHES_KEPT: &[&str] = &[
    "bench",
    "claims",
    "ledger",
    "partners",
    "policy",
    "service",
    "spreadsheet",
    "store",
    "testkit",
    "xtask",
];

/// Folders whose comments are at most [`WIDEST`] characters wide, each with its slash.
const WIDTH_KEPT: &[&str] = &[
    "crates/bank/",
    "crates/bench/",
    "crates/claims/",
    "crates/cluster/",
    "crates/ledger/",
    "crates/partners/",
    "crates/policy/",
    "crates/proof/",
    "crates/server/",
    "crates/spreadsheet/",
    "crates/testkit/",
    "crates/timing/",
    "crates/words/",
    "crates/xtask/",
    "tests/",
];

/// Characters of a line with a comment.
const WIDEST: usize = 100;

/// Violations in the crates of the workspace, as `path:line: fault`.
pub(super) fn check(root: &Path, paths: &BTreeSet<String>) -> anyhow::Result<Vec<String>> {
    let crates = source::crates(root)?;
    let mut found = open_matches(&crates, MATCHES_KEPT);
    let kept = ROOMS.iter().filter(|(name, _)| ROOMS_KEPT.contains(name));
    found.extend(kept.flat_map(|(name, rooms)| strangers(paths, name, rooms)));
    Ok(found)
}

/// Modules directly below a crate's `src` that are none of its rooms. Tests stand beside their
/// subject.
fn strangers(paths: &BTreeSet<String>, name: &str, rooms: &[&str]) -> Vec<String> {
    let source = format!("crates/{name}/src/");
    let tops = paths.iter().filter_map(|path| {
        let top = path.strip_prefix(&source)?.split('/').next()?;
        Some(top.trim_end_matches(".rs"))
    });
    let tops = tops.collect::<BTreeSet<_>>();
    let strange = tops
        .into_iter()
        .filter(|top| !rooms.contains(top) && *top != "tests");
    strange
        .map(|top| format!("{source}{top}:0: is none of the crate's rooms: its wing is the place for it"))
        .collect()
}

fn open_matches(crates: &BTreeMap<String, Crate>, kept: &[&str]) -> Vec<String> {
    let closed = Closed::of(crates.values());
    let kept = kept.iter().filter_map(|name| crates.get(*name));
    kept.flat_map(|one| figures::open_in(one, &closed))
        .map(|site| {
            format!(
                "{site}: `_ =>` over a closed list: name what is left, so that a new one does not compile"
            )
        })
        .collect()
}

/// Comments that are too wide. Rows of tables and long words, such as keys, cannot be wrapped.
pub(super) fn wide_comments(file: &File) -> Vec<Finding> {
    if !file.path.ends_with(".rs") || !WIDTH_KEPT.iter().any(|folder| file.path.starts_with(folder)) {
        return Vec::new();
    }
    let lines = (1_usize..).zip(file.text.lines());
    let wide = lines.filter(|(_, line)| is_wide_comment(line));
    wide.map(|(line, _)| Finding {
        line,
        message: format!("a comment is wider than {WIDEST} characters"),
    })
    .collect()
}

fn is_wide_comment(line: &str) -> bool {
    let Some(comment) = line.trim_start().strip_prefix("//") else {
        return false;
    };
    let text = comment.trim_start_matches(['/', '!']).trim();
    let wraps = text.contains(' ') && text.split(' ').all(|word| word.chars().count() <= WIDEST / 2);
    line.chars().nth(WIDEST).is_some() && wraps && !text.starts_with('|')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rooms_stand_below_src() {
        let paths = [
            "crates/a/src/lib.rs",
            "crates/a/src/claims/mod.rs",
            "crates/a/src/claims/submit.rs",
            "crates/a/src/submit.rs",
            "crates/a/src/tests/mod.rs",
            "crates/b/src/submit.rs",
        ];
        let paths = paths.map(str::to_owned).into();
        let found = strangers(&paths, "a", &["lib", "claims"]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("crates/a/src/submit:0: "), "{found:?}");
    }

    #[test]
    fn matches_are_looked_at_in_kept_crates_only() {
        let text = "words! { Status { Paid = \"paid\" } }\nfn f(s: Status) { match s { Status::Paid => a(), _ => b() } }";
        let names = ["kept", "other"];
        let crates = names.map(|name| {
            (
                name.to_owned(),
                Crate::of_texts(name, &[("", "mod it;"), ("it", text)]),
            )
        });
        let found = open_matches(&crates.into(), &["kept"]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("it.rs:2: "), "{found:?}");
    }

    #[test]
    fn comments_are_wrapped() {
        let wide = "word ".repeat(20);
        for (line, expected) in [
            (format!("/// {wide}"), true),
            (format!("    // {wide}"), true),
            (format!("/// | {wide}|"), false),
            (format!("// https://example.cn/{}", "x".repeat(100)), false),
            (format!("// key {} of the log", "x".repeat(100)), false),
            (format!("let a = \"{wide}\";"), false),
            (format!("/// {}", "字".repeat(50)), false),
        ] {
            assert_eq!(is_wide_comment(&line), expected, "{line}");
        }
    }
}
