//! What keeps the service running and understood.

pub mod probes;
