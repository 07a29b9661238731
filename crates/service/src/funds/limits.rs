//! Between the rows of funds and caps and what `claims::allocate` knows of them.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Utc};
use claims::allocate::{Limit, LimitKey, Scope, State};
use claims::identifiers::ProgrammeId;
use claims::jurisdictions::JurisdictionCode;
use ledger::Fen;
use store::Tx;
use store::claims::ClaimRow;
use store::funds::{CapRow, FundRow, Head, LimitChange, LockedLimits};
use store::operation::EventRow;

use super::Funds;
use crate::catalogue::Catalogue;
use crate::operation::convert::{distinct, fen};
use crate::operation::{Actor, ServiceError, events};
use timing::shanghai;

/// A waiting claim waits for another limit, which the event's reason names. Its status and the time it changed stay.
pub(crate) const WAIT_FOR: &str = "wait_for";

/// Changes of counters by jurisdiction, programme and scope; the fund's own scope is empty.
pub(crate) type LimitChanges = BTreeMap<(String, String, String), LimitChange>;

/// `yyyy-mm` in Asia/Shanghai: the slice of time a reservation made now counts in.
pub(crate) fn month_of(now: DateTime<Utc>) -> String {
    let local = shanghai::local(now);
    format!("{:04}-{:02}", local.year(), local.month())
}

/// A scope as the `caps` table spells it; empty for the fund itself.
pub(crate) fn scope_text(scope: &Scope) -> String {
    match scope {
        Scope::Fund => String::new(),
        Scope::County => "whole".into(),
        Scope::Category(category) => format!("category:{category}"),
        Scope::Month { year, month } => format!("month:{year:04}-{month:02}"),
    }
}

pub(crate) fn parse_scope(text: &str) -> Option<Scope> {
    match text.split_once(':') {
        None if text.is_empty() => Some(Scope::Fund),
        None if text == "whole" => Some(Scope::County),
        Some(("category", category)) if !category.is_empty() => Some(Scope::Category(category.to_owned())),
        Some(("month", month)) => {
            let (year, month) = month.split_once('-')?;
            let month = month.parse().ok().filter(|month| (1..=12).contains(month))?;
            Some(Scope::Month {
                year: year.parse().ok()?,
                month,
            })
        }
        _ => None,
    }
}

/// How a claim remembers which limit it waits for: jurisdiction and scope.
pub(crate) fn waits_for_text(key: &LimitKey) -> String {
    format!("{}/{}", key.jurisdiction.as_str(), scope_text(&key.scope))
}

pub(crate) fn parse_waits_for(text: &str, programme: &str) -> Result<LimitKey, ServiceError> {
    let unreadable = || ServiceError::bug("unreadable limit");
    let (jurisdiction, scope) = text.split_once('/').ok_or_else(unreadable)?;
    limit_key(jurisdiction, programme, scope)
}

pub(crate) fn limit_key(jurisdiction: &str, programme: &str, scope: &str) -> Result<LimitKey, ServiceError> {
    Ok(LimitKey {
        jurisdiction: JurisdictionCode::parse(jurisdiction)
            .map_err(|_| ServiceError::bug("unreadable county"))?,
        programme: ProgrammeId::parse(programme).map_err(|_| ServiceError::bug("unreadable programme"))?,
        scope: parse_scope(scope).ok_or_else(|| ServiceError::bug("unreadable scope"))?,
    })
}

/// Locks the books of these funds in the one order: ledgers, funds, caps.
pub(crate) async fn lock(
    tx: &mut Tx,
    catalogue: &Catalogue,
    funds: impl IntoIterator<Item = (String, String)>,
) -> Result<Books, ServiceError> {
    let (counties, programmes): (Vec<_>, Vec<_>) = funds.into_iter().unzip();
    let (counties, programmes) = (distinct(counties), distinct(programmes));
    let city = catalogue.cities_of(&counties);
    Books::new(tx.lock_limits(&counties, &city, &programmes).await?)
}

/// Funds and caps as the allocation sees them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Books {
    pub(crate) limits: BTreeMap<LimitKey, Limit>,
    /// Of the counties' logs, if they are locked.
    pub(crate) heads: Vec<Head>,
}

impl Books {
    pub(crate) fn new(locked: LockedLimits) -> Result<Self, ServiceError> {
        let mut books = Self {
            heads: locked.heads,
            ..Self::default()
        };
        for fund in &locked.funds {
            books.add_fund(fund)?;
        }
        for cap in &locked.caps {
            books.add_cap(cap)?;
        }
        Ok(books)
    }

    pub(crate) fn add_fund(&mut self, row: &FundRow) -> Result<(), ServiceError> {
        let key = limit_key(&row.jurisdiction, &row.programme, "")?;
        self.limits
            .insert(key, Limit::fund(fen(row.available)?, count(row.waiting)));
        Ok(())
    }

    pub(crate) fn add_cap(&mut self, row: &CapRow) -> Result<(), ServiceError> {
        let key = limit_key(&row.jurisdiction, &row.programme, &row.scope)?;
        self.limits.insert(
            key,
            Limit::cap(Some(fen(row.ceiling)?), fen(row.committed)?, count(row.waiting)),
        );
        Ok(())
    }

    /// The fund and every cap there is that a claim of this county, category and month counts against.
    pub(crate) fn touched(
        &self,
        catalogue: &Catalogue,
        county: &str,
        programme: &str,
        category: &str,
        month: &str,
    ) -> Result<Vec<LimitKey>, ServiceError> {
        let mut keys = vec![limit_key(county, programme, "")?];
        let mut places = catalogue.cities_of(&[county.to_owned()]);
        places.push(county.to_owned());
        for place in &places {
            for scope in [
                "whole".to_owned(),
                format!("category:{category}"),
                format!("month:{month}"),
            ] {
                let key = limit_key(place, programme, &scope)?;
                if self.limits.contains_key(&key) {
                    keys.push(key);
                }
            }
        }
        Ok(keys)
    }

    pub(crate) fn state(&self) -> State {
        State {
            limits: self.limits.clone(),
            ..State::default()
        }
    }

    /// Takes the money of a claim that counts already out of the limits it counts in, as if it had never counted.
    pub(crate) fn forget(&mut self, keys: &[LimitKey], amount: Fen) {
        for key in keys {
            if let Some(limit) = self.limits.get_mut(key) {
                if key.scope == Scope::Fund {
                    limit.limit = limit.limit.map(|left| left.saturating_add(amount));
                } else {
                    limit.committed = limit.committed.saturating_sub(amount);
                }
            }
        }
    }
}

/// Adds a claim's money to (or, negative, takes it from) the caps it counts in. The fund's own accounts move by transfers.
pub(crate) fn commit(changes: &mut LimitChanges, keys: &[LimitKey], fen: i64) {
    for key in keys.iter().filter(|key| key.scope != Scope::Fund) {
        let change = changes.entry(change_key(key)).or_default();
        change.committed = change.committed.saturating_add(fen);
    }
}

pub(crate) fn wait(changes: &mut LimitChanges, key: &LimitKey, by: i64) {
    let change = changes.entry(change_key(key)).or_default();
    change.waiting = change.waiting.saturating_add(by);
}

fn change_key(key: &LimitKey) -> (String, String, String) {
    (
        key.jurisdiction.as_str().to_owned(),
        key.programme.as_str().to_owned(),
        scope_text(&key.scope),
    )
}

/// The caps and fund that a recorded claim's money counts in.
pub(crate) fn touched_by(
    books: &Books,
    catalogue: &Catalogue,
    row: &ClaimRow,
) -> Result<Vec<LimitKey>, ServiceError> {
    match &row.committed_month {
        Some(month) => {
            let county = row.jurisdiction.as_str();
            books.touched(catalogue, county, &row.programme, &row.category, month)
        }
        None => Ok(Vec::new()),
    }
}

impl Funds {
    /// The event of a waiting claim that waits for another limit than before.
    pub(crate) fn waits_on(&self, row: &ClaimRow, now: DateTime<Utc>) -> EventRow {
        let actor = Actor::system();
        let mut event = events::event(
            self.op.id(now),
            row.jurisdiction.as_str(),
            &row.id().to_string(),
            WAIT_FOR,
            &actor,
            now,
        );
        (event.revision, event.reason) = (Some(row.revision), row.waits_for.clone());
        event.from_status = Some(row.status.to_string());
        event.to_status.clone_from(&event.from_status);
        event
    }
}

fn count(waiting: i64) -> u64 {
    u64::try_from(waiting).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_spelled_one_way() {
        for text in ["", "whole", "category:air_conditioner", "month:2026-05"] {
            assert_eq!(scope_text(&parse_scope(text).unwrap()), text);
        }
        for wrong in [
            "county",
            "category:",
            "month:2026-13",
            "month:202605",
            "week:2026-05",
        ] {
            assert_eq!(parse_scope(wrong), None, "{wrong}");
        }
    }
}
