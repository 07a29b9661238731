//! The city of every measurement: schema, programmes, registers, clients, money and entitlements in
//! one template database, of which each run gets a copy. So no run sees another's rows, and all
//! begin at the same size.
//!
//! Everything is entered as in production, through the binary and its API, except the entitlements:
//! there are hundreds of thousands, so that they are copied in with the person's lookup digest made
//! by the service's own vault.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use claims::digest::Domain;
use secrecy::SecretBox;
use serde_json::{Value, json};
use service::Vault;

use crate::claim::{CATEGORY, CITY, PROGRAMME, caps, counties, entitlement, identity_number};
use crate::database::{Cluster, Database};
use crate::http::{Api, Client};
use crate::service::{Binary, Served};

const TEMPLATE: &str = "bench_template";

/// The appropriation of a fund: more than any run can spend.
const FUND_YUAN: &str = "90000000000.00";

/// Caps that count every claim and stop none.
const CAP_YUAN: &str = "80000000000.00";

/// Merchants of the demo's registers that file the price of the model.
const MERCHANTS: [(&str, &str, &str); 4] = [
    ("bench-retailer-1", "retailer", "91140802MA2NH6NA3Q"),
    ("bench-retailer-2", "retailer", "91140882MAPF7FY028"),
    ("bench-retailer-3", "retailer", "91140881MAW1XE87FA"),
    ("bench-platform-1", "platform", "91140899MAW3PXBAWW"),
];

/// The cluster with its template, the binary, and its clients.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) cluster: Cluster,
    pub(crate) binary: Binary,
    pub(crate) merchants: Vec<Client>,
    pub(crate) approver: Client,
    pub(crate) auditor: Client,
    /// For the files of a run; removed at the end.
    pub(crate) scratch: tempfile::TempDir,
    vault: Vault,
    entitled: u64,
    /// Databases with more entitlements than the template.
    more: RefCell<BTreeMap<String, u64>>,
    runs: Cell<u32>,
}

/// The parameters of a world.
#[derive(Debug, Clone)]
pub(crate) struct Making {
    pub(crate) binary: PathBuf,
    pub(crate) data: Option<PathBuf>,
    /// The level at which the service logs.
    pub(crate) log: String,
    /// Claims that the entitlements of each copy of the template suffice for.
    pub(crate) claims: u64,
}

impl World {
    /// Makes it, from nothing.
    pub(crate) async fn make(making: &Making) -> anyhow::Result<Self> {
        let started = Instant::now();
        let scratch = tempfile::Builder::new().prefix("hx-bench-").tempdir()?;
        let log = scratch.path().join("service.log");
        let binary = Binary::with_fresh_keys(&making.binary, &log, &making.log).await?;
        let cluster = Cluster::start(making.data.as_deref()).await?;
        cluster.drop(TEMPLATE).await?;
        let database = cluster.create(TEMPLATE, None).await?;
        let url = database.url();
        binary.run(&url, &["migrate"]).await?;
        binary.run(&url, &["seed", "--demo"]).await?;
        let mut merchants = Vec::new();
        for (id, role, merchant) in MERCHANTS {
            merchants.push(
                binary
                    .client(&url, id, &["--role", role, "--merchant", merchant])
                    .await?,
            );
        }
        let officer = async |role: &str| {
            binary
                .client(&url, &format!("bench-{role}"), &["--role", role])
                .await
        };
        let (approver, auditor) = (officer("approver").await?, officer("auditor").await?);
        let maker = binary
            .client(&url, "bench-treasury-1", &["--role", "treasury"])
            .await?;
        let checker = binary
            .client(&url, "bench-treasury-2", &["--role", "treasury"])
            .await?;
        let served = binary.serve(&url).await?;
        appropriate(&served, &maker, &checker).await?;
        served.stop().await?;
        let mut world = Self {
            vault: vault(&binary)?,
            cluster,
            binary,
            merchants,
            approver,
            auditor,
            scratch,
            entitled: 0,
            more: RefCell::new(BTreeMap::new()),
            runs: Cell::new(0),
        };
        world.entitle(TEMPLATE, 0, making.claims).await?;
        world.entitled = making.claims;
        world
            .cluster
            .database(TEMPLATE)
            .ask("VACUUM (ANALYZE);\nCHECKPOINT;\n", &[])
            .await?;
        eprintln!(
            "prepared in {:.1} s: {} entitlements",
            started.elapsed().as_secs_f64(),
            making.claims
        );
        Ok(world)
    }

    /// The number of the first claim without an entitlement in the database.
    pub(crate) fn entitled_in(&self, database: &str) -> u64 {
        let more = self.more.borrow();
        more.get(database).copied().unwrap_or(self.entitled)
    }

    /// A new database, as the template is.
    pub(crate) async fn copy(&self) -> anyhow::Result<Database<'_>> {
        let number = self.runs.get() + 1;
        self.runs.set(number);
        let name = format!("bench_run_{number}");
        self.cluster.drop(&name).await?;
        self.cluster.create(&name, Some(TEMPLATE)).await
    }

    /// A file of this run.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Extends the entitlements of a database to claims up to `until`.
    pub(crate) async fn entitle_until(&self, database: &Database<'_>, until: u64) -> anyhow::Result<()> {
        let from = self.entitled_in(database.name());
        if from < until {
            self.entitle(database.name(), from, until).await?;
            self.more.borrow_mut().insert(database.name().to_owned(), until);
        }
        Ok(())
    }

    /// Puts the entitlements of some claims on file.
    async fn entitle(&self, database: &str, from: u64, until: u64) -> anyhow::Result<()> {
        const CHUNK: u64 = 500_000;
        let database = self.cluster.database(database);
        let mut from = from;
        while from < until {
            let next = until.min(from + CHUNK);
            let mut rows = String::new();
            for number in from..next {
                let identity = identity_number(number);
                let digest = self.vault.digest(Domain::Person, std::str::from_utf8(&identity)?);
                let (code, digest) = (entitlement(number), hex::encode(digest.as_bytes()));
                writeln!(
                    rows,
                    "{code}\t{PROGRAMME}\t\\\\x{digest}\t{CATEGORY}\t2026-01-02\t2026-12-31"
                )?;
            }
            rows.push_str("\\.\n");
            database
                .feed(include_str!("sql/entitlements.sql"), &[], rows.as_bytes())
                .await?;
            from = next;
        }
        Ok(())
    }
}

fn vault(binary: &Binary) -> anyhow::Result<Vault> {
    let lookup = binary.variable("HUANXIN_LOOKUP_KEY").context("no lookup key")?;
    let lookup: [u8; 32] = STANDARD
        .decode(lookup)?
        .try_into()
        .ok()
        .context("not a lookup key")?;
    // Only the lookup digest is used here: any key will do for sealing.
    let sealing = [("bench".to_owned(), SecretBox::new(Box::new([7; 32])))];
    Ok(Vault::new(&sealing, &SecretBox::new(Box::new(lookup)))?)
}

/// Gives every fund its money and its caps, and the city its own: proposed by one person of
/// treasury, approved by another.
async fn appropriate(served: &Served, maker: &Client, checker: &Client) -> anyhow::Result<()> {
    let mut api = Api::open(served.address()).await?;
    let ((maker, _), (checker, _)) = (api.token(maker).await?, api.token(checker).await?);
    for county in counties() {
        let body = json!({"source": "central", "amount": FUND_YUAN, "document": format!("运财建〔2026〕{county}号")});
        let path = format!("/v1/funds/{PROGRAMME}/{county}/appropriations");
        let made = api.post(&path, &maker, &body).await?;
        approve(&mut api, "appropriations", &made, &checker).await?;
    }
    for place in counties().chain([CITY]) {
        let own = caps(place).into_iter().filter(|(at, _)| *at == place);
        // The city has a cap over everything, and none by category.
        let own = own.take(if place == CITY { 1 } else { 2 });
        let set = own
            .map(|(_, scope)| json!({"scope": scope, "ceiling": CAP_YUAN}))
            .collect::<Vec<_>>();
        let body = json!({"caps": set, "document": format!("运财建〔2026〕{place}号")});
        let path = format!("/v1/funds/{PROGRAMME}/{place}/caps");
        let made = api.put(&path, &maker, &body).await?;
        approve(&mut api, "cap-changes", &made, &checker).await?;
    }
    Ok(())
}

/// The second person's approval of the first one's proposal.
async fn approve(api: &mut Api, what: &str, made: &Value, checker: &str) -> anyhow::Result<()> {
    let id = made
        .get("id")
        .and_then(Value::as_str)
        .with_context(|| format!("{what}: an answer without id"))?;
    let path = format!("/v1/{what}/{id}/decision");
    let checked = api.post(&path, checker, &json!({"verdict": "approve"})).await?;
    ensure!(
        checked.get("status").and_then(Value::as_str) == Some("approved"),
        "{checked}"
    );
    Ok(())
}

/// The binary to measure: the one asked for, or the workspace's own.
pub(crate) fn binary(asked: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(asked) = asked {
        return asked.canonicalize().with_context(|| asked.display().to_string());
    }
    let here = std::env::current_exe()?;
    let beside = here.parent().context("no directory")?.join("huanxin");
    ensure!(
        beside.exists(),
        "{} is not built: cargo build --release --bin huanxin",
        beside.display()
    );
    Ok(beside)
}

/// Target directory of builds, and of the results.
pub(crate) fn target() -> anyhow::Result<PathBuf> {
    let here = std::env::current_exe()?;
    let target = here.parent().and_then(Path::parent).context("no directory")?;
    Ok(target.to_owned())
}
