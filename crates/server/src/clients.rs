//! Registering API clients: by hand, and those of the demo.

use anyhow::anyhow;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Args;
use rand::Rng;
use secrecy::SecretString;
use service::{Actor, NewClient, Role, Service};

/// A client to be registered; its secret is made here and printed once.
#[derive(Debug, Args)]
pub struct ClientArgs {
    /// Such as `retailer-hualian`.
    id: String,
    #[arg(long)]
    role: String,
    /// The person who uses the client, such as a staff number; two clients of one person are one
    /// pair of eyes. Default: the id.
    #[arg(long)]
    person: Option<String>,
    /// Credit code of the merchant it claims for.
    #[arg(long)]
    merchant: Option<String>,
    /// Counties it may act in; without one, the whole city.
    #[arg(long)]
    jurisdiction: Vec<String>,
}

/// Registers a client and prints its secret.
pub async fn register(service: &Service, args: ClientArgs) -> anyhow::Result<String> {
    let role = Role::parse(&args.role).ok_or_else(|| {
        let known = Role::ALL.map(Role::as_str).join(", ");
        anyhow!("unknown role {}: one of {known}", args.role)
    })?;
    if role.is_merchant() != args.merchant.is_some() {
        return Err(anyhow!(
            "--merchant goes with the roles retailer, platform and dealer, and only with them"
        ));
    }
    let secret = secret();
    let new = NewClient {
        person: args.person.unwrap_or_else(|| args.id.clone()),
        id: args.id,
        secret: SecretString::from(secret.clone()),
        role,
        merchant: args.merchant,
        jurisdictions: args.jurisdiction,
    };
    service.identity().register_client(&Actor::system(), new).await?;
    Ok(secret)
}

/// 256 random bits as text.
pub fn secret() -> String {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}
