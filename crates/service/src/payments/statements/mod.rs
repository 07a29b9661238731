//! Settlement statements (清算单): what a county and a merchant owe each other over a period, from the
//! ledger's transfers alone.
//!
//! Three accounts with one rule each, to the fen: what it began with and what moved is what it ends
//! with.
//!
//! | account | begins | moves |
//! |---|---|---|
//! | claims | owed | + approved, - withdrawn, - paid, + returned by the bank |
//! | advances | with the merchant | + advanced, - returned by the bank, - set off, - repaid |
//! | clawbacks | due | + demanded, - repaid, - netted, - waived |
//!
//! What is paid is what the bank sent and what was set off and netted. Beside it stands how long
//! the merchant's own money has been out (垫资): from the day a claim arrived until it was paid, or
//! until the end of the period, weighted by amount.

mod file;

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use claims::ids::ClaimId;
use ledger::{Fen, Reason};
use store::payments::statements::{MovedRow, StatementFilter, StatementLineRow};

pub use file::StatementFormat;

use crate::operation::access::ReadStatements;
use crate::operation::convert::code;
use crate::operation::{Page, Permit, Refusal, ServiceError, paging};
use crate::payments::Payments;
use timing::shanghai;

/// Days that a statement may span.
const MOST_DAYS: i64 = 366;

/// Claims that a file of a statement may list.
const MOST_LINES: usize = 50_000;

/// Of whom, with which county, on which days (both included), of which programme if not of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementQuery {
    pub jurisdiction: String,
    /// A credit code.
    pub merchant: String,
    pub programme: Option<String>,
    pub from: NaiveDate,
    pub to: NaiveDate,
}

/// What the county owes for approved claims: `opening` + `approved` - `withdrawn` - `paid` +
/// `returned` = `closing`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClaimsAccount {
    pub opening: Fen,
    pub approved: Fen,
    pub withdrawn: Fen,
    /// `transferred` + `set_off` + `netted`.
    pub paid: Fen,
    pub transferred: Fen,
    pub set_off: Fen,
    pub netted: Fen,
    pub returned: Fen,
    pub closing: Fen,
    /// Under review at the end: reserved, not owed.
    pub reserved: Fen,
}

/// What the merchant has ahead: `opening` + `advanced` - `returned` - `set_off` - `repaid` =
/// `closing`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AdvancesAccount {
    pub opening: Fen,
    pub advanced: Fen,
    pub returned: Fen,
    pub set_off: Fen,
    pub repaid: Fen,
    pub closing: Fen,
}

/// What the merchant owes back: `opening` + `demanded` - `repaid` - `netted` - `waived` =
/// `closing`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClawbacksAccount {
    pub opening: Fen,
    pub demanded: Fen,
    pub repaid: Fen,
    pub netted: Fen,
    pub waived: Fen,
    pub closing: Fen,
}

/// How long money that the merchant laid out was out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LaidOut {
    pub claims: i64,
    pub amount: Fen,
    /// Thousandths of a day, weighted by amount; none if there is no amount.
    pub mean_millidays: Option<i64>,
    pub oldest: Option<NaiveDate>,
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub query: StatementQuery,
    /// As the register of merchants has it.
    pub name: Option<String>,
    pub made_at: DateTime<Utc>,
    pub claims: ClaimsAccount,
    pub advances: AdvancesAccount,
    pub clawbacks: ClawbacksAccount,
    /// Of claims that are open at the end, up to then.
    pub open: LaidOut,
    /// Of claims that were paid in the period, up to their payment.
    pub paid: LaidOut,
}

/// A claim that something happened to in the period, or of which something is open at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementLine {
    pub claim: ClaimId,
    pub programme: String,
    pub merchant_reference: String,
    pub created_on: NaiveDate,
    pub approved_on: Option<NaiveDate>,
    pub paid_on: Option<NaiveDate>,
    /// At the end of the period: under review, approved in all, paid less what the bank returned,
    /// owed, due back, come back.
    pub reserved: Fen,
    pub earned: Fen,
    pub paid: Fen,
    pub owed: Fen,
    pub due: Fen,
    pub back: Fen,
    /// Days from arrival to payment, or to the end of the period.
    pub days_out: i64,
}

/// A statement with its claims, as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementFile {
    pub name: String,
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}

impl Payments {
    /// What a county and a merchant owed each other over a period, with a page of its claims by id.
    /// A merchant sees its own alone.
    pub async fn statement(
        &self,
        permit: &Permit<ReadStatements>,
        query: StatementQuery,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<(Statement, Page<StatementLine>), ServiceError> {
        let after = paging::read(cursor)?;
        let mut conn = self.op.read().await?;
        let filter = self.readable(&mut conn, permit, &query).await?;
        let merchant = conn.merchant(&query.merchant).await?;
        let merchant = merchant.ok_or(Refusal::NotFound("merchant"))?;
        let moves = Moves::of(&conn.statement_moves(&filter).await?);
        let out = conn.laid_out(&filter).await?;
        let rows = conn.statement_lines(&filter, after, paging::fetch(limit)).await?;
        let lines = paging::page(rows, limit, |row| row.claim)?.try_map(|row| Ok(line(&filter, &row)))?;
        let statement = Statement {
            name: Some(merchant.name).filter(|name| !name.is_empty()),
            made_at: self.op.now(),
            claims: moves.claims()?,
            advances: moves.advances()?,
            clawbacks: moves.clawbacks()?,
            open: LaidOut {
                claims: out.open_claims,
                amount: out.open_amount,
                mean_millidays: out.open_millidays,
                oldest: out.open_since.map(shanghai::date),
            },
            paid: LaidOut {
                claims: out.paid_claims,
                amount: out.paid_amount,
                mean_millidays: out.paid_millidays,
                oldest: out.paid_since.map(shanghai::date),
            },
            query,
        };
        Ok((statement, lines))
    }

    /// A statement with all its claims as a file.
    pub async fn statement_file(
        &self,
        permit: &Permit<ReadStatements>,
        query: StatementQuery,
        format: StatementFormat,
    ) -> Result<StatementFile, ServiceError> {
        let (statement, lines) = self.statement(permit, query, None, MOST_LINES).await?;
        if lines.next_cursor.is_some() {
            return Err(Refusal::TooMany {
                what: "claims of the statement",
                limit: MOST_LINES,
            }
            .into());
        }
        file::write(&statement, &lines.items, format)
    }

    /// Whose statement it is may be asked for, and the instants that its days are.
    async fn readable(
        &self,
        conn: &mut store::Conn,
        permit: &Permit<ReadStatements>,
        query: &StatementQuery,
    ) -> Result<StatementFilter, ServiceError> {
        permit.within(&query.jurisdiction)?;
        let actor = permit.actor();
        if actor.role.is_merchant() && actor.merchant.as_ref() != Some(&query.merchant) {
            return Err(Refusal::NotFound("merchant").into());
        }
        let catalogue = self.catalogue.current();
        let county = catalogue.county(&query.jurisdiction);
        let county = code(&county.ok_or(Refusal::NotFound("ledger"))?.code)?;
        let days = query.to.signed_duration_since(query.from).num_days();
        if !(0..MOST_DAYS).contains(&days) {
            return Err(Refusal::field(
                "/to",
                "out-of-range",
                "截止日期不得早于起始日期，且跨度不超过366天",
                "the last day is not before the first, and at most 366 days are spanned",
            )
            .into());
        }
        Ok(StatementFilter {
            height: conn.height(&query.jurisdiction).await?,
            jurisdiction: county,
            merchant: query.merchant.clone(),
            programme: query.programme.clone(),
            from: shanghai::midnight(query.from),
            before: query
                .to
                .succ_opt()
                .map_or(DateTime::<Utc>::MAX_UTC, shanghai::midnight),
        })
    }
}

/// What moved by reason: before the period and in it; what came back by netting apart from what was
/// repaid.
struct Moves(HashMap<(Reason, bool, bool), Fen>);

impl Moves {
    fn of(rows: &[MovedRow]) -> Self {
        let sums = rows
            .iter()
            .map(|row| ((row.reason, row.within, row.netted), row.amount));
        Self(sums.collect())
    }

    fn sum(&self, reason: Reason, within: bool, netted: bool) -> Fen {
        self.0.get(&(reason, within, netted)).copied().unwrap_or_default()
    }

    /// In the period.
    fn moved(&self, reason: Reason) -> Fen {
        self.sum(reason, true, false)
            .saturating_add(self.sum(reason, true, true))
    }

    /// Up to the beginning, or up to the end: what these reasons add less what those take.
    fn stands(&self, at_end: bool, add: &[Reason], take: &[Reason]) -> Result<Fen, ServiceError> {
        let of = |reasons: &[Reason]| {
            let sums = reasons.iter().flat_map(|reason| {
                [false, true].map(|netted| {
                    let within = if at_end {
                        self.sum(*reason, true, netted)
                    } else {
                        Fen::ZERO
                    };
                    self.sum(*reason, false, netted).saturating_add(within)
                })
            });
            sums.fold(Fen::ZERO, Fen::saturating_add)
        };
        Ok(of(add).checked_sub(of(take))?)
    }

    fn claims(&self) -> Result<ClaimsAccount, ServiceError> {
        let add = [Reason::Approve, Reason::ReturnPayment];
        let take = [Reason::ReleasePayable, Reason::Pay];
        let (paid, set_off) = (self.moved(Reason::Pay), self.moved(Reason::SetOff));
        let netted = self.sum(Reason::ClawBack, true, true);
        Ok(ClaimsAccount {
            opening: self.stands(false, &add, &take)?,
            approved: self.moved(Reason::Approve),
            withdrawn: self.moved(Reason::ReleasePayable),
            paid,
            transferred: paid.saturating_sub(set_off).saturating_sub(netted),
            set_off,
            netted,
            returned: self.moved(Reason::ReturnPayment),
            closing: self.stands(true, &add, &take)?,
            reserved: self.stands(true, &[Reason::Reserve], &[Reason::Release, Reason::Approve])?,
        })
    }

    fn advances(&self) -> Result<AdvancesAccount, ServiceError> {
        let add = [Reason::PayAdvance];
        let take = [Reason::ReturnAdvance, Reason::SetOff, Reason::RepayAdvance];
        Ok(AdvancesAccount {
            opening: self.stands(false, &add, &take)?,
            advanced: self.moved(Reason::PayAdvance),
            returned: self.moved(Reason::ReturnAdvance),
            set_off: self.moved(Reason::SetOff),
            repaid: self.moved(Reason::RepayAdvance),
            closing: self.stands(true, &add, &take)?,
        })
    }

    fn clawbacks(&self) -> Result<ClawbacksAccount, ServiceError> {
        let add = [Reason::ClawBackDue];
        let take = [Reason::ClawBack, Reason::Waive];
        Ok(ClawbacksAccount {
            opening: self.stands(false, &add, &take)?,
            demanded: self.moved(Reason::ClawBackDue),
            repaid: self.sum(Reason::ClawBack, true, false),
            netted: self.sum(Reason::ClawBack, true, true),
            waived: self.moved(Reason::Waive),
            closing: self.stands(true, &add, &take)?,
        })
    }
}

fn line(filter: &StatementFilter, row: &StatementLineRow) -> StatementLine {
    let paid = row.paid.saturating_sub(row.returned);
    let owed = row.earned.saturating_sub(paid);
    // Open again after the bank returned it: out until the end.
    let until = row.paid_at.filter(|_| owed.is_zero()).unwrap_or(filter.before);
    StatementLine {
        claim: ClaimId::new(filter.jurisdiction, row.claim),
        programme: row.programme.clone(),
        merchant_reference: row.merchant_reference.clone(),
        created_on: shanghai::date(row.created_at),
        approved_on: row.approved_at.map(shanghai::date),
        paid_on: row.paid_at.map(shanghai::date),
        reserved: row.reserved,
        earned: row.earned,
        paid,
        owed,
        due: row.due,
        back: row.back,
        days_out: until.signed_duration_since(row.created_at).num_days(),
    }
}
