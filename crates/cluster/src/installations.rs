//! Finding PostgreSQL's programs: Debian, Red Hat, Alpine and Homebrew keep `initdb` and `postgres`
//! out of PATH.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::OLDEST_MAJOR;
use crate::error::ClusterError;

/// Where packagers put the programs; `*` stands for the variable part of one path component.
const USUAL_PLACES: [&str; 9] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/lib64/pgsql/bin",
    "/usr/pgsql-*/bin",
    "/usr/libexec/postgresql*",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];

/// Where to look before the usual places of packagers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// The directory of `initdb` and `postgres`. When it is given, no other place is searched.
    pub bin: Option<PathBuf>,
    /// Directories as `PATH` lists them.
    pub path: Option<OsString>,
}

impl Search {
    /// `HUANXIN_PG_BIN` and `PATH` of this process. An empty variable counts as one that is not
    /// set.
    #[must_use]
    pub fn of_process() -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        Self {
            bin: variable("HUANXIN_PG_BIN").map(PathBuf::from),
            path: variable("PATH"),
        }
    }
}

/// One installed version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    bin: PathBuf,
    major: u32,
    psql: PathBuf,
}

impl Installation {
    /// The directory of `initdb` and `postgres`.
    #[must_use]
    pub fn bin(&self) -> &Path {
        &self.bin
    }

    /// The major version, such as 15.
    #[must_use]
    pub const fn major(&self) -> u32 {
        self.major
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// `psql` may come from another package and stand elsewhere.
    pub(crate) fn psql(&self) -> &Path {
        &self.psql
    }

    async fn examine(bin: &Path, path: Option<&OsStr>) -> Result<Self, String> {
        for program in ["initdb", "postgres"] {
            if !bin.join(program).is_file() {
                return Err(format!("has no {program}"));
            }
        }
        // PATH may hold links to the programs themselves, and not to all of them.
        let target = bin
            .join("postgres")
            .canonicalize()
            .ok()
            .and_then(|file| Some(file.parent()?.to_owned()));
        let bin = target
            .filter(|target| target.join("initdb").is_file())
            .unwrap_or_else(|| bin.to_owned());
        let psql = std::iter::once(bin.clone())
            .chain(directories(path))
            .map(|directory| directory.join("psql"))
            .find(|psql| psql.is_file())
            .ok_or_else(|| "has no psql, nor has PATH".to_owned())?;
        let output = Command::new(bin.join("postgres"))
            .arg("--version")
            .output()
            .await
            .map_err(|error| format!("has a postgres that does not run: {error}"))?;
        let version = String::from_utf8_lossy(&output.stdout);
        let major =
            major(&version).ok_or_else(|| format!("has a postgres of unknown version {version:?}"))?;
        if major < OLDEST_MAJOR {
            return Err(format!(
                "is PostgreSQL {major}; {OLDEST_MAJOR} is the oldest that will do"
            ));
        }
        Ok(Self { bin, major, psql })
    }
}

/// The usable versions, the preferred one first; never empty.
#[derive(Debug, Clone)]
pub struct Installations {
    preferred: Installation,
    others: Vec<Installation>,
}

impl Installations {
    /// Searches [`Search::bin`] (and then nowhere else), [`Search::path`], the directory that
    /// `pg_config` prints, and the usual places of packagers from the newest version down.
    ///
    /// # Errors
    /// [`ClusterError::UnusableInstallation`] if [`Search::bin`] lacks the programs,
    /// [`ClusterError::NotInstalled`] if no sufficient version is found.
    pub async fn find(search: &Search) -> Result<Self, ClusterError> {
        let path = search.path.as_deref();
        if let Some(bin) = &search.bin {
            return match Installation::examine(bin, path).await {
                Ok(preferred) => Ok(Self {
                    preferred,
                    others: Vec::new(),
                }),
                Err(reason) => Err(ClusterError::UnusableInstallation {
                    path: bin.clone(),
                    reason,
                }),
            };
        }
        let mut named: Vec<PathBuf> = directories(path).collect();
        named.extend(by_pg_config(path).await);
        let mut found = examine_all(named, path).await;
        let mut usual = examine_all(USUAL_PLACES.into_iter().flat_map(expand).collect(), path).await;
        usual.sort_by_key(|installation| std::cmp::Reverse(installation.major));
        found.extend(usual);

        let mut seen = BTreeSet::new();
        found.retain(|installation| {
            let postgres = installation.program("postgres");
            seen.insert(postgres.canonicalize().unwrap_or(postgres))
        });
        let mut found = found.into_iter();
        let Some(preferred) = found.next() else {
            let searched = ["HUANXIN_PG_BIN", "PATH", "pg_config --bindir"]
                .into_iter()
                .chain(USUAL_PLACES);
            return Err(ClusterError::NotInstalled {
                searched: searched.map(str::to_owned).collect(),
            });
        };
        Ok(Self {
            preferred,
            others: found.collect(),
        })
    }

    /// The installation for a new cluster.
    #[must_use]
    pub const fn preferred(&self) -> &Installation {
        &self.preferred
    }

    /// The first installation of that major version.
    #[must_use]
    pub fn of_major(&self, major: u32) -> Option<&Installation> {
        self.iter().find(|installation| installation.major == major)
    }

    /// All, the preferred one first.
    pub fn iter(&self) -> impl Iterator<Item = &Installation> {
        std::iter::once(&self.preferred).chain(&self.others)
    }
}

async fn examine_all(bins: Vec<PathBuf>, path: Option<&OsStr>) -> Vec<Installation> {
    let mut found = Vec::new();
    for bin in bins {
        found.extend(Installation::examine(&bin, path).await.ok());
    }
    found
}

fn directories(path: Option<&OsStr>) -> impl Iterator<Item = PathBuf> {
    path.map(std::env::split_paths)
        .into_iter()
        .flatten()
        .filter(|directory| directory.is_absolute())
}

async fn by_pg_config(path: Option<&OsStr>) -> Option<PathBuf> {
    let program = directories(path)
        .map(|directory| directory.join("pg_config"))
        .find(|file| file.is_file())?;
    let output = Command::new(program).arg("--bindir").output().await.ok()?;
    let bin = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !bin.trim().is_empty()).then(|| PathBuf::from(bin.trim()))
}

/// The directories that a pattern with at most one `*` stands for.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else {
        return vec![PathBuf::from(pattern)];
    };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let Ok(entries) = std::fs::read_dir(format!("{parent}/")) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| {
            entry
                .file_name()
                .to_str()
                .is_some_and(|name| name.starts_with(prefix))
        })
        .map(|entry| entry.path().join(after.trim_start_matches('/')))
        .collect()
}

/// The major version in what `postgres --version` prints: `postgres (PostgreSQL) 15.14 (Debian
/// 15.14-0+deb12u1)`.
fn major(version: &str) -> Option<u32> {
    let number = version.split("(PostgreSQL)").nth(1)?.trim_start();
    let digits = number
        .split(|character: char| !character.is_ascii_digit())
        .next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_versions_are_read_from_every_packagers_wording() {
        for (version, expected) in [
            ("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", Some(15)),
            ("postgres (PostgreSQL) 17.0\n", Some(17)),
            ("postgres (PostgreSQL) 19devel", Some(19)),
            ("postgres (PostgreSQL) 18beta2", Some(18)),
            ("postgres (PostgreSQL) 9.6.24", Some(9)),
            ("postgres: command not found", None),
            ("", None),
        ] {
            assert_eq!(major(version), expected, "{version:?}");
        }
    }

    #[test]
    fn a_pattern_stands_for_the_directories_that_exist() {
        let root = tempfile::tempdir().unwrap();
        for name in ["pgsql-15", "pgsql-17", "other"] {
            std::fs::create_dir(root.path().join(name)).unwrap();
        }
        let mut found = expand(&format!("{}/pgsql-*/bin", root.path().display()));
        found.sort();
        assert_eq!(
            found,
            [root.path().join("pgsql-15/bin"), root.path().join("pgsql-17/bin")]
        );
        assert!(expand("/nowhere/at/all/*/bin").is_empty());
    }
}
