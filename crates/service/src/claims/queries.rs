//! Looking at claims: one's own, or one's counties'. Personal data is masked; a look at it is an
//! audit event.

use chrono::{DateTime, NaiveDate, Utc};
use claims::ids::ClaimId;
use claims::life_cycle::Status;
use ledger::log::Hash;
use store::claims::{ClaimFilter, ClaimRow};
use store::operation::EventRow;
use uuid::Uuid;

use super::Claims;
use super::view::{self, ClaimState};
use crate::operation::access::{ReadClaims, RevealClaims};
use crate::operation::checks::reason;
use crate::operation::{Op, Page, Permit, Refusal, ServiceError, paging};
use timing::shanghai;

/// Which claims a list is about; dates are days of arrival in Asia/Shanghai, both included.
#[derive(Debug, Clone, Default)]
pub struct ClaimQuery {
    pub jurisdiction: Option<String>,
    pub programme: Option<String>,
    pub status: Option<Status>,
    pub merchant: Option<String>,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    /// The order in which a county works: oldest first. Otherwise newest first.
    pub oldest_first: bool,
}

/// A claim with its decision and, masked, what was sent.
#[derive(Debug, Clone)]
pub struct ClaimDetail {
    pub state: ClaimState,
    pub masked: serde_json::Value,
}

/// Something that was done to a claim.
#[derive(Debug, Clone)]
pub struct Event {
    pub id: Uuid,
    pub verb: String,
    pub at: DateTime<Utc>,
    /// The credential that did it, and the person behind it; empty for a merchant.
    pub actor: String,
    pub person: String,
    pub revision: Option<i32>,
    pub from_status: Option<String>,
    pub to_status: Option<String>,
    pub reason: Option<String>,
    /// The claim as it stood before the event.
    pub seen: Option<Seen>,
}

/// A claim at a revision, with the decision that stood then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub revision: i32,
    /// `sha256:` of the receipt of the decision that stood.
    pub receipt: String,
}

impl Claims {
    /// One claim. Another merchant's does not exist for a merchant; another county's is refused.
    pub async fn claim(&self, permit: &Permit<ReadClaims>, id: ClaimId) -> Result<ClaimDetail, ServiceError> {
        let mut conn = self.op.read().await?;
        let row = visible(permit, conn.claim(id).await?, id)?;
        let state = self.detail(&mut conn, &row).await?;
        let sent = self.sent_claim(&mut conn, &row).await?;
        Ok(ClaimDetail {
            state,
            masked: crate::at_rest::document::masked(&sent),
        })
    }

    /// The receipt of the decision that stands, byte for byte as it was hashed.
    pub async fn receipt(&self, permit: &Permit<ReadClaims>, id: ClaimId) -> Result<String, ServiceError> {
        let mut conn = self.op.read().await?;
        let row = visible(permit, conn.claim(id).await?, id)?;
        let decision = conn.decision(id, row.decided).await?;
        view::receipt(&decision.ok_or_else(|| ServiceError::bug("a claim has no decision"))?)
    }

    /// A page of claims without their decisions.
    pub async fn claims(
        &self,
        permit: &Permit<ReadClaims>,
        query: &ClaimQuery,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<ClaimState>, ServiceError> {
        let filter = self.claim_filter(permit, query, cursor)?;
        let rows = self
            .op
            .read()
            .await?
            .list_claims(&filter, paging::fetch(limit))
            .await?;
        paging::page(rows, limit, |row| row.id)?.try_map(|row| Ok(view::summary(&row)))
    }

    /// Which rows a list is of that the caller may see.
    pub(super) fn claim_filter(
        &self,
        permit: &Permit<ReadClaims>,
        query: &ClaimQuery,
        cursor: Option<&str>,
    ) -> Result<ClaimFilter, Refusal> {
        let actor = permit.actor();
        let merchant = if actor.role.is_merchant() {
            actor.merchant.clone()
        } else {
            query.merchant.clone()
        };
        let catalogue = self.catalogue.current();
        let mut filter = ClaimFilter {
            jurisdictions: paging::counties(permit, query.jurisdiction.clone())?,
            merchant,
            programmes: query.programme.iter().cloned().collect(),
            statuses: query.status.into_iter().collect(),
            created_from: query.from.map(shanghai::midnight),
            created_before: query.to.and_then(|day| day.succ_opt()).map(shanghai::midnight),
            after: paging::read(cursor)?,
            oldest_first: query.oldest_first,
        };
        if filter.merchant.is_none() {
            // A county's list is the merge of its queues: all of them are named.
            if filter.jurisdictions.is_empty() {
                filter.jurisdictions = catalogue.jurisdictions().map(|it| it.code.clone()).collect();
            }
            if filter.programmes.is_empty() && !filter.statuses.is_empty() {
                filter.programmes = catalogue.newest().map(|it| it.id().to_owned()).collect();
            }
            if filter.statuses.is_empty() && !filter.programmes.is_empty() {
                filter.statuses = Status::ALL.to_vec();
            }
        }
        Ok(filter)
    }

    /// What was done to a claim, oldest first.
    pub async fn claim_events(
        &self,
        permit: &Permit<ReadClaims>,
        id: ClaimId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Event>, ServiceError> {
        let after = paging::read(cursor)?;
        let mut conn = self.op.read().await?;
        visible(permit, conn.claim(id).await?, id)?;
        let rows = conn
            .events(
                id.jurisdiction.as_str(),
                &id.to_string(),
                after,
                paging::fetch(limit),
            )
            .await?;
        let digests = conn.decision_digests(id).await?;
        let hidden = permit.actor().role.is_merchant();
        // A merchant need not know which clerk it was.
        let shown = |text| if hidden { String::new() } else { text };
        paging::page(rows, limit, |row| row.id)?.try_map(|row| {
            Ok(Event {
                id: row.id,
                seen: seen(&row, &digests),
                verb: row.verb,
                at: row.at,
                actor: shown(row.actor),
                person: shown(row.person),
                revision: row.revision,
                from_status: row.from_status,
                to_status: row.to_status,
                reason: row.reason,
            })
        })
    }

    /// The claim as it was sent, personal data included. The person who looks, and the reason, stay
    /// on record.
    pub async fn reveal(
        &self,
        permit: &Permit<RevealClaims>,
        id: ClaimId,
        why: Option<String>,
    ) -> Result<serde_json::Value, ServiceError> {
        let operation = self.op.of(permit).within(id.jurisdiction.as_str())?;
        let why = reason(why, true)?;
        let unit = async |mut op: Op<'_>| {
            let row = op.tx.claim(id).await?;
            let row = row.ok_or(Refusal::NotFound("claim"))?;
            let sent = self.sent_claim(&mut op.tx, &row).await?;
            let mut event = op.event(id.jurisdiction.as_str(), &id.to_string(), "reveal");
            (event.revision, event.reason) = (Some(row.revision), why.clone());
            let recorded = op.record_inside(&[event]).await?;
            Ok(op.done(recorded, crate::at_rest::document::revealed(&sent)))
        };
        operation.run(unit).await
    }
}

/// What stood before an event: the revision below the one that it made, or the one that it only
/// looked at.
fn seen(event: &EventRow, digests: &[(i32, Hash)]) -> Option<Seen> {
    let made = i32::from(event.to_status.is_some());
    let revision = event.revision?.checked_sub(made)?;
    let stood = digests.iter().rev().find(|(decided, _)| *decided <= revision)?;
    Some(Seen {
        revision,
        receipt: format!("sha256:{}", hex::encode(stood.1.0)),
    })
}

pub(crate) fn visible(
    permit: &Permit<ReadClaims>,
    row: Option<ClaimRow>,
    id: ClaimId,
) -> Result<ClaimRow, Refusal> {
    let actor = permit.actor();
    if actor.role.is_merchant() {
        return row
            .filter(|row| Some(&row.merchant) == actor.merchant.as_ref())
            .ok_or(Refusal::NotFound("claim"));
    }
    permit.within(id.jurisdiction.as_str())?;
    row.ok_or(Refusal::NotFound("claim"))
}
