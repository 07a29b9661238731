//! From text to types, setting by setting.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

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
use super::settings::{self, Setting};
use super::strength::{is_placeholder, weakness_of_key, weakness_of_password};
use super::{Config, Database, EventSink, Limits, Log, LogFormat, NamedKey, Transparency, outside};

pub(super) fn config(environment: &Environment, file: Option<&Path>) -> Result<Config, ConfigError> {
    let mut reader = Reader::open(environment, file);
    reader.refuse_unknown();
    let listen = parsed(&mut reader, &settings::LISTEN);
    let public_base_url = base_url(&mut reader, listen);
    let workers = reader.number(&settings::WORKERS, 1..=256);
    let shutdown = reader
        .number(&settings::SHUTDOWN_SECONDS, 1..=600)
        .map(Duration::from_secs);
    let database = database(&mut reader);
    let (keys, log_key) = match keys(&mut reader) {
        Some(keys) => (Some((keys.tokens, keys.personal, keys.lookup)), Some(keys.log)),
        None => (None, None),
    };
    let transparency = transparency(&mut reader, log_key);
    let limits = limits(&mut reader);
    let closing_after_days = reader.number(&settings::CLOSING_AFTER_DAYS, 0..=60);
    let events = events(&mut reader);
    let bank = outside::bank(&mut reader);
    let webhooks = outside::webhooks(&mut reader);
    let log = log(&mut reader);
    let metrics = parsed(&mut reader, &settings::METRICS);
    let config = (|| {
        let (token_keys, personal_data_keys, lookup_key) = keys?;
        Some(Config {
            listen: listen?,
            public_base_url: public_base_url?,
            workers,
            shutdown: shutdown?,
            database: database?,
            token_keys,
            personal_data_keys,
            lookup_key,
            transparency: transparency?,
            limits: limits?,
            closing_after_days: closing_after_days?,
            events,
            bank: bank?,
            webhooks: webhooks?,
            log: log?,
            metrics: metrics?,
        })
    })();
    reader.finish(config)
}

pub(super) fn database_only(environment: &Environment, file: Option<&Path>) -> Result<Database, ConfigError> {
    let mut reader = Reader::open(environment, file);
    let database = database(&mut reader);
    reader.finish(database)
}

pub(super) fn listen_only(environment: &Environment, file: Option<&Path>) -> Result<SocketAddr, ConfigError> {
    let mut reader = Reader::open(environment, file);
    let listen = parsed(&mut reader, &settings::LISTEN);
    reader.finish(listen)
}

pub(super) fn parsed<T: std::str::FromStr>(reader: &mut Reader<'_>, setting: &Setting) -> Option<T> {
    let text = reader.text(setting)?;
    let value = text.trim().parse().ok();
    if value.is_none() {
        reader.wrong(setting, format!("is `{text}`"));
    }
    value
}

fn base_url(reader: &mut Reader<'_>, listen: Option<SocketAddr>) -> Option<String> {
    let setting = &settings::PUBLIC_BASE_URL;
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

fn database(reader: &mut Reader<'_>) -> Option<Database> {
    let setting = &settings::DATABASE_URL;
    let url = reader.text(setting);
    match url.as_deref().map(str::trim) {
        None => reader.missing(setting),
        Some(url) => match Address::of(url) {
            None => reader.wrong(
                setting,
                "is not an address of the form postgres://USER:PASSWORD@HOST/DATABASE",
            ),
            // On the same machine, whoever reaches the port can mostly read the password too.
            Some(address) if !address.is_local() => {
                if let Some(weakness) = address.password.and_then(weakness_of_password) {
                    reader.wrong(setting, format!("has a password that {weakness}"));
                }
            }
            Some(_) => {}
        },
    }
    let pool_size = reader.number(&settings::POOL_SIZE, 2..=1_000);
    let mut timeout = |setting| reader.number(setting, 100..=600_000).map(Duration::from_millis);
    let acquire_timeout = timeout(&settings::ACQUIRE_TIMEOUT);
    let statement_timeout = timeout(&settings::STATEMENT_TIMEOUT);
    let lock_timeout = timeout(&settings::LOCK_TIMEOUT);
    Some(Database {
        url: SecretString::from(url?.trim()),
        pool_size: pool_size?,
        acquire_timeout: acquire_timeout?,
        statement_timeout: statement_timeout?,
        lock_timeout: lock_timeout?,
    })
}

/// What matters here of a connection string.
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

/// Every key there is.
struct Keys {
    tokens: Vec<(String, SecretString)>,
    personal: Vec<NamedKey>,
    lookup: SecretBox<[u8; 32]>,
    log: SecretBox<[u8; 32]>,
}

fn keys(reader: &mut Reader<'_>) -> Option<Keys> {
    let tokens = named(reader, &settings::TOKEN_KEYS, ed25519_seed);
    let personal = named(reader, &settings::PERSONAL_DATA_KEYS, decoded);
    let lookup = single(reader, &settings::LOOKUP_KEY);
    let log = single(reader, &settings::TRANSPARENCY_KEY);
    let single = [
        (&settings::LOOKUP_KEY, lookup.as_ref()),
        (&settings::TRANSPARENCY_KEY, log.as_ref()),
    ];
    refuse_reuse(reader, &tokens, &personal, &single);
    let pem = |(id, seed): NamedKey| {
        let key = SigningKey::from_bytes(seed.expose_secret());
        Some((
            id,
            SecretString::from(key.to_pkcs8_pem(LineEnding::LF).ok()?.as_str()),
        ))
    };
    let tokens: Option<Vec<_>> = tokens.into_iter().map(pem).collect();
    Some(Keys {
        tokens: tokens?,
        personal,
        lookup: lookup?,
        log: log?,
    })
}

/// A key that has no id because there is one of it.
fn single(reader: &mut Reader<'_>, setting: &'static Setting) -> Option<SecretBox<[u8; 32]>> {
    let Some(text) = reader.text(setting) else {
        reader.missing(setting);
        return None;
    };
    match strong(&text, decoded) {
        Ok(key) => Some(key),
        Err(message) => {
            reader.wrong(setting, message);
            None
        }
    }
}

fn transparency(reader: &mut Reader<'_>, key: Option<SecretBox<[u8; 32]>>) -> Option<Transparency> {
    let name = reader.text(&settings::TRANSPARENCY_NAME)?.trim().to_owned();
    let every: Option<u64> = reader.number(&settings::CHECKPOINT_MINUTES, 1..=1_440);
    let witnesses = reader.text(&settings::TRANSPARENCY_WITNESSES).unwrap_or_default();
    let keys = witnesses.split(',').map(str::trim).filter(|key| !key.is_empty());
    let witnesses = keys
        .map(|key| Witness::parse(key).map_err(|why| why.to_string()))
        .collect::<Result<Vec<_>, _>>();
    let witnesses = witnesses.map_err(|why| reader.wrong(&settings::TRANSPARENCY_WITNESSES, why));
    let key = key?;
    if let Err(why) = LogKey::new(&name, key.expose_secret()) {
        reader.wrong(&settings::TRANSPARENCY_NAME, why.to_string());
        return None;
    }
    Some(Transparency {
        name,
        key,
        witnesses: witnesses.ok()?,
        checkpoint_every: Duration::from_secs(every?.saturating_mul(60)),
    })
}

/// One key for two purposes binds their fates together: whoever learns it through one has the other.
fn refuse_reuse(
    reader: &mut Reader<'_>,
    tokens: &[NamedKey],
    personal: &[NamedKey],
    single: &[(&'static Setting, Option<&SecretBox<[u8; 32]>>)],
) {
    let all = tokens
        .iter()
        .map(|(_, key)| (&settings::TOKEN_KEYS, key))
        .chain(
            personal
                .iter()
                .map(|(_, key)| (&settings::PERSONAL_DATA_KEYS, key)),
        )
        .chain(
            single
                .iter()
                .filter_map(|(setting, key)| Some((*setting, (*key)?))),
        );
    let mut seen: Vec<(&Setting, &SecretBox<[u8; 32]>)> = Vec::new();
    for (setting, key) in all {
        if let Some((first, _)) = seen
            .iter()
            .find(|(_, other)| other.expose_secret() == key.expose_secret())
        {
            reader.wrong(setting, format!("repeats a key of {}", first.key));
        }
        seen.push((setting, key));
    }
}

fn named(
    reader: &mut Reader<'_>,
    setting: &Setting,
    decode: impl Fn(&str) -> Result<Vec<u8>, &'static str>,
) -> Vec<NamedKey> {
    let Some(pairs) = reader.pairs(setting) else {
        reader.missing(setting);
        return Vec::new();
    };
    let mut keys = Vec::new();
    for (id, text) in pairs {
        match strong(&text, &decode) {
            Ok(key) => keys.push((id, key)),
            Err(message) => reader.wrong(setting, format!("has a key `{id}` that {message}")),
        }
    }
    keys
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

fn limits(reader: &mut Reader<'_>) -> Option<Limits> {
    let requests_per_second = reader.number(&settings::REQUESTS_PER_SECOND, 1..=1_000_000);
    let idempotency_days = reader.number(&settings::IDEMPOTENCY_DAYS, 1..=3_650);
    let disbursement_claims = reader.number(&settings::DISBURSEMENT_CLAIMS, 1..=100_000);
    let third_person_from = reader.number(&settings::THIRD_PERSON_FROM, 1..=9_999_999_999);
    // With fewer a disbursement of the most claims could need more files than there are numbers for them.
    let bank_file_payments = reader.number(&settings::BANK_FILE_PAYMENTS, 101..=100_000);
    let intake_lanes = reader.number(&settings::INTAKE_LANES, 1..=16);
    let intake_batch = reader.number(&settings::INTAKE_BATCH, 1..=1_000);
    let intake_queue = reader.number(&settings::INTAKE_QUEUE, 1..=100_000);
    Some(Limits {
        requests_per_second: requests_per_second?,
        idempotency_days: idempotency_days?,
        disbursement_claims: disbursement_claims?,
        third_person_from: third_person_from?,
        bank_file_payments: bank_file_payments?,
        intake_lanes: intake_lanes?,
        intake_batch: intake_batch?,
        intake_queue: intake_queue?,
    })
}

/// Both or neither.
fn events(reader: &mut Reader<'_>) -> Option<EventSink> {
    let url = reader.text(&settings::EVENTS_URL);
    let secret = reader.text(&settings::EVENTS_SECRET);
    let url = url?;
    let host = |scheme| {
        url.strip_prefix(scheme)
            .and_then(|rest: &str| rest.split('/').next())
    };
    if host("https://").is_none_or(str::is_empty) && !host("http://").is_some_and(is_loopback_host) {
        reader.wrong(
            &settings::EVENTS_URL,
            format!("is `{url}` and not an https address"),
        );
    }
    let Some(secret) = secret else {
        reader.missing(&settings::EVENTS_SECRET);
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
        reader.wrong(&settings::EVENTS_SECRET, weakness);
        return None;
    }
    Some(EventSink {
        url,
        secret: SecretString::from(secret),
    })
}

fn log(reader: &mut Reader<'_>) -> Option<Log> {
    let filter = reader.text(&settings::LOG_FILTER)?;
    if let Err(error) = EnvFilter::try_new(&filter) {
        reader.wrong(&settings::LOG_FILTER, format!("is `{filter}`: {error}"));
    }
    let format = match reader.text(&settings::LOG_FORMAT)?.as_str() {
        "json" => LogFormat::Json,
        "text" => LogFormat::Text,
        other => {
            reader.wrong(&settings::LOG_FORMAT, format!("is `{other}`"));
            return None;
        }
    };
    Some(Log { filter, format })
}

#[cfg(test)]
mod tests;
