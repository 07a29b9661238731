//! Gathering payable claims into payments, and taking a disbursement back before it is released.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use claims::claim::{Claim, Payee};
use claims::digest::Domain;
use claims::ids::{ClaimId, DisbursementId};
use claims::life_cycle::{Status, Verb};
use ledger::Fen;
use store::claims::clawbacks::NettingRow;
use store::claims::{ClaimRow, Payable};
use store::payments::advances::SetOffRow;
use store::payments::disbursements::DisbursementRow;
use store::payments::{LineRow, PaymentRow};
use store::{Done, Tx};
use uuid::Uuid;

use super::netting::{Netting, whole};
use super::{Disbursement, open, shown};
use crate::claims::transition::{Move, Mover};
use crate::funds::limits::{self, Books};
use crate::funds::sources::oldest_versions;
use crate::operation::access::ManageFunds;
use crate::operation::checks::reason;
use crate::operation::convert::distinct;
use crate::operation::{Key, Permit, Refusal, Replayable, ServiceError};
use crate::payments::Payments;

/// Which payable claims are gathered: all of a fund, or less.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gather {
    /// Of this merchant only.
    pub merchant: Option<String>,
    /// Payable since before this instant.
    pub since_before: Option<DateTime<Utc>>,
    pub most_claims: Option<usize>,
    /// Nobody is overtaken: gathering ends with the first claim that does not fit.
    pub most_amount: Option<Fen>,
}

impl Payments {
    /// Gathers the payable claims of a fund, oldest first, up to the limits.
    pub async fn make_disbursement(
        &self,
        permit: &Permit<ManageFunds>,
        jurisdiction: &str,
        programme: &str,
        gather: Gather,
        key: Key,
    ) -> Result<Replayable<Disbursement>, ServiceError> {
        permit.within(jurisdiction)?;
        self.op
            .transaction(|tx| self.make_in(tx, permit, (jurisdiction, programme), &gather, &key))
            .await
    }

    async fn make_in(
        &self,
        mut tx: Tx,
        permit: &Permit<ManageFunds>,
        (jurisdiction, programme): (&str, &str),
        gather: &Gather,
        key: &Key,
    ) -> Result<Done<Replayable<Disbursement>>, ServiceError> {
        let mover = Mover {
            actor: permit.actor(),
            now: self.op.now(),
        };
        tx.fund(jurisdiction, programme)
            .await?
            .ok_or(Refusal::NotFound("fund"))?;
        let fund = (jurisdiction.to_owned(), programme.to_owned());
        let books = limits::lock(&mut tx, &self.catalogue.current(), [fund]).await?;
        // Under the lock, where whoever raced with the same key has committed.
        if let Some(first) = self.op.answered(&mut tx, mover.actor, key).await? {
            return Ok(tx.done(first));
        }
        let rows = self.gathered(&mut tx, jurisdiction, programme, gather).await?;
        let id = self.op.id(mover.now);
        let (mut payments, mut lines) = self.payments_of(&mut tx, id, &rows, mover.now).await?;
        let fund = (jurisdiction, programme);
        let versions = oldest_versions(&lines, &rows);
        self.funds
            .take_from_sources(&mut tx, fund, &mut payments, &versions, mover.now)
            .await?;
        let set_offs = self
            .set_against_advances(&mut tx, fund, &mut payments, mover.now)
            .await?;
        let nettings = self.net(&mut tx, fund, &mut payments, &mut lines).await?;
        let row = self.new_disbursement(id, fund, totals(&payments, rows.len())?, mover);
        tx.add_disbursement(&row).await?;
        PaymentRow::insert(&mut tx, &payments).await?;
        LineRow::insert(&mut tx, &lines).await?;
        SetOffRow::insert(&mut tx, &set_offs).await?;
        NettingRow::insert(&mut tx, &nettings).await?;
        let amounts = amounts(&lines);
        self.instruct(&mut tx, &books, (rows, &amounts), id, mover)
            .await?;
        let made = shown(&row)?;
        self.note(&mut tx, &row, "make_disbursement", None, mover).await?;
        self.op
            .keep_answer(&mut tx, mover.actor, key, "make_disbursement", &made)
            .await?;
        Ok(tx.done(Replayable {
            value: made,
            replayed: false,
        }))
    }

    async fn gathered(
        &self,
        tx: &mut Tx,
        jurisdiction: &str,
        programme: &str,
        gather: &Gather,
    ) -> Result<Vec<ClaimRow>, ServiceError> {
        let most = self.settings.disbursement_limit;
        let most = gather.most_claims.map_or(most, |asked| asked.min(most));
        let asked = Payable {
            jurisdiction,
            programme,
            merchant: gather.merchant.as_deref(),
            since_before: gather.since_before,
            limit: i64::try_from(most).unwrap_or(i64::MAX),
        };
        let mut rows = tx.payable_claims(&asked).await?;
        if let Some(most) = gather.most_amount {
            let mut sum = 0_i64;
            let fits = rows.iter().take_while(|row| {
                sum = sum.saturating_add(row.amount.map_or(0, Fen::get));
                sum <= most.get()
            });
            let fits = fits.count();
            rows.truncate(fits);
        }
        if rows.is_empty() {
            return Err(Refusal::NothingPayable.into());
        }
        Ok(rows)
    }

    /// One payment a payee, in the order of their oldest claims, and each claim as a line of its payment.
    async fn payments_of(
        &self,
        tx: &mut Tx,
        disbursement: Uuid,
        rows: &[ClaimRow],
        now: DateTime<Utc>,
    ) -> Result<(Vec<PaymentRow>, Vec<LineRow>), ServiceError> {
        let sent = self.claims.sent_claims(tx, rows).await?;
        let corrected = self.corrected_payees(tx, rows).await?;
        let payable = self.payable_amounts(tx, rows).await?;
        let mut places = HashMap::<(String, Vec<u8>), usize>::new();
        let (mut payments, mut lines) = (Vec::<PaymentRow>::new(), Vec::new());
        for row in rows {
            let claim = sent
                .get(&row.id)
                .ok_or_else(|| ServiceError::bug("a claim has no document"))?;
            let corrected = corrected.get(&row.id);
            let account = corrected.map(|(_, party)| party.account().expose());
            let (merchant, person) = self.payee(row, claim, account);
            let key = (
                merchant.clone().unwrap_or_default(),
                person.clone().unwrap_or_default(),
            );
            let place = *places.entry(key).or_insert_with(|| {
                payments.push(PaymentRow {
                    jurisdiction: row.jurisdiction.to_string(),
                    id: self.op.id(now),
                    disbursement,
                    payee: claim.payee.kind().to_owned(),
                    merchant,
                    person,
                    // Of an applicant: of the oldest claim, which stands for all that go to the same account.
                    account: corrected.map(|(revision, _)| *revision),
                    claims: 0,
                    amount: 0,
                    outcome: "open".into(),
                    reason: None,
                    settled_at: None,
                    // Split when all payments are known.
                    central: 0,
                    province: 0,
                    city: 0,
                    county: 0,
                    netted: 0,
                    advance: None,
                });
                payments.len().saturating_sub(1)
            });
            let payment = payments
                .get_mut(place)
                .ok_or_else(|| ServiceError::bug("a payment is gone"))?;
            let amount = payable.get(&row.id).copied().unwrap_or(0);
            payment.claims = payment.claims.saturating_add(1);
            payment.amount = payment.amount.saturating_add(amount);
            lines.push(LineRow {
                jurisdiction: row.jurisdiction.to_string(),
                disbursement,
                claim: row.id,
                payment: payment.id,
                amount,
                outcome: "open".into(),
                netted: 0,
                recovered: 0,
            });
        }
        let merchants = payments.iter().filter_map(|payment| payment.merchant.clone());
        let accounts = tx.bank_accounts(&distinct(merchants.collect())).await?;
        let revisions: HashMap<&str, i32> = accounts
            .iter()
            .map(|account| (account.holder.as_str(), account.revision))
            .collect();
        for payment in &mut payments {
            if let Some(merchant) = &payment.merchant {
                payment.account = revisions.get(merchant.as_str()).copied();
            }
        }
        Ok((payments, lines))
    }

    /// Who is paid: the merchant, or the applicant at one account. Two accounts of one person are two payments.
    fn payee(
        &self,
        row: &ClaimRow,
        claim: &Claim,
        corrected: Option<&str>,
    ) -> (Option<String>, Option<Vec<u8>>) {
        match &claim.payee {
            Payee::Merchant => (Some(row.merchant.clone()), None),
            Payee::Applicant { bank_account, .. } => {
                let account = corrected.unwrap_or_else(|| bank_account.expose());
                let at = format!("{}/{account}", hex::encode(row.person.as_bytes()));
                let digest = self.vault.digest(Domain::BankAccount, &at);
                (None, Some(digest.as_bytes().to_vec()))
            }
        }
    }

    pub(in crate::payments) fn new_disbursement(
        &self,
        id: Uuid,
        (jurisdiction, programme): (&str, &str),
        totals: Totals,
        mover: Mover<'_>,
    ) -> DisbursementRow {
        let tier = self.settings.third_person_from;
        DisbursementRow {
            jurisdiction: jurisdiction.to_owned(),
            id,
            programme: programme.to_owned(),
            status: "made".into(),
            revision: 1,
            claims: totals.claims,
            total: totals.amount,
            maker: mover.actor.person.clone(),
            made_at: mover.now,
            releaser: None,
            released_at: None,
            closed_at: None,
            payments: totals.payments,
            needs_three: tier.is_some_and(|tier| totals.amount >= tier.get()),
            countersigner: None,
            countersigned_at: None,
            account: None,
            per_file: None,
            digest: None,
        }
    }

    /// Moves the money of claims, each by its amount, into payment, those first made payable again whose last payment failed.
    pub(in crate::payments) async fn instruct(
        &self,
        tx: &mut Tx,
        books: &Books,
        (rows, amounts): (Vec<ClaimRow>, &HashMap<Uuid, i64>),
        disbursement: Uuid,
        mover: Mover<'_>,
    ) -> Result<Vec<ClaimRow>, ServiceError> {
        let (failed, mut payable): (Vec<_>, Vec<_>) = rows
            .into_iter()
            .partition(|row| row.status == Status::PaymentFailed);
        let again = failed.into_iter().map(|row| Move {
            row,
            verb: Verb::Retry,
            reason: None,
            document: None,
            part: None,
        });
        payable.extend(self.claims.carry_out(tx, books, again.collect(), mover).await?);
        let moves = payable.into_iter().map(|mut row| {
            row.disbursement = Some(disbursement);
            Ok(Move {
                part: amounts.get(&row.id).copied().map(whole).transpose()?,
                row,
                verb: Verb::Instruct,
                reason: None,
                document: Some(disbursement),
            })
        });
        let moves = moves.collect::<Result<Vec<_>, ServiceError>>()?;
        self.claims.carry_out(tx, books, moves, mover).await
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
        self.op
            .transaction(|tx| self.cancel_in(tx, permit, id, why.clone()))
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
            now: self.op.now(),
        };
        let jurisdiction = id.jurisdiction.as_str();
        let seen = tx
            .disbursement(jurisdiction, id.uuid)
            .await?
            .ok_or(Refusal::NotFound("disbursement"))?;
        let books = limits::lock(
            &mut tx,
            &self.catalogue.current(),
            [(seen.jurisdiction, seen.programme)],
        )
        .await?;
        let mut row = open(&mut tx, id, None, &["made", "countersigned"]).await?;
        let payments = tx.payments(jurisdiction, id.uuid, None, i64::MAX).await?;
        let cancelled = payments.into_iter().map(|payment| PaymentRow {
            outcome: "cancelled".into(),
            settled_at: Some(mover.now),
            ..payment
        });
        let cancelled = cancelled.collect::<Vec<_>>();
        tx.settle_payments(&cancelled).await?;
        self.cancel_advances(&mut tx, jurisdiction, &cancelled, mover)
            .await?;
        let nettings = cancelled.into_iter().map(|payment| (payment, Netting::GivenBack));
        let nettings = nettings.collect::<Vec<_>>();
        self.settle_set_offs(&mut tx, &nettings, mover).await?;
        self.settle_nettings(&mut tx, &books, &nettings, mover).await?;
        let lines = tx.lines(jurisdiction, id.uuid).await?;
        let amounts = amounts(&lines);
        let keys = lines.iter().map(|line| ClaimId::new(id.jurisdiction, line.claim));
        let claims = tx.lock_claims(&keys.collect::<Vec<_>>()).await?;
        let moves = claims.into_iter().map(|row| {
            Ok(Move {
                part: amounts.get(&row.id).copied().map(whole).transpose()?,
                row,
                verb: Verb::CancelInstruction,
                reason: why.clone(),
                document: Some(id.uuid),
            })
        });
        let moves = moves.collect::<Result<Vec<_>, ServiceError>>()?;
        self.claims.carry_out(&mut tx, &books, moves, mover).await?;
        (row.status, row.closed_at) = ("cancelled".into(), Some(mover.now));
        row.revision = row.revision.saturating_add(1);
        tx.save_disbursement(&row).await?;
        self.note(&mut tx, &row, "cancel_disbursement", why, mover)
            .await?;
        Ok(tx.done(shown(&row)?))
    }
}

/// What a disbursement comes to.
#[derive(Debug, Clone, Copy)]
pub(in crate::payments) struct Totals {
    claims: i32,
    payments: i32,
    amount: i64,
}

pub(in crate::payments) fn totals(payments: &[PaymentRow], claims: usize) -> Result<Totals, ServiceError> {
    let amounts = payments.iter().map(|payment| payment.amount);
    Ok(Totals {
        claims: i32::try_from(claims).map_err(ServiceError::bug)?,
        payments: i32::try_from(payments.len()).map_err(ServiceError::bug)?,
        amount: amounts.fold(0, i64::saturating_add),
    })
}

/// What each line moves of its claim.
fn amounts(lines: &[LineRow]) -> HashMap<Uuid, i64> {
    lines.iter().map(|line| (line.claim, line.amount)).collect()
}
