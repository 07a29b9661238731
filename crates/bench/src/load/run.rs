//! The process `bench load`.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::task::LocalSet;

use super::ids::Ids;
use super::request::write_claim;
use super::tokens::Token;
use super::{Plan, Seen, Work};
use crate::claim::SUBSIDY_FEN;
use crate::http::Connection;
use crate::procfs;

/// One answer in this many is parsed and checked.
const CHECKED: u64 = 1_000;

/// How long to wait for an answer after the end.
const GRACE: Duration = Duration::from_secs(30);

/// Reads a plan from standard input and executes it.
pub(crate) fn serve_plan() -> anyhow::Result<()> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let plan: Plan = serde_json::from_str(&text)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, carry_out(plan))
}

/// State that all connections share. One thread, so that nothing is locked.
struct Shared {
    plan: Plan,
    state: RefCell<State>,
    /// Notified when a connection has nothing more to send.
    idle: Notify,
    /// Ids or cursors to read, in place of claims to submit.
    targets: Vec<String>,
    until: Instant,
}

struct State {
    next: u64,
    /// Connections that have something to send.
    busy: usize,
    seen: Seen,
    ids: Option<Ids>,
}

async fn carry_out(plan: Plan) -> anyhow::Result<()> {
    let submits = plan.work.spread().is_some();
    let targets = match plan.work {
        Work::Submit | Work::SubmitInOneCounty => Vec::new(),
        Work::Get | Work::List => {
            let text = std::fs::read_to_string(&plan.ids)?;
            text.lines().map(str::to_owned).collect()
        }
    };
    let mut tokens = Vec::new();
    for client in &plan.clients {
        tokens.push(Token::keep(plan.address, client).await?);
    }
    let warm_up = Duration::from_millis(plan.warm_up_ms);
    let window = Duration::from_millis(plan.window_ms);
    let start = Instant::now() + warm_up;
    let until = start + window * u32::try_from(plan.windows)?;
    let state = State {
        next: plan.numbers.0,
        busy: plan.connections,
        seen: Seen::default(),
        ids: submits.then(|| Ids::create(&plan.ids)).transpose()?,
    };
    let shared = Rc::new(Shared {
        state: RefCell::new(state),
        idle: Notify::new(),
        targets,
        until,
        plan,
    });
    let mut connections = Vec::new();
    for at in 0..shared.plan.connections {
        let token = tokens.get(at % tokens.len().max(1)).context("no client")?.clone();
        connections.push(tokio::task::spawn_local(connection(
            Rc::clone(&shared),
            token,
            at,
        )));
    }
    // A handful of claims may be answered before the warm-up is.
    shared.until(start).await;
    say("begins")?;
    let mut begun = Instant::now();
    let mut cpu = procfs::own_cpu();
    {
        // A fault of the warm-up counts as well.
        let mut state = shared.state.borrow_mut();
        let Seen { failed, failure, .. } = std::mem::take(&mut state.seen);
        state.seen = Seen {
            failed,
            failure,
            ..Seen::default()
        };
    }
    for at in 1..=shared.plan.windows {
        let ends = start + window * u32::try_from(at)?;
        let over = shared.until(ends).await;
        let (now, cpu_now) = (Instant::now(), procfs::own_cpu());
        let line = {
            let mut state = shared.state.borrow_mut();
            let sent = state.next - shared.plan.numbers.0;
            let mut seen = std::mem::take(&mut state.seen);
            seen.ran_dry = submits && state.next >= shared.plan.numbers.1;
            (seen.sent, seen.cpu) = (sent, cpu_now - cpu);
            seen.seconds = now.duration_since(begun).as_secs_f64();
            serde_json::to_string(&seen)?
        };
        (begun, cpu) = (now, cpu_now);
        say(&line)?;
        if over {
            break;
        }
    }
    for connection in connections {
        tokio::time::timeout(GRACE, connection)
            .await
            .context("no answer after the end")???;
    }
    if let Some(ids) = &mut shared.state.borrow_mut().ids {
        ids.flush()?;
    }
    Ok(())
}

pub(super) fn say(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

async fn connection(shared: Rc<Shared>, token: Token, place: usize) -> anyhow::Result<()> {
    let mut connection = Connection::open(shared.plan.address).await?;
    let (mut request, mut body) = (Vec::with_capacity(4_096), Vec::with_capacity(2_048));
    let mut turn = place as u64;
    while Instant::now() < shared.until {
        request.clear();
        let Some(number) = shared.write(&mut request, &mut body, &token, turn) else {
            break;
        };
        turn += shared.plan.connections as u64;
        let sent = Instant::now();
        let status = connection
            .exchange(&request)
            .await
            .context("a connection broke")?;
        let micros = u64::try_from(sent.elapsed().as_micros())?;
        shared.answered(status, connection.body(), micros, number)?;
    }
    shared.state.borrow_mut().busy -= 1;
    shared.idle.notify_one();
    Ok(())
}

impl Shared {
    /// Waits for an instant, or until there is nothing more to send; returns whether the instant
    /// came.
    async fn until(&self, instant: Instant) -> bool {
        let dry = async {
            while self.state.borrow().busy > 0 {
                self.idle.notified().await;
            }
        };
        tokio::time::timeout_at(instant.into(), dry).await.is_ok()
    }

    /// Writes the next request and returns its number; `None` when there is no more to send.
    fn write(&self, request: &mut Vec<u8>, body: &mut Vec<u8>, token: &Token, turn: u64) -> Option<u64> {
        let Some(spread) = self.plan.work.spread() else {
            let target = self.targets.get(turn as usize % self.targets.len().max(1))?;
            let path = if self.plan.work == Work::List {
                ""
            } else {
                "/v1/claims/"
            };
            let header = token.header();
            let _ = write!(
                request,
                "GET {path}{target} HTTP/1.1\r\nhost: localhost\r\n{header}\r\n"
            );
            return Some(turn);
        };
        let mut state = self.state.borrow_mut();
        let number = state.next;
        if number >= self.plan.numbers.1 {
            return None;
        }
        state.next += 1;
        write_claim(request, body, number, spread, &token.header());
        Some(number)
    }

    fn answered(&self, status: u16, answer: &[u8], micros: u64, number: u64) -> anyhow::Result<()> {
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let good = match &mut state.ids {
            Some(ids) => status == 201 && ids.keep(answer)?,
            None => status == 200,
        };
        if !good {
            state.seen.failed += 1;
            let failure = || {
                format!(
                    "{status} {}",
                    String::from_utf8_lossy(answer.get(..600).unwrap_or(answer))
                )
            };
            state.seen.failure.get_or_insert_with(failure);
            return Ok(());
        }
        state.seen.latencies.add(micros);
        if state.ids.is_some() && number.is_multiple_of(CHECKED) {
            check(answer).with_context(|| String::from_utf8_lossy(answer).into_owned())?;
            state.seen.checked += 1;
        }
        Ok(())
    }
}

/// Whether an answer is the one for a valid claim.
fn check(answer: &[u8]) -> anyhow::Result<()> {
    let value: Value = serde_json::from_slice(answer)?;
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let subsidy = format!("{}.{:02}", SUBSIDY_FEN / 100, SUBSIDY_FEN % 100);
    let right = text("/status") == "under_review" && text("/decision/outcome") == "eligible";
    if !right || text("/subsidy/amount") != subsidy {
        bail!("an answer is not that of an eligible claim");
    }
    Ok(())
}
