//! A claim as it was first answered: what an idempotency key gives again, whatever became of the
//! claim later.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use claims::ids::ClaimId;
use claims::life_cycle::Status;
use ledger::Fen;
use store::claims::ClaimRow;
use store::operation::IdempotencyRow;
use uuid::Uuid;

use super::Claims;
use super::view::{self, ClaimState, correction_deadline, limit_of};
use crate::operation::convert::{by_id, code};
use crate::operation::{Replayable, ServiceError, stored_answer};

/// How a move left a claim: enough to give the first answer again, whatever came later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moved {
    claim: ClaimId,
    status: Status,
    revision: i32,
    decided: i32,
    changed_at: DateTime<Utc>,
    amount: Option<Fen>,
    correct_by: Option<DateTime<Utc>>,
    waits_for: Option<String>,
    disbursement: Option<Uuid>,
}

stored_answer! { "claim_move.1" => Moved {
    claim, status, revision, decided, changed_at, amount, correct_by, waits_for, disbursement,
} }

impl Moved {
    pub(super) fn of(row: &ClaimRow) -> Self {
        Self {
            claim: row.id(),
            status: row.status,
            revision: row.revision,
            decided: row.decided,
            changed_at: row.changed_at,
            amount: row.amount,
            correct_by: row.correct_by,
            waits_for: row.waits_for.clone(),
            disbursement: row.disbursement,
        }
    }
}

impl Claims {
    /// The claim as a move left it, whatever came later. The first answer and its repetitions are
    /// all read here, after the commit.
    pub(super) async fn as_moved(
        &self,
        moved: Replayable<Moved>,
    ) -> Result<Replayable<ClaimState>, ServiceError> {
        let Replayable { value, replayed } = moved;
        let mut conn = self.op.read().await?;
        let row = conn.claim(value.claim).await?;
        let mut row = row.ok_or_else(|| ServiceError::bug("a remembered claim is gone"))?;
        row.status = value.status;
        (row.revision, row.decided) = (value.revision, value.decided);
        row.changed_at = value.changed_at;
        (row.amount, row.correct_by) = (value.amount, value.correct_by);
        (row.waits_for, row.disbursement) = (value.waits_for, value.disbursement);
        let value = self.detail(&mut conn, &row).await?;
        Ok(Replayable { value, replayed })
    }

    /// The answers given when these keys were first used to submit a claim, by client and key.
    pub(super) async fn first_answers(
        &self,
        rows: &[IdempotencyRow],
    ) -> Result<HashMap<(String, String), ClaimState>, ServiceError> {
        if rows.is_empty() {
            return Ok(HashMap::new());
        }
        let mut conn = self.op.read().await?;
        self.first_answers_in(&mut conn, rows).await
    }

    /// The same: a claim as its first decision left it, whatever came later.
    pub(super) async fn first_answers_in(
        &self,
        conn: &mut store::Conn,
        rows: &[IdempotencyRow],
    ) -> Result<HashMap<(String, String), ClaimState>, ServiceError> {
        let mut wanted = Vec::with_capacity(rows.len());
        for row in rows {
            if let (Some(county), Some(claim)) = (&row.claim_jurisdiction, row.claim) {
                let used = (row.client.clone(), row.key.clone());
                wanted.push((used, ClaimId::new(code(county)?, claim)));
            }
        }
        let ids = wanted.iter().map(|(_, id)| *id).collect::<Vec<_>>();
        let firsts = ids.iter().map(|id| (*id, 1)).collect::<Vec<_>>();
        let claims = by_id(conn.claims_by_id(&ids).await?, |row| row.id);
        let decisions = by_id(conn.decisions(&firsts).await?, |row| row.claim);
        let catalogue = self.catalogue.current();
        let mut answers = HashMap::new();
        for (key, id) in wanted {
            let (Some(row), Some(decision)) = (claims.get(&id.uuid), decisions.get(&id.uuid)) else {
                return Err(ServiceError::bug("a remembered claim is gone"));
            };
            let mut first = view::detail(&catalogue, row, decision)?;
            as_first_answered(&mut first)?;
            answers.insert(key, first);
        }
        Ok(answers)
    }
}

fn as_first_answered(state: &mut ClaimState) -> Result<(), ServiceError> {
    let decision = state
        .decision
        .as_ref()
        .ok_or_else(|| ServiceError::bug("no decision"))?;
    state.status = view::first_status(decision.outcome);
    state.revision = 1;
    state.programme_version = decision.programme.version();
    state.changed_at = state.created_at;
    let amount = decision
        .price()
        .map(|price| ledger::Fen::from_decimal(price.amount));
    state.amount = amount
        .transpose()
        .map_err(ServiceError::bug)?
        .filter(|fen| !fen.is_zero());
    let needs_correction = decision.outcome == policy::Outcome::NeedsCorrection;
    state.correct_by =
        needs_correction.then(|| correction_deadline(decision.programme.correction_days(), state.created_at));
    let waitlisted = decision.outcome == policy::Outcome::Waitlisted;
    let cap = decision.rules().find(|rule| waitlisted && *rule.id == *"cap");
    state.waits_for = cap.and_then(limit_of);
    state.disbursement = None;
    Ok(())
}
