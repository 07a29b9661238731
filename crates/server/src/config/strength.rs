//! Whether a secret is strong enough. A key from a good generator fails one of these tests with a
//! negligible probability; what people type, copy from a manual or fill in to make the program
//! start does not pass.

use std::collections::BTreeSet;

/// Fewer distinct values among 32 random bytes than this occur less than once in 10^15 times.
const FEWEST_DISTINCT: usize = 16;

/// Values that manuals and tutorials print, or that are typed as placeholders, in place of a
/// secret.
const DEFAULTS: [&str; 16] = [
    "changeme",
    "change-me",
    "change_me",
    "password",
    "passw0rd",
    "secret",
    "example",
    "default",
    "huanxin",
    "postgres",
    "letmein",
    "qwerty",
    "123456",
    "admin",
    "insecure",
    "replace",
];

/// The private keys printed in RFC 8032 and RFC 8037.
const PUBLISHED: [&str; 5] = [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5",
    "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
];

/// Why these bytes, meant as a 256-bit key, are refused; `None` if they pass.
pub(super) fn weakness_of_key(key: &[u8]) -> Option<String> {
    if key.len() != 32 {
        return Some(format!("has {} bytes and not 32", key.len()));
    }
    let distinct = key.iter().collect::<BTreeSet<_>>().len();
    if distinct == 1 {
        return Some("consists of one byte repeated".to_owned());
    }
    if key.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
        return Some("is text and not random bytes".to_owned());
    }
    if distinct < FEWEST_DISTINCT {
        return Some(format!(
            "has only {distinct} distinct bytes among 32, which no random key has"
        ));
    }
    let steps: BTreeSet<u8> = key
        .iter()
        .zip(key.iter().skip(1))
        .map(|(one, next)| next.wrapping_sub(*one))
        .collect();
    if steps.len() == 1 {
        return Some("counts up or down".to_owned());
    }
    if key
        .split_at_checked(16)
        .is_some_and(|(first, second)| first == second)
    {
        return Some("consists of one half repeated".to_owned());
    }
    if PUBLISHED.contains(&hex::encode(key).as_str()) {
        return Some("is printed in an RFC".to_owned());
    }
    None
}

/// Whether a password is a well-known one: too short, or made of a default.
pub(super) fn weakness_of_password(password: &str) -> Option<String> {
    const SHORTEST: usize = 12;
    let folded = password.to_ascii_lowercase();
    if DEFAULTS
        .iter()
        .any(|default| folded.contains(default) && folded.len() < default.len().saturating_add(8))
    {
        return Some("is a well-known default".to_owned());
    }
    if password.chars().count() < SHORTEST {
        return Some(format!("is shorter than {SHORTEST} characters"));
    }
    let distinct = password.chars().collect::<BTreeSet<_>>().len();
    (distinct < 6).then(|| format!("has only {distinct} distinct characters"))
}

/// Whether text that should be an encoded key is a placeholder, so that the message can say so.
pub(super) fn is_placeholder(text: &str) -> bool {
    let folded = text.to_ascii_lowercase();
    text.len() < 40 && DEFAULTS.iter().any(|default| folded.contains(default))
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn random_keys_pass() {
        for _ in 0..1_000 {
            let mut key = [0; 32];
            rand::rng().fill_bytes(&mut key);
            assert_eq!(weakness_of_key(&key), None, "{key:?}");
        }
    }

    #[test]
    fn what_people_do_instead_is_named() {
        let counting: Vec<u8> = (0..32).collect();
        let halves: Vec<u8> = (0..16_u8).chain(0..16).map(|n| n.wrapping_mul(37)).collect();
        let few: Vec<u8> = (0..32).map(|n| n % 5).collect();
        let published = hex::decode(PUBLISHED[0]).unwrap();
        let cases: [(&[u8], &str); 8] = [
            (&[], "0 bytes"),
            (&[7; 31], "31 bytes"),
            (&[0; 32], "one byte repeated"),
            (&few, "only 5 distinct"),
            (&counting, "counts up"),
            (&halves, "one half repeated"),
            (b"correct horse battery staple, ok", "is text"),
            (&published, "RFC"),
        ];
        for (key, expected) in cases {
            let message = weakness_of_key(key).unwrap_or_else(|| panic!("{key:?} passed"));
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn passwords_that_everybody_tries_are_refused() {
        for weak in [
            "",
            "postgres",
            "changeme",
            "ChangeMe123",
            "huanxin2026",
            "short",
            "aaaaaaaaaaaaaaaa",
        ] {
            assert!(weakness_of_password(weak).is_some(), "{weak}");
        }
        for good in ["kD9-wPq2_vYt7", "correct horse battery staple"] {
            assert_eq!(weakness_of_password(good), None, "{good}");
        }
    }
}
