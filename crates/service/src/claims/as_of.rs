//! Claims as they stood at an instant: its events up to then, folded, with what was sent and
//! decided last by then.
//!
//! Every change of a claim is an event with the revision that it made, so the fold of the events is
//! what an answer at that instant said. Events of the same instant count as passed.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use claims::ids::ClaimId;
use claims::life_cycle::{Status, Verb};
use policy::{Outcome, RuleResult};
use store::claims::{ClaimRow, DecisionRow};
use store::operation::EventRow;
use uuid::Uuid;

use super::Claims;
use super::queries::{ClaimDetail, ClaimQuery, visible};
use super::record::SUBMIT;
use super::view::{self, ClaimDecision, ClaimState, correction_deadline, limit_of, read_decision};
use crate::funds::limits::WAIT_FOR;
use crate::operation::access::ReadClaims;
use crate::operation::{Page, Permit, Refusal, ServiceError, paging};

/// What was decided at a revision, and on what.
struct Decided {
    decision: ClaimDecision,
    sent: claims::claim::Claim,
}

/// A claim and its events up to an instant.
struct Passed {
    row: ClaimRow,
    events: Vec<EventRow>,
}

/// A claim as it stood, with what was decided last by then.
struct Stood {
    row: ClaimRow,
    last: Decided,
}

/// Claims that are looked at together where a status is asked for, and how often at most for a
/// page.
const TOGETHER: i64 = 500;
const TIMES: usize = 20;

impl Claims {
    /// One claim as it stood at an instant. One that had not arrived yet does not exist.
    pub async fn claim_as_of(
        &self,
        permit: &Permit<ReadClaims>,
        id: ClaimId,
        instant: DateTime<Utc>,
    ) -> Result<ClaimDetail, ServiceError> {
        let mut conn = self.op.read().await?;
        let row = visible(permit, conn.claim(id).await?, id)?;
        let passed = passed(&mut conn, vec![row], instant).await?;
        let stood = self.stood(&mut conn, passed).await?.pop();
        let Stood { row, last } = stood.ok_or(Refusal::NotFound("claim"))?;
        let mut shown = view::summary(&row);
        shown.decision = Some(last.decision);
        Ok(ClaimDetail {
            state: shown,
            masked: crate::at_rest::document::masked(&last.sent),
        })
    }

    /// A page of claims as they stood at an instant, those that had arrived by then. Where a status
    /// is asked for that few had, a page may be shorter than its limit and be followed by another.
    pub async fn claims_as_of(
        &self,
        permit: &Permit<ReadClaims>,
        query: &ClaimQuery,
        instant: DateTime<Utc>,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<ClaimState>, ServiceError> {
        let anything = ClaimQuery {
            status: None,
            ..query.clone()
        };
        let mut filter = self.claim_filter(permit, &anything, cursor)?;
        let arrived = instant.checked_add_signed(TimeDelta::microseconds(1));
        filter.created_before = filter.created_before.into_iter().chain(arrived).min();
        let limit = limit.clamp(1, paging::MAX_PAGE);
        let together = query.status.map_or_else(|| paging::fetch(limit), |_| TOGETHER);
        let mut conn = self.op.read().await?;
        let mut found: Vec<Passed> = Vec::new();
        let mut more = true;
        for _ in 0..TIMES {
            let rows = conn.list_claims(&filter, together).await?;
            more = i64::try_from(rows.len()).is_ok_and(|read| read == together);
            filter.after = rows.last().map(|row| row.id).or(filter.after);
            let passed = passed(&mut conn, rows, instant).await?;
            let wanted = |it: &Passed| query.status.is_none_or(|status| it.status() == Some(status));
            found.extend(passed.into_iter().filter(wanted));
            if !more || found.len() > limit {
                break;
            }
        }
        if found.len() > limit {
            found.truncate(limit);
            more = true;
            filter.after = found.last().map(|it| it.row.id);
        }
        let next_cursor = filter.after.filter(|_| more).map(|last| paging::cursor(&last));
        let stood = self.stood(&mut conn, found).await?;
        let items = stood.iter().map(|it| view::summary(&it.row));
        Ok(Page {
            items: items.collect(),
            next_cursor: next_cursor.transpose()?,
        })
    }

    /// What the events made of the claims.
    async fn stood(&self, conn: &mut store::Conn, passed: Vec<Passed>) -> Result<Vec<Stood>, ServiceError> {
        let revisions = passed.iter().flat_map(|it| {
            let decided = it.events.iter().filter(|event| decides(event));
            decided.filter_map(|event| Some((it.row.id(), event.revision?)))
        });
        let rows = conn.decisions(&revisions.collect::<Vec<_>>()).await?;
        let mut decisions: BTreeMap<ClaimId, Vec<DecisionRow>> = BTreeMap::new();
        for row in rows {
            decisions.entry(row.claim()).or_default().push(row);
        }
        let instructed = passed.iter().filter(|it| {
            it.events
                .iter()
                .any(|event| event.verb == Verb::Instruct.as_str())
        });
        let instructed = instructed.map(|it| (it.row.jurisdiction.to_string(), it.row.id));
        let mut payouts: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
        for transfer in conn.instructions(&instructed.collect::<Vec<_>>()).await? {
            if let (Some(claim), Some(payout)) = (transfer.claim, transfer.document) {
                payouts.entry(claim).or_default().push(payout);
            }
        }
        let mut stood = Vec::with_capacity(passed.len());
        for Passed { row, events } in passed {
            let mut decided = BTreeMap::new();
            for decision in decisions.remove(&row.id()).unwrap_or_default() {
                decided.insert(decision.revision, self.decided(&row, &decision)?);
            }
            let payouts = payouts.remove(&row.id).unwrap_or_default();
            let mut row = fold(row, &events, &decided, &payouts)?;
            let last = decided.remove(&row.decided);
            let last = last.ok_or_else(|| ServiceError::bug("a claim has no decision"))?;
            row.merchant_reference = last.sent.merchant_reference.as_str().to_owned();
            stood.push(Stood { row, last });
        }
        Ok(stood)
    }

    fn decided(&self, row: &ClaimRow, decision: &DecisionRow) -> Result<Decided, ServiceError> {
        Ok(Decided {
            decision: read_decision(&self.catalogue.current(), &row.programme, decision)?,
            sent: self.open_sent(decision)?,
        })
    }
}

/// Those of the claims that had arrived by an instant, in their order, with what had been done to
/// each.
async fn passed(
    conn: &mut store::Conn,
    rows: Vec<ClaimRow>,
    instant: DateTime<Utc>,
) -> Result<Vec<Passed>, ServiceError> {
    let subjects = rows
        .iter()
        .map(|row| (row.jurisdiction.to_string(), row.id().to_string()))
        .collect::<Vec<_>>();
    let mut events: BTreeMap<String, Vec<EventRow>> = BTreeMap::new();
    for event in conn.events_until(&subjects, instant).await? {
        events.entry(event.subject.clone()).or_default().push(event);
    }
    let each = rows.into_iter().zip(&subjects);
    let passed = each.filter_map(|(row, (_, subject))| {
        let events = events.remove(subject)?;
        Some(Passed { row, events })
    });
    Ok(passed.collect())
}

impl Passed {
    fn status(&self) -> Option<Status> {
        let changes = self.events.iter().rev().filter(|event| event.verb != WAIT_FOR);
        changes
            .filter(|event| event.revision.is_some())
            .find_map(|event| Status::parse(event.to_status.as_deref()?))
    }
}

/// Whether an event is a decision on what was sent with it.
fn decides(event: &EventRow) -> bool {
    [SUBMIT, Verb::Correct.as_str()].contains(&event.verb.as_str())
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
        let status = event.to_status.as_deref().and_then(Status::parse);
        let (Some(revision), Some(status)) = (event.revision, status) else {
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
            if row.status == Status::NeedsCorrection {
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

/// A decision on the row. Whether it kept the reservation of the one before, and with it the
/// category it counts in.
fn decide(row: &mut ClaimRow, it: &Decided, reserved: &mut bool) -> bool {
    let decision = &it.decision;
    row.decided = row.revision;
    row.programme_version = i32::try_from(decision.programme.version()).unwrap_or(i32::MAX);
    row.disbursement = None;
    let cap = decision.rules().find(|rule| *rule.id == *"cap");
    let granted = cap.is_some_and(|rule| rule.outcome == RuleResult::Pass);
    if decision.outcome == Outcome::Waitlisted {
        row.waits_for = cap.and_then(limit_of);
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
