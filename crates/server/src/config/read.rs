//! Readers of values that need more than their type: addresses, keys, and settings that depend on
//! another.

use std::net::SocketAddr;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use ledger::log::{LogKey, Witness};
use partners::is_loopback_host;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use tracing_subscriber::EnvFilter;

use super::environment::Environment;
use super::reader::{ConfigError, Reader};
use super::setting::{FromSetting, Setting};
use super::settings::{self, EventSettings};
use super::strength::{is_placeholder, weakness_of_key, weakness_of_password};
use super::{Config, Database, EventSink, NamedKey};

pub(super) fn config(environment: &Environment, file: Option<&Path>) -> Result<Config, ConfigError> {
    let mut reader = Reader::open(environment, file);
    reader.refuse_unknown();
    let config = Config::read(&mut reader);
    reader.finish(config)
}

pub(super) fn database_only(environment: &Environment, file: Option<&Path>) -> Result<Database, ConfigError> {
    let mut reader = Reader::open(environment, file);
    let database = Database::read(&mut reader);
    reader.finish(database)
}

pub(super) fn listen_only(environment: &Environment, file: Option<&Path>) -> Result<SocketAddr, ConfigError> {
    let mut reader = Reader::open(environment, file);
    let listen = SocketAddr::read(&mut reader, &settings::LISTEN);
    reader.finish(listen)
}

pub(super) fn base_url(
    reader: &mut Reader<'_>,
    setting: &Setting,
    listen: &Option<SocketAddr>,
) -> Option<String> {
    let Some(text) = reader.text(setting) else {
        return listen.map(|listen| format!("http://{listen}"));
    };
    let url = text.trim_end_matches('/');
    let host = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    if host.is_none_or(|host| host.is_empty() || host.contains(['?', '#', '@', ' '])) {
        reader.wrong(setting, format!("is `{text}` and not an http or https address"));
        return None;
    }
    Some(url.to_owned())
}

/// Whether an address is `https`, or `http` to this machine.
pub(super) fn is_https_or_local(url: &str) -> bool {
    let host = |scheme| {
        url.strip_prefix(scheme)
            .and_then(|rest: &str| rest.split('/').next())
    };
    host("https://").is_some_and(|host| !host.is_empty()) || host("http://").is_some_and(is_loopback_host)
}

pub(super) fn database_url(reader: &mut Reader<'_>, setting: &Setting) -> Option<SecretString> {
    let text = String::read(reader, setting)?;
    let url = text.trim();
    match Address::of(url) {
        None => reader.wrong(
            setting,
            "is not an address of the form postgres://USER:PASSWORD@HOST/DATABASE",
        ),
        // On this machine, an account that reaches the port can mostly read the password too.
        Some(address) if !address.is_local() => {
            if let Some(weakness) = address.password.and_then(weakness_of_password) {
                reader.wrong(setting, format!("has a password that {weakness}"));
            }
        }
        Some(_) => {}
    }
    Some(SecretString::from(url))
}

/// The parts of a connection string that matter here.
struct Address<'a> {
    host: &'a str,
    password: Option<&'a str>,
}

impl<'a> Address<'a> {
    fn of(url: &'a str) -> Option<Self> {
        let rest = url
            .strip_prefix("postgres://")
            .or_else(|| url.strip_prefix("postgresql://"))?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let parameter = |name: &str| {
            query.split('&').find_map(|pair| {
                pair.split_once('=')
                    .filter(|(key, _)| *key == name)
                    .map(|(_, value)| value)
            })
        };
        // The last @: one in a password ought to be percent-encoded, and often is not.
        let (user, place) = rest.rsplit_once('@').unwrap_or(("", rest));
        let host = place.split('/').next().unwrap_or_default();
        let password = user
            .split_once(':')
            .map(|(_, password)| password)
            .or_else(|| parameter("password"));
        let host = if host.is_empty() {
            parameter("host").unwrap_or_default()
        } else {
            host
        };
        Some(Self { host, password })
    }

    fn is_local(&self) -> bool {
        let socket = self.host.is_empty()
            || self.host.starts_with('/')
            || self.host.to_ascii_lowercase().starts_with("%2f");
        socket || is_loopback_host(self.host)
    }
}

/// Signing keys as PEM with their ids.
pub(super) fn token_keys(reader: &mut Reader<'_>, setting: &Setting) -> Option<Vec<(String, SecretString)>> {
    let pem = |(id, seed): NamedKey| {
        let key = SigningKey::from_bytes(seed.expose_secret());
        Some((
            id,
            SecretString::from(key.to_pkcs8_pem(LineEnding::LF).ok()?.as_str()),
        ))
    };
    named(reader, setting, ed25519_seed)?
        .into_iter()
        .map(pem)
        .collect()
}

/// Keys of bytes in base64, with their ids.
pub(super) fn named_keys(reader: &mut Reader<'_>, setting: &Setting) -> Option<Vec<NamedKey>> {
    named(reader, setting, decoded)
}

/// A key without an id, where there is only one.
pub(super) fn single_key(reader: &mut Reader<'_>, setting: &Setting) -> Option<SecretBox<[u8; 32]>> {
    let text = String::read(reader, setting)?;
    match strong(&text, decoded) {
        Ok(key) => {
            reader.refuse_reuse(setting, key.expose_secret());
            Some(key)
        }
        Err(message) => {
            reader.wrong(setting, message);
            None
        }
    }
}

pub(super) fn log_name(reader: &mut Reader<'_>, setting: &Setting) -> Option<String> {
    let name = String::read(reader, setting)?.trim().to_owned();
    // Only the name can be wrong: any 32 bytes are a key.
    match LogKey::new(&name, &[0; 32]) {
        Ok(_) => Some(name),
        Err(why) => {
            reader.wrong(setting, why.to_string());
            None
        }
    }
}

pub(super) fn witnesses(reader: &mut Reader<'_>, setting: &Setting) -> Option<Vec<Witness>> {
    let text = reader.text(setting).unwrap_or_default();
    let keys = text.split(',').map(str::trim).filter(|key| !key.is_empty());
    let parsed = keys.map(Witness::parse).collect::<Result<Vec<_>, _>>();
    parsed.map_err(|why| reader.wrong(setting, why.to_string())).ok()
}

fn named(
    reader: &mut Reader<'_>,
    setting: &Setting,
    decode: impl Fn(&str) -> Result<Vec<u8>, &'static str>,
) -> Option<Vec<NamedKey>> {
    let Some(pairs) = reader.pairs(setting) else {
        reader.missing(setting);
        return None;
    };
    let mut keys = Vec::new();
    for (id, text) in pairs {
        match strong(&text, &decode) {
            Ok(key) => {
                reader.refuse_reuse(setting, key.expose_secret());
                keys.push((id, key));
            }
            Err(message) => reader.wrong(setting, format!("has a key `{id}` that {message}")),
        }
    }
    Some(keys)
}

fn strong(
    text: &str,
    decode: impl Fn(&str) -> Result<Vec<u8>, &'static str>,
) -> Result<SecretBox<[u8; 32]>, String> {
    if is_placeholder(text) {
        return Err("is a well-known default".to_owned());
    }
    let key = decode(text)?;
    if let Some(weakness) = weakness_of_key(&key) {
        return Err(weakness);
    }
    let key: [u8; 32] = key.try_into().map_err(|_| "has not 32 bytes".to_owned())?;
    Ok(SecretBox::new(Box::new(key)))
}

fn decoded(text: &str) -> Result<Vec<u8>, &'static str> {
    STANDARD.decode(text.trim()).map_err(|_| "is not base64")
}

/// The private scalar's seed of an Ed25519 key in PKCS#8, as PEM or as base64 of DER.
fn ed25519_seed(text: &str) -> Result<Vec<u8>, &'static str> {
    const NOT_A_KEY: &str = "is not an Ed25519 private key in PKCS#8 (PEM, or base64 of DER)";
    let key = if text.contains("-----BEGIN") {
        // In a variable, line ends are often written as \n.
        SigningKey::from_pkcs8_pem(&text.replace("\\n", "\n")).map_err(|_| NOT_A_KEY)?
    } else {
        SigningKey::from_pkcs8_der(&decoded(text)?).map_err(|_| NOT_A_KEY)?
    };
    Ok(key.to_bytes().to_vec())
}

/// Both or neither: an address without a secret lacks it, and a secret alone is no receiver.
pub(super) fn events(reader: &mut Reader<'_>) -> Option<Option<EventSink>> {
    let EventSettings { url, secret } = EventSettings::read(reader)?;
    Some(url.zip(secret).map(|(url, secret)| EventSink { url, secret }))
}

pub(super) fn event_address(reader: &mut Reader<'_>, setting: &Setting) -> Option<Option<String>> {
    let url = Option::<String>::read(reader, setting)?;
    if let Some(url) = url.as_deref().filter(|url| !is_https_or_local(url)) {
        reader.wrong(setting, format!("is `{url}` and not an https address"));
    }
    Some(url)
}

/// Has no effect without an address, and is not read then.
pub(super) fn event_secret(
    reader: &mut Reader<'_>,
    setting: &Setting,
    url: &Option<Option<String>>,
) -> Option<Option<SecretString>> {
    if !matches!(url, Some(Some(_))) {
        return Some(None);
    }
    let Some(secret) = reader.text(setting) else {
        reader.missing(setting);
        return None;
    };
    let weakness = match secret.strip_prefix("whsec_") {
        None if is_placeholder(&secret) => Some("is a well-known default".to_owned()),
        None => Some("does not begin with whsec_".to_owned()),
        Some(encoded) => match decoded(encoded) {
            Ok(key) => weakness_of_key(&key),
            Err(message) => Some(message.to_owned()),
        },
    };
    if let Some(weakness) = weakness {
        reader.wrong(setting, weakness);
        return None;
    }
    Some(Some(SecretString::from(secret)))
}

pub(super) fn log_filter(reader: &mut Reader<'_>, setting: &Setting) -> Option<String> {
    let filter = String::read(reader, setting)?;
    if let Err(error) = EnvFilter::try_new(&filter) {
        reader.wrong(setting, format!("is `{filter}`: {error}"));
    }
    Some(filter)
}

#[cfg(test)]
mod tests;
