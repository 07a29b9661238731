//! A migration that left the repository does not change: databases record its number, not its text,
//! so the old text would stand in some of them and the new text in others. `migrations/SHA256SUMS`
//! holds the hash of every file, and grows only.

use std::collections::BTreeMap;
use std::path::Path;

use sha2::{Digest, Sha256};

const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");

/// Path below `migrations/` to SHA-256.
type Sums = BTreeMap<String, String>;

/// The list as `sha256sum` writes it. Panics on a line that it would not read, or that is out of
/// order.
fn listed(text: &str) -> Sums {
    let mut sums = Sums::new();
    for line in text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        let (sum, path) = line.split_once("  ").expect(line);
        assert!(
            sums.last_key_value().is_none_or(|(last, _)| last.as_str() < path),
            "SHA256SUMS is sorted by version, with each file once: look at {path}"
        );
        sums.insert(path.to_owned(), sum.to_owned());
    }
    sums
}

/// The SQL files that are there.
fn found(root: &Path) -> Sums {
    let mut sums = Sums::new();
    for version in std::fs::read_dir(root).unwrap() {
        let version = version.unwrap();
        if !version.file_type().unwrap().is_dir() {
            continue;
        }
        for file in std::fs::read_dir(version.path()).unwrap() {
            let file = file.unwrap().path();
            let path = file.strip_prefix(root).unwrap().display().to_string();
            sums.insert(path, hex::encode(Sha256::digest(std::fs::read(&file).unwrap())));
        }
    }
    sums
}

/// Faults, with what to do about each; a line for each file.
fn faults(listed: &Sums, found: &Sums) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, sum) in listed {
        match found.get(path) {
            Some(same) if same == sum => {}
            Some(_) => faults.push(format!(
                "{path} has changed, and databases have run it as it was: undo the change (git checkout) and write what it \
                 should say into a new migration"
            )),
            None => faults.push(format!(
                "{path} is gone, and databases have run it: bring it back"
            )),
        }
    }
    let last = listed.keys().next_back().map_or("", String::as_str);
    for (path, sum) in found.iter().filter(|(path, _)| !listed.contains_key(*path)) {
        if path.as_str() < last {
            faults.push(format!(
                "{path} is new and stands before {last}, which databases have run: give it a later date and number"
            ));
        } else {
            faults.push(format!(
                "{path} is new: once it is as it should be, append the line {sum}  {path}"
            ));
        }
    }
    faults
}

#[test]
fn a_version_that_left_the_repository_does_not_change() {
    let list = std::fs::read_to_string(format!("{MIGRATIONS}/SHA256SUMS")).unwrap();
    let faults = faults(&listed(&list), &found(Path::new(MIGRATIONS)));
    assert!(
        faults.is_empty(),
        "migrations/ is not what migrations/SHA256SUMS says (the rules stand in migrations/README.md):\n{}",
        faults.join("\n")
    );
}

#[test]
fn a_version_can_be_added_and_not_changed_removed_or_slipped_in() {
    let sums = |files: &[(&str, &str)]| {
        let files = files
            .iter()
            .map(|(path, sum)| ((*path).to_owned(), (*sum).to_owned()));
        files.collect::<Sums>()
    };
    let (one, two) = (
        ("2026-11-30-000001_a/up.sql", "aa"),
        ("2026-12-01-000002_b/up.sql", "bb"),
    );
    let list = listed("# a comment\naa  2026-11-30-000001_a/up.sql\nbb  2026-12-01-000002_b/up.sql\n");
    assert_eq!(list, sums(&[one, two]));
    assert_eq!(faults(&list, &sums(&[one, two])), Vec::<String>::new());
    for (found, expected) in [
        (vec![one, (two.0, "b0")], "2026-12-01-000002_b/up.sql has changed"),
        (vec![two], "2026-11-30-000001_a/up.sql is gone"),
        (
            vec![one, two, ("2026-12-02-000003_c/up.sql", "cc")],
            "append the line cc  2026-12-02-000003_c/up.sql",
        ),
        (
            vec![one, ("2026-11-30-000001_b/up.sql", "cc"), two],
            "give it a later date and number",
        ),
    ] {
        let faults = faults(&list, &sums(&found));
        assert!(
            matches!(&faults[..], [only] if only.contains(expected)),
            "{faults:?}"
        );
    }
}
