//! The clients of the demo, one of every role, with secrets made at first start and kept in
//! `demo.json`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, anyhow};
use futures::{StreamExt, TryStreamExt};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use service::{Actor, JurisdictionKind, NewClient, Role, Service};

/// The contents of `demo.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Cast {
    pub(super) url: String,
    pub(super) clients: Vec<Client>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Client {
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) role: String,
    pub(super) jurisdictions: Vec<String>,
    pub(super) merchant: Option<String>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("client_id", &self.client_id)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// The merchants of `seeds/registers/merchants.csv` that have a client.
const MERCHANTS: [(&str, Role, &str); 5] = [
    ("retailer-hualian", Role::Retailer, "91140802MA2NH6NA3Q"),
    ("retailer-longmen", Role::Retailer, "91140882MAPF7FY028"),
    ("retailer-guanque", Role::Retailer, "91140881MAW1XE87FA"),
    ("platform-jingou", Role::Platform, "91140899MAW3PXBAWW"),
    ("dealer-hedong", Role::Dealer, "91140802MAT0089R6E"),
];

impl Cast {
    /// The cast of an earlier start, or a new one, registered with the service.
    pub(super) async fn load_or_register(service: &Service, file: &Path, url: &str) -> anyhow::Result<Self> {
        if file.exists() {
            let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
            let cast: Self = serde_json::from_str(&text).with_context(|| file.display().to_string())?;
            return Ok(Self {
                url: url.to_owned(),
                ..cast
            });
        }
        let cast = Self {
            url: url.to_owned(),
            clients: clients(service),
        };
        let register = cast.clients.iter().map(|client| register(service, client));
        futures::stream::iter(register)
            .buffer_unordered(4)
            .try_collect::<Vec<()>>()
            .await?;
        Ok(cast)
    }

    pub(super) fn client(&self, id: &str) -> anyhow::Result<&Client> {
        self.clients
            .iter()
            .find(|client| client.client_id == id)
            .ok_or_else(|| anyhow!("no client {id}"))
    }

    /// Writes `demo.json` for programs, readable by its owner only, before the demo's run is over.
    pub(super) fn write_json(&self, dir: &Path) -> anyhow::Result<()> {
        let json = serde_json::to_string_pretty(self)?;
        private(&dir.join("demo.json"), &format!("{json}\n"))
    }

    /// Writes `demo.sh` for a shell, readable by its owner only: the address of the service, and a
    /// token for each client.
    pub(super) fn write_shell(&self, dir: &Path) -> anyhow::Result<()> {
        let cases: BTreeMap<&str, &str> = self
            .clients
            .iter()
            .map(|client| (client.client_id.as_str(), client.client_secret.as_str()))
            .collect();
        let cases: String = cases
            .iter()
            .map(|(id, secret)| format!("    {id}) secret={secret} ;;\n"))
            .collect();
        private(
            &dir.join("demo.sh"),
            &format!(
                "# . demo.sh    then: curl -H \"Authorization: Bearer $(token auditor)\" $BASE/v1/ledgers/140802/balances\n\
                 BASE={}\n\
                 token() {{\n  case $1 in\n{cases}    *) echo \"no client $1\" >&2; return 1 ;;\n  esac\n  \
                 curl -sS \"$BASE/oauth/token\" -d grant_type=client_credentials -d \"client_id=$1\" -d \"client_secret=$secret\" |\n    \
                 sed 's/.*\"access_token\" *: *\"\\([^\"]*\\)\".*/\\1/'\n}}\n\
                 huanxin() (\n  set -a\n  . '{}'\n  exec '{}' \"$@\"\n)\n",
                self.url,
                dir.join("demo.env").display(),
                std::env::current_exe()?.display()
            ),
        )
    }
}

/// Credit codes of the merchants that have a client.
pub(super) fn merchants() -> impl Iterator<Item = &'static str> {
    MERCHANTS.iter().map(|(_, _, merchant)| *merchant)
}

fn clients(service: &Service) -> Vec<Client> {
    let client = |id: String, role: Role, jurisdictions: Vec<String>, merchant: Option<String>| Client {
        client_id: id,
        client_secret: crate::clients::secret(),
        role: role.as_str().to_owned(),
        jurisdictions,
        merchant,
    };
    let mut clients = Vec::new();
    for (id, role, merchant) in MERCHANTS {
        clients.push(client(id.to_owned(), role, Vec::new(), Some(merchant.to_owned())));
    }
    let catalogue = service.catalogue().current();
    // Clients of counties first: a search for a reviewer without a county should find one that has
    // claims.
    let (cities, counties): (Vec<_>, Vec<_>) = catalogue
        .jurisdictions()
        .partition(|it| it.kind == JurisdictionKind::City);
    for place in counties.into_iter().chain(cities) {
        for role in [Role::Reviewer, Role::Approver] {
            let id = format!("{}-{}", role.as_str(), place.code);
            clients.push(client(id, role, vec![place.code.clone()], None));
        }
    }
    for (id, role) in [
        ("treasury-1", Role::Treasury),
        ("treasury-2", Role::Treasury),
        ("auditor", Role::Auditor),
        ("admin-1", Role::Admin),
        ("admin-2", Role::Admin),
    ] {
        clients.push(client(id.to_owned(), role, Vec::new(), None));
    }
    clients
}

async fn register(service: &Service, client: &Client) -> anyhow::Result<()> {
    let new = NewClient {
        id: client.client_id.clone(),
        secret: SecretString::from(client.client_secret.clone()),
        role: Role::parse(&client.role).ok_or_else(|| anyhow!("unknown role"))?,
        person: client.client_id.clone(),
        merchant: client.merchant.clone(),
        jurisdictions: client.jurisdictions.clone(),
    };
    Ok(service.identity().register_client(&Actor::system(), new).await?)
}

/// Writes a file whole or not at all, readable by its owner only.
pub(super) fn private(path: &Path, text: &str) -> anyhow::Result<()> {
    let new = path.with_extension("new");
    let mut file = fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path).with_context(|| path.display().to_string())
}
