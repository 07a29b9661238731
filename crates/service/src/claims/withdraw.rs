//! Ending one's own claim: taking it back, or reporting that the goods came back.

use claims::clawback::ClawbackReason;
use claims::ids::ClaimId;
use claims::life_cycle::{Status, Verb};
use store::claims::ClaimRow;

use super::Claims;
use super::clawbacks::Demand;
use super::first_answer::Moved;
use super::transition::{Move, Part, legal};
use super::view::ClaimState;
use crate::operation::access::SubmitClaims;
use crate::operation::checks::{check_revision, reason};
use crate::operation::{Key, Op, Permit, Refusal, Replayable, ServiceError};

impl Claims {
    /// Takes a claim back before its payment is under way: money, keys, quota and entitlement are
    /// free again.
    pub async fn withdraw(
        &self,
        permit: &Permit<SubmitClaims>,
        claim: ClaimId,
        if_match: Option<i32>,
        why: Option<String>,
        key: Option<Key>,
    ) -> Result<Replayable<ClaimState>, ServiceError> {
        self.end(permit, claim, if_match, (Verb::Withdraw, why), key)
            .await
    }

    /// Reports that the goods came back. Before payment that ends the claim as a withdrawal does;
    /// after payment the subsidy is due back.
    pub async fn return_goods(
        &self,
        permit: &Permit<SubmitClaims>,
        claim: ClaimId,
        if_match: Option<i32>,
        why: Option<String>,
        key: Option<Key>,
    ) -> Result<Replayable<ClaimState>, ServiceError> {
        self.end(permit, claim, if_match, (Verb::Return, why), key).await
    }

    async fn end(
        &self,
        permit: &Permit<SubmitClaims>,
        claim: ClaimId,
        if_match: Option<i32>,
        (verb, why): (Verb, Option<String>),
        key: Option<Key>,
    ) -> Result<Replayable<ClaimState>, ServiceError> {
        let why = reason(why, false)?;
        let unit = async |mut op: Op<'_>| {
            let (books, row) = self.lock_claim(&mut op.tx, claim).await?;
            let row = own(permit, row)?;
            check_revision(row.revision, if_match)?;
            legal(&row, verb)?;
            let part = self.due_back(&mut op, &row, verb).await?;
            let one = Move {
                row,
                verb,
                reason: why.clone(),
                document: None,
                part,
            };
            let (row, recorded) = self.move_claim(&mut op, &books, one).await?;
            Ok(op.done(recorded, Moved::of(&row)))
        };
        let ended = self.op.of(permit).everywhere();
        let ended = ended.once_if(verb.as_str(), key.as_ref()).run(unit).await?;
        self.as_moved(ended).await
    }

    /// Which part of the claim's money is due back, if its goods come back after payment: the whole
    /// subsidy. Refuses the end of a claim of which netting paid part in a payment whose rest came
    /// back: first the rest is paid, then all of it is due back.
    async fn due_back(
        &self,
        op: &mut Op<'_>,
        row: &ClaimRow,
        verb: Verb,
    ) -> Result<Option<Part>, ServiceError> {
        match row.status {
            Status::Paid => {
                let demand = Demand {
                    reason: ClawbackReason::GoodsReturned,
                    amount: None,
                    document: None,
                };
                self.open_clawback(op, row, &demand).await.map(Some)
            }
            status @ (Status::Approved | Status::PaymentFailed) => {
                if op.tx.set_off(row.jurisdiction, &[row.id]).await?.is_empty() {
                    Ok(None)
                } else {
                    Err(Refusal::OutOfTurn { status, verb }.into())
                }
            }
            Status::NeedsCorrection
            | Status::Waitlisted
            | Status::UnderReview
            | Status::Recommended
            | Status::InPayment
            | Status::ClawbackDue
            | Status::ClawedBack
            | Status::Rejected
            | Status::Withdrawn
            | Status::Returned => Ok(None),
        }
    }
}

/// The caller's own claim; another merchant's does not exist for it.
pub(crate) fn own(permit: &Permit<SubmitClaims>, row: Option<ClaimRow>) -> Result<ClaimRow, Refusal> {
    row.filter(|row| Some(&row.merchant) == permit.actor().merchant.as_ref())
        .ok_or(Refusal::NotFound("claim"))
}
