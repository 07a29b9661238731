//! The only crate that knows SQL.
//!
//! Reads are methods of [`Conn`]; writes take a [`Tx`], and only [`Store::write`] makes one. Statements are set-based: a
//! single row is a set of one. Rows are plain data; what they mean is decided above, and proved by the schema's named
//! constraints.

pub mod audit;
mod batch;
pub mod claims;
pub mod columns;
mod error;
pub mod funds;
pub mod identity;
pub mod ids;
mod migrate;
pub mod operation;
pub mod payments;
pub mod programmes;
pub mod schema;
mod store;
pub mod webhooks;

pub use error::StoreError;
pub use migrate::{migrate, revert_all};
pub use store::{Conn, Done, PoolStatus, Retry, Store, StoreConfig, Tx};
