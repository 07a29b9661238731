//! The system from outside: the service on real PostgreSQL, a database for each test, a clock that is moved by hand. Every
//! scenario ends with an audit of the books.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test fails by panicking"
)]

mod any_order;
mod bundles;
mod corpus;
mod crashes;
mod exports;
mod fences;
mod http;
mod lanes;
mod life;
mod looking_back;
mod outside;
mod plans;
mod programmes;
mod races;
mod replay;
mod sampling;
mod schema;
mod telling;
mod transparency;
mod year;
