//! Dependencies inside a crate: its wings have one order, and no two modules use each other.
//!
//! Arrows are read from the sources without tests: every path that begins with `crate`, `super` or
//! `self`. A name that a module re-exports is an arrow to the module that defines it, so that a
//! re-export hides no dependency. A module may use its children and they may use it: that is one
//! unit in several files. A call through `self.` is no path and is not seen here.

use std::collections::{BTreeMap, BTreeSet};

/// A crate and the order of its wings.
struct House {
    name: &'static str,
    /// From the top. Wings of one row may use each other.
    order: &'static [&'static [&'static str]],
    /// Defined in `lib.rs`, and used by any wing.
    root: &'static [&'static str],
}

const HOUSES: [House; 3] = [
    House {
        name: "service",
        order: &[
            &["worker"],
            &["webhooks"],
            &["payments"],
            &["audit"],
            &["claims"],
            &["programmes"],
            &["funds"],
            &["identity"],
            &["catalogue"],
            &["at_rest"],
            &["operation"],
            &["ports"],
        ],
        root: &["Service", "Settings", "SecretKey"],
    },
    House {
        name: "store",
        order: &[
            &["migrate"],
            &["webhooks"],
            &["payments"],
            // Claims append to the log, and bundles and exports read claims.
            &["claims", "audit"],
            &["programmes"],
            &["funds"],
            &["identity"],
            &["operation"],
            &["columns", "schema", "batch", "error", "store", "ids"],
        ],
        root: &[],
    },
    House {
        name: "api",
        order: &[
            // The document is made from the routes.
            &["openapi"],
            &["routes"],
            &["webhooks"],
            &["payments"],
            &["audit"],
            &["claims"],
            &["programmes"],
            &["funds"],
            &["identity"],
            &["operation"],
            &["http"],
        ],
        root: &[],
    },
];

/// A module, as the names from the crate's root down to it.
type Module = Vec<String>;

#[test]
fn wings_use_only_those_below_them_and_no_modules_use_each_other() {
    for house in &HOUSES {
        let files = super::sources(house.name).into_iter().map(|(path, text)| {
            let (_, inside) = path.rsplit_once("/src/").unwrap();
            (inside.to_owned(), text)
        });
        let faults = faults(house, &files.collect::<Vec<_>>());
        assert!(faults.is_empty(), "{}:\n{}", house.name, faults.join("\n"));
    }
}

#[test]
fn the_fence_finds_what_it_is_for() {
    let house = House {
        name: "example",
        order: &[&["upper"], &["lower"]],
        root: &["Shared"],
    };
    let lower = [
        ("", ""),
        ("use crate::Shared;", ""),
        ("// crate::upper::a::A", ""),
        ("#[cfg(test)]\nmod tests {\n    use crate::upper::a::A;\n}\n", ""),
        (
            "fn f() { crate::upper::a::f() }",
            "lower uses upper::a, which is above it",
        ),
        (
            "use crate::{Shared, upper::{a::A}};",
            "lower uses upper::a, which is above it",
        ),
        ("use crate::A;", "lower uses upper::a, which is above it"),
        ("use crate::Other;", "lower uses Other of lib.rs"),
    ];
    for (text, fault) in lower {
        let files = [
            (
                "lib.rs",
                "mod lower;\nmod upper;\npub use upper::A;\npub struct Shared;\npub struct Other;\n",
            ),
            ("lower.rs", text),
            (
                "upper/mod.rs",
                "mod a;\nmod b;\npub use a::A;\nfn f() { a::f() }\n",
            ),
            ("upper/a.rs", "use super::f;\nuse crate::lower::L;\n"),
            ("upper/b.rs", "use super::A;\n"),
        ];
        let found = faults(
            &house,
            &files.map(|(path, text)| (path.to_owned(), text.to_owned())),
        );
        assert_eq!(found.join("\n"), fault, "{text}");
    }
    let files = [
        ("lib.rs", ""),
        ("upper/mod.rs", "pub use b::B;\n"),
        ("upper/a.rs", "use super::B;\n"),
        ("upper/b.rs", "use super::a::A;\n"),
    ];
    let found = faults(
        &house,
        &files.map(|(path, text)| (path.to_owned(), text.to_owned())),
    );
    assert_eq!(found, ["upper::a -> upper::b -> upper::a"]);
}

/// Violations of a crate's order, as lines to be read.
fn faults(house: &House, files: &[(String, String)]) -> Vec<String> {
    let files = files.iter().filter(|(path, _)| !path.ends_with("tests.rs"));
    let code = files
        .map(|(path, text)| (module_of(path), without_tests_and_comments(text)))
        .collect::<BTreeMap<_, _>>();
    let (mut faults, mut arrows) = (Vec::new(), BTreeMap::<Module, BTreeSet<Module>>::new());
    for (from, text) in code.iter().filter(|(from, _)| !from.is_empty()) {
        let paths = paths(text).into_iter().map(|path| resolve(&code, from, &path));
        for to in paths.flatten() {
            match to {
                Target::Root(name) if house.root.contains(&name.as_str()) => {}
                Target::Root(name) => faults.push(format!("{} uses {name} of lib.rs", from.join("::"))),
                Target::Module(to) => {
                    let (from_rank, to_rank) = (rank(house, from), rank(house, &to));
                    if from_rank.is_none() || to_rank.is_none() {
                        faults.push(format!(
                            "{} or {} has no place in the order",
                            from.join("::"),
                            to.join("::")
                        ));
                    }
                    if to_rank < from_rank {
                        faults.push(format!(
                            "{} uses {}, which is above it",
                            from.join("::"),
                            to.join("::")
                        ));
                    }
                    if !to.starts_with(from) {
                        arrows.entry(from.clone()).or_default().insert(to);
                    }
                }
            }
        }
    }
    // An arrow upward often closes a circle too: one line for one fault.
    if faults.is_empty() {
        faults.extend(circle(arrows));
    }
    faults.dedup();
    faults
}

fn rank(house: &House, module: &Module) -> Option<usize> {
    let wing = module.first()?.as_str();
    house.order.iter().position(|row| row.contains(&wing))
}

/// A way from a module back to itself, if there is one.
fn circle(mut arrows: BTreeMap<Module, BTreeSet<Module>>) -> Option<String> {
    loop {
        let ends = arrows.values().flatten().filter(|to| !arrows.contains_key(*to));
        let ends = ends.cloned().collect::<BTreeSet<_>>();
        for to in arrows.values_mut() {
            to.retain(|it| !ends.contains(it));
        }
        let before = arrows.len();
        arrows.retain(|_, to| !to.is_empty());
        if arrows.len() == before && ends.is_empty() {
            break;
        }
    }
    // The rest leads nowhere but on: every walk through it returns.
    let mut walk = vec![arrows.keys().next()?.clone()];
    loop {
        let next = arrows[walk.last().unwrap()].first().unwrap().clone();
        let seen = walk.iter().position(|it| *it == next);
        walk.push(next);
        if let Some(start) = seen {
            let names = walk[start..].iter().map(|it| it.join("::")).collect::<Vec<_>>();
            return Some(names.join(" -> "));
        }
    }
}

fn module_of(path: &str) -> Module {
    let path = path.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    let names = path.split('/').filter(|name| *name != "lib");
    names.map(str::to_owned).collect()
}

fn without_tests_and_comments(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = text.lines().map(|line| line.split("//").next().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

enum Target {
    Module(Module),
    /// Defined in `lib.rs` itself.
    Root(String),
}

/// The module that a path of `from` refers to; `None` if it leaves the crate or stays in `from`.
fn resolve(code: &BTreeMap<Module, String>, from: &Module, path: &[String]) -> Option<Target> {
    let mut full = from.clone();
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" => (full, rest) = (Module::new(), &path[1..]),
        "self" | "super" => {
            while let [first, others @ ..] = rest
                && ["self", "super"].contains(&first.as_str())
            {
                if first == "super" {
                    full.pop();
                }
                rest = others;
            }
        }
        // Another crate, unless it is a child.
        name => {
            let child = [from.as_slice(), &[name.to_owned()]].concat();
            code.get(&child)?;
        }
    }
    while let [name, others @ ..] = rest
        && code.contains_key(&[full.as_slice(), std::slice::from_ref(name)].concat())
    {
        full.push(name.clone());
        rest = others;
    }
    if let Some(name) = rest.first() {
        let text = &code[&full];
        let from_here = exports(text)
            .into_iter()
            .find(|export| export.last() == Some(name));
        if let Some(export) = from_here {
            return resolve(code, &full, &export);
        }
        if full.is_empty() {
            return Some(Target::Root(name.clone()));
        }
    }
    (full != *from && !full.is_empty()).then_some(Target::Module(full))
}

/// Paths of the code that begin inside the crate, except those of visibility.
fn paths(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in text.match_indices(start) {
            let before = text[..at].trim_end();
            let inside = text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
            if !inside && !before.ends_with("(in") {
                tree(&text[at..], &[], &mut found);
            }
        }
    }
    found
}

/// The re-exports of a module: each path with its name here.
fn exports(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("use ") {
        let line = text[..at].rsplit('\n').next().unwrap();
        if line.starts_with("pub") {
            tree(&text[at + "use ".len()..], &[], &mut found);
        }
    }
    found
}

/// Parses a path, whose groups may be nested, and returns the rest of the text.
fn tree<'t>(text: &'t str, before: &[String], found: &mut Vec<Vec<String>>) -> &'t str {
    let mut names = before.to_vec();
    let mut text = text.trim_start();
    loop {
        if let Some(mut group) = text.strip_prefix('{') {
            loop {
                group = tree(group, &names, found).trim_start();
                group = group.strip_prefix(',').unwrap_or(group).trim_start();
                if let Some(behind) = group.strip_prefix('}') {
                    return behind;
                }
                if group.is_empty() {
                    return group;
                }
            }
        }
        let end = text
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(text.len());
        let (name, behind) = text.split_at(end);
        if name.is_empty() {
            // A glob, or a macro's variable.
            found.push(names);
            return behind.trim_start_matches('*');
        }
        if name != "self" || names.is_empty() {
            names.push(name.to_owned());
        }
        let Some(next) = behind.strip_prefix("::") else {
            found.push(names);
            return match behind.strip_prefix(" as ") {
                Some(alias) => alias.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'),
                None => behind,
            };
        };
        text = next.trim_start();
    }
}
