//! Ending one's own claim: taking it back, or reporting that the goods came back.

use claims::clawback::ClawbackReason;
use claims::ids::ClaimId;
use claims::life_cycle::{Status, Verb};
use store::claims::ClaimRow;
use store::{Done, Tx};

use super::Claims;
use super::clawbacks::Demand;
use super::transition::{Move, Mover, legal};
use super::view::ClaimState;
use crate::operation::access::SubmitClaims;
use crate::operation::checks::{check_revision, reason};
use crate::operation::{Key, Permit, Refusal, Replayable, ServiceError};

impl Claims {
    /// Takes a claim back before its payment is under way: money, keys, quota and entitlement are free again.
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

    /// Reports that the goods came back. Before payment that ends the claim as a withdrawal does; after payment the subsidy
    /// is due back.
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
        let how = (verb, reason(why, false)?);
        let ended = self
            .op
            .transaction(|tx| self.end_in(tx, permit, claim, if_match, &how, key.as_ref()))
            .await?;
        self.serve_called_waitlists().await;
        Ok(ended)
    }

    async fn end_in(
        &self,
        mut tx: Tx,
        permit: &Permit<SubmitClaims>,
        claim: ClaimId,
        if_match: Option<i32>,
        (verb, why): &(Verb, Option<String>),
        key: Option<&Key>,
    ) -> Result<Done<Replayable<ClaimState>>, ServiceError> {
        let actor = permit.actor();
        let (books, mut rows) = self.lock_claims(&mut tx, &[claim]).await?;
        // Under the lock, where whoever raced with the same key has committed.
        if let Some(value) = self.moved_before(&mut tx, actor, key).await? {
            return Ok(tx.done(Replayable {
                value,
                replayed: true,
            }));
        }
        let row = own(permit, rows.remove(&claim.uuid))?;
        check_revision(row.revision, if_match)?;
        legal(&row, *verb)?;
        let mover = Mover {
            actor,
            now: self.op.now(),
        };
        let part = match Status::parse(&row.status) {
            // Goods that come back after payment: the whole subsidy is due back.
            Some(Status::Paid) => {
                let demand = Demand {
                    reason: ClawbackReason::GoodsReturned,
                    amount: None,
                    document: None,
                };
                Some(self.open_clawback(&mut tx, &row, &demand, mover).await?)
            }
            // Netting paid part of it in a payment whose rest came back: first the rest is paid, then all of it is due back.
            Some(status @ (Status::Approved | Status::PaymentFailed))
                if !tx.set_off(&row.jurisdiction, &[row.id]).await?.is_empty() =>
            {
                return Err(Refusal::OutOfTurn { status, verb: *verb }.into());
            }
            _ => None,
        };
        let moves = vec![Move {
            row,
            verb: *verb,
            reason: why.clone(),
            document: None,
            part,
        }];
        let moved = self.carry_out(&mut tx, &books, moves, mover).await?;
        let row = moved
            .first()
            .ok_or_else(|| ServiceError::bug("one move, one claim"))?;
        self.keep_move(&mut tx, actor, key, verb.as_str(), row).await?;
        let value = self.detail(&mut tx, row).await?;
        Ok(tx.done(Replayable {
            value,
            replayed: false,
        }))
    }
}

/// The caller's own claim; another merchant's does not exist for it.
pub(crate) fn own(permit: &Permit<SubmitClaims>, row: Option<ClaimRow>) -> Result<ClaimRow, Refusal> {
    row.filter(|row| Some(&row.merchant) == permit.actor().merchant.as_ref())
        .ok_or(Refusal::NotFound("claim"))
}
