//! Submit: claims come in, decisions go out, and between the two everything is recorded or nothing is.
//!
//! A batch is the general case. Its outcomes are as if its claims had come one after another; each has its own, and none
//! fails for another's sake.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use claims::claim::Claim;
use store::Done;
use store::Tx;
use store::journal::IdempotencyRow;
use uuid::Uuid;

use crate::access::{Permit, SubmitClaims};
use crate::deciding::{Candidate, by_id};
use crate::recording::{Judged, correction_deadline, judge, load_state};
use crate::state::{self, ClaimDecision, ClaimState};
use crate::{Actor, MAX_BATCH, Refusal, Service, ServiceError, limits};

/// A claim to be submitted, with the key that makes a retry harmless and the hash of the request it came in.
#[derive(Debug, Clone)]
pub struct Command {
    pub key: String,
    pub request: [u8; 32],
    pub claim: Claim,
}

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

/// A command on its way: what it is known to become, or that it is still to be recorded.
enum Slot {
    Settled(Box<Result<Submitted, Refusal>>),
    Open(Box<Open>),
    /// The same key and request stand earlier in the batch.
    Repeats(usize),
}

impl Slot {
    fn settled(result: Result<Submitted, Refusal>) -> Self {
        Self::Settled(Box::new(result))
    }
}

struct Open {
    key: String,
    request: [u8; 32],
    id: Uuid,
    candidate: Candidate,
}

impl Service {
    /// Records claims in order; one result for each. In [`Mode::Atomic`] a refused line leaves the others unrecorded, and
    /// their results are `None`.
    pub async fn submit(
        &self,
        permit: &Permit<SubmitClaims>,
        commands: Vec<Command>,
        mode: Mode,
    ) -> Result<Vec<Option<Result<Submitted, Refusal>>>, ServiceError> {
        if commands.len() > MAX_BATCH {
            return Err(Refusal::TooMany {
                what: "claims",
                limit: MAX_BATCH,
            }
            .into());
        }
        let actor = permit.actor();
        let now = self.clock().now();
        let slots = self.prepare(permit, commands, now).await?;
        let refused = slots
            .iter()
            .any(|slot| matches!(slot, Slot::Settled(result) if result.is_err()));
        if mode == Mode::Atomic && refused {
            let kept = |slot| match slot {
                Slot::Settled(result) if result.is_err() => Some(*result),
                _ => None,
            };
            return Ok(slots.into_iter().map(kept).collect());
        }
        let open = slots.iter().filter_map(|slot| {
            if let Slot::Open(open) = slot {
                Some(&**open)
            } else {
                None
            }
        });
        let open = open.collect::<Vec<_>>();
        let mut recorded = if open.is_empty() {
            HashMap::new()
        } else {
            metrics::histogram!("huanxin_batch_size").record(u32::try_from(open.len()).unwrap_or(u32::MAX));
            self.store()
                .write(|tx| self.record_new(tx, &open, mode, actor, now))
                .await?
        };
        let mut results: Vec<Result<Submitted, Refusal>> = Vec::with_capacity(slots.len());
        for slot in slots {
            results.push(match slot {
                Slot::Settled(result) => *result,
                Slot::Open(open) => recorded
                    .remove(&open.key)
                    .ok_or_else(|| ServiceError::bug("a claim has no result"))?,
                Slot::Repeats(first) => match results.get(first) {
                    Some(Ok(first)) => Ok(Submitted {
                        claim: first.claim.clone(),
                        replayed: true,
                    }),
                    Some(Err(refusal)) => Err(refusal.clone()),
                    None => return Err(ServiceError::bug("a repeat before its first")),
                },
            });
        }
        for result in results.iter().flatten().filter(|submitted| !submitted.replayed) {
            let outcome = result
                .claim
                .decision
                .as_ref()
                .map_or("", |decision| decision.outcome.as_str());
            let programme = result.claim.programme.clone();
            metrics::counter!("huanxin_claims_total", "outcome" => outcome, "programme" => programme)
                .increment(1);
        }
        Ok(results.into_iter().map(Some).collect())
    }

    /// Decides a claim and records nothing: the answer it would get now.
    pub async fn check(
        &self,
        permit: &Permit<SubmitClaims>,
        claim: Claim,
    ) -> Result<ClaimDecision, ServiceError> {
        permit.within(claim.jurisdiction.as_str())?;
        let now = self.clock().now();
        let merchant = merchant(permit.actor())?;
        let candidate = self.decide(vec![(claim, merchant)], now).await?.pop();
        let candidate = candidate.ok_or_else(|| ServiceError::bug("one claim, one candidate"))??;
        let catalogue = self.catalogue();
        let (county, programme) = (
            candidate.claim.jurisdiction.as_str().to_owned(),
            candidate.programme.id().to_owned(),
        );
        let mut places = catalogue.cities_of(std::slice::from_ref(&county));
        places.push(county.clone());

        let mut conn = self.store().read().await?;
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
        let actor = permit.actor();
        let merchant = merchant(actor)?;
        let keys = commands
            .iter()
            .map(|command| command.key.clone())
            .collect::<Vec<_>>();
        let known = self
            .store()
            .read()
            .await?
            .idempotency_keys(&actor.client, &keys)
            .await?;
        let known: HashMap<String, IdempotencyRow> =
            known.into_iter().map(|row| (row.key.clone(), row)).collect();
        let mut replays = self.first_answers(known.values()).await?;

        let mut first_use = HashMap::<String, (usize, [u8; 32])>::new();
        let mut slots = Vec::with_capacity(commands.len());
        let mut to_decide = Vec::new();
        for (index, command) in commands.into_iter().enumerate() {
            let (first, request) = *first_use
                .entry(command.key.clone())
                .or_insert((index, command.request));
            let slot = if let Some(row) = known.get(&command.key) {
                Some(Slot::settled(match replays.remove(&command.key) {
                    Some(claim) if row.request == command.request => Ok(Submitted {
                        claim,
                        replayed: true,
                    }),
                    _ if first < index && request == command.request => {
                        slots.push(Some(Slot::Repeats(first)));
                        continue;
                    }
                    _ => Err(Refusal::IdempotencyKeyReused),
                }))
            } else if first < index {
                Some(if request == command.request {
                    Slot::Repeats(first)
                } else {
                    Slot::settled(Err(Refusal::IdempotencyKeyReused))
                })
            } else if let Err(refusal) = permit.within(command.claim.jurisdiction.as_str()) {
                Some(Slot::settled(Err(refusal)))
            } else {
                to_decide.push((index, command.key, command.request, command.claim));
                None
            };
            slots.push(slot);
        }
        let claims = to_decide
            .iter()
            .map(|(_, _, _, claim)| (claim.clone(), merchant.clone()))
            .collect();
        let decided = self.decide(claims, now).await?;
        for ((index, key, request, _), candidate) in to_decide.into_iter().zip(decided) {
            let slot = match candidate {
                Ok(candidate) => Slot::Open(Box::new(Open {
                    key,
                    request,
                    id: self.ids().next(now),
                    candidate,
                })),
                Err(refusal) => Slot::settled(Err(refusal)),
            };
            if let Some(place) = slots.get_mut(index) {
                *place = Some(slot);
            }
        }
        slots
            .into_iter()
            .map(|slot| slot.ok_or_else(|| ServiceError::bug("a command has no slot")))
            .collect()
    }

    /// The unit of work of a batch: keys of idempotency first, then the counties' books, then everything else.
    async fn record_new(
        &self,
        mut tx: Tx,
        open: &[&Open],
        mode: Mode,
        actor: &Actor,
        now: DateTime<Utc>,
    ) -> Result<Done<HashMap<String, Result<Submitted, Refusal>>>, ServiceError> {
        let rows = open.iter().map(|open| IdempotencyRow {
            client: actor.client.clone(),
            key: open.key.clone(),
            request: open.request.to_vec(),
            operation: "submit".into(),
            claim_jurisdiction: Some(open.candidate.claim.jurisdiction.as_str().to_owned()),
            claim: Some(open.id),
            answer: None,
            created_at: now,
        });
        let new = tx.remember_keys(&rows.collect::<Vec<_>>()).await?;
        let new: HashSet<String> = new.into_iter().map(|(_, key)| key).collect();
        let (fresh, raced): (Vec<_>, Vec<_>) = open.iter().copied().partition(|open| new.contains(&open.key));
        let mut results = self.raced(&mut tx, &raced, actor).await?;
        if mode == Mode::Atomic
            && let Some(Err(refusal)) = results.values().find(|result| result.is_err())
        {
            // Its key was taken by another request while it was being decided: nothing of the batch is recorded.
            return Err(refusal.clone().into());
        }

        let catalogue = self.catalogue();
        let funds = fresh.iter().map(|open| {
            (
                open.candidate.claim.jurisdiction.as_str().to_owned(),
                open.candidate.programme.id().to_owned(),
            )
        });
        let books = limits::lock(&mut tx, &catalogue, funds).await?;
        let candidates = fresh
            .iter()
            .map(|open| (&open.candidate, None))
            .collect::<Vec<_>>();
        let mut state = load_state(&mut tx, &books, &candidates).await?;
        let mut judged = Vec::with_capacity(fresh.len());
        for open in &fresh {
            let judgement = judge(&catalogue, &books, &mut state, &open.candidate, None, now)?;
            judged.push(Judged {
                candidate: &open.candidate,
                judgement,
                id: open.id,
                before: None,
            });
        }
        let states = self.record(&mut tx, &books, &judged, actor, now).await?;
        for (open, claim) in fresh.iter().zip(states) {
            results.insert(
                open.key.clone(),
                Ok(Submitted {
                    claim,
                    replayed: false,
                }),
            );
        }
        Ok(tx.done(results))
    }

    /// Another request used the same keys first, while this one was being decided.
    async fn raced(
        &self,
        tx: &mut Tx,
        raced: &[&Open],
        actor: &Actor,
    ) -> Result<HashMap<String, Result<Submitted, Refusal>>, ServiceError> {
        let mut results = HashMap::new();
        if raced.is_empty() {
            return Ok(results);
        }
        let keys = raced.iter().map(|open| open.key.clone()).collect::<Vec<_>>();
        let rows = tx.idempotency_keys(&actor.client, &keys).await?;
        let mut answers = self.first_answers_in(tx, rows.iter()).await?;
        let rows: HashMap<&str, &IdempotencyRow> = rows.iter().map(|row| (row.key.as_str(), row)).collect();
        for open in raced {
            let same = rows
                .get(open.key.as_str())
                .is_some_and(|row| row.request == open.request);
            let result = match answers.remove(&open.key) {
                Some(claim) if same => Ok(Submitted {
                    claim,
                    replayed: true,
                }),
                _ => Err(Refusal::IdempotencyKeyReused),
            };
            results.insert(open.key.clone(), result);
        }
        Ok(results)
    }

    async fn first_answers<'a>(
        &self,
        rows: impl Iterator<Item = &'a IdempotencyRow>,
    ) -> Result<HashMap<String, ClaimState>, ServiceError> {
        let rows = rows.collect::<Vec<_>>();
        if rows.is_empty() {
            return Ok(HashMap::new());
        }
        let mut conn = self.store().read().await?;
        self.first_answers_in(&mut conn, rows.into_iter()).await
    }

    /// The answers given when these keys were first used: a claim as its first decision left it, whatever came later.
    async fn first_answers_in<'a>(
        &self,
        conn: &mut store::Conn,
        rows: impl Iterator<Item = &'a IdempotencyRow>,
    ) -> Result<HashMap<String, ClaimState>, ServiceError> {
        let of_claim =
            |row: &'a IdempotencyRow| Some((row.key.clone(), row.claim_jurisdiction.clone()?, row.claim?));
        let wanted = rows.filter_map(of_claim).collect::<Vec<_>>();
        let ids = wanted
            .iter()
            .map(|(_, jurisdiction, id)| (jurisdiction.clone(), *id))
            .collect::<Vec<_>>();
        let firsts = ids
            .iter()
            .map(|(jurisdiction, id)| (jurisdiction.clone(), *id, 1))
            .collect::<Vec<_>>();
        let claims = by_id(conn.claims_by_id(&ids).await?, |row| row.id);
        let decisions = by_id(conn.decisions(&firsts).await?, |row| row.claim);
        let catalogue = self.catalogue();
        let mut answers = HashMap::new();
        for (key, _, id) in wanted {
            let (Some(row), Some(decision)) = (claims.get(&id), decisions.get(&id)) else {
                return Err(ServiceError::bug("a remembered claim is gone"));
            };
            let mut first = state::detail(&catalogue, row, decision)?;
            as_first_answered(&mut first)?;
            answers.insert(key, first);
        }
        Ok(answers)
    }
}

fn as_first_answered(state: &mut ClaimState) -> Result<(), ServiceError> {
    let decision = state
        .decision
        .as_ref()
        .ok_or_else(|| ServiceError::bug("no decision"))?;
    state.status = state::first_status(decision.outcome);
    state.revision = 1;
    state.programme_version = decision.programme.version();
    state.changed_at = state.created_at;
    let amount = decision
        .price
        .as_ref()
        .map(|price| ledger::Fen::from_decimal(price.amount));
    state.amount = amount
        .transpose()
        .map_err(ServiceError::bug)?
        .filter(|fen| !fen.is_zero());
    let needs_correction = decision.outcome == policy::Outcome::NeedsCorrection;
    state.correct_by =
        needs_correction.then(|| correction_deadline(decision.programme.correction_days(), state.created_at));
    let waitlisted = decision.outcome == policy::Outcome::Waitlisted;
    let cap = decision.rules.iter().find(|rule| waitlisted && rule.id == "cap");
    state.waits_for = cap.and_then(|rule| match rule.facts.get("cap.limit") {
        Some(policy::Value::Text(limit)) => Some(limit.clone()),
        _ => None,
    });
    state.disbursement = None;
    Ok(())
}

/// The merchant a client claims for.
pub(crate) fn merchant(actor: &Actor) -> Result<String, ServiceError> {
    actor
        .merchant
        .clone()
        .ok_or_else(|| ServiceError::bug("a merchant's client has no merchant"))
}
