//! Types on the wire. The domain's own types carry no serialization, so that neither can change the other by accident.

pub mod advances;
pub mod claim_form;
mod claim_read;
pub mod claim_view;
pub mod clawbacks;
pub mod closings;
pub mod drafts;
pub mod exports;
pub mod finance;
pub mod ledger_view;
pub mod payments;
pub mod samples;
pub mod sources;
pub mod statements;
pub mod submissions;
pub mod transparency;
pub mod webhooks;

pub use claim_read::read_claim;
