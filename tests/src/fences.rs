//! Dependencies between crates, from the manifests and the lock file; and, inside a crate, from its
//! sources ([`wings`]).

mod wings;

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Crates of this workspace that each may use. A crate without an entry fails the test.
const MAY_USE: [(&str, &[&str]); 20] = [
    ("words", &[]),
    ("policy", &["words"]),
    ("spreadsheet", &[]),
    ("ledger", &["words"]),
    ("timing", &[]),
    ("cluster", &["timing"]),
    ("claims", &["policy", "ledger", "words"]),
    ("bank", &["ledger", "spreadsheet", "timing", "words"]),
    ("proof", &["claims", "policy", "ledger"]),
    ("store", &["claims", "policy", "ledger", "timing"]),
    (
        "service",
        &[
            "store",
            "proof",
            "bank",
            "spreadsheet",
            "claims",
            "policy",
            "ledger",
            "timing",
        ],
    ),
    ("partners", &["service", "claims", "policy", "ledger", "timing"]),
    ("api-macros", &[]),
    ("wire-derive", &[]),
    (
        "api",
        &[
            "api-macros",
            "wire-derive",
            "service",
            "claims",
            "policy",
            "ledger",
            "timing",
            "words",
        ],
    ),
    (
        "server",
        &[
            "api", "partners", "service", "store", "proof", "cluster", "claims", "policy", "ledger", "timing",
        ],
    ),
    (
        "testkit",
        &[
            "server", "api", "partners", "service", "store", "proof", "cluster", "claims", "policy",
            "ledger", "timing",
        ],
    ),
    ("xtask", &["server", "api"]),
    (
        "bench",
        &[
            "testkit", "service", "store", "proof", "cluster", "claims", "policy", "ledger", "timing",
        ],
    ),
    (
        "tests",
        &[
            "server", "testkit", "api", "partners", "service", "store", "proof", "bank", "cluster", "claims",
            "policy", "ledger", "timing",
        ],
    ),
];

/// Libraries that only some crates may use.
const RESTRICTED: [(&str, &[&str]); 11] = [
    ("diesel", &["store"]),
    ("diesel-async", &["store"]),
    ("diesel_migrations", &["store"]),
    ("deadpool", &["store"]),
    ("actix-web", &["api", "server", "testkit"]),
    ("utoipa", &["api", "server", "testkit"]),
    ("utoipa-swagger-ui", &["api", "server"]),
    ("reqwest", &["partners"]),
    ("quick-xml", &["bank"]),
    ("zip", &["spreadsheet"]),
    ("argon2", &["service"]),
];

/// Crates that cannot fail for an outside reason: no runtime, database, HTTP, clock or randomness.
const PURE: [&str; 8] = [
    "words",
    "timing",
    "policy",
    "ledger",
    "claims",
    "bank",
    "proof",
    "spreadsheet",
];
const IMPURE: [&str; 10] = [
    "tokio",
    "diesel",
    "diesel-async",
    "tokio-postgres",
    "actix-web",
    "actix-rt",
    "reqwest",
    "hyper",
    "mio",
    "async-std",
];

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(format!("{ROOT}/Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap()
}

fn used(package: &Package, kinds: &[DependencyKind]) -> BTreeSet<String> {
    let used = package
        .dependencies
        .iter()
        .filter(|dependency| kinds.contains(&dependency.kind));
    used.map(|dependency| dependency.name.clone()).collect()
}

#[test]
fn every_crate_uses_only_those_below_it() {
    let metadata = metadata();
    let names = metadata
        .packages
        .iter()
        .map(|package| package.name.to_string())
        .collect::<BTreeSet<_>>();
    let known = MAY_USE
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect::<BTreeSet<_>>();
    assert_eq!(names, known);
    for package in &metadata.packages {
        let may = MAY_USE
            .iter()
            .find(|(name, _)| *name == package.name.as_str())
            .unwrap()
            .1;
        for one in used(
            package,
            &[
                DependencyKind::Normal,
                DependencyKind::Build,
                DependencyKind::Development,
            ],
        ) {
            assert!(
                !names.contains(&one) || may.contains(&one.as_str()),
                "{} uses {one}",
                package.name
            );
        }
    }
}

#[test]
fn restricted_libraries_are_used_by_their_crates_only() {
    for package in &metadata().packages {
        let used = used(
            package,
            &[
                DependencyKind::Normal,
                DependencyKind::Build,
                DependencyKind::Development,
            ],
        );
        for (library, allowed) in RESTRICTED {
            let outside = used.contains(library) && !allowed.contains(&package.name.as_str());
            assert!(!outside, "{} uses {library}", package.name);
        }
    }
}

/// The dependencies of every package in the lock file, by name.
fn locked() -> BTreeMap<String, Vec<String>> {
    let lock: toml::Table = std::fs::read_to_string(format!("{ROOT}/Cargo.lock"))
        .unwrap()
        .parse()
        .unwrap();
    let mut needs = BTreeMap::<String, Vec<String>>::new();
    for package in lock["package"].as_array().unwrap() {
        let all = package.get("dependencies").and_then(toml::Value::as_array);
        let names = all.into_iter().flatten().filter_map(toml::Value::as_str);
        let names = names.map(|name| name.split(' ').next().unwrap().to_owned());
        needs
            .entry(package["name"].as_str().unwrap().to_owned())
            .or_default()
            .extend(names);
    }
    needs
}

#[test]
fn the_pure_crates_reach_no_runtime_database_or_network() {
    let (metadata, needs) = (metadata(), locked());
    for package in metadata
        .packages
        .iter()
        .filter(|package| PURE.contains(&package.name.as_str()))
    {
        let mut open = used(package, &[DependencyKind::Normal])
            .into_iter()
            .collect::<Vec<_>>();
        open.retain(|name| !PURE.contains(&name.as_str()));
        let mut reached = BTreeSet::new();
        while let Some(name) = open.pop() {
            if reached.insert(name.clone()) {
                open.extend(needs.get(&name).into_iter().flatten().cloned());
            }
        }
        for name in IMPURE {
            assert!(!reached.contains(name), "{} reaches {name}", package.name);
        }
    }
    for name in ["claims", "ledger", "bank"] {
        let package = metadata
            .packages
            .iter()
            .find(|package| package.name.as_str() == name)
            .unwrap();
        let serde = used(package, &[DependencyKind::Normal])
            .into_iter()
            .any(|it| it.starts_with("serde"));
        assert!(!serde, "{name}: domain types derive neither serde nor diesel");
    }
}

/// Source files of a crate, without its tests.
pub(crate) fn sources(name: &str) -> Vec<(String, String)> {
    let mut folders = vec![std::path::PathBuf::from(format!("{ROOT}/crates/{name}/src"))];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                files.push((path.display().to_string(), std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    files
}

#[test]
fn the_pure_crates_ask_neither_the_clock_nor_chance() {
    for name in PURE {
        for (file, text) in sources(name) {
            for forbidden in [
                "Utc::now",
                "Local::now",
                "SystemTime",
                "Instant::now",
                "thread_rng",
                "rand::",
                "new_v4",
                "now_v7",
            ] {
                assert!(!text.contains(forbidden), "{file} has {forbidden}");
            }
        }
    }
}

#[test]
fn only_the_store_writes_sql_and_only_one_place_opens_a_transaction() {
    // The private PostgreSQL runs a query for its databases.
    for (name, _) in MAY_USE
        .into_iter()
        .filter(|(name, _)| !["tests", "testkit", "store", "cluster"].contains(name))
    {
        for (file, text) in sources(name) {
            for forbidden in ["SELECT ", "INSERT INTO", "DELETE FROM", "begin_transaction"] {
                assert!(!text.contains(forbidden), "{file} has {forbidden}");
            }
        }
    }
    let opens = sources("store")
        .into_iter()
        .filter(|(_, text)| text.contains("begin_transaction("))
        .map(|(file, _)| file);
    let opens = opens.collect::<Vec<_>>();
    assert!(
        matches!(&opens[..], [only] if only.ends_with("store/src/store.rs")),
        "{opens:?}"
    );
}
