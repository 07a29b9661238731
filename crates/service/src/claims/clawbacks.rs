//! Paid subsidies that are due back (追缴): demanded once a claim, repaid in parts, waived in pairs.
//!
//! What is due moves to the fund's recoverable account; each part that comes back is available again at once and leaves the
//! caps, each part that is waived stays paid. [`claims::clawback`] decides every sum and says what becomes of what the claim
//! holds. What is netted against payments is settled with them: see `payments::disbursements::netting`. All of it happens under the lock of the
//! county's ledger, so that whoever races finds what the other left.

use chrono::{DateTime, Utc};
use claims::clawback::{Clawback, ClawbackReason, NotOpen, Settled};
use claims::ids::{ClaimId, WaiverId};
use claims::life_cycle::Verb;
use ledger::Fen;
use policy::Lang;
use serde::{Deserialize, Serialize};
use store::claims::ClaimRow;
use store::claims::clawbacks::{ClawbackRow, WaiverRow};
use store::{Done, Tx};

use super::Claims;
use super::queries::visible;
use super::transition::{Move, Mover, Part, legal};
use super::view::ClaimState;
use crate::operation::access::{DemandClawback, ManageFunds, ReadClaims};
use crate::operation::checks::{check_revision, reason};
use crate::operation::convert::{code, fen};
use crate::operation::{Check, Key, Permit, Refusal, Replayable, ServiceError, events, pending};

/// Why a subsidy is due back, and how much of it; all of it if nothing is said.
#[derive(Debug, Clone)]
pub struct Demand {
    pub reason: ClawbackReason,
    pub amount: Option<Fen>,
    /// Number of the document that found it.
    pub document: Option<String>,
}

/// A clawback as it stands: what is due is repaid, netted, pending, waived or open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClawbackState {
    pub claim: ClaimId,
    pub sums: Clawback,
    pub clause: String,
    pub document: Option<String>,
    /// The merchant who owes it; none if the applicant was paid.
    pub merchant: Option<String>,
    pub made_at: DateTime<Utc>,
    pub closed_at: Option<DateTime<Utc>>,
    pub waivers: Vec<Waiver>,
}

/// What is to be waived, by which document and why.
#[derive(Debug, Clone)]
pub struct NewWaiver {
    /// All that is open if nothing is said.
    pub amount: Option<Fen>,
    pub document: String,
    pub reason: String,
}

/// A waiver: pending until a second person approved it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    pub id: String,
    pub claim: String,
    /// Yuan, two decimals.
    pub amount: String,
    pub document: String,
    pub reason: String,
    pub status: String,
    pub made_at: DateTime<Utc>,
    pub checked_at: Option<DateTime<Utc>>,
    /// Why it was refused.
    pub refusal: Option<String>,
}

impl Claims {
    /// Demands the subsidy of a paid claim back, or part of it.
    pub async fn demand_clawback(
        &self,
        permit: &Permit<DemandClawback>,
        claim: ClaimId,
        if_match: Option<i32>,
        demand: Demand,
        key: Option<Key>,
    ) -> Result<Replayable<ClaimState>, ServiceError> {
        permit.within(claim.jurisdiction.as_str())?;
        self.op
            .transaction(|tx| self.demand_in(tx, permit, claim, if_match, &demand, key.as_ref()))
            .await
    }

    async fn demand_in(
        &self,
        mut tx: Tx,
        permit: &Permit<DemandClawback>,
        claim: ClaimId,
        if_match: Option<i32>,
        demand: &Demand,
        key: Option<&Key>,
    ) -> Result<Done<Replayable<ClaimState>>, ServiceError> {
        let mover = Mover {
            actor: permit.actor(),
            now: self.op.now(),
        };
        let (books, mut rows) = self.lock_claims(&mut tx, &[claim]).await?;
        // Under the lock, where whoever raced with the same key has committed.
        if let Some(value) = self.moved_before(&mut tx, mover.actor, key).await? {
            return Ok(tx.done(Replayable {
                value,
                replayed: true,
            }));
        }
        let row = rows.remove(&claim.uuid).ok_or(Refusal::NotFound("claim"))?;
        check_revision(row.revision, if_match)?;
        legal(&row, Verb::Demand)?;
        let part = self.open_clawback(&mut tx, &row, demand, mover).await?;
        let why = demand.reason.title(Lang::Zh).to_owned();
        let moves = vec![Move {
            row,
            verb: Verb::Demand,
            reason: Some(
                demand
                    .document
                    .clone()
                    .map_or(why.clone(), |it| format!("{why}：{it}")),
            ),
            document: None,
            part: Some(part),
        }];
        let moved = self.carry_out(&mut tx, &books, moves, mover).await?;
        let row = moved
            .first()
            .ok_or_else(|| ServiceError::bug("one move, one claim"))?;
        self.keep_move(&mut tx, mover.actor, key, Verb::Demand.as_str(), row)
            .await?;
        let value = self.detail(&mut tx, row).await?;
        Ok(tx.done(Replayable {
            value,
            replayed: false,
        }))
    }

    /// Records what is due back of a locked claim that is paid, and says which part of its money moves.
    pub(super) async fn open_clawback(
        &self,
        tx: &mut Tx,
        row: &ClaimRow,
        demand: &Demand,
        mover: Mover<'_>,
    ) -> Result<Part, ServiceError> {
        let paid = fen(row.amount.unwrap_or(0))?;
        let sums = Clawback::demand(demand.reason, paid, demand.amount).map_err(more_than_open)?;
        let merchant = tx.merchant_paid(&row.jurisdiction, row.id).await?;
        tx.add_clawback(&ClawbackRow {
            jurisdiction: row.jurisdiction.clone(),
            claim: row.id,
            programme: row.programme.clone(),
            merchant,
            reason: sums.reason.as_str().to_owned(),
            clause: sums.reason.clause().to_owned(),
            document: demand.document.clone(),
            paid: sums.paid.get(),
            due: sums.due.get(),
            repaid: 0,
            netted: 0,
            pending: 0,
            waived: 0,
            made_by: mover.actor.person.clone(),
            made_at: mover.now,
            closed_at: None,
        })
        .await?;
        Ok(Part {
            amount: sums.due.get(),
            counts: true,
        })
    }

    /// Records that all that is open of a claim's clawback was repaid, with the bank's document number as the reason.
    pub async fn claw_back(
        &self,
        permit: &Permit<ManageFunds>,
        claim: ClaimId,
        if_match: Option<i32>,
        document: Option<String>,
    ) -> Result<ClaimState, ServiceError> {
        self.claw_back_part(permit, claim, if_match, None, document).await
    }

    /// The same of a part; of all that is open if no amount is given.
    pub async fn claw_back_part(
        &self,
        permit: &Permit<ManageFunds>,
        claim: ClaimId,
        if_match: Option<i32>,
        amount: Option<Fen>,
        document: Option<String>,
    ) -> Result<ClaimState, ServiceError> {
        permit.within(claim.jurisdiction.as_str())?;
        let document = reason(document, true)?;
        let repaid = self
            .op
            .transaction(|tx| self.claw_back_in(tx, permit, claim, if_match, amount, document.clone()))
            .await?;
        self.serve_called_waitlists().await;
        Ok(repaid)
    }

    async fn claw_back_in(
        &self,
        mut tx: Tx,
        permit: &Permit<ManageFunds>,
        claim: ClaimId,
        if_match: Option<i32>,
        amount: Option<Fen>,
        document: Option<String>,
    ) -> Result<Done<ClaimState>, ServiceError> {
        let mover = Mover {
            actor: permit.actor(),
            now: self.op.now(),
        };
        let (books, mut rows) = self.lock_claims(&mut tx, &[claim]).await?;
        let row = rows.remove(&claim.uuid).ok_or(Refusal::NotFound("claim"))?;
        check_revision(row.revision, if_match)?;
        legal(&row, Verb::ClawBack)?;
        let mut clawback = locked(&mut tx, claim).await?;
        let part = match amount {
            Some(amount) => amount,
            None => sums(&clawback)?.open(),
        };
        let (verb, part) = settle(&mut clawback, Settled::Repaid, part, mover.now)?;
        tx.save_clawbacks(&[clawback]).await?;
        let moves = vec![Move {
            row,
            verb,
            reason: document,
            document: None,
            part: Some(part),
        }];
        let moved = self.carry_out(&mut tx, &books, moves, mover).await?;
        let row = moved
            .first()
            .ok_or_else(|| ServiceError::bug("one move, one claim"))?;
        let state = self.detail(&mut tx, row).await?;
        Ok(tx.done(state))
    }

    /// Proposes to waive what is open of a clawback, or part of it; a second person approves it.
    pub async fn waive_clawback(
        &self,
        permit: &Permit<ManageFunds>,
        claim: ClaimId,
        new: NewWaiver,
        key: Key,
    ) -> Result<Replayable<Waiver>, ServiceError> {
        permit.within(claim.jurisdiction.as_str())?;
        self.op
            .transaction(|tx| self.waive_in(tx, permit, claim, &new, &key))
            .await
    }

    async fn waive_in(
        &self,
        mut tx: Tx,
        permit: &Permit<ManageFunds>,
        claim: ClaimId,
        new: &NewWaiver,
        key: &Key,
    ) -> Result<Done<Replayable<Waiver>>, ServiceError> {
        let (actor, now) = (permit.actor(), self.op.now());
        let (_, mut rows) = self.lock_claims(&mut tx, &[claim]).await?;
        // Under the lock, where whoever raced with the same key has committed.
        if let Some(first) = self.op.answered(&mut tx, actor, key).await? {
            return Ok(tx.done(first));
        }
        let row = rows.remove(&claim.uuid).ok_or(Refusal::NotFound("claim"))?;
        legal(&row, Verb::Waive)?;
        let open = sums(&locked(&mut tx, claim).await?)?.open();
        let amount = new.amount.unwrap_or(open);
        if amount.is_zero() || amount > open {
            return Err(more_than_open(NotOpen { open }).into());
        }
        let row = WaiverRow {
            jurisdiction: row.jurisdiction,
            id: self.op.id(now),
            claim: row.id,
            amount: amount.get(),
            document: new.document.clone(),
            reason: new.reason.clone(),
            status: "pending".into(),
            maker: actor.person.clone(),
            made_at: now,
            checker: None,
            checked_at: None,
            refusal: None,
        };
        tx.add_waiver(&row).await?;
        let value = waiver(&row)?;
        let mut event = events::event(
            self.op.id(now),
            &row.jurisdiction,
            &value.id,
            "waive_clawback",
            actor,
            now,
        );
        (event.to_status, event.reason) = (Some(row.status), Some(row.reason));
        tx.record_events(&[event]).await?;
        self.op
            .keep_answer(&mut tx, actor, key, "waive_clawback", &value)
            .await?;
        Ok(tx.done(Replayable {
            value,
            replayed: false,
        }))
    }

    /// A second person's word on a waiver: approved, its sum is no longer due. Refused if by now less is open.
    pub async fn check_waiver(
        &self,
        permit: &Permit<ManageFunds>,
        id: WaiverId,
        check: Check,
        why: Option<String>,
    ) -> Result<Waiver, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        let why = reason(why, check == Check::Refuse)?;
        self.op
            .transaction(|tx| self.check_waiver_in(tx, permit, id, check, why.clone()))
            .await
    }

    async fn check_waiver_in(
        &self,
        mut tx: Tx,
        permit: &Permit<ManageFunds>,
        id: WaiverId,
        check: Check,
        why: Option<String>,
    ) -> Result<Done<Waiver>, ServiceError> {
        let mover = Mover {
            actor: permit.actor(),
            now: self.op.now(),
        };
        let jurisdiction = id.jurisdiction.as_str();
        let seen = tx.waiver(jurisdiction, id.uuid).await?;
        let claim = ClaimId::new(id.jurisdiction, seen.ok_or(Refusal::NotFound("waiver"))?.claim);
        // The books first, as everything that moves money does.
        let (books, mut rows) = self.lock_claims(&mut tx, &[claim]).await?;
        let row = tx.lock_waiver(jurisdiction, id.uuid).await?;
        let mut row = row.ok_or(Refusal::NotFound("waiver"))?;
        pending("waiver", &row.status, &row.maker, &mover.actor.person)?;
        if check == Check::Approve {
            let claim_row = rows.remove(&claim.uuid).ok_or(Refusal::NotFound("claim"))?;
            legal(&claim_row, Verb::Waive)?;
            let mut clawback = locked(&mut tx, claim).await?;
            let (verb, part) = settle(&mut clawback, Settled::Waived, fen(row.amount)?, mover.now)?;
            tx.save_clawbacks(&[clawback]).await?;
            let moves = vec![Move {
                row: claim_row,
                verb,
                reason: Some(format!("{}：{}", row.document, row.reason)),
                document: None,
                part: Some(part),
            }];
            self.carry_out(&mut tx, &books, moves, mover).await?;
        }
        row.status = check.status().to_owned();
        (row.checker, row.checked_at) = (Some(mover.actor.person.clone()), Some(mover.now));
        row.refusal = why.clone().filter(|_| check == Check::Refuse);
        tx.save_waiver(&row).await?;
        let checked = waiver(&row)?;
        let mut event = events::event(
            self.op.id(mover.now),
            jurisdiction,
            &checked.id,
            "check_waiver",
            mover.actor,
            mover.now,
        );
        (event.from_status, event.to_status, event.reason) =
            (Some("pending".into()), Some(row.status.clone()), why);
        tx.record_events(&[event]).await?;
        Ok(tx.done(checked))
    }

    /// What is due back of a claim, and what has come back of it.
    pub async fn clawback(
        &self,
        permit: &Permit<ReadClaims>,
        claim: ClaimId,
    ) -> Result<ClawbackState, ServiceError> {
        let jurisdiction = claim.jurisdiction.as_str();
        let mut conn = self.op.read().await?;
        visible(permit, conn.claim(jurisdiction, claim.uuid).await?, claim)?;
        let row = conn.clawback(jurisdiction, claim.uuid).await?;
        let row = row.ok_or(Refusal::NotFound("clawback"))?;
        let waivers = conn.waivers(jurisdiction, claim.uuid).await?;
        Ok(ClawbackState {
            claim,
            sums: sums(&row)?,
            clause: row.clause,
            document: row.document,
            merchant: row.merchant,
            made_at: row.made_at,
            closed_at: row.closed_at,
            waivers: waivers.iter().map(waiver).collect::<Result<_, _>>()?,
        })
    }
}

async fn locked(tx: &mut Tx, claim: ClaimId) -> Result<ClawbackRow, ServiceError> {
    let rows = tx
        .lock_clawbacks(claim.jurisdiction.as_str(), &[claim.uuid])
        .await?;
    let row = rows.into_iter().next();
    row.ok_or_else(|| ServiceError::bug("a subsidy is due back and no clawback says why"))
}

/// Settles a part of a clawback, and says how its claim moves.
pub(crate) fn settle(
    row: &mut ClawbackRow,
    settled: Settled,
    part: Fen,
    now: DateTime<Utc>,
) -> Result<(Verb, Part), ServiceError> {
    let mut after = sums(row)?;
    let verb = after.settle(settled, part).map_err(more_than_open)?;
    write(row, &after);
    row.closed_at = after.is_closed().then_some(now);
    let part = Part {
        amount: part.get(),
        counts: !after.out().is_zero(),
    };
    Ok((verb, part))
}

pub(crate) fn sums(row: &ClawbackRow) -> Result<Clawback, ServiceError> {
    Ok(Clawback {
        reason: ClawbackReason::parse(&row.reason)
            .ok_or_else(|| ServiceError::bug("unreadable reason of a clawback"))?,
        paid: fen(row.paid)?,
        due: fen(row.due)?,
        repaid: fen(row.repaid)?,
        netted: fen(row.netted)?,
        pending: fen(row.pending)?,
        waived: fen(row.waived)?,
    })
}

pub(crate) fn write(row: &mut ClawbackRow, sums: &Clawback) {
    (row.repaid, row.netted) = (sums.repaid.get(), sums.netted.get());
    (row.pending, row.waived) = (sums.pending.get(), sums.waived.get());
}

fn more_than_open(error: NotOpen) -> Refusal {
    let open = error.open;
    Refusal::field(
        "/amount",
        "clawback.more-than-open",
        format!("金额须大于零，且不超过尚可追回的{open}元"),
        format!("it is more than nothing and at most the {open} that can still be clawed back"),
    )
}

fn waiver(row: &WaiverRow) -> Result<Waiver, ServiceError> {
    let jurisdiction = code(&row.jurisdiction)?;
    Ok(Waiver {
        id: WaiverId::new(jurisdiction, row.id).to_string(),
        claim: ClaimId::new(jurisdiction, row.claim).to_string(),
        amount: fen(row.amount)?.to_string(),
        document: row.document.clone(),
        reason: row.reason.clone(),
        status: row.status.clone(),
        made_at: row.made_at,
        checked_at: row.checked_at,
        refusal: row.refusal.clone(),
    })
}
