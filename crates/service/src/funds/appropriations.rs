//! Money into a fund, granted by one person of treasury and checked by another; the ceilings over it are in [`super::caps`].

use chrono::{DateTime, Utc};
use claims::JurisdictionCode;
use claims::ids::AppropriationId;
use claims::proposal::ProposalStatus;
pub use ledger::Source;
use ledger::{Balances, Fen, Reason, Transfer};
use serde_json::json;
use store::funds::appropriations::AppropriationRow;
use store::funds::{CapRow, FundRow, Posting};

use super::Funds;
use super::limits;
use crate::operation::access::{ManageFunds, ReadFunds};
use crate::operation::convert::{code, distinct, fen};
use crate::operation::{
    Check, Decision, Key, Op, Page, Permit, Refusal, Replayable, ServiceError, events, paging, stored_answer,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appropriation {
    pub id: AppropriationId,
    pub programme: String,
    pub jurisdiction: JurisdictionCode,
    pub source: Source,
    pub amount: Fen,
    pub document: String,
    pub status: ProposalStatus,
    pub made_at: DateTime<Utc>,
    pub checked_at: Option<DateTime<Utc>>,
    pub reason: Option<String>,
}

stored_answer! { "appropriation.1" => Appropriation {
    id, programme, jurisdiction, source, amount, document, status, made_at, checked_at, reason,
} }

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

impl Funds {
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
        let mut conn = self.op.read().await?;
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
        let operation = self.op.of(permit).within(&new.jurisdiction)?;
        let unit = async |mut op: Op<'_>| {
            let fund = (new.jurisdiction.clone(), new.programme.clone());
            let found = op.tx.fund(&fund.0, &fund.1).await?;
            found.ok_or(Refusal::NotFound("fund"))?;
            limits::lock(&mut op.tx, &self.catalogue.current(), [fund]).await?;
            let row = AppropriationRow {
                jurisdiction: code(&new.jurisdiction)?,
                id: op.id(),
                programme: new.programme.clone(),
                source: new.source,
                amount: new.amount,
                document: new.document.clone(),
                signatures: op.signed(),
            };
            op.tx.add_appropriation(&row).await?;
            let made = appropriation(&row);
            let mut event = op.event(&new.jurisdiction, &made.id.to_string(), "appropriate");
            event.detail = granted(&row);
            let recorded = op.record(&[event]).await?;
            Ok(op.done(recorded, made))
        };
        let made = operation.once("appropriate", &key).run(unit).await;
        made.map_err(document_used)
    }

    /// A second person's verdict on an appropriation: approved, the money is available.
    pub async fn check_appropriation(
        &self,
        permit: &Permit<ManageFunds>,
        id: AppropriationId,
        check: Check,
        why: Option<String>,
    ) -> Result<Appropriation, ServiceError> {
        let operation = self.op.of(permit).within(id.jurisdiction.as_str())?;
        let decision = Decision::new(check, why)?;
        let unit = async |mut op: Op<'_>| {
            let seen = op.tx.appropriation(id).await?;
            let seen = seen.ok_or(Refusal::NotFound("appropriation"))?;
            let fund = (seen.jurisdiction.to_string(), seen.programme);
            limits::lock(&mut op.tx, &self.catalogue.current(), [fund.clone()]).await?;
            let row = op.tx.lock_appropriation(id).await?;
            let mut row = row.ok_or(Refusal::NotFound("appropriation"))?;
            decision.sign(&op, "appropriation", &mut row.signatures)?;
            op.tx.save_appropriation(&row).await?;
            let checked = appropriation(&row);
            let mut event = decision.event::<ProposalStatus>(
                &op,
                &fund.0,
                &checked.id.to_string(),
                "check_appropriation",
            );
            event.detail = granted(&row);
            let recorded = op.record(&[event]).await?;
            if decision.is_approval() {
                let posting = Posting {
                    jurisdiction: fund.0.clone(),
                    programme: fund.1.clone(),
                    transfer: Transfer::new(Reason::Appropriate, row.amount)?,
                    claim: None,
                    document: Some(row.id),
                    actor: op.actor.client.clone(),
                };
                op.tx.post(&[posting], op.now).await?;
                op.tx
                    .grant((&fund.0, &fund.1), row.source, row.amount, op.now)
                    .await?;
                op.call_waitlist(fund).await?;
            }
            Ok(op.done(recorded, checked))
        };
        operation.run(unit).await
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
        let mut conn = self.op.read().await?;
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
        id: row.id(),
        programme: row.programme.clone(),
        jurisdiction: row.jurisdiction,
        source: row.source,
        amount: row.amount,
        document: row.document.clone(),
        status: row.signatures.status,
        made_at: row.signatures.made_at,
        checked_at: row.signatures.checked_at,
        reason: row.signatures.reason.clone(),
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
