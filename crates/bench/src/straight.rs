//! The batches of the service driven straight at the database: the same statements through the same
//! crate, without HTTP, rules and sealing. The ratio of intake over HTTP to this rate shows the
//! cost of everything around the statements.
//!
//! A process of its own (`bench straight`), as the load generator is. It has as many lanes as the
//! service has by default, each with counties of its own, and each commits one batch after another.

use std::io::Read;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use claims::keys::UniqueKind;
use claims::life_cycle::Status;
use claims::{ClaimId, Digest, JurisdictionCode};
use ledger::log::Hash;
use ledger::{Fen, Reason, Transfer};
use policy::Outcome;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use service::ports::{Clock, SystemClock};
use store::claims::group_commit::{Asked, Record};
use store::claims::holdings::{QuotaRow, UniqueKeyRow};
use store::claims::{ClaimRow, DecisionRow};
use store::funds::Posting;
use store::operation::{EventRow, IdempotencyRow};
use store::{Store, StoreConfig, StoreError, Tx};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use uuid::Uuid;

use crate::books;
use crate::claim::{CATEGORY, CITY, LARGE_COUNTY, PROGRAMME, SUBSIDY_FEN, Spread, caps};
use crate::pgbench::Sample;
use crate::world::World;

/// The service's default.
const LANES: u64 = 2;
const BATCH: u64 = 128;

const MERCHANT: &str = "91140802MA2NH6NA3Q";
const CLIENT: &str = "bench-retailer-1";

/// The plan of the process.
#[derive(Debug, Serialize, Deserialize)]
struct Plan {
    url: String,
    seconds: f64,
    decision: Decision,
}

/// The bytes of a decision.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Decision {
    pub(crate) packing: i16,
    pub(crate) receipt: Vec<u8>,
    pub(crate) digest: Vec<u8>,
    pub(crate) key_id: String,
    pub(crate) sealed: Vec<u8>,
}

/// Claims a second in a fresh copy of the template, its books audited afterwards.
pub(crate) async fn run(world: &World, sample: &Sample, seconds: f64) -> anyhow::Result<f64> {
    let database = world.copy().await?;
    database.checkpoint().await?;
    let plan = Plan {
        url: database.url(),
        seconds,
        decision: sample.decision().clone(),
    };
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("straight")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn()?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    stdin.write_all(&serde_json::to_vec(&plan)?).await?;
    drop(stdin);
    let output = child.wait_with_output().await?;
    ensure!(
        output.status.success(),
        "the straight batches ended: {}",
        output.status
    );
    let rate = String::from_utf8_lossy(&output.stdout).trim().parse()?;
    books::audit(&database).await?;
    world.cluster.drop(database.name()).await?;
    Ok(rate)
}

/// Reads a plan from standard input, carries it out and prints the rate.
pub(crate) fn serve_plan() -> anyhow::Result<()> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let plan: Plan = serde_json::from_str(&text)?;
    // The service has threads for its lanes, too.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let store = Store::open(&StoreConfig::new(SecretString::from(plan.url)))?;
        let started = Instant::now();
        let until = started + Duration::from_secs_f64(plan.seconds);
        let lanes =
            (0..LANES).map(|lane| tokio::spawn(run_lane(store.clone(), plan.decision.clone(), lane, until)));
        let mut claims = 0;
        for lane in lanes.collect::<Vec<_>>() {
            claims += lane.await??;
        }
        println!("{:.1}", claims as f64 / started.elapsed().as_secs_f64());
        Ok(())
    })
}

async fn run_lane(store: Store, decision: Decision, lane: u64, until: Instant) -> anyhow::Result<u64> {
    // A person, a key and an invoice are numbers here; the process has a range of numbers in each
    // lane.
    let mut number = lane << 40;
    let mut done = 0;
    while Instant::now() < until {
        let numbers = number..number + BATCH;
        let (asked, record) = rows(&decision, numbers, lane)?;
        let unit = |tx| commit(tx, &asked, &record);
        store.write(unit).await?;
        number += BATCH;
        done += BATCH;
    }
    Ok(done)
}

async fn commit(mut tx: Tx, asked: &Asked, record: &Record) -> Result<store::Done<()>, StoreError> {
    let opened = tx.open_books(asked).await?;
    tx.record(&opened.limits.heads, record.clone(), SystemClock.now())
        .await?;
    Ok(tx.done(()))
}

/// 16 bytes that are unique to a number and purpose, and spread over an index as hashes are.
fn scattered(number: u64, purpose: u64) -> Digest {
    let mixed = |salt: u64| {
        let mut x = (number ^ (purpose << 56))
            .wrapping_add(salt)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (x ^ (x >> 31)).to_be_bytes()
    };
    let mut bytes = [0; 16];
    let (first, second) = bytes.split_at_mut(8);
    first.copy_from_slice(&mixed(0));
    second.copy_from_slice(&mixed(1 << 60));
    Digest::new(bytes)
}

/// Version 7, as the service makes them.
fn id(number: u64, purpose: u64) -> Uuid {
    let millis = u128::try_from(SystemClock.now().timestamp_millis()).unwrap_or(0);
    let tail = u128::from_be_bytes(*scattered(number, purpose).as_bytes());
    Uuid::from_u128((millis << 80) | (0x7 << 76) | ((tail & 0xfff) << 64) | (0b10 << 62) | (tail >> 66))
}

fn rows(decision: &Decision, numbers: std::ops::Range<u64>, lane: u64) -> anyhow::Result<(Asked, Record)> {
    let now = SystemClock.now();
    let (mut asked, mut record) = (Asked::default(), Record::default());
    for number in numbers {
        // Half of all claims are in the largest county, which this lane has.
        let county = if lane == 0 {
            LARGE_COUNTY
        } else {
            Spread::Counties.county(number * 2 + 1)
        };
        let jurisdiction = JurisdictionCode::parse(county).context("county")?;
        let (claim, event) = (id(number, 1), id(number, 2));
        let person = scattered(number, 3);
        let slot = format!("appliance:{CATEGORY}:2026");
        asked.keys.push(IdempotencyRow {
            client: CLIENT.into(),
            key: format!("6f9619ff-8b86-d011-b42d-{number:012x}"),
            request: decision.digest.clone(),
            operation: "submit".into(),
            claim_jurisdiction: Some(county.into()),
            claim: Some(claim),
            answer: None,
            created_at: now,
        });
        asked.counties.push(county.into());
        asked.persons.push(person);
        let mut keys = Vec::with_capacity(51);
        let kinds = [
            UniqueKind::Invoice,
            UniqueKind::SerialNumber,
            UniqueKind::Entitlement,
        ];
        for (kind, purpose) in kinds.into_iter().zip(4..) {
            let digest = scattered(number, purpose);
            keys.push(kind.code());
            keys.extend_from_slice(digest.as_bytes());
            asked.digests.push(digest);
            record.taken.push(UniqueKeyRow {
                digest,
                kind,
                jurisdiction,
                claim,
            });
        }
        record.quotas.push(QuotaRow {
            person,
            slot: slot.clone(),
            used: 1,
            ceiling: 1,
        });
        record.new.push(claim_row(
            ClaimId::new(jurisdiction, claim),
            number,
            person,
            slot,
        )?);
        record.decisions.push(DecisionRow {
            jurisdiction,
            claim,
            revision: 1,
            outcome: Outcome::Eligible,
            receipt: decision.receipt.clone(),
            digest: Hash::try_from(decision.digest.as_slice())?,
            decided_at: now,
            packing: decision.packing,
            key_id: decision.key_id.clone(),
            sealed: decision.sealed.clone(),
            leaf: 0,
            keys,
        });
        let subject = ClaimId::new(jurisdiction, claim).to_string();
        record.events.push(EventRow {
            jurisdiction: county.into(),
            id: event,
            subject,
            verb: "submit".into(),
            actor: CLIENT.into(),
            person: CLIENT.into(),
            at: now,
            revision: Some(1),
            from_status: None,
            to_status: Some(Status::UnderReview.to_string()),
            reason: None,
            request: Some(event.to_string()),
            leaf: None,
            detail: None,
        });
        for (place, scope) in caps(county) {
            let key = (place.to_owned(), PROGRAMME.to_owned(), scope);
            record.limits.entry(key).or_default().committed += SUBSIDY_FEN;
        }
        record.postings.push(Posting {
            jurisdiction: county.into(),
            programme: PROGRAMME.into(),
            transfer: Transfer::new(Reason::Reserve, Fen::new(SUBSIDY_FEN)?)?,
            claim: Some(claim),
            document: None,
            actor: CLIENT.into(),
        });
    }
    asked.counties.sort();
    asked.counties.dedup();
    asked.city.push(CITY.into());
    asked.programmes.push(PROGRAMME.into());
    Ok((asked, record))
}

fn claim_row(id: ClaimId, number: u64, person: Digest, slot: String) -> anyhow::Result<ClaimRow> {
    let now = SystemClock.now();
    Ok(ClaimRow {
        jurisdiction: id.jurisdiction,
        id: id.uuid,
        programme: PROGRAMME.into(),
        programme_version: 1,
        status: Status::UnderReview,
        revision: 1,
        merchant: MERCHANT.into(),
        merchant_reference: format!("B-{number:012}"),
        client: CLIENT.into(),
        category: CATEGORY.into(),
        governing_date: Some(timing::shanghai::date(now)),
        created_at: now,
        changed_at: now,
        decided: 1,
        amount: Some(Fen::new(SUBSIDY_FEN)?),
        holds: true,
        committed: true,
        committed_month: Some("2026-11".into()),
        person,
        quota_slot: Some(slot),
        waits_for: None,
        correct_by: None,
        reviewed_by: None,
        approved_by: None,
        disbursement: None,
        to_merchant: true,
    })
}
