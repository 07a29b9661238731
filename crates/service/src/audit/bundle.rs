//! Bundles for auditors: everything of a county's ledger in one file that proves itself. The form is `proof`'s, and
//! `docs/transparency.md` describes it.
//!
//! Parts are written to files first, since the archive names their lengths and digests before them. The log goes up to the
//! number of leaves at which the tables were read, and that very size is signed.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek, Write};
use std::path::Path;

use chrono::SecondsFormat;
use futures::StreamExt;
use ledger::log::{Checkpoint, Hash};
use proof::{
    ClaimLine, ConsistencyPart, CountyManifest, DecisionLine, EventLine, FORMAT, Instant, Manifest,
    PartManifest, Previous, SIGNED_AS, TransferLine, Writer, keys_as_text,
};
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use store::StoreError;
use store::claims::DecisionRow;
use store::funds::TransferRow;
use store::operation::EventRow;

use super::Audit;
use super::transparency::{Signed, unsigned};
use crate::claims::view;
use crate::operation::{Refusal, ServiceError};

/// Parts waiting to be put together.
struct Parts<'d> {
    folder: &'d Path,
    done: Vec<(PartManifest, File)>,
}

/// A part that is being written.
struct Part {
    name: String,
    file: BufWriter<File>,
    digest: Sha256,
    bytes: u64,
}

impl Write for Part {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.file.write_all(buffer)?;
        self.digest.update(buffer);
        self.bytes = self
            .bytes
            .saturating_add(u64::try_from(buffer.len()).unwrap_or(0));
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Part {
    /// All of it is written.
    fn end(self) -> Result<(PartManifest, File), ServiceError> {
        let mut file = self.file.into_inner().map_err(|error| disk(error.into_error()))?;
        file.rewind().map_err(disk)?;
        let manifest = PartManifest {
            name: self.name,
            bytes: self.bytes,
            sha256: hex::encode(self.digest.finalize()),
        };
        Ok((manifest, file))
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), ServiceError> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.write_all(&text).map_err(disk)
    }
}

impl Parts<'_> {
    fn open(&self, name: String) -> Result<Part, ServiceError> {
        // Without a name: whatever becomes of us, nothing is left behind.
        let file = tempfile::tempfile_in(self.folder);
        Ok(Part {
            name,
            file: BufWriter::with_capacity(1 << 18, file.map_err(disk)?),
            digest: Sha256::new(),
            bytes: 0,
        })
    }

    fn close(&mut self, part: Part) -> Result<(), ServiceError> {
        self.done.push(part.end()?);
        Ok(())
    }

    fn whole(&mut self, name: String, content: &[u8]) -> Result<(), ServiceError> {
        let mut part = self.open(name)?;
        part.write_all(content).map_err(disk)?;
        self.close(part)
    }
}

fn disk(error: io::Error) -> ServiceError {
    ServiceError::bug(format!("the bundle cannot be written: {error}"))
}

impl Audit {
    /// Writes a bundle of these counties (of the city and all its counties, if none is named) to `out`, with `folder` for what is put
    /// together. For whoever runs the program itself: he has the database. Statements run as long as the ledger is large: the store's limit must allow it.
    pub async fn write_bundle(
        &self,
        jurisdictions: &[String],
        before: Option<&Manifest>,
        folder: &Path,
        out: impl Write,
    ) -> Result<Manifest, ServiceError> {
        let catalogue = self.catalogue.current();
        let mut codes: Vec<String> = match jurisdictions {
            [] => catalogue
                .jurisdictions()
                .map(|it| it.code.as_str().to_owned())
                .collect(),
            named => named.to_vec(),
        };
        codes.sort();
        codes.dedup();
        for code in &codes {
            catalogue.jurisdiction(code).ok_or(Refusal::NotFound("ledger"))?;
        }
        let mut parts = Parts {
            folder,
            done: Vec::new(),
        };
        for programme in catalogue.all_versions() {
            let name = format!("programmes/{}@{}.toml", programme.id(), programme.version());
            parts.whole(name, programme.source().as_bytes())?;
        }
        parts.done.sort_by(|one, other| one.0.name.cmp(&other.0.name));
        let mut counties = Vec::new();
        for code in &codes {
            let previous =
                before.and_then(|it| it.counties.iter().find(|county| county.jurisdiction == *code));
            if let Some(county) = self.county_parts(&mut parts, code, previous).await? {
                counties.push(county);
            }
        }
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            made_at: self.op.now().to_rfc3339_opts(SecondsFormat::Micros, true),
            log: self.log_key().name().to_owned(),
            counties,
            parts: parts.done.iter().map(|part| part.0.clone()).collect(),
        };
        self.put_together(&manifest, parts, out)?;
        Ok(manifest)
    }

    fn put_together(
        &self,
        manifest: &Manifest,
        parts: Parts<'_>,
        out: impl Write,
    ) -> Result<(), ServiceError> {
        let mut text = serde_json::to_vec_pretty(manifest)?;
        text.push(b'\n');
        let length = u64::try_from(text.len())?;
        let note = self.log.key.sign(&Checkpoint {
            origin: self.log_key().origin(SIGNED_AS),
            size: length,
            root: Hash(Sha256::digest(&text).into()),
            made_at: manifest.made_at.clone(),
        });
        let note = note.map_err(ServiceError::bug)?;
        let mut archive = Writer::new(out);
        archive
            .part("manifest.json", length, text.as_slice())
            .map_err(disk)?;
        let length = u64::try_from(note.len())?;
        archive
            .part("manifest.sig", length, note.as_bytes())
            .map_err(disk)?;
        for (part, file) in parts.done {
            let content = BufReader::with_capacity(1 << 18, file);
            archive.part(&part.name, part.bytes, content).map_err(disk)?;
        }
        archive.finish().map_err(disk)?;
        Ok(())
    }

    /// The parts of one county; none if its log is empty.
    async fn county_parts(
        &self,
        parts: &mut Parts<'_>,
        code: &str,
        previous: Option<&CountyManifest>,
    ) -> Result<Option<CountyManifest>, ServiceError> {
        // The tables first: they say how far the log goes that they fit.
        let (size, mut of_tables) = self.table_parts(parts, code).await?;
        if size == 0 {
            return Ok(None);
        }
        let checkpoint = self.sign_log(code, Some(size)).await?;
        parts.whole(format!("{code}/checkpoint"), checkpoint.note.as_bytes())?;
        let previous = previous.filter(|it| it.size > 0 && it.size <= checkpoint.size);
        if let Some(before) = previous {
            self.consistency_part(parts, code, before, &checkpoint).await?;
        }
        self.leaves_part(parts, code, size).await?;
        self.log_part(parts, code, size).await?;
        parts.done.append(&mut of_tables);
        Ok(Some(CountyManifest {
            jurisdiction: code.to_owned(),
            size: checkpoint.size,
            root: checkpoint.root.to_string(),
            previous: previous.map(|it| Previous {
                size: it.size,
                root: it.root.clone(),
            }),
        }))
    }

    async fn consistency_part(
        &self,
        parts: &mut Parts<'_>,
        code: &str,
        before: &CountyManifest,
        checkpoint: &Signed,
    ) -> Result<(), ServiceError> {
        let mut conn = self.op.read().await?;
        let proof =
            crate::audit::transparency::consist(&mut conn, code, before.size, checkpoint.size).await?;
        let part = ConsistencyPart {
            from: proof.from,
            from_root: proof.from_root.to_string(),
            to: proof.to,
            to_root: proof.to_root.to_string(),
            hashes: proof.hashes.iter().map(Hash::to_string).collect(),
        };
        let text = serde_json::to_vec(&part)?;
        parts.whole(format!("{code}/consistency.json"), &text)
    }

    async fn leaves_part(&self, parts: &mut Parts<'_>, code: &str, size: i64) -> Result<(), ServiceError> {
        const RUN: i64 = 1 << 16;
        let mut conn = self.op.read().await?;
        let mut part = parts.open(format!("{code}/leaves"))?;
        let mut from = 0_i64;
        while from < size {
            let to = from.saturating_add(RUN).min(size);
            for hash in conn.leaf_hashes(code, from, to).await? {
                part.write_all(&hash.0).map_err(disk)?;
            }
            from = to;
        }
        parts.close(part)
    }

    /// The leaves themselves: three tables, merged by their numbers.
    async fn log_part(&self, parts: &mut Parts<'_>, code: &str, size: i64) -> Result<(), ServiceError> {
        let (mut one, mut two, mut three) = (
            self.op.read().await?,
            self.op.read().await?,
            self.op.read().await?,
        );
        let mut transfers = one.logged_transfers(code, size).await?;
        let mut decisions = two.logged_decisions(code, size).await?;
        let mut events = three.logged_events(code, size).await?;
        let mut part = parts.open(format!("{code}/log.jsonl"))?;
        let mut transfer = next(transfers.next().await)?;
        let mut decision = next(decisions.next().await)?;
        let mut event = next(events.next().await)?;
        loop {
            let places = [
                transfer.as_ref().map(|row| row.leaf),
                decision.as_ref().map(|row| row.leaf),
                event.as_ref().and_then(|row| row.leaf),
            ];
            let Some(first) = places.iter().flatten().min() else {
                break;
            };
            if let Some(row) = transfer.take_if(|row| row.leaf == *first) {
                part.line(&transfer_line(&row))?;
                transfer = next(transfers.next().await)?;
            } else if let Some(row) = decision.take_if(|row| row.leaf == *first) {
                decision_line(&mut part, &row)?;
                decision = next(decisions.next().await)?;
            } else if let Some(row) = event.take() {
                part.line(&event_line(&row))?;
                event = next(events.next().await)?;
            }
        }
        parts.close(part)
    }

    /// The tables of a county; how many leaves its log had when they stood so.
    async fn table_parts(
        &self,
        parts: &Parts<'_>,
        code: &str,
    ) -> Result<(i64, Vec<(PartManifest, File)>), ServiceError> {
        const NAMES: [&str; 5] = ["funds", "caps", "appropriations", "disbursements", "claims"];
        let mut conn = self.op.read().await?;
        let mut rows = conn.tables(code).await?;
        let mut leaves = 0;
        let mut files = NAMES
            .iter()
            .map(|name| parts.open(format!("{code}/{name}.jsonl")))
            .collect::<Result<Vec<_>, _>>()?;
        let mut claim: Option<ClaimLine> = None;
        while let Some(row) = rows.next().await {
            let row = row?;
            let Some(place) = usize::try_from(row.part)
                .ok()
                .and_then(|part| part.checked_sub(1))
            else {
                leaves = row.line.parse().map_err(ServiceError::bug)?;
                continue;
            };
            let file = files
                .get_mut(place)
                .ok_or_else(|| ServiceError::bug("no such table"))?;
            match place {
                0 => file.line(&typed::<proof::FundLine>(&row.line)?)?,
                1 => file.line(&typed::<proof::CapLine>(&row.line)?)?,
                2 => file.line(&typed::<proof::AppropriationLine>(&row.line)?)?,
                3 => file.line(&typed::<proof::DisbursementLine>(&row.line)?)?,
                _ if row.line.starts_with('[') => {
                    let claim = claim
                        .as_mut()
                        .ok_or_else(|| ServiceError::bug("a key of no claim"))?;
                    claim.keys = held(&row.line)?;
                }
                _ => {
                    if let Some(whole) = claim.replace(typed(&row.line)?) {
                        file.line(&whole)?;
                    }
                }
            }
        }
        if let (Some(whole), Some(file)) = (claim, files.last_mut()) {
            file.line(&whole)?;
        }
        let files = files.into_iter().map(Part::end).collect::<Result<_, _>>()?;
        Ok((leaves, files))
    }
}

fn typed<T: serde::de::DeserializeOwned>(line: &str) -> Result<T, ServiceError> {
    serde_json::from_str(line).map_err(ServiceError::bug)
}

/// Keys as the log writes them: the kind's number and the digest.
fn held(line: &str) -> Result<Vec<String>, ServiceError> {
    let pairs: Vec<(String, String)> = typed(line)?;
    let mut keys = Vec::with_capacity(pairs.len());
    for (kind, digest) in pairs {
        let kind =
            claims::keys::UniqueKind::parse(&kind).ok_or_else(|| ServiceError::bug("unknown kind of key"))?;
        keys.push(format!("{:02x}{digest}", kind.code()));
    }
    keys.sort_unstable();
    Ok(keys)
}

fn next<T>(row: Option<Result<T, StoreError>>) -> Result<Option<T>, ServiceError> {
    Ok(row.transpose()?)
}

fn transfer_line(row: &TransferRow) -> TransferLine<'_> {
    TransferLine {
        leaf: unsigned(row.leaf),
        kind: TransferLine::KIND.into(),
        height: row.height,
        programme: row.programme.as_str().into(),
        reason: row.reason.as_str().into(),
        amount: row.amount.get(),
        claim: row.claim,
        document: row.document,
        posted_at: row.posted_at.into(),
        actor: row.actor.as_str().into(),
    }
}

fn decision_line(part: &mut Part, row: &DecisionRow) -> Result<(), ServiceError> {
    let receipt = RawValue::from_string(view::receipt(row)?)?;
    part.line(&DecisionLine {
        leaf: unsigned(row.leaf),
        kind: DecisionLine::KIND.into(),
        claim: row.claim,
        revision: row.revision.into(),
        outcome: row.outcome.as_str().into(),
        receipt: &receipt,
        keys: keys_as_text(&row.keys),
        decided_at: row.decided_at.into(),
    })
}

fn event_line(row: &EventRow) -> EventLine<'_> {
    EventLine {
        leaf: unsigned(row.leaf.unwrap_or_default()),
        kind: EventLine::KIND.into(),
        id: row.id,
        subject: row.subject.as_str().into(),
        verb: row.verb.as_str().into(),
        actor: row.actor.as_str().into(),
        person: row.person.as_str().into(),
        at: Instant::from(row.at),
        revision: row.revision.map(i64::from),
        from: row.from_status.as_deref().map(Into::into),
        to: row.to_status.as_deref().map(Into::into),
        reason: row.reason.as_deref().map(Into::into),
        request: row.request.as_deref().map(Into::into),
        detail: row.detail.as_deref().map(Into::into),
    }
}
