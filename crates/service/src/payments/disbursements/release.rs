//! Letting a disbursement go: another person than its maker, and a third above an amount. From then on it is frozen.

use claims::ids::DisbursementId;
use sha2::{Digest, Sha256};
use store::claims::clawbacks::NettingRow;
use store::payments::advances::SetOffRow;
use store::payments::disbursements::DisbursementRow;
use store::payments::{LineRow, PaymentRow};
use store::{Done, Tx};

use super::netting::wholly_netted;
use super::{Disbursement, Said, open, shown};
use crate::claims::transition::Mover;
use crate::funds::limits;
use crate::operation::access::ManageFunds;
use crate::operation::convert::code;
use crate::operation::{Key, Permit, Refusal, Replayable, ServiceError};
use crate::payments::Payments;

impl Payments {
    /// A second person lets the money go; where the amount asks for three, the second countersigns and a third lets it go.
    pub async fn release_disbursement(
        &self,
        permit: &Permit<ManageFunds>,
        id: DisbursementId,
        if_match: Option<i32>,
        key: Option<Key>,
    ) -> Result<Replayable<Disbursement>, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        self.op
            .transaction(|tx| self.release_in(tx, permit, id, if_match, key.as_ref()))
            .await
    }

    async fn release_in(
        &self,
        mut tx: Tx,
        permit: &Permit<ManageFunds>,
        id: DisbursementId,
        if_match: Option<i32>,
        key: Option<&Key>,
    ) -> Result<Done<Replayable<Disbursement>>, ServiceError> {
        let mover = Mover {
            actor: permit.actor(),
            now: self.op.now(),
        };
        let jurisdiction = id.jurisdiction.as_str();
        let seen = tx.disbursement(jurisdiction, id.uuid).await?;
        let seen = seen.ok_or(Refusal::NotFound("disbursement"))?;
        // What is wholly netted is paid by the release: the books first, as everything that moves money does. Whoever races with
        // the same key commits before the key is looked up.
        limits::lock(
            &mut tx,
            &self.catalogue.current(),
            [(seen.jurisdiction, seen.programme)],
        )
        .await?;
        if let Some(key) = key
            && let Some(first) = self.op.answered(&mut tx, mover.actor, key).await?
        {
            return Ok(tx.done(first));
        }
        let mut row = open(&mut tx, id, if_match, &["made", "countersigned"]).await?;
        let person = &mover.actor.person;
        if row.maker == *person || row.countersigner.as_ref() == Some(person) {
            return Err(Refusal::FourEyes.into());
        }
        let held = tx.held_claims(id.jurisdiction.as_str(), id.uuid).await?;
        if held > 0 {
            return Err(Refusal::Held { claims: held }.into());
        }
        if self.is_held(&mut tx, &row).await? {
            return Err(Refusal::AdvanceHeld.into());
        }
        let verb = if row.needs_three && row.countersigner.is_none() {
            row.status = "countersigned".into();
            (row.countersigner, row.countersigned_at) = (Some(person.clone()), Some(mover.now));
            "countersign_disbursement"
        } else {
            self.freeze(&mut tx, &mut row).await?;
            row.status = "released".into();
            (row.releaser, row.released_at) = (Some(person.clone()), Some(mover.now));
            "release_disbursement"
        };
        row.revision = row.revision.saturating_add(1);
        tx.save_disbursement(&row).await?;
        self.note(&mut tx, &row, verb, None, mover).await?;
        if row.released_at.is_some() {
            self.queue_submissions(&mut tx, &row, mover).await?;
            row = self.pay_netted(&mut tx, row, mover).await?;
        }
        let value = shown(&row)?;
        if let Some(key) = key {
            self.op
                .keep_answer(&mut tx, mover.actor, key, "release_disbursement", &value)
                .await?;
        }
        Ok(tx.done(Replayable {
            value,
            replayed: false,
        }))
    }

    /// Pays what of a released disbursement is wholly netted, and returns the disbursement as it stands then.
    async fn pay_netted(
        &self,
        tx: &mut Tx,
        row: DisbursementRow,
        mover: Mover<'_>,
    ) -> Result<DisbursementRow, ServiceError> {
        let payments = tx.payments(&row.jurisdiction, row.id, None, i64::MAX).await?;
        let netted = wholly_netted(&payments);
        if netted.is_empty() {
            return Ok(row);
        }
        let ids = netted.iter().copied().collect::<Vec<_>>();
        let mut locked = self.lock_payments(tx, &row.jurisdiction, &ids).await?;
        for id in &ids {
            locked.settle(*id, "paid", &Said::Paid, mover)?;
        }
        self.move_money(tx, &mut locked, &netted, mover).await?;
        let row = tx.disbursement(&row.jurisdiction, row.id).await?;
        row.ok_or_else(|| ServiceError::bug("a disbursement is gone"))
    }

    /// The account it is paid from, and the digest of everything that is paid.
    async fn freeze(&self, tx: &mut Tx, row: &mut DisbursementRow) -> Result<(), ServiceError> {
        let accounts = tx.bank_accounts(std::slice::from_ref(&row.jurisdiction)).await?;
        row.account = accounts.first().map(|account| account.revision);
        row.per_file = Some(i32::try_from(self.settings.bank_file_payments).unwrap_or(i32::MAX));
        let payments = tx.payments(&row.jurisdiction, row.id, None, i64::MAX).await?;
        let lines = tx.lines(&row.jurisdiction, row.id).await?;
        let ids = payments.iter().map(|payment| payment.id).collect::<Vec<_>>();
        let set_offs = tx.set_offs_of(&row.jurisdiction, &ids).await?;
        let nettings = tx.nettings_of(code(&row.jurisdiction)?, &ids).await?;
        row.digest = Some(digest(row, (&payments, &lines), (&set_offs, &nettings)));
        Ok(())
    }
}

/// SHA-256 over lines of text: the disbursement, its payments by id, its claims by id, what its payments are set
/// against by payment, its nettings by payment and claim; tabs between fields, LF after each line.
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
        row.jurisdiction, row.programme, row.total
    );
    hash.update(head);
    for payment in payments {
        let payee = payment
            .merchant
            .clone()
            .unwrap_or_else(|| hex::encode(payment.person.as_deref().unwrap_or_default()));
        let (id, account) = (payment.id.simple(), revision(payment.account));
        hash.update(format!("payment\t{id}\t{payee}\t{account}\t{}\n", payment.amount));
    }
    for line in lines {
        let (claim, payment) = (line.claim.simple(), line.payment.simple());
        hash.update(format!("claim\t{claim}\t{payment}\t{}\n", line.amount));
    }
    for one in set_offs {
        let (payment, advance) = (one.payment.simple(), one.advance.simple());
        hash.update(format!("set_off\t{payment}\t{advance}\t{}\n", one.amount));
    }
    for netting in nettings {
        let (payment, claim) = (netting.payment.simple(), netting.claim.simple());
        hash.update(format!("netting\t{payment}\t{claim}\t{}\n", netting.amount.get()));
    }
    hash.finalize().to_vec()
}
