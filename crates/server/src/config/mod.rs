//! The configuration of `huanxin serve` and `huanxin work`: a TOML file, overridden by the environment.
//!
//! What it guarantees: a [`Config`] that exists is usable. Every secret is there, long and random enough, and none of the
//! values that manuals print; everything that is wrong is reported at once, each with the key, the variable and what to
//! do. Secrets are `secrecy` types, so that `Debug` and `tracing` cannot show them; messages never quote them.
//!
//! `docs/configuration.md` describes every setting; a test holds it to [`settings::ALL`].

mod environment;
pub mod keys;
mod outside;
mod read;
mod reader;
pub mod settings;
mod strength;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ledger::log::Witness;
use secrecy::{SecretBox, SecretString};

pub use environment::{Environment, NotUtf8};
pub use reader::{ConfigError, Problem};

/// A key of 256 bits with its id.
pub type NamedKey = (String, SecretBox<[u8; 32]>);

/// Everything that a deployment decides.
#[derive(Debug)]
pub struct Config {
    pub listen: SocketAddr,
    /// Where clients reach us, without a slash at the end.
    pub public_base_url: String,
    /// HTTP workers; `None` for one per core.
    pub workers: Option<usize>,
    /// How long a shutdown waits for requests that were taken.
    pub shutdown: Duration,
    pub database: Database,
    /// Ed25519 keys as PKCS#8 PEM with their `kid`: the first signs, all verify.
    pub token_keys: Vec<(String, SecretString)>,
    /// The first encrypts, all decrypt.
    pub personal_data_keys: Vec<NamedKey>,
    /// The key of the hashes that persons and objects are looked up by.
    pub lookup_key: SecretBox<[u8; 32]>,
    pub transparency: Transparency,
    pub limits: Limits,
    /// How many days after its end a month or year is closed.
    pub closing_after_days: u32,
    pub events: Option<EventSink>,
    /// The bank that takes files by itself; none: a person carries them.
    pub bank: Option<Bank>,
    pub webhooks: Webhooks,
    pub log: Log,
    /// Whether `/metrics` answers.
    pub metrics: bool,
}

/// How the counties' logs are signed, and who vouches for them.
#[derive(Debug)]
pub struct Transparency {
    /// The log's name; with a county's code behind it, the origin of that county's checkpoints.
    pub name: String,
    /// Secret bytes of an Ed25519 key.
    pub key: SecretBox<[u8; 32]>,
    pub witnesses: Vec<Witness>,
    pub checkpoint_every: Duration,
}

/// How the database is reached.
#[derive(Debug)]
pub struct Database {
    pub url: SecretString,
    pub pool_size: usize,
    pub acquire_timeout: Duration,
    pub statement_timeout: Duration,
    pub lock_timeout: Duration,
}

/// Bounds that a deployment may move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Of one client, sustained.
    pub requests_per_second: u32,
    /// How long the first answer to an idempotency key is remembered.
    pub idempotency_days: u32,
    /// The most claims that one disbursement gathers.
    pub disbursement_claims: usize,
    /// From this many yuan on a disbursement needs a third person.
    pub third_person_from: i64,
    /// The most payments that a bank takes in one file.
    pub bank_file_payments: usize,
    /// Lanes that record claims.
    pub intake_lanes: usize,
    /// The most claims of one transaction of a lane.
    pub intake_batch: usize,
    /// Claims that wait for a lane; more are refused at once.
    pub intake_queue: usize,
}

/// Who is told of events.
#[derive(Debug)]
pub struct EventSink {
    pub url: String,
    /// `whsec_` and base64, as Standard Webhooks write it.
    pub secret: SecretString,
}

/// The bank that pays, and the way there.
#[derive(Debug)]
pub struct Bank {
    pub way: BankWay,
    pub format: BankFormat,
    /// Between two looks for reports that found none.
    pub poll: Duration,
}

/// How files go to the bank and reports come back.
#[derive(Debug)]
pub enum BankWay {
    Gateway(Gateway),
    /// A folder that the bank's program empties and fills.
    Folders(PathBuf),
}

/// The bank's gateway.
#[derive(Debug)]
pub struct Gateway {
    pub url: String,
    /// PEM of the client certificate, and its key.
    pub identity: Option<(String, SecretString)>,
    /// PEM.
    pub root_certificates: Option<String>,
    /// The longest that a whole call may take.
    pub call: Duration,
}

/// What the bank takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BankFormat {
    Pain001,
    Csv,
}

/// Telling merchants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Webhooks {
    pub enabled: bool,
    /// This machine too, for a demo: public addresses only otherwise.
    pub this_machine: bool,
    /// How long messages are kept.
    pub days: u32,
}

/// What is logged and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Directives of `tracing_subscriber::EnvFilter`.
    pub filter: String,
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line, for collectors.
    Json,
    /// For a person at a terminal.
    Text,
}

impl Config {
    /// Reads `file`, or the one that `HUANXIN_CONFIG` names, or none; the environment wins over it.
    ///
    /// # Errors
    /// All problems at once.
    pub fn load(environment: &Environment, file: Option<&Path>) -> Result<Self, ConfigError> {
        read::config(environment, file)
    }

    /// Only where the service listens, for `huanxin health`.
    ///
    /// # Errors
    /// A file that cannot be read, an address that is none.
    pub fn listen_address(environment: &Environment, file: Option<&Path>) -> Result<SocketAddr, ConfigError> {
        read::listen_only(environment, file)
    }
}

impl Database {
    /// Only the database's settings, for `huanxin migrate`, which needs no other secret and should not be given one.
    ///
    /// # Errors
    /// All problems of these settings at once.
    pub fn load(environment: &Environment, file: Option<&Path>) -> Result<Self, ConfigError> {
        read::database_only(environment, file)
    }
}
