//! The code of a jurisdiction. The list of jurisdictions is a register in the store and not part of
//! this crate.

use std::fmt;
use std::str::FromStr;

use words::words;

use crate::identifiers::{IdentifierError, IdentifierKind};

words! {
    /// The level of a jurisdiction.
    pub enum JurisdictionKind {
        City = "city",
        County = "county",
        DevelopmentZone = "development_zone",
    }
}

/// GB/T 2260 code of six digits, or the nine-digit street-level code of a development zone that has
/// none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JurisdictionCode {
    digits: [u8; 9],
    len: u8,
}

impl JurisdictionCode {
    pub fn parse(text: &str) -> Result<JurisdictionCode, IdentifierError> {
        let kind = IdentifierKind::Jurisdiction;
        if let Some((i, _)) = text.chars().enumerate().find(|(_, c)| !c.is_ascii_digit()) {
            return Err(IdentifierError::Character {
                kind,
                position: i.saturating_add(1),
            });
        }
        let len = match text.len() {
            6 => 6,
            9 => 9,
            found => return Err(IdentifierError::Length { kind, found }),
        };
        if text.starts_with('0') {
            return Err(IdentifierError::Character { kind, position: 1 });
        }
        let mut digits = [0; 9];
        for (slot, byte) in digits.iter_mut().zip(text.bytes()) {
            *slot = byte;
        }
        Ok(JurisdictionCode { digits, len })
    }

    pub fn as_str(&self) -> &str {
        let digits = self.digits.get(..usize::from(self.len)).unwrap_or_default();
        std::str::from_utf8(digits).unwrap_or_default()
    }
}

impl fmt::Display for JurisdictionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for JurisdictionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JurisdictionCode({})", self.as_str())
    }
}

impl FromStr for JurisdictionCode {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<JurisdictionCode, IdentifierError> {
        JurisdictionCode::parse(text)
    }
}
