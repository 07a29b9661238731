//! Recording decisions: candidates against the counties' books, in order, and everything written in
//! one transaction.
//!
//! A new claim and a corrected one take the same way. [`judge`] gives out keys, quota and money
//! with the pure allocation and makes the receipt; [`Claims::record`] writes what came out: claims,
//! what was sent, receipts, keys, quotas, transfers, caps, events and outbox. What another
//! transaction took meanwhile violates a named constraint, and the unit is run again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use claims::allocate::{Allocation, CapOutcome, Demand, LimitKey, QuotaKey, State, allocate};
use claims::claim::{Claim, Payee};
use claims::digest::Digest;
use claims::ids::ClaimId;
use claims::keys::UniqueKind;
use claims::life_cycle::{Holdings, Ruled, Ruling, Status, Verb, rule};
use ledger::log::Hash;
use ledger::{Fen, Reason, Transfer};
use policy::receipt::Receipt;
use policy::{Outcome, RuleOutcome, Value, Verdict};
use store::Tx;
use store::claims::group_commit::{Opened, Record};
use store::claims::holdings::{QuotaRow, UniqueKeyRow};
use store::claims::{ClaimRow, DecisionRow};
use store::funds::Posting;
use uuid::Uuid;

use super::Claims;
use super::evaluate::Candidate;
use super::view::{self, ClaimDecision, ClaimState, correction_deadline, document_place};
use crate::at_rest::packing;
use crate::catalogue::Catalogue;
use crate::funds::limits::{self, Books, LimitChanges};
use crate::operation::{Actor, Refusal, ServiceError, events};

/// What a claim's arrival is called in its events and under its idempotency key.
pub(super) const SUBMIT: &str = "submit";

/// What a claim that is being corrected holds already.
#[derive(Debug, Clone)]
pub(super) struct Before {
    pub(super) row: ClaimRow,
    pub(super) keys: Vec<(UniqueKind, Digest)>,
}

/// What became of a candidate.
#[derive(Debug, Clone)]
pub(crate) struct Judgement {
    pub(crate) receipt: Receipt,
    pub(crate) system: Vec<RuleOutcome>,
    pub(crate) ruled: Ruled,
    /// What the claim's row counts: the subsidy as priced now, or the one whose reservation is
    /// kept.
    pub(crate) amount: Option<Fen>,
    pub(crate) waits_for: Option<LimitKey>,
    /// The fund and the caps its money counts in.
    touched: Vec<LimitKey>,
    month: String,
}

/// Loads what candidates compete for: keys held by others, and their persons' quotas.
pub(super) async fn load_state(
    conn: &mut store::Conn,
    books: &Books,
    candidates: &[(&Candidate, Option<&Before>)],
) -> Result<State, ServiceError> {
    let keys = candidates.iter().flat_map(|(candidate, _)| &candidate.keys);
    let digests = keys.map(|key| key.1).collect::<Vec<_>>();
    let persons = candidates.iter().map(|(candidate, _)| candidate.person);
    let persons = persons.collect::<HashSet<_>>().into_iter().collect::<Vec<_>>();
    let (holders, quotas) = (conn.holders(&digests).await?, conn.quotas(&persons).await?);
    state(books, holders, quotas, candidates)
}

/// The books of a batch that were opened, and what its candidates compete for.
pub(super) fn state_of(
    opened: Opened,
    candidates: &[(&Candidate, Option<&Before>)],
) -> Result<(Books, State), ServiceError> {
    let books = Books::new(opened.limits)?;
    let state = state(&books, opened.holders, opened.quotas, candidates)?;
    Ok((books, state))
}

fn state(
    books: &Books,
    holders: Vec<UniqueKeyRow>,
    quotas: Vec<QuotaRow>,
    candidates: &[(&Candidate, Option<&Before>)],
) -> Result<State, ServiceError> {
    let keys = candidates.iter().flat_map(|(candidate, _)| &candidate.keys);
    let kinds: HashMap<Digest, (UniqueKind, Digest)> = keys.map(|key| (key.1, *key)).collect();
    let own: HashSet<Uuid> = candidates
        .iter()
        .filter_map(|(_, before)| Some(before.as_ref()?.row.id))
        .collect();
    let mut state = books.state();
    state.taken = holders
        .iter()
        .filter(|holder| !own.contains(&holder.claim))
        .filter_map(|holder| kinds.get(&holder.digest).copied())
        .collect();
    for row in quotas {
        let key = quota_key(row.person, row.slot);
        state.quotas.insert(key, u32::try_from(row.used).unwrap_or(0));
    }
    for (_, before) in candidates {
        let Some(row) = before.as_ref().map(|before| &before.row).filter(|row| row.holds) else {
            continue;
        };
        if let Some(slot) = &row.quota_slot {
            let used = state
                .quotas
                .entry(quota_key(row.person, slot.clone()))
                .or_default();
            *used = used.saturating_sub(1);
        }
    }
    Ok(state)
}

fn quota_key(person: Digest, slot: String) -> QuotaKey {
    QuotaKey { person, slot }
}

/// Gives out what a candidate asks for, if it may have it, and writes its receipt.
pub(crate) fn judge(
    catalogue: &Catalogue,
    books: &Books,
    state: &mut State,
    candidate: &Candidate,
    before: Option<&Before>,
    now: DateTime<Utc>,
) -> Result<Judgement, ServiceError> {
    // A kept reservation stays in the month it was made in.
    let month = before.and_then(|before| before.row.committed_month.clone());
    let month = month.unwrap_or_else(|| limits::month_of(now));
    let claim = &candidate.claim;
    let (county, programme) = (claim.jurisdiction.as_str(), claim.programme.as_str());
    let touched = books.touched(catalogue, county, programme, &candidate.category, &month)?;
    let quota = candidate.quota.as_ref();
    let demand = Demand {
        keys: candidate.keys.clone(),
        quota: quota.map(|q| {
            (
                QuotaKey {
                    person: candidate.person,
                    slot: q.slot.clone(),
                },
                q.limit,
            )
        }),
        money: candidate.money()?,
        funds: touched.clone(),
        priority: before.is_some(),
        eligible: !candidate.is_ineligible(),
    };
    let seen = look(state, &demand);
    let [allocation] = <[Allocation; 1]>::try_from(allocate(state, std::slice::from_ref(&demand)))
        .map_err(|_| ServiceError::bug("one demand, one allocation"))?;
    let mut waits_for = match &allocation.cap {
        Some(CapOutcome::Exhausted { key, .. }) => Some(key.clone()),
        Some(CapOutcome::Granted) | None => None,
    };
    if candidate.decision.verdict != Verdict::Eligible
        && let Some(key) = waits_for.take()
        && let Some(limit) = state.limits.get_mut(&key)
    {
        // It needs correction first: its place is its id, and it blocks no other claim until then.
        limit.waiting = limit.waiting.saturating_sub(1);
    }
    let system = system_rules(candidate, &demand, &seen, &allocation);
    let receipt = candidate
        .draft
        .finish(&candidate.programme, &candidate.decision, &system);
    let ruling = match receipt.outcome {
        Outcome::Eligible => Ruling::UnderReview,
        Outcome::Waitlisted => Ruling::Waitlisted,
        Outcome::NeedsCorrection => Ruling::NeedsCorrection {
            reserve: allocation.reserved,
        },
        Outcome::Ineligible => Ruling::Rejected,
    };
    let standing = before.map(|before| view::standing(&before.row));
    let ruled = rule(standing, ruling).map_err(|out| Refusal::OutOfTurn {
        status: out.status,
        verb: out.verb,
    })?;
    if allocation.holds != (ruled.holdings == Holdings::Keep) || (ruled.reserve && !allocation.reserved) {
        return Err(ServiceError::bug(
            "what a claim was given does not follow from its outcome",
        ));
    }
    let kept = before
        .filter(|_| ruled.reserved && !ruled.reserve)
        .and_then(|before| before.row.amount);
    let amount = kept.or(demand.money);
    Ok(Judgement {
        receipt,
        system,
        ruled,
        amount,
        waits_for,
        touched,
        month,
    })
}

/// What stands in a demand's way, before anything is taken: an ineligible claim shows it all the
/// same.
struct Seen {
    taken: HashSet<&'static str>,
    used: u32,
}

fn look(state: &State, demand: &Demand) -> Seen {
    let taken = demand
        .keys
        .iter()
        .filter(|key| state.taken.contains(key))
        .map(|(kind, _)| kind.rule_id());
    let used = demand
        .quota
        .as_ref()
        .and_then(|(key, _)| state.quotas.get(key))
        .copied()
        .unwrap_or(0);
    Seen {
        taken: taken.collect(),
        used,
    }
}

fn system_rules(
    candidate: &Candidate,
    demand: &Demand,
    seen: &Seen,
    allocation: &Allocation,
) -> Vec<RuleOutcome> {
    let mut rules = Vec::new();
    let mut named = HashSet::new();
    for (kind, _) in &candidate.keys {
        let id = kind.rule_id();
        if named.insert(id) {
            let mut rule = RuleOutcome::system(id, !seen.taken.contains(id));
            rule.facts
                .insert(format!("{id}.taken"), Value::Bool(seen.taken.contains(id)));
            rules.push(rule);
        }
    }
    if let Some((key, limit)) = &demand.quota {
        let mut rule = RuleOutcome::system("quota", seen.used < *limit);
        rule.facts.insert("quota.slot", Value::Text(key.slot.clone()));
        rule.facts
            .insert("quota.used", Value::Text(seen.used.to_string()));
        rule.facts.insert("quota.limit", Value::Text(limit.to_string()));
        rules.push(rule);
    }
    match &allocation.cap {
        Some(CapOutcome::Granted) => rules.push(RuleOutcome::system("cap", true)),
        Some(CapOutcome::Exhausted { key, left, waiting }) => {
            let mut rule = RuleOutcome::system("cap", false);
            rule.facts
                .insert("cap.limit", Value::Text(limits::waits_for_text(key)));
            rule.facts.insert("cap.left", Value::Text(left.to_string()));
            rule.facts.insert("cap.waiting", Value::Text(waiting.to_string()));
            rules.push(rule);
        }
        None => {}
    }
    rules
}

impl Judgement {
    /// Whether the claim holds its keys and its place in the quota.
    pub(crate) fn holds(&self) -> bool {
        self.ruled.holdings == Holdings::Keep
    }

    /// What the caller is shown.
    pub(crate) fn decision(&self, candidate: &Candidate) -> ClaimDecision {
        ClaimDecision {
            outcome: self.receipt.outcome,
            policy: Arc::clone(&candidate.decision),
            system: self.system.clone(),
            receipt: Some(self.receipt.digest.clone()),
            leaf: None,
            programme: candidate.programme.clone(),
        }
    }
}

/// One claim to be written.
pub(super) struct Judged<'a> {
    pub(super) candidate: &'a Candidate,
    pub(super) judgement: Judgement,
    pub(super) id: Uuid,
    pub(super) before: Option<&'a Before>,
    /// What was sent, packed and sealed to the place of this revision.
    pub(super) sealed: &'a [u8],
    pub(super) actor: &'a Actor,
    pub(super) at: DateTime<Utc>,
}

impl Judged<'_> {
    /// The claim's row as the decision leaves it.
    pub(super) fn row(&self) -> Result<ClaimRow, ServiceError> {
        let Judged {
            candidate,
            ref judgement,
            id,
            at: now,
            ..
        } = *self;
        let status = judgement.ruled.to;
        let before = self.before.map(|before| &before.row);
        // A kept reservation counts where it was made.
        let kept = before.filter(|_| judgement.ruled.reserved && !judgement.ruled.reserve);
        let revision = self.revision();
        let first_deadline = before.and_then(|row| row.correct_by);
        let correct_by =
            first_deadline.unwrap_or_else(|| correction_deadline(candidate.programme.correction_days(), now));
        Ok(ClaimRow {
            jurisdiction: candidate.claim.jurisdiction,
            id,
            programme: candidate.programme.id().to_owned(),
            programme_version: i32::try_from(candidate.programme.version()).map_err(ServiceError::bug)?,
            status,
            revision,
            merchant: candidate.merchant.clone(),
            merchant_reference: candidate.claim.merchant_reference.as_str().to_owned(),
            client: before.map_or_else(|| self.actor.client.clone(), |row| row.client.clone()),
            category: kept.map_or_else(|| candidate.category.clone(), |row| row.category.clone()),
            governing_date: candidate.governing_date,
            created_at: before.map_or(now, |row| row.created_at),
            changed_at: now,
            decided: revision,
            amount: judgement.amount,
            holds: judgement.holds(),
            committed: judgement.ruled.reserved,
            committed_month: judgement.ruled.reserved.then(|| judgement.month.clone()),
            person: candidate.person,
            quota_slot: candidate.quota.as_ref().map(|quota| quota.slot.clone()),
            waits_for: judgement.waits_for.as_ref().map(limits::waits_for_text),
            correct_by: (status == Status::NeedsCorrection).then_some(correct_by),
            reviewed_by: None,
            approved_by: None,
            disbursement: None,
            to_merchant: matches!(candidate.claim.payee, Payee::Merchant),
        })
    }

    /// The keys that the claim holds after its decision, as its leaf has them.
    fn held(&self) -> Vec<u8> {
        if !self.judgement.holds() {
            return Vec::new();
        }
        let keys = self.candidate.keys.iter();
        keys.flat_map(|(kind, digest)| std::iter::once(kind.code()).chain(*digest.as_bytes()))
            .collect()
    }

    /// The revision that it becomes.
    fn revision(&self) -> i32 {
        next_revision(self.before)
    }
}

/// The revision that a claim becomes when it is decided.
pub(super) fn next_revision(before: Option<&Before>) -> i32 {
    before.map_or(1, |before| before.row.revision.saturating_add(1))
}

/// Everything a batch writes, gathered before the first statement.
#[derive(Default)]
pub(super) struct Writes {
    record: Record,
    quotas: BTreeMap<(Digest, String), (i32, u32)>,
    limits: LimitChanges,
}

impl Claims {
    /// What was sent, packed and sealed to its place.
    pub(crate) fn seal(&self, claim: &Claim, id: Uuid, revision: i32) -> Result<Vec<u8>, ServiceError> {
        let place = document_place(ClaimId::new(claim.jurisdiction, id), revision);
        let text = packing::pack(&crate::at_rest::document::write(claim))?;
        self.vault.seal(&place, &text).map_err(ServiceError::bug)
    }

    /// Writes judged claims in order, on top of their counties' locked books, and returns them as
    /// they stand.
    pub(super) async fn record(
        &self,
        tx: &mut Tx,
        books: &Books,
        judged: &[Judged<'_>],
        now: DateTime<Utc>,
    ) -> Result<Vec<ClaimState>, ServiceError> {
        let mut writes = Writes::default();
        let mut states = Vec::with_capacity(judged.len());
        for one in judged {
            let row = one.row()?;
            let mut shown = view::summary(&row);
            shown.decision = Some(one.judgement.decision(one.candidate));
            states.push(shown);
            self.gather(&mut writes, books, one, row)?;
        }
        let leaves = tx.record(&books.heads, writes.finish(), now).await?;
        for (state, leaf) in states.iter_mut().zip(leaves) {
            if let Some(decision) = &mut state.decision {
                decision.leaf = Some(leaf);
            }
        }
        Ok(states)
    }

    /// Gathers what one claim writes, besides its row.
    pub(super) fn gather(
        &self,
        writes: &mut Writes,
        books: &Books,
        one: &Judged<'_>,
        row: ClaimRow,
    ) -> Result<(), ServiceError> {
        let (judgement, actor) = (&one.judgement, one.actor);
        let hex = judgement.receipt.digest.trim_start_matches("sha256:");
        let mut digest = [0; 32];
        hex::decode_to_slice(hex, &mut digest).map_err(ServiceError::bug)?;
        writes.record.decisions.push(DecisionRow {
            jurisdiction: row.jurisdiction,
            claim: row.id,
            revision: row.revision,
            outcome: judgement.receipt.outcome,
            receipt: packing::pack(judgement.receipt.json.as_bytes())?,
            digest: Hash(digest),
            decided_at: one.at,
            packing: packing::PACKING,
            key_id: self.vault.key_id().to_owned(),
            sealed: one.sealed.to_vec(),
            leaf: 0,
            keys: one.held(),
        });
        writes.holdings(one, &row);
        writes.money(&self.catalogue.current(), books, one, &row)?;
        let verb = match one.before {
            Some(_) => Verb::Correct.as_str(),
            None => SUBMIT,
        };
        let mut event = events::event(
            self.op.id(one.at),
            row.jurisdiction.as_str(),
            &row.id().to_string(),
            verb,
            actor,
            one.at,
        );
        event.revision = Some(row.revision);
        event.from_status = one.before.map(|before| before.row.status.to_string());
        event.to_status = Some(row.status.to_string());
        writes.record.events.push(event);
        if one.before.is_some() {
            writes.record.changed.push(row);
        } else {
            writes.record.new.push(row);
        }
        Ok(())
    }
}

impl Writes {
    fn holdings(&mut self, one: &Judged<'_>, row: &ClaimRow) {
        let digest = |key: &(UniqueKind, Digest)| key.1;
        let held: HashSet<Digest> = match one.before {
            Some(before) if before.row.holds => before.keys.iter().map(digest).collect(),
            Some(_) | None => HashSet::new(),
        };
        let holds: HashSet<Digest> = if one.judgement.holds() {
            one.candidate.keys.iter().map(digest).collect()
        } else {
            HashSet::new()
        };
        self.record.released.extend(held.difference(&holds).copied());
        for key in one
            .candidate
            .keys
            .iter()
            .filter(|key| one.judgement.holds() && !held.contains(&key.1))
        {
            self.record.taken.push(UniqueKeyRow {
                digest: key.1,
                kind: key.0,
                jurisdiction: row.jurisdiction,
                claim: row.id,
            });
        }
        if let Some(before) = one.before.filter(|before| before.row.holds)
            && let Some(slot) = &before.row.quota_slot
        {
            self.quotas
                .entry((before.row.person, slot.clone()))
                .or_default()
                .0 -= 1;
        }
        if let Some(quota) = one.candidate.quota.as_ref().filter(|_| one.judgement.holds()) {
            let entry = self.quotas.entry((row.person, quota.slot.clone())).or_default();
            *entry = (entry.0.saturating_add(1), quota.limit);
        }
    }

    fn money(
        &mut self,
        catalogue: &Catalogue,
        books: &Books,
        one: &Judged<'_>,
        row: &ClaimRow,
    ) -> Result<(), ServiceError> {
        let ruled = one.judgement.ruled;
        let before = one.before.map(|before| &before.row).filter(|_| ruled.release);
        let held = before.and_then(|row| row.amount);
        let granted = row.amount.filter(|_| ruled.reserve);
        if let (Some(before), Some(amount)) = (before, held) {
            let keys = limits::touched_by(books, catalogue, before)?;
            limits::commit(&mut self.limits, &keys, amount.get().saturating_neg());
        }
        if let Some(amount) = granted {
            limits::commit(&mut self.limits, &one.judgement.touched, amount.get());
        }
        if let Some(key) = &one.judgement.waits_for {
            limits::wait(&mut self.limits, key, 1);
        }
        if held != granted {
            for (reason, amount) in [(Reason::Release, held), (Reason::Reserve, granted)] {
                let Some(amount) = amount else { continue };
                let posting = posting(row, reason, amount, None, &one.actor.client)?;
                self.record.postings.push(posting);
            }
        }
        Ok(())
    }

    /// Everything that was gathered, as it is written.
    pub(super) fn finish(self) -> Record {
        let quotas = self
            .quotas
            .into_iter()
            .map(|((person, slot), (used, ceiling))| QuotaRow {
                person,
                slot,
                used,
                ceiling: i32::try_from(ceiling).unwrap_or(i32::MAX),
            });
        Record {
            quotas: quotas.collect(),
            limits: self.limits,
            ..self.record
        }
    }
}

/// A transfer of a claim's money.
pub(crate) fn posting(
    row: &ClaimRow,
    reason: Reason,
    amount: Fen,
    document: Option<Uuid>,
    actor: &str,
) -> Result<Posting, ServiceError> {
    Ok(Posting {
        jurisdiction: row.jurisdiction.to_string(),
        programme: row.programme.clone(),
        transfer: Transfer::new(reason, amount).map_err(ServiceError::bug)?,
        claim: Some(row.id),
        document,
        actor: actor.to_owned(),
    })
}
