//! Identifiers as types: a value of such a type is well formed.
//!
//! Each `parse` folds what people type (spaces, full width, case) to one canonical spelling and
//! then checks form and check digit by the identifier's standard. An error states the position or
//! date that is wrong and never repeats the value, so that it may be logged or returned. Types that
//! hold personal data print `***`; `expose()` returns their value, a name that a search finds.
//!
//! One check is deliberately not made: a VIN whose check digit does not match parses
//! ([`Vin::check_digit_matches`] tests it), because some imported cars carry none.

mod checked;
mod error;
mod formatted;

pub use crate::jurisdictions::JurisdictionCode;
pub use checked::{CreditCode, Gtin13, IdentityNumber, Imei, Vin};
pub use error::{DatePart, IdentifierError, IdentifierKind};
pub use formatted::{
    Address, BankAccount, CertificateNumber, EfficiencyRecord, EntitlementCode, InvoiceNumber,
    MerchantReference, PersonName, Phone, PlateNumber, ProgrammeId, SerialNumber,
};

/// The type, its accessors, and the way it prints: `public` values plainly, `personal` ones never.
macro_rules! identifier {
    ($(#[$doc:meta])* $visibility:ident $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl std::str::FromStr for $name {
            type Err = IdentifierError;

            fn from_str(text: &str) -> Result<$name, IdentifierError> {
                $name::parse(text)
            }
        }

        $crate::identifiers::identifier!(@$visibility $name);
    };
    (@public $name:ident) => {
        impl $name {
            /// The canonical spelling.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The canonical spelling, under the name that every identifier has.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
    (@personal $name:ident) => {
        impl $name {
            /// The canonical spelling. Personal data: never into a log, a fact, an error or a list.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(***)"))
            }
        }
    };
}
pub(crate) use identifier;

/// The first `head` and last `tail` characters with stars between; all stars when nothing would be
/// hidden.
fn mask(text: &str, head: usize, tail: usize) -> String {
    let count = text.chars().count();
    let shown = head.saturating_add(tail);
    let last = count.saturating_sub(tail);
    text.chars()
        .enumerate()
        .map(|(i, c)| {
            if shown < count && (i < head || i >= last) {
                c
            } else {
                '*'
            }
        })
        .collect()
}

/// Refuses any character that `allowed` does not admit, with its position from 1.
fn only(text: &str, kind: IdentifierKind, allowed: impl Fn(char) -> bool) -> Result<(), IdentifierError> {
    match text.chars().position(|c| !allowed(c)) {
        Some(i) => Err(IdentifierError::Character {
            kind,
            position: i.saturating_add(1),
        }),
        None => Ok(()),
    }
}

fn length(text: &str, kind: IdentifierKind, allowed: impl Fn(usize) -> bool) -> Result<(), IdentifierError> {
    let found = text.chars().count();
    if allowed(found) {
        Ok(())
    } else {
        Err(IdentifierError::Length { kind, found })
    }
}

/// Characters that a reader can see: no control and no invisible formatting characters, which would
/// make two values that look alike differ.
fn visible(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests;
