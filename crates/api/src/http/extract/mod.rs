//! What a handler takes from a request, each part parsed and bounded before the handler runs.

mod body;
mod headers;
mod path;
mod query;

pub(crate) use body::media_type;
pub use body::{Body, Wire, canonical_hash, parse_json, raw_body};
pub use headers::{BatchKey, IdempotencyKey, IfMatch, OptionalKey, SeenRevision};
pub(crate) use headers::{REVISION, etag_of};
pub use path::{Path, PathId, PathParts};
pub use query::{Params, Query};
