//! Letting a disbursement go: another person than its maker, and a third above an amount. From then on it is frozen.

use claims::ids::DisbursementId;
use sha2::{Digest, Sha256};
use store::disbursements::DisbursementRow;
use store::payments::{LineRow, PaymentRow};
use store::{Done, Tx};

use super::{Disbursement, open, shown};
use crate::access::{ManageFunds, Permit};
use crate::moving::Mover;
use crate::once::Key;
use crate::{Refusal, Replayable, Service, ServiceError};

impl Service {
    /// A second person lets the money go; where the amount asks for three, the second countersigns and a third lets it go.
    pub async fn release_disbursement(
        &self,
        permit: &Permit<ManageFunds>,
        id: DisbursementId,
        if_match: Option<i32>,
        key: Option<Key>,
    ) -> Result<Replayable<Disbursement>, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        self.store()
            .write(|tx| self.release_in(tx, permit, id, if_match, key.as_ref()))
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
            now: self.clock().now(),
        };
        if let Some(key) = key {
            // Whoever races with the same key commits before the key is looked up.
            tx.lock_disbursement(id.jurisdiction.as_str(), id.uuid).await?;
            if let Some(first) = self.answered(&mut tx, mover.actor, key).await? {
                return Ok(tx.done(first));
            }
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
        let value = shown(&row)?;
        if let Some(key) = key {
            self.keep_answer(&mut tx, mover.actor, key, "release_disbursement", &value)
                .await?;
        }
        Ok(tx.done(Replayable {
            value,
            replayed: false,
        }))
    }

    /// The account it is paid from, and the digest of everything that is paid.
    async fn freeze(&self, tx: &mut Tx, row: &mut DisbursementRow) -> Result<(), ServiceError> {
        let accounts = tx.bank_accounts(std::slice::from_ref(&row.jurisdiction)).await?;
        row.account = accounts.first().map(|account| account.revision);
        row.per_file = Some(i32::try_from(self.settings().bank_file_payments).unwrap_or(i32::MAX));
        let payments = tx.payments(&row.jurisdiction, row.id, None, i64::MAX).await?;
        let lines = tx.lines(&row.jurisdiction, row.id).await?;
        row.digest = Some(digest(row, &payments, &lines));
        Ok(())
    }
}

/// SHA-256 over lines of text: the disbursement, its payments by id, its claims by id; tabs between fields, LF after each line.
///
/// ```text
/// disbursement  <jurisdiction>  <uuid>  <programme>  <total>  <revision of the county's account, or ->
/// payment       <uuid>  <credit code, or keyed hash in hex>  <revision of the account, or ->  <amount>
/// claim         <uuid>  <uuid of its payment>  <amount>
/// ```
fn digest(row: &DisbursementRow, payments: &[PaymentRow], lines: &[LineRow]) -> Vec<u8> {
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
    hash.finalize().to_vec()
}
