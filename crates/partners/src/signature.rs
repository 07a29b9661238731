//! The symmetric signature of Standard Webhooks 1.0.0: HMAC-SHA-256 over `id.timestamp.body`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::ConfigError;

/// Bytes of a key, as the specification bounds them.
pub(crate) const SHORTEST: usize = 24;
pub(crate) const LONGEST: usize = 64;

/// The key that signs messages; written `whsec_` and base64.
#[derive(Clone)]
pub(crate) struct SigningKey(Hmac<Sha256>);

impl SigningKey {
    pub(crate) fn parse(secret: &SecretString) -> Result<Self, ConfigError> {
        let encoded = secret
            .expose_secret()
            .strip_prefix("whsec_")
            .ok_or(ConfigError::Secret)?;
        let key = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| ConfigError::Secret)?);
        if !(SHORTEST..=LONGEST).contains(&key.len()) {
            return Err(ConfigError::SecretLength(key.len()));
        }
        Hmac::new_from_slice(&key)
            .map(Self)
            .map_err(|_| ConfigError::Secret)
    }

    /// The value of `webhook-signature`. The id must hold no full stop, or another split of the
    /// same bytes would carry the same signature. `timestamp` is the attempt's, in seconds since
    /// 1970.
    pub(crate) fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut mac = self.0.clone();
        mac.update(id.as_bytes());
        mac.update(format!(".{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector that the specification's own libraries are tested with.
    #[test]
    fn signs_as_the_reference_does() {
        let key = SigningKey::parse(&"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".into()).unwrap();
        let body = br#"{"email":"test@example.com","username":"test_user"}"#;
        assert_eq!(
            key.sign("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1_649_367_553, body),
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="
        );
    }

    #[test]
    fn a_key_has_a_form_and_a_length() {
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7_u8; bytes]));
        let cases = [
            (of(24), None),
            (of(64), None),
            (of(23), Some(ConfigError::SecretLength(23))),
            (of(65), Some(ConfigError::SecretLength(65))),
            ("whsec_".to_owned(), Some(ConfigError::SecretLength(0))),
            ("whsec_***".to_owned(), Some(ConfigError::Secret)),
            (STANDARD.encode([7_u8; 32]), Some(ConfigError::Secret)),
        ];
        for (text, expected) in cases {
            assert_eq!(SigningKey::parse(&text.clone().into()).err(), expected, "{text}");
        }
    }

    #[test]
    fn debug_shows_nothing() {
        let key = SigningKey::parse(&"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".into()).unwrap();
        assert_eq!(format!("{key:?}"), "SigningKey(***)");
    }
}
