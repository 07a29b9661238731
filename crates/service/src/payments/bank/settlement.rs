//! What a bank says of payments: in any order, in parts, again and again.
//!
//! Each word is known by a fingerprint, so that a repeat changes nothing whenever it comes. A word that fits its payment moves the money
//! of the payment's claims; one that names no payment, another amount, or the opposite of what is known is set aside as an
//! exception, moves nothing, and waits for a person. Nothing that a bank said is dropped.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use claims::JurisdictionCode;
use claims::ids::{ClaimId, DisbursementId};
use claims::life_cycle::{Status, Verb};
use store::claims::ClaimRow;
use store::claims::clawbacks::ClawbackRow;
use store::payments::advances::AdvanceRow;
use store::payments::disbursements::DisbursementRow;
use store::payments::{BankEntryRow, LineRow, PaymentRow};
use store::{Done, Tx};
use uuid::Uuid;

use super::matching::{Exception, Judgement, fingerprint, judge, words};
use crate::claims::transition::{Move, Mover};
use crate::funds::limits::{self, Books};
use crate::operation::access::ManageFunds;
use crate::operation::convert::{code, fen};
use crate::operation::{Permit, Refusal, ServiceError};
use crate::payments::Payments;
use crate::payments::disbursements::netting::{Netting, can_come_back, returned, whole};
use crate::payments::disbursements::set_off::{advances_of, is_used};
use crate::payments::disbursements::{Payment, PaymentResult, Said, open, shown_payment};

/// Results of payments, each with its own outcome.
pub type Results = Vec<Result<Payment, Refusal>>;

/// Payments that results name, with their disbursements and claims, locked.
pub(in crate::payments) struct Locked {
    pub(in crate::payments) books: Books,
    pub(in crate::payments) disbursements: BTreeMap<Uuid, DisbursementRow>,
    pub(in crate::payments) payments: BTreeMap<Uuid, PaymentRow>,
    pub(in crate::payments) lines: HashMap<Uuid, Vec<LineRow>>,
    pub(in crate::payments) claims: HashMap<Uuid, ClaimRow>,
    /// The payments' outcomes when they were locked.
    before: HashMap<Uuid, String>,
    /// What is due back of the claims.
    clawbacks: HashMap<Uuid, ClawbackRow>,
    /// Those that payments pay in the place of claims, by payment.
    advances: HashMap<Uuid, AdvanceRow>,
}

impl Payments {
    /// Records what the bank says of payments of a disbursement, each with its own result. A repeat changes nothing.
    pub async fn record_results(
        &self,
        permit: &Permit<ManageFunds>,
        id: DisbursementId,
        results: Vec<PaymentResult>,
    ) -> Result<Results, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        self.bounded(results.len())?;
        self.op
            .transaction(|tx| self.results_in(tx, permit, id.jurisdiction, Some(id), "json", &results))
            .await
    }

    pub(in crate::payments) fn bounded(&self, results: usize) -> Result<(), Refusal> {
        let limit = self.settings.disbursement_limit;
        if results > limit {
            return Err(Refusal::TooMany {
                what: "results",
                limit,
            });
        }
        Ok(())
    }

    pub(in crate::payments) async fn results_in(
        &self,
        mut tx: Tx,
        permit: &Permit<ManageFunds>,
        jurisdiction: JurisdictionCode,
        within: Option<DisbursementId>,
        format: &str,
        results: &[PaymentResult],
    ) -> Result<Done<Results>, ServiceError> {
        let mover = Mover {
            actor: permit.actor(),
            now: self.op.now(),
        };
        let answers = self
            .results_on(&mut tx, mover, (jurisdiction, within), format, results)
            .await?;
        Ok(tx.done(answers))
    }

    /// The same, as part of a unit of work.
    pub(in crate::payments) async fn results_on(
        &self,
        tx: &mut Tx,
        mover: Mover<'_>,
        (jurisdiction, within): (JurisdictionCode, Option<DisbursementId>),
        format: &str,
        results: &[PaymentResult],
    ) -> Result<Results, ServiceError> {
        let place = jurisdiction.as_str();
        let named = results.iter().filter_map(|result| result.payment.as_ref().ok());
        let named = named.filter(|payment| payment.jurisdiction == jurisdiction);
        let ids = named.map(|payment| payment.uuid).collect::<BTreeSet<_>>();
        let mut locked = self
            .lock_payments(tx, place, &ids.into_iter().collect::<Vec<_>>())
            .await?;
        if let Some(id) = within {
            // Behind the books, as everywhere: who takes it the other way round waits for the other.
            open(tx, id, None, &["released", "settled"]).await?;
        }
        let prints: Vec<_> = results.iter().map(|result| fingerprint(place, result)).collect();
        let known = tx.known_entries(place, &prints).await?;
        // A person may have said that a word is about another payment than the bank named.
        let applied: HashMap<Vec<u8>, Option<Uuid>> = known
            .iter()
            .filter(|row| row.standing == "applied")
            .map(|row| (row.fingerprint.clone(), row.payment))
            .collect();
        let mut known: HashMap<Vec<u8>, Option<Exception>> = known
            .into_iter()
            .map(|row| {
                // One that was handed over to another county was applied there, and is none of this one's payments.
                let here = row.standing == "applied" && row.payment.is_some();
                let exception = row.exception.filter(|_| !here);
                (row.fingerprint, exception.as_deref().map(Exception::parse))
            })
            .collect();
        let (mut entries, mut settled, mut answers) = (Vec::new(), BTreeSet::new(), Vec::new());
        for (result, print) in results.iter().zip(prints) {
            let payment = locked.find(jurisdiction, within, result);
            let payment = applied.get(&print).copied().flatten().or(payment);
            let judgement = match (known.get(&print), payment) {
                (Some(Some(exception)), _) => Judgement::Exception(*exception),
                (Some(None), _) => Judgement::Same,
                (None, None) => Judgement::Exception(Exception::UnknownPayment),
                (None, Some(id)) => locked.judge(id, result),
            };
            if let (Judgement::Fresh(outcome), Some(id)) = (judgement, payment) {
                locked.settle(id, outcome, &result.said, mover)?;
                settled.insert(id);
            }
            let exception = match judgement {
                Judgement::Exception(exception) => Some(exception),
                Judgement::Fresh(_) | Judgement::Same => None,
            };
            if known.insert(print.clone(), exception).is_none() {
                let mut entry = self.entry(place, result, print, (format, mover));
                entry.payment = payment;
                entry.disbursement = payment.and_then(|id| Some(locked.payments.get(&id)?.disbursement));
                entry.exception = exception.map(|it| it.as_str().to_owned());
                entry.standing = exception.map_or("matched", |_| "exception").to_owned();
                entries.push(entry);
            }
            answers.push(exception.map_or(Ok(payment), |exception| Err(exception.refusal())));
        }
        BankEntryRow::insert(tx, &entries).await?;
        self.move_money(tx, &mut locked, &settled, mover).await?;
        let mut shown = Vec::with_capacity(answers.len());
        for answer in answers {
            shown.push(match answer {
                Err(refusal) => Err(refusal),
                Ok(id) => Ok(stands(tx, &locked, place, id).await?),
            });
        }
        Ok(shown)
    }

    /// Locks payments with all that hangs on them: first the books of their funds, then themselves, then their claims.
    pub(in crate::payments) async fn lock_payments(
        &self,
        tx: &mut Tx,
        jurisdiction: &str,
        ids: &[Uuid],
    ) -> Result<Locked, ServiceError> {
        let seen = tx.disbursements_of(jurisdiction, ids).await?;
        let funds = seen
            .iter()
            .map(|(_, programme)| (jurisdiction.to_owned(), programme.clone()));
        let books = limits::lock(tx, &self.catalogue.current(), funds).await?;
        let mut disbursements = BTreeMap::new();
        for (id, _) in seen {
            if let Some(row) = tx.lock_disbursement(jurisdiction, id).await? {
                disbursements.insert(id, row);
            }
        }
        let payments = tx.lock_payments(jurisdiction, ids).await?;
        let mut lines = HashMap::<Uuid, Vec<LineRow>>::new();
        let (county, mut keys) = (code(jurisdiction)?, Vec::new());
        for line in tx.lines_of(jurisdiction, ids).await? {
            keys.push(ClaimId::new(county, line.claim));
            lines.entry(line.payment).or_default().push(line);
        }
        let claims = tx.lock_claims(&keys).await?;
        let due = keys.into_iter().map(|id| id.uuid).collect::<Vec<_>>();
        let clawbacks = tx.lock_clawbacks(county, &due).await?;
        Ok(Locked {
            advances: advances_of(tx, jurisdiction, payments.iter()).await?,
            books,
            disbursements,
            before: payments.iter().map(|row| (row.id, row.outcome.clone())).collect(),
            payments: payments.into_iter().map(|row| (row.id, row)).collect(),
            clawbacks: clawbacks.into_iter().map(|row| (row.claim, row)).collect(),
            lines,
            claims: claims.into_iter().map(|row| (row.id, row)).collect(),
        })
    }

    /// Moves the money of payments that came to something, and closes disbursements with nothing open.
    pub(in crate::payments) async fn move_money(
        &self,
        tx: &mut Tx,
        locked: &mut Locked,
        settled: &BTreeSet<Uuid>,
        mover: Mover<'_>,
    ) -> Result<(), ServiceError> {
        let rows = settled.iter().filter_map(|id| locked.payments.get(id));
        tx.settle_payments(&rows.cloned().collect::<Vec<_>>()).await?;
        // What came back before it was told to be paid was paid all the same: what was netted stays so, and what comes back has a source.
        let bounced = locked.take_bounced(settled)?;
        for row in self.claims.carry_out(tx, &locked.books, bounced, mover).await? {
            locked.claims.insert(row.id, row);
        }
        let moves = locked.take_moves(settled, mover)?;
        self.claims.carry_out(tx, &locked.books, moves, mover).await?;
        tx.save_clawbacks(&locked.clawbacks.values().cloned().collect::<Vec<_>>())
            .await?;
        let advanced = locked.advanced(settled);
        self.settle_advances(tx, &mut locked.advances, &advanced, mover)
            .await?;
        let nettings = locked.nettings(settled);
        self.settle_set_offs(tx, &nettings, mover).await?;
        self.settle_nettings(tx, &locked.books, &nettings, mover).await?;
        for row in locked.disbursements.values_mut() {
            if row.status != "released" || tx.has_open_payments(&row.jurisdiction, row.id).await? {
                continue;
            }
            (row.status, row.closed_at) = ("settled".into(), Some(mover.now));
            row.revision = row.revision.saturating_add(1);
            tx.save_disbursement(row).await?;
            self.note(tx, row, "settle_disbursement", None, mover).await?;
        }
        Ok(())
    }

    /// Applies a word to a payment in spite of what is known of it; a person decided that it is right.
    pub(in crate::payments) async fn force(
        &self,
        tx: &mut Tx,
        locked: &mut Locked,
        payment: Uuid,
        result: &PaymentResult,
        mover: Mover<'_>,
    ) -> Result<(), ServiceError> {
        let row = locked
            .payments
            .get(&payment)
            .ok_or(Refusal::NotFound("payment"))?;
        let outcome = match (row.outcome.as_str(), &result.said) {
            // The bank paid after all. Its claims go through payment once more, unless another payment has them by now.
            ("failed" | "returned", Said::Paid) => {
                let disbursement = row.disbursement;
                let fund = locked.fund_of(row)?;
                let (claims, amounts) = locked.owed(payment);
                // Of a claim that another payment netted in part meanwhile, another sum is payable by now.
                let payable = self.payable_amounts(tx, &claims).await?;
                if payable != amounts {
                    return Err(Refusal::ResultContradicts.into());
                }
                let claims = self
                    .instruct(tx, &locked.books, (claims, &amounts), disbursement, mover)
                    .await?;
                let (mut again, mut version) = (amounts.values().copied().fold(0, i64::saturating_add), None);
                if let Some(advance) = locked.advances.get(&payment) {
                    self.instruct_advance_again(tx, advance, mover).await?;
                    again = row.amount;
                } else {
                    version = claims.first().map(|row| row.programme_version);
                }
                let again = self
                    .funds
                    .take_again(tx, row, (&fund, version), fen(again)?, mover.now)
                    .await?;
                locked.payments.insert(payment, again);
                for row in claims {
                    locked.claims.insert(row.id, row);
                }
                "paid"
            }
            ("paid", Said::Failed { .. }) => "returned",
            _ => match judge(row, result) {
                Judgement::Fresh(outcome) => outcome,
                Judgement::Same => return Ok(()),
                Judgement::Exception(exception) => return Err(exception.refusal().into()),
            },
        };
        locked.settle(payment, outcome, &result.said, mover)?;
        self.move_money(tx, locked, &BTreeSet::from([payment]), mover)
            .await
    }

    fn entry(
        &self,
        jurisdiction: &str,
        result: &PaymentResult,
        fingerprint: Vec<u8>,
        (format, mover): (&str, Mover<'_>),
    ) -> BankEntryRow {
        let (verdict, reason) = words(&result.said);
        BankEntryRow {
            jurisdiction: jurisdiction.to_owned(),
            id: self.op.id(mover.now),
            fingerprint,
            disbursement: None,
            payment: None,
            reference: match &result.payment {
                Ok(id) => id.to_string(),
                Err(reference) => reference.clone(),
            },
            verdict: verdict.to_owned(),
            amount: result.amount.map(ledger::Fen::get),
            code: result.code.clone(),
            reason: reason.map(str::to_owned),
            booked_on: result.booked_on,
            format: format.to_owned(),
            received_at: mover.now,
            receiver: mover.actor.person.clone(),
            standing: "matched".into(),
            exception: None,
            resolver: None,
            resolved_at: None,
            resolution: None,
        }
    }
}

impl Locked {
    /// The payment that a result is about, if it is one of ours and of the disbursement that was asked for.
    fn find(
        &self,
        jurisdiction: JurisdictionCode,
        within: Option<DisbursementId>,
        result: &PaymentResult,
    ) -> Option<Uuid> {
        let id = result.payment.as_ref().ok()?;
        let payment = self.payments.get(&id.uuid)?;
        let here = id.jurisdiction == jurisdiction && within.is_none_or(|it| it.uuid == payment.disbursement);
        here.then_some(id.uuid)
    }

    fn judge(&self, id: Uuid, result: &PaymentResult) -> Judgement {
        let Some(payment) = self.payments.get(&id) else {
            return Judgement::Exception(Exception::UnknownPayment);
        };
        let released = self
            .disbursements
            .get(&payment.disbursement)
            .is_some_and(|row| row.released_at.is_some());
        if !released {
            return Judgement::Exception(Exception::NotReleased);
        }
        let judgement = judge(payment, result);
        // Money that was paid comes back whole: a claim of it that was repaid meanwhile cannot be paid back again.
        if judgement == Judgement::Fresh("returned") && self.is_stuck(id) {
            return Judgement::Exception(Exception::Contradicts);
        }
        judgement
    }

    fn fund_of(&self, payment: &PaymentRow) -> Result<String, ServiceError> {
        let row = self.disbursements.get(&payment.disbursement);
        row.map(|row| row.programme.clone())
            .ok_or_else(|| ServiceError::bug("a payment is of no disbursement"))
    }

    /// The settled payments that pay advances, with their outcomes before.
    fn advanced(&self, settled: &BTreeSet<Uuid>) -> Vec<(PaymentRow, String)> {
        let payments = settled.iter().filter_map(|id| self.payments.get(id));
        let payments = payments.filter(|payment| payment.advance.is_some());
        payments
            .filter_map(|payment| Some((payment.clone(), self.before.get(&payment.id)?.clone())))
            .collect()
    }

    fn is_stuck(&self, payment: Uuid) -> bool {
        if self.advances.get(&payment).is_some_and(is_used) {
            return true;
        }
        let lines = self.lines.get(&payment).into_iter().flatten();
        let mut claims = lines.filter_map(|line| Some((self.claims.get(&line.claim)?, line)));
        claims.any(|(row, line)| !can_come_back(row, line, self.clawbacks.get(&row.id)))
    }

    /// The claims that a failed or returned payment leaves owed, and how much of each.
    fn owed(&self, payment: Uuid) -> (Vec<ClaimRow>, HashMap<Uuid, i64>) {
        let lines = self.lines.get(&payment).into_iter().flatten();
        let owed = lines.filter_map(|line| {
            let row = self.claims.get(&line.claim)?;
            let amount = self.owed_of(payment, line);
            (amount > 0).then(|| (row.clone(), (row.id, amount)))
        });
        owed.unzip()
    }

    /// What netting paid stays paid when the bank returns the rest.
    fn owed_of(&self, payment: Uuid, line: &LineRow) -> i64 {
        match self.before.get(&payment).map(String::as_str) {
            Some("returned") => line.amount.saturating_sub(line.netted),
            _ => line.amount,
        }
    }

    /// Pays the claims of payments that came back before anybody said that they were paid.
    fn take_bounced(&mut self, settled: &BTreeSet<Uuid>) -> Result<Vec<Move>, ServiceError> {
        let payments = settled.iter().filter_map(|id| self.payments.get(id));
        let bounced = payments.filter(|it| {
            let before = self.before.get(&it.id).map(String::as_str);
            it.outcome == "returned" && before == Some("open")
        });
        let bounced = bounced
            .map(|payment| (payment.id, payment.disbursement))
            .collect::<Vec<_>>();
        let mut moves = Vec::new();
        for (payment, disbursement) in bounced {
            for line in self.lines.get(&payment).into_iter().flatten() {
                let Some(row) = self.claims.remove(&line.claim) else {
                    continue;
                };
                moves.push(Move {
                    row,
                    verb: Verb::Pay,
                    reason: None,
                    document: Some(disbursement),
                    part: Some(whole(line.amount)?),
                });
            }
        }
        Ok(moves)
    }

    /// What becomes of what settled payments are netted against.
    fn nettings(&self, settled: &BTreeSet<Uuid>) -> Vec<(PaymentRow, Netting)> {
        let nettings = settled.iter().filter_map(|id| {
            let payment = self.payments.get(id)?;
            let netting = Netting::of(self.before.get(id)?, &payment.outcome)?;
            Some((payment.clone(), netting))
        });
        nettings.collect()
    }

    pub(in crate::payments) fn settle(
        &mut self,
        id: Uuid,
        outcome: &'static str,
        said: &Said,
        mover: Mover<'_>,
    ) -> Result<(), ServiceError> {
        let payment = self
            .payments
            .get_mut(&id)
            .ok_or_else(|| ServiceError::bug("a payment is gone"))?;
        payment.outcome = outcome.to_owned();
        payment.reason = words(said).1.map(str::to_owned);
        payment.settled_at = Some(mover.now);
        Ok(())
    }

    /// What becomes of the claims of settled payments.
    fn take_moves(&mut self, settled: &BTreeSet<Uuid>, mover: Mover<'_>) -> Result<Vec<Move>, ServiceError> {
        let mut moves = Vec::new();
        for id in settled {
            let payment = self
                .payments
                .get(id)
                .ok_or_else(|| ServiceError::bug("a payment is gone"))?;
            let (outcome, reason) = (payment.outcome.clone(), payment.reason.clone());
            let document = Some(payment.disbursement);
            for line in self.lines.get(id).into_iter().flatten() {
                let row = self
                    .claims
                    .remove(&line.claim)
                    .ok_or_else(|| ServiceError::bug("a claim is in two payments that settle at once"))?;
                let came_back = ["returned", "failed"].contains(&outcome.as_str());
                let (verb, part) = match row.status {
                    _ if outcome == "paid" => match self.owed_of(*id, line) {
                        0 => continue,
                        owed => (Verb::Pay, whole(owed)?),
                    },
                    Status::Paid | Status::ClawbackDue | Status::ClawedBack if came_back => {
                        match returned(&row, line, self.clawbacks.get_mut(&row.id), mover)? {
                            Some(moved) => moved,
                            None => continue,
                        }
                    }
                    _ => (Verb::FailPayment, whole(line.amount)?),
                };
                moves.push(Move {
                    row,
                    verb,
                    reason: reason.clone(),
                    document,
                    part: Some(part),
                });
            }
        }
        Ok(moves)
    }
}

/// A payment as it stands, locked or not.
async fn stands(
    tx: &mut Tx,
    locked: &Locked,
    jurisdiction: &str,
    id: Option<Uuid>,
) -> Result<Payment, ServiceError> {
    let id = id.ok_or_else(|| ServiceError::bug("a word that matches nothing"))?;
    let row = match locked.payments.get(&id) {
        Some(row) => Some(row.clone()),
        None => tx.payment(jurisdiction, id).await?,
    };
    shown_payment(&row.ok_or_else(|| ServiceError::bug("a matched payment is gone"))?)
}
