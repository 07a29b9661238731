//! The process `bench till`: it sends claims as a merchant's till would, and retries each until its
//! 201. After a 503, a broken connection or a timeout it sends the same request with the same key.
//! For one claim in some it closes the connection right after sending, as a till does whose network
//! fails, and then retries in the same way.
//!
//! A [`Till`] comes as a line of JSON on standard input. Each number on a line of its own
//! thereafter is answered by a [`Progress`] when as many more claims have been acknowledged. When
//! the input ends no new claim is begun; those in flight are brought to their end, the requests are
//! written to a file, and the last [`Progress`] ends the output.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use timing::Backoff;
use tokio::sync::{Notify, mpsc};
use tokio::task::{JoinSet, LocalSet};

use super::Credentials;
use super::ids::id_of;
use super::request::{key, write_claim};
use super::run::say;
use super::tokens::Token;
use crate::claim::{Spread, merchant_reference};
use crate::http::Connection;

/// The timeout of one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// How long one claim is retried; the last try may take its time in addition.
const CLAIM_WITHIN: Duration = Duration::from_secs(60);
/// After this it is certain that every claim has ended.
pub(crate) const ENDS_WITHIN: Duration = Duration::from_secs(100);

/// For one claim in this many the first try closes the connection at once.
const HUNG_UP: u64 = 16;

/// Pause between two tries.
const BACKOFF: Backoff = Backoff::doubling(Duration::from_millis(20), Duration::from_millis(500));

/// The plan of the till.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Till {
    pub(crate) address: SocketAddr,
    /// A claim is always sent by the same client: its number modulo their count.
    pub(crate) clients: Vec<Credentials>,
    pub(crate) connections: usize,
    /// The first claim to send, and the end (exclusive).
    pub(crate) numbers: (u64, u64),
    /// The file that gets a line for each claim that was sent: key, merchant's reference, number,
    /// tries, and the id or `\N`; as `COPY` reads it.
    pub(crate) sent: PathBuf,
}

/// The till's progress.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Progress {
    pub(crate) acknowledged: u64,
    /// Retries, by the fault of the request before.
    pub(crate) unavailable: u64,
    pub(crate) broken: u64,
    pub(crate) late: u64,
    pub(crate) hung_up: u64,
    /// The error of the first broken connection.
    pub(crate) broke: Option<String>,
    /// Acknowledgements of a claim that an earlier try had recorded.
    pub(crate) replayed: u64,
    /// Claims that were given up, and why the first was.
    pub(crate) given_up: u64,
    pub(crate) why: Option<String>,
    /// Whether a connection still has something to send.
    pub(crate) busy: bool,
    pub(crate) seconds: f64,
    /// The longest between two acknowledgements.
    pub(crate) gap_seconds: f64,
}

impl Progress {
    pub(crate) const fn retried(&self) -> u64 {
        self.unavailable + self.broken + self.late + self.hung_up
    }
}

/// The outcome of one try.
enum Try {
    Acknowledged { id: String, replayed: bool },
    Unavailable,
    Broken(io::Error),
    Late,
    HungUp,
    Wrong(String),
}

/// One claim that was sent.
struct Sent {
    number: u64,
    tries: u32,
    id: Option<String>,
}

struct Shared {
    till: Till,
    tokens: Vec<Token>,
    state: RefCell<State>,
    /// Notified at every acknowledgement, and when a connection has ended.
    moved: Notify,
}

struct State {
    next: u64,
    busy: usize,
    begun: Instant,
    last: Option<Instant>,
    progress: Progress,
    sent: Vec<Sent>,
}

/// Reads the plan from standard input and executes it.
pub(crate) fn serve() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, carry_out())
}

async fn carry_out() -> anyhow::Result<()> {
    let mut lines = input();
    let till: Till = serde_json::from_str(&lines.recv().await.context("nothing to do")?)?;
    let mut tokens = Vec::new();
    for client in &till.clients {
        tokens.push(Token::keep(till.address, client).await?);
    }
    let state = State {
        next: till.numbers.0,
        busy: till.connections,
        begun: Instant::now(),
        last: None,
        progress: Progress::default(),
        sent: Vec::new(),
    };
    let shared = Rc::new(Shared {
        till,
        tokens,
        state: RefCell::new(state),
        moved: Notify::new(),
    });
    let mut connections = JoinSet::new();
    for _ in 0..shared.till.connections {
        connections.spawn_local(connection(Rc::clone(&shared)));
    }
    let mut wanted = None;
    loop {
        tokio::select! {
            line = lines.recv() => match line {
                None => break,
                Some(more) => wanted = Some(shared.state.borrow().progress.acknowledged + more.parse::<u64>()?),
            },
            () = shared.reached(wanted) => {
                wanted = None;
                say(&serde_json::to_string(&shared.progress())?)?;
            }
        }
    }
    // No more numbers, so that every connection ends with its present claim.
    shared.state.borrow_mut().next = shared.till.numbers.1;
    while let Some(ended) = connections.join_next().await {
        ended??;
    }
    shared.write()?;
    say(&serde_json::to_string(&shared.progress())?)
}

/// The lines of standard input, read by a thread that is not joined.
fn input() -> mpsc::UnboundedReceiver<String> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        let lines = io::stdin().lines().map_while(Result::ok);
        lines.map_while(|line| sender.send(line).ok()).for_each(drop);
    });
    receiver
}

async fn connection(shared: Rc<Shared>) -> anyhow::Result<()> {
    let mut connection = None;
    let (mut request, mut body) = (Vec::with_capacity(4_096), Vec::with_capacity(2_048));
    while let Some(number) = shared.next() {
        let (begun, mut tries) = (Instant::now(), 0);
        loop {
            tries += 1;
            request.clear();
            let header = shared.token(number)?.header();
            write_claim(&mut request, &mut body, number, Spread::Counties, &header);
            let hang_up = tries == 1 && number % HUNG_UP == HUNG_UP - 1;
            let outcome = attempt(&mut connection, shared.till.address, &request, hang_up).await;
            if shared.answered(number, tries, begun, outcome) {
                break;
            }
            tokio::time::sleep(BACKOFF.pause(tries, 0).unwrap_or_default()).await;
        }
    }
    shared.state.borrow_mut().busy -= 1;
    shared.moved.notify_one();
    Ok(())
}

/// Sends a claim once. Any fault that leaves the connection in doubt closes it.
async fn attempt(
    connection: &mut Option<Connection>,
    address: SocketAddr,
    request: &[u8],
    hang_up: bool,
) -> Try {
    let exchange = async {
        let mut open = match connection.take() {
            Some(open) => open,
            None => Connection::open(address).await?,
        };
        if hang_up {
            open.send(request).await?;
            return Ok(None);
        }
        let status = open.exchange(request).await?;
        io::Result::Ok(Some((open, status)))
    };
    let (open, status) = match tokio::time::timeout(ANSWER_WITHIN, exchange).await {
        Err(_) => return Try::Late,
        Ok(Err(error)) => return Try::Broken(error),
        Ok(Ok(None)) => return Try::HungUp,
        Ok(Ok(Some(answered))) => answered,
    };
    let outcome = match (status, id_of(open.body())) {
        (201, Some(id)) => Try::Acknowledged {
            id: String::from_utf8_lossy(id).into_owned(),
            replayed: open.replayed(),
        },
        (503, _) => Try::Unavailable,
        (status, _) => Try::Wrong(format!("{status} {}", String::from_utf8_lossy(open.body()))),
    };
    *connection = Some(open);
    outcome
}

impl Shared {
    fn token(&self, number: u64) -> anyhow::Result<&Token> {
        let at = usize::try_from(number)? % self.tokens.len().max(1);
        self.tokens.get(at).context("no client")
    }

    /// The claim to begin with next.
    fn next(&self) -> Option<u64> {
        let mut state = self.state.borrow_mut();
        let number = state.next;
        if number >= self.till.numbers.1 {
            return None;
        }
        state.next += 1;
        Some(number)
    }

    /// Records the outcome of a try; returns whether the claim has ended.
    fn answered(&self, number: u64, tries: u32, begun: Instant, outcome: Try) -> bool {
        let mut state = self.state.borrow_mut();
        let State {
            begun: all_begun,
            last,
            progress,
            sent,
            ..
        } = &mut *state;
        let (again, why) = match outcome {
            Try::Acknowledged { id, replayed } => {
                let now = Instant::now();
                let gap = now.duration_since(last.unwrap_or(*all_begun)).as_secs_f64();
                progress.gap_seconds = progress.gap_seconds.max(gap);
                *last = Some(now);
                progress.acknowledged += 1;
                progress.replayed += u64::from(replayed);
                sent.push(Sent {
                    number,
                    tries,
                    id: Some(id),
                });
                self.moved.notify_one();
                return true;
            }
            Try::Wrong(answer) => {
                give_up(progress, sent, (number, tries), answer);
                return true;
            }
            Try::Unavailable => (&mut progress.unavailable, "503"),
            Try::Broken(error) => {
                progress.broke.get_or_insert(error.to_string());
                (&mut progress.broken, "a broken connection")
            }
            Try::HungUp => (&mut progress.hung_up, "hung up"),
            Try::Late => (&mut progress.late, "no answer"),
        };
        if begun.elapsed() < CLAIM_WITHIN {
            *again += 1;
            return false;
        }
        let why = format!(
            "not acknowledged within {} s; the last: {why}",
            CLAIM_WITHIN.as_secs()
        );
        give_up(progress, sent, (number, tries), why);
        true
    }

    /// Waits until the wanted number is acknowledged, or no more can follow.
    async fn reached(&self, wanted: Option<u64>) {
        let Some(wanted) = wanted else {
            return std::future::pending().await;
        };
        loop {
            {
                let state = self.state.borrow();
                if state.progress.acknowledged >= wanted || state.busy == 0 {
                    return;
                }
            }
            self.moved.notified().await;
        }
    }

    fn progress(&self) -> Progress {
        let state = self.state.borrow();
        Progress {
            busy: state.busy > 0,
            seconds: state.begun.elapsed().as_secs_f64(),
            ..state.progress.clone()
        }
    }

    fn write(&self) -> anyhow::Result<()> {
        let mut text = String::new();
        for Sent { number, tries, id } in &self.state.borrow().sent {
            let (key, reference) = (key(*number), merchant_reference(*number));
            let id = id.as_deref().unwrap_or("\\N");
            writeln!(text, "{key}\t{reference}\t{number}\t{tries}\t{id}")?;
        }
        Ok(std::fs::write(&self.till.sent, text)?)
    }
}

fn give_up(progress: &mut Progress, sent: &mut Vec<Sent>, (number, tries): (u64, u32), why: String) {
    progress.given_up += 1;
    progress
        .why
        .get_or_insert(format!("claim {number}, try {tries}: {why}"));
    sent.push(Sent {
        number,
        tries,
        id: None,
    });
}
