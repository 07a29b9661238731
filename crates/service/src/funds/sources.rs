//! Which source pays, and what each has left: every payment is split when it is made (`ledger::sources`), and its parts follow it
//! to the end.
//!
//! | what happens | parts |
//! |---|---|
//! | a disbursement is made | from what the source has left into payment |
//! | paid | spent |
//! | failed, cancelled | back to where they came from |
//! | a claim is returned by the bank, or repaid or netted by its payee | its share of its payment's parts goes back |
//!
//! Settling stands in the store beside the outcome of a payment, so that neither moves without the other; what comes back of a paid
//! claim stands beside its transfer (`claims::transition`). Every move is kept with its time, for the closing (`closing`). All of it happens under the lock of the fund's ledger, which whoever moves its money
//! holds anyway. A payment that comes back takes nothing of the carry with it: what is rounded is rounded over all that was
//! ever split.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use chrono::{DateTime, Utc};
use ledger::{BySource, Carry, Fen, Ratio, Source, give_back, split};
use store::Tx;
use store::claims::ClaimRow;
use store::funds::Posting;
use store::funds::sources::{PaidParts, SourceRow, Taken};
use store::payments::advances::AdvanceRow;
use store::payments::{LineRow, PaymentRow};
use uuid::Uuid;

use super::Funds;
use crate::operation::access::ReadFunds;
use crate::operation::convert::fen;
use crate::operation::{Permit, Refusal, ServiceError};

/// A source of a fund. `left` is what is neither in payment nor spent nor lapsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceBalance {
    pub source: Source,
    pub appropriated: Fen,
    pub in_payment: Fen,
    pub spent: Fen,
    pub lapsed: Fen,
    pub left: Fen,
}

impl Funds {
    /// What each of the four sources gave to a fund, and what became of it.
    pub async fn fund_sources(
        &self,
        permit: &Permit<ReadFunds>,
        programme: &str,
        jurisdiction: &str,
    ) -> Result<Vec<SourceBalance>, ServiceError> {
        permit.within(jurisdiction)?;
        let mut conn = self.op.read().await?;
        conn.fund(jurisdiction, programme)
            .await?
            .ok_or(Refusal::NotFound("fund"))?;
        let rows = conn.fund_sources(jurisdiction, programme).await?;
        let balances = Source::ALL.into_iter().map(|source| {
            let row = rows.iter().find(|row| row.source == source.as_str());
            let of = |value: fn(&SourceRow) -> i64| fen(row.map_or(0, value));
            Ok(SourceBalance {
                source,
                appropriated: of(|row| row.appropriated)?,
                in_payment: of(|row| row.in_payment)?,
                spent: of(|row| row.spent)?,
                lapsed: of(|row| row.lapsed)?,
                left: of(left)?,
            })
        });
        balances.collect()
    }

    /// Splits new payments in their order and takes the parts from the sources. A payment has the ratio of the version that decided
    /// its oldest claim. The books of the fund must be locked.
    pub(crate) async fn take_from_sources(
        &self,
        tx: &mut Tx,
        fund: (&str, &str),
        payments: &mut [PaymentRow],
        versions: &HashMap<Uuid, i32>,
        now: DateTime<Utc>,
    ) -> Result<(), ServiceError> {
        let sums = payments.iter().map(|payment| {
            let version = versions.get(&payment.id).copied();
            let version = version.ok_or_else(|| ServiceError::bug("a payment has no claim"))?;
            Ok((fen(payment.amount)?, version))
        });
        let sums = sums.collect::<Result<Vec<_>, ServiceError>>()?;
        let parts = self.take(tx, fund, &sums, Taking::IntoPayment, now).await?;
        for (payment, parts) in payments.iter_mut().zip(parts) {
            write_parts(payment, &parts);
        }
        Ok(())
    }

    /// Splits again what had come back of a payment that was paid after all.
    pub(crate) async fn take_again(
        &self,
        tx: &mut Tx,
        payment: &PaymentRow,
        (programme, version): (&str, Option<i32>),
        again: Fen,
        now: DateTime<Utc>,
    ) -> Result<PaymentRow, ServiceError> {
        let version = match version {
            Some(version) => version,
            None => self.latest_version(programme)?,
        };
        let fund = (payment.jurisdiction.as_str(), programme);
        let taken = self
            .take(tx, fund, &[(again, version)], Taking::Spent, now)
            .await?;
        let taken = taken.first().copied().unwrap_or_default();
        // Of a payment that failed nothing was spent; of one that came back, what was netted still is.
        let stood = match payment.outcome.as_str() {
            "returned" => {
                let stood = tx.outstanding_parts(&payment.jurisdiction, &[payment.id]).await?;
                stood.first().map(|(_, parts)| *parts).unwrap_or_default()
            }
            _ => [0; 4],
        };
        let stood = by_source(stood)?;
        let mut paid = payment.clone();
        let parts = BySource::from_fn(|source| taken.get(source).saturating_add(*stood.get(source)));
        write_parts(&mut paid, &parts);
        tx.save_parts(&paid).await?;
        Ok(paid)
    }

    async fn take(
        &self,
        tx: &mut Tx,
        (jurisdiction, programme): (&str, &str),
        sums: &[(Fen, i32)],
        taking: Taking,
        now: DateTime<Utc>,
    ) -> Result<Vec<BySource<Fen>>, ServiceError> {
        let rows = tx.fund_sources(jurisdiction, programme).await?;
        let of = |source: Source| rows.iter().find(|row| row.source == source.as_str());
        let behind = BySource::from_fn(|source| of(source).map_or(0, |row| row.carry));
        let mut carry =
            Carry::new(behind).ok_or_else(|| ServiceError::bug("a carry that no split leaves"))?;
        let has = BySource::from_fn(|source| of(source).map_or(0, left));
        let mut left = by_source([has.central, has.province, has.city, has.county])?;
        let mut taken = BySource::<Fen>::default();
        let mut all = Vec::with_capacity(sums.len());
        for (sum, version) in sums {
            let ratio = self.ratio(programme, *version, jurisdiction)?;
            // The fund has what it instructs, and the fund is the sum of its sources.
            let split = split(*sum, &ratio, &carry, &left)?;
            for source in Source::ALL {
                let part = *split.parts.get(source);
                *left.get_mut(source) = left.get(source).saturating_sub(part);
                *taken.get_mut(source) = taken.get(source).saturating_add(part);
            }
            all.push(split.parts);
            carry = split.carry;
        }
        let taken = Source::ALL.map(|source| {
            let amount = taken.get(source).get();
            let (in_payment, spent) = match taking {
                Taking::IntoPayment => (amount, 0),
                Taking::Spent => (0, amount),
            };
            Taken {
                source: source.as_str(),
                in_payment,
                spent,
                carry: carry.behind(source),
            }
        });
        tx.take_from_sources((jurisdiction, programme), &taken, now)
            .await?;
        Ok(all)
    }

    /// The version by whose ratio money is split that no claim's decision names one for.
    pub(crate) fn latest_version(&self, programme: &str) -> Result<i32, ServiceError> {
        let catalogue = self.catalogue.current();
        let latest = catalogue.versions(programme).last();
        let latest = latest.ok_or_else(|| ServiceError::bug("a fund of no programme"))?;
        i32::try_from(latest.version()).map_err(ServiceError::bug)
    }

    /// Who bears what of a payment in a county, as the programme says.
    fn ratio(&self, programme: &str, version: i32, county: &str) -> Result<Ratio, ServiceError> {
        let version = u32::try_from(version)?;
        let catalogue = self.catalogue.current();
        let programme = catalogue
            .version(programme, version)
            .ok_or_else(|| ServiceError::bug("version gone"))?;
        let shares = programme.funding().shares(county);
        let parts = BySource {
            central: shares.central,
            province: shares.province,
            city: shares.city,
            county: shares.county,
        };
        Ratio::new(parts).ok_or_else(|| ServiceError::bug("shares that do not add up"))
    }

    /// Gives what came back of paid claims, one posting a claim, back to the sources it came from: out of the payment that paid the claim
    /// last, and if it paid only a rest, out of the one before.
    pub(crate) async fn recover_sources(
        &self,
        tx: &mut Tx,
        came_back: &[(Uuid, &Posting)],
        now: DateTime<Utc>,
    ) -> Result<(), ServiceError> {
        if came_back.is_empty() {
            return Ok(());
        }
        let counties = came_back.iter().map(|(_, posting)| posting.jurisdiction.clone());
        let claims = came_back.iter().map(|(claim, _)| *claim);
        let mut left: HashMap<Uuid, Fen> = came_back
            .iter()
            .map(|(claim, posting)| (*claim, posting.transfer.amount))
            .collect();
        let paid = tx
            .paid_parts(&counties.collect::<Vec<_>>(), &claims.collect::<Vec<_>>())
            .await?;
        // Two claims of one payment: the second is shared over what the first left.
        let mut out = HashMap::<(&str, Uuid), BySource<Fen>>::new();
        let mut back = Vec::new();
        for parts in &paid {
            let Some(left) = left.get_mut(&parts.claim).filter(|left| !left.is_zero()) else {
                continue;
            };
            let taken = (*left).min(fen(parts.line)?);
            *left = left.saturating_sub(taken);
            let still = match out.entry((parts.jurisdiction.as_str(), parts.payment)) {
                Entry::Occupied(still) => still.into_mut(),
                Entry::Vacant(first) => first.insert(outstanding(parts)?),
            };
            let share = give_back(taken, still)?;
            *still = BySource::from_fn(|source| still.get(source).saturating_sub(*share.get(source)));
            back.push(PaidParts {
                line: taken.get(),
                central: share.central.get(),
                province: share.province.get(),
                city: share.city.get(),
                county: share.county.get(),
                ..parts.clone()
            });
        }
        if left.values().any(|left| !left.is_zero()) {
            return Err(ServiceError::bug("more came back of a claim than payments paid"));
        }
        tx.recover(&back, now).await?;
        Ok(())
    }

    /// Gives what came back of advances, each once, to the sources that paid them.
    pub(crate) async fn recover_advances(
        &self,
        tx: &mut Tx,
        came_back: &[(&AdvanceRow, Fen)],
        now: DateTime<Utc>,
    ) -> Result<(), ServiceError> {
        let Some((first, _)) = came_back.first() else {
            return Ok(());
        };
        let payments = came_back.iter().map(|(row, _)| row.payment).collect::<Vec<_>>();
        let still = tx.outstanding_parts(&first.jurisdiction, &payments).await?;
        let still: HashMap<Uuid, [i64; 4]> = still.into_iter().collect();
        let back = came_back.iter().map(|(row, amount)| {
            let still = still.get(&row.payment).copied().unwrap_or_default();
            let share = give_back(*amount, &by_source(still)?)?;
            Ok(PaidParts {
                claim: row.id,
                jurisdiction: row.jurisdiction.clone(),
                payment: row.payment,
                programme: row.programme.clone(),
                line: 0,
                central: share.central.get(),
                province: share.province.get(),
                city: share.city.get(),
                county: share.county.get(),
            })
        });
        let back = back.collect::<Result<Vec<_>, ServiceError>>()?;
        tx.recover_parts(&back, now).await?;
        Ok(())
    }
}

/// Where what is taken from sources goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taking {
    IntoPayment,
    Spent,
}

/// The version that decided the oldest claim of each payment; lines and claims are in one order, oldest first.
pub(crate) fn oldest_versions(lines: &[LineRow], rows: &[ClaimRow]) -> HashMap<Uuid, i32> {
    let mut versions = HashMap::new();
    for (line, row) in lines.iter().zip(rows) {
        versions.entry(line.payment).or_insert(row.programme_version);
    }
    versions
}

/// A payment by source.
pub(crate) fn parts_of(payment: &PaymentRow) -> Result<BySource<Fen>, ServiceError> {
    by_source([payment.central, payment.province, payment.city, payment.county])
}

fn write_parts(payment: &mut PaymentRow, parts: &BySource<Fen>) {
    payment.central = parts.central.get();
    payment.province = parts.province.get();
    payment.city = parts.city.get();
    payment.county = parts.county.get();
}

fn outstanding(parts: &PaidParts) -> Result<BySource<Fen>, ServiceError> {
    by_source([parts.central, parts.province, parts.city, parts.county])
}

fn left(row: &SourceRow) -> i64 {
    [row.in_payment, row.spent, row.lapsed]
        .into_iter()
        .fold(row.appropriated, i64::saturating_sub)
}

/// Fen of central, province, city and county.
fn by_source([central, province, city, county]: [i64; 4]) -> Result<BySource<Fen>, ServiceError> {
    Ok(BySource {
        central: fen(central)?,
        province: fen(province)?,
        city: fen(city)?,
        county: fen(county)?,
    })
}
