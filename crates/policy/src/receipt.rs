//! Decision receipts: the decision, its facts and its document, in bytes that do not change.
//!
//! A receipt is canonical JSON (RFC 8785) of the programme's id, version and hash, the facts, every
//! rule's outcome with the facts it read, the outcome and the subsidy. Its digest stands in the
//! claim. Years later anyone who has the document can decide the same facts again and compare: the
//! rules of the document must come out the same, and the outcome must follow from them and from the
//! service's results (uniqueness, quota, cap), which the receipt holds.

mod text;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use crate::decision::{Decision, FactsRead, Outcome, Price, RuleOutcome, RuleResult};
use crate::facts::{FactError, Facts, Given, Value};
use crate::programme::Programme;

/// A receipt and its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Canonical JSON, UTF-8.
    pub json: String,
    /// `sha256:` and 64 hexadecimal digits, of the bytes of `json`.
    pub digest: String,
    pub outcome: Outcome,
}

/// Why a receipt could not be re-executed, or which part differs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    #[error("not a receipt: {0}")]
    Malformed(String),
    #[error("the receipt's facts: {0}")]
    Facts(#[from] FactError),
    #[error("the receipt is not canonical JSON")]
    NotCanonical,
    #[error("the receipt is of programme {found}, not of {expected}")]
    OtherProgramme { expected: String, found: String },
    #[error("`{part}`: the receipt says {receipt}, deciding again says {again}")]
    Differs {
        part: String,
        receipt: String,
        again: String,
    },
}

/// The part of a receipt that can be written before the service decides: all but its own rules and
/// the outcome. Writing it is most of the work, and no lock is held meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    facts: String,
    /// The document's rules, comma-separated.
    rules: String,
    subsidy: String,
}

impl Draft {
    pub fn new(facts: &Facts, decision: &Decision) -> Self {
        let mut draft = Draft {
            facts: String::with_capacity(2_048),
            rules: String::with_capacity(4_096),
            subsidy: String::new(),
        };
        text::facts(&mut draft.facts, facts.known());
        text::rules(&mut draft.rules, &decision.rules);
        text::subsidy(&mut draft.subsidy, decision.price.as_ref());
        draft
    }

    /// The receipt. `system` are the outcomes of the rules that the service decides.
    pub fn finish(&self, programme: &Programme, decision: &Decision, system: &[RuleOutcome]) -> Receipt {
        let (json, outcome) = self.write(programme, decision, system);
        Receipt {
            digest: digest(json.as_bytes()),
            json,
            outcome,
        }
    }

    fn write(&self, programme: &Programme, decision: &Decision, system: &[RuleOutcome]) -> (String, Outcome) {
        let outcome = programme.outcome(decision, system);
        let between = if self.rules.is_empty() || system.is_empty() {
            ""
        } else {
            ","
        };
        let length = [&self.facts, &self.rules, &self.subsidy]
            .map(String::len)
            .iter()
            .sum::<usize>();
        let mut json = String::with_capacity(length.saturating_add(1_024));
        json.push_str("{\"facts\":");
        json.push_str(&self.facts);
        json.push_str(",\"outcome\":\"");
        json.push_str(outcome.as_str());
        json.push_str("\",\"programme\":");
        text::quoted(&mut json, programme.id());
        json.push_str(",\"programme_hash\":");
        text::quoted(&mut json, programme.hash());
        json.push_str(",\"rules\":[");
        json.push_str(&self.rules);
        json.push_str(between);
        text::rules(&mut json, system);
        json.push_str("],\"subsidy\":");
        json.push_str(&self.subsidy);
        json.push_str(",\"version\":");
        json.push_str(itoa::Buffer::new().format(programme.version()));
        json.push('}');
        (json, outcome)
    }
}

/// Writes the receipt of a decision. `system` are the outcomes of the rules that the service
/// decides.
pub fn receipt(programme: &Programme, facts: &Facts, decision: &Decision, system: &[RuleOutcome]) -> Receipt {
    Draft::new(facts, decision).finish(programme, decision, system)
}

/// `sha256:` and the hexadecimal SHA-256 of the bytes.
pub fn digest(receipt: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(receipt)))
}

/// A decision read back from its receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    pub facts: Facts,
    /// The result of a re-execution that came out the same.
    pub decision: Decision,
    /// The service's results. Their facts are read as text or as booleans.
    pub system: Vec<RuleOutcome>,
    pub outcome: Outcome,
}

/// A receipt parsed far enough to find which programme it is of.
#[derive(Debug, Deserialize)]
pub struct Opened<'r> {
    #[serde(skip)]
    json: &'r str,
    #[serde(borrow)]
    programme: Cow<'r, str>,
    version: u32,
    /// Present if the receipt has the form in which receipts are written: the texts of its facts
    /// and of its list of rules.
    #[serde(skip)]
    parts: Option<(&'r str, &'r str)>,
}

/// Opens a receipt; [`Opened::read`] checks it.
///
/// # Errors
/// The text is not a receipt.
pub fn open(json: &str) -> Result<Opened<'_>, Mismatch> {
    if let Some(opened) = Opened::as_written(json) {
        return Ok(opened);
    }
    let opened: Opened<'_> =
        serde_json::from_str(json).map_err(|error| Mismatch::Malformed(error.to_string()))?;
    Ok(Opened { json, ..opened })
}

impl<'r> Opened<'r> {
    /// Finds the parts by the text between them where a receipt was written as [`Draft`] does. This
    /// proves nothing yet: the parts count only if writing them again gives the same text.
    fn as_written(json: &'r str) -> Option<Self> {
        let rest = json.strip_prefix("{\"facts\":")?;
        let (facts, rest) = rest.split_once(",\"outcome\":\"")?;
        let (_, rest) = rest.split_once("\",\"programme\":\"")?;
        let (programme, rest) = rest.split_once("\",\"programme_hash\":\"")?;
        let (_, rest) = rest.split_once("\",\"rules\":[")?;
        let (rules, rest) = rest.rsplit_once("],\"subsidy\":")?;
        let (_, version) = rest.rsplit_once(",\"version\":")?;
        Some(Opened {
            json,
            programme: programme.into(),
            version: version.strip_suffix('}')?.parse().ok()?,
            parts: Some((facts, rules)),
        })
    }

    pub fn programme(&self) -> &str {
        &self.programme
    }

    pub fn version(&self) -> u32 {
        self.version
    }

    /// Reads the decision: decides the receipt's facts again with the programme, and compares
    /// everything.
    ///
    /// # Errors
    /// If it is not in canonical form, is of another programme, version or document, or some part
    /// of the decision differs.
    pub fn read(&self, programme: &Programme) -> Result<Reading, Mismatch> {
        match self.written_again(programme) {
            Some(reading) => Ok(reading),
            None => read_by_parts(programme, self.json),
        }
    }

    /// The receipt written anew from its own facts and the service's results, if it equals the text
    /// to the byte: then no part differs, and it is as canonical as every receipt that is written.
    fn written_again(&self, programme: &Programme) -> Option<Reading> {
        let (facts, rules) = self.parts?;
        let facts = Facts::from_text(facts)?;
        let decision = programme.decide(&facts);
        let draft = Draft::new(&facts, &decision);
        let system = rules.strip_prefix(&draft.rules)?;
        let system = format!("[{}]", system.strip_prefix(',').unwrap_or(system));
        let system: Vec<SystemRule<'_>> = serde_json::from_str(&system).ok()?;
        let system = system.into_iter().map(|rule| rule.read(programme).ok());
        let system = system.collect::<Option<Vec<_>>>()?;
        let (again, outcome) = draft.write(programme, &decision, &system);
        (again == self.json).then_some(Reading {
            facts,
            decision,
            system,
            outcome,
        })
    }
}

/// Decides the receipt's facts again with the programme and compares everything.
///
/// # Errors
/// As [`read`].
pub fn re_execute(programme: &Programme, receipt_json: &str) -> Result<(), Mismatch> {
    read(programme, receipt_json).map(drop)
}

/// [`open`] and [`Opened::read`] in one.
///
/// # Errors
/// As these two.
pub fn read(programme: &Programme, receipt_json: &str) -> Result<Reading, Mismatch> {
    open(receipt_json)?.read(programme)
}

/// As [`Opened::read`], part by part, so that the error names the part that differs.
fn read_by_parts(programme: &Programme, receipt_json: &str) -> Result<Reading, Mismatch> {
    let receipt: Json =
        serde_json::from_str(receipt_json).map_err(|error| Mismatch::Malformed(error.to_string()))?;
    if canonical(&receipt) != receipt_json {
        return Err(Mismatch::NotCanonical);
    }
    let made_by = [
        part(&receipt, "programme")?,
        part(&receipt, "version")?,
        part(&receipt, "programme_hash")?,
    ];
    let ours = [
        json!(programme.id()),
        json!(programme.version()),
        json!(programme.hash()),
    ];
    if !made_by.into_iter().eq(&ours) {
        return Err(Mismatch::OtherProgramme {
            expected: ours.map(|it| it.to_string()).join(" "),
            found: made_by.map(Json::to_string).join(" "),
        });
    }
    let facts = Facts::from_json(part(&receipt, "facts")?)?;
    let rules = part(&receipt, "rules")?
        .as_array()
        .ok_or_else(|| malformed("`rules` is not a list"))?;
    let decision = programme.decide(&facts);
    let system = rules
        .iter()
        .skip(decision.rules.len())
        .map(|rule| {
            let rule =
                SystemRule::deserialize(rule).map_err(|error| Mismatch::Malformed(error.to_string()))?;
            rule.read(programme)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let outcome = programme.outcome(&decision, &system);
    compare(&receipt, &body(programme, &facts, &decision, &system, outcome))?;
    Ok(Reading {
        facts,
        decision,
        system,
        outcome,
    })
}

fn body(
    programme: &Programme,
    facts: &Facts,
    decision: &Decision,
    system: &[RuleOutcome],
    outcome: Outcome,
) -> Json {
    json!({
        "programme": programme.id(),
        "version": programme.version(),
        "programme_hash": programme.hash(),
        "facts": facts.to_json(),
        "rules": decision.rules.iter().chain(system).map(rule).collect::<Vec<_>>(),
        "outcome": outcome.as_str(),
        "subsidy": decision.price.as_ref().map(subsidy),
    })
}

fn rule(outcome: &RuleOutcome) -> Json {
    let facts: Map<String, Json> = outcome
        .facts
        .iter()
        .map(|(path, value)| (path.to_owned(), value.to_json()))
        .collect();
    json!({ "id": &*outcome.id, "outcome": outcome.outcome.as_str(), "facts": facts })
}

fn subsidy(price: &Price) -> Json {
    let plain = |number: Decimal| number.to_string();
    json!({
        "base": plain(price.base),
        "rate": price.rate.map(plain),
        "uncapped": plain(price.uncapped),
        "amount": plain(price.amount),
    })
}

/// A rule that the service decided, as a receipt holds it.
#[derive(Deserialize)]
struct SystemRule<'r> {
    #[serde(borrow)]
    facts: BTreeMap<Cow<'r, str>, Given<'r>>,
    #[serde(borrow)]
    id: Cow<'r, str>,
    #[serde(borrow)]
    outcome: Cow<'r, str>,
}

impl SystemRule<'_> {
    fn read(self, programme: &Programme) -> Result<RuleOutcome, Mismatch> {
        let id = &self.id;
        let text = programme
            .system_rule(id)
            .ok_or_else(|| Mismatch::Malformed(format!("the document has no rule `{id}`")))?;
        let result = RuleResult::parse(&self.outcome)
            .ok_or_else(|| Mismatch::Malformed(format!("rule `{id}` has no outcome")))?;
        let mut outcome = RuleOutcome {
            id: Arc::clone(&text.id),
            outcome: result,
            facts: FactsRead::default(),
            missing: Vec::new(),
        };
        for (name, given) in self.facts {
            let value = match given {
                Given::Bool(answer) => Value::Bool(answer),
                Given::Text(text) => Value::Text(text.into_owned()),
            };
            outcome.facts.insert(name.into_owned(), value);
        }
        Ok(outcome)
    }
}

fn compare(receipt: &Json, again: &Json) -> Result<(), Mismatch> {
    for name in ["facts", "outcome", "subsidy"] {
        same(name, part(receipt, name)?, part(again, name)?)?;
    }
    let (theirs, ours) = (part(receipt, "rules")?, part(again, "rules")?);
    let (Some(theirs), Some(ours)) = (theirs.as_array(), ours.as_array()) else {
        return Err(malformed("`rules` is not a list"));
    };
    for (index, ours) in ours.iter().enumerate() {
        let id = ours.get("id").and_then(Json::as_str).unwrap_or_default();
        let part = format!("rules.{id}");
        let theirs = theirs.get(index).unwrap_or(&Json::Null);
        same(&part, theirs, ours)?;
    }
    if receipt.as_object().map(Map::len) != again.as_object().map(Map::len) {
        return Err(malformed("it has other members than a receipt"));
    }
    Ok(())
}

fn same(part: &str, receipt: &Json, again: &Json) -> Result<(), Mismatch> {
    if receipt == again {
        return Ok(());
    }
    Err(Mismatch::Differs {
        part: part.to_owned(),
        receipt: receipt.to_string(),
        again: again.to_string(),
    })
}

fn part<'j>(receipt: &'j Json, name: &str) -> Result<&'j Json, Mismatch> {
    receipt
        .get(name)
        .ok_or_else(|| Mismatch::Malformed(format!("it has no `{name}`")))
}

fn malformed(what: &str) -> Mismatch {
    Mismatch::Malformed(what.to_owned())
}

/// RFC 8785. A `Json` always has a canonical form; if that ever changed, an empty receipt would
/// match nothing.
fn canonical(json: &Json) -> String {
    serde_jcs::to_string(json).unwrap_or_default()
}

#[cfg(test)]
mod tests;
