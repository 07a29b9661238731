//! Disbursements: payable claims gathered by one person of treasury, released by another, settled by the bank's results.
//!
//! Making a disbursement moves its claims' money from payable to in payment, so that no other gathers them; that a claim is
//! open or paid in one at most is `disbursement_lines_one_open_or_paid`. A failed payment makes the claim payable again and
//! the next disbursement gathers it. Results may come in parts and repeat; one that contradicts an earlier one is refused.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use claims::claim::Payee;
use claims::ids::{ClaimId, DisbursementId, PaymentId};
use claims::life_cycle::{Status, Verb};
use ledger::Fen;
use serde::{Deserialize, Serialize};
use store::claims::ClaimRow;
use store::disbursements::{DisbursementRow, LineRow};
use store::{Done, Tx};
use uuid::Uuid;

use crate::access::{ManageFunds, Permit, ReadFunds};
use crate::funds::code;
use crate::limits::{self, fen};
use crate::moving::{Move, Mover, reason};
use crate::once::Key;
use crate::{Page, Refusal, Replayable, Service, ServiceError, history, paging};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disbursement {
    pub id: String,
    pub jurisdiction: String,
    pub programme: String,
    /// made, released, settled or cancelled.
    pub status: String,
    pub revision: i32,
    pub claims: i32,
    /// Yuan, two decimals.
    pub total: String,
    pub made_at: DateTime<Utc>,
    pub released_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
}

/// One payment of a disbursement.
#[derive(Debug, Clone)]
pub struct Payment {
    pub id: PaymentId,
    pub claim: ClaimId,
    pub amount: Fen,
    /// open, paid, failed or cancelled.
    pub outcome: String,
    pub reason: Option<String>,
    pub settled_at: Option<DateTime<Utc>>,
}

/// What the bank says of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentResult {
    pub payment: PaymentId,
    /// `None`: paid. Otherwise why not.
    pub failure: Option<String>,
}

impl Service {
    /// Gathers the payable claims of a fund, oldest first, up to the limit.
    pub async fn make_disbursement(
        &self,
        permit: &Permit<ManageFunds>,
        jurisdiction: &str,
        programme: &str,
        key: Key,
    ) -> Result<Replayable<Disbursement>, ServiceError> {
        permit.within(jurisdiction)?;
        self.store()
            .write(|tx| self.make_in(tx, permit, jurisdiction, programme, &key))
            .await
    }

    async fn make_in(
        &self,
        mut tx: Tx,
        permit: &Permit<ManageFunds>,
        jurisdiction: &str,
        programme: &str,
        key: &Key,
    ) -> Result<Done<Replayable<Disbursement>>, ServiceError> {
        let (actor, now) = (permit.actor(), self.clock().now());
        tx.fund(jurisdiction, programme)
            .await?
            .ok_or(Refusal::NotFound("fund"))?;
        let fund = (jurisdiction.to_owned(), programme.to_owned());
        let books = limits::lock(&mut tx, &self.catalogue(), [fund]).await?;
        // Under the lock, where whoever raced with the same key has committed.
        if let Some(first) = self.answered(&mut tx, actor, key).await? {
            return Ok(tx.done(first));
        }
        let most = i64::try_from(self.settings().disbursement_limit).unwrap_or(i64::MAX);
        let rows = tx.payable_claims(jurisdiction, programme, most).await?;
        let id = self.ids().next(now);
        let row = new_disbursement(jurisdiction, programme, id, &rows, &actor.person, now)?;
        let lines = rows.iter().map(|claim| LineRow {
            jurisdiction: claim.jurisdiction.clone(),
            disbursement: id,
            claim: claim.id,
            payment: self.ids().next(now),
            amount: claim.amount.unwrap_or(0),
            outcome: "open".into(),
            reason: None,
            settled_at: None,
        });
        tx.add_disbursement(&row, &lines.collect::<Vec<_>>()).await?;
        let mover = Mover { actor, now };
        let (failed, mut payable): (Vec<_>, Vec<_>) = rows
            .into_iter()
            .partition(|row| row.status == Status::PaymentFailed.as_str());
        let again = failed.into_iter().map(|row| Move {
            row,
            verb: Verb::Retry,
            reason: None,
            document: None,
        });
        payable.extend(self.carry_out(&mut tx, &books, again.collect(), mover).await?);
        let moves = payable.into_iter().map(|mut row| {
            row.disbursement = Some(id);
            Move {
                row,
                verb: Verb::Instruct,
                reason: None,
                document: Some(id),
            }
        });
        self.carry_out(&mut tx, &books, moves.collect(), mover).await?;
        let made = shown(&row)?;
        self.note(&mut tx, &row, "make_disbursement", None, mover).await?;
        self.keep_answer(&mut tx, actor, key, "make_disbursement", &made)
            .await?;
        Ok(tx.done(Replayable {
            value: made,
            replayed: false,
        }))
    }

    /// A second person lets the money go.
    pub async fn release_disbursement(
        &self,
        permit: &Permit<ManageFunds>,
        id: DisbursementId,
        if_match: Option<i32>,
        key: Option<Key>,
    ) -> Result<Replayable<Disbursement>, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        self.store()
            .write(async |mut tx| -> Result<_, ServiceError> {
                let mover = Mover {
                    actor: permit.actor(),
                    now: self.clock().now(),
                };
                if key.is_some() {
                    // Whoever races with the same key commits before the key is looked up.
                    tx.lock_disbursement(id.jurisdiction.as_str(), id.uuid).await?;
                }
                if let Some(key) = &key
                    && let Some(first) = self.answered(&mut tx, mover.actor, key).await?
                {
                    return Ok(tx.done(first));
                }
                let mut row = open(&mut tx, id, if_match, &["made"]).await?;
                if row.maker == mover.actor.person {
                    return Err(Refusal::FourEyes.into());
                }
                row.status = "released".into();
                (row.releaser, row.released_at) = (Some(mover.actor.person.clone()), Some(mover.now));
                row.revision = row.revision.saturating_add(1);
                tx.save_disbursement(&row).await?;
                self.note(&mut tx, &row, "release_disbursement", None, mover)
                    .await?;
                let value = shown(&row)?;
                if let Some(key) = &key {
                    self.keep_answer(&mut tx, mover.actor, key, "release_disbursement", &value)
                        .await?;
                }
                Ok(tx.done(Replayable {
                    value,
                    replayed: false,
                }))
            })
            .await
    }

    /// Takes a disbursement back before it is released: its claims are payable again.
    pub async fn cancel_disbursement(
        &self,
        permit: &Permit<ManageFunds>,
        id: DisbursementId,
        why: Option<String>,
    ) -> Result<Disbursement, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        let why = reason(why, true)?;
        self.store()
            .write(|tx| self.cancel_in(tx, permit, id, why.clone()))
            .await
    }

    async fn cancel_in(
        &self,
        mut tx: Tx,
        permit: &Permit<ManageFunds>,
        id: DisbursementId,
        why: Option<String>,
    ) -> Result<Done<Disbursement>, ServiceError> {
        let mover = Mover {
            actor: permit.actor(),
            now: self.clock().now(),
        };
        let (lines, rows, books) = self.lock_lines(&mut tx, id).await?;
        let mut row = open(&mut tx, id, None, &["made"]).await?;
        let settled = lines.into_iter().map(|line| LineRow {
            outcome: "cancelled".into(),
            settled_at: Some(mover.now),
            ..line
        });
        tx.settle_lines(&settled.collect::<Vec<_>>()).await?;
        let moves = rows.into_values().map(|row| Move {
            row,
            verb: Verb::CancelInstruction,
            reason: why.clone(),
            document: Some(id.uuid),
        });
        self.carry_out(&mut tx, &books, moves.collect(), mover).await?;
        (row.status, row.closed_at) = ("cancelled".into(), Some(mover.now));
        row.revision = row.revision.saturating_add(1);
        tx.save_disbursement(&row).await?;
        self.note(&mut tx, &row, "cancel_disbursement", why, mover)
            .await?;
        Ok(tx.done(shown(&row)?))
    }

    /// Records what the bank says of payments, each with its own result. A repeat changes nothing.
    pub async fn record_results(
        &self,
        permit: &Permit<ManageFunds>,
        id: DisbursementId,
        results: Vec<PaymentResult>,
    ) -> Result<Vec<Result<Payment, Refusal>>, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        let limit = self.settings().disbursement_limit;
        if results.len() > limit {
            return Err(Refusal::TooMany {
                what: "results",
                limit,
            }
            .into());
        }
        self.store()
            .write(|tx| self.results_in(tx, permit, id, &results))
            .await
    }

    async fn results_in(
        &self,
        mut tx: Tx,
        permit: &Permit<ManageFunds>,
        id: DisbursementId,
        results: &[PaymentResult],
    ) -> Result<Done<Vec<Result<Payment, Refusal>>>, ServiceError> {
        let mover = Mover {
            actor: permit.actor(),
            now: self.clock().now(),
        };
        let (lines, mut rows, books) = self.lock_lines(&mut tx, id).await?;
        let mut disbursement = open(&mut tx, id, None, &["released", "settled"]).await?;
        let mut lines: HashMap<Uuid, LineRow> = lines.into_iter().map(|line| (line.payment, line)).collect();
        let (mut moves, mut settled) = (Vec::new(), Vec::new());
        let mut answers = Vec::with_capacity(results.len());
        for result in results {
            let line = lines
                .get_mut(&result.payment.uuid)
                .filter(|_| result.payment.jurisdiction == id.jurisdiction);
            answers.push(match line {
                None => Err(Refusal::NotFound("payment")),
                Some(line) => settle(line, result, mover.now).and_then(|fresh| {
                    if fresh {
                        let row = rows.remove(&line.claim).ok_or(Refusal::ResultContradicts)?;
                        let verb = if result.failure.is_none() {
                            Verb::Pay
                        } else {
                            Verb::FailPayment
                        };
                        moves.push(Move {
                            row,
                            verb,
                            reason: result.failure.clone(),
                            document: Some(id.uuid),
                        });
                        settled.push(line.clone());
                    }
                    Ok(line.payment)
                }),
            });
        }
        tx.settle_lines(&settled).await?;
        self.carry_out(&mut tx, &books, moves, mover).await?;
        if disbursement.status == "released" && lines.values().all(|line| line.outcome != "open") {
            (disbursement.status, disbursement.closed_at) = ("settled".into(), Some(mover.now));
            disbursement.revision = disbursement.revision.saturating_add(1);
            tx.save_disbursement(&disbursement).await?;
            self.note(&mut tx, &disbursement, "settle_disbursement", None, mover)
                .await?;
        }
        let answers = answers.into_iter().map(|answer| match answer {
            Err(refusal) => Ok(Err(refusal)),
            Ok(payment) => {
                let line = lines
                    .get(&payment)
                    .ok_or_else(|| ServiceError::bug("a settled payment is gone"))?;
                Ok(Ok(shown_line(line)?))
            }
        });
        let answers = answers.collect::<Result<Vec<_>, ServiceError>>()?;
        Ok(tx.done(answers))
    }

    /// The lines of a disbursement with their claims, under the lock of the fund.
    async fn lock_lines(
        &self,
        tx: &mut Tx,
        id: DisbursementId,
    ) -> Result<(Vec<LineRow>, HashMap<Uuid, ClaimRow>, limits::Books), ServiceError> {
        let jurisdiction = id.jurisdiction.as_str();
        let seen = tx
            .disbursement(jurisdiction, id.uuid)
            .await?
            .ok_or(Refusal::NotFound("disbursement"))?;
        let fund = (seen.jurisdiction, seen.programme);
        let books = limits::lock(tx, &self.catalogue(), [fund]).await?;
        let lines = tx.all_lines(jurisdiction, id.uuid).await?;
        let keys = lines
            .iter()
            .map(|line| (line.jurisdiction.clone(), line.claim))
            .collect::<Vec<_>>();
        let rows = tx.lock_claims(&keys).await?;
        let rows = rows.into_iter().filter(|row| row.disbursement == Some(id.uuid));
        let rows = rows.map(|row| (row.id, row)).collect();
        Ok((lines, rows, books))
    }

    async fn note(
        &self,
        tx: &mut Tx,
        row: &DisbursementRow,
        verb: &str,
        why: Option<String>,
        mover: Mover<'_>,
    ) -> Result<(), ServiceError> {
        let subject = DisbursementId::new(code(&row.jurisdiction)?, row.id).to_string();
        let mut event = history::event(self, &row.jurisdiction, &subject, verb, mover.actor, mover.now);
        (event.revision, event.to_status, event.reason) = (Some(row.revision), Some(row.status.clone()), why);
        tx.record_events(&[event]).await?;
        Ok(())
    }

    pub async fn disbursement(
        &self,
        permit: &Permit<ReadFunds>,
        id: DisbursementId,
    ) -> Result<Disbursement, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        let row = self
            .store()
            .read()
            .await?
            .disbursement(id.jurisdiction.as_str(), id.uuid)
            .await?;
        shown(&row.ok_or(Refusal::NotFound("disbursement"))?)
    }

    /// Disbursements, newest first.
    pub async fn disbursements(
        &self,
        permit: &Permit<ReadFunds>,
        jurisdiction: Option<String>,
        programme: Option<&str>,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Disbursement>, ServiceError> {
        let counties = paging::counties(permit, jurisdiction)?;
        let before = paging::read(cursor)?;
        let mut conn = self.store().read().await?;
        let rows = conn
            .disbursements(&counties, programme, before, paging::fetch(limit))
            .await?;
        paging::page(rows, limit, |row| row.id)?.try_map(|row| shown(&row))
    }

    /// A disbursement's payments, by claim.
    pub async fn payments(
        &self,
        permit: &Permit<ReadFunds>,
        id: DisbursementId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Payment>, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        let after = paging::read(cursor)?;
        let mut conn = self.store().read().await?;
        let rows = conn
            .lines(id.jurisdiction.as_str(), id.uuid, after, paging::fetch(limit))
            .await?;
        paging::page(rows, limit, |row| row.claim)?.try_map(|row| shown_line(&row))
    }

    /// The payment instruction as CSV (UTF-8 with BOM) for a bank that takes a table. It names accounts: handing it out is an
    /// audit event, and only a released disbursement has one.
    pub async fn instruction(
        &self,
        permit: &Permit<ManageFunds>,
        id: DisbursementId,
    ) -> Result<Vec<u8>, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        self.store().write(|tx| self.instruction_in(tx, permit, id)).await
    }

    async fn instruction_in(
        &self,
        mut tx: Tx,
        permit: &Permit<ManageFunds>,
        id: DisbursementId,
    ) -> Result<Done<Vec<u8>>, ServiceError> {
        let row = open(&mut tx, id, None, &["released", "settled"]).await?;
        let lines = tx.all_lines(id.jurisdiction.as_str(), id.uuid).await?;
        let keys = lines
            .iter()
            .map(|line| (line.jurisdiction.clone(), line.claim))
            .collect::<Vec<_>>();
        let rows = tx.claims_by_id(&keys).await?;
        let sent = self.sent_claims(&mut tx, &rows).await?;
        let merchants: HashMap<Uuid, &str> = rows.iter().map(|row| (row.id, row.merchant.as_str())).collect();
        let mut csv = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
        csv.write_record([
            "支付编号",
            "申请编号",
            "收款人类型",
            "收款人",
            "开户银行",
            "收款账号",
            "金额（元）",
        ])
        .map_err(ServiceError::bug)?;
        for line in &lines {
            let claim = sent
                .get(&line.claim)
                .ok_or_else(|| ServiceError::bug("a payment has no claim"))?;
            let (kind, payee, bank, account) = match &claim.payee {
                Payee::Merchant => (
                    "商户",
                    merchants.get(&line.claim).copied().unwrap_or_default(),
                    "",
                    "",
                ),
                Payee::Applicant {
                    bank_account,
                    bank_name,
                } => (
                    "个人",
                    claim.applicant.name.expose(),
                    bank_name.as_str(),
                    bank_account.expose(),
                ),
            };
            let shown = shown_line(line)?;
            let (payment, claim, amount) = (
                shown.id.to_string(),
                shown.claim.to_string(),
                shown.amount.to_string(),
            );
            csv.write_record([&payment, &claim, kind, payee, bank, account, &amount])
                .map_err(ServiceError::bug)?;
        }
        let mover = Mover {
            actor: permit.actor(),
            now: self.clock().now(),
        };
        self.note(&mut tx, &row, "hand_out_instruction", None, mover)
            .await?;
        let file = csv.into_inner().map_err(ServiceError::bug)?;
        Ok(tx.done(file))
    }
}

/// The disbursement, locked, in one of these statuses and at the revision the caller saw.
async fn open(
    tx: &mut Tx,
    id: DisbursementId,
    if_match: Option<i32>,
    statuses: &[&str],
) -> Result<DisbursementRow, ServiceError> {
    let row = tx.lock_disbursement(id.jurisdiction.as_str(), id.uuid).await?;
    let row = row.ok_or(Refusal::NotFound("disbursement"))?;
    if if_match.is_some_and(|revision| revision != row.revision) {
        return Err(Refusal::Stale {
            current: row.revision,
        }
        .into());
    }
    if !statuses.contains(&row.status.as_str()) {
        return Err(Refusal::Settled {
            what: "disbursement",
            status: row.status,
        }
        .into());
    }
    Ok(row)
}

/// Closes a line with its result; false if it had that result already.
fn settle(line: &mut LineRow, result: &PaymentResult, now: DateTime<Utc>) -> Result<bool, Refusal> {
    let outcome = if result.failure.is_none() {
        "paid"
    } else {
        "failed"
    };
    match line.outcome.as_str() {
        "open" => {
            line.outcome = outcome.into();
            line.reason.clone_from(&result.failure);
            line.settled_at = Some(now);
            Ok(true)
        }
        same if same == outcome => Ok(false),
        _ => Err(Refusal::ResultContradicts),
    }
}

fn new_disbursement(
    jurisdiction: &str,
    programme: &str,
    id: Uuid,
    rows: &[ClaimRow],
    maker: &str,
    now: DateTime<Utc>,
) -> Result<DisbursementRow, ServiceError> {
    if rows.is_empty() {
        return Err(Refusal::NothingPayable.into());
    }
    let total = rows
        .iter()
        .map(|row| row.amount.unwrap_or(0))
        .fold(0_i64, i64::saturating_add);
    Ok(DisbursementRow {
        jurisdiction: jurisdiction.to_owned(),
        id,
        programme: programme.to_owned(),
        status: "made".into(),
        revision: 1,
        claims: i32::try_from(rows.len()).map_err(ServiceError::bug)?,
        total,
        maker: maker.to_owned(),
        made_at: now,
        releaser: None,
        released_at: None,
        closed_at: None,
    })
}

fn shown(row: &DisbursementRow) -> Result<Disbursement, ServiceError> {
    Ok(Disbursement {
        id: DisbursementId::new(code(&row.jurisdiction)?, row.id).to_string(),
        jurisdiction: row.jurisdiction.clone(),
        programme: row.programme.clone(),
        status: row.status.clone(),
        revision: row.revision,
        claims: row.claims,
        total: fen(row.total)?.to_string(),
        made_at: row.made_at,
        released_at: row.released_at,
        closed_at: row.closed_at,
    })
}

fn shown_line(line: &LineRow) -> Result<Payment, ServiceError> {
    let jurisdiction = code(&line.jurisdiction)?;
    Ok(Payment {
        id: PaymentId::new(jurisdiction, line.payment),
        claim: ClaimId::new(jurisdiction, line.claim),
        amount: fen(line.amount)?,
        outcome: line.outcome.clone(),
        reason: line.reason.clone(),
        settled_at: line.settled_at,
    })
}
