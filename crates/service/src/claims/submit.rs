//! Submit: claims come in, decisions go out, and between the two everything is recorded or nothing
//! is.
//!
//! A batch is the general case. Its outcomes are as if its claims had come one after another; each
//! has its own, and none fails for another's sake.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use claims::claim::Claim;
use store::operation::IdempotencyRow;

use super::Claims;
use super::group_commit::{Mode, Open, Recorded, Submitted};
use super::lane::Unanswered;
use super::record::{judge, load_state, next_revision};
use super::view::{ClaimDecision, ClaimState, merchant};
use crate::funds::limits;
use crate::operation::access::SubmitClaims;
use crate::operation::{MAX_BATCH, Permit, Refusal, ServiceError};

/// A claim to be submitted, with the key that makes a retry harmless and the hash of the request it
/// came in.
#[derive(Debug, Clone)]
pub struct Command {
    pub key: String,
    pub request: [u8; 32],
    pub claim: Claim,
}

/// A command on its way: what it is known to become, or that it is still to be recorded.
enum Slot {
    Settled(Box<Result<Submitted, Refusal>>),
    Open(Box<Open>),
    /// The same key and request stand earlier in the batch.
    Repeats(usize),
}

/// A [`Slot`] whose claim is on its way.
enum Place {
    Settled(Box<Result<Submitted, Refusal>>),
    Open,
    Repeats(usize),
}

impl Slot {
    fn settled(result: Result<Submitted, Refusal>) -> Self {
        Self::Settled(Box::new(result))
    }
}

impl Claims {
    /// Records claims in order; one result for each. In [`Mode::Atomic`] a refused line leaves the
    /// others unrecorded, and their results are `None`.
    ///
    /// A lone claim is refused at once when the service is busy.
    pub async fn submit(
        &self,
        permit: &Permit<SubmitClaims>,
        commands: Vec<Command>,
        mode: Mode,
    ) -> Result<Vec<Option<Recorded>>, ServiceError> {
        if commands.len() > MAX_BATCH {
            return Err(Refusal::TooMany {
                what: "claims",
                limit: MAX_BATCH,
            }
            .into());
        }
        let slots = self.prepare(permit, commands, self.op.now()).await?;
        let results = match mode {
            Mode::Continue => self.each_by_itself(slots).await,
            Mode::Atomic => {
                let refused = |slot: &Slot| matches!(slot, Slot::Settled(result) if result.is_err());
                if slots.iter().any(refused) {
                    let kept = |slot| match slot {
                        Slot::Settled(result) => result.err().map(|refusal| Err(refusal.into())),
                        Slot::Open(_) | Slot::Repeats(_) => None,
                    };
                    return Ok(slots.into_iter().map(kept).collect());
                }
                self.all_or_nothing(slots).await?
            }
        };
        for submitted in results.iter().flatten().filter(|submitted| !submitted.replayed) {
            let claim = &submitted.claim;
            let outcome = claim.decision.as_ref().map_or("", |it| it.outcome.as_str());
            metrics::counter!("huanxin_claims_total", "outcome" => outcome, "programme" => claim.programme.clone())
                .increment(1);
        }
        Ok(results.into_iter().map(Some).collect())
    }

    /// Each claim with an outcome of its own: a lone one in the lane of its county, many as a batch
    /// by themselves, since one after another they may be of several counties and of one person.
    async fn each_by_itself(&self, slots: Vec<Slot>) -> Vec<Recorded> {
        let alone = slots.len() == 1;
        let (mut open, mut places) = (Vec::new(), Vec::with_capacity(slots.len()));
        for slot in slots {
            places.push(match slot {
                Slot::Settled(result) => Place::Settled(result),
                Slot::Repeats(first) => Place::Repeats(first),
                Slot::Open(claim) => {
                    open.push(*claim);
                    Place::Open
                }
            });
        }
        let mut recorded = match open.pop() {
            Some(lone) if alone => vec![self.record_in_lane(lone).await],
            Some(last) => {
                open.push(last);
                self.commit(open).await
            }
            None => Vec::new(),
        }
        .into_iter();
        let mut results = Vec::with_capacity(places.len());
        for place in places {
            results.push(match place {
                Place::Settled(result) => result.map_err(ServiceError::from),
                Place::Open => recorded.next().unwrap_or_else(lost),
                Place::Repeats(first) => again(&results, first),
            });
        }
        results
    }

    /// All claims in one transaction of their own.
    async fn all_or_nothing(&self, slots: Vec<Slot>) -> Result<Vec<Recorded>, ServiceError> {
        let open = slots.iter().filter_map(|slot| match slot {
            Slot::Open(open) => Some(&**open),
            Slot::Settled(_) | Slot::Repeats(_) => None,
        });
        let open = open.collect::<Vec<_>>();
        let mut recorded = if open.is_empty() {
            Vec::new()
        } else {
            self.op
                .transaction(|tx| self.record_new(tx, &open, Mode::Atomic))
                .await?
        }
        .into_iter();
        let mut results = Vec::with_capacity(slots.len());
        for slot in slots {
            results.push(match slot {
                Slot::Settled(result) => result.map_err(ServiceError::from),
                Slot::Open(_) => recorded
                    .next()
                    .map_or_else(lost, |result| result.map_err(ServiceError::from)),
                Slot::Repeats(first) => again(&results, first),
            });
        }
        Ok(results)
    }

    /// Decides a claim and records nothing: the answer it would get now.
    pub async fn check(
        &self,
        permit: &Permit<SubmitClaims>,
        claim: Claim,
    ) -> Result<ClaimDecision, ServiceError> {
        permit.within(claim.jurisdiction.as_str())?;
        let now = self.op.now();
        let merchant = merchant(permit.actor())?;
        let candidate = self.decide_one(claim, merchant, now).await??;
        let catalogue = self.catalogue.current();
        let (county, programme) = (
            candidate.claim.jurisdiction.as_str().to_owned(),
            candidate.programme.id().to_owned(),
        );
        let mut places = catalogue.cities_of(std::slice::from_ref(&county));
        places.push(county.clone());

        let mut conn = self.op.read().await?;
        let mut books = limits::Books::default();
        if let Some(fund) = conn.fund(&county, &programme).await? {
            books.add_fund(&fund)?;
        }
        for cap in conn.caps(&places, &[programme]).await? {
            books.add_cap(&cap)?;
        }
        let mut state = load_state(&mut conn, &books, &[(&candidate, None)]).await?;
        let judgement = judge(&catalogue, &books, &mut state, &candidate, None, now)?;
        Ok(ClaimDecision {
            receipt: None,
            leaf: None,
            ..judgement.decision(&candidate)
        })
    }

    /// Settles what needs no decision (replays, reused keys, other counties) and decides the rest.
    async fn prepare(
        &self,
        permit: &Permit<SubmitClaims>,
        commands: Vec<Command>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Slot>, ServiceError> {
        let actor = Arc::new(permit.actor().clone());
        let merchant = merchant(&actor)?;
        let mut keys = Vec::with_capacity(commands.len());
        let mut claims = Vec::with_capacity(commands.len());
        for command in commands {
            keys.push((command.key, command.request));
            claims.push((command.claim, merchant.clone()));
        }
        let used = keys.iter().map(|(key, _)| (actor.client.clone(), key.clone()));
        let (known, used) = self.known_and_used(&claims, used.collect()).await?;
        let mut used = UsedKeys::new(&actor.client, &used, self.first_answers(&used).await?);

        let mut slots = BTreeMap::new();
        let (mut open, mut to_decide) = (Vec::new(), Vec::new());
        let known = claims.into_iter().zip(known);
        for (index, ((key, request), (claim, known))) in keys.into_iter().zip(known).enumerate() {
            if let Some(slot) = used.slot(index, &key, request) {
                slots.insert(index, slot);
            } else if let Err(refusal) = permit.within(claim.0.jurisdiction.as_str()) {
                slots.insert(index, Slot::settled(Err(refusal)));
            } else {
                open.push((index, key, request));
                to_decide.push((claim, known));
            }
        }
        let decided = self.decide_known(to_decide, now).await?;
        for ((index, key, request), candidate) in open.into_iter().zip(decided) {
            let slot = match candidate {
                Ok(candidate) => {
                    let id = self.op.id(now);
                    Slot::Open(Box::new(Open {
                        actor: Arc::clone(&actor),
                        key,
                        request,
                        id,
                        at: now,
                        sealed: self.seal(&candidate.claim, id, next_revision(None))?,
                        candidate,
                    }))
                }
                Err(refusal) => Slot::settled(Err(refusal)),
            };
            slots.insert(index, slot);
        }
        Ok(slots.into_values().collect())
    }
}

/// The idempotency keys of a batch: those that were used before, and those that stand in it twice.
struct UsedKeys<'a> {
    client: &'a str,
    rows: HashMap<&'a str, &'a IdempotencyRow>,
    first_answers: HashMap<(String, String), ClaimState>,
    first_uses: HashMap<String, (usize, [u8; 32])>,
}

impl<'a> UsedKeys<'a> {
    fn new(
        client: &'a str,
        rows: &'a [IdempotencyRow],
        first_answers: HashMap<(String, String), ClaimState>,
    ) -> Self {
        Self {
            client,
            rows: rows.iter().map(|row| (row.key.as_str(), row)).collect(),
            first_answers,
            first_uses: HashMap::new(),
        }
    }

    /// What the key makes of a command: its first answer, a repeat of an earlier line, a refusal,
    /// or nothing if it is new.
    fn slot(&mut self, index: usize, key: &str, request: [u8; 32]) -> Option<Slot> {
        let first = self.first_uses.entry(key.to_owned()).or_insert((index, request));
        let (first, is_same) = (first.0, first.1 == request);
        let row = self.rows.get(key);
        let answer = row.and_then(|row| {
            let answer = self
                .first_answers
                .remove(&(self.client.to_owned(), key.to_owned()));
            answer.filter(|_| row.request == request)
        });
        if let Some(claim) = answer {
            let replayed = true;
            return Some(Slot::settled(Ok(Submitted { claim, replayed })));
        }
        let is_repeat = first < index;
        (is_repeat || row.is_some()).then(|| {
            if is_repeat && is_same {
                Slot::Repeats(first)
            } else {
                Slot::settled(Err(Refusal::IdempotencyKeyReused))
            }
        })
    }
}

/// The result of the first use of a key, for a repeat of it.
fn again(results: &[Recorded], first: usize) -> Recorded {
    let first = results.get(first).cloned().unwrap_or_else(lost)?;
    Ok(Submitted {
        claim: first.claim,
        replayed: true,
    })
}

/// A claim that its batch did not answer.
fn lost() -> Recorded {
    Err(Unanswered::Lost.into())
}
