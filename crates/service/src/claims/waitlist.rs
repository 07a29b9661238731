//! What time and returning money bring: the waitlist served in order, and corrections that never came.
//!
//! Money that comes back leaves a call in the same transaction. The call is answered right after the commit by whoever made
//! it, and by `huanxin work` if that one died; answering twice does nothing. Both walks are idempotent: they look at claims as
//! they stand, under the lock of their books.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use claims::allocate::{LimitKey, Served, State, Waiting, serve};
use claims::life_cycle::Verb;
use store::operation::WaitlistCallRow;
use store::{Done, Tx};
use uuid::Uuid;

use super::Claims;
use super::transition::{Move, Mover, would_touch};
use crate::funds::limits::{self, Books, LimitChanges};
use crate::operation::convert::fen;
use crate::operation::{Actor, ServiceError};

/// Claims looked at in one statement, and expired in one transaction.
const STEP: i64 = 500;

/// A waitlist being served, part by part.
struct Line {
    state: State,
    closed: BTreeSet<LimitKey>,
    after: Uuid,
    promoted: usize,
}

impl Claims {
    /// Answers the calls that are due. Called after every use case that may free money: a fault here is logged and left
    /// to `huanxin work`, since the caller's own work is done and durable.
    pub(crate) async fn serve_called_waitlists(&self) {
        if let Err(error) = self.serve_waitlists().await {
            tracing::warn!(%error, "waitlist left to the worker");
        }
    }

    /// Answers every call that is due, and says how many claims moved up.
    pub async fn serve_waitlists(&self) -> Result<usize, ServiceError> {
        let mut promoted = 0_usize;
        loop {
            let calls = self.op.read().await?.called_waitlists(self.op.now(), 1).await?;
            let Some(call) = calls.into_iter().next() else {
                return Ok(promoted);
            };
            let served = self.op.transaction(|tx| self.serve_waitlist(tx, &call)).await?;
            promoted = promoted.saturating_add(served);
        }
    }

    /// Calls every waitlist of funds with someone waiting: a new month opens a new slice of a cap without any money coming
    /// back.
    pub async fn call_all_waitlists(&self) -> Result<(), ServiceError> {
        let funds = self.op.read().await?.funds_with_waitlist().await?;
        let now = self.op.now();
        let calls = funds
            .into_iter()
            .map(|(jurisdiction, programme)| WaitlistCallRow {
                jurisdiction,
                programme,
                id: self.op.id(now),
                due_at: now,
            });
        let calls = calls.collect::<Vec<_>>();
        self.op
            .transaction(async |mut tx| {
                WaitlistCallRow::insert(&mut tx, &calls).await?;
                Ok(tx.done(()))
            })
            .await
    }

    /// One fund's waitlist (with those of its sister counties, when a cap of the city is between them), in order of arrival.
    async fn serve_waitlist(&self, mut tx: Tx, call: &WaitlistCallRow) -> Result<Done<usize>, ServiceError> {
        let now = self.op.now();
        let catalogue = self.catalogue.current();
        let cities = catalogue.cities_of(std::slice::from_ref(&call.jurisdiction));
        let capped = !tx
            .caps(&cities, std::slice::from_ref(&call.programme))
            .await?
            .is_empty();
        let counties = match cities.first().filter(|_| capped) {
            Some(city) => catalogue.counties_of(city),
            None => vec![call.jurisdiction.clone()],
        };
        let funds = counties
            .iter()
            .map(|county| (county.clone(), call.programme.clone()));
        let books = limits::lock(&mut tx, &catalogue, funds).await?;
        tx.answer_waitlist_calls(&call.jurisdiction, &call.programme, now)
            .await?;
        let mut line = Line {
            state: books.state(),
            closed: BTreeSet::new(),
            after: Uuid::nil(),
            promoted: 0,
        };
        while self
            .serve_part(&mut tx, &books, &counties, &call.programme, &mut line, now)
            .await?
        {}
        Ok(tx.done(line.promoted))
    }

    /// Serves the next part of a waitlist; false when nobody behind it can be served.
    async fn serve_part(
        &self,
        tx: &mut Tx,
        books: &Books,
        counties: &[String],
        programme: &str,
        line: &mut Line,
        now: DateTime<Utc>,
    ) -> Result<bool, ServiceError> {
        let catalogue = self.catalogue.current();
        let rows = tx.waitlist(counties, programme, line.after, STEP).await?;
        let Some(last) = rows.last() else { return Ok(false) };
        line.after = last.id;
        let waiting = rows.iter().map(|row| {
            Ok(Waiting {
                money: fen(row.amount.unwrap_or(0))?,
                funds: would_touch(books, &catalogue, row, now)?,
                waits_for: limits::parse_waits_for(
                    row.waits_for.as_deref().unwrap_or_default(),
                    &row.programme,
                )?,
            })
        });
        let waiting = waiting.collect::<Result<Vec<_>, ServiceError>>()?;
        let served = serve(&mut line.state, &mut line.closed, &waiting);

        let (mut moves, mut moved_on, mut changes) = (Vec::new(), Vec::new(), LimitChanges::new());
        for ((mut row, was), served) in rows.into_iter().zip(waiting).zip(served) {
            match served {
                Served::Granted => moves.push(Move {
                    row,
                    verb: Verb::Promote,
                    reason: None,
                    document: None,
                    part: None,
                }),
                Served::Waits { key, .. } if key != was.waits_for => {
                    limits::wait(&mut changes, &was.waits_for, -1);
                    limits::wait(&mut changes, &key, 1);
                    row.waits_for = Some(limits::waits_for_text(&key));
                    row.revision = row.revision.saturating_add(1);
                    moved_on.push(row);
                }
                Served::Waits { .. } => {}
            }
        }
        line.promoted = line.promoted.saturating_add(moves.len());
        let actor = Actor::system();
        self.carry_out(tx, books, moves, Mover { actor: &actor, now })
            .await?;
        tx.save_claims(&moved_on).await?;
        let waits = moved_on.iter().map(|row| self.funds.waits_on(row, now));
        tx.log_events(&waits.collect::<Result<Vec<_>, _>>()?).await?;
        tx.change_limits(&changes).await?;
        // Every claim needs its county's fund: once all of those are closed, nobody behind can be served.
        let mut funds = counties
            .iter()
            .map(|county| limits::limit_key(county, programme, ""));
        Ok(!funds.all(|key| key.is_ok_and(|key| line.closed.contains(&key))))
    }

    /// Rejects claims whose correction did not come in time, and frees what they held. Says how many.
    pub async fn expire_corrections(&self) -> Result<usize, ServiceError> {
        let mut expired = 0_usize;
        loop {
            let now = self.op.now();
            let funds = self
                .op
                .read()
                .await?
                .funds_with_overdue_corrections(now, 100)
                .await?;
            let mut progress = 0_usize;
            for (jurisdiction, programme) in funds {
                let unit = |tx| self.expire_in(tx, &jurisdiction, &programme);
                progress = progress.saturating_add(self.op.transaction(unit).await?);
            }
            if progress == 0 {
                break;
            }
            expired = expired.saturating_add(progress);
        }
        Ok(expired)
    }

    async fn expire_in(
        &self,
        mut tx: Tx,
        jurisdiction: &str,
        programme: &str,
    ) -> Result<Done<usize>, ServiceError> {
        let now = self.op.now();
        let fund = (jurisdiction.to_owned(), programme.to_owned());
        let books = limits::lock(&mut tx, &self.catalogue.current(), [fund]).await?;
        let rows = tx.overdue_corrections(jurisdiction, programme, now, STEP).await?;
        let reason = Some("补正期限已过 correction overdue".to_owned());
        let moves = rows.into_iter().map(|row| Move {
            row,
            verb: Verb::Expire,
            reason: reason.clone(),
            document: None,
            part: None,
        });
        let moves = moves.collect::<Vec<_>>();
        let expired = moves.len();
        let actor = Actor::system();
        self.carry_out(&mut tx, &books, moves, Mover { actor: &actor, now })
            .await?;
        Ok(tx.done(expired))
    }
}
