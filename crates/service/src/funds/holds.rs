//! Holds: what keeps claims of a merchant, of a programme, or one claim out of payment until it is lifted.
//!
//! A held claim is not gathered, and a disbursement that was made before the hold is not released while it stands. What
//! was released is the bank's.

use chrono::{DateTime, Utc};
use claims::JurisdictionCode;
use claims::ids::{ClaimId, HoldId};
use store::funds::holds::HoldRow;

use super::Funds;
use crate::operation::access::{ManageFunds, ReadFunds};
use crate::operation::checks::reason;
use crate::operation::convert::codes;
use crate::operation::{Key, Op, Page, Permit, Refusal, Replayable, ServiceError, paging, stored_answer};

/// What is held: everything that matches each part that is given, of which there is at least one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    pub programme: Option<String>,
    /// A credit code.
    pub merchant: Option<String>,
    pub claim: Option<ClaimId>,
}

/// A hold, which stands until it is lifted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub id: HoldId,
    pub programme: Option<String>,
    pub merchant: Option<String>,
    pub claim: Option<ClaimId>,
    pub reason: String,
    pub placed_at: DateTime<Utc>,
    pub lifted_at: Option<DateTime<Utc>>,
    pub lift_reason: Option<String>,
}

stored_answer! { "hold.1" => Hold {
    id, programme, merchant, claim, reason, placed_at, lifted_at, lift_reason,
} }

impl Funds {
    /// Keeps what matches out of payment.
    pub async fn place_hold(
        &self,
        permit: &Permit<ManageFunds>,
        jurisdiction: JurisdictionCode,
        held: Held,
        why: Option<String>,
        key: Key,
    ) -> Result<Replayable<Hold>, ServiceError> {
        let county = jurisdiction.as_str();
        let operation = self.op.of(permit).within(county)?;
        let catalogue = self.catalogue.current();
        catalogue.county(county).ok_or(Refusal::NotFound("ledger"))?;
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
        let unit = async |mut op: Op<'_>| {
            if let Some(claim) = held.claim {
                exists(&mut op, claim).await?;
            }
            let row = HoldRow {
                jurisdiction,
                id: op.id(),
                programme: held.programme.clone(),
                merchant: held.merchant.clone(),
                claim: held.claim.map(|claim| claim.uuid),
                reason: why.clone(),
                placer: op.actor.person.clone(),
                placed_at: op.now,
                lifter: None,
                lifted_at: None,
                lift_reason: None,
            };
            op.tx.place_hold(&row).await?;
            let hold = shown(row);
            let mut event = op.event(county, &hold.id.to_string(), "place_hold");
            event.reason = Some(why.clone());
            let recorded = op.record(&[event]).await?;
            Ok(op.done(recorded, hold))
        };
        operation.once("place_hold", &key).run(unit).await
    }

    /// Ends a hold.
    pub async fn lift_hold(
        &self,
        permit: &Permit<ManageFunds>,
        id: HoldId,
        why: Option<String>,
    ) -> Result<Hold, ServiceError> {
        let operation = self.op.of(permit).within(id.jurisdiction.as_str())?;
        let why = reason(why, true)?;
        let unit = async |mut op: Op<'_>| {
            let row = op.tx.lock_hold(id).await?;
            let mut row = row.ok_or(Refusal::NotFound("hold"))?;
            if row.lifter.is_some() {
                return Err(Refusal::Settled {
                    what: "hold",
                    status: "lifted".into(),
                }
                .into());
            }
            (row.lifter, row.lifted_at) = (Some(op.actor.person.clone()), Some(op.now));
            row.lift_reason.clone_from(&why);
            op.tx.save_hold(&row).await?;
            let mut event = op.event(id.jurisdiction.as_str(), &id.to_string(), "lift_hold");
            event.reason.clone_from(&why);
            let recorded = op.record(&[event]).await?;
            Ok(op.done(recorded, shown(row)))
        };
        operation.run(unit).await
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
        let counties = codes(&paging::counties(permit, jurisdiction)?)?;
        let before = paging::read(cursor)?;
        let mut conn = self.op.read().await?;
        let rows = conn
            .holds(&counties, lifted, before, paging::fetch(limit))
            .await?;
        paging::page(rows, limit, |row| row.id)?.try_map(|row| Ok(shown(row)))
    }
}

async fn exists(op: &mut Op<'_>, claim: ClaimId) -> Result<(), ServiceError> {
    if op.tx.claims_by_id(&[claim]).await?.is_empty() {
        return Err(Refusal::NotFound("claim").into());
    }
    Ok(())
}

fn shown(row: HoldRow) -> Hold {
    Hold {
        id: HoldId::new(row.jurisdiction, row.id),
        programme: row.programme,
        merchant: row.merchant,
        claim: row.claim.map(|id| ClaimId::new(row.jurisdiction, id)),
        reason: row.reason,
        placed_at: row.placed_at,
        lifted_at: row.lifted_at,
        lift_reason: row.lift_reason,
    }
}
