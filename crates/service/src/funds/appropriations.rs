//! Money into a fund, granted by one person of treasury and checked by another; the ceilings over it are in [`super::caps`].

use chrono::{DateTime, Utc};
use claims::ids::AppropriationId;
use claims::proposal::ProposalStatus;
pub use ledger::Source;
use ledger::{Balances, Fen, Reason, Transfer};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::funds::appropriations::AppropriationRow;
use store::funds::{CapRow, FundRow, Posting};
use store::{Done, Tx};

use super::limits;
use crate::Service;
use crate::operation::access::{ManageFunds, ReadFunds};
use crate::operation::checks::reason;
use crate::operation::convert::{code, distinct, fen};
use crate::operation::{
    Check, Key, Page, Permit, Refusal, Replayable, ServiceError, events, paging, pending,
};

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

/// A fund: its accounts, who waits, and the caps over it.
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
        let places = distinct(page.items.iter().map(|row| row.jurisdiction.clone()).collect());
        let programmes = distinct(page.items.iter().map(|row| row.programme.clone()).collect());
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
            jurisdiction: code(&new.jurisdiction)?,
            id: self.ids().next(now),
            programme: new.programme.clone(),
            source: new.source,
            amount: new.amount,
            document: new.document.clone(),
            status: ProposalStatus::Pending,
            maker: actor.person.clone(),
            made_at: now,
            checker: None,
            checked_at: None,
            reason: None,
        };
        tx.add_appropriation(&row).await?;
        let made = appropriation(&row);
        let mut event = events::event(
            self,
            row.jurisdiction.as_str(),
            &made.id,
            "appropriate",
            actor,
            now,
        );
        event.detail = granted(&row);
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
            .appropriation(id)
            .await?
            .ok_or(Refusal::NotFound("appropriation"))?;
        limits::lock(
            &mut tx,
            &self.catalogue(),
            [(seen.jurisdiction.to_string(), seen.programme)],
        )
        .await?;
        let row = tx.lock_appropriation(id).await?;
        let mut row = row.ok_or(Refusal::NotFound("appropriation"))?;
        pending("appropriation", row.status.as_str(), &row.maker, &actor.person)?;
        let proposed = row.status;
        row.status = match check {
            Check::Approve => ProposalStatus::Approved,
            Check::Refuse => ProposalStatus::Refused,
        };
        (row.checker, row.checked_at, row.reason) = (Some(actor.person.clone()), Some(now), why.clone());
        tx.save_appropriation(&row).await?;
        let checked = appropriation(&row);
        let mut event = events::event(self, jurisdiction, &checked.id, "check_appropriation", actor, now);
        event.from_status = Some(proposed.as_str().to_owned());
        event.to_status = Some(row.status.as_str().to_owned());
        event.reason = why;
        event.detail = granted(&row);
        tx.record_events(&[event]).await?;
        if check == Check::Approve {
            let posting = Posting {
                jurisdiction: row.jurisdiction.to_string(),
                programme: row.programme.clone(),
                transfer: Transfer::new(Reason::Appropriate, row.amount).map_err(ServiceError::bug)?,
                claim: None,
                document: Some(row.id),
                actor: actor.client.clone(),
            };
            tx.post(&[posting], now).await?;
            let fund = (row.jurisdiction.as_str(), row.programme.as_str());
            tx.grant(fund, row.source, row.amount, now).await?;
            self.call_waitlist(&mut tx, (row.jurisdiction.to_string(), row.programme), now)
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
            .appropriations(code(jurisdiction)?, programme, before, paging::fetch(limit))
            .await?;
        paging::page(rows, limit, |row| row.id)?.try_map(|row| Ok(appropriation(&row)))
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

fn appropriation(row: &AppropriationRow) -> Appropriation {
    Appropriation {
        id: row.id().to_string(),
        programme: row.programme.clone(),
        jurisdiction: row.jurisdiction.to_string(),
        source: row.source.to_string(),
        amount: row.amount.to_string(),
        document: row.document.clone(),
        status: row.status.to_string(),
        made_at: row.made_at,
        checked_at: row.checked_at,
        reason: row.reason.clone(),
    }
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

pub(super) fn balances(row: &FundRow) -> Result<Balances, ServiceError> {
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

/// What two persons sign when money is granted.
fn granted(row: &AppropriationRow) -> Option<String> {
    events::signed(&json!({
        "amount": row.amount.to_string(),
        "document": row.document,
        "programme": row.programme,
        "source": row.source.as_str(),
    }))
}
