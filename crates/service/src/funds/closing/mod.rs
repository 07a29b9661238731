//! Months and years of a county's ledger are closed (结账), in order and once.
//!
//! A closed period takes no more transfers: what is wrong in it is put right by a transfer of the open period, and nothing is opened again.
//! A closing says for each fund and account what it began with (the end of the period before: 结转), what moved, and what it
//! carries on, and the same of each source. It is folded from the transfers up to its end and held against the balances: a difference is a bug, and
//! then nothing is closed.
//!
//! | is due | when |
//! |---|---|
//! | a month | `closing.after_days` days after its end, and the month before is closed; the first is that of the county's first transfer |
//! | a year | its December is closed, and nothing that was to lapse at its end (`lapse`) is left |
//!
//! What lapses for a year is posted in January, in the open period: the year's closing says beside its balances what has lapsed for it since. What
//! comes back later lapses later, and stands in the closings of the new year only.
//!
//! What is due is asked again under the ledger's lock, so any number of workers close a period once. A clock that lags behind
//! posts at the end of what is closed (`store::funds`), and is refused nothing.

mod period;
mod table;

use std::collections::BTreeMap;

use chrono::{DateTime, Days, Utc};
use ledger::{Account, Fen};
use store::Retry;
use store::funds::closings::{ClosedUntil, ClosingRow, ClosingSourceRow, Difference, NewClosing};

pub use period::Period;

use crate::funds::Funds;
use crate::funds::sources::SourceBalance;
use crate::operation::access::ReadLedger;
use crate::operation::convert::fen;
use crate::operation::{Finished, Op, Page, Permit, Refusal, ServiceError, paging};

/// A closed month or year of a county.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    pub jurisdiction: String,
    pub period: Period,
    /// Transfers from here on belong to later periods.
    pub until: DateTime<Utc>,
    /// The height of the log at its end: that of its last transfer, or of the last one before it.
    pub height: i64,
    /// How many transfers the period has.
    pub transfers: i64,
    pub actor: String,
    pub made_at: DateTime<Utc>,
}

/// A closing with what each fund carries on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedBooks {
    pub closing: Closing,
    /// Funds that ever moved, by programme.
    pub funds: Vec<ClosedFund>,
}

/// A fund over a closed period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedFund {
    pub programme: String,
    pub accounts: Vec<ClosedAccount>,
    pub sources: Vec<ClosedSource>,
}

/// An account over a closed period: `closing` is `opening` and debits less credits; of `appropriated` credits less debits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClosedAccount {
    pub account: Account,
    pub opening: Fen,
    pub debits: Fen,
    pub credits: Fen,
    pub closing: Fen,
}

/// A source in all, before the period and at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClosedSource {
    pub opening: SourceBalance,
    pub closing: SourceBalance,
    /// Of a year: what lapsed for it in the new year, before it was closed.
    pub lapsed_after: Fen,
}

/// The end of what is closed of a county's ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerClosed {
    pub jurisdiction: String,
    pub until: DateTime<Utc>,
}

impl Funds {
    /// Closes what is due, county by county, and says how many months and years. What does not add up is logged, and keeps nothing
    /// else from being closed.
    pub(crate) async fn close_due(&self) -> Result<usize, ServiceError> {
        let ledgers = self.op.read().await?.closed_until(None).await?;
        let mut closed = 0_usize;
        for ledger in ledgers {
            match self.close_ledger(&ledger).await {
                Ok(periods) => closed = closed.saturating_add(periods),
                Err(error) if error.is_worth_retrying() => return Err(error),
                Err(error) => {
                    tracing::error!(jurisdiction = ledger.jurisdiction, %error, "closing refused");
                }
            }
        }
        Ok(closed)
    }

    async fn close_ledger(&self, ledger: &ClosedUntil) -> Result<usize, ServiceError> {
        let (mut ledger, mut closed) = (ledger.clone(), 0_usize);
        loop {
            let mut went_on = false;
            for period in self.due(&ledger) {
                let unit = |op| self.close_period(op, &ledger.jurisdiction, period);
                if self.op.by_system().run(unit).await? {
                    (closed, went_on) = (closed.saturating_add(1), true);
                }
            }
            if !went_on {
                return Ok(closed);
            }
            let mut conn = self.op.read().await?;
            let again = conn.closed_until(Some(&ledger.jurisdiction)).await?.pop();
            ledger = again.ok_or_else(|| ServiceError::bug("a ledger is gone"))?;
        }
    }

    /// The periods of a ledger that come next and are over for long enough: the year before the month.
    fn due(&self, ledger: &ClosedUntil) -> Vec<Period> {
        let Some(first) = ledger.first_posted_at else {
            return Vec::new();
        };
        let wait = Days::new(u64::from(self.settings.closing_after_days));
        let now = self.op.now();
        let over = |until: DateTime<Utc>| until.checked_add_days(wait).is_some_and(|due| due <= now);
        let month =
            Period::month_of(ledger.month.unwrap_or(first)).filter(|month| month.until().is_some_and(over));
        let year = Period::year_of(ledger.year.unwrap_or(first));
        let year = year.filter(|year| year.until().is_some_and(|until| ledger.month >= Some(until)));
        year.into_iter().chain(month).collect()
    }

    /// Closes a period; false if another worker was faster, or something lapses first.
    async fn close_period(
        &self,
        mut op: Op<'_>,
        jurisdiction: &str,
        period: Period,
    ) -> Result<Finished<bool>, ServiceError> {
        let ledger = op.tx.lock_ledger(jurisdiction).await?;
        let ledger = ledger.ok_or_else(|| ServiceError::bug("a ledger is gone"))?;
        if !self.due(&ledger).contains(&period) {
            return Ok(op.unrecorded(false));
        }
        let (until, ends_before) = period
            .until()
            .zip(period.ends_before())
            .ok_or_else(|| ServiceError::bug("a period without an end"))?;
        let since = match period {
            Period::Month(_) => ledger.month,
            Period::Year(_) => ledger.year,
        };
        let new = NewClosing {
            jurisdiction: jurisdiction.to_owned(),
            period: period.to_string(),
            before: since.and(period.before()).map(|before| before.to_string()),
            since,
            until,
            actor: op.actor.client.clone(),
            made_at: op.now,
        };
        let differences = match period {
            Period::Month(_) => op.tx.close_month(&new).await?,
            Period::Year(_) => {
                let ended = self.ended_before(ends_before);
                if !op
                    .tx
                    .unused_central(&ended, until, Some(jurisdiction))
                    .await?
                    .is_empty()
                {
                    // The next round closes the year.
                    return Ok(op.unrecorded(false));
                }
                op.tx.close_year(&new).await?
            }
        };
        if let Some(difference) = differences.first() {
            return Err(does_not_add_up(&new, difference));
        }
        let subject = format!("ledger:{jurisdiction}");
        let mut event = op.event(jurisdiction, &subject, "close");
        event.reason = Some(format!("{period} 结账"));
        let recorded = op.record(&[event]).await?;
        Ok(op.done(recorded, true))
    }

    /// Where each county's closed periods end, of those that have any; for the metrics.
    pub async fn closed_until(&self) -> Result<Vec<LedgerClosed>, ServiceError> {
        let ledgers = self.op.read().await?.closed_until(None).await?;
        let closed = ledgers.into_iter().filter_map(|ledger| {
            Some(LedgerClosed {
                jurisdiction: ledger.jurisdiction,
                until: ledger.month?,
            })
        });
        Ok(closed.collect())
    }

    /// A county's closings, newest first.
    pub async fn closings(
        &self,
        permit: &Permit<ReadLedger>,
        jurisdiction: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Closing>, ServiceError> {
        self.county(permit, jurisdiction)?;
        let after = paging::read(cursor)?;
        let mut conn = self.op.read().await?;
        let rows = conn.closings(jurisdiction, after, paging::fetch(limit)).await?;
        paging::page(rows, limit, |row| (row.until, row.kind.clone()))?.try_map(|row| shown(&row))
    }

    /// A closing with its funds.
    pub async fn closing(
        &self,
        permit: &Permit<ReadLedger>,
        jurisdiction: &str,
        period: Period,
    ) -> Result<ClosedBooks, ServiceError> {
        self.county(permit, jurisdiction)?;
        let (mut conn, period) = (self.op.read().await?, period.to_string());
        // Rows that are added together and never change: three statements see one thing.
        let row = conn.closing(jurisdiction, &period).await?;
        let closing = shown(&row.ok_or(Refusal::NotFound("closing"))?)?;
        let mut funds = BTreeMap::<String, ClosedFund>::new();
        let open = |programme: &String| ClosedFund {
            programme: programme.clone(),
            accounts: Vec::new(),
            sources: Vec::new(),
        };
        for row in conn.closing_balances(jurisdiction, &period).await? {
            let fund = funds.entry(row.programme.clone()).or_insert_with_key(open);
            fund.accounts.push(ClosedAccount {
                account: row.account,
                opening: row.opening,
                debits: row.debits,
                credits: row.credits,
                closing: row.closing,
            });
        }
        for row in conn.closing_sources(jurisdiction, &period).await? {
            let source = closed_source(&row)?;
            let fund = funds.entry(row.programme.clone()).or_insert_with_key(open);
            fund.sources.push(source);
        }
        for fund in funds.values_mut() {
            fund.accounts.sort_by_key(|line| line.account);
            fund.sources.sort_by_key(|line| line.closing.source);
        }
        Ok(ClosedBooks {
            closing,
            funds: funds.into_values().collect(),
        })
    }
}

fn does_not_add_up(new: &NewClosing, difference: &Difference) -> ServiceError {
    ServiceError::bug(format!(
        "{} of {} is not closed: {} {} folds to {} fen and stands at {}",
        new.period,
        new.jurisdiction,
        difference.programme,
        difference.what,
        difference.folded,
        difference.stands
    ))
}

fn shown(row: &ClosingRow) -> Result<Closing, ServiceError> {
    Ok(Closing {
        jurisdiction: row.jurisdiction.clone(),
        period: Period::parse(&row.period).ok_or_else(|| ServiceError::bug("unknown period"))?,
        until: row.until,
        height: row.height,
        transfers: row.transfers,
        actor: row.actor.clone(),
        made_at: row.made_at,
    })
}

fn closed_source(row: &ClosingSourceRow) -> Result<ClosedSource, ServiceError> {
    let source = row.source;
    let balance = |[appropriated, in_payment, spent, lapsed]: [i64; 4]| {
        let left = [in_payment, spent, lapsed]
            .into_iter()
            .fold(appropriated, i64::saturating_sub);
        Ok::<_, ServiceError>(SourceBalance {
            source,
            appropriated: fen(appropriated)?,
            in_payment: fen(in_payment)?,
            spent: fen(spent)?,
            lapsed: fen(lapsed)?,
            left: fen(left)?,
        })
    };
    Ok(ClosedSource {
        opening: balance([
            row.opening_appropriated,
            row.opening_in_payment,
            row.opening_spent,
            row.opening_lapsed,
        ])?,
        closing: balance([row.appropriated, row.in_payment, row.spent, row.lapsed])?,
        lapsed_after: fen(row.lapsed_after)?,
    })
}
