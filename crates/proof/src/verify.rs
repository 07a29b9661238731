//! The check of a bundle, from its first byte to its last.

mod acts;
mod entry;
mod limits;
mod lives;
mod reading;
mod replay;
mod samples;
mod tables;

use std::collections::{BTreeMap, HashMap};
use std::io::{BufReader, Read};

use ledger::log::{Growing, Hash, PublicKey, Witness, check_consistency};
use policy::Programme;
use sha2::{Digest, Sha256};

use crate::archive::{Content, Parts};
use crate::manifest::{ConsistencyPart, CountyManifest, FORMAT, Manifest, SIGNED_AS};
use entry::{Entry, Programmes};
use limits::Slices;
use reading::{Lines, form, named, next, read_whole, text, whole};
use replay::Ledger;
use tables::{Held, Table};

/// The first fault that the check found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct Fault {
    /// Part, line and record.
    pub place: String,
    pub what: String,
}

impl Fault {
    pub(crate) fn new(place: impl Into<String>, what: impl Into<String>) -> Fault {
        Fault {
            place: place.into(),
            what: what.into(),
        }
    }
}

/// What was checked, with counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub made_at: String,
    pub bytes: u64,
    pub programmes: usize,
    pub counties: Vec<CountyReport>,
    /// Keys held in all counties together, each by one claim.
    pub keys: usize,
    /// Caps over several counties, compared with their sum at the end.
    pub city_caps: usize,
}

/// One county's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CountyReport {
    pub jurisdiction: String,
    pub leaves: u64,
    pub transfers: u64,
    pub decisions: u64,
    pub events: u64,
    pub claims: usize,
    pub funds: usize,
    pub caps: usize,
    pub appropriations: usize,
    pub disbursements: usize,
    /// Fen that were paid and not returned.
    pub disbursed: i64,
    /// Samples that were drawn anew.
    pub samples: u64,
    /// Pairs of persons who signed.
    pub pairs: u64,
    /// Names of those known witnesses whose cosignatures the checkpoint has.
    pub witnesses: Vec<String>,
    /// Whether the log was shown to continue that of the preceding bundle.
    pub continues: bool,
}

/// The manifest of a bundle, with its signature checked and nothing else: the next bundle continues
/// from it.
///
/// # Errors
/// If it is not a bundle of this log.
pub fn manifest(bundle: impl Read, key: &PublicKey) -> Result<Manifest, Fault> {
    opened(&mut Parts::new(bundle), key)
}

fn opened<R: Read>(parts: &mut Parts<R>, key: &PublicKey) -> Result<Manifest, Fault> {
    let bytes = named(parts, "manifest.json")?;
    let manifest: Manifest = whole("manifest.json", &bytes)?;
    if manifest.format != FORMAT {
        return Err(Fault::new("manifest.json", format!("the format is not {FORMAT}")));
    }
    let note = named(parts, "manifest.sig")?;
    check_manifest(&manifest, &bytes, &note, key)?;
    Ok(manifest)
}

/// Checks a bundle against itself and against a public key.
///
/// # Errors
/// The first fault, with its place.
pub fn verify(bundle: impl Read + Send, key: &PublicKey, witnesses: &[Witness]) -> Result<Report, Fault> {
    let mut parts = Parts::new(bundle);
    let manifest = opened(&mut parts, key)?;
    let expected = expected_parts(&manifest)?;
    let mut reading = Reading {
        key,
        witnesses,
        manifest: &manifest,
        programmes: BTreeMap::new(),
        county: None,
        slices: BTreeMap::new(),
        held: HashMap::new(),
        city: Vec::new(),
        report: Report {
            made_at: manifest.made_at.clone(),
            ..Report::default()
        },
    };
    for (part, name) in manifest.parts.iter().zip(&expected) {
        let head = next(&mut parts, name)?;
        if head.bytes != part.bytes {
            return Err(Fault::new(name, "it is not as long as the manifest says"));
        }
        let mut content = parts.content(head.bytes);
        // A fault within a part whose digest differs from the signed one is no finding of its own.
        let read = reading.part(name, head.bytes, &mut content);
        let digest = match read {
            Ok(()) => content.digest(),
            Err(fault) => {
                let drained = std::io::copy(&mut content, &mut std::io::sink()).is_ok();
                match content.digest() {
                    Some(digest) if drained && digest == part.sha256 => return Err(fault),
                    _ => {
                        return Err(Fault::new(
                            &fault.place,
                            format!("{} (and the part is not the one that was signed)", fault.what),
                        ));
                    }
                }
            }
        };
        if digest.as_ref() != Some(&part.sha256) {
            return Err(Fault::new(
                name,
                "its bytes are not those that the manifest was signed over",
            ));
        }
        parts
            .skip_padding(head.bytes)
            .map_err(|error| form(name, &error))?;
        reading.report.bytes = reading.report.bytes.saturating_add(head.bytes);
    }
    if parts.next().map_err(|error| form("the end", &error))?.is_some() {
        return Err(Fault::new(
            "the end",
            "there is a part more than the manifest names",
        ));
    }
    reading.finish()
}

fn check_manifest(manifest: &Manifest, bytes: &[u8], note: &[u8], key: &PublicKey) -> Result<(), Fault> {
    const PLACE: &str = "manifest.sig";
    let note = text(PLACE, note.to_vec())?;
    let signed = key
        .open(SIGNED_AS, &note)
        .map_err(|why| Fault::new(PLACE, why.to_string()))?;
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    if signed.root != Hash(digest) || u64::try_from(bytes.len()).ok() != Some(signed.size) {
        return Err(Fault::new(
            "manifest.json",
            "its bytes are not those that were signed",
        ));
    }
    if key.origin("") != format!("{}/", manifest.log) {
        return Err(Fault::new("manifest.json", "it is of another log than the key"));
    }
    // One signature and nothing beside it: every byte of the note is accounted for.
    if note.lines().filter(|line| line.starts_with('\u{2014}')).count() != 1 {
        return Err(Fault::new(PLACE, "it has another signature beside the log's"));
    }
    Ok(())
}

/// The parts of such a bundle, in their order.
fn expected_parts(manifest: &Manifest) -> Result<Vec<String>, Fault> {
    let programmes = manifest.parts.iter().map(|part| part.name.clone());
    let programmes: Vec<String> = programmes
        .take_while(|name| name.starts_with("programmes/"))
        .collect();
    let mut expected = programmes;
    if !expected.is_sorted_by(|one, other| one < other) {
        return Err(Fault::new("manifest.json", "programmes are not in order"));
    }
    if !manifest
        .counties
        .is_sorted_by(|one, other| one.jurisdiction < other.jurisdiction)
    {
        return Err(Fault::new("manifest.json", "counties are not in order"));
    }
    for county in &manifest.counties {
        let mut parts = vec!["checkpoint"];
        if county.previous.is_some() {
            parts.push("consistency.json");
        }
        parts.extend([
            "leaves",
            "log.jsonl",
            "funds.jsonl",
            "caps.jsonl",
            "appropriations.jsonl",
            "disbursements.jsonl",
            "claims.jsonl",
        ]);
        expected.extend(parts.iter().map(|part| format!("{}/{part}", county.jurisdiction)));
    }
    let named: Vec<&String> = manifest.parts.iter().map(|part| &part.name).collect();
    match expected.iter().zip(&named).find(|(one, other)| one != *other) {
        Some((expected, named)) => Err(Fault::new(
            "manifest.json",
            format!("it names `{named}` where `{expected}` belongs"),
        )),
        None if expected.len() != named.len() => Err(Fault::new(
            "manifest.json",
            "it names other parts than a bundle has",
        )),
        None => Ok(expected),
    }
}

/// The state of the check while the parts are read.
struct Reading<'m> {
    key: &'m PublicKey,
    witnesses: &'m [Witness],
    manifest: &'m Manifest,
    programmes: Programmes,
    county: Option<County>,
    /// The committed sums of every county, for caps over several.
    slices: BTreeMap<String, Slices>,
    /// The holders of keys, of all counties.
    held: Held,
    /// Caps of the city's, which are checked after all counties.
    city: Vec<(String, crate::CapLine)>,
    report: Report,
}

/// The county whose parts are being read.
struct County {
    manifest: CountyManifest,
    root: Hash,
    leaves: Vec<Hash>,
    ledger: Ledger,
    report: CountyReport,
}

impl County {
    /// Takes the next leaf of the log.
    fn append(&mut self, number: u64, entry: &Entry) -> Result<(), String> {
        if entry.leaf != number {
            return Err(format!(
                "it is numbered {} and stands in place {number}",
                entry.leaf
            ));
        }
        let appended = usize::try_from(number).ok().and_then(|it| self.leaves.get(it));
        if appended != Some(&entry.hash) {
            return Err("it is not the leaf that was appended".into());
        }
        self.ledger.take(entry, &mut self.report)
    }
}

impl Reading<'_> {
    fn part(
        &mut self,
        name: &str,
        bytes: u64,
        content: &mut Content<'_, impl Read + Send>,
    ) -> Result<(), Fault> {
        if let Some(file) = name.strip_prefix("programmes/") {
            return self.programme(name, file, text(name, read_whole(name, bytes, content)?)?);
        }
        let Some((jurisdiction, part)) = name.split_once('/') else {
            return Err(Fault::new(name, "no such part"));
        };
        if part == "checkpoint" {
            let note = text(name, read_whole(name, bytes, content)?)?;
            return self.checkpoint(name, jurisdiction, &note);
        }
        let mut county = self.county.take();
        let Some(it) = county
            .as_mut()
            .filter(|it| it.manifest.jurisdiction == jurisdiction)
        else {
            return Err(Fault::new(name, "its checkpoint is missing"));
        };
        match part {
            "consistency.json" => continues(name, it, &whole(name, &read_whole(name, bytes, content)?)?)?,
            "leaves" => leaves(name, it, bytes, content)?,
            "log.jsonl" => self.log(name, it, content)?,
            "funds.jsonl" => tables::funds(it, Table::new(name, content))?,
            "caps.jsonl" => self.city.extend(tables::caps(it, Table::new(name, content))?),
            "appropriations.jsonl" => tables::appropriations(it, Table::new(name, content))?,
            "disbursements.jsonl" => tables::disbursements(it, Table::new(name, content))?,
            _ => {
                tables::claims(it, Table::new(name, content), &mut self.held)?;
                if let Some(done) = county.take() {
                    self.report.counties.push(done.report);
                    self.slices
                        .insert(done.manifest.jurisdiction, done.ledger.into_slices());
                }
            }
        }
        self.county = county;
        Ok(())
    }

    fn programme(&mut self, name: &str, file: &str, source: String) -> Result<(), Fault> {
        let programme = Programme::parse(&source).map_err(|why| {
            let why = why.first().map(ToString::to_string).unwrap_or_default();
            Fault::new(name, format!("the document does not load: {why}"))
        })?;
        let (id, version) = (programme.id().to_owned(), programme.version());
        if file != format!("{id}@{version}.toml") {
            return Err(Fault::new(name, format!("it is version {version} of {id}")));
        }
        self.programmes.entry(id).or_default().insert(version, programme);
        self.report.programmes = self.report.programmes.saturating_add(1);
        Ok(())
    }

    fn checkpoint(&mut self, name: &str, jurisdiction: &str, note: &str) -> Result<(), Fault> {
        let checkpoint = self
            .key
            .open(jurisdiction, note)
            .map_err(|why| Fault::new(name, why.to_string()))?;
        let county = self
            .manifest
            .counties
            .iter()
            .find(|it| it.jurisdiction == jurisdiction);
        let county = county.ok_or_else(|| Fault::new(name, "the manifest does not name this county"))?;
        if checkpoint.size != county.size || checkpoint.root.to_string() != county.root {
            return Err(Fault::new(
                name,
                "it is not the checkpoint that the manifest names",
            ));
        }
        let mut vouched = Vec::new();
        for witness in self.witnesses {
            match witness.vouches(note) {
                Ok(cosignature) => vouched.push(cosignature.witness),
                Err(ledger::log::NoteError::Unsigned) => {}
                Err(why) => return Err(Fault::new(name, format!("{}: {why}", witness.name()))),
            }
        }
        self.county = Some(County {
            manifest: county.clone(),
            root: checkpoint.root,
            leaves: Vec::new(),
            ledger: Ledger::new(jurisdiction),
            report: CountyReport {
                jurisdiction: jurisdiction.to_owned(),
                witnesses: vouched,
                ..CountyReport::default()
            },
        });
        Ok(())
    }

    /// The leaves: parsed, hashed and decided again on all cores, then replayed in their order.
    fn log(&self, name: &str, county: &mut County, content: &mut (impl Read + Send)) -> Result<(), Fault> {
        let mut reader = BufReader::with_capacity(1 << 20, content);
        let mut number: u64 = 0;
        let jurisdiction = county.manifest.jurisdiction.clone();
        let mut append = |entries: Vec<Result<Entry, String>>| {
            for entry in entries {
                let entry = entry.map_err(|what| Fault::new(place(name, number, None), what))?;
                let fault = |what| Fault::new(place(name, number, Some(&entry)), what);
                county.append(number, &entry).map_err(fault)?;
                number = number.saturating_add(1);
            }
            Ok(())
        };
        let mut entries = Vec::new();
        let (mut batch, mut behind) = (Lines::default(), Lines::default());
        batch.fill(name, &mut reader)?;
        while !batch.is_empty() {
            // While some lines are decided again, the lines before them are replayed and those
            // behind them read.
            let (decided, (appended, filled)) = rayon::join(
                || batch.each(|line| Entry::read(&jurisdiction, line, &self.programmes)),
                || (append(entries), behind.fill(name, &mut reader)),
            );
            appended?;
            entries = decided;
            std::mem::swap(&mut batch, &mut behind);
            // The lines before a line that cannot be read are checked first.
            if let Err(fault) = filled {
                append(entries)?;
                return Err(fault);
            }
        }
        append(entries)?;
        county.report.leaves = number;
        if number != county.manifest.size {
            return Err(Fault::new(
                name,
                format!(
                    "it has {number} leaves and the checkpoint {}",
                    county.manifest.size
                ),
            ));
        }
        county
            .ledger
            .close(&mut county.report)
            .map_err(|(thing, what)| Fault::new(format!("{name}, {thing}"), what))
    }

    fn finish(mut self) -> Result<Report, Fault> {
        for (city, cap) in std::mem::take(&mut self.city) {
            let place = format!("{city}/caps.jsonl, {} {}", cap.programme, cap.scope);
            // Counties' codes begin with their city's first four digits (GB/T 2260).
            let of_city = self
                .slices
                .iter()
                .filter(|(code, _)| code.get(..4) == city.get(..4));
            let committed = of_city.map(|(_, slices)| slices.committed(&cap.programme, &cap.scope));
            let committed = committed.fold(0_i64, i64::saturating_add);
            if committed != cap.committed {
                return Err(Fault::new(
                    place,
                    format!(
                        "{} fen are said to be committed, the counties' are {committed}",
                        cap.committed
                    ),
                ));
            }
            if committed > cap.ceiling {
                return Err(Fault::new(
                    place,
                    format!("{committed} fen are committed under {}", cap.ceiling),
                ));
            }
            self.report.city_caps = self.report.city_caps.saturating_add(1);
        }
        self.report.keys = self.held.len();
        Ok(self.report)
    }
}

/// A line of the log with its contents.
fn place(name: &str, number: u64, entry: Option<&Entry>) -> String {
    let line = number.saturating_add(1);
    match entry {
        None => format!("{name} line {line}"),
        Some(entry) => format!("{name} line {line}, {}", entry.name()),
    }
}

fn continues(name: &str, county: &mut County, proof: &ConsistencyPart) -> Result<(), Fault> {
    use ledger::log::Hash as H;
    let previous = county.manifest.previous.as_ref();
    let named = previous.is_some_and(|it| it.size == proof.from && it.root == proof.from_root);
    if !named || proof.to != county.manifest.size || proof.to_root != county.manifest.root {
        return Err(Fault::new(
            name,
            "it is a proof of other trees than the manifest names",
        ));
    }
    let hash = |text: &String| H::parse(text).ok_or_else(|| Fault::new(name, "a hash is damaged"));
    let hashes = proof.hashes.iter().map(hash).collect::<Result<Vec<_>, _>>()?;
    check_consistency(
        proof.to,
        county.root,
        proof.from,
        hash(&proof.from_root)?,
        &hashes,
    )
    .map_err(|why| Fault::new(name, why.to_string()))?;
    county.report.continues = true;
    Ok(())
}

fn leaves(name: &str, county: &mut County, bytes: u64, content: &mut impl Read) -> Result<(), Fault> {
    if county.manifest.size.checked_mul(32) != Some(bytes) {
        return Err(Fault::new(name, "it has not 32 bytes for each leaf"));
    }
    let mut reader = BufReader::with_capacity(1 << 20, content);
    let mut tree = Growing::default();
    let mut hash = [0; 32];
    let previous = county.manifest.previous.as_ref();
    for _ in 0..county.manifest.size {
        reader
            .read_exact(&mut hash)
            .map_err(|error| Fault::new(name, error.to_string()))?;
        county.leaves.push(Hash(hash));
        tree.push(Hash(hash), |_, _| ());
        if let Some(previous) = previous.filter(|it| it.size == tree.size())
            && previous.root != tree.root().to_string()
        {
            return Err(Fault::new(
                format!("{name} leaf {}", tree.size()),
                "up to here the log is not the one of the bundle before",
            ));
        }
    }
    if tree.root() == county.root {
        Ok(())
    } else {
        Err(Fault::new(
            name,
            "the tree over the hashes has not the root that was signed",
        ))
    }
}
