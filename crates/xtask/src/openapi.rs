//! Generated pages: written, or compared with what is committed.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

/// Writes `generated` (path and text) below `root`; with `check`, only compares and names the first
/// line that differs.
///
/// # Errors
/// If a file cannot be written, or differs from the generated one.
pub(crate) fn run(root: &Path, generated: &[(&str, String)], check: bool) -> anyhow::Result<String> {
    let mut stale = Vec::new();
    for (name, text) in generated {
        let path = root.join(name);
        let expected = format!("{}\n", text.trim_end());
        if !check {
            fs::write(&path, &expected).with_context(|| format!("{name} cannot be written"))?;
            continue;
        }
        match fs::read_to_string(&path) {
            Ok(found) if found == expected => {}
            Ok(found) => stale.push(difference(name, &found, &expected)),
            Err(error) => stale.push(format!("{name}: {error}")),
        }
    }
    if !stale.is_empty() {
        bail!("{}\n`make openapi` writes them anew", stale.join("\n"));
    }
    let names: Vec<&str> = generated.iter().map(|(name, _)| *name).collect();
    let outcome = if check { "up to date" } else { "written" };
    Ok(format!("openapi: {} {outcome}", names.join(", ")))
}

fn difference(name: &str, found: &str, expected: &str) -> String {
    let (mut found, mut expected) = (found.lines(), expected.lines());
    let mut line = 0_usize;
    loop {
        line = line.saturating_add(1);
        match (found.next(), expected.next()) {
            (Some(committed), Some(generated)) if committed == generated => {}
            (None, None) => return format!("{name}: differs in how it ends"),
            (committed, generated) => {
                let show = |text: Option<&str>| text.map_or("(the end)", str::trim).to_owned();
                let (committed, generated) = (show(committed), show(generated));
                return format!("{name}:{line}: committed {committed}\n{name}:{line}: generated {generated}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_up_to_date_and_a_change_is_shown_by_line() {
        let root = std::env::temp_dir().join(format!("huanxin-xtask-{}", std::process::id()));
        fs::create_dir_all(&root).unwrap();
        let pages = |text: &str| [("page.md", text.to_owned())];
        assert!(
            run(&root, &pages("one\ntwo"), true)
                .unwrap_err()
                .to_string()
                .contains("page.md")
        );
        run(&root, &pages("one\ntwo"), false).unwrap();
        run(&root, &pages("one\ntwo\n"), true).unwrap();
        let error = run(&root, &pages("one\nthree\n"), true).unwrap_err().to_string();
        assert!(
            error.contains("page.md:2: committed two") && error.contains("generated three"),
            "{error}"
        );
        let error = run(&root, &pages("one\n"), true).unwrap_err().to_string();
        assert!(error.contains("generated (the end)"), "{error}");
        fs::remove_dir_all(&root).unwrap();
    }
}
