//! How an operation runs: one transaction, with its caller, its time, its events and its key, and what follows its
//! commit.
//!
//! ```text
//! runner.of(&permit).within(county)?.once("appropriate", &key).run(async |mut op| { …; Ok(op.done(recorded, value)) })
//! ```
//!
//! | step | keeps |
//! |---|---|
//! | [`Runner::of`] | the caller, whose role a [`Permit`] proves |
//! | [`Caller::within`] | that the caller may act in the county |
//! | [`Operation::once`] | that a repeat with the same key is given the first answer, see [`StoredAnswer`] |
//! | [`Operation::run`] | one transaction, run again on contention; one time for all that it writes |
//! | [`Op::record`], [`Op::done`] | that the operation leaves an event: [`Op::done`] asks for the [`Recorded`] that only recording gives |
//! | the commit | that the waitlists that the operation called are served, see [`AfterCommit`] |
//!
//! An operation is run again as a whole when another transaction was in its way, so its closure reads everything that
//! it decides on inside. Two requests that race with one key: the loser's transaction fails on the key, or is refused
//! because of what the winner did, and is given the winner's answer.
//!
//! A [`Tx`] comes from nowhere else. [`Runner::transaction`] gives one for what is nobody's operation: leases, marks,
//! values sealed again, and the group commit of claims, which keeps the keys and events of a whole batch by itself.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use store::claims::group_commit::Record;
use store::funds::{Head, Posting};
use store::operation::{EventRow, WaitlistCallRow};
use store::{Conn, Done, PoolStatus, Store, StoreError, Tx};
use uuid::Uuid;

use super::access::{Actor, Permit};
use super::error::{Refusal, ServiceError};
use super::events;
use super::idempotency::{Key, Replayable, StoredAnswer, first_answer, keep};
use crate::ports::{Clock, Ids};

/// What follows a commit. A fault is the implementation's to log: the operation is done and durable.
pub(crate) trait AfterCommit: Send + Sync + std::fmt::Debug {
    /// Money came back to a fund, and its waitlist was called.
    fn serve_waitlists(&self) -> BoxFuture<'_, ()>;
}

/// Runs operations. One for the whole service.
#[derive(Debug)]
pub(crate) struct Runner {
    store: Store,
    clock: Arc<dyn Clock>,
    ids: Ids,
    system: Actor,
    after: OnceLock<Box<dyn AfterCommit>>,
}

impl Runner {
    pub(crate) fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            ids: Ids::default(),
            system: Actor::system(),
            after: OnceLock::new(),
        }
    }

    /// Serves waitlists that were called.
    pub(crate) async fn serve_called_waitlists(&self) {
        if let Some(after) = self.after.get() {
            after.serve_waitlists().await;
        }
    }

    /// Says once what follows commits.
    pub(crate) fn follow_up(&self, after: Box<dyn AfterCommit>) {
        // A second one has no effect: there is one service for a runner.
        let _ = self.after.set(after);
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The next id at this time, after every id given before.
    pub(crate) fn id(&self, at: DateTime<Utc>) -> Uuid {
        self.ids.next(at)
    }

    pub(crate) fn pool_status(&self) -> PoolStatus {
        self.store.pool_status()
    }

    /// A connection to read with.
    pub(crate) async fn read(&self) -> Result<Conn, StoreError> {
        self.store.read().await
    }

    /// A transaction that is nobody's operation.
    pub(crate) async fn transaction<F, Fut, T>(&self, unit: F) -> Result<T, ServiceError>
    where
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<Done<T>, ServiceError>>,
    {
        self.store.write(unit).await
    }

    /// What the holder of a permit does.
    pub(crate) fn of<'a, R>(&'a self, permit: &'a Permit<R>) -> Caller<'a> {
        Caller {
            runner: self,
            actor: permit.actor(),
        }
    }

    /// What an actor does that no permit restricts: the operator at the command line, or a bank that answers.
    pub(crate) fn by<'a>(&'a self, actor: &'a Actor) -> Operation<'a> {
        Operation {
            runner: self,
            actor,
            serves: false,
        }
    }

    /// What the service does by itself when it is due. The waitlists that it calls are served in the same round of
    /// work, not by it.
    pub(crate) fn by_system(&self) -> Operation<'_> {
        self.by(&self.system)
    }
}

/// Who calls, before it is known in which county.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller<'a> {
    runner: &'a Runner,
    actor: &'a Actor,
}

impl<'a> Caller<'a> {
    /// An operation in a county. Refuses another county's business.
    pub(crate) fn within(self, county: &str) -> Result<Operation<'a>, Refusal> {
        if self.actor.may_act_in(county) {
            Ok(self.everywhere())
        } else {
            Err(Refusal::OtherJurisdiction)
        }
    }

    /// An operation that finds out by itself what the caller may act on: one's own claims and webhooks, or many
    /// counties at once, each asked by itself.
    pub(crate) fn everywhere(self) -> Operation<'a> {
        Operation {
            runner: self.runner,
            actor: self.actor,
            serves: true,
        }
    }
}

/// An operation, ready to run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation<'a> {
    runner: &'a Runner,
    actor: &'a Actor,
    /// Whether waitlists that it calls are served after its commit.
    serves: bool,
}

/// An operation that is done once for each key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OnceOperation<'a, 'k> {
    operation: Operation<'a>,
    verb: &'static str,
    key: Option<&'k Key>,
}

impl<'a> Operation<'a> {
    /// Does it once for this key.
    pub(crate) fn once<'k>(self, verb: &'static str, key: &'k Key) -> OnceOperation<'a, 'k> {
        self.once_if(verb, Some(key))
    }

    /// Does it once for the key, if there is one.
    pub(crate) fn once_if<'k>(self, verb: &'static str, key: Option<&'k Key>) -> OnceOperation<'a, 'k> {
        OnceOperation {
            operation: self,
            verb,
            key,
        }
    }

    /// Runs it in one transaction.
    pub(crate) async fn run<F, Fut, T>(self, unit: F) -> Result<T, ServiceError>
    where
        F: Fn(Op<'a>) -> Fut,
        Fut: Future<Output = Result<Finished<T>, ServiceError>>,
    {
        let write = self.runner.store.write(|tx| {
            let running = unit(self.begin(tx));
            async move { running.await.map(Finished::end) }
        });
        let (value, is_waitlist_called) = write.await?;
        self.follow(is_waitlist_called).await;
        Ok(value)
    }

    fn begin(self, tx: Tx) -> Op<'a> {
        Op {
            tx,
            runner: self.runner,
            actor: self.actor,
            now: self.runner.now(),
            is_waitlist_called: false,
        }
    }

    async fn follow(self, is_waitlist_called: bool) {
        if is_waitlist_called && self.serves {
            self.runner.serve_called_waitlists().await;
        }
    }
}

impl<'a> OnceOperation<'a, '_> {
    /// The first answer, if it was done before.
    pub(crate) async fn answer<T: StoredAnswer>(self) -> Result<Option<Replayable<T>>, ServiceError> {
        let Some(key) = self.key else { return Ok(None) };
        let Operation { runner, actor, .. } = self.operation;
        first_answer(&mut runner.read().await?, actor, key).await
    }

    /// Runs it in one transaction, or gives the first answer again.
    pub(crate) async fn run<F, Fut, T>(self, unit: F) -> Result<Replayable<T>, ServiceError>
    where
        F: Fn(Op<'a>) -> Fut,
        Fut: Future<Output = Result<Finished<T>, ServiceError>>,
        T: StoredAnswer,
    {
        let Self { operation, verb, key } = self;
        let Operation { runner, actor, .. } = operation;
        let unit = &unit;
        let write = runner.store.write(|tx| async move {
            let mut op = operation.begin(tx);
            if let Some(key) = key
                && let Some(first) = first_answer::<T>(&mut op.tx, actor, key).await?
            {
                return Ok::<_, ServiceError>(op.tx.done((first, false)));
            }
            let now = op.now;
            let mut finished = unit(op).await?;
            if let Some(key) = key {
                keep(&mut finished.tx, actor, (key, verb), &finished.value, now).await?;
            }
            let done = Finished::end(finished);
            Ok(done.map(|(value, is_waitlist_called)| {
                let replayed = false;
                (Replayable { value, replayed }, is_waitlist_called)
            }))
        });
        match (write.await, key) {
            (Ok((answer, is_waitlist_called)), _) => {
                operation.follow(is_waitlist_called).await;
                Ok(answer)
            }
            (Err(error), Some(key)) if error.may_come_of_a_repeat() => {
                // Another request with this key may have done it meanwhile, and that is what it is refused for.
                let first = first_answer::<T>(&mut runner.read().await?, actor, key).await?;
                first.ok_or(error)
            }
            (Err(error), _) => Err(error),
        }
    }
}

/// An operation that runs: its transaction, who does it, and when.
#[derive(Debug)]
pub(crate) struct Op<'a> {
    pub(crate) tx: Tx,
    pub(crate) actor: &'a Actor,
    pub(crate) now: DateTime<Utc>,
    runner: &'a Runner,
    is_waitlist_called: bool,
}

/// Proof that an operation left an event.
#[derive(Debug)]
#[must_use = "an operation ends with what it recorded"]
pub(crate) struct Recorded(());

/// An operation that came to its end, not yet committed.
#[derive(Debug)]
pub(crate) struct Finished<T> {
    tx: Tx,
    value: T,
    is_waitlist_called: bool,
}

impl<T> Finished<T> {
    fn end(self) -> Done<(T, bool)> {
        self.tx.done((self.value, self.is_waitlist_called))
    }
}

impl<'a> Op<'a> {
    /// A new id, after every id given before.
    pub(crate) fn id(&self) -> Uuid {
        self.runner.id(self.now)
    }

    /// An event of this operation, to be completed and recorded.
    pub(crate) fn event(&self, county: &str, subject: &str, verb: &str) -> EventRow {
        events::event(self.id(), county, subject, verb, self.actor, self.now)
    }

    /// Records events: in the county's log, and for whoever is told of them.
    pub(crate) async fn record(&mut self, events: &[EventRow]) -> Result<Recorded, ServiceError> {
        self.tx.record_events(events).await?;
        Ok(Recorded(()))
    }

    /// Records events with the transfers that follow from them.
    pub(crate) async fn append(
        &mut self,
        events: &[EventRow],
        postings: &[Posting],
    ) -> Result<Recorded, ServiceError> {
        self.tx.append(events, postings, self.now).await?;
        Ok(Recorded(()))
    }

    /// Records decided claims on top of the locked heads of their counties, with the events and
    /// transfers that follow from them.
    pub(crate) async fn record_claims(
        &mut self,
        heads: &[Head],
        record: Record,
    ) -> Result<Recorded, ServiceError> {
        self.tx.record(heads, record, self.now).await?;
        Ok(Recorded(()))
    }

    /// Records events that concern nobody outside, such as a look at personal data: they have no place in the log.
    pub(crate) async fn record_inside(&mut self, events: &[EventRow]) -> Result<Recorded, ServiceError> {
        events::record_inside(&mut self.tx, events).await?;
        Ok(Recorded(()))
    }

    /// Calls the waitlist of a fund that money came back to: it is served after the commit.
    pub(crate) async fn call_waitlist(&mut self, fund: (String, String)) -> Result<(), ServiceError> {
        self.call_waitlists([fund]).await
    }

    /// Calls the waitlists of funds that money came back to.
    pub(crate) async fn call_waitlists(
        &mut self,
        funds: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), ServiceError> {
        let calls = funds
            .into_iter()
            .map(|(jurisdiction, programme)| WaitlistCallRow {
                jurisdiction,
                programme,
                id: self.runner.id(self.now),
                due_at: self.now,
            });
        let calls = calls.collect::<Vec<_>>();
        WaitlistCallRow::insert(&mut self.tx, &calls).await?;
        self.is_waitlist_called |= !calls.is_empty();
        Ok(())
    }

    /// Ends an operation that left an event.
    pub(crate) fn done<T>(self, _: Recorded, value: T) -> Finished<T> {
        self.unrecorded(value)
    }

    /// Ends an operation that leaves no event: it found nothing to do, or what it did says nothing to anybody, as a
    /// message that is a test.
    pub(crate) fn unrecorded<T>(self, value: T) -> Finished<T> {
        Finished {
            tx: self.tx,
            value,
            is_waitlist_called: self.is_waitlist_called,
        }
    }
}
