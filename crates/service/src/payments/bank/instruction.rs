//! What the bank is to pay: a released disbursement as files, with names and accounts. Handing one
//! out is an audit event.
//!
//! The same disbursement gives the same bytes whenever it is asked for: accounts are those of the
//! revisions that were frozen when it was made (the county's own: released), and a payee put right
//! later counts in the next disbursement.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use bank::{Detail, EndToEndId, MessageId, Party};
use chrono::{DateTime, Utc};
use claims::claim::{Claim, Payee};
use claims::ids::DisbursementId;
use claims::payments::{DisbursementStatus, PayeeKind};
use store::Tx;
use store::payments::disbursements::DisbursementRow;
use store::payments::{LineRow, PaymentRow};
use uuid::Uuid;

use crate::operation::access::ManageFunds;
use crate::operation::convert::by_id;
use crate::operation::{Op, Permit, Refusal, ServiceError};
use crate::payments::Payments;
use crate::payments::disbursements::open;
use timing::shanghai;

pub use bank::{File as InstructionFile, Format as InstructionFormat};

/// Everything that a file is made of.
struct Parts {
    payments: Vec<PaymentRow>,
    lines: HashMap<Uuid, Vec<LineRow>>,
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
        let operation = self.op.of(permit).within(id.jurisdiction.as_str())?;
        let unit = async |mut op: Op<'_>| {
            let statuses = [DisbursementStatus::Released, DisbursementStatus::Settled];
            let row = open(&mut op.tx, id, None, &statuses).await?;
            let file = self.file(&mut op.tx, &row, format, part).await?;
            let recorded = self
                .note(&mut op, &row, "hand_out_instruction", Some(file.name()))
                .await?;
            Ok(op.done(recorded, file))
        };
        operation.run(unit).await
    }

    /// A file of a released disbursement's instruction, counted from 1.
    pub(in crate::payments) async fn file(
        &self,
        tx: &mut Tx,
        row: &DisbursementRow,
        format: InstructionFormat,
        part: usize,
    ) -> Result<InstructionFile, ServiceError> {
        let missing = || Refusal::NotFound("part of the instruction");
        let released_at = row.released_at.ok_or(Refusal::NotReleased)?;
        let parts = self.parts(tx, row).await?;
        if parts.payments.is_empty() {
            return Err(missing().into());
        }
        let instruction = self.written(row, &parts, released_at)?;
        let mut files = bank::files(&instruction, format, per_file(row))?;
        let place = part.checked_sub(1).filter(|place| *place < files.len());
        Ok(files.swap_remove(place.ok_or_else(missing)?))
    }

    async fn parts(&self, tx: &mut Tx, row: &DisbursementRow) -> Result<Parts, ServiceError> {
        let payments = sent_payments(tx, row).await?;
        let mut lines = HashMap::<Uuid, Vec<LineRow>>::new();
        let mut keys = Vec::new();
        for line in tx.lines(row.id()).await? {
            keys.push(line.claim());
            lines.entry(line.payment).or_default().push(line);
        }
        let claims = by_id(tx.claims_by_id(&keys).await?, |row| row.id);
        let applicants = payments
            .iter()
            .filter(|payment| payment.payee == PayeeKind::Applicant);
        let applicants = applicants.collect::<Vec<_>>();
        let paid = applicants
            .iter()
            .flat_map(|payment| lines.get(&payment.id).into_iter().flatten());
        let rows = paid.filter_map(|line| claims.get(&line.claim)).cloned();
        let rows = rows.collect::<Vec<_>>();
        let corrected = applicants.iter().filter_map(|payment| {
            let oldest = lines.get(&payment.id)?.first()?;
            Some((oldest.claim, payment.account?))
        });
        let corrected = corrected.collect::<Vec<_>>();
        let own = row
            .account
            .map(|revision| (row.jurisdiction.to_string(), revision));
        let frozen = payments
            .iter()
            .filter_map(|it| Some((it.merchant.clone()?, it.account?)))
            .chain(own);
        let frozen = frozen.collect::<Vec<_>>();
        Ok(Parts {
            sent: self.claims.sent_claims(tx, &rows).await?,
            corrected: self.corrections_of(tx, row.jurisdiction, &corrected).await?,
            accounts: self.accounts_of(tx, &frozen).await?,
            payments,
            lines,
        })
    }

    fn written(
        &self,
        row: &DisbursementRow,
        parts: &Parts,
        released_at: DateTime<Utc>,
    ) -> Result<bank::Instruction, ServiceError> {
        let mut missing = Vec::new();
        let debtor = parts.accounts.get(row.jurisdiction.as_str());
        if debtor.is_none() {
            missing.push(row.jurisdiction.to_string());
        }
        let mut payments = Vec::with_capacity(parts.payments.len());
        for payment in &parts.payments {
            let lines = parts.lines.get(&payment.id).map_or(&[][..], Vec::as_slice);
            match parts.party(payment, lines) {
                Ok(payee) => payments.push(self.payment_of(row, payment, lines, payee)?),
                Err(holder) => missing.push(holder),
            }
        }
        let debtor = match debtor {
            Some(debtor) if missing.is_empty() => debtor.clone(),
            _ => return Err(Refusal::AccountMissing(missing).into()),
        };
        Ok(bank::Instruction::new(
            MessageId::new(row.id.as_u128()),
            released_at,
            shanghai::date(released_at),
            debtor,
            payments,
        )?)
    }

    fn payment_of(
        &self,
        row: &DisbursementRow,
        payment: &PaymentRow,
        lines: &[LineRow],
        payee: Party,
    ) -> Result<bank::Payment, ServiceError> {
        let sent = lines.iter().map(|line| (line.claim().to_string(), line.sent()));
        let advance = payment.advance().map(|id| (id.to_string(), payment.amount));
        let sent = sent.chain(advance).filter(|(_, amount)| !amount.is_zero());
        let details = sent.map(|(of, amount)| Detail::new(&of, amount));
        let catalogue = self.catalogue.current();
        let programme = catalogue.versions(&row.programme).last();
        let title = programme.map_or(row.programme.as_str(), |it| it.title(policy::Lang::Zh));
        let title = match payment.advance {
            Some(_) => format!("预拨 {title}"),
            None => title.to_owned(),
        };
        Ok(bank::Payment::new(
            EndToEndId::new(payment.id.as_u128()),
            payment.sent(),
            payee,
            &title.chars().take(REMITTANCE).collect::<String>(),
            details.collect::<Result<_, _>>()?,
        )?)
    }
}

/// What the bank is to pay of a disbursement, in order; what is wholly netted is left out.
pub(in crate::payments) async fn sent_payments(
    tx: &mut Tx,
    row: &DisbursementRow,
) -> Result<Vec<PaymentRow>, ServiceError> {
    let mut payments = tx.payments(row.id(), None, i64::MAX).await?;
    payments.retain(|payment| !payment.sent().is_zero());
    Ok(payments)
}

/// Characters of the text on the payee's statement.
const REMITTANCE: usize = 140;

impl Parts {
    /// Where a payment goes, or whose account is not on file: a merchant's, or that of a claim's
    /// applicant.
    fn party(&self, payment: &PaymentRow, lines: &[LineRow]) -> Result<Party, String> {
        if let Some(merchant) = &payment.merchant {
            let account = self.accounts.get(merchant).filter(|_| payment.account.is_some());
            return account.cloned().ok_or_else(|| merchant.clone());
        }
        let oldest = lines.first().ok_or_else(|| payment.id().to_string())?;
        if let Some(account) = self.corrected.get(&oldest.claim) {
            return Ok(account.clone());
        }
        let missing = || oldest.claim().to_string();
        let sent = self.sent.get(&oldest.claim).ok_or_else(missing)?;
        match &sent.payee {
            Payee::Applicant {
                bank_account,
                bank_name,
            } => {
                let name = sent.applicant.name.expose();
                // What was good enough for a claim may not be for a bank: it has to be put right
                // like any account that the bank cannot pay.
                Party::new(name, bank_account.expose(), bank_name, None).map_err(|_| missing())
            }
            Payee::Merchant => Err(missing()),
        }
    }
}

/// How many payments one file of a disbursement holds.
pub(in crate::payments) fn per_file(row: &DisbursementRow) -> NonZeroUsize {
    let per_file = row.per_file.and_then(|it| usize::try_from(it).ok());
    per_file.and_then(NonZeroUsize::new).unwrap_or(NonZeroUsize::MAX)
}
