//! Money into a fund and ceilings over it, each made by one person of treasury and checked by another.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use claims::allocate::Scope;
use claims::ids::{AppropriationId, CapChangeId};
use claims::jurisdictions::JurisdictionCode;
pub use ledger::Source;
use ledger::{Balances, Fen, Reason, Transfer};
use serde::{Deserialize, Serialize};
use store::disbursements::{AppropriationRow, CapChangeRow};
use store::funds::{CapRow, FundRow, Posting};
use store::{Done, Tx};

use crate::access::{ManageFunds, Permit, ReadFunds};
use crate::limits::{LimitChanges, fen, parse_scope, scope_text};
use crate::moving::reason;
use crate::once::Key;
use crate::{Page, Refusal, Replayable, Service, ServiceError, history, limits, paging};

/// The checker's word on what another person made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    Approve,
    Refuse,
}

impl Check {
    pub(crate) fn status(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Refuse => "refused",
        }
    }
}

#[derive(Debug, Clone)]
pub struct NewAppropriation {
    pub programme: String,
    pub jurisdiction: String,
    pub source: Source,
    pub amount: Fen,
    /// Number of the document that grants the money.
    pub document: String,
}

/// Money granted to a fund: pending until a second person approved it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appropriation {
    pub id: String,
    pub programme: String,
    pub jurisdiction: String,
    pub source: String,
    /// Yuan, two decimals.
    pub amount: String,
    pub document: String,
    pub status: String,
    pub made_at: DateTime<Utc>,
    pub checked_at: Option<DateTime<Utc>>,
    pub reason: Option<String>,
}

/// A ceiling as treasury writes it: `whole`, `category:<category>` or `month:<yyyy-mm>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapSpec {
    pub scope: String,
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

#[derive(Debug, Clone)]
pub struct Fund {
    pub jurisdiction: String,
    pub programme: String,
    pub balances: Balances,
    pub waiting: i64,
    pub caps: Vec<Cap>,
}

#[derive(Debug, Clone)]
pub struct Cap {
    pub scope: String,
    pub ceiling: Fen,
    pub committed: Fen,
    pub waiting: i64,
}

impl Service {
    /// Funds by county and programme.
    pub async fn funds(
        &self,
        permit: &Permit<ReadFunds>,
        jurisdiction: Option<String>,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Fund>, ServiceError> {
        let counties = paging::counties(permit, jurisdiction)?;
        let after = paging::read::<(String, String)>(cursor)?;
        let mut conn = self.store().read().await?;
        let rows = conn.funds(&counties, after, paging::fetch(limit)).await?;
        let page = paging::page(rows, limit, |row| {
            (row.jurisdiction.clone(), row.programme.clone())
        })?;
        let places = limits::distinct(page.items.iter().map(|row| row.jurisdiction.clone()).collect());
        let programmes = limits::distinct(page.items.iter().map(|row| row.programme.clone()).collect());
        let caps = conn.caps(&places, &programmes).await?;
        let items = page
            .items
            .iter()
            .map(|row| fund(row, &caps))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Page {
            items,
            next_cursor: page.next_cursor,
        })
    }

    /// Enters money granted to a fund; a second person approves it.
    pub async fn appropriate(
        &self,
        permit: &Permit<ManageFunds>,
        new: NewAppropriation,
        key: Key,
    ) -> Result<Replayable<Appropriation>, ServiceError> {
        permit.within(&new.jurisdiction)?;
        self.store()
            .write(|tx| self.appropriate_in(tx, permit, &new, &key))
            .await
            .map_err(document_used)
    }

    async fn appropriate_in(
        &self,
        mut tx: Tx,
        permit: &Permit<ManageFunds>,
        new: &NewAppropriation,
        key: &Key,
    ) -> Result<Done<Replayable<Appropriation>>, ServiceError> {
        let actor = permit.actor();
        tx.fund(&new.jurisdiction, &new.programme)
            .await?
            .ok_or(Refusal::NotFound("fund"))?;
        // Under the lock, where whoever raced with the same key has committed.
        limits::lock(
            &mut tx,
            &self.catalogue(),
            [(new.jurisdiction.clone(), new.programme.clone())],
        )
        .await?;
        if let Some(first) = self.answered(&mut tx, actor, key).await? {
            return Ok(tx.done(first));
        }
        let now = self.clock().now();
        let row = AppropriationRow {
            jurisdiction: new.jurisdiction.clone(),
            id: self.ids().next(now),
            programme: new.programme.clone(),
            source: new.source.as_str().into(),
            amount: new.amount.get(),
            document: new.document.clone(),
            status: "pending".into(),
            maker: actor.person.clone(),
            made_at: now,
            checker: None,
            checked_at: None,
            reason: None,
        };
        tx.add_appropriation(&row).await?;
        let made = appropriation(&row)?;
        let mut event = history::event(self, &row.jurisdiction, &made.id, "appropriate", actor, now);
        event.detail = history::granted(&row)?;
        tx.record_events(&[event]).await?;
        self.keep_answer(&mut tx, actor, key, "appropriate", &made)
            .await?;
        Ok(tx.done(Replayable {
            value: made,
            replayed: false,
        }))
    }

    /// A second person's word on an appropriation: approved, the money is available.
    pub async fn check_appropriation(
        &self,
        permit: &Permit<ManageFunds>,
        id: AppropriationId,
        check: Check,
        why: Option<String>,
    ) -> Result<Appropriation, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        let why = reason(why, check == Check::Refuse)?;
        let checked = self
            .store()
            .write(|tx| self.check_appropriation_in(tx, permit, id, check, why.clone()))
            .await?;
        self.serve_called_waitlists().await;
        Ok(checked)
    }

    async fn check_appropriation_in(
        &self,
        mut tx: Tx,
        permit: &Permit<ManageFunds>,
        id: AppropriationId,
        check: Check,
        why: Option<String>,
    ) -> Result<Done<Appropriation>, ServiceError> {
        let (actor, now) = (permit.actor(), self.clock().now());
        let jurisdiction = id.jurisdiction.as_str();
        let seen = tx
            .appropriation(jurisdiction, id.uuid)
            .await?
            .ok_or(Refusal::NotFound("appropriation"))?;
        limits::lock(
            &mut tx,
            &self.catalogue(),
            [(seen.jurisdiction.clone(), seen.programme.clone())],
        )
        .await?;
        let row = tx.lock_appropriation(jurisdiction, id.uuid).await?;
        let mut row = row.ok_or(Refusal::NotFound("appropriation"))?;
        pending("appropriation", &row.status, &row.maker, &actor.person)?;
        row.status = check.status().into();
        (row.checker, row.checked_at, row.reason) = (Some(actor.person.clone()), Some(now), why.clone());
        tx.save_appropriation(&row).await?;
        let checked = appropriation(&row)?;
        let mut event = history::event(self, jurisdiction, &checked.id, "check_appropriation", actor, now);
        (event.from_status, event.to_status, event.reason) =
            (Some("pending".into()), Some(row.status.clone()), why);
        event.detail = history::granted(&row)?;
        tx.record_events(&[event]).await?;
        if check == Check::Approve {
            let posting = Posting {
                jurisdiction: row.jurisdiction.clone(),
                programme: row.programme.clone(),
                transfer: Transfer::new(Reason::Appropriate, fen(row.amount)?).map_err(ServiceError::bug)?,
                claim: None,
                document: Some(row.id),
                actor: actor.client.clone(),
            };
            tx.post(&[posting], now).await?;
            let fund = (row.jurisdiction.as_str(), row.programme.as_str());
            tx.grant(fund, &row.source, row.amount, now).await?;
            self.call_waitlist(&mut tx, (row.jurisdiction, row.programme), now)
                .await?;
        }
        Ok(tx.done(checked))
    }

    /// Appropriations of a fund, newest first.
    pub async fn appropriations(
        &self,
        permit: &Permit<ReadFunds>,
        programme: &str,
        jurisdiction: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Appropriation>, ServiceError> {
        permit.within(jurisdiction)?;
        let before = paging::read(cursor)?;
        let mut conn = self.store().read().await?;
        let rows = conn
            .appropriations(jurisdiction, programme, before, paging::fetch(limit))
            .await?;
        paging::page(rows, limit, |row| row.id)?.try_map(|row| appropriation(&row))
    }

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
        let mut event = history::event(self, jurisdiction, &made.id, "propose_caps", actor, now);
        event.detail = history::ceilings(&made);
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
        let mut event = history::event(self, jurisdiction, &checked.id, "check_caps", actor, now);
        (event.from_status, event.to_status, event.reason) =
            (Some("pending".into()), Some(row.status.clone()), why);
        event.detail = history::ceilings(&checked);
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
        history::record_inside(tx, &events).await?;
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

/// What was made is open to a check by another person.
pub(crate) fn pending(what: &'static str, status: &str, maker: &str, checker: &str) -> Result<(), Refusal> {
    if status != "pending" {
        return Err(Refusal::Settled {
            what,
            status: status.to_owned(),
        });
    }
    if maker == checker {
        Err(Refusal::FourEyes)
    } else {
        Ok(())
    }
}

fn document_used(error: ServiceError) -> ServiceError {
    match error {
        ServiceError::Store(fault) if fault.constraint() == Some("appropriations_document_key") => {
            Refusal::DocumentUsed.into()
        }
        other => other,
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

fn appropriation(row: &AppropriationRow) -> Result<Appropriation, ServiceError> {
    Ok(Appropriation {
        id: AppropriationId::new(code(&row.jurisdiction)?, row.id).to_string(),
        programme: row.programme.clone(),
        jurisdiction: row.jurisdiction.clone(),
        source: row.source.clone(),
        amount: fen(row.amount)?.to_string(),
        document: row.document.clone(),
        status: row.status.clone(),
        made_at: row.made_at,
        checked_at: row.checked_at,
        reason: row.reason.clone(),
    })
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

pub(crate) fn code(jurisdiction: &str) -> Result<JurisdictionCode, ServiceError> {
    JurisdictionCode::parse(jurisdiction).map_err(|_| ServiceError::bug("unreadable county"))
}

fn fund(row: &FundRow, caps: &[CapRow]) -> Result<Fund, ServiceError> {
    let own = caps
        .iter()
        .filter(|cap| cap.jurisdiction == row.jurisdiction && cap.programme == row.programme);
    let caps = own.map(|cap| {
        Ok(Cap {
            scope: cap.scope.clone(),
            ceiling: fen(cap.ceiling)?,
            committed: fen(cap.committed)?,
            waiting: cap.waiting,
        })
    });
    Ok(Fund {
        jurisdiction: row.jurisdiction.clone(),
        programme: row.programme.clone(),
        balances: balances(row)?,
        waiting: row.waiting,
        caps: caps.collect::<Result<_, ServiceError>>()?,
    })
}

pub(crate) fn balances(row: &FundRow) -> Result<Balances, ServiceError> {
    Ok(Balances {
        appropriated: fen(row.appropriated)?,
        available: fen(row.available)?,
        reserved: fen(row.reserved)?,
        payable: fen(row.payable)?,
        in_payment: fen(row.in_payment)?,
        disbursed: fen(row.disbursed)?,
        recoverable: fen(row.recoverable)?,
        advanced: fen(row.advanced)?,
    })
}
