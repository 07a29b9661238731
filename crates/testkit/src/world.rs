//! The service over a database, and the persons who use it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use claims::registers::Register;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ledger::Fen;
use ledger::log::{LogKey, WitnessKey};
use partners::{HttpWebhooks, Reach, WebhooksConfig};
use secrecy::{SecretBox, SecretString};
use serde_json::{Value, json};
use service::operation::access::KeepRegisters;
use service::ports::{ManualClock, Webhooks};
use service::programmes::registers::RegisterFormat;
use service::{Actor, LogSettings, Parts, Permit, Right, Role, Service, Settings, SigningKeys, Vault};
use store::{Store, StoreConfig};
use tokio::sync::OnceCell;

use crate::database::{TestDb, shared_cluster};
use crate::{YANHU, audit, numbers};

/// Options of a test.
#[derive(Debug, Clone)]
pub struct Setup {
    pub pool_size: usize,
    pub settings: Settings,
    pub now: DateTime<Utc>,
    /// Whether webhooks are delivered, to addresses of this machine.
    pub webhooks: bool,
    /// Keys of personal data, each all of one byte: the first seals.
    pub data_keys: Vec<(&'static str, u8)>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            pool_size: 16,
            settings: Settings::default(),
            now: "2026-06-15T02:00:00Z".parse().unwrap(),
            webhooks: true,
            data_keys: vec![("test", 1)],
        }
    }
}

/// Made once: it reads the machine's certificates.
static WEBHOOKS: LazyLock<Arc<HttpWebhooks>> = LazyLock::new(|| {
    let webhooks = HttpWebhooks::new(WebhooksConfig {
        reach: Reach::AlsoThisMachine,
        connect: Duration::from_secs(1),
        attempt: Duration::from_secs(1),
    });
    Arc::new(webhooks.expect("an HTTP client"))
});

/// The webhook sender of tests: to addresses of this machine, in a second at most.
pub fn webhooks() -> Arc<dyn Webhooks> {
    WEBHOOKS.clone()
}

/// The clients of the service. Each may act in every county.
#[derive(Debug, Clone)]
pub struct Cast {
    pub retailer: Actor,
    pub other_retailer: Actor,
    pub platform: Actor,
    pub dealer: Actor,
    pub reviewer: Actor,
    pub approver: Actor,
    pub other_approver: Actor,
    /// Treasury's two persons.
    pub maker: Actor,
    pub checker: Actor,
    pub auditor: Actor,
    pub admin: Actor,
    /// Credit code of a licensed collector of old appliances.
    pub collector: String,
    /// Credit code of a licensed dismantler of cars.
    pub dismantler: String,
}

impl Cast {
    /// The same firms in every process, since the template knows them.
    fn new() -> Self {
        let merchant = |client: &str, role, code: &str| Actor {
            merchant: Some(code.into()),
            ..actor(client, client, role)
        };
        Self {
            retailer: merchant("retailer-1", Role::Retailer, "91140802MA0H1P4A1X"),
            other_retailer: merchant("retailer-2", Role::Retailer, "91140802MA0H1P4A2X"),
            platform: merchant("platform-1", Role::Platform, "91140802MA0H1P4A3X"),
            dealer: merchant("dealer-1", Role::Dealer, "91140802MA0H1P4A4X"),
            reviewer: actor("reviewer-1", "李审", Role::Reviewer),
            approver: actor("approver-1", "赵准", Role::Approver),
            other_approver: actor("approver-2", "钱准", Role::Approver),
            maker: actor("treasury-1", "孙制", Role::Treasury),
            checker: actor("treasury-2", "周核", Role::Treasury),
            auditor: actor("auditor-1", "吴计", Role::Auditor),
            admin: actor("admin-1", "郑管", Role::Admin),
            collector: "91140802MA0H1P4A5X".into(),
            dismantler: "91140802MA0H1P4A6X".into(),
        }
        .with_check_digits()
    }

    fn with_check_digits(mut self) -> Self {
        let merchants = [
            &mut self.retailer,
            &mut self.other_retailer,
            &mut self.platform,
            &mut self.dealer,
        ];
        for code in merchants.into_iter().filter_map(|actor| actor.merchant.as_mut()) {
            *code = numbers::checked_credit_code(code);
        }
        self.collector = numbers::checked_credit_code(&self.collector);
        self.dismantler = numbers::checked_credit_code(&self.dismantler);
        self
    }
}

fn actor(client: &str, person: &str, role: Role) -> Actor {
    Actor {
        client: client.into(),
        person: person.into(),
        role,
        jurisdictions: Vec::new(),
        merchant: None,
        request: None,
    }
}

/// The service over a database, driven as its clients drive it.
#[derive(Debug, Clone)]
pub struct World {
    pub service: Service,
    pub clock: Arc<ManualClock>,
    pub cast: Cast,
}

/// The witness of checkpoints.
pub fn witness() -> WitnessKey {
    WitnessKey::new("audit.example/yuncheng", &[5; 32]).expect("a name")
}

impl World {
    /// Opens the service over a database that has its schema.
    pub async fn open(url: &str, setup: &Setup) -> Self {
        let clock = Arc::new(ManualClock::at(setup.now));
        let config = StoreConfig {
            pool_size: setup.pool_size,
            // Two hundred tasks on two cores wait for sixteen connections.
            acquire_timeout: Duration::from_secs(60),
            lock_timeout: Duration::from_secs(60),
            ..StoreConfig::new(SecretString::from(url.to_owned()))
        };
        let key = |byte| SecretBox::new(Box::new([byte; 32]));
        let data_keys = setup.data_keys.iter();
        let data_keys = data_keys.map(|(id, byte)| ((*id).to_owned(), key(*byte)));
        let pem = SigningKey::from_bytes(&[3; 32])
            .to_pkcs8_pem(LineEnding::LF)
            .expect("a key");
        let parts = Parts {
            store: Store::open(&config).expect("a pool"),
            clock: clock.clone(),
            vault: Vault::new(&data_keys.collect::<Vec<_>>(), &key(2)).expect("a vault"),
            signing: SigningKeys::new(&[("test".into(), SecretString::from(pem.to_string()))])
                .expect("a signing key"),
            settings: setup.settings.clone(),
            log: LogSettings {
                key: LogKey::new("huanxin.example/yuncheng", &[4; 32]).expect("a name"),
                witnesses: vec![witness().public()],
                every: chrono::Duration::minutes(10),
            },
            webhooks: setup.webhooks.then(webhooks),
        };
        let service = Service::start(parts).await.expect("the service starts");
        Self {
            service,
            clock,
            cast: Cast::new(),
        }
    }

    /// Puts the firms of the cast on file.
    pub(crate) async fn file_the_cast(&self) {
        let cast = &self.cast;
        let merchants = [
            (&cast.retailer, "retailer"),
            (&cast.other_retailer, "retailer"),
            (&cast.platform, "platform"),
            (&cast.dealer, "dealer"),
        ];
        let mut rows = Vec::new();
        for (actor, kind) in merchants {
            let code = actor.merchant.clone();
            rows.push((
                Register::Merchants,
                json!({"credit_code": code, "name": actor.client, "kind": kind, "jurisdiction": YANHU, "status": "admitted"}),
            ));
        }
        for (register, code) in [
            (Register::Collectors, &cast.collector),
            (Register::Dismantlers, &cast.dismantler),
        ] {
            rows.push((register, json!({"credit_code": code, "name": "再生资源", "jurisdiction": YANHU, "licensed_until": "2030-12-31"})));
        }
        self.file(rows).await;
    }

    /// Loads rows into their registers; every row must be good.
    pub async fn file(&self, rows: Vec<(Register, Value)>) {
        let mut files = BTreeMap::<&str, (Register, String)>::new();
        for (register, row) in rows {
            let file = files
                .entry(register.as_str())
                .or_insert_with(|| (register, String::new()));
            file.1.push_str(&row.to_string());
            file.1.push('\n');
        }
        let permit: Permit<KeepRegisters> = permit(&self.cast.admin);
        for (register, text) in files.into_values() {
            let body = futures::stream::iter([Ok::<_, Infallible>(Bytes::from(text))]);
            let report = self
                .service
                .programmes()
                .load_register(&permit, register, RegisterFormat::Ndjson, body)
                .await
                .expect("a load");
            assert_eq!(report.refused, 0, "{register}: {:?}", report.errors);
        }
    }
}

/// The permit of an actor, who must have the right.
pub fn permit<R: Right>(actor: &Actor) -> Permit<R> {
    actor.permit().expect("the role has the right")
}

/// The template that has the schema and the seeds.
const TEMPLATE: &str = "template_huanxin";

/// Migrates and seeds an empty database: jurisdictions, every programme, the firms of the cast.
pub async fn prepare(url: &str) {
    let url = url.to_owned();
    // The test's own runtime may have a single thread, and the template must have no connection
    // left when this returns.
    on_a_runtime_of_its_own(async move {
        store::migrate(&url).await.expect("migrations run");
        let world = World::open(&url, &Setup::default()).await;
        server::seed::reference(&world.service).await.expect("seeds load");
        world.file_the_cast().await;
    })
    .await;
}

async fn on_a_runtime_of_its_own<F>(work: F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let run = move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(work);
    };
    tokio::task::spawn_blocking(run).await.expect("the work is done");
}

async fn template() -> &'static str {
    static READY: OnceCell<()> = OnceCell::const_new();
    READY
        .get_or_init(async || {
            let made = shared_cluster().await.create_database(TEMPLATE, None).await;
            prepare(&made.expect("a template")).await
        })
        .await;
    TEMPLATE
}

impl TestDb {
    /// A copy of the template with schema and seeds.
    pub async fn new() -> Self {
        Self::copy_of(template().await).await
    }
}

/// A database of its own and the world in it.
#[derive(Debug)]
pub struct TestApp {
    pub world: World,
    pub db: TestDb,
}

impl TestApp {
    pub async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> Self {
        let db = TestDb::new().await;
        let world = World::open(db.url(), &setup).await;
        Self { world, db }
    }

    /// Audits the books: see [`audit`].
    pub async fn audit(&self) {
        audit(self.db.cluster(), self.db.name()).await;
    }
}

impl Deref for TestApp {
    type Target = World;
    fn deref(&self) -> &World {
        &self.world
    }
}

/// A sum of money in its wire form.
pub fn yuan(text: &str) -> Fen {
    text.parse().expect("a sum of money")
}

/// A date.
pub fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}
