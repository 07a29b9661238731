//! Review and approval: two pairs of eyes, one claim or a thousand at a time.
//!
//! A reviewer recommends, returns or rejects; another person approves, returns or rejects what was
//! recommended. One person who does both is refused here, and the constraint `claims_four_eyes`
//! proves it. Both state the revision that they saw: a verdict on a claim that changed since is
//! refused as stale.

use std::collections::HashSet;

use claims::ids::ClaimId;
use claims::life_cycle::Verb;
use store::claims::ClaimRow;

use super::Claims;
use super::first_answer::Moved;
use super::transition::{Move, Writes, legal};
use super::view::{self, ClaimState};
use crate::operation::access::{ApproveClaims, ReviewClaims};
use crate::operation::checks::{check_revision, reason};
use crate::operation::run::Operation;
use crate::operation::{Actor, Key, MAX_BATCH, Op, Permit, Refusal, Replayable, ServiceError};

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

/// A verdict of a reviewer or an approver.
#[derive(Debug, Clone)]
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
        let operation = self.op.of(permit).within(claim.jurisdiction.as_str())?;
        let why = reason(why, verdict != ReviewVerdict::Recommend)?;
        let verdict = Verdict {
            claim,
            if_match,
            verb: verdict.verb(),
            reason: why,
        };
        self.give_verdict(operation, verdict, key).await
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
        let operation = self.op.of(permit).within(claim.jurisdiction.as_str())?;
        let why = reason(why, verdict != ApprovalVerdict::Approve)?;
        let verdict = Verdict {
            claim,
            if_match,
            verb: verdict.verb(),
            reason: why,
        };
        self.give_verdict(operation, verdict, key).await
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
        let unit = async |mut op: Op<'_>| {
            let ids = checked.iter().flatten().map(|verdict| verdict.claim);
            let (books, mut rows) = self.lock_claims(&mut op.tx, &ids.collect::<Vec<_>>()).await?;
            let seen = rows.keys().copied().collect::<HashSet<_>>();
            let (mut writes, mut moved) = (Writes::default(), Vec::new());
            let mut results = Vec::with_capacity(checked.len());
            for verdict in &checked {
                let admitted = verdict.clone().and_then(|verdict| {
                    // A claim named twice has moved by the time its second verdict comes.
                    let row = rows.remove(&verdict.claim.uuid).ok_or_else(|| {
                        if seen.contains(&verdict.claim.uuid) {
                            let current = verdict.if_match.saturating_add(1);
                            Refusal::Stale { current }
                        } else {
                            Refusal::NotFound("claim")
                        }
                    })?;
                    verdict.admit(row, op.actor)
                });
                results.push(match admitted {
                    Ok(one) => {
                        let row = self.take_step(&mut writes, &books, one, &op)?;
                        let state = view::summary(&row);
                        moved.push(row);
                        Ok(state)
                    }
                    Err(refusal) => Err(refusal),
                });
            }
            let recorded = self.write_moves(&mut op, &moved, writes).await?;
            Ok(op.done(recorded, results))
        };
        self.op.of(permit).everywhere().run(unit).await
    }

    async fn give_verdict(
        &self,
        operation: Operation<'_>,
        verdict: Verdict,
        key: Option<Key>,
    ) -> Result<Replayable<ClaimState>, ServiceError> {
        let unit = async |mut op: Op<'_>| {
            let (books, row) = self.lock_claim(&mut op.tx, verdict.claim).await?;
            let row = row.ok_or(Refusal::NotFound("claim"))?;
            let one = verdict.clone().admit(row, op.actor)?;
            let (row, recorded) = self.move_claim(&mut op, &books, one).await?;
            Ok(op.done(recorded, Moved::of(&row)))
        };
        let given = operation.once_if("verdict", key.as_ref()).run(unit).await?;
        self.as_moved(given).await
    }
}

impl Verdict {
    /// The move that the verdict makes of a claim, if the claim admits it.
    fn admit(self, row: ClaimRow, actor: &Actor) -> Result<Move, Refusal> {
        check_revision(row.revision, Some(self.if_match))?;
        legal(&row, self.verb)?;
        if self.verb == Verb::Approve && row.reviewed_by.as_deref() == Some(&actor.person) {
            return Err(Refusal::FourEyes);
        }
        Ok(Move {
            row,
            verb: self.verb,
            reason: self.reason,
            document: None,
            part: None,
        })
    }
}
