//! The account that PostgreSQL's programs run as.

use std::path::Path;
use std::process::Stdio;

use nix::unistd::{Gid, Uid, User};
use tokio::process::Command;

use crate::error::ClusterError;

/// The account to drop to, or this process's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RunAs {
    Ourselves,
    Dropped { name: String, uid: Uid, gid: Gid },
}

impl RunAs {
    /// This process's account, unless it is root, which initdb and postgres refuse: then `postgres`
    /// or else `nobody`.
    pub(crate) fn choose() -> Result<Self, ClusterError> {
        if !Uid::effective().is_root() {
            return Ok(Self::Ourselves);
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .filter(|user| !user.uid.is_root())
            .map(Self::dropped)
            .ok_or(ClusterError::NoAccount)
    }

    /// When root finds a cluster that an ordinary account made, PostgreSQL must run as that
    /// account: it accepts a data directory of its own only.
    pub(crate) fn or_owner(self, uid: u32) -> Self {
        let uid = Uid::from_raw(uid);
        match &self {
            Self::Dropped { uid: chosen, .. } if *chosen != uid && !uid.is_root() => {
                User::from_uid(uid).ok().flatten().map_or(self, Self::dropped)
            }
            _ => self,
        }
    }

    fn dropped(user: User) -> Self {
        Self::Dropped {
            name: user.name,
            uid: user.uid,
            gid: user.gid,
        }
    }

    /// The account's name in `pg_ident.conf`'s sense, for messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Ourselves => our_name(),
            Self::Dropped { name, .. } => name.clone(),
        }
    }

    /// Makes `path` the account's.
    pub(crate) fn own(&self, path: &Path) -> Result<(), ClusterError> {
        match self {
            Self::Ourselves => Ok(()),
            Self::Dropped { uid, gid, .. } => {
                std::os::unix::fs::chown(path, Some(uid.as_raw()), Some(gid.as_raw()))
                    .map_err(ClusterError::io("cannot change the owner of", path))
            }
        }
    }

    /// A command that runs as the account, with an empty environment: this process's holds secrets,
    /// and PG* variables would change the behaviour of PostgreSQL's programs.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> std::process::Command {
        use std::os::unix::process::CommandExt;
        let mut command = std::process::Command::new(program);
        command
            .env_clear()
            .envs([("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"), ("LC_ALL", "C"), ("TZ", "UTC")])
            // This process's working directory may be one that the account cannot enter.
            .current_dir("/")
            .stdin(Stdio::null());
        if let Self::Dropped { uid, gid, .. } = self {
            // From root this also drops the supplementary groups.
            command.uid(uid.as_raw()).gid(gid.as_raw());
        }
        command
    }

    /// Whether the account can enter `directory` and write in it. Tested by trying: modes alone
    /// miss access lists, read-only mounts and parents.
    pub(crate) async fn reaches(&self, directory: &Path) -> bool {
        let mut probe = Command::from(self.command("/bin/sh"));
        probe
            .args(["-c", r#"cd "$1" && test -w . && test -x ."#, "sh"])
            .arg(directory);
        probe.stdout(Stdio::null()).stderr(Stdio::null());
        probe.status().await.is_ok_and(|status| status.success())
    }
}

/// The name of this process's account, which `peer` authentication will see.
pub(crate) fn our_name() -> String {
    let uid = Uid::effective();
    User::from_uid(uid)
        .ok()
        .flatten()
        .map_or_else(|| uid.to_string(), |user| user.name)
}
