//! Every document that ships loads, reproduces its worked examples, and overlaps no other version.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::PathBuf;

use policy::{Lang, Programme, Severity, check_overlap};

const IDS: [&str; 11] = [
    "appliance-2024",
    "appliance-2025",
    "appliance-2026",
    "digital-2025",
    "digital-2026",
    "vehicle-replacement-2025",
    "vehicle-replacement-2026",
    "vehicle-scrap-2024a",
    "vehicle-scrap-2024b",
    "vehicle-scrap-2025",
    "vehicle-scrap-2026",
];

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../seeds/programmes")
}

fn programme(id: &str) -> Programme {
    let source = std::fs::read_to_string(directory().join(format!("{id}.toml"))).unwrap();
    Programme::parse(&source).unwrap_or_else(|faults| {
        let lines: Vec<String> = faults.iter().map(|fault| format!("{id}.toml:{fault}")).collect();
        panic!("{}", lines.join("\n"))
    })
}

#[test]
fn programmes_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Programme>();
}

#[test]
fn all_of_them_are_here() {
    let mut found: Vec<String> = std::fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    found.sort();
    assert_eq!(found, IDS);
    for id in IDS {
        assert_eq!(programme(id).id(), id);
    }
}

#[test]
fn worked_examples_come_out() {
    let mut wrong = Vec::new();
    for id in IDS {
        let programme = programme(id);
        assert!(programme.examples().len() >= 20, "{id} has too few examples");
        for result in programme.run_examples() {
            for difference in &result.differences {
                wrong.push(format!("{id}: {}: {difference}", result.name));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Every rule but those of the service fails or is unknown in some example: otherwise no example
/// tests it.
#[test]
fn every_deciding_rule_is_exercised() {
    for id in IDS {
        let programme = programme(id);
        let troubled: Vec<&String> = programme
            .examples()
            .iter()
            .flat_map(|it| it.fails.iter().chain(&it.unknown))
            .collect();
        let untried: Vec<&str> = programme
            .texts()
            .filter(|text| programme.system_rule(&text.id).is_none() && text.severity != Severity::Review)
            .map(|text| &*text.id)
            .filter(|rule| !troubled.iter().any(|id| id == rule))
            .collect();
        assert!(untried.is_empty(), "{id}: {untried:?}");
    }
}

#[test]
fn every_rule_cites_an_instrument_of_its_document() {
    for id in IDS {
        let programme = programme(id);
        for text in programme.texts() {
            let cited = programme
                .instruments()
                .iter()
                .any(|it| text.clause.contains(&it.number))
                || text.clause.starts_with("GB ");
            assert!(cited, "{id}: {} cites {}", text.id, text.clause);
        }
    }
}

#[test]
fn summaries_are_in_both_languages() {
    for id in IDS {
        let programme = programme(id);
        let (zh, en) = (programme.summary(Lang::Zh), programme.summary(Lang::En));
        assert_ne!(zh["title"], en["title"]);
        assert_eq!(
            zh["rules"].as_array().unwrap().len(),
            en["rules"].as_array().unwrap().len()
        );
    }
}

#[test]
fn no_versions_overlap() {
    let programmes: Vec<Programme> = IDS.into_iter().map(programme).collect();
    check_overlap(&programmes.iter().collect::<Vec<_>>()).unwrap();
}
