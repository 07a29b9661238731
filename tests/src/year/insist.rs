//! Callers that retry, and the faults they meet.
//!
//! Every step is a call that may break off between any two of its polls: the caller goes away, all
//! connections are cut, the process dies and another is started, PostgreSQL is killed, or the call
//! succeeds and the answer is lost. Then the caller repeats it, with the same key, until there is
//! an answer. The point of the break is drawn by lot from as many polls as such a call usually
//! takes, so that with many calls every gap between two statements is hit, the last before and the
//! first after the commit among them.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::Poll;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use service::{Refusal, ServiceError};
use testkit::World;

use super::world::{POOL, Year};

/// Tries before a caller gives up, which ends the test.
const TRIES: usize = 60;
/// Of a thousand calls, how many break off.
const ODDS: u32 = 50;

/// The kinds of breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Crash {
    AnswerLost,
    CallerGone,
    ConnectionsCut,
    ProcessDied,
    PostgresKilled,
}

/// Faults, by a lot of their own: the events of the year do not depend on it.
pub(super) struct Trouble {
    random: StdRng,
    kills: bool,
    /// Polls that a call usually takes.
    usual: BTreeMap<&'static str, usize>,
    pub(super) met: BTreeMap<Crash, usize>,
}

impl Trouble {
    /// With kills, PostgreSQL is killed more often.
    pub(super) fn new(seed: u64, kills: bool) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            kills,
            usual: BTreeMap::new(),
            met: BTreeMap::new(),
        }
    }

    fn next(&mut self) -> Option<Crash> {
        if self.random.random_range(0..1_000) >= ODDS {
            return None;
        }
        Some(match self.random.random_range(0..200) {
            0..60 => Crash::AnswerLost,
            60..150 => Crash::CallerGone,
            150..190 => Crash::ConnectionsCut,
            190..194 => Crash::PostgresKilled,
            194..196 if self.kills => Crash::PostgresKilled,
            _ => Crash::ProcessDied,
        })
    }

    /// The number of polls before a call is to break off.
    fn place(&mut self, deed: &'static str) -> usize {
        let usual = self.usual.get(deed).copied().unwrap_or(4);
        self.random.random_range(0..=usual)
    }

    fn learn(&mut self, deed: &'static str, steps: usize) {
        self.usual.insert(deed, steps);
    }
}

/// The answer of a call in the end.
#[derive(Debug)]
pub(super) struct Answer<T> {
    pub(super) result: Result<T, Refusal>,
    /// The call was repeated: it may have been done before.
    pub(super) again: bool,
}

impl<T> Answer<T> {
    /// Panics if the call was refused.
    pub(super) fn done(self, what: &str) -> T {
        match self.result {
            Ok(done) => done,
            Err(refusal) => panic!("{what} was refused: {refusal:?}"),
        }
    }

    /// Done now, or done before and therefore out of turn now.
    pub(super) fn done_or_again(self, what: &str) -> Option<T> {
        match self.result {
            Ok(done) => Some(done),
            Err(Refusal::Settled { .. } | Refusal::Stale { .. } | Refusal::OutOfTurn { .. })
                if self.again =>
            {
                None
            }
            Err(refusal) => panic!("{what} was refused: {refusal:?}"),
        }
    }
}

impl Year {
    /// Makes a call, repeating it if need be.
    pub(super) async fn insist<T>(
        &mut self,
        deed: &'static str,
        call: impl AsyncFn(&World) -> Result<T, ServiceError>,
    ) -> Answer<T> {
        *self.deeds.entry(deed).or_default() += 1;
        let begun = std::time::Instant::now();
        let answer = self.insist_on(deed, call).await;
        *self.took.entry(deed).or_default() += begun.elapsed();
        answer
    }

    async fn insist_on<T>(
        &mut self,
        deed: &'static str,
        call: impl AsyncFn(&World) -> Result<T, ServiceError>,
    ) -> Answer<T> {
        self.tick();
        let mut crash = self.trouble.next();
        let mut again = false;
        for _ in 0..TRIES {
            let answer = match crash.take() {
                Some(crash) => self.break_off(deed, crash, &call).await,
                None => {
                    let world = self.world.clone();
                    let (answer, steps) = walk(pin!(call(&world)), usize::MAX).await;
                    self.trouble.learn(deed, steps);
                    answer
                }
            };
            match answer {
                Some(Ok(done)) => {
                    return Answer {
                        result: Ok(done),
                        again,
                    };
                }
                Some(Err(ServiceError::Refused(refusal))) => {
                    return Answer {
                        result: Err(refusal),
                        again,
                    };
                }
                Some(Err(ServiceError::Store(fault))) if !fault.is_transient() => {
                    panic!("{deed}: {fault}")
                }
                Some(Err(ServiceError::Bug(bug))) => panic!("{deed}: {bug}"),
                Some(Err(_)) | None => again = true,
            }
        }
        panic!("{deed}: no answer in {TRIES} tries");
    }

    /// The answer of a call in spite of its faults, if it gets one.
    async fn break_off<T>(
        &mut self,
        deed: &'static str,
        crash: Crash,
        call: &impl AsyncFn(&World) -> Result<T, ServiceError>,
    ) -> Option<Result<T, ServiceError>> {
        *self.trouble.met.entry(crash).or_default() += 1;
        let place = match crash {
            Crash::AnswerLost => usize::MAX,
            _ => self.trouble.place(deed),
        };
        let answer = {
            let world = self.world.clone();
            let mut under_way = pin!(call(&world));
            let (answer, _) = walk(under_way.as_mut(), place).await;
            match (crash, answer) {
                (Crash::ConnectionsCut, None) => {
                    self.cut_connections().await;
                    Some(under_way.await)
                }
                (Crash::PostgresKilled, None) => {
                    self.kill_postgres().await;
                    Some(under_way.await)
                }
                // The call is dropped at this point, or is over and its answer is lost.
                _ => None,
            }
        };
        match crash {
            Crash::ProcessDied => self.start_anew().await,
            Crash::ConnectionsCut | Crash::PostgresKilled => self.calm().await,
            Crash::AnswerLost | Crash::CallerGone => {}
        }
        answer
    }

    /// Reads; reads meet no faults.
    pub(super) async fn read<T>(&self, call: impl AsyncFn(&World) -> Result<T, ServiceError>) -> T {
        for _ in 0..TRIES {
            match call(&self.world).await {
                Ok(read) => return read,
                Err(ServiceError::Store(fault)) if fault.is_transient() => {}
                Err(error) => panic!("a reader was refused: {error}"),
            }
        }
        panic!("nothing could be read in {TRIES} tries");
    }

    /// Until every connection of the pool is open again.
    async fn calm(&self) {
        let mut good = 0;
        while good < 2 * POOL {
            match self.world.service.worker().ready().await {
                Ok(()) => good += 1,
                Err(_) => good = 0,
            }
        }
    }
}

/// Polls a future this many times at most: its outcome if it comes to one, and the number of polls.
async fn walk<F: Future>(mut future: Pin<&mut F>, most: usize) -> (Option<F::Output>, usize) {
    let mut steps = 0;
    std::future::poll_fn(move |context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready((Some(done), steps)),
        Poll::Pending if steps == most => Poll::Ready((None, steps)),
        Poll::Pending => {
            steps += 1;
            Poll::Pending
        }
    })
    .await
}
