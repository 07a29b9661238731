//! Bounds that stand in the OpenAPI document and are kept by the readers, under one name.

/// The longest identifier, before separators are dropped.
pub const IDENTIFIER: usize = 64;
pub const CATEGORY: usize = 40;
pub const PERSON_NAME: usize = 60;
/// `YYYY-MM-DD`.
pub const DATE: usize = 10;
/// Prefix, jurisdiction of a development zone, and 32 hex digits.
pub const ID: usize = 46;
/// RFC 3339.
pub const INSTANT: usize = 40;
pub const UUID: usize = 36;
/// 账号 of a merchant or a county.
pub const BANK_ACCOUNT: usize = 34;
pub const BRAND: usize = 60;
pub const MODEL: usize = 100;
pub const ADDRESS: usize = 200;
pub const GOODS_NAME: usize = 200;
pub const BANK_NAME: usize = 100;
/// Name of an account's holder or its bank, as ISO 20022 has it.
pub const PARTY_NAME: usize = 140;
/// An address that a merchant registers.
pub const URL: usize = 2_048;
/// Types of events that one address takes, and the longest of them.
pub const EVENTS: usize = 20;
pub const EVENT: usize = 40;
pub const DISPLACEMENT_ML: u32 = 20_000;
/// Name of a person who uses the service.
pub const PERSON: usize = 100;
/// A revision in quotes.
pub const ETAG: usize = 12;
/// A reason that a person gives.
pub const REASON: usize = 500;
/// Number of an official document.
pub const DOCUMENT: usize = 100;
/// Items that `POST /v1/approvals` takes.
pub const APPROVALS: usize = 1_000;
/// Results that one call records.
pub const RESULTS: usize = 1_000;
/// Claims that one disbursement may be asked to gather.
pub const GATHERED: u32 = 100_000;
/// Text of a programme's document.
pub const PROGRAMME: usize = 262_144;
/// Versions of one programme.
pub const VERSIONS: u32 = 1_000_000;
/// Counties that one replay names.
pub const COUNTIES: usize = 200;
/// The key of a register's entry.
pub const KEY: usize = 200;
/// Files of one instruction.
pub const PARTS: u32 = 999;
/// Caps that one change sets.
pub const CAPS: usize = 100;
/// Claims that one sample draws.
pub const SAMPLE: u32 = claims::sampling::MOST;
/// Lines of one bulk call, in mode `continue`.
pub const BULK_LINES: usize = 10_000;
pub const PAGE_DEFAULT: usize = 50;
pub const PAGE_MAX: u32 = 200;
/// Bytes of a signed checkpoint with its witnesses' lines.
pub const NOTE: usize = 16_384;
/// A cursor is opaque to clients.
pub const CURSOR: usize = 400;
