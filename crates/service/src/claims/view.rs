//! What a caller is shown of a claim, and how it is read back from its rows.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use claims::ids::{ClaimId, DisbursementId};
use claims::life_cycle::{Standing, Status};
use ledger::Fen;
use policy::{Decision, Outcome, Price, Programme, RuleOutcome, Value};
use store::claims::{ClaimRow, DecisionRow};

use crate::catalogue::Catalogue;
use crate::operation::{Actor, ServiceError};

/// A claim as it stands.
#[derive(Debug, Clone)]
pub struct ClaimState {
    pub id: ClaimId,
    pub status: Status,
    /// Goes up by one with every change; the ETag.
    pub revision: i32,
    pub programme: String,
    pub programme_version: u32,
    pub merchant: String,
    pub merchant_reference: String,
    pub category: String,
    pub created_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
    /// The subsidy; `None` while it cannot be priced.
    pub amount: Option<Fen>,
    /// Until when a correction is awaited; then the claim is rejected.
    pub correct_by: Option<DateTime<Utc>>,
    /// The limit whose money a waitlisted claim waits for: `<jurisdiction>/<scope>`.
    pub waits_for: Option<String>,
    pub disbursement: Option<DisbursementId>,
    /// `None` in lists.
    pub decision: Option<ClaimDecision>,
}

impl ClaimState {
    pub fn jurisdiction(&self) -> &str {
        self.id.jurisdiction.as_str()
    }
}

/// What was decided and why.
#[derive(Debug, Clone)]
pub struct ClaimDecision {
    pub outcome: Outcome,
    /// What the programme says of it: its rules, and the subsidy as priced.
    pub policy: Arc<Decision>,
    /// What the service decided itself: uniqueness, quota, caps.
    pub system: Vec<RuleOutcome>,
    /// `sha256:` of the receipt; `None` for a check, which leaves none.
    pub receipt: Option<String>,
    /// Its place in the county's log, from 0; `None` for a check.
    pub leaf: Option<i64>,
    /// The version that decided: it has every rule's clause and texts.
    pub programme: Arc<Programme>,
}

impl ClaimDecision {
    /// The subsidy as priced, if it could be.
    pub fn price(&self) -> Option<&Price> {
        self.policy.price.as_ref()
    }

    /// Every rule, in the order of the document, then what the service decided itself.
    pub fn rules(&self) -> impl Iterator<Item = &RuleOutcome> {
        self.policy.rules.iter().chain(&self.system)
    }
}

/// The claim's row without its decision.
pub(crate) fn summary(row: &ClaimRow) -> ClaimState {
    ClaimState {
        id: row.id(),
        status: row.status,
        revision: row.revision,
        programme: row.programme.clone(),
        programme_version: row.programme_version.unsigned_abs(),
        merchant: row.merchant.clone(),
        merchant_reference: row.merchant_reference.clone(),
        category: row.category.clone(),
        created_at: row.created_at,
        changed_at: row.changed_at,
        amount: row.amount,
        correct_by: row.correct_by,
        waits_for: row.waits_for.clone(),
        disbursement: row
            .disbursement
            .map(|id| DisbursementId::new(row.jurisdiction, id)),
        decision: None,
    }
}

/// The claim's row with its decision read back from the receipt.
pub(crate) fn detail(
    catalogue: &Catalogue,
    row: &ClaimRow,
    decision: &DecisionRow,
) -> Result<ClaimState, ServiceError> {
    let mut state = summary(row);
    state.decision = Some(read_decision(catalogue, &row.programme, decision)?);
    Ok(state)
}

/// Reads a decision back: the rules are evaluated again over the receipt's facts, which is what
/// makes it a receipt.
pub(super) fn read_decision(
    catalogue: &Catalogue,
    programme: &str,
    row: &DecisionRow,
) -> Result<ClaimDecision, ServiceError> {
    let receipt = receipt(row)?;
    let opened = policy::receipt::open(&receipt).map_err(ServiceError::bug)?;
    let programme = catalogue
        .version(programme, opened.version())
        .ok_or_else(|| ServiceError::bug("version gone"))?;
    let reading = opened.read(programme).map_err(ServiceError::bug)?;
    Ok(ClaimDecision {
        outcome: reading.outcome,
        policy: Arc::new(reading.decision),
        system: reading.system,
        receipt: Some(format!("sha256:{}", hex::encode(row.digest.0))),
        leaf: Some(row.leaf),
        programme: Arc::clone(programme),
    })
}

/// The receipt of a decision, byte for byte as it was hashed.
pub(crate) fn receipt(row: &DecisionRow) -> Result<String, ServiceError> {
    let text = crate::at_rest::packing::unpack(row.packing, row.receipt.clone())?;
    String::from_utf8(text).map_err(|_| ServiceError::bug("unreadable receipt"))
}

/// What the life cycle needs to know of a row.
pub(crate) fn standing(row: &ClaimRow) -> Standing {
    let status = row.status;
    let before_approval = matches!(
        status,
        Status::NeedsCorrection | Status::UnderReview | Status::Recommended
    );
    Standing {
        status,
        reserved: row.committed && before_approval,
    }
}

/// The status a decision gave a claim when it was made.
pub(super) fn first_status(outcome: Outcome) -> Status {
    match outcome {
        Outcome::Eligible => Status::UnderReview,
        Outcome::NeedsCorrection => Status::NeedsCorrection,
        Outcome::Ineligible => Status::Rejected,
        Outcome::Waitlisted => Status::Waitlisted,
    }
}

/// When a correction asked for now is due.
pub(super) fn correction_deadline(days: u32, now: DateTime<Utc>) -> DateTime<Utc> {
    now.checked_add_signed(Duration::days(i64::from(days)))
        .unwrap_or(now)
}

/// The limit that the service's rule on caps names.
pub(super) fn limit_of(cap: &RuleOutcome) -> Option<String> {
    match cap.facts.get("cap.limit")? {
        Value::Text(limit) => Some(limit.clone()),
        Value::Decimal(_) | Value::Date(_) | Value::Bool(_) => None,
    }
}

/// What a sealed document is bound to.
pub(crate) fn document_place(claim: ClaimId, revision: i32) -> String {
    format!("{}/{}/{revision}", claim.jurisdiction, claim.uuid)
}

/// The merchant a client claims for.
pub(crate) fn merchant(actor: &Actor) -> Result<String, ServiceError> {
    actor
        .merchant
        .clone()
        .ok_or_else(|| ServiceError::bug("a merchant's client has no merchant"))
}
