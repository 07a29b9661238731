//! Bodies of requests other than a claim, each with its reader.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::extract::Wire;
use crate::http::field_limits;
use crate::http::fields::{Fields, Slot};

/// A word of a closed list in a request.
macro_rules! request_words {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
            pub enum $name { $(#[serde(rename = $word)] $variant),+ }

            impl $name {
                pub const WORDS: &'static [&'static str] = &[$($word),+];

                pub fn as_str(self) -> &'static str {
                    match self { $($name::$variant => $word),+ }
                }

                pub(crate) fn read(slot: &$crate::http::fields::Slot<'_>) -> Option<Self> {
                    slot.word(Self::WORDS, |text| match text { $($word => Some($name::$variant),)+ _ => None })
                }
            }
        )*
    };
}

pub(crate) use request_words;

request_words! {
    /// What the second person of treasury says.
    CheckVerdict { Approve = "approve", Refuse = "refuse" }
}

pub(crate) fn reason(slot: &Slot<'_>) -> Option<String> {
    slot.words(field_limits::REASON)
}

/// Why; it is kept with the event.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonGiven {
    #[schema(min_length = 1, max_length = 500, example = "消费者退货")]
    pub reason: String,
}

impl Wire for ReasonGiven {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        f.required("reason", reason).map(|reason| ReasonGiven { reason })
    }
}

/// Why, if there is anything to say; an empty body does as well. What is said is kept with the event.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonIfAny {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 500, example = "消费者退货")]
    pub reason: Option<String>,
}

impl Wire for ReasonIfAny {
    const MAY_BE_EMPTY: bool = true;

    fn read(f: &mut Fields<'_>) -> Option<Self> {
        f.optional("reason", reason).map(|reason| ReasonIfAny { reason })
    }
}

/// Nothing is asked; an empty body does as well.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

impl Wire for Nothing {
    const MAY_BE_EMPTY: bool = true;

    fn read(_: &mut Fields<'_>) -> Option<Self> {
        Some(Nothing {})
    }
}

/// What the second person says of what the first entered. A reason is required to refuse.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    pub verdict: CheckVerdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

impl Wire for Check {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let verdict = f.required("verdict", CheckVerdict::read);
        let reason = f.optional("reason", reason);
        Some(Check {
            verdict: verdict?,
            reason: reason?,
        })
    }
}

impl From<CheckVerdict> for service::funds::Check {
    fn from(verdict: CheckVerdict) -> service::funds::Check {
        match verdict {
            CheckVerdict::Approve => service::funds::Check::Approve,
            CheckVerdict::Refuse => service::funds::Check::Refuse,
        }
    }
}
