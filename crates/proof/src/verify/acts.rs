//! Acts that persons sign in pairs: grants, caps, payouts, waivers.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use uuid::Uuid;

/// A grant as two persons sign it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Granted {
    pub(crate) amount: String,
    pub(crate) document: String,
    pub(crate) programme: String,
    pub(crate) source: String,
}

/// Caps as two persons sign them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ceilings {
    pub(crate) caps: BTreeMap<String, String>,
    pub(crate) document: String,
    pub(crate) programme: String,
}

/// A payout as it is signed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Payout {
    pub(crate) claims: i64,
    pub(crate) digest: Option<String>,
    pub(crate) payments: i64,
    /// How many persons have to sign it.
    pub(crate) persons: usize,
    pub(crate) programme: String,
    pub(crate) total: String,
}

/// A proposal that one person makes and another approves.
#[derive(Debug, Default)]
pub(crate) struct Pair {
    pub(crate) maker: String,
    pub(crate) checker: Option<String>,
    pub(crate) detail: String,
}

/// A payout as computed from its leaves.
#[derive(Debug, Default)]
pub(crate) struct Signed {
    pub(crate) persons: Vec<String>,
    pub(crate) released: Option<Payout>,
    /// Claims and fen that were put into it, and not taken out again before its release.
    pub(crate) claims: i64,
    pub(crate) fen: i64,
}

/// Every proposal, by its id.
#[derive(Debug, Default)]
pub(crate) struct Acts {
    pub(crate) pairs: HashMap<String, Pair>,
    /// Grants that two persons signed and whose money has not arrived.
    pub(crate) grants: HashMap<Uuid, Granted>,
    pub(crate) payouts: HashMap<Uuid, Signed>,
}

pub(crate) fn detail<'d, T: Deserialize<'d>>(detail: Option<&'d str>) -> Result<T, String> {
    let detail = detail.ok_or("it does not say what was signed")?;
    serde_json::from_str(detail).map_err(|_| "what was signed cannot be read".into())
}

/// Yuan as text, in fen.
pub(crate) fn fen(yuan: &str) -> Result<i64, String> {
    yuan.parse::<ledger::Fen>()
        .map(ledger::Fen::get)
        .map_err(|_| format!("`{yuan}` is no amount"))
}

impl Acts {
    /// A person makes a proposal that another has to approve.
    pub(crate) fn make(&mut self, subject: &str, person: &str, detail: Option<&str>) -> Result<(), String> {
        let pair = Pair {
            maker: person.to_owned(),
            checker: None,
            detail: detail.unwrap_or_default().to_owned(),
        };
        match self.pairs.insert(subject.to_owned(), pair) {
            None => Ok(()),
            Some(_) => Err("it was made before".into()),
        }
    }

    /// Another person approves it, with the same contents.
    pub(crate) fn check(&mut self, subject: &str, person: &str, detail: Option<&str>) -> Result<(), String> {
        let pair = self
            .pairs
            .get_mut(subject)
            .ok_or("nobody made what is checked here")?;
        if pair.checker.is_some() {
            return Err("it was checked before".into());
        }
        if pair.maker == person {
            return Err("the one who made it checked it".into());
        }
        if pair.detail != detail.unwrap_or_default() {
            return Err("what was checked is not what was made".into());
        }
        pair.checker = Some(person.to_owned());
        Ok(())
    }

    /// Another person signs a payout.
    pub(crate) fn sign(&mut self, payout: Uuid, person: &str) -> Result<&mut Signed, String> {
        let signed = self.payouts.get_mut(&payout).ok_or("nobody made this payout")?;
        if signed.persons.iter().any(|it| it == person) {
            return Err("the same person signed it twice".into());
        }
        signed.persons.push(person.to_owned());
        Ok(signed)
    }
}
