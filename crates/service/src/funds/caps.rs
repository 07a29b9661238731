//! Ceilings over a fund, over a category or month of it, and over the funds of a whole city: proposed by one person of
//! treasury, set by another.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use claims::JurisdictionCode;
use claims::allocate::Scope;
use claims::ids::CapChangeId;
use claims::proposal::ProposalStatus;
use ledger::Fen;
use serde_json::json;
use store::funds::CapRow;
use store::funds::cap_changes::{CapChangeRow, ProposedCaps};

use super::Funds;
use super::limits::{self, LimitChanges, parse_scope, scope_text};
use crate::operation::access::{ManageFunds, ReadFunds};
use crate::operation::convert::{code, fen};
use crate::operation::{Check, Decision, Op, Page, Permit, Refusal, ServiceError, events, paging};

/// A ceiling over a scope: `whole`, `category:<category>` or `month:<yyyy-mm>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapSpec {
    pub scope: String,
    pub ceiling: Fen,
}

/// All caps of a fund, replaced: pending until a second person approved it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapChange {
    pub id: CapChangeId,
    pub programme: String,
    pub jurisdiction: JurisdictionCode,
    pub caps: Vec<CapSpec>,
    pub document: String,
    pub status: ProposalStatus,
    pub made_at: DateTime<Utc>,
    pub checked_at: Option<DateTime<Utc>>,
    pub reason: Option<String>,
}

impl Funds {
    /// Proposes the complete set of caps over a fund, or, under the city's code, over the funds of all its counties
    /// together.
    pub async fn propose_caps(
        &self,
        permit: &Permit<ManageFunds>,
        programme: &str,
        jurisdiction: &str,
        caps: Vec<(String, Fen)>,
        document: &str,
    ) -> Result<CapChange, ServiceError> {
        let operation = self.op.of(permit).within(jurisdiction)?;
        let catalogue = self.catalogue.current();
        if catalogue.versions(programme).is_empty() || catalogue.jurisdiction(jurisdiction).is_none() {
            return Err(Refusal::NotFound("fund").into());
        }
        let specs = check_scopes(&caps)?;
        let unit = async |mut op: Op<'_>| {
            let row = CapChangeRow {
                jurisdiction: code(jurisdiction)?,
                id: op.id(),
                programme: programme.to_owned(),
                caps: ProposedCaps(specs.iter().map(|it| (it.scope.clone(), it.ceiling)).collect()),
                document: document.to_owned(),
                signatures: op.signed(),
            };
            op.tx.add_cap_change(&row).await?;
            let made = cap_change(row);
            let mut event = op.event(jurisdiction, &made.id.to_string(), "propose_caps");
            event.detail = ceilings(&made);
            let recorded = op.record(&[event]).await?;
            Ok(op.done(recorded, made))
        };
        operation.run(unit).await
    }

    /// A second person's verdict on caps. Approved, they start from what the claims of each slice have committed; a
    /// ceiling below that is refused.
    pub async fn check_caps(
        &self,
        permit: &Permit<ManageFunds>,
        id: CapChangeId,
        check: Check,
        why: Option<String>,
    ) -> Result<CapChange, ServiceError> {
        let operation = self.op.of(permit).within(id.jurisdiction.as_str())?;
        let decision = Decision::new(check, why)?;
        let unit = async |mut op: Op<'_>| {
            let seen = op.tx.cap_change(id).await?;
            let seen = seen.ok_or(Refusal::NotFound("cap change"))?;
            let catalogue = self.catalogue.current();
            let counties = catalogue.counties_of(id.jurisdiction.as_str());
            let funds = counties
                .iter()
                .map(|county| (county.clone(), seen.programme.clone()));
            limits::lock(&mut op.tx, &catalogue, funds).await?;
            let row = op.tx.lock_cap_change(id).await?;
            let mut row = row.ok_or(Refusal::NotFound("cap change"))?;
            decision.sign(&op, "cap change", &mut row.signatures)?;
            op.tx.save_cap_change(&row).await?;
            let checked = cap_change(row);
            if decision.is_approval() {
                self.set_caps(&mut op, &checked, &counties).await?;
            }
            let subject = checked.id.to_string();
            let mut event =
                decision.event::<ProposalStatus>(&op, id.jurisdiction.as_str(), &subject, "check_caps");
            event.detail = ceilings(&checked);
            let recorded = op.record(&[event]).await?;
            Ok(op.done(recorded, checked))
        };
        operation.run(unit).await
    }

    /// Replaces the caps of funds whose books are locked.
    async fn set_caps(
        &self,
        op: &mut Op<'_>,
        change: &CapChange,
        counties: &[String],
    ) -> Result<(), ServiceError> {
        let (jurisdiction, programme) = (change.jurisdiction.to_string(), &change.programme);
        let slices = op.tx.committed_by_slice(counties, programme).await?;
        let old = op
            .tx
            .caps(
                std::slice::from_ref(&jurisdiction),
                std::slice::from_ref(programme),
            )
            .await?;
        let waiting: BTreeMap<&str, i64> = old.iter().map(|cap| (cap.scope.as_str(), cap.waiting)).collect();
        let caps = new_caps(change, &slices, &waiting)?;
        op.tx.replace_caps(&jurisdiction, programme, &caps).await?;
        let gone = old
            .iter()
            .filter(|cap| !caps.iter().any(|it| it.scope == cap.scope));
        self.leave_caps(op, counties, programme, gone).await?;
        for county in counties {
            op.call_waitlist((county.clone(), programme.clone())).await?;
        }
        Ok(())
    }

    /// Claims that wait for a cap that is gone wait for the fund. The waitlist is called next, but serving it may end
    /// before all of them were looked at.
    async fn leave_caps(
        &self,
        op: &mut Op<'_>,
        counties: &[String],
        programme: &str,
        gone: impl Iterator<Item = &CapRow>,
    ) -> Result<(), ServiceError> {
        let awaited = gone.filter(|cap| cap.waiting > 0);
        let awaited = awaited.map(|cap| format!("{}/{}", cap.jurisdiction, cap.scope));
        let awaited = awaited.collect::<Vec<_>>();
        let (mut changes, mut events) = (LimitChanges::new(), Vec::new());
        for claim in op.tx.wait_for_funds(counties, programme, &awaited).await? {
            limits::wait(
                &mut changes,
                &limits::limit_key(claim.jurisdiction.as_str(), programme, "")?,
                1,
            );
            events.push(self.waits_on(&claim, op.now));
        }
        op.tx.log_events(&events).await?;
        op.tx.change_limits(&changes).await?;
        Ok(())
    }

    /// Cap changes of a fund, newest first.
    pub async fn cap_changes(
        &self,
        permit: &Permit<ReadFunds>,
        programme: &str,
        jurisdiction: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<CapChange>, ServiceError> {
        permit.within(jurisdiction)?;
        let before = paging::read(cursor)?;
        let mut conn = self.op.read().await?;
        let rows = conn
            .cap_changes(code(jurisdiction)?, programme, before, paging::fetch(limit))
            .await?;
        paging::page(rows, limit, |row| row.id)?.try_map(|row| Ok(cap_change(row)))
    }
}

fn check_scopes(caps: &[(String, Fen)]) -> Result<Vec<CapSpec>, Refusal> {
    let mut seen = std::collections::BTreeSet::new();
    let specs = caps.iter().enumerate().map(|(index, (scope, ceiling))| {
        let pointer = format!("/caps/{index}/scope");
        match parse_scope(scope) {
            None | Some(Scope::Fund) => Err(Refusal::field(
                pointer,
                "cap.scope",
                "范围应为 whole、category:<类别> 或 month:<年-月>",
                "a scope is whole, category:<category> or month:<yyyy-mm>",
            )),
            Some(parsed) if !seen.insert(scope_text(&parsed)) => Err(Refusal::field(
                pointer,
                "cap.repeated",
                "同一范围出现两次",
                "the scope stands twice",
            )),
            Some(parsed) => Ok(CapSpec {
                scope: scope_text(&parsed),
                ceiling: *ceiling,
            }),
        }
    });
    specs.collect()
}

/// The rows of a new set of caps, each starting from what its slice has committed.
fn new_caps(
    change: &CapChange,
    slices: &[(String, String, i64)],
    waiting: &BTreeMap<&str, i64>,
) -> Result<Vec<CapRow>, ServiceError> {
    let rows = change.caps.iter().map(|spec| {
        let scope = parse_scope(&spec.scope).ok_or_else(|| ServiceError::bug("unreadable scope"))?;
        let counts = |(category, month, _): &&(String, String, i64)| match &scope {
            Scope::Fund | Scope::County => true,
            Scope::Category(own) => own == category,
            Scope::Month { .. } => scope_text(&scope) == format!("month:{month}"),
        };
        let committed = slices
            .iter()
            .filter(counts)
            .map(|slice| slice.2)
            .fold(0_i64, i64::saturating_add);
        if spec.ceiling.get() < committed {
            return Err(Refusal::CapBelowCommitted {
                scope: spec.scope.clone(),
                committed: fen(committed)?,
            }
            .into());
        }
        Ok(CapRow {
            jurisdiction: change.jurisdiction.to_string(),
            programme: change.programme.clone(),
            scope: spec.scope.clone(),
            ceiling: spec.ceiling.get(),
            committed,
            waiting: waiting.get(spec.scope.as_str()).copied().unwrap_or(0),
        })
    });
    rows.collect()
}

fn cap_change(row: CapChangeRow) -> CapChange {
    let caps = row.caps.0.into_iter();
    CapChange {
        id: CapChangeId::new(row.jurisdiction, row.id),
        programme: row.programme,
        jurisdiction: row.jurisdiction,
        caps: caps.map(|(scope, ceiling)| CapSpec { scope, ceiling }).collect(),
        document: row.document,
        status: row.signatures.status,
        made_at: row.signatures.made_at,
        checked_at: row.signatures.checked_at,
        reason: row.signatures.reason,
    }
}

/// What two persons sign when caps are set.
fn ceilings(change: &CapChange) -> Option<String> {
    let caps = change
        .caps
        .iter()
        .map(|cap| (cap.scope.clone(), json!(cap.ceiling.to_string())));
    events::signed(&json!({
        "caps": caps.collect::<serde_json::Map<_, _>>(),
        "document": change.document,
        "programme": change.programme,
    }))
}
