//! Instructions, files and reports seen from outside: a bank's schema accepts every file, and a
//! bank's report is read as the bank meant it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod county_bank;
mod fixtures;
mod golden;
mod hostile;
mod reading;
mod round_trip;
mod schema;
mod splitting;
