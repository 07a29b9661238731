//! The container: a USTAR archive of which every byte is determined by the names and contents of
//! its parts.
//!
//! Headers hold a name, a length and nothing else, parts are padded with zeros, and two blocks of
//! zeros end the file. Any other byte is damage, so that no byte escapes the check.

use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};

const BLOCK: usize = 512;

/// Why a file is not a bundle.
#[derive(Debug, thiserror::Error)]
pub enum FormError {
    #[error("byte {at}: {what}")]
    Form { at: u64, what: &'static str },
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// The only header that a part of this name and length may have.
fn header(name: &str, bytes: u64) -> io::Result<[u8; BLOCK]> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name)?;
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(bytes);
    header.set_cksum();
    Ok(*header.as_bytes())
}

/// Zeros after a part.
fn padding(bytes: u64) -> u64 {
    const BLOCK: u64 = 512;
    BLOCK
        .saturating_sub(bytes.checked_rem(BLOCK).unwrap_or(0))
        .checked_rem(BLOCK)
        .unwrap_or(0)
}

/// Writes parts one after another.
#[derive(Debug)]
pub struct Writer<W: Write>(W);

impl<W: Write> Writer<W> {
    pub fn new(out: W) -> Self {
        Writer(out)
    }

    /// Appends a part of exactly `bytes` bytes.
    ///
    /// # Errors
    /// If it cannot be written, or the part has another length.
    pub fn part(&mut self, name: &str, bytes: u64, mut content: impl Read) -> io::Result<()> {
        self.0.write_all(&header(name, bytes)?)?;
        let written = io::copy(&mut content, &mut self.0)?;
        if written != bytes {
            return Err(io::Error::other("a part changed while it was written"));
        }
        io::copy(&mut io::repeat(0).take(padding(bytes)), &mut self.0)?;
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.0.write_all(&[0; BLOCK])?;
        self.0.write_all(&[0; BLOCK])?;
        self.0.flush()?;
        Ok(self.0)
    }
}

/// Reads parts one after another, and every byte between them.
pub(crate) struct Parts<R: Read> {
    inner: R,
    at: u64,
}

/// A part's name and length, from its header.
pub(crate) struct Head {
    pub(crate) name: String,
    pub(crate) bytes: u64,
}

impl<R: Read> Parts<R> {
    pub(crate) fn new(inner: R) -> Self {
        Parts { inner, at: 0 }
    }

    fn block(&mut self) -> Result<[u8; BLOCK], FormError> {
        let mut block = [0; BLOCK];
        self.inner
            .read_exact(&mut block)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => self.wrong("the file is cut off"),
                _ => error.into(),
            })?;
        self.at = self.at.saturating_add(512);
        Ok(block)
    }

    fn wrong(&self, what: &'static str) -> FormError {
        FormError::Form { at: self.at, what }
    }

    /// The next part, or `None` at the end, after which nothing may follow.
    pub(crate) fn next(&mut self) -> Result<Option<Head>, FormError> {
        let block = self.block()?;
        if block == [0; BLOCK] {
            if self.block()? != [0; BLOCK] {
                return Err(self.wrong("the archive ends twice"));
            }
            if self.inner.read(&mut [0])? != 0 {
                return Err(self.wrong("something follows the end"));
            }
            return Ok(None);
        }
        let read = tar::Header::from_byte_slice(&block);
        let (name, bytes) = match (read.path_bytes(), read.size()) {
            (name, Ok(bytes)) => (String::from_utf8(name.into_owned()), bytes),
            _ => return Err(self.wrong("a header is damaged")),
        };
        let name = name.map_err(|_| self.wrong("a header is damaged"))?;
        if header(&name, bytes).ok() != Some(block) {
            return Err(self.wrong("a header is damaged"));
        }
        Ok(Some(Head { name, bytes }))
    }

    /// The content of the part whose header was read last.
    pub(crate) fn content(&mut self, bytes: u64) -> Content<'_, R> {
        Content {
            inner: &mut self.inner,
            left: bytes,
            digest: Sha256::new(),
        }
    }

    /// Checks the padding; call it when all of a content was read.
    pub(crate) fn skip_padding(&mut self, bytes: u64) -> Result<(), FormError> {
        self.at = self.at.saturating_add(bytes);
        let mut zeros = Vec::new();
        (&mut self.inner).take(padding(bytes)).read_to_end(&mut zeros)?;
        if u64::try_from(zeros.len()).ok() != Some(padding(bytes)) {
            return Err(self.wrong("the file is cut off"));
        }
        if zeros.iter().any(|byte| *byte != 0) {
            return Err(self.wrong("padding is not zero"));
        }
        self.at = self.at.saturating_add(padding(bytes));
        Ok(())
    }
}

/// The bytes of a part, hashed as they are read.
pub(crate) struct Content<'a, R: Read> {
    inner: &'a mut R,
    left: u64,
    digest: Sha256,
}

impl<R: Read> Content<'_, R> {
    /// SHA-256 of the part, hexadecimal; `None` before all of it was read.
    pub(crate) fn digest(self) -> Option<String> {
        (self.left == 0).then(|| hex::encode(self.digest.finalize()))
    }
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(buffer) = buffer.get_mut(..most) else {
            return Ok(0);
        };
        let read = self.inner.read(buffer)?;
        self.digest.update(buffer.get(..read).unwrap_or_default());
        self.left = self.left.saturating_sub(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}
