//! Which hosts are this machine: the one test by which plain HTTP, weak passwords and a demo's
//! secrets are allowed.

use std::net::IpAddr;

/// The name of this machine that needs no resolver (RFC 6761).
pub(crate) const LOCALHOST: &str = "localhost";

/// Whether an address is this machine, also where IPv6 carries one of IPv4.
#[must_use]
pub fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Whether a host as written in an address, with or without a port, is this machine.
#[must_use]
pub fn is_loopback_host(host: &str) -> bool {
    let name = host
        .rsplit_once(':')
        .filter(|(name, port)| {
            // The colons of a bare IPv6 address do not precede a port.
            (!name.contains(':') || name.ends_with(']')) && port.bytes().all(|byte| byte.is_ascii_digit())
        })
        .map_or(host, |(name, _)| name);
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case(LOCALHOST) || name.parse().is_ok_and(is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_however_it_is_written() {
        for host in [
            "localhost",
            "localhost:8080",
            "LOCALHOST",
            "127.0.0.1",
            "127.9.9.9:5432",
            "::1",
            "[::1]",
            "[::1]:8080",
            "::ffff:127.0.0.1",
            "[::ffff:127.0.0.1]:8080",
        ] {
            assert!(is_loopback_host(host), "{host}");
        }
        for host in [
            "",
            ":8080",
            "0.0.0.0",
            "::",
            "10.0.0.1",
            "1.1.1.1:80",
            "localhost.example.cn",
            "127.0.0.1.example.cn",
            "::1:80",
        ] {
            assert!(!is_loopback_host(host), "{host}");
        }
    }
}
