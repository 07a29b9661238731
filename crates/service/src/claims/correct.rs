//! Correcting one's own claim: decided again, in the place it had, with the reservation it had as far as the amount allows.

use claims::claim::Claim;
use claims::ids::ClaimId;
use claims::life_cycle::Verb;
use store::claims::ClaimRow;
use store::{Done, Tx};

use super::Claims;
use super::evaluate::Candidate;
use super::record::{Before, Judged, judge, load_state, next_revision};
use super::transition::legal;
use super::view::{ClaimState, merchant};
use super::withdraw::own;
use crate::funds::limits;
use crate::operation::access::SubmitClaims;
use crate::operation::checks::check_revision;
use crate::operation::convert::fen;
use crate::operation::{Key, Permit, Refusal, Replayable, ServiceError};

impl Claims {
    /// Decides a claim again with what it says now. Its place, and its reservation as far as the amount allows, are kept.
    pub async fn correct(
        &self,
        permit: &Permit<SubmitClaims>,
        claim: ClaimId,
        if_match: Option<i32>,
        corrected: Claim,
        key: Option<Key>,
    ) -> Result<Replayable<ClaimState>, ServiceError> {
        let mut conn = self.op.read().await?;
        if let Some(value) = self.moved_before(&mut conn, permit.actor(), key.as_ref()).await? {
            return Ok(Replayable {
                value,
                replayed: true,
            });
        }
        let row = own(permit, conn.claim(claim.jurisdiction.as_str(), claim.uuid).await?)?;
        drop(conn);
        check_revision(row.revision, if_match)?;
        legal(&row, Verb::Correct)?;
        same_place(&row, &corrected)?;
        let merchant = merchant(permit.actor())?;
        let candidate = self
            .decide(vec![(corrected, merchant)], self.op.now())
            .await?
            .pop();
        let candidate = candidate.ok_or_else(|| ServiceError::bug("one claim, one candidate"))??;
        let seen = if_match.unwrap_or(row.revision);
        let unit = |tx| self.correct_in(tx, permit, claim, seen, &candidate, key.as_ref());
        let corrected = self.op.transaction(unit).await?;
        self.serve_called_waitlists().await;
        Ok(corrected)
    }

    async fn correct_in(
        &self,
        mut tx: Tx,
        permit: &Permit<SubmitClaims>,
        claim: ClaimId,
        seen: i32,
        candidate: &Candidate,
        key: Option<&Key>,
    ) -> Result<Done<Replayable<ClaimState>>, ServiceError> {
        let (actor, now) = (permit.actor(), self.op.now());
        let (mut books, mut rows) = self.lock_claims(&mut tx, &[claim]).await?;
        if let Some(value) = self.moved_before(&mut tx, actor, key).await? {
            return Ok(tx.done(Replayable {
                value,
                replayed: true,
            }));
        }
        let row = own(permit, rows.remove(&claim.uuid))?;
        check_revision(row.revision, Some(seen))?;
        legal(&row, Verb::Correct)?;
        if row.correct_by.is_some_and(|deadline| deadline < now) {
            return Err(Refusal::Settled {
                what: "correction",
                status: "overdue".into(),
            }
            .into());
        }
        let sent = self
            .sent_claims(&mut tx, std::slice::from_ref(&row))
            .await?
            .remove(&row.id);
        let sent = sent.ok_or_else(|| ServiceError::bug("a claim has no document"))?;
        let keys = claims::keys::unique_keys(&sent, |domain, text| self.vault.digest(domain, text));
        let catalogue = self.catalogue.current();
        if let Some(amount) = row.amount.filter(|_| row.committed) {
            let mut counted = limits::touched_by(&books, &catalogue, &row)?;
            counted.dedup();
            books.forget(&counted, fen(amount)?);
        }
        let before = Before { row, keys };
        let mut state = load_state(&mut tx, &books, &[(candidate, Some(&before))]).await?;
        let judgement = judge(&catalogue, &books, &mut state, candidate, Some(&before), now)?;
        let less = !judgement.ruled.reserve || before.row.amount > judgement.amount.map(ledger::Fen::get);
        let freed = judgement.ruled.release && less;
        let fund = (before.row.jurisdiction.clone(), before.row.programme.clone());
        let sealed = self.seal(&candidate.claim, before.row.id, next_revision(Some(&before)))?;
        let judged = [Judged {
            candidate,
            judgement,
            id: before.row.id,
            before: Some(&before),
            sealed: &sealed,
            actor,
            at: now,
        }];
        let states = self.record(&mut tx, &books, &judged).await?;
        if freed {
            self.funds.call_waitlist(&mut tx, fund, now).await?;
        }
        let row = tx.claim(claim.jurisdiction.as_str(), claim.uuid).await?;
        self.keep_move(
            &mut tx,
            actor,
            key,
            "correct",
            &row.ok_or(Refusal::NotFound("claim"))?,
        )
        .await?;
        let value = states
            .into_iter()
            .next()
            .ok_or_else(|| ServiceError::bug("one claim, one state"))?;
        Ok(tx.done(Replayable {
            value,
            replayed: false,
        }))
    }
}

fn same_place(row: &ClaimRow, corrected: &Claim) -> Result<(), Refusal> {
    let moved = [
        ("/programme", row.programme == corrected.programme.as_str()),
        (
            "/jurisdiction",
            row.jurisdiction == corrected.jurisdiction.as_str(),
        ),
    ];
    match moved.into_iter().find(|(_, same)| !same) {
        None => Ok(()),
        Some((pointer, _)) => Err(Refusal::field(
            pointer,
            "correction.moves-claim",
            "更正不能改变补贴项目或辖区；请撤回本申请后另行提交",
            "a correction cannot change programme or county: withdraw this claim and submit another",
        )),
    }
}
