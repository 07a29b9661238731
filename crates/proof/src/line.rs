//! The lines of a bundle's parts, as they are written and read.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use ledger::log::{Decision, Event, Leaf, Posted};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use uuid::Uuid;

/// Microseconds since 1970, written as an instant of RFC 3339 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(pub i64);

impl From<DateTime<Utc>> for Instant {
    fn from(at: DateTime<Utc>) -> Self {
        Instant(at.timestamp_micros())
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = DateTime::from_timestamp_micros(self.0).unwrap_or_default();
        f.write_str(&at.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        if let Some(at) = as_written(&text) {
            return Ok(at);
        }
        let at = DateTime::parse_from_rfc3339(&text).map_err(serde::de::Error::custom)?;
        Ok(Instant(at.timestamp_micros()))
    }
}

/// An instant in the form in which a bundle writes it, `2026-05-01T08:00:00.000000Z`. A log has
/// some millions.
fn as_written(text: &str) -> Option<Instant> {
    let [year, month, day, hour, minute, second, micro] =
        [(0, 4), (5, 7), (8, 10), (11, 13), (14, 16), (17, 19), (20, 26)]
            .map(|(from, to)| number(text.get(from..to)));
    let between = [4, 7, 10, 13, 16, 19, 26].map(|at| text.as_bytes().get(at));
    if text.len() != 27 || !between.into_iter().flatten().eq(b"--T::.Z") {
        return None;
    }
    let day = NaiveDate::from_ymd_opt(i32::try_from(year?).ok()?, month?, day?)?;
    let at = day.and_hms_micro_opt(hour?, minute?, second?, micro?)?;
    Some(at.and_utc().into())
}

/// Of digits only.
fn number(digits: Option<&str>) -> Option<u32> {
    digits?.bytes().try_fold(0_u32, |number, byte| {
        let digit = char::from(byte).to_digit(10)?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// A transfer. Amounts are fen.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferLine<'a> {
    pub leaf: u64,
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
    pub height: i64,
    #[serde(borrow)]
    pub programme: Cow<'a, str>,
    #[serde(borrow)]
    pub reason: Cow<'a, str>,
    pub amount: i64,
    pub claim: Option<Uuid>,
    pub document: Option<Uuid>,
    pub posted_at: Instant,
    #[serde(borrow)]
    pub actor: Cow<'a, str>,
}

impl TransferLine<'_> {
    pub const KIND: &'static str = "transfer";

    pub fn as_leaf<'b>(&'b self, jurisdiction: &'b str) -> Leaf<'b> {
        Leaf::Transfer(Posted {
            jurisdiction,
            height: self.height,
            programme: &self.programme,
            reason: &self.reason,
            amount: self.amount,
            claim: self.claim.map(Uuid::into_bytes),
            document: self.document.map(Uuid::into_bytes),
            posted_at: self.posted_at.0,
            actor: &self.actor,
        })
    }
}

/// A decision with its receipt, byte for byte.
#[derive(Debug, Clone, Serialize)]
pub struct DecisionLine<'a> {
    pub leaf: u64,
    pub kind: Cow<'a, str>,
    pub claim: Uuid,
    pub revision: i64,
    pub outcome: Cow<'a, str>,
    pub receipt: &'a RawValue,
    /// Hexadecimal, 34 digits each.
    pub keys: Vec<String>,
    pub decided_at: Instant,
}

impl DecisionLine<'_> {
    pub const KIND: &'static str = "decision";
}

/// The members of a [`DecisionLine`] beside its receipt.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionRead<'a> {
    pub(crate) leaf: u64,
    #[serde(rename = "kind")]
    _kind: Cow<'a, str>,
    pub(crate) claim: Uuid,
    pub(crate) revision: i64,
    #[serde(borrow)]
    pub(crate) outcome: Cow<'a, str>,
    keys: Vec<Cow<'a, str>>,
    pub(crate) decided_at: Instant,
}

impl DecisionRead<'_> {
    /// Splits a line into the receipt, which is most of it and which `policy` reads, and the rest.
    pub(crate) fn split(line: &str) -> Option<(String, &str)> {
        let (before, rest) = line.split_once(",\"receipt\":")?;
        let (receipt, after) = rest.rsplit_once(",\"keys\":")?;
        Some((format!("{before},\"keys\":{after}"), receipt))
    }

    /// The keys' bytes, if they are hexadecimal.
    pub(crate) fn key_bytes(&self) -> Option<Vec<u8>> {
        hex::decode(self.keys.concat()).ok()
    }

    pub(crate) fn as_leaf<'b>(
        &'b self,
        jurisdiction: &'b str,
        receipt: [u8; 32],
        keys: &'b [u8],
    ) -> Leaf<'b> {
        Leaf::Decision(Decision {
            jurisdiction,
            claim: self.claim.into_bytes(),
            revision: self.revision,
            outcome: &self.outcome,
            receipt,
            keys,
            decided_at: self.decided_at.0,
        })
    }
}

/// Keys in the form of a bundle.
pub fn keys_as_text(keys: &[u8]) -> Vec<String> {
    keys.chunks(17).map(hex::encode).collect()
}

/// An act of a person or of the service.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventLine<'a> {
    pub leaf: u64,
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
    pub id: Uuid,
    #[serde(borrow)]
    pub subject: Cow<'a, str>,
    #[serde(borrow)]
    pub verb: Cow<'a, str>,
    #[serde(borrow)]
    pub actor: Cow<'a, str>,
    #[serde(borrow)]
    pub person: Cow<'a, str>,
    pub at: Instant,
    pub revision: Option<i64>,
    #[serde(borrow)]
    pub from: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub to: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub request: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub detail: Option<Cow<'a, str>>,
}

impl EventLine<'_> {
    pub const KIND: &'static str = "event";

    pub fn as_leaf<'b>(&'b self, jurisdiction: &'b str) -> Leaf<'b> {
        Leaf::Event(Event {
            jurisdiction,
            id: self.id.into_bytes(),
            subject: &self.subject,
            verb: &self.verb,
            actor: &self.actor,
            person: &self.person,
            at: self.at.0,
            revision: self.revision,
            from: self.from.as_deref(),
            to: self.to.as_deref(),
            reason: self.reason.as_deref(),
            request: self.request.as_deref(),
            detail: self.detail.as_deref(),
        })
    }
}

/// A fund's accounts as the database has them, fen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FundLine {
    pub programme: String,
    pub appropriated: i64,
    pub available: i64,
    pub reserved: i64,
    pub payable: i64,
    pub in_payment: i64,
    pub disbursed: i64,
    pub recoverable: i64,
    pub advanced: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapLine {
    pub programme: String,
    pub scope: String,
    pub ceiling: i64,
    pub committed: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppropriationLine {
    pub id: Uuid,
    pub programme: String,
    pub source: String,
    pub amount: i64,
    pub document: String,
    pub status: String,
    pub maker: String,
    pub checker: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisbursementLine {
    pub id: Uuid,
    pub programme: String,
    pub status: String,
    pub claims: i64,
    pub total: i64,
    pub payments: Vec<PaymentLine>,
    /// Of the instruction, hexadecimal; `None` before it is released.
    pub digest: Option<String>,
}

/// The order for one payee, and the sum that was kept back of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentLine {
    pub id: Uuid,
    pub amount: i64,
    pub netted: i64,
    pub set_off: i64,
}

/// A claim as the database has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimLine {
    pub claim: Uuid,
    pub programme: String,
    pub status: String,
    pub revision: i64,
    pub category: String,
    pub amount: Option<i64>,
    pub committed: bool,
    /// Hexadecimal, 34 digits each, sorted.
    pub keys: Vec<String>,
}
