//! Altered bundles, signed again so that the check goes on past the signature: it ends in a report
//! or a fault for any contents, and never in a panic. `make fuzz-bundles` runs as many cases as
//! set.

use std::io::Cursor;

use ledger::log::LogKey;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

use super::tampering::{parts, signed_again};

/// A change of a part.
#[derive(Debug, Clone)]
enum Edit {
    /// A byte becomes another.
    Byte(Index, u8),
    /// A stretch is cut out.
    Cut(Index, Index),
    /// A stretch is inserted elsewhere.
    Copy(Index, Index, Index),
    /// A text that has a meaning for the check.
    Insert(Index, &'static str),
    /// A number becomes another.
    Number(Index, i64),
}

const TEXTS: [&str; 12] = [
    "\n",
    "{",
    "}",
    "\"",
    "null",
    "-1",
    "9223372036854775807",
    "18446744073709551615",
    "1e9",
    "\\ud800",
    "\u{0}",
    "[]",
];

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Edit::Byte(at, byte)),
        (any::<Index>(), any::<Index>()).prop_map(|(one, other)| Edit::Cut(one, other)),
        (any::<Index>(), any::<Index>(), any::<Index>())
            .prop_map(|(one, other, to)| Edit::Copy(one, other, to)),
        (any::<Index>(), proptest::sample::select(&TEXTS[..])).prop_map(|(at, text)| Edit::Insert(at, text)),
        (any::<Index>(), any::<i64>()).prop_map(|(at, number)| Edit::Number(at, number)),
    ]
}

fn apply(content: &mut Vec<u8>, edit: &Edit) {
    let place = |at: &Index, content: &[u8]| at.index(content.len() + 1);
    let stretch = |one: &Index, other: &Index, content: &[u8]| {
        let (one, other) = (place(one, content), place(other, content));
        one.min(other)..one.max(other)
    };
    match edit {
        Edit::Byte(at, byte) => {
            let at = place(at, content);
            if let Some(there) = content.get_mut(at) {
                *there = *byte;
            }
        }
        Edit::Cut(one, other) => drop(content.drain(stretch(one, other, content))),
        Edit::Copy(one, other, to) => {
            let copy = content[stretch(one, other, content)].to_vec();
            let to = place(to, content);
            content.splice(to..to, copy);
        }
        Edit::Insert(at, text) => {
            let at = place(at, content);
            content.splice(at..at, text.bytes());
        }
        Edit::Number(at, number) => {
            let digits: Vec<usize> = (0..content.len())
                .filter(|at| content[*at].is_ascii_digit())
                .collect();
            if digits.is_empty() {
                return;
            }
            let first = digits[at.index(digits.len())];
            let after = content[first..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            content.splice(first..first + after, number.to_string().into_bytes());
        }
    }
}

#[test]
fn no_bundle_makes_the_check_panic() {
    let mut whole = Vec::new();
    let key: LogKey = testkit::write_bundle(3, &mut whole);
    proof::verify(Cursor::new(&whole), &key.public(), &[]).unwrap();
    let parts = parts(&whole);
    let cases = std::env::var_os("FUZZ_CASES")
        .and_then(|cases| cases.into_string().ok())
        .and_then(|cases| cases.parse().ok());
    let config = Config {
        failure_persistence: None,
        ..Config::with_cases(cases.unwrap_or(300))
    };
    let edits = proptest::collection::vec((any::<Index>(), edit()), 1..4);
    let outcome = TestRunner::new(config).run(&(edits, any::<bool>()), |(edits, sign)| {
        let mut changed = parts.clone();
        if sign {
            for (part, edit) in &edits {
                // The first two are the manifest and its signature, made anew.
                let part = 2 + part.index(changed.len() - 2);
                apply(&mut changed[part].1, edit);
            }
            let _ = proof::verify(Cursor::new(signed_again(&key, changed)), &key.public(), &[]);
        } else {
            let mut file = whole.clone();
            edits.iter().for_each(|(_, edit)| apply(&mut file, edit));
            let _ = proof::verify(Cursor::new(file), &key.public(), &[]);
        }
        Ok(())
    });
    outcome.unwrap();
}
