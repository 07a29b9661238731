//! Correcting one's own claim: decided again, in the place it had, with the reservation it had as
//! far as the amount allows.

use claims::claim::Claim;
use claims::ids::ClaimId;
use claims::life_cycle::Verb;
use store::claims::ClaimRow;

use super::Claims;
use super::evaluate::Candidate;
use super::first_answer::Moved;
use super::record::{Before, Judged, Writes, judge, load_state, next_revision};
use super::transition::{fund_of, legal};
use super::view::{ClaimState, merchant};
use super::withdraw::own;
use crate::funds::limits;
use crate::operation::access::SubmitClaims;
use crate::operation::checks::check_revision;
use crate::operation::{Finished, Key, Op, Permit, Refusal, Replayable, ServiceError};

/// What a claim says now, decided.
struct Correction {
    /// The revision that the claimant saw.
    seen: i32,
    candidate: Candidate,
}

impl Claims {
    /// Decides a claim again with what it says now. Its place, and its reservation as far as the
    /// amount allows, are kept.
    pub async fn correct(
        &self,
        permit: &Permit<SubmitClaims>,
        claim: ClaimId,
        if_match: Option<i32>,
        corrected: Claim,
        key: Option<Key>,
    ) -> Result<Replayable<ClaimState>, ServiceError> {
        // A repeat is refused for what the first request did, so that its key is asked for first.
        let correction = self.correction(permit, claim, if_match, corrected).await?;
        let unit = async |op: Op<'_>| {
            let correction = correction.as_ref().map_err(Clone::clone)?;
            self.record_correction(op, permit, claim, correction).await
        };
        let moved = self.op.of(permit).everywhere();
        let moved = moved
            .once_if(Verb::Correct.as_str(), key.as_ref())
            .run(unit)
            .await?;
        self.as_moved(moved).await
    }

    /// Decides what a claim says now, before its transaction opens.
    async fn correction(
        &self,
        permit: &Permit<SubmitClaims>,
        claim: ClaimId,
        if_match: Option<i32>,
        corrected: Claim,
    ) -> Result<Result<Correction, Refusal>, ServiceError> {
        let mut conn = self.op.read().await?;
        let row = conn.claim(claim).await?;
        drop(conn);
        let open = open_to_correction(permit, row, if_match).and_then(|row| {
            same_place(&row, &corrected)?;
            Ok(row)
        });
        let row = match open {
            Ok(row) => row,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let merchant = merchant(permit.actor())?;
        let candidate = self.decide_one(corrected, merchant, self.op.now()).await?;
        let seen = if_match.unwrap_or(row.revision);
        Ok(candidate.map(|candidate| Correction { seen, candidate }))
    }

    async fn record_correction<'a>(
        &self,
        mut op: Op<'a>,
        permit: &Permit<SubmitClaims>,
        claim: ClaimId,
        Correction { seen, candidate }: &Correction,
    ) -> Result<Finished<Moved>, ServiceError> {
        let (mut books, row) = self.lock_claim(&mut op.tx, claim).await?;
        let row = open_to_correction(permit, row, Some(*seen))?;
        if row.correct_by.is_some_and(|deadline| deadline < op.now) {
            return Err(Refusal::Settled {
                what: "correction",
                status: "overdue".into(),
            }
            .into());
        }
        let sent = self.sent_claim(&mut op.tx, &row).await?;
        let keys = claims::keys::unique_keys(&sent, |domain, text| self.vault.digest(domain, text));
        let catalogue = self.catalogue.current();
        if let Some(amount) = row.amount.filter(|_| row.committed) {
            let mut counted = limits::touched_by(&books, &catalogue, &row)?;
            counted.dedup();
            books.forget(&counted, amount);
        }
        let before = Before { row, keys };
        let mut state = load_state(&mut op.tx, &books, &[(candidate, Some(&before))]).await?;
        let judgement = judge(&catalogue, &books, &mut state, candidate, Some(&before), op.now)?;
        let less = !judgement.ruled.reserve || before.row.amount > judgement.amount;
        let freed = judgement.ruled.release && less;
        let sealed = self.seal(&candidate.claim, before.row.id, next_revision(Some(&before)))?;
        let judged = Judged {
            candidate,
            judgement,
            id: before.row.id,
            before: Some(&before),
            sealed: &sealed,
            actor: op.actor,
            at: op.now,
        };
        let row = judged.row()?;
        let moved = Moved::of(&row);
        let mut writes = Writes::default();
        self.gather(&mut writes, &books, &judged, row)?;
        let recorded = op.record_claims(&books.heads, writes.finish()).await?;
        if freed {
            op.call_waitlist(fund_of(&before.row)).await?;
        }
        Ok(op.done(recorded, moved))
    }
}

/// The caller's own claim, as the caller saw it and awaiting a correction.
fn open_to_correction(
    permit: &Permit<SubmitClaims>,
    row: Option<ClaimRow>,
    if_match: Option<i32>,
) -> Result<ClaimRow, Refusal> {
    let row = own(permit, row)?;
    check_revision(row.revision, if_match)?;
    legal(&row, Verb::Correct)?;
    Ok(row)
}

fn same_place(row: &ClaimRow, corrected: &Claim) -> Result<(), Refusal> {
    let moved = [
        ("/programme", row.programme == corrected.programme.as_str()),
        ("/jurisdiction", row.jurisdiction == corrected.jurisdiction),
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
