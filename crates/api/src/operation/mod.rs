//! What keeps the service running and understood: health, metrics, the document and its pages,
//! problems explained.

pub mod probes;
