//! What every operation stands on, whatever it is about.

pub(crate) mod checks;
pub(crate) mod convert;
mod proposal;
mod role;
pub mod time;

pub use proposal::Check;
pub(crate) use proposal::pending;
pub use role::Role;
