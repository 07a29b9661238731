//! Instructions, files and reports seen from outside: what is written is what a bank's schema accepts, and what a bank says back
//! is what is read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod county_bank;
mod fixtures;
mod golden;
mod hostile;
mod reading;
mod round_trip;
mod schema;
mod splitting;
