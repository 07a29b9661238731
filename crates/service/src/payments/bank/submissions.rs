//! Files that go to the bank by themselves, safely by any number of workers.
//!
//! Releasing a disbursement queues its files, if a bank is configured then: what was released before is a person's. A worker
//! takes one file at a time. In one transaction it writes down that the bank may have it from now on ([`SubmissionRow::in_doubt`])
//! and until when nobody else tries; it asks the bank in no transaction at all; and records what the bank said in another. Whatever
//! breaks off in between, the next try hands over the same bytes under the same name and key, which the bank takes once.
//!
//! ```text
//!            ┌────────── unavailable, unknown: later and later ──────────┐
//!            ▼                                                           │
//! release ─► queued ─► attempt ─► taken                                  │
//!            │   ▲         ├────► refused ─► submitted again (replaced, new name) or by hand
//!            │   └─ accounts missing: waits and says whose               │
//!            │             └─────────────────────────────────────────────┘
//!            └─► by hand, while the bank cannot have it; settled, once what became of a payment in it is known
//! ```
//!
//! Two things would pay twice, and are not done: a file of which a payment is settled is not submitted (any more), and nobody
//! takes a file by hand that the bank may have.

use bank::{FileId, Format, MessageId};
use chrono::{DateTime, Duration, Utc};
use claims::ids::DisbursementId;
use sha2::{Digest, Sha256};
use store::payments::disbursements::DisbursementRow;
use store::payments::submissions::SubmissionRow;
use store::{Done, Tx};
use timing::Backoff;

use super::instruction::{InstructionFile, InstructionFormat, per_file, sent_payments};
use crate::claims::transition::Mover;
use crate::operation::access::{ManageFunds, ReadFunds};
use crate::operation::checks::reason;
use crate::operation::time::{later, requested_pause};
use crate::operation::{Actor, Page, Permit, Refusal, ServiceError, paging};
use crate::payments::Payments;
use crate::ports::{Bank, BankError, BankFile, FileName, LARGEST_BANK_FILE, Submitted};

/// Longer than any call to a bank may take; see `partners::Timeouts`.
const LEASE: Duration = Duration::minutes(15);
const LONGEST_PAUSE: Duration = Duration::hours(1);
/// Files that one round hands over: more wait for the next.
const ROUND: usize = 100;
/// Characters that are kept of why something failed.
const WHY: usize = 300;

/// A file of an instruction on its way to the bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// Which file of the instruction, from 1.
    pub part: i32,
    /// 1, and one more each time it was submitted again under a new name.
    pub version: i32,
    pub name: String,
    /// queued, taken, refused, settled, by_hand or replaced.
    pub status: String,
    pub attempts: i32,
    /// The bank may have it.
    pub in_doubt: bool,
    /// What stands in the way: account_missing, unavailable, unknown or refused.
    pub problem: Option<String>,
    pub why: Option<String>,
    pub queued_at: DateTime<Utc>,
    pub submitted_at: Option<DateTime<Utc>>,
    pub next_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    /// Hex.
    pub sha256: Option<String>,
    /// What the bank calls it.
    pub reference: Option<String>,
    pub resolution: Option<String>,
}

/// What a person does about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubmissionResolution {
    /// The same orders again under a new name, after the bank refused them.
    SubmitAgain,
    /// A person takes the file to the bank.
    ByHand,
}

/// What one round told the bank.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Submissions {
    pub taken: usize,
    pub refused: usize,
    /// To be tried again.
    pub delayed: usize,
}

/// What a worker found to do.
enum Found {
    Nothing,
    /// It was settled without asking the bank.
    Passed,
    Attempt(Box<SubmissionRow>, BankFile, bool),
}

impl Actor {
    /// The bank, whose words nobody here brought in.
    pub(super) fn bank() -> Self {
        Self {
            client: "bank".into(),
            person: "bank".into(),
            ..Self::system()
        }
    }
}

impl Payments {
    /// Queues the files of a disbursement that is being released, if a bank is there to take them. All accounts have to be on file: the
    /// disbursement is frozen now, and what lacks one could only ever wait.
    pub(in crate::payments) async fn queue_submissions(
        &self,
        tx: &mut Tx,
        row: &DisbursementRow,
        mover: Mover<'_>,
    ) -> Result<(), ServiceError> {
        let Some(format) = self.settings.bank_format else {
            return Ok(());
        };
        let payments = sent_payments(tx, row).await?;
        if payments.is_empty() {
            return Ok(());
        }
        let unfiled = payments.iter().filter(|payment| payment.account.is_none());
        let mut missing = unfiled.filter_map(|it| it.merchant.clone()).collect::<Vec<_>>();
        if row.account.is_none() {
            missing.insert(0, row.jurisdiction.clone());
        }
        if !missing.is_empty() {
            return Err(Refusal::AccountMissing(missing).into());
        }
        let files = payments.len().div_ceil(per_file(row).get());
        let mut rows = Vec::with_capacity(files);
        for part in (1_u16..).take(files) {
            let id = FileId::new(MessageId::new(row.id.as_u128()), part)
                .ok_or_else(|| ServiceError::bug("an instruction has too many files"))?;
            let name = (id.file_name(format), format.as_str());
            rows.push(queued((row, i32::from(part), 1), name, mover.now));
        }
        SubmissionRow::insert(tx, &rows).await?;
        Ok(())
    }

    /// Hands over the files that are due, one after another. A crash between any two steps repeats at most the last.
    pub async fn submit_to_bank(&self, bank: &dyn Bank) -> Result<Submissions, ServiceError> {
        let mut done = Submissions::default();
        for _ in 0..ROUND {
            let (row, file, doubted) = match self.op.transaction(|tx| self.take_submission(tx)).await? {
                Found::Nothing => break,
                Found::Passed => continue,
                Found::Attempt(row, file, doubted) => (row, file, doubted),
            };
            // The name stands for these bytes for good, so it is their key as well.
            let said = bank.submit(&file, &row.name).await;
            let (count, outcome) = match &said {
                Ok(_) => (&mut done.taken, "taken"),
                Err(BankError::Refused { .. }) => (&mut done.refused, "refused"),
                Err(BankError::Unknown { .. }) => (&mut done.delayed, "unknown"),
                Err(BankError::Unavailable { .. }) => (&mut done.delayed, "unavailable"),
            };
            *count = count.saturating_add(1);
            metrics::counter!("huanxin_bank_submissions_total", "outcome" => outcome).increment(1);
            if let Err(error) = &said {
                tracing::warn!(%error, disbursement = %row.disbursement, part = row.part, attempt = row.attempts, "bank did not take a file");
            }
            self.op
                .transaction(|tx| self.record_submission(tx, &row, &said, doubted))
                .await?;
        }
        Ok(done)
    }

    /// Takes the file that has been due for longest: from the commit on the bank may have it.
    async fn take_submission(&self, mut tx: Tx) -> Result<Done<Found>, ServiceError> {
        let now = self.op.now();
        let Some(mut row) = tx.due_submission(now).await? else {
            return Ok(tx.done(Found::Nothing));
        };
        // Locked, so that no result comes in between: what is settled is not submitted.
        let disbursement = tx.lock_disbursement(&row.jurisdiction, row.disbursement).await?;
        let disbursement = disbursement.ok_or_else(|| ServiceError::bug("a file has no disbursement"))?;
        if self.is_settled(&mut tx, &disbursement, row.part).await? {
            (row.status, row.closed_at) = ("settled".into(), Some(now));
            (row.sealed, row.key_id) = (None, None);
            tx.save_submission(&row).await?;
            return Ok(tx.done(Found::Passed));
        }
        let file = match self.orders(&mut tx, &mut row, &disbursement).await {
            Ok(file) => file,
            Err(ServiceError::Refused(Refusal::AccountMissing(holders))) => {
                tracing::warn!(disbursement = %row.disbursement, part = row.part, missing = holders.len(), "a file for the bank lacks accounts");
                (row.problem, row.why) = (
                    Some("account_missing".into()),
                    Some(shortened(&holders.join(", "))),
                );
                row.due_at = later(now, LONGEST_PAUSE);
                tx.save_submission(&row).await?;
                return Ok(tx.done(Found::Passed));
            }
            Err(error) => return Err(error),
        };
        let doubted = row.in_doubt;
        row.attempts = row.attempts.saturating_add(1);
        (row.in_doubt, row.submitted_at, row.due_at) = (true, Some(now), later(now, LEASE));
        tx.save_submission(&row).await?;
        let system = Actor::system();
        let mover = Mover { actor: &system, now };
        let name = Some(row.name.clone());
        self.note(&mut tx, &disbursement, "submit_instruction", name, mover)
            .await?;
        Ok(tx.done(Found::Attempt(Box::new(row), file, doubted)))
    }

    /// Whether the fate of any payment of a file is known, by whatever way.
    async fn is_settled(&self, tx: &mut Tx, row: &DisbursementRow, part: i32) -> Result<bool, ServiceError> {
        let payments = sent_payments(tx, row).await?;
        let place = usize::try_from(part).unwrap_or(1).saturating_sub(1);
        let mut of_file = payments
            .chunks(per_file(row).get())
            .nth(place)
            .into_iter()
            .flatten();
        Ok(of_file.any(|payment| payment.outcome != "open"))
    }

    /// The bytes of a file: written and kept at the first attempt, and the same at all further ones.
    async fn orders(
        &self,
        tx: &mut Tx,
        row: &mut SubmissionRow,
        disbursement: &DisbursementRow,
    ) -> Result<BankFile, ServiceError> {
        let format = InstructionFormat::parse(&row.format);
        let format = format.ok_or_else(|| ServiceError::bug("unknown format of a file"))?;
        let bytes = match (&row.sealed, &row.key_id) {
            (Some(sealed), Some(key_id)) => {
                let packed = self.vault.open(key_id, &place(row), sealed);
                unpacked(&packed.map_err(ServiceError::bug)?)?
            }
            _ => {
                let bytes = self.file_of(tx, disbursement, format, row.part).await?.bytes;
                let packed = zstd::bulk::compress(&bytes, 3).map_err(ServiceError::bug)?;
                row.sealed = Some(self.vault.seal(&place(row), &packed).map_err(ServiceError::bug)?);
                row.key_id = Some(self.vault.key_id().to_owned());
                row.sha256 = Some(Sha256::digest(&bytes).to_vec());
                bytes
            }
        };
        let name = FileName::parse(&row.name).map_err(ServiceError::bug)?;
        let file = BankFile::new(name, format.media_type(), bytes).map_err(ServiceError::bug)?;
        if row.sha256.as_deref() != Some(file.sha256().as_slice()) {
            return Err(ServiceError::bug(
                "a file for the bank is not what was submitted before",
            ));
        }
        Ok(file)
    }

    async fn file_of(
        &self,
        tx: &mut Tx,
        disbursement: &DisbursementRow,
        format: Format,
        part: i32,
    ) -> Result<InstructionFile, ServiceError> {
        let mut files = self.files(tx, disbursement, format).await?;
        let place = usize::try_from(part).ok().and_then(|part| part.checked_sub(1));
        let place = place.filter(|place| *place < files.len());
        Ok(files.swap_remove(place.ok_or_else(|| ServiceError::bug("a file is gone"))?))
    }

    /// What the bank said of an attempt. A worker that was away for longer than its lease still says that the file was taken or refused,
    /// and nothing else.
    async fn record_submission(
        &self,
        mut tx: Tx,
        attempt: &SubmissionRow,
        said: &Result<Submitted, BankError>,
        doubted: bool,
    ) -> Result<Done<()>, ServiceError> {
        let now = self.op.now();
        let row = tx
            .lock_submission(&attempt.jurisdiction, attempt.disbursement, attempt.part)
            .await?;
        let Some(mut row) = row.filter(|it| it.version == attempt.version && it.status == "queued") else {
            return Ok(tx.done(()));
        };
        let (bank, late) = (Actor::bank(), row.attempts != attempt.attempts);
        let (status, verb, why) = match said {
            Ok(taken) => ("taken", "take_instruction", taken.reference.clone()),
            Err(BankError::Refused { why }) => ("refused", "refuse_instruction", Some(shortened(why))),
            Err(_) if late => return Ok(tx.done(())),
            Err(BankError::Unknown { why, retry_after } | BankError::Unavailable { why, retry_after }) => {
                let unknown = matches!(said, Err(BankError::Unknown { .. }));
                row.in_doubt = unknown || doubted;
                let problem = if unknown { "unknown" } else { "unavailable" };
                (row.problem, row.why) = (Some(problem.into()), Some(shortened(why)));
                row.due_at = later(now, pause(row.attempts).max(requested_pause(*retry_after)));
                tx.save_submission(&row).await?;
                return Ok(tx.done(()));
            }
        };
        (row.status, row.closed_at, row.in_doubt) = (status.into(), Some(now), false);
        (row.sealed, row.key_id) = (None, None);
        match said {
            Ok(taken) => {
                row.reference.clone_from(&taken.reference);
                (row.problem, row.why) = (None, None);
            }
            Err(_) => (row.problem, row.why) = (Some("refused".into()), why.clone()),
        }
        tx.save_submission(&row).await?;
        let disbursement = tx.disbursement(&row.jurisdiction, row.disbursement).await?;
        let disbursement = disbursement.ok_or_else(|| ServiceError::bug("a file has no disbursement"))?;
        let said = match why {
            Some(why) => format!("{}: {why}", row.name),
            None => row.name.clone(),
        };
        let mover = Mover { actor: &bank, now };
        self.note(&mut tx, &disbursement, verb, Some(said), mover).await?;
        Ok(tx.done(()))
    }

    /// A disbursement's files for the bank, where it is told by itself.
    pub async fn submissions(
        &self,
        permit: &Permit<ReadFunds>,
        id: DisbursementId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Submission>, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        let after = paging::read(cursor)?;
        let mut conn = self.op.read().await?;
        let jurisdiction = id.jurisdiction.as_str();
        conn.disbursement(jurisdiction, id.uuid)
            .await?
            .ok_or(Refusal::NotFound("disbursement"))?;
        let rows = conn
            .submissions(jurisdiction, id.uuid, after, paging::fetch(limit))
            .await?;
        paging::page(rows, limit, |row| (row.part, row.version))?.try_map(|row| Ok(shown(row)))
    }

    /// A person's word on a file that the bank refused, or cannot have yet.
    pub async fn resolve_submission(
        &self,
        permit: &Permit<ManageFunds>,
        id: DisbursementId,
        part: i32,
        resolution: SubmissionResolution,
        why: Option<String>,
    ) -> Result<Submission, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        let why = reason(why, true)?;
        self.op
            .transaction(|tx| {
                self.resolve_submission_in(tx, permit.actor(), (id, part), resolution, why.clone())
            })
            .await
    }

    async fn resolve_submission_in(
        &self,
        mut tx: Tx,
        actor: &Actor,
        (id, part): (DisbursementId, i32),
        resolution: SubmissionResolution,
        why: Option<String>,
    ) -> Result<Done<Submission>, ServiceError> {
        let mover = Mover {
            actor,
            now: self.op.now(),
        };
        let jurisdiction = id.jurisdiction.as_str();
        let row = tx.lock_submission(jurisdiction, id.uuid, part).await?;
        let mut row = row.ok_or(Refusal::NotFound("submission"))?;
        let open =
            row.status == "refused" || (row.status == "queued" && resolution == SubmissionResolution::ByHand);
        if !open {
            let status = row.status;
            return Err(Refusal::Settled {
                what: "submission",
                status,
            }
            .into());
        }
        if row.in_doubt {
            return Err(Refusal::BankMayHaveIt.into());
        }
        let disbursement = tx.lock_disbursement(jurisdiction, id.uuid).await?;
        let disbursement = disbursement.ok_or_else(|| ServiceError::bug("a file has no disbursement"))?;
        if self.is_settled(&mut tx, &disbursement, part).await? {
            let status = "settled".to_owned();
            return Err(Refusal::Settled {
                what: "submission",
                status,
            }
            .into());
        }
        let again = resolution == SubmissionResolution::SubmitAgain;
        row.status = if again { "replaced" } else { "by_hand" }.into();
        (row.resolver, row.resolution) = (Some(actor.person.clone()), why.clone());
        row.closed_at = Some(mover.now);
        (row.sealed, row.key_id) = (None, None);
        tx.save_submission(&row).await?;
        let verb = if again {
            "resubmit_instruction"
        } else {
            "take_over_instruction"
        };
        let said = why.map(|why| format!("{}: {why}", row.name));
        self.note(&mut tx, &disbursement, verb, said, mover).await?;
        if again {
            row = self.version_after(&disbursement, &row, mover)?;
            SubmissionRow::insert(&mut tx, std::slice::from_ref(&row)).await?;
        }
        Ok(tx.done(shown(row)))
    }

    /// The same part under a new name.
    fn version_after(
        &self,
        disbursement: &DisbursementRow,
        row: &SubmissionRow,
        mover: Mover<'_>,
    ) -> Result<SubmissionRow, ServiceError> {
        let version = row.version.saturating_add(1);
        let part = u16::try_from(row.part).unwrap_or(u16::MAX);
        let id = FileId::new(MessageId::new(row.disbursement.as_u128()), part);
        let format = InstructionFormat::parse(&row.format);
        let (id, format) = id
            .zip(format)
            .ok_or_else(|| ServiceError::bug("a file has no name"))?;
        let first = id.file_name(format);
        let name = match first.rsplit_once('.') {
            Some((stem, extension)) => format!("{stem}-{version}.{extension}"),
            None => format!("{first}-{version}"),
        };
        Ok(queued(
            (disbursement, row.part, version),
            (name, &row.format),
            mover.now,
        ))
    }

    /// Seals again files that are sealed under another key than the one that seals now; says how many.
    pub(crate) async fn rekey_submissions(&self, mut tx: Tx) -> Result<Done<usize>, ServiceError> {
        const SOME: i64 = 20;
        let key_id = self.vault.key_id().to_owned();
        let rows = tx.submissions_not_under(&key_id, SOME).await?;
        let done = rows.len();
        for seen in rows {
            let row = tx
                .lock_submission(&seen.jurisdiction, seen.disbursement, seen.part)
                .await?;
            let Some(mut row) = row else { continue };
            if let (Some(sealed), Some(old)) = (&row.sealed, &row.key_id) {
                let text = self
                    .vault
                    .open(old, &place(&row), sealed)
                    .map_err(ServiceError::bug)?;
                row.sealed = Some(self.vault.seal(&place(&row), &text).map_err(ServiceError::bug)?);
                row.key_id = Some(key_id.clone());
                tx.save_submission(&row).await?;
            }
        }
        Ok(tx.done(done))
    }

    /// What stands open between us and the bank, for the metrics.
    pub async fn submission_tally(
        &self,
    ) -> Result<store::payments::submissions::SubmissionTally, ServiceError> {
        Ok(self.op.read().await?.submission_tally().await?)
    }
}

/// A file that waits for the bank under a name.
fn queued(
    (row, part, version): (&DisbursementRow, i32, i32),
    (name, format): (String, &str),
    now: DateTime<Utc>,
) -> SubmissionRow {
    SubmissionRow {
        jurisdiction: row.jurisdiction.clone(),
        disbursement: row.id,
        part,
        version,
        name,
        format: format.to_owned(),
        status: "queued".into(),
        attempts: 0,
        in_doubt: false,
        problem: None,
        why: None,
        due_at: now,
        queued_at: now,
        submitted_at: None,
        closed_at: None,
        sha256: None,
        key_id: None,
        sealed: None,
        reference: None,
        resolver: None,
        resolution: None,
    }
}

/// Where a file's bytes are sealed to.
fn place(row: &SubmissionRow) -> String {
    let id = row.disbursement.simple();
    format!(
        "submission/{}/{id}/{}/{}",
        row.jurisdiction, row.part, row.version
    )
}

fn unpacked(packed: &[u8]) -> Result<Vec<u8>, ServiceError> {
    zstd::bulk::decompress(packed, LARGEST_BANK_FILE)
        .map_err(|_| ServiceError::bug("a file at rest cannot be unpacked"))
}

/// Doubled with each attempt, up to an hour.
fn pause(attempts: i32) -> Duration {
    const BACKOFF: Backoff = Backoff::doubling(
        std::time::Duration::from_secs(30),
        std::time::Duration::from_hours(1),
    );
    let pause = BACKOFF.pause(u32::try_from(attempts.max(1)).unwrap_or(1), 0);
    pause
        .and_then(|it| Duration::from_std(it).ok())
        .unwrap_or(LONGEST_PAUSE)
}

fn shortened(text: &str) -> String {
    text.chars().take(WHY).collect()
}

fn shown(row: SubmissionRow) -> Submission {
    let queued = row.status == "queued";
    Submission {
        part: row.part,
        version: row.version,
        name: row.name,
        attempts: row.attempts,
        in_doubt: row.in_doubt,
        problem: row.problem,
        why: row.why,
        queued_at: row.queued_at,
        submitted_at: row.submitted_at,
        next_at: queued.then_some(row.due_at),
        closed_at: row.closed_at,
        sha256: row.sha256.map(hex::encode),
        reference: row.reference,
        resolution: row.resolution,
        status: row.status,
    }
}
