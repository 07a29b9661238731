//! The single steps that change something on disk, so that a test can let each of them be the last
//! before a crash.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;

/// Readable by the owner and its group, which the bank's program is in.
const FILE_MODE: u32 = 0o640;

#[derive(Debug, Default)]
pub(super) struct Disk {
    /// How many more steps are done before the simulated crash.
    #[cfg(test)]
    pub(super) steps_left: std::sync::Mutex<Option<usize>>,
}

impl Disk {
    /// Writes a new file and synchronises it to disk.
    pub(super) fn create(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.step()?;
        let mut file = opening().write(true).create_new(true).open(path)?;
        self.step()?;
        file.write_all(bytes)?;
        self.step()?;
        file.sync_all()
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        fs::rename(from, to)
    }

    /// Removes a file that may not be there.
    pub(super) fn remove(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Makes the names in a folder outlast a loss of power.
    pub(super) fn sync(&self, folder: &Path) -> io::Result<()> {
        self.step()?;
        File::open(folder)?.sync_all()
    }

    #[cfg(not(test))]
    #[allow(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "a test may stop here"
    )]
    fn step(&self) -> io::Result<()> {
        Ok(())
    }

    #[cfg(test)]
    fn step(&self) -> io::Result<()> {
        match self.steps_left.lock().unwrap().as_mut() {
            None => Ok(()),
            Some(0) => Err(io::Error::other("as after a crash")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }
}

/// Follows no link, and waits for no pipe: other programs write to these folders.
pub(super) fn opening() -> OpenOptions {
    let mut options = OpenOptions::new();
    options
        .mode(FILE_MODE)
        .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits());
    options
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::*;

    /// An entry that was a file when it was listed may be another kind when it is opened.
    #[test]
    fn opening_follows_no_link_and_waits_for_no_pipe() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link, pipe] = ["file", "link", "pipe"].map(|name| folder.path().join(name));
        fs::write(&file, "").unwrap();
        symlink(&file, &link).unwrap();
        mkfifo(&pipe, Mode::S_IRWXU).unwrap();
        assert!(opening().read(true).open(&file).is_ok());
        assert!(opening().read(true).open(&link).is_err());
        assert!(opening().read(true).open(&pipe).is_ok());
    }
}
