//! Kills PostgreSQL under full load, again and again, and starts it again. The till retries each
//! claim until it is acknowledged; afterwards no acknowledged claim may be lost, and none that was
//! sent several times may be recorded twice.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::books;
use crate::claim::Spread;
use crate::http::{Api, Connection};
use crate::load::{ENDS_WITHIN, Progress, Till, write_claim};
use crate::service::Served;
use crate::world::World;

/// How long the claims between two kills may take, including the recovery of every process that
/// holds connections to PostgreSQL.
const BATCH_WITHIN: Duration = Duration::from_secs(60);
/// How long all kills may take; many may take longer.
const ALL_WITHIN: Duration = Duration::from_secs(300);
const EACH_WITHIN: Duration = Duration::from_secs(15);
const REPLAYS_WITHIN: Duration = Duration::from_secs(60);

/// Acknowledged claims that are sent once more in the end.
const REPLAYS: usize = 200;

/// Claims that suffice for as many kills: several times the number waited for.
pub(crate) fn claims(times: u32, connections: u32) -> u64 {
    (u64::from(times) + 2) * u64::from(connections).max(64) * 12
}

/// Runs the test and prints one line. The error lists every check that failed.
pub(crate) async fn kill(world: &mut World, times: u32, connections: u32) -> anyhow::Result<()> {
    let database = world.copy().await?;
    let (name, url) = (database.name().to_owned(), database.url());
    let mut served = world.binary.serve(&url).await?;
    let till = Till {
        address: served.address(),
        clients: world.merchants.iter().map(Into::into).collect(),
        connections: usize::try_from(connections)?,
        numbers: (0, world.entitled_in(&name)),
        sent: world.file("sent"),
    };
    let mut process = Process::start(&till).await?;
    let mut wrong = Vec::new();
    let within = ALL_WITHIN.max(EACH_WITHIN * times);
    let killing = kill_often(world, &mut served, &mut process, (times, connections));
    let killing = async {
        tokio::time::timeout(within, killing)
            .await
            .with_context(|| format!("{times} kills took more than {} s", within.as_secs()))?
    };
    if let Err(error) = killing.await {
        wrong.push(format!("{error:#}"));
        // The run may have been cut short with PostgreSQL down, and the books are checked in any
        // case.
        world.cluster.restart().await?;
    }
    let progress = process.end().await?;
    if let Some(broke) = &progress.broke {
        eprintln!("  the first connection that broke: {broke}");
    }
    if let Some(why) = &progress.why {
        wrong.push(format!(
            "{} claims were given up; the first: {why}",
            progress.given_up
        ));
    }
    let sent = read(&till.sent)?;
    let again = tokio::time::timeout(REPLAYS_WITHIN, send_again(world, &served, &sent)).await;
    let again = match again
        .context("sending again takes too long")
        .and_then(|again| again)
    {
        Ok(again) => again,
        Err(error) => {
            wrong.push(format!("{error:#}"));
            0
        }
    };
    served.stop().await?;
    let database = world.cluster.database(&name);
    let (text, checked) = (std::fs::read(&till.sent)?, books::audit(&database).await);
    let checks = [checked, books::check_sent(&database, &text).await];
    wrong.extend(
        checks
            .into_iter()
            .filter_map(|check| check.err().map(|error| format!("{error:#}"))),
    );
    println!(
        "kills {times}, connections {connections}: {} claims acknowledged, {} requests retried ({} times 503, {} broken, {} late, \
         {} hung up on), {} of them replayed, {:.1} s, longest gap between two acknowledgements {:.2} s; {again} sent again in the \
         end and replayed; {}",
        progress.acknowledged,
        progress.retried(),
        progress.unavailable,
        progress.broken,
        progress.late,
        progress.hung_up,
        progress.replayed,
        progress.seconds,
        progress.gap_seconds,
        if wrong.is_empty() {
            "the books are right"
        } else {
            "NOT RIGHT"
        },
    );
    if wrong.is_empty() {
        world.cluster.drop(&name).await
    } else {
        bail!(wrong.join("\n"))
    }
}

/// Each kill comes only after more claims than there are connections have been acknowledged since
/// PostgreSQL was back.
async fn kill_often(
    world: &mut World,
    served: &mut Served,
    process: &mut Process,
    (times, connections): (u32, u32),
) -> anyhow::Result<()> {
    for time in 0..=times {
        let batch = u64::from(connections) * 2;
        let progress = tokio::select! {
            progress = tokio::time::timeout(BATCH_WITHIN, process.after(batch)) => progress.with_context(|| {
                format!("after kill {time} no {batch} claims were acknowledged within {} s", BATCH_WITHIN.as_secs())
            })??,
            error = served.ended() => return Err(error),
        };
        ensure!(progress.given_up == 0, "claims were given up after kill {time}");
        ensure!(
            progress.busy,
            "no claims are left to be sent: --times or --connections ask for too much"
        );
        if time == times {
            break;
        }
        // There is no wait here, so that each kill hits transactions at another point.
        tokio::time::sleep(Duration::from_millis(u64::from(time * 7 % 40))).await;
        let killed = Instant::now();
        world.cluster.kill();
        world.cluster.restart().await?;
        eprintln!(
            "  kill {}: after {} acknowledged and {} retried; PostgreSQL is back after {:.2} s",
            time + 1,
            progress.acknowledged,
            progress.retried(),
            killed.elapsed().as_secs_f64()
        );
    }
    Ok(())
}

/// The process that sends.
struct Process {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Process {
    async fn start(till: &Till) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("till")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().context("the till cannot be run")?;
        let mut input = child.stdin.take().context("no standard input")?;
        let output = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        input.write_all(&serde_json::to_vec(till)?).await?;
        input.write_all(b"\n").await?;
        Ok(Self { child, input, output })
    }

    /// Waits until as many more claims have been acknowledged.
    async fn after(&mut self, more: u64) -> anyhow::Result<Progress> {
        self.input.write_all(format!("{more}\n").as_bytes()).await?;
        let line = self.output.next_line().await?.context("the till ended")?;
        Ok(serde_json::from_str(&line)?)
    }

    /// Lets the claims under way come to their end.
    async fn end(mut self) -> anyhow::Result<Progress> {
        drop(self.input);
        let ending = async {
            let mut last = None;
            while let Some(line) = self.output.next_line().await? {
                last = Some(serde_json::from_str(&line)?);
            }
            let status = self.child.wait().await?;
            ensure!(status.success(), "the till ended: {status}");
            last.context("the till saw nothing")
        };
        tokio::time::timeout(ENDS_WITHIN, ending)
            .await
            .context("the till does not end")?
    }
}

/// A claim that was acknowledged.
struct Acknowledged {
    number: u64,
    tries: u32,
    id: String,
}

fn read(sent: &PathBuf) -> anyhow::Result<Vec<Acknowledged>> {
    let text = std::fs::read_to_string(sent)?;
    let mut all = Vec::new();
    for line in text.lines() {
        let columns = line.split('\t').collect::<Vec<_>>();
        let [_, _, number, tries, id] = columns[..] else {
            bail!("not a line of the till: {line}");
        };
        if id.starts_with("clm_") {
            all.push(Acknowledged {
                number: number.parse()?,
                tries: tries.parse()?,
                id: id.to_owned(),
            });
        }
    }
    Ok(all)
}

/// Sends some claims once more, as they were sent, half of them such as had to be retried several
/// times; returns how many.
async fn send_again(world: &World, served: &Served, sent: &[Acknowledged]) -> anyhow::Result<usize> {
    let hard = sent.iter().filter(|claim| claim.tries > 1).collect::<Vec<_>>();
    let all = sent.iter().collect::<Vec<_>>();
    let mut seen = BTreeSet::new();
    let half = spread(&hard, REPLAYS / 2);
    let sample = half.chain(spread(&all, REPLAYS));
    let sample = sample.filter(|claim| seen.insert(claim.number)).take(REPLAYS);
    let mut api = Api::open(served.address()).await?;
    let mut headers = Vec::new();
    for client in &world.merchants {
        let (token, _) = api.token(client).await?;
        headers.push(format!("authorization: Bearer {token}\r\n"));
    }
    let mut connection = Connection::open(served.address()).await?;
    let (mut request, mut body, mut count) = (Vec::new(), Vec::new(), 0);
    for claim in sample {
        let header = headers.get(usize::try_from(claim.number)? % headers.len().max(1));
        request.clear();
        write_claim(
            &mut request,
            &mut body,
            claim.number,
            Spread::Counties,
            header.context("no client")?,
        );
        let status = connection.exchange(&request).await?;
        let answer = String::from_utf8_lossy(connection.body());
        let same = answer.starts_with(&format!(r#"{{"id":"{}""#, claim.id));
        ensure!(
            status == 201 && same && connection.replayed(),
            "{} sent again is answered by {status}, replayed: {}, {}",
            claim.id,
            connection.replayed(),
            answer.chars().take(300).collect::<String>()
        );
        count += 1;
    }
    Ok(count)
}

/// As many as are requested, evenly from all.
fn spread<'a>(all: &[&'a Acknowledged], count: usize) -> impl Iterator<Item = &'a Acknowledged> {
    all.iter()
        .copied()
        .step_by((all.len() / count.max(1)).max(1))
        .take(count)
}
