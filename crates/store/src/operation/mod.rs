//! What an operation writes beside its own rows: its event, the queue to the outside, its first answer, and calls of waitlists.
//!
//! All of it is written in the operation's own transaction, so that none is there without the other: an event that is
//! recorded is queued ([`outbox`]), and a request sent twice finds its first answer ([`idempotency`]). The outbox has one row a county and
//! unit of work, of at most 200 events; keys are forgotten in bounded steps once they are old.

mod events;
mod idempotency;
pub mod outbox;
mod proposals;
mod waitlist_calls;

pub use events::*;
pub use idempotency::*;
pub use outbox::OutboxRow;
pub use proposals::Signatures;
pub(crate) use proposals::proposal_row;
pub use waitlist_calls::*;
