//! Central money that nobody used by 31 December goes back (中央资金年终失效).
//!
//! What lapses is what central granted before the end of the last year, in Asia/Shanghai, to a programme whose window had ended by then, and that
//! is neither spent nor in payment nor committed: never more than the fund has available, so no claim loses what it was promised. Grants are
//! used oldest first; what central grants afterwards, to settle an old year, lapses at the end of the year it was granted in.
//!
//! What is due is asked again under the lock of the fund, so any number of workers let it lapse once. Money that comes back later,
//! from a claim withdrawn in January, lapses when it has come back.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use ledger::{Reason, Transfer};
use store::funds::Posting;
use store::funds::sources::Unused;

use super::Funds;
use super::limits;
use crate::operation::convert::fen;
use crate::operation::{Finished, Op, ServiceError};
use timing::shanghai;

/// The end of the last year, and the programmes that had ended by then.
struct Ended {
    year: i32,
    at: DateTime<Utc>,
    programmes: Vec<String>,
}

impl Funds {
    /// Lets lapse what is due, fund by fund, and says in how many funds.
    pub(crate) async fn lapse_central(&self) -> Result<usize, ServiceError> {
        let Some(ended) = self.ended() else { return Ok(0) };
        let due = self
            .op
            .read()
            .await?
            .unused_central(&ended.programmes, ended.at, None)
            .await?;
        let mut lapsed = 0_usize;
        for fund in due {
            let unit = |op| self.lapse_fund(op, &ended, &fund);
            let one = self.op.by_system().run(unit).await?;
            lapsed = lapsed.saturating_add(usize::from(one));
        }
        Ok(lapsed)
    }

    fn ended(&self) -> Option<Ended> {
        let year = shanghai::date(self.op.now()).year();
        let new_year = NaiveDate::from_ymd_opt(year, 1, 1)?;
        Some(Ended {
            year: year.checked_sub(1)?,
            at: shanghai::midnight(new_year),
            programmes: self.ended_before(new_year),
        })
    }

    /// Programmes whose window had ended before a day.
    pub(super) fn ended_before(&self, day: NaiveDate) -> Vec<String> {
        let catalogue = self.catalogue.current();
        let ended = catalogue
            .newest()
            .filter(|programme| programme.window().until < day);
        ended.map(|programme| programme.id().to_owned()).collect()
    }

    /// Lets lapse what is due of a fund; false if another worker was faster.
    async fn lapse_fund(
        &self,
        mut op: Op<'_>,
        ended: &Ended,
        fund: &Unused,
    ) -> Result<Finished<bool>, ServiceError> {
        let (jurisdiction, programme) = (fund.jurisdiction.as_str(), fund.programme.as_str());
        let key = (jurisdiction.to_owned(), programme.to_owned());
        limits::lock(&mut op.tx, &self.catalogue.current(), [key]).await?;
        let programmes = std::slice::from_ref(&fund.programme);
        let due = op
            .tx
            .unused_central(programmes, ended.at, Some(jurisdiction))
            .await?;
        let Some(due) = due.first() else {
            return Ok(op.unrecorded(false));
        };
        let amount = fen(due.amount)?;
        let posting = Posting {
            jurisdiction: jurisdiction.to_owned(),
            programme: programme.to_owned(),
            transfer: Transfer::new(Reason::Lapse, amount)?,
            claim: None,
            document: None,
            actor: op.actor.client.clone(),
        };
        op.tx.post(&[posting], op.now).await?;
        op.tx.lapse((jurisdiction, programme), due.amount, op.now).await?;
        let subject = format!("fund:{jurisdiction}/{programme}");
        let mut event = op.event(jurisdiction, &subject, "lapse");
        event.reason = Some(format!("{}年中央资金年终失效 {amount}", ended.year));
        let recorded = op.record(&[event]).await?;
        Ok(op.done(recorded, true))
    }
}
