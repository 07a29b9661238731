//! Ids of the service's own records. Each carries its jurisdiction, by which a request finds its
//! shard without a look-up.
//!
//! Written `clm_140802_018f…`: a prefix for the kind, the jurisdiction, and a UUID (version 7, made
//! by the caller) in 32 lower-case hex digits. Each id has one spelling.

use std::fmt;
use std::str::FromStr;

use policy::Lang;
use uuid::Uuid;

use crate::jurisdictions::JurisdictionCode;

/// The text is not an id of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id of this kind is written {prefix}<jurisdiction>_<32 lower-case hex digits>")]
pub struct IdError {
    /// Such as `clm_`.
    pub prefix: &'static str,
}

impl IdError {
    pub fn code(&self) -> &'static str {
        "id.malformed"
    }

    pub fn message(&self, lang: Lang) -> String {
        match lang {
            Lang::Zh => format!("此类编号应写作 {}<辖区代码>_<32位小写十六进制>", self.prefix),
            Lang::En => self.to_string(),
        }
    }
}

fn parse(text: &str, prefix: &'static str) -> Result<(JurisdictionCode, Uuid), IdError> {
    let error = IdError { prefix };
    let (jurisdiction, hex) = text
        .strip_prefix(prefix)
        .and_then(|rest| rest.split_once('_'))
        .ok_or(error)?;
    if hex.len() != 32 || !hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(error);
    }
    let jurisdiction = JurisdictionCode::parse(jurisdiction).map_err(|_| error)?;
    Uuid::try_parse(hex)
        .map(|uuid| (jurisdiction, uuid))
        .map_err(|_| error)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            pub jurisdiction: JurisdictionCode,
            pub uuid: Uuid,
        }

        impl $name {
            pub const PREFIX: &'static str = $prefix;

            pub const fn new(jurisdiction: JurisdictionCode, uuid: Uuid) -> $name {
                $name { jurisdiction, uuid }
            }

            pub fn parse(text: &str) -> Result<$name, IdError> {
                let (jurisdiction, uuid) = parse(text, $prefix)?;
                Ok($name { jurisdiction, uuid })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}_{}"), self.jurisdiction, self.uuid.simple())
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

id!(
    /// A claim.
    ClaimId, "clm_"
);
id!(
    /// A payment within a disbursement: all its claims of one payee.
    PaymentId, "pay_"
);
id!(
    /// A disbursement: one batch of payments.
    DisbursementId, "dsb_"
);
id!(
    /// An appropriation, proposed or confirmed.
    AppropriationId, "apr_"
);
id!(
    /// A change of caps, proposed or confirmed.
    CapChangeId, "cap_"
);
id!(
    /// An exclusion, which keeps claims out of payment.
    HoldId, "hld_"
);
id!(
    /// An entry of a bank about a payment.
    BankEntryId, "bke_"
);
id!(
    /// A waiver of part of a clawback, proposed or confirmed.
    WaiverId, "wvr_"
);
id!(
    /// An advance to a merchant.
    AdvanceId, "adv_"
);
id!(
    /// A merchant's webhook endpoint.
    WebhookId, "whk_"
);
id!(
    /// A proposed version of a programme, under the city's code.
    DraftId, "prd_"
);
id!(
    /// A sample of approved claims for inspection, committed to and later drawn.
    SampleId, "smp_"
);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_spelling() {
        let text = "clm_140802404_018f2f6e7d3a7c8e9b0a1122334455ff";
        assert_eq!(ClaimId::parse(text).unwrap().to_string(), text);
        assert_eq!(ClaimId::parse(text).unwrap().jurisdiction.as_str(), "140802404");
        for wrong in [
            "",
            "clm_",
            "clm_140802_",
            "dsb_140802_018f2f6e7d3a7c8e9b0a1122334455ff",
            "clm_14080_018f2f6e7d3a7c8e9b0a1122334455ff",
            "clm_140802_018F2F6E7D3A7C8E9B0A1122334455FF",
            "clm_140802_018f2f6e-7d3a-7c8e-9b0a-1122334455ff",
            "clm_140802_018f2f6e7d3a7c8e9b0a1122334455ff ",
        ] {
            assert_eq!(
                ClaimId::parse(wrong),
                Err(IdError { prefix: "clm_" }),
                "{wrong:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn round_trips(jurisdiction in "[1-9][0-9]{5}([0-9]{3})?", uuid in any::<u128>()) {
            let id = DisbursementId::new(JurisdictionCode::parse(&jurisdiction).unwrap(), Uuid::from_u128(uuid));
            prop_assert_eq!(DisbursementId::parse(&id.to_string()), Ok(id));
        }

        #[test]
        fn never_panics(text in ".*") {
            let _ = ClaimId::parse(&text);
        }
    }
}
