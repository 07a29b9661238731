//! What every operation writes beside its own rows: its event, the queue to the outside, its first answer, and calls of waitlists.

pub mod events;
