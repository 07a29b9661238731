//! A claim as it stood at an instant: its events up to then, folded, with what was sent and decided last by then.
//!
//! Every change of a claim is an event with the revision that it made, so the fold of the events is what an answer at that instant
//! said. Events of the same instant count as passed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use claims::ids::ClaimId;
use claims::life_cycle::{Status, Verb};
use ledger::Reason;
use policy::{Outcome, RuleResult};
use store::claims::{ClaimRow, DecisionRow};
use store::funds::TransferFilter;
use store::journal::EventRow;
use uuid::Uuid;

use crate::access::{Permit, ReadClaims};
use crate::history::WAIT_FOR;
use crate::reading::{ClaimDetail, visible};
use crate::recording::{claim_subject, correction_deadline};
use crate::state::{self, ClaimDecision, read_decision};
use crate::{Refusal, Service, ServiceError};

/// What was decided at a revision, and on what.
struct Decided {
    decision: ClaimDecision,
    sent: claims::claim::Claim,
}

impl Service {
    /// One claim as it stood at an instant. One that had not arrived yet does not exist.
    pub async fn claim_as_of(
        &self,
        permit: &Permit<ReadClaims>,
        id: ClaimId,
        instant: DateTime<Utc>,
    ) -> Result<ClaimDetail, ServiceError> {
        let mut conn = self.store().read().await?;
        let row = visible(permit, conn.claim(id.jurisdiction.as_str(), id.uuid).await?, id)?;
        let subject = claim_subject(&row)?;
        let events = conn.events_until(&row.jurisdiction, &subject, instant).await?;
        if events.is_empty() {
            return Err(Refusal::NotFound("claim").into());
        }
        let revisions = events.iter().filter(|event| decides(event));
        let keys = revisions.filter_map(|event| Some((row.jurisdiction.clone(), row.id, event.revision?)));
        let rows = conn.decisions(&keys.collect::<Vec<_>>()).await?;
        let mut decided = BTreeMap::new();
        for decision in &rows {
            decided.insert(decision.revision, self.decided(&row, decision)?);
        }
        let disbursements = instructed(&mut conn, &row).await?;
        let mut then = fold(row, &events, &decided, &disbursements)?;
        let last = decided.remove(&then.decided);
        let Decided { decision, sent } = last.ok_or_else(|| ServiceError::bug("a claim has no decision"))?;
        then.merchant_reference = sent.merchant_reference.as_str().to_owned();
        let mut shown = state::summary(&then)?;
        shown.decision = Some(decision);
        Ok(ClaimDetail {
            state: shown,
            masked: crate::document::masked(&sent),
        })
    }

    fn decided(&self, row: &ClaimRow, decision: &DecisionRow) -> Result<Decided, ServiceError> {
        Ok(Decided {
            decision: read_decision(&self.catalogue(), &row.programme, decision)?,
            sent: self.open_sent(decision)?,
        })
    }
}

/// Disbursements that the claim was put into, in order.
async fn instructed(conn: &mut store::Conn, row: &ClaimRow) -> Result<Vec<Uuid>, ServiceError> {
    let filter = TransferFilter {
        jurisdiction: row.jurisdiction.clone(),
        after: 0,
        programme: None,
        claim: Some(row.id),
        from: None,
        before: None,
    };
    let transfers = conn.transfers(&filter, 10_000).await?;
    let instructed = transfers
        .into_iter()
        .filter(|transfer| transfer.reason == Reason::Instruct.as_str());
    Ok(instructed.filter_map(|transfer| transfer.document).collect())
}

/// Whether an event is a decision on what was sent with it.
fn decides(event: &EventRow) -> bool {
    matches!(event.verb.as_str(), "submit" | "correct")
}

/// The row as the events left it. What no event changes is as it is now.
fn fold(
    mut row: ClaimRow,
    events: &[EventRow],
    decided: &BTreeMap<i32, Decided>,
    disbursements: &[Uuid],
) -> Result<ClaimRow, ServiceError> {
    let mut disbursements = disbursements.iter();
    let mut reserved = false;
    (row.correct_by, row.waits_for, row.disbursement) = (None, None, None);
    for event in events {
        let (Some(revision), Some(status)) = (event.revision, event.to_status.clone()) else {
            continue;
        };
        row.revision = revision;
        if event.verb == WAIT_FOR {
            row.waits_for.clone_from(&event.reason);
            continue;
        }
        (row.status, row.changed_at) = (status, event.at);
        row.waits_for = None;
        let correct_by = row.correct_by.take();
        if decides(event) {
            let it = decided.get(&revision);
            let it = it.ok_or_else(|| ServiceError::bug("a decision is gone"))?;
            let kept = decide(&mut row, it, &mut reserved);
            if !kept {
                row.category = category(it);
            }
            if row.status == Status::NeedsCorrection.as_str() {
                let days = it.decision.programme.correction_days();
                row.correct_by = Some(correct_by.unwrap_or_else(|| correction_deadline(days, event.at)));
            }
        } else if event.verb == Verb::ReturnForCorrection.as_str() {
            let it = decided.get(&row.decided);
            let it = it.ok_or_else(|| ServiceError::bug("a decision is gone"))?;
            let days = it.decision.programme.correction_days();
            row.correct_by = Some(correction_deadline(days, event.at));
        }
        if event.verb == Verb::Instruct.as_str() {
            row.disbursement = disbursements.next().copied();
        } else if [Verb::CancelInstruction, Verb::FailPayment, Verb::ReturnPayment]
            .iter()
            .any(|verb| event.verb == verb.as_str())
        {
            row.disbursement = None;
        }
    }
    Ok(row)
}

/// A decision on the row. Whether it kept the reservation of the one before, and with it the category it counts in.
fn decide(row: &mut ClaimRow, it: &Decided, reserved: &mut bool) -> bool {
    let decision = &it.decision;
    row.decided = row.revision;
    row.programme_version = i32::try_from(decision.programme.version()).unwrap_or(i32::MAX);
    row.disbursement = None;
    let cap = decision.rules().find(|rule| *rule.id == *"cap");
    let granted = cap.is_some_and(|rule| rule.outcome == RuleResult::Pass);
    if decision.outcome == Outcome::Waitlisted {
        row.waits_for = cap.and_then(|rule| match rule.facts.get("cap.limit") {
            Some(policy::Value::Text(limit)) => Some(limit.clone()),
            _ => None,
        });
    }
    let kept = decision.outcome == Outcome::NeedsCorrection && !granted && *reserved;
    *reserved = match decision.outcome {
        Outcome::Eligible => true,
        Outcome::NeedsCorrection => granted || kept,
        Outcome::Waitlisted | Outcome::Ineligible => false,
    };
    kept
}

fn category(it: &Decided) -> String {
    let given = it.sent.item.category();
    let programme = &it.decision.programme;
    programme.canonical_category(given).unwrap_or(given).to_owned()
}
