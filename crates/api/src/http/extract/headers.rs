//! Headers that change what a request does.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{FromRequest, HttpRequest};
use serde_json::{Value, json};
use service::operation::Key;
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::{RefOr, Schema};

use crate::http::contract::{Argument, Contract};
use crate::http::field_limits::ETAG;
use crate::http::fields::Slot;
use crate::http::problem::Problem;
use crate::http::wire::{AnySchema, Members, Pattern, Shape};

const KEY: Pattern = Pattern {
    longest: 255,
    pattern: "^[!-~]{1,255}$",
    parse: |text| {
        let visible = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        visible.then(|| text.to_owned())
    },
    zh: "须为1至255个可见ASCII字符",
    en: "it has 1 to 255 visible ASCII characters",
};

/// An ETag, read as the revision that it names.
pub(crate) const REVISION: Pattern<i32> = Pattern {
    longest: ETAG,
    pattern: "^\"[0-9]{1,10}\"$",
    parse: revision_of,
    zh: "须为一个 ETag，例如 \"3\"",
    en: "it is one ETag, such as \"3\"",
};

fn read<T>(name: &str, value: &HeaderValue, form: &Pattern<T>) -> Result<T, Problem> {
    let text = value.to_str().ok().filter(|text| text.len() <= form.longest);
    let read = text.and_then(form.parse);
    read.ok_or_else(|| Problem::header(name, "form", form.zh, form.en))
}

/// A header as the document has it.
struct Header<T> {
    name: &'static str,
    required: bool,
    text: &'static str,
    example: Option<Value>,
    shortest: Option<usize>,
    form: Pattern<T>,
}

impl<T> Header<T> {
    fn describe(self, contract: &mut Contract<'_>) {
        let example = self.example.clone();
        let mut members = Members::default();
        members.add(self.name, self.required, self.text, example, &self);
        contract.parameters(members.parameters(&ParameterIn::Header));
    }
}

impl<T> Shape for Header<T> {
    type Value = T;

    fn read(&self, slot: &Slot<'_>) -> Option<T> {
        self.form.read(slot)
    }

    fn schema(&self) -> AnySchema {
        let mut schema = self.form.schema();
        if let RefOr::T(Schema::Object(text)) = &mut schema {
            text.min_length = self.shortest;
        }
        schema
    }
}

fn key_required() -> Header<String> {
    Header {
        name: "Idempotency-Key",
        required: true,
        text: "A new key for each new thing, the same on every retry. The first answer is remembered for 30 days.",
        example: Some(json!("YH-20260501-000123")),
        shortest: Some(1),
        form: KEY,
    }
}

fn if_match(required: bool, text: &'static str) -> Header<i32> {
    Header {
        name: "If-Match",
        required,
        text,
        example: Some(json!("\"1\"")),
        shortest: None,
        form: REVISION,
    }
}

/// The caller's key for this piece of work: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(pub String);

impl FromRequest for IdempotencyKey {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(value) = request.headers().get("idempotency-key") else {
            return ready(Err(Problem::IdempotencyKeyRequired));
        };
        ready(read("Idempotency-Key", value, &KEY).map(IdempotencyKey))
    }
}

impl Argument for IdempotencyKey {
    fn describe(contract: &mut Contract<'_>) {
        key_required().describe(contract);
        contract.problems(&[400, 422]);
        contract.replays();
    }
}

/// As [`IdempotencyKey`], for a call of many items. The key of an item is made from it, and each
/// item's result says whether it is the first answer again; the answer as a whole does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchKey(pub String);

impl FromRequest for BatchKey {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let key = IdempotencyKey::from_request(request, payload).into_inner();
        ready(key.map(|key| BatchKey(key.0)))
    }
}

impl Argument for BatchKey {
    fn describe(contract: &mut Contract<'_>) {
        key_required().describe(contract);
        contract.problems(&[400, 422]);
    }
}

/// As [`IdempotencyKey`], for what may be repeated without one because its revision says whether it
/// was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionalKey(Option<IdempotencyKey>);

impl OptionalKey {
    /// The key with the hash of its request.
    pub fn of(self, request: [u8; 32]) -> Option<Key> {
        self.0.map(|key| Key { key: key.0, request })
    }
}

impl FromRequest for OptionalKey {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        if !request.headers().contains_key("idempotency-key") {
            return ready(Ok(OptionalKey(None)));
        }
        ready(
            IdempotencyKey::from_request(request, payload)
                .into_inner()
                .map(|key| OptionalKey(Some(key))),
        )
    }
}

impl Argument for OptionalKey {
    fn describe(contract: &mut Contract<'_>) {
        let header = Header {
            required: false,
            text: "A new key for each new thing, the same on every retry.",
            example: None,
            ..key_required()
        };
        header.describe(contract);
        contract.problems(&[400, 422]);
        contract.replays();
    }
}

/// The revision that the caller saw, if it says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfMatch(pub Option<i32>);

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(value) = request.headers().get(header::IF_MATCH) else {
            return ready(Ok(IfMatch(None)));
        };
        ready(read("If-Match", value, &REVISION).map(|revision| IfMatch(Some(revision))))
    }
}

impl Argument for IfMatch {
    fn describe(contract: &mut Contract<'_>) {
        if_match(
            false,
            "The ETag that the caller saw; if it is stale, nothing is done.",
        )
        .describe(contract);
        contract.problems(&[400, 412]);
    }
}

/// As [`IfMatch`], for decisions that must not be taken on what was not seen. That it is missing is
/// said last, after what is wrong with the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenRevision(IfMatch);

impl SeenRevision {
    pub fn required(self) -> Result<i32, Problem> {
        self.0.0.ok_or(Problem::IfMatchRequired)
    }
}

impl FromRequest for SeenRevision {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let seen = IfMatch::from_request(request, payload).into_inner();
        ready(seen.map(SeenRevision))
    }
}

impl Argument for SeenRevision {
    fn describe(contract: &mut Contract<'_>) {
        let text = "The ETag that the caller saw; without it the answer is 428, and if it is stale 412.";
        if_match(true, text).describe(contract);
        contract.problems(&[400, 412, 428]);
    }
}

/// The revision in an ETag. `*` and weak tags are not taken: either would match what the caller has
/// not seen.
pub(crate) fn revision_of(etag: &str) -> Option<i32> {
    let digits = etag.trim().strip_prefix('"')?.strip_suffix('"')?;
    let plain = digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|revision| plain && *revision > 0)
}

/// The ETag of a revision.
pub(crate) fn etag_of(revision: i32) -> String {
    format!("\"{revision}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_is_a_quoted_revision() {
        assert_eq!(revision_of(&etag_of(7)), Some(7));
        for wrong in [
            "",
            "7",
            "*",
            "W/\"7\"",
            "\"\"",
            "\"-1\"",
            "\"0\"",
            "\"7\", \"8\"",
            "\"+7\"",
            "\"99999999999\"",
        ] {
            assert_eq!(revision_of(wrong), None, "{wrong:?}");
        }
    }
}
