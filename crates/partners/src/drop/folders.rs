//! The folders themselves. Every function here blocks.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use service::ports::{BankError, BankFile, FileName, LARGEST_BANK_FILE, RESULTS_PAGE, ResultsPage};

use super::NoDrop;
use super::disk::{Disk, opening};

/// The most names that are looked at for one page. The next page goes on behind them.
const MOST_LOOKED_AT: usize = 1_000;

/// The most bytes of a checksum file.
const LARGEST_CHECKSUM: usize = 1_024;

/// For the owner and its group, which the bank's program is in.
const FOLDER_MODE: u32 = 0o750;

#[derive(Debug)]
pub(super) struct Folders {
    outgoing: PathBuf,
    incoming: PathBuf,
    taken: PathBuf,
    sent: PathBuf,
    pub(super) disk: Disk,
}

/// Entries of `incoming` that are not reports, or not yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct LeftLying {
    /// Its checksum is missing, or is that of other bytes.
    pub(super) unfinished: usize,
    /// Links, folders, names that are none.
    pub(super) no_files: usize,
    pub(super) too_large: usize,
    pub(super) unreadable: usize,
}

/// What an entry of `incoming` is.
enum Found {
    Report(BankFile),
    Unfinished,
    NoFile,
    TooLarge,
    /// Another instance took it meanwhile.
    Gone,
}

/// The instance's turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn(#[allow(dead_code, reason = "its lock ends with it")] File);

impl Folders {
    pub(super) fn open(root: &Path) -> Result<Self, NoDrop> {
        // The operator may give a link as the root; within it no entry may be one.
        let root = fs::canonicalize(root).map_err(|error| NoDrop::Unusable("the drop", error.kind()))?;
        let device = checked(&root, "the drop")?;
        let inner = |name: &'static str| {
            let path = root.join(name);
            match DirBuilder::new().mode(FOLDER_MODE).create(&path) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                    Err(NoDrop::Unusable(name, error.kind()))
                }
                _ if checked(&path, name)? != device => Err(NoDrop::Elsewhere(name)),
                _ => Ok(path),
            }
        };
        let folders = Self {
            outgoing: inner("outgoing")?,
            incoming: inner("incoming")?,
            taken: inner("taken")?,
            sent: inner("sent")?,
            disk: Disk::default(),
        };
        folders
            .disk
            .sync(&root)
            .map_err(|error| NoDrop::Unusable("the drop", error.kind()))?;
        // A system without locks cannot keep instances apart, and fails when the drop is opened.
        match folders.try_lock() {
            Ok(_) => Ok(folders),
            Err(error) => Err(NoDrop::Unusable("sent", error.kind())),
        }
    }

    /// The turn of this instance, if no other has it.
    pub(super) fn turn(&self) -> Result<Option<Turn>, BankError> {
        self.try_lock().map_err(failed)
    }

    fn try_lock(&self) -> io::Result<Option<Turn>> {
        // Opened anew each time: within one process too a lock belongs to the open file, and not to
        // the thread.
        let lock = opening()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.sent.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Turn(lock))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Lays orders down, once. See the module for the steps; the caller holds the turn.
    pub(super) fn hand_over(&self, file: &BankFile) -> Result<(), BankError> {
        let name = file.name();
        let claim = self.sent.join(checksum_name(name.as_str()));
        let part = self.sent.join(format!("{name}.part"));
        let target = self.outgoing.join(name.as_str());

        match read_checksum(&claim, name.as_str()).map_err(failed)? {
            Checksum::Of(sha256) if sha256 != *file.sha256() => {
                return Err(refused("other bytes were handed over under this name"));
            }
            Checksum::Of(_) if !exists(&part).map_err(failed)? => {
                // The instance that renamed it may have died before the rename was on disk.
                return self.disk.sync(&self.outgoing).map_err(doubtful);
            }
            Checksum::Unreadable => {
                return Err(unavailable("what was handed over under this name cannot be read"));
            }
            Checksum::Of(_) | Checksum::Missing => {}
        }
        // Bytes that this program did not lay down, say from before a drop was restored.
        let laid_down = match read_file(&target, name) {
            Ok(Found::Gone) => false,
            Ok(Found::Report(found)) if found.sha256() == file.sha256() => true,
            Ok(_) => return Err(refused("something else lies there under this name")),
            Err(error) => return Err(failed(error)),
        };
        let checksum = checksum_line(file);
        let prepared = || {
            if laid_down {
                // A part beside the claim would mean that step 3 is still to be done.
                self.disk.remove(&part)?;
                self.disk.sync(&self.sent)?;
            } else {
                self.write(&part, file.bytes())?;
            }
            self.write(&claim, checksum.as_bytes())?;
            self.write(
                &self.outgoing.join(checksum_name(name.as_str())),
                checksum.as_bytes(),
            )?;
            self.disk.sync(&self.outgoing)
        };
        prepared().map_err(failed)?;
        let published = || {
            if !laid_down {
                self.disk.rename(&part, &target)?;
            }
            self.disk.sync(&self.outgoing)?;
            self.disk.sync(&self.sent)
        };
        // From the rename on the bank may have it, even if the synchronisation fails.
        published().map_err(doubtful)
    }

    /// Reports whose names come after `since`, in the order of their names. When the end is reached
    /// the next page begins at the front again, where new ones may have come.
    pub(super) fn reports(&self, since: Option<&str>) -> Result<(ResultsPage, LeftLying), BankError> {
        let mut left_lying = LeftLying::default();
        let names = self
            .names(since.unwrap_or_default(), &mut left_lying)
            .map_err(failed)?;
        let more = names.len() > MOST_LOOKED_AT;
        let (mut files, mut room) = (Vec::new(), LARGEST_BANK_FILE);
        let mut looked_at = None;
        for name in names.iter().take(MOST_LOOKED_AT) {
            match self.report(name) {
                Ok(Found::Report(file)) => match room.checked_sub(file.bytes().len()) {
                    Some(left) if files.len() < RESULTS_PAGE => {
                        room = left;
                        files.push(file);
                    }
                    _ => return Ok((page(files, looked_at), left_lying)),
                },
                Ok(Found::Gone) => {}
                Ok(Found::Unfinished) => left_lying.unfinished = left_lying.unfinished.saturating_add(1),
                Ok(Found::NoFile) => left_lying.no_files = left_lying.no_files.saturating_add(1),
                Ok(Found::TooLarge) => left_lying.too_large = left_lying.too_large.saturating_add(1),
                // A report that cannot be read does not hold up the others.
                Err(_) => left_lying.unreadable = left_lying.unreadable.saturating_add(1),
            }
            looked_at = Some(name);
        }
        Ok((page(files, looked_at.filter(|_| more)), left_lying))
    }

    /// Moves a recorded report to `taken`. The caller holds the turn.
    pub(super) fn take(&self, name: &FileName, sha256: &[u8; 32]) -> Result<(), BankError> {
        self.take_away(name, sha256).map_err(failed)
    }

    fn take_away(&self, name: &FileName, sha256: &[u8; 32]) -> io::Result<()> {
        let (source, checksum) = (
            self.incoming.join(name.as_str()),
            self.incoming.join(checksum_name(name.as_str())),
        );
        let lies_there = match read_file(&source, name)? {
            Found::Report(found) if found.sha256() == sha256 => true,
            Found::Gone => false,
            // Another report has this name by now: a later page hands it out.
            _ => return Ok(()),
        };
        // A bank that uses a name again does not overwrite the report that had it first.
        let plain = self.taken.join(name.as_str());
        let target_name = match read_file(&plain, name)? {
            Found::Gone => name.to_string(),
            Found::Report(found) if found.sha256() == sha256 => name.to_string(),
            _ => format!("{name}.{}", hex::encode(sha256)),
        };
        // The checksum last: alone it is no report, and is found here when the turn ended between
        // the two.
        if lies_there {
            self.disk.rename(&source, &self.taken.join(&target_name))?;
        }
        if matches!(read_checksum(&checksum, name.as_str())?, Checksum::Of(found) if found == *sha256) {
            self.disk
                .rename(&checksum, &self.taken.join(checksum_name(&target_name)))?;
        }
        self.disk.sync(&self.taken)?;
        self.disk.sync(&self.incoming)
    }

    /// The first names after `since`, one more than a page examines.
    fn names(&self, since: &str, left_lying: &mut LeftLying) -> io::Result<BTreeSet<FileName>> {
        let mut names = BTreeSet::new();
        for entry in fs::read_dir(&self.incoming)? {
            let entry = entry?.file_name();
            let text = entry.to_str().unwrap_or_default();
            // Checksums are read with their files, and names that begin with a dot are unfinished.
            if text.starts_with('.')
                || text.ends_with(".sha256")
                || text.ends_with(".tmp")
                || text.ends_with(".part")
            {
                continue;
            }
            let Ok(name) = FileName::parse(text) else {
                left_lying.no_files = left_lying.no_files.saturating_add(1);
                continue;
            };
            if name.as_str() > since {
                names.insert(name);
            }
            if names.len() > MOST_LOOKED_AT.saturating_add(1) {
                names.pop_last();
            }
        }
        Ok(names)
    }

    fn report(&self, name: &FileName) -> io::Result<Found> {
        let found = read_file(&self.incoming.join(name.as_str()), name)?;
        let Found::Report(file) = found else {
            return Ok(found);
        };
        let checksum = self.incoming.join(checksum_name(name.as_str()));
        Ok(match read_checksum(&checksum, name.as_str())? {
            Checksum::Of(sha256) if sha256 == *file.sha256() => Found::Report(file),
            _ => Found::Unfinished,
        })
    }

    /// Writes a file whole or not at all, replacing what is there. The caller holds the turn: the
    /// temporary name is the same each time.
    fn write(&self, to: &Path, bytes: &[u8]) -> io::Result<()> {
        let between = self.sent.join("next.tmp");
        // Left by an instance that died. It may not be a regular file, so it is not opened.
        self.disk.remove(&between)?;
        self.disk.create(&between, bytes)?;
        self.disk.rename(&between, to)?;
        self.disk.sync(&self.sent)
    }
}

fn page(files: Vec<BankFile>, looked_at: Option<&FileName>) -> ResultsPage {
    ResultsPage {
        files,
        next: looked_at.map(ToString::to_string),
    }
}

/// The device of a folder, which must be a folder and not open to all.
fn checked(path: &Path, name: &'static str) -> Result<u64, NoDrop> {
    let metadata = fs::symlink_metadata(path).map_err(|error| NoDrop::Unusable(name, error.kind()))?;
    if !metadata.is_dir() {
        return Err(NoDrop::NotAFolder(name));
    }
    if metadata.permissions().mode() & 0o002 != 0 {
        return Err(NoDrop::OpenToAll(name));
    }
    Ok(metadata.dev())
}

/// The bytes of a regular file up to a size, or what is there instead.
fn read_bounded(path: &Path, most: usize) -> io::Result<Result<Vec<u8>, Found>> {
    let missing = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => Ok(Err(Found::Gone)),
        _ => Err(error),
    };
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Ok(Err(Found::NoFile)),
        Err(error) => return missing(error),
    }
    let file = match opening().read(true).open(path) {
        Ok(file) => file,
        Err(error) => return missing(error),
    };
    // Metadata of the open file: its name may stand for another by now.
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(Err(Found::NoFile));
    }
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    if metadata.len() > most {
        return Ok(Err(Found::TooLarge));
    }
    let mut bytes = Vec::new();
    // The file may grow while it is read.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most {
        return Ok(Err(Found::TooLarge));
    }
    Ok(Ok(bytes))
}

fn read_file(path: &Path, name: &FileName) -> io::Result<Found> {
    Ok(match read_bounded(path, LARGEST_BANK_FILE)? {
        Err(found) => found,
        Ok(bytes) => match BankFile::new(name.clone(), media_type(name), Bytes::from(bytes)) {
            Ok(file) => Found::Report(file),
            Err(_) => Found::NoFile,
        },
    })
}

/// The media type that a file's name in a folder stands for.
fn media_type(name: &FileName) -> &'static str {
    let ending = name
        .as_str()
        .rsplit_once('.')
        .map(|(_, ending)| ending.to_ascii_lowercase());
    match ending.as_deref() {
        Some("xml") => "application/xml",
        Some("csv") => "text/csv",
        Some("json") => "application/json",
        Some("txt") => "text/plain",
        _ => "application/octet-stream",
    }
}

enum Checksum {
    Of([u8; 32]),
    Missing,
    /// Another format, or the checksum of another file.
    Unreadable,
}

fn read_checksum(path: &Path, name: &str) -> io::Result<Checksum> {
    Ok(match read_bounded(path, LARGEST_CHECKSUM)? {
        Err(Found::Gone) => Checksum::Missing,
        Err(_) => Checksum::Unreadable,
        Ok(bytes) => match parse_checksum(&bytes, name) {
            Some(sha256) => Checksum::Of(sha256),
            None => Checksum::Unreadable,
        },
    })
}

fn checksum_name(name: &str) -> String {
    format!("{name}.sha256")
}

/// As `sha256sum` writes it, and `sha256sum --check` reads it.
fn checksum_line(file: &BankFile) -> String {
    format!("{}  {}\n", hex::encode(file.sha256()), file.name())
}

/// The digest alone, or with the name as `sha256sum` writes it.
fn parse_checksum(bytes: &[u8], name: &str) -> Option<[u8; 32]> {
    let text = std::str::from_utf8(bytes).ok()?.trim_end();
    let (digest, rest) = text.split_once(' ').unwrap_or((text, ""));
    // A star marks what was read as binary.
    let of = rest.trim_start().trim_start_matches('*');
    let mut sha256 = [0; 32];
    hex::decode_to_slice(digest, &mut sha256).ok()?;
    (of.is_empty() || of == name).then_some(sha256)
}

fn exists(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn refused(why: &str) -> BankError {
    BankError::Refused { why: why.to_owned() }
}

pub(super) fn unavailable(why: &str) -> BankError {
    BankError::Unavailable {
        why: why.to_owned(),
        retry_after: None,
    }
}

/// Only the kind of error: the rest of the system's text may name a path.
fn failed(error: io::Error) -> BankError {
    unavailable(&error.kind().to_string())
}

/// The same error where the bank may have the file all the same.
fn doubtful(error: io::Error) -> BankError {
    BankError::Unknown {
        why: error.kind().to_string(),
        retry_after: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_a_digest_and_perhaps_a_name() {
        let digest = "ab".repeat(32);
        let cases = [
            (digest.clone(), true),
            (format!("{digest}\n"), true),
            (format!("{digest}  a.xml\n"), true),
            (format!("{digest} *a.xml\r\n"), true),
            (format!("{}  a.xml", digest.to_uppercase()), true),
            (format!("{digest}  b.xml"), false),
            (format!("{digest}0"), false),
            (digest[..63].to_owned(), false),
            (format!("{digest}\n{digest}  b.xml"), false),
            (String::new(), false),
        ];
        for (text, expected) in cases {
            assert_eq!(
                parse_checksum(text.as_bytes(), "a.xml").is_some(),
                expected,
                "{text:?}"
            );
        }
    }
}
