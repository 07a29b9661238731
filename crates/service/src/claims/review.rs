//! Review and approval: two pairs of eyes, one claim or a thousand at a time.
//!
//! A reviewer recommends, returns or rejects; another person approves, returns or rejects what was recommended. That they
//! are two persons is refused here with a word and proved by `claims_four_eyes`. Both say which revision they saw: what
//! changed under their hands is refused as stale.

use std::collections::HashSet;

use claims::ids::ClaimId;
use claims::life_cycle::Verb;
use store::claims::ClaimRow;
use store::{Done, Tx};

use super::Claims;
use super::transition::{Move, Mover, legal};
use super::view::{self, ClaimState};
use crate::operation::access::{ApproveClaims, ReviewClaims};
use crate::operation::checks::{check_revision, reason};
use crate::operation::{Actor, Key, MAX_BATCH, Permit, Refusal, Replayable, ServiceError};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewVerdict {
    Recommend,
    /// Back to the claimant, to be corrected.
    Return,
    Reject,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalVerdict {
    Approve,
    /// Back to review.
    Return,
    Reject,
}

impl ReviewVerdict {
    fn verb(self) -> Verb {
        match self {
            Self::Recommend => Verb::Recommend,
            Self::Return => Verb::ReturnForCorrection,
            Self::Reject => Verb::RejectReview,
        }
    }
}

impl ApprovalVerdict {
    fn verb(self) -> Verb {
        match self {
            Self::Approve => Verb::Approve,
            Self::Return => Verb::ReturnToReview,
            Self::Reject => Verb::RejectApproval,
        }
    }
}

/// One of many approvals: the claim, the revision that was seen, and the verdict.
#[derive(Debug, Clone)]
pub struct Approval {
    pub claim: ClaimId,
    pub if_match: i32,
    pub verdict: ApprovalVerdict,
    pub reason: Option<String>,
}

/// A verdict on its way to being carried out.
struct Verdict {
    claim: ClaimId,
    if_match: i32,
    verb: Verb,
    reason: Option<String>,
}

impl Claims {
    /// The reviewer's verdict.
    pub async fn review(
        &self,
        permit: &Permit<ReviewClaims>,
        claim: ClaimId,
        if_match: i32,
        verdict: ReviewVerdict,
        why: Option<String>,
        key: Option<Key>,
    ) -> Result<Replayable<ClaimState>, ServiceError> {
        permit.within(claim.jurisdiction.as_str())?;
        let why = reason(why, verdict != ReviewVerdict::Recommend)?;
        let verdict = Verdict {
            claim,
            if_match,
            verb: verdict.verb(),
            reason: why,
        };
        self.give_verdict(permit.actor(), verdict, key).await
    }

    /// The approver's verdict on what a reviewer recommended.
    pub async fn approve(
        &self,
        permit: &Permit<ApproveClaims>,
        claim: ClaimId,
        if_match: i32,
        verdict: ApprovalVerdict,
        why: Option<String>,
        key: Option<Key>,
    ) -> Result<Replayable<ClaimState>, ServiceError> {
        permit.within(claim.jurisdiction.as_str())?;
        let why = reason(why, verdict != ApprovalVerdict::Approve)?;
        let verdict = Verdict {
            claim,
            if_match,
            verb: verdict.verb(),
            reason: why,
        };
        self.give_verdict(permit.actor(), verdict, key).await
    }

    /// Up to a thousand verdicts in one transaction, each with its own result.
    pub async fn approve_many(
        &self,
        permit: &Permit<ApproveClaims>,
        approvals: Vec<Approval>,
    ) -> Result<Vec<Result<ClaimState, Refusal>>, ServiceError> {
        if approvals.len() > MAX_BATCH {
            return Err(Refusal::TooMany {
                what: "approvals",
                limit: MAX_BATCH,
            }
            .into());
        }
        let checked = approvals.into_iter().map(|approval| {
            permit.within(approval.claim.jurisdiction.as_str())?;
            let why = reason(approval.reason, approval.verdict != ApprovalVerdict::Approve)?;
            Ok(Verdict {
                claim: approval.claim,
                if_match: approval.if_match,
                verb: approval.verdict.verb(),
                reason: why,
            })
        });
        let checked = checked.collect::<Vec<Result<Verdict, Refusal>>>();
        let results = self
            .op
            .transaction(|tx| self.verdicts_in(tx, &checked, permit.actor()))
            .await?;
        self.serve_called_waitlists().await;
        Ok(results)
    }

    async fn give_verdict(
        &self,
        actor: &Actor,
        verdict: Verdict,
        key: Option<Key>,
    ) -> Result<Replayable<ClaimState>, ServiceError> {
        let one = [Ok(verdict)];
        let given = self
            .op
            .transaction(|tx| self.verdict_in(tx, &one, actor, key.as_ref()))
            .await?;
        self.serve_called_waitlists().await;
        Ok(given)
    }

    async fn verdict_in(
        &self,
        mut tx: Tx,
        verdict: &[Result<Verdict, Refusal>],
        actor: &Actor,
        key: Option<&Key>,
    ) -> Result<Done<Replayable<ClaimState>>, ServiceError> {
        if key.is_some() {
            // Whoever races with the same key commits before the key is looked up.
            let claims = verdict
                .iter()
                .flatten()
                .map(|verdict| verdict.claim)
                .collect::<Vec<_>>();
            self.lock_claims(&mut tx, &claims).await?;
        }
        if let Some(value) = self.moved_before(&mut tx, actor, key).await? {
            return Ok(tx.done(Replayable {
                value,
                replayed: true,
            }));
        }
        let (moved, results) = self.carry_out_verdicts(&mut tx, verdict, actor).await?;
        results
            .into_iter()
            .next()
            .ok_or_else(|| ServiceError::bug("one verdict, one result"))??;
        let row = moved
            .first()
            .ok_or_else(|| ServiceError::bug("a verdict without a claim"))?;
        self.keep_move(&mut tx, actor, key, "verdict", row).await?;
        let given = self.detail(&mut tx, row).await?;
        Ok(tx.done(Replayable {
            value: given,
            replayed: false,
        }))
    }

    async fn verdicts_in(
        &self,
        mut tx: Tx,
        verdicts: &[Result<Verdict, Refusal>],
        actor: &Actor,
    ) -> Result<Done<Vec<Result<ClaimState, Refusal>>>, ServiceError> {
        let (_, results) = self.carry_out_verdicts(&mut tx, verdicts, actor).await?;
        Ok(tx.done(results))
    }

    /// Results without their decisions.
    async fn carry_out_verdicts(
        &self,
        tx: &mut Tx,
        verdicts: &[Result<Verdict, Refusal>],
        actor: &Actor,
    ) -> Result<(Vec<ClaimRow>, Vec<Result<ClaimState, Refusal>>), ServiceError> {
        let mover = Mover {
            actor,
            now: self.op.now(),
        };
        let ids = verdicts
            .iter()
            .flatten()
            .map(|verdict| verdict.claim)
            .collect::<Vec<_>>();
        let (books, mut rows) = self.lock_claims(tx, &ids).await?;
        let seen = rows.keys().copied().collect::<HashSet<_>>();
        let mut moves = Vec::new();
        let mut results = Vec::with_capacity(verdicts.len());
        for verdict in verdicts {
            let step = match verdict {
                Err(refusal) => Err(refusal.clone()),
                // A claim named twice has moved by the time its second verdict comes: it is no longer in the map.
                Ok(verdict) => match rows.remove(&verdict.claim.uuid) {
                    None if seen.contains(&verdict.claim.uuid) => Err(Refusal::Stale {
                        current: verdict.if_match.saturating_add(1),
                    }),
                    None => Err(Refusal::NotFound("claim")),
                    Some(row) => admissible(&row, verdict, actor).map(|()| {
                        moves.push(Move {
                            row,
                            verb: verdict.verb,
                            reason: verdict.reason.clone(),
                            document: None,
                            part: None,
                        });
                    }),
                },
            };
            results.push(step);
        }
        let moved = self.carry_out(tx, &books, moves, mover).await?;
        let mut shown = moved.iter().map(view::summary);
        let results = results.into_iter().map(|result| match result {
            Ok(()) => {
                let shown = shown.next();
                let shown = shown.ok_or_else(|| ServiceError::bug("a verdict without a claim"))?;
                Ok(Ok(shown?))
            }
            Err(refusal) => Ok(Err(refusal)),
        });
        let results = results.collect::<Result<Vec<_>, ServiceError>>()?;
        Ok((moved, results))
    }
}

fn admissible(row: &ClaimRow, verdict: &Verdict, actor: &Actor) -> Result<(), Refusal> {
    check_revision(row.revision, Some(verdict.if_match))?;
    legal(row, verdict.verb).map_err(|error| match error {
        ServiceError::Refused(refusal) => refusal,
        _ => Refusal::NotFound("claim"),
    })?;
    if verdict.verb == Verb::Approve && row.reviewed_by.as_deref() == Some(&actor.person) {
        return Err(Refusal::FourEyes);
    }
    Ok(())
}
