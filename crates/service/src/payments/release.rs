//! Letting a disbursement go: another person than its maker, and a third above an amount. From then
//! on it is frozen.

use claims::ids::DisbursementId;
use claims::payments::{DisbursementStatus, PaymentOutcome};
use sha2::{Digest, Sha256};
use store::Tx;
use store::claims::clawbacks::NettingRow;
use store::payments::advances::SetOffRow;
use store::payments::disbursements::DisbursementRow;
use store::payments::{LineRow, PaymentRow};

use super::Payments;
use super::disbursements::netting::wholly_netted;
use super::disbursements::settle::settle;
use super::disbursements::{Disbursement, open, shown};
use crate::funds::limits;
use crate::operation::access::ManageFunds;
use crate::operation::{Key, Op, Permit, Refusal, Replayable, ServiceError};

impl Payments {
    /// A second person lets the money go; where the amount asks for three, the second countersigns
    /// and a third lets it go.
    pub async fn release_disbursement(
        &self,
        permit: &Permit<ManageFunds>,
        id: DisbursementId,
        if_match: Option<i32>,
        key: Option<Key>,
    ) -> Result<Replayable<Disbursement>, ServiceError> {
        let operation = self.op.of(permit).within(id.jurisdiction.as_str())?;
        let unit = async |mut op: Op<'_>| {
            let seen = op.tx.disbursement(id).await?;
            let seen = seen.ok_or(Refusal::NotFound("disbursement"))?;
            // What is wholly netted is paid by the release: the books first, as everything that
            // moves money does.
            let fund = (seen.jurisdiction.to_string(), seen.programme);
            limits::lock(&mut op.tx, &self.catalogue.current(), [fund]).await?;
            let statuses = [DisbursementStatus::Made, DisbursementStatus::Countersigned];
            let mut row = open(&mut op.tx, id, if_match, &statuses).await?;
            let person = &op.actor.person;
            if row.maker == *person || row.countersigner.as_ref() == Some(person) {
                return Err(Refusal::FourEyes.into());
            }
            let held = op.tx.held_claims(id.jurisdiction.as_str(), id.uuid).await?;
            if held > 0 {
                return Err(Refusal::Held { claims: held }.into());
            }
            if self.is_held(&mut op.tx, &row).await? {
                return Err(Refusal::AdvanceHeld.into());
            }
            let verb = if row.needs_three && row.countersigner.is_none() {
                row.status = DisbursementStatus::Countersigned;
                (row.countersigner, row.countersigned_at) = (Some(person.clone()), Some(op.now));
                "countersign_disbursement"
            } else {
                self.freeze(&mut op.tx, &mut row).await?;
                row.status = DisbursementStatus::Released;
                (row.releaser, row.released_at) = (Some(person.clone()), Some(op.now));
                "release_disbursement"
            };
            row.revision = row.revision.saturating_add(1);
            op.tx.save_disbursement(&row).await?;
            let recorded = self.note(&mut op, &row, verb, None).await?;
            if row.released_at.is_some() {
                self.queue_submissions(&mut op, &row).await?;
                self.pay_netted(&mut op, &mut row).await?;
            }
            Ok(op.done(recorded, shown(&row)))
        };
        let once = operation.once_if("release_disbursement", key.as_ref());
        once.run(unit).await
    }

    /// Pays what of a released disbursement is wholly netted.
    async fn pay_netted(&self, op: &mut Op<'_>, row: &mut DisbursementRow) -> Result<(), ServiceError> {
        let netted = wholly_netted(&op.tx.payments(row.id(), None, i64::MAX).await?);
        if netted.is_empty() {
            return Ok(());
        }
        let ids = netted.iter().copied().collect::<Vec<_>>();
        let mut locked = self.lock_payments(&mut op.tx, row.jurisdiction, &ids).await?;
        for payment in locked.payments.values_mut() {
            settle(payment, PaymentOutcome::Paid, None, op.now);
        }
        self.move_money(op, &mut locked, &netted).await.map(drop)?;
        // It is settled now, if nothing else of it is open.
        if let Some(settled) = locked.disbursements.remove(&row.id) {
            *row = settled;
        }
        Ok(())
    }

    /// The account it is paid from, and the digest of everything that is paid.
    async fn freeze(&self, tx: &mut Tx, row: &mut DisbursementRow) -> Result<(), ServiceError> {
        let accounts = tx.bank_accounts(&[row.jurisdiction.to_string()]).await?;
        row.account = accounts.first().map(|account| account.revision);
        row.per_file = Some(i32::try_from(self.settings.bank_file_payments).unwrap_or(i32::MAX));
        let payments = tx.payments(row.id(), None, i64::MAX).await?;
        let lines = tx.lines(row.id()).await?;
        let ids = payments.iter().map(|payment| payment.id).collect::<Vec<_>>();
        let set_offs = tx.set_offs_of(row.jurisdiction, &ids).await?;
        let nettings = tx.nettings_of(row.jurisdiction, &ids).await?;
        row.digest = Some(digest(row, (&payments, &lines), (&set_offs, &nettings)));
        Ok(())
    }
}

/// SHA-256 over lines of text: the disbursement, its payments by id, its claims by id, what its
/// payments are set against by payment, its nettings by payment and claim; tabs between fields, LF
/// after each line.
///
/// ```text
/// disbursement  <jurisdiction>  <uuid>  <programme>  <total>  <revision of the county's account, or ->
/// payment       <uuid>  <credit code, or keyed hash in hex>  <revision of the account, or ->  <amount>
/// claim         <uuid>  <uuid of its payment>  <amount>
/// set_off       <uuid of the payment>  <uuid of the advance>  <amount>
/// netting       <uuid of the payment>  <uuid of the claim that is clawed back>  <amount>
/// ```
fn digest(
    row: &DisbursementRow,
    (payments, lines): (&[PaymentRow], &[LineRow]),
    (set_offs, nettings): (&[SetOffRow], &[NettingRow]),
) -> Vec<u8> {
    let mut hash = Sha256::new();
    let revision = |revision: Option<i32>| revision.map_or_else(|| "-".to_owned(), |it| it.to_string());
    let (id, account) = (row.id.simple(), revision(row.account));
    let head = format!(
        "disbursement\t{}\t{id}\t{}\t{}\t{account}\n",
        row.jurisdiction,
        row.programme,
        row.total.get()
    );
    hash.update(head);
    for payment in payments {
        let payee = payment
            .merchant
            .clone()
            .unwrap_or_else(|| hex::encode(payment.person.as_deref().unwrap_or_default()));
        let (id, account) = (payment.id.simple(), revision(payment.account));
        let amount = payment.amount.get();
        hash.update(format!("payment\t{id}\t{payee}\t{account}\t{amount}\n"));
    }
    for line in lines {
        let (claim, payment) = (line.claim.simple(), line.payment.simple());
        hash.update(format!("claim\t{claim}\t{payment}\t{}\n", line.amount.get()));
    }
    for one in set_offs {
        let (payment, advance) = (one.payment.simple(), one.advance.simple());
        hash.update(format!("set_off\t{payment}\t{advance}\t{}\n", one.amount.get()));
    }
    for netting in nettings {
        let (payment, claim) = (netting.payment.simple(), netting.claim.simple());
        hash.update(format!("netting\t{payment}\t{claim}\t{}\n", netting.amount.get()));
    }
    hash.finalize().to_vec()
}
