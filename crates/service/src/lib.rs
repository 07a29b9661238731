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
//! `programmes`, `funds`, `identity`, `catalogue`, `at_rest`, `operation`, `ports`.
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

use std::sync::{Arc, Weak};

use futures::FutureExt;
use futures::future::BoxFuture;
use secrecy::SecretBox;
use store::Store;

pub use at_rest::{Vault, VaultError};
pub use audit::Audit;
pub use audit::LogSettings;
pub use catalogue::{Catalogue, Catalogues, Jurisdiction, JurisdictionKind, ProgrammeVersion};
pub use claims::Claims;
pub use funds::Funds;
pub use identity::Identity;
pub use identity::{NewClient, SigningKeys, Token};
use operation::run::{AfterCommit, Runner};
pub use operation::{
    Actor, FieldError, MAX_BATCH, Page, Permit, Refusal, Replayable, Right, Role, ServiceError,
};
pub use payments::Payments;
use ports::Clock;
pub use programmes::Programmes;
pub use worker::Worker;

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
    pub webhooks: Option<Arc<dyn ports::Webhooks>>,
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

/// The wings, each with its use cases. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Service(Arc<Wings>);

#[derive(Debug)]
struct Wings {
    op: Arc<Runner>,
    settings: Arc<Settings>,
    identity: Identity,
    catalogue: Arc<Catalogues>,
    funds: Funds,
    programmes: Programmes,
    claims: Arc<Claims>,
    audit: Audit,
    payments: Payments,
    webhooks: webhooks::Webhooks,
    worker: Worker,
}

/// Serves the waitlists that operations called, as long as the service is there.
#[derive(Debug)]
struct ServeWaitlists(Weak<Claims>);

impl AfterCommit for ServeWaitlists {
    fn serve_waitlists(&self) -> BoxFuture<'_, ()> {
        async {
            if let Some(claims) = self.0.upgrade() {
                claims.serve_called_waitlists().await;
            }
        }
        .boxed()
    }
}

impl Service {
    /// Reads the catalogue and is ready to serve. Its lanes run on the runtime this is called from.
    pub async fn start(parts: Parts) -> Result<Self, ServiceError> {
        let op = Arc::new(Runner::new(parts.store, parts.clock));
        let (vault, settings) = (Arc::new(parts.vault), Arc::new(parts.settings));
        let catalogue = Arc::new(Catalogues::new(&op));
        let identity = Identity::new(&op, &catalogue, parts.signing, settings.requests_per_second);
        let funds = Funds::new(&op, &catalogue, &settings);
        let programmes = Programmes::new(&op, &catalogue, &vault);
        let claims = Claims::open(&op, &catalogue, &vault, &funds, &settings);
        let audit = Audit::new(&funds, &claims, parts.log);
        let payments = Payments::new(&funds, &claims, &settings);
        let webhooks = webhooks::Webhooks::new(&op, &vault, &settings, parts.webhooks);
        op.follow_up(Box::new(ServeWaitlists(Arc::downgrade(&claims))));
        let worker = Worker::new(&funds, &claims, &audit, &payments, &webhooks, &settings);
        let service = Self(Arc::new(Wings {
            op,
            settings,
            identity,
            catalogue,
            funds,
            programmes,
            claims,
            audit,
            payments,
            webhooks,
            worker,
        }));
        service.catalogue().refresh().await?;
        Ok(service)
    }

    /// Clients and tokens, and who looked at personal data.
    pub fn identity(&self) -> &Identity {
        &self.0.identity
    }

    /// Programmes and jurisdictions in force.
    pub fn catalogue(&self) -> &Catalogues {
        &self.0.catalogue
    }

    /// Funds, caps, holds, closings and balances.
    pub fn funds(&self) -> &Funds {
        &self.0.funds
    }

    /// Drafts of programmes, registers and replays.
    pub fn programmes(&self) -> &Programmes {
        &self.0.programmes
    }

    /// Claims from their arrival to their end, and clawbacks.
    pub fn claims(&self) -> &Claims {
        &self.0.claims
    }

    /// The transparency log, exports, bundles and samples.
    pub fn audit(&self) -> &Audit {
        &self.0.audit
    }

    /// Disbursements, the bank, accounts, advances and statements.
    pub fn payments(&self) -> &Payments {
        &self.0.payments
    }

    /// Merchants' endpoints and what they are sent.
    pub fn webhooks(&self) -> &webhooks::Webhooks {
        &self.0.webhooks
    }

    /// What is due by time.
    pub fn worker(&self) -> &Worker {
        &self.0.worker
    }

    pub fn clock(&self) -> &dyn Clock {
        self.0.op.clock()
    }

    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Connections of the pool, for the metrics.
    pub fn pool_status(&self) -> store::PoolStatus {
        self.0.op.pool_status()
    }
}

/// 32 secret bytes.
pub type SecretKey = SecretBox<[u8; 32]>;
