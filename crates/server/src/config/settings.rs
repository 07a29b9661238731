//! Every setting there is: the one table behind reading, error messages and the test of `docs/configuration.md`.

/// One setting: its key in the file (dotted path), its environment variable, and what a missing one is replaced by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    pub key: &'static str,
    pub variable: &'static str,
    /// `None`: required, or optional altogether where the reader says so.
    pub default: Option<&'static str>,
    /// A secret may also come from the file that `<variable>_FILE` names.
    pub secret: bool,
    /// How to come by a good value, for error messages.
    pub remedy: &'static str,
}

const fn plain(
    key: &'static str,
    variable: &'static str,
    default: Option<&'static str>,
    remedy: &'static str,
) -> Setting {
    Setting {
        key,
        variable,
        default,
        secret: false,
        remedy,
    }
}

const fn secret(key: &'static str, variable: &'static str, remedy: &'static str) -> Setting {
    Setting {
        key,
        variable,
        default: None,
        secret: true,
        remedy,
    }
}

const GENERATE: &str = "`huanxin keys generate` prints a fresh one";

pub const LISTEN: Setting = plain(
    "listen",
    "HUANXIN_LISTEN",
    Some("127.0.0.1:8080"),
    "give ADDRESS:PORT, such as 0.0.0.0:8080",
);
pub const PUBLIC_BASE_URL: Setting = plain(
    "public_base_url",
    "HUANXIN_PUBLIC_BASE_URL",
    None,
    "give the address that clients use, such as https://huanxin.example.cn",
);
pub const WORKERS: Setting = plain(
    "workers",
    "HUANXIN_WORKERS",
    None,
    "give 1 to 256, or leave it out",
);
pub const SHUTDOWN_SECONDS: Setting = plain(
    "shutdown_seconds",
    "HUANXIN_SHUTDOWN_SECONDS",
    Some("30"),
    "give 1 to 600",
);

pub const DATABASE_URL: Setting = secret(
    "database.url",
    "DATABASE_URL",
    "give postgres://USER:PASSWORD@HOST/DATABASE with a password of your own",
);
pub const POOL_SIZE: Setting = plain(
    "database.pool_size",
    "HUANXIN_POOL_SIZE",
    Some("16"),
    "give 2 to 1000",
);
pub const ACQUIRE_TIMEOUT: Setting = plain(
    "database.acquire_timeout_ms",
    "HUANXIN_ACQUIRE_TIMEOUT_MS",
    Some("10000"),
    "give 100 to 600000",
);
pub const STATEMENT_TIMEOUT: Setting = plain(
    "database.statement_timeout_ms",
    "HUANXIN_STATEMENT_TIMEOUT_MS",
    Some("30000"),
    "give 100 to 600000",
);
pub const LOCK_TIMEOUT: Setting = plain(
    "database.lock_timeout_ms",
    "HUANXIN_LOCK_TIMEOUT_MS",
    Some("10000"),
    "give 100 to 600000",
);

pub const TOKEN_KEYS: Setting = secret("token_keys", "HUANXIN_TOKEN_KEYS", GENERATE);
pub const PERSONAL_DATA_KEYS: Setting = secret("personal_data_keys", "HUANXIN_PERSONAL_DATA_KEYS", GENERATE);
pub const LOOKUP_KEY: Setting = secret("lookup_key", "HUANXIN_LOOKUP_KEY", GENERATE);

pub const TRANSPARENCY_NAME: Setting = plain(
    "transparency.name",
    "HUANXIN_TRANSPARENCY_NAME",
    Some("huanxin"),
    "give a name such as huanxin.example.cn/yuncheng, without spaces and +",
);
pub const TRANSPARENCY_KEY: Setting = secret("transparency.key", "HUANXIN_TRANSPARENCY_KEY", GENERATE);
pub const TRANSPARENCY_WITNESSES: Setting = plain(
    "transparency.witnesses",
    "HUANXIN_TRANSPARENCY_WITNESSES",
    None,
    "give keys of the form name+hash+base64, separated by commas",
);
pub const CHECKPOINT_MINUTES: Setting = plain(
    "transparency.checkpoint_minutes",
    "HUANXIN_CHECKPOINT_MINUTES",
    Some("10"),
    "give 1 to 1440",
);

pub const REQUESTS_PER_SECOND: Setting = plain(
    "limits.requests_per_second",
    "HUANXIN_REQUESTS_PER_SECOND",
    Some("500"),
    "give 1 to 1000000",
);
pub const IDEMPOTENCY_DAYS: Setting = plain(
    "limits.idempotency_days",
    "HUANXIN_IDEMPOTENCY_DAYS",
    Some("30"),
    "give 1 to 3650",
);
pub const DISBURSEMENT_CLAIMS: Setting = plain(
    "limits.disbursement_claims",
    "HUANXIN_DISBURSEMENT_CLAIMS",
    Some("10000"),
    "give 1 to 100000",
);
pub const THIRD_PERSON_FROM: Setting = plain(
    "limits.third_person_from",
    "HUANXIN_THIRD_PERSON_FROM",
    Some("10000000"),
    "give whole yuan, 1 to 9999999999",
);
pub const BANK_FILE_PAYMENTS: Setting = plain(
    "limits.bank_file_payments",
    "HUANXIN_BANK_FILE_PAYMENTS",
    Some("2000"),
    "give 101 to 100000",
);
pub const INTAKE_LANES: Setting = plain(
    "limits.intake_lanes",
    "HUANXIN_INTAKE_LANES",
    Some("2"),
    "give 1 to 16",
);
pub const INTAKE_BATCH: Setting = plain(
    "limits.intake_batch",
    "HUANXIN_INTAKE_BATCH",
    Some("128"),
    "give 1 to 1000",
);
pub const INTAKE_QUEUE: Setting = plain(
    "limits.intake_queue",
    "HUANXIN_INTAKE_QUEUE",
    Some("2048"),
    "give 1 to 100000",
);

pub const CLOSING_AFTER_DAYS: Setting = plain(
    "closing.after_days",
    "HUANXIN_CLOSING_AFTER_DAYS",
    Some("5"),
    "give 0 to 60",
);

pub const EVENTS_URL: Setting = plain(
    "events.url",
    "HUANXIN_EVENTS_URL",
    None,
    "give an https address, or leave it out",
);
pub const EVENTS_SECRET: Setting = secret("events.secret", "HUANXIN_EVENTS_SECRET", GENERATE);

pub const BANK_KIND: Setting = plain(
    "bank.kind",
    "HUANXIN_BANK_KIND",
    Some("none"),
    "give none, gateway or folders",
);
pub const BANK_FORMAT: Setting = plain(
    "bank.format",
    "HUANXIN_BANK_FORMAT",
    Some("pain.001"),
    "give pain.001 or csv, as the bank takes",
);
pub const BANK_URL: Setting = plain(
    "bank.url",
    "HUANXIN_BANK_URL",
    None,
    "give the https address of the bank's gateway",
);
pub const BANK_CLIENT_CERTIFICATE: Setting = plain(
    "bank.client_certificate",
    "HUANXIN_BANK_CLIENT_CERTIFICATE",
    None,
    "name a PEM file with the certificate and those that lead to its authority",
);
pub const BANK_CLIENT_KEY: Setting = secret(
    "bank.client_key",
    "HUANXIN_BANK_CLIENT_KEY",
    "give the key of bank.client_certificate as PEM",
);
pub const BANK_ROOT_CERTIFICATES: Setting = plain(
    "bank.root_certificates",
    "HUANXIN_BANK_ROOT_CERTIFICATES",
    None,
    "name a PEM file with the authorities that may vouch for the gateway",
);
pub const BANK_FOLDER: Setting = plain(
    "bank.folder",
    "HUANXIN_BANK_FOLDER",
    None,
    "name the folder that the bank's program empties and fills",
);
pub const BANK_POLL_SECONDS: Setting = plain(
    "bank.poll_seconds",
    "HUANXIN_BANK_POLL_SECONDS",
    Some("60"),
    "give 1 to 3600",
);
pub const BANK_CALL_SECONDS: Setting = plain(
    "bank.call_seconds",
    "HUANXIN_BANK_CALL_SECONDS",
    Some("150"),
    "give 10 to 300",
);

pub const WEBHOOKS: Setting = plain(
    "webhooks.enabled",
    "HUANXIN_WEBHOOKS",
    Some("true"),
    "give true or false",
);
pub const WEBHOOKS_REACH: Setting = plain(
    "webhooks.reach",
    "HUANXIN_WEBHOOKS_REACH",
    Some("public"),
    "give public, or this_machine for a demo",
);
pub const WEBHOOKS_DAYS: Setting = plain(
    "webhooks.days",
    "HUANXIN_WEBHOOKS_DAYS",
    Some("30"),
    "give 4 to 365",
);

pub const LOG_FILTER: Setting = plain(
    "log.filter",
    "HUANXIN_LOG",
    Some("info"),
    "give directives such as info,service=debug",
);
pub const LOG_FORMAT: Setting = plain(
    "log.format",
    "HUANXIN_LOG_FORMAT",
    Some("json"),
    "give json or text",
);
pub const METRICS: Setting = plain(
    "metrics.enabled",
    "HUANXIN_METRICS",
    Some("true"),
    "give true or false",
);

/// All of them, in the order of the documentation.
pub const ALL: [Setting; 42] = [
    LISTEN,
    PUBLIC_BASE_URL,
    WORKERS,
    SHUTDOWN_SECONDS,
    DATABASE_URL,
    POOL_SIZE,
    ACQUIRE_TIMEOUT,
    STATEMENT_TIMEOUT,
    LOCK_TIMEOUT,
    TOKEN_KEYS,
    PERSONAL_DATA_KEYS,
    LOOKUP_KEY,
    TRANSPARENCY_NAME,
    TRANSPARENCY_KEY,
    TRANSPARENCY_WITNESSES,
    CHECKPOINT_MINUTES,
    REQUESTS_PER_SECOND,
    IDEMPOTENCY_DAYS,
    DISBURSEMENT_CLAIMS,
    THIRD_PERSON_FROM,
    BANK_FILE_PAYMENTS,
    INTAKE_LANES,
    INTAKE_BATCH,
    INTAKE_QUEUE,
    CLOSING_AFTER_DAYS,
    EVENTS_URL,
    EVENTS_SECRET,
    BANK_KIND,
    BANK_FORMAT,
    BANK_URL,
    BANK_CLIENT_CERTIFICATE,
    BANK_CLIENT_KEY,
    BANK_ROOT_CERTIFICATES,
    BANK_FOLDER,
    BANK_POLL_SECONDS,
    BANK_CALL_SECONDS,
    WEBHOOKS,
    WEBHOOKS_REACH,
    WEBHOOKS_DAYS,
    LOG_FILTER,
    LOG_FORMAT,
    METRICS,
];

/// Variables that begin with our prefix and set nothing in the configuration.
pub const OTHER_VARIABLES: [&str; 2] = ["HUANXIN_CONFIG", "HUANXIN_PG_BIN"];
