//! Compares the tables of a county's database with its log.

use std::collections::HashMap;
use std::io::{BufReader, Read};

use compact_str::CompactString;
use ledger::{Account, Balances};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::acts::{self, Granted};
use super::{County, Fault};
use crate::line::{AppropriationLine, CapLine, ClaimLine, DisbursementLine, FundLine};

/// A line of a table, and the key that the table is sorted by.
pub(super) trait Row: DeserializeOwned {
    type Key: Ord;

    fn key(&self) -> Self::Key;
}

impl Row for FundLine {
    type Key = String;
    fn key(&self) -> String {
        self.programme.clone()
    }
}

impl Row for CapLine {
    type Key = String;
    fn key(&self) -> String {
        format!("{} {}", self.programme, self.scope)
    }
}

impl Row for AppropriationLine {
    type Key = Uuid;
    fn key(&self) -> Uuid {
        self.id
    }
}

impl Row for DisbursementLine {
    type Key = Uuid;
    fn key(&self) -> Uuid {
        self.id
    }
}

impl Row for ClaimLine {
    type Key = Uuid;
    fn key(&self) -> Uuid {
        self.claim
    }
}

/// A part that is a table, read line by line. Sorting makes two lines of one record impossible.
pub(super) struct Table<'n, R: Read, T: Row> {
    name: &'n str,
    reader: BufReader<R>,
    lines: usize,
    last: Option<T::Key>,
}

impl<'n, R: Read, T: Row> Table<'n, R, T> {
    pub(super) fn new(name: &'n str, content: R) -> Self {
        Table {
            name,
            reader: BufReader::with_capacity(1 << 20, content),
            lines: 0,
            last: None,
        }
    }

    fn next(&mut self) -> Result<Option<T>, Fault> {
        let Some(line) = super::reading::line(self.name, &mut self.reader)? else {
            return Ok(None);
        };
        self.lines = self.lines.saturating_add(1);
        let line: T = serde_json::from_slice(&line)
            .map_err(|_| self.fault("", "it is not the JSON that belongs there"))?;
        let key = line.key();
        if self.last.as_ref().is_some_and(|last| *last >= key) {
            return Err(self.fault("", "it stands twice, or out of order"));
        }
        self.last = Some(key);
        Ok(Some(line))
    }

    /// Of the line that was read last.
    fn fault(&self, thing: &str, what: impl Into<String>) -> Fault {
        let (name, line) = (self.name, self.lines);
        match thing {
            "" => Fault::new(format!("{name} line {line}"), what),
            thing => Fault::new(format!("{name} line {line}, {thing}"), what),
        }
    }

    /// For a record without a line.
    fn missing(&self, what: String) -> Fault {
        Fault::new(self.name, what)
    }
}

pub(super) fn funds(county: &mut County, mut table: Table<'_, impl Read, FundLine>) -> Result<(), Fault> {
    let mut moved = county.ledger.funds.clone();
    while let Some(line) = table.next()? {
        let Some(balances) = moved.remove(&line.programme) else {
            return Err(table.fault(&line.programme, "nothing ever moved in this fund"));
        };
        let said = [
            (Account::Appropriated, line.appropriated),
            (Account::Available, line.available),
            (Account::Reserved, line.reserved),
            (Account::Payable, line.payable),
            (Account::InPayment, line.in_payment),
            (Account::Disbursed, line.disbursed),
            (Account::Recoverable, line.recoverable),
            (Account::Advanced, line.advanced),
        ];
        for (account, said) in said {
            let folded = balances.get(account).get();
            if folded != said {
                return Err(table.fault(
                    &format!("{} {}", line.programme, account.as_str()),
                    format!("{said} fen are said to stand there, its transfers make {folded}"),
                ));
            }
        }
    }
    county.report.funds = table.lines;
    // A fund that is empty again has no line.
    let empty = |balances: &Balances| {
        Account::ALL
            .into_iter()
            .all(|account| balances.get(account).is_zero())
    };
    moved.retain(|_, balances| !empty(balances));
    match moved.keys().next() {
        None => Ok(()),
        Some(programme) => Err(table.missing(format!("the fund of {programme} is missing"))),
    }
}

/// Checks a county's own caps; returns the city's.
pub(super) fn caps(
    county: &mut County,
    mut table: Table<'_, impl Read, CapLine>,
) -> Result<Vec<(String, CapLine)>, Fault> {
    let jurisdiction = county.manifest.jurisdiction.clone();
    let mut known: HashMap<(String, String), (i64, i64)> = county
        .ledger
        .slices
        .caps()
        .map(|(programme, scope, ceiling, committed)| {
            ((programme.to_owned(), scope.to_owned()), (ceiling, committed))
        })
        .collect();
    // A jurisdiction without claims of its own counts those of others.
    let of_others = county.ledger.claims.is_empty();
    let mut city = Vec::new();
    while let Some(line) = table.next()? {
        let fault = |what: String| table.fault(&line.key(), what);
        let Some((ceiling, committed)) = known.remove(&(line.programme.clone(), line.scope.clone())) else {
            return Err(fault("nobody signed this cap".into()));
        };
        if ceiling != line.ceiling {
            return Err(fault(format!(
                "it is said to be {} fen, {ceiling} were signed",
                line.ceiling
            )));
        }
        if of_others {
            city.push((jurisdiction.clone(), line));
        } else if committed != line.committed {
            return Err(fault(format!(
                "{} fen are said to be committed, its claims make {committed}",
                line.committed
            )));
        }
    }
    county.report.caps = table.lines;
    match known.keys().next() {
        None => Ok(city),
        Some((programme, scope)) => Err(table.missing(format!("the cap {programme} {scope} is missing"))),
    }
}

pub(super) fn appropriations(
    county: &mut County,
    mut table: Table<'_, impl Read, AppropriationLine>,
) -> Result<(), Fault> {
    let jurisdiction = &county.manifest.jurisdiction;
    let of_grants = format!("apr_{jurisdiction}_");
    let pairs = &county.ledger.acts.pairs;
    let known = pairs
        .keys()
        .filter(|subject| subject.starts_with(&of_grants))
        .count();
    while let Some(line) = table.next()? {
        let fault = |what: String| table.fault(&line.id.simple().to_string(), what);
        let Some(pair) = pairs.get(&format!("{of_grants}{}", line.id.simple())) else {
            return Err(fault("nobody signed this grant".into()));
        };
        let signed: Granted = acts::detail(Some(&pair.detail)).map_err(fault)?;
        let amount = acts::fen(&signed.amount).map_err(fault)?;
        let said = (line.amount, &line.document, &line.programme, &line.source);
        if said != (amount, &signed.document, &signed.programme, &signed.source) {
            return Err(fault("it is not what was signed".into()));
        }
        if line.maker != pair.maker || line.checker != pair.checker {
            return Err(fault("other persons signed it".into()));
        }
    }
    county.report.appropriations = table.lines;
    if table.lines == known {
        Ok(())
    } else {
        Err(table.missing(format!("{known} grants were signed, {} are here", table.lines)))
    }
}

pub(super) fn disbursements(
    county: &mut County,
    mut table: Table<'_, impl Read, DisbursementLine>,
) -> Result<(), Fault> {
    let mut payouts: HashMap<Uuid, _> = county
        .ledger
        .acts
        .payouts
        .iter()
        .map(|(id, it)| (*id, it))
        .collect();
    while let Some(line) = table.next()? {
        let fault = |what: String| table.fault(&line.id.simple().to_string(), what);
        let Some(payout) = payouts.remove(&line.id) else {
            return Err(fault("nobody made this payout".into()));
        };
        if (line.claims, line.total) != (payout.claims, payout.fen) {
            return Err(fault(format!(
                "{} claims and {} fen are said to be in it, its transfers make {} and {}",
                line.claims, line.total, payout.claims, payout.fen
            )));
        }
        let kept = line.payments.iter().map(|it| [it.amount, it.netted, it.set_off]);
        let kept = kept.flatten().fold(0_i64, i64::saturating_add);
        if kept != line.total {
            return Err(fault(format!(
                "its payments sum up to {kept} fen with what was kept back, and it is of {}",
                line.total
            )));
        }
        let Some(released) = &payout.released else {
            if line.digest.is_some() {
                return Err(fault("it has an instruction and was not released".into()));
            }
            continue;
        };
        if released.digest != line.digest {
            return Err(fault("its instruction is not the one that was released".into()));
        }
        if i64::try_from(line.payments.len()).ok() != Some(released.payments) {
            return Err(fault(format!(
                "{} payments were released, {} are here",
                released.payments,
                line.payments.len()
            )));
        }
    }
    county.report.disbursements = table.lines;
    match payouts.keys().next() {
        None => Ok(()),
        Some(id) => Err(table.missing(format!("the payout {} is missing", id.simple()))),
    }
}

/// The holder of a key: a claim of a county.
pub(super) type Held = HashMap<[u8; 17], (CompactString, Uuid)>;

/// A key in hexadecimal digits.
fn as_text(key: &[u8; 17]) -> [u8; 34] {
    let mut text = [0; 34];
    // Both have the same length.
    hex::encode_to_slice(key, &mut text).unwrap_or_default();
    text
}

pub(super) fn claims(
    county: &mut County,
    mut table: Table<'_, impl Read, ClaimLine>,
    held: &mut Held,
) -> Result<(), Fault> {
    let jurisdiction = &county.manifest.jurisdiction;
    let lives = &county.ledger.claims;
    while let Some(line) = table.next()? {
        let fault = |what: String| table.fault(&format!("claim {}", line.claim.simple()), what);
        let Some(life) = lives.get(&line.claim) else {
            return Err(fault("nothing was decided on it".into()));
        };
        let status = life.status.map_or("", claims::life_cycle::Status::as_str);
        if line.status != status || line.revision != life.revision || line.programme != life.programme {
            return Err(fault(format!(
                "it is said to be {} at revision {}, and what was done makes it {status} at {}",
                line.status, line.revision, life.revision
            )));
        }
        if line.committed != (life.committed > 0) {
            return Err(fault(
                "whether its money counts is not as its transfers say".into(),
            ));
        }
        if line.committed && line.category != life.counted.as_ref().map_or("", |it| it.0.as_str()) {
            return Err(fault("its money counts in another category".into()));
        }
        let mut keys = life.keys.clone();
        keys.sort_unstable();
        if !keys
            .iter()
            .map(as_text)
            .eq(line.keys.iter().map(|key| key.as_bytes()))
        {
            return Err(fault("it holds other keys than it was decided with".into()));
        }
        for key in &life.keys {
            let holder = (jurisdiction.as_str().into(), line.claim);
            if let Some((county, other)) = held.insert(*key, holder) {
                return Err(fault(format!(
                    "it holds what claim {county} {} holds (key {})",
                    other.simple(),
                    hex::encode(key)
                )));
            }
        }
    }
    if table.lines == lives.len() {
        Ok(())
    } else {
        Err(table.missing(format!(
            "{} claims were decided, {} are here",
            lives.len(),
            table.lines
        )))
    }
}
