//! Sampling for inspection (抽查): an auditor commits to a seed, the commitment is a leaf of the county's log, and later the seed draws
//! from the claims that were approved in a period. Anyone can repeat the draw ([`claims::sampling`]), and nobody could steer it: the
//! service did not know the seed, and the auditor not the leaf.

use chrono::{DateTime, SecondsFormat, Utc};
use claims::JurisdictionCode;
use claims::ids::{ClaimId, SampleId};
use claims::sampling;
use ledger::log::Hash;
use serde_json::json;
use store::audit::samples::{SampleRow, WholeSampleRow};
use store::operation::EventRow;

use super::Audit;
use crate::operation::access::{DrawSamples, ReadLedger};
use crate::operation::convert::code;
use crate::operation::{
    Finished, Key, Op, Page, Permit, Recorded, Refusal, Replayable, ServiceError, events, paging,
    stored_answer,
};

/// Approvals that one statement reads.
const STEP: i64 = 20_000;

/// What is to be sampled: approvals at `from <= t < to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sampling {
    /// Of all programmes, if none is named.
    pub programme: Option<String>,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub size: u32,
    /// SHA-256 of the seed.
    pub commitment: [u8; 32],
}

/// A sample that was committed to, and what was drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    pub id: SampleId,
    pub jurisdiction: JurisdictionCode,
    pub programme: Option<String>,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub size: u32,
    /// Hexadecimal.
    pub commitment: String,
    /// The commitment's place in the county's log.
    pub leaf: i64,
    /// Base64, as in proofs.
    pub leaf_hash: String,
    /// The person.
    pub committed_by: String,
    pub committed_at: DateTime<Utc>,
    pub draw: Option<Draw>,
}

/// What was drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draw {
    /// Hexadecimal.
    pub seed: String,
    /// How many claims it was drawn from.
    pub population: i64,
    /// In the order of their scores; none in lists.
    pub claims: Option<Vec<String>>,
    /// The draw's place in the county's log.
    pub leaf: i64,
    /// The person.
    pub drawn_by: String,
    pub drawn_at: DateTime<Utc>,
}

/// What is kept under the key of a commitment: nothing else of a sample changes but that it is drawn.
#[derive(Debug)]
struct Committed {
    id: SampleId,
}

stored_answer! { "sample.1" => Committed { id } }

impl Audit {
    /// Puts a commitment into the county's log.
    pub async fn commit_sample(
        &self,
        permit: &Permit<DrawSamples>,
        jurisdiction: JurisdictionCode,
        asked: Sampling,
        key: Key,
    ) -> Result<Replayable<Sample>, ServiceError> {
        let county = jurisdiction.as_str();
        self.county_of(permit, county)?;
        if let Some(programme) = &asked.programme
            && self.catalogue.current().versions(programme).is_empty()
        {
            return Err(Refusal::field(
                "/programme",
                "programme.unknown",
                "没有这个补贴项目，见 GET /v1/programmes",
                "no such programme: see GET /v1/programmes",
            )
            .into());
        }
        let (since, until) = (micros(asked.from), micros(asked.to));
        if since >= until {
            return Err(Refusal::field(
                "/to",
                "period.empty",
                "to 须晚于 from；期间含 from，不含 to",
                "`to` comes after `from`; the period has `from` in it and `to` not",
            )
            .into());
        }
        let size = i32::try_from(asked.size)?;
        let unit = async |mut op: Op<'_>| {
            op.tx.lock_ledger(county).await?;
            if op.tx.is_committed(county, &asked.commitment).await? {
                return Err(Refusal::field(
                    "/commitment",
                    "sample.commitment-used",
                    "该承诺已用过；每次抽样另取一个种子",
                    "this commitment was made before: take a new seed for each sample",
                )
                .into());
            }
            let id = SampleId::new(jurisdiction, op.id());
            let mut event = op.event(county, &id.to_string(), "commit_sample");
            event.detail = events::signed(&json!({
                "commitment": hex::encode(asked.commitment),
                "from": instant(since),
                "programme": asked.programme,
                "size": size,
                "to": instant(until),
            }));
            let (leaf, recorded) = logged(&mut op, &event).await?;
            let row = SampleRow {
                jurisdiction: county.to_owned(),
                id: id.uuid,
                programme: asked.programme.clone(),
                since,
                until,
                size,
                commitment: asked.commitment.to_vec(),
                leaf,
                leaf_hash: event.leaf().hash().0.to_vec(),
                committer: op.actor.person.clone(),
                committed_at: op.now,
                seed: None,
                population: None,
                drawn_leaf: None,
                drawer: None,
                drawn_at: None,
            };
            op.tx.commit_sample(&row).await?;
            Ok(op.done(recorded, Committed { id }))
        };
        let operation = self.op.of(permit).within(county)?;
        let committed = operation.once("commit_sample", &key).run(unit).await?;
        let Committed { id } = committed.value;
        let row = self.op.read().await?.sample(county, id.uuid).await?;
        let row = row.ok_or_else(|| ServiceError::bug("a sample is gone"))?;
        // As it was committed to, whatever was drawn since.
        let value = Sample {
            draw: None,
            ..shown(&row.sample, None)?
        };
        Ok(Replayable {
            value,
            replayed: committed.replayed,
        })
    }

    /// Draws with the seed that was committed to. Drawn before, it is the same again.
    pub async fn draw_sample(
        &self,
        permit: &Permit<DrawSamples>,
        id: SampleId,
        seed: [u8; 32],
    ) -> Result<Sample, ServiceError> {
        let unit = async |op: Op<'_>| self.draw(op, id, &seed).await;
        let operation = self.op.of(permit).within(id.jurisdiction.as_str())?;
        operation.run(unit).await
    }

    async fn draw(
        &self,
        mut op: Op<'_>,
        id: SampleId,
        seed: &[u8; 32],
    ) -> Result<Finished<Sample>, ServiceError> {
        let county = id.jurisdiction.as_str();
        // Before the lock: that of a ledger that is not there belongs to no sample.
        op.tx
            .sample(county, id.uuid)
            .await?
            .ok_or(Refusal::NotFound("sample"))?;
        // No approval comes between what is read and the draw's leaf: the log before the leaf has the whole population.
        op.tx.lock_ledger(county).await?;
        let row = op.tx.sample(county, id.uuid).await?;
        let mut row = row.ok_or(Refusal::NotFound("sample"))?;
        if sampling::commitment(seed).as_slice() != row.sample.commitment {
            return Err(Refusal::field(
                "/seed",
                "sample.other-seed",
                "种子与承诺不符：其 SHA-256 须为承诺值",
                "it is not the seed that was committed to: its SHA-256 is the commitment",
            )
            .into());
        }
        if row.sample.seed.is_some() {
            let sample = shown(&row.sample, Some(&row))?;
            return Ok(op.unrecorded(sample));
        }
        if op.now < row.sample.until {
            return Err(Refusal::PeriodOpen {
                until: row.sample.until,
            }
            .into());
        }
        let drawn = choose(&mut op, &row.sample, seed).await?;
        let claims = ids(id.jurisdiction, &drawn.claims);
        let mut event = op.event(county, &id.to_string(), "draw_sample");
        event.detail = events::signed(&json!({
            "claims": claims,
            "population": drawn.population,
            "seed": hex::encode(seed),
        }));
        let (leaf, recorded) = logged(&mut op, &event).await?;
        row.sample.drawn_leaf = Some(leaf);
        row.sample.seed = Some(seed.to_vec());
        row.sample.population = Some(i64::try_from(drawn.population)?);
        row.sample.drawer = Some(op.actor.person.clone());
        row.sample.drawn_at = Some(op.now);
        row.claims = Some(drawn.claims);
        op.tx.draw_sample(&row).await?;
        let sample = shown(&row.sample, Some(&row))?;
        Ok(op.done(recorded, sample))
    }

    /// A county's samples, newest first.
    pub async fn samples(
        &self,
        permit: &Permit<ReadLedger>,
        jurisdiction: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Sample>, ServiceError> {
        self.county_of(permit, jurisdiction)?;
        let before = paging::read(cursor)?;
        let mut conn = self.op.read().await?;
        let rows = conn.samples(jurisdiction, before, paging::fetch(limit)).await?;
        paging::page(rows, limit, |row| row.id)?.try_map(|row| shown(&row, None))
    }

    /// A sample with its claims.
    pub async fn sample(&self, permit: &Permit<ReadLedger>, id: SampleId) -> Result<Sample, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        let mut conn = self.op.read().await?;
        let row = conn.sample(id.jurisdiction.as_str(), id.uuid).await?;
        let row = row.ok_or(Refusal::NotFound("sample"))?;
        shown(&row.sample, Some(&row))
    }

    fn county_of<R>(&self, permit: &Permit<R>, jurisdiction: &str) -> Result<(), Refusal> {
        let catalogue = self.catalogue.current();
        let county = catalogue.county(jurisdiction);
        county.ok_or(Refusal::NotFound("ledger"))?;
        permit.within(jurisdiction)
    }
}

/// Shows every approval of the period to the draw.
async fn choose(op: &mut Op<'_>, row: &SampleRow, seed: &[u8; 32]) -> Result<sampling::Drawn, ServiceError> {
    let leaf: [u8; 32] = row.leaf_hash.as_slice().try_into()?;
    let size = u32::try_from(row.size)?;
    let mut draw = sampling::Draw::new(seed, &leaf, size);
    let mut after = None;
    loop {
        let some = op.tx.approved(row, after, STEP).await?;
        some.iter().for_each(|it| draw.consider(it.claim));
        match some.last() {
            Some(last) => after = Some(*last),
            None => return Ok(draw.finish()),
        }
    }
}

/// Records an event and says where it stands in the log.
async fn logged(op: &mut Op<'_>, event: &EventRow) -> Result<(i64, Recorded), ServiceError> {
    let recorded = op.record(std::slice::from_ref(event)).await?;
    let leaf = op
        .tx
        .leaf_of(&event.jurisdiction, &event.subject, event.id)
        .await?;
    let leaf = leaf.ok_or_else(|| ServiceError::bug("an event has no leaf"))?;
    Ok((leaf, recorded))
}

fn ids(jurisdiction: JurisdictionCode, claims: &[uuid::Uuid]) -> Vec<String> {
    let ids = claims.iter().map(|claim| ClaimId::new(jurisdiction, *claim));
    ids.map(|id| id.to_string()).collect()
}

/// As finely as the log and the database know time.
fn micros(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at)
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// As it is told, with the claims if they are here.
fn shown(row: &SampleRow, whole: Option<&WholeSampleRow>) -> Result<Sample, ServiceError> {
    let jurisdiction = code(&row.jurisdiction)?;
    let drawn = (
        &row.seed,
        row.population,
        row.drawn_leaf,
        &row.drawer,
        row.drawn_at,
    );
    let draw = match drawn {
        (Some(seed), Some(population), Some(leaf), Some(drawer), Some(drawn_at)) => Some(Draw {
            seed: hex::encode(seed),
            population,
            claims: whole
                .and_then(|it| it.claims.as_ref())
                .map(|claims| ids(jurisdiction, claims)),
            leaf,
            drawn_by: drawer.clone(),
            drawn_at,
        }),
        _ => None,
    };
    let leaf_hash = row.leaf_hash.as_slice().try_into()?;
    Ok(Sample {
        id: SampleId::new(jurisdiction, row.id),
        jurisdiction,
        programme: row.programme.clone(),
        from: row.since,
        to: row.until,
        size: u32::try_from(row.size)?,
        commitment: hex::encode(&row.commitment),
        leaf: row.leaf,
        leaf_hash: Hash(leaf_hash).to_string(),
        committed_by: row.committer.clone(),
        committed_at: row.committed_at,
        draw,
    })
}
