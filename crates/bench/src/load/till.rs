//! What the process `bench till` does: it sends claims as a merchant's till would, and does not let go of one before it has
//! its 201. A 503, a broken connection and no answer in time are followed by the same request with the same key. One claim in
//! some is hung up on as soon as it has been sent, as a till does whose network fails, and follows in the same way.
//!
//! A [`Till`] comes as a line of JSON on standard input. Each number on a line of its own thereafter is answered by a
//! [`Told`] when as many more claims have been acknowledged. When the input ends no new claim is begun; those under way are
//! brought to their end, what was sent is written to a file, and the last [`Told`] ends the output.

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

/// How long one answer is waited for.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// How long one claim is tried; the last try may take its time in addition.
const CLAIM_WITHIN: Duration = Duration::from_secs(60);
/// After this it is certain that every claim has ended.
pub(crate) const ENDS_WITHIN: Duration = Duration::from_secs(100);

/// One claim in as many is hung up on at its first try.
const HUNG_UP: u64 = 16;

/// Between two tries.
const BACKOFF: Backoff = Backoff::doubling(Duration::from_millis(20), Duration::from_millis(500));

/// What it is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Till {
    pub(crate) address: SocketAddr,
    /// The claim of a number is always sent by the same one: that at the number modulo their count.
    pub(crate) clients: Vec<Credentials>,
    pub(crate) connections: usize,
    /// The first claim that may be sent, and the first that may not.
    pub(crate) numbers: (u64, u64),
    /// Gets a line for each claim that was sent: key, merchant's reference, number, tries, and the id or `\N`; as `COPY` reads it.
    pub(crate) sent: PathBuf,
}

/// What happened so far.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) acknowledged: u64,
    /// Requests that were sent again, by what was wrong with the one before.
    pub(crate) unavailable: u64,
    pub(crate) broken: u64,
    pub(crate) late: u64,
    pub(crate) hung_up: u64,
    /// What broke the first connection that broke.
    pub(crate) broke: Option<String>,
    /// Acknowledged as what had been done already.
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

impl Told {
    pub(crate) const fn retried(&self) -> u64 {
        self.unavailable + self.broken + self.late + self.hung_up
    }
}

/// What became of one try.
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
    /// Told at every acknowledgement, and when a connection has ended.
    moved: Notify,
}

struct State {
    next: u64,
    busy: usize,
    begun: Instant,
    last: Option<Instant>,
    told: Told,
    sent: Vec<Sent>,
}

/// Reads what to do from standard input and does it.
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
        told: Told::default(),
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
                Some(more) => wanted = Some(shared.state.borrow().told.acknowledged + more.parse::<u64>()?),
            },
            () = shared.reached(wanted) => {
                wanted = None;
                say(&serde_json::to_string(&shared.told())?)?;
            }
        }
    }
    // No more numbers, so that every connection ends with the claim it has in hand.
    shared.state.borrow_mut().next = shared.till.numbers.1;
    while let Some(ended) = connections.join_next().await {
        ended??;
    }
    shared.write()?;
    say(&serde_json::to_string(&shared.told())?)
}

/// The lines of standard input, read by a thread that nobody waits for.
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

/// Sends once. Whatever leaves the connection in doubt closes it.
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

    /// Takes down what became of a try; whether the claim has ended.
    fn answered(&self, number: u64, tries: u32, begun: Instant, outcome: Try) -> bool {
        let mut state = self.state.borrow_mut();
        let State {
            begun: all_begun,
            last,
            told,
            sent,
            ..
        } = &mut *state;
        let (again, why) = match outcome {
            Try::Acknowledged { id, replayed } => {
                let now = Instant::now();
                let gap = now.duration_since(last.unwrap_or(*all_begun)).as_secs_f64();
                told.gap_seconds = told.gap_seconds.max(gap);
                *last = Some(now);
                told.acknowledged += 1;
                told.replayed += u64::from(replayed);
                sent.push(Sent {
                    number,
                    tries,
                    id: Some(id),
                });
                self.moved.notify_one();
                return true;
            }
            Try::Wrong(answer) => {
                give_up(told, sent, (number, tries), answer);
                return true;
            }
            Try::Unavailable => (&mut told.unavailable, "503"),
            Try::Broken(error) => {
                told.broke.get_or_insert(error.to_string());
                (&mut told.broken, "a broken connection")
            }
            Try::HungUp => (&mut told.hung_up, "hung up"),
            Try::Late => (&mut told.late, "no answer"),
        };
        if begun.elapsed() < CLAIM_WITHIN {
            *again += 1;
            return false;
        }
        let why = format!(
            "not acknowledged within {} s; the last: {why}",
            CLAIM_WITHIN.as_secs()
        );
        give_up(told, sent, (number, tries), why);
        true
    }

    /// Waits until as many are acknowledged as are wanted, or nothing more is to come.
    async fn reached(&self, wanted: Option<u64>) {
        let Some(wanted) = wanted else {
            return std::future::pending().await;
        };
        loop {
            {
                let state = self.state.borrow();
                if state.told.acknowledged >= wanted || state.busy == 0 {
                    return;
                }
            }
            self.moved.notified().await;
        }
    }

    fn told(&self) -> Told {
        let state = self.state.borrow();
        Told {
            busy: state.busy > 0,
            seconds: state.begun.elapsed().as_secs_f64(),
            ..state.told.clone()
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

fn give_up(told: &mut Told, sent: &mut Vec<Sent>, (number, tries): (u64, u32), why: String) {
    told.given_up += 1;
    told.why
        .get_or_insert(format!("claim {number}, try {tries}: {why}"));
    sent.push(Sent {
        number,
        tries,
        id: None,
    });
}
