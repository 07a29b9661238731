//! Leaves of the log, in bytes that never change.
//!
//! ```text
//! leaf      = version kind body          hash of a leaf = SHA-256(0x00 || leaf), RFC 6962
//! version   = 0x01
//! kind      = 0x01 transfer | 0x02 decision | 0x03 event
//! text      = length (4 bytes, big-endian) and that many bytes of UTF-8
//! bytes     = length (4 bytes, big-endian) and that many bytes
//! number    = 8 bytes, big-endian, two's complement
//! instant   = number: microseconds since 1970-01-01T00:00:00Z
//! uuid      = 16 bytes
//! optional  = 0x00, or 0x01 and the value
//!
//! transfer  = jurisdiction text, height number, programme text, reason text, amount in fen number,
//!             claim optional uuid, document optional uuid, posted at instant, actor text
//! decision  = jurisdiction text, claim uuid, revision number, outcome text,
//!             SHA-256 of the receipt (32 bytes), keys bytes, decided at instant
//! event     = jurisdiction text, id uuid, subject text, verb text, actor text, person text,
//!             at instant, revision optional number, from optional text, to optional text,
//!             reason optional text, request optional text, detail optional text
//! ```
//!
//! The accounts of a transfer follow from its reason. `keys` are the natural keys that the claim
//! holds, 17 bytes each: a byte for the kind and the keyed digest. `detail` is the signed act, as
//! canonical JSON.

use super::tree::Hash;

const VERSION: u8 = 1;

/// One entry of a county's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaf<'a> {
    Transfer(Posted<'a>),
    Decision(Decision<'a>),
    Event(Event<'a>),
}

/// A transfer as it was posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posted<'a> {
    pub jurisdiction: &'a str,
    pub height: i64,
    pub programme: &'a str,
    pub reason: &'a str,
    /// Fen.
    pub amount: i64,
    pub claim: Option<[u8; 16]>,
    pub document: Option<[u8; 16]>,
    /// Microseconds since 1970.
    pub posted_at: i64,
    pub actor: &'a str,
}

/// The decision on one revision of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision<'a> {
    pub jurisdiction: &'a str,
    pub claim: [u8; 16],
    pub revision: i64,
    pub outcome: &'a str,
    /// SHA-256 of the receipt's bytes.
    pub receipt: [u8; 32],
    /// A byte for the kind and 16 of the digest, for each key.
    pub keys: &'a [u8],
    /// Microseconds since 1970.
    pub decided_at: i64,
}

/// An act of a person or of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    pub jurisdiction: &'a str,
    pub id: [u8; 16],
    pub subject: &'a str,
    pub verb: &'a str,
    pub actor: &'a str,
    pub person: &'a str,
    /// Microseconds since 1970.
    pub at: i64,
    pub revision: Option<i64>,
    pub from: Option<&'a str>,
    pub to: Option<&'a str>,
    pub reason: Option<&'a str>,
    pub request: Option<&'a str>,
    pub detail: Option<&'a str>,
}

impl Leaf<'_> {
    /// The bytes of the leaf.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        self.encode_into(&mut bytes);
        bytes
    }

    /// Writes the bytes of the leaf into the buffer, replacing its contents.
    pub fn encode_into(&self, bytes: &mut Vec<u8>) {
        bytes.clear();
        bytes.push(VERSION);
        let mut out = Writer(bytes);
        match self {
            Leaf::Transfer(it) => {
                out.0.push(1);
                out.text(it.jurisdiction);
                out.number(it.height);
                out.text(it.programme);
                out.text(it.reason);
                out.number(it.amount);
                out.optional(it.claim, Writer::raw);
                out.optional(it.document, Writer::raw);
                out.number(it.posted_at);
                out.text(it.actor);
            }
            Leaf::Decision(it) => {
                out.0.push(2);
                out.text(it.jurisdiction);
                out.raw(it.claim);
                out.number(it.revision);
                out.text(it.outcome);
                out.raw(it.receipt);
                out.bytes(it.keys);
                out.number(it.decided_at);
            }
            Leaf::Event(it) => {
                out.0.push(3);
                out.text(it.jurisdiction);
                out.raw(it.id);
                out.text(it.subject);
                out.text(it.verb);
                out.text(it.actor);
                out.text(it.person);
                out.number(it.at);
                out.optional(it.revision, Writer::number);
                out.optional(it.from, Writer::text);
                out.optional(it.to, Writer::text);
                out.optional(it.reason, Writer::text);
                out.optional(it.request, Writer::text);
                out.optional(it.detail, Writer::text);
            }
        }
    }

    /// The leaf's hash in the tree.
    pub fn hash(&self) -> Hash {
        Hash::of_leaf(&self.encode())
    }
}

struct Writer<'a>(&'a mut Vec<u8>);

impl Writer<'_> {
    fn raw<const N: usize>(&mut self, bytes: [u8; N]) {
        self.0.extend_from_slice(&bytes);
    }

    fn number(&mut self, number: i64) {
        self.raw(number.to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        // The sizes of all members are bounded far below 4 GiB at the input.
        self.raw(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.0.extend_from_slice(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            None => self.0.push(0),
            Some(value) => {
                self.0.push(1);
                write(self, value);
            }
        }
    }
}
