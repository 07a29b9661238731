//! Keyed hashes of values that are compared but not stored in the clear.

use std::array::TryFromSliceError;
use std::fmt;

/// A keyed hash of a personal or unique value. Two are equal if domain, key and value are. The
/// caller has the key: this crate compares digests and never makes one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 16]);

impl Digest {
    pub const fn new(bytes: [u8; 16]) -> Digest {
        Digest(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<[u8; 16]> for Digest {
    fn from(bytes: [u8; 16]) -> Digest {
        Digest(bytes)
    }
}

impl TryFrom<&[u8]> for Digest {
    type Error = TryFromSliceError;

    fn try_from(bytes: &[u8]) -> Result<Digest, TryFromSliceError> {
        bytes.try_into().map(Digest)
    }
}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// A digest stands for a person or a thing, so that its bytes stay out of logs as well.
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(***)")
    }
}

/// The kind of a hashed value. It goes into the hash together with the key, so that digests of
/// different kinds never match: a car bought new with subsidy may be scrapped with subsidy years
/// later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Domain {
    Person,
    Vin,
    Plate,
    Phone,
    BankAccount,
    UniqueInvoice,
    UniqueSerialNumber,
    UniqueImei,
    UniqueNewVin,
    UniqueOldVin,
    UniqueScrapCertificate,
    UniqueTransferInvoice,
    UniqueEntitlement,
}

impl Domain {
    /// Goes into the hash: never change one that is in use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Domain::Person => "person",
            Domain::Vin => "vin",
            Domain::Plate => "plate",
            Domain::Phone => "phone",
            Domain::BankAccount => "bank-account",
            Domain::UniqueInvoice => "unique/invoice",
            Domain::UniqueSerialNumber => "unique/serial-number",
            Domain::UniqueImei => "unique/imei",
            Domain::UniqueNewVin => "unique/new-vin",
            Domain::UniqueOldVin => "unique/old-vin",
            Domain::UniqueScrapCertificate => "unique/scrap-certificate",
            Domain::UniqueTransferInvoice => "unique/transfer-invoice",
            Domain::UniqueEntitlement => "unique/entitlement",
        }
    }
}
