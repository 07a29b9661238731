//! Stable names in place of values that differ in every run: ids, hashes over ids, signatures,
//! secrets.
//!
//! The first id of a kind becomes `clm_140802_#1`, the next one `#2`. The same id has the same name
//! wherever it stands, in any spelling. So two runs give the same text although their ids differ,
//! and an id in a wrong place shows as a difference.

use std::collections::{BTreeMap, HashMap};

#[derive(Debug, Default)]
pub(super) struct Names {
    /// Names by the value that they replace.
    given: HashMap<String, String>,
    counts: BTreeMap<String, usize>,
}

/// JSON members whose value differs in every run and has no fixed shape.
const OPAQUE: [&str; 3] = ["next_cursor", "access_token", "secret"];

impl Names {
    fn name(&mut self, what: &str, kind: &str) -> String {
        if let Some(name) = self.given.get(what) {
            return name.clone();
        }
        let count = self.counts.entry(kind.to_owned()).or_default();
        *count += 1;
        let name = format!("{kind}#{count}");
        self.given.insert(what.to_owned(), name.clone());
        name
    }

    /// The text with names in place of values.
    pub(super) fn of(&mut self, text: &str) -> String {
        let mut named = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let before = &text[..text.len() - rest.len()];
            let inside = before.ends_with(|c: char| c.is_ascii_alphanumeric());
            let found = (!inside).then(|| self.found(rest, before)).flatten();
            let length = match found {
                Some((length, name)) => {
                    named.push_str(&name);
                    length
                }
                None => {
                    named.push(first);
                    first.len_utf8()
                }
            };
            rest = &rest[length..];
        }
        named
    }

    /// The value at the beginning of `text`, if it gets a name: its length and the name.
    fn found(&mut self, text: &str, before: &str) -> Option<(usize, String)> {
        let opaque = OPAQUE.iter().find_map(|member| {
            let value = text.strip_prefix(*member)?.strip_prefix("\":\"")?;
            Some((member, text.len() - value.len() + value.find('"')?))
        });
        if let Some((member, length)) = opaque {
            return Some((length, format!("{member}\":\"<{member}>")));
        }
        if let Some(length) = text.strip_prefix("cursor=").map(|value| run(value, opaque_byte)) {
            return Some(("cursor=".len() + length, "cursor=<cursor>".to_owned()));
        }
        self.id(text)
            .or_else(|| self.uuid(text))
            .or_else(|| self.hexadecimal(text, before))
            .or_else(|| self.base64(text, before))
    }

    /// `clm_140802_` and 32 digits.
    fn id(&mut self, text: &str) -> Option<(usize, String)> {
        let (prefix, rest) = text.split_at_checked(4)?;
        let letters = prefix.strip_suffix('_')?;
        let (place, rest) = rest.split_once('_')?;
        let numeric = (6..=12).contains(&place.len()) && place.bytes().all(|b| b.is_ascii_digit());
        if !numeric || !letters.bytes().all(|b| b.is_ascii_lowercase()) || run(rest, hex_byte) != 32 {
            return None;
        }
        let name = self.name(&rest[..32], letters);
        let number = name.rsplit_once('#').map_or("", |it| it.1);
        Some((
            prefix.len() + place.len() + 33,
            format!("{prefix}{place}_#{number}"),
        ))
    }

    /// With its hyphens.
    fn uuid(&mut self, text: &str) -> Option<(usize, String)> {
        let candidate = text.get(..36)?;
        let hex = candidate.replace('-', "");
        let shaped = candidate
            .bytes()
            .enumerate()
            .all(|(at, byte)| (byte == b'-') == [8, 13, 18, 23].contains(&at));
        (shaped && run(&hex, hex_byte) == 32).then(|| (36, format!("<{}>", self.name(&hex, "uuid"))))
    }

    /// An id, alone or with the suffix of a bank's file, or a hash. A hash with its algorithm in
    /// front is that of a document or a receipt and has no id in it; only a `digest` that persons
    /// sign has.
    fn hexadecimal(&mut self, text: &str, before: &str) -> Option<(usize, String)> {
        match run(text, hex_byte) {
            64 if before.ends_with(':') && !before.ends_with("digest\":\"sha256:") => {
                Some((64, text[..64].to_owned()))
            }
            64 => Some((64, format!("<{}>", self.name(&text[..64], "hash")))),
            length @ 32..=36 => {
                let name = self.name(&text[..32], "id");
                Some((length, format!("<{name}>{}", &text[32..length])))
            }
            _ => None,
        }
    }

    /// A hash, a signature, a leaf or a secret: a run of this length that is no path.
    fn base64(&mut self, text: &str, before: &str) -> Option<(usize, String)> {
        let length = run(text, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
        });
        let path = before.ends_with('/') || text.starts_with("/v1/");
        (length >= 40 && !path).then(|| (length, format!("<{}>", self.name(&text[..length], "base64"))))
    }
}

/// The number of leading bytes for which `such` holds.
fn run(text: &str, such: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|byte| such(*byte)).count()
}

fn hex_byte(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn opaque_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'%' | b'=' | b'.')
}

#[test]
fn an_id_has_one_name_in_every_spelling() {
    let mut names = Names::default();
    let text = names.of(
        "clm_140802_018f2f6e7d3a7c8e9b0a1122334455ff 018f2f6e-7d3a-7c8e-9b0a-1122334455ff 018f2f6e7d3a7c8e9b0a1122334455ff001 \
         pay_140802_018f2f6e7d3a7c8e9b0a000000000001 clm_140802_018f2f6e7d3a7c8e9b0a000000000002",
    );
    assert_eq!(
        text,
        "clm_140802_#1 <clm#1> <clm#1>001 pay_140802_#1 clm_140802_#2"
    );
    let (receipt, signed) = ("ab".repeat(32), "cd".repeat(32));
    let digests = format!("sha256:{receipt} \"digest\":\"sha256:{signed}\" {signed}");
    assert_eq!(
        names.of(&digests),
        format!("sha256:{receipt} \"digest\":\"sha256:<hash#1>\" <hash#1>")
    );
    assert_eq!(
        names.of("{\"next_cursor\":\"AbC\"} ?cursor=AbC%3D&limit=1"),
        "{\"next_cursor\":\"<next_cursor>\"} ?cursor=<cursor>&limit=1"
    );
}
