//! Paid subsidies that are due back (追缴): demanded once a claim, repaid in parts, waived in pairs.
//!
//! What is due moves to the fund's recoverable account; each part that comes back is available
//! again at once and leaves the caps, each part that is waived stays paid. [`claims::clawback`]
//! decides every sum and says what becomes of what the claim holds. What is netted against payments
//! is settled with them: see `payments::disbursements::netting`. All of it happens under the lock
//! of the county's ledger, so that of two requests that race the second finds what the first left.

use chrono::{DateTime, Utc};
use claims::clawback::{Clawback, ClawbackReason, NotOpen, Settled};
use claims::ids::{ClaimId, WaiverId};
use claims::life_cycle::Verb;
use claims::proposal::ProposalStatus;
use ledger::Fen;
use policy::Lang;
use store::Tx;
use store::claims::ClaimRow;
use store::claims::clawbacks::{ClawbackRow, WaiverRow};

use super::Claims;
use super::first_answer::Moved;
use super::queries::visible;
use super::transition::{Move, Part, legal};
use super::view::ClaimState;
use crate::funds::limits::Books;
use crate::operation::access::{DemandClawback, ManageFunds, ReadClaims};
use crate::operation::checks::{check_revision, reason};
use crate::operation::{Check, Decision, Key, Op, Permit, Refusal, Replayable, ServiceError, stored_answer};

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    pub id: WaiverId,
    pub claim: ClaimId,
    pub amount: Fen,
    pub document: String,
    pub reason: String,
    pub status: ProposalStatus,
    pub made_at: DateTime<Utc>,
    pub checked_at: Option<DateTime<Utc>>,
    /// Why it was refused.
    pub refusal: Option<String>,
}

stored_answer! { "waiver.1" => Waiver {
    id, claim, amount, document, reason, status, made_at, checked_at, refusal,
} }

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
        let operation = self.op.of(permit).within(claim.jurisdiction.as_str())?;
        let why = demand.reason.title(Lang::Zh);
        let why = match &demand.document {
            Some(document) => format!("{why}：{document}"),
            None => why.to_owned(),
        };
        let unit = async |mut op: Op<'_>| {
            let (books, row) = self.lock_claim(&mut op.tx, claim).await?;
            let row = row.ok_or(Refusal::NotFound("claim"))?;
            check_revision(row.revision, if_match)?;
            legal(&row, Verb::Demand)?;
            let part = self.open_clawback(&mut op, &row, &demand).await?;
            let one = Move {
                row,
                verb: Verb::Demand,
                reason: Some(why.clone()),
                document: None,
                part: Some(part),
            };
            let (row, recorded) = self.move_claim(&mut op, &books, one).await?;
            Ok(op.done(recorded, Moved::of(&row)))
        };
        let demanded = operation.once_if(Verb::Demand.as_str(), key.as_ref());
        self.as_moved(demanded.run(unit).await?).await
    }

    /// Records what is due back of a locked claim that is paid, and says which part of its money
    /// moves.
    pub(super) async fn open_clawback(
        &self,
        op: &mut Op<'_>,
        row: &ClaimRow,
        demand: &Demand,
    ) -> Result<Part, ServiceError> {
        let paid = row.amount.unwrap_or(Fen::ZERO);
        let sums = Clawback::demand(demand.reason, paid, demand.amount).map_err(more_than_open)?;
        let merchant = op.tx.merchant_paid(row.id()).await?;
        let clawback = ClawbackRow {
            jurisdiction: row.jurisdiction,
            claim: row.id,
            programme: row.programme.clone(),
            merchant,
            reason: sums.reason,
            clause: sums.reason.clause().to_owned(),
            document: demand.document.clone(),
            paid: sums.paid,
            due: sums.due,
            repaid: sums.repaid,
            netted: sums.netted,
            pending: sums.pending,
            waived: sums.waived,
            made_by: op.actor.person.clone(),
            made_at: op.now,
            closed_at: None,
        };
        op.tx.add_clawback(&clawback).await?;
        Ok(Part {
            amount: sums.due,
            counts: true,
        })
    }

    /// Records that all that is open of a claim's clawback was repaid, with the bank's document
    /// number as the reason.
    pub async fn claw_back(
        &self,
        permit: &Permit<ManageFunds>,
        claim: ClaimId,
        if_match: Option<i32>,
        document: Option<String>,
    ) -> Result<ClaimState, ServiceError> {
        self.claw_back_part(permit, claim, if_match, None, document).await
    }

    /// Records that a part was repaid; all that is open if no amount is given.
    pub async fn claw_back_part(
        &self,
        permit: &Permit<ManageFunds>,
        claim: ClaimId,
        if_match: Option<i32>,
        amount: Option<Fen>,
        document: Option<String>,
    ) -> Result<ClaimState, ServiceError> {
        let operation = self.op.of(permit).within(claim.jurisdiction.as_str())?;
        let document = reason(document, true)?;
        let unit = async |mut op: Op<'_>| {
            let (books, row) = self.lock_claim(&mut op.tx, claim).await?;
            let row = row.ok_or(Refusal::NotFound("claim"))?;
            check_revision(row.revision, if_match)?;
            legal(&row, Verb::ClawBack)?;
            let mut clawback = locked(&mut op.tx, claim).await?;
            let part = amount.unwrap_or_else(|| sums(&clawback).open());
            let (verb, part) = settle(&mut clawback, Settled::Repaid, part, op.now)?;
            op.tx.save_clawbacks(&[clawback]).await?;
            let one = Move {
                row,
                verb,
                reason: document.clone(),
                document: None,
                part: Some(part),
            };
            let (row, recorded) = self.move_claim(&mut op, &books, one).await?;
            let state = self.detail(&mut op.tx, &row).await?;
            Ok(op.done(recorded, state))
        };
        operation.run(unit).await
    }

    /// Proposes to waive what is open of a clawback, or part of it; a second person approves it.
    pub async fn waive_clawback(
        &self,
        permit: &Permit<ManageFunds>,
        claim: ClaimId,
        new: NewWaiver,
        key: Key,
    ) -> Result<Replayable<Waiver>, ServiceError> {
        let operation = self.op.of(permit).within(claim.jurisdiction.as_str())?;
        let unit = async |mut op: Op<'_>| {
            let (_, row) = self.lock_claim(&mut op.tx, claim).await?;
            legal(&row.ok_or(Refusal::NotFound("claim"))?, Verb::Waive)?;
            let open = sums(&locked(&mut op.tx, claim).await?).open();
            let amount = new.amount.unwrap_or(open);
            if amount.is_zero() || amount > open {
                return Err(more_than_open(NotOpen { open }).into());
            }
            let row = WaiverRow {
                jurisdiction: claim.jurisdiction,
                id: op.id(),
                claim: claim.uuid,
                amount,
                document: new.document.clone(),
                reason: new.reason.clone(),
                signatures: op.signed(),
            };
            op.tx.add_waiver(&row).await?;
            let mut event = op.event(row.jurisdiction.as_str(), &row.id().to_string(), "waive_clawback");
            event.to_status = Some(row.signatures.status.to_string());
            event.reason = Some(row.reason.clone());
            let recorded = op.record(&[event]).await?;
            Ok(op.done(recorded, waiver(row)))
        };
        operation.once("waive_clawback", &key).run(unit).await
    }

    /// A second person's verdict on a waiver: approved, its sum is no longer due. Refused if by now
    /// less is open.
    pub async fn check_waiver(
        &self,
        permit: &Permit<ManageFunds>,
        id: WaiverId,
        check: Check,
        why: Option<String>,
    ) -> Result<Waiver, ServiceError> {
        let operation = self.op.of(permit).within(id.jurisdiction.as_str())?;
        let decision = Decision::new(check, why)?;
        let unit = async |mut op: Op<'_>| {
            let seen = op.tx.waiver(id).await?;
            let claim = seen.ok_or(Refusal::NotFound("waiver"))?.claim;
            let claim = ClaimId::new(id.jurisdiction, claim);
            // The books first, as everything that moves money does.
            let (books, claim_row) = self.lock_claim(&mut op.tx, claim).await?;
            let row = op.tx.lock_waiver(id).await?;
            let mut row = row.ok_or(Refusal::NotFound("waiver"))?;
            decision.sign(&op, "waiver", &mut row.signatures)?;
            if decision.is_approval() {
                // Only a refusal keeps its reason in the row; the event has it in both cases.
                row.signatures.reason = None;
                let claim_row = claim_row.ok_or(Refusal::NotFound("claim"))?;
                self.waive(&mut op, &books, claim_row, &row).await?;
            }
            op.tx.save_waiver(&row).await?;
            let event = decision.event::<ProposalStatus>(
                &op,
                row.jurisdiction.as_str(),
                &row.id().to_string(),
                "check_waiver",
            );
            let recorded = op.record(&[event]).await?;
            Ok(op.done(recorded, waiver(row)))
        };
        operation.run(unit).await
    }

    /// Waives what two persons signed of a locked claim's clawback.
    async fn waive(
        &self,
        op: &mut Op<'_>,
        books: &Books,
        row: ClaimRow,
        waiver: &WaiverRow,
    ) -> Result<(), ServiceError> {
        legal(&row, Verb::Waive)?;
        let claim = ClaimId::new(waiver.jurisdiction, waiver.claim);
        let mut clawback = locked(&mut op.tx, claim).await?;
        let (verb, part) = settle(&mut clawback, Settled::Waived, waiver.amount, op.now)?;
        op.tx.save_clawbacks(&[clawback]).await?;
        let one = Move {
            row,
            verb,
            reason: Some(format!("{}：{}", waiver.document, waiver.reason)),
            document: None,
            part: Some(part),
        };
        let (_claim, _recorded) = self.move_claim(op, books, one).await?;
        Ok(())
    }

    /// What is due back of a claim, and what has come back of it.
    pub async fn clawback(
        &self,
        permit: &Permit<ReadClaims>,
        claim: ClaimId,
    ) -> Result<ClawbackState, ServiceError> {
        let mut conn = self.op.read().await?;
        visible(permit, conn.claim(claim).await?, claim)?;
        let row = conn.clawback(claim).await?;
        let row = row.ok_or(Refusal::NotFound("clawback"))?;
        let waivers = conn.waivers(claim).await?;
        Ok(ClawbackState {
            claim,
            sums: sums(&row),
            clause: row.clause,
            document: row.document,
            merchant: row.merchant,
            made_at: row.made_at,
            closed_at: row.closed_at,
            waivers: waivers.into_iter().map(waiver).collect(),
        })
    }
}

async fn locked(tx: &mut Tx, claim: ClaimId) -> Result<ClawbackRow, ServiceError> {
    let rows = tx.lock_clawbacks(claim.jurisdiction, &[claim.uuid]).await?;
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
    let mut after = sums(row);
    let verb = after.settle(settled, part).map_err(more_than_open)?;
    write(row, &after);
    row.closed_at = after.is_closed().then_some(now);
    let part = Part {
        amount: part,
        counts: !after.out().is_zero(),
    };
    Ok((verb, part))
}

pub(crate) fn sums(row: &ClawbackRow) -> Clawback {
    Clawback {
        reason: row.reason,
        paid: row.paid,
        due: row.due,
        repaid: row.repaid,
        netted: row.netted,
        pending: row.pending,
        waived: row.waived,
    }
}

pub(crate) fn write(row: &mut ClawbackRow, sums: &Clawback) {
    (row.repaid, row.netted) = (sums.repaid, sums.netted);
    (row.pending, row.waived) = (sums.pending, sums.waived);
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

fn waiver(row: WaiverRow) -> Waiver {
    Waiver {
        id: row.id(),
        claim: ClaimId::new(row.jurisdiction, row.claim),
        amount: row.amount,
        document: row.document,
        reason: row.reason,
        status: row.signatures.status,
        made_at: row.signatures.made_at,
        checked_at: row.signatures.checked_at,
        refusal: row.signatures.reason,
    }
}
