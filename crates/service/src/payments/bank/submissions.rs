//! Files that go to the bank by themselves, safely by any number of workers.
//!
//! Releasing a disbursement queues its files, if a bank is configured then: what was released
//! before is a person's. A worker takes one file at a time. In one transaction it writes down that
//! the bank may have it from now on ([`SubmissionRow::in_doubt`]) and until when no other worker
//! tries; it asks the bank in no transaction at all; and records the bank's answer in another.
//! Whatever breaks off in between, the next try hands over the same bytes under the same name and
//! key, which the bank takes once.
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
//! Two things would pay twice, and are not done: a file of which a payment is settled is not
//! submitted (any more), and no person takes over a file that the bank may have.

use bank::{FileId, MessageId};
use chrono::{DateTime, Duration, Utc};
use claims::ids::DisbursementId;
use claims::payments::{PaymentOutcome, SubmissionProblem, SubmissionStatus};
use sha2::{Digest, Sha256};
use store::payments::disbursements::DisbursementRow;
use store::payments::submissions::SubmissionRow;
use store::{Done, Tx};
use timing::Backoff;

use super::instruction::{InstructionFormat, per_file, sent_payments};
use crate::operation::access::{ManageFunds, ReadFunds};
use crate::operation::checks::reason;
use crate::operation::time::{later, requested_pause};
use crate::operation::{Actor, Op, Page, Permit, Refusal, ServiceError, paging};
use crate::payments::Payments;
use crate::ports::{Bank, BankError, BankFile, FileName, LARGEST_BANK_FILE, Submitted};

/// Longer than any call to a bank may take; see `partners::Timeouts`.
const LEASE: Duration = Duration::minutes(15);
const LONGEST_PAUSE: Duration = Duration::hours(1);
/// Files that one round hands over: more wait for the next.
const MAX_FILES_PER_ROUND: usize = 100;
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
    pub status: SubmissionStatus,
    pub attempts: i32,
    /// The bank may have it.
    pub in_doubt: bool,
    /// What stands in the way.
    pub problem: Option<SubmissionProblem>,
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

/// What one round handed to the bank.
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
    /// The bank, whose reports no person brought in.
    pub(super) fn bank() -> Self {
        Self {
            client: "bank".into(),
            person: "bank".into(),
            ..Self::system()
        }
    }
}

impl Payments {
    /// Queues the files of a disbursement that is being released, if a bank is there to take them.
    /// All accounts have to be on file: the disbursement is frozen now, and what lacks one could
    /// only ever wait.
    pub(in crate::payments) async fn queue_submissions(
        &self,
        op: &mut Op<'_>,
        row: &DisbursementRow,
    ) -> Result<(), ServiceError> {
        let Some(format) = self.settings.bank_format else {
            return Ok(());
        };
        let payments = sent_payments(&mut op.tx, row).await?;
        if payments.is_empty() {
            return Ok(());
        }
        let unfiled = payments.iter().filter(|payment| payment.account.is_none());
        let mut missing = unfiled.filter_map(|it| it.merchant.clone()).collect::<Vec<_>>();
        if row.account.is_none() {
            missing.insert(0, row.jurisdiction.to_string());
        }
        if !missing.is_empty() {
            return Err(Refusal::AccountMissing(missing).into());
        }
        let files = payments.len().div_ceil(per_file(row).get());
        for part in (1_u16..).take(files) {
            let name = (file_id(row.id(), part)?.file_name(format), format.as_str());
            let file = queued(row.id(), (i32::from(part), 1), name, op.now);
            op.tx.add_submission(&file).await?;
        }
        Ok(())
    }

    /// Hands over the files that are due, one after another. A crash between any two steps repeats
    /// at most the last.
    pub async fn submit_to_bank(&self, bank: &dyn Bank) -> Result<Submissions, ServiceError> {
        let mut done = Submissions::default();
        for _ in 0..MAX_FILES_PER_ROUND {
            let (row, file, doubted) = match self.take_submission().await? {
                Found::Nothing => break,
                Found::Passed => continue,
                Found::Attempt(row, file, doubted) => (row, file, doubted),
            };
            // The name stands for these bytes for good, so it is their key as well.
            let said = bank.submit(&file, &row.name).await;
            let (count, outcome) = match &said {
                Ok(_) => (&mut done.taken, SubmissionStatus::Taken.as_str()),
                Err(BankError::Refused { .. }) => (&mut done.refused, SubmissionProblem::Refused.as_str()),
                Err(BankError::Unknown { .. }) => (&mut done.delayed, SubmissionProblem::Unknown.as_str()),
                Err(BankError::Unavailable { .. }) => {
                    (&mut done.delayed, SubmissionProblem::Unavailable.as_str())
                }
            };
            *count = count.saturating_add(1);
            metrics::counter!("huanxin_bank_submissions_total", "outcome" => outcome).increment(1);
            if let Err(error) = &said {
                tracing::warn!(%error, disbursement = %row.disbursement, part = row.part, attempt = row.attempts, "bank did not take a file");
            }
            self.record_submission(&row, &said, doubted).await?;
        }
        Ok(done)
    }

    /// Takes the file that has been due for longest: from the commit on the bank may have it.
    async fn take_submission(&self) -> Result<Found, ServiceError> {
        let unit = async |mut op: Op<'_>| {
            let Some(mut row) = op.tx.due_submission(op.now).await? else {
                return Ok(op.unrecorded(Found::Nothing));
            };
            // Locked, so that no result comes in between: what is settled is not submitted.
            let disbursement = self.disbursement_of(&mut op.tx, &row).await?;
            if self.is_settled(&mut op.tx, &disbursement, row.part).await? {
                (row.status, row.closed_at) = (SubmissionStatus::Settled, Some(op.now));
                (row.sealed, row.key_id) = (None, None);
                op.tx.save_submission(&row).await?;
                return Ok(op.unrecorded(Found::Passed));
            }
            let file = match self.orders(&mut op.tx, &mut row, &disbursement).await {
                Ok(file) => file,
                Err(ServiceError::Refused(Refusal::AccountMissing(holders))) => {
                    tracing::warn!(disbursement = %row.disbursement, part = row.part, missing = holders.len(), "a file for the bank lacks accounts");
                    row.problem = Some(SubmissionProblem::AccountMissing);
                    row.why = Some(shortened(&holders.join(", ")));
                    row.due_at = later(op.now, LONGEST_PAUSE);
                    op.tx.save_submission(&row).await?;
                    return Ok(op.unrecorded(Found::Passed));
                }
                Err(error) => return Err(error),
            };
            let doubted = row.in_doubt;
            row.attempts = row.attempts.saturating_add(1);
            (row.in_doubt, row.submitted_at) = (true, Some(op.now));
            row.due_at = later(op.now, LEASE);
            op.tx.save_submission(&row).await?;
            let name = Some(row.name.clone());
            let recorded = self
                .note(&mut op, &disbursement, "submit_instruction", name)
                .await?;
            Ok(op.done(recorded, Found::Attempt(Box::new(row), file, doubted)))
        };
        self.op.by_system().run(unit).await
    }

    /// The disbursement of a file, locked.
    async fn disbursement_of(
        &self,
        tx: &mut Tx,
        row: &SubmissionRow,
    ) -> Result<DisbursementRow, ServiceError> {
        let disbursement = tx.lock_disbursement(row.disbursement()).await?;
        Ok(disbursement.ok_or(Refusal::NotFound("disbursement"))?)
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
        Ok(of_file.any(|payment| payment.outcome != PaymentOutcome::Open))
    }

    /// The bytes of a file: written and kept at the first attempt, and the same at all further
    /// ones.
    async fn orders(
        &self,
        tx: &mut Tx,
        row: &mut SubmissionRow,
        disbursement: &DisbursementRow,
    ) -> Result<BankFile, ServiceError> {
        let format = format_of(row)?;
        let bytes = match (&row.sealed, &row.key_id) {
            (Some(sealed), Some(key_id)) => {
                let packed = self.vault.open(key_id, &place(row), sealed)?;
                zstd::bulk::decompress(&packed, LARGEST_BANK_FILE)?
            }
            _ => {
                let part = usize::try_from(row.part)?;
                let bytes = self.file(tx, disbursement, format, part).await?.bytes;
                let packed = zstd::bulk::compress(&bytes, 3)?;
                row.sealed = Some(self.vault.seal(&place(row), &packed)?);
                row.key_id = Some(self.vault.key_id().to_owned());
                row.sha256 = Some(Sha256::digest(&bytes).to_vec());
                bytes
            }
        };
        let name = FileName::parse(&row.name)?;
        let file = BankFile::new(name, format.media_type(), bytes)?;
        if row.sha256.as_deref() != Some(file.sha256().as_slice()) {
            return Err(ServiceError::bug(
                "a file for the bank is not what was submitted before",
            ));
        }
        Ok(file)
    }

    /// Records the bank's answer to an attempt. A worker that was away for longer than its lease
    /// still records that the file was taken or refused, and nothing else.
    async fn record_submission(
        &self,
        attempt: &SubmissionRow,
        said: &Result<Submitted, BankError>,
        doubted: bool,
    ) -> Result<(), ServiceError> {
        let bank = Actor::bank();
        let unit = async |mut op: Op<'_>| {
            let row = op
                .tx
                .lock_submission(attempt.disbursement(), attempt.part)
                .await?;
            let is_open =
                |it: &SubmissionRow| it.version == attempt.version && it.status == SubmissionStatus::Queued;
            let Some(mut row) = row.filter(is_open) else {
                return Ok(op.unrecorded(()));
            };
            let verb = match said {
                Ok(taken) => {
                    (row.status, row.problem, row.why) = (SubmissionStatus::Taken, None, None);
                    row.reference.clone_from(&taken.reference);
                    "take_instruction"
                }
                Err(BankError::Refused { why }) => {
                    row.status = SubmissionStatus::Refused;
                    (row.problem, row.why) = (Some(SubmissionProblem::Refused), Some(shortened(why)));
                    "refuse_instruction"
                }
                Err(_) if row.attempts != attempt.attempts => return Ok(op.unrecorded(())),
                Err(
                    BankError::Unknown { why, retry_after } | BankError::Unavailable { why, retry_after },
                ) => {
                    let is_unknown = matches!(said, Err(BankError::Unknown { .. }));
                    row.in_doubt = is_unknown || doubted;
                    row.problem = Some(if is_unknown {
                        SubmissionProblem::Unknown
                    } else {
                        SubmissionProblem::Unavailable
                    });
                    row.why = Some(shortened(why));
                    let pause = pause(row.attempts).max(requested_pause(*retry_after));
                    row.due_at = later(op.now, pause);
                    op.tx.save_submission(&row).await?;
                    return Ok(op.unrecorded(()));
                }
            };
            (row.closed_at, row.in_doubt) = (Some(op.now), false);
            (row.sealed, row.key_id) = (None, None);
            op.tx.save_submission(&row).await?;
            let disbursement = op.tx.disbursement(row.disbursement()).await?;
            let disbursement = disbursement.ok_or(Refusal::NotFound("disbursement"))?;
            let note = match row.reference.as_ref().or(row.why.as_ref()) {
                Some(why) => format!("{}: {why}", row.name),
                None => row.name.clone(),
            };
            let recorded = self.note(&mut op, &disbursement, verb, Some(note)).await?;
            Ok(op.done(recorded, ()))
        };
        self.op.by(&bank).run(unit).await
    }

    /// A disbursement's files for the bank, where they go by themselves.
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
        let found = conn.disbursement(id).await?;
        found.ok_or(Refusal::NotFound("disbursement"))?;
        let rows = conn.submissions(id, after, paging::fetch(limit)).await?;
        paging::page(rows, limit, |row| (row.part, row.version))?.try_map(|row| Ok(shown(row)))
    }

    /// A person's decision on a file that the bank refused, or cannot have yet.
    pub async fn resolve_submission(
        &self,
        permit: &Permit<ManageFunds>,
        id: DisbursementId,
        part: i32,
        resolution: SubmissionResolution,
        why: Option<String>,
    ) -> Result<Submission, ServiceError> {
        let operation = self.op.of(permit).within(id.jurisdiction.as_str())?;
        let why = reason(why, true)?;
        let unit = async |mut op: Op<'_>| {
            let row = op.tx.lock_submission(id, part).await?;
            let mut row = row.ok_or(Refusal::NotFound("submission"))?;
            let by_hand = resolution == SubmissionResolution::ByHand;
            let is_open = row.status == SubmissionStatus::Refused
                || (row.status == SubmissionStatus::Queued && by_hand);
            if !is_open {
                return Err(closed(row.status).into());
            }
            if row.in_doubt {
                return Err(Refusal::BankMayHaveIt.into());
            }
            let disbursement = self.disbursement_of(&mut op.tx, &row).await?;
            if self.is_settled(&mut op.tx, &disbursement, part).await? {
                return Err(closed(SubmissionStatus::Settled).into());
            }
            let verb = match resolution {
                SubmissionResolution::SubmitAgain => {
                    row.status = SubmissionStatus::Replaced;
                    "resubmit_instruction"
                }
                SubmissionResolution::ByHand => {
                    row.status = SubmissionStatus::ByHand;
                    "take_over_instruction"
                }
            };
            (row.resolver, row.resolution) = (Some(op.actor.person.clone()), why.clone());
            row.closed_at = Some(op.now);
            (row.sealed, row.key_id) = (None, None);
            op.tx.save_submission(&row).await?;
            let note = why.as_ref().map(|why| format!("{}: {why}", row.name));
            let recorded = self.note(&mut op, &disbursement, verb, note).await?;
            if resolution == SubmissionResolution::SubmitAgain {
                row = version_after(&row, op.now)?;
                op.tx.add_submission(&row).await?;
            }
            Ok(op.done(recorded, shown(row)))
        };
        operation.run(unit).await
    }

    /// Seals again files that are sealed under another key than the one that seals now; says how
    /// many.
    pub(crate) async fn rekey_submissions(&self, mut tx: Tx) -> Result<Done<usize>, ServiceError> {
        const SOME: i64 = 20;
        let key_id = self.vault.key_id().to_owned();
        let rows = tx.submissions_not_under(&key_id, SOME).await?;
        let done = rows.len();
        for seen in rows {
            let row = tx.lock_submission(seen.disbursement(), seen.part).await?;
            let Some(mut row) = row else { continue };
            if let (Some(sealed), Some(old)) = (&row.sealed, &row.key_id) {
                let text = self.vault.open(old, &place(&row), sealed)?;
                row.sealed = Some(self.vault.seal(&place(&row), &text)?);
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

/// The same part under a new name.
fn version_after(row: &SubmissionRow, now: DateTime<Utc>) -> Result<SubmissionRow, ServiceError> {
    let version = row.version.saturating_add(1);
    let id = file_id(row.disbursement(), u16::try_from(row.part)?)?;
    let first = id.file_name(format_of(row)?);
    let name = match first.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}-{version}.{extension}"),
        None => format!("{first}-{version}"),
    };
    let place = (row.part, version);
    Ok(queued(row.disbursement(), place, (name, &row.format), now))
}

/// What a part of an instruction is called.
fn file_id(of: DisbursementId, part: u16) -> Result<FileId, ServiceError> {
    let id = FileId::new(MessageId::new(of.uuid.as_u128()), part);
    id.ok_or_else(|| ServiceError::bug("a part of an instruction has a number that is none"))
}

fn format_of(row: &SubmissionRow) -> Result<InstructionFormat, ServiceError> {
    let format = InstructionFormat::parse(&row.format);
    format.ok_or_else(|| ServiceError::bug("a file for the bank has a format that is none"))
}

fn closed(status: SubmissionStatus) -> Refusal {
    Refusal::Settled {
        what: "submission",
        status: status.to_string(),
    }
}

/// A file that waits for the bank under a name.
fn queued(
    of: DisbursementId,
    (part, version): (i32, i32),
    (name, format): (String, &str),
    now: DateTime<Utc>,
) -> SubmissionRow {
    SubmissionRow {
        jurisdiction: of.jurisdiction,
        disbursement: of.uuid,
        part,
        version,
        name,
        format: format.to_owned(),
        status: SubmissionStatus::Queued,
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
    let queued = row.status == SubmissionStatus::Queued;
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
