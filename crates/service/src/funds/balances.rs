//! Reading a county's ledger: balances now and as of any instant, and transfers by page.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use claims::ids::ClaimId;
use ledger::{Account, Balances, Fen, Reason};
use store::funds::{TransferFilter, TransferRow};

use super::Funds;
use super::appropriations::balances;
use crate::operation::access::ReadLedger;
use crate::operation::convert::code;
use crate::operation::{Page, Permit, Refusal, ServiceError, paging};
use timing::shanghai;

/// A transfer as it stands in a county's log.
#[derive(Debug, Clone)]
pub struct LedgerLine {
    /// Its place in the log, from 1, without gaps.
    pub height: i64,
    pub programme: String,
    pub reason: Reason,
    pub debit: Account,
    pub credit: Account,
    pub amount: Fen,
    pub claim: Option<ClaimId>,
    /// The appropriation or disbursement it belongs to.
    pub document: Option<String>,
    pub posted_at: DateTime<Utc>,
    pub actor: String,
}

/// Which transfers; dates are days in Asia/Shanghai, both included.
#[derive(Debug, Clone, Default)]
pub struct LedgerQuery {
    pub programme: Option<String>,
    pub claim: Option<ClaimId>,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
}

impl Funds {
    /// Every fund's accounts in a county, now or as of an instant: as of an instant they are the fold of the transfers.
    pub async fn balances(
        &self,
        permit: &Permit<ReadLedger>,
        jurisdiction: &str,
        as_of: Option<DateTime<Utc>>,
    ) -> Result<Vec<(String, Balances)>, ServiceError> {
        self.county(permit, jurisdiction)?;
        let mut conn = self.op.read().await?;
        let funds = conn.funds(&[jurisdiction.to_owned()], None, 10_000).await?;
        let Some(instant) = as_of else {
            return funds
                .iter()
                .map(|row| Ok((row.programme.clone(), balances(row)?)))
                .collect();
        };
        let mut sums: BTreeMap<String, Vec<(Reason, i64)>> =
            funds.into_iter().map(|row| (row.programme, Vec::new())).collect();
        for (programme, reason, amount) in conn.moved_until(jurisdiction, instant).await? {
            sums.entry(programme).or_default().push((reason, amount));
        }
        let folded = sums.into_iter().map(|(programme, sums)| {
            let balances = Balances::of_sums(sums)?;
            Ok((programme, balances))
        });
        folded.collect()
    }

    /// A county's transfers in the order of its log.
    pub async fn transfers(
        &self,
        permit: &Permit<ReadLedger>,
        jurisdiction: &str,
        query: &LedgerQuery,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<LedgerLine>, ServiceError> {
        self.county(permit, jurisdiction)?;
        let after = paging::read(cursor)?.unwrap_or(0);
        let filter = filter(jurisdiction, query, after);
        let rows = self
            .op
            .read()
            .await?
            .transfers(&filter, paging::fetch(limit))
            .await?;
        paging::page(rows, limit, |row| row.height)?.try_map(|row| line(&row))
    }

    pub(crate) fn county(&self, permit: &Permit<ReadLedger>, jurisdiction: &str) -> Result<(), Refusal> {
        self.catalogue
            .current()
            .county(jurisdiction)
            .ok_or(Refusal::NotFound("ledger"))?;
        permit.within(jurisdiction)
    }
}

pub(crate) fn filter(jurisdiction: &str, query: &LedgerQuery, after: i64) -> TransferFilter {
    TransferFilter {
        jurisdiction: jurisdiction.to_owned(),
        after,
        programme: query.programme.clone(),
        claim: query.claim.map(|claim| claim.uuid),
        from: query.from.map(shanghai::midnight),
        before: query.to.and_then(|day| day.succ_opt()).map(shanghai::midnight),
    }
}

/// What kind of id a transfer's document has.
pub(crate) fn document_prefix(reason: Reason) -> &'static str {
    if reason == Reason::Appropriate {
        "apr"
    } else {
        "dsb"
    }
}

fn line(row: &TransferRow) -> Result<LedgerLine, ServiceError> {
    let jurisdiction = code(&row.jurisdiction)?;
    let reason = row.reason;
    let (debit, credit) = reason.accounts();
    Ok(LedgerLine {
        height: row.height,
        programme: row.programme.clone(),
        reason,
        debit,
        credit,
        amount: row.amount,
        claim: row.claim.map(|claim| ClaimId::new(jurisdiction, claim)),
        document: row
            .document
            .map(|id| format!("{}_{}_{}", document_prefix(reason), row.jurisdiction, id.simple())),
        posted_at: row.posted_at,
        actor: row.actor.clone(),
    })
}
