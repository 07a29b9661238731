//! Advances to merchants (预拨): a county pays ahead of a merchant's claims, in pairs, and what they come to is set against it first.
//!
//! An advance is a disbursement of its own, with one payment and no claims: whoever makes it is not who releases it, and above
//! an amount there is a third; it goes to the bank in a file, and what the bank says of it comes back, as for any other. When
//! claims are set against it is told in `disbursements::set_off`. What is left of it can be repaid. All of it happens under the lock
//! of the county's ledger.

use chrono::{DateTime, Utc};
use claims::ids::{AdvanceId, DisbursementId, PaymentId};
use ledger::{Fen, NotLeft, Reason, Transfer};
use serde::{Deserialize, Serialize};
use store::funds::Posting;
use store::payments::PaymentRow;
use store::payments::advances::AdvanceRow;
use store::{Done, Tx};

use super::Payments;
use crate::claims::transition::Mover;
use crate::funds::limits;
use crate::operation::access::{ManageFunds, ReadFunds};
use crate::operation::convert::{code, fen};
use crate::operation::{Key, Page, Permit, Refusal, Replayable, ServiceError, events, paging};

/// What is to be advanced, and the document that allows it.
#[derive(Debug, Clone)]
pub struct NewAdvance {
    pub jurisdiction: String,
    pub programme: String,
    /// A credit code.
    pub merchant: String,
    pub amount: Fen,
    pub document: String,
}

/// What a merchant gives back of an advance.
#[derive(Debug, Clone)]
pub struct Repayment {
    /// All that is open if nothing is said.
    pub amount: Option<Fen>,
    /// Number of the bank's document.
    pub document: String,
}

/// An advance as it stands: what was paid is set off, repaid, pending or open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advance {
    pub id: String,
    pub jurisdiction: String,
    pub programme: String,
    pub merchant: String,
    pub disbursement: String,
    pub payment: String,
    /// made, paid, used, failed, returned or cancelled.
    pub status: String,
    /// Yuan, two decimals, as every sum here.
    pub amount: String,
    pub set_off: String,
    pub repaid: String,
    pub pending: String,
    pub open: String,
    pub document: String,
    pub made_at: DateTime<Utc>,
    pub paid_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
}

impl Payments {
    /// Makes an advance, and the disbursement that pays it; another person releases that.
    pub async fn make_advance(
        &self,
        permit: &Permit<ManageFunds>,
        new: NewAdvance,
        key: Key,
    ) -> Result<Replayable<Advance>, ServiceError> {
        permit.within(&new.jurisdiction)?;
        self.op
            .transaction(|tx| self.make_advance_in(tx, permit, &new, &key))
            .await
    }

    async fn make_advance_in(
        &self,
        mut tx: Tx,
        permit: &Permit<ManageFunds>,
        new: &NewAdvance,
        key: &Key,
    ) -> Result<Done<Replayable<Advance>>, ServiceError> {
        let mover = Mover {
            actor: permit.actor(),
            now: self.op.now(),
        };
        let fund = (new.jurisdiction.as_str(), new.programme.as_str());
        let locked = [(new.jurisdiction.clone(), new.programme.clone())];
        limits::lock(&mut tx, &self.catalogue.current(), locked).await?;
        let row = tx.fund(fund.0, fund.1).await?;
        let available = row.ok_or(Refusal::NotFound("fund"))?.available;
        // Under the lock, where whoever raced with the same key has committed.
        if let Some(first) = self.op.answered(&mut tx, mover.actor, key).await? {
            return Ok(tx.done(first));
        }
        self.may_have(&mut tx, fund, &new.merchant).await?;
        if new.amount.get() > available {
            return Err(more_than(fen(available)?, "advance.more-than-available").into());
        }
        let row = AdvanceRow {
            jurisdiction: new.jurisdiction.clone(),
            id: self.op.id(mover.now),
            programme: new.programme.clone(),
            merchant: new.merchant.clone(),
            disbursement: self.op.id(mover.now),
            payment: self.op.id(mover.now),
            amount: new.amount.get(),
            document: new.document.clone(),
            set_off: 0,
            repaid: 0,
            pending: 0,
            status: "made".into(),
            maker: mover.actor.person.clone(),
            made_at: mover.now,
            paid_at: None,
            closed_at: None,
        };
        self.disburse_advance(&mut tx, &row, mover).await?;
        self.post_advances(&mut tx, &[(&row, new.amount)], Reason::InstructAdvance, mover)
            .await?;
        let made = advance(&row)?;
        self.note_advances(
            &mut tx,
            &[&row],
            "make_advance",
            Some(new.document.clone()),
            mover,
        )
        .await?;
        self.op
            .keep_answer(&mut tx, mover.actor, key, "make_advance", &made)
            .await?;
        Ok(tx.done(Replayable {
            value: made,
            replayed: false,
        }))
    }

    /// Only a merchant that is admitted, and whose money nothing holds back, is paid ahead of its claims.
    async fn may_have(&self, tx: &mut Tx, fund: (&str, &str), merchant: &str) -> Result<(), ServiceError> {
        let known = tx.merchant(merchant).await?;
        if known.is_none_or(|row| row.status != "admitted") {
            return Err(Refusal::field(
                "/merchant",
                "advance.not-admitted",
                "该商户未入围或已被暂停、取消资格，不得预拨",
                "it is the credit code of a merchant that is admitted to the programmes",
            )
            .into());
        }
        if tx.is_held(fund, merchant).await? {
            return Err(Refusal::field(
                "/merchant",
                "advance.held",
                "该商户或项目处于暂停支付，解除后方可预拨",
                "its money is held: lift the hold (GET /v1/holds) first",
            )
            .into());
        }
        Ok(())
    }

    /// Records that a merchant repaid an advance, or part of what is open of it.
    pub async fn repay_advance(
        &self,
        permit: &Permit<ManageFunds>,
        id: AdvanceId,
        repayment: Repayment,
        key: Key,
    ) -> Result<Replayable<Advance>, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        let repaid = self
            .op
            .transaction(|tx| self.repay_in(tx, permit, id, &repayment, &key))
            .await?;
        self.claims.serve_called_waitlists().await;
        Ok(repaid)
    }

    async fn repay_in(
        &self,
        mut tx: Tx,
        permit: &Permit<ManageFunds>,
        id: AdvanceId,
        repayment: &Repayment,
        key: &Key,
    ) -> Result<Done<Replayable<Advance>>, ServiceError> {
        let mover = Mover {
            actor: permit.actor(),
            now: self.op.now(),
        };
        let jurisdiction = id.jurisdiction.as_str();
        let seen = tx.advance(jurisdiction, id.uuid).await?;
        let seen = seen.ok_or(Refusal::NotFound("advance"))?;
        limits::lock(
            &mut tx,
            &self.catalogue.current(),
            [(seen.jurisdiction, seen.programme)],
        )
        .await?;
        if let Some(first) = self.op.answered(&mut tx, mover.actor, key).await? {
            return Ok(tx.done(first));
        }
        let row = tx.lock_advances(jurisdiction, &[id.uuid]).await?;
        let mut row = row.into_iter().next().ok_or(Refusal::NotFound("advance"))?;
        if row.status != "paid" {
            return Err(Refusal::Settled {
                what: "advance",
                status: row.status,
            }
            .into());
        }
        let mut after = sums(&row)?;
        let part = repayment.amount.unwrap_or_else(|| after.open());
        after
            .repay(part)
            .map_err(|NotLeft { held }| more_than(held, "advance.more-than-open"))?;
        write(&mut row, &after, mover.now);
        tx.save_advances(std::slice::from_ref(&row)).await?;
        self.come_back(&mut tx, &[(&row, part)], Reason::RepayAdvance, mover)
            .await?;
        let value = advance(&row)?;
        self.note_advances(
            &mut tx,
            &[&row],
            "repay_advance",
            Some(repayment.document.clone()),
            mover,
        )
        .await?;
        self.op
            .keep_answer(&mut tx, mover.actor, key, "repay_advance", &value)
            .await?;
        Ok(tx.done(Replayable {
            value,
            replayed: false,
        }))
    }

    pub async fn advance(&self, permit: &Permit<ReadFunds>, id: AdvanceId) -> Result<Advance, ServiceError> {
        permit.within(id.jurisdiction.as_str())?;
        let mut conn = self.op.read().await?;
        let row = conn.advance(id.jurisdiction.as_str(), id.uuid).await?;
        advance(&row.ok_or(Refusal::NotFound("advance"))?)
    }

    /// Advances, newest first; those of one merchant if one is named.
    pub async fn advances(
        &self,
        permit: &Permit<ReadFunds>,
        jurisdiction: Option<String>,
        merchant: Option<&str>,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Advance>, ServiceError> {
        let counties = paging::counties(permit, jurisdiction)?;
        let before = paging::read(cursor)?;
        let mut conn = self.op.read().await?;
        let rows = conn
            .advances(&counties, merchant, before, paging::fetch(limit))
            .await?;
        paging::page(rows, limit, |row| row.id)?.try_map(|row| advance(&row))
    }

    /// Posts transfers of advances, each of which names the disbursement that paid it.
    pub(super) async fn post_advances(
        &self,
        tx: &mut Tx,
        moved: &[(&AdvanceRow, Fen)],
        reason: Reason,
        mover: Mover<'_>,
    ) -> Result<(), ServiceError> {
        let postings = moved.iter().map(|(row, amount)| {
            Ok(Posting {
                jurisdiction: row.jurisdiction.clone(),
                programme: row.programme.clone(),
                transfer: Transfer::new(reason, *amount).map_err(ServiceError::bug)?,
                claim: None,
                document: Some(row.disbursement),
                actor: mover.actor.client.clone(),
            })
        });
        tx.post(&postings.collect::<Result<Vec<_>, ServiceError>>()?, mover.now)
            .await?;
        Ok(())
    }

    /// Money of one fund that merchants had comes back: to the fund, to its sources, and to who waits for it.
    pub(super) async fn come_back(
        &self,
        tx: &mut Tx,
        moved: &[(&AdvanceRow, Fen)],
        reason: Reason,
        mover: Mover<'_>,
    ) -> Result<(), ServiceError> {
        let Some((first, _)) = moved.first() else {
            return Ok(());
        };
        self.post_advances(tx, moved, reason, mover).await?;
        self.funds.recover_advances(tx, moved, mover.now).await?;
        let fund = (first.jurisdiction.clone(), first.programme.clone());
        self.funds.call_waitlist(tx, fund, mover.now).await
    }

    /// Writes what was done to advances.
    pub(super) async fn note_advances(
        &self,
        tx: &mut Tx,
        rows: &[&AdvanceRow],
        verb: &str,
        why: Option<String>,
        mover: Mover<'_>,
    ) -> Result<(), ServiceError> {
        let events = rows.iter().map(|row| {
            let subject = AdvanceId::new(code(&row.jurisdiction)?, row.id).to_string();
            let mut event = events::event(
                self.op.id(mover.now),
                &row.jurisdiction,
                &subject,
                verb,
                mover.actor,
                mover.now,
            );
            (event.to_status, event.reason) = (Some(row.status.clone()), why.clone());
            Ok(event)
        });
        tx.record_events(&events.collect::<Result<Vec<_>, ServiceError>>()?)
            .await?;
        Ok(())
    }
}

/// The payment of an advance.
pub(super) fn payment_of(row: &AdvanceRow, account: Option<i32>) -> PaymentRow {
    PaymentRow {
        jurisdiction: row.jurisdiction.clone(),
        id: row.payment,
        disbursement: row.disbursement,
        payee: "merchant".into(),
        merchant: Some(row.merchant.clone()),
        person: None,
        account,
        claims: 0,
        amount: row.amount,
        outcome: "open".into(),
        reason: None,
        settled_at: None,
        central: 0,
        province: 0,
        city: 0,
        county: 0,
        netted: 0,
        advance: Some(row.id),
    }
}

pub(crate) fn sums(row: &AdvanceRow) -> Result<ledger::Advance, ServiceError> {
    Ok(ledger::Advance {
        amount: fen(row.amount)?,
        set_off: fen(row.set_off)?,
        repaid: fen(row.repaid)?,
        pending: fen(row.pending)?,
    })
}

/// Writes what is left of a paid advance.
pub(crate) fn write(row: &mut AdvanceRow, sums: &ledger::Advance, now: DateTime<Utc>) {
    (row.set_off, row.repaid, row.pending) = (sums.set_off.get(), sums.repaid.get(), sums.pending.get());
    if sums.out().is_zero() {
        (row.status, row.closed_at) = ("used".into(), Some(now));
    }
}

fn more_than(most: Fen, code: &str) -> Refusal {
    Refusal::field(
        "/amount",
        code,
        format!("金额须大于零，且不超过{most}元"),
        format!("it is more than nothing and at most {most}"),
    )
}

fn advance(row: &AdvanceRow) -> Result<Advance, ServiceError> {
    let (jurisdiction, sums) = (code(&row.jurisdiction)?, sums(row)?);
    let open = if row.status == "paid" {
        sums.open()
    } else {
        Fen::ZERO
    };
    Ok(Advance {
        id: AdvanceId::new(jurisdiction, row.id).to_string(),
        jurisdiction: row.jurisdiction.clone(),
        programme: row.programme.clone(),
        merchant: row.merchant.clone(),
        disbursement: DisbursementId::new(jurisdiction, row.disbursement).to_string(),
        payment: PaymentId::new(jurisdiction, row.payment).to_string(),
        status: row.status.clone(),
        amount: sums.amount.to_string(),
        set_off: sums.set_off.to_string(),
        repaid: sums.repaid.to_string(),
        pending: sums.pending.to_string(),
        open: open.to_string(),
        document: row.document.clone(),
        made_at: row.made_at,
        paid_at: row.paid_at,
        closed_at: row.closed_at,
    })
}
