//! `deny.toml`'s rules on licences, bans and sources, checked over `cargo metadata`. `cargo-deny`
//! reads the same file and checks more, but takes minutes to install; this always runs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use cargo_metadata::{CargoOpt, MetadataCommand};
use spdx::{Expression, Licensee, ParseMode};

/// crates.io also allows `MIT/Apache-2.0`, an old way to write OR.
const MODE: ParseMode = ParseMode {
    allow_slash_as_or_operator: true,
    ..ParseMode::STRICT
};

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Checks every dependency for this platform.
///
/// # Errors
/// A list of all violations.
pub(crate) fn run(root: &Path) -> anyhow::Result<String> {
    let rules = fs::read_to_string(root.join("deny.toml")).context("deny.toml cannot be read")?;
    let rules: toml::Table = rules.parse().context("deny.toml is not TOML")?;
    let allowed = Allowed::of(&strings(&rules, "licenses", "allow", None)?)?;
    let banned = strings(&rules, "bans", "deny", Some("crate"))?;
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .features(CargoOpt::AllFeatures)
        .other_options(["--locked".to_owned(), "--filter-platform".to_owned(), host()?])
        .exec()?;
    let resolved: BTreeSet<_> = metadata
        .resolve
        .as_ref()
        .context("cargo resolved nothing")?
        .nodes
        .iter()
        .map(|node| &node.id)
        .collect();
    let (mut found, mut foreign) = (Vec::new(), 0_usize);
    for package in metadata
        .packages
        .iter()
        .filter(|package| resolved.contains(&package.id))
    {
        let name = format!("{} {}", package.name, package.version);
        if banned.contains(package.name.as_str()) {
            found.push(format!("{name} is banned"));
        }
        let Some(source) = &package.source else {
            continue;
        };
        foreign = foreign.saturating_add(1);
        if source.repr != CRATES_IO {
            found.push(format!("{name} comes from {source} and not from crates.io"));
        }
        match package.license.as_deref() {
            None => found.push(format!("{name} names no licence")),
            Some(licence) if !allowed.meet(licence) => found.push(format!("{name} is under {licence}")),
            Some(_) => {}
        }
    }
    if !found.is_empty() {
        bail!("{}\ndeny.toml says what is allowed", found.join("\n"));
    }
    Ok(format!("licences: {foreign} dependencies, all allowed"))
}

/// The strings at `section.key`; entries that are tables give their `field`.
fn strings(
    rules: &toml::Table,
    section: &str,
    key: &str,
    field: Option<&str>,
) -> anyhow::Result<BTreeSet<String>> {
    let entries = rules
        .get(section)
        .and_then(|section| section.get(key))
        .and_then(toml::Value::as_array);
    let entries = entries.with_context(|| format!("deny.toml has no list {section}.{key}"))?;
    let text = |entry: &toml::Value| {
        let inner = field.and_then(|field| entry.get(field)).unwrap_or(entry);
        inner
            .as_str()
            .map(str::to_owned)
            .with_context(|| format!("{section}.{key} holds {entry}"))
    };
    entries.iter().map(text).collect()
}

fn host() -> anyhow::Result<String> {
    let output = std::process::Command::new("rustc")
        .arg("-vV")
        .output()
        .context("rustc cannot be run")?;
    let text = String::from_utf8(output.stdout)?;
    let host = text
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc names no host")?;
    Ok(host.to_owned())
}

/// The licences that `deny.toml` allows.
struct Allowed(Vec<Licensee>);

impl Allowed {
    fn of<'a>(names: impl IntoIterator<Item = &'a String>) -> anyhow::Result<Self> {
        let licence = |name: &'a String| {
            Licensee::parse(name)
                .map_err(|error| anyhow!("deny.toml allows {name}, which is no licence: {error}"))
        };
        names.into_iter().map(licence).collect::<Result<_, _>>().map(Self)
    }

    /// Whether an SPDX expression can be met with them. Text that is no expression cannot be met.
    fn meet(&self, expression: &str) -> bool {
        Expression::parse_mode(expression, MODE).is_ok_and(|parsed| {
            parsed.evaluate(|asked| self.0.iter().any(|licence| licence.satisfies(asked)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_met_as_spdx_means_them() {
        let names = ["MIT", "Apache-2.0", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
        let allowed = Allowed::of(&names).unwrap();
        for (expression, expected) in [
            ("MIT", true),
            ("MIT/Apache-2.0", true),
            ("GPL-3.0-only", false),
            ("GPL-3.0-only OR MIT", true),
            ("GPL-3.0-only AND MIT", false),
            ("MIT AND ISC OR GPL-3.0-only", true),
            ("GPL-3.0-only OR MIT AND GPL-2.0-only", false),
            ("(MIT OR GPL-3.0-only) AND ISC", true),
            ("ISC AND (Apache-2.0 OR ISC) AND (GPL-2.0-only)", false),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("Apache-2.0 WITH Classpath-exception-2.0", false),
            ("(MIT", false),
            ("MIT Apache-2.0", false),
            ("", false),
        ] {
            assert_eq!(allowed.meet(expression), expected, "{expression}");
        }
    }

    #[test]
    fn a_licence_that_does_not_exist_cannot_be_allowed() {
        assert!(Allowed::of(&["MTI".to_owned()]).is_err());
    }
}
