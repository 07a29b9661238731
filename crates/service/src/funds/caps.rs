//! Ceilings over a fund, over a category or month of it, and over the funds of a whole city: proposed by one person of treasury, set by
//! another.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use claims::allocate::Scope;
use claims::ids::CapChangeId;
use ledger::Fen;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::funds::CapRow;
use store::funds::cap_changes::CapChangeRow;
use store::{Done, Tx};

use super::limits::{self, LimitChanges, parse_scope, scope_text};
use crate::Service;
use crate::operation::access::{ManageFunds, ReadFunds};
use crate::operation::checks::reason;
use crate::operation::convert::{code, fen};
use crate::operation::{Check, Page, Permit, Refusal, ServiceError, events, paging, pending};

/// A ceiling as treasury writes it: `whole`, `category:<category>` or `month:<yyyy-mm>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapSpec {
    pub scope: String,
    /// Yuan, two decimals.
    pub ceiling: String,
}

/// All caps of a fund, replaced: pending until a second person approved it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapChange {
    pub id: String,
    pub programme: String,
    pub jurisdiction: String,
    pub caps: Vec<CapSpec>,
    pub document: String,
    pub status: String,
    pub made_at: DateTime<Utc>,
    pub checked_at: Option<DateTime<Utc>>,
    pub reason: Option<String>,
}

impl Service {
    /// Proposes the complete set of caps over a fund (or, under the city's code, over all counties' funds together).
    pub async fn propose_caps(
        &self,
        permit: &Permit<ManageFunds>,
        programme: &str,
        jurisdiction: &str,
        caps: Vec<(String, Fen)>,
        document: &str,
    ) -> Result<CapChange, ServiceError> {
        permit.within(jurisdiction)?;
        let catalogue = self.catalogue();
        if catalogue.versions(programme).is_empty() || catalogue.jurisdiction(jurisdiction).is_none() {
            return Err(Refusal::NotFound("fund").into());
        }
        let specs = check_scopes(&caps)?;
        let (actor, now) = (permit.actor(), self.clock().now());
        let row = CapChangeRow {
            jurisdiction: jurisdiction.to_owned(),
            id: self.ids().next(now),
            programme: programme.to_owned(),
            caps: serde_json::to_string(&specs).map_err(ServiceError::bug)?,
            document: document.to_owned(),
            status: "pending".into(),
            maker: actor.person.clone(),
            made_at: now,
            checker: None,
            checked_at: None,
            reason: None,
        };
        let made = cap_change(&row)?;
        let mut event = events::event(self, jurisdiction, &made.id, "propose_caps", actor, now);
        event.detail = ceilings(&made);
        self.store()
            .write(async |mut tx| -> Result<_, ServiceError> {
                tx.add_cap_change(&row).await?;
                tx.record_events(std::slice::from_ref(&event)).await?;
                Ok(tx.done(()))
            })
            .await?;
        Ok(made)
    }

    /// A second person's word on caps. Approved, they start from what the claims of each slice have committed; a ceiling
    /// below that is refused.
    pub async fn check_caps(
        &self,
        permit: &Permit<ManageFunds>,
        id: CapChangeId,
        check: Check,
        why: Option<String>,
    ) -> Result<CapChange, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        let why = reason(why, check == Check::Refuse)?;
        let checked = self
            .store()
            .write(|tx| self.check_caps_in(tx, permit, id, check, why.clone()))
            .await?;
        self.serve_called_waitlists().await;
        Ok(checked)
    }

    async fn check_caps_in(
        &self,
        mut tx: Tx,
        permit: &Permit<ManageFunds>,
        id: CapChangeId,
        check: Check,
        why: Option<String>,
    ) -> Result<Done<CapChange>, ServiceError> {
        let (actor, now) = (permit.actor(), self.clock().now());
        let jurisdiction = id.jurisdiction.as_str();
        let counties = self.catalogue().counties_of(jurisdiction);
        let seen = tx
            .cap_change(jurisdiction, id.uuid)
            .await?
            .ok_or(Refusal::NotFound("cap change"))?;
        let funds = counties
            .iter()
            .map(|county| (county.clone(), seen.programme.clone()));
        limits::lock(&mut tx, &self.catalogue(), funds).await?;
        let row = tx.lock_cap_change(jurisdiction, id.uuid).await?;
        let mut row = row.ok_or(Refusal::NotFound("cap change"))?;
        pending("cap change", &row.status, &row.maker, &actor.person)?;
        row.status = check.status().into();
        (row.checker, row.checked_at, row.reason) = (Some(actor.person.clone()), Some(now), why.clone());
        tx.save_cap_change(&row).await?;
        let checked = cap_change(&row)?;
        if check == Check::Approve {
            let funds = counties
                .iter()
                .map(|county| (county.clone(), row.programme.clone()));
            limits::lock(&mut tx, &self.catalogue(), funds).await?;
            let slices = tx.committed_by_slice(&counties, &row.programme).await?;
            let old = tx
                .caps(&[row.jurisdiction.clone()], std::slice::from_ref(&row.programme))
                .await?;
            let waiting: BTreeMap<&str, i64> =
                old.iter().map(|cap| (cap.scope.as_str(), cap.waiting)).collect();
            let caps = new_caps(&row, &checked.caps, &slices, &waiting)?;
            tx.replace_caps(jurisdiction, &row.programme, &caps).await?;
            let gone = old
                .iter()
                .filter(|cap| !caps.iter().any(|it| it.scope == cap.scope));
            self.leave_caps(&mut tx, &counties, &row.programme, gone).await?;
            for county in counties {
                self.call_waitlist(&mut tx, (county, row.programme.clone()), now)
                    .await?;
            }
        }
        let mut event = events::event(self, jurisdiction, &checked.id, "check_caps", actor, now);
        (event.from_status, event.to_status, event.reason) =
            (Some("pending".into()), Some(row.status.clone()), why);
        event.detail = ceilings(&checked);
        tx.record_events(&[event]).await?;
        Ok(tx.done(checked))
    }

    /// Whoever waits for a cap that is gone waits for the fund. The waitlist is called next, but serving it may end before all of them
    /// were looked at.
    async fn leave_caps(
        &self,
        tx: &mut Tx,
        counties: &[String],
        programme: &str,
        gone: impl Iterator<Item = &CapRow>,
    ) -> Result<(), ServiceError> {
        let awaited = gone.filter(|cap| cap.waiting > 0);
        let awaited = awaited.map(|cap| format!("{}/{}", cap.jurisdiction, cap.scope));
        let awaited = awaited.collect::<Vec<_>>();
        let (mut changes, mut events) = (LimitChanges::new(), Vec::new());
        for claim in tx.wait_for_funds(counties, programme, &awaited).await? {
            limits::wait(
                &mut changes,
                &limits::limit_key(&claim.jurisdiction, programme, "")?,
                1,
            );
            events.push(self.waits_on(&claim, self.clock().now())?);
        }
        tx.log_events(&events).await?;
        tx.change_limits(&changes).await?;
        Ok(())
    }

    /// Cap changes of a fund, newest first.
    pub async fn cap_changes(
        &self,
        permit: &Permit<ReadFunds>,
        programme: &str,
        jurisdiction: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<CapChange>, ServiceError> {
        permit.within(jurisdiction)?;
        let before = paging::read(cursor)?;
        let mut conn = self.store().read().await?;
        let rows = conn
            .cap_changes(jurisdiction, programme, before, paging::fetch(limit))
            .await?;
        paging::page(rows, limit, |row| row.id)?.try_map(|row| cap_change(&row))
    }
}

fn check_scopes(caps: &[(String, Fen)]) -> Result<Vec<CapSpec>, Refusal> {
    let mut seen = std::collections::BTreeSet::new();
    let specs = caps.iter().enumerate().map(|(index, (scope, ceiling))| {
        let pointer = format!("/caps/{index}/scope");
        match parse_scope(scope) {
            None | Some(Scope::Fund) => Err(Refusal::field(
                pointer,
                "cap.scope",
                "范围应为 whole、category:<类别> 或 month:<年-月>",
                "a scope is whole, category:<category> or month:<yyyy-mm>",
            )),
            Some(parsed) if !seen.insert(scope_text(&parsed)) => Err(Refusal::field(
                pointer,
                "cap.repeated",
                "同一范围出现两次",
                "the scope stands twice",
            )),
            Some(parsed) => Ok(CapSpec {
                scope: scope_text(&parsed),
                ceiling: ceiling.to_string(),
            }),
        }
    });
    specs.collect()
}

/// The rows of a new set of caps, each starting from what its slice has committed.
fn new_caps(
    change: &CapChangeRow,
    specs: &[CapSpec],
    slices: &[(String, String, i64)],
    waiting: &BTreeMap<&str, i64>,
) -> Result<Vec<CapRow>, ServiceError> {
    let rows = specs.iter().map(|spec| {
        let scope = parse_scope(&spec.scope).ok_or_else(|| ServiceError::bug("unreadable scope"))?;
        let counts = |(category, month, _): &&(String, String, i64)| match &scope {
            Scope::Fund | Scope::County => true,
            Scope::Category(own) => own == category,
            Scope::Month { .. } => scope_text(&scope) == format!("month:{month}"),
        };
        let committed = slices
            .iter()
            .filter(counts)
            .map(|slice| slice.2)
            .fold(0_i64, i64::saturating_add);
        let ceiling: Fen = spec
            .ceiling
            .parse()
            .map_err(|_| ServiceError::bug("unreadable ceiling"))?;
        if ceiling.get() < committed {
            return Err(Refusal::CapBelowCommitted {
                scope: spec.scope.clone(),
                committed: fen(committed)?,
            }
            .into());
        }
        Ok(CapRow {
            jurisdiction: change.jurisdiction.clone(),
            programme: change.programme.clone(),
            scope: spec.scope.clone(),
            ceiling: ceiling.get(),
            committed,
            waiting: waiting.get(spec.scope.as_str()).copied().unwrap_or(0),
        })
    });
    rows.collect()
}

fn cap_change(row: &CapChangeRow) -> Result<CapChange, ServiceError> {
    Ok(CapChange {
        id: CapChangeId::new(code(&row.jurisdiction)?, row.id).to_string(),
        programme: row.programme.clone(),
        jurisdiction: row.jurisdiction.clone(),
        caps: serde_json::from_str(&row.caps).map_err(ServiceError::bug)?,
        document: row.document.clone(),
        status: row.status.clone(),
        made_at: row.made_at,
        checked_at: row.checked_at,
        reason: row.reason.clone(),
    })
}

/// What two persons sign when caps are set.
fn ceilings(change: &CapChange) -> Option<String> {
    let caps = change
        .caps
        .iter()
        .map(|cap| (cap.scope.clone(), json!(cap.ceiling)));
    events::signed(&json!({
        "caps": caps.collect::<serde_json::Map<_, _>>(),
        "document": change.document,
        "programme": change.programme,
    }))
}
