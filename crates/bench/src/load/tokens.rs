//! Access tokens of the load generator, renewed before they expire.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use super::Credentials;
use crate::http::{Api, Client};

/// The current `Authorization` header of one client.
#[derive(Debug, Clone)]
pub(super) struct Token(Rc<RefCell<Rc<str>>>);

impl Token {
    pub(super) fn header(&self) -> Rc<str> {
        Rc::clone(&self.0.borrow())
    }

    /// Fetches the first token, and spawns a task that fetches the next ones.
    pub(super) async fn keep(address: SocketAddr, credentials: &Credentials) -> anyhow::Result<Self> {
        let client = Client {
            id: credentials.id.clone(),
            secret: credentials.secret.clone(),
        };
        let (first, mut lasts) = get(address, &client).await?;
        let token = Self(Rc::new(RefCell::new(first)));
        let kept = token.clone();
        tokio::task::spawn_local(async move {
            loop {
                tokio::time::sleep(Duration::from_secs(lasts * 2 / 3)).await;
                // A failed renewal is retried soon; if failures go on, requests show it.
                lasts = match get(address, &client).await {
                    Ok((next, seconds)) => {
                        *kept.0.borrow_mut() = next;
                        seconds
                    }
                    Err(_) => 3,
                };
            }
        });
        Ok(token)
    }
}

async fn get(address: SocketAddr, client: &Client) -> anyhow::Result<(Rc<str>, u64)> {
    let (token, lasts) = Api::open(address).await?.token(client).await?;
    Ok((format!("authorization: Bearer {token}\r\n").into(), lasts))
}
