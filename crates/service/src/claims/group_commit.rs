//! Group commit: claims that arrive together are committed together, each with an outcome of its
//! own.
//!
//! A claim that is decided goes to the lane of its county; the lane takes what queued while it was
//! busy and records it in one transaction, so the county's rows are locked once a batch and one
//! flush of the log serves many. The answer goes out after the commit. A county has one lane, so
//! that two batches of this process never wait for each other's rows.
//!
//! No claim fails for another's sake: a batch that does not go through within the store's tries is
//! split, down to the claim that is at fault. Only when the database cannot be reached do all fail
//! at once, since asking it once more for each would change nothing. A full queue refuses at once,
//! and nothing was recorded.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};

use chrono::{DateTime, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use store::claims::group_commit::Asked;
use store::operation::IdempotencyRow;
use store::{Done, StoreError, Tx};
use uuid::Uuid;

use super::Claims;
use super::evaluate::Candidate;
use super::lane::{Bounds, Lane, Unanswered};
use super::lookups::{LookUp, LookedUp};
use super::record::{Judged, SUBMIT, judge, state_of};
use super::view::ClaimState;
use crate::operation::convert::distinct;
use crate::operation::{Actor, Refusal, ServiceError};

/// A claim as it was recorded, now or when the key was first used.
#[derive(Debug, Clone)]
pub struct Submitted {
    pub claim: ClaimState,
    pub replayed: bool,
}

/// What to do when a line of a batch is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Record the others.
    Continue,
    /// Record nothing.
    Atomic,
}

/// A claim that is decided and not yet recorded. All that may be done beforehand is done.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) actor: Arc<Actor>,
    pub(crate) key: String,
    pub(crate) request: [u8; 32],
    pub(crate) id: Uuid,
    /// When it arrived.
    pub(crate) at: DateTime<Utc>,
    pub(crate) candidate: Candidate,
    /// What was sent, packed and sealed to its place.
    pub(crate) sealed: Vec<u8>,
}

/// What became of a claim in a batch.
pub(crate) type Recorded = Result<Submitted, ServiceError>;

/// The lanes of a service.
#[derive(Debug)]
pub(crate) struct Lanes {
    pub(super) look_ups: Lane<LookUp, Result<LookedUp, ServiceError>>,
    writers: Vec<Lane<Open, Recorded>>,
}

impl Lanes {
    /// Opens them on the runtime this is called from. They end with the service.
    pub(crate) fn open(claims: &Weak<Claims>, settings: &crate::Settings) -> Self {
        let bounds = Bounds {
            queue: settings.intake_queue,
            batch: settings.intake_batch,
        };
        let writers = (0..settings.intake_lanes.max(1)).map(|_| {
            let claims = Weak::clone(claims);
            Lane::open(bounds, move |batch: Vec<Open>| {
                let claims = claims.upgrade();
                async move {
                    match claims {
                        Some(claims) => claims.commit(batch).await,
                        None => Vec::new(),
                    }
                }
            })
        });
        let claims = Weak::clone(claims);
        Self {
            writers: writers.collect(),
            look_ups: Lane::open(bounds, move |batch: Vec<LookUp>| {
                let claims = claims.upgrade();
                async move {
                    match claims {
                        Some(claims) => claims.look_up(batch).await,
                        None => Vec::new(),
                    }
                }
            }),
        }
    }

    /// The lane of a county, always the same.
    fn of(&self, county: &str) -> Option<&Lane<Open, Recorded>> {
        let number = county.bytes().fold(0_usize, |sum, digit| {
            sum.wrapping_mul(10).wrapping_add(usize::from(digit))
        });
        self.writers
            .get(number.checked_rem(self.writers.len()).unwrap_or(0))
    }

    /// Claims and look-ups that wait for their lane.
    pub(crate) fn waiting(&self) -> usize {
        self.writers
            .iter()
            .map(Lane::waiting)
            .fold(self.look_ups.waiting(), usize::saturating_add)
    }
}

impl From<Unanswered> for ServiceError {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Full => Self::Busy,
            Unanswered::Lost => Self::bug("a batch came to no end"),
        }
    }
}

impl Claims {
    /// Claims and look-ups that wait for their lane.
    pub fn intake_waiting(&self) -> usize {
        self.lanes.waiting()
    }

    /// Records a claim in its county's lane, if there is room for it now.
    pub(super) async fn record_in_lane(&self, open: Open) -> Recorded {
        let lane = self.lanes.of(open.candidate.claim.jurisdiction.as_str());
        lane.ok_or(Unanswered::Lost)?.ask(open)?.given().await?
    }

    /// Commits a batch, each claim with its own outcome, in the order of the batch.
    pub(super) async fn commit(&self, batch: Vec<Open>) -> Vec<Recorded> {
        metrics::histogram!("huanxin_batch_size").record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
        let mut places = (0..batch.len()).collect::<Vec<_>>();
        // In order of arrival: the ids were given then.
        places.sort_by_key(|place| batch.get(*place).map(|open| open.id));
        let sorted = places.iter().filter_map(|place| batch.get(*place));
        let outcomes = self.commit_split(sorted.collect()).await;
        let mut placed = places.into_iter().zip(outcomes).collect::<Vec<_>>();
        placed.sort_by_key(|(place, _)| *place);
        placed.into_iter().map(|(_, outcome)| outcome).collect()
    }

    fn commit_split<'a>(&'a self, batch: Vec<&'a Open>) -> BoxFuture<'a, Vec<Recorded>> {
        async move {
            let unit = |tx| self.record_new(tx, &batch, Mode::Continue);
            match self.op.transaction(unit).await {
                Ok(results) => results
                    .into_iter()
                    .map(|result| result.map_err(ServiceError::from))
                    .collect(),
                Err(error) if batch.len() < 2 => vec![Err(error)],
                Err(error @ ServiceError::Store(StoreError::Unreachable(_))) => {
                    batch.iter().map(|_| Err(error.clone())).collect()
                }
                Err(error) => {
                    tracing::warn!(%error, claims = batch.len(), "batch split");
                    metrics::counter!("huanxin_batch_splits_total").increment(1);
                    let (first, second) = batch.split_at(batch.len() / 2);
                    let mut outcomes = self.commit_split(first.to_vec()).await;
                    outcomes.extend(self.commit_split(second.to_vec()).await);
                    outcomes
                }
            }
        }
        .boxed()
    }

    /// The unit of work of a batch: idempotency keys first, then the counties' books, then
    /// everything else.
    pub(super) async fn record_new(
        &self,
        mut tx: Tx,
        open: &[&Open],
        mode: Mode,
    ) -> Result<Done<Vec<Result<Submitted, Refusal>>>, ServiceError> {
        let catalogue = self.catalogue.current();
        let (firsts, repeats) = first_uses(open);
        let opened = tx.open_books(&asked(&catalogue, &firsts)).await?;
        let new: HashSet<(&str, &str)> = opened
            .new_keys
            .iter()
            .map(|(client, key)| (client.as_str(), key.as_str()))
            .collect();
        let (fresh, raced): (Vec<&Open>, Vec<&Open>) = firsts
            .iter()
            .copied()
            .partition(|open| new.contains(&open.used()));
        let mut results = self.raced(&mut tx, &raced).await?;
        if mode == Mode::Atomic
            && let Some(Err(refusal)) = results.values().find(|result| result.is_err())
        {
            // Its key was taken by another request while it was being decided: nothing of the batch
            // is recorded.
            return Err(refusal.clone().into());
        }

        let candidates = fresh.iter().map(|open| (&open.candidate, None));
        let (books, mut state) = state_of(opened, &candidates.collect::<Vec<_>>())?;
        let mut judged = Vec::with_capacity(fresh.len());
        for open in &fresh {
            judged.push(Judged {
                judgement: judge(&catalogue, &books, &mut state, &open.candidate, None, open.at)?,
                candidate: &open.candidate,
                id: open.id,
                before: None,
                sealed: &open.sealed,
                actor: &open.actor,
                at: open.at,
            });
        }
        let states = self.record(&mut tx, &books, &judged, self.op.now()).await?;
        for (open, claim) in fresh.iter().zip(states) {
            let submitted = Submitted {
                claim,
                replayed: false,
            };
            results.insert(open.id, Ok(submitted));
        }
        for (repeat, first) in repeats {
            let again = match results.get(&first.id) {
                Some(Ok(submitted)) if repeat.request == first.request => Ok(Submitted {
                    claim: submitted.claim.clone(),
                    replayed: true,
                }),
                Some(_) | None => Err(Refusal::IdempotencyKeyReused),
            };
            results.insert(repeat.id, again);
        }
        let in_order = open.iter().map(|open| {
            let result = results.remove(&open.id);
            result.ok_or(ServiceError::from(Unanswered::Lost))
        });
        let in_order = in_order.collect::<Result<Vec<_>, _>>()?;
        Ok(tx.done(in_order))
    }

    /// Another request used the same keys first, while these were being decided. Results by the
    /// claims' ids.
    async fn raced(
        &self,
        tx: &mut Tx,
        raced: &[&Open],
    ) -> Result<HashMap<Uuid, Result<Submitted, Refusal>>, ServiceError> {
        let mut results = HashMap::new();
        if raced.is_empty() {
            return Ok(results);
        }
        let owned = |open: &&Open| (open.actor.client.clone(), open.key.clone());
        let rows = tx.used_keys(&raced.iter().map(owned).collect::<Vec<_>>()).await?;
        let mut answers = self.first_answers_in(tx, &rows).await?;
        let same: HashSet<(&str, &str, &[u8])> = rows
            .iter()
            .map(|row| (row.client.as_str(), row.key.as_str(), row.request.as_slice()))
            .collect();
        for open in raced {
            let (client, key) = open.used();
            let result = match answers.remove(&(client.to_owned(), key.to_owned())) {
                Some(claim) if same.contains(&(client, key, open.request.as_slice())) => Ok(Submitted {
                    claim,
                    replayed: true,
                }),
                Some(_) | None => Err(Refusal::IdempotencyKeyReused),
            };
            results.insert(open.id, result);
        }
        Ok(results)
    }
}

impl Open {
    /// Its idempotency key, with the client that chose it.
    fn used(&self) -> (&str, &str) {
        (&self.actor.client, &self.key)
    }
}

/// The first use of each key in a batch, and those that repeat one, each with the first.
fn first_uses<'a>(open: &[&'a Open]) -> (Vec<&'a Open>, Vec<(&'a Open, &'a Open)>) {
    let mut first_use = HashMap::new();
    let (mut firsts, mut repeats) = (Vec::with_capacity(open.len()), Vec::new());
    for open in open {
        match first_use.get(&open.used()) {
            Some(first) => repeats.push((*open, *first)),
            None => {
                first_use.insert(open.used(), *open);
                firsts.push(*open);
            }
        }
    }
    (firsts, repeats)
}

fn asked(catalogue: &crate::catalogue::Catalogue, open: &[&Open]) -> Asked {
    let keys = open.iter().map(|open| IdempotencyRow {
        client: open.actor.client.clone(),
        key: open.key.clone(),
        request: open.request.to_vec(),
        operation: SUBMIT.into(),
        claim_jurisdiction: Some(open.candidate.claim.jurisdiction.as_str().to_owned()),
        claim: Some(open.id),
        answer: None,
        created_at: open.at,
    });
    let counties = open
        .iter()
        .map(|open| open.candidate.claim.jurisdiction.as_str().to_owned());
    let counties = distinct(counties.collect());
    let programmes = open.iter().map(|open| open.candidate.programme.id().to_owned());
    let candidates = || open.iter().map(|open| &open.candidate);
    let digests = candidates().flat_map(|it| it.keys.iter().map(|key| key.1));
    let persons = candidates().map(|it| it.person);
    Asked {
        keys: keys.collect(),
        city: catalogue.cities_of(&counties),
        counties,
        programmes: distinct(programmes.collect()),
        digests: digests.collect(),
        persons: persons.collect::<HashSet<_>>().into_iter().collect(),
    }
}
