//! What the binary `huanxin` is assembled from: its commands and configuration, the wiring of the crates, telemetry, the
//! demo, and the private PostgreSQL of the demo and the tests.

mod auditing;
pub mod clients;
pub mod commands;
pub mod config;
pub mod demo;
pub mod health;
pub mod postgres;
mod replay;
pub mod seed;
pub mod telemetry;
pub mod wiring;
