//! Which addresses a merchant may register: by their form, without resolving the name.

use std::net::IpAddr;

use reqwest::Url;
use service::ports::UrlRefused;

use super::Reach;
use super::public::is_public;
use crate::loopback::{LOCALHOST, is_loopback_host};

/// The longest address, in bytes.
const LONGEST: usize = 2_048;

/// Names that are never public, and what ends in them (RFC 6761, 6762, 8375, 9476, and what clouds
/// and routers use). They would not resolve to anything that may be called either; refusing the
/// name here gives the merchant the error at registration.
const CLOSED_NAMES: [&str; 10] = [
    LOCALHOST,
    "local",
    "internal",
    "intranet",
    "lan",
    "home.arpa",
    "test",
    "invalid",
    "onion",
    "alt",
];

/// An address whose form may be called; [`super::resolve`] checks what its name stands for.
pub(super) fn parse(text: &str, reach: Reach) -> Result<Url, UrlRefused> {
    if text.len() > LONGEST {
        return Err(UrlRefused::Form);
    }
    let url = Url::parse(text).map_err(|_| UrlRefused::Form)?;
    // Parsed and written again, which removes 127.1, 0x7f.0.0.1, 2130706433 and other disguises of
    // an address.
    let host = url
        .host_str()
        .filter(|host| !host.is_empty())
        .ok_or(UrlRefused::Form)?;
    let address = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>()
        .ok();
    let here = reach == Reach::AlsoThisMachine && is_loopback_host(host);
    match url.scheme() {
        "https" => {}
        "http" if here => {}
        _ => return Err(UrlRefused::NotHttps),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlRefused::Credentials);
    }
    match url.port_or_known_default() {
        // Below are services that have no business with webhooks: mail, remote shells.
        Some(443 | 1024..) => {}
        _ => return Err(UrlRefused::Port),
    }
    match address {
        _ if here => Ok(url),
        Some(address) if is_public(address) => Ok(url),
        Some(_) => Err(UrlRefused::NotPublic),
        None if is_public_name(host) => Ok(url),
        None => Err(UrlRefused::Name),
    }
}

/// A full name: one label alone is completed by the machine's own search list, and certificates
/// hold no name that ends in a full stop.
fn is_public_name(host: &str) -> bool {
    let closed = |name: &&str| {
        host.strip_suffix(*name)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    host.contains('.') && !host.ends_with('.') && !CLOSED_NAMES.iter().any(closed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cases: &[(&str, Option<UrlRefused>)], reach: Reach) {
        for (text, expected) in cases {
            assert_eq!(parse(text, reach).err(), *expected, "{text}");
        }
    }

    #[test]
    fn a_merchant_may_register_what_is_public_by_its_form() {
        use UrlRefused::{Credentials, Form, Name, NotHttps, NotPublic, Port};
        let long = format!("https://shop.example.cn/{}", "a".repeat(LONGEST));
        let cases = [
            ("https://shop.example.cn", None),
            ("https://shop.example.cn/hooks/t0ken?a=b#c", None),
            ("https://SHOP.example.cn:8443/", None),
            ("https://shop.example.cn:443/", None),
            ("https://shop.example.cn:1024/", None),
            ("https://shop.example.cn:65535/", None),
            ("https://商店.example.cn/", None),
            ("https://1.1.1.1/", None),
            ("https://[2606:4700:4700::1111]/", None),
            ("", Some(Form)),
            ("shop.example.cn", Some(Form)),
            ("/hooks", Some(Form)),
            ("https://", Some(Form)),
            ("https:///", Some(Form)),
            ("https://shop.example.cn:99999/", Some(Form)),
            ("https://[fe80::1%25eth0]/", Some(Form)),
            (long.as_str(), Some(Form)),
            ("mailto:shop@example.cn", Some(Form)),
            ("data:,x", Some(Form)),
            ("http://shop.example.cn/", Some(NotHttps)),
            ("http://127.0.0.1/", Some(NotHttps)),
            ("ftp://shop.example.cn/", Some(NotHttps)),
            ("gopher://shop.example.cn/", Some(NotHttps)),
            ("file://shop.example.cn/etc/passwd", Some(NotHttps)),
            ("https://user@shop.example.cn/", Some(Credentials)),
            ("https://user:word@shop.example.cn/", Some(Credentials)),
            ("https://:word@shop.example.cn/", Some(Credentials)),
            ("https://shop.example.cn@127.0.0.1/", Some(Credentials)),
            ("https://shop.example.cn:80/", Some(Port)),
            ("https://shop.example.cn:22/", Some(Port)),
            ("https://shop.example.cn:25/", Some(Port)),
            ("https://shop.example.cn:0/", Some(Port)),
            ("https://shop.example.cn:1023/", Some(Port)),
            ("https://localhost/", Some(Name)),
            ("https://localhost./", Some(Name)),
            ("https://LOCALHOST/", Some(Name)),
            ("https://a.localhost/", Some(Name)),
            ("https://metadata/", Some(Name)),
            ("https://metadata.google.internal/", Some(Name)),
            ("https://printer.local/", Some(Name)),
            ("https://router.home.arpa/", Some(Name)),
            ("https://shop.example.cn./", Some(Name)),
            ("https://thelocal.cn/", None),
            ("https://local.example.cn/", None),
        ];
        check(&cases, Reach::Public);
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "127.0.0.1.",
            "%31%32%37.0.0.1",
            "127。0。0。1",
            "①②⑦.0.0.1",
            "0",
            "10.0.0.1",
            "169.254.169.254",
            "192.168.1.1",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::a9fe:a9fe]",
            "[fd00::1]",
            "[fe80::1]",
        ] {
            check(&[(&format!("https://{host}/"), Some(NotPublic))], Reach::Public);
        }
    }

    #[test]
    fn this_machine_only_where_it_is_asked_for() {
        use UrlRefused::{NotHttps, NotPublic, Port};
        let cases = [
            ("http://127.0.0.1:8080/", None),
            ("http://localhost:8080/", None),
            ("https://localhost:8443/", None),
            ("https://[::1]:8443/", None),
            ("http://127.0.0.1:22/", Some(Port)),
            ("http://shop.example.cn:8080/", Some(NotHttps)),
            ("http://10.0.0.1:8080/", Some(NotHttps)),
            ("http://0.0.0.0:8080/", Some(NotHttps)),
            ("https://10.0.0.1/", Some(NotPublic)),
            ("https://0.0.0.0/", Some(NotPublic)),
        ];
        check(&cases, Reach::AlsoThisMachine);
    }
}
