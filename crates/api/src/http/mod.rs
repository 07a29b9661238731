//! What every operation has in common.
//!
//! A request passes [`middleware`], which gives it an id, a language and bounds; [`authenticated`],
//! which checks its token and right; [`extract`], which reads its parts field by field; then its
//! handler. Errors of all of them become a [`problem`]. Nothing here knows a wing: what a wing
//! takes and answers stands beside its handlers.

pub mod answer;
pub mod authenticated;
pub mod bodies;
pub(crate) mod contract;
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
pub mod wire;
pub mod words;
