//! Fresh keys: for an operator who asks (`huanxin keys generate`) and for the demo, which makes its
//! own at first start.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use rand::Rng;

use super::environment::Environment;
use super::settings;

/// One key of each kind as lines `VARIABLE=value`, ready for an environment file. The caller prints
/// or keeps them; no other copy exists.
///
/// # Errors
/// None in practice: if a key cannot be encoded.
pub fn generate() -> io::Result<String> {
    let mut id = [0_u8; 4];
    rand::rng().fill_bytes(&mut id);
    let id = hex::encode(id);
    let token_key = SigningKey::from_bytes(&random())
        .to_pkcs8_der()
        .map_err(io::Error::other)?;
    let values = [
        (
            settings::TOKEN_KEYS,
            format!("{id}:{}", STANDARD.encode(token_key.as_bytes())),
        ),
        (
            settings::PERSONAL_DATA_KEYS,
            format!("{id}:{}", STANDARD.encode(random())),
        ),
        (settings::LOOKUP_KEY, STANDARD.encode(random())),
        (settings::TRANSPARENCY_KEY, STANDARD.encode(random())),
        (
            settings::EVENTS_SECRET,
            format!("whsec_{}", STANDARD.encode(random())),
        ),
    ];
    Ok(values
        .iter()
        .map(|(setting, value)| format!("{}={value}\n", setting.variable))
        .collect())
}

/// The variables in `file`. If the file does not exist it is made with fresh keys, readable by its
/// owner only.
///
/// # Errors
/// If the file cannot be read or made.
pub fn load_or_generate(file: &Path) -> io::Result<Environment> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = generate()?;
            // Written whole or not at all: half a file would be refused at every later start.
            let new = file.with_extension("new");
            let mut opened = OpenOptions::new()
                .create(true)
                .truncate(true)
                .write(true)
                .mode(0o600)
                .open(&new)?;
            opened.write_all(text.as_bytes())?;
            opened.sync_all()?;
            fs::rename(&new, file)?;
            text
        }
        Err(error) => return Err(error),
    };
    Ok(Environment::from_pairs(
        text.lines().filter_map(|line| line.split_once('=')),
    ))
}

fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}
