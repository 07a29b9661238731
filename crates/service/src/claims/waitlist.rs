//! What time and returning money bring: the waitlist served in order, and corrections that never
//! came.
//!
//! Money that comes back leaves a call in the same transaction. The process that wrote the call
//! serves it right after the commit, and `huanxin work` does if that process died; serving it twice
//! does nothing. Both walks are idempotent: they look at claims as they stand, under the lock of
//! their books.

use std::collections::BTreeSet;

use claims::allocate::{LimitKey, Served, State, Waiting, serve};
use claims::life_cycle::Verb;
use ledger::Fen;
use store::operation::WaitlistCallRow;
use uuid::Uuid;

use super::Claims;
use super::transition::{Move, would_touch};
use crate::funds::limits::{self, Books, LimitChanges};
use crate::operation::{Finished, Op, Recorded, ServiceError};

/// Claims looked at in one statement, and expired in one transaction.
const STEP: i64 = 500;

/// A waitlist being served, part by part.
struct Line {
    state: State,
    closed: BTreeSet<LimitKey>,
    after: Uuid,
    promoted: usize,
    recorded: Option<Recorded>,
}

impl Claims {
    /// Serves the waitlists that are called and due. Follows the commit of every operation that
    /// called one: a fault here is logged and left to `huanxin work`, since the operation is done
    /// and durable.
    pub(crate) async fn serve_called_waitlists(&self) {
        if let Err(error) = self.serve_waitlists().await {
            tracing::warn!(%error, "waitlist left to the worker");
        }
    }

    /// Serves every waitlist that is called and due, and says how many claims moved up.
    pub async fn serve_waitlists(&self) -> Result<usize, ServiceError> {
        let mut promoted = 0_usize;
        loop {
            let calls = self.op.read().await?.called_waitlists(self.op.now(), 1).await?;
            let Some(call) = calls.into_iter().next() else {
                return Ok(promoted);
            };
            let served = self
                .op
                .by_system()
                .run(|op| self.serve_waitlist(op, &call))
                .await?;
            promoted = promoted.saturating_add(served);
        }
    }

    /// Calls the waitlist of every fund in which claims wait: a new month opens a new slice of a
    /// cap without any money coming back.
    pub async fn call_all_waitlists(&self) -> Result<(), ServiceError> {
        let funds = self.op.read().await?.funds_with_waitlist().await?;
        let unit = async |mut op: Op<'_>| {
            op.call_waitlists(funds.iter().cloned()).await?;
            Ok(op.unrecorded(()))
        };
        self.op.by_system().run(unit).await
    }

    /// One fund's waitlist (with those of its sister counties, when a cap of the city is between
    /// them), in order of arrival.
    async fn serve_waitlist(
        &self,
        mut op: Op<'_>,
        call: &WaitlistCallRow,
    ) -> Result<Finished<usize>, ServiceError> {
        let catalogue = self.catalogue.current();
        let cities = catalogue.cities_of(std::slice::from_ref(&call.jurisdiction));
        let capped = !op
            .tx
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
        let books = limits::lock(&mut op.tx, &catalogue, funds).await?;
        op.tx
            .answer_waitlist_calls(&call.jurisdiction, &call.programme, op.now)
            .await?;
        let mut line = Line {
            state: books.state(),
            closed: BTreeSet::new(),
            after: Uuid::nil(),
            promoted: 0,
            recorded: None,
        };
        while self
            .serve_part(&mut op, &books, &counties, &call.programme, &mut line)
            .await?
        {}
        Ok(match line.recorded {
            Some(recorded) => op.done(recorded, line.promoted),
            None => op.unrecorded(line.promoted),
        })
    }

    /// Serves the next part of a waitlist; false when no claim behind it can be served.
    async fn serve_part(
        &self,
        op: &mut Op<'_>,
        books: &Books,
        counties: &[String],
        programme: &str,
        line: &mut Line,
    ) -> Result<bool, ServiceError> {
        let catalogue = self.catalogue.current();
        let rows = op.tx.waitlist(counties, programme, line.after, STEP).await?;
        let Some(last) = rows.last() else { return Ok(false) };
        line.after = last.id;
        let waiting = rows.iter().map(|row| {
            Ok(Waiting {
                money: row.amount.unwrap_or(Fen::ZERO),
                funds: would_touch(books, &catalogue, row, op.now)?,
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
        let (_, recorded) = self.move_claims(op, books, moves).await?;
        line.recorded = Some(recorded);
        op.tx.save_claims(&moved_on).await?;
        let waits = moved_on.iter().map(|row| self.funds.waits_on(row, op.now));
        op.tx.log_events(&waits.collect::<Vec<_>>()).await?;
        op.tx.change_limits(&changes).await?;
        // Every claim needs its county's fund: once all of those are closed, no claim
        // behind can be served.
        let mut funds = counties
            .iter()
            .map(|county| limits::limit_key(county, programme, ""));
        Ok(!funds.all(|key| key.is_ok_and(|key| line.closed.contains(&key))))
    }

    /// Rejects claims whose correction did not come in time, and frees what they held. Says how
    /// many.
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
                let expired = self.expire_in_fund(&jurisdiction, &programme).await?;
                progress = progress.saturating_add(expired);
            }
            if progress == 0 {
                break;
            }
            expired = expired.saturating_add(progress);
        }
        Ok(expired)
    }

    async fn expire_in_fund(&self, jurisdiction: &str, programme: &str) -> Result<usize, ServiceError> {
        let unit = async |mut op: Op<'_>| {
            let fund = (jurisdiction.to_owned(), programme.to_owned());
            let books = limits::lock(&mut op.tx, &self.catalogue.current(), [fund]).await?;
            let rows = op
                .tx
                .overdue_corrections(jurisdiction, programme, op.now, STEP)
                .await?;
            let moves = rows.into_iter().map(|row| Move {
                row,
                verb: Verb::Expire,
                reason: Some("补正期限已过 correction overdue".to_owned()),
                document: None,
                part: None,
            });
            let (expired, recorded) = self.move_claims(&mut op, &books, moves.collect()).await?;
            Ok(op.done(recorded, expired.len()))
        };
        self.op.by_system().run(unit).await
    }
}
