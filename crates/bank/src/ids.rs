//! Ids that go to the bank and return in its reports.

use std::fmt;
use std::str::FromStr;

/// The text is not an id of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id of this kind is written in {digits}")]
pub struct IdError {
    digits: &'static str,
}

impl IdError {
    pub fn code(self) -> &'static str {
        "bank-id.malformed"
    }
}

const HEX: IdError = IdError {
    digits: "32 lower-case hex digits",
};
const FILE: IdError = IdError {
    digits: "32 lower-case hex digits and three digits",
};

fn parse_hex(text: &str) -> Option<u128> {
    let one_spelling = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    one_spelling
        .then(|| u128::from_str_radix(text, 16).ok())
        .flatten()
}

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// From a UUID's 128 bits.
            pub const fn new(uuid: u128) -> $name {
                $name(uuid)
            }

            /// The UUID's 128 bits.
            pub const fn get(self) -> u128 {
                self.0
            }

            pub fn parse(text: &str) -> Result<$name, IdError> {
                parse_hex(text).map($name).ok_or(HEX)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&format!("{:032x}", self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<$name, IdError> {
                $name::parse(text)
            }
        }
    };
}

hex_id!(
    /// An instruction as a whole: the disbursement's UUID as 32 lower-case hex digits.
    MessageId
);
hex_id!(
    /// A payment, from the payer's books to the payee's and back: the payment's UUID as 32
    /// lower-case hex digits.
    EndToEndId
);

/// One file of an instruction: the message id and the file's number in three digits, which is all
/// that the 35 characters of an ISO message id leave room for. Every file has its own, because
/// banks refuse a message id a second time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId {
    pub message: MessageId,
    /// 1 to 999.
    part: u16,
}

impl FileId {
    /// `None` unless `part` is 1 to 999.
    pub const fn new(message: MessageId, part: u16) -> Option<FileId> {
        if part >= 1 && part <= 999 {
            Some(FileId { message, part })
        } else {
            None
        }
    }

    /// The file's number within the instruction, from 1.
    pub const fn part(self) -> u16 {
        self.part
    }

    pub fn parse(text: &str) -> Result<FileId, IdError> {
        let (message, part) = text.split_at_checked(32).ok_or(FILE)?;
        if part.len() != 3 || !part.bytes().all(|b| b.is_ascii_digit()) {
            return Err(FILE);
        }
        let message = MessageId::parse(message).map_err(|_| FILE)?;
        let part = part.parse().map_err(|_| FILE)?;
        FileId::new(message, part).ok_or(FILE)
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}{:03}", self.message, self.part))
    }
}

impl fmt::Debug for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for FileId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<FileId, IdError> {
        FileId::parse(text)
    }
}

/// An id, reference or code as the bank wrote it, which may be one of this service or anything
/// else. `Debug` shows it only when it is one of this service: a bank that fills in a field wrongly
/// may have put an account there.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quoted(String);

impl Quoted {
    pub(crate) fn new(text: String) -> Quoted {
        Quoted(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn end_to_end_id(&self) -> Option<EndToEndId> {
        EndToEndId::parse(&self.0).ok()
    }

    pub fn file_id(&self) -> Option<FileId> {
        FileId::parse(&self.0).ok()
    }
}

impl fmt::Debug for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.end_to_end_id().is_some() || self.file_id().is_some() {
            f.write_str(&self.0)
        } else {
            f.write_str("Quoted(***)")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_spelling() {
        let text = "018f2f6e7d3a7c8e9b0a1122334455ff";
        assert_eq!(EndToEndId::parse(text).unwrap().to_string(), text);
        let upper = text.to_uppercase();
        for wrong in [
            "",
            "0",
            upper.as_str(),
            "018f2f6e-7d3a-7c8e-9b0a-1122334455ff",
            "+18f2f6e7d3a7c8e9b0a1122334455ff",
            "０18f2f6e7d3a7c8e9b0a1122334455ff",
        ] {
            assert_eq!(EndToEndId::parse(wrong), Err(HEX), "{wrong:?}");
        }
        for wrong in [
            text,
            "018f2f6e7d3a7c8e9b0a1122334455ff000",
            "018f2f6e7d3a7c8e9b0a1122334455ff0001",
            "018f2f6e7d3a7c8e9b0a1122334455ff+01",
            "中中中中中中中中中中中中",
        ] {
            assert_eq!(FileId::parse(wrong), Err(FILE), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_not_ours_does_not_print() {
        assert_eq!(
            format!("{:?}", Quoted::new("6222020111122220000".into())),
            "Quoted(***)"
        );
        let ours = "018f2f6e7d3a7c8e9b0a1122334455ff";
        assert_eq!(format!("{:?}", Quoted::new(ours.into())), ours);
    }

    proptest! {
        #[test]
        fn round_trips(uuid in any::<u128>(), part in 1..=999_u16) {
            let id = FileId::new(MessageId::new(uuid), part).unwrap();
            prop_assert_eq!(id.to_string().len(), 35);
            prop_assert_eq!(FileId::parse(&id.to_string()), Ok(id));
            prop_assert_eq!(MessageId::parse(&id.message.to_string()), Ok(id.message));
        }

        #[test]
        fn never_panics(text in ".*") {
            let _ = (EndToEndId::parse(&text), FileId::parse(&text));
        }
    }
}
