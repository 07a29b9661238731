//! JSON bodies: media type, size, syntax, then fields.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use bytes::BytesMut;
use futures::StreamExt;
use serde_json::Value;
use service::Refusal;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::http::contract::{Argument, Contract, Media};
use crate::http::fields::{Fields, read};
use crate::http::problem::Problem;
use crate::http::state::{Limits, shared};

/// A body that is read field by field.
pub trait Wire: 'static {
    /// What is read: as a rule the body itself.
    type Value;

    /// Read as `{}` when nothing is sent.
    const MAY_BE_EMPTY: bool = false;

    /// How many bytes it may have.
    fn limit(limits: &Limits) -> usize {
        limits.body
    }

    /// The value, or `None` after every error was reported.
    fn read(fields: &mut Fields<'_>) -> Option<Self::Value>;
}

/// A JSON body and the hash of the request, for idempotency.
pub struct Body<T: Wire> {
    pub value: T::Value,
    pub hash: [u8; 32],
}

/// Bodies have personal data: nothing of the value is shown.
impl<T: Wire> std::fmt::Debug for Body<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body").finish_non_exhaustive()
    }
}

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

impl<T: Wire> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let limit = T::limit(&shared(&request)?.limits);
            let value = json(&request, payload, limit, T::MAY_BE_EMPTY).await?;
            let hash = canonical_hash(request.path(), &value)?;
            let value = read(&value, "", T::read).map_err(Refusal::Invalid)?;
            Ok(Body { value, hash })
        })
    }
}

impl<T: Wire + ToSchema> Argument for Body<T> {
    const BODIES: usize = 1;

    fn describe(contract: &mut Contract<'_>) {
        contract.body("application/json", <T as Media>::schema, !T::MAY_BE_EMPTY);
    }
}

async fn json(
    request: &HttpRequest,
    payload: Payload,
    limit: usize,
    may_be_empty: bool,
) -> Result<Value, Problem> {
    const JSON: &[&str] = &["application/json"];
    let typed = request.headers().contains_key(header::CONTENT_TYPE);
    if typed || !may_be_empty {
        media_type(request, JSON)?;
    }
    let bytes = raw_body(request, payload, limit).await?;
    if bytes.is_empty() && may_be_empty {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    media_type(request, JSON)?;
    parse_json(&bytes)
}

/// The request's media type, which must be one of these; parameters such as the charset are not
/// looked at, since JSON and the lines we take are UTF-8 always.
pub(crate) fn media_type(
    request: &HttpRequest,
    allowed: &'static [&'static str],
) -> Result<&'static str, Problem> {
    let unsupported = || Problem::UnsupportedMediaType(allowed);
    if request.headers().contains_key(header::CONTENT_ENCODING) {
        return Err(unsupported());
    }
    let value = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = value
        .and_then(|value| value.split(';').next())
        .map(str::trim)
        .ok_or_else(unsupported)?;
    allowed
        .iter()
        .copied()
        .find(|it| it.eq_ignore_ascii_case(essence))
        .ok_or_else(unsupported)
}

/// The whole body, refused as soon as it is known to be too large.
pub async fn raw_body(
    request: &HttpRequest,
    mut payload: Payload,
    limit: usize,
) -> Result<bytes::Bytes, Problem> {
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    if announced
        .and_then(|text| text.parse::<usize>().ok())
        .is_some_and(|length| length > limit)
    {
        return Err(Problem::BodyTooLarge { limit });
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk?;
        if body.len().saturating_add(chunk.len()) > limit {
            return Err(Problem::BodyTooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// JSON, or where it stops being JSON. serde's own text is dropped: it may quote the body.
pub fn parse_json(bytes: &[u8]) -> Result<Value, Problem> {
    serde_json::from_slice(bytes).map_err(|error| Problem::MalformedJson {
        line: error.line(),
        column: error.column(),
    })
}

/// The hash by which a repeated request is known: SHA-256 over the path and the body's canonical
/// form (RFC 8785), so that neither the order of keys nor white space matters.
pub fn canonical_hash(path: &str, body: &Value) -> Result<[u8; 32], Problem> {
    let canonical = if is_plain(body) {
        serde_json::to_vec(body)
    } else {
        serde_jcs::to_vec(body)
    };
    let canonical = canonical
        .map_err(|_| Refusal::field("", "number", "数字超出可表示范围", "a number is out of range"))?;
    let mut hash = Sha256::new();
    hash.update(path.as_bytes());
    hash.update([0]);
    hash.update(&canonical);
    Ok(hash.finalize().into())
}

/// Whether its plain form is the canonical one: a `Value` keeps its keys sorted, so only numbers,
/// and keys beyond the Basic Multilingual Plane, could be written otherwise.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => number.as_i64().is_some_and(|it| it.unsigned_abs() < 1 << 53),
        Value::Array(items) => items.iter().all(is_plain),
        Value::Object(members) => members
            .iter()
            .all(|(key, value)| key.is_ascii() && is_plain(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_json_breaks_and_nothing_of_what_it_says() {
        let problem = parse_json(b"{\n  \"name\": secret }").unwrap_err();
        assert!(
            matches!(problem, Problem::MalformedJson { line: 2, column: 11 }),
            "{problem:?}"
        );
        let body = serde_json::to_string(&problem.view(policy::Lang::En, "r")).unwrap();
        assert!(!body.contains("secret"));
    }

    #[test]
    fn what_is_plain_is_canonical() {
        for text in [
            r#"{"b":[1,-7,{"y":null,"x":true}],"a":"\u0001\u001f\"\\/\b\n é 换新 😀"}"#,
            r#"{"n":9007199254740991}"#,
            "[]",
        ] {
            let value = parse_json(text.as_bytes()).unwrap();
            assert!(is_plain(&value), "{text}");
            assert_eq!(
                serde_json::to_vec(&value).unwrap(),
                serde_jcs::to_vec(&value).unwrap()
            );
        }
        for text in ["1.5", "1e3", "9007199254740993", r#"{"é":1}"#] {
            assert!(!is_plain(&parse_json(text.as_bytes()).unwrap()), "{text}");
        }
    }

    #[test]
    fn order_and_white_space_do_not_count() {
        let hash = |path, text: &str| canonical_hash(path, &parse_json(text.as_bytes()).unwrap()).unwrap();
        let first = hash("/v1/claims", r#"{"a":1,"b":"x"}"#);
        assert_eq!(first, hash("/v1/claims", "{ \"b\": \"x\",\n \"a\": 1 }"));
        assert_ne!(first, hash("/v1/claims", r#"{"a":1,"b":"y"}"#));
        assert_ne!(first, hash("/v1/disbursements", r#"{"a":1,"b":"x"}"#));
    }
}
