//! The foundation of the tests of the whole system: a private PostgreSQL with a database for each
//! test, the service over it with a clock that tests move, fixtures that make valid claims, and an
//! auditor of the books.
//!
//! * [`TestApp`] is a database of its own, cloned from a migrated and seeded template, and the
//!   [`World`] in it.
//! * [`World`] drives the service as its clients do: a cast of persons, claims with all their
//!   papers on file, and the verbs.
//! * [`HttpApp`] serves it on a loopback port, and calls it over TCP as a client would.
//! * [`audit`] reads the database without going through the service and reports every
//!   inconsistency.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test's tools fail by panicking"
)]

mod audit;
mod bundle;
mod cars;
mod database;
mod drive;
mod http;
mod logs;
pub mod numbers;
mod sales;
mod world;

pub use audit::{LEAVES, audit};
pub use bundle::write_bundle;
pub use cars::CarSale;
pub use database::{TestDb, private_cluster};
pub use drive::{keyed, new_key, tally};
pub use http::{HttpApp, Reply, SECRET, on_the_wire};
pub use logs::Recording;
pub use sales::{Person, Sale};
pub use world::{Cast, Setup, TestApp, World, day, permit, prepare, webhooks, witness, yuan};

/// Yanhu District.
pub const YANHU: &str = "140802";
/// Linyi County.
pub const LINYI: &str = "140821";
/// The city of Yuncheng, under whose code the caps over all counties stand.
pub const YUNCHENG: &str = "140800";
