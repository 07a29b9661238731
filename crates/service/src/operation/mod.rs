//! What every operation stands on, whatever it is about.
//!
//! | module | holds |
//! |---|---|
//! | `access` | rights and [`Permit`] by [`Role`]; the table of who may do what is its `rights!` |
//! | `error` | [`Refusal`], which changed nothing, and [`ServiceError`] |
//! | `run` | the one way to a transaction: permit, county, key, time, events, and what follows the commit |
//! | `idempotency` | the first answer to a key, kept in the transaction that did the work and given again |
//! | `events` | the audit trail: an event for whatever was done |
//! | `proposal` | what one person makes and another decides on |
//! | `paging` | keyset pages and their cursors |
//! | `checks` | what a caller states with a change: a reason, the revision that was seen |
//! | `convert` | from the columns of rows to the domain's types |
//! | `time` | the city's local time |
//!
//! It knows no claim, fund or payment: the wings above use it, and it uses none of them. A page has
//! at most [`paging::MAX_PAGE`] rows, a transaction at most [`MAX_BATCH`] claims.

pub mod access;
pub(crate) mod checks;
pub(crate) mod convert;
mod error;
pub(crate) mod events;
mod idempotency;
pub mod paging;
mod proposal;
pub(crate) mod run;
pub mod time;

pub use access::{Actor, Permit, Right};
pub use claims::clients::Role;
pub use error::{FieldError, Refusal, ServiceError};
pub(crate) use idempotency::{Kept, StoredAnswer, stored_answer};
pub use idempotency::{Key, Replayable};
pub use paging::Page;
pub use proposal::Check;
pub(crate) use proposal::Decision;
pub(crate) use run::{Finished, Op, Recorded, Runner};

/// The largest batch one transaction takes; bulk calls are split into batches of this size.
pub const MAX_BATCH: usize = 1_000;
