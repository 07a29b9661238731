//! Checks of a single leaf: it is parsed and hashed, and a decision is made again.

use std::collections::BTreeMap;

use compact_str::CompactString;
use ledger::log::Hash;
use ledger::{Fen, Reason};
use policy::Programme;
use policy::receipt::Mismatch;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::line::{DecisionRead, EventLine, TransferLine};

/// By id and version.
pub(crate) type Programmes = BTreeMap<String, BTreeMap<u32, Programme>>;

/// A leaf, parsed and hashed; a decision has been made again.
pub(crate) struct Entry {
    pub(crate) leaf: u64,
    pub(crate) hash: Hash,
    pub(super) what: What,
}

pub(super) enum What {
    Transfer {
        height: i64,
        programme: CompactString,
        reason: Reason,
        amount: Fen,
        claim: Option<Uuid>,
        document: Option<Uuid>,
        posted_at: i64,
    },
    Decision {
        claim: Uuid,
        revision: i64,
        outcome: CompactString,
        programme: CompactString,
        category: CompactString,
        price: Option<i64>,
        keys: Vec<[u8; 17]>,
        at: i64,
    },
    Event {
        subject: Subject,
        verb: CompactString,
        person: CompactString,
        at: i64,
        revision: Option<i64>,
        from: Option<CompactString>,
        to: Option<CompactString>,
        detail: Option<String>,
    },
}

/// The object of an act.
pub(super) enum Subject {
    /// A claim of the county's own.
    Claim(Uuid),
    Other(String),
}

impl Subject {
    fn read(jurisdiction: &str, subject: &str) -> Subject {
        let claim = subject
            .strip_prefix("clm_")
            .and_then(|it| it.strip_prefix(jurisdiction));
        let claim = claim.and_then(|it| Uuid::try_parse(it.strip_prefix('_')?).ok());
        match claim {
            Some(claim) => Subject::Claim(claim),
            None => Subject::Other(subject.to_owned()),
        }
    }
}

/// The kind of a line's leaf, which stands after its number.
fn kind(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(br#"{"leaf":"#)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = rest.get(digits..)?.strip_prefix(br#","kind":""#)?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    rest.get(..end)
}

impl Entry {
    pub(crate) fn read(jurisdiction: &str, line: &[u8], programmes: &Programmes) -> Result<Entry, String> {
        const NOT_A_LEAF: &str = "it is not the JSON of a leaf";
        let wrong = |_| NOT_A_LEAF.to_owned();
        let line = std::str::from_utf8(line).map_err(|_| NOT_A_LEAF)?;
        match kind(line.as_bytes()) {
            Some(b"transfer") => {
                let it: TransferLine<'_> = serde_json::from_str(line).map_err(wrong)?;
                Ok(Entry {
                    leaf: it.leaf,
                    hash: it.as_leaf(jurisdiction).hash(),
                    what: What::Transfer {
                        height: it.height,
                        reason: Reason::parse(&it.reason)
                            .ok_or_else(|| format!("`{}` is no reason", it.reason))?,
                        amount: Fen::new(it.amount).map_err(|why| why.to_string())?,
                        claim: it.claim,
                        document: it.document,
                        posted_at: it.posted_at.0,
                        programme: it.programme.into(),
                    },
                })
            }
            Some(b"decision") => {
                let (line, receipt) = DecisionRead::split(line).ok_or(NOT_A_LEAF)?;
                let it = serde_json::from_str(&line).map_err(wrong)?;
                decision(jurisdiction, &it, receipt, programmes)
            }
            Some(b"event") => {
                let it: EventLine<'_> = serde_json::from_str(line).map_err(wrong)?;
                Ok(Entry {
                    leaf: it.leaf,
                    hash: it.as_leaf(jurisdiction).hash(),
                    what: What::Event {
                        at: it.at.0,
                        revision: it.revision,
                        subject: Subject::read(jurisdiction, &it.subject),
                        verb: it.verb.into(),
                        person: it.person.into(),
                        from: it.from.map(Into::into),
                        to: it.to.map(Into::into),
                        detail: it.detail.map(Into::into),
                    },
                })
            }
            _ => Err(NOT_A_LEAF.into()),
        }
    }

    /// The name by which a person finds the record.
    pub(crate) fn name(&self) -> String {
        match &self.what {
            What::Transfer { height, .. } => format!("transfer {height}"),
            What::Decision { claim, revision, .. } => {
                format!("decision {revision} on claim {}", claim.simple())
            }
            What::Event { subject, verb, .. } => match subject {
                Subject::Claim(id) => format!("{verb} of claim {}", id.simple()),
                Subject::Other(subject) => format!("{verb} of {subject}"),
            },
        }
    }
}

/// Decides a receipt again by its version of the programme.
fn decision(
    jurisdiction: &str,
    it: &DecisionRead<'_>,
    receipt: &str,
    programmes: &Programmes,
) -> Result<Entry, String> {
    let keys = it.key_bytes().ok_or("its keys are damaged")?;
    let digest: [u8; 32] = Sha256::digest(receipt.as_bytes()).into();
    let hash = it.as_leaf(jurisdiction, digest, &keys).hash();
    let why = |why: Mismatch| format!("its receipt: {why}");
    let opened = policy::receipt::open(receipt).map_err(why)?;
    let (id, version) = (opened.programme(), opened.version());
    let programme = programmes.get(id).and_then(|versions| versions.get(&version));
    let programme = programme.ok_or_else(|| format!("version {version} of {id} is not in the bundle"))?;
    let reading = opened.read(programme).map_err(why)?;
    if reading.outcome.as_str() != it.outcome {
        return Err(format!(
            "it says {}, and its receipt {}",
            it.outcome,
            reading.outcome.as_str()
        ));
    }
    let price = match &reading.decision.price {
        Some(price) => Some(
            Fen::from_decimal(price.amount)
                .map_err(|why| why.to_string())?
                .get(),
        ),
        None => None,
    };
    let category = reading.facts.text(policy::schema::ITEM_CATEGORY);
    Ok(Entry {
        leaf: it.leaf,
        hash,
        what: What::Decision {
            claim: it.claim,
            revision: it.revision,
            outcome: it.outcome.as_ref().into(),
            programme: id.into(),
            category: category.unwrap_or_default().into(),
            price,
            keys: keys.as_chunks::<17>().0.to_vec(),
            at: it.decided_at.0,
        },
    })
}
