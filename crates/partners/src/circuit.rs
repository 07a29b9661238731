//! A circuit breaker: after several failures in a row calls to a partner fail at once for a while,
//! and then a single call tries.
//!
//! ```text
//!            enough failures in a row                pause is over: one call may try
//!  closed ───────────────────────────────► open ───────────────────────────────────────► half-open
//!    ▲                                      ▲                                                │ │
//!    │                                      └───────────────── it failed, or gave up ────────┘ │
//!    └─────────────────────────────────────────────────────────────────────── it succeeded ────┘
//! ```
//!
//! A call that began before the last change of state proves nothing about the new state and is not
//! counted. Time comes in as an argument.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Whether calls reach the partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CircuitState {
    /// Every call may try.
    Closed,
    /// One call may try, to find out.
    HalfOpen,
    /// No call may try until the pause is over; the next call after it does.
    Open,
}

/// How many failures open the circuit, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patience {
    /// Failures in a row.
    pub(crate) failures: u32,
    pub(crate) pause: Duration,
}

#[derive(Debug)]
pub(crate) struct Circuit {
    patience: Patience,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: State,
    /// Counts the changes of state, so that a call can compare the state it began in with the
    /// present one.
    era: u64,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant },
    HalfOpen,
}

impl Circuit {
    pub(crate) fn new(patience: Patience) -> Self {
        let inner = Inner {
            state: State::Closed { failures: 0 },
            era: 0,
        };
        Self {
            patience,
            inner: Mutex::new(inner),
        }
    }

    pub(crate) fn state(&self) -> CircuitState {
        match self.lock().state {
            State::Closed { .. } => CircuitState::Closed,
            State::Open { .. } => CircuitState::Open,
            State::HalfOpen => CircuitState::HalfOpen,
        }
    }

    /// Permission for one attempt, whose outcome the circuit expects.
    ///
    /// # Errors
    /// How long the circuit stays open; the whole pause while another call tries.
    pub(crate) fn enter(&self, now: Instant) -> Result<Entry<'_>, Duration> {
        let mut inner = self.lock();
        match inner.state {
            State::Closed { .. } => {}
            State::Open { until } if now < until => return Err(until.duration_since(now)),
            State::Open { .. } => inner.turn(State::HalfOpen),
            State::HalfOpen => return Err(self.patience.pause),
        }
        Ok(Entry {
            circuit: self,
            era: inner.era,
            began: now,
            settled: false,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn turn(&mut self, state: State) {
        self.state = state;
        self.era = self.era.wrapping_add(1);
    }
}

/// Permission for one attempt. If it is dropped without an outcome (its call was cancelled), a
/// half-open circuit gives permission to the next call.
#[derive(Debug)]
#[must_use = "the circuit needs the outcome of the attempt"]
pub(crate) struct Entry<'a> {
    circuit: &'a Circuit,
    era: u64,
    began: Instant,
    settled: bool,
}

impl Entry<'_> {
    pub(crate) fn succeeded(mut self) {
        self.report(|inner, _| match &mut inner.state {
            State::Closed { failures } => *failures = 0,
            State::HalfOpen => inner.turn(State::Closed { failures: 0 }),
            State::Open { .. } => {}
        });
    }

    pub(crate) fn failed(mut self, now: Instant) {
        self.report(|inner, patience| {
            let open = State::Open {
                // A pause too long to be added counts as none, rather than as one for ever.
                until: now.checked_add(patience.pause).unwrap_or(now),
            };
            match &mut inner.state {
                State::Closed { failures } => {
                    *failures = failures.saturating_add(1);
                    if *failures >= patience.failures {
                        inner.turn(open);
                    }
                }
                State::HalfOpen => inner.turn(open),
                State::Open { .. } => {}
            }
        });
    }

    fn report(&mut self, how: impl FnOnce(&mut Inner, Patience)) {
        self.settled = true;
        let mut inner = self.circuit.lock();
        if inner.era == self.era {
            how(&mut inner, self.circuit.patience);
        }
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        let began = self.began;
        self.report(|inner, _| {
            if matches!(inner.state, State::HalfOpen) {
                inner.turn(State::Open { until: began });
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        failures: 3,
        pause: Duration::from_secs(30),
    };

    fn failing(circuit: &Circuit, times: u32) {
        for _ in 0..times {
            circuit.enter(Instant::now()).unwrap().failed(Instant::now());
        }
    }

    fn opened() -> Circuit {
        let circuit = Circuit::new(PATIENCE);
        failing(&circuit, 3);
        assert_eq!(circuit.state(), CircuitState::Open);
        circuit
    }

    #[tokio::test(start_paused = true)]
    async fn failures_in_a_row_open_it() {
        let circuit = Circuit::new(PATIENCE);
        failing(&circuit, 2);
        circuit.enter(Instant::now()).unwrap().succeeded();
        failing(&circuit, 2);
        assert_eq!(circuit.state(), CircuitState::Closed);
        failing(&circuit, 1);
        assert_eq!(circuit.state(), CircuitState::Open);

        tokio::time::advance(Duration::from_secs(10)).await;
        let left = circuit.enter(Instant::now()).unwrap_err();
        assert_eq!(left, Duration::from_secs(20));
    }

    #[tokio::test(start_paused = true)]
    async fn one_call_finds_out_whether_it_is_well_again() {
        let circuit = opened();
        tokio::time::advance(PATIENCE.pause).await;
        let entry = circuit.enter(Instant::now()).unwrap();
        assert_eq!(circuit.state(), CircuitState::HalfOpen);
        assert_eq!(circuit.enter(Instant::now()).unwrap_err(), PATIENCE.pause);
        entry.succeeded();
        assert_eq!(circuit.state(), CircuitState::Closed);
        // The count begins anew: the two failures before the success are forgotten.
        failing(&circuit, 2);
        assert_eq!(circuit.state(), CircuitState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_trial_that_fails_opens_it_again() {
        let circuit = opened();
        tokio::time::advance(PATIENCE.pause).await;
        failing(&circuit, 1);
        assert_eq!(circuit.state(), CircuitState::Open);
        assert_eq!(circuit.enter(Instant::now()).unwrap_err(), PATIENCE.pause);
    }

    #[tokio::test(start_paused = true)]
    async fn a_trial_that_is_given_up_leaves_it_to_the_next() {
        let circuit = opened();
        tokio::time::advance(PATIENCE.pause).await;
        drop(circuit.enter(Instant::now()).unwrap());
        assert_eq!(circuit.state(), CircuitState::Open);
        circuit.enter(Instant::now()).unwrap().succeeded();
        assert_eq!(circuit.state(), CircuitState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_given_up_while_it_is_closed_says_nothing() {
        let circuit = Circuit::new(PATIENCE);
        failing(&circuit, 2);
        drop(circuit.enter(Instant::now()).unwrap());
        assert_eq!(circuit.state(), CircuitState::Closed);
        failing(&circuit, 1);
        assert_eq!(circuit.state(), CircuitState::Open);
    }

    #[tokio::test(start_paused = true)]
    async fn what_began_before_a_change_is_not_counted() {
        let circuit = Circuit::new(PATIENCE);
        let (late_success, late_failure) = (
            circuit.enter(Instant::now()).unwrap(),
            circuit.enter(Instant::now()).unwrap(),
        );
        failing(&circuit, 3);
        late_success.succeeded();
        assert_eq!(circuit.state(), CircuitState::Open);

        tokio::time::advance(PATIENCE.pause).await;
        let trial = circuit.enter(Instant::now()).unwrap();
        late_failure.failed(Instant::now());
        assert_eq!(circuit.state(), CircuitState::HalfOpen);
        trial.succeeded();
        assert_eq!(circuit.state(), CircuitState::Closed);
    }

    #[test]
    fn many_at_once_send_one_trial() {
        let circuit = Circuit::new(Patience {
            failures: 1,
            pause: Duration::ZERO,
        });
        let now = Instant::now();
        circuit.enter(now).unwrap().failed(now);
        let tried = std::thread::scope(|scope| {
            let threads = [(); 8].map(|()| scope.spawn(|| circuit.enter(now).ok()));
            threads.map(|thread| thread.join().unwrap())
        });
        assert_eq!(tried.iter().flatten().count(), 1);
    }
}
