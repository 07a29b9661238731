//! One function a rule. The text that a rule searches for is put together from pieces where the
//! rule would otherwise find itself.

use std::collections::BTreeSet;

use super::{File, Finding};

const LONGEST: usize = 600;

/// Longer by nature (a programme is one document, with its examples), or not written by hand.
const ANY_LENGTH: [&str; 6] = [
    "Cargo.lock",
    "LICENSE",
    "api-spec/",
    "crates/bank/tests/schema/",
    "crates/bench/cala/Cargo.lock",
    "seeds/",
];

/// The files allowed at the top, beside those that begin with a dot.
const TOP: [&str; 18] = [
    "ARCHITECTURE.md",
    "Cargo.lock",
    "Cargo.toml",
    "Dockerfile",
    "LICENSE",
    "Makefile",
    "README.md",
    "api-spec",
    "clippy.toml",
    "crates",
    "deny.toml",
    "docker-compose.yml",
    "docs",
    "migrations",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "seeds",
    "tests",
];

/// All violations in a single file.
pub(super) fn check(file: &File) -> Vec<Finding> {
    let mut found: Vec<Finding> = too_long(file).into_iter().chain(bad_end(file)).collect();
    let rules: [fn(&File, &str) -> Option<String>; 6] = [
        unfinished,
        one_machine,
        foreign,
        whitespace,
        invisible,
        private_key,
    ];
    for (index, line) in file.text.split('\n').enumerate() {
        let messages = rules.iter().filter_map(|rule| rule(file, line));
        found.extend(messages.map(|message| Finding {
            line: index.saturating_add(1),
            message,
        }));
    }
    found
}

/// Whether a file of this name may be other than text.
pub(super) fn is_binary(path: &str) -> bool {
    [".png", ".ico", ".woff2", ".xlsx", ".parquet", ".gz", ".zst"]
        .iter()
        .any(|ending| path.ends_with(ending))
}

fn too_long(file: &File) -> Option<Finding> {
    let data = [".csv", ".ndjson", ".json", ".snap", ".svg"]
        .iter()
        .any(|ending| file.path.ends_with(ending));
    let lines = file.text.lines().count();
    if lines <= LONGEST || data || ANY_LENGTH.iter().any(|name| file.path.starts_with(name)) {
        return None;
    }
    let stated = file
        .text
        .lines()
        .take(30)
        .any(|line| line.contains("longer than 600 lines because"));
    let message = format!("has {lines} lines; split it, or say why it is longer than {LONGEST}");
    (!stated).then_some(Finding { line: 0, message })
}

fn bad_end(file: &File) -> Option<Finding> {
    let message = match file.text.as_str() {
        "" => return None,
        text if !text.ends_with('\n') => "does not end with a line end",
        text if text.ends_with("\n\n") => "ends with an empty line",
        _ => return None,
    };
    Some(Finding {
        line: 0,
        message: message.to_owned(),
    })
}

/// Deferred work belongs into an issue, or is done.
fn unfinished(file: &File, line: &str) -> Option<String> {
    let marks = [["TO", "DO"], ["FIX", "ME"], ["HA", "CK"]].map(|pieces| pieces.concat());
    if let Some(mark) = marks.iter().find(|mark| has_word(line, mark)) {
        return Some(format!("{mark}: do it or write an issue"));
    }
    let calls = [["todo", "!("], ["unimplemented", "!("], ["dbg", "!("]].map(|pieces| pieces.concat());
    let call = calls
        .iter()
        .find(|call| file.path.ends_with(".rs") && line.contains(call.as_str()));
    if let Some(call) = call {
        return Some(format!("{call}…) is left"));
    }
    let ignored = file.path.ends_with(".rs") && line.trim_start().starts_with(&["#[ig", "nore"].concat());
    ignored.then(|| "a test that is not run proves nothing".to_owned())
}

/// A path that exists on one author's machine only.
fn one_machine(_: &File, line: &str) -> Option<String> {
    let homes =
        [["/ro", "ot/"], ["/wo", "rk/"], ["/ho", "me/"], ["/Us", "ers/"]].map(|pieces| pieces.concat());
    // Where Homebrew lies on every Linux.
    let common = ["linuxbrew/"];
    homes.iter().find_map(|home| {
        let at = line.find(home.as_str())?;
        let (before, after) = (line.get(..at)?, line.get(at.saturating_add(home.len())..)?);
        let begins = !before
            .ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '}' | ')' | '*'));
        let ours = begins && !common.iter().any(|common| after.starts_with(common));
        ours.then(|| format!("{home} is a path of one machine"))
    })
}

/// References out of the repository: to files beside it, to a mirror of a registry.
fn foreign(_: &File, line: &str) -> Option<String> {
    let marks = [
        ["../sha", "red"],
        ["replace-", "with"],
        ["--index", "-url"],
        ["--extra-index", "-url"],
        ["arti", "factory"],
        ["<<<<", "<<< "],
        [">>>>", ">>> "],
    ]
    .map(|pieces| pieces.concat());
    marks
        .iter()
        .find(|mark| line.contains(mark.as_str()))
        .map(|mark| format!("{mark} does not belong here"))
}

fn whitespace(file: &File, line: &str) -> Option<String> {
    // Spreadsheets write carriage returns, and so may examples of what they write.
    let data = file.path.ends_with(".csv") || file.path.ends_with(".snap");
    if line.ends_with('\r') && !data {
        return Some("ends with a carriage return".to_owned());
    }
    if line.trim_end_matches('\r').ends_with([' ', '\t']) && !data {
        return Some("ends with white space".to_owned());
    }
    let tab = line.contains('\t')
        && [".rs", ".sql", ".toml", ".md", ".yml"]
            .iter()
            .any(|end| file.path.ends_with(end));
    tab.then(|| "holds a tab".to_owned())
}

/// Characters that make a line read otherwise than it is.
fn invisible(file: &File, line: &str) -> Option<String> {
    let hidden = |c: &char| matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}');
    let data = file.path.ends_with(".csv") || file.path.ends_with(".snap");
    let mark = |c: &char| *c == '\u{feff}' && !data;
    let found = line.chars().find(|c| hidden(c) || mark(c))?;
    Some(format!(
        "holds the invisible character U+{:04X}",
        u32::from(found)
    ))
}

fn private_key(_: &File, line: &str) -> Option<String> {
    let line = line.trim();
    let key = line.starts_with("-----BEGIN ") && line.ends_with(" PRIVATE KEY-----");
    key.then(|| "a private key is no secret once it is committed".to_owned())
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let inside = |c: char| c.is_alphanumeric() || c == '_';
        let before = line.get(..at).is_some_and(|before| before.ends_with(inside));
        let after = line
            .get(at.saturating_add(word.len())..)
            .is_some_and(|after| after.starts_with(inside));
        !before && !after
    })
}

/// Required and forbidden files, as `path:0: fault`.
pub(super) fn layout(paths: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    let tops: BTreeSet<&str> = paths.iter().filter_map(|path| path.split('/').next()).collect();
    for top in tops
        .iter()
        .filter(|top| !top.starts_with('.') && !TOP.contains(top))
    {
        found.push(format!("{top}:0: has no place at the top of the repository"));
    }
    for required in ["README.md", "ARCHITECTURE.md", "LICENSE", "migrations/README.md"] {
        if !paths.contains(required) {
            found.push(format!("{required}:0: is missing"));
        }
    }
    for folder in folders(paths, "crates/") {
        if !paths.contains(&format!("{folder}/README.md")) {
            found.push(format!("{folder}/README.md:0: is missing"));
        }
    }
    for folder in folders(paths, "migrations/") {
        let name = folder.trim_start_matches("migrations/");
        if !is_migration_name(name) {
            found.push(format!("{folder}:0: is not named YYYY-MM-DD-NNNNNN_what"));
        }
        for half in ["up.sql", "down.sql"] {
            if !paths.contains(&format!("{folder}/{half}")) {
                found.push(format!("{folder}/{half}:0: is missing"));
            }
        }
    }
    found
}

/// The folders directly below `parent`, which ends with a slash.
fn folders(paths: &BTreeSet<String>, parent: &str) -> BTreeSet<String> {
    let folder = |path: &String| {
        Some(format!(
            "{parent}{}",
            path.strip_prefix(parent)?.split_once('/')?.0
        ))
    };
    paths.iter().filter_map(folder).collect()
}

fn is_migration_name(name: &str) -> bool {
    let shape: String = name
        .chars()
        .take(18)
        .map(|c| if c.is_ascii_digit() { '9' } else { c })
        .collect();
    shape == "9999-99-99-999999_" && name.len() > 18
}

/// Links to files: line and target, without fragment. Not those to the web, to a place on the same
/// page, or in code.
pub(super) fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            code = !code;
        }
        for piece in line.split("](").skip(1).filter(|_| !code) {
            let target = piece.split(')').next().unwrap_or_default();
            let file = target.split('#').next().unwrap_or_default();
            if !file.is_empty() && !file.contains(':') && !file.starts_with('/') {
                found.push((index.saturating_add(1), file));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(path: &str, text: &str) -> Vec<String> {
        let file = File {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        check(&file)
            .into_iter()
            .map(|finding| format!("{}: {}", finding.line, finding.message))
            .collect()
    }

    #[test]
    fn a_tidy_file_has_no_finding() {
        let work = ["/wo", "rk/"].concat();
        let text =
            format!("//! Why.\nlet path = format!(\"{{dir}}{work}x\"); // https://example.cn{work}a\n");
        assert_eq!(messages("crates/a/src/lib.rs", &text), Vec::<String>::new());
        assert_eq!(
            messages("docs/a.md", "A methodological TODOS list.\n"),
            Vec::<String>::new()
        );
        assert_eq!(
            messages("seeds/a.csv", "\u{feff}编号,名称\r\n"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn each_rule_finds_what_it_is_for() {
        for (line, expected) in [
            (["// TO", "DO: later"].concat(), "write an issue"),
            (["to", "do!()"].concat(), "is left"),
            (["    #[ig", "nore]"].concat(), "proves nothing"),
            (["\"/ro", "ot/x\""].concat(), "path of one machine"),
            (["cd /wo", "rk/main"].concat(), "path of one machine"),
            (["see ../sha", "red/a"].concat(), "does not belong"),
            (["<<<<", "<<< ours"].concat(), "does not belong"),
            ("let a = 1; ".to_owned(), "white space"),
            ("let a = 1;\r".to_owned(), "carriage return"),
            ("\tlet a = 1;".to_owned(), "a tab"),
            ("let a\u{202e} = 1;".to_owned(), "U+202E"),
            ("-----BEGIN PRIVATE KEY-----".to_owned(), "private key"),
        ] {
            let found = messages("crates/a/src/lib.rs", &format!("first\n{line}\n"));
            assert_eq!(found.len(), 1, "{line:?}: {found:?}");
            assert!(
                found[0].starts_with("2: ") && found[0].contains(expected),
                "{line:?}: {found:?}"
            );
        }
        assert!(messages("a.rs", "x")[0].contains("line end"));
        assert!(messages("a.rs", "x\n\n")[0].contains("empty line"));
    }

    #[test]
    fn a_long_file_must_say_why() {
        let long = "x\n".repeat(601);
        assert!(messages("crates/a/src/lib.rs", &long)[0].contains("601 lines"));
        let stated = format!("//! This is longer than 600 lines because of its table.\n{long}");
        assert!(messages("crates/a/src/lib.rs", &stated).is_empty());
        assert!(messages("api-spec/openapi.json", &long).is_empty());
    }

    #[test]
    fn the_layout_is_checked() {
        let complete = [
            "README.md",
            "ARCHITECTURE.md",
            "LICENSE",
            "migrations/README.md",
            "crates/a/README.md",
            "crates/a/src/lib.rs",
            "migrations/2026-11-23-000001_first/up.sql",
            "migrations/2026-11-23-000001_first/down.sql",
            ".ci/run",
        ];
        let mut paths: BTreeSet<String> = complete.map(str::to_owned).into();
        assert_eq!(layout(&paths), Vec::<String>::new());
        paths.remove("crates/a/README.md");
        paths.remove("migrations/2026-11-23-000001_first/down.sql");
        paths.insert("migrations/second/up.sql".to_owned());
        paths.insert("scripts/x".to_owned());
        assert_eq!(layout(&paths).len(), 5, "{:?}", layout(&paths));
    }

    #[test]
    fn links_to_files_are_found() {
        let text = "[a](docs/a.md#part) [b](https://b.cn) [c](#c)\n```\n[d](d.md)\n```\n![e](e.png)\n";
        assert_eq!(links(text), [(1, "docs/a.md"), (5, "e.png")]);
    }
}
