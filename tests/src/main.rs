//! The system from outside: the service on real PostgreSQL, a database for each test, a clock that
//! tests move. Every scenario ends with an audit of the books.

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
mod event_delivery;
mod exports;
mod fences;
mod http;
mod lanes;
mod life;
mod logging;
mod looking_back;
mod outside;
mod plans;
mod programmes;
mod races;
mod replay;
mod sampling;
mod schema;
mod transparency;
mod year;
