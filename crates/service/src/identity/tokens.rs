//! Client credentials in, short-lived EdDSA tokens out, and back again.
//!
//! The first signing key signs; every key verifies, by `kid`: to rotate, put a new key first, and take the old one out when
//! the last token it signed has expired. A token names its client; role and counties are read from the database, cached for
//! some seconds, so that a disabled client is out at once for all practical purposes.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use claims::clients::ClientStatus;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::DecodePrivateKey;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::identity::clients::ClientRow;

use super::Identity;
use crate::operation::{Actor, Op, Refusal, Role, ServiceError};

const ISSUER: &str = "huanxin";
const AUDIENCE: &str = "huanxin-api";
const LIFETIME_S: i64 = 900;
const CACHED_S: i64 = 5;

struct Key {
    kid: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    public: String,
}

/// Ed25519 keys by `kid`.
pub struct SigningKeys(Vec<Key>);

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.kid)).finish()
    }
}

impl SigningKeys {
    /// Keys as PKCS#8 PEM with their ids; the first signs. None if one of them is not an Ed25519 key, or there is none.
    pub fn new(keys: &[(String, SecretString)]) -> Option<Self> {
        let parse = |(kid, pem): &(String, SecretString)| {
            let signing = SigningKey::from_pkcs8_pem(pem.expose_secret()).ok()?;
            let public = URL_SAFE_NO_PAD.encode(signing.verifying_key().as_bytes());
            Some(Key {
                kid: kid.clone(),
                encoding: EncodingKey::from_ed_pem(pem.expose_secret().as_bytes()).ok()?,
                decoding: DecodingKey::from_ed_components(&public).ok()?,
                public,
            })
        };
        let keys = keys.iter().map(parse).collect::<Option<Vec<_>>>()?;
        (!keys.is_empty()).then_some(Self(keys))
    }
}

/// A bearer token and how long it is good for, in seconds.
#[derive(Clone)]
pub struct Token {
    pub access_token: String,
    pub expires_in: i64,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token")
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize)]
struct TokenClaims {
    iss: String,
    aud: String,
    sub: String,
    iat: i64,
    exp: i64,
}

/// A client to be registered. The secret is kept only as an argon2id hash.
#[derive(Debug)]
pub struct NewClient {
    pub id: String,
    pub secret: SecretString,
    pub role: Role,
    /// Who stands behind the credential; two credentials of one person are one pair of eyes.
    pub person: String,
    pub merchant: Option<String>,
    pub jurisdictions: Vec<String>,
}

#[derive(Default)]
pub(crate) struct ClientCache(Mutex<HashMap<String, CachedClient>>);

/// A client and when it was read.
type CachedClient = (DateTime<Utc>, Arc<ClientRow>);

impl std::fmt::Debug for ClientCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientCache")
    }
}

/// Tokens that were found good, by their SHA-256, each with its client and its end: checking a signature takes longer than all
/// else that a request needs before its work.
#[derive(Default)]
pub(crate) struct TokenCache(Mutex<HashMap<[u8; 32], (String, i64)>>);

/// Tokens remembered before those that have ended are forgotten, and all of them if none has.
const TOKENS: usize = 10_000;

impl std::fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenCache")
    }
}

impl TokenCache {
    fn client(&self, token: &[u8; 32], now: i64) -> Option<String> {
        let cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (client, _) = cache.get(token).filter(|(_, end)| *end > now)?;
        Some(client.clone())
    }

    fn keep(&self, token: [u8; 32], client: &str, end: i64, now: i64) {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= TOKENS {
            cache.retain(|_, (_, end)| *end > now);
            if cache.len() >= TOKENS {
                cache.clear();
            }
        }
        cache.insert(token, (client.to_owned(), end));
    }
}

pub(crate) struct Throttle(DefaultKeyedRateLimiter<String>);

impl std::fmt::Debug for Throttle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Throttle")
    }
}

impl Throttle {
    pub(crate) fn new(per_second: u32) -> Self {
        let rate = NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN);
        let burst = rate.saturating_mul(NonZeroU32::MIN.saturating_add(1));
        Self(RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst)))
    }

    fn check(&self, key: &str) -> Result<(), Refusal> {
        self.0
            .check_key(&key.to_owned())
            .map_err(|_| Refusal::Throttled { retry_after_s: 1 })
    }
}

impl Identity {
    /// A token for a client that knows its secret. Argon2 runs off the async workers, and as long for an unknown client.
    pub async fn issue_token(&self, client: &str, secret: &SecretString) -> Result<Token, ServiceError> {
        self.throttle.check(&format!("token/{client}"))?;
        let row = self.op.read().await?.client(client).await?;
        let (hash, known) = match &row {
            Some(row) if row.status == ClientStatus::Active => (row.secret_hash.clone(), true),
            _ => (DECOY.to_owned(), false),
        };
        let secret = secret.clone();
        let matches = tokio::task::spawn_blocking(move || verify(&hash, &secret)).await?;
        if !(known && matches) {
            return Err(Refusal::BadCredentials.into());
        }
        let now = self.op.now().timestamp();
        let key = self
            .signing
            .0
            .first()
            .ok_or_else(|| ServiceError::bug("no signing key"))?;
        let header = Header {
            kid: Some(key.kid.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        let body = TokenClaims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: client.to_owned(),
            iat: now,
            exp: now.saturating_add(LIFETIME_S),
        };
        let access_token = jsonwebtoken::encode(&header, &body, &key.encoding)?;
        Ok(Token {
            access_token,
            expires_in: LIFETIME_S,
        })
    }

    /// Who a bearer token stands for.
    pub async fn authenticate(&self, token: &str, request: Option<String>) -> Result<Actor, ServiceError> {
        let client = self.verify_token(token).ok_or(Refusal::BadToken)?;
        let row = self
            .client(&client)
            .await?
            .filter(|row| row.status == ClientStatus::Active)
            .ok_or(Refusal::BadToken)?;
        Ok(Actor {
            client,
            person: row.person.clone(),
            role: row.role,
            jurisdictions: row.jurisdictions.clone(),
            merchant: row.merchant.clone(),
            request,
        })
    }

    /// Refuses a client that calls too often.
    pub fn throttle(&self, actor: &Actor) -> Result<(), Refusal> {
        self.throttle.check(&actor.client)
    }

    /// The public keys as a JWK set (RFC 8037).
    pub fn jwks(&self) -> serde_json::Value {
        let key = |key: &Key| serde_json::json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key.kid, "x": key.public});
        serde_json::json!({ "keys": self.signing.0.iter().map(key).collect::<Vec<_>>() })
    }

    /// Registers a client, or gives a known one a new secret and role.
    pub async fn register_client(&self, actor: &Actor, new: NewClient) -> Result<(), ServiceError> {
        let secret = new.secret.clone();
        let hash = tokio::task::spawn_blocking(move || hash(&secret)).await??;
        let city = self.catalogue.city()?;
        let unit = async |mut op: Op<'_>| {
            let row = ClientRow {
                id: new.id.clone(),
                secret_hash: hash.clone(),
                role: new.role,
                person: new.person.clone(),
                merchant: new.merchant.clone(),
                jurisdictions: new.jurisdictions.clone(),
                status: ClientStatus::Active,
                created_at: op.now,
            };
            op.tx.save_client(&row).await?;
            let event = op.event(&city, &format!("client:{}", row.id), "register_client");
            let recorded = op.record_inside(&[event]).await?;
            Ok(op.done(recorded, ()))
        };
        self.op.by(actor).run(unit).await
    }

    fn verify_token(&self, token: &str) -> Option<String> {
        let now = self.op.now().timestamp();
        let name = Sha256::digest(token).into();
        if let Some(client) = self.tokens.client(&name, now) {
            return Some(client);
        }
        let kid = jsonwebtoken::decode_header(token).ok()?.kid?;
        let key = self.signing.0.iter().find(|key| key.kid == kid)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        // Expiry is checked below against the service's own clock.
        validation.validate_exp = false;
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        let body = jsonwebtoken::decode::<TokenClaims>(token, &key.decoding, &validation)
            .ok()?
            .claims;
        if body.exp <= now {
            return None;
        }
        self.tokens.keep(name, &body.sub, body.exp, now);
        Some(body.sub)
    }

    async fn client(&self, id: &str) -> Result<Option<Arc<ClientRow>>, ServiceError> {
        let now = self.op.now();
        {
            let cache = self.clients.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((read, row)) = cache.get(id)
                && now.signed_duration_since(*read).num_seconds() < CACHED_S
            {
                return Ok(Some(Arc::clone(row)));
            }
        }
        let row = self.op.read().await?.client(id).await?.map(Arc::new);
        let mut cache = self.clients.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &row {
            Some(row) => cache.insert(id.to_owned(), (now, Arc::clone(row))),
            None => cache.remove(id),
        };
        Ok(row)
    }
}

/// A hash that nothing matches, so that an unknown client costs as much time as a wrong secret.
const DECOY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$Y2hhbmdlIG9mIHNhbHQ$4rG8j9C1ckzFkbN+oPzWnEv1n0sH3E5tJ3l0p0mDx0Y";

fn verify(hash: &str, secret: &SecretString) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(secret.expose_secret().as_bytes(), &hash)
            .is_ok()
    })
}

fn hash(secret: &SecretString) -> Result<String, ServiceError> {
    let hash = Argon2::default().hash_password(secret.expose_secret().as_bytes())?;
    Ok(hash.to_string())
}
