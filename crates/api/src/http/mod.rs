//! What every operation has in common.

pub mod answer;
pub mod authenticated;
pub mod bodies;
pub mod extract;
pub mod field_limits;
pub mod fields;
pub mod lang;
pub mod middleware;
pub mod money;
pub mod problem;
pub mod published;
pub mod queries;
pub mod rate_limit;
pub mod span;
pub mod state;
pub mod views;
pub mod words;
