//! Reading and writing the files of the corpus.

use std::fs;
use std::path::{Path, PathBuf};

/// Whether files may be written: `CORPUS=write`.
fn writing() -> bool {
    std::env::var_os("CORPUS").is_some_and(|mode| mode == "write")
}

pub(super) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name)
}

/// Whether a frozen file is missing and may be added.
pub(super) fn wanted(name: &str) -> bool {
    writing() && !path(name).exists()
}

/// Adds a frozen file. An existing file stays as it is.
pub(super) fn add(name: &str, bytes: &[u8]) {
    let path = path(name);
    if wanted(name) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
    }
}

pub(super) fn read(name: &str) -> Vec<u8> {
    fs::read(path(name)).unwrap_or_else(|error| panic!("tests/data/{name}: {error}"))
}

pub(super) fn text(name: &str) -> String {
    String::from_utf8(read(name)).expect("UTF-8")
}

/// Compares a text with the corpus, or writes it there in writing mode. A text that differs is kept
/// below the build folder, to be compared with a tool.
pub(super) fn same(name: &str, text: &str) -> Result<(), String> {
    let path = path(name);
    if writing() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        return Ok(());
    }
    let kept = fs::read_to_string(&path).map_err(|error| format!("tests/data/{name}: {error}"))?;
    if kept == text {
        return Ok(());
    }
    let now = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpus").join(name);
    fs::create_dir_all(now.parent().unwrap()).unwrap();
    fs::write(&now, text).unwrap();
    Err(difference(name, &kept, text, &now))
}

/// The first line in which two texts differ, with the heading above it.
fn difference(name: &str, kept: &str, now: &str, written: &Path) -> String {
    let mut heading = "the beginning";
    let (mut kept, mut now) = (kept.lines(), now.lines());
    for number in 1.. {
        let (was, is) = (kept.next(), now.next());
        if let Some(line) = was.filter(|line| line.starts_with("## ")) {
            heading = line;
        }
        if was != is || was.is_none() {
            let [was, is] = [was, is].map(|line| line.unwrap_or("<the end>"));
            return format!(
                "tests/data/{name}:{number}, under {heading:?}\n  was {was}\n  is  {is}\n  all of it: {}",
                written.display()
            );
        }
    }
    unreachable!("one of the texts ends")
}
