//! What the binary `huanxin` is assembled from: its commands and configuration, the wiring of the
//! crates, telemetry and the demo.

mod auditing;
pub mod clients;
pub mod commands;
pub mod config;
pub mod demo;
pub mod health;
mod replay;
pub mod seed;
pub mod telemetry;
pub mod wiring;
