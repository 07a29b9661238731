//! The address of a partner, and the client that calls it and nothing else.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::{Client, Url, redirect};

use crate::loopback::{LOCALHOST, is_loopback_host};
use crate::{ConfigError, outcome};

/// An address that may be called: https, or plain http to this machine. Shown by its origin only,
/// because the path or query of such an address often holds a token.
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
            "http" if url.host_str().is_some_and(is_loopback_host) => Ok(Self(url)),
            "http" => Err(ConfigError::PlainHttp),
            _ => Err(ConfigError::Endpoint),
        }
    }

    pub(crate) fn url(&self) -> Url {
        self.0.clone()
    }

    /// The address with further segments of path. They are escaped: none leads elsewhere.
    pub(crate) fn join(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        // Only addresses without a host refuse segments, and those are not parsed.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// `tls` holds what both sides are to prove beyond what the machine trusts.
    ///
    /// # Errors
    /// If the machine has no root certificates, the certificates cannot be used, or TLS is
    /// configured for an address that is not https.
    pub(crate) fn client(&self, connect: Duration, tls: Option<Tls>) -> Result<Client, ConfigError> {
        let builder = Client::builder()
            .user_agent(concat!("huanxin/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(connect)
            .redirect(redirect::Policy::none())
            .referer(false)
            // Proxies would come from the environment, which only the server's configuration reads.
            .no_proxy();
        let builder = if self.0.scheme() == "https" {
            let Tls { identity, roots } = tls.unwrap_or_default();
            let builder = match roots {
                Some(roots) => builder.tls_certs_only(roots),
                None => builder,
            };
            let builder = match identity {
                Some(identity) => builder.identity(identity),
                None => builder,
            };
            builder.https_only(true)
        } else if tls.is_some() {
            return Err(ConfigError::CertificateWithoutTls);
        } else {
            // `localhost` is pinned to the loopback addresses, since the resolver may answer with
            // others and plain http must not leave the machine. Root certificates are not needed,
            // and a machine may have none.
            let here = [
                IpAddr::from(Ipv4Addr::LOCALHOST),
                IpAddr::from(Ipv6Addr::LOCALHOST),
            ];
            builder
                .resolve_to_addrs(LOCALHOST, &here.map(|address| SocketAddr::new(address, 0)))
                .tls_certs_only([])
        };
        builder
            .build()
            .map_err(|error| ConfigError::Client(outcome::root_cause(error)))
    }
}

/// The certificates by which the two sides of a TLS connection authenticate each other.
#[derive(Default)]
pub(crate) struct Tls {
    /// Certificate and key of this client.
    pub(crate) identity: Option<reqwest::Identity>,
    /// The authorities that may certify the partner, to the exclusion of all others.
    pub(crate) roots: Option<Vec<reqwest::Certificate>>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
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
    fn a_segment_stays_a_segment() {
        let cases = [
            ("https://bank.example.cn", "https://bank.example.cn/files/a.xml"),
            ("https://bank.example.cn/", "https://bank.example.cn/files/a.xml"),
            (
                "https://bank.example.cn/v1?tenant=7",
                "https://bank.example.cn/v1/files/a.xml?tenant=7",
            ),
            (
                "https://bank.example.cn/v1/",
                "https://bank.example.cn/v1/files/a.xml",
            ),
        ];
        for (base, expected) in cases {
            let joined = Endpoint::parse(base).unwrap().join(&["files", "a.xml"]);
            assert_eq!(joined.as_str(), expected);
        }
        let joined = Endpoint::parse("https://bank.example.cn/v1")
            .unwrap()
            .join(&["a/../b?c#d"]);
        assert_eq!(joined.as_str(), "https://bank.example.cn/v1/a%2F..%2Fb%3Fc%23d");
    }

    #[test]
    fn debug_shows_the_origin_only() {
        let endpoint = Endpoint::parse("https://exchange.example.cn:8443/hook/t0ken?key=k3y#x").unwrap();
        assert_eq!(format!("{endpoint:?}"), "https://exchange.example.cn:8443");
    }
}
