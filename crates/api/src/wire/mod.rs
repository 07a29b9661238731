//! Types on the wire. The domain's own types carry no serialization, so that neither can change the other by accident.

pub mod advances;
pub mod exports;
pub mod payments;
pub mod samples;
pub mod statements;
pub mod submissions;
pub mod transparency;
pub mod webhooks;
