//! Signed checkpoints: the size and root of a county's log, in the form of C2SP's tlog-checkpoint.
//!
//! ```text
//! huanxin.example/yuncheng/140821          origin: the log's name and the county
//! 10247                                    leaves
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//! 2026-11-25T04:00:00.000000Z              when it was made
//!
//! — huanxin.example/yuncheng/140821 Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
//! ```
//!
//! One key signs for all counties; the name beside it is the origin, as the specification requires.
//! Witnesses sign the same text with the time (C2SP tlog-cosignature, version 1), and each attests
//! by it that it never saw a shorter or another log.

use std::fmt;

use ed25519_dalek::{Signer as _, SigningKey, Verifier as _, VerifyingKey};
use signed_note::{Note, Signature, key_id};
use tlog_tiles::checkpoint::Checkpoint as Text;
use tlog_tiles::tlog;

use super::tree::Hash;

/// Kinds of keys as signed notes number them.
const ED25519: u8 = 0x01;
const COSIGNATURE_V1: u8 = 0x04;

/// A malformed key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("a key is written as name+hash+base64, as `huanxin log-key` prints it")]
    Form,
    #[error("the hash in the key is not that of its name and bytes")]
    Hash,
    #[error("the name of a key has neither spaces nor +")]
    Name,
}

/// A malformed checkpoint or signature, or one that does not verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    #[error("not a signed checkpoint")]
    Malformed,
    #[error("the checkpoint is not of this log")]
    OtherLog,
    #[error("no signature of the expected key")]
    Unsigned,
    #[error("a signature does not hold")]
    Wrong,
}

/// The contents of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name and the county.
    pub origin: String,
    pub size: u64,
    pub root: Hash,
    /// The time of the checkpoint, RFC 3339.
    pub made_at: String,
}

/// The private key that signs a deployment's checkpoints.
#[derive(Clone)]
pub struct LogKey {
    name: String,
    key: SigningKey,
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogKey")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The public key of a log, and the log's name. Written `name+hash+base64` (a verifier key of a
/// signed note).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    key: VerifyingKey,
}

/// A witness of checkpoints: a bureau, a treasury, an audit office. Its key is of the kind
/// `cosignature/v1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    name: String,
    key: VerifyingKey,
}

/// The private key that a witness signs with.
#[derive(Clone)]
pub struct WitnessKey(LogKey);

/// A witness's cosignature of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    pub witness: String,
    /// Seconds since 1970.
    pub at: u64,
    /// The line under the checkpoint, without its line break.
    pub line: String,
}

fn vkey(name: &str, kind: u8, key: &VerifyingKey) -> String {
    use base64::Engine as _;
    let mut bytes = vec![kind];
    bytes.extend_from_slice(key.as_bytes());
    let base64 = base64::engine::general_purpose::STANDARD.encode(&bytes);
    format!("{name}+{:08x}+{base64}", key_id(name, &bytes))
}

fn parse_vkey(text: &str, kind: u8) -> Result<(String, VerifyingKey), KeyError> {
    use base64::Engine as _;
    let mut parts = text.trim().splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(KeyError::Form);
    };
    check_name(name)?;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(key)
        .map_err(|_| KeyError::Form)?;
    if id != format!("{:08x}", key_id(name, &bytes)) {
        return Err(KeyError::Hash);
    }
    match bytes.split_first() {
        Some((first, key)) if *first == kind => {
            let key: &[u8; 32] = key.try_into().map_err(|_| KeyError::Form)?;
            let key = VerifyingKey::from_bytes(key).map_err(|_| KeyError::Form)?;
            Ok((name.to_owned(), key))
        }
        _ => Err(KeyError::Form),
    }
}

fn check_name(name: &str) -> Result<(), KeyError> {
    if signed_note::is_key_name_valid(name) {
        Ok(())
    } else {
        Err(KeyError::Name)
    }
}

impl LogKey {
    /// From the 32 secret bytes of an Ed25519 key.
    ///
    /// # Errors
    /// [`KeyError::Name`]
    pub fn new(name: &str, secret: &[u8; 32]) -> Result<LogKey, KeyError> {
        check_name(name)?;
        Ok(LogKey {
            name: name.to_owned(),
            key: SigningKey::from_bytes(secret),
        })
    }

    pub fn public(&self) -> PublicKey {
        PublicKey {
            name: self.name.clone(),
            key: self.key.verifying_key(),
        }
    }

    /// The signed note of a checkpoint of one county.
    ///
    /// # Errors
    /// [`NoteError::Malformed`] if the county's code or the time has a line break.
    pub fn sign(&self, checkpoint: &Checkpoint) -> Result<String, NoteError> {
        let text = checkpoint.text()?;
        let mut key = vec![ED25519];
        key.extend_from_slice(self.key.verifying_key().as_bytes());
        let signature = Signature::new(
            checkpoint.origin.clone(),
            key_id(&checkpoint.origin, &key),
            self.key.sign(&text).to_bytes().to_vec(),
        );
        let signature = signature.map_err(|_| NoteError::Malformed)?;
        let note = Note::new(&text, &[signature]).map_err(|_| NoteError::Malformed)?;
        String::from_utf8(note.to_bytes()).map_err(|_| NoteError::Malformed)
    }
}

impl WitnessKey {
    /// From the 32 secret bytes of an Ed25519 key.
    ///
    /// # Errors
    /// [`KeyError::Name`]
    pub fn new(name: &str, secret: &[u8; 32]) -> Result<WitnessKey, KeyError> {
        LogKey::new(name, secret).map(WitnessKey)
    }

    pub fn public(&self) -> Witness {
        let PublicKey { name, key } = self.0.public();
        Witness { name, key }
    }

    /// The line to add under a checkpoint, with its line break. The caller has checked the
    /// checkpoint.
    ///
    /// # Errors
    /// [`NoteError::Malformed`]
    pub fn cosign(&self, note: &str, at: u64) -> Result<String, NoteError> {
        let (_, _, text) = parse(note)?;
        let LogKey { name, key } = &self.0;
        let mut public = vec![COSIGNATURE_V1];
        public.extend_from_slice(key.verifying_key().as_bytes());
        let mut bytes = at.to_be_bytes().to_vec();
        bytes.extend_from_slice(&key.sign(&cosigned(at, &text)).to_bytes());
        let line =
            Signature::new(name.clone(), key_id(name, &public), bytes).map_err(|_| NoteError::Malformed)?;
        String::from_utf8(line.to_bytes()).map_err(|_| NoteError::Malformed)
    }
}

impl fmt::Debug for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WitnessKey")
            .field("name", &self.0.name)
            .finish_non_exhaustive()
    }
}

impl PublicKey {
    /// Reads `name+hash+base64`.
    ///
    /// # Errors
    /// [`KeyError`]
    pub fn parse(text: &str) -> Result<PublicKey, KeyError> {
        let (name, key) = parse_vkey(text, ED25519)?;
        Ok(PublicKey { name, key })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The origin of a county's log.
    pub fn origin(&self, jurisdiction: &str) -> String {
        format!("{}/{jurisdiction}", self.name)
    }

    /// The same key under the name of a county's log, in the form that tools for signed notes
    /// expect.
    pub fn of_county(&self, jurisdiction: &str) -> String {
        vkey(&self.origin(jurisdiction), ED25519, &self.key)
    }

    /// Reads a county's checkpoint and verifies its signature.
    ///
    /// # Errors
    /// [`NoteError`]
    pub fn open(&self, jurisdiction: &str, note: &str) -> Result<Checkpoint, NoteError> {
        let (checkpoint, signatures, text) = parse(note)?;
        let origin = self.origin(jurisdiction);
        if checkpoint.origin != origin {
            return Err(NoteError::OtherLog);
        }
        let mut key = vec![ED25519];
        key.extend_from_slice(self.key.as_bytes());
        let id = key_id(&origin, &key);
        let signature = signatures
            .iter()
            .find(|it| it.name() == origin && it.id() == id)
            .ok_or(NoteError::Unsigned)?;
        let bytes =
            ed25519_dalek::Signature::from_slice(signature.signature()).map_err(|_| NoteError::Wrong)?;
        self.key
            .verify_strict(&text, &bytes)
            .map_err(|_| NoteError::Wrong)?;
        Ok(checkpoint)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&vkey(&self.name, ED25519, &self.key))
    }
}

impl Witness {
    /// Reads `name+hash+base64` of a `cosignature/v1` key.
    ///
    /// # Errors
    /// [`KeyError`]
    pub fn parse(text: &str) -> Result<Witness, KeyError> {
        let (name, key) = parse_vkey(text, COSIGNATURE_V1)?;
        Ok(Witness { name, key })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// This witness's cosignature under a note, if there is one that verifies.
    ///
    /// # Errors
    /// [`NoteError`]
    pub fn vouches(&self, note: &str) -> Result<Cosignature, NoteError> {
        let (_, signatures, text) = parse(note)?;
        let mut key = vec![COSIGNATURE_V1];
        key.extend_from_slice(self.key.as_bytes());
        let id = key_id(&self.name, &key);
        let signature = signatures
            .iter()
            .find(|it| it.name() == self.name && it.id() == id)
            .ok_or(NoteError::Unsigned)?;
        let (at, bytes) = signature
            .signature()
            .split_first_chunk::<8>()
            .ok_or(NoteError::Malformed)?;
        let at = u64::from_be_bytes(*at);
        let bytes = ed25519_dalek::Signature::from_slice(bytes).map_err(|_| NoteError::Malformed)?;
        self.key
            .verify(&cosigned(at, &text), &bytes)
            .map_err(|_| NoteError::Wrong)?;
        let line = String::from_utf8(signature.to_bytes()).map_err(|_| NoteError::Malformed)?;
        Ok(Cosignature {
            witness: self.name.clone(),
            at,
            line: line.trim_end().to_owned(),
        })
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&vkey(&self.name, COSIGNATURE_V1, &self.key))
    }
}

/// The text that a witness signs.
fn cosigned(at: u64, text: &[u8]) -> Vec<u8> {
    let mut message = format!("cosignature/v1\ntime {at}\n").into_bytes();
    message.extend_from_slice(text);
    message
}

fn parse(note: &str) -> Result<(Checkpoint, Vec<Signature>, Vec<u8>), NoteError> {
    let parsed = Note::from_bytes(note.as_bytes()).map_err(|_| NoteError::Malformed)?;
    let text = Text::from_bytes(parsed.text()).map_err(|_| NoteError::Malformed)?;
    let (_, lines) = note.rsplit_once("\n\n").ok_or(NoteError::Malformed)?;
    let signatures = lines
        .lines()
        .map(|line| Signature::from_bytes(line.as_bytes()).map_err(|_| NoteError::Malformed))
        .collect::<Result<_, _>>()?;
    let made_at = text.extension().lines().next().unwrap_or_default().to_owned();
    let checkpoint = Checkpoint {
        origin: text.origin().to_owned(),
        size: text.size(),
        root: Hash(text.hash().0),
        made_at,
    };
    Ok((checkpoint, signatures, parsed.text().to_vec()))
}

impl Checkpoint {
    /// The signed text, as bytes.
    fn text(&self) -> Result<Vec<u8>, NoteError> {
        if self.origin.contains('\n') {
            return Err(NoteError::Malformed);
        }
        let extension = format!("{}\n", self.made_at);
        let text = Text::new(&self.origin, self.size, tlog::Hash(self.root.0), &extension);
        text.map(|text| text.to_bytes()).map_err(|_| NoteError::Malformed)
    }
}
