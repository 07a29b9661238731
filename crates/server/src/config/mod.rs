//! The configuration of `huanxin serve` and `huanxin work`: a TOML file, overridden by the
//! environment.
//!
//! A [`Config`] that exists is usable: every secret is there, long and random enough, and none of
//! the values that manuals print. Everything that is wrong is reported at once, each with the key,
//! the variable and what to do. Secrets are `secrecy` types, so that `Debug` and `tracing` cannot
//! show them; messages never quote them.
//!
//! [`settings`] declares every setting once. Its table gives the structs below, their reading, the
//! bounds of their values and the table of `docs/configuration.md`, which [`page`] writes.

mod environment;
pub mod keys;
mod outside;
pub mod page;
mod read;
mod reader;
pub mod setting;
pub mod settings;
mod strength;
mod table;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{SecretBox, SecretString};

pub use environment::{Environment, NotUtf8};
pub use reader::{ConfigError, Problem};
pub use settings::{Config, Database, Limits, Log, Transparency, Webhooks};

/// A key of 256 bits with its id.
pub type NamedKey = (String, SecretBox<[u8; 32]>);

/// Where events are sent.
#[derive(Debug)]
pub struct EventSink {
    pub url: String,
    /// `whsec_` and base64, as Standard Webhooks write it.
    pub secret: SecretString,
}

/// The bank that pays, and how to reach it.
#[derive(Debug)]
pub struct Bank {
    pub way: BankWay,
    pub format: BankFormat,
    /// Pause after a poll for reports that found none.
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

/// The format of the bank's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BankFormat {
    Pain001,
    Csv,
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line, for collectors.
    Json,
    /// For a person at a terminal.
    Text,
}

impl Config {
    /// Reads `file`, or the one that `HUANXIN_CONFIG` names, or none; the environment overrides it.
    ///
    /// # Errors
    /// All problems at once.
    pub fn load(environment: &Environment, file: Option<&Path>) -> Result<Self, ConfigError> {
        read::config(environment, file)
    }

    /// Only where the service listens, for `huanxin health`.
    ///
    /// # Errors
    /// If the file cannot be read or the address is malformed.
    pub fn listen_address(environment: &Environment, file: Option<&Path>) -> Result<SocketAddr, ConfigError> {
        read::listen_only(environment, file)
    }
}

impl Database {
    /// Only the database's settings, for `huanxin migrate`, which needs no other secret and should
    /// not be given one.
    ///
    /// # Errors
    /// All problems of these settings at once.
    pub fn load(environment: &Environment, file: Option<&Path>) -> Result<Self, ConfigError> {
        read::database_only(environment, file)
    }
}
