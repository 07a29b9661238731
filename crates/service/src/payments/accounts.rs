//! Accounts: where merchants are paid, what counties pay from, and applicants' accounts put right.
//!
//! A merchant's or a county's account is entered by one person and confirmed by another of
//! treasury: a person who could change one alone could send a county's money anywhere. An
//! applicant's is in the claim, under the applicant's own name; after the bank could not pay it,
//! the merchant that claims for the applicant may put it right, and the next payment goes there.
//! All of them are sealed at rest, opened for the bank's file alone, and shown by their last four
//! digits.

use std::collections::HashMap;

use bank::{InstructionError, Party};
use chrono::{DateTime, Utc};
use claims::JurisdictionCode;
use claims::claim::Payee;
use claims::ids::ClaimId;
use claims::life_cycle::Status;
use claims::proposal::ProposalStatus;
use serde::{Deserialize, Serialize};
use store::claims::ClaimRow;
use store::payments::accounts::{BankAccountRow, PayeeCorrectionRow};
use store::{Done, Tx};
use uuid::Uuid;

use super::Payments;
use crate::claims::own;
use crate::operation::access::{EnterAccounts, ManageFunds, ReadAccounts, SubmitClaims};
use crate::operation::{Actor, Check, Decision, Op, Permit, Refusal, ServiceError};

/// An account as it is entered.
#[derive(Clone, Default)]
pub struct EnteredAccount {
    pub name: String,
    pub bank_account: String,
    pub bank_name: String,
    /// The bank's number in CNAPS, 12 digits.
    pub bank_code: Option<String>,
}

/// Holds what may not be logged.
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
    pub status: ProposalStatus,
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
    /// Enters the account of a merchant (by itself or by treasury) or of a county (by treasury). It
    /// counts once another person of treasury confirmed it; until then the one before counts.
    pub async fn enter_account(
        &self,
        permit: &Permit<EnterAccounts>,
        holder: &str,
        entered: EnteredAccount,
    ) -> Result<ShownAccount, ServiceError> {
        let place = self.place_of(permit.actor(), holder).await?;
        let party = checked(&entered)?;
        let unit = async |mut op: Op<'_>| {
            let last = op.tx.last_bank_account(holder).await?;
            let revision = last.map_or(0, |row| row.revision).saturating_add(1);
            let row = BankAccountRow {
                holder: holder.to_owned(),
                revision,
                key_id: self.vault.key_id().to_owned(),
                sealed: self.seal_account(&account_place(holder, revision), &party)?,
                signatures: op.signed(),
            };
            op.tx.add_bank_account(&row).await?;
            let mut event = op.event(&place, &subject(holder), "enter_account");
            event.revision = Some(revision);
            event.to_status = Some(row.signatures.status.to_string());
            let recorded = op.record(&[event]).await?;
            let shown = self.shown_account(&row)?;
            Ok(op.done(recorded, shown))
        };
        self.op.of(permit).everywhere().run(unit).await
    }

    /// Another person's verdict on an account that was entered.
    pub async fn check_account(
        &self,
        permit: &Permit<ManageFunds>,
        holder: &str,
        revision: i32,
        check: Check,
        why: Option<String>,
    ) -> Result<ShownAccount, ServiceError> {
        let place = self.place_of(permit.actor(), holder).await?;
        let decision = Decision::new(check, why)?;
        let unit = async |mut op: Op<'_>| {
            let row = op.tx.lock_bank_account(holder, revision).await?;
            let mut row = row.ok_or(Refusal::NotFound("account"))?;
            decision.sign(&op, "account", &mut row.signatures)?;
            op.tx.save_bank_account(&row).await?;
            let mut event = decision.event::<ProposalStatus>(&op, &place, &subject(holder), "check_account");
            event.revision = Some(revision);
            let recorded = op.record(&[event]).await?;
            let shown = self.shown_account(&row)?;
            Ok(op.done(recorded, shown))
        };
        self.op.of(permit).everywhere().run(unit).await
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

    /// Puts the account of a claim's applicant right. The name stays the applicant's: the subsidy
    /// is paid to no other person.
    pub async fn correct_payee(
        &self,
        permit: &Permit<SubmitClaims>,
        claim: ClaimId,
        entered: EnteredAccount,
    ) -> Result<(), ServiceError> {
        let unit = async |mut op: Op<'_>| {
            let rows = op.tx.lock_claims(&[claim]).await?;
            let row = own(permit, rows.into_iter().next())?;
            let party = self.corrected(&mut op.tx, &row, &entered).await?;
            let last = op.tx.payee_corrections(&[claim]).await?;
            let revision = last.first().map_or(0, |row| row.revision).saturating_add(1);
            let correction = PayeeCorrectionRow {
                jurisdiction: claim.jurisdiction,
                claim: claim.uuid,
                revision,
                key_id: self.vault.key_id().to_owned(),
                sealed: self.seal_account(&correction_place(claim, revision), &party)?,
                maker: op.actor.person.clone(),
                made_at: op.now,
            };
            PayeeCorrectionRow::insert(&mut op.tx, &[correction]).await?;
            let event = op.event(claim.jurisdiction.as_str(), &claim.to_string(), "correct_payee");
            let recorded = op.record(&[event]).await?;
            Ok(op.done(recorded, ()))
        };
        self.op.of(permit).everywhere().run(unit).await
    }

    /// Where the applicant of an approved claim is to be paid: under the applicant's own name.
    async fn corrected(
        &self,
        tx: &mut Tx,
        row: &ClaimRow,
        entered: &EnteredAccount,
    ) -> Result<Party, ServiceError> {
        if !matches!(row.status, Status::Approved | Status::PaymentFailed) {
            return Err(Refusal::Settled {
                what: "claim",
                status: row.status.to_string(),
            }
            .into());
        }
        let sent = self.claims.sent_claims(tx, std::slice::from_ref(row)).await?;
        let sent = sent.get(&row.id).ok_or(Refusal::NotFound("claim"))?;
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
        Ok(party)
    }

    /// The county whose audit trail an account belongs to, if the caller has to do with it:
    /// treasury with its counties and their merchants, a merchant with itself.
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
        Ok(self.vault.seal(place, &serde_json::to_vec(&sealed)?)?)
    }

    fn open_account(&self, key_id: &str, place: &str, sealed: &[u8]) -> Result<Party, ServiceError> {
        let text = self.vault.open(key_id, place, sealed)?;
        let it: Sealed = serde_json::from_slice(&text)?;
        Ok(Party::new(
            &it.name,
            &it.bank_account,
            &it.bank_name,
            it.bank_code.as_deref(),
        )?)
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

    /// Where the applicants of these claims are paid now, of those whose account was put right;
    /// with the revision.
    pub(super) async fn corrected_payees(
        &self,
        tx: &mut Tx,
        rows: &[ClaimRow],
    ) -> Result<HashMap<Uuid, (i32, Party)>, ServiceError> {
        let claims = rows.iter().map(ClaimRow::id).collect::<Vec<_>>();
        let rows = tx.payee_corrections(&claims).await?;
        rows.into_iter()
            .map(|row| Ok((row.claim, (row.revision, self.open_correction(&row)?))))
            .collect()
    }

    /// These revisions of applicants' accounts, opened, by claim.
    pub(super) async fn corrections_of(
        &self,
        tx: &mut Tx,
        jurisdiction: JurisdictionCode,
        keys: &[(Uuid, i32)],
    ) -> Result<HashMap<Uuid, Party>, ServiceError> {
        let rows = tx.payee_correction_revisions(jurisdiction, keys).await?;
        rows.into_iter()
            .map(|row| Ok((row.claim, self.open_correction(&row)?)))
            .collect()
    }

    fn open_correction(&self, row: &PayeeCorrectionRow) -> Result<Party, ServiceError> {
        let place = correction_place(row.claim_id(), row.revision);
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
            status: row.signatures.status,
            made_at: row.signatures.made_at,
            checked_at: row.signatures.checked_at,
            reason: row.signatures.reason.clone(),
        })
    }

    /// Seals again accounts that are sealed under another key than the one that seals now; says how
    /// many.
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
            tx.reseal_bank_account(&row).await?;
        }
        for mut row in corrections {
            let place = correction_place(row.claim_id(), row.revision);
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

fn correction_place(claim: ClaimId, revision: i32) -> String {
    format!("payee/{}/{}/{revision}", claim.jurisdiction, claim.uuid.simple())
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
