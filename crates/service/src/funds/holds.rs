//! Holds: what keeps claims of a merchant, of a programme, or one claim out of payment until it is lifted.
//!
//! A held claim is not gathered, and a disbursement that was made before the hold is not released while it stands. What
//! was released is the bank's.

use chrono::{DateTime, Utc};
use claims::JurisdictionCode;
use claims::ids::{ClaimId, HoldId};
use serde::{Deserialize, Serialize};
use store::funds::holds::HoldRow;
use uuid::Uuid;

use crate::Service;
use crate::operation::access::{ManageFunds, ReadFunds};
use crate::operation::checks::reason;
use crate::operation::convert::code;
use crate::operation::{Key, Page, Permit, Refusal, Replayable, ServiceError, events, paging};

/// What is held: everything that matches each part that is given, of which there is at least one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    pub programme: Option<String>,
    /// A credit code.
    pub merchant: Option<String>,
    pub claim: Option<ClaimId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub id: String,
    pub programme: Option<String>,
    pub merchant: Option<String>,
    pub claim: Option<String>,
    pub reason: String,
    pub placed_at: DateTime<Utc>,
    pub lifted_at: Option<DateTime<Utc>>,
    pub lift_reason: Option<String>,
}

impl Service {
    pub async fn place_hold(
        &self,
        permit: &Permit<ManageFunds>,
        jurisdiction: JurisdictionCode,
        held: Held,
        why: Option<String>,
        key: Key,
    ) -> Result<Replayable<Hold>, ServiceError> {
        permit.within(jurisdiction.as_str())?;
        self.catalogue()
            .county(jurisdiction.as_str())
            .ok_or(Refusal::NotFound("ledger"))?;
        let why = reason(why, true)?.ok_or(Refusal::ReasonRequired)?;
        if held == Held::default() {
            return Err(Refusal::field(
                "",
                "nothing-held",
                "须指明项目、商户或申请之一",
                "say which programme, merchant or claim is held",
            )
            .into());
        }
        if held.claim.is_some_and(|claim| claim.jurisdiction != jurisdiction) {
            return Err(Refusal::NotFound("claim").into());
        }
        let (actor, now) = (permit.actor(), self.clock().now());
        let row = HoldRow {
            jurisdiction: jurisdiction.as_str().to_owned(),
            id: self.ids().next(now),
            programme: held.programme,
            merchant: held.merchant,
            claim: held.claim.map(|claim| claim.uuid),
            reason: why.clone(),
            placer: actor.person.clone(),
            placed_at: now,
            lifter: None,
            lifted_at: None,
            lift_reason: None,
        };
        let hold = shown(&row)?;
        let mut event = events::event(self, jurisdiction.as_str(), &hold.id, "place_hold", actor, now);
        event.reason = Some(why);
        self.store()
            .write(async |mut tx| -> Result<_, ServiceError> {
                if let Some(first) = self.answered(&mut tx, actor, &key).await? {
                    return Ok(tx.done(first));
                }
                if let Some(claim) = row.claim {
                    known(&mut tx, &row.jurisdiction, claim).await?;
                }
                tx.place_hold(&row).await?;
                tx.record_events(std::slice::from_ref(&event)).await?;
                self.keep_answer(&mut tx, actor, &key, "place_hold", &hold)
                    .await?;
                Ok(tx.done(Replayable {
                    value: hold.clone(),
                    replayed: false,
                }))
            })
            .await
    }

    pub async fn lift_hold(
        &self,
        permit: &Permit<ManageFunds>,
        id: HoldId,
        why: Option<String>,
    ) -> Result<Hold, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        let why = reason(why, true)?;
        let (actor, now) = (permit.actor(), self.clock().now());
        self.store()
            .write(async |mut tx| -> Result<_, ServiceError> {
                let jurisdiction = id.jurisdiction.as_str();
                let row = tx.lock_hold(jurisdiction, id.uuid).await?;
                let mut row = row.ok_or(Refusal::NotFound("hold"))?;
                if row.lifter.is_some() {
                    return Err(Refusal::Settled {
                        what: "hold",
                        status: "lifted".into(),
                    }
                    .into());
                }
                (row.lifter, row.lifted_at, row.lift_reason) =
                    (Some(actor.person.clone()), Some(now), why.clone());
                tx.save_hold(&row).await?;
                let subject = id.to_string();
                let mut event = events::event(self, jurisdiction, &subject, "lift_hold", actor, now);
                event.reason.clone_from(&why);
                tx.record_events(&[event]).await?;
                let hold = shown(&row)?;
                Ok(tx.done(hold))
            })
            .await
    }

    /// Holds that stand, newest first; lifted ones, too, if asked for.
    pub async fn holds(
        &self,
        permit: &Permit<ReadFunds>,
        jurisdiction: Option<String>,
        lifted: bool,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Hold>, ServiceError> {
        let counties = paging::counties(permit, jurisdiction)?;
        let before = paging::read(cursor)?;
        let mut conn = self.store().read().await?;
        let rows = conn
            .holds(&counties, lifted, before, paging::fetch(limit))
            .await?;
        paging::page(rows, limit, |row| row.id)?.try_map(|row| shown(&row))
    }
}

async fn known(tx: &mut store::Tx, jurisdiction: &str, claim: Uuid) -> Result<(), ServiceError> {
    let found = tx.claims_by_id(&[(jurisdiction.to_owned(), claim)]).await?;
    if found.is_empty() {
        return Err(Refusal::NotFound("claim").into());
    }
    Ok(())
}

fn shown(row: &HoldRow) -> Result<Hold, ServiceError> {
    let jurisdiction = code(&row.jurisdiction)?;
    Ok(Hold {
        id: HoldId::new(jurisdiction, row.id).to_string(),
        programme: row.programme.clone(),
        merchant: row.merchant.clone(),
        claim: row.claim.map(|id| ClaimId::new(jurisdiction, id).to_string()),
        reason: row.reason.clone(),
        placed_at: row.placed_at,
        lifted_at: row.lifted_at,
        lift_reason: row.lift_reason.clone(),
    })
}
