//! What the bank is told: a released disbursement as files, with names and accounts. Handing one out is an audit event.
//!
//! The same disbursement gives the same bytes whenever it is asked for: accounts are those of the revisions that were frozen when it
//! was made (the county's own: released), and a payee put right later counts in the next disbursement.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use bank::{Detail, EndToEndId, MessageId, Party};
use chrono::{DateTime, Utc};
use claims::claim::{Claim, Payee};
use claims::ids::{AdvanceId, ClaimId, DisbursementId};
use store::claims::ClaimRow;
use store::payments::disbursements::DisbursementRow;
use store::payments::{LineRow, PaymentRow};
use store::{Done, Tx};
use uuid::Uuid;

use crate::claims::transition::Mover;
use crate::operation::access::ManageFunds;
use crate::operation::convert::{code, fen};
use crate::operation::{Permit, Refusal, ServiceError};
use crate::payments::Payments;
use crate::payments::disbursements::open;
use timing::shanghai;

pub use bank::{File as InstructionFile, Format as InstructionFormat};

/// Everything that a file is made of.
struct Parts {
    payments: Vec<PaymentRow>,
    lines: HashMap<Uuid, Vec<LineRow>>,
    claims: HashMap<Uuid, ClaimRow>,
    sent: HashMap<Uuid, Claim>,
    corrected: HashMap<Uuid, Party>,
    accounts: HashMap<String, Party>,
}

impl Payments {
    /// A file of the payment instruction of a released disbursement, counted from 1.
    pub async fn instruction(
        &self,
        permit: &Permit<ManageFunds>,
        id: DisbursementId,
        format: InstructionFormat,
        part: usize,
    ) -> Result<InstructionFile, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        self.op
            .transaction(|tx| self.instruction_in(tx, permit, id, format, part))
            .await
    }

    async fn instruction_in(
        &self,
        mut tx: Tx,
        permit: &Permit<ManageFunds>,
        id: DisbursementId,
        format: InstructionFormat,
        part: usize,
    ) -> Result<Done<InstructionFile>, ServiceError> {
        let row = open(&mut tx, id, None, &["released", "settled"]).await?;
        let mut files = self.files(&mut tx, &row, format).await?;
        let place = part.checked_sub(1).filter(|place| *place < files.len());
        let place = place.ok_or(Refusal::NotFound("part of the instruction"))?;
        let file = files.swap_remove(place);
        let mover = Mover {
            actor: permit.actor(),
            now: self.op.now(),
        };
        self.note(&mut tx, &row, "hand_out_instruction", Some(file.name()), mover)
            .await?;
        Ok(tx.done(file))
    }

    /// All files of a released disbursement's instruction.
    pub(in crate::payments) async fn files(
        &self,
        tx: &mut Tx,
        row: &DisbursementRow,
        format: InstructionFormat,
    ) -> Result<Vec<InstructionFile>, ServiceError> {
        let released_at = row
            .released_at
            .ok_or_else(|| ServiceError::bug("released and not dated"))?;
        let parts = self.parts(tx, row).await?;
        if parts.payments.is_empty() {
            return Err(Refusal::NotFound("part of the instruction").into());
        }
        let instruction = self.written(row, &parts, released_at)?;
        bank::files(&instruction, format, per_file(row)).map_err(ServiceError::bug)
    }

    async fn parts(&self, tx: &mut Tx, row: &DisbursementRow) -> Result<Parts, ServiceError> {
        let payments = sent_payments(tx, row).await?;
        let mut lines = HashMap::<Uuid, Vec<LineRow>>::new();
        let (county, mut keys) = (code(&row.jurisdiction)?, Vec::new());
        for line in tx.lines(&row.jurisdiction, row.id).await? {
            keys.push(ClaimId::new(county, line.claim));
            lines.entry(line.payment).or_default().push(line);
        }
        let claims = tx.claims_by_id(&keys).await?;
        let applicants = payments.iter().filter(|payment| payment.payee == "applicant");
        let applicants = applicants.flat_map(|payment| lines.get(&payment.id).into_iter().flatten());
        let paid: Vec<Uuid> = applicants.map(|line| line.claim).collect();
        let claims: HashMap<Uuid, ClaimRow> = claims.into_iter().map(|row| (row.id, row)).collect();
        let rows = paid
            .iter()
            .filter_map(|id| claims.get(id))
            .cloned()
            .collect::<Vec<_>>();
        let corrected = payments.iter().filter(|payment| payment.payee == "applicant");
        let corrected = corrected.filter_map(|payment| {
            let oldest = lines.get(&payment.id)?.first()?;
            Some((oldest.claim, payment.account?))
        });
        let corrected = corrected.collect::<Vec<_>>();
        let frozen = payments
            .iter()
            .filter_map(|it| Some((it.merchant.clone()?, it.account?)))
            .chain(row.account.map(|revision| (row.jurisdiction.clone(), revision)));
        let frozen = frozen.collect::<Vec<_>>();
        Ok(Parts {
            sent: self.claims.sent_claims(tx, &rows).await?,
            corrected: self.corrections_of(tx, &row.jurisdiction, &corrected).await?,
            accounts: self.accounts_of(tx, &frozen).await?,
            payments,
            lines,
            claims,
        })
    }

    fn written(
        &self,
        row: &DisbursementRow,
        parts: &Parts,
        released_at: DateTime<Utc>,
    ) -> Result<bank::Instruction, ServiceError> {
        let mut missing = Vec::new();
        let debtor = parts.accounts.get(&row.jurisdiction);
        if debtor.is_none() {
            missing.push(row.jurisdiction.clone());
        }
        let mut payments = Vec::with_capacity(parts.payments.len());
        for payment in &parts.payments {
            let lines = parts.lines.get(&payment.id).map_or(&[][..], Vec::as_slice);
            match parts.party(payment, lines)? {
                Ok(payee) => payments.push(self.payment_of(row, payment, lines, payee)?),
                Err(holder) => missing.push(holder),
            }
        }
        let debtor = match debtor {
            Some(debtor) if missing.is_empty() => debtor.clone(),
            _ => return Err(Refusal::AccountMissing(missing).into()),
        };
        bank::Instruction::new(
            MessageId::new(row.id.as_u128()),
            released_at,
            shanghai::date(released_at),
            debtor,
            payments,
        )
        .map_err(ServiceError::bug)
    }

    fn payment_of(
        &self,
        row: &DisbursementRow,
        payment: &PaymentRow,
        lines: &[LineRow],
        payee: Party,
    ) -> Result<bank::Payment, ServiceError> {
        let jurisdiction = code(&row.jurisdiction)?;
        let sent = lines.iter().map(|line| {
            let claim = ClaimId::new(jurisdiction, line.claim).to_string();
            (claim, line.amount.saturating_sub(line.netted))
        });
        let advance = payment.advance.map(|id| {
            let advance = AdvanceId::new(jurisdiction, id).to_string();
            (advance, payment.amount)
        });
        let sent = sent.chain(advance).filter(|(_, amount)| *amount > 0);
        let details = sent.map(|(of, amount)| Detail::new(&of, fen(amount)?).map_err(ServiceError::bug));
        let catalogue = self.catalogue.current();
        let programme = catalogue.versions(&row.programme).last();
        let title = programme.map_or(row.programme.as_str(), |it| it.title(policy::Lang::Zh));
        let title = match payment.advance {
            Some(_) => format!("预拨 {title}"),
            None => title.to_owned(),
        };
        bank::Payment::new(
            EndToEndId::new(payment.id.as_u128()),
            fen(payment.amount.saturating_sub(payment.netted))?,
            payee,
            &title.chars().take(REMITTANCE).collect::<String>(),
            details.collect::<Result<_, ServiceError>>()?,
        )
        .map_err(ServiceError::bug)
    }
}

/// What the bank is to pay of a disbursement, in order; of what is wholly netted it is told nothing.
pub(in crate::payments) async fn sent_payments(
    tx: &mut Tx,
    row: &DisbursementRow,
) -> Result<Vec<PaymentRow>, ServiceError> {
    let mut payments = tx.payments(&row.jurisdiction, row.id, None, i64::MAX).await?;
    payments.retain(|payment| payment.netted < payment.amount);
    Ok(payments)
}

/// Characters of the words on the payee's statement.
const REMITTANCE: usize = 140;

impl Parts {
    /// Where a payment goes, or whose account is not on file.
    fn party(&self, payment: &PaymentRow, lines: &[LineRow]) -> Result<Result<Party, String>, ServiceError> {
        if let Some(merchant) = &payment.merchant {
            let account = self.accounts.get(merchant).filter(|_| payment.account.is_some());
            return match account {
                Some(account) => Ok(Ok(account.clone())),
                None => Ok(Err(merchant.clone())),
            };
        }
        let claim = lines
            .first()
            .map(|line| line.claim)
            .ok_or_else(|| ServiceError::bug("a payment has no claim"))?;
        if let Some(account) = self.corrected.get(&claim) {
            return Ok(Ok(account.clone()));
        }
        let sent = self
            .sent
            .get(&claim)
            .filter(|_| self.claims.contains_key(&claim))
            .ok_or_else(|| ServiceError::bug("a payment has no claim"))?;
        let Payee::Applicant {
            bank_account,
            bank_name,
        } = &sent.payee
        else {
            return Err(ServiceError::bug("a person is paid and the claim names none"));
        };
        let name = sent.applicant.name.expose();
        let party = Party::new(name, bank_account.expose(), bank_name, None);
        // What was good enough for a claim may not be for a bank: it has to be put right like any account it cannot pay.
        let id = || ClaimId::new(sent.jurisdiction, claim).to_string();
        Ok(party.map_err(|_| id()))
    }
}

/// How many payments one file of a disbursement holds.
pub(in crate::payments) fn per_file(row: &DisbursementRow) -> NonZeroUsize {
    let per_file = row.per_file.and_then(|it| usize::try_from(it).ok());
    per_file.and_then(NonZeroUsize::new).unwrap_or(NonZeroUsize::MAX)
}
