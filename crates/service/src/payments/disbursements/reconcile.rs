//! Reconciliation: of what was sent to the bank, what was paid, failed, came back, and is still
//! open; to the fen.

use chrono::{DateTime, NaiveDate, Utc};
use claims::JurisdictionCode;
use claims::ids::DisbursementId;
use claims::payments::PaymentOutcome;
use ledger::Fen;
use store::payments::OutcomeSum;

use crate::operation::access::ReadFunds;
use crate::operation::{Permit, Refusal, ServiceError};
use crate::payments::Payments;
use timing::shanghai;

/// Days that one reconciliation may span.
const MOST_DAYS: i64 = 366;

/// How many payments, and how much.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    pub payments: i64,
    pub amount: Fen,
}

/// A released disbursement: `sent` is the sum of the four others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciliation {
    pub disbursement: DisbursementId,
    pub programme: String,
    /// The day it was released in Asia/Shanghai.
    pub released_on: NaiveDate,
    pub sent: Count,
    pub paid: Count,
    pub failed: Count,
    /// Paid, and given back by the bank.
    pub returned: Count,
    pub open: Count,
}

impl Payments {
    /// Of what a county released on these days, both included, how each disbursement stands now.
    pub async fn reconcile(
        &self,
        permit: &Permit<ReadFunds>,
        jurisdiction: &str,
        (from, to): (NaiveDate, NaiveDate),
    ) -> Result<Vec<Reconciliation>, ServiceError> {
        permit.within(jurisdiction)?;
        // A county that is none has released nothing.
        let Ok(jurisdiction) = JurisdictionCode::parse(jurisdiction) else {
            return Ok(Vec::new());
        };
        let days = to.signed_duration_since(from).num_days();
        if !(0..MOST_DAYS).contains(&days) {
            return Err(Refusal::field(
                "/to",
                "out-of-range",
                "截止日期不得早于起始日期，且跨度不超过366天",
                "the last day is not before the first, and at most 366 days are spanned",
            )
            .into());
        }
        let end = to.succ_opt().map_or(DateTime::<Utc>::MAX_UTC, shanghai::midnight);
        self.sums(jurisdiction, None, (shanghai::midnight(from), end))
            .await
    }

    /// How one released disbursement stands now.
    pub async fn reconcile_disbursement(
        &self,
        permit: &Permit<ReadFunds>,
        id: DisbursementId,
    ) -> Result<Reconciliation, ServiceError> {
        let disbursement = self.disbursement(permit, id).await?;
        let span = (DateTime::<Utc>::UNIX_EPOCH, DateTime::<Utc>::MAX_UTC);
        let sums = self.sums(id.jurisdiction, Some(id), span).await?;
        let settled = || Refusal::Settled {
            what: "disbursement",
            status: disbursement.status.to_string(),
        };
        Ok(sums.into_iter().next().ok_or_else(settled)?)
    }

    async fn sums(
        &self,
        jurisdiction: JurisdictionCode,
        disbursement: Option<DisbursementId>,
        span: (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Vec<Reconciliation>, ServiceError> {
        let mut conn = self.op.read().await?;
        let disbursement = disbursement.map(|id| id.uuid);
        let sums = conn.outcome_sums(jurisdiction, disbursement, span).await?;
        let mut all = Vec::<Reconciliation>::new();
        for sum in &sums {
            let known = all
                .last_mut()
                .filter(|it| it.disbursement.uuid == sum.disbursement);
            match known {
                Some(known) => known.add(sum),
                None => {
                    let mut next = Reconciliation::of(sum);
                    next.add(sum);
                    all.push(next);
                }
            }
        }
        Ok(all)
    }
}

impl Reconciliation {
    fn of(sum: &OutcomeSum) -> Self {
        Self {
            disbursement: DisbursementId::new(sum.jurisdiction, sum.disbursement),
            programme: sum.programme.clone(),
            released_on: shanghai::date(sum.released_at),
            sent: Count::default(),
            paid: Count::default(),
            failed: Count::default(),
            returned: Count::default(),
            open: Count::default(),
        }
    }

    fn add(&mut self, sum: &OutcomeSum) {
        let count = match sum.outcome {
            PaymentOutcome::Paid => &mut self.paid,
            PaymentOutcome::Failed => &mut self.failed,
            PaymentOutcome::Returned => &mut self.returned,
            PaymentOutcome::Open => &mut self.open,
            // Released disbursements alone are summed, and none of them is cancelled.
            PaymentOutcome::Cancelled => return,
        };
        for count in [count, &mut self.sent] {
            count.payments = count.payments.saturating_add(sum.payments);
            count.amount = count.amount.saturating_add(sum.amount);
        }
    }
}
