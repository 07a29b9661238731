//! Personal data at rest: sealed with AES-GCM-SIV under a key that is named beside it, and looked up by keyed hash.
//!
//! Sealing binds the text to its place (county, claim, revision), so that a row copied elsewhere does not open. A new key is
//! put first in the configuration and seals from then on; the old ones still open, until `huanxin rekey` has sealed
//! everything again. The hash key cannot be rotated without reading every document, so it is a key of its own.

use crate::operation::ServiceError;
use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use claims::digest::{Digest, Domain};
use hmac::{Hmac, Mac};
use rand::Rng;
use secrecy::{ExposeSecret, SecretBox};
use sha2::Sha256;

/// The keys: the first seals, all open.
pub struct Vault {
    keys: Vec<(String, Aes256GcmSiv)>,
    lookup: Hmac<Sha256>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.keys.iter().map(|(id, _)| id))
            .finish()
    }
}

/// A sealed text that does not open: its key is missing, it was altered, or it stands in another's place.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum VaultError {
    #[error("no key to seal with")]
    NoKey,
    #[error("key {0} is not configured")]
    UnknownKey(String),
    #[error("sealed text does not open: altered or out of place")]
    Altered,
}

/// Only damage to the database, or a key that is gone, keeps what is at rest from being opened.
impl From<VaultError> for ServiceError {
    fn from(error: VaultError) -> Self {
        Self::bug(error)
    }
}

const NONCE: usize = 12;

impl Vault {
    /// `keys`: id and 32 bytes each, the first seals. `lookup`: at least 32 bytes.
    pub fn new(
        keys: &[(String, SecretBox<[u8; 32]>)],
        lookup: &SecretBox<[u8; 32]>,
    ) -> Result<Self, VaultError> {
        if keys.is_empty() {
            return Err(VaultError::NoKey);
        }
        let keys = keys
            .iter()
            .map(|(id, key)| (id.clone(), Aes256GcmSiv::new(key.expose_secret().into())))
            .collect();
        let lookup = Hmac::<Sha256>::new_from_slice(lookup.expose_secret()).map_err(|_| VaultError::NoKey)?;
        Ok(Self { keys, lookup })
    }

    /// The id of the key that seals now.
    pub fn key_id(&self) -> &str {
        self.keys.first().map_or("", |(id, _)| id)
    }

    /// Seals a text to its place.
    pub fn seal(&self, place: &str, text: &[u8]) -> Result<Vec<u8>, VaultError> {
        let (_, key) = self.keys.first().ok_or(VaultError::NoKey)?;
        let mut nonce = [0_u8; NONCE];
        rand::rng().fill_bytes(&mut nonce);
        let sealed = key
            .encrypt(
                &Nonce::from(nonce),
                Payload {
                    msg: text,
                    aad: place.as_bytes(),
                },
            )
            .map_err(|_| VaultError::Altered)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed to this place.
    pub fn open(&self, key_id: &str, place: &str, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let (_, key) = self
            .keys
            .iter()
            .find(|(id, _)| id == key_id)
            .ok_or_else(|| VaultError::UnknownKey(key_id.to_owned()))?;
        let (nonce, body) = sealed.split_first_chunk::<NONCE>().ok_or(VaultError::Altered)?;
        key.decrypt(
            &Nonce::from(*nonce),
            Payload {
                msg: body,
                aad: place.as_bytes(),
            },
        )
        .map_err(|_| VaultError::Altered)
    }

    /// The keyed hash of a value, for comparing and for uniqueness; 128 bits of HMAC-SHA-256.
    pub fn digest(&self, domain: Domain, value: &str) -> Digest {
        let mut mac = self.lookup.clone();
        mac.update(domain.as_str().as_bytes());
        mac.update(&[0]);
        mac.update(value.as_bytes());
        let full: [u8; 32] = mac.finalize().into_bytes().into();
        let mut short = [0_u8; 16];
        short.iter_mut().zip(full).for_each(|(to, from)| *to = from);
        Digest::new(short)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SecretBox<[u8; 32]> {
        SecretBox::new(Box::new([byte; 32]))
    }

    #[test]
    fn a_new_key_seals_and_the_old_one_still_opens() {
        let old = Vault::new(&[("2025".into(), key(1))], &key(9)).unwrap();
        let sealed = old.seal("140802/1", "王建国".as_bytes()).unwrap();
        let new = Vault::new(&[("2026".into(), key(2)), ("2025".into(), key(1))], &key(9)).unwrap();
        assert_eq!(new.key_id(), "2026");
        assert_eq!(
            new.open("2025", "140802/1", &sealed).unwrap(),
            "王建国".as_bytes()
        );
        assert_eq!(
            old.open("2026", "140802/1", &sealed),
            Err(VaultError::UnknownKey("2026".into()))
        );
    }

    #[test]
    fn a_sealed_text_opens_only_in_its_place_and_unaltered() {
        let vault = Vault::new(&[("k".into(), key(1))], &key(9)).unwrap();
        let mut sealed = vault.seal("140802/1", b"text").unwrap();
        assert_eq!(vault.open("k", "140802/2", &sealed), Err(VaultError::Altered));
        *sealed.last_mut().unwrap() ^= 1;
        assert_eq!(vault.open("k", "140802/1", &sealed), Err(VaultError::Altered));
        assert_eq!(vault.open("k", "140802/1", b"short"), Err(VaultError::Altered));
    }

    #[test]
    fn a_hash_depends_on_domain_and_key() {
        let vault = Vault::new(&[("k".into(), key(1))], &key(9)).unwrap();
        let other = Vault::new(&[("k".into(), key(1))], &key(8)).unwrap();
        assert_ne!(vault.digest(Domain::Person, "x"), vault.digest(Domain::Vin, "x"));
        assert_ne!(
            vault.digest(Domain::Person, "x"),
            other.digest(Domain::Person, "x")
        );
        assert_eq!(
            vault.digest(Domain::Person, "x"),
            vault.digest(Domain::Person, "x")
        );
    }
}
