//! A paid subsidy that came back: the money is available again, and what the claim held is free.

use claims::ids::ClaimId;
use claims::life_cycle::Verb;
use store::{Done, Tx};

use crate::access::{ManageFunds, Permit};
use crate::moving::{Move, Mover, check_revision, legal, reason};
use crate::state::ClaimState;
use crate::{Refusal, Service, ServiceError};

impl Service {
    /// Records that the whole subsidy of a claim that is due back was repaid, with the bank's document number as the reason.
    pub async fn claw_back(
        &self,
        permit: &Permit<ManageFunds>,
        claim: ClaimId,
        if_match: Option<i32>,
        document: Option<String>,
    ) -> Result<ClaimState, ServiceError> {
        permit.within(claim.jurisdiction.as_str())?;
        let document = reason(document, true)?;
        let repaid = self
            .store()
            .write(|tx| self.claw_back_in(tx, permit, claim, if_match, document.clone()))
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
        document: Option<String>,
    ) -> Result<Done<ClaimState>, ServiceError> {
        let (books, mut rows) = self.lock_claims(&mut tx, &[claim]).await?;
        let row = rows.remove(&claim.uuid).ok_or(Refusal::NotFound("claim"))?;
        check_revision(&row, if_match)?;
        legal(&row, Verb::ClawBack)?;
        let mover = Mover {
            actor: permit.actor(),
            now: self.clock().now(),
        };
        let moves = vec![Move {
            row,
            verb: Verb::ClawBack,
            reason: document,
            document: None,
        }];
        let moved = self.carry_out(&mut tx, &books, moves, mover).await?;
        let row = moved
            .first()
            .ok_or_else(|| ServiceError::bug("one move, one claim"))?;
        let state = self.detail(&mut tx, row).await?;
        Ok(tx.done(state))
    }
}
