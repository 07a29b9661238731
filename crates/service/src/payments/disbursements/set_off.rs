//! Setting claims against advances (抵扣预拨): what a merchant has of a fund ahead of its claims is used before it is paid more, oldest
//! first.
//!
//! It goes as netting does (`netting`), before it, and counts in the payment's `netted` with it: a disbursement sets open
//! advances against the merchant's payment when it is made, the bank is told the rest, and once the payment is paid its claims
//! are paid whole and the advances are available again.
//!
//! The payment of an advance itself is settled here, too. Once claims are set against an advance, the bank cannot have
//! returned it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use ledger::{Fen, Reason};
use store::Tx;
use store::payments::PaymentRow;
use store::payments::advances::{AdvanceRow, SetOffRow};
use store::payments::disbursements::DisbursementRow;
use uuid::Uuid;

use super::make::totals;
use super::netting::Netting;
use crate::claims::transition::Mover;
use crate::operation::convert::{distinct, fen};
use crate::operation::{Refusal, ServiceError};
use crate::payments::Payments;
use crate::payments::advances::{payment_of, sums, write};

/// Advances that one disbursement looks at. Those beyond are used by the next.
const MOST_ADVANCES: i64 = 10_000;

impl Payments {
    /// Makes the disbursement that pays an advance.
    pub(in crate::payments) async fn disburse_advance(
        &self,
        tx: &mut Tx,
        advance: &AdvanceRow,
        mover: Mover<'_>,
    ) -> Result<(), ServiceError> {
        let fund = (advance.jurisdiction.as_str(), advance.programme.as_str());
        let accounts = tx.bank_accounts(std::slice::from_ref(&advance.merchant)).await?;
        let account = accounts.first().map(|account| account.revision);
        let mut payments = [payment_of(advance, account)];
        let versions = HashMap::from([(advance.payment, self.funds.latest_version(fund.1)?)]);
        self.funds
            .take_from_sources(tx, fund, &mut payments, &versions, mover.now)
            .await?;
        let row = self.new_disbursement(advance.disbursement, fund, totals(&payments, 0)?, mover);
        tx.add_disbursement(&row).await?;
        tx.add_advance(advance).await?;
        PaymentRow::insert(tx, &payments).await?;
        self.note(tx, &row, "make_disbursement", None, mover).await
    }

    /// Whether a disbursement pays an advance whose merchant, or whose fund, is held by now.
    pub(in crate::payments) async fn is_held(
        &self,
        tx: &mut Tx,
        row: &DisbursementRow,
    ) -> Result<bool, ServiceError> {
        if row.claims > 0 {
            return Ok(false);
        }
        let payments = tx.payments(&row.jurisdiction, row.id, None, 1).await?;
        let merchant = payments.into_iter().find_map(|payment| payment.merchant);
        Ok(match merchant {
            Some(merchant) => tx.is_held((&row.jurisdiction, &row.programme), &merchant).await?,
            None => false,
        })
    }

    /// Sets payments that are being made against what their merchants have ahead.
    pub(in crate::payments) async fn set_against_advances(
        &self,
        tx: &mut Tx,
        fund: (&str, &str),
        payments: &mut [PaymentRow],
        now: DateTime<Utc>,
    ) -> Result<Vec<SetOffRow>, ServiceError> {
        let merchants = payments.iter().filter_map(|payment| payment.merchant.clone());
        let merchants = distinct(merchants.collect());
        if merchants.is_empty() {
            return Ok(Vec::new());
        }
        let (mut set_offs, mut touched) = (Vec::new(), Vec::new());
        for mut advance in tx.open_advances(fund, &merchants, MOST_ADVANCES).await? {
            let of = payments
                .iter_mut()
                .find(|it| it.merchant.as_ref() == Some(&advance.merchant));
            let Some(payment) = of else { continue };
            let mut after = sums(&advance)?;
            let left = payment.amount.saturating_sub(payment.netted);
            let part = after.set_against(fen(left)?).get();
            if part == 0 {
                continue;
            }
            write(&mut advance, &after, now);
            payment.netted = payment.netted.saturating_add(part);
            set_offs.push(SetOffRow {
                jurisdiction: advance.jurisdiction.clone(),
                payment: payment.id,
                advance: advance.id,
                amount: part,
            });
            touched.push(advance);
        }
        tx.save_advances(&touched).await?;
        Ok(set_offs)
    }

    /// Settles or gives back what these payments of a county are set against. The books must be locked.
    pub(in crate::payments) async fn settle_set_offs(
        &self,
        tx: &mut Tx,
        payments: &[(PaymentRow, Netting)],
        mover: Mover<'_>,
    ) -> Result<(), ServiceError> {
        for (payment, netting) in payments.iter().filter(|(payment, _)| payment.netted > 0) {
            let jurisdiction = payment.jurisdiction.as_str();
            let set_offs = tx.set_offs_of(jurisdiction, &[payment.id]).await?;
            let ids = set_offs.iter().map(|it| it.advance).collect::<Vec<_>>();
            let advances = tx.lock_advances(jurisdiction, &ids).await?;
            let mut advances: HashMap<Uuid, AdvanceRow> =
                advances.into_iter().map(|row| (row.id, row)).collect();
            let mut used = Vec::new();
            for one in &set_offs {
                let row = advances
                    .get_mut(&one.advance)
                    .ok_or_else(|| ServiceError::bug("a payment is set against nothing"))?;
                let part = fen(one.amount)?;
                let mut after = sums(row)?;
                match netting {
                    Netting::GivenBack => after.give_back(part),
                    Netting::StandsAgain if after.open() < part => {
                        return Err(Refusal::ResultContradicts.into());
                    }
                    Netting::StandsAgain | Netting::Stands => {
                        if *netting == Netting::StandsAgain {
                            after.set_against(part);
                        }
                        after.set_off(part).map_err(ServiceError::bug)?;
                        used.push((one.advance, part));
                    }
                }
                write(row, &after, mover.now);
            }
            let used = used
                .iter()
                .filter_map(|(id, part)| Some((advances.get(id)?, *part)));
            let used = used.collect::<Vec<_>>();
            self.come_back(tx, &used, Reason::SetOff, mover).await?;
            let used = used.iter().map(|(row, _)| *row).collect::<Vec<_>>();
            self.note_advances(tx, &used, "set_off_advance", None, mover)
                .await?;
            tx.save_advances(&advances.into_values().collect::<Vec<_>>())
                .await?;
        }
        Ok(())
    }

    /// Moves the money of advances whose payments came to something. `before` is each payment's outcome before.
    pub(in crate::payments) async fn settle_advances(
        &self,
        tx: &mut Tx,
        advances: &mut HashMap<Uuid, AdvanceRow>,
        payments: &[(PaymentRow, String)],
        mover: Mover<'_>,
    ) -> Result<(), ServiceError> {
        for (payment, before) in payments {
            let Some(row) = advances.get_mut(&payment.id) else {
                continue;
            };
            let amount = fen(row.amount)?;
            let outcome = payment.outcome.as_str();
            if matches!(
                (before.as_str(), outcome),
                ("open", "paid" | "returned") | ("failed" | "returned", "paid")
            ) {
                self.post_advances(tx, &[(row, amount)], Reason::PayAdvance, mover)
                    .await?;
                (row.status, row.paid_at, row.closed_at) = ("paid".into(), Some(mover.now), None);
            }
            match outcome {
                "returned" if is_used(row) => return Err(Refusal::ResultContradicts.into()),
                "returned" => {
                    (row.status, row.closed_at) = ("returned".into(), Some(mover.now));
                    self.come_back(tx, &[(row, amount)], Reason::ReturnAdvance, mover)
                        .await?;
                }
                "failed" | "cancelled" => {
                    let reason = match outcome {
                        "failed" => Reason::FailAdvance,
                        _ => Reason::CancelAdvance,
                    };
                    (row.status, row.closed_at) = (outcome.into(), Some(mover.now));
                    self.post_advances(tx, &[(row, amount)], reason, mover).await?;
                    let fund = (row.jurisdiction.clone(), row.programme.clone());
                    self.funds.call_waitlist(tx, fund, mover.now).await?;
                }
                _ => {}
            }
            let verb = match outcome {
                "paid" => "pay_advance",
                "returned" => "return_advance",
                "failed" => "fail_advance",
                _ => "cancel_advance",
            };
            self.note_advances(tx, &[row], verb, payment.reason.clone(), mover)
                .await?;
            tx.save_advances(std::slice::from_ref(row)).await?;
        }
        Ok(())
    }

    /// Takes back the advances of payments that are cancelled.
    pub(in crate::payments) async fn cancel_advances(
        &self,
        tx: &mut Tx,
        jurisdiction: &str,
        cancelled: &[PaymentRow],
        mover: Mover<'_>,
    ) -> Result<(), ServiceError> {
        let mut advances = advances_of(tx, jurisdiction, cancelled.iter()).await?;
        let cancelled = cancelled
            .iter()
            .map(|payment| (payment.clone(), "open".to_owned()));
        self.settle_advances(tx, &mut advances, &cancelled.collect::<Vec<_>>(), mover)
            .await
    }

    /// Instructs an advance again whose payment had come to nothing and was made after all; refused if its money is
    /// committed to others by now.
    pub(in crate::payments) async fn instruct_advance_again(
        &self,
        tx: &mut Tx,
        row: &AdvanceRow,
        mover: Mover<'_>,
    ) -> Result<(), ServiceError> {
        let fund = tx.fund(&row.jurisdiction, &row.programme).await?;
        if fund.is_none_or(|fund| fund.available < row.amount) {
            return Err(Refusal::ResultContradicts.into());
        }
        let amount = Fen::new(row.amount).map_err(ServiceError::bug)?;
        self.post_advances(tx, &[(row, amount)], Reason::InstructAdvance, mover)
            .await
    }
}

/// The advances that these payments of a county pay, locked, by payment.
pub(in crate::payments) async fn advances_of(
    tx: &mut Tx,
    jurisdiction: &str,
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
    row.set_off > 0 || row.repaid > 0 || row.pending > 0
}
