//! Types on the wire. The domain's own types carry no serialization, so that neither can change the other by accident.

pub mod webhooks;
