//! Gathering payable claims into payments, and taking a disbursement back before it is released.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use claims::claim::{Claim, Payee};
use claims::digest::Domain;
use claims::ids::DisbursementId;
use claims::life_cycle::{Status, Verb};
use claims::payments::{DisbursementStatus, PayeeKind, PaymentOutcome};
use ledger::Fen;
use store::Tx;
use store::claims::clawbacks::NettingRow;
use store::claims::{ClaimRow, Payable};
use store::payments::advances::SetOffRow;
use store::payments::disbursements::DisbursementRow;
use store::payments::{LineRow, PaymentRow};
use uuid::Uuid;

use super::netting::{Netting, whole};
use super::{Disbursement, open, shown};
use crate::claims::transition::Move;
use crate::funds::limits::{self, Books};
use crate::funds::sources::oldest_versions;
use crate::operation::access::ManageFunds;
use crate::operation::checks::reason;
use crate::operation::convert::{code, distinct};
use crate::operation::{Key, Op, Permit, Refusal, Replayable, ServiceError};
use crate::payments::Payments;

/// Which payable claims are gathered: all of a fund, or less.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gather {
    /// Of this merchant only.
    pub merchant: Option<String>,
    /// Payable since before this instant.
    pub since_before: Option<DateTime<Utc>>,
    pub most_claims: Option<usize>,
    /// No claim is overtaken: gathering ends with the first that does not fit.
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
        let operation = self.op.of(permit).within(jurisdiction)?;
        let fund = (jurisdiction, programme);
        let unit = async |mut op: Op<'_>| {
            let found = op.tx.fund(jurisdiction, programme).await?;
            found.ok_or(Refusal::NotFound("fund"))?;
            let locked = [(jurisdiction.to_owned(), programme.to_owned())];
            let books = limits::lock(&mut op.tx, &self.catalogue.current(), locked).await?;
            let rows = self
                .gathered(&mut op.tx, jurisdiction, programme, &gather)
                .await?;
            let id = DisbursementId::new(code(jurisdiction)?, op.id());
            let (mut payments, mut lines) = self.payments_of(&mut op, id, &rows).await?;
            let versions = oldest_versions(&lines, &rows);
            self.funds
                .take_from_sources(&mut op.tx, fund, &mut payments, &versions, op.now)
                .await?;
            let set_offs = self
                .set_against_advances(&mut op, (id.jurisdiction, programme), &mut payments)
                .await?;
            let nettings = self
                .net(
                    &mut op.tx,
                    (id.jurisdiction, programme),
                    &mut payments,
                    &mut lines,
                )
                .await?;
            let row = self.new_disbursement(&op, id, programme, totals(&payments, rows.len())?);
            op.tx.add_disbursement(&row).await?;
            PaymentRow::insert(&mut op.tx, &payments).await?;
            LineRow::insert(&mut op.tx, &lines).await?;
            SetOffRow::insert(&mut op.tx, &set_offs).await?;
            NettingRow::insert(&mut op.tx, &nettings).await?;
            self.instruct(&mut op, &books, (rows, &amounts(&lines)), id.uuid)
                .await?;
            let recorded = self.note(&mut op, &row, "make_disbursement", None).await?;
            Ok(op.done(recorded, shown(&row)))
        };
        operation.once("make_disbursement", &key).run(unit).await
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

    /// One payment a payee, in the order of their oldest claims, and each claim as a line of its
    /// payment.
    async fn payments_of(
        &self,
        op: &mut Op<'_>,
        id: DisbursementId,
        rows: &[ClaimRow],
    ) -> Result<(Vec<PaymentRow>, Vec<LineRow>), ServiceError> {
        let sent = self.claims.sent_claims(&mut op.tx, rows).await?;
        let corrected = self.corrected_payees(&mut op.tx, rows).await?;
        let payable = self.payable_amounts(&mut op.tx, rows).await?;
        let mut places = HashMap::<(String, Vec<u8>), usize>::new();
        let (mut payments, mut lines) = (Vec::<PaymentRow>::new(), Vec::new());
        for row in rows {
            let claim = sent
                .get(&row.id)
                .ok_or_else(|| ServiceError::bug("a claim has no document"))?;
            let corrected = corrected.get(&row.id);
            let account = corrected.map(|(_, party)| party.account().expose());
            let payee = self.payee(row, claim, account);
            let amount = payable.get(&row.id).copied().unwrap_or_default();
            let mut line = LineRow {
                jurisdiction: id.jurisdiction,
                disbursement: id.uuid,
                claim: row.id,
                payment: Uuid::nil(),
                amount,
                outcome: PaymentOutcome::Open,
                netted: Fen::ZERO,
                recovered: Fen::ZERO,
            };
            let place = *places.entry(payee.key()).or_insert(payments.len());
            if let Some(payment) = payments.get_mut(place) {
                payment.claims = payment.claims.saturating_add(1);
                payment.amount = payment.amount.saturating_add(amount);
                line.payment = payment.id;
            } else {
                line.payment = op.id();
                // Of an applicant: of the oldest claim, which stands for all that go to the same
                // account.
                let account = corrected.map(|(revision, _)| *revision);
                payments.push(first_payment(id, line.payment, payee, account, amount));
            }
            lines.push(line);
        }
        let merchants = payments.iter().filter_map(|payment| payment.merchant.clone());
        let accounts = op.tx.bank_accounts(&distinct(merchants.collect())).await?;
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

    /// Who is paid: the merchant, or the applicant at one account. Two accounts of one person are
    /// two payments.
    fn payee(&self, row: &ClaimRow, claim: &Claim, corrected: Option<&str>) -> Paid {
        match &claim.payee {
            Payee::Merchant => Paid::Merchant(row.merchant.clone()),
            Payee::Applicant { bank_account, .. } => {
                let account = corrected.unwrap_or_else(|| bank_account.expose());
                let at = format!("{}/{account}", hex::encode(row.person.as_bytes()));
                let digest = self.vault.digest(Domain::BankAccount, &at);
                Paid::Person(digest.as_bytes().to_vec())
            }
        }
    }

    pub(in crate::payments) fn new_disbursement(
        &self,
        op: &Op<'_>,
        id: DisbursementId,
        programme: &str,
        totals: Totals,
    ) -> DisbursementRow {
        let tier = self.settings.third_person_from;
        DisbursementRow {
            jurisdiction: id.jurisdiction,
            id: id.uuid,
            programme: programme.to_owned(),
            status: DisbursementStatus::Made,
            revision: 1,
            claims: totals.claims,
            total: totals.amount,
            maker: op.actor.person.clone(),
            made_at: op.now,
            releaser: None,
            released_at: None,
            closed_at: None,
            payments: totals.payments,
            needs_three: tier.is_some_and(|tier| totals.amount >= tier),
            countersigner: None,
            countersigned_at: None,
            account: None,
            per_file: None,
            digest: None,
        }
    }

    /// Moves the money of claims, each by its amount, into payment, those first made payable again
    /// whose last payment failed.
    pub(in crate::payments) async fn instruct(
        &self,
        op: &mut Op<'_>,
        books: &Books,
        (rows, amounts): (Vec<ClaimRow>, &HashMap<Uuid, Fen>),
        disbursement: Uuid,
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
        let (again, _) = self.claims.move_claims(op, books, again.collect()).await?;
        payable.extend(again);
        let moves = payable.into_iter().map(|mut row| {
            row.disbursement = Some(disbursement);
            Move {
                part: amounts.get(&row.id).copied().map(whole),
                row,
                verb: Verb::Instruct,
                reason: None,
                document: Some(disbursement),
            }
        });
        let (instructed, _) = self.claims.move_claims(op, books, moves.collect()).await?;
        Ok(instructed)
    }

    /// Takes a disbursement back before it is released: its claims are payable again.
    pub async fn cancel_disbursement(
        &self,
        permit: &Permit<ManageFunds>,
        id: DisbursementId,
        why: Option<String>,
    ) -> Result<Disbursement, ServiceError> {
        let operation = self.op.of(permit).within(id.jurisdiction.as_str())?;
        let why = reason(why, true)?;
        let unit = async |mut op: Op<'_>| {
            let seen = op.tx.disbursement(id).await?;
            let seen = seen.ok_or(Refusal::NotFound("disbursement"))?;
            let fund = (seen.jurisdiction.to_string(), seen.programme);
            let books = limits::lock(&mut op.tx, &self.catalogue.current(), [fund]).await?;
            let statuses = [DisbursementStatus::Made, DisbursementStatus::Countersigned];
            let mut row = open(&mut op.tx, id, None, &statuses).await?;
            self.cancel_payments(&mut op, &books, id).await?;
            let lines = op.tx.lines(id).await?;
            let amounts = amounts(&lines);
            let claims = lines.iter().map(LineRow::claim).collect::<Vec<_>>();
            let claims = op.tx.lock_claims(&claims).await?;
            let moves = claims.into_iter().map(|row| Move {
                part: amounts.get(&row.id).copied().map(whole),
                row,
                verb: Verb::CancelInstruction,
                reason: why.clone(),
                document: Some(id.uuid),
            });
            self.claims
                .move_claims(&mut op, &books, moves.collect())
                .await
                .map(drop)?;
            (row.status, row.closed_at) = (DisbursementStatus::Cancelled, Some(op.now));
            row.revision = row.revision.saturating_add(1);
            op.tx.save_disbursement(&row).await?;
            let recorded = self
                .note(&mut op, &row, "cancel_disbursement", why.clone())
                .await?;
            Ok(op.done(recorded, shown(&row)))
        };
        operation.run(unit).await
    }

    /// Cancels the payments of a disbursement, with the advances that they pay, and gives back what
    /// they are set against.
    async fn cancel_payments(
        &self,
        op: &mut Op<'_>,
        books: &Books,
        id: DisbursementId,
    ) -> Result<(), ServiceError> {
        let payments = op.tx.payments(id, None, i64::MAX).await?;
        let cancelled = payments.into_iter().map(|payment| PaymentRow {
            outcome: PaymentOutcome::Cancelled,
            settled_at: Some(op.now),
            ..payment
        });
        let cancelled = cancelled.collect::<Vec<_>>();
        op.tx.settle_payments(&cancelled).await?;
        self.cancel_advances(op, id.jurisdiction, &cancelled).await?;
        let nettings = cancelled.into_iter().map(|payment| (payment, Netting::GivenBack));
        let nettings = nettings.collect::<Vec<_>>();
        self.settle_set_offs(op, &nettings).await?;
        self.settle_nettings(op, books, &nettings).await
    }
}

/// Who is paid: a merchant by its credit code, or a person at one account, by a keyed hash of both.
enum Paid {
    Merchant(String),
    Person(Vec<u8>),
}

impl Paid {
    /// By what payments are gathered.
    fn key(&self) -> (String, Vec<u8>) {
        match self {
            Self::Merchant(code) => (code.clone(), Vec::new()),
            Self::Person(hash) => (String::new(), hash.clone()),
        }
    }
}

/// The payment of a payee's oldest claim. It is split by source when all payments are known.
fn first_payment(of: DisbursementId, id: Uuid, payee: Paid, account: Option<i32>, amount: Fen) -> PaymentRow {
    let (payee, merchant, person) = match payee {
        Paid::Merchant(code) => (PayeeKind::Merchant, Some(code), None),
        Paid::Person(hash) => (PayeeKind::Applicant, None, Some(hash)),
    };
    PaymentRow {
        jurisdiction: of.jurisdiction,
        id,
        disbursement: of.uuid,
        payee,
        merchant,
        person,
        account,
        claims: 1,
        amount,
        outcome: PaymentOutcome::Open,
        reason: None,
        settled_at: None,
        central: Fen::ZERO,
        province: Fen::ZERO,
        city: Fen::ZERO,
        county: Fen::ZERO,
        netted: Fen::ZERO,
        advance: None,
    }
}

/// What a disbursement comes to.
#[derive(Debug, Clone, Copy)]
pub(in crate::payments) struct Totals {
    claims: i32,
    payments: i32,
    amount: Fen,
}

pub(in crate::payments) fn totals(payments: &[PaymentRow], claims: usize) -> Result<Totals, ServiceError> {
    let amounts = payments.iter().map(|payment| payment.amount);
    Ok(Totals {
        claims: i32::try_from(claims)?,
        payments: i32::try_from(payments.len())?,
        amount: amounts.fold(Fen::ZERO, Fen::saturating_add),
    })
}

/// What each line moves of its claim.
fn amounts(lines: &[LineRow]) -> HashMap<Uuid, Fen> {
    lines.iter().map(|line| (line.claim, line.amount)).collect()
}
