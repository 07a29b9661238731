//! The directories of a cluster, and their owner.
//!
//! ```text
//! ROOT/                 mode 0700, of the account that PostgreSQL runs as
//!   lock                held as long as the cluster lives
//!   data/               the data directory; appears whole (made as data.new, then renamed)
//!   run/                the Unix socket; if its path is too long, a directory under /tmp
//!   pg_hba.conf, pg_ident.conf
//!   postgres.log, postgres.log.1
//! ```
//!
//! `ROOT` is `DIR/postgres`, or, when the account cannot reach that, a directory under
//! `/var/lib/huanxin` named after `DIR`, with `DIR/postgres` a symbolic link to it.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::ROLE;
use crate::account::{RunAs, our_name};
use crate::error::ClusterError;

/// The parent of clusters whose account cannot reach the requested directory.
const ELSEWHERE: &str = "/var/lib/huanxin";

/// The longest socket path on every platform: `sun_path` has 104 bytes on macOS, one of them the
/// terminator.
const LONGEST_SOCKET_PATH: usize = 103;

/// PostgreSQL names its socket after the port, which has no other use here.
const SOCKET: &str = ".s.PGSQL.5432";

/// How long to wait for a predecessor that is stopping and holds the directory.
const PREDECESSOR: Duration = Duration::from_secs(15);

/// A log larger than this is renamed at the next start.
const LOG_BYTES: u64 = 16 * 1024 * 1024;

/// A cluster's directories, locked.
#[derive(Debug)]
pub(crate) struct Place {
    root: PathBuf,
    run: PathBuf,
    /// Whether all files are removed when the cluster stops for good.
    temporary: bool,
    run_as: RunAs,
    _lock: File,
}

impl Place {
    /// A new place that is removed at the end.
    pub(crate) async fn temporary(run_as: RunAs) -> Result<Self, ClusterError> {
        let mut unreachable = PathBuf::new();
        for parent in [
            std::env::temp_dir(),
            PathBuf::from("/tmp"),
            PathBuf::from("/var/tmp"),
        ] {
            let Ok(root) = private_temporary(&parent) else {
                unreachable = parent;
                continue;
            };
            run_as.own(root.path())?;
            if run_as.reaches(root.path()).await {
                let lock = lock(root.path()).await?;
                return Self::furnish(root.keep(), true, run_as, lock);
            }
            unreachable = parent;
        }
        Err(ClusterError::Unreachable {
            directory: unreachable,
            account: run_as.name(),
        })
    }

    /// The place of `directory`'s cluster, made if it does not exist.
    pub(crate) async fn kept(directory: &Path, run_as: RunAs) -> Result<Self, ClusterError> {
        DirBuilder::new()
            .recursive(true)
            // The account of PostgreSQL has to pass through, and cannot list it.
            .mode(0o711)
            .create(directory)
            .map_err(ClusterError::io("cannot create", directory))?;
        let directory = directory
            .canonicalize()
            .map_err(ClusterError::io("cannot resolve", directory))?;
        let asked = directory.join("postgres");
        if let Ok(root) = asked.canonicalize() {
            let owner = fs::metadata(&root)
                .map_err(ClusterError::io("cannot examine", &root))?
                .uid();
            let run_as = run_as.or_owner(owner);
            let lock = lock(&root).await?;
            return Self::furnish(root, false, run_as, lock);
        }
        let (root, lock) = new_root(&directory, &asked, &run_as).await?;
        Self::furnish(root, false, run_as, lock)
    }

    fn furnish(root: PathBuf, temporary: bool, run_as: RunAs, lock: File) -> Result<Self, ClusterError> {
        let mut run = root.join("run");
        if fits_a_socket(&run) {
            create_private(&run, &run_as)?;
        } else {
            let parent = Path::new("/tmp");
            let short = private_temporary(parent);
            run = short
                .map_err(ClusterError::io("cannot create a directory in", parent))?
                .keep();
            run_as.own(&run)?;
        }
        let place = Self {
            root,
            run,
            temporary,
            run_as,
            _lock: lock,
        };
        place.write_for_server("pg_hba.conf", "local all all peer map=huanxin\n")?;
        let ident = format!("huanxin {} {}\n", quoted(&our_name()), ROLE);
        place.write_for_server("pg_ident.conf", &ident)?;
        Ok(place)
    }

    fn write_for_server(&self, name: &str, text: &str) -> Result<(), ClusterError> {
        let path = self.root.join(name);
        fs::write(&path, text).map_err(ClusterError::io("cannot write", &path))?;
        self.run_as.own(&path)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    pub(crate) fn run(&self) -> &Path {
        &self.run
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("postgres.log")
    }

    pub(crate) const fn run_as(&self) -> &RunAs {
        &self.run_as
    }

    /// The log, opened to append to; a large one is renamed first.
    pub(crate) fn open_log(&self) -> Result<File, ClusterError> {
        let path = self.log();
        if fs::metadata(&path).is_ok_and(|log| log.len() > LOG_BYTES) {
            let aside = self.root.join("postgres.log.1");
            fs::rename(&path, &aside).map_err(ClusterError::io("cannot put aside", &path))?;
        }
        let opened = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path);
        opened.map_err(ClusterError::io("cannot open", &path))
    }

    /// Directories without use after the server has stopped for good.
    pub(crate) fn leftovers(&self) -> Vec<PathBuf> {
        match (self.temporary, self.run.starts_with(&self.root)) {
            (true, true) => vec![self.root.clone()],
            (true, false) => vec![self.root.clone(), self.run.clone()],
            (false, true) => Vec::new(),
            (false, false) => vec![self.run.clone()],
        }
    }
}

/// A new directory for the cluster of `directory`: `asked` if the account reaches it, else one
/// under [`ELSEWHERE`].
async fn new_root(directory: &Path, asked: &Path, run_as: &RunAs) -> Result<(PathBuf, File), ClusterError> {
    // A symbolic link without its target, which was removed by hand, is in the way.
    if asked.is_symlink() {
        fs::remove_file(asked).map_err(ClusterError::io("cannot remove", asked))?;
    }
    create_private(asked, run_as)?;
    if run_as.reaches(asked).await {
        return Ok((asked.to_owned(), lock(asked).await?));
    }
    fs::remove_dir(asked).map_err(ClusterError::io("cannot remove", asked))?;

    let elsewhere = Path::new(ELSEWHERE);
    let created = DirBuilder::new().recursive(true).mode(0o755).create(elsewhere);
    created.map_err(ClusterError::io("cannot create", elsewhere))?;
    let root = elsewhere.join(escaped(directory));
    if root.exists() {
        // `directory` was removed, and with it the link and the demo's secrets: the remaining files
        // are of no use. Their last server may still be stopping.
        let held = lock(&root).await?;
        crate::postmaster::stop_orphan(&root.join("data")).await;
        fs::remove_dir_all(&root).map_err(ClusterError::io("cannot remove", &root))?;
        drop(held);
    }
    create_private(&root, run_as)?;
    if !run_as.reaches(&root).await {
        return Err(ClusterError::Unreachable {
            directory: root,
            account: run_as.name(),
        });
    }
    let lock = lock(&root).await?;
    std::os::unix::fs::symlink(&root, asked).map_err(ClusterError::io("cannot create the link", asked))?;
    tracing::info!(
        asked = %asked.display(), root = %root.display(), account = run_as.name(),
        "PostgreSQL's files lie elsewhere: its account cannot reach the place asked for",
    );
    Ok((root, lock))
}

fn private_temporary(parent: &Path) -> std::io::Result<tempfile::TempDir> {
    // Without this, the mode would be 0777 less the umask.
    tempfile::Builder::new()
        .prefix("hx-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(parent)
}

fn create_private(path: &Path, run_as: &RunAs) -> Result<(), ClusterError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => run_as.own(path),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(ClusterError::io("cannot create", path)(error)),
    }
}

/// Takes the directory for this process, waiting for a predecessor that is just stopping.
async fn lock(root: &Path) -> Result<File, ClusterError> {
    let path = root.join("lock");
    let opened = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path);
    let file = opened.map_err(ClusterError::io("cannot open", &path))?;
    let give_up = Instant::now() + PREDECESSOR;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < give_up => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(TryLockError::WouldBlock) => {
                return Err(ClusterError::InUse {
                    directory: root.to_owned(),
                });
            }
            Err(TryLockError::Error(error)) => return Err(ClusterError::io("cannot lock", &path)(error)),
        }
    }
}

/// Whether `run` can hold the socket: short enough, and without characters that separate
/// PostgreSQL's lists.
fn fits_a_socket(run: &Path) -> bool {
    run.join(SOCKET).as_os_str().len() <= LONGEST_SOCKET_PATH
        && run.to_str().is_some_and(|path| {
            path.chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.'))
        })
}

/// A directory's path as a single name, reversibly: `/` becomes `-`.
fn escaped(directory: &Path) -> String {
    let path = directory.to_string_lossy();
    path.trim_start_matches('/')
        .replace('%', "%25")
        .replace('-', "%2D")
        .replace('/', "-")
}

/// A name quoted for `pg_ident.conf`.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_one_name_and_no_two_paths_the_same() {
        assert_eq!(
            escaped(Path::new("/srv/huanxin/demo-data")),
            "srv-huanxin-demo%2Ddata"
        );
        assert_ne!(escaped(Path::new("/a/b")), escaped(Path::new("/a-b")));
        assert_ne!(escaped(Path::new("/a-b")), escaped(Path::new("/a%2Db")));
    }

    #[test]
    fn a_socket_goes_elsewhere_when_its_path_is_long_or_odd() {
        assert!(fits_a_socket(Path::new("/tmp/hx-abc123/run")));
        assert!(!fits_a_socket(&Path::new("/tmp").join("x".repeat(90))));
        assert!(!fits_a_socket(Path::new("/tmp/a,b/run")));
        assert!(!fits_a_socket(Path::new("/tmp/数据/run")));
    }
}
