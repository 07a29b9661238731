//! The ids of acknowledged claims: kept in memory by the thousand and written to a file.

use std::fs::File;
use std::io::Write;
use std::path::Path;

/// A file of ids, one a line.
#[derive(Debug)]
pub(super) struct Ids {
    file: File,
    buffer: Vec<u8>,
}

const BUFFER: usize = 256 * 1024;

impl Ids {
    pub(super) fn create(path: &Path) -> std::io::Result<Self> {
        Ok(Self {
            file: File::create(path)?,
            buffer: Vec::with_capacity(BUFFER + 64),
        })
    }

    /// Keeps an id such as `clm_140802_0190…`; false if the answer does not begin with one.
    pub(super) fn keep(&mut self, answer: &[u8]) -> std::io::Result<bool> {
        let Some(id) = id_of(answer) else {
            return Ok(false);
        };
        self.buffer.extend_from_slice(id);
        self.buffer.push(b'\n');
        if self.buffer.len() >= BUFFER {
            self.flush()?;
        }
        Ok(true)
    }

    pub(super) fn flush(&mut self) -> std::io::Result<()> {
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

/// The id with which an answer begins.
pub(super) fn id_of(answer: &[u8]) -> Option<&[u8]> {
    let rest = answer
        .strip_prefix(br#"{"id":""#)
        .filter(|rest| rest.starts_with(b"clm_"))?;
    rest.get(..rest.iter().position(|byte| *byte == b'"')?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_claims_have_an_id() {
        assert_eq!(
            id_of(br#"{"id":"clm_140802_0a","status"#),
            Some(&b"clm_140802_0a"[..])
        );
        assert_eq!(id_of(br#"{"id":"apr_140802_0a""#), None);
        assert_eq!(id_of(br#"{"type":"about:blank"}"#), None);
    }
}
