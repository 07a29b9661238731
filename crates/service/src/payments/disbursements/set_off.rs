//! Setting claims against advances (抵扣预拨): what a merchant has of a fund ahead of its claims is
//! used before it is paid more, oldest first.
//!
//! It goes as netting does (`netting`), before it, and counts in the payment's `netted` with it: a
//! disbursement sets open advances against the merchant's payment when it is made, the bank pays
//! the rest, and once the payment is paid its claims are paid whole and the advances are available
//! again.
//!
//! The payment of an advance itself is settled here, too. Once claims are set against an advance,
//! the bank cannot have returned it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use claims::JurisdictionCode;
use claims::payments::{AdvanceStatus, PaymentOutcome};
use ledger::{Fen, Reason, Transfer};
use store::Tx;
use store::funds::Posting;
use store::payments::PaymentRow;
use store::payments::advances::{AdvanceRow, SetOffRow};
use store::payments::disbursements::DisbursementRow;
use uuid::Uuid;

use super::netting::Netting;
use crate::operation::convert::distinct;
use crate::operation::{Op, Recorded, Refusal, ServiceError};
use crate::payments::Payments;

/// Advances that one disbursement looks at. Those beyond are used by the next.
const MOST_ADVANCES: i64 = 10_000;

impl Payments {
    /// Whether a disbursement pays an advance whose merchant, or whose fund, is held by now.
    pub(in crate::payments) async fn is_held(
        &self,
        tx: &mut Tx,
        row: &DisbursementRow,
    ) -> Result<bool, ServiceError> {
        if row.claims > 0 {
            return Ok(false);
        }
        let payments = tx.payments(row.id(), None, 1).await?;
        let merchant = payments.into_iter().find_map(|payment| payment.merchant);
        Ok(match merchant {
            Some(merchant) => tx.is_held((row.jurisdiction, &row.programme), &merchant).await?,
            None => false,
        })
    }

    /// Sets payments that are being made against what their merchants have ahead.
    pub(in crate::payments) async fn set_against_advances(
        &self,
        op: &mut Op<'_>,
        fund: (JurisdictionCode, &str),
        payments: &mut [PaymentRow],
    ) -> Result<Vec<SetOffRow>, ServiceError> {
        let merchants = payments.iter().filter_map(|payment| payment.merchant.clone());
        let merchants = distinct(merchants.collect());
        if merchants.is_empty() {
            return Ok(Vec::new());
        }
        let (mut set_offs, mut touched) = (Vec::new(), Vec::new());
        for mut advance in op.tx.open_advances(fund, &merchants, MOST_ADVANCES).await? {
            let of = payments
                .iter_mut()
                .find(|it| it.merchant.as_ref() == Some(&advance.merchant));
            let Some(payment) = of else { continue };
            let mut after = sums(&advance);
            let part = after.set_against(payment.sent());
            if part.is_zero() {
                continue;
            }
            write(&mut advance, &after, op.now);
            payment.netted = payment.netted.saturating_add(part);
            set_offs.push(SetOffRow {
                jurisdiction: advance.jurisdiction,
                payment: payment.id,
                advance: advance.id,
                amount: part,
            });
            touched.push(advance);
        }
        op.tx.save_advances(&touched).await?;
        Ok(set_offs)
    }

    /// Settles or gives back what these payments of a county are set against. The books must be
    /// locked.
    pub(in crate::payments) async fn settle_set_offs(
        &self,
        op: &mut Op<'_>,
        payments: &[(PaymentRow, Netting)],
    ) -> Result<(), ServiceError> {
        for (payment, netting) in payments.iter().filter(|(payment, _)| !payment.netted.is_zero()) {
            let jurisdiction = payment.jurisdiction;
            let set_offs = op.tx.set_offs_of(jurisdiction, &[payment.id]).await?;
            let ids = set_offs.iter().map(|it| it.advance).collect::<Vec<_>>();
            // Those of the payment are there, by foreign key.
            let mut advances = op.tx.lock_advances(jurisdiction, &ids).await?;
            let part_of: HashMap<Uuid, Fen> = set_offs.iter().map(|it| (it.advance, it.amount)).collect();
            for row in &mut advances {
                let part = part_of.get(&row.id).copied().unwrap_or_default();
                let mut after = sums(row);
                match netting {
                    Netting::GivenBack => after.give_back(part),
                    Netting::Stands => after.set_off(part)?,
                    Netting::StandsAgain if after.open() < part => {
                        return Err(Refusal::ResultContradicts.into());
                    }
                    Netting::StandsAgain => {
                        after.set_against(part);
                        after.set_off(part)?;
                    }
                }
                write(row, &after, op.now);
            }
            if *netting != Netting::GivenBack {
                let used = advances
                    .iter()
                    .map(|row| (row, part_of.get(&row.id).copied().unwrap_or_default()));
                self.come_back(op, &used.collect::<Vec<_>>(), Reason::SetOff)
                    .await?;
                let used = advances.iter().collect::<Vec<_>>();
                self.note_advances(op, &used, "set_off_advance", None)
                    .await
                    .map(drop)?;
            }
            op.tx.save_advances(&advances).await?;
        }
        Ok(())
    }

    /// Moves the money of advances whose payments were settled, each given with the payment's
    /// outcome before.
    pub(in crate::payments) async fn settle_advances(
        &self,
        op: &mut Op<'_>,
        advances: &mut HashMap<Uuid, AdvanceRow>,
        payments: &[(PaymentRow, PaymentOutcome)],
    ) -> Result<(), ServiceError> {
        for (payment, before) in payments {
            let Some(row) = advances.get_mut(&payment.id) else {
                continue;
            };
            let settled = self.settle_advance(op, row, *before, payment.outcome).await?;
            if let Some(reason) = settled {
                self.note_advances(op, &[row], reason.as_str(), payment.reason.clone())
                    .await
                    .map(drop)?;
                op.tx.save_advances(std::slice::from_ref(row)).await?;
            }
        }
        Ok(())
    }

    /// Moves the money of one advance, and says for which reason; none while its payment is open.
    async fn settle_advance(
        &self,
        op: &mut Op<'_>,
        row: &mut AdvanceRow,
        before: PaymentOutcome,
        outcome: PaymentOutcome,
    ) -> Result<Option<Reason>, ServiceError> {
        use PaymentOutcome::{Cancelled, Failed, Open, Paid, Returned};
        let amount = row.amount;
        if matches!(
            (before, outcome),
            (Open, Paid | Returned) | (Failed | Returned, Paid)
        ) {
            self.post_advances(op, &[(row, amount)], Reason::PayAdvance)
                .await?;
            (row.status, row.paid_at, row.closed_at) = (AdvanceStatus::Paid, Some(op.now), None);
        }
        let (status, reason) = match outcome {
            Open => return Ok(None),
            Paid => return Ok(Some(Reason::PayAdvance)),
            Returned => {
                if is_used(row) {
                    return Err(Refusal::ResultContradicts.into());
                }
                (row.status, row.closed_at) = (AdvanceStatus::Returned, Some(op.now));
                self.come_back(op, &[(row, amount)], Reason::ReturnAdvance)
                    .await?;
                return Ok(Some(Reason::ReturnAdvance));
            }
            Failed => (AdvanceStatus::Failed, Reason::FailAdvance),
            Cancelled => (AdvanceStatus::Cancelled, Reason::CancelAdvance),
        };
        (row.status, row.closed_at) = (status, Some(op.now));
        self.post_advances(op, &[(row, amount)], reason).await?;
        op.call_waitlist((row.jurisdiction.to_string(), row.programme.clone()))
            .await?;
        Ok(Some(reason))
    }

    /// Takes back the advances of payments that are cancelled.
    pub(in crate::payments) async fn cancel_advances(
        &self,
        op: &mut Op<'_>,
        jurisdiction: JurisdictionCode,
        cancelled: &[PaymentRow],
    ) -> Result<(), ServiceError> {
        let mut advances = advances_of(&mut op.tx, jurisdiction, cancelled.iter()).await?;
        let cancelled = cancelled
            .iter()
            .map(|payment| (payment.clone(), PaymentOutcome::Open));
        self.settle_advances(op, &mut advances, &cancelled.collect::<Vec<_>>())
            .await
    }

    /// Instructs an advance again whose payment had come to nothing and was made after all; refused
    /// if its money is committed to others by now.
    pub(in crate::payments) async fn instruct_advance_again(
        &self,
        op: &mut Op<'_>,
        row: &AdvanceRow,
    ) -> Result<(), ServiceError> {
        let fund = op.tx.fund(row.jurisdiction.as_str(), &row.programme).await?;
        if fund.is_none_or(|fund| fund.available < row.amount.get()) {
            return Err(Refusal::ResultContradicts.into());
        }
        self.post_advances(op, &[(row, row.amount)], Reason::InstructAdvance)
            .await
    }

    /// Posts transfers of advances, each of which names the disbursement that paid it.
    pub(in crate::payments) async fn post_advances(
        &self,
        op: &mut Op<'_>,
        moved: &[(&AdvanceRow, Fen)],
        reason: Reason,
    ) -> Result<(), ServiceError> {
        let postings = moved.iter().map(|(row, amount)| {
            Ok(Posting {
                jurisdiction: row.jurisdiction.to_string(),
                programme: row.programme.clone(),
                transfer: Transfer::new(reason, *amount)?,
                claim: None,
                document: Some(row.disbursement),
                actor: op.actor.client.clone(),
            })
        });
        let postings = postings.collect::<Result<Vec<_>, ServiceError>>()?;
        op.tx.post(&postings, op.now).await?;
        Ok(())
    }

    /// Money of one fund that merchants had comes back: to the fund, to its sources, and to the
    /// claims that wait for it.
    pub(in crate::payments) async fn come_back(
        &self,
        op: &mut Op<'_>,
        moved: &[(&AdvanceRow, Fen)],
        reason: Reason,
    ) -> Result<(), ServiceError> {
        let Some((first, _)) = moved.first() else {
            return Ok(());
        };
        self.post_advances(op, moved, reason).await?;
        self.funds.recover_advances(&mut op.tx, moved, op.now).await?;
        op.call_waitlist((first.jurisdiction.to_string(), first.programme.clone()))
            .await
    }

    /// Records what was done to advances.
    pub(in crate::payments) async fn note_advances(
        &self,
        op: &mut Op<'_>,
        rows: &[&AdvanceRow],
        verb: &str,
        why: Option<String>,
    ) -> Result<Recorded, ServiceError> {
        let events = rows.iter().map(|row| {
            let mut event = op.event(row.jurisdiction.as_str(), &row.id().to_string(), verb);
            event.to_status = Some(row.status.to_string());
            event.reason.clone_from(&why);
            event
        });
        let events = events.collect::<Vec<_>>();
        op.record(&events).await
    }
}

/// The advances that these payments of a county pay, locked, by payment.
pub(in crate::payments) async fn advances_of(
    tx: &mut Tx,
    jurisdiction: JurisdictionCode,
    payments: impl Iterator<Item = &PaymentRow>,
) -> Result<HashMap<Uuid, AdvanceRow>, ServiceError> {
    let ids = payments.filter_map(|payment| payment.advance).collect::<Vec<_>>();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = tx.lock_advances(jurisdiction, &ids).await?;
    Ok(rows.into_iter().map(|row| (row.payment, row)).collect())
}

/// Whether claims are set against it, or something of it was repaid.
pub(in crate::payments) fn is_used(row: &AdvanceRow) -> bool {
    [row.set_off, row.repaid, row.pending]
        .iter()
        .any(|sum| !sum.is_zero())
}

pub(in crate::payments) fn sums(row: &AdvanceRow) -> ledger::Advance {
    ledger::Advance {
        amount: row.amount,
        set_off: row.set_off,
        repaid: row.repaid,
        pending: row.pending,
    }
}

/// Writes what is left of a paid advance.
pub(in crate::payments) fn write(row: &mut AdvanceRow, sums: &ledger::Advance, now: DateTime<Utc>) {
    (row.set_off, row.repaid, row.pending) = (sums.set_off, sums.repaid, sums.pending);
    if sums.out().is_zero() {
        (row.status, row.closed_at) = (AdvanceStatus::Used, Some(now));
    }
}
