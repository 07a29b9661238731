//! What keeps the service running and understood: health, metrics, the document and its pages,
//! problems explained.

pub mod probes;

use crate::http::contract::{Operation, operations};

/// Every operation of the wing.
pub(crate) const OPERATIONS: &[Operation] = operations![
    probes::healthz,
    probes::readyz,
    probes::metrics,
    probes::openapi_document,
    probes::explain_problem,
];
