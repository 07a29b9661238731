//! The use cases, one wing for each noun, and nothing else: what a caller may do, in which
//! transaction, exactly once.
//!
//! A use case takes a [`Permit`] of the right it needs, parsed input that cannot be invalid in
//! form, and reads like the policy it carries out: load for update, call one pure function, record
//! its decision, post its transfers.
//!
//! ```text
//! Command ─► known facts ─► policy::decide ─► claims::allocate ─► store::Tx (claim, keys, quota, transfers, events) ─► commit ─► answer
//! ```
//!
//! A wing uses only those below it: `worker`, `webhooks`, `payments`, `audit`, `claims`,
//! `programmes`, `funds`, `catalogue`, `identity`, `at_rest`, `operation`, `ports`.
//!
//! Ports ([`ports`]) stand only toward what is not ours: the clock, whoever is told of events, the
//! bank. PostgreSQL is not hidden.

pub mod at_rest;
pub mod audit;
pub mod catalogue;
pub mod claims;
pub mod funds;
pub mod identity;
pub mod operation;
pub mod payments;
pub mod ports;
pub mod programmes;
pub mod webhooks;
pub mod worker;

use std::sync::{Arc, RwLock};

use secrecy::SecretBox;
use store::Store;

pub use at_rest::{Vault, VaultError};
pub use audit::LogSettings;
pub use catalogue::{Catalogue, Jurisdiction, JurisdictionKind, ProgrammeVersion};
use claims::Lanes;
use identity::{ClientCache, Throttle, TokenCache};
pub use identity::{NewClient, SigningKeys, Token};
pub use operation::{
    Actor, FieldError, MAX_BATCH, Page, Permit, Refusal, Replayable, Right, Role, ServiceError,
};
use ports::{Clock, Ids, Webhooks};

/// What the service is made of.
#[derive(Debug)]
pub struct Parts {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub vault: Vault,
    pub signing: SigningKeys,
    pub settings: Settings,
    pub log: LogSettings,
    /// What tells merchants; none: they cannot register where they listen.
    pub webhooks: Option<Arc<dyn Webhooks>>,
}

/// Limits that a deployment may set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Requests a client may make in a second, sustained; twice as many at once.
    pub requests_per_second: u32,
    /// How long the first answer to an idempotency key is remembered.
    pub idempotency_days: u32,
    /// How many days after its end a month or year is closed.
    pub closing_after_days: u32,
    /// The most claims one disbursement gathers.
    pub disbursement_limit: usize,
    /// From this amount on a disbursement needs a third person; none: never.
    pub third_person_from: Option<ledger::Fen>,
    /// The most payments a bank takes in one file.
    pub bank_file_payments: usize,
    /// What a bank is told in that takes files by itself; none: a person fetches them.
    pub bank_format: Option<payments::InstructionFormat>,
    /// How long messages to merchants are kept, whatever became of them.
    pub webhook_days: u32,
    /// Lanes that record claims, each with a transaction of its own; a county has one.
    pub intake_lanes: usize,
    /// The most claims of one transaction.
    pub intake_batch: usize,
    /// Claims that wait for a lane, beside those being recorded; more are refused at once.
    pub intake_queue: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            requests_per_second: 500,
            idempotency_days: 30,
            closing_after_days: 5,
            disbursement_limit: 10_000,
            third_person_from: None,
            bank_file_payments: 2_000,
            bank_format: None,
            webhook_days: 30,
            intake_lanes: 2,
            intake_batch: 128,
            intake_queue: 2_048,
        }
    }
}

/// Every use case is a method of this. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Service(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    ids: Ids,
    vault: Vault,
    signing: SigningKeys,
    settings: Settings,
    catalogue: RwLock<Arc<Catalogue>>,
    throttle: Throttle,
    clients: ClientCache,
    tokens: TokenCache,
    log: LogSettings,
    webhooks: Option<Arc<dyn Webhooks>>,
    lanes: Lanes,
    /// A turn for each replay that may run.
    replays: Arc<tokio::sync::Semaphore>,
}

impl Service {
    /// Reads the catalogue and is ready to serve. Its lanes run on the runtime this is called from.
    pub async fn start(parts: Parts) -> Result<Self, ServiceError> {
        let service = Self(Arc::new_cyclic(|inner| Inner {
            lanes: Lanes::open(inner, &parts.settings),
            throttle: Throttle::new(parts.settings.requests_per_second),
            clients: ClientCache::default(),
            tokens: TokenCache::default(),
            store: parts.store,
            clock: parts.clock,
            ids: Ids::default(),
            vault: parts.vault,
            signing: parts.signing,
            settings: parts.settings,
            log: parts.log,
            webhooks: parts.webhooks,
            catalogue: RwLock::default(),
            replays: Arc::new(tokio::sync::Semaphore::new(programmes::replay::AT_ONCE)),
        }));
        service.refresh().await?;
        Ok(service)
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    pub(crate) fn ids(&self) -> &Ids {
        &self.0.ids
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.0.vault
    }

    pub(crate) fn log(&self) -> &LogSettings {
        &self.0.log
    }

    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn webhooks_port(&self) -> Option<&dyn Webhooks> {
        self.0.webhooks.as_deref()
    }

    pub(crate) fn lanes(&self) -> &Lanes {
        &self.0.lanes
    }

    /// Programmes and jurisdictions as last read.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.0
            .catalogue
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }

    /// Connections of the pool, for the metrics.
    pub fn pool_status(&self) -> store::PoolStatus {
        self.0.store.pool_status()
    }
}

/// 32 secret bytes.
pub type SecretKey = SecretBox<[u8; 32]>;
