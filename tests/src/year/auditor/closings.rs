//! Closed months and years: every account of every fund equals the exported ledger at their ends.

use std::collections::BTreeMap;

use service::funds::closing::Period;
use service::operation::access::ReadLedger;
use testkit::permit;

use super::Findings;
use super::ledger::Fold;
use crate::year::world::Year;

impl Year {
    /// Months follow one another without a gap, and all of 2026 is closed.
    pub(super) async fn audit_closings(&self, county: &str, fold: &Fold, found: &mut Findings) {
        let (mut periods, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let page = self
                .read(async |world| {
                    let auditor = permit::<ReadLedger>(&world.cast.auditor);
                    world
                        .service
                        .funds()
                        .closings(&auditor, county, cursor.as_deref(), 200)
                        .await
                })
                .await;
            periods.extend(page.items.into_iter().map(|it| it.period));
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        periods.sort();
        let of_2026 = (1..=12)
            .map(|month| format!("2026-{month:02}"))
            .chain(["2026".to_owned()]);
        for period in of_2026 {
            let closed = periods.iter().any(|it| it.to_string() == period);
            found.same(&format!("{county}: {period} is closed"), closed, true);
        }
        for period in periods {
            self.audit_closing(county, period, fold, found).await;
        }
    }

    async fn audit_closing(&self, county: &str, period: Period, fold: &Fold, found: &mut Findings) {
        let books = self
            .read(async |world| {
                let auditor = permit::<ReadLedger>(&world.cast.auditor);
                world.service.funds().closing(&auditor, county, period).await
            })
            .await;
        let mut answered = BTreeMap::new();
        for fund in &books.funds {
            for line in &fund.accounts {
                answered.insert((&*fund.programme, line.account.as_str()), line.closing.get());
            }
        }
        let mut folded = fold.at(books.closing.until);
        answered.retain(|_, fen| *fen != 0);
        folded.retain(|_, fen| *fen != 0);
        found.same(&format!("{county}: what {period} carries on"), answered, folded);
        let until = fold
            .lines
            .iter()
            .filter(|line| line.posted_at < books.closing.until);
        let height = i64::try_from(until.count()).unwrap();
        found.same(
            &format!("{county}: the height of {period}"),
            books.closing.height,
            height,
        );
    }
}
