//! What a caller is told when the request is wrong or out of turn, and what stops a use case for other reasons.

use claims::life_cycle::{Status, Verb};
use policy::Lang;
use store::{Retry, StoreError};

use super::Role;

/// One field that is wrong: a JSON pointer into the body, a stable code, and what to do, never the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    pub pointer: String,
    pub code: String,
    pub zh: String,
    pub en: String,
}

impl FieldError {
    pub fn new(
        pointer: impl Into<String>,
        code: impl Into<String>,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self {
            pointer: pointer.into(),
            code: code.into(),
            zh: zh.into(),
            en: en.into(),
        }
    }

    pub fn message(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

/// The request is wrong or out of turn; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the client id or secret is wrong, or the client is disabled")]
    BadCredentials,
    #[error("the token is missing, malformed, expired or signed by an unknown key")]
    BadToken,
    #[error("the role lacks the right {right}")]
    Forbidden {
        right: &'static str,
        roles: &'static [Role],
    },
    #[error("no checkpoint covers that leaf or size")]
    NotCovered,
    #[error("the cosignature: {0}")]
    Cosignature(ledger::log::NoteError),
    #[error("the business of another county")]
    OtherJurisdiction,
    #[error("no such {0}")]
    NotFound(&'static str),
    #[error("{} field(s) are wrong", .0.len())]
    Invalid(Vec<FieldError>),
    #[error("the idempotency key was used with another request")]
    IdempotencyKeyReused,
    #[error("{verb:?} is out of turn for a claim that is {status:?}")]
    OutOfTurn { status: Status, verb: Verb },
    #[error("a {what} that is {status} is not open to this")]
    Settled { what: &'static str, status: String },
    #[error("the same person made it and would check it")]
    FourEyes,
    #[error("the revision is stale; now it is {current}")]
    Stale { current: i32 },
    #[error("a reason is required")]
    ReasonRequired,
    #[error("the cap {scope} would fall below what is committed")]
    CapBelowCommitted { scope: String, committed: ledger::Fen },
    #[error("the document was entered before for this fund and source")]
    DocumentUsed,
    #[error("no claim of this fund is payable")]
    NothingPayable,
    #[error("{claims} claim(s) of it are held")]
    Held { claims: i64 },
    #[error("the advance it pays is held")]
    AdvanceHeld,
    #[error("no account is on file for {0:?}")]
    AccountMissing(Vec<String>),
    #[error("the result contradicts one recorded before")]
    ResultContradicts,
    #[error("the result names another amount than was paid")]
    AmountDiffers,
    #[error("the payment was not released")]
    NotReleased,
    #[error("the bank's status is not known")]
    StatusUnclear,
    #[error("the bank's report cannot be read: {code} at line {line}, column {column}")]
    ReportUnreadable {
        code: String,
        line: u64,
        column: u64,
        zh: String,
        en: String,
    },
    #[error("the bank may have the file")]
    BankMayHaveIt,
    #[error("there are {limit} {what} already")]
    LimitReached { what: &'static str, limit: usize },
    #[error("the period lasts until {until}")]
    PeriodOpen { until: chrono::DateTime<chrono::Utc> },
    #[error("webhooks are switched off")]
    WebhooksOff,
    #[error("too many {what}: at most {limit}")]
    TooMany { what: &'static str, limit: usize },
    #[error("too many requests; again in {retry_after_s} s")]
    Throttled { retry_after_s: u64 },
}

impl Refusal {
    /// One wrong field.
    pub fn field(
        pointer: impl Into<String>,
        code: impl Into<String>,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self::Invalid(vec![FieldError::new(pointer, code, zh, en)])
    }
}

/// Why a use case gave no result.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ServiceError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// More waits than is taken on; nothing was recorded.
    #[error("too many claims wait to be recorded")]
    Busy,
    /// An invariant that only a bug can break. The text names no value of a claim.
    #[error("broken invariant: {0}")]
    Bug(String),
}

impl ServiceError {
    pub(crate) fn bug(what: impl std::fmt::Display) -> Self {
        Self::Bug(what.to_string())
    }

    /// Whether what a request is refused for may have been done by another request with its key.
    pub(crate) fn may_come_of_a_repeat(&self) -> bool {
        match self {
            Self::Refused(_) => true,
            Self::Store(error) => error.constraint().is_some(),
            Self::Busy | Self::Bug(_) => false,
        }
    }

    /// The refusal, if that is what it is.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}

/// Declares errors of libraries that only a bug or damage to the database can cause, with the text that is logged. None
/// says anything of a value.
macro_rules! only_a_bug {
    ($($error:ty => $text:literal,)+) => { $(
        impl From<$error> for ServiceError {
            fn from(_: $error) -> Self {
                Self::Bug($text.to_owned())
            }
        }
    )+ };
}

only_a_bug! {
    serde_json::Error => "JSON of our own cannot be written or read",
    std::fmt::Error => "text cannot be written into memory",
    std::num::TryFromIntError => "a number does not fit its type",
    std::array::TryFromSliceError => "a hash has another length",
    std::io::Error => "bytes cannot be written into memory",
    ledger::MoneyError => "a sum of money is out of range",
    ledger::Shortfall => "an account would fall below nothing",
    ledger::Exhausted => "sources cannot pay or take back a sum",
    ledger::NotLeft => "more is taken of an advance than it has",
    bank::FileError => "an instruction has too many files",
    bank::InstructionError => "an instruction for the bank cannot be written",
    crate::ports::NotABankFile => "a file for the bank has no proper name or size",
    parquet::errors::ParquetError => "a Parquet file cannot be written into memory",
    jsonwebtoken::errors::Error => "a token cannot be signed",
    argon2::password_hash::Error => "a secret cannot be hashed",
    tokio::task::JoinError => "work on another thread came to no end",
    tokio::sync::AcquireError => "a semaphore was closed",
}

/// A workbook is written into memory, so that only a mistake of its writer makes it fail.
impl From<spreadsheet::xlsx::Error> for ServiceError {
    fn from(error: spreadsheet::xlsx::Error) -> Self {
        Self::bug(error)
    }
}

/// Constraints that refuse a unit of work because another one committed first: run again, it reads what that one wrote.
const LOST_RACES: [&str; 6] = [
    "unique_keys_pkey",
    "quotas_within_ceiling",
    "idempotency_keys_pkey",
    "bank_entries_fingerprint_key",
    "bank_accounts_pkey",
    "webhook_endpoints_slot_key",
];

impl Retry for ServiceError {
    fn is_worth_retrying(&self) -> bool {
        match self {
            Self::Store(StoreError::Stale(_)) => true,
            Self::Store(error) => {
                error.is_transient() || error.constraint().is_some_and(|name| LOST_RACES.contains(&name))
            }
            Self::Refused(_) | Self::Busy | Self::Bug(_) => false,
        }
    }
}
