//! The tables of a county as its database has them, against what its log makes of them.

use std::collections::HashMap;

use ledger::{Account, Balances};
use uuid::Uuid;

use super::{County, Fault};
use crate::line::{AppropriationLine, CapLine, ClaimLine, DisbursementLine, FundLine};

type Lines<T> = Vec<(String, T)>;

pub(super) fn funds(name: &str, county: &mut County, lines: Lines<FundLine>) -> Result<(), Fault> {
    let mut moved = county.ledger.funds.clone();
    county.report.funds = lines.len();
    for (place, line) in lines {
        let Some(balances) = moved.remove(&line.programme) else {
            return Err(Fault::new(
                format!("{place}, {}", line.programme),
                "nothing ever moved in this fund, or it stands here twice",
            ));
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
                return Err(Fault::new(
                    format!("{place}, {} {}", line.programme, account.as_str()),
                    format!("{said} fen are said to stand there, its transfers make {folded}"),
                ));
            }
        }
    }
    // A fund that is empty again has no line.
    let empty = |balances: &Balances| {
        Account::ALL
            .into_iter()
            .all(|account| balances.get(account).is_zero())
    };
    moved.retain(|_, balances| !empty(balances));
    match moved.keys().next() {
        None => Ok(()),
        Some(programme) => Err(Fault::new(name, format!("the fund of {programme} is missing"))),
    }
}

/// Checks a county's own caps; hands back the city's.
pub(super) fn caps(
    name: &str,
    county: &mut County,
    lines: Lines<CapLine>,
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
    // A place without claims of its own counts those of others.
    let of_others = county.ledger.claims.is_empty();
    let mut city = Vec::new();
    county.report.caps = lines.len();
    for (place, line) in lines {
        let place = format!("{place}, {} {}", line.programme, line.scope);
        let Some((ceiling, committed)) = known.remove(&(line.programme.clone(), line.scope.clone())) else {
            return Err(Fault::new(place, "nobody signed this cap"));
        };
        if ceiling != line.ceiling {
            return Err(Fault::new(
                place,
                format!("it is said to be {} fen, {ceiling} were signed", line.ceiling),
            ));
        }
        if of_others {
            city.push((jurisdiction.clone(), line));
        } else if committed != line.committed {
            return Err(Fault::new(
                place,
                format!(
                    "{} fen are said to be committed, its claims make {committed}",
                    line.committed
                ),
            ));
        }
    }
    match known.keys().next() {
        None => Ok(city),
        Some((programme, scope)) => Err(Fault::new(
            name,
            format!("the cap {programme} {scope} is missing"),
        )),
    }
}

pub(super) fn appropriations(
    name: &str,
    county: &mut County,
    lines: Lines<AppropriationLine>,
) -> Result<(), Fault> {
    let jurisdiction = &county.manifest.jurisdiction;
    county.report.appropriations = lines.len();
    let of_grants = format!("apr_{jurisdiction}_");
    let pairs = &county.ledger.acts.pairs;
    let known = pairs
        .keys()
        .filter(|subject| subject.starts_with(&of_grants))
        .count();
    for (place, line) in &lines {
        let place = || format!("{place}, {}", line.id.simple());
        let Some(pair) = pairs.get(&format!("{of_grants}{}", line.id.simple())) else {
            return Err(Fault::new(place(), "nobody signed this grant"));
        };
        let signed = serde_json::json!({
            "amount": ledger::Fen::new(line.amount).map(|it| it.to_string()).unwrap_or_default(),
            "document": line.document,
            "programme": line.programme,
            "source": line.source,
        })
        .to_string();
        if signed != pair.detail {
            return Err(Fault::new(place(), "it is not what was signed"));
        }
        if line.maker != pair.maker || line.checker != pair.checker {
            return Err(Fault::new(place(), "other persons signed it"));
        }
    }
    if lines.len() == known {
        Ok(())
    } else {
        Err(Fault::new(
            name,
            format!("{known} grants were signed, {} are here", lines.len()),
        ))
    }
}

pub(super) fn disbursements(
    name: &str,
    county: &mut County,
    lines: Lines<DisbursementLine>,
) -> Result<(), Fault> {
    county.report.disbursements = lines.len();
    let mut payouts: HashMap<Uuid, _> = county
        .ledger
        .acts
        .payouts
        .iter()
        .map(|(id, it)| (*id, it))
        .collect();
    for (place, line) in lines {
        let place = format!("{place}, {}", line.id.simple());
        let Some(payout) = payouts.remove(&line.id) else {
            return Err(Fault::new(place, "nobody made this payout"));
        };
        if (line.claims, line.total) != (payout.claims, payout.fen) {
            return Err(Fault::new(
                place,
                format!(
                    "{} claims and {} fen are said to be in it, its transfers make {} and {}",
                    line.claims, line.total, payout.claims, payout.fen
                ),
            ));
        }
        let told = line.payments.iter().map(|it| [it.amount, it.netted, it.set_off]);
        let told = told.flatten().fold(0_i64, i64::saturating_add);
        if told != line.total {
            return Err(Fault::new(
                place,
                format!(
                    "its payments sum up to {told} fen with what was kept back, and it is of {}",
                    line.total
                ),
            ));
        }
        let Some(released) = &payout.released else {
            if line.digest.is_some() {
                return Err(Fault::new(place, "it has an instruction and was not released"));
            }
            continue;
        };
        if released.digest != line.digest {
            return Err(Fault::new(
                place,
                "its instruction is not the one that was released",
            ));
        }
        if i64::try_from(line.payments.len()).ok() != Some(released.payments) {
            return Err(Fault::new(
                place,
                format!(
                    "{} payments were released, {} are here",
                    released.payments,
                    line.payments.len()
                ),
            ));
        }
    }
    match payouts.keys().next() {
        None => Ok(()),
        Some(id) => Err(Fault::new(name, format!("the payout {} is missing", id.simple()))),
    }
}

pub(super) fn claims(
    name: &str,
    county: &mut County,
    lines: Lines<ClaimLine>,
    held: &mut HashMap<[u8; 17], String>,
) -> Result<(), Fault> {
    let jurisdiction = &county.manifest.jurisdiction;
    let lives = &county.ledger.claims;
    if lines.len() != lives.len() {
        return Err(Fault::new(
            name,
            format!("{} claims were decided, {} are here", lives.len(), lines.len()),
        ));
    }
    let mut last = None;
    for (place, line) in lines {
        let place = format!("{place}, claim {}", line.claim.simple());
        if last.is_some_and(|last| last >= line.claim) {
            return Err(Fault::new(place, "claims are not in order"));
        }
        last = Some(line.claim);
        let Some(life) = lives.get(&line.claim) else {
            return Err(Fault::new(place, "nothing was decided on it"));
        };
        let status = life.status.map_or("", claims::life_cycle::Status::as_str);
        let revision = line.revision == life.revision || life.may_skip(line.revision);
        if line.status != status || !revision || line.programme != life.programme {
            return Err(Fault::new(
                place,
                format!(
                    "it is said to be {} at revision {}, and what was done makes it {status} at {}",
                    line.status, line.revision, life.revision
                ),
            ));
        }
        if line.committed != (life.committed > 0) {
            return Err(Fault::new(
                place,
                "whether its money counts is not as its transfers say",
            ));
        }
        if line.committed && line.category != life.counted.as_ref().map_or("", |it| it.0.as_str()) {
            return Err(Fault::new(place, "its money counts in another category"));
        }
        let mut keys: Vec<String> = life.keys.iter().map(hex::encode).collect();
        keys.sort_unstable();
        if keys != line.keys {
            return Err(Fault::new(place, "it holds other keys than it was decided with"));
        }
        for key in &life.keys {
            if let Some(other) = held.insert(*key, format!("{jurisdiction} {}", line.claim.simple())) {
                return Err(Fault::new(
                    place,
                    format!("it holds what claim {other} holds (key {})", hex::encode(key)),
                ));
            }
        }
    }
    Ok(())
}
