//! Natural batching: what comes while a lane is busy is taken together when it is free, up to a
//! limit. No question waits for a batch to fill: an idle lane takes a lone one at once.
//!
//! The queue is bounded, and a full one refuses at once ([`Unanswered::Full`]). A batch that panics
//! answers none of its questions ([`Unanswered::Lost`]), and the lane goes on. A lane ends when its
//! last handle is dropped.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// The queue is full: nothing was taken.
    Full,
    /// The batch that the question was in came to no end. What it did is unknown.
    Lost,
}

/// How much a lane takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Questions that wait, beside those at work.
    pub(super) queue: usize,
    /// Questions of one batch.
    pub(super) batch: usize,
}

/// Where questions are put to one lane.
pub(super) struct Lane<Q, A>(mpsc::Sender<(Q, oneshot::Sender<A>)>);

impl<Q, A> std::fmt::Debug for Lane<Q, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lane({} of {} free)", self.0.capacity(), self.0.max_capacity())
    }
}

impl<Q: Send + 'static, A: Send + 'static> Lane<Q, A> {
    /// Opens a lane on the runtime this is called from. `work` answers a batch: one answer for each
    /// question, in order.
    pub(crate) fn open<F, Fut>(bounds: Bounds, work: F) -> Self
    where
        F: Fn(Vec<Q>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Vec<A>> + Send + 'static,
    {
        let (sender, mut receiver) = mpsc::channel::<(Q, oneshot::Sender<A>)>(bounds.queue.max(1));
        let work = Arc::new(work);
        tokio::spawn(async move {
            let mut taken = Vec::with_capacity(bounds.batch);
            while receiver.recv_many(&mut taken, bounds.batch.max(1)).await > 0 {
                let (questions, replies): (Vec<_>, Vec<_>) = taken.drain(..).unzip();
                // A task of its own, so that its panic is not the lane's.
                let Ok(answers) = tokio::spawn(work(questions)).await else {
                    continue;
                };
                for (reply, answer) in replies.into_iter().zip(answers) {
                    // Whoever asked may have gone away: what was done for it stays done.
                    let _ = reply.send(answer);
                }
            }
        });
        Self(sender)
    }

    /// Puts a question if there is room for it now.
    pub(super) fn ask(&self, question: Q) -> Result<Answer<A>, Unanswered> {
        let (reply, answer) = oneshot::channel();
        self.0.try_send((question, reply)).map_err(|_| Unanswered::Full)?;
        Ok(Answer(answer))
    }

    /// Questions that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.0.max_capacity().saturating_sub(self.0.capacity())
    }
}

/// An answer on its way.
#[derive(Debug)]
pub(super) struct Answer<A>(oneshot::Receiver<A>);

impl<A> Answer<A> {
    pub(super) async fn given(self) -> Result<A, Unanswered> {
        self.0.await.map_err(|_| Unanswered::Lost)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::sync::{Notify, Semaphore};

    use super::*;

    const BOUNDS: Bounds = Bounds { queue: 4, batch: 3 };

    #[tokio::test]
    async fn what_came_meanwhile_is_taken_together() {
        let (gate, sizes) = (Arc::new(Semaphore::new(0)), Arc::new(Mutex::new(Vec::new())));
        let began = Arc::new(Notify::new());
        let lane = {
            let (gate, sizes, began) = (Arc::clone(&gate), Arc::clone(&sizes), Arc::clone(&began));
            Lane::open(BOUNDS, move |batch: Vec<u32>| {
                let (gate, sizes, began) = (Arc::clone(&gate), Arc::clone(&sizes), Arc::clone(&began));
                async move {
                    sizes.lock().unwrap().push(batch.len());
                    began.notify_one();
                    gate.acquire().await.unwrap().forget();
                    batch.into_iter().map(|n| n * 2).collect()
                }
            })
        };
        let lone = lane.ask(1).unwrap();
        began.notified().await;
        let meanwhile = [2, 3, 4, 5].map(|n| lane.ask(n).unwrap());
        assert_eq!(lane.waiting(), 4);
        assert_eq!(lane.ask(6).unwrap_err(), Unanswered::Full);
        gate.add_permits(3);
        assert_eq!(lone.given().await, Ok(2));
        for (answer, expected) in meanwhile.into_iter().zip([4, 6, 8, 10]) {
            assert_eq!(answer.given().await, Ok(expected));
        }
        assert_eq!(*sizes.lock().unwrap(), [1, 3, 1]);
    }

    #[tokio::test]
    async fn a_batch_that_panics_is_lost_and_the_lane_goes_on() {
        let lane = Lane::open(BOUNDS, |batch: Vec<u32>| async move {
            assert!(!batch.contains(&13), "unlucky");
            batch
        });
        assert_eq!(lane.ask(13).unwrap().given().await, Err(Unanswered::Lost));
        assert_eq!(lane.ask(1).unwrap().given().await, Ok(1));
    }
}
