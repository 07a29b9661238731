//! New versions of programmes, in pairs: one person proposes a document, and with it stands what a replay of recorded claims says
//! of it; another puts it in force, or refuses it. A programme's very first version may be seeded.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use claims::ids::DraftId;
use policy::Programme;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::Tx;
use store::programmes::drafts::{DraftRow, WholeDraftRow};
use tokio::sync::mpsc;

use super::replay::{Asked, Question, Summary, Told};
use crate::operation::access::{ManageProgrammes, ReplayProgrammes};
use crate::operation::checks::reason;
use crate::operation::convert::code;
use crate::operation::{
    Actor, Check, Key, Page, Permit, Refusal, Replayable, ServiceError, events, paging, pending,
};
use crate::{Service, catalogue};

/// A version of a programme that was proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    pub id: String,
    pub programme: String,
    pub version: u32,
    /// SHA-256 of the document, in hexadecimal.
    pub hash: String,
    pub effective_from: NaiveDate,
    /// `pending`, `activated` or `refused`.
    pub status: String,
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

/// A version that may be proposed.
#[derive(Debug)]
pub struct Proposal(Asked);

impl Service {
    /// The first answer to a key, if a version was proposed with it before.
    pub async fn proposed_before(
        &self,
        permit: &Permit<ManageProgrammes>,
        key: &Key,
    ) -> Result<Option<Replayable<Draft>>, ServiceError> {
        let mut conn = self.store().read().await?;
        self.answered(&mut conn, permit.actor(), key).await
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
        fits(&asked.programme, self.catalogue().versions(asked.programme.id()))?;
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
        let (actor, city, Proposal(asked)) = (permit.actor(), self.city()?, proposal);
        let report = self.replay(&asked, tell).await?;
        let (text, now) = (report.text()?, self.clock().now());
        let programme = &asked.programme;
        let row = DraftRow {
            jurisdiction: city.clone(),
            id: self.ids().next(now),
            programme: programme.id().to_owned(),
            version: i32::try_from(programme.version()).map_err(ServiceError::bug)?,
            hash: programme.hash().to_owned(),
            effective_from: programme.effective_from(),
            report_digest: Sha256::digest(&text).to_vec(),
            summary: serde_json::to_string(&report.summary).map_err(ServiceError::bug)?,
            status: "pending".into(),
            maker: actor.person.clone(),
            made_at: now,
            checker: None,
            checked_at: None,
            reason: None,
        };
        let made = draft(&row)?;
        let mut event = events::event(self, &city, &made.id, "propose_programme", actor, now);
        event.to_status = Some(row.status.clone());
        let row = WholeDraftRow {
            draft: row,
            source: programme.source().to_owned(),
            report: text,
        };
        self.store()
            .write(async |mut tx| -> Result<_, ServiceError> {
                // Under the lock, where whoever raced with the same key has committed.
                tx.lock_programmes(&city).await?;
                if let Some(first) = self.answered(&mut tx, actor, &key).await? {
                    return Ok(tx.done(first));
                }
                tx.add_draft(&row).await?;
                tx.record_events(std::slice::from_ref(&event)).await?;
                self.keep_answer(&mut tx, actor, &key, "propose_programme", &made)
                    .await?;
                Ok(tx.done(Replayable {
                    value: made.clone(),
                    replayed: false,
                }))
            })
            .await
    }

    /// The second person's word on a draft: activated, it is in force at once where it was activated, and wherever
    /// else the service runs within seconds; it has its fund in every county.
    pub async fn check_draft(
        &self,
        permit: &Permit<ManageProgrammes>,
        id: DraftId,
        check: Check,
        why: Option<String>,
    ) -> Result<Draft, ServiceError> {
        whole_city(permit.actor())?;
        let why = reason(why, check == Check::Refuse)?;
        let checked = self
            .store()
            .write(async |mut tx| -> Result<_, ServiceError> {
                let checked = self
                    .check_draft_in(&mut tx, permit.actor(), id, check, why.clone())
                    .await?;
                Ok(tx.done(checked))
            })
            .await?;
        self.refresh().await?;
        Ok(checked)
    }

    async fn check_draft_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        id: DraftId,
        check: Check,
        why: Option<String>,
    ) -> Result<Draft, ServiceError> {
        let (now, city) = (self.clock().now(), id.jurisdiction.as_str());
        // Before the lock: that of a ledger that is not there is nobody's.
        tx.draft(city, id.uuid).await?.ok_or(Refusal::NotFound("draft"))?;
        tx.lock_programmes(city).await?;
        let row = tx.lock_draft(city, id.uuid).await?;
        let WholeDraftRow {
            draft: mut row,
            source,
            ..
        } = row.ok_or(Refusal::NotFound("draft"))?;
        pending("draft", &row.status, &row.maker, &actor.person)?;
        row.status = match check {
            Check::Approve => "activated".into(),
            Check::Refuse => "refused".into(),
        };
        (row.checker, row.checked_at, row.reason) = (Some(actor.person.clone()), Some(now), why.clone());
        tx.decide_draft(&row).await?;
        let checked = draft(&row)?;
        if check == Check::Approve {
            let programme = catalogue::parse(source).await?;
            let (in_force, mut versions) = (self.catalogue(), Vec::new());
            for active in tx.programme_versions(programme.id()).await? {
                let known = in_force.versions(&active.id).iter();
                versions.push(match known.into_iter().find(|it| it.hash() == active.hash) {
                    Some(known) => Arc::clone(known),
                    None => catalogue::compile(active).await?,
                });
            }
            fits(&programme, &versions)?;
            self.put_in_force(tx, &programme, Some(id), actor, now).await?;
        }
        let mut event = events::event(self, city, &checked.id, "check_draft", actor, now);
        (event.from_status, event.to_status, event.reason) = (Some("pending".into()), Some(row.status), why);
        tx.record_events(&[event]).await?;
        Ok(checked)
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
        let mut conn = self.store().read().await?;
        let rows = conn
            .drafts(&self.city()?, programme, before, paging::fetch(limit))
            .await?;
        paging::page(rows, limit, |row| row.id)?.try_map(|row| draft(&row))
    }

    /// A draft with its document.
    pub async fn draft(
        &self,
        _permit: &Permit<ReplayProgrammes>,
        id: DraftId,
    ) -> Result<DraftDetail, ServiceError> {
        let row = self.drafted(id).await?;
        Ok(DraftDetail {
            draft: draft(&row.draft)?,
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
        let mut conn = self.store().read().await?;
        let row = conn.draft(id.jurisdiction.as_str(), id.uuid).await?;
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

fn draft(row: &DraftRow) -> Result<Draft, ServiceError> {
    Ok(Draft {
        id: DraftId::new(code(&row.jurisdiction)?, row.id).to_string(),
        programme: row.programme.clone(),
        version: u32::try_from(row.version).map_err(ServiceError::bug)?,
        hash: row.hash.clone(),
        effective_from: row.effective_from,
        status: row.status.clone(),
        maker: row.maker.clone(),
        made_at: row.made_at,
        checker: row.checker.clone(),
        checked_at: row.checked_at,
        reason: row.reason.clone(),
        report_digest: format!("sha256:{}", hex::encode(&row.report_digest)),
        summary: serde_json::from_str(&row.summary).map_err(ServiceError::bug)?,
    })
}
