//! Moving recorded claims along their life cycle: lock, ask the table, write what it says.
//!
//! Review, approval, withdrawal, return, expiry, the waitlist and payment are all this, with
//! another verb: the table (`claims::life_cycle`) gives the next status, the transfer and what
//! becomes of the holdings, and [`Claims::move_claims`] writes a whole set of such moves with a
//! fixed number of statements.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use claims::Digest;
use claims::allocate::LimitKey;
use claims::ids::ClaimId;
use claims::life_cycle::{Holdings, Step, Verb, step};
use ledger::{Fen, Reason};
use store::Tx;
use store::claims::holdings::QuotaRow;
use store::claims::{ClaimRow, DecisionRow};
use store::funds::Posting;
use store::operation::EventRow;
use uuid::Uuid;

use super::Claims;
use super::record::posting;
use super::view::{self, ClaimState, document_place};
use crate::at_rest::packing;
use crate::funds::limits::{self, Books, LimitChanges};
use crate::operation::{Op, Recorded, Refusal, ServiceError};

/// One claim and what is done to it.
pub(crate) struct Move {
    pub(crate) row: ClaimRow,
    pub(crate) verb: Verb,
    pub(crate) reason: Option<String>,
    /// The disbursement the transfer belongs to.
    pub(crate) document: Option<Uuid>,
    /// What of the claim's money moves, where it may be less than all.
    pub(crate) part: Option<Part>,
}

/// Part of a claim's money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) amount: Fen,
    /// Whether money of the claim still counts in its caps afterwards.
    pub(crate) counts: bool,
}

/// What moves of claims write besides the claims themselves.
#[derive(Default)]
pub(super) struct Writes {
    postings: Vec<Posting>,
    limits: LimitChanges,
    events: Vec<EventRow>,
    /// Claims that give up their keys and quota.
    released: Vec<ClaimRow>,
    /// Funds that money came back to.
    refilled: BTreeSet<(String, String)>,
}

impl Claims {
    /// Locks the books and the claims themselves, and returns those that exist, by id.
    pub(crate) async fn lock_claims(
        &self,
        tx: &mut Tx,
        ids: &[ClaimId],
    ) -> Result<(Books, HashMap<Uuid, ClaimRow>), ServiceError> {
        let seen = tx.claims_by_id(ids).await?;
        let funds = seen.iter().map(fund_of);
        let books = limits::lock(tx, &self.catalogue.current(), funds).await?;
        let rows = tx.lock_claims(ids).await?;
        Ok((books, rows.into_iter().map(|row| (row.id, row)).collect()))
    }

    /// Locks the books and one claim, and returns the claim if it exists.
    pub(super) async fn lock_claim(
        &self,
        tx: &mut Tx,
        id: ClaimId,
    ) -> Result<(Books, Option<ClaimRow>), ServiceError> {
        let (books, mut rows) = self.lock_claims(tx, &[id]).await?;
        Ok((books, rows.remove(&id.uuid)))
    }

    /// Moves locked claims whose books are locked, with their transfers and events. Every move must
    /// be legal: ask [`legal`] first. Returns the claims as the moves leave them.
    pub(crate) async fn move_claims(
        &self,
        op: &mut Op<'_>,
        books: &Books,
        moves: Vec<Move>,
    ) -> Result<(Vec<ClaimRow>, Recorded), ServiceError> {
        let mut writes = Writes::default();
        let mut rows = Vec::with_capacity(moves.len());
        for one in moves {
            rows.push(self.take_step(&mut writes, books, one, op)?);
        }
        let recorded = self.write_moves(op, &rows, writes).await?;
        Ok((rows, recorded))
    }

    /// [`Self::move_claims`] for one claim.
    pub(super) async fn move_claim(
        &self,
        op: &mut Op<'_>,
        books: &Books,
        one: Move,
    ) -> Result<(ClaimRow, Recorded), ServiceError> {
        let mut writes = Writes::default();
        let row = self.take_step(&mut writes, books, one, op)?;
        let recorded = self.write_moves(op, std::slice::from_ref(&row), writes).await?;
        Ok((row, recorded))
    }

    /// Writes claims that took their steps, and everything else that the steps write.
    pub(super) async fn write_moves(
        &self,
        op: &mut Op<'_>,
        rows: &[ClaimRow],
        writes: Writes,
    ) -> Result<Recorded, ServiceError> {
        self.release_holdings(&mut op.tx, &writes.released).await?;
        op.tx.save_claims(rows).await?;
        let recorded = op.append(&writes.events, &writes.postings).await?;
        self.give_back(&mut op.tx, &writes, op.now).await?;
        op.call_waitlists(writes.refilled).await?;
        Ok(recorded)
    }

    /// Gives what came back of payments to their sources, and changes the caps.
    async fn give_back(&self, tx: &mut Tx, writes: &Writes, now: DateTime<Utc>) -> Result<(), ServiceError> {
        let came_back = writes
            .postings
            .iter()
            .filter(|posting| matches!(posting.transfer.reason, Reason::ClawBack | Reason::ReturnPayment))
            .filter_map(|posting| Some((posting.claim?, posting)));
        self.funds
            .recover_sources(tx, &came_back.collect::<Vec<_>>(), now)
            .await?;
        tx.change_limits(&writes.limits).await?;
        Ok(())
    }

    /// Takes one step of a claim, gathers what the step writes, and returns the claim as it leaves
    /// it.
    pub(super) fn take_step(
        &self,
        writes: &mut Writes,
        books: &Books,
        one: Move,
        op: &Op<'_>,
    ) -> Result<ClaimRow, ServiceError> {
        let step = legal(&one.row, one.verb)?;
        let from = one.row.status;
        let (verb, reason) = (one.verb, one.reason.clone());
        let mut row = self.apply(writes, books, one, step, op)?;
        row.revision = row.revision.saturating_add(1);
        row.changed_at = op.now;
        row.correct_by = None;
        self.sign(&mut row, verb, op)?;
        let mut event = op.event(row.jurisdiction.as_str(), &row.id().to_string(), verb.as_str());
        event.revision = Some(row.revision);
        event.from_status = Some(from.to_string());
        event.to_status = Some(row.status.to_string());
        event.reason = reason;
        writes.events.push(event);
        Ok(row)
    }

    /// What a step does to the claim's money, its place in a waitlist and its holdings.
    fn apply(
        &self,
        writes: &mut Writes,
        books: &Books,
        one: Move,
        step: Step,
        op: &Op<'_>,
    ) -> Result<ClaimRow, ServiceError> {
        let Move {
            mut row,
            verb,
            document,
            part,
            ..
        } = one;
        row.status = step.to;
        let catalogue = self.catalogue.current();
        let moved = part.map_or(row.amount, |part| Some(part.amount));
        if let (Some(reason), Some(amount)) = (step.transfer, moved) {
            writes
                .postings
                .push(posting(&row, reason, amount, document, &op.actor.client)?);
            if matches!(
                reason,
                Reason::Release | Reason::ReleasePayable | Reason::ClawBack
            ) {
                writes.refill(&row);
            }
        }
        if let Some(limit) = row.waits_for.take() {
            limits::wait(
                &mut writes.limits,
                &limits::parse_waits_for(&limit, &row.programme)?,
                -1,
            );
            if verb != Verb::Promote {
                // No money came back, but a claim that stood behind it may fit where it did not.
                writes.refill(&row);
            }
        }
        let released = step.holdings == Holdings::Release;
        // What came back of a clawback left the caps part by part, whatever becomes of the
        // holdings.
        let given_back = match part {
            Some(part) if step.transfer == Some(Reason::ClawBack) => part.amount,
            Some(_) | None if released => row.amount.unwrap_or(Fen::ZERO),
            Some(_) | None => Fen::ZERO,
        };
        if !given_back.is_zero() {
            limits::commit(
                &mut writes.limits,
                &limits::touched_by(books, &catalogue, &row)?,
                given_back.get().saturating_neg(),
            );
        }
        if released && row.holds {
            writes.released.push(row.clone());
            row.holds = false;
        }
        if released || part.is_some_and(|part| !part.counts) {
            (row.committed, row.committed_month) = (false, None);
        }
        if verb == Verb::Promote {
            (row.committed, row.committed_month) = (true, Some(limits::month_of(op.now)));
            let keys = limits::touched_by(books, &catalogue, &row)?;
            limits::commit(&mut writes.limits, &keys, row.amount.map_or(0, Fen::get));
        }
        Ok(row)
    }

    /// What a verb leaves on the claim besides its status: signature, disbursement, deadline.
    fn sign(&self, row: &mut ClaimRow, verb: Verb, op: &Op<'_>) -> Result<(), ServiceError> {
        match verb {
            Verb::Recommend => row.reviewed_by = Some(op.actor.person.clone()),
            Verb::Approve => row.approved_by = Some(op.actor.person.clone()),
            Verb::ReturnToReview => row.reviewed_by = None,
            Verb::ReturnForCorrection => {
                row.reviewed_by = None;
                let version = row.programme_version.unsigned_abs();
                let programme = self.catalogue.current().version(&row.programme, version).cloned();
                let programme = programme.ok_or_else(|| ServiceError::bug("version gone"))?;
                row.correct_by = Some(view::correction_deadline(programme.correction_days(), op.now));
            }
            Verb::CancelInstruction | Verb::FailPayment | Verb::ReturnPayment => row.disbursement = None,
            Verb::RejectReview
            | Verb::RejectApproval
            | Verb::Withdraw
            | Verb::Return
            | Verb::Expire
            | Verb::Promote
            | Verb::Instruct
            | Verb::Pay
            | Verb::Retry
            | Verb::Demand
            | Verb::RepayPart
            | Verb::ClawBack
            | Verb::ClawBackBarred
            | Verb::WaivePart
            | Verb::Waive
            | Verb::Correct => {}
        }
        Ok(())
    }

    /// Gives up the unique keys and the quota of claims that ended, read from what was sent.
    async fn release_holdings(&self, tx: &mut Tx, rows: &[ClaimRow]) -> Result<(), ServiceError> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut digests = Vec::new();
        for (_, claim) in self.sent_claims(tx, rows).await? {
            let keys = claims::keys::unique_keys(&claim, |domain, text| self.vault.digest(domain, text));
            digests.extend(keys.into_iter().map(|(_, digest)| digest));
        }
        tx.release_keys(&digests, &rows.iter().map(|row| row.id).collect::<Vec<_>>())
            .await?;
        let mut quotas = BTreeMap::<(Digest, String), i32>::new();
        for row in rows {
            if let Some(slot) = &row.quota_slot {
                let used = quotas.entry((row.person, slot.clone())).or_default();
                *used = used.saturating_sub(1);
            }
        }
        let changes = quotas.into_iter().map(|((person, slot), used)| QuotaRow {
            person,
            slot,
            used,
            ceiling: 0,
        });
        tx.use_quotas(changes.collect()).await?;
        Ok(())
    }

    /// What was sent last for each of these claims, opened.
    pub(crate) async fn sent_claims(
        &self,
        conn: &mut store::Conn,
        rows: &[ClaimRow],
    ) -> Result<HashMap<Uuid, claims::claim::Claim>, ServiceError> {
        let ids = rows.iter().map(ClaimRow::id).collect::<Vec<_>>();
        let decisions = conn.latest_decisions(&ids).await?;
        let mut sent = HashMap::with_capacity(decisions.len());
        for row in decisions {
            sent.insert(row.claim, self.open_sent(&row)?);
        }
        if sent.len() == rows.len() {
            Ok(sent)
        } else {
            Err(ServiceError::bug("a claim has no document"))
        }
    }

    /// What was sent last for a claim, opened.
    pub(super) async fn sent_claim(
        &self,
        conn: &mut store::Conn,
        row: &ClaimRow,
    ) -> Result<claims::claim::Claim, ServiceError> {
        let decision = conn.latest_decisions(&[row.id()]).await?.pop();
        self.open_sent(&decision.ok_or_else(|| ServiceError::bug("a claim has no document"))?)
    }

    /// What was sent with a revision, opened.
    pub(super) fn open_sent(&self, row: &DecisionRow) -> Result<claims::claim::Claim, ServiceError> {
        let place = document_place(row.claim(), row.revision);
        let packed = self
            .vault
            .open(&row.key_id, &place, &row.sealed)
            .map_err(ServiceError::bug)?;
        let text = packing::unpack(row.packing, packed)?;
        crate::at_rest::document::read(&text).map_err(ServiceError::bug)
    }

    /// The claim with its decision, as it stands after a move.
    pub(crate) async fn detail(
        &self,
        conn: &mut store::Conn,
        row: &ClaimRow,
    ) -> Result<ClaimState, ServiceError> {
        let decision = conn.decision(row.id(), row.decided).await?;
        let decision = decision.ok_or_else(|| ServiceError::bug("a claim has no decision"))?;
        view::detail(&self.catalogue.current(), row, &decision)
    }
}

impl Writes {
    /// Money came back to the fund of this claim.
    fn refill(&mut self, row: &ClaimRow) {
        self.refilled.insert(fund_of(row));
    }
}

/// What the life cycle says of a verb for a claim as it stands.
pub(super) fn legal(row: &ClaimRow, verb: Verb) -> Result<Step, Refusal> {
    step(view::standing(row), verb).map_err(|out| Refusal::OutOfTurn {
        status: out.status,
        verb: out.verb,
    })
}

/// The fund that a claim asks for money of.
pub(super) fn fund_of(row: &ClaimRow) -> (String, String) {
    (row.jurisdiction.to_string(), row.programme.clone())
}

/// The limit keys of a waitlisted claim: the fund and the caps it would count in now.
pub(super) fn would_touch(
    books: &Books,
    catalogue: &crate::catalogue::Catalogue,
    row: &ClaimRow,
    now: DateTime<Utc>,
) -> Result<Vec<LimitKey>, ServiceError> {
    books.touched(
        catalogue,
        row.jurisdiction.as_str(),
        &row.programme,
        &row.category,
        &limits::month_of(now),
    )
}
