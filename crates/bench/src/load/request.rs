//! The request that submits a claim.

use std::io::Write;

use crate::claim::{Spread, write_body};

/// The prefix of every idempotency key; the claim's number follows.
const KEY: &str = "6f9619ff-8b86-d011-b42d";

/// The idempotency key of a claim.
pub(crate) fn key(number: u64) -> String {
    format!("{KEY}-{number:012}")
}

/// Appends the whole of the request; `authorization` is a header with its line end, `body` a
/// buffer.
pub(crate) fn write_claim(
    request: &mut Vec<u8>,
    body: &mut Vec<u8>,
    number: u64,
    spread: Spread,
    authorization: &str,
) {
    body.clear();
    write_body(body, number, spread);
    // Writing to memory does not fail.
    let _ = write!(
        request,
        "POST /v1/claims HTTP/1.1\r\nhost: localhost\r\n{authorization}content-type: application/json\r\n\
         idempotency-key: {KEY}-{number:012}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    request.extend_from_slice(body);
}
