//! Accounts: where merchants are paid, what counties pay from, and applicants' accounts put right.
//!
//! A merchant's or a county's account is entered by one person and confirmed by another of treasury: whoever could change one alone could
//! send a county's money anywhere. An applicant's is in the claim, under the applicant's own name; after the bank could not pay
//! it, whoever claims for the applicant may put it right, and the next payment goes there. All of them are sealed at rest, opened for the bank's
//! file alone, and shown by their last four digits.

use std::collections::HashMap;

use bank::{InstructionError, Party};
use chrono::{DateTime, Utc};
use claims::claim::{Claim, Payee};
use claims::ids::ClaimId;
use claims::life_cycle::Status;
use serde::{Deserialize, Serialize};
use store::claims::ClaimRow;
use store::payments::accounts::{BankAccountRow, PayeeCorrectionRow};
use store::{Done, Tx};
use uuid::Uuid;

use super::Payments;
use crate::claims::own;
use crate::operation::access::{EnterAccounts, ManageFunds, ReadAccounts, SubmitClaims};
use crate::operation::checks::reason;
use crate::operation::{Actor, Check, Permit, Refusal, ServiceError, events, pending};

/// An account as it is entered.
#[derive(Clone, Default)]
pub struct EnteredAccount {
    pub name: String,
    pub bank_account: String,
    pub bank_name: String,
    /// The bank's number in CNAPS, 12 digits.
    pub bank_code: Option<String>,
}

/// Holds what nobody may log.
impl std::fmt::Debug for EnteredAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EnteredAccount(***)")
    }
}

/// An account as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownAccount {
    /// A credit code, or a county's code.
    pub holder: String,
    pub revision: i32,
    pub bank_name: String,
    pub bank_code: Option<String>,
    /// The last four characters.
    pub ends_with: String,
    /// pending, approved or refused.
    pub status: String,
    pub made_at: DateTime<Utc>,
    pub checked_at: Option<DateTime<Utc>>,
    pub reason: Option<String>,
}

/// As it is sealed.
#[derive(Serialize, Deserialize)]
struct Sealed {
    name: String,
    bank_account: String,
    bank_name: String,
    bank_code: Option<String>,
}

impl Payments {
    /// Enters the account of a merchant (by itself or by treasury) or of a county (by treasury). It counts once another person of
    /// treasury confirmed it; until then the one before counts.
    pub async fn enter_account(
        &self,
        permit: &Permit<EnterAccounts>,
        holder: &str,
        entered: EnteredAccount,
    ) -> Result<ShownAccount, ServiceError> {
        let place = self.place_of(permit.actor(), holder).await?;
        let party = checked(&entered)?;
        self.op
            .transaction(|tx| self.enter_in(tx, permit.actor(), (&place, holder), &party))
            .await
    }

    async fn enter_in(
        &self,
        mut tx: Tx,
        actor: &Actor,
        (place, holder): (&str, &str),
        party: &Party,
    ) -> Result<Done<ShownAccount>, ServiceError> {
        let now = self.op.now();
        let last = tx.last_bank_account(holder).await?;
        let revision = last.map_or(0, |row| row.revision).saturating_add(1);
        let row = BankAccountRow {
            holder: holder.to_owned(),
            revision,
            key_id: self.vault.key_id().to_owned(),
            sealed: self.seal_account(&account_place(holder, revision), party)?,
            status: "pending".into(),
            maker: actor.person.clone(),
            made_at: now,
            checker: None,
            checked_at: None,
            reason: None,
        };
        tx.add_bank_account(&row).await?;
        let mut event = events::event(
            self.op.id(now),
            place,
            &subject(holder),
            "enter_account",
            actor,
            now,
        );
        (event.revision, event.to_status) = (Some(revision), Some("pending".into()));
        tx.record_events(&[event]).await?;
        let shown = self.shown_account(&row)?;
        Ok(tx.done(shown))
    }

    /// Another person's word on an account that was entered.
    pub async fn check_account(
        &self,
        permit: &Permit<ManageFunds>,
        holder: &str,
        revision: i32,
        check: Check,
        why: Option<String>,
    ) -> Result<ShownAccount, ServiceError> {
        let place = self.place_of(permit.actor(), holder).await?;
        let why = reason(why, check == Check::Refuse)?;
        self.op
            .transaction(|tx| {
                self.check_account_in(tx, permit.actor(), (&place, holder, revision), check, why.clone())
            })
            .await
    }

    async fn check_account_in(
        &self,
        mut tx: Tx,
        actor: &Actor,
        (place, holder, revision): (&str, &str, i32),
        check: Check,
        why: Option<String>,
    ) -> Result<Done<ShownAccount>, ServiceError> {
        let row = tx.lock_bank_account(holder, revision).await?;
        let mut row = row.ok_or(Refusal::NotFound("account"))?;
        pending("account", &row.status, &row.maker, &actor.person)?;
        let now = self.op.now();
        row.status = check.status().into();
        (row.checker, row.checked_at, row.reason) = (Some(actor.person.clone()), Some(now), why.clone());
        tx.save_bank_account(&row).await?;
        let mut event = events::event(
            self.op.id(now),
            place,
            &subject(holder),
            "check_account",
            actor,
            now,
        );
        (event.revision, event.from_status) = (Some(revision), Some("pending".into()));
        (event.to_status, event.reason) = (Some(row.status.clone()), why);
        tx.record_events(&[event]).await?;
        let shown = self.shown_account(&row)?;
        Ok(tx.done(shown))
    }

    /// The account as it was entered last, by its last four characters.
    pub async fn account(
        &self,
        permit: &Permit<ReadAccounts>,
        holder: &str,
    ) -> Result<ShownAccount, ServiceError> {
        self.place_of(permit.actor(), holder).await?;
        let mut conn = self.op.read().await?;
        let row = conn.last_bank_account(holder).await?;
        self.shown_account(&row.ok_or(Refusal::NotFound("account"))?)
    }

    /// Puts the account of a claim's applicant right. The name stays the applicant's: the subsidy is paid to nobody else.
    pub async fn correct_payee(
        &self,
        permit: &Permit<SubmitClaims>,
        claim: ClaimId,
        entered: EnteredAccount,
    ) -> Result<(), ServiceError> {
        self.op
            .transaction(|tx| self.correct_payee_in(tx, permit, claim, &entered))
            .await
    }

    async fn correct_payee_in(
        &self,
        mut tx: Tx,
        permit: &Permit<SubmitClaims>,
        claim: ClaimId,
        entered: &EnteredAccount,
    ) -> Result<Done<()>, ServiceError> {
        let rows = tx.lock_claims(&[claim]).await?;
        let row = own(permit, rows.into_iter().next())?;
        if !matches!(row.status, Status::Approved | Status::PaymentFailed) {
            return Err(Refusal::Settled {
                what: "claim",
                status: row.status.to_string(),
            }
            .into());
        }
        let sent = self
            .claims
            .sent_claims(&mut tx, std::slice::from_ref(&row))
            .await?;
        let sent: &Claim = sent
            .get(&row.id)
            .ok_or_else(|| ServiceError::bug("a claim has no document"))?;
        if !matches!(sent.payee, Payee::Applicant { .. }) {
            return Err(Refusal::field(
                "",
                "payee.is-merchant",
                "该申请的补贴付给商户，请维护商户账户",
                "this subsidy is paid to the merchant: enter the merchant's account",
            )
            .into());
        }
        let party = checked(&EnteredAccount {
            name: sent.applicant.name.expose().to_owned(),
            ..entered.clone()
        })?;
        let (actor, now) = (permit.actor(), self.op.now());
        let last = tx
            .payee_corrections(&[(claim.jurisdiction.to_string(), claim.uuid)])
            .await?;
        let revision = last.first().map_or(0, |row| row.revision).saturating_add(1);
        let correction = PayeeCorrectionRow {
            jurisdiction: row.jurisdiction.to_string(),
            claim: row.id,
            revision,
            key_id: self.vault.key_id().to_owned(),
            sealed: self.seal_account(
                &correction_place(row.jurisdiction.as_str(), row.id, revision),
                &party,
            )?,
            maker: actor.person.clone(),
            made_at: now,
        };
        PayeeCorrectionRow::insert(&mut tx, &[correction]).await?;
        let event = events::event(
            self.op.id(now),
            row.jurisdiction.as_str(),
            &claim.to_string(),
            "correct_payee",
            actor,
            now,
        );
        tx.record_events(&[event]).await?;
        Ok(tx.done(()))
    }

    /// The county whose audit trail an account belongs to, if the caller has to do with it: treasury with its counties and their
    /// merchants, a merchant with itself.
    async fn place_of(&self, actor: &Actor, holder: &str) -> Result<String, ServiceError> {
        let county = self.catalogue.current().county(holder).map(|it| it.code.clone());
        let place = match county {
            Some(county) if !actor.role.is_merchant() => county,
            Some(_) => return Err(Refusal::NotFound("account").into()),
            None if actor.role.is_merchant() && actor.merchant.as_deref() != Some(holder) => {
                return Err(Refusal::NotFound("account").into());
            }
            None => {
                let mut conn = self.op.read().await?;
                let merchant = conn.merchant(holder).await?;
                merchant.ok_or(Refusal::NotFound("merchant"))?.jurisdiction
            }
        };
        let within = actor.role.is_merchant()
            || actor.jurisdictions.is_empty()
            || actor.jurisdictions.contains(&place);
        if within {
            Ok(place)
        } else {
            Err(Refusal::OtherJurisdiction.into())
        }
    }

    fn seal_account(&self, place: &str, party: &Party) -> Result<Vec<u8>, ServiceError> {
        let sealed = Sealed {
            name: party.name().expose().to_owned(),
            bank_account: party.account().expose().to_owned(),
            bank_name: party.bank_name().to_owned(),
            bank_code: party.bank_code().map(str::to_owned),
        };
        let text = serde_json::to_vec(&sealed).map_err(ServiceError::bug)?;
        self.vault.seal(place, &text).map_err(ServiceError::bug)
    }

    fn open_account(&self, key_id: &str, place: &str, sealed: &[u8]) -> Result<Party, ServiceError> {
        let text = self
            .vault
            .open(key_id, place, sealed)
            .map_err(ServiceError::bug)?;
        // An error of serde_json may quote what it reads.
        let it: Sealed =
            serde_json::from_slice(&text).map_err(|_| ServiceError::bug("unreadable account"))?;
        Party::new(&it.name, &it.bank_account, &it.bank_name, it.bank_code.as_deref())
            .map_err(ServiceError::bug)
    }

    /// These revisions of accounts, opened, by holder.
    pub(super) async fn accounts_of(
        &self,
        tx: &mut Tx,
        keys: &[(String, i32)],
    ) -> Result<HashMap<String, Party>, ServiceError> {
        let rows = tx.bank_account_revisions(keys).await?;
        let open = |row: BankAccountRow| {
            let place = account_place(&row.holder, row.revision);
            let party = self.open_account(&row.key_id, &place, &row.sealed)?;
            Ok((row.holder, party))
        };
        rows.into_iter().map(open).collect()
    }

    /// Where the applicants of these claims are paid now, of those whose account was put right; with the revision.
    pub(super) async fn corrected_payees(
        &self,
        tx: &mut Tx,
        rows: &[ClaimRow],
    ) -> Result<HashMap<Uuid, (i32, Party)>, ServiceError> {
        let keys = rows.iter().map(|row| (row.jurisdiction.to_string(), row.id));
        let rows = tx.payee_corrections(&keys.collect::<Vec<_>>()).await?;
        rows.into_iter()
            .map(|row| Ok((row.claim, (row.revision, self.open_correction(&row)?))))
            .collect()
    }

    /// These revisions of applicants' accounts, opened, by claim.
    pub(super) async fn corrections_of(
        &self,
        tx: &mut Tx,
        jurisdiction: &str,
        keys: &[(Uuid, i32)],
    ) -> Result<HashMap<Uuid, Party>, ServiceError> {
        let rows = tx.payee_correction_revisions(jurisdiction, keys).await?;
        rows.into_iter()
            .map(|row| Ok((row.claim, self.open_correction(&row)?)))
            .collect()
    }

    fn open_correction(&self, row: &PayeeCorrectionRow) -> Result<Party, ServiceError> {
        let place = correction_place(&row.jurisdiction, row.claim, row.revision);
        self.open_account(&row.key_id, &place, &row.sealed)
    }

    fn shown_account(&self, row: &BankAccountRow) -> Result<ShownAccount, ServiceError> {
        let place = account_place(&row.holder, row.revision);
        let party = self.open_account(&row.key_id, &place, &row.sealed)?;
        let account: Vec<char> = party.account().expose().chars().collect();
        let tail = account.iter().skip(account.len().saturating_sub(4));
        Ok(ShownAccount {
            holder: row.holder.clone(),
            revision: row.revision,
            bank_name: party.bank_name().to_owned(),
            bank_code: party.bank_code().map(str::to_owned),
            ends_with: tail.collect(),
            status: row.status.clone(),
            made_at: row.made_at,
            checked_at: row.checked_at,
            reason: row.reason.clone(),
        })
    }

    /// Seals again accounts that are sealed under another key than the one that seals now; says how many.
    pub(crate) async fn rekey_accounts(&self, mut tx: Tx) -> Result<Done<usize>, ServiceError> {
        const SOME: i64 = 500;
        let key_id = self.vault.key_id().to_owned();
        let accounts = tx.bank_accounts_not_under(&key_id, SOME).await?;
        let corrections = tx.payee_corrections_not_under(&key_id, SOME).await?;
        let done = accounts.len().saturating_add(corrections.len());
        for mut row in accounts {
            let place = account_place(&row.holder, row.revision);
            row.sealed = self.seal_account(&place, &self.open_account(&row.key_id, &place, &row.sealed)?)?;
            row.key_id.clone_from(&key_id);
            tx.save_bank_account(&row).await?;
        }
        for mut row in corrections {
            let place = correction_place(&row.jurisdiction, row.claim, row.revision);
            row.sealed = self.seal_account(&place, &self.open_account(&row.key_id, &place, &row.sealed)?)?;
            row.key_id.clone_from(&key_id);
            tx.reseal_payee_correction(&row).await?;
        }
        Ok(tx.done(done))
    }
}

/// An account's place in the audit trail.
fn subject(holder: &str) -> String {
    format!("account/{holder}")
}

fn account_place(holder: &str, revision: i32) -> String {
    format!("account/{holder}/{revision}")
}

fn correction_place(jurisdiction: &str, claim: Uuid, revision: i32) -> String {
    format!("payee/{jurisdiction}/{}/{revision}", claim.simple())
}

/// An account whose fields a bank would take, or which of them it would not.
fn checked(entered: &EnteredAccount) -> Result<Party, Refusal> {
    Party::new(
        entered.name.trim(),
        entered.bank_account.trim(),
        entered.bank_name.trim(),
        entered.bank_code.as_deref(),
    )
    .map_err(|error| {
        let pointer = match error {
            InstructionError::Text { field, .. } => match field {
                bank::Field::Name => "/name",
                bank::Field::Account => "/bank_account",
                bank::Field::BankName => "/bank_name",
                _ => "/bank_code",
            },
            _ => "",
        };
        Refusal::field(pointer, error.code(), error.message_zh(), error.to_string())
    })
}
