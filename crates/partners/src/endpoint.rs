//! Where a partner listens, and the client that goes there and nowhere else.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::{Client, Url, redirect};

use crate::{ConfigError, outcome};

/// An address that may be called: https, or plain http to this machine. Shown by its origin only, because the path or
/// query of such an address often holds a token.
#[derive(Clone)]
pub(crate) struct Endpoint(Url);

impl Endpoint {
    pub(crate) fn parse(text: &str) -> Result<Self, ConfigError> {
        let url = Url::parse(text).map_err(|_| ConfigError::Endpoint)?;
        if url.host_str().is_none_or(str::is_empty) {
            return Err(ConfigError::Endpoint);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ConfigError::Credentials);
        }
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if is_loopback(&url) => Ok(Self(url)),
            "http" => Err(ConfigError::PlainHttp),
            _ => Err(ConfigError::Endpoint),
        }
    }

    pub(crate) fn url(&self) -> Url {
        self.0.clone()
    }

    pub(crate) fn client(&self, connect: Duration) -> Result<Client, ConfigError> {
        let builder = Client::builder()
            .user_agent(concat!("huanxin/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(connect)
            .redirect(redirect::Policy::none())
            .referer(false)
            // Proxies would come from the environment, which only the server's configuration reads.
            .no_proxy();
        let builder = if self.0.scheme() == "https" {
            builder.https_only(true)
        } else {
            // `localhost` is what the resolver says it is; plain http must not leave the machine whatever it says.
            // Root certificates are not needed, and a machine may have none.
            let here = [
                IpAddr::from(Ipv4Addr::LOCALHOST),
                IpAddr::from(Ipv6Addr::LOCALHOST),
            ];
            builder
                .resolve_to_addrs("localhost", &here.map(|address| SocketAddr::new(address, 0)))
                .tls_certs_only([])
        };
        builder
            .build()
            .map_err(|error| ConfigError::Client(outcome::root_cause(error)))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost"
        || bare
            .parse()
            .is_ok_and(|address: IpAddr| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_leaves_the_machine() {
        let cases = [
            ("https://exchange.example.cn/events", None),
            ("http://localhost:8080/", None),
            ("http://127.0.0.1:8080", None),
            ("http://127.9.9.9/", None),
            ("http://[::1]:8080/", None),
            ("http://[::ffff:127.0.0.1]/", None),
            ("http://exchange.example.cn/", Some(ConfigError::PlainHttp)),
            ("http://10.0.0.1/", Some(ConfigError::PlainHttp)),
            ("http://0.0.0.0/", Some(ConfigError::PlainHttp)),
            ("http://localhost.example.cn/", Some(ConfigError::PlainHttp)),
            ("http://127.0.0.1.example.cn/", Some(ConfigError::PlainHttp)),
            ("http://localhost@example.cn/", Some(ConfigError::Credentials)),
            ("https://user:word@example.cn/", Some(ConfigError::Credentials)),
            ("ftp://localhost/", Some(ConfigError::Endpoint)),
            ("/events", Some(ConfigError::Endpoint)),
            ("", Some(ConfigError::Endpoint)),
        ];
        for (text, expected) in cases {
            assert_eq!(Endpoint::parse(text).err(), expected, "{text}");
        }
    }

    #[test]
    fn debug_shows_the_origin_only() {
        let endpoint = Endpoint::parse("https://exchange.example.cn:8443/hook/t0ken?key=k3y#x").unwrap();
        assert_eq!(format!("{endpoint:?}"), "https://exchange.example.cn:8443");
    }
}
