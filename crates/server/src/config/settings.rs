//! Every setting: the one table behind the structs of the configuration, their reading, the error
//! messages and docs/configuration.md.

use std::net::SocketAddr;
use std::time::Duration;

use ledger::log::Witness;
use secrecy::{SecretBox, SecretString};

use super::outside::{BankKind, WebhookReach, bank, pem, reach};
use super::read::{
    base_url, database_url, event_address, event_secret, events, log_filter, log_name, named_keys,
    single_key, token_keys, witnesses,
};
use super::reader::Reader;
use super::setting::{FromSetting, Setting, Unit, plain, secret};
use super::table::settings;
use super::{Bank, BankFormat, EventSink, LogFormat, NamedKey};

const GENERATE: &str = "`huanxin keys generate` prints a fresh one";

/// Variables with the program's prefix that are not settings.
pub const OTHER_VARIABLES: [&str; 2] = ["HUANXIN_CONFIG", "HUANXIN_PG_BIN"];

settings! {
    /// Everything that a deployment decides.
    #[derive(Debug)]
    pub struct Config {
        /// Address and port to listen on.
        listen: SocketAddr = LISTEN plain("listen", "HUANXIN_LISTEN")
            .default("127.0.0.1:8080")
            .remedy("give ADDRESS:PORT, such as 0.0.0.0:8080");
        /// The address that clients use, `http` or `https`, without a slash at its end.
        public_base_url: String = PUBLIC_BASE_URL plain("public_base_url", "HUANXIN_PUBLIC_BASE_URL")
            .without("`http://` and `listen`")
            .remedy("give the address that clients use, such as https://huanxin.example.cn"),
            by base_url(listen);
        /// HTTP workers.
        workers: Option<usize> = WORKERS plain("workers", "HUANXIN_WORKERS")
            .number(1, 256)
            .without("one per core")
            .remedy("give 1 to 256, or leave it out");
        /// How long a shutdown waits for requests that were taken.
        shutdown: Duration = SHUTDOWN_SECONDS plain("shutdown_seconds", "HUANXIN_SHUTDOWN_SECONDS")
            .span(1, 600, Unit::Seconds)
            .default("30");
        /// How the database is reached.
        database: Database;
        /// Ed25519 keys that sign access tokens, as PKCS#8 PEM with their `kid`: the first signs,
        /// all verify. See *Keys*.
        token_keys: Vec<(String, SecretString)> = TOKEN_KEYS secret("token_keys", "HUANXIN_TOKEN_KEYS")
            .required()
            .remedy(GENERATE),
            by token_keys;
        /// 256-bit keys of personal data: the first encrypts, all decrypt. See *Keys*.
        personal_data_keys: Vec<NamedKey> = PERSONAL_DATA_KEYS
            secret("personal_data_keys", "HUANXIN_PERSONAL_DATA_KEYS").required().remedy(GENERATE),
            by named_keys;
        /// The 256-bit key, in base64, of the hashes that persons, cars and devices are looked up
        /// by; it cannot be rotated.
        lookup_key: SecretBox<[u8; 32]> = LOOKUP_KEY secret("lookup_key", "HUANXIN_LOOKUP_KEY")
            .required()
            .remedy(GENERATE),
            by single_key;
        /// How the counties' logs are signed, and which witnesses cosign them.
        transparency: Transparency;
        /// Bounds that a deployment may change.
        limits: Limits;
        /// Days after the end of a month or year until `work` closes it; a bank's report that
        /// arrives within them still counts in the month in which it is recorded.
        closing_after_days: u32 = CLOSING_AFTER_DAYS plain("closing.after_days", "HUANXIN_CLOSING_AFTER_DAYS")
            .number(0, 60)
            .default("5");
        /// The receiver of events, if there is one.
        events: Option<EventSink>, by events;
        /// The bank that accepts files over a gateway or folders; without it a person carries them.
        bank: Option<Bank>, by bank;
        /// Webhooks of merchants.
        webhooks: Webhooks;
        /// What is logged and how.
        log: Log;
        /// Whether `/metrics` answers; keep it behind the proxy.
        metrics: bool = METRICS plain("metrics.enabled", "HUANXIN_METRICS")
            .choices(&["true", "false"])
            .default("true");
    }

    /// How the database is reached.
    #[derive(Debug)]
    pub struct Database {
        /// `postgres://USER:PASSWORD@HOST/DATABASE`; a well-known or short password is refused
        /// unless the database is on this machine.
        url: SecretString = DATABASE_URL secret("database.url", "DATABASE_URL")
            .required()
            .remedy("give postgres://USER:PASSWORD@HOST/DATABASE with a password of your own"),
            by database_url;
        /// Connections held; keep the sum over all processes below the server's `max_connections`.
        pool_size: usize = POOL_SIZE plain("database.pool_size", "HUANXIN_POOL_SIZE")
            .number(2, 1_000)
            .default("16");
        /// Longest wait for a free connection.
        acquire_timeout: Duration = ACQUIRE_TIMEOUT
            plain("database.acquire_timeout_ms", "HUANXIN_ACQUIRE_TIMEOUT_MS")
            .span(100, 600_000, Unit::Milliseconds)
            .default("10000");
        /// Longest time that one statement may run.
        statement_timeout: Duration = STATEMENT_TIMEOUT
            plain("database.statement_timeout_ms", "HUANXIN_STATEMENT_TIMEOUT_MS")
            .span(100, 600_000, Unit::Milliseconds)
            .default("30000");
        /// Longest wait for a row that another transaction holds.
        lock_timeout: Duration = LOCK_TIMEOUT plain("database.lock_timeout_ms", "HUANXIN_LOCK_TIMEOUT_MS")
            .span(100, 600_000, Unit::Milliseconds)
            .default("10000");
    }

    /// How the counties' logs are signed, and which witnesses cosign them.
    #[derive(Debug)]
    pub struct Transparency {
        /// The name of the transparency log, such as `huanxin.example.cn/yuncheng`; with a county's
        /// code behind it, the origin of that county's checkpoints. Keepers of checkpoints identify
        /// the log by this name: it does not change.
        name: String = TRANSPARENCY_NAME plain("transparency.name", "HUANXIN_TRANSPARENCY_NAME")
            .default("huanxin")
            .remedy("give a name such as huanxin.example.cn/yuncheng, without spaces and +"),
            by log_name;
        /// The 32 secret bytes, in base64, of the Ed25519 key that signs checkpoints; `huanxin
        /// log-key` prints the public one, which auditors are given.
        key: SecretBox<[u8; 32]> = TRANSPARENCY_KEY secret("transparency.key", "HUANXIN_TRANSPARENCY_KEY")
            .required()
            .remedy(GENERATE),
            by single_key;
        /// Keys of the witnesses whose cosignatures of checkpoints are kept: `name+hash+base64` of
        /// the kind `cosignature/v1`, separated by commas.
        witnesses: Vec<Witness> = TRANSPARENCY_WITNESSES
            plain("transparency.witnesses", "HUANXIN_TRANSPARENCY_WITNESSES")
            .remedy("give keys of the form name+hash+base64, separated by commas"),
            by witnesses;
        /// How old the last checkpoint of a county's log is when `work` makes the next one.
        checkpoint_every: Duration = CHECKPOINT_MINUTES
            plain("transparency.checkpoint_minutes", "HUANXIN_CHECKPOINT_MINUTES")
            .span(1, 1_440, Unit::Minutes)
            .default("10");
    }

    /// Bounds that a deployment may change.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Limits {
        /// Of one client, sustained; twice as many at once.
        requests_per_second: u32 = REQUESTS_PER_SECOND
            plain("limits.requests_per_second", "HUANXIN_REQUESTS_PER_SECOND")
            .number(1, 1_000_000)
            .default("500");
        /// How long the first answer to an idempotency key is kept.
        idempotency_days: u32 = IDEMPOTENCY_DAYS plain("limits.idempotency_days", "HUANXIN_IDEMPOTENCY_DAYS")
            .number(1, 3_650)
            .default("30");
        /// The most claims that one disbursement gathers.
        disbursement_claims: usize = DISBURSEMENT_CLAIMS
            plain("limits.disbursement_claims", "HUANXIN_DISBURSEMENT_CLAIMS")
            .number(1, 100_000)
            .default("10000");
        /// Whole yuan: a disbursement of this much or more is countersigned by a second person and
        /// released by a third.
        third_person_from: i64 = THIRD_PERSON_FROM plain("limits.third_person_from", "HUANXIN_THIRD_PERSON_FROM")
            .number(1, 9_999_999_999)
            .default("10000000")
            .remedy("give whole yuan, 1 to 9999999999");
        /// The most payments that the bank accepts in one file; a larger instruction has several
        /// files. With fewer than 101, a disbursement of the most claims could need more files than
        /// there are numbers for them.
        bank_file_payments: usize = BANK_FILE_PAYMENTS
            plain("limits.bank_file_payments", "HUANXIN_BANK_FILE_PAYMENTS")
            .number(101, 100_000)
            .default("2000");
        /// Lanes that record claims: a county has one, and each takes a connection while it is
        /// busy.
        intake_lanes: usize = INTAKE_LANES plain("limits.intake_lanes", "HUANXIN_INTAKE_LANES")
            .number(1, 16)
            .default("2");
        /// The most claims that a lane records in one transaction.
        intake_batch: usize = INTAKE_BATCH plain("limits.intake_batch", "HUANXIN_INTAKE_BATCH")
            .number(1, 1_000)
            .default("128");
        /// Claims that may wait for a lane; beyond that a claim is refused at once with 503 and
        /// nothing is recorded.
        intake_queue: usize = INTAKE_QUEUE plain("limits.intake_queue", "HUANXIN_INTAKE_QUEUE")
            .number(1, 100_000)
            .default("2048");
    }

    /// Where events are sent: both or neither, see [`EventSink`].
    #[derive(Debug)]
    pub(super) struct EventSettings {
        /// Where events are sent: `https`, or `http` on this machine; without it events stay in the
        /// audit trail and are not sent.
        url: Option<String> = EVENTS_URL plain("events.url", "HUANXIN_EVENTS_URL")
            .remedy("give an https address, or leave it out"),
            by event_address;
        /// `whsec_` and 32 bytes in base64; signs the events (Standard Webhooks).
        secret: Option<SecretString> = EVENTS_SECRET secret("events.secret", "HUANXIN_EVENTS_SECRET")
            .without("required with `events.url`")
            .remedy(GENERATE),
            by event_secret(url);
    }

    /// The bank, of which each kind uses its own settings; see [`Bank`].
    #[derive(Debug)]
    pub(super) struct BankSettings {
        /// How files go to the bank: `none` (a person fetches them), `gateway`, `folders`; the same
        /// for `serve` and `work`.
        kind: BankKind = BANK_KIND plain("bank.kind", "HUANXIN_BANK_KIND")
            .choices(BankKind::CHOICES)
            .default("none");
        /// The format of the bank's files.
        format: BankFormat = BANK_FORMAT plain("bank.format", "HUANXIN_BANK_FORMAT")
            .choices(BankFormat::CHOICES)
            .default("pain.001")
            .remedy("give pain.001 or csv, as the bank takes");
        /// Address of the bank's gateway: `https`, or `http` on this machine;
        /// [its contract](../crates/partners/README.md#the-banks-gateway).
        url: Option<String> = BANK_URL plain("bank.url", "HUANXIN_BANK_URL")
            .without("required with `gateway`")
            .remedy("give the https address of the bank's gateway");
        /// PEM file with the certificate of this service, then the chain up to an authority that
        /// the bank trusts.
        client_certificate: Option<String> = BANK_CLIENT_CERTIFICATE
            plain("bank.client_certificate", "HUANXIN_BANK_CLIENT_CERTIFICATE")
            .remedy("name a PEM file with the certificate and those that lead to its authority");
        /// The key of the certificate, PEM.
        client_key: Option<SecretString> = BANK_CLIENT_KEY secret("bank.client_key", "HUANXIN_BANK_CLIENT_KEY")
            .without("required with `bank.client_certificate`")
            .remedy("give the key of bank.client_certificate as PEM"),
            by pem;
        /// PEM file with the only authorities that may certify the gateway.
        root_certificates: Option<String> = BANK_ROOT_CERTIFICATES
            plain("bank.root_certificates", "HUANXIN_BANK_ROOT_CERTIFICATES")
            .without("those the machine trusts")
            .remedy("name a PEM file with the authorities that may certify the gateway");
        /// The folder that the bank's program empties and fills;
        /// [its contract](../crates/partners/README.md#the-bank-by-folders).
        folder: Option<String> = BANK_FOLDER plain("bank.folder", "HUANXIN_BANK_FOLDER")
            .without("required with `folders`")
            .remedy("name the folder that the bank's program empties and fills");
        /// Pause after a poll for reports that found none.
        poll: Duration = BANK_POLL_SECONDS plain("bank.poll_seconds", "HUANXIN_BANK_POLL_SECONDS")
            .span(1, 3_600, Unit::Seconds)
            .default("60");
        /// Longest call to the gateway, with all its attempts.
        call: Duration = BANK_CALL_SECONDS plain("bank.call_seconds", "HUANXIN_BANK_CALL_SECONDS")
            .span(10, 300, Unit::Seconds)
            .default("150");
    }

    /// Webhooks of merchants.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Webhooks {
        /// Whether merchants may register endpoints and events are sent there; the same for `serve`
        /// and `work`.
        enabled: bool = WEBHOOKS plain("webhooks.enabled", "HUANXIN_WEBHOOKS")
            .choices(&["true", "false"])
            .default("true");
        /// Which addresses an endpoint may have: public ones only, or this machine's too. The
        /// second is for a demo, since it exposes every local service to those who register
        /// endpoints.
        this_machine: bool = WEBHOOKS_REACH plain("webhooks.reach", "HUANXIN_WEBHOOKS_REACH")
            .choices(WebhookReach::CHOICES)
            .default("public")
            .remedy("give public, or this_machine for a demo"),
            by reach;
        /// Days for which messages to merchants are kept; a message is attempted for three.
        days: u32 = WEBHOOKS_DAYS plain("webhooks.days", "HUANXIN_WEBHOOKS_DAYS")
            .number(4, 365)
            .default("30");
    }

    /// What is logged and how.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Log {
        /// What is logged, as directives such as `info,service=debug`; see
        /// [LOGGING.md](LOGGING.md).
        filter: String = LOG_FILTER plain("log.filter", "HUANXIN_LOG")
            .default("info")
            .remedy("give directives such as info,service=debug"),
            by log_filter;
        /// One JSON object a line, or `text` for a terminal.
        format: LogFormat = LOG_FORMAT plain("log.format", "HUANXIN_LOG_FORMAT")
            .choices(LogFormat::CHOICES)
            .default("json");
    }
}
