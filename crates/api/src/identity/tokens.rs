//! Tokens: client credentials in, a short-lived bearer token out (RFC 6749, 4.4).

use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpRequest, web};
use api_macros::operation;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Map, Value};
use service::Refusal;
use utoipa::ToSchema;
use utoipa::openapi::{KnownFormat, RefOr, Schema, SchemaFormat};
use wire_derive::WireBody;

use crate::http::answer::{Answer, Json, ok, ok_as};
use crate::http::contract::AnyFields;
use crate::http::extract::{media_type, raw_body};
use crate::http::fields::{Slot, read};
use crate::http::problem::Problem;
use crate::http::state::ApiState;
use crate::http::wire::{AnySchema, Object, Pattern, Shape, Text};

/// A request for a token. Client id and secret may come by HTTP Basic instead.
#[derive(Debug, WireBody)]
pub struct TokenRequest {
    #[wire(GRANT_TYPE, example = "client_credentials")]
    pub grant_type: String,
    #[wire(Text(1..=100))]
    pub client_id: Option<String>,
    #[wire(Secret)]
    pub client_secret: Option<SecretString>,
    /// Not used: rights follow from the role. Clients' libraries send it all the same.
    #[wire(Text(0..=200))]
    pub scope: Option<String>,
}

/// Another type of grant is a problem of its own, not a wrong field.
const GRANT_TYPE: Pattern = Pattern {
    longest: 40,
    pattern: "^client_credentials$",
    parse: |text| Some(text.to_owned()),
    zh: "",
    en: "",
};

/// A client's secret.
struct Secret;

impl Shape for Secret {
    type Value = SecretString;

    fn read(&self, slot: &Slot<'_>) -> Option<SecretString> {
        Text(1..=200).read(slot).map(SecretString::from)
    }

    fn schema(&self) -> AnySchema {
        let mut schema = Text(1..=200).schema();
        if let RefOr::T(Schema::Object(text)) = &mut schema {
            text.format = Some(SchemaFormat::KnownFormat(KnownFormat::Password));
        }
        schema
    }
}

/// 获取令牌 · Issue a token
///
/// By client credentials, in the form or by HTTP Basic.
#[operation(
    post "/oauth/token",
    tag = Access,
    body("The credentials.", "application/x-www-form-urlencoded" = TokenRequest),
    answer = "A bearer token.",
    problems(401, 429),
    open
)]
pub(crate) async fn issue_token(
    api: ApiState,
    request: HttpRequest,
    payload: web::Payload,
) -> Answer<Json<TokenView>> {
    api.token_rate_limit
        .check(request.peer_addr().map(|address| address.ip()))?;
    media_type(&request, &["application/x-www-form-urlencoded"])?;
    let body = raw_body(&request, payload.into_inner(), FORM_MAX).await?;
    let pairs = std::str::from_utf8(&body)
        .ok()
        .and_then(|text| Pairs::from_query(text).ok());
    let pairs = pairs
        .ok_or(Problem::Bare(actix_web::http::StatusCode::BAD_REQUEST))?
        .into_inner();
    let object: Map<String, Value> = pairs
        .into_iter()
        .map(|(name, value)| (name, Value::String(value)))
        .collect();
    let form = read(&Value::Object(object), "", TokenRequest::read).map_err(Refusal::Invalid)?;
    if form.grant_type != "client_credentials" {
        return Err(Problem::UnsupportedGrantType);
    }
    let (id, secret) = match form.client_id.zip(form.client_secret) {
        Some(credentials) => credentials,
        None => basic(&request).ok_or(Refusal::BadCredentials)?,
    };
    let token = api.service.identity().issue_token(&id, &secret).await?;
    ok(&TokenView {
        access_token: token.access_token,
        token_type: "Bearer",
        expires_in: token.expires_in,
    })
}

type Pairs = web::Query<Vec<(String, String)>>;

const FORM_MAX: usize = 4096;

/// Client id and secret from `Authorization: Basic`.
fn basic(request: &HttpRequest) -> Option<(String, SecretString)> {
    let value = request.headers().get("authorization")?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    let decoded = STANDARD
        .decode(encoded.trim())
        .ok()
        .filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(decoded)
        .ok()
        .filter(|text| !text.contains('\0'))?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), SecretString::from(secret)))
}

/// 公钥 · Get the public keys
///
/// The keys that verify tokens, as a JWK set (RFC 7517, RFC 8037).
#[operation(get "/.well-known/jwks.json", tag = Access, answer = "The keys.", open)]
pub(crate) async fn get_jwks(api: ApiState) -> Answer<Json<AnyFields>> {
    let cacheable = HeaderValue::from_static("public, max-age=300");
    Ok(ok_as(&api.service.identity().jwks())?.with(CACHE_CONTROL, cacheable))
}

/// A token (RFC 6749, 5.1).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Token)]
pub struct TokenView {
    #[schema(max_length = 4096)]
    pub access_token: String,
    #[schema(max_length = 6, example = "Bearer")]
    pub token_type: &'static str,
    /// Seconds.
    #[schema(minimum = 1, example = 900)]
    pub expires_in: i64,
}
