//! New versions of programmes, in pairs: one person proposes a document, and with it stands what a replay of recorded claims says
//! of it; another puts it in force, or refuses it. A programme's very first version may be seeded.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use claims::ids::DraftId;
use claims::proposal::DraftStatus;
use policy::Programme;
use sha2::{Digest, Sha256};
use store::programmes::drafts::{DraftRow, WholeDraftRow};
use tokio::sync::mpsc;

use super::Programmes;
use super::replay::{Asked, Question, Summary, Told};
use crate::catalogue;
use crate::operation::access::{ManageProgrammes, ReplayProgrammes};
use crate::operation::convert::code;
use crate::operation::{
    Actor, Check, Decision, Key, Op, Page, Permit, Recorded, Refusal, Replayable, ServiceError, paging,
    stored_answer,
};

/// A version of a programme that was proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub id: DraftId,
    pub programme: String,
    pub version: u32,
    /// SHA-256 of the document, in hexadecimal.
    pub hash: String,
    pub effective_from: NaiveDate,
    pub status: DraftStatus,
    /// The persons.
    pub maker: String,
    pub made_at: DateTime<Utc>,
    pub checker: Option<String>,
    pub checked_at: Option<DateTime<Utc>>,
    pub reason: Option<String>,
    /// `sha256:` of the report's bytes.
    pub report_digest: String,
    /// The report in short.
    pub summary: Summary,
}

/// A draft with its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftDetail {
    pub draft: Draft,
    pub source: String,
}

/// What is kept under the key of a proposal: nothing else of a draft changes but its signatures.
#[derive(Debug)]
struct Proposed {
    id: DraftId,
}

stored_answer! { "draft.1" => Proposed { id } }

const PROPOSE: &str = "propose_programme";

/// A version that may be proposed.
#[derive(Debug)]
pub struct Proposal(Asked);

impl Programmes {
    /// The first answer to a key, if a version was proposed with it before.
    pub async fn proposed_before(
        &self,
        permit: &Permit<ManageProgrammes>,
        key: &Key,
    ) -> Result<Option<Replayable<Draft>>, ServiceError> {
        let operation = self.op.of(permit).everywhere();
        match operation.once(PROPOSE, key).answer::<Proposed>().await? {
            Some(first) => self.as_proposed(first).await.map(Some),
            None => Ok(None),
        }
    }

    /// Looks at a proposal before anything is replayed: the document has to fit beside the versions in force, now and when it is
    /// activated.
    pub async fn ask_proposal(
        &self,
        permit: &Permit<ManageProgrammes>,
        question: Question,
    ) -> Result<Proposal, ServiceError> {
        let actor = permit.actor();
        whole_city(actor)?;
        let asked = self
            .ask_replay(&actor.permit::<ReplayProgrammes>()?, question)
            .await?;
        fits(
            &asked.programme,
            self.catalogue.current().versions(asked.programme.id()),
        )?;
        Ok(Proposal(asked))
    }

    /// Proposes a version: replays recorded claims under it and keeps the report with it.
    pub async fn propose_programme(
        &self,
        permit: &Permit<ManageProgrammes>,
        proposal: Proposal,
        key: Key,
        tell: &mpsc::Sender<Told>,
    ) -> Result<Replayable<Draft>, ServiceError> {
        let (city, Proposal(asked)) = (self.catalogue.city()?, proposal);
        let report = self.replay(&asked, tell).await?;
        let (text, programme) = (report.text()?, &asked.programme);
        let jurisdiction = code(&city)?;
        let version = i32::try_from(programme.version())?;
        let summary = serde_json::to_string(&report.summary)?;
        let unit = async |mut op: Op<'_>| {
            op.tx.lock_programmes(&city).await?;
            let row = DraftRow {
                jurisdiction,
                id: op.id(),
                programme: programme.id().to_owned(),
                version,
                hash: programme.hash().to_owned(),
                effective_from: programme.effective_from(),
                report_digest: Sha256::digest(&text).to_vec(),
                summary: summary.clone(),
                signatures: op.signed(),
            };
            let id = DraftId::new(jurisdiction, row.id);
            let mut event = op.event(&city, &id.to_string(), PROPOSE);
            event.to_status = Some(row.signatures.status.to_string());
            let row = WholeDraftRow {
                draft: row,
                source: programme.source().to_owned(),
                report: text.clone(),
            };
            op.tx.add_draft(&row).await?;
            let recorded = op.record(&[event]).await?;
            Ok(op.done(recorded, Proposed { id }))
        };
        let operation = self.op.of(permit).everywhere();
        let proposed = operation.once(PROPOSE, &key).run(unit).await?;
        self.as_proposed(proposed).await
    }

    /// A draft as its maker proposed it, whatever became of it.
    async fn as_proposed(&self, proposed: Replayable<Proposed>) -> Result<Replayable<Draft>, ServiceError> {
        let mut row = self.drafted(proposed.value.id).await?.draft;
        row.signatures.status = DraftStatus::Pending;
        (row.signatures.checker, row.signatures.checked_at) = (None, None);
        row.signatures.reason = None;
        let value = draft(row)?;
        Ok(Replayable {
            value,
            replayed: proposed.replayed,
        })
    }

    /// The second person's verdict on a draft: activated, it is in force at once where it was activated, and wherever
    /// else the service runs within seconds; it has its fund in every county.
    pub async fn check_draft(
        &self,
        permit: &Permit<ManageProgrammes>,
        id: DraftId,
        check: Check,
        why: Option<String>,
    ) -> Result<Draft, ServiceError> {
        whole_city(permit.actor())?;
        let decision = Decision::new(check, why)?;
        let city = id.jurisdiction.as_str();
        let unit = async |mut op: Op<'_>| {
            // Before the lock: that of a ledger that is not there belongs to no draft.
            op.tx.draft(id).await?.ok_or(Refusal::NotFound("draft"))?;
            op.tx.lock_programmes(city).await?;
            let row = op.tx.lock_draft(id).await?;
            let WholeDraftRow {
                draft: mut row,
                source,
                ..
            } = row.ok_or(Refusal::NotFound("draft"))?;
            decision.sign(&op, "draft", &mut row.signatures)?;
            op.tx.decide_draft(&row).await?;
            if decision.is_approval() {
                let _activated = self.activate(&mut op, id, source).await?;
            }
            let event = decision.event::<DraftStatus>(&op, city, &id.to_string(), "check_draft");
            let recorded = op.record(&[event]).await?;
            Ok(op.done(recorded, draft(row)?))
        };
        let checked = self.op.of(permit).everywhere().run(unit).await?;
        self.catalogue.refresh().await?;
        Ok(checked)
    }

    /// Puts a drafted version in force, if it still comes after those that are.
    async fn activate(&self, op: &mut Op<'_>, id: DraftId, source: String) -> Result<Recorded, ServiceError> {
        let programme = catalogue::parse(source).await?;
        let (in_force, mut versions) = (self.catalogue.current(), Vec::new());
        for active in op.tx.programme_versions(programme.id()).await? {
            let known = in_force.versions(&active.id).iter();
            versions.push(match known.into_iter().find(|it| it.hash() == active.hash) {
                Some(known) => Arc::clone(known),
                None => catalogue::compile(active).await?,
            });
        }
        fits(&programme, &versions)?;
        self.catalogue.put_in_force(op, &programme, Some(id)).await
    }

    /// Drafts, newest first.
    pub async fn drafts(
        &self,
        _permit: &Permit<ReplayProgrammes>,
        programme: Option<&str>,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Draft>, ServiceError> {
        let before = paging::read(cursor)?;
        let mut conn = self.op.read().await?;
        let rows = conn
            .drafts(
                code(&self.catalogue.city()?)?,
                programme,
                before,
                paging::fetch(limit),
            )
            .await?;
        paging::page(rows, limit, |row| row.id)?.try_map(draft)
    }

    /// A draft with its document.
    pub async fn draft(
        &self,
        _permit: &Permit<ReplayProgrammes>,
        id: DraftId,
    ) -> Result<DraftDetail, ServiceError> {
        let row = self.drafted(id).await?;
        Ok(DraftDetail {
            draft: draft(row.draft)?,
            source: row.source,
        })
    }

    /// What the replay said of a draft, byte for byte as it was hashed.
    /// It has the money of every county, so it is for those of the whole city.
    pub async fn draft_report(
        &self,
        permit: &Permit<ReplayProgrammes>,
        id: DraftId,
    ) -> Result<String, ServiceError> {
        whole_city(permit.actor())?;
        Ok(self.drafted(id).await?.report)
    }

    async fn drafted(&self, id: DraftId) -> Result<WholeDraftRow, ServiceError> {
        let mut conn = self.op.read().await?;
        let row = conn.draft(id).await?;
        Ok(row.ok_or(Refusal::NotFound("draft"))?)
    }
}

/// A programme is the whole city's business.
fn whole_city(actor: &Actor) -> Result<(), Refusal> {
    if actor.jurisdictions.is_empty() {
        Ok(())
    } else {
        Err(Refusal::OtherJurisdiction)
    }
}

/// A version is new, and comes clearly after those before it.
pub(crate) fn fits(programme: &Programme, versions: &[Arc<Programme>]) -> Result<(), Refusal> {
    if versions.iter().any(|it| it.hash() == programme.hash()) {
        return Err(Refusal::field(
            "/document",
            "programme.active",
            "该版本已在执行",
            "the version is in force already",
        ));
    }
    let all = versions.iter().map(Arc::as_ref).chain([programme]);
    policy::check_overlap(&all.collect::<Vec<_>>()).map_err(|overlap| {
        Refusal::field(
            "/document",
            "programme.overlap",
            format!(
                "与已有版本重叠：新版本的 version 和 effective_from（{}）均须晚于已有版本",
                overlap.from
            ),
            overlap.to_string(),
        )
    })
}

fn draft(row: DraftRow) -> Result<Draft, ServiceError> {
    Ok(Draft {
        id: DraftId::new(row.jurisdiction, row.id),
        programme: row.programme,
        version: u32::try_from(row.version)?,
        hash: row.hash,
        effective_from: row.effective_from,
        status: row.signatures.status,
        maker: row.signatures.maker,
        made_at: row.signatures.made_at,
        checker: row.signatures.checker,
        checked_at: row.signatures.checked_at,
        reason: row.signatures.reason,
        report_digest: format!("sha256:{}", hex::encode(&row.report_digest)),
        summary: serde_json::from_str(&row.summary)?,
    })
}
