//! The finished contract, as the operation that serves it reads it.
//!
//! It is made once, where the application is put together: the document comes from the routes, so
//! that a handler which made it would depend on the list of all handlers.

use sha2::{Digest, Sha256};

/// The text of the OpenAPI document.
pub(crate) struct Published {
    pub(crate) openapi: String,
    pub(crate) etag: String,
}

impl Published {
    pub(crate) fn new(openapi: String) -> Published {
        Published {
            etag: format!("\"{}\"", hex::encode(Sha256::digest(openapi.as_bytes()))),
            openapi,
        }
    }
}
