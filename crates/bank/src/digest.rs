//! SHA-256 of a file, and of an item of a report.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// A SHA-256, written as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Hashes parts so that no two lists of parts collide: each is preceded by its length.
pub(crate) struct Parts(Sha256);

impl Parts {
    /// `domain` names the kind of input. Never change one that is in use.
    pub(crate) fn new(domain: &str) -> Parts {
        let mut parts = Parts(Sha256::new());
        parts.add(domain.as_bytes());
        parts
    }

    pub(crate) fn add(&mut self, part: &[u8]) {
        // A slice is never longer than a u64 can hold; the largest value cannot be taken for
        // another length.
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        self.0.update(length.to_be_bytes());
        self.0.update(part);
    }

    /// Hashes `None` and an empty part differently.
    pub(crate) fn add_option(&mut self, part: Option<&[u8]>) {
        match part {
            None => self.add(b"0"),
            Some(part) => {
                self.add(b"1");
                self.add(part);
            }
        }
    }

    pub(crate) fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_digest() {
        assert_eq!(
            Digest::of(b"abc").to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn parts_do_not_run_together() {
        let hash = |parts: &[&str]| {
            let mut hash = Parts::new("test");
            parts.iter().for_each(|part| hash.add(part.as_bytes()));
            hash.finish()
        };
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
        assert_ne!(hash(&["a", ""]), hash(&["a"]));
    }
}
