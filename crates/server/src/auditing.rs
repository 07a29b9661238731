//! The commands of auditors and witnesses: writing and checking bundles, and cosigning checkpoints.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use ledger::Fen;
use ledger::log::{Hash, PublicKey, Witness, WitnessKey, check_consistency};
use serde::Deserialize;
use service::ports::{Clock, SystemClock};

use crate::commands::{load, say};
use crate::config::{Config, Environment};
use crate::wiring;

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// A county; may be given several times. Without it: the city and all its counties.
    #[arg(long)]
    jurisdiction: Vec<String>,
    /// The directory of the bundle, which must not exist.
    #[arg(long)]
    out: PathBuf,
    /// An earlier bundle: the new one proves that its log begins with the earlier log.
    #[arg(long)]
    previous: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct LogKeyArgs {
    /// In the form that tools for signed notes expect: under the name of this county's log.
    #[arg(long)]
    jurisdiction: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct WitnessArgs {
    /// The checkpoint as it was fetched.
    checkpoint: PathBuf,
    /// The county whose log it is.
    #[arg(long)]
    jurisdiction: String,
    /// The log's public key.
    #[arg(long)]
    key: String,
    /// The witness's name, such as audit.example.cn/yuncheng.
    #[arg(long)]
    name: String,
    /// A file with the 32 secret bytes of the witness's own Ed25519 key, in base64.
    #[arg(long)]
    secret_file: PathBuf,
    /// The checkpoint that this witness cosigned last. Without it this is the first.
    #[arg(long, requires = "consistency")]
    kept: Option<PathBuf>,
    /// The answer of `/proofs/consistency` from the kept one's size to this one's.
    #[arg(long)]
    consistency: Option<PathBuf>,
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

pub(crate) fn log_key(config: &Config, args: &LogKeyArgs) -> anyhow::Result<()> {
    let key = wiring::log_key(config)?.public();
    match &args.jurisdiction {
        Some(county) => say(&key.of_county(county)),
        None => say(&key.to_string()),
    }
}

pub(crate) async fn export(
    environment: &Environment,
    file: Option<&Path>,
    args: ExportArgs,
) -> anyhow::Result<()> {
    let mut config = load(environment, file)?;
    // A statement goes on as long as the ledger is large.
    config.database.statement_timeout = Duration::from_secs(24 * 3_600);
    let service = wiring::service(&config).await?;
    let before = match &args.previous {
        Some(path) => {
            let bundle = File::open(path).with_context(|| path.display().to_string())?;
            let manifest = proof::manifest(BufReader::new(bundle), &service.audit().log_key());
            Some(manifest.with_context(|| path.display().to_string())?)
        }
        None => None,
    };
    let folder = match args.out.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if args.out.exists() {
        bail!("{} exists already", args.out.display());
    }
    // Written whole or not at all.
    let mut new = tempfile::NamedTempFile::new_in(folder).context("the bundle's folder")?;
    let manifest = service
        .audit()
        .write_bundle(
            &args.jurisdiction,
            before.as_ref(),
            folder,
            BufWriter::with_capacity(1 << 20, new.as_file_mut()),
        )
        .await?;
    new.as_file().sync_all()?;
    new.persist_noclobber(&args.out)?;
    for county in &manifest.counties {
        say(&format!(
            "{} {} leaves {}",
            county.jurisdiction, county.size, county.root
        ))?;
    }
    say(&format!("{}", args.out.display()))
}

pub(crate) fn verify(path: &Path, key: &str, witnesses: &[String]) -> anyhow::Result<()> {
    let key = PublicKey::parse(key).context("--key")?;
    let witnesses = witnesses.iter().map(|it| Witness::parse(it));
    let witnesses = witnesses.collect::<Result<Vec<_>, _>>().context("--witness")?;
    let bundle = File::open(path).with_context(|| path.display().to_string())?;
    let began = Instant::now();
    let report = proof::verify(BufReader::with_capacity(1 << 20, bundle), &key, &witnesses)
        .map_err(|fault| anyhow!("不成立 does not hold: {fault}"))?;
    let seconds = began.elapsed().as_secs_f64();
    say(&format!("审计包成立 The bundle of {} holds.", report.made_at))?;
    let mut transfers = 0_u64;
    for it in &report.counties {
        transfers = transfers.saturating_add(it.transfers);
        let disbursed = Fen::new(it.disbursed)
            .map(|fen| fen.to_string())
            .unwrap_or_default();
        say(&format!(
            "{}: {} leaves; {} transfers folded, {} decisions made again, {} events; {} claims, {} funds, {} caps, {} grants, \
             {} payouts, {} samples drawn again, {} pairs of persons; {disbursed} yuan disbursed{}{}",
            it.jurisdiction,
            it.leaves,
            it.transfers,
            it.decisions,
            it.events,
            it.claims,
            it.funds,
            it.caps,
            it.appropriations,
            it.disbursements,
            it.samples,
            it.pairs,
            if it.continues {
                "; goes on from the bundle before"
            } else {
                ""
            },
            match it.witnesses.as_slice() {
                [] => String::new(),
                names => format!("; cosigned by {}", names.join(", ")),
            },
        ))?;
    }
    say(&format!(
        "{} programme versions; {} keys held once; {} caps of the city; {transfers} transfers, {} bytes in {seconds:.1} s",
        report.programmes, report.keys, report.city_caps, report.bytes
    ))
}

/// The fields of the answer of `/proofs/consistency` that are needed here.
#[derive(Debug, Deserialize)]
struct Proof {
    hashes: Vec<String>,
}

pub(crate) fn witness(args: &WitnessArgs) -> anyhow::Result<()> {
    let key = PublicKey::parse(&args.key).context("--key")?;
    let note = read(&args.checkpoint)?;
    let checkpoint = key.open(&args.jurisdiction, &note).context("the checkpoint")?;
    if let (Some(kept), Some(proof)) = (&args.kept, &args.consistency) {
        let kept = key
            .open(&args.jurisdiction, &read(kept)?)
            .context("the checkpoint that was kept")?;
        let proof: Proof = serde_json::from_str(&read(proof)?).context("the consistency proof")?;
        let hashes = proof
            .hashes
            .iter()
            .map(|text| Hash::parse(text).ok_or_else(|| anyhow!("a hash is damaged")));
        let hashes = hashes.collect::<anyhow::Result<Vec<_>>>()?;
        check_consistency(checkpoint.size, checkpoint.root, kept.size, kept.root, &hashes)
            .context("this log does not continue the one of the kept checkpoint")?;
    }
    let secret = STANDARD
        .decode(read(&args.secret_file)?.trim())
        .context("--secret-file")?;
    let secret: [u8; 32] = secret
        .try_into()
        .map_err(|_| anyhow!("--secret-file: not 32 bytes"))?;
    let witness = WitnessKey::new(&args.name, &secret).context("--name")?;
    let now = u64::try_from(SystemClock.now().timestamp())?;
    let line = witness.cosign(&note, now)?;
    print_key(&witness)?;
    say(&format!("{note}{}", line.trim_end()))
}

/// The public key and name by which the operator of the log recognises the witness.
fn print_key(witness: &WitnessKey) -> anyhow::Result<()> {
    writeln!(std::io::stderr(), "{}", witness.public())?;
    Ok(())
}
