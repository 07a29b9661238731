//! The addresses of a name, resolved and checked in one step: the client connects to what is
//! returned here, and reaches no other address but one written in the URL, which [`super::target`]
//! has checked.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::Reach;
use crate::loopback::LOCALHOST;

/// Resolves a name.
pub(super) type Lookup = Arc<dyn Fn(String) -> Looking + Send + Sync>;
pub(super) type Looking = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

pub(super) fn by_the_system() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

/// A name resolves to an address that may not be called. The error holds neither the name nor the
/// address: the merchant may read it, and could otherwise explore our names by it.
#[derive(Debug, thiserror::Error)]
#[error("its name stands for an address that is not public")]
pub(super) struct NotPublic;

/// Returns the addresses if all of them may be called, or fails.
pub(super) struct Checked {
    pub(super) lookup: Lookup,
    /// [`super::public::is_public`], except in tests, whose endpoints are not public.
    pub(super) is_public: fn(IpAddr) -> bool,
    pub(super) reach: Reach,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        if self.reach == Reach::AlsoThisMachine && name.as_str() == LOCALHOST {
            // `localhost` is pinned to the loopback addresses: plain http must not leave the
            // machine.
            let here = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
            return Box::pin(std::future::ready(Ok(addresses(here.into()))));
        }
        let is_public = self.is_public;
        let looking = (self.lookup)(name.as_str().to_owned());
        Box::pin(async move {
            let found = looking.await?;
            // All addresses, and not the public ones alone: a name with one private address among
            // them is not to be trusted.
            if !found.iter().all(|address| is_public(*address)) {
                return Err(NotPublic.into());
            }
            Ok(addresses(found))
        })
    }
}

impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checked")
            .field("reach", &self.reach)
            .finish_non_exhaustive()
    }
}

/// With port 0, which stands for the port of the URL.
fn addresses(found: Vec<IpAddr>) -> Addrs {
    Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)))
}
