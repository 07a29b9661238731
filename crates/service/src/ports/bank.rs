//! The way to the bank that pays: orders out, reports of what became of them back, both as files.
//!
//! Money depends on knowing what the bank has. [`BankError`] therefore tells three things apart that look alike from afar:
//! the bank has seen the file and will never take it, the bank may have it, and the bank was not reached. Only the first
//! may lead to other orders for the same payments.

use std::fmt;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::Answering;

/// The most bytes of one file, either way: 50,000 payments of ISO 20022 are about as many.
pub const LARGEST_BANK_FILE: usize = 64 * 1024 * 1024;

/// The most reports of one page.
pub const RESULTS_PAGE: usize = 4;

/// The longest name of a file.
const LONGEST_NAME: usize = 100;

/// The longest media type.
const LONGEST_MEDIA_TYPE: usize = 100;

/// The bank, or whoever stands between us and it.
///
/// Every call is bounded in time and may be repeated: by two instances at once, and after a crash.
pub trait Bank: Send + Sync + fmt::Debug {
    /// Hands a file of orders over. `key` stands for these orders for good, 1 to 255 visible ASCII characters: the same file
    /// with the same key is taken once, however often it is submitted, and is answered alike each time. A name is used for
    /// one file only.
    ///
    /// # Errors
    /// What is known of this call and no more: [`BankError::Unavailable`] after [`BankError::Unknown`], or after a call that
    /// a crash cut off, leaves unknown what became of the earlier one.
    fn submit<'a>(&'a self, file: &'a BankFile, key: &'a str) -> Answering<'a, Result<Submitted, BankError>>;

    /// The next reports of the bank. `since` is the [`ResultsPage::next`] of the page before, `None` at the very beginning;
    /// the caller keeps it in the transaction that records the reports, also when it is `None`.
    ///
    /// A report is handed out at least once, in any order; whoever records it knows it by its name and digest.
    ///
    /// # Errors
    /// Never [`BankError::Unknown`]: asking changes nothing.
    fn results<'a>(&'a self, since: Option<&'a str>) -> Answering<'a, Result<ResultsPage, BankError>>;

    /// Says that a report is recorded and need not be handed out again; called after the commit, and again after a crash.
    /// One that is no longer there, or is another by now, is left as it is.
    ///
    /// # Errors
    /// Never [`BankError::Refused`]; the report comes again then.
    fn acknowledge<'a>(
        &'a self,
        name: &'a FileName,
        sha256: &'a [u8; 32],
    ) -> Answering<'a, Result<(), BankError>>;
}

/// The bank has the file, byte for byte, and will work on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// What the bank calls it, for asking about it: at most 100 visible ASCII characters. A folder gives none.
    pub reference: Option<String>,
}

/// Reports of the bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultsPage {
    /// At most [`RESULTS_PAGE`], and together no more than [`LARGEST_BANK_FILE`].
    pub files: Vec<BankFile>,
    /// Where the next page begins. A page is a round's worth: more may be waiting when this one was not empty.
    pub next: Option<String>,
}

/// What is known when the bank did not do what it was asked. The texts may be logged: they hold nothing of a file, nothing
/// that the bank wrote, and of an address the origin at most.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BankError {
    /// The bank, and nothing between, said that it did not take these bytes under this name and key, and never will. None
    /// of their orders is carried out.
    #[error("the bank refused: {why}")]
    Refused { why: String },
    /// The bank may have the file and may pay. Submit the same file with the same key again until it is known.
    #[error("it is not known whether the bank has it: {why}")]
    Unknown {
        why: String,
        /// How long the bank asked to be left alone.
        retry_after: Option<std::time::Duration>,
    },
    /// Nothing was taken in this call, and the next one may succeed; perhaps only after an operator changed something.
    #[error("the bank was not reached: {why}")]
    Unavailable {
        why: String,
        /// How long the bank asked to be left alone, or how long it will not be asked.
        retry_after: Option<std::time::Duration>,
    },
}

/// A file for the bank or from it. Its digest is always that of its bytes. It names payees and their accounts: `Debug` shows
/// neither bytes nor anything made of them but the digest.
#[derive(Clone, PartialEq, Eq)]
pub struct BankFile {
    name: FileName,
    media_type: String,
    bytes: Bytes,
    sha256: [u8; 32],
}

/// Why something is no file for the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotABankFile {
    #[error(
        "a file's name has 1 to {LONGEST_NAME} letters, digits, dots, hyphens and underscores of ASCII, begins with a letter or digit, and does not end in .sha256, .tmp or .part"
    )]
    Name,
    #[error("a media type reads type/subtype, with at most {LONGEST_MEDIA_TYPE} characters")]
    MediaType,
    #[error("the file has {0} bytes, and the most are {LARGEST_BANK_FILE}")]
    TooLarge(usize),
}

impl BankFile {
    /// # Errors
    /// A media type that is none, too many bytes.
    pub fn new(name: FileName, media_type: &str, bytes: impl Into<Bytes>) -> Result<Self, NotABankFile> {
        let bytes = bytes.into();
        if bytes.len() > LARGEST_BANK_FILE {
            return Err(NotABankFile::TooLarge(bytes.len()));
        }
        if !is_media_type(media_type) {
            return Err(NotABankFile::MediaType);
        }
        Ok(Self {
            name,
            media_type: media_type.to_owned(),
            sha256: Sha256::digest(&bytes).into(),
            bytes,
        })
    }

    pub fn name(&self) -> &FileName {
        &self.name
    }

    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// Shared, not copied.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }
}

impl fmt::Debug for BankFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BankFile")
            .field("name", &self.name)
            .field("media_type", &self.media_type)
            .field("len", &self.bytes.len())
            .field("sha256", &hex::encode(self.sha256))
            .finish()
    }
}

/// The name of a file, without a folder: safe in a path, in an address, and in a shell.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(String);

impl FileName {
    /// # Errors
    /// [`NotABankFile::Name`].
    pub fn parse(text: &str) -> Result<Self, NotABankFile> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        // Ends that folders use for what belongs to a file or is not one yet. Some systems do not tell cases apart.
        let taken = [".sha256", ".tmp", ".part"];
        let lower = text.to_ascii_lowercase();
        let sound = text.len() <= LONGEST_NAME
            && text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text.bytes().all(allowed)
            && !taken.iter().any(|end| lower.ends_with(end));
        sound.then(|| Self(text.to_owned())).ok_or(NotABankFile::Name)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `type/subtype`, perhaps with parameters; nothing that could end a header.
fn is_media_type(text: &str) -> bool {
    let token = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    let essence = text.split(';').next().unwrap_or_default().trim_end();
    text.len() <= LONGEST_MEDIA_TYPE
        && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
        && essence
            .split_once('/')
            .is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_safe_wherever_it_is_written() {
        for good in ["a", "HX-140802-20261123.xml", "9_a.b-c", &"x".repeat(100)] {
            assert_eq!(FileName::parse(good).unwrap().as_str(), good);
        }
        let bad = [
            "",
            ".",
            "..",
            ".hidden",
            "-rf",
            "a/b",
            "a\\b",
            "a b",
            "a\0",
            "a\n",
            "名.xml",
            "a%2fb",
            "a.xml.sha256",
            "a.SHA256",
            "a.tmp",
            "a.part",
            &"x".repeat(101),
        ];
        for bad in bad {
            assert_eq!(FileName::parse(bad), Err(NotABankFile::Name), "{bad:?}");
        }
    }

    #[test]
    fn a_media_type_cannot_end_its_header() {
        let cases = [
            ("application/xml", true),
            ("text/csv; charset=utf-8", true),
            ("application/vnd.api+json", true),
            ("", false),
            ("xml", false),
            ("/xml", false),
            ("text/", false),
            ("text/xml\r\nx: y", false),
            ("text/x ml", false),
            ("文/xml", false),
        ];
        for (text, expected) in cases {
            assert_eq!(is_media_type(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_file_is_described_without_its_content() {
        let name = FileName::parse("orders.csv").unwrap();
        let file = BankFile::new(name, "text/csv", "王小明,6222020200112233445\n").unwrap();
        let shown = format!("{file:?}");
        assert!(
            shown.contains("orders.csv") && shown.contains(&hex::encode(file.sha256())),
            "{shown}"
        );
        assert!(!shown.contains("王小明") && !shown.contains("6222"), "{shown}");
        assert!(!shown.contains("231"), "bytes as numbers: {shown}");
    }

    #[test]
    fn what_is_too_large_is_no_file() {
        let name = FileName::parse("a").unwrap();
        let bytes = vec![0; LARGEST_BANK_FILE + 1];
        assert_eq!(
            BankFile::new(name, "text/plain", bytes),
            Err(NotABankFile::TooLarge(LARGEST_BANK_FILE + 1))
        );
    }
}
